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
}

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
			o.Progress = progress(move, row[0]*total/len(s.Panels), total)
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
		pull, stop := iter.Pull2(stream(ctx, s.Panels[i], l.side, o))
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

// stream is kernel.Stream as something that can be read beside others.
func stream(ctx context.Context, p *kernel.Program, side int, o kernel.Options) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		_, err := kernel.Stream(ctx, p, side, side, o, func(rows []byte) error {
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
	dark := slices.MinFunc(s.Panels[0].Palette, func(a, b kernel.Lab) int { return int(a.L - b.L) })
	night := kernel.Lab{L: min(dark.L, kernel.LabOne*22/100), A: dark.A / 3, B: dark.B / 3}
	if s.Dark {
		night.L = min(night.L, kernel.LabOne*20/100)
		return kernel.SRGB(night), kernel.SRGB(paper)
	}
	return kernel.SRGB(paper), kernel.SRGB(night)
}
