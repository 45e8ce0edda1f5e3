package ledger

import (
	"context"
	"crypto/ed25519"
	"iter"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Engine is the Ledger over CometBFT. Create it with New, then Run it once.
type Engine struct {
	cfg Config
}

var _ Ledger = (*Engine)(nil)

// New opens the home, brings the application to its last committed state (or
// to genesis) and prepares the engine. It starts no goroutine of consensus. If
// Run is never called, Close gives the home back.
func New(cfg Config) (*Engine, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	return &Engine{cfg: cfg}, nil
}

// Run takes part in consensus until ctx ends, and returns once everything it
// started has ended; then the home may be opened again. It returns nil when ctx
// ended it, and an error when the ledger cannot go on.
func (e *Engine) Run(ctx context.Context) error { return ErrStopped }

// Close gives the home back when Run is never called. After Run it does nothing.
func (e *Engine) Close() error { return nil }

// SetPeers says which peers consensus should talk to, with their addresses:
// the members. Both ends have to name the other. The engine connects through
// the host, again and again, and drops who is no longer named. Of the addresses
// it uses IPv4 and dns ones, QUIC before others.
func (e *Engine) SetPeers(peers []peer.AddrInfo) {}

// ValidatorKey is the key that signs this node's votes.
func (e *Engine) ValidatorKey() ed25519.PublicKey { return nil }

func (e *Engine) Submit(ctx context.Context, tx []byte) (Receipt, error) {
	return Receipt{}, ErrStopped
}
func (e *Engine) SubmitAsync(ctx context.Context, tx []byte) error             { return ErrStopped }
func (e *Engine) Lookup(tx []byte) (Receipt, bool, error)                      { return Receipt{}, false, ErrStopped }
func (e *Engine) Subscribe(ctx context.Context) <-chan Committed               { return nil }
func (e *Engine) SubscribeFrom(ctx context.Context, h uint64) <-chan Committed { return nil }
func (e *Engine) Blocks(from, to uint64) iter.Seq2[Committed, error] {
	return func(func(Committed, error) bool) {}
}
func (e *Engine) WaitHeight(ctx context.Context, height uint64) error { return ErrStopped }
func (e *Engine) Status() Status                                      { return Status{} }

// ValidatorKey creates the validator key of a home when it has none (file mode
// 0600) and returns its public part: what a founder needs before there is a
// genesis.
func ValidatorKey(home string) (ed25519.PublicKey, error) { return nil, ErrStopped }
