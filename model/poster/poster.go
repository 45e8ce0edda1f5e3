// Package poster sets pictures on paper: with a margin, a title and a line of small
// print, as a sheet of any size and shape to hang on a wall.
//
// A sheet holds one picture or several, such as one in several colours. It is drawn
// from the top, a few rows at a time, so that memory does not grow with its height.
// The pictures' pixels are those of contract phase-16; letters are set by
// golang.org/x/image in the Go fonts (Bigelow & Holmes, BSD licence), which have
// Latin, Greek and Cyrillic letters, and are under no contract.
package poster

import (
	"context"
	"errors"
	"fmt"
	"image"
	"iter"
	"math"
	"slices"

	"github.com/atelier-dao/atelier/model/kernel"
)

// Bounds of a sheet.
const (
	MinSide   = 256 // pixels
	MaxSide   = kernel.MaxSide
	MaxPanels = 16
	MaxText   = 1000 // bytes of a title or line
)

// ErrSheet reports a sheet that cannot be set.
var ErrSheet = errors.New("not a poster")

// A Sheet is a poster before it is drawn.
type Sheet struct {
	Width, Height int    // pixels, MinSide..MaxSide
	Title         string // in large letters, at most MaxText bytes; it is broken into lines
	Line          string // in small ones, as long, below it
	Dark          bool   // light letters on dark paper
	// Panels are the pictures, at most MaxPanels: side by side, from left to right,
	// then down, as squares as large as they can be.
	Panels []*kernel.Program
	// Pictures, in the place of Panels, are drawn already.
	Pictures []Picture
}

// A Picture is drawn already, with as many pixels along an edge as [Sheet.Side] says.
type Picture struct {
	Darkest [3]byte // colour in it, which the letters take after
	// Rows hands all rows to sink from the top, as many at a time as those of the other
	// pictures; they are sink's until it returns, whose error ends it.
	Rows func(sink func(rows []byte) error) error
}

// Side is how large the sheet's pictures are along an edge, in pixels.
func (s Sheet) Side() (int, error) {
	l, err := s.layout()
	return l.side, err
}

// panels is how many pictures there are.
func (s Sheet) panels() int { return max(len(s.Panels), len(s.Pictures)) }

// Draw draws the sheet and hands its rows to sink from the top, some at a time, three
// bytes (sRGB red, green, blue) a pixel; they are sink's until it returns.
// o.Progress counts the tiles of all panels. An error of sink is returned; others wrap
// [ErrSheet], [kernel.ErrProgram] or [kernel.ErrKernel], or are ctx's.
func (s Sheet) Draw(ctx context.Context, o kernel.Options, sink func(rows []byte) error) error {
	l, err := s.layout()
	if err != nil {
		return err
	}
	ground, ink := s.colours()
	text := s.letters(l)
	total, move := s.tiles(l.side), o.Progress
	for y := 0; y < s.Height; {
		row := l.rowAt(y)
		if row == nil { // no picture until the next one, or the end
			end := l.next(y)
			for ; y < end; y++ {
				if err := sink(text.print(blank(s.Width, ground), y, ink)); err != nil {
					return err
				}
			}
			continue
		}
		before := y
		if o.Progress != nil {
			o.Progress = progress(move, row[0]*total/s.panels(), total)
		}
		if err := s.band(ctx, l, row, o, func(rows [][]byte, at []image.Rectangle) error {
			lines := len(rows[0]) / (3 * l.side)
			for i := range lines {
				out := blank(s.Width, ground)
				for k, r := range rows {
					copy(out[3*at[k].Min.X:], r[3*l.side*i:3*l.side*(i+1)])
				}
				if err := sink(text.print(out, y, ink)); err != nil {
					return err
				}
				y++
			}
			return nil
		}); err != nil {
			return err
		}
		if y != before+l.side {
			return fmt.Errorf("%w: a picture ended early", ErrSheet)
		}
	}
	return nil
}

// band draws the panels of one row of the grid beside each other.
func (s Sheet) band(ctx context.Context, l layout, row []int, o kernel.Options, sink func(rows [][]byte, at []image.Rectangle) error) error {
	next, at, rows := []func() ([]byte, error, bool){}, []image.Rectangle{}, make([][]byte, len(row))
	for _, i := range row {
		pull, stop := iter.Pull2(s.stream(ctx, i, l.side, o))
		defer stop()
		next, at = append(next, pull), append(at, l.panels[i])
	}
	for {
		for k := range next {
			b, err, more := next[k]()
			if err != nil || !more {
				return err
			}
			rows[k] = b
		}
		if err := sink(rows, at); err != nil {
			return err
		}
	}
}

var errStopped = errors.New("stopped")

// stream is what a panel is made of, as something that can be read beside others.
func (s Sheet) stream(ctx context.Context, panel, side int, o kernel.Options) iter.Seq2[[]byte, error] {
	draw := func(sink func([]byte) error) error {
		if len(s.Pictures) > 0 {
			return s.Pictures[panel].Rows(sink)
		}
		_, err := kernel.Stream(ctx, s.Panels[panel], side, side, o, sink)
		return err
	}
	return func(yield func([]byte, error) bool) {
		err := draw(func(rows []byte) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !yield(rows, nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

func blank(width int, ground [3]byte) []byte {
	row := make([]byte, 3*width)
	for x := 0; x < len(row); x += 3 {
		copy(row[x:], ground[:])
	}
	return row
}

// paper is a warm white.
var paper = kernel.Lab{L: kernel.LabOne * 97 / 100, A: kernel.LabOne / 1000, B: kernel.LabOne * 8 / 1000}

// colours are those of paper and ink: white with the darkest colour of the first
// picture, darkened, or the other way round.
func (s Sheet) colours() (ground, ink [3]byte) {
	var dark kernel.Lab
	if len(s.Pictures) > 0 {
		dark = lab(s.Pictures[0].Darkest)
	} else {
		dark = slices.MinFunc(s.Panels[0].Palette, func(a, b kernel.Lab) int { return int(a.L - b.L) })
	}
	night := kernel.Lab{L: min(dark.L, kernel.LabOne*22/100), A: dark.A / 3, B: dark.B / 3}
	if s.Dark {
		night.L = min(night.L, kernel.LabOne*20/100)
		return kernel.SRGB(night), kernel.SRGB(paper)
	}
	return kernel.SRGB(paper), kernel.SRGB(night)
}

// lab is a colour in OKLab: of letters, which are under no contract. Source: Ottosson, A
// perceptual color space for image processing, 2020.
func lab(rgb [3]byte) kernel.Lab {
	var c [3]float64
	for i, v := range rgb {
		if c[i] = float64(v) / 255; c[i] <= .04045 {
			c[i] /= 12.92
		} else {
			c[i] = math.Pow((c[i]+.055)/1.055, 2.4)
		}
	}
	l := math.Cbrt(.4122214708*c[0] + .5363325363*c[1] + .0514459929*c[2])
	m := math.Cbrt(.2119034982*c[0] + .6806995451*c[1] + .1073969566*c[2])
	s := math.Cbrt(.0883024619*c[0] + .2817188376*c[1] + .6299787005*c[2])
	unit := func(v float64) int32 { return int32(math.Round(v * kernel.LabOne)) }
	return kernel.Lab{
		L: unit(.2104542553*l + .7936177850*m - .0040720468*s),
		A: unit(1.9779984951*l - 2.4285922050*m + .4505937099*s),
		B: unit(.0259040371*l + .7827717662*m - .8086757660*s),
	}
}
