package p2p

import (
	"context"
	"fmt"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// mdnsService is what nodes of every atelier network call themselves on a
// local network; who belongs to which is the gate's matter.
const mdnsService = "_atelier._udp"

// discover starts the ways of finding peers that are asked for.
func (h *Host) discover(c Config) error {
	if c.DHT {
		table, err := dht.New(h.Host,
			dht.ProtocolPrefix(protocol.ID("/atelier/"+c.Network)),
			dht.Mode(dht.ModeServer), // there is no one else to serve
			dht.BootstrapPeers(),     // none: connections fill the table
		)
		if err != nil {
			return fmt.Errorf("dht: %w", err)
		}
		h.dht = table
		h.stop = append(h.stop, table.Close)
	}
	if c.MDNS {
		service := mdns.NewMdnsService(h.Host, mdnsService, localPeers{h})
		if err := service.Start(); err != nil {
			return fmt.Errorf("mdns: %w", err)
		}
		h.stop = append(h.stop, service.Close)
	}
	return nil
}

// localPeers hears of nodes on the local network.
type localPeers struct{ h *Host }

// HandlePeerFound believes an address only for a while, and only of members:
// anybody on the local network can claim one, but not prove it.
func (l localPeers) HandlePeerFound(info peer.AddrInfo) {
	if info.ID == l.h.ID() || !l.h.allow(info.ID) {
		return
	}
	l.h.found(info)
}

// found makes a peer's addresses known and wakes those who wait for it.
func (h *Host) found(info peer.AddrInfo) {
	h.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.TempAddrTTL)
	h.mu.Lock()
	defer h.mu.Unlock()
	for k := range h.watchers {
		select {
		case k.found <- info.ID:
		default: // its back-off will come round to it
		}
	}
}

// lookUp asks the network's hash table for a peer's addresses.
func (h *Host) lookUp(ctx context.Context, id peer.ID) {
	if h.dht == nil {
		return
	}
	if info, err := h.dht.FindPeer(ctx, id); err == nil {
		h.Peerstore().AddAddrs(id, info.Addrs, peerstore.TempAddrTTL)
	}
}

// watch wakes a keeper when addresses are found, until the returned function
// is called.
func (h *Host) watch(k *Keeper) (unwatch func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.watchers[k] = struct{}{}
	return func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers, k)
	}
}
