package curve

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzTrade prices any trade: either it is refused, or the result equals the
// oracle's, whatever the numbers.
func FuzzTrade(f *testing.F) {
	for _, c := range hardTrades() {
		op := map[string]uint8{"buy": 0, "cost": 1, "sell": 2}[c.op]
		f.Add(op, c.state.Supply.hi, c.state.Supply.lo, c.state.Reserve.hi, c.state.Reserve.lo, uint32(c.state.Ratio), c.amount.hi, c.amount.lo)
	}
	f.Fuzz(func(t *testing.T, op uint8, supplyHi, supplyLo, reserveHi, reserveLo uint64, ratio uint32, amountHi, amountLo uint64) {
		cut := MaxAmount.hi
		s := State{Amount{supplyHi & cut, supplyLo}, Amount{reserveHi & cut, reserveLo}, Ratio(ratio)}
		a := Amount{amountHi & cut, amountLo}
		name := []string{"buy", "cost", "sell"}[op%3]
		got, err := trade(name, s, a)
		if s.Validate() != nil || name == "sell" && s.Supply.Less(a) {
			if name != "sell" || s.check() != nil || s.Supply.Less(a) {
				require.Error(t, err)
				require.Zero(t, got)
			}
			return
		}
		requireExact(t, name, s, a)
		if name != "buy" || err != nil {
			return
		}
		next, err := s.AfterBuy(a, got)
		if err != nil {
			return
		}
		back, err := next.Sell(got)
		require.NoError(t, err)
		require.False(t, a.Less(back), "buying for %v and selling back pays %v", a, back)
	})
}

// FuzzAmount decodes any bytes: what is accepted encodes to the same bytes.
func FuzzAmount(f *testing.F) {
	f.Add([]byte{0x40}, "0")
	f.Add([]byte{0x41, 1}, "1329227995784915872903807060280344575")
	f.Add([]byte{0x42, 0, 1}, "00")
	f.Add([]byte{0x41, 0}, "0.000000001")
	f.Add([]byte{0x5f}, "1329227995784915872903807060.280344575")
	f.Add([]byte{0x40}, "20.390")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		var a Amount
		if a.UnmarshalCBOR(data) == nil {
			again, err := a.MarshalCBOR()
			require.NoError(t, err)
			require.Equal(t, data, again)
		}
		if a.UnmarshalText([]byte(text)) == nil {
			require.Equal(t, text, a.String())
		}
		if c, err := ParseCredits(text); err == nil {
			back, err := ParseCredits(c.Credits())
			require.NoError(t, err)
			require.Equal(t, c, back)
			require.Less(t, len(text), 64, "an amount is no longer than its digits, the point and the places")
			whole, places, _ := strings.Cut(text, ".")
			units, err := ParseAmount(strings.TrimLeft(whole+places+strings.Repeat("0", creditDecimals-len(places)), "0"))
			if !c.IsZero() {
				require.NoError(t, err)
				require.Equal(t, units, c, "the same digits with the point moved")
			}
		}
	})
}

// FuzzClearBatch clears orders cut from any bytes: no panic, nothing lost.
func FuzzClearBatch(f *testing.F) {
	f.Add(uint64(1_000_000), uint64(1_000_000), uint32(500_000), []byte("0123456789abcdef0123456789abcdef"))
	f.Fuzz(func(t *testing.T, supply, reserve uint64, ratio uint32, data []byte) {
		s := State{NewAmount(supply), NewAmount(reserve), Ratio(ratio)}
		var orders []Order
		for i := 0; i+4 <= len(data) && i < 400; i += 4 {
			orders = append(orders, Order{orderID(uint64(data[i])), NewAmount(uint64(data[i+1]) << (data[i+2] % 50)), NewAmount(uint64(data[i+3]) << (data[i+2] % 50))})
		}
		b, err := ClearBatch(s, orders)
		if err != nil {
			require.Zero(t, b)
			return
		}
		require.Len(t, orders, len(b.Fills)+len(b.Dropped))
		back, err := b.Next.Sell(b.Minted)
		require.NoError(t, err)
		require.False(t, b.Deposit.Less(back))
	})
}
