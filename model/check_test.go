package model

import (
	"bytes"
	"context"
	"errors"
	"image"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/kernel"
)

// dice is a stream of random bytes that its seed decides.
func dice(seed byte) io.Reader { return rand.NewChaCha8([32]byte{seed}) }

func TestTilesCoverThePictureOnce(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {32, 32}, {33, 32}, {100, 70}, {64, 1}} {
		w, h := size[0], size[1]
		seen := make([]int, w*h)
		for i := range Tiles(w, h) {
			at := TileAt(w, h, i)
			for y := at.Min.Y; y < at.Max.Y; y++ {
				for x := at.Min.X; x < at.Max.X; x++ {
					seen[y*w+x]++
				}
			}
		}
		for i, n := range seen {
			require.Equal(t, 1, n, "pixel %d of %d×%d", i, w, h)
		}
	}
	require.Equal(t, image.Rect(96, 64, 100, 70), TileAt(100, 70, 11))
}

func TestTilesAreDrawnWithoutRepetitionAndAlike(t *testing.T) {
	const total, k, draws = 15, 4, 6000
	random := dice(1)
	var hits [total]int
	for range draws {
		drawn, err := DrawTiles(random, total, k)
		require.NoError(t, err)
		require.Len(t, drawn, k)
		require.IsIncreasing(t, drawn)
		for _, i := range drawn {
			hits[i]++
		}
	}
	for i, n := range hits { // 1600 expected, standard deviation 34
		require.InDelta(t, draws*k/total, n, 170, "tile %d", i)
	}
	for _, k := range []int{0, total, total + 1, -1} {
		all, err := DrawTiles(nil, total, k)
		require.NoError(t, err)
		require.Len(t, all, total, "%d", k)
	}
	_, err := DrawTiles(bytes.NewReader(make([]byte, 10)), total, k)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestTheProbabilityOfBeingCaughtIsHypergeometric(t *testing.T) {
	for _, c := range []struct {
		name                    string
		total, altered, checked int
		want                    float64
	}{
		{"nothing altered", 1024, 0, 16, 0},
		{"one tile", 1024, 1, 16, 16. / 1024},
		{"one of four by two", 4, 1, 2, .5},
		{"two of four by two: 1 - C(2,2)/C(4,2)", 4, 2, 2, 1 - 1./6},
		{"every tile looked at", 1024, 1, 1024, 1},
		{"0 is every tile", 1024, 1, 0, 1},
		{"more altered than are left out", 10, 8, 3, 1},
		{"all altered", 10, 10, 1, 1},
		{"a tenth of many is nearly 1 - 0.9^k", 1 << 18, 1 << 18 / 10, 16, 1 - .1853},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.InDelta(t, c.want, Caught(c.total, c.altered, c.checked), 1e-4)
		})
	}
}

// forge renders a picture of 15 tiles and alters some of them by one level of one
// pixel each.
func forge(t *testing.T, tiles ...int) (*kernel.Program, *Picture) {
	t.Helper()
	program, err := Embedded().Fold("red heart", seed(3))
	require.NoError(t, err)
	p, err := Draw(t.Context(), program, 150, 90, RenderOptions{})
	require.NoError(t, err)
	for _, i := range tiles {
		at := TileAt(p.W, p.H, i)
		p.RGB[3*((at.Max.Y-1)*p.W+at.Max.X-1)+2] ^= 1
	}
	return program, p
}

func TestAForgedTileIsFoundWhereItIsLookedAt(t *testing.T) {
	every := func(total int) (all []int) {
		for i := range total {
			all = append(all, i)
		}
		return all
	}
	for i := range 15 {
		program, p := forge(t, i)
		differ, err := Check(t.Context(), program, p.W, p.H, p.RGB, every(15), RenderOptions{})
		require.NoError(t, err)
		require.Equal(t, []int{i}, differ)
		differ, err = Check(t.Context(), program, p.W, p.H, p.RGB, []int{(i + 1) % 15, (i + 2) % 15}, RenderOptions{Workers: 1})
		require.NoError(t, err)
		require.Empty(t, differ, "other tiles hold nothing of it")
	}
	program, p := forge(t)
	done := 0
	differ, err := Check(t.Context(), program, p.W, p.H, p.RGB, every(15), RenderOptions{Progress: func(n, of int) { done = n; require.Equal(t, 15, of) }})
	require.NoError(t, err)
	require.Empty(t, differ, "an honest picture")
	require.Equal(t, 15, done)
}

// Over many draws, a forger of two tiles out of 15 is caught as often as Caught says.
func TestAForgerIsCaughtAsOftenAsIsSaid(t *testing.T) {
	const draws, k = 300, 4
	program, p := forge(t, 2, 11)
	random, caught := dice(2), 0
	for range draws {
		tiles, err := DrawTiles(random, Tiles(p.W, p.H), k)
		require.NoError(t, err)
		differ, err := Check(t.Context(), program, p.W, p.H, p.RGB, tiles, RenderOptions{})
		require.NoError(t, err)
		if len(differ) > 0 {
			caught++
		}
	}
	require.InDelta(t, 1-55./105, Caught(15, 2, k), 1e-9)
	require.InDelta(t, Caught(15, 2, k), float64(caught)/draws, .1) // three and a half standard deviations
}

func TestChecksThatAreRefused(t *testing.T) {
	program, p := forge(t)
	for name, c := range map[string]struct {
		w, h  int
		tiles []int
		o     RenderOptions
		want  error
	}{
		"another width":         {149, 90, []int{0}, RenderOptions{}, kernel.ErrSize},
		"no pixels":             {0, 0, []int{0}, RenderOptions{}, kernel.ErrSize},
		"a tile too many":       {150, 90, []int{0, 15}, RenderOptions{}, kernel.ErrSize},
		"a kernel of elsewhere": {150, 90, []int{0}, RenderOptions{Kernel: "abacus"}, kernel.ErrKernel},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Check(t.Context(), program, c.w, c.h, p.RGB, c.tiles, c.o)
			require.ErrorIs(t, err, c.want)
		})
	}
	broken := *program
	broken.Palette = nil
	_, err := Check(t.Context(), &broken, p.W, p.H, p.RGB, []int{0}, RenderOptions{})
	require.ErrorIs(t, err, kernel.ErrProgram)
	ctx, cancel := context.WithCancel(t.Context())
	_, err = Check(ctx, program, p.W, p.H, p.RGB, []int{0, 1, 2}, RenderOptions{Workers: 1, Progress: func(int, int) { cancel() }})
	require.True(t, errors.Is(err, context.Canceled))
}
