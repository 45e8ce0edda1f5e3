package taste

import (
	"context"
	"fmt"

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
// and keeps all versions in memory, up to MaxPrior bytes each. Errors wrap [ErrRound],
// or are those of ctx when it ends.
func (x *Lexicon) Replay(ctx context.Context, rounds []RoundFacts) ([]*Prior, error) {
	priors := []*Prior{x.First()}
	byID := map[ID]*Prior{priors[0].ID(): priors[0]}
	for _, facts := range rounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		r, err := x.Read(facts, func(id ID) (*Prior, bool) { p, ok := byID[id]; return p, ok })
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", facts.Number, err)
		}
		p, err := x.Update(priors[len(priors)-1], r)
		if err != nil {
			return nil, err
		}
		priors = append(priors, p)
		byID[p.ID()] = p
	}
	return priors, nil
}
