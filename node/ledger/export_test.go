package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"testing/iotest"

	db "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/libs/log"
	"github.com/cometbft/cometbft/state"
	"github.com/cometbft/cometbft/types"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
)

// signer is validator i of the tests' signed ledgers.
func signerKey(i int) ed25519.PrivateKey { return seedKey('v', i) }

func signerOf(validator [32]byte) (ed25519.PrivateKey, bool) {
	for i := range 8 {
		if k := signerKey(i); bytes.Equal(k.Public().(ed25519.PublicKey), validator[:]) {
			return k, true
		}
	}
	return nil, false
}

// signAll has every validator sign but those away.
func signAll(away ...int) SignFunc {
	return func(validator [32]byte, message []byte) []byte {
		k, known := signerOf(validator)
		if !known || slices.ContainsFunc(away, func(i int) bool { return signerKey(i).Equal(k) }) {
			return nil
		}
		return ed25519.Sign(k, message)
	}
}

// signedGenesis has the first n signers as validators.
func signedGenesis(t testing.TB, n int) []byte {
	t.Helper()
	g := bankGenesis{Balances: map[string]uint64{hex.EncodeToString(payer.Public().(ed25519.PublicKey)): 1 << 40}}
	for i := range n {
		g.Validators = append(g.Validators, hex.EncodeToString(signerKey(i).Public().(ed25519.PublicKey)))
	}
	doc, err := json.Marshal(g)
	require.NoError(t, err)
	return doc
}

func exported(t testing.TB, x Exporter, from uint64) []byte {
	t.Helper()
	e, err := x.Export(from)
	require.NoError(t, err)
	defer func() { require.NoError(t, e.Close()) }()
	var b bytes.Buffer
	require.NoError(t, e.Write(context.Background(), &b))
	return b.Bytes()
}

// genuine is a signed ledger of n validators with payments, refused ones, and one more
// validator that comes and goes.
func genuine(t testing.TB, n int) *Direct {
	t.Helper()
	ctx := context.Background()
	d := directOn(t, DirectConfig{Genesis: signedGenesis(t, n), Apps: []Application{newBank()}, Sign: signAll()})
	submit := func(tx []byte) {
		_, err := d.Submit(ctx, tx)
		require.NoError(t, err)
	}
	submit(transfer(payer, 0, recipient(0), 5))
	submit(transfer(payer, 1, recipient(1), 1<<50)) // refused in its block
	submit(empower(signerKey(n).Public().(ed25519.PublicKey), 2))
	require.NoError(t, d.Step(3))
	submit(empower(signerKey(0).Public().(ed25519.PublicKey), 3))
	submit(empower(signerKey(n).Public().(ed25519.PublicKey), 0))
	require.NoError(t, d.Step(3))
	submit(transfer(payer, 2, recipient(2), 7))
	return d
}

// check runs an export and returns the last block that holds.
func check(t testing.TB, export []byte, app Application) (last Checked, err error) {
	t.Helper()
	err = CheckExport(context.Background(), bytes.NewReader(export), app, func([]byte, []curation.Validator) error { return nil }, func(c Checked) error {
		require.Equal(t, last.Height+1, c.Height)
		require.Greater(t, 3*c.Signed, 2*c.Power)
		last = c
		return nil
	})
	return last, err
}

func TestAnExportHoldsWhatTheLedgerHolds(t *testing.T) {
	for _, n := range []int{1, 2, 4, 7} {
		d := genuine(t, n)
		export := exported(t, d, 1)
		var doc []byte
		var founders []curation.Validator
		blocks := []Checked{}
		err := CheckExport(t.Context(), iotest.OneByteReader(bytes.NewReader(export)), newBank(), func(b []byte, v []curation.Validator) error {
			doc, founders = b, v
			return nil
		}, func(c Checked) error {
			blocks = append(blocks, c)
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, d.document, doc)
		require.Len(t, founders, n)
		require.Len(t, blocks, int(d.Status().Height))
		for want, err := range d.Blocks(1, 1<<32) {
			require.NoError(t, err)
			got := blocks[want.Height-1]
			require.Equal(t, want.AppHash, got.AppHash)
			require.Equal(t, want.Results, got.Results)
			require.Equal(t, want.Events, got.Events)
		}
		require.EqualValues(t, n, blocks[2].Power)
		require.Equal(t, n, blocks[3].Of, "a change counts two blocks later")
		require.Equal(t, n+1, blocks[4].Of)
		require.EqualValues(t, n+2, blocks[4].Signed)
		require.Equal(t, n, blocks[len(blocks)-1].Of)
		require.EqualValues(t, n+2, blocks[len(blocks)-1].Power)
	}
}

// The engine's ledger is exported while it runs and when it has stopped.
func (net *testNet) checkExports(least uint64) {
	t := net.t
	t.Helper()
	live := exported(t, net.nodes[0], 1)
	last, err := check(t, live, newBank())
	require.NoError(t, err)
	require.GreaterOrEqual(t, last.Height, least)
	require.Equal(t, sha256.Sum256(net.genesis), sha256.Sum256(live[len(exportMagic)+5:][:len(net.genesis)]))

	_, err = ExportHome(net.home(0), net.genesis, 1)
	require.ErrorIs(t, err, ErrLocked)
	net.stopAll()
	_, err = net.nodes[0].Export(1)
	require.ErrorIs(t, err, ErrStopped)
	x, err := ExportHome(net.home(0), net.genesis, 1)
	require.NoError(t, err)
	var later bytes.Buffer
	require.NoError(t, x.Write(t.Context(), &later))
	require.NoError(t, x.Close())
	after, err := check(t, later.Bytes(), newBank())
	require.NoError(t, err)
	require.GreaterOrEqual(t, after.Height, last.Height)

	// The earlier one is continued to the later one.
	end, err := EndOfExport(bytes.NewReader(live))
	require.NoError(t, err)
	require.Equal(t, last.Height, end.Height)
	require.True(t, end.Whole)
	x, err = ExportHome(net.home(0), net.genesis, end.Height+1)
	require.NoError(t, err)
	var rest, whole bytes.Buffer
	require.NoError(t, x.Write(t.Context(), &rest))
	require.NoError(t, x.Close())
	whole.Write(live[:end.Offset])
	_, err = CopyExport(t.Context(), &whole, &rest, end, nil)
	require.NoError(t, err)
	require.Equal(t, later.Bytes(), whole.Bytes())
	_, err = ExportHome(t.TempDir(), net.genesis, 1)
	require.ErrorIs(t, err, fs.ErrNotExist)
}

func TestALedgerOfOneValidatorIsExported(t *testing.T) {
	t.Parallel()
	net := foundNet(t, 1)
	net.profile = ProfileSolo
	net.startAll()
	for i := range uint64(4) {
		net.nodes[0].pay(t, i, recipient(0), 1)
	}
	net.checkExports(4)
}

func TestExportsThatBreakOffSayWhere(t *testing.T) {
	honest := exported(t, genuine(t, 4), 1)
	for cut := 0; cut < len(honest); cut += 7 {
		_, err := check(t, honest[:cut], newBank())
		var wrong *CheckError
		require.ErrorAs(t, err, &wrong, "cut at %d", cut)
		require.ErrorIs(t, err, ErrExport)
	}
	_, err := check(t, append(slices.Clone(honest), 'B'), newBank())
	require.ErrorContains(t, err, "something follows")
	_, err = check(t, append(slices.Clone(honest), honest[len(exportMagic):]...), newBank())
	require.ErrorContains(t, err, "something follows")
	huge := append(slices.Clone(honest[:len(exportMagic)]), 'B', 0xff, 0xff, 0xff, 0xff)
	_, err = check(t, huge, newBank())
	require.ErrorContains(t, err, "the most is 1048576")
}

// Every byte of an export counts: the signatures pin all but a place for one that
// proves nothing, which is absent.
func TestAChangedByteDoesNotPass(t *testing.T) {
	const seed = 7
	honest := exported(t, genuine(t, 4), 1)
	chance := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		bad := bytes.Clone(honest)
		i := chance.IntN(len(bad))
		bad[i] ^= byte(1 + chance.IntN(255))
		_, err := check(t, bad, newBank())
		require.Error(t, err, "seed %d byte %d", seed, i)
	}
}

func TestAMachineOfOtherRulesIsFoundAtTheNextBlock(t *testing.T) {
	honest := exported(t, genuine(t, 4), 1)
	for name, bend := range map[string]func(*curation.Outcome){
		"state":                func(o *curation.Outcome) { o.AppHash[31] ^= 1 },
		"results":              func(o *curation.Outcome) { o.Results = append(o.Results[:0:0], curation.TxResult{Code: 9}) },
		"next validators":      func(o *curation.Outcome) { o.Validators = []curation.Validator{{PublicKey: [32]byte{1}, Power: 1}} },
		"running it: 0 result": func(o *curation.Outcome) { o.Results = nil },
		"running it: validat":  func(o *curation.Outcome) { o.Validators = []curation.Validator{{Power: -1}} },
		"running it: change":   func(o *curation.Outcome) { o.Validators = []curation.Validator{{PublicKey: [32]byte{1}, Power: 0}} },
	} {
		_, err := check(t, honest, &liar{newBank(), 2, bend})
		require.ErrorIs(t, err, ErrReplay)
		require.ErrorContains(t, err, name)
	}
}

// CometBFT's own check of a block takes every block that ours takes: it is run over an
// export, on the state that it would have by itself.
func TestWhatHoldsHoldsForConsensusToo(t *testing.T) {
	c := takeApart(t, exported(t, genuine(t, 4), 1))
	app := newBank()
	out, err := app.Genesis(c.genesis)
	require.NoError(t, err)
	set, err := applyValidators(nil, out.Validators)
	require.NoError(t, err)
	doc, err := genesisDoc(c.genesis, set)
	require.NoError(t, err)
	st, err := state.MakeGenesisState(doc)
	require.NoError(t, err)
	ours, err := newChain(c.genesis, out)
	require.NoError(t, err)
	st.Version.Consensus.App, st.AppHash, st.LastResultsHash = appVersion, ours.app, ours.results
	states := state.NewStore(db.NewMemDB(), state.StoreOptions{})
	executor := state.NewBlockExecutor(states, log.NewNopLogger(), nil, nil, state.EmptyEvidencePool{}, nil)
	for _, b := range c.blocks {
		require.NoError(t, executor.ValidateBlock(st, b), "block %d", b.Height)
		out, err := app.Execute(curation.Block{Height: uint64(b.Height), Txs: b.Txs.ToSliceOfBytes()})
		require.NoError(t, err)
		app.Commit()
		parts, err := b.MakePartSet(types.BlockPartSizeBytes)
		require.NoError(t, err)
		id := types.BlockID{Hash: b.Hash(), PartSetHeader: parts.Header()}
		require.NoError(t, ours.advance(id, b.Time, out))
		st.LastBlockHeight, st.LastBlockID, st.LastBlockTime = b.Height, id, b.Time
		st.LastValidators, st.Validators, st.NextValidators = st.Validators, st.NextValidators, ours.next
		st.AppHash, st.LastResultsHash = ours.app, ours.results
	}
}

func TestContinuingAnExport(t *testing.T) {
	d := genuine(t, 4)
	early := exported(t, d, 1)
	require.NoError(t, d.Step(4))
	whole := exported(t, d, 1)
	height := d.Status().Height
	for left := 0; left <= len(early)-len(exportMagic)-5-len(d.document); left += 11 {
		cut := len(early) - left
		end, err := EndOfExport(bytes.NewReader(early[:cut]))
		if err != nil {
			require.ErrorIs(t, err, ErrExport)
			continue
		}
		require.Equal(t, cut == len(early), end.Whole)
		var out bytes.Buffer
		out.Write(early[:end.Offset])
		var heights []uint64
		end, err = CopyExport(t.Context(), &out, bytes.NewReader(exported(t, d, end.Height+1)), end, func(h uint64) { heights = append(heights, h) })
		require.NoError(t, err, "cut at %d", cut)
		require.Equal(t, whole, out.Bytes(), "cut at %d", cut)
		require.Equal(t, height, end.Height)
		require.Equal(t, height, heights[len(heights)-1])
	}
	t.Run("with nothing new", func(t *testing.T) {
		end, err := EndOfExport(bytes.NewReader(whole))
		require.NoError(t, err)
		out := bytes.NewBuffer(bytes.Clone(whole[:end.Offset]))
		_, err = CopyExport(t.Context(), out, bytes.NewReader(exported(t, d, end.Height+1)), end, nil)
		require.NoError(t, err)
		require.Equal(t, whole, out.Bytes())
		_, err = d.Export(end.Height + 2)
		require.ErrorIs(t, err, ErrHeight)
	})
	t.Run("with another ledger", func(t *testing.T) {
		end, err := EndOfExport(bytes.NewReader(early))
		require.NoError(t, err)
		another := genuine(t, 5)
		require.NoError(t, another.Step(4))
		_, err = CopyExport(t.Context(), io.Discard, bytes.NewReader(exported(t, another, end.Height+1)), end, nil)
		require.ErrorContains(t, err, "follows another block")
		_, err = CopyExport(t.Context(), io.Discard, bytes.NewReader(exported(t, another, end.Height)), end, nil)
		require.ErrorContains(t, err, "after block")
		_, err = CopyExport(t.Context(), io.Discard, bytes.NewReader(early), end, nil)
		require.ErrorIs(t, err, ErrExport)
	})
	t.Run("with an answer that breaks off", func(t *testing.T) {
		end, err := EndOfExport(bytes.NewReader(early))
		require.NoError(t, err)
		rest := exported(t, d, end.Height+1)
		for cut := range len(rest) {
			_, err := CopyExport(t.Context(), io.Discard, bytes.NewReader(rest[:cut]), end, nil)
			require.ErrorIs(t, err, ErrExport, "cut at %d", cut)
		}
	})
	t.Run("that ends with ctx", func(t *testing.T) {
		_, err := CopyExport(canceled(), io.Discard, bytes.NewReader(whole), ExportEnd{}, nil)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, CheckExport(canceled(), bytes.NewReader(whole), newBank(), func([]byte, []curation.Validator) error { return nil }, nil), context.Canceled)
		x, err := d.Export(1)
		require.NoError(t, err)
		require.ErrorIs(t, x.Write(canceled(), io.Discard), context.Canceled)
	})
}

func TestADirectLedgerSignsOnlyWithEnoughValidators(t *testing.T) {
	d := directOn(t, DirectConfig{Genesis: signedGenesis(t, 4), Apps: []Application{newBank()}, Sign: signAll(3)})
	require.NoError(t, d.Step(3))
	last, err := check(t, exported(t, d, 1), newBank())
	require.NoError(t, err)
	require.Equal(t, 3, last.Signers)
	require.Equal(t, 4, last.Of)
	d = directOn(t, DirectConfig{Genesis: signedGenesis(t, 3), Apps: []Application{newBank()}, Sign: signAll(1)})
	require.ErrorContains(t, d.Step(1), "too few validators")
	_, err = d.Export(1)
	require.ErrorIs(t, err, ErrHeight)
	_, err = direct(t, newBank()).Export(1)
	require.ErrorContains(t, err, "not signed")
}

func FuzzCheckExport(f *testing.F) {
	small := func(n int, blocks int) []byte {
		d := directOn(f, DirectConfig{Genesis: signedGenesis(f, n), Apps: []Application{newBank()}, Sign: signAll()})
		_, err := d.Submit(context.Background(), write("a", "b"))
		require.NoError(f, err)
		require.NoError(f, d.Step(blocks))
		return exported(f, d, 1)
	}
	f.Add(small(1, 0))
	f.Add(small(2, 2))
	f.Add([]byte(exportMagic + "G\x00\x00\x00\x02{}"))
	f.Add([]byte(exportMagic + "B\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, in []byte) {
		_ = CheckExport(context.Background(), bytes.NewReader(in), newBank(), func([]byte, []curation.Validator) error { return nil }, func(Checked) error { return nil })
		if end, err := EndOfExport(bytes.NewReader(in)); err == nil {
			require.LessOrEqual(t, end.Offset, int64(len(in)))
		}
		_, _ = CopyExport(context.Background(), io.Discard, bytes.NewReader(in), ExportEnd{}, nil)
	})
}

// The size that matters is the number of validators: each block has a signature of
// each. Blocks without transactions are most of a ledger's.
func BenchmarkCheckExport(b *testing.B) {
	for _, n := range []int{1, 4, 16} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			const blocks = 200
			genesis := bankGenesis{}
			keys := map[[32]byte]ed25519.PrivateKey{}
			for i := range n {
				k := seedKey('v', i)
				keys[[32]byte(k.Public().(ed25519.PublicKey))] = k
				genesis.Validators = append(genesis.Validators, hex.EncodeToString(k.Public().(ed25519.PublicKey)))
			}
			doc, err := json.Marshal(genesis)
			require.NoError(b, err)
			d := directOn(b, DirectConfig{Genesis: doc, Apps: []Application{newBank()}, Sign: func(v [32]byte, m []byte) []byte { return ed25519.Sign(keys[v], m) }})
			require.NoError(b, d.Step(blocks))
			export := exported(b, d, 1)
			for b.Loop() {
				_, err := check(b, export, newBank())
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N*blocks)/b.Elapsed().Seconds(), "blocks/s")
			b.ReportMetric(float64(len(export))/blocks, "B/block")
		})
	}
}
