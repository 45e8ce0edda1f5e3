package member_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

// newcomer makes the next one with a copy of the ledger, and its application; its
// machine runs from the start.
func (w *world) newcomer() (*peer, curation.Application) {
	w.t.Helper()
	index := uint32(len(w.members) + 1)
	name := fmt.Sprintf("member %d", index)
	q := &peer{index: index, key: keyOf(name), ledger: w.replica(), height: w.height, kept: map[curation.Hash]string{}, disk: map[string]sealed{},
		secrets: member.Secrets{Seeds: map[uint64][32]byte{}, Prekeys: sha256.Sum256([]byte(name + " prekeys")), Identity: keyOf(name)}}
	w.members = append(w.members, q)
	w.start(q)
	return q, w.application(q)
}

func (w *world) application(q *peer) curation.Application {
	name := fmt.Sprintf("member %d", q.index)
	var life curation.Hash // of one that applies again
	w.view(w.leader, func(v curation.View) {
		m, _ := v.MemberOf(addressOf(name))
		binary.BigEndian.PutUint64(life[:], m.Since)
	})
	a, err := curation.Apply(w.chain, life, name, []string{"/ip4/192.0.2.1/udp/4001/quic-v1"}, q.key, keyOf(name+" validator"))
	require.NoError(w.t, err)
	return a
}

// admit has members vote for an application until it is decided.
func (w *world) admit(a curation.Application, voters ...int) {
	w.t.Helper()
	for _, i := range voters {
		w.submit(w.members[i].key, curation.Admit{Application: a})
		w.run(2, func() bool { return false })
	}
}

func (w *world) standing(q *peer) (s curation.Standing) {
	w.view(w.leader, func(v curation.View) {
		m, _ := v.MemberOf(addressOf(fmt.Sprintf("member %d", q.index)))
		s = m.Standing
	})
	return s
}

func (w *world) seats() (s curation.Seats) {
	w.view(w.leader, func(v curation.View) { s = v.SeatsAt(w.epoch()) })
	return s
}

// becomes waits until a member has a standing.
func (w *world) becomes(q *peer, s curation.Standing) {
	w.t.Helper()
	require.True(w.t, w.run(1200, func() bool { return w.standing(q) == s }), "member %d is %s, not %s: %s", q.index, w.standing(q), s, w.custody())
}

// finished waits until no request is open, and says that none was lost.
func (w *world) finished(want int) {
	w.t.Helper()
	require.True(w.t, w.run(900, func() bool {
		return len(w.artworks()) >= want && len(w.artworks(curation.StatusRequested, curation.StatusApproved, curation.StatusRegistered)) == 0
	}), "artworks %v", summary(w))
	require.Zero(w.t, len(w.artworks(curation.StatusExpired, curation.StatusDisputed)), "%v", summary(w))
	require.Empty(w.t, w.failed)
}

// powers are the members whose validators have power, by number.
func (w *world) powers() (numbers []uint32) {
	w.view(w.leader, func(v curation.View) {
		for _, m := range v.Members() {
			if w.power[m.Validator] != m.Power {
				w.t.Fatalf("member %d has power %d, its validator %d", m.Index, m.Power, w.power[m.Validator])
			}
			if m.Power != 0 {
				numbers = append(numbers, m.Index)
			}
		}
	})
	return numbers
}

func TestMembersComeAndGoUnderLoad(t *testing.T) {
	for _, c := range []struct {
		name    string
		faults  faults
		crashes int
		seeds   int
	}{
		{"calm", calm, 0, 1},
		{"drops, repeats and reordering", storm, 0, 1},
		{"one member crashing again and again", storm, 1, 2},
	} {
		for s := range c.seeds {
			seed := seedOf(fmt.Sprint("membership", c.name, s))
			t.Run(fmt.Sprintf("%s/seed=%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, 4, seed, c.faults)
				w.found()
				w.stumble(c.crashes)
				asked := 0
				var load func()
				load = func() {
					if asked < 12 {
						asked++
						w.ask(fmt.Sprintf("picture %d", asked))
						w.after(15*blockTicks, load)
					}
				}
				load()
				five, application := w.newcomer()
				w.admit(application, 0, 1, 2)
				w.becomes(five, curation.StandingActive)
				require.Equal(t, curation.Seats{1, 2, 3, 4, 5}, w.seats())
				require.Equal(t, []uint32{1, 2, 3, 4, 5}, w.powers())
				w.ask("with five")
				w.submit(five.key, curation.Leave{})
				w.becomes(five, curation.StandingLeft)
				require.Equal(t, curation.Seats{1, 2, 3, 4}, w.seats())
				require.Equal(t, []uint32{1, 2, 3, 4}, w.powers())
				require.True(t, w.run(1200, func() bool { return asked == 12 }))
				w.finished(13)
				require.Empty(t, w.convictions(), "all are honest")
				require.True(t, w.run(100, func() bool { return five.machine == nil || len(five.secrets.Seeds) == 0 }), "it keeps nothing: %v", five.secrets.Seeds)
			})
		}
	}
}

func TestANetworkGrowsFromOneAndShrinksAgain(t *testing.T) {
	w := newWorld(t, 1, 31, calm)
	w.found()
	for n := 2; n <= 3; n++ {
		q, application := w.newcomer()
		voters := []int{0, 1}[:n-1]
		w.admit(application, voters...)
		w.becomes(q, curation.StandingActive)
		w.ask(fmt.Sprintf("picture of %d", n))
	}
	require.Equal(t, curation.Seats{1, 2, 3}, w.seats())
	for _, i := range []int{0, 1} { // the founder goes first
		w.submit(w.members[i].key, curation.Leave{})
		w.becomes(w.members[i], curation.StandingLeft)
	}
	require.Equal(t, curation.Seats{3}, w.seats())
	require.Equal(t, []uint32{3}, w.powers())
	w.ask("alone")
	w.finished(3)
	w.submit(w.members[2].key, curation.Leave{})
	w.run(100, func() bool { return false })
	require.Equal(t, curation.StandingActive, w.standing(w.members[2]), "the last member stays")
}

func TestADeadMemberIsRemoved(t *testing.T) {
	w := newWorld(t, 4, 32, calm)
	w.found()
	w.crash(w.members[1])
	for _, i := range []int{0, 2, 3} {
		w.submit(w.members[i].key, curation.Remove{Member: 2})
	}
	w.becomes(w.members[1], curation.StandingLeft)
	require.Equal(t, curation.Seats{1, 3, 4}, w.seats())
	w.ask("red heart")
	w.finished(1)
	a := w.artworks()[0]
	require.NotContains(t, a.Order, uint32(2))

	// It comes back, learns it, and forgets its secrets.
	w.start(w.members[1])
	require.True(t, w.run(100, func() bool { return len(w.members[1].secrets.Seeds) == 0 }))
	require.False(t, w.members[1].machine.Ready())

	// It may be admitted again, and has its number again.
	w.admit(w.application(w.members[1]), 0, 2, 3)
	w.becomes(w.members[1], curation.StandingActive)
	require.Equal(t, curation.Seats{1, 2, 3, 4}, w.seats())
	require.True(t, w.run(60, func() bool { return w.members[1].machine.Ready() }))
	w.ask("blue bird")
	w.finished(2)
}

func TestSomebodyWhoDoesNotComeGetsNoSeat(t *testing.T) {
	w := newWorld(t, 4, 33, calm)
	w.found()
	five, application := w.newcomer()
	w.crash(five)
	w.admit(application, 0, 1, 2)
	require.Equal(t, curation.StandingJoining, w.standing(five))
	w.run(200, func() bool { return false })
	require.EqualValues(t, 1, w.epoch(), "nobody proposes a handover for who is not there")
	w.handOver(0)
	require.Equal(t, curation.Seats{1, 2, 3, 4}, w.seats())
	require.Equal(t, curation.StandingJoining, w.standing(five))
	w.start(five)
	w.becomes(five, curation.StandingActive)
	require.True(t, slices.Contains(w.seats(), 5))
	require.EqualValues(t, 3, w.epoch())
	w.ask("red heart")
	w.finished(1)
}

// A member that left and came back is restored, and its new copy of the ledger has come
// no further than where it had left.
func TestWhoCameBackKeepsItsShareWhileItsLedgerIsBehind(t *testing.T) {
	w := newWorld(t, 4, 34, calm)
	w.found()
	two := w.members[1]
	w.submit(two.key, curation.Leave{})
	w.becomes(two, curation.StandingLeft)
	require.True(t, w.run(100, func() bool { return len(two.secrets.Seeds) == 0 }))
	away := len(w.blocks)
	w.admit(w.application(two), 0, 2, 3)
	w.becomes(two, curation.StandingActive)
	require.True(t, w.run(60, func() bool { return two.machine.Ready() }))
	require.Len(t, two.secrets.Seeds, 1)

	w.crash(two)
	all := w.blocks
	w.blocks = all[:away]
	two.ledger = w.replica()
	w.blocks = all
	w.start(two)
	require.Len(t, two.secrets.Seeds, 1, "its share of now is in it")
	two.ledger = w.replica()
	w.start(two)
	require.True(t, two.machine.Ready())
}

// TestAMemberThatIsToldOfItsDeparture: its copy of the ledger ends before it was removed,
// and others have told its node.
func TestAMemberThatIsToldOfItsDeparture(t *testing.T) {
	w := newWorld(t, 4, 35, calm)
	w.found()
	two := w.members[1]
	w.handOver(1)
	require.True(t, w.run(100, func() bool { return two.machine.Ready() && len(two.secrets.Seeds) == 1 }))
	w.crash(two)
	away := len(w.blocks)
	for _, i := range []int{0, 2, 3} {
		w.submit(w.members[i].key, curation.Remove{Member: 2})
	}
	w.becomes(two, curation.StandingLeft)
	all := w.blocks
	w.blocks = all[:away]
	two.ledger, two.height = w.replica(), 1<<40 // no block continues it
	w.blocks = all
	w.start(two)
	require.True(t, two.machine.Ready(), "as far as it knows it is a member")
	require.NotNil(t, two.machine.Holder())

	// It crashes over it, and is told again at its next start.
	two.torn = true
	w.step(two, member.Departed{})
	require.Nil(t, two.machine)
	w.start(two)
	w.step(two, member.Departed{})
	require.Empty(t, two.secrets.Seeds)
	require.False(t, two.machine.Ready())
	require.Nil(t, two.machine.Holder())
	w.view(two.ledger, func(v curation.View) {
		require.Empty(t, two.machine.Step(v, member.Committed{}), "it does nothing any more")
		answer := two.machine.Step(v, member.ReleaseAsked{Ticket: 7, From: addressOf("member 1")})
		require.Len(t, answer, 1)
		require.ErrorIs(t, answer[0].(member.Answer).Err, member.ErrEpoch)
	})
}
