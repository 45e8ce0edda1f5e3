package p2p

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A request on the wire is its length as a 32-bit big-endian number and its
// bytes. A response is one status byte and then, for an answer, the same; for
// a refusal, the code (16 bits), the length of the message (16 bits) and the
// message.
const (
	statusAnswer  = 0
	statusRefusal = 1

	lengthSize  = 4
	maxFrame    = 64 << 20 // no protocol may ask for more
	firstBuffer = 4 << 10  // set aside before any byte of the body has come
)

// reserveFunc asks for n more bytes of memory before they are allocated.
type reserveFunc func(n int) error

// readFrame reads a length and that many bytes. The length is checked against
// limit, and the buffer grows only as bytes arrive, at most to twice what has
// come, so that a lying header costs its sender more than the reader.
func readFrame(r io.Reader, limit int, reserve reserveFunc) ([]byte, error) {
	var head [lengthSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, fmt.Errorf("read length: %w", err)
	}
	size := binary.BigEndian.Uint32(head[:])
	if uint64(size) > uint64(limit) {
		return nil, fmt.Errorf("%d bytes announced, limit %d: %w", size, limit, ErrTooLarge)
	}
	return readBody(r, int(size), reserve)
}

func readBody(r io.Reader, size int, reserve reserveFunc) ([]byte, error) {
	body := make([]byte, 0)
	for len(body) < size {
		next := min(size, max(firstBuffer, 2*len(body)))
		if err := reserve(next - len(body)); err != nil {
			return nil, fmt.Errorf("reserve %d bytes: %w", next, err)
		}
		grown := make([]byte, next)
		have := copy(grown, body)
		n, err := io.ReadFull(r, grown[have:])
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("read body: %d of %d bytes: %w", have+n, size, err)
		}
		body = grown
	}
	return body, nil
}

// appendFrame appends the length of body and body.
func appendFrame(dst, body []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(body)))
	return append(dst, body...)
}

// appendRefusal appends a whole refusing response.
func appendRefusal(dst []byte, e *RemoteError) []byte {
	text := printable(e.Message)
	dst = append(dst, statusRefusal)
	dst = binary.BigEndian.AppendUint16(dst, uint16(e.Code))
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(text)))
	return append(dst, text...)
}

// readResponse reads an answer of at most limit bytes, or a refusal, which it
// returns as a *RemoteError.
func readResponse(r io.Reader, limit int, reserve reserveFunc) ([]byte, error) {
	var status [1]byte
	if _, err := io.ReadFull(r, status[:]); err != nil {
		return nil, fmt.Errorf("read status: %w", err)
	}
	switch status[0] {
	case statusAnswer:
		return readFrame(r, limit, reserve)
	case statusRefusal:
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, fmt.Errorf("read refusal: %w", err)
		}
		size := binary.BigEndian.Uint16(head[2:])
		if size > MaxErrorMessage {
			return nil, fmt.Errorf("refusal of %d bytes, limit %d: %w", size, MaxErrorMessage, ErrTooLarge)
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, fmt.Errorf("read refusal: %w", err)
		}
		code := Code(binary.BigEndian.Uint16(head[:2]))
		if code == 0 {
			return nil, fmt.Errorf("refusal without a code: %w", ErrMalformed)
		}
		return nil, &RemoteError{Code: code, Message: printable(string(text))}
	}
	return nil, fmt.Errorf("status %d: %w", status[0], ErrMalformed)
}
