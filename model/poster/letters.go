package poster

import (
	"image"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// The fonts of title and line.
var (
	bold    = sync.OnceValue(func() *opentype.Font { return parsed(gobold.TTF) })
	regular = sync.OnceValue(func() *opentype.Font { return parsed(goregular.TTF) })
)

func parsed(ttf []byte) *opentype.Font {
	f, err := opentype.Parse(ttf)
	if err != nil {
		panic(err) // built wrongly
	}
	return f
}

// has says whether the fonts have a letter. White space is always there.
func has(r rune) bool {
	if unicode.IsSpace(r) {
		return true
	}
	var b sfnt.Buffer
	i, err := bold().GlyphIndex(&b, r)
	return err == nil && i != 0
}

// setting is text that is broken into lines of letters of one size.
type setting struct {
	face  font.Face
	size  int // pixels
	lines []string
	whole bool // nothing had to be left out
}

// setIn breaks text into at most some lines of a width; what does not fit is left out,
// with an ellipsis.
func setIn(of func() *opentype.Font, text string, size, width, most int) setting {
	face, err := opentype.NewFace(of(), &opentype.FaceOptions{Size: float64(size), DPI: 72})
	if err != nil {
		panic(err) // the options are ours
	}
	s := setting{face: face, size: size, whole: true}
	text = strings.Map(func(r rune) rune {
		if !has(r) {
			return -1
		}
		return r
	}, text)
	fits := func(line string) bool { return font.MeasureString(face, line).Ceil() <= width }
	for _, word := range strings.Fields(text) {
		last := len(s.lines) - 1
		switch {
		case last >= 0 && fits(s.lines[last]+" "+word):
			s.lines[last] += " " + word
			continue
		case last+1 < most:
			s.lines = append(s.lines, word)
			last++
		default:
			s.lines[last] += " …"
			s.whole = false
		}
		for !fits(s.lines[last]) && len([]rune(s.lines[last])) > 1 {
			r := []rune(strings.TrimSuffix(s.lines[last], "…"))
			s.lines[last], s.whole = strings.TrimSpace(string(r[:len(r)-1]))+"…", false
		}
		if !s.whole {
			return s
		}
	}
	return s
}

// leading is the distance of lines, in pixels.
func (s setting) leading() int { return s.size * 23 / 20 }

// high is the height from the top of the first line's capitals to the foot of the last
// line's letters.
func (s setting) high() int {
	if len(s.lines) == 0 {
		return 0
	}
	return s.size*19/20 + (len(s.lines)-1)*s.leading()
}

// wide is the width of the longest line.
func (s setting) wide() (wide int) {
	for _, line := range s.lines {
		wide = max(wide, font.MeasureString(s.face, line).Ceil())
	}
	return wide
}

// draw sets the lines with their left edge at x, from y down.
func (s setting) draw(to *image.Alpha, x, y int) {
	d := font.Drawer{Dst: to, Src: image.Opaque, Face: s.face}
	for i, line := range s.lines {
		d.Dot = fixed.P(x, y+s.size*15/20+i*s.leading())
		d.DrawString(line)
	}
}

// mask is how much ink falls on each pixel of a part of the sheet.
type mask struct{ *image.Alpha }

// letters sets title and line at the foot of their place.
func (s Sheet) letters(l layout) mask {
	at := l.text
	at.Min.Y = max(at.Min.Y, at.Max.Y-l.high())
	// Strokes may reach a little over their place.
	room := image.Rect(at.Min.X-l.title.size/4, at.Min.Y-l.title.size/2, s.Width, at.Max.Y+l.title.size/2).Intersect(image.Rect(0, 0, s.Width, s.Height))
	m := mask{image.NewAlpha(room)}
	l.title.draw(m.Alpha, at.Min.X, at.Min.Y)
	l.line.draw(m.Alpha, at.Min.X, at.Max.Y-l.line.high())
	return m
}

// print puts ink on row y of the sheet, and returns the row.
func (m mask) print(row []byte, y int, ink [3]byte) []byte {
	if y < m.Rect.Min.Y || y >= m.Rect.Max.Y {
		return row
	}
	for x := m.Rect.Min.X; x < m.Rect.Max.X; x++ {
		a := uint32(m.AlphaAt(x, y).A)
		if a == 0 {
			continue
		}
		for c := range ink {
			p := &row[3*x+c]
			*p = byte((uint32(*p)*(255-a) + uint32(ink[c])*a + 127) / 255)
		}
	}
	return row
}
