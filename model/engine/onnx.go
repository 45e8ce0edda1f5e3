package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/internal/small"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/onnx"
)

// Options choose how an ONNX file is run.
type Options struct {
	Engine  string // ONNX or ONNXRuntime; "" means ONNX
	Library string // path of ONNX Runtime's shared library, for ONNXRuntime
}

// batch is the number of places that every run computes: those of a tile. One
// number for all lets memory and time be known before the first run.
const batch = kernel.TileSide * kernel.TileSide

// A runner runs one ONNX file, one run at a time.
type runner interface {
	// run takes batch × 2 places and returns batch × 3 colours, which are not used
	// after the next run. Where the runtime can, it stops when ctx ends.
	run(ctx context.Context, places []float32) (colours []float32, err error)
	close() error
}

// pureGo is the runtime that is built in.
type pureGo struct{ session *small.Session }

func openSmall(file *onnx.File) (runner, error) {
	s, err := small.Open(file, batch)
	if err != nil {
		return nil, mayRun(err)
	}
	return pureGo{s}, nil
}

func (p pureGo) run(ctx context.Context, places []float32) ([]float32, error) {
	out, err := p.session.Run(ctx, small.Inputs{Places: places}, onnx.Colour)
	return out, mayRun(err)
}

func (pureGo) close() error { return nil }

// mayRun adds to what the small runtime does not know which engine may.
func mayRun(err error) error {
	if errors.Is(err, onnx.ErrOperator) {
		return fmt.Errorf("%w; the engine %s may know it (`atelier model engines`)", err, ONNXRuntime)
	}
	return err
}

// Open opens an ONNX file as an artist. Errors wrap [onnx.ErrFile], [ErrEngine]
// or come from the file system.
func Open(path string, o Options) (Artist, error) {
	raw, err := readFile(path)
	if err != nil {
		return nil, err
	}
	a, err := OpenBytes(raw, o)
	if err != nil && errors.Is(err, onnx.ErrFile) {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, err
}

func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > onnx.MaxFile {
		return nil, fmt.Errorf("%s: %w: want a file of at most %d bytes", path, onnx.ErrFile, onnx.MaxFile)
	}
	return os.ReadFile(path)
}

// OpenBytes is Open for the bytes of a file, which it keeps.
func OpenBytes(raw []byte, o Options) (Artist, error) {
	file, err := onnx.Read(raw)
	if err != nil {
		return nil, err
	}
	if file.Words()+file.Noise() > 0 || file.HasView() {
		return nil, fmt.Errorf("%w: it is a whole artist, for other programs: export one picture of it with `atelier model export --prompt TEXT --seed SEED --onnx FILE`", onnx.ErrFile)
	}
	a := &onnxArtist{describe: Description{Engine: ONNX, Class: model.Tolerant, Runtime: small.Version}}
	switch o.Engine {
	case ONNX, "":
		a.start = func() (runner, error) { return openSmall(file) }
		first, err := a.start() // tells whether it can be run at all
		if err != nil {
			return nil, err
		}
		a.give(first)
	case ONNXRuntime:
		version, start, err := openRuntime(file, o.Library)
		if err != nil {
			return nil, err
		}
		a.describe.Engine, a.describe.Runtime, a.start = ONNXRuntime, version, start
	default:
		return nil, fmt.Errorf("%w: %q draws no ONNX files; %s and %s do", ErrEngine, o.Engine, ONNX, ONNXRuntime)
	}
	return a, nil
}

// onnxArtist keeps runners for reuse: each serves one tile at a time.
type onnxArtist struct {
	describe Description
	start    func() (runner, error)

	mu     sync.Mutex
	idle   []runner // guarded by mu
	closed bool     // guarded by mu
}

func (a *onnxArtist) Describe() Description { return a.describe }

func (a *onnxArtist) take() (runner, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil, errors.New("the artist is closed")
	}
	if n := len(a.idle); n > 0 {
		r := a.idle[n-1]
		a.idle = a.idle[:n-1]
		return r, nil
	}
	return a.start()
}

func (a *onnxArtist) give(r runner) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		r.close()
		return
	}
	a.idle = append(a.idle, r)
}

func (a *onnxArtist) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	var all error
	for _, r := range a.idle {
		all = errors.Join(all, r.close())
	}
	a.idle = nil
	return all
}

// Fold refuses a prompt: the file is one picture.
func (a *onnxArtist) Fold(prompt string, _ [32]byte) (Program, error) {
	if strings.TrimSpace(prompt) != "" {
		return nil, fmt.Errorf("%w: an ONNX file is one picture, and takes none", model.ErrPrompt)
	}
	return onnxProgram{a}, nil
}

type onnxProgram struct{ artist *onnxArtist }

// RenderTile samples the centre of each pixel, and four places more of a pixel
// whose colour differs from a neighbour's in the tile.
func (p onnxProgram) RenderTile(ctx context.Context, w, h, tx, ty int) ([]byte, error) {
	r, err := p.artist.take()
	if err != nil {
		return nil, err
	}
	defer p.artist.give(r)
	return tile(ctx, w, h, tx, ty, r.run)
}
