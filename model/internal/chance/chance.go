// Package chance makes streams of numbers that a seed decides, alike on every
// machine: what chance means wherever members must come to the same result.
//
// It is pure: SHA-256 and integers.
package chance

import (
	"crypto/sha256"
	"encoding/binary"
)

// A Stream is a sequence of numbers that a key decides: the SHA-256 of the key
// and a counter, block after block. It is not safe for concurrent use.
type Stream struct {
	key   [32]byte
	block uint64
	rest  []byte
}

// New keys a stream by tag and parts; lengths are hashed too, so parts cannot run
// into each other.
func New(tag string, parts ...[]byte) *Stream {
	h := sha256.New()
	for _, p := range append([][]byte{[]byte("atelier/artist/v1/" + tag)}, parts...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write(p)
	}
	return &Stream{key: [32]byte(h.Sum(nil))}
}

// Uint16 is uniform over all 16-bit numbers.
func (c *Stream) Uint16() uint16 {
	if len(c.rest) == 0 {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(c.key[:], c.block))
		c.block++
		c.rest = sum[:]
	}
	v := binary.BigEndian.Uint16(c.rest)
	c.rest = c.rest[2:]
	return v
}

// Below is uniform over 0..n-1 up to a bias of n/2³², for n ≥ 1.
func (c *Stream) Below(n int) int {
	v := uint64(c.Uint16())<<16 | uint64(c.Uint16())
	return int(v * uint64(n) >> 32)
}

// Between is uniform over low..high, both included.
func (c *Stream) Between(low, high int32) int32 {
	return low + int32(c.Below(int(high)-int(low)+1))
}

// Normal has mean 0 and standard deviation 2¹⁶: the sum of twelve uniform
// numbers, which ends at ±6 deviations.
func (c *Stream) Normal() int64 {
	sum := int64(-6 << 16)
	for range 12 {
		sum += int64(c.Uint16())
	}
	return sum
}

// Key is the key of the stream: what seeds another generator alike.
func (c *Stream) Key() [32]byte { return c.key }
