package train

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
)

// adam is the optimiser of Kingma and Ba (ICLR 2015), with the arithmetic of
// gorgonia's AdamSolver to the bit: each product, sum, root and quotient is
// rounded to single precision. Unlike that one it shows its moments, so that a
// run can stop and go on. It implements gorgonia.Solver.
type adam struct {
	rate         float64
	beta1, beta2 float64
	steps        int         // taken
	mean, square [][]float32 // running means of the gradients and their squares, by parameter
}

// epsilon keeps the quotient of a gradient that was always 0 finite.
const epsilon = 1e-8

// Step moves each parameter against its gradient, and sets the gradient to 0.
func (a *adam) Step(parameters []gorgonia.ValueGrad) error {
	a.steps++
	correct1 := 1 / float32(1-math.Pow(a.beta1, float64(a.steps)))
	correct2 := 1 / float32(1-math.Pow(a.beta2, float64(a.steps)))
	beta1, beta2, rate := float32(a.beta1), float32(a.beta2), -float32(a.rate)
	rest1, rest2 := 1-beta1, 1-beta2
	for i, p := range parameters {
		grad, err := p.Grad()
		if err != nil {
			return fmt.Errorf("gradient of parameter %d: %w", i, err)
		}
		w, g := floats(p.Value()), floats(grad)
		m, v := a.mean[i][:len(w)], a.square[i][:len(w)]
		for j, d := range g[:len(w)] {
			// The conversions forbid fused multiply-adds, which would round once.
			m[j] = float32(d*rest1) + float32(m[j]*beta1)
			v[j] = float32(float32(d*d)*rest2) + float32(v[j]*beta2)
			root := float32(math.Sqrt(float64(float32(v[j]*correct2)))) + epsilon
			w[j] += float32(float32(float32(m[j]*correct1)*rate) / root)
		}
		clear(g)
	}
	return nil
}
