package node

import (
	"context"
	"crypto/subtle"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/p2p"
)

// door is where newcomers to the running network come in: those whom this home has
// invited. As long as an invitation is outstanding anybody may connect, and speak
// nothing but the protocols of joining; a token makes somebody the guest of this home,
// which votes for it and tells it how it stands. Members that have left are guests too:
// all they may ask is that.
type door struct {
	n      *Node
	log    *slog.Logger
	submit func(context.Context, curation.Payload) error // as this home's member
	now    func() time.Time

	kick   chan struct{} // an invitation was used; capacity 1
	came   chan struct{} // somebody has connected who is no member; capacity 1
	votes  sync.WaitGroup
	mu     sync.Mutex                  // guards what follows, and the files of the invitations
	inv    *founding.Invitations       // as they were looked at last
	unread error                       // what could not be read of them
	voted  map[curation.Hash]time.Time // by digest of the application: when to vote again
	why    map[curation.Hash]string    // the same: why the last vote was not taken
	warned string                      // what was last told about damaged files
}

const (
	// lookEvery is how often the home's invitations are looked at: `member invite`
	// makes them while the node runs.
	lookEvery = time.Second
	// strangerStays is how long somebody may be connected who shows no token, and
	// maxStrangers how many may at a time: the one who came first goes first, because
	// whoever has a token shows it at once. maxKnocks is how many connections each may
	// have: who dials several addresses of one node may come in by two of them.
	strangerStays = 20 * time.Second
	maxStrangers  = 16
	maxKnocks     = 3
	// voteAgain is after how long a vote is given again that is not on the ledger.
	voteAgain = 20 * time.Second
)

// spokenAtTheDoor are the protocols of joining.
var spokenAtTheDoor = []protocol.ID{p2p.ApplyProtocol.ID, p2p.StandingProtocol.ID}

func newDoor(n *Node) *door {
	return &door{n: n, log: n.log.With("component", "door"), inv: founding.NewInvitations(n.home, n.chain), kick: make(chan struct{}, 1), came: make(chan struct{}, 1), voted: map[curation.Hash]time.Time{}, why: map[curation.Hash]string{},
		now: time.Now, submit: func(ctx context.Context, p curation.Payload) error { return n.SubmitAs(ctx, n.secrets.Identity, p) }}
}

// run answers newcomers until ctx ends.
func (d *door) run(ctx context.Context) error {
	defer d.votes.Wait()
	if err := d.look(ctx); err != nil { // before anybody asks
		return err
	}
	failed := func(from peer.ID, err error) { d.log.DebugContext(ctx, "newcomer refused", "peer", from, "err", err) }
	applying := p2p.Handle(d.n.host, p2p.ApplyProtocol, func(ctx context.Context, from peer.ID, raw []byte) ([]byte, error) {
		return d.apply(ctx, from, raw)
	}, failed)
	defer applying.Close()
	defer p2p.HandleStanding(d.n.host, d.n.chain, d.standing, failed).Close()
	watch := &network.NotifyBundle{ConnectedF: func(_ network.Network, c network.Conn) {
		if !d.n.roster.Has(c.RemotePeer()) {
			select {
			case d.came <- struct{}{}:
			default: // somebody else did just now
			}
		}
	}}
	d.n.host.Network().Notify(watch)
	defer d.n.host.Network().StopNotify(watch)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-d.came:
			d.sweep(d.now())
			continue
		case <-tick.C:
		case <-d.kick:
		}
		if err := d.look(ctx); err != nil {
			return err
		}
	}
}

// sweep shows strangers out who stay too long, or are too many, with all their
// connections; and closes the latest of those who have too many.
func (d *door) sweep(now time.Time) {
	knocks := map[peer.ID][]network.Conn{}
	for _, c := range d.n.host.Network().Conns() {
		if id := c.RemotePeer(); !d.n.roster.Has(id) && !d.n.roster.Guest(id) {
			knocks[id] = append(knocks[id], c)
		}
	}
	for _, conns := range knocks {
		slices.SortFunc(conns, func(a, b network.Conn) int { return a.Stat().Opened.Compare(b.Stat().Opened) })
		for _, c := range conns[min(maxKnocks, len(conns)):] {
			_ = c.Close()
		}
	}
	came := func(id peer.ID) time.Time { return knocks[id][0].Stat().Opened }
	strangers := slices.SortedFunc(maps.Keys(knocks), func(a, b peer.ID) int { return came(a).Compare(came(b)) })
	for i, id := range strangers {
		if len(strangers)-i > maxStrangers || now.Sub(came(id)) > strangerStays {
			_ = d.n.host.Network().ClosePeer(id)
		}
	}
}

// outstanding looks for invitations that have changed. The mutex is held.
func (d *door) outstanding() []founding.Outstanding {
	d.unread = d.inv.Look()
	if err := d.unread; err == nil {
		d.warned = ""
	} else if err.Error() != d.warned {
		d.warned = err.Error()
		d.log.Warn("invitations not read", "err", err)
	}
	return d.inv.All()
}

// unknown refuses somebody whose invitation is not among those that could be read: for
// good, unless there are others.
func (d *door) unknown(code p2p.Code, text string) error {
	if d.unread != nil {
		return p2p.Refuse(p2p.CodeNotYet, "an invitation cannot be read there at the moment, and its node says why in its log")
	}
	return p2p.Refuse(code, "%s", text)
}

// look ends the invitations that are done with, says who may come in, and votes for
// those who did.
func (d *door) look(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	open, now, all := false, d.now(), d.outstanding()
	var guests []peer.ID
	if err := d.n.machine.View(func(v curation.View) error {
		for _, m := range v.Members() {
			if id, err := peerOf(m.Account); err == nil && m.Standing == curation.StandingLeft {
				guests = append(guests, id)
			}
		}
		for _, o := range all {
			switch a := o.Applicant; {
			case now.After(o.Until), a != nil && isMember(v, a.Account):
				if err := o.Remove(); err != nil {
					d.log.WarnContext(ctx, "invitation not removed", "err", err)
				}
			case a == nil:
				open = true
			default:
				if id, err := peerOf(a.Account); err == nil {
					guests = append(guests, id)
				}
				d.vote(ctx, v, *a, now)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	d.n.roster.SetGuests(guests)
	d.n.roster.SetOpen(open)
	d.n.host.Recheck()
	d.sweep(now)
	return nil
}

func isMember(v curation.View, a curation.Address) bool {
	m, ok := v.MemberOf(a)
	return ok && m.Standing != curation.StandingLeft
}

// vote gives this member's vote for an applicant, unless the ledger has it. The mutex
// is held.
func (d *door) vote(ctx context.Context, v curation.View, a curation.Application, now time.Time) {
	me, _ := v.MemberOf(d.n.secrets.Account())
	if !me.Seated() { // it has no vote, or none any more
		return
	}
	digest := a.Digest(d.n.chain)
	for _, m := range v.Motions() {
		if m.Application != nil && m.Application.Digest(d.n.chain) == digest {
			if slices.Contains(m.Votes, me.Index) {
				return
			}
		}
	}
	if now.Before(d.voted[digest]) {
		return
	}
	d.voted[digest] = now.Add(voteAgain)
	d.votes.Go(func() {
		ctx, cancel := context.WithTimeout(ctx, voteAgain)
		defer cancel()
		err := d.submit(ctx, curation.Admit{Application: a})
		var refused *RefusedError
		d.mu.Lock()
		defer d.mu.Unlock()
		switch {
		case err == nil:
			d.log.InfoContext(ctx, "voted for the one that this home invited", "name", a.Name, "account", a.Account)
		case errors.As(err, &refused) && refused.Code == curation.CodeDuplicate:
		case ctx.Err() == nil && err.Error() != d.why[digest]:
			d.why[digest] = err.Error()
			d.log.WarnContext(ctx, "vote for the one that this home invited not taken", "name", a.Name, "err", err)
		}
	})
}

// apply takes an application with its token, once and for all; the same again gets
// the same answer. A member that applies is welcomed, and uses no invitation.
func (d *door) apply(ctx context.Context, from peer.ID, raw []byte) ([]byte, error) {
	r, err := p2p.DecodeApply(raw)
	if err != nil {
		return nil, p2p.Refuse(p2p.CodeMalformed, "%v", err)
	}
	if r.Genesis != d.n.chain {
		return nil, p2p.Refuse(p2p.CodeWrongCharter, "this is another network")
	}
	account, err := accountOf(from)
	if err != nil {
		return nil, p2p.Refuse(p2p.CodeRefused, "identity is not ed25519")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	w := founding.Welcome{Document: *d.n.plan.Document}
	member := false
	if err := d.n.machine.View(func(v curation.View) error {
		w.Known, member = d.n.known(v, nil), isMember(v, account)
		return nil
	}); err != nil {
		return nil, err
	}
	if member { // it has no use for an invitation, or did not hear that it was admitted
		return w.Encode()
	}
	found := invitationOf(d.inv.All(), r.Token)
	if found == nil { // it may have been made a moment ago
		found = invitationOf(d.outstanding(), r.Token)
	}
	if found == nil {
		return nil, d.unknown(p2p.CodeWrongToken, "the invitation is not known here: it was used, or has lapsed")
	}
	if a := found.Applicant; a != nil && a.Account != account {
		return nil, p2p.Refuse(p2p.CodeTokenUsed, "somebody else has used the invitation")
	}
	a, err := founding.DecodeApplication(r.Application, d.n.chain)
	switch {
	case err != nil:
		return nil, p2p.Refuse(p2p.CodeBadRecord, "%v", err)
	case a.Account != account:
		return nil, p2p.Refuse(p2p.CodeBadRecord, "the application is of another account")
	case found.Applicant == nil:
		if _, err := found.Claim(a); err != nil {
			return nil, err
		}
		d.outstanding()
		d.log.InfoContext(ctx, "invitation used", "name", a.Name, "account", a.Account)
		select {
		case d.kick <- struct{}{}:
		default:
		}
	case found.Applicant.Digest(d.n.chain) != a.Digest(d.n.chain):
		return nil, p2p.Refuse(p2p.CodeRegistered, "the invitation was used with another application")
	}
	return w.Encode()
}

// invitationOf is the one with a token that has not lapsed; nil for none.
func invitationOf(all []founding.Outstanding, token p2p.Token) (found *founding.Outstanding) {
	for _, o := range all {
		if subtle.ConstantTimeCompare(o.Token[:], token[:]) == 1 && time.Now().Before(o.Until) {
			found = &o
		}
	}
	return found
}

// standing tells a guest or member how it stands.
func (d *door) standing(from peer.ID) (p2p.StandingResponse, error) {
	account, err := accountOf(from)
	if err != nil {
		return p2p.StandingResponse{}, p2p.Refuse(p2p.CodeRefused, "identity is not ed25519")
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var s p2p.StandingResponse
	all := d.inv.All()
	err = d.n.machine.View(func(v curation.View) error {
		s.Height, s.Needed = v.Height(), uint64(v.Network().Threshold)
		m, known := v.MemberOf(account)
		s.Member, s.Left = uint64(m.Index), m.Standing == curation.StandingLeft
		if known && !s.Left {
			return nil
		}
		var applied *curation.Hash
		for _, o := range all {
			if o.Applicant != nil && o.Applicant.Account == account {
				digest := o.Applicant.Digest(d.n.chain)
				applied = &digest
			}
		}
		if applied == nil {
			if s.Left {
				return nil
			}
			return d.unknown(p2p.CodeNotRegistered, "this home has no application of yours: its invitation has lapsed, or it was never used")
		}
		s.Member, s.Left = 0, false // what it was does not matter: it applies
		for _, motion := range v.Motions() {
			if motion.Application != nil && motion.Application.Digest(d.n.chain) == *applied {
				s.Votes, s.Until = uint64(len(motion.Votes)), motion.Until
			}
		}
		return nil
	})
	return s, err
}
