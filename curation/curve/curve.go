package curve

import (
	"errors"
	"fmt"
)

// Ratio is a share in parts per million: 500_000 means one half.
type Ratio uint32

// PPM is the whole, as a Ratio.
const PPM Ratio = 1_000_000

// MinRatio and MaxRatio bound the reserve ratio of a curve.
const (
	MinRatio Ratio = 10_000
	MaxRatio Ratio = PPM
)

var (
	// ErrRatio reports a reserve ratio outside MinRatio..MaxRatio.
	ErrRatio = errors.New("reserve ratio out of range")
	// ErrNoSupply reports a curve without tokens: it has no price.
	ErrNoSupply = errors.New("supply is zero")
	// ErrNoReserve reports a curve without reserve, on which nothing can be bought.
	ErrNoReserve = errors.New("reserve is zero")
	// ErrNotEnoughSupply reports a sale of more tokens than there are.
	ErrNotEnoughSupply = errors.New("more tokens than the supply")
)

// State is one artwork's curve: its tokens, the credits behind them, and the
// share of the market value that the reserve covers. It is a value; trades
// return figures and leave it as it was.
type State struct {
	Supply  Amount // tokens in base units, above zero
	Reserve Amount // credits in base units
	Ratio   Ratio  // MinRatio..MaxRatio
}

// Validate returns ErrRatio, ErrNoSupply, ErrNoReserve, or nil for a curve that
// trades both ways.
func (s State) Validate() error {
	if err := s.check(); err != nil {
		return err
	}
	if s.Reserve.IsZero() {
		return ErrNoReserve
	}
	return nil
}

// check is what selling needs, too: somebody may leave an empty reserve.
func (s State) check() error {
	if s.Ratio < MinRatio || s.Ratio > MaxRatio {
		return fmt.Errorf("%d ppm, want %d to %d: %w", s.Ratio, MinRatio, MaxRatio, ErrRatio)
	}
	if s.Supply.IsZero() {
		return ErrNoSupply
	}
	return nil
}

// Buy returns the tokens that a deposit mints: ⌊S·((1 + d/R)^w − 1)⌋, exactly.
// It fails with ErrRatio, ErrNoSupply, ErrNoReserve, or with ErrOverflow when
// the result is not below 2^120. The state after the trade is AfterBuy.
func (s State) Buy(deposit Amount) (minted Amount, err error) {
	if err := s.Validate(); err != nil {
		return Amount{}, err
	}
	floor, _, err := s.grownSupply(deposit).floor()
	if err != nil {
		return Amount{}, err
	}
	return floor.sub(u128(s.Supply)).amount()
}

// Cost returns the smallest deposit that is worth the given tokens:
// ⌈R·((1 + m/S)^(1/w) − 1)⌉, exactly; Buy of it mints at least that many. It
// fails with ErrRatio, ErrNoSupply, ErrNoReserve, or with ErrOverflow when the
// result is not below 2^120.
func (s State) Cost(tokens Amount) (deposit Amount, err error) {
	if err := s.Validate(); err != nil {
		return Amount{}, err
	}
	ceil, exact, err := s.grownReserve(tokens).floor()
	if err != nil {
		return Amount{}, err
	}
	if !exact {
		ceil = ceil.add(u128{lo: 1})
	}
	return ceil.sub(u128(s.Reserve)).amount()
}

// Sell returns the credits that tokens redeem: ⌊R·(1 − (1 − t/S)^(1/w))⌋,
// exactly, and the whole reserve for the whole supply. It fails with ErrRatio,
// ErrNoSupply, or ErrNotEnoughSupply.
func (s State) Sell(tokens Amount) (payout Amount, err error) {
	if err := s.check(); err != nil {
		return Amount{}, err
	}
	switch tokens.Cmp(s.Supply) {
	case 1:
		return Amount{}, fmt.Errorf("sell %s of %s: %w", tokens.Credits(), s.Supply.InTokens(), ErrNotEnoughSupply)
	case 0:
		return s.Reserve, nil
	}
	if s.Reserve.IsZero() {
		return Amount{}, nil
	}
	ceil, exact, err := s.shrunkReserve(tokens).floor()
	if err != nil {
		return Amount{}, err
	}
	if !exact {
		ceil = ceil.add(u128{lo: 1})
	}
	return u128(s.Reserve).sub(ceil).amount()
}

// AfterBuy returns the state after a purchase: supply plus tokens, reserve plus
// deposit. It fails with ErrOverflow.
func (s State) AfterBuy(deposit, tokens Amount) (State, error) {
	supply, over := s.Supply.AddOverflow(tokens)
	if over {
		return State{}, fmt.Errorf("supply of %s plus %s: %w", s.Supply.Credits(), tokens.InTokens(), ErrOverflow)
	}
	reserve, over := s.Reserve.AddOverflow(deposit)
	if over {
		return State{}, fmt.Errorf("reserve of %s plus %s: %w", s.Reserve.Credits(), deposit.InCredits(), ErrOverflow)
	}
	return State{supply, reserve, s.Ratio}, nil
}

// AfterSell returns the state after a sale: supply minus tokens, reserve minus
// payout. It fails with ErrNotEnoughSupply, or ErrOverflow when the payout is
// above the reserve.
func (s State) AfterSell(tokens, payout Amount) (State, error) {
	supply, over := s.Supply.SubOverflow(tokens)
	if over {
		return State{}, fmt.Errorf("sell %s of %s: %w", tokens.Credits(), s.Supply.InTokens(), ErrNotEnoughSupply)
	}
	reserve, over := s.Reserve.SubOverflow(payout)
	if over {
		return State{}, fmt.Errorf("pay %s from a reserve of %s: %w", payout.Credits(), s.Reserve.InCredits(), ErrOverflow)
	}
	return State{supply, reserve, s.Ratio}, nil
}

// SpotPrice returns the marginal price of one whole token (Unit base units), in
// base units of credits, rounded up: ⌈Unit·R/(S·w)⌉. It fails with ErrRatio,
// ErrNoSupply, or ErrOverflow.
func (s State) SpotPrice() (Amount, error) {
	if err := s.check(); err != nil {
		return Amount{}, err
	}
	// R·Unit·PPM needs up to 170 bits and S·w up to 140: divide in two steps,
	// ⌈⌈a/b⌉/c⌉ = ⌈a/(b·c)⌉ for integers.
	n := mul128(u128(s.Reserve), u128{lo: Unit * uint64(PPM)})
	q, r := divWords(n, u128(s.Supply))
	q = q.ceil(r)
	q, r = divWords(q, u128{lo: uint64(s.Ratio)})
	q = q.ceil(r)
	if q[2]|q[3] != 0 {
		return Amount{}, ErrOverflow
	}
	return u128{q[1], q[0]}.amount()
}

// grownSupply is S·(1 + d/R)^w.
func (s State) grownSupply(deposit Amount) power {
	p, q := lowest(s.Ratio)
	return power{scale: u128(s.Supply), num: u128(s.Reserve).add(u128(deposit)), den: u128(s.Reserve), p: p, q: q}
}

// grownReserve is R·(1 + m/S)^(1/w).
func (s State) grownReserve(tokens Amount) power {
	p, q := lowest(s.Ratio)
	return power{scale: u128(s.Reserve), num: u128(s.Supply).add(u128(tokens)), den: u128(s.Supply), p: q, q: p}
}

// shrunkReserve is R·(1 − t/S)^(1/w), for t below S.
func (s State) shrunkReserve(tokens Amount) power {
	p, q := lowest(s.Ratio)
	return power{scale: u128(s.Reserve), num: u128(s.Supply), den: u128(s.Supply.Sub(tokens)), p: q, q: p, inverse: true}
}

// lowest returns w/10^6 in lowest terms.
func lowest(w Ratio) (p, q uint64) {
	g, r := uint64(PPM), uint64(w)
	for r != 0 {
		g, r = r, g%r
	}
	return uint64(w) / g, uint64(PPM) / g
}
