package onnx

import (
	"encoding/binary"
	"fmt"
	"math"

	proto3 "github.com/advancedclimatesystems/gonnx/onnx"
	"google.golang.org/protobuf/proto"
)

// Names of inputs, outputs and metadata of the convention.
const (
	Places     = "places"
	Colour     = "colour"
	Words      = "words"
	Noise      = "noise"
	View       = "view"
	Palette    = "palette"
	Vocabulary = "vocabulary" // metadata: a JSON list of the words, in the order of the input
)

const (
	opset     = 13
	irVersion = 7 // the file form that came with operator set 13
)

// builder collects a graph. Nodes are added in the order in which they run.
type builder struct {
	graph *proto3.GraphProto
}

func newBuilder(name, doc string) *builder {
	return &builder{&proto3.GraphProto{Name: name, DocString: doc}}
}

// constant adds numbers that are part of the file.
func (b *builder) constant(name string, rows, cols int, data []float32) string {
	raw := make([]byte, 0, 4*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
	}
	b.graph.Initializer = append(b.graph.Initializer, &proto3.TensorProto{
		Name: name, Dims: []int64{int64(rows), int64(cols)}, DataType: int32(proto3.TensorProto_FLOAT), RawData: raw,
	})
	return name
}

// row is a constant of one row.
func (b *builder) row(name string, data ...float32) string {
	return b.constant(name, 1, len(data), data)
}

// whole adds a list of whole numbers, as operators take them.
func (b *builder) whole(name string, data ...int64) string {
	raw := make([]byte, 0, 8*len(data))
	for _, v := range data {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(v))
	}
	b.graph.Initializer = append(b.graph.Initializer, &proto3.TensorProto{
		Name: name, Dims: []int64{int64(len(data))}, DataType: int32(proto3.TensorProto_INT64), RawData: raw,
	})
	return name
}

// op adds an operator and returns its output, which has the name given.
func (b *builder) op(output, kind string, inputs ...string) string {
	b.node(output, kind, inputs)
	return output
}

// along is op with an axis.
func (b *builder) along(axis int64, output, kind string, inputs ...string) string {
	n := b.node(output, kind, inputs)
	n.Attribute = []*proto3.AttributeProto{{Name: "axis", Type: proto3.AttributeProto_INT, I: axis}}
	return output
}

func (b *builder) node(output, kind string, inputs []string) *proto3.NodeProto {
	n := &proto3.NodeProto{Name: output, OpType: kind, Input: inputs, Output: []string{output}}
	b.graph.Node = append(b.graph.Node, n)
	return n
}

// greater is the greater of each pair of numbers. Every runtime has Relu, few
// small ones Max.
func (b *builder) greater(output, x, y string) string {
	return b.op(output, "Add", y, b.op(output+".more", "Relu", b.op(output+".less", "Sub", x, y)))
}

// within brings numbers into low..up, two constants.
func (b *builder) within(output, x, low, up string) string {
	raised := b.op(output+".above", "Relu", b.op(output+".from", "Sub", x, low))
	over := b.op(output+".over", "Relu", b.op(output+".past", "Sub", x, up))
	return b.op(output, "Add", low, b.op(output+".kept", "Sub", raised, over))
}

func (b *builder) input(name string, shape ...any) {
	b.graph.Input = append(b.graph.Input, value(name, shape))
}

func (b *builder) output(name string, shape ...any) {
	b.graph.Output = append(b.graph.Output, value(name, shape))
}

// value describes an input or output; a dimension is a number, or a name for
// one that each run chooses.
func value(name string, shape []any) *proto3.ValueInfoProto {
	dims := &proto3.TensorShapeProto{}
	for _, d := range shape {
		dim := &proto3.TensorShapeProto_Dimension{}
		switch d := d.(type) {
		case int:
			dim.Value = &proto3.TensorShapeProto_Dimension_DimValue{DimValue: int64(d)}
		case string:
			dim.Value = &proto3.TensorShapeProto_Dimension_DimParam{DimParam: d}
		}
		dims.Dim = append(dims.Dim, dim)
	}
	return &proto3.ValueInfoProto{Name: name, Type: &proto3.TypeProto{Value: &proto3.TypeProto_TensorType{
		TensorType: &proto3.TypeProto_Tensor{ElemType: int32(proto3.TensorProto_FLOAT), Shape: dims},
	}}}
}

// file is the ONNX file of the graph, the same bytes for the same graph.
func (b *builder) file(metadata ...[2]string) ([]byte, error) {
	m := &proto3.ModelProto{
		IrVersion: irVersion, ProducerName: "atelier", Graph: b.graph,
		OpsetImport: []*proto3.OperatorSetIdProto{{Version: opset}},
	}
	for _, kv := range metadata {
		m.MetadataProps = append(m.MetadataProps, &proto3.StringStringEntryProto{Key: kv[0], Value: kv[1]})
	}
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("write ONNX: %w", err)
	}
	return raw, nil
}
