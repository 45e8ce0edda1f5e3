package train

import (
	"fmt"
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/atelier-dao/atelier/model/internal/gemm"
)

// Loss weights: what a palette error counts against a wrong colour of a place,
// and what keeps latents near 0.
const (
	paletteWeight = 12
	latentWeight  = 2e-3
)

var useOnce sync.Once

// graph is the artist on gorgonia, for a fixed batch size. What does not learn
// keeps the logits and has no loss.
type graph struct {
	g                                             *gorgonia.ExprGraph
	parameters                                    gorgonia.Nodes
	features, noise, places, labels, target, mask *gorgonia.Node
	palette, loss, entropy                        *gorgonia.Node
	lossValue, paletteValue                       gorgonia.Value
	trunk                                         *trunk
}

func newGraph(s Shape, w Weights, groups, points, workers int, learns bool) (*graph, error) {
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
	n.places, n.labels = input("places", rows, 2), input("labels", rows, s.Colours)
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
		// The order of these lines fixes in which order the gradient of u is summed.
		inputs := gorgonia.Nodes{n.places, n.labels}
		for l := range s.Layers {
			name := fmt.Sprintf("layer.%d.", l)
			scale := must(gorgonia.Mul(u, p[name+"scale"]))
			shift := must(gorgonia.BroadcastAdd(must(gorgonia.Mul(u, p[name+"shift"])), p[name+"b"], nil, []byte{0}))
			inputs = append(inputs, p[name+"w"], scale, shift)
		}
		inputs = append(inputs, p["head.w"], must(gorgonia.BroadcastAdd(must(gorgonia.Mul(u, p["head.shift"])), p["head.b"], nil, []byte{0})))
		n.trunk = newTrunk(s, groups, points, workers, learns)
		n.entropy = must(gorgonia.ApplyOp(n.trunk, inputs...))
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
	gorgonia.Read(n.palette, &n.paletteValue)
	return n, nil
}

// feed gives the graph a batch.
func (n *graph) feed(features, noise, places, labels, target, mask []float32) error {
	for _, in := range []struct {
		node *gorgonia.Node
		data []float32
	}{{n.features, features}, {n.noise, noise}, {n.places, places}, {n.labels, labels}, {n.target, target}, {n.mask, mask}} {
		if err := n.let(in.node, in.data); err != nil {
			return err
		}
	}
	return nil
}

func (n *graph) let(node *gorgonia.Node, data []float32) error {
	s := node.Shape()
	return gorgonia.Let(node, tensor.New(tensor.WithShape(s[0], s[1]), tensor.WithBacking(data)))
}
