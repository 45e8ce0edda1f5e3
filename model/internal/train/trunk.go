package train

import (
	"fmt"
	"math"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/atelier-dao/atelier/model/internal/gemm"
)

// trunk is what an artist computes for each place, from the place to the mean
// cross-entropy of its labels, as one operation:
//
//	y₀ = place, yₗ₊₁ = sin((yₗ·Wₗ)∘(1+scaleₗ) + shiftₗ), logits = y·head + bias
//
// Phases are in radians. Places come in groups of equal size, one group for each
// row of scale, shift and bias. It is modulated as in π-GAN (Chan et al., CVPR
// 2021). Value and gradients are computed together, a block of places after the
// other through all layers and back, so that what passes between layers stays in
// a core's cache and memory does not grow with the batch.
//
// Inputs, in order: places, labels (how much of it each colour is to have, 1 in all), then W, scale,
// shift of each layer, then head and bias. One graph holds one trunk once.
type trunk struct {
	operation
	shape          Shape
	groups, points int
	workers        int
	learns         bool // whether gradients are wanted
	together       int  // groups of a block

	layers       []trunkLayer
	head, turned []float32   // head, filled up with zeros to headColumns; and transposed
	dbias        []float32   // [groups, Colours]
	dhead        []float32   // [Hidden, Colours]
	dheads       [][]float32 // each block's share of it
	logits       []float32   // [rows, Colours], kept where nothing is learned
	desks        []desk      // of the workers
}

// trunkLayer is one sine layer's operands and gradients.
type trunkLayer struct {
	in             int
	w, turned      []float32 // turned is w transposed
	scale, shift   []float32
	dw             []float32
	dscale, dshift []float32
	part           [chunks][]float32 // each chunk's share of dw
}

// desk is the memory of one worker, for one block.
type desk struct {
	pre, cos, y [][]float32 // of each layer: its sums, the cosine and the sine of the phase
	dy, dpre    []float32
	logits      []float32 // with headColumns; then their gradient
	dhead       []float32
	a, b        []float32 // scale and shift of a group
}

// headColumns is the width of the head's product: what one pass of it takes.
const headColumns = 16

// Inputs before and after those of the layers.
const (
	inputsBefore = 2
	inputsAfter  = 2
)

func newTrunk(s Shape, groups, points, workers int, learns bool) *trunk {
	t := &trunk{
		operation: operation{"trunk", inputsBefore + 3*s.Layers + inputsAfter}, shape: s, groups: groups, points: points,
		workers: max(1, min(workers, chunks)), learns: learns, together: max(1, blockRows/points),
		head: make([]float32, s.Hidden*headColumns), turned: make([]float32, s.Colours*s.Hidden),
	}
	if learns {
		t.dbias, t.dhead = make([]float32, groups*s.Colours), make([]float32, s.Hidden*s.Colours)
		t.dheads = make([][]float32, t.blocks())
		for i := range t.dheads {
			t.dheads[i] = make([]float32, s.Hidden*s.Colours)
		}
	} else {
		t.logits = make([]float32, groups*points*s.Colours)
	}
	in := 2
	for range s.Layers {
		l := trunkLayer{in: in}
		if learns {
			l.turned, l.dw = make([]float32, in*s.Hidden), make([]float32, in*s.Hidden)
			l.dscale, l.dshift = make([]float32, groups*s.Hidden), make([]float32, groups*s.Hidden)
			for c := range l.part {
				l.part[c] = make([]float32, in*s.Hidden)
			}
		}
		t.layers, in = append(t.layers, l), s.Hidden
	}
	rows := min(groups, t.together) * points
	for range t.workers {
		d := desk{logits: make([]float32, rows*headColumns), a: make([]float32, s.Hidden), b: make([]float32, s.Hidden)}
		for range s.Layers {
			d.pre = append(d.pre, make([]float32, rows*s.Hidden))
			d.cos = append(d.cos, make([]float32, rows*s.Hidden))
			d.y = append(d.y, make([]float32, rows*s.Hidden))
		}
		if learns {
			d.dy, d.dpre = make([]float32, rows*s.Hidden), make([]float32, rows*s.Hidden)
			d.dhead = make([]float32, s.Hidden*headColumns)
		}
		t.desks = append(t.desks, d)
	}
	return t
}

// blockRows is the number of places that a block has where the size of a group
// allows: a sum over them is one pass of the product.
const blockRows = gemm.Depth

// blocksOf is the number of blocks in a chunk's groups.
func (t *trunk) blocksOf(groups int) int { return (groups + t.together - 1) / t.together }

func (t *trunk) blocks() int {
	n := 0
	for c := range chunks {
		from, to := chunk(c, t.groups)
		n += t.blocksOf(to - from)
	}
	return n
}

func (t *trunk) Type() hm.Type {
	kinds := make([]hm.Type, 0, t.arity+1)
	for range t.arity {
		kinds = append(kinds, matrix())
	}
	return hm.NewFnType(append(kinds, tensor.Float32)...)
}

func (t *trunk) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (t *trunk) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	places, labels, head, bias := floats(v[0]), floats(v[1]), floats(v[len(v)-2]), floats(v[len(v)-1])
	k, hidden := t.shape.Colours, t.shape.Hidden
	for i, w := range head {
		t.head[i/k*headColumns+i%k] = w
		t.turned[i%k*hidden+i/k] = w
	}
	for n := range t.layers {
		l, own := &t.layers[n], v[inputsBefore+3*n:]
		l.w, l.scale, l.shift = floats(own[0]), floats(own[1]), floats(own[2])
		if t.learns && n > 0 { // the first layer's input is the place, which learns nothing
			for i, w := range l.w {
				l.turned[i%hidden*l.in+i/hidden] = w
			}
		}
	}
	var sums [chunks]float64
	share(t.workers, func(worker, c int) {
		d := &t.desks[worker]
		for n := range t.layers {
			clear(t.layers[n].part[c])
		}
		from, to := chunk(c, t.groups)
		block := 0
		for before := range c {
			f, e := chunk(before, t.groups)
			block += t.blocksOf(e - f)
		}
		for g := from; g < to; g += t.together {
			end := min(to, g+t.together)
			t.forward(d, places, bias, g, end)
			if !t.learns {
				for r := range (end - g) * t.points {
					copy(t.logits[(g*t.points+r)*k:][:k], d.logits[r*headColumns:])
				}
				continue
			}
			sums[c] += t.entropy(d, labels, g, end)
			t.backward(d, places, g, end, c, block)
			block++
		}
	})
	if !t.learns {
		return gorgonia.NewF32(0), nil
	}
	for n := range t.layers {
		l := &t.layers[n]
		clear(l.dw)
		for _, part := range l.part {
			add(l.dw, part)
		}
	}
	clear(t.dhead)
	for _, part := range t.dheads {
		add(t.dhead, part)
	}
	var sum float64
	for _, s := range sums {
		sum += s
	}
	return gorgonia.NewF32(float32(sum / float64(t.groups*t.points))), nil
}

func add(sum, part []float32) {
	for i, v := range part {
		sum[i] += v
	}
}

// forward computes the logits of the groups from..to.
func (t *trunk) forward(d *desk, places, bias []float32, from, to int) {
	hidden, k, rows := t.shape.Hidden, t.shape.Colours, (to-from)*t.points
	x := places[from*t.points*2:]
	for n := range t.layers {
		l := &t.layers[n]
		gemm.Product(rows, hidden, l.in, x, l.in, 1, l.w, hidden, d.pre[n], hidden, false)
		for g := from; g < to; g++ {
			scale, shift := l.scale[g*hidden:][:hidden], l.shift[g*hidden:][:hidden]
			for j := range hidden {
				d.a[j] = (1 + scale[j]) / (2 * math.Pi)
				d.b[j] = shift[j] / (2 * math.Pi)
			}
			i, e := (g-from)*t.points*hidden, (g-from+1)*t.points*hidden
			gemm.FilmSinCos(d.pre[n][i:e], d.a, d.b, d.y[n][i:e], d.cos[n][i:e])
		}
		x = d.y[n]
	}
	gemm.Product(rows, headColumns, hidden, x, hidden, 1, t.head, headColumns, d.logits, headColumns, false)
	for r := range rows {
		b := bias[(from+r/t.points)*k:][:k]
		for i, v := range b {
			d.logits[r*headColumns+i] += v
		}
	}
}

// entropy sums −Σ label·log softmax(logits) over the places and puts its gradient, for
// the mean over the batch, in the place of the logits.
func (t *trunk) entropy(d *desk, labels []float32, from, to int) (sum float64) {
	k, all := t.shape.Colours, float32(t.groups*t.points)
	for r := range (to - from) * t.points {
		x, wanted := d.logits[r*headColumns:][:k], labels[(from*t.points+r)*k:][:k]
		top := x[0]
		for _, v := range x[1:] {
			top = max(top, v)
		}
		var total, got float32
		for i, v := range x {
			got += float32((v - top) * wanted[i])
			x[i] = exp(v - top)
			total += x[i]
		}
		sum += math.Log(float64(total)) - float64(got)
		f := 1 / (total * all)
		for i := range x {
			x[i] = float32(x[i]*f) - wanted[i]/all
		}
	}
	return sum
}

// backward takes the gradient of the logits back through all layers.
func (t *trunk) backward(d *desk, places []float32, from, to, c, block int) {
	hidden, k, rows := t.shape.Hidden, t.shape.Colours, (to-from)*t.points
	for g := from; g < to; g++ {
		sum := t.dbias[g*k:][:k]
		clear(sum)
		for r := (g - from) * t.points; r < (g-from+1)*t.points; r++ {
			for i, v := range d.logits[r*headColumns:][:k] {
				sum[i] += v
			}
		}
	}
	last := len(t.layers) - 1
	gemm.Product(hidden, headColumns, rows, d.y[last], 1, hidden, d.logits, headColumns, d.dhead, headColumns, false)
	for i := range t.dheads[block] {
		t.dheads[block][i] = d.dhead[i/k*headColumns+i%k]
	}
	gemm.Product(rows, hidden, k, d.logits, headColumns, 1, t.turned, hidden, d.dy, hidden, false)
	for n := last; n >= 0; n-- {
		l := &t.layers[n]
		for g := from; g < to; g++ {
			scale, dscale, dshift := l.scale[g*hidden:][:hidden], l.dscale[g*hidden:][:hidden], l.dshift[g*hidden:][:hidden]
			clear(dscale)
			clear(dshift)
			for j, v := range scale {
				d.a[j] = 1 + v
			}
			i, e := (g-from)*t.points*hidden, (g-from+1)*t.points*hidden
			gemm.FilmBack(d.pre[n][i:e], d.cos[n][i:e], d.dy[i:e], d.a, d.dpre[i:e], dshift, dscale)
		}
		x := places[from*t.points*2:]
		if n > 0 {
			x = d.y[n-1]
		}
		gemm.Product(l.in, hidden, rows, x, 1, l.in, d.dpre, hidden, l.part[c], hidden, true)
		if n > 0 {
			gemm.Product(rows, l.in, hidden, d.dpre, hidden, 1, l.turned, l.in, d.dy, l.in, false)
		}
	}
}

func (t *trunk) DiffWRT(inputs int) []bool {
	wrt := make([]bool, inputs)
	for i := range wrt {
		wrt[i] = i > 1
	}
	return wrt
}

func (t *trunk) SymDiff(_ gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	hidden := t.shape.Hidden
	var parts []stash
	for _, l := range t.layers {
		parts = append(parts, stash{rows: l.in, cols: hidden, data: l.dw},
			stash{rows: t.groups, cols: hidden, data: l.dscale}, stash{rows: t.groups, cols: hidden, data: l.dshift})
	}
	parts = append(parts, stash{rows: hidden, cols: t.shape.Colours, data: t.dhead}, stash{rows: t.groups, cols: t.shape.Colours, data: t.dbias})
	nodes := gorgonia.Nodes{nil, nil} // places and labels learn nothing
	for i := range parts {
		parts[i].operation = operation{"gradient of trunk", 2}
		n, err := gorgonia.ApplyOp(&parts[i], output, grad)
		if err != nil {
			return nil, fmt.Errorf("gradient of input %d: %w", i+2, err)
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// stash hands out a gradient that the trunk computed together with its value.
type stash struct {
	operation
	rows, cols int
	data       []float32
}

func (s *stash) Type() hm.Type { return hm.NewFnType(tensor.Float32, tensor.Float32, matrix()) }

func (s *stash) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape{s.rows, s.cols}, nil
}

func (s *stash) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	out := append([]float32(nil), s.data...)
	if g := v[1].Data().(float32); g != 1 {
		for i := range out {
			out[i] *= g
		}
	}
	return tensor.New(tensor.WithShape(s.rows, s.cols), tensor.WithBacking(out)), nil
}

// exp is eˣ for x ≤ 0 with a relative error below 10⁻⁶.
func exp(x float32) float32 {
	if x < -80 {
		return 0
	}
	t := x * math.Log2E
	whole := (t + 12582912) - 12582912
	f := (t - whole) * math.Ln2
	p := 1 + f*(1+f*(.5+f*(1./6+f*(1./24+f*(1./120)))))
	return p * math.Float32frombits(uint32(int32(whole)+127)<<23)
}
