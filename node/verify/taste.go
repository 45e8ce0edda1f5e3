package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/taste"
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
	program, err := tastes.Program(c.o.Artist, l, r.Seed)
	if err != nil {
		return nil, err
	}
	return model.Draw(ctx, program, int(r.Width), int(r.Height), model.RenderOptions{})
}

// gift is what the taste gave for a seed.
type gift struct {
	*storage.Taste
	seed [32]byte
}

// gifts are what the picture was drawn from, or what it is an edition of.
func gifts(r storage.Receipt) (gave []gift) {
	if r.Taste != nil {
		gave = append(gave, gift{r.Taste, r.Seed})
	}
	if r.Edition != nil {
		for _, w := range r.Edition.Works() {
			if w.Taste != nil {
				gave = append(gave, gift{w.Taste, w.Seed})
			}
		}
	}
	return gave
}

// taste draws again from the versions of the taste that the receipt names.
func (c *checker) taste(ctx context.Context) {
	c.claim("taste", "nobody chose what it shows: the network's taste gives that for the seed", func() (string, error) {
		var said []string
		for _, g := range gifts(c.receipt) {
			text, err := c.given(ctx, g)
			if err != nil {
				return "", err
			}
			said = append(said, text)
		}
		return strings.Join(said, "; "), nil
	})
}

// given says what a version gives for a seed, if that is what the receipt says.
func (c *checker) given(ctx context.Context, g gift) (string, error) {
	l, err := tastes.Latent(g.Taste)
	if err != nil {
		return "", err
	}
	x, err := model.Lexicon()
	if err != nil {
		return "", err
	}
	p, err := c.version(ctx, x, g)
	if err != nil {
		return "", err
	}
	drawn, origin := x.Draw(p, g.seed)
	want, err := tastes.Receipt(curation.Prior{Version: uint64(p.Version), ID: g.Prior}, drawn)
	switch {
	case err != nil:
		return "", err
	case *want != *g.Taste:
		return "", fmt.Errorf("version %d gives %q for the seed, the receipt says %q of version %d", p.Version, want.Words, tastes.Words(l), g.Version)
	case origin.Explored:
		return fmt.Sprintf("%q, explored by version %d", g.Words, p.Version), nil
	}
	return fmt.Sprintf("%q, by version %d from %s", g.Words, p.Version, plural(len(origin.Parents), "parent")), nil
}

// version is the one that a receipt names: from the files that were given or, where a
// whole ledger was, computed from its rounds.
func (c *checker) version(ctx context.Context, x *taste.Lexicon, g gift) (*taste.Prior, error) {
	newer := func(why string) error { return needs("a version of this program with the network's lexicon", why) }
	if i := slices.IndexFunc(c.o.Priors, func(file []byte) bool { return sha256.Sum256(file) == g.Prior }); i >= 0 {
		p, err := x.UnmarshalPrior(c.o.Priors[i])
		if err != nil {
			return nil, newer(err.Error())
		}
		return p, nil
	}
	if l := c.o.Ledger; l != nil && l.network != nil {
		i := slices.IndexFunc(l.network.Priors, func(p Prior) bool { return p.ID == g.Prior && p.Version == g.Version })
		_, asked := l.records[c.receipt.RequestID]
		switch {
		case i < 0 && !asked: // a version that a request names was there before it
			return nil, c.tooEarly(fmt.Sprintf("version %d of the taste", g.Version))
		case i < 0:
			return nil, fmt.Errorf("the ledger has no version %d of the taste with the hash %x", g.Version, g.Prior)
		case taste.ID(l.network.Priors[i].Lexicon) != x.ID():
			return nil, newer(fmt.Sprintf("the network's lexicon is %v, that of this program %v", l.network.Priors[i].Lexicon, curation.Hash(x.ID())))
		}
		return c.replayed(ctx, x, g)
	}
	if len(c.o.Priors) == 0 {
		return nil, passes(fmt.Sprintf("give the file of version %d with --taste FILE, as `atelier taste fetch %d` writes it, or the whole ledger with --ledger", g.Version, g.Version))
	}
	return nil, needs(fmt.Sprintf("the file of version %d of the taste, with the hash %x", g.Version, g.Prior), fmt.Sprintf("what was given has the hash %x", sha256.Sum256(c.o.Priors[0])))
}

// replayed computes a version of the ledger from the rounds before it.
func (c *checker) replayed(ctx context.Context, x *taste.Lexicon, g gift) (last *taste.Prior, err error) {
	rounds := c.o.Ledger.rounds
	if uint64(len(rounds)) < g.Version {
		return nil, fmt.Errorf("version %d of the taste learns from a round that the ledger has not settled", g.Version)
	}
	for p, err := range x.Replay(ctx, rounds[:g.Version]) {
		if ctx.Err() != nil {
			c.stopped = ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		last = p
	}
	if last.ID() != taste.ID(g.Prior) {
		return nil, fmt.Errorf("the rounds of the ledger give %v as version %d of the taste, its members recorded %v", curation.Hash(last.ID()), g.Version, curation.Hash(g.Prior))
	}
	return last, nil
}

// drawnFrom holds the version that the receipt names, of itself or of what it is an
// edition of, against the one that the ledger had in force for the request: none with a
// prompt, or before the first.
func (c *checker) drawnFrom(t *storage.Taste, prior curation.Hash) error {
	switch {
	case t == nil && prior == (curation.Hash{}):
		return nil
	case t == nil:
		return fmt.Errorf("it does not say what it was drawn from, and the %s has it drawn from the version %v of the taste", c.source(), prior)
	case t.Prior != prior:
		return errors.New("the ledger has it drawn from another version of the taste")
	}
	known := slices.ContainsFunc(c.o.Network.Priors, func(p Prior) bool { return p.ID == t.Prior && p.Version == t.Version })
	if !known {
		return fmt.Errorf("the %s has no version %d of the taste with the hash %x", c.source(), t.Version, t.Prior)
	}
	return nil
}
