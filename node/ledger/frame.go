package ledger

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

var errFrame = errors.New("malformed message of consensus")

// firstChunk is what a message may take in memory before any of it has come.
const firstChunk = 4 << 10

// readFrame reads one message of CometBFT's libp2p transport from r: its length
// as an unsigned varint, and as many bytes. It returns header and payload as
// they came. Lengths above limit are refused before anything is allocated, hold
// is asked before reading on, and memory grows with what has really arrived,
// never with what the header promises.
func readFrame(r io.Reader, limit uint64, hold func(size uint64) error) ([]byte, error) {
	header := make([]byte, 0, binary.MaxVarintLen64)
	for {
		if len(header) == binary.MaxVarintLen64 {
			return nil, fmt.Errorf("length of more than %d bytes: %w", binary.MaxVarintLen64, errFrame)
		}
		if _, err := io.ReadFull(r, header[len(header):len(header)+1]); err != nil {
			return nil, fmt.Errorf("read length: %w", err)
		}
		header = header[:len(header)+1]
		if header[len(header)-1] < 0x80 {
			break
		}
	}
	size, n := binary.Uvarint(header)
	if n != len(header) {
		return nil, fmt.Errorf("length overflows: %w", errFrame)
	}
	if size > limit {
		return nil, fmt.Errorf("message of %d bytes, limit %d: %w", size, limit, errFrame)
	}
	if err := hold(size); err != nil {
		return nil, err
	}
	total := len(header) + int(size)
	out := append(make([]byte, 0, min(total, firstChunk)), header...)
	for len(out) < total {
		if len(out) == cap(out) {
			out = append(make([]byte, 0, min(total, 2*cap(out))), out...)
		}
		n, err := io.ReadFull(r, out[len(out):min(total, cap(out))])
		out = out[:len(out)+n]
		if err != nil {
			return nil, fmt.Errorf("read %d of %d bytes: %w", len(out)-len(header), size, err)
		}
	}
	return out, nil
}
