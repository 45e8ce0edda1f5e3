package engine

import (
	"crypto/sha256"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/onnx"
)

// psnr is the peak signal-to-noise ratio of two pictures, in decibels.
func psnr(a, b []byte) float64 {
	sum := 0.
	for i := range a {
		d := float64(a[i]) - float64(b[i])
		sum += d * d
	}
	return 10 * math.Log10(255*255*float64(len(a))/sum)
}

// TestAPictureOfTheONNXTwinAgrees compares whole pictures, edges included: the
// exact ones as they are, and those of the ONNX file with one sample in flat parts
// and four at the same places of a pixel on an edge.
func TestAPictureOfTheONNXTwinAgrees(t *testing.T) {
	artist := model.Embedded()
	for _, prompt := range []string{"red heart", "blue whale", "mountain at night", ""} {
		t.Run(prompt, func(t *testing.T) {
			seed := sha256.Sum256([]byte("agreement"))
			program, err := artist.Fold(prompt, seed)
			require.NoError(t, err)
			raw, err := onnx.FromProgram(program)
			require.NoError(t, err)
			agrees(t, program, raw, 128)
		})
	}
}

// The parts of a program that the genesis artist does not use agree too.
func TestMirrorsPalettesAndShapesAgree(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *kernel.Program)
	}{
		{"mirrored along x", func(p *kernel.Program) { p.View.MirrorX = true }},
		{"mirrored along both", func(p *kernel.Program) { p.View.MirrorX, p.View.MirrorY = true, true }},
		{"turned, magnified and moved", func(p *kernel.Program) {
			v, err := kernel.Turned(9000, 2*kernel.ViewOne)
			require.NoError(t, err)
			v.MirrorY, v.X0, v.Y0 = true, kernel.CoordinateOne/3, -kernel.CoordinateOne/5
			p.View = v
		}},
		{"soft, without a shadow", func(p *kernel.Program) { p.Sharpness, p.Shadow = kernel.SharpnessOne, kernel.Shadow{} }},
		{"two colours", func(p *kernel.Program) { fewer(p, 2) }},
		{"three colours", func(p *kernel.Program) { fewer(p, 3) }},
		{"a deep shadow on soft colours", func(p *kernel.Program) {
			p.Sharpness, p.Shadow = 4*kernel.SharpnessOne, kernel.Shadow{Depth: kernel.LabOne / 2, Width: 4 * kernel.LogitOne}
		}},
		{"one layer", func(p *kernel.Program) { p.Layers, p.Weights, p.Biases = 1, nil, nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			program, err := model.Embedded().Fold("owl", [32]byte{1})
			require.NoError(t, err)
			c.change(program)
			raw, err := onnx.FromProgram(program)
			require.NoError(t, err)
			agrees(t, program, raw, 96)
		})
	}
}

// fewer keeps the first colours.
func fewer(p *kernel.Program, k int) {
	p.Colours, p.Head, p.HeadBias, p.Palette = k, p.Head[:k*p.Hidden], p.HeadBias[:k], p.Palette[:k]
}

func agrees(t *testing.T, program *kernel.Program, raw []byte, size int) {
	want, err := kernel.Render(t.Context(), program, size, size, kernel.Options{})
	require.NoError(t, err)
	twin, err := OpenBytes(raw, Options{})
	require.NoError(t, err)
	defer twin.Close()
	require.Equal(t, model.Tolerant, twin.Describe().Class)
	drawn, err := twin.Fold("", [32]byte{})
	require.NoError(t, err)
	got, err := Render(t.Context(), drawn, size, size, RenderOptions{})
	require.NoError(t, err)
	r := psnr(want.RGB, got.RGB)
	t.Logf("%.1f dB at %d²", r, size)
	require.Greater(t, r, 38.)
}
