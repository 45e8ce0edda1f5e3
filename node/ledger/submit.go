package ledger

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/mempool"
	"github.com/cometbft/cometbft/p2p"
	protomem "github.com/cometbft/cometbft/proto/tendermint/mempool"

	"github.com/atelier-dao/atelier/curation"
)

const (
	// offerAgain is after how long a transaction that stands in no block yet is
	// offered again; each time waits twice as long as the one before, up to
	// offerSlowest. Several times the usual finality, so that a busy network is
	// not made busier.
	offerAgain    = time.Second
	offerAgainWAN = 5 * time.Second
	offerSlowest  = 16 * time.Second
	// refusalsToGiveUp is how many offers in a row have to be refused before a
	// transaction that was admitted once counts as refused: its time has
	// passed, or its nonce was used by another.
	refusalsToGiveUp = 3
)

// Submit implements Ledger. A transaction may be lost on its way: a peer drops
// what comes while it catches up, a proposer may die with it. So it is offered
// again, to our own pool and to every peer, for as long as it stands in no
// block; pools know what they have and the application's nonces keep it from
// taking effect twice.
func (e *Engine) Submit(ctx context.Context, tx []byte) (Receipt, error) {
	hash := sha256.Sum256(tx)
	got, cancel, err := e.history.await(hash)
	if err != nil {
		return Receipt{}, fmt.Errorf("submit: %w", err)
	}
	defer cancel()
	again := time.NewTimer(0)
	defer again.Stop()
	wait, refusals := offerAgain, 0
	if e.cfg.Profile == ProfileWAN {
		wait = offerAgainWAN
	}
	for first := true; ; first = false {
		select {
		case r := <-got:
			return r, nil
		case <-again.C:
			again.Reset(wait)
		case <-ctx.Done():
			return Receipt{}, fmt.Errorf("submit: outcome unknown: %w", ctx.Err())
		case <-e.done:
			return Receipt{}, fmt.Errorf("submit: outcome unknown: %w", ErrStopped)
		}
		n, err := e.running(ctx, got)
		if err != nil {
			return Receipt{}, fmt.Errorf("submit: %w", err)
		}
		if n == nil { // there is a receipt
			continue
		}
		err = n.offer(tx)
		var refused *RefusedError
		switch {
		case errors.As(err, &refused):
			if r, found, err := e.history.lookup(hash); err != nil || found {
				return r, err // it stands in a block, which is why
			}
			if refusals++; first || refusals == refusalsToGiveUp {
				return Receipt{}, fmt.Errorf("submit: %w", err)
			}
		case err == nil:
			refusals = 0
		case !errors.Is(err, ErrFull):
			return Receipt{}, fmt.Errorf("submit: %w", err)
		}
		if !first {
			n.spread(tx)
			wait = min(2*wait, offerSlowest)
		}
	}
}

// SubmitAsync implements Ledger. It offers the transaction once, to this node's
// pool; Submit is the one that insists.
func (e *Engine) SubmitAsync(ctx context.Context, tx []byte) error {
	n, err := e.running(ctx, nil)
	if err != nil {
		return fmt.Errorf("submit: %w", err)
	}
	if err := n.offer(tx); err != nil {
		if _, found, lost := e.history.lookup(sha256.Sum256(tx)); found && lost == nil {
			return nil // refused because it stands in a block
		}
		return fmt.Errorf("submit: %w", err)
	}
	return nil
}

// Lookup implements Ledger.
func (e *Engine) Lookup(tx []byte) (Receipt, bool, error) {
	return e.history.lookup(sha256.Sum256(tx))
}

// running waits until this node takes part in consensus: until then it cannot
// judge a transaction, and peers would not get it. It gives nil as soon as got
// has something.
func (e *Engine) running(ctx context.Context, got <-chan Receipt) (*node, error) {
	if len(got) > 0 {
		return nil, nil
	}
	select {
	case <-e.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-e.done:
		return nil, ErrStopped
	}
	for {
		e.mu.Lock()
		n := e.node
		e.mu.Unlock()
		if n != nil && !n.consensus.WaitSync() { // nil between two sessions, and at the end
			return n, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-e.done:
			return nil, ErrStopped
		}
		if len(got) > 0 {
			return nil, nil
		}
	}
}

// offer puts a transaction into this node's pool.
func (n *node) offer(tx []byte) error {
	if len(tx) == 0 {
		return &RefusedError{curation.TxResult{Code: curation.CodeMalformed, Log: "empty transaction"}}
	}
	if len(tx) > MaxTxBytes {
		return fmt.Errorf("%d bytes, limit %d: %w", len(tx), MaxTxBytes, ErrTooLarge)
	}
	var answer *abci.ResponseCheckTx
	err := n.pool.CheckTx(tx, func(r *abci.ResponseCheckTx) { answer = r }, mempool.TxInfo{})
	switch {
	case errors.Is(err, mempool.ErrTxInCache):
		return nil
	case errors.As(err, &mempool.ErrMempoolIsFull{}):
		return ErrFull
	case err != nil:
		return err
	case answer != nil && answer.Code == uint32(curation.CodeBusy): // no judgement of it
		return ErrFull
	case answer != nil && answer.Code != abci.CodeTypeOK: // in process, the answer is there at once
		return &RefusedError{curation.TxResult{Code: curation.Code(answer.Code), Log: answer.Log}}
	}
	return nil
}

// spread sends a transaction to every peer, once more.
func (n *node) spread(tx []byte) {
	n.sw.BroadcastAsync(p2p.Envelope{ChannelID: mempool.MempoolChannel, Message: &protomem.Txs{Txs: [][]byte{tx}}})
}
