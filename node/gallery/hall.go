package gallery

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/node/health"
)

// shares says how safe the network's key is from loss.
type shares struct {
	health.Shares
	Active bool
}

func sharesOf(v curation.View, self Self) shares {
	s := health.Of(v, func(member uint32) bool { return member == self.Member && self.HasShare || self.Proves[member] })
	return shares{s, s.State != health.MakingKeys}
}

// lastRounds is how many rounds the page of the network lists.
const lastRounds = 50

// hall is the page of the network.
type hall struct {
	curation.Network
	Members   []seat   // who are members, are about to be, or have yet to finish
	Former    []seat   // who were
	Motions   []motion // votes on who is one, and on the artist
	Round     *roundState
	Rounds    []roundState // the last ones, newest first
	Committee *curation.Committee
	Model     *curation.Model
	Artist    string     // where its key epochs stand, and what to do next
	KeyEpochs []keyEpoch // the last ones, newest first
	Trainings []health.Training
	Made      int // artworks that came to a picture
	Published int
	X, Y      string
	Phases    []phase
	Handover  string // where one stands; empty without one
	Next      string // who joins and leaves with the next one; empty when nobody does
	Guardians []guardian.Standing
	Sharing   string // where the guardians' shares stand; empty when there are no guardians
	Advice    string // what the network's state means, and what to do next
	OnDeath   string // what becomes of the artist when its key is lost
}

// Earlier is the number of the last round that the page does not list, or 0.
func (h hall) Earlier() uint64 { return h.Network.Round - uint64(len(h.Rounds)) }

func (hall) title() string { return "The network" }

// phase of the ceremony.
type phase struct {
	Name string
	Done bool
	Now  bool
}

func (g *gallery) network(_ *http.Request, v curation.View) (any, error) {
	self := g.self()
	h := hall{Network: v.Network()}
	h.Committee = h.Network.Committee
	for _, m := range h.Network.Members {
		s := seat{m, m.Index == self.Member, self.Connected[m.Index], v.ShareProven(m.Index), health.Means(m.Standing)}
		if m.Standing == curation.StandingLeft {
			h.Former = append(h.Former, s)
		} else {
			h.Members = append(h.Members, s)
		}
	}
	for _, m := range v.Motions() {
		h.Motions = append(h.Motions, motionOf(v, m))
	}
	h.Next = nextOf(v)
	if a, ok := health.ArtistOf(v); ok {
		h.Model, h.Artist, h.KeyEpochs = &a.Model, sentence(a.Advice()), keyEpochsOf(v)
	}
	for _, t := range v.Trainings(lastTrainings) {
		h.Trainings = append(h.Trainings, health.TrainingOf(v, t))
	}
	if c := h.Committee; c != nil {
		h.X, h.Y = fmt.Sprintf("%x", c.X), fmt.Sprintf("%x", c.Y)
	}
	h.Handover = handoverOf(v)
	state := sharesOf(v, self).State
	if state != health.MakingKeys {
		h.Advice = sentence(state.Advice(v.Estate()))
	}
	h.OnDeath = v.Genesis().Succession.Tells()
	l := guardian.Read(v)
	h.Guardians, h.Sharing = l.Standings(), sharingOf(l)
	for status, n := range h.Artworks {
		if !status.Open() && status != curation.StatusExpired || status == curation.StatusRegistered {
			h.Made += n
		}
	}
	h.Published = h.Artworks[curation.StatusPublished]
	now := false
	for _, p := range []curation.CeremonyPhase{curation.CeremonyCommit, curation.CeremonyBundle, curation.CeremonyDispute,
		curation.CeremonyAcknowledge, curation.CeremonyActive} {
		is := p == h.Ceremony.Phase
		now = now || is
		h.Phases = append(h.Phases, phase{string(p), !now || p == curation.CeremonyActive && is, is})
	}
	for _, r := range v.Rounds(lastRounds) {
		h.Rounds = append(h.Rounds, *roundStateOf(v, r))
	}
	if r, ok := v.RunningRound(); ok {
		h.Round = roundStateOf(v, r)
	}
	return h, nil
}

// lastTrainings is how many trainings the page lists.
const lastTrainings = 10

// lastKeyEpochs is how many key epochs the page lists.
const lastKeyEpochs = 20

// keyEpoch is one of them, with who made it and what became of it.
type keyEpoch struct {
	curation.Model
	By, Origin, Became string
}

func keyEpochsOf(v curation.View) (epochs []keyEpoch) {
	for e := v.NextKeyEpoch() - 1; e > 0 && len(epochs) < lastKeyEpochs; e-- {
		m, _ := v.ModelAt(e) // none is left out
		epochs = append(epochs, keyEpoch{m, memberName(v, m.Sealer), health.Origin(m), health.Became(v, m)})
	}
	return epochs
}

// sentence is text as one: with a capital and a full stop.
func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] + "." }

// roundState is a round with how far its phase is.
type roundState struct {
	curation.Round
	Now       uint64 // height
	Begin     uint64 // height at which the phase began
	End       uint64 // last height of the phase
	Left      uint64 // blocks until then
	Done      uint64 // blocks of the phase that have passed
	Span      uint64 // blocks of the phase
	Threshold int    // openings that suffice
}

func roundStateOf(v curation.View, r curation.Round) *roundState {
	s := &roundState{Round: r, Now: v.Height(), Begin: r.Opened, End: r.BackUntil}
	if r.Phase == curation.RoundOpening {
		s.Begin, s.End = r.BackUntil, r.OpenUntil
	}
	s.Span = s.End - s.Begin
	s.Done = min(max(s.Now, s.Begin)-s.Begin, s.Span)
	s.Left = s.Span - s.Done
	if c, ok := v.Committee(); ok {
		s.Threshold = c.T()
	}
	return s
}

// match is the page of one round.
type match struct {
	roundState
	Works    []contender
	Orders   []backing
	Filled   int
	Refunded int
	Kept     curve.Amount // what filled orders brought to the curves; Backing counts the declined ones too
	OpenedBy []string     // members
	Newer    uint64       // number of the next round, or 0
	Older    uint64       // number of the round before, or 0
}

func (m match) title() string { return fmt.Sprintf("Round %d", m.Number) }

// contender is a candidate of a round, with what it came to.
type contender struct {
	card
	Backing curve.Amount
	Backers int
	Score   curve.Amount
	Chosen  bool
}

func (g *gallery) round(r *http.Request, v curation.View) (any, error) {
	number, err := strconv.ParseUint(r.PathValue("number"), 10, 64)
	if err != nil {
		return nil, absent("Rounds are numbered from 1.")
	}
	round, ok := v.Round(number)
	if !ok {
		return nil, absent(fmt.Sprintf("There is no round %d.", number))
	}
	m := match{roundState: *roundStateOf(v, round), Older: number - 1}
	if _, ok := v.Round(number + 1); ok {
		m.Newer = number + 1
	}
	for i, rid := range round.Candidates {
		a, ok := v.Artwork(rid)
		if !ok {
			continue
		}
		c := contender{card: g.cardOf(r.Context(), v, a), Chosen: slices.Contains(round.Published, rid)}
		c.Later = i >= firstSight
		if a.Round == number && round.Phase == curation.RoundSettled {
			c.Backing, c.Backers, c.Score = a.Backing, a.Backers, a.Score
		}
		m.Works = append(m.Works, c)
	}
	slices.SortStableFunc(m.Works, func(a, b contender) int { return b.Score.Cmp(a.Score) })
	for _, i := range round.Openers {
		m.OpenedBy = append(m.OpenedBy, memberName(v, i))
	}
	for _, o := range v.Orders(number) {
		of, _ := v.Artwork(o.RID)
		title := ""
		if of.RID == o.RID && o.RID != (curation.Hash{}) {
			title = g.shelf.Title(r.Context(), v, of)
		}
		m.Orders = append(m.Orders, backing{o, personOf(v, o.Account), title})
		switch o.Status {
		case curation.OrderFilled:
			m.Filled++
			m.Kept = m.Kept.Add(o.Cost)
		case curation.OrderRefunded:
			m.Refunded++
		}
	}
	return m, nil
}
