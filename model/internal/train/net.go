package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/atelier-dao/atelier/model/internal/gemm"
)

// Options of a training run.
type Options struct {
	Steps   int
	Seed    [32]byte
	Workers int     // goroutines of the large operations; they do not change the result
	Rate    float64 // Adam's first learning rate; it falls along a cosine to 2 %
	Noise   float64 // standard deviation added to each number of z
	Groups  int     // pictures in a batch
	Points  int     // places in each of them
	Taste   Taste
	Budget  time.Duration // 0, or when to end early; how far it gets then depends on the machine
	// Progress, where not nil, is called after each step.
	Progress func(step, steps int, loss float64)
}

// Loss weights: what a palette error counts against a wrong colour of a place,
// and what keeps latents near 0.
const (
	paletteWeight = 12
	latentWeight  = 2e-3
)

var useOnce sync.Once

// graph is the artist on gorgonia, for a fixed batch size.
type graph struct {
	g                                             *gorgonia.ExprGraph
	parameters                                    gorgonia.Nodes
	features, noise, places, labels, target, mask *gorgonia.Node
	logits, palette                               *gorgonia.Node
	loss, entropy                                 *gorgonia.Node
	lossValue, logitsValue, paletteValue          gorgonia.Value
}

func newGraph(s Shape, w Weights, groups, points, workers int) (*graph, error) {
	useOnce.Do(func() { gorgonia.Use(gemm.BLAS{}) })
	n := &graph{g: gorgonia.NewGraph()}
	input := func(name string, rows, cols int) *gorgonia.Node {
		return gorgonia.NewMatrix(n.g, tensor.Float32, gorgonia.WithShape(rows, cols), gorgonia.WithName(name))
	}
	p := map[string]*gorgonia.Node{}
	for _, slot := range s.Slots() {
		t, ok := w[slot.Name]
		if !ok || t.Rows != slot.Rows || t.Cols != slot.Cols || len(t.Data) != t.Rows*t.Cols {
			return nil, fmt.Errorf("train: tensor %s is %d×%d, want %d×%d", slot.Name, t.Rows, t.Cols, slot.Rows, slot.Cols)
		}
		p[slot.Name] = gorgonia.NewMatrix(n.g, tensor.Float32, gorgonia.WithShape(t.Rows, t.Cols), gorgonia.WithName(slot.Name),
			gorgonia.WithValue(tensor.New(tensor.WithShape(t.Rows, t.Cols), tensor.WithBacking(append([]float32(nil), t.Data...)))))
		n.parameters = append(n.parameters, p[slot.Name])
	}
	rows := groups * points
	n.features, n.noise = input("features", groups, s.Features), input("noise", groups, s.Latent)
	n.places, n.labels = input("places", rows, 2), input("labels", rows, 1)
	n.target, n.mask = input("target", groups, 3*s.Colours), input("mask", groups, 3*s.Colours)

	var failed error
	must := func(v *gorgonia.Node, err error) *gorgonia.Node {
		if err != nil && failed == nil {
			failed = err
		}
		return v
	}
	// Errors of graph building are errors of this file; the first one is kept
	// and building stops by the panic-free return below.
	build := func() {
		z := must(gorgonia.Add(must(gorgonia.Mul(n.features, p["embed"])), n.noise))
		affine := func(x *gorgonia.Node, w, b string) *gorgonia.Node {
			return must(gorgonia.BroadcastAdd(must(gorgonia.Mul(x, p[w])), p[b], nil, []byte{0}))
		}
		u := must(gorgonia.ApplyOp(&softsign{operation{"softsign", 1}}, affine(z, "mapping.w", "mapping.b")))
		h, in := n.places, 2
		for l := range s.Layers {
			name := fmt.Sprintf("layer.%d.", l)
			scale := must(gorgonia.Mul(u, p[name+"scale"]))
			shift := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(u, p[name+"shift"])), p[name+"b"], nil, []byte{0}))
			h = must(gorgonia.ApplyOp(newSineLayer(workers, groups, points, in, s.Hidden), h, p[name+"w"], scale, shift))
			in = s.Hidden
		}
		bias := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(u, p["head.shift"])), p["head.b"], nil, []byte{0}))
		spread := must(gorgonia.ApplyOp(&repeat{operation{"repeat", 1}, groups, points, s.Colours}, bias))
		n.logits = must(gorgonia.Add(must(gorgonia.Mul(h, p["head.w"])), spread))
		n.entropy = must(gorgonia.ApplyOp(newCrossEntropy(workers, rows, s.Colours), n.logits, n.labels))
		q := must(gorgonia.ApplyOp(&softsign{operation{"softsign", 1}}, affine(z, "palette.in.w", "palette.in.b")))
		n.palette = affine(q, "palette.out.w", "palette.out.b")
		wrong := must(gorgonia.HadamardProd(n.mask, must(gorgonia.Sub(n.palette, n.target))))
		colour := must(gorgonia.Mean(must(gorgonia.Square(wrong))))
		size := must(gorgonia.Mean(must(gorgonia.Square(z))))
		n.loss = must(gorgonia.Add(must(gorgonia.Add(n.entropy, must(gorgonia.Mul(colour, gorgonia.NewConstant(float32(paletteWeight)))))),
			must(gorgonia.Mul(size, gorgonia.NewConstant(float32(latentWeight))))))
	}
	build()
	if failed != nil {
		return nil, fmt.Errorf("train: build graph: %w", failed)
	}
	gorgonia.Read(n.entropy, &n.lossValue)
	gorgonia.Read(n.logits, &n.logitsValue)
	gorgonia.Read(n.palette, &n.paletteValue)
	return n, nil
}

func (n *graph) let(node *gorgonia.Node, data []float32) error {
	s := node.Shape()
	return gorgonia.Let(node, tensor.New(tensor.WithShape(s[0], s[1]), tensor.WithBacking(data)))
}

// ErrDiverged reports a run whose loss stopped being a number.
var ErrDiverged = errors.New("training went astray: try another seed")

// Run trains from start and returns new weights; start is left alone. The
// result depends on shape, start, features, pictures and options, but not on
// the number of workers.
func Run(ctx context.Context, s Shape, start Weights, features []string, pictures []Picture, o Options) (Weights, error) {
	if len(pictures) == 0 {
		return nil, fmt.Errorf("%w: none given", ErrPicture)
	}
	if s.Features != len(features) {
		return nil, fmt.Errorf("train: %d features named, shape has %d", len(features), s.Features)
	}
	n, err := newGraph(s, start, o.Groups, o.Points, o.Workers)
	if err != nil {
		return nil, err
	}
	if _, err := gorgonia.Grad(n.loss, n.parameters...); err != nil {
		return nil, fmt.Errorf("train: differentiate: %w", err)
	}
	vm := gorgonia.NewTapeMachine(n.g, gorgonia.BindDualValues(n.parameters...))
	defer vm.Close()
	solver := gorgonia.NewAdamSolver(gorgonia.WithLearnRate(o.Rate), gorgonia.WithBeta2(.99))
	rng := rand.New(rand.NewChaCha8(o.Seed))
	b := newBatch(s, o.Groups, o.Points, features, pictures, o.Taste)
	mean := 0.
	began := time.Now()
	for step := range o.Steps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b.draw(rng, o.Noise)
		for _, in := range []struct {
			node *gorgonia.Node
			data []float32
		}{{n.features, b.features}, {n.noise, b.noise}, {n.places, b.places}, {n.labels, b.labels}, {n.target, b.palette}, {n.mask, b.mask}} {
			if err := n.let(in.node, in.data); err != nil {
				return nil, fmt.Errorf("train: %w", err)
			}
		}
		if err := vm.RunAll(); err != nil {
			return nil, fmt.Errorf("train: step %d: %w", step, err)
		}
		gorgonia.WithLearnRate(o.Rate * rate(step, o.Steps))(solver)
		if err := solver.Step(gorgonia.NodesToValueGrads(n.parameters)); err != nil {
			return nil, fmt.Errorf("train: step %d: %w", step, err)
		}
		vm.Reset()
		loss := float64(n.lossValue.Data().(float32))
		if math.IsNaN(loss) || math.IsInf(loss, 0) {
			return nil, fmt.Errorf("%w (step %d)", ErrDiverged, step)
		}
		if step == 0 {
			mean = loss
		}
		mean += (loss - mean) * .03
		if o.Progress != nil {
			o.Progress(step+1, o.Steps, mean)
		}
		if o.Budget > 0 && time.Since(began) > o.Budget {
			break
		}
	}
	out := Weights{}
	for i, slot := range s.Slots() {
		out[slot.Name] = Tensor{slot.Rows, slot.Cols, append([]float32(nil), floats(n.parameters[i].Value())...)}
	}
	return out, nil
}

// rate warms up over 2 % of the run and then falls along a cosine to 2 %.
func rate(step, steps int) float64 {
	at := float64(step) / float64(max(1, steps))
	return min(1, (at+.0005)/.02) * (.02 + .98*.5*(1+math.Cos(math.Pi*at)))
}
