package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// pair is an entry as the tree sees it: SHA-256 of key and of value.
type pair struct{ key, value [32]byte }

type leafChange struct {
	pair
	delete bool
}

// tree is a Merkle tree over 2^bits buckets. An empty bucket and a node above
// two empty ones hash to zero and are not stored, which keeps small states small
// in memory and in proofs. Otherwise
//
//	bucket = SHA-256(0x00 ‖ its pairs in ascending order of key)
//	node   = SHA-256(0x01 ‖ left ‖ right)
type tree struct {
	bits    int
	buckets map[uint32][]pair
	// nodes[l] holds the nodes l levels above the buckets, for 0 ≤ l ≤ bits.
	nodes []map[uint32][32]byte
	root  [32]byte
}

type stagedTree struct {
	buckets map[uint32][]pair // nil when empty
	nodes   []map[uint32][32]byte
	root    [32]byte
}

func newTree(bits int) tree {
	t := tree{bits: bits, buckets: map[uint32][]pair{}, nodes: make([]map[uint32][32]byte, bits+1)}
	for i := range t.nodes {
		t.nodes[i] = map[uint32][32]byte{}
	}
	return t
}

// bucketOf is the bucket of a hashed key.
func bucketOf(key [32]byte, bits int) uint32 {
	return binary.BigEndian.Uint32(key[:4]) >> (32 - bits)
}

func bucketHash(pairs []pair) (sum [32]byte) {
	if len(pairs) == 0 {
		return sum
	}
	h := sha256.New()
	h.Write([]byte{0})
	for i := range pairs {
		h.Write(pairs[i].key[:])
		h.Write(pairs[i].value[:])
	}
	h.Sum(sum[:0])
	return sum
}

func nodeHash(left, right [32]byte) [32]byte {
	if left == ([32]byte{}) && right == ([32]byte{}) {
		return left
	}
	var b [65]byte
	b[0] = 1
	copy(b[1:], left[:])
	copy(b[33:], right[:])
	return sha256.Sum256(b[:])
}

func parents(level [][32]byte) [][32]byte {
	up := make([][32]byte, len(level)/2)
	for i := range up {
		up[i] = nodeHash(level[2*i], level[2*i+1])
	}
	return up
}

// stage computes buckets, nodes and root after changes.
func (t *tree) stage(changes []leafChange) stagedTree {
	s := stagedTree{root: t.root}
	if len(changes) == 0 {
		return s
	}
	s.buckets = map[uint32][]pair{}
	for _, c := range changes {
		b := bucketOf(c.key, t.bits)
		pairs, copied := s.buckets[b]
		if !copied {
			pairs = slices.Clone(t.buckets[b])
		}
		s.buckets[b] = applyLeaf(pairs, c)
	}
	s.nodes = make([]map[uint32][32]byte, t.bits+1)
	level := make(map[uint32][32]byte, len(s.buckets))
	for b, pairs := range s.buckets {
		level[b] = bucketHash(pairs)
	}
	s.nodes[0] = level
	for l := 0; l < t.bits; l++ {
		below, up := s.nodes[l], make(map[uint32][32]byte, len(s.nodes[l])/2+1)
		child := func(i uint32) [32]byte {
			if h, changed := below[i]; changed {
				return h
			}
			return t.nodes[l][i]
		}
		for i := range below {
			if _, done := up[i/2]; !done {
				up[i/2] = nodeHash(child(i&^1), child(i|1))
			}
		}
		s.nodes[l+1] = up
	}
	s.root = s.nodes[t.bits][0]
	return s
}

func applyLeaf(pairs []pair, c leafChange) []pair {
	i, found := slices.BinarySearchFunc(pairs, c.key, func(p pair, key [32]byte) int {
		return bytes.Compare(p.key[:], key[:])
	})
	switch {
	case found && c.delete:
		return slices.Delete(pairs, i, i+1)
	case found:
		pairs[i].value = c.value
	case !c.delete:
		return slices.Insert(pairs, i, c.pair)
	}
	return pairs
}

func (t *tree) apply(s stagedTree) {
	for b, pairs := range s.buckets {
		if len(pairs) == 0 {
			delete(t.buckets, b)
		} else {
			t.buckets[b] = pairs
		}
	}
	for l, level := range s.nodes {
		for i, h := range level {
			if h == ([32]byte{}) {
				delete(t.nodes[l], i)
			} else {
				t.nodes[l][i] = h
			}
		}
	}
	t.root = s.root
}
