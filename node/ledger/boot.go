package ledger

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// bootProtocol says who one is: each end sends its greeting, the caller first.
const bootProtocol protocol.ID = "/atelier/boot/1"

// anewEvery is how often a peer may begin anew: each time costs us what consensus
// has to say to it.
const anewEvery = time.Second

var (
	errOtherGenesis = errors.New("peer has another genesis")
	errTooSoon      = errors.New("peer has only just begun anew")
)

// boot tells a peer's processes and sessions apart, for CometBFT keeps notes of
// what each peer has, sends nothing twice, and over libp2p never learns that a
// peer has lost what it was sent. Both ends of a connection greet each other
// with the process that they are and the session of consensus that they are in.
// A peer in a new session has nothing of what was sent to the one before, and
// consensus forgets it. A new session begins with each start of consensus, and
// whenever a node finds that messages to it were lost (renew).
//
// A node greets only once it takes part in consensus, so a greeting also says
// that messages will not be lost. It is asked for on one particular connection:
// asked by peer, the host may pick the dead one.
type boot struct {
	genesis [32]byte
	host    host.Host
	process *process
	allow   func(peer.ID) bool
	reset   func(peer.ID) // forgets what consensus believes about a peer
	ready   func(peer.ID) // a peer can be talked to
	within  time.Duration // an answer counts
	log     *slog.Logger

	ctx   context.Context
	stop  context.CancelFunc
	tasks sync.WaitGroup
	watch network.Notifiee

	mu      sync.Mutex // guards the fields below
	closed  bool
	session uint64
	current map[peer.ID]met
	conns   map[network.Conn]*bootConn
}

// process is the one that a host lives in: it outlives the engines that take
// turns on the host, and its number tells the sessions of all of them in order.
type process struct {
	id       [8]byte
	sessions atomic.Uint64
}

// processOf is the process of a host, noted in the host's own book.
func processOf(h host.Host) (*process, error) {
	const note = "atelier/process"
	if known, err := h.Peerstore().Get(h.ID(), note); err == nil {
		if p, ok := known.(*process); ok {
			return p, nil
		}
	}
	p := &process{}
	if _, err := rand.Read(p.id[:]); err != nil {
		return nil, fmt.Errorf("boot id: %w", err)
	}
	return p, h.Peerstore().Put(h.ID(), note, p)
}

// met is the latest greeting of a peer.
type met struct {
	greeting
	since time.Time // when the connection that first showed the process was opened
	anew  time.Time // when consensus last forgot the peer
}

// bootConn is a connection that was asked.
type bootConn struct {
	process [8]byte       // at the other end, once known is closed
	known   chan struct{} // closed when the peer has greeted and is reset if need be
	asking  bool          // somebody inquires; guarded by the boot's mutex
}

func newBoot(h host.Host, genesis [32]byte, allow func(peer.ID) bool, log *slog.Logger) (*boot, error) {
	p, err := processOf(h)
	if err != nil {
		return nil, err
	}
	b := &boot{
		genesis: genesis,
		host:    h,
		process: p,
		session: p.sessions.Add(1),
		allow:   allow,
		within:  2 * time.Second,
		log:     log,
		current: map[peer.ID]met{},
		conns:   map[network.Conn]*bootConn{},
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

// renew begins a new session: every peer is told to forget what it believes
// that this node has.
func (b *boot) renew() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.session = b.process.sessions.Add(1)
	for c, bc := range b.conns {
		b.begin(c, bc)
	}
}

// begin inquires at the other end of c, unless that is being done. The boot's
// mutex is held.
func (b *boot) begin(c network.Conn, bc *bootConn) {
	if !bc.asking {
		bc.asking = true
		b.tasks.Go(func() { b.inquire(c, bc) })
	}
}

// end ends an inquiry that told mine, unless a new session has begun since.
func (b *boot) end(bc *bootConn, mine greeting) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	bc.asking = mine.session != b.session
	return !bc.asking
}

func (b *boot) answer(s network.Stream) {
	if !b.allow(s.Conn().RemotePeer()) || !b.enter() {
		_ = s.Reset()
		return
	}
	defer b.tasks.Done()
	defer context.AfterFunc(b.ctx, func() { _ = s.Reset() })()
	_ = s.SetDeadline(time.Now().Add(5 * time.Second))
	theirs, err := readGreeting(s)
	if bc := b.ask(s.Conn()); err == nil && bc != nil && theirs.genesis == b.genesis {
		err = b.learn(s.Conn(), bc, theirs)
	}
	if err == nil {
		_, err = s.Write(b.greeting().bytes())
	}
	if err != nil {
		_ = s.Reset()
		return
	}
	_ = s.Close()
}

// enter counts a task that was begun elsewhere.
func (b *boot) enter() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return false
	}
	b.tasks.Add(1)
	return true
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
	b.begin(c, bc)
	return bc
}

func (b *boot) gone(c network.Conn) {
	b.mu.Lock()
	delete(b.conns, c)
	b.mu.Unlock()
}

// inquire asks until there is an answer: a peer that starts answers late.
func (b *boot) inquire(c network.Conn, bc *bootConn) {
	for wait := 50 * time.Millisecond; !c.IsClosed(); wait = min(2*wait, time.Second) {
		mine := b.greeting()
		theirs, err := b.question(c, mine)
		if err == nil {
			err = b.learn(c, bc, theirs)
		}
		if errors.Is(err, errOtherGenesis) {
			b.log.Warn("member has another genesis", "peer", c.RemotePeer())
			err = nil
		}
		if err == nil && b.end(bc, mine) {
			return
		}
		select {
		case <-time.After(wait):
		case <-b.ctx.Done():
			return
		}
	}
}

func (b *boot) question(c network.Conn, mine greeting) (greeting, error) {
	ctx, cancel := context.WithTimeout(b.ctx, b.within)
	defer cancel()
	s, err := c.NewStream(network.WithAllowLimitedConn(ctx, "boot"))
	if err != nil {
		return greeting{}, err
	}
	defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
	if err := multistream.SelectProtoOrFail(bootProtocol, s); err != nil {
		_ = s.Reset()
		return greeting{}, err
	}
	if _, err := s.Write(mine.bytes()); err != nil {
		_ = s.Reset()
		return greeting{}, err
	}
	theirs, err := readGreeting(s)
	if err != nil {
		_ = s.Reset()
		return greeting{}, err
	}
	_ = s.Close()
	if theirs.genesis != b.genesis {
		return greeting{}, errOtherGenesis
	}
	return theirs, nil
}

// learn takes in who is at the other end of c, or asks to be told later. When that is not the process
// that we knew, the connections to the old one are closed, which QUIC would
// take 30 s for. Consensus forgets a peer before it hears of its new session.
func (b *boot) learn(c network.Conn, bc *bootConn, theirs greeting) error {
	p, opened := c.RemotePeer(), c.Stat().Opened
	b.mu.Lock()
	old, known := b.current[p]
	restarted := known && old.process != theirs.process
	if restarted && opened.Before(old.since) { // the late answer of a process that is gone
		b.mu.Unlock()
		_ = c.Close()
		return nil
	}
	now := time.Now()
	renewed := known && !restarted && theirs.session > old.session
	if (restarted || renewed) && now.Sub(old.anew) < anewEvery {
		b.mu.Unlock()
		return errTooSoon
	}
	switch {
	case !known:
		b.current[p] = met{greeting: theirs, since: opened}
	case restarted:
		b.current[p] = met{theirs, opened, now}
	case renewed:
		b.current[p] = met{theirs, old.since, now}
	}
	bc.process = theirs.process
	var dead []network.Conn
	if restarted {
		for other, obc := range b.conns {
			if other.RemotePeer() == p && obc.process != theirs.process && other.Stat().Opened.Before(opened) {
				dead = append(dead, other)
			}
		}
	}
	b.mu.Unlock()
	for _, other := range dead {
		_ = other.Close()
	}
	if restarted || renewed {
		b.log.Info("peer takes part anew", "peer", p, "restarted", restarted)
		b.reset(p)
	}
	b.mu.Lock()
	select {
	case <-bc.known:
	default:
		close(bc.known)
	}
	b.mu.Unlock()
	b.ready(p)
	return nil
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
	now, known := b.current[p]
	if !known {
		return false
	}
	for c, bc := range b.conns {
		if c.RemotePeer() == p && bc.process == now.process && !c.IsClosed() {
			select {
			case <-bc.known:
				return true
			default:
			}
		}
	}
	return false
}
