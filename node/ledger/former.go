package ledger

import (
	"bytes"
	"cmp"
	"sync"

	cmtcons "github.com/cometbft/cometbft/proto/tendermint/consensus"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/types"
	"github.com/cosmos/gogoproto/proto"
)

// A validator whose record of votes does not go to its last one hears of that one from
// its peers, who keep the votes of the present height. Two things have to be done then.
//
// It must not contradict it. What peers pass on under our key is a vote of ours, because
// they cannot sign, so it counts as recorded as soon as it is heard.
//
// And it must not come too early. Consensus weighs the prevotes of a round when one is
// added after it has begun to prevote, and relies on its own being such a one. If our
// former prevote comes before, and completes two thirds, then at the moment of prevoting
// there is nothing left to add, and it waits for ever. So a prevote of ours that a peer
// passes on is kept back until consensus has asked for its own: cast or refused, the
// former one is added after that.

// moment is what a vote is cast for: at most one is cast for each, in their order.
type moment struct {
	height int64
	round  int32
	step   int8
}

func (m moment) compare(o moment) int {
	return cmp.Or(cmp.Compare(m.height, o.height), cmp.Compare(m.round, o.round), cmp.Compare(m.step, o.step))
}

func momentOf(v *types.Vote) moment { return moment{v.Height, v.Round, stepOf(v.Type)} }

// Steps of a record of votes, as CometBFT numbers them.
const (
	stepPrevote   int8 = 2
	stepPrecommit int8 = 3
)

func stepOf(kind cmtproto.SignedMsgType) int8 {
	if kind == cmtproto.PrecommitType {
		return stepPrecommit
	}
	return stepPrevote
}

// former is what peers passed on of our own votes.
type former struct {
	chain string
	give  func(*types.Vote) // hands one that was kept back to consensus, later

	mu     sync.Mutex  // guards the fields below
	asked  moment      // the last vote that consensus asked for
	latest *types.Vote // the latest that was heard; nil when there is none after asked
	kept   *types.Vote // a prevote for after asked, kept back from consensus
}

// hear takes a message of consensus from a peer, and says whether consensus may have
// it now. A vote of ours that it keeps back is given later.
func (s *signer) hear(message proto.Message) bool {
	m, ok := message.(*cmtcons.Vote)
	if !ok || m.Vote == nil || !bytes.Equal(m.Vote.ValidatorAddress, s.Key.PubKey.Address()) {
		return true
	}
	v, err := types.VoteFromProto(m.Vote)
	if err != nil {
		return true // consensus says what is wrong with it
	}
	f := &s.former
	f.mu.Lock()
	defer f.mu.Unlock()
	at := momentOf(v)
	if at.compare(f.asked) <= 0 || v.Verify(f.chain, s.Key.PubKey) != nil {
		return true
	}
	if f.latest == nil || at.compare(momentOf(f.latest)) > 0 {
		f.latest = v
	}
	if v.Type != cmtproto.PrevoteType {
		return true // those are weighed in every step
	}
	if f.kept != nil && momentOf(f.kept) != at {
		f.give(f.kept)
	}
	f.kept = v
	return false
}

// ask notes that consensus asks for a vote. It gives the latest of ours that was heard
// since the last time, and the one that has been kept back until now; nil for none.
func (f *former) ask(at moment) (latest, kept *types.Vote) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at.compare(f.asked) > 0 {
		f.asked = at
	}
	latest, f.latest = f.latest, nil
	if f.kept != nil && momentOf(f.kept).compare(f.asked) <= 0 {
		kept, f.kept = f.kept, nil
	}
	return latest, kept
}

// SignVote implements types.PrivValidator.
func (s *signer) SignVote(chainID string, vote *cmtproto.Vote) error {
	latest, kept := s.former.ask(moment{vote.Height, vote.Round, stepOf(vote.Type)})
	if kept != nil {
		defer s.former.give(kept)
	}
	last := &s.LastSignState
	if latest != nil && momentOf(latest).compare(moment{last.Height, last.Round, last.Step}) > 0 {
		r := recordOf(chainID, latest)
		last.Height, last.Round, last.Step, last.Signature, last.SignBytes = r.Height, r.Round, r.Step, r.Signature, r.SignBytes
		last.Save()
	}
	return s.sign(chainID, vote)
}

// recordOf is a record of votes that ends with v.
func recordOf(chain string, v *types.Vote) privval.FilePVLastSignState {
	return privval.FilePVLastSignState{Height: v.Height, Round: v.Round, Step: stepOf(v.Type),
		Signature: v.Signature, SignBytes: types.VoteSignBytes(chain, v.ToProto())}
}
