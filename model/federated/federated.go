// Package federated is the arithmetic of training an artist together: what a member
// learned becomes a vector of integers that can be masked and added up (package
// shamir/secagg), and the sum becomes the change that all members make alike.
//
// A change is trained numbers less the numbers of before. It is clipped to a Euclidean
// norm, and each number is rounded to a multiple of 2⁻¹⁶. Each member's change counts the
// same, whatever number of pictures is behind it: nobody can check a claimed count, so
// counts would be a lever for those who claim the most, and would tell who has how many.
//
// Everything but the clipping is the same to the bit on every machine: sums are of
// integers, and the average is one division of each.
//
// README.md says in plain words what this keeps private and what it does not.
//
// Source: McMahan, Moore, Ramage, Hampson, Agüera y Arcas, "Communication-Efficient
// Learning of Deep Networks from Decentralized Data", AISTATS 2017.
package federated

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Unit is 1 in fixed point: numbers are multiples of 1/Unit.
const Unit = 1 << 16

// MaxClip is the largest norm that a round may clip to. With it Norm is 2³¹/256 at most,
// so the sum of as many inputs as a round can have members, 256, stays below 2³¹ in each
// number: |Σ xᵢ| ≤ Σ |xᵢ| ≤ Σ ‖x‖ ≤ 256·Norm, where the first sum is over members and xᵢ
// is one number of each. Read as int32, a sum modulo 2³² is therefore the sum.
const MaxClip = float64(math.MaxInt32/256) / Unit

var (
	// ErrClip reports a norm to clip to that is out of range for the numbers.
	ErrClip = errors.New("clip out of range")
	// ErrChange reports a change that is no numbers: training went astray.
	ErrChange = errors.New("what was learned is not a number")
)

// Norm is the bound that a round holds inputs to (secagg.Params) which are clipped to
// that norm. The error wraps ErrClip.
func Norm(clip float64) (uint32, error) {
	if !(clip*Unit >= 1 && clip <= MaxClip) {
		return 0, fmt.Errorf("%w: %g, want %g to %g", ErrClip, clip, 1./Unit, MaxClip)
	}
	return uint32(clip * Unit), nil
}

// Encode clips a change and turns it into fixed point: int32 in two's complement.
// Rounding n numbers to the nearest adds at most √n/2 units to the norm, so the change is
// clipped to that much less: the norm of the result is at most Norm(clip). Errors wrap
// ErrClip, also where √n/2 units are all of the norm, or ErrChange.
func Encode(change []float64, clip float64) ([]uint32, error) {
	norm, err := Norm(clip)
	if err != nil {
		return nil, err
	}
	room := float64(norm) - math.Sqrt(float64(len(change)))/2
	if room <= 0 {
		return nil, fmt.Errorf("%w: %g for %d numbers, which rounding alone may fill: clip to more", ErrClip, clip, len(change))
	}
	var squares float64
	for i, x := range change {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%w: number %d is %v", ErrChange, i, x)
		}
		squares += float64(x * x)
	}
	if math.IsInf(squares, 0) {
		return nil, fmt.Errorf("%w: it is too long", ErrChange)
	}
	scale := float64(Unit)
	if length := math.Sqrt(squares) * Unit; length > room {
		// A hair less than it takes: squares and products were rounded.
		scale *= room / length * (1 - 1e-9)
	}
	out := make([]uint32, len(change))
	for i, x := range change {
		out[i] = uint32(int32(math.Round(float64(x * scale))))
	}
	return out, nil
}

// Length is the Euclidean norm of a change.
func Length(change []float64) float64 {
	var squares float64
	for _, x := range change {
		squares += float64(x * x)
	}
	return math.Sqrt(squares)
}

// Average is the mean of the changes of so many members, from their sum modulo 2³². Each
// number is the quotient of two integers, rounded once, and so the same everywhere.
func Average(sum []uint32, members int) []float64 {
	out := make([]float64, len(sum))
	for i, x := range sum {
		out[i] = float64(int32(x)) / (float64(members) * Unit)
	}
	return out
}

// Carry adds to an average what the last round changed, times momentum, 0 up to but not
// including 1: rounds go on in the direction in which they went, and errors of single ones
// cancel. last is nil in the first round. It is public arithmetic, the same everywhere.
//
// Source: Hsu, Qi, Brown, "Measuring the Effects of Non-Identical Data Distribution for
// Federated Visual Classification", 2019 (FedAvgM).
func Carry(average, last []float64, momentum float64) []float64 {
	out := slices.Clone(average)
	for i, x := range last {
		out[i] += float64(momentum * x) // rounded on its own, so no machine fuses it
	}
	return out
}
