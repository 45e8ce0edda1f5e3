package ledger

import (
	"errors"
	"fmt"
	"slices"
	"time"

	db "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/store"
	"github.com/cometbft/cometbft/types"

	"github.com/atelier-dao/atelier/curation"
)

// SignFunc signs for a validator, in a Direct ledger; nil means that it is away.
type SignFunc func(validator [32]byte, message []byte) []byte

// notary gives the blocks of a Direct ledger the form and the signatures that those
// of Engine have, so that they can be exported.
type notary struct {
	*chain
	sign   SignFunc
	step   time.Duration // between two blocks
	db     db.DB
	blocks *store.BlockStore
	commit *types.Commit // under the last block
}

func newNotary(genesis []byte, out curation.Outcome, sign SignFunc, step time.Duration) (*notary, error) {
	c, err := newChain(genesis, out)
	if err != nil {
		return nil, err
	}
	d := db.NewMemDB()
	return &notary{chain: c, sign: sign, step: step, db: d, blocks: store.NewBlockStore(d), commit: &types.Commit{}}, nil
}

// seal has the validators sign the next block and keeps it; out is what it did.
func (n *notary) seal(txs [][]byte, out curation.Outcome) error {
	h := n.header()
	if h.Time = n.time; n.height > 0 {
		h.Time = n.time.Add(n.step)
	}
	block := &types.Block{Header: h, LastCommit: n.commit}
	for _, tx := range txs {
		block.Txs = append(block.Txs, slices.Clone(tx))
	}
	block.ProposerAddress = n.now.Validators[int(h.Height)%n.now.Size()].Address
	block.LastCommitHash, block.DataHash, block.EvidenceHash = n.commit.Hash(), block.Data.Hash(), block.Evidence.Hash()
	parts, err := block.MakePartSet(types.BlockPartSizeBytes)
	if err != nil {
		return fmt.Errorf("sign block %d: %w", h.Height, err)
	}
	commit := &types.Commit{Height: h.Height, BlockID: types.BlockID{Hash: block.Hash(), PartSetHeader: parts.Header()},
		Signatures: make([]types.CommitSig, n.now.Size())}
	var signed int64
	for i, v := range n.now.Validators {
		commit.Signatures[i] = types.CommitSig{BlockIDFlag: types.BlockIDFlagCommit, ValidatorAddress: v.Address, Timestamp: h.Time.Add(n.step)}
		s := n.sign([32]byte(v.PubKey.(ed25519.PubKey)), commit.VoteSignBytes(n.id, int32(i)))
		if s == nil {
			commit.Signatures[i] = types.NewCommitSigAbsent()
			continue
		}
		commit.Signatures[i].Signature = s
		signed += v.VotingPower
	}
	if signed <= n.now.TotalVotingPower()*2/3 {
		return fmt.Errorf("sign block %d: %w", h.Height, errors.New("too few validators are there"))
	}
	if err := n.advance(commit.BlockID, h.Time, out); err != nil {
		return fmt.Errorf("sign block %d: %w", h.Height, err)
	}
	n.blocks.SaveBlock(block, parts, commit)
	n.commit = commit
	return nil
}

// Export implements Exporter, for a ledger that signs its blocks.
func (d *Direct) Export(from uint64) (*Export, error) {
	if d.notary == nil {
		return nil, errors.New("export: the blocks of this ledger are not signed")
	}
	return newExport(d.document, from, func(read func(db.DB) error) error { return read(d.notary.db) }, func() error { return nil })
}
