package node

import (
	"context"
	"crypto/rand"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/p2p"
)

// How often members are asked whether they are there, and how long an answer counts.
const (
	pulseEvery = 2 * time.Second
	pulseLasts = 5 * time.Second
)

// heartbeatProtocol asks a member whether it holds its share: 32 random bytes; the
// answer is the member's proof for them, member.HeartbeatSize bytes, or a refusal.
var heartbeatProtocol = p2p.Protocol{ID: "/atelier/heartbeat/1", MaxRequest: 32, MaxResponse: member.HeartbeatSize, Timeout: pulseEvery, PerPeer: 4}

// answerHeartbeat serves heartbeatProtocol with what the node holds now; nil without a
// share.
func answerHeartbeat(holder func() *member.Holder, from peer.ID, nonce []byte) ([]byte, error) {
	asker, err := accountOf(from)
	if err != nil || len(nonce) != 32 {
		return nil, p2p.Refuse(p2p.CodeMalformed, "want 32 bytes of an ed25519 identity, have %d", len(nonce))
	}
	h := holder()
	if h == nil {
		return nil, p2p.Refuse(p2p.CodeNotYet, "no share of the committee in force here")
	}
	return h.Heartbeat(asker, [32]byte(nonce))
}

// pulse knows which members answer, and which of them prove with it that they hold
// their share. That a connection stands says little: a process that was killed leaves
// its QUIC connections behind for half a minute.
type pulse struct {
	host   *p2p.Host
	verify func(from peer.ID, nonce [32]byte, answer []byte) error

	mu      sync.Mutex // guards what follows
	members []peer.ID
	last    map[peer.ID]beat
}

// beat is a member's last answer.
type beat struct {
	at     time.Time
	proves bool
}

func newPulse(h *p2p.Host, verify func(peer.ID, [32]byte, []byte) error) *pulse {
	return &pulse{host: h, verify: verify, last: map[peer.ID]beat{}}
}

// verifyHeartbeat holds an answer against this node's copy of the ledger.
func (n *Node) verifyHeartbeat(from peer.ID, nonce [32]byte, answer []byte) error {
	account, err := accountOf(from)
	if err != nil {
		return err
	}
	return n.machine.View(func(v curation.View) error {
		m, _ := v.MemberOf(account)
		return member.VerifyHeartbeat(v, n.secrets.Account(), m.Index, nonce, answer)
	})
}

// follow makes ids those that are asked.
func (p *pulse) follow(ids []peer.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = slices.Clone(ids)
	maps.DeleteFunc(p.last, func(id peer.ID, _ beat) bool { return !slices.Contains(ids, id) })
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

// ask notes whether a member answers. A refusal is an answer too, of one who is there
// and has no share.
func (p *pulse) ask(ctx context.Context, id peer.ID) {
	var nonce [32]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return
	}
	answer, err := p2p.Call(ctx, p.host, id, heartbeatProtocol, nonce[:])
	var refused *p2p.RemoteError
	there := err == nil || errors.As(err, &refused)
	proves := err == nil && p.verify(id, nonce, answer) == nil
	p.mu.Lock()
	defer p.mu.Unlock()
	if there {
		p.last[id] = beat{time.Now(), proves}
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
		if time.Since(last.at) < pulseLasts || time.Since(c.Stat().Opened) < pulseEvery {
			return true
		}
	}
	return false
}

// proves says whether a member is online and its last answer proved its share.
func (p *pulse) proves(id peer.ID) bool {
	p.mu.Lock()
	last := p.last[id]
	p.mu.Unlock()
	return last.proves && p.online(id)
}
