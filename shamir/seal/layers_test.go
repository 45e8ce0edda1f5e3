package seal_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// wrapped is a model with so many layers around it, as rotations leave it: the
// ciphertexts from the inside out, and what is sealed in each.
func wrapped(tb testing.TB, m made, around int) (of seal.Layers, cts []*seal.Ciphertext, keys [][]byte) {
	tb.Helper()
	add := func(label [32]byte) *seal.Ciphertext {
		keys = append(keys, fmt.Appendf(nil, "key %d", len(keys)))
		ct := encrypt(tb, m, label, string(keys[len(keys)-1]))
		cts = append(cts, ct)
		return ct
	}
	of = seal.NewLayers(h("label"), add(h("label")))
	for i := range around {
		own := h(fmt.Sprint("own ", i+1))
		of = of.Around(own, add(seal.LayerLabel(own, of.Label(), of.U())))
	}
	return of, cts, keys
}

// through is a certified request for a model with layers.
func through(tb testing.TB, m made, of seal.Layers, ct *seal.Ciphertext) request {
	tb.Helper()
	r := newRequest(tb, m, ct, "request")
	s := r.cert.Statement()
	s.Label, s.U = of.Label(), of.U()
	r.cert = certify(tb, m, s)
	return r
}

func (r request) releaseOf(tb testing.TB, of seal.Layers) [][]byte {
	tb.Helper()
	var out [][]byte
	for _, k := range r.shares {
		b, err := seal.ReleaseShare(seeded("through", k.Index()), k, r.committee, of, r.cert, r.reader)
		require.NoError(tb, err)
		require.Len(tb, b, seal.ReleaseSize(of.Len()))
		out = append(out, b)
	}
	return out
}

func (r request) combineOf(of seal.Layers, shares [][]byte) ([][]byte, []int, error) {
	return seal.CombineRelease(r.secrets[r.reader.Member], r.committee, of, r.cert, r.reader, shares)
}

func TestOneReleaseOpensEveryLayer(t *testing.T) {
	m := committee(t, "a", 1, 4)
	for _, around := range []int{0, 1, seal.MaxLayers - 1} {
		t.Run(fmt.Sprintf("%d layers around the model", around), func(t *testing.T) {
			of, cts, keys := wrapped(t, m, around)
			require.Equal(t, around+1, of.Len())
			r := through(t, m, of, cts[around])
			shares := r.releaseOf(t, of)
			for i, s := range shares {
				index, err := seal.VerifyRelease(m.committee, of, r.cert, r.reader, s)
				require.NoError(t, err)
				require.EqualValues(t, i+1, index)
			}
			rapid.Check(t, func(q *rapid.T) {
				order := rapid.Permutation(shares).Draw(q, "order")[:m.committee.T()]
				plain, culprits, err := r.combineOf(of, order)
				require.NoError(q, err)
				require.Empty(q, culprits)
				require.Equal(q, keys, plain)
				_, _, err = r.combineOf(of, order[1:])
				require.ErrorIs(q, err, shamir.ErrThreshold)
			})
		})
	}
	require.Equal(t, seal.MaxRelease, seal.ReleaseSize(seal.MaxLayers))
}

// A share is for exactly the layers that the certified label and U bind.
func TestAShareIsForTheLayersThatAreCertified(t *testing.T) {
	m := committee(t, "a", 1, 4)
	of, cts, _ := wrapped(t, m, 2)
	r := through(t, m, of, cts[2])
	shares := r.releaseOf(t, of)
	refused := func(t *testing.T, of seal.Layers) {
		t.Helper()
		b, err := seal.ReleaseShare(seeded("ask"), m.shares[0], m.committee, of, r.cert, r.reader)
		require.ErrorIs(t, err, seal.ErrRelease)
		require.Nil(t, b, "a refused member says nothing")
		_, err = seal.VerifyRelease(m.committee, of, r.cert, r.reader, shares[0])
		require.ErrorIs(t, err, seal.ErrRelease)
		_, _, err = r.combineOf(of, shares)
		require.ErrorIs(t, err, seal.ErrRelease)
	}
	one, two := h("own 1"), h("own 2")
	base := seal.NewLayers(h("label"), cts[0])
	foreign := encrypt(t, m, h("label"), "another model's key")
	inner := base.Around(one, cts[1])
	for name, other := range map[string]seal.Layers{
		"no layer at all":                       {},
		"the outermost left out":                inner,
		"the inner one left out":                base.Around(two, cts[2]),
		"the model's own ciphertext left out":   seal.NewLayers(inner.Label(), cts[1]).Around(one, cts[2]),
		"two layers in another order":           base.Around(two, cts[2]).Around(one, cts[1]),
		"another model beneath":                 seal.NewLayers(h("label"), foreign).Around(one, cts[1]).Around(two, cts[2]),
		"another label beneath":                 seal.NewLayers(h("another"), cts[0]).Around(one, cts[1]).Around(two, cts[2]),
		"another model's ciphertext as a layer": base.Around(one, foreign).Around(two, cts[2]),
		"a layer for something else":            base.Around(h("else"), cts[1]).Around(two, cts[2]),
		"a layer more":                          of.Around(h("own 3"), cts[2]),
		"a layer twice":                         inner.Around(one, cts[1]).Around(two, cts[2]),
	} {
		t.Run(name, func(t *testing.T) { refused(t, other) })
	}

	// Suppose that t members certify such a thing: the proofs of the ciphertexts still
	// hold for the chain alone in which each was made.
	for name, other := range map[string]seal.Layers{
		"the inner one left out":                base.Around(two, cts[2]),
		"another model beneath":                 seal.NewLayers(h("label"), foreign).Around(one, cts[1]).Around(two, cts[2]),
		"another model's ciphertext as a layer": base.Around(one, foreign),
		"the model's own ciphertext as a layer": base.Around(one, cts[0]),
	} {
		t.Run(name+", certified", func(t *testing.T) {
			s := r.cert.Statement()
			s.Label, s.U = other.Label(), other.U()
			_, err := seal.ReleaseShare(seeded("ask"), m.shares[0], m.committee, other, certify(t, m, s), r.reader)
			require.ErrorIs(t, err, seal.ErrCiphertext)
			require.ErrorIs(t, err, seal.ErrRelease)
		})
	}
	t.Run("more layers than there may be", func(t *testing.T) {
		many, cts, _ := wrapped(t, m, seal.MaxLayers)
		r := through(t, m, many, cts[seal.MaxLayers])
		_, err := seal.ReleaseShare(seeded("ask"), m.shares[0], m.committee, many, r.cert, r.reader)
		require.ErrorIs(t, err, seal.ErrLayers)
		require.ErrorIs(t, err, seal.ErrRelease)
	})
	t.Run("layers are not changed by what is put around them", func(t *testing.T) {
		a, b := inner.Around(two, cts[2]), inner.Around(one, cts[0])
		require.Equal(t, of.Label(), a.Label())
		require.NotEqual(t, a.Label(), b.Label())
		require.Equal(t, 2, inner.Len())
	})
}

// What a member sends holds for all layers in their order, or not at all.
func TestAShareHoldsForAllLayersOrNone(t *testing.T) {
	m := committee(t, "a", 1, 4)
	of, cts, keys := wrapped(t, m, 2)
	r := through(t, m, of, cts[2])
	shares := r.releaseOf(t, of)
	good, proof := shares[0], len(shares[0])-96
	part := func(i int) []byte { return good[2+64*i : 2+64*(i+1)] }
	again, err := seal.ReleaseShare(seeded("again"), m.shares[0], m.committee, of, r.cert, r.reader)
	require.NoError(t, err)
	other := through(t, m, of, cts[2])
	s := other.cert.Statement()
	s.RID = h("another request")
	other.cert = certify(t, m, s)
	elsewhere, err := seal.ReleaseShare(seeded("elsewhere"), m.shares[0], m.committee, of, other.cert, r.reader)
	require.NoError(t, err)
	for name, b := range map[string][]byte{
		"the parts of two layers change places":        slices.Concat(good[:2], part(1), part(0), part(2), good[proof:]),
		"one part stands for two layers":               slices.Concat(good[:2], part(0), part(0), part(2), good[proof:]),
		"one part stands for all layers":               slices.Concat(good[:2], part(2), part(2), part(2), good[proof:]),
		"a part is of another answer of the member":    slices.Concat(good[:2], part(0), again[66:130], part(2), good[proof:]),
		"a part is of another request":                 slices.Concat(good[:2], part(0), elsewhere[66:130], part(2), good[proof:]),
		"a part is another member's":                   slices.Concat(good[:2], part(0), shares[1][66:130], part(2), good[proof:]),
		"the proof is of another answer of the member": slices.Concat(good[:proof], again[proof:]),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.VerifyRelease(m.committee, of, r.cert, r.reader, b)
			require.ErrorIs(t, err, shamir.ErrProof)
		})
	}
	for name, b := range map[string][]byte{
		"a part is missing":       slices.Concat(good[:2], part(0), part(1), good[proof:]),
		"a part stands twice":     slices.Concat(good[:proof], part(2), good[proof:]),
		"a share without layers":  slices.Concat(good[:2], part(0), good[proof:]),
		"nothing but the proof":   slices.Concat(good[:2], good[proof:]),
		"a byte more":             append(slices.Clone(good), 0),
		"half of the last scalar": good[:len(good)-16],
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.VerifyRelease(m.committee, of, r.cert, r.reader, b)
			require.ErrorIs(t, err, shamir.ErrEncoding)
		})
	}
	for at := range good {
		changed := slices.Clone(good)
		changed[at] ^= 1
		_, err := seal.VerifyRelease(m.committee, of, r.cert, r.reader, changed)
		require.Error(t, err, "byte %d", at)
	}
	bad := slices.Concat(good[:2], part(1), part(0), part(2), good[proof:])
	plain, culprits, err := r.combineOf(of, [][]byte{bad, shares[1], shares[2], shares[3]})
	require.NoError(t, err)
	require.Equal(t, []int{0}, culprits)
	require.Equal(t, keys, plain)
}

// Errors in several layers that cancel in the plain sum do not cancel in the weighted
// one, whose weights hash them.
func TestErrorsInTwoLayersDoNotCancel(t *testing.T) {
	m := committee(t, "a", 1, 4)
	of, cts, _ := wrapped(t, m, 1)
	r := through(t, m, of, cts[1])
	good := r.releaseOf(t, of)[0]
	g := shamir.Ristretto255
	d := shamir.HashPoint("vector", []byte("shift"))
	e2 := func(i int) []byte { return good[2+64*i+32 : 2+64*(i+1)] }
	for i, by := range []int64{1, -1} {
		p, err := shamir.DecodePoint(g, e2(i))
		require.NoError(t, err)
		p.Add(p, g.Point().Mul(g.Scalar().SetInt64(by), d))
		copy(e2(i), shamir.Encode(p))
	}
	_, err := seal.VerifyRelease(m.committee, of, r.cert, r.reader, good)
	require.ErrorIs(t, err, shamir.ErrProof)
}

func TestALayerThatDoesNotOpenIsNamed(t *testing.T) {
	m := committee(t, "a", 1, 4)
	x := m.committee.X()
	for cheat := range 3 {
		t.Run(fmt.Sprintf("layer %d", cheat), func(t *testing.T) {
			var of seal.Layers
			var last *seal.Ciphertext
			for i := range 3 {
				label, own := h("label"), h(fmt.Sprint("own ", i))
				if i > 0 {
					label = seal.LayerLabel(own, of.Label(), of.U())
				}
				last = encrypt(t, m, label, "key")
				if i == cheat {
					var err error
					last, err = seal.SealGarbage(seeded("garbage"), x, label, make([]byte, 32))
					require.NoError(t, err)
				}
				if i == 0 {
					of = seal.NewLayers(label, last)
				} else {
					of = of.Around(own, last)
				}
			}
			require.NoError(t, of.Verify(x))
			r := through(t, m, of, last)
			plain, culprits, err := r.combineOf(of, r.releaseOf(t, of))
			require.Nil(t, plain)
			require.Empty(t, culprits)
			require.ErrorIs(t, err, seal.ErrUnreadable)
			var named *seal.LayerError
			require.True(t, errors.As(err, &named))
			require.Equal(t, cheat, named.Layer)
		})
	}
}

// What opens one key epoch opens no other: the shares of a release are of no use for
// what was put around the model since, and those of a later layer alone open nothing
// beneath it.
func TestALeakedKeyOpensOneLayer(t *testing.T) {
	m := committee(t, "a", 1, 4)
	of, cts, keys := wrapped(t, m, 1)
	before := newRequest(t, m, cts[0], "before")
	leaked := before.release(t)
	plain, _, err := before.combine(leaked)
	require.NoError(t, err)
	require.Equal(t, keys[0], plain)

	after := through(t, m, of, cts[1])
	_, _, err = after.combineOf(of, leaked)
	require.ErrorIs(t, err, shamir.ErrThreshold)
	_, _, err = seal.CombineRelease(before.secrets[1], m.committee, of, before.cert, before.reader, leaked)
	require.ErrorIs(t, err, seal.ErrRelease, "the certificate of before covers no later layer")

	// A certificate of after releases the layers together, and its answer serves none alone.
	shares := after.releaseOf(t, of)
	inner := seal.NewLayers(h("label"), cts[0])
	_, _, err = after.combineOf(inner, shares)
	require.ErrorIs(t, err, seal.ErrRelease)
	var cut [][]byte
	for _, s := range shares {
		cut = append(cut, slices.Concat(s[:66], s[130:]))
	}
	_, _, err = before.combine(cut)
	require.ErrorIs(t, err, shamir.ErrThreshold)
}

func FuzzSharesOfLayers(f *testing.F) {
	m := committee(f, "fuzz", 1, 4)
	of, cts, _ := wrapped(f, m, 1)
	r := through(f, m, of, cts[1])
	good := r.releaseOf(f, of)
	f.Add(good[0])
	f.Add(good[1][:162])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if index, err := seal.VerifyRelease(m.committee, of, r.cert, r.reader, b); err == nil {
			require.Equal(t, good[index-1], b, "a second share that verifies")
		}
		_, _, _ = r.combineOf(of, [][]byte{b})
	})
}

func BenchmarkReleaseThroughLayers(b *testing.B) {
	for _, around := range []int{0, 1, seal.MaxLayers - 1} { // new, once rotated, the most
		m := committee(b, "bench", 1, 4)
		of, cts, _ := wrapped(b, m, around)
		r := through(b, m, of, cts[around])
		share := r.releaseOf(b, of)[0]
		b.Run(fmt.Sprintf("layers=%d/make", around+1), func(b *testing.B) {
			for b.Loop() {
				if _, err := seal.ReleaseShare(seeded("bench"), m.shares[0], m.committee, of, r.cert, r.reader); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("layers=%d/check", around+1), func(b *testing.B) {
			for b.Loop() {
				if _, err := seal.VerifyRelease(m.committee, of, r.cert, r.reader, share); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
