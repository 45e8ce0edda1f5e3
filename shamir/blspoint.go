package shamir

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"go.dedis.ch/kyber/v3"
)

// circlPoint is what circl's G1 and G2 have in common.
type circlPoint[C any] interface {
	*C
	SetBytes([]byte) error
	Bytes() []byte
	ScalarMult(*bls.Scalar, *C)
	Hash(input, dst []byte)
	IsIdentity() bool
}

// blsPoint is a point of G1 or G2. What is public is computed with v; secrets multiply
// circl's points, in constant time, and the pairing takes circl's.
type blsPoint[F comparable, P coordinate[F], C any, CP circlPoint[C]] struct {
	v     jacobian[F, P]
	circl *C // the same point, where it is at hand; it is never written to
	w     *work[F]
}

type (
	g1Point = blsPoint[fp, *fp, bls.G1, *bls.G1]
	g2Point = blsPoint[fp2, *fp2, bls.G2, *bls.G2]
)

var (
	g1Generator = new(g1Point).take(bls.G1Generator())
	g2Generator = new(g2Point).take(bls.G2Generator())
)

// take sets p to circl's point and keeps that.
func (p *blsPoint[F, P, C, CP]) take(c *C) *blsPoint[F, P, C, CP] {
	p.v.setIdentity()
	if !CP(c).IsIdentity() {
		x, y := affineOf[F, P](CP(c).Bytes())
		p.v.setAffine(&x, &y)
	}
	p.circl = c
	return p
}

// affineOf reads the coordinates from an uncompressed point of circl's own.
func affineOf[F comparable, P coordinate[F]](b []byte) (x, y F) {
	if err := errors.Join(P(&x).UnmarshalBinary(b[:len(b)/2]), P(&y).UnmarshalBinary(b[len(b)/2:])); err != nil {
		panic(fmt.Sprintf("shamir: a point of circl's: %v", err)) // it encodes what it decodes
	}
	return x, y
}

// forCircl is the point as circl has it. It fails outside the group, where only points
// of DecodeOnCurve can be.
func (p *blsPoint[F, P, C, CP]) forCircl() (*C, error) {
	if p.circl != nil {
		return p.circl, nil
	}
	c := new(C)
	if err := CP(c).SetBytes(p.expanded()); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrEncoding)
	}
	return c, nil
}

// settle keeps what forCircl gives, for a point that is paired often.
func (p *blsPoint[F, P, C, CP]) settle() (err error) {
	p.circl, err = p.forCircl()
	return err
}

func (p *blsPoint[F, P, C, CP]) at(q kyber.Point) *blsPoint[F, P, C, CP] {
	return q.(*blsPoint[F, P, C, CP])
}

// set makes p the result of a computation.
func (p *blsPoint[F, P, C, CP]) set(v *jacobian[F, P]) kyber.Point {
	p.v, p.circl = *v, nil
	return p
}

// scratch is p's own: nobody computes into one point from two sides.
func (p *blsPoint[F, P, C, CP]) scratch() *work[F] {
	if p.w == nil {
		p.w = &work[F]{}
	}
	return p.w
}

func (p *blsPoint[F, P, C, CP]) generator() *blsPoint[F, P, C, CP] {
	switch any(p).(type) {
	case *g1Point:
		return any(g1Generator).(*blsPoint[F, P, C, CP])
	case *g2Point:
		return any(g2Generator).(*blsPoint[F, P, C, CP])
	default:
		panic(fmt.Sprintf("shamir: no generator for %T", p)) // only these two are instantiated
	}
}

// Flags in the first byte of an encoding, as ZCash has them.
const (
	flagCompressed = 0x80
	flagInfinity   = 0x40
	flagNegative   = 0x20
	flags          = flagCompressed | flagInfinity | flagNegative
)

var errCoordinates = errors.New("no point of the group")

// size is the length of the compressed form, half of the other.
func (p *blsPoint[F, P, C, CP]) size() int {
	if _, ok := any(p).(*g1Point); ok {
		return bls.G1SizeCompressed
	}
	return bls.G2SizeCompressed
}

// UnmarshalBinary reads the compressed form, the identity included, and checks the
// range of the coordinate, the curve and the subgroup.
func (p *blsPoint[F, P, C, CP]) UnmarshalBinary(b []byte) error {
	if err := p.setOnCurve(b); err != nil {
		return err
	}
	if !p.inGroup() {
		return errCoordinates
	}
	return nil
}

// inGroup says whether a point of the curve is in the group.
func (p *blsPoint[F, P, C, CP]) inGroup() bool {
	if p.v.isIdentity() {
		return true
	}
	x, y := p.affine()
	return P(&x).inSubgroup(&x, &y)
}

// setOnCurve is UnmarshalBinary without the check of the subgroup.
func (p *blsPoint[F, P, C, CP]) setOnCurve(b []byte) error {
	if len(b) != p.size() || b[0]&flagCompressed == 0 {
		return fmt.Errorf("compressed point of %d bytes expected: %w", p.size(), ErrEncoding)
	}
	if b[0]&flagInfinity != 0 {
		return p.setInfinity(b, flagCompressed|flagInfinity)
	}
	var x, y, square F
	if err := P(&x).UnmarshalBinary(append([]byte{b[0] &^ flags}, b[1:]...)); err != nil {
		return err
	}
	curveAt[F, P](&square, &x)
	if P(&y).Sqrt(&square) == 0 {
		return errCoordinates
	}
	if (P(&y).IsNegative() == 1) != (b[0]&flagNegative != 0) {
		P(&y).Neg()
	}
	p.circl = nil
	p.v.setAffine(&x, &y)
	return nil
}

// setExpanded reads the form with both coordinates, and checks as setOnCurve does.
func (p *blsPoint[F, P, C, CP]) setExpanded(b []byte) error {
	if len(b) != 2*p.size() || b[0]&(flagCompressed|flagNegative) != 0 {
		return errCoordinates
	}
	if b[0]&flagInfinity != 0 {
		return p.setInfinity(b, flagInfinity)
	}
	var x, y, left, right F
	if err := P(&x).UnmarshalBinary(b[:p.size()]); err != nil {
		return err
	}
	if err := P(&y).UnmarshalBinary(b[p.size():]); err != nil {
		return err
	}
	P(&left).Sqr(&y)
	if curveAt[F, P](&right, &x); left != right {
		return errCoordinates
	}
	p.circl = nil
	p.v.setAffine(&x, &y)
	return nil
}

// curveAt sets square to x³ + b.
func curveAt[F comparable, P coordinate[F]](square, x *F) {
	b := P(x).curve()
	P(square).Sqr(x)
	P(square).Mul(square, x)
	P(square).Add(square, &b)
}

func (p *blsPoint[F, P, C, CP]) setInfinity(b []byte, first byte) error {
	for i, v := range b {
		if v != first && i == 0 || v != 0 && i > 0 {
			return errCoordinates
		}
	}
	p.Null()
	return nil
}

// affine are the coordinates of a point that is not the identity.
func (p *blsPoint[F, P, C, CP]) affine() (x, y F) {
	if p.v.affine {
		return p.v.x, p.v.y
	}
	v := p.v
	normalize([]*jacobian[F, P]{&v})
	return v.x, v.y
}

func (p *blsPoint[F, P, C, CP]) MarshalBinary() ([]byte, error) {
	if p.v.isIdentity() {
		b := make([]byte, p.size())
		b[0] = flagCompressed | flagInfinity
		return b, nil
	}
	x, y := p.affine()
	b, err := P(&x).MarshalBinary()
	if err != nil {
		return nil, err
	}
	if b[0] |= flagCompressed; P(&y).IsNegative() == 1 {
		b[0] |= flagNegative
	}
	return b, nil
}

// expanded is the form that setExpanded reads.
func (p *blsPoint[F, P, C, CP]) expanded() []byte {
	if p.v.isIdentity() {
		b := make([]byte, 2*p.size())
		b[0] = flagInfinity
		return b
	}
	x, y := p.affine()
	bx, errX := P(&x).MarshalBinary()
	by, errY := P(&y).MarshalBinary()
	if err := errors.Join(errX, errY); err != nil {
		panic(fmt.Sprintf("shamir: encode a coordinate: %v", err)) // circl's fields cannot fail
	}
	return append(bx, by...)
}

func (p *blsPoint[F, P, C, CP]) String() string                     { return fmt.Sprintf("%x", Encode(p)) }
func (p *blsPoint[F, P, C, CP]) MarshalSize() int                   { return p.size() }
func (p *blsPoint[F, P, C, CP]) MarshalTo(w io.Writer) (int, error) { return w.Write(Encode(p)) }
func (p *blsPoint[F, P, C, CP]) UnmarshalFrom(r io.Reader) (int, error) {
	return readInto(r, p.size(), p.UnmarshalBinary)
}

func (p *blsPoint[F, P, C, CP]) Equal(q kyber.Point) bool { return p.v.equal(&p.at(q).v) }
func (p *blsPoint[F, P, C, CP]) Null() kyber.Point        { return p.set(&jacobian[F, P]{}) }
func (p *blsPoint[F, P, C, CP]) Base() kyber.Point        { return p.Set(p.generator()) }
func (p *blsPoint[F, P, C, CP]) Clone() kyber.Point       { return new(blsPoint[F, P, C, CP]).Set(p) }
func (p *blsPoint[F, P, C, CP]) Set(q kyber.Point) kyber.Point {
	p.v, p.circl = p.at(q).v, p.at(q).circl
	return p
}

func (p *blsPoint[F, P, C, CP]) Neg(a kyber.Point) kyber.Point {
	v := p.at(a).v
	v.neg()
	return p.set(&v)
}

// Add doubles when both operands are one and the same object: the formula for
// doubling takes half the time.
func (p *blsPoint[F, P, C, CP]) Add(a, b kyber.Point) kyber.Point {
	p.circl = nil
	if a == b {
		p.v = p.at(a).v
		p.v.double(p.scratch())
	} else {
		p.v.add(p.scratch(), &p.at(a).v, &p.at(b).v)
	}
	return p
}

func (p *blsPoint[F, P, C, CP]) Sub(a, b kyber.Point) kyber.Point {
	minus := p.at(b).v
	minus.neg()
	p.circl = nil
	p.v.add(p.scratch(), &p.at(a).v, &minus)
	return p
}

// Mul is of constant time: circl's, or for the generator of G2 that of mulGenerator.
func (p *blsPoint[F, P, C, CP]) Mul(s kyber.Scalar, q kyber.Point) kyber.Point {
	if g2, ok := any(p).(*g2Point); ok && q == nil {
		v := mulGenerator(bs(s))
		return g2.set(&v)
	}
	from := p.generator()
	if q != nil {
		from = p.at(q)
	}
	base, err := from.forCircl()
	if err != nil {
		panic(fmt.Sprintf("shamir: multiply a point outside the group: %v", err)) // nobody does
	}
	c := new(C)
	CP(c).ScalarMult(bs(s), base)
	return p.take(c)
}

func (p *blsPoint[F, P, C, CP]) Pick(stream cipher.Stream) kyber.Point {
	b, c := streamBytes(stream), new(C)
	CP(c).Hash(b[:], []byte("ATELIER-V1-PICK"))
	return p.take(c)
}

func (p *blsPoint[F, P, C, CP]) EmbedLen() int                               { return 0 }
func (p *blsPoint[F, P, C, CP]) Embed(_ []byte, r cipher.Stream) kyber.Point { return p.Pick(r) }
func (p *blsPoint[F, P, C, CP]) Data() ([]byte, error)                       { return nil, errNoEmbedding }
