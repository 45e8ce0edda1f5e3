package curve

import (
	"math/big"
	"sync"
)

// The logarithm reduces its mantissa by factors that leave it below 1 + 2^−8,
// 1 + 2^−15 and 1 + 2^−22: it looks at that many bits, and multiplies by numbers
// of that many bits. The exponential splits off three times eight bits.
const (
	log1Bits, log1Scale = 8, 16
	log2Bits, log2Scale = 15, 24
	log3Bits, log3Scale = 22, 32
	expBits             = 8
)

// After a reduction by s bits with a factor of b bits, what remains is below
// 1 + 2^−s + 2^(1−b), so a few indices beyond 2^7 occur.
const reducedEntries = 1<<7 + 4

// logEntry is a factor c/2^scale ≥ 1/(1 + i/2^bits) and −log2 of it, floored.
type logEntry struct {
	log fraction
	c   uint64
}

type tableSet struct {
	log1               [1 << log1Bits]logEntry
	log2nd, log3       [reducedEntries]logEntry
	exp1, exp2nd, exp3 [1 << expBits]fraction // 2^(i/2^8) − 1, 2^(i/2^16) − 1, 2^(i/2^24) − 1
	logTerms           [9]fraction            // 1/(i·ln 2), without its whole part for i = 1
	expTerms           [8]fraction            // (ln 2)^i/i!
}

// tables builds the tables on first use, from integer series only: the same on
// every machine. It takes about two milliseconds.
var tables = sync.OnceValue(newTables)

// tableBits is the precision with which entries are computed before they are
// floored to 192 bits; its errors, below 2^−290, are the 0.01 ulp in the bounds.
const tableBits = 320

func newTables() *tableSet {
	t := new(tableSet)
	ln2 := lnSeries(big.NewInt(2), big.NewInt(1), tableBits)
	fillLogs(t.log1[:], log1Bits, log1Scale, ln2)
	fillLogs(t.log2nd[:], log2Bits, log2Scale, ln2)
	fillLogs(t.log3[:], log3Bits, log3Scale, ln2)
	fillExps(t.exp1[:], expBits, ln2)
	fillExps(t.exp2nd[:], 2*expBits, ln2)
	fillExps(t.exp3[:], 3*expBits, ln2)
	for i := int64(1); i < int64(len(t.logTerms)); i++ {
		x := new(big.Int).Lsh(big.NewInt(1), 2*tableBits)
		t.logTerms[i] = toFraction(x.Quo(x, new(big.Int).Mul(ln2, big.NewInt(i))))
	}
	x := new(big.Int).Lsh(big.NewInt(1), tableBits)
	for i := int64(1); i < int64(len(t.expTerms)); i++ {
		x.Mul(x, ln2).Rsh(x, tableBits).Quo(x, big.NewInt(i))
		t.expTerms[i] = toFraction(x)
	}
	return t
}

// fillLogs sets entry i to the factor for mantissas from 1 + i/2^index on. Each
// logarithm is the one before plus that of the ratio of the two factors, which
// is near 1, where the series is short.
func fillLogs(entries []logEntry, index, scale uint, ln2 *big.Int) {
	last, sum := uint64(1)<<scale, new(big.Int)
	for i := range entries {
		den := uint64(1)<<index + uint64(i)
		c := (uint64(1)<<(scale+index) + den - 1) / den
		sum.Add(sum, lnSeries(new(big.Int).SetUint64(last), new(big.Int).SetUint64(c), tableBits))
		log := new(big.Int).Lsh(sum, tableBits)
		entries[i] = logEntry{toFraction(log.Quo(log, ln2)), c}
		last = c
	}
}

// fillExps sets entry i to 2^(i/2^index) − 1.
func fillExps(entries []fraction, index uint, ln2 *big.Int) {
	step := expSeries(new(big.Int).Rsh(ln2, index), tableBits)
	x := new(big.Int).Lsh(big.NewInt(1), tableBits)
	for i := range entries {
		entries[i] = toFraction(x)
		x.Mul(x, step).Rsh(x, tableBits)
	}
}

// toFraction floors the fractional part of x/2^tableBits to 192 bits.
func toFraction(x *big.Int) (f fraction) {
	x = new(big.Int).Rsh(x, tableBits-192)
	word := new(big.Int).SetUint64(^uint64(0))
	for i := range f {
		f[i] = new(big.Int).And(x, word).Uint64()
		x.Rsh(x, 64)
	}
	return f
}
