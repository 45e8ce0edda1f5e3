package poster

import (
	"fmt"
	"image"
	"slices"
	"sync"

	"github.com/atelier-dao/atelier/model/kernel"
)

// layout is where things lie on a sheet, in pixels.
type layout struct {
	height int               // of the sheet
	side   int               // of a panel
	panels []image.Rectangle // in the order of Sheet.Panels
	text   image.Rectangle   // title and line, at its lower edge
	title  setting
	line   setting
}

// Proportions, in thousandths of the shorter side.
const (
	marginPart = 85
	gapPart    = 28 // between panels
	titlePart  = 58 // size of the title's letters
	linePart   = 19 // of the small print
)

// aside is the share of the height, in percent, that a column for text beside a single
// picture must have at least.
const aside = 24

func (s Sheet) layout() (layout, error) {
	if s.Width < MinSide || s.Width > MaxSide || s.Height < MinSide || s.Height > MaxSide {
		return layout{}, fmt.Errorf("%w: it has %d×%d pixels, want %d to %d each way", ErrSheet, s.Width, s.Height, MinSide, MaxSide)
	}
	if n := s.panels(); n < 1 || n > MaxPanels {
		return layout{}, fmt.Errorf("%w: it has %d pictures, want 1 to %d", ErrSheet, n, MaxPanels)
	}
	if len(s.Panels) > 0 && len(s.Pictures) > 0 {
		return layout{}, fmt.Errorf("%w: some of its pictures are drawn and some are not", ErrSheet)
	}
	if most := max(len(s.Title), len(s.Line)); most > MaxText {
		return layout{}, fmt.Errorf("%w: a text of %d bytes, want at most %d: shorten it", ErrSheet, most, MaxText)
	}
	for _, p := range s.Panels {
		if err := p.Validate(); err != nil {
			return layout{}, err
		}
	}
	short := min(s.Width, s.Height)
	margin := short * marginPart / 1000
	inner := image.Rect(margin, margin, s.Width-margin, s.Height-margin)
	if column := inner.Dx() - inner.Dy() - margin; s.panels() == 1 && column >= s.Height*aside/100 {
		l := layout{height: s.Height, side: inner.Dy()}
		l.panels = []image.Rectangle{square(inner.Min, l.side)}
		l.text = image.Rect(inner.Max.X-column, inner.Min.Y, inner.Max.X, inner.Max.Y)
		l.set(s, short)
		return l, nil
	}
	l := layout{height: s.Height, text: inner}
	l.set(s, short)
	if high := l.high(); high > 0 {
		inner.Max.Y -= high + margin*3/4
	}
	l.grid(inner, s.panels(), short*gapPart/1000)
	if l.side < kernel.TileSide {
		return layout{}, fmt.Errorf("%w: no room is left for %d pictures: make it larger", ErrSheet, s.panels())
	}
	// Title and line begin where the pictures do, if there is room.
	if left := l.panels[0].Min.X; left+max(l.title.wide(), l.line.wide()) <= l.text.Max.X {
		l.text.Min.X = left
	}
	l.text.Min.Y = l.text.Max.Y - l.high()
	return l, nil
}

// set chooses the letters: a title of more than three lines gets smaller ones.
func (l *layout) set(s Sheet, short int) {
	l.line = setIn(regular, s.Line, max(6, short*linePart/1000), l.text.Dx(), 2)
	for size := max(10, short*titlePart/1000); ; size = size * 17 / 20 {
		l.title = setIn(bold, s.Title, size, l.text.Dx(), 3)
		if l.title.whole || size <= 10 {
			return
		}
	}
}

// high is the height of title and line.
func (l *layout) high() int {
	high := l.title.high() + l.line.high()
	if l.title.high() > 0 && l.line.high() > 0 {
		high += l.title.size * 2 / 5
	}
	return high
}

// grid puts n squares into a place, as large as they can be: in the middle, at the top.
func (l *layout) grid(place image.Rectangle, n, gap int) {
	columns := 0
	for c := 1; c <= n; c++ {
		rows := (n + c - 1) / c
		side := min((place.Dx()-(c-1)*gap)/c, (place.Dy()-(rows-1)*gap)/rows)
		if side > l.side {
			l.side, columns = side, c
		}
	}
	if columns == 0 {
		return
	}
	left := place.Min.X + (place.Dx()-columns*l.side-(columns-1)*gap)/2
	for i := range n {
		at := image.Pt(left+i%columns*(l.side+gap), place.Min.Y+i/columns*(l.side+gap))
		l.panels = append(l.panels, square(at, l.side))
	}
}

func square(at image.Point, side int) image.Rectangle {
	return image.Rectangle{at, at.Add(image.Pt(side, side))}
}

// rowAt lists the panels that begin in row y of the sheet; nil when none does.
func (l *layout) rowAt(y int) (row []int) {
	for i, p := range l.panels {
		if p.Min.Y == y {
			row = append(row, i)
		}
	}
	return row
}

// next is the row after y in which the next panels begin, or the end.
func (l *layout) next(y int) int {
	end := l.height
	for _, p := range l.panels {
		if p.Min.Y > y {
			end = min(end, p.Min.Y)
		}
	}
	return end
}

// tiles is the number of tiles of all panels.
func (s Sheet) tiles(side int) int {
	across := (side + kernel.TileSide - 1) / kernel.TileSide
	return across * across * s.panels()
}

// progress counts the tiles of panels that are drawn at the same time, each of which
// reports its own.
func progress(move func(done, total int), before, total int) func(int, int) {
	var mu sync.Mutex
	done := before // guarded by mu
	return func(int, int) {
		mu.Lock()
		defer mu.Unlock()
		done++
		move(done, total)
	}
}

// Missing are the letters of title and line that the fonts do not have, which are left
// out.
func (s Sheet) Missing() []rune {
	var missing []rune
	for _, r := range s.Title + s.Line {
		if !has(r) && !slices.Contains(missing, r) {
			missing = append(missing, r)
		}
	}
	return missing
}
