package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A guardian's seeds lie beside its account's key, one file for each sharing that it
// has accepted, under the passphrase of that key: KEY.sharing-1.age.

func sharingFile(path string, sharing uint64) string {
	return fmt.Sprintf("%s.sharing-%d.age", path, sharing)
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
	to := sharingFile(path, sharing)
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("%s exists already: keys are never overwritten", to)
	}
	plain, err := json.Marshal(storedSeed{1, sharing, seed[:]})
	if err != nil {
		return err
	}
	defer clear(plain)
	sealed, err := encrypt(passphrase, plain)
	if err != nil {
		return fmt.Errorf("encrypt seed: %w", err)
	}
	return WriteFile(to, sealed, 0o600)
}

// LoadSharings reads a guardian's seeds, by the sharing that was accepted with them.
func LoadSharings(path, passphrase string) (map[uint64][32]byte, error) {
	dir, prefix := filepath.Dir(path), filepath.Base(path)+".sharing-"
	names, err := seedFiles(dir, prefix)
	if err != nil {
		return nil, err
	}
	seeds := map[uint64][32]byte{}
	if len(names) == 0 {
		return seeds, nil
	}
	if passphrase, err = underKey(path, passphrase); err != nil {
		return nil, err
	}
	for _, name := range names {
		n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(name, prefix), ".age"), 10, 64)
		if name = filepath.Join(dir, name); err != nil || name != sharingFile(filepath.Clean(path), n) {
			return nil, fmt.Errorf("%s: not a name that `atelier guardian tend` gives: move it away", name)
		}
		b, err := os.ReadFile(name)
		switch {
		case errors.Is(err, os.ErrNotExist) || err == nil && erased(b):
			continue
		case err != nil:
			return nil, fmt.Errorf("read seed: %w", err)
		}
		var v storedSeed
		if err := decrypt(b, passphrase, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if v.Version != 1 || v.Epoch != n || len(v.Seed) != 32 {
			return nil, fmt.Errorf("%s has an unknown form (version %d, sharing %d)", name, v.Version, v.Epoch)
		}
		seeds[n] = [32]byte(v.Seed)
	}
	return seeds, nil
}

// EraseSharing destroys a guardian's seed, as EraseSeed does a member's.
func EraseSharing(path string, sharing uint64) error { return erase(sharingFile(path, sharing)) }
