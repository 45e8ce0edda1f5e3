// Package founding makes one network of several homes: the terms that the founder
// proposes, the records that members send in, and the genesis document that
// follows from both, which every member computes for itself and compares.
//
// It also brings later members into a network that runs: the invitations that a
// member's home keeps, the application that a newcomer signs and hands to whoever
// invited it, and what it gets and waits for until the members have admitted it.
// Package node answers it; see its door.
package founding

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// ErrTerms reports terms, a record or a document that cannot found a network.
var ErrTerms = errors.New("cannot found a network with this")

// Terms are what a member agrees to by joining; their hash is in the invitation.
type Terms struct {
	// Network is the short name: lower case letters, digits and hyphens.
	Network string           `json:"network"`
	Charter curation.Charter `json:"charter"`
	Params  curation.Params  `json:"params"`
	Seats   int              `json:"seats"` // founding members, 1..128
	// Grant is what each founding member starts with, in base units.
	Grant curve.Amount `json:"grant"`
	// Balances are what further accounts start with.
	Balances []curation.GenesisBalance `json:"balances,omitempty"`
	// Succession is what becomes of the artist when its key is lost; without it the
	// network is mortal. Guardians start with GuardianGrant, unless Balances say more.
	Succession curation.Succession `json:"succession,omitzero"`
}

// GuardianGrant is what a guardian starts with: the fees of some hundred answers.
var GuardianGrant = curve.Credits(10)

// Hash names the terms: SHA-256 of their JSON with fields in order.
func (t Terms) Hash() ([32]byte, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return [32]byte{}, fmt.Errorf("%w: %w", ErrTerms, err)
	}
	return sha256.Sum256(b), nil
}

// Validate reports what no network can be founded with.
func (t Terms) Validate() error {
	if err := p2p.ValidateNetwork(t.Network); err != nil {
		return fmt.Errorf("%w: %w", ErrTerms, err)
	}
	if t.Seats < 1 || t.Seats > curation.MaxMembers {
		return fmt.Errorf("%w: the number of members is %d, want 1 to %d", ErrTerms, t.Seats, curation.MaxMembers)
	}
	if err := curation.ValidateName(t.Charter.Name); err != nil {
		return fmt.Errorf("%w: charter: %w", ErrTerms, err)
	}
	if err := t.Params.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrTerms, err)
	}
	// What follows from the terms is tried with stand-ins for the members, so that a
	// mistake shows now and not when everybody has joined.
	return t.try(nil)
}

// try builds the genesis with the given seats and stand-ins for the others.
func (t Terms) try(seats []Seat) error {
	d := Document{Terms: t, Members: slices.Clone(seats)}
	for i := len(seats); i < t.Seats; i++ {
		seed := sha256.Sum256(fmt.Appendf(nil, "atelier/founding/stand-in %d", i))
		account := ed25519.NewKeyFromSeed(seed[:]).Public().(ed25519.PublicKey)
		d.Members = append(d.Members, Seat{Account: curation.AddressOf(account), Record: Record{
			Name: fmt.Sprintf("stand-in %d", i+1), Validator: sha256.Sum256(seed[:]), DealKey: dkg.DealKey(seed),
		}})
	}
	_, err := d.genesis()
	return err
}

// Record is what a member sends in. Its account is the identity of the connection.
type Record struct {
	Name      string        `json:"name"`
	Validator curation.Hash `json:"validator"`
	DealKey   curation.Hash `json:"deal_key"`
	Addrs     []string      `json:"addrs"` // multiaddrs under which others reach it, 1 to 8
}

// Encode returns the record's JSON.
func (r Record) Encode() ([]byte, error) { return json.Marshal(r) }

// DecodeRecord reads a record strictly.
func DecodeRecord(b []byte) (Record, error) {
	var r Record
	if err := strictjson.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%w: member record: %w", ErrTerms, err)
	}
	if err := curation.ValidateName(r.Name); err != nil {
		return r, fmt.Errorf("%w: member record: %w", ErrTerms, err)
	}
	if len(r.Addrs) < 1 || len(r.Addrs) > 8 {
		return r, fmt.Errorf("%w: the number of addresses in a member record is %d, want 1 to 8", ErrTerms, len(r.Addrs))
	}
	for _, a := range r.Addrs {
		if _, err := ma.NewMultiaddr(a); err != nil {
			return r, fmt.Errorf("%w: member record: address %q: %w", ErrTerms, a, err)
		}
	}
	return r, nil
}

// Document is what the founder hands out when all seats are taken. The genesis
// follows from it.
type Document struct {
	Terms   Terms  `json:"terms"`
	Members []Seat `json:"members"` // in the order of their indices
}

// Seat is a member with its account.
type Seat struct {
	Account curation.Address `json:"account"`
	Record  Record           `json:"record"`
}

// Encode returns the document's JSON.
func (d Document) Encode() ([]byte, error) { return json.MarshalIndent(d, "", " ") }

// DecodeDocument reads a document strictly and checks that a genesis follows.
func DecodeDocument(b []byte) (Document, error) {
	var d Document
	if len(b) > p2p.MaxGenesis {
		return d, fmt.Errorf("%w: document of %d bytes", ErrTerms, len(b))
	}
	if err := strictjson.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("%w: document: %w", ErrTerms, err)
	}
	for _, m := range d.Members {
		enc, err := m.Record.Encode()
		if err != nil {
			return d, err
		}
		if _, err := DecodeRecord(enc); err != nil {
			return d, err
		}
	}
	if _, err := d.Genesis(); err != nil {
		return d, err
	}
	return d, nil
}

// Genesis is the one genesis document that follows.
func (d Document) Genesis() ([]byte, error) {
	if err := d.Terms.Validate(); err != nil {
		return nil, err
	}
	return d.genesis()
}

func (d Document) genesis() ([]byte, error) {
	if len(d.Members) != d.Terms.Seats {
		return nil, fmt.Errorf("%w: the number of members is %d, and that of seats %d", ErrTerms, len(d.Members), d.Terms.Seats)
	}
	g := curation.Genesis{Charter: d.Terms.Charter, Params: d.Terms.Params, Succession: d.Terms.Succession}
	g.Balances = append(g.Balances, d.Terms.Balances...)
	for _, guardian := range d.Terms.Succession.Guardians {
		if !slices.ContainsFunc(g.Balances, func(b curation.GenesisBalance) bool { return b.Account == guardian.Account }) {
			g.Balances = append(g.Balances, curation.GenesisBalance{Account: guardian.Account, Amount: GuardianGrant})
		}
	}
	for i, m := range d.Members {
		g.Members = append(g.Members, curation.GenesisMember{
			Index: uint32(i + 1), Name: m.Record.Name, Account: m.Account,
			Validator: m.Record.Validator, DealKey: m.Record.DealKey, Power: 1,
		})
		if !d.Terms.Grant.IsZero() {
			g.Balances = append(g.Balances, curation.GenesisBalance{Account: m.Account, Amount: d.Terms.Grant})
		}
	}
	g.SortBalances()
	doc, err := g.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTerms, err)
	}
	return doc, nil
}

// Peers are the members' libp2p identities and addresses.
func (d Document) Peers() ([]peer.AddrInfo, error) {
	var all []peer.AddrInfo
	for _, m := range d.Members {
		pub, err := crypto.UnmarshalEd25519PublicKey(m.Account[:])
		if err != nil {
			return nil, fmt.Errorf("%w: account %v: %w", ErrTerms, m.Account, err)
		}
		id, err := peer.IDFromPublicKey(pub)
		if err != nil {
			return nil, fmt.Errorf("%w: account %v: %w", ErrTerms, m.Account, err)
		}
		info := peer.AddrInfo{ID: id}
		for _, s := range m.Record.Addrs {
			a, err := ma.NewMultiaddr(s)
			if err != nil {
				return nil, fmt.Errorf("%w: address %q: %w", ErrTerms, s, err)
			}
			info.Addrs = append(info.Addrs, a)
		}
		all = append(all, info)
	}
	return all, nil
}
