package member_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

func (w *world) epoch() (epoch uint64) {
	w.view(w.leader, func(v curation.View) {
		if c, ok := v.Committee(); ok {
			epoch = c.Epoch()
		}
	})
	return epoch
}

func (w *world) proven() (n int) {
	w.view(w.leader, func(v curation.View) { n = v.Network().Committee.Proven })
	return n
}

// handOver has a member that is up propose a handover until one has gone through.
func (w *world) handOver(proposer int) {
	w.t.Helper()
	next := w.epoch() + 1
	w.step(w.members[proposer], member.HandoverWanted{})
	again := w.height + 20 // a wish does not outlive its member
	require.True(w.t, w.run(900, func() bool {
		if w.height >= again && w.members[proposer].machine != nil {
			w.step(w.members[proposer], member.HandoverWanted{})
			again = w.height + 20
		}
		return w.epoch() == next
	}), "epoch %d after 900 blocks: %s", w.epoch(), w.custody())
	done := w.height
	require.True(w.t, w.run(60, func() bool { return w.members[proposer].height >= done }))
}

// custody says where the handover stands.
func (w *world) custody() (s string) {
	w.view(w.leader, func(v curation.View) {
		h, proposed := v.Handover()
		a, _ := v.LastAborted()
		s = fmt.Sprintf("ceremony %+v, proposed %v %+v, aborted %+v, oldest work %d, may: %v", v.Ceremony(), proposed, h, a, v.OldestWork(), v.MayHandOver(0))
	})
	return s
}

// TestHandoversUnderLoad hands the keys over again and again while pictures are
// asked for, made and audited, and members crash: no request is lost, and no share
// leaves against the rules.
func TestHandoversUnderLoad(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       int
		faults  faults
		crashes int
		seeds   int
	}{
		{"one member alone", 1, calm, 0, 1},
		{"four members, calm", 4, calm, 0, 2},
		{"four members, drops, repeats and reordering", 4, storm, 0, 2},
		{"four members, one of them crashing again and again", 4, storm, 1, 3},
	} {
		for s := range c.seeds {
			seed := seedOf(fmt.Sprint("handover", c.name, s))
			t.Run(fmt.Sprintf("%s/seed=%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, c.n, seed, c.faults)
				w.found()
				w.stumble(c.crashes)
				for i := range 3 {
					w.ask(fmt.Sprintf("picture %d", i))
					w.handOver(i % c.n) // each member may ask for one
					w.ask(fmt.Sprintf("picture %d, late", i))
					require.EqualValues(t, i+2, w.epoch())
				}
				require.True(t, w.run(50, func() bool { return len(w.artworks()) == 6 }), "%v", summary(w))
				require.True(t, w.run(900, func() bool {
					return len(w.artworks(curation.StatusRequested, curation.StatusApproved, curation.StatusRegistered)) == 0
				}), "artworks %v", summary(w))
				require.Zero(t, len(w.artworks(curation.StatusExpired, curation.StatusDisputed)), "%v", summary(w))
				require.Empty(t, w.failed)
				require.Empty(t, w.convictions(), "all are honest")
			})
		}
	}
}

// TestSeedsOfOlderCommitteesAreErased: whoever steals the key store later finds
// nothing that opens the bundles of before.
func TestSeedsOfOlderCommitteesAreErased(t *testing.T) {
	w := newWorld(t, 4, 21, calm)
	w.found()
	for i := range 2 {
		w.handOver(1 + i)
	}
	require.True(t, w.run(100, func() bool {
		for _, q := range w.members {
			if len(q.secrets.Seeds) != 1 {
				return false
			}
		}
		return true
	}))
	for _, q := range w.members {
		require.Contains(t, q.secrets.Seeds, uint64(3))
		w.crash(q)
		w.start(q)
		require.True(t, q.machine.Ready(), "what is left is enough")
	}
	w.ask("red heart")
	require.True(t, w.run(200, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }))
}

// TestAMemberThatWasAwayDuringAHandover keeps its seat: it receives under its deal
// key of before, and proves its share when it is back.
func TestAMemberThatWasAwayDuringAHandover(t *testing.T) {
	w := newWorld(t, 4, 22, calm)
	w.found()
	w.crash(w.members[3])
	w.handOver(0)
	require.Equal(t, 3, w.proven())
	w.start(w.members[3])
	require.True(t, w.run(100, func() bool { return w.proven() == 4 }))
	require.True(t, w.members[3].machine.Ready())
	require.Contains(t, w.members[3].secrets.Seeds, uint64(1), "it is still of use")
	w.handOver(3)
	require.True(t, w.run(100, func() bool { return w.proven() == 4 && len(w.members[3].secrets.Seeds) == 1 }))
	require.Contains(t, w.members[3].secrets.Seeds, uint64(3))
}

// TestASeedIsKeptBeforeItsKeyIsShown crashes a member at the write of its new seed:
// nothing of it may have left.
func TestASeedIsKeptBeforeItsKeyIsShown(t *testing.T) {
	w := newWorld(t, 4, 23, calm)
	w.found()
	require.True(t, w.run(50, func() (may bool) {
		w.view(w.members[2].ledger, func(v curation.View) { may = v.MayHandOver(3) == nil })
		return may
	}))
	w.members[2].torn = true
	w.step(w.members[2], member.HandoverWanted{})
	require.True(t, w.members[2].machine == nil, "it crashed at the write")
	require.Len(t, w.members[2].secrets.Seeds, 1)
	require.False(t, w.run(20, func() (proposed bool) {
		w.view(w.leader, func(v curation.View) { _, proposed = v.Handover() })
		return proposed
	}))
	w.start(w.members[2])
	w.handOver(2)
	require.True(t, w.run(100, func() bool { return w.proven() == 4 }))
}

// TestAHandoverThatIsNotPossibleYetIsProposedLater.
func TestAHandoverIsProposedAsSoonAsItMayBe(t *testing.T) {
	w := newWorld(t, 4, 24, calm)
	w.found()
	w.handOver(0)
	w.view(w.members[0].ledger, func(v curation.View) {
		require.ErrorContains(t, v.MayHandOver(1), "may be proposed from height")
	})
	require.True(t, w.run(20, func() (knows bool) {
		w.view(w.members[1].ledger, func(v curation.View) { knows = v.CeremonyEpoch() == 2 && v.Ceremony().Phase == curation.CeremonyActive })
		return knows
	}))
	w.step(w.members[1], member.HandoverWanted{})
	require.True(t, w.run(400, func() bool { return w.epoch() == 3 }))
}

// TestAMemberThatWasAwayForTwoHandovers: its seat is passed on under its first deal
// key, and its first seed is all that it needs.
func TestAMemberThatWasAwayForTwoHandovers(t *testing.T) {
	w := newWorld(t, 4, 25, calm)
	w.found()
	w.crash(w.members[3])
	w.handOver(0)
	w.handOver(1)
	require.Equal(t, 3, w.proven())
	w.start(w.members[3])
	require.True(t, w.run(100, func() bool { return w.proven() == 4 && w.members[3].machine.Ready() }))
	require.Equal(t, []uint64{1}, slices.Collect(maps.Keys(w.members[3].secrets.Seeds)))
	w.crash(w.members[0])
	w.ask("red heart")
	require.True(t, w.run(300, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }), "it serves: %v", summary(w))
	require.Empty(t, w.failed)
}

// TestAMemberThatLostItsSeed has no share until the next handover, to which it
// consents like the others.
func TestAMemberThatLostItsSeed(t *testing.T) {
	w := newWorld(t, 4, 26, calm)
	w.found()
	w.handOver(0)
	lost := w.members[2]
	require.True(t, w.run(100, func() bool { return len(lost.secrets.Seeds) == 1 }))
	w.crash(lost)
	clear(lost.secrets.Seeds)
	lost.notes = nil
	w.start(lost)
	require.False(t, w.run(60, lost.machine.Ready))
	require.Empty(t, lost.secrets.Seeds, "nothing of the epoch in force can be made again")
	require.Equal(t, []string{"no share of the committee of epoch 2"}, lost.notes, "said once, not at every block")
	w.handOver(2)
	require.True(t, w.run(100, func() bool { return lost.machine.Ready() && len(lost.secrets.Seeds) == 1 }))
	require.Contains(t, lost.secrets.Seeds, uint64(3))
	w.crash(w.members[0])
	w.ask("blue bird")
	require.True(t, w.run(300, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }), "it serves: %v", summary(w))
	require.Empty(t, w.failed)
}
