package curve

import "math/bits"

// add returns a + b, reduced below 1, and the carry.
func (a fraction) add(b fraction) (sum fraction, carry uint64) {
	sum[0], carry = bits.Add64(a[0], b[0], 0)
	sum[1], carry = bits.Add64(a[1], b[1], carry)
	sum[2], carry = bits.Add64(a[2], b[2], carry)
	return sum, carry
}

// sub returns a − b, increased by 1 when it is negative.
func (a fraction) sub(b fraction) (r fraction) {
	var borrow uint64
	r[0], borrow = bits.Sub64(a[0], b[0], 0)
	r[1], borrow = bits.Sub64(a[1], b[1], borrow)
	r[2], _ = bits.Sub64(a[2], b[2], borrow)
	return r
}

// times returns a·b from below, less than 6 ulp off: of the nine partial
// products it forms the six that reach the result, and of three of these only
// the upper half.
func (a *fraction) times(b fraction) (r fraction) {
	var c uint64
	x, _ := bits.Mul64(a[2], b[0])
	y, _ := bits.Mul64(a[1], b[1])
	z, _ := bits.Mul64(a[0], b[2])
	h1, l1 := bits.Mul64(a[2], b[1])
	h2, l2 := bits.Mul64(a[1], b[2])
	h3, l3 := bits.Mul64(a[2], b[2])
	r[1], c = bits.Add64(l3, h1, 0)
	r[2] = h3 + c
	r[1], c = bits.Add64(r[1], h2, 0)
	r[2] += c
	r[0], c = bits.Add64(l1, l2, 0)
	r[1], c = bits.Add64(r[1], 0, c)
	r[2] += c
	r[0], c = bits.Add64(r[0], x, 0)
	r[1], c = bits.Add64(r[1], 0, c)
	r[2] += c
	r[0], c = bits.Add64(r[0], y, 0)
	r[1], c = bits.Add64(r[1], 0, c)
	r[2] += c
	r[0], c = bits.Add64(r[0], z, 0)
	r[1], c = bits.Add64(r[1], 0, c)
	r[2] += c
	return r
}

// compound returns (1 + a)·(1 + b) − 1 from below, less than 6 ulp off, when it
// is below 1.
func (a fraction) compound(b *fraction) fraction {
	sum, _ := a.add(*b)
	sum, _ = sum.add(b.times(a))
	return sum
}

// timesShort returns (1 + a)·c/2^scale − 1, floored, when it is in [0, 1), for
// 0 < scale < 64.
func (a fraction) timesShort(c uint64, scale uint) (r fraction) {
	var carry uint64
	h0, l0 := bits.Mul64(a[0], c)
	h1, l1 := bits.Mul64(a[1], c)
	h2, l2 := bits.Mul64(a[2], c)
	l1, carry = bits.Add64(l1, h0, 0)
	l2, carry = bits.Add64(l2, h1, carry)
	top := h2 + carry + c
	up := 64 - scale
	return fraction{l0>>scale | l1<<up, l1>>scale | l2<<up, l2>>scale | top<<up}
}

// mul1 returns ⌊a·b/2^64⌋: the product of two fractions of one word.
func mul1(a, b uint64) uint64 {
	h, _ := bits.Mul64(a, b)
	return h
}

// mul2 returns the product of two fractions of two words from below, less than 3
// units of 2^−128 off.
func mul2(a1, a0, b1, b0 uint64) u128 {
	h, l := bits.Mul64(a1, b1)
	x, _ := bits.Mul64(a1, b0)
	y, _ := bits.Mul64(a0, b1)
	var c uint64
	l, c = bits.Add64(l, x, 0)
	h += c
	l, c = bits.Add64(l, y, 0)
	return u128{h + c, l}
}

func add2(hi, lo uint64, b u128) (uint64, uint64) {
	s := u128{hi, lo}.add(b)
	return s.hi, s.lo
}

func sub2(hi, lo uint64, b u128) (uint64, uint64) {
	s := u128{hi, lo}.sub(b)
	return s.hi, s.lo
}

// words5 is a number of five machine words, least significant first.
type words5 [5]uint64

// times returns a·(1 + y)·2^192, for a below 2^121.
func (a u128) times(y fraction) (p words5) {
	var c uint64
	for i := range y {
		h, l := bits.Mul64(a.lo, y[i])
		p[i], c = bits.Add64(p[i], l, 0)
		p[i+1], c = bits.Add64(p[i+1], h, c)
		p[i+2] += c
		h, l = bits.Mul64(a.hi, y[i])
		p[i+1], c = bits.Add64(p[i+1], l, 0)
		p[i+2], _ = bits.Add64(p[i+2], h, c)
	}
	p[3], c = bits.Add64(p[3], a.lo, 0)
	p[4], _ = bits.Add64(p[4], a.hi, c)
	return p
}

// spread returns a·n, for n below 2^13.
func (a u128) spread(n uint64) (p words5) {
	h, l := bits.Mul64(a.lo, n)
	over, mid := bits.Mul64(a.hi, n)
	var c uint64
	p[0] = l
	p[1], c = bits.Add64(mid, h, 0)
	p[2] = over + c
	return p
}

func add5(a, b words5) (r words5) {
	var c uint64
	for i := range r {
		r[i], c = bits.Add64(a[i], b[i], c)
	}
	return r
}

func sub5(a, b words5) (r words5) {
	var c uint64
	for i := range r {
		r[i], c = bits.Sub64(a[i], b[i], c)
	}
	return r
}

// floor returns ⌊a/2^shift⌋ for shift in 0..319; large reports 2^121 or more.
func (a words5) floor(shift int) (n u128, large bool) {
	w, s := shift/64, shift%64
	var part [3]uint64
	copy(part[:], a[w:])
	n = u128{part[1]>>s | part[2]<<(64-s), part[0]>>s | part[1]<<(64-s)}
	large = part[2]>>s != 0 || n.hi>>(AmountBits+1-64) != 0
	for _, high := range a[min(w+3, len(a)):] {
		large = large || high != 0
	}
	return n, large
}
