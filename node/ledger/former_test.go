package ledger

import (
	"context"
	"testing"
	"time"

	cstypes "github.com/cometbft/cometbft/consensus/types"
	cmtcons "github.com/cometbft/cometbft/proto/tendermint/consensus"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
	"github.com/cosmos/gogoproto/proto"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// votedIn is what consensus of a node knows, once it has the prevotes of count validators
// for the first round of a height; one of them is given. (CometBFT's list of all takes no
// lock.)
func (n *testNode) votedIn(t *testing.T, height int64, count int) (rs *cstypes.RoundState, one *types.Vote) {
	t.Helper()
	n.mu.Lock()
	state := n.node.state
	n.mu.Unlock()
	require.Eventually(t, func() bool {
		rs = state.GetRoundState()
		if rs.Height != height || rs.Votes == nil {
			return false
		}
		have := 0
		for i := range rs.Validators.Size() {
			if v := rs.Votes.Prevotes(0).GetByIndex(int32(i)); v != nil {
				have++
				one = v
			}
		}
		return have >= count
	}, patience, time.Millisecond)
	return rs, one
}

// someBlock is a block that nobody has.
var someBlock = types.BlockID{Hash: make([]byte, 32), PartSetHeader: types.PartSetHeader{Total: 1, Hash: make([]byte, 32)}}

// vote is one that a validator signed, in a life of which it knows nothing more.
func vote(t testing.TB, chain string, key *validator, kind cmtproto.SignedMsgType, height int64, round int32, block types.BlockID) *types.Vote {
	t.Helper()
	v := &types.Vote{Type: kind, Height: height, Round: round, BlockID: block, Timestamp: founded, ValidatorAddress: key.Key.PubKey.Address()}
	var err error
	v.Signature, err = key.Key.PrivKey.Sign(types.VoteSignBytes(chain, v.ToProto()))
	require.NoError(t, err)
	return v
}

// A member was lost when it had voted for a block that is not there yet, and its peers
// have that vote: it comes back to them as theirs, and consensus goes on.
func TestARestoredValidatorTakesUpTheVoteThatItsPeersHave(t *testing.T) {
	t.Parallel()
	other := func(others types.BlockID) types.BlockID {
		if others.IsZero() {
			return someBlock
		}
		return types.BlockID{}
	}
	for name, former := range map[string]func(types.BlockID) map[cmtproto.SignedMsgType]types.BlockID{
		"it had prevoted as the others did": func(b types.BlockID) map[cmtproto.SignedMsgType]types.BlockID {
			return map[cmtproto.SignedMsgType]types.BlockID{cmtproto.PrevoteType: b}
		},
		"it had prevoted otherwise": func(b types.BlockID) map[cmtproto.SignedMsgType]types.BlockID {
			return map[cmtproto.SignedMsgType]types.BlockID{cmtproto.PrevoteType: other(b)}
		},
		"it had precommitted nothing": func(b types.BlockID) map[cmtproto.SignedMsgType]types.BlockID {
			return map[cmtproto.SignedMsgType]types.BlockID{cmtproto.PrevoteType: b, cmtproto.PrecommitType: {}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			net := foundNet(t, 4)
			net.empty = time.Hour
			net.startAll()
			tip := net.nodes[0].pay(t, 0, recipient(0), 1).Height + 1
			net.awaitAll(tip) // of a changed state an empty block follows, and then nobody votes any more
			net.nodes[2].stop()
			net.nodes[3].stop()
			key := must(t, func() (*validator, error) { return loadValidator(net.home(3)) })
			net.lose(3, tip)

			paid := make(chan error, 1)
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			go func() {
				_, err := net.nodes[0].Submit(ctx, transfer(payer, 1, recipient(0), 1))
				paid <- err
			}()
			height := int64(tip) + 1
			rs, others := net.nodes[0].votedIn(t, height, 2)
			index, _ := rs.Validators.GetByAddress(key.Key.PubKey.Address())
			for kind, block := range former(others.BlockID) {
				v := vote(t, ChainID(net.genesis), key, kind, height, 0, block)
				v.ValidatorIndex = index
				for _, n := range net.nodes[:2] {
					n.mu.Lock()
					state := n.node.state
					n.mu.Unlock()
					_, err := state.AddVote(v, "")
					require.NoError(t, err)
				}
			}
			net.nodes[0].votedIn(t, height, 3)

			net.unsafe = true
			back := net.start(3)
			require.NoError(t, <-paid)
			net.paid.Store(tip + 1)
			require.Equal(t, curation.CodeOK, back.pay(t, 2, recipient(0), 1).Result.Code, "and it goes on")
		})
	}
}

// former7 is a signer that has voted up to height 6, and what it gives to consensus.
func former7(t testing.TB, home string) (*signer, *validator, chan *types.Vote) {
	t.Helper()
	require.NoError(t, RestoreValidator(home, seedKey('v', 1), 6))
	require.NoError(t, recordVotes(home, recordOf("atelier-test", &types.Vote{Type: cmtproto.PrecommitType, Height: 6})))
	v, err := loadValidator(home)
	require.NoError(t, err)
	given := make(chan *types.Vote, 8)
	s := newSigner(v.FilePV, "atelier-test")
	s.former.give = func(v *types.Vote) { given <- v }
	return s, v, given
}

func TestWhatPeersHaveOfUsCountsAsRecorded(t *testing.T) {
	const prevote, precommit = cmtproto.PrevoteType, cmtproto.PrecommitType
	hear := func(s *signer, v *types.Vote) bool { return s.hear(&cmtcons.Vote{Vote: v.ToProto()}) }
	sign := func(s *signer, kind cmtproto.SignedMsgType, height int64, round int32, block types.BlockID) (*cmtproto.Vote, error) {
		v := (&types.Vote{Type: kind, Height: height, Round: round, BlockID: block, Timestamp: founded.Add(time.Hour), ValidatorAddress: s.Key.PubKey.Address()}).ToProto()
		return v, s.SignVote("atelier-test", v)
	}

	t.Run("a prevote like ours becomes ours", func(t *testing.T) {
		s, key, given := former7(t, t.TempDir())
		former := vote(t, "atelier-test", key, prevote, 7, 0, types.BlockID{})
		require.False(t, hear(s, former), "kept back")
		require.False(t, hear(s, former), "from another peer too")
		require.Empty(t, given)
		cast, err := sign(s, prevote, 7, 0, types.BlockID{})
		require.NoError(t, err)
		require.Equal(t, former.Signature, cast.Signature, "no second signature")
		require.Equal(t, former, <-given)
		require.Empty(t, given)
		require.True(t, hear(s, former), "now it may come")
		_, err = sign(s, precommit, 7, 0, someBlock)
		require.NoError(t, err)
	})
	t.Run("a prevote unlike ours is not contradicted", func(t *testing.T) {
		home := t.TempDir()
		s, key, given := former7(t, home)
		former := vote(t, "atelier-test", key, prevote, 7, 0, someBlock)
		require.False(t, hear(s, former))
		_, err := sign(s, prevote, 7, 0, types.BlockID{})
		require.ErrorContains(t, err, "conflicting data")
		require.Equal(t, former, <-given, "consensus goes on with the former one")
		recorded, err := readVotes(votesFile(home))
		require.NoError(t, err)
		require.EqualValues(t, 7, recorded.Height)
		require.Equal(t, stepPrevote, recorded.Step)
		_, err = sign(s, precommit, 7, 0, types.BlockID{})
		require.NoError(t, err)
	})
	t.Run("of a later round nothing earlier is signed", func(t *testing.T) {
		s, key, given := former7(t, t.TempDir())
		former := vote(t, "atelier-test", key, precommit, 7, 1, types.BlockID{})
		require.True(t, hear(s, former), "a precommit comes at once")
		for _, round := range []int32{0, 1} {
			_, err := sign(s, prevote, 7, round, types.BlockID{})
			require.ErrorContains(t, err, "regression")
		}
		_, err := sign(s, precommit, 7, 1, someBlock)
		require.ErrorContains(t, err, "conflicting data")
		cast, err := sign(s, precommit, 7, 1, types.BlockID{})
		require.NoError(t, err)
		require.Equal(t, former.Signature, cast.Signature)
		_, err = sign(s, prevote, 7, 2, someBlock)
		require.NoError(t, err)
		require.Empty(t, given)
	})
	t.Run("of several rounds each is given in its time", func(t *testing.T) {
		s, key, given := former7(t, t.TempDir())
		first, second := vote(t, "atelier-test", key, prevote, 7, 0, someBlock), vote(t, "atelier-test", key, prevote, 7, 2, someBlock)
		require.False(t, hear(s, first))
		require.False(t, hear(s, second))
		require.Equal(t, first, <-given)
		_, err := sign(s, prevote, 7, 1, someBlock)
		require.ErrorContains(t, err, "regression")
		require.Empty(t, given)
		_, err = sign(s, prevote, 7, 2, types.BlockID{})
		require.ErrorContains(t, err, "conflicting data")
		require.Equal(t, second, <-given)
	})
	t.Run("what was signed already, or is not ours, changes nothing", func(t *testing.T) {
		s, key, given := former7(t, t.TempDir())
		forged := vote(t, "atelier-test", key, prevote, 9, 0, someBlock)
		forged.Round = 1
		require.True(t, hear(s, forged), "consensus refuses it")
		other := &validator{FilePV: must(t, func() (*validator, error) { return loadValidator(t.TempDir()) }).FilePV}
		require.True(t, hear(s, vote(t, "atelier-test", other, prevote, 9, 0, someBlock)))
		_, err := sign(s, prevote, 7, 0, types.BlockID{})
		require.NoError(t, err)
		require.True(t, hear(s, vote(t, "atelier-test", key, precommit, 6, 0, someBlock)))
		require.True(t, hear(s, vote(t, "atelier-test", key, prevote, 7, 0, types.BlockID{})))
		require.True(t, s.hear(&cmtcons.Vote{}))
		require.True(t, s.hear(&cmtcons.NewRoundStep{}))
		_, err = sign(s, precommit, 7, 0, someBlock)
		require.NoError(t, err)
		require.Empty(t, given)
	})
}

// FuzzFormerVote reads votes of a peer that bear our address: consensus has to have them,
// unless our signature is on them.
func FuzzFormerVote(f *testing.F) {
	s, key, _ := former7(f, f.TempDir())
	good, err := vote(f, "atelier-test", key, cmtproto.PrevoteType, 7, 0, types.BlockID{}).ToProto().Marshal()
	require.NoError(f, err)
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m cmtproto.Vote
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		m.ValidatorAddress = key.Key.PubKey.Address()
		if s.hear(&cmtcons.Vote{Vote: &m}) {
			return
		}
		v, err := types.VoteFromProto(&m)
		require.NoError(t, err)
		require.NoError(t, v.Verify("atelier-test", key.Key.PubKey))
	})
}
