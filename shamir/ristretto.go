package shamir

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"io"

	"github.com/gtank/ristretto255"
	"go.dedis.ch/kyber/v3"
)

type ristrettoGroup struct{}

func (ristrettoGroup) String() string       { return "ristretto255" }
func (ristrettoGroup) ScalarLen() int       { return 32 }
func (ristrettoGroup) PointLen() int        { return 32 }
func (ristrettoGroup) Scalar() kyber.Scalar { return &ristrettoScalar{} }
func (ristrettoGroup) Point() kyber.Point   { return newRistrettoPoint() }

func (ristrettoGroup) ReduceScalar(b [64]byte) kyber.Scalar {
	s := &ristrettoScalar{}
	if _, err := s.v.SetUniformBytes(b[:]); err != nil {
		panic(fmt.Sprintf("shamir: 64 bytes refused: %v", err)) // the length is ours
	}
	return s
}

// MulAdd is a·p + b·q over Ristretto255, in constant time and less than two
// multiplications take.
func MulAdd(a kyber.Scalar, p kyber.Point, b kyber.Scalar, q kyber.Point) kyber.Point {
	sum := newRistrettoPoint()
	sum.v.MultiScalarMult([]*ristretto255.Scalar{rs(a), rs(b)}, []*ristretto255.Element{rp(p), rp(q)})
	return sum
}

func (g ristrettoGroup) MultiMul(scalars []kyber.Scalar, points []kyber.Point) kyber.Point {
	ints, length := integers(g, scalars)
	if width := bucketWidth(g, len(points), length); width > 0 {
		return bucketMul(g, ints, length, width, rowsOfOne(points))[0]
	}
	ss := make([]*ristretto255.Scalar, len(scalars))
	ps := make([]*ristretto255.Element, len(points))
	for i := range scalars {
		ss[i], ps[i] = &scalars[i].(*ristrettoScalar).v, &points[i].(*ristrettoPoint).v
	}
	p := newRistrettoPoint()
	if len(ps) == 2 && ps[1].Equal(ristrettoGenerator) == 1 {
		ss[0], ss[1], ps[0], ps[1] = ss[1], ss[0], ps[1], ps[0]
	}
	if len(ps) == 2 && ps[0].Equal(ristrettoGenerator) == 1 { // whose multiples are at hand
		p.v.VarTimeDoubleScalarBaseMult(ss[1], ps[1], ss[0])
	} else {
		p.v.VarTimeMultiScalarMult(ss, ps)
	}
	return p
}

var ristrettoGenerator = ristretto255.NewGeneratorElement()

// ristrettoScalar is an integer modulo the order of ristretto255, encoded in 32
// little-endian bytes.
type ristrettoScalar struct{ v ristretto255.Scalar }

func rs(s kyber.Scalar) *ristretto255.Scalar { return &s.(*ristrettoScalar).v }

func (s *ristrettoScalar) MarshalBinary() ([]byte, error) { return s.v.Bytes(), nil }

func (s *ristrettoScalar) UnmarshalBinary(b []byte) error {
	_, err := s.v.SetCanonicalBytes(b)
	return err
}

// String hides the value: most scalars are secrets.
func (s *ristrettoScalar) String() string                     { return "scalar(redacted)" }
func (s *ristrettoScalar) Format(f fmt.State, _ rune)         { io.WriteString(f, s.String()) }
func (s *ristrettoScalar) MarshalSize() int                   { return 32 }
func (s *ristrettoScalar) MarshalTo(w io.Writer) (int, error) { return w.Write(s.v.Bytes()) }
func (s *ristrettoScalar) UnmarshalFrom(r io.Reader) (int, error) {
	return readInto(r, 32, s.UnmarshalBinary)
}
func (s *ristrettoScalar) Equal(a kyber.Scalar) bool          { return s.v.Equal(rs(a)) == 1 }
func (s *ristrettoScalar) Set(a kyber.Scalar) kyber.Scalar    { s.v.Set(rs(a)); return s }
func (s *ristrettoScalar) Clone() kyber.Scalar                { c := *s; return &c }
func (s *ristrettoScalar) Zero() kyber.Scalar                 { s.v.Zero(); return s }
func (s *ristrettoScalar) One() kyber.Scalar                  { return s.SetInt64(1) }
func (s *ristrettoScalar) Add(a, b kyber.Scalar) kyber.Scalar { s.v.Add(rs(a), rs(b)); return s }
func (s *ristrettoScalar) Sub(a, b kyber.Scalar) kyber.Scalar { s.v.Subtract(rs(a), rs(b)); return s }
func (s *ristrettoScalar) Neg(a kyber.Scalar) kyber.Scalar    { s.v.Negate(rs(a)); return s }
func (s *ristrettoScalar) Mul(a, b kyber.Scalar) kyber.Scalar { s.v.Multiply(rs(a), rs(b)); return s }
func (s *ristrettoScalar) Inv(a kyber.Scalar) kyber.Scalar    { s.v.Invert(rs(a)); return s }

func (s *ristrettoScalar) Div(a, b kyber.Scalar) kyber.Scalar {
	var inv ristretto255.Scalar
	inv.Invert(rs(b))
	s.v.Multiply(rs(a), &inv)
	return s
}

func (s *ristrettoScalar) SetInt64(v int64) kyber.Scalar {
	var b [32]byte
	m := magnitude(v)
	for i := range 8 {
		b[i] = byte(m >> (8 * i))
	}
	if _, err := s.v.SetCanonicalBytes(b[:]); err != nil {
		panic(fmt.Sprintf("shamir: 64-bit integer refused: %v", err)) // it is below the order
	}
	if v < 0 {
		s.v.Negate(&s.v)
	}
	return s
}

func (s *ristrettoScalar) Pick(stream cipher.Stream) kyber.Scalar {
	*s = *Ristretto255.ReduceScalar(streamBytes(stream)).(*ristrettoScalar)
	return s
}

// SetBytes reads b as a little-endian integer and reduces it. Bytes after the
// 64th are ignored.
func (s *ristrettoScalar) SetBytes(b []byte) kyber.Scalar {
	var wide [64]byte
	copy(wide[:], b)
	*s = *Ristretto255.ReduceScalar(wide).(*ristrettoScalar)
	return s
}

type ristrettoPoint struct{ v ristretto255.Element }

func newRistrettoPoint() *ristrettoPoint {
	p := &ristrettoPoint{}
	p.v.Set(ristretto255.NewIdentityElement())
	return p
}

func rp(p kyber.Point) *ristretto255.Element { return &p.(*ristrettoPoint).v }

func (p *ristrettoPoint) MarshalBinary() ([]byte, error) { return p.v.Bytes(), nil }

func (p *ristrettoPoint) UnmarshalBinary(b []byte) error {
	_, err := p.v.SetCanonicalBytes(b)
	return err
}

func (p *ristrettoPoint) String() string                     { return fmt.Sprintf("%x", p.v.Bytes()) }
func (p *ristrettoPoint) MarshalSize() int                   { return 32 }
func (p *ristrettoPoint) MarshalTo(w io.Writer) (int, error) { return w.Write(p.v.Bytes()) }
func (p *ristrettoPoint) UnmarshalFrom(r io.Reader) (int, error) {
	return readInto(r, 32, p.UnmarshalBinary)
}
func (p *ristrettoPoint) Equal(q kyber.Point) bool         { return p.v.Equal(rp(q)) == 1 }
func (p *ristrettoPoint) Null() kyber.Point                { p.v.Set(ristretto255.NewIdentityElement()); return p }
func (p *ristrettoPoint) Base() kyber.Point                { p.v.Set(ristretto255.NewGeneratorElement()); return p }
func (p *ristrettoPoint) Set(q kyber.Point) kyber.Point    { p.v.Set(rp(q)); return p }
func (p *ristrettoPoint) Clone() kyber.Point               { c := &ristrettoPoint{}; c.v.Set(&p.v); return c }
func (p *ristrettoPoint) Add(a, b kyber.Point) kyber.Point { p.v.Add(rp(a), rp(b)); return p }
func (p *ristrettoPoint) Sub(a, b kyber.Point) kyber.Point { p.v.Subtract(rp(a), rp(b)); return p }
func (p *ristrettoPoint) Neg(a kyber.Point) kyber.Point    { p.v.Negate(rp(a)); return p }

func (p *ristrettoPoint) Mul(s kyber.Scalar, q kyber.Point) kyber.Point {
	if q == nil {
		p.v.ScalarBaseMult(rs(s))
	} else {
		p.v.ScalarMult(rs(s), rp(q))
	}
	return p
}

func (p *ristrettoPoint) Pick(stream cipher.Stream) kyber.Point {
	b := streamBytes(stream)
	if _, err := p.v.SetUniformBytes(b[:]); err != nil {
		panic(fmt.Sprintf("shamir: 64 bytes refused: %v", err)) // the length is ours
	}
	return p
}

// Embedding data in a point is not defined for these groups, and nothing here
// needs it: EmbedLen is 0, Embed picks a point, Data fails.
func (p *ristrettoPoint) EmbedLen() int                               { return 0 }
func (p *ristrettoPoint) Embed(_ []byte, r cipher.Stream) kyber.Point { return p.Pick(r) }
func (p *ristrettoPoint) Data() ([]byte, error)                       { return nil, errNoEmbedding }

var errNoEmbedding = errors.New("group embeds no data")

func streamBytes(stream cipher.Stream) (b [64]byte) {
	stream.XORKeyStream(b[:], b[:])
	return b
}

func readInto(r io.Reader, size int, decode func([]byte) error) (int, error) {
	b := make([]byte, size)
	n, err := io.ReadFull(r, b)
	if err != nil {
		return n, err
	}
	return n, decode(b)
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return uint64(-(v + 1)) + 1
	}
	return uint64(v)
}
