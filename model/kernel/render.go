package kernel

import (
	"context"
	"errors"
)

// Contract names the arithmetic of this package. Two implementations of one
// contract give the same pixels to the bit.
const Contract = "phase-16"

// TileSide is the width and height of a tile in pixels; tiles at the right and
// lower edge are cropped.
const TileSide = 32

// ErrSize reports a picture size or tile index out of range.
var ErrSize = errors.New("kernel: size out of range")

// ErrKernel reports a kernel name that this machine cannot run.
var ErrKernel = errors.New("kernel: no such kernel here")

// Picture is W×H pixels, 3 bytes each (sRGB red, green, blue), row by row from
// the top left.
type Picture struct {
	W, H int
	RGB  []byte
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

// Render renders a w×h picture, 1..MaxSide pixels each way. It returns when
// all tiles are done or ctx ends; then the error is that of ctx. Errors
// otherwise wrap [ErrProgram], [ErrSize] or [ErrKernel].
func Render(ctx context.Context, p *Program, w, h int, o Options) (*Picture, error) {
	return nil, errors.ErrUnsupported
}

// RenderTile renders tile (tx, ty) of the w×h picture alone and returns its
// RGB bytes, row by row, exactly as they stand in the whole picture. It runs on
// the calling goroutine.
func RenderTile(p *Program, w, h, tx, ty int, o Options) ([]byte, error) {
	return nil, errors.ErrUnsupported
}

// Kernels names the kernels that this machine can run, fastest first; the last
// is always "reference".
func Kernels() []string { return nil }

// Select sets the kernel that renders use when their options name none, for
// the whole process; an empty name restores the fastest. The error is
// [ErrKernel].
func Select(name string) error { return errors.ErrUnsupported }

// Selected is the name of the kernel that renders use when their options name
// none.
func Selected() string { return "" }

// Turned is the view that turns the picture by turns/2¹⁶ of a full turn
// (clockwise on screen) and magnifies it by zoom/ViewOne (in 1/16..16).
func Turned(turns uint16, zoom int32) (View, error) { return View{}, errors.ErrUnsupported }

// PixelRoot is the Merkle root of a picture: SHA-256 over the raw RGB bytes of
// its 32×32 tiles, with width and height bound into the root. The error is
// [ErrSize] where rgb does not hold w·h pixels.
func PixelRoot(w, h int, rgb []byte) ([32]byte, error) { return [32]byte{}, errors.ErrUnsupported }

// TileProof is the audit path of one tile, from its leaf to the root.
func TileProof(w, h int, rgb []byte, tx, ty int) ([][32]byte, error) {
	return nil, errors.ErrUnsupported
}

// VerifyTile reports whether tile, the RGB bytes of tile (tx, ty), belongs to
// the w×h picture with this root.
func VerifyTile(root [32]byte, w, h, tx, ty int, tile []byte, proof [][32]byte) bool { return false }
