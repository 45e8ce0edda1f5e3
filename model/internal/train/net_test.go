package train

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
)

var tiny = Shape{Hidden: 16, Layers: 2, Colours: 6, Latent: 5, Mapping: 7, Palette: 6}

func disc(name string, t testing.TB) Picture {
	img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
	for y := range 32 {
		for x := range 32 {
			if d := (x-16)*(x-16) + (y-16)*(y-16); d < 25 {
				img.Set(x, y, color.NRGBA{250, 240, 230, 255})
			} else if d < 144 {
				img.Set(x, y, color.NRGBA{200, 30, 40, 255})
			}
		}
	}
	p, err := Cut(name, img, 6)
	require.NoError(t, err)
	return p
}

func TestGradientsAgreeWithFiniteDifferences(t *testing.T) {
	pictures := []Picture{disc("red disc", t)}
	features := Features(pictures)
	s := tiny
	s.Features = len(features)
	start := s.Initial(rand.New(rand.NewPCG(1, 1)))
	const groups, points = 9, 4
	b := newBatch(s, groups, points, features, pictures, Taste{}, allPlaces)
	require.NoError(t, b.draw(rand.New(rand.NewPCG(2, 2)), .1))
	for r := range points { // one picture's labels are shared by several colours
		for k := range s.Colours {
			b.labels[r*s.Colours+k] = float32(k+1) / float32(s.Colours*(s.Colours+1)/2)
		}
	}
	run := func(w Weights, grad bool) (float64, *graph) {
		n, err := newGraph(s, w, groups, points, 2, true)
		require.NoError(t, err)
		var total gorgonia.Value
		gorgonia.Read(n.loss, &total)
		if grad {
			_, err = gorgonia.Grad(n.loss, n.parameters...)
			require.NoError(t, err)
		}
		require.NoError(t, n.let(n.features, b.features))
		require.NoError(t, n.let(n.noise, b.noise))
		require.NoError(t, n.let(n.places, b.places))
		require.NoError(t, n.let(n.labels, b.labels))
		require.NoError(t, n.let(n.target, b.palette))
		require.NoError(t, n.let(n.mask, b.mask))
		vm := gorgonia.NewTapeMachine(n.g, gorgonia.BindDualValues(n.parameters...))
		defer vm.Close()
		require.NoError(t, vm.RunAll())
		return float64(total.Data().(float32)), n
	}
	_, n := run(start, true)
	for i, slot := range s.Slots() {
		g, err := n.parameters[i].Grad()
		require.NoError(t, err)
		at := 0 // the element with the largest gradient says most
		for j, v := range floats(g) {
			if v*v > floats(g)[at]*floats(g)[at] {
				at = j
			}
		}
		const step = 4e-3
		moved := start[slot.Name].Data
		old := moved[at]
		moved[at] = old + step
		up, _ := run(start, false)
		moved[at] = old - step
		down, _ := run(start, false)
		moved[at] = old
		want := (up - down) / (2 * step)
		require.InDelta(t, want, floats(g)[at], 2e-3+.03*max(want, -want), slot.Name)
	}
}

// One step of the genesis artist: 16,384 places of 128 pictures.
func BenchmarkStep(b *testing.B) {
	img := image.NewNRGBA(image.Rect(0, 0, 32, 32))
	for i := range 200 {
		img.Set(i%20+6, i/20+6, color.NRGBA{uint8(i), 30, 40, 255})
	}
	p, err := Cut("red disc", img, 6)
	require.NoError(b, err)
	features := Features([]Picture{p})
	s := Shape{Hidden: 64, Layers: 4, Colours: 8, Latent: 96, Mapping: 320, Palette: 128, Features: len(features)}
	start := s.Initial(rand.New(rand.NewPCG(1, 1)))
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			e, err := New(s, features, []Picture{p}, Options{Steps: 1 << 30, Workers: workers, Rate: 1e-3, Groups: 128, Points: 128})
			require.NoError(b, err)
			defer e.Close()
			at, err := e.Begin(start)
			require.NoError(b, err)
			b.ResetTimer()
			_, err = e.Advance(context.Background(), at, b.N, nil)
			require.NoError(b, err)
			b.ReportMetric(128*128*float64(b.N)/b.Elapsed().Seconds(), "places/s")
		})
	}
}
