package curve

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
)

// Unit is the number of base units in one credit, and in one whole token.
const Unit = 1_000_000_000

// AmountBits bounds every amount: amounts are below 2^AmountBits.
const AmountBits = 120

// amountBytes is the length of the longest big-endian form of an amount.
const amountBytes = AmountBits / 8

var (
	// ErrOverflow reports a sum, product or result that is not below 2^120.
	ErrOverflow = errors.New("amount is not below 2^120")
	// ErrAmount reports text or bytes that are not the one form of an amount.
	ErrAmount = errors.New("not an amount")
)

// Amount counts base units of credits or of an artwork's tokens: an integer in
// [0, 2^120). The zero value is zero; amounts are comparable with ==. Its text
// (and JSON) form is decimal, its CBOR form a byte string holding the shortest
// big-endian number; each amount has exactly one of either.
//
// The plain methods Add, Sub and Mul panic when the result leaves the range:
// they are for values that the ledger has already bounded. Values from outside
// go through the twins whose names end in Overflow.
type Amount struct{ hi, lo uint64 }

// MaxAmount is the largest amount, 2^120 − 1.
var MaxAmount = Amount{1<<(AmountBits-64) - 1, ^uint64(0)}

// NewAmount returns n base units.
func NewAmount(n uint64) Amount { return Amount{lo: n} }

// Credits returns n whole credits (or tokens).
func Credits(n uint64) Amount { return NewAmount(n).Mul(Unit) }

// IsZero reports whether a is zero.
func (a Amount) IsZero() bool { return a == Amount{} }

// Cmp returns -1, 0 or 1 as a is below, equal to or above b.
func (a Amount) Cmp(b Amount) int {
	switch {
	case a == b:
		return 0
	case a.hi < b.hi || a.hi == b.hi && a.lo < b.lo:
		return -1
	default:
		return 1
	}
}

// Less reports a < b.
func (a Amount) Less(b Amount) bool { return a.Cmp(b) < 0 }

// Min returns the smaller of a and b.
func (a Amount) Min(b Amount) Amount {
	if b.Less(a) {
		return b
	}
	return a
}

// Add returns a + b and panics when the sum is not below 2^120.
func (a Amount) Add(b Amount) Amount { return must("add", a.AddOverflow, b) }

// AddOverflow returns a + b; overflow reports a sum that is not below 2^120,
// and the value is then zero.
func (a Amount) AddOverflow(b Amount) (sum Amount, overflow bool) {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	return inRange(a.hi+b.hi+carry, lo)
}

// Sub returns a − b and panics when b is above a.
func (a Amount) Sub(b Amount) Amount { return must("subtract", a.SubOverflow, b) }

// SubOverflow returns a − b; overflow reports that b is above a, and the value
// is then zero.
func (a Amount) SubOverflow(b Amount) (difference Amount, overflow bool) {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, borrow := bits.Sub64(a.hi, b.hi, borrow)
	if borrow != 0 {
		return Amount{}, true
	}
	return Amount{hi, lo}, false
}

// Mul returns a·n and panics when the product is not below 2^120.
func (a Amount) Mul(n uint64) Amount {
	p, overflow := a.MulOverflow(n)
	if overflow {
		panic(fmt.Sprintf("curve: %v times %d leaves the range of amounts", a, n))
	}
	return p
}

// MulOverflow returns a·n; overflow reports a product that is not below 2^120,
// and the value is then zero.
func (a Amount) MulOverflow(n uint64) (product Amount, overflow bool) {
	carry, lo := bits.Mul64(a.lo, n)
	over, hi := bits.Mul64(a.hi, n)
	hi, c := bits.Add64(hi, carry, 0)
	if over|c != 0 {
		return Amount{}, true
	}
	return inRange(hi, lo)
}

// MulDiv returns ⌊a·b/c⌋. The product is exact, whatever its size. It fails
// with ErrOverflow when the quotient is not below 2^120 or c is zero.
func (a Amount) MulDiv(b, c Amount) (Amount, error) {
	q, _, err := a.mulDiv(b, c)
	return q, err
}

// MulDivCeil is MulDiv rounded up.
func (a Amount) MulDivCeil(b, c Amount) (Amount, error) {
	q, exact, err := a.mulDiv(b, c)
	if err != nil || exact {
		return q, err
	}
	if q, over := q.AddOverflow(NewAmount(1)); !over {
		return q, nil
	}
	return Amount{}, ErrOverflow
}

func (a Amount) mulDiv(b, c Amount) (q Amount, exact bool, err error) {
	if c.IsZero() {
		return Amount{}, false, fmt.Errorf("divide by zero: %w", ErrOverflow)
	}
	quo, rem := divWords(mul128(u128(a), u128(b)), u128(c))
	if quo[3]|quo[2] != 0 {
		return Amount{}, false, ErrOverflow
	}
	q, over := inRange(quo[1], quo[0])
	if over {
		return Amount{}, false, ErrOverflow
	}
	return q, rem == (u128{}), nil
}

// Sqrt returns ⌊√a⌋, which is below 2^60.
func (a Amount) Sqrt() uint64 {
	if a.IsZero() {
		return 0
	}
	// Newton from above: x0 = 2^⌈bits/2⌉ ≥ √a, then strictly down to the floor.
	x := uint64(1) << ((a.bitLen() + 1) / 2)
	for {
		q, _ := bits.Div64(a.hi, a.lo, x) // a.hi < x: x² ≥ a and x < 2^61, so a < 2^61·x
		y := (x + q) / 2
		if y >= x {
			return x
		}
		x = y
	}
}

func (a Amount) bitLen() int {
	if a.hi != 0 {
		return 64 + bits.Len64(a.hi)
	}
	return bits.Len64(a.lo)
}

// Uint64 returns a as a machine word; ok is false when it does not fit.
func (a Amount) Uint64() (n uint64, ok bool) { return a.lo, a.hi == 0 }

// Big returns a as a new big integer.
func (a Amount) Big() *big.Int {
	n := new(big.Int).SetUint64(a.hi)
	return n.Lsh(n, 64).Or(n, new(big.Int).SetUint64(a.lo))
}

// AmountFromBig returns n as an amount, or ErrOverflow when it is negative or
// not below 2^120.
func AmountFromBig(n *big.Int) (Amount, error) {
	if n.Sign() < 0 || n.BitLen() > AmountBits {
		return Amount{}, ErrOverflow
	}
	lo := new(big.Int).And(n, new(big.Int).SetUint64(^uint64(0)))
	return Amount{new(big.Int).Rsh(n, 64).Uint64(), lo.Uint64()}, nil
}

func inRange(hi, lo uint64) (Amount, bool) {
	if hi > MaxAmount.hi {
		return Amount{}, true
	}
	return Amount{hi, lo}, false
}

func must(verb string, op func(Amount) (Amount, bool), b Amount) Amount {
	r, overflow := op(b)
	if overflow {
		panic(fmt.Sprintf("curve: %s %v: result leaves the range of amounts", verb, b))
	}
	return r
}
