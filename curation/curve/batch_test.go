package curve

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func orderID(n uint64) (id OrderID) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

// anyBatch draws a curve and orders whose limits lie around the price.
func anyBatch(t *rapid.T) (State, []Order) {
	s := lively(t)
	orders := make([]Order, rapid.IntRange(0, 12).Draw(t, "orders"))
	for i := range orders {
		d := portion(t, s.Reserve, "deposit")
		alone, err := s.Buy(d)
		require.NoError(t, err)
		min := portion(t, alone, "limit")
		if rapid.Bool().Draw(t, "greedy") {
			min = alone
		}
		orders[i] = Order{orderID(uint64(i)), d, min}
	}
	return s, orders
}

func TestBatchLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, orders := anyBatch(t)
		batch, err := ClearBatch(s, orders)
		require.NoError(t, err)

		byID := map[OrderID]Order{}
		for _, o := range orders {
			byID[o.ID] = o
		}
		require.Len(t, orders, len(batch.Fills)+len(batch.Dropped), "every order is filled or dropped")
		var deposit, minted Amount
		var kept []Order
		for i, f := range batch.Fills {
			o := byID[f.ID]
			require.Equal(t, o.Deposit, f.Deposit)
			require.False(t, f.Tokens.Less(o.MinOut), "a fill below its own limit")
			require.False(t, f.Tokens.IsZero(), "a fill of nothing")
			require.True(t, i == 0 || bytes.Compare(batch.Fills[i-1].ID[:], f.ID[:]) < 0, "fills in order of ID")
			deposit, minted = deposit.Add(f.Deposit), minted.Add(f.Tokens)
			kept = append(kept, o)
		}
		require.Equal(t, deposit, batch.Deposit)
		require.Equal(t, minted, batch.Minted)
		if len(kept) > 0 {
			require.True(t, batch.Dust.Less(NewAmount(uint64(len(kept)))), "dust of %v", batch.Dust)
			worth, err := s.Buy(deposit)
			require.NoError(t, err)
			require.Equal(t, worth, minted.Add(batch.Dust))
		}
		next, err := s.AfterBuy(deposit, minted)
		require.NoError(t, err)
		require.Equal(t, next, batch.Next)

		for i, f := range batch.Fills {
			alone, err := s.Buy(f.Deposit)
			require.NoError(t, err)
			require.False(t, alone.Less(f.Tokens), "more than alone")
			before, err := s.Buy(deposit.Sub(f.Deposit))
			require.NoError(t, err)
			others, err := s.AfterBuy(deposit.Sub(f.Deposit), before)
			require.NoError(t, err)
			last, err := others.Buy(f.Deposit)
			require.NoError(t, err)
			require.False(t, f.Tokens.Add(NewAmount(1)).Less(last), "more than one unit less than the last in line")
			for _, g := range batch.Fills[:i] {
				if f.Deposit == g.Deposit {
					require.Equal(t, f.Tokens, g.Tokens)
				} else {
					require.Equal(t, f.Deposit.Less(g.Deposit), f.Tokens.Less(g.Tokens) || f.Deposit.Less(g.Deposit) && f.Tokens == g.Tokens,
						"a larger deposit got fewer tokens")
				}
			}
		}
		back, err := batch.Next.Sell(minted)
		require.NoError(t, err)
		require.False(t, deposit.Less(back), "selling the batch back profits")

		again, err := ClearBatch(s, kept)
		require.NoError(t, err)
		require.Empty(t, again.Dropped)
		require.Equal(t, batch.Fills, again.Fills)

		shuffled := rapid.Permutation(orders).Draw(t, "shuffled")
		untouched := slices.Clone(shuffled)
		other, err := ClearBatch(s, shuffled)
		require.NoError(t, err)
		require.Equal(t, batch, other, "the order of the input matters")
		require.Equal(t, untouched, shuffled, "the input was changed")
	})
}

func TestTheOrderThatFellLastWouldFailInTheFinalBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, orders := anyBatch(t)
		batch, err := ClearBatch(s, orders)
		require.NoError(t, err)
		if len(batch.Dropped) == 0 {
			return
		}
		last := orders[slices.IndexFunc(orders, func(o Order) bool { return o.ID == batch.Dropped[len(batch.Dropped)-1] })]
		if last.Deposit.IsZero() {
			return
		}
		total := batch.Deposit.Add(last.Deposit)
		tokens, err := s.Buy(total)
		require.NoError(t, err)
		require.True(t, proRata(tokens, last.Deposit, total).Less(last.need()))
	})
}

func TestBatchCases(t *testing.T) {
	s := State{NewAmount(1_000_000), NewAmount(1_000_000), 500_000}
	order := func(id, deposit, min uint64) Order {
		return Order{orderID(id), NewAmount(deposit), NewAmount(min)}
	}
	for _, c := range []struct {
		name    string
		orders  []Order
		fills   map[uint64]uint64
		dropped []uint64
		dust    uint64
		err     error
	}{
		{"nobody", nil, nil, nil, 0, nil},
		{"one buyer gets what the curve gives", []Order{order(1, 3_000_000, 1_000_000)}, map[uint64]uint64{1: 1_000_000}, nil, 0, nil},
		{"one unit short", []Order{order(1, 2_999_999, 1_000_000)}, nil, []uint64{1}, 0, nil},
		{"equal deposits share, the odd token is dust", []Order{order(1, 1_000_000, 0), order(2, 1_000_000, 0), order(3, 1_000_000, 0)},
			map[uint64]uint64{1: 333_333, 2: 333_333, 3: 333_333}, nil, 1, nil},
		{"a strict limit drops and the others get more", []Order{order(1, 1_500_000, 500_001), order(2, 1_500_000, 500_000)},
			map[uint64]uint64{2: 581_138}, []uint64{1}, 0, nil},
		{"of equally strict ones the largest ID drops first", []Order{order(1, 1_500_000, 500_001), order(2, 1_500_000, 500_001)},
			map[uint64]uint64{1: 581_138}, []uint64{2}, 0, nil},
		{"an order of nothing drops", []Order{order(1, 0, 0), order(2, 3_000_000, 0)}, map[uint64]uint64{2: 1_000_000}, []uint64{1}, 0, nil},
		{"only orders of nothing", []Order{order(1, 0, 0), order(2, 0, 5)}, nil, []uint64{2, 1}, 0, nil},
		{"a deposit that buys no token drops", []Order{order(1, 1, 0)}, nil, []uint64{1}, 0, nil},
		{"an order twice", []Order{order(1, 10, 0), order(1, 10, 0)}, nil, nil, 0, ErrDuplicateOrder},
		{"the same ID with other limits", []Order{order(1, 10, 0), order(2, 10, 0), order(1, 10, 9)}, nil, nil, 0, ErrDuplicateOrder},
		{"deposits beyond the range", []Order{{orderID(1), MaxAmount, Amount{}}, order(2, 1, 0)}, nil, nil, 0, ErrOverflow},
		{"a reserve beyond the range", []Order{{orderID(1), MaxAmount, Amount{}}}, nil, nil, 0, ErrOverflow},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := ClearBatch(s, c.orders)
			require.ErrorIs(t, err, c.err)
			if c.err != nil {
				require.Zero(t, b)
				return
			}
			require.Len(t, b.Fills, len(c.fills))
			for _, f := range b.Fills {
				require.Equal(t, NewAmount(c.fills[binary.BigEndian.Uint64(f.ID[:])]), f.Tokens)
			}
			var dropped []uint64
			for _, id := range b.Dropped {
				dropped = append(dropped, binary.BigEndian.Uint64(id[:]))
			}
			require.Equal(t, c.dropped, dropped)
			require.Equal(t, NewAmount(c.dust), b.Dust)
		})
	}
	_, err := ClearBatch(State{Ratio: 500_000}, nil)
	require.ErrorIs(t, err, ErrNoSupply)
}

// BenchmarkBatch clears 10,000 orders, the design's size: when all are content,
// and when each in turn drops out, the most work that orders can cause.
func BenchmarkBatch(b *testing.B) {
	states, amounts := typicalTrades(3, 1<<14, 500_000)
	for _, c := range []struct {
		name string
		min  Amount
	}{{"content", Amount{}}, {"all dropped", MaxAmount}} {
		orders := make([]Order, 10_000)
		for i := range orders {
			orders[i] = Order{orderID(uint64(i)), amounts[i], c.min}
		}
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := ClearBatch(states[0], orders); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
