package node

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/p2p"
)

// A member that was removed while it was away cannot see that on its ledger, because
// nobody continues it for a stranger. All that it may ask the others is how it stands.
// What one of them says is only told. When as many members of the last committee that it
// knows say so as remove a member by their votes, it believes them: they could do to it
// whatever believing them does. Then it destroys the seeds of its shares, as one that
// sees its departure does; whoever finds them later has its shares of before.

// askEvery is how often a node that does not come to its peers' blocks asks them how it
// stands.
const askEvery = 15 * time.Second

// wonder finds out why a node gets no blocks.
func (n *Node) wonder(ctx context.Context) error {
	if n.departed.Load() != nil { // an earlier run found out, and may not have come to the end
		n.actor.send(ctx, member.Departed{})
	}
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	says := map[peer.ID]uint64{} // who says that this member has left, and as of which height
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		s := n.engine.Status()
		if !s.CatchingUp && len(s.Peers) > 0 || n.believes() != nil || n.self().Standing == curation.StandingLeft {
			continue
		}
		for _, id := range n.roster.List() {
			if len(n.host.Network().ConnsToPeer(id)) == 0 {
				continue
			}
			s, err := p2p.AskStanding(ctx, n.host, id, n.chain)
			switch _, told := says[id]; {
			case err != nil:
			case !s.Left:
				delete(says, id)
			case !told:
				n.log.WarnContext(ctx, "a member says that this one has left the network, so it gets no blocks any more", "peer", id, "height", s.Height)
				fallthrough
			default:
				says[id] = s.Height
			}
		}
		if err := n.believe(ctx, says); err != nil {
			return err
		}
	}
}

// believe takes the word of the others once there are enough of them.
func (n *Node) believe(ctx context.Context, says map[peer.ID]uint64) error {
	beyond := n.knownFrom()
	var d founding.Departure
	enough := false
	if err := n.machine.View(func(v curation.View) error {
		numbers := map[uint32]uint64{}
		for id, height := range says {
			if account, err := accountOf(id); err == nil {
				m, _ := v.MemberOf(account)
				numbers[m.Index] = height
			}
		}
		d, enough = departure(v, n.secrets.Account(), numbers, beyond)
		return nil
	}); err != nil || !enough {
		return err
	}
	n.planning.Lock()
	n.plan.Departed = &d
	err := founding.Depart(n.home, d)
	n.planning.Unlock()
	if err != nil {
		n.log.WarnContext(ctx, "that this member has left is not written down", "err", err)
	}
	n.actor.send(ctx, member.Departed{})
	return nil
}

// believes says whether it has.
func (n *Node) believes() *founding.Departure {
	n.planning.Lock()
	defer n.planning.Unlock()
	return n.plan.Departed
}

// gone says so once the seeds are erased.
func (n *Node) gone(ctx context.Context) {
	n.departed.Store(n.believes())
	n.log.WarnContext(ctx, n.Gone(), "next", n.comeBack())
}

// departure judges what members say, by their numbers, about the one with an account:
// those count who have a share of the last committee on this ledger and know more blocks
// than it has, and than those up to a height. As many as its threshold suffice.
func departure(v curation.View, account curation.Address, says map[uint32]uint64, beyond uint64) (d founding.Departure, enough bool) {
	c, active := v.Committee()
	if !active {
		return d, false
	}
	me, _ := v.MemberOf(account)
	seats := v.SeatsAt(c.Epoch())
	for _, number := range slices.Sorted(maps.Keys(says)) {
		if height := says[number]; seats.Of(number) != 0 && number != me.Index && height > max(beyond, v.Height()) {
			d.Members = append(d.Members, number)
			if d.Height == 0 || height < d.Height {
				d.Height = height
			}
		}
	}
	return d, len(d.Members) >= c.T()
}

// Gone says in words that this member is none any more, as far as this node knows; it is
// empty for one that is.
func (n *Node) Gone() string {
	if d := n.departed.Load(); d != nil {
		return fmt.Sprintf("this member was removed from the network while it was away: %d of the others said so at height %d; its seeds of the key are erased", len(d.Members), d.Height)
	}
	if n.self().Standing == curation.StandingLeft && n.engine.Status().Height >= n.knownFrom() { // else it may have come back
		return "this member has left the network; its seeds of the key are erased"
	}
	return ""
}

// knownFrom is the height as of which others have told this home who the members are; 0
// when nobody had to.
func (n *Node) knownFrom() uint64 {
	n.planning.Lock()
	defer n.planning.Unlock()
	if n.plan.Known == nil {
		return 0
	}
	return n.plan.Known.Height
}

// comeBack says what to do with the home of somebody who has left.
func (n *Node) comeBack() string {
	return fmt.Sprintf("stop the node; then delete %s, or come back with an invitation of a member: atelier member join INVITATION --home %s", n.home, n.home)
}
