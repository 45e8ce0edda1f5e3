package seal_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/seal"
)

func TestPublishedSharesOpenForEverybody(t *testing.T) {
	m := committee(t, "published", 1, 4)
	ct := encrypt(t, m, h("label"), "file key")
	var indices []uint32
	var shares [][32]byte
	for _, k := range m.shares[1:] {
		s, err := seal.PublishShare(k, m.committee)
		require.NoError(t, err)
		require.NoError(t, seal.VerifyPublished(m.committee, k.Index(), s))
		indices, shares = append(indices, k.Index()), append(shares, s)
	}
	secret, err := seal.CombinePublished(m.committee, indices, shares)
	require.NoError(t, err)
	x := m.committee.X()
	plain, err := seal.OpenPublished(secret, x, seal.NewLayers(h("label"), ct))
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("file key")}, plain)

	_, err = seal.OpenPublished(secret, x, seal.NewLayers(h("another label"), ct))
	require.ErrorIs(t, err, seal.ErrCiphertext)
	_, err = seal.OpenPublished([32]byte{1}, x, seal.NewLayers(h("label"), ct))
	require.ErrorIs(t, err, shamir.ErrProof)
	_, err = seal.OpenPublished(secret, x, seal.Layers{})
	require.ErrorIs(t, err, seal.ErrLayers)
	of, _, keys := wrapped(t, m, 2)
	plain, err = seal.OpenPublished(secret, x, of)
	require.NoError(t, err)
	require.Equal(t, keys, plain)
	garbage, err := seal.SealGarbage(seeded("garbage"), x, seal.LayerLabel(h("own"), of.Label(), of.U()), make([]byte, 32))
	require.NoError(t, err)
	_, err = seal.OpenPublished(secret, x, of.Around(h("own"), garbage))
	var named *seal.LayerError
	require.ErrorAs(t, err, &named)
	require.Equal(t, 3, named.Layer)
	_, err = seal.CombinePublished(m.committee, indices[:2], shares[:2])
	require.ErrorIs(t, err, shamir.ErrThreshold)
	_, err = seal.CombinePublished(m.committee, []uint32{2, 2, 3}, shares)
	require.Error(t, err, "one share twice")
	var culprit *shamir.ShareError
	_, err = seal.CombinePublished(m.committee, []uint32{1, 3, 4}, shares)
	require.ErrorAs(t, err, &culprit)
	require.EqualValues(t, 1, culprit.Index)
	require.ErrorIs(t, seal.VerifyPublished(m.committee, 5, shares[0]), shamir.ErrSize)
	require.ErrorAs(t, seal.VerifyPublished(m.committee, 2, [32]byte{31: 0xff}), &culprit, "not a scalar in its one form")
	other := committee(t, "another", 1, 4)
	_, err = seal.PublishShare(other.shares[0], m.committee)
	require.ErrorIs(t, err, shamir.ErrForeignShare)
}

func FuzzPublishedShare(f *testing.F) {
	m := committee(f, "fuzz", 1, 4)
	good, err := seal.PublishShare(m.shares[0], m.committee)
	require.NoError(f, err)
	f.Add(uint32(1), good[:])
	f.Add(uint32(0), make([]byte, 32))
	f.Fuzz(func(t *testing.T, index uint32, b []byte) {
		var share [32]byte
		copy(share[:], b)
		if seal.VerifyPublished(m.committee, index, share) == nil {
			require.EqualValues(t, 1, index)
			require.Equal(t, good, share)
		}
	})
}
