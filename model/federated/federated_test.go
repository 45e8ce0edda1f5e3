package federated_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/federated"
)

func norm(input []uint32) float64 {
	var squares float64
	for _, x := range input {
		squares += float64(int32(x)) * float64(int32(x))
	}
	return math.Sqrt(squares)
}

func TestEncodedChangesKeepTheirNorm(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		change := make([]float64, 1+rng.IntN(3000))
		size := math.Exp(20*rng.Float64() - 12)
		for i := range change {
			change[i] = rng.NormFloat64() * size
		}
		clip := .01 + 20*rng.Float64()
		input, err := federated.Encode(change, clip)
		require.NoError(t, err, "seed %d", seed)
		bound, err := federated.Norm(clip)
		require.NoError(t, err)
		require.LessOrEqual(t, norm(input), float64(bound), "seed %d", seed)
		length := federated.Length(change)
		if length < clip-math.Sqrt(float64(len(change)))/2/federated.Unit {
			for i, x := range federated.Average(input, 1) {
				require.InDelta(t, change[i], x, .5/federated.Unit, "seed %d: what is short enough is only rounded", seed)
			}
			continue
		}
		var along float64 // what is too long keeps its direction
		for i, x := range federated.Average(input, 1) {
			along += x * change[i]
		}
		rounding := math.Sqrt(float64(len(change))) / 2 / federated.Unit
		require.GreaterOrEqual(t, along/length, clip-3*rounding-2./federated.Unit, "seed %d", seed)
	}
}

func TestTheSumOfTheMostMembersDoesNotOverflow(t *testing.T) {
	for _, sign := range []float64{1, -1} {
		input, err := federated.Encode([]float64{sign * 1e6}, federated.MaxClip)
		require.NoError(t, err)
		var sum uint32
		exact := int64(0)
		for range 256 {
			sum += input[0]
			exact += int64(int32(input[0]))
		}
		require.Equal(t, exact, int64(int32(sum)))
		require.InDelta(t, sign*federated.MaxClip, federated.Average([]uint32{sum}, 256)[0], 2./federated.Unit)
	}
}

func TestAveragesAreThoseOfTheMembers(t *testing.T) {
	sum := make([]uint32, 3)
	for _, change := range [][]float64{{.5, -.25, 0}, {-1, -.25, 1. / federated.Unit}, {.25, -.25, 0}} {
		input, err := federated.Encode(change, 10)
		require.NoError(t, err)
		for i, x := range input {
			sum[i] += x
		}
	}
	require.Equal(t, []float64{-.25 / 3, -.25, 1. / federated.Unit / 3}, federated.Average(sum, 3))
}

func TestMomentumCarriesOn(t *testing.T) {
	average := []float64{1, -2}
	require.Equal(t, average, federated.Carry(average, nil, .5))
	require.Equal(t, []float64{2, -2.5}, federated.Carry(average, []float64{2, -1}, .5))
	require.Equal(t, []float64{1, -2}, average, "what goes in is left alone")
}

func TestWhatCannotBeEncodedIsRefused(t *testing.T) {
	for _, clip := range []float64{0, -1, math.NaN(), math.Inf(1), 1e-6, federated.MaxClip * 1.01} {
		t.Run(fmt.Sprint("clip ", clip), func(t *testing.T) {
			_, err := federated.Encode([]float64{1}, clip)
			require.ErrorIs(t, err, federated.ErrClip)
		})
	}
	_, err := federated.Encode(make([]float64, 1<<20), .007) // 458 units, and rounding may take 512
	require.ErrorIs(t, err, federated.ErrClip)
	for _, bad := range [][]float64{{1, math.NaN()}, {math.Inf(-1)}, {1e200, 1e200}} {
		_, err := federated.Encode(bad, 1)
		require.ErrorIs(t, err, federated.ErrChange)
	}
}
