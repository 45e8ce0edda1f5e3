package shamir

import (
	"fmt"
	"log/slog"

	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

// Sizes of the encodings of public keys in bytes.
const (
	XSize = 32     // of ristretto255: keys that open
	YSize = 48 * 2 // of BLS12-381 G2: keys that certify
)

// Committee is the public outcome of a ceremony: n members, the threshold t, the
// group keys X (ristretto255, opens) and Y (BLS12-381 G2, certifies), and each
// member's public share of both. It is immutable, safe for concurrent use, and
// keeps the points decoded.
type Committee struct {
	epoch            uint64
	session          [32]byte
	threshold        int
	x, y             kyber.Point
	xShares, yShares []kyber.Point // member i at i-1
	encoded          []byte
	digest           [32]byte
}

// NewCommittee derives the public side of n members from the commitments to the
// two polynomials, over Ristretto255 and G2. session is the ceremony's.
func NewCommittee(epoch uint64, session [32]byte, n int, x, y *Commitment) (*Committee, error) {
	t := x.Threshold()
	if n < 1 || n > MaxMembers || t > n || y.Threshold() != t || x.group != Ristretto255 || y.group != G2 {
		return nil, fmt.Errorf("committee of %d with thresholds %d and %d: %w", n, t, y.Threshold(), ErrSize)
	}
	c := &Committee{
		epoch: epoch, session: session, threshold: t, x: x.PublicKey(), y: y.PublicKey(),
		xShares: x.EvalAll(n), yShares: y.EvalAll(n),
	}
	for _, p := range append([]kyber.Point{c.x}, c.xShares...) {
		if p.Equal(Ristretto255.Point().Null()) {
			return nil, fmt.Errorf("committee key X: %w", ErrIdentity)
		}
	}
	for _, p := range append([]kyber.Point{c.y}, c.yShares...) {
		if p.Equal(G2.Point().Null()) {
			return nil, fmt.Errorf("committee key Y: %w", ErrIdentity)
		}
	}
	c.seal()
	return c, c.y.(*g2Point).settle()
}

const committeeVersion = 1

func (c *Committee) seal() {
	w := wire.NewWriter(64 + (len(c.xShares)+1)*(XSize+YSize))
	w.U8(committeeVersion)
	w.U64(c.epoch)
	w.Raw(c.session[:])
	w.U16(uint16(len(c.xShares)))
	w.U16(uint16(c.threshold))
	w.Raw(Encode(c.x))
	w.Raw(Encode(c.y))
	for i := range c.xShares {
		w.Raw(Encode(c.xShares[i]))
		w.Raw(Encode(c.yShares[i]))
	}
	c.encoded = w.Bytes()
	c.digest = Hash("committee", c.encoded)
}

// MarshalBinary is the one encoding of the committee, 45 + (n+1)·128 bytes.
func (c *Committee) MarshalBinary() ([]byte, error) { return append([]byte(nil), c.encoded...), nil }

// UnmarshalCommittee reads MarshalBinary's form and decodes every point once. It
// does not prove that the shares lie on one polynomial: what a ledger agreed on
// is trusted to come from NewCommittee.
func UnmarshalCommittee(b []byte) (*Committee, error) {
	r := wire.NewReader(b)
	if v := r.U8(); r.Err() == nil && v != committeeVersion {
		return nil, fmt.Errorf("committee of version %d: %w", v, ErrEncoding)
	}
	c := &Committee{epoch: r.U64(), session: r.Hash()}
	n, t := int(r.U16()), int(r.U16())
	if r.Err() == nil && (n < 1 || n > MaxMembers || t < 1 || t > n || r.Len() != (n+1)*(XSize+YSize)) {
		return nil, fmt.Errorf("committee of %d with threshold %d in %d bytes: %w", n, t, len(b), ErrSize)
	}
	if r.Err() != nil {
		return nil, fmt.Errorf("committee: %w: %w", r.Err(), ErrEncoding)
	}
	c.threshold = t
	var err error
	if c.x, c.y, err = decodePair(r); err != nil {
		return nil, fmt.Errorf("committee key: %w", err)
	}
	for i := 1; i <= n; i++ {
		x, y, err := decodePair(r)
		if err != nil {
			return nil, fmt.Errorf("committee: %w", &ShareError{uint32(i), err})
		}
		c.xShares, c.yShares = append(c.xShares, x), append(c.yShares, y)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("committee: %w: %w", err, ErrEncoding)
	}
	c.encoded = append([]byte(nil), b...)
	c.digest = Hash("committee", b)
	return c, c.y.(*g2Point).settle()
}

func decodePair(r *wire.Reader) (x, y kyber.Point, err error) {
	if x, err = DecodePoint(Ristretto255, r.Raw(XSize)); err != nil {
		return nil, nil, err
	}
	if y, err = DecodePoint(G2, r.Raw(YSize)); err != nil {
		return nil, nil, err
	}
	return x, y, nil
}

// Epoch counts the committees of a network, from 1.
func (c *Committee) Epoch() uint64 { return c.epoch }

// Session is the hash that names the ceremony.
func (c *Committee) Session() [32]byte { return c.session }

// N is the number of members.
func (c *Committee) N() int { return len(c.xShares) }

// T is the number of shares that suffice.
func (c *Committee) T() int { return c.threshold }

// Digest is Hash("committee", encoding): it names the committee and all its keys.
func (c *Committee) Digest() [32]byte { return c.digest }

// X is the encoding of the key that ciphertexts are made for.
func (c *Committee) X() [XSize]byte { return [XSize]byte(Encode(c.x)) }

// Y is the encoding of the key that certificates verify under.
func (c *Committee) Y() [YSize]byte { return [YSize]byte(Encode(c.y)) }

// XPoint is X decoded.
func (c *Committee) XPoint() kyber.Point { return c.x.Clone() }

// YPoint is Y decoded.
func (c *Committee) YPoint() kyber.Point { return c.y.Clone() }

// XShare is the member's public share of X; the error wraps ErrSize when the
// committee has no such member.
func (c *Committee) XShare(index uint32) (kyber.Point, error) {
	if err := c.has(index); err != nil {
		return nil, err
	}
	return c.xShares[index-1].Clone(), nil
}

// YShare is the member's public share of Y.
func (c *Committee) YShare(index uint32) (kyber.Point, error) {
	if err := c.has(index); err != nil {
		return nil, err
	}
	return c.yShares[index-1].Clone(), nil
}

func (c *Committee) has(index uint32) error {
	if index < 1 || int64(index) > int64(len(c.xShares)) {
		return fmt.Errorf("member %d of %d: %w", index, len(c.xShares), ErrSize)
	}
	return nil
}

// LogValue names the committee by what a reader of a log can tell apart.
func (c *Committee) LogValue() slog.Value {
	return slog.GroupValue(
		slog.Uint64("epoch", c.epoch), slog.Int("members", c.N()), slog.Int("threshold", c.threshold),
		slog.String("digest", fmt.Sprintf("%x", c.digest[:8])))
}
