package dkg_test

import (
	"fmt"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
)

// BenchmarkCeremony is what one member computes in a whole ceremony: its own part,
// and the log's checks of everybody's messages.
func BenchmarkCeremony(b *testing.B) {
	for _, n := range []int{4, 16, 64} { // the demo, the default network, the largest tried
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			log := 0
			for b.Loop() {
				b.StopTimer()
				l, parties, err := shamirtest.Open("bench", 1, n, shamir.Threshold(n))
				if err != nil {
					b.Fatal(err)
				}
				timeFirst(b, l, parties)
				raw, err := l.MarshalBinary()
				if err != nil {
					b.Fatal(err)
				}
				log = len(raw)
				b.StartTimer()
			}
			b.ReportMetric(float64(log)/1024, "KiB-log")
		})
	}
}

// BenchmarkHandover is BenchmarkCeremony for a handover to the same members: what one
// of them computes, and the log's checks of everybody's messages.
func BenchmarkHandover(b *testing.B) {
	for _, n := range []int{4, 16, 64} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			committee, shares, err := shamirtest.Run("bench", 1, n)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				b.StopTimer()
				l, parties, err := shamirtest.OpenHandover("bench", committee, shares, n, n)
				if err != nil {
					b.Fatal(err)
				}
				timeFirst(b, l, parties)
				b.StartTimer()
			}
		})
	}
}

// timeFirst takes a ceremony to its end on a stopped timer, which runs while member 1
// works and while the log takes what anybody posts.
func timeFirst(b *testing.B, l *dkg.Log, parties []*dkg.Party) {
	for height := uint64(1); l.Phase() < dkg.PhaseActive; height++ {
		for _, p := range parties {
			if p.Index() == 1 {
				b.StartTimer()
			}
			messages, err := p.Step(height, l)
			b.StopTimer()
			if err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
			for _, m := range messages {
				if err := l.Apply(height, p.Speaks(m.Kind), m); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
		}
		b.StartTimer()
		l.EndBlock(height)
		b.StopTimer()
	}
}
