package seal_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// casts are ballots for polls of one and of three options, in turn.
func casts(tb testing.TB, m made, count int) []seal.Cast {
	tb.Helper()
	yesNo, three := newPoll(m, 1), newPoll(m, 3)
	var out []seal.Cast
	for i := range count {
		p := yesNo
		if i%2 == 1 {
			p = three
		}
		out = append(out, seal.Cast{Poll: p, Voter: voter(i), Ballot: ballot(tb, p, voter(i), i%(p.Options+1))})
	}
	return out
}

func TestABatchRefusesWhatEachCheckRefuses(t *testing.T) {
	m := committee(t, "a", 1, 4)
	good := casts(t, m, 13)
	verified, culprits := seal.VerifyBallots(good)
	require.Empty(t, culprits)
	require.Len(t, verified, len(good))
	verified, culprits = seal.VerifyBallots(nil)
	require.Empty(t, verified)
	require.Empty(t, culprits)

	rapid.Check(t, func(r *rapid.T) {
		batch := slices.Clone(good)
		want := rapid.SliceOfDistinct(rapid.IntRange(0, len(batch)-1), rapid.ID).Draw(r, "culprits")
		slices.Sort(want)
		for _, i := range want {
			switch rapid.IntRange(0, 3).Draw(r, "how") {
			case 0:
				batch[i].Voter = voter(99)
			case 1:
				batch[i].Poll.ID = h("another poll")
			case 2:
				batch[i].Poll.Minimum = 0
			case 3:
				batch[i].Ballot = nil
			}
		}
		verified, culprits := seal.VerifyBallots(batch)
		require.ElementsMatch(r, want, culprits)
		require.True(r, slices.IsSorted(culprits))
		for i, v := range verified {
			one, err := seal.VerifyBallot(batch[i].Poll, batch[i].Voter, batch[i].Ballot)
			require.Equal(r, slices.Contains(want, i), err != nil)
			require.Equal(r, one, v)
		}
	})
}

// Errors of two ballots that cancel in the plain sum of their equations.
func TestABatchIsNoPlainSum(t *testing.T) {
	m := committee(t, "a", 1, 4)
	p := newPoll(m, 1)
	g := shamir.Ristretto255
	var batch []seal.Cast
	for i, sign := range []int64{1, -1} {
		raw := ballot(t, p, voter(i), 1).Bytes()
		z, err := shamir.DecodeScalar(g, raw[288-32:])
		require.NoError(t, err)
		copy(raw[288-32:], shamir.Encode(z.Add(z, g.Scalar().SetInt64(sign))))
		b, err := seal.ParseBallot(1, raw)
		require.NoError(t, err)
		batch = append(batch, seal.Cast{Poll: p, Voter: voter(i), Ballot: b})
	}
	_, culprits := seal.VerifyBallots(batch)
	require.Equal(t, []int{0, 1}, culprits)
}

func TestABatchLargerThanOneSum(t *testing.T) {
	m := committee(t, "a", 1, 4)
	p := newPoll(m, seal.MaxOptions) // 196 points each
	batch := make([]seal.Cast, 50)
	for i := range batch {
		batch[i] = seal.Cast{Poll: p, Voter: voter(1), Ballot: nil}
	}
	one := ballot(t, p, voter(1), 7)
	for i := range batch {
		batch[i].Ballot = one
	}
	batch[45].Voter = voter(2)
	_, culprits := seal.VerifyBallots(batch)
	require.Equal(t, []int{45}, culprits)
}

func BenchmarkBallot(b *testing.B) {
	m := committee(b, "bench", 1, 4)
	for _, options := range []int{1, 4} { // a juror's yes or no; an election
		p := newPoll(m, options)
		const count = 180 // the jurors of a round's short list
		var raw [][]byte
		var batch []seal.Cast
		for i := range count {
			c := seal.Cast{Poll: p, Voter: voter(i), Ballot: ballot(b, p, voter(i), i%(options+1))}
			batch, raw = append(batch, c), append(raw, c.Ballot.Bytes())
		}
		perBallot := func(b *testing.B) {
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*count), "µs/ballot")
		}
		b.Run(fmt.Sprintf("options=%d/make", options), func(b *testing.B) {
			for b.Loop() {
				if _, err := seal.NewBallot(seeded(1), p, voter(1), 1); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("options=%d/parse", options), func(b *testing.B) {
			for b.Loop() {
				for _, r := range raw {
					if _, err := seal.ParseBallot(options, r); err != nil {
						b.Fatal(err)
					}
				}
			}
			perBallot(b)
		})
		b.Run(fmt.Sprintf("options=%d/one-by-one", options), func(b *testing.B) {
			for b.Loop() {
				for _, c := range batch {
					if _, err := seal.VerifyBallot(c.Poll, c.Voter, c.Ballot); err != nil {
						b.Fatal(err)
					}
				}
			}
			perBallot(b)
		})
		b.Run(fmt.Sprintf("options=%d/batch", options), func(b *testing.B) {
			for b.Loop() {
				if _, culprits := seal.VerifyBallots(batch); culprits != nil {
					b.Fatal(culprits)
				}
			}
			perBallot(b)
		})
	}
}
