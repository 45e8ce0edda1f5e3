package kernel

import (
	"context"
	"errors"
	"fmt"
)

// Contract names the arithmetic of this package. Two implementations of one
// contract give the same pixels to the bit.
const Contract = "phase-16"

// TileSide is the width and height of a tile in pixels; tiles at the right and
// lower edge are cropped.
const TileSide = 32

// ErrSize reports a picture size or tile index out of range.
var ErrSize = errors.New("size out of range")

// ErrKernel reports a kernel name that this machine cannot run.
var ErrKernel = errors.New("no such kernel on this machine")

// Picture is W×H pixels, 3 bytes each (sRGB red, green, blue), row by row from
// the top left, and their root.
type Picture struct {
	W, H      int
	RGB       []byte
	PixelRoot [32]byte
}

// Options tune how a picture is rendered, never what it looks like.
type Options struct {
	// Workers is the number of goroutines; 0 means GOMAXPROCS.
	Workers int
	// Kernel is one of [Kernels]; empty means the one that [Select] chose, and
	// the fastest where Select was never called.
	Kernel string
	// Progress, where not nil, is called after tiles finish, with growing done,
	// from one goroutine at a time.
	Progress func(done, total int)
}

// Render renders a w×h picture, 1..MaxSide pixels each way, as [Stream] does,
// and keeps all of it: 3 bytes a pixel.
func Render(ctx context.Context, p *Program, w, h int, o Options) (*Picture, error) {
	if err := checkSize(w, h); err != nil {
		return nil, err
	}
	pic := &Picture{W: w, H: h}
	root, err := Stream(ctx, p, w, h, o, func(rows []byte) error {
		if pic.RGB == nil {
			pic.RGB = make([]byte, 0, 3*w*h)
		}
		pic.RGB = append(pic.RGB, rows...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	pic.PixelRoot = root
	return pic, nil
}

// RenderTile renders tile (tx, ty) of the w×h picture alone and returns its
// RGB bytes, row by row, exactly as they stand in the whole picture. It runs on
// the calling goroutine.
func RenderTile(p *Program, w, h, tx, ty int, o Options) ([]byte, error) {
	e, s, err := prepare(p, w, h, o)
	if err != nil {
		return nil, err
	}
	tw, th, err := tileSize(w, h, tx, ty)
	if err != nil {
		return nil, err
	}
	q := &painter{net: e.make(p), shade: s, view: p.View, w: w, h: h}
	dst := make([]byte, 3*tw*th)
	q.tile(tx, ty, dst, 3*tw)
	return dst, nil
}

// prepare checks what a render is given.
func prepare(p *Program, w, h int, o Options) (engine, *shader, error) {
	if err := p.Validate(); err != nil {
		return engine{}, nil, err
	}
	if err := checkSize(w, h); err != nil {
		return engine{}, nil, err
	}
	e, err := engineFor(o.Kernel)
	if err != nil {
		return engine{}, nil, err
	}
	return e, newShader(p), nil
}

func checkSize(w, h int) error {
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide {
		return fmt.Errorf("%w: a picture of %d×%d pixels; each side may have 1 to %d", ErrSize, w, h, MaxSide)
	}
	return nil
}

// tiles is the number of tiles along a side of n pixels.
func tiles(n int) int { return (n + TileSide - 1) / TileSide }

// tileSize is the size of tile (tx, ty) in pixels, cropped at the edges.
func tileSize(w, h, tx, ty int) (tw, th int, err error) {
	if err := checkSize(w, h); err != nil {
		return 0, 0, err
	}
	if tx < 0 || ty < 0 || tx >= tiles(w) || ty >= tiles(h) {
		return 0, 0, fmt.Errorf("%w: tile (%d, %d) of a picture with %d×%d", ErrSize, tx, ty, tiles(w), tiles(h))
	}
	return min(TileSide, w-tx*TileSide), min(TileSide, h-ty*TileSide), nil
}
