package curation

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sort"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// MaxMembers is the largest committee: beyond it the ceremony's cost has not
// been measured over a network.
const MaxMembers = 128

// MaxGenesisBytes bounds the genesis document.
const MaxGenesisBytes = 4 << 20

// MaxCharter bounds the charter's text, in bytes.
const MaxCharter = 64 << 10

// MaxSupply is the most credits that can exist, in base units: far below
// curve.MaxAmount, so that no sum of balances leaves the range of amounts.
var MaxSupply = curve.Credits(1_000_000_000_000)

// ErrGenesis reports a document that cannot found a network.
var ErrGenesis = errors.New("not a genesis document")

// Genesis is what the founders agree on before the first block. Its bytes are
// one form only, so its SHA-256 names the chain in every signature and hash.
type Genesis struct {
	Charter Charter         `json:"charter"`
	Params  Params          `json:"params"`
	Members []GenesisMember `json:"members"` // in the order of their indices
	// Balances are the credits that exist, in ascending order of account.
	Balances []GenesisBalance `json:"balances"`
	// Succession is what happens to the artist when too few shares of its key are
	// left. Without it the network is mortal.
	Succession Succession `json:"succession,omitzero"`
}

// Charter is the network's name and what its founders promise each other.
type Charter struct {
	Name string `json:"name"` // 1 to MaxName bytes
	Text string `json:"text"` // at most MaxCharter bytes
}

// GenesisMember is a founding co-owner.
type GenesisMember struct {
	Index     uint32  `json:"index"`     // 1..n, the shareholder's index
	Name      string  `json:"name"`      // 1 to MaxName bytes
	Account   Address `json:"account"`   // also the public key of the member's libp2p identity
	Validator Hash    `json:"validator"` // ed25519 key for consensus
	DealKey   Hash    `json:"deal_key"`  // ristretto255 point D_i for the ceremony
	Power     int64   `json:"power"`     // 1: one member, one power, one share
}

// GenesisBalance gives an account its first credits.
type GenesisBalance struct {
	Account Address      `json:"account"`
	Amount  curve.Amount `json:"amount"`
}

// Bytes returns the document's one form: JSON, two spaces of indentation, fields
// in the order of the structures, a newline at the end.
func (g Genesis) Bytes() ([]byte, error) {
	if err := g.Validate(); err != nil {
		return nil, err
	}
	return g.marshal()
}

func (g Genesis) marshal() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(g); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrGenesis, err)
	}
	return b.Bytes(), nil
}

// ParseGenesis reads and validates a document. Unknown or repeated fields,
// trailing data and any other spelling than that of Bytes are refused.
func ParseGenesis(doc []byte) (Genesis, error) {
	if len(doc) > MaxGenesisBytes {
		return Genesis{}, fmt.Errorf("%w: %d bytes, limit %d", ErrGenesis, len(doc), MaxGenesisBytes)
	}
	var g Genesis
	if err := strictjson.Unmarshal(doc, &g); err != nil {
		return Genesis{}, fmt.Errorf("%w: %w", ErrGenesis, err)
	}
	again, err := g.Bytes()
	if err != nil {
		return Genesis{}, err
	}
	if !bytes.Equal(again, doc) {
		return Genesis{}, fmt.Errorf("%w: not written in its one form", ErrGenesis)
	}
	return g, nil
}

// GenesisHash is SHA-256 of the document: the 32-byte chain of every hash and
// signature.
func GenesisHash(doc []byte) Hash { return sha256.Sum256(doc) }

// Validate refuses a document that could not found a working network, and says
// which line of it is wrong.
func (g Genesis) Validate() error {
	wrap := func(format string, args ...any) error {
		return fmt.Errorf("%w: %w", ErrGenesis, fmt.Errorf(format, args...))
	}
	if err := ValidateName(g.Charter.Name); err != nil {
		return wrap("charter: %w", err)
	}
	if len(g.Charter.Text) > MaxCharter {
		return wrap("charter has %d bytes, limit %d", len(g.Charter.Text), MaxCharter)
	}
	if err := g.Params.Validate(); err != nil {
		return wrap("params: %w", err)
	}
	if len(g.Members) == 0 || len(g.Members) > MaxMembers {
		return wrap("%d members, want 1 to %d", len(g.Members), MaxMembers)
	}
	seen := map[[32]byte]bool{}
	for i, m := range g.Members {
		if int(m.Index) != i+1 {
			return wrap("member %d has index %d", i+1, m.Index)
		}
		if err := ValidateName(m.Name); err != nil {
			return wrap("member %d: %w", m.Index, err)
		}
		if m.Power != 1 {
			return wrap("member %d has power %d, want 1", m.Index, m.Power)
		}
		if err := validatePoint(m.DealKey); err != nil {
			return wrap("member %d: deal key: %w", m.Index, err)
		}
		for _, key := range [][32]byte{m.Account, m.Validator, m.DealKey} {
			if seen[key] {
				return wrap("member %d: a key appears twice", m.Index)
			}
			seen[key] = true
		}
	}
	if err := g.Succession.validate(g.Members); err != nil {
		return wrap("succession: %w", err)
	}
	if !sort.SliceIsSorted(g.Balances, func(i, j int) bool {
		return bytes.Compare(g.Balances[i].Account[:], g.Balances[j].Account[:]) < 0
	}) {
		return wrap("balances are not in ascending order of account")
	}
	for i, b := range g.Balances {
		if i > 0 && b.Account == g.Balances[i-1].Account {
			return wrap("account %v has two balances", b.Account)
		}
		if b.Amount.IsZero() {
			return wrap("account %v has an empty balance", b.Account)
		}
	}
	if _, err := g.Supply(); err != nil {
		return err
	}
	return nil
}

// SortBalances puts the balances into the order that Validate asks for.
func (g *Genesis) SortBalances() {
	sort.Slice(g.Balances, func(i, j int) bool {
		return bytes.Compare(g.Balances[i].Account[:], g.Balances[j].Account[:]) < 0
	})
}

// Supply is the sum of the balances: the credits that will ever exist.
func (g Genesis) Supply() (curve.Amount, error) {
	var sum curve.Amount
	for _, b := range g.Balances {
		next, overflow := sum.AddOverflow(b.Amount)
		if overflow || MaxSupply.Less(next) {
			return curve.Amount{}, fmt.Errorf("%w: balances exceed %s", ErrGenesis, MaxSupply.InCredits())
		}
		sum = next
	}
	return sum, nil
}
