package model

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"

	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
)

// KernelVariable is the environment variable that names the kernel to render
// with: reference, avx2 or avx512vnni. Unset means the fastest that runs here.
const KernelVariable = "ATELIER_KERNEL"

// RenderOptions tune how a picture is rendered, never what it looks like.
type RenderOptions struct {
	Workers  int                   // goroutines; 0 means GOMAXPROCS
	Kernel   string                // kernel name; empty means that of KernelVariable, or the fastest
	Progress func(done, total int) // tiles done, from one goroutine at a time; may be nil
}

// A Picture is rendered pixels and their root.
type Picture struct {
	W, H      int
	RGB       []byte   // sRGB, three bytes a pixel, row by row from the top left
	PixelRoot [32]byte // kernel.PixelRoot: Merkle root over 32×32 tiles
}

// Render draws the picture of prompt and seed, size×size pixels, 1..kernel.MaxSide.
// Errors wrap [ErrPrompt], [kernel.ErrSize], [kernel.ErrKernel] or are ctx's.
func (a *Artist) Render(ctx context.Context, prompt string, seed [32]byte, size int, o RenderOptions) (*Picture, error) {
	program, err := a.Fold(prompt, seed)
	if err != nil {
		return nil, err
	}
	return render(ctx, program, size, o)
}

// RenderLatent draws the picture of latent and seed, as Render does. Errors wrap
// [latent.ErrLatent] instead of ErrPrompt.
func (a *Artist) RenderLatent(ctx context.Context, l latent.Latent, seed [32]byte, size int, o RenderOptions) (*Picture, error) {
	program, err := a.FoldLatent(l, seed)
	if err != nil {
		return nil, err
	}
	return render(ctx, program, size, o)
}

func render(ctx context.Context, program *kernel.Program, size int, o RenderOptions) (*Picture, error) {
	from := ""
	if o.Kernel == "" {
		o.Kernel, from = os.Getenv(KernelVariable), KernelVariable+" names it: "
	}
	pixels, err := kernel.Render(ctx, program, size, size, kernel.Options{Workers: o.Workers, Kernel: o.Kernel, Progress: o.Progress})
	if errors.Is(err, kernel.ErrKernel) {
		return nil, fmt.Errorf("%s%w", from, err)
	}
	if err != nil {
		return nil, err
	}
	root, err := kernel.PixelRoot(pixels.W, pixels.H, pixels.RGB)
	if err != nil {
		return nil, err
	}
	return &Picture{W: pixels.W, H: pixels.H, RGB: pixels.RGB, PixelRoot: root}, nil
}

// EncodePNG writes the picture as PNG. Compare pixel roots, never PNG bytes:
// compression may change between Go releases.
func (p *Picture) EncodePNG(w io.Writer) error { return png.Encode(w, p.Image()) }

// Image returns the picture as an image, copied.
func (p *Picture) Image() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, p.W, p.H))
	for i := range p.W * p.H {
		copy(img.Pix[4*i:], p.RGB[3*i:3*i+3])
		img.Pix[4*i+3] = 0xff
	}
	return img
}
