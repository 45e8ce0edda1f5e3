package seal

import (
	"fmt"
	"io"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

// PublicLabel labels what the whole committee opens for everybody after a phase.
type PublicLabel struct {
	Chain   [32]byte // genesis hash
	Purpose string   // for example "order"
	ID      uint64   // for example the round
}

// Hash is the label to encrypt under. Labels of models are hashed with another
// tag, so what was sealed as a model never opens publicly.
func (l PublicLabel) Hash() [32]byte {
	return shamir.Hash("public label", l.Chain[:], []byte(l.Purpose), shamir.Uint64(l.ID))
}

// MaxOpening bounds the ciphertexts of one opening share.
const MaxOpening = 4096

// OpeningSize is the length of an opening share of count ciphertexts in bytes.
func OpeningSize(count int) int { return 2 + 32*count + shamir.ProofSize }

// opening is a member's S_k = x_i·U_k for each ciphertext, with one proof that
// all have the logarithm of X_i: of the sums weighted by a hash of all of them.
type opening struct {
	index  uint32
	points []kyber.Point
	proof  shamir.Proof
}

func parseOpening(b []byte, count int) (*opening, error) {
	if count < 1 || count > MaxOpening || len(b) != OpeningSize(count) {
		return nil, fmt.Errorf("opening share of %d bytes for %d ciphertexts: %w", len(b), count, shamir.ErrEncoding)
	}
	r := wire.NewReader(b)
	o := &opening{index: uint32(r.U16())}
	for k := range count {
		p, err := shamir.DecodePoint(group, r.Raw(32))
		if err != nil {
			return nil, fmt.Errorf("opening share %d: %w", k, err)
		}
		o.points = append(o.points, p)
	}
	r.Copy(o.proof[:])
	return o, r.Done()
}

// openingContext fixes label and ciphertexts, in their order.
func openingContext(c *shamir.Committee, label PublicLabel, cts []*Ciphertext) []byte {
	digest, hash := c.Digest(), label.Hash()
	fields := [][]byte{digest[:], hash[:]}
	for _, ct := range cts {
		d := ct.Digest()
		fields = append(fields, d[:])
	}
	h := shamir.Hash("open", fields...)
	return h[:]
}

// openingPoints are the U of ciphertexts: all that a member opens.
func openingPoints(cts []*Ciphertext) []kyber.Point {
	us := make([]kyber.Point, len(cts))
	for k, ct := range cts {
		us[k] = ct.u
	}
	return us
}

// fold turns points and the shares of them into one pair, by weights that hash
// everything and so cannot be aimed at.
func fold(ctx []byte, public kyber.Point, us, points []kyber.Point) (u, s kyber.Point) {
	fields := [][]byte{ctx, shamir.Encode(public)}
	for _, p := range points {
		fields = append(fields, shamir.Encode(p))
	}
	seed := shamir.Hash("open/fold", fields...)
	weights := make([]kyber.Scalar, len(us))
	for k := range weights {
		weights[k] = shamir.HashScalar(group, "open/weight", seed[:], shamir.Uint64(uint64(k)))
	}
	return group.MultiMul(weights, us), group.MultiMul(weights, points)
}

// checkOpenable verifies each ciphertext under the label; nobody may have a U
// opened that was sealed for something else.
func checkOpenable(c *shamir.Committee, label PublicLabel, cts []*Ciphertext) error {
	if len(cts) < 1 || len(cts) > MaxOpening {
		return fmt.Errorf("open %d ciphertexts, limit %d: %w", len(cts), MaxOpening, shamir.ErrSize)
	}
	x, hash := c.X(), label.Hash()
	for k, ct := range cts {
		if err := ct.Verify(x, hash); err != nil {
			return fmt.Errorf("ciphertext %d: %w", k, err)
		}
	}
	return nil
}

// OpenShare is the member's public share of each ciphertext, in their order, with
// one proof for all: OpeningSize bytes. All must verify under the label, else the
// error wraps ErrCiphertext. That the phase is over is the caller's to know.
func OpenShare(rand io.Reader, key *shamir.KeyShare, c *shamir.Committee, label PublicLabel, cts ...*Ciphertext) ([]byte, error) {
	if err := checkOpenable(c, label, cts); err != nil {
		return nil, err
	}
	share, err := openingShare(rand, key, c, openingContext(c, label, cts), openingPoints(cts))
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	return share, nil
}

// openingShare is the member's share of each of the points, with one proof for all. The error
// wraps shamir.ErrForeignShare unless the key share is the committee's.
func openingShare(rand io.Reader, key *shamir.KeyShare, c *shamir.Committee, ctx []byte, us []kyber.Point) ([]byte, error) {
	x, public, err := secretOf(key, c)
	if err != nil {
		return nil, err
	}
	w := wire.NewWriter(OpeningSize(len(us)))
	w.U16(uint16(key.Index()))
	points := make([]kyber.Point, len(us))
	for k := range us {
		points[k] = group.Point().Mul(x, us[k])
		w.Raw(shamir.Encode(points[k]))
	}
	u, s := fold(ctx, public, us, points)
	proof, err := shamir.ProveEqual(rand, group, ctx, group.Point().Base(), u, public, s, x)
	if err != nil {
		return nil, err
	}
	w.Raw(proof[:])
	return w.Bytes(), nil
}

func (o *opening) verify(c *shamir.Committee, ctx []byte, us []kyber.Point) error {
	public, err := c.XShare(o.index)
	if err != nil {
		return &shamir.ShareError{Index: o.index, Err: err}
	}
	u, s := fold(ctx, public, us, o.points)
	if err := shamir.VerifyEqual(group, ctx, group.Point().Base(), u, public, s, o.proof); err != nil {
		return &shamir.ShareError{Index: o.index, Err: err}
	}
	return nil
}

// VerifyOpen checks an opening share of exactly these ciphertexts in this order;
// the result is the member's index. The ciphertexts' own proofs have been checked
// when they were taken in. The error wraps shamir.ErrEncoding or shamir.ErrProof.
func VerifyOpen(c *shamir.Committee, label PublicLabel, cts []*Ciphertext, share []byte) (uint32, error) {
	o, err := parseOpening(share, len(cts))
	if err != nil {
		return 0, err
	}
	return o.index, o.verify(c, openingContext(c, label, cts), openingPoints(cts))
}

// Opened is one opened ciphertext, or an Err that wraps ErrUnreadable.
type Opened struct {
	Plaintext []byte
	Err       error
}

// CombineOpen opens the ciphertexts with the first t valid shares of distinct
// members. The result is the same for every set of t valid shares, so all who
// compute it agree. culprits are the positions in shares of those that are not
// valid among the ones looked at. With too few the error wraps
// shamir.ErrThreshold.
func CombineOpen(c *shamir.Committee, label PublicLabel, cts []*Ciphertext, shares [][]byte) (opened []Opened, culprits []int, err error) {
	if err := checkOpenable(c, label, cts); err != nil {
		return nil, nil, err
	}
	valid, weights, culprits, err := collectOpenings(c, openingContext(c, label, cts), openingPoints(cts), shares)
	if err != nil {
		return nil, culprits, err
	}
	hash, points := label.Hash(), make([]kyber.Point, len(valid))
	for k, ct := range cts {
		for i, o := range valid {
			points[i] = o.points[k]
		}
		plain, err := ct.open(group.MultiMul(weights, points), hash)
		opened = append(opened, Opened{plain, err})
	}
	return opened, culprits, nil
}

// collectOpenings is collect for opening shares of the points.
func collectOpenings(c *shamir.Committee, ctx []byte, us []kyber.Point, shares [][]byte) (valid []*opening, weights []kyber.Scalar, culprits []int, err error) {
	return collect(c, shares, func(b []byte) (*opening, uint32, error) {
		o, err := parseOpening(b, len(us))
		if err != nil {
			return nil, 0, err
		}
		return o, o.index, o.verify(c, ctx, us)
	})
}
