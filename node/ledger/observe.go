package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	cstypes "github.com/cometbft/cometbft/consensus/types"
	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/types"
	"github.com/libp2p/go-libp2p/core/peer"
)

// A validator signs nothing twice because it keeps a record of its last vote. One
// that was restored from a backup has lost that record, and another node may run
// with the same key. So it follows the chain without signing, until
//
//   - enough members have said that nobody else is there under its identity (twin.go),
//   - it has caught up with its peers,
//   - a block has come whose time is later than the start of this process: what the
//     lost node signed, it signed at that block's height or below, because a block's
//     time is the median of votes that were cast after the lost node had ended,
//   - and ObserveBlocks further blocks have come, with no signature of its own key in
//     their commits or among the votes that peers pass on: nobody else has the key.
//
// Then it begins a record at that height, and a new session in which it signs. Each
// start of a process observes anew; the note of node/ledger/restored.go is all that is
// kept. When the network cannot make blocks without this validator none come, and it
// observes for ever: Config.SignUnrecorded is the way out, at the operator's risk.

// ObserveBlocks is how many blocks a restored validator watches before it signs.
const ObserveBlocks = 20

// listenTicks is for how many ticks a validator that is told to sign listens for
// votes of its own that its peers remember.
const listenTicks = 5

// ErrLone reports a restored validator that nobody can tell what it has signed.
var ErrLone = errors.New("this network has one member, so no other node knows what it has signed")

// observation is how far a restored validator has come.
type observation struct {
	mu    sync.Mutex // guards until
	until uint64     // height after which it signs; 0 before there was a new block
}

func (o *observation) height() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.until
}

func (o *observation) set(until uint64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.until = until
}

// observe follows the chain until the validator may sign, and records that. It says
// false when ctx ended before.
func (e *Engine) observe(ctx context.Context, n *node, o *observation, started time.Time) (bool, error) {
	above := e.validator.restored.Above
	if err := e.mayBeObserved(above); err != nil {
		return false, err
	}
	tick := time.NewTicker(stepEvery)
	defer tick.Stop()
	for n.consensus.WaitSync() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false, nil
		}
	}
	if e.cfg.SignUnrecorded {
		return e.signUnrecorded(ctx, n, above, tick)
	}
	e.log.Warn("restored without a record of its votes: observes before it signs")
	var first, whole uint64 // the first new block; up to where commits were looked at whole
	blocks := e.Subscribe(ctx)
	for {
		select {
		case <-tick.C:
		case b, ok := <-blocks:
			if !ok {
				return false, nil
			}
			if first == 0 && b.Height >= above && b.Time.After(started) {
				first, whole = b.Height, b.Height
				o.set(first + ObserveBlocks)
				e.log.Info("observes", "until", first+ObserveBlocks)
			}
		}
		if first == 0 {
			continue
		}
		// The commit of a block is whole only in the next one.
		tip := e.history.status().Height
		for h := whole + 1; h <= tip; h++ {
			if commit := n.state.LoadCommit(int64(h)); commit != nil && e.signed(commit) {
				return false, fmt.Errorf("block %d bears this member's vote, which this node did not cast: %w", h, ErrTwin)
			}
		}
		whole = max(whole, tip-1)
		if v := e.ownVote(n.state.GetRoundState(), first); v != nil {
			return false, fmt.Errorf("this member's vote for block %d is about, which this node did not cast: %w", v.Height, ErrTwin)
		}
		if tip >= first+ObserveBlocks {
			return true, recordVotes(e.cfg.Home, privval.FilePVLastSignState{Height: int64(tip), Step: stepPrecommit})
		}
	}
}

// acquainted says whether the engine knows of any other member. The ledger here may
// not: a network that was founded by one has its later members in later blocks.
func (e *Engine) acquainted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.members, func(m peer.AddrInfo) bool { return m.ID != e.cfg.Host.ID() })
}

// mayBeObserved refuses where no block of others can come.
func (e *Engine) mayBeObserved(above uint64) error {
	s := e.history.status()
	if e.acquainted() || len(s.Validators) > 1 || !bytes.Equal(s.Validators[0].PublicKey[:], e.validator.public()) {
		return nil
	}
	switch {
	case s.Height < above:
		return fmt.Errorf("%w, and the ledger in %s ends at height %d, while the network was at %d: put the folder of the lost home in its place, if there is a copy; without it the ledger is lost", ErrLone, e.cfg.Home, s.Height, above)
	case !e.cfg.SignUnrecorded:
		return fmt.Errorf("%w: if this ledger is its latest and no other node has its keys, start it once with --unsafe-sign-now", ErrLone)
	}
	return nil
}

// signed says whether a commit holds a signature of our key.
func (e *Engine) signed(c *types.Commit) bool {
	own := e.validator.Key.PubKey.Address()
	for _, s := range c.Signatures {
		if s.BlockIDFlag != types.BlockIDFlagAbsent && bytes.Equal(s.ValidatorAddress, own) {
			return true
		}
	}
	return false
}

// ownVote is the latest vote of our key, for a height after the given one, that
// consensus has heard of.
func (e *Engine) ownVote(rs *cstypes.RoundState, after uint64) *types.Vote {
	own := e.validator.Key.PubKey.Address()
	of := func(height int64, set *types.VoteSet, validators *types.ValidatorSet) *types.Vote {
		if set == nil || validators == nil || uint64(height) <= after {
			return nil
		}
		if i, _ := validators.GetByAddress(own); i >= 0 {
			return set.GetByIndex(i)
		}
		return nil
	}
	if rs.Votes != nil {
		for round := rs.Votes.Round() + 1; round >= 0; round-- {
			for _, set := range []*types.VoteSet{rs.Votes.Precommits(round), rs.Votes.Prevotes(round)} {
				if v := of(rs.Height, set, rs.Validators); v != nil {
					return v
				}
			}
		}
	}
	return of(rs.Height-1, rs.LastCommit, rs.LastValidators)
}

// signUnrecorded begins a record at the operator's word: with the height after the last
// block, and in it after the latest vote of our own that peers remember. It listens for
// such a vote while it is connected to others: they tell at once what they have.
func (e *Engine) signUnrecorded(ctx context.Context, n *node, above uint64, tick *time.Ticker) (bool, error) {
	for heard := 0; heard < listenTicks; {
		select {
		case <-tick.C:
			if !e.acquainted() || len(n.members.connected()) > 0 {
				heard++
			}
		case <-ctx.Done():
			return false, nil
		}
	}
	tip := e.history.status().Height
	if tip < above {
		return false, fmt.Errorf("the ledger here ends at height %d, but the network was at %d already: start without --unsafe-sign-now until it has caught up", tip, above)
	}
	last := privval.FilePVLastSignState{Height: int64(tip) + 1}
	if v := e.ownVote(n.state.GetRoundState(), tip); v != nil {
		last = recordOf(ChainID(e.cfg.Genesis), v)
	}
	e.log.Warn("signs without a record of its votes, as told", "height", last.Height, "round", last.Round)
	return true, recordVotes(e.cfg.Home, last)
}
