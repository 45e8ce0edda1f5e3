package shamir

import (
	"bytes"
	"math/rand/v2"
	"testing"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"
)

// What is public is computed with formulas of our own; circl's, which are complete, are
// the plain way that they are held against.

func chance(tag string) *rand.ChaCha8 { return rand.NewChaCha8(Hash("test", []byte(tag))) }

func randomScalar(t testing.TB, g Group, from *rand.ChaCha8) kyber.Scalar {
	s, err := RandomScalar(g, from)
	require.NoError(t, err)
	return s
}

func TestAdditionIsThatOfCircl(t *testing.T) {
	t.Run("G1", func(t *testing.T) { requireAddition[fp, *fp, bls.G1](t, G1) })
	t.Run("G2", func(t *testing.T) { requireAddition[fp2, *fp2, bls.G2](t, G2) })
}

// adder is circl's group law.
type adder[C any] interface {
	circlPoint[C]
	Add(a, b *C)
}

func requireAddition[F comparable, P coordinate[F], C any, CP adder[C]](t *testing.T, g Group) {
	from := chance(g.String())
	p := g.Point().Mul(randomScalar(t, g, from), nil)
	q := g.Point().Mul(randomScalar(t, g, from), nil)
	far := g.Point().Add(p, q) // z is not 1 in these two
	double := g.Point().Add(far, far)
	operands := map[string]kyber.Point{
		"p": p, "q": q, "-p": g.Point().Neg(p), "p+q": far, "2p+2q": double, "identity": g.Point().Null(),
		"-p-q": g.Point().Neg(far), "p+q, affine": decoded(t, g, far), "p, not affine": g.Point().Sub(far, q),
		"p-p": g.Point().Sub(p, p),
	}
	for x, a := range operands {
		for y, b := range operands {
			sum := new(C)
			CP(sum).Add(fresh[F, P, C, CP](t, a), fresh[F, P, C, CP](t, b))
			got := g.Point().Add(a, b)
			require.Equal(t, Encode(new(blsPoint[F, P, C, CP]).take(sum)), Encode(got), "%s + %s", x, y)
			require.Equal(t, bytes.Equal(Encode(a), Encode(b)), a.Equal(b), "%s = %s", x, y)
			in := a.Clone()
			require.True(t, in.Add(in, b).Equal(got), "%s + %s into the first", x, y)
			in = b.Clone()
			require.True(t, in.Add(a, in).Equal(got), "%s + %s into the second", x, y)
			require.True(t, g.Point().Sub(got, b).Equal(a), "%s + %s - %s", x, y, y)
		}
	}
}

// fresh is the point as circl decodes it.
func fresh[F comparable, P coordinate[F], C any, CP circlPoint[C]](t *testing.T, p kyber.Point) *C {
	q := blsPoint[F, P, C, CP]{v: p.(*blsPoint[F, P, C, CP]).v}
	c, err := q.forCircl()
	require.NoError(t, err)
	return c
}

func decoded(t testing.TB, g Group, p kyber.Point) kyber.Point {
	out, err := DecodePoint(g, Encode(p))
	require.NoError(t, err)
	return out
}

// Points of the curve outside the group: a coordinate from a counter, its square root,
// and what is left of some of them once the large prime is taken out.
func TestTheSubgroupIsThatOfCircl(t *testing.T) {
	t.Run("G1", func(t *testing.T) { requireSubgroup[fp, *fp, bls.G1](t, func(x *fp, v uint64) { x.SetUint64(v) }) })
	t.Run("G2", func(t *testing.T) {
		requireSubgroup[fp2, *fp2, bls.G2](t, func(x *fp2, v uint64) { x.Fp2[0].SetUint64(v); x.Fp2[1].SetUint64(v + 1) })
	})
}

func requireSubgroup[F comparable, P coordinate[F], C any, CP circlPoint[C]](t *testing.T, set func(*F, uint64)) {
	outside := 0
	check := func(v *jacobian[F, P]) {
		p := &blsPoint[F, P, C, CP]{}
		p.set(v)
		b := p.expanded()
		ours, theirs := new(blsPoint[F, P, C, CP]), CP(new(C)).SetBytes(b)
		require.NoError(t, ours.setExpanded(b), "%x is on the curve", b)
		require.Equal(t, theirs == nil, ours.inGroup(), "%x", b)
		if theirs != nil {
			outside++
		}
	}
	for i := range uint64(24) {
		var x, y, square F
		set(&x, i)
		curveAt[F, P](&square, &x)
		if P(&y).Sqrt(&square) == 0 {
			continue
		}
		var p, low jacobian[F, P]
		p.setAffine(&x, &y)
		check(&p)
		if i < 6 { // times the order of the group: a point of the cofactor's part alone
			for _, bit := range orderBits {
				w := &work[F]{}
				low.double(w)
				if bit {
					low.add(w, &low, &p)
				}
			}
			check(&low)
			var w work[F]
			member := new(blsPoint[F, P, C, CP]).generator().v
			low.add(&w, &low, &member)
			check(&low)
			check(&member)
		}
	}
	require.Greater(t, outside, 10)
}

// A signature outside the group is refused where it counts, at the pairing.
func TestASignatureOutsideTheGroupIsRefused(t *testing.T) {
	y := randomScalar(t, G2, chance("y"))
	public, h := G2.Point().Mul(y, nil), HashToG1("TEST", []byte("message"))
	sig := G1.Point().Mul(y, h)
	var x, root, square fp
	x.SetUint64(4) // on the curve, not in the group
	curveAt[fp, *fp](&square, &x)
	require.Equal(t, 1, root.Sqrt(&square))
	var low jacobian[fp, *fp]
	low.setAffine(&x, &root)
	outside := new(g1Point).set(&low)
	for name, p := range map[string]kyber.Point{"far": outside, "near": G1.Point().Add(sig, outside)} {
		b := Encode(p)
		_, err := DecodePoint(G1, b)
		require.ErrorIs(t, err, ErrEncoding, name)
		loose, err := DecodeOnCurve(b)
		require.NoError(t, err, name)
		require.ErrorIs(t, VerifyPairing(public, h, loose), ErrEncoding, name)
	}
	good, err := DecodeOnCurve(Encode(sig))
	require.NoError(t, err)
	require.NoError(t, VerifyPairing(public, h, good))
	for _, b := range [][]byte{nil, Encode(G1.Point().Null()), bytes.Repeat([]byte{0xff}, 48), make([]byte, 48)} {
		_, err := DecodeOnCurve(b)
		require.Error(t, err)
	}
}

// orderBits is the order of the groups, from the top.
var orderBits = func() (out []bool) {
	order := bls.Order()
	for i := range 8 * len(order) {
		out = append(out, order[i/8]>>(7-i%8)&1 == 1)
	}
	return out
}()

func FuzzDecodingIsThatOfCircl(f *testing.F) {
	f.Add(Encode(G1.Point().Base()))
	f.Add(Encode(G2.Point().Base()))
	f.Add(Encode(G1.Point().Null()))
	f.Add(G2.(g2Group).expand(G2.Point().Base()))
	f.Add(G2.(g2Group).expand(G2.Point().Null()))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		if compressed := b[0]&flagCompressed != 0; compressed {
			loose, err := DecodeOnCurve(b)
			if strict, refused := DecodePoint(G1, b); refused == nil {
				require.NoError(t, err)
				require.True(t, loose.Equal(strict))
			}
			require.Equal(t, len(b) == bls.G1SizeCompressed && new(bls.G1).SetBytes(b) == nil, new(g1Point).UnmarshalBinary(b) == nil)
			require.Equal(t, len(b) == bls.G2SizeCompressed && new(bls.G2).SetBytes(b) == nil, new(g2Point).UnmarshalBinary(b) == nil)
		} else {
			p := new(g2Point)
			require.Equal(t, len(b) == bls.G2Size && new(bls.G2).SetBytes(b) == nil, p.setExpanded(b) == nil && p.inGroup())
		}
	})
}

// Every way to sum products against the plain one.
func TestBucketsSumWhatProductsSum(t *testing.T) {
	for _, g := range []Group{Ristretto255, G1, G2} {
		from := chance(g.String())
		for _, c := range []struct{ n, bits int }{{1, 255}, {2, 1}, {5, 16}, {40, 16}, {9, 64}, {17, 128}, {33, 252}} {
			scalars, points := make([]kyber.Scalar, c.n), make([]kyber.Point, c.n)
			want := g.Point().Null()
			for i := range scalars {
				scalars[i] = shortScalar(g, from, c.bits, i)
				points[i] = g.Point().Mul(randomScalar(t, g, from), nil)
				if i%3 == 1 {
					scalars[i].Neg(scalars[i]) // short all the same
				}
				if i%4 == 3 {
					points[i] = points[i-1].Clone() // two alike, and one and its negative
				}
				if i%8 == 5 {
					points[i] = g.Point().Neg(points[i-1])
				}
				want.Add(want, g.Point().Mul(scalars[i], points[i]))
			}
			ints, length := integers(g, scalars)
			require.LessOrEqual(t, length, c.bits)
			for i := range ints {
				require.LessOrEqual(t, ints[i].length(), length)
			}
			for width := 2; width <= 9; width++ {
				require.True(t, bucketMul(g, ints, length, width, rowsOfOne(points))[0].Equal(want), "%s %+v width %d", g, c, width)
			}
			require.True(t, g.MultiMul(scalars, points).Equal(want), "%s %+v", g, c)
			points[0], scalars[c.n-1] = g.Point().Null(), g.Scalar().Neg(g.Scalar().One())
			want = g.Point().Null()
			for i := range scalars {
				want.Add(want, g.Point().Mul(scalars[i], points[i]))
			}
			require.True(t, g.MultiMul(scalars, points).Equal(want), "%s %+v, with the identity", g, c)
		}
	}
}

// shortScalar has so many bits at most; some are zero, one or all ones.
func shortScalar(g Group, from *rand.ChaCha8, bits, i int) kyber.Scalar {
	s, two := g.Scalar().Zero(), g.Scalar().SetInt64(2)
	for range bits {
		s.Mul(s, two)
		if r := from.Uint64(); i%5 == 2 || i%5 > 2 && r&1 == 1 || i == 0 && r&1 == 1 {
			s.Add(s, g.Scalar().One())
		}
	}
	return s
}

func TestSignedDigitsAddUp(t *testing.T) {
	from := chance("digits")
	for _, bits := range []int{1, 2, 7, 16, 33, 64, 65, 128, 255} {
		for width := 2; width <= 8; width++ {
			for i := range 20 {
				s := shortScalar(G2, from, bits, i)
				ints, length := integers(G2, []kyber.Scalar{s})
				sum, power := G2.Scalar().Zero(), G2.Scalar().One()
				last := -width
				for k, d := range ints[0].nonAdjacent(length, width) {
					if d != 0 {
						require.GreaterOrEqual(t, k-last, width)
						require.Less(t, max(int(d), -int(d)), 1<<(width-1))
						require.Equal(t, 1, int(d)&1)
						last = k
					}
					sum.Add(sum, G2.Scalar().Mul(power, G2.Scalar().SetInt64(int64(d))))
					power.Add(power, power)
				}
				require.True(t, sum.Equal(s), "%d bits, width %d", bits, width)
			}
		}
	}
}

// A generator among the points has its own tables.
func TestTheGeneratorsTablesAreThoseOfAPoint(t *testing.T) {
	for _, g := range []Group{Ristretto255, G1, G2} {
		from := chance("generator among points")
		for n := 1; n <= fewPoints; n++ {
			for place := range n + 1 { // the last one: nowhere
				scalars, points, want := make([]kyber.Scalar, n), make([]kyber.Point, n), g.Point().Null()
				for i := range scalars {
					scalars[i], points[i] = randomScalar(t, g, from), g.Point().Mul(randomScalar(t, g, from), nil)
					if i == place || i == (place+3)%(n+3) {
						points[i] = g.Point().Base()
					}
					want.Add(want, g.Point().Mul(scalars[i], points[i]))
				}
				require.True(t, g.MultiMul(scalars, points).Equal(want), "%s, %d points, generator at %d", g, n, place)
			}
		}
	}
}
