package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/p2p"
)

// The ledger says who the members are, and everything here that deals with members
// follows it: who may connect and what they may speak, whose gossip counts, whom
// consensus talks to, and whom the host keeps connected.

// leftBlocks is for how many blocks a member that has left keeps its connections: it
// learns from them that it has.
const leftBlocks = 10

// group is what follow keeps in mind; it alone changes it.
type group struct {
	left    map[uint32]uint64 // members that have left, and at which height; as long as they keep their connections
	members []founding.Reach  // as they were written down last
	said    bool              // that this member has left
}

// self is this node's member; its Index is 0 as long as the ledger here does not know it.
func (n *Node) self() (m curation.Member) {
	_ = n.machine.View(func(v curation.View) error { // fails before there is a state, which New made
		m, _ = v.MemberOf(n.secrets.Account())
		return nil
	})
	return m
}

// follow regroups after every block that changes who the members are.
func (n *Node) follow(ctx context.Context) error {
	blocks := n.engine.Subscribe(ctx)
	if err := n.regroup(); err != nil {
		return err
	}
	for b := range blocks {
		changed := false
		for e := range eventsOf(b) {
			switch {
			case e.Kind == curation.EventMemberLeft:
				var number uint32
				if _, err := fmt.Sscan(e.Attributes[0].Value, &number); err == nil {
					n.group.left[number] = b.Height
				}
				changed = true
			case strings.HasPrefix(e.Kind, "member.") && e.Kind != curation.EventMemberPrekeys, e.Kind == curation.EventCeremonyActive:
				changed = true
			}
		}
		for number, height := range n.group.left {
			if b.Height >= height+leftBlocks {
				delete(n.group.left, number)
				changed = true
			}
		}
		if k := n.plan.Known; changed || k != nil && b.Height == k.Height { // from there on the ledger says more
			if err := n.regroup(); err != nil {
				return err
			}
		}
	}
	if ctx.Err() == nil {
		return errors.New("the ledger's blocks ended: the node cannot tell who the members are any more")
	}
	return nil
}

// eventsOf yields the events of a block, those of its transactions first.
func eventsOf(b ledger.Committed) func(yield func(curation.Event) bool) {
	return func(yield func(curation.Event) bool) {
		for _, r := range append(slices.Clone(b.Results), curation.TxResult{Events: b.Events}) {
			for _, e := range r.Events {
				if !yield(e) {
					return
				}
			}
		}
	}
}

// known are the members of the ledger here, with those that left a moment ago, and
// where they are reached.
func (n *Node) known(v curation.View, left map[uint32]uint64) (k founding.Known) {
	k.Height = v.Height()
	for _, m := range v.Members() {
		if _, lately := left[m.Index]; m.Standing == curation.StandingLeft && !lately {
			continue
		}
		addrs := m.Addresses
		if i := int(m.Index) - 1; len(addrs) == 0 && i < len(n.plan.Document.Members) {
			addrs = n.plan.Document.Members[i].Record.Addrs
		}
		k.Members = append(k.Members, founding.Reach{Account: m.Account, Addresses: addrs})
	}
	return k
}

// regroup takes over who the members are now.
func (n *Node) regroup() error {
	var now founding.Known
	var me curation.Member
	var members []curation.Member
	epoch := uint64(0)
	if err := n.machine.View(func(v curation.View) error {
		members = v.Members()
		now = n.known(v, n.group.left)
		me, _ = v.MemberOf(n.secrets.Account())
		if c, ok := v.Committee(); ok {
			epoch = c.Epoch()
		}
		return nil
	}); err != nil {
		return err
	}
	n.members.Store(&members)
	n.remember(now)
	all := slices.Clone(now.Members)
	k := n.plan.Known
	behind := k != nil && now.Height < k.Height // the ledger here has yet to come so far
	if behind {
		for _, r := range k.Members {
			i := slices.IndexFunc(all, func(have founding.Reach) bool { return have.Account == r.Account })
			if i < 0 {
				all = append(all, r)
			} else {
				all[i] = r
			}
		}
	}
	var ids []peer.ID
	var peers []peer.AddrInfo
	for _, r := range all {
		info, err := r.Info()
		if err != nil {
			n.log.Warn("member has no identity that could connect", "account", r.Account, "err", err)
			continue
		}
		ids, peers = append(ids, info.ID), append(peers, info)
	}
	if me.Standing == curation.StandingLeft && !behind { // else it may have come back
		if !n.group.said {
			n.log.Warn(fmt.Sprintf("this member has left the network at epoch %d: this node can be stopped", epoch))
			n.group.said = true
		}
		peers = nil // they hear it no more, so it calls nobody
	} else {
		n.group.said = false
	}
	// Who becomes a member, or ceases to be one, connects anew: connections keep the
	// streams that were, or were not, allowed when they were opened.
	changed := slices.DeleteFunc(n.roster.List(), func(id peer.ID) bool { return slices.Contains(ids, id) })
	for _, id := range ids {
		if n.gossip != nil && !n.roster.Has(id) { // before there was gossip nothing was refused
			changed = append(changed, id)
		}
	}
	n.roster.Replace(ids)
	for _, id := range changed {
		_ = n.host.Network().ClosePeer(id)
	}
	n.host.Recheck()
	n.host.Protect(ids...)
	n.engine.SetPeers(peers)
	n.keeper.SetMembers(peers)
	n.pulse.follow(ids)
	return nil
}

// remember writes down who the members are once these are not the founders any more:
// a restored home, and one that was away for long, begins with that.
func (n *Node) remember(now founding.Known) {
	same := func(a, b founding.Reach) bool {
		return a.Account == b.Account && slices.Equal(a.Addresses, b.Addresses)
	}
	before := n.group.members
	switch k := n.plan.Known; {
	case before != nil:
	case k != nil && now.Height < k.Height:
		return
	case k != nil:
		before = k.Members
	default:
		for _, s := range n.plan.Document.Members {
			before = append(before, founding.Reach{Account: s.Account, Addresses: s.Record.Addrs})
		}
	}
	n.group.members = now.Members
	if slices.EqualFunc(before, now.Members, same) {
		return
	}
	n.plan.Known = &now
	if err := founding.Remember(n.home, now); err != nil {
		n.log.Warn("members not written down", "err", err)
	}
}

// askEvery is how often a node that does not come to its peers' blocks asks them how it
// stands.
const askEvery = 15 * time.Second

// wonder finds out why a node gets no blocks: a member that was removed while it was
// away cannot see that on its ledger. What the others say is only told.
func (n *Node) wonder(ctx context.Context) error {
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	said := map[peer.ID]bool{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if !n.engine.Status().CatchingUp || n.self().Standing == curation.StandingLeft {
			continue
		}
		for _, id := range n.roster.List() {
			if said[id] || len(n.host.Network().ConnsToPeer(id)) == 0 {
				continue
			}
			s, err := p2p.AskStanding(ctx, n.host, id, n.chain)
			if err == nil && s.Left {
				said[id] = true
				if err := founding.RememberLeft(n.home); err != nil {
					n.log.WarnContext(ctx, "not written down that members say that this one has left", "err", err)
				}
				n.log.WarnContext(ctx, "a member says that this one has left the network, so it gets no blocks any more: this node can be stopped, unless you doubt it", "peer", id, "height", s.Height)
			}
		}
	}
}
