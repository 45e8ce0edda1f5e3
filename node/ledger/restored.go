package ledger

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/privval"

	"github.com/atelier-dao/atelier/node/keys"
)

// restored stands in a home in place of the record of votes: the key signed up to
// some height that nobody knows any more.
type restored struct {
	Format int `json:"format"` // 1
	// Above is a height that the network is known to have reached. A record of votes
	// for a later one is newer than this note.
	Above uint64 `json:"above"`
}

// journalDir is where consensus writes down what happens in a height, to go on from
// there after a crash.
func journalDir(home string) string { return filepath.Join(home, "data", "cs.wal") }

func restoredFile(home string) string { return filepath.Join(home, "data", "restored.json") }

// RestoreValidator puts a validator's key into a home that has none, without a
// record of its votes: the engine observes there before it signs. above is the
// greatest height that the network is known to have reached.
func RestoreValidator(home string, key ed25519.PrivateKey, above uint64) (err error) {
	path, votes := keyFile(home), votesFile(home)
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(votes)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("validator key: %w", err)
		}
	}
	for _, file := range []string{path, votes} {
		if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("validator key: %s exists already", file)
		}
	}
	// The note first: the key is never there without it.
	if err := writeRestored(home, above); err != nil {
		return err
	}
	b, err := cmtjson.MarshalIndent(privval.NewFilePV(cmted25519.PrivKey(key), path, votes).Key, "", "  ")
	if err != nil {
		return fmt.Errorf("validator key: %w", err)
	}
	if err := keys.WriteFile(path, b, 0o600); err != nil {
		return fmt.Errorf("validator key: %w", err)
	}
	return nil
}

func writeRestored(home string, above uint64) error {
	b, err := json.Marshal(restored{Format: 1, Above: above})
	if err != nil {
		return err
	}
	if err := keys.WriteFile(restoredFile(home), append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("validator key: %w", err)
	}
	return nil
}

// Restored says whether the validator of a home was restored and observes still.
func Restored(home string) (bool, error) {
	r, err := readRestored(home)
	return r != nil, err
}

// readRestored gives nil when there is no note.
func readRestored(home string) (*restored, error) {
	path := restoredFile(home)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("validator key: %w", err)
	}
	var r restored
	if err := json.Unmarshal(b, &r); err != nil || r.Format != 1 || r.Above > math.MaxInt64 {
		return nil, fmt.Errorf("validator key: %s is damaged: restore the member again, with `atelier member restore` into a new home", path)
	}
	return &r, nil
}

// loadRestored is a validator whose note is there. A record of votes that is newer
// than the note is the end of an observation: what consensus wrote down meanwhile goes,
// for it holds votes of ours from peers, which must not come before it asks for our own
// (former.go), and then the note.
func loadRestored(home string, r *restored) (*validator, error) {
	key, votes := keyFile(home), votesFile(home)
	v, err := readVotes(votes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case v.Height >= int64(r.Above):
		pv, err := loadRecorded(home)
		if err != nil {
			return nil, err
		}
		if err := os.RemoveAll(journalDir(home)); err != nil {
			return nil, fmt.Errorf("validator key: %w", err)
		}
		return &validator{FilePV: pv}, forgetRestored(home)
	}
	private, err := readKey(key)
	if err != nil {
		return nil, err
	}
	return &validator{FilePV: privval.NewFilePV(cmted25519.PrivKey(private), key, votes), restored: r}, nil
}

// recordVotes ends an observation: once it is loaded again, the validator signs what
// comes after last, and nothing else.
func recordVotes(home string, last privval.FilePVLastSignState) error {
	b, err := cmtjson.MarshalIndent(&last, "", "  ")
	if err != nil {
		return fmt.Errorf("record of votes: %w", err)
	}
	if err := keys.WriteFile(votesFile(home), b, 0o600); err != nil {
		return fmt.Errorf("record of votes: %w", err)
	}
	return nil
}

func forgetRestored(home string) error {
	if err := os.Remove(restoredFile(home)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("validator key: %w", err)
	}
	return nil
}

// Inspect brings app to the state of the ledger in home, which no engine runs. The
// error wraps fs.ErrNotExist when there is none, and ErrLocked when one runs.
func Inspect(home string, genesis []byte, app Application) error {
	if _, err := os.Stat(filepath.Join(home, "data", "ledger.db")); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	store, err := openDB(filepath.Join(home, "data"), "ledger")
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	h, err := openHistory(store, app, genesis)
	if err != nil {
		return fmt.Errorf("ledger: %w", errors.Join(err, store.Close()))
	}
	return h.close()
}
