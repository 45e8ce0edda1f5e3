package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"

	"github.com/cometbft/cometbft/privval"
	"github.com/cometbft/cometbft/types"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// Two processes with one key are kept apart twice.
//
// A restored validator asks before it takes part: has anybody else connected under its
// identity? A member that is asked looks for another connection of that identity whose
// other end takes part in consensus. So the one that is there first stays; once both
// took part, each would push the other off its connections, and neither would see the
// other's votes.
//
// And whoever signs looks at the commits that follow: a signature of its key that it
// did not make, after its record of votes, ends it. This finds the copied home, and
// the snapshot of a home that has voted since.

// ErrTwin reports that somebody else signs with this validator's key.
var ErrTwin = errors.New("another node runs with the keys of this member, or has run with them since this home was copied: stop the other one and start this again; if there is none, restore the member from its backup into a new home")

// twinProtocol asks whether another process takes part under the asker's identity; the
// answer is one byte.
const twinProtocol protocol.ID = "/atelier/twin/1"

const (
	twinNo byte = iota
	twinYes
)

// askedAgain is how long a restored validator waits before it asks those again who did
// not answer.
const askedAgain = 500 * time.Millisecond

// answerTwins serves twinProtocol until the returned function is called.
func (n *node) answerTwins() (stop func()) {
	n.boot.host.SetStreamHandler(twinProtocol, func(s network.Stream) {
		p, asked := s.Conn().RemotePeer(), s.Conn()
		if !n.boot.allow(p) {
			_ = s.Reset()
			return
		}
		_ = s.SetDeadline(time.Now().Add(5 * time.Second))
		answer := twinNo
		var wait sync.WaitGroup
		var mu sync.Mutex // guards answer
		for _, c := range n.boot.host.Network().ConnsToPeer(p) {
			if c == asked || c.IsClosed() {
				continue
			}
			wait.Go(func() {
				if _, err := n.boot.question(c, n.boot.greeting()); err == nil {
					mu.Lock()
					defer mu.Unlock()
					answer = twinYes
				}
			})
		}
		wait.Wait()
		if _, err := s.Write([]byte{answer}); err != nil {
			_ = s.Reset()
			return
		}
		_ = s.Close()
	})
	return func() { n.boot.host.RemoveStreamHandler(twinProtocol) }
}

// askTwins waits until more members than may fail have said that nobody else takes part
// under this identity. It gives ErrTwin when one says the contrary.
func (e *Engine) askTwins(ctx context.Context) error {
	e.mu.Lock()
	members := e.members
	e.mu.Unlock()
	n := len(e.history.validatorSet())
	need := min(n-1, n-(2*n/3+1)+1)
	free := map[peer.ID]bool{}
	for {
		for _, m := range members {
			if m.ID == e.cfg.Host.ID() || free[m.ID] {
				continue
			}
			twin, err := e.askTwin(ctx, m)
			switch {
			case ctx.Err() != nil:
				return nil
			case err == nil && twin:
				return fmt.Errorf("member %v is connected to a node with this identity already: %w", m.ID, ErrTwin)
			case err == nil:
				free[m.ID] = true
			}
		}
		if len(free) >= need || e.cfg.SignUnrecorded {
			return nil
		}
		select {
		case <-time.After(askedAgain):
		case <-ctx.Done():
			return nil
		}
	}
}

func (e *Engine) askTwin(ctx context.Context, m peer.AddrInfo) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := e.cfg.Host.Connect(ctx, m); err != nil {
		return false, err
	}
	s, err := e.cfg.Host.Network().NewStream(ctx, m.ID)
	if err != nil {
		return false, err
	}
	defer s.Reset()
	_ = s.SetDeadline(time.Now().Add(5 * time.Second))
	if err := multistream.SelectProtoOrFail(twinProtocol, s); err != nil {
		return false, err
	}
	var answer [1]byte
	if _, err := io.ReadFull(s, answer[:]); err != nil {
		return false, err
	}
	return answer[0] == twinYes, nil
}

// signer signs, and remembers for a while what.
type signer struct {
	*privval.FilePV
	after  int64 // height of the record of votes when the session began
	former former

	mu   sync.Mutex // guards made
	made map[string]int64
}

// remembered is for how many heights a signature is known as our own.
const remembered = 256

func newSigner(pv *privval.FilePV, chain string) *signer {
	return &signer{FilePV: pv, after: pv.LastSignState.Height, former: former{chain: chain}, made: map[string]int64{}}
}

// sign signs, and remembers that.
func (s *signer) sign(chainID string, vote *cmtproto.Vote) error {
	if err := s.FilePV.SignVote(chainID, vote); err != nil || vote.Type != cmtproto.PrecommitType {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made[string(vote.Signature)] = vote.Height
	if len(s.made) > 2*remembered {
		for signature, height := range s.made {
			if height+remembered < vote.Height {
				delete(s.made, signature)
			}
		}
	}
	return nil
}

// strange says whether a commit holds a signature of our key that nobody here made.
func (s *signer) strange(c *types.Commit) bool {
	own := s.Key.PubKey.Address()
	for _, sig := range c.Signatures {
		if sig.BlockIDFlag != types.BlockIDFlagAbsent && bytes.Equal(sig.ValidatorAddress, own) {
			s.mu.Lock()
			defer s.mu.Unlock()
			_, made := s.made[string(sig.Signature)]
			return c.Height > s.after && !made
		}
	}
	return false
}

// beware looks at each commit for a signature of our key that somebody else made. It
// returns when ctx or the ledger ends, or with ErrTwin.
func (e *Engine) beware(n *node, s *signer, blocks <-chan Committed) error {
	for b := range blocks {
		if b.Height < 2 { // the commit of a block stands in the next one
			continue
		}
		if c := n.state.LoadCommit(int64(b.Height - 1)); c != nil && s.strange(c) {
			return fmt.Errorf("block %d bears a vote of this member that this node did not cast: %w", b.Height-1, ErrTwin)
		}
	}
	return nil
}
