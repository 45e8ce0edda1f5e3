package gallery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/tastes"
)

// How much the page of the taste shows.
const (
	mostWords    = 8  // that a round moved, in each direction, and of each kind
	mostCauses   = 4  // pictures beside a word
	mostDrawn    = 12 // pictures drawn from the version
	lookedAt     = 200
	lastVersions = 50
)

// liking is the page of one version of the taste.
type liking struct {
	curation.Prior
	Current    bool
	None       bool // there is no version yet
	Pending    []vote
	Threshold  int
	Votes      []vote
	Missing    string // why this node cannot tell what the version knows; empty when it can
	Candidates int64
	Published  int64
	Indecisive bool // its round preferred no picture to another
	Up, Down   []movement
	Arrived    []card
	Departed   []card
	Parents    []card
	Kinds      []kind
	Drawn      []card
	Versions   []curation.Prior // newest first
	Newer      string           // path
	Older      string           // path
}

func (l liking) title() string { return "The taste" }

// vote is what a member has recorded of a version.
type vote struct {
	Name   string
	Agrees bool
	ID     curation.Hash
}

// movement is a word that a round moved, with the pictures that did it.
type movement struct {
	Word, Kind        string
	Before, After, By string
	Bar               int // 0..100, against the largest movement
	Up                bool
	Chosen, Refused   []card
	More              int  // pictures that are not shown
	Kin               bool // it looks like others that were shown
}

// kind is what the version likes most and least of one kind of words.
type kind struct {
	Name       string
	More, Less []word
}

type word struct{ Word, Appeal string }

func (g *gallery) taste(r *http.Request, v curation.View) (any, error) {
	next := v.NextPrior()
	l := liking{None: next == 0}
	if c, ok := v.Committee(); ok {
		l.Threshold = c.T()
	}
	if p, coming := v.PriorAt(next); coming {
		l.Pending = votesOf(v, p)
	}
	number := next - 1
	if text := r.PathValue("version"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || n >= next {
			return nil, absent("The taste has no such version.")
		}
		number = n
	}
	if l.None {
		return l, nil
	}
	l.Versions = v.Priors(lastVersions)
	told, err := g.shelf.Tell(r.Context(), v, number)
	l.Prior, l.Current, l.Votes = told.Prior, number == next-1, votesOf(v, told.Prior)
	if number+1 < next {
		l.Newer = fmt.Sprintf("/taste/%d", number+1)
	}
	if number > 0 {
		l.Older = fmt.Sprintf("/taste/%d", number-1)
	}
	l.Drawn = g.drawnFrom(r.Context(), v, told.Prior.ID)
	switch {
	case errors.Is(err, tastes.ErrMissing):
		l.Missing = "This node does not have all files of this version yet. It asks the other members for them after every block."
	case err != nil:
		l.Missing = sentence(err.Error())
	default:
		g.knows(r.Context(), v, told, &l)
	}
	return l, nil
}

func votesOf(v curation.View, p curation.Prior) (votes []vote) {
	for _, r := range p.Records {
		votes = append(votes, vote{memberName(v, r.Member), !p.Adopted() || r.ID == p.ID && r.Lexicon == p.Lexicon, r.ID})
	}
	return votes
}

// knows fills in what the version knows and what its round changed.
func (g *gallery) knows(ctx context.Context, v curation.View, told tastes.Told, l *liking) {
	l.Candidates, l.Published = told.Now.Candidates, told.Now.Published
	if l.Version == 0 {
		return
	}
	for _, p := range told.Now.Parents {
		l.Parents = append(l.Parents, g.byID(ctx, v, p.Artwork))
	}
	for _, name := range []string{latent.Thing, latent.Colour, latent.Motif, latent.Paper} {
		if k := kindOf(name, told.Words); len(k.More)+len(k.Less) > 0 {
			l.Kinds = append(l.Kinds, k)
		}
	}
	if r, ok := v.Round(l.Round); ok {
		l.Indecisive = len(r.Published) == 0 || len(r.Published) == len(r.Candidates)
	}
	c := told.Change
	for _, p := range c.Arrived {
		l.Arrived = append(l.Arrived, g.byID(ctx, v, p.Artwork))
	}
	for _, p := range c.Departed {
		l.Departed = append(l.Departed, g.byID(ctx, v, p.Artwork))
	}
	l.Up, l.Down = g.movements(ctx, v, c.Words)
}

// movements are the words that moved most in either direction; those that pictures of the
// round had come before those that only look like them.
func (g *gallery) movements(ctx context.Context, v curation.View, words []taste.WordChange) (up, down []movement) {
	cause := func(w taste.WordChange) int { return min(1, len(w.Published)+len(w.Declined)) }
	words = slices.Clone(words)
	slices.SortStableFunc(words, func(a, b taste.WordChange) int { return cause(b) - cause(a) })
	most := int64(1)
	for _, w := range words {
		most = max(most, w.After-w.Before, w.Before-w.After)
	}
	for _, w := range words {
		by := w.After - w.Before
		into := &up
		if by < 0 {
			into = &down
		}
		if by == 0 || len(*into) == mostWords {
			continue
		}
		m := movement{Word: w.Word, Kind: w.Kind, Before: signed(w.Before), After: signed(w.After), By: signed(by), Up: by > 0, Bar: max(1, int(max(by, -by)*100/most)), Kin: cause(w) == 0}
		for _, side := range []struct {
			of   []taste.ID
			into *[]card
		}{{w.Published, &m.Chosen}, {w.Declined, &m.Refused}} {
			for i, id := range side.of {
				if i == mostCauses {
					m.More += len(side.of) - i
					break
				}
				*side.into = append(*side.into, g.byID(ctx, v, id))
			}
		}
		*into = append(*into, m)
	}
	return up, down
}

// appealShown is the least appeal that two places show.
const appealShown = taste.AppealOne / 100

// kindOf is what a version likes of one kind, against the mean of the kind.
func kindOf(name string, all []taste.WordAppeal) kind {
	of := slices.DeleteFunc(slices.Clone(all), func(w taste.WordAppeal) bool { return w.Kind != name })
	mean := int64(0)
	for _, w := range of {
		mean += w.Appeal
	}
	mean /= int64(max(1, len(of)))
	k := kind{Name: name + "s"}
	for i := range min(mostWords, len(of)/2) {
		low := of[len(of)-1-i]
		if by := of[i].Appeal - mean; by >= appealShown {
			k.More = append(k.More, word{of[i].Word, signed(by)})
		}
		if by := low.Appeal - mean; by <= -appealShown {
			k.Less = append(k.Less, word{low.Word, signed(by)})
		}
	}
	return k
}

// signed is an appeal with its sign, in units of 1.
func signed(a int64) string {
	return fmt.Sprintf("%+.2f", float64(a)/taste.AppealOne)
}

func (g *gallery) byID(ctx context.Context, v curation.View, id taste.ID) card {
	a, ok := v.Artwork(curation.Hash(id))
	if !ok {
		return card{RID: curation.Hash(id), Prompt: tastes.Untitled, Blank: "not on the ledger"}
	}
	c := g.cardOf(ctx, v, a)
	c.Later = true
	return c
}

// drawnFrom are the last artworks that were drawn from a version.
func (g *gallery) drawnFrom(ctx context.Context, v curation.View, version curation.Hash) (drawn []card) {
	for _, a := range v.Artworks(curation.Filter{Newest: true, Limit: lookedAt}) {
		if a.Prior == version && len(drawn) < mostDrawn {
			c := g.cardOf(ctx, v, a)
			c.Later = true
			if o := g.originOf(ctx, v, a); o != nil {
				c.Says = o.Says
			}
			drawn = append(drawn, c)
		}
	}
	return drawn
}

// origin says where an artwork without a prompt comes from.
type origin struct {
	Version  uint64
	Says     string
	Explored bool
	Parents  []card
}

// originOf is nil for an artwork with a prompt, without a version, or without a seed yet.
func (g *gallery) originOf(ctx context.Context, v curation.View, a curation.Artwork) *origin {
	p, ok := v.PriorNamed(a.Prior)
	if !ok {
		return nil
	}
	o := &origin{Version: p.Version, Says: "what it gives is not known before there is a seed"}
	d, ok, err := g.shelf.Drawn(ctx, v, a)
	switch {
	case err != nil:
		o.Says = "this node does not have the file of the version yet"
	case !ok:
	case d.Explored:
		o.Explored, o.Says = true, "explored: drawn from everything there is"
	case len(d.Parents) == 0:
		o.Says = "a new idea that the version liked best of twelve"
	default:
		o.Says = "bred from " + plural(len(d.Parents), "parent")
	}
	for _, id := range d.Parents {
		o.Parents = append(o.Parents, g.byID(ctx, v, id))
	}
	return o
}
