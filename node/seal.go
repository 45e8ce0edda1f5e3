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
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage"
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
// container, records it on the ledger and erases the plain weights. Whoever calls
// it has had the weights in memory; the release policy protects them from everybody
// else, and SECURITY.md says so.
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
	if err := n.machine.View(func(v curation.View) error {
		if m, ok := v.Model(); ok {
			return fmt.Errorf("the network has its artist, %q: this version seals one, once", m.Name)
		}
		return nil
	}); err != nil {
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
	payload, container, err := n.sealPlain(s.Name, plain)
	if err != nil {
		return curation.Model{}, err
	}
	root, err := storage.FileCID(container)
	if err != nil {
		return curation.Model{}, err
	}
	if err := n.store.Pin(root, modelPin); err != nil {
		return curation.Model{}, err
	}
	if _, err := n.store.PutFile(ctx, bytes.NewReader(container)); err != nil {
		return curation.Model{}, fmt.Errorf("store container: %w", err)
	}
	payload.ContainerCID = root.String()
	s.Phase("recording it on the ledger")
	if err := n.SubmitAs(ctx, n.secrets.Identity, payload); err != nil {
		return curation.Model{}, fmt.Errorf("record sealed model: %w", err)
	}
	var m curation.Model
	err = n.machine.View(func(v curation.View) (err error) {
		var ok bool
		if m, ok = v.Model(); !ok || m.PlainHash != payload.PlainHash {
			err = errors.New("another model was sealed at the same time: look with `atelier model show`")
		}
		return err
	})
	return m, err
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

// sealPlain encrypts a model file to the committee in force.
func (n *Node) sealPlain(name string, plain []byte) (curation.Seal, []byte, error) {
	var x [32]byte
	if err := n.machine.View(func(v curation.View) error {
		c, ok := v.Committee()
		if !ok {
			return errors.New("the key ceremony has not ended: a model is sealed to the key that it makes")
		}
		x = c.X()
		return nil
	}); err != nil {
		return curation.Seal{}, nil, err
	}
	p := curation.Seal{Name: name, KeyEpoch: 1, PlainHash: sha256.Sum256(plain), PolicyHash: curation.PolicyHash(n.genesis.Charter)}
	label := curation.ModelLabel(n.chain, curation.ModelID(p.PlainHash), p.KeyEpoch, p.PolicyHash, x)
	var container bytes.Buffer
	err := model.Seal(&container, bytes.NewReader(plain), func(fileKey []byte) ([]byte, error) {
		ct, err := seal.Encrypt(rand.Reader, x, label, fileKey)
		if err != nil {
			return nil, err
		}
		p.Ciphertext = ct.Bytes()
		return p.Ciphertext, nil
	})
	if err != nil {
		return curation.Seal{}, nil, fmt.Errorf("seal model: %w", err)
	}
	p.ContainerHash = sha256.Sum256(container.Bytes())
	p.ContainerSize = uint64(container.Len())
	return p, container.Bytes(), nil
}
