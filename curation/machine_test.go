package curation

import (
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

func cidOf(data []byte) string {
	mh, err := multihash.Sum(data, multihash.SHA2_256, -1)
	if err != nil {
		panic(err)
	}
	return cid.NewCidV1(cid.Raw, mh).String()
}

func TestARoundGoesFromRequestToPublication(t *testing.T) {
	w := ready(t)
	c := curve.Credits
	r1, r2, r3 := w.candidate("alice", "a lighthouse"), w.candidate("bob", "a harbour"), w.candidate("carol", "a heron")
	round, running := func() (Round, bool) {
		var r Round
		var ok bool
		_ = w.replicas[0].View(func(v View) error { r, ok = v.RunningRound(); return nil })
		return r, ok
	}()
	require.True(t, running, "three candidates open a round")
	require.Equal(t, []Hash{r1, r2, r3}, round.Candidates)

	w.must("alice", w.backing("alice", 1, r2, c(50), c(50), Amount{}))
	w.must("bob", w.backing("bob", 1, r1, c(40), c(30), Amount{}))
	w.must("dave", w.backing("dave", 1, r1, c(30), c(30), Amount{}))
	for w.height < round.BackUntil {
		w.block()
	}
	for i := uint32(1); i <= 3; i++ {
		w.must(memberName(i), w.opening(i, 1))
	}
	settled := view(w, func(v View) Round { r, _ := v.Round(1); return r })
	require.Equal(t, RoundSettled, settled.Phase)
	require.Equal(t, []Hash{r1, r2}, settled.Published)
	require.Equal(t, StatusDeclined, w.artwork(r3).Status)

	held := view(w, func(v View) []Holding { return v.Holdings(addressOf("dave")) })
	require.Len(t, held, 1)
	before := view(w, func(v View) Amount { return v.Account(addressOf("dave")).Balance })
	w.must("dave", Sell{RID: r1, Tokens: held[0].Tokens})
	after := view(w, func(v View) Account { return v.Account(addressOf("dave")) })
	require.True(t, before.Less(after.Balance))
	require.Empty(t, view(w, func(v View) []Holding { return v.Holdings(addressOf("dave")) }))
	require.True(t, after.Locked.IsZero())
}
