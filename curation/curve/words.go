package curve

import (
	"math/big"
	"math/bits"
)

// u128 is a 128-bit unsigned integer. Sums of two amounts, which may reach
// 2^121, live here.
type u128 struct{ hi, lo uint64 }

func (a u128) big() *big.Int { return Amount(a).Big() }

func (a u128) bitLen() int { return Amount(a).bitLen() }

func (a u128) less(b u128) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

// add returns a + b, which must be below 2^128.
func (a u128) add(b u128) u128 {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	return u128{a.hi + b.hi + carry, lo}
}

// sub returns a − b, which must not be negative.
func (a u128) sub(b u128) u128 {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	return u128{a.hi - b.hi - borrow, lo}
}

// shl returns a·2^n, which must be below 2^128, for n in 0..127.
func (a u128) shl(n int) u128 {
	if n >= 64 {
		return u128{a.lo << (n - 64), 0}
	}
	return u128{a.hi<<n | a.lo>>(64-n), a.lo << n}
}

// amount returns a as an amount, or ErrOverflow.
func (a u128) amount() (Amount, error) {
	v, over := inRange(a.hi, a.lo)
	if over {
		return Amount{}, ErrOverflow
	}
	return v, nil
}

// words is a number of four machine words, least significant first.
type words [4]uint64

// mul128 returns the whole product of a and b.
func mul128(a, b u128) (p words) {
	var c uint64
	h, l := bits.Mul64(a.lo, b.lo)
	p[0], p[1] = l, h
	h, l = bits.Mul64(a.hi, b.lo)
	p[1], c = bits.Add64(p[1], l, 0)
	p[2] = h + c // h ≤ 2^64 − 2
	h, l = bits.Mul64(a.lo, b.hi)
	p[1], c = bits.Add64(p[1], l, 0)
	p[2], c = bits.Add64(p[2], h, c)
	p[3] = c
	h, l = bits.Mul64(a.hi, b.hi)
	p[2], c = bits.Add64(p[2], l, 0)
	p[3] += h + c
	return p
}

// less reports a < b.
func (a words) less(b words) bool {
	for i := 3; i >= 0; i-- {
		if a[i] != b[i] {
			return a[i] < b[i]
		}
	}
	return false
}

// divWords returns the quotient and remainder of n by d, which is not zero.
func divWords(n words, d u128) (q words, r u128) {
	if d.hi == 0 {
		for i := 3; i >= 0; i-- {
			q[i], r.lo = bits.Div64(r.lo, n[i], d.lo)
		}
		return q, r
	}
	shift := bits.LeadingZeros64(d.hi)
	d = d.shl(shift)
	// The remainder runs through the words of n·2^shift from the top.
	r = u128{lo: n[3] >> (64 - shift)} // a shift of 64 gives 0
	for i := 3; i >= 0; i-- {
		next := n[i] << shift
		if i > 0 {
			next |= n[i-1] >> (64 - shift)
		}
		q[i], r = divStep(r, next, d)
	}
	return q, u128{r.hi >> shift, r.lo>>shift | r.hi<<(64-shift)}
}

// divStep divides r·2^64 + next by d, whose top bit is set and which is above
// r. It is one step of Knuth's algorithm D (TAOCP 4.3.1) for two-word divisors.
func divStep(r u128, next uint64, d u128) (q uint64, rest u128) {
	var t uint64 // r.hi·2^64 + r.lo − q·d.hi, when it fits in a word
	fits := true
	if r.hi >= d.hi {
		q = ^uint64(0)
		var carry uint64
		t, carry = bits.Add64(r.lo, d.hi, 0) // r.hi = d.hi here
		fits = carry == 0
	} else {
		q, t = bits.Div64(r.hi, r.lo, d.hi)
	}
	for fits {
		h, l := bits.Mul64(q, d.lo)
		if h < t || h == t && l <= next {
			break
		}
		q--
		var carry uint64
		t, carry = bits.Add64(t, d.hi, 0)
		fits = carry == 0
	}
	// The remainder is below d, so two words of the difference suffice.
	h, l := bits.Mul64(q, d.lo)
	lo, borrow := bits.Sub64(next, l, 0)
	hi := r.lo - q*d.hi - h - borrow
	return q, u128{hi, lo}
}

// ceil returns a + 1 when the remainder is not zero, and a otherwise.
func (a words) ceil(remainder u128) words {
	if remainder == (u128{}) {
		return a
	}
	carry := uint64(1)
	for i := range a {
		a[i], carry = bits.Add64(a[i], 0, carry)
	}
	return a
}
