package seal_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"
	"pgregory.net/rapid"
)

// recoverX is what no honest program can do.
func recoverX(t *testing.T, m made) kyber.Scalar {
	var indices []uint32
	for _, s := range m.shares {
		indices = append(indices, s.Index())
	}
	weights, err := shamir.Lagrange(shamir.Ristretto255, indices)
	require.NoError(t, err)
	x := shamir.Ristretto255.Scalar().Zero()
	for i, s := range m.shares {
		sx, _ := s.Secrets(access.Token{})
		x.Add(x, weights[i].Mul(weights[i], sx))
	}
	return x
}

// orders are sealed orders of one round.
func orders(tb testing.TB, m made, count int) (seal.PublicLabel, []*seal.Ciphertext) {
	tb.Helper()
	label := seal.PublicLabel{Chain: h("chain"), Purpose: "order", ID: 7}
	var cts []*seal.Ciphertext
	for i := range count {
		cts = append(cts, encrypt(tb, m, label.Hash(), fmt.Sprintf("order %d", i)))
	}
	return label, cts
}

func openAll(tb testing.TB, m made, label seal.PublicLabel, cts []*seal.Ciphertext) [][]byte {
	tb.Helper()
	var out [][]byte
	for _, k := range m.shares {
		b, err := seal.OpenShare(seeded("open", k.Index()), k, m.committee, label, cts...)
		require.NoError(tb, err)
		require.Len(tb, b, seal.OpeningSize(len(cts)))
		out = append(out, b)
	}
	return out
}

func TestAnyQuorumOpensTheSameOrders(t *testing.T) {
	for _, n := range []int{1, 4, 7} {
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			m := committee(t, "a", 1, n)
			label, cts := orders(t, m, 5)
			shares := openAll(t, m, label, cts)
			for i, s := range shares {
				index, err := seal.VerifyOpen(m.committee, label, cts, s)
				require.NoError(t, err)
				require.EqualValues(t, i+1, index)
			}
			rapid.Check(t, func(r *rapid.T) {
				opened, culprits, err := seal.CombineOpen(m.committee, label, cts, rapid.Permutation(shares).Draw(r, "order"))
				require.NoError(r, err)
				require.Empty(r, culprits)
				for i, o := range opened {
					require.NoError(r, o.Err)
					require.Equal(r, fmt.Sprintf("order %d", i), string(o.Plaintext))
				}
			})
		})
	}
}

func TestOpeningNamesTheLiars(t *testing.T) {
	m := committee(t, "a", 1, 4)
	label, cts := orders(t, m, 3)
	shares := openAll(t, m, label, cts)
	for i := range shares[0] {
		changed := slices.Clone(shares[0])
		changed[i] ^= 1
		_, err := seal.VerifyOpen(m.committee, label, cts, changed)
		require.Error(t, err, "byte %d", i)
	}
	// Two wrong points whose errors cancel: the weights do not let them.
	cancel := slices.Clone(shares[0])
	g := shamir.Ristretto255
	for k, sign := range []int64{1, -1} {
		p, err := shamir.DecodePoint(g, cancel[2+32*k:34+32*k])
		require.NoError(t, err)
		p.Add(p, g.Point().Mul(g.Scalar().SetInt64(sign), nil))
		copy(cancel[2+32*k:], shamir.Encode(p))
	}
	_, err := seal.VerifyOpen(m.committee, label, cts, cancel)
	require.ErrorIs(t, err, shamir.ErrProof)

	opened, culprits, err := seal.CombineOpen(m.committee, label, cts, [][]byte{cancel, shares[1], nil, shares[2], shares[3]})
	require.NoError(t, err)
	require.Equal(t, []int{0, 2}, culprits)
	require.Len(t, opened, 3)
	_, culprits, err = seal.CombineOpen(m.committee, label, cts, [][]byte{cancel, shares[1], shares[1], shares[2]})
	require.ErrorIs(t, err, shamir.ErrThreshold)
	require.Equal(t, []int{0}, culprits)
}

func TestOpeningSharesAreForTheseOrdersOnly(t *testing.T) {
	m := committee(t, "a", 1, 4)
	label, cts := orders(t, m, 3)
	share := openAll(t, m, label, cts)[0]
	for name, check := range map[string]func() error{
		"fewer orders": func() error { _, err := seal.VerifyOpen(m.committee, label, cts[:2], share); return err },
		"no orders":    func() error { _, err := seal.VerifyOpen(m.committee, label, nil, share); return err },
		"another order": func() error {
			_, err := seal.VerifyOpen(m.committee, label, []*seal.Ciphertext{cts[1], cts[0], cts[2]}, share)
			return err
		},
		"another round": func() error {
			next := label
			next.ID++
			_, err := seal.VerifyOpen(m.committee, next, cts, share)
			return err
		},
		"a replay on another chain": func() error {
			next := label
			next.Chain = h("another chain")
			_, err := seal.VerifyOpen(m.committee, next, cts, share)
			return err
		},
		"a share from another epoch": func() error {
			_, err := seal.VerifyOpen(committee(t, "a", 2, 4).committee, label, cts, share)
			return err
		},
	} {
		require.Error(t, check(), name)
	}
	_, err := seal.OpenShare(seeded("x"), committee(t, "a", 2, 4).shares[0], m.committee, label, cts...)
	require.ErrorIs(t, err, shamir.ErrForeignShare, "a share from another epoch")
	_, err = seal.OpenShare(seeded("x"), committee(t, "another chain", 1, 4).shares[0], m.committee, label, cts...)
	require.ErrorIs(t, err, shamir.ErrForeignShare)
	_, err = seal.OpenShare(seeded("x"), m.shares[0], m.committee, label)
	require.ErrorIs(t, err, shamir.ErrSize)
}

// Slipping a model's ciphertext among the orders would have it opened for all.
func TestNothingButItsOwnLabelOpensPublicly(t *testing.T) {
	m := committee(t, "a", 1, 4)
	label, cts := orders(t, m, 2)
	model := encrypt(t, m, h("label"), "file key")
	_, err := seal.OpenShare(seeded("x"), m.shares[0], m.committee, label, cts[0], model)
	require.ErrorIs(t, err, seal.ErrCiphertext)
	_, _, err = seal.CombineOpen(m.committee, label, []*seal.Ciphertext{model}, nil)
	require.ErrorIs(t, err, seal.ErrCiphertext)
	// Nor with the model's U and a proof made anew for the label: that needs its r.
	stolen := append(model.Bytes()[:64:64], cts[0].Bytes()[64:]...)
	c, err := seal.ParseCiphertext(stolen)
	require.NoError(t, err)
	_, err = seal.OpenShare(seeded("x"), m.shares[0], m.committee, label, c)
	require.ErrorIs(t, err, seal.ErrCiphertext)
}

func BenchmarkOpen(b *testing.B) {
	m := committee(b, "bench", 1, 4)
	label, cts := orders(b, m, 64) // the orders of a busy round
	b.Run("share", func(b *testing.B) {
		for b.Loop() {
			if _, err := seal.OpenShare(nil, m.shares[0], m.committee, label, cts...); err != nil {
				b.Fatal(err)
			}
		}
	})
	shares := openAll(b, m, label, cts)
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			if _, err := seal.VerifyOpen(m.committee, label, cts, shares[0]); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("combine", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := seal.CombineOpen(m.committee, label, cts, shares); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func TestAnOrderThatItsSealerSpoiledFailsAlone(t *testing.T) {
	m := committee(t, "a", 1, 4)
	label, cts := orders(t, m, 3)
	garbage, err := seal.SealGarbage(seeded("garbage"), m.committee.X(), label.Hash(), make([]byte, 40))
	require.NoError(t, err)
	cts[1] = garbage
	opened, culprits, err := seal.CombineOpen(m.committee, label, cts, openAll(t, m, label, cts))
	require.NoError(t, err)
	require.Empty(t, culprits, "the members are not to blame")
	require.Equal(t, "order 0", string(opened[0].Plaintext))
	require.ErrorIs(t, opened[1].Err, seal.ErrUnreadable)
	require.Nil(t, opened[1].Plaintext)
	require.Equal(t, "order 2", string(opened[2].Plaintext))
}
