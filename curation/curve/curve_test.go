package curve

import (
	"encoding/csv"
	"math/big"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestVectors replays trades whose results testdata/vectors.py found with
// Python's decimal arithmetic of 420 digits and exact integer powers.
func TestVectors(t *testing.T) {
	widened := 0
	for _, row := range readVectors(t) {
		ratio, err := parseRatio(row[3])
		require.NoError(t, err)
		s := State{amountOf(row[1]), amountOf(row[2]), ratio}
		got, err := trade(row[0], s, amountOf(row[4]))
		if row[5] == "" {
			require.ErrorIs(t, err, ErrOverflow, "%v", row)
			continue
		}
		require.NoError(t, err, "%v", row)
		require.Equal(t, row[5], got.String(), "%v", row)
		if leavesKernel(row[0], s, amountOf(row[4])) {
			widened++
		}
	}
	require.Greater(t, widened, 60, "the vectors must reach the wide path, too")
}

func readVectors(t *testing.T) [][]string {
	f, err := os.Open("testdata/vectors.csv")
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 1201)
	return rows[1:]
}

func TestTradesOnTheEdge(t *testing.T) {
	mega := NewAmount(1_000_000)
	for _, c := range []struct {
		name   string
		op     string
		state  State
		amount Amount
		want   string
		err    error
	}{
		{"four times the reserve doubles the supply at one half", "buy", State{mega, mega, 500_000}, NewAmount(3_000_000), "1000000", nil},
		{"one unit short of four times mints one token fewer", "buy", State{mega, mega, 500_000}, NewAmount(2_999_999), "999999", nil},
		{"one unit above four times mints no more", "buy", State{mega, mega, 500_000}, NewAmount(3_000_001), "1000000", nil},
		{"doubling the supply costs three reserves at one half", "cost", State{mega, mega, 500_000}, mega, "3000000", nil},
		{"one token more costs its marginal price, rounded up", "cost", State{mega, mega, 500_000}, NewAmount(1_000_001), "3000005", nil},
		{"selling half at one half pays three quarters", "sell", State{NewAmount(2_000_000), NewAmount(4_000_000), 500_000}, mega, "3000000", nil},
		{"one token short of half pays less than three quarters", "sell", State{NewAmount(2_000_000), NewAmount(4_000_000), 500_000}, NewAmount(999_999), "2999997", nil},
		{"a deposit too small for a token mints none", "buy", State{NewAmount(10), mega, 500_000}, NewAmount(1), "0", nil},
		{"a token too small for a credit still costs one", "cost", State{mega, NewAmount(1), 500_000}, NewAmount(1), "1", nil},
		{"a token too small for a credit pays none", "sell", State{mega, NewAmount(1), 500_000}, NewAmount(1), "0", nil},
		{"nothing buys nothing", "buy", State{mega, mega, 333_333}, Amount{}, "0", nil},
		{"nothing costs nothing", "cost", State{mega, mega, 333_333}, Amount{}, "0", nil},
		{"nothing sold pays nothing", "sell", State{mega, mega, 333_333}, Amount{}, "0", nil},
		{"selling all pays the reserve", "sell", State{mega, NewAmount(777), 123_457}, mega, "777", nil},
		{"all but one token leaves its share, rounded up", "sell", State{mega, NewAmount(777), 10_000}, NewAmount(999_999), "776", nil},
		{"an empty reserve pays nothing", "sell", State{mega, Amount{}, 500_000}, mega, "0", nil},
		{"an empty reserve pays nothing for a part either", "sell", State{mega, Amount{}, 500_000}, NewAmount(7), "0", nil},
		{"a flat curve mints in proportion", "buy", State{NewAmount(300), NewAmount(100), PPM}, NewAmount(7), "21", nil},
		{"a flat curve mints in proportion, rounded down", "buy", State{NewAmount(100), NewAmount(300), PPM}, NewAmount(8), "2", nil},
		{"a flat curve charges in proportion, rounded up", "cost", State{NewAmount(300), NewAmount(100), PPM}, NewAmount(7), "3", nil},
		{"a flat curve pays in proportion, rounded down", "sell", State{NewAmount(300), NewAmount(100), PPM}, NewAmount(7), "2", nil},
		{"the largest of everything", "buy", State{MaxAmount, MaxAmount, PPM}, MaxAmount, MaxAmount.String(), nil},
		{"the largest of everything, sold", "sell", State{MaxAmount, MaxAmount, MinRatio}, MaxAmount, MaxAmount.String(), nil},
		{"the hundredth power of two", "cost", State{NewAmount(5), NewAmount(3), MinRatio}, NewAmount(5), "3802951800684688204490109616125", nil},
		{"the hundredth power of three is too much", "cost", State{NewAmount(5), NewAmount(3), MinRatio}, NewAmount(10), "", ErrOverflow},
		{"one token more than fit", "buy", State{MaxAmount, NewAmount(1), PPM}, NewAmount(2), "", ErrOverflow},
		{"no supply to buy from", "buy", State{Amount{}, mega, 500_000}, mega, "", ErrNoSupply},
		{"no supply to price", "cost", State{Amount{}, mega, 500_000}, mega, "", ErrNoSupply},
		{"no supply to sell", "sell", State{Amount{}, mega, 500_000}, Amount{}, "", ErrNoSupply},
		{"no reserve to buy into", "buy", State{mega, Amount{}, 500_000}, mega, "", ErrNoReserve},
		{"no reserve to price by", "cost", State{mega, Amount{}, 500_000}, mega, "", ErrNoReserve},
		{"one token more than there are", "sell", State{mega, mega, 500_000}, NewAmount(1_000_001), "", ErrNotEnoughSupply},
		{"a ratio of zero", "buy", State{mega, mega, 0}, mega, "", ErrRatio},
		{"a ratio just below the smallest", "cost", State{mega, mega, MinRatio - 1}, mega, "", ErrRatio},
		{"a ratio just above one", "sell", State{mega, mega, MaxRatio + 1}, mega, "", ErrRatio},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := trade(c.op, c.state, c.amount)
			require.ErrorIs(t, err, c.err)
			if c.err == nil {
				require.Equal(t, c.want, got.String())
				requireExact(t, c.op, c.state, c.amount)
			}
		})
	}
}

func TestHardTradesAreExact(t *testing.T) {
	for _, c := range hardTrades() {
		t.Run(c.name, func(t *testing.T) { requireExact(t, c.op, c.state, c.amount) })
	}
}

func TestSpotPriceIsTheMarginalPriceRoundedUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyState().Draw(t, "state")
		n := new(big.Int).Mul(s.Reserve.Big(), big.NewInt(Unit*int64(PPM)))
		d := new(big.Int).Mul(s.Supply.Big(), big.NewInt(int64(s.Ratio)))
		want := n.Add(n, d).Sub(n, big.NewInt(1)).Quo(n, d)
		got, err := s.SpotPrice()
		if want.BitLen() > AmountBits {
			require.ErrorIs(t, err, ErrOverflow)
			return
		}
		require.NoError(t, err)
		require.Equal(t, want.String(), got.String())
	})
	_, err := State{Amount{}, NewAmount(1), 500_000}.SpotPrice()
	require.ErrorIs(t, err, ErrNoSupply)
}

func TestAfterwardsRefusesWhatDoesNotFit(t *testing.T) {
	s := State{NewAmount(10), NewAmount(20), 500_000}
	next, err := s.AfterBuy(NewAmount(5), NewAmount(1))
	require.NoError(t, err)
	require.Equal(t, State{NewAmount(11), NewAmount(25), 500_000}, next)
	_, err = s.AfterBuy(MaxAmount, Amount{})
	require.ErrorIs(t, err, ErrOverflow)
	_, err = s.AfterBuy(Amount{}, MaxAmount)
	require.ErrorIs(t, err, ErrOverflow)
	next, err = s.AfterSell(NewAmount(10), NewAmount(20))
	require.NoError(t, err)
	require.Equal(t, State{Ratio: 500_000}, next)
	_, err = s.AfterSell(NewAmount(11), Amount{})
	require.ErrorIs(t, err, ErrNotEnoughSupply)
	_, err = s.AfterSell(Amount{}, NewAmount(21))
	require.ErrorIs(t, err, ErrOverflow)
}
