package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// What a member released is told to its owner, and says for which certificate.
func TestReleasesSayWhoGotWhatForWhichCertificate(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	server, c := serve(t, s)
	ctx := t.Context()
	none, err := c.Releases(ctx, "", 10)
	require.NoError(t, err)
	require.Empty(t, none)
	one, two := s.Request("Vera", "red heart"), s.Request("Vera", "blue bird")
	s.Reach(one, curation.StatusCandidate)
	s.Reach(two, curation.StatusCandidate)

	all, err := c.Releases(ctx, "", 1000)
	require.NoError(t, err)
	roles := map[curation.Hash][]string{}
	for i, r := range all {
		a := s.Artwork(r.RID)
		require.EqualValues(t, quorum.Context(curation.StatementFor(s.Chain(), a.Opening), quorum.Signature(a.Certificate)), r.Context)
		require.Equal(t, map[string]uint32{"generator": a.Generator, "auditor": a.Auditor}[r.Role], r.Reader)
		require.True(t, i == 0 || all[i-1].Height >= r.Height, "the newest first")
		roles[r.RID] = append(roles[r.RID], r.Role)
	}
	require.Len(t, roles, 2)
	for _, id := range []string{one.String(), one.String()[:8], s.Artwork(one).CID} {
		only, err := c.Releases(ctx, id, 1000)
		require.NoError(t, err)
		require.Len(t, only, len(roles[one]))
	}
	last, err := c.Releases(ctx, "", 1)
	require.NoError(t, err)
	require.Equal(t, all[:1], last)
	nobodys, err := c.Releases(ctx, curation.Hash{9}.String(), 10)
	require.NoError(t, err)
	require.Empty(t, nobodys)
	_, err = c.Releases(ctx, "abc", 10)
	problemOf(t, err, api.CodeInput)

	stranger := api.NewClient(server.Listener.Addr().String(), "guess")
	t.Cleanup(stranger.Close)
	_, err = stranger.Releases(ctx, "", 10)
	require.Equal(t, http.StatusUnauthorized, problemOf(t, err, api.CodeOwner).Status)
}

func TestConvictionsAreTold(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	_, c := serve(t, s)
	ctx := t.Context()
	none, err := c.Convictions(ctx)
	require.NoError(t, err)
	require.Empty(t, none)
	rid := s.Request("Vera", "red heart")
	s.Reach(rid, curation.StatusCandidate)
	e := s.WrongShare("Member 2", rid)
	s.Submit("Member 3", e)
	told, err := c.Convictions(ctx)
	require.NoError(t, err)
	require.Len(t, told, 1)
	n, err := c.Network(ctx)
	require.NoError(t, err)
	require.Equal(t, api.Conviction{Member: 2, Name: "Member 2", Offence: "wrong_share", Height: told[0].Height, Reporter: 3,
		Evidence: e.Hash(), Slashed: n.Treasury.Slashes, Standing: "leaving"}, told[0])
	require.False(t, told[0].Slashed.IsZero())
}
