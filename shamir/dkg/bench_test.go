package dkg_test

import (
	"fmt"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
)

// sizes are the demo, the default network, two large ones and the largest possible.
var sizes = []int{4, 16, 64, 128, 256}

// BenchmarkCeremony is what one member computes in a whole ceremony: its own part,
// and the log's checks of everybody's messages. It is the last member, whose index
// costs most.
func BenchmarkCeremony(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			log := 0
			for b.Loop() {
				b.StopTimer()
				l, parties, err := shamirtest.Open("bench", 1, n, shamir.Threshold(n))
				if err != nil {
					b.Fatal(err)
				}
				dealers := make([]shamirtest.Dealer, n)
				for i := range dealers {
					dealers[i].Seed = shamirtest.Seed("bench", 1, uint32(i+1))
				}
				timeLast(b, l, parties, dealers)
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

// BenchmarkHandover is BenchmarkCeremony for a handover to the same members.
func BenchmarkHandover(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			committee, shares, err := shamirtest.Dealt("bench", 1, n)
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				b.StopTimer()
				l, parties, err := shamirtest.OpenHandover("bench", committee, shares, n, n)
				if err != nil {
					b.Fatal(err)
				}
				dealers := make([]shamirtest.Dealer, n)
				for i := range dealers {
					dealers[i] = shamirtest.Dealer{Seed: shamirtest.Seed("bench", 2, uint32(i+1)), Share: shares[i]}
				}
				timeLast(b, l, parties, dealers)
				b.StartTimer()
			}
		})
	}
}

// timeLast takes a ceremony to its end on a stopped timer, which runs while the last
// member works and while the log takes what anybody posts. The others do not look
// for wrong deals, and their acknowledgements are made together.
func timeLast(b *testing.B, l *dkg.Log, parties []*dkg.Party, dealers []shamirtest.Dealer) {
	last := parties[len(parties)-1]
	timed := func(f func() error) {
		b.StartTimer()
		err := f()
		b.StopTimer()
		if err != nil {
			b.Fatal(err)
		}
	}
	for height := uint64(1); l.Phase() < dkg.PhaseActive; height++ {
		var posts []post
		speak := func(p *dkg.Party) error {
			messages, err := p.Step(height, l)
			for _, m := range messages {
				posts = append(posts, post{from: p.Speaks(m.Kind), m: m})
			}
			return err
		}
		timed(func() error { return speak(last) })
		switch l.Phase() {
		case dkg.PhaseCommit, dkg.PhaseBundle:
			for _, p := range parties[:len(parties)-1] {
				if err := speak(p); err != nil {
					b.Fatal(err)
				}
			}
		case dkg.PhaseAcknowledge:
			acks, err := shamirtest.Acknowledgements(l, dealers)
			if err != nil {
				b.Fatal(err)
			}
			for i, m := range acks[:len(acks)-1] {
				posts = append(posts, post{from: uint32(i + 1), m: m})
			}
		}
		timed(func() error {
			for _, q := range posts {
				if err := l.Apply(height, q.from, q.m); err != nil {
					return err
				}
			}
			l.EndBlock(height)
			return nil
		})
	}
}
