package founding

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// ErrApplication reports an application or a welcome that is not good for the network.
var ErrApplication = errors.New("cannot join a network with this")

// application is the JSON of a curation.Application.
type application struct {
	Name               string           `json:"name"`
	Account            curation.Address `json:"account"`
	Validator          curation.Hash    `json:"validator"`
	Addresses          []string         `json:"addresses"`
	Nonce              curation.Hash    `json:"nonce"`
	AccountSignature   string           `json:"account_signature"`
	ValidatorSignature string           `json:"validator_signature"`
}

// EncodeApplication returns the JSON of an application.
func EncodeApplication(a curation.Application) []byte {
	b, err := json.Marshal(application{Name: a.Name, Account: a.Account, Validator: a.Validator, Addresses: a.Addresses, Nonce: a.Nonce,
		AccountSignature: hex.EncodeToString(a.AccountSignature[:]), ValidatorSignature: hex.EncodeToString(a.ValidatorSignature[:])})
	if err != nil { // strings and hashes have a form always
		panic(err)
	}
	return b
}

// DecodeApplication reads an application strictly, and checks its signatures for the
// network of a genesis hash and that its addresses are some.
func DecodeApplication(b []byte, chain curation.Hash) (curation.Application, error) {
	var s application
	if err := strictjson.Unmarshal(b, &s); err != nil {
		return curation.Application{}, fmt.Errorf("%w: application: %w", ErrApplication, err)
	}
	a := curation.Application{Name: s.Name, Account: s.Account, Validator: s.Validator, Addresses: s.Addresses, Nonce: s.Nonce}
	for _, f := range []struct {
		text string
		to   *[64]byte
	}{{s.AccountSignature, &a.AccountSignature}, {s.ValidatorSignature, &a.ValidatorSignature}} {
		raw, err := hex.DecodeString(f.text)
		if err != nil || len(raw) != len(f.to) {
			return curation.Application{}, fmt.Errorf("%w: application: a signature is not 128 hex digits", ErrApplication)
		}
		copy(f.to[:], raw)
	}
	if err := a.Verify(chain); err != nil {
		return curation.Application{}, fmt.Errorf("%w: %w", ErrApplication, err)
	}
	if err := checkAddresses(a.Addresses); err != nil {
		return curation.Application{}, fmt.Errorf("%w: %w", ErrApplication, err)
	}
	return a, nil
}

func checkAddresses(texts []string) error {
	for _, s := range texts {
		if _, err := ma.NewMultiaddr(s); err != nil {
			return fmt.Errorf("address %q: %w", s, err)
		}
	}
	return nil
}

// Known are the members and where they are reached, as of a height: what a node goes
// by as long as its own ledger has not come so far.
type Known struct {
	Height  uint64  `json:"height"`
	Members []Reach `json:"members"`
}

// Reach is where a member is reached.
type Reach struct {
	Account   curation.Address `json:"account"`
	Addresses []string         `json:"addresses"`
}

// Info is the member's libp2p identity with its addresses; what is none is left out.
func (r Reach) Info() (peer.AddrInfo, error) {
	pub, err := crypto.UnmarshalEd25519PublicKey(r.Account[:])
	if err != nil {
		return peer.AddrInfo{}, fmt.Errorf("account %v: %w", r.Account, err)
	}
	id, err := peer.IDFromPublicKey(pub)
	if err != nil {
		return peer.AddrInfo{}, fmt.Errorf("account %v: %w", r.Account, err)
	}
	info := peer.AddrInfo{ID: id}
	for _, s := range r.Addresses {
		if a, err := ma.NewMultiaddr(s); err == nil {
			info.Addrs = append(info.Addrs, a)
		}
	}
	return info, nil
}

// Welcome is what an inviter answers to an application: the founding document, whose
// genesis the invitation names, and where the members are reached.
type Welcome struct {
	Document Document
	Known    Known
}

// welcome is the JSON of a Welcome.
type welcome struct {
	Document json.RawMessage `json:"document"`
	Known    Known           `json:"known"`
}

// Encode returns the welcome's JSON.
func (w Welcome) Encode() ([]byte, error) {
	d, err := w.Document.Encode()
	if err != nil {
		return nil, err
	}
	return json.Marshal(welcome{Document: d, Known: w.Known})
}

// DecodeWelcome reads a welcome strictly and checks that it is to the network of a
// genesis hash.
func DecodeWelcome(b []byte, chain curation.Hash) (w Welcome, err error) {
	var s welcome
	if len(b) > p2p.MaxWelcome {
		return w, fmt.Errorf("%w: welcome of %d bytes", ErrApplication, len(b))
	}
	if err := strictjson.Unmarshal(b, &s); err != nil {
		return w, fmt.Errorf("%w: welcome: %w", ErrApplication, err)
	}
	if w.Document, err = DecodeDocument(s.Document); err != nil {
		return Welcome{}, err
	}
	genesis, err := w.Document.Genesis()
	if err != nil {
		return Welcome{}, err
	}
	if curation.GenesisHash(genesis) != chain {
		return Welcome{}, fmt.Errorf("%w: the founding document is not that of the invitation", ErrApplication)
	}
	if len(s.Known.Members) > 2*curation.MaxMembers { // those that come and those that go among them
		return Welcome{}, fmt.Errorf("%w: welcome names %d members", ErrApplication, len(s.Known.Members))
	}
	for _, m := range s.Known.Members {
		// The ledger does not know what an address is: a member with a bad one must not
		// keep everybody else from joining. Info leaves it out.
		if len(m.Addresses) > curation.MaxAddresses {
			return Welcome{}, fmt.Errorf("%w: welcome names a member with %d addresses, want at most %d", ErrApplication, len(m.Addresses), curation.MaxAddresses)
		}
		if _, err := m.Info(); err != nil {
			return Welcome{}, fmt.Errorf("%w: welcome: %w", ErrApplication, err)
		}
	}
	w.Known = s.Known
	return w, nil
}
