package onnx_test

import (
	"bytes"
	"crypto/sha256"
	"runtime"
	"strings"
	"testing"

	proto3 "github.com/advancedclimatesystems/gonnx/onnx"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/onnx"
)

func picture(t testing.TB) []byte {
	p, err := model.Embedded().Fold("red heart", sha256.Sum256([]byte("onnx")))
	require.NoError(t, err)
	raw, err := onnx.FromProgram(p)
	require.NoError(t, err)
	return raw
}

func artist(t testing.TB) []byte {
	raw, err := model.Embedded().ONNX()
	require.NoError(t, err)
	return raw
}

func TestWhatIsWrittenIsReadAndCostsLittle(t *testing.T) {
	f, err := onnx.Read(picture(t))
	require.NoError(t, err)
	require.Zero(t, f.Words())
	require.Zero(t, f.Noise())
	require.False(t, f.HasView())
	cost, err := f.Cost(1024)
	require.NoError(t, err)
	require.Less(t, cost.Numbers, 2_000_000)
	require.InDelta(t, 1024*2*(2*64+3*64*64+8*64), cost.Operations, 3e6, "the products, and little beside them")

	f, err = onnx.Read(artist(t))
	require.NoError(t, err)
	require.Equal(t, 96, f.Noise())
	require.True(t, f.HasView())
	require.True(t, f.HasPalette())
	require.Len(t, f.Vocabulary(), f.Words())
	require.Contains(t, f.Vocabulary(), "whale, blue whale, leviathan")
	require.Equal(t, "paper-cut", f.Metadata("artist"))
	_, err = f.Cost(1024)
	require.NoError(t, err)
}

func TestTheSameArtistHasTheSameFile(t *testing.T) {
	require.True(t, bytes.Equal(picture(t), picture(t)))
	require.True(t, bytes.Equal(artist(t), artist(t)))
}

func TestFilesThatDoNotDrawAreRefusedWithTheReason(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(m *proto3.ModelProto)
		want   string
	}{
		{"no graph", func(m *proto3.ModelProto) { m.Graph = nil }, "it has no graph"},
		{"nothing to draw with", func(m *proto3.ModelProto) { m.Graph.Node = nil }, "it has no graph"},
		{"another input", func(m *proto3.ModelProto) { m.Graph.Input[0].Name = "image" }, `it asks for the input "image"; inputs may be places [n, 2]`},
		{"places with a third coordinate", func(m *proto3.ModelProto) {
			m.Graph.Input[0].Type.GetTensorType().Shape.Dim[1].Value = &proto3.TensorShapeProto_Dimension_DimValue{DimValue: 3}
		}, "its input places has the shape [-1 3]"},
		{"doubles", func(m *proto3.ModelProto) {
			m.Graph.Input[0].Type.GetTensorType().ElemType = int32(proto3.TensorProto_DOUBLE)
		}, `"places" is not a tensor of float32`},
		{"no colours", func(m *proto3.ModelProto) { m.Graph.Output = nil }, "it has no output colour"},
		{"colours that nothing makes", func(m *proto3.ModelProto) { m.Graph.Node = m.Graph.Node[:5] }, `nothing makes its output "colour"`},
		{"a name twice", func(m *proto3.ModelProto) { m.Graph.Node[1].Output = m.Graph.Node[0].Output }, "comes twice"},
		{"a tensor in another file", func(m *proto3.ModelProto) {
			m.Graph.Initializer[0].DataLocation = proto3.TensorProto_EXTERNAL
		}, "lies in another file"},
		{"a tensor in another file, deep inside", func(m *proto3.ModelProto) {
			inner := &proto3.GraphProto{Initializer: []*proto3.TensorProto{{Name: "x", ExternalData: []*proto3.StringStringEntryProto{{Key: "location", Value: "/etc/passwd"}}}}}
			m.Graph.Node[0].Attribute = []*proto3.AttributeProto{{Name: "body", G: inner}}
		}, "lies in another file"},
		{"a tensor shorter than its shape", func(m *proto3.ModelProto) {
			m.Graph.Initializer[0].RawData = m.Graph.Initializer[0].RawData[:4]
		}, "does not have the 128 numbers"},
		{"a huge tensor", func(m *proto3.ModelProto) { m.Graph.Initializer[0].Dims = []int64{1 << 20, 1 << 20} }, "has more than"},
		{"a negative dimension", func(m *proto3.ModelProto) { m.Graph.Initializer[0].Dims = []int64{-1, 64} }, "has a dimension of -1"},
		{"an attribute twice", func(m *proto3.ModelProto) {
			m.Graph.Node[0].Attribute = []*proto3.AttributeProto{{Name: "transA", I: 1}, {Name: "transA", I: 1}}
		}, `the attribute "transA" of an operator comes twice`},
		{"a vocabulary of many empty words", func(m *proto3.ModelProto) {
			m.MetadataProps = []*proto3.StringStringEntryProto{{Key: onnx.Vocabulary, Value: "[" + strings.Repeat(`"",`, 3<<20) + `""]`}}
		}, "its vocabulary has 9437188 bytes"},
		{"training steps", func(m *proto3.ModelProto) { m.TrainingInfo = []*proto3.TrainingInfoProto{{}} }, "export the plain network"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := onnx.Read(changed(t, c.change))
			require.ErrorIs(t, err, onnx.ErrFile)
			require.ErrorContains(t, err, c.want)
		})
	}
	_, err := onnx.Read([]byte("\x89PNG\r\n"))
	require.ErrorIs(t, err, onnx.ErrFile)
	_, err = onnx.Read(make([]byte, onnx.MaxFile+1))
	require.ErrorContains(t, err, "the limit is")
}

// An empty operator is two bytes of a file and over a hundred of memory.
func TestAFileThatDecodesToMuchMoreMemoryIsRefusedBefore(t *testing.T) {
	list := func(field protowire.Number, contents []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), contents)
	}
	const nodes, dims = 1, 1 // fields of a graph, and of a tensor
	for _, c := range []struct {
		name string
		raw  []byte
	}{
		{"operators", list(7, bytes.Repeat(list(nodes, nil), 1<<20))},
		{"dimensions", list(7, list(5, list(dims, make([]byte, 1<<25))))},
		{"texts", list(7, list(nodes, bytes.Repeat(list(1, nil), 1<<22)))},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := onnx.Read(c.raw)
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, onnx.ErrFile)
			require.ErrorContains(t, err, "bytes of memory")
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
		})
	}
}

func TestMessagesThatLieInEachOtherTooDeepAreRefused(t *testing.T) {
	list := func(field protowire.Number, contents []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), contents)
	}
	var graph []byte
	for range 2000 { // a graph in an attribute of an operator of a graph
		graph = list(1, list(5, list(6, graph)))
	}
	_, err := onnx.Read(list(7, graph))
	require.ErrorIs(t, err, onnx.ErrFile)
	require.ErrorContains(t, err, "cannot be read")
}

func changed(t testing.TB, change func(m *proto3.ModelProto)) []byte {
	m := &proto3.ModelProto{}
	require.NoError(t, proto.Unmarshal(picture(t), m))
	change(m)
	raw, err := proto.Marshal(m)
	require.NoError(t, err)
	return raw
}

// What a graph asks for is bounded before anything is computed.
func TestWhatARunWouldCostIsKnownBefore(t *testing.T) {
	big := func(rows, cols int64) *proto3.TensorProto {
		return &proto3.TensorProto{Name: "big", Dims: []int64{rows, cols}, DataType: int32(proto3.TensorProto_FLOAT), RawData: make([]byte, 4*rows*cols)}
	}
	instead := func(nodes ...*proto3.NodeProto) func(m *proto3.ModelProto) {
		return func(m *proto3.ModelProto) { m.Graph.Node = append(nodes, m.Graph.Node...) }
	}
	for _, c := range []struct {
		name     string
		change   func(m *proto3.ModelProto)
		want     string
		operator bool // whether a larger runtime may run it
	}{
		{"an operator of pictures", instead(&proto3.NodeProto{OpType: "Conv", Input: []string{"places"}, Output: []string{"x"}}), "the operator Conv", true},
		{"somebody's own operator", instead(&proto3.NodeProto{OpType: "Sin", Domain: "org.example", Input: []string{"places"}, Output: []string{"x"}}), "the operator Sin", true},
		{"a newer operator set", func(m *proto3.ModelProto) { m.OpsetImport[0].Version = 22 }, "it has operator set 22", true},
		{"half floats", func(m *proto3.ModelProto) {
			m.Graph.Initializer = append(m.Graph.Initializer, &proto3.TensorProto{Name: "x", DataType: int32(proto3.TensorProto_FLOAT16)})
		}, "neither float32 nor int64", true},
		{"an operator before its input", func(m *proto3.ModelProto) { m.Graph.Node[0], m.Graph.Node[2] = m.Graph.Node[2], m.Graph.Node[0] }, "which nothing has made", false},
		{"shapes that do not fit", func(m *proto3.ModelProto) { m.Graph.Initializer[0].Dims = []int64{4, 32} }, "does not fit its inputs of the shapes [[1024 2] [4 32]]", false},
		{"a product that explodes", func(m *proto3.ModelProto) {
			m.Graph.Initializer = append(m.Graph.Initializer, big(2, 1<<15))
			instead(&proto3.NodeProto{OpType: "MatMul", Input: []string{"places", "big"}, Output: []string{"x"}})(m)
		}, "does not fit", false},
		{"a sum that explodes", func(m *proto3.ModelProto) {
			a, b := big(1<<13, 1), big(1, 1<<13)
			a.Name = "tall"
			m.Graph.Initializer = append(m.Graph.Initializer, a, b)
			instead(&proto3.NodeProto{OpType: "Add", Input: []string{"tall", "big"}, Output: []string{"x"}})(m)
		}, "at most 16777216 numbers", false},
		{"many large steps", func(m *proto3.ModelProto) {
			m.Graph.Initializer = append(m.Graph.Initializer, big(2, 1<<13))
			nodes := []*proto3.NodeProto{{OpType: "MatMul", Input: []string{"places", "big"}, Output: []string{"x0"}}}
			for i := range 20 {
				nodes = append(nodes, &proto3.NodeProto{OpType: "Sin", Input: []string{"x" + string(rune('0'+i))}, Output: []string{"x" + string(rune('1'+i))}})
			}
			instead(nodes...)(m)
		}, "one run of it needs more than", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, err := onnx.Read(changed(t, c.change))
			require.NoError(t, err)
			_, err = f.Cost(1024)
			require.ErrorIs(t, err, onnx.ErrFile)
			require.ErrorContains(t, err, c.want)
			if c.operator {
				require.ErrorIs(t, err, onnx.ErrOperator)
			} else {
				require.NotErrorIs(t, err, onnx.ErrOperator)
			}
		})
	}
}

// tiny is a picture of sixteen sines and two colours.
func tiny(t testing.TB) []byte {
	p, err := model.Embedded().Fold("red heart", [32]byte{})
	require.NoError(t, err)
	p.Layers, p.Weights, p.Biases, p.Colours, p.Hidden = 1, nil, nil, 2, 16
	p.PhaseX, p.PhaseY, p.PhaseC = p.PhaseX[:16], p.PhaseY[:16], p.PhaseC[:16]
	p.Head, p.HeadBias, p.Palette = p.Head[:32], p.HeadBias[:2], p.Palette[:2]
	raw, err := onnx.FromProgram(p)
	require.NoError(t, err)
	return raw
}

func FuzzRead(f *testing.F) {
	f.Add(tiny(f)) // larger seeds would leave no time for others
	f.Fuzz(func(t *testing.T, raw []byte) {
		file, err := onnx.Read(raw)
		if err != nil {
			require.ErrorIs(t, err, onnx.ErrFile)
			return
		}
		if _, err := file.Cost(16); err != nil {
			require.ErrorIs(t, err, onnx.ErrFile)
		}
	})
}
