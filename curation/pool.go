package curation

import (
	"crypto/sha256"
	"slices"
	"sync"

	"github.com/atelier-dao/atelier/shamir/secagg"
)

// Check admits a transaction to a pool: it decodes, its signature is the
// signer's for this chain, it has not expired, its nonce is not used and not too
// far ahead, the signer can pay the fee, and there is room for it to wait. What a
// collector sends is tried on the committed state as well, if nothing of the account
// is to come before it, so that an order past its limit or a request without funds
// costs nothing. CodeBusy means that it may come again later.
func (m *Machine) Check(raw []byte) TxResult {
	tx, err := m.open(raw)
	if err != nil {
		return result(err)
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	m.overhear(tx)
	x := m.begin(m.height + 1)
	acc := account(x.st, tx.Signer)
	fee, ahead := m.feeOf(tx, len(raw)), m.ahead(tx.Signer)
	switch {
	case tx.Nonce < acc.Nonce:
		return result(refuseNonce(tx.Nonce, acc.Nonce))
	case tx.Nonce-acc.Nonce >= ahead:
		return result(refuse(CodeNonce, "nonce %d is too far ahead, the account's next is %d and %d may wait: send those before it first", tx.Nonce, acc.Nonce, ahead))
	case tx.ValidUntil <= m.height:
		return result(refuseExpired(tx.ValidUntil, m.height+1))
	case acc.Balance.Less(fee):
		return result(refuseFee(fee, acc.Balance))
	}
	if err := x.preview(tx, len(raw), acc.Nonce); err != nil {
		return result(err)
	}
	return result(m.admit(acc, tx, raw))
}

// preview finds what can be said cheaply about how a transaction would end.
func (x *execution) preview(tx Tx, size int, nonce uint64) error {
	switch p := tx.Payload.(type) {
	case Certify: // all members bring the same one: spare the others the pairing
		if a, ok := load[Artwork](x.st, keyArtwork(p.RID)); ok && a.Status != StatusRequested {
			return refuse(CodeDuplicate, "request %v is %s", p.RID, a.Status)
		}
		if t, ok := load[Training](x.st, keyTraining(count(x.st, indexTraining(p.RID)))); ok && t.Status != TrainingApproving {
			return refuse(CodeDuplicate, "training %d is %s", t.Plan.Number, t.Status)
		}
	case Evidence: // all members may have the same: spare them the rest
		if c, ok := load[Conviction](x.st, keyConviction(p.Member)); ok {
			return refuse(CodeDuplicate, "member %d was convicted at height %d already", p.Member, c.Height)
		}
		return x.forMembers(tx)
	case Accept, GuardianMessage, Recover, Object, Publish, CeremonyMessage: // a recovery's dealers are guardians
		if x.machine.byAccount[tx.Signer] == 0 && x.guardian(tx.Signer) == 0 {
			return refuse(CodeNotMember, "%s is for members and guardians: only they may send it", p.Kind())
		}
	case Seal: // numbers are given once: what comes too late never stands
		return x.late(tx, p.KeyEpoch)
	case Rotate:
		return x.late(tx, p.KeyEpoch)
	case Adopt:
		return x.settled(tx, p.KeyEpoch, ModelNominated)
	case Stored:
		return x.settled(tx, p.KeyEpoch, ModelNominated, ModelProposed)
	case RecordPrior:
		if m := memberNumber(x.st, tx.Signer); m != 0 { // asked for again while the first one waits
			if v, ok := load[Prior](x.st, keyPrior(p.Version)); ok {
				if r, said := v.Of(m); said && r.ID == p.Prior && r.Lexicon == p.Lexicon {
					return refuse(CodeDuplicate, "member %d has recorded version %d already", m, p.Version)
				}
			}
		}
		return x.forMembers(tx)
	case Train:
		return x.lateToTrain(tx, p.Plan.Number)
	case Join:
		return x.lateToTrain(tx, p.Number, TrainingApproving, TrainingJoining)
	case TrainingMessage:
		return x.lateForSum(tx, p)
	case ShareReport, Prekeys, HandOver, Admit, Remove, Leave, Register, Attest, OrderShares:
		return x.forMembers(tx)
	case Send, Request, SealedOrder, Sell:
		if tx.Nonce == nonce {
			if r := x.run(tx, size, 0); r.Code != CodeOK {
				return &refusal{code: r.Code, text: r.Log}
			}
		}
	}
	return nil
}

// late refuses a seal for a key epoch that is taken.
func (x *execution) late(tx Tx, keyEpoch uint64) error {
	if last := count(x.st, keyKeyEpochs); x.forMembers(tx) == nil && keyEpoch <= last {
		return refuse(CodeWrongPhase, "sealed for key epoch %d, the next is %d: seal it again for that", keyEpoch, last+1)
	}
	return x.forMembers(tx)
}

// settled refuses what is about a key epoch that is past the standings given.
func (x *execution) settled(tx Tx, keyEpoch uint64, before ...ModelStanding) error {
	if m, ok := load[Model](x.st, keyModel(keyEpoch)); x.forMembers(tx) == nil && ok && !slices.Contains(before, m.Standing) {
		return refuse(CodeDuplicate, "key epoch %d is %s already", keyEpoch, m.Standing)
	}
	return x.forMembers(tx)
}

// lateToTrain refuses what is about a training that is past the statuses given.
func (x *execution) lateToTrain(tx Tx, number uint64, before ...TrainingStatus) error {
	if t, ok := load[Training](x.st, keyTraining(number)); x.forMembers(tx) == nil && ok && !slices.Contains(before, t.Status) {
		return refuse(CodeWrongPhase, "training %d is %s already", number, t.Status)
	}
	return x.forMembers(tx)
}

// lateForSum refuses a message of a phase that has passed, and one that its sender has
// sent before, without looking into it.
func (x *execution) lateForSum(tx Tx, p TrainingMessage) error {
	if err := x.lateToTrain(tx, p.Number, TrainingApproving, TrainingJoining, TrainingSumming); err != nil {
		return err
	}
	t, ok := runningTraining(x.st)
	if !ok || t.Plan.Number != p.Number || t.Status != TrainingSumming {
		return nil
	}
	kind, index := secagg.Kind(p.Message), t.Index(x.machine.byAccount[tx.Signer])
	switch {
	case index == 0:
		return refuse(CodeNotMember, "member %d is no trainer in training %d", x.machine.byAccount[tx.Signer], p.Number)
	case secagg.Phase(kind) < x.sum.Phase():
		return refuse(CodeWrongPhase, "training %d takes no %s any more", p.Number, kind)
	case kind != secagg.KindConfirm && kind != secagg.KindDispute && x.sum.Spoke(index, kind): // these may come more than once
		return refuse(CodeDuplicate, "member %d has sent its %s in training %d", t.Trainers[index-1], kind, p.Number)
	}
	return nil
}

// forMembers refuses what only members may send.
func (x *execution) forMembers(tx Tx) error {
	if x.machine.byAccount[tx.Signer] == 0 {
		return refuse(CodeNotMember, "%s is for members: only they may send it", tx.Payload.Kind())
	}
	return nil
}

// Prepare chooses and orders transactions for a proposal of at most maxBytes, in
// the wire form of consensus. Protocol transactions of members come first, as
// far as the accounts' nonces allow; of each account they are consecutive. What
// cannot succeed in this block is left out, and so is what an account could not pay
// if all before it spend what they say.
func (m *Machine) Prepare(height uint64, txs [][]byte, maxBytes int64) [][]byte {
	m.mu.RLock()
	defer m.mu.RUnlock()
	pool := m.pool(height, txs)
	var chosen [][]byte
	take := func(q *queue) bool {
		tx := q.waiting[0]
		if cost := wireSize(len(tx.raw)); cost <= maxBytes {
			maxBytes -= cost
			chosen = append(chosen, tx.raw)
			q.waiting = q.waiting[1:]
			return true
		}
		q.waiting = nil // the account's later ones may not come before it
		return false
	}
	// One of each account in turn, so that nobody fills the block: first the protocol
	// transactions at the heads of their queues, then everything.
	for _, protocol := range []bool{true, false} {
		for more := true; more; {
			more = false
			for _, q := range pool {
				if len(q.waiting) > 0 && (q.waiting[0].free || !protocol) && take(q) {
					more = true
				}
			}
		}
	}
	return chosen
}

// Process accepts a proposal in which every transaction decodes, is signed for
// this chain, has not expired, continues its account's nonces, respects the
// members' quota, and can be paid as Prepare reckons: a block's space is not free
// for whoever proposes.
func (m *Machine) Process(block Block) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	next, free, balance := map[Address]uint64{}, map[Address]uint64{}, map[Address]Amount{}
	for _, raw := range block.Txs {
		tx, err := m.open(raw)
		if err != nil || tx.ValidUntil < block.Height {
			return false
		}
		nonce, seen := next[tx.Signer]
		if !seen {
			acc := account(m.store, tx.Signer)
			nonce, balance[tx.Signer] = acc.Nonce, acc.Balance
		}
		left, short := m.afford(balance[tx.Signer], tx, len(raw))
		if tx.Nonce != nonce || short {
			return false
		}
		balance[tx.Signer] = left
		next[tx.Signer] = nonce + 1
		if m.free(tx) {
			if free[tx.Signer]++; free[tx.Signer] > m.genesis.Params.MemberQuota {
				return false
			}
		}
	}
	return true
}

// queue holds an account's transactions in the order of their nonces.
type queue struct {
	next    uint64
	waiting []pooled
	frees   uint64
}

type pooled struct {
	raw  []byte
	free bool
}

// pool sorts transactions into queues, in the order in which accounts appear.
func (m *Machine) pool(height uint64, txs [][]byte) []*queue {
	type waiting struct {
		*queue
		balance Amount
		byNonce map[uint64]Tx
		raws    map[uint64][]byte
	}
	accounts := map[Address]*waiting{}
	var order []*waiting
	for _, raw := range txs {
		tx, err := m.open(raw)
		if err != nil || tx.ValidUntil < height {
			continue
		}
		w := accounts[tx.Signer]
		if w == nil {
			acc := account(m.store, tx.Signer)
			w = &waiting{queue: &queue{next: acc.Nonce}, balance: acc.Balance, byNonce: map[uint64]Tx{}, raws: map[uint64][]byte{}}
			accounts[tx.Signer] = w
			order = append(order, w)
		}
		if _, twice := w.byNonce[tx.Nonce]; !twice {
			w.byNonce[tx.Nonce], w.raws[tx.Nonce] = tx, raw
		}
	}
	queues := make([]*queue, 0, len(order))
	for _, w := range order {
		for tx, ok := w.byNonce[w.next]; ok; tx, ok = w.byNonce[w.next] {
			raw, free := w.raws[w.next], m.free(tx)
			if free {
				if w.frees++; w.frees > m.genesis.Params.MemberQuota {
					break
				}
			}
			left, short := m.afford(w.balance, tx, len(raw))
			if short {
				break
			}
			w.balance = left
			w.waiting = append(w.waiting, pooled{raw: raw, free: free})
			w.next++
		}
		queues = append(queues, w.queue)
	}
	return queues
}

// afford takes a transaction's fee and what it can spend or lock from a balance, and
// says whether that falls short. What others send in the same block is not counted.
func (m *Machine) afford(balance Amount, tx Tx, size int) (left Amount, short bool) {
	left, short = balance.SubOverflow(m.feeOf(tx, size))
	if short {
		return left, true
	}
	switch p := tx.Payload.(type) {
	case Send:
		return left.SubOverflow(p.Amount)
	case Request:
		return left.SubOverflow(m.genesis.Params.RequestDeposit)
	case SealedOrder:
		return left.SubOverflow(p.Escrow)
	}
	return left, false
}

// free says whether the transaction is a member's in the course of the protocols.
func (m *Machine) free(tx Tx) bool {
	if m.byAccount[tx.Signer] == 0 {
		return false
	}
	switch tx.Payload.Kind() {
	case KindSend, KindRequest, KindEdition, KindOrder, KindSell:
		return false
	}
	return true
}

// wireSize is what a transaction takes in a proposal: a tag, a varint, itself.
func wireSize(n int) int64 {
	size := int64(n) + 2
	for v := n; v >= 0x80; v >>= 7 {
		size++
	}
	return size
}

// open decodes a transaction and checks its signature, once for all the phases
// that ask.
func (m *Machine) open(raw []byte) (Tx, error) {
	tx, err := Decode(raw)
	if err != nil {
		return Tx{}, &refusal{code: CodeMalformed, text: err.Error()}
	}
	digest := sha256.Sum256(raw)
	if m.verified.has(digest) {
		return tx, nil
	}
	if !tx.Verify(m.chain) {
		return Tx{}, refuse(CodeSignature, "signature is not that of account %v for this network, %v: sign for the network that you mean", tx.Signer, m.chain)
	}
	m.verified.add(digest)
	return tx, nil
}

// signatureCache remembers transactions whose signature is good, in two
// generations of at most cacheSize each.
type signatureCache struct {
	mu       sync.Mutex // guards both
	new, old map[[32]byte]struct{}
}

const cacheSize = 16384 // 1 MiB; several blocks' worth

func (c *signatureCache) has(digest [32]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, young := c.new[digest]
	_, aged := c.old[digest]
	return young || aged
}

func (c *signatureCache) add(digest [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.new == nil || len(c.new) >= cacheSize {
		c.old, c.new = c.new, make(map[[32]byte]struct{})
	}
	c.new[digest] = struct{}{}
}
