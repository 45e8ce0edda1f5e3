package ledger

import (
	"context"
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

func direct(t testing.TB, apps ...Application) *Direct {
	t.Helper()
	return directOn(t, DirectConfig{Genesis: genesisFor(t, func(int) string { return t.TempDir() }, 1), Apps: apps})
}

func directOn(t testing.TB, cfg DirectConfig) *Direct {
	t.Helper()
	cfg.GenesisTime = founded
	d, err := NewDirect(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func TestDirect(t *testing.T) {
	ctx := context.Background()
	app := newBank()
	d := direct(t, app, newBank(), newBank())
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
			d := direct(t, newBank(), &liar{newBank(), 2, bend})
			_, err := d.Submit(context.Background(), transfer(payer, 0, recipient(0), 1))
			require.NoError(t, err)
			_, err = d.Submit(context.Background(), transfer(payer, 1, recipient(0), 1))
			require.Error(t, err)
			require.Contains(t, err.Error(), "replica 1")
			require.EqualValues(t, 1, d.Status().Height)
		})
	}
}
