package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// bootProtocol answers who this process is. The answer is greeting bytes; the
// question is the stream.
const bootProtocol protocol.ID = "/atelier/boot/1"

// greeting is a version byte, the boot id and the SHA-256 of the genesis.
const greetingBytes = 1 + 8 + 32

type bootID [8]byte

var errOtherGenesis = errors.New("peer has another genesis")

// boot tells a peer's processes apart. A process answers with a random number
// that it drew when it started, and only once it takes part in consensus, so an
// answer also says that messages will not be lost. The question is put on one
// particular connection: asked by peer, the host may pick the dead one.
type boot struct {
	id      bootID
	genesis [32]byte
	host    host.Host
	allow   func(peer.ID) bool
	reset   func(peer.ID) // forgets what consensus believes about a peer
	ready   func(peer.ID) // a peer can be talked to
	log     *slog.Logger

	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup
	watch network.Notifiee

	mu      sync.Mutex // guards the fields below
	closed  bool
	current map[peer.ID]process
	conns   map[network.Conn]*bootConn
}

// process is the latest process of a peer that we know of.
type process struct {
	id    bootID
	since time.Time // when the connection that told us was opened
}

// bootConn is a connection that was asked.
type bootConn struct {
	id    bootID
	known chan struct{} // closed when id is known and the peer is reset if need be
}

func newBoot(h host.Host, genesis [32]byte, allow func(peer.ID) bool, log *slog.Logger) (*boot, error) {
	b := &boot{
		genesis: genesis,
		host:    h,
		allow:   allow,
		log:     log,
		current: map[peer.ID]process{},
		conns:   map[network.Conn]*bootConn{},
	}
	if _, err := rand.Read(b.id[:]); err != nil {
		return nil, fmt.Errorf("boot id: %w", err)
	}
	b.ctx, b.stop = context.WithCancel(context.Background())
	b.watch = &network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { b.ask(c) },
		DisconnectedF: func(_ network.Network, c network.Conn) { b.gone(c) },
	}
	return b, nil
}

// start answers and asks from now on: consensus has to be able to take messages.
func (b *boot) start() {
	b.host.SetStreamHandler(bootProtocol, b.answer)
	b.host.Network().Notify(b.watch)
	b.askAll()
}

// close stops asking and answering; all goroutines have ended when it returns.
func (b *boot) close() {
	b.host.RemoveStreamHandler(bootProtocol)
	b.host.Network().StopNotify(b.watch)
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	b.stop()
	b.tasks.Wait()
}

func (b *boot) answer(s network.Stream) {
	if !b.allow(s.Conn().RemotePeer()) {
		_ = s.Reset()
		return
	}
	b.ask(s.Conn())
	_ = s.SetDeadline(time.Now().Add(5 * time.Second))
	out := append([]byte{1}, b.id[:]...)
	if _, err := s.Write(append(out, b.genesis[:]...)); err != nil {
		_ = s.Reset()
		return
	}
	_ = s.Close()
}

// askAll asks every connection to a member that was not asked yet.
func (b *boot) askAll() {
	for _, c := range b.host.Network().Conns() {
		b.ask(c)
	}
}

// ask finds out, in the background, which process is at the other end of c.
func (b *boot) ask(c network.Conn) *bootConn {
	if !b.allow(c.RemotePeer()) {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || c.IsClosed() {
		return nil
	}
	if bc, ok := b.conns[c]; ok {
		return bc
	}
	bc := &bootConn{known: make(chan struct{})}
	b.conns[c] = bc
	b.tasks.Go(func() { b.inquire(c, bc) })
	return bc
}

func (b *boot) gone(c network.Conn) {
	b.mu.Lock()
	delete(b.conns, c)
	b.mu.Unlock()
}

// inquire asks until there is an answer: a peer that starts answers late.
func (b *boot) inquire(c network.Conn, bc *bootConn) {
	p := c.RemotePeer()
	for wait := 50 * time.Millisecond; !c.IsClosed(); wait = min(2*wait, time.Second) {
		id, err := b.question(c)
		switch {
		case err == nil:
			b.learn(c, bc, id)
			return
		case errors.Is(err, errOtherGenesis):
			b.log.Warn("member has another genesis", "peer", p)
			return
		}
		select {
		case <-time.After(wait):
		case <-b.ctx.Done():
			return
		}
	}
}

func (b *boot) question(c network.Conn) (bootID, error) {
	ctx, cancel := context.WithTimeout(b.ctx, 2*time.Second)
	defer cancel()
	s, err := c.NewStream(network.WithAllowLimitedConn(ctx, "boot"))
	if err != nil {
		return bootID{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	if err := multistream.SelectProtoOrFail(bootProtocol, s); err != nil {
		_ = s.Reset()
		return bootID{}, err
	}
	var in [greetingBytes]byte
	if _, err := io.ReadFull(s, in[:]); err != nil {
		_ = s.Reset()
		return bootID{}, err
	}
	_ = s.Close()
	if in[0] != 1 {
		return bootID{}, fmt.Errorf("greeting of version %d, want 1", in[0])
	}
	if [32]byte(in[9:]) != b.genesis {
		return bootID{}, errOtherGenesis
	}
	return bootID(in[1:9]), nil
}

// learn takes in that c leads to the process id. When that is not the process
// that we knew, the connections to the old one are closed, which QUIC would
// take 30 s for, and consensus forgets the peer before it hears of the new one.
func (b *boot) learn(c network.Conn, bc *bootConn, id bootID) {
	p, opened := c.RemotePeer(), c.Stat().Opened
	b.mu.Lock()
	old, met := b.current[p]
	changed := met && old.id != id
	if changed && opened.Before(old.since) { // the late answer of a process that is gone
		b.mu.Unlock()
		_ = c.Close()
		return
	}
	bc.id = id
	if !met || changed {
		b.current[p] = process{id, opened}
	}
	var dead []network.Conn
	if changed {
		for other, obc := range b.conns {
			if other.RemotePeer() == p && obc.id != id && other.Stat().Opened.Before(opened) {
				dead = append(dead, other)
			}
		}
	}
	b.mu.Unlock()
	for _, other := range dead {
		_ = other.Close()
	}
	if changed {
		b.log.Info("peer was restarted", "peer", p)
		b.reset(p)
	}
	close(bc.known)
	b.ready(p)
}

// settle waits until the process at the other end of c is known.
func (b *boot) settle(ctx context.Context, c network.Conn) error {
	bc := b.ask(c)
	if bc == nil {
		return errors.New("connection is closing")
	}
	select {
	case <-bc.known:
		return nil
	default:
	}
	select {
	case <-bc.known:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("boot id of peer: %w", ctx.Err())
	case <-b.ctx.Done():
		return ErrStopped
	}
}

// answered tells whether an open connection leads to the peer's present process.
func (b *boot) answered(p peer.ID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, met := b.current[p]
	if !met {
		return false
	}
	for c, bc := range b.conns {
		if c.RemotePeer() == p && bc.id == now.id && !c.IsClosed() {
			select {
			case <-bc.known:
				return true
			default:
			}
		}
	}
	return false
}
