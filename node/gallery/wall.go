package gallery

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
)

// pageSize is the number of artworks on one page of the wall.
const pageSize = 24

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
		{Key: "making", Name: "In the making", Status: []curation.Status{curation.StatusRegistered, curation.StatusApproved, curation.StatusRequested}},
		{Key: "past", Name: "Not shown", Status: []curation.Status{curation.StatusDeclined, curation.StatusDisputed, curation.StatusExpired},
			Lead: "What a round did not choose, what two members saw differently, and what nobody finished in time."},
	}
}

// card is an artwork on the wall.
type card struct {
	RID     curation.Hash
	Prompt  string
	Status  string
	Says    string // where it stands, in words
	Picture string // path; empty when this node cannot show it
	Blank   string // what stands in its place
	Later   bool   // the picture may load when it comes into sight
}

// firstSight is how many pictures of a page a reader sees at once.
const firstSight = 9

type wall struct {
	Sections   []section // those with something on this page
	Choices    []section // all, with counts
	Show       string    // the chosen one; empty is all
	All        int
	Page       int
	Last       int
	Round      *roundState
	ModelReady bool
	Phase      string // of the ceremony
}

func (w wall) title() string { return "" }

// Prev and Next are the numbers of the neighbouring pages; 0 when there is none.
func (w wall) Prev() int { return w.Page - 1 }

// Next is the number of the next page, or 0.
func (w wall) Next() int {
	if w.Page < w.Last {
		return w.Page + 1
	}
	return 0
}

func (g *gallery) wall(r *http.Request, v curation.View) (any, error) {
	w := wall{Page: 1, Show: r.URL.Query().Get("show"), Phase: string(v.Ceremony().Phase)}
	if text := r.URL.Query().Get("page"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, absent("The wall has no such page.")
		}
		w.Page = n
	}
	_, w.ModelReady = v.Model()
	if round, ok := v.RunningRound(); ok {
		w.Round = roundStateOf(v, round)
	}
	counts := map[curation.Status][]curation.Artwork{}
	for _, a := range v.Artworks(curation.Filter{Newest: true}) {
		counts[a.Status] = append(counts[a.Status], a)
	}
	known := w.Show == ""
	from, to := (w.Page-1)*pageSize, w.Page*pageSize
	at := 0
	for _, s := range sections() {
		var works []curation.Artwork
		for _, status := range s.Status {
			works = append(works, counts[status]...)
		}
		if s.Key == "published" { // the latest round first, in it the best first
			slices.SortStableFunc(works, func(a, b curation.Artwork) int {
				if a.Round != b.Round {
					return int(b.Round) - int(a.Round)
				}
				return b.Score.Cmp(a.Score)
			})
		}
		s.Count = len(works)
		w.All += s.Count
		w.Choices = append(w.Choices, s)
		if w.Show != "" && w.Show != s.Key {
			continue
		}
		known = true
		for _, a := range works {
			if at >= from && at < to {
				c := g.cardOf(v, a)
				c.Later = at-from >= firstSight
				s.Works = append(s.Works, c)
			}
			at++
		}
		if len(s.Works) > 0 {
			w.Sections = append(w.Sections, s)
		}
	}
	w.Last = max(1, (at+pageSize-1)/pageSize)
	if !known || w.Page > w.Last {
		return nil, absent("The wall has no such page.")
	}
	return w, nil
}

func (g *gallery) cardOf(v curation.View, a curation.Artwork) card {
	c := card{RID: a.RID, Prompt: a.Prompt, Status: string(a.Status), Says: says(v, a)}
	c.Picture, c.Blank = g.pictureOf(a)
	return c
}

// pictureOf is where an artwork's picture is, or why there is none to see.
func (g *gallery) pictureOf(a curation.Artwork) (path, blank string) {
	switch {
	case a.CID == "" && a.Status == curation.StatusExpired:
		return "", "never made"
	case a.CID == "":
		return "", "not made yet"
	case g.held(a.CID):
		return "/ipfs/" + a.CID + "/image.png", ""
	case a.Status.Ended() && a.Status != curation.StatusPublished:
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
	}
	return "expired at block " + grouped(a.Ended)
}

func credits(a curve.Amount) string {
	if a == curve.Credits(1) {
		return a.InCredits()
	}
	return amount(a) + " credits"
}
