package curve

import "fmt"

// Of returns ⌊a·r/10^6⌋, the share r of a, rounded down. It cannot overflow for
// r ≤ PPM; above it panics when the product does.
func (r Ratio) Of(a Amount) Amount {
	q, _ := r.of(a)
	return q
}

// OfCeil is Of, rounded up.
func (r Ratio) OfCeil(a Amount) Amount {
	q, exact := r.of(a)
	if exact {
		return q
	}
	return q.Add(NewAmount(1))
}

func (r Ratio) of(a Amount) (q Amount, exact bool) {
	quo, rem := divWords(mul128(u128(a), u128{lo: uint64(r)}), u128{lo: uint64(PPM)})
	q, over := inRange(quo[1], quo[0])
	if over || quo[2] != 0 {
		panic(fmt.Sprintf("curve: %d ppm of %v leaves the range of amounts", r, a))
	}
	return q, rem == (u128{})
}

// Tribute splits an amount: each rate takes its share rounded down, and the rest
// keeps what is left, fractions included, so that shares and rest sum to the
// amount and nobody is charged more than the rate. It fails with ErrRatio when
// the rates sum to more than PPM.
func Tribute(amount Amount, rates ...Ratio) (shares []Amount, rest Amount, err error) {
	total := uint64(0)
	for _, r := range rates {
		total += uint64(r) // at most 2^32 each: no program passes 2^32 rates
	}
	if total > uint64(PPM) {
		return nil, Amount{}, fmt.Errorf("shares sum to %d ppm: %w", total, ErrRatio)
	}
	shares, rest = make([]Amount, len(rates)), amount
	for i, r := range rates {
		shares[i] = r.Of(amount)
		rest = rest.Sub(shares[i])
	}
	return shares, rest, nil
}

// Score ranks an artwork by breadth of backing: (Σ ⌊√cost⌋)², with one cost in
// base units per identity, net of tribute. Many small backers weigh more than
// one large one; n equal backers weigh n times one that pays their sum. The
// order of costs is irrelevant, a zero cost adds nothing. It fails with
// ErrOverflow when the score is not below 2^120, which costs that sum to less
// than 2^106 cannot reach among 2^14 identities. Source: Buterin, Hitzig, Weyl,
// "A Flexible Design for Funding Public Goods", 2018.
func Score(costs []Amount) (Amount, error) {
	var sum Amount
	for _, c := range costs {
		sum = sum.Add(NewAmount(c.Sqrt())) // 2^60 each: a slice cannot hold enough to pass 2^120
	}
	root, ok := sum.Uint64()
	if !ok {
		return Amount{}, fmt.Errorf("score of %d costs: %w", len(costs), ErrOverflow)
	}
	score, over := sum.MulOverflow(root)
	if over {
		return Amount{}, fmt.Errorf("score of %d costs: %w", len(costs), ErrOverflow)
	}
	return score, nil
}
