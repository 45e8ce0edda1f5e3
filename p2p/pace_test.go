package p2p

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"
)

func TestRequestsAreHeldToTheirPace(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	type ask struct {
		after time.Duration // since the start
		from  peer.ID
		times int
		pass  int
	}
	for name, c := range map[string]struct {
		each, total Rate
		asks        []ask
	}{
		"without rates all pass": {asks: []ask{{0, "a", 1000, 1000}}},
		"a burst, and then one at a time": {each: Rate{Burst: 3, Every: time.Second}, asks: []ask{
			{0, "a", 9, 3}, {999 * time.Millisecond, "a", 9, 0}, {time.Second, "a", 9, 1}, {1900 * time.Millisecond, "a", 9, 0}, {3 * time.Second, "a", 9, 2}}},
		"who waits gets no more than a burst": {each: Rate{Burst: 3, Every: time.Second}, asks: []ask{{0, "a", 9, 3}, {time.Hour, "a", 9, 3}}},
		"what is refused costs nothing":       {each: Rate{Burst: 1, Every: time.Second}, asks: []ask{{0, "a", 1000, 1}, {time.Second, "a", 1000, 1}}},
		"each peer has its own":               {each: Rate{Burst: 2, Every: time.Second}, asks: []ask{{0, "a", 9, 2}, {0, "b", 9, 2}, {time.Second, "b", 9, 1}, {time.Second, "a", 9, 1}}},
		"all together have one": {each: Rate{Burst: 2, Every: time.Second}, total: Rate{Burst: 3, Every: 2 * time.Second}, asks: []ask{
			{0, "a", 9, 2}, {0, "b", 9, 1}, {time.Second, "c", 9, 0}, {2 * time.Second, "c", 9, 1}, {time.Minute, "c", 9, 2}, {time.Minute, "d", 9, 1}}},
		"without one of their own":                   {total: Rate{Burst: 3, Every: time.Second}, asks: []ask{{0, "a", 9, 3}, {time.Second, "b", 9, 1}}},
		"a clock that goes back lets nobody through": {each: Rate{Burst: 1, Every: time.Second}, asks: []ask{{time.Hour, "a", 9, 1}, {0, "a", 9, 0}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := pace{each: c.each, total: c.total}
			for i, a := range c.asks {
				passed := 0
				for range a.times {
					if err := p.pass(a.from, start.Add(a.after)); err == nil {
						passed++
					} else {
						require.Equal(t, CodeBusy, CodeOf(err))
					}
				}
				require.Equal(t, a.pass, passed, "step %d", i)
			}
		})
	}
}

func TestWhoAskedOnceIsForgotten(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := pace{each: Rate{Burst: 4, Every: time.Second}, total: Rate{Burst: 16, Every: 100 * time.Millisecond}}
	passed := 0
	for i := range 100_000 { // each of them somebody else, 10 ms apart
		if p.pass(peer.ID(fmt.Sprint(i)), now) == nil {
			passed++
		}
		require.LessOrEqual(t, len(p.peers), 16+2*4*10)
		now = now.Add(10 * time.Millisecond)
	}
	require.InDelta(t, 10_000, passed, 16)
}

func TestTheDoorsPaceHoldsBackFloodsAndNobodyElse(t *testing.T) {
	for name, c := range map[string]struct {
		protocol Protocol
		every    time.Duration // an honest newcomer asks, once the first attempts have failed
	}{
		"applying": {ApplyProtocol, 10 * time.Second}, "how it stands": {StandingProtocol, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			p := pace{each: c.protocol.PeerRate, total: c.protocol.TotalRate}
			for range 100 { // 128 at the same moments
				for i := range 128 {
					require.NoError(t, p.pass(peer.ID(fmt.Sprint("newcomer ", i)), now))
				}
				now = now.Add(c.every)
			}
			passed := 0
			for range 1000 {
				if p.pass("one who floods", now) == nil {
					passed++
				}
			}
			require.Equal(t, c.protocol.PeerRate.Burst, passed)
			require.NoError(t, p.pass("newcomer 0", now), "it is not the one who floods")
			for i := range 10_000 {
				if p.pass(peer.ID(fmt.Sprint("one of many ", i)), now) == nil {
					passed++
				}
			}
			require.Less(t, passed, c.protocol.TotalRate.Burst)
			require.Equal(t, CodeBusy, CodeOf(p.pass("newcomer 1", now)))
			require.NoError(t, p.pass("newcomer 1", now.Add(c.protocol.TotalRate.Every)), "asked again")
		})
	}
}

func TestAServiceAnswersAtItsPace(t *testing.T) {
	client, server := pair(t, onlyQUIC)
	p := echo
	p.ID, p.PeerRate = "/test/pace/1", Rate{Burst: 2, Every: time.Hour}
	served := 0
	handle(t, server, p, func(_ context.Context, _ peer.ID, r []byte) ([]byte, error) {
		served++
		return r, nil
	})
	for i := range 4 {
		_, err := Call(within(t), client, server.ID(), p, []byte("x"))
		if i < 2 {
			require.NoError(t, err)
		} else {
			require.Equal(t, CodeBusy, CodeOf(err))
		}
	}
	require.Equal(t, 2, served)
}
