package train

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a run keeps is at most half of the estimate, since the collector lets the
// heap grow to twice that before it works, and not much less.
func TestMemoryIsWhatARunTakes(t *testing.T) {
	pictures := []Picture{disc("red disc", t), disc("blue ball", t)}
	names := Features(pictures)
	for name, test := range map[string]struct {
		shape Shape
		words int
		o     Options
	}{
		"the genesis artist":      {Shape{Hidden: 64, Layers: 4, Colours: 8, Latent: 96, Mapping: 320, Palette: 128}, 400, Options{Groups: 128, Points: 128, Workers: 2}},
		"a large one, held out":   {Shape{Hidden: 128, Layers: 8, Colours: 8, Latent: 128, Mapping: 224, Palette: 96}, 3000, Options{Groups: 128, Points: 16, Workers: 2, Every: 1}},
		"many pictures in a step": {Shape{Hidden: 16, Layers: 1, Colours: 6, Latent: 8, Mapping: 224, Palette: 96}, 500, Options{Groups: 2048, Points: 128, Workers: 2}},
		"with rehearsal":          {Shape{Hidden: 64, Layers: 4, Colours: 8, Latent: 96, Mapping: 320, Palette: 128}, 400, Options{Groups: 128, Points: 128, Workers: 2, Rehearsal: Rehearsal{Share: .5, Things: []int{60, 61}}}},
	} {
		t.Run(name, func(t *testing.T) {
			features := append([]string(nil), names...)
			for len(features) < test.words {
				features = append(features, fmt.Sprintf("word%d", len(features)))
			}
			test.shape.Features = len(features)
			test.o.Steps, test.o.Rate = 2, 1e-3
			start := test.shape.Initial(rand.New(rand.NewPCG(1, 1)))
			before := live()
			if test.o.Rehearsal.Share > 0 {
				test.o.Rehearsal.Before = start.clone()
			}
			e, err := New(test.shape, features, pictures, test.o)
			require.NoError(t, err)
			from, err := e.Begin(start)
			require.NoError(t, err)
			to := advance(t, e, from, 2)
			kept := live() - before
			t.Logf("kept %d KiB, estimated %d KiB", kept>>10, Memory(test.shape, test.o)>>10)
			require.LessOrEqual(t, 2*kept, Memory(test.shape, test.o))
			require.LessOrEqual(t, Memory(test.shape, test.o), 5*kept)
			runtime.KeepAlive(from)
			runtime.KeepAlive(to)
			require.NoError(t, e.Close())
		})
	}
}

func live() int64 {
	runtime.GC()
	runtime.GC() // what the first one finalised
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
