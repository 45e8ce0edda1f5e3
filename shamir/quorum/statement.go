package quorum

import (
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
)

// ErrPrekeys reports a table of reader keys that is not canonical.
var ErrPrekeys = errors.New("prekey table refused")

// Statement is what a certificate certifies. The ledger fixes all fields when it
// takes the request in.
type Statement struct {
	Chain    [32]byte // genesis hash
	Epoch    uint64   // of the committee
	RID      [32]byte // request id
	Body     [32]byte // hash of the request body
	Model    [32]byte // model id
	KeyEpoch uint64   // of the model's key
	Label    [32]byte // of the model's ciphertext
	U        [32]byte // of the model's ciphertext: seal.Ciphertext.U
	Prekeys  [32]byte // Prekeys.Digest: who may read, under which key
	Expiry   uint64   // height from which nothing is released
}

// StatementSize is the length of a statement's bytes.
const StatementSize = len(statementTag) + 7*32 + 3*8

const statementTag = "release"

// Bytes is the signed form: "release", then the fields in order, 255 bytes.
func (s Statement) Bytes() []byte {
	w := wire.NewWriter(StatementSize)
	w.Raw([]byte(statementTag))
	w.Raw(s.Chain[:])
	w.U64(s.Epoch)
	w.Raw(s.RID[:])
	w.Raw(s.Body[:])
	w.Raw(s.Model[:])
	w.U64(s.KeyEpoch)
	w.Raw(s.Label[:])
	w.Raw(s.U[:])
	w.Raw(s.Prekeys[:])
	w.U64(s.Expiry)
	return w.Bytes()
}

// ParseStatement reads Bytes' form. Its error wraps shamir.ErrEncoding.
func ParseStatement(b []byte) (Statement, error) {
	r := wire.NewReader(b)
	if tag := r.Raw(len(statementTag)); r.Err() == nil && string(tag) != statementTag {
		r.Fail(wire.ErrMalformed)
	}
	s := Statement{
		Chain: r.Hash(), Epoch: r.U64(), RID: r.Hash(), Body: r.Hash(), Model: r.Hash(),
		KeyEpoch: r.U64(), Label: r.Hash(), U: r.Hash(), Prekeys: r.Hash(), Expiry: r.U64(),
	}
	if err := r.Done(); err != nil {
		return Statement{}, fmt.Errorf("statement: %w: %w", err, shamir.ErrEncoding)
	}
	return s, nil
}

// Digest names the statement: Hash("statement", Bytes).
func (s Statement) Digest() [32]byte { return shamir.Hash("statement", s.Bytes()) }

// Prekey is one member's reader key for one request.
type Prekey struct {
	Member uint32   // its number in the network, from 1; not the index of its share
	Key    [32]byte // R, a ristretto255 point
}

// Prekeys is the frozen table of a request: who may read, under which key.
// Members ascend strictly, keys are canonical and all different.
type Prekeys []Prekey

// Validate checks the form; its error wraps ErrPrekeys.
func (p Prekeys) Validate() error {
	if len(p) > shamir.MaxMembers {
		return fmt.Errorf("%d entries: %w", len(p), ErrPrekeys)
	}
	seen := make(map[[32]byte]bool, len(p))
	for i, k := range p {
		if k.Member < 1 || i > 0 && k.Member <= p[i-1].Member {
			return fmt.Errorf("member %d at place %d: %w", k.Member, i, ErrPrekeys)
		}
		if seen[k.Key] {
			return fmt.Errorf("key of member %d is another member's: %w", k.Member, ErrPrekeys)
		}
		seen[k.Key] = true
		if _, err := shamir.DecodePoint(shamir.Ristretto255, k.Key[:]); err != nil {
			return fmt.Errorf("key of member %d: %w: %w", k.Member, err, ErrPrekeys)
		}
	}
	return nil
}

// Ascending says whether every member stands once, in ascending order: then a lookup
// has one answer. Validate checks that too, and the keys.
func (p Prekeys) Ascending() bool {
	for i, k := range p {
		if k.Member < 1 || i > 0 && k.Member <= p[i-1].Member {
			return false
		}
	}
	return true
}

// Digest is what a Statement carries.
func (p Prekeys) Digest() [32]byte {
	w := wire.NewWriter(36 * len(p))
	for _, k := range p {
		w.U32(k.Member)
		w.Raw(k.Key[:])
	}
	return shamir.Hash("prekeys", w.Bytes())
}

// Lookup returns the member's key.
func (p Prekeys) Lookup(member uint32) (key [32]byte, ok bool) {
	for _, k := range p {
		if k.Member == member {
			return k.Key, true
		}
	}
	return key, false
}
