package keys

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Seeds of the member's part in handovers lie in files of their own, one for each
// epoch, so that one can be erased without writing the others again. That of the
// founders' ceremony is Secrets.Ceremony, epoch 1.

func seedFile(epoch uint64) string { return fmt.Sprintf("epoch-%d.age", epoch) }

// storedSeed is the JSON inside such a file.
type storedSeed struct {
	Version int    `json:"version"`
	Epoch   uint64 `json:"epoch"`
	Seed    []byte `json:"seed"`
}

// SaveSeed makes the seed of an epoch durable. It refuses to overwrite another one.
func SaveSeed(home, passphrase string, epoch uint64, seed [32]byte) error {
	if epoch < 2 {
		return fmt.Errorf("save seed: epoch %d is the founders' or none", epoch)
	}
	dir := filepath.Join(home, Dir)
	path := filepath.Join(dir, seedFile(epoch))
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already: keys are never overwritten", path)
	}
	passphrase, err := kept(dir, passphrase)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(storedSeed{1, epoch, seed[:]})
	if err != nil {
		return err
	}
	defer clear(plain)
	sealed, err := encrypt(passphrase, plain)
	if err != nil {
		return fmt.Errorf("encrypt seed: %w", err)
	}
	return WriteFile(path, sealed, 0o600)
}

// Seeds are those of all ceremonies, by epoch.
func (s Secrets) Seeds() map[uint64][32]byte {
	seeds := maps.Clone(s.Later)
	if seeds == nil {
		seeds = map[uint64][32]byte{}
	}
	if s.Ceremony != ([32]byte{}) {
		seeds[1] = s.Ceremony
	}
	return seeds
}

// loadSeeds reads the seeds of handovers in a folder of keys; nil when there is none.
func loadSeeds(dir, passphrase string) (map[uint64][32]byte, error) {
	names, err := seedFiles(dir, "epoch-")
	if err != nil {
		return nil, err
	}
	var seeds map[uint64][32]byte
	for _, name := range names {
		path := filepath.Join(dir, name)
		epoch, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(name, "epoch-"), ".age"), 10, 64)
		if err != nil || epoch < 2 || name != seedFile(epoch) {
			return nil, fmt.Errorf("%s: not a name that a node gives: move it away", path)
		}
		b, err := os.ReadFile(path)
		switch {
		case errors.Is(err, os.ErrNotExist) || err == nil && erased(b): // by a node that runs, or that stopped over it
			continue
		case err != nil:
			return nil, fmt.Errorf("read seed: %w", err)
		}
		var v storedSeed
		if err := decrypt(b, passphrase, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if v.Version != 1 || v.Epoch != epoch || len(v.Seed) != 32 {
			return nil, fmt.Errorf("%s has an unknown form (version %d, epoch %d)", name, v.Version, v.Epoch)
		}
		if seeds == nil {
			seeds = map[uint64][32]byte{}
		}
		seeds[epoch] = [32]byte(v.Seed)
	}
	return seeds, nil
}

// seedFiles are the names in a folder that begin so and end in .age; none in a folder
// that is not there. Folders are named by people: a pattern would take [, * and ? in
// their names for its own.
func seedFiles(dir, prefix string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("look for seeds: %w", err)
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, prefix) && strings.HasSuffix(name, ".age") {
			names = append(names, name)
		}
	}
	return names, nil
}

// EraseSeed destroys the seed of an epoch. The file is overwritten before it is
// removed, which disks that move data about do not promise to heed: that is what
// the passphrase is for. The founders' seed lies in one file with the identity,
// which is replaced whole: who is reading it must find the identity.
func EraseSeed(home, passphrase string, epoch uint64) error {
	if epoch == 1 {
		return eraseFounding(home, passphrase)
	}
	return erase(filepath.Join(home, Dir, seedFile(epoch)))
}

// erase overwrites and removes a seed's file, if there is one.
func erase(path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("erase seed: %w", err)
	}
	if err := overwrite(path, info.Size()); err != nil {
		return fmt.Errorf("erase seed: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("erase seed: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

// erased says whether overwrite has begun on a file; no age file begins so.
func erased(b []byte) bool { return len(b) > 0 && b[0] == 0 }

// eraseFounding writes the keys of a home again without the seed of its founding.
func eraseFounding(home, passphrase string) error {
	s, err := Load(home, passphrase)
	if err != nil {
		return err
	}
	dir := filepath.Join(home, Dir)
	if passphrase, err = kept(dir, passphrase); err != nil {
		return err
	}
	plain, err := json.Marshal(stored{1, s.Identity.Seed(), make([]byte, 32), s.Prekeys[:]})
	if err != nil {
		return err
	}
	defer clear(plain)
	sealed, err := encrypt(passphrase, plain)
	if err != nil {
		return fmt.Errorf("encrypt keys: %w", err)
	}
	return WriteFile(filepath.Join(dir, file), sealed, 0o600)
}

func overwrite(path string, size int64) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(make([]byte, size)); err != nil {
		return err
	}
	return f.Sync()
}
