package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	proto3 "github.com/advancedclimatesystems/gonnx/onnx"
)

// ErrOperator reports what only a larger runtime knows.
var ErrOperator = errors.New("beyond the built-in runtime")

const (
	maxRank       = 4
	maxNumbers    = 1 << 24 // of one tensor
	maxAll        = 1 << 26 // of all tensors of a run together
	maxOperations = 1 << 34 // multiplications and additions of a run
)

// Cost is what one run of a file takes.
type Cost struct {
	Numbers    int // of all intermediate tensors
	Operations int // multiplications, additions and function values
}

// Cost follows the shapes through the graph for n places, without computing
// anything, so that a file cannot ask for more memory or time than is bounded
// here. It knows the operators of a small runtime: elementwise functions and
// arithmetic, products of matrices, and what only moves numbers. Errors wrap
// [ErrFile], and [ErrOperator] where the operator is another one.
func (f *File) Cost(n int) (Cost, error) {
	c := &coster{shapes: map[string][]int{}, whole: map[string][]int64{}}
	g := f.model.Graph
	version := int64(0)
	for _, o := range f.model.OpsetImport {
		if o.GetDomain() == "" {
			version = o.GetVersion()
		} else {
			return Cost{}, fmt.Errorf("%w: %w: it uses operators of %.60q", ErrFile, ErrOperator, o.GetDomain())
		}
	}
	if version != opset {
		return Cost{}, fmt.Errorf("%w: %w: it has operator set %d, the built-in runtime knows %d", ErrFile, ErrOperator, version, opset)
	}
	for _, t := range g.Initializer {
		if err := c.constant(t.GetName(), t); err != nil {
			return Cost{}, err
		}
	}
	for name, shape := range map[string][]int{Places: {n, 2}, Words: {1, f.words}, Noise: {1, f.noise}, View: {3, 2}} {
		c.shapes[name] = shape
	}
	for _, node := range g.Node {
		if err := c.node(node); err != nil {
			return Cost{}, err
		}
		if c.cost.Numbers > maxAll || c.cost.Operations > maxOperations {
			return Cost{}, refuse("one run of it needs more than %d numbers or %d operations", maxAll, maxOperations)
		}
	}
	if s := c.shapes[Colour]; !slices.Equal(s, []int{n, 3}) {
		return Cost{}, refuse("%d places become colours of the shape %v", n, s)
	}
	return c.cost, nil
}

// coster follows shapes. Tensors of whole numbers are constants, which some
// operators take as arguments.
type coster struct {
	shapes map[string][]int
	whole  map[string][]int64
	cost   Cost
}

func (c *coster) constant(name string, t *proto3.TensorProto) error {
	shape := make([]int, len(t.Dims))
	for i, d := range t.Dims {
		if d < 1 {
			return refuse("the tensor %.40q is empty", name)
		}
		shape[i] = int(d)
	}
	if _, err := c.count(name, shape); err != nil {
		return err
	}
	switch proto3.TensorProto_DataType(t.DataType) {
	case proto3.TensorProto_FLOAT:
		c.shapes[name] = shape
	case proto3.TensorProto_INT64:
		values := slices.Clone(t.Int64Data)
		if len(values) == 0 {
			for raw := t.RawData; len(raw) >= 8; raw = raw[8:] {
				values = append(values, int64(binary.LittleEndian.Uint64(raw)))
			}
		}
		c.whole[name] = values
	default:
		return fmt.Errorf("%w: %w: the tensor %.40q has numbers that are neither float32 nor int64", ErrFile, ErrOperator, name)
	}
	return nil
}

// count is the number of numbers of a shape, and adds it to the cost.
func (c *coster) count(name string, shape []int) (int, error) {
	if len(shape) > maxRank {
		return 0, refuse("%.40q has %d dimensions, at most %d are allowed", name, len(shape), maxRank)
	}
	n := 1
	for _, d := range shape {
		if d < 1 || d > maxNumbers || n*d > maxNumbers {
			return 0, refuse("%.40q has the shape %v, at most %d numbers are allowed", name, shape, maxNumbers)
		}
		n *= d
	}
	c.cost.Numbers += n
	return n, nil
}

// elementwise are functions of each number by itself.
var elementwise = []string{"Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Cos", "Cosh", "Relu", "Sigmoid", "Sin", "Sinh", "Tan", "Tanh"}

func (c *coster) node(n *proto3.NodeProto) error {
	bad := func(why string) error {
		return refuse("the operator %.40s that makes %.40q %s", n.GetOpType(), first(n.Output), why)
	}
	if len(n.Output) != 1 || n.Output[0] == "" || n.GetDomain() != "" {
		return fmt.Errorf("%w: %w: the operator %.40s with %d outputs", ErrFile, ErrOperator, n.GetOpType(), len(n.Output))
	}
	if a := n.Attribute; n.GetOpType() == "Constant" && len(n.Input) == 0 && len(a) == 1 && a[0].GetName() == "value" && a[0].GetT() != nil {
		return c.constant(n.Output[0], a[0].GetT())
	}
	arity, known := arities[n.GetOpType()]
	switch {
	case !known:
		return fmt.Errorf("%w: %w: the operator %.40s", ErrFile, ErrOperator, n.GetOpType())
	case len(n.Input) < arity[0] || len(n.Input) > arity[1]:
		return bad(fmt.Sprintf("has %d inputs", len(n.Input)))
	}
	var in [][]int // shapes of the float inputs
	for _, name := range n.Input {
		s, ok := c.shapes[name]
		if !ok {
			if _, whole := c.whole[name]; whole {
				break // arguments come last
			}
			return bad(fmt.Sprintf("takes %.40q, which nothing has made", name))
		}
		in = append(in, s)
	}
	out, work, why := c.infer(n, in)
	if why != "" {
		return bad(why)
	}
	count, err := c.count(n.Output[0], out)
	if err != nil {
		return err
	}
	c.cost.Operations += max(work, count)
	c.shapes[n.Output[0]] = out
	return nil
}

// arities are the least and the most inputs of the operators that are known.
var arities = func() map[string][2]int {
	m := map[string][2]int{
		"Add": {2, 2}, "Sub": {2, 2}, "Mul": {2, 2}, "Div": {2, 2}, "MatMul": {2, 2}, "Gemm": {2, 3},
		"Softmax": {1, 1}, "Concat": {1, 64}, "Reshape": {2, 2}, "Transpose": {1, 1},
	}
	for _, e := range elementwise {
		m[e] = [2]int{1, 1}
	}
	return m
}()

// infer is the shape of a node's result and its operations, or why there is
// none.
func (c *coster) infer(n *proto3.NodeProto, in [][]int) (out []int, work int, why string) {
	wrong := fmt.Sprintf("does not fit its inputs of the shapes %v", in)
	if want := arities[n.GetOpType()][0]; n.GetOpType() != "Reshape" && len(in) != len(n.Input) || len(in) < 1 || len(in) < want-1 {
		return nil, 0, "wants tensors of float32"
	}
	switch kind := n.GetOpType(); kind {
	case "Add", "Sub", "Mul", "Div":
		out, ok := broadcast(in[0], in[1])
		if !ok {
			return nil, 0, wrong
		}
		return out, 0, ""
	case "MatMul", "Gemm":
		return product(n, in, wrong)
	case "Softmax":
		if len(in[0]) != 2 || !axisIs(n, 1, len(in[0])) {
			return nil, 0, "may only run along the last of two dimensions"
		}
		return in[0], 0, ""
	case "Concat":
		return concat(n, in, wrong)
	case "Reshape":
		return reshape(in[0], c.whole[n.Input[1]], wrong)
	case "Transpose":
		if len(in[0]) != 2 || len(n.Attribute) > 1 || (len(n.Attribute) == 1 && !slices.Equal(n.Attribute[0].Ints, []int64{1, 0})) {
			return nil, 0, "may only turn a matrix"
		}
		return []int{in[0][1], in[0][0]}, 0, ""
	default: // elementwise
		return in[0], 0, ""
	}
}

// broadcast is the shape of two tensors that are repeated along dimensions of 1.
func broadcast(a, b []int) ([]int, bool) {
	if len(a) < len(b) {
		a, b = b, a
	}
	out := slices.Clone(a)
	for i, d := range b {
		switch at := len(a) - len(b) + i; {
		case out[at] == 1:
			out[at] = d
		case d != 1 && d != out[at]:
			return nil, false
		}
	}
	return out, true
}

func product(n *proto3.NodeProto, in [][]int, wrong string) ([]int, int, string) {
	if len(in) < 2 || len(in[0]) != 2 || len(in[1]) != 2 {
		return nil, 0, "may only multiply matrices"
	}
	a, b := slices.Clone(in[0]), slices.Clone(in[1])
	for _, attribute := range n.Attribute {
		switch {
		case n.GetOpType() == "Gemm" && attribute.GetName() == "transA" && attribute.GetI() != 0:
			slices.Reverse(a)
		case n.GetOpType() == "Gemm" && attribute.GetName() == "transB" && attribute.GetI() != 0:
			slices.Reverse(b)
		}
	}
	out := []int{a[0], b[1]}
	if a[1] != b[0] {
		return nil, 0, wrong
	}
	if len(in) == 3 {
		if sum, ok := broadcast(out, in[2]); !ok || !slices.Equal(sum, out) {
			return nil, 0, wrong
		}
	}
	if a[0]*b[1] > maxNumbers { // a[1] is no more either, so the product fits
		return nil, 0, wrong
	}
	return out, 2 * a[0] * a[1] * b[1], ""
}

func concat(n *proto3.NodeProto, in [][]int, wrong string) ([]int, int, string) {
	out := slices.Clone(in[0])
	axis, ok := axisOf(n, len(out))
	if !ok {
		return nil, 0, wrong
	}
	for _, s := range in[1:] {
		if len(s) != len(out) {
			return nil, 0, wrong
		}
		for i, d := range s {
			switch {
			case i == axis:
				out[i] += d
			case out[i] != d:
				return nil, 0, wrong
			}
		}
	}
	return out, 0, ""
}

func reshape(in []int, to []int64, wrong string) ([]int, int, string) {
	if len(to) < 1 || len(to) > maxRank {
		return nil, 0, "wants a constant shape"
	}
	had, has := 1, 1
	for _, d := range in {
		had *= d
	}
	out := make([]int, len(to))
	for i, d := range to {
		if d < 1 || d > maxNumbers || has > maxNumbers {
			return nil, 0, "wants a shape of numbers from 1"
		}
		out[i] = int(d)
		has *= out[i]
	}
	if had != has {
		return nil, 0, wrong
	}
	return out, 0, ""
}

// axisOf is the attribute axis, counted from the front.
func axisOf(n *proto3.NodeProto, rank int) (int, bool) {
	if len(n.Attribute) != 1 || n.Attribute[0].GetName() != "axis" {
		return 0, false
	}
	axis := int(n.Attribute[0].GetI())
	if axis < 0 {
		axis += rank
	}
	return axis, axis >= 0 && axis < rank
}

// axisIs reports whether the axis, which may be left away where it is the last
// one, is a certain one.
func axisIs(n *proto3.NodeProto, want, rank int) bool {
	if len(n.Attribute) == 0 {
		return want == rank-1
	}
	axis, ok := axisOf(n, rank)
	return ok && axis == want
}

func first(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}
