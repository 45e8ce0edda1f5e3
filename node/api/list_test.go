package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

// follow reads a list from its first page to its last by the links, and calls between
// after each page.
func follow[T any](t testing.TB, h http.Handler, path string, between func()) (all []T, pages int) {
	t.Helper()
	for path != "" {
		resp, p := send(t, h, "GET", path, "", nil)
		require.Equal(t, 200, resp.StatusCode, "%s: %s", path, p.Detail)
		var page []T
		require.NoError(t, json.NewDecoder(resp.Body).Decode(&page))
		all, pages = append(all, page...), pages+1
		link := resp.Header.Get("Link")
		path = ""
		if link != "" {
			target, rel, _ := strings.Cut(link, ">")
			require.Equal(t, `; rel="next"`, rel)
			path = strings.TrimPrefix(target, "<")
		}
		between()
	}
	return all, pages
}

func TestListsAreReadPageByPage(t *testing.T) {
	s := apitest.Open(t, 1, func(p *curation.Params) { p.OpenRequests = 100 })
	h := handler(t, s)
	var rids []curation.Hash
	for i := range 7 {
		rids = append(rids, s.Request([]string{"Vera", "Walid"}[i%2], "wish "+strconv.Itoa(i)))
	}
	ridsOf := func(works []api.Artwork) (out []curation.Hash) {
		for _, a := range works {
			out = append(out, a.RID)
		}
		return out
	}
	still := func() {}
	works, pages := follow[api.Artwork](t, h, "/v1/artworks?limit=3", still)
	require.Equal(t, rids, ridsOf(works))
	require.Equal(t, 3, pages)
	works, pages = follow[api.Artwork](t, h, "/v1/artworks?limit=7", still)
	require.Len(t, works, 7)
	require.Equal(t, 1, pages, "a full page that is the last one has no link")

	vera := apitest.Address("Vera").String()
	works, pages = follow[api.Artwork](t, h, "/v1/artworks?limit=2&newest=true&status=requested,published&requester="+vera, func() {
		s.Request("Vera", "one that comes while somebody reads")
	})
	require.Equal(t, []curation.Hash{rids[6], rids[4], rids[2], rids[0]}, ridsOf(works), "the links keep what was asked for")
	require.Equal(t, 2, pages)

	approvals, pages := follow[api.Approval](t, h, "/v1/approvals?limit=4&state=waiting", still)
	require.Len(t, approvals, 9)
	require.Equal(t, "wish 0", approvals[8].Prompt)
	require.Equal(t, 3, pages)
	none, _ := follow[api.Approval](t, h, "/v1/approvals?state=expired,approved", still)
	require.Empty(t, none)
	s.Reach(rids[0], curation.StatusApproved)
	approved, _ := follow[api.Approval](t, h, "/v1/approvals?state=approved", still)
	require.NotEmpty(t, approved)

	_, c := serve(t, s)
	page, err := c.Artworks(t.Context(), api.ArtworkFilter{Limit: 2, After: rids[4]})
	require.NoError(t, err)
	require.Equal(t, rids[5:7], ridsOf(page))
	_, err = c.Artworks(t.Context(), api.ArtworkFilter{After: curation.Hash{1}})
	require.ErrorContains(t, err, "list again without after")
	problemOf(t, err, api.CodeNotFound)
	resp, p := send(t, h, "GET", "/v1/artworks?after=abcdef01", "", nil)
	require.Equal(t, 400, resp.StatusCode)
	require.Contains(t, p.Detail, "give the whole request id")
}
