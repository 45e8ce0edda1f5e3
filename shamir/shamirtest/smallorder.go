package shamirtest

import (
	"fmt"
	"math/big"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/cloudflare/circl/ecc/bls12381/ff"
)

// SmallOrders are the small primes among the orders of points on the curve of G2, from
// the least. They divide its cofactor.
var SmallOrders = []uint64{13, 23, 2713, 11953, 262069}

// SmallOrder is a point of the curve of G2 of one of SmallOrders, uncompressed; for order 0
// one outside the group whose order is the whole cofactor's, or nearly. Different seeds
// give different points.
func SmallOrder(order, seed uint64) []byte {
	times := new(big.Int).SetBytes(bls.Order()) // what is left of a point has no part in the group
	prime := new(big.Int).SetUint64(order)
	if order != 0 {
		times.Set(cofactor)
		for rest := new(big.Int); rest.Mod(times, prime).Sign() == 0; {
			times.Div(times, prime)
		}
		times.Mul(times, new(big.Int).SetBytes(bls.Order()))
	}
	for x := seed << 16; ; x++ {
		p, ok := lift(x)
		if !ok {
			continue
		}
		p = p.times(times)
		for q := p; order != 0 && q != nil; { // the order may be divisible by the prime twice
			p = q
			q = q.times(prime)
		}
		if p != nil {
			return p.bytes()
		}
	}
}

// AddOnCurve adds points of the curve of G2, uncompressed.
func AddOnCurve(a, b []byte) []byte { return readG2(a).add(readG2(b)).bytes() }

// cofactor of G2: how many points the curve has for each one of the group.
var cofactor, _ = new(big.Int).SetString("5d543a95414e7f1091d50792876a202cd91de4547085abaa68a205b2e5a7ddfa628f1cb4d9e82ef21537e293a6691ae1616ec6e786f0c70cf1c38e31c7238e5", 16)

// onCurve is an affine point of y² = x³ + 4(1+i), by the formulas of the textbook; nil is
// the identity.
type onCurve struct{ x, y ff.Fp2 }

func lift(x uint64) (p *onCurve, ok bool) {
	p = &onCurve{}
	p.x[0].SetUint64(x)
	p.x[1].SetUint64(1)
	var right, b ff.Fp2
	b[0].SetUint64(4)
	b[1].SetUint64(4)
	right.Sqr(&p.x)
	right.Mul(&right, &p.x)
	right.Add(&right, &b)
	return p, p.y.Sqrt(&right) == 1
}

func (p *onCurve) add(q *onCurve) *onCurve {
	switch {
	case p == nil:
		return q
	case q == nil:
		return p
	}
	var rise, run, slope ff.Fp2
	rise.Sub(&q.y, &p.y)
	run.Sub(&q.x, &p.x)
	if run.IsZero() == 1 {
		if rise.IsZero() == 0 {
			return nil
		}
		slope.Sqr(&p.x)
		rise.Add(&slope, &slope)
		rise.Add(&rise, &slope)
		run.Add(&p.y, &p.y)
	}
	run.Inv(&run)
	slope.Mul(&rise, &run)
	sum := &onCurve{}
	sum.x.Sqr(&slope)
	sum.x.Sub(&sum.x, &p.x)
	sum.x.Sub(&sum.x, &q.x)
	sum.y.Sub(&p.x, &sum.x)
	sum.y.Mul(&sum.y, &slope)
	sum.y.Sub(&sum.y, &p.y)
	return sum
}

func (p *onCurve) times(k *big.Int) (sum *onCurve) {
	for bit := k.BitLen() - 1; bit >= 0; bit-- {
		sum = sum.add(sum)
		if k.Bit(bit) == 1 {
			sum = sum.add(p)
		}
	}
	return sum
}

func (p *onCurve) bytes() []byte {
	if p == nil {
		return append([]byte{0x40}, make([]byte, bls.G2Size-1)...)
	}
	x, errX := p.x.MarshalBinary()
	y, errY := p.y.MarshalBinary()
	if errX != nil || errY != nil {
		panic(fmt.Sprintf("shamirtest: encode a point: %v %v", errX, errY)) // coordinates are in range
	}
	return append(x, y...)
}

func readG2(b []byte) *onCurve {
	p := &onCurve{}
	if b[0]&0x40 != 0 {
		return nil
	}
	if err := p.x.UnmarshalBinary(b[:96]); err != nil {
		panic(fmt.Sprintf("shamirtest: read a point: %v", err)) // tests give points
	}
	if err := p.y.UnmarshalBinary(b[96:]); err != nil {
		panic(fmt.Sprintf("shamirtest: read a point: %v", err))
	}
	return p
}
