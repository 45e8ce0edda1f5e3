package attack

import (
	"encoding/binary"

	"github.com/atelier-dao/atelier/shamir"
	"go.dedis.ch/kyber/v3"
)

// Chance is a stream of bytes that its seed decides: SHA-256 of seed and counter.
// It is an io.Reader that never fails.
type Chance struct {
	seed  [32]byte
	block uint64
	rest  []byte
}

// NewChance seeds a stream from a name and numbers.
func NewChance(name string, numbers ...uint64) *Chance {
	fields := [][]byte{[]byte(name)}
	for _, n := range numbers {
		fields = append(fields, shamir.Uint64(n))
	}
	return &Chance{seed: shamir.Hash("attack/chance", fields...)}
}

// Read fills b.
func (c *Chance) Read(b []byte) (int, error) {
	for filled := 0; filled < len(b); {
		if len(c.rest) == 0 {
			sum := shamir.Hash("attack/stream", c.seed[:], shamir.Uint64(c.block))
			c.rest, c.block = sum[:], c.block+1
		}
		n := copy(b[filled:], c.rest)
		c.rest, filled = c.rest[n:], filled+n
	}
	return len(b), nil
}

// Bytes returns n bytes.
func (c *Chance) Bytes(n int) []byte {
	b := make([]byte, n)
	c.Read(b)
	return b
}

// IntN is a number from 0 to n-1; its bias, n in 2^64, is of no account here.
func (c *Chance) IntN(n int) int {
	return int(binary.BigEndian.Uint64(c.Bytes(8)) % uint64(n))
}

// Percent is true so many times in a hundred.
func (c *Chance) Percent(p int) bool { return c.IntN(100) < p }

// Scalar is a uniform scalar of g, not zero.
func (c *Chance) Scalar(g shamir.Group) kyber.Scalar {
	for {
		if s, err := shamir.RandomScalar(g, c); err == nil {
			return s
		}
	}
}

// Point is a random point of g.
func (c *Chance) Point(g shamir.Group) kyber.Point { return g.Point().Mul(c.Scalar(g), nil) }

// Some are k different numbers from 0 to n-1, ascending.
func (c *Chance) Some(k, n int) []int {
	var out []int
	for i := range n {
		if c.IntN(n-i) < k-len(out) {
			out = append(out, i)
		}
	}
	return out
}

func shuffle[T any](c *Chance, s []T) {
	for i := len(s) - 1; i > 0; i-- {
		j := c.IntN(i + 1)
		s[i], s[j] = s[j], s[i]
	}
}

func pick[T any](c *Chance, s []T) T { return s[c.IntN(len(s))] }
