package oracle

import (
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/stretchr/testify/require"
	kyber3 "go.dedis.ch/kyber/v3"
	edwards3 "go.dedis.ch/kyber/v3/group/edwards25519"
	share3 "go.dedis.ch/kyber/v3/share"
	kyber4 "go.dedis.ch/kyber/v4"
	edwards4 "go.dedis.ch/kyber/v4/group/edwards25519"
	"go.dedis.ch/kyber/v4/pairing/bls12381/gnark"
	share4 "go.dedis.ch/kyber/v4/share"
)

func scalar(t *testing.T, g shamir.Group, parts ...any) kyber3.Scalar {
	t.Helper()
	s, err := shamir.RandomScalar(g, seeded(parts...))
	require.NoError(t, err)
	return s
}

func h(s string) [32]byte { return shamir.Hash("oracle", []byte(s)) }

// seeded is a reproducible source of bytes.
func seeded(parts ...any) io.Reader { return rand.NewChaCha8(h(fmt.Sprint(parts...))) }

// thresholds and members, and which members bring their shares.
var quorums = []struct {
	t, n    int
	members []int
}{
	{1, 1, []int{1}},
	{3, 4, []int{4, 1, 3}},
	{11, 16, []int{16, 2, 5, 7, 11, 3, 13, 1, 9, 4, 15}},
}

// Scalars of ristretto255 and of edwards25519 are the integers modulo one prime, in
// the same 32 bytes, so kyber's polynomials over the one are oracles for ours over the
// other.
func TestKyberRecoversTheSecretOfOurShares(t *testing.T) {
	for _, q := range quorums {
		g := shamir.Ristretto255
		secret := scalar(t, g, "secret", q.n)
		shares, _, err := shamir.Split(seeded("split"), g, secret, q.t, q.n)
		require.NoError(t, err)
		var of3 []*share3.PriShare
		var of4 []*share4.PriShare
		suite3, suite4 := edwards3.NewBlakeSHA256Ed25519(), edwards4.NewBlakeSHA256Ed25519()
		for _, member := range q.members {
			b := shamir.Encode(shares[member-1].Value())
			v3, v4 := suite3.Scalar(), suite4.Scalar()
			require.NoError(t, v3.UnmarshalBinary(b))
			require.NoError(t, v4.UnmarshalBinary(b))
			of3 = append(of3, &share3.PriShare{I: member - 1, V: v3})
			of4 = append(of4, &share4.PriShare{I: uint32(member - 1), V: v4})
		}
		got3, err := share3.RecoverSecret(suite3, of3, q.t, q.n)
		require.NoError(t, err)
		got4, err := share4.RecoverSecret(suite4, of4, uint32(q.t), uint32(q.n))
		require.NoError(t, err)
		for _, got := range []interface{ MarshalBinary() ([]byte, error) }{got3, got4} {
			b, err := got.MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, shamir.Encode(secret), b)
		}
	}
}

// groups4 are ours beside gnark's of kyber v4: other people's curve arithmetic.
func groups4() map[shamir.Group]kyber4.Group {
	suite := gnark.NewSuiteBLS12381()
	return map[shamir.Group]kyber4.Group{shamir.G1: suite.G1(), shamir.G2: suite.G2()}
}

func point4(t *testing.T, g kyber4.Group, p kyber3.Point) kyber4.Point {
	t.Helper()
	q := g.Point()
	require.NoError(t, q.UnmarshalBinary(shamir.Encode(p)))
	return q
}

func requireSame(t *testing.T, ours kyber3.Point, theirs kyber4.Point, about ...any) {
	t.Helper()
	b, err := theirs.MarshalBinary()
	require.NoError(t, err)
	require.Equal(t, shamir.Encode(ours), b, about...)
}

func TestPublicSharesAreThoseOfKyber(t *testing.T) {
	for g, theirs := range groups4() {
		for _, q := range quorums {
			_, c, err := shamir.Split(seeded("split"), g, scalar(t, g, "s"), q.t, q.n)
			require.NoError(t, err)
			var commits []kyber4.Point
			raw := c.Bytes()
			for k := range q.t {
				commits = append(commits, theirs.Point())
				size := len(raw) / q.t
				require.NoError(t, commits[k].UnmarshalBinary(compressed(t, g, raw[k*size:(k+1)*size])))
			}
			poly := share4.NewPubPoly(theirs, theirs.Point().Base(), commits)
			var pubs []*share4.PubShare
			for i, ours := range c.EvalAll(q.n) {
				requireSame(t, ours, poly.Eval(uint32(i)).V, "%s n=%d member %d", g, q.n, i+1)
				requireSame(t, c.Eval(uint32(i+1)), poly.Eval(uint32(i)).V, "%s n=%d member %d", g, q.n, i+1)
			}
			var indices []uint32
			var points []kyber3.Point
			for _, member := range q.members {
				p := c.Eval(uint32(member))
				indices, points = append(indices, uint32(member)), append(points, p)
				pubs = append(pubs, &share4.PubShare{I: uint32(member - 1), V: point4(t, theirs, p)})
			}
			ours, err := shamir.Interpolate(g, indices, points)
			require.NoError(t, err)
			recovered, err := share4.RecoverCommit(theirs, pubs, uint32(q.t), uint32(q.n))
			require.NoError(t, err)
			requireSame(t, ours, recovered, "%s n=%d", g, q.n)
		}
	}
}

// compressed is the form that others read, of what a commitment holds.
func compressed(t *testing.T, g shamir.Group, b []byte) []byte {
	t.Helper()
	if g != shamir.G2 {
		return b
	}
	c, err := shamir.DecodeCommitment(g, 1, b)
	require.NoError(t, err)
	return shamir.Encode(c.PublicKey())
}

// Sizes around those at which the method changes; scalars with little in them, too.
func TestSumsOfProductsAreThoseOfGnark(t *testing.T) {
	for g, theirs := range groups4() {
		for _, n := range []int{1, 2, 31, 200} {
			scalars, points := make([]kyber3.Scalar, n), make([]kyber3.Point, n)
			want := theirs.Point().Null()
			for i := range n {
				scalars[i] = scalar(t, g, "scalar", i)
				switch {
				case i%7 == 3:
					scalars[i] = g.Scalar().SetInt64(int64(i % 3))
				case i%7 == 5:
					scalars[i] = g.Scalar().SetInt64(-int64(i))
				}
				points[i] = g.Point().Mul(scalar(t, g, "point", i/2), nil)
				s := theirs.Scalar()
				require.NoError(t, s.UnmarshalBinary(shamir.Encode(scalars[i])))
				want.Add(want, theirs.Point().Mul(s, point4(t, theirs, points[i])))
			}
			requireSame(t, g.MultiMul(scalars, points), want, "%s n=%d", g, n)
		}
	}
}

func TestWhatGnarkRefusesIsRefused(t *testing.T) {
	for g, theirs := range groups4() {
		good := shamir.Encode(g.Point().Mul(scalar(t, g, "good"), nil))
		agreed := 0
		for i := range good {
			for _, mask := range []byte{1, 0x20, 0x80} {
				b := slices.Clone(good)
				b[i] ^= mask
				_, ours := shamir.DecodePoint(g, b)
				if theirs.Point().UnmarshalBinary(b) != nil {
					require.Error(t, ours, "%s byte %d mask %#x", g, i, mask)
					agreed++
				} else {
					require.NoError(t, ours, "%s byte %d mask %#x", g, i, mask)
				}
			}
		}
		require.Greater(t, agreed, len(good), "most of what is near a point is none")
	}
}
