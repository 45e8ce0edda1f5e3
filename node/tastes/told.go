package tastes

import (
	"context"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model/taste"
)

// Told is a version of the taste with what it knows and what its round changed.
type Told struct {
	Prior  curation.Prior // as the ledger has it
	Now    *taste.Prior
	Words  []taste.WordAppeal // all of them, the most liked first
	Change *taste.Change      // what the round changed; nil for version 0
}

// Tell reads an adopted version. The error wraps ErrMissing when a file is not here; what
// the ledger has of the version is filled in then.
func (s *Shelf) Tell(ctx context.Context, v curation.View, version uint64) (t Told, err error) {
	var ok bool
	if t.Prior, ok = v.PriorAt(version); !ok || !t.Prior.Adopted() {
		return t, fmt.Errorf("there is no version %d of the taste", version)
	}
	x, err := s.Lexicon(ctx, t.Prior.Lexicon)
	if err != nil {
		return t, err
	}
	if t.Now, err = s.Prior(ctx, x, t.Prior.ID); err != nil {
		return t, err
	}
	t.Words = x.Appeals(t.Now)
	if version == 0 {
		return t, nil
	}
	former, _ := v.PriorAt(version - 1) // versions have no gaps
	before, err := s.Prior(ctx, x, former.ID)
	if err != nil {
		return t, err
	}
	facts, ok := Facts(v, t.Prior.Round)
	if !ok {
		return t, fmt.Errorf("round %d is not settled", t.Prior.Round)
	}
	round, err := s.learned(ctx, x, facts)
	if err != nil {
		return t, err
	}
	change := x.Compare(before, t.Now, round)
	t.Change = &change
	return t, nil
}
