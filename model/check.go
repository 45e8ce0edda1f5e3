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
// pixels in rgb are others, in their order. It looks at no other pixel, and chooses
// nothing: who checks draws the tiles with [DrawTiles]. o.Progress counts tiles.
// Errors wrap [kernel.ErrProgram], [kernel.ErrSize] or [kernel.ErrKernel], or are
// ctx's.
func Check(ctx context.Context, p *kernel.Program, w, h int, rgb []byte, tiles []int, o RenderOptions) (differ []int, err error) {
	if w < 1 || h < 1 || w > kernel.MaxSide || h > kernel.MaxSide || len(rgb) != 3*w*h {
		return nil, fmt.Errorf("%w: %d bytes are no picture of %d×%d pixels", kernel.ErrSize, len(rgb), w, h)
	}
	c := newCheck(p, w, h, tiles, o)
	return c.part(ctx, rgb, 0, c.tiles)
}

// CheckRows is Check for a picture that is too large to keep: read hands all of its
// rows to sink, from the top, some at a time. It also returns the pixel root. Memory
// holds a few rows and 32 bytes for each tile. An error of read is returned; the
// others are those of Check.
func CheckRows(ctx context.Context, p *kernel.Program, w, h int, tiles []int, o RenderOptions, read func(sink func(rows []byte) error) error) (pixelRoot [32]byte, differ []int, err error) {
	tree, err := kernel.NewTree(w, h)
	if err != nil {
		return pixelRoot, nil, err
	}
	c := newCheck(p, w, h, tiles, o)
	var band []byte
	y := 0
	err = read(func(rows []byte) error {
		if _, err := tree.Write(rows); err != nil {
			return err
		}
		band = append(band, rows...)
		for y < h {
			size := 3 * w * min(kernel.TileSide, h-y)
			if len(band) < size {
				return ctx.Err()
			}
			first := y / kernel.TileSide * across(w)
			from, _ := slices.BinarySearch(c.tiles, first)
			to, _ := slices.BinarySearch(c.tiles, first+across(w))
			found, err := c.part(ctx, band[:size], y, c.tiles[from:to])
			if err != nil {
				return err
			}
			differ = append(differ, found...)
			band = append(band[:0], band[size:]...)
			y += kernel.TileSide
		}
		return nil
	})
	if err != nil {
		return pixelRoot, nil, err
	}
	if c.done != len(c.tiles) {
		return pixelRoot, nil, fmt.Errorf("%w: a tile that the picture of %d×%d pixels does not have", kernel.ErrSize, w, h)
	}
	pixelRoot, err = tree.Root()
	return pixelRoot, differ, err
}

// check is a picture that is being checked.
type check struct {
	program *kernel.Program
	w, h    int
	tiles   []int // in order
	o       RenderOptions
	done    int // tiles
}

func newCheck(p *kernel.Program, w, h int, tiles []int, o RenderOptions) *check {
	return &check{p, w, h, slices.Sorted(slices.Values(tiles)), o, 0}
}

// part checks tiles within rows of the picture, of which the first is row y.
func (c *check) part(ctx context.Context, rows []byte, y int, tiles []int) ([]int, error) {
	options, explain := c.o.kernel()
	var (
		next    atomic.Int64
		running sync.WaitGroup
		mu      sync.Mutex
		failed  error // guarded by mu, as c.done
	)
	differs := make([]bool, len(tiles))
	within, stop := context.WithCancel(ctx)
	defer stop()
	one := func(n int) error {
		i := tiles[n]
		tile, err := kernel.RenderTile(c.program, c.w, c.h, i%across(c.w), i/across(c.w), options)
		if err != nil {
			return err
		}
		differs[n] = !sameTile(tile, rows, c.w, TileAt(c.w, c.h, i).Sub(image.Pt(0, y)))
		mu.Lock()
		defer mu.Unlock()
		if c.done++; c.o.Progress != nil {
			c.o.Progress(c.done, len(c.tiles))
		}
		return nil
	}
	workers := c.o.Workers
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
				if err := one(n); err != nil {
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
	var differ []int
	for n, d := range differs {
		if d {
			differ = append(differ, tiles[n])
		}
	}
	return differ, nil
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
