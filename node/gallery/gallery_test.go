package gallery_test

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/gallery"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/node/tastes"
)

// open makes the gallery of a studio's first member, who sees the second.
func open(t testing.TB, s *apitest.Studio) http.Handler {
	t.Helper()
	h, err := gallery.New(s, gallery.Options{Self: func() gallery.Self {
		return gallery.Self{Member: 1, HasShare: true, Connected: map[uint32]bool{2: true}, Proves: map[uint32]bool{2: true}}
	}})
	require.NoError(t, err)
	return h
}

// page is a page as a reader gets it.
type page struct {
	t    testing.TB
	path string
	code int
	head http.Header
	body string
	root *html.Node
}

func read(t testing.TB, h http.Handler, path string) page {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	p := page{t: t, path: path, code: w.Code, head: w.Header(), body: w.Body.String()}
	var err error
	p.root, err = html.Parse(strings.NewReader(p.body))
	require.NoError(t, err)
	return p
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// all returns the elements that keep says yes to, in order.
func (p page) all(keep func(*html.Node) bool) (found []*html.Node) {
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.ElementNode && keep(n) {
			found = append(found, n)
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(p.root)
	return found
}

func (p page) tags(name string) []*html.Node {
	return p.all(func(n *html.Node) bool { return n.Data == name })
}

// text is what an element says, in single spaces.
func text(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data + " ")
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
	}
	walk(n)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (p page) says() string { return text(p.tags("main")[0]) }

var external = regexp.MustCompile(`(?i)(https?:)?//[a-z0-9]`)

// sound holds a page against the rules of all pages.
func (p page) sound() page {
	t := p.t
	t.Helper()
	require.Len(t, p.tags("h1"), 1, "%s has one title", p.path)
	for _, landmark := range []string{"header", "nav", "main", "footer"} {
		require.NotEmpty(t, p.tags(landmark), "%s has a %s", p.path, landmark)
	}
	require.Equal(t, "en", attr(p.tags("html")[0], "lang"))
	require.NotEmpty(t, text(p.tags("title")[0]))
	ids := map[string]bool{}
	for _, n := range p.all(func(*html.Node) bool { return true }) {
		for _, a := range n.Attr {
			require.NotEqual(t, "style", a.Key, "%s: the policy forbids styles in the page: %s", p.path, a.Val)
			require.False(t, strings.HasPrefix(a.Key, "on"), "%s: the policy forbids handlers in the page: %s", p.path, a.Key)
			switch a.Key {
			case "href", "src", "srcset", "action", "data", "poster":
				require.NotRegexp(t, external, a.Val, "%s asks elsewhere", p.path)
				require.False(t, strings.Contains(a.Val, ":"), "%s: %s=%q has a scheme", p.path, a.Key, a.Val)
			case "id":
				require.False(t, ids[a.Val], "%s: id %q appears twice", p.path, a.Val)
				ids[a.Val] = true
			}
		}
	}
	for _, n := range p.all(func(n *html.Node) bool { return attr(n, "aria-labelledby") != "" }) {
		for _, id := range strings.Fields(attr(n, "aria-labelledby")) {
			require.True(t, ids[id], "%s: nothing has the id %q", p.path, id)
		}
	}
	for _, n := range p.tags("img") {
		require.NotEmpty(t, attr(n, "alt"), "%s: every picture has words", p.path)
		require.True(t, strings.HasPrefix(attr(n, "src"), "/ipfs/"))
	}
	for _, n := range p.tags("script") {
		require.Nil(t, n.FirstChild, "%s: scripts are files", p.path)
	}
	require.Empty(t, p.tags("style"))
	require.Empty(t, p.tags("form"), "pages change nothing")
	require.NotContains(t, p.body, "<no value>")
	require.NotContains(t, p.body, "ZgotmplZ", "%s: the template refused a value", p.path)
	return p
}

const hostile = `</title><script>alert(1)</script>" onload="x`

// A network of four whose ledger holds an artwork in every state, and the pages of
// all of them.
func TestEveryStateHasItsPage(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.RoundCandidates, p.MaxPublished = 2, 1 })
	h := open(t, s)
	rid := s.Request("Walid", hostile)
	look := func(status curation.Status, parts ...string) page {
		t.Helper()
		a := s.Artwork(rid)
		require.Equal(t, status, a.Status)
		p := read(t, h, "/artworks/"+rid.String()).sound()
		require.Equal(t, 200, p.code)
		require.Equal(t, a.Prompt, text(p.tags("h1")[0]), "the prompt is text and nothing else")
		require.Contains(t, p.says(), string(status))
		require.Equal(t, a.CID != "", strings.Contains(p.says(), "of the class exact: two runs agree to the bit"))
		for _, part := range parts {
			require.Contains(t, p.says(), part, status)
		}
		wall := read(t, h, "/").sound()
		require.Contains(t, wall.says(), a.Prompt)
		require.Contains(t, wall.body, `href="/artworks/`+rid.String()+`"`)
		read(t, h, "/network").sound()
		return p
	}
	p := look(curation.StatusRequested, "The members are checking the request", "not made yet")
	require.Empty(t, p.tags("img"))
	s.Reach(rid, curation.StatusApproved)
	look(curation.StatusApproved, "is drawn to make it", "any 3 of its 4 members", "Certificate", "Seed signature")
	s.Reach(rid, curation.StatusRegistered)
	a := s.Artwork(rid)
	p = look(curation.StatusRegistered, "atelier verify "+a.CID, "Made by")
	require.Equal(t, "/ipfs/"+a.CID+"/image.png", attr(p.tags("img")[0], "src"))
	require.Equal(t, hostile, attr(p.tags("img")[0], "alt"))
	s.Reach(rid, curation.StatusCandidate)
	look(curation.StatusCandidate, "No price yet", "100 credits", "checked by")

	other := s.Request("Vera", "blue bird")
	s.Reach(other, curation.StatusBacking)
	look(curation.StatusBacking, "atelier market back "+rid.String()[:12])
	require.Contains(t, read(t, h, "/").says(), "Round 1 takes sealed orders")
	require.Contains(t, read(t, h, "/rounds/1").sound().says(), "No orders yet")
	s.Back("Vera", rid, 100)
	s.Back("Walid", rid, 50)
	s.Back("Vera", other, 10)
	round := read(t, h, "/rounds/1").sound()
	require.Contains(t, round.says(), "3 sealed orders")
	require.Contains(t, round.says(), "sealed")
	require.NotContains(t, round.says(), "49.50", "nothing is known of an order before the round")

	s.Run("the opening", func(v curation.View) bool {
		r, _ := v.Round(1)
		return r.Phase == curation.RoundOpening
	})
	require.Contains(t, read(t, h, "/rounds/1").sound().says(), "The members open all of them together")
	s.Reach(rid, curation.StatusPublished)
	p = look(curation.StatusPublished, "Price curve", "Backing", "Holders", "145.50 credits from 2", "Published round 1", "50 %",
		"The artist is sealed; the members draw this picture once more for whoever pays for it", "atelier artwork render "+rid.String()[:12]+" --size 4096")
	plot := p.all(func(n *html.Node) bool { return n.Data == "svg" && attr(n, "class") == "plot" })
	require.Len(t, plot, 1)
	require.Contains(t, text(plot[0]), "reserve 245.50", "deposit and backing lie under the curve")
	require.Regexp(t, `^M84\.0 280\.0(L[0-9.]+ [0-9.]+)+$`, attr(p.all(func(n *html.Node) bool { return attr(n, "class") == "line" })[0], "d"))
	round = read(t, h, "/rounds/1").sound()
	require.Contains(t, round.says(), "1 picture of 2 was chosen")
	require.Contains(t, round.says(), "refunded")
	require.Contains(t, round.says(), "To the curves 145.50")

	rid = other
	s.Run("the letting go", func(curation.View) bool { return len(s.Store().Pins()) == 1 })
	p = look(curation.StatusDeclined, "no longer kept", "Declined round 1")
	require.Empty(t, p.tags("img"))

	s.Skew(true)
	rid = s.Request("Vera", "two suns")
	s.Reach(rid, curation.StatusDisputed)
	look(curation.StatusDisputed, "pixels differ", "Auditor’s root")

	rid = s.Request("Vera", "never")
	s.Blocks(401)
	look(curation.StatusExpired, "never made", "Too few members approved it", "Expired")

	net := read(t, h, "/network").sound()
	require.Contains(t, net.says(), "1 share of margin")
	require.Contains(t, net.says(), "4 of 4 members proved their shares")
	require.Contains(t, net.says(), "Its pictures are of the class exact: two runs agree to the bit.")
	require.Contains(t, net.says(), "Member 2 active proven connected")
	require.Contains(t, net.says(), "Member 3 active proven not connected")
	require.Contains(t, net.says(), "Round 1 settled 2 1 155.20", "what was offered, to the declined one too")
}

// An edition hangs beside what it is of, and has a page of its own; nobody is offered one
// that is not to be had.
func TestEditionsHangBesideWhatTheyAreOf(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.EditionBlocks = 60 })
	h := open(t, s)
	works := []curation.Hash{s.Request("Vera", "two moons"), s.Request("Vera", "owl")}
	var model curation.Hash
	for _, rid := range works {
		model = s.Reach(rid, curation.StatusCandidate).ModelID
	}
	p := read(t, h, "/artworks/"+works[0].String()).sound()
	require.NotContains(t, p.says(), "Editions")
	require.NotContains(t, p.says(), "atelier artwork render", "it is Vera's alone before it is published")

	s.Submit("Vera", curation.Edition{ModelID: model, Of: works, Size: 64, Frames: 10, Length: 1000})
	var film curation.Artwork
	s.Read(func(v curation.View) { film = v.Editions(works[1], 1)[0] })
	p = read(t, h, "/artworks/"+film.RID.String()).sound()
	require.Contains(t, p.says(), "An edition, a film of 10 frames of 64 × 64 pixels: from two moons to owl .")
	require.Contains(t, p.says(), "Delivered to come")
	require.NotContains(t, p.says(), "Chosen")
	film = s.Reach(film.RID, curation.StatusDelivered)
	for _, rid := range works {
		p = read(t, h, "/artworks/"+rid.String()).sound()
		require.Contains(t, p.says(), "Editions two moons a film of 10 frames of 64 × 64 pixels")
		require.NotEmpty(t, p.all(func(n *html.Node) bool { return attr(n, "href") == "/artworks/"+film.RID.String() }))
	}
	p = read(t, h, "/artworks/"+film.RID.String()).sound()
	require.Contains(t, p.says(), fmt.Sprintf("kept until block %d", film.Kept))
	require.Contains(t, p.says(), "that the members approved this edition of works of theirs")
	require.Contains(t, read(t, h, "/").sound().says(), "Editions Drawn once more for somebody")
	require.Contains(t, read(t, h, "/?show=editions").sound().says(), "a film of 10 frames")
	s.Run("its end", func(v curation.View) bool { return v.Height() > film.Kept })
	s.Run("the letting go", func(curation.View) bool { return len(s.Store().Pins()) == 2 })
	require.Contains(t, read(t, h, "/artworks/"+film.RID.String()).sound().says(), "no longer kept")
}

// An edition of a picture without a prompt is called as that one, which its seed alone did
// not make.
// Two members drew it as far as they keep files: no deadline passed.
func TestAnEditionThatWasTooLargeSaysSo(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	s.Most(63)
	h := open(t, s)
	of := s.Reach(s.Request("Vera", "two moons"), curation.StatusCandidate)
	s.Submit("Vera", curation.Edition{ModelID: of.ModelID, Of: []curation.Hash{of.RID}, Size: 64})
	var e curation.Artwork
	s.Read(func(v curation.View) { e = v.Editions(of.RID, 1)[0] })
	s.Reach(e.RID, curation.StatusExpired)
	p := read(t, h, "/artworks/"+e.RID.String()).sound()
	require.Contains(t, p.says(), "until its file was larger than members keep")
	require.Contains(t, p.says(), "Expired too large to keep")
	require.Contains(t, p.says(), "never made")
	require.NotContains(t, p.says(), "deadline passed")
	require.Contains(t, read(t, h, "/artworks/"+of.RID.String()).sound().says(), "too large to keep")
}

func TestAnEditionOfAPictureWithoutAPromptHasItsName(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	h := open(t, s)
	s.Taste()
	rid := s.Request("Vera", "")
	of := s.Reach(rid, curation.StatusCandidate)
	require.NotZero(t, of.Prior)
	s.Submit("Vera", curation.Edition{ModelID: of.ModelID, Of: []curation.Hash{rid}, Size: 64})
	var e curation.Artwork
	s.Read(func(v curation.View) { e = v.Editions(rid, 1)[0] })
	name := func(rid curation.Hash) string {
		return text(read(t, h, "/artworks/"+rid.String()).sound().tags("h1")[0])
	}
	require.Equal(t, name(rid), name(e.RID))
	require.NotEqual(t, tastes.Untitled, name(e.RID))
	require.NotContains(t, read(t, h, "/artworks/"+e.RID.String()).says(), "the seed alone decides")
}

// The page of the network tells who comes and goes, and what comes next.
func TestThePageOfTheNetworkTellsWhoComesAndGoes(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	h := open(t, s)
	require.NotContains(t, read(t, h, "/network").sound().says(), "Votes under way")
	says := func(parts ...string) string {
		t.Helper()
		p := read(t, h, "/network").sound()
		require.Equal(t, 200, p.code)
		for _, part := range parts {
			require.Contains(t, p.says(), part)
		}
		return p.says()
	}
	s.Submit("Member 2", curation.Admit{Application: s.Apply(hostile)})
	s.Submit("Member 3", curation.Remove{Member: 4})
	s.Submit("Member 1", curation.Remove{Member: 4})
	var id string
	s.Read(func(v curation.View) {
		for _, m := range v.Motions() {
			if m.Application != nil {
				id = m.ID.String()[:12]
			}
		}
	})
	says("Each who holds a share has one vote. Who is a member changes with the handover after 3 votes", "Admit "+hostile, ": 1 of 3 votes, 86 397 blocks left", "For it: Member 2 .", "atelier member admit "+id,
		"Remove Member 4 , member 4: 2 of 3 votes", "For it: Member 3 , Member 1 .", "atelier member remove 4")

	s.Admit(hostile)
	s.Submit("Member 2", curation.Remove{Member: 4})
	page := says("With the next handover "+hostile+" gets a share; Member 4 gives its share back.",
		"joining admitted: gets a share and a vote with the next handover none", "leaving gives its share and vote back with the next handover", "4 of 4 members proved")
	require.NotContains(t, page, "Votes under way")
	dots := 0
	for range read(t, h, "/network").all(func(n *html.Node) bool { return n.Data == "li" && strings.Contains(attr(n, "class"), "proven") }) {
		dots++
	}
	require.Equal(t, 4, dots, "who has no share yet has no dot")

	s.Run("the proposal", func(v curation.View) bool { _, ok := v.Handover(); return ok })
	says("A handover to epoch 2 is proposed: ", " of 5 members have consented.")
	s.Run("its ceremony", func(v curation.View) bool { return v.CeremonyEpoch() == 2 })
	says("A handover to epoch 2 is under way, in the phase commit.", "With the next handover "+hostile+" gets a share; Member 4")
	s.Stands("Member 4", curation.StandingLeft)
	says("4 of 4 members proved", "Was a member: Member 4 (number 4).", hostile+" active proven not connected")
}

// The page of the network names the guardians and tells where their shares stand.
func TestThePageOfTheNetworkTellsOfItsGuardians(t *testing.T) {
	keeper := guardian.Guardian{Account: apitest.Address("Gerda"), Seeds: map[uint64][32]byte{}}
	s := apitest.Found(t, 4, func(g *curation.Genesis) {
		g.Succession = curation.Succession{Policy: curation.WillPolicy, Threshold: 1, AnswerBlocks: 20, SilentBlocks: 500,
			Guardians: []curation.Guardian{{Name: "Gerda " + hostile, Account: keeper.Account}}}
		g.Balances = append(g.Balances, curation.GenesisBalance{Account: keeper.Account, Amount: curve.Credits(10)})
	})
	s.Run("the ceremony", func(v curation.View) bool { _, ok := v.Committee(); return ok })
	h := open(t, s)
	says := func() string { return read(t, h, "/network").sound().says() }
	require.Contains(t, says(), "Guardians They hold no share yet: each takes one with atelier guardian tend")
	require.Contains(t, says(), "1 Gerda "+hostile+" none")
	for range 40 {
		var l guardian.Ledger
		s.Read(func(v curation.View) { l = guardian.Read(v) })
		if l.Estate.Sharing != nil {
			require.Contains(t, says(), fmt.Sprintf("Their shares count since block %d. They may publish the key after block %d,", l.Estate.Sharing.Height, l.Estate.Silent()))
			require.Contains(t, says(), "1 Gerda "+hostile+" proven")
			return
		}
		if l.Running != nil {
			require.Contains(t, says(), "The members deal them their shares; this phase, "+l.Running.Phase().String()+",")
		}
		effects, err := keeper.Step(l, false, rand.Reader)
		require.NoError(t, err)
		for _, f := range effects {
			keeper.Done(f)
			if f, ok := f.(guardian.Submit); ok {
				s.Submit("Gerda", f.Payload)
			}
		}
		next := l.Height + 3
		s.Run("time", func(v curation.View) bool { return v.Height() >= next })
	}
	require.Fail(t, "the sharing never counted")
}

func TestAnEmptyNetworkTeaches(t *testing.T) {
	s := apitest.New(t, 1, nil)
	h := open(t, s)
	require.Contains(t, read(t, h, "/").sound().says(), "making the network’s key")
	net := read(t, h, "/network").sound()
	require.Contains(t, net.says(), "no key yet")
	require.Contains(t, net.says(), "atelier model seal")
	require.Contains(t, net.says(), "There was no round yet")
	s.Run("the ceremony", func(v curation.View) bool { _, ok := v.Committee(); return ok })
	require.Contains(t, read(t, h, "/").sound().says(), "atelier model seal")
	require.Contains(t, read(t, h, "/network").sound().says(), "No share may be lost", "a network of one says what that means")
	_, err := s.SealModel(t.Context(), api.SealOptions{}, func(api.SealProgress) {})
	require.NoError(t, err)
	require.Contains(t, read(t, h, "/").sound().says(), `atelier artwork request --prompt "red heart"`)
}

func TestWhatIsNotThereHasAPageToo(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	h := open(t, s)
	for path, says := range map[string]string{
		"/nothing": "nothing here", "/artworks/" + strings.Repeat("ab", 32): "no artwork of that name", "/artworks/xyz": "no artwork",
		"/artworks/abcdef0": "no artwork", "/artworks/%3Cscript%3E": "no artwork", "/rounds/9": "no round 9", "/rounds/one": "numbered from 1",
		"/rounds/-1": "numbered", "/?show=secrets": "no such page", "/?after=" + strings.Repeat("ab", 32): "no such page", "/?show=making&after=x": "no such page",
		"/?show=making&before=" + strings.Repeat("ab", 32): "no such page", "/?show=making&after=": "no such page",
		"/?show=making&after=x&before=y": "no such page",
		"/assets/nothing.css":            "nothing here", "/assets/..%2fgallery.go": "nothing here",
	} {
		p := read(t, h, path).sound()
		require.Equal(t, 404, p.code, path)
		require.Contains(t, p.says(), says, path)
		require.NotContains(t, p.body, "<script>", path)
	}
}

// cards are the prompts on a page, in order.
func (p page) cards() (prompts []string) {
	for _, n := range p.all(func(n *html.Node) bool { return attr(n, "class") == "prompt" }) {
		prompts = append(prompts, text(n))
	}
	return prompts
}

// link is where a page leads, by the name of the relation; empty when nowhere.
func (p page) link(rel string) string {
	for _, n := range p.tags("a") {
		if attr(n, "rel") == rel {
			return attr(n, "href")
		}
	}
	return ""
}

func TestTheWallIsReadByItsLinks(t *testing.T) {
	s := apitest.Open(t, 1, func(p *curation.Params) { p.OpenRequests = 100 })
	h := open(t, s)
	var newestFirst []string
	wish := func(n int) {
		s.Request("Vera", "wish "+strconv.Itoa(n)) // prekeys are taken, not waited for
		newestFirst = append([]string{"wish " + strconv.Itoa(n)}, newestFirst...)
	}
	for i := range 54 {
		wish(i + 1)
	}
	front := read(t, h, "/").sound()
	require.Equal(t, newestFirst[:12], front.cards(), "the front page shows the beginning of each section")
	require.Contains(t, front.says(), "Show all 54")
	require.Empty(t, front.link("next"))
	require.Contains(t, front.body, `href="/?show=making"`)

	var pages []page
	var all []string
	for path := "/?show=making"; path != ""; path = pages[len(pages)-1].link("next") {
		p := read(t, h, path).sound()
		require.Equal(t, 200, p.code)
		pages, all = append(pages, p), append(all, p.cards()...)
	}
	require.Equal(t, newestFirst, all, "the links lead through all of it")
	require.Len(t, pages, 3)
	require.Empty(t, pages[0].link("prev"))

	back := read(t, h, pages[2].link("prev")).sound()
	require.Equal(t, pages[1].cards(), back.cards())
	require.Equal(t, pages[0].cards(), read(t, h, back.link("prev")).sound().cards())

	wish(55)
	require.Equal(t, pages[1].cards(), read(t, h, pages[1].path).sound().cards(), "a page stays where it is when something new comes")
	first := read(t, h, back.link("prev")).sound()
	require.Equal(t, pages[0].cards(), first.cards())
	require.Equal(t, newestFirst[:24], read(t, h, first.link("prev")).sound().cards(), "what comes before the first page is the first page")

	require.Contains(t, read(t, h, "/?show=published").sound().says(), "Nothing hangs here now")
}

func TestAssetsAndPagesAreAskedForAgainOnlyWhenTheyChanged(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	h := open(t, s)
	p := read(t, h, "/")
	require.Equal(t, "no-cache", p.head.Get("Cache-Control"))
	again := func(path, tag string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("If-None-Match", tag)
		h.ServeHTTP(w, r)
		return w
	}
	require.Equal(t, 304, again("/", p.head.Get("ETag")).Code)
	s.Blocks(1)
	require.Equal(t, 200, again("/", p.head.Get("ETag")).Code, "there is a new block")
	links := 0
	for _, n := range append(p.tags("link"), p.tags("script")...) {
		target := attr(n, "href") + attr(n, "src")
		require.True(t, strings.HasPrefix(target, "/assets/"), target)
		w := again(target, "")
		require.Equal(t, 200, w.Code, target)
		require.Contains(t, w.Header().Get("Cache-Control"), "immutable")
		require.Equal(t, 304, again(target, w.Header().Get("ETag")).Code)
		require.NotContains(t, again(strings.Split(target, "?")[0], "").Header().Get("Cache-Control"), "immutable", "another version may come under the bare name")
		body := strings.ReplaceAll(w.Body.String(), "http://www.w3.org/2000/svg", "") // a name, not an address
		require.NotRegexp(t, external, body, "%s asks elsewhere", target)
		require.NotContains(t, body, "@import")
		links++
	}
	require.Equal(t, 3, links)
	require.Contains(t, p.head.Get("Content-Security-Policy"), "default-src 'none'")
	require.NotContains(t, p.head.Get("Content-Security-Policy"), "unsafe")
}

func TestAnArtworkIsFoundByEachOfItsNames(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	h := open(t, s)
	rid := s.Request("Vera", "green leaf")
	a := s.Reach(rid, curation.StatusCandidate)
	for _, id := range []string{rid.String(), rid.String()[:8], a.CID} {
		require.Equal(t, "green leaf", text(read(t, h, "/artworks/"+id).sound().tags("h1")[0]))
	}
}

// The page of the network tells which artist members vote on, and what became of others.
func TestThePageOfTheNetworkTellsWhereTheArtistStands(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.KeyEpochBlocks = 20 })
	h := open(t, s)
	says := func() string { t.Helper(); return read(t, h, "/network").sound().says() }
	require.Contains(t, says(), "sealed for key epoch 1")
	e := s.Propose(hostile)
	require.Contains(t, says(), "sealed by Member 1 for key epoch 2, as the artist: 1 of 3 votes")
	require.Contains(t, says(), fmt.Sprintf("atelier model adopt %d", e))
	s.Reach(s.Request("Vera", "red heart"), curation.StatusCandidate)
	s.Run("the end of the key epoch", func(v curation.View) bool { _, due := v.Rotation(); return due })
	require.Contains(t, says(), "Key epoch 1 ends: it is the turn of")
	_, ok := s.Rotate()
	require.True(t, ok)
	require.Contains(t, says(), "Key epoch 3 is proposed and has 1 of 3 copies that it needs")
	s.StoreNext()
	page := says()
	require.Contains(t, page, "in 2 layers")
	require.Contains(t, page, "a layer around key epoch 1")
	require.Contains(t, page, "members vote until height")
}

// The page of the network tells, beside the artist, how its members train it.
func TestThePageOfTheNetworkTellsOfTrainings(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	h := open(t, s)
	says := func() string { t.Helper(); return read(t, h, "/network").sound().says() }
	require.NotContains(t, says(), "Trainings")
	plan := s.Plan()
	s.Submit("Member 1", curation.Train{Plan: plan})
	page := says()
	require.Contains(t, page, "together, training 1: 1 of 3 votes")
	require.Contains(t, page, "10 steps of 16 pictures each")
	require.Contains(t, page, "atelier training vote ")
	s.Submit("Member 2", curation.Train{Plan: plan})
	s.Submit("Member 3", curation.Train{Plan: plan})
	require.Contains(t, says(), "Training 1 is approving")
	s.Run("the certificate", func(v curation.View) bool { t, _ := v.RunningTraining(); return t.Status == curation.TrainingJoining })
	row := func() string {
		t.Helper()
		return regexp.MustCompile(`Trainers Status Means 1 .*? (\d+) (joining|summing) `).FindString(says())
	}
	require.Contains(t, row(), " 0 joining ")
	for i := range 4 {
		s.Submit(fmt.Sprintf("Member %d", i+1), curation.Join{Number: 1, Reader: curation.Hash{7}})
		if i == 1 {
			require.Contains(t, row(), " 2 joining ", "those who joined so far")
		}
	}
	require.Contains(t, row(), " 4 summing ")
	require.Contains(t, says(), "Training 1 is summing : trainers exchange keys. Until block ")
	s.Run("its end", func(v curation.View) bool { _, running := v.RunningTraining(); return !running })
	page = says()
	require.NotContains(t, page, "Training 1 is")
	require.Contains(t, page, "nothing came of it: ")
}
