package p2p

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	mocknet "github.com/libp2p/go-libp2p/p2p/net/mock"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/stretchr/testify/require"
)

// keep runs a Keeper until the returned function is called.
func keep(t *testing.T, k *Keeper) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- k.Run(ctx) }()
	return func() {
		cancel()
		require.ErrorIs(t, <-ended, context.Canceled)
	}
}

func TestAKeeperReturnsToARestartedMember(t *testing.T) {
	for name, form := range map[string]string{"TCP": "/ip4/127.0.0.1/tcp/%d", "QUIC": "/ip4/127.0.0.1/udp/%d/quic-v1"} {
		t.Run(name, func(t *testing.T) {
			address := fmt.Sprintf(form, freePort(t))
			at := func(address string) func(*Config) {
				return func(c *Config) { c.Listen = []string{address} }
			}
			// Identity 1 keeps; the identifiers decide who may dial first.
			ours := testHost(t, 1, at(fmt.Sprintf(form, 0)))
			theirs := testHost(t, 2, at(address))
			k := NewKeeper(ours, DialerConfig{Courtesy: time.Millisecond, MinBackoff: 20 * time.Millisecond, MaxBackoff: 100 * time.Millisecond}, time.Second)
			defer keep(t, k)()
			require.Empty(t, k.Status())
			k.SetMembers([]peer.AddrInfo{theirs.AddrInfo(), ours.AddrInfo(), {ID: testID(t, 7)}})
			eventually(t, func() bool { return isConnected(ours, theirs.ID()) && isConnected(theirs, ours.ID()) }, "not connected")
			require.True(t, ours.ConnManager().IsProtected(theirs.ID(), keeperTag))

			require.NoError(t, theirs.Close())
			eventually(t, func() bool { return !isConnected(ours, theirs.ID()) }, "still connected to nobody")
			again := testHost(t, 2, at(address))
			eventually(t, func() bool { return isConnected(again, ours.ID()) }, "did not return")

			// A member without an address stays missing, with the reason.
			eventually(t, func() bool {
				for _, m := range k.Status() {
					if m.ID == testID(t, 7) && !m.Connected && m.Attempts > 2 && m.Err != nil {
						return true
					}
				}
				return false
			}, "the missing member's failures do not show")
			status := k.Status()
			require.Len(t, status, 2)

			k.SetMembers(nil)
			require.Empty(t, k.Status())
			require.False(t, ours.ConnManager().IsProtected(theirs.ID(), keeperTag))
		})
	}
}

func TestTheKeepersBackoffIsTheOnlyOne(t *testing.T) {
	h := testHost(t, 1)
	k := NewKeeper(h, DialerConfig{Courtesy: time.Millisecond, MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond}, patience)
	defer keep(t, k)()
	k.SetMembers([]peer.AddrInfo{{ID: testID(t, 7), Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")}}})
	eventually(t, func() bool { return k.Status()[0].Attempts > 3 }, "no attempts")
	require.NotContains(t, k.Status()[0].Err.Error(), "backoff", "the swarm refused to dial by a back-off of its own")
	require.ErrorContains(t, k.Status()[0].Err, "connection refused")
}

func TestAKeeperFindsAMovedMemberThroughTheHashTable(t *testing.T) {
	table := func(c *Config) { c.DHT, c.Network = true, "harbour" }
	a, b := testHost(t, 1, table, onlyTCP), testHost(t, 2, table, onlyTCP)
	moved := testHost(t, 3, table, onlyTCP)
	connect(t, moved, b)
	k := NewKeeper(a, DialerConfig{MinBackoff: 20 * time.Millisecond, MaxBackoff: 50 * time.Millisecond, Courtesy: time.Millisecond}, patience)
	defer keep(t, k)()
	k.SetMembers([]peer.AddrInfo{b.AddrInfo(), {ID: moved.ID(), Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")}}})
	eventually(t, func() bool { return isConnected(a, moved.ID()) }, "not found")
}

func TestAnAddressHeardOnTheLocalNetworkIsTriedAtOnce(t *testing.T) {
	roster := NewRoster(testID(t, 2))
	a := testHost(t, 1, func(c *Config) { c.Allow = roster.Has })
	b := testHost(t, 2)
	k := NewKeeper(a, DialerConfig{Courtesy: time.Millisecond, MinBackoff: time.Hour, MaxBackoff: time.Hour}, patience)
	defer keep(t, k)()
	k.SetMembers([]peer.AddrInfo{{ID: b.ID()}})
	eventually(t, func() bool { return len(k.Status()) == 1 && k.Status()[0].Attempts == 1 }, "no first attempt")
	stranger := testHost(t, 3)
	localPeers{a}.HandlePeerFound(stranger.AddrInfo())
	require.Empty(t, a.Peerstore().Addrs(stranger.ID()))
	localPeers{a}.HandlePeerFound(b.AddrInfo())
	eventually(t, func() bool { return isConnected(a, b.ID()) }, "not tried")
}

// TestKeepersHoldANetworkTogether runs real Keepers in virtual time, on a
// simulated network whose connections break at random.
func TestKeepersHoldANetworkTogether(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const n = 5
				random := rand.New(rand.NewPCG(seed, 2))
				net := mocknet.New()
				net.SetLinkDefaults(mocknet.LinkOptions{Latency: testLatency})
				var hosts []host.Host
				var members []peer.AddrInfo
				for i := range n {
					h, err := net.AddPeer(testKey(t, uint64(i+1)), ma.StringCast(fmt.Sprintf("/ip4/10.0.0.%d/tcp/4001", i+1)))
					require.NoError(t, err)
					hosts = append(hosts, h)
					members = append(members, peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()})
				}
				require.NoError(t, net.LinkAll())
				var stops []func()
				for i, h := range hosts {
					k := NewKeeper(h, DialerConfig{Seed: seed + uint64(i)}, time.Second)
					k.SetMembers(members)
					stops = append(stops, keep(t, k))
				}
				pass(5 * time.Second)
				for range 40 {
					i, j := random.IntN(n), random.IntN(n)
					if i == j {
						continue
					}
					if random.IntN(3) == 0 { // for a while they cannot reach each other at all
						require.NoError(t, net.UnlinkPeers(hosts[i].ID(), hosts[j].ID()))
						require.NoError(t, net.DisconnectPeers(hosts[i].ID(), hosts[j].ID()))
						pass(time.Duration(random.IntN(5000)) * time.Millisecond)
						_, err := net.LinkPeers(hosts[i].ID(), hosts[j].ID())
						require.NoError(t, err)
					} else {
						require.NoError(t, net.DisconnectPeers(hosts[i].ID(), hosts[j].ID()))
						pass(time.Duration(random.IntN(1000)) * time.Millisecond)
					}
				}
				pass(time.Minute)
				for i, h := range hosts {
					for j, m := range members {
						require.Equal(t, i != j, isConnected(h, m.ID), "seed %d: %d and %d", seed, i, j)
					}
				}
				for _, stop := range stops {
					stop()
				}
				require.NoError(t, net.Close())
				pass(time.Minute)
			})
		})
	}
}
