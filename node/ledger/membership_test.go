package ledger

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// arrive adds a node to a network that runs: all name it from now on.
func (net *testNet) arrive() *testNode {
	i := len(net.nodes)
	h := newHost(net.t, i, anyPort)
	net.hosts, net.nodes = append(net.hosts, h), append(net.nodes, nil)
	net.admit(h.ID())
	for _, n := range net.nodes[:i] {
		n.SetPeers(net.peers())
	}
	return net.start(i)
}

// empower has a validator's power changed through a node, and waits until it counts.
func (net *testNet) empower(through int, key []byte, power byte) Receipt {
	net.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := net.nodes[through].Submit(ctx, empower(key, power))
	require.NoError(net.t, err)
	require.Equal(net.t, curation.CodeOK, r.Result.Code)
	for _, n := range net.nodes {
		if n.Status().Peers != nil {
			require.NoError(net.t, n.WaitHeight(ctx, r.Height+3))
		}
	}
	return r
}

// A fifth node comes to four that run: it follows the chain without a vote, gets one
// while it runs, is needed, loses it again while it runs, and follows on.
func TestAFifthValidatorComesAndGoes(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.empty = 200 * time.Millisecond
	net.startAll()
	last := net.nodes[0].pay(t, 0, recipient(0), 1)

	fifth := net.arrive()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	defer cancel()
	require.NoError(t, fifth.WaitHeight(ctx, last.Height), "it fetches what was before it")
	fifth.awaitConsensus(t)
	r := fifth.pay(t, 1, recipient(0), 1)
	require.Equal(t, curation.CodeOK, r.Result.Code, "it submits")
	require.NoError(t, net.nodes[0].WaitHeight(ctx, r.Height+2))
	key := fifth.ValidatorKey()
	require.Zero(t, net.nodes[0].votes(t, key, 1, r.Height))
	require.Len(t, fifth.Status().Validators, 4)

	on := net.empower(0, key, 1)
	require.Len(t, net.nodes[2].Status().Validators, 5)
	require.Len(t, fifth.Status().Validators, 5)

	// Four of five are needed, so with one of the old ones away the fifth is.
	net.nodes[3].stop()
	r = net.nodes[0].pay(t, 2, recipient(0), 1)
	require.NoError(t, net.nodes[0].WaitHeight(ctx, r.Height+1))
	require.Equal(t, 1, net.nodes[0].votes(t, key, r.Height, r.Height))
	require.Zero(t, net.nodes[0].votes(t, key, 1, on.Height), "not before its time")

	// It is started again as the validator that it is by now.
	fifth.stop()
	fifth = net.start(4)
	r = fifth.pay(t, 3, recipient(0), 1)
	require.Equal(t, curation.CodeOK, r.Result.Code)

	// The fifth loses its vote, and runs on without one.
	net.start(3).awaitConsensus(t)
	off := net.empower(1, key, 0)
	require.Len(t, fifth.Status().Validators, 4)
	net.nodes[2].stop()
	r = fifth.pay(t, 4, recipient(0), 1)
	require.Equal(t, curation.CodeOK, r.Result.Code, "three of four go on, and it hears of it")
	require.NoError(t, net.nodes[0].WaitHeight(ctx, r.Height+2))
	require.Zero(t, net.nodes[0].votes(t, key, off.Height+2, r.Height))
	fifth.awaitConsensus(t)

	// It comes back once more, without a vote, and then nobody names it any more.
	fifth.stop()
	fifth = net.start(4)
	r = net.nodes[0].pay(t, 5, recipient(0), 1)
	require.NoError(t, fifth.WaitHeight(ctx, r.Height))
	fifth.awaitConsensus(t)
	net.members.Delete(net.hosts[4].ID())
	for _, i := range []int{0, 1, 3} {
		net.nodes[i].SetPeers(net.peers()[:4])
	}
	fifth.SetPeers(nil)
	require.Eventually(t, func() bool { return len(fifth.Status().Peers) == 0 }, patience, time.Millisecond)
	r = net.nodes[0].pay(t, 6, recipient(0), 1)
	net.start(2)
	require.NoError(t, net.nodes[2].WaitHeight(ctx, r.Height))
	require.Less(t, fifth.Status().Height, r.Height)
	fifth.awaitConsensus(t) // it stands still and does not fail

	// All of it stands in an export, which anybody can check from the genesis on.
	net.checkExports(r.Height)
}

// A network that one founded has four members by now. Its founder lost its home: by
// the genesis it would be alone, yet it observes the others and signs again.
func TestAFounderOfOneIsRestoredIntoTheNetworkThatItGrewTo(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.empty = 200 * time.Millisecond
	var g bankGenesis
	require.NoError(t, json.Unmarshal(net.genesis, &g))
	g.Validators = g.Validators[:1]
	doc, err := json.Marshal(g)
	require.NoError(t, err)
	net.genesis = doc
	net.startAll()
	var last Receipt
	for i := 1; i < 4; i++ {
		last = net.empower(0, net.nodes[i].ValidatorKey(), 1)
	}
	net.nodes[0].stop()
	net.lose(0, last.Height)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	back := net.start(0)
	require.NoError(t, back.WaitHeight(ctx, last.Height))
	require.Eventually(t, func() bool { return !back.Status().Observing }, patience, time.Millisecond)
	net.nodes[3].stop()
	r := back.pay(t, 0, recipient(0), 1)
	require.Equal(t, curation.CodeOK, r.Result.Code, "its vote counts again")
}

func TestWhoKnowsOfNobodyElse(t *testing.T) {
	net := foundNet(t, 2)
	e, err := New(net.config(0, newBank()))
	require.NoError(t, err)
	defer e.Close()
	require.False(t, e.acquainted())
	e.SetPeers([]peer.AddrInfo{{ID: net.hosts[0].ID()}})
	require.False(t, e.acquainted(), "itself does not count")
	e.SetPeers(net.peers())
	require.True(t, e.acquainted())
}
