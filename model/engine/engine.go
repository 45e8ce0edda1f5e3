// Package engine draws with artists of any kind through one interface: the
// project's own, in integers, and networks in ONNX files.
//
//	artist, err := engine.Open("picture.onnx", engine.Options{})
//	program, err := artist.Fold(prompt, seed)
//	picture, err := engine.Render(ctx, program, 512, 512, engine.RenderOptions{})
//
// What two renderings owe each other is the engine's class: pictures of phase-16
// are exact and can be checked by their hash; those of ONNX files are tolerant,
// since no runtime promises the same last bits on another machine. A network
// makes its artworks with the exact engine alone.
//
// Engines: "phase-16" is built in. "onnx" is built in too: gonnx, a runtime in
// plain Go for small graphs. "onnxruntime" needs a program that was built with
// cgo and the tag onnxruntime, and the user's own library.
package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
)

// Names of the engines.
const (
	Phase16     = kernel.Contract
	ONNX        = "onnx"
	ONNXRuntime = "onnxruntime"
)

// LibraryVariable is the environment variable that names ONNX Runtime's shared
// library, where no flag does.
const LibraryVariable = "ATELIER_ONNXRUNTIME"

// MaxSide is the longest side of a picture that [Render] draws, in pixels: it is
// kept whole, 3 bytes a pixel.
const MaxSide = 8192

// ErrEngine reports an engine that is unknown, not built in, or cannot draw what
// it was given.
var ErrEngine = errors.New("no such engine")

// An Engine is a way of drawing.
type Engine struct {
	Name  string      `json:"name"`
	Class model.Class `json:"class"`
	Draws string      `json:"draws"` // what it is given
	Built bool        `json:"built"` // into this program
	Needs string      `json:"needs"` // to be used here; "" for nothing
}

// Engines lists the engines, also those that are not built in.
func Engines() []Engine {
	return []Engine{
		{Phase16, model.Exact, "an artist's folder", true, ""},
		{ONNX, model.Tolerant, "an .onnx file of a small network", true, ""},
		{ONNXRuntime, model.Tolerant, "an .onnx file", hasRuntime, runtimeNeeds},
	}
}

// Description says what an opened artist is.
type Description struct {
	Engine  string
	Class   model.Class
	Runtime string // library and version that draws, where that is not this program
	Prompts bool   // whether it takes prompts and seeds; else it is one picture
}

// An Artist makes pictures from prompts and seeds.
type Artist interface {
	Describe() Description
	// Fold turns prompt and seed into one picture before its pixels.
	Fold(prompt string, seed [32]byte) (Program, error)
	// Close lets go of what the artist and its programs hold. They draw no more.
	Close() error
}

// A Program is one picture before its pixels. It is safe for concurrent use.
type Program interface {
	// RenderTile draws tile (tx, ty) of the w×h picture and returns its RGB
	// bytes, as [kernel.RenderTile] does.
	RenderTile(ctx context.Context, w, h, tx, ty int) ([]byte, error)
}

// RenderOptions tune how a picture is rendered.
type RenderOptions struct {
	Workers  int                   // goroutines; 0 means GOMAXPROCS
	Progress func(done, total int) // tiles done, from one goroutine at a time; may be nil
}

// Render draws a w×h picture, 1..MaxSide pixels each way, tile by tile.
// Its pixel root tells pictures apart; only those of exact engines can be drawn
// again to the same root.
func Render(ctx context.Context, p Program, w, h int, o RenderOptions) (*model.Picture, error) {
	if w < 1 || h < 1 || w > MaxSide || h > MaxSide {
		return nil, fmt.Errorf("%w: a picture of %d×%d pixels; here each side may have 1 to %d", kernel.ErrSize, w, h, MaxSide)
	}
	const side = kernel.TileSide
	cols, rows := (w+side-1)/side, (h+side-1)/side
	picture := &model.Picture{W: w, H: h, RGB: make([]byte, 3*w*h)}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var (
		next atomic.Int64
		wg   sync.WaitGroup
		mu   sync.Mutex
		done int // guarded by mu
	)
	workers := o.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	for range min(workers, cols*rows) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= cols*rows {
					return
				}
				tx, ty := i%cols, i/cols
				tile, err := p.RenderTile(ctx, w, h, tx, ty)
				if err != nil {
					stop(err)
					return
				}
				wide := 3 * min(side, w-tx*side)
				for y := range len(tile) / wide {
					copy(picture.RGB[3*((ty*side+y)*w+tx*side):], tile[y*wide:(y+1)*wide])
				}
				if o.Progress != nil {
					mu.Lock()
					done++
					o.Progress(done, cols*rows)
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var err error
	picture.PixelRoot, err = kernel.PixelRoot(w, h, picture.RGB)
	return picture, err
}
