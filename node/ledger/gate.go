package ledger

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/cometbft/cometbft/lp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"golang.org/x/sync/semaphore"
)

const (
	// readersPerPeer are the messages of one peer being read at a time; more
	// wait in QUIC, which slows the sender.
	readersPerPeer = 32
	// bytesPerPeer is the memory that messages of one peer being read may take:
	// eight of the largest.
	bytesPerPeer = 16 << 20
	// messageTime is how long a peer may take for one message, in and out.
	messageTime = 20 * time.Second
)

// channel is what CometBFT calls a channel: a protocol of its transport.
type channel struct {
	id      byte
	largest uint64 // message, in bytes
}

// channels are CometBFT's by protocol, with the largest messages of a network
// whose blocks have at most MaxBlockBytes; CometBFT's own limits allow for
// blocks of 100 MiB.
func channels() map[protocol.ID]channel {
	const small = 64 << 10
	out := map[protocol.ID]channel{}
	for _, c := range []channel{
		{0x20, small},                 // consensus state: round steps, bit arrays
		{0x21, 2 * small},             // consensus data: block parts of 64 KiB with their proofs
		{0x22, small},                 // votes
		{0x23, small},                 // vote set bits
		{0x30, MaxTxBytes + small},    // mempool: one transaction
		{0x38, MaxBlockBytes},         // evidence
		{0x40, MaxBlockBytes + small}, // blocksync: one block
		{0x60, small},                 // statesync: snapshots
		{0x61, MaxBlockBytes + small}, // statesync: chunks
	} {
		out[lp2p.ProtocolID(c.id)] = c
	}
	return out
}

// gate stands between the node's shared libp2p host and CometBFT's transport,
// as the host that the transport sees. The transport would close the host when
// it stops, and would read a stranger's message, and allocate whatever its
// header asks for, before it looks at who sent it: 320 bytes cost 6.4 GB.
//
// Behind the gate a stream's peer is known to be a member, its connection is
// known to lead to the peer's present process (see boot), and the message is in
// memory, whole, within its channel's limit.
type gate struct {
	host.Host
	allow  func(peer.ID) bool
	settle func(context.Context, network.Conn) error // waits until boot knows the connection
	queued *backlog
	log    *slog.Logger

	ctx  context.Context // ends when the gate shuts
	shut context.CancelFunc

	mu        sync.Mutex // guards the fields below
	protocols []protocol.ID
	lanes     map[peer.ID]*lane
	out       map[network.Stream]struct{} // streams that we opened
	closed    bool
	inside    sync.WaitGroup // handlers under way

	notes sync.Map // peer.ID -> what CometBFT's reactors keep about it: *sync.Map
}

// lane is what one peer may use of our memory.
type lane struct {
	readers *semaphore.Weighted
	bytes   *semaphore.Weighted
}

func newGate(h host.Host, allow func(peer.ID) bool, settle func(context.Context, network.Conn) error, queued *backlog, log *slog.Logger) *gate {
	g := &gate{
		Host:   h,
		allow:  allow,
		settle: settle,
		queued: queued,
		log:    log,
		lanes:  map[peer.ID]*lane{},
		out:    map[network.Stream]struct{}{},
	}
	g.ctx, g.shut = context.WithCancel(context.Background())
	return g
}

// Close is refused: the host is the node's.
func (g *gate) Close() error { return nil }

// Network keeps the switch from closing the node's connections.
func (g *gate) Network() network.Network { return gateNetwork{g.Host.Network()} }

// Peerstore keeps the switch from closing the node's peerstore, shows it only
// addresses that it can parse, and keeps what the reactors note about a peer
// for as long as this engine lives.
func (g *gate) Peerstore() peerstore.Peerstore { return gatePeerstore{g.Host.Peerstore(), g} }

// SetStreamHandler registers a handler of the transport behind the gate.
func (g *gate) SetStreamHandler(id protocol.ID, next network.StreamHandler) {
	g.mu.Lock()
	g.protocols = append(g.protocols, id)
	g.mu.Unlock()
	ch, known := channels()[id]
	if !known {
		g.log.Warn("protocol of consensus is unknown and closed", "protocol", id)
		return
	}
	g.Host.SetStreamHandler(id, func(s network.Stream) {
		if !g.enter() {
			_ = s.Reset()
			return
		}
		defer g.inside.Done()
		if err := g.receive(s, ch, next); err != nil {
			_ = s.Reset()
			g.log.Debug("stream of consensus refused", "peer", s.Conn().RemotePeer(), "protocol", id, "err", err)
		}
	})
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.inside.Add(1)
	return true
}

var errStranger = fmt.Errorf("peer is not a member")

func (g *gate) receive(s network.Stream, ch channel, next network.StreamHandler) error {
	from := s.Conn().RemotePeer()
	if !g.allow(from) {
		return errStranger
	}
	if err := s.SetReadDeadline(time.Now().Add(messageTime)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(g.ctx, messageTime)
	defer cancel()
	defer context.AfterFunc(g.ctx, func() { _ = s.Reset() })() // a read does not wait for the gate to shut
	if err := g.settle(ctx, s.Conn()); err != nil {
		return err
	}
	if err := g.queued.enter(ctx, from, ch.id, room(ch.id, ch.largest)); err != nil {
		return fmt.Errorf("too many messages wait: %w", err)
	}
	defer g.queued.leave(from, ch.id)
	l := g.lane(from)
	if err := l.readers.Acquire(ctx, 1); err != nil {
		return err
	}
	defer l.readers.Release(1)
	var held int64
	defer func() { l.bytes.Release(held) }()
	frame, err := readFrame(s, ch.largest, func(size uint64) error {
		if err := l.bytes.Acquire(ctx, int64(size)); err != nil {
			return err
		}
		held = int64(size)
		return nil
	})
	if err != nil {
		return err
	}
	next(&readStream{Stream: s, left: bytes.NewReader(frame)})
	return nil
}

func (g *gate) lane(p peer.ID) *lane {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lanes[p]
	if l == nil {
		l = &lane{readers: semaphore.NewWeighted(readersPerPeer), bytes: semaphore.NewWeighted(bytesPerPeer)}
		g.lanes[p] = l
	}
	return l
}

// NewStream opens a stream for the transport, which would wait for ever for a
// peer that does not read, and would go on after it was stopped.
func (g *gate) NewStream(ctx context.Context, p peer.ID, ids ...protocol.ID) (network.Stream, error) {
	if !g.allow(p) {
		return nil, errStranger
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(g.ctx, cancel)()
	s, err := g.Host.NewStream(ctx, p, ids...)
	if err != nil {
		return nil, err
	}
	if err := s.SetWriteDeadline(time.Now().Add(messageTime)); err != nil {
		_ = s.Reset()
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		_ = s.Reset()
		return nil, ErrStopped
	}
	g.out[s] = struct{}{}
	return &writeStream{Stream: s, g: g}, nil
}

func (g *gate) forget(s network.Stream) {
	g.mu.Lock()
	delete(g.out, s)
	g.mu.Unlock()
}

// close takes the transport off the host: nothing comes in any more, what is
// under way is cut off, and the handlers have returned when it returns.
func (g *gate) close() {
	g.mu.Lock()
	g.closed = true
	ids, out := slices.Clone(g.protocols), g.out
	g.out = map[network.Stream]struct{}{}
	g.mu.Unlock()
	for _, id := range ids {
		g.Host.RemoveStreamHandler(id)
	}
	g.shut()
	for s := range out {
		_ = s.Reset()
	}
	g.inside.Wait()
}

// readStream is a stream whose message is in memory.
type readStream struct {
	network.Stream
	left *bytes.Reader
}

func (s *readStream) Read(p []byte) (int, error) { return s.left.Read(p) }

// writeStream tells the gate when the transport is done with it.
type writeStream struct {
	network.Stream
	g *gate
}

func (s *writeStream) Close() error {
	s.g.forget(s.Stream)
	return s.Stream.Close()
}

func (s *writeStream) Reset() error {
	s.g.forget(s.Stream)
	return s.Stream.Reset()
}

type gateNetwork struct{ network.Network }

func (gateNetwork) Close() error { return nil }

// ClosePeer is refused: consensus drops the peers it has something against, also
// for an answer that comes late, but the node says more to them than that.
func (gateNetwork) ClosePeer(peer.ID) error { return nil }

type gatePeerstore struct {
	peerstore.Peerstore
	g *gate
}

func (gatePeerstore) Close() error { return nil }

func (p gatePeerstore) PeerInfo(id peer.ID) peer.AddrInfo {
	info := p.Peerstore.PeerInfo(id)
	info.Addrs = dialable(info.Addrs)
	return info
}

func (p gatePeerstore) Get(id peer.ID, key string) (any, error) {
	notes, ok := p.g.notes.Load(id)
	if !ok {
		return nil, peerstore.ErrNotFound
	}
	v, ok := notes.(*sync.Map).Load(key)
	if !ok {
		return nil, peerstore.ErrNotFound
	}
	return v, nil
}

func (p gatePeerstore) Put(id peer.ID, key string, v any) error {
	notes, _ := p.g.notes.LoadOrStore(id, &sync.Map{})
	notes.(*sync.Map).Store(key, v)
	return nil
}
