package p2p

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	ma "github.com/multiformats/go-multiaddr"
	"github.com/prometheus/client_golang/prometheus"
)

// Config says what one Host is. Start from Default.
type Config struct {
	// Key is the node's identity, an ed25519 key. Required.
	Key crypto.PrivKey

	// Listen are the multiaddrs to listen on. Every one of them must succeed.
	// Empty means: dial only. See ListenOn for TCP and QUIC on one port.
	Listen []string

	// Announce are further multiaddrs at which others reach this node, such as
	// the outside of a router.
	Announce []string

	// Network names the network, as in "harbour-7". It keeps its DHT apart from
	// all others. Lower case letters, digits and hyphens, at most 32 bytes.
	Network string

	// Allow is the gate: connections to and from peers for which it is false
	// are refused on every transport. It is called often and concurrently, must
	// be quick, and may change its mind; Host.Recheck applies the change to
	// open connections. Nil lets everybody in. See Roster.
	Allow func(peer.ID) bool

	// Speaks reports whether a peer that Allow lets in may speak a protocol with
	// us; streams of others are not opened, and reset when the peer opens them.
	// It is called like Allow. Nil permits all. See Roster.
	Speaks func(peer.ID, protocol.ID) bool

	// PerPeerStreams is how many streams of one protocol one peer may hold open
	// towards us; those above are reset, and what they carry is lost. Default
	// 256, as many as QUIC admits on one connection, where more wait instead.
	PerPeerStreams int

	// PerPeerStreamLimits overrides PerPeerStreams for single protocols.
	PerPeerStreamLimits map[protocol.ID]int

	// LowWater and HighWater are the numbers of connections between which the
	// connection manager trims, sparing the protected. Default 50 and 200.
	LowWater, HighWater int

	// Memory is what the host's buffers may take, in bytes. Default 512 MiB. It
	// is a limit, nothing is set aside.
	Memory int64

	// DHT joins the network's own distributed hash table, prefix
	// /atelier/NETWORK. Requires Network. The public one is never joined.
	DHT bool

	// MDNS announces the node on the local network and listens for members.
	MDNS bool

	// Relay lets the node be reached through the relays of Relays, and punches
	// holes from there: for nodes behind a router. Off, relays are not used.
	Relay  bool
	Relays []peer.AddrInfo

	// PortMap asks the router for a port by UPnP or NAT-PMP.
	PortMap bool

	// UserAgent is what identify tells others. Default "atelier".
	UserAgent string

	// Metrics receives libp2p's collectors; nil collects none.
	Metrics prometheus.Registerer
}

// Default listens on loopback, on ports that the system chooses, TCP and QUIC.
func Default() Config {
	return Config{
		Listen:         []string{"/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1"},
		PerPeerStreams: 256,
		LowWater:       50,
		HighWater:      200,
		Memory:         512 << 20,
		UserAgent:      "atelier",
	}
}

var networkName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// ValidateNetwork reports whether name can be the name of a network.
func ValidateNetwork(name string) error {
	if !networkName.MatchString(name) {
		return fmt.Errorf("network name %q: want 1 to 32 of a-z, 0-9 and -, not starting with -", name)
	}
	return nil
}

// withDefaults fills the zero values that mean the default.
func (c Config) withDefaults() Config {
	d := Default()
	if c.PerPeerStreams == 0 {
		c.PerPeerStreams = d.PerPeerStreams
	}
	if c.LowWater == 0 && c.HighWater == 0 {
		c.LowWater, c.HighWater = d.LowWater, d.HighWater
	}
	if c.Memory == 0 {
		c.Memory = d.Memory
	}
	if c.UserAgent == "" {
		c.UserAgent = d.UserAgent
	}
	return c
}

// Validate reports the first field that New would refuse.
func (c Config) Validate() error {
	c = c.withDefaults()
	if c.Key == nil {
		return errors.New("key: missing")
	}
	if c.Key.Type() != crypto.Ed25519 {
		return fmt.Errorf("key: want ed25519, got %s", c.Key.Type())
	}
	if c.Network != "" || c.DHT {
		if err := ValidateNetwork(c.Network); err != nil {
			return err
		}
	}
	for _, s := range slices.Concat(c.Listen, c.Announce) {
		if _, err := ma.NewMultiaddr(s); err != nil {
			return fmt.Errorf("address %q: %w", s, err)
		}
	}
	if c.PerPeerStreams < 1 {
		return fmt.Errorf("streams per peer: %d, want at least 1", c.PerPeerStreams)
	}
	for id, n := range c.PerPeerStreamLimits {
		if n < 1 {
			return fmt.Errorf("streams per peer of %s: %d, want at least 1", id, n)
		}
	}
	if c.LowWater < 1 || c.HighWater < c.LowWater {
		return fmt.Errorf("connections: want 1 ≤ low ≤ high, got %d and %d", c.LowWater, c.HighWater)
	}
	if c.Memory < 16<<20 {
		return fmt.Errorf("memory: %d bytes, want at least 16 MiB", c.Memory)
	}
	return nil
}

// ListenOn gives the multiaddrs for TCP and QUIC on one host and port, such as
// "127.0.0.1:4001" or "[::]:4001". With port 0 the system chooses two.
func ListenOn(hostport string) ([]string, error) {
	at, err := netip.ParseAddrPort(hostport)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: want IP:PORT, such as 127.0.0.1:4001: %w", hostport, err)
	}
	if at.Addr().Zone() != "" {
		return nil, fmt.Errorf("listen address %q: zones are not supported", hostport)
	}
	family := "ip4"
	if at.Addr().Is6() {
		family = "ip6"
	}
	return []string{
		fmt.Sprintf("/%s/%s/tcp/%d", family, at.Addr(), at.Port()),
		fmt.Sprintf("/%s/%s/udp/%d/quic-v1", family, at.Addr(), at.Port()),
	}, nil
}
