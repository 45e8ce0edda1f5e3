package shamir_test

import (
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/stretchr/testify/require"
)

// primitives adds known answers of what the protocols are made of.
func primitives(t *testing.T, add func(name string, b []byte, from ...any)) {
	t.Helper()
	add("HashToG1 of a certificate", shamir.Encode(shamir.HashToG1(quorum.CertificateDST, []byte("x"))), "dst", quorum.CertificateDST, "message", []byte("x"))
	add("HashToG1 of a seed", shamir.Encode(shamir.HashToG1(quorum.SeedDST, []byte("x"))), "dst", quorum.SeedDST, "message", []byte("x"))
	ctx := []byte("context")
	for _, g := range []shamir.Group{shamir.Ristretto255, shamir.G2} {
		s := shamir.HashScalar(g, "vector", []byte("secret"))
		public := g.Point().Mul(s, nil)
		proof, err := shamir.ProvePossession(nil, g, ctx, s)
		require.NoError(t, err)
		require.NoError(t, shamir.VerifyPossession(g, ctx, public, proof))
		add("proof of possession, "+g.String(), proof[:], "group", g.String(), "context", ctx, "secret", shamir.Encode(s), "public", shamir.Encode(public))
	}
	g := shamir.Ristretto255
	s, b := shamir.HashScalar(g, "vector", []byte("secret")), shamir.HashPoint("gbar")
	sg, sb := g.Point().Mul(s, nil), g.Point().Mul(s, b)
	proof, err := shamir.ProveEqual(nil, g, ctx, g.Point().Base(), b, sg, sb, s)
	require.NoError(t, err)
	require.NoError(t, shamir.VerifyEqual(g, ctx, g.Point().Base(), b, sg, sb, proof))
	add("proof of equal logarithms", proof[:], "group", g.String(), "context", ctx, "secret", shamir.Encode(s),
		"a", shamir.Encode(g.Point().Base()), "b", shamir.Encode(b), "secret a", shamir.Encode(sg), "secret b", shamir.Encode(sb))
	for _, g := range []shamir.Group{shamir.Ristretto255, shamir.G2} {
		weights, err := shamir.Lagrange(g, []uint32{1, 3, 4})
		require.NoError(t, err)
		var all []byte
		for _, w := range weights {
			all = append(all, shamir.Encode(w)...)
		}
		add("Lagrange weights of 1, 3, 4, "+g.String(), all, "group", g.String(), "indices", []int{1, 3, 4})
	}
}

// formCase is bytes of a form that a reader refuses, and why.
type formCase struct {
	Name string   `json:"name"`
	Form string   `json:"form"`
	Hex  hexBytes `json:"hex"`
}

// TestRefusedForms pins what no reader may take. The first six of ristretto255 are
// of RFC 9496, appendix A.3.
func TestRefusedForms(t *testing.T) {
	var out []formCase
	refuse := func(form, name string, b []byte) {
		require.Error(t, decode(form, b), "%s: %s", form, name)
		out = append(out, formCase{name, form, b})
	}
	text := func(s string) []byte {
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		return b
	}
	p, _ := new(big.Int).SetString("1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16)
	q, _ := new(big.Int).SetString("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001", 16)

	refuse("ristretto255 point", "the coordinate is not below the prime", text("00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"))
	refuse("ristretto255 point", "the coordinate is the prime", text("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"))
	refuse("ristretto255 point", "the coordinate is negative", text("0100000000000000000000000000000000000000000000000000000000000000"))
	refuse("ristretto255 point", "x squared is no square", text("26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371"))
	refuse("ristretto255 point", "the product of the coordinates is negative", text("3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e"))
	refuse("ristretto255 point", "y is zero", text("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"))
	refuse("ristretto255 point", "the identity", make([]byte, 32))
	refuse("ristretto255 point", "31 bytes", shamir.Encode(shamir.Ristretto255.Point().Base())[:31])
	refuse("ristretto255 point", "33 bytes", append(shamir.Encode(shamir.Ristretto255.Point().Base()), 0))
	refuse("ristretto255 scalar", "the order", text("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"))
	refuse("ristretto255 scalar", "33 bytes", make([]byte, 33))
	refuse("bls12381 scalar", "the order", q.Bytes())
	refuse("bls12381 scalar", "31 bytes", make([]byte, 31))

	for _, c := range []struct {
		form string
		g    shamir.Group
	}{{"bls12381-g1 point", shamir.G1}, {"bls12381-g2 point", shamir.G2}} {
		base := shamir.Encode(c.g.Point().Base())
		n := len(base)
		refuse(c.form, "the identity", flagged(make([]byte, n), 0xc0))
		refuse(c.form, "the identity with a sign", flagged(make([]byte, n), 0xe0))
		refuse(c.form, "the identity with a coordinate", flagged(slices.Clone(base), 0x40))
		refuse(c.form, "a byte is missing", base[:n-1])
		refuse(c.form, "a byte more", append(slices.Clone(base), 0))
		refuse(c.form, "the flag of the compressed form is missing", append([]byte{base[0] & 0x1f}, base[1:]...))
		refuse(c.form, "a coordinate that is not below the prime", overflowing(t, c.g, p))
	}
	refuse("bls12381-g1 point", "on the curve, of order 3", flagged(make([]byte, 48), 0x80))
	refuse("bls12381-g1 point", "not on the curve", flagged(append(make([]byte, 47), 1), 0x80))
	refuse("bls12381-g2 point", "on the curve, not in the subgroup", flagged(append(make([]byte, 95), 2), 0x80))
	refuse("bls12381-g2 point, uncompressed", "the identity", flagged(make([]byte, 192), 0x40))
	refuse("bls12381-g2 point, uncompressed", "compressed", shamir.Encode(shamir.G2.Point().Base()))
	refuse("bls12381-g2 point, uncompressed", "not on the curve", append(make([]byte, 191), 1))
	golden(t, "testdata/refused.json", out)
}

func flagged(b []byte, set byte) []byte { b[0] |= set; return b }

// overflowing is a point whose first coordinate has the prime added to it, which
// still fits: the first multiple of the generator that leaves room.
func overflowing(t *testing.T, g shamir.Group, p *big.Int) []byte {
	t.Helper()
	limit := new(big.Int).Lsh(big.NewInt(1), 381)
	for q := g.Point().Base(); ; q = q.Add(q, g.Point().Base()) {
		b := shamir.Encode(q)
		x := new(big.Int).SetBytes(append([]byte{b[0] & 0x1f}, b[1:48]...))
		if x.Add(x, p).Cmp(limit) < 0 {
			flags := b[0] & 0xe0
			x.FillBytes(b[:48])
			b[0] |= flags
			return b
		}
	}
}

func decode(form string, b []byte) error {
	var err error
	switch form {
	case "ristretto255 point":
		_, err = shamir.DecodePoint(shamir.Ristretto255, b)
	case "ristretto255 scalar":
		_, err = shamir.DecodeScalar(shamir.Ristretto255, b)
	case "bls12381 scalar":
		_, err = shamir.DecodeScalar(shamir.G2, b)
	case "bls12381-g1 point":
		_, err = shamir.DecodePoint(shamir.G1, b)
	case "bls12381-g2 point":
		_, err = shamir.DecodePoint(shamir.G2, b)
	case "bls12381-g2 point, uncompressed":
		_, err = shamir.DecodeCommitment(shamir.G2, 1, b)
	}
	return err
}
