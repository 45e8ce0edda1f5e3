// Package backup keeps a member in one encrypted file, and makes a home of it again.
//
// The file holds what cannot be had from anybody else: the identity, the seeds of the
// ceremony and of the prekeys, the validator's key, and how the home came to its
// network, with the genesis. Everything else comes back from the other members: the
// ledger, and from ledger and seed the member's share. So the file is static; it goes
// stale when the members hand their keys over to a new committee, which takes fresh
// seeds, and never by the passing of time.
//
// What must not come back is not in it. The record of the validator's votes would be
// older than its last vote; a restored home has none, and node/ledger observes before
// it signs. The journal of releases is not in it either: the ledger fixes for every
// request the one key of each reader.
//
// The file is an age file (age-encryption.org/v1) under a passphrase with JSON inside,
// so `age --decrypt` shows it without this program.
//
// Source of the doctrine: the static channel backups of LND, docs/safety.md and
// docs/recovery.md: never run a key twice, never restore an old mutable state.
package backup

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Format is the version of the JSON inside the file.
const Format = 2

// workFactor makes a guess at the passphrase cost 256 MiB of memory and about a second.
const workFactor = 18

// maxFile bounds a backup in bytes, encrypted or not: genesis and records of 128
// members take half a megabyte.
const maxFile = 8 << 20

// ErrBackup reports a file that is no backup of this version, or a damaged one.
var ErrBackup = errors.New("no backup of a member, or a damaged one")

// ErrPassphrase reports a passphrase that does not open the file.
var ErrPassphrase = errors.New("the passphrase does not open the backup")

// Backup is a member as its file holds it. It redacts itself in print.
type Backup struct {
	Network  string        // short name
	Chain    curation.Hash // genesis hash
	Index    uint32        // the member's number
	Name     string        // of the member
	Height   uint64        // of the ledger when it was made; 0 when there was no block yet
	Epoch    uint64        // of the committee in force then; 0 before the first one
	Lone     bool          // no other member had a vote then
	Listen   []string      // where its home listened
	Announce []string      // where it said that others reach it

	founder   *curation.GenesisMember // in genesis; nil for a member that joined later
	named     curation.Hash           // the validator's key, as genesis or the member's application names it
	genesis   curation.Genesis
	document  []byte // genesis, byte for byte
	plan      founding.Plan
	secrets   keys.Secrets
	validator ed25519.PrivateKey
}

// Format prints nothing of the secrets.
func (b *Backup) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "backup(%s, redacted)", b.Name) }

// LogValue prints nothing of the secrets.
func (b *Backup) LogValue() slog.Value { return slog.StringValue("redacted") }

// MarshalJSON refuses: a backup leaves only encrypted.
func (b *Backup) MarshalJSON() ([]byte, error) { return nil, errors.New("backups are not printed") }

// stored is the JSON inside the age file.
type stored struct {
	Format    int               `json:"format"`
	Network   string            `json:"network"`
	Chain     curation.Hash     `json:"chain"`
	Member    uint32            `json:"member"`
	Name      string            `json:"name"`
	Height    uint64            `json:"height"`
	Epoch     uint64            `json:"epoch"`
	Lone      bool              `json:"lone"`
	Listen    []string          `json:"listen"`
	Announce  []string          `json:"announce"`
	Identity  []byte            `json:"identity"`  // ed25519 seed
	Seeds     map[uint64][]byte `json:"seeds"`     // of ceremonies, by epoch
	Prekeys   []byte            `json:"prekeys"`   // seed
	Validator []byte            `json:"validator"` // ed25519 seed
	Genesis   []byte            `json:"genesis"`
	Founding  founding.Plan     `json:"founding"`
}

// Of makes the backup of a home whose network is founded, and which is a member of it.
// s is what its ledger says; the zero Standing when there was no block yet.
func Of(h home.Home, cfg config.Config, secrets keys.Secrets, s Standing) (*Backup, error) {
	plan, err := founding.Read(h)
	if err != nil {
		return nil, err
	}
	document, err := h.ReadGenesis()
	if errors.Is(err, home.ErrNoGenesis) {
		return nil, fmt.Errorf("%w: back it up once all members have joined and its node has started", err)
	} else if err != nil {
		return nil, err
	}
	validator, err := ledger.ValidatorSecret(h.Ledger())
	if err != nil {
		return nil, err
	}
	b := &Backup{Height: s.Height, Epoch: s.Epoch(), Listen: cfg.Network.Listen, Announce: cfg.Network.Announce,
		document: document, plan: plan, secrets: secrets, validator: validator}
	m, known := s.memberOf(secrets.Account())
	b.Index = m.Index
	if err := b.complete(); err != nil {
		return nil, err
	}
	if b.Lone = len(b.genesis.Members) == 1; known {
		b.Lone = m.Seated() && s.voters() == 1
	}
	return b, nil
}

// complete derives what follows from the genesis and, for a member that joined later,
// from its application. It refuses what does not fit these.
func (b *Backup) complete() (err error) {
	if b.plan.Document == nil {
		return errors.New("it was made before the network was founded")
	}
	follows, err := b.plan.Document.Genesis()
	if err != nil {
		return fmt.Errorf("founding document: %w", err)
	}
	if !bytes.Equal(follows, b.document) {
		return errors.New("genesis and founding document are of two networks")
	}
	if b.genesis, err = curation.ParseGenesis(b.document); err != nil {
		return err
	}
	b.Chain, b.Network = curation.GenesisHash(b.document), b.plan.Document.Terms.Network
	for _, m := range b.genesis.Members {
		if m.Account == b.secrets.Account() {
			b.founder, b.Index, b.Name, b.named = &m, m.Index, m.Name, m.Validator
		}
	}
	if err := b.admission(); err != nil {
		return err
	}
	cfg := b.config()
	return cfg.Validate()
}

// admission reads what a member that joined later has said of itself. Its number is the
// ledger's to give.
func (b *Backup) admission() error {
	if a := b.plan.Admission; a != nil && a.Admitted {
		application, err := founding.DecodeApplication(a.Application, b.Chain)
		if err != nil {
			return err
		}
		if application.Account != b.secrets.Account() {
			return errors.New("its application is by another identity")
		}
		b.Name, b.named = application.Name, application.Validator
	} else if b.founder == nil {
		return fmt.Errorf("its identity is not among the members of network %q", b.Network)
	}
	if b.founder == nil && int(b.Index) <= len(b.genesis.Members) {
		return fmt.Errorf("no ledger has told its number in network %q: back it up once its node has caught up with the others", b.Network)
	}
	return nil
}

// config is what a home of it starts with.
func (b *Backup) config() config.Config {
	cfg := config.Default()
	cfg.Network.Listen, cfg.Network.Announce = b.Listen, b.Announce
	return cfg
}

// Seal encrypts the backup under a passphrase.
func (b *Backup) Seal(passphrase string) ([]byte, error) { return b.seal(passphrase, workFactor) }

func (b *Backup) seal(passphrase string, factor int) ([]byte, error) {
	seeds := map[uint64][]byte{}
	for epoch, seed := range b.secrets.Seeds() {
		seeds[epoch] = seed[:]
	}
	plain, err := json.MarshalIndent(stored{
		Format: Format, Network: b.Network, Chain: b.Chain, Member: b.Index, Name: b.Name, Height: b.Height, Epoch: b.Epoch, Lone: b.Lone,
		Listen: b.Listen, Announce: b.Announce, Identity: b.secrets.Identity.Seed(), Seeds: seeds,
		Prekeys: b.secrets.Prekeys[:], Validator: b.validator.Seed(), Genesis: b.document, Founding: b.plan,
	}, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode backup: %w", err)
	}
	return keys.Seal(passphrase, factor, plain)
}

// Open reads what Seal made.
func Open(sealed []byte, passphrase string) (*Backup, error) {
	plain, err := keys.Unseal(sealed, passphrase, maxFile)
	switch {
	case errors.Is(err, keys.ErrPassphrase):
		return nil, ErrPassphrase
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	return decode(plain)
}

// decode reads the JSON strictly. What it says beside the genesis has to fit it.
func decode(plain []byte) (*Backup, error) {
	var v stored
	if err := strictjson.Unmarshal(plain, &v); err != nil {
		var form struct{ Format int }
		if json.Unmarshal(plain, &form) == nil && form.Format > Format {
			return nil, fmt.Errorf("%w: it has format %d, and this program reads 1 to %d: use a newer one", ErrBackup, form.Format, Format)
		}
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	if v.Format < 1 || v.Format > Format {
		return nil, fmt.Errorf("%w: it has format %d, and this program reads 1 to %d", ErrBackup, v.Format, Format)
	}
	secrets := keys.Secrets{}
	for epoch, seed := range v.Seeds {
		switch {
		case len(seed) != 32 || epoch == 0:
			return nil, fmt.Errorf("%w: a seed of %d bytes for epoch %d", ErrBackup, len(seed), epoch)
		case epoch == 1:
			secrets.Ceremony = [32]byte(seed)
		case secrets.Later == nil:
			secrets.Later = map[uint64][32]byte{epoch: [32]byte(seed)}
		default:
			secrets.Later[epoch] = [32]byte(seed)
		}
	}
	for _, secret := range [][]byte{v.Identity, v.Prekeys, v.Validator} {
		if len(secret) != ed25519.SeedSize {
			return nil, fmt.Errorf("%w: a key of %d bytes, want %d", ErrBackup, len(secret), ed25519.SeedSize)
		}
	}
	secrets.Identity, secrets.Prekeys = ed25519.NewKeyFromSeed(v.Identity), [32]byte(v.Prekeys)
	b := &Backup{Index: v.Member, Height: v.Height, Epoch: v.Epoch, Lone: v.Lone, Listen: v.Listen, Announce: v.Announce, document: v.Genesis, plan: v.Founding,
		secrets: secrets, validator: ed25519.NewKeyFromSeed(v.Validator)}
	if err := b.complete(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	if v.Format == 1 { // of a time in which nobody joined a network that ran
		b.Lone = len(b.genesis.Members) == 1
	}
	if v.Chain != b.Chain || v.Network != b.Network || v.Member != b.Index || v.Name != b.Name {
		return nil, fmt.Errorf("%w: it says member %d, %q, of %q, and its founding member %d, %q, of %q", ErrBackup, v.Member, v.Name, v.Network, b.Index, b.Name, b.Network)
	}
	return b, nil
}

// Read opens the backup in a file.
func Read(path, passphrase string) (*Backup, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sealed, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(sealed) > maxFile {
		return nil, fmt.Errorf("%s: %w: it has more than %d bytes", path, ErrBackup, maxFile)
	}
	b, err := Open(sealed, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// Write puts the backup into a new file that its owner alone may read, and reads it
// again. It never overwrites a file.
func (b *Backup) Write(path, passphrase string) (err error) {
	sealed, err := b.Seal(passphrase)
	if err != nil {
		return err
	}
	// No link and no rename: a backup often goes to a stick that knows neither.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s exists already: a backup never overwrites a file, name another one", path)
	} else if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	if _, err = f.Write(sealed); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	_ = d.Sync() // not every file system can
	if err = d.Close(); err != nil {
		return err
	}
	_, err = Read(path, passphrase)
	return err
}
