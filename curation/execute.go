package curation

import (
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// Amount is curve.Amount, for short.
type Amount = curve.Amount

// execution is one block in progress.
type execution struct {
	machine   *Machine // for its constants; nothing of it is written
	height    uint64
	block     *state.Overlay
	st        *state.Overlay    // block, or a transaction's overlay above it
	events    []Event           // of the transaction, or of the block's end
	treasury  Treasury          // as of st
	log       *dkg.Log          // the committed one until the first message of the block
	ownLog    bool              // log is a copy of this block's
	sum       *secagg.Round     // of the last training that came so far; the committed one until this block writes to it
	ownSum    bool              // sum is a copy of this block's
	committee *shamir.Committee // in force
	used      map[uint32]uint64 // free transactions by member
	fee       Amount            // of the transaction, paid before it is executed
	tx        Tx                // the transaction
	position  int               // of it in the block
	wrong     map[claim]bool    // what did not verify in this block

	validators []Validator // changes of the validator set
	regrouped  bool        // members came, went or changed
}

// claim is what is not looked at again in a block in which it did not verify: to find
// a wrong proof out costs every node some milliseconds, which no fee is for, and
// whoever keeps to the rules sends none.
type claim struct {
	kind Kind
	by   Address
}

// claimOf is one for each signer. Certificates have no signer that matters, so those
// that outsiders bring, who have as many accounts as they like, count as one's.
func (x *execution) claimOf(tx Tx) claim {
	c := claim{tx.Payload.Kind(), tx.Signer}
	if c.kind == KindCertify && x.machine.byAccount[tx.Signer] == 0 {
		c.by = Address{}
	}
	return c
}

func (c claim) refuse() error {
	of := "the account"
	if c.by == (Address{}) {
		of = "somebody who is no member"
	}
	return refuse(CodeLimit, "a wrong %s of %s came before it in this block: send it again in the next one", c.kind, of)
}

// refusal is why a transaction changes nothing.
type refusal struct {
	code Code
	text string
}

func (r *refusal) Error() string { return r.text }

// refuse makes a refusal. Its words are for people: amounts in credits or tokens,
// and, where it is not plain, what to do next. No hash covers them.
func refuse(code Code, format string, args ...any) error {
	return &refusal{code: code, text: fmt.Sprintf(format, args...)}
}

// refuseFee is the refusal of a transaction whose fee is above the balance.
func refuseFee(fee, balance Amount) error {
	return refuse(CodeFunds, "balance is %s, the fee is %s", balance.InCredits(), fee.InCredits())
}

// refuseNonce is the refusal of a transaction that does not continue its account's.
func refuseNonce(nonce, next uint64) error {
	if nonce < next {
		return refuse(CodeNonce, "nonce %d is used, the account's next is %d: sign again with that", nonce, next)
	}
	return refuse(CodeNonce, "nonce %d comes too early, the account's next is %d", nonce, next)
}

// refuseExpired is the refusal of a transaction that comes too late.
func refuseExpired(until, height uint64) error {
	return refuse(CodeExpired, "valid until height %d, this would be %d: sign again with a later one", until, height)
}

// plural is a number with its noun: "1 order", "2 orders".
func plural[N int | uint64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func result(err error) TxResult {
	var r *refusal
	switch {
	case err == nil:
		return TxResult{}
	case errors.As(err, &r):
		return TxResult{Code: r.code, Log: r.text}
	default:
		return TxResult{Code: CodeMalformed, Log: err.Error()}
	}
}

func (x *execution) params() *Params { return &x.machine.genesis.Params }

// deliver executes one transaction of the block. Bytes that do not decode, wrong
// signatures, wrong nonces, expired transactions, a member's above its quota and
// those of accounts that the ledger does not know leave no trace in the state; all
// others use up their nonce and pay, whatever becomes of them. Who cannot pay the
// whole fee loses what is left.
func (x *execution) deliver(raw []byte, index int) TxResult {
	tx, err := x.machine.open(raw)
	if err != nil {
		return result(err)
	}
	if x.machine.free(tx) {
		member := x.machine.byAccount[tx.Signer]
		if x.used[member]++; x.used[member] > x.params().MemberQuota {
			return result(refuse(CodeLimit, "member %d has used its %s of this block: send it again in the next one", member, plural(x.params().MemberQuota, "free transaction")))
		}
	}
	return x.run(tx, len(raw), index)
}

// run charges and executes a transaction whose signature is good.
func (x *execution) run(tx Tx, size, index int) TxResult {
	acc := account(x.block, tx.Signer)
	switch {
	case tx.Nonce != acc.Nonce:
		return result(refuseNonce(tx.Nonce, acc.Nonce))
	case x.height > tx.ValidUntil:
		return result(refuseExpired(tx.ValidUntil, x.height))
	}
	fee := x.machine.feeOf(tx, size)
	paid, had := fee.Min(acc.Balance), acc.Balance
	if _, known := x.block.Get(keyAccount(tx.Signer)); !known && paid.Less(fee) { // strangers must not fill the state
		return result(refuseFee(fee, had))
	}
	acc.Balance, acc.Nonce = acc.Balance.Sub(paid), acc.Nonce+1
	save(x.block, keyAccount(acc.Address), acc)
	x.treasury.Balance = x.treasury.Balance.Add(paid)
	x.treasury.Fees = x.treasury.Fees.Add(paid)
	if paid.Less(fee) {
		return result(refuseFee(fee, had))
	}
	x.fee, x.tx, x.position = fee, tx, index
	claim := x.claimOf(tx)
	if x.wrong[claim] {
		return result(claim.refuse())
	}
	if err := x.atomically(func() error { return x.apply(tx) }); err != nil {
		r := result(err)
		x.wrong[claim] = r.Code == CodeProof
		return r
	}
	events := x.events
	x.events = nil
	return TxResult{Events: events}
}

// atomically runs f on an overlay of its own and keeps what it did only if it
// succeeds.
func (x *execution) atomically(f func() error) error {
	treasury, events := x.treasury, len(x.events)
	x.st = state.NewOverlay(x.block)
	err := f()
	if err == nil {
		x.st.Flush()
	} else {
		x.treasury, x.events = treasury, x.events[:events]
	}
	x.st = x.block
	return err
}

func (x *execution) apply(tx Tx) error {
	switch p := tx.Payload.(type) {
	case Send:
		return x.send(tx.Signer, p)
	case Prekeys:
		return x.prekeys(tx.Signer, p)
	case CeremonyMessage:
		return x.ceremonyMessage(tx, p)
	case HandOver:
		return x.handOver(tx.Signer, p)
	case Admit:
		return x.admit(tx.Signer, p)
	case Remove:
		return x.remove(tx.Signer, p)
	case Leave:
		return x.leave(tx.Signer)
	case Evidence:
		return x.evidence(tx.Signer, p)
	case Seal:
		return x.sealModel(tx.Signer, p)
	case Adopt:
		return x.adopt(tx.Signer, p)
	case Rotate:
		return x.rotate(tx.Signer, p)
	case Stored:
		return x.stored(tx.Signer, p)
	case RecordPrior:
		return x.record(tx.Signer, p)
	case Train:
		return x.train(tx.Signer, p)
	case Join:
		return x.join(tx.Signer, p)
	case TrainingMessage:
		return x.trainingMessage(tx.Signer, p)
	case Request:
		return x.request(tx.Signer, p)
	case Edition:
		return x.edition(tx.Signer, p)
	case Certify:
		return x.certify(p)
	case Register:
		return x.register(tx.Signer, p)
	case Attest:
		return x.attest(tx.Signer, p)
	case SealedOrder:
		return x.order(tx.Signer, p)
	case OrderShares:
		return x.openOrders(tx.Signer, p)
	case Sell:
		return x.sell(tx.Signer, p)
	case ShareReport:
		return x.shareReport(tx.Signer, p)
	case Accept:
		return x.accept(tx.Signer, p)
	case GuardianMessage:
		return x.guardianMessage(tx.Signer, p)
	case Recover:
		return x.recover(tx.Signer)
	case Object:
		return x.object(tx.Signer)
	case Publish:
		return x.publishShare(tx.Signer, p)
	}
	return refuse(CodeMalformed, "no rule for %s", tx.Payload.Kind())
}

func (x *execution) emit(kind string, values ...any) {
	x.events = append(x.events, event(kind, values...))
}

// member returns the signer's record as a member.
func (x *execution) member(signer Address) (Member, error) {
	index := x.machine.byAccount[signer]
	if index == 0 {
		return Member{}, refuse(CodeNotMember, "account %v is not a member: only members may do this", signer)
	}
	return must2(load[Member](x.st, keyMember(index))), nil
}

// Money. The supply is below curve's range by far, so sums of what exists cannot
// overflow; only what a transaction asks for is checked.

func (x *execution) credit(to Address, amount Amount) {
	acc := account(x.st, to)
	acc.Balance = acc.Balance.Add(amount)
	save(x.st, keyAccount(to), acc)
}

// debit takes what the transaction asks for; what names it in the refusal.
func (x *execution) debit(from Address, amount Amount, what string) error {
	acc := account(x.st, from)
	left, short := acc.Balance.SubOverflow(amount)
	switch {
	case x.machine.supply.Less(amount):
		return refuse(CodeFunds, "the %s of %s is more than the %s that exist", what, amount.InCredits(), x.machine.supply.InCredits())
	case short:
		return refuse(CodeFunds, "balance is %s, the %s and fee need %s", acc.Balance.Add(x.fee).InCredits(), what, amount.Add(x.fee).InCredits())
	}
	acc.Balance = left
	save(x.st, keyAccount(from), acc)
	return nil
}

// lock sets part of the balance aside; what names it in the refusal.
func (x *execution) lock(owner Address, amount Amount, what string) error {
	if err := x.debit(owner, amount, what); err != nil {
		return err
	}
	acc := account(x.st, owner)
	acc.Locked = acc.Locked.Add(amount)
	save(x.st, keyAccount(owner), acc)
	return nil
}

// unlock takes amount out of what the owner has locked, gives refund of it back,
// and leaves the rest to the caller.
func (x *execution) unlock(owner Address, amount, refund Amount) {
	acc := account(x.st, owner)
	acc.Locked = acc.Locked.Sub(amount)
	acc.Balance = acc.Balance.Add(refund)
	save(x.st, keyAccount(owner), acc)
}

func (x *execution) tribute(amount Amount) {
	x.treasury.Balance = x.treasury.Balance.Add(amount)
	x.treasury.Tributes = x.treasury.Tributes.Add(amount)
}

func (x *execution) send(from Address, p Send) error {
	if err := x.debit(from, p.Amount, "payment"); err != nil {
		return err
	}
	x.credit(p.To, p.Amount)
	x.emit(EventAccountSent, from, p.To, p.Amount)
	return nil
}

// endBlock does what follows from the height alone, and returns its events.
func (x *execution) endBlock() []Event {
	x.ceremonyBlock()
	x.guardianBlock()
	x.lapseMotions()
	x.expireArtworks()
	x.trainingBlock()
	x.forgetEditions()
	x.rotationBlock()
	x.roundBlock()
	x.release()
	if x.treasury != must2(load[Treasury](x.block, keyTreasury)) {
		save(x.block, keyTreasury, x.treasury)
	}
	return x.events
}

// must2 unwraps a record that every state has.
func must2[T any](v T, ok bool) T {
	if !ok {
		panic(fmt.Sprintf("curation: the state holds no %T", v))
	}
	return v
}
