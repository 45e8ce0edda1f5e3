// Package keys holds the secrets of a home at rest: the node's identity, the
// seed of its part in ceremonies and the seed of its prekeys.
//
// They live in one age file (age-encryption.org/v1) under a passphrase, so that
// a person can inspect and back it up with the age program. Without a passphrase
// of one's own, a random one stands beside it in keys/passphrase, mode 0600: this
// protects a copied keys.age, not a copied home. Files are written under a
// temporary name, synced and renamed, and the directory is synced.
//
// The share of the model's key itself is not stored: it follows from the
// ceremony seed and the ledger, and is derived again at each start.
package keys

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Names inside a home.
const (
	Dir            = "keys"
	file           = "keys.age"
	passphraseFile = "passphrase"
)

// Logarithms of scrypt's N: what each guess at a passphrase costs. 15 takes 32 MiB and
// about 0.1 s. Nobody guesses a drawn passphrase of 256 bits, whatever a guess costs; so
// the commands that open a file under one need not take as long.
const (
	chosenFactor = 15
	drawnFactor  = 10
)

// ErrPassphrase reports a passphrase that does not open the key file, and
// ErrNoPassphrase that there is none to try.
var (
	ErrPassphrase   = errors.New("the passphrase does not open the key file")
	ErrNoPassphrase = errors.New("the key file needs a passphrase: none was given and none is kept beside it")
)

// Secrets are what makes a home a member. They redact themselves in print.
type Secrets struct {
	Identity ed25519.PrivateKey  // libp2p identity and ledger account of the member
	Ceremony [32]byte            // seed of the founders' ceremony (shamir/dkg); zero once erased
	Later    map[uint64][32]byte // seeds of handovers, by the epoch of the committee that they make
	Prekeys  [32]byte            // seed of the one-time reader keys
}

// Format prints nothing of the secrets.
func (s Secrets) Format(f fmt.State, _ rune) { fmt.Fprint(f, "secrets(redacted)") }

// LogValue prints nothing of the secrets.
func (s Secrets) LogValue() slog.Value { return slog.StringValue("redacted") }

// MarshalJSON refuses: secrets leave only through Save.
func (s Secrets) MarshalJSON() ([]byte, error) { return nil, errors.New("secrets are not printed") }

// Account is the public key of the identity.
func (s Secrets) Account() (a [32]byte) {
	copy(a[:], s.Identity.Public().(ed25519.PublicKey))
	return a
}

// New draws fresh secrets from r.
func New(r io.Reader) (Secrets, error) {
	var s Secrets
	var seed [32]byte
	for _, b := range [][]byte{seed[:], s.Ceremony[:], s.Prekeys[:]} {
		if _, err := io.ReadFull(r, b); err != nil {
			return s, fmt.Errorf("draw secrets: %w", err)
		}
	}
	s.Identity = ed25519.NewKeyFromSeed(seed[:])
	return s, nil
}

// stored is the JSON inside the age file.
type stored struct {
	Version  int    `json:"version"`
	Identity []byte `json:"identity"`
	Ceremony []byte `json:"ceremony"`
	Prekeys  []byte `json:"prekeys"`
}

// Save writes the secrets into home/keys and refuses to overwrite others. An
// empty passphrase makes and keeps a random one.
func Save(home, passphrase string, s Secrets) error {
	dir := filepath.Join(home, Dir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make key directory: %w", err)
	}
	path := filepath.Join(dir, file)
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("%s exists already: another identity lives in this home, choose another with --home", path)
	}
	if passphrase == "" {
		passphrase = drawPassphrase()
		if err := WriteFile(filepath.Join(dir, passphraseFile), []byte(passphrase+"\n"), 0o600); err != nil {
			return err
		}
	}
	plain, err := json.Marshal(stored{1, s.Identity.Seed(), s.Ceremony[:], s.Prekeys[:]})
	if err != nil {
		return err
	}
	sealed, err := encrypt(passphrase, plain)
	if err != nil {
		return fmt.Errorf("encrypt keys: %w", err)
	}
	for epoch, seed := range s.Later {
		if err := SaveSeed(home, passphrase, epoch, seed); err != nil {
			return err
		}
	}
	return WriteFile(path, sealed, 0o600)
}

// drawPassphrase is 32 random bytes in base64.
func drawPassphrase() string {
	var b [32]byte
	rand.Read(b[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// drawn says whether a passphrase has the form of those that drawPassphrase draws.
func drawn(passphrase string) bool {
	b, err := base64.RawURLEncoding.DecodeString(passphrase)
	return err == nil && len(b) == 32
}

func encrypt(passphrase string, plain []byte) ([]byte, error) {
	if drawn(passphrase) {
		return Seal(passphrase, drawnFactor, plain)
	}
	return Seal(passphrase, chosenFactor, plain)
}

// Seal encrypts plain as an age file under a passphrase. factor is the logarithm of
// scrypt's N: what each guess at the passphrase costs.
func Seal(passphrase string, factor int, plain []byte) ([]byte, error) {
	rc, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return nil, err
	}
	rc.SetWorkFactor(factor)
	var out bytes.Buffer
	w, err := age.Encrypt(&out, rc)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(plain); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// maxWorkFactor bounds what a file may ask for: 1 GiB of memory, some seconds.
const maxWorkFactor = 20

// Unseal opens what Seal made, of at most limit bytes. A wrong passphrase gives
// ErrPassphrase.
func Unseal(sealed []byte, passphrase string, limit int) ([]byte, error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return nil, err
	}
	id.SetMaxWorkFactor(maxWorkFactor)
	var another *age.NoIdentityMatchError
	r, err := age.Decrypt(bytes.NewReader(sealed), id)
	switch {
	case errors.As(err, &another):
		return nil, ErrPassphrase
	case err != nil:
		return nil, fmt.Errorf("no key file, or a damaged one: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("damaged: %w", err)
	case len(plain) > limit:
		return nil, fmt.Errorf("damaged: it holds more than %d bytes", limit)
	}
	return plain, nil
}

// Load opens the secrets of a home. An empty passphrase reads the kept one.
func Load(home, passphrase string) (Secrets, error) {
	var s Secrets
	dir := filepath.Join(home, Dir)
	b, err := os.ReadFile(filepath.Join(dir, file))
	if errors.Is(err, os.ErrNotExist) {
		return s, fmt.Errorf("%s holds no keys: make a network with `atelier network create` or join one with `atelier member join`: %w", home, os.ErrNotExist)
	} else if err != nil {
		return s, fmt.Errorf("read keys: %w", err)
	}
	if passphrase, err = kept(dir, passphrase); err != nil {
		return s, err
	}
	var v stored
	if err := decrypt(b, passphrase, &v); err != nil {
		return s, fmt.Errorf("%s: %w", file, err)
	}
	if v.Version != 1 || len(v.Identity) != 32 || len(v.Ceremony) != 32 || len(v.Prekeys) != 32 {
		return s, fmt.Errorf("keys.age has an unknown form (version %d)", v.Version)
	}
	s.Identity = ed25519.NewKeyFromSeed(v.Identity)
	copy(s.Ceremony[:], v.Ceremony)
	copy(s.Prekeys[:], v.Prekeys)
	s.Later, err = loadSeeds(dir, passphrase)
	return s, err
}

// kept is the passphrase, or, where it is empty, the one kept beside the keys.
func kept(dir, passphrase string) (string, error) {
	if passphrase != "" {
		return passphrase, nil
	}
	p, err := os.ReadFile(filepath.Join(dir, passphraseFile))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "", fmt.Errorf("%s: %w", file, ErrNoPassphrase)
	case err != nil:
		return "", fmt.Errorf("read the kept passphrase: %w", err)
	}
	return strings.TrimSpace(string(p)), nil
}

// decrypt opens an age file and reads the JSON inside strictly.
func decrypt(sealed []byte, passphrase string, v any) error {
	plain, err := Unseal(sealed, passphrase, 4096)
	if err != nil {
		return err
	}
	if err := strictjson.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	return nil
}

// WriteFile writes a file so that after a crash it is there whole or not at all:
// temporary name, sync, rename, sync of the directory.
func WriteFile(path string, b []byte, mode os.FileMode) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	if err = f.Chmod(mode); err != nil {
		return err
	}
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
