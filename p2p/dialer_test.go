package p2p

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"
)

// scene drives a Dialer and prints what it asks for.
type scene struct {
	*Dialer
	now time.Duration
}

func (s *scene) at(now time.Duration, e DialerEvent) []string {
	s.now = now
	var out []string
	for _, f := range s.Step(now, e) {
		switch f := f.(type) {
		case DialPeer:
			text := "dial " + string(f.ID)
			if f.Attempt > 0 {
				text += fmt.Sprintf(" again %d", f.Attempt)
			}
			if f.Lookup {
				text += " after look-up"
			}
			out = append(out, text)
		case WakeAt:
			out = append(out, "wake")
		}
	}
	return out
}

func TestTheDialerAsOneStory(t *testing.T) {
	s := &scene{Dialer: NewDialer(DialerConfig{Self: "m", Parallel: 2, MaxBackoff: 4 * time.Second})}
	const ms = time.Millisecond
	// "m" dials those above it at once and gives those below it half a second.
	require.Equal(t, []string{"dial x", "wake"}, s.at(0, MembersChanged{[]peer.ID{"a", "m", "x", "x"}}))
	require.Equal(t, []string{"wake"}, s.at(100*ms, Tick{}))
	require.Equal(t, []string{"dial a"}, s.at(500*ms, Tick{}))
	require.Empty(t, s.at(600*ms, PeerConnected{"a"}))
	require.Empty(t, s.at(600*ms, DialDone{"a", true}))
	// A failure waits about half a second, then twice that.
	require.Equal(t, []string{"wake"}, s.at(1000*ms, DialDone{"x", false}))
	require.Equal(t, []string{"wake"}, s.at(1300*ms, Tick{}))
	require.Equal(t, []string{"dial x again 1"}, s.at(1700*ms, Tick{}))
	require.Equal(t, []string{"wake"}, s.at(1700*ms, DialDone{"x", false}))
	require.Equal(t, []string{"wake"}, s.at(2300*ms, Tick{}))
	require.Equal(t, []string{"dial x again 2 after look-up"}, s.at(3000*ms, Tick{}))
	require.Equal(t, []string{"wake"}, s.at(3000*ms, DialDone{"x", false}))
	// A new address is tried at once; two dials at a time are enough.
	require.Equal(t, []string{"dial x again 3"}, s.at(3001*ms, PeerFound{"x"}))
	require.Equal(t, []string{"dial y"}, s.at(3001*ms, MembersChanged{[]peer.ID{"a", "x", "y", "z"}}))
	require.Equal(t, []string{"dial z", "wake"}, s.at(3002*ms, DialDone{"x", false}))
	// Somebody who left is not dialled again, and the dial under way is forgotten.
	require.Equal(t, []string{"wake"}, s.at(3003*ms, PeerConnected{"y"}))
	require.Equal(t, []string{"wake"}, s.at(3003*ms, DialDone{"y", true}))
	require.Empty(t, s.at(3004*ms, MembersChanged{[]peer.ID{"a", "y"}}))
	require.Empty(t, s.at(3005*ms, DialDone{"z", false}))
	require.Empty(t, s.at(60_000*ms, Tick{}))
	// A long connection that breaks is dialled again at once from our side, a
	// short one only after a while.
	require.Equal(t, []string{"dial y"}, s.at(60_000*ms, PeerDisconnected{"y"}))
	require.Empty(t, s.at(60_001*ms, PeerConnected{"y"}))
	require.Empty(t, s.at(60_001*ms, DialDone{"y", true}))
	require.Equal(t, []string{"wake"}, s.at(60_100*ms, PeerDisconnected{"y"}))
	require.Equal(t, []string{"dial y again 1"}, s.at(61_000*ms, Tick{}))
}

func TestAnAddressFoundDuringADialIsTriedNext(t *testing.T) {
	s := &scene{Dialer: NewDialer(DialerConfig{Self: "a", MinBackoff: time.Hour, MaxBackoff: time.Hour})}
	require.Equal(t, []string{"dial b"}, s.at(0, MembersChanged{[]peer.ID{"b"}}))
	require.Empty(t, s.at(time.Second, PeerFound{"b"}))
	require.Equal(t, []string{"dial b again 1"}, s.at(2*time.Second, DialDone{"b", false}))
	require.Equal(t, []string{"wake"}, s.at(3*time.Second, DialDone{"b", false}), "once")
}

func TestASuccessfulDialWithoutAConnectionIsNotBelieved(t *testing.T) {
	s := &scene{Dialer: NewDialer(DialerConfig{Self: "a"})}
	require.Equal(t, []string{"dial b"}, s.at(0, MembersChanged{[]peer.ID{"b"}}))
	require.Equal(t, []string{"wake"}, s.at(time.Second, DialDone{"b", true}))
	require.Equal(t, []string{"dial b"}, s.at(2*time.Second, Tick{}))
}

func TestWaitsDoubleUpToTheLimitAndSpread(t *testing.T) {
	c := DialerConfig{Self: "a", MinBackoff: time.Second, MaxBackoff: 30 * time.Second}
	seen := map[time.Duration]bool{}
	for seed := range uint64(50) {
		c.Seed = seed
		d := NewDialer(c)
		for attempt := 1; attempt < 80; attempt++ {
			want := 30 * time.Second
			if attempt <= 5 {
				want = time.Second << (attempt - 1)
			}
			got := d.backoff("b", attempt)
			require.InDelta(t, want, got, float64(want)/4, "seed %d attempt %d", seed, attempt)
			seen[got] = true
		}
		require.Equal(t, d.backoff("b", 3), NewDialer(c).backoff("b", 3), "the same seed waits the same")
	}
	require.Greater(t, len(seen), 1000, "nodes that fail together do not return together")
}

// TestDialersFindEachOtherThroughDrops plays a whole network in virtual time:
// every member has a Dialer, dials take time and fail by chance, connections
// break, members go and come back. In the end, with the faults over, everybody
// is connected to everybody.
func TestDialersFindEachOtherThroughDrops(t *testing.T) {
	for seed := range uint64(40) {
		playNetwork(t, seed)
	}
}

type plannedEvent struct {
	at   time.Duration
	seq  int
	node int
	do   func()
}

func playNetwork(t *testing.T, seed uint64) {
	const (
		faults = 60 * time.Second
		end    = faults + 90*time.Second
	)
	random := rand.New(rand.NewPCG(seed, 1))
	n := 2 + random.IntN(7)
	ids := make([]peer.ID, n)
	for i := range ids {
		ids[i] = peer.ID(fmt.Sprintf("peer %d", i))
	}
	var (
		now     time.Duration
		queue   []plannedEvent
		seq     int
		dialers = make([]*Dialer, n)
		up      = make([]bool, n)
		links   = map[[2]int]bool{}
		dials   int
		step    func(i int, e DialerEvent)
	)
	plan := func(after time.Duration, node int, do func()) {
		seq++
		queue = append(queue, plannedEvent{now + after, seq, node, do})
	}
	link := func(i, j int) [2]int { return [2]int{min(i, j), max(i, j)} }
	cut := func(i, j int) {
		if links[link(i, j)] {
			delete(links, link(i, j))
			step(i, PeerDisconnected{ids[j]})
			step(j, PeerDisconnected{ids[i]})
		}
	}
	step = func(i int, e DialerEvent) {
		if !up[i] {
			return
		}
		d := dialers[i]
		for _, f := range d.Step(now, e) {
			switch f := f.(type) {
			case WakeAt:
				require.Greater(t, f.At, now, "seed %d: a wake in the past", seed)
				plan(f.At-now, i, func() {
					if dialers[i] == d {
						step(i, Tick{})
					}
				})
			case DialPeer:
				j := slices.Index(ids, f.ID)
				require.NotEqual(t, i, j, "seed %d: dials itself", seed)
				require.False(t, links[link(i, j)], "seed %d: dials a connected peer", seed)
				dials++
				lucky := now > faults || random.IntN(3) > 0
				plan(time.Duration(1+random.IntN(2000))*time.Millisecond, i, func() {
					if dialers[i] != d || !up[i] {
						return
					}
					ok := lucky && up[j]
					if ok && !links[link(i, j)] {
						links[link(i, j)] = true
						step(i, PeerConnected{ids[j]})
						step(j, PeerConnected{ids[i]})
					}
					step(i, DialDone{ids[j], ok})
				})
			}
		}
	}
	start := func(i int) {
		dialers[i] = NewDialer(DialerConfig{Self: ids[i], Seed: seed + uint64(i), Parallel: 1 + random.IntN(4)})
		up[i] = true
		step(i, MembersChanged{ids})
	}
	stop := func(i int) {
		for j := range n {
			if j != i {
				cut(i, j)
			}
		}
		up[i] = false
	}
	for i := range n {
		plan(time.Duration(random.IntN(3000))*time.Millisecond, i, func() { start(i) })
	}
	for range 60 {
		i, j := random.IntN(n), random.IntN(n)
		at := 4*time.Second + time.Duration(random.Int64N(int64(faults-8*time.Second)))
		if random.IntN(4) == 0 {
			plan(at, i, func() { stop(i) })
			plan(at+time.Duration(random.IntN(4000))*time.Millisecond, i, func() {
				if !up[i] {
					start(i)
				}
			})
		} else if i != j {
			plan(at, i, func() { cut(i, j) })
		}
	}
	for len(queue) > 0 {
		next := slices.MinFunc(queue, func(a, b plannedEvent) int {
			if a.at != b.at {
				return int(a.at - b.at)
			}
			return a.seq - b.seq
		})
		if next.at > end {
			break
		}
		queue = slices.DeleteFunc(queue, func(e plannedEvent) bool { return e.seq == next.seq })
		now = next.at
		next.do()
	}
	require.Len(t, links, n*(n-1)/2, "seed %d: %d members, not all connected", seed, n)
	require.Less(t, dials, 400*n, "seed %d: dials without pause", seed)
}
