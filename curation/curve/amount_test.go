package curve

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestAmountArithmeticIsThatOfIntegers(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), AmountBits)
	check := func(t *rapid.T, want *big.Int, got Amount, overflow bool) {
		require.Equal(t, want.Sign() < 0 || want.Cmp(limit) >= 0, overflow)
		if !overflow {
			require.Equal(t, want.String(), got.String())
		} else {
			require.True(t, got.IsZero())
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyAmount(0).Draw(t, "a"), anyAmount(0).Draw(t, "b"), anyAmount(1).Draw(t, "c")
		n := rapid.Uint64().Draw(t, "n")
		x, y := a.Big(), b.Big()
		require.Equal(t, x.Cmp(y), a.Cmp(b))
		require.Equal(t, x.Cmp(y) < 0, a.Less(b))
		got, over := a.AddOverflow(b)
		check(t, new(big.Int).Add(x, y), got, over)
		got, over = a.SubOverflow(b)
		check(t, new(big.Int).Sub(x, y), got, over)
		got, over = a.MulOverflow(n)
		check(t, new(big.Int).Mul(x, new(big.Int).SetUint64(n)), got, over)
		product := new(big.Int).Mul(x, y)
		q, r := new(big.Int).QuoRem(product, c.Big(), new(big.Int))
		got, err := a.MulDiv(b, c)
		check(t, q, got, err != nil)
		if r.Sign() > 0 {
			q.Add(q, big.NewInt(1))
		}
		got, err = a.MulDivCeil(b, c)
		check(t, q, got, err != nil)
		require.Equal(t, new(big.Int).Sqrt(x).Uint64(), a.Sqrt())
		back, err := AmountFromBig(x)
		require.NoError(t, err)
		require.Equal(t, a, back)
	})
}

func TestAmountFormsAreOneToOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAmount(0).Draw(t, "a")
		require.Equal(t, a.Big().String(), a.String())
		require.Equal(t, a.Big().Bytes(), a.Bytes())
		back, err := ParseAmount(a.String())
		require.NoError(t, err)
		require.Equal(t, a, back)
		back, err = ParseCredits(a.Credits())
		require.NoError(t, err)
		require.Equal(t, a, back)
		back, err = AmountFromBytes(a.Bytes())
		require.NoError(t, err)
		require.Equal(t, a, back)

		type record struct {
			_    struct{} `cbor:",toarray"`
			Paid Amount
			Kept Amount
		}
		in := record{Paid: a, Kept: MaxAmount}
		encoded, err := cbor.Marshal(in)
		require.NoError(t, err)
		var out record
		require.NoError(t, cbor.Unmarshal(encoded, &out))
		require.Equal(t, in, out)
		encoded, err = json.Marshal(in)
		require.NoError(t, err)
		out = record{}
		require.NoError(t, json.Unmarshal(encoded, &out))
		require.Equal(t, in, out)
	})
}

func TestAmountText(t *testing.T) {
	for _, c := range []struct {
		name, text, credits string
		err                 error
	}{
		{"zero", "0", "0", nil},
		{"one base unit", "1", "0.000000001", nil},
		{"one credit", "1000000000", "1", nil},
		{"a word and one", "18446744073709551616", "18446744073.709551616", nil},
		{"the largest", "1329227995784915872903807060280344575", "1329227995784915872903807060.280344575", nil},
		{"one more than the largest", "1329227995784915872903807060280344576", "", ErrOverflow},
		{"a digit too many", "10000000000000000000000000000000000000", "", ErrOverflow},
		{"nothing", "", "", ErrAmount},
		{"a sign", "-1", "", ErrAmount},
		{"another sign", "+1", "", ErrAmount},
		{"a leading zero", "01", "", ErrAmount},
		{"a space", " 1", "", ErrAmount},
		{"a point", "1.0", "", ErrAmount},
		{"an exponent", "1e3", "", ErrAmount},
		{"digits of another script", "١", "", ErrAmount},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := ParseAmount(c.text)
			require.ErrorIs(t, err, c.err)
			if c.err == nil {
				require.Equal(t, c.text, a.String())
				require.Equal(t, c.credits, a.Credits())
			}
		})
	}
}

func TestCreditsText(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       uint64
		err        error
	}{
		{"whole", "12", 12 * Unit, nil},
		{"with places", "0.5", Unit / 2, nil},
		{"trailing zeros", "1.500", 3 * Unit / 2, nil},
		{"the smallest", "0.000000001", 1, nil},
		{"no places after the point", "1.", 0, ErrAmount},
		{"nothing before the point", ".5", 0, ErrAmount},
		{"ten places", "0.0000000001", 0, ErrAmount},
		{"a sign in the places", "1.-5", 0, ErrAmount},
		{"two points", "1.5.5", 0, ErrAmount},
		{"too many", "1329227995784915872903807061", 0, ErrOverflow},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := ParseCredits(c.text)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, NewAmount(c.want), a)
		})
	}
}

func TestAmountsInWords(t *testing.T) {
	for _, c := range []struct {
		name            string
		units           uint64
		credits, tokens string
		rounded         string // to two places
	}{
		{"nothing is plural", 0, "0 credits", "0 tokens", "0"},
		{"one stands alone", Unit, "1 credit", "1 token", "1"},
		{"less than one is plural", Unit / 2, "0.5 credits", "0.5 tokens", "0.5"},
		{"the least there is", 1, "0.000000001 credits", "0.000000001 tokens", "<0.01"},
		{"the least that two places show", Unit / 100, "0.01 credits", "0.01 tokens", "0.01"},
		{"a transfer with its fee", 2_001_000_000, "2.001 credits", "2.001 tokens", "2"},
		{"what is rounded is rounded down", 20_399_999_999, "20.399999999 credits", "20.399999999 tokens", "20.39"},
		{"trailing zeros go", 1_500_000_000, "1.5 credits", "1.5 tokens", "1.5"},
	} {
		a := NewAmount(c.units)
		require.Equal(t, c.credits, a.InCredits(), c.name)
		require.Equal(t, c.tokens, a.InTokens(), c.name)
		require.Equal(t, c.rounded, a.CreditsTo(2), c.name)
	}
}

func TestWhatPeopleReadIsTheAmountRoundedDown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, places := anyAmount(0).Draw(t, "amount"), rapid.IntRange(1, 9).Draw(t, "places")
		exact, err := ParseCredits(a.Credits())
		require.NoError(t, err)
		require.Equal(t, a, exact)
		require.NotRegexp(t, `\.$|\.\d*0$`, a.Credits(), "no trailing zeros")
		noun := strings.TrimPrefix(a.InCredits(), a.Credits()+" ")
		require.Equal(t, a == Credits(1), noun == "credit")

		text := a.CreditsTo(places)
		step := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(creditDecimals-places)), nil)
		if small, below := strings.CutPrefix(text, "<"); below {
			least, err := ParseCredits(small)
			require.NoError(t, err)
			require.Equal(t, step, least.Big())
			require.True(t, !a.IsZero() && a.Less(least))
			return
		}
		shown, err := ParseCredits(text)
		require.NoError(t, err)
		floor := new(big.Int).Div(a.Big(), step)
		require.Equal(t, floor.Mul(floor, step), shown.Big())
		require.Equal(t, a.IsZero(), shown.IsZero())
	})
}

func TestAmountBytesRefuseOtherForms(t *testing.T) {
	for _, c := range []struct {
		name string
		cbor []byte
	}{
		{"nothing", nil},
		{"an integer", []byte{0x01}},
		{"text", []byte{0x61, '1'}},
		{"a tagged bignum", []byte{0xc2, 0x41, 1}},
		{"a leading zero byte", []byte{0x42, 0, 1}},
		{"sixteen bytes", append([]byte{0x50}, make([]byte, 16)...)},
		{"a length in a further byte", []byte{0x58, 1, 1}},
		{"a short string", []byte{0x42, 1}},
		{"trailing bytes", []byte{0x41, 1, 1}},
		{"a string of unknown length", []byte{0x5f, 0x41, 1, 0xff}},
		{"null", []byte{0xf6}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := NewAmount(7)
			require.Error(t, a.UnmarshalCBOR(c.cbor))
			require.Equal(t, NewAmount(7), a)
		})
	}
	_, err := AmountFromBytes(make([]byte, 16))
	require.ErrorIs(t, err, ErrOverflow)
	_, err = AmountFromBig(big.NewInt(-1))
	require.ErrorIs(t, err, ErrOverflow)
}

func TestPlainArithmeticPanicsOutOfRange(t *testing.T) {
	require.Panics(t, func() { MaxAmount.Add(NewAmount(1)) })
	require.Panics(t, func() { NewAmount(1).Sub(NewAmount(2)) })
	require.Panics(t, func() { MaxAmount.Mul(2) })
	_, err := NewAmount(1).MulDiv(NewAmount(1), Amount{})
	require.ErrorIs(t, err, ErrOverflow)
}

func TestSharesAreExactAndRoundAsStated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyAmount(0).Draw(t, "amount")
		r := Ratio(rapid.Uint32Range(0, uint32(PPM)).Draw(t, "rate"))
		n := new(big.Int).Mul(a.Big(), big.NewInt(int64(r)))
		q, rest := n.QuoRem(n, big.NewInt(int64(PPM)), new(big.Int))
		require.Equal(t, q.String(), r.Of(a).String())
		if rest.Sign() > 0 {
			q.Add(q, big.NewInt(1))
		}
		require.Equal(t, q.String(), r.OfCeil(a).String())

		second := Ratio(rapid.Uint32Range(0, uint32(PPM-r)).Draw(t, "second"))
		shares, rest2, err := Tribute(a, r, second)
		require.NoError(t, err)
		require.Equal(t, []Amount{r.Of(a), second.Of(a)}, shares)
		require.Equal(t, a, shares[0].Add(shares[1]).Add(rest2))
	})
	_, _, err := Tribute(NewAmount(1), PPM, 1)
	require.ErrorIs(t, err, ErrRatio)
	require.Panics(t, func() { (2 * PPM).Of(MaxAmount) })
}

func TestScoreRewardsBreadth(t *testing.T) {
	one := func(costs ...uint64) Amount {
		list := make([]Amount, len(costs))
		for i, c := range costs {
			list[i] = NewAmount(c)
		}
		score, err := Score(list)
		require.NoError(t, err)
		return score
	}
	require.Equal(t, NewAmount(0), one())
	require.Equal(t, NewAmount(100), one(100))
	require.Equal(t, NewAmount(400), one(100, 100), "two backers of 100 count twice as much as one of 200")
	require.Equal(t, NewAmount(196), one(200), "the root is rounded down")
	require.Equal(t, one(9, 16, 0, 25), one(25, 9, 16))
	score, err := Score([]Amount{MaxAmount})
	require.NoError(t, err)
	require.False(t, MaxAmount.Less(score))
	_, err = Score([]Amount{MaxAmount, NewAmount(1)})
	require.ErrorIs(t, err, ErrOverflow, "one unit above the largest score")
	many := make([]Amount, 20)
	for i := range many {
		many[i] = MaxAmount
	}
	_, err = Score(many)
	require.ErrorIs(t, err, ErrOverflow)
}
