package secagg_test

import (
	"fmt"
	"testing"

	"github.com/atelier-dao/atelier/shamir/secagg"
	"github.com/stretchr/testify/require"
)

// The genesis artist's trunk and words are some 176,000 numbers; 16 members are a
// committee, of whom four drop out before their input.
func BenchmarkRound(b *testing.B) {
	const length = 176_408
	w := newWorld(b, "bench", params(16, length))
	for _, n := range w.nodes[12:] {
		n.awake = func(p secagg.Phase) bool { return p != secagg.PhaseInput }
	}
	w.until(secagg.PhaseShare)
	w.tick()
	w.until(secagg.PhaseInput)
	shared := reread(b, w.round)
	input := inputOf("bench", 1, length)
	b.Run(fmt.Sprintf("mask/numbers=%d", length), func(b *testing.B) {
		for b.Loop() {
			out, err := w.nodes[0].participant().Step(w.height+1, shared, secagg.Event{Input: input})
			require.NoError(b, err)
			require.NotNil(b, out.File)
		}
		b.SetBytes(4 * length)
	})
	w.until(secagg.PhaseResult)
	b.Run(fmt.Sprintf("sum/numbers=%d", length), func(b *testing.B) {
		for b.Loop() {
			_, err := w.round.Sum(reader, func(m uint32) ([]byte, error) { return w.fetch(w.round, m) })
			require.NoError(b, err)
		}
	})
	encoded, err := w.round.MarshalBinary()
	require.NoError(b, err)
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			_, err := secagg.UnmarshalRound(encoded)
			require.NoError(b, err)
		}
		b.ReportMetric(float64(len(encoded)), "bytes")
	})
}
