package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"github.com/atelier-dao/atelier/model/latent"
)

// A Rehearsal mixes pictures of an artist's own into the batches that teach it others,
// so that it does not forget them: the artist as it was draws things that it knows, on
// grounds and in dyes by chance, and the one that learns has to draw them likewise. A
// thing that the pictures to learn teach is not rehearsed. Nothing but the artist's
// numbers goes into it.
//
// What is wanted of a place are the logits' softmax of before, not the one colour that
// is likeliest: so an artist that has forgotten nothing has nothing to learn of it.
// Rehearsed things keep their latents, since a latent of few is rehearsed often enough
// to learn by itself; it is the networks behind all of them that have to hold. Motifs,
// papers and dyes, which every picture teaches, are learned from rehearsed pictures too.
//
// Sources: Robins, "Catastrophic Forgetting, Rehearsal and Pseudorehearsal", Connection
// Science 7(2), 1995; Li, Hoiem, "Learning without Forgetting", ECCV 2016.
type Rehearsal struct {
	// Share of the pictures of a batch, 0 up to but not including 1, where the pictures to
	// learn teach none of the things; where they teach some, as much less. 0 rehearses none.
	Share  float64
	Before Weights // of the artist as it was
	Things []int   // rows of the things that it knows
}

// rehearsing draws the last groups of a batch. It is for one goroutine.
type rehearsing struct {
	groups               int
	things               []int
	motifs, papers, dyes []int // rows that a picture may lie on or be dyed in
	before               *graph
	machine              gorgonia.VM
	embed                Tensor
}

// rehearsal prepares what o says; nil where there is nothing to rehearse.
func rehearsal(s Shape, features []string, b *batch, o Options) (*rehearsing, error) {
	share := o.Rehearsal.Share
	if !(share >= 0 && share < 1) {
		return nil, fmt.Errorf("train: a share of %v to rehearse, want 0 up to but not including 1", share)
	}
	if share == 0 {
		return nil, nil
	}
	r := &rehearsing{}
	taught := map[int]bool{}
	for n := range b.pictures {
		if row, ok := b.index[b.feature(n)]; ok {
			taught[row] = true
		}
	}
	for _, row := range o.Rehearsal.Things {
		if !taught[row] {
			r.things = append(r.things, row)
		}
	}
	share *= float64(len(r.things)) / float64(max(1, len(o.Rehearsal.Things)))
	if r.groups = min(int(math.Round(share*float64(o.Groups))), o.Groups-1); r.groups < 1 {
		return nil, nil
	}
	for i, f := range features {
		switch {
		case strings.HasPrefix(f, MotifPrefix):
			r.motifs = append(r.motifs, i)
		case strings.HasPrefix(f, PaperPrefix):
			r.papers = append(r.papers, i)
		case latent.IsDye(f):
			r.dyes = append(r.dyes, i)
		}
	}
	var err error
	// One goroutine, beside those that learn from the batch before.
	if r.before, err = newGraph(s, o.Rehearsal.Before, r.groups, o.Points, 1, false); err != nil {
		return nil, err
	}
	r.embed = o.Rehearsal.Before["embed"]
	r.machine = gorgonia.NewTapeMachine(r.before.g)
	return r, nil
}

// draw fills the last groups of a batch, whose noise is drawn.
func (r *rehearsing) draw(b *batch, rng *rand.Rand) error {
	s, first := b.shape, b.groups-r.groups
	dyed := make([]bool, r.groups)
	bent := make([]float32, 2*r.groups*b.points)
	for g := range r.groups {
		said := b.features[(first+g)*s.Features:][:s.Features]
		for _, rows := range [][]int{r.motifs, r.papers} {
			if len(rows) > 0 {
				said[rows[rng.IntN(len(rows))]] = 1
			}
		}
		if len(r.dyes) > 0 && rng.IntN(10) < dyedOfTen {
			said[r.dyes[rng.IntN(len(r.dyes))]], dyed[g] = 1, true
		}
		row := r.things[rng.IntN(len(r.things))]
		z := b.noise[(first+g)*s.Latent:][:s.Latent]
		for j, v := range r.embed.Data[row*s.Latent:][:s.Latent] {
			z[j] += v
		}
		for i := range b.points {
			x, y := reach*(2*rng.Float64()-1), reach*(2*rng.Float64()-1)
			at := 2 * ((first+g)*b.points + i)
			b.places[at], b.places[at+1] = float32(x), float32(y)
			x, y = b.taste.bend(x, y)
			bent[2*(g*b.points+i)], bent[2*(g*b.points+i)+1] = float32(x), float32(y)
		}
	}
	n := r.before
	err := n.feed(b.features[first*s.Features:], b.noise[first*s.Latent:], bent, b.labels[first*b.points*s.Colours:], b.palette[first*3*s.Colours:], b.mask[first*3*s.Colours:])
	if err != nil {
		return fmt.Errorf("train: rehearse: %w", err)
	}
	if err := r.machine.RunAll(); err != nil {
		return fmt.Errorf("train: rehearse: %w", err)
	}
	copy(b.labels[first*b.points*s.Colours:], n.trunk.logits)
	for row := first * b.points; row < b.groups*b.points; row++ {
		softmax(b.labels[row*s.Colours:][:s.Colours])
	}
	p := floats(n.paletteValue)
	for g := range r.groups {
		for k := range s.Colours {
			c := p[(g*s.Colours+k)*3:]
			turn, lighter := b.taste.Turn, 0.
			switch {
			case len(r.papers) > 0 && k < papers:
				turn, lighter = b.taste.Papers, b.taste.Lighter
			case dyed[g]:
				turn *= dyedTurn
			}
			b.colour(first+g, k, b.taste.tint(Lab{float64(c[0]) + .5, float64(c[1]) / 4, float64(c[2]) / 4}, turn, lighter))
		}
	}
	r.machine.Reset()
	return nil
}

// softmax puts the softmax of x in its place.
func softmax(x []float32) {
	top := slices.Max(x)
	var total float32
	for i, v := range x {
		x[i] = exp(v - top)
		total += x[i]
	}
	for i := range x {
		x[i] /= total
	}
}
