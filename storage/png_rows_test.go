package storage

import (
	"bytes"
	"compress/zlib"
	"errors"
	"image"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/storage/chunk"
)

// rowsOf reads a PNG row by row.
func rowsOf(b []byte, maxSide int) (Picture, error) {
	var p Picture
	var err error
	if p.Width, p.Height, err = PNGSize(b); err != nil {
		return p, err
	}
	err = ReadPNG(b, maxSide, func(rows []byte) error {
		p.RGB = append(p.RGB, rows...)
		return nil
	})
	return p, err
}

// filtered writes a picture as PNG with the given filter of each row, by the
// definitions.
func filtered(p Picture, filters ...byte) []byte {
	var raw bytes.Buffer
	at := func(x, y int) int { // byte x of row y
		if x < 0 || y < 0 {
			return 0
		}
		return int(p.RGB[3*p.Width*y+x])
	}
	for y := range p.Height {
		f := filters[y%len(filters)]
		raw.WriteByte(f)
		for x := range 3 * p.Width {
			guess := 0
			switch f {
			case 1:
				guess = at(x-3, y)
			case 2:
				guess = at(x, y-1)
			case 3:
				guess = (at(x-3, y) + at(x, y-1)) / 2
			case 4:
				guess = paeth(at(x-3, y), at(x, y-1), at(x-3, y-1))
			}
			raw.WriteByte(byte(at(x, y) - guess))
		}
	}
	return pngOf(p.Width, p.Height, raw.Bytes())
}

// pngOf is a PNG of RGB with these bytes for its rows.
func pngOf(width, height int, raw []byte) []byte {
	var out, packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	_, _ = z.Write(raw)
	_ = z.Close()
	out.Write(chunk.AppendHead(nil, width, height))
	half := packed.Len() / 2
	out.Write(chunk.Append(nil, "IDAT", packed.Bytes()[:half]))
	out.Write(chunk.Append(nil, "IDAT", packed.Bytes()[half:]))
	out.Write(chunk.Append(nil, "IEND", nil))
	return out.Bytes()
}

func noisy(width, height int) Picture {
	p := Picture{Width: width, Height: height, RGB: make([]byte, 3*width*height)}
	for i := range p.RGB {
		p.RGB[i] = byte(i*i>>4 ^ i)
	}
	return p
}

func TestRowsOfAPNGAreThoseOfThePicture(t *testing.T) {
	want := noisy(19, 23)
	for _, filters := range [][]byte{{0}, {1}, {2}, {3}, {4}, {4, 3, 2, 1, 0}} {
		b := filtered(want, filters...)
		got, err := rowsOf(b, 100)
		require.NoError(t, err, "filters %v", filters)
		require.Equal(t, want, got)
		whole, err := DecodePNG(b, 100)
		require.NoError(t, err)
		require.Equal(t, want, whole, "as image/png reads it")
	}
	encoded, err := EncodePNG(want)
	require.NoError(t, err)
	got, err := rowsOf(encoded, 0x10000)
	require.NoError(t, err)
	require.Equal(t, want, got)
	var grey bytes.Buffer
	require.NoError(t, png.Encode(&grey, image.NewGray(image.Rect(0, 0, 4, 4))))
	got, err = rowsOf(grey.Bytes(), 0x10000)
	require.NoError(t, err, "another kind, as a whole")
	require.Len(t, got.RGB, 48)
}

func TestRowsThatAreRefused(t *testing.T) {
	p := noisy(4, 3)
	row := make([]byte, 13)
	acTL, err := EncodePNG(p)
	require.NoError(t, err)
	var animated bytes.Buffer
	animated.Write(acTL[:33])
	animated.Write(chunk.Append(nil, "acTL", make([]byte, 8)))
	animated.Write(acTL[33:])
	for name, b := range map[string][]byte{
		"nothing":              nil,
		"a row too few":        pngOf(4, 3, append(append([]byte{}, row...), row...)),
		"half a row":           pngOf(4, 3, make([]byte, 30)),
		"a row too many":       pngOf(4, 3, make([]byte, 52)),
		"a filter of nobody's": pngOf(4, 3, append([]byte{5}, make([]byte, 38)...)),
		"an animation":         animated.Bytes(),
		"too wide":             filtered(noisy(101, 1), 0),
	} {
		_, err := rowsOf(b, 100)
		require.ErrorIs(t, err, ErrPNG, name)
	}
	full := errors.New("enough")
	require.ErrorIs(t, ReadPNG(acTL, 100, func([]byte) error { return full }), full)
}

// What is read row by row is what DecodePNG reads as a whole.
func FuzzReadPNG(f *testing.F) {
	for _, filters := range [][]byte{{0}, {4, 3, 2, 1}} {
		f.Add(filtered(noisy(7, 5), filters...))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := rowsOf(b, 64)
		if err != nil {
			return
		}
		want, err := DecodePNG(b, 64)
		require.NoError(t, err)
		require.Equal(t, want, got)
	})
}
