package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/ledger"
)

// Known is what is known about the network that a member returns to.
type Known struct {
	Source string // where it comes from, for people
	Chain  curation.Hash
	Epoch  uint64 // of the committee in force; 0 when there is none
	Height uint64 // 0 when it is not known
	// Standing tells whether an older backup still makes a share: the seat of a member
	// that was away at a handover is kept under its old deal key. Nil when only the
	// epoch is known.
	Standing *Standing
}

var (
	// ErrOtherNetwork reports a backup of another network than it is restored to.
	ErrOtherNetwork = errors.New("this backup is of another network")
	// ErrStale reports a backup whose share a later committee has replaced.
	ErrStale = errors.New("this backup is stale")
)

// Fits refuses a backup that is of no use to the network.
func (b *Backup) Fits(k Known) error {
	if k.Chain != b.Chain {
		return fmt.Errorf("%w: it is of %q with chain %s…, and %s says %s…", ErrOtherNetwork, b.Network, b.Chain.String()[:16], k.Source, k.Chain.String()[:16])
	}
	if s := k.Standing; s != nil {
		if m, ok := s.memberOf(b.secrets.Account()); ok && m.Standing == curation.StandingLeft {
			return fmt.Errorf("%w: member %d has left the network, says %s: to come back, join again with an invitation", ErrStale, m.Index, k.Source)
		}
	}
	if k.Epoch > max(b.Epoch, 1) && !b.holds(k) {
		return fmt.Errorf("%w: it was made in epoch %d of the keys, and epoch %d is in force, says %s: restore a backup that was made since", ErrStale, b.Epoch, k.Epoch, k.Source)
	}
	return nil
}

// holds says whether the backup makes a share of the committee in force, as far as is
// known: one that was made while a handover went on has the seed for it.
func (b *Backup) holds(k Known) bool {
	if k.Standing == nil {
		_, seed := b.secrets.Seeds()[k.Epoch]
		return seed
	}
	return b.share(k.Standing) == nil
}

// Restoring says how a home is made of a backup.
type Restoring struct {
	Passphrase string   // of the home's keys; empty makes and keeps a random one
	Listen     []string // where it listens, when not where it did
	Announce   []string // where others reach it, when not where they did
	Height     uint64   // that the network is known to have reached; 0 when it is not known
}

// Restore makes a home, whole or not at all: it is put together beside its place and
// moved there in one step. The home must not exist. Its validator observes before it
// signs; see node/ledger.
func (b *Backup) Restore(h home.Home, o Restoring) (err error) {
	place := filepath.Clean(string(h))
	if _, err := os.Lstat(place); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s exists already: a member is restored into a new home, name another with --home", h)
	}
	if err := os.MkdirAll(filepath.Dir(place), 0o700); err != nil {
		return err
	}
	half := home.Home(place + ".restoring")
	if err := os.Mkdir(string(half), 0o700); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is left from a restore that did not come to its end, or belongs to one that is under way: remove it and try again", half)
	} else if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(string(half)))
		}
	}()
	cfg := b.config()
	if len(o.Listen) > 0 {
		cfg.Network.Listen, cfg.Network.Announce = o.Listen, nil
	}
	if len(o.Announce) > 0 {
		cfg.Network.Announce = o.Announce
	}
	if err := founding.Restore(half, cfg, o.Passphrase, b.plan, b.secrets); err != nil {
		return err
	}
	if err := ledger.RestoreValidator(half.Ledger(), b.validator, max(b.Height, o.Height)); err != nil {
		return err
	}
	if err := syncTree(string(half)); err != nil {
		return err
	}
	if err := os.Rename(string(half), place); err != nil {
		return err
	}
	return syncFile(filepath.Dir(place))
}

// syncTree makes a folder durable with all that is in it.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return syncFile(path)
	})
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", strings.TrimSpace(path), err)
	}
	return nil
}
