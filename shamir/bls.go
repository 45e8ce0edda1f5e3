package shamir

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"go.dedis.ch/kyber/v3"
)

// HashToG1 is hash_to_curve of RFC 9380 (suite XMD:SHA-256_SSWU_RO) with the
// domain separation tag dst.
func HashToG1(dst string, msg []byte) kyber.Point {
	v := &bls.G1{}
	v.Hash(msg, []byte(dst))
	return new(g1Point).take(v)
}

// VerifyPairing checks that sig = y·h for the y of public = y·G2, by
// e(h, public) = e(sig, G2). h and sig are points of G1, public one of G2. It
// refuses the identity in every place, with which the equation says nothing, and points
// of DecodeOnCurve that are not in the group.
func VerifyPairing(public, h, sig kyber.Point) error {
	y, m, s := public.(*g2Point), h.(*g1Point), sig.(*g1Point)
	if y.v.isIdentity() || m.v.isIdentity() || s.v.isIdentity() {
		return fmt.Errorf("verify signature: %w", ErrIdentity)
	}
	yc, errY := y.forCircl()
	mc, errM := m.forCircl()
	sc, errS := s.forCircl()
	if err := errors.Join(errY, errM, errS); err != nil {
		return fmt.Errorf("verify signature: %w", err)
	}
	e := bls.ProdPairFrac([]*bls.G1{mc, sc}, []*bls.G2{yc, bls.G2Generator()}, []int{1, -1})
	if !e.IsIdentity() {
		return fmt.Errorf("verify signature: %w", ErrProof)
	}
	return nil
}

// DecodeOnCurve is DecodePoint of G1 without the check that the point is in the group:
// half the time, for signatures of which only VerifyPairing's answer about them, or about
// what they combine to, counts. Such a point must not be multiplied by a secret.
func DecodeOnCurve(b []byte) (kyber.Point, error) {
	p := &g1Point{}
	if err := p.setOnCurve(b); err != nil {
		return nil, fmt.Errorf("%s point: %w: %w", G1, err, ErrEncoding)
	}
	if p.v.isIdentity() {
		return nil, fmt.Errorf("%s point: %w", G1, ErrIdentity)
	}
	return p, nil
}

type g1Group struct{}

func (g1Group) String() string                       { return "bls12381-g1" }
func (g1Group) ScalarLen() int                       { return bls.ScalarSize }
func (g1Group) PointLen() int                        { return bls.G1SizeCompressed }
func (g1Group) Scalar() kyber.Scalar                 { return &blsScalar{} }
func (g1Group) Point() kyber.Point                   { return &g1Point{} }
func (g1Group) ReduceScalar(b [64]byte) kyber.Scalar { return reduceBLS(b) }
func (g1Group) MultiMul(s []kyber.Scalar, p []kyber.Point) kyber.Point {
	return multiMul[fp, *fp, bls.G1, *bls.G1](G1, s, p)
}
func (g1Group) addAll(sum, a, b []kyber.Point, minus bool) {
	addRow[fp, *fp, bls.G1, *bls.G1](sum, a, b, minus)
}
func (g1Group) normalize(row []kyber.Point) { normalizeRow[fp, *fp, bls.G1, *bls.G1](row) }

type g2Group struct{}

func (g2Group) String() string                       { return "bls12381-g2" }
func (g2Group) ScalarLen() int                       { return bls.ScalarSize }
func (g2Group) PointLen() int                        { return bls.G2SizeCompressed }
func (g2Group) Scalar() kyber.Scalar                 { return &blsScalar{} }
func (g2Group) Point() kyber.Point                   { return &g2Point{} }
func (g2Group) ReduceScalar(b [64]byte) kyber.Scalar { return reduceBLS(b) }
func (g2Group) MultiMul(s []kyber.Scalar, p []kyber.Point) kyber.Point {
	return multiMul[fp2, *fp2, bls.G2, *bls.G2](G2, s, p)
}
func (g2Group) addAll(sum, a, b []kyber.Point, minus bool) {
	addRow[fp2, *fp2, bls.G2, *bls.G2](sum, a, b, minus)
}
func (g2Group) normalize(row []kyber.Point) { normalizeRow[fp2, *fp2, bls.G2, *bls.G2](row) }

func (g2Group) expandedLen() int { return bls.G2Size }

func (g2Group) expand(p kyber.Point) []byte { return p.(*g2Point).expanded() }

func (g g2Group) decodeExpanded(b []byte) (kyber.Point, error) {
	p := &g2Point{}
	if err := p.setExpanded(b); err != nil {
		return nil, fmt.Errorf("%s point, uncompressed form expected: %w: %w", g, err, ErrEncoding)
	}
	if p.v.isIdentity() {
		return nil, fmt.Errorf("%s point: %w", g, ErrIdentity)
	}
	return p, nil
}

func (g2Group) contains(p kyber.Point) bool { return p.(*g2Point).inGroup() }

// project multiplies with an integer that is one modulo the order of the group and zero
// modulo the cofactor, unless the point is in the group, which takes a twentieth of that.
func (g g2Group) project(p kyber.Point) kyber.Point {
	if g.contains(p) {
		return p
	}
	var out jacobian[fp2, *fp2]
	out.mulBits(g2Projector.BitLen(), func(bit int) bool { return g2Projector.Bit(bit) == 1 }, &p.(*g2Point).v)
	return new(g2Point).set(&out)
}

// reduceBLS reads b as a big-endian integer, one 64-bit digit at a time, with
// field arithmetic only: circl's own SetBytes divides with math/big.
func reduceBLS(b [64]byte) kyber.Scalar {
	var base, digit bls.Scalar
	base.SetUint64(1 << 32)
	base.Sqr(&base)
	s := &blsScalar{}
	for i := 0; i < len(b); i += 8 {
		digit.SetUint64(binary.BigEndian.Uint64(b[i:]))
		s.v.Mul(&s.v, &base)
		s.v.Add(&s.v, &digit)
	}
	return s
}

// blsScalar is an integer modulo the order of the BLS12-381 groups, encoded in
// 32 big-endian bytes.
type blsScalar struct{ v bls.Scalar }

func bs(s kyber.Scalar) *bls.Scalar { return &s.(*blsScalar).v }

func (s *blsScalar) MarshalBinary() ([]byte, error) { return s.v.MarshalBinary() }

func (s *blsScalar) UnmarshalBinary(b []byte) error {
	if len(b) != bls.ScalarSize {
		return fmt.Errorf("scalar of %d bytes: %w", len(b), ErrEncoding)
	}
	return s.v.UnmarshalBinary(b)
}

// String hides the value: most scalars are secrets.
func (s *blsScalar) String() string                     { return "scalar(redacted)" }
func (s *blsScalar) Format(f fmt.State, _ rune)         { io.WriteString(f, s.String()) }
func (s *blsScalar) MarshalSize() int                   { return bls.ScalarSize }
func (s *blsScalar) MarshalTo(w io.Writer) (int, error) { return w.Write(Encode(s)) }
func (s *blsScalar) UnmarshalFrom(r io.Reader) (int, error) {
	return readInto(r, bls.ScalarSize, s.UnmarshalBinary)
}
func (s *blsScalar) Equal(a kyber.Scalar) bool          { return s.v.IsEqual(bs(a)) == 1 }
func (s *blsScalar) Set(a kyber.Scalar) kyber.Scalar    { s.v.Set(bs(a)); return s }
func (s *blsScalar) Clone() kyber.Scalar                { c := *s; return &c }
func (s *blsScalar) Zero() kyber.Scalar                 { s.v.SetUint64(0); return s }
func (s *blsScalar) One() kyber.Scalar                  { s.v.SetOne(); return s }
func (s *blsScalar) Add(a, b kyber.Scalar) kyber.Scalar { s.v.Add(bs(a), bs(b)); return s }
func (s *blsScalar) Sub(a, b kyber.Scalar) kyber.Scalar { s.v.Sub(bs(a), bs(b)); return s }
func (s *blsScalar) Neg(a kyber.Scalar) kyber.Scalar    { s.v.Set(bs(a)); s.v.Neg(); return s }
func (s *blsScalar) Mul(a, b kyber.Scalar) kyber.Scalar { s.v.Mul(bs(a), bs(b)); return s }
func (s *blsScalar) Inv(a kyber.Scalar) kyber.Scalar    { s.v.Inv(bs(a)); return s }

func (s *blsScalar) Div(a, b kyber.Scalar) kyber.Scalar {
	var inv bls.Scalar
	inv.Inv(bs(b))
	s.v.Mul(bs(a), &inv)
	return s
}

func (s *blsScalar) SetInt64(v int64) kyber.Scalar {
	s.v.SetUint64(magnitude(v))
	if v < 0 {
		s.v.Neg()
	}
	return s
}

func (s *blsScalar) Pick(stream cipher.Stream) kyber.Scalar {
	*s = *reduceBLS(streamBytes(stream)).(*blsScalar)
	return s
}

// SetBytes reads b as a big-endian integer and reduces it. Bytes after the 64th
// are ignored.
func (s *blsScalar) SetBytes(b []byte) kyber.Scalar {
	var wide [64]byte
	if len(b) > len(wide) {
		b = b[:len(wide)]
	}
	copy(wide[len(wide)-len(b):], b)
	*s = *reduceBLS(wide).(*blsScalar)
	return s
}
