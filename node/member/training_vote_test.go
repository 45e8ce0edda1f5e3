package member_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

// voting brings a training to the moment at which a version of it is sealed and members
// vote. One of four does not like it, so that the votes of all others are needed; the one
// that is returned has neither sealed nor voted yet.
func (w *world) voting() (*peer, []uint32) {
	w.t.Helper()
	w.found()
	w.joins(w.members...)
	w.members[0].worse = true
	w.propose()
	counted := w.untilSummed(1, 600)
	require.True(w.t, w.run(300, func() bool { return w.training(1).Status == curation.TrainingVoting }), "%v", w.trainings())
	made, _ := w.modelAt(w.training(1).Results[0])
	i := slices.IndexFunc(w.members[1:], func(q *peer) bool { return q.index != made.Sealer })
	return w.members[1+i], counted
}

// TestATrainerThatIsKilledWhileMembersVoteVotesAllTheSame: at whatever moment between the
// sealing of the new version and its adoption. While it is down the others hand the keys
// over, so that the artist of before opens for nobody any more.
func TestATrainerThatIsKilledWhileMembersVoteVotesAllTheSame(t *testing.T) {
	calm := newWorld(t, 4, 102, calm)
	calm.voting()
	began := calm.tick
	calm.ends(1, 600)
	moments := calm.tick - began
	require.GreaterOrEqual(t, moments, blockTicks, "it takes a block at least")
	for k := range moments + 1 {
		t.Run(fmt.Sprintf("%d of %d ticks", k, moments), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 4, 102, faults{delay: calm.delay, lag: calm.lag})
			victim, counted := w.voting()
			require.True(t, w.run(600, func() bool { return w.tick >= began+k }))
			w.crash(victim)
			opened := w.training(1).Epoch
			w.handOver(int(victim.index) % 4)
			w.view(w.leader, func(v curation.View) {
				require.Greater(t, v.OldestWork(), opened, "nobody serves the training any more")
			})
			w.start(victim)
			w.replaced(w.ends(1, 300), counted)
			require.True(t, w.run(100, w.nothingKept), "%v", w.trainings())
			require.Empty(t, w.failed)
		})
	}
}

// TestWhoWasKilledWhileMembersVoteDoesNotLikeWhatItDidNotLike: what it found on its own
// pictures is kept as well.
func TestWhoWasKilledWhileMembersVoteDoesNotLikeWhatItDidNotLike(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, 103, calm)
	victim, _ := w.voting()
	w.crash(victim) // its vote would be enough
	critic := w.members[0]
	w.crash(critic)
	critic.worse, critic.notes = false, nil // it would like it now
	w.start(critic)
	w.run(100, func() bool { return false })
	require.Equal(t, curation.TrainingVoting, w.training(1).Status, "%v", w.trainings())
	require.Contains(t, critic.notes, "this member does not vote for the version that was trained")
}

// TestAMaskedFileThatComesTooLateIsForgotten: it was on its way when the training ended.
func TestAMaskedFileThatComesTooLateIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3, 104, calm)
	w.found()
	q := w.members[0]
	q.masked = map[curation.Hash][]byte{{1}: {1}}
	w.step(q, member.MaskedHeld{Number: 1, Member: 2})
	require.Nil(t, q.masked)
}

// TestWhoWasKilledAfterItJudgedSealsByThat: a trainer that makes the version again, to seal
// it, does not judge it again, and so never finds good what it found bad.
func TestWhoWasKilledAfterItJudgedSealsByThat(t *testing.T) {
	for name, unlike := range map[string]int{"it likes the version": 0, "it forgot too much": 17} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 4, 106, calm)
			w.found()
			w.joins(w.members...)
			for _, q := range w.members {
				q.unlike = unlike
			}
			w.propose()
			counted := w.untilSummed(1, 600)
			require.True(t, w.run(100, func() bool {
				return !slices.ContainsFunc(w.members, func(q *peer) bool { return q.machine.Found() == nil })
			}))
			require.Empty(t, w.training(1).Results, "nobody has sealed it yet")
			for _, q := range w.members {
				w.crash(q)
				q.unlike = 17 - unlike // they would find the opposite now
				w.start(q)
				require.NotNil(t, q.machine.Found())
				require.Equal(t, unlike, q.machine.Found().Forgotten.Unlike)
			}
			if unlike == 0 {
				w.replaced(w.ends(1, 600), counted)
			} else {
				ended := w.ends(1, 2000)
				require.Equal(t, curation.TrainingFailed, ended.Status, "%v", w.trainings())
				require.Empty(t, ended.Results)
			}
			require.Empty(t, w.failed)
		})
	}
}
