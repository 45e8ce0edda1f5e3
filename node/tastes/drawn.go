package tastes

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/storage"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Drawn is what an artwork without a prompt was drawn from.
type Drawn struct {
	Prior  curation.Prior // as the ledger has it
	Latent latent.Latent
	taste.Origin
	seed curation.Hash
}

// Drawn is what the taste gives for an artwork of the ledger. It is false, without an
// error, for one with a prompt, or from before there was a version, or that has no seed
// yet. The error wraps ErrMissing when a file is not here.
func (s *Shelf) Drawn(ctx context.Context, v curation.View, a curation.Artwork) (d Drawn, ok bool, err error) {
	if a.Prior == (curation.Hash{}) || a.Approved == 0 {
		return d, false, nil
	}
	if d.Prior, ok = v.PriorNamed(a.Prior); !ok {
		return d, false, nil
	}
	s.mu.Lock()
	known, here := s.drawn[a.RID]
	s.mu.Unlock()
	if here && known.seed == a.Seed && known.Prior.ID == a.Prior {
		return known, true, nil
	}
	x, err := s.Lexicon(ctx, d.Prior.Lexicon)
	if err != nil {
		return d, false, err
	}
	p, err := s.Prior(ctx, x, a.Prior)
	if err != nil {
		return d, false, err
	}
	d.seed = a.Seed
	d.Latent, d.Origin = x.Draw(p, a.Seed)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.drawn) >= maxDrawn {
		clear(s.drawn)
	}
	s.drawn[a.RID] = d
	return d, true, nil
}

// maxDrawn is how many artworks a shelf remembers at a time.
const maxDrawn = 4096

// Untitled is the title of a picture without a prompt that nothing is known of yet.
const Untitled = "Untitled"

// Title is what an artwork is called: its prompt or, without one, the words of what it
// was drawn from. An edition is called as what it is of.
func (s *Shelf) Title(ctx context.Context, v curation.View, a curation.Artwork) string {
	if a.Edition != nil {
		a, _ = v.Artwork(a.Edition.Of[0])
	}
	if a.Prompt != "" {
		return a.Prompt
	}
	if d, ok, err := s.Drawn(ctx, v, a); ok && err == nil {
		return Words(d.Latent)
	}
	return Untitled
}

// Receipt is what the receipt of a picture tells of the version and the latent that it
// was drawn from.
func Receipt(p curation.Prior, l latent.Latent) (*storage.Taste, error) {
	text, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	return &storage.Taste{Version: p.Version, Prior: p.ID, Latent: string(text), Words: Words(l)}, nil
}

// ErrReceipt reports a receipt whose latent is not in the one form that Receipt writes.
var ErrReceipt = errors.New("the receipt does not say what the picture was drawn from in the form that this program writes")

// Latent is the latent of a receipt. Errors wrap ErrReceipt.
func Latent(t *storage.Taste) (l latent.Latent, err error) {
	if l, err = ParseLatent(t.Latent); err != nil {
		return l, err
	}
	if again, err := Receipt(curation.Prior{}, l); err != nil || again.Latent != t.Latent || again.Words != t.Words {
		return l, ErrReceipt
	}
	return l, nil
}

// Program is the picture that an artist draws of what the taste gave for a seed. One that
// lacks the words draws the plain picture of the seed: a taste that an artist does not
// know must not keep it from drawing anything. The receipt names what was given all the
// same, as it names prompts of any words.
func Program(artist *model.Artist, l latent.Latent, seed [32]byte) (*kernel.Program, error) {
	p, err := artist.FoldLatent(l, seed)
	if errors.Is(err, latent.ErrLatent) {
		return artist.Fold("", seed)
	}
	return p, err
}

// Recipe is that of a network's artwork by an artist of some words: of its prompt, or of
// what the taste gave, as Program draws that. Errors wrap ErrReceipt.
func Recipe(artist [32]byte, words *latent.Vocabulary, prompt string, t *storage.Taste, seed [32]byte) (model.Recipe, error) {
	if t == nil {
		return model.NewRecipe(artist, prompt, seed), nil
	}
	l, err := Latent(t)
	if err != nil {
		return model.Recipe{}, err
	}
	r, err := model.LatentRecipe(artist, words, l, seed)
	if errors.Is(err, latent.ErrLatent) {
		return model.NewRecipe(artist, "", seed), nil
	}
	return r, err
}

// ParseLatent reads the latent of a receipt, or of an artwork as the interface for
// programs tells of it. Errors wrap ErrReceipt.
func ParseLatent(text string) (l latent.Latent, err error) {
	if err := strictjson.Unmarshal([]byte(text), &l); err != nil {
		return l, fmt.Errorf("%w: %v", ErrReceipt, err)
	}
	return l, nil
}
