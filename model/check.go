package model

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/atelier-dao/atelier/model/kernel"
)

// Tiles is the number of tiles of a w×h picture: squares of [kernel.TileSide]
// pixels, cropped at the right and lower edge. They are numbered from 0, from left
// to right, then down.
func Tiles(w, h int) int { return across(w) * across(h) }

// across is the number of tiles along a side of n pixels.
func across(n int) int { return (n + kernel.TileSide - 1) / kernel.TileSide }

// TileAt is where tile i of a w×h picture lies, in pixels.
func TileAt(w, h, i int) image.Rectangle {
	at := image.Pt(i%across(w), i/across(w)).Mul(kernel.TileSide)
	return image.Rectangle{at, at.Add(image.Pt(kernel.TileSide, kernel.TileSide))}.Intersect(image.Rect(0, 0, w, h))
}

// DrawTiles draws k different numbers below total, every choice equally likely,
// and returns them in order; 0, or total and more, chooses all. Who made a picture
// must not foresee what random gives. Its error is that of random.
func DrawTiles(random io.Reader, total, k int) ([]int, error) {
	all := make([]int, total)
	for i := range all {
		all[i] = i
	}
	if k <= 0 || k >= total {
		return all, nil
	}
	for i := range k { // Fisher and Yates, as far as it is needed
		j, err := below(random, uint64(total-i))
		if err != nil {
			return nil, fmt.Errorf("draw tiles: %w", err)
		}
		all[i], all[i+int(j)] = all[i+int(j)], all[i]
	}
	slices.Sort(all[:k])
	return all[:k], nil
}

// below is uniform over 0..n-1: numbers that would favour the smaller ones are
// drawn again.
func below(random io.Reader, n uint64) (uint64, error) {
	unbiased := -(-n % n) // the largest multiple of n that fits; 0 means 2^64
	for {
		var b [8]byte
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return 0, err
		}
		if v := binary.BigEndian.Uint64(b[:]); unbiased == 0 || v < unbiased {
			return v % n, nil
		}
	}
}

// Caught is the probability that checked tiles out of total, drawn without
// repetition, meet at least one of those that somebody altered:
// 1 − C(total−altered, checked) / C(total, checked), the hypergeometric
// distribution. 0 checked, or total and more, means all.
func Caught(total, altered, checked int) float64 {
	if checked <= 0 || checked > total {
		checked = total
	}
	if altered <= 0 {
		return 0
	}
	missed := 1.0
	for i := range min(altered, total) {
		missed *= float64(max(total-checked-i, 0)) / float64(total-i)
	}
	return 1 - missed
}

// Check renders tiles of the program's w×h picture again and returns those whose
// pixels in rgb are others, in the order of tiles. It looks at no other pixel, and
// chooses nothing: who checks draws the tiles with [DrawTiles]. o.Progress counts
// tiles. Errors wrap [kernel.ErrProgram], [kernel.ErrSize] or [kernel.ErrKernel],
// or are ctx's.
func Check(ctx context.Context, p *kernel.Program, w, h int, rgb []byte, tiles []int, o RenderOptions) (differ []int, err error) {
	options, explain := o.kernel()
	if w < 1 || h < 1 || w > kernel.MaxSide || h > kernel.MaxSide || len(rgb) != 3*w*h {
		return nil, fmt.Errorf("%w: %d bytes are no picture of %d×%d pixels", kernel.ErrSize, len(rgb), w, h)
	}
	var (
		next    atomic.Int64
		running sync.WaitGroup
		mu      sync.Mutex
		done    int              // guarded by mu
		failed  error            // guarded by mu
		found   = map[int]bool{} // guarded by mu
	)
	within, stop := context.WithCancel(ctx)
	defer stop()
	check := func(i int) error {
		tile, err := kernel.RenderTile(p, w, h, i%across(w), i/across(w), options)
		if err != nil {
			return err
		}
		same := sameTile(tile, rgb, w, TileAt(w, h, i))
		mu.Lock()
		defer mu.Unlock()
		if !same {
			found[i] = true
		}
		if done++; o.Progress != nil {
			o.Progress(done, len(tiles))
		}
		return nil
	}
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range min(workers, len(tiles)) {
		running.Go(func() {
			for within.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= len(tiles) {
					return
				}
				if err := check(tiles[n]); err != nil {
					mu.Lock()
					failed = err
					mu.Unlock()
					stop()
				}
			}
		})
	}
	running.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if failed != nil {
		return nil, explain(failed)
	}
	return slices.DeleteFunc(slices.Clone(tiles), func(i int) bool { return !found[i] }), nil
}

// sameTile compares a tile's pixels with those of a picture of width w.
func sameTile(tile, rgb []byte, w int, at image.Rectangle) bool {
	row := 3 * at.Dx()
	for y := range at.Dy() {
		from := 3 * ((at.Min.Y+y)*w + at.Min.X)
		if !bytes.Equal(tile[y*row:(y+1)*row], rgb[from:from+row]) {
			return false
		}
	}
	return true
}
