// Package safetensors reads and writes the safetensors format, strictly.
//
// A file is an 8-byte little-endian header length, a JSON header that maps
// tensor names to type, shape and byte range, and the raw little-endian
// numbers. [Read] accepts a file only when the ranges follow each other without
// gap or overlap from the first byte to the last, every length is the product
// of its shape and type, no name comes twice, and the header keeps its bounds:
// what it accepts has one meaning. [Write] sorts by name, so equal tensors and
// metadata make equal bytes.
//
// Source: https://github.com/huggingface/safetensors, "Format".
package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"unicode/utf8"
)

// Bounds of a file. They keep a hostile header from costing memory.
const (
	MaxHeader  = 1 << 20   // bytes of the JSON header
	MaxFile    = 256 << 20 // bytes of a file
	MaxTensors = 4096
	MaxDims    = 8
)

// Dtype is the type of a tensor's numbers, as spelled in a header.
type Dtype string

// Types that this package knows.
const (
	I16 Dtype = "I16"
	I32 Dtype = "I32"
	U8  Dtype = "U8"
	F32 Dtype = "F32"
)

// Size is the number of bytes of one number, 0 for an unknown type.
func (d Dtype) Size() int {
	switch d {
	case U8:
		return 1
	case I16:
		return 2
	case I32, F32:
		return 4
	}
	return 0
}

// A Tensor is a named array of numbers in row-major order, little endian.
type Tensor struct {
	Name  string
	Type  Dtype
	Shape []int
	Data  []byte
}

// Int16s returns the numbers of an I16 tensor.
func (t Tensor) Int16s() ([]int16, error) {
	if t.Type != I16 {
		return nil, fmt.Errorf("%w: tensor %q is %s, want I16", ErrFormat, t.Name, t.Type)
	}
	v := make([]int16, len(t.Data)/2)
	for i := range v {
		v[i] = int16(binary.LittleEndian.Uint16(t.Data[2*i:]))
	}
	return v, nil
}

// FromInt16s makes an I16 tensor.
func FromInt16s(name string, shape []int, v []int16) Tensor {
	data := make([]byte, 2*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint16(data[2*i:], uint16(x))
	}
	return Tensor{name, I16, shape, data}
}

// Float32s returns the numbers of an F32 tensor.
func (t Tensor) Float32s() ([]float32, error) {
	if t.Type != F32 {
		return nil, fmt.Errorf("%w: tensor %q is %s, want F32", ErrFormat, t.Name, t.Type)
	}
	v := make([]float32, len(t.Data)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.Data[4*i:]))
	}
	return v, nil
}

// FromFloat32s makes an F32 tensor.
func FromFloat32s(name string, shape []int, v []float32) Tensor {
	data := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(data[4*i:], math.Float32bits(x))
	}
	return Tensor{name, F32, shape, data}
}

// A File is the content of a safetensors file.
type File struct {
	Metadata map[string]string
	Tensors  []Tensor // in the order of their data
}

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (Tensor, error) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, nil
		}
	}
	return Tensor{}, fmt.Errorf("%w: no tensor %q", ErrFormat, name)
}

// ErrFormat reports bytes that are no strict safetensors file.
var ErrFormat = errors.New("malformed safetensors file")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

type entry struct {
	Dtype   Dtype   `json:"dtype"`
	Shape   []int   `json:"shape"`
	Offsets []int64 `json:"data_offsets"`
}

// Read decodes a file. Tensor data are slices of raw, which must not change
// afterwards. Errors wrap [ErrFormat].
func Read(raw []byte) (*File, error) {
	if len(raw) < 8 {
		return nil, malformed("%d bytes, want at least 8", len(raw))
	}
	if len(raw) > MaxFile {
		return nil, malformed("%d bytes, limit %d", len(raw), MaxFile)
	}
	n := binary.LittleEndian.Uint64(raw)
	if n > MaxHeader || n > uint64(len(raw)-8) {
		return nil, malformed("header of %d bytes in a file of %d, limit %d", n, len(raw), MaxHeader)
	}
	header, data := raw[8:8+n], raw[8+n:]
	if len(header) == 0 || header[0] != '{' || !utf8.Valid(header) {
		return nil, malformed("header is no JSON object in UTF-8")
	}
	f := &File{Metadata: map[string]string{}}
	type ranged struct {
		Tensor
		from, to int64
	}
	var all []ranged
	err := object(header, func(name string, value json.RawMessage) error {
		if name == "__metadata__" {
			return object(value, func(key string, value json.RawMessage) error {
				var s string
				if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &s) != nil {
					return malformed("metadata %q is no string", key)
				}
				f.Metadata[key] = s
				return nil
			})
		}
		if len(all) == MaxTensors {
			return malformed("more than %d tensors", MaxTensors)
		}
		var e entry
		seen := 0
		err := object(value, func(key string, value json.RawMessage) error {
			seen++
			var into any
			switch key {
			case "dtype":
				into = &e.Dtype
			case "shape":
				into = &e.Shape
			case "data_offsets":
				into = &e.Offsets
			default:
				return malformed("tensor %q has unknown field %q", name, key)
			}
			if bytes.Equal(value, []byte("null")) || json.Unmarshal(value, into) != nil {
				return malformed("tensor %q: bad %s", name, key)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if seen != 3 || len(e.Offsets) != 2 || e.Shape == nil {
			return malformed("tensor %q needs dtype, shape and two data_offsets", name)
		}
		want, err := length(e.Dtype, e.Shape)
		if err != nil {
			return malformed("tensor %q: %v", name, err)
		}
		from, to := e.Offsets[0], e.Offsets[1]
		if from < 0 || to < from || to > int64(len(data)) || to-from != want {
			return malformed("tensor %q spans %d..%d of %d bytes, its shape wants %d", name, from, to, len(data), want)
		}
		all = append(all, ranged{Tensor{name, e.Dtype, e.Shape, data[from:to:to]}, from, to})
		return nil
	})
	if err != nil {
		return nil, err
	}
	sort.SliceStable(all, func(i, j int) bool {
		return all[i].from < all[j].from || all[i].from == all[j].from && all[i].to < all[j].to
	})
	at := int64(0)
	for _, t := range all {
		if t.from != at {
			return nil, malformed("tensor %q starts at %d, the one before ends at %d", t.Name, t.from, at)
		}
		at = t.to
		f.Tensors = append(f.Tensors, t.Tensor)
	}
	if at != int64(len(data)) {
		return nil, malformed("%d bytes after the last tensor", int64(len(data))-at)
	}
	return f, nil
}

func length(d Dtype, shape []int) (int64, error) {
	size := d.Size()
	if size == 0 {
		return 0, fmt.Errorf("unknown type %q", d)
	}
	if len(shape) > MaxDims {
		return 0, fmt.Errorf("%d dimensions, limit %d", len(shape), MaxDims)
	}
	n := int64(size)
	for _, s := range shape {
		if s < 0 || s > math.MaxInt32 {
			return 0, fmt.Errorf("dimension %d", s)
		}
		if n *= int64(s); n > MaxFile {
			return 0, fmt.Errorf("more than %d bytes", MaxFile)
		}
	}
	return n, nil
}

// object calls f for each member of a JSON object and refuses a name that
// comes twice, which encoding/json would let pass.
func object(raw []byte, f func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return malformed("no JSON object")
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		name, ok := t.(string)
		if err != nil || !ok {
			return malformed("header is no JSON: %v", err)
		}
		if seen[name] {
			return malformed("name %q comes twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return malformed("value of %q is no JSON: %v", name, err)
		}
		if err := f(name, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return malformed("header is no JSON: %v", err)
	}
	rest, err := io.ReadAll(io.MultiReader(d.Buffered(), bytes.NewReader(raw[d.InputOffset():])))
	if err != nil || len(bytes.TrimRight(rest, " ")) != 0 {
		return malformed("bytes after the header's object")
	}
	return nil
}

// Write encodes a file with tensors sorted by name and the header padded with
// spaces to a multiple of 8 bytes. Errors wrap [ErrFormat].
func Write(f *File) ([]byte, error) {
	tensors := append([]Tensor(nil), f.Tensors...)
	sort.Slice(tensors, func(i, j int) bool { return tensors[i].Name < tensors[j].Name })
	header := bytes.NewBufferString("{")
	field := func(name string, v any) error {
		if header.Len() > 1 {
			header.WriteByte(',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return err
		}
		value, err := json.Marshal(v)
		if err != nil {
			return err
		}
		header.Write(key)
		header.WriteByte(':')
		header.Write(value)
		return nil
	}
	if len(f.Metadata) > 0 {
		if err := field("__metadata__", f.Metadata); err != nil {
			return nil, malformed("metadata: %v", err)
		}
	}
	var data []byte
	for i, t := range tensors {
		want, err := length(t.Type, t.Shape)
		if err != nil || want != int64(len(t.Data)) {
			return nil, malformed("tensor %q of %s %v has %d bytes (%v)", t.Name, t.Type, t.Shape, len(t.Data), err)
		}
		if t.Name == "__metadata__" || !utf8.ValidString(t.Name) || i > 0 && tensors[i-1].Name == t.Name {
			return nil, malformed("tensor name %q is reserved, invalid or comes twice", t.Name)
		}
		from := int64(len(data))
		data = append(data, t.Data...)
		shape := t.Shape
		if shape == nil {
			shape = []int{}
		}
		if err := field(t.Name, entry{t.Type, shape, []int64{from, int64(len(data))}}); err != nil {
			return nil, malformed("tensor %q: %v", t.Name, err)
		}
	}
	header.WriteByte('}')
	for header.Len()%8 != 0 {
		header.WriteByte(' ')
	}
	if header.Len() > MaxHeader || len(tensors) > MaxTensors {
		return nil, malformed("header of %d bytes and %d tensors, limits %d and %d", header.Len(), len(tensors), MaxHeader, MaxTensors)
	}
	raw := binary.LittleEndian.AppendUint64(nil, uint64(header.Len()))
	return append(append(raw, header.Bytes()...), data...), nil
}
