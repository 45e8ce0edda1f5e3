package model

import (
	"crypto/sha256"
	"encoding/binary"
)

// chance is a stream of numbers that a seed decides: the SHA-256 of the seed's
// key and a counter, block after block.
type chance struct {
	key   [32]byte
	block uint64
	rest  []byte
}

// newChance keys a stream by tag and parts; lengths are hashed too, so parts
// cannot run into each other.
func newChance(tag string, parts ...[]byte) *chance {
	h := sha256.New()
	for _, p := range append([][]byte{[]byte("atelier/artist/v1/" + tag)}, parts...) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(p))))
		h.Write(p)
	}
	return &chance{key: [32]byte(h.Sum(nil))}
}

// uint16 is uniform over all 16-bit numbers.
func (c *chance) uint16() uint16 {
	if len(c.rest) == 0 {
		sum := sha256.Sum256(binary.BigEndian.AppendUint64(c.key[:], c.block))
		c.block++
		c.rest = sum[:]
	}
	v := binary.BigEndian.Uint16(c.rest)
	c.rest = c.rest[2:]
	return v
}

// below is uniform over 0..n-1 up to a bias of n/2³², for n ≥ 1.
func (c *chance) below(n int) int {
	v := uint64(c.uint16())<<16 | uint64(c.uint16())
	return int(v * uint64(n) >> 32)
}

// between is uniform over low..high, both included.
func (c *chance) between(low, high int32) int32 {
	return low + int32(c.below(int(high)-int(low)+1))
}

// normal has mean 0 and standard deviation 2¹⁶: the sum of twelve uniform
// numbers, which ends at ±6 deviations.
func (c *chance) normal() int64 {
	sum := int64(-6 << 16)
	for range 12 {
		sum += int64(c.uint16())
	}
	return sum
}
