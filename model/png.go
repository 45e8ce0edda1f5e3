package model

import (
	"bufio"
	"compress/zlib"
	"io"

	"github.com/atelier-dao/atelier/storage/chunk"
)

// WritePNG writes a picture of 8-bit RGB as PNG while draw hands over its rows, from
// the top, some at a time. When it fails, what w has received is of no use.
func WritePNG(w io.Writer, width, height int, draw func(sink func(rows []byte) error) error) error {
	png, err := newPNG(w, width, height)
	if err != nil {
		return err
	}
	if err := draw(func(rows []byte) error { _, err := png.Write(rows); return err }); err != nil {
		return err
	}
	return png.Close()
}

// pngWriter writes a picture of 8-bit RGB as PNG, row by row as they come.
//
// It stands in for image/png, which takes a whole image, or asks for one pixel at
// a time. Artists draw flat areas with clean edges, where two filters do better
// than five: on three genesis pictures of 1024² the files have 0.97 to 1.01 of the
// size, in 0.6 to 0.8 of the time.
type pngWriter struct {
	w     io.Writer
	to    *bufio.Writer // gathers what becomes one chunk of w
	z     *zlib.Writer
	above []byte    // the row before, zero at first
	try   [2][]byte // a row behind each filter, the filter's number first
}

// The filters of PNG (third edition, 9.2) that are tried: a byte less the one of
// the pixel on the left, or of the pixel above.
const (
	filterSub = 1
	filterUp  = 2
)

const pngChunkSize = 1 << 16

// newPNG writes the head of a PNG of width×height pixels.
func newPNG(w io.Writer, width, height int) (*pngWriter, error) {
	if _, err := w.Write(chunk.AppendHead(nil, width, height)); err != nil {
		return nil, err
	}
	p := &pngWriter{w: w, to: bufio.NewWriterSize(&idat{w: w}, pngChunkSize), above: make([]byte, 3*width)}
	p.z = zlib.NewWriter(p.to)
	for i := range p.try {
		p.try[i] = make([]byte, 1+3*width)
		p.try[i][0] = filterSub + byte(i)
	}
	return p, nil
}

// Write writes whole rows.
func (p *pngWriter) Write(rows []byte) (int, error) {
	for at := 0; at < len(rows); at += len(p.above) {
		row := rows[at : at+len(p.above)]
		if _, err := p.z.Write(p.filtered(row)); err != nil {
			return at, err
		}
		copy(p.above, row)
	}
	return len(rows), nil
}

// filtered is the row behind the filter that leaves the smaller sum of
// distances from zero, which is likely to compress better.
func (p *pngWriter) filtered(row []byte) []byte {
	sub, up := p.try[0][1:], p.try[1][1:]
	var sums [2]int
	for i := range row {
		v := row[i]
		if i >= 3 {
			v -= row[i-3]
		}
		sub[i] = v
		sums[0] += distance(v)
		v = row[i] - p.above[i]
		up[i] = v
		sums[1] += distance(v)
	}
	if sums[0] < sums[1] {
		return p.try[0]
	}
	return p.try[1]
}

// distance of a byte from zero, modulo 256.
func distance(b byte) int {
	v := int(int8(b))
	return max(v, -v)
}

// Close writes the end. It does not close the writer below.
func (p *pngWriter) Close() error {
	if err := p.z.Close(); err != nil {
		return err
	}
	if err := p.to.Flush(); err != nil {
		return err
	}
	_, err := p.w.Write(chunk.Append(nil, "IEND", nil))
	return err
}

// idat writes each piece as a chunk of pixels.
type idat struct {
	w   io.Writer
	buf []byte
}

func (c *idat) Write(b []byte) (int, error) {
	c.buf = chunk.Append(c.buf[:0], "IDAT", b)
	if _, err := c.w.Write(c.buf); err != nil {
		return 0, err
	}
	return len(b), nil
}
