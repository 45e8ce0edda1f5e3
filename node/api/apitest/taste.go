package apitest

import (
	"bytes"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/node/tastes"
)

// Taste has the members compute and record the network's taste from now on, by the real
// rule, until version 0 is in force.
func (s *Studio) Taste() {
	s.t.Helper()
	s.likes = true
	s.Run("version 0 of the taste", func(v curation.View) bool { return v.NextPrior() == 1 })
}

// compute does what a node does for a member.LearnTaste.
func (s *Studio) compute(f member.LearnTaste) member.TasteLearned {
	s.t.Helper()
	ctx, shelf := s.t.Context(), tastes.NewShelf(s.store)
	x, err := model.Lexicon()
	require.NoError(s.t, err)
	p := x.First()
	if f.Version > 0 {
		before, err := shelf.Prior(ctx, x, f.Before)
		require.NoError(s.t, err)
		var facts taste.RoundFacts
		s.Read(func(v curation.View) {
			var ok bool
			facts, ok = tastes.Facts(v, f.Round)
			require.True(s.t, ok)
		})
		p, err = tastes.Learn(x, before, facts, func(id taste.ID) (*taste.Prior, bool) {
			p, err := shelf.Prior(ctx, x, curation.Hash(id))
			return p, err == nil
		})
		require.NoError(s.t, err)
	}
	for _, file := range []interface{ MarshalBinary() ([]byte, error) }{x, p} {
		raw, err := file.MarshalBinary()
		require.NoError(s.t, err)
		root, err := s.store.PutFile(ctx, bytes.NewReader(raw))
		require.NoError(s.t, err)
		require.NoError(s.t, s.store.Pin(root, "taste/"+root.String()))
	}
	return member.TasteLearned{Version: f.Version, Prior: curation.Hash(p.ID()), Lexicon: curation.Hash(x.ID())}
}
