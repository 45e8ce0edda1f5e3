package quorum_test

import (
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/stretchr/testify/require"
)

func TestAHeartbeatAnswersOneQuestionOfOneAsker(t *testing.T) {
	m, other, later := committee(t, "a", 1, 7), committee(t, "b", 1, 7), committee(t, "a", 2, 7)
	q := quorum.Question{Chain: h("chain"), Asker: h("asker"), Nonce: h("nonce")}
	proof, err := quorum.Heartbeat(m.shares[2], m.committee, q)
	require.NoError(t, err)
	require.NoError(t, quorum.VerifyHeartbeat(m.committee, 3, q, proof))
	for name, c := range map[string]struct {
		committee *shamir.Committee
		seat      uint32
		change    func(*quorum.Question)
	}{
		"another seat":                         {m.committee, 4, func(*quorum.Question) {}},
		"no seat":                              {m.committee, 0, func(*quorum.Question) {}},
		"a seat beyond all":                    {m.committee, 8, func(*quorum.Question) {}},
		"another committee":                    {other.committee, 3, func(*quorum.Question) {}},
		"the epoch after":                      {later.committee, 3, func(*quorum.Question) {}},
		"another chain":                        {m.committee, 3, func(q *quorum.Question) { q.Chain[0]++ }},
		"an answer repeated":                   {m.committee, 3, func(q *quorum.Question) { q.Nonce[0]++ }},
		"an answer passed on to somebody else": {m.committee, 3, func(q *quorum.Question) { q.Asker[0]++ }},
	} {
		asked := q
		c.change(&asked)
		require.Error(t, quorum.VerifyHeartbeat(c.committee, c.seat, asked, proof), name)
	}
	_, err = quorum.Heartbeat(m.shares[2], later.committee, q)
	require.ErrorIs(t, err, quorum.ErrEpoch, "a share of before is no share of now")
}

// An acknowledgement, which stands on the ledger, is no heartbeat and the reverse.
func TestAHeartbeatIsNoOtherProof(t *testing.T) {
	m := committee(t, "a", 1, 4)
	q := quorum.Question{Chain: h("chain"), Asker: h("asker"), Nonce: h("nonce")}
	proof, err := quorum.Heartbeat(m.shares[0], m.committee, q)
	require.NoError(t, err)
	public, err := m.committee.XShare(1)
	require.NoError(t, err)
	for _, ctx := range [][]byte{nil, q.Nonce[:], []byte("ack")} {
		require.ErrorIs(t, shamir.VerifyPossession(shamir.Ristretto255, ctx, public, proof), shamir.ErrProof)
	}
	for i := range proof {
		bent := proof
		bent[i] ^= 1
		require.Error(t, quorum.VerifyHeartbeat(m.committee, 1, q, bent))
	}
}
