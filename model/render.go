package model

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os"

	"github.com/atelier-dao/atelier/model/kernel"
)

// KernelVariable is the environment variable that names the kernel to render
// with: reference, neon, avx2 or avx512vnni. Unset means the fastest that runs here.
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

// Render draws the picture of prompt and seed, size×size pixels, 1..kernel.MaxSide,
// and keeps all of it: 3 bytes a pixel.
// Errors wrap [ErrPrompt], [kernel.ErrSize], [kernel.ErrKernel] or are ctx's.
func (a *Artist) Render(ctx context.Context, prompt string, seed [32]byte, size int, o RenderOptions) (*Picture, error) {
	program, err := a.Fold(prompt, seed)
	if err != nil {
		return nil, err
	}
	options, explain := o.kernel()
	p, err := kernel.Render(ctx, program, size, size, options)
	if err != nil {
		return nil, explain(err)
	}
	return &Picture{W: p.W, H: p.H, RGB: p.RGB, PixelRoot: p.PixelRoot}, nil
}

// RenderPNG draws the picture of prompt and seed and writes it to w as PNG while
// it is drawn, so that any size fits into little memory (see [kernel.Stream]). It
// returns the pixel root. When it fails, what w has received is of no use. Errors
// are those of [Artist.Render] and of w.
func (a *Artist) RenderPNG(ctx context.Context, w io.Writer, prompt string, seed [32]byte, size int, o RenderOptions) (pixelRoot [32]byte, err error) {
	program, err := a.Fold(prompt, seed)
	if err != nil {
		return pixelRoot, err
	}
	var png *pngWriter // begun with the first rows, when everything was found good
	options, explain := o.kernel()
	pixelRoot, err = kernel.Stream(ctx, program, size, size, options, func(rows []byte) (err error) {
		if png == nil {
			if png, err = newPNG(w, size, size); err != nil {
				return err
			}
		}
		_, err = png.Write(rows)
		return err
	})
	if err == nil {
		err = png.Close()
	}
	return pixelRoot, explain(err)
}

// UsedKernel is the name of the kernel that renders with these options.
func (o RenderOptions) UsedKernel() string {
	return cmp.Or(o.Kernel, os.Getenv(KernelVariable), kernel.Selected())
}

// kernel is the options as package kernel takes them, and what an error of it is
// told with.
func (o RenderOptions) kernel() (kernel.Options, func(error) error) {
	from := ""
	if o.Kernel == "" && os.Getenv(KernelVariable) != "" {
		from = KernelVariable + " names it: "
	}
	explain := func(err error) error {
		if errors.Is(err, kernel.ErrKernel) {
			return fmt.Errorf("%s%w", from, err)
		}
		return err
	}
	return kernel.Options{Workers: o.Workers, Kernel: o.UsedKernel(), Progress: o.Progress}, explain
}

// EncodePNG writes the picture as PNG. Compare pixel roots, never PNG bytes:
// compression may change between Go releases.
func (p *Picture) EncodePNG(w io.Writer) error {
	png, err := newPNG(w, p.W, p.H)
	if err != nil {
		return err
	}
	if _, err := png.Write(p.RGB); err != nil {
		return err
	}
	return png.Close()
}

// Image returns the picture as an image, copied.
func (p *Picture) Image() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, p.W, p.H))
	for i := range p.W * p.H {
		copy(img.Pix[4*i:], p.RGB[3*i:3*i+3])
		img.Pix[4*i+3] = 0xff
	}
	return img
}
