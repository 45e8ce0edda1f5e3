package curation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

func TestCheckTellsWhyATransactionWouldNotDo(t *testing.T) {
	w := ready(t)
	m := w.replicas[0]
	rid := w.requested("alice", "one")
	certificate := w.certificateFor(rid, 1, 2, 3)
	send := func(name string, nonce uint64, amount Amount) []byte {
		return w.sign(name, nonce, Send{To: addressOf("bob"), Amount: amount})
	}
	foreign, err := Sign(testKey("alice"), Hash{7}, Body{Nonce: 1, ValidUntil: 1000, Payload: Send{To: addressOf("bob"), Amount: curve.Credits(1)}})
	require.NoError(t, err)
	stale, err := Sign(testKey("alice"), w.chain, Body{Nonce: 1, ValidUntil: w.height, Payload: Send{To: addressOf("bob"), Amount: curve.Credits(1)}})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		tx   []byte
		code Code
	}{
		"a good one":                         {send("alice", 1, curve.Credits(1)), CodeOK},
		"one that waits for another":         {send("alice", 5, curve.Credits(5000)), CodeOK},
		"noise":                              {[]byte("noise"), CodeMalformed},
		"signed for another chain":           {foreign, CodeSignature},
		"a used nonce":                       {send("alice", 0, curve.Credits(1)), CodeNonce},
		"a nonce too far ahead":              {send("alice", 1+MaxPending, curve.Credits(1)), CodeNonce},
		"one that has expired":               {stale, CodeExpired},
		"an account without credits":         {send("nobody", 0, curve.Credits(1)), CodeFunds},
		"more than the balance":              {send("alice", 1, curve.Credits(5000)), CodeFunds},
		"a request for another model":        {w.sign("bob", 0, Request{Prompt: "x", ModelID: Hash{1}}), CodeUnknown},
		"a sale of what one does not hold":   {w.sign("bob", 0, Sell{RID: rid, Tokens: curve.Credits(1)}), CodeUnknown},
		"a member's kind from an outsider":   {w.sign("bob", 0, w.refill(1, 1)), CodeNotMember},
		"a certificate that is wanted":       {w.sign("m1", w.nonce("m1"), certificate), CodeOK},
		"a member's far ahead, in its quota": {w.sign("m2", w.nonce("m2")+testParams().MemberQuota-1, w.refill(2, 1)), CodeOK},
	} {
		t.Run(name, func(t *testing.T) {
			r := m.Check(c.tx)
			require.Equal(t, c.code, r.Code, r.Log)
		})
	}
	before := view(w, View.AppHash)
	require.Equal(t, before, view(w, View.AppHash), "checking changes nothing")
	w.must("m1", certificate)
	require.Equal(t, CodeDuplicate, m.Check(w.sign("m2", w.nonce("m2"), certificate)).Code)
}

func TestProposalsPutProtocolTransactionsFirstAndLeaveOutWhatCannotSucceed(t *testing.T) {
	w := ready(t)
	m := w.replicas[0]
	send := func(name string, nonce uint64) []byte {
		return w.sign(name, nonce, Send{To: addressOf("bob"), Amount: curve.NewAmount(1)})
	}
	n1, n2 := w.nonce("m1"), w.nonce("m2")
	w.must("alice", Send{To: addressOf("m1"), Amount: curve.Credits(1)})
	a1, a2, a3, b0 := send("alice", 1), send("alice", 2), send("alice", 3), send("bob", 0)
	p1, p2, s2, p3 := w.sign("m1", n1, w.refill(1, 1)), w.sign("m2", n2, w.refill(2, 1)), send("m1", n1+1), w.sign("m1", n1+2, w.refill(1, 1))
	pool := [][]byte{a2, []byte("noise"), b0, send("alice", 7), send("alice", 0), p3, a1, p2, s2, send("nobody", 0), p1, a3, a1}
	chosen := m.Prepare(w.height+1, pool, 1<<20)
	require.Equal(t, [][]byte{p1, p2, a1, b0, s2, a2, p3, a3}, chosen)
	require.True(t, m.Process(Block{Height: w.height + 1, Txs: chosen}))
	for _, r := range w.block(chosen...).Results {
		require.Equal(t, CodeOK, r.Code, r.Log)
	}
}

func TestProposalsKeepToTheirSize(t *testing.T) {
	w := ready(t)
	m := w.replicas[0]
	var pool [][]byte
	for i := range uint64(10) {
		for _, name := range []string{"alice", "bob"} {
			pool = append(pool, w.sign(name, i, Send{To: addressOf("carol"), Amount: curve.NewAmount(1)}))
		}
	}
	one := wireSize(len(pool[0]))
	chosen := m.Prepare(w.height+1, pool, one*7+one/2)
	require.Len(t, chosen, 7)
	require.Equal(t, pool[:7], chosen, "accounts take turns")
	require.Empty(t, m.Prepare(w.height+1, pool, one-1))
	require.Equal(t, int64(2+100), wireSize(100))
	require.Equal(t, int64(3+200), wireSize(200))
	require.Equal(t, int64(4+65536), wireSize(65536))
}

func TestProposalsOfAMemberAboveItsQuotaAreRefused(t *testing.T) {
	w := ready(t)
	m := w.replicas[0]
	var pool [][]byte
	for i := range testParams().MemberQuota + 1 {
		pool = append(pool, w.sign("m1", w.nonce("m1")+i, w.refill(1, 1)))
	}
	require.Len(t, m.Prepare(w.height+1, pool, 1<<20), int(testParams().MemberQuota))
	require.True(t, m.Process(Block{Height: w.height + 1, Txs: pool[:len(pool)-1]}))
	require.False(t, m.Process(Block{Height: w.height + 1, Txs: pool}))
	results := w.block(pool...).Results // a block that others agreed on all the same
	require.Equal(t, CodeLimit, results[len(results)-1].Code)
	require.Equal(t, CodeOK, results[len(results)-2].Code)
}

func TestProposalsWithABadTransactionAreRefused(t *testing.T) {
	w := ready(t)
	m := w.replicas[0]
	good := w.sign("alice", 0, Send{To: addressOf("bob"), Amount: curve.Credits(1)})
	next := w.sign("alice", 1, Send{To: addressOf("bob"), Amount: curve.Credits(1)})
	foreign, err := Sign(testKey("alice"), Hash{7}, Body{ValidUntil: 1000, Payload: Send{To: addressOf("bob"), Amount: curve.Credits(1)}})
	require.NoError(t, err)
	require.True(t, m.Process(Block{Height: w.height + 1, Txs: [][]byte{good, next}}))
	require.True(t, m.Process(Block{Height: w.height + 1}))
	for name, txs := range map[string][][]byte{
		"noise":                {good, []byte("noise")},
		"another chain":        {foreign},
		"a nonce out of order": {next, good},
		"the same one twice":   {good, good},
	} {
		require.False(t, m.Process(Block{Height: w.height + 1, Txs: txs}), name)
	}
	require.False(t, m.Process(Block{Height: w.height + 1000, Txs: [][]byte{good}}), "expired")
}

func TestProposalsLeaveOutWhatAnAccountCouldNotPay(t *testing.T) {
	c := curve.Credits
	w, rids := backingWorld(t) // alice, bob and carol have asked for a picture each
	m := w.replicas[0]
	for name, spend := range map[string]Payload{
		"dave":  Send{To: addressOf("bob"), Amount: c(998)},
		"alice": w.backing("alice", 1, rids[0], c(898), c(898), Amount{}),
	} {
		n := w.nonce(name)
		first := w.sign(name, n, spend)
		follower := w.sign(name, n+1, Send{To: addressOf("bob"), Amount: c(2)})
		require.Equal(t, [][]byte{first}, m.Prepare(w.height+1, [][]byte{first, follower}, 1<<20), name)
		require.True(t, m.Process(Block{Height: w.height + 1, Txs: [][]byte{first}}), name)
		require.False(t, m.Process(Block{Height: w.height + 1, Txs: [][]byte{first, follower}}), "%s: space for nothing", name)
		small := w.sign(name, n+1, Send{To: addressOf("bob"), Amount: curve.NewAmount(1)})
		require.Len(t, m.Prepare(w.height+1, [][]byte{first, small}, 1<<20), 2, name)
	}
	w.must("bob", Send{To: addressOf("dave"), Amount: c(800)})
	n := w.nonce("bob") // 99 credits and some are left: less than a request's deposit
	require.Empty(t, m.Prepare(w.height+1, [][]byte{w.sign("bob", n, Request{Prompt: "x", ModelID: w.modelID()})}, 1<<20))
	require.Empty(t, m.Prepare(w.height+1, [][]byte{w.sign("nobody", 0, Send{To: addressOf("bob"), Amount: c(1)})}, 1<<20))
}

func TestWhoCannotPayTheFeeLosesWhatIsLeftAndTheNonce(t *testing.T) {
	w := ready(t)
	account := func(name string) Account { return view(w, func(v View) Account { return v.Account(addressOf(name)) }) }
	rest := curve.NewAmount(600_000) // a transfer costs 1,000,000
	fee := testParams().Fees.Send
	w.must("alice", Send{To: addressOf("bob"), Amount: account("alice").Balance.Sub(fee).Sub(rest)})
	before := view(w, View.Treasury)
	raw := w.sign("alice", w.nonce("alice"), Send{To: addressOf("bob"), Amount: curve.NewAmount(1)})
	require.False(t, w.replicas[0].Process(Block{Height: w.height + 1, Txs: [][]byte{raw}}))
	require.Equal(t, CodeFunds, w.block(raw).Results[0].Code) // a block that others agreed on all the same
	require.True(t, account("alice").Balance.IsZero())
	require.Equal(t, before.Fees.Add(rest), view(w, View.Treasury).Fees)
	require.Equal(t, CodeNonce, w.block(raw).Results[0].Code, "the same bytes are used up")

	stranger := w.block(w.sign("nobody", 0, Send{To: addressOf("bob"), Amount: curve.NewAmount(1)}))
	require.Equal(t, CodeFunds, stranger.Results[0].Code)
	require.Empty(t, stranger.Changes, "strangers do not fill the state")
}

func TestOneTransactionWaitsUnderEachNonce(t *testing.T) {
	w := ready(t)
	m := w.replicas[0]
	check := func(nonce, amount uint64) Code {
		return m.Check(w.sign("alice", nonce, Send{To: addressOf("bob"), Amount: curve.NewAmount(amount)})).Code
	}
	for n := range uint64(MaxPending) {
		require.Equal(t, CodeOK, check(n, 1))
		require.Equal(t, CodeOK, check(n, 1), "the same one again")
	}
	for n := range uint64(MaxPending) {
		require.Equal(t, CodeNonce, check(n, 2), "nonce %d", n)
	}
	require.Equal(t, CodeOK, m.Check(w.sign("bob", 1, Send{To: addressOf("alice"), Amount: curve.NewAmount(1)})).Code)
	w.wait(int(m.patience()) - 1)
	require.Equal(t, CodeNonce, check(5, 2), "the first one may still be there")
	w.block()
	require.Equal(t, CodeOK, check(5, 2), "the first one is gone")
}
