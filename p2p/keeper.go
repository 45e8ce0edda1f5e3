package p2p

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

// Keeper keeps a host connected to a changing list of members. It carries out
// what a Dialer decides; addresses come from the list, from identify, and,
// where the host has them, from the network's DHT and mDNS.
type Keeper struct {
	host    host.Host
	dialer  DialerConfig
	timeout time.Duration
	changed chan struct{} // the list changed
	found   chan peer.ID  // addresses of a peer were found

	mu      sync.Mutex // guards what follows
	members []peer.ID
	status  map[peer.ID]MemberStatus
}

// MemberStatus is how a Keeper stands with one member.
type MemberStatus struct {
	ID        peer.ID
	Connected bool
	Attempts  int   // dials that failed since the last success
	Err       error // of the last dial that failed since then
}

// keeperTag marks the members' connections for the connection manager.
const keeperTag = "atelier/keeper"

// NewKeeper returns a Keeper without members. dialTimeout bounds one dial with
// its look-up, default 10 s.
func NewKeeper(h host.Host, c DialerConfig, dialTimeout time.Duration) *Keeper {
	c.Self = h.ID()
	if dialTimeout <= 0 {
		dialTimeout = 10 * time.Second
	}
	return &Keeper{
		host: h, dialer: c, timeout: dialTimeout,
		changed: make(chan struct{}, 1), found: make(chan peer.ID, 64),
		status: map[peer.ID]MemberStatus{},
	}
}

// SetMembers makes members the whole list, at any time. Their addresses are
// added to those already known; this host among them is ignored.
func (k *Keeper) SetMembers(members []peer.AddrInfo) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var ids []peer.ID
	for _, m := range members {
		if m.ID == k.host.ID() || slices.Contains(ids, m.ID) {
			continue
		}
		ids = append(ids, m.ID)
		k.host.Peerstore().AddAddrs(m.ID, m.Addrs, peerstore.PermanentAddrTTL)
		k.host.ConnManager().Protect(m.ID, keeperTag)
	}
	for _, id := range k.members {
		if !slices.Contains(ids, id) {
			k.host.ConnManager().Unprotect(id, keeperTag)
			delete(k.status, id)
		}
	}
	slices.Sort(ids)
	k.members = ids
	select {
	case k.changed <- struct{}{}:
	default: // a change is pending already
	}
}

// Status lists the members in order of their identifiers.
func (k *Keeper) Status() []MemberStatus {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make([]MemberStatus, 0, len(k.members))
	for _, id := range k.members {
		s := k.status[id]
		s.ID = id
		s.Connected = k.host.Network().Connectedness(id) == network.Connected
		if s.Connected {
			s.Attempts, s.Err = 0, nil
		}
		all = append(all, s)
	}
	return all
}

// Run keeps the connections until the context ends, and then returns its
// error. All dials have ended when it returns. Call it once.
func (k *Keeper) Run(ctx context.Context) error {
	events, err := k.host.EventBus().Subscribe(new(event.EvtPeerConnectednessChanged), eventbus.BufSize(256), eventbus.Name("atelier/keeper"))
	if err != nil {
		return fmt.Errorf("keeper: subscribe to connections: %w", err)
	}
	defer events.Close()
	if h, ok := k.host.(*Host); ok {
		defer h.watch(k)()
	}

	var dials sync.WaitGroup
	defer dials.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	done := make(chan DialDone)
	start := time.Now()
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	dialer := NewDialer(k.dialer)
	step := func(e DialerEvent) {
		for _, effect := range dialer.Step(time.Since(start), e) {
			switch f := effect.(type) {
			case WakeAt:
				wake.Reset(f.At - time.Since(start))
			case DialPeer:
				dials.Go(func() {
					err := k.dial(ctx, f)
					select {
					case done <- DialDone{ID: f.ID, OK: err == nil}:
					case <-ctx.Done():
					}
				})
			}
		}
	}

	for _, id := range k.host.Network().Peers() {
		step(PeerConnected{id})
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wake.C:
			step(Tick{})
		case <-k.changed:
			k.mu.Lock()
			ids := slices.Clone(k.members)
			k.mu.Unlock()
			step(MembersChanged{ids})
		case id := <-k.found:
			step(PeerFound{id})
		case e := <-done:
			step(e)
		case e, ok := <-events.Out():
			if !ok {
				return errors.New("keeper: the host was closed")
			}
			change := e.(event.EvtPeerConnectednessChanged)
			if change.Connectedness == network.Connected {
				step(PeerConnected{change.Peer})
			} else if change.Connectedness == network.NotConnected {
				step(PeerDisconnected{change.Peer})
			}
		}
	}
}

// dial makes one attempt and keeps its outcome for Status.
func (k *Keeper) dial(ctx context.Context, d DialPeer) error {
	ctx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	if h, ok := k.host.(*Host); ok && d.Lookup {
		h.lookUp(ctx, d.ID) // what fails here shows in the dial
	}
	clearBackoff(k.host, d.ID)
	err := k.host.Connect(ctx, peer.AddrInfo{ID: d.ID})

	k.mu.Lock()
	defer k.mu.Unlock()
	if !slices.Contains(k.members, d.ID) {
		return err
	}
	if err == nil {
		k.status[d.ID] = MemberStatus{}
	} else {
		k.status[d.ID] = MemberStatus{Attempts: d.Attempt + 1, Err: err}
	}
	return err
}

// clearBackoff makes the swarm forget that dials to a peer failed. It keeps a
// back-off of its own, up to five minutes; here the caller's decides.
func clearBackoff(h host.Host, id peer.ID) {
	if s, ok := h.Network().(interface{ Backoff() *swarm.DialBackoff }); ok {
		s.Backoff().Clear(id)
	}
}
