package shamir

import (
	"bytes"
	"fmt"
	"math/big"
	"slices"
	"testing"

	bls "github.com/cloudflare/circl/ecc/bls12381"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"
)

// Points of the curve of G2 that are not in the group, in the commitments of dealers who
// would like to be the only ones to know which.

// smallOrder is a point of the order, which is a prime that divides the cofactor, or 0
// for whatever the cofactor leaves.
func smallOrder(t testing.TB, order uint64, seed uint64) *g2Point {
	r := new(big.Int).SetBytes(bls.Order())
	times, prime := new(big.Int).Set(r), new(big.Int).SetUint64(order)
	if order != 0 {
		times.Set(cofactorG2)
		for new(big.Int).Mod(times, prime).Sign() == 0 {
			times.Div(times, prime)
		}
		times.Mul(times, r)
	}
	for v := seed << 16; ; v++ {
		var x, y, square fp2
		x.Fp2[0].SetUint64(v)
		x.Fp2[1].SetUint64(1)
		curveAt[fp2, *fp2](&square, &x)
		if y.Sqrt(&square) == 0 {
			continue
		}
		var p, q jacobian[fp2, *fp2]
		p.setAffine(&x, &y)
		p = timesBig(times, p)
		for q = p; order != 0 && !q.isIdentity(); {
			p, q = q, timesBig(prime, q)
		}
		if p.isIdentity() {
			continue
		}
		out := new(g2Point)
		out.set(&p)
		require.False(t, G2.(curved).contains(out))
		return decodedOnCurve(t, out)
	}
}

func timesBig(k *big.Int, p jacobian[fp2, *fp2]) (out jacobian[fp2, *fp2]) {
	out.mulBits(k.BitLen(), func(bit int) bool { return k.Bit(bit) == 1 }, &p)
	return out
}

func decodedOnCurve(t testing.TB, p *g2Point) *g2Point {
	out, err := G2.(curved).decodeExpanded(p.expanded())
	require.NoError(t, err)
	return out.(*g2Point)
}

var cofactorG2, _ = new(big.Int).SetString("5d543a95414e7f1091d50792876a202cd91de4547085abaa68a205b2e5a7ddfa628f1cb4d9e82ef21537e293a6691ae1616ec6e786f0c70cf1c38e31c7238e5", 16)

// smallOrders are all primes below 2²⁰ that divide the cofactor, and 0 for the rest of it.
var smallOrders = []uint64{13, 23, 2713, 11953, 262069, 0}

func TestTheSmallOrdersAreThoseOfTheCofactor(t *testing.T) {
	var found []uint64
	for k := uint64(2); k < 1<<20; k++ {
		p := new(big.Int).SetUint64(k)
		if new(big.Int).Mod(cofactorG2, p).Sign() == 0 && p.ProbablyPrime(10) {
			found = append(found, k)
		}
	}
	require.Equal(t, append(found, 0), smallOrders)
}

func TestProjectionTakesAwaySmallOrderAndNothingElse(t *testing.T) {
	r := new(big.Int).SetBytes(bls.Order())
	require.EqualValues(t, 1, new(big.Int).Mod(g2Projector, r).Int64())
	require.Zero(t, new(big.Int).Mod(g2Projector, cofactorG2).Sign())
	g, from := G2.(curved), chance("projection")
	null := G2.Point().Null()
	require.True(t, g.project(null).Equal(null))
	for _, order := range smallOrders {
		low := smallOrder(t, order, 1)
		require.True(t, g.project(low).Equal(null), "order %d", order)
		if order != 0 {
			multiple := timesBig(new(big.Int).SetUint64(order), low.v)
			require.True(t, multiple.isIdentity(), "order %d", order)
		}
		p := G2.Point().Mul(randomScalar(t, G2, from), nil)
		require.True(t, g.project(p).Equal(p))
		moved := G2.Point().Add(p, low)
		require.False(t, g.contains(moved))
		require.True(t, g.project(moved).Equal(p), "order %d", order)
		require.False(t, moved.Equal(p), "the point itself stays where it is")
	}
}

// tainted is the commitment with a point added to coefficients, as it arrives.
func tainted(t testing.TB, c *Commitment, by func(k int) *g2Point) *Commitment {
	points := clone(c.points)
	for k := range points {
		if low := by(k); low != nil {
			points[k].Add(points[k], low)
		}
	}
	again, err := DecodeCommitment(G2, len(points), (&Commitment{G2, points}).Bytes())
	require.NoError(t, err)
	return again
}

func deal(t testing.TB, threshold, n int, from string) ([]Share, *Commitment) {
	shares, c, err := Split(chance(from), G2, randomScalar(t, G2, chance("secret of "+from)), threshold, n)
	require.NoError(t, err)
	return shares, c
}

func requireSamePoints(t testing.TB, want, got []kyber.Point, name string) {
	t.Helper()
	require.Len(t, got, len(want), name)
	for i := range want {
		require.Equal(t, Encode(want[i]), Encode(got[i]), "%s %d", name, i)
		require.True(t, G2.(curved).contains(got[i]), "%s %d", name, i)
	}
}

// Whatever of small order a dealer adds, and wherever, all that comes of its commitment
// is what comes of it without.
func TestSmallOrderInACommitmentChangesNothing(t *testing.T) {
	const threshold, n = 4, 6
	shares, c := deal(t, threshold, n, "dealer")
	other, plain := deal(t, threshold, n, "other")
	committee := func(y *Commitment) [32]byte {
		_, x, err := Split(chance("x"), Ristretto255, Ristretto255.Scalar().One(), threshold, n)
		require.NoError(t, err)
		made, err := NewCommittee(1, [32]byte{1}, n, x, y)
		require.NoError(t, err)
		return made.Digest()
	}
	for _, order := range smallOrders {
		low := smallOrder(t, order, 2)
		for k := 1; k <= threshold; k++ { // one place each, and all of them
			name := fmt.Sprintf("order %d at %d", order, k)
			bad := tainted(t, c, func(at int) *g2Point {
				if at == k || k == threshold && at > 0 {
					return low
				}
				return nil
			})
			require.NotEqual(t, c.Bytes(), bad.Bytes(), name)
			requireSamePoints(t, c.EvalAll(n), bad.EvalAll(n), name)
			for i, s := range shares[k : k+2] {
				requireSamePoints(t, []kyber.Point{c.Eval(s.Index)}, []kyber.Point{bad.Eval(s.Index)}, name)
				require.NoError(t, bad.Verify(s), name)
				wrong := Share{s.Index, G2.Scalar().Add(s.value, G2.Scalar().One())}
				require.ErrorIs(t, bad.Verify(wrong), ErrProof, name)
				together := []*Commitment{bad, plain}
				weights := []uint32{12, 5} // the sum's part of small order is gone for 13, and stays for others
				require.NoError(t, VerifyTogether(weights, together, []Share{s, other[k+i]}), name)
				require.ErrorIs(t, VerifyTogether(weights, together, []Share{wrong, other[k+i]}), ErrProof, name)
			}
			require.Equal(t, committee(c), committee(bad), name)
		}
		_, err := DecodeCommitment(G2, 1, G2.(curved).expand(G2.Point().Add(c.points[0], low)))
		require.ErrorIs(t, err, ErrEncoding, "order %d in the constant term, which is a key", order)
		_, err = DecodeCommitment(G2, 1, low.expanded())
		require.ErrorIs(t, err, ErrEncoding, "order %d as the constant term", order)
	}
}

// Sums of commitments of many dealers, with weights and without, by all the ways that
// there are to sum: tables of few points, their images, and buckets of rows.
func TestSmallOrderInSumsChangesNothing(t *testing.T) {
	const threshold, n = 14, 15 // longer than the shortest row that is added as one
	for _, dealers := range []int{1, 9, 20} {
		var clean, bad []*Commitment
		var weights []kyber.Scalar
		from := chance(fmt.Sprint("weights of ", dealers))
		for i := range dealers {
			_, c := deal(t, threshold, n, fmt.Sprint("dealer ", i%3))
			low := smallOrder(t, smallOrders[i%len(smallOrders)], uint64(i))
			clean = append(clean, c)
			bad = append(bad, tainted(t, c, func(k int) *g2Point {
				if k == 0 || (k+i)%4 == 3 {
					return nil
				}
				return low
			}))
			weights = append(weights, randomScalar(t, G2, from))
		}
		requireSameSums(t, clean, bad, weights, n)
		for i := range weights {
			weights[i] = G2.Scalar().SetInt64(int64(from.Uint64() >> 32))
		}
		requireSameSums(t, clean, bad, weights, n)
	}
}

func requireSameSums(t *testing.T, clean, bad []*Commitment, weights []kyber.Scalar, n int) {
	want, err := WeightedSum(weights, clean)
	require.NoError(t, err)
	got, err := WeightedSum(weights, bad)
	require.NoError(t, err)
	requireSamePoints(t, want.EvalAll(n), got.EvalAll(n), fmt.Sprintf("%d dealers, weighted", len(clean)))
	want, err = Sum(clean...)
	require.NoError(t, err)
	got, err = Sum(bad...)
	require.NoError(t, err)
	requireSamePoints(t, want.EvalAll(n), got.EvalAll(n), fmt.Sprintf("%d dealers", len(clean)))
}

// Two dealers whose points of small order cancel, and one whose points vanish at every
// integer: x¹³ - x is zero modulo 13. Both are invisible in every share and every sum.
func TestSmallOrderThatCancelsChangesNothing(t *testing.T) {
	const threshold, n = 14, 15
	low := smallOrder(t, 13, 3)
	minus := new(g2Point).Neg(low).(*g2Point)
	_, a := deal(t, threshold, n, "a")
	_, b := deal(t, threshold, n, "b")
	at := func(places map[int]*g2Point) func(int) *g2Point { return func(k int) *g2Point { return places[k] } }
	one := tainted(t, a, at(map[int]*g2Point{5: low}))
	two := tainted(t, b, at(map[int]*g2Point{5: minus}))
	requireSameSums(t, []*Commitment{a, b}, []*Commitment{one, two}, []kyber.Scalar{G2.Scalar().SetInt64(3), G2.Scalar().SetInt64(16)}, n)
	everywhere := tainted(t, a, at(map[int]*g2Point{1: minus, 13: low}))
	for i := range uint32(n) {
		require.True(t, G2.(curved).contains(everywhere.horner(i+1)))
	}
	requireSamePoints(t, a.EvalAll(n), everywhere.EvalAll(n), "x¹³ - x")
}

// Rows are added as their points are, whatever is among them.
func TestRowsAddAsPointsDo(t *testing.T) {
	for _, g := range []Group{Ristretto255, G1, G2} {
		from := chance("rows of " + g.String())
		p, q := g.Point().Mul(randomScalar(t, g, from), nil), g.Point().Mul(randomScalar(t, g, from), nil)
		far := g.Point().Add(p, q)
		some := []kyber.Point{p, q, far, g.Point().Neg(p), g.Point().Null(), g.Point().Neg(far), g.Point().Add(far, far)}
		var a, b []kyber.Point
		for _, x := range some {
			for _, y := range some {
				a, b = append(a, x.Clone()), append(b, y.Clone())
			}
		}
		require.Greater(t, len(a), longRow)
		for _, minus := range []bool{false, true} {
			want := make([]kyber.Point, len(a))
			for i := range a {
				if want[i] = g.Point().Add(a[i], b[i]); minus {
					want[i] = g.Point().Sub(a[i], b[i])
				}
			}
			check := func(got []kyber.Point, name string) {
				for i := range want {
					require.True(t, got[i].Equal(want[i]), "%s, %s, place %d, minus %v", g, name, i, minus)
					require.Equal(t, Encode(want[i]), Encode(got[i]))
				}
			}
			sum := identities(g, len(a))
			addAll(g, sum, clone(a), clone(b), minus)
			check(sum, "into a third")
			sum = clone(a)
			addAll(g, sum, sum, clone(b), minus)
			check(sum, "into the first")
			sum = clone(b)
			addAll(g, sum, clone(a), sum, minus)
			check(sum, "into the second")
			same := clone(a)
			for i := range want {
				if want[i] = g.Point().Add(a[i], a[i]); minus {
					want[i] = g.Point().Null()
				}
			}
			addAll(g, same, same, same, minus)
			check(same, "with itself")
		}
		// The row that begins one place further on, as differences take it.
		row := clone(a)
		want := make([]kyber.Point, len(row)-1)
		for i := range want {
			want[i] = g.Point().Add(row[i], row[i+1])
		}
		addAll(g, row[:len(want)], row[:len(want)], row[1:], false)
		for i := range want {
			require.True(t, row[i].Equal(want[i]), "%s shifted, place %d", g, i)
		}
	}
}

// Scalars that are alike but for the sign share a row, which is nobody else's.
func TestRowsOfLikeScalarsAddUp(t *testing.T) {
	for _, g := range []Group{Ristretto255, G1, G2} {
		from := chance("like scalars of " + g.String())
		a, b := randomScalar(t, g, from), randomScalar(t, g, from)
		minus := g.Scalar().Neg(a)
		for name, scalars := range map[string][]kyber.Scalar{
			"all different": {a, b}, "twice": {a, b, a}, "and its negative": {a, minus, b}, "that cancel": {minus, a},
			"many": {a, minus, b, a, a, minus, a}, "the negative first": {minus, b, a, minus}, "zeros": {g.Scalar().Zero(), a, g.Scalar().Zero()},
		} {
			rows, want := make([][]kyber.Point, len(scalars)), identities(g, longRow+1)
			for i := range rows {
				for k := range want {
					rows[i] = append(rows[i], g.Point().Mul(randomScalar(t, g, from), nil))
					want[k].Add(want[k], g.Point().Mul(scalars[i], rows[i][k]))
				}
			}
			before := make([][]kyber.Point, len(rows))
			for i := range rows {
				before[i] = clone(rows[i])
			}
			got := rowsMul(g, scalars, rows)
			for k := range want {
				require.True(t, got[k].Equal(want[k]), "%s %s", g, name)
				for i := range rows {
					require.True(t, rows[i][k].Equal(before[i][k]), "%s %s: the rows are the caller's", g, name)
				}
			}
		}
	}
}

func TestInversesAreThoseOfCircl(t *testing.T) {
	from := chance("inverses")
	for i := range 40 {
		var x, ours fp2
		require.NoError(t, x.Fp2[0].Random(from))
		require.NoError(t, x.Fp2[1].Random(from))
		switch i {
		case 0:
			x = fp2{}
		case 1:
			x.SetOne()
		case 2:
			x.Fp2[0].SetUint64(0)
		case 3:
			x.Fp2[1].SetUint64(0)
		}
		theirs := x
		theirs.Fp2.Inv(&x.Fp2)
		ours.Inv(&x)
		require.Equal(t, theirs, ours)
		in := x
		in.Inv(&in)
		require.Equal(t, theirs, in, "in place")
		var a, b fp
		a.Fp.Inv(&x.Fp2[0])
		b.Fp = x.Fp2[0]
		b.Inv(&b)
		require.Equal(t, a, b)
	}
}

// FuzzSmallOrder: a commitment that decodes is the same however small its points' orders.
func FuzzSmallOrder(f *testing.F) {
	_, c := deal(f, 3, 5, "fuzz")
	low := smallOrder(f, 23, 9)
	f.Add(c.Bytes())
	f.Add(tainted(f, c, func(k int) *g2Point { return []*g2Point{nil, low, low}[k] }).Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCommitment(G2, 3, b)
		if err != nil {
			return
		}
		require.True(t, bytes.Equal(b, c.Bytes()))
		all := c.EvalAll(4)
		for i, p := range all {
			require.True(t, G2.(curved).contains(p))
			require.True(t, p.Equal(c.Eval(uint32(i+1))))
		}
		require.False(t, slices.Contains(all, nil))
	})
}
