package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// Film is what an animated PNG says of itself besides its pixels and texts.
type Film struct {
	Width, Height int
	Pauses        []uint16 // how long each frame is shown, in milliseconds
}

// ReadFilm reads an animated PNG whose frames are 8-bit RGB, each as large as the film
// and in the place of the one before, shown for some milliseconds and again without
// end: what package animation writes, and nothing that a viewer might show otherwise.
// So there is no picture beside its frames, no frame that is not shown, and no chunk
// but these and texts, which [ReadText] returns; nothing follows the pixels of a frame.
//
// It looks at all of the container first, and refuses it when a side is above maxSide or
// there are more than maxFrames. Then it hands the rows of each frame to sink from the
// top, one or more at a time, which are sink's until it returns. Memory holds two rows.
// An error of sink is returned; others wrap ErrPNG.
func ReadFilm(b []byte, maxSide, maxFrames int, sink func(frame int, rows []byte) error) (Film, error) {
	f, frames, err := parseFilm(b, maxSide, maxFrames)
	if err != nil {
		return Film{}, err
	}
	for i, parts := range frames {
		if err := inflateParts(parts, func(z io.Reader) error {
			return readRows(z, f.Width, f.Height, func(rows []byte) error { return sink(i, rows) })
		}); err != nil {
			return Film{}, fmt.Errorf("frame %d: %w", i+1, err)
		}
	}
	return f, nil
}

// parseFilm checks a film's chunks and returns the packed pixels of its frames.
func parseFilm(b []byte, maxSide, maxFrames int) (f Film, frames [][][]byte, err error) {
	h, chunks, err := parsePNG(b)
	if err != nil {
		return f, nil, err
	}
	if err := h.check(maxSide); err != nil {
		return f, nil, err
	}
	bad := func(format string, args ...any) (Film, [][][]byte, error) {
		return Film{}, nil, fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), ErrPNG)
	}
	if h.colour != 2 {
		return bad("its frames are not of 8-bit RGB")
	}
	f.Width, f.Height = int(h.width), int(h.height)
	be, announced, sequence, begun := binary.BigEndian, -1, uint32(0), false
	for _, c := range chunks[1 : len(chunks)-1] {
		_, text := c.text()
		switch last := len(frames) - 1; {
		case text && announced < 0:
		case c.kind == "acTL" && announced < 0 && len(c.data) == 8:
			if n := be.Uint32(c.data); n < 1 || uint64(n) > uint64(maxFrames) {
				return bad("%d frames, want 1 to %d", n, maxFrames)
			}
			if be.Uint32(c.data[4:]) != 0 {
				return bad("it ends, instead of beginning anew")
			}
			announced = int(be.Uint32(c.data))
		case c.kind == "fcTL" && announced >= 0 && (last < 0 || begun):
			pause, ok := shownWhole(c.data, sequence, h)
			if !ok {
				return bad("frame %d is not the whole picture in the place of the one before", len(frames)+1)
			}
			frames, f.Pauses = append(frames, nil), append(f.Pauses, pause)
			sequence, begun = sequence+1, false
		case c.kind == "IDAT" && last == 0:
			frames[0], begun = append(frames[0], c.data), true
		case c.kind == "fdAT" && last > 0 && len(c.data) >= 4 && be.Uint32(c.data) == sequence:
			frames[last], begun = append(frames[last], c.data[4:]), true
			sequence++
		default:
			return bad("holds %q where a film has none", c.kind)
		}
	}
	if announced < 0 || len(frames) != announced || !begun {
		return bad("%d frames, %d were announced", len(frames), max(0, announced))
	}
	return f, frames, nil
}

// shownWhole reads the head of a frame: it has the number that is next, covers the whole
// picture, replaces what was there, and is shown for some milliseconds.
func shownWhole(d []byte, sequence uint32, h pngHeader) (pause uint16, ok bool) {
	be := binary.BigEndian
	if len(d) != 26 {
		return 0, false
	}
	pause = be.Uint16(d[20:])
	want := be.AppendUint32(be.AppendUint32(be.AppendUint32(nil, sequence), h.width), h.height)
	want = append(want, make([]byte, 8)...) // at the upper left
	want = append(be.AppendUint16(be.AppendUint16(want, pause), 1000), 0, 0)
	return pause, bytes.Equal(d, want)
}
