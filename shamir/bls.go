package shamir

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"go.dedis.ch/kyber/v3"
)

// HashToG1 is hash_to_curve of RFC 9380 (suite XMD:SHA-256_SSWU_RO) with the
// domain separation tag dst.
func HashToG1(dst string, msg []byte) kyber.Point {
	p := &blsPoint[bls.G1, *bls.G1]{}
	p.v.Hash(msg, []byte(dst))
	return p
}

// VerifyPairing checks that sig = y·h for the y of public = y·G2, by
// e(h, public) = e(sig, G2). h and sig are points of G1, public one of G2. It
// refuses the identity in every place: with it the equation says nothing.
func VerifyPairing(public, h, sig kyber.Point) error {
	y := &public.(*blsPoint[bls.G2, *bls.G2]).v
	m := &h.(*blsPoint[bls.G1, *bls.G1]).v
	s := &sig.(*blsPoint[bls.G1, *bls.G1]).v
	if y.IsIdentity() || m.IsIdentity() || s.IsIdentity() {
		return fmt.Errorf("verify signature: %w", ErrIdentity)
	}
	e := bls.ProdPairFrac([]*bls.G1{m, s}, []*bls.G2{y, bls.G2Generator()}, []int{1, -1})
	if !e.IsIdentity() {
		return fmt.Errorf("verify signature: %w", ErrProof)
	}
	return nil
}

type g1Group struct{}

func (g1Group) String() string                       { return "bls12381-g1" }
func (g1Group) ScalarLen() int                       { return bls.ScalarSize }
func (g1Group) PointLen() int                        { return bls.G1SizeCompressed }
func (g1Group) Scalar() kyber.Scalar                 { return &blsScalar{} }
func (g1Group) Point() kyber.Point                   { return newBLSPoint[bls.G1]() }
func (g1Group) ReduceScalar(b [64]byte) kyber.Scalar { return reduceBLS(b) }
func (g1Group) MultiMul(s []kyber.Scalar, p []kyber.Point) kyber.Point {
	return multiMul[bls.G1](s, p)
}

type g2Group struct{}

func (g2Group) String() string                       { return "bls12381-g2" }
func (g2Group) ScalarLen() int                       { return bls.ScalarSize }
func (g2Group) PointLen() int                        { return bls.G2SizeCompressed }
func (g2Group) Scalar() kyber.Scalar                 { return &blsScalar{} }
func (g2Group) Point() kyber.Point                   { return newBLSPoint[bls.G2]() }
func (g2Group) ReduceScalar(b [64]byte) kyber.Scalar { return reduceBLS(b) }
func (g2Group) MultiMul(s []kyber.Scalar, p []kyber.Point) kyber.Point {
	return multiMul[bls.G2](s, p)
}

func (g2Group) expandedLen() int { return bls.G2Size }

func (g2Group) expand(p kyber.Point) []byte { return p.(*blsPoint[bls.G2, *bls.G2]).v.Bytes() }

func (g g2Group) decodeExpanded(b []byte) (kyber.Point, error) {
	if len(b) != bls.G2Size || b[0]&0x80 != 0 {
		return nil, fmt.Errorf("%s point, uncompressed form expected: %w", g, ErrEncoding)
	}
	p := newBLSPoint[bls.G2]()
	if err := p.v.SetBytes(b); err != nil {
		return nil, fmt.Errorf("%s point: %w: %w", g, err, ErrEncoding)
	}
	if p.v.IsIdentity() {
		return nil, fmt.Errorf("%s point: %w", g, ErrIdentity)
	}
	return p, nil
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

// curve is what circl's G1 and G2 have in common.
type curve[T any] interface {
	*T
	Add(a, b *T)
	Double()
	Neg()
	SetIdentity()
	IsEqual(*T) bool
	SetBytes([]byte) error
	BytesCompressed() []byte
	ScalarMult(*bls.Scalar, *T)
	Hash(input, dst []byte)
}

// blsPoint is a point of G1 or G2.
type blsPoint[T any, P curve[T]] struct{ v T }

func newBLSPoint[T any, P curve[T]]() *blsPoint[T, P] {
	p := &blsPoint[T, P]{}
	P(&p.v).SetIdentity()
	return p
}

func (p *blsPoint[T, P]) at(q kyber.Point) *T { return &q.(*blsPoint[T, P]).v }

func (p *blsPoint[T, P]) size() int {
	if _, ok := any(&p.v).(*bls.G1); ok {
		return bls.G1SizeCompressed
	}
	return bls.G2SizeCompressed
}

func (p *blsPoint[T, P]) generator() *T {
	switch v := any(&p.v).(type) {
	case *bls.G1:
		return any(bls.G1Generator()).(*T)
	case *bls.G2:
		return any(bls.G2Generator()).(*T)
	default:
		panic(fmt.Sprintf("shamir: no generator for %T", v)) // only these two are instantiated
	}
}

func (p *blsPoint[T, P]) MarshalBinary() ([]byte, error) { return P(&p.v).BytesCompressed(), nil }

// UnmarshalBinary reads a compressed point of the right subgroup. circl checks
// the range of the coordinate, the curve and the subgroup; the uncompressed
// form, which it reads too, is refused here.
func (p *blsPoint[T, P]) UnmarshalBinary(b []byte) error {
	if len(b) != p.size() || b[0]&0x80 == 0 {
		return fmt.Errorf("compressed point of %d bytes expected: %w", p.size(), ErrEncoding)
	}
	return P(&p.v).SetBytes(b)
}

func (p *blsPoint[T, P]) String() string   { return fmt.Sprintf("%x", P(&p.v).BytesCompressed()) }
func (p *blsPoint[T, P]) MarshalSize() int { return p.size() }
func (p *blsPoint[T, P]) MarshalTo(w io.Writer) (int, error) {
	return w.Write(P(&p.v).BytesCompressed())
}
func (p *blsPoint[T, P]) UnmarshalFrom(r io.Reader) (int, error) {
	return readInto(r, p.size(), p.UnmarshalBinary)
}
func (p *blsPoint[T, P]) Equal(q kyber.Point) bool      { return P(&p.v).IsEqual(p.at(q)) }
func (p *blsPoint[T, P]) Null() kyber.Point             { P(&p.v).SetIdentity(); return p }
func (p *blsPoint[T, P]) Base() kyber.Point             { p.v = *p.generator(); return p }
func (p *blsPoint[T, P]) Set(q kyber.Point) kyber.Point { p.v = *p.at(q); return p }
func (p *blsPoint[T, P]) Clone() kyber.Point            { c := *p; return &c }
func (p *blsPoint[T, P]) Neg(a kyber.Point) kyber.Point { p.v = *p.at(a); P(&p.v).Neg(); return p }

// Add doubles when both operands are one and the same object: the formula for
// doubling takes half the time.
func (p *blsPoint[T, P]) Add(a, b kyber.Point) kyber.Point {
	if a == b {
		p.v = *p.at(a)
		P(&p.v).Double()
	} else {
		P(&p.v).Add(p.at(a), p.at(b))
	}
	return p
}

func (p *blsPoint[T, P]) Sub(a, b kyber.Point) kyber.Point {
	neg := *p.at(b)
	P(&neg).Neg()
	P(&p.v).Add(p.at(a), &neg)
	return p
}

func (p *blsPoint[T, P]) Mul(s kyber.Scalar, q kyber.Point) kyber.Point {
	if q == nil {
		P(&p.v).ScalarMult(bs(s), p.generator())
	} else {
		P(&p.v).ScalarMult(bs(s), p.at(q))
	}
	return p
}

func (p *blsPoint[T, P]) Pick(stream cipher.Stream) kyber.Point {
	b := streamBytes(stream)
	P(&p.v).Hash(b[:], []byte("ATELIER-V1-PICK"))
	return p
}

func (p *blsPoint[T, P]) EmbedLen() int                               { return 0 }
func (p *blsPoint[T, P]) Embed(_ []byte, r cipher.Stream) kyber.Point { return p.Pick(r) }
func (p *blsPoint[T, P]) Data() ([]byte, error)                       { return nil, errNoEmbedding }

// multiMul sums scalars times points with one chain of doublings for all of them,
// the scalars in signed digits (width-5 NAF): 8 precomputed odd multiples and
// about 43 additions per point. For up to 128 points that beats sorting into
// buckets. Variable time.
func multiMul[T any, P curve[T]](scalars []kyber.Scalar, points []kyber.Point) kyber.Point {
	sum := newBLSPoint[T, P]()
	digits := make([][nafLen]int8, len(scalars))
	odd := make([][8]T, len(scalars)) // 1, 3, …, 15 times each point
	for i, s := range scalars {
		digits[i] = nonAdjacent([bls.ScalarSize]byte(Encode(s)))
		odd[i][0] = points[i].(*blsPoint[T, P]).v
		twice := odd[i][0]
		P(&twice).Double()
		for k := 1; k < len(odd[i]); k++ {
			P(&odd[i][k]).Add(&odd[i][k-1], &twice)
		}
	}
	acc := P(&sum.v)
	for bit, begun := nafLen-1, false; bit >= 0; bit-- {
		if begun {
			acc.Double()
		}
		for i := range digits {
			d := digits[i][bit]
			if d == 0 {
				continue
			}
			begun = true
			if d > 0 {
				acc.Add(&sum.v, &odd[i][d/2])
			} else {
				minus := odd[i][-d/2]
				P(&minus).Neg()
				acc.Add(&sum.v, &minus)
			}
		}
	}
	return sum
}

// nafLen is the number of digits of a scalar below 2^255 in signed form.
const nafLen = 8 * bls.ScalarSize

// nonAdjacent writes the big-endian integer b as Σ d_k·2^k with digits that are
// zero or odd between -15 and 15, of which one in five consecutive is not zero.
func nonAdjacent(b [bls.ScalarSize]byte) (d [nafLen]int8) {
	var limb [bls.ScalarSize/8 + 1]uint64 // little endian, with room to look ahead
	for i := range len(limb) - 1 {
		limb[i] = binary.BigEndian.Uint64(b[bls.ScalarSize-8*(i+1):])
	}
	carry := uint64(0)
	for k := 0; k < nafLen; {
		bits := limb[k/64] >> (k % 64)
		if k%64 > 64-5 {
			bits |= limb[k/64+1] << (64 - k%64)
		}
		window := carry + bits&31
		if window&1 == 0 {
			k++
			continue
		}
		carry = window >> 4 & 1 // 16 and more become negative
		d[k] = int8(window) - int8(carry<<5)
		k += 5
	}
	return d
}
