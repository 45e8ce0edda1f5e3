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
	strange     = 6             // a child takes one colour, motif or paper of so many from a stranger
	stranger    = 4             // the same for things and the numbers of the noise
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
			l, o = breed(p.Parents, l, c)
		}
		appeal := w.appeal(x.features(l)) + c.Normal()*whim>>16
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
func breed(parents []Parent, other latent.Latent, c *chance.Stream) (latent.Latent, Origin) {
	a, b := choose(parents, c), choose(parents, c)
	from := func(mutation int) latent.Latent {
		switch {
		case c.Below(mutation) == 0:
			return other
		case c.Below(2) == 0:
			return a.Latent
		}
		return b.Latent
	}
	child := latent.Latent{
		Things: from(stranger).Things, Dyes: from(strange).Dyes, Motif: from(strange).Motif, Paper: from(strange).Paper,
		Noise: make(latent.Noise, len(other.Noise)),
	}
	for i := range child.Noise {
		child.Noise[i] = from(stranger).Noise[i]
	}
	child.Things, child.Dyes = slices.Clone(child.Things), slices.Clone(child.Dyes)
	origin := Origin{Parents: []ID{a.Artwork}}
	if b.Artwork != a.Artwork {
		origin.Parents = append(origin.Parents, b.Artwork)
	}
	return child, origin
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
