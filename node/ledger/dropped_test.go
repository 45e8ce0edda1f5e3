package ledger

import (
	"testing"

	"github.com/cometbft/cometbft/blocksync"
	"github.com/cometbft/cometbft/p2p"
	bcproto "github.com/cometbft/cometbft/proto/tendermint/blocksync"
	"github.com/stretchr/testify/require"
)

// dropping is a switch that only keeps why it dropped a peer.
type dropping struct {
	p2p.Switcher
	why []any
}

func (d *dropping) StopPeerForError(_ p2p.Peer, why any) { d.why = append(d.why, why) }

func TestAPeerWhoseMessageMakesBlockSyncPanicIsDropped(t *testing.T) {
	sw := &dropping{}
	reactor := &blocksync.Reactor{} // not even begun: it panics over everything
	reactor.Switch = sw
	b := newBacklog()
	r := countedBlocksync{Reactor: reactor, backlog: b, reports: nil}
	e := p2p.Envelope{ChannelID: blocksync.BlocksyncChannel, Message: &bcproto.BlockResponse{}}
	require.NoError(t, b.FilterMsgBytes(e.ChannelID, nil, nil))
	require.NotPanics(t, func() { r.Receive(e) })
	require.Len(t, sw.why, 1)
	require.ErrorContains(t, sw.why[0].(error), "block sync could not take its message")
	require.Zero(t, b.of("", e.ChannelID).waiting, "it waits for nothing any more")
}
