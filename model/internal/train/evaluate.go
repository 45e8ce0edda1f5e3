package train

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
)

// Evaluate runs the artist in floats on gorgonia's graph, for one latent z at
// the given places (x and y by turns). It returns Colours logits for each
// place and the palette. It is what the integer kernels are checked against.
func Evaluate(s Shape, w Weights, z, places []float32) (logits []float32, palette []Lab, err error) {
	n, err := newGraph(s, w, 1, len(places)/2, 1, false)
	if err != nil {
		return nil, nil, err
	}
	rows := len(places) / 2
	if err := n.feed(make([]float32, s.Features), z, places, make([]float32, rows*s.Colours), make([]float32, 3*s.Colours), make([]float32, 3*s.Colours)); err != nil {
		return nil, nil, fmt.Errorf("evaluate: %w", err)
	}
	vm := gorgonia.NewTapeMachine(n.g)
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		return nil, nil, fmt.Errorf("evaluate: %w", err)
	}
	p := floats(n.paletteValue)
	for k := range s.Colours {
		palette = append(palette, Lab{float64(p[3*k]) + .5, float64(p[3*k+1]) / 4, float64(p[3*k+2]) / 4})
	}
	return n.trunk.logits, palette, nil
}

// Mix is the colour of one place: the palette weighed by the softmax of the
// logits times sharpness.
func Mix(logits []float32, palette []Lab, sharpness float64) Lab {
	top := math.Inf(-1)
	for _, l := range logits {
		top = max(top, float64(l))
	}
	var sum float64
	var c Lab
	for k, l := range logits {
		e := math.Exp((float64(l) - top) * sharpness)
		sum += e
		for q := range c {
			c[q] += e * palette[k][q]
		}
	}
	for q := range c {
		c[q] /= sum
	}
	return c
}
