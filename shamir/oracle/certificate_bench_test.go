//go:build unix

package oracle

import (
	"fmt"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/stretchr/testify/require"
	pairing3 "go.dedis.ch/kyber/v3/pairing"
	share3 "go.dedis.ch/kyber/v3/share"
	bls3 "go.dedis.ch/kyber/v3/sign/bls"
	tbls3 "go.dedis.ch/kyber/v3/sign/tbls"
	"go.dedis.ch/kyber/v4/pairing"
	"go.dedis.ch/kyber/v4/pairing/bls12381/circl"
	"go.dedis.ch/kyber/v4/pairing/bls12381/gnark"
	share4 "go.dedis.ch/kyber/v4/share"
	tbls4 "go.dedis.ch/kyber/v4/sign/tbls"
)

// BenchmarkCertificate is a threshold BLS signature: a member's partial, any t
// partials to a signature of which each partial was checked or the whole was, and a
// check of the whole.
func BenchmarkCertificate(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			w, err := newWorld(n)
			require.NoError(b, err)
			msg, t := w.statement.Bytes(), w.committee.T()
			partial := []contender{quick(ours, func() error { _, err := quorum.SignApproval(w.shares[0], w.statement); return err })}
			recover := []contender{quick(ours, func() error {
				_, _, err := quorum.RecoverCertificate(w.committee, w.statement, w.partials)
				return err
			})}
			verify := []contender{quick(ours, func() error {
				_, err := quorum.Verify(w.committee, w.statement, w.cert.Signature())
				return err
			})}

			{
				suite := pairing3.NewSuiteBn256()
				secret := share3.NewPriPoly(suite.G2(), t, nil, suite.RandomStream())
				public := secret.Commit(nil)
				sign := func(i int) ([]byte, error) { return tbls3.Sign(suite, secret.Eval(i), msg) }
				sigs := several(b, t, sign)
				sig, err := bls3.Sign(suite, secret.Secret(), msg)
				require.NoError(b, err)
				first := secret.Eval(0)
				partial = append(partial, quick("v3 bn256", func() error { _, err := tbls3.Sign(suite, first, msg); return err }))
				recover = append(recover, quick("v3 bn256", func() error { _, err := tbls3.Recover(suite, public, msg, sigs, t, n); return err }))
				verify = append(verify, quick("v3 bn256", func() error { return bls3.Verify(suite, public.Commit(), msg, sig) }))
			}
			for name, suite := range map[string]pairing.Suite{"v4 circl": circl.NewSuiteBLS12381(), "v4 gnark": gnark.NewSuiteBLS12381()} {
				scheme := tbls4.NewThresholdSchemeOnG1(suite)
				secret := share4.NewPriPoly(suite.G2(), uint32(t), nil, suite.RandomStream())
				public := secret.Commit(nil)
				sigs := several(b, t, func(i int) ([]byte, error) { return scheme.Sign(secret.Eval(uint32(i)), msg) })
				sig, err := scheme.Sign(&share4.PriShare{I: 0, V: secret.Secret()}, msg)
				require.NoError(b, err)
				first := secret.Eval(0)
				partial = append(partial, quick(name, func() error { _, err := scheme.Sign(first, msg); return err }))
				recover = append(recover, quick(name, func() error { _, err := scheme.Recover(public, msg, sigs, uint32(t), uint32(n)); return err }))
				verify = append(verify, quick(name, func() error { return scheme.VerifyRecovered(public.Commit(), msg, sig[2:]) }))
			}
			require.Equal(b, shamir.Threshold(n), t)
			compare(b, "certificate, one partial", n, partial...)
			compare(b, "certificate, recover", n, recover...)
			compare(b, "certificate, verify", n, verify...)
		})
	}
}

// several makes one thing of each of the first t members.
func several(b *testing.B, t int, one func(i int) ([]byte, error)) (out [][]byte) {
	b.Helper()
	for i := range t {
		v, err := one(i)
		require.NoError(b, err)
		out = append(out, v)
	}
	return out
}
