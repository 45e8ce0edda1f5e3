// Package small runs checked ONNX files in plain Go: gonnx, with a faster product
// of matrices and a softmax that holds for all numbers.
//
// gonnx and the tensors beneath it panic where a graph surprises them, so every
// call into them ends a panic as an error; what a graph may ask for is bounded
// before, by [onnx.File.Cost].
package small

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/advancedclimatesystems/gonnx"
	"github.com/advancedclimatesystems/gonnx/ops"
	"gorgonia.org/tensor"

	"github.com/atelier-dao/atelier/model/internal/gemm"
	"github.com/atelier-dao/atelier/model/onnx"
)

// Version names the runtime.
const Version = "gonnx 1.1.0"

// A Session runs one file for one number of places, one run at a time, on one
// goroutine.
type Session struct {
	model  *gonnx.Model
	file   *onnx.File
	places int
	ctx    context.Context // of the run that is under way
}

var useOnce sync.Once

// Open prepares runs of n places. Errors wrap [onnx.ErrFile], and
// [onnx.ErrOperator] where a larger runtime may know what this one does not.
func Open(file *onnx.File, n int) (s *Session, err error) {
	defer recovered(&err)
	if _, err := file.Cost(n); err != nil {
		return nil, err
	}
	useOnce.Do(func() { tensor.Use(gemm.BLAS{}) }) // gonum's product is ten times slower
	m, err := gonnx.NewModelFromBytes(file.Bytes())
	if err != nil {
		return nil, fmt.Errorf("%w: %w: %v", onnx.ErrFile, onnx.ErrOperator, err)
	}
	s = &Session{model: m, file: file, places: n}
	get := m.GetOperator
	m.GetOperator = func(name string) (ops.Operator, error) { // before each operator of a run
		if err := s.ctx.Err(); err != nil {
			return nil, err
		}
		op, err := get(name)
		if name == "Softmax" && err == nil {
			op = softmax{op}
		}
		return op, err
	}
	return s, nil
}

func recovered(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%w: %w: the built-in runtime stopped: %v", onnx.ErrFile, onnx.ErrOperator, r)
	}
}

// Inputs are what a run is given; nil where the file does not take it.
type Inputs struct {
	Places             []float32 // n × 2
	Words, Noise, View []float32
}

// Run returns the numbers of an output. When ctx ends, it stops before the next
// operator and returns the error of ctx; other errors are those of Open.
func (s *Session) Run(ctx context.Context, in Inputs, output string) (out []float32, err error) {
	defer recovered(&err)
	s.ctx = ctx
	given := gonnx.Tensors{}
	for _, v := range []struct {
		name       string
		data       []float32
		rows, cols int
	}{
		{onnx.Places, in.Places, s.places, 2}, {onnx.Words, in.Words, 1, s.file.Words()},
		{onnx.Noise, in.Noise, 1, s.file.Noise()}, {onnx.View, in.View, 3, 2},
	} {
		if v.data != nil {
			given[v.name] = tensor.New(tensor.WithShape(v.rows, v.cols), tensor.WithBacking(v.data))
		}
	}
	results, err := s.model.Run(given)
	if ended := ctx.Err(); err != nil && ended != nil {
		return nil, ended
	} else if err != nil {
		return nil, fmt.Errorf("%w: %w: %v", onnx.ErrFile, onnx.ErrOperator, err)
	}
	if t := results[output]; t != nil {
		if v, ok := t.Data().([]float32); ok {
			return v, nil
		}
	}
	return nil, fmt.Errorf("%w: its %s is no list of float32", onnx.ErrFile, output)
}

// softmax replaces that of gorgonia.org/tensor v0.9.24, which measures each row
// from the greatest of its later numbers and the first number of the whole
// tensor, and so returns NaN where a row is far from those. Along the rows of a
// matrix: [onnx.File.Cost] allows no other.
type softmax struct{ ops.Operator }

func (s softmax) Apply(in []tensor.Tensor) ([]tensor.Tensor, error) {
	shape := in[0].Shape()
	x, ok := in[0].Data().([]float32)
	if !ok || len(shape) != 2 || len(x) != shape[0]*shape[1] {
		return nil, fmt.Errorf("softmax of a tensor %v", shape)
	}
	out := make([]float32, len(x))
	for at := 0; at < len(x); at += shape[1] {
		row, to := x[at:at+shape[1]], out[at:at+shape[1]]
		top, sum := row[0], 0.
		for _, v := range row {
			top = max(top, v)
		}
		for i, v := range row {
			e := math.Exp(float64(v - top))
			to[i], sum = float32(e), sum+e
		}
		for i := range to {
			to[i] = float32(float64(to[i]) / sum)
		}
	}
	return []tensor.Tensor{tensor.New(tensor.WithShape(shape...), tensor.WithBacking(out))}, nil
}
