package curve

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// lively draws a curve and amounts whose trades stay in range.
func lively(t *rapid.T) State {
	amount := rapid.Custom(func(t *rapid.T) Amount {
		bits := rapid.IntRange(1, 90).Draw(t, "bits")
		a := Amount(u128{rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")})
		if bits <= 64 {
			a = Amount{0, a.lo>>(64-bits) | 1}
		} else {
			a.hi >>= 128 - bits
			a.lo |= 1
		}
		return a
	})
	return State{amount.Draw(t, "supply"), amount.Draw(t, "reserve"), anyRatio().Draw(t, "ratio")}
}

func portion(t *rapid.T, of Amount, label string) Amount {
	return Ratio(rapid.Uint32Range(0, uint32(PPM)).Draw(t, label)).Of(of)
}

func TestBuyingAndSellingBackNeverProfits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := lively(t)
		d := portion(t, s.Reserve, "deposit").Mul(3)
		minted, err := s.Buy(d)
		require.NoError(t, err)
		next, err := s.AfterBuy(d, minted)
		require.NoError(t, err)
		back, err := next.Sell(minted)
		require.NoError(t, err)
		require.False(t, d.Less(back), "deposited %v, got back %v", d, back)
	})
}

func TestAnyWalkThatReturnsToItsSupplyLeavesNoLessReserve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := lively(t)
		s := start
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			if rapid.Bool().Draw(t, "buys") {
				d := portion(t, s.Reserve, "deposit")
				minted, err := s.Buy(d)
				require.NoError(t, err)
				s, err = s.AfterBuy(d, minted)
				require.NoError(t, err)
				continue
			}
			tokens := portion(t, s.Supply, "tokens")
			if tokens == s.Supply {
				continue
			}
			pay, err := s.Sell(tokens)
			require.NoError(t, err)
			s, err = s.AfterSell(tokens, pay)
			require.NoError(t, err)
		}
		if s.Supply.Less(start.Supply) {
			m := start.Supply.Sub(s.Supply)
			cost, err := s.Cost(m)
			if err != nil { // the walk left hardly any supply, so returning costs more than there is
				require.ErrorIs(t, err, ErrOverflow)
				return
			}
			s, err = s.AfterBuy(cost, m)
			require.NoError(t, err)
		} else {
			m := s.Supply.Sub(start.Supply)
			pay, err := s.Sell(m)
			require.NoError(t, err)
			s, err = s.AfterSell(m, pay)
			require.NoError(t, err)
		}
		require.Equal(t, start.Supply, s.Supply)
		require.False(t, s.Reserve.Less(start.Reserve), "from %v to %v", start, s)
	})
}

func TestSplittingAPurchaseNeverHelps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := lively(t)
		a, b := portion(t, s.Reserve, "first"), portion(t, s.Reserve, "second")
		whole, err := s.Buy(a.Add(b))
		require.NoError(t, err)
		x, err := s.Buy(a)
		require.NoError(t, err)
		next, err := s.AfterBuy(a, x)
		require.NoError(t, err)
		y, err := next.Buy(b)
		require.NoError(t, err)
		require.False(t, whole.Less(x.Add(y)))
	})
}

func TestCostAndBuyAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := lively(t)
		m := portion(t, s.Supply, "tokens")
		cost, err := s.Cost(m)
		if err != nil {
			require.ErrorIs(t, err, ErrOverflow)
			return
		}
		minted, err := s.Buy(cost)
		require.NoError(t, err)
		require.False(t, minted.Less(m), "the cost of %v buys %v", m, minted)
		if cost.IsZero() {
			return
		}
		fewer, err := s.Buy(cost.Sub(NewAmount(1)))
		require.NoError(t, err)
		require.True(t, fewer.Less(m), "one unit below the cost of %v still buys %v", m, fewer)
	})
}

func TestMoreInIsNeverLessOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := lively(t)
		for _, op := range []string{"buy", "cost", "sell"} {
			a := portion(t, s.Supply, "small")
			b := a.Add(portion(t, s.Supply.Sub(a), "more"))
			x, err := trade(op, s, a)
			if err != nil {
				require.ErrorIs(t, err, ErrOverflow)
				continue
			}
			y, err := trade(op, s, b)
			if err != nil {
				require.ErrorIs(t, err, ErrOverflow)
				continue
			}
			require.False(t, y.Less(x), "%s %v gives %v, %v gives %v", op, a, x, b, y)
		}
	})
}

func TestALargerRatioMintsNoFewer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := lively(t)
		d := portion(t, s.Reserve, "deposit")
		x, err := s.Buy(d)
		require.NoError(t, err)
		s.Ratio = Ratio(rapid.Uint32Range(uint32(s.Ratio), uint32(MaxRatio)).Draw(t, "larger"))
		y, err := s.Buy(d)
		require.NoError(t, err)
		require.False(t, y.Less(x))
	})
}
