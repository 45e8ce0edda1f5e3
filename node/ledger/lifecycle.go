package ledger

import (
	"errors"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/types"
)

// start has the switch take messages first and only then tells peers that it
// does.
func (n *node) start() (err error) {
	defer func() {
		if r := recover(); r != nil { // a reactor that cannot start panics
			err = fmt.Errorf("consensus does not start: %v", r)
			n.stop()
		}
	}()
	if err := n.sw.Start(); err != nil {
		n.stop()
		return fmt.Errorf("consensus does not start: %w", err)
	}
	n.boot.start()
	return nil
}

// stop ends consensus: first what would bring it new peers and messages, then
// its reactors. Goroutines of the reactors that sleep at that moment find out
// when they wake; they are waited for when there were peers, because only then
// are there any.
func (n *node) stop() {
	n.gate.shut() // nobody waits for a peer any more
	n.members.close()
	n.boot.close()
	n.gate.close()
	if !n.sw.IsRunning() { // it did not come to start them all
		for _, r := range n.members.reactors {
			if r.IsRunning() {
				_ = r.Stop()
			}
		}
		return
	}
	told := make(chan time.Time, 1) // when consensus was told to stop
	go func() {
		<-n.consensus.Quit()
		told <- time.Now()
	}()
	_ = n.sw.Stop()
	if at := <-told; n.members.everMet() {
		time.Sleep(n.linger - time.Since(at))
	}
}

// dispose gives back what assemble took.
func (n *node) dispose() error {
	var errs []error
	if n.bus != nil && n.bus.IsRunning() {
		errs = append(errs, n.bus.Stop())
	}
	if n.conns != nil && n.conns.IsRunning() {
		errs = append(errs, n.conns.Stop())
	}
	for _, s := range n.shelves {
		errs = append(errs, s.retire())
	}
	return errors.Join(errs...)
}

// evict takes transactions out of the pool and out of its memory of what it has
// seen, so that they may be offered again. Telling the pool that they stood in a
// block, and failed there, is its one way to do both.
func (n *node) evict(height int64, txs [][]byte) {
	gone := make(types.Txs, len(txs))
	failed := make([]*abci.ExecTxResult, len(txs))
	for i, tx := range txs {
		gone[i], failed[i] = tx, &abci.ExecTxResult{Code: 1}
	}
	n.pool.Lock()
	defer n.pool.Unlock()
	_ = n.pool.Update(height, gone, failed, nil, nil) // has no way to fail
}
