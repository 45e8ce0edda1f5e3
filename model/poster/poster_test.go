package poster

import (
	"bytes"
	"context"
	"errors"
	"image"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
)

// panels are pictures of the embedded artist.
func panels(t *testing.T, n int) (all []*kernel.Program) {
	t.Helper()
	for i := range n {
		p, err := model.Embedded().Fold("red heart", [32]byte{byte(i)})
		require.NoError(t, err)
		all = append(all, p)
	}
	return all
}

// drawn is a whole sheet.
func drawn(t *testing.T, s Sheet) []byte {
	t.Helper()
	var rgb []byte
	require.NoError(t, s.Draw(t.Context(), kernel.Options{}, func(rows []byte) error {
		require.Zero(t, len(rows)%(3*s.Width))
		rgb = append(rgb, rows...)
		return nil
	}))
	require.Len(t, rgb, 3*s.Width*s.Height)
	return rgb
}

func TestThePicturesOfAPosterAreThoseOfTheArtist(t *testing.T) {
	for name, s := range map[string]Sheet{
		"one, upright":       {Width: 300, Height: 420, Title: "Red heart", Line: "Harbour", Panels: panels(t, 1)},
		"one, with a column": {Width: 500, Height: 300, Title: "Red heart", Panels: panels(t, 1)},
		"nothing written":    {Width: 256, Height: 256, Panels: panels(t, 1)},
		"three, wide, dark":  {Width: 600, Height: 280, Title: "Red heart", Line: "x", Dark: true, Panels: panels(t, 3)},
		"five, not all rows": {Width: 400, Height: 400, Line: "x", Panels: panels(t, 5)},
	} {
		t.Run(name, func(t *testing.T) {
			rgb := drawn(t, s)
			l, err := s.layout()
			require.NoError(t, err)
			sheet := image.Rect(0, 0, s.Width, s.Height)
			for i, at := range l.panels {
				require.True(t, at.In(sheet))
				for _, other := range l.panels[:i] {
					require.False(t, at.Overlaps(other))
				}
				require.False(t, at.Overlaps(l.text) && l.title.high()+l.line.high() > 0 && len(s.Panels) > 1, "text over a picture")
				want, err := kernel.Render(t.Context(), s.Panels[i], l.side, l.side, kernel.Options{})
				require.NoError(t, err)
				for y := range l.side {
					from := 3 * ((at.Min.Y+y)*s.Width + at.Min.X)
					require.True(t, bytes.Equal(want.RGB[3*y*l.side:3*(y+1)*l.side], rgb[from:from+3*l.side]), "panel %d, row %d", i, y)
				}
			}
			paper, _ := s.colours()
			require.Equal(t, paper[:], rgb[:3])
			require.Equal(t, paper[:], rgb[len(rgb)-3:])
		})
	}
}

// inked counts the pixels that are neither paper nor picture.
func inked(t *testing.T, s Sheet) int {
	rgb, n := drawn(t, s), 0
	l, err := s.layout()
	require.NoError(t, err)
	paper, _ := s.colours()
	for i := range s.Width * s.Height {
		at, in := image.Pt(i%s.Width, i/s.Width), false
		for _, p := range l.panels {
			in = in || at.In(p)
		}
		if !in && !bytes.Equal(rgb[3*i:3*i+3], paper[:]) {
			n++
			require.True(t, at.In(image.Rect(1, 1, s.Width-1, s.Height-1)), "ink on the edge of the sheet")
		}
	}
	return n
}

func TestLettersArePrintedAndMissingOnesAreTold(t *testing.T) {
	s := Sheet{Width: 300, Height: 420, Panels: panels(t, 1)}
	require.Zero(t, inked(t, s))
	s.Title = "Red heart"
	one := inked(t, s)
	require.Greater(t, one, 100)
	s.Line = "Harbour"
	require.Greater(t, inked(t, s), one)
	require.Empty(t, s.Missing())
	s.Title, s.Line = "夜 und Süßes夜", "λόγος, слово"
	require.Equal(t, []rune{'夜'}, s.Missing())
	require.Greater(t, inked(t, s), 100)
	for _, title := range []string{strings.Repeat("lorem ipsum ", 16), strings.Repeat("x", 200), strings.Repeat("夜", 66), strings.Repeat("a ", 100)} {
		s.Title, s.Line = title, title
		for _, size := range [][2]int{{256, 256}, {256, 600}, {800, 256}} {
			s.Width, s.Height = size[0], size[1]
			inked(t, s)
		}
	}
}

func TestPostersThatAreRefused(t *testing.T) {
	broken := panels(t, 1)
	broken[0].Palette = nil
	for name, c := range map[string]struct {
		s    Sheet
		want error
	}{
		"no picture":       {Sheet{Width: 300, Height: 300}, ErrSheet},
		"too many":         {Sheet{Width: 300, Height: 300, Panels: make([]*kernel.Program, MaxPanels+1)}, ErrSheet},
		"too narrow":       {Sheet{Width: MinSide - 1, Height: 300, Panels: panels(t, 1)}, ErrSheet},
		"too tall":         {Sheet{Width: 300, Height: MaxSide + 1, Panels: panels(t, 1)}, ErrSheet},
		"no room":          {Sheet{Width: 4000, Height: MinSide, Title: "x", Panels: panels(t, 1)[:0]}, ErrSheet},
		"a long title":     {Sheet{Width: 300, Height: 300, Title: strings.Repeat("x", MaxText+1), Panels: panels(t, 1)}, ErrSheet},
		"a long line":      {Sheet{Width: 300, Height: 300, Line: strings.Repeat("x", MaxText+1), Panels: panels(t, 1)}, ErrSheet},
		"a broken picture": {Sheet{Width: 300, Height: 300, Panels: broken}, kernel.ErrProgram},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, c.s.Draw(t.Context(), kernel.Options{}, nil), c.want)
		})
	}
}

func TestAPosterEndsWithItsReaderAndItsContext(t *testing.T) {
	s := Sheet{Width: 300, Height: 300, Panels: panels(t, 2)}
	full := errors.New("the disk is full")
	for _, after := range []int{0, 20, 60, 250} {
		rows := 0
		require.ErrorIs(t, s.Draw(t.Context(), kernel.Options{}, func([]byte) error {
			if rows++; rows > after {
				return full
			}
			return nil
		}), full)
	}
	ctx, cancel := context.WithCancel(t.Context())
	last := 0
	err := s.Draw(ctx, kernel.Options{Progress: func(done, total int) {
		require.Equal(t, last+1, done)
		if last = done; done == 3 {
			cancel()
		}
	}}, func([]byte) error { return nil })
	require.ErrorIs(t, err, context.Canceled)
}

// What is drawn already is set as what is drawn now, but for the colour of the letters,
// which is nearly the same.
func TestPicturesThatAreDrawnAreSetLikeOthers(t *testing.T) {
	s := Sheet{Width: 600, Height: 280, Panels: panels(t, 3)}
	want := drawn(t, s)
	side, err := s.Side()
	require.NoError(t, err)
	later := Sheet{Width: 600, Height: 280}
	for _, p := range s.Panels {
		picture, err := kernel.Render(t.Context(), p, side, side, kernel.Options{})
		require.NoError(t, err)
		later.Pictures = append(later.Pictures, Picture{Rows: func(sink func([]byte) error) error {
			for row := picture.RGB; len(row) > 0; row = row[3*side:] {
				if err := sink(row[:3*side]); err != nil {
					return err
				}
			}
			return nil
		}})
	}
	again, err := later.Side()
	require.NoError(t, err)
	require.Equal(t, side, again)
	require.Equal(t, want, drawn(t, later))
	for _, l := range s.Panels[0].Palette {
		have := lab(kernel.SRGB(l))
		if c := kernel.SRGB(l); min(c[0], c[1], c[2]) > 0 && max(c[0], c[1], c[2]) < 255 { // within what a screen shows
			for i, d := range []int32{have.L - l.L, have.A - l.A, have.B - l.B} {
				require.InDelta(t, 0, float64(d)/kernel.LabOne, .01, "coordinate %d of %v", i, l)
			}
		}
	}

	fails := errors.New("no such file")
	later.Pictures[1].Rows = func(func([]byte) error) error { return fails }
	require.ErrorIs(t, later.Draw(t.Context(), kernel.Options{}, func([]byte) error { return nil }), fails)
	later.Pictures[1].Rows = func(func([]byte) error) error { return nil }
	require.ErrorIs(t, later.Draw(t.Context(), kernel.Options{}, func([]byte) error { return nil }), ErrSheet, "a picture that ends early")
	later.Panels = s.Panels
	_, err = later.Side()
	require.ErrorIs(t, err, ErrSheet)
}
