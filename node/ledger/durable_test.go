package ledger

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	db "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/state"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// reopen starts node 0 of a network of one again and requires that it stands
// where it stood.
func (net *testNet) reopen(height uint64, hash [32]byte) *testNode {
	t := net.t
	t.Helper()
	n := net.start(0)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, n.WaitHeight(ctx, height))
	for c, err := range n.Blocks(height, height) {
		require.NoError(t, err)
		require.Equal(t, hash, c.AppHash)
	}
	return n
}

func TestStateAfterRestart(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 1)
	net.profile = ProfileSolo
	net.empty = time.Hour // no block but for transactions
	n := net.start(0)
	var last Receipt
	for i := range 5 {
		last = n.pay(t, uint64(i), recipient(0), 1)
	}
	n.stop()
	at := n.Status()
	n = net.reopen(at.Height, at.AppHash)
	require.EqualValues(t, 5, n.app.balance(recipient(0)))
	again := n.pay(t, 4, recipient(0), 1)
	require.Equal(t, last, again, "a transaction from before the restart")
	next := n.pay(t, 5, recipient(0), 1)
	require.Greater(t, next.Height, last.Height)

	t.Run("a home in use is refused", func(t *testing.T) {
		_, err := New(net.config(0, newBank()))
		require.ErrorIs(t, err, ErrLocked)
	})
	n.stop()
	t.Run("a home of another genesis is refused", func(t *testing.T) {
		c := net.config(0, newBank())
		c.Genesis = append(c.Genesis[:len(c.Genesis):len(c.Genesis)], ' ')
		_, err := New(c)
		require.ErrorIs(t, err, ErrGenesis)
	})
	t.Run("a home of another chain is refused", func(t *testing.T) {
		rename := func(chain string) {
			d, err := openDB(filepath.Join(net.home(0), "data"), "state")
			require.NoError(t, err)
			defer d.Close()
			states := state.NewStore(d, state.StoreOptions{})
			st, err := states.Load()
			require.NoError(t, err)
			st.ChainID = chain
			require.NoError(t, states.Save(st))
		}
		rename("another")
		e, err := New(net.config(0, newBank()))
		require.NoError(t, err)
		require.ErrorIs(t, e.Run(context.Background()), ErrGenesis)
		rename(ChainID(net.genesis))
	})
	t.Run("a ledger that never ran gives its home back", func(t *testing.T) {
		e, err := New(net.config(0, newBank()))
		require.NoError(t, err)
		require.NoError(t, e.Close())
		require.ErrorIs(t, e.Run(context.Background()), ErrStopped)
		_, err = e.Submit(context.Background(), write("a", "b"))
		require.ErrorIs(t, err, ErrStopped)
		_, open := <-e.Subscribe(context.Background())
		require.False(t, open)
	})
	t.Run("a validator key without the record of its votes is refused", func(t *testing.T) {
		votes := votesFile(net.home(0))
		require.NoError(t, os.Rename(votes, votes+".away"))
		_, err := New(net.config(0, newBank()))
		require.ErrorContains(t, err, "vote twice")
		require.NoError(t, os.Rename(votes+".away", votes))
		for _, f := range []string{votes, keyFile(net.home(0))} {
			info, err := os.Stat(f)
			require.NoError(t, err)
			require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), f)
		}
	})
	t.Run("damaged key files are errors", func(t *testing.T) {
		home := t.TempDir()
		mustKey(t, home)
		for _, f := range []string{keyFile(home), votesFile(home)} {
			good, err := os.ReadFile(f)
			require.NoError(t, err)
			for _, bad := range []string{"", "{", `{"priv_key":{"type":"tendermint/PrivKeyEd25519","value":"AAAA"}}`, `{"height":7}`} {
				require.NoError(t, os.WriteFile(f, []byte(bad), 0o600))
				_, err = ValidatorKey(home)
				require.Error(t, err, "%s holds %q", f, bad)
			}
			require.NoError(t, os.WriteFile(f, good, 0o600))
		}
		require.NoError(t, os.Remove(keyFile(home))) // a creation that was cut off
		mustKey(t, home)
	})
}

// A crash may come between executing a block and making it durable, or between
// that and CometBFT's own record of it; both are replayed.
func TestCrashBetweenExecuteAndCommit(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		crash func(*history, *bank)
		lost  uint64
	}{
		"the block was executed and nothing was stored": {crash: func(h *history, _ *bank) {}},
		"the application is several blocks behind":      {lost: 3},
	} {
		t.Run(name, func(t *testing.T) {
			net := foundNet(t, 1)
			net.profile, net.empty = ProfileSolo, time.Hour
			n := net.start(0)
			var last Receipt
			for i := range 6 {
				last = n.pay(t, uint64(i), recipient(0), 1)
			}
			net.awaitAll(last.Height + 1) // of a changed state an empty block follows, and then none
			n.stop()
			at := n.Status()

			if c.lost > 0 { // take our store back, as if it had been written last long ago
				rewind(t, net, at.Height-c.lost)
			} else { // die while executing the next block
				app := newBank()
				e, err := New(net.config(0, app))
				require.NoError(t, err)
				died := make(chan struct{})
				var once sync.Once
				app.onExecute = func(uint64) error {
					once.Do(func() { close(died) })
					return errors.New("power cut")
				}
				ran := make(chan error, 1)
				go func() { ran <- e.Run(context.Background()) }()
				require.NoError(t, e.SubmitAsync(context.Background(), transfer(payer, 6, recipient(0), 1)))
				<-died
				require.ErrorContains(t, <-ran, "power cut")
				require.Equal(t, at.Height, e.Status().Height)
				require.EqualValues(t, 6, app.balance(recipient(0)))
			}
			n = net.reopen(at.Height, at.AppHash)
			if c.lost == 0 {
				ctx, cancel := context.WithTimeout(context.Background(), patience)
				defer cancel()
				r, err := n.Submit(ctx, transfer(payer, 6, recipient(0), 1))
				require.NoError(t, err)
				require.Equal(t, at.Height+1, r.Height, "the block that was cut off")
				require.EqualValues(t, 7, n.app.balance(recipient(0)))
			} else {
				require.EqualValues(t, 6, n.app.balance(recipient(0)))
				n.pay(t, 6, recipient(0), 1)
			}
		})
	}
}

// rewind puts the ledger store of node 0 back to height, by replaying what it
// holds into an empty one.
func rewind(t *testing.T, net *testNet, height uint64) {
	dir := filepath.Join(net.home(0), "data")
	old, err := openDB(dir, "ledger")
	require.NoError(t, err)
	h, err := openHistory(old, newBank(), net.genesis)
	require.NoError(t, err)
	fresh, err := openDB(t.TempDir(), "ledger")
	require.NoError(t, err)
	app := newBank()
	f, err := openHistory(fresh, app, net.genesis)
	require.NoError(t, err)
	for c, err := range h.blocks(1, height) {
		require.NoError(t, err)
		p, err := execute(app, f, curation.Block{Height: c.Height, Txs: c.Txs}, c.Time)
		require.NoError(t, err)
		require.NoError(t, f.commit(p, app.Commit))
	}
	it, err := old.Iterator(nil, nil)
	require.NoError(t, err)
	b := old.NewBatch()
	for ; it.Valid(); it.Next() {
		require.NoError(t, b.Delete(it.Key()))
	}
	require.NoError(t, it.Close())
	it, err = fresh.Iterator(nil, nil)
	require.NoError(t, err)
	for ; it.Valid(); it.Next() {
		require.NoError(t, b.Set(it.Key(), it.Value()))
	}
	require.NoError(t, it.Close())
	require.NoError(t, b.WriteSync())
	require.NoError(t, f.close())
	require.NoError(t, h.close())
}

func TestADefectOfTheApplicationStopsTheLedger(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 1)
	app := newBank()
	app.onExecute = func(height uint64) error {
		if height == 3 {
			return errors.New("defect")
		}
		return nil
	}
	net.empty = 50 * time.Millisecond
	e, err := New(net.config(0, app))
	require.NoError(t, err)
	err = e.Run(context.Background())
	require.ErrorContains(t, err, "execute block 3: defect")
	require.EqualValues(t, 2, e.Status().Height)
}

// A node that catches up executes blocks in a goroutine of CometBFT that would
// take the process down over an error.
func TestADefectWhileCatchingUpStopsTheLedger(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	app := newBank()
	app.onExecute = func(height uint64) error {
		if height == 2 {
			return errors.New("defect")
		}
		return nil
	}
	for i := range 3 {
		net.start(i)
	}
	for i := range 5 {
		net.nodes[0].pay(t, uint64(i), recipient(0), 1)
	}
	e, err := New(net.config(3, app))
	require.NoError(t, err)
	e.SetPeers(net.peers())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.ErrorContains(t, e.Run(ctx), "execute block 2: defect")
	net.nodes[0].pay(t, 5, recipient(0), 1)
	net.nodes = net.nodes[:3]
	net.stopAll()
}

// Stopping races with everything that still goes on. With the stores closed as
// CometBFT closes them, this ends the process with "leveldb: closed".
func TestStopUnderLoad(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.startAll()
	for round := range 2 {
		ctx, cancel := context.WithCancel(context.Background())
		var load sync.WaitGroup
		enough := make(chan struct{}, 1)
		for w := range 16 {
			load.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					_, err := net.nodes[w%4].Submit(ctx, write(fmt.Sprintf("%d/%d", round, w), fmt.Sprint(i)))
					if errors.Is(err, ErrStopped) {
						return
					}
					if i == 10 {
						select {
						case enough <- struct{}{}:
						default:
						}
					}
				}
			})
		}
		<-enough
		if round == 0 { // one by one
			for _, n := range net.nodes {
				n.stop()
			}
		} else { // all at once
			net.stopAll()
		}
		cancel()
		load.Wait()
		if round == 1 {
			return
		}
		for i := range net.nodes {
			net.start(i)
		}
		for _, n := range net.nodes {
			n.awaitConsensus(t)
		}
	}
}

// A shelf ends who comes after it was retired, and waits for who came before.
func TestARetiredStoreEndsLateReaders(t *testing.T) {
	s := newShelf(db.NewMemDB())
	require.NoError(t, s.SetSync([]byte("k"), []byte("v")))
	it, err := s.Iterator(nil, nil)
	require.NoError(t, err)
	retired := make(chan error)
	go func() { retired <- s.retire() }()
	require.True(t, it.Valid())
	require.NoError(t, it.Close())
	require.NoError(t, it.Close()) // twice counts once
	require.NoError(t, <-retired)
	b := s.NewBatch()
	for name, late := range map[string]func(){
		"get":      func() { _, _ = s.Get([]byte("k")) },
		"has":      func() { _, _ = s.Has([]byte("k")) },
		"set":      func() { _ = s.Set([]byte("k"), nil) },
		"delete":   func() { _ = s.DeleteSync([]byte("k")) },
		"iterator": func() { _, _ = s.ReverseIterator(nil, nil) },
		"batch":    func() { _ = b.WriteSync() },
	} {
		ended, survived := make(chan struct{}), false
		go func() {
			defer close(ended)
			late()
			survived = true
		}()
		<-ended
		require.False(t, survived, name)
	}
	require.NoError(t, s.retire())
}

func TestDecodeBlock(t *testing.T) {
	c := Committed{
		Height:  7,
		Time:    founded,
		AppHash: [32]byte{1},
		Txs:     [][]byte{{1}, {2, 3}},
		Results: []curation.TxResult{{Events: []curation.Event{{Kind: "a.b", Attributes: []curation.Attribute{{Key: "k", Value: "v"}}}}}, {Code: 5, Log: "no"}},
		Events:  []curation.Event{{Kind: "c.d", Attributes: []curation.Attribute{}}},
	}
	raw, err := encodeBlock(c)
	require.NoError(t, err)
	got, err := decodeBlock(raw)
	require.NoError(t, err)
	require.Equal(t, c, got)
	for i := range raw {
		_, err := decodeBlock(raw[:i])
		require.Error(t, err, "cut at %d", i)
	}
	_, err = decodeBlock(append(raw, 0))
	require.Error(t, err)
}

func FuzzDecodeBlock(f *testing.F) {
	for _, c := range []Committed{{}, {Height: 1, Time: founded, Txs: [][]byte{{1}}, Results: []curation.TxResult{{Code: 1, Log: "x"}}}} {
		raw, err := encodeBlock(c)
		require.NoError(f, err)
		f.Add(raw)
	}
	f.Add(binary.BigEndian.AppendUint64([]byte{0x86, 0x9b}, 1<<40))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := decodeBlock(raw)
		if err != nil {
			return
		}
		again, err := encodeBlock(c)
		require.NoError(t, err)
		require.Equal(t, raw, again)
	})
}
