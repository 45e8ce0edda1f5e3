package shamir_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/stretchr/testify/require"
	"go.dedis.ch/kyber/v3"
	"pgregory.net/rapid"
)

func sha(b []byte) [32]byte { return sha256.Sum256(b) }

func TestThresholdIsMoreThanTwoThirds(t *testing.T) {
	for n, want := range map[int]int{1: 1, 2: 2, 3: 3, 4: 3, 5: 4, 7: 5, 16: 11, 64: 43, 128: 86} {
		require.Equal(t, want, shamir.Threshold(n), "n=%d", n)
	}
}

func TestAnyThresholdOfSharesRecoversTheSecret(t *testing.T) {
	for _, g := range []shamir.Group{shamir.Ristretto255, shamir.G1} {
		rapid.Check(t, func(r *rapid.T) {
			n := rapid.IntRange(1, 9).Draw(r, "n")
			threshold := rapid.IntRange(1, n).Draw(r, "t")
			seed := rapid.Uint64Range(0, 3).Draw(r, "seed")
			secret, err := shamir.RandomScalar(g, seeded("secret", seed))
			require.NoError(r, err)
			shares, c, err := shamir.Split(seeded("split", seed), g, secret, threshold, n)
			require.NoError(r, err)
			order := rapid.Permutation(shares).Draw(r, "order")

			got, culprits, err := shamir.Recover(c, order[:threshold])
			require.NoError(r, err)
			require.Empty(r, culprits)
			require.True(r, got.Equal(secret))

			_, _, err = shamir.Recover(c, order[:threshold-1])
			require.ErrorIs(r, err, shamir.ErrThreshold)
			if threshold > 1 {
				// One share short, interpolation gives something else.
				var indices []uint32
				for _, s := range order[:threshold-1] {
					indices = append(indices, s.Index)
				}
				weights, err := shamir.Lagrange(g, indices)
				require.NoError(r, err)
				sum := g.Scalar().Zero()
				for i, w := range weights {
					sum.Add(sum, w.Mul(w, order[i].Value()))
				}
				require.False(r, sum.Equal(secret))
			}
		})
	}
}

func TestRecoverNamesTheBadShare(t *testing.T) {
	g := shamir.Ristretto255
	secret := scalar(t, g, "secret")
	shares, c, err := shamir.Split(seeded("split"), g, secret, 3, 5)
	require.NoError(t, err)
	shares[1] = shamir.NewShare(2, scalar(t, g, "a lie"))

	got, culprits, err := shamir.Recover(c, shares)
	require.NoError(t, err, "four good shares are left")
	require.True(t, got.Equal(secret))
	require.Len(t, culprits, 1)
	require.EqualValues(t, 2, culprits[0].Index)

	_, _, err = shamir.Recover(c, append(shares[:3:3], shares[0], shamir.NewShare(0, secret), shamir.NewShare(900, secret)))
	require.ErrorIs(t, err, shamir.ErrThreshold, "a share given twice counts once")
	var bad *shamir.ShareError
	require.True(t, errors.As(err, &bad))
	require.ErrorIs(t, bad, shamir.ErrProof)
}

func TestEvalAllIsEval(t *testing.T) {
	for _, g := range groups {
		for _, size := range []struct{ t, n int }{{1, 1}, {1, 4}, {3, 2}, {3, 4}, {5, 5}, {7, 16}} {
			_, c, err := shamir.Split(seeded("poly"), g, scalar(t, g, "s"), size.t, max(size.n, size.t))
			require.NoError(t, err)
			all := c.EvalAll(size.n)
			require.Len(t, all, size.n)
			for i, p := range all {
				require.True(t, p.Equal(c.Eval(uint32(i+1))), "%s %+v member %d", g, size, i+1)
			}
		}
	}
}

// Public shares are secret shares times the generator, at every index.
func TestEvalIsTheShareTimesTheGenerator(t *testing.T) {
	g := shamir.Ristretto255
	secret := scalar(t, g, "s")
	p, err := shamir.NewPolynomial(g, []kyber.Scalar{secret, scalar(t, g, "a"), scalar(t, g, "b")})
	require.NoError(t, err)
	c := p.Commit()
	for i := uint32(1); i <= shamir.MaxMembers; i++ {
		require.True(t, c.Eval(i).Equal(g.Point().Mul(p.Share(i).Value(), nil)), "member %d", i)
	}
	require.True(t, c.Eval(0).Equal(g.Point().Mul(secret, nil)), "the secret stands at 0")
}

func TestSharesVerifyTogetherAsOneByOne(t *testing.T) {
	for _, g := range groups {
		var commitments []*shamir.Commitment
		var shares []shamir.Share
		weights := []uint32{0, 1, math.MaxUint32, 1234, 1234}
		for i := range weights {
			dealt, c, err := shamir.Split(seeded("together", i), g, scalar(t, g, "s", i), 3, 5)
			require.NoError(t, err)
			commitments, shares = append(commitments, c), append(shares, dealt[3])
		}
		require.NoError(t, shamir.VerifyTogether(weights, commitments, shares))
		for i := range shares {
			wrong := slices.Clone(shares)
			wrong[i] = shamir.NewShare(4, g.Scalar().Add(shares[i].Value(), g.Scalar().One()))
			require.ErrorIs(t, shamir.VerifyTogether(weights, commitments, wrong), shamir.ErrProof, "%s share %d", g, i)
		}
		// Errors that cancel: found unless the weights are alike, which is why dealers
		// must not know them.
		cancel := func(i, k int) []shamir.Share {
			wrong := slices.Clone(shares)
			wrong[i] = shamir.NewShare(4, g.Scalar().Add(shares[i].Value(), g.Scalar().One()))
			wrong[k] = shamir.NewShare(4, g.Scalar().Sub(shares[k].Value(), g.Scalar().One()))
			return wrong
		}
		require.ErrorIs(t, shamir.VerifyTogether(weights, commitments, cancel(1, 2)), shamir.ErrProof)
		require.NoError(t, shamir.VerifyTogether(weights, commitments, cancel(3, 4)))

		require.ErrorIs(t, shamir.VerifyTogether(nil, nil, nil), shamir.ErrSize)
		require.ErrorIs(t, shamir.VerifyTogether(weights[1:], commitments, shares), shamir.ErrSize)
		mixed := append(slices.Clone(shares[:4]), shamir.NewShare(5, shares[4].Value()))
		require.ErrorIs(t, shamir.VerifyTogether(weights, commitments, mixed), shamir.ErrSize, "shares of two members")
	}
}

func TestSumCommitsToTheSum(t *testing.T) {
	g := shamir.G1
	a, ca, err := shamir.Split(seeded("a"), g, scalar(t, g, "a"), 2, 3)
	require.NoError(t, err)
	b, cb, err := shamir.Split(seeded("b"), g, scalar(t, g, "b"), 2, 3)
	require.NoError(t, err)
	sum, err := shamir.Sum(ca, cb)
	require.NoError(t, err)
	for i := range a {
		require.NoError(t, sum.Verify(shamir.NewShare(a[i].Index, g.Scalar().Add(a[i].Value(), b[i].Value()))))
	}
	_, longer, err := shamir.Split(seeded("c"), g, scalar(t, g, "c"), 3, 3)
	require.NoError(t, err)
	_, err = shamir.Sum(ca, longer)
	require.ErrorIs(t, err, shamir.ErrSize, "a dealer does not choose its own threshold")
	_, err = shamir.DecodeCommitment(g, 2, longer.Bytes())
	require.ErrorIs(t, err, shamir.ErrEncoding)
}

func TestSizesOutOfRangeAreErrors(t *testing.T) {
	g := shamir.Ristretto255
	s := scalar(t, g, "s")
	for _, c := range []struct{ t, n int }{{0, 3}, {4, 3}, {-1, 3}, {1, shamir.MaxMembers + 1}} {
		_, _, err := shamir.Split(seeded("x"), g, s, c.t, c.n)
		require.ErrorIs(t, err, shamir.ErrSize, "%+v", c)
	}
	for _, indices := range [][]uint32{nil, {0}, {1, 1}, {1 << 31}} {
		_, err := shamir.Lagrange(g, indices)
		require.ErrorIs(t, err, shamir.ErrSize, "%v", indices)
	}
	_, err := shamir.Interpolate(g, []uint32{1}, nil)
	require.ErrorIs(t, err, shamir.ErrSize)
	_, err = shamir.RandomScalar(g, strings.NewReader("short"))
	require.Error(t, err)
	_, err = shamir.RandomScalar(g, zeros{})
	require.ErrorIs(t, err, shamir.ErrIdentity, "randomness of zeros")
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// forms prints v in every way that a program might by accident.
func forms(t *testing.T, v any) string {
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
		fmt.Fprintf(&b, verb+"\n", v)
		fmt.Fprintf(&b, verb+"\n", []any{v})
		fmt.Fprintf(&b, verb+"\n", struct{ V any }{v})
	}
	j, err := json.Marshal(map[string]any{"v": v})
	require.NoError(t, err)
	b.Write(j)
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v)
	return b.String()
}

func TestSecretsRedactThemselves(t *testing.T) {
	for _, g := range groups {
		secret := g.Scalar().SetInt64(0x5ec2e7_5ec2e7) // 104252149457639
		share := shamir.NewShare(3, secret)
		poly, err := shamir.NewPolynomial(g, []kyber.Scalar{secret, secret})
		require.NoError(t, err)
		key, err := shamir.NewKeyShare(3, 1, scalar(t, shamir.Ristretto255, "x"), scalar(t, shamir.G2, "y"))
		require.NoError(t, err)
		raw, err := key.MarshalBinary()
		require.NoError(t, err)
		for _, v := range []any{share, &share, secret, poly, key, *key} {
			text := strings.ToLower(forms(t, v))
			for _, leak := range []string{"5ec2e75ec2e7", "e7c25ee7c25e", "104252149457639", "[231 194", fmt.Sprintf("%x", raw[20:28]), fmt.Sprintf("%x", raw[50:58])} {
				require.NotContains(t, text, leak, "%T", v)
			}
		}
	}
}

func BenchmarkLagrange(b *testing.B) {
	for _, t := range []int{3, 11, 43} { // thresholds of 4, 16 and 64 members
		b.Run(fmt.Sprintf("t=%d", t), func(b *testing.B) {
			var indices []uint32
			for _, i := range rand.Perm(t) {
				indices = append(indices, uint32(i+1))
			}
			for b.Loop() {
				if _, err := shamir.Lagrange(shamir.Ristretto255, indices); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
