package ledger

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/cometbft/cometbft/blocksync"
	"github.com/cometbft/cometbft/consensus"
	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/p2p"
	bcproto "github.com/cometbft/cometbft/proto/tendermint/blocksync"
	csproto "github.com/cometbft/cometbft/proto/tendermint/consensus"
	"github.com/cometbft/cometbft/types"
)

const (
	// statusEvery is how often a node that catches up asks its peers for their
	// height; CometBFT's own 10 s are long when the first answer was lost.
	statusEvery = 300 * time.Millisecond
	// stepEvery is how often a node that does not move says where it stands.
	stepEvery = time.Second
	// lostAfter is how long a node stands still before it believes that messages
	// to it were lost; it doubles up to lostAtMost while that does not help.
	lostAfter, lostAtMost = 5 * time.Second, time.Minute
)

// watch keeps a lost message from stopping the node for ever. CometBFT says
// most things once, which is enough over TCP, where a peer that loses a message
// loses the connection, and its peers begin anew with it. Over libp2p each
// message is a stream, and may be lost alone. So a node that catches up asks
// for heights again and again; one that does not move repeats its round step;
// and one that ought to move begins a new session (see boot).
//
// It returns when ctx ends, or with an error when consensus has ended unnoticed:
// it logs its panics and goes.
func (n *node) watch(ctx context.Context, log *slog.Logger) error {
	if !n.catchUp(ctx) {
		return nil
	}
	log.Info("takes part in consensus", "height", n.state.GetLastHeight())
	ended := make(chan struct{})
	go func() {
		n.state.Wait()
		close(ended)
	}()
	tick := time.NewTicker(stepEvery)
	defer tick.Stop()
	var s stillness
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		case <-ended:
			if ctx.Err() != nil {
				return nil
			}
			return errors.New("consensus has failed; its log tells why")
		}
		rs := n.state.GetRoundState()
		still, lost := s.observe(time.Now(), stand{rs.Height, rs.Round, rs.Step}, n.tallest())
		if still {
			n.repeat(rs)
		}
		if lost {
			log.Info("stands still; asks its peers to begin anew", "height", rs.Height, "round", rs.Round, "step", rs.Step)
			n.boot.renew()
		}
	}
}

// catchUp asks peers for their height until the node takes part in consensus,
// and tells whether it came to that.
func (n *node) catchUp(ctx context.Context) bool {
	tick := time.NewTicker(statusEvery)
	defer tick.Stop()
	for n.consensus.WaitSync() {
		n.sw.BroadcastAsync(p2p.Envelope{ChannelID: blocksync.BlocksyncChannel, Message: &bcproto.StatusRequest{}})
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// repeat tells peers where the node stands. Those who know ignore it.
func (n *node) repeat(rs *cstypes.RoundState) {
	n.sw.BroadcastAsync(p2p.Envelope{ChannelID: consensus.StateChannel, Message: &csproto.NewRoundStep{
		Height:                rs.Height,
		Round:                 rs.Round,
		Step:                  uint32(rs.Step),
		SecondsSinceStartTime: int64(time.Since(rs.StartTime).Seconds()),
		LastCommitRound:       rs.LastCommit.GetRound(),
	}})
}

// tallest is the greatest height that a peer says it works on.
func (n *node) tallest() int64 {
	var heights []int64
	n.sw.Peers().ForEach(func(p p2p.Peer) {
		if ps, ok := p.Get(types.PeerStateKey).(*consensus.PeerState); ok {
			heights = append(heights, ps.GetHeight())
		}
	})
	return tallest(heights)
}

// tallest is the greatest height when a third of the peers may lie.
func tallest(heights []int64) int64 {
	if len(heights) == 0 {
		return 0
	}
	slices.Sort(heights)
	return heights[len(heights)-1-len(heights)/3]
}

// stand is where consensus stands.
type stand struct {
	height int64
	round  int32
	step   cstypes.RoundStepType
}

// stillness tells how long consensus has not moved.
type stillness struct {
	at       stand
	since    time.Time
	patience time.Duration
}

// observe takes in where consensus stands and the tallest peers. It is still when
// it stood there before. Messages are lost when it has been still for too long
// for a node that has something to wait for: a peer is ahead, or a proposal is
// under way. A height without transactions may wait for as long as it likes.
func (s *stillness) observe(now time.Time, at stand, tallest int64) (still, lost bool) {
	if at != s.at {
		*s = stillness{at: at, since: now, patience: lostAfter}
		return false, false
	}
	if tallest <= at.height && at.step < cstypes.RoundStepPropose {
		s.since, s.patience = now, lostAfter
		return true, false
	}
	if now.Sub(s.since) < s.patience {
		return true, false
	}
	s.since, s.patience = now, min(2*s.patience, lostAtMost)
	return true, true
}
