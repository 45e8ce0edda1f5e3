package onnx

import (
	"fmt"
	"math"

	"github.com/atelier-dao/atelier/model/kernel"
)

// FromProgram writes the network of one picture as an ONNX file, from places to
// colours. The error wraps [kernel.ErrProgram].
func FromProgram(p *kernel.Program) ([]byte, error) {
	b, logits, err := network(p)
	if err != nil {
		return nil, err
	}
	lab := make([]float32, 0, 3*p.Colours)
	for _, c := range p.Palette {
		lab = append(lab, float32(c.L)/kernel.LabOne, float32(c.A)/kernel.LabOne, float32(c.B)/kernel.LabOne)
	}
	b.shade(logits, b.constant(Palette, p.Colours, 3, lab), p.Colours, finish{
		sharpness: float64(p.Sharpness) / kernel.SharpnessOne,
		depth:     float64(p.Shadow.Depth) / kernel.LabOne,
		width:     float64(p.Shadow.Width) / kernel.LogitOne,
	})
	b.output(Colour, "n", 3)
	return b.file()
}

// LogitsOf is FromProgram without the colours: its output is "logits", [n, K].
func LogitsOf(p *kernel.Program) ([]byte, error) {
	b, logits, err := network(p)
	if err != nil {
		return nil, err
	}
	b.output(logits, "n", p.Colours)
	return b.file()
}

// network is the part from places to logits.
func network(p *kernel.Program) (b *builder, logits string, err error) {
	if err := p.Validate(); err != nil {
		return nil, "", err
	}
	b = newBuilder("picture", "One picture: places [n, 2] in -1..+1 along the shorter side, x to the right and y down, to colours [n, 3] in sRGB.")
	b.input(Places, "n", 2)
	h, k := p.Hidden, p.Colours
	at, first := b.first(p)
	y := b.sines("layer.0", at, first, h)
	for l, weights := range p.Weights {
		name := fmt.Sprintf("layer.%d", l+1)
		w, bias := make([]float32, h*h), make([]float32, h)
		for j := range h {
			for i := range h {
				w[i*h+j] = radians(float64(weights[j*h+i]) / kernel.WeightOne)
			}
			bias[j] = phase(float64(p.Biases[l][j]) / kernel.BiasOne)
		}
		y = b.sines(name, b.op(name+".sum", "MatMul", y, b.constant(name+".w", h, h, w)), bias, h)
	}
	w, bias := make([]float32, h*k), make([]float32, k)
	for c := range k {
		for i := range h {
			w[i*k+c] = float32(p.Head[c*h+i]) / kernel.HeadOne
		}
		bias[c] = float32(p.HeadBias[c]) / kernel.LogitOne
	}
	sum := b.op("head.sum", "MatMul", y, b.constant("head.w", h, k, w))
	return b, b.op("logits", "Add", sum, b.row("head.b", bias...)), nil
}

// first is the sums of the first layer and its biases, with the view folded in.
// A mirror takes the magnitude of a coordinate.
func (b *builder) first(p *kernel.Program) (sum string, bias []float32) {
	h, v := p.Hidden, p.View
	straight, folded, bias := make([]float32, 2*h), make([]float32, 2*h), make([]float32, h)
	for j := range h {
		const one = kernel.SlopeOne * kernel.ViewOne
		x, y := float64(p.PhaseX[j]), float64(p.PhaseY[j])
		to := [2][]float32{straight, straight}
		if v.MirrorX {
			to[0] = folded
		}
		if v.MirrorY {
			to[1] = folded
		}
		to[0][j] = radians((x*float64(v.XX) + y*float64(v.YX)) / one)
		to[1][h+j] = radians((x*float64(v.XY) + y*float64(v.YY)) / one)
		bias[j] = phase(float64(p.PhaseC[j])/float64(kernel.FirstBiasOne) + (x*float64(v.X0)+y*float64(v.Y0))/(kernel.SlopeOne*kernel.CoordinateOne))
	}
	if !v.MirrorX && !v.MirrorY {
		return b.op("layer.0.sum", "MatMul", Places, b.constant("layer.0.w", 2, h, straight)), bias
	}
	both := b.along(1, "folded", "Concat", Places, b.op("magnitude", "Abs", Places))
	return b.op("layer.0.sum", "MatMul", both, b.constant("layer.0.w", 4, h, append(straight, folded...))), bias
}

// sines is one layer's activations from its sums.
func (b *builder) sines(name, sum string, bias []float32, h int) string {
	return b.op(name, "Sin", b.op(name+".phase", "Add", sum, b.constant(name+".b", 1, h, bias)))
}

// radians of a number of turns.
func radians(turns float64) float32 { return float32(2 * math.Pi * turns) }

// phase is radians without whole turns.
func phase(turns float64) float32 { return radians(turns - math.Round(turns)) }
