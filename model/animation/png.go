package animation

import (
	"bytes"
	"encoding/binary"
	"io"
	"time"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/storage/chunk"
)

// pngWriter writes an APNG that plays for ever.
type pngWriter struct {
	counted
	w        io.Writer
	sequence uint32
	err      error
}

// NewPNG begins an animated PNG of as many frames, each shown for pause, and
// all of them for as long, to a millisecond. A viewer that
// knows no animations shows the first. Errors wrap [ErrAnimation] or are w's.
func NewPNG(w io.Writer, width, height, frames int, pause time.Duration) (Writer, error) {
	if err := check(width, height, frames, pause); err != nil {
		return nil, err
	}
	p := &pngWriter{counted: counted{width, height, frames, pause, 0}, w: w}
	p.write(chunk.AppendHead(nil, width, height))
	be := binary.BigEndian
	p.chunk("acTL", be.AppendUint32(be.AppendUint32(nil, uint32(frames)), 0)) // without end
	return p, p.err
}

func (p *pngWriter) write(b []byte) {
	if p.err == nil {
		_, p.err = p.w.Write(b)
	}
}

func (p *pngWriter) chunk(kind string, data []byte) {
	p.write(chunk.Append(nil, kind, data))
}

// numbered is data behind the next sequence number.
func (p *pngWriter) numbered(data ...byte) []byte {
	p.sequence++
	return append(binary.BigEndian.AppendUint32(nil, p.sequence-1), data...)
}

// Frame writes the frame as a PNG of its own whose pixels are taken over.
func (p *pngWriter) Frame(rgb []byte) error {
	if err := p.next(rgb); err != nil {
		return err
	}
	var frame bytes.Buffer
	if err := model.WritePNG(&frame, p.width, p.height, func(sink func([]byte) error) error { return sink(rgb) }); err != nil {
		return err
	}
	be := binary.BigEndian
	place := be.AppendUint32(be.AppendUint32(nil, uint32(p.width)), uint32(p.height))
	place = append(place, make([]byte, 8)...) // at the upper left
	place = be.AppendUint16(be.AppendUint16(place, p.lasts(time.Millisecond)), 1000)
	p.chunk("fcTL", p.numbered(append(place, 0, 0)...)) // stays; replaces what was there
	for rest := frame.Bytes()[8:]; len(rest) >= 12; {
		n := be.Uint32(rest)
		if kind, data := string(rest[4:8]), rest[8:8+n]; kind == "IDAT" && p.done == 1 {
			p.chunk("IDAT", data)
		} else if kind == "IDAT" {
			p.chunk("fdAT", p.numbered(data...))
		}
		rest = rest[12+n:]
	}
	return p.err
}

func (p *pngWriter) Close() error {
	if err := p.end(); err != nil {
		return err
	}
	p.chunk("IEND", nil)
	return p.err
}
