package model

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// nested seals plaintext and puts layers around it, as rotations do. The layers come
// back the outermost first, with their keys.
func nested(t testing.TB, plaintext []byte, containers int) (file []byte, layers []Layer) {
	t.Helper()
	file = plaintext
	for i := range containers {
		l := Layer{Name: fmt.Sprintf("container %d", i+1)}
		var around bytes.Buffer
		require.NoError(t, Seal(&around, bytes.NewReader(file), func(fileKey []byte) ([]byte, error) {
			sum := sha256.Sum256(fileKey)
			l.FileKey, l.Box = bytes.Clone(fileKey), sum[:]
			return l.Box, nil
		}))
		file, layers = around.Bytes(), slices.Insert(layers, 0, l)
	}
	return file, layers
}

// keys are copies, because opening wipes them.
func keys(layers []Layer) []Layer {
	out := slices.Clone(layers)
	for i := range out {
		out[i].FileKey = bytes.Clone(out[i].FileKey)
	}
	return out
}

func TestContainersThatLieInEachOther(t *testing.T) {
	for _, containers := range []int{1, 2, 8} {
		for _, size := range []int{0, 1, 64 << 10, 200_000} {
			t.Run(fmt.Sprintf("%d containers around %d bytes", containers, size), func(t *testing.T) {
				plaintext := pattern(size)
				file, layers := nested(t, plaintext, containers)
				r, err := OpenLayers(bytes.NewReader(file), keys(layers)...)
				require.NoError(t, err)
				require.NoError(t, iotest.TestReader(r, plaintext))
				at, err := OpenLayersAt(bytes.NewReader(file), int64(len(file)), keys(layers)...)
				require.NoError(t, err)
				require.EqualValues(t, size, at.Size())
				for off := size * 2 / 3; off > 0; off = off * 2 / 3 {
					part := make([]byte, min(100, size-off))
					n, err := at.ReadAt(part, int64(off))
					require.True(t, n == len(part) && (err == nil || err == io.EOF), "%d bytes, %v", n, err)
					require.Equal(t, plaintext[off:off+len(part)], part)
				}
			})
		}
	}
}

func TestKeysOfLayersAreWiped(t *testing.T) {
	file, layers := nested(t, pattern(10), 3)
	zero := make([]byte, FileKeySize)
	for name, damaged := range map[string][]byte{"a good file": file, "no file": nil} {
		given := keys(layers)
		_, _ = OpenLayers(bytes.NewReader(damaged), given...)
		for _, l := range given {
			require.Equal(t, zero, l.FileKey, name)
		}
		given = keys(layers)
		_, _ = OpenLayersAt(bytes.NewReader(damaged), int64(len(damaged)), given...)
		for _, l := range given {
			require.Equal(t, zero, l.FileKey, name)
		}
	}
}

// Whatever is wrong, the error names the container in which it is, the outermost that is
// not what it should be.
func TestALayerThatFailsIsNamed(t *testing.T) {
	plaintext := pattern(150_000)
	file, layers := nested(t, plaintext, 3)
	read := func(file []byte, layers []Layer) error {
		r, err := OpenLayers(bytes.NewReader(file), keys(layers)...)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		return err
	}
	readAt := func(file []byte, layers []Layer) error {
		r, err := OpenLayersAt(bytes.NewReader(file), int64(len(file)), keys(layers)...)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
		}
		return err
	}
	require.NoError(t, read(file, layers))
	require.NoError(t, readAt(file, layers))

	// around puts the other layers around what is in the place of one container.
	around := func(inner []byte, place int) ([]byte, []Layer) {
		given := keys(layers)
		for i := place - 1; i >= 0; i-- {
			var w bytes.Buffer
			require.NoError(t, Seal(&w, bytes.NewReader(inner), func(fileKey []byte) ([]byte, error) {
				sum := sha256.Sum256(fileKey)
				given[i].FileKey, given[i].Box = bytes.Clone(fileKey), sum[:]
				return given[i].Box, nil
			}))
			inner = w.Bytes()
		}
		return inner, given
	}
	open := func(place int) []byte { // what lies in the place, sealed
		r, err := OpenLayers(bytes.NewReader(file), keys(layers[:place])...)
		require.NoError(t, err)
		b, err := io.ReadAll(r)
		require.NoError(t, err)
		return b
	}
	for place := range layers {
		other, _ := nested(t, plaintext, 3-place)
		for name, c := range map[string]struct {
			with func([]byte) []byte
			is   error
			says string
		}{
			"a bit of the header is another":  {func(b []byte) []byte { b[len(headerIntro)+20] ^= 1; return b }, nil, ""},
			"a bit of the body is another":    {func(b []byte) []byte { b[len(b)/2] ^= 1; return b }, ErrDamaged, ""},
			"the last byte is missing":        {func(b []byte) []byte { return b[:len(b)-1] }, ErrDamaged, ""},
			"a byte follows the end":          {func(b []byte) []byte { return append(b, 0) }, ErrDamaged, ""},
			"nothing":                         {func([]byte) []byte { return nil }, ErrNotSealed, ""},
			"garbage":                         {func([]byte) []byte { return pattern(100_000) }, ErrNotSealed, "starts with"},
			"the plain file":                  {func([]byte) []byte { return plaintext }, ErrNotSealed, ""},
			"another container with its keys": {func([]byte) []byte { return other }, nil, "box is not the one"},
		} {
			t.Run(fmt.Sprintf("%s in place %d", name, place), func(t *testing.T) {
				file, given := around(c.with(open(place)), place)
				for _, err := range []error{read(file, given), readAt(file, given)} {
					var named *LayerError
					require.ErrorAs(t, err, &named)
					require.Equal(t, place, named.Layer, "%v", err)
					require.Equal(t, layers[place].Name, named.Name)
					require.ErrorContains(t, err, c.says)
					if c.is != nil {
						require.ErrorIs(t, err, c.is)
					}
				}
			})
		}
		t.Run(fmt.Sprintf("another file's key in place %d", place), func(t *testing.T) {
			given := keys(layers)
			given[place].FileKey[3] ^= 1
			for _, err := range []error{read(file, given), readAt(file, given)} {
				var named *LayerError
				require.ErrorAs(t, err, &named)
				require.Equal(t, place, named.Layer)
				require.ErrorIs(t, err, ErrDamaged)
			}
		})
	}
	t.Run("a file that cannot be read to its end", func(t *testing.T) {
		broken := errors.New("broken")
		r, err := OpenLayers(io.MultiReader(bytes.NewReader(file[:140_000]), iotest.ErrReader(broken)), keys(layers)...)
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, r)
		require.ErrorIs(t, err, broken)
		var named *LayerError
		require.ErrorAs(t, err, &named)
		require.Zero(t, named.Layer)
	})
}

// The keys of one container open neither what is around it nor what is in it.
func TestAKeyOpensItsOwnLayerAlone(t *testing.T) {
	plaintext := pattern(1000)
	file, layers := nested(t, plaintext, 2)
	inner, err := OpenLayers(bytes.NewReader(file), keys(layers[:1])...)
	require.NoError(t, err)
	beneath, err := io.ReadAll(inner)
	require.NoError(t, err)
	require.False(t, bytes.Contains(beneath, plaintext[:40]), "the outer key alone gives the container before")

	_, err = OpenLayers(bytes.NewReader(file), keys(layers[1:])...)
	require.Error(t, err, "the inner key alone does not open what is around it")
	forced := keys(layers[1:])
	forced[0].Box = layers[0].Box
	_, err = OpenLayers(bytes.NewReader(file), forced...)
	require.ErrorIs(t, err, ErrDamaged, "nor is it the key of the outer one")
	forced = keys(layers[:1])
	forced[0].Box = layers[1].Box
	_, err = OpenLayers(bytes.NewReader(beneath), forced...)
	require.ErrorIs(t, err, ErrDamaged, "nor the outer one that of the inner")
}

func TestAnotherModelInTheLayers(t *testing.T) {
	plain, err := Embedded().MarshalBinary()
	require.NoError(t, err)
	file, layers := nested(t, plain, 3)
	opened, err := OpenPlain(bytes.NewReader(file), sha256.Sum256(plain), keys(layers)...)
	require.NoError(t, err)
	require.Equal(t, plain, opened)
	_, err = OpenPlain(bytes.NewReader(file), sha256.Sum256([]byte("another")), keys(layers)...)
	require.ErrorIs(t, err, ErrOtherModel)
	_, err = OpenPlain(bytes.NewReader(file), sha256.Sum256(plain), keys(layers[:2])...)
	require.ErrorIs(t, err, ErrOtherModel, "a layer that nobody opened")
}

// FuzzLayers opens any bytes as containers in containers: the plaintext or an error that
// names a layer.
func FuzzLayers(f *testing.F) {
	file, layers := nested(f, pattern(100), 2)
	f.Add(file)
	inner, err := OpenLayers(bytes.NewReader(file), keys(layers[:1])...)
	require.NoError(f, err)
	beneath, err := io.ReadAll(inner)
	require.NoError(f, err)
	f.Add(beneath)
	f.Add([]byte(headerIntro))
	f.Fuzz(func(t *testing.T, data []byte) {
		var around bytes.Buffer // any bytes as what a good layer holds
		outer := Layer{Name: "outer"}
		require.NoError(t, Seal(&around, bytes.NewReader(data), func(fileKey []byte) ([]byte, error) {
			outer.FileKey, outer.Box = bytes.Clone(fileKey), []byte("box")
			return outer.Box, nil
		}))
		for _, c := range []struct {
			file   []byte
			layers []Layer
		}{{data, layers}, {around.Bytes(), []Layer{outer, layers[1]}}} {
			r, err := OpenLayers(bytes.NewReader(c.file), keys(c.layers)...)
			if err == nil {
				var got []byte
				if got, err = io.ReadAll(r); err == nil {
					require.Equal(t, pattern(100), got)
				}
			}
			_, atErr := OpenLayersAt(bytes.NewReader(c.file), int64(len(c.file)), keys(c.layers)...)
			for _, err := range []error{err, atErr} {
				var named *LayerError
				require.True(t, err == nil || errors.As(err, &named), "%v", err)
			}
		}
	})
}

// BenchmarkLayers opens 4 MiB through containers in containers.
func BenchmarkLayers(b *testing.B) {
	plaintext := pattern(4 << 20)
	for _, containers := range []int{1, 2, 8} {
		file, layers := nested(b, plaintext, containers)
		b.Run(fmt.Sprintf("containers=%d", containers), func(b *testing.B) {
			b.SetBytes(int64(len(plaintext)))
			for b.Loop() {
				r, err := OpenLayers(bytes.NewReader(file), keys(layers)...)
				require.NoError(b, err)
				_, err = io.Copy(io.Discard, r)
				require.NoError(b, err)
			}
		})
	}
}
