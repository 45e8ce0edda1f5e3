package ledger

import (
	"bytes"
	"context"
	"encoding/hex"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// liar is a replica that goes its own way in one block.
type liar struct {
	*bank
	at   uint64
	bend func(*curation.Outcome)
}

func (l *liar) Execute(b curation.Block) (curation.Outcome, error) {
	out, err := l.bank.Execute(b)
	if err == nil && b.Height == l.at {
		l.bend(&out)
	}
	return out, err
}

func direct(t testing.TB, record *bytes.Buffer, apps ...Application) *Direct {
	t.Helper()
	return directOn(t, genesisFor(t, func(int) string { return t.TempDir() }, 1), record, apps...)
}

func directOn(t testing.TB, genesis []byte, record *bytes.Buffer, apps ...Application) *Direct {
	t.Helper()
	cfg := DirectConfig{Genesis: genesis, GenesisTime: founded, Apps: apps}
	if record != nil {
		cfg.Record = record
	}
	d, err := NewDirect(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func TestDirect(t *testing.T) {
	ctx := context.Background()
	app := newBank()
	d := direct(t, nil, app, newBank(), newBank())
	stream := d.Subscribe(ctx)
	r, err := d.Submit(ctx, transfer(payer, 0, recipient(0), 5))
	require.NoError(t, err)
	require.Equal(t, Receipt{Height: 1, Result: r.Result}, r)
	require.EqualValues(t, 5, app.balance(recipient(0)))
	again, err := d.Submit(ctx, transfer(payer, 0, recipient(0), 5))
	require.NoError(t, err)
	require.Equal(t, r, again)

	for i := range 3 { // gathered into one block
		require.NoError(t, d.SubmitAsync(ctx, transfer(payer, uint64(1+i), recipient(0), 1)))
	}
	require.NoError(t, d.Step(3))
	s := d.Status()
	require.EqualValues(t, 4, s.Height)
	require.Equal(t, founded.Add(4*time.Second), s.LatestBlock)
	require.False(t, s.CatchingUp)
	require.Len(t, s.Validators, 1)
	for want, txs := range []int{1, 3, 0, 0} {
		c := <-stream
		require.EqualValues(t, want+1, c.Height)
		require.Len(t, c.Txs, txs)
	}
	_, err = d.Submit(ctx, []byte("?"))
	require.ErrorIs(t, err, ErrRefused)
	_, err = d.Submit(ctx, make([]byte, MaxTxBytes+1))
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = d.Submit(canceled(), write("a", "b"))
	require.ErrorIs(t, err, context.Canceled)
	app.refuse = func([]byte) bool { return true }
	_, err = d.Submit(ctx, write("a", "b"))
	require.ErrorIs(t, err, ErrDiverged, "only one replica refuses it")
	require.ErrorIs(t, d.Step(1), ErrDiverged, "and there it stays")
}

func TestDirectFindsTheReplicaThatDiffers(t *testing.T) {
	for name, bend := range map[string]func(*curation.Outcome){
		"in the hash":              func(o *curation.Outcome) { o.AppHash[31] ^= 1 },
		"in a result":              func(o *curation.Outcome) { o.Results[0].Code = curation.CodeLimit },
		"in an event":              func(o *curation.Outcome) { o.Events[0].Kind = "bank.other" },
		"in a write":               func(o *curation.Outcome) { o.Changes[0].Value = []byte("other") },
		"in the validators":        func(o *curation.Outcome) { o.Validators = []curation.Validator{{Power: 1}} },
		"in the number of results": func(o *curation.Outcome) { o.Results = nil },
	} {
		t.Run(name, func(t *testing.T) {
			d := direct(t, nil, newBank(), &liar{newBank(), 2, bend})
			_, err := d.Submit(context.Background(), transfer(payer, 0, recipient(0), 1))
			require.NoError(t, err)
			_, err = d.Submit(context.Background(), transfer(payer, 1, recipient(0), 1))
			require.Error(t, err)
			require.Contains(t, err.Error(), "replica 1")
			require.EqualValues(t, 1, d.Status().Height)
		})
	}
}

func TestRecordAndReplay(t *testing.T) {
	const seed = 7
	var record bytes.Buffer
	d := direct(t, &record, newBank(), newBank())
	chance := rand.New(rand.NewPCG(seed, 0))
	nonces := map[int]uint64{}
	for range 200 {
		from := chance.IntN(16)
		tx := transfer(seedKey('c', from), nonces[from], recipient(chance.IntN(4)), uint64(chance.IntN(1<<28)))
		if chance.IntN(3) == 0 {
			require.NoError(t, d.SubmitAsync(context.Background(), tx), "seed %d", seed)
		} else {
			_, err := d.Submit(context.Background(), tx)
			require.NoError(t, err, "seed %d", seed)
		}
		nonces[from]++
	}
	at := d.Status()
	height, hash, err := Replay(bytes.NewReader(record.Bytes()), newBank())
	require.NoError(t, err)
	require.Equal(t, at.Height, height)
	require.Equal(t, at.AppHash, hash)

	raw := record.Bytes()
	t.Run("a record that breaks off says where", func(t *testing.T) {
		_, _, err := Replay(bytes.NewReader(raw[:len(raw)-1]), newBank())
		require.ErrorIs(t, err, ErrRecord)
		require.ErrorContains(t, err, "after block")
		_, _, err = Replay(bytes.NewReader(raw[:10]), newBank())
		require.ErrorIs(t, err, ErrRecord)
	})
	t.Run("a machine that differs is found at its block", func(t *testing.T) {
		_, _, err := Replay(bytes.NewReader(raw), &liar{newBank(), 9, func(o *curation.Outcome) { o.AppHash[0]++ }})
		require.ErrorIs(t, err, ErrDiverged)
		require.ErrorContains(t, err, "block 9")
	})
	t.Run("a changed byte does not pass", func(t *testing.T) {
		chance := rand.New(rand.NewPCG(seed, 1))
		for range 40 {
			bad := bytes.Clone(raw)
			i := len(bad)/2 + chance.IntN(len(bad)/2)
			bad[i] ^= byte(1 + chance.IntN(255))
			height, hash, err := Replay(bytes.NewReader(bad), newBank())
			if err == nil { // only a header time is bound by nothing but the block's hash
				require.Equal(t, at.Height, height, "seed %d byte %d", seed, i)
				require.Equal(t, at.AppHash, hash, "seed %d byte %d", seed, i)
			}
		}
	})
}

func FuzzReplay(f *testing.F) {
	var record bytes.Buffer
	small := []byte(`{"validators":["` + hex.EncodeToString(recipient(9)) + `"]}`)
	d := directOn(f, small, &record, newBank())
	for _, tx := range [][]byte{write("a", "b"), write("c", "d")} {
		_, err := d.Submit(context.Background(), tx)
		require.NoError(f, err)
	}
	f.Add(record.Bytes())
	f.Add(record.Bytes()[:len(recordMagic)+4])
	f.Add([]byte(recordMagic + "\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		_, _, _ = Replay(bytes.NewReader(in), newBank())
	})
}
