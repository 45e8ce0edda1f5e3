package p2p

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// DialerConfig sets the pace of a Dialer. Zero values take the default.
type DialerConfig struct {
	Self       peer.ID       // this node; it never dials itself
	Courtesy   time.Duration // how long the node with the greater identifier lets the other dial first, default 500 ms
	MinBackoff time.Duration // after the first failure, default 500 ms
	MaxBackoff time.Duration // after many, default 30 s
	Stable     time.Duration // a connection that lasted this long forgives earlier failures, default 10 s
	Parallel   int           // dials at a time, default 8
	Seed       uint64        // of the jitter, which spreads each wait by ±25 %
}

func (c DialerConfig) withDefaults() DialerConfig {
	c.Courtesy = cmp.Or(c.Courtesy, 500*time.Millisecond)
	c.MinBackoff = cmp.Or(c.MinBackoff, 500*time.Millisecond)
	c.MaxBackoff = cmp.Or(c.MaxBackoff, 30*time.Second)
	c.Stable = cmp.Or(c.Stable, 10*time.Second)
	c.Parallel = cmp.Or(c.Parallel, 8)
	return c
}

// DialerEvent is something that happened: one of MembersChanged,
// PeerConnected, PeerDisconnected, PeerFound, DialDone and Tick.
type DialerEvent interface{ dialerEvent() }

type (
	// MembersChanged replaces the list of those to stay connected to.
	MembersChanged struct{ IDs []peer.ID }
	// PeerConnected reports the first connection to a peer, by either side.
	PeerConnected struct{ ID peer.ID }
	// PeerDisconnected reports that the last connection to a peer is gone.
	PeerDisconnected struct{ ID peer.ID }
	// PeerFound reports a new address of a peer: worth trying at once.
	PeerFound struct{ ID peer.ID }
	// DialDone reports the end of a dial that was asked for. A success is
	// believed only once PeerConnected says so.
	DialDone struct {
		ID peer.ID
		OK bool
	}
	// Tick reports that time has passed.
	Tick struct{}
)

func (MembersChanged) dialerEvent()   {}
func (PeerConnected) dialerEvent()    {}
func (PeerDisconnected) dialerEvent() {}
func (PeerFound) dialerEvent()        {}
func (DialDone) dialerEvent()         {}
func (Tick) dialerEvent()             {}

// DialerEffect is something to do: DialPeer or WakeAt.
type DialerEffect interface{ dialerEffect() }

type (
	// DialPeer asks for one dial, to be answered by one DialDone. Attempt counts
	// the failures so far. Lookup asks to search for addresses first, because
	// those that are known have failed.
	DialPeer struct {
		ID      peer.ID
		Attempt int
		Lookup  bool
	}
	// WakeAt asks for a Tick at the given time. It replaces earlier ones.
	WakeAt struct{ At time.Duration }
)

func (DialPeer) dialerEffect() {}
func (WakeAt) dialerEffect()   {}

// Dialer decides whom to dial, and when, to stay connected to every member of
// a changing list. It is pure: the same events at the same times give the same
// effects. Of two members that both miss each other, the one with the smaller
// identifier dials first. Failures double the wait up to MaxBackoff, and so
// does a connection that keeps breaking.
type Dialer struct {
	config    DialerConfig
	members   map[peer.ID]*member
	connected map[peer.ID]time.Duration // since when, members or not
	dialing   int
}

type member struct {
	dialing bool
	found   bool          // a new address, since the dial under way began
	attempt int           // failures since the last stable connection
	next    time.Duration // not dialled before
}

// NewDialer returns a Dialer without members.
func NewDialer(c DialerConfig) *Dialer {
	return &Dialer{config: c.withDefaults(), members: map[peer.ID]*member{}, connected: map[peer.ID]time.Duration{}}
}

// Step takes in an event at a time, counted from any fixed start and never
// running backwards, and returns what to do. Dials come in a fixed order;
// a WakeAt, if any, comes last.
func (d *Dialer) Step(now time.Duration, event DialerEvent) []DialerEffect {
	switch e := event.(type) {
	case MembersChanged:
		d.replace(now, e.IDs)
	case PeerConnected:
		if _, already := d.connected[e.ID]; !already {
			d.connected[e.ID] = now
		}
	case PeerDisconnected:
		since, was := d.connected[e.ID]
		delete(d.connected, e.ID)
		if m := d.members[e.ID]; m != nil && was {
			if now-since >= d.config.Stable {
				m.attempt = 0
				m.next = now + d.courtesy(e.ID)
			} else {
				m.attempt++
				m.next = now + d.backoff(e.ID, m.attempt)
			}
		}
	case PeerFound:
		if m := d.members[e.ID]; m != nil {
			m.next, m.found = min(m.next, now), m.dialing
		}
	case DialDone:
		if m := d.members[e.ID]; m != nil && m.dialing {
			m.dialing = false
			d.dialing--
			if !e.OK {
				m.attempt++
			}
			if _, connected := d.connected[e.ID]; !connected && !m.found {
				m.next = now + d.backoff(e.ID, max(m.attempt, 1))
			}
			m.found = false
		}
	case Tick:
	}
	return d.due(now)
}

// replace takes over a new list. A dial under way to somebody who left ends
// unheard.
func (d *Dialer) replace(now time.Duration, ids []peer.ID) {
	next := make(map[peer.ID]*member, len(ids))
	for _, id := range ids {
		switch {
		case id == d.config.Self || next[id] != nil:
		case d.members[id] != nil:
			next[id] = d.members[id]
		default:
			next[id] = &member{next: now + d.courtesy(id)}
		}
	}
	for id, m := range d.members {
		if next[id] == nil && m.dialing {
			d.dialing--
		}
	}
	d.members = next
}

// due starts the dials whose time has come, longest overdue first, and asks to
// be woken for the next one.
func (d *Dialer) due(now time.Duration) []DialerEffect {
	type waiting struct {
		id peer.ID
		*member
	}
	var queue []waiting
	for id, m := range d.members {
		if _, connected := d.connected[id]; !connected && !m.dialing {
			queue = append(queue, waiting{id, m})
		}
	}
	slices.SortFunc(queue, func(a, b waiting) int {
		return cmp.Or(cmp.Compare(a.next, b.next), cmpID(a.id, b.id))
	})
	var effects []DialerEffect
	for _, w := range queue {
		if w.next > now {
			return append(effects, WakeAt{w.next})
		}
		if d.dialing >= d.config.Parallel {
			return effects // the end of a dial brings us back here
		}
		w.dialing = true
		d.dialing++
		effects = append(effects, DialPeer{ID: w.id, Attempt: w.attempt, Lookup: w.attempt >= 2 && w.attempt%2 == 0})
	}
	return effects
}

// courtesy is how long to let the other side dial first.
func (d *Dialer) courtesy(id peer.ID) time.Duration {
	if d.config.Self < id {
		return 0
	}
	return d.config.Courtesy
}

// backoff is the wait before the dial that follows the given number of
// failures, at least one.
func (d *Dialer) backoff(id peer.ID, attempt int) time.Duration {
	wait := d.config.MaxBackoff
	if shift := attempt - 1; shift < 32 && d.config.MinBackoff <= d.config.MaxBackoff>>shift {
		wait = d.config.MinBackoff << shift
	}
	head := binary.BigEndian.AppendUint64(nil, d.config.Seed)
	head = binary.BigEndian.AppendUint64(head, uint64(attempt))
	sum := sha256.Sum256(append(head, id...))
	spread := time.Duration(binary.BigEndian.Uint64(sum[:8]) % 1024) // 0 … 1023
	return wait*3/4 + wait*spread/2048
}

func cmpID(a, b peer.ID) int { return cmp.Compare(a, b) }
