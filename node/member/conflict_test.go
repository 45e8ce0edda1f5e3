package member_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// shareOf is what a founder holds of the committee of epoch 1.
func (w *world) shareOf(q *peer) (key *shamir.KeyShare) {
	w.view(w.leader, func(v curation.View) {
		log, ok := v.CeremonyLogAt(1)
		require.True(w.t, ok)
		party, err := dkg.NewParty(q.index, q.secrets.Seeds[1])
		require.NoError(w.t, err)
		key, err = party.KeyShare(log)
		require.NoError(w.t, err)
	})
	return key
}

// approves is a member's approval of a statement that it has changed.
func (w *world) approves(key *shamir.KeyShare, s quorum.Statement, change func(*quorum.Statement)) quorum.Approval {
	change(&s)
	a, err := quorum.Approve(key, s)
	require.NoError(w.t, err)
	return a
}

func same(*quorum.Statement)    {}
func later(s *quorum.Statement) { s.Expiry++ }

// TestAMemberThatApprovesSomethingElseIsConvicted, whatever else it says: the others see
// it in its gossip and bring it by themselves.
func TestAMemberThatApprovesSomethingElseIsConvicted(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       int
		faults  faults
		crashes int
		says    func(honest, other quorum.Approval) []quorum.Approval
		seeds   int
	}{
		{"in the place of what the ledger says", 4, calm, 0, func(_, other quorum.Approval) []quorum.Approval { return []quorum.Approval{other} }, 1},
		{"beside what the ledger says", 4, calm, 0, func(honest, other quorum.Approval) []quorum.Approval { return []quorum.Approval{honest, other} }, 1},
		{"among some that are forged, in a storm", 4, storm, 0, func(_, other quorum.Approval) []quorum.Approval {
			all := []quorum.Approval{other}
			for i := range member.MaxConflicts - 2 { // more would hide it for a while, from those who count it as well
				forged := other
				forged.Statement.Expiry += uint64(i) + 7
				all = append(all, forged)
			}
			return all
		}, 2},
		{"in a storm, with another member crashing", 7, storm, 1, func(_, other quorum.Approval) []quorum.Approval { return []quorum.Approval{other} }, 1},
	} {
		for s := range c.seeds {
			seed := seedOf(fmt.Sprint("conflict", c.name, s))
			t.Run(fmt.Sprintf("%s/seed=%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, c.n, seed, c.faults)
				w.found()
				liar := w.members[c.n-1]
				key := w.shareOf(liar)
				w.submit(keyOf("vera"), curation.Send{To: addressOf(fmt.Sprintf("member %d", c.n)), Amount: curve.Credits(10)})
				liar.says = func(a quorum.Approval) []quorum.Approval { return c.says(a, w.approves(key, a.Statement, later)) }
				w.stumble(c.crashes)
				w.ask("red heart")
				require.True(t, w.run(200, func() bool { return len(w.convictions()) > 0 }), summary(w))
				w.becomes(liar, curation.StandingLeft)
				require.Len(t, w.convictions(), 1)
				found := w.convictions()[0]
				require.EqualValues(t, c.n, found.Member)
				require.Equal(t, curation.OffenceStatement, found.Offence)
				require.NotZero(t, found.Reporter)
				require.NotContains(t, w.seats(), uint32(c.n))
				w.ask("without it")
				w.finished(2)
			})
		}
	}
}

// TestWhenAnotherStatementIsSeen: before the ledger has the request, once it is
// certified, and once the keys have been handed over.
func TestWhenAnotherStatementIsSeen(t *testing.T) {
	t.Run("before the request", func(t *testing.T) {
		w := newWorld(t, 4, 81, calm)
		w.found()
		key := w.shareOf(w.members[3])
		w.ask("red heart")
		require.True(t, w.run(10, func() bool { return len(w.artworks()) == 1 }))
		s := curation.StatementFor(w.chain, w.artworks()[0].Opening)
		var late *peer
		for _, q := range w.members[:3] {
			if q.height < w.height {
				late = q
			}
		}
		require.NotNil(t, late, "somebody has yet to see the block")
		w.step(late, member.Approval(w.approves(key, s, same)))
		w.step(late, member.Approval(w.approves(key, s, later)))
		for range 3 { // there is room for two about one request
			w.step(late, member.Approval(w.approves(key, s, func(s *quorum.Statement) { s.Expiry += 5 })))
		}
		require.Empty(t, late.charges)
		require.True(t, w.run(60, func() bool { return len(w.convictions()) == 1 }))
		require.Equal(t, late.index, w.convictions()[0].Reporter)
		w.finished(1)
	})
	t.Run("after its certificate, and after the next handover", func(t *testing.T) {
		w := newWorld(t, 4, 82, calm)
		w.found()
		three, four := w.shareOf(w.members[2]), w.shareOf(w.members[3])
		w.ask("red heart")
		w.finished(1)
		s := curation.StatementFor(w.chain, w.artworks()[0].Opening)
		w.gossip(w.members[3], w.approves(four, s, later))
		require.True(t, w.run(60, func() bool { return len(w.convictions()) == 1 }))
		w.becomes(w.members[3], curation.StandingLeft)
		require.EqualValues(t, 2, w.epoch())
		w.gossip(w.members[2], w.approves(three, s, later))
		require.True(t, w.run(60, func() bool { return len(w.convictions()) == 2 }))
		require.EqualValues(t, 3, w.convictions()[0].Member)
	})
}

// TestNobodyIsConvictedByWhatOthersSay: by forged, foreign and repeated approvals, by
// those of another epoch, network or request, and by its own.
func TestNobodyIsConvictedByWhatOthersSay(t *testing.T) {
	w := newWorld(t, 4, 83, calm)
	w.found()
	key := w.shareOf(w.members[3])
	w.ask("red heart")
	w.ask("blue bird")
	require.True(t, w.run(10, func() bool { return len(w.artworks(curation.StatusRequested)) == 2 }))
	open := w.artworks()
	s, o := curation.StatementFor(w.chain, open[0].Opening), curation.StatementFor(w.chain, open[1].Opening)
	honest, other := w.approves(key, s, same), w.approves(key, s, later)
	as := func(seat uint32, a quorum.Approval) quorum.Approval { a.Member = seat; return a }
	with := func(a quorum.Approval, statement quorum.Statement) quorum.Approval {
		a.Statement = statement
		return a
	}
	changed := func(change func(*quorum.Statement)) quorum.Statement {
		s := other.Statement
		change(&s)
		return s
	}
	for _, a := range []quorum.Approval{
		honest, honest,
		as(2, other), as(9, other), as(1<<16-1, other), // a member's word about another
		with(honest, other.Statement), with(other, s), with(other, o), // a signature under another statement
		{Member: 2, Statement: other.Statement}, // no signature at all
		{Member: 2, Statement: other.Statement, Approve: quorum.Signature{0xc0}, Seed: quorum.Signature{0xc0}},
		w.approves(key, s, func(s *quorum.Statement) { s.Chain = curation.Hash{7} }),
		w.approves(key, s, func(s *quorum.Statement) { s.RID = curation.Hash{7} }),
		with(other, changed(func(s *quorum.Statement) { s.Epoch = 2 })),
		with(other, changed(func(s *quorum.Statement) { s.Epoch = 1 << 63 })),
	} {
		w.gossip(w.members[0], a)
	}
	for i := range 2000 { // of requests that there are none of, without end
		a := other
		a.Statement.RID = curation.Hash{1, byte(i >> 8), byte(i)}
		w.step(w.members[0], member.Approval(a))
	}
	// A member comes back and reads all that is open anew.
	w.crash(w.members[1])
	w.run(3, func() bool { return false })
	w.start(w.members[1])
	w.finished(2)
	require.Empty(t, w.convictions())
	for _, q := range w.members {
		require.Empty(t, q.charges)
	}
}

// TestAMemberLooksIntoAFewForgedApprovalsOnly: each costs a pairing.
func TestAMemberLooksIntoAFewForgedApprovalsOnly(t *testing.T) {
	w := newWorld(t, 4, 84, calm)
	w.found()
	key := w.shareOf(w.members[3])
	w.ask("red heart")
	require.True(t, w.run(20, func() bool {
		return len(w.artworks()) == 1 && w.members[0].height >= w.artworks()[0].Requested
	}))
	a := w.approves(key, curation.StatementFor(w.chain, w.artworks()[0].Opening), later)
	blamed := 0
	for i := range 1000 {
		forged := a
		forged.Statement.Expiry += uint64(i) + 1
		w.view(w.members[0].ledger, func(v curation.View) {
			for _, e := range w.members[0].machine.Step(v, member.Approval(forged)) {
				if _, ok := e.(member.Misbehaved); ok {
					blamed++
				}
			}
		})
	}
	require.Equal(t, member.MaxConflicts, blamed)
	w.step(w.members[0], member.Approval(a))
	require.Empty(t, w.members[0].charges, "not now")
	from := w.members[0].height + member.RetryBlocks
	require.True(t, w.run(20, func() bool { return w.members[0].height >= from }))
	w.step(w.members[0], member.Approval(a))
	require.Len(t, w.members[0].charges, 1)
	require.True(t, w.run(60, func() bool { return len(w.convictions()) == 1 }))
}

// TestEvidenceOutlivesItsReader: one reader alone has a wrong share, and crashes before
// anything of it has left.
func TestEvidenceOutlivesItsReader(t *testing.T) {
	w := newWorld(t, 4, 85, calm)
	w.found()
	liar := w.members[3]
	liar.wrong = bent
	held := func() (reader *peer) {
		for _, q := range w.members {
			if len(q.charges) > 0 {
				reader = q
			}
		}
		return reader
	}
	for _, q := range w.members {
		q.mute = func(p curation.Payload) bool { return p.Kind() == curation.KindEvidence }
	}
	for i := 0; i < 12 && held() == nil; i++ {
		w.ask(fmt.Sprintf("picture %d", i))
		w.run(25, func() bool { return held() != nil })
	}
	liar.wrong = nil
	reader := held()
	require.NotNil(t, reader)
	w.crash(reader)
	w.run(40, func() bool { return false })
	for _, q := range w.members {
		q.mute = nil
		if q != reader {
			q.charges = nil
			w.start(q)
		}
	}
	w.run(10, func() bool { return false })
	require.Empty(t, w.convictions(), "nobody else has it")
	w.start(reader)
	require.True(t, w.run(40, func() bool { return len(w.convictions()) == 1 }))
	require.Equal(t, reader.index, w.convictions()[0].Reporter)
	require.True(t, w.run(20, func() bool { return len(reader.charges) == 0 }), "it is dropped once the ledger has judged")
}
