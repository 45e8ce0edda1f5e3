package shamir_test

import (
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"
)

func TestPossessionHoldsForItsStatementOnly(t *testing.T) {
	for _, g := range groups {
		t.Run(g.String(), func(t *testing.T) {
			x, ctx := scalar(t, g, "x"), []byte("context")
			public := g.Point().Mul(x, nil)
			proof, err := shamir.ProvePossession(seeded("nonce"), g, ctx, x)
			require.NoError(t, err)
			require.NoError(t, shamir.VerifyPossession(g, ctx, public, proof))

			require.ErrorIs(t, shamir.VerifyPossession(g, []byte("another context"), public, proof), shamir.ErrProof)
			require.ErrorIs(t, shamir.VerifyPossession(g, ctx, g.Point().Add(public, g.Point().Base()), proof), shamir.ErrProof)
			require.ErrorIs(t, shamir.VerifyPossession(g, ctx, g.Point().Null(), proof), shamir.ErrIdentity)
			for i := range proof {
				changed := proof
				changed[i] ^= 1
				require.Error(t, shamir.VerifyPossession(g, ctx, public, changed), "byte %d", i)
			}
		})
	}
}

func TestEqualityHoldsForItsStatementOnly(t *testing.T) {
	g := shamir.Ristretto255
	x, ctx := scalar(t, g, "x"), []byte("context")
	a, b := g.Point().Base(), g.Point().Mul(scalar(t, g, "b"), nil)
	xA, xB := g.Point().Mul(x, a), g.Point().Mul(x, b)
	proof, err := shamir.ProveEqual(seeded("nonce"), g, ctx, a, b, xA, xB, x)
	require.NoError(t, err)
	require.NoError(t, shamir.VerifyEqual(g, ctx, a, b, xA, xB, proof))

	other := g.Point().Mul(scalar(t, g, "other"), nil)
	require.ErrorIs(t, shamir.VerifyEqual(g, []byte("another"), a, b, xA, xB, proof), shamir.ErrProof)
	statement := []kyber.Point{a, b, xA, xB}
	for i := range statement {
		for want, p := range map[error]kyber.Point{shamir.ErrProof: other, shamir.ErrIdentity: g.Point().Null()} {
			s := append([]kyber.Point(nil), statement...)
			s[i] = p
			require.ErrorIs(t, shamir.VerifyEqual(g, ctx, s[0], s[1], s[2], s[3], proof), want, "point %d", i)
		}
	}
	for i := range proof {
		changed := proof
		changed[i] ^= 1
		require.Error(t, shamir.VerifyEqual(g, ctx, a, b, xA, xB, changed), "byte %d", i)
	}
}

// kyber's proof/dleq takes the prover's commitments and never recomputes the
// challenge, so two random scalars prove anything. Here the same forgery fails.
func TestForgedProofOfAFalseStatement(t *testing.T) {
	g := shamir.Ristretto255
	a, b := g.Point().Base(), g.Point().Mul(scalar(t, g, "b"), nil)
	xA, xB := g.Point().Mul(scalar(t, g, "one"), a), g.Point().Mul(scalar(t, g, "another"), b)
	for i := range 16 {
		var forged shamir.Proof
		copy(forged[:32], shamir.Encode(scalar(t, g, "challenge", i)))
		copy(forged[32:], shamir.Encode(scalar(t, g, "response", i)))
		require.ErrorIs(t, shamir.VerifyEqual(g, nil, a, b, xA, xB, forged), shamir.ErrProof)
	}
	// Nor does an honest run with either logarithm.
	for _, secret := range []string{"one", "another"} {
		proof, err := shamir.ProveEqual(seeded("n"), g, nil, a, b, xA, xB, scalar(t, g, secret))
		require.NoError(t, err)
		require.ErrorIs(t, shamir.VerifyEqual(g, nil, a, b, xA, xB, proof), shamir.ErrProof)
	}
}

func TestNoncesDoNotRestOnRandomness(t *testing.T) {
	g := shamir.Ristretto255
	x := scalar(t, g, "x")
	prove := func(ctx string, rand bool) shamir.Proof {
		var p shamir.Proof
		var err error
		if rand {
			p, err = shamir.ProvePossession(zeros{}, g, []byte(ctx), x)
		} else {
			p, err = shamir.ProvePossession(nil, g, []byte(ctx), x)
		}
		require.NoError(t, err)
		return p
	}
	require.Equal(t, prove("a", false), prove("a", false), "without randomness a proof is a function of its statement")
	// With randomness that repeats, two statements still use two nonces: else
	// z₁-z₂ = (c₁-c₂)·x would reveal x.
	p, q := prove("a", true), prove("b", true)
	dz, dc := g.Scalar(), g.Scalar()
	zp, _ := shamir.DecodeScalar(g, p[32:])
	zq, _ := shamir.DecodeScalar(g, q[32:])
	cp, _ := shamir.DecodeScalar(g, p[:32])
	cq, _ := shamir.DecodeScalar(g, q[:32])
	require.False(t, dz.Sub(zp, zq).Equal(dc.Mul(dc.Sub(cp, cq), x)))
}
