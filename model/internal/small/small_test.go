package small_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	proto3 "github.com/advancedclimatesystems/gonnx/onnx"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/internal/small"
	"github.com/atelier-dao/atelier/model/onnx"
)

// graph is a file with one operator between places, two constants and colours.
func graph(t testing.TB, nodes ...*proto3.NodeProto) []byte {
	p, err := model.Embedded().Fold("", [32]byte{})
	require.NoError(t, err)
	raw, err := onnx.FromProgram(p)
	require.NoError(t, err)
	m := &proto3.ModelProto{}
	require.NoError(t, proto.Unmarshal(raw, m))
	m.Graph.Node = nodes
	m.Graph.Initializer = []*proto3.TensorProto{
		{Name: "three", Dims: []int64{2, 3}, DataType: int32(proto3.TensorProto_FLOAT), FloatData: []float32{1, 0, 2, 0, 1, -3}},
		{Name: "shape", Dims: []int64{2}, DataType: int32(proto3.TensorProto_INT64), Int64Data: []int64{4, 3}},
	}
	raw, err = proto.Marshal(m)
	require.NoError(t, err)
	return raw
}

func op(kind, out string, in ...string) *proto3.NodeProto {
	return &proto3.NodeProto{OpType: kind, Input: in, Output: []string{out}}
}

var places = []float32{.5, -.25, 1, 2, -300, 300, 0, 0}

func TestOperatorsComputeWhatTheirNamesSay(t *testing.T) {
	for _, c := range []struct {
		name  string
		nodes []*proto3.NodeProto
		want  func(x, y float64) []float64
	}{
		{"a product", []*proto3.NodeProto{op("MatMul", "colour", "places", "three")},
			func(x, y float64) []float64 { return []float64{x, y, 2*x - 3*y} }},
		{"a product with a sum", []*proto3.NodeProto{op("Gemm", "colour", "places", "three")},
			func(x, y float64) []float64 { return []float64{x, y, 2*x - 3*y} }},
		{"what is reshaped and moved back", []*proto3.NodeProto{
			op("MatMul", "a", "places", "three"), op("Reshape", "b", "a", "shape"), op("Sub", "c", "b", "a"), op("Add", "colour", "c", "a")},
			func(x, y float64) []float64 { return []float64{x, y, 2*x - 3*y} }},
		{"a softmax of rows far from each other", []*proto3.NodeProto{
			op("MatMul", "a", "places", "three"), op("Softmax", "colour", "a")},
			func(x, y float64) []float64 {
				v := []float64{x, y, 2*x - 3*y}
				top, sum := max(v[0], v[1], v[2]), 0.
				for i := range v {
					v[i] = math.Exp(v[i] - top)
					sum += v[i]
				}
				return []float64{v[0] / sum, v[1] / sum, v[2] / sum}
			}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := onnx.Read(graph(t, c.nodes...))
			require.NoError(t, err)
			s, err := small.Open(f, 4)
			require.NoError(t, err)
			got, err := s.Run(t.Context(), small.Inputs{Places: places}, onnx.Colour)
			require.NoError(t, err)
			require.Len(t, got, 12)
			for i := range 4 {
				for k, want := range c.want(float64(places[2*i]), float64(places[2*i+1])) {
					require.InDelta(t, want, got[3*i+k], 1e-4)
				}
			}
		})
	}
}

// What the tensors beneath panic about becomes an error: here a vector where they
// want a matrix.
func TestASurprisedRuntimeGivesAnError(t *testing.T) {
	f, err := onnx.Read(graph(t, op("MatMul", "a", "places", "three"), op("Transpose", "b", "a"), op("Transpose", "c", "b"), op("Abs", "d", "c"), op("Add", "colour", "d", "a")))
	require.NoError(t, err)
	s, err := small.Open(f, 4)
	require.NoError(t, err)
	_, err = s.Run(t.Context(), small.Inputs{}, onnx.Colour)
	require.ErrorIs(t, err, onnx.ErrFile)
	_, err = s.Run(t.Context(), small.Inputs{Places: places[:2]}, onnx.Colour) // too few: the tensors panic
	require.ErrorIs(t, err, onnx.ErrFile)
	require.ErrorContains(t, err, "the built-in runtime stopped")
}

// The graph has ten operators; the context ends when the runtime asks before the third.
func TestARunThatIsNoLongerWantedEndsBeforeItsNextOperator(t *testing.T) {
	nodes := []*proto3.NodeProto{op("MatMul", "a0", "places", "three")}
	for i := range 8 {
		nodes = append(nodes, op("Abs", fmt.Sprint("a", i+1), fmt.Sprint("a", i)))
	}
	f, err := onnx.Read(graph(t, append(nodes, op("Abs", "colour", "a8"))...))
	require.NoError(t, err)
	s, err := small.Open(f, 4)
	require.NoError(t, err)
	ctx := &endsSoon{Context: t.Context(), after: 2}
	_, err = s.Run(ctx, small.Inputs{Places: places}, onnx.Colour)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, onnx.ErrFile, "nothing is wrong with the file")
	require.Less(t, ctx.asked, 6, "no further operator was begun")
	out, err := s.Run(t.Context(), small.Inputs{Places: places}, onnx.Colour)
	require.NoError(t, err, "the next run is another one")
	require.Len(t, out, 12)
}

// endsSoon is a context that ends after it was asked some times whether it has.
type endsSoon struct {
	context.Context
	after, asked int
}

func (c *endsSoon) Err() error {
	if c.asked++; c.asked > c.after {
		return context.Canceled
	}
	return nil
}

// FuzzRun runs whatever passes the checks.
func FuzzRun(f *testing.F) {
	f.Add(graph(f, op("MatMul", "colour", "places", "three")))
	f.Add(graph(f, op("MatMul", "a", "places", "three"), op("Reshape", "b", "a", "shape"), op("Softmax", "colour", "b")))
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := onnx.Read(raw)
		if err != nil {
			return
		}
		s, err := small.Open(file, 4)
		if err != nil {
			require.ErrorIs(t, err, onnx.ErrFile)
			return
		}
		in := small.Inputs{Places: places}
		if n := file.Words(); n > 0 {
			in.Words = make([]float32, n)
		}
		if n := file.Noise(); n > 0 {
			in.Noise = make([]float32, n)
		}
		if file.HasView() {
			in.View = make([]float32, 6)
		}
		if out, err := s.Run(t.Context(), in, onnx.Colour); err != nil {
			require.ErrorIs(t, err, onnx.ErrFile)
		} else {
			require.Len(t, out, 12, "as the checks said")
		}
	})
}
