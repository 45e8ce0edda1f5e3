package curve

import (
	"math/big"
	"math/bits"
)

// power stands for scale·(num/den)^(p/q), or scale·(num/den)^(−p/q) when inverse
// is set, with num ≥ den > 0 below 2^121, scale below 2^120, and p/q in lowest
// terms between 1/100 and 100.
type power struct {
	scale    u128
	num, den u128
	p, q     uint64
	inverse  bool
}

// maxPowerBits bounds the powers that any caller can use: results are below
// 2^120 once a scale below 2^120 is taken off again.
const maxPowerBits = AmountBits + 2

// floor returns the floor of the number and whether the number is that integer.
// It fails with ErrOverflow when the number is 2^121 or more.
func (v power) floor() (n u128, exact bool, err error) {
	switch {
	case v.num == v.den || v.scale == (u128{}):
		return v.scale, true, nil
	case v.p == v.q:
		return v.proportion()
	}
	n, is := v.estimate()
	switch {
	case is == decided:
		return n, false, nil
	case is == tooLarge:
		return u128{}, false, ErrOverflow
	case v.p+v.q <= maxCompared:
		return v.compared(n)
	}
	return v.decide()
}

// proportion is floor for the exponent 1.
func (v power) proportion() (n u128, exact bool, err error) {
	num, den := v.num, v.den
	if v.inverse {
		num, den = den, num
	}
	q, r := divWords(mul128(v.scale, num), den)
	n = u128{q[1], q[0]}
	if q[2]|q[3] != 0 || n.hi>>(AmountBits+1-64) != 0 {
		return u128{}, false, ErrOverflow
	}
	return n, r == u128{}, nil
}

// maxCompared bounds p + q for comparing powers, whose numbers then stay below
// 121·maxCompared bits: cheaper than more precision.
const maxCompared = 24

// compared returns the floor when it is n or n − 1, by comparing integers:
// scale·(num/den)^(p/q) ≥ n exactly when scale^q·num^p ≥ n^q·den^p.
func (v power) compared(n u128) (floor u128, exact bool, err error) {
	num, den := v.num.big(), v.den.big()
	if v.inverse {
		num, den = den, num
	}
	p, q := new(big.Int).SetUint64(v.p), new(big.Int).SetUint64(v.q)
	left, right := v.scale.big(), n.big()
	left.Exp(left, q, nil).Mul(left, num.Exp(num, p, nil))
	right.Exp(right, q, nil).Mul(right, den.Exp(den, p, nil))
	switch left.Cmp(right) {
	case 0:
		return n, true, nil
	case 1:
		return n, false, nil
	default:
		return n.sub(u128{lo: 1}), false, nil
	}
}

// decide finds the floor by integers of any length, without the kernel.
func (v power) decide() (n u128, exact bool, err error) {
	if floor, exact, ok := v.rational(); ok {
		return narrow(floor, exact)
	}
	// The value is irrational, so some precision tells it from every integer.
	for bits := uint(384); ; bits *= 2 {
		lo, hi, overflow := v.interval(bits)
		if overflow {
			return u128{}, false, ErrOverflow
		}
		if lo.Cmp(hi) == 0 {
			return narrow(lo, false)
		}
	}
}

// narrow returns a floor as a machine number, or ErrOverflow from 2^121 on.
func narrow(floor *big.Int, exact bool) (u128, bool, error) {
	if floor.BitLen() > AmountBits+1 {
		return u128{}, false, ErrOverflow
	}
	lo := new(big.Int).And(floor, new(big.Int).SetUint64(^uint64(0)))
	return u128{new(big.Int).Rsh(floor, 64).Uint64(), lo.Uint64()}, exact, nil
}

// rational returns the floor when the value is a rational number: when num and
// den, in lowest terms, are both q-th powers. Then p ≤ 100·q and a root has at
// most 121/q bits, so the numbers stay below 2^12100 however hostile the input.
func (v power) rational() (floor *big.Int, exact, ok bool) {
	if v.q > maxPowerBits {
		return nil, false, false // num > 1 is below 2^122, so it is no such power
	}
	num, den := v.num.big(), v.den.big()
	g := new(big.Int).GCD(nil, nil, num, den)
	num, ok = root(num.Quo(num, g), v.q)
	if !ok {
		return nil, false, false
	}
	den, ok = root(den.Quo(den, g), v.q)
	if !ok {
		return nil, false, false
	}
	if v.inverse {
		num, den = den, num
	}
	p := new(big.Int).SetUint64(v.p)
	num.Exp(num, p, nil)
	den.Exp(den, p, nil)
	rest := new(big.Int)
	floor, rest = num.Mul(num, v.scale.big()).QuoRem(num, den, rest)
	return floor, rest.Sign() == 0, true
}

// root returns the k-th root of n > 0 when it is an integer.
func root(n *big.Int, k uint64) (r *big.Int, ok bool) {
	one := big.NewInt(1)
	if k == 1 || n.Cmp(one) == 0 {
		return n, true
	}
	if uint64(n.BitLen()) <= k { // 1 < n < 2^k
		return nil, false
	}
	exponent := new(big.Int).SetUint64(k)
	r = new(big.Int)
	for bit := (n.BitLen()-1)/int(k) + 1; bit >= 0; bit-- {
		r.SetBit(r, bit, 1)
		if new(big.Int).Exp(r, exponent, nil).Cmp(n) > 0 {
			r.SetBit(r, bit, 0)
		}
	}
	return r, new(big.Int).Exp(r, exponent, nil).Cmp(n) == 0
}

// halvings is how often exp halves its argument before the series; it squares
// the result as often.
const halvings = 16

// interval encloses the value strictly between two numbers and returns their
// floors. It works with w fractional bits, in units of u = 2^−w:
//
//   - logarithm of 2 or of a number in [1, 2): |error| ≤ 2·w + 30 (see lnSeries);
//   - ln(num/den) = k·ln 2 + ln m with k ≤ 121: ≤ 122·(2w + 30);
//   - times p/q ≤ 100, floored: ≤ 12200·(2w + 30) + 1;
//   - minus j·ln 2 with j ≤ 12101, and for the inverse minus from ln 2:
//     ≤ 24303·(2w + 30) < 2^15·(2w + 30) = E;
//   - exponential: halving and the series of at most w/16 + 3 terms leave
//     E/2^16 + 2·(w/16 + 3) + 3, each of 16 squarings of a number that ends below
//     2.1 doubles the relative error and adds one unit:
//     ≤ 2.1·(E + 2^16·(w/8 + 11)) < 2^18·w + 2^22 < (w + 64)·2^19.
func (v power) interval(w uint) (lo, hi *big.Int, overflow bool) {
	k := v.num.bitLen() - v.den.bitLen()
	num, den := v.num.big(), v.den.big()
	den.Lsh(den, uint(k)) // num ≥ den, so k ≥ 0
	if num.Cmp(den) < 0 {
		k--
		den.Rsh(den, 1)
	}
	ln2 := lnTwo(w)
	t := lnSeries(num, den, w)
	t.Add(t, new(big.Int).Mul(ln2, big.NewInt(int64(k))))
	t.Mul(t, new(big.Int).SetUint64(v.p)).Quo(t, new(big.Int).SetUint64(v.q))
	whole, f := new(big.Int).QuoRem(t, ln2, new(big.Int))
	j := int(whole.Int64())
	if v.inverse {
		j, f = -j-1, f.Sub(ln2, f)
	}
	if j > maxPowerBits {
		return nil, nil, true
	}
	y := expSeries(f, w)
	e := new(big.Int).SetUint64(uint64(w) + 64)
	e.Lsh(e, 19)
	lo, hi = new(big.Int).Sub(y, e), new(big.Int).Add(y, e)
	scale := v.scale.big()
	shift := int(w) - j // positive: w ≥ 384
	lo.Mul(lo, scale).Rsh(lo, uint(shift))
	hi.Mul(hi, scale).Rsh(hi, uint(shift))
	return lo, hi, false
}

// lnSeries returns ln(num/den), for num/den in [1, 2], by the series
// 2·Σ z^(2i+1)/(2i+1) with z = (num−den)/(num+den) ≤ 1/3, in units of 2^−w.
// z, z² and each power are floored, so a power is off by less than 2 units and a
// term by less than 3; there are at most w/3.16 + 2 terms and the tail is below 4
// units: twice that is at most 2·w + 30.
func lnSeries(num, den *big.Int, w uint) *big.Int {
	z := new(big.Int).Sub(num, den)
	z.Lsh(z, w).Quo(z, new(big.Int).Add(num, den))
	square := new(big.Int).Mul(z, z)
	square.Rsh(square, w)
	sum, term, n := new(big.Int), new(big.Int), new(big.Int)
	for i := uint64(1); z.Sign() > 0; i += 2 {
		sum.Add(sum, term.Quo(z, n.SetUint64(i)))
		z.Mul(z, square).Rsh(z, w)
	}
	return sum.Lsh(sum, 1)
}

// expSeries returns e^f for f in [0, ln 2] in units of 2^−w.
func expSeries(f *big.Int, w uint) *big.Int {
	s := new(big.Int).Rsh(f, halvings)
	term := new(big.Int).Lsh(big.NewInt(1), w)
	sum, n := new(big.Int).Set(term), new(big.Int)
	for i := uint64(1); term.Sign() > 0; i++ {
		term.Mul(term, s).Rsh(term, w).Quo(term, n.SetUint64(i))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum).Rsh(sum, w)
	}
	return sum
}

// ln2Table holds ln 2 for the precisions that hostile input can reach in
// practice; wider ones are computed when asked for.
var ln2Table = func() (table [4]*big.Int) {
	for i := range table {
		table[i] = lnSeries(big.NewInt(2), big.NewInt(1), 384<<i)
	}
	return table
}()

// lnTwo returns ln 2 in units of 2^−w, for w = 384·2^i. Callers do not change it.
func lnTwo(w uint) *big.Int {
	if i := bits.TrailingZeros(w / 384); i < len(ln2Table) {
		return ln2Table[i]
	}
	return lnSeries(big.NewInt(2), big.NewInt(1), w)
}
