package onnx

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	proto3 "github.com/advancedclimatesystems/gonnx/onnx"
	"google.golang.org/protobuf/proto"
)

// ErrFile reports bytes that are no ONNX file that draws.
var ErrFile = errors.New("not an ONNX file that atelier can draw with")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFile, fmt.Sprintf(format, args...))
}

// Bounds of a file from outside.
const (
	MaxFile     = 64 << 20    // bytes
	maxMemory   = 2 * MaxFile // bytes of the decoded file
	maxNodes    = 10_000
	maxInputs   = 8192 // words, or numbers of noise
	maxName     = 1000 // bytes of a name within the file
	maxDepth    = 8    // graphs within graphs
	maxMessages = 64   // messages within messages
)

// File is an ONNX file whose form was checked: it has the inputs and outputs of
// the convention, each name once, tensors as long as they say, and needs no
// other file. What its operators do was not looked at; see [File.Cost].
type File struct {
	raw        []byte
	model      *proto3.ModelProto
	words      int
	noise      int
	view       bool
	palette    bool
	vocabulary []string
}

// Read checks an ONNX file. Errors wrap [ErrFile]. It keeps raw.
func Read(raw []byte) (*File, error) {
	if len(raw) > MaxFile {
		return nil, refuse("it has %d bytes, the limit is %d", len(raw), MaxFile)
	}
	m := &proto3.ModelProto{}
	if weigh(m.ProtoReflect().Descriptor(), raw, maxMemory, maxMessages) < 0 {
		return nil, refuse("decoded it takes more than %d bytes of memory; export it again", maxMemory)
	}
	if err := (proto.UnmarshalOptions{RecursionLimit: maxMessages, DiscardUnknown: true}).Unmarshal(raw, m); err != nil {
		return nil, refuse("its bytes cannot be read; export it again")
	}
	g := m.GetGraph()
	if g == nil || len(g.Node) == 0 {
		return nil, refuse("it has no graph")
	}
	if len(m.Functions) > 0 || len(m.TrainingInfo) > 0 {
		return nil, refuse("it has functions or training steps: export the plain network")
	}
	if err := checkGraph(g, maxDepth); err != nil {
		return nil, err
	}
	f := &File{raw: raw, model: m}
	if err := f.readInputs(); err != nil {
		return nil, err
	}
	if err := f.readOutputs(); err != nil {
		return nil, err
	}
	for _, kv := range m.MetadataProps {
		if kv.GetKey() != Vocabulary {
			continue
		}
		if len(kv.GetValue()) > maxInputs*maxName {
			return nil, refuse("its vocabulary has %d bytes, the limit is %d", len(kv.GetValue()), maxInputs*maxName)
		}
		if err := json.Unmarshal([]byte(kv.GetValue()), &f.vocabulary); err != nil || len(f.vocabulary) != f.words {
			return nil, refuse("its vocabulary does not name the %d words of its input", f.words)
		}
	}
	return f, nil
}

// Bytes is the file; do not change it.
func (f *File) Bytes() []byte { return f.raw }

// Model is the decoded file; do not change it.
func (f *File) Model() *proto3.ModelProto { return f.model }

// Words is the number of words that the file takes, 0 for a single picture.
func (f *File) Words() int { return f.words }

// Noise is the number of numbers of noise that the file takes.
func (f *File) Noise() int { return f.noise }

// HasView reports whether the file takes a view.
func (f *File) HasView() bool { return f.view }

// HasPalette reports whether the file tells its palette.
func (f *File) HasPalette() bool { return f.palette }

// Vocabulary names the words, nil where the file does not.
func (f *File) Vocabulary() []string { return f.vocabulary }

// Metadata is a text of the file by its key, "" where there is none.
func (f *File) Metadata(key string) string {
	for _, kv := range f.model.MetadataProps {
		if kv.GetKey() == key {
			return kv.GetValue()
		}
	}
	return ""
}

// shapeOf is the shape of an input or output, -1 for what a run chooses.
func shapeOf(v *proto3.ValueInfoProto) ([]int64, error) {
	t := v.GetType().GetTensorType()
	if t == nil || t.GetElemType() != int32(proto3.TensorProto_FLOAT) {
		return nil, refuse("%q is not a tensor of float32", v.GetName())
	}
	var shape []int64
	for _, d := range t.GetShape().GetDim() {
		n := d.GetDimValue()
		if n <= 0 {
			n = -1
		}
		shape = append(shape, n)
	}
	return shape, nil
}

func (f *File) readInputs() error {
	g := f.model.Graph
	given := map[string]bool{}
	for _, t := range g.Initializer {
		given[t.GetName()] = true
	}
	places := false
	for _, in := range g.Input {
		if given[in.GetName()] {
			continue
		}
		s, err := shapeOf(in)
		if err != nil {
			return err
		}
		vector := len(s) == 2 && s[0] == 1 && s[1] >= 1 && s[1] <= maxInputs
		switch name := in.GetName(); {
		case name == Places && len(s) == 2 && s[0] == -1 && s[1] == 2:
			places = true
		case name == Words && vector:
			f.words = int(s[1])
		case name == Noise && vector:
			f.noise = int(s[1])
		case name == View && slices.Equal(s, []int64{3, 2}):
			f.view = true
		case slices.Contains([]string{Places, Words, Noise, View}, name):
			return refuse("its input %s has the shape %v; wanted are places [n, 2], words [1, f], noise [1, z] with at most %d numbers, view [3, 2]", name, s, maxInputs)
		default:
			return refuse("it asks for the input %q; inputs may be places [n, 2], words [1, f], noise [1, z] and view [3, 2]", name)
		}
	}
	if !places {
		return refuse("it has no input places [n, 2]")
	}
	return nil
}

func (f *File) readOutputs() error {
	colour := false
	for _, out := range f.model.Graph.Output {
		switch out.GetName() {
		case Colour:
			s, err := shapeOf(out)
			if err != nil {
				return err
			}
			if len(s) != 2 || s[0] != -1 || s[1] != 3 {
				return refuse("its output colour has the shape %v, wanted is [n, 3]", s)
			}
			colour = true
		case Palette:
			s, err := shapeOf(out)
			if err != nil {
				return err
			}
			if len(s) != 2 || s[0] < 1 || s[1] != 3 {
				return refuse("its output palette has the shape %v, wanted is [k, 3]", s)
			}
			f.palette = true
		}
	}
	if !colour {
		return refuse("it has no output colour [n, 3]")
	}
	return nil
}

// checkGraph checks names, tensors and that everything lies in the file.
func checkGraph(g *proto3.GraphProto, depth int) error {
	if depth == 0 {
		return refuse("its graphs lie in each other too deep")
	}
	if len(g.Node) > maxNodes || len(g.Initializer) > maxNodes || len(g.SparseInitializer) > 0 {
		return refuse("its graph has more than %d operators or tensors, or sparse tensors", maxNodes)
	}
	made := map[string]bool{}
	name := func(s string) error {
		if s == "" || len(s) > maxName || made[s] {
			return refuse("the name %.40q is empty, too long or comes twice", s)
		}
		made[s] = true
		return nil
	}
	for _, t := range g.Initializer {
		if err := name(t.GetName()); err != nil {
			return err
		}
		if err := checkTensor(t); err != nil {
			return err
		}
	}
	initial := len(made)
	for _, in := range g.Input {
		if made[in.GetName()] { // old files list their tensors as inputs too
			initial--
			continue
		}
		if err := name(in.GetName()); err != nil {
			return err
		}
	}
	if initial < 0 {
		return refuse("an input comes twice")
	}
	for _, n := range g.Node {
		for _, out := range n.Output {
			if out == "" {
				continue
			}
			if err := name(out); err != nil {
				return err
			}
		}
		named := map[string]bool{}
		for _, a := range n.Attribute {
			if named[a.GetName()] { // which of them counts, nobody says
				return refuse("the attribute %.40q of an operator comes twice", a.GetName())
			}
			named[a.GetName()] = true
			for _, t := range append([]*proto3.TensorProto{a.GetT()}, a.Tensors...) {
				if t != nil {
					if err := checkTensor(t); err != nil {
						return err
					}
				}
			}
			if a.SparseTensor != nil || len(a.SparseTensors) > 0 {
				return refuse("it has sparse tensors")
			}
			for _, inner := range append([]*proto3.GraphProto{a.GetG()}, a.Graphs...) {
				if inner != nil {
					if err := checkGraph(inner, depth-1); err != nil {
						return err
					}
				}
			}
		}
	}
	for _, out := range g.Output {
		if !made[out.GetName()] {
			return refuse("nothing makes its output %.40q", out.GetName())
		}
	}
	return nil
}

// checkTensor checks that a tensor lies in the file. That it is as long as its
// shape says is checked for the types that [File.Cost] knows.
func checkTensor(t *proto3.TensorProto) error {
	if t.GetDataLocation() != proto3.TensorProto_DEFAULT || len(t.ExternalData) > 0 || t.Segment != nil {
		return refuse("the tensor %.40q lies in another file: export with all weights inside", t.GetName())
	}
	if len(t.Dims) > maxRank {
		return refuse("the tensor %.40q has %d dimensions, at most %d are allowed", t.GetName(), len(t.Dims), maxRank)
	}
	count := int64(1)
	for _, d := range t.Dims {
		if d < 0 || d > maxNumbers {
			return refuse("the tensor %.40q has a dimension of %d", t.GetName(), d)
		}
		if count *= d; count > maxNumbers {
			return refuse("the tensor %.40q has more than %d numbers", t.GetName(), maxNumbers)
		}
	}
	var listed, size int
	switch proto3.TensorProto_DataType(t.DataType) {
	case proto3.TensorProto_FLOAT:
		listed, size = len(t.FloatData), 4
	case proto3.TensorProto_INT64:
		listed, size = len(t.Int64Data), 8
	default:
		return nil
	}
	if int64(listed) != count && (listed != 0 || int64(len(t.RawData)) != int64(size)*count) {
		return refuse("the tensor %.40q does not have the %d numbers that its shape says", t.GetName(), count)
	}
	return nil
}
