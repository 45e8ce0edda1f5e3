package member_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// resigned is an answer with another share, signed by the member that gives it.
func (w *world) resigned(q *peer, rid curation.Hash, role seal.Role, reader uint32, share []byte) (answer []byte) {
	w.view(q.ledger, func(v curation.View) {
		a, ok := v.Artwork(rid)
		require.True(w.t, ok)
		context := quorum.Context(curation.StatementFor(w.chain, a.Opening), quorum.Signature(a.Certificate))
		signature := curation.SignRelease(q.key, context, role, reader, share)
		answer = append(signature[:], share...)
	})
	return answer
}

// bent is a share that is wrong in one bit of its proof.
func bent(share []byte) []byte {
	share = bytes.Clone(share)
	share[len(share)-33] ^= 1
	return share
}

func (w *world) convictions() (c []curation.Conviction) {
	w.view(w.leader, func(v curation.View) { c = v.Convictions() })
	return c
}

// TestALiarIsConvictedAndHandedOut has one member release wrong shares: every request
// still ends well, the reader's evidence convicts the liar, and the keys are handed over
// to the others.
func TestALiarIsConvictedAndHandedOut(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       int
		faults  faults
		crashes int
		wrong   func([]byte) []byte
		seeds   int
	}{
		{"a proof with a wrong bit, calm", 4, calm, 0, bent, 1},
		{"nothing, under a good signature", 4, calm, 0, func([]byte) []byte { return nil }, 1},
		{"a proof with a wrong bit, in a storm", 4, storm, 0, bent, 2},
		{"a proof with a wrong bit, and another member crashing", 7, storm, 1, bent, 2},
	} {
		for s := range c.seeds {
			seed := seedOf(fmt.Sprint("liar", c.name, s))
			t.Run(fmt.Sprintf("%s/seed=%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, c.n, seed, c.faults)
				w.found()
				liar := w.members[c.n-1]
				w.submit(keyOf("vera"), curation.Send{To: addressOf(fmt.Sprintf("member %d", c.n)), Amount: curve.Credits(10)})
				liar.wrong = c.wrong
				w.stumble(c.crashes)
				asked := 0
				for ; asked < 12 && len(w.convictions()) == 0; asked++ { // some come from the liar itself, which asks nobody it does not trust
					w.ask(fmt.Sprintf("picture %d", asked))
					w.run(25, func() bool { return len(w.convictions()) > 0 })
				}
				w.becomes(liar, curation.StandingLeft)
				convictions := w.convictions()
				require.Len(t, convictions, 1)
				require.EqualValues(t, c.n, convictions[0].Member)
				require.Equal(t, curation.OffenceShare, convictions[0].Offence)
				require.NotZero(t, convictions[0].Reporter)
				require.NotContains(t, w.seats(), uint32(c.n))
				require.NotContains(t, w.powers(), uint32(c.n))
				w.ask("without the liar")
				w.finished(asked + 1)
			})
		}
	}
}

// TestAnAnswerWithoutASignatureProvesNothing: whoever carries an answer can spoil it,
// so a bad signature is nobody's fault, and the member is asked again.
func TestAnAnswerWithoutASignatureProvesNothing(t *testing.T) {
	w := newWorld(t, 4, 41, calm)
	w.found()
	spoilt := 0
	w.spoil = func(answer []byte) []byte {
		if spoilt++; spoilt > 12 {
			return answer
		}
		switch spoilt % 3 {
		case 0:
			return nil
		case 1:
			return bent(answer)
		}
		return append(bytes.Repeat([]byte{7}, 64), answer[64:]...)
	}
	w.ask("red heart")
	w.finished(1)
	require.Greater(t, spoilt, 12)
	require.Empty(t, w.convictions())
	notes := 0
	for _, q := range w.members {
		for _, n := range q.notes {
			if n == "a released share is not signed by its member" {
				notes++
			}
		}
	}
	require.NotZero(t, notes)
}

// TestASecondMessageInThePoolConvicts: one pool has the first commit of a member, the
// others the second under the same nonce; whoever has the one that did not get onto the
// ledger brings it.
func TestASecondMessageInThePoolConvicts(t *testing.T) {
	w := newWorld(t, 4, 42, calm)
	forged, err := curation.Sign(w.members[3].key, w.chain, curation.Body{Nonce: 0, ValidUntil: 50,
		Payload: curation.CeremonyMessage{Epoch: 1, Message: uint8(dkg.KindCommit), Data: make([]byte, 32)}})
	require.NoError(t, err)
	for _, q := range w.members[:2] {
		require.Equal(t, curation.CodeOK, q.ledger.Check(forged).Code)
	}
	w.found()
	require.True(t, w.run(100, func() bool { return len(w.convictions()) == 1 }))
	c := w.convictions()[0]
	require.EqualValues(t, 4, c.Member)
	require.Equal(t, curation.OffenceCeremony, c.Offence)
	require.Contains(t, []uint32{1, 2}, c.Reporter)
	w.becomes(w.members[3], curation.StandingLeft)
	w.ask("red heart")
	w.finished(1)
}

// TestAReaderIsAnsweredTheSameAndNotWithoutEnd.
func TestAReaderIsAnsweredTheSameAndNotWithoutEnd(t *testing.T) {
	w := newWorld(t, 4, 43, calm)
	w.found()
	w.crash(w.members[3])
	w.ask("red heart")
	require.True(t, w.run(60, func() bool { return len(w.artworks(curation.StatusApproved)) == 1 }))
	a := w.artworks()[0]
	q := w.members[0]
	require.True(t, w.run(10, func() bool { return q.height >= a.Approved }))
	w.start(q) // whatever it has answered so far
	reader := addressOf(fmt.Sprintf("member %d", a.Order[0]))
	ask := func(role seal.Role) (answer []byte, err error) {
		w.asked(q, reader, a.RID, role, func(b []byte, e error) { answer, err = b, e })
		return answer, err
	}
	first, err := ask(seal.Generator)
	require.NoError(t, err)
	for range member.MaxAnswers - 1 {
		again, err := ask(seal.Generator)
		require.NoError(t, err)
		require.Equal(t, first, again, "to the byte")
	}
	_, err = ask(seal.Generator)
	require.ErrorIs(t, err, member.ErrAnswered)
	journalled := len(q.journal)
	for range member.MaxAsks - member.MaxAnswers - 1 {
		_, err = ask(seal.Auditor)
		require.Error(t, err)
		require.NotErrorIs(t, err, member.ErrBusy)
	}
	_, err = ask(seal.Auditor)
	require.ErrorIs(t, err, member.ErrBusy)
	require.ErrorContains(t, err, fmt.Sprintf("ask again from height %d on", q.height+member.AskSpan))
	require.Len(t, q.journal, journalled, "what is refused is not journalled")
	other := addressOf(fmt.Sprintf("member %d", a.Order[1]))
	w.asked(q, other, a.RID, seal.Generator, func(_ []byte, e error) { err = e })
	require.ErrorIs(t, err, member.ErrNotDrawn, "the limit is each member's own")
	from := q.height + member.AskSpan
	require.True(t, w.run(20, func() bool { return q.height >= from }))
	_, err = ask(seal.Auditor)
	require.NotErrorIs(t, err, member.ErrBusy)

	// A restart makes the share anew, once; the reader takes either.
	w.start(q)
	if again, err := ask(seal.Generator); err == nil {
		require.NotEqual(t, first, again)
		same, err := ask(seal.Generator)
		require.NoError(t, err)
		require.Equal(t, again, same)
	}
	require.Empty(t, w.failed)
}

// TestWhoLeavesDealsWithTheSeedItReceivedUnder: a member that missed a handover holds
// its share under its first deal key. When it leaves, what it deals must come from that
// seed: from no seed at all, every receiver could compute its share.
func TestWhoLeavesDealsWithTheSeedItReceivedUnder(t *testing.T) {
	w := newWorld(t, 4, 44, calm)
	w.found()
	w.crash(w.members[3])
	w.handOver(0)
	w.start(w.members[3])
	require.True(t, w.run(100, func() bool { return w.proven() == 4 }))
	require.NotContains(t, w.members[3].secrets.Seeds, uint64(2))
	w.submit(w.members[3].key, curation.Leave{})
	w.becomes(w.members[3], curation.StandingLeft)
	var log *dkg.Log
	w.view(w.leader, func(v curation.View) { log, _ = v.CeremonyLogAt(3) })
	require.NotNil(t, log.Said(4, dkg.KindBundle))
	var share, zero *dkg.Party
	w.view(w.leader, func(v curation.View) {
		before, ok := v.CeremonyLogAt(2)
		require.True(t, ok)
		received, err := dkg.NewHandoverParty(nil, 4, w.members[3].secrets.Seeds[1])
		require.NoError(t, err)
		key, err := received.KeyShare(before)
		require.NoError(t, err)
		share, err = dkg.NewHandoverParty(key, 0, w.members[3].secrets.Seeds[1])
		require.NoError(t, err)
		zero, err = dkg.NewHandoverParty(key, 0, [32]byte{})
		require.NoError(t, err)
	})
	require.Equal(t, log.Said(4, dkg.KindCommit), w.committed(log, share))
	require.NotEqual(t, log.Said(4, dkg.KindCommit), w.committed(log, zero))
}

// committed is what a party commits to in the ceremony of a log.
func (w *world) committed(log *dkg.Log, p *dkg.Party) []byte {
	w.t.Helper()
	start := uint64(0)
	for h := uint64(1); h <= w.height; h++ {
		fresh, err := dkg.NewLog(log.Params(), h)
		require.NoError(w.t, err)
		if fresh.ID() == log.ID() {
			messages, err := p.Step(h, fresh)
			require.NoError(w.t, err)
			require.Len(w.t, messages, 1)
			return slices.Clone(messages[0].Body)
		}
	}
	require.NotZero(w.t, start, "the ceremony began at no height so far")
	return nil
}
