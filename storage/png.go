package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/atelier-dao/atelier/storage/chunk"
)

const (
	// MaxSide is the largest width and height of a picture, in pixels; decoding
	// one of that size takes about 115 MB.
	MaxSide = 4096
	// MaxPNG is the largest PNG, in bytes.
	MaxPNG = 64 << 20
	// MaxText is the longest text of one chunk, in bytes.
	MaxText = 8 << 10
)

// Picture is a decoded picture: 3 bytes (red, green, blue) a pixel, row by row.
type Picture struct {
	Width, Height int
	RGB           []byte
}

// Text is one iTXt chunk of a PNG.
type Text struct {
	Keyword string // 1..79 bytes of printable ASCII: "Title", "Author", "Description", "atelier:rid"
	Text    string // UTF-8 without NUL, at most MaxText bytes
}

// pngChunk is one chunk: its type, its data, and all of its bytes.
type pngChunk struct {
	kind string
	data []byte
	raw  []byte
}

// pngHeader is IHDR (PNG third edition, 11.2.1).
type pngHeader struct {
	width, height    uint32
	depth, colour    byte
	interlaced, rest byte
}

// parsePNG splits a PNG into its chunks, checks their checksums and that it
// begins with IHDR, has IDAT, and ends with IEND. It copies nothing.
func parsePNG(b []byte) (pngHeader, []pngChunk, error) {
	fail := func(format string, args ...any) (pngHeader, []pngChunk, error) {
		return pngHeader{}, nil, fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrPNG)
	}
	if len(b) > MaxPNG {
		return fail("%d bytes, limit %d", len(b), MaxPNG)
	}
	rest, ok := bytes.CutPrefix(b, []byte(chunk.Signature))
	if !ok {
		return fail("not a PNG")
	}
	var chunks []pngChunk
	for {
		if len(rest) < 12 {
			return fail("ends after %d chunks without IEND", len(chunks))
		}
		n := binary.BigEndian.Uint32(rest)
		if uint64(n) > uint64(len(rest)-12) {
			return fail("chunk %d is cut off", len(chunks))
		}
		if len(chunks) == 1<<16 {
			return fail("too many chunks")
		}
		c := pngChunk{kind: string(rest[4:8]), data: rest[8 : 8+n], raw: rest[:12+n]}
		if crc32.ChecksumIEEE(rest[4:8+n]) != binary.BigEndian.Uint32(rest[8+n:]) {
			return fail("chunk %d: checksum differs", len(chunks))
		}
		rest = rest[12+n:]
		chunks = append(chunks, c)
		if c.kind == "IEND" {
			break
		}
	}
	if len(rest) > 0 {
		return fail("%d bytes after the end", len(rest))
	}
	first := chunks[0]
	if first.kind != "IHDR" || len(first.data) != 13 {
		return fail("does not begin with a header")
	}
	if !slices.ContainsFunc(chunks, func(c pngChunk) bool { return c.kind == "IDAT" }) {
		return fail("holds no picture")
	}
	d := first.data
	return pngHeader{
		width: binary.BigEndian.Uint32(d), height: binary.BigEndian.Uint32(d[4:]),
		depth: d[8], colour: d[9], rest: d[10] | d[11], interlaced: d[12],
	}, chunks, nil
}

// AddText inserts text chunks behind the PNG's header. The pixels and all other
// chunks stay as they are, byte for byte.
func AddText(png []byte, texts []Text) ([]byte, error) {
	_, chunks, err := parsePNG(png)
	if err != nil {
		return nil, err
	}
	out := bytes.NewBuffer(make([]byte, 0, len(png)+1024))
	out.WriteString(chunk.Signature)
	out.Write(chunks[0].raw)
	for _, t := range texts {
		if err := t.check(); err != nil {
			return nil, err
		}
		t.write(out)
	}
	for _, c := range chunks[1:] {
		out.Write(c.raw)
	}
	return out.Bytes(), nil
}

// WithText returns a writer that takes a PNG and passes it on to w with text chunks
// behind its header, as AddText puts them there. The PNG may come in any pieces.
func WithText(w io.Writer, texts []Text) (io.Writer, error) {
	out := &bytes.Buffer{}
	for _, t := range texts {
		if err := t.check(); err != nil {
			return nil, err
		}
		t.write(out)
	}
	return &textWriter{w: w, head: len(chunk.Signature) + 12 + 13, texts: out.Bytes()}, nil
}

// textWriter puts texts between the first bytes and the others.
type textWriter struct {
	w     io.Writer
	head  int // bytes until the texts; below 0 once they are written
	texts []byte
}

func (t *textWriter) Write(b []byte) (n int, err error) {
	if t.head > 0 {
		n, err = t.w.Write(b[:min(t.head, len(b))])
		t.head -= n
		if err != nil || t.head > 0 {
			return n, err
		}
	}
	if t.head == 0 {
		if _, err := t.w.Write(t.texts); err != nil {
			return n, err
		}
		t.head = -1
	}
	more, err := t.w.Write(b[n:])
	return n + more, err
}

// write appends the text as a chunk.
func (t Text) write(out *bytes.Buffer) {
	out.Write(chunk.Append(nil, "iTXt", []byte(t.Keyword+noLanguage+t.Text)))
}

func (t Text) check() error {
	k := t.Keyword
	if len(k) == 0 || len(k) > 79 || strings.TrimSpace(k) != k || strings.Contains(k, "  ") ||
		strings.ContainsFunc(k, func(r rune) bool { return r < ' ' || r > '~' }) {
		return fmt.Errorf("keyword %q: %w", k, ErrPNG)
	}
	if len(t.Text) > MaxText || !utf8.ValidString(t.Text) || strings.ContainsRune(t.Text, 0) {
		return fmt.Errorf("text for %q must be UTF-8 without NUL of at most %d bytes: %w", k, MaxText, ErrPNG)
	}
	return nil
}

// ReadText returns the texts of a PNG that AddText could have written, in their order.
func ReadText(png []byte) ([]Text, error) {
	_, chunks, err := parsePNG(png)
	if err != nil {
		return nil, err
	}
	var out []Text
	for _, c := range chunks {
		if t, ok := c.text(); ok {
			out = append(out, t)
		}
	}
	return out, nil
}

// noLanguage stands between keyword and text of an iTXt chunk that is not compressed,
// and names neither a language nor a translated keyword.
const noLanguage = "\x00\x00\x00\x00\x00"

// text reads an iTXt chunk that write wrote. A language and a translated keyword have
// no bound and would be shown by some viewers, so a chunk that has them is another one.
func (c pngChunk) text() (Text, bool) {
	if c.kind != "iTXt" {
		return Text{}, false
	}
	keyword, text, ok := strings.Cut(string(c.data), noLanguage)
	t := Text{keyword, text}
	return t, ok && t.check() == nil
}

// shows says whether a chunk changes nothing but the pixels that DecodePNG
// returns, or is a text that ReadText returns. Colour profiles, gamma, rotation
// and the frames of an animation make a viewer show something else.
func (c pngChunk) shows() bool {
	switch c.kind {
	case "IHDR", "PLTE", "tRNS", "IDAT", "IEND":
		return true
	}
	_, ok := c.text()
	return ok
}

// EncodePNG writes a picture as an 8-bit RGB PNG.
func EncodePNG(p Picture) ([]byte, error) {
	if p.Width < 1 || p.Width > MaxSide || p.Height < 1 || p.Height > MaxSide || len(p.RGB) != 3*p.Width*p.Height {
		return nil, fmt.Errorf("picture of %d by %d with %d bytes: %w", p.Width, p.Height, len(p.RGB), ErrPNG)
	}
	img := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i, j := 0, 0; i < len(p.RGB); i, j = i+3, j+4 {
		copy(img.Pix[j:], p.RGB[i:i+3])
		img.Pix[j+3] = 255
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil, fmt.Errorf("encode PNG: %w", err)
	}
	return out.Bytes(), nil
}

// checkHeader refuses what DecodePNG does not read.
func (h pngHeader) check(maxSide int) error {
	switch {
	case h.width == 0 || h.height == 0 || uint64(h.width) > uint64(maxSide) || uint64(h.height) > uint64(maxSide):
		return fmt.Errorf("%d by %d pixels, limit %d: %w", h.width, h.height, maxSide, ErrPNG)
	case h.depth != 8 || h.colour != 0 && h.colour != 2 && h.colour != 3 && h.colour != 6:
		return fmt.Errorf("depth %d and colour type %d: %w", h.depth, h.colour, ErrPNG)
	case h.rest != 0 || h.interlaced != 0:
		return fmt.Errorf("interlaced: %w", ErrPNG)
	}
	return nil
}

// DecodePNG reads an opaque 8-bit PNG (grey, RGB, palette or RGBA, not
// interlaced) of at most maxSide by maxSide pixels; 0 means MaxSide. It looks at
// the header before it allocates anything. A transparent pixel is an error,
// because a pixel hash says nothing about what shines through; so is a chunk
// that could make a viewer show other pixels than these, or keep a text from
// ReadText, and so are bytes behind the pixels.
func DecodePNG(b []byte, maxSide int) (Picture, error) {
	if maxSide <= 0 || maxSide > MaxSide {
		maxSide = MaxSide
	}
	h, chunks, err := parsePNG(b)
	if err != nil {
		return Picture{}, err
	}
	for _, c := range chunks {
		if !c.shows() {
			return Picture{}, fmt.Errorf("holds %q, which could make a viewer show another picture: %w", c.kind, ErrPNG)
		}
	}
	if err := h.check(maxSide); err != nil {
		return Picture{}, err
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return Picture{}, fmt.Errorf("%v: %w", err, ErrPNG)
	}
	// image/png passes over what follows the pixels.
	if err := inflate(chunks, func(z io.Reader) error {
		if _, err := io.Copy(io.Discard, z); err != nil {
			return fmt.Errorf("%v: %w", err, ErrPNG)
		}
		return nil
	}); err != nil {
		return Picture{}, err
	}
	p := Picture{Width: int(h.width), Height: int(h.height)}
	p.RGB = make([]byte, 0, 3*p.Width*p.Height)
	opaque := true
	four := func(pix []byte) { // RGBA and NRGBA are the same where nothing is transparent
		for ; len(pix) >= 4; pix = pix[4:] {
			p.RGB = append(p.RGB, pix[0], pix[1], pix[2])
			opaque = opaque && pix[3] == 255
		}
	}
	switch m := img.(type) {
	case *image.RGBA:
		four(m.Pix)
	case *image.NRGBA:
		four(m.Pix)
	case *image.Gray:
		for _, v := range m.Pix {
			p.RGB = append(p.RGB, v, v, v)
		}
	case *image.Paletted:
		for _, i := range m.Pix {
			if int(i) >= len(m.Palette) {
				return Picture{}, fmt.Errorf("colour %d of %d: %w", i, len(m.Palette), ErrPNG)
			}
			r, g, b, a := m.Palette[i].RGBA()
			p.RGB = append(p.RGB, byte(r>>8), byte(g>>8), byte(b>>8))
			opaque = opaque && a == 0xffff
		}
	default:
		return Picture{}, fmt.Errorf("decodes to %T: %w", img, ErrPNG)
	}
	if !opaque || len(p.RGB) != 3*p.Width*p.Height {
		return Picture{}, fmt.Errorf("transparent: %w", ErrPNG)
	}
	return p, nil
}
