package shamir

import (
	"fmt"
	"math/big"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/cloudflare/circl/ecc/bls12381/ff"
)

// coordinate is the field of a group's coordinates, with what is special about the
// group's curve y² = x³ + b: methods that do not look at their receiver.
type coordinate[F comparable] interface {
	field[F]
	MarshalBinary() ([]byte, error)
	UnmarshalBinary([]byte) error
	IsNegative() int
	Sqrt(x *F) int
	curve() (b F)
	inSubgroup(x, y *F) bool // of prime order, for a point of the curve
}

// fp is circl's field of G1's coordinates.
type fp struct{ ff.Fp }

func (z *fp) Add(x, y *fp)                   { z.Fp.Add(&x.Fp, &y.Fp) }
func (z *fp) Sub(x, y *fp)                   { z.Fp.Sub(&x.Fp, &y.Fp) }
func (z *fp) Mul(x, y *fp)                   { z.Fp.Mul(&x.Fp, &y.Fp) }
func (z *fp) Sqr(x *fp)                      { z.Fp.Sqr(&x.Fp) }
func (z *fp) Sqrt(x *fp) int                 { return z.Fp.Sqrt(&x.Fp) }
func (z *fp) curve() (b fp)                  { b.SetUint64(4); return b }
func (z *fp) MarshalBinary() ([]byte, error) { return z.Fp.MarshalBinary() }

// Inv is the extended Euclidean algorithm, a fifth of circl's power. Variable time.
func (z *fp) Inv(x *fp) {
	b, err := x.MarshalBinary()
	if err != nil {
		panic(fmt.Sprintf("shamir: encode a coordinate: %v", err)) // circl's fields cannot fail
	}
	var v big.Int
	if v.ModInverse(v.SetBytes(b), fpOrder) == nil {
		v.SetUint64(0) // the inverse of zero is zero, as circl has it
	}
	if err := z.UnmarshalBinary(v.FillBytes(b)); err != nil {
		panic(fmt.Sprintf("shamir: decode a coordinate: %v", err)) // it is below the order
	}
}

var fpOrder = new(big.Int).SetBytes(ff.FpOrder())

// fp2 is circl's field of G2's coordinates.
type fp2 struct{ ff.Fp2 }

func (z *fp2) Add(x, y *fp2)   { z.Fp2.Add(&x.Fp2, &y.Fp2) }
func (z *fp2) Sub(x, y *fp2)   { z.Fp2.Sub(&x.Fp2, &y.Fp2) }
func (z *fp2) Mul(x, y *fp2)   { z.Fp2.Mul(&x.Fp2, &y.Fp2) }
func (z *fp2) Sqrt(x *fp2) int { return z.Fp2.Sqrt(&x.Fp2) }
func (z *fp2) curve() (b fp2) {
	b.Fp2[0].SetUint64(4)
	b.Fp2[1].SetUint64(4)
	return b
}

// Inv is the conjugate divided by the norm. Variable time.
func (z *fp2) Inv(x *fp2) {
	var norm, square fp
	norm.Fp.Sqr(&x.Fp2[0])
	square.Fp.Sqr(&x.Fp2[1])
	norm.Add(&norm, &square)
	norm.Inv(&norm)
	z.Fp2[0].Mul(&x.Fp2[0], &norm.Fp)
	z.Fp2[1].Mul(&x.Fp2[1], &norm.Fp)
	z.Fp2[1].Neg()
}

// Sqr is (a+b)(a-b) + 2ab·u: two multiplications, where circl takes three.
func (z *fp2) Sqr(x *fp2) {
	var sum, difference, product ff.Fp
	sum.Add(&x.Fp2[0], &x.Fp2[1])
	difference.Sub(&x.Fp2[0], &x.Fp2[1])
	product.Mul(&x.Fp2[0], &x.Fp2[1])
	z.Fp2[0].Mul(&sum, &difference)
	z.Fp2[1].Add(&product, &product)
}

// blsU is -u of BLS12-381: the curve's parameter, without its sign.
const blsU = 0xd201000000010000

// inSubgroup of G1 is where φ(P) = -u²·P, for φ(x, y) = (βx, y).
// Source: Scott, eprint 2021/1130, section 6.
func (*fp) inSubgroup(x, y *fp) bool { return isG1(&g1Beta, x, y) }

func isG1(beta, x, y *fp) bool {
	var p, left, right jacobian[fp, *fp]
	p.setAffine(x, y)
	right.mulShort(blsU, &p)
	right.mulShort(blsU, &right)
	right.neg()
	var bx fp
	bx.Mul(beta, x)
	left.setAffine(&bx, y)
	return left.equal(&right)
}

// g1Beta is the cube root of one in Fp with which φ is -u² on G1.
var g1Beta = func() (beta fp) {
	var two fp
	two.SetUint64(2)
	beta.ExpVarTime(&two.Fp, exponent(3))
	x, y := affineOf[fp](bls.G1Generator().Bytes())
	if !isG1(&beta, &x, &y) {
		beta.Sqr(&beta) // the other one
	}
	return beta
}()

// inSubgroup of G2 is where ψ(P) = u·P, for the endomorphism
// ψ(x, y) = (α·x̄, β·ȳ), α = (1+i)^-((p-1)/3), β = (1+i)^-((p-1)/2), x̄ the conjugate
// of x. Source: Scott, eprint 2021/1130, section 4.
func (*fp2) inSubgroup(x, y *fp2) bool {
	var p, left, right jacobian[fp2, *fp2]
	p.setAffine(x, y)
	right.mulShort(blsU, &p)
	right.neg()
	px, py := psi(x, y)
	left.setAffine(&px, &py)
	return left.equal(&right)
}

func psi(x, y *fp2) (px, py fp2) {
	px, py = *x, *y
	px.Cjg()
	py.Cjg()
	px.Mul(&px, &psiAlpha)
	py.Mul(&py, &psiBeta)
	return px, py
}

var psiAlpha, psiBeta = psiConstant(3), psiConstant(2)

func psiConstant(divisor int64) (c fp2) {
	var xi ff.Fp2
	xi[0].SetOne()
	xi[1].SetOne()
	c.ExpVarTime(&xi, exponent(divisor))
	c.Inv(&c)
	return c
}

// g2Projector is h·(1/h mod r) for the cofactor h of G2 and the order r of the group.
// Source: Scott, eprint 2021/1130, table 1: h = (u⁸-4u⁷+5u⁶-4u⁴+6u³-4u²-4u+13)/9.
var g2Projector = func() *big.Int {
	h, u := new(big.Int), new(big.Int).Neg(new(big.Int).SetUint64(blsU))
	for _, c := range []int64{1, -4, 5, 0, -4, 6, -4, -4, 13} {
		h.Mul(h, u).Add(h, big.NewInt(c))
	}
	h.Div(h, big.NewInt(9))
	return h.Mul(h, new(big.Int).ModInverse(h, new(big.Int).SetBytes(bls.Order())))
}()

// exponent is (p-1)/divisor, big endian.
func exponent(divisor int64) []byte {
	below := new(big.Int).Sub(fpOrder, big.NewInt(1))
	return below.Div(below, big.NewInt(divisor)).Bytes()
}
