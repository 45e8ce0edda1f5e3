package taste

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/atelier-dao/atelier/model/latent"
)

// Facts are what the ledger shows of an artwork that was in a round.
type Facts struct {
	Artwork ID     `json:"artwork"`          // the ledger's name of it
	Prompt  string `json:"prompt,omitempty"` // empty when the artwork was drawn
	Seed    ID     `json:"seed"`
	Prior   ID     `json:"prior,omitzero"` // the version it was drawn from; zero when there was a prompt, or none yet
}

// RoundFacts are what the ledger shows of a settled round.
type RoundFacts struct {
	Number    uint64  `json:"number"`
	Published []Facts `json:"published"` // the best first
	Declined  []Facts `json:"declined"`
}

// Read finds the latents of a round's artworks. Versions finds the versions that some
// were drawn from. Errors wrap [ErrRound].
func (x *Lexicon) Read(r RoundFacts, versions func(ID) (*Prior, bool)) (Round, error) {
	out := Round{Number: r.Number}
	for _, list := range []struct {
		from []Facts
		to   *[]Candidate
	}{{r.Published, &out.Published}, {r.Declined, &out.Declined}} {
		for _, f := range list.from {
			l, err := x.latent(f, versions)
			if err != nil {
				return Round{}, fmt.Errorf("%w: artwork %v: %w", ErrRound, f.Artwork, err)
			}
			*list.to = append(*list.to, Candidate{f.Artwork, l})
		}
	}
	return out, nil
}

func (x *Lexicon) latent(f Facts, versions func(ID) (*Prior, bool)) (latent.Latent, error) {
	if f.Prior == (ID{}) {
		return x.vocabulary.Of(f.Prompt, f.Seed)
	}
	if f.Prompt != "" {
		return latent.Latent{}, fmt.Errorf("it has a prompt and was drawn from version %v: one of these is wrong", f.Prior)
	}
	p, ok := versions(f.Prior)
	if !ok {
		return latent.Latent{}, fmt.Errorf("it was drawn from version %v, which is not at hand", f.Prior)
	}
	l, _ := x.Draw(p, f.Seed)
	return l, nil
}

// Replay computes all versions from the settled rounds of a ledger, the oldest first,
// beginning with version 0. Who finds another ID than the ledger names knows that the
// rule was not followed. It takes about a millisecond for a round of a few artworks,
// and keeps in memory the versions alone from which later rounds were drawn, up to
// MaxPrior bytes each. An error ends it; it wraps [ErrRound], or is that of ctx.
func (x *Lexicon) Replay(ctx context.Context, rounds []RoundFacts) iter.Seq2[*Prior, error] {
	return func(yield func(*Prior, error) bool) {
		until := map[ID]int{} // the last round that was drawn from a version
		for i, r := range rounds {
			for _, f := range slices.Concat(r.Published, r.Declined) {
				until[f.Prior] = i
			}
		}
		kept, p := map[ID]*Prior{}, x.First()
		for i, facts := range rounds {
			if !yield(p, nil) {
				return
			}
			if err := ctx.Err(); err != nil {
				yield(nil, err)
				return
			}
			if last, drawn := until[p.ID()]; drawn && last >= i {
				kept[p.ID()] = p
			}
			r, err := x.Read(facts, func(id ID) (*Prior, bool) { p, ok := kept[id]; return p, ok })
			if err != nil {
				yield(nil, fmt.Errorf("round %d: %w", facts.Number, err))
				return
			}
			if p, err = x.Update(p, r); err != nil {
				yield(nil, err)
				return
			}
			for _, f := range slices.Concat(facts.Published, facts.Declined) {
				if until[f.Prior] == i {
					delete(kept, f.Prior)
				}
			}
		}
		yield(p, nil)
	}
}
