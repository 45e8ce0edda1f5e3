package member_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

func TestAHeartbeatProvesAShareToItsAsker(t *testing.T) {
	w := newWorld(t, 4, 51, calm)
	ask := func(q *peer, from curation.Address, nonce [32]byte) (answer member.Answer) {
		w.view(q.ledger, func(v curation.View) {
			effects := q.machine.Step(v, member.HeartbeatAsked{Ticket: 7, From: from, Nonce: nonce})
			require.Len(t, effects, 1)
			answer = effects[0].(member.Answer)
			require.EqualValues(t, 7, answer.Ticket)
		})
		return answer
	}
	check := func(asker string, of uint32, nonce [32]byte, answer []byte) (err error) {
		w.view(w.leader, func(v curation.View) { err = member.VerifyHeartbeat(v, addressOf(asker), of, nonce, answer) })
		return err
	}
	one := [32]byte{1}
	require.ErrorIs(t, ask(w.members[0], addressOf("member 2"), one).Err, member.ErrNoShare, "before the ceremony")
	w.found()
	a := ask(w.members[0], addressOf("member 2"), one)
	require.NoError(t, a.Err)
	require.NoError(t, check("member 2", 1, one, a.Share))
	require.Error(t, check("member 2", 3, one, a.Share), "of another member")
	require.Error(t, check("member 3", 1, one, a.Share), "told to somebody else")
	require.Error(t, check("member 2", 1, [32]byte{2}, a.Share), "said before")
	require.Error(t, check("member 2", 1, one, a.Share[1:]))
	require.Error(t, check("member 2", 9, one, a.Share), "of nobody")

	// Whoever lost its seed answers, and proves nothing.
	lost := w.members[2]
	lost.secrets.Seeds = map[uint64][32]byte{}
	w.start(lost)
	require.ErrorIs(t, ask(lost, addressOf("member 1"), one).Err, member.ErrNoShare)

	w.handOver(0)
	require.ErrorIs(t, check("member 2", 1, one, a.Share), member.ErrEpoch, "the share of before")
	require.NoError(t, check("member 2", 1, one, ask(w.members[0], addressOf("member 2"), one).Share))
	require.True(t, w.run(60, func() bool { return lost.machine.Ready() }), "the handover gave it a share again")
	require.NoError(t, ask(lost, addressOf("member 1"), one).Err)
}

func FuzzVerifyHeartbeat(f *testing.F) {
	w := newWorld(f, 1, 52, calm)
	w.found()
	f.Add(make([]byte, member.HeartbeatSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		require.NoError(t, w.leader.View(func(v curation.View) error {
			require.Error(t, member.VerifyHeartbeat(v, addressOf("member 1"), 1, [32]byte{1}, b))
			return nil
		}))
	})
}
