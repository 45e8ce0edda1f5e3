package dkg_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
)

// TestASecondSharingLeavesTheFirstInPlace: to its own epoch a committee deals its keys
// to others, and keeps its shares; those others can deal them back later.
func TestASecondSharingLeavesTheFirstInPlace(t *testing.T) {
	before, shares, err := shamirtest.Run("members", 3, 4)
	require.NoError(t, err)
	deal := func(from *dkg.Committee, by []*dkg.KeyShare, epoch uint64, n, threshold int) (*dkg.Committee, []*dkg.KeyShare) {
		p := dkg.Params{Epoch: epoch, Threshold: threshold, Previous: from, Deadlines: dkg.Deadlines{Commit: 3, Bundle: 3, Dispute: 3, Acknowledge: 3},
			Session: dkg.Session([32]byte{7}, epoch, from.Digest(), uint64(n))}
		seed := func(i int) [32]byte { return shamir.Hash("test receiver", fmt.Append(nil, epoch, n, i)) }
		var receivers, parties []*dkg.Party
		for i := range n {
			p.DealKeys = append(p.DealKeys, dkg.DealKey(seed(i)))
			party, err := dkg.NewHandoverParty(nil, uint32(i+1), seed(i))
			require.NoError(t, err)
			receivers = append(receivers, party)
		}
		for _, s := range by {
			party, err := dkg.NewHandoverParty(s, 0, shamir.Hash("test dealer", fmt.Append(nil, epoch, n, s.Index())))
			require.NoError(t, err)
			parties = append(parties, party)
		}
		l, err := dkg.NewLog(p, 1)
		require.NoError(t, err)
		require.NoError(t, shamirtest.Finish(l, append(parties, receivers...)))
		require.NoError(t, l.Audit())
		c, err := l.Committee()
		require.NoError(t, err)
		var made []*dkg.KeyShare
		for _, r := range receivers {
			share, err := r.KeyShare(l)
			require.NoError(t, err)
			require.NoError(t, share.VerifyAgainst(c))
			made = append(made, share)
		}
		return c, made
	}
	guardians, theirs := deal(before, shares, 3, 3, 2)
	require.Equal(t, before.X(), guardians.X())
	require.Equal(t, before.Y(), guardians.Y())
	require.NotEqual(t, before.Digest(), guardians.Digest())
	for i, s := range shares {
		require.NoError(t, s.VerifyAgainst(before))
		require.ErrorIs(t, s.VerifyAgainst(guardians), shamir.ErrForeignShare, "share %d", i)
	}
	again, _ := deal(guardians, theirs, 4, 4, 3)
	require.Equal(t, before.X(), again.X())
	require.Equal(t, before.Y(), again.Y())
	_, err = dkg.NewLog(dkg.Params{Epoch: 2, Threshold: 1, Previous: before, DealKeys: [][32]byte{dkg.DealKey([32]byte{1})},
		Deadlines: dkg.Deadlines{Commit: 1, Bundle: 1, Dispute: 1, Acknowledge: 1}}, 1)
	require.ErrorIs(t, err, shamir.ErrSize, "nobody deals to an epoch before its own")
}
