package p2p

import (
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// gater refuses strangers. Who a peer is, is only known once the connection is
// secured: before that it has spent our handshake, but opened no stream.
type gater struct{ allow func(peer.ID) bool }

func (g gater) InterceptPeerDial(p peer.ID) bool { return g.allow(p) }

func (g gater) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

func (g gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

func (g gater) InterceptSecured(_ network.Direction, p peer.ID, _ network.ConnMultiaddrs) bool {
	return g.allow(p)
}

func (g gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }

// Roster is a list of peers that several goroutines may read while it changes;
// its Has serves as Config.Allow.
type Roster struct {
	mu   sync.RWMutex // guards what follows
	ids  map[peer.ID]struct{}
	open bool
}

// NewRoster lists the given peers.
func NewRoster(ids ...peer.ID) *Roster {
	r := &Roster{}
	r.Replace(ids)
	return r
}

// Has reports whether a peer is listed, or the roster is open.
func (r *Roster) Has(id peer.ID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	_, ok := r.ids[id]
	return ok || r.open
}

// Replace makes ids the whole list.
func (r *Roster) Replace(ids []peer.ID) {
	next := make(map[peer.ID]struct{}, len(ids))
	for _, id := range ids {
		next[id] = struct{}{}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids = next
}

// Add lists one more peer.
func (r *Roster) Add(id peer.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ids[id] = struct{}{}
}

// SetOpen lets everybody through, or again only the listed: a founder's node is
// open while it waits for members, who prove themselves by their tokens.
func (r *Roster) SetOpen(open bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = open
}

// List returns the listed peers in order of their identifiers.
func (r *Roster) List() []peer.ID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := make([]peer.ID, 0, len(r.ids))
	for id := range r.ids {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
