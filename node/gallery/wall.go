package gallery

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
)

// pageSize is the number of artworks on one page of a section, and frontSize that of
// a section on the front page.
const (
	pageSize  = 24
	frontSize = 12
)

// group of the wall: what hangs together.
type section struct {
	Key    string // in the query
	Name   string
	Status []curation.Status
	Count  int
	Lead   string // what the section is, in a sentence
	Works  []card
}

// sections of the wall, in the order in which they hang.
func sections() []section {
	return []section{
		{Key: "published", Name: "Published", Status: []curation.Status{curation.StatusPublished}},
		{Key: "round", Name: "In the round", Status: []curation.Status{curation.StatusBacking}},
		{Key: "candidates", Name: "Candidates", Status: []curation.Status{curation.StatusCandidate},
			Lead: "Made and checked by two members, waiting for the next round."},
		{Key: "editions", Name: "Editions", Status: []curation.Status{curation.StatusDelivered},
			Lead: "Drawn once more for somebody: larger, in other colours, or on the way from one to another."},
		{Key: "making", Name: "In the making", Status: []curation.Status{curation.StatusRegistered, curation.StatusApproved, curation.StatusRequested}},
		{Key: "past", Name: "Not shown", Status: []curation.Status{curation.StatusDeclined, curation.StatusDisputed, curation.StatusExpired},
			Lead: "What a round did not choose, what two members saw differently, and what nobody finished in time."},
	}
}

// card is an artwork on the wall.
type card struct {
	RID     curation.Hash
	Prompt  string // or what else it is called
	Status  string
	Says    string // where it stands, in words
	Picture string // path; empty when this node cannot show it
	Blank   string // what stands in its place
	Later   bool   // the picture may load when it comes into sight
}

// firstSight is how many pictures of a page a reader sees at once.
const firstSight = 9

type wall struct {
	Sections   []section // those with something to show
	Choices    []section // all, with counts
	Show       string    // the chosen one; empty is the front page
	All        int
	Newer      string // path of the page before this one; empty when this is the first
	Older      string // path of the page behind; empty when this is the last
	Round      *roundState
	ModelReady bool
	Phase      string // of the ceremony
}

func (w wall) title() string { return "" }

// wall shows the beginnings of all sections, or one section page by page. Within a
// section the newest wish hangs first: that order never changes, so a link to a page
// stays good, and a page costs what it shows. The ranking of a round is on the round's
// page.
func (g *gallery) wall(r *http.Request, v curation.View) (any, error) {
	q := r.URL.Query()
	w := wall{Show: q.Get("show"), Phase: string(v.Ceremony().Phase)}
	_, w.ModelReady = v.Model()
	if round, ok := v.RunningRound(); ok {
		w.Round = roundStateOf(v, round)
	}
	known, shown, counts := w.Show == "" && !q.Has("after") && !q.Has("before"), 0, v.Counts()
	for _, s := range sections() {
		for _, status := range s.Status {
			s.Count += counts[status]
		}
		w.All += s.Count
		w.Choices = append(w.Choices, s)
		if w.Show != "" && w.Show != s.Key {
			continue
		}
		var works []curation.Artwork
		if w.Show == "" {
			works = v.Artworks(curation.Filter{Status: s.Status, Newest: true, Limit: frontSize})
		} else {
			works, w.Newer, w.Older = s.page(v, q)
			known = len(works) > 0 || !q.Has("after") && !q.Has("before")
		}
		for _, a := range works {
			c := g.cardOf(r.Context(), v, a)
			c.Later = shown >= firstSight
			s.Works = append(s.Works, c)
			shown++
		}
		if len(s.Works) > 0 {
			w.Sections = append(w.Sections, s)
		}
	}
	if !known {
		return nil, absent("The wall has no such page.")
	}
	return w, nil
}

// More says that the section has more than is shown of it here.
func (s section) More() bool { return s.Count > len(s.Works) }

// page reads the page of a section that a query asks for: the first, the one after an
// artwork, or the one before; with the paths of its neighbours.
func (s section) page(v curation.View, q url.Values) (works []curation.Artwork, newer, older string) {
	read := func(newest bool, after curation.Hash, limit int) []curation.Artwork {
		return v.Artworks(curation.Filter{Status: s.Status, Newest: newest, After: after, Limit: limit})
	}
	after, before := q.Get("after"), q.Get("before")
	if rid, err := curation.ParseHash(before); err == nil && after == "" {
		works = read(false, rid, pageSize)
		slices.Reverse(works)
		if len(works) < pageSize { // so few are the first page
			before = ""
		}
	} else if rid, err = curation.ParseHash(after); err == nil && before == "" {
		works = read(true, rid, pageSize)
	}
	if after == "" && before == "" {
		works = read(true, curation.Hash{}, pageSize)
	}
	if len(works) == 0 {
		return nil, "", ""
	}
	if first := works[0].RID; len(read(false, first, 1)) > 0 {
		newer = "/?show=" + s.Key + "&before=" + first.String()
	}
	if last := works[len(works)-1].RID; len(read(true, last, 1)) > 0 {
		older = "/?show=" + s.Key + "&after=" + last.String()
	}
	return works, newer, older
}

func (g *gallery) cardOf(ctx context.Context, v curation.View, a curation.Artwork) card {
	c := card{RID: a.RID, Prompt: g.shelf.Title(ctx, v, a), Status: string(a.Status), Says: says(v, a)}
	c.Picture, c.Blank = g.pictureOf(v, g.shownAs(v, a))
	return c
}

// pictureOf is where an artwork's picture is, or why there is none to see.
func (g *gallery) pictureOf(v curation.View, a curation.Artwork) (path, blank string) {
	switch {
	case a.CID == "" && a.Status.Ended():
		return "", "never made"
	case a.CID == "":
		return "", "not made yet"
	case g.held(a.CID):
		return "/ipfs/" + a.CID + "/image.png", ""
	case a.Status.Ended() && a.Status != curation.StatusPublished && v.Height() >= a.Kept:
		return "", "no longer kept"
	}
	return "", "not on this node yet"
}

// says tells in a few words where an artwork stands.
func says(v curation.View, a curation.Artwork) string {
	turn := func(verb string, member uint32, ok bool) string {
		if !ok {
			return "waits to be " + verb
		}
		return fmt.Sprintf("%s is to have it %s", memberName(v, member), verb)
	}
	switch a.Status {
	case curation.StatusRequested:
		return "waits for the members’ approval"
	case curation.StatusApproved:
		m, ok := a.GeneratorAt(v.Params(), v.Height()+1)
		if ok {
			return memberName(v, m) + " is drawn to make it"
		}
		return turn("made", m, ok)
	case curation.StatusRegistered:
		m, ok := a.AuditorAt(v.Params(), v.Height()+1)
		if ok {
			return memberName(v, m) + " is drawn to check it"
		}
		return turn("checked", m, ok)
	case curation.StatusCandidate:
		return "waits for a round"
	case curation.StatusBacking:
		return fmt.Sprintf("in round %d", a.Round)
	case curation.StatusPublished:
		return fmt.Sprintf("%s from %s", credits(a.Backing), plural(a.Backers, "backer"))
	case curation.StatusDeclined:
		return fmt.Sprintf("declined in round %d", a.Round)
	case curation.StatusDisputed:
		return "the auditor saw other pixels"
	case curation.StatusDelivered:
		return editionText(*a.Edition)
	}
	if a.TooLarge() && a.Attested != 0 {
		return "too large to keep"
	}
	return "expired at block " + grouped(a.Ended)
}

// credits is amount with its noun.
func credits(a curve.Amount) string { return amount(a) + " " + creditNoun(a) }

func creditNoun(a curve.Amount) string {
	if amount(a) == "1" {
		return "credit"
	}
	return "credits"
}
