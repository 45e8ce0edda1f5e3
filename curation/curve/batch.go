package curve

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// OrderID names an order in its batch. It breaks ties, so it should not be the
// sender's free choice: the ledger derives it.
type OrderID [32]byte

// Order is one sealed backing: a deposit, after tribute, and the fewest tokens
// that the collector accepts for it.
type Order struct {
	ID      OrderID
	Deposit Amount
	MinOut  Amount
}

// Fill is what an order got: Tokens for the whole Deposit.
type Fill struct {
	ID      OrderID
	Deposit Amount
	Tokens  Amount // at least the order's MinOut, and at least one base unit
}

// Batch is the outcome of clearing orders on one curve.
type Batch struct {
	Fills   []Fill    // in ascending order of ID
	Dropped []OrderID // orders that keep their deposit, in the order in which they fell out
	Deposit Amount    // sum over Fills: enters the reserve
	Minted  Amount    // sum over Fills: enters the supply
	Dust    Amount    // tokens the deposit was worth beyond Minted, fewer than Fills; never minted
	Next    State     // the curve afterwards
}

// ErrDuplicateOrder reports two orders of one ID in a batch.
var ErrDuplicateOrder = errors.New("order appears twice in the batch")

// ClearBatch fills orders at one price. The sum D of the deposits goes along the
// curve once, as one purchase of T tokens, and each order gets ⌊T·d/D⌋ for its
// deposit d. What the floors leave over is not minted: its value stays in the
// reserve, with all holders.
//
// An order that would get fewer than its MinOut, or nothing, drops out. Orders
// drop one at a time, always the one with the strictest limit (the largest
// MinOut per deposit; among equals the largest ID), and the price is computed
// anew, which only improves it for those who stay, until the strictest of them
// is content; then all are. That takes at most one purchase per order.
//
// These laws hold, and are tested:
//
//   - the order of the input is irrelevant;
//   - no fill is below its MinOut or is zero;
//   - no fill is larger than what the same deposit would buy alone before the
//     batch, nor more than one unit below what it would buy as the last of the
//     fills, whatever the order of the others;
//   - a larger deposit gets no fewer tokens, an equal one exactly as many;
//   - selling everything minted right back pays at most the deposits, and
//     Reserve/Supply^(1/Ratio) never falls;
//   - clearing only the filled orders gives the same fills.
//
// A dropped order whose limit is stricter than another dropped one's might still
// have been content with the final fills plus itself, when it is much smaller
// than the one that fell last: the price then moves less. It is not taken back.
//
// ClearBatch fails with ErrDuplicateOrder, with State.Validate's errors, and
// with ErrOverflow when the deposits, the tokens or the next state leave the
// range of amounts. It does not change orders. Cost: a sort, and one Buy for
// each dropped order.
func ClearBatch(s State, orders []Order) (Batch, error) {
	if err := s.Validate(); err != nil {
		return Batch{}, err
	}
	queue, total, err := strictestFirst(orders)
	if err != nil {
		return Batch{}, err
	}
	var tokens Amount
	first := 0 // queue[first:] is still in
	for ; first < len(queue); first++ {
		strictest := &queue[first]
		if strictest.Deposit.IsZero() {
			continue
		}
		if tokens, err = s.Buy(total); err != nil {
			return Batch{}, fmt.Errorf("batch of orders (%d) that deposit %s: %w", len(queue)-first, total.InCredits(), err)
		}
		if !proRata(tokens, strictest.Deposit, total).Less(strictest.need()) {
			break // T·d/D ≥ need is T/D ≥ need/d, so everybody behind is content, too
		}
		total = total.Sub(strictest.Deposit)
	}
	return s.settle(queue[first:], queue[:first], tokens, total)
}

// settle writes the outcome of a batch in which total bought tokens.
func (s State) settle(filled, dropped []Order, tokens, total Amount) (b Batch, err error) {
	for i := range dropped {
		b.Dropped = append(b.Dropped, dropped[i].ID)
	}
	if len(filled) == 0 {
		b.Next = s
		return b, nil
	}
	b.Fills = make([]Fill, len(filled))
	for i, o := range filled {
		b.Fills[i] = Fill{o.ID, o.Deposit, proRata(tokens, o.Deposit, total)}
		b.Minted = b.Minted.Add(b.Fills[i].Tokens)
	}
	slices.SortFunc(b.Fills, func(x, y Fill) int { return bytes.Compare(x.ID[:], y.ID[:]) })
	b.Deposit, b.Dust = total, tokens.Sub(b.Minted)
	b.Next, err = s.AfterBuy(b.Deposit, b.Minted)
	if err != nil {
		return Batch{}, err
	}
	return b, nil
}

// strictestFirst returns a sorted copy of orders and the sum of their deposits.
func strictestFirst(orders []Order) (queue []Order, total Amount, err error) {
	queue = slices.Clone(orders)
	slices.SortFunc(queue, func(a, b Order) int {
		// need/deposit falling, compared crosswise
		x, y := mul128(u128(a.need()), u128(b.Deposit)), mul128(u128(b.need()), u128(a.Deposit))
		switch {
		case y.less(x):
			return -1
		case x.less(y):
			return 1
		default:
			return bytes.Compare(b.ID[:], a.ID[:])
		}
	})
	seen := make(map[OrderID]struct{}, len(queue))
	for _, o := range queue {
		if _, twice := seen[o.ID]; twice {
			return nil, Amount{}, fmt.Errorf("order %x: %w", o.ID, ErrDuplicateOrder)
		}
		seen[o.ID] = struct{}{}
		var over bool
		if total, over = total.AddOverflow(o.Deposit); over {
			return nil, Amount{}, fmt.Errorf("sum of %d deposits: %w", len(queue), ErrOverflow)
		}
	}
	return queue, total, nil
}

// need is the fewest tokens that the order accepts: paying for none is never
// what a collector wants.
func (o *Order) need() Amount {
	if o.MinOut.IsZero() {
		return NewAmount(1)
	}
	return o.MinOut
}

// proRata returns ⌊tokens·deposit/total⌋, for deposit ≤ total and total > 0: at
// most tokens, so it cannot overflow.
func proRata(tokens, deposit, total Amount) Amount {
	q, _ := divWords(mul128(u128(tokens), u128(deposit)), u128(total))
	return Amount{q[1], q[0]}
}
