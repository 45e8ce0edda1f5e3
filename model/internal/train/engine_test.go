package train

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/atelier-dao/atelier/model/latent"
)

// run prepares a small run on two pictures.
func run(t testing.TB, change func(*Options)) (*Engine, State) {
	pictures := []Picture{disc("red disc", t), disc("blue ball", t)}
	features := Features(pictures)
	s := tiny
	s.Features = len(features)
	o := Options{Steps: 60, Workers: 2, Rate: 5e-3, Groups: 16, Points: 16, Noise: .05}
	if change != nil {
		change(&o)
	}
	e, err := New(s, features, pictures, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	at, err := e.Begin(s.Initial(rand.New(rand.NewPCG(1, 1))))
	require.NoError(t, err)
	return e, at
}

func advance(t testing.TB, e *Engine, from State, until int) State {
	s, err := e.Advance(context.Background(), from, until, nil)
	require.NoError(t, err)
	return s
}

func TestTrainingLowersTheLoss(t *testing.T) {
	e, at := run(t, nil)
	var losses []float64
	end, err := e.Advance(context.Background(), at, 60, func(p Progress) {
		require.Equal(t, len(losses)+1, p.Step)
		losses = append(losses, p.Loss)
	})
	require.NoError(t, err)
	require.Less(t, losses[59], losses[0]-.2)
	require.Equal(t, losses[59], end.Loss)
	require.Equal(t, Measurement{}, end.Last, "nothing is held out")
	require.True(t, Ended(e.o, end.Progress))
}

func TestAStateSaysAllThatTheNextStepsDependOn(t *testing.T) {
	measured := func(o *Options) { o.Every = 10 }
	e, at := run(t, measured)
	before, err := at.Marshal("")
	require.NoError(t, err)
	whole := advance(t, e, at, 60)
	require.Equal(t, 60, whole.Last.Step)

	t.Run("the same again on the engine that has been at the end", func(t *testing.T) {
		require.Equal(t, whole, advance(t, e, at, 60))
	})
	t.Run("another number of workers", func(t *testing.T) {
		for _, workers := range []int{1, 3, 20} {
			other, begun := run(t, func(o *Options) { measured(o); o.Workers = workers })
			require.Equal(t, whole, advance(t, other, begun, 60))
		}
	})
	t.Run("in parts, through files and on other engines", func(t *testing.T) {
		s := at
		for _, until := range []int{1, 7, 30, 31, 60} {
			raw, err := s.Marshal("part of a run")
			require.NoError(t, err)
			read, note, err := UnmarshalState(raw)
			require.NoError(t, err)
			require.Equal(t, "part of a run", note)
			require.Equal(t, s, read)
			other, _ := run(t, measured)
			s = advance(t, other, read, until)
			require.Equal(t, until, s.Step)
		}
		require.Equal(t, whole, s)
	})
	t.Run("stopped between two steps", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		part, err := e.Advance(ctx, at, 60, func(p Progress) {
			if p.Step == 23 {
				cancel()
			}
		})
		require.ErrorIs(t, err, context.Canceled)
		require.Equal(t, 23, part.Step)
		require.Equal(t, whole, advance(t, e, part, 60))
	})
	after, err := at.Marshal("")
	require.NoError(t, err)
	require.Equal(t, before, after, "the state that went in is left alone")
}

func TestARunEndsWhenItsPatienceDoes(t *testing.T) {
	e, at := run(t, func(o *Options) { o.Every, o.Patience, o.Rate = 2, 3, .4 })
	s := advance(t, e, at, 60) // at such a rate it does not get better for long
	require.Less(t, s.Step, 60)
	require.Equal(t, s.Best.Step+3*2, s.Step)
	require.Equal(t, s.Step, s.Last.Step)
	require.NotEqual(t, s.Weights, s.Chosen())
	require.Equal(t, s.BestWeights, s.Chosen())
	require.True(t, Ended(e.o, s.Progress))

	best := advance(t, e, at, s.Best.Step)
	require.Equal(t, best.Weights, s.Chosen(), "kept are the weights of the best measurement")
}

func TestAConstantRateMakesARunThatIsAPart(t *testing.T) {
	constant := func(steps int) func(o *Options) {
		return func(o *Options) { o.Constant, o.Steps = true, steps }
	}
	short, at := run(t, constant(8))
	long, _ := run(t, constant(1000))
	require.Equal(t, advance(t, short, at, 8), advance(t, long, at, 8))
}

func TestRowsCanBeAllThatIsLearned(t *testing.T) {
	e, at := run(t, func(o *Options) { o.Only = []int{1} })
	end := advance(t, e, at, 20)
	changed := 0
	for i, v := range end.Weights["embed"].Data {
		if v != at.Weights["embed"].Data[i] {
			require.Equal(t, 1, i/e.shape.Latent, "row")
			changed++
		}
	}
	require.Positive(t, changed)
	for name, w := range end.Weights {
		if name != "embed" {
			require.Equal(t, at.Weights[name], w, name)
		}
	}
}

// A figure must not depend on the colour that it has, nor on the ground's.
func TestDyesAndPapersKeepNoForm(t *testing.T) {
	e, at := run(t, nil)
	end := advance(t, e, at, 20)
	form := e.shape.Form()
	require.Less(t, form, e.shape.Latent)
	for f, row := range e.learned.index {
		z := end.Weights["embed"].Data[row*e.shape.Latent:][:e.shape.Latent]
		still := latent.IsDye(f) || strings.HasPrefix(f, PaperPrefix)
		require.Equal(t, still, slices.Max(z[:form]) == 0 && slices.Min(z[:form]) == 0, f)
		require.NotEqual(t, at.Weights["embed"].Data[row*e.shape.Latent+form:][:e.shape.Latent-form], z[form:], "%s: its colours are learned", f)
	}
	require.Equal(t, make([]float32, (e.shape.Latent-form)*e.shape.Mapping), end.Weights["mapping.w"].Data[form*e.shape.Mapping:])
}

func TestHeldOutPlacesAreNotLearned(t *testing.T) {
	pictures := []Picture{disc("red disc", t), disc("blue ball", t)}
	features := Features(pictures)
	s := tiny
	s.Features = len(features)
	for which, name := range map[part]string{learnedPlaces: "learned", heldOutPlaces: "held out"} {
		b := newBatch(s, 64, 50, features, pictures, Taste{}, which)
		require.NoError(t, b.draw(rand.New(rand.NewPCG(3, 3)), 0))
		for g := range b.groups {
			n := 0
			if b.features[g*s.Features+b.index["blue ball"]] == 1 {
				n = 1
			}
			for i := range b.points {
				r := g*b.points + i
				// Single precision may move a place over the border of its square.
				x, y := float64(b.places[2*r]), float64(b.places[2*r+1])
				inner := func(v float64) bool {
					f := (v + reach) / (2 * reach) * 40
					return f-math.Floor(f) > 1e-4 && f-math.Floor(f) < 1-1e-4
				}
				if inner(x) && inner(y) {
					require.Equal(t, which == heldOutPlaces, heldOut(n, x, y), "%s: place (%v, %v) of picture %d", name, x, y, n)
				}
			}
		}
	}
	share := 0
	at := func(i int) float64 { return (float64(i)+.5)/40*2*reach - reach }
	for i := range 40 * 40 {
		if heldOut(5, at(i%40), at(i/40)) {
			share++
		}
	}
	require.InDelta(t, 100, share, 30, "one in sixteen")
	require.False(t, heldOut(5, reach+.1, 0))
}

func TestAdamAgreesWithGorgoniasToTheBit(t *testing.T) {
	var x, y, z float32 = 1 + 1./4096, 1 + 1./4096, -1
	if x*y+z != float32(x*y)+z {
		t.Skip("here the compiler fuses multiply-adds in gorgonia's loops, which rounds otherwise")
	}
	rng := rand.New(rand.NewPCG(11, 12))
	normal := func(n int, scale float64) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64() * scale)
		}
		return v
	}
	var ours, theirs []*gradient
	sizes := []int{1, 7, 64, 1000}
	own := &adam{beta1: meanDecay, beta2: squareDecay}
	for _, n := range sizes {
		w := normal(n, 1)
		ours = append(ours, newGradient(w))
		theirs = append(theirs, newGradient(w))
		own.mean, own.square = append(own.mean, make([]float32, n)), append(own.square, make([]float32, n))
	}
	solver := gorgonia.NewAdamSolver(gorgonia.WithBeta2(squareDecay))
	for step := range 300 {
		eta := 3e-3 * rate(step, 300)
		own.rate = eta
		gorgonia.WithLearnRate(eta)(solver)
		var a, b []gorgonia.ValueGrad
		for i, n := range sizes {
			g := normal(n, math.Pow(10, rng.Float64()*8-7))
			if step%7 == 0 {
				clear(g)
			}
			copy(ours[i].g.Data().([]float32), g)
			copy(theirs[i].g.Data().([]float32), g)
			a, b = append(a, ours[i]), append(b, theirs[i])
		}
		require.NoError(t, own.Step(a))
		require.NoError(t, solver.Step(b))
		for i := range sizes {
			require.Equal(t, theirs[i].w.Data(), ours[i].w.Data(), "step %d", step)
			require.Equal(t, theirs[i].g.Data(), ours[i].g.Data(), "gradients are 0 afterwards")
		}
	}
}

// gradient is a parameter with a gradient, for solvers.
type gradient struct{ w, g *tensor.Dense }

func newGradient(w []float32) *gradient {
	of := func(v []float32) *tensor.Dense {
		return tensor.New(tensor.WithShape(1, len(v)), tensor.WithBacking(append([]float32(nil), v...)))
	}
	return &gradient{of(w), of(make([]float32, len(w)))}
}

func (g *gradient) Value() gorgonia.Value         { return g.w }
func (g *gradient) Grad() (gorgonia.Value, error) { return g.g, nil }
