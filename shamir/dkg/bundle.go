package dkg

import (
	"crypto/cipher"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/onetime"
	"go.dedis.ch/kyber/v3"
)

const (
	dealSize = 32 + 32              // a share of x and one of y
	boxSize  = dealSize + 16        // with the AEAD's tag
	proofs   = 3 * shamir.ProofSize // of both constant terms and the ephemeral key
)

// commitSizes are the lengths of the commitments of both keys.
func commitSizes(t int) (x, y int) {
	return shamir.CommitmentSize(shamir.Ristretto255, t), shamir.CommitmentSize(shamir.G2, t)
}

func bundleSize(n, t int) int { return statementSize(t) + proofs + n*boxSize }

// bundle is all that a dealer says: commitments to its two polynomials, an
// ephemeral key E, proofs of possession, and each member's two shares encrypted
// under e·D_j. It is immutable.
type bundle struct {
	body     []byte
	x, y     *shamir.Commitment
	eph      kyber.Point
	ephBytes []byte
}

// statement is the part of a body that all proofs are bound to.
func statement(body []byte, t int) []byte { return body[:statementSize(t)] }

// boxes are the encrypted deals at the end of a body.
func boxes(body []byte, n int) []byte { return body[len(body)-n*boxSize:] }

func statementSize(t int) int {
	x, y := commitSizes(t)
	return x + y + 32
}

// parseBundle checks length and points, not the proofs.
func parseBundle(m *Memory, body []byte, n, t int) (*bundle, error) {
	if len(body) != bundleSize(n, t) {
		return nil, fmt.Errorf("bundle of %d bytes, want %d: %w", len(body), bundleSize(n, t), ErrMessage)
	}
	xEnd, ySize := commitSizes(t)
	yEnd := xEnd + ySize
	b := &bundle{body: body, ephBytes: body[yEnd : yEnd+32]}
	var err error
	if b.x, err = m.commitment(shamir.Ristretto255, t, body[:xEnd]); err != nil {
		return nil, fmt.Errorf("bundle: key X: %w: %w", err, ErrMessage)
	}
	if b.y, err = m.commitment(shamir.G2, t, body[xEnd:yEnd]); err != nil {
		return nil, fmt.Errorf("bundle: key Y: %w: %w", err, ErrMessage)
	}
	if b.eph, err = shamir.DecodePoint(shamir.Ristretto255, b.ephBytes); err != nil {
		return nil, fmt.Errorf("bundle: ephemeral key: %w: %w", err, ErrMessage)
	}
	return b, nil
}

// proofContexts separate the three proofs from each other and from other dealers. That
// of E signs the whole bundle.
func proofContexts(id [32]byte, dealer uint32, statement, boxes []byte) (x, y, eph []byte) {
	ctx := func(what string, parts ...[]byte) []byte {
		h := shamir.Hash("bundle/"+what, append([][]byte{id[:], shamir.Uint64(uint64(dealer))}, parts...)...)
		return h[:]
	}
	return ctx("x", statement), ctx("y", statement), ctx("e", statement, boxes)
}

// verify checks the three proofs of possession. Without that of C₀ a dealer could
// cancel the others' keys. Without that of E it could copy another dealer's E and have a
// dispute open the other's deal; and if that did not cover the boxes, whoever spoils one
// on its way to a receiver that has no ledger of its own could.
func (b *bundle) verify(m *Memory, id [32]byte, dealer uint32, n, t int) error {
	s := statement(b.body, t)
	ctxX, ctxY, ctxE := proofContexts(id, dealer, s, boxes(b.body, n))
	p := b.body[len(s):]
	if err := m.prove(id, dealer, b.body[:len(s)+128], func() error {
		if err := shamir.VerifyPossession(shamir.Ristretto255, ctxX, b.x.PublicKey(), shamir.Proof(p[:64])); err != nil {
			return fmt.Errorf("bundle: key X: %w: %w", err, ErrMessage)
		}
		if err := shamir.VerifyPossession(shamir.G2, ctxY, b.y.PublicKey(), shamir.Proof(p[64:128])); err != nil {
			return fmt.Errorf("bundle: key Y: %w: %w", err, ErrMessage)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := shamir.VerifyPossession(shamir.Ristretto255, ctxE, b.eph, shamir.Proof(p[128:192])); err != nil {
		return fmt.Errorf("bundle: ephemeral key: %w: %w", err, ErrMessage)
	}
	return nil
}

// commitHash is what the dealer posts before the bundle.
func commitHash(id [32]byte, dealer uint32, body []byte) [32]byte {
	return shamir.Hash("bundle commitment", id[:], shamir.Uint64(uint64(dealer)), body)
}

// box is the encrypted deal to the member.
func (b *bundle) box(to uint32, n int) []byte {
	return boxes(b.body, n)[int(to-1)*boxSize : int(to)*boxSize]
}

// dealCipher is the one-shot cipher of one deal.
func dealCipher(id [32]byte, dealer, to uint32, shared, eph, dealKey []byte) cipher.AEAD {
	info := shamir.Hash("deal", shamir.Uint64(uint64(dealer)), shamir.Uint64(uint64(to)), eph, dealKey)
	return onetime.AEAD(shared, id[:], info)
}

// deal is a member's part of one bundle.
type deal struct{ x, y kyber.Scalar }

// open decrypts the deal to the member with the shared key e·D_j = d_j·E and
// checks it against the commitments. Whether it fails depends on public data and
// shared alone, so everybody who sees shared comes to the same judgement.
func (b *bundle) open(id [32]byte, dealer, to uint32, n int, dealKey [32]byte, shared kyber.Point) (deal, error) {
	d, err := b.decrypt(id, dealer, to, n, dealKey, shared)
	if err != nil {
		return deal{}, err
	}
	return d, b.check(dealer, to, d)
}

// decrypt is open without the check.
func (b *bundle) decrypt(id [32]byte, dealer, to uint32, n int, dealKey [32]byte, shared kyber.Point) (deal, error) {
	aead := dealCipher(id, dealer, to, shamir.Encode(shared), b.ephBytes, dealKey[:])
	plain, err := aead.Open(nil, onetime.Nonce, b.box(to, n), nil)
	if err != nil {
		return deal{}, fmt.Errorf("deal of member %d to %d does not decrypt", dealer, to)
	}
	var d deal
	if d.x, err = shamir.DecodeScalar(shamir.Ristretto255, plain[:32]); err != nil {
		return deal{}, fmt.Errorf("deal of member %d to %d: %w", dealer, to, err)
	}
	if d.y, err = shamir.DecodeScalar(shamir.G2, plain[32:]); err != nil {
		return deal{}, fmt.Errorf("deal of member %d to %d: %w", dealer, to, err)
	}
	return d, nil
}

// check compares a deal with the commitments.
func (b *bundle) check(dealer, to uint32, d deal) error {
	if err := b.x.Verify(shamir.NewShare(to, d.x)); err != nil {
		return fmt.Errorf("deal of member %d: key X: %w", dealer, err)
	}
	if err := b.y.Verify(shamir.NewShare(to, d.y)); err != nil {
		return fmt.Errorf("deal of member %d: key Y: %w", dealer, err)
	}
	return nil
}
