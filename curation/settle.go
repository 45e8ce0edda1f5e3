package curation

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// candidate is an artwork in the settlement of its round.
type candidate struct {
	artwork  Artwork
	orders   []*Order // readable ones, by index
	cleared  curve.Batch
	backing  Amount             // what fills paid, net of tribute
	costs    map[Address]Amount // the same by account
	reason   string             // why no order could be cleared
	position int                // in the round
}

// settle decides a round exactly once: it reads the opened orders, clears each
// candidate's batch on its own curve, ranks by score, publishes the best, and
// refunds the rest. Every credit that the round locked leaves its lock here. A round
// of orders that say nothing decides nothing: its candidates wait for another one.
func (x *execution) settle(round Round, opened []seal.Opened) {
	candidates := make([]*candidate, len(round.Candidates))
	byRID := map[Hash]*candidate{}
	for i, rid := range round.Candidates {
		a := must2(load[Artwork](x.block, keyArtwork(rid)))
		candidates[i] = &candidate{artwork: a, costs: map[Address]Amount{}, position: i}
		byRID[rid] = candidates[i]
	}
	readable := 0
	for i := range opened {
		o := must2(load[Order](x.block, keyOrder(round.Number, i)))
		if reason := x.read(&o, opened[i], byRID); reason != "" {
			x.forfeit(&round, o, reason)
			continue
		}
		readable++
		c := byRID[o.RID]
		c.orders = append(c.orders, &o)
	}
	if len(opened) > 0 && readable == 0 {
		x.failRound(round, "no order could be read")
		return
	}
	for _, c := range candidates {
		x.clear(c)
		round.Backing = round.Backing.Add(c.backing)
	}
	x.rank(candidates, round.Backing)
	for rank, c := range candidates {
		published := uint64(rank) < x.params().MaxPublished && !c.artwork.Score.IsZero()
		c.artwork.Settled, c.artwork.Ended = x.height, x.height
		if published {
			x.publish(&round, c, rank+1)
		} else {
			x.decline(c, rank+1)
		}
	}
	x.forgetOpenings(round)
	round.Phase, round.Settled = RoundSettled, x.height
	x.saveRound(round)
	x.learned(round)
	x.emit(EventRoundSettled, round.Number, round.Published, round.Backing, round.TreasuryTribute, round.MakerTribute)
}

// read fills in what an opened order says, and returns why it cannot count.
func (x *execution) read(o *Order, opened seal.Opened, candidates map[Hash]*candidate) (reason string) {
	if opened.Err != nil {
		return "the sealed box does not open"
	}
	plain, err := ParseOpenOrder(opened.Plaintext)
	if err != nil {
		return "the sealed box holds no order"
	}
	if plain.Account != o.Account {
		return "the order was sealed by another account"
	}
	o.RID, o.Deposit, o.MinOut = plain.RID, plain.Deposit, plain.MinOut
	x.emit(EventOrderOpened, o.Round, o.Index, o.Account, o.RID, o.Deposit, o.MinOut)
	switch {
	case candidates[o.RID] == nil:
		return "the artwork is not in this round"
	case o.Escrow.Less(o.Deposit):
		return "the deposit is above the escrow"
	}
	return ""
}

// orderID names an order for the curve's tie-breaks. The sender does not choose
// it: it comes from the position that consensus gave the order.
func orderID(o *Order) curve.OrderID {
	return curve.OrderID(hash("order", number(o.Round), number(uint64(o.Index))))
}

// firstState is the curve of an artwork before any backing: the request's deposit
// behind tokens that nobody holds.
func (p Params) firstState(deposit Amount) curve.State {
	return curve.State{Supply: p.LockedSupply, Reserve: deposit, Ratio: p.ReserveRatioPPM}
}

// split divides a backing's deposit into the tributes and what reaches the curve.
func (p Params) split(deposit Amount) (treasury, maker, net Amount) {
	shares, net, err := curve.Tribute(deposit, p.TreasuryTributePPM, p.MakerTributePPM)
	if err != nil { // Validate bounds both
		panic(err)
	}
	return shares[0], shares[1], net
}

// clear computes a candidate's batch and marks what each order gets.
func (x *execution) clear(c *candidate) {
	batch := make([]curve.Order, len(c.orders))
	byID := map[curve.OrderID]*Order{}
	for i, o := range c.orders {
		_, _, net := x.params().split(o.Deposit)
		batch[i] = curve.Order{ID: orderID(o), Deposit: net, MinOut: o.MinOut}
		byID[batch[i].ID] = o
	}
	cleared, err := curve.ClearBatch(x.params().firstState(c.artwork.Deposit), batch)
	if err != nil {
		c.reason = "the orders together leave the range of amounts"
		return
	}
	c.cleared, c.backing = cleared, cleared.Deposit
	for _, fill := range cleared.Fills {
		o := byID[fill.ID]
		o.Status, o.Cost, o.Tokens = OrderFilled, fill.Deposit, fill.Tokens
		c.costs[o.Account] = c.costs[o.Account].Add(fill.Deposit)
	}
	c.artwork.Backing, c.artwork.Backers = c.backing, len(c.costs)
}

// rank scores the candidates and sorts them: by score, then by backing, then by
// the order of their audits. One account counts for at most IdentityCapPPM of
// all backing in the round.
func (x *execution) rank(candidates []*candidate, total Amount) {
	most := x.params().IdentityCapPPM.OfCeil(total)
	for _, c := range candidates {
		costs := make([]Amount, 0, len(c.costs))
		for _, cost := range c.costs { // the order does not matter to Score
			costs = append(costs, cost.Min(most))
		}
		score, err := curve.Score(costs)
		if err != nil { // needs more credits than can exist
			score = curve.MaxAmount
		}
		c.artwork.Score = score
	}
	slices.SortFunc(candidates, func(a, b *candidate) int {
		return cmp.Or(b.artwork.Score.Cmp(a.artwork.Score), b.backing.Cmp(a.backing), cmp.Compare(a.position, b.position))
	})
}

// publish makes the candidate's curve real.
func (x *execution) publish(round *Round, c *candidate, rank int) {
	a := &c.artwork
	maker := must2(load[Member](x.st, keyMember(a.Generator))).Account
	var pay Amount
	for _, o := range c.orders {
		if o.Status != OrderFilled {
			x.refund(*o, "the price moved past the order's limit")
			continue
		}
		treasuryShare, makerShare, _ := x.params().split(o.Deposit)
		o.Tribute, o.Refund = treasuryShare.Add(makerShare), o.Escrow.Sub(o.Deposit)
		x.unlock(o.Account, o.Escrow, o.Refund)
		x.st.Delete(indexEscrow(*o))
		x.tribute(treasuryShare)
		round.TreasuryTribute = round.TreasuryTribute.Add(treasuryShare)
		pay = pay.Add(makerShare)
		x.hold(a.RID, o)
		save(x.st, keyOrder(o.Round, o.Index), *o)
		x.emit(EventOrderFilled, o.Round, o.Index, o.Account, o.RID, o.Cost, o.Tribute, o.Tokens, o.Refund)
	}
	x.credit(maker, pay)
	round.MakerTribute = round.MakerTribute.Add(pay)
	x.unlock(a.Requester, a.Deposit, Amount{}) // it is the first reserve now
	next := c.cleared.Next
	save(x.st, keyMarket(a.RID), Market{RID: a.RID, Maker: maker, RatioPPM: next.Ratio, Supply: next.Supply,
		Locked: x.params().LockedSupply, Reserve: next.Reserve, Published: x.height})
	a.Status = StatusPublished
	x.saveArtwork(*a)
	round.Published = append(round.Published, a.RID)
	x.emit(EventArtworkPublished, a.RID, a.CID, round.Number, rank, a.Score, a.Backing, a.Backers, next.Supply, next.Reserve, maker, pay)
}

// hold gives an order's tokens to its account.
func (x *execution) hold(rid Hash, o *Order) {
	k := keyHolding(rid, o.Account)
	h, _ := load[Holding](x.st, k)
	h.RID, h.Account = rid, o.Account
	h.Tokens, h.Paid = h.Tokens.Add(o.Tokens), h.Paid.Add(o.Deposit)
	save(x.st, k, h)
	x.st.Set(indexHolder(o.Account, rid), present)
}

// decline gives everything back that stood on a candidate.
func (x *execution) decline(c *candidate, rank int) {
	a := &c.artwork
	for _, o := range c.orders { // none of them is at fault
		reason := "the artwork was not published"
		if c.reason != "" {
			reason = c.reason
		} else if o.Status != OrderFilled {
			reason = "the price moved past the order's limit"
		}
		o.Cost, o.Tokens = Amount{}, Amount{}
		x.refund(*o, reason)
	}
	reason := "the round chose others"
	if a.Score.IsZero() {
		reason = "nobody backed it"
	}
	x.declineArtwork(*a, rank, reason)
}

// declineArtwork ends an artwork and gives its deposit back. Rank 0 is none.
func (x *execution) declineArtwork(a Artwork, rank int, reason string) {
	x.unlock(a.Requester, a.Deposit, a.Deposit)
	a.Status, a.Reason = StatusDeclined, reason
	x.saveArtwork(a)
	x.emit(EventArtworkDeclined, a.RID, a.CID, a.Round, rank, a.Score, a.Backing, a.Deposit, a.Reason)
}

func (x *execution) sell(signer Address, p Sell) error {
	market, ok := load[Market](x.st, keyMarket(p.RID))
	if !ok {
		return refuse(CodeUnknown, "artwork %v has no market: only what is published can be sold", p.RID)
	}
	k := keyHolding(p.RID, signer)
	holding, _ := load[Holding](x.st, k)
	left, short := holding.Tokens.SubOverflow(p.Tokens)
	if short {
		return refuse(CodeFunds, "you hold %s, the sale needs %s: sell less", holding.Tokens.InTokens(), p.Tokens.Credits())
	}
	quote, err := QuoteSell(*x.params(), market, p.Tokens)
	if err != nil {
		return refuse(CodeLimit, "%v", err)
	}
	if quote.Payout.Less(p.MinOut) {
		return refuse(CodeLimit, "the sale of %s pays %s, your limit is %s: price moved past limit", p.Tokens.InTokens(), quote.Payout.InCredits(), p.MinOut.Credits())
	}
	if holding.Tokens = left; left.IsZero() {
		x.st.Delete(k)
		x.st.Delete(indexHolder(signer, p.RID))
	} else {
		save(x.st, k, holding)
	}
	market.Supply, market.Reserve, market.Sales = quote.After.Supply, quote.After.Reserve, market.Sales+1
	save(x.st, keyMarket(p.RID), market)
	x.credit(signer, quote.Payout)
	x.tribute(quote.Tribute)
	x.emit(EventMarketSold, p.RID, signer, p.Tokens, quote.Payout, quote.Tribute, market.Supply, market.Reserve)
	return nil
}

// Quote is what a trade would do.
type Quote struct {
	Tokens  Amount      // bought or sold
	Cost    Amount      // of a backing: what reaches the curve
	Payout  Amount      // of a sale: what reaches the seller
	Tribute Amount      // to treasury and maker
	After   curve.State // the curve afterwards
	Price   Amount      // spot price of one whole token afterwards, rounded up
}

// QuoteBack is what a deposit would buy of a candidate if it were the only order
// of its batch. Others in the batch raise the price, so this is the most it can
// get; MinOut guards against getting much less. requestDeposit is Artwork.Deposit.
func QuoteBack(p Params, requestDeposit, deposit Amount) (Quote, error) {
	treasury, maker, net := p.split(deposit)
	first := p.firstState(requestDeposit)
	tokens, err := first.Buy(net)
	if err != nil {
		return Quote{}, fmt.Errorf("back with %s: %w", deposit.InCredits(), err)
	}
	after, err := first.AfterBuy(net, tokens)
	if err != nil {
		return Quote{}, fmt.Errorf("back with %s: %w", deposit.InCredits(), err)
	}
	return priced(Quote{Tokens: tokens, Cost: net, Tribute: treasury.Add(maker), After: after})
}

// QuoteSell is what selling tokens would pay at the market's present state. The
// locked tokens cannot be sold.
func QuoteSell(p Params, m Market, tokens Amount) (Quote, error) {
	if held := m.Supply.Sub(m.Locked); held.Less(tokens) {
		return Quote{}, fmt.Errorf("sell %s: all holders together have %s: %w", tokens.InTokens(), held.Credits(), curve.ErrNotEnoughSupply)
	}
	gross, err := m.State().Sell(tokens)
	if err != nil {
		return Quote{}, fmt.Errorf("sell %s: %w", tokens.InTokens(), err)
	}
	after, err := m.State().AfterSell(tokens, gross)
	if err != nil {
		return Quote{}, fmt.Errorf("sell %s: %w", tokens.InTokens(), err)
	}
	shares, net, err := curve.Tribute(gross, p.ExitTributePPM)
	if err != nil {
		return Quote{}, err
	}
	return priced(Quote{Tokens: tokens, Payout: net, Tribute: shares[0], After: after})
}

func priced(q Quote) (Quote, error) {
	price, err := q.After.SpotPrice()
	q.Price = price
	return q, err
}
