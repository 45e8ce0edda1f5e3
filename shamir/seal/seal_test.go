package seal_test

import (
	"crypto/rand"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

func TestSmoke(t *testing.T) {
	for _, n := range []int{1, 4, 7} {
		c, shares, err := shamirtest.Run("smoke", 1, n)
		require.NoError(t, err)
		for _, s := range shares {
			require.NoError(t, s.VerifyAgainst(c))
		}
		label := shamir.Hash("label", []byte("m"))
		ct, err := seal.Encrypt(rand.Reader, c.X(), label, []byte("file key"))
		require.NoError(t, err)
		ct, err = seal.ParseCiphertext(ct.Bytes())
		require.NoError(t, err)
		rho, R, err := seal.NewReader(rand.Reader)
		require.NoError(t, err)
		pk := quorum.Prekeys{{Member: 1, Key: R}}
		st := quorum.Statement{Epoch: 1, Label: label, U: ct.U(), Prekeys: pk.Digest(), Expiry: 50}
		ta := quorum.NewTally(c, 10)
		require.Empty(t, ta.Step(1, quorum.Open{Statement: st}))
		var cert quorum.VerifiedCertificate
		for _, s := range shares {
			a, err := quorum.Approve(s, st)
			require.NoError(t, err)
			for _, e := range ta.Step(2, quorum.Received{Approval: a}) {
				cert = e.(quorum.Certified).Certificate
			}
		}
		require.True(t, cert.Valid())
		reader := seal.Reader{Member: 1, Role: seal.Generator, Prekeys: pk}
		var out [][]byte
		for _, s := range shares {
			b, err := seal.ReleaseShare(rand.Reader, s, c, ct, cert, reader)
			require.NoError(t, err)
			out = append(out, b)
		}
		plain, bad, err := seal.CombineRelease(rho, c, ct, cert, reader, out)
		require.NoError(t, err)
		require.Empty(t, bad)
		require.Equal(t, "file key", string(plain))

		pl := seal.PublicLabel{Purpose: "order", ID: 1}
		var cts []*seal.Ciphertext
		for i := range 5 {
			ct, err := seal.Encrypt(rand.Reader, c.X(), pl.Hash(), []byte{byte(i)})
			require.NoError(t, err)
			cts = append(cts, ct)
		}
		out = nil
		for _, s := range shares {
			b, err := seal.OpenShare(rand.Reader, s, c, pl, cts...)
			require.NoError(t, err)
			out = append(out, b)
		}
		op, bad, err := seal.CombineOpen(c, pl, cts, out)
		require.NoError(t, err)
		require.Empty(t, bad)
		for i := range op {
			require.Equal(t, []byte{byte(i)}, op[i].Plaintext)
		}
	}
}
