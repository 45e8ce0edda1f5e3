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

// A picture that comes row by row is checked like one that is there.
func TestRowsAreCheckedAsTheyCome(t *testing.T) {
	program, p := forge(t, 2, 7, 14)
	root, err := kernel.PixelRoot(p.W, p.H, p.RGB)
	require.NoError(t, err)
	pieces := func(n int, rgb []byte) func(func([]byte) error) error {
		return func(sink func([]byte) error) error {
			for rest := rgb; len(rest) > 0; rest = rest[min(n, len(rest)):] {
				if err := sink(rest[:min(n, len(rest))]); err != nil {
					return err
				}
			}
			return nil
		}
	}
	for _, n := range []int{1, 3 * p.W, 100 * p.W, len(p.RGB)} {
		for _, tiles := range [][]int{{14, 7, 0, 2, 13}, {7}, {0, 1}, {}} {
			want, err := Check(t.Context(), program, p.W, p.H, p.RGB, tiles, RenderOptions{})
			require.NoError(t, err)
			got, differ, err := CheckRows(t.Context(), program, p.W, p.H, tiles, RenderOptions{}, pieces(n, p.RGB))
			require.NoError(t, err)
			require.Equal(t, root, got)
			require.Equal(t, want, differ, "tiles %v in pieces of %d", tiles, n)
		}
	}
	check := func(tiles []int, rgb []byte) error {
		_, _, err := CheckRows(t.Context(), program, p.W, p.H, tiles, RenderOptions{}, pieces(999, rgb))
		return err
	}
	require.ErrorIs(t, check([]int{0}, p.RGB[:len(p.RGB)-1]), kernel.ErrSize, "a byte is missing")
	require.ErrorIs(t, check([]int{0}, append(p.RGB, 0)), kernel.ErrSize, "a byte too many")
	require.ErrorIs(t, check([]int{0, 15}, p.RGB), kernel.ErrSize, "a tile that is not there")
	require.ErrorIs(t, check([]int{-1}, p.RGB), kernel.ErrSize)
	broken := errors.New("broken")
	_, _, err = CheckRows(t.Context(), program, p.W, p.H, nil, RenderOptions{}, func(func([]byte) error) error { return broken })
	require.ErrorIs(t, err, broken)
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

// What a tile costs alone against its part of a whole picture.
func BenchmarkCheck(b *testing.B) {
	const size = 1024
	program, err := Embedded().Fold("red heart", seed(1))
	require.NoError(b, err)
	p, err := Draw(context.Background(), program, size, size, RenderOptions{})
	require.NoError(b, err)
	for name, k := range map[string]int{"whole": 0, "16 tiles": 16} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				tiles, err := DrawTiles(dice(1), Tiles(size, size), k)
				require.NoError(b, err)
				differ, err := Check(context.Background(), program, size, size, p.RGB, tiles, RenderOptions{Workers: 1})
				require.NoError(b, err)
				require.Empty(b, differ)
			}
		})
	}
	b.Run("render", func(b *testing.B) {
		for b.Loop() {
			_, err := Draw(context.Background(), program, size, size, RenderOptions{Workers: 1})
			require.NoError(b, err)
		}
	})
}
