package p2p

import (
	"net/netip"
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/x/rate"
)

// bitswapProtocols take a stream per message. Under libp2p's default of 64
// streams per peer a block provider resets those above it, and the blocks in
// them are lost until the next rebroadcast a minute later.
var bitswapProtocols = []protocol.ID{
	"/ipfs/bitswap", "/ipfs/bitswap/1.0.0", "/ipfs/bitswap/1.1.0", "/ipfs/bitswap/1.2.0",
}

const (
	bitswapPerPeer = 1024
	systemStreams  = 8192
)

// newResourceManager bounds what peers may hold open: libp2p's default limits
// for a small node, wider where they break honest traffic (bitswap; members
// that all reconnect from one address), and inbound streams per protocol and
// peer as configured.
func newResourceManager(c Config) (network.ResourceManager, error) {
	scaling := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&scaling)

	streams := func(n int) rcmgr.ResourceLimits {
		return rcmgr.ResourceLimits{
			Streams: rcmgr.LimitVal(2 * n), StreamsInbound: rcmgr.LimitVal(n), StreamsOutbound: rcmgr.LimitVal(2 * n),
		}
	}
	limits := rcmgr.PartialLimitConfig{
		System:       rcmgr.ResourceLimits{Streams: 2 * systemStreams, StreamsInbound: systemStreams, StreamsOutbound: systemStreams, Memory: rcmgr.LimitVal64(c.Memory)},
		Transient:    streams(512),
		PeerDefault:  streams(2 * bitswapPerPeer),
		Protocol:     map[protocol.ID]rcmgr.ResourceLimits{},
		ProtocolPeer: map[protocol.ID]rcmgr.ResourceLimits{},

		ProtocolDefault:     streams(2 * bitswapPerPeer),
		ProtocolPeerDefault: streams(c.PerPeerStreams),
	}
	for _, id := range bitswapProtocols {
		limits.Protocol[id] = streams(4 * bitswapPerPeer)
		limits.ProtocolPeer[id] = streams(bitswapPerPeer)
	}
	for id, n := range c.PerPeerStreamLimits {
		limits.ProtocolPeer[id] = streams(n)
	}

	// Members behind one router, or in one room, share an address.
	perAddress := rcmgr.ConnLimitPerSubnet{PrefixLength: 32, ConnCount: 64}
	perAddress6 := rcmgr.ConnLimitPerSubnet{PrefixLength: 56, ConnCount: 64}
	attempts := rate.Limit{RPS: 8, Burst: 128}
	limiter := &rate.Limiter{
		NetworkPrefixLimits: []rate.PrefixLimit{
			{Prefix: netip.MustParsePrefix("127.0.0.0/8")}, // unlimited
			{Prefix: netip.MustParsePrefix("::1/128")},
		},
		SubnetRateLimiter: rate.SubnetLimiter{
			IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: attempts}},
			IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: attempts}},
			GracePeriod:      time.Minute,
		},
	}
	const files = 1024
	return rcmgr.NewResourceManager(
		rcmgr.NewFixedLimiter(limits.Build(scaling.Scale(c.Memory, files))),
		rcmgr.WithLimitPerSubnet([]rcmgr.ConnLimitPerSubnet{perAddress}, []rcmgr.ConnLimitPerSubnet{perAddress6}),
		rcmgr.WithConnRateLimiters(limiter),
		rcmgr.WithMetricsDisabled(),
	)
}
