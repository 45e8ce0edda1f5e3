package safetensors

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func file(header string, data int) []byte {
	raw := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(raw, header...), make([]byte, data)...)
}

func TestWhatIsWrittenReadsBack(t *testing.T) {
	want := &File{
		Metadata: map[string]string{"artist": "paper-cut", "words": "a\nb"},
		Tensors: []Tensor{
			FromInt16s("a", []int{2, 3}, []int16{1, -2, 3, -4, 32767, -32768}),
			{"b", U8, []int{3}, []byte{1, 2, 3}},
			FromInt16s("empty", []int{0, 9}, []int16{}),
		},
	}
	raw, err := Write(want)
	require.NoError(t, err)
	got, err := Read(raw)
	require.NoError(t, err)
	require.Equal(t, want.Metadata, got.Metadata)
	require.Len(t, got.Tensors, 3)
	a, err := got.Tensor("a")
	require.NoError(t, err)
	v, err := a.Int16s()
	require.NoError(t, err)
	require.Equal(t, []int16{1, -2, 3, -4, 32767, -32768}, v)
	again, err := Write(got)
	require.NoError(t, err)
	require.Equal(t, raw, again)
}

func TestHostileFiles(t *testing.T) {
	one := `"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4]}`
	for name, raw := range map[string][]byte{
		"no bytes":                              nil,
		"shorter than its length field":         {1, 2, 3},
		"header longer than the file":           file("{"+one+"}", 4)[:20],
		"header length near 2^64":               append([]byte{255, 255, 255, 255, 255, 255, 255, 255}, "{}"...),
		"header past its limit":                 file("{"+strings.Repeat(" ", MaxHeader)+"}", 0),
		"header that is an array":               file(`[]`, 0),
		"bytes after the header's object":       file("{"+one+"}x", 4),
		"a second object in the header":         file("{"+one+"}{}", 4),
		"header cut off":                        file("{"+one, 4),
		"the same name twice":                   file("{"+one+","+one+"}", 4),
		"metadata twice":                        file(`{"__metadata__":{},"__metadata__":{}}`, 0),
		"metadata that is no string":            file(`{"__metadata__":{"a":1}}`, 0),
		"unknown type":                          file(`{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,4]}}`, 4),
		"unknown field":                         file(`{"a":{"dtype":"I16","shape":[2],"data_offsets":[0,4],"x":1}}`, 4),
		"missing field":                         file(`{"a":{"dtype":"I16","data_offsets":[0,4]}}`, 4),
		"field twice":                           file(`{"a":{"dtype":"I16","dtype":"I16","shape":[2],"data_offsets":[0,4]}}`, 4),
		"null shape":                            file(`{"a":{"dtype":"I16","shape":null,"data_offsets":[0,2]}}`, 2),
		"shape that does not fit the range":     file(`{"a":{"dtype":"I16","shape":[3],"data_offsets":[0,4]}}`, 4),
		"negative dimension":                    file(`{"a":{"dtype":"I16","shape":[-2],"data_offsets":[0,4]}}`, 4),
		"dimensions whose product overflows":    file(`{"a":{"dtype":"I16","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,4]}}`, 4),
		"too many dimensions":                   file(`{"a":{"dtype":"I16","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,4]}}`, 4),
		"range past the file":                   file(`{"a":{"dtype":"I16","shape":[2],"data_offsets":[4,8]}}`, 4),
		"range backwards":                       file(`{"a":{"dtype":"I16","shape":[2],"data_offsets":[4,0]}}`, 4),
		"gap between tensors":                   file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}}`, 3),
		"overlapping tensors":                   file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}`, 3),
		"bytes that belong to no tensor":        file("{"+one+"}", 6),
		"one tensor aliased under another name": file(`{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}`, 2),
		"header that is not UTF-8":              file("{\"\xff\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(raw)
			require.ErrorIs(t, err, ErrFormat)
		})
	}
}

func TestWriteRefusesWhatReadWould(t *testing.T) {
	for name, f := range map[string]*File{
		"shape that does not fit":  {Tensors: []Tensor{{"a", I16, []int{3}, make([]byte, 4)}}},
		"the same name twice":      {Tensors: []Tensor{{"a", U8, []int{1}, []byte{1}}, {"a", U8, []int{1}, []byte{1}}}},
		"the name of the metadata": {Tensors: []Tensor{{"__metadata__", U8, []int{1}, []byte{1}}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Write(f)
			require.ErrorIs(t, err, ErrFormat)
		})
	}
}

func FuzzRead(f *testing.F) {
	good, err := Write(&File{Metadata: map[string]string{"k": "v"}, Tensors: []Tensor{FromInt16s("a", []int{1, 2}, []int16{1, 2})}})
	require.NoError(f, err)
	f.Add(good)
	f.Add(file(`{"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}`, 1))
	f.Add(file(`{}`, 0))
	f.Add([]byte{8, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := Read(raw)
		if err != nil {
			require.ErrorIs(t, err, ErrFormat)
			return
		}
		total := 0
		for _, tensor := range got.Tensors {
			total += len(tensor.Data)
		}
		require.LessOrEqual(t, total, len(raw))
		written, err := Write(got)
		require.NoError(t, err)
		again, err := Read(written)
		require.NoError(t, err)
		require.Equal(t, got.Metadata, again.Metadata)
		require.Len(t, again.Tensors, len(got.Tensors))
	})
}
