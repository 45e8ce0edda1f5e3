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
	Class  error  // ErrExport, ErrUnsigned, ErrBlock or ErrReplay
	Text   string // what is wrong with it
}

func (e *CheckError) Error() string {
	if e.Height == 0 {
		return e.Text
	}
	return fmt.Sprintf("block %d: %s", e.Height, e.Text)
}

// Unwrap makes errors.Is tell the class.
func (e *CheckError) Unwrap() error { return e.Class }

// wrong is a finding at a height.
func wrong(height uint64, class error, format string, values ...any) *CheckError {
	return &CheckError{Height: height, Class: class, Text: fmt.Sprintf(format, values...)}
}

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
// ended with. Some 4 MiB of blocks are in memory at a time, and what app keeps.
func CheckExport(ctx context.Context, r io.Reader, app Application, genesis func(doc []byte, founders []curation.Validator) error, each func(Checked) error) error {
	e, doc, err := openEntries(r)
	if err != nil {
		if errors.Is(err, ErrExport) {
			return wrong(0, ErrExport, "%v", err)
		}
		return fmt.Errorf("read export: %w", err)
	}
	out, err := app.Genesis(doc)
	if err != nil {
		return wrong(0, ErrExport, "the founding document: %v", err)
	}
	c, err := newChain(doc, out)
	if err != nil {
		return wrong(0, ErrExport, "the founding document: %v", err)
	}
	if err := genesis(doc, out.Validators); err != nil {
		return err
	}
	x := checker{chain: c, app: app}
	for {
		read := e.some()
		x.ahead(read)
		for _, n := range read {
			if err := ctx.Err(); err != nil {
				return err
			}
			if done, err := x.add(n, each); done || err != nil {
				return err
			}
		}
	}
}

// checker holds back the last block that it read until it knows its signatures.
type checker struct {
	*chain
	app   Application
	block *types.Block // the next of the chain; nil before the first
	of    types.BlockID
	ended bool // the last signatures were there
}

// add takes the next entry, whose signatures prove the block that was held back, and
// says whether the export ends there.
func (x *checker) add(n *entry, each func(Checked) error) (done bool, err error) {
	at := uint64(x.height) + 1
	if x.block != nil {
		at++
	}
	if n.err != nil && !errors.Is(n.err, io.EOF) && !errors.Is(n.err, ErrExport) {
		return false, fmt.Errorf("read export: %w", n.err)
	}
	switch {
	case x.ended && errors.Is(n.err, io.EOF):
		return true, nil
	case x.ended:
		return false, wrong(uint64(x.height), ErrExport, "something follows the signatures under the last block")
	case x.block == nil && (errors.Is(n.err, io.EOF) || n.kind == entryCommit):
		return false, wrong(0, ErrExport, "it holds no block")
	case errors.Is(n.err, io.EOF):
		return false, wrong(at-1, ErrExport, "the export breaks off here, before the signatures under it")
	case n.err != nil:
		return false, wrong(at, ErrExport, "%v", n.err)
	case n.kind == entryGenesis:
		return false, wrong(at, ErrExport, "a second founding document comes instead of it")
	case n.kind == entryCommit && n.broken != nil:
		return false, wrong(at-1, ErrExport, "the signatures under it are damaged: %v", n.broken)
	case n.broken != nil:
		return false, wrong(at, ErrExport, "%v", n.broken)
	case n.kind == entryBlock && n.block.Height != int64(at):
		return false, wrong(at, ErrBlock, "block %d comes in its place", n.block.Height)
	}
	if x.block != nil {
		if err := x.prove(n, each); err != nil {
			return false, err
		}
	}
	x.block, x.of, x.ended = n.block, n.id, n.kind == entryCommit
	return false, nil
}

// prove checks the block that was held back under the signatures that n brings, runs
// it, and hands it out.
func (x *checker) prove(n *entry, each func(Checked) error) error {
	at := uint64(x.height) + 1
	if x.block.ChainID != x.id {
		return wrong(at, ErrBlock, "it is of the chain %q, and this is %q", x.block.ChainID, x.id)
	}
	signers, signed, err := x.signatures(n)
	if err != nil {
		return wrong(at, ErrUnsigned, "%v", err)
	}
	if err := x.follows(); err != nil {
		return err
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
		return wrong(at, ErrReplay, "running it: %v", err)
	}
	x.app.Commit()
	return each(checked)
}

// signatures counts who of the validators in force signed the block, and their power.
// Every signature in the commit has to be good, also one for no block, which does not
// count: an honest validator takes no other commit.
func (x *checker) signatures(n *entry) (signers int, signed int64, err error) {
	commit := n.commit
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
	if n.signers == x.now {
		return signers, signed, nil
	}
	if err := x.now.VerifyCommit(x.id, x.of, x.height+1, commit); err != nil {
		for i, s := range commit.Signatures {
			if v := x.now.Validators[i]; s.BlockIDFlag != types.BlockIDFlagAbsent && !v.PubKey.VerifySignature(commit.VoteSignBytes(x.id, int32(i)), s.Signature) {
				return 0, 0, fmt.Errorf("the signature in place %d, of validator %v, is wrong", i+1, v.Address)
			}
		}
		return 0, 0, fmt.Errorf("its signatures: %w", err)
	}
	return signers, signed, nil
}

// follows compares the header with what the chain so far asks of it.
func (x *checker) follows() error {
	h, want, at := x.block.Header, x.header(), uint64(x.height)+1
	for _, c := range []struct {
		what       string
		have, want []byte
		class      error
	}{
		{"the hash of the state before it is", h.AppHash, want.AppHash, ErrReplay},
		{"the hash of the results of the block before it is", h.LastResultsHash, want.LastResultsHash, ErrReplay},
		{"the hash of the validators is", h.ValidatorsHash, want.ValidatorsHash, ErrReplay},
		{"the hash of the next validators is", h.NextValidatorsHash, want.NextValidatorsHash, ErrReplay},
		{"the hash of the limits of a block is", h.ConsensusHash, want.ConsensusHash, ErrBlock},
		{"the block before it is", h.LastBlockID.Hash, want.LastBlockID.Hash, ErrBlock},
	} {
		if !bytes.Equal(c.have, c.want) {
			return wrong(at, c.class, "%s %x, its header says %x", c.what, c.want, c.have)
		}
	}
	switch {
	case !h.LastBlockID.Equals(want.LastBlockID):
		return wrong(at, ErrBlock, "it follows other bytes of the block before it")
	case h.Version != want.Version:
		return wrong(at, ErrBlock, "it is of version %d.%d, this program knows %d.%d", h.Version.Block, h.Version.App, want.Version.Block, want.Version.App)
	case !x.now.HasAddress(h.ProposerAddress):
		return wrong(at, ErrBlock, "its proposer %v is no validator", h.ProposerAddress)
	}
	return x.clock(at)
}

// clock checks the time of the block: the genesis time for the first, and for each
// other the median of those in the signatures under the block before it.
func (x *checker) clock(at uint64) error {
	due := x.time
	switch {
	case x.before == nil && len(x.block.LastCommit.Signatures) > 0:
		return wrong(at, ErrBlock, "it holds signatures under a block before it")
	case x.before != nil:
		if !x.block.Time.After(x.time) {
			return wrong(at, ErrBlock, "its time %v is not after that of the block before it", x.block.Time)
		}
		var err error
		if due, err = state.MedianTime(x.block.LastCommit, x.before); err != nil {
			return wrong(at, ErrBlock, "its time: %v", err)
		}
	}
	if !x.block.Time.Equal(due) {
		return wrong(at, ErrBlock, "its time is %v, want %v", x.block.Time, due)
	}
	return nil
}
