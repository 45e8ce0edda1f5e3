package p2p

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/gologshim"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	noise "github.com/libp2p/go-libp2p/p2p/security/noise"
	libp2pquic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	ma "github.com/multiformats/go-multiaddr"
)

// Host is one node's place in the network. It is a libp2p host.Host, so
// gossip, bitswap, consensus and our own streams share it: one identity, one
// set of ports, one resource manager. Safe for concurrent use.
type Host struct {
	host.Host
	allow func(peer.ID) bool
	dht   *dht.IpfsDHT
	stop  []func() error // what Close ends before the host, last first

	mu        sync.Mutex // guards what follows
	protected map[peer.ID]struct{}
	watchers  map[*Keeper]struct{}
}

// protectTag marks connections that the connection manager never trims.
const protectTag = "atelier/committee"

// New starts a host. The error is a *PortTakenError when a listen address is
// taken; then nothing is left running.
func New(c Config) (*Host, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("p2p: %w", err)
	}
	c = c.withDefaults()
	if c.Allow == nil {
		c.Allow = func(peer.ID) bool { return true }
	}
	if c.Speaks == nil {
		c.Speaks = func(peer.ID, protocol.ID) bool { return true }
	}
	limits, err := newResourceManager(c)
	if err != nil {
		return nil, fmt.Errorf("p2p: resource manager: %w", err)
	}
	limits = inbound{limits, c.Speaks}
	conns, err := connmgr.NewConnManager(c.LowWater, c.HighWater, connmgr.WithGracePeriod(time.Minute))
	if err != nil {
		limits.Close()
		return nil, fmt.Errorf("p2p: connection manager: %w", err)
	}
	inner, err := libp2p.New(c.options(limits, conns)...)
	if err != nil {
		limits.Close()
		conns.Close()
		return nil, fmt.Errorf("p2p: %w", err)
	}
	h := &Host{Host: outbound{inner, c.Speaks}, allow: c.Allow, protected: map[peer.ID]struct{}{}, watchers: map[*Keeper]struct{}{}}
	if err := listen(inner, c.Listen); err != nil {
		h.Close()
		return nil, err
	}
	if err := h.discover(c); err != nil {
		h.Close()
		return nil, fmt.Errorf("p2p: %w", err)
	}
	return h, nil
}

// options translates the configuration for libp2p.
func (c Config) options(limits network.ResourceManager, conns *connmgr.BasicConnMgr) []libp2p.Option {
	// Sharing the listening port with dials matters to hole punching only.
	var shared []any
	if !c.Relay {
		shared = append(shared, tcp.DisableReuseport())
	}
	opts := []libp2p.Option{
		libp2p.Identity(c.Key),
		libp2p.NoListenAddrs, // listened on one by one, so that each can fail
		libp2p.Transport(tcp.NewTCPTransport, shared...),
		libp2p.Transport(libp2pquic.NewTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.ResourceManager(limits),
		libp2p.ConnectionManager(conns),
		libp2p.ConnectionGater(gater{c.Allow}),
		libp2p.UserAgent(c.UserAgent),
		libp2p.WithDialTimeout(10 * time.Second),
	}
	if c.Metrics != nil {
		opts = append(opts, libp2p.PrometheusRegisterer(c.Metrics))
	} else {
		opts = append(opts, libp2p.DisableMetrics())
	}
	if len(c.Announce) > 0 {
		announced := make([]ma.Multiaddr, 0, len(c.Announce))
		for _, s := range c.Announce {
			announced = append(announced, ma.StringCast(s)) // validated
		}
		opts = append(opts, libp2p.AddrsFactory(func(own []ma.Multiaddr) []ma.Multiaddr {
			return slices.Concat(own, announced)
		}))
	}
	if c.Relay {
		opts = append(opts, libp2p.EnableRelay(), libp2p.EnableHolePunching(), libp2p.EnableAutoNATv2())
		if len(c.Relays) > 0 {
			opts = append(opts, libp2p.EnableAutoRelayWithStaticRelays(c.Relays))
		}
	} else {
		opts = append(opts, libp2p.DisableRelay())
	}
	if c.PortMap {
		opts = append(opts, libp2p.NATPortMap())
	}
	return opts
}

// AddrInfo is how others reach this host.
func (h *Host) AddrInfo() peer.AddrInfo {
	return peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}
}

// Protect makes ids the peers whose connections are never trimmed: the
// committee.
func (h *Host) Protect(ids ...peer.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	next := make(map[peer.ID]struct{}, len(ids))
	for _, id := range ids {
		next[id] = struct{}{}
		h.ConnManager().Protect(id, protectTag)
	}
	for id := range h.protected {
		if _, still := next[id]; !still {
			h.ConnManager().Unprotect(id, protectTag)
		}
	}
	h.protected = next
}

// Recheck closes the connections of peers that Config.Allow lets in no more.
func (h *Host) Recheck() {
	for _, id := range h.Network().Peers() {
		if !h.allow(id) {
			h.Network().ClosePeer(id)
		}
	}
}

// AddrBook returns the peers that have known addresses, in order of their
// identifiers, without this host. It can be stored as JSON and given back to
// SeedAddrBook or to a Keeper at the next start.
func (h *Host) AddrBook() []peer.AddrInfo {
	var book []peer.AddrInfo
	for _, id := range h.Peerstore().PeersWithAddrs() {
		if id == h.ID() {
			continue
		}
		if info := h.Peerstore().PeerInfo(id); len(info.Addrs) > 0 {
			slices.SortFunc(info.Addrs, func(a, b ma.Multiaddr) int { return a.Compare(b) })
			book = append(book, info)
		}
	}
	slices.SortFunc(book, func(a, b peer.AddrInfo) int { return cmpID(a.ID, b.ID) })
	return book
}

// SeedAddrBook makes known where peers were last reached.
func (h *Host) SeedAddrBook(book []peer.AddrInfo) {
	for _, info := range book {
		if info.ID != h.ID() {
			h.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.PermanentAddrTTL)
		}
	}
}

// Connect connects to a peer, or returns at once when there is a connection.
func (h *Host) Connect(ctx context.Context, to peer.AddrInfo) error {
	if err := h.Host.Connect(ctx, to); err != nil {
		return fmt.Errorf("connect to %s: %w: %w", to.ID, ErrUnreachable, err)
	}
	return nil
}

// DHT returns the network's own hash table, or nil when Config.DHT is off.
func (h *Host) DHT() *dht.IpfsDHT { return h.dht }

// Close ends everything that New started, and every connection.
func (h *Host) Close() error {
	var errs []error
	for i := len(h.stop) - 1; i >= 0; i-- {
		errs = append(errs, h.stop[i]())
	}
	h.stop = nil
	return errors.Join(append(errs, h.Host.Close())...)
}

// LogTo sends what libp2p itself has to say, in this whole process, to a
// handler; without it errors go to standard error. Call it before the first
// New: loggers settle on the handler they find.
func LogTo(handler slog.Handler) { gologshim.SetDefaultHandler(handler) }

// Shared is a view of the host for a component that believes it owns it: there
// Close, and Close of its Network and Peerstore, do nothing.
func (h *Host) Shared() host.Host { return sharedHost{h.Host} }

type sharedHost struct{ host.Host }

func (s sharedHost) Close() error                   { return nil }
func (s sharedHost) Network() network.Network       { return sharedNetwork{s.Host.Network()} }
func (s sharedHost) Peerstore() peerstore.Peerstore { return sharedPeerstore{s.Host.Peerstore()} }

type sharedNetwork struct{ network.Network }

func (sharedNetwork) Close() error { return nil }

type sharedPeerstore struct{ peerstore.Peerstore }

func (sharedPeerstore) Close() error { return nil }
