package ledger

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
)

// Engine is the Ledger over CometBFT. Create it with New, then Run it once.
type Engine struct {
	cfg       Config
	log       *slog.Logger
	key       ed25519.PublicKey
	validator *validator // of the present session; Run alone uses it after New
	signer    *signer    // of the present session; nil while the validator observes
	history   *history

	failed chan error    // the first defect; capacity 1
	ready  chan struct{} // closed when node is set
	began  sync.Once     // closes ready
	done   chan struct{} // closed when the engine has stopped

	named atomic.Pointer[map[peer.ID]bool] // the peers of SetPeers

	mu       sync.Mutex // guards the fields below
	ran      bool
	node     *node // while running
	members  []peer.AddrInfo
	observed *observation // while it observes; see observe.go
}

var _ Ledger = (*Engine)(nil)

// New opens the home, brings the application to its last committed state (or
// to genesis) and prepares the engine. It starts no goroutine of consensus. If
// Run is never called, Close gives the home back.
func New(cfg Config) (*Engine, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	e := &Engine{
		cfg:    cfg,
		log:    cfg.Logger,
		failed: make(chan error, 1),
		ready:  make(chan struct{}),
		done:   make(chan struct{}),
	}
	if e.log == nil {
		e.log = slog.New(slog.DiscardHandler)
	}
	e.cfg.Genesis = slices.Clone(cfg.Genesis)
	var err error
	if e.validator, err = loadValidator(cfg.Home); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	e.key = e.validator.public()
	if e.validator.restored != nil {
		e.observed = &observation{}
	}
	store, err := openDB(filepath.Join(cfg.Home, "data"), "ledger")
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	if e.history, err = openHistory(store, cfg.App, e.cfg.Genesis); err != nil {
		_ = store.Close()
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return e, nil
}

// Run takes part in consensus until ctx ends, and returns once everything it
// started has ended; then the home may be opened again. It returns nil when ctx
// ended it, and an error when the ledger cannot go on. (CometBFT keeps two
// goroutines and a SIGHUP handler for its write-ahead log for as long as the
// process lives.)
func (e *Engine) Run(ctx context.Context) (err error) {
	e.mu.Lock()
	if e.ran {
		e.mu.Unlock()
		return fmt.Errorf("ledger: %w", ErrStopped)
	}
	e.ran = true
	e.mu.Unlock()
	defer func() {
		close(e.done)
		err = errors.Join(err, e.history.close())
		if err != nil {
			err = fmt.Errorf("ledger: %w", err)
		}
	}()

	for again := true; again && err == nil; {
		again, err = e.session(ctx)
	}
	return err
}

// session takes part in consensus once. It says true when it is to begin again,
// because the validator may sign now.
func (e *Engine) session(ctx context.Context) (again bool, err error) {
	if e.validator, err = loadValidator(e.cfg.Home); err != nil {
		return false, err
	}
	started := time.Now()
	e.signer = nil
	if e.validator.restored == nil {
		e.signer = newSigner(e.validator.FilePV, ChainID(e.cfg.Genesis))
	}
	m := &machine{app: e.cfg.App, history: e.history, log: e.log, fail: e.fail}
	n, err := e.assemble(ctx, m)
	if err != nil {
		if ctx.Err() != nil {
			return false, nil
		}
		return false, err
	}
	syncing := n.consensus.WaitSync
	m.syncing.Store(&syncing)
	m.evict = n.evict
	defer n.dispose()
	if e.signer == nil {
		if err := e.askTwins(ctx); err != nil || ctx.Err() != nil {
			n.stop()
			return false, err
		}
	}
	defer n.answerTwins()()
	seen, unsee := context.WithCancel(ctx)
	defer unsee()
	var blocks <-chan Committed
	if e.signer != nil {
		blocks = e.Subscribe(seen)
	}
	if err := n.start(); err != nil {
		return false, err
	}
	var o *observation
	if e.validator.restored != nil {
		o = &observation{}
	}
	e.mu.Lock()
	e.node, e.observed = n, o
	n.members.want(e.members)
	e.mu.Unlock()
	e.began.Do(func() { close(e.ready) })

	watched, stop := context.WithCancel(ctx)
	var watcher sync.WaitGroup
	watcher.Go(func() {
		if err := n.watch(watched, e.log); err != nil {
			e.fail(err)
		}
	})
	if blocks != nil {
		watcher.Go(func() {
			if err := e.beware(n, e.signer, blocks); err != nil {
				e.fail(err)
			}
		})
	}
	may := make(chan struct{})
	if o != nil {
		watcher.Go(func() {
			ok, err := e.observe(watched, n, o, started)
			if err != nil {
				e.fail(err)
			} else if ok {
				close(may)
			}
		})
	}
	select {
	case <-ctx.Done():
	case <-may:
		again = true
	case err = <-e.failed:
	}
	stop()
	unsee()
	e.mu.Lock()
	e.node = nil
	e.mu.Unlock()
	n.stop()
	watcher.Wait()
	return again, err
}

// fail stops the engine over a defect; the first one counts.
func (e *Engine) fail(err error) {
	select {
	case e.failed <- err:
	default:
	}
}

// Close gives the home back when Run is never called. After Run it does nothing.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ran {
		return nil
	}
	e.ran = true
	close(e.done)
	if err := e.history.close(); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// SetPeers says which peers consensus should talk to, with their addresses:
// the members. Both ends have to name the other. The engine connects through
// the host, again and again, and drops who is no longer named. Of the addresses
// it uses IPv4 and dns ones, QUIC before others.
func (e *Engine) SetPeers(peers []peer.AddrInfo) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.members = slices.Clone(peers)
	named := make(map[peer.ID]bool, len(peers))
	for _, p := range peers {
		named[p.ID] = true
	}
	e.named.Store(&named)
	if e.node != nil {
		e.node.members.want(e.members)
	}
}

// ValidatorKey is the key that signs this node's votes.
func (e *Engine) ValidatorKey() ed25519.PublicKey {
	return e.key
}

// allow tells whether a peer may take part: a member that is named.
func (e *Engine) allow(p peer.ID) bool {
	named := e.named.Load()
	return named != nil && (*named)[p] && e.cfg.Allow != nil && e.cfg.Allow(p)
}

// Subscribe implements Ledger.
func (e *Engine) Subscribe(ctx context.Context) <-chan Committed {
	return e.SubscribeFrom(ctx, 0)
}

// SubscribeFrom implements Ledger. Height 0 means the next block.
func (e *Engine) SubscribeFrom(ctx context.Context, height uint64) <-chan Committed {
	return e.history.subscribe(ctx, height, func(err error) {
		e.log.ErrorContext(ctx, "subscription ended", "err", err)
	})
}

// Blocks implements Ledger.
func (e *Engine) Blocks(from, to uint64) iter.Seq2[Committed, error] {
	return e.history.blocks(from, to)
}

// WaitHeight implements Ledger.
func (e *Engine) WaitHeight(ctx context.Context, height uint64) error {
	return e.history.wait(ctx, height)
}

// Status implements Ledger.
func (e *Engine) Status() Status {
	s := e.history.status()
	e.mu.Lock()
	defer e.mu.Unlock()
	s.CatchingUp = true
	if e.observed != nil {
		s.Observing, s.ObserveUntil = true, e.observed.height()
	}
	if e.node != nil {
		s.CatchingUp = e.node.consensus.WaitSync()
		s.Peers = e.node.members.connected()
	}
	return s
}
