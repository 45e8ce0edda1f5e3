package curation

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// roundBlock opens, advances and settles rounds at the end of a block.
func (x *execution) roundBlock() {
	round, running := runningRound(x.block)
	switch {
	case !running:
		x.openRound()
	case round.Phase == RoundBacking && x.height >= round.BackUntil:
		if round.Orders == 0 {
			x.settle(round, nil)
			return
		}
		round.Phase = RoundOpening
		x.saveRound(round)
		x.emit(EventRoundOpening, round.Number, round.Orders, round.Escrow)
	case round.Phase == RoundOpening && len(round.Openers) >= x.committeeOf(round.Epoch).T():
		x.openAndSettle(round)
	case round.Phase == RoundOpening && x.height >= round.OpenUntil:
		x.failRound(round, "the round was not opened in time")
	}
}

func (x *execution) saveRound(r Round) { save(x.st, keyRoundRecord(r.Number), r) }

// openRound begins a round when enough candidates wait, or one waits too long.
func (x *execution) openRound() {
	var waiting [][]byte
	for k := range x.block.Ascend([]byte("index/wait/")) {
		waiting = append(waiting, k)
	}
	if len(waiting) == 0 {
		return
	}
	oldest := waiting[0][len("index/wait/"):]
	if uint64(len(waiting)) < x.params().RoundCandidates && x.height < be(oldest[:8])+x.params().RoundWaitBlocks {
		return
	}
	waiting = waiting[:min(len(waiting), int(x.params().RoundMax))]
	n := count(x.block, keyRound) + 1
	round := Round{
		Number: n, Phase: RoundBacking, Epoch: x.committee.Epoch(), Opened: x.height,
		BackUntil: x.height + x.params().BackBlocks, OpenUntil: x.height + x.params().BackBlocks + x.params().OpenBlocks,
	}
	for _, k := range waiting {
		rid := Hash(k[len(k)-32:])
		x.st.Delete(k)
		a := must2(load[Artwork](x.block, keyArtwork(rid)))
		a.Status, a.Round = StatusBacking, round.Number
		x.saveArtwork(a)
		round.Candidates = append(round.Candidates, rid)
	}
	save(x.st, keyRound, round.Number)
	x.saveRound(round)
	x.emit(EventRoundOpened, round.Number, round.Candidates, round.BackUntil, round.OpenUntil)
}

// order takes a sealed order into the running round. In a full round it takes the
// place of the order with the smallest escrow, if its own is larger; the record of
// that order is gone, its events stay.
func (x *execution) order(signer Address, p SealedOrder) error {
	round, err := x.round(p.Round, RoundBacking)
	if err != nil {
		return err
	}
	if err := x.mayOrder(); err != nil {
		return err
	}
	if p.Escrow.Less(x.params().MinEscrow) {
		return refuse(CodeLimit, "the escrow is %s, the least is %s", p.Escrow.InCredits(), x.params().MinEscrow.Credits())
	}
	index, full := round.Orders, uint64(round.Orders) >= x.params().MaxOrders
	var least Order
	if full { // the larger escrow enters, so that cheap orders cannot shut a round
		least = x.leastOrder(round.Number)
		if !least.Escrow.Less(p.Escrow) {
			return refuse(CodeLimit, "round %d is full with %s: only an escrow above %s enters", round.Number, plural(round.Orders, "order"), least.Escrow.InCredits())
		}
		index = least.Index
	}
	mine := 0
	for range x.st.Ascend(key("index/order/", signer[:], number(round.Number))) {
		mine++
	}
	if uint64(mine) >= x.params().AccountOrders {
		return refuse(CodeLimit, "the account has %s in round %d, the most that one may have: wait for the next round", plural(mine, "order"), round.Number)
	}
	ct, err := seal.ParseCiphertext(p.Box)
	if err != nil {
		return refuse(CodeMalformed, "%v", err)
	}
	if err := ct.Verify(x.committee.X(), OrderLabel(x.machine.chain, round.Number).Hash()); err != nil {
		return refuse(CodeProof, "sealed order: %v", err)
	}
	if full {
		x.refund(least, "displaced by a larger escrow")
		x.st.Delete(indexOrder(least.Account, least.Round, least.Index))
		round.Orders, round.Escrow = round.Orders-1, round.Escrow.Sub(least.Escrow)
	}
	if err := x.lock(signer, p.Escrow, "escrow"); err != nil {
		return err
	}
	o := Order{Round: round.Number, Index: index, Account: signer, Status: OrderSealed, Escrow: p.Escrow, Box: p.Box, Height: x.height}
	round.Orders, round.Escrow = round.Orders+1, round.Escrow.Add(p.Escrow)
	save(x.st, keyOrder(o.Round, o.Index), o)
	x.st.Set(indexOrder(signer, o.Round, o.Index), present)
	x.st.Set(indexEscrow(o), present)
	x.saveRound(round)
	x.emit(EventOrderSealed, o.Round, o.Index, o.Account, o.Escrow)
	return nil
}

// leastOrder returns the sealed order that gives way first: the one with the
// smallest escrow, and of those the latest.
func (x *execution) leastOrder(round uint64) Order {
	for k := range x.st.Ascend(key("index/escrow/", number(round))) {
		return must2(load[Order](x.st, keyOrder(round, int(^binary.BigEndian.Uint32(k[len(k)-4:])))))
	}
	panic("curation: a full round without orders")
}

// round returns the running round, if it is the one asked for and in the phase.
func (x *execution) round(n uint64, phase RoundPhase) (Round, error) {
	round, ok := load[Round](x.st, keyRoundRecord(n))
	switch {
	case !ok:
		return round, refuse(CodeUnknown, "there is no round %d", n)
	case round.Phase != phase:
		return round, refuse(CodeWrongPhase, "round %d is %s, not %s", n, round.Phase, phase)
	}
	return round, nil
}

// openOrders takes a member's opening of all orders of a round. Members pay no fee
// for it and it costs the most to check, so what is cheap to see is seen first.
func (x *execution) openOrders(signer Address, p OrderShares) error {
	member, err := x.member(signer)
	if err != nil {
		return err
	}
	round, err := x.round(p.Round, RoundOpening)
	if err != nil {
		return err
	}
	at, spoke := slices.BinarySearch(round.Openers, member.Index)
	if spoke {
		return refuse(CodeDuplicate, "member %d has opened round %d already", member.Index, round.Number)
	}
	if len(p.Share) != seal.OpeningSize(round.Orders) {
		return refuse(CodeProof, "opening of %s, one of %s takes %d", plural(len(p.Share), "byte"), plural(round.Orders, "order"), seal.OpeningSize(round.Orders))
	}
	if index := uint32(binary.BigEndian.Uint16(p.Share)); index != seatsOf(x.st, round.Epoch).Of(member.Index) {
		return refuse(CodeNotMember, "member %d sent an opening with share %d, which is not its own", member.Index, index)
	}
	if _, err := seal.VerifyOpen(x.committeeOf(round.Epoch), OrderLabel(x.machine.chain, round.Number), x.boxes(round), p.Share); err != nil {
		return refuse(CodeProof, "opening: %v", err)
	}
	round.Openers = slices.Insert(round.Openers, at, member.Index)
	x.st.Set(keyOpening(round.Number, member.Index), p.Share)
	x.saveRound(round)
	x.emit(EventOrderShares, round.Number, member.Index, round.Orders)
	return nil
}

// boxes are the sealed orders of a round as ciphertexts.
func (x *execution) boxes(round Round) []*seal.Ciphertext {
	boxes, err := sealedOrders(x.st, round)
	if err != nil { // they parsed when they were taken
		panic(err)
	}
	return boxes
}

func sealedOrders(r state.Reader, round Round) ([]*seal.Ciphertext, error) {
	boxes := make([]*seal.Ciphertext, round.Orders)
	for i := range boxes {
		ct, err := seal.ParseCiphertext(must2(load[Order](r, keyOrder(round.Number, i))).Box)
		if err != nil {
			return nil, err
		}
		boxes[i] = ct
	}
	return boxes, nil
}

// openAndSettle opens the orders with the shares of the first t members.
func (x *execution) openAndSettle(round Round) {
	var shares [][]byte
	for _, member := range round.Openers {
		shares = append(shares, must2(x.block.Get(keyOpening(round.Number, member))))
	}
	opened, _, err := seal.CombineOpen(x.committeeOf(round.Epoch), OrderLabel(x.machine.chain, round.Number), x.boxes(round), shares)
	if err != nil { // t verified shares combine; if ever not, nobody shall lose by it
		x.failRound(round, "the orders could not be opened")
		return
	}
	x.settle(round, opened)
}

// forgetOpenings drops the shares of an ended round; they stay in its blocks.
func (x *execution) forgetOpenings(round Round) {
	for _, member := range round.Openers {
		x.st.Delete(keyOpening(round.Number, member))
	}
}

// failRound refunds every order that is still sealed and sends the candidates back
// to wait; it declines those that have waited through MaxFailedRounds.
func (x *execution) failRound(round Round, reason string) {
	for i := range round.Orders {
		if o := must2(load[Order](x.block, keyOrder(round.Number, i))); o.Status == OrderSealed {
			x.refund(o, reason)
		}
	}
	for _, rid := range round.Candidates {
		a := must2(load[Artwork](x.block, keyArtwork(rid)))
		if a.Failed++; a.Failed < MaxFailedRounds {
			a.Status = StatusCandidate
			x.saveArtwork(a)
			x.st.Set(indexWait(a.Attested, a.RID), present)
			continue
		}
		a.Settled, a.Ended = x.height, x.height
		x.declineArtwork(a, 0, fmt.Sprintf("%d rounds with it failed", a.Failed))
	}
	x.forgetOpenings(round)
	round.Phase, round.Settled, round.Reason = RoundFailed, x.height, reason
	x.saveRound(round)
	x.emit(EventRoundFailed, round.Number, round.Orders, round.Openers, reason)
}

// forfeit refunds an order that could not be read, but for MinEscrow, which goes to
// the treasury: an order takes one of MaxOrders places and every member's work, and
// nothing but its sender makes it unreadable. Limits that the price passed, works
// that others outbid and rounds that fail happen to honest orders; they cost
// nothing.
func (x *execution) forfeit(round *Round, o Order, reason string) {
	o.Tribute = x.params().MinEscrow.Min(o.Escrow)
	x.tribute(o.Tribute)
	round.TreasuryTribute = round.TreasuryTribute.Add(o.Tribute)
	x.refund(o, reason)
}

// refund gives an order's escrow back, less its tribute.
func (x *execution) refund(o Order, reason string) {
	o.Status, o.Refund, o.Reason = OrderRefunded, o.Escrow.Sub(o.Tribute), reason
	x.unlock(o.Account, o.Escrow, o.Refund)
	x.st.Delete(indexEscrow(o))
	save(x.st, keyOrder(o.Round, o.Index), o)
	x.emit(EventOrderRefunded, o.Round, o.Index, o.Account, o.RID, o.Tribute, o.Refund, o.Reason)
}
