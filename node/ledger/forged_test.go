package ledger

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"
)

// chapter is an export taken apart, to be forged.
type chapter struct {
	genesis []byte
	blocks  []*types.Block
	commit  *types.Commit
}

func takeApart(t testing.TB, export []byte) *chapter {
	t.Helper()
	e, genesis, err := openEntries(bytes.NewReader(export))
	require.NoError(t, err)
	c := &chapter{genesis: genesis}
	for {
		kind, content, err := e.next()
		if errors.Is(err, io.EOF) {
			return c
		}
		require.NoError(t, err)
		if kind == entryCommit {
			c.commit, err = decodeCommit(content)
			require.NoError(t, err)
			continue
		}
		b, _, err := decodeSigned(content)
		require.NoError(t, err)
		c.blocks = append(c.blocks, b)
	}
}

func (c *chapter) bytes(t testing.TB) []byte {
	t.Helper()
	b := bytes.NewBufferString(exportMagic)
	require.NoError(t, writeEntry(b, entryGenesis, c.genesis))
	for _, block := range c.blocks {
		pb, err := block.ToProto()
		require.NoError(t, err)
		raw, err := proto.Marshal(pb)
		require.NoError(t, err)
		require.NoError(t, writeEntry(b, entryBlock, raw))
	}
	raw, err := proto.Marshal(c.commit.ToProto())
	require.NoError(t, err)
	require.NoError(t, writeEntry(b, entryCommit, raw))
	return b.Bytes()
}

// under are the signatures under the block of a height.
func (c *chapter) under(height int) *types.Commit {
	if height == len(c.blocks) {
		return c.commit
	}
	return c.blocks[height].LastCommit
}

// resign makes the blocks from a height on agree with themselves and each other again,
// and has the given signers sign them where the old ones did.
func (c *chapter) resign(t testing.TB, from int, sign SignFunc) {
	t.Helper()
	for h := from; h <= len(c.blocks); h++ {
		old := c.blocks[h-1]
		b := &types.Block{Header: old.Header, Data: types.Data{Txs: old.Txs}, LastCommit: old.LastCommit}
		if h > from {
			b.LastCommit = c.under(h - 1)
			b.LastBlockID = b.LastCommit.BlockID
		}
		b.LastCommitHash, b.DataHash = b.LastCommit.Hash(), b.Data.Hash()
		parts, err := b.MakePartSet(types.BlockPartSizeBytes)
		require.NoError(t, err)
		commit := c.under(h).Clone()
		commit.BlockID = types.BlockID{Hash: b.Hash(), PartSetHeader: parts.Header()}
		c.blocks[h-1] = b
		c.setUnder(h, resigned(commit, ChainID(c.genesis), sign))
	}
}

func (c *chapter) setUnder(height int, commit *types.Commit) {
	if height == len(c.blocks) {
		c.commit = commit
		return
	}
	old := c.blocks[height]
	c.blocks[height] = &types.Block{Header: old.Header, Data: types.Data{Txs: old.Txs}, LastCommit: commit}
	c.blocks[height].LastCommitHash = commit.Hash()
}

// resigned has the signers of a commit sign what it says now; who is away is absent.
func resigned(commit *types.Commit, chain string, sign SignFunc) *types.Commit {
	out := commit.Clone()
	for i, s := range commit.Signatures {
		out.Signatures[i].Signature = nil
		for k := range 8 {
			pub := signerKey(k).Public().(ed25519.PublicKey)
			if bytes.Equal(s.ValidatorAddress, cmted25519.PubKey(pub).Address()) {
				out.Signatures[i].Signature = sign([32]byte(pub), out.VoteSignBytes(chain, int32(i)))
			}
		}
		if out.Signatures[i].Signature == nil {
			out.Signatures[i] = types.NewCommitSigAbsent()
		}
	}
	return fresh(out)
}

func TestForgedExportsAreFoundAtTheirHeight(t *testing.T) {
	d := genuine(t, 4)
	honest := exported(t, d, 1)
	other := exported(t, genuine(t, 5), 1)
	height := int(d.Status().Height)
	const at = 5 // where most of the forgeries are
	sig := func(change func(c *types.Commit)) func(*chapter) {
		return func(c *chapter) {
			commit := c.under(at).Clone()
			change(commit)
			c.setUnder(at, fresh(commit))
		}
	}
	header := func(change func(b *types.Block)) func(*chapter) {
		return func(c *chapter) {
			change(c.blocks[at-1])
			c.resign(t, at, signAll())
		}
	}
	for name, f := range map[string]struct {
		forge func(c *chapter)
		at    uint64
		is    error
		says  string
	}{
		"a block is missing":                         {func(c *chapter) { c.blocks = slices.Delete(c.blocks, at-1, at) }, at, ErrBlock, "block 6 comes in its place"},
		"two blocks are swapped":                     {func(c *chapter) { c.blocks[at-1], c.blocks[at] = c.blocks[at], c.blocks[at-1] }, at, ErrBlock, "block 6 comes in its place"},
		"a block is there twice":                     {func(c *chapter) { c.blocks = slices.Insert(c.blocks, at, c.blocks[at-1]) }, at + 1, ErrBlock, "block 5 comes in its place"},
		"it begins with its second block":            {func(c *chapter) { c.blocks = c.blocks[1:] }, 1, ErrBlock, "block 2 comes in its place"},
		"the blocks are another network's":           {func(c *chapter) { c.blocks, c.commit = takeApart(t, other).blocks, takeApart(t, other).commit }, 1, ErrBlock, "it is of the chain"},
		"the founding document is another network's": {func(c *chapter) { c.genesis = signedGenesis(t, 5) }, 1, ErrBlock, "it is of the chain"},
		"the founding document is none":              {func(c *chapter) { c.genesis = []byte("{") }, 0, ErrExport, "the founding document"},
		"a founding document without validators":     {func(c *chapter) { c.genesis = []byte("{}") }, 0, ErrExport, "no validator"},
		"a transaction is changed":                   {func(c *chapter) { c.blocks[0].Txs[0][50] ^= 1 }, 1, ErrExport, "its transactions are not those that its header names"},
		"a transaction is changed, and the header with it": {func(c *chapter) {
			c.blocks[0].Txs[0][50] ^= 1
			c.blocks[0].DataHash = types.Txs(slices.Clone(c.blocks[0].Txs)).Hash()
			b := &types.Block{Header: c.blocks[0].Header, Data: types.Data{Txs: c.blocks[0].Txs}, LastCommit: c.blocks[0].LastCommit}
			c.blocks[0] = b
		}, 1, ErrUnsigned, "another block"},
		"the signatures in a block are others than its header names": {func(c *chapter) {
			c.blocks[at].LastCommit.Signatures[0].Signature[3] ^= 1
		}, at + 1, ErrExport, "the signatures in it are not those that its header names"},
		"a signature is altered":          {sig(func(c *types.Commit) { c.Signatures[1].Signature[3] ^= 1 }), at, ErrUnsigned, "is wrong"},
		"the last signatures are altered": {func(c *chapter) { c.commit.Signatures[1].Signature[3] ^= 1 }, uint64(height), ErrUnsigned, "is wrong"},
		"one signature stands for all": {sig(func(c *types.Commit) {
			for i := range c.Signatures {
				c.Signatures[i] = c.Signatures[0]
			}
		}), at, ErrUnsigned, "who is not it"},
		"one validator's signature in every place": {sig(func(c *types.Commit) {
			for i := range c.Signatures {
				c.Signatures[i].Signature, c.Signatures[i].Timestamp = c.Signatures[0].Signature, c.Signatures[0].Timestamp
			}
		}), at, ErrUnsigned, "is wrong"},
		"two thirds and no more signed it": {sig(func(c *types.Commit) { // 4 of 6 votes
			for i := range c.Signatures {
				if i > 0 && i < 3 {
					c.Signatures[i] = types.NewCommitSigAbsent()
				}
			}
		}), at, ErrUnsigned, "validators with 4 of 6 votes signed it"},
		"nobody signed it": {sig(func(c *types.Commit) {
			for i := range c.Signatures {
				c.Signatures[i] = types.NewCommitSigAbsent()
			}
		}), at, ErrUnsigned, "validators with 0 of 6 votes signed it"},
		"a place for signatures too many":              {sig(func(c *types.Commit) { c.Signatures = append(c.Signatures, c.Signatures[0]) }), at, ErrUnsigned, "6 places for signatures, for 5 validators"},
		"a place for signatures too few":               {sig(func(c *types.Commit) { c.Signatures = c.Signatures[1:] }), at, ErrUnsigned, "4 places for signatures, for 5 validators"},
		"the signatures are in another order":          {sig(func(c *types.Commit) { slices.Reverse(c.Signatures) }), at, ErrUnsigned, "who is not it"},
		"the signatures name another height":           {sig(func(c *types.Commit) { c.Height++ }), at, ErrUnsigned, "for height 6"},
		"the signatures name another round":            {sig(func(c *types.Commit) { c.Round++ }), at, ErrUnsigned, "is wrong"},
		"the signatures name another block":            {sig(func(c *types.Commit) { c.BlockID.Hash[0] ^= 1 }), at, ErrUnsigned, "another block"},
		"the signatures name other bytes of the block": {sig(func(c *types.Commit) { c.BlockID.PartSetHeader.Hash[0] ^= 1 }), at, ErrUnsigned, "another block"},
		"the signatures are of another chain":          {sig(func(c *types.Commit) { *c = *resigned(c, "atelier-other", signAll()) }), at, ErrUnsigned, "is wrong"},
		"signatures of a time that nobody signed":      {sig(func(c *types.Commit) { c.Signatures[0].Timestamp = c.Signatures[0].Timestamp.Add(time.Hour) }), at, ErrUnsigned, "is wrong"},
		"foreign validators sign the rest of it": {func(c *chapter) {
			c.blocks[at-1].Txs = append(c.blocks[at-1].Txs, write("a", "b"))
			c.resign(t, at, func(v [32]byte, m []byte) []byte { return ed25519.Sign(signerKey(7), m) })
		}, at, ErrUnsigned, "is wrong"},
		"too few of the validators sign the rest of it": {func(c *chapter) {
			c.blocks[at-1].Txs = append(c.blocks[at-1].Txs, write("a", "b"))
			c.resign(t, at, signAll(0, 1))
		}, at, ErrUnsigned, "validators with 4 of 6 votes signed it"},

		"a header without validators has no hash": {func(c *chapter) {
			b := c.blocks[at-1]
			b.ValidatorsHash = nil
			c.blocks[at-1] = &types.Block{Header: b.Header, Data: types.Data{Txs: b.Txs}, LastCommit: b.LastCommit}
		}, at, ErrExport, "its header names no validators"},

		// What follows only a majority of more than two thirds could do.
		"all sign a transaction that the next hash does not know": {header(func(b *types.Block) { b.Txs = append(b.Txs, write("a", "b")) }), at + 1, ErrReplay, "the hash of the state"},
		"all sign another state":                                  {header(func(b *types.Block) { b.AppHash[0] ^= 1 }), at, ErrReplay, "the hash of the state"},
		"all sign other results":                                  {header(func(b *types.Block) { b.LastResultsHash[0] ^= 1 }), at, ErrReplay, "the hash of the results"},
		"all sign other validators":                               {header(func(b *types.Block) { b.ValidatorsHash[0] ^= 1 }), at, ErrReplay, "the hash of the validators"},
		"all sign other next validators":                          {header(func(b *types.Block) { b.NextValidatorsHash[0] ^= 1 }), at, ErrReplay, "the hash of the next validators"},
		"all sign other limits":                                   {header(func(b *types.Block) { b.ConsensusHash[0] ^= 1 }), at, ErrBlock, "the limits"},
		"all sign another block before it":                        {header(func(b *types.Block) { b.LastBlockID.Hash[0] ^= 1 }), at, ErrBlock, "the block before it"},
		"all sign other bytes of the one before":                  {header(func(b *types.Block) { b.LastBlockID.PartSetHeader.Hash[0] ^= 1 }), at, ErrBlock, "other bytes of the block before it"},
		"all sign a block of a later version":                     {header(func(b *types.Block) { b.Version.App++ }), at, ErrBlock, "version 11.2"},
		"all sign a proposer who is none":                         {header(func(b *types.Block) { b.ProposerAddress = make([]byte, 20) }), at, ErrBlock, "no validator"},
		"all sign another time":                                   {header(func(b *types.Block) { b.Time = b.Time.Add(time.Second) }), at, ErrBlock, "its time is"},
		"all sign an earlier time":                                {header(func(b *types.Block) { b.Time = b.Time.Add(-time.Hour) }), at, ErrBlock, "not after"},
		"the first block is of another time":                      {func(c *chapter) { c.blocks[0].Time = c.blocks[0].Time.Add(time.Hour); c.resign(t, 1, signAll()) }, 1, ErrBlock, "its time is"},
		"the first block holds signatures": {func(c *chapter) {
			c.blocks[0].LastCommit = c.blocks[1].LastCommit.Clone()
			c.resign(t, 1, signAll())
		}, 1, ErrBlock, "signatures under a block before it"},
	} {
		t.Run(name, func(t *testing.T) {
			c := takeApart(t, honest)
			f.forge(c)
			last, err := check(t, c.bytes(t), newBank())
			var wrong *CheckError
			require.ErrorAs(t, err, &wrong)
			require.ErrorIs(t, err, f.is)
			require.ErrorContains(t, err, f.says)
			require.Equal(t, f.at, wrong.Height)
			proved := max(f.at, 1) - 1
			if errors.Is(err, ErrExport) || strings.Contains(f.says, "in its place") {
				proved = max(proved, 1) - 1 // the signatures under the one before were in it
			}
			require.Equal(t, proved, last.Height, "what comes before it holds")
		})
	}
	_, err := check(t, takeApart(t, honest).bytes(t), newBank())
	require.NoError(t, err, "taking apart and putting together changes nothing")
}

// fresh is a commit that knows no hash of itself from before it was changed.
func fresh(c *types.Commit) *types.Commit {
	return &types.Commit{Height: c.Height, Round: c.Round, BlockID: c.BlockID, Signatures: c.Signatures}
}
