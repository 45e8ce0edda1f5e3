package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/atelier-dao/atelier/model/latent"
)

// Shape is the architecture of an artist: everything but its numbers.
type Shape struct {
	Hidden   int // width of a sine layer
	Layers   int // sine layers
	Colours  int // logits and palette entries
	Latent   int // numbers in z
	Mapping  int // hidden units of the network from z to scales and shifts
	Palette  int // hidden units of the network from z to colours
	Features int // rows of the embedding: words, grounds and papers
}

// Form is how many numbers of z, the first ones, decide what a picture shows where;
// the others speak of its colours only, and colours may depend on all. A latent of
// less than three numbers is not divided.
func (s Shape) Form() int { return s.Latent - s.Latent/3 }

// still are the numbers that stay 0, by tensor, as ranges of indices: dyes and papers
// have no form, so that they cannot change a figure, and what is behind the form is
// not mapped to scales and shifts.
func (s Shape) still(features []string) map[string][][2]int {
	form := s.Form()
	if form == s.Latent {
		return nil
	}
	still := map[string][][2]int{"mapping.w": {{form * s.Mapping, s.Latent * s.Mapping}}}
	for i, f := range features {
		if latent.IsDye(f) || strings.HasPrefix(f, PaperPrefix) {
			still["embed"] = append(still["embed"], [2]int{i * s.Latent, i*s.Latent + form})
		}
	}
	return still
}

// A Tensor is a row-major matrix.
type Tensor struct {
	Rows, Cols int
	Data       []float32
}

// Weights are an artist's numbers by name, as floats. Phases are in radians.
type Weights map[string]Tensor

// A Slot is one tensor of a shape.
type Slot struct {
	Name       string
	Rows, Cols int
	spread     float64 // half width of the uniform initial values
}

// Slots lists the tensors of the shape in their canonical order.
//
//	embed             one latent row for each feature; z is the sum of a picture's rows
//	mapping.{w,b}     u = softsign(z·w + b)
//	layer.N.w         weights of sine layer N, from its input (2 or Hidden) to Hidden
//	layer.N.scale     scales 1 + u·scale of its sums
//	layer.N.shift, .b phases u·shift + b
//	head.{w,b,shift}  logits y·w + b + u·shift
//	palette.in.{w,b}  p = softsign(z·w + b)
//	palette.out.{w,b} colours p·w + b: L−½, 4a, 4b for each logit
func (s Shape) Slots() []Slot {
	root := func(n int) float64 { return 1 / math.Sqrt(float64(n)) }
	slots := []Slot{
		{"embed", s.Features, s.Latent, .4},
		{"mapping.w", s.Latent, s.Mapping, 1.7 * root(s.Latent)},
		{"mapping.b", 1, s.Mapping, .3},
	}
	for l := range s.Layers {
		in, spread, bias := s.Hidden, math.Sqrt(6)*root(s.Hidden), .1
		if l == 0 {
			in, spread, bias = 2, 4, math.Pi
		}
		name := fmt.Sprintf("layer.%d.", l)
		slots = append(slots,
			Slot{name + "w", in, s.Hidden, spread},
			Slot{name + "scale", s.Mapping, s.Hidden, .3 * root(s.Mapping)},
			Slot{name + "shift", s.Mapping, s.Hidden, 2 * root(s.Mapping)},
			Slot{name + "b", 1, s.Hidden, bias},
		)
	}
	return append(slots,
		Slot{"head.w", s.Hidden, s.Colours, root(s.Hidden)},
		Slot{"head.b", 1, s.Colours, .01},
		Slot{"head.shift", s.Mapping, s.Colours, .1 * root(s.Mapping)},
		Slot{"palette.in.w", s.Latent, s.Palette, 1.7 * root(s.Latent)},
		Slot{"palette.in.b", 1, s.Palette, .3},
		Slot{"palette.out.w", s.Palette, 3 * s.Colours, root(s.Palette)},
		Slot{"palette.out.b", 1, 3 * s.Colours, .1},
	)
}

// Initial draws the weights from which training starts.
func (s Shape) Initial(rng *rand.Rand) Weights {
	w := Weights{}
	for _, slot := range s.Slots() {
		data := make([]float32, slot.Rows*slot.Cols)
		for i := range data {
			data[i] = float32((rng.Float64()*2 - 1) * slot.spread)
		}
		w[slot.Name] = Tensor{slot.Rows, slot.Cols, data}
	}
	return w
}

// Parameters counts the numbers of the shape.
func (s Shape) Parameters() int {
	n := 0
	for _, slot := range s.Slots() {
		n += slot.Rows * slot.Cols
	}
	return n
}
