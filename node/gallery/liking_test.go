package gallery_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/tastes"
)

// A network whose members compute the taste by the real rule: two rounds, of prompts and
// then of what the taste draws, and the pages that tell why.
func TestThePageOfTheTasteTellsWhatARoundChangedAndWhy(t *testing.T) {
	s := apitest.Open(t, 3, func(p *curation.Params) {
		p.RoundCandidates, p.RoundWaitBlocks, p.MaxPublished, p.OpenRequests = 4, 50, 2, 10
	})
	h := open(t, s)
	empty := read(t, h, "/taste").sound()
	require.Equal(t, 200, empty.code)
	require.Contains(t, empty.says(), "No taste yet")
	require.Equal(t, 404, read(t, h, "/taste/0").sound().code)

	plain := s.Request("Vera", "")
	require.Contains(t, read(t, h, "/artworks/"+plain.String()).sound().says(), "the seed alone decides what it shows")
	s.Taste()
	first := read(t, h, "/taste").sound()
	require.Contains(t, first.says(), "version 0")
	require.Contains(t, first.says(), "Explores always")
	require.NotContains(t, first.says(), "What round")

	var rids []curation.Hash
	for _, prompt := range []string{"red heart on navy", "grey elephant", hostile} {
		rids = append(rids, s.Request("Vera", prompt))
	}
	s.Reach(rids[2], curation.StatusBacking)
	s.Back("Walid", rids[0], 100)
	s.Back("Vera", rids[0], 100)
	s.Reach(rids[0], curation.StatusPublished)
	s.Run("version 1", func(v curation.View) bool { return v.NextPrior() == 2 })
	p := read(t, h, "/taste").sound()
	require.Contains(t, p.says(), "version 1")
	require.Contains(t, p.says(), "What round 1 changed")
	require.Contains(t, p.says(), "Learned from 4 pictures")
	require.Contains(t, p.says(), "Parents that came and went")
	require.Contains(t, p.body, `href="/rounds/1"`)
	moved := p.all(func(n *html.Node) bool { return attr(n, "class") == "moves" })
	require.Len(t, moved, 2, "up and down")
	require.Contains(t, text(moved[0]), "navy")
	require.Contains(t, text(moved[0]), "chosen")
	require.Contains(t, text(moved[1]), "elephant")
	require.Contains(t, text(moved[1]), "not chosen")
	thumbs := p.all(func(n *html.Node) bool {
		return attr(n, "class") == "thumb" && attr(n, "href") == "/artworks/"+rids[0].String()
	})
	require.NotEmpty(t, thumbs, "the picture that did it stands beside the words")
	require.Contains(t, read(t, h, "/taste/0").sound().says(), "earlier version")
	require.Equal(t, 404, read(t, h, "/taste/2").sound().code)
	require.Equal(t, 404, read(t, h, "/taste/first").sound().code)

	// What is drawn from it says where it comes from: sooner or later both explored and bred.
	seen := map[string]bool{}
	for i := 0; len(seen) < 2; i++ {
		require.Less(t, i, 40)
		rid := s.Request("Walid", "")
		s.Reach(rid, curation.StatusApproved)
		a := s.Artwork(rid)
		var drawn tastes.Drawn
		s.Read(func(v curation.View) {
			var ok bool
			var err error
			drawn, ok, err = tastes.NewShelf(s.Store()).Drawn(t.Context(), v, a)
			require.NoError(t, err)
			require.True(t, ok)
		})
		p := read(t, h, "/artworks/"+rid.String()).sound()
		require.Equal(t, tastes.Words(drawn.Latent), text(p.tags("h1")[0]))
		version := fmt.Sprintf("/taste/%d", drawn.Prior.Version)
		require.Contains(t, p.body, `href="`+version+`"`)
		require.Contains(t, read(t, h, "/").sound().says(), tastes.Words(drawn.Latent))
		if drawn.Explored {
			seen["explored"] = true
			require.Contains(t, p.says(), "explored: drawn from everything there is")
		}
		for _, parent := range drawn.Parents {
			seen["bred"] = true
			require.Contains(t, p.says(), "bred from")
			require.Contains(t, p.body, fmt.Sprintf(`href="/artworks/%s"`, curation.Hash(parent)))
		}
		s.Run("its audit", func(v curation.View) bool { a, _ := v.Artwork(rid); return a.Attested != 0 })
		require.Contains(t, read(t, h, version).sound().says(), "Drawn from this version")
		s.Run("no round", func(v curation.View) bool { _, running := v.RunningRound(); return !running })
	}
	s.Run("version 2", func(v curation.View) bool { return v.NextPrior() >= 3 })
	require.Contains(t, read(t, h, "/taste/2").sound().says(), "It preferred no picture to another", "nobody backed what was drawn")
}
