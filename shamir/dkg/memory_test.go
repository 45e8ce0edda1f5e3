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
