package train

import (
	"fmt"
	"hash"
	"hash/fnv"
	"sync"
	"sync/atomic"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
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

// chunks is the number of parts into which a batch is cut, and so the most
// workers that have something to do. It is a constant, not the number of cores,
// because it fixes the order of the gradient's sum.
const chunks = 8

// chunk is the range of groups that a chunk has.
func chunk(c, groups int) (from, to int) { return c * groups / chunks, (c + 1) * groups / chunks }

// share calls f for each chunk, on as many goroutines as there are workers.
func share(workers int, f func(worker, chunk int)) {
	if workers <= 1 {
		for c := range chunks {
			f(0, c)
		}
		return
	}
	var next atomic.Int32
	var wait sync.WaitGroup
	for w := range min(workers, chunks) {
		wait.Go(func() {
			for c := int(next.Add(1)) - 1; c < chunks; c = int(next.Add(1)) - 1 {
				f(w, c)
			}
		})
	}
	wait.Wait()
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
