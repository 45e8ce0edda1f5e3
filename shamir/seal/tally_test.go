package seal_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// verifiedBallot of the i-th voter.
func verifiedBallot(tb testing.TB, p seal.Poll, i, choice int) seal.VerifiedBallot {
	tb.Helper()
	v, err := seal.VerifyBallot(p, voter(i), ballot(tb, p, voter(i), choice))
	require.NoError(tb, err)
	return v
}

// tally of one ballot of weight 1 for each choice.
func tally(tb testing.TB, p seal.Poll, choices ...int) *seal.Tally {
	tb.Helper()
	sums, err := seal.NewTally(p)
	require.NoError(tb, err)
	for i, choice := range choices {
		require.NoError(tb, sums.Add(verifiedBallot(tb, p, i, choice), 1))
	}
	return sums
}

func tallyShares(tb testing.TB, m made, sums *seal.Tally) [][]byte {
	tb.Helper()
	var out [][]byte
	for _, k := range m.shares {
		b, err := seal.TallyShare(seeded("tally", k.Index()), k, m.committee, sums)
		require.NoError(tb, err)
		require.Len(tb, b, seal.TallyShareSize(sums.Poll().Options))
		out = append(out, b)
	}
	return out
}

func encoded(tb testing.TB, sums *seal.Tally) []byte {
	tb.Helper()
	b, err := sums.MarshalBinary()
	require.NoError(tb, err)
	require.Len(tb, b, seal.TallySize(sums.Poll().Options))
	return b
}

// The sums of any ballots with any weights, added in any order and kept by a
// ledger in between, open to what plain addition gives.
func TestCountsAreThePlainSums(t *testing.T) {
	m := committee(t, "a", 1, 4)
	var verified [4][][]seal.VerifiedBallot // by options, voter and choice
	for options := 1; options <= 3; options++ {
		for i := range 6 {
			var choices []seal.VerifiedBallot
			for choice := 0; choice <= options; choice++ {
				choices = append(choices, verifiedBallot(t, newPoll(m, options), i, choice))
			}
			verified[options] = append(verified[options], choices)
		}
	}
	type entry struct {
		voter, choice int
		weight        uint64
	}
	rapid.Check(t, func(r *rapid.T) {
		options := rapid.IntRange(1, 3).Draw(r, "options")
		p := newPoll(m, options)
		var entries []entry
		want := make([]uint64, options+1)
		weight := uint64(0)
		for i := range rapid.IntRange(3, 6).Draw(r, "voters") {
			e := entry{i, rapid.IntRange(0, options).Draw(r, "choice"), rapid.Uint64Range(1, 5000).Draw(r, "weight")}
			entries, weight = append(entries, e), weight+e.weight
			want[e.choice] += e.weight
		}
		var first []byte
		for _, order := range [][]entry{entries, rapid.Permutation(entries).Draw(r, "order")} {
			sums, err := seal.NewTally(p)
			require.NoError(r, err)
			for _, e := range order {
				require.NoError(r, sums.Add(verified[options][e.voter][e.choice], e.weight))
				sums, err = seal.UnmarshalTally(p, encoded(t, sums))
				require.NoError(r, err)
			}
			require.Equal(r, weight, sums.Weight())
			require.EqualValues(r, len(entries), sums.Ballots())
			if first == nil {
				first = encoded(t, sums)
			}
			require.Equal(r, first, encoded(t, sums), "in any order")
			counts, _, err := seal.CombineTally(m.committee, sums, tallyShares(t, m, sums))
			require.NoError(r, err)
			require.Equal(r, want, counts)
		}
	})
}

// A poll that began under one committee ends under another.
func TestTheNextCommitteeOpensBallotsMadeBefore(t *testing.T) {
	before := committee(t, "handover", 1, 4)
	p := newPoll(before, 2)
	sums := tally(t, p, 1, 2)

	l, parties, err := shamirtest.OpenHandover("handover", before.committee, before.shares, 5, 2)
	require.NoError(t, err)
	for height := uint64(1); l.Phase() != dkg.PhaseActive; height++ {
		require.Less(t, height, uint64(50))
		for _, party := range parties {
			messages, err := party.Step(height, l)
			require.NoError(t, err)
			for _, message := range messages {
				require.NoError(t, l.Apply(height, party.Speaks(message.Kind), message))
			}
		}
		l.EndBlock(height)
	}
	c, err := l.Committee()
	require.NoError(t, err)
	after := made{committee: c}
	for _, party := range parties {
		if party.Index() == 0 {
			continue
		}
		s, err := party.KeyShare(l)
		require.NoError(t, err)
		after.shares = append(after.shares, s)
	}
	require.Equal(t, before.committee.X(), c.X())
	require.NotEqual(t, before.committee.Digest(), c.Digest())

	require.NoError(t, sums.Add(verifiedBallot(t, p, 2, 2), 1), "and one more after it")
	shares := tallyShares(t, after, sums)
	counts, _, err := seal.CombineTally(c, sums, shares)
	require.NoError(t, err)
	require.Equal(t, []uint64{0, 1, 2}, counts)
	again, _, err := seal.CombineTally(before.committee, sums, tallyShares(t, before, sums))
	require.NoError(t, err)
	require.Equal(t, counts, again, "whichever of the two opens")

	_, err = seal.TallyShare(nil, before.shares[0], c, sums)
	require.ErrorIs(t, err, shamir.ErrForeignShare, "a share from another epoch")
	_, err = seal.VerifyTallyShare(before.committee, sums, shares[0])
	require.ErrorIs(t, err, shamir.ErrProof, "an opening share from another epoch")
}

func TestWhatATallyRefuses(t *testing.T) {
	m := committee(t, "a", 1, 4)
	p := newPoll(m, 2)
	other, fewer := p, p
	other.ID = h("another poll")
	fewer.Options = 1
	mine := verifiedBallot(t, p, 1, 1)
	for _, c := range []struct {
		name   string
		ballot seal.VerifiedBallot
		weight uint64
		want   error
	}{
		{"a ballot that nobody verified", seal.VerifiedBallot{}, 1, seal.ErrBallot},
		{"a ballot of another poll", verifiedBallot(t, other, 1, 1), 1, seal.ErrBallot},
		{"a ballot of fewer options", verifiedBallot(t, fewer, 1, 1), 1, seal.ErrBallot},
		{"no weight, which would count towards the minimum alone", mine, 0, seal.ErrWeight},
		{"one past all that can be weighed", mine, seal.MaxWeight - 4, seal.ErrWeight},
		{"a weight that comes round to zero", mine, math.MaxUint64 - 4, seal.ErrWeight},
		{"the largest weight", mine, math.MaxUint64, seal.ErrWeight},
		{"all that is left", mine, seal.MaxWeight - 5, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			sums := tally(t, p)
			require.NoError(t, sums.Add(verifiedBallot(t, p, 2, 2), 5))
			before := encoded(t, sums)
			err := sums.Add(c.ballot, c.weight)
			if c.want == nil {
				require.NoError(t, err)
				require.EqualValues(t, seal.MaxWeight, sums.Weight())
				return
			}
			require.ErrorIs(t, err, c.want)
			require.Equal(t, before, encoded(t, sums), "and is as before")
		})
	}
}

func TestTalliesThatAreNotInForm(t *testing.T) {
	m := committee(t, "a", 1, 4)
	p := newPoll(m, 2)
	good := encoded(t, tally(t, p, 1, 2, 0))
	const ballots, weight, sums = 33, 41, 49
	for name, change := range map[string]func(b []byte) []byte{
		"empty":                           func(b []byte) []byte { return nil },
		"one byte short":                  func(b []byte) []byte { return b[:len(b)-1] },
		"one byte long":                   func(b []byte) []byte { return append(b, 0) },
		"of another version":              func(b []byte) []byte { b[0]++; return b },
		"of another poll":                 func(b []byte) []byte { b[1] ^= 1; return b },
		"more ballots than weight":        func(b []byte) []byte { b[ballots+7] = 4; return b },
		"no ballots with some weight":     func(b []byte) []byte { b[ballots+7] = 0; return b },
		"more weight than there can be":   func(b []byte) []byte { b[weight] = 1; return b },
		"sums of no ballots":              func(b []byte) []byte { b[ballots+7], b[weight+7] = 0, 0; return b },
		"a sum that is no point":          func(b []byte) []byte { b[sums] |= 1; return b },
		"a sum with its top bit set":      func(b []byte) []byte { b[sums+31] |= 0x80; return b },
		"the last sum with a top bit set": func(b []byte) []byte { b[len(b)-1] |= 0x80; return b },
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.UnmarshalTally(p, change(slices.Clone(good)))
			require.ErrorIs(t, err, shamir.ErrEncoding)
		})
	}
	_, err := seal.UnmarshalTally(seal.Poll{}, good)
	require.ErrorIs(t, err, seal.ErrPoll)
	again, err := seal.UnmarshalTally(p, good)
	require.NoError(t, err)
	require.Equal(t, tally(t, p, 1, 2, 0).Digest(), again.Digest())
	empty := encoded(t, tally(t, p))
	again, err = seal.UnmarshalTally(p, empty)
	require.NoError(t, err)
	require.True(t, bytes.Equal(empty, encoded(t, again)))
}

func FuzzTally(f *testing.F) {
	m := committee(f, "a", 1, 1)
	p := newPoll(m, 2)
	sums := tally(f, p, 1, 2, 0)
	b, err := sums.MarshalBinary()
	require.NoError(f, err)
	f.Add(b)
	f.Add(tallyShares(f, m, sums)[0])
	f.Fuzz(func(t *testing.T, b []byte) {
		if read, err := seal.UnmarshalTally(p, b); err == nil {
			again, err := read.MarshalBinary()
			require.NoError(t, err)
			require.Equal(t, b, again)
			_, _ = seal.TallyShare(nil, m.shares[0], m.committee, read)
		} else {
			require.ErrorIs(t, err, shamir.ErrEncoding)
		}
		if _, err := seal.VerifyTallyShare(m.committee, sums, b); err == nil {
			counts, culprits, err := seal.CombineTally(m.committee, sums, [][]byte{b})
			require.NoError(t, err)
			require.Empty(t, culprits)
			require.Equal(t, []uint64{1, 1, 1}, counts)
		}
	})
}
