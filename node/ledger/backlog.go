package ledger

import (
	"context"
	"fmt"
	"sync"

	"github.com/cometbft/cometbft/blocksync"
	"github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/evidence"
	"github.com/cometbft/cometbft/lp2p"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/p2p"
	bcproto "github.com/cometbft/cometbft/proto/tendermint/blocksync"
	"github.com/cometbft/cometbft/statesync"
	"github.com/libp2p/go-libp2p/core/peer"
)

// backlogBytes is what the messages of one peer on one channel may take while
// they wait for their reactor, were they all of the largest size.
const backlogBytes = 8 << 20

// backlogTxs is the same for transactions, in messages: they are small, and a
// peer that waits with them also waits with its votes.
const backlogTxs = 512

// backlog counts the messages that wait for CometBFT's reactors, by peer and
// channel. The transport queues without limit what it has read, so a member
// that sends faster than we work would take all memory; the gate reads no more
// from it than backlog allows, and QUIC makes it wait.
//
// A message counts while the gate has it (enter, leave), and again from the
// moment that the switch has its sender (FilterMsgBytes) until its reactor is
// done with it (Receive). One that does not decode in between counts for ever:
// who sends many of those is soon heard no more.
type backlog struct {
	mu     sync.Mutex // guards the field below and what queues hold
	queues map[peer.ID]map[byte]*queue
}

type queue struct {
	waiting int
	moved   chan struct{} // closed when waiting goes down
}

func newBacklog() *backlog { return &backlog{queues: map[peer.ID]map[byte]*queue{}} }

// room is how many messages may wait on a channel with the given largest one.
func room(channel byte, largest uint64) int {
	if channel == mempool.MempoolChannel {
		return backlogTxs
	}
	return max(8, int(backlogBytes/largest))
}

// of is a peer's queue on a channel. The mutex is held.
func (b *backlog) of(from peer.ID, channel byte) *queue {
	if b.queues[from] == nil {
		b.queues[from] = map[byte]*queue{}
	}
	q := b.queues[from][channel]
	if q == nil {
		q = &queue{moved: make(chan struct{})}
		b.queues[from][channel] = q
	}
	return q
}

// enter waits until fewer than limit messages of the peer wait, and adds one.
func (b *backlog) enter(ctx context.Context, from peer.ID, channel byte, limit int) error {
	for {
		b.mu.Lock()
		q := b.of(from, channel)
		if q.waiting < limit {
			q.waiting++
			b.mu.Unlock()
			return nil
		}
		moved := q.moved
		b.mu.Unlock()
		select {
		case <-moved:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// leave takes out a message: the gate, or its reactor, is done with it.
func (b *backlog) leave(from peer.ID, channel byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	q := b.of(from, channel)
	q.waiting--
	close(q.moved)
	q.moved = make(chan struct{})
}

// FilterMsgBytes adds a message that goes on to its reactor.
func (b *backlog) FilterMsgBytes(channel byte, from p2p.Peer, _ []byte) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of(peerOf(from), channel).waiting++
	return nil
}

// The reactors of CometBFT, each telling the backlog when it is done with a
// message. They are types of their own because the switch looks for methods
// beyond p2p.Reactor in them.
type (
	countedMempool struct {
		*mempool.Reactor
		*backlog
	}
	countedConsensus struct {
		*consensus.Reactor
		*backlog
		signer *signer // nil while the validator observes
	}
	countedBlocksync struct {
		*blocksync.Reactor
		*backlog
		reports *reports
	}
	countedEvidence struct {
		*evidence.Reactor
		*backlog
	}
	countedStatesync struct {
		*statesync.Reactor
		*backlog
	}
)

func (r countedMempool) Receive(e p2p.Envelope) {
	defer r.leave(peerOf(e.Src), e.ChannelID)
	r.Reactor.Receive(e)
}

func (r countedMempool) FilterMsgBytes(channel byte, from p2p.Peer, message []byte) error {
	if err := r.Reactor.FilterMsgBytes(channel, from, message); err != nil {
		return err
	}
	return r.backlog.FilterMsgBytes(channel, from, message)
}

// InitPeer gives back the number that the peer had, if any: there are 65535, and
// CometBFT loses one when a peer is dropped while it is being added.
func (r countedMempool) InitPeer(p p2p.Peer) p2p.Peer {
	r.RemovePeer(p, nil)
	return r.Reactor.InitPeer(p)
}

// AddPeer of the first reactor ends a peer that was dropped before it had begun:
// nobody would find it any more, and its goroutines would not end.
func (r countedMempool) AddPeer(p p2p.Peer) {
	if r.Switch.Peers().Get(p.ID()) != p {
		_ = p.Stop()
	}
	r.Reactor.AddPeer(p)
}

// peerOf is the libp2p id of a peer of the switch: its own ID is in base58,
// which takes longer to write than much of what is done with it.
func peerOf(p p2p.Peer) peer.ID {
	if p, ok := p.(*lp2p.Peer); ok {
		return p.AddrInfo().ID
	}
	return ""
}

func (r countedConsensus) Receive(e p2p.Envelope) {
	defer r.leave(peerOf(e.Src), e.ChannelID)
	if r.signer != nil && !r.signer.hear(e.Message) {
		return
	}
	r.Reactor.Receive(e)
}

// Receive drops a peer whose message makes the reactor panic, as CometBFT's own
// connections do and those over libp2p do not.
func (r countedBlocksync) Receive(e p2p.Envelope) {
	defer r.leave(peerOf(e.Src), e.ChannelID)
	defer func() {
		if why := recover(); why != nil {
			r.Switch.StopPeerForError(e.Src, fmt.Errorf("block sync could not take its message: %v", why))
		}
	}()
	// One that makes no sense has the peer removed, which forgets its reports: not
	// while they are being put in order.
	if report, ok := e.Message.(*bcproto.StatusResponse); ok && blocksync.ValidateMsg(report) == nil {
		r.reports.inOrder(peerOf(e.Src), report.Base, report.Height, func() bool { return r.owes(e.Src) }, func() { r.Reactor.Receive(e) })
		return
	}
	r.Reactor.Receive(e)
}

// owes says whether the block pool waits for a block of a peer: only then the reactor
// would let one in.
func (r countedBlocksync) owes(p p2p.Peer) bool {
	return r.Reactor.FilterMsgBytes(blocksync.BlocksyncChannel, p, someBlockSent) == nil
}

var someBlockSent = func() []byte {
	b, err := (&bcproto.Message{Sum: &bcproto.Message_BlockResponse{BlockResponse: &bcproto.BlockResponse{}}}).Marshal()
	if err != nil {
		panic(err) // it is a constant
	}
	return b
}()

func (r countedBlocksync) FilterMsgBytes(channel byte, from p2p.Peer, message []byte) error {
	if err := r.Reactor.FilterMsgBytes(channel, from, message); err != nil {
		return err
	}
	return r.backlog.FilterMsgBytes(channel, from, message)
}

func (r countedBlocksync) RemovePeer(p p2p.Peer, why any) {
	r.reports.forget(peerOf(p))
	r.Reactor.RemovePeer(p, why)
}

func (r countedEvidence) Receive(e p2p.Envelope) {
	defer r.leave(peerOf(e.Src), e.ChannelID)
	r.Reactor.Receive(e)
}

func (r countedStatesync) Receive(e p2p.Envelope) {
	defer r.leave(peerOf(e.Src), e.ChannelID)
	r.Reactor.Receive(e)
}
