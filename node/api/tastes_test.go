package api_test

import (
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/tastes"
)

func TestTheTasteIsToldWithItsReasons(t *testing.T) {
	s := apitest.Open(t, 3, func(p *curation.Params) { p.RoundCandidates, p.MaxPublished = 3, 1 })
	_, c := serve(t, s)
	ctx := t.Context()
	_, err := c.Taste(ctx, "current")
	problemOf(t, err, "not_found")
	_, err = c.Taste(ctx, "0")
	require.Contains(t, problemOf(t, err, "not_found").Detail, "no taste yet")
	none, err := c.Tastes(ctx, 10)
	require.NoError(t, err)
	require.Empty(t, none)

	s.Taste()
	heart, elephant := s.Request("Vera", "red heart on navy"), s.Request("Vera", "grey elephant")
	drawn := s.Request("Walid", "")
	waiting, err := c.Artwork(ctx, drawn.String())
	require.NoError(t, err)
	require.Equal(t, tastes.Untitled, waiting.Title)
	require.Nil(t, waiting.Drawn, "there is no seed yet")
	require.NotZero(t, waiting.Prior)
	s.Reach(drawn, curation.StatusBacking)
	s.Back("Walid", heart, 100)
	s.Reach(heart, curation.StatusPublished)
	s.Run("version 1", func(v curation.View) bool { return v.NextPrior() == 2 })
	s.Run("the late records", func(v curation.View) bool { p, _ := v.Prior(); return len(p.Records) == 3 })

	all, err := c.Tastes(ctx, 10)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.Equal(t, []uint64{1, 0}, []uint64{all[0].Version, all[1].Version})
	require.True(t, all[0].Held)
	require.Empty(t, all[0].Differs)
	require.Len(t, all[0].Records, 3)
	last, err := c.Tastes(ctx, 1)
	require.NoError(t, err)
	require.Equal(t, all[:1], last)

	_, err = c.Taste(ctx, "2")
	require.Contains(t, problemOf(t, err, "not_found").Detail, "the last is 1")

	now, err := c.Taste(ctx, "current")
	require.NoError(t, err)
	require.Empty(t, now.Missing)
	require.Equal(t, all[0], now.TasteVersion)
	require.EqualValues(t, 3, now.Candidates)
	require.EqualValues(t, 1, now.Published)
	require.Equal(t, []api.TasteParent{{Artwork: heart, Words: now.Parents[0].Words}}, now.Arrived)
	moved := map[string]api.TasteChange{}
	for _, w := range now.Changed {
		moved[w.Kind+" "+w.Word] = w
	}
	require.Equal(t, []curation.Hash{heart}, moved["paper navy"].Published)
	require.Equal(t, []curation.Hash{elephant}, moved["thing elephant"].Declined)
	require.Greater(t, moved["paper navy"].After, moved["paper navy"].Before)
	require.Less(t, moved["thing elephant"].After, moved["thing elephant"].Before)
	byNumber, err := c.Taste(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, now, byNumber)
	first, err := c.Taste(ctx, "0")
	require.NoError(t, err)
	require.Empty(t, first.Changed)
	require.Len(t, first.Words, model.Embedded().Words().Size())

	// The file is what the hash says, and anybody draws with it what the artwork shows.
	raw, err := c.File(ctx, first.CID, "")
	require.NoError(t, err)
	require.Equal(t, first.ID, curation.Hash(sha256.Sum256(raw)))
	x, err := model.Lexicon()
	require.NoError(t, err)
	p, err := x.UnmarshalPrior(raw)
	require.NoError(t, err)
	a, err := c.Artwork(ctx, drawn.String())
	require.NoError(t, err)
	l, origin := x.Draw(p, a.Seed)
	require.True(t, origin.Explored)
	require.Equal(t, tastes.Words(l), a.Title)
	require.True(t, a.Drawn.Explored)
	require.Empty(t, a.Drawn.Parents)
	told, err := tastes.ParseLatent(a.Drawn.Latent)
	require.NoError(t, err)
	require.Equal(t, l, told)
	require.Equal(t, taste.ID(a.Prior), p.ID())
	named, err := c.Artwork(ctx, heart.String())
	require.NoError(t, err)
	require.Equal(t, "red heart on navy", named.Title)
	require.Nil(t, named.Drawn)

	s.Read(func(v curation.View) {
		rounds, ok := tastes.Rounds(v, 1)
		require.True(t, ok)
		version := uint64(0)
		for p, err := range x.Replay(ctx, rounds) {
			require.NoError(t, err)
			adopted, _ := v.PriorAt(version)
			require.Equal(t, adopted.ID, curation.Hash(p.ID()), "whoever replays the ledger's rounds gets the same files")
			version++
		}
		require.EqualValues(t, 2, version)
		_, ok = tastes.Rounds(v, 2)
		require.False(t, ok, "no round has been settled for it")
	})
	for _, wrong := range []string{"2", "99999999999999999999"} {
		_, err = c.Taste(ctx, wrong)
		require.Error(t, err, wrong)
	}
	_, err = c.Taste(ctx, "latest")
	problemOf(t, err, api.CodeInput)
}
