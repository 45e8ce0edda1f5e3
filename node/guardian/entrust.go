package guardian

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// A ledger that stands still for good has no recovery and no will. What is left are the
// guardians, who hold the key: they entrust their shares of x to a member, who opens the
// artist and seals it in a network that is founded anew. Their shares of y stay where
// they are, so nobody signs in the old network's name. That the ledger has died no
// program can know: it is for the guardians to find, and for the caller to see that the
// last block is old.

// Entrusted is a guardian's share of the opening key in clear, for one reader.
type Entrusted struct {
	Chain    curation.Hash
	Sharing  uint64
	Guardian uint32
	Share    curation.Hash // scalar of ristretto255
}

// entrusted is the JSON of an Entrusted.
type entrusted struct {
	Version  int           `json:"version"` // 1
	Chain    curation.Hash `json:"chain"`
	Sharing  uint64        `json:"sharing"`
	Guardian uint32        `json:"guardian"`
	Share    curation.Hash `json:"share"`
}

// ErrEntrusted reports a share that is damaged or of something else.
var ErrEntrusted = errors.New("not a share that a guardian of this network entrusted")

// Entrust is what the guardian gives away. Its error wraps ErrNoShare.
func (g *Guardian) Entrust(l Ledger) (Entrusted, error) {
	share, err := g.Share(l)
	if err != nil {
		return Entrusted{}, err
	}
	c, err := l.Sharing.Committee()
	if err != nil {
		return Entrusted{}, err
	}
	x, err := seal.PublishShare(share, c)
	return Entrusted{Chain: l.Chain, Sharing: l.Estate.Sharing.Number, Guardian: l.Estate.Rules.Number(g.Account), Share: x}, err
}

// Encode returns the share's JSON.
func (e Entrusted) Encode() ([]byte, error) {
	return json.Marshal(entrusted{1, e.Chain, e.Sharing, e.Guardian, e.Share})
}

// DecodeEntrusted reads it strictly. Its error wraps ErrEntrusted.
func DecodeEntrusted(b []byte) (Entrusted, error) {
	var s entrusted
	if err := strictjson.Unmarshal(b, &s); err != nil {
		return Entrusted{}, fmt.Errorf("%w: %w", ErrEntrusted, err)
	}
	if s.Version != 1 {
		return Entrusted{}, fmt.Errorf("%w: version %d", ErrEntrusted, s.Version)
	}
	return Entrusted{s.Chain, s.Sharing, s.Guardian, s.Share}, nil
}

// Combine makes the opening key of the shares of as many guardians as act for all. It
// checks each against the guardians' sharing; the error names the one that does not
// hold, and wraps ErrEntrusted, or says how many are missing.
func (l Ledger) Combine(given []Entrusted) (secret [32]byte, err error) {
	if l.Estate.Sharing == nil || l.Sharing == nil {
		return secret, fmt.Errorf("%w: the network tells of no sharing among guardians", ErrEntrusted)
	}
	c, err := l.Sharing.Committee()
	if err != nil {
		return secret, err
	}
	var indices []uint32
	var shares [][32]byte
	seen := map[uint32]bool{}
	for _, e := range given {
		seat := l.Estate.Sharing.Seats.Of(e.Guardian)
		switch {
		case e.Chain != l.Chain:
			return secret, fmt.Errorf("%w: that of guardian %d is of another network", ErrEntrusted, e.Guardian)
		case e.Sharing != l.Estate.Sharing.Number:
			return secret, fmt.Errorf("%w: that of guardian %d is of sharing %d, number %d counts", ErrEntrusted, e.Guardian, e.Sharing, l.Estate.Sharing.Number)
		case seat == 0:
			return secret, fmt.Errorf("%w: guardian %d has no share in sharing %d", ErrEntrusted, e.Guardian, e.Sharing)
		}
		if err := seal.VerifyPublished(c, seat, e.Share); err != nil {
			return secret, fmt.Errorf("%w: that of guardian %d does not fit the key", ErrEntrusted, e.Guardian)
		}
		if !seen[e.Guardian] {
			seen[e.Guardian] = true
			indices, shares = append(indices, seat), append(shares, e.Share)
		}
	}
	if len(indices) < c.T() {
		return secret, fmt.Errorf("%d of the %d shares that make the key are here: ask further guardians for theirs", len(indices), c.T())
	}
	return seal.CombinePublished(c, indices, shares)
}
