package ledger

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/privval"
)

func keyFile(home string) string   { return filepath.Join(home, "config", "priv_validator_key.json") }
func votesFile(home string) string { return filepath.Join(home, "data", "priv_validator_state.json") }

// ValidatorKey creates the validator key of a home when it has none (file mode
// 0600) and returns its public part: what a founder needs before there is a
// genesis.
func ValidatorKey(home string) (ed25519.PublicKey, error) {
	v, err := loadValidator(home)
	if err != nil {
		return nil, err
	}
	return v.public(), nil
}

// ValidatorSecret is the validator key of a home that has one: what a backup of
// the member holds.
func ValidatorSecret(home string) (ed25519.PrivateKey, error) {
	return readKey(keyFile(home))
}

// validator is the key that signs votes, with the record of its last one. A
// restored one has lost that record, and observes until it may begin another.
type validator struct {
	*privval.FilePV
	restored *restored // nil when it may sign
}

func (v *validator) public() ed25519.PublicKey { return ed25519.PublicKey(v.Key.PubKey.Bytes()) }

// loadValidator reads or creates the key and the record of the last vote. It
// checks the files before it lets CometBFT read them, because CometBFT ends the
// process over a bad one. A key without its record is refused, unless it was
// restored as such: without it the validator might vote twice.
func loadValidator(home string) (*validator, error) {
	r, err := readRestored(home)
	if err != nil {
		return nil, err
	}
	if r != nil {
		return loadRestored(home, r)
	}
	pv, err := loadRecorded(home)
	if err != nil {
		return nil, err
	}
	return &validator{FilePV: pv}, nil
}

func loadRecorded(home string) (*privval.FilePV, error) {
	key, votes := keyFile(home), votesFile(home)
	for _, dir := range []string{filepath.Dir(key), filepath.Dir(votes)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("validator key: %w", err)
		}
	}
	_, keyErr := os.Stat(key)
	_, votesErr := os.Stat(votes)
	switch {
	case errors.Is(keyErr, fs.ErrNotExist) && errors.Is(votesErr, fs.ErrNotExist):
		return createValidator(key, votes)
	case errors.Is(keyErr, fs.ErrNotExist):
		v, err := readVotes(votes)
		if err != nil {
			return nil, err
		}
		if v.Height == 0 { // a creation that did not come to its end
			return createValidator(key, votes)
		}
		return nil, fmt.Errorf("validator key: %s is missing, yet it has voted at height %d", key, v.Height)
	case errors.Is(votesErr, fs.ErrNotExist):
		return nil, fmt.Errorf("validator key: %s is missing: without the record of its last vote the validator might vote twice. Put it back, or restore the member from its backup with `atelier member restore`, into a new home", votes)
	case keyErr != nil:
		return nil, fmt.Errorf("validator key: %w", keyErr)
	case votesErr != nil:
		return nil, fmt.Errorf("validator key: %w", votesErr)
	}
	if _, err := readKey(key); err != nil {
		return nil, err
	}
	if _, err := readVotes(votes); err != nil {
		return nil, err
	}
	return privval.LoadFilePV(key, votes), nil
}

func readKey(path string) (ed25519.PrivateKey, error) {
	var k privval.FilePVKey
	if err := readJSON(path, &k); err != nil {
		return nil, err
	}
	private, ok := k.PrivKey.(cmted25519.PrivKey)
	if !ok || len(private) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("validator key: %s holds no ed25519 key", path)
	}
	return ed25519.PrivateKey(private), nil
}

// createValidator saves the record of votes first: a crash between the two
// files then never leaves a key whose votes are unknown.
func createValidator(key, votes string) (pv *privval.FilePV, err error) {
	defer func() {
		if r := recover(); r != nil { // CometBFT panics when it cannot write
			pv, err = nil, fmt.Errorf("validator key: %v", r)
		}
	}()
	pv = privval.GenFilePV(key, votes)
	pv.LastSignState.Save()
	pv.Key.Save()
	return pv, nil
}

// readVotes reads the record of the last vote. A file that is JSON but no such
// record must not pass for a validator that never voted.
func readVotes(path string) (v privval.FilePVLastSignState, err error) {
	var fields map[string]json.RawMessage
	b, err := os.ReadFile(path)
	if err != nil {
		return v, fmt.Errorf("validator key: %w", err)
	}
	if err := json.Unmarshal(b, &fields); err != nil {
		return v, fmt.Errorf("validator key: %s: %w", path, err)
	}
	for _, f := range []string{"height", "round", "step"} {
		if fields[f] == nil {
			return v, fmt.Errorf("validator key: %s has no %s", path, f)
		}
	}
	return v, readJSON(path, &v)
}

func readJSON(path string, to any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("validator key: %w", err)
	}
	if err := cmtjson.Unmarshal(b, to); err != nil {
		return fmt.Errorf("validator key: %s: %w", path, err)
	}
	return nil
}
