package taste

import (
	"cmp"
	"slices"

	"github.com/atelier-dao/atelier/model/latent"
)

// A Change is how a version differs from the one before, and why: the data of a page
// that shows it.
type Change struct {
	Before   ID             `json:"before"`
	After    ID             `json:"after"`
	Round    uint64         `json:"round"`
	Words    []WordChange   `json:"words"`    // that artworks of the round had, or that moved by kinship: the largest movement first
	Arrived  []ParentChange `json:"arrived"`  // parents that the round brought, the best first
	Departed []ParentChange `json:"departed"` // parents that others displaced or that have faded
}

// A WordChange is a word that a version likes more or less than the one before.
type WordChange struct {
	Word      string `json:"word"`                // without the prefix of its kind
	Kind      string `json:"kind"`                // thing, colour, motif or paper
	Before    int64  `json:"before"`              // its appeal beside others of its kind, in units of 2⁻¹²
	After     int64  `json:"after"`               // the same afterwards
	Published []ID   `json:"published,omitempty"` // artworks of the round that had it and were published
	Declined  []ID   `json:"declined,omitempty"`  // the same, declined; without either it moved because it looks like others that did
}

// A ParentChange is an artwork that became or ceased to be a parent.
type ParentChange struct {
	Artwork ID       `json:"artwork"`
	Words   []string `json:"words"` // see latent.Explain
}

// Compare says what the round changed from before to after. A word that neither
// appeared in the round nor moved is left out.
func (x *Lexicon) Compare(before, after *Prior, r Round) Change {
	c := Change{Before: before.ID(), After: after.ID(), Round: r.Number, Words: []WordChange{}}
	published, declined := x.artworks(r.Published), x.artworks(r.Declined)
	old, now := x.appeals(before), x.appeals(after)
	for row := range x.vocabulary.Size() {
		name, kind := x.vocabulary.Name(row)
		w := WordChange{Word: name, Kind: kind, Before: old[row], After: now[row], Published: published[row], Declined: declined[row]}
		if w.Before != w.After || len(w.Published)+len(w.Declined) > 0 {
			c.Words = append(c.Words, w)
		}
	}
	slices.SortStableFunc(c.Words, func(a, b WordChange) int { return cmp.Compare(b.moved(), a.moved()) })
	c.Arrived, c.Departed = without(after.Parents, before.Parents), without(before.Parents, after.Parents)
	return c
}

func (w WordChange) moved() int64 { return max(w.After-w.Before, w.Before-w.After) }

// artworks lists for each row who has it.
func (x *Lexicon) artworks(candidates []Candidate) map[int][]ID {
	has := map[int][]ID{}
	for _, c := range candidates {
		for _, row := range x.vocabulary.Rows(c.Latent) {
			has[row.Row] = append(has[row.Row], c.Artwork)
		}
	}
	return has
}

func without(all, but []Parent) []ParentChange {
	left := []ParentChange{}
	for _, p := range all {
		if !slices.ContainsFunc(but, func(q Parent) bool { return q.Artwork == p.Artwork }) {
			left = append(left, ParentChange{p.Artwork, latent.Explain(p.Latent)})
		}
	}
	return left
}

// appeals is what each word adds to the appeal of a latent, less what words of its kind
// add on average: preference knows differences only, and all things may have gained alike.
func (x *Lexicon) appeals(p *Prior) []int64 {
	w, all := x.weights(p), make([]int64, x.vocabulary.Size())
	kinds := map[string][]int{}
	for row := range all {
		all[row] = x.wordAppeal(w, row)
		_, kind := x.vocabulary.Name(row)
		kinds[kind] = append(kinds[kind], row)
	}
	for _, kind := range []string{latent.Thing, latent.Colour, latent.Motif, latent.Paper} {
		sum := int64(0)
		for _, row := range kinds[kind] {
			sum += all[row]
		}
		for _, row := range kinds[kind] {
			all[row] -= sum / int64(len(kinds[kind]))
		}
	}
	return all
}

// wordAppeal is what a word adds to the appeal of a latent: its own weight and that
// of how it looks, the contrast of subject and ground aside.
func (x *Lexicon) wordAppeal(w *weights, row int) int64 {
	f := features{rows: []latent.Row{{Row: row, Weight: latent.Whole}}}
	look := x.looks[row]
	const unit = 256 / lookOne
	_, kind := x.vocabulary.Name(row)
	if kind == latent.Thing {
		for k, v := range look {
			f.looks[k] = int64(v) * unit
		}
	}
	for k := range 3 {
		switch kind {
		case latent.Thing, latent.Colour:
			f.looks[subjectColour+k] = int64(look[k]) * unit
		case latent.Paper:
			f.looks[groundColour+k] = int64(look[k]) * unit
		}
	}
	f.looks[subjectSquare] = f.looks[subjectColour] * f.looks[subjectColour] >> 8
	return w.appeal(f)
}

// A WordAppeal is a word and what it adds to the appeal of a latent, beside others of its
// kind.
type WordAppeal struct {
	Word   string `json:"word"`   // without the prefix of its kind
	Kind   string `json:"kind"`   // thing, colour, motif or paper
	Appeal int64  `json:"appeal"` // in units of 2⁻¹²
}

// Appeals are all words by their appeal, the largest first; of equal ones in the
// order of the vocabulary.
func (x *Lexicon) Appeals(p *Prior) []WordAppeal {
	var all []WordAppeal
	for row, appeal := range x.appeals(p) {
		name, kind := x.vocabulary.Name(row)
		all = append(all, WordAppeal{name, kind, appeal})
	}
	slices.SortStableFunc(all, func(a, b WordAppeal) int { return cmp.Compare(b.Appeal, a.Appeal) })
	return all
}
