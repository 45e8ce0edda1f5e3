package ledger

import (
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"
)

// reports keeps the heights that peers report in order. Each report is a stream
// of its own and is handled by one of several workers, so an old one may come
// after a new one; CometBFT takes that for a lie and does not take blocks from
// the peer for a minute. A node whose peers all did so would catch up with
// nobody. What a later report has overtaken says nothing, and is left out.
//
// CometBFT's block pool may remove a peer that was too slow before anybody else hears of
// it, and the next report brings the peer back; a block that it owed then has the pool
// panic, in a goroutine of its own, and ends the process (v0.40.0, bpPeer.decrPending).
// So no report is let through while the pool waits for a block of its peer, or has one
// that it cannot use yet: the peer is asked again in a moment, and there are blocks to
// take until then. Who holds the last one known is not heard of any further ones; the
// others are, and with nobody else the pool has caught up, and consensus takes over.
type reports struct {
	mu   sync.Mutex // guards the field below, and orders what is let through
	last map[peer.ID]reported
}

// reported is the range of blocks that a peer says it has.
type reported struct{ base, height int64 }

func newReports() *reports { return &reports{last: map[peer.ID]reported{}} }

// inOrder lets a report through unless a later one of the peer was, or the peer owes a
// block.
func (r *reports) inOrder(p peer.ID, base, height int64, owes func() bool, let func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if last, ok := r.last[p]; ok && (base < last.base || height < last.height) || owes() {
		return
	}
	r.last[p] = reported{base, height}
	let()
}

// forget begins anew for a peer that was removed: another process may have less.
func (r *reports) forget(p peer.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.last, p)
}
