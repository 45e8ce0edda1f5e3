package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"sync"
	"time"

	db "github.com/cometbft/cometbft-db"

	"github.com/atelier-dao/atelier/curation"
)

// DirectConfig describes a Direct ledger. Genesis and Apps are needed.
type DirectConfig struct {
	Genesis []byte
	// GenesisTime is the virtual time of height 0. The zero value means the
	// Unix epoch.
	GenesisTime time.Time
	// Apps are the replicas, at least one, all fresh. Every block is executed by
	// each, and they have to agree on hash, results and writes.
	Apps []Application
	// BlockInterval is what a block adds to the virtual time. 0 means 1 s.
	BlockInterval time.Duration
	// Sign signs each block for its validators, so that the ledger can be exported.
	// nil signs nothing.
	Sign SignFunc
}

// Direct is a Ledger without consensus and without a clock: a transaction is
// executed in a block of its own, or together with what SubmitAsync has
// gathered, as soon as it is submitted. Its time is virtual. The same calls in
// the same order give the same blocks. Nothing is kept on disk.
type Direct struct {
	apps     []Application
	genesis  time.Time
	interval time.Duration
	history  *history
	document []byte  // of the genesis
	notary   *notary // nil when blocks are not signed

	mu     sync.Mutex // one block at a time; guards the fields below
	pool   [][]byte
	pooled map[[32]byte]bool
	broken error
}

var _ Ledger = (*Direct)(nil)

// NewDirect founds a ledger.
func NewDirect(cfg DirectConfig) (*Direct, error) {
	if len(cfg.Apps) == 0 {
		return nil, errors.New("ledger: no application")
	}
	d := &Direct{
		apps:     slices.Clone(cfg.Apps),
		genesis:  cfg.GenesisTime.UTC(),
		document: slices.Clone(cfg.Genesis),
		interval: cfg.BlockInterval,
		pooled:   map[[32]byte]bool{},
	}
	if cfg.GenesisTime.IsZero() {
		d.genesis = time.Unix(0, 0).UTC()
	}
	if d.interval == 0 {
		d.interval = time.Second
	}
	var err error
	if d.history, err = openHistory(db.NewMemDB(), d.apps[0], cfg.Genesis); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	want := d.history.origin.AppHash
	for i, app := range d.apps[1:] {
		out, err := app.Genesis(cfg.Genesis)
		if err != nil {
			return nil, fmt.Errorf("ledger: genesis: replica %d: %w", i+1, err)
		}
		if out.AppHash != want {
			return nil, fmt.Errorf("ledger: genesis: replica %d has %x, replica 0 %x: %w", i+1, out.AppHash[:8], want[:8], ErrDiverged)
		}
	}
	if cfg.Sign != nil {
		founded := curation.Outcome{AppHash: want, Validators: validators(d.history.origin.Validators)}
		if d.notary, err = newNotary(cfg.Genesis, founded, cfg.Sign, d.interval); err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
	}
	return d, nil
}

// Submit implements Ledger: the block is made before it returns.
func (d *Direct) Submit(ctx context.Context, tx []byte) (Receipt, error) {
	if err := ctx.Err(); err != nil {
		return Receipt{}, fmt.Errorf("submit: %w", err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	hash := sha256.Sum256(tx)
	if r, found, err := d.history.lookup(hash); err != nil || found {
		return r, err
	}
	if err := d.offer(tx); err != nil {
		return Receipt{}, fmt.Errorf("submit: %w", err)
	}
	for { // more than one block only when the pool holds more than fits
		before := len(d.pool)
		if err := d.step(); err != nil {
			return Receipt{}, fmt.Errorf("submit: %w", err)
		}
		if r, found, err := d.history.lookup(hash); err != nil || found {
			return r, err
		}
		if !d.pooled[hash] || len(d.pool) >= before {
			return Receipt{}, fmt.Errorf("submit: left out of the block: %w", &RefusedError{curation.TxResult{Code: curation.CodeLimit, Log: "not proposed"}})
		}
	}
}

// SubmitAsync implements Ledger: the transaction waits for the next block.
func (d *Direct) SubmitAsync(ctx context.Context, tx []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.offer(tx); err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	return nil
}

// offer puts a transaction into the pool. The other replicas check it too, so
// that they stay alike; what they answer has to be the same.
func (d *Direct) offer(tx []byte) error {
	switch {
	case d.broken != nil:
		return d.broken
	case len(tx) == 0:
		return &RefusedError{curation.TxResult{Code: curation.CodeMalformed, Log: "empty transaction"}}
	case len(tx) > MaxTxBytes:
		return fmt.Errorf("%d bytes, limit %d: %w", len(tx), MaxTxBytes, ErrTooLarge)
	}
	hash := sha256.Sum256(tx)
	if d.pooled[hash] {
		return nil
	}
	tx = slices.Clone(tx)
	res := d.apps[0].Check(tx)
	for i, app := range d.apps[1:] {
		if other := app.Check(tx); other.Code != res.Code {
			return d.halt(fmt.Errorf("check: replica %d answers %d, replica 0 %d: %w", i+1, other.Code, res.Code, ErrDiverged))
		}
	}
	if res.Code != curation.CodeOK {
		return &RefusedError{res}
	}
	d.pool = append(d.pool, tx)
	d.pooled[hash] = true
	return nil
}

// Step makes n blocks, the first of them with what waits in the pool: how
// heights pass while nobody sends anything.
func (d *Direct) Step(n int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for range n {
		if err := d.step(); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return nil
}

func (d *Direct) halt(err error) error {
	d.broken = err
	return err
}

func (d *Direct) step() error {
	if d.broken != nil {
		return d.broken
	}
	height, _, _ := d.history.now()
	height++
	const room = MaxBlockBytes - 64<<10 // for header and votes
	block := curation.Block{Height: height, Txs: d.apps[0].Prepare(height, slices.Clone(d.pool), room)}
	for i, app := range d.apps {
		if i > 0 {
			if txs := app.Prepare(height, slices.Clone(d.pool), room); !slices.EqualFunc(txs, block.Txs, slices.Equal) {
				return d.halt(fmt.Errorf("prepare block %d: replica %d proposes another: %w", height, i, ErrDiverged))
			}
		}
		if !app.Process(block) {
			return d.halt(fmt.Errorf("block %d: replica %d refuses the proposal of replica 0: %w", height, i, ErrDiverged))
		}
	}
	at := d.genesis.Add(time.Duration(height) * d.interval)
	first, err := execute(d.apps[0], d.history, block, at)
	if err != nil {
		return d.halt(err)
	}
	for i, app := range d.apps[1:] {
		other, err := execute(app, d.history, block, at)
		if err != nil {
			return d.halt(fmt.Errorf("replica %d: %w", i+1, err))
		}
		if err := same(first, other); err != nil {
			return d.halt(fmt.Errorf("block %d: replica %d: %w", height, i+1, err))
		}
	}
	if d.notary != nil {
		out := curation.Outcome{AppHash: first.block.AppHash, Results: first.block.Results, Validators: first.updates}
		if err := d.notary.seal(block.Txs, out); err != nil {
			return d.halt(err)
		}
	}
	d.drain(block, room)
	if err := d.history.commit(first, func() {
		for _, app := range d.apps {
			app.Commit()
		}
	}); err != nil {
		return d.halt(err)
	}
	return nil
}

// drain takes out of the pool what stands in block, and what was left out of it
// although there was room.
func (d *Direct) drain(block curation.Block, room int) {
	in := map[[32]byte]bool{}
	size := 0
	for _, tx := range block.Txs {
		in[sha256.Sum256(tx)] = true
		size += len(tx) + 4
	}
	d.pool = slices.DeleteFunc(d.pool, func(tx []byte) bool {
		hash := sha256.Sum256(tx)
		if !in[hash] && size+len(tx)+4 > room {
			return false
		}
		delete(d.pooled, hash)
		return true
	})
}

// same requires two replicas to have come to the same.
func same(a, b *pendingBlock) error {
	switch {
	case a.block.AppHash != b.block.AppHash:
		return fmt.Errorf("hash %x, replica 0 has %x: %w", b.block.AppHash[:8], a.block.AppHash[:8], ErrDiverged)
	case !equal(a.block.Results, b.block.Results):
		return fmt.Errorf("other results than replica 0: %w", ErrDiverged)
	case !equal(a.block.Events, b.block.Events):
		return fmt.Errorf("other events than replica 0: %w", ErrDiverged)
	case !equal(a.changes, b.changes):
		return fmt.Errorf("other writes than replica 0: %w", ErrDiverged)
	case !equal(a.updates, b.updates):
		return fmt.Errorf("other validators than replica 0: %w", ErrDiverged)
	}
	return nil
}

// equal compares slices deeply; an empty one and none are the same.
func equal[T any](a, b []T) bool {
	return len(a) == 0 && len(b) == 0 || reflect.DeepEqual(a, b)
}

// Lookup implements Ledger.
func (d *Direct) Lookup(tx []byte) (Receipt, bool, error) {
	return d.history.lookup(sha256.Sum256(tx))
}

// Subscribe implements Ledger.
func (d *Direct) Subscribe(ctx context.Context) <-chan Committed { return d.SubscribeFrom(ctx, 0) }

// SubscribeFrom implements Ledger. Height 0 means the next block.
func (d *Direct) SubscribeFrom(ctx context.Context, height uint64) <-chan Committed {
	return d.history.subscribe(ctx, height, func(error) {}) // memory does not fail
}

// Blocks implements Ledger.
func (d *Direct) Blocks(from, to uint64) iter.Seq2[Committed, error] {
	return d.history.blocks(from, to)
}

// WaitHeight implements Ledger. Somebody else has to make the blocks.
func (d *Direct) WaitHeight(ctx context.Context, height uint64) error {
	return d.history.wait(ctx, height)
}

// Status implements Ledger. Its clock is virtual, so there is no age.
func (d *Direct) Status() Status {
	s := d.history.status()
	s.LatestBlock = d.genesis.Add(time.Duration(s.Height) * d.interval)
	s.LatestBlockAge = 0
	return s
}

// Close ends the subscriptions.
func (d *Direct) Close() error { return d.history.close() }
