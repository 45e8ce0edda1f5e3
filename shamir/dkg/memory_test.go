package dkg_test

import (
	"bytes"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

// A log with a memory takes and refuses what one without does, in any course that the
// ceremony takes, and ends with the same bytes.
func TestAMemoryChangesNothingButTheTimeItTakes(t *testing.T) {
	const n = 4
	start, parties, err := shamirtest.Open("memory", 1, n, shamir.Threshold(n))
	require.NoError(t, err)
	memory := dkg.NewMemory()
	for name, change := range map[string]func(from uint32, m *dkg.Message){
		"all honest":                          func(uint32, *dkg.Message) {},
		"all honest again":                    func(uint32, *dkg.Message) {},
		"a bundle with a flipped bit":         func(from uint32, m *dkg.Message) { flip(from == 2 && m.Kind == dkg.KindBundle, m) },
		"a commitment with a flipped bit":     func(from uint32, m *dkg.Message) { flip(from == 3 && m.Kind == dkg.KindCommit, m) },
		"an acknowledgement with one":         func(from uint32, m *dkg.Message) { flip(from == 1 && m.Kind == dkg.KindAck, m) },
		"a member that says nothing":          func(from uint32, m *dkg.Message) { m.Kind += 10 * dkg.Kind(from/4) },
		"an acknowledgement of nobody's keys": func(from uint32, m *dkg.Message) { zero(from == 4 && m.Kind == dkg.KindAck, m) },
	} {
		t.Run(name, func(t *testing.T) {
			with, without := start.Clone(), start.Clone()
			with.Remember(memory)
			for height := uint64(1); height < 20; height++ {
				for _, party := range parties {
					messages, err := party.Step(height, without)
					if err != nil {
						require.ErrorIs(t, err, dkg.ErrForeignCommit)
						continue
					}
					for _, m := range messages {
						from := party.Speaks(m.Kind)
						m.Body = bytes.Clone(m.Body)
						change(from, &m)
						one, two := with.Apply(height, from, m), without.Apply(height, from, m)
						require.Equal(t, one == nil, two == nil, "member %d, %s: %v, %v", from, m.Kind, one, two)
					}
				}
				require.Equal(t, without.EndBlock(height), with.EndBlock(height))
			}
			require.Equal(t, encode(t, without), encode(t, with))
			require.NoError(t, with.Audit())
			require.NoError(t, without.Audit())
		})
	}
}

// What is remembered of one bundle serves no other: not another's with the same proofs, nor
// one with the same deals.
func TestAMemoryTellsBundlesApart(t *testing.T) {
	const n = 4
	start, parties, err := shamirtest.Open("memory", 1, n, shamir.Threshold(n))
	require.NoError(t, err)
	memory, id := dkg.NewMemory(), start.ID()
	// posted are the logs, with and without a memory, to which the dealer has committed,
	// and what they say to the body.
	posted := func(dealer uint32, body []byte) (with, without error) {
		logs := []*dkg.Log{start.Clone(), start.Clone()}
		logs[0].Remember(memory)
		errs := make([]error, len(logs))
		for i, l := range logs {
			for from := uint32(1); from <= n; from++ {
				commit := shamir.Hash("bundle commitment", id[:], shamir.Uint64(uint64(dealer)), body)
				require.NoError(t, l.Apply(1, from, dkg.Message{Kind: dkg.KindCommit, Body: commit[:]}))
			}
			require.True(t, l.EndBlock(1))
			errs[i] = l.Apply(2, dealer, dkg.Message{Kind: dkg.KindBundle, Body: body})
		}
		return errs[0], errs[1]
	}
	l := start.Clone()
	for _, party := range parties {
		m, err := party.Step(1, l)
		require.NoError(t, err)
		require.NoError(t, l.Apply(1, party.Index(), m[0]))
	}
	require.True(t, l.EndBlock(1))
	dealt, err := parties[0].Step(2, l)
	require.NoError(t, err)
	body := dealt[0].Body
	with, without := posted(1, body)
	require.NoError(t, with)
	require.NoError(t, without)

	proofs := len(body) - n*80 - 3*shamir.ProofSize
	for name, c := range map[string]struct {
		dealer uint32
		at     int // of the bit that is flipped
	}{
		"with another deal":                {1, len(body) - 1},
		"with another proof of X":          {1, proofs + 40},
		"with another proof of Y":          {1, proofs + 104},
		"with another proof of possession": {1, proofs + 168},
		"with another commitment":          {1, 32},
		"of another dealer":                {2, len(body) - 1},
	} {
		other := bytes.Clone(body)
		other[c.at] ^= 1
		with, without := posted(c.dealer, other)
		require.Error(t, without, name)
		require.Error(t, with, name)
	}
}

func flip(yes bool, m *dkg.Message) {
	if yes {
		m.Body[0] ^= 1
	}
}

func zero(yes bool, m *dkg.Message) {
	if yes {
		clear(m.Body)
	}
}

func encode(t *testing.T, l *dkg.Log) []byte {
	t.Helper()
	b, err := l.MarshalBinary()
	require.NoError(t, err)
	return b
}
