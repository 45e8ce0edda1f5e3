package train

import (
	"fmt"
	"hash"
	"hash/fnv"
	"math"
	"sync"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/atelier-dao/atelier/model/internal/gemm"
)

// operation is the part of gorgonia.Op that all operations here share: they
// return a fresh or reused value of their own and overwrite no input.
type operation struct {
	name  string
	arity int
}

func (o *operation) Arity() int            { return o.arity }
func (o *operation) ReturnsPtr() bool      { return false }
func (o *operation) CallsExtern() bool     { return false }
func (o *operation) OverwritesInput() int  { return -1 }
func (o *operation) WriteHash(h hash.Hash) { fmt.Fprintf(h, "%s %p", o.name, o) }
func (o *operation) Hashcode() uint32      { h := fnv.New32a(); o.WriteHash(h); return h.Sum32() }
func (o *operation) String() string        { return o.name }
func matrix() hm.Type                      { return gorgonia.TensorType{Dims: 2, Of: tensor.Float32} }
func floats(v gorgonia.Value) []float32    { return v.Data().([]float32) }
func dense(rows, cols int) *tensor.Dense {
	return tensor.New(tensor.WithShape(rows, cols), tensor.Of(tensor.Float32))
}
func shapeOf(ds []gorgonia.DimSizer, i int) tensor.Shape { return ds[i].(tensor.Shape) }

// chunks is the number of parts into which a batch is cut. It is a constant,
// not the number of cores, because it fixes the order of the gradient's sum.
const chunks = 8

// inChunks calls f for each chunk of [0, groups), on up to workers goroutines.
func inChunks(workers, groups int, f func(chunk, from, to int)) {
	run := func(c int) { f(c, c*groups/chunks, (c+1)*groups/chunks) }
	if workers <= 1 {
		for c := range chunks {
			run(c)
		}
		return
	}
	var wait sync.WaitGroup
	for w := range min(workers, chunks) {
		wait.Go(func() {
			for c := w; c < chunks; c += workers {
				run(c)
			}
		})
	}
	wait.Wait()
}

// sineLayer is y = sin((x·W)∘(1+scale) + shift), with phases in radians: rows
// of x come in groups of equal size, one group for each row of scale and shift.
// It is modulated as in π-GAN (Chan et al., CVPR 2021). The value keeps what
// the gradient needs, so one graph holds one layer once.
type sineLayer struct {
	operation
	workers        int
	groups, points int // rows of scale and shift; rows of x for each of them
	in, out        int
	pre, cos, y    []float32 // x·W, the cosine, the result
	dx, dpre       []float32
	dw             []float32
	dscale, dshift []float32
	part           [chunks][]float32 // each chunk's share of dw
}

func newSineLayer(workers, groups, points, in, out int) *sineLayer {
	rows := groups * points
	s := &sineLayer{
		operation: operation{"sineLayer", 4}, workers: workers, groups: groups, points: points, in: in, out: out,
		pre: make([]float32, rows*out), cos: make([]float32, rows*out), y: make([]float32, rows*out),
		dpre: make([]float32, rows*out), dw: make([]float32, in*out),
		dscale: make([]float32, groups*out), dshift: make([]float32, groups*out),
		dx: make([]float32, rows*in),
	}
	for c := range s.part {
		s.part[c] = make([]float32, in*out)
	}
	return s
}

func (s *sineLayer) Type() hm.Type {
	return hm.NewFnType(matrix(), matrix(), matrix(), matrix(), matrix())
}

func (s *sineLayer) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape{s.groups * s.points, s.out}, nil
}

func (s *sineLayer) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	x, w, scale, shift := floats(v[0]), floats(v[1]), floats(v[2]), floats(v[3])
	inChunks(s.workers, s.groups, func(_, from, to int) {
		row0, rows := from*s.points, (to-from)*s.points
		if rows == 0 {
			return
		}
		gemm.Product(rows, s.out, s.in, x[row0*s.in:], s.in, 1, w, s.out, s.pre[row0*s.out:], s.out, false)
		a, b := make([]float32, s.out), make([]float32, s.out)
		for g := from; g < to; g++ {
			for j := range s.out {
				a[j] = (1 + scale[g*s.out+j]) / (2 * math.Pi)
				b[j] = shift[g*s.out+j] / (2 * math.Pi)
			}
			for r := g * s.points; r < (g+1)*s.points; r++ {
				i, k := r*s.out, (r+1)*s.out
				gemm.FilmSinCos(s.pre[i:k], a, b, s.y[i:k], s.cos[i:k])
			}
		}
	})
	return wrap(s.groups*s.points, s.out, s.y), nil
}

func wrap(rows, cols int, data []float32) gorgonia.Value {
	return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(data))
}

func (s *sineLayer) DiffWRT(int) []bool { return []bool{true, true, true, true} }

func (s *sineLayer) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := gorgonia.ApplyOp(&sineLayerBack{operation{"sineLayerBack", 5}, s}, inputs[0], inputs[1], inputs[2], output, grad)
	if err != nil {
		return nil, err
	}
	nodes := gorgonia.Nodes{dx}
	for i, part := range []stash{
		{operation{"sineLayer dW", 1}, s.in, s.out, s.dw},
		{operation{"sineLayer dscale", 1}, s.groups, s.out, s.dscale},
		{operation{"sineLayer dshift", 1}, s.groups, s.out, s.dshift},
	} {
		n, err := gorgonia.ApplyOp(&part, dx)
		if err != nil {
			return nil, fmt.Errorf("gradient of input %d: %w", i+1, err)
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// sineLayerBack computes all gradients of a sineLayer and returns that of x.
type sineLayerBack struct {
	operation
	s *sineLayer
}

func (b *sineLayerBack) Type() hm.Type {
	return hm.NewFnType(matrix(), matrix(), matrix(), matrix(), matrix(), matrix())
}

func (b *sineLayerBack) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape{b.s.groups * b.s.points, b.s.in}, nil
}

func (b *sineLayerBack) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	s := b.s
	x, w, scale, dy := floats(v[0]), floats(v[1]), floats(v[2]), floats(v[4])
	clear(s.dscale)
	clear(s.dshift)
	wt := make([]float32, s.in*s.out)
	for i := range s.in {
		for j := range s.out {
			wt[j*s.in+i] = w[i*s.out+j]
		}
	}
	inChunks(s.workers, s.groups, func(c, from, to int) {
		row0, rows := from*s.points, (to-from)*s.points
		clear(s.part[c])
		if rows == 0 {
			return
		}
		a := make([]float32, s.out)
		for g := from; g < to; g++ {
			for j := range s.out {
				a[j] = 1 + scale[g*s.out+j]
			}
			gi, gk := g*s.out, (g+1)*s.out
			for r := g * s.points; r < (g+1)*s.points; r++ {
				i, k := r*s.out, (r+1)*s.out
				gemm.FilmBack(s.pre[i:k], s.cos[i:k], dy[i:k], a, s.dpre[i:k], s.dshift[gi:gk], s.dscale[gi:gk])
			}
		}
		gemm.Product(s.in, s.out, rows, x[row0*s.in:], 1, s.in, s.dpre[row0*s.out:], s.out, s.part[c], s.out, false)
		if s.in > 2 { // the first layer's x is the place in the picture, which learns nothing
			gemm.Product(rows, s.in, s.out, s.dpre[row0*s.out:], s.out, 1, wt, s.in, s.dx[row0*s.in:], s.in, false)
		}
	})
	clear(s.dw)
	for c := range s.part {
		for i, g := range s.part[c] {
			s.dw[i] += g
		}
	}
	return wrap(s.groups*s.points, s.in, s.dx), nil
}

// stash hands out a gradient that an earlier operation, its input, computed.
type stash struct {
	operation
	rows, cols int
	data       []float32
}

func (s *stash) Type() hm.Type { return hm.NewFnType(matrix(), matrix()) }

func (s *stash) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape{s.rows, s.cols}, nil
}

func (s *stash) Do(...gorgonia.Value) (gorgonia.Value, error) {
	return wrap(s.rows, s.cols, append([]float32(nil), s.data...)), nil
}

// softsign is x/(1+|x|): a squashing function that integers can compute
// exactly, so that the latent network needs no exponential.
type softsign struct{ operation }

func (s *softsign) Type() hm.Type { return hm.NewFnType(matrix(), matrix()) }

func (s *softsign) InferShape(ds ...gorgonia.DimSizer) (tensor.Shape, error) {
	return shapeOf(ds, 0).Clone(), nil
}

func (s *softsign) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	x := floats(v[0])
	y := dense(v[0].Shape()[0], v[0].Shape()[1])
	for i, out := 0, floats(y); i < len(x); i++ {
		out[i] = x[i] / (1 + max(x[i], -x[i]))
	}
	return y, nil
}

func (s *softsign) DiffWRT(int) []bool { return []bool{true} }

func (s *softsign) SymDiff(inputs gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	n, err := gorgonia.ApplyOp(&softsignBack{operation{"softsignBack", 2}}, inputs[0], grad)
	return gorgonia.Nodes{n}, err
}

type softsignBack struct{ operation }

func (s *softsignBack) Type() hm.Type { return hm.NewFnType(matrix(), matrix(), matrix()) }

func (s *softsignBack) InferShape(ds ...gorgonia.DimSizer) (tensor.Shape, error) {
	return shapeOf(ds, 0).Clone(), nil
}

func (s *softsignBack) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	x, dy := floats(v[0]), floats(v[1])
	dx := dense(v[0].Shape()[0], v[0].Shape()[1])
	for i, out := 0, floats(dx); i < len(x); i++ {
		q := 1 + max(x[i], -x[i])
		out[i] = dy[i] / (q * q)
	}
	return dx, nil
}

// crossEntropy is the mean over rows of −log softmax(logits)[label]; labels
// come as one column of whole numbers.
type crossEntropy struct {
	operation
	workers int
	rows, k int
	d       []float32 // the gradient for a loss gradient of 1
}

func newCrossEntropy(workers, rows, k int) *crossEntropy {
	return &crossEntropy{operation{"crossEntropy", 2}, workers, rows, k, make([]float32, rows*k)}
}

func (c *crossEntropy) Type() hm.Type { return hm.NewFnType(matrix(), matrix(), tensor.Float32) }

func (c *crossEntropy) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.ScalarShape(), nil
}

func (c *crossEntropy) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	logits, labels := floats(v[0]), floats(v[1])
	var sums [chunks]float64
	inChunks(c.workers, c.rows, func(chunk, from, to int) {
		for r := from; r < to; r++ {
			x, d := logits[r*c.k:(r+1)*c.k], c.d[r*c.k:(r+1)*c.k]
			top := x[0]
			for _, v := range x[1:] {
				top = max(top, v)
			}
			var total float32
			for i, v := range x {
				d[i] = exp(v - top)
				total += d[i]
			}
			label := int(labels[r])
			sums[chunk] += math.Log(float64(total)) - float64(x[label]-top)
			f := 1 / (total * float32(c.rows))
			for i := range d {
				d[i] *= f
			}
			d[label] -= 1 / float32(c.rows)
		}
	})
	var sum float64
	for _, s := range sums {
		sum += s
	}
	return gorgonia.NewF32(float32(sum / float64(c.rows))), nil
}

func (c *crossEntropy) DiffWRT(int) []bool { return []bool{true, false} }

func (c *crossEntropy) SymDiff(inputs gorgonia.Nodes, output, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	n, err := gorgonia.ApplyOp(&crossEntropyBack{operation{"crossEntropyBack", 2}, c}, output, grad)
	return gorgonia.Nodes{n, nil}, err
}

type crossEntropyBack struct {
	operation
	c *crossEntropy
}

func (b *crossEntropyBack) Type() hm.Type {
	return hm.NewFnType(tensor.Float32, tensor.Float32, matrix())
}

func (b *crossEntropyBack) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape{b.c.rows, b.c.k}, nil
}

func (b *crossEntropyBack) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	g := v[1].Data().(float32)
	out := append([]float32(nil), b.c.d...)
	if g != 1 {
		for i := range out {
			out[i] *= g
		}
	}
	return wrap(b.c.rows, b.c.k, out), nil
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

// repeat gives each row of a group to all of its points.
type repeat struct {
	operation
	groups, points, cols int
}

func (r *repeat) Type() hm.Type { return hm.NewFnType(matrix(), matrix()) }

func (r *repeat) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape{r.groups * r.points, r.cols}, nil
}

func (r *repeat) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	x, y := floats(v[0]), make([]float32, r.groups*r.points*r.cols)
	for i := range r.groups * r.points {
		copy(y[i*r.cols:(i+1)*r.cols], x[i/r.points*r.cols:])
	}
	return wrap(r.groups*r.points, r.cols, y), nil
}

func (r *repeat) DiffWRT(int) []bool { return []bool{true} }

func (r *repeat) SymDiff(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	n, err := gorgonia.ApplyOp(&repeatBack{operation{"repeatBack", 1}, r}, grad)
	return gorgonia.Nodes{n}, err
}

type repeatBack struct {
	operation
	r *repeat
}

func (b *repeatBack) Type() hm.Type { return hm.NewFnType(matrix(), matrix()) }

func (b *repeatBack) InferShape(...gorgonia.DimSizer) (tensor.Shape, error) {
	return tensor.Shape{b.r.groups, b.r.cols}, nil
}

func (b *repeatBack) Do(v ...gorgonia.Value) (gorgonia.Value, error) {
	x, y := floats(v[0]), make([]float32, b.r.groups*b.r.cols)
	for i := range b.r.groups * b.r.points {
		for j := range b.r.cols {
			y[i/b.r.points*b.r.cols+j] += x[i*b.r.cols+j]
		}
	}
	return wrap(b.r.groups, b.r.cols, y), nil
}
