package animation

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"io"
	"time"
)

// gifWriter writes a GIF that plays for ever, each frame with colours of its own.
type gifWriter struct {
	counted
	w io.Writer
}

// NewGIF begins a GIF of as many frames, each shown for pause, and all of them for as
// long, to a hundredth of a second. Errors wrap [ErrAnimation] or are w's.
func NewGIF(w io.Writer, width, height, frames int, pause time.Duration) (Writer, error) {
	if err := check(width, height, frames, pause); err != nil {
		return nil, err
	}
	g := &gifWriter{counted{width, height, frames, pause, 0}, w}
	head := []byte("GIF89a")
	head = g.size(head)
	head = append(head, 0x70, 0, 0) // eight bits of each colour, no common table
	head = append(head, "\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"...)
	_, err := w.Write(head)
	return g, err
}

func (g *gifWriter) size(b []byte) []byte {
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, uint16(g.width)), uint16(g.height))
}

func (g *gifWriter) Frame(rgb []byte) error {
	if err := g.next(rgb); err != nil {
		return err
	}
	table, pixels := reduce(rgb)
	pause := g.lasts(10 * time.Millisecond)
	var out bytes.Buffer
	out.Write([]byte{0x21, 0xf9, 4, 4, byte(pause), byte(pause >> 8), 0, 0}) // stays
	out.Write(g.size([]byte{0x2c, 0, 0, 0, 0}))
	out.WriteByte(0x87) // a table of 256 colours
	out.Write(table[:])
	out.WriteByte(8) // bits of a pixel
	blocks := &blockWriter{to: &out}
	z := lzw.NewWriter(blocks, lzw.LSB, 8)
	if _, err := z.Write(pixels); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	blocks.flush()
	out.WriteByte(0)
	_, err := g.w.Write(out.Bytes())
	return err
}

func (g *gifWriter) Close() error {
	if err := g.end(); err != nil {
		return err
	}
	_, err := g.w.Write([]byte{0x3b})
	return err
}

// blockWriter cuts data into blocks of up to 255 bytes behind their length.
type blockWriter struct {
	to   *bytes.Buffer
	rest []byte
}

func (b *blockWriter) Write(data []byte) (int, error) {
	b.rest = append(b.rest, data...)
	for len(b.rest) >= 255 {
		b.to.WriteByte(255)
		b.to.Write(b.rest[:255])
		b.rest = b.rest[255:]
	}
	return len(data), nil
}

func (b *blockWriter) flush() {
	if len(b.rest) > 0 {
		b.to.WriteByte(byte(len(b.rest)))
		b.to.Write(b.rest)
		b.rest = nil
	}
}
