package curation

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// Application is what somebody who wants to become a member says of itself. Account
// and validator key both sign it, so nobody can be proposed who does not want to be,
// nor with a key that is not its own.
type Application struct {
	_         struct{} `cbor:",toarray"`
	Name      string   // 1 to MaxName bytes
	Account   Address  // also the public key of its libp2p identity
	Validator Hash     // ed25519 key for consensus
	Addresses []string // multiaddrs under which it is reached, 1 to MaxAddresses of at most MaxAddress bytes
	// Nonce is random: an application admits once, so that nobody who has left can be
	// brought back with an old one.
	Nonce Hash
	// AccountSignature and ValidatorSignature are ed25519 signatures over Digest.
	AccountSignature   [64]byte
	ValidatorSignature [64]byte
}

// Apply makes and signs an application to the ledger whose genesis hash is chain.
func Apply(chain, nonce Hash, name string, addresses []string, account, validator ed25519.PrivateKey) (Application, error) {
	a := Application{Name: name, Addresses: slices.Clone(addresses), Nonce: nonce,
		Account: AddressOf(account.Public().(ed25519.PublicKey)), Validator: Hash(validator.Public().(ed25519.PublicKey))}
	if err := a.Validate(); err != nil {
		return Application{}, err
	}
	digest := a.Digest(chain)
	a.AccountSignature = [64]byte(ed25519.Sign(account, digest[:]))
	a.ValidatorSignature = [64]byte(ed25519.Sign(validator, digest[:]))
	return a, nil
}

// Digest is what both keys sign: hash("application", chain, nonce, name, account,
// validator, addresses…).
func (a Application) Digest(chain Hash) Hash {
	parts := [][]byte{chain[:], a.Nonce[:], []byte(a.Name), a.Account[:], a.Validator[:]}
	for _, s := range a.Addresses {
		parts = append(parts, []byte(s))
	}
	return hash("application", parts...)
}

// Validate checks everything but the signatures: a name by ValidateName, 1 to MaxAddresses
// addresses of at most MaxAddress bytes, and two keys that differ.
func (a Application) Validate() error {
	if err := ValidateName(a.Name); err != nil {
		return err
	}
	if len(a.Addresses) < 1 || len(a.Addresses) > MaxAddresses {
		return fmt.Errorf("application has %d addresses, want 1 to %d", len(a.Addresses), MaxAddresses)
	}
	for _, s := range a.Addresses {
		if err := text("address", s, MaxAddress); err != nil {
			return err
		}
	}
	if a.Account == Address(a.Validator) {
		return errors.New("account and validator key are the same: they must differ")
	}
	return nil
}

// Verify checks Validate and both signatures, by the rules of ZIP-215.
func (a Application) Verify(chain Hash) error {
	if err := a.Validate(); err != nil {
		return err
	}
	digest := a.Digest(chain)
	for _, s := range []struct {
		who       string
		key       []byte
		signature [64]byte
	}{{"account", a.Account[:], a.AccountSignature}, {"validator key", a.Validator[:], a.ValidatorSignature}} {
		if !voi.VerifyWithOptions(s.key, digest[:], s.signature[:], &voi.Options{Verify: voi.VerifyOptionsZIP_215}) {
			return fmt.Errorf("the application's signature by its %s is not good for this network", s.who)
		}
	}
	return nil
}
