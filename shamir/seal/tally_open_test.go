package seal_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAnyQuorumOpensTheSameCounts(t *testing.T) {
	for _, n := range []int{1, 4, 7} {
		t.Run(fmt.Sprintf("n=%d", n), func(t *testing.T) {
			m := committee(t, "a", 1, n)
			sums := tally(t, newPoll(m, 3), 1, 3, 0, 1, 1, 3)
			shares := tallyShares(t, m, sums)
			for i, s := range shares {
				index, err := seal.VerifyTallyShare(m.committee, sums, s)
				require.NoError(t, err)
				require.EqualValues(t, i+1, index)
			}
			rapid.Check(t, func(r *rapid.T) {
				some := rapid.Permutation(shares).Draw(r, "order")[:m.committee.T()]
				counts, culprits, err := seal.CombineTally(m.committee, sums, some)
				require.NoError(r, err)
				require.Empty(r, culprits)
				require.Equal(r, []uint64{1, 3, 0, 2}, counts)
				require.NoError(r, seal.VerifyCounts(m.committee, sums, some, counts))
			})
		})
	}
}

// Who can have a tally of few ballots opened reads the ballots.
func TestATallyOfTooFewStaysClosed(t *testing.T) {
	m := committee(t, "a", 1, 4)
	p := newPoll(m, 2)
	closed := func(t *testing.T, m made, sums *seal.Tally) {
		t.Helper()
		_, err := seal.TallyShare(nil, m.shares[0], m.committee, sums)
		require.ErrorIs(t, err, seal.ErrClosed)
		_, err = seal.VerifyTallyShare(m.committee, sums, make([]byte, seal.TallyShareSize(p.Options)))
		require.ErrorIs(t, err, seal.ErrClosed)
		_, _, err = seal.CombineTally(m.committee, sums, nil)
		require.ErrorIs(t, err, seal.ErrClosed)
		require.ErrorIs(t, seal.VerifyCounts(m.committee, sums, nil, []uint64{sums.Weight(), 0, 0}), seal.ErrClosed)
	}
	t.Run("no ballot", func(t *testing.T) { closed(t, m, tally(t, p)) })
	t.Run("one ballot", func(t *testing.T) { closed(t, m, tally(t, p, 1)) })
	t.Run("one ballot with the weight of many", func(t *testing.T) {
		sums := tally(t, p)
		require.NoError(t, sums.Add(verifiedBallot(t, p, 1, 1), 1000))
		closed(t, m, sums)
	})
	t.Run("one short of a larger minimum", func(t *testing.T) {
		p := p
		p.Minimum = 9
		closed(t, m, tally(t, p, 1, 1, 2, 2, 0, 1, 1, 2))
	})
	t.Run("one ballot of a poll with a larger minimum, in one with a lower", func(t *testing.T) {
		large := p
		large.Minimum = 9
		require.ErrorIs(t, tally(t, p).Add(verifiedBallot(t, large, 1, 1), 1), seal.ErrBallot)
		_, err := seal.UnmarshalTally(p, encoded(t, tally(t, large, 1)))
		require.ErrorIs(t, err, shamir.ErrEncoding)
	})
	t.Run("a poll under another committee's key", func(t *testing.T) {
		closed(t, committee(t, "another", 1, 4), tally(t, p, 1, 2, 1))
	})
	t.Run("the minimum", func(t *testing.T) {
		_, err := seal.TallyShare(nil, m.shares[0], m.committee, tally(t, p, 1, 2, 1))
		require.NoError(t, err)
	})
}

// Voters that share their randomness can cancel all of it. Their own poll fails.
func TestATallyOfBallotsThatCancelStaysClosed(t *testing.T) {
	m := committee(t, "a", 1, 4)
	p := newPoll(m, 1)
	raw := encoded(t, tally(t, p, 1, 0, 0))
	clear(raw[len(raw)-64 : len(raw)-32])
	sums, err := seal.UnmarshalTally(p, raw)
	require.NoError(t, err)
	_, err = seal.TallyShare(nil, m.shares[0], m.committee, sums)
	require.ErrorIs(t, err, seal.ErrClosed)
}

func TestTheTallyNamesTheLiars(t *testing.T) {
	m := committee(t, "a", 1, 4)
	sums := tally(t, newPoll(m, 2), 1, 2, 1, 0)
	shares := tallyShares(t, m, sums)
	for i := range shares[0] {
		changed := slices.Clone(shares[0])
		changed[i] ^= 1
		_, err := seal.VerifyTallyShare(m.committee, sums, changed)
		require.Error(t, err, "byte %d", i)
	}
	// One count more for one option and one less for the other: the sum of both is
	// right, the weights do not let it pass.
	shifted := slices.Clone(shares[0])
	g := shamir.Ristretto255
	for k, sign := range []int64{1, -1} {
		p, err := shamir.DecodePoint(g, shifted[2+32*k:34+32*k])
		require.NoError(t, err)
		p.Add(p, g.Point().Mul(g.Scalar().SetInt64(sign), nil))
		copy(shifted[2+32*k:], shamir.Encode(p))
	}
	_, err := seal.VerifyTallyShare(m.committee, sums, shifted)
	require.ErrorIs(t, err, shamir.ErrProof)
	other := tallyShares(t, m, tally(t, newPoll(m, 2), 1, 2, 1, 1))
	for _, c := range []struct {
		name     string
		shares   [][]byte
		culprits []int
		err      error
	}{
		{"three of four", shares[1:], nil, nil},
		{"a liar and three more", [][]byte{shifted, shares[1], shares[2], shares[3]}, []int{0}, nil},
		{"nothing and three more", [][]byte{shares[1], nil, shares[2], shares[3]}, []int{1}, nil},
		{"one too few", shares[:2], nil, shamir.ErrThreshold},
		{"one of them twice", [][]byte{shares[1], shares[1], shares[2]}, nil, shamir.ErrThreshold},
		{"a liar and two more", [][]byte{shares[1], shares[2], shifted}, []int{2}, shamir.ErrThreshold},
		{"a share of another tally", [][]byte{other[0], shares[1], shares[2]}, []int{0}, shamir.ErrThreshold},
		{"a share under another's index", [][]byte{append([]byte{0, 4}, shares[0][2:]...), shares[1], shares[2]}, []int{0}, shamir.ErrThreshold},
		{"none", nil, nil, shamir.ErrThreshold},
	} {
		t.Run(c.name, func(t *testing.T) {
			counts, culprits, err := seal.CombineTally(m.committee, sums, c.shares)
			require.Equal(t, c.culprits, culprits)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
				require.ErrorIs(t, seal.VerifyCounts(m.committee, sums, c.shares, []uint64{1, 2, 1}), c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, []uint64{1, 2, 1}, counts)
		})
	}
	_, err = seal.TallyShare(nil, committee(t, "another chain", 1, 4).shares[0], m.committee, sums)
	require.ErrorIs(t, err, shamir.ErrForeignShare)
}

// The same sums under another name are another tally, and the same members in
// another epoch another committee.
func TestATallyShareIsOfOneTallyAndOneCommittee(t *testing.T) {
	m := committee(t, "a", 1, 4)
	p := newPoll(m, 2)
	sums := tally(t, p, 1, 2, 0)
	share := tallyShares(t, m, sums)[0]
	heavier := encoded(t, sums)
	heavier[48]++
	later := p
	later.ID = h("a later poll")
	digest := later.Digest()
	renamed := append(append([]byte{heavier[0]}, digest[:]...), encoded(t, sums)[33:]...)
	for name, other := range map[string]struct {
		poll seal.Poll
		b    []byte
	}{"of another weight": {p, heavier}, "of another poll": {later, renamed}} {
		read, err := seal.UnmarshalTally(other.poll, other.b)
		require.NoError(t, err)
		_, err = seal.VerifyTallyShare(m.committee, read, share)
		require.ErrorIs(t, err, shamir.ErrProof, name)
	}
	b, err := m.committee.MarshalBinary()
	require.NoError(t, err)
	b[8]++
	next, err := shamir.UnmarshalCommittee(b)
	require.NoError(t, err)
	require.Equal(t, m.committee.Epoch()+1, next.Epoch())
	_, err = seal.VerifyTallyShare(next, sums, share)
	require.ErrorIs(t, err, shamir.ErrProof, "of another epoch")
}

func TestOnlyTheTrueCountsVerify(t *testing.T) {
	m := committee(t, "a", 1, 4)
	sums := tally(t, newPoll(m, 2), 1, 2, 1, 0)
	shares := tallyShares(t, m, sums)
	for _, c := range []struct {
		name   string
		counts []uint64
	}{
		{"another option's", []uint64{1, 1, 2}},
		{"one moved to none", []uint64{2, 1, 1}},
		{"one more than were cast", []uint64{1, 3, 1}},
		{"one fewer than were cast", []uint64{0, 2, 1}},
		{"numbers that come round to the weight", []uint64{1, math.MaxUint64, 4}},
		{"without none", []uint64{2, 1}},
		{"an option too many", []uint64{1, 2, 1, 0}},
		{"no counts", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.ErrorIs(t, seal.VerifyCounts(m.committee, sums, shares, c.counts), seal.ErrCounts)
		})
	}
	require.NoError(t, seal.VerifyCounts(m.committee, sums, shares, []uint64{1, 2, 1}))
}

func TestLogarithms(t *testing.T) {
	for _, max := range []uint64{0, 1, 2, 3, 8, 9, 15, 16, 17, 99, 1 << 20} {
		for _, v := range []uint64{0, 1, max / 2, max - min(max, 1), max} {
			if v > max {
				continue
			}
			got, ok := seal.Logarithm(int64(v), max)
			require.True(t, ok, "%d of %d", v, max)
			require.Equal(t, v, got)
		}
		for _, v := range []int64{int64(max) + 1, int64(max) + 2, 1 << 50, -1, -2} {
			_, ok := seal.Logarithm(v, max)
			require.False(t, ok, "%d of %d", v, max)
		}
	}
	for max := range uint64(70) {
		for v := range max + 1 {
			got, ok := seal.Logarithm(int64(v), max)
			require.True(t, ok && got == v, "%d of %d", v, max)
		}
		_, ok := seal.Logarithm(int64(max)+1, max)
		require.False(t, ok, "one more than %d", max)
	}
}

// Sums that no admitted ballots make, as of a ledger that took one unchecked.
func TestSumsOutOfRangeHaveNoCounts(t *testing.T) {
	m := committee(t, "a", 1, 4)
	p := newPoll(m, 1)
	raw := encoded(t, tally(t, p, 1, 1, 0))
	b, err := shamir.DecodePoint(shamir.Ristretto255, raw[len(raw)-32:])
	require.NoError(t, err)
	g := shamir.Ristretto255
	for _, change := range []int64{-3, 2, 1 << 30} {
		copy(raw[len(raw)-32:], shamir.Encode(g.Point().Add(b, g.Point().Mul(g.Scalar().SetInt64(change), nil))))
		sums, err := seal.UnmarshalTally(p, raw)
		require.NoError(t, err)
		counts, culprits, err := seal.CombineTally(m.committee, sums, tallyShares(t, m, sums))
		require.ErrorIs(t, err, seal.ErrCounts)
		require.Empty(t, culprits, "the members are not to blame")
		require.Nil(t, counts)
	}
}

func BenchmarkTally(b *testing.B) {
	m := committee(b, "bench", 1, 4)
	p := newPoll(m, 4) // an election
	one := verifiedBallot(b, p, 1, 2)
	for _, weight := range []uint64{1, 1 << 30} { // a juror's; a billion credits
		b.Run(fmt.Sprintf("add/weight=%d", weight), func(b *testing.B) {
			sums := tally(b, p)
			for i := 0; b.Loop(); i++ {
				if i%500 == 0 {
					sums = tally(b, p)
				}
				if err := sums.Add(one, weight); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, bits := range []int{5, 20, 32, 40} { // a jury of 31; a million credits; all that exist
		sums := tally(b, p, 1, 2)
		require.NoError(b, sums.Add(verifiedBallot(b, p, 2, 3), 1<<bits-2))
		shares := tallyShares(b, m, sums)
		counts := []uint64{0, 1, 1, 1<<bits - 2, 0}
		b.Run(fmt.Sprintf("combine/weight=2^%d", bits), func(b *testing.B) {
			for b.Loop() {
				got, _, err := seal.CombineTally(m.committee, sums, shares)
				if err != nil || !slices.Equal(counts, got) {
					b.Fatal(got, err)
				}
			}
		})
		if bits == 40 {
			b.Run("share", func(b *testing.B) {
				for b.Loop() {
					if _, err := seal.TallyShare(nil, m.shares[0], m.committee, sums); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("verify-share", func(b *testing.B) {
				for b.Loop() {
					if _, err := seal.VerifyTallyShare(m.committee, sums, shares[0]); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("verify-counts", func(b *testing.B) {
				for b.Loop() {
					if err := seal.VerifyCounts(m.committee, sums, shares, counts); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
