package storage

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// PNGSize is the size of a PNG in pixels, as its header says.
func PNGSize(b []byte) (width, height int, err error) {
	h, _, err := parsePNG(b)
	return int(h.width), int(h.height), err
}

// ReadPNG is DecodePNG for pictures that are too large to keep: it hands the rows to
// sink from the top, three bytes a pixel, one or more at a time, which are sink's until
// it returns. Only what this program writes, 8-bit RGB with nothing but texts beside
// it, is read so, with memory for two rows; other kinds are decoded as a whole, of at
// most MaxSide by MaxSide pixels. An error of sink is returned; others wrap ErrPNG.
func ReadPNG(b []byte, maxSide int, sink func(rows []byte) error) error {
	h, chunks, err := parsePNG(b)
	if err != nil {
		return err
	}
	if !h.plain(chunks) {
		p, err := DecodePNG(b, min(maxSide, MaxSide))
		if err != nil {
			return err
		}
		return sink(p.RGB)
	}
	if err := h.check(maxSide); err != nil {
		return err
	}
	return inflate(chunks, func(z io.Reader) error { return readRows(z, int(h.width), int(h.height), sink) })
}

// inflate hands what the pixels of a PNG are packed from to read, which reads all of
// it, and refuses bytes behind it, that no viewer would show.
func inflate(chunks []pngChunk, read func(io.Reader) error) error {
	var parts [][]byte
	for _, c := range chunks {
		if c.kind == "IDAT" {
			parts = append(parts, c.data)
		}
	}
	return inflateParts(parts, read)
}

// inflateParts is inflate of what the parts hold together.
func inflateParts(parts [][]byte, read func(io.Reader) error) error {
	readers := make([]io.Reader, len(parts))
	for i, b := range parts {
		readers[i] = bytes.NewReader(b)
	}
	data := bufio.NewReader(io.MultiReader(readers...)) // of which zlib takes no byte too many
	z, err := zlib.NewReader(data)
	if err != nil {
		return fmt.Errorf("%v: %w", err, ErrPNG)
	}
	defer z.Close()
	if err := read(z); err != nil {
		return err
	}
	if _, err := data.ReadByte(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows its pixels: %w", ErrPNG)
	}
	return nil
}

// plain says whether a PNG holds 8-bit RGB in one place, and texts.
func (h pngHeader) plain(chunks []pngChunk) bool {
	begun, ended := false, false
	for _, c := range chunks[1 : len(chunks)-1] {
		_, text := c.text()
		switch {
		case text:
			ended = begun
		case c.kind == "IDAT" && !ended:
			begun = true
		default:
			return false
		}
	}
	return h.depth == 8 && h.colour == 2 && h.rest == 0 && h.interlaced == 0
}

// readRows takes filters back, row by row.
func readRows(z io.Reader, width, height int, sink func(rows []byte) error) error {
	above, row, filter := make([]byte, 3*width), make([]byte, 3*width), make([]byte, 1)
	for y := range height {
		if _, err := io.ReadFull(z, filter); err != nil {
			return fmt.Errorf("row %d: %v: %w", y, err, ErrPNG)
		}
		if _, err := io.ReadFull(z, row); err != nil {
			return fmt.Errorf("row %d: %v: %w", y, err, ErrPNG)
		}
		if err := unfilter(filter[0], row, above); err != nil {
			return fmt.Errorf("row %d: %w", y, err)
		}
		if err := sink(row); err != nil {
			return err
		}
		above, row = row, above
	}
	if _, err := io.ReadFull(z, filter); !errors.Is(err, io.EOF) {
		return fmt.Errorf("something follows the last row: %w", ErrPNG)
	}
	return nil
}

// unfilter makes the bytes of a row of what stands in the file for them: differences to
// the pixel on the left, above, to their mean, or to the nearest of three (PNG third
// edition, 9.2).
func unfilter(filter byte, row, above []byte) error {
	const pixel = 3
	switch filter {
	case 0:
	case 1:
		for i := pixel; i < len(row); i++ {
			row[i] += row[i-pixel]
		}
	case 2:
		for i := range row {
			row[i] += above[i]
		}
	case 3:
		for i := range row {
			left := 0
			if i >= pixel {
				left = int(row[i-pixel])
			}
			row[i] += byte((left + int(above[i])) / 2)
		}
	case 4:
		for i := range row {
			left, corner := 0, 0
			if i >= pixel {
				left, corner = int(row[i-pixel]), int(above[i-pixel])
			}
			row[i] += byte(paeth(left, int(above[i]), corner))
		}
	default:
		return fmt.Errorf("filter %d: %w", filter, ErrPNG)
	}
	return nil
}

// paeth is that of left, above and corner which is nearest to left + above − corner.
func paeth(left, above, corner int) int {
	p := left + above - corner
	l, a, c := distance(p, left), distance(p, above), distance(p, corner)
	switch {
	case l <= a && l <= c:
		return left
	case a <= c:
		return above
	}
	return corner
}

func distance(a, b int) int { return max(a-b, b-a) }
