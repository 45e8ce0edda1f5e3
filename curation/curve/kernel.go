package curve

import "math/bits"

// The kernel evaluates scale·x^(p/q), x = num/den ≥ 1, as scale·2^(±(p/q)·log2 x)
// with 192 fractional bits. One unit (ulp) is 2^−192. Errors below are bounds, in
// ulp, for every input; kernel_test.go measures the real ones.

// fraction is a number in [0, 1): its words, least significant first, over 2^192.
type fraction [3]uint64

// verdict says what the kernel proved about scale·x^(p/q).
type verdict int

const (
	undecided verdict = iota // n or n − 1 is the floor
	decided                  // n is the floor, and the number is not an integer
	tooLarge                 // the number is 2^121 or more
)

// estimate evaluates the power and tells what is proven.
func (v *power) estimate() (n u128, is verdict) {
	t := tables()
	whole, f := t.log2(v.num, v.den)
	whole, f = timesRatio(whole, f, v.p, v.q)
	k := int(whole) // at most 12100
	if v.inverse {
		if k = -k; f != (fraction{}) {
			k, f = k-1, fraction{}.sub(f)
		}
	}
	if k >= maxPowerBits { // scale ≥ 1, so the number is above 2^121
		return n, tooLarge
	}
	shift := 192 - k
	if shift >= 5*64 { // scale·2^193 is below 2^320: the number is in (0, 1)
		return n, decided
	}
	y := t.exp2(f)
	product := v.scale.times(y)
	e := v.scale.spread(errorBound(v.p, v.q))
	lo, large := sub5(product, e).floor(shift)
	if large {
		return n, tooLarge
	}
	n, large = add5(product, e).floor(shift)
	if large || n != lo {
		return n, undecided
	}
	return n, decided
}

// errorBound returns how far estimate's mantissa, in [1, 2), is from the true
// one, strictly below, in ulp: the exponent is off by less than 24·p/q + 1
// (log2, then a floor), which the exponential multiplies by at most 2·ln 2 < 1.39,
// and exp2 itself by less than 48. With p/q < P = ⌊p/q⌋ + 1 this is below
// 36·P + 64, at most 3700.
func errorBound(p, q uint64) uint64 { return 64 + 36*(p/q+1) }

// log2 returns log2(num/den) = k + f for num ≥ den > 0, off by less than 24 ulp
// either way:
//
//   - the quotient is floored: 1 ulp of a number ≥ 1, so 1.45;
//   - three short multiplications are floored: 3·1.45;
//   - three table entries are floored: 3·1.01;
//   - the last product of the series: 6; its inner steps and tail: below 2.
func (t *tableSet) log2(num, den u128) (k uint64, f fraction) {
	a, b := num.bitLen(), den.bitLen()
	k = uint64(a - b)
	num, den = num.shl(128-a), den.shl(128-b)
	var r u128 // num/den = 1 + r/den, after doubling num when it is below den
	if num.less(den) {
		k--
		r = num.sub(den.sub(num))
	} else {
		r = num.sub(den)
	}
	var m fraction // the mantissa is 1 + m
	for i := 2; i >= 0; i-- {
		m[i], r = divStep(r, 0, den)
	}
	// Multiply by short numbers c ≈ 1/(1 + m) whose logarithms are in tables.
	// Each c is rounded up, so what remains stays at or above 1.
	e := &t.log1[m[2]>>(64-log1Bits)]
	f, m = e.log, m.timesShort(e.c, log1Scale)
	e = &t.log2nd[m[2]>>(64-log2Bits)]
	f2, m := e.log, m.timesShort(e.c, log2Scale)
	e = &t.log3[m[2]>>(64-log3Bits)]
	f3, m := e.log, m.timesShort(e.c, log3Scale)
	f, _ = f.add(f2) // the true sum is below 1 and entries are floored
	f, _ = f.add(f3)
	f, carry := f.add(t.log2Series(m))
	return k + carry, f
}

// log2Series returns log2(1 + m) for m < 2^−21.9, by eight terms of
// m + m·(a1 − 1 − m·(a2 − m·(a3 − …))) with a_i = 1/(i·ln 2). Inner steps need
// fewer words: what is off by u at step i ends up multiplied by m^i. Steps 8 to
// 6 have 64 bits (error 3·2^−64·m^6 < 0.3 ulp), 5 to 3 have 128 bits (5·2^−128·m^3
// < 1.4 ulp), the last two 192; the tail is below 0.01 ulp.
func (t *tableSet) log2Series(m fraction) fraction {
	c := &t.logTerms
	h := c[8][2]
	h = c[7][2] - mul1(m[2], h)
	h = c[6][2] - mul1(m[2], h)
	hi, lo := sub2(c[5][2], c[5][1], mul2(m[2], m[1], h, 0))
	hi, lo = sub2(c[4][2], c[4][1], mul2(m[2], m[1], hi, lo))
	hi, lo = sub2(c[3][2], c[3][1], mul2(m[2], m[1], hi, lo))
	h3 := c[2].sub(m.times(fraction{0, lo, hi}))
	h3 = c[1].sub(m.times(h3))
	sum, _ := m.add(m.times(h3))
	return sum
}

// timesRatio returns (k + f)·p/q, floored to an ulp, for k < 2^8 and p, q below
// 2^20.
func timesRatio(k uint64, f fraction, p, q uint64) (uint64, fraction) {
	carry := uint64(0)
	for i := range f {
		h, l := bits.Mul64(f[i], p)
		var c uint64
		f[i], c = bits.Add64(l, carry, 0)
		carry = h + c
	}
	k = k*p + carry
	if q == 1 {
		return k, f
	}
	k, rest := k/q, k%q
	f[2], rest = bits.Div64(rest, f[2], q)
	f[1], rest = bits.Div64(rest, f[1], q)
	f[0], _ = bits.Div64(rest, f[0], q)
	return k, f
}

// exp2 returns y with 2^f − 1 − y in [0, 48) ulp: every entry, coefficient and
// product is floored and all are added. The series is off by less than 6.1, the
// three factors bring this to 13.2, 20.3 and, doubled by the largest, 47.7.
func (t *tableSet) exp2(f fraction) fraction {
	const mask = 1<<expBits - 1
	e1 := &t.exp1[f[2]>>(64-expBits)]
	e2 := &t.exp2nd[f[2]>>(64-2*expBits)&mask]
	e3 := &t.exp3[f[2]>>(64-3*expBits)&mask]
	f[2] &= 1<<(64-3*expBits) - 1
	y := t.exp2Series(f)
	y = y.compound(e3)
	y = y.compound(e2)
	return y.compound(e1)
}

// exp2Series returns 2^f − 1 for f < 2^−24, by seven terms of
// f·(b1 + f·(b2 + …)) with b_i = (ln 2)^i/i!; words as in log2Series.
func (t *tableSet) exp2Series(f fraction) fraction {
	c := &t.expTerms
	h := c[7][2]
	h = c[6][2] + mul1(f[2], h)
	hi, lo := add2(c[5][2], c[5][1], mul2(f[2], f[1], h, 0))
	hi, lo = add2(c[4][2], c[4][1], mul2(f[2], f[1], hi, lo))
	hi, lo = add2(c[3][2], c[3][1], mul2(f[2], f[1], hi, lo))
	h3, _ := c[2].add(f.times(fraction{0, lo, hi}))
	h3, _ = c[1].add(f.times(h3))
	return f.times(h3)
}
