package curation

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir/dkg"
)

// aborted has a handover fail at its acknowledgements, after all have dealt, and returns
// what member 4 said in it.
func (w *world) aborted() (commit, bundle []byte) {
	w.t.Helper()
	w.consents(1, 2, 3, 4)
	w.watch = func(Outcome) {
		log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
		if log.Phase() == dkg.PhaseDispute {
			commit, bundle = log.Said(4, dkg.KindCommit), log.Said(4, dkg.KindBundle)
		}
	}
	require.False(w.t, w.perform(func(_ uint32, kind dkg.Kind) bool { return kind != dkg.KindAck }, 1, 2, 3, 4))
	w.watch = nil
	require.NotNil(w.t, bundle)
	return commit, bundle
}

func TestASecondMessageOfAnAbortedCeremonyConvicts(t *testing.T) {
	for name, kind := range map[string]dkg.Kind{"commit": dkg.KindCommit, "bundle": dkg.KindBundle} {
		t.Run(name, func(t *testing.T) {
			w := ready(t)
			w.aborted()
			e := Evidence{Member: 4, Message: w.message("m4", 2, 0, kind, make([]byte, 32))}
			w.reload()
			require.NoError(t, view(w, func(v View) error { return v.Judge(e) }))
			w.must("m2", e)
			require.Equal(t, OffenceCeremony, w.convictions()[0].Offence)
			require.Equal(t, StandingLeaving, w.memberAt(4).Standing)
		})
	}
	t.Run("in a block, by itself", func(t *testing.T) {
		w := ready(t)
		w.aborted()
		require.Equal(t, CodeOK, w.block(w.message("m4", 2, 0, dkg.KindCommit, make([]byte, 32))).Results[0].Code)
		require.Len(t, w.convictions(), 1)
	})
	t.Run("of the founders", func(t *testing.T) {
		w := newWorld(t, 4, testParams())
		for range 60 {
			log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
			if view(w, func(v View) uint64 { return v.Ceremony().Attempt }) == 1 {
				break
			}
			var txs [][]byte
			for i, party := range w.parties {
				messages, err := party.Step(w.height+1, log)
				require.NoError(t, err)
				if log.Phase() == dkg.PhaseCommit && i < 3 && log.Params().Epoch == 1 && len(messages) == 1 && view(w, func(v View) uint64 { return v.Ceremony().Attempt }) == 0 {
					txs = append(txs, w.message(memberName(party.Index()), 1, 0, dkg.KindCommit, messages[0].Body))
				}
			}
			w.block(txs...)
		}
		second := w.message("m2", 1, 0, dkg.KindCommit, make([]byte, 32))
		w.must("m1", Evidence{Member: 2, Message: second})
		require.Equal(t, StandingActive, w.memberAt(2).Standing, "nobody can leave before there is a committee")
		w.ceremony()
		require.Equal(t, StandingLeaving, w.memberAt(2).Standing)
	})
	t.Run("heard while it ran, brought when it was over", func(t *testing.T) {
		w := ready(t)
		second := w.sign("m4", w.nonce("m4")+3, CeremonyMessage{Epoch: 2, Message: uint8(dkg.KindCommit), Data: make([]byte, 32)})
		w.consents(1, 2, 3, 4)
		require.False(t, w.perform(func(i uint32, kind dkg.Kind) bool {
			if kind == dkg.KindBundle {
				w.replicas[1].Check(second)
			}
			return kind != dkg.KindAck
		}, 1, 2, 3, 4))
		var heard []Evidence
		require.NoError(t, w.replicas[1].View(func(v View) error { heard = v.Contradictions(); return nil }))
		require.Equal(t, []Evidence{{Member: 4, Message: second}}, heard)
		w.must("m3", heard[0])
	})
}

func TestNothingThatWasSaidInAnAbortedCeremonyConvictsTheHonest(t *testing.T) {
	w := ready(t)
	commit, bundle := w.aborted()
	w.paused()
	again, other := w.aborted()
	require.NotEqual(t, commit, again, "an attempt has messages of its own")
	for name, c := range map[string]struct {
		message []byte
		code    Code
	}{
		"the commit of the first attempt":      {w.message("m4", 2, 0, dkg.KindCommit, commit), CodeProof},
		"the bundle of the first attempt":      {w.message("m4", 2, 0, dkg.KindBundle, bundle), CodeProof},
		"the commit of the second":             {w.message("m4", 2, 1, dkg.KindCommit, again), CodeProof},
		"the bundle of the second":             {w.message("m4", 2, 1, dkg.KindBundle, other), CodeProof},
		"a commit of an attempt that may come": {w.message("m4", 2, 2, dkg.KindCommit, make([]byte, 32)), CodeWrongPhase},
	} {
		r := w.act("m1", Evidence{Member: 4, Message: c.message})
		require.Equal(t, c.code, r.Code, "%s: %s", name, r.Log)
	}
	require.NotEqual(t, CodeOK, w.block(w.message("m4", 2, 0, dkg.KindBundle, bundle)).Results[0].Code, "the same again, in a block")
	r := w.act("m1", Evidence{Member: 3, Message: w.message("m4", 2, 0, dkg.KindCommit, make([]byte, 32))})
	require.Equal(t, CodeProof, r.Code, r.Log)
	require.Empty(t, w.convictions())

	// A member that was silent has said nothing that could be contradicted.
	w.paused()
	w.consents(3, 1, 2, 4)
	require.False(t, w.perform(func(i uint32, _ dkg.Kind) bool { return i < 3 }, 1, 2, 3, 4))
	r = w.act("m1", Evidence{Member: 4, Message: w.message("m4", 2, 2, dkg.KindCommit, make([]byte, 32))})
	require.Equal(t, CodeUnknown, r.Code, r.Log)
	require.Empty(t, w.convictions())
}

func TestAbortedCeremoniesAreForgotten(t *testing.T) {
	p := testParams()
	w := newWorld(t, 4, p)
	kept := func() (all []string) {
		for _, a := range records[abortedCeremony](w.replicas[0].store, []byte(abortedTable)) {
			all = append(all, fmt.Sprintf("%d/%d", a.Epoch, a.Attempt))
		}
		return all
	}
	for view(w, func(v View) uint64 { return v.Ceremony().Attempt }) < maxAborted+2 {
		w.block()
	}
	require.Equal(t, []string{"1/2", "1/3", "1/4", "1/5"}, kept(), "the last ones")
	w = ready(t)
	w.aborted()
	e := Evidence{Member: 4, Message: w.message("m4", 2, 0, dkg.KindCommit, bytes.Repeat([]byte{1}, 32))}
	for epoch := uint64(2); epoch <= 4; epoch++ {
		w.paused()
		w.refreshed()
		require.Equal(t, epoch < 4, view(w, func(v View) error { return v.Judge(e) }) == nil, "epoch %d", epoch)
	}
	require.Empty(t, kept())
	r := w.act("m1", e)
	require.Equal(t, CodeWrongPhase, r.Code, r.Log)
}
