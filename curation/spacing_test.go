package curation

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir/dkg"
)

// paused waits until somebody may propose a handover.
func (w *world) paused() {
	for view(w, func(v View) error { return v.MayHandOver(0) }) != nil {
		w.block()
	}
}

// mayPropose says why a member may not propose a handover, or consent to one.
func (w *world) mayPropose(member uint32) error {
	return view(w, func(v View) error { return v.MayHandOver(member) })
}

func TestAMemberProposesAHandoverThatNobodyWaitsForOnceInAWhile(t *testing.T) {
	w := ready(t)
	w.refreshed() // member 1 proposes
	proposed := w.passed(EventHandoverProposed)
	require.Equal(t, "1", proposed[0].Get("member"))
	w.paused()
	r := w.act("m1", w.consent(3, 1))
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Contains(t, r.Log, "nobody waited for not long ago")
	require.Contains(t, r.Log, "another member may now")
	require.ErrorContains(t, w.mayPropose(1), "may propose the next from height")
	require.NoError(t, w.mayPropose(2))

	// It consents to what others propose, and that is no proposal of its own.
	w.must("m2", w.consent(3, 2))
	require.NoError(t, w.mayPropose(1))
	for _, i := range []uint32{1, 3, 4} {
		w.must(memberName(i), w.consent(3, i))
	}
	require.True(t, w.handover(1, 2, 3, 4))
	w.paused()
	for i := uint32(1); i <= 4; i++ {
		require.Equal(t, i > 2, w.mayPropose(i) == nil, "member %d", i)
	}

	// What comes to nothing counts as well: it was work.
	w.must("m3", w.consent(4, 3))
	require.False(t, w.handover())
	w.paused()
	require.Error(t, w.mayPropose(3))
	w.must("m4", w.consent(4, 4))
	require.False(t, w.handover())
	w.paused()
	for i := uint32(1); i <= 4; i++ {
		require.Error(t, w.mayPropose(i), "member %d", i)
	}
	w.reload()

	// Somebody who leaves is waited for, by all and as often as it takes.
	w.must("m4", Leave{})
	for range 2 {
		w.must("m1", w.consent(4, 1))
		require.False(t, w.handover())
		w.paused()
	}
	w.consents(1, 2, 3, 4)
	require.True(t, w.handover(1, 2, 3, 4))
	require.Equal(t, Seats{1, 2, 3}, view(w, func(v View) Seats { return v.SeatsAt(4) }))
	w.wait(voteLag)
	require.Equal(t, StandingLeft, w.memberAt(4).Standing)
	w.paused()
	require.False(t, view(w, func(v View) bool { return v.HandoverAwaited(1) }))
	w.consents(1, 2, 3)
	require.True(t, w.handover(1, 2, 3), "in time each may again")
}

// TestTheMostHandoversThatOneMemberForces counts those of a member that proposes
// whenever it may, against the blocks in which it does.
func TestTheMostHandoversThatOneMemberForces(t *testing.T) {
	w := ready(t)
	const blocks = 200
	forced := 0
	for w.height < readyState.height+blocks {
		if w.mayPropose(4) != nil {
			w.block()
			continue
		}
		w.consents(4, 1, 2, 3)
		require.True(t, w.handover(1, 2, 3, 4))
		forced++
	}
	require.Equal(t, 1+int(blocks/(3*manyPauses*testParams().DKGRetryBlocks)), forced)
	alone := newWorld(t, 1, testParams())
	alone.ceremony()
	alone.paused()
	alone.must("m1", alone.consent(2, 1))
	require.True(t, alone.handover(1))
	alone.paused()
	require.NoError(t, alone.mayPropose(1), "who is alone bothers nobody")
}

// TestOneWhoJoinsAndDoesNotAcknowledge at n' = 2, 3 and 6, where that alone, or with one
// member that is away, ends a handover.
func TestOneWhoJoinsAndDoesNotAcknowledge(t *testing.T) {
	for _, n := range []int{1, 2, 5} {
		t.Run(fmt.Sprintf("as member %d", n+1), func(t *testing.T) {
			w := newWorld(t, n, testParams())
			w.ceremony()
			var voters []uint32
			for i := uint32(1); i <= uint32(n); i++ {
				voters = append(voters, i)
			}
			threshold := w.committee().T()
			name := memberName(uint32(n) + 1)
			joiner := w.admitted(name, voters[:threshold]...)
			w.must(name, w.refill(joiner, 4))
			w.paused()
			away := uint32(0) // its acknowledgement is missing as well, where one of six can be spared
			if n == 5 {
				away = 5
			}
			present := voters[:min(n, 4)]
			consent := func() {
				w.must(name, w.consent(2, joiner))
				for _, i := range present {
					w.must(memberName(i), w.consent(2, i))
				}
			}
			silent := func(i uint32, kind dkg.Kind) bool { return i != away }

			// The first attempt fails over it.
			consent()
			require.False(t, w.perform(silent, voters...))
			missed, _ := view2(w, func(v View) (Missed, bool) { return v.Missed(joiner) })
			span := manyPauses * testParams().DKGRetryBlocks
			require.Equal(t, Missed{Times: 1, Again: w.height + span}, missed)
			require.Equal(t, StandingJoining, w.memberAt(joiner).Standing)
			e := w.passed(EventMemberMissed)
			require.Len(t, e, 1)
			require.Equal(t, fmt.Sprint(joiner), e[0].Get("member"))
			w.reload()

			// The next goes on without it, and does not wait for it.
			w.paused()
			r := w.act(name, w.consent(2, joiner))
			require.Equal(t, CodeWrongPhase, r.Code)
			require.Contains(t, r.Log, fmt.Sprintf("it may consent again from height %d on", missed.Again))
			for _, i := range voters {
				w.must(memberName(i), w.consent(2, i))
			}
			require.Less(t, w.height, missed.Again)
			_, waits := proposal(w)
			require.False(t, waits, "all who may consent have")
			require.True(t, w.perform(silent, voters...))
			require.Equal(t, Seats(voters), view(w, func(v View) Seats { return v.SeatsAt(2) }))
			require.Equal(t, StandingJoining, w.memberAt(joiner).Standing, "it is admitted all the same")
			require.Error(t, w.mayPropose(joiner))

			// It may try again, and waits longer each time, until its admission ends.
			for times := uint64(2); times <= MaxMissed; times++ {
				for w.height+1 < missed.Again {
					w.block()
				}
				w.paused()
				w.must(name, w.consent(3, joiner))
				for _, i := range present {
					w.must(memberName(i), w.consent(3, i))
				}
				require.False(t, w.perform(silent, voters...))
				missed, _ = view2(w, func(v View) (Missed, bool) { return v.Missed(joiner) })
				if times < MaxMissed {
					require.Equal(t, Missed{Times: times, Again: w.height + times*span}, missed)
				}
			}
			require.Equal(t, StandingLeft, w.memberAt(joiner).Standing)
			require.Empty(t, missed)
			require.Len(t, w.passed(EventMemberLeft), 1)
			require.NotEqual(t, CodeOK, w.act(name, w.consent(3, joiner)).Code)
			for _, i := range voters {
				require.True(t, w.memberAt(i).Seated())
			}

			// Voted in again it begins anew, and gets its seat when it is there.
			require.Equal(t, joiner, w.admitted(name, voters[:threshold]...))
			w.paused()
			w.must(name, w.consent(3, joiner))
			for _, i := range present {
				w.must(memberName(i), w.consent(3, i))
			}
			require.True(t, w.handover(append(slices.Clone(voters), joiner)...))
			require.Equal(t, joiner, w.memberAt(joiner).Seat)
			require.Equal(t, StandingActive, w.memberAt(joiner).Standing)
		})
	}
}
