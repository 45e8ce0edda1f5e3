package ledger

import (
	"context"
	"crypto/ed25519"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

func TestOneValidatorAlone(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 1)
	net.profile = ProfileSolo
	started := time.Now()
	n := net.start(0)
	r := n.pay(t, 0, recipient(0), 5)
	t.Logf("final after %v", time.Since(started).Round(time.Millisecond))
	require.Equal(t, curation.CodeOK, r.Result.Code)
	require.EqualValues(t, 5, n.app.balance(recipient(0)))
	require.Len(t, n.Status().Validators, 1)
	require.Equal(t, n.ValidatorKey(), ed25519.PublicKey(mustKey(t, net.home(0))))

	t.Run("the same bytes again give the recorded receipt", func(t *testing.T) {
		again := n.pay(t, 0, recipient(0), 5)
		require.Equal(t, r, again)
		require.EqualValues(t, 5, n.app.balance(recipient(0)))
		found, ok, err := n.Lookup(transfer(payer, 0, recipient(0), 5))
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, r, found)
	})
	t.Run("a refusal in a block is a receipt, not an error", func(t *testing.T) {
		r := n.pay(t, 1, recipient(0), 1<<50)
		require.Equal(t, curation.CodeFunds, r.Result.Code)
		require.Positive(t, r.Height)
	})
	t.Run("what is not admitted says why", func(t *testing.T) {
		_, err := n.Submit(context.Background(), []byte("?"))
		require.ErrorIs(t, err, ErrRefused)
		var why *RefusedError
		require.ErrorAs(t, err, &why)
		require.Equal(t, curation.CodeMalformed, why.Result.Code)
		_, err = n.Submit(context.Background(), nil)
		require.ErrorIs(t, err, ErrRefused)
		_, err = n.Submit(context.Background(), make([]byte, MaxTxBytes+1))
		require.ErrorIs(t, err, ErrTooLarge)
	})
	t.Run("heights go on without transactions", func(t *testing.T) {
		at := n.Status().Height
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, n.WaitHeight(ctx, at+2))
	})
}

func mustKey(t *testing.T, home string) []byte {
	k, err := ValidatorKey(home)
	require.NoError(t, err)
	return k
}

func TestFourValidators(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	started := time.Now()
	net.startAll()
	t.Logf("four in consensus after %v", time.Since(started).Round(time.Millisecond))
	first := net.nodes[0].pay(t, 0, recipient(0), 1)
	t.Logf("first transaction final after %v", time.Since(started).Round(time.Millisecond))
	var last Receipt
	for i := range 20 {
		last = net.nodes[i%4].pay(t, uint64(i+1), recipient(0), 1)
	}
	net.awaitAll(last.Height)
	for _, n := range net.nodes {
		require.EqualValues(t, 21, n.app.balance(recipient(0)))
		require.Eventually(t, func() bool { return len(n.Status().Peers) == 3 }, patience, time.Millisecond)
		require.Len(t, n.Status().Validators, 4)
	}
	require.Less(t, first.Height, last.Height)

	t.Run("one stopped, the others go on, and it catches up", func(t *testing.T) {
		net.nodes[3].stop()
		for i := range 5 {
			last = net.nodes[i%3].pay(t, uint64(21+i), recipient(1), 1)
		}
		net.start(3)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, net.nodes[3].WaitHeight(ctx, last.Height))
		require.EqualValues(t, 5, net.nodes[3].app.balance(recipient(1)))
		r := net.nodes[3].pay(t, 26, recipient(1), 1)
		net.awaitAll(r.Height)
	})
}

// A transaction that reaches a peer before the peer takes part is dropped there
// and never sent again by CometBFT. With no empty blocks to come, the chain
// would wait for ever.
func TestTheFirstTransactionIsNotLost(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.empty = time.Hour
	boots := 3
	if testing.Short() {
		boots = 1
	}
	for boot := range boots {
		for i := range net.nodes {
			net.start(i)
		}
		r := net.nodes[boot].pay(t, uint64(boot), recipient(0), 1)
		net.awaitAll(r.Height)
		net.stopAll()
	}
}

// What the application leaves out of its proposals must not stay in the pool:
// the engine makes blocks for as long as anything is there.
func TestATransactionThatIsNeverProposed(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 1)
	net.profile, net.empty = ProfileSolo, time.Hour
	app := newBank()
	var open atomic.Bool
	app.refuse = func(tx []byte) bool { return tx[0] == 'k' && !open.Load() }
	n := net.startWith(0, app)
	n.pay(t, 0, recipient(0), 1)
	at := n.Status().Height
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got := make(chan Receipt, 1)
	go func() {
		if r, err := n.Submit(ctx, write("a", "b")); err == nil {
			got <- r
		}
	}()
	// Between one offer and the next there is a pause; without the eviction blocks
	// follow each other in milliseconds.
	blocks, last, pause := n.Subscribe(ctx), time.Now(), time.Duration(0)
	for until := time.After(3 * offerAgain); until != nil; {
		select {
		case <-got:
			t.Fatal("it stands in a block")
		case <-blocks:
			pause, last = max(pause, time.Since(last)), time.Now()
		case <-until:
			pause, until = max(pause, time.Since(last)), nil
		}
	}
	require.Greater(t, pause, offerAgain/2, "empty blocks as fast as they can be made")
	open.Store(true)
	select {
	case r := <-got: // Submit has offered it again
		require.Greater(t, r.Height, at)
	case <-ctx.Done():
		t.Fatal("not offered again")
	}
}

func TestSubscribersMissNothing(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 1)
	net.profile, net.empty = ProfileSolo, 20*time.Millisecond
	n := net.start(0)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	slow := n.SubscribeFrom(ctx, 1) // takes nothing until the end
	present := n.Subscribe(ctx)
	first := <-present
	for i := range 3 * recentBlocks {
		n.pay(t, uint64(i), recipient(0), 1)
	}
	last := n.Status().Height
	paid := 0
	for want := uint64(1); want <= last; want++ {
		c := <-slow
		require.Equal(t, want, c.Height)
		require.Len(t, c.Results, len(c.Txs))
		require.Equal(t, "bank.block", c.Events[0].Kind)
		for _, r := range c.Results {
			require.Equal(t, "1", r.Events[0].Get("amount"))
			paid++
		}
	}
	require.Equal(t, 3*recentBlocks, paid)
	for want := first.Height + 1; want <= last; want++ {
		require.Equal(t, want, (<-present).Height)
	}
	n.stop()
	for range present { // ends by itself
	}
	at := n.Status()
	n = net.reopen(at.Height, at.AppHash)
	again := n.SubscribeFrom(ctx, 2)
	require.EqualValues(t, 2, (<-again).Height, "history is replayed after a restart")
	var heights []uint64
	for c, err := range n.Blocks(0, 3) {
		require.NoError(t, err)
		heights = append(heights, c.Height)
	}
	require.Equal(t, []uint64{1, 2, 3}, heights)
	require.ErrorIs(t, n.WaitHeight(canceled(), 1<<40), context.Canceled)
}

func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}
