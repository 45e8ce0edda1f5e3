package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// render draws the picture of the receipt again.
func (c *checker) render(ctx context.Context) (*model.Picture, error) {
	r := c.receipt
	if r.Taste == nil {
		return c.o.Artist.Render(ctx, r.Prompt, r.Seed, int(r.Width), model.RenderOptions{})
	}
	l, err := tastes.Latent(r.Taste)
	if err != nil {
		return nil, err
	}
	return c.o.Artist.RenderLatent(ctx, l, r.Seed, int(r.Width), model.RenderOptions{})
}

// taste draws again from the version of the taste that the receipt names.
func (c *checker) taste() {
	t := c.receipt.Taste
	c.claim("taste", "nobody chose what it shows: the network's taste gives that for the seed", func() (string, error) {
		l, err := tastes.Latent(t)
		if err != nil {
			return "", err
		}
		if c.o.Prior == nil {
			return "", passes(fmt.Sprintf("give the file of version %d with --taste FILE, as `atelier taste fetch %d` writes it", t.Version, t.Version))
		}
		if sum := sha256.Sum256(c.o.Prior); sum != t.Prior {
			return "", needs(fmt.Sprintf("the file of version %d of the taste, with the hash %x", t.Version, t.Prior), fmt.Sprintf("the file that was given has the hash %x", sum))
		}
		x, err := model.Lexicon()
		if err != nil {
			return "", err
		}
		p, err := x.UnmarshalPrior(c.o.Prior)
		if err != nil {
			return "", needs("a version of this program with the network's lexicon", err.Error())
		}
		drawn, origin := x.Draw(p, c.receipt.Seed)
		want, err := tastes.Receipt(curation.Prior{Version: uint64(p.Version), ID: t.Prior}, drawn)
		switch {
		case err != nil:
			return "", err
		case *want != *t:
			return "", fmt.Errorf("version %d gives %q for the seed, the receipt says %q of version %d", p.Version, want.Words, tastes.Words(l), t.Version)
		case origin.Explored:
			return fmt.Sprintf("%q, explored by version %d", t.Words, p.Version), nil
		}
		return fmt.Sprintf("%q, by version %d from %s", t.Words, p.Version, plural(len(origin.Parents), "parent")), nil
	})
}

// drawnFrom holds the version that the receipt names, of itself or of what it is an
// edition of, against the ledger's. A receipt without one is of an artist that has other
// words than the taste: who audited it knows.
func (c *checker) drawnFrom(prompt string, t *storage.Taste, prior curation.Hash) error {
	switch {
	case t == nil && prompt == "", t == nil && prior == (curation.Hash{}):
		return nil
	case t == nil || t.Prior != prior:
		return errors.New("the ledger has it drawn from another version of the taste")
	}
	known := slices.ContainsFunc(c.o.Network.Priors, func(p Prior) bool { return p.ID == t.Prior && p.Version == t.Version })
	if !known {
		return fmt.Errorf("the %s has no version %d of the taste with the hash %x", c.source(), t.Version, t.Prior)
	}
	return nil
}
