package founding

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	"github.com/atelier-dao/atelier/node/config"
)

// fixPorts replaces each port 0 by one that is free now, the same for all of them if
// it can be: members must find each other again after a restart, so a home keeps its
// ports, and one number is easier to open than two.
func fixPorts(listen []string) ([]string, error) {
	var out []string
	common := 0
	for _, s := range listen {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("network.listen: %q: %w", s, err)
		}
		fixed, err := fixPort(a, &common)
		if err != nil {
			return nil, fmt.Errorf("cannot listen on %s: choose an address of this machine with --listen: %w", s, err)
		}
		out = append(out, fixed.String())
	}
	return out, nil
}

func fixPort(a ma.Multiaddr, common *int) (ma.Multiaddr, error) {
	var host string
	out := make(ma.Multiaddr, 0, len(a))
	for _, c := range a {
		switch code := c.Protocol().Code; {
		case code == ma.P_IP4 || code == ma.P_IP6:
			host = c.Value()
		case (code == ma.P_TCP || code == ma.P_UDP) && c.Value() == "0":
			port := *common
			if port == 0 || tryPort(code, net.JoinHostPort(host, strconv.Itoa(port))) != nil {
				var err error
				if port, err = freePort(code, host); err != nil {
					return nil, err
				}
				*common = port
			}
			fixed, err := ma.NewComponent(c.Protocol().Name, strconv.Itoa(port))
			if err != nil {
				return nil, err
			}
			c = *fixed
		}
		out = append(out, c)
	}
	return out, nil
}

// A home keeps its port for years. Systems lend ports from 32768 on to whatever
// connects outwards, and would one day lend that one: so it is taken from below.
const lowestPort, highestPort = 10000, 32767

func freePort(code int, host string) (port int, err error) {
	for range 64 {
		port = lowestPort + rand.IntN(highestPort-lowestPort+1)
		if err = tryPort(code, net.JoinHostPort(host, strconv.Itoa(port))); !errors.Is(err, syscall.EADDRINUSE) {
			return port, err
		}
	}
	return 0, err
}

// tryPort listens for a moment.
func tryPort(code int, address string) error {
	if code == ma.P_UDP {
		c, err := net.ListenPacket("udp", address)
		if err != nil {
			return err
		}
		return c.Close()
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return l.Close()
}

// reachable lists under which addresses others find this home: what it announces,
// or what it listens on where that is one address.
func reachable(cfg config.Config) ([]string, error) {
	if len(cfg.Network.Announce) > 0 {
		return cfg.Network.Announce, nil
	}
	var out []string
	for _, s := range cfg.Network.Listen {
		a, err := ma.NewMultiaddr(s)
		if err != nil {
			return nil, fmt.Errorf("network.listen: %q: %w", s, err)
		}
		if !manet.IsIPUnspecified(a) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("this home listens on every address of the machine (%v): say with network.announce in config.toml under which one the others reach it, for example [\"/ip4/203.0.113.7/udp/4001/quic-v1\"]", cfg.Network.Listen)
	}
	return out, nil
}
