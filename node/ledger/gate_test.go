package ledger

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cometbft/cometbft/lp2p"
	protomem "github.com/cometbft/cometbft/proto/tendermint/mempool"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/stretchr/testify/require"
)

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// 64 streams with a header of 5 bytes each, 320 bytes in all, cost a node 6.4 GB
// in CometBFT v0.40: it allocates what a header asks for.
func TestAHeaderAllocatesNothing(t *testing.T) {
	net := foundNet(t, 1)
	n := net.start(0)
	n.pay(t, 0, recipient(0), 1)
	header := binary.AppendUvarint(nil, 100<<20)[:4]
	huge := binary.AppendUvarint(nil, 1<<40)
	largest := binary.AppendUvarint(nil, MaxBlockBytes)

	protocols := slices.Sorted(maps.Keys(channels()))
	// attack says how many of 64 streams were refused within a time.
	attack := func(from int, header []byte, within time.Duration) (refused int, grown uint64) {
		before := heap()
		h := newHost(t, from, anyPort)
		if from != 100 {
			net.admit(h.ID())
			n.SetPeers(append(net.peers(), peer.AddrInfo{ID: h.ID()}))
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		dial(t, h, net.peers()[0])
		var open []network.Stream
		for i := range 64 {
			s, err := h.NewStream(ctx, net.hosts[0].ID(), protocols[i%len(protocols)])
			if err == nil {
				_, err = s.Write(header)
			}
			if err != nil {
				refused++
				continue
			}
			open = append(open, s)
		}
		deadline := time.Now().Add(within)
		for _, s := range open {
			require.NoError(t, s.SetReadDeadline(deadline))
			if _, err := s.Read(make([]byte, 1)); errors.Is(err, network.ErrReset) {
				refused++
			}
		}
		after := heap()
		_ = h.Close()
		if after < before {
			return refused, 0
		}
		return refused, after - before
	}

	t.Run("a stranger is refused before it is read", func(t *testing.T) {
		refused, grown := attack(100, header, patience)
		require.Equal(t, 64, refused)
		require.Less(t, grown, uint64(16<<20))
		require.Empty(t, n.Status().Peers)
	})
	t.Run("a member that has not said who it is is not read", func(t *testing.T) {
		const still = 500 * time.Millisecond // nothing comes
		_, grown := attack(101, largest, still)
		require.Less(t, grown, uint64(16<<20))
		_, grown = attack(102, huge, still)
		require.Less(t, grown, uint64(16<<20))
	})
	n.pay(t, 1, recipient(0), 1) // and it serves on
}

// A member that has answered the boot question is read, within limits.
func TestAMemberIsReadWithinLimits(t *testing.T) {
	net := foundNet(t, 2)
	net.startAll()
	n, other := net.nodes[0], net.hosts[1]
	require.Eventually(t, func() bool { return len(n.Status().Peers) == 1 }, patience, time.Millisecond)
	before := heap()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	try := func(id protocol.ID, header []byte) network.Stream {
		s, err := other.NewStream(ctx, net.hosts[0].ID(), id)
		require.NoError(t, err)
		_, err = s.Write(header)
		require.NoError(t, err)
		return s
	}
	for id, c := range channels() {
		s := try(id, binary.AppendUvarint(nil, c.largest+1))
		_, err := s.Read(make([]byte, 1))
		require.ErrorIs(t, err, network.ErrReset, "channel %#x", c.id)
	}
	hold := func() { // within the limit, but nothing follows
		s := try(lp2p.ProtocolID(0x40), binary.AppendUvarint(nil, MaxBlockBytes))
		t.Cleanup(func() { _ = s.Reset() })
	}
	for range 64 {
		hold()
	}
	queued := n.node.gate.queued
	for queued.waiting(other.ID(), 0x40) != room(0x40, MaxBlockBytes) { // until as many are being read as may
		select {
		case <-time.After(messageTime / 64): // after which each of them is given up
			hold()
		case <-ctx.Done():
			t.Fatal("they are not being read")
		}
	}
	require.Less(t, int64(heap())-int64(before), int64(16<<20))
}

func (b *backlog) waiting(p peer.ID, channel byte) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if q := b.queues[p][channel]; q != nil {
		return q.waiting
	}
	return 0
}

// A member that sends more than we can work through has to wait; the transport
// would queue it all.
func TestAMemberThatFloodsHasToWait(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 2)
	busy := newBank()
	checked := make(chan struct{})
	release := sync.OnceFunc(func() { close(checked) })
	busy.onCheck = func() { <-checked }
	net.startWith(0, busy)
	t.Cleanup(release) // lest the node never stops
	net.start(1)
	for _, n := range net.nodes {
		n.awaitConsensus(t)
	}
	n, other := net.nodes[0], net.hosts[1]
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	flooding, enough := context.WithCancel(ctx)
	defer enough()
	const floods = 8
	var flood sync.WaitGroup
	for range floods {
		flood.Go(func() {
			for flooding.Err() == nil {
				s, err := other.NewStream(flooding, net.hosts[0].ID(), lp2p.ProtocolID(0x30))
				if err != nil {
					continue
				}
				tx, err := (&protomem.Message{Sum: &protomem.Message_Txs{Txs: &protomem.Txs{Txs: [][]byte{write("flood", "x")}}}}).Marshal()
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = s.Write(append(binary.AppendUvarint(nil, uint64(len(tx))), tx...))
				_ = s.Close()
			}
		})
	}
	queued := n.node.gate.queued
	require.Eventually(t, func() bool { return queued.waiting(other.ID(), 0x30) == backlogTxs }, patience, time.Millisecond)
	n.node.members.drop(other.ID(), "to see whether that makes room")
	// Only what was half read goes with its stream; while the gate hands a message on,
	// it counts twice.
	require.GreaterOrEqual(t, queued.waiting(other.ID(), 0x30), backlogTxs-2*floods)
	release() // and it works through them
	enough()
	flood.Wait()
	require.Eventually(t, func() bool { return queued.waiting(other.ID(), 0x30) == 0 }, patience, time.Millisecond)
	n.pay(t, 0, recipient(0), 1)
}

// A member that sends what does not decode is soon heard no more, and the others
// go on.
func TestAMemberThatSendsNonsenseIsHeardNoMore(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.startAll()
	n, other := net.nodes[0], net.hosts[3]
	largest := room(0x20, channels()[lp2p.ProtocolID(0x20)].largest)
	for range largest {
		sendMessage(t, other, net.hosts[0], 0x20, nonsense{})
	}
	queued := n.node.gate.queued
	require.Eventually(t, func() bool { return queued.waiting(other.ID(), 0x20) >= largest }, patience, time.Millisecond)
	for i := range 3 {
		net.nodes[i].pay(t, uint64(i), recipient(0), 1)
	}
	require.Eventually(t, func() bool { return queued.waiting(other.ID(), 0x20) >= largest }, patience, time.Millisecond, "still")
}

type nonsense struct{}

func (nonsense) Marshal() ([]byte, error) { return []byte{0xff, 0xff}, nil }

func TestReadFrame(t *testing.T) {
	free := func(uint64) error { return nil }
	frame := func(n int) []byte {
		return append(binary.AppendUvarint(nil, uint64(n)), bytes.Repeat([]byte{7}, n)...)
	}
	for name, c := range map[string]struct {
		in    []byte
		limit uint64
		want  error
	}{
		"an empty message":                     {in: frame(0)},
		"one byte":                             {in: frame(1), limit: 1},
		"larger than the first chunk":          {in: frame(10_000), limit: 10_000},
		"one byte over the limit":              {in: frame(2), limit: 1, want: errFrame},
		"a length of eleven bytes":             {in: bytes.Repeat([]byte{0x80}, 11), limit: 1 << 62, want: errFrame},
		"a length that overflows":              {in: append(bytes.Repeat([]byte{0xff}, 9), 0x02), limit: 1 << 62, want: errFrame},
		"nothing at all":                       {in: nil, want: io.EOF},
		"a length that breaks off":             {in: []byte{0x80}, limit: 1 << 20, want: io.EOF},
		"a message that breaks off":            {in: frame(9)[:5], limit: 9, want: io.ErrUnexpectedEOF},
		"a message that breaks off at its end": {in: frame(9)[:9], limit: 9, want: io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readFrame(bytes.NewReader(c.in), c.limit, free)
			if c.want != nil {
				require.ErrorIs(t, err, c.want)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.in, got)
		})
	}
	t.Run("memory follows what has come", func(t *testing.T) {
		const promised, sent = 512 << 20, 100
		allocated := testing.Benchmark(func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := readFrame(bytes.NewReader(frame(sent)[1:]), promised, free)
				require.Error(b, err)
				in := io.MultiReader(bytes.NewReader(binary.AppendUvarint(nil, promised)), bytes.NewReader(make([]byte, sent)))
				_, err = readFrame(in, promised, free)
				require.Error(b, err)
			}
		}).AllocedBytesPerOp()
		require.Less(t, allocated, int64(64<<10))
	})
	t.Run("the peer's budget is asked first", func(t *testing.T) {
		broke := errors.New("broke")
		_, err := readFrame(bytes.NewReader(frame(3)), 3, func(size uint64) error {
			require.EqualValues(t, 3, size)
			return broke
		})
		require.ErrorIs(t, err, broke)
	})
}

func FuzzReadFrame(f *testing.F) {
	f.Add([]byte{}, uint16(10))
	f.Add([]byte{3, 1, 2, 3}, uint16(3))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0x0f}, uint16(1000))
	f.Add(append([]byte{0x90, 0x4e}, make([]byte, 10_000)...), uint16(20_000))
	f.Fuzz(func(t *testing.T, in []byte, limit uint16) {
		out, err := readFrame(bytes.NewReader(in), uint64(limit), func(size uint64) error {
			require.LessOrEqual(t, size, uint64(limit))
			return nil
		})
		if err != nil {
			return
		}
		require.True(t, bytes.HasPrefix(in, out))
		// CometBFT reads the same message out of it.
		size, err := binary.ReadUvarint(bytes.NewReader(out))
		require.NoError(t, err)
		_, n := binary.Uvarint(out)
		require.EqualValues(t, len(out)-n, size)
	})
}
