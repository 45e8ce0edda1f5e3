package kernel

import (
	"context"
	"errors"
	"math/big"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestStreamedRowsAreTheTilesAndTheirRootIsThePixelRoot(t *testing.T) {
	for name, p := range cases() {
		for _, size := range [][2]int{{1, 1}, {32, 32}, {33, 31}, {75, 129}, {3, 200}, {200, 3}} {
			for _, workers := range []int{1, 3} {
				w, h := size[0], size[1]
				var rgb []byte
				root, err := Stream(context.Background(), p, w, h, Options{Workers: workers}, func(rows []byte) error {
					require.Equal(t, min(3*w*TileSide, 3*w*h-len(rgb)), len(rows), "a whole band, or what is left")
					rgb = append(rgb, rows...)
					clear(rows) // what sink does with its rows changes nothing
					return nil
				})
				require.NoError(t, err)
				want, err := PixelRoot(w, h, rgb)
				require.NoError(t, err)
				require.Equal(t, want, root)
				for ty := range tiles(h) {
					for tx := range tiles(w) {
						tile, err := RenderTile(p, w, h, tx, ty, Options{})
						require.NoError(t, err)
						require.Equal(t, tile, cut(nil, w, h, rgb, tx, ty), "%s, %d×%d: tile (%d, %d)", name, w, h, tx, ty)
					}
				}
			}
		}
	}
}

func TestASlowSinkHoldsTheWorkersBack(t *testing.T) {
	for name, c := range map[string]struct{ w, h, workers, most int }{
		"a wide picture holds three bands":                  {8 * TileSide, 40 * TileSide, 2, 3 * 8},
		"a narrow one holds two bands and two for a worker": {TileSide, 400 * TileSide, 4, 2 + 2*4},
		"one that has fewer bands holds all of them":        {TileSide, 2 * TileSide, 4, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				done, first := 0, true
				o := Options{Workers: c.workers, Progress: func(tiles, total int) { done = tiles }}
				_, err := Stream(t.Context(), drawn("slow", 16, 1, 2), c.w, c.h, o, func([]byte) error {
					if first {
						first = false
						synctest.Wait() // until all workers wait
						require.Equal(t, c.most, done, "tiles that memory holds")
					}
					return nil
				})
				require.NoError(t, err)
				require.Equal(t, tiles(c.w)*tiles(c.h), done)
			})
		})
	}
}

// In a bubble a goroutine that is left over fails the test.
func TestAStreamEndsWithItsSinkAndItsContext(t *testing.T) {
	full := errors.New("the disk is full")
	for name, c := range map[string]struct {
		end  func(cancel func()) error
		want error
	}{
		"the sink fails":                      {func(func()) error { return full }, full},
		"the context ends":                    {func(cancel func()) error { cancel(); return nil }, context.Canceled},
		"the sink fails and the context ends": {func(cancel func()) error { cancel(); return full }, full},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				calls := 0
				_, err := Stream(ctx, drawn("ends", 16, 1, 2), 100, 2000, Options{Workers: 3}, func([]byte) error {
					if calls++; calls == 3 {
						return c.end(cancel)
					}
					return nil
				})
				require.ErrorIs(t, err, c.want)
				require.Equal(t, 3, calls)
			})
		})
	}
	t.Run("the context has ended before", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Stream(ctx, drawn("ends", 16, 1, 2), 100, 100, Options{}, func([]byte) error {
			t.Error("the sink was called")
			return nil
		})
		require.ErrorIs(t, err, context.Canceled)
	})
}

// Section 2 of PHASE16.md, with numbers of any size.
func TestPlacesAreExactUpToTheLargestSide(t *testing.T) {
	exact := func(u, n, m int) int64 {
		v := big.NewInt(int64(u - 4*n))
		v.Add(v.Lsh(v, 16), big.NewInt(2*int64(m)))
		// Div is Euclidean, which floors where the divisor is positive.
		return v.Div(v, big.NewInt(4*int64(m))).Int64()
	}
	for _, side := range [][2]int{{MaxSide, MaxSide}, {MaxSide, 1}, {MaxSide - 1, 1}, {MaxSide, 3}, {MaxSide - 31, MaxSide - 1}, {8193, 8192}, {1, 1}} {
		n, m := side[0], min(side[0], side[1])
		last := 8 * tiles(n) * TileSide // the right edge of the last tile, which overhangs
		for u := 0; u <= last; u += 1 + n/4000 {
			require.Equal(t, exact(u, n, m), int64(place(u, n, m)), "u=%d n=%d m=%d", u, n, m)
		}
		require.Equal(t, exact(last, n, m), int64(place(last, n, m)))
	}
	// At the largest side an eighth of a pixel is one unit of coordinate: no two
	// samples fall together, and none is rounded.
	for u := range 8 * MaxSide {
		if place(u, MaxSide, MaxSide) != int32(u-4*MaxSide) {
			t.Fatalf("eighth %d lies at %d", u, place(u, MaxSide, MaxSide))
		}
	}
}

func TestATileOfTheLargestPicture(t *testing.T) {
	p := drawn("largest", 16, 2, 3)
	last := tiles(MaxSide) - 1
	for _, at := range [][2]int{{0, 0}, {last, last}, {last / 2, 0}} {
		tile, err := RenderTile(p, MaxSide, MaxSide, at[0], at[1], Options{})
		require.NoError(t, err)
		portable, err := RenderTile(p, MaxSide, MaxSide, at[0], at[1], Options{Kernel: "reference"})
		require.NoError(t, err)
		require.Equal(t, portable, tile)
	}
	_, err := RenderTile(p, MaxSide+1, 1, 0, 0, Options{})
	require.ErrorIs(t, err, ErrSize)
}
