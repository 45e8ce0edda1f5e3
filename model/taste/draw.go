package taste

import (
	"slices"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/latent"
)

// How a prior draws.
const (
	exploration = 5             // one draw of so many ignores what was learned
	proposals   = 12            // of which the one with the largest appeal wins
	whim        = weightOne / 2 // standard deviation of the noise on an appeal
	strange     = 6             // a child has its colour, motif or paper one time in so many from a stranger
	stranger    = 8             // the same for what it shows
	cousins     = 4             // of the others one in so many shows what looks like that instead
	relatives   = 16            // things among which a cousin is looked for
	mutation    = 4             // a number of noise is new one time in so many
)

// Origin says where a drawn latent comes from.
type Origin struct {
	Explored bool // drawn from the base distribution by the quota, whatever the prior says
	Parents  []ID // artworks that it descends from: none, one or two
}

// Draw is the latent that the prior gives for a seed.
func (x *Lexicon) Draw(p *Prior, seed [32]byte) (latent.Latent, Origin) {
	id := p.ID()
	c := chance.New("draw", id[:], seed[:])
	if c.Below(exploration) == 0 || p.Version == 0 {
		return x.base(c), Origin{Explored: true}
	}
	w := x.weights(p)
	var best latent.Latent
	var origin Origin
	most := int64(0)
	for i := range proposals {
		l, o := x.base(c), Origin{}
		if len(p.Parents) > 0 && c.Below(4) > 0 {
			l, o = x.breed(p.Parents, l, c)
		}
		f := x.features(l)
		appeal := w.appeal(f) - w.fatigue(f) + c.Normal()*whim>>16
		if i == 0 || appeal > most {
			best, origin, most = l, o, appeal
		}
	}
	return best, origin
}

// base draws from the base distribution: any thing, in its own colours or those of a
// dye, any motif, and of four papers that from which the subject's colour stands out
// best as far as the lexicon knows.
func (x *Lexicon) base(c *chance.Stream) latent.Latent {
	v := x.vocabulary
	l := latent.Latent{
		Things: []latent.Part{{Word: v.Feature(pick(v.Things(), c)), Weight: latent.Whole}},
		Noise:  make(latent.Noise, v.Noise()),
	}
	if len(v.Dyes()) > 0 && c.Below(2) == 0 {
		l.Dyes = []latent.Part{{Word: v.Feature(pick(v.Dyes(), c)), Weight: latent.Whole}}
	}
	if motifs := v.Names(v.Motifs()); len(motifs) > 0 {
		l.Motif = pick(motifs, c)
	}
	l.Paper = x.paper(l, c)
	for i := range l.Noise {
		l.Noise[i] = latent.Drawn(c)
	}
	return l
}

// paper draws a paper for a latent without one.
func (x *Lexicon) paper(l latent.Latent, c *chance.Stream) string {
	papers := x.vocabulary.Names(x.vocabulary.Papers())
	best, most := "", int64(-1)
	for range 4 {
		if len(papers) == 0 {
			return ""
		}
		l.Paper = pick(papers, c)
		if far := x.features(l).looks[difference]; far > most {
			best, most = l.Paper, far
		}
	}
	return best
}

func pick[T any](from []T, c *chance.Stream) T { return from[c.Below(len(from))] }

// breed crosses two parents and takes a little from a stranger. The child's noise
// keeps its spread, because no number of it is a mean.
func (x *Lexicon) breed(parents []Parent, other latent.Latent, c *chance.Stream) (latent.Latent, Origin) {
	a, b := choose(parents, c), choose(parents, c)
	from := func(often int) latent.Latent {
		switch {
		case c.Below(often) == 0:
			return other
		case c.Below(2) == 0:
			return a.Latent
		}
		return b.Latent
	}
	child := latent.Latent{
		Things: slices.Clone(from(stranger).Things), Dyes: slices.Clone(from(strange).Dyes),
		Motif: from(strange).Motif, Paper: from(strange).Paper, Noise: make(latent.Noise, len(other.Noise)),
	}
	if c.Below(cousins) == 0 {
		child.Things = []latent.Part{{Word: x.cousin(child.Things[0].Word, c), Weight: latent.Whole}}
	}
	for i := range child.Noise {
		child.Noise[i] = from(mutation).Noise[i]
	}
	origin := Origin{Parents: []ID{a.Artwork}}
	if b.Artwork != a.Artwork {
		origin.Parents = append(origin.Parents, b.Artwork)
	}
	return child, origin
}

// cousin is of some things that which looks most like the given one.
func (x *Lexicon) cousin(of string, c *chance.Stream) string {
	row, _ := x.vocabulary.Row(of)
	best, least := row, int64(-1)
	for range relatives {
		other, far := pick(x.vocabulary.Things(), c), int64(0)
		for k, v := range x.looks[row] {
			d := int64(v) - int64(x.looks[other][k])
			far += d * d
		}
		if other != row && (least < 0 || far < least) {
			best, least = other, far
		}
	}
	return x.vocabulary.Feature(best)
}

// choose takes a parent with a chance that goes with its standing.
func choose(parents []Parent, c *chance.Stream) Parent {
	total := 0
	for _, p := range parents {
		total += p.Standing
	}
	at := c.Below(total)
	for _, p := range parents {
		if at -= p.Standing; at < 0 {
			return p
		}
	}
	return parents[len(parents)-1] // not reached: the standings add up
}
