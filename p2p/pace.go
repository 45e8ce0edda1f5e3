package p2p

import (
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Rate is how often something is let through: Burst times at once, and from then on
// one more time Every. The zero Rate lets everything through.
type Rate struct {
	Burst int
	Every time.Duration
}

func (r Rate) limits() bool { return r.Burst > 0 && r.Every > 0 }

// bucket counts what a Rate let through: full is when Burst would be free again.
// Source: the generic cell rate algorithm, ITU-T I.371.
type bucket struct{ full time.Time }

// free says whether one more may pass now.
func (b bucket) free(r Rate, now time.Time) bool {
	return !r.limits() || b.full.Sub(now) <= time.Duration(r.Burst-1)*r.Every
}

// take counts one more.
func (b *bucket) take(r Rate, now time.Time) {
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(r.Every)
}

// pace holds the requests of a protocol to its rates. It keeps a bucket for a peer until
// that is full again, so there are at most as many as the total rate lets through in
// that time. It is not safe for concurrent use.
type pace struct {
	each, total Rate
	all         bucket
	peers       map[peer.ID]bucket
	swept       time.Time // when full buckets were last thrown away
}

// pass counts a request, or refuses it.
func (p *pace) pass(from peer.ID, now time.Time) error {
	if full := time.Duration(p.each.Burst) * p.each.Every; now.Sub(p.swept) >= full {
		for id, b := range p.peers {
			if !b.full.After(now) {
				delete(p.peers, id)
			}
		}
		p.swept = now
	}
	b := p.peers[from]
	switch {
	case !b.free(p.each, now):
		return Refuse(CodeBusy, "more requests of yours than one every %v: wait", p.each.Every)
	case !p.all.free(p.total, now):
		return Refuse(CodeBusy, "too many requests at the moment: wait")
	}
	if p.total.limits() {
		p.all.take(p.total, now)
	}
	if p.each.limits() {
		b.take(p.each, now)
		if p.peers == nil {
			p.peers = map[peer.ID]bucket{}
		}
		p.peers[from] = b
	}
	return nil
}
