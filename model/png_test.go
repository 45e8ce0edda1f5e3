package model

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/internal/chance"

	"github.com/atelier-dao/atelier/model/kernel"
)

// shown is the pixels that a reader of PNG sees.
func shown(t *testing.T, r io.Reader, w, h int) []byte {
	img, err := png.Decode(r)
	require.NoError(t, err)
	require.Equal(t, w, img.Bounds().Dx())
	require.Equal(t, h, img.Bounds().Dy())
	var rgb []byte
	for y := range h {
		for x := range w {
			r, g, b, a := img.At(x, y).RGBA()
			require.Equal(t, uint32(0xffff), a)
			rgb = append(rgb, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	return rgb
}

func TestAStreamedPNGHoldsThePixelsAndGivesTheirRoot(t *testing.T) {
	for _, size := range []int{1, 31, 64, 137} {
		want, err := Embedded().Render(context.Background(), "owl", seed(3), size, RenderOptions{})
		require.NoError(t, err)
		var streamed, whole bytes.Buffer
		root, err := Embedded().RenderPNG(context.Background(), &streamed, "owl", seed(3), size, RenderOptions{})
		require.NoError(t, err)
		require.Equal(t, want.PixelRoot, root)
		require.NoError(t, want.EncodePNG(&whole))
		require.Equal(t, whole.Bytes(), streamed.Bytes(), "one picture, one file")
		require.Equal(t, want.RGB, shown(t, &streamed, size, size))
	}
}

// Chance as pixels fills many chunks and has no flat areas.
func TestPNGHoldsAnyPixels(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {1, 300}, {300, 1}, {211, 157}} {
		p := &Picture{W: size[0], H: size[1]}
		c := chance.New("pixels")
		for range 3 * p.W * p.H {
			p.RGB = append(p.RGB, byte(c.Uint16()))
		}
		var b bytes.Buffer
		require.NoError(t, p.EncodePNG(&b))
		require.Equal(t, p.RGB, shown(t, &b, p.W, p.H))
	}
}

// short takes n bytes and then fails.
type short struct{ n int }

var errFull = errors.New("no space left")

func (s *short) Write(b []byte) (int, error) {
	if s.n -= len(b); s.n < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestAStreamedPNGEndsWithItsWriterAndItsContext(t *testing.T) {
	var b bytes.Buffer
	_, err := Embedded().RenderPNG(context.Background(), &b, "owl", seed(3), 137, RenderOptions{})
	require.NoError(t, err)
	for _, n := range []int{0, 10, b.Len() / 2, b.Len() - 1} {
		_, err := Embedded().RenderPNG(context.Background(), &short{n}, "owl", seed(3), 137, RenderOptions{})
		require.ErrorIs(t, err, errFull, "room for %d bytes", n)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Embedded().RenderPNG(ctx, io.Discard, "owl", seed(3), kernel.MaxSide, RenderOptions{Progress: func(int, int) { cancel() }})
	require.ErrorIs(t, err, context.Canceled)
}

func TestAnUnusablePictureWritesNothing(t *testing.T) {
	var b bytes.Buffer
	for want, call := range map[error]func() error{
		ErrPrompt: func() error {
			_, err := Embedded().RenderPNG(t.Context(), &b, "\xff", seed(0), 8, RenderOptions{})
			return err
		},
		kernel.ErrSize: func() error {
			_, err := Embedded().RenderPNG(t.Context(), &b, "", seed(0), kernel.MaxSide+1, RenderOptions{})
			return err
		},
		kernel.ErrKernel: func() error {
			_, err := Embedded().RenderPNG(t.Context(), &b, "", seed(0), 8, RenderOptions{Kernel: "abacus"})
			return err
		},
	} {
		require.ErrorIs(t, call(), want)
		require.Zero(t, b.Len())
	}
}

// BenchmarkEncodePNG is an artwork of 1024², beside image/png.
func BenchmarkEncodePNG(b *testing.B) {
	p, err := Embedded().Render(context.Background(), "owl", seed(1), 1024, RenderOptions{})
	require.NoError(b, err)
	for name, encode := range map[string]func(w io.Writer) error{
		"rows":      p.EncodePNG,
		"image-png": func(w io.Writer) error { return png.Encode(w, p.Image()) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(p.RGB)))
			for b.Loop() {
				require.NoError(b, encode(io.Discard))
			}
		})
	}
}
