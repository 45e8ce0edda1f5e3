package shamir

import (
	"math/big"
	"testing"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"
)

func requireMultiple(t *testing.T, s kyber.Scalar) {
	t.Helper()
	theirs := &bls.G2{}
	theirs.ScalarMult(bs(s), bls.G2Generator())
	got := G2.Point().Mul(s, nil)
	require.Equal(t, Encode(new(g2Point).take(theirs)), Encode(got))
	require.True(t, G2.(curved).contains(got))
}

// Scalars with every digit, and runs of those that carry.
func TestMultiplesOfTheGeneratorAreThoseOfCircl(t *testing.T) {
	from := chance("generator")
	one := G2.Scalar().One()
	for k := range int64(40) {
		requireMultiple(t, G2.Scalar().SetInt64(k))
		requireMultiple(t, G2.Scalar().SetInt64(-k))
	}
	for _, nibble := range []byte{0x77, 0x78, 0x87, 0x88, 0x89, 0x98, 0x0f, 0xf0, 0xff, 0x80, 0x08} {
		var b [64]byte
		for i := 33; i < 64; i++ { // 248 bits: below the order as they are
			b[i] = nibble
			requireMultiple(t, reduceBLS(b))
		}
	}
	power := one.Clone()
	for range 256 {
		requireMultiple(t, power)
		requireMultiple(t, G2.Scalar().Sub(power, one))
		power.Add(power, power)
	}
	for range 40 {
		requireMultiple(t, randomScalar(t, G2, from))
	}
}

// The digits are the scalar, whatever it is.
func TestSignedNibblesAddUp(t *testing.T) {
	from := chance("nibbles")
	for i := range 300 {
		s := randomScalar(t, G2, from)
		if i < 20 {
			s = G2.Scalar().SetInt64(int64(i) - 10)
		}
		sum := new(big.Int)
		for k, d := range signedNibbles(bs(s)) {
			require.GreaterOrEqual(t, d, int8(-8))
			require.LessOrEqual(t, d, int8(8))
			sum.Add(sum, new(big.Int).Lsh(big.NewInt(int64(d)), uint(4*k)))
		}
		require.Zero(t, new(big.Int).SetBytes(Encode(s)).Cmp(sum))
	}
}

// The formulas for addition that secrets go through have no exceptions: not for equal
// points, opposite ones, the identity, nor points outside the group.
func TestCompleteAdditionHasNoExceptions(t *testing.T) {
	p := G2.Point().Mul(randomScalar(t, G2, chance("p")), nil).(*g2Point)
	low := smallOrder(t, 13, 1)
	points := []*g2Point{p, g2Generator, low, new(g2Point).Neg(p).(*g2Point), new(g2Point).Add(p, low).(*g2Point), new(g2Point).Neg(low).(*g2Point)}
	lift := func(q *g2Point, by uint64) (h homogeneous) { // another z
		if q.v.isIdentity() {
			h.y.SetOne()
			return h
		}
		x, y := q.affine()
		h.z.Fp2[0].SetUint64(by)
		h.z.Fp2[1].SetUint64(3)
		h.x.Mul(&x, &h.z)
		h.y.Mul(&y, &h.z)
		return h
	}
	for _, a := range append(points, new(g2Point).Null().(*g2Point)) {
		for _, b := range points {
			x, y := b.affine()
			h := lift(a, 7)
			h.add(&affineG2{x, y})
			v := h.jacobian()
			require.True(t, new(g2Point).set(&v).Equal(G2.Point().Add(a, b)))
		}
	}
}

func FuzzMultiplesOfTheGenerator(f *testing.F) {
	f.Add(make([]byte, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		var wide [64]byte
		copy(wide[:], b)
		requireMultiple(t, reduceBLS(wide))
	})
}

func BenchmarkMultipleOfTheGenerator(b *testing.B) {
	s := randomScalar(b, G2, chance("bench"))
	b.Run("ours", func(b *testing.B) {
		for b.Loop() {
			G2.Point().Mul(s, nil)
		}
	})
	b.Run("circl", func(b *testing.B) {
		base := G2.Point().Base()
		for b.Loop() {
			G2.Point().Mul(s, base)
		}
	})
}
