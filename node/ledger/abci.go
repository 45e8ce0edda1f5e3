package ledger

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	"github.com/cometbft/cometbft/types"

	"github.com/atelier-dao/atelier/curation"
)

// machine is the Application as CometBFT sees it, over the ABCI. CometBFT calls
// the consensus methods one at a time and never checks transactions during
// Commit; that is what Application promises.
type machine struct {
	abci.BaseApplication
	app     Application
	history *history
	log     *slog.Logger
	fail    func(error) // stops the engine
	evict   func(height int64, txs [][]byte)

	// syncing tells that blocks are executed by the goroutine of blocksync.
	syncing atomic.Pointer[func() bool]

	pending *pendingBlock        // executed, not committed
	leftOut map[string]time.Time // transactions that Prepare left out, since when
}

type pendingBlock struct {
	block   Committed
	changes []curation.Change
	updates []curation.Validator
	set     []validatorRecord // the validators with updates
}

// broken stops the engine over a defect. CometBFT answers an error in consensus
// by stopping it, but one in blocksync by a panic that ends the process; so
// there the goroutine ends instead.
func (m *machine) broken(err error) error {
	m.fail(err)
	if f := m.syncing.Load(); f != nil && (*f)() {
		runtime.Goexit()
	}
	return err
}

func (m *machine) Info(context.Context, *abci.RequestInfo) (*abci.ResponseInfo, error) {
	height, hash, _ := m.history.now()
	out := &abci.ResponseInfo{AppVersion: appVersion, LastBlockHeight: int64(height)}
	if height > 0 {
		out.LastBlockAppHash = hash[:]
	}
	return out, nil
}

// InitChain answers with what the history was founded on.
func (m *machine) InitChain(context.Context, *abci.RequestInitChain) (*abci.ResponseInitChain, error) {
	return &abci.ResponseInitChain{AppHash: m.history.origin.AppHash[:]}, nil
}

func (m *machine) CheckTx(_ context.Context, r *abci.RequestCheckTx) (*abci.ResponseCheckTx, error) {
	res := m.app.Check(r.Tx)
	return &abci.ResponseCheckTx{Code: uint32(res.Code), Log: res.Log}, nil
}

// patienceLeftOut is how long a transaction may be left out of our proposals,
// although there was room, before it leaves the pool. An account's transactions
// may overtake each other on their way here; this is the time to catch up in.
const patienceLeftOut = 100 * time.Millisecond

// PrepareProposal asks the application for an order. What it keeps leaving out
// although there was room leaves the pool too: the engine makes blocks for as
// long as the pool holds anything, so a transaction that is never put into one
// would have it make empty blocks as fast as it can.
func (m *machine) PrepareProposal(_ context.Context, r *abci.RequestPrepareProposal) (*abci.ResponsePrepareProposal, error) {
	in := make(map[string]bool, len(r.Txs))
	for _, tx := range r.Txs {
		in[string(tx)] = true
	}
	var out [][]byte
	var size int64
	for _, tx := range m.app.Prepare(uint64(r.Height), r.Txs, r.MaxTxBytes) {
		n := types.ComputeProtoSizeForTxs([]types.Tx{tx})
		if size+n > r.MaxTxBytes || !in[string(tx)] { // no room, or not one of the pool's, or twice
			continue
		}
		in[string(tx)] = false
		size += n
		out = append(out, tx)
	}
	now := time.Now()
	since := map[string]time.Time{}
	var left [][]byte
	for _, tx := range r.Txs {
		if !in[string(tx)] || size+types.ComputeProtoSizeForTxs([]types.Tx{tx}) > r.MaxTxBytes {
			continue
		}
		first, before := m.leftOut[string(tx)]
		switch {
		case !before:
			since[string(tx)] = now
		case now.Sub(first) < patienceLeftOut:
			since[string(tx)] = first
		default:
			left = append(left, tx)
		}
	}
	m.leftOut = since
	if len(left) > 0 {
		m.log.Debug("transactions dropped from the pool", "count", len(left), "height", r.Height)
		m.evict(r.Height-1, left)
	}
	return &abci.ResponsePrepareProposal{Txs: out}, nil
}

func (m *machine) ProcessProposal(_ context.Context, r *abci.RequestProcessProposal) (*abci.ResponseProcessProposal, error) {
	if !m.app.Process(curation.Block{Height: uint64(r.Height), Txs: r.Txs}) {
		m.log.Warn("proposal refused", "height", r.Height, "proposer", fmt.Sprintf("%X", r.ProposerAddress))
		return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_REJECT}, nil
	}
	return &abci.ResponseProcessProposal{Status: abci.ResponseProcessProposal_ACCEPT}, nil
}

func (m *machine) FinalizeBlock(_ context.Context, r *abci.RequestFinalizeBlock) (*abci.ResponseFinalizeBlock, error) {
	for _, e := range r.Misbehavior {
		m.log.Warn("validator signed twice", "validator", fmt.Sprintf("%X", e.Validator.Address), "height", e.Height)
	}
	block := curation.Block{Height: uint64(r.Height), Txs: r.Txs}
	p, err := execute(m.app, m.history, block, r.Time)
	if err != nil {
		return nil, m.broken(err)
	}
	m.pending = p
	out := &abci.ResponseFinalizeBlock{AppHash: p.block.AppHash[:], TxResults: txResults(p.block.Results)}
	for _, v := range p.updates {
		out.ValidatorUpdates = append(out.ValidatorUpdates, abci.Ed25519ValidatorUpdate(v.PublicKey[:], powerUnit*v.Power))
	}
	return out, nil
}

func (m *machine) Commit(context.Context, *abci.RequestCommit) (*abci.ResponseCommit, error) {
	p := m.pending
	m.pending = nil
	if p == nil {
		return nil, m.broken(fmt.Errorf("commit without an executed block"))
	}
	if err := m.history.commit(p, m.app.Commit); err != nil {
		return nil, m.broken(err)
	}
	return &abci.ResponseCommit{}, nil
}

// execute has app execute block and checks the form of what it answers.
func execute(app Application, h *history, block curation.Block, at time.Time) (*pendingBlock, error) {
	out, err := app.Execute(block)
	if err != nil {
		return nil, fmt.Errorf("execute block %d: %w", block.Height, err)
	}
	if len(out.Results) != len(block.Txs) {
		return nil, fmt.Errorf("execute block %d: %d results for %d transactions", block.Height, len(out.Results), len(block.Txs))
	}
	set, err := applyValidators(h.validatorSet(), out.Validators)
	if err != nil {
		return nil, fmt.Errorf("execute block %d: %w", block.Height, err)
	}
	return &pendingBlock{
		block: Committed{
			Height:  block.Height,
			Time:    at.UTC(),
			AppHash: out.AppHash,
			Txs:     block.Txs,
			Results: out.Results,
			Events:  out.Events,
		},
		changes: out.Changes,
		updates: out.Validators,
		set:     set,
	}, nil
}
