package dkg_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

func TestAProofOfADealKeyHoldsForItsOwnerOnly(t *testing.T) {
	seed, chain := [32]byte{1}, [32]byte{2}
	key := dkg.DealKey(seed)
	proof, err := dkg.ProveDealKey(seed, chain, 2, 3)
	require.NoError(t, err)
	require.NoError(t, dkg.VerifyDealKey(key, chain, 2, 3, proof))
	for name, err := range map[string]error{
		"another member":  dkg.VerifyDealKey(key, chain, 2, 4, proof),
		"another epoch":   dkg.VerifyDealKey(key, chain, 3, 3, proof),
		"another network": dkg.VerifyDealKey(key, [32]byte{9}, 2, 3, proof),
		"another key":     dkg.VerifyDealKey(dkg.DealKey([32]byte{9}), chain, 2, 3, proof),
		"another proof":   dkg.VerifyDealKey(key, chain, 2, 3, shamir.Proof{1}),
	} {
		require.ErrorIs(t, err, shamir.ErrProof, name)
	}
	require.Error(t, dkg.VerifyDealKey([32]byte{1}, chain, 2, 3, proof), "no point")
	require.Error(t, dkg.VerifyDealKey([32]byte{}, chain, 2, 3, proof), "the identity")
}
