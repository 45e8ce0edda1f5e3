package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ipfs/boxo/bitswap"
	"github.com/ipfs/boxo/bitswap/client"
	bsn "github.com/ipfs/boxo/bitswap/network"
	"github.com/ipfs/boxo/bitswap/network/bsnet"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
)

// Method is the way in which a DAG came in.
type Method string

// The ways a DAG can come in.
const (
	ViaLocal   Method = "local"   // it was here already
	ViaCAR     Method = "car"     // one stream, ProtocolCAR
	ViaBitswap Method = "bitswap" // block by block, as any IPFS client does
)

// ExchangeOptions says what an exchange gives and takes.
type ExchangeOptions struct {
	// Allow decides whether a peer may have the DAG of a root, by both methods.
	// It is called with roots only (in CIDv1), for a block once for each held root
	// above it until one is allowed. nil allows everything. It must be fast and
	// safe for concurrent use.
	Allow func(peer.ID, cid.Cid) bool
	// MaxBytes limits one fetched DAG; 0 means 1 GiB.
	MaxBytes int64
	// Patience is how long a fetch or a served stream waits without progress
	// before it gives up on the peer; 0 means 20 s.
	Patience time.Duration
}

// FetchReport says how a DAG came in.
type FetchReport struct {
	Via      Method
	Peer     peer.ID // who gave it: for bitswap, who gave most of it
	Blocks   int
	Bytes    int64         // of block data
	Duration time.Duration // from the call on
}

// Exchange gives and fetches DAGs over a libp2p host. It is safe for concurrent
// use.
type Exchange struct {
	host    host.Host
	store   *Store
	opts    ExchangeOptions
	net     bsn.BitSwapNetwork
	bitswap *bitswap.Bitswap

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup // streams being served

	fetching chan struct{} // holds one value for each CAR stream that we fetch

	mu      sync.Mutex // guards what follows
	serving map[peer.ID]int
	streams int
	closed  bool
}

// NewExchange starts to serve the store to the host's peers, by ProtocolCAR and
// bitswap. The caller closes it before store and host.
func NewExchange(h host.Host, s *Store, o ExchangeOptions) *Exchange {
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	if o.Patience == 0 {
		o.Patience = 20 * time.Second
	}
	ctx, cancel := context.WithCancel(context.Background())
	x := &Exchange{host: h, store: s, opts: o, ctx: ctx, cancel: cancel, serving: map[peer.ID]int{}, fetching: make(chan struct{}, maxFetching)}
	x.net = bsnet.NewFromIpfsHost(h)
	x.bitswap = bitswap.New(ctx, x.net, nil, s.Blockstore(),
		// With the library's 16 KiB a few hundred blocks become as many streams,
		// which the receiver's resource manager resets: the blocks are lost.
		bitswap.WithTargetMessageSize(1<<20),
		bitswap.WithPeerBlockRequestFilter(x.allowed),
		bitswap.WithoutDuplicatedBlockStats(),
		// The disk is fast and members are few; the defaults start 136 goroutines.
		bitswap.EngineBlockstoreWorkerCount(8),
		bitswap.EngineTaskWorkerCount(4),
		bitswap.TaskWorkerCount(4),
		bitswap.WithClientOption(client.WithTraceBlock(true)),
	)
	h.SetStreamHandler(ProtocolCAR, x.handle)
	return x
}

// Close stops serving and ends fetches that are under way.
func (x *Exchange) Close() error {
	x.mu.Lock()
	again := x.closed
	x.closed = true
	x.mu.Unlock()
	if again {
		return nil
	}
	x.host.RemoveStreamHandler(ProtocolCAR)
	x.cancel()
	x.wg.Wait()
	x.net.Stop()
	for _, p := range bitswapProtocols {
		x.host.RemoveStreamHandler(p)
	}
	return x.bitswap.Close()
}

// allowed reports whether a peer may have a block or DAG. What is not held may
// be asked for: the answer is that it is not here.
func (x *Exchange) allowed(p peer.ID, c cid.Cid) bool {
	if x.opts.Allow == nil {
		return true
	}
	roots := x.store.rootsOf(c)
	for _, root := range roots {
		if x.opts.Allow(p, root) {
			return true
		}
	}
	return len(roots) == 0
}

// Fetch brings the DAG of root into the store: a CAR stream from each peer of
// from in turn, then bitswap with whoever is connected. It is stored, not
// pinned, when Fetch returns without an error. When all peers said that they do
// not have it or do not give it, Fetch ends without trying bitswap; the error
// then is ErrNotFound or ErrRefused, or both.
func (x *Exchange) Fetch(ctx context.Context, root cid.Cid, from []peer.ID) (FetchReport, error) {
	start := time.Now()
	root, err := normal(root)
	if err != nil {
		return FetchReport{}, fmt.Errorf("fetch: %w", err)
	}
	if x.store.Has(root) {
		return FetchReport{Via: ViaLocal, Peer: x.host.ID()}, nil
	}
	var errs []error
	asked, settled := 0, 0
	for _, p := range from {
		if p == x.host.ID() {
			continue
		}
		asked++
		r, err := x.fetch(ctx, root, p, ViaCAR, start)
		if err == nil {
			return r, nil
		}
		errs = append(errs, err)
		switch {
		case ctx.Err() != nil, errors.Is(err, ErrQuota), errors.Is(err, ErrClosed):
			return FetchReport{}, err // no peer can help
		case errors.Is(err, ErrNotFound), errors.Is(err, ErrRefused):
			settled++
		}
	}
	if asked > 0 && settled == asked {
		return FetchReport{}, errors.Join(errs...)
	}
	r, err := x.fetch(ctx, root, "", ViaBitswap, start)
	if err != nil {
		return FetchReport{}, errors.Join(append(errs, err)...)
	}
	return r, nil
}

// FetchVia fetches from one peer by one method, and does so even when the DAG is
// here already: everything is transferred and verified. Bitswap connects to the
// peer and then takes blocks from any connected peer; the report tells which.
func (x *Exchange) FetchVia(ctx context.Context, root cid.Cid, p peer.ID, m Method) (FetchReport, error) {
	root, err := normal(root)
	if err != nil {
		return FetchReport{}, fmt.Errorf("fetch: %w", err)
	}
	return x.fetch(ctx, root, p, m, time.Now())
}

func (x *Exchange) fetch(ctx context.Context, root cid.Cid, p peer.ID, m Method, start time.Time) (FetchReport, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(x.ctx, func() { cancel(ErrClosed) })()
	r := FetchReport{Via: m, Peer: p}
	var size Size
	var err error
	switch m {
	case ViaCAR:
		size, err = x.fetchCAR(ctx, root, p)
	case ViaBitswap:
		size, r.Peer, err = x.fetchBitswap(ctx, root, p)
	default:
		err = fmt.Errorf("no such method: %w", errors.ErrUnsupported)
	}
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	if err != nil {
		from := ""
		if p != "" {
			from = " from " + p.String()
		}
		return FetchReport{}, fmt.Errorf("fetch %s by %s%s: %w", root, m, from, err)
	}
	r.Blocks, r.Bytes, r.Duration = size.Blocks, size.Bytes, time.Since(start)
	return r, nil
}

var bitswapProtocols = []protocol.ID{
	bsnet.ProtocolBitswap, bsnet.ProtocolBitswapOneOne, bsnet.ProtocolBitswapOneZero, bsnet.ProtocolBitswapNoVers,
}

// AddLimits raises the limits of a resource manager for this package's
// protocols. Under the defaults of go-libp2p, bitswap loses blocks silently
// when a few hundred are wanted at once from one peer that sends them in small
// messages, as other clients may.
func AddLimits(l *rcmgr.ScalingLimitConfig) {
	all := rcmgr.BaseLimit{Streams: 4096, StreamsInbound: 2048, StreamsOutbound: 2048, Memory: 128 << 20}
	one := rcmgr.BaseLimit{Streams: 1024, StreamsInbound: 512, StreamsOutbound: 512, Memory: 64 << 20}
	for _, p := range bitswapProtocols {
		l.AddProtocolLimit(p, all, rcmgr.BaseLimitIncrease{})
		l.AddProtocolPeerLimit(p, one, rcmgr.BaseLimitIncrease{})
	}
	car := rcmgr.BaseLimit{Streams: 128, StreamsInbound: 2 * maxServing, StreamsOutbound: 64, Memory: 64 << 20}
	l.AddProtocolLimit(ProtocolCAR, car, rcmgr.BaseLimitIncrease{})
	car.StreamsInbound = 2 * maxServingPeer // beyond maxServingPeer they are told that we are busy
	l.AddProtocolPeerLimit(ProtocolCAR, car, rcmgr.BaseLimitIncrease{})
}
