package secagg_test

import (
	"testing"

	"github.com/atelier-dao/atelier/shamir/secagg"
	"github.com/stretchr/testify/require"
)

var phases = []secagg.Phase{secagg.PhaseAdvertise, secagg.PhaseShare, secagg.PhaseDispute, secagg.PhaseInput, secagg.PhaseConfirm, secagg.PhaseUnmask, secagg.PhaseResult}

// patient is a round of seven whose phases are long.
func patient(t *testing.T) *world {
	p := params(7, 4)
	p.Deadlines = secagg.Deadlines{Advertise: 30, Share: 30, Dispute: 30, Input: 30, Confirm: 30, Unmask: 30, Result: 30}
	return newWorld(t, t.Name(), p)
}

// lengths runs a round and says how many blocks each phase took.
func (w *world) lengths() map[secagg.Phase]uint64 {
	took := map[secagg.Phase]uint64{}
	for w.round.Phase() < secagg.PhaseDone {
		took[w.round.Phase()]++
		w.tick()
	}
	return took
}

func TestNobodyWaitsForADeadlineOnceAllHaveSpoken(t *testing.T) {
	w := patient(t)
	took := w.lengths()
	w.requireSum(indices(7)...)
	for _, p := range phases {
		require.EqualValues(t, 1, took[p], p.String())
	}
}

// One who is silent in a phase holds it to its deadline where its word may change
// something, and not where a threshold is enough.
func TestWhomAPhaseWaitsFor(t *testing.T) {
	for _, p := range phases {
		t.Run(p.String(), func(t *testing.T) {
			w := patient(t)
			w.nodes[6].awake = func(now secagg.Phase) bool { return now != p }
			want := uint64(30)
			if p >= secagg.PhaseConfirm {
				want = 1
			}
			require.Equal(t, want, w.lengths()[p])
			require.Equal(t, secagg.PhaseDone, w.round.Phase())
		})
	}
}

// Who was convicted, or shared nothing, has no more to say, and nobody waits for it.
func TestNobodyWaitsForWhoDroppedOut(t *testing.T) {
	w := patient(t)
	six, seven := w.nodes[5], w.nodes[6]
	tampers(six, func(b *secagg.Tampering) { b.WrongShares(3, 1, 0).Prove() })
	six.awake, seven.awake = gone(secagg.PhaseDispute), gone(secagg.PhaseShare)
	took := w.lengths()
	w.requireSum(indices(5)...)
	require.EqualValues(t, 30, took[secagg.PhaseShare], "seven could have shared yet")
	require.EqualValues(t, 2, took[secagg.PhaseDispute], "a dispute, and then there is none")
	require.EqualValues(t, 1, took[secagg.PhaseInput])
}

// When all have said what they found and do not agree, nothing more can come.
func TestADisagreementEndsAtOnce(t *testing.T) {
	w := patient(t)
	for _, n := range w.nodes {
		n.result = func(f secagg.Result) secagg.Result { f.Hash[0] ^= byte(n.index); return f }
	}
	require.EqualValues(t, 1, w.lengths()[secagg.PhaseResult])
	_, err := w.round.Outcome()
	require.ErrorIs(t, err, secagg.ErrDisagreement)
}

func TestWhoMaySayThatItDisputesNothing(t *testing.T) {
	w := patient(t)
	w.nodes[6].awake = gone(secagg.PhaseShare)
	w.until(secagg.PhaseDispute)
	content := message{Kind: secagg.KindDispute, Body: []byte{0, 0}}
	require.NoError(t, w.round.Apply(w.height+1, 1, content))
	require.True(t, w.round.Spoke(1, secagg.KindDispute))
	require.ErrorIs(t, w.round.Apply(w.height+1, 1, content), secagg.ErrDuplicate)
	require.ErrorIs(t, w.round.Apply(w.height+1, 7, content), secagg.ErrNotMember, "it shared nothing")
	require.False(t, w.round.Spoke(7, secagg.KindDispute))
	require.Equal(t, secagg.Part{Member: 1, Kind: secagg.KindDispute, Body: []byte{1}}, w.round.Changed(1, content))
	w.round = reread(t, w.round)
	require.True(t, w.round.Spoke(1, secagg.KindDispute))
}

// A trainer speaks for itself alone, in its phase, and what it said is no shield.
func TestWhoSaysThatItDisputesNothingEndsNoPhaseForOthers(t *testing.T) {
	w := patient(t)
	six, seven := w.nodes[5], w.nodes[6]
	tampers(six, func(b *secagg.Tampering) { b.WrongShares(3, 1, 0).Prove() })
	content := message{Kind: secagg.KindDispute, Body: []byte{0, 0}}
	early := func(says string) {
		t.Helper()
		for _, n := range w.nodes {
			require.ErrorIs(t, w.round.Apply(w.height+1, n.index, content), secagg.ErrPhase, says)
		}
	}
	early("before there are keys")
	w.until(secagg.PhaseShare)
	early("before there are shares")
	six.awake, seven.awake = gone(secagg.PhaseDispute), gone(secagg.PhaseShare)
	w.until(secagg.PhaseDispute)
	for _, outsider := range []uint32{0, 8, 1 << 31} {
		require.ErrorIs(t, w.round.Apply(w.height+1, outsider, content), secagg.ErrNotMember)
	}
	require.NoError(t, w.round.Apply(w.height+1, 6, content), "who dealt a wrong share")
	for range 3 {
		require.ErrorIs(t, w.round.Apply(w.height+1, 6, content), secagg.ErrDuplicate)
	}
	require.False(t, w.round.EndBlock(w.height+1), "the others have not spoken")

	w.tick() // member 3 disputes
	require.Equal(t, secagg.PhaseDispute, w.round.Phase())
	part := w.round.Changed(6, content)
	require.Equal(t, byte(1), part.Body[0], "its word stands beside the evidence")
	require.Greater(t, len(part.Body), 1)
	require.ErrorIs(t, w.round.Apply(w.height+1, 6, content), secagg.ErrNotMember, "it is convicted")
	w.round = reread(t, w.round)
	require.NoError(t, w.round.Audit())
	w.lengths()
	w.requireSum(indices(5)...)
	require.Equal(t, []secagg.Culprit{{Index: 6, Reason: secagg.ReasonBadBox}, {Index: 7, Reason: secagg.ReasonNoShares}}, w.round.Culprits())
}
