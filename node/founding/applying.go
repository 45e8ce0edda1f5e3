package founding

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peerstore"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/p2p"
)

// Admission is how far a home has come that joins a network which runs. Each step is
// kept before the next one, so that a node which is started again goes on.
type Admission struct {
	// Application is signed once and handed over as it is, however often.
	Application json.RawMessage `json:"application,omitempty"`
	Welcomed    bool            `json:"welcomed"` // the inviter has it, and we have the founding document
	Admitted    bool            `json:"admitted"` // by the members' votes
}

// How often an applicant asks: again after a failure, waiting twice as long each time,
// and how it stands.
const (
	applyFirst, applySlowest = 500 * time.Millisecond, 10 * time.Second
	standingEvery            = time.Second
)

// ErrLapsed reports an application that its inviter no longer stands for.
var ErrLapsed = errors.New("the invitation lapsed before enough members voted for it, or they have let this member go again since: ask for another, and use it with `atelier member join` and this --home again")

// applicant is a home that applies.
type applicant struct {
	*arrival
	invited p2p.Invitation
}

// apply brings a home into a network that runs: it hands its application to whoever
// invited it, and waits until the members have admitted it.
func (a *arrival) apply(ctx context.Context) error {
	p := a.plan
	inv, err := p2p.ParseInvitation(p.Invitation)
	if err != nil {
		return err
	}
	if p.Admission.Application == nil {
		if err := a.sign(curation.Hash(inv.Hash)); err != nil {
			return err
		}
	}
	us := applicant{a, inv}
	us.roster.Add(inv.Inviter.ID)
	us.host.Peerstore().AddAddrs(inv.Inviter.ID, inv.Inviter.Addrs, peerstore.PermanentAddrTTL)
	for wait := applyFirst; !p.Admission.Welcomed; wait = min(2*wait, applySlowest) {
		err := us.handOver(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
		case final(err):
			return fmt.Errorf("join %s: %w", inv.Network, err)
		default:
			us.tell(us.waits(err))
		}
		if !p.Admission.Welcomed && pause(ctx, wait) != nil {
			return ctx.Err()
		}
	}
	us.know()
	for !p.Admission.Admitted {
		s, err := us.standing(ctx)
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, p2p.ErrNotRegistered), err == nil && s.Left: // it was a member, and no more
			return fmt.Errorf("join %s: %w", inv.Network, ErrLapsed)
		case err != nil:
			us.tell(us.waits(err))
		case s.Member != 0 && !s.Left:
			return p.admitted(us.home, s.Height)
		default:
			us.tell(standingProgress(s))
		}
		if err := pause(ctx, standingEvery); err != nil {
			return err
		}
	}
	return nil
}

// sign makes the application.
func (a *arrival) sign(chain curation.Hash) error {
	if _, err := ledger.ValidatorKey(a.home.Ledger()); err != nil { // makes it
		return err
	}
	validator, err := ledger.ValidatorSecret(a.home.Ledger())
	if err != nil {
		return err
	}
	addrs, err := reachable(a.cfg)
	if err != nil {
		return err
	}
	var nonce curation.Hash
	if _, err := rand.Read(nonce[:]); err != nil {
		return err
	}
	signed, err := curation.Apply(chain, nonce, a.plan.Name, addrs, a.secrets.Identity, validator)
	if err != nil {
		return err
	}
	return a.plan.advance(a.home, Admission{Application: EncodeApplication(signed)})
}

// advance keeps a step.
func (p *Plan) advance(h home.Home, a Admission) error {
	next := *p
	next.Admission = &a
	if err := next.save(h); err != nil {
		return err
	}
	*p = next
	return nil
}

// admitted keeps that we are a member as of a height. Who left once finds that on its
// ledger until it has caught up with that height, and goes by what it knows until then.
func (p *Plan) admitted(h home.Home, height uint64) error {
	a, next := *p.Admission, *p
	a.Admitted = true
	next.Admission = &a
	if k := p.Known; k != nil && k.Height < height {
		next.Known = &Known{Height: height, Members: k.Members}
	}
	if err := next.save(h); err != nil {
		return err
	}
	*p = next
	return nil
}

// handOver hands the application to the inviter and keeps its welcome.
func (a *applicant) handOver(ctx context.Context) error {
	raw, err := p2p.Apply(ctx, a.host, a.invited.Inviter.ID,
		p2p.ApplyRequest{Token: a.invited.Token, Genesis: a.invited.Hash, Application: a.plan.Admission.Application})
	if err != nil {
		return err
	}
	w, err := DecodeWelcome(raw, curation.Hash(a.invited.Hash))
	if err != nil {
		return err
	}
	if w.Document.Terms.Network != a.invited.Network {
		return fmt.Errorf("%w: the invitation is to %s, the founding document of %s", ErrApplication, a.invited.Network, w.Document.Terms.Network)
	}
	next := *a.plan
	next.Document, next.Known = &w.Document, &w.Known
	next.Admission = &Admission{Application: a.plan.Admission.Application, Welcomed: true}
	if err := next.save(a.home); err != nil {
		return err
	}
	*a.plan = next
	return nil
}

// know lets the members in that the inviter named: each of them may tell that it has
// admitted us.
func (a *applicant) know() {
	if a.plan.Known == nil {
		return
	}
	for _, m := range a.plan.Known.Members {
		if info, err := m.Info(); err == nil && info.ID != a.host.ID() {
			a.roster.Add(info.ID)
			a.host.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.PermanentAddrTTL)
		}
	}
}

// standing asks the inviter, and when it is away the others, who know of us only once
// we are admitted.
func (a *applicant) standing(ctx context.Context) (p2p.StandingResponse, error) {
	s, err := p2p.AskStanding(ctx, a.host, a.invited.Inviter.ID, a.invited.Hash)
	if err == nil || errors.Is(err, p2p.ErrNotRegistered) || ctx.Err() != nil {
		return s, err
	}
	for _, id := range a.roster.List() {
		if id == a.invited.Inviter.ID || id == a.host.ID() {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, standingEvery)
		other, otherErr := p2p.AskStanding(ctx, a.host, id, a.invited.Hash)
		cancel()
		if otherErr == nil && other.Member != 0 && !other.Left {
			return other, nil
		}
	}
	return s, err
}

// waits puts into words why it does not go on.
func (a *applicant) waits(err error) Progress {
	g := Progress{Joining: true, Waiting: err.Error()}
	if errors.Is(err, p2p.ErrUnreachable) {
		var addrs []string
		for _, at := range a.invited.Inviter.Addrs {
			addrs = append(addrs, at.String())
		}
		g.Waiting = fmt.Sprintf("the member that invited does not answer at %s: is its node running, and can this machine reach it?", strings.Join(addrs, " or "))
	}
	return g
}

func standingProgress(s p2p.StandingResponse) Progress {
	g := Progress{Joining: true, Have: int(min(s.Votes, curation.MaxMembers)), Want: int(min(s.Needed, curation.MaxMembers))}
	if s.Until == 0 {
		g.Waiting = "the member that invited has the application, and will vote for it"
	}
	return g
}

// final says whether asking again would not help.
func final(err error) bool {
	switch p2p.CodeOf(err) {
	case p2p.CodeWrongCharter, p2p.CodeWrongToken, p2p.CodeTokenUsed, p2p.CodeRegistered, p2p.CodeBadRecord, p2p.CodeMalformed, p2p.CodeTooLarge, p2p.CodeRefused:
		return true
	}
	return errors.Is(err, ErrApplication) || errors.Is(err, ErrTerms) || errors.Is(err, p2p.ErrMalformed) || errors.Is(err, p2p.ErrTooLarge)
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Remember keeps in a home who the members are as of a height, for its next start.
func Remember(h home.Home, k Known) error {
	p, err := Read(h)
	if err != nil {
		return err
	}
	p.Known = &k
	return p.save(h)
}
