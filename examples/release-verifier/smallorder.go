package main

import (
	"math/big"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/cloudflare/circl/ecc/bls12381/ff"
)

// Section 6.2: points of the curve of G2 up to small order. circl takes none outside the
// subgroup, so the way there is that of the textbook.

// loose reads the uncompressed form of a coefficient that is not the constant one, and
// gives the point of the subgroup that it stands for.
func loose(b []byte) point {
	need(len(b) == 192 && b[0]&0xe0 == 0, "encoding")
	if p, err := decodeG2(b, true); err == nil {
		need(!p.e.IsIdentity(), "identity")
		return p
	}
	p := &affine{}
	need(p.x.UnmarshalBinary(b[:96]) == nil && p.y.UnmarshalBinary(b[96:]) == nil, "encoding")
	var left, right, four ff.Fp2
	four[0].SetUint64(4)
	four[1].SetUint64(4)
	left.Sqr(&p.y)
	right.Sqr(&p.x)
	right.Mul(&right, &p.x)
	right.Add(&right, &four)
	need(left.IsEqual(&right) == 1, "encoding")

	var sum *affine
	for bit := projector.BitLen() - 1; bit >= 0; bit-- {
		if sum = sum.add(sum); projector.Bit(bit) == 1 {
			sum = sum.add(p)
		}
	}
	if sum == nil {
		return g2.zero
	}
	x, errX := sum.x.MarshalBinary()
	y, errY := sum.y.MarshalBinary()
	need(errX == nil && errY == nil, "encoding")
	return wide(append(x, y...))
}

// projector is c·(c⁻¹ mod q) for the cofactor c.
var projector = func() *big.Int {
	q := new(big.Int).SetBytes(bls.Order())
	u, ok := new(big.Int).SetString("-d201000000010000", 16)
	need(ok, "constant")
	c := new(big.Int)
	for _, k := range []int64{1, -4, 5, 0, -4, 6, -4, -4, 13} {
		c.Mul(c, u).Add(c, big.NewInt(k))
	}
	c.Div(c, big.NewInt(9))
	return new(big.Int).Mul(c, new(big.Int).ModInverse(c, q))
}()

// affine is a point of the curve; nil is the identity.
type affine struct{ x, y ff.Fp2 }

func (p *affine) add(q *affine) *affine {
	if p == nil {
		return q
	}
	if q == nil {
		return p
	}
	var rise, run, slope ff.Fp2
	rise.Sub(&q.y, &p.y)
	run.Sub(&q.x, &p.x)
	if run.IsZero() == 1 {
		if rise.IsZero() != 1 {
			return nil // opposite points
		}
		run.Add(&p.y, &p.y)
		slope.Sqr(&p.x)
		rise.Add(&slope, &slope)
		rise.Add(&rise, &slope)
	}
	run.Inv(&run)
	slope.Mul(&rise, &run)
	r := &affine{}
	r.x.Sqr(&slope)
	r.x.Sub(&r.x, &p.x)
	r.x.Sub(&r.x, &q.x)
	r.y.Sub(&p.x, &r.x)
	r.y.Mul(&r.y, &slope)
	r.y.Sub(&r.y, &p.y)
	return r
}
