package keys

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A collector has one key and no home. It lies in an age file of its own, under a
// passphrase as in a home: the person's, or a random one kept beside it.

// account is the JSON inside a collector's age file.
type account struct {
	Version int    `json:"version"`
	Account []byte `json:"account"` // ed25519 seed
}

func keptBeside(path string) string { return path + ".passphrase" }

// SaveAccount writes a collector's key to path and refuses to overwrite a file. An
// empty passphrase makes a random one and keeps it in path.passphrase, mode 0600.
func SaveAccount(path, passphrase string, key ed25519.PrivateKey) error {
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already: keys are never overwritten", path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if passphrase == "" {
		passphrase = drawPassphrase()
		if err := WriteFile(keptBeside(path), []byte(passphrase+"\n"), 0o600); err != nil {
			return err
		}
	}
	plain, err := json.Marshal(account{1, key.Seed()})
	if err != nil {
		return err
	}
	sealed, err := encrypt(passphrase, plain)
	if err != nil {
		return fmt.Errorf("encrypt key: %w", err)
	}
	return WriteFile(path, sealed, 0o600)
}

// LoadAccount opens a collector's key. A passphrase that is kept beside the file
// goes before the given one, which may belong to a home.
func LoadAccount(path, passphrase string) (ed25519.PrivateKey, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no key in %s: make one with `atelier account create --key %s`: %w", path, path, os.ErrNotExist)
	} else if err != nil {
		return nil, fmt.Errorf("read key: %w", err)
	}
	if kept, err := os.ReadFile(keptBeside(path)); err == nil {
		passphrase = strings.TrimSpace(string(kept))
	}
	if passphrase == "" {
		return nil, fmt.Errorf("%s: %w", path, ErrNoPassphrase)
	}
	var v account
	if err := decrypt(b, passphrase, &v); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if v.Version != 1 || len(v.Account) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s has an unknown form (version %d)", path, v.Version)
	}
	return ed25519.NewKeyFromSeed(v.Account), nil
}
