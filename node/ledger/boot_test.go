package ledger

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"
)

// The boot question is answered on the connection it is put on, to members only.
func TestBoot(t *testing.T) {
	net := foundNet(t, 2)
	n := net.start(0)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ask := func(i int) (greeting, error) {
		h := newHost(t, i, anyPort)
		dial(t, h, net.peers()[0])
		s, err := h.NewStream(ctx, net.hosts[0].ID(), bootProtocol)
		if err != nil {
			return greeting{}, err
		}
		require.NoError(t, s.SetDeadline(time.Now().Add(patience)))
		if _, err := s.Write(greeting{genesis: n.history.origin.Genesis}.bytes()); err != nil {
			return greeting{}, err
		}
		return readGreeting(s)
	}
	<-n.ready
	_, err := ask(100)
	require.True(t, errors.Is(err, network.ErrReset), "a stranger: %v", err)
	member := newHost(t, 101, anyPort)
	require.NoError(t, member.Close())
	net.admit(member.ID())
	_, err = ask(101)
	require.True(t, errors.Is(err, network.ErrReset), "a member that nobody has named: %v", err)
	n.SetPeers(append(net.peers(), peer.AddrInfo{ID: member.ID()}))
	got, err := ask(101)
	require.NoError(t, err)
	require.NotZero(t, got.process)
	require.EqualValues(t, 1, got.session)
	require.Equal(t, n.history.origin.Genesis, got.genesis)
}

// bootPair is a host that watches another one.
type bootPair struct {
	a, b   host.Host
	known  *boot // of a
	resets []peer.ID
}

func newBootPair(t *testing.T) *bootPair {
	p := &bootPair{a: newHost(t, 1, anyPort), b: newHost(t, 2, anyPort)}
	p.known = quietBoot(t, p.a)
	p.known.reset = func(id peer.ID) { p.resets = append(p.resets, id) }
	dial(t, p.a, peer.AddrInfo{ID: p.b.ID(), Addrs: p.b.Addrs()})
	return p
}

func quietBoot(t *testing.T, h host.Host) *boot {
	b, err := newBoot(h, [32]byte{1}, func(peer.ID) bool { return true }, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(b.close)
	b.reset, b.ready, b.within = func(peer.ID) {}, func(peer.ID) {}, patience
	return b
}

// hear has the pair learn a greeting that came over c, and tells whether the
// connection is known then.
func (p *bootPair) hear(c network.Conn, process byte, session uint64) bool {
	known, _ := p.tell(c, process, session)
	return known
}

func (p *bootPair) tell(c network.Conn, process byte, session uint64) (known bool, err error) {
	p.known.mu.Lock()
	bc := p.known.conns[c]
	if bc == nil {
		bc = &bootConn{known: make(chan struct{})}
		p.known.conns[c] = bc
	}
	p.known.mu.Unlock()
	err = p.known.learn(c, bc, greeting{process: [8]byte{process}, session: session})
	select {
	case <-bc.known:
		return true, err
	default:
		return false, err
	}
}

// A peer that comes back as another process is reset; the late answer of the
// process that is gone changes nothing.
func TestBootTellsProcessesApart(t *testing.T) {
	p := newBootPair(t)
	old := p.a.Network().ConnsToPeer(p.b.ID())[0]
	require.True(t, p.hear(old, 1, 1))
	require.True(t, p.hear(old, 1, 1))
	require.Empty(t, p.resets)
	require.True(t, p.known.answered(p.b.ID()))

	later := &laterConn{old, old.Stat()}
	later.stat.Opened = later.stat.Opened.Add(time.Second)
	require.True(t, p.hear(later, 2, 1))
	require.Equal(t, []peer.ID{p.b.ID()}, p.resets)
	require.True(t, old.IsClosed(), "the connection to the old process")

	earlier := &laterConn{old, old.Stat()}
	require.False(t, p.hear(earlier, 1, 1), "an answer of the process that is gone")
	require.Len(t, p.resets, 1)
}

// A peer that begins a new session is reset once, and keeps its connections.
func TestBootTellsSessionsApart(t *testing.T) {
	p := newBootPair(t)
	one := p.a.Network().ConnsToPeer(p.b.ID())[0]
	other := &laterConn{one, one.Stat()}
	other.stat.Opened = other.stat.Opened.Add(time.Second)
	require.True(t, p.hear(one, 1, 4))
	require.True(t, p.hear(other, 1, 4))
	require.Empty(t, p.resets)
	require.True(t, p.hear(one, 1, 5))
	require.Len(t, p.resets, 1)
	require.True(t, p.hear(other, 1, 5), "the same news over the other connection")
	require.True(t, p.hear(other, 1, 4), "an answer of the session before")
	require.Len(t, p.resets, 1)
	require.False(t, one.IsClosed())
	require.True(t, p.known.answered(p.b.ID()))
}

// A peer that begins anew all the time is heard once in a while.
func TestBootHasItsTime(t *testing.T) {
	p := newBootPair(t)
	c, id := p.a.Network().ConnsToPeer(p.b.ID())[0], p.b.ID()
	require.True(t, p.hear(c, 1, 4))
	require.True(t, p.hear(c, 1, 5))
	begun := func(ago time.Duration) { // has the peer have begun anew then
		now := p.known.current[id]
		now.anew = time.Now().Add(-ago)
		p.known.current[id] = now
	}
	begun(-time.Hour) // not over when what follows is slow
	for i := range uint64(1000) {
		_, err := p.tell(c, 1, 6+i)
		require.ErrorIs(t, err, errTooSoon)
	}
	later := &laterConn{c, c.Stat()}
	later.stat.Opened = later.stat.Opened.Add(time.Second)
	known, err := p.tell(later, 2, 1)
	require.ErrorIs(t, err, errTooSoon)
	require.False(t, known, "messages of the new process wait")
	require.Len(t, p.resets, 1)

	begun(anewEvery)
	require.True(t, p.hear(c, 1, 2000))
	require.Len(t, p.resets, 2)
}

// However often a node begins anew while a peer does not answer, it asks one
// question at a time, and the last one is of the last session.
func TestBootAsksOneQuestionAtATime(t *testing.T) {
	p := newBootPair(t)
	asked, answers := make(chan greeting, 64), make(chan struct{})
	p.b.SetStreamHandler(bootProtocol, func(s network.Stream) {
		g, err := readGreeting(s)
		if err != nil {
			_ = s.Reset()
			return
		}
		asked <- g
		<-answers
		_, _ = s.Write(greeting{process: [8]byte{2}, session: 1, genesis: g.genesis}.bytes())
		_ = s.Close()
	})
	p.known.start()
	first := (<-asked).session
	for range 20 {
		p.known.renew()
	}
	close(answers)
	require.Eventually(t, func() bool {
		p.known.mu.Lock()
		defer p.known.mu.Unlock()
		for _, bc := range p.known.conns {
			if bc.asking {
				return false
			}
		}
		return true
	}, patience, time.Millisecond)
	require.Len(t, asked, 1)
	require.Equal(t, first+20, (<-asked).session)
}

// Consensus may stop and start over a connection that stays, and may lose
// messages without stopping. Both ends hear of it without asking.
func TestBootHearsOfANewSessionOverTheSameConnection(t *testing.T) {
	t.Parallel()
	p := newBootPair(t)
	resets := make(chan peer.ID, 8)
	p.known.reset = func(id peer.ID) { resets <- id }
	p.known.start()
	first := quietBoot(t, p.b)
	first.start()
	require.Eventually(t, func() bool { return p.known.answered(p.b.ID()) }, patience, time.Millisecond)
	first.close()
	second := quietBoot(t, p.b)
	second.start()
	heard := func(what string) {
		t.Helper()
		select {
		case id := <-resets:
			require.Equal(t, p.b.ID(), id)
		case <-time.After(patience):
			t.Fatal(what)
		}
	}
	heard("of the start")
	second.renew()
	heard("of the new session")
	require.Empty(t, resets)
	require.Len(t, p.a.Network().ConnsToPeer(p.b.ID()), 1)
}

// laterConn is a connection opened at another time.
type laterConn struct {
	network.Conn
	stat network.ConnStats
}

func (c *laterConn) Stat() network.ConnStats { return c.stat }

func FuzzReadGreeting(f *testing.F) {
	f.Add(greeting{process: [8]byte{1}, session: 2, genesis: [32]byte{3}}.bytes())
	f.Add([]byte{})
	f.Add(make([]byte, greetingBytes))
	f.Fuzz(func(t *testing.T, in []byte) {
		g, err := readGreeting(bytes.NewReader(in))
		if err == nil {
			require.Equal(t, in[:greetingBytes], g.bytes())
		}
	})
}
