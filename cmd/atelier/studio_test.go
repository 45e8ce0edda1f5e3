package main

import (
	"bytes"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

// What needs members that do not work, or work badly, is told here with a network in
// memory whose blocks the test makes; the scripts have the real processes.

// asked is what a command did.
type asked struct {
	code     int
	out, err string
}

// ask runs a command against a studio's node.
func ask(t *testing.T, s *apitest.Studio) func(args ...string) asked {
	t.Helper()
	t.Setenv("ATELIER_HOME", t.TempDir())
	address := serve(t, s)
	return func(args ...string) asked {
		var out, errOut bytes.Buffer
		code := run(append(args, "--api", address), strings.NewReader(""), &out, &errOut)
		return asked{code, out.String(), errOut.String()}
	}
}

// serve opens a node's interface and returns its address.
func serve(t *testing.T, s *apitest.Studio) string {
	t.Helper()
	handler, err := api.New(s, api.Options{})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestARequestBelowTheThresholdSaysHowManyMembersAreOnline(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.RequestBlocks = 5 })
	atelier := ask(t, s)
	rid := s.Request("Vera", "red heart").String()

	r := atelier("artwork", "wait", rid, "--timeout", "50ms")
	require.Equal(t, codeQuorum, r.code)
	require.Contains(t, r.out, "requested")
	require.Contains(t, r.err, "was not approved within 50ms: 3 of 4 members online, 3 needed; it goes on by itself")
	r = atelier("approval", "list")
	require.Contains(t, r.out, "waiting")
	r = atelier("artwork", "show", rid)
	require.Contains(t, r.out, "the approval of 3 members until height")

	s.Blocks(6) // nobody approves
	r = atelier("artwork", "wait", rid)
	require.Equal(t, codeQuorum, r.code)
	require.Contains(t, r.err, "the members did not approve request "+rid[:12]+" before height")
	require.Contains(t, r.err, "3 of 4 members online, 3 needed; the deposit came back")
	require.Contains(t, r.err, "atelier approval list")
	r = atelier("approval", "list", "--state", "expired")
	require.Contains(t, r.out, "red heart")
}

func TestAnArtworkThatItsAuditorRendersOtherwiseIsDisputed(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	atelier := ask(t, s)
	s.Skew(true)
	rid := s.Request("Vera", "red heart")
	s.Reach(rid, curation.StatusDisputed)

	r := atelier("artwork", "wait", rid.String())
	require.Equal(t, codeQuorum, r.code)
	require.Contains(t, r.err, "is disputed: the auditor rendered other pixels")
	r = atelier("artwork", "show", rid.String()[:8])
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "disputed")
	require.Contains(t, r.out, "rendered other pixels: ")
}

// Members stop drawing where the file of an edition is larger than they keep.
func TestAnEditionThatIsTooLargeSaysWhatToAskFor(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	s.Most(1000)
	rid := s.Request("Vera", "red heart")
	of := s.Reach(rid, curation.StatusCandidate)
	s.Submit("Vera", curation.Edition{ModelID: of.ModelID, Of: []curation.Hash{rid}, Size: 1001})
	var e curation.Artwork
	s.Read(func(v curation.View) { e = v.Editions(rid, 1)[0] })
	s.Reach(e.RID, curation.StatusRegistered)
	atelier := ask(t, s)
	r := atelier("artwork", "show", e.RID.String())
	require.Contains(t, r.out, ", until its file was larger than members keep")
	require.NotContains(t, r.out, "pixels ")

	s.Reach(e.RID, curation.StatusExpired)
	r = atelier("artwork", "wait", e.RID.String())
	require.Equal(t, codeQuorum, r.code)
	require.Contains(t, r.out, "generated")
	require.NotContains(t, r.out, "rendered the same pixels")
	require.Contains(t, r.err, "edition "+e.RID.String()[:12]+" ended: its file is larger than members keep: ask for a smaller size or fewer frames; deposit and price came back")
	require.Contains(t, r.err, "takes a smaller --size")
	r = atelier("artwork", "show", e.RID.String())
	require.Zero(t, r.code)
	require.Contains(t, r.out, ", with the same end")
	require.Contains(t, r.out, "ask for a smaller size or fewer frames")

	out := filepath.Join(t.TempDir(), "large.png")
	r = atelier("artwork", "render", rid.String(), "--size", "1001", "--out", out)
	require.Equal(t, codeLedger, r.code, "before it costs a fee")
	require.Contains(t, r.err, "this edition was drawn as "+e.RID.String()[:12]+", and its file is larger than members keep: ask for a smaller size or fewer frames")
	require.NoFileExists(t, out)
}

// What was asked for before is fetched, also when its artwork may not be asked for any more.
func TestAnEditionOfWhatWasDeclinedSinceIsFetched(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.RoundCandidates, p.MaxPublished = 2, 1 })
	rid := s.Request("Vera", "blue bird")
	of := s.Reach(rid, curation.StatusCandidate)
	s.Submit("Vera", curation.Edition{ModelID: of.ModelID, Of: []curation.Hash{rid}, Size: 64})
	var e curation.Artwork
	s.Read(func(v curation.View) { e = v.Editions(rid, 1)[0] })
	s.Reach(e.RID, curation.StatusDelivered)
	other := s.Request("Walid", "red heart")
	s.Reach(other, curation.StatusBacking)
	s.Back("Walid", other, 100)
	s.Reach(rid, curation.StatusDeclined)

	atelier, out := ask(t, s), filepath.Join(t.TempDir(), "bird.png")
	r := atelier("artwork", "render", rid.String(), "--size", "65", "--out", out)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, "is declined: an edition is of what is published")
	r = atelier("artwork", "render", rid.String(), "--size", "64", "--out", out)
	require.Contains(t, r.err, "this edition is there or on its way already: "+e.RID.String()[:12])
}

func TestAnAuditBySomeTilesSaysWhatItFinds(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.AuditTiles = 1 })
	rid := s.Request("Vera", "red heart")
	s.Reach(rid, curation.StatusCandidate)
	r := ask(t, s)("artwork", "show", rid.String())
	require.Regexp(t, `(?m)^  recipe +recipe1[A-Za-z0-9_-]{103}$`, r.out)
	require.Contains(t, r.out, "the same pixels; 1 of 4 tiles drawn again, by chance: whoever altered one tile is caught with 25 %, 1 % of them with 25 %, 10 % with 25 %\n")
}

func TestANetworkInItsCeremonySaysSo(t *testing.T) {
	atelier := ask(t, apitest.New(t, 4, nil))
	r := atelier("network", "show")
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "not yet: the ceremony is in phase commit")
	require.Contains(t, r.out, "none is sealed yet: a member does it with `atelier model seal`")
	r = atelier("network", "wait", "--timeout", "50ms")
	require.Equal(t, codeQuorum, r.code)
	require.Contains(t, r.err, "the network was not ready within 50ms: 3 of 4 members online")
	r = atelier("network", "export")
	require.Equal(t, codeFailed, r.code)
	require.Contains(t, r.err, "no keys yet")
}

func TestAWholeRoundReadsWell(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.RoundCandidates, p.MaxPublished = 2, 1 })
	atelier := ask(t, s)
	heart, bird := s.Request("Vera", "red heart"), s.Request("Walid", "blue bird")
	s.Reach(heart, curation.StatusBacking)
	s.Reach(bird, curation.StatusBacking)
	r := atelier("round", "wait", "backing")
	require.Contains(t, r.out, "round 1 is open: 2 candidates, 0 orders")
	s.Back("Walid", heart, 300)
	s.Back("Vera", heart, 100)
	s.Back("Vera", bird, 50)
	s.Reach(heart, curation.StatusPublished)

	r = atelier("round", "show")
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "round 1 is settled: 1 of 2 candidates published, 436.5 credits of backing")
	require.Regexp(t, `(?m)^  `+heart.String()[:12]+`  published  red heart +388 +2 `, r.out)
	require.Regexp(t, `(?m)^  `+bird.String()[:12]+`  declined   blue bird`, r.out)
	r = atelier("account", "show", apitest.Address("Walid").String())
	require.Regexp(t, `holds +\S+ tokens of "red heart" \(`+heart.String()[:12]+`\), paid 300 credits`, r.out)
	r = atelier("artwork", "show", heart.String()[:8])
	require.Regexp(t, `audited by +Member \d at height \d+: the same pixels; all 4 tiles drawn again\n`, r.out)
	require.Regexp(t, `price +\S+ credits a token`, r.out)
	require.Contains(t, r.out, "held by")
	r = atelier("artwork", "show", bird.String()[:8])
	require.Regexp(t, `(?m)why +\S`, r.out)
	r = atelier("artwork", "list", "--round", "1")
	require.Equal(t, 3, strings.Count(r.out, "\n"), r.out)
}
