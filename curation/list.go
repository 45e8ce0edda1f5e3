package curation

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"slices"
	"strings"
)

// Statuses are all states of an artwork, in the order of its life.
var Statuses = []Status{
	StatusRequested, StatusApproved, StatusRegistered, StatusCandidate, StatusBacking,
	StatusPublished, StatusDeclined, StatusDisputed, StatusExpired, StatusDelivered,
}

// Filter chooses artworks. The zero value chooses all.
type Filter struct {
	Status    []Status // any of them; empty means all
	Requester *Address
	Round     uint64 // 0 means any
	Newest    bool   // newest request first; else the oldest
	After     Hash   // only what the list has behind this artwork, whether that is in the list or not; zero means from the beginning
	Limit     int    // 0 means all
}

// Artworks lists requests and artworks by the time of their requests. That never
// changes, so a list is read by pages: the last artwork of one is After of the next,
// and what happens in between neither repeats nor skips any that stays in the list.
// A page costs as much as it holds, however many artworks there are: each status has
// a shelf of its own, for everybody and for each requester, and a list takes the next
// from the fronts of its shelves.
func (v View) Artworks(f Filter) (chosen []Artwork) {
	var after []byte
	if f.After != (Hash{}) {
		a, known := v.Artwork(f.After)
		if !known {
			return nil
		}
		after = place(a)
	}
	if f.Round != 0 {
		return v.ofRound(f, after)
	}
	var shelves []*shelf
	for _, s := range Statuses {
		if !f.wants(s) {
			continue
		}
		name := indexShelf(s)
		if f.Requester != nil {
			name = indexAsked(*f.Requester, s)
		}
		if h := (&shelf{view: v, name: name, newest: f.Newest}); h.take(after) {
			shelves = append(shelves, h)
		}
	}
	for len(shelves) > 0 && (f.Limit <= 0 || len(chosen) < f.Limit) {
		first := slices.MinFunc(shelves, func(a, b *shelf) int { return f.order(a.place, b.place) })
		chosen = append(chosen, must2(v.Artwork(first.rid)))
		if !first.take(first.place) {
			shelves = slices.DeleteFunc(shelves, func(s *shelf) bool { return s == first })
		}
	}
	return chosen
}

// ofRound lists artworks of one round, which has few.
func (v View) ofRound(f Filter, after []byte) (chosen []Artwork) {
	round, _ := v.Round(f.Round)
	for _, rid := range round.Candidates {
		a := must2(v.Artwork(rid))
		if a.Round == f.Round && f.wants(a.Status) && (f.Requester == nil || *f.Requester == a.Requester) &&
			(after == nil || f.order(after, place(a)) < 0) {
			chosen = append(chosen, a)
		}
	}
	slices.SortFunc(chosen, func(a, b Artwork) int { return f.order(place(a), place(b)) })
	if f.Limit > 0 {
		chosen = chosen[:min(len(chosen), f.Limit)]
	}
	return chosen
}

func (f Filter) wants(s Status) bool { return len(f.Status) == 0 || slices.Contains(f.Status, s) }

// order compares places in the list.
func (f Filter) order(a, b []byte) int {
	if f.Newest {
		a, b = b, a
	}
	return bytes.Compare(a, b)
}

// shelf is a table of artworks in one status, sorted by place, with the artwork at its
// front.
type shelf struct {
	view   View
	name   []byte
	newest bool
	place  []byte
	rid    Hash
}

// take puts the artwork behind a place to the front, and says whether there is one.
// nil stands before all.
func (s *shelf) take(after []byte) bool {
	next := s.view.m.store.After
	if s.newest {
		next = s.view.m.store.Before
	}
	if after != nil {
		after = key(string(s.name), after)
	}
	k, rid, ok := next(s.name, after)
	if ok {
		s.place, s.rid = k[len(s.name):], Hash(rid)
	}
	return ok
}

// place sorts artworks by their requests: height, then position in the block.
func place(a Artwork) []byte { return append(number(a.Requested), index32(uint32(a.Position))...) }

// ArtworksNamed are at most limit artworks whose rid starts with the given digits of
// lower-case hex, in the order of their rids. It costs as much as it finds when there
// are a few digits.
func (v View) ArtworksNamed(digits string, limit int) (found []Artwork) {
	start, err := hex.DecodeString(digits[:len(digits)&^1])
	if err != nil {
		return nil
	}
	for k := range v.m.store.Ascend(key("artwork/", start)) {
		rid := Hash(k[len("artwork/"):])
		if len(found) == limit {
			break
		}
		if strings.HasPrefix(rid.String(), digits) {
			found = append(found, must2(v.Artwork(rid)))
		}
	}
	return found
}

// ArtworkByCID returns the artwork whose folder has that CID. A generator can
// register another artwork's CID as its own; of several this is a published one if
// there is, else one that was audited, else one that has not ended, and of equals
// the one that was registered first.
func (v View) ArtworkByCID(cid string) (found Artwork, ok bool) {
	for _, rid := range names(v.m.store, indexCID(cid)) {
		a := must2(v.Artwork(rid))
		if before := cmp.Or(cmp.Compare(standing(a), standing(found)), cmp.Compare(found.Registered, a.Registered)); !ok || before > 0 {
			found, ok = a, true
		}
	}
	return found, ok
}

// standing is how much speaks for an artwork being what its CID names.
func standing(a Artwork) int {
	switch {
	case a.Status == StatusPublished:
		return 3
	case a.Status.Ended():
		return 0
	case a.Attested != 0:
		return 2
	}
	return 1
}
