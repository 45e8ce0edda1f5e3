package curation

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atelier-dao/atelier/curation/curve"
)

// The pool of consensus as a member's node has it: first in, first out, of limited
// size. A proposer is shown what came first, as much as fits into a block; what it
// leaves out twice although there was room is dropped.
const (
	poolTxs   = 5000
	poolBytes = 64 << 20
	blockRoom = 1<<20 - 64<<10 // beside header, votes and evidence
)

type testPool struct {
	machine *Machine
	txs     [][]byte
	bytes   int
	have    map[string]bool
	leftOut map[string]bool
}

func newTestPool(m *Machine) *testPool {
	return &testPool{machine: m, have: map[string]bool{}, leftOut: map[string]bool{}}
}

// offer is what a peer or a client sends.
func (p *testPool) offer(t testing.TB, raw []byte) TxResult {
	t.Helper()
	r := p.machine.Check(raw)
	if r.Code != CodeOK || p.have[string(raw)] {
		return r
	}
	require.Less(t, len(p.txs), poolTxs, "the rules let more in than the pool holds")
	p.txs, p.bytes, p.have[string(raw)] = append(p.txs, raw), p.bytes+len(raw), true
	require.LessOrEqual(t, p.bytes, poolBytes, "the rules let more in than the pool holds")
	return r
}

// propose is a turn of this node: what of the pool goes into the next block.
func (p *testPool) propose(height uint64) [][]byte {
	var shown [][]byte
	room := int64(blockRoom)
	for _, raw := range p.txs {
		if room -= wireSize(len(raw)); room < 0 {
			break
		}
		shown = append(shown, raw)
	}
	chosen := p.machine.Prepare(height, shown, blockRoom)
	left := map[string]bool{}
	for _, raw := range shown {
		if !slices.ContainsFunc(chosen, func(c []byte) bool { return string(c) == string(raw) }) {
			left[string(raw)] = true
		}
	}
	var twice [][]byte
	for _, raw := range p.txs {
		if left[string(raw)] && p.leftOut[string(raw)] {
			twice = append(twice, raw)
		}
	}
	p.leftOut = left
	p.remove(twice)
	return chosen
}

func (p *testPool) remove(txs [][]byte) {
	gone := map[string]bool{}
	for _, raw := range txs {
		gone[string(raw)] = true
		delete(p.have, string(raw))
	}
	p.txs = slices.DeleteFunc(p.txs, func(raw []byte) bool {
		if gone[string(raw)] {
			p.bytes -= len(raw)
		}
		return gone[string(raw)]
	})
}

// fund gives many accounts a little: enough for the fees of all that may wait.
func (w *world) fund(n int) (names []string) {
	var txs [][]byte
	nonce := w.nonce("alice")
	for i := range n {
		name := fmt.Sprintf("cheap %d", i)
		names = append(names, name)
		txs = append(txs, w.sign("alice", nonce+uint64(i), Send{To: addressOf(name), Amount: curve.NewAmount(40_000_000)}))
	}
	for _, r := range w.block(txs...).Results {
		require.Equal(w.t, CodeOK, r.Code, r.Log)
	}
	return names
}

// flood offers everything that an account might put into the pool but what continues
// its nonces, and says how much of it got in.
func (w *world) flood(p *testPool, names []string, salt uint64) (admitted int) {
	for _, name := range names {
		first := w.nonce(name)
		for n := uint64(1); n <= MaxPending+1; n++ {
			if p.offer(w.t, w.sign(name, first+n, Send{To: addressOf("bob"), Amount: curve.NewAmount(1 + salt)})).Code == CodeOK {
				admitted++
			}
		}
	}
	return admitted
}

func TestAFloodOfTransactionsFromTheFutureKeepsNoMemberOut(t *testing.T) {
	w := ready(t)
	names := w.fund(160) // 2560 transactions at a time: more than all public room
	p := newTestPool(w.replicas[0])
	for turn := range uint64(4) {
		admitted := w.flood(p, names, turn)
		require.Less(t, admitted, 1000, "a quarter of the public room holds that many")
		if turn == 0 {
			require.Greater(t, admitted, 400)
			one := w.sign(names[len(names)-1], w.nonce(names[len(names)-1])+1, Send{To: addressOf("bob"), Amount: curve.NewAmount(9)})
			r := p.offer(t, one)
			require.Equal(t, CodeBusy, r.Code)
			require.Contains(t, r.Log, "after the one before it is in a block")
		}
		var protocol [][]byte
		for i := uint32(1); i <= 4; i++ {
			raw := w.sign(memberName(i), w.nonce(memberName(i)), w.refill(i, 1))
			r := p.offer(t, raw)
			require.Equal(t, CodeOK, r.Code, "member %d in turn %d: %s", i, turn, r.Log)
			protocol = append(protocol, raw)
		}
		honest := w.sign("carol", w.nonce("carol"), Send{To: addressOf("bob"), Amount: curve.NewAmount(1)})
		require.Equal(t, CodeOK, p.offer(t, honest).Code, "who pays finds room too")
		block := p.propose(w.height + 1)
		for _, raw := range append(protocol, honest) {
			require.Contains(t, block, raw, "turn %d", turn)
		}
		for _, r := range w.block(block...).Results {
			require.Equal(t, CodeOK, r.Code, r.Log)
		}
		p.remove(block)
		w.wait(3) // the turns of the other members, who have seen none of the flood
	}
}

func TestAFloodThatPaysLeavesRoomForMembers(t *testing.T) {
	w := ready(t)
	names := w.fund(240)
	p := newTestPool(w.replicas[0])
	full := false
	for n := range uint64(MaxPending) {
		for _, name := range names {
			if r := p.offer(t, w.sign(name, w.nonce(name)+n, Send{To: addressOf("bob"), Amount: curve.NewAmount(1)})); r.Code != CodeOK {
				require.Equal(t, CodeBusy, r.Code, r.Log)
				full = true
			}
		}
	}
	require.True(t, full)
	require.LessOrEqual(t, p.bytes, publicRoom)
	raw := w.sign("m1", w.nonce("m1"), w.refill(1, 1))
	require.Equal(t, CodeOK, p.offer(t, raw).Code)
	block := p.propose(w.height + 1)
	require.Equal(t, raw, block[0], "the last to come is the first in the block")
	waited := len(p.txs)
	for _, r := range w.block(block...).Results {
		require.Equal(t, CodeOK, r.Code, "every one of them pays: %s", r.Log)
	}
	require.Len(t, block, waited, "one block takes all that waits")
	p.remove(block)
	require.Equal(t, CodeOK, p.offer(t, w.sign("carol", w.nonce("carol"), Send{To: addressOf("bob"), Amount: curve.NewAmount(1)})).Code)
}

func TestCreditsThatAreSpentTwiceWaitAmongTheEarly(t *testing.T) {
	w := ready(t)
	names := w.fund(100)
	p := newTestPool(w.replicas[0])
	for _, name := range names {
		all := view(w, func(v View) Amount { return v.Account(addressOf(name)).Balance }).Sub(testParams().Fees.Send)
		for n := range uint64(MaxPending) {
			amount := curve.NewAmount(1)
			if n == 0 { // it leaves nothing for those behind it
				amount = all
			}
			p.offer(t, w.sign(name, w.nonce(name)+n, Send{To: addressOf("bob"), Amount: amount}))
		}
	}
	block := p.propose(w.height + 1)
	paying := 0
	for _, raw := range block {
		paying += len(raw)
	}
	require.Len(t, block, len(names))
	require.LessOrEqual(t, p.bytes-paying, publicRoom/earlyPart, "what nobody will pay for")
}

func TestAMemberCannotFillTheRoomOfAnother(t *testing.T) {
	w := ready(t)
	p := newTestPool(w.replicas[0])
	large := func(i uint64) Payload { // judged in the block only
		return CeremonyMessage{Epoch: 1, Message: 1, Data: slices.Repeat([]byte{byte(i)}, 20<<10)}
	}
	admitted := 0
	for i := range testParams().MemberQuota * 2 {
		r := p.offer(t, w.sign("m1", w.nonce("m1")+i, large(i)))
		if r.Code == CodeOK {
			admitted++
		}
	}
	require.Equal(t, 5, admitted, "104 KiB are a member's of four")
	require.Equal(t, CodeOK, p.offer(t, w.sign("m2", w.nonce("m2"), large(0))).Code)
	require.Equal(t, CodeOK, p.offer(t, w.sign("m3", w.nonce("m3")+1, large(0))).Code, "one may come early")
	require.Equal(t, CodeBusy, p.offer(t, w.sign("m3", w.nonce("m3")+2, large(0))).Code, "not all of them")
	require.Equal(t, CodeOK, p.offer(t, w.sign("m3", w.nonce("m3"), large(0))).Code)
	require.Equal(t, CodeOK, p.offer(t, w.sign("m3", w.nonce("m3")+2, large(0))).Code, "now nothing is missing before it")
	require.Equal(t, CodeOK, p.offer(t, w.sign("m4", w.nonce("m4"), CeremonyMessage{Epoch: 1, Message: 1, Data: make([]byte, MaxCeremonyData)})).Code, "the largest fits")
	p.propose(w.height + 1)
	require.LessOrEqual(t, wireSize(p.bytes)+int64(4*len(p.txs)), int64(blockRoom), "a proposer sees all of it")
}

func TestTheBalanceHasToPayTheFeesOfAllThatWait(t *testing.T) {
	w := ready(t)
	w.must("alice", Send{To: addressOf("poor"), Amount: curve.NewAmount(3_500_000)}) // three fees and a half
	m := w.replicas[0]
	send := func(nonce uint64) TxResult {
		return m.Check(w.sign("poor", nonce, Send{To: addressOf("bob"), Amount: curve.NewAmount(1)}))
	}
	for _, nonce := range []uint64{5, 0, 9} {
		require.Equal(t, CodeOK, send(nonce).Code)
	}
	r := send(1)
	require.Equal(t, CodeFunds, r.Code)
	require.Equal(t, "balance is 0.0035 credits, which does not pay the fees of the account's 4 transactions that would wait: wait for the next block", r.Log)
}

func TestEverythingThatWaitsFitsIntoThePool(t *testing.T) {
	w := ready(t)
	smallest := len(w.sign("alice", 0, Send{To: addressOf("bob"), Amount: curve.NewAmount(1)}))
	m := &Machine{byAccount: map[Address]uint32{}}
	for n := 1; n <= MaxMembers; n++ {
		m.byAccount[addressOf(memberName(uint32(n)))] = uint32(n)
		require.GreaterOrEqual(t, m.memberRoom(), MaxTxBytes, "a member's largest transaction has room")
		total := publicRoom + n*m.memberRoom()
		require.LessOrEqual(t, total, poolBytes)
		if n <= 6 {
			require.LessOrEqual(t, int64(total)+int64(4*total/smallest), int64(blockRoom), "%d members", n)
		}
		require.LessOrEqual(t, publicRoom/smallest+n*(membersTxs/n), poolTxs)
		require.GreaterOrEqual(t, membersTxs/n, 10, "a member's usual ones have room")
	}
}

// Whatever comes in whatever order, the sums are those of the lines, no room is
// overdrawn, and what is never put into a block is forgotten.
func TestWhatWaitsIsAlwaysCountedRight(t *testing.T) {
	base := ready(t)
	var pool [][]byte
	for _, name := range append([]string{"m1", "m2"}, collectors...) {
		first := base.nonce(name)
		for n := range uint64(MaxPending + 2) {
			pool = append(pool, base.sign(name, first+n, Send{To: addressOf("bob"), Amount: curve.Credits(50 * (n%3 + 1))}))
			if name[0] == 'm' {
				pool = append(pool, base.sign(name, first+n, Prekeys{From: n, Points: [][32]byte{{1}}}))
			}
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		w := ready(t)
		m := w.replicas[0]
		rt.Repeat(map[string]func(*rapid.T){
			"check": func(rt *rapid.T) { m.Check(rapid.SampledFrom(pool).Draw(rt, "transaction")) },
			"block": func(rt *rapid.T) {
				w.block(m.Prepare(w.height+1, rapid.SliceOfN(rapid.SampledFrom(pool), 0, 5).Draw(rt, "block"), 1<<20)...)
			},
			"": func(rt *rapid.T) {
				var sum use
				for signer, l := range m.waiting.lines {
					acc := account(m.store, signer)
					public, protocol, paid := m.reckon(acc, l)
					sum = sum.add(public)
					require.NotEmpty(rt, l)
					require.LessOrEqual(rt, protocol.all, m.memberRoom())
					require.True(rt, paid || acc.Nonce > 0)
					for nonce, s := range l {
						require.GreaterOrEqual(rt, nonce, acc.Nonce)
						require.Less(rt, nonce, acc.Nonce+m.ahead(signer))
						require.Greater(rt, s.since+m.patience(), m.height)
					}
				}
				require.Equal(rt, sum, m.waiting.public)
				require.LessOrEqual(rt, sum.all, publicRoom)
			},
		})
		w.wait(int(m.patience()))
		require.Empty(rt, m.waiting.lines)
		require.Zero(rt, m.waiting.public)
	})
}
