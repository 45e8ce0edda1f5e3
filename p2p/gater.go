package p2p

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/protocol/identify"
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

// errUnspoken refuses a stream of a protocol that its peer may not speak with us.
var errUnspoken = errors.New("this peer may not speak the protocol")

// inbound ends the streams that peers open for protocols that they may not speak, as
// soon as a stream names its protocol and before anything serves it: here, because
// every stream of every component passes here.
type inbound struct {
	network.ResourceManager
	speaks func(peer.ID, protocol.ID) bool
}

func (m inbound) OpenStream(p peer.ID, dir network.Direction) (network.StreamManagementScope, error) {
	scope, err := m.ResourceManager.OpenStream(p, dir)
	if err != nil || dir != network.DirInbound {
		return scope, err
	}
	return inboundScope{scope, p, m.speaks}, nil
}

type inboundScope struct {
	network.StreamManagementScope
	from   peer.ID
	speaks func(peer.ID, protocol.ID) bool
}

func (s inboundScope) SetProtocol(id protocol.ID) error {
	if !s.speaks(s.from, id) {
		return errUnspoken
	}
	return s.StreamManagementScope.SetProtocol(id)
}

// outbound opens no stream for a protocol that its peer may not speak with us.
type outbound struct {
	host.Host
	speaks func(peer.ID, protocol.ID) bool
}

func (h outbound) NewStream(ctx context.Context, to peer.ID, ids ...protocol.ID) (network.Stream, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id protocol.ID) bool { return !h.speaks(to, id) })
	if len(ids) == 0 {
		return nil, errUnspoken
	}
	return h.Host.NewStream(ctx, to, ids...)
}

// Roster says who may connect, and which protocols each may speak: the members all
// of them; guests, who are about to become members or were some once, and, as long as
// the roster is open, everybody else, only those that the roster names. Several
// goroutines may read it while it changes; its Admits serves as Config.Allow and its
// Speaks as Config.Speaks.
type Roster struct {
	mu      sync.RWMutex // guards what follows
	members map[peer.ID]struct{}
	guests  map[peer.ID]struct{}
	open    bool
	spoken  []protocol.ID // by guests and strangers; nil means all
}

// NewRoster lists the given peers as members.
func NewRoster(ids ...peer.ID) *Roster {
	r := &Roster{}
	r.Replace(ids)
	return r
}

// Has reports whether a peer is a member.
func (r *Roster) Has(id peer.ID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return has(r.members, id)
}

// Guest reports whether a peer is listed as a guest and is no member.
func (r *Roster) Guest(id peer.ID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return has(r.guests, id) && !has(r.members, id)
}

// Admits reports whether a peer may connect.
func (r *Roster) Admits(id peer.ID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.open || has(r.members, id) || has(r.guests, id)
}

// Speaks reports whether a peer may speak a protocol. What libp2p needs to know of a
// peer that is connected goes without saying.
func (r *Roster) Speaks(id peer.ID, p protocol.ID) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return has(r.members, id) || r.spoken == nil || p == identify.ID || slices.Contains(r.spoken, p)
}

// Replace makes ids all members.
func (r *Roster) Replace(ids []peer.ID) {
	next := setOf(ids)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members = next
}

// Add lists one more member.
func (r *Roster) Add(id peer.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[id] = struct{}{}
}

// SetGuests makes ids all guests.
func (r *Roster) SetGuests(ids []peer.ID) {
	next := setOf(ids)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.guests = next
}

// SetOpen lets everybody through, or again only the listed: a node is open while it
// waits for newcomers, who prove themselves by their tokens.
func (r *Roster) SetOpen(open bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.open = open
}

// SetSpoken names the protocols that guests and strangers may speak; before, they may
// speak all that is served.
func (r *Roster) SetSpoken(ids ...protocol.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spoken = append([]protocol.ID{}, ids...)
}

// List returns the members in order of their identifiers.
func (r *Roster) List() []peer.ID {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := make([]peer.ID, 0, len(r.members))
	for id := range r.members {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func has(set map[peer.ID]struct{}, id peer.ID) bool {
	_, ok := set[id]
	return ok
}

func setOf(ids []peer.ID) map[peer.ID]struct{} {
	set := make(map[peer.ID]struct{}, len(ids))
	for _, id := range ids {
		set[id] = struct{}{}
	}
	return set
}
