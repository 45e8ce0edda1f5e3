package member_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
)

func TestAHeartbeatProvesAShareToItsAsker(t *testing.T) {
	w := newWorld(t, 4, 51, calm)
	ask := func(q *peer, asker string, nonce [32]byte) []byte {
		answer, err := q.machine.Holder().Heartbeat(addressOf(asker), nonce)
		require.NoError(t, err)
		return answer
	}
	check := func(asker string, of uint32, nonce [32]byte, answer []byte) (err error) {
		w.view(w.leader, func(v curation.View) { err = member.VerifyHeartbeat(v, addressOf(asker), of, nonce, answer) })
		return err
	}
	one := [32]byte{1}
	require.Nil(t, w.members[0].machine.Holder(), "before the ceremony")
	w.found()
	a := ask(w.members[0], "member 2", one)
	require.NoError(t, check("member 2", 1, one, a))
	require.Error(t, check("member 2", 3, one, a), "of another member")
	require.Error(t, check("member 3", 1, one, a), "told to somebody else")
	require.Error(t, check("member 2", 1, [32]byte{2}, a), "said before")
	require.Error(t, check("member 2", 1, one, a[1:]))
	require.Error(t, check("member 2", 9, one, a), "of nobody")

	// Whoever lost its seed is there, and proves nothing.
	lost := w.members[2]
	lost.secrets.Seeds = map[uint64][32]byte{}
	w.start(lost)
	require.Nil(t, lost.machine.Holder())

	w.handOver(0)
	require.ErrorIs(t, check("member 2", 1, one, a), member.ErrEpoch, "the share of before")
	require.NoError(t, check("member 2", 1, one, ask(w.members[0], "member 2", one)))
	require.True(t, w.run(60, func() bool { return lost.machine.Ready() }), "the handover gave it a share again")
	require.NoError(t, check("member 1", 3, one, ask(lost, "member 1", one)))
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
