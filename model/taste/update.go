package taste

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/model/latent"
)

// MaxCandidates is the most artworks in a round: as many as the ledger takes.
const MaxCandidates = 256

// ErrRound reports a round that no prior can learn from.
var ErrRound = errors.New("not a round to learn from")

// A Round is what a prior learns from: the artworks of one curation round.
type Round struct {
	Number    uint64
	Published []Candidate // the best first, as the ledger ranked them
	Declined  []Candidate // in any order
}

// A Candidate is an artwork in a round.
type Candidate struct {
	Artwork ID // the ledger's name of it
	Latent  latent.Latent
}

// Learning goes in small steps along the gradient, each with a pull back to where
// the rounds before had left the weights.
const (
	steps    = 24
	rate     = 160           // of 2⁸, per step
	pull     = 16            // of 2⁸, per step
	maxShift = 2 * weightOne // of a weight by one round
)

// fade leaves seven eighths of what older rounds taught.
func fade[T int | int64](v T) T { return v * 7 / 8 }

// Update learns from a round that came after all that p knows. The result depends
// on nothing but the lexicon, p and the round; it takes some milliseconds. Errors
// wrap [ErrRound].
func (x *Lexicon) Update(p *Prior, r Round) (*Prior, error) {
	n := len(r.Published) + len(r.Declined)
	switch {
	case p.Lexicon != x.id:
		return nil, fmt.Errorf("%w: the prior is of lexicon %v, not of %v", ErrRound, p.Lexicon, x.id)
	case r.Number <= p.Round:
		return nil, fmt.Errorf("%w: round %d, the prior knows all up to round %d: want a later one", ErrRound, r.Number, p.Round)
	case n < 1 || n > MaxCandidates:
		return nil, fmt.Errorf("%w: %d artworks, want 1 to %d", ErrRound, n, MaxCandidates)
	}
	known := map[ID]bool{}
	for _, q := range p.Parents {
		known[q.Artwork] = true
	}
	for _, c := range slices.Concat(r.Published, r.Declined) {
		if known[c.Artwork] {
			return nil, fmt.Errorf("%w: artwork %v comes twice", ErrRound, c.Artwork)
		}
		known[c.Artwork] = true
		if err := x.vocabulary.Check(c.Latent); err != nil {
			return nil, fmt.Errorf("%w: artwork %v: %w", ErrRound, c.Artwork, err)
		}
	}
	w := x.weights(p)
	x.learn(w, r)
	return &Prior{
		Format: priorFormat, Version: p.Version + 1, Before: p.ID(), Lexicon: x.id, Round: r.Number,
		Candidates: p.Candidates + int64(n), Published: p.Published + int64(len(r.Published)),
		Looks: slices.Clone(w.looks[:]), Words: x.remember(w), Parents: parents(p.Parents, r),
	}, nil
}

// learn fades the weights and fits them to the round.
func (x *Lexicon) learn(w *weights, r Round) {
	for i, v := range w.rows {
		w.rows[i] = fade(v)
	}
	for i, v := range w.looks {
		w.looks[i] = fade(v)
	}
	var features []features
	for _, c := range slices.Concat(r.Published, r.Declined) {
		features = append(features, x.features(c.Latent))
	}
	w.show(features)
	pairs := int64(len(r.Published) * len(r.Declined))
	if pairs == 0 {
		return // nothing was preferred to anything
	}
	before := &weights{rows: slices.Clone(w.rows), looks: w.looks}
	appeals, missed := make([]int64, len(features)), make([]int64, len(features))
	for range steps {
		for i, f := range features {
			appeals[i], missed[i] = w.appeal(f), 0
		}
		for i := range r.Published {
			for j := len(r.Published); j < len(features); j++ {
				wrong := logistic(appeals[j] - appeals[i]) // chance that the model gives to what did not happen
				missed[i] += wrong
				missed[j] -= wrong
			}
		}
		gradient := &weights{rows: make([]int64, len(w.rows))}
		for i, f := range features {
			for _, row := range f.rows {
				gradient.rows[row.Row] += missed[i] * row.Weight
			}
			for k, v := range f.looks {
				gradient.looks[k] += missed[i] * v
			}
		}
		move(w.rows, gradient.rows, before.rows, pairs)
		move(w.looks[:], gradient.looks[:], before.looks[:], pairs)
	}
}

// show counts what a round showed first; a quarter of a share is the last round's.
func (w *weights) show(round []features) {
	counts := make([]int64, len(w.shown))
	for _, f := range round {
		counts[f.rows[0].Row]++
	}
	for row, n := range counts {
		w.shown[row] = (3*w.shown[row] + n*weightOne/int64(len(round))) / 4
	}
}

// move goes one step of learning. A gradient is in units of 2⁻²³, a weight of 2⁻¹².
func move(w, gradient, before []int64, pairs int64) {
	for i, g := range gradient {
		v := w[i] + g/pairs*rate>>19
		v -= (v - before[i]) * pull >> 8
		v = max(before[i]-maxShift, min(before[i]+maxShift, v))
		w[i] = max(-maxWeight, min(maxWeight, v))
	}
}

// remember lists the words of which there is most to say.
func (x *Lexicon) remember(w *weights) []Word {
	words := []Word{}
	for row, v := range w.rows {
		if v != 0 || w.shown[row] != 0 {
			words = append(words, Word{x.vocabulary.Feature(row), v, w.shown[row]})
		}
	}
	much := func(v Word) int64 { return max(v.Weight, -v.Weight) + v.Shown }
	slices.SortFunc(words, func(a, b Word) int { return cmp.Or(cmp.Compare(much(b), much(a)), cmp.Compare(a.Word, b.Word)) })
	words = words[:min(MaxWords, len(words))]
	slices.SortFunc(words, func(a, b Word) int { return cmp.Compare(a.Word, b.Word) })
	return words
}

// parents are those of before, faded, and what the round published: the best by
// standing, and of those that show the same thing first only MaxKin. The best of a
// round begins with all of the standing that there is, the last with half.
func parents(before []Parent, r Round) []Parent {
	var all []Parent
	for _, q := range before {
		if q.Standing = fade(q.Standing); q.Standing > 0 {
			all = append(all, q)
		}
	}
	n := len(r.Published)
	for i, c := range r.Published {
		all = append(all, Parent{Artwork: c.Artwork, Round: r.Number, Standing: standingOne * (2*n - i) / (2 * n), Latent: c.Latent})
	}
	slices.SortFunc(all, byStanding)
	kin := map[string]int{}
	kept := []Parent{}
	for _, q := range all {
		first := q.Latent.Things[0].Word
		if kin[first]++; kin[first] <= MaxKin && len(kept) < MaxParents {
			kept = append(kept, q)
		}
	}
	return kept
}
