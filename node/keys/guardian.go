package keys

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// A guardian's seeds lie beside its account's key, one file for each sharing that it
// has accepted, under the passphrase of that key: KEY.sharing-1.age.

func sharingFiles(path string) seedFiles {
	return seedFiles{filepath.Dir(path), filepath.Base(path) + ".sharing-"}
}

// underKey is the passphrase of an account's key file.
func underKey(path, passphrase string) (string, error) {
	if kept, err := os.ReadFile(keptBeside(path)); err == nil {
		passphrase = strings.TrimSpace(string(kept))
	}
	if passphrase == "" {
		return "", fmt.Errorf("%s: %w", path, ErrNoPassphrase)
	}
	return passphrase, nil
}

// SaveSharing makes a guardian's seed durable beside its key. It refuses to overwrite
// another one.
func SaveSharing(path, passphrase string, sharing uint64, seed [32]byte) error {
	passphrase, err := underKey(path, passphrase)
	if err != nil {
		return err
	}
	files := sharingFiles(path)
	if err := files.free(sharing); err != nil {
		return err
	}
	return files.save(passphrase, sharing, seed)
}

// LoadSharings reads a guardian's seeds, by the sharing that was accepted with them.
func LoadSharings(path, passphrase string) (map[uint64][32]byte, error) {
	files := sharingFiles(path)
	sharings, err := files.numbers(1)
	if err != nil || len(sharings) == 0 {
		return map[uint64][32]byte{}, err
	}
	if passphrase, err = underKey(path, passphrase); err != nil {
		return nil, err
	}
	return files.load(passphrase, sharings)
}

// EraseSharing destroys a guardian's seed, as EraseSeed does a member's.
func EraseSharing(path string, sharing uint64) error { return erase(sharingFiles(path).path(sharing)) }
