package model

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
)

// figure is where the subject of a picture lies, seen straight: for each place of a
// grid, from 0 for the ground to 1.
func figure(t *testing.T, p *kernel.Program) []float64 {
	const side = 40
	q := *p
	q.View, q.Shadow.Depth, q.Palette = kernel.Identity(), 0, make([]kernel.Lab, p.Colours)
	for c := latent.Papers; c < p.Colours; c++ {
		q.Palette[c].L = kernel.LabOne
	}
	img, err := kernel.Render(t.Context(), &q, side, side, kernel.Options{})
	require.NoError(t, err)
	out := make([]float64, side*side)
	for i := range out {
		out[i] = float64(img.RGB[3*i]) / 255
	}
	return out
}

// shared is what two figures have in common, of what they have together.
func shared(a, b []float64) float64 {
	both, either := 0., 0.
	for i := range a {
		both, either = both+math.Min(a[i], b[i]), either+math.Max(a[i], b[i])
	}
	return both / either
}

func drawnAs(t *testing.T, prompt string, n byte) *kernel.Program {
	p, err := Embedded().Fold(prompt, seed(n))
	require.NoError(t, err)
	return p
}

var candidates = []string{"bird", "mountain", "volcano", "cat", "sailboat", "tulip", "elephant", "fir", "red heart", "castle", "owl", "fish", "star", "mushroom", "horse", "rocket"}

// like is the thing whose figure the picture of a prompt shares most with.
func like(t *testing.T, prompt string, n byte) (thing string, share float64) {
	of := figure(t, drawnAs(t, prompt, n))
	for _, s := range candidates {
		if v := shared(of, figure(t, drawnAs(t, s+" plain", 99))); v > share {
			thing, share = s, v
		}
	}
	return thing, share
}

func TestAPromptShowsItsThingInItsColourOnItsGround(t *testing.T) {
	for prompt, want := range map[string]struct {
		thing         string
		low, up       float64 // lightness of the ground's first paper
		motif, paper  string
		yellow, green float64 // the subject's main colour lies on this side of its axes, 0 for either
	}{
		"blue bird":                     {thing: "bird", up: 1, yellow: -.08},
		"a golden fish":                 {thing: "fish", up: 1, yellow: .08},
		"red star":                      {thing: "star", up: 1, green: -.08},
		"green horse":                   {thing: "horse", up: 1, green: .08},
		"mountain at night":             {thing: "mountain", up: .4, motif: "night", paper: "night"},
		"volcano at night":              {thing: "volcano", up: .4, motif: "night", paper: "night"},
		"the cat at midnight":           {thing: "cat", up: .4, motif: "night", paper: "night"},
		"purple tulip in winter":        {thing: "tulip", low: .7, up: 1, motif: "winter", paper: "winter", yellow: -.05},
		"winter forest":                 {thing: "fir", low: .7, up: 1, motif: "winter", paper: "winter"},
		"boat on the sea at sunset":     {thing: "sailboat", low: .7, up: 1, motif: "sea", paper: "sunset"},
		"owl under the moon":            {thing: "owl", up: .4, motif: "moon", paper: "night"},
		"castle in the mountains, navy": {thing: "castle", up: .4, motif: "mountains", paper: "navy"},
		"pink elephant in the forest":   {thing: "elephant", low: .7, up: 1, motif: "forest", paper: "forest", green: -.05},
	} {
		t.Run(prompt, func(t *testing.T) {
			for n := range byte(4) {
				thing, share := like(t, prompt, n)
				require.Equal(t, want.thing, thing, "seed %d", n)
				require.Greater(t, share, .6)
				l, err := Embedded().Words().Of(prompt, seed(n))
				require.NoError(t, err)
				if want.motif != "" {
					require.Equal(t, want.motif, l.Motif)
				}
				require.Equal(t, want.paper, l.Paper)
				p := drawnAs(t, prompt, n).Palette
				unit := func(v int32) float64 { return float64(v) / kernel.LabOne }
				require.GreaterOrEqual(t, unit(p[0].L), want.low)
				require.LessOrEqual(t, unit(p[0].L), want.up)
				main := p[latent.Papers]
				if want.yellow != 0 {
					require.Greater(t, unit(main.B)/want.yellow, 1.)
				}
				if want.green != 0 {
					require.Greater(t, -unit(main.A)/want.green, 1.)
				}
			}
		})
	}
}

// Colours cannot change a figure: dyes and papers have no part in what says where
// something lies.
func TestColoursLeaveTheFigureAsItIsToTheBit(t *testing.T) {
	a := Embedded()
	l, err := a.Words().Of("bird on cream hills", seed(1))
	require.NoError(t, err)
	plain, err := a.FoldLatent(l, seed(1))
	require.NoError(t, err)
	l.Paper = "night"
	for _, dye := range latent.Dyes() {
		l.Dyes = []latent.Part{{Word: dye, Weight: latent.Whole}}
		p, err := a.FoldLatent(l, seed(1))
		require.NoError(t, err)
		require.NotEqual(t, plain.Palette, p.Palette, dye)
		p.Palette = plain.Palette
		require.Equal(t, plain, p, dye)
	}
}
