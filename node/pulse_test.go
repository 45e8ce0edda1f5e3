package node

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/node/member"
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

func TestAMemberIsOnlineAsLongAsItAnswersAndProvesItsShare(t *testing.T) {
	a, b := pulseHost(t), pulseHost(t)
	right := []byte("the proof for this nonce")
	p := newPulse(a, func(from peer.ID, _ [32]byte, answer []byte) error {
		if from != b.ID() || string(answer) != string(right) {
			return errors.New("wrong")
		}
		return nil
	})
	p.follow([]peer.ID{a.ID(), b.ID()})
	require.False(t, p.online(b.ID()), "nobody is connected yet")

	// Just now and lately are seconds, which a slow machine may miss: it tries again.
	require.Eventually(t, func() bool {
		_ = a.Network().ClosePeer(b.ID())
		return a.Connect(t.Context(), b.AddrInfo()) == nil && p.online(b.ID())
	}, patience, time.Millisecond, "who has just connected is there")
	require.False(t, p.proves(b.ID()))

	for _, c := range []struct {
		name   string
		answer func(nonce []byte) ([]byte, error)
		proves bool
	}{
		{"its proof", func([]byte) ([]byte, error) { return right, nil }, true},
		{"another's proof", func([]byte) ([]byte, error) { return []byte("an older one"), nil }, false},
		{"no share here", func(nonce []byte) ([]byte, error) {
			return answerHeartbeat(func() *member.Holder { return nil }, a.ID(), nonce)
		}, false},
		{"its proof again", func([]byte) ([]byte, error) { return right, nil }, true},
	} {
		s := p2p.Handle(b, heartbeatProtocol, func(_ context.Context, _ peer.ID, nonce []byte) ([]byte, error) { return c.answer(nonce) }, nil)
		require.Eventually(t, func() bool {
			p.ask(t.Context(), b.ID())
			return !p.last[b.ID()].at.IsZero() && p.online(b.ID()) && p.last[b.ID()].proves == c.proves
		}, patience, time.Millisecond, c.name)
		if !c.proves {
			require.False(t, p.proves(b.ID()), c.name)
		}
		s.Close()
	}

	// A process that hangs keeps its connection and does not answer.
	hang := make(chan struct{})
	s := p2p.Handle(b, heartbeatProtocol, func(context.Context, peer.ID, []byte) ([]byte, error) { <-hang; return nil, nil }, nil)
	t.Cleanup(func() { close(hang); s.Close() })
	p.ask(t.Context(), b.ID())
	require.Zero(t, p.last[b.ID()])
	require.False(t, p.proves(b.ID()))
	require.Eventually(t, func() bool { return !p.online(b.ID()) }, patience, 50*time.Millisecond)
	require.NotEmpty(t, a.Network().ConnsToPeer(b.ID()))
}
