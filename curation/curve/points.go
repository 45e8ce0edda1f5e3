package curve

import "fmt"

// Point is one place on a price curve.
type Point struct {
	Supply Amount // tokens in base units
	Price  Amount // base units of credits for one whole token there, as SpotPrice
}

// maxPoints bounds a drawing.
const maxPoints = 10_000

// Points returns n ≥ 2 places on the curve through s for drawing: supplies from
// nothing to twice today's in equal steps (rounded down), each with the spot
// price that the curve has there, from the exact cost or payout of going there.
// For odd n the middle point is s itself. It fails with State.Validate's errors,
// and with ErrOverflow where twice the supply or a price there leaves the range
// of amounts.
func Points(s State, n int) ([]Point, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if n < 2 || n > maxPoints {
		return nil, fmt.Errorf("%d points, want 2 to %d", n, maxPoints)
	}
	points := make([]Point, n)
	for i := range points {
		supply, err := s.Supply.MulDiv(NewAmount(2*uint64(i)), NewAmount(uint64(n-1)))
		if err != nil {
			return nil, fmt.Errorf("point %d: %w", i, err)
		}
		price, err := s.priceAt(supply)
		if err != nil {
			return nil, fmt.Errorf("price at a supply of %s: %w", supply.InTokens(), err)
		}
		points[i] = Point{supply, price}
	}
	return points, nil
}

// priceAt is the spot price after trading to another supply. At no supply it is
// zero, except on the flat curve, whose price is the same everywhere.
func (s State) priceAt(supply Amount) (Amount, error) {
	switch {
	case s.Ratio == MaxRatio:
		return s.SpotPrice()
	case supply.IsZero():
		return Amount{}, nil
	case supply.Less(s.Supply):
		tokens := s.Supply.Sub(supply)
		payout, err := s.Sell(tokens)
		if err != nil {
			return Amount{}, err
		}
		return State{supply, s.Reserve.Sub(payout), s.Ratio}.SpotPrice()
	default:
		cost, err := s.Cost(supply.Sub(s.Supply))
		if err != nil {
			return Amount{}, err
		}
		reserve, over := s.Reserve.AddOverflow(cost)
		if over {
			return Amount{}, ErrOverflow
		}
		return State{supply, reserve, s.Ratio}.SpotPrice()
	}
}
