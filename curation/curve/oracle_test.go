package curve

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// The oracle computes results a second time, by another method and with nothing
// of the package's arithmetic: it finds the floor of scale·(num/den)^(p/q) with
// big.Float at 640 bits, taking q-th roots by Newton's iteration where q is
// small, and by exp and log series in big.Float otherwise; near an integer it
// demands that exact rational arithmetic decides.

const oracleBits = 640

func bigFloat(n *big.Int) *big.Float { return new(big.Float).SetPrec(oracleBits).SetInt(n) }

func flt(x int64) *big.Float { return new(big.Float).SetPrec(oracleBits).SetInt64(x) }

func newFlt() *big.Float { return new(big.Float).SetPrec(oracleBits) }

// oracleLog is ln x for x ≥ 1: x = m·2^e, square roots bring m near 1, then atanh.
func oracleLog(x *big.Float) *big.Float {
	m := newFlt()
	e := x.MantExp(m) // m in [1/2, 1)
	m.SetMantExp(m, 1)
	e--
	const roots = 12
	for range roots {
		m.Sqrt(m)
	}
	z := newFlt().Quo(newFlt().Sub(m, flt(1)), newFlt().Add(m, flt(1)))
	sum := atanh(z)
	sum.SetMantExp(sum, 1+roots)
	if e == 0 {
		return sum
	}
	return sum.Add(sum, newFlt().Mul(oracleLn2, flt(int64(e))))
}

func atanh(z *big.Float) *big.Float {
	sum, pow, square := newFlt(), newFlt().Set(z), newFlt().Mul(z, z)
	if z.Sign() == 0 {
		return sum
	}
	for i := int64(1); ; i += 2 {
		term := newFlt().Quo(pow, flt(i))
		if sum.Sign() != 0 && term.MantExp(nil) < sum.MantExp(nil)-oracleBits-8 {
			return sum
		}
		sum.Add(sum, term)
		pow.Mul(pow, square)
	}
}

// ln 2 = 18·atanh(1/26) − 2·atanh(1/4801) + 8·atanh(1/8749).
var oracleLn2 = func() *big.Float {
	part := func(c, n int64) *big.Float { return newFlt().Mul(flt(c), atanh(newFlt().Quo(flt(1), flt(n)))) }
	s := part(18, 26)
	s.Sub(s, part(2, 4801))
	return s.Add(s, part(8, 8749))
}()

func oracleExp(x *big.Float) *big.Float {
	k, _ := newFlt().Quo(x, oracleLn2).Int64()
	r := newFlt().Sub(x, newFlt().Mul(oracleLn2, flt(k)))
	const halves = 20
	r.SetMantExp(r, -halves)
	sum, term := flt(1), flt(1)
	for i := int64(1); term.Sign() != 0 && term.MantExp(nil) > -oracleBits-8; i++ {
		term.Mul(term, r)
		term.Quo(term, flt(i))
		sum.Add(sum, term)
	}
	for range halves {
		sum.Mul(sum, sum)
	}
	return sum.SetMantExp(sum, int(k))
}

// oraclePower returns floor and exactness of scale·(num/den)^(±p/q).
func oraclePower(t require.TestingT, scale, num, den *big.Int, p, q int64, inverse bool) (floor *big.Int, exact bool) {
	if num.Cmp(den) == 0 || scale.Sign() == 0 {
		return new(big.Int).Set(scale), true
	}
	e := newFlt().Mul(oracleLog(newFlt().Quo(bigFloat(num), bigFloat(den))), flt(p))
	e.Quo(e, flt(q))
	if inverse {
		e.Neg(e)
	}
	value := newFlt().Mul(bigFloat(scale), oracleExp(e))
	if value.MantExp(nil) > AmountBits+10 { // an overflow, whatever the digits
		floor, _ = value.Int(nil)
		return floor, false
	}
	// 640 bits, minus 14 for the size of the exponent and 40 for accumulated steps
	slack := newFlt().SetMantExp(flt(1), value.MantExp(nil)-oracleBits+60)
	lo, _ := newFlt().Sub(value, slack).Int(nil)
	hi, _ := newFlt().Add(value, slack).Int(nil)
	if lo.Cmp(hi) == 0 {
		return lo, false
	}
	// Only a rational number comes this near to an integer: hi^q·den^p = scale^q·num^p.
	require.Less(t, q, int64(2000), "an undecided power with a large root")
	a, b := new(big.Int).Exp(scale, big.NewInt(q), nil), new(big.Int).Exp(hi, big.NewInt(q), nil)
	if inverse {
		num, den = den, num
	}
	a.Mul(a, new(big.Int).Exp(num, big.NewInt(p), nil))
	b.Mul(b, new(big.Int).Exp(den, big.NewInt(p), nil))
	switch a.Cmp(b) {
	case 0:
		return hi, true
	case 1:
		return hi, false
	}
	return lo, false
}

func reduced(w Ratio) (p, q int64) {
	r := big.NewRat(int64(w), 1_000_000)
	return r.Num().Int64(), r.Denom().Int64()
}

// oracle returns the exact result of an operation, nil when it is not below 2^120.
func oracle(t require.TestingT, op string, s State, amount Amount) *big.Int {
	S, R, a := s.Supply.Big(), s.Reserve.Big(), amount.Big()
	p, q := reduced(s.Ratio)
	r := new(big.Int)
	switch op {
	case "buy":
		floor, _ := oraclePower(t, S, new(big.Int).Add(R, a), R, p, q, false)
		r.Sub(floor, S)
	case "cost":
		ceil, exact := oraclePower(t, R, new(big.Int).Add(S, a), S, q, p, false)
		if !exact {
			ceil.Add(ceil, big.NewInt(1))
		}
		r.Sub(ceil, R)
	case "sell":
		if a.Cmp(S) == 0 {
			return R
		}
		ceil, exact := oraclePower(t, R, S, new(big.Int).Sub(S, a), q, p, true)
		if !exact {
			ceil.Add(ceil, big.NewInt(1))
		}
		r.Sub(R, ceil)
	}
	if r.BitLen() > AmountBits {
		return nil
	}
	return r
}

func trade(op string, s State, a Amount) (Amount, error) {
	switch op {
	case "buy":
		return s.Buy(a)
	case "cost":
		return s.Cost(a)
	default:
		return s.Sell(a)
	}
}

// requireExact compares one trade with the oracle.
func requireExact(t require.TestingT, op string, s State, a Amount) {
	want := oracle(t, op, s, a)
	got, err := trade(op, s, a)
	about := fmt.Sprintf("%s,%v,%v,%d,%v", op, s.Supply, s.Reserve, s.Ratio, a)
	if want == nil {
		require.ErrorIs(t, err, ErrOverflow, about)
		return
	}
	require.NoError(t, err, about)
	require.Equal(t, want.String(), got.String(), about)
}

// anyAmount draws amounts of every length, round ones and neighbours of powers
// of two among them.
func anyAmount(min uint64) *rapid.Generator[Amount] {
	return rapid.Custom(func(t *rapid.T) Amount {
		n := rapid.IntRange(1, AmountBits).Draw(t, "bits")
		a := Amount{rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 0: // 2^n − 1
			a = Amount{^uint64(0), ^uint64(0)}
		case 1: // a small multiple of a power of ten
			v := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n/4)), nil)
			v.Mul(v, big.NewInt(int64(a.lo%1000+1)))
			if r, err := AmountFromBig(v); err == nil {
				return r
			}
		}
		if n <= 64 {
			a = Amount{0, a.lo >> (64 - n)}
		} else {
			a.hi >>= 128 - n
		}
		if a.hi == 0 && a.lo < min {
			a.lo = min
		}
		return a
	})
}

func anyRatio() *rapid.Generator[Ratio] {
	return rapid.OneOf(
		rapid.SampledFrom([]Ratio{MinRatio, 20_000, 100_000, 125_000, 200_000, 250_000, 333_333, 400_000, 500_000, 666_667, 750_000, 900_000, 999_999, PPM}),
		rapid.Custom(func(t *rapid.T) Ratio {
			return Ratio(rapid.Uint32Range(uint32(MinRatio), uint32(MaxRatio)).Draw(t, "ppm"))
		}))
}

func anyState() *rapid.Generator[State] {
	return rapid.Custom(func(t *rapid.T) State {
		return State{anyAmount(1).Draw(t, "supply"), anyAmount(1).Draw(t, "reserve"), anyRatio().Draw(t, "ratio")}
	})
}

// anyTrade draws an operation that the curve may not refuse but for its size.
func anyTrade(t *rapid.T, s State) (op string, a Amount) {
	op = rapid.SampledFrom([]string{"buy", "cost", "sell"}).Draw(t, "op")
	a = anyAmount(0).Draw(t, "amount")
	if op == "sell" && s.Supply.Less(a) {
		a, _ = AmountFromBig(new(big.Int).Rem(a.Big(), new(big.Int).Add(s.Supply.Big(), big.NewInt(1))))
	}
	return op, a
}

func TestTradesEqualAnIndependentEvaluation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyState().Draw(t, "state")
		op, a := anyTrade(t, s)
		requireExact(t, op, s, a)
	})
}

// TestKernelErrorIsFarBelowItsBound measures what the kernel's bound promises,
// against numbers of 384 bits.
func TestKernelErrorIsFarBelowItsBound(t *testing.T) {
	worst := 0.0
	rapid.Check(t, func(t *rapid.T) {
		s := anyState().Draw(t, "state")
		p, q := lowest(s.Ratio)
		if rapid.Bool().Draw(t, "grow") {
			p, q = q, p
		}
		v := power{scale: u128{lo: 1}, num: u128(s.Reserve).add(u128(s.Supply)), den: u128(s.Supply), p: p, q: q, inverse: rapid.Bool().Draw(t, "inverse")}
		tab := tables()
		k, f := tab.log2(v.num, v.den)
		k, f = timesRatio(k, f, p, q)
		e := newFlt().Quo(oracleLog(newFlt().Quo(bigFloat(v.num.big()), bigFloat(v.den.big()))), oracleLn2)
		e.Quo(newFlt().Mul(e, flt(int64(p))), flt(int64(q)))
		// the exponent
		off := newFlt().Sub(e, newFlt().Add(flt(int64(k)), f.float()))
		off.SetMantExp(off, 192)
		ulps, _ := off.Float64()
		require.Less(t, max(ulps, -ulps), 24*float64(p)/float64(q)+1)
		// the mantissa
		y := newFlt().Add(flt(1), ptr(tab.exp2(f)).float())
		off = newFlt().Sub(oracleExp(newFlt().Mul(f.float(), oracleLn2)), y)
		off.SetMantExp(off, 192)
		ulps, _ = off.Float64()
		require.GreaterOrEqual(t, ulps, 0.0)
		require.Less(t, ulps, 48.0)
		worst = max(worst, ulps)
	})
	t.Logf("largest error of the exponential: %.1f of 48 ulp", worst)
}

func ptr[T any](v T) *T { return &v }

func (a fraction) float() *big.Float {
	n := new(big.Int)
	for i := 2; i >= 0; i-- {
		n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(a[i]))
	}
	return newFlt().SetMantExp(bigFloat(n), -192)
}

func TestPathsAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyState().Draw(t, "state")
		p, q := lowest(s.Ratio)
		if rapid.Bool().Draw(t, "grow") {
			p, q = q, p
		}
		v := power{scale: u128(anyAmount(1).Draw(t, "scale")), num: u128(s.Reserve).add(u128(s.Supply)), den: u128(s.Supply), p: p, q: q, inverse: rapid.Bool().Draw(t, "inverse")}
		n, exact, err := v.floor()
		slow, slowExact, slowErr := v.decide()
		require.Equal(t, slowErr, err)
		require.Equal(t, slow, n)
		require.Equal(t, slowExact, exact)
	})
}
