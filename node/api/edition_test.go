package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

// An edition is an artwork that says what it draws once more, and stands with what it is
// of.
func TestAnArtworkTellsOfItsEditions(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	_, c := serve(t, s)
	rid := s.Request("Vera", "red heart")
	of := s.Reach(rid, curation.StatusCandidate)
	want := curation.Edition{ModelID: of.ModelID, Of: []curation.Hash{rid}, Size: 1001, Changes: []byte{2, 0, 120}}
	r, err := c.SubmitPayload(t.Context(), apitest.Key("Vera"), want)
	require.NoError(t, err)
	require.Equal(t, "ok", r.Code, r.Log)
	require.Equal(t, "artwork.edition", r.Kind)
	require.NotZero(t, r.RID)

	a, err := c.Artwork(t.Context(), r.RID.String())
	require.NoError(t, err)
	require.Equal(t, "red heart", a.Prompt)
	n, err := c.Network(t.Context())
	require.NoError(t, err)
	recipe, err := model.NewRecipe(n.Model.PlainHash, "red heart", of.Seed).Changed(want.Changes)
	require.NoError(t, err)
	e := &api.Edition{Of: want.Of, Recipes: []string{recipe.String()}, Size: 1001, Changes: want.Changes, Price: curve.NewAmount(200_000_000)}
	require.Equal(t, e, a.Edition)
	original, err := c.Artwork(t.Context(), rid.String())
	require.NoError(t, err)
	require.Nil(t, original.Edition)
	require.Len(t, original.Editions, 1)
	require.Equal(t, a.Artwork, original.Editions[0])

	_, err = c.SubmitPayload(t.Context(), apitest.Key("Vera"), want)
	require.ErrorContains(t, err, "this edition is asked for already, as "+r.RID.String())
	done := s.Reach(r.RID, curation.StatusDelivered)
	a, err = c.Artwork(t.Context(), r.RID.String())
	require.NoError(t, err)
	require.Equal(t, curation.StatusDelivered, a.Status)
	require.Equal(t, done.Kept, a.Edition.Kept)
	require.True(t, a.Held)
	listed, err := c.Artworks(t.Context(), api.ArtworkFilter{Status: []curation.Status{"delivered"}})
	require.NoError(t, err)
	require.Equal(t, []api.Artwork{a.Artwork}, listed)
}
