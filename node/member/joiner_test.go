package member_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// silent sends everything but acknowledgements.
func silent(p curation.Payload) bool {
	c, ok := p.(curation.CeremonyMessage)
	return ok && dkg.Kind(c.Message) == dkg.KindAck
}

// TestANewcomerThatNeverAcknowledgesIsLeftBehind: of a network of one or two every
// member must acknowledge, so one who joins and does not ends each handover that it
// takes part in. The network goes on without it, and somebody who leaves can.
func TestANewcomerThatNeverAcknowledgesIsLeftBehind(t *testing.T) {
	for n := 1; n <= 2; n++ {
		t.Run(fmt.Sprintf("in a network of %d", n), func(t *testing.T) {
			w := newWorld(t, n, uint64(70+n), calm)
			w.found()
			q, application := w.newcomer()
			q.mute = silent
			w.admit(application, []int{0, 1}[:n]...)
			missed := func() (m curation.Missed) {
				w.view(w.leader, func(v curation.View) { m, _ = v.Missed(q.index) })
				return m
			}
			require.True(t, w.run(400, func() bool { return missed().Times == 1 }), w.custody())
			require.EqualValues(t, 1, w.epoch())
			w.ask("while it is left behind")

			// A handover goes through meanwhile.
			w.handOver(0)
			require.Less(t, w.height, missed().Again)
			require.Equal(t, n, len(w.seats()))
			require.Equal(t, curation.StandingJoining, w.standing(q))
			require.Contains(t, q.notes, "handovers go on without this member for a while")

			// It comes to its senses, and gets its seat at its next turn.
			w.crash(q)
			q.mute = nil
			w.start(q)
			w.becomes(q, curation.StandingActive)
			require.Equal(t, n+1, len(w.seats()))
			w.ask("with the newcomer")
			w.finished(2)
		})
	}
	t.Run("until its admission ends", func(t *testing.T) {
		w := newWorld(t, 2, 73, calm)
		w.found()
		q, application := w.newcomer()
		q.mute = silent
		w.admit(application, 0, 1)
		w.becomes(q, curation.StandingLeft)
		require.EqualValues(t, 1, w.epoch())
		w.submit(w.members[1].key, curation.Leave{})
		w.becomes(w.members[1], curation.StandingLeft)
		require.Equal(t, curation.Seats{1}, w.seats())
		require.True(t, w.run(100, func() bool { return len(q.secrets.Seeds) == 0 }), "it keeps nothing")
	})
}

// TestANewcomerTakesNoShareBeforeTheArtistIsHere: the members of before may all be gone
// after the handover.
func TestANewcomerTakesNoShareBeforeTheArtistIsHere(t *testing.T) {
	w := newWorld(t, 2, 75, calm)
	w.found()
	cid := w.model().ContainerCID
	require.True(t, w.run(60, w.keepsWhatIsNeeded))
	var away []sealed
	for _, p := range w.members {
		away = append(away, p.disk[cid])
		p.disk[cid] = sealed{keyEpoch: 1} // not to be had from it
	}
	q, application := w.newcomer()
	w.admit(application, 0, 1)
	require.False(t, w.run(100, func() bool { return w.standing(q) != curation.StandingJoining || len(q.secrets.Seeds) > 0 }), "%s", w.custody())
	require.EqualValues(t, 1, w.epoch())
	require.Contains(t, q.notes, "no share of the key before the sealed artist is here")
	for i, p := range w.members[:2] {
		p.disk[cid] = away[i]
	}
	w.becomes(q, curation.StandingActive)
	require.NotEmpty(t, q.disk[cid].content)

	for i, p := range w.members[:2] {
		w.submit(p.key, curation.Leave{})
		w.becomes(p, curation.StandingLeft)
		require.Len(t, w.seats(), 2-i)
		p.disk = map[string]sealed{}
	}
	w.ask("by the newcomer alone")
	w.finished(1)
}

// TestAMemberCannotHaveTheOthersHandOverWithoutEnd: a member that wants a handover at
// every block gets one in a span, and the pictures are drawn meanwhile.
func TestAMemberCannotHaveTheOthersHandOverWithoutEnd(t *testing.T) {
	w := newWorld(t, 4, 74, calm)
	w.found()
	began := w.height
	asked := 0
	for w.height < began+500 {
		w.step(w.members[3], member.HandoverWanted{})
		if asked < 5 {
			w.ask(fmt.Sprintf("picture %d", asked))
			asked++
		}
		w.run(40, func() bool { return false })
	}
	require.GreaterOrEqual(t, w.epoch(), uint64(3))
	require.LessOrEqual(t, w.epoch(), uint64(4), "one at once, and one in 240 blocks")
	w.finished(5)
}
