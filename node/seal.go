package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/member"
)

// Sealing says what a sealing does and how it goes.
type Sealing struct {
	// Name is what people call the new artist; empty takes the network's name.
	Name string
	// Weights is the folder of an artist that is sealed as it is; empty has one made.
	Weights string
	// Steps of the fine-tune; 0 takes the default of package model.
	Steps int
	// Budget ends the fine-tune early; 0 means 14 s.
	Budget time.Duration
	// Progress hears of the fine-tune, step by step.
	Progress func(step, steps int, loss float64)
	// Phase hears which part begins, in words.
	Phase func(string)
}

// MakeModel makes the network's own artist: it fine-tunes the public genesis artist
// from a fresh secret seed, encrypts the result to the committee's key, stores the
// container, records it on the ledger and erases the plain weights. The first one is the
// network's; with a later one a motion opens to put it in the place of the one that there
// is. Whoever calls it has had the weights in memory; the release policy protects them
// from everybody else, and SECURITY.md says so.
func (n *Node) MakeModel(ctx context.Context, s Sealing) (curation.Model, error) {
	n.sealing.Lock()
	defer n.sealing.Unlock()
	if s.Phase == nil {
		s.Phase = func(string) {}
	}
	if s.Budget == 0 {
		s.Budget = 14 * time.Second
	}
	if s.Name == "" {
		s.Name = n.genesis.Charter.Name
	}
	_, successor, err := n.artist()
	if err != nil {
		return curation.Model{}, err
	}
	artist, err := s.artist(ctx)
	if err != nil {
		return curation.Model{}, err
	}
	plain, err := artist.MarshalBinary()
	if err != nil {
		return curation.Model{}, err
	}
	defer clear(plain)
	s.Phase("sealing it under the committee's key")
	p := curation.Seal{Name: s.Name, PlainHash: sha256.Sum256(plain), PolicyHash: curation.PolicyHash(n.genesis.Charter)}
	for {
		if err := n.sealPlain(ctx, &p, plain); err != nil {
			return curation.Model{}, err
		}
		s.Phase("recording it on the ledger")
		refused := n.SubmitAs(ctx, n.secrets.Identity, p)
		m, next, err := n.keyEpoch(p.KeyEpoch)
		switch {
		case err != nil || refused == nil:
			return m, err
		case next == p.KeyEpoch || ctx.Err() != nil:
			return curation.Model{}, fmt.Errorf("record sealed model: %w", refused)
		case !successor:
			return curation.Model{}, fmt.Errorf("another model was sealed at the same time, look with `atelier model show`: %w", refused)
		}
		s.Phase("another container came first: sealing it again for the next key epoch")
	}
}

// artist is the one to seal.
func (s Sealing) artist(ctx context.Context) (*model.Artist, error) {
	if s.Weights != "" {
		s.Phase("reading the artist")
		a, err := model.LoadDir(os.DirFS(s.Weights))
		if err != nil {
			return nil, fmt.Errorf("no artist in %s: %w", s.Weights, err)
		}
		return a, nil
	}
	var seed [32]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, err
	}
	defer clear(seed[:])
	s.Phase("fine-tuning the genesis artist from a secret seed")
	a, err := model.FineTune(ctx, model.Embedded(), model.FineTuneOptions{Seed: seed, Steps: s.Steps, Budget: s.Budget, Name: s.Name, Progress: s.Progress})
	if err != nil {
		return nil, fmt.Errorf("fine-tune: %w", err)
	}
	return a, nil
}

// artist is the current model.
func (n *Node) artist() (m curation.Model, ok bool, err error) {
	err = n.machine.View(func(v curation.View) error { m, ok = v.Model(); return nil })
	return m, ok, err
}

// keyEpoch is the model of a key epoch, and the number of the next one.
func (n *Node) keyEpoch(number uint64) (m curation.Model, next uint64, err error) {
	err = n.machine.View(func(v curation.View) error { m, _ = v.ModelAt(number); next = v.NextKeyEpoch(); return nil })
	return m, next, err
}

// sealPlain encrypts a model file to the committee in force, for the next key epoch, and
// fills in what comes of it.
func (n *Node) sealPlain(ctx context.Context, p *curation.Seal, plain []byte) error {
	var s member.Sealing
	if err := n.machine.View(func(v curation.View) error {
		c, ok := v.Committee()
		if !ok {
			return errors.New("the key ceremony has not ended: a model is sealed to the key that it makes")
		}
		s.X, s.KeyEpoch = c.X(), v.NextKeyEpoch()
		return nil
	}); err != nil {
		return err
	}
	s.Label = curation.ModelLabel(n.chain, curation.ModelID(p.PlainHash), s.KeyEpoch, p.PolicyHash, s.X)
	r, err := n.seal(ctx, s, bytes.NewReader(plain))
	p.KeyEpoch, p.ContainerCID, p.ContainerHash, p.ContainerSize, p.Ciphertext = r.KeyEpoch, r.ContainerCID, r.ContainerHash, r.ContainerSize, r.Ciphertext
	return err
}
