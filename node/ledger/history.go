package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	db "github.com/cometbft/cometbft-db"

	"github.com/atelier-dao/atelier/curation"
)

// Keys of the store. One batch, synced, moves all of them from one height to
// the next, so a crash leaves the state of a height and never a mixture.
const (
	keyTip    = "m/tip"    // tipRecord
	keyOrigin = "m/origin" // originRecord
	prefixKV  = 's'        // + key: the application's flat state
	prefixBlk = 'b'        // + height, u64 big endian: blockRecord
	prefixTx  = 't'        // + SHA-256 of the transaction: where it stands
)

// recentBlocks are kept in memory for readers that keep up.
const recentBlocks = 32

type validatorRecord struct {
	_         struct{} `cbor:",toarray"`
	PublicKey [32]byte
	Power     int64
}

// tipRecord is where the store stands.
type tipRecord struct {
	_          struct{} `cbor:",toarray"`
	Format     uint64   // 1
	Height     uint64
	AppHash    [32]byte
	Validators []validatorRecord // by key
}

// originRecord is what height 0 came from.
type originRecord struct {
	_          struct{} `cbor:",toarray"`
	Genesis    [32]byte // SHA-256 of the genesis document
	AppHash    [32]byte
	Validators []validatorRecord
}

// history is the durable part of a ledger: the application's flat state, the
// blocks with their results, where each transaction stands, and the readers who
// wait for more. Its methods may be used at the same time, but commit.
type history struct {
	store db.DB

	mu      sync.Mutex // guards the fields below
	tip     tipRecord
	origin  originRecord
	at      time.Time              // when the tip was committed by this process
	recent  []Committed            // the latest blocks, in order of height
	waiting map[[32]byte][]*waiter // for the transaction of that hash
	moved   chan struct{}          // closed when the tip moves
	ended   chan struct{}          // closed by close
	readers sync.WaitGroup         // subscriptions
}

type waiter struct{ got chan Receipt }

// openHistory brings app to the state that store holds: what was committed
// last, or genesis, which it then stores.
func openHistory(store db.DB, app Application, genesis []byte) (*history, error) {
	h := &history{
		store:   store,
		waiting: map[[32]byte][]*waiter{},
		moved:   make(chan struct{}),
		ended:   make(chan struct{}),
	}
	raw, err := store.Get([]byte(keyTip))
	if err != nil {
		return nil, fmt.Errorf("read ledger store: %w", err)
	}
	if raw == nil {
		return h, h.found(app, genesis)
	}
	if err := decodeStrictly(raw, &h.tip); err != nil {
		return nil, fmt.Errorf("read ledger store: tip: %w", err)
	}
	if h.tip.Format != 1 {
		return nil, fmt.Errorf("read ledger store: format %d, want 1", h.tip.Format)
	}
	if raw, err = store.Get([]byte(keyOrigin)); err != nil {
		return nil, fmt.Errorf("read ledger store: %w", err)
	}
	if err := decodeStrictly(raw, &h.origin); err != nil {
		return nil, fmt.Errorf("read ledger store: origin: %w", err)
	}
	if want := sha256.Sum256(genesis); want != h.origin.Genesis {
		return nil, fmt.Errorf("genesis %x, home holds %x: %w", want[:8], h.origin.Genesis[:8], ErrGenesis)
	}
	return h, h.load(app)
}

func (h *history) found(app Application, genesis []byte) error {
	out, err := app.Genesis(genesis)
	if err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	set, err := applyValidators(nil, out.Validators)
	if err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	h.origin = originRecord{Genesis: sha256.Sum256(genesis), AppHash: out.AppHash, Validators: set}
	h.tip = tipRecord{Format: 1, AppHash: out.AppHash, Validators: set}
	return h.write(h.tip, out.Changes, func(b db.Batch) error {
		return setRecord(b, []byte(keyOrigin), h.origin)
	})
}

func (h *history) load(app Application) error {
	it, err := h.store.Iterator([]byte{prefixKV}, []byte{prefixKV + 1})
	if err != nil {
		return fmt.Errorf("read ledger store: %w", err)
	}
	defer it.Close()
	entries := func(yield func(k, v []byte) bool) {
		for ; it.Valid(); it.Next() {
			if !yield(it.Key()[1:], it.Value()) {
				return
			}
		}
	}
	if err := app.Load(h.tip.Height, h.tip.AppHash, entries); err != nil {
		return fmt.Errorf("load state at height %d: %w", h.tip.Height, err)
	}
	if err := it.Error(); err != nil {
		return fmt.Errorf("read ledger store: %w", err)
	}
	return nil
}

// write moves the store to tip in one synced batch.
func (h *history) write(tip tipRecord, changes []curation.Change, more func(db.Batch) error) error {
	b := h.store.NewBatch()
	defer b.Close()
	for _, c := range changes {
		key := append([]byte{prefixKV}, c.Key...)
		var err error
		if c.Value == nil {
			err = b.Delete(key)
		} else {
			err = b.Set(key, c.Value)
		}
		if err != nil {
			return fmt.Errorf("write ledger store: %w", err)
		}
	}
	if err := setRecord(b, []byte(keyTip), tip); err != nil {
		return err
	}
	if err := more(b); err != nil {
		return err
	}
	if err := b.WriteSync(); err != nil {
		return fmt.Errorf("write ledger store: %w", err)
	}
	return nil
}

func setRecord(b db.Batch, key []byte, record any) error {
	raw, err := encoding.Marshal(record)
	if err != nil {
		return fmt.Errorf("write ledger store: %w", err)
	}
	if err := b.Set(key, raw); err != nil {
		return fmt.Errorf("write ledger store: %w", err)
	}
	return nil
}

// commit makes block durable with what executing it changed, then calls
// visible, then lets everyone know. One at a time.
func (h *history) commit(p *pendingBlock, visible func()) error {
	block := p.block
	h.mu.Lock()
	before := h.tip.Height
	h.mu.Unlock()
	if block.Height != before+1 {
		return fmt.Errorf("commit block %d after block %d", block.Height, before)
	}
	raw, err := encodeBlock(block)
	if err != nil {
		return err
	}
	tip := tipRecord{Format: 1, Height: block.Height, AppHash: block.AppHash, Validators: p.set}
	err = h.write(tip, p.changes, func(b db.Batch) error {
		if err := b.Set(blockKey(block.Height), raw); err != nil {
			return fmt.Errorf("write ledger store: %w", err)
		}
		return h.index(b, block)
	})
	if err != nil {
		return err
	}
	visible()
	h.publish(tip, block)
	return nil
}

// index stores where the transactions of block stand. Of several places that
// the same bytes may stand in, the one where they were accepted counts, and
// else the latest.
func (h *history) index(b db.Batch, block Committed) error {
	accepted := map[[32]byte]bool{}
	for i, tx := range block.Txs {
		hash := sha256.Sum256(tx)
		if block.Results[i].Code != curation.CodeOK {
			if accepted[hash] {
				continue
			}
			earlier, found, err := h.lookup(hash)
			if err != nil {
				return err
			}
			if found && earlier.Result.Code == curation.CodeOK {
				continue
			}
		}
		accepted[hash] = block.Results[i].Code == curation.CodeOK
		at := binary.BigEndian.AppendUint64(nil, block.Height)
		at = binary.BigEndian.AppendUint32(at, uint32(i))
		if err := b.Set(append([]byte{prefixTx}, hash[:]...), at); err != nil {
			return fmt.Errorf("write ledger store: %w", err)
		}
	}
	return nil
}

func (h *history) publish(tip tipRecord, block Committed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.tip, h.at = tip, time.Now()
	if len(h.recent) == recentBlocks {
		h.recent = append(h.recent[:0:0], h.recent[1:]...)
	}
	h.recent = append(h.recent, block)
	for i, tx := range block.Txs {
		if len(h.waiting) == 0 {
			break
		}
		hash := sha256.Sum256(tx)
		for _, w := range h.waiting[hash] {
			w.got <- Receipt{Height: block.Height, Index: uint32(i), Result: block.Results[i]}
		}
		delete(h.waiting, hash)
	}
	close(h.moved)
	h.moved = make(chan struct{})
}

// await returns the receipt of a transaction once there is one. It gives found
// when the transaction stands in a block already. cancel forgets the waiter.
func (h *history) await(hash [32]byte) (got <-chan Receipt, cancel func(), err error) {
	w := &waiter{got: make(chan Receipt, 1)}
	h.mu.Lock()
	h.waiting[hash] = append(h.waiting[hash], w)
	h.mu.Unlock()
	cancel = func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		left := slices.DeleteFunc(h.waiting[hash], func(x *waiter) bool { return x == w })
		if len(left) == 0 {
			delete(h.waiting, hash)
			return
		}
		h.waiting[hash] = left
	}
	// The waiter is in place, so a block that comes now is not missed.
	r, found, err := h.lookup(hash)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	if found {
		cancel()
		select {
		case w.got <- r:
		default: // the block came in between and said the same
		}
	}
	return w.got, cancel, nil
}

func (h *history) lookup(hash [32]byte) (Receipt, bool, error) {
	at, err := h.get(append([]byte{prefixTx}, hash[:]...))
	if err != nil || at == nil {
		return Receipt{}, false, err
	}
	if len(at) != 12 {
		return Receipt{}, false, fmt.Errorf("read ledger store: place of a transaction has %d bytes, want 12", len(at))
	}
	r := Receipt{Height: binary.BigEndian.Uint64(at), Index: binary.BigEndian.Uint32(at[8:])}
	block, err := h.block(r.Height)
	if err != nil {
		return Receipt{}, false, err
	}
	if int(r.Index) >= len(block.Results) {
		return Receipt{}, false, fmt.Errorf("read ledger store: transaction %d of %d in block %d", r.Index, len(block.Results), r.Height)
	}
	r.Result = block.Results[r.Index]
	return r, true, nil
}

// get reads the store, which close may have taken away.
func (h *history) get(key []byte) ([]byte, error) {
	v, err := h.store.Get(key)
	if err != nil {
		select {
		case <-h.ended:
			return nil, ErrStopped
		default:
			return nil, fmt.Errorf("read ledger store: %w", err)
		}
	}
	return v, nil
}

func (h *history) block(height uint64) (Committed, error) {
	h.mu.Lock()
	if n := len(h.recent); n > 0 && height >= h.recent[0].Height && height <= h.recent[n-1].Height {
		c := h.recent[height-h.recent[0].Height]
		h.mu.Unlock()
		return c, nil
	}
	h.mu.Unlock()
	raw, err := h.get(blockKey(height))
	if err != nil {
		return Committed{}, err
	}
	if raw == nil {
		return Committed{}, fmt.Errorf("block %d: %w", height, ErrHeight)
	}
	return decodeBlock(raw)
}

func (h *history) blocks(from, to uint64) iter.Seq2[Committed, error] {
	return func(yield func(Committed, error) bool) {
		height, _, _ := h.now()
		for at := max(from, 1); at <= min(to, height); at++ {
			c, err := h.block(at)
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// now tells the height, its hash, and gives a channel that closes when they
// change.
func (h *history) now() (height uint64, appHash [32]byte, moved <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tip.Height, h.tip.AppHash, h.moved
}

func (h *history) wait(ctx context.Context, height uint64) error {
	for {
		now, _, moved := h.now()
		if now >= height {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return fmt.Errorf("wait for height %d, at %d: %w", height, now, ctx.Err())
		case <-h.ended:
			return fmt.Errorf("wait for height %d, at %d: %w", height, now, ErrStopped)
		}
	}
}

// subscribe delivers blocks beginning with from; failed hears why it stopped
// short.
func (h *history) subscribe(ctx context.Context, from uint64, failed func(error)) <-chan Committed {
	out := make(chan Committed)
	h.mu.Lock()
	defer h.mu.Unlock()
	select {
	case <-h.ended:
		close(out)
		return out
	default:
	}
	if from == 0 {
		from = h.tip.Height + 1
	}
	h.readers.Go(func() {
		defer close(out)
		for at := from; ; at++ {
			if h.wait(ctx, at) != nil {
				return
			}
			c, err := h.block(at)
			if err != nil {
				if !errors.Is(err, ErrStopped) {
					failed(err)
				}
				return
			}
			select {
			case out <- c:
			case <-ctx.Done():
				return
			case <-h.ended:
				return
			}
		}
	})
	return out
}

func (h *history) validatorSet() []validatorRecord {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tip.Validators
}

func (h *history) status() Status {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := Status{Height: h.tip.Height, AppHash: h.tip.AppHash, Validators: validators(h.tip.Validators), LatestBlock: h.at}
	if !h.at.IsZero() {
		s.LatestBlockAge = time.Since(h.at)
	}
	return s
}

// close ends the subscriptions and closes the store.
func (h *history) close() error {
	h.mu.Lock()
	select {
	case <-h.ended:
		h.mu.Unlock()
		return nil
	default:
	}
	close(h.ended)
	h.mu.Unlock()
	h.readers.Wait()
	if err := h.store.Close(); err != nil {
		return fmt.Errorf("close ledger store: %w", err)
	}
	return nil
}

func blockKey(height uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefixBlk}, height)
}

// applyValidators is the validator set after changes: sorted by key, nobody
// without power. A set that nobody is left in would end the chain.
func applyValidators(set []validatorRecord, changes []curation.Validator) ([]validatorRecord, error) {
	out := slices.Clone(set)
	for _, c := range changes {
		if c.Power < 0 {
			return nil, fmt.Errorf("validator %x has power %d", c.PublicKey[:8], c.Power)
		}
		i, found := slices.BinarySearchFunc(out, c.PublicKey, func(v validatorRecord, k [32]byte) int {
			return bytes.Compare(v.PublicKey[:], k[:])
		})
		switch {
		case found && c.Power == 0:
			out = slices.Delete(out, i, i+1)
		case found:
			out[i].Power = c.Power
		case c.Power > 0:
			out = slices.Insert(out, i, validatorRecord{PublicKey: c.PublicKey, Power: c.Power})
		default:
			return nil, fmt.Errorf("validator %x is removed without being one", c.PublicKey[:8])
		}
	}
	if len(out) == 0 {
		return nil, errors.New("no validator is left")
	}
	return out, nil
}

func validators(rs []validatorRecord) []curation.Validator {
	out := make([]curation.Validator, len(rs))
	for i, r := range rs {
		out[i] = curation.Validator{PublicKey: r.PublicKey, Power: r.Power}
	}
	return out
}
