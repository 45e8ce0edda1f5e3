// Package wire reads and writes the fixed binary forms of shamir's messages.
//
// Numbers are big endian. A Reader remembers its first failure and returns zero
// values from then on, so a decoder states its layout and asks once, at Done,
// whether the input was exactly that.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed reports input that is short, long or out of its stated limits.
var ErrMalformed = errors.New("malformed encoding")

// Writer appends values to a byte slice.
type Writer struct{ b []byte }

// NewWriter returns a Writer with room for size bytes.
func NewWriter(size int) *Writer { return &Writer{b: make([]byte, 0, size)} }

// Bytes returns what was written; the Writer must not be used afterwards.
func (w *Writer) Bytes() []byte { return w.b }

// U8 appends one byte.
func (w *Writer) U8(v uint8) { w.b = append(w.b, v) }

// U16 appends two bytes.
func (w *Writer) U16(v uint16) { w.b = binary.BigEndian.AppendUint16(w.b, v) }

// U32 appends four bytes.
func (w *Writer) U32(v uint32) { w.b = binary.BigEndian.AppendUint32(w.b, v) }

// U64 appends eight bytes.
func (w *Writer) U64(v uint64) { w.b = binary.BigEndian.AppendUint64(w.b, v) }

// Raw appends b as it is.
func (w *Writer) Raw(b []byte) { w.b = append(w.b, b...) }

// Block appends the length of b in four bytes, then b.
func (w *Writer) Block(b []byte) {
	w.U32(uint32(len(b)))
	w.Raw(b)
}

// Reader takes values from the front of a byte slice.
type Reader struct {
	b   []byte
	err error
}

// NewReader reads from b and never writes to it.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Fail records err as the outcome unless an earlier failure stands.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

// Err is the first failure so far.
func (r *Reader) Err() error { return r.err }

// Len is the number of bytes left.
func (r *Reader) Len() int { return len(r.b) }

// Done fails unless every byte was read.
func (r *Reader) Done() error {
	if r.err == nil && len(r.b) != 0 {
		r.err = fmt.Errorf("%d trailing bytes: %w", len(r.b), ErrMalformed)
	}
	return r.err
}

// Raw returns the next n bytes, which alias the input.
func (r *Reader) Raw(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.b) {
		r.Fail(fmt.Errorf("need %d bytes, have %d: %w", n, len(r.b), ErrMalformed))
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

// Copy fills dst.
func (r *Reader) Copy(dst []byte) { copy(dst, r.Raw(len(dst))) }

// Hash returns the next 32 bytes.
func (r *Reader) Hash() (h [32]byte) {
	r.Copy(h[:])
	return h
}

// U8 reads one byte.
func (r *Reader) U8() uint8 {
	if v := r.Raw(1); v != nil {
		return v[0]
	}
	return 0
}

// U16 reads two bytes.
func (r *Reader) U16() uint16 {
	if v := r.Raw(2); v != nil {
		return binary.BigEndian.Uint16(v)
	}
	return 0
}

// U32 reads four bytes.
func (r *Reader) U32() uint32 {
	if v := r.Raw(4); v != nil {
		return binary.BigEndian.Uint32(v)
	}
	return 0
}

// U64 reads eight bytes.
func (r *Reader) U64() uint64 {
	if v := r.Raw(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

// Block reads what Writer.Block wrote, at most limit bytes.
func (r *Reader) Block(limit int) []byte {
	n := r.U32()
	if r.err == nil && uint64(n) > uint64(limit) {
		r.Fail(fmt.Errorf("block of %d bytes, limit %d: %w", n, limit, ErrMalformed))
		return nil
	}
	return r.Raw(int(n))
}

// Bool reads a byte that must be 0 or 1.
func (r *Reader) Bool() bool {
	switch r.U8() {
	case 0:
		return false
	case 1:
		return true
	}
	r.Fail(fmt.Errorf("boolean is neither 0 nor 1: %w", ErrMalformed))
	return false
}

// Bool appends 0 or 1.
func (w *Writer) Bool(v bool) {
	if v {
		w.U8(1)
		return
	}
	w.U8(0)
}
