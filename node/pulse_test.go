package node

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/protocol/ping"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/p2p"
)

func pulseHost(t *testing.T) *p2p.Host {
	t.Helper()
	key, _, err := crypto.GenerateEd25519Key(rand.Reader)
	require.NoError(t, err)
	c := p2p.Default()
	c.Key, c.Listen, c.Network = key, []string{"/ip4/127.0.0.1/tcp/0"}, "pulse"
	h, err := p2p.New(c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.Close()) })
	return h
}

func TestAMemberIsOnlineAsLongAsItAnswers(t *testing.T) {
	a, b := pulseHost(t), pulseHost(t)
	p := newPulse(a)
	p.follow([]peer.ID{a.ID(), b.ID()})
	require.False(t, p.online(b.ID()), "nobody is connected yet")

	// Just now and lately are seconds, which a slow machine may miss: it tries again.
	const patience = 3 * time.Minute
	require.Eventually(t, func() bool {
		_ = a.Network().ClosePeer(b.ID())
		return a.Connect(t.Context(), b.AddrInfo()) == nil && p.online(b.ID())
	}, patience, time.Millisecond, "who has just connected is there")
	require.Eventually(t, func() bool {
		p.ask(t.Context(), b.ID())
		return !p.last[b.ID()].IsZero()
	}, patience, time.Millisecond)

	// A process that hangs keeps its connection and does not answer.
	b.RemoveStreamHandler(ping.ID)
	p.ask(t.Context(), b.ID())
	require.Zero(t, p.last[b.ID()])
	require.Eventually(t, func() bool { return !p.online(b.ID()) }, patience, 50*time.Millisecond)
	require.NotEmpty(t, a.Network().ConnsToPeer(b.ID()))
}
