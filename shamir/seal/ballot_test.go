package seal_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/stretchr/testify/require"
)

// newPoll is a jury's, unless a test changes it.
func newPoll(m made, options int) seal.Poll {
	return seal.Poll{Chain: h("chain"), Purpose: "jury", ID: h("poll"), X: m.committee.X(), Options: options, Minimum: 3}
}

func voter(i int) [32]byte { return h(fmt.Sprint("voter", i)) }

func ballot(tb testing.TB, p seal.Poll, who [32]byte, choice int) *seal.Ballot {
	tb.Helper()
	b, err := seal.NewBallot(seeded("ballot", who, choice), p, who, choice)
	require.NoError(tb, err)
	require.Len(tb, b.Bytes(), seal.BallotSize(p.Options))
	again, err := seal.ParseBallot(p.Options, b.Bytes())
	require.NoError(tb, err)
	require.Equal(tb, b.Bytes(), again.Bytes())
	return again
}

func TestEveryChoiceMakesABallotThatHolds(t *testing.T) {
	m := committee(t, "a", 1, 4)
	for options := 1; options <= 4; options++ {
		p := newPoll(m, options)
		for choice := 0; choice <= options; choice++ {
			v, err := seal.VerifyBallot(p, voter(1), ballot(t, p, voter(1), choice))
			require.NoError(t, err, "choice %d of %d", choice, options)
			require.Equal(t, voter(1), v.Voter())
		}
	}
	largest := newPoll(m, seal.MaxOptions)
	_, err := seal.VerifyBallot(largest, voter(1), ballot(t, largest, voter(1), seal.MaxOptions))
	require.NoError(t, err)
	require.Equal(t, 9440, seal.BallotSize(seal.MaxOptions), "as MaxOptions says")
}

func TestTheSameChoiceLooksDifferentEachTime(t *testing.T) {
	p := newPoll(committee(t, "a", 1, 4), 2)
	a, err := seal.NewBallot(seeded(1), p, voter(1), 1)
	require.NoError(t, err)
	b, err := seal.NewBallot(seeded(2), p, voter(1), 1)
	require.NoError(t, err)
	for at := 0; at < len(a.Bytes()); at += 32 {
		require.NotEqual(t, a.Bytes()[at:at+32], b.Bytes()[at:at+32], "value %d", at/32)
	}
	_, err = seal.NewBallot(bytes.NewReader(make([]byte, 70)), p, voter(1), 1)
	require.Error(t, err, "randomness ran out")
}

func TestPollsOutsideTheLimits(t *testing.T) {
	m := committee(t, "a", 1, 4)
	require.NoError(t, newPoll(m, 2).Validate())
	for name, change := range map[string]func(*seal.Poll){
		"no option":                          func(p *seal.Poll) { p.Options = 0 },
		"options below zero":                 func(p *seal.Poll) { p.Options = -1 },
		"an option too many":                 func(p *seal.Poll) { p.Options = seal.MaxOptions + 1 },
		"one ballot opens it":                func(p *seal.Poll) { p.Minimum = 1 },
		"two ballots open it":                func(p *seal.Poll) { p.Minimum = 2 },
		"the identity as its key":            func(p *seal.Poll) { p.X = [32]byte{} },
		"a key that encodes no point":        func(p *seal.Poll) { p.X = [32]byte(bytes.Repeat([]byte{0xff}, 32)) },
		"a key in another than its one form": func(p *seal.Poll) { p.X[31] |= 0x80 },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPoll(m, 2)
			change(&p)
			require.ErrorIs(t, p.Validate(), seal.ErrPoll)
			_, err := seal.NewBallot(seeded(1), p, voter(1), 0)
			require.ErrorIs(t, err, seal.ErrPoll)
			_, err = seal.VerifyBallot(p, voter(1), ballot(t, newPoll(m, 2), voter(1), 1))
			require.ErrorIs(t, err, seal.ErrPoll)
			_, err = seal.NewTally(p)
			require.ErrorIs(t, err, seal.ErrPoll)
		})
	}
	for _, choice := range []int{-1, 3} {
		_, err := seal.NewBallot(seeded(1), newPoll(m, 2), voter(1), choice)
		require.ErrorIs(t, err, shamir.ErrSize)
	}
}

func TestBallotsOfOtherValuesAreRefused(t *testing.T) {
	m := committee(t, "a", 1, 4)
	for _, c := range []struct {
		name   string
		values []int64
		ok     bool
	}{
		{"one for the second option", []int64{0, 1, 0}, true},
		{"none", []int64{0, 0, 0}, true},
		{"two for one option", []int64{2, 0, 0}, false},
		{"a negative one", []int64{0, -1, 0}, false},
		{"two options", []int64{1, 1, 0}, false},
		{"every option", []int64{1, 1, 1}, false},
		{"two for one and one against another, one together", []int64{2, -1, 0}, false},
		{"one for one and one against another, none together", []int64{1, -1, 0}, false},
		{"a great many", []int64{1 << 40, 0, 0}, false},
		{"a single two", []int64{2}, false},
		{"a single negative one", []int64{-1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPoll(m, len(c.values))
			b, err := seal.CastValues(seeded(c.name), p, voter(1), c.values...)
			require.NoError(t, err)
			b, err = seal.ParseBallot(p.Options, b.Bytes())
			require.NoError(t, err)
			_, err = seal.VerifyBallot(p, voter(1), b)
			if c.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, seal.ErrBallot)
		})
	}
}

func TestABallotIsOfOneVoterInOnePoll(t *testing.T) {
	m := committee(t, "a", 1, 4)
	mine := newPoll(m, 2)
	b := ballot(t, mine, voter(1), 2)
	_, err := seal.VerifyBallot(mine, voter(2), b)
	require.ErrorIs(t, err, seal.ErrBallot, "another voter's")
	_, err = seal.VerifyBallot(mine, [32]byte{}, b)
	require.ErrorIs(t, err, seal.ErrBallot, "nobody's")
	for name, change := range map[string]func(*seal.Poll){
		"another chain's":            func(p *seal.Poll) { p.Chain = h("another chain") },
		"for another purpose":        func(p *seal.Poll) { p.Purpose = "proposal" },
		"another poll's":             func(p *seal.Poll) { p.ID = h("another poll") },
		"under another key":          func(p *seal.Poll) { p.X = committee(t, "another", 1, 4).committee.X() },
		"of fewer options":           func(p *seal.Poll) { p.Options = 1 },
		"of more options":            func(p *seal.Poll) { p.Options = 3 },
		"of a poll that opens early": func(p *seal.Poll) { p.Minimum++ },
	} {
		t.Run(name, func(t *testing.T) {
			p := mine
			change(&p)
			require.NotEqual(t, mine.Digest(), p.Digest())
			_, err := seal.VerifyBallot(p, voter(1), b)
			require.ErrorIs(t, err, seal.ErrBallot)
		})
	}
	_, err = seal.VerifyBallot(mine, voter(1), nil)
	require.ErrorIs(t, err, seal.ErrBallot, "no ballot")
}

func TestACopyOfAnothersVotesIsRefused(t *testing.T) {
	p := newPoll(committee(t, "a", 1, 4), 2)
	theirs := ballot(t, p, voter(1), 2)
	b, err := seal.CopyBallot(seeded("copy"), p, voter(2), theirs)
	require.NoError(t, err)
	b, err = seal.ParseBallot(2, b.Bytes())
	require.NoError(t, err)
	require.Equal(t, theirs.Bytes()[:128], b.Bytes()[:128])
	_, err = seal.VerifyBallot(p, voter(2), b)
	require.ErrorIs(t, err, seal.ErrBallot)

	// Negated, they would cancel theirs; doubled, they would show beside it.
	g := shamir.Ristretto255
	for name, change := range map[string]func(b []byte){
		"negated": func(b []byte) {
			v, err := shamir.DecodePoint(g, b)
			require.NoError(t, err)
			copy(b, shamir.Encode(v.Neg(v)))
		},
		"doubled": func(b []byte) {
			v, err := shamir.DecodePoint(g, b)
			require.NoError(t, err)
			copy(b, shamir.Encode(v.Add(v, v)))
		},
	} {
		raw := theirs.Bytes()
		for at := 0; at < 128; at += 32 {
			change(raw[at : at+32])
		}
		b, err := seal.ParseBallot(2, raw)
		require.NoError(t, err)
		for who := 1; who <= 2; who++ {
			_, err = seal.VerifyBallot(p, voter(who), b)
			require.ErrorIs(t, err, seal.ErrBallot, name)
		}
	}
}

// What a challenge leaves out can be chosen after it.
func TestTheChallengeHashesVotesAndCommitments(t *testing.T) {
	p := newPoll(committee(t, "a", 1, 4), 1)
	for name, b := range map[string]func() (*seal.Ballot, error){
		"commitments chosen after it": func() (*seal.Ballot, error) {
			return seal.LateCommitments(seeded("late"), p, voter(1), 2)
		},
		"votes chosen after it": func() (*seal.Ballot, error) { return seal.LateVotes(seeded("late"), p, voter(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			made, err := b()
			require.NoError(t, err)
			made, err = seal.ParseBallot(1, made.Bytes())
			require.NoError(t, err)
			_, err = seal.VerifyBallot(p, voter(1), made)
			require.ErrorIs(t, err, seal.ErrBallot)
		})
	}
}

func TestABallotHasTheOptionsOfItsPoll(t *testing.T) {
	p := newPoll(committee(t, "a", 1, 4), 3)
	for _, values := range [][]int64{{1}, {1, 0}, {1, 0, 0, 0}} {
		b, err := seal.CastValues(seeded("options"), p, voter(1), values...)
		require.NoError(t, err)
		_, err = seal.VerifyBallot(p, voter(1), b)
		require.ErrorIs(t, err, seal.ErrBallot, "%d options", len(values))
		_, culprits := seal.VerifyBallots([]seal.Cast{{Poll: p, Voter: voter(1), Ballot: b}})
		require.Equal(t, []int{0}, culprits)
	}
}

func TestNoByteOfABallotCanChange(t *testing.T) {
	m := committee(t, "a", 1, 4)
	for options := 1; options <= 2; options++ {
		p := newPoll(m, options)
		raw := ballot(t, p, voter(1), 1).Bytes()
		for i := range raw {
			changed := slices.Clone(raw)
			changed[i] ^= 1 << (i % 8)
			b, err := seal.ParseBallot(options, changed)
			if err == nil {
				_, err = seal.VerifyBallot(p, voter(1), b)
			}
			require.ErrorIs(t, err, seal.ErrBallot, "byte %d", i)
		}
	}
}

func TestBallotsThatAreNotInForm(t *testing.T) {
	m := committee(t, "a", 1, 4)
	p := newPoll(m, 2)
	good, other := ballot(t, p, voter(1), 1).Bytes(), ballot(t, p, voter(2), 1).Bytes()
	// A ‖ B of two options, four commitments and three answers of three proofs.
	const votes, commits, answers = 0, 128, 128 + 3*128
	swap := func(b []byte, i, j, n int) {
		x := slices.Clone(b[i : i+n])
		copy(b[i:], b[j:j+n])
		copy(b[j:], x)
	}
	order := []byte{ // of the group, little endian: the scalar 0 in another form
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
	}
	for name, change := range map[string]func(b []byte) []byte{
		"empty":                          func(b []byte) []byte { return nil },
		"one byte short":                 func(b []byte) []byte { return b[:len(b)-1] },
		"one byte long":                  func(b []byte) []byte { return append(b, 0) },
		"of one option":                  func(b []byte) []byte { return b[:seal.BallotSize(1)] },
		"the identity as a vote":         func(b []byte) []byte { clear(b[votes : votes+32]); return b },
		"the identity as its other half": func(b []byte) []byte { clear(b[votes+32 : votes+64]); return b },
		"the identity as a commitment":   func(b []byte) []byte { clear(b[commits : commits+32]); return b },
		"a point with its top bit set":   func(b []byte) []byte { b[votes+31] |= 0x80; return b },
		"a point with an odd encoding":   func(b []byte) []byte { b[votes] |= 1; return b },
		"an answer beyond the order":     func(b []byte) []byte { copy(b[answers:], order); return b },
		"the votes of two options swapped": func(b []byte) []byte {
			swap(b, votes, votes+64, 64)
			return b
		},
		"the proofs of two options swapped": func(b []byte) []byte {
			swap(b, commits, commits+128, 128)
			swap(b, answers, answers+96, 96)
			return b
		},
		"two options swapped with their proofs": func(b []byte) []byte {
			swap(b, votes, votes+64, 64)
			swap(b, commits, commits+128, 128)
			swap(b, answers, answers+96, 96)
			return b
		},
		"the two values of a proof swapped": func(b []byte) []byte {
			swap(b, commits, commits+64, 64)
			swap(b, answers+32, answers+64, 32)
			return b
		},
		"the proofs of another ballot": func(b []byte) []byte { copy(b[commits:], other[commits:]); return b },
		"the votes of another ballot":  func(b []byte) []byte { copy(b[:commits], other[:commits]); return b },
	} {
		t.Run(name, func(t *testing.T) {
			b, err := seal.ParseBallot(2, change(slices.Clone(good)))
			if err == nil {
				_, err = seal.VerifyBallot(p, voter(1), b)
			}
			require.ErrorIs(t, err, seal.ErrBallot)
		})
	}
	for _, options := range []int{-1, 0, seal.MaxOptions + 1} {
		_, err := seal.ParseBallot(options, good)
		require.ErrorIs(t, err, seal.ErrBallot)
	}
}

func FuzzBallot(f *testing.F) {
	m := committee(f, "a", 1, 1)
	for options := 1; options <= 3; options++ {
		p := newPoll(m, options)
		f.Add(options, ballot(f, p, voter(1), options).Bytes())
	}
	f.Add(seal.MaxOptions+1, []byte{1})
	f.Fuzz(func(t *testing.T, options int, b []byte) {
		parsed, err := seal.ParseBallot(options, b)
		if err != nil {
			require.ErrorIs(t, err, seal.ErrBallot)
			return
		}
		require.Equal(t, b, parsed.Bytes())
		p := newPoll(m, options)
		if _, err := seal.VerifyBallot(p, voter(1), parsed); err == nil {
			require.Equal(t, ballot(t, p, voter(1), options).Bytes(), b, "the seed alone holds")
		}
	})
}
