package curation

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// shareOfGuardians is a member's share as the guardians who dealt it compute it between
// them from their seeds and shares.
func (w *world) shareOfGuardians(member uint32) *shamir.KeyShare {
	w.t.Helper()
	epoch, threshold := w.committee().Epoch(), w.committee().T()
	log, ok := logAt(w, epoch)
	require.True(w.t, ok)
	dealers, id := log.Qualified(), log.ID()
	sum := func(g shamir.Group, name string, from int) kyber.Scalar {
		weights, err := shamir.Lagrange(g, dealers)
		require.NoError(w.t, err)
		sum := g.Scalar().Zero()
		for k, dealer := range dealers {
			own, err := w.guardianShare(dealer).MarshalBinary()
			require.NoError(w.t, err)
			constant, err := shamir.DecodeScalar(g, own[from:from+32])
			require.NoError(w.t, err)
			seed, coefficients := guardianSeed(1, dealer), []kyber.Scalar{constant}
			for i := 1; i < threshold; i++ {
				coefficients = append(coefficients, shamir.HashScalar(g, "dealer/"+name, seed[:], id[:], shamir.Uint64(uint64(dealer)), shamir.Uint64(uint64(i))))
			}
			p, err := shamir.NewPolynomial(g, coefficients)
			require.NoError(w.t, err)
			v := p.Share(member).Value()
			sum.Add(sum, v.Mul(v, weights[k]))
		}
		return sum
	}
	share, err := shamir.NewKeyShare(member, epoch, sum(shamir.Ristretto255, "x", 13), sum(shamir.G2, "y", 45))
	require.NoError(w.t, err)
	require.NoError(w.t, share.VerifyAgainst(w.committee()))
	return share
}

// As many guardians as act for all know the shares that they dealt, and can sign with
// them. That convicts nobody; once members have handed over, signatures are theirs again.
func TestGuardiansCannotFrameAMemberWithTheShareThatTheyDealt(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	w.shared(1, 2, 3)
	w.refreshed()
	w.must("g1", Recover{})
	w.must("g2", Recover{})
	for !view(w, View.RecoveryDue) {
		w.block()
	}
	w.recovered(1, 2, 3)
	for i := uint32(1); i <= 3; i++ {
		w.must(memberName(i), w.refillFrom(i))
	}
	approval := func(share *shamir.KeyShare) Evidence {
		s := StatementFor(w.chain, w.artwork(w.requested("alice", "any")).Opening)
		s.Expiry++
		p, err := quorum.SignApproval(share, s)
		require.NoError(t, err)
		return Evidence{Member: 4, Approval: &SignedStatement{Statement: s.Bytes(), Partial: p.Bytes()}}
	}
	r := w.act("m1", approval(w.shareOfGuardians(4)))
	require.Equal(t, CodeProof, r.Code)
	require.Contains(t, r.Log, "guardians dealt the shares")

	w.wait(int(w.replicas[0].genesis.Params.DKGRetryBlocks))
	w.refreshed()
	for i := uint32(1); i <= 3; i++ {
		w.must(memberName(i), w.refillFrom(i))
	}
	require.Equal(t, CodeOK, w.act("m1", approval(w.shareOf(4))).Code)
}
