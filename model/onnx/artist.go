package onnx

import (
	"encoding/json"
	"fmt"

	"github.com/atelier-dao/atelier/model/internal/train"
)

// An Artist is what a whole artist's file is made of.
type Artist struct {
	Shape        train.Shape
	Weights      train.Weights
	Vocabulary   []string // names of the embedding's rows
	Sharpness    float64  // inverse temperature
	Depth, Width float64  // of the shadow: lightness, logits
	Metadata     [][2]string
}

// File writes the artist as an ONNX file: from words, noise, view and places to
// colours and palette.
func (a Artist) File() ([]byte, error) {
	s := a.Shape
	b := newBuilder("artist", "An artist: words [1, f] and noise [1, z] choose a picture, of which places [n, 2] give colours [n, 3] in sRGB.")
	for _, slot := range s.Slots() {
		w, ok := a.Weights[slot.Name]
		if !ok || w.Rows != slot.Rows || w.Cols != slot.Cols {
			return nil, fmt.Errorf("write ONNX: tensor %s is %d×%d, want %d×%d", slot.Name, w.Rows, w.Cols, slot.Rows, slot.Cols)
		}
		data := w.Data
		if slot.Name == "palette.out.w" || slot.Name == "palette.out.b" {
			data = lab(data, slot.Name == "palette.out.b")
		}
		b.constant(slot.Name, w.Rows, w.Cols, data)
	}
	b.input(Places, "n", 2)
	b.input(Words, 1, s.Features)
	b.input(Noise, 1, s.Latent)
	b.input(View, 3, 2)

	z := b.op("latent", "Add", b.op("latent.words", "MatMul", Words, "embed"), Noise)
	u := b.softsign("mapping", b.affine("mapping.sum", z, "mapping.w", "mapping.b"))
	matrix := b.op("view.matrix", "MatMul", b.constant("view.rows", 2, 3, []float32{1, 0, 0, 0, 1, 0}), View)
	offset := b.op("view.offset", "MatMul", b.row("view.row", 0, 0, 1), View)
	y := b.op("seen", "Add", b.op("seen.turned", "MatMul", Places, matrix), offset)
	for l := range s.Layers {
		name := fmt.Sprintf("layer.%d", l)
		scale := b.op(name+".gain", "Add", b.op(name+".scales", "MatMul", u, name+".scale"), b.row(name+".one", 1))
		phase := b.affine(name+".phases", u, name+".shift", name+".b")
		sum := b.op(name+".sum", "Mul", b.op(name+".product", "MatMul", y, name+".w"), scale)
		y = b.op(name, "Sin", b.op(name+".phase", "Add", sum, phase))
	}
	logits := b.op("logits", "Add", b.op("head.sum", "MatMul", y, "head.w"), b.affine("head.bias", u, "head.shift", "head.b"))
	p := b.softsign("palette.in", b.affine("palette.in.sum", z, "palette.in.w", "palette.in.b"))
	flat := b.op("palette.flat", "Reshape", b.affine("palette.out", p, "palette.out.w", "palette.out.b"), b.whole("palette.shape", int64(s.Colours), 3))
	b.within(Palette, flat, b.row("palette.low", 0, -.5, -.5), b.row("palette.up", 1, .5, .5))
	b.shade(logits, Palette, s.Colours, finish{sharpness: a.Sharpness, depth: a.Depth, width: a.Width})
	b.output(Colour, "n", 3)
	b.output(Palette, s.Colours, 3)
	words, err := json.Marshal(a.Vocabulary)
	if err != nil {
		return nil, fmt.Errorf("write ONNX: %w", err)
	}
	return b.file(append([][2]string{{Vocabulary, string(words)}}, a.Metadata...)...)
}

// affine is x·w + b for tensors of the file.
func (b *builder) affine(output, x, w, bias string) string {
	return b.op(output, "Add", b.op(output+".product", "MatMul", x, w), bias)
}

// softsign is x / (1 + |x|).
func (b *builder) softsign(output, x string) string {
	return b.op(output, "Div", x, b.op(output+".size", "Add", b.op(output+".magnitude", "Abs", x), b.row(output+".one", 1)))
}

// lab turns the palette's trained units, L-½, 4a and 4b, into OKLab.
func lab(data []float32, bias bool) []float32 {
	out := make([]float32, len(data))
	for i, v := range data {
		switch {
		case i%3 != 0:
			v /= 4
		case bias:
			v += .5
		}
		out[i] = v
	}
	return out
}
