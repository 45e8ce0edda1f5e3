package node

import (
	"context"
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/member"
)

// proposalBlocks is how many blocks a proposal may take to stand on the ledger.
const proposalBlocks = 20

// HandOver has this member propose that the keys be handed over to a new committee
// of the same members, or consent to that. It returns once its consent stands on the
// ledger, or with a *ledger.RefusedError when none can be proposed now. The members
// do the rest by themselves; a handover that is under way is none to propose again,
// and no error.
func (n *Node) HandOver(ctx context.Context) error {
	select {
	case <-n.ready:
	case <-ctx.Done():
		return ctx.Err()
	}
	last := n.engine.Status().Height + proposalBlocks
	first, asked := uint64(0), false
	for {
		var done bool
		var height uint64
		if err := n.machine.View(func(v curation.View) error {
			c, active := v.Committee()
			if active && !asked {
				first = c.Epoch()
			}
			height, done = v.Height(), n.consented(v) || active && c.Epoch() > first
			me, _ := v.MemberOf(n.secrets.Account())
			if done {
				return nil
			}
			if err := v.MayHandOver(me.Index); err != nil {
				return &ledger.RefusedError{Result: curation.TxResult{Code: curation.CodeWrongPhase, Log: err.Error()}}
			}
			return nil
		}); err != nil || done {
			return err
		}
		if !asked {
			n.actor.send(ctx, member.HandoverWanted{})
			asked = true
		}
		if height >= last {
			return fmt.Errorf("the consent did not get onto the ledger within %d blocks: try again", proposalBlocks)
		}
		if err := n.engine.WaitHeight(ctx, height+1); err != nil {
			return err
		}
	}
}

// consented says whether the ledger holds this member's consent to the handover that
// is proposed, or one is under way.
func (n *Node) consented(v curation.View) bool {
	if c, ok := v.Committee(); ok && v.CeremonyEpoch() > c.Epoch() {
		return true
	}
	me, _ := v.MemberOf(n.secrets.Account())
	h, _ := v.Handover()
	for _, k := range h.Keys {
		if k.Member == me.Index {
			return true
		}
	}
	return false
}
