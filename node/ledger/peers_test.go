package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/cometbft/cometbft/lp2p"
	"github.com/cometbft/cometbft/mempool"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestDialable(t *testing.T) {
	const id = "/p2p/12D3KooWGC6TvWhfapngX6wvJHMYvKpDMXPb3ZnCZ6dMoaMtimQ5"
	for name, c := range map[string]struct {
		in, want []string
	}{
		"nothing":              {},
		"QUIC before TCP":      {in: []string{"/ip4/1.2.3.4/tcp/1", "/ip4/1.2.3.4/udp/2/quic-v1"}, want: []string{"/ip4/1.2.3.4/udp/2/quic-v1", "/ip4/1.2.3.4/tcp/1"}},
		"names":                {in: []string{"/dns/atelier.example/udp/2/quic-v1", "/dns4/atelier.example/udp/2/quic-v1"}, want: []string{"/dns/atelier.example/udp/2/quic-v1", "/dns4/atelier.example/udp/2/quic-v1"}},
		"no IPv6":              {in: []string{"/ip6/::1/udp/2/quic-v1", "/dns6/a.example/udp/2/quic-v1"}},
		"no relays":            {in: []string{"/ip4/1.2.3.4/udp/2/quic-v1" + id + "/p2p-circuit", id + "/p2p-circuit"}},
		"no other transports":  {in: []string{"/ip4/1.2.3.4/udp/2/quic-v1/webtransport", "/ip4/1.2.3.4/tcp/2/ws", "/ip4/1.2.3.4/udp/2/webrtc-direct"}},
		"not an address alone": {in: []string{"/ip4/1.2.3.4", "/dnsaddr/atelier.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			var in []ma.Multiaddr
			for _, s := range c.in {
				in = append(in, ma.StringCast(s))
			}
			var got []string
			for _, a := range dialable(in) {
				got = append(got, a.String())
			}
			require.Equal(t, c.want, got)
		})
	}
}

// A network grows from one validator to four by transactions, and goes on
// without its founder.
func TestGrowth(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	var g bankGenesis
	require.NoError(t, json.Unmarshal(net.genesis, &g))
	g.Validators = g.Validators[:1]
	doc, err := json.Marshal(g)
	require.NoError(t, err)
	net.genesis = doc
	net.start(0).pay(t, 0, recipient(0), 1)
	for i := 1; i < 4; i++ {
		net.start(i)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var last Receipt
	for i := 1; i < 4; i++ {
		last, err = net.nodes[i].Submit(ctx, empower(net.nodes[i].ValidatorKey(), 1))
		require.NoError(t, err)
	}
	net.awaitAll(last.Height + 2) // from two blocks on
	require.Len(t, net.nodes[2].Status().Validators, 4)
	net.nodes[0].stop()
	for i := 1; i < 4; i++ {
		_, err := net.nodes[i].Submit(ctx, write("after the founder", string(rune('0'+i))))
		require.NoError(t, err)
	}
	net.nodes = net.nodes[1:]
	net.stopAll()
}

func TestPeersFollowTheMembership(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	for i := range 3 {
		net.start(i)
	}
	first := net.nodes[0]
	others := func() []peer.ID { return first.Status().Peers }
	await := func(hosts ...int) {
		t.Helper()
		var want []peer.ID
		for _, i := range hosts {
			want = append(want, net.hosts[i].ID())
		}
		slices.Sort(want)
		require.Eventually(t, func() bool { return slices.Equal(want, others()) }, patience, time.Millisecond)
	}
	await(1, 2)

	t.Run("a peer that is cut off is connected again", func(t *testing.T) {
		var cut network.Conn
		for _, c := range net.hosts[0].Network().ConnsToPeer(net.hosts[1].ID()) {
			cut = c
			require.NoError(t, c.Close())
		}
		require.NotNil(t, cut)
		first.pay(t, 0, recipient(0), 1)
		await(1, 2)
	})
	t.Run("one that has another genesis does not take part", func(t *testing.T) {
		stray := net.config(3, newBank())
		stray.Genesis = append(stray.Genesis[:len(stray.Genesis):len(stray.Genesis)], '\n')
		stray.Home = t.TempDir()
		e, err := New(stray)
		require.NoError(t, err)
		e.SetPeers(net.peers())
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		require.NoError(t, e.Run(ctx))
		require.NotContains(t, others(), net.hosts[3].ID())
		require.Zero(t, e.Status().Height)
	})
	t.Run("one that is no longer named is dropped", func(t *testing.T) {
		net.members.Delete(net.hosts[2].ID())
		first.SetPeers(net.peers()[:2])
		await(1)
	})
	t.Run("one that a late message brought back is dropped again", func(t *testing.T) {
		m := first.node.members
		_, err := m.set.Add(peer.AddrInfo{ID: net.hosts[2].ID(), Addrs: net.hosts[2].Addrs()}, lp2p.PeerAddOptions{OnStartFailed: m.removed})
		require.NoError(t, err)
		await(1)
	})
	net.nodes = net.nodes[:3]
	net.stopAll()
}

// A peer that consensus drops while it is being added leaves nothing behind,
// however often.
func TestAPeerDroppedBeforeItHasBegun(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 2)
	net.startAll()
	m := net.nodes[0].node.members
	h := newHost(t, 100, anyPort)
	net.admit(h.ID())
	p, err := m.set.Add(peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}, lp2p.PeerAddOptions{
		OnBeforeStart: func(p *lp2p.Peer) {
			for range mempool.MaxActiveIDs + 1 {
				m.reactors[0].InitPeer(p)
			}
			for _, r := range m.reactors[1:] {
				r.InitPeer(p)
			}
			m.drop(h.ID(), "at once")
		},
		OnAfterStart: func(p *lp2p.Peer) {
			for _, r := range m.reactors {
				r.AddPeer(p)
			}
		},
		OnStartFailed: m.removed,
	})
	require.NoError(t, err)
	require.False(t, m.set.Has(key(h.ID())))
	require.False(t, p.IsRunning())
}

// Whatever the engine started has ended when Run returns, but for what CometBFT
// and goleveldb leave asleep for some seconds, and two goroutines that wait on
// the write-ahead log's file for ever: CometBFT never closes it wholly.
func TestRunLeavesNoGoroutine(t *testing.T) {
	net := foundNet(t, 4)
	before := goleak.IgnoreCurrent()
	net.startAll()
	r := net.nodes[0].pay(t, 0, recipient(0), 1)
	net.awaitAll(r.Height)
	stream := net.nodes[1].Subscribe(context.Background())
	net.stopAll()
	for range stream {
	}
	for _, h := range net.hosts { // theirs are the host's, not ours
		require.NoError(t, h.Close())
	}
	var left error
	ended := func() bool {
		left = goleak.Find(before,
			goleak.IgnoreAnyFunction("github.com/cometbft/cometbft/libs/autofile.OpenAutoFile.func1"),
			goleak.IgnoreAnyFunction("github.com/cometbft/cometbft/libs/autofile.(*AutoFile).closeFileRoutine"))
		return left == nil
	}
	for deadline := time.Now().Add(patience); !ended(); { // Find itself tries for a second
		require.True(t, time.Now().Before(deadline), "%v", left)
	}
}
