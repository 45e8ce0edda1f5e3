package node

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"

	"github.com/atelier-dao/atelier/p2p"
)

// How often members are asked whether they are there, and how long an answer counts.
const (
	pulseEvery = 2 * time.Second
	pulseLasts = 5 * time.Second
)

// pulse knows which members answer. That a connection stands says little: a process
// that was killed leaves its QUIC connections behind for half a minute.
type pulse struct {
	host *p2p.Host

	mu      sync.Mutex // guards what follows
	members []peer.ID
	last    map[peer.ID]time.Time // answer
}

func newPulse(h *p2p.Host) *pulse { return &pulse{host: h, last: map[peer.ID]time.Time{}} }

// follow makes ids those that are asked.
func (p *pulse) follow(ids []peer.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = slices.Clone(ids)
	maps.DeleteFunc(p.last, func(id peer.ID, _ time.Time) bool { return !slices.Contains(ids, id) })
}

// run asks until ctx ends; everything it started has ended then.
func (p *pulse) run(ctx context.Context) error {
	var asking sync.WaitGroup
	defer asking.Wait()
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for {
		p.mu.Lock()
		members := p.members
		p.mu.Unlock()
		for _, id := range members {
			if id != p.host.ID() && len(p.host.Network().ConnsToPeer(id)) > 0 {
				asking.Go(func() { p.ask(ctx, id) })
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (p *pulse) ask(ctx context.Context, id peer.ID) {
	ctx, cancel := context.WithTimeout(ctx, pulseEvery)
	defer cancel()
	r, answered := <-ping.Ping(ctx, p.host, id)
	p.mu.Lock()
	defer p.mu.Unlock()
	if answered && r.Error == nil {
		p.last[id] = time.Now()
	} else {
		delete(p.last, id)
	}
}

// online says whether a member answered lately, or has connected just now.
func (p *pulse) online(id peer.ID) bool {
	conns := p.host.Network().ConnsToPeer(id)
	p.mu.Lock()
	last := p.last[id]
	p.mu.Unlock()
	for _, c := range conns {
		if time.Since(last) < pulseLasts || time.Since(c.Stat().Opened) < pulseEvery {
			return true
		}
	}
	return false
}
