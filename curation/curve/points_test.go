package curve

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPointsDrawThePriceFromNothingToTwiceTheSupply(t *testing.T) {
	s := State{Credits(1000), Credits(500), 500_000}
	points, err := Points(s, 5)
	require.NoError(t, err)
	// At one half the price is proportional to the supply: R/(S·w) = 1 credit today.
	require.Equal(t, []Point{
		{Amount{}, Amount{}},
		{Credits(500), NewAmount(Unit / 2)},
		{Credits(1000), NewAmount(Unit)},
		{Credits(1500), NewAmount(3 * Unit / 2)},
		{Credits(2000), Credits(2)},
	}, points)

	s.Ratio = MaxRatio
	points, err = Points(s, 2)
	require.NoError(t, err)
	require.Equal(t, []Point{{Amount{}, NewAmount(Unit / 2)}, {Credits(2000), NewAmount(Unit / 2)}}, points, "a flat curve")

	s.Ratio = 123_456
	points, err = Points(s, 101)
	require.NoError(t, err)
	for i := 1; i < len(points); i++ {
		require.False(t, points[i].Price.Less(points[i-1].Price), "the price falls at %v", points[i].Supply)
	}
	price, err := s.SpotPrice()
	require.NoError(t, err)
	require.Equal(t, Point{s.Supply, price}, points[50])

	for _, n := range []int{-1, 0, 1, maxPoints + 1} {
		_, err = Points(s, n)
		require.Error(t, err)
	}
	_, err = Points(State{MaxAmount, NewAmount(1), 500_000}, 3)
	require.ErrorIs(t, err, ErrOverflow)
	_, err = Points(State{NewAmount(1), MaxAmount, 500_000}, 3)
	require.ErrorIs(t, err, ErrOverflow)
	_, err = Points(State{Amount{}, NewAmount(1), 500_000}, 3)
	require.ErrorIs(t, err, ErrNoSupply)
}
