package dkg_test

import (
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

// transcript is a ceremony of two with every message, and the logs between them.
func transcript(tb testing.TB) (logs [][]byte, bodies map[dkg.Kind][]byte) {
	l, parties, err := shamirtest.Open("fuzz", 1, 2, shamir.Threshold(2))
	require.NoError(tb, err)
	bodies = map[dkg.Kind][]byte{dkg.KindDispute: make([]byte, 98)}
	for height := uint64(1); l.Phase() < dkg.PhaseActive; height++ {
		for _, p := range parties {
			messages, err := p.Step(height, l)
			require.NoError(tb, err)
			for _, m := range messages {
				bodies[m.Kind] = m.Body
				require.NoError(tb, l.Apply(height, p.Index(), m))
			}
		}
		b, err := l.MarshalBinary()
		require.NoError(tb, err)
		logs = append(logs, b)
		l.EndBlock(height)
	}
	b, err := l.MarshalBinary()
	require.NoError(tb, err)
	return append(logs, b), bodies
}

// handedOver is the log of a handover from two to two, of whom one stays.
func handedOver(tb testing.TB) []byte {
	committee, shares, err := shamirtest.Run("fuzz", 1, 2)
	require.NoError(tb, err)
	l, parties, err := shamirtest.OpenHandover("fuzz", committee, shares, 2, 1)
	require.NoError(tb, err)
	require.NoError(tb, shamirtest.Finish(l, parties))
	b, err := l.MarshalBinary()
	require.NoError(tb, err)
	return b
}

func FuzzUnmarshalLog(f *testing.F) {
	logs, _ := transcript(f)
	for _, b := range append(logs, handedOver(f)) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := dkg.UnmarshalLog(b)
		if err != nil {
			return
		}
		again, err := l.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, b, again, "read from a second form")
		// Whatever the log holds, going on with it does not panic.
		_ = l.Audit()
		_ = l.Culprits()
		one, err := dkg.NewParty(1, shamirtest.Seed("fuzz", 1, 1))
		require.NoError(t, err)
		joins, err := dkg.NewHandoverParty(nil, 2, shamirtest.Seed("fuzz", 2, 2))
		require.NoError(t, err)
		for _, p := range []*dkg.Party{one, joins} {
			_, _ = p.Step(l.Deadline(), l)
			_, _ = p.KeyShare(l)
		}
		l.EndBlock(l.Deadline())
	})
}

func FuzzApply(f *testing.F) {
	logs, bodies := transcript(f)
	for i := range logs {
		for kind, body := range bodies {
			f.Add(uint8(i), uint8(kind), uint32(1), body)
		}
	}
	f.Fuzz(func(t *testing.T, which, kind uint8, from uint32, body []byte) {
		before := logs[int(which)%len(logs)]
		l, err := dkg.UnmarshalLog(before)
		require.NoError(t, err)
		if l.Apply(l.Deadline(), from, dkg.Message{Kind: dkg.Kind(kind), Body: body}) != nil {
			after, err := l.MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, before, after, "an error changes nothing")
		}
	})
}
