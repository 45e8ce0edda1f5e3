package dkg_test

import (
	"fmt"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

// handover opens the ceremony in which a committee of old members hands over to
// n, of whom the first stay are old members 1..stay; it returns the parties of
// everybody: those who stay, those who leave, those who join.
func handover(t *testing.T, old, n, stay int) (*dkg.Log, []*dkg.Party, *shamir.Committee, []*shamir.KeyShare) {
	t.Helper()
	committee, shares, err := shamirtest.Run(t.Name(), 1, old)
	require.NoError(t, err)
	l, parties := handOn(t, committee, shares, n, stay)
	return l, parties, committee, shares
}

func handOn(t *testing.T, committee *shamir.Committee, shares []*shamir.KeyShare, n, stay int) (*dkg.Log, []*dkg.Party) {
	t.Helper()
	l, parties, err := shamirtest.OpenHandover(t.Name(), committee, shares, n, stay)
	require.NoError(t, err)
	return l, parties
}

func keyShares(t *testing.T, l *dkg.Log, parties []*dkg.Party) (out []*shamir.KeyShare) {
	t.Helper()
	for _, p := range parties {
		if p.Index() == 0 {
			continue
		}
		s, err := p.KeyShare(l)
		require.NoError(t, err)
		out = append(out, s)
	}
	return out
}

func TestHandover(t *testing.T) {
	for _, c := range []struct {
		name         string
		old, n, stay int
	}{
		{"a refresh: the same members", 4, 4, 4},
		{"one joins", 4, 5, 4},
		{"one leaves", 5, 4, 4},
		{"to nobody of before", 4, 4, 0},
		{"to more, of whom some stay", 4, 7, 2},
		{"to fewer, of whom some stay", 7, 4, 2},
		{"from one alone", 1, 4, 1},
		{"to one alone", 4, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, parties, before, oldShares := handover(t, c.old, c.n, c.stay)
			require.Equal(t, c.old, l.Dealers())
			require.Equal(t, c.n, l.N())
			require.Empty(t, run(t, l, speakers(parties)))
			require.Equal(t, dkg.PhaseActive, l.Phase())
			require.Empty(t, l.Culprits())
			require.Len(t, l.Qualified(), before.T(), "as many as it takes")
			require.NoError(t, reread(t, l).Audit())

			after, err := l.Committee()
			require.NoError(t, err)
			require.Equal(t, before.X(), after.X(), "the keys stay")
			require.Equal(t, before.Y(), after.Y(), "the keys stay")
			require.Equal(t, before.Epoch()+1, after.Epoch())
			shares := keyShares(t, l, parties)
			require.Len(t, shares, c.n)
			requireWorks(t, after, shares)

			// All but one of the old shares and a new one are one too few.
			if before.T() > 1 {
				x, _ := secrets(t, append([]*shamir.KeyShare{shares[0]}, oldShares[1:before.T()]...))
				require.False(t, after.XPoint().Equal(shamir.Ristretto255.Point().Mul(x, nil)), "a mixture opens")
			}
			for _, p := range parties {
				if p.Index() == 0 {
					_, err := p.KeyShare(l)
					require.ErrorIs(t, err, dkg.ErrNotMember, "one who left")
				}
			}
		})
	}
}

// Twenty handovers in a row, among committees that grow, shrink and swap.
func TestHandoversInARow(t *testing.T) {
	committee, shares, err := shamirtest.Run(t.Name(), 1, 4)
	require.NoError(t, err)
	x, y := committee.X(), committee.Y()
	sizes := []int{4, 5, 7, 5, 3, 1, 2, 4, 4, 6}
	if testing.Short() {
		sizes = sizes[:4]
	}
	for i, n := range sizes {
		l, parties := handOn(t, committee, shares, n, min(n, len(shares))*(i%3)/2)
		require.Empty(t, run(t, l, speakers(parties)))
		committee, err = l.Committee()
		require.NoError(t, err, "handover %d", i)
		shares = keyShares(t, l, parties)
	}
	require.EqualValues(t, 1+len(sizes), committee.Epoch())
	require.Equal(t, x, committee.X())
	require.Equal(t, y, committee.Y())
	requireWorks(t, committee, shares)
}

func TestHandoverWithSilentAndLyingDealers(t *testing.T) {
	for _, c := range []struct {
		name     string
		change   func(parties []*dkg.Party, members []speaker)
		phase    dkg.Phase
		culprits []dkg.Culprit
		dealers  []uint32
	}{
		{"a dealer is away", func(_ []*dkg.Party, m []speaker) { m[0] = silentDealer{m[0], dkg.PhaseCommit} },
			dkg.PhaseActive, []dkg.Culprit{{Index: 1, Reason: dkg.ReasonNoCommit}}, []uint32{2, 3, 4}},
		{"a dealer withholds", func(_ []*dkg.Party, m []speaker) { m[1] = silentDealer{m[1], dkg.PhaseBundle} },
			dkg.PhaseActive, []dkg.Culprit{{Index: 2, Reason: dkg.ReasonNoBundle}}, []uint32{1, 3, 4}},
		{"a dealer deals one that joins a wrong share", func(p []*dkg.Party, m []speaker) {
			m[2] = dkg.Liar{Party: p[2], Tamper: func(b *dkg.Tampering) { b.WrongShare(5, 1, 0) }}
		}, dkg.PhaseActive, []dkg.Culprit{{Index: 3, Reason: dkg.ReasonBadDeal}}, []uint32{1, 2, 4}},
		{"a dealer deals itself a wrong share in another place", func(p []*dkg.Party, m []speaker) {
			m[0] = dkg.Liar{Party: p[0], Tamper: func(b *dkg.Tampering) { b.WrongShare(2, 0, 1) }}
		}, dkg.PhaseActive, []dkg.Culprit{{Index: 1, Reason: dkg.ReasonBadDeal}}, []uint32{2, 3, 4}},
		{"two dealers are away", func(_ []*dkg.Party, m []speaker) {
			m[0], m[3] = silentDealer{m[0], dkg.PhaseCommit}, silentDealer{m[3], dkg.PhaseCommit}
		}, dkg.PhaseAborted, []dkg.Culprit{{Index: 1, Reason: dkg.ReasonNoCommit}, {Index: 4, Reason: dkg.ReasonNoCommit}}, nil},
		{"one that joins does not acknowledge", func(_ []*dkg.Party, m []speaker) { m[4] = silent{m[4], dkg.PhaseCommit} },
			dkg.PhaseActive, []dkg.Culprit{{Index: 5, Reason: dkg.ReasonNoAck}}, []uint32{1, 2, 3}},
		{"two do not acknowledge", func(_ []*dkg.Party, m []speaker) {
			m[4], m[0] = silent{m[4], dkg.PhaseCommit}, silent{m[0], dkg.PhaseAcknowledge}
		}, dkg.PhaseAborted, []dkg.Culprit{{Index: 1, Reason: dkg.ReasonNoAck}, {Index: 5, Reason: dkg.ReasonNoAck}}, []uint32{1, 2, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, parties, before, oldShares := handover(t, 4, 5, 4)
			members := speakers(parties)
			c.change(parties, members)
			for _, err := range run(t, l, members) {
				require.ErrorIs(t, err, dkg.ErrDuplicate, "only a second accuser comes too late")
			}
			require.Equal(t, c.phase, l.Phase())
			require.Equal(t, c.culprits, l.Culprits())
			require.Equal(t, c.dealers, l.Qualified())
			require.NoError(t, reread(t, l).Audit())
			if c.phase == dkg.PhaseAborted {
				requireWorks(t, before, oldShares) // nothing was lost
				return
			}
			after, err := l.Committee()
			require.NoError(t, err)
			require.Equal(t, before.X(), after.X())
			requireWorks(t, after, keyShares(t, l, parties))
		})
	}
}

// silentDealer deals nothing from a phase on, and receives as it should.
type silentDealer struct {
	speaker
	from dkg.Phase
}

func (s silentDealer) Step(height uint64, l *dkg.Log) ([]dkg.Message, error) {
	if l.Phase() >= s.from && l.Phase() <= dkg.PhaseBundle {
		return nil, nil
	}
	return s.speaker.Step(height, l)
}

// A dealer that deals another secret than its share would change the keys.
func TestAHandoverDealsTheShareAndNothingElse(t *testing.T) {
	for name, tamper := range map[string]func(*dkg.Tampering){
		"another secret of X": func(b *dkg.Tampering) { b.OtherSecret(1, 0) },
		"another secret of Y": func(b *dkg.Tampering) { b.OtherSecret(0, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			l, parties, _, _ := handover(t, 4, 4, 4)
			members := speakers(parties)
			members[1] = dkg.Liar{Party: parties[1], Tamper: tamper}
			refused := run(t, l, members)
			require.NotEmpty(t, refused)
			for _, err := range refused {
				require.ErrorIs(t, err, dkg.ErrMessage)
				require.ErrorContains(t, err, "another secret than the share")
			}
			require.Equal(t, dkg.PhaseActive, l.Phase())
			require.Equal(t, []dkg.Culprit{{Index: 2, Reason: dkg.ReasonNoBundle}}, l.Culprits())
		})
	}
}

func TestPartiesThatAHandoverDoesNotKnow(t *testing.T) {
	l, _, committee, shares := handover(t, 4, 5, 4)
	other, foreign, err := shamirtest.Run("another network", 1, 4)
	require.NoError(t, err)
	require.NotEqual(t, committee.X(), other.X())
	seed := func(i uint32) [32]byte { return shamirtest.Seed(t.Name(), 2, i) }

	fresh, err := dkg.NewParty(1, seed(1))
	require.NoError(t, err)
	_, err = fresh.Step(1, l)
	require.ErrorIs(t, err, dkg.ErrNotMember, "a dealer without the share")

	p, err := dkg.NewHandoverParty(foreign[0], 1, seed(1))
	require.NoError(t, err)
	_, err = p.Step(1, l)
	require.ErrorIs(t, err, dkg.ErrShareLost, "a share of other keys")

	_, second, err := shamirtest.Run(t.Name(), 2, 4)
	require.NoError(t, err)
	p, err = dkg.NewHandoverParty(second[0], 1, seed(1))
	require.NoError(t, err)
	_, err = p.Step(1, l)
	require.ErrorIs(t, err, dkg.ErrNotMember, "a share of another epoch")

	_, err = dkg.NewHandoverParty(nil, 0, seed(1))
	require.ErrorIs(t, err, dkg.ErrNotMember, "neither leaves nor joins")

	first, parties := open(t, 4)
	require.NotNil(t, parties)
	p, err = dkg.NewHandoverParty(shares[0], 1, seed(1))
	require.NoError(t, err)
	_, err = p.Step(1, first)
	require.ErrorIs(t, err, dkg.ErrNotMember, "a ceremony that makes new keys")

	params := l.Params()
	params.Epoch = committee.Epoch() - 1
	_, err = dkg.NewLog(params, 1)
	require.ErrorIs(t, err, shamir.ErrSize, "no epoch hands over to one before it; to itself it deals a second sharing")
}

// The same messages do not fit a second attempt, and nobody deals one polynomial
// twice: with two polynomials through one share, t-1 receivers would know it.
func TestARepeatedHandoverIsAnotherCeremony(t *testing.T) {
	l, parties, _, _ := handover(t, 4, 4, 4)
	again, err := dkg.NewLog(l.Params(), 2)
	require.NoError(t, err)
	one, err := parties[0].Step(1, l)
	require.NoError(t, err)
	two, err := parties[0].Step(2, again)
	require.NoError(t, err)
	require.NotEqual(t, one, two)
}

// A member of before that was away for the whole handover still gets its share
// from the log.
func TestAReceiverThatWasAwayForTheHandover(t *testing.T) {
	l, parties, _, shares := handover(t, 4, 4, 4)
	members := speakers(parties)
	members[3] = silent{members[3], dkg.PhaseCommit}
	require.Empty(t, run(t, l, members))
	require.Equal(t, dkg.PhaseActive, l.Phase())
	back, err := dkg.NewHandoverParty(shares[3], 4, shamirtest.Seed(t.Name(), 2, 4))
	require.NoError(t, err)
	messages, err := back.Step(90, reread(t, l))
	require.NoError(t, err)
	require.Len(t, messages, 1)
	require.NoError(t, l.Apply(90, back.Speaks(messages[0].Kind), messages[0]))
	require.Equal(t, 4, l.Acknowledged())
	after, err := l.Committee()
	require.NoError(t, err)
	s, err := back.KeyShare(l)
	require.NoError(t, err)
	require.NoError(t, s.VerifyAgainst(after))
}

// Handovers in virtual time: drops, duplicates, delays, reordering and crashes.
func TestHandoverInVirtualTime(t *testing.T) {
	for _, c := range []struct{ old, n, stay int }{{4, 4, 4}, {4, 5, 4}, {5, 4, 3}, {4, 4, 0}} {
		active := 0
		const seeds = 4
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprintf("%d to %d, %d stay, seed=%d", c.old, c.n, c.stay, seed), func(t *testing.T) {
				w := newHandoverWorld(t, c.old, c.n, c.stay, seed)
				after := w.run(t)
				if after == nil {
					return
				}
				active++
				require.Equal(t, w.memory.Params().Previous.X(), after.X())
				var all []*dkg.Party
				for i := range w.parties {
					all = append(all, w.again(i))
				}
				requireWorks(t, after, keyShares(t, w.disk, all))
			})
		}
		require.GreaterOrEqual(t, active, seeds/2, "the network is not that bad")
	}
}
