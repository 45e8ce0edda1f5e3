package ledger

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cometbft/cometbft/lp2p"
	"github.com/cometbft/cometbft/p2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// members keeps consensus connected to the peers of the membership. CometBFT's
// switch over libp2p has no discovery, blocks for each absent peer when it
// starts, and waits up to 5 minutes before it tries one again; here each peer
// has a goroutine that connects it, adds it once it has answered the boot
// question, and adds it again whenever the switch has dropped it.
type members struct {
	host     host.Host
	set      *lp2p.PeerSet
	reactors []lp2p.SwitchReactor
	boot     *boot
	log      *slog.Logger

	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup

	mu     sync.Mutex // guards the fields below
	closed bool
	swept  bool // there is a sweeper
	kept   map[peer.ID]*keeper
	met    bool // a peer was ever added
}

// keeper keeps one peer.
type keeper struct {
	info  peer.AddrInfo
	stop  context.CancelFunc
	ended chan struct{} // closed when the keeper adds its peer no more
	kick  chan struct{} // something may have changed; capacity 1
}

func newMembers(h host.Host, set *lp2p.PeerSet, reactors []lp2p.SwitchReactor, b *boot, log *slog.Logger) *members {
	m := &members{host: h, set: set, reactors: reactors, boot: b, log: log, kept: map[peer.ID]*keeper{}}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

// want replaces the peers to keep.
func (m *members) want(infos []peer.AddrInfo) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return
	}
	if !m.swept {
		m.swept = true
		m.tasks.Go(m.sweep)
	}
	named := map[peer.ID]bool{}
	for _, info := range infos {
		if info.ID == m.host.ID() || !m.boot.allow(info.ID) {
			continue
		}
		named[info.ID] = true
		addrs := dialable(info.Addrs)
		if len(addrs) == 0 && len(info.Addrs) > 0 {
			m.log.Warn("member has no IPv4 or dns address", "peer", info.ID, "addrs", info.Addrs)
		}
		if k := m.kept[info.ID]; k != nil {
			if slices.EqualFunc(k.info.Addrs, addrs, ma.Multiaddr.Equal) {
				continue
			}
			k.stop()
		}
		ctx, stop := context.WithCancel(m.ctx)
		k := &keeper{info: peer.AddrInfo{ID: info.ID, Addrs: addrs}, stop: stop, ended: make(chan struct{}), kick: make(chan struct{}, 1)}
		m.kept[info.ID] = k
		m.tasks.Go(func() { m.keep(ctx, k) })
	}
	for id, k := range m.kept {
		if !named[id] {
			k.stop()
			delete(m.kept, id)
			m.tasks.Go(func() {
				<-k.ended
				m.drop(id, "no longer a member")
			})
		}
	}
}

// sweep drops peers that nobody keeps: the switch adds the sender of each message, and
// one that was on its way may come after its sender was dropped.
func (m *members) sweep() {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-m.ctx.Done():
			return
		}
		for _, id := range m.connected() {
			m.mu.Lock()
			k := m.kept[id]
			m.mu.Unlock()
			if k == nil {
				m.drop(id, "not a member")
			}
		}
	}
}

// close ends the keepers; the switch removes the peers.
func (m *members) close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.stop()
	m.tasks.Wait()
}

// everMet tells whether goroutines of CometBFT ever had a peer to serve.
func (m *members) everMet() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.met || m.set.Size() > 0
}

// wake has the keeper of p look again.
func (m *members) wake(p peer.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if k := m.kept[p]; k != nil {
		select {
		case k.kick <- struct{}{}:
		default:
		}
	}
}

func (m *members) keep(ctx context.Context, k *keeper) {
	defer close(k.ended)
	const look, slowest = 250 * time.Millisecond, 5 * time.Second
	dial := time.Now()
	wait := look
	tick := time.NewTicker(look)
	defer tick.Stop()
	for ctx.Err() == nil {
		connected := m.host.Network().Connectedness(k.info.ID) == network.Connected
		switch {
		case !connected && !time.Now().Before(dial):
			if err := m.connect(ctx, k.info); err != nil {
				m.log.Debug("member not reached", "peer", k.info.ID, "err", err)
				wait = min(2*wait, slowest)
			}
			dial = time.Now().Add(wait)
			continue
		case connected && m.boot.answered(k.info.ID):
			wait = look
			m.add(k.info)
		case connected:
			m.boot.askAll()
		}
		select {
		case <-tick.C:
		case <-k.kick:
		case <-ctx.Done():
		}
	}
}

func (m *members) connect(ctx context.Context, info peer.AddrInfo) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return m.host.Connect(ctx, info)
}

// add puts a peer into consensus if it is not there.
func (m *members) add(info peer.AddrInfo) {
	if m.set.Has(key(info.ID)) {
		return
	}
	if len(info.Addrs) == 0 { // known by its own connection only
		for _, c := range m.host.Network().ConnsToPeer(info.ID) {
			info.Addrs = dialable(append(info.Addrs, c.RemoteMultiaddr()))
		}
		if len(info.Addrs) == 0 {
			return
		}
	}
	m.mu.Lock()
	m.met = true
	m.mu.Unlock()
	_, err := m.set.Add(info, lp2p.PeerAddOptions{
		OnBeforeStart: func(p *lp2p.Peer) {
			for _, r := range m.reactors {
				r.InitPeer(p)
			}
		},
		OnAfterStart: func(p *lp2p.Peer) {
			for _, r := range m.reactors {
				r.AddPeer(p)
			}
		},
		OnStartFailed: m.removed,
	})
	if err != nil && !errors.Is(err, lp2p.ErrPeerExists) {
		m.log.Warn("member not added to consensus", "peer", info.ID, "err", err)
	}
}

// drop has consensus forget a peer.
func (m *members) drop(id peer.ID, why string) {
	if !m.set.Has(key(id)) {
		return
	}
	if err := m.set.Remove(key(id), lp2p.PeerRemovalOptions{Reason: errors.New(why), OnAfterStop: m.removed}); err != nil {
		m.log.Debug("peer not removed", "peer", id, "err", err)
	}
}

func (m *members) removed(p *lp2p.Peer, why any) {
	for _, r := range m.reactors {
		r.RemovePeer(p, why)
	}
}

// connected lists the peers in consensus, in order.
func (m *members) connected() []peer.ID {
	var out []peer.ID
	m.set.ForEach(func(p p2p.Peer) {
		if lp, ok := p.(*lp2p.Peer); ok {
			out = append(out, lp.AddrInfo().ID)
		}
	})
	slices.Sort(out)
	return out
}

func key(id peer.ID) p2p.ID { return p2p.ID(id.String()) }

// dialable keeps the addresses that CometBFT v0.40 can parse: IPv4 and dns,
// direct, QUIC before TCP. It splits host from port at the first colon, so IPv6
// is out until that is mended.
func dialable(addrs []ma.Multiaddr) []ma.Multiaddr {
	var quic, other []ma.Multiaddr
	for _, a := range addrs {
		if len(a) < 2 {
			continue
		}
		switch a[0].Protocol().Code {
		case ma.P_IP4, ma.P_DNS, ma.P_DNS4:
		default:
			continue
		}
		s := a.String()
		switch {
		case strings.Contains(s, "/p2p-circuit"), strings.Contains(s, "/webtransport"), strings.Contains(s, "/webrtc"):
		case a[1].Protocol().Code == ma.P_UDP && strings.Contains(s, "/quic-v1"):
			quic = append(quic, a)
		case a[1].Protocol().Code == ma.P_TCP && !strings.Contains(s, "/ws"):
			other = append(other, a)
		}
	}
	return append(quic, other...)
}
