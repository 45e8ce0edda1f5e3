package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/lp2p"
	"github.com/cometbft/cometbft/p2p"
	bcproto "github.com/cometbft/cometbft/proto/tendermint/blocksync"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/stretchr/testify/require"
)

// meddledHost is a host whose messages of consensus pass through meddle, whole,
// after their senders were told that they arrived. What it returns is handed on
// instead.
type meddledHost struct {
	host.Host
	meddle func(from peer.ID, id protocol.ID, frame []byte) [][]byte
}

func (h *meddledHost) SetStreamHandler(id protocol.ID, next network.StreamHandler) {
	if id == bootProtocol {
		h.Host.SetStreamHandler(id, next)
		return
	}
	h.Host.SetStreamHandler(id, func(s network.Stream) {
		frame, err := io.ReadAll(s)
		if err != nil {
			_ = s.Reset()
			return
		}
		for _, f := range h.meddle(s.Conn().RemotePeer(), id, frame) {
			next(&arrived{s, bytes.NewReader(f)})
		}
		_ = s.Close()
	})
}

// arrived is a stream whose message is in memory; the host closes the real one.
type arrived struct {
	network.Stream
	left *bytes.Reader
}

func (s *arrived) Read(p []byte) (int, error)      { return s.left.Read(p) }
func (s *arrived) SetReadDeadline(time.Time) error { return nil }
func (s *arrived) Close() error                    { return nil }
func (s *arrived) Reset() error                    { return nil }

// A message that was sent, and is lost all the same, does not stop who lost it,
// though those who sent it never send it twice by themselves.
func TestLostMessages(t *testing.T) {
	t.Parallel()
	for name, channels := range map[string][]byte{
		"proposals and parts of blocks": {0x21},
		"votes":                         {0x22},
		"everything":                    {0x20, 0x21, 0x22, 0x23},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			net := foundNet(t, 4)
			var lose atomic.Bool
			net.hosts[3] = &meddledHost{net.hosts[3], func(_ peer.ID, id protocol.ID, frame []byte) [][]byte {
				if lose.Load() && slices.ContainsFunc(channels, func(c byte) bool { return lp2p.ProtocolID(c) == id }) {
					return nil
				}
				return [][]byte{frame}
			}}
			net.startAll()
			net.awaitAll(net.nodes[0].pay(t, 0, recipient(0), 1).Height)
			lose.Store(true)
			var last Receipt
			for i := range 3 {
				last = net.nodes[i].pay(t, uint64(1+i), recipient(0), 1)
			}
			lose.Store(false)
			net.awaitAll(last.Height)
			require.EqualValues(t, 4, net.nodes[3].app.balance(recipient(0)))
			net.stopAll()
		})
	}
}

// Reports of height that overtake each other do not keep a node from catching
// up, though CometBFT takes the late ones for lies.
func TestReportsThatOvertakeEachOther(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.empty = 50 * time.Millisecond
	var mu sync.Mutex // guards the maps
	first, overtaken, late := map[peer.ID][]byte{}, map[peer.ID]bool{}, map[peer.ID]bool{}
	met := make(chan struct{}) // closed when node 3 has a late report
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	net.hosts[3] = &meddledHost{net.hosts[3], func(from peer.ID, id protocol.ID, frame []byte) [][]byte {
		if id != lp2p.ProtocolID(0x40) {
			return [][]byte{frame}
		}
		if !isReport(t, frame) { // blocks wait for a late report, so that it catches up when it has one
			select {
			case <-met:
			case <-ctx.Done():
			}
			return [][]byte{frame}
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case late[from]:
		case overtaken[from]:
			late[from] = true
			if len(late) == 1 {
				close(met)
			}
			return [][]byte{first[from]}
		case first[from] == nil:
			first[from] = frame
			return nil
		default:
			overtaken[from] = !bytes.Equal(first[from], frame) // a block came since
		}
		return [][]byte{frame}
	}}
	for i := range 3 {
		net.start(i)
	}
	r := net.nodes[0].pay(t, 0, recipient(0), 1)
	require.NoError(t, net.nodes[0].WaitHeight(ctx, r.Height+10))
	net.start(3)
	select {
	case <-met:
	case <-ctx.Done():
		t.Fatal("no report came late")
	}
	net.awaitAll(r.Height + 20)
	net.stopAll()
}

func isReport(t *testing.T, frame []byte) bool {
	size, n := binary.Uvarint(frame)
	var m bcproto.Message
	if n <= 0 || size != uint64(len(frame)-n) || m.Unmarshal(frame[n:]) != nil {
		t.Errorf("a frame that is none: %x", frame)
		return false
	}
	_, is := m.Sum.(*bcproto.Message_StatusResponse)
	return is
}

// A report that makes no sense costs its sender its place, for a moment, and
// nobody anything else.
func TestReportsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 2)
	net.startAll()
	n := net.nodes[0]
	net.awaitAll(n.pay(t, 0, recipient(0), 1).Height)
	sendMessage(t, net.hosts[1], net.hosts[0], 0x40, &bcproto.Message{Sum: &bcproto.Message_StatusResponse{
		StatusResponse: &bcproto.StatusResponse{Base: 1 << 40, Height: 1 << 30},
	}})
	net.nodes[1].stop()
	net.start(1)
	net.awaitAll(n.pay(t, 1, recipient(0), 1).Height)
	require.Eventually(t, func() bool { return len(n.Status().Peers) == 1 }, patience, time.Millisecond)
	net.stopAll()
}

// sendMessage sends a message of consensus behind the back of from's engine. The
// other end may hang up once it has read it.
func sendMessage(t *testing.T, from, to host.Host, channel byte, m interface{ Marshal() ([]byte, error) }) {
	body, err := m.Marshal()
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := from.NewStream(ctx, to.ID(), lp2p.ProtocolID(channel))
	require.NoError(t, err)
	_, err = s.Write(append(binary.AppendUvarint(nil, uint64(len(body))), body...))
	require.NoError(t, err)
	_ = s.Close()
}

func TestReportsInOrder(t *testing.T) {
	r := newReports()
	owes := false
	let := func(p peer.ID, base, height int64) (through bool) {
		r.inOrder(p, base, height, func() bool { return owes }, func() { through = true })
		return through
	}
	require.True(t, let("a", 1, 5))
	require.True(t, let("a", 1, 5), "the same again")
	require.True(t, let("a", 1, 7))
	require.False(t, let("a", 1, 6), "overtaken")
	require.True(t, let("b", 1, 3), "another peer's")
	require.True(t, let("a", 2, 7), "older blocks were dropped")
	require.False(t, let("a", 1, 8), "the base of before")
	r.forget("a")
	require.True(t, let("a", 1, 1), "another process")

	owes = true
	require.False(t, let("a", 1, 1), "it may have been removed, and would be back before its block")
	require.False(t, let("a", 1, 2), "however much it says to be brought back")
	r.forget("a")
	require.False(t, let("a", 1, 3), "removed, with its block on the way")
	owes = false
	require.True(t, let("a", 1, 3), "nobody waits for its block any more")
}

func TestTallest(t *testing.T) {
	for name, c := range map[string]struct {
		heights []int64
		want    int64
	}{
		"nobody":                {},
		"one has to be trusted": {[]int64{7}, 7},
		"of two as well":        {[]int64{7, 3}, 7},
		"one of three may lie":  {[]int64{4, 1 << 60, 5}, 5},
		"two of six may lie":    {[]int64{1 << 60, 4, 6, 5, 1 << 61, 3}, 6},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, tallest(c.heights)) })
	}
}

func TestStillness(t *testing.T) {
	at := func(height int64, step cstypes.RoundStepType) stand { return stand{height: height, step: step} }
	var now time.Time
	var s stillness
	observe := func(after time.Duration, a stand, tallest int64) (still, lost bool) {
		now = now.Add(after)
		return s.observe(now, a, tallest)
	}
	require2 := func(wantStill, wantLost bool, still, lost bool, what string) {
		t.Helper()
		require.Equal(t, wantStill, still, what)
		require.Equal(t, wantLost, lost, what)
	}
	still, lost := observe(0, at(5, cstypes.RoundStepNewRound), 5)
	require2(false, false, still, lost, "it has just come here")
	still, lost = observe(time.Hour, at(5, cstypes.RoundStepNewRound), 5)
	require2(true, false, still, lost, "nothing to do")
	still, lost = observe(lostAfter-1, at(5, cstypes.RoundStepNewRound), 6)
	require2(true, false, still, lost, "a peer is ahead, for how long is not known")
	still, lost = observe(1, at(5, cstypes.RoundStepNewRound), 6)
	require2(true, true, still, lost, "a peer is ahead for too long")
	still, lost = observe(lostAfter, at(5, cstypes.RoundStepNewRound), 6)
	require2(true, false, still, lost, "patience doubles")
	still, lost = observe(lostAfter, at(5, cstypes.RoundStepNewRound), 6)
	require2(true, true, still, lost, "doubled patience is over")
	still, lost = observe(0, at(6, cstypes.RoundStepPrevote), 6)
	require2(false, false, still, lost, "it moved")
	for wait, n := lostAfter, 0; n < 8; n++ {
		still, lost = observe(wait, at(6, cstypes.RoundStepPrevote), 6)
		require2(true, true, still, lost, "votes do not come")
		wait = min(2*wait, lostAtMost)
	}
}

// What tells that a peer owes a block is what the reactor would let in of it.
func TestAPeerOwesABlockWhileItIsWaitedFor(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.empty = 50 * time.Millisecond
	come := make(chan struct{})
	release := sync.OnceFunc(func() { close(come) })
	t.Cleanup(release)
	net.hosts[3] = &meddledHost{net.hosts[3], func(_ peer.ID, id protocol.ID, frame []byte) [][]byte {
		if id == lp2p.ProtocolID(0x40) && !isReport(t, frame) {
			<-come // blocks wait
		}
		return [][]byte{frame}
	}}
	for i := range 3 {
		net.start(i)
	}
	r := net.nodes[0].pay(t, 0, recipient(0), 1)
	n := net.start(3)
	owing := func() (count int) {
		n.mu.Lock()
		node := n.node
		n.mu.Unlock()
		if node == nil {
			return 0
		}
		reactor, ok := node.sw.Reactor("BLOCKSYNC")
		require.True(t, ok)
		node.sw.Peers().ForEach(func(p p2p.Peer) {
			if reactor.(countedBlocksync).owes(p) {
				count++
			}
		})
		return count
	}
	require.Eventually(t, func() bool { return owing() > 0 }, patience, time.Millisecond)
	release()
	net.awaitAll(r.Height)
}
