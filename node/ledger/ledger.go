package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
)

// Application is the replicated state machine under consensus. Everything it
// answers to Genesis, Prepare, Process and Execute is a function of its
// arguments and of the blocks committed so far: no clock, no chance, no order
// of maps.
//
// The driver calls Genesis or Load once, first, and alone. Prepare, Process,
// Execute and Commit come one at a time. Check comes one at a time too, but may
// overlap Prepare, Process and Execute; it never overlaps Commit. Queries are
// not the driver's and may come at any time.
type Application interface {
	// Genesis builds the state at height 0 from the genesis document. Changes
	// of the outcome hold the whole state, Validators the whole validator set.
	// The state is visible to queries when it returns; no Commit follows.
	Genesis(doc []byte) (curation.Outcome, error)
	// Load rebuilds the state as of height from all its entries, in the order
	// of their keys, and fails when it does not hash to appHash. The slices are
	// good for the one step of the iteration only.
	Load(height uint64, appHash [32]byte, entries iter.Seq2[[]byte, []byte]) error
	// Check admits a transaction to the pool, judged by the committed state and
	// by what it admitted before.
	Check(tx []byte) curation.TxResult
	// Prepare orders the pool for a proposal of at most maxBytes. What it keeps
	// leaving out although there is room is dropped from the pool.
	Prepare(height uint64, txs [][]byte, maxBytes int64) [][]byte
	// Process accepts or refuses a proposal. Blocks that others agreed on while
	// this node was away are executed without being asked about.
	Process(block curation.Block) bool
	// Execute computes what the block does, invisible to queries until Commit.
	// Calling it again for the same height starts over. An error is a defect
	// that stops the ledger: bad transactions are results, not errors.
	Execute(block curation.Block) (curation.Outcome, error)
	// Commit makes the block executed last visible to queries. The driver has
	// made it durable before.
	Commit()
}

// Ledger is the agreed order of transactions as the rest of a node sees it.
// All methods may be used at the same time.
type Ledger interface {
	// Submit offers a transaction and waits until it stands in a block. The
	// same bytes may be submitted again, at any time, here or elsewhere: they
	// take effect once, and the receipt tells what the block recorded. A
	// transaction that stands in a block but was refused there gives a receipt
	// whose Result has the class, and no error. A transaction that is not
	// admitted, or no longer, gives a *RefusedError. When ctx ends first the
	// outcome is open.
	Submit(ctx context.Context, tx []byte) (Receipt, error)
	// SubmitAsync offers a transaction and does not wait for a block.
	SubmitAsync(ctx context.Context, tx []byte) error
	// Lookup returns the receipt of a transaction that stands in a block.
	Lookup(tx []byte) (Receipt, bool, error)
	// Subscribe delivers every block after the present height, in order and
	// without gaps however slowly they are taken, until ctx or the ledger ends;
	// then the channel is closed.
	Subscribe(ctx context.Context) <-chan Committed
	// SubscribeFrom is Subscribe beginning with the block of the given height,
	// so that a returning reader sees what it missed.
	SubscribeFrom(ctx context.Context, height uint64) <-chan Committed
	// Blocks returns the committed blocks of heights from..to, clipped to what
	// is stored.
	Blocks(from, to uint64) iter.Seq2[Committed, error]
	// WaitHeight returns once the block of the given height is committed here.
	WaitHeight(ctx context.Context, height uint64) error
	// Status tells where the ledger stands.
	Status() Status
}

// Receipt tells where a transaction stands and what became of it.
type Receipt struct {
	Height uint64 // of the block
	Index  uint32 // position in the block, from 0
	Result curation.TxResult
}

// Committed is one block with everything that it produced. Readers share it
// and do not change it.
type Committed struct {
	Height  uint64
	Time    time.Time // header time, UTC, for display: stale by the idle time before the block
	AppHash [32]byte  // hash of the whole state after the block
	Txs     [][]byte
	Results []curation.TxResult // one per transaction
	Events  []curation.Event    // facts that follow from the height alone
}

// Status tells where a ledger stands.
type Status struct {
	Height         uint64
	AppHash        [32]byte
	CatchingUp     bool      // fetching blocks that others agreed on; not taking part yet
	Observing      bool      // restored from a backup, and not signing yet
	ObserveUntil   uint64    // height after which it signs; 0 while no new block has come
	Peers          []peer.ID // peers that consensus talks to now, in order
	Validators     []curation.Validator
	LatestBlock    time.Time     // when this node committed the latest block; zero before it has
	LatestBlockAge time.Duration // time since LatestBlock; 0 before there is one
}

var (
	// ErrRefused reports a transaction that was not admitted to the pool.
	ErrRefused = errors.New("transaction refused")
	// ErrTooLarge reports a transaction above MaxTxBytes.
	ErrTooLarge = errors.New("transaction too large")
	// ErrFull reports a pool that takes no more transactions for the moment.
	ErrFull = errors.New("pool of waiting transactions is full")
	// ErrStopped reports a ledger that has stopped, or that never ran.
	ErrStopped = errors.New("ledger stopped")
	// ErrHeight reports a block that is not stored here.
	ErrHeight = errors.New("no block of this height")
	// ErrGenesis reports a home that belongs to another genesis.
	ErrGenesis = errors.New("home belongs to another genesis")
	// ErrLocked reports a home that another process uses.
	ErrLocked = errors.New("home is in use by another process")
	// ErrDiverged reports replicas of the application that disagree on a block.
	ErrDiverged = errors.New("replicas diverged")
)

// RefusedError carries why a transaction was not admitted. It wraps ErrRefused.
type RefusedError struct{ Result curation.TxResult }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%v: code %d: %s", ErrRefused, e.Result.Code, e.Result.Log)
}

// Unwrap makes errors.Is(err, ErrRefused) hold.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// MaxTxBytes is the largest transaction that a ledger takes, in bytes.
const MaxTxBytes = 64 << 10

// MaxBlockBytes is the largest block, header and votes included, in bytes.
const MaxBlockBytes = 1 << 20
