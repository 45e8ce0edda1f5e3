package shamir

import (
	"errors"
	"fmt"

	"go.dedis.ch/kyber/v3"
)

var (
	// ErrEncoding reports bytes that are not the canonical form of a value.
	ErrEncoding = errors.New("not a canonical encoding")
	// ErrIdentity reports the neutral element where it would break a proof.
	ErrIdentity = errors.New("identity element refused")
	// ErrProof reports a proof that does not hold for its statement.
	ErrProof = errors.New("proof does not hold")
	// ErrThreshold reports fewer valid shares than the threshold.
	ErrThreshold = errors.New("too few valid shares")
	// ErrSize reports a number of members, a threshold or an index out of range.
	ErrSize = errors.New("size out of range")
)

// MaxMembers bounds the members of a committee, so that hostile sizes cannot
// cost more than a ceremony of that size.
const MaxMembers = 256

// Group is a kyber group of prime order with what threshold protocols need more.
// Values of different groups must not be mixed: kyber's methods panic then, as
// they do for all its groups. Which group a value belongs to is decided by the
// program, never by a peer.
type Group interface {
	kyber.Group

	// ReduceScalar maps 64 uniform bytes to a uniform scalar in constant time.
	ReduceScalar(b [64]byte) kyber.Scalar

	// MultiMul is the sum of scalars[i]·points[i]. It is for public values: its
	// time depends on them. The slices have equal length; an empty sum is the
	// identity.
	MultiMul(scalars []kyber.Scalar, points []kyber.Point) kyber.Point
}

var (
	// Ristretto255 is the prime-order group of RFC 9496: 32-byte points.
	Ristretto255 Group = ristrettoGroup{}
	// G1 is the first source group of BLS12-381: 48-byte compressed points.
	G1 Group = g1Group{}
	// G2 is the second source group of BLS12-381: 96-byte compressed points.
	G2 Group = g2Group{}
)

// Threshold is the number of shares that suffice among n members: the count
// that consensus needs too, ⌊2n/3⌋+1.
func Threshold(n int) int { return 2*n/3 + 1 }

// DecodePoint reads the canonical encoding of a point of g and refuses the
// identity. Its error wraps ErrEncoding or ErrIdentity.
func DecodePoint(g Group, b []byte) (kyber.Point, error) {
	if len(b) != g.PointLen() {
		return nil, fmt.Errorf("%s point of %d bytes, want %d: %w", g, len(b), g.PointLen(), ErrEncoding)
	}
	p := g.Point()
	if err := p.UnmarshalBinary(b); err != nil {
		return nil, fmt.Errorf("%s point: %w: %w", g, err, ErrEncoding)
	}
	if p.Equal(g.Point().Null()) {
		return nil, fmt.Errorf("%s point: %w", g, ErrIdentity)
	}
	return p, nil
}

// DecodeScalar reads the canonical encoding of a scalar of g, zero included.
func DecodeScalar(g Group, b []byte) (kyber.Scalar, error) {
	if len(b) != g.ScalarLen() {
		return nil, fmt.Errorf("%s scalar of %d bytes, want %d: %w", g, len(b), g.ScalarLen(), ErrEncoding)
	}
	s := g.Scalar()
	if err := s.UnmarshalBinary(b); err != nil {
		return nil, fmt.Errorf("%s scalar: %w: %w", g, err, ErrEncoding)
	}
	return s, nil
}

// Encode is the canonical form of a point or scalar of the groups of this
// package, which always have one.
func Encode(v kyber.Marshaling) []byte {
	b, err := v.MarshalBinary()
	if err != nil {
		panic(fmt.Sprintf("shamir: encode %T: %v", v, err)) // our groups cannot fail
	}
	return b
}
