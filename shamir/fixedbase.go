package shamir

import (
	"crypto/subtle"

	bls "github.com/cloudflare/circl/ecc/bls12381"
)

// Multiples of the generator of G2 by secrets: what a dealer commits with, and the only
// arithmetic of our own that secrets go through. It takes a quarter of circl's, which
// knows nothing of a generator. Time and memory accesses do not depend on the secret: the
// digits of a scalar choose from a table that is read whole, the formulas for addition
// have no exceptions, and the fields are circl's.

// The scalar is written with digits from -8 to 8, and digit i chooses among the multiples
// 1 to 8 of 16ⁱ times the generator.
const (
	baseDigits = 64
	baseTable  = 8
)

type affineG2 struct{ x, y fp2 }

var g2Table = func() *[baseDigits][baseTable]affineG2 {
	points := make([]jacobian[fp2, *fp2], 0, baseDigits*baseTable)
	base := g2Generator.v
	var w work[fp2]
	for range baseDigits {
		sum := base
		for range baseTable {
			points = append(points, sum)
			sum.add(&w, &sum, &base)
		}
		base = points[len(points)-1] // 8 times, and once more
		base.double(&w)
	}
	normalizeAll(points)
	var table [baseDigits][baseTable]affineG2
	for i, p := range points {
		table[i/baseTable][i%baseTable] = affineG2{p.x, p.y}
	}
	return &table
}()

// mulGenerator is s times the generator.
func mulGenerator(s *bls.Scalar) (out jacobian[fp2, *fp2]) {
	var sum homogeneous
	sum.y.SetOne()
	for i, d := range signedNibbles(s) {
		sum.addMultiple(&g2Table[i], d)
	}
	return sum.jacobian()
}

// signedNibbles writes the scalar as Σ d_i·16ⁱ with digits from -8 to 7, the last one from
// 0 to 8: scalars have 255 bits.
func signedNibbles(s *bls.Scalar) (d [baseDigits]int8) {
	b, err := s.MarshalBinary()
	if err != nil {
		panic("shamir: encode a scalar: " + err.Error()) // circl's cannot fail
	}
	for i := range d {
		d[i] = int8(b[len(b)-1-i/2] >> (4 * (i % 2)) & 15)
	}
	clear(b)
	for i := range d[:baseDigits-1] {
		carry := (d[i] + 8) >> 4
		d[i] -= carry << 4
		d[i+1] += carry
	}
	return d
}

// homogeneous is the point (x/z, y/z) of the curve of G2; z = 0 is the identity.
type homogeneous struct{ x, y, z fp2 }

// addMultiple adds d times the point whose multiples 1 to 8 are given.
func (p *homogeneous) addMultiple(multiples *[baseTable]affineG2, d int8) {
	negative := int(uint8(d) >> 7)
	size := d ^ (d>>7)&(d^-d)
	q := multiples[0]
	for k := 1; k < baseTable; k++ {
		chosen := subtle.ConstantTimeByteEq(uint8(size), uint8(k+1))
		q.x.CMov(&q.x.Fp2, &multiples[k].x.Fp2, chosen)
		q.y.CMov(&q.y.Fp2, &multiples[k].y.Fp2, chosen)
	}
	minus := q.y
	minus.Neg()
	q.y.CMov(&q.y.Fp2, &minus.Fp2, negative)
	sum := *p
	sum.add(&q)
	some := 1 - subtle.ConstantTimeByteEq(uint8(d), 0)
	p.x.CMov(&p.x.Fp2, &sum.x.Fp2, some)
	p.y.CMov(&p.y.Fp2, &sum.y.Fp2, some)
	p.z.CMov(&p.z.Fp2, &sum.z.Fp2, some)
}

// add is complete: it holds for all points p and q, which is none of the identity, because
// the curve has no point of order 2. Source: Renes, Costello, Batina, Eurocrypt 2016,
// algorithm 8.
func (p *homogeneous) add(q *affineG2) {
	var t0, t1, t2, t3, t4, y3 fp2
	t0.Mul(&p.x, &q.x)
	t1.Mul(&p.y, &q.y)
	t3.Add(&q.x, &q.y)
	t4.Add(&p.x, &p.y)
	t3.Mul(&t3, &t4)
	t4.Add(&t0, &t1)
	t3.Sub(&t3, &t4)
	t4.Mul(&q.y, &p.z)
	t4.Add(&t4, &p.y)
	y3.Mul(&q.x, &p.z)
	y3.Add(&y3, &p.x)
	p.x.Add(&t0, &t0)
	t0.Add(&p.x, &t0)
	t2.tripleB(&p.z)
	p.z.Add(&t1, &t2)
	t1.Sub(&t1, &t2)
	y3.tripleB(&y3)
	p.x.Mul(&t4, &y3)
	t2.Mul(&t3, &t1)
	p.x.Sub(&t2, &p.x)
	p.y.Mul(&y3, &t0)
	t1.Mul(&t1, &p.z)
	p.y.Add(&t1, &p.y)
	t0.Mul(&t0, &t3)
	p.z.Mul(&p.z, &t4)
	p.z.Add(&p.z, &t0)
}

// tripleB sets z = 3b·x = 12(1+i)·x.
func (z *fp2) tripleB(x *fp2) {
	four := *x
	four.MulBeta()
	four.Add(&four, &four)
	four.Add(&four, &four)
	z.Add(&four, &four)
	z.Add(z, &four)
}

// jacobian divides by z with circl's inversion: how long another took would tell of the
// secret, since z does.
func (p *homogeneous) jacobian() (out jacobian[fp2, *fp2]) {
	if p.z.IsZero() == 1 {
		return out
	}
	var inverse, x, y fp2
	inverse.Fp2.Inv(&p.z.Fp2)
	x.Mul(&p.x, &inverse)
	y.Mul(&p.y, &inverse)
	out.setAffine(&x, &y)
	return out
}
