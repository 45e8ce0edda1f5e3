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

// seedFiles are the files in a folder that hold one seed each, named by a prefix and the
// number of the seed.
type seedFiles struct{ dir, prefix string }

// epochFiles are those of handovers in a folder of keys: epoch-2.age.
func epochFiles(dir string) seedFiles { return seedFiles{dir, "epoch-"} }

func (f seedFiles) path(number uint64) string {
	return filepath.Join(f.dir, fmt.Sprintf("%s%d.age", f.prefix, number))
}

// storedSeed is the JSON inside such a file.
type storedSeed struct {
	Version int    `json:"version"`
	Number  uint64 `json:"epoch"` // in the file a guardian's sharing is called so, too
	Seed    []byte `json:"seed"`
}

// free is an error when there is a seed of that number already.
func (f seedFiles) free(number uint64) error {
	if _, err := os.Stat(f.path(number)); err == nil {
		return fmt.Errorf("%s exists already: keys are never overwritten", f.path(number))
	}
	return nil
}

// save makes a seed durable, of a number that is free.
func (f seedFiles) save(passphrase string, number uint64, seed [32]byte) error {
	plain, err := json.Marshal(storedSeed{1, number, seed[:]})
	if err != nil {
		return err
	}
	defer clear(plain)
	sealed, err := encrypt(passphrase, plain)
	if err != nil {
		return fmt.Errorf("encrypt seed: %w", err)
	}
	return WriteFile(f.path(number), sealed, 0o600)
}

// numbers are those of the seeds there are, from least on; none in a folder that is not
// there. Folders are named by people: a pattern would take [, * and ? in their names for
// its own.
func (f seedFiles) numbers(least uint64) (all []uint64, err error) {
	entries, err := os.ReadDir(f.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("look for seeds: %w", err)
	}
	for _, e := range entries {
		digits, ours := strings.CutPrefix(e.Name(), f.prefix)
		digits, age := strings.CutSuffix(digits, ".age")
		if !ours || !age {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 64)
		if path := filepath.Join(f.dir, e.Name()); err != nil || n < least || path != f.path(n) {
			return nil, fmt.Errorf("%s: not a name that atelier gives to a seed: move it away", path)
		}
		all = append(all, n)
	}
	return all, nil
}

// load reads the seeds of these numbers, without those that are erased meanwhile.
func (f seedFiles) load(passphrase string, numbers []uint64) (map[uint64][32]byte, error) {
	seeds := map[uint64][32]byte{}
	for _, n := range numbers {
		b, err := os.ReadFile(f.path(n))
		switch {
		case errors.Is(err, os.ErrNotExist) || err == nil && erased(b): // by a node that runs, or that stopped over it
			continue
		case err != nil:
			return nil, fmt.Errorf("read seed: %w", err)
		}
		var v storedSeed
		if err := decrypt(b, passphrase, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path(n), err)
		}
		if v.Version != 1 || v.Number != n || len(v.Seed) != 32 {
			return nil, fmt.Errorf("%s has an unknown form (version %d, number %d)", f.path(n), v.Version, v.Number)
		}
		seeds[n] = [32]byte(v.Seed)
	}
	return seeds, nil
}

// SaveSeed makes the seed of an epoch durable. It refuses to overwrite another one.
func SaveSeed(home, passphrase string, epoch uint64, seed [32]byte) error {
	if epoch < 2 {
		return fmt.Errorf("save seed: epoch %d is the founders' or none", epoch)
	}
	files := epochFiles(filepath.Join(home, Dir))
	if err := files.free(epoch); err != nil {
		return err
	}
	passphrase, err := kept(files.dir, passphrase)
	if err != nil {
		return err
	}
	return files.save(passphrase, epoch, seed)
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
	files := epochFiles(dir)
	epochs, err := files.numbers(2)
	if err != nil || len(epochs) == 0 {
		return nil, err
	}
	return files.load(passphrase, epochs)
}

// EraseSeed destroys the seed of an epoch. The file is overwritten before it is
// removed, which disks that move data about do not promise to heed: that is what
// the passphrase is for. The founders' seed lies in one file with the identity,
// which is replaced whole: who is reading it must find the identity.
func EraseSeed(home, passphrase string, epoch uint64) error {
	if epoch == 1 {
		return eraseFounding(home, passphrase)
	}
	return erase(epochFiles(filepath.Join(home, Dir)).path(epoch))
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
