package curation

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// says has members record one file for the version that is to come.
func (w *world) says(file byte, members ...uint32) {
	w.t.Helper()
	version := view(w, View.NextPrior)
	round, ok := view2(w, func(v View) (uint64, bool) { return v.PriorRound(version) })
	require.True(w.t, ok)
	for _, m := range members {
		w.must(memberName(m), RecordPrior{Version: version, Round: round, Prior: Hash{file}, Lexicon: Hash{1}})
	}
}

func TestRecordsCountOfThoseWhoHaveAShareNow(t *testing.T) {
	w := ready(t)
	w.says(7, 1, 2)
	w.must("m2", Leave{})
	for _, i := range []uint32{1, 2, 3, 4} {
		w.must(memberName(i), w.consent(2, i))
	}
	require.True(t, w.handover(1, 2, 3, 4), "member 2 has left the committee")
	require.Zero(t, view(w, View.NextPrior))
	require.Equal(t, CodeWrongPhase, w.act("m2", RecordPrior{Prior: Hash{8}, Lexicon: Hash{1}}).Code, "it has no share any more")
	w.says(7, 3)
	require.Zero(t, view(w, View.NextPrior), "three records, one of which has gone")
	w.says(7, 4)
	require.Equal(t, uint64(1), view(w, View.NextPrior), "all three that are left, of whom it takes three")
	first := view(w, func(v View) Prior { p, _ := v.Prior(); return p })
	require.Equal(t, Hash{7}, first.ID)
	require.Empty(t, first.Differs())
	require.Equal(t, first, view(w, func(v View) Prior { p, _ := v.PriorNamed(Hash{7}); return p }))
	require.Equal(t, []Prior{first}, view(w, func(v View) []Prior { return v.Priors(5) }))
	_, ok := view2(w, func(v View) (Prior, bool) { return v.PriorNamed(Hash{9}) })
	require.False(t, ok)
}

func TestVersionsFollowTheSettledRoundsAndNoOthers(t *testing.T) {
	w := ready(t)
	w.says(7, 1, 2, 3)
	settle := func() { // one round whose orders nobody opens, and one without orders
		for _, name := range []string{"alice", "bob", "carol"} {
			w.candidate(name, "owl")
		}
		round := view(w, func(v View) Round { r, _ := v.RunningRound(); return r })
		w.must("dave", w.backing("dave", round.Number, round.Candidates[0], w.replicas[0].genesis.Params.MinEscrow, w.replicas[0].genesis.Params.MinEscrow, Amount{}))
		w.wait(24)
	}
	settle()
	rounds := view(w, func(v View) []Round { return v.Rounds(10) })
	require.Equal(t, RoundFailed, rounds[1].Phase)
	require.Equal(t, RoundSettled, rounds[0].Phase)
	of, ok := view2(w, func(v View) (uint64, bool) { return v.PriorRound(1) })
	require.True(t, ok)
	require.Equal(t, uint64(2), of, "round 1 failed")
	require.Equal(t, CodeUnknown, w.act("m1", RecordPrior{Version: 1, Round: 1, Prior: Hash{8}, Lexicon: Hash{1}}).Code)
	w.says(8, 1, 2, 3)
	rid := w.requested("alice", "")
	require.Equal(t, Hash{8}, w.artwork(rid).Prior)
	require.Equal(t, uint64(1), view(w, func(v View) uint64 { p, _ := v.PriorNamed(Hash{8}); return p.Version }))
	require.Zero(t, w.artwork(w.requested("bob", "owl")).Prior, "a prompt is drawn as it says")
}

func TestNobodyRecordsBeforeThereIsACommittee(t *testing.T) {
	w := newWorld(t, 4, testParams())
	require.Equal(t, CodeWrongPhase, w.act("m1", RecordPrior{Prior: Hash{7}, Lexicon: Hash{1}}).Code)
	require.Equal(t, CodeNotMember, w.replicas[0].Check(w.sign("alice", w.nonce("alice"), RecordPrior{Prior: Hash{7}, Lexicon: Hash{1}})).Code)
}

// What a member says again while its first word waits for a block need not wait.
func TestARecordThatIsThereIsNotTakenIntoThePool(t *testing.T) {
	w := ready(t)
	w.says(7, 1)
	again := RecordPrior{Prior: Hash{7}, Lexicon: Hash{1}}
	require.Equal(t, CodeDuplicate, w.replicas[0].Check(w.sign("m1", w.nonce("m1"), again)).Code)
	again.Prior = Hash{8}
	require.Equal(t, CodeOK, w.replicas[0].Check(w.sign("m1", w.nonce("m1"), again)).Code, "a correction may wait")
}
