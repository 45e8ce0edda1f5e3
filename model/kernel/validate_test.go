package kernel

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestValidateNamesWhatIsWrong(t *testing.T) {
	require.NoError(t, drawn("valid", 64, 4, 6).Validate())
	for name, c := range map[string]struct {
		spoil func(p *Program)
		says  string
	}{
		"no width":                        {func(p *Program) { p.Hidden = 0 }, "hidden width 0"},
		"a width between multiples":       {func(p *Program) { p.Hidden = 40 }, "hidden width 40"},
		"too wide":                        {func(p *Program) { p.Hidden = 144 }, "hidden width 144"},
		"negative width":                  {func(p *Program) { p.Hidden = -16 }, "hidden width"},
		"no layer":                        {func(p *Program) { p.Layers = 0 }, "0 layers"},
		"too deep":                        {func(p *Program) { p.Layers = 9 }, "9 layers"},
		"one colour":                      {func(p *Program) { p.Colours = 1 }, "1 colours"},
		"too many colours":                {func(p *Program) { p.Colours = 9 }, "9 colours"},
		"a slope missing":                 {func(p *Program) { p.PhaseX = p.PhaseX[1:] }, "31 slopes along x, want 32"},
		"a phase missing":                 {func(p *Program) { p.PhaseC = nil }, "0 phases, want 32"},
		"a matrix missing":                {func(p *Program) { p.Weights = p.Weights[1:] }, "1 matrices of weights, want 2"},
		"a weight missing":                {func(p *Program) { p.Weights[0] = p.Weights[0][1:] }, "layer 1 has 1023 weights"},
		"a bias too many":                 {func(p *Program) { p.Biases[1] = append(p.Biases[1], 0) }, "33 biases"},
		"a head of another shape":         {func(p *Program) { p.Head = p.Head[:96] }, "96 weights of the colours, want 128"},
		"a steep slope":                   {func(p *Program) { p.PhaseY[3] = MaxSlope + 1 }, "neuron 3"},
		"the steepest negative slope":     {func(p *Program) { p.PhaseX[0] = math.MinInt32 }, "neuron 0"},
		"logits that could wrap":          {func(p *Program) { p.HeadBias[2] = math.MaxInt32 }, "logit 2"},
		"the lowest logit bias":           {func(p *Program) { p.HeadBias[1] = math.MinInt32 }, "logit 1"},
		"head weights that could wrap":    {func(p *Program) { fill(p.Head, math.MinInt16) }, "logit 0"},
		"no sharpness":                    {func(p *Program) { p.Sharpness = 0 }, "sharpness 0"},
		"too sharp":                       {func(p *Program) { p.Sharpness = MaxSharpness + 1 }, "sharpness"},
		"a colour lighter than white":     {func(p *Program) { p.Palette[1].L = LabOne + 1 }, "colour 1"},
		"a colour far outside":            {func(p *Program) { p.Palette[0].B = math.MinInt32 }, "colour 0"},
		"a shadow without width":          {func(p *Program) { p.Shadow = Shadow{Depth: 1} }, "shadow"},
		"a shadow deeper than half":       {func(p *Program) { p.Shadow = Shadow{Depth: LabOne, Width: 1} }, "shadow"},
		"a shadow wider than the logits":  {func(p *Program) { p.Shadow = Shadow{Width: math.MaxInt32} }, "shadow"},
		"no view":                         {func(p *Program) { p.View = View{} }, "singular"},
		"a view magnified without bounds": {func(p *Program) { p.View.XX = math.MaxInt32 }, "view matrix"},
		"a view out of sight":             {func(p *Program) { p.View.Y0 = math.MinInt32 }, "view offset"},
	} {
		t.Run(name, func(t *testing.T) {
			p := drawn("valid", 32, 3, 4)
			c.spoil(p)
			err := p.Validate()
			require.ErrorIs(t, err, ErrProgram)
			require.ErrorContains(t, err, c.says)
			_, err = Render(context.Background(), p, 8, 8, Options{})
			require.ErrorIs(t, err, ErrProgram)
		})
	}
}

func fill(w []int16, v int16) {
	for i := range w {
		w[i] = v
	}
}

// FuzzRender draws programs whose every field may be out of bounds: rendering
// gives an error or the same picture on every kernel, and never panics.
func FuzzRender(f *testing.F) {
	f.Add("dusk", uint8(2), uint8(2), uint8(4), int32(3000), int32(100), int32(1<<20), int32(1<<16), int32(0), uint8(40), uint8(9))
	f.Add("edges", uint8(1), uint8(1), uint8(6), int32(MaxSharpness), int32(LabOne/2), int32(16*LogitOne), int32(16*ViewOne), int32(64*CoordinateOne), uint8(1), uint8(70))
	f.Add("wrong", uint8(0), uint8(200), uint8(9), int32(-1), int32(-1), int32(-1), int32(math.MinInt32), int32(math.MaxInt32), uint8(0), uint8(1))
	f.Fuzz(func(t *testing.T, seed string, h, l, k uint8, sharp, depth, width, zoom, shift int32, w, hh uint8) {
		p := drawn(seed, 16*(1+int(h)%8), 1+int(l)%4, 2+int(k)%7)
		if k > 200 {
			p.Colours = int(k)
		}
		p.Sharpness, p.Shadow = sharp, Shadow{depth, width}
		p.View.XX, p.View.YX, p.View.X0 = zoom, zoom/3, shift
		p.View.MirrorX = shift%2 == 0
		p.Palette[0].A = shift / 4
		size := [2]int{int(w) % 40, int(hh) % 48}
		want, err := Render(context.Background(), p, size[0], size[1], Options{Kernel: "reference"})
		if (p.Validate() == nil && checkSize(size[0], size[1]) == nil) != (err == nil) {
			t.Fatalf("valid and yet refused, or the reverse: %v", err)
		}
		for _, e := range engines {
			got, failed := Render(context.Background(), p, size[0], size[1], Options{Kernel: e.name})
			require.Equal(t, err == nil, failed == nil)
			require.Equal(t, want, got, "%s, seed %q", e.name, seed)
		}
	})
}
