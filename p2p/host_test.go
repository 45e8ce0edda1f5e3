package p2p

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/circuitv2/client"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/stretchr/testify/require"
)

func TestListenOnGivesBothTransportsOnOnePort(t *testing.T) {
	for give, want := range map[string][]string{
		"127.0.0.1:4001": {"/ip4/127.0.0.1/tcp/4001", "/ip4/127.0.0.1/udp/4001/quic-v1"},
		"[::1]:0":        {"/ip6/::1/tcp/0", "/ip6/::1/udp/0/quic-v1"},
	} {
		got, err := ListenOn(give)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, bad := range []string{"", "localhost:1", "127.0.0.1", "127.0.0.1:70000", "[fe80::1%eth0]:1"} {
		_, err := ListenOn(bad)
		require.ErrorContains(t, err, "listen address", bad)
	}
}

// freePort finds a port that is free for both transports, and that the system lends to
// nobody: those from 32768 on may be another test's before this one listens.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		port := 10000 + rand.IntN(22768)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		u, err := net.ListenPacket("udp", fmt.Sprintf("127.0.0.1:%d", port))
		l.Close()
		if err == nil {
			u.Close()
			return port
		}
	}
	t.Fatal("no port is free for both TCP and UDP")
	return 0
}

func TestATakenPortIsNamedWithTheWayOut(t *testing.T) {
	for _, transport := range []string{"tcp", "udp"} {
		t.Run(transport+" is held by another program", func(t *testing.T) {
			port := freePort(t)
			at := fmt.Sprintf("127.0.0.1:%d", port)
			if transport == "tcp" {
				l, err := net.Listen("tcp", at)
				require.NoError(t, err)
				defer l.Close()
			} else {
				l, err := net.ListenPacket("udp", at)
				require.NoError(t, err)
				defer l.Close()
			}
			c := Default()
			c.Key = testKey(t, 1)
			c.Listen, _ = ListenOn(at)
			_, err := New(c)
			require.ErrorIs(t, err, ErrPortTaken)
			require.ErrorContains(t, err, fmt.Sprintf("port %d is taken by another program", port))
			require.ErrorContains(t, err, "stop it, or choose another port with network.listen in config.toml or ATELIER_LISTEN")
			require.ErrorContains(t, err, "/"+transport+"/")
		})
	}
	t.Run("held by another node of ours, and free again after it closed", func(t *testing.T) {
		addrs, err := ListenOn(fmt.Sprintf("127.0.0.1:%d", freePort(t)))
		require.NoError(t, err)
		c := Default()
		c.Key, c.Listen = testKey(t, 1), addrs
		c.Relay = true // shares its port with its own dials, but not with others
		first, err := New(c)
		require.NoError(t, err)
		require.Len(t, first.Addrs(), 2)
		c.Key = testKey(t, 2)
		_, err = New(c)
		require.ErrorIs(t, err, ErrPortTaken)
		require.NoError(t, first.Close())
		second, err := New(c)
		require.NoError(t, err)
		require.NoError(t, second.Close())
	})
}

func TestTwoNodesOnOneTCPPortDoNotShareIt(t *testing.T) {
	// Hole punching makes libp2p listen with SO_REUSEPORT, where the system lets
	// a second program of the same user in and splits the connections.
	first := testHost(t, 1, onlyTCP, func(c *Config) { c.Relay = true })
	c := Default()
	c.Key, c.Relay, c.Listen = testKey(t, 2), true, []string{first.Addrs()[0].String()}
	_, err := New(c)
	require.ErrorIs(t, err, ErrPortTaken)
}

func TestConfigIsRefusedWithAReason(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"key: missing":           func(c *Config) { c.Key = nil },
		"network name":           func(c *Config) { c.DHT = true },
		"network name \"A b\"":   func(c *Config) { c.Network = "A b" },
		"address \"nonsense\"":   func(c *Config) { c.Listen = []string{"nonsense"} },
		"connections":            func(c *Config) { c.LowWater, c.HighWater = 5, 4 },
		"memory":                 func(c *Config) { c.Memory = 1 },
		"streams per peer":       func(c *Config) { c.PerPeerStreams = -1 },
		"streams per peer of /x": func(c *Config) { c.PerPeerStreamLimits = map[protocol.ID]int{"/x": 0} },
	} {
		c := Default()
		c.Key = testKey(t, 1)
		change(&c)
		_, err := New(c)
		require.ErrorContains(t, err, want)
	}
}

func TestStrangersAreKeptOutOnEveryTransportInBothDirections(t *testing.T) {
	for name, transport := range map[string]func(*Config){"TCP": onlyTCP, "QUIC": onlyQUIC} {
		t.Run(name, func(t *testing.T) {
			roster := NewRoster(testID(t, 2))
			ours := testHost(t, 1, transport, func(c *Config) { c.Allow = roster.Has })
			member := testHost(t, 2, transport)
			stranger := testHost(t, 3, transport)
			answering := func(h *Host) {
				Handle(h, echo, func(_ context.Context, _ peer.ID, r []byte) ([]byte, error) { return r, nil }, nil)
			}
			answering(ours)

			// The stranger may believe for a moment that it is connected; it
			// cannot be answered, and we never see a connection.
			var opened sync.Map
			ours.Network().Notify(&network.NotifyBundle{ConnectedF: func(_ network.Network, c network.Conn) { opened.Store(c.RemotePeer(), true) }})
			stranger.Peerstore().AddAddrs(ours.ID(), ours.Addrs(), peerstore.PermanentAddrTTL)
			_, err := Call(within(t), stranger, ours.ID(), echo, []byte("let me in"))
			require.Error(t, err)
			require.Error(t, ours.Connect(within(t), stranger.AddrInfo()), "we do not dial strangers either")
			_, seen := opened.Load(stranger.ID())
			require.False(t, seen)
			require.False(t, isConnected(ours, stranger.ID()))

			member.Peerstore().AddAddrs(ours.ID(), ours.Addrs(), peerstore.PermanentAddrTTL)
			got, err := Call(within(t), member, ours.ID(), echo, []byte("it is me"))
			require.NoError(t, err)
			require.Equal(t, "it is me", string(got))

			// The list changes: one falls out, one comes in.
			roster.Replace([]peer.ID{stranger.ID()})
			ours.Recheck()
			eventually(t, func() bool { return !isConnected(ours, member.ID()) }, "the former member is still connected")
			connect(t, ours, stranger)
		})
	}
}

func TestAGuestSpeaksOnlyWhatIsNamed(t *testing.T) {
	for name, transport := range map[string]func(*Config){"TCP": onlyTCP, "QUIC": onlyQUIC} {
		t.Run(name, func(t *testing.T) {
			roster := NewRoster()
			roster.SetSpoken("/join/1")
			roster.SetOpen(true)
			ours := testHost(t, 1, transport, func(c *Config) { c.Allow, c.Speaks = roster.Admits, roster.Speaks })
			guest := testHost(t, 3, transport)
			join, secret := Protocol{ID: "/join/1", Timeout: patience}, Protocol{ID: "/secret/1", Timeout: patience}
			asked := make(chan peer.ID, 16)
			for _, h := range []*Host{ours, guest} {
				Handle(h, join, func(_ context.Context, _ peer.ID, r []byte) ([]byte, error) { return r, nil }, nil)
				Handle(h, secret, func(_ context.Context, from peer.ID, r []byte) ([]byte, error) { asked <- from; return r, nil }, nil)
			}
			connect(t, guest, ours)
			got, err := Call(within(t), guest, ours.ID(), join, []byte("let me in"))
			require.NoError(t, err)
			require.Equal(t, "let me in", string(got))
			for range 3 {
				_, err = Call(within(t), guest, ours.ID(), secret, []byte("tell me"))
				require.Error(t, err)
				_, err = CallConn(within(t), guest.Network().ConnsToPeer(ours.ID())[0], secret, []byte("tell me"))
				require.Error(t, err)
				_, err = Call(within(t), ours, guest.ID(), secret, []byte("we do not ask it either"))
				require.ErrorIs(t, err, ErrUnreachable)
			}
			require.Empty(t, asked, "nothing was served")

			roster.Add(guest.ID())
			_, err = Call(within(t), guest, ours.ID(), secret, []byte("tell me"))
			require.NoError(t, err)
			require.Equal(t, guest.ID(), <-asked)
		})
	}
}

func TestRosterFollowsItsChanges(t *testing.T) {
	a, b := testID(t, 1), testID(t, 2)
	r := NewRoster(a)
	require.True(t, r.Has(a))
	require.False(t, r.Has(b))
	require.False(t, r.Admits(b))
	require.True(t, r.Speaks(b, "/all"), "before it names any")
	r.SetSpoken("/join")
	r.SetOpen(true)
	require.True(t, r.Admits(b))
	require.False(t, r.Has(b), "a stranger that may connect is no member")
	require.True(t, r.Speaks(b, "/join"))
	require.False(t, r.Speaks(b, "/all"))
	require.True(t, r.Speaks(a, "/all"))
	r.SetOpen(false)
	require.False(t, r.Admits(b))
	r.SetGuests([]peer.ID{b})
	require.True(t, r.Admits(b))
	require.True(t, r.Guest(b))
	require.False(t, r.Has(b))
	r.Add(b)
	require.False(t, r.Guest(b))
	require.ElementsMatch(t, []peer.ID{a, b}, r.List())
	r.Replace(nil)
	require.Empty(t, r.List())
	require.False(t, r.Has(a))
}

func TestAddressBookSurvivesARestart(t *testing.T) {
	a, b := testHost(t, 1), testHost(t, 2)
	connect(t, a, b)
	book := a.AddrBook()
	require.Len(t, book, 1)
	require.Equal(t, b.ID(), book[0].ID)
	require.ElementsMatch(t, b.Addrs(), book[0].Addrs)

	stored, err := json.Marshal(book)
	require.NoError(t, err)
	var loaded []peer.AddrInfo
	require.NoError(t, json.Unmarshal(stored, &loaded))
	require.NoError(t, a.Close())
	again := testHost(t, 1)
	require.Empty(t, again.AddrBook())
	again.SeedAddrBook(append(loaded, again.AddrInfo()))
	require.Equal(t, book, again.AddrBook())
	eventually(t, func() bool { return again.Connect(within(t), peer.AddrInfo{ID: b.ID()}) == nil }, "not connected")
}

func TestAnnouncedAddressesAreToldToOthers(t *testing.T) {
	outside := ma.StringCast("/dns4/gallery.example/tcp/4001")
	a := testHost(t, 1, func(c *Config) { c.Announce = []string{outside.String()} })
	b := testHost(t, 2)
	connect(t, b, a)
	eventually(t, func() bool {
		for _, x := range b.Peerstore().Addrs(a.ID()) {
			if x.Equal(outside) {
				return true
			}
		}
		return false
	}, "identify did not bring the announced address")
}

func TestProtectedPeersAreMarkedForTheConnectionManager(t *testing.T) {
	h := testHost(t, 1)
	a, b := testID(t, 2), testID(t, 3)
	h.Protect(a)
	require.True(t, h.ConnManager().IsProtected(a, ""))
	h.Protect(b)
	require.False(t, h.ConnManager().IsProtected(a, ""))
	require.True(t, h.ConnManager().IsProtected(b, ""))
}

func TestASharedHostOutlivesWhoBelievesToOwnIt(t *testing.T) {
	a, b := testHost(t, 1), testHost(t, 2)
	shared := a.Shared()
	require.NoError(t, shared.Network().Close())
	require.NoError(t, shared.Peerstore().Close())
	require.NoError(t, shared.Close())
	connect(t, shared, b)
	require.True(t, isConnected(a, b.ID()))
}

// heldStreams opens n streams of a protocol from a to b and reports how many
// of them b held open together.
func heldStreams(t *testing.T, a, b *Host, id protocol.ID, n int) int {
	t.Helper()
	var held, refused atomic.Int32
	release := make(chan struct{})
	var wait sync.WaitGroup
	b.SetStreamHandler(id, func(s network.Stream) {
		held.Add(1)
		<-release
		s.Close()
	})
	defer b.RemoveStreamHandler(id)
	for range n {
		s, err := a.NewStream(within(t), b.ID(), id)
		if err != nil {
			refused.Add(1)
			continue
		}
		wait.Go(func() {
			s.Write([]byte{1}) // completes the negotiation
			if _, err := s.Read(make([]byte, 1)); err != io.EOF {
				refused.Add(1)
			}
			s.Reset()
		})
	}
	eventually(t, func() bool { return int(held.Load()+refused.Load()) == n }, "some streams were neither accepted nor refused")
	close(release)
	wait.Wait()
	return int(held.Load())
}

func TestOnePeerHoldsAsManyStreamsAsItsProtocolAllows(t *testing.T) {
	b := testHost(t, 2, onlyTCP, func(c *Config) {
		c.PerPeerStreams = 10
		c.PerPeerStreamLimits = map[protocol.ID]int{"/test/narrow": 3}
	})
	a := testHost(t, 1, onlyTCP)
	connect(t, a, b)
	require.Equal(t, 10, heldStreams(t, a, b, "/test/usual", 20))
	require.Equal(t, 3, heldStreams(t, a, b, "/test/narrow", 20))
	// libp2p's default of 64 is what stalls bitswap.
	require.Equal(t, 400, heldStreams(t, a, b, "/ipfs/bitswap/1.2.0", 400))
}

func TestMembersFindEachOtherThroughTheNetworksOwnHashTable(t *testing.T) {
	table := func(c *Config) { c.DHT, c.Network = true, "harbour" }
	a, b, c := testHost(t, 1, table), testHost(t, 2, table), testHost(t, 3, table)
	connect(t, a, b)
	connect(t, c, b)
	eventually(t, func() bool { // identify has to come through first
		found, err := a.DHT().FindPeer(within(t), c.ID())
		return err == nil && found.ID == c.ID() && len(found.Addrs) > 0
	}, "the peer was not found")
	for _, id := range a.Mux().Protocols() {
		require.NotContains(t, id, "/ipfs/kad", "the public hash table must stay out")
	}

	other := testHost(t, 4, func(c *Config) { c.DHT, c.Network = true, "meadow" })
	connect(t, other, b)
	require.Empty(t, other.DHT().RoutingTable().ListPeers(), "networks do not mix")
}

func TestANodeBehindARelayIsReachedOnlyWhenItAskedForRelays(t *testing.T) {
	relay, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.EnableRelayService(), libp2p.ForceReachabilityPublic(), libp2p.DisableMetrics())
	require.NoError(t, err)
	defer relay.Close()
	relayInfo := peer.AddrInfo{ID: relay.ID(), Addrs: relay.Addrs()}

	roster := NewRoster(testID(t, 2), relay.ID())
	hidden := testHost(t, 1, func(c *Config) { c.Listen, c.Relay, c.Allow = nil, true, roster.Has })
	connect(t, hidden, relay)
	_, err = client.Reserve(within(t), hidden, relayInfo)
	require.NoError(t, err)
	through := peer.AddrInfo{ID: hidden.ID(), Addrs: []ma.Multiaddr{
		relay.Addrs()[0].Encapsulate(ma.StringCast("/p2p/" + relay.ID().String() + "/p2p-circuit")),
	}}

	member := testHost(t, 2, func(c *Config) { c.Relay = true })
	eventually(t, func() bool { return member.Connect(within(t), through) == nil }, "not connected through the relay")
	require.Equal(t, network.Limited, member.Network().Connectedness(hidden.ID()))

	plain := testHost(t, 3)
	require.ErrorIs(t, plain.Connect(within(t), through), ErrUnreachable, "relays are off unless asked for")

	stranger := testHost(t, 4, func(c *Config) { c.Relay = true })
	err = stranger.Connect(within(t), through)
	eventually(t, func() bool { return hidden.Network().Connectedness(stranger.ID()) == network.NotConnected }, "a relay is no way around the gate")
	for _, c := range hidden.Network().ConnsToPeer(stranger.ID()) {
		t.Errorf("connected to a stranger: %s (dial said %v)", c, err)
	}
}
