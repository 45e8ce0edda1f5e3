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

// together sends an account's transactions in one block; all must succeed.
func (w *world) together(name string, payloads ...Payload) {
	w.t.Helper()
	var txs [][]byte
	for i, p := range payloads {
		txs = append(txs, w.sign(name, w.nonce(name)+uint64(i), p))
	}
	for _, r := range w.block(txs...).Results {
		require.Equal(w.t, CodeOK, r.Code, r.Log)
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
	require.Equal(t, "round 1 is full with 3 orders: only an escrow above 1 credit enters", r.Log)

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

func TestAnOrderThatCannotBeReadCostsTheLeastEscrow(t *testing.T) {
	c, least := curve.Credits, testParams().MinEscrow
	w, rids := backingWorld(t)
	other := w.backing("alice", 1, rids[0], c(5), c(5), Amount{})
	w.together("bob", w.sealed(1, c(5), nil), w.junk(1, least), w.backing("bob", 1, rids[1], c(4), c(5), Amount{}),
		w.backing("bob", 1, Hash{9}, c(5), c(5), Amount{}))
	w.must("carol", SealedOrder{Round: 1, Escrow: c(5), Box: other.Box})
	w.must("dave", w.backing("dave", 1, rids[0], c(5), c(5), c(100)))
	w.must("alice", w.backing("alice", 1, rids[2], c(5), c(5), Amount{}))
	w.untilOpening()
	before := view(w, View.Treasury)
	for i := uint32(1); i <= 3; i++ {
		w.must(memberName(i), w.opening(i, 1))
	}
	orders := view(w, func(v View) []Order { return v.Orders(1) })
	for i, reason := range []string{
		"the sealed box holds no order", "the sealed box holds no order", "the deposit is above the escrow",
		"the artwork is not in this round", "the order was sealed by another account",
	} {
		require.Equal(t, OrderRefunded, orders[i].Status)
		require.Equal(t, reason, orders[i].Reason)
		require.Equal(t, least, orders[i].Tribute, reason)
		require.Equal(t, orders[i].Escrow.Sub(least), orders[i].Refund, reason)
	}
	require.Equal(t, "the price moved past the order's limit", orders[5].Reason)
	require.Equal(t, c(5), orders[5].Refund, "a limit is no offence")
	require.Equal(t, OrderFilled, orders[6].Status)
	took := view(w, View.Treasury).Tributes.Sub(before.Tributes)
	require.Equal(t, c(5).Add(curve.NewAmount(100_000_000)), took, "five unreadable orders and 2 % of a filled one")
	require.Equal(t, took, view(w, func(v View) Round { r, _ := v.Round(1); return r }).TreasuryTribute)
}

func TestARoundOfJunkAloneDeclinesNobody(t *testing.T) {
	least := testParams().MinEscrow
	w, rids := backingWorld(t)
	w.together("dave", w.junk(1, least), w.junk(1, least), w.junk(1, least), w.junk(1, least))
	w.untilOpening()
	for i := uint32(1); i <= 3; i++ {
		w.must(memberName(i), w.opening(i, 1))
	}
	round := view(w, func(v View) Round { r, _ := v.Round(1); return r })
	require.Equal(t, RoundFailed, round.Phase)
	require.Equal(t, "no order could be read", round.Reason)
	require.Equal(t, least.Mul(4), round.TreasuryTribute, "its sender pays all the same")
	dave := view(w, func(v View) Account { return v.Account(addressOf("dave")) })
	require.True(t, dave.Locked.IsZero())
	w.block()
	again := view(w, func(v View) Round { r, _ := v.RunningRound(); return r })
	require.Equal(t, uint64(2), again.Number)
	require.ElementsMatch(t, rids, again.Candidates)
}

func TestACandidateIsDeclinedAfterFiveFailedRounds(t *testing.T) {
	w, rids := backingWorld(t)
	before := view(w, func(v View) Account { return v.Account(addressOf("alice")) })
	for n := uint64(1); n <= MaxFailedRounds; n++ {
		round := view(w, func(v View) Round { r, _ := v.RunningRound(); return r })
		require.Equal(t, n, round.Number)
		require.Equal(t, n-1, w.artwork(rids[0]).Failed)
		w.must("dave", w.junk(n, testParams().MinEscrow)) // the committee never opens it
		for w.height <= round.OpenUntil {
			w.block()
		}
	}
	for _, rid := range rids {
		a := w.artwork(rid)
		require.Equal(t, StatusDeclined, a.Status)
		require.Equal(t, "5 rounds with it failed", a.Reason)
	}
	after := view(w, func(v View) Account { return v.Account(addressOf("alice")) })
	require.True(t, after.Locked.IsZero())
	require.Equal(t, before.Balance.Add(testParams().RequestDeposit), after.Balance)
	require.False(t, view(w, func(v View) bool { _, running := v.RunningRound(); return running }))
}
