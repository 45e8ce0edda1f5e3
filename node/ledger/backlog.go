package ledger

import (
	"context"
	"sync"

	"github.com/cometbft/cometbft/blocksync"
	"github.com/cometbft/cometbft/consensus"
	"github.com/cometbft/cometbft/evidence"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/statesync"
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
	mu     sync.Mutex // guards queues and what they hold
	queues map[p2p.ID]map[byte]*queue
}

type queue struct {
	waiting int
	moved   chan struct{} // closed when waiting goes down
}

func newBacklog() *backlog { return &backlog{queues: map[p2p.ID]map[byte]*queue{}} }

// room is how many messages may wait on a channel with the given largest one.
func room(channel byte, largest uint64) int {
	if channel == mempool.MempoolChannel {
		return backlogTxs
	}
	return max(8, int(backlogBytes/largest))
}

// enter waits until fewer than limit messages of the peer wait, and adds one.
func (b *backlog) enter(ctx context.Context, from p2p.ID, channel byte, limit int) error {
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

// leave takes out a message: its reactor is done with it, or never got it.
func (b *backlog) leave(from p2p.ID, channel byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[from][channel]; q != nil && q.waiting > 0 {
		q.waiting--
		close(q.moved)
		q.moved = make(chan struct{})
	}
}

// forget begins anew for a peer that was removed. Messages that never came to a
// reactor, because they did not decode, had their peer removed.
func (b *backlog) forget(from p2p.ID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, q := range b.queues[from] {
		close(q.moved)
	}
	delete(b.queues, from)
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
	defer r.leave(e.Src.ID(), e.ChannelID)
	r.Reactor.Receive(e)
}

// RemovePeer of the first reactor also ends the peer's backlog.
func (r countedMempool) RemovePeer(p p2p.Peer, why any) {
	r.forget(p.ID())
	r.Reactor.RemovePeer(p, why)
}

func (r countedConsensus) Receive(e p2p.Envelope) {
	defer r.leave(e.Src.ID(), e.ChannelID)
	r.Reactor.Receive(e)
}

func (r countedBlocksync) Receive(e p2p.Envelope) {
	defer r.leave(e.Src.ID(), e.ChannelID)
	r.Reactor.Receive(e)
}

func (r countedEvidence) Receive(e p2p.Envelope) {
	defer r.leave(e.Src.ID(), e.ChannelID)
	r.Reactor.Receive(e)
}

func (r countedStatesync) Receive(e p2p.Envelope) {
	defer r.leave(e.Src.ID(), e.ChannelID)
	r.Reactor.Receive(e)
}
