package p2p

import (
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/libp2p/go-libp2p/core/host"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// PortTakenError says which address is taken and what to do about it. It is
// ErrPortTaken.
type PortTakenError struct {
	Addr ma.Multiaddr
	Port int
}

// Error names the port, the address and the way out.
func (e *PortTakenError) Error() string {
	return fmt.Sprintf("port %d is taken by another program (%s): stop it, or choose another port with network.listen in config.toml or ATELIER_LISTEN", e.Port, e.Addr)
}

// Is makes a PortTakenError match ErrPortTaken.
func (e *PortTakenError) Is(target error) bool { return target == ErrPortTaken }

// listen opens every address or fails. libp2p alone is content with one, and
// would leave a node silently without QUIC.
func listen(h host.Host, addrs []string) error {
	swarm, ok := h.Network().(interface{ AddListenAddr(ma.Multiaddr) error })
	if !ok {
		return fmt.Errorf("listen: %T has no AddListenAddr", h.Network())
	}
	for _, s := range addrs {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return fmt.Errorf("listen on %q: %w", s, err)
		}
		if err := probe(a); err != nil {
			return listenError(a, err)
		}
		if err := swarm.AddListenAddr(a); err != nil {
			return listenError(a, err)
		}
	}
	return nil
}

// probe binds the address for a moment. libp2p's TCP listener shares its port
// with every other program of the same user that asks for sharing, so two
// nodes on one port would each get some of the other's connections; this does
// not share, and fails.
func probe(a ma.Multiaddr) error {
	_, rest := ma.SplitFirst(a)
	proto, _ := ma.SplitFirst(rest)
	if proto == nil {
		return nil
	}
	var at ma.Multiaddr
	ma.ForEach(a, func(c ma.Component) bool { // up to and including the port
		at = at.AppendComponent(&c)
		return c.Protocol().Code != ma.P_TCP && c.Protocol().Code != ma.P_UDP
	})
	network, address, err := manet.DialArgs(at)
	if err != nil {
		return fmt.Errorf("%w: want /ip4/IP/tcp/PORT or /ip4/IP/udp/PORT/quic-v1", err)
	}
	switch proto.Protocol().Code {
	case ma.P_TCP:
		l, err := net.Listen(network, address)
		if err != nil {
			return err
		}
		return l.Close()
	case ma.P_UDP:
		l, err := net.ListenPacket(network, address)
		if err != nil {
			return err
		}
		return l.Close()
	}
	return nil
}

func listenError(a ma.Multiaddr, err error) error {
	if errors.Is(err, syscall.EADDRINUSE) {
		port := 0
		for _, c := range a {
			if code := c.Protocol().Code; code == ma.P_TCP || code == ma.P_UDP {
				fmt.Sscan(c.Value(), &port)
			}
		}
		return &PortTakenError{Addr: a, Port: port}
	}
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		return fmt.Errorf("listen on %s: this machine does not have that address: %w", a, err)
	}
	if errors.Is(err, syscall.EACCES) {
		return fmt.Errorf("listen on %s: not permitted, ports below 1024 need privileges: %w", a, err)
	}
	return fmt.Errorf("listen on %s: %w", a, err)
}
