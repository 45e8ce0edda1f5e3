package storage

import (
	"testing"

	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

// A receipt proves, to whoever holds the committee's key, one approval and no
// other: each field of the statement counts.
func TestCheckQuorum(t *testing.T) {
	const epoch = 1
	committee, shares, err := shamirtest.Run("receipt", epoch, 4)
	require.NoError(t, err)
	strangers, _, err := shamirtest.Run("strangers", epoch, 4)
	require.NoError(t, err)
	r := receipt(t)
	var approvals, seeds []quorum.Partial
	for _, k := range shares {
		p, err := quorum.SignApproval(k, r.Statement())
		require.NoError(t, err)
		approvals = append(approvals, p)
		seeds = append(seeds, quorum.SignSeed(k, r.Chain, r.RequestID))
	}
	cert, _, err := quorum.RecoverCertificate(committee, r.Statement(), approvals)
	require.NoError(t, err)
	r.Certificate = cert.Signature()
	r.SeedSignature, _, err = quorum.RecoverSeed(committee, r.Chain, r.RequestID, seeds)
	require.NoError(t, err)
	r.Seed, err = quorum.Seed(r.SeedSignature, r.RequestID)
	require.NoError(t, err)
	require.NoError(t, r.CheckQuorum(committee))
	require.ErrorIs(t, r.CheckQuorum(strangers), quorum.ErrCertificate)

	for name, change := range map[string]func(*Receipt){
		"another chain":           func(r *Receipt) { r.Chain[0]++ },
		"another request":         func(r *Receipt) { r.RequestID[0]++ },
		"another prompt":          func(r *Receipt) { r.Body = []byte("another") },
		"another model":           func(r *Receipt) { r.Model[0]++ },
		"another label":           func(r *Receipt) { r.Label[0]++ },
		"another ciphertext":      func(r *Receipt) { r.U[0]++ },
		"other readers":           func(r *Receipt) { r.Readers = r.Readers[1:] },
		"another key epoch":       func(r *Receipt) { r.KeyEpoch++ },
		"another committee epoch": func(r *Receipt) { r.CommitteeEpoch++ },
		"a later expiry":          func(r *Receipt) { r.ExpiryHeight++ },
		"another certificate":     func(r *Receipt) { r.Certificate = r.SeedSignature },
		"another seed signature":  func(r *Receipt) { r.SeedSignature = r.Certificate },
		"another seed":            func(r *Receipt) { r.Seed[0]++ },
	} {
		t.Run(name, func(t *testing.T) {
			changed := r
			change(&changed)
			require.Error(t, changed.CheckQuorum(committee))
		})
	}
}
