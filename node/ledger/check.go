package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"

	"github.com/atelier-dao/atelier/curation"
)

var (
	// ErrUnsigned reports a block that those who were to sign it have not signed.
	ErrUnsigned = errors.New("not signed by more than two thirds")
	// ErrBlock reports a block that does not continue the one before it.
	ErrBlock = errors.New("block does not follow")
	// ErrReplay reports a block whose signed hashes differ from what the application
	// makes of the blocks before it.
	ErrReplay = errors.New("not what the rules give")
)

// CheckError is what is wrong with an export, and where. It wraps ErrExport,
// ErrUnsigned, ErrBlock or ErrReplay.
type CheckError struct {
	Height uint64 // of the block; 0 for the founding
	Err    error
}

func (e *CheckError) Error() string {
	if e.Height == 0 {
		return e.Err.Error()
	}
	return fmt.Sprintf("block %d: %v", e.Height, e.Err)
}

// Unwrap gives what is wrong.
func (e *CheckError) Unwrap() error { return e.Err }

// Checked is a block of an export that holds, with everything it did.
type Checked struct {
	Committed
	Hash    [32]byte             // of its header
	Signers int                  // validators whose signatures under it are good
	Of      int                  // validators who might have signed it
	Signed  int64                // power of the signers
	Power   int64                // power of all of them: Signed is more than two thirds
	Changes []curation.Validator // of the validators, from two blocks on
}

// CheckExport checks the export that r holds, with app, which is fresh. Nothing in it
// is trusted but the genesis document, whose hash the caller knows or learns from
// genesis, which hears it first, with the validators that it names. Then each hears of
// every block, in order, when it is proved: validators with more than two thirds of
// the power in force at its height have signed it; it continues the block before; and
// running all blocks up to there gave the very hashes of state, results and validators
// that were signed. An error is a *CheckError, or what reading, ctx or a callback
// ended with. Two blocks are in memory at a time, and what app keeps.
func CheckExport(ctx context.Context, r io.Reader, app Application, genesis func(doc []byte, founders []curation.Validator) error, each func(Checked) error) error {
	e, doc, err := openEntries(r)
	if err != nil {
		return checkError(0, err)
	}
	out, err := app.Genesis(doc)
	if err != nil {
		return &CheckError{Err: fmt.Errorf("the founding document: %w: %w", err, ErrExport)}
	}
	c, err := newChain(doc, out)
	if err != nil {
		return &CheckError{Err: fmt.Errorf("%w: %w", err, ErrExport)}
	}
	if err := genesis(doc, out.Validators); err != nil {
		return err
	}
	x := checker{chain: c, app: app}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		kind, content, err := e.next()
		height := uint64(c.height) + 1
		if x.block != nil {
			height++
		}
		switch {
		case errors.Is(err, io.EOF) && x.block == nil:
			return &CheckError{Err: fmt.Errorf("it holds no block: %w", ErrExport)}
		case errors.Is(err, io.EOF):
			return &CheckError{Height: height - 1, Err: fmt.Errorf("the export breaks off here, before the signatures under it: %w", ErrExport)}
		case err != nil:
			return checkError(height, err)
		case kind == entryGenesis:
			return &CheckError{Height: height, Err: fmt.Errorf("a second founding document comes instead of it: %w", ErrExport)}
		case kind == entryCommit:
			return x.end(e, content, each)
		}
		if err := x.add(content, each); err != nil {
			return err
		}
	}
}

// checkError puts a height to what reading an entry ended with, unless the reader
// failed.
func checkError(height uint64, err error) error {
	if errors.Is(err, ErrExport) {
		return &CheckError{Height: height, Err: err}
	}
	return fmt.Errorf("read export: %w", err)
}

// checker holds back the last block that it read until it knows its signatures.
type checker struct {
	*chain
	app   Application
	block *types.Block // the next of the chain; nil before the first
	of    types.BlockID
}

// add takes the next block, whose signatures prove the one that was held back.
func (x *checker) add(raw []byte, each func(Checked) error) error {
	at := uint64(x.height) + 1
	if x.block != nil {
		at++
	}
	block, id, err := decodeSigned(raw)
	switch {
	case err != nil:
		return &CheckError{Height: at, Err: err}
	case block.Height != int64(at):
		return &CheckError{Height: at, Err: fmt.Errorf("block %d comes in its place: %w", block.Height, ErrBlock)}
	case x.block == nil:
		x.block, x.of = block, id
		return nil
	}
	if err := x.prove(block.LastCommit, each); err != nil {
		return err
	}
	x.block, x.of = block, id
	return nil
}

// end takes the signatures under the last block, and nothing after them.
func (x *checker) end(e *entries, raw []byte, each func(Checked) error) error {
	height := uint64(x.height) + 1
	if x.block == nil {
		return &CheckError{Err: fmt.Errorf("it holds no block: %w", ErrExport)}
	}
	commit, err := decodeCommit(raw)
	if err != nil {
		return &CheckError{Height: height, Err: fmt.Errorf("the signatures under it: %w: %w", err, ErrExport)}
	}
	if err := x.prove(commit, each); err != nil {
		return err
	}
	switch _, _, err := e.next(); {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil || errors.Is(err, ErrExport):
		return &CheckError{Height: height, Err: fmt.Errorf("something follows the signatures under the last block: %w", ErrExport)}
	default:
		return fmt.Errorf("read export: %w", err)
	}
}

// prove checks the block that was held back under its signatures, runs it, and hands
// it out.
func (x *checker) prove(commit *types.Commit, each func(Checked) error) error {
	at := uint64(x.height) + 1
	if x.block.ChainID != x.id {
		return &CheckError{Height: at, Err: fmt.Errorf("it is of the chain %q, and this is %q: %w", x.block.ChainID, x.id, ErrBlock)}
	}
	signers, signed, err := x.signatures(commit)
	if err != nil {
		return &CheckError{Height: at, Err: fmt.Errorf("%w: %w", err, ErrUnsigned)}
	}
	if err := x.follows(); err != nil {
		return &CheckError{Height: at, Err: err}
	}
	txs := make([][]byte, len(x.block.Txs))
	for i, tx := range x.block.Txs {
		txs[i] = tx
	}
	out, err := x.app.Execute(curation.Block{Height: at, Txs: txs})
	if err == nil && len(out.Results) != len(txs) {
		err = fmt.Errorf("%d results for %d transactions", len(out.Results), len(txs))
	}
	checked := Checked{
		Committed: Committed{Height: at, Time: x.block.Time.UTC(), AppHash: out.AppHash, Txs: txs, Results: out.Results, Events: out.Events},
		Hash:      [32]byte(x.of.Hash), Signers: signers, Of: x.now.Size(), Signed: signed / powerUnit, Power: x.now.TotalVotingPower() / powerUnit,
		Changes: out.Validators,
	}
	if err == nil {
		err = x.advance(x.of, x.block.Time, out)
	}
	if err != nil {
		return &CheckError{Height: at, Err: fmt.Errorf("running it: %w: %w", err, ErrReplay)}
	}
	x.app.Commit()
	return each(checked)
}

// signatures counts who of the validators in force signed the block, and their power.
// Every signature in the commit has to be good, also one for no block, which does not
// count: an honest validator takes no other commit.
func (x *checker) signatures(commit *types.Commit) (signers int, signed int64, err error) {
	switch {
	case commit.Height != x.height+1:
		return 0, 0, fmt.Errorf("the signatures are for height %d", commit.Height)
	case !commit.BlockID.Equals(x.of):
		return 0, 0, fmt.Errorf("the signatures are for another block, %v, than this one, %v", commit.BlockID.Hash, x.of.Hash)
	case len(commit.Signatures) != x.now.Size():
		return 0, 0, fmt.Errorf("%d places for signatures, for %d validators", len(commit.Signatures), x.now.Size())
	}
	for i, s := range commit.Signatures {
		v := x.now.Validators[i]
		if s.BlockIDFlag != types.BlockIDFlagAbsent && !bytes.Equal(s.ValidatorAddress, v.Address) {
			return 0, 0, fmt.Errorf("place %d, of validator %v, has a signature of %v, who is not it", i+1, v.Address, s.ValidatorAddress)
		}
		if s.BlockIDFlag == types.BlockIDFlagCommit {
			signers, signed = signers+1, signed+v.VotingPower
		}
	}
	if total := x.now.TotalVotingPower(); signed <= total*2/3 {
		return 0, 0, fmt.Errorf("validators with %d of %d votes signed it", signed/powerUnit, total/powerUnit)
	}
	if err := x.now.VerifyCommit(x.id, x.of, x.height+1, commit); err != nil {
		return 0, 0, fmt.Errorf("a signature is wrong: %w", err)
	}
	return signers, signed, nil
}

// follows compares the header with what the chain so far asks of it.
func (x *checker) follows() error {
	h, want := x.block.Header, x.header()
	for _, c := range []struct {
		what       string
		have, want []byte
		err        error
	}{
		{"the hash of the state before it is", h.AppHash, want.AppHash, ErrReplay},
		{"the hash of the results of the block before it is", h.LastResultsHash, want.LastResultsHash, ErrReplay},
		{"the hash of the validators is", h.ValidatorsHash, want.ValidatorsHash, ErrReplay},
		{"the hash of the next validators is", h.NextValidatorsHash, want.NextValidatorsHash, ErrReplay},
		{"the hash of the limits of a block is", h.ConsensusHash, want.ConsensusHash, ErrBlock},
		{"the block before it is", h.LastBlockID.Hash, want.LastBlockID.Hash, ErrBlock},
	} {
		if !bytes.Equal(c.have, c.want) {
			return fmt.Errorf("%s %x, its header says %x: %w", c.what, c.want, c.have, c.err)
		}
	}
	switch {
	case !h.LastBlockID.Equals(want.LastBlockID):
		return fmt.Errorf("it follows other bytes of the block before it: %w", ErrBlock)
	case h.Version != want.Version:
		return fmt.Errorf("it is of version %d.%d, this program knows %d.%d: %w", h.Version.Block, h.Version.App, want.Version.Block, want.Version.App, ErrBlock)
	case !x.now.HasAddress(h.ProposerAddress):
		return fmt.Errorf("its proposer %v is no validator: %w", h.ProposerAddress, ErrBlock)
	}
	return x.clock()
}

// clock checks the time of the block: the genesis time for the first, and for each
// other the median of those in the signatures under the block before it.
func (x *checker) clock() error {
	want := x.time
	switch {
	case x.before == nil && len(x.block.LastCommit.Signatures) > 0:
		return fmt.Errorf("it holds signatures under a block before it: %w", ErrBlock)
	case x.before != nil:
		if !x.block.Time.After(x.time) {
			return fmt.Errorf("its time %v is not after that of the block before it: %w", x.block.Time, ErrBlock)
		}
		var err error
		if want, err = state.MedianTime(x.block.LastCommit, x.before); err != nil {
			return fmt.Errorf("its time: %w: %w", err, ErrBlock)
		}
	}
	if !x.block.Time.Equal(want) {
		return fmt.Errorf("its time is %v, want %v: %w", x.block.Time, want, ErrBlock)
	}
	return nil
}
