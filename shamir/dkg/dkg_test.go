package dkg_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"
)

// speaker is a party or what pretends to be one.
type speaker interface {
	Speaks(dkg.Kind) uint32
	Step(height uint64, l *dkg.Log) ([]dkg.Message, error)
}

// silent posts nothing from a phase on.
type silent struct {
	speaker
	from dkg.Phase
}

func (s silent) Step(height uint64, l *dkg.Log) ([]dkg.Message, error) {
	if l.Phase() >= s.from {
		return nil, nil
	}
	return s.speaker.Step(height, l)
}

func speakers(parties []*dkg.Party) []speaker {
	var out []speaker
	for _, p := range parties {
		out = append(out, p)
	}
	return out
}

// run steps the ceremony to its end; refused collects what the log did not take.
func run(t *testing.T, l *dkg.Log, members []speaker) (refused []error) {
	t.Helper()
	for height := uint64(1); l.Phase() < dkg.PhaseActive; height++ {
		require.Less(t, height, uint64(60), "ceremony hangs in phase %s", l.Phase())
		for _, m := range members {
			messages, err := m.Step(height, l)
			if err != nil {
				require.ErrorIs(t, err, dkg.ErrShareLost)
			}
			for _, msg := range messages {
				if err := l.Apply(height, m.Speaks(msg.Kind), msg); err != nil {
					refused = append(refused, err)
				}
			}
		}
		l.EndBlock(height)
		reread(t, l)
	}
	return refused
}

// reread checks that the log's bytes hold all of it.
func reread(t *testing.T, l *dkg.Log) *dkg.Log {
	t.Helper()
	b, err := l.MarshalBinary()
	require.NoError(t, err)
	again, err := dkg.UnmarshalLog(b)
	require.NoError(t, err)
	b2, err := again.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, b, b2)
	require.Equal(t, l.Phase(), again.Phase())
	require.Equal(t, l.ID(), again.ID())
	return again
}

// secrets recovers x and y from key shares: what no honest program can do.
func secrets(t *testing.T, shares []*shamir.KeyShare) (x, y kyber.Scalar) {
	t.Helper()
	var indices []uint32
	for _, s := range shares {
		indices = append(indices, s.Index())
	}
	x, y = shamir.Ristretto255.Scalar().Zero(), shamir.G2.Scalar().Zero()
	wx, err := shamir.Lagrange(shamir.Ristretto255, indices)
	require.NoError(t, err)
	wy, err := shamir.Lagrange(shamir.G2, indices)
	require.NoError(t, err)
	for i, s := range shares {
		sx, sy := s.Secrets(access.Token{})
		x.Add(x, wx[i].Mul(wx[i], sx))
		y.Add(y, wy[i].Mul(wy[i], sy))
	}
	return x, y
}

// requireWorks checks that the shares are the committee's and that its keys are
// theirs, from both ends of the list.
func requireWorks(t *testing.T, c *dkg.Committee, shares []*shamir.KeyShare) {
	t.Helper()
	for _, s := range shares {
		require.NoError(t, s.VerifyAgainst(c))
	}
	require.GreaterOrEqual(t, len(shares), c.T())
	for _, subset := range [][]*shamir.KeyShare{shares[:c.T()], shares[len(shares)-c.T():]} {
		x, y := secrets(t, subset)
		require.True(t, c.XPoint().Equal(shamir.Ristretto255.Point().Mul(x, nil)), "X is not the secret's")
		require.True(t, c.YPoint().Equal(shamir.G2.Point().Mul(y, nil)), "Y is not the secret's")
	}
}

func open(t *testing.T, n int) (*dkg.Log, []*dkg.Party) {
	t.Helper()
	l, parties, err := shamirtest.Open(t.Name(), 1, n, shamir.Threshold(n))
	require.NoError(t, err)
	return l, parties
}

func TestCeremonyOfHonestMembers(t *testing.T) {
	for _, n := range []int{1, 2, 4, 7} {
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			l, parties := open(t, n)
			_, err := l.Committee()
			require.ErrorIs(t, err, dkg.ErrNotReady)
			_, err = parties[0].KeyShare(l)
			require.ErrorIs(t, err, dkg.ErrNotReady)

			require.Empty(t, run(t, l, speakers(parties)))
			require.Equal(t, dkg.PhaseActive, l.Phase())
			require.Empty(t, l.Culprits())
			require.Len(t, l.Qualified(), n)
			require.Equal(t, n, l.Acknowledged())
			require.NoError(t, l.Audit())

			c, err := l.Committee()
			require.NoError(t, err)
			require.Equal(t, n, c.N())
			require.Equal(t, shamir.Threshold(n), c.T())
			var shares []*shamir.KeyShare
			for _, p := range parties {
				s, err := p.KeyShare(l)
				require.NoError(t, err)
				shares = append(shares, s)
			}
			requireWorks(t, c, shares)
			if c.T() > 1 {
				x, _ := secrets(t, shares[:c.T()-1])
				require.False(t, c.XPoint().Equal(shamir.Ristretto255.Point().Mul(x, nil)), "one share short, and still the key")
			}
		})
	}
}

func TestPhasesEndEarlyExceptDispute(t *testing.T) {
	l, parties := open(t, 4)
	var phases []dkg.Phase
	for height := uint64(1); l.Phase() < dkg.PhaseActive; height++ {
		phases = append(phases, l.Phase())
		for _, p := range parties {
			messages, err := p.Step(height, l)
			require.NoError(t, err)
			for _, m := range messages {
				require.NoError(t, l.Apply(height, p.Index(), m))
			}
		}
		l.EndBlock(height)
	}
	require.Equal(t, []dkg.Phase{dkg.PhaseCommit, dkg.PhaseBundle, dkg.PhaseDispute, dkg.PhaseDispute, dkg.PhaseAcknowledge}, phases)
}

func TestDealersWhoCheatAreRemovedByName(t *testing.T) {
	for name, tamper := range map[string]func(*dkg.Tampering){
		"a wrong share of X to one member":     func(b *dkg.Tampering) { b.WrongShare(3, 1, 0) },
		"a wrong share of Y to one member":     func(b *dkg.Tampering) { b.WrongShare(4, 0, 1) },
		"a box that does not decrypt":          func(b *dkg.Tampering) { b.Garble(1) },
		"a share that is not canonical":        func(b *dkg.Tampering) { b.NonCanonicalShare(3) },
		"wrong shares to all":                  func(b *dkg.Tampering) { b.Garble(1); b.Garble(3); b.Garble(4) },
		"a wrong share to one, garbage to all": func(b *dkg.Tampering) { b.WrongShare(1, 5, 5); b.Garble(3); b.Garble(4) },
	} {
		t.Run(name, func(t *testing.T) {
			l, parties := open(t, 4)
			members := speakers(parties)
			members[1] = dkg.Liar{Party: parties[1], Tamper: tamper}
			for _, err := range run(t, l, members) {
				require.ErrorIs(t, err, dkg.ErrDuplicate, "only a second accuser comes too late")
			}
			require.Equal(t, dkg.PhaseActive, l.Phase())
			require.Equal(t, []dkg.Culprit{{Index: 2, Reason: dkg.ReasonBadDeal}}, l.Culprits())
			require.Equal(t, []uint32{1, 3, 4}, l.Qualified())
			require.NoError(t, reread(t, l).Audit(), "an outsider comes to the same judgement")

			c, err := l.Committee()
			require.NoError(t, err)
			var shares []*shamir.KeyShare
			for _, p := range parties { // the liar keeps its own share: it is a member still
				s, err := p.KeyShare(l)
				require.NoError(t, err)
				shares = append(shares, s)
			}
			requireWorks(t, c, shares)
		})
	}
}

// The proof of the ephemeral key signs the deals: one that was changed after it is no
// matter for a dispute, which would reveal the key of the deal as it was.
func TestADealThatWasChangedAfterItsProofIsNoDeal(t *testing.T) {
	l, parties := open(t, 4)
	members := speakers(parties)
	members[1] = dkg.Liar{Party: parties[1], Tamper: func(b *dkg.Tampering) { b.Flip(3) }}
	for _, err := range run(t, l, members) {
		require.ErrorIs(t, err, dkg.ErrMessage)
		require.ErrorContains(t, err, "ephemeral key: proof of possession")
	}
	require.Equal(t, dkg.PhaseActive, l.Phase())
	require.Equal(t, []dkg.Culprit{{Index: 2, Reason: dkg.ReasonNoBundle}}, l.Culprits())
	require.False(t, l.Spoke(3, dkg.KindDispute))
}

// Two dealers whose errors cancel: the sum of their deals is right, and as long as both
// take part nothing is lost, until one of them is removed too late for the other's
// victims.
func TestErrorsThatCancelAreFoundAll(t *testing.T) {
	l, parties := open(t, 7)
	members := speakers(parties)
	for dealer, off := range map[int]int64{1: 1, 4: -1} {
		members[dealer] = dkg.Liar{Party: parties[dealer], Tamper: func(b *dkg.Tampering) {
			b.WrongShare(3, off, 0)
			b.WrongShare(6, off, off)
			b.WrongShare(7, 0, off)
		}}
	}
	for _, err := range run(t, l, members) {
		require.ErrorIs(t, err, dkg.ErrDuplicate, "only a second accuser comes too late")
	}
	require.Equal(t, dkg.PhaseActive, l.Phase())
	require.Equal(t, []dkg.Culprit{{Index: 2, Reason: dkg.ReasonBadDeal}, {Index: 5, Reason: dkg.ReasonBadDeal}}, l.Culprits())
	for _, p := range parties {
		_, err := p.KeyShare(l)
		require.NoError(t, err)
	}
}

func TestBundlesThatTheLogRefuses(t *testing.T) {
	for name, tamper := range map[string]func(*dkg.Tampering, []*dkg.Party){
		"another dealer's ephemeral key, to have its deals opened by disputes": func(b *dkg.Tampering, p []*dkg.Party) { b.Ephemeral(b.EphemeralOf(p[2])) },
		"a key that cancels the others' keys":                                  func(b *dkg.Tampering, p []*dkg.Party) { b.Cancel([]*dkg.Party{p[0], p[2], p[3]}) },
		"one byte short":                                                       func(b *dkg.Tampering, _ []*dkg.Party) { b.Truncate(1) },
		"one byte more":                                                        func(b *dkg.Tampering, _ []*dkg.Party) { b.Append() },
		"a lower threshold":                                                    func(b *dkg.Tampering, _ []*dkg.Party) { b.Truncate(224) },
	} {
		t.Run(name, func(t *testing.T) {
			l, parties := open(t, 4)
			members := speakers(parties)
			members[1] = dkg.Liar{Party: parties[1], Tamper: func(b *dkg.Tampering) {
				tamper(b, parties)
			}}
			refused := run(t, l, members)
			require.NotEmpty(t, refused)
			for _, err := range refused {
				require.ErrorIs(t, err, dkg.ErrMessage)
			}
			require.Equal(t, dkg.PhaseActive, l.Phase())
			require.Equal(t, []dkg.Culprit{{Index: 2, Reason: dkg.ReasonNoBundle}}, l.Culprits())
		})
	}
}

func TestSilentMembers(t *testing.T) {
	for _, c := range []struct {
		name     string
		n        int
		silent   map[uint32]dkg.Phase
		phase    dkg.Phase
		culprits []dkg.Culprit
	}{
		{"one that never speaks", 4, map[uint32]dkg.Phase{2: dkg.PhaseCommit}, dkg.PhaseActive, []dkg.Culprit{{2, dkg.ReasonNoCommit}}},
		{"one that withholds its bundle", 4, map[uint32]dkg.Phase{2: dkg.PhaseBundle}, dkg.PhaseActive, []dkg.Culprit{{2, dkg.ReasonNoBundle}}},
		{"one that does not acknowledge", 4, map[uint32]dkg.Phase{2: dkg.PhaseDispute}, dkg.PhaseActive, []dkg.Culprit{{2, dkg.ReasonNoAck}}},
		{"two of four never speak", 4, map[uint32]dkg.Phase{2: dkg.PhaseCommit, 3: dkg.PhaseCommit}, dkg.PhaseAborted, []dkg.Culprit{{2, dkg.ReasonNoCommit}, {3, dkg.ReasonNoCommit}}},
		{"two of four withhold", 4, map[uint32]dkg.Phase{1: dkg.PhaseBundle, 4: dkg.PhaseBundle}, dkg.PhaseAborted, []dkg.Culprit{{1, dkg.ReasonNoBundle}, {4, dkg.ReasonNoBundle}}},
		{"two of four do not acknowledge", 4, map[uint32]dkg.Phase{1: dkg.PhaseAcknowledge, 4: dkg.PhaseAcknowledge}, dkg.PhaseAborted, []dkg.Culprit{{1, dkg.ReasonNoAck}, {4, dkg.ReasonNoAck}}},
		// t = 5, but six must acknowledge so that one may be lost later.
		{"two of seven do not acknowledge", 7, map[uint32]dkg.Phase{1: dkg.PhaseAcknowledge, 4: dkg.PhaseAcknowledge}, dkg.PhaseAborted, []dkg.Culprit{{1, dkg.ReasonNoAck}, {4, dkg.ReasonNoAck}}},
		{"the only one", 1, map[uint32]dkg.Phase{1: dkg.PhaseCommit}, dkg.PhaseAborted, []dkg.Culprit{{1, dkg.ReasonNoCommit}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, parties := open(t, c.n)
			members := speakers(parties)
			for i, from := range c.silent {
				members[i-1] = silent{members[i-1], from}
			}
			require.Empty(t, run(t, l, members))
			require.Equal(t, c.phase, l.Phase())
			require.Equal(t, c.culprits, l.Culprits())
			_, err := l.Committee()
			require.Equal(t, c.phase == dkg.PhaseActive, err == nil)
			require.False(t, l.EndBlock(1000), "an ended ceremony does not move")
			require.NoError(t, l.Audit())
		})
	}
}

func TestAMemberThatWasAwayReadsItsShareFromTheLogAndAcknowledgesLate(t *testing.T) {
	l, parties := open(t, 4)
	members := speakers(parties)
	members[2] = silent{members[2], dkg.PhaseCommit}
	require.Empty(t, run(t, l, members))
	c, err := l.Committee()
	require.NoError(t, err)
	require.Equal(t, 3, l.Acknowledged())

	late, err := dkg.NewParty(3, shamirtest.Seed(t.Name(), 1, 3))
	require.NoError(t, err)
	l = reread(t, l)
	messages, err := late.Step(500, l)
	require.NoError(t, err)
	require.Len(t, messages, 1)
	require.NoError(t, l.Apply(500, 3, messages[0]))
	require.Equal(t, 4, l.Acknowledged())
	require.Equal(t, []dkg.Culprit{{3, dkg.ReasonNoCommit}}, l.Culprits())
	s, err := late.KeyShare(l)
	require.NoError(t, err)
	require.NoError(t, s.VerifyAgainst(c))
	require.ErrorIs(t, l.Apply(501, 3, messages[0]), dkg.ErrDuplicate)
	require.NoError(t, l.Audit())
}

// at steps the ceremony until the phase begins and returns the height.
func at(t *testing.T, l *dkg.Log, members []speaker, phase dkg.Phase) uint64 {
	t.Helper()
	height := uint64(1)
	for ; l.Phase() != phase; height++ {
		require.Less(t, height, uint64(60))
		for _, m := range members {
			messages, err := m.Step(height, l)
			require.NoError(t, err)
			for _, msg := range messages {
				require.NoError(t, l.Apply(height, m.Speaks(msg.Kind), msg))
			}
		}
		l.EndBlock(height)
	}
	return height
}

func TestDisputesThatTheLogRefuses(t *testing.T) {
	l, parties := open(t, 4)
	members := speakers(parties)
	members[1] = dkg.Liar{Party: parties[1], Tamper: func(b *dkg.Tampering) { b.WrongShare(3, 1, 0) }}
	members[3] = silent{members[3], dkg.PhaseCommit}
	h := at(t, l, members, dkg.PhaseDispute)
	justified := dkg.Dispute(parties[2], l, 2, nil)

	before, err := l.MarshalBinary()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		from uint32
		m    dkg.Message
		want error
	}{
		"about an honest deal":              {3, dkg.Dispute(parties[2], l, 1, nil), dkg.ErrNoDispute},
		"with another key than d·E":         {3, dkg.Dispute(parties[2], l, 1, func(k kyber.Point) { k.Add(k, shamir.Ristretto255.Point().Base()) }), dkg.ErrMessage},
		"copied by a bystander":             {1, justified, dkg.ErrMessage},
		"by a bystander about its own deal": {1, dkg.Dispute(parties[0], l, 2, nil), dkg.ErrNoDispute},
		"about oneself":                     {2, justified, dkg.ErrMessage},
		"about a member that dealt nothing": {3, withDealer(justified, 4), dkg.ErrMessage},
		"about nobody":                      {3, withDealer(justified, 9), dkg.ErrMessage},
		"redirected at an honest dealer":    {3, withDealer(justified, 1), dkg.ErrMessage},
		"cut short":                         {3, dkg.Message{Kind: dkg.KindDispute, Body: justified.Body[:97]}, dkg.ErrMessage},
	} {
		require.ErrorIs(t, l.Apply(h, c.from, c.m), c.want, name)
		after, err := l.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, before, after, "%s: an error changes nothing", name)
	}
	require.NoError(t, l.Apply(h, 3, justified))
	require.ErrorIs(t, l.Apply(h, 3, justified), dkg.ErrDuplicate)
	require.True(t, l.Spoke(3, dkg.KindDispute))
}

func withDealer(m dkg.Message, dealer uint16) dkg.Message {
	b := slices.Clone(m.Body)
	b[0], b[1] = byte(dealer>>8), byte(dealer)
	return dkg.Message{Kind: m.Kind, Body: b}
}

func TestEquivocationIsImpossible(t *testing.T) {
	l, parties := open(t, 4)
	first, err := parties[0].Step(1, l)
	require.NoError(t, err)
	require.NoError(t, l.Apply(1, 1, first[0]))
	require.ErrorIs(t, l.Apply(1, 1, first[0]), dkg.ErrDuplicate)
	other := dkg.Message{Kind: dkg.KindCommit, Body: make([]byte, 32)}
	require.ErrorIs(t, l.Apply(1, 1, other), dkg.ErrDuplicate, "a second, different hash")
	for _, p := range parties[1:] {
		m, err := p.Step(1, l)
		require.NoError(t, err)
		require.NoError(t, l.Apply(1, p.Index(), m[0]))
	}
	require.True(t, l.EndBlock(1))
	require.Equal(t, dkg.PhaseBundle, l.Phase())

	two, err := parties[1].Step(2, l)
	require.NoError(t, err)
	require.ErrorIs(t, l.Apply(2, 1, two[0]), dkg.ErrMessage, "a bundle other than the committed one")

	// A party made anew from the same seed says the same; from another seed it
	// says nothing rather than something else.
	one, err := parties[0].Step(2, l)
	require.NoError(t, err)
	again, err := dkg.NewParty(1, shamirtest.Seed(t.Name(), 1, 1))
	require.NoError(t, err)
	twice, err := again.Step(2, reread(t, l))
	require.NoError(t, err)
	require.Equal(t, one, twice)
	require.NoError(t, l.Apply(2, 1, one[0]))
	require.ErrorIs(t, l.Apply(2, 1, one[0]), dkg.ErrDuplicate)
}

func TestAPartyWithAnotherSeedIsNotAMember(t *testing.T) {
	l, _ := open(t, 4)
	stranger, err := dkg.NewParty(1, [32]byte{1})
	require.NoError(t, err)
	_, err = stranger.Step(1, l)
	require.ErrorIs(t, err, dkg.ErrNotMember)
	_, err = stranger.KeyShare(l)
	require.ErrorIs(t, err, dkg.ErrNotMember)
	fifth, err := dkg.NewParty(5, [32]byte{1})
	require.NoError(t, err)
	_, err = fifth.Step(1, l)
	require.ErrorIs(t, err, dkg.ErrNotMember)
}

func TestMessagesOfAnotherCeremonyAreRefused(t *testing.T) {
	// The same members with the same seeds, one block later: another ceremony.
	l, parties := open(t, 4)
	other, err := dkg.NewLog(l.Params(), 2)
	require.NoError(t, err)
	at(t, l, speakers(parties), dkg.PhaseBundle)
	m, err := parties[0].Step(10, l)
	require.NoError(t, err)

	at(t, other, speakers(parties), dkg.PhaseBundle)
	require.ErrorIs(t, other.Apply(10, 1, m[0]), dkg.ErrMessage, "a replay on another chain")
	n, err := parties[0].Step(10, other)
	require.NoError(t, err)
	require.NotEqual(t, m, n, "a party never deals one polynomial twice")
}

func TestMessagesOutOfPhaseAreRefused(t *testing.T) {
	l, parties := open(t, 4)
	commit, err := parties[0].Step(1, l)
	require.NoError(t, err)
	require.ErrorIs(t, l.Apply(0, 1, commit[0]), dkg.ErrPhase, "before the first height")
	require.ErrorIs(t, l.Apply(1, 0, commit[0]), dkg.ErrNotMember)
	require.ErrorIs(t, l.Apply(1, 5, commit[0]), dkg.ErrNotMember)
	for kind := range dkg.Kind(7) {
		if kind != dkg.KindCommit {
			require.ErrorIs(t, l.Apply(1, 1, dkg.Message{Kind: kind}), dkg.ErrPhase, "%s", kind)
		}
	}
	require.ErrorIs(t, l.Apply(1, 1, dkg.Message{Kind: dkg.KindCommit, Body: make([]byte, 33)}), dkg.ErrMessage)
	require.ErrorIs(t, l.Apply(1, 1, dkg.Message{Kind: dkg.KindCommit, Body: make([]byte, 1<<20)}), dkg.ErrMessage)
	require.False(t, l.EndBlock(0))
}

func TestAcknowledgementsProveBothShares(t *testing.T) {
	l, parties := open(t, 4)
	h := at(t, l, speakers(parties), dkg.PhaseAcknowledge)
	mine, err := parties[0].Step(h, l)
	require.NoError(t, err)
	require.ErrorIs(t, l.Apply(h, 2, mine[0]), dkg.ErrMessage, "another member's")
	for _, i := range []int{0, 40, 64, 127} {
		b := slices.Clone(mine[0].Body)
		b[i] ^= 1
		require.ErrorIs(t, l.Apply(h, 1, dkg.Message{Kind: dkg.KindAck, Body: b}), dkg.ErrMessage, "byte %d", i)
	}
	require.NoError(t, l.Apply(h, 1, mine[0]))
}

func TestAuditFindsWhatWasChanged(t *testing.T) {
	l, parties := open(t, 4)
	members := speakers(parties)
	members[1] = dkg.Liar{Party: parties[1], Tamper: func(b *dkg.Tampering) { b.WrongShare(3, 1, 0) }}
	run(t, l, members)
	b, err := l.MarshalBinary()
	require.NoError(t, err)
	found := 0
	for i := 250; i < len(b); i += 97 { // after the parameters
		changed := slices.Clone(b)
		changed[i] ^= 1
		again, err := dkg.UnmarshalLog(changed)
		if err != nil {
			continue
		}
		require.Error(t, again.Audit(), "byte %d", i)
		found++
	}
	require.Greater(t, found, 10)
}

func TestParametersOutOfRangeAreErrors(t *testing.T) {
	l, _ := open(t, 4)
	for name, change := range map[string]func(*dkg.Params){
		"no member":          func(p *dkg.Params) { p.DealKeys = nil },
		"threshold 0":        func(p *dkg.Params) { p.Threshold = 0 },
		"threshold above n":  func(p *dkg.Params) { p.Threshold = 5 },
		"a phase of 0":       func(p *dkg.Params) { p.Deadlines.Dispute = 0 },
		"a key twice":        func(p *dkg.Params) { p.DealKeys[1] = p.DealKeys[0] },
		"a key that is none": func(p *dkg.Params) { p.DealKeys[1] = [32]byte{1} },
		"the identity":       func(p *dkg.Params) { p.DealKeys[1] = [32]byte{} },
		"too many members":   func(p *dkg.Params) { p.DealKeys = make([][32]byte, shamir.MaxMembers+1) },
	} {
		p := l.Params()
		change(&p)
		_, err := dkg.NewLog(p, 1)
		require.Error(t, err, name)
	}
	_, err := dkg.NewLog(l.Params(), 1<<63)
	require.ErrorIs(t, err, shamir.ErrSize)
	_, err = dkg.NewParty(0, [32]byte{})
	require.ErrorIs(t, err, dkg.ErrNotMember)
}

func TestAVictimThatDidNotDisputeHasNoShare(t *testing.T) {
	l, parties := open(t, 4)
	members := speakers(parties)
	members[1] = dkg.Liar{Party: parties[1], Tamper: func(b *dkg.Tampering) { b.WrongShare(3, 1, 0) }}
	members[2] = awayIn{members[2], dkg.PhaseDispute}
	require.Empty(t, run(t, l, members))
	require.Equal(t, dkg.PhaseActive, l.Phase(), "the others go on without it")
	require.Equal(t, []dkg.Culprit{{3, dkg.ReasonNoAck}}, l.Culprits())
	_, err := parties[2].KeyShare(l)
	require.ErrorIs(t, err, dkg.ErrShareLost)
	require.ErrorContains(t, err, "deal of member 2", "and knows whom it owes that")
	_, err = parties[2].Step(99, l)
	require.ErrorIs(t, err, dkg.ErrShareLost)
}

// awayIn does not speak in one phase.
type awayIn struct {
	speaker
	phase dkg.Phase
}

func (a awayIn) Step(height uint64, l *dkg.Log) ([]dkg.Message, error) {
	if l.Phase() == a.phase {
		return nil, nil
	}
	return a.speaker.Step(height, l)
}

func TestAPartyDoesNotSpeakAgainstItsOwnCommitment(t *testing.T) {
	l, parties := open(t, 4)
	for i, p := range parties {
		m, err := p.Step(1, l)
		require.NoError(t, err)
		if i == 0 { // somebody else posted a hash with the member's account
			m[0].Body = make([]byte, 32)
		}
		require.NoError(t, l.Apply(1, p.Index(), m[0]))
	}
	l.EndBlock(1)
	_, err := parties[0].Step(2, l)
	require.ErrorIs(t, err, dkg.ErrForeignCommit)
}

func TestWhatALogTells(t *testing.T) {
	l, parties := open(t, 4)
	require.EqualValues(t, 4, l.Deadline())
	require.False(t, l.Spoke(1, dkg.KindCommit))
	require.False(t, l.Spoke(0, dkg.KindCommit))
	require.False(t, l.Spoke(5, dkg.KindCommit))
	require.Nil(t, l.Qualified())
	h := at(t, l, speakers(parties), dkg.PhaseAcknowledge)
	require.Equal(t, h+3, l.Deadline())
	require.True(t, l.Spoke(1, dkg.KindCommit))
	require.True(t, l.Spoke(1, dkg.KindBundle))
	require.False(t, l.Spoke(1, dkg.KindDispute))
	require.False(t, l.Spoke(1, dkg.KindAck))
	require.False(t, l.Spoke(1, dkg.Kind(9)))
	require.Equal(t, []uint32{1, 2, 3, 4}, l.Qualified())
	candidate, err := l.Candidate()
	require.NoError(t, err)
	_, err = l.Committee()
	require.ErrorIs(t, err, dkg.ErrNotReady, "nobody has proved a share yet")
	at(t, l, speakers(parties), dkg.PhaseActive)
	c, err := l.Committee()
	require.NoError(t, err)
	require.Equal(t, candidate.Digest(), c.Digest())
	require.Zero(t, l.Deadline())

	p := l.Params()
	p.DealKeys[0] = [32]byte{}
	require.NotEqual(t, p.DealKeys[0], l.Params().DealKeys[0], "parameters are a copy")
	require.Equal(t, dkg.DealKey(shamirtest.Seed(t.Name(), 1, 1)), l.Params().DealKeys[0])
}

func TestPartiesRedactThemselves(t *testing.T) {
	seed := [32]byte{0x5e, 0xc2, 0xe7}
	p, err := dkg.NewParty(3, seed)
	require.NoError(t, err)
	j, err := json.Marshal(p)
	require.NoError(t, err)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("m", "party", p)
	text := fmt.Sprintf("%v %+v %#v %x %s %d %s %s", p, p, p, p, p, p, j, log.String())
	require.NotContains(t, text, "5ec2e7")
	require.NotContains(t, text, "94 194 231")
}

func TestNames(t *testing.T) {
	var names []string
	for i := range uint8(7) {
		names = append(names, fmt.Sprintf("%s, %s, %s", dkg.Phase(i), dkg.Kind(i), dkg.Reason(i)))
	}
	require.Equal(t, []string{
		"phase 0, kind 0, reason 0",
		"commit, commit, posted no commitment",
		"bundle, bundle, withheld its bundle",
		"dispute, dispute, dealt a wrong share",
		"acknowledge, acknowledgement, did not acknowledge",
		"active, kind 5, reason 5",
		"aborted, kind 6, reason 6",
	}, names)
}
