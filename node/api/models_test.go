package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

// The interface tells of a key epoch that ends: when, by whom, what is stored, and what
// has to be opened afterwards.
func TestTheInterfaceTellsHowKeyEpochsEnd(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.KeyEpochBlocks = 30 })
	_, c := serve(t, s)
	ctx := t.Context()
	rotation := func() api.Rotation {
		t.Helper()
		n, err := c.Network(ctx)
		require.NoError(t, err)
		return *n.Rotation
	}
	m, err := c.Model(ctx)
	require.NoError(t, err)
	require.Equal(t, []any{curation.ModelTrial, 1, uint64(0), []uint32{1}}, []any{m.Standing, m.Layers, m.Base, m.Stored})
	require.Equal(t, "nobody has shown yet that the artist opens: ask for a picture", rotation().Advice)
	s.Reach(s.Request("Vera", "red heart"), curation.StatusCandidate)
	m, err = c.Model(ctx)
	require.NoError(t, err)
	require.Equal(t, []any{curation.ModelProven, uint64(1), 2}, []any{m.Standing, m.Approved, len(m.Openers)})
	r := rotation()
	require.Equal(t, []any{uint64(1), m.Since + 30, false, []uint32{}}, []any{r.KeyEpoch, r.Due, r.Ends, r.Turns})
	require.Contains(t, r.Advice, "key epoch 1 ends at height")

	s.Run("the end of the key epoch", func(v curation.View) bool { _, due := v.Rotation(); return due })
	r = rotation()
	require.True(t, r.Ends)
	require.Len(t, r.Turns, 4)
	require.Equal(t, r.Turns[0], r.Rotator)
	require.Contains(t, r.Advice, "wrap the artist in one more layer")
	_, ok := s.Rotate()
	require.True(t, ok)
	r = rotation()
	require.Equal(t, []any{uint64(2), uint64(1), 2, 1, 3}, []any{r.Proposed.KeyEpoch, r.Proposed.Base, r.Proposed.Layers, r.Copies, r.Needed})
	require.Contains(t, r.Advice, "key epoch 2 is proposed and has 1 of 3 copies that it needs")
	s.StoreNext()
	require.Contains(t, rotation().Advice, "key epoch 2 is on trial")
	layers, err := c.Layers(ctx)
	require.NoError(t, err)
	require.Equal(t, []any{2, uint64(2), uint64(1)}, []any{len(layers), layers[0].KeyEpoch, layers[1].KeyEpoch})
	require.Equal(t, curation.LayerLabel(s.Chain(), m.ID, 2, m.PolicyHash, committeeX(s), layers[1].Label, layers[1].U), layers[0].Label)
	models, err := c.Models(ctx)
	require.NoError(t, err)
	require.Equal(t, []curation.ModelStanding{curation.ModelProven, curation.ModelTrial}, []curation.ModelStanding{models[0].Standing, models[1].Standing})
	require.Equal(t, "a layer around key epoch 1", models[1].Origin)
}

func committeeX(s *apitest.Studio) (x [32]byte) {
	s.Read(func(v curation.View) {
		c, _ := v.Committee()
		x = c.X()
	})
	return x
}

// A vote on an artist is a motion as those on members are.
func TestTheInterfaceTellsOfAVoteOnTheArtist(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	_, c := serve(t, s)
	ctx := t.Context()
	e := s.Propose("Dawn")
	motions, err := c.Motions(ctx)
	require.NoError(t, err)
	require.Len(t, motions, 1)
	m := motions[0]
	require.Equal(t, []any{"adopt", "Dawn", uint32(0), 1, 3}, []any{m.Kind, m.Name, m.Member, m.Counted, m.Threshold})
	require.Equal(t, []any{e, curation.ModelNominated, uint32(1)}, []any{m.Artist.KeyEpoch, m.Artist.Standing, m.Artist.Sealer})
	require.Nil(t, m.Applicant)
	now, err := c.Model(ctx)
	require.NoError(t, err)
	require.NotEqual(t, "Dawn", now.Name)
	s.Submit("Member 2", curation.Adopt{KeyEpoch: e})
	s.Submit("Member 3", curation.Adopt{KeyEpoch: e})
	_, err = c.Motion(ctx, m.ID.String())
	problemOf(t, err, api.CodeNotFound)
	s.StoreNext()
	now, err = c.Model(ctx)
	require.NoError(t, err)
	require.Equal(t, []any{"Dawn", curation.ModelTrial}, []any{now.Name, now.Standing})
}
