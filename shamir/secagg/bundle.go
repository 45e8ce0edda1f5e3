package secagg

import (
	"crypto/cipher"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/onetime"
	"go.dedis.ch/kyber/v3"
)

var group = shamir.Ristretto255

const (
	pairSize = 32 + 32       // a share of the pairwise secret and one of the self-mask's
	boxSize  = pairSize + 16 // with the AEAD's tag
	proofs   = 3 * shamir.ProofSize
)

func statementSize(t int) int { return 2*shamir.CommitmentSize(group, t) + 32 }

func bundleSize(n, t int) int { return statementSize(t) + proofs + n*boxSize }

// bundle is what a member shares: commitments to the polynomials of its two secrets, an
// ephemeral key E, proofs of possession, and a box for each member that advertised a key.
// The constant term of the first commitment is the public half of the pairwise secret,
// with which the others make their masks. It is immutable.
type bundle struct {
	body       []byte
	pair, self *shamir.Commitment
	eph        kyber.Point
	ephBytes   []byte
}

// parseBundle checks length and points, not the proofs. receivers is how many have a box.
func parseBundle(body []byte, receivers, t int) (*bundle, error) {
	if len(body) != bundleSize(receivers, t) {
		return nil, fmt.Errorf("%d bytes, want %d: %w", len(body), bundleSize(receivers, t), ErrMessage)
	}
	size := shamir.CommitmentSize(group, t)
	b := &bundle{body: body, ephBytes: body[2*size : 2*size+32]}
	var err error
	if b.pair, err = shamir.DecodeCommitment(group, t, body[:size]); err != nil {
		return nil, fmt.Errorf("pairwise secret: %w: %w", err, ErrMessage)
	}
	if b.self, err = shamir.DecodeCommitment(group, t, body[size:2*size]); err != nil {
		return nil, fmt.Errorf("self-mask: %w: %w", err, ErrMessage)
	}
	if b.eph, err = shamir.DecodePoint(group, b.ephBytes); err != nil {
		return nil, fmt.Errorf("ephemeral key: %w: %w", err, ErrMessage)
	}
	return b, nil
}

// proofContexts separate the three proofs from each other and from other members,
// and from other rounds and other keys (Round.keys). That of E signs the whole bundle.
func proofContexts(keys [32]byte, dealer uint32, statement, boxes []byte) (pair, self, eph []byte) {
	p := shamir.Hash("secagg/bundle/pair", keys[:], shamir.Uint64(uint64(dealer)), statement)
	s := shamir.Hash("secagg/bundle/self", keys[:], shamir.Uint64(uint64(dealer)), statement)
	e := shamir.Hash("secagg/bundle/e", keys[:], shamir.Uint64(uint64(dealer)), statement, boxes)
	return p[:], s[:], e[:]
}

// verify checks the three proofs. Without those of the secrets a member could give
// another's commitments as its own; without that of E it could have a dispute open the
// other's box.
func (b *bundle) verify(keys [32]byte, dealer uint32, t int) error {
	size := statementSize(t)
	pair, self, eph := proofContexts(keys, dealer, b.body[:size], b.body[size+proofs:])
	for i, p := range []struct {
		what   string
		ctx    []byte
		public kyber.Point
	}{{"pairwise secret", pair, b.pair.PublicKey()}, {"self-mask", self, b.self.PublicKey()}, {"ephemeral key", eph, b.eph}} {
		at := size + i*shamir.ProofSize
		if err := shamir.VerifyPossession(group, p.ctx, p.public, shamir.Proof(b.body[at:at+shamir.ProofSize])); err != nil {
			return fmt.Errorf("%s: %w: %w", p.what, err, ErrMessage)
		}
	}
	return nil
}

// box is the encrypted pair of shares for the receiver at that place, from 0.
func (b *bundle) box(place, t int) []byte {
	at := statementSize(t) + proofs + place*boxSize
	return b.body[at : at+boxSize]
}

// boxCipher is the one-shot cipher of one box.
func boxCipher(id [32]byte, dealer, to uint32, shared kyber.Point, eph, key []byte) cipher.AEAD {
	info := shamir.Hash("secagg/box", shamir.Uint64(uint64(dealer)), shamir.Uint64(uint64(to)), eph, key)
	return onetime.AEAD(shamir.Encode(shared), id[:], info)
}

// parts are one member's shares of another's two secrets.
type parts struct{ pair, self kyber.Scalar }

// open decrypts the box with the shared key e·R_j = r_j·E and checks what it holds
// against the commitments. Whether it fails depends on public data and shared alone, so
// everybody who sees shared comes to the same judgement.
func (b *bundle) open(id [32]byte, dealer, to uint32, place, t int, key [32]byte, shared kyber.Point) (parts, error) {
	plain, err := boxCipher(id, dealer, to, shared, b.ephBytes, key[:]).Open(nil, onetime.Nonce, b.box(place, t), nil)
	if err != nil {
		return parts{}, fmt.Errorf("box of member %d to %d does not open", dealer, to)
	}
	defer clear(plain)
	var p parts
	if p.pair, err = shamir.DecodeScalar(group, plain[:32]); err != nil {
		return parts{}, fmt.Errorf("box of member %d to %d: %w", dealer, to, err)
	}
	if p.self, err = shamir.DecodeScalar(group, plain[32:]); err != nil {
		return parts{}, fmt.Errorf("box of member %d to %d: %w", dealer, to, err)
	}
	if err := b.pair.Verify(shamir.NewShare(to, p.pair)); err != nil {
		return parts{}, fmt.Errorf("box of member %d: pairwise secret: %w", dealer, err)
	}
	if err := b.self.Verify(shamir.NewShare(to, p.self)); err != nil {
		return parts{}, fmt.Errorf("box of member %d: self-mask: %w", dealer, err)
	}
	return p, nil
}
