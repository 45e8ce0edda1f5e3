package curve

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// typicalTrades are trades with an artwork some way into its life: 100 to 10^7 credits behind
// as many tokens, and amounts of 0.1 to 99 credits.
func typicalTrades(seed uint64, n int, w Ratio) (states []State, amounts []Amount) {
	r := rand.New(rand.NewPCG(seed, 1))
	for range n {
		s := State{NewAmount(100*Unit + r.Uint64N(1e7*Unit)), NewAmount(100*Unit + r.Uint64N(1e7*Unit)), w}
		if w == 0 {
			s.Ratio = MinRatio + Ratio(r.Uint32N(uint32(MaxRatio-MinRatio+1)))
		}
		states = append(states, s)
		amounts = append(amounts, NewAmount(Unit/10+r.Uint64N(99*Unit)))
	}
	return states, amounts
}

// BenchmarkTrade prices one trade, for the default ratio of one half, for one
// that is no simple fraction, and for ratios drawn per trade. The share of calls
// that the kernel left to wider arithmetic is reported as widened/op.
func BenchmarkTrade(b *testing.B) {
	for _, w := range []Ratio{500_000, 333_333, 0} {
		states, amounts := typicalTrades(7, 1<<14, w)
		for _, op := range []string{"buy", "cost", "sell"} {
			b.Run(fmt.Sprintf("%s/ratio=%d", op, w), func(b *testing.B) {
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					s, a := &states[i&(1<<14-1)], amounts[i&(1<<14-1)]
					i++
					var err error
					switch op {
					case "buy":
						_, err = s.Buy(a)
					case "cost":
						_, err = s.Cost(a)
					case "sell":
						_, err = s.Sell(a)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "trades/s")
				widened := 0
				for i := range states {
					if leavesKernel(op, states[i], amounts[i]) {
						widened++
					}
				}
				b.ReportMetric(float64(widened)/float64(len(states)), "widened/op")
			})
		}
	}
}

// leavesKernel reports whether the trade needs more than the kernel.
func leavesKernel(op string, s State, a Amount) bool {
	var v power
	switch op {
	case "buy":
		v = s.grownSupply(a)
	case "cost":
		v = s.grownReserve(a)
	case "sell":
		if a == s.Supply {
			return false
		}
		v = s.shrunkReserve(a)
	}
	if v.num == v.den || v.scale == (u128{}) || v.p == v.q {
		return false
	}
	_, is := v.estimate()
	return is == undecided
}

// BenchmarkHardestTrades prices trades whose result is an integer or misses one
// by less than 2^-100: what a hostile collector can make each validator compute.
func BenchmarkHardestTrades(b *testing.B) {
	for _, c := range hardTrades() {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				_, _ = trade(c.op, c.state, c.amount)
			}
		})
	}
}
