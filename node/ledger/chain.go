package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	abci "github.com/cometbft/cometbft/abci/types"
	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/crypto/merkle"
	cmtversion "github.com/cometbft/cometbft/proto/tendermint/version"
	"github.com/cometbft/cometbft/types"
	"github.com/cometbft/cometbft/version"

	"github.com/atelier-dao/atelier/curation"
)

// GenesisTime stands in the header of the first block of every chain. Blocks carry
// times for display only; the ledger's clock is the height.
var GenesisTime = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// ChainID names the chain of a genesis document in every signature of consensus.
func ChainID(genesis []byte) string {
	hash := sha256.Sum256(genesis)
	return "atelier-" + hex.EncodeToString(hash[:8])
}

// appVersion is the protocol of the application in every header.
const appVersion = 1

// powerUnit is what a power of one counts in CometBFT. It asks whether a node
// holds a third of all power by whole-number division, so that with powers of
// one each of four or five seems to, and then does not fetch the blocks it
// missed: it goes through the consensus of every one of them again.
const powerUnit = 3

// genesisDoc is CometBFT's genesis: the application's validators and the limits
// of a block. All members derive the same from the same genesis.
func genesisDoc(genesis []byte, validators []validatorRecord) (*types.GenesisDoc, error) {
	params := types.DefaultConsensusParams()
	params.Block.MaxBytes = MaxBlockBytes
	params.Block.MaxGas = -1
	params.Evidence.MaxBytes = 64 << 10
	g := &types.GenesisDoc{
		ChainID:         ChainID(genesis),
		GenesisTime:     GenesisTime,
		InitialHeight:   1,
		ConsensusParams: params,
		AppState:        genesis,
	}
	for _, v := range validators {
		pub := cmted25519.PubKey(v.PublicKey[:])
		g.Validators = append(g.Validators, types.GenesisValidator{Address: pub.Address(), PubKey: pub, Power: powerUnit * v.Power})
	}
	if err := g.ValidateAndComplete(); err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	return g, nil
}

// txResults is what headers hash of the results of a block's transactions.
func txResults(results []curation.TxResult) []*abci.ExecTxResult {
	out := make([]*abci.ExecTxResult, len(results))
	for i, r := range results {
		out[i] = &abci.ExecTxResult{Code: uint32(r.Code)}
	}
	return out
}

// chain is where a chain of signed blocks stands: it follows from the genesis
// document and the blocks so far, and says what the next header must hold and who
// signs it. What Engine has CometBFT keep, this keeps for a reader of an export.
type chain struct {
	id        string
	height    int64         // of the last block; 0 before the first
	last      types.BlockID // of the last block
	time      time.Time     // of the last block; of the genesis before the first
	consensus []byte        // hash of the limits of a block
	app       []byte        // hash of the application's state after the last block
	results   []byte        // hash of the results of the last block

	before *types.ValidatorSet // who signed the last block; nil before the first
	now    *types.ValidatorSet // who signs the next block
	next   *types.ValidatorSet // who signs the one after it
	hashes map[*types.ValidatorSet][]byte
}

// newChain is the chain before its first block; out is what the application made of
// the genesis document.
func newChain(genesis []byte, out curation.Outcome) (*chain, error) {
	set, err := applyValidators(nil, out.Validators)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	g, err := genesisDoc(genesis, set)
	if err != nil {
		return nil, err
	}
	members := make([]*types.Validator, len(g.Validators))
	for i, v := range g.Validators {
		members[i] = types.NewValidator(v.PubKey, v.Power)
	}
	c := &chain{
		id: g.ChainID, time: g.GenesisTime, consensus: g.ConsensusParams.Hash(),
		app: out.AppHash[:], results: merkle.HashFromByteSlices(nil),
		now: types.NewValidatorSet(members), hashes: map[*types.ValidatorSet][]byte{},
	}
	c.next = c.now
	settle(c.now)
	return c, nil
}

// settle has a set compute what it would compute when it is first asked, so that it can
// be used by several goroutines.
func settle(set *types.ValidatorSet) {
	set.TotalVotingPower()
	set.GetProposer()
}

func (c *chain) hash(set *types.ValidatorSet) []byte {
	h, known := c.hashes[set]
	if !known {
		h = set.Hash()
		c.hashes[set] = h
	}
	return h
}

// header is what the next block's header must hold. The rest of it follows from the
// block itself, but for the proposer, which may be any validator, and the time, which
// the signatures of the last block set.
func (c *chain) header() types.Header {
	return types.Header{
		Version:            cmtversion.Consensus{Block: version.BlockProtocol, App: appVersion},
		ChainID:            c.id,
		Height:             c.height + 1,
		LastBlockID:        c.last,
		ValidatorsHash:     c.hash(c.now),
		NextValidatorsHash: c.hash(c.next),
		ConsensusHash:      c.consensus,
		AppHash:            c.app,
		LastResultsHash:    c.results,
	}
}

// advance moves the chain past the next block, which the application made out of.
// Changes of the validators take effect with the block after the next one.
func (c *chain) advance(id types.BlockID, at time.Time, out curation.Outcome) error {
	later := c.next
	if len(out.Validators) > 0 {
		var changes []*types.Validator
		for _, v := range out.Validators {
			if v.Power < 0 || v.Power > types.MaxTotalVotingPower/powerUnit {
				return fmt.Errorf("validator %x has power %d", v.PublicKey[:8], v.Power)
			}
			changes = append(changes, types.NewValidator(cmted25519.PubKey(v.PublicKey[:]), powerUnit*v.Power))
		}
		later = c.next.Copy()
		if err := later.UpdateWithChangeSet(changes); err != nil {
			return fmt.Errorf("change of the validators: %w", err)
		}
		if later.IsNilOrEmpty() {
			return errors.New("no validator is left")
		}
		settle(later)
	}
	c.height, c.last, c.time = c.height+1, id, at
	c.app, c.results = out.AppHash[:], types.NewResults(txResults(out.Results)).Hash()
	if c.before != c.now && c.before != c.next && c.before != later {
		delete(c.hashes, c.before)
	}
	c.before, c.now, c.next = c.now, c.next, later
	return nil
}
