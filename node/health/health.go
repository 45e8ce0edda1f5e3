// Package health says in which state a network is, from what its ledger holds and from
// which members a node reaches. Everybody who shows the state takes it from here.
//
//	making keys   no committee is in force yet
//	healthy       at least half of the shares that may be lost are left to lose
//	degraded      enough members are reached, and less than half of that is left
//	halted        fewer members are reached than are needed: the ledger waits
//	lost          fewer shares are left than are needed, by the members' own word; or the
//	              guardians say so and the members do not object; or the key is public
//
// Losses count as halted for as long as anybody may come back. Whether a share is gone
// for good no node can know: that a network is lost is for its members to say, whose
// nodes tell the ledger when seed and transcript give them no share.
package health

import "github.com/atelier-dao/atelier/curation"

// State is the state of a network as one node sees it.
type State string

// The states.
const (
	MakingKeys State = "making keys"
	Healthy    State = "healthy"
	Degraded   State = "degraded"
	Halted     State = "halted"
	Lost       State = "lost"
)

// Shares says how many shares of the key there are, and how many are at hand. Shares
// are those of the committee in force, or of the founders' to be: who joins has none
// yet, and who drains or has left has none any more.
type Shares struct {
	Seats     int
	Threshold int // shares that suffice
	Proven    int // members that proved their share on the ledger, and do not say that it is lost
	Margin    int // Proven - Threshold: shares that may be lost
	Reachable int // shares whose members prove to this node that they hold them now, its own included
	State     State
}

// Of reads the shares from a ledger; reached says whether a member proves to this node,
// by a heartbeat, that it holds its share.
func Of(v curation.View, reached func(member uint32) bool) Shares {
	n := v.Network()
	seats, s := n.Ceremony.Seats, Shares{Threshold: n.Threshold, Proven: n.Ceremony.Acknowledged}
	if c := n.Committee; c != nil {
		seats, s.Proven = c.Seats, c.Held()
	}
	s.Seats = len(seats)
	for _, member := range seats {
		if reached(member) && v.ShareProven(member) {
			s.Reachable++
		}
	}
	s.Margin = s.Proven - s.Threshold
	s.State = stateOf(n.Committee != nil, s.Seats, s.Threshold, s.Reachable)
	if lost(n.Committee, v.Estate()) {
		s.State = Lost
	}
	return s
}

func stateOf(keys bool, seats, threshold, reachable int) State {
	spare := reachable - threshold
	switch {
	case !keys:
		return MakingKeys
	case spare < 0:
		return Halted
	case 2*spare < seats-threshold:
		return Degraded
	}
	return Healthy
}
