package storage

import (
	"context"
	"net/http"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
)

// ProtocolCAR is the stream protocol that hands out whole DAGs.
const ProtocolCAR protocol.ID = "/atelier/car/1"

// Method is a way to fetch.
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
	// It is called with roots only, for a block once for each held root above it
	// until one is allowed. nil allows everything. It must be fast and safe for
	// concurrent use.
	Allow func(peer.ID, cid.Cid) bool
	// MaxBytes limits one fetched DAG; 0 means 1 GiB.
	MaxBytes int64
	// Patience is how long a fetch waits without a byte before it gives up on a
	// peer; 0 means 20 s.
	Patience time.Duration
}

// FetchReport says how a DAG came in.
type FetchReport struct {
	Via      Method
	Peer     peer.ID // who gave it: for bitswap, who gave most of it
	Blocks   int
	Bytes    int64 // of block data
	Duration time.Duration
}

// Exchange gives and fetches DAGs over a libp2p host.
type Exchange struct{}

// NewExchange starts to serve the store to the host's peers, by ProtocolCAR and
// bitswap. The caller closes it before host and store.
func NewExchange(h host.Host, s *Store, o ExchangeOptions) *Exchange { return &Exchange{} }

// Close stops serving and ends fetches that are under way.
func (x *Exchange) Close() error { return errPending }

// Fetch brings the DAG of root into the store: a CAR stream from each peer of
// from in turn, then bitswap with whoever is connected. It is stored, not
// pinned, when Fetch returns without an error.
func (x *Exchange) Fetch(ctx context.Context, root cid.Cid, from []peer.ID) (FetchReport, error) {
	return FetchReport{}, errPending
}

// FetchVia fetches from one peer by one method, and does so even when the DAG is
// here already: everything is transferred and verified.
func (x *Exchange) FetchVia(ctx context.Context, root cid.Cid, p peer.ID, m Method) (FetchReport, error) {
	return FetchReport{}, errPending
}

// AddLimits raises the limits of a resource manager for this package's
// protocols. Under the defaults of go-libp2p, bitswap loses blocks silently
// when a few hundred are wanted at once from one peer.
func AddLimits(l *rcmgr.ScalingLimitConfig) {}

// NewGateway serves the store under /ipfs/ as a path and trustless gateway
// (specs.ipfs.tech) with CORS headers. It never fetches: what is not in the
// store is not found.
func NewGateway(s *Store) http.Handler { return http.NotFoundHandler() }
