package ledger

import (
	"context"
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
type backlog struct {
	mu      sync.Mutex // guards the fields below and what queues hold
	queues  map[peer.ID]map[byte]*queue
	present map[peer.ID]bool // peers that consensus has
}

type queue struct {
	waiting int
	moved   chan struct{} // closed when waiting goes down
}

func newBacklog() *backlog {
	return &backlog{queues: map[peer.ID]map[byte]*queue{}, present: map[peer.ID]bool{}}
}

// room is how many messages may wait on a channel with the given largest one.
func room(channel byte, largest uint64) int {
	if channel == mempool.MempoolChannel {
		return backlogTxs
	}
	return max(8, int(backlogBytes/largest))
}

// enter waits until fewer than limit messages of the peer wait, and adds one.
func (b *backlog) enter(ctx context.Context, from peer.ID, channel byte, limit int) error {
	for {
		b.mu.Lock()
		if b.queues[from] == nil {
			b.queues[from] = map[byte]*queue{}
		}
		q := b.queues[from][channel]
		if q == nil {
			q = &queue{moved: make(chan struct{})}
			b.queues[from][channel] = q
		}
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

// handed takes out a message that no reactor will say it is done with, because
// consensus has no such peer.
func (b *backlog) handed(from peer.ID, channel byte) {
	b.mu.Lock()
	present := b.present[from]
	b.mu.Unlock()
	if !present {
		b.leave(from, channel)
	}
}

// leave takes out a message: its reactor is done with it, or never got it.
func (b *backlog) leave(from peer.ID, channel byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[from][channel]; q != nil && q.waiting > 0 {
		q.waiting--
		close(q.moved)
		q.moved = make(chan struct{})
	}
}

// meet notes that consensus has a peer.
func (b *backlog) meet(from peer.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.present[from] = true
}

// forget begins anew for a peer that was removed. Messages that never came to a
// reactor, because they did not decode, had their peer removed.
func (b *backlog) forget(from peer.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.queues[from] {
		close(q.moved)
	}
	delete(b.queues, from)
	delete(b.present, from)
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

// InitPeer of the first reactor also begins the peer's backlog, and RemovePeer
// ends it.
func (r countedMempool) InitPeer(p p2p.Peer) p2p.Peer {
	r.meet(peerOf(p))
	return r.Reactor.InitPeer(p)
}

func (r countedMempool) RemovePeer(p p2p.Peer, why any) {
	r.forget(peerOf(p))
	r.Reactor.RemovePeer(p, why)
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
	r.Reactor.Receive(e)
}

func (r countedBlocksync) Receive(e p2p.Envelope) {
	defer r.leave(peerOf(e.Src), e.ChannelID)
	// One that makes no sense has the peer removed, which forgets its reports: not
	// while they are being put in order.
	if report, ok := e.Message.(*bcproto.StatusResponse); ok && blocksync.ValidateMsg(report) == nil {
		r.reports.inOrder(peerOf(e.Src), report.Base, report.Height, func() { r.Reactor.Receive(e) })
		return
	}
	r.Reactor.Receive(e)
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
