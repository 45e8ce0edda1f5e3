package curation

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

func TestRecordsAreProvenUnderTheAppHash(t *testing.T) {
	w := ready(t)
	rid := w.requested("alice", "one")
	for name, p := range map[string]Proven{
		"artwork":   view(w, func(v View) Proven { return v.ProveArtwork(rid) }),
		"account":   view(w, func(v View) Proven { return v.ProveAccount(addressOf("alice")) }),
		"model":     view(w, func(v View) Proven { return v.ProveModel(1) }),
		"committee": view(w, View.ProveCommittee),
	} {
		require.NotEmpty(t, p.Value, name)
		require.NoError(t, p.Verify(), name)
		raw, err := p.Proof.MarshalBinary()
		require.NoError(t, err)
		require.Less(t, len(raw), 1024, name)
	}
	p := view(w, func(v View) Proven { return v.ProveArtwork(rid) })
	a, err := DecodeArtwork(p.Value)
	require.NoError(t, err)
	require.Equal(t, w.artwork(rid), a)
	_, err = DecodeArtwork(p.Value[1:])
	require.ErrorIs(t, err, ErrEncoding)
	model, err := DecodeModel(view(w, func(v View) Proven { return v.ProveModel(1) }).Value)
	require.NoError(t, err)
	require.Equal(t, w.modelID(), model.ID)
	p.Value[5] ^= 1
	require.Error(t, p.Verify())
	absent := view(w, func(v View) Proven { return v.ProveArtwork(Hash{1}) })
	require.Nil(t, absent.Value)
	require.NoError(t, absent.Verify())
	market := view(w, func(v View) Proven { return v.ProveMarket(rid) })
	require.Nil(t, market.Value, "not published yet")
	require.NoError(t, market.Verify())
}

func TestArtworksAreListedByFilter(t *testing.T) {
	w := ready(t)
	r1, r2 := w.requested("alice", "one"), w.requested("bob", "two")
	r3 := w.candidate("alice", "three")
	rids := func(f Filter) (all []Hash) {
		for _, a := range view(w, func(v View) []Artwork { return v.Artworks(f) }) {
			all = append(all, a.RID)
		}
		return all
	}
	alice := addressOf("alice")
	require.Equal(t, []Hash{r1, r2, r3}, rids(Filter{}))
	require.Equal(t, []Hash{r3, r2}, rids(Filter{Newest: true, Limit: 2}))
	require.Equal(t, []Hash{r1, r3}, rids(Filter{Requester: &alice}))
	require.Equal(t, []Hash{r3}, rids(Filter{Status: []Status{StatusCandidate, StatusPublished}}))
	require.Empty(t, rids(Filter{Round: 1}))
	byCID := view(w, func(v View) Artwork { a, _ := v.ArtworkByCID(folder(r3)); return a })
	require.Equal(t, r3, byCID.RID)
	require.Equal(t, Artwork{}, view(w, func(v View) Artwork { a, _ := v.ArtworkByCID(testCID); return a }))
	network := view(w, View.Network)
	require.Equal(t, map[Status]int{StatusRequested: 2, StatusCandidate: 1}, network.Artworks)
	require.Equal(t, curve.Credits(4000), network.Supply)
	require.Len(t, network.Members, 4)
	require.Equal(t, uint64(5), network.Members[0].Prekeys())
	require.Len(t, view(w, func(v View) []Hash { return v.Prekeys(1) }), 5)
	m2 := view(w, func(v View) Member { m, _ := v.MemberOf(addressOf("m2")); return m })
	require.Equal(t, uint32(2), m2.Index)
	require.Equal(t, Member{}, view(w, func(v View) Member { m, _ := v.MemberOf(alice); return m }))
}

func TestViewsAndChecksRunBesideBlocks(t *testing.T) {
	w := ready(t)
	m := w.replicas[0]
	tx := w.sign("alice", 0, Send{To: addressOf("bob"), Amount: curve.Credits(1)})
	stop := beside(m, tx, func(v View) { v.Network(); v.CeremonyLog() })
	for i := range uint64(10) {
		w.block(w.sign("bob", i, Send{To: addressOf("carol"), Amount: curve.NewAmount(1)}))
	}
	stop()
}

// beside reads a machine's views and checks a transaction over and over, in two
// goroutines, until it is told to stop.
func beside(m *Machine, tx []byte, look func(View)) (stop func()) {
	end := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				_ = m.View(func(v View) error { look(v); return nil })
				m.Check(tx)
			}
		})
	}
	return func() { close(end); readers.Wait() }
}

func TestAChainReplaysFromItsGenesis(t *testing.T) {
	w := newWorld(t, 4, testParams())
	w.ceremony()
	w.must("m1", w.sealFor(1, "dusk"))
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.refill(i, 2))
	}
	w.requested("alice", "one")
	m := NewMachine()
	_, err := m.Genesis(w.doc)
	require.NoError(t, err)
	for _, block := range w.blocks {
		_, err := m.Execute(block)
		require.NoError(t, err)
		m.Commit()
	}
	require.NoError(t, m.View(func(v View) error {
		require.Equal(t, view(w, View.AppHash), v.AppHash())
		require.Equal(t, w.height, v.Height())
		return nil
	}))
}

func TestIdleBlocksLeaveTheStateAsItIs(t *testing.T) {
	w := ready(t)
	before := view(w, View.AppHash)
	outcome := w.block()
	require.Empty(t, outcome.Changes, "an engine that makes blocks on demand would never rest")
	require.Equal(t, before, Hash(outcome.AppHash))
}

func TestQuotesAreWhatTradesDo(t *testing.T) {
	p := testParams()
	q, err := QuoteBack(p, curve.Credits(100), curve.Credits(20))
	require.NoError(t, err)
	require.Equal(t, "19.4", q.Cost.Credits())
	require.Equal(t, "0.6", q.Tribute.Credits())
	market := Market{RatioPPM: p.ReserveRatioPPM, Supply: q.After.Supply, Locked: p.LockedSupply, Reserve: q.After.Reserve}
	back, err := QuoteSell(p, market, q.Tokens)
	require.NoError(t, err)
	require.True(t, back.Payout.Less(q.Cost), "a round trip costs the tributes")
	require.Equal(t, p.LockedSupply, back.After.Supply)
	_, err = QuoteSell(p, market, q.Tokens.Add(curve.NewAmount(1)))
	require.ErrorIs(t, err, curve.ErrNotEnoughSupply, "locked tokens are nobody's")
	p.ReserveRatioPPM = curve.PPM
	_, err = QuoteBack(p, curve.NewAmount(1), curve.MaxAmount)
	require.ErrorIs(t, err, curve.ErrOverflow)
}

func TestOneAccountCountsForItsCapOnly(t *testing.T) {
	p := testParams()
	p.IdentityCapPPM = 100_000
	x := &execution{machine: &Machine{genesis: Genesis{Params: p}}}
	whale := &candidate{costs: map[Address]Amount{{1}: curve.Credits(900)}, backing: curve.Credits(900)}
	crowd := &candidate{costs: map[Address]Amount{{2}: curve.Credits(50), {3}: curve.Credits(50)}, backing: curve.Credits(100), position: 1}
	candidates := []*candidate{whale, crowd}
	x.rank(candidates, curve.Credits(1000))
	require.Equal(t, []*candidate{crowd, whale}, candidates)
	require.InDelta(t, 100e9, amountFloat(whale.artwork.Score), 2e6, "as if it had paid a tenth of the round")
	require.InDelta(t, 200e9, amountFloat(crowd.artwork.Score), 2e6, "two of them")
}

func amountFloat(a Amount) float64 {
	n, _ := a.Uint64()
	return float64(n)
}

// BenchmarkExecute is a block of 1000 transfers among 10,000 accounts whose
// signatures were checked when they came into the pool.
func BenchmarkExecute(b *testing.B) {
	g := testGenesis(1, testParams())
	for i := range 10_000 {
		g.Balances = append(g.Balances, GenesisBalance{Account: Address(hash("account", number(uint64(i)))), Amount: curve.Credits(1)})
	}
	g.SortBalances()
	doc, err := g.Bytes()
	require.NoError(b, err)
	m := NewMachine()
	_, err = m.Genesis(doc)
	require.NoError(b, err)
	height, nonce := uint64(0), uint64(0)
	for b.Loop() {
		b.StopTimer()
		height++
		block := Block{Height: height}
		for i := range 1000 {
			name := collectors[i%4]
			raw, err := Sign(testKey(name), m.chain, Body{Nonce: nonce + uint64(i/4), ValidUntil: 1 << 40,
				Payload: Send{To: Address(hash("account", number(uint64(i)))), Amount: curve.NewAmount(1)}})
			require.NoError(b, err)
			m.open(raw)
			block.Txs = append(block.Txs, raw)
		}
		nonce += 250
		b.StartTimer()
		outcome, err := m.Execute(block)
		if err != nil || outcome.Results[999].Code != CodeOK {
			b.Fatal(err, outcome.Results[999].Log)
		}
		m.Commit()
	}
	b.ReportMetric(1000*float64(b.N)/b.Elapsed().Seconds(), "tx/s")
}

// BenchmarkSettle is the block that opens and settles a full round: 512 orders of
// one account for three candidates.
func BenchmarkSettle(b *testing.B) {
	p := testParams()
	p.MaxOrders, p.AccountOrders, p.BackBlocks = 512, 512, 2
	w := newWorld(b, 4, p)
	w.ceremony()
	w.must("m1", w.sealFor(1, "dusk"))
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.refill(i, 3))
	}
	rids := []Hash{w.candidate("alice", "1"), w.candidate("bob", "2"), w.candidate("carol", "3")}
	var txs [][]byte
	for i := range uint64(512) {
		deposit := curve.Credits(1).Add(curve.NewAmount(i))
		txs = append(txs, w.sign("dave", i, w.backing("dave", 1, rids[i%3], deposit, deposit, Amount{})))
	}
	for _, r := range w.block(txs...).Results {
		require.Equal(b, CodeOK, r.Code, r.Log)
	}
	w.block()
	txs = nil
	for i := uint32(1); i <= 3; i++ {
		txs = append(txs, w.sign(memberName(i), w.nonce(memberName(i)), w.opening(i, 1)))
	}
	m := w.replicas[0]
	for b.Loop() {
		outcome, err := m.Execute(Block{Height: w.height + 1, Txs: txs})
		if err != nil || outcome.Results[2].Code != CodeOK {
			b.Fatal(err, outcome.Results[2].Log)
		}
	}
}

func TestACopiedCIDDoesNotShutOutTheArtworkItBelongsTo(t *testing.T) {
	w := ready(t)
	honest, copied := w.requested("alice", "one"), w.requested("bob", "two")
	register := func(rid Hash) {
		w.must("m1", w.certificateFor(rid, 1, 2, 3))
		w.must(memberName(w.artwork(rid).Order[0]), Register{RID: rid, CID: folder(honest), PixelRoot: pixels(rid)})
	}
	attest := func(rid, root Hash) {
		w.must(memberName(w.artwork(rid).Auditors()[0]), Attest{RID: rid, PixelRoot: root})
	}
	byCID := func() Hash {
		return view(w, func(v View) Hash { a, _ := v.ArtworkByCID(folder(honest)); return a.RID })
	}
	register(copied)
	require.Equal(t, copied, byCID())
	register(honest)
	require.Equal(t, copied, byCID(), "of equals the first")
	attest(honest, pixels(honest))
	require.Equal(t, honest, byCID(), "it was audited")
	attest(copied, Hash{1})
	require.Equal(t, honest, byCID())
	require.Equal(t, StatusDisputed, w.artwork(copied).Status)
	require.Equal(t, StatusCandidate, w.artwork(honest).Status)
	require.Equal(t, Artwork{}, view(w, func(v View) Artwork { a, _ := v.ArtworkByCID(folder(honest)[:20]); return a }), "no prefix of one")

	rid := w.requested("carol", "three")
	w.must("m1", w.certificateFor(rid, 1, 2, 3))
	r := w.act(memberName(w.artwork(rid).Order[0]), Register{RID: rid, CID: view(w, func(v View) string { m, _ := v.Model(); return m.ContainerCID }), PixelRoot: pixels(rid)})
	require.Equal(t, CodeMalformed, r.Code, "a sealed model is no artwork")
}
