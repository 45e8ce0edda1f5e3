package curation

import (
	"crypto/sha256"
	"maps"
	"slices"
	"sync"
)

// Waiting for a block is free: fees are paid in it. So a pool has rules of entry, which
// every member applies to its own:
//
//   - of an account one transaction waits under each of its next MaxPending nonces,
//     and its balance pays the fees of all that wait;
//   - what is ready, which is what Prepare could put into the next block, fills half a
//     block at most; with what waits for something before it, a quarter of that;
//   - members' protocol transactions wait apart from it, each member's in a room of its
//     own, under the same two limits.
//
// So a flood is refused where it costs nobody else: one that will never be in a block
// finds a quarter of the room, one that will be pays for it, and neither meets what the
// members send. All rooms together are less than a block in a network of up to six,
// so a proposer sees all that waits; in a larger one it sees at least what came first.
const (
	publicRoom  = 512 << 10 // bytes for everybody's transactions
	membersRoom = 416 << 10 // bytes for the members' protocol transactions, in equal parts
	membersTxs  = 1500      // the most of these, in equal parts
	earlyPart   = 4         // a fourth of each room is for what waits for something before it
)

// MaxPending is how far ahead of the account's nonce a transaction may wait in a
// pool; members may wait as far ahead as their quota.
const MaxPending = 16

// admission knows what waits: what was admitted and neither stands in a block nor is
// so old that the pool has dropped it.
type admission struct {
	mu     sync.Mutex // guards the fields below
	lines  map[Address]line
	public use // of all lines together
}

// line is what waits of one account, by nonce.
type line map[uint64]seat

type seat struct {
	digest [32]byte // of the bytes, not Tx.ID: a signer can sign one body in many ways
	tx     Tx
	size   int    // bytes
	since  uint64 // height
}

// use is how much of a room is taken.
type use struct {
	txs   int
	all   int // bytes
	early int // bytes of what waits for something before it, or for credits
}

func (u use) add(v use) use { return use{u.txs + v.txs, u.all + v.all, u.early + v.early} }
func (u use) sub(v use) use { return use{u.txs - v.txs, u.all - v.all, u.early - v.early} }

// over says why a room of so many bytes and transactions is too small for what it
// held before and something more.
func (u use) over(before use, room, txs int) error {
	switch {
	case u.all > room, u.txs > txs:
		return refuse(CodeBusy, "too many transactions wait: send it again after the next block")
	case u.early > max(before.early, room/earlyPart):
		return refuse(CodeBusy, "too many transactions wait for earlier ones: send it again after the one before it is in a block")
	}
	return nil
}

// reckon walks a line as Prepare does: ready is what continues the account's nonces
// and what the balance pays, one after the other; everything else is early. It sums
// what takes public room and what takes the member's own, and says whether the
// balance pays at least all fees.
func (m *Machine) reckon(acc Account, l line) (public, protocol use, paid bool) {
	left, next, paid := acc.Balance, acc.Nonce, true
	for _, nonce := range slices.Sorted(maps.Keys(l)) {
		s, u := l[nonce], &public
		if m.free(s.tx) {
			u = &protocol
		}
		u.txs, u.all = u.txs+1, u.all+s.size
		if after, short := m.afford(left, s.tx, s.size); nonce == next && !short {
			left, next = after, next+1
			continue
		}
		u.early += s.size
		rest, short := left.SubOverflow(m.feeOf(s.tx, s.size))
		left, paid = rest, paid && !short
	}
	return public, protocol, paid
}

// feeOf is what a transaction of size bytes costs its signer.
func (m *Machine) feeOf(tx Tx, size int) Amount {
	return m.genesis.Params.FeeFor(tx.Payload.Kind(), size, m.byAccount[tx.Signer] != 0)
}

// memberRoom is the room of one member's protocol transactions, in bytes: enough for
// the largest one.
func (m *Machine) memberRoom() int {
	return max(MaxTxBytes, membersRoom/len(m.byAccount))
}

// ahead is how many nonces of an account may wait, from its next one.
func (m *Machine) ahead(signer Address) uint64 {
	if m.byAccount[signer] != 0 {
		return max(MaxPending, m.genesis.Params.MemberQuota)
	}
	return MaxPending
}

// patience is for how many blocks something may wait before it counts as gone: two
// turns of each member to propose, after which a pool has dropped what is left out.
func (m *Machine) patience() uint64 { return 2 * uint64(len(m.byAccount)) }

// admit lets a transaction wait, or says why it may not. Its nonce is one of those
// that may wait. The same bytes may come again. The caller holds Machine.mu.
func (m *Machine) admit(acc Account, tx Tx, raw []byte) error {
	w := &m.waiting
	w.mu.Lock()
	defer w.mu.Unlock()
	l, digest := w.lines[tx.Signer], sha256.Sum256(raw)
	if first, taken := l[tx.Nonce]; taken {
		if first.digest == digest {
			return nil
		}
		return refuse(CodeNonce, "another transaction of the account waits under nonce %d: wait for the next block, then sign with the account's next nonce", tx.Nonce)
	}
	public, protocol, _ := m.reckon(acc, l)
	longer := maps.Clone(l)
	if longer == nil {
		longer = line{}
	}
	longer[tx.Nonce] = seat{digest: digest, tx: tx, size: len(raw), since: m.height}
	nowPublic, nowProtocol, paid := m.reckon(acc, longer)
	if !paid {
		return refuse(CodeFunds, "balance is %s, which does not pay the fees of the account's %s that would wait: wait for the next block",
			acc.Balance.InCredits(), plural(len(longer), "transaction"))
	}
	all := w.public.sub(public).add(nowPublic)
	err := all.over(w.public, publicRoom, publicRoom) // its bytes bound how many there are
	if m.free(tx) {
		err = nowProtocol.over(protocol, m.memberRoom(), membersTxs/len(m.byAccount))
	}
	if err != nil {
		return err
	}
	if w.lines == nil {
		w.lines = map[Address]line{}
	}
	w.lines[tx.Signer], w.public = longer, all
	return nil
}

// dismiss takes out what a block has settled, what no block can take any more, and
// what has waited too long. The caller holds Machine.mu.
func (m *Machine) dismiss() {
	w := &m.waiting
	w.mu.Lock()
	defer w.mu.Unlock()
	w.public = use{}
	for signer, l := range w.lines {
		acc := account(m.store, signer)
		maps.DeleteFunc(l, func(nonce uint64, s seat) bool {
			if nonce < acc.Nonce { // it, or another that the account signed with its nonce
				m.overhear(s.tx)
			}
			return nonce < acc.Nonce || s.tx.ValidUntil <= m.height || m.height >= s.since+m.patience()
		})
		if len(l) == 0 {
			delete(w.lines, signer)
			continue
		}
		public, _, _ := m.reckon(acc, l)
		w.public = w.public.add(public)
	}
}
