package ledger

import (
	"context"
	"crypto/ed25519"
	"os"
	"testing"
	"time"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/privval"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// lose removes the home of a stopped node and restores its key into a new one.
func (net *testNet) lose(i int, above uint64) {
	net.t.Helper()
	key, err := ValidatorSecret(net.home(i))
	require.NoError(net.t, err)
	require.NoError(net.t, os.RemoveAll(net.home(i)))
	require.NoError(net.t, RestoreValidator(net.home(i), key, above))
}

// votes says in how many of the blocks from..to a node's commits hold a member's vote.
func (n *testNode) votes(t *testing.T, key ed25519.PublicKey, from, to uint64) (count int) {
	t.Helper()
	n.mu.Lock()
	state := n.node.state
	n.mu.Unlock()
	other := &Engine{validator: &validator{FilePV: &privval.FilePV{Key: privval.FilePVKey{PubKey: cmted25519.PubKey(key)}}}}
	for h := from; h <= to; h++ {
		if c := state.LoadCommit(int64(h)); c != nil && other.signed(c) {
			count++
		}
	}
	return count
}

func TestARestoredValidatorObservesAndThenSigns(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.empty = 200 * time.Millisecond
	net.startAll()
	last := net.nodes[0].pay(t, 0, recipient(0), 1)
	key := net.nodes[3].ValidatorKey()
	net.nodes[3].stop()
	net.lose(3, last.Height)

	back := net.start(3)
	require.Equal(t, key, back.ValidatorKey(), "the key is the same")
	require.True(t, back.Status().Observing)
	require.Eventually(t, func() bool { return back.Status().ObserveUntil > 0 }, patience, time.Millisecond)
	until := back.Status().ObserveUntil
	require.Greater(t, until, last.Height+ObserveBlocks)
	require.NoFileExists(t, votesFile(net.home(3)))

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, back.WaitHeight(ctx, until))
	require.Eventually(t, func() bool { return !back.Status().Observing }, patience, time.Millisecond)
	require.NoFileExists(t, restoredFile(net.home(3)))
	v, err := readVotes(votesFile(net.home(3)))
	require.NoError(t, err)
	require.GreaterOrEqual(t, v.Height, int64(until))

	// Its vote counts again: the network goes on without another one.
	net.nodes[2].stop()
	r := back.pay(t, 1, recipient(0), 1)
	require.Equal(t, curation.CodeOK, r.Result.Code)
	require.Zero(t, net.nodes[0].votes(t, key, last.Height+2, until), "it signed nothing while it observed")
	require.NotZero(t, net.nodes[0].votes(t, key, until+1, net.nodes[0].Status().Height))
}
