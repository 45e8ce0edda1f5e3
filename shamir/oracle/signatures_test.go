package oracle

import (
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	circlbls "github.com/cloudflare/circl/sign/bls"
	gnarkbls "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/stretchr/testify/require"
	kyber3 "go.dedis.ch/kyber/v3"
	"go.dedis.ch/kyber/v4/pairing"
	"go.dedis.ch/kyber/v4/pairing/bls12381/circl"
	"go.dedis.ch/kyber/v4/pairing/bls12381/gnark"
	share4 "go.dedis.ch/kyber/v4/share"
	tbls4 "go.dedis.ch/kyber/v4/sign/tbls"
)

// basic is the ciphersuite that circl's and kyber's signatures in G1 have. Ours
// differ in this tag alone.
const basic = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"

var message = []byte("what two implementations sign")

func TestOneKeySignsAlike(t *testing.T) {
	y := scalar(t, shamir.G2, "y")
	public := shamir.G2.Point().Mul(y, nil)
	ours := shamir.Encode(shamir.G1.Point().Mul(y, shamir.HashToG1(basic, message)))

	t.Run("circl's own signatures", func(t *testing.T) {
		var key circlbls.PrivateKey[circlbls.KeyG2SigG1]
		require.NoError(t, key.UnmarshalBinary(shamir.Encode(y)))
		pub, err := key.PublicKey().MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, shamir.Encode(public), pub)
		require.Equal(t, ours, []byte(circlbls.Sign(&key, message)))
		require.True(t, circlbls.Verify(key.PublicKey(), message, ours))
	})
	for name, suite := range map[string]pairing.Suite{"kyber v4 on circl": circl.NewSuiteBLS12381(), "kyber v4 on gnark": gnark.NewSuiteBLS12381()} {
		t.Run(name, func(t *testing.T) {
			scheme := tbls4.NewThresholdSchemeOnG1(suite)
			s := suite.G2().Scalar()
			require.NoError(t, s.UnmarshalBinary(shamir.Encode(y)))
			sig, err := scheme.Sign(&share4.PriShare{I: 0, V: s}, message)
			require.NoError(t, err)
			require.Equal(t, ours, sig[2:])
			theirs := suite.G2().Point()
			require.NoError(t, theirs.UnmarshalBinary(shamir.Encode(public)))
			require.NoError(t, scheme.VerifyRecovered(theirs, message, ours))

			decoded, err := shamir.DecodePoint(shamir.G1, sig[2:])
			require.NoError(t, err)
			require.NoError(t, shamir.VerifyPairing(public, shamir.HashToG1(basic, message), decoded))
			require.ErrorIs(t, shamir.VerifyPairing(public, shamir.HashToG1(basic, []byte("another")), decoded), shamir.ErrProof)
		})
	}
}

// Shares of ours, signed with by kyber v4, recover on both sides to one signature.
func TestPartialsOfOneKeyRecoverAlike(t *testing.T) {
	suite := gnark.NewSuiteBLS12381()
	scheme := tbls4.NewThresholdSchemeOnG1(suite)
	for _, q := range quorums {
		y := scalar(t, shamir.G2, "y", q.n)
		shares, c, err := shamir.Split(seeded("split"), shamir.G2, y, q.t, q.n)
		require.NoError(t, err)
		commit := suite.G2().Point()
		require.NoError(t, commit.UnmarshalBinary(shamir.Encode(c.PublicKey())))
		var sigs [][]byte
		var indices []uint32
		var points []kyber3.Point
		for _, member := range q.members {
			s := suite.G2().Scalar()
			require.NoError(t, s.UnmarshalBinary(shamir.Encode(shares[member-1].Value())))
			sig, err := scheme.Sign(&share4.PriShare{I: uint32(member - 1), V: s}, message)
			require.NoError(t, err)
			p, err := shamir.DecodePoint(shamir.G1, sig[2:])
			require.NoError(t, err)
			require.NoError(t, shamir.VerifyPairing(c.Eval(uint32(member)), shamir.HashToG1(basic, message), p))
			sigs, indices, points = append(sigs, sig), append(indices, uint32(member)), append(points, p)
		}
		ours, err := shamir.Interpolate(shamir.G1, indices, points)
		require.NoError(t, err)
		require.NoError(t, scheme.VerifyRecovered(commit, message, shamir.Encode(ours)))
		require.Len(t, sigs, q.t)
	}
}

// A certificate and a seed of a committee verify under gnark's pairing and hash to the
// curve, with nothing of ours but the bytes.
func TestCertificatesVerifyUnderGnark(t *testing.T) {
	committee, shares, err := shamirtest.Run("oracle", 1, 4)
	require.NoError(t, err)
	s := quorum.Statement{Chain: shamir.Hash("chain"), Epoch: 1, RID: shamir.Hash("rid"), Expiry: 9}
	var approvals, seeds []quorum.Partial
	for _, k := range shares[1:] {
		p, err := quorum.SignApproval(k, s)
		require.NoError(t, err)
		approvals, seeds = append(approvals, p), append(seeds, quorum.SignSeed(k, s.Chain, s.RID))
	}
	cert, culprits, err := quorum.RecoverCertificate(committee, s, approvals)
	require.NoError(t, err)
	require.Empty(t, culprits)
	seedSig, _, err := quorum.RecoverSeed(committee, s.Chain, s.RID, seeds)
	require.NoError(t, err)

	y := committee.Y()
	for _, c := range []struct {
		dst string
		msg []byte
		sig quorum.Signature
	}{
		{quorum.CertificateDST, s.Bytes(), cert.Signature()},
		{quorum.SeedDST, append(s.Chain[:], s.RID[:]...), seedSig},
	} {
		require.True(t, gnarkVerifies(t, y[:], c.dst, c.msg, c.sig))
		require.False(t, gnarkVerifies(t, y[:], c.dst, append(c.msg, 0), c.sig), "another message")
		require.False(t, gnarkVerifies(t, y[:], basic, c.msg, c.sig), "another purpose")
	}
}

func gnarkVerifies(t *testing.T, public []byte, dst string, msg []byte, sig quorum.Signature) bool {
	t.Helper()
	var y gnarkbls.G2Affine
	_, err := y.SetBytes(public)
	require.NoError(t, err)
	var sigma gnarkbls.G1Affine
	_, err = sigma.SetBytes(sig[:])
	require.NoError(t, err)
	h, err := gnarkbls.HashToG1(msg, []byte(dst))
	require.NoError(t, err)
	_, _, _, g2 := gnarkbls.Generators()
	h.Neg(&h)
	ok, err := gnarkbls.PairingCheck([]gnarkbls.G1Affine{h, sigma}, []gnarkbls.G2Affine{y, g2})
	require.NoError(t, err)
	return ok
}
