package ledger

import (
	"context"
	"crypto/ed25519"
	"os"
	"path/filepath"
	"testing"
	"time"

	cmted25519 "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/privval"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
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
	net.nodes[0].pay(t, 0, recipient(0), 1)
	key := net.nodes[3].ValidatorKey()
	net.nodes[3].stop()
	lost := net.nodes[3].Status().Height // it may have voted for the next block
	net.lose(3, lost)

	back := net.start(3)
	require.Equal(t, key, back.ValidatorKey(), "the key is the same")
	require.True(t, back.Status().Observing)
	var until uint64
	recorded := false
	require.Eventually(t, func() bool {
		_, err := os.Stat(votesFile(net.home(3)))
		recorded, until = err == nil, back.Status().ObserveUntil
		return until > 0
	}, patience, time.Millisecond)
	require.False(t, recorded, "a record of votes while it observes")
	require.Greater(t, until, lost+ObserveBlocks)

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
	require.Zero(t, net.nodes[0].votes(t, key, lost+2, until), "it signed nothing while it observed")
	require.NoError(t, net.nodes[0].WaitHeight(ctx, r.Height))
	require.Equal(t, 1, net.nodes[0].votes(t, key, r.Height, r.Height), "no block without it")
}

func TestTheFilesOfARestoredValidator(t *testing.T) {
	key := seedKey('v', 1)
	restore := func(t *testing.T) string {
		home := t.TempDir()
		require.NoError(t, RestoreValidator(home, key, 100))
		return home
	}
	write := func(path, text string) func(*testing.T, string) {
		return func(t *testing.T, home string) {
			require.NoError(t, os.WriteFile(filepath.Join(home, path), []byte(text), 0o600))
		}
	}
	const votes, note = "data/priv_validator_state.json", "data/restored.json"
	for name, c := range map[string]struct {
		before   func(*testing.T, string)
		observes bool
		wrong    string
	}{
		"it observes": {observes: true},
		"a crash left the note behind a new record": {before: write(votes, `{"height":"120","round":0,"step":3}`)},
		"a record of the last known height is new":  {before: write(votes, `{"height":"100","round":0,"step":3}`)},
		"an older record is none":                   {before: write(votes, `{"height":"99","round":0,"step":3}`), observes: true},
		"a damaged record":                          {before: write(votes, `{}`), wrong: "has no height"},
		"a damaged note":                            {before: write(note, `{"format":1,"above":-1}`), wrong: "is damaged"},
		"a note of another format":                  {before: write(note, `{"format":2,"above":1}`), wrong: "is damaged"},
		"the key is gone": {before: func(t *testing.T, home string) { require.NoError(t, os.Remove(keyFile(home))) },
			wrong: "priv_validator_key.json"},
		"the note is gone": {before: func(t *testing.T, home string) { require.NoError(t, forgetRestored(home)) },
			wrong: "restore the member from its backup"},
	} {
		t.Run(name, func(t *testing.T) {
			home := restore(t)
			if c.before != nil {
				c.before(t, home)
			}
			v, err := loadValidator(home)
			if c.wrong != "" {
				require.ErrorContains(t, err, c.wrong)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.observes, v.restored != nil)
			require.Equal(t, c.observes, must(t, func() (bool, error) { return Restored(home) }))
			require.Equal(t, key.Public(), v.public())
		})
	}
	home := restore(t)
	require.ErrorContains(t, RestoreValidator(home, key, 1), "exists already")
	require.NoError(t, recordVotes(home, privval.FilePVLastSignState{Height: 150, Step: stepPrecommit}))
	v, err := loadValidator(home)
	require.NoError(t, err)
	require.Nil(t, v.restored)
	secret, err := ValidatorSecret(home)
	require.NoError(t, err)
	require.Equal(t, key, secret)
	for _, step := range []struct {
		height int64
		signs  bool
	}{{149, false}, {150, false}, {151, true}} {
		vote := cmtproto.Vote{Type: cmtproto.PrecommitType, Height: step.height}
		require.Equal(t, step.signs, v.SignVote("chain", &vote) == nil, "at height %d", step.height)
	}
}

func must[T any](t *testing.T, do func() (T, error)) T {
	t.Helper()
	v, err := do()
	require.NoError(t, err)
	return v
}

// ends waits for an engine that cannot go on.
func (net *testNet) ends(i int, more func(*Config)) error {
	net.t.Helper()
	c := net.config(i, newBank())
	if more != nil {
		more(&c)
	}
	e, err := New(c)
	require.NoError(net.t, err)
	e.SetPeers(net.peers())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return e.Run(ctx)
}

// A home that was copied and has voted since, or a snapshot of one, ends before it
// contradicts itself.
func TestAnOlderCopyOfAHomeEnds(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.empty = 200 * time.Millisecond
	net.startAll()
	net.nodes[0].pay(t, 0, recipient(0), 1)
	net.nodes[3].stop()
	old, err := os.ReadFile(votesFile(net.home(3)))
	require.NoError(t, err)
	require.NoError(t, os.CopyFS(net.home(9), os.DirFS(net.home(3))))
	back := net.start(3)
	net.nodes[2].stop() // so that the next block has its vote
	r := net.nodes[0].pay(t, 1, recipient(0), 1)
	require.Equal(t, 1, net.nodes[0].votes(t, back.ValidatorKey(), r.Height, r.Height))
	net.start(2)
	for i := range 10 {
		net.nodes[0].pay(t, uint64(2+i), recipient(0), 1)
	}
	back.stop()

	require.NoError(t, os.RemoveAll(net.home(3)))
	require.NoError(t, os.Rename(net.home(9), net.home(3)))
	require.ErrorIs(t, net.ends(3, nil), ErrTwin)
	now, err := os.ReadFile(votesFile(net.home(3)))
	require.NoError(t, err)
	require.Equal(t, string(old), string(now), "it signed nothing")
}

func TestALoneRestoredValidatorHasNobodyToAsk(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 1)
	net.profile = ProfileSolo
	n := net.start(0)
	last := n.pay(t, 0, recipient(0), 1)
	n.stop()
	tip := n.Status().Height
	key, err := ValidatorSecret(net.home(0))
	require.NoError(t, err)
	// The ledger was copied, the key comes from the backup.
	require.NoError(t, os.Remove(keyFile(net.home(0))))
	require.NoError(t, os.Remove(votesFile(net.home(0))))
	require.NoError(t, RestoreValidator(net.home(0), key, tip))
	require.ErrorIs(t, net.ends(0, nil), ErrLone)
	require.ErrorContains(t, net.ends(0, nil), "--unsafe-sign-now")

	t.Run("with the operator's word it goes on", func(t *testing.T) {
		net.unsafe = true
		n := net.start(0)
		require.Eventually(t, func() bool { return !n.Status().Observing }, patience, time.Millisecond)
		r := n.pay(t, 1, recipient(0), 1)
		require.Greater(t, r.Height, last.Height)
		require.False(t, n.Status().Observing)
		n.stop()
	})
	t.Run("without its ledger it is lost", func(t *testing.T) {
		require.NoError(t, os.RemoveAll(net.home(0)))
		require.NoError(t, RestoreValidator(net.home(0), key, tip))
		require.ErrorContains(t, net.ends(0, nil), "the ledger is lost")
	})
}

// Three of four are needed and one of three was restored: no block comes that it could
// observe, until the operator decides.
func TestARestoredValidatorThatIsNeededSignsOnTheOperatorsWord(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 4)
	net.empty = time.Hour
	net.startAll()
	tip := net.nodes[0].pay(t, 0, recipient(0), 1).Height + 1
	net.awaitAll(tip) // of a changed state an empty block follows, and then nobody votes any more
	net.nodes[2].stop()
	net.nodes[3].stop()
	net.lose(3, tip)
	back := net.start(3)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, back.WaitHeight(ctx, tip)) // it may believe to have caught up before it hears of a peer's height
	require.Eventually(t, func() bool { return !back.Status().CatchingUp }, patience, time.Millisecond)
	require.True(t, back.Status().Observing)
	require.Zero(t, back.Status().ObserveUntil, "no new block can come")
	back.stop()

	net.unsafe = true
	back = net.start(3)
	r := back.pay(t, 1, recipient(0), 1)
	require.Equal(t, curation.CodeOK, r.Result.Code)
	require.False(t, back.Status().Observing)
}

// FuzzRestoredNote reads damaged notes: an error, never a panic, and never the word of
// a validator that may sign.
func FuzzRestoredNote(f *testing.F) {
	f.Add([]byte(`{"format":1,"above":7}`))
	f.Add([]byte(`{"format":1,"above":18446744073709551615}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, note []byte) {
		home := t.TempDir()
		require.NoError(t, RestoreValidator(home, seedKey('v', 1), 7))
		require.NoError(t, os.WriteFile(restoredFile(home), note, 0o600))
		v, err := loadValidator(home)
		if err == nil {
			require.NotNil(t, v.restored)
		}
	})
}
