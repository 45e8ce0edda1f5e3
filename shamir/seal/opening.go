package seal

import (
	"errors"
	"fmt"
	"io"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
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

// fold turns the ciphertexts and the shares of them into one pair of points, by
// weights that hash everything and so cannot be aimed at.
func fold(ctx []byte, public kyber.Point, cts []*Ciphertext, points []kyber.Point) (u, s kyber.Point) {
	fields := [][]byte{ctx, shamir.Encode(public)}
	us := make([]kyber.Point, len(cts))
	for k := range cts {
		us[k] = cts[k].u
		fields = append(fields, shamir.Encode(points[k]))
	}
	seed := shamir.Hash("open/fold", fields...)
	weights := make([]kyber.Scalar, len(cts))
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
	if key.Epoch() != c.Epoch() {
		return nil, fmt.Errorf("open with a share of epoch %d: %w", key.Epoch(), shamir.ErrForeignShare)
	}
	public, err := c.XShare(key.Index())
	if err != nil {
		return nil, fmt.Errorf("open: %w: %w", err, shamir.ErrForeignShare)
	}
	x, _ := key.Secrets(access.Token{})
	if !group.Point().Mul(x, nil).Equal(public) {
		return nil, fmt.Errorf("open: %w", shamir.ErrForeignShare)
	}
	w := wire.NewWriter(OpeningSize(len(cts)))
	w.U16(uint16(key.Index()))
	points := make([]kyber.Point, len(cts))
	for k, ct := range cts {
		points[k] = group.Point().Mul(x, ct.u)
		w.Raw(shamir.Encode(points[k]))
	}
	ctx := openingContext(c, label, cts)
	u, s := fold(ctx, public, cts, points)
	proof, err := shamir.ProveEqual(rand, group, ctx, group.Point().Base(), u, public, s, x)
	if err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	w.Raw(proof[:])
	return w.Bytes(), nil
}

func (o *opening) verify(c *shamir.Committee, ctx []byte, cts []*Ciphertext) error {
	public, err := c.XShare(o.index)
	if err != nil {
		return &shamir.ShareError{Index: o.index, Err: err}
	}
	u, s := fold(ctx, public, cts, o.points)
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
	return o.index, o.verify(c, openingContext(c, label, cts), cts)
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
	ctx := openingContext(c, label, cts)
	valid, weights, culprits, err := collectOpenings(c, ctx, cts, shares)
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

// collectOpenings takes the first t valid opening shares of distinct members, with
// the weights that interpolate them at 0. culprits are the positions of those that
// are not valid among the ones looked at. With too few left the error wraps
// shamir.ErrThreshold.
func collectOpenings(c *shamir.Committee, ctx []byte, cts []*Ciphertext, shares [][]byte) (valid []*opening, weights []kyber.Scalar, culprits []int, err error) {
	var indices []uint32
	var faults error
	seen := make(map[uint32]bool, c.T())
	for i, b := range shares {
		if len(valid) == c.T() {
			break
		}
		o, err := parseOpening(b, len(cts))
		if err == nil {
			err = o.verify(c, ctx, cts)
		}
		if err != nil {
			culprits, faults = append(culprits, i), errors.Join(faults, fmt.Errorf("share %d: %w", i, err))
			continue
		}
		if !seen[o.index] {
			seen[o.index] = true
			indices, valid = append(indices, o.index), append(valid, o)
		}
	}
	if len(valid) < c.T() {
		err := fmt.Errorf("%d valid shares of %d: %w", len(valid), c.T(), shamir.ErrThreshold)
		return nil, nil, culprits, errors.Join(err, faults)
	}
	weights, err = shamir.Lagrange(group, indices)
	return valid, weights, culprits, err
}
