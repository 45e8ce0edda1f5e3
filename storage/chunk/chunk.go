// Package chunk writes the pieces of which PNG files consist: a signature, then chunks
// of a type, their data and a checksum. Whoever writes pictures, texts in them, or
// animations, does it through this package.
//
// Source: PNG third edition (W3C 2025), 5.2, 5.3 and 11.2.1.
package chunk

import (
	"encoding/binary"
	"hash/crc32"
)

// Signature is how every PNG begins.
const Signature = "\x89PNG\r\n\x1a\n"

// Append adds a chunk of a type, four letters, to what dst holds.
func Append(dst []byte, kind string, data []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(data)))
	start := len(dst)
	dst = append(append(dst, kind...), data...)
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(dst[start:]))
}

// AppendHead adds the signature and the header of a picture of width×height pixels, 8
// bits each of red, green and blue, not interlaced.
func AppendHead(dst []byte, width, height int) []byte {
	size := binary.BigEndian.AppendUint32(nil, uint32(width))
	size = binary.BigEndian.AppendUint32(size, uint32(height))
	return Append(append(dst, Signature...), "IHDR", append(size, 8, 2, 0, 0, 0))
}
