package p2p

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// A blinded share takes 162 bytes; the largest answers are megabytes.
func BenchmarkCall(b *testing.B) {
	for name, transport := range map[string]func(*Config){"TCP": onlyTCP, "QUIC": onlyQUIC} {
		for _, size := range []int{162, 1 << 20} {
			b.Run(fmt.Sprintf("%s/bytes=%d", name, size), func(b *testing.B) {
				client, server := pair(b, transport)
				handle(b, server, echo, answerEcho)
				request := make([]byte, size)
				b.SetBytes(int64(2 * size))
				for b.Loop() {
					_, err := Call(context.Background(), client, server.ID(), echo, request)
					require.NoError(b, err)
				}
			})
		}
	}
}

// A node starts one; the demonstration starts four.
func BenchmarkHost(b *testing.B) {
	b.Run("start and close", func(b *testing.B) {
		for b.Loop() {
			c := Default()
			c.Key = testKey(b, 1)
			h, err := New(c)
			require.NoError(b, err)
			require.NoError(b, h.Close())
		}
	})
	b.Run("four connected with gossip", func(b *testing.B) {
		var hosts []*Host
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		started := runtime.NumGoroutine()
		for n := range 4 {
			h := testHost(b, uint64(n+1))
			for _, other := range hosts {
				connect(b, h, other)
			}
			g, err := NewGossip(h, GossipConfig{Topics: []string{testTopic}})
			require.NoError(b, err)
			defer g.Close()
			hosts = append(hosts, h)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		for b.Loop() {
		}
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc+after.StackInuse-before.StackInuse)/4/(1<<10), "KiB/host")
		b.ReportMetric(float64(runtime.NumGoroutine()-started)/4, "goroutines/host")
	})
}

// Gossip between two hosts on loopback: one message published and delivered.
func BenchmarkGossip(b *testing.B) {
	x, y := pair(b, onlyQUIC)
	var topics []*Topic[string]
	for _, h := range []*Host{x, y} {
		g, err := NewGossip(h, GossipConfig{Topics: []string{testTopic}})
		require.NoError(b, err)
		defer g.Close()
		topic, err := Join(g, testTopic, words, judge)
		require.NoError(b, err)
		topics = append(topics, topic)
	}
	sub, err := topics[1].Subscribe()
	require.NoError(b, err)
	defer sub.Close()
	eventually(b, func() bool { return len(topics[0].Peers()) == 1 }, "no peer on the topic")
	n := 0
	for b.Loop() {
		n++
		require.NoError(b, topics[0].Publish(context.Background(), fmt.Sprint(n)))
		_, err := sub.Next(context.Background())
		require.NoError(b, err)
	}
}
