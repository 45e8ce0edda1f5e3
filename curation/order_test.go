package curation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

// backingWorld has three candidates in a running round.
func backingWorld(t testing.TB) (*world, []Hash) {
	t.Helper()
	w := ready(t)
	return w, []Hash{w.candidate("alice", "1"), w.candidate("bob", "2"), w.candidate("carol", "3")}
}

// junk is a sealed box that holds no order.
func (w *world) junk(round uint64, escrow Amount) SealedOrder {
	return w.sealed(round, escrow, []byte("nothing to see"))
}

// fill puts an account's junk into the round until it has its AccountOrders.
func (w *world) fill(round uint64, escrow Amount, names ...string) {
	w.t.Helper()
	for _, name := range names {
		for range testParams().AccountOrders {
			w.must(name, w.junk(round, escrow))
		}
	}
}

// untilOpening ends the backing phase.
func (w *world) untilOpening() {
	w.t.Helper()
	for view(w, func(v View) RoundPhase { r, _ := v.RunningRound(); return r.Phase }) == RoundBacking {
		w.block()
	}
}

func TestInAFullRoundALargerEscrowDisplacesTheSmallest(t *testing.T) {
	c := curve.Credits
	p := testParams()
	p.MaxOrders, p.AccountOrders, p.BackBlocks = 3, 2, 20
	w := newWorld(t, 4, p)
	w.ceremony()
	w.must("m1", w.sealFor(1, "dusk"))
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.refill(i, 3))
	}
	rids := []Hash{w.candidate("alice", "1"), w.candidate("bob", "2"), w.candidate("carol", "3")}
	account := func(name string) Account { return view(w, func(v View) Account { return v.Account(addressOf(name)) }) }
	orders := func(name string) int {
		return len(view(w, func(v View) []Order { return v.AccountOrders(addressOf(name)) }))
	}
	w.must("dave", w.backing("dave", 1, rids[0], c(9), c(9), Amount{}))
	w.must("alice", w.junk(1, c(1)))
	w.must("bob", w.junk(1, c(1)))
	before := account("bob")

	r := w.act("carol", w.backing("carol", 1, rids[1], c(1), c(1), Amount{}))
	require.Equal(t, CodeLimit, r.Code)
	require.Equal(t, "round 1 has its 3 orders: only an escrow above 1000000000 enters", r.Log)

	r = w.must("carol", w.backing("carol", 1, rids[1], c(2), c(2), Amount{}))
	require.Len(t, r.Events, 2)
	require.Equal(t, EventOrderRefunded, r.Events[0].Kind)
	require.Equal(t, addressOf("bob").String(), r.Events[0].Get("account"), "of equal escrows the latest gives way")
	require.Equal(t, "displaced by a larger escrow", r.Events[0].Get("reason"))
	require.Equal(t, "1000000000", r.Events[0].Get("refund"))
	require.Equal(t, EventOrderSealed, r.Events[1].Kind)
	require.Equal(t, "2", r.Events[1].Get("order"), "the new one takes its place")
	require.Equal(t, before.Balance.Add(c(1)), account("bob").Balance)
	require.Equal(t, 0, orders("bob"))
	require.Equal(t, 1, orders("carol"))

	r = w.must("bob", w.backing("bob", 1, rids[1], c(3), c(3), Amount{}))
	require.Equal(t, addressOf("alice").String(), r.Events[0].Get("account"))
	r = w.must("dave", w.backing("dave", 1, rids[0], c(5), c(5), Amount{}))
	require.Equal(t, addressOf("carol").String(), r.Events[0].Get("account"), "two credits are the least now")
	round := view(w, func(v View) Round { r, _ := v.Round(1); return r })
	require.Equal(t, 3, round.Orders)
	require.Equal(t, c(9+5+3), round.Escrow)

	w.untilOpening()
	for i := uint32(1); i <= 3; i++ {
		w.must(memberName(i), w.opening(i, 1))
	}
	require.Equal(t, []Hash{rids[0], rids[1]}, view(w, func(v View) Round { r, _ := v.Round(1); return r }).Published)
	for _, name := range collectors {
		require.True(t, account(name).Locked.IsZero(), name)
	}
}
