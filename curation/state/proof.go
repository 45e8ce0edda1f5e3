package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// ErrProof reports a proof that does not show what it claims.
var ErrProof = errors.New("proof does not match the state's hash")

// Proof shows what a state of known hash holds, or does not hold, under one key.
type Proof struct {
	Bits    int        // logarithm of the number of buckets
	Module  int        // position of the key's module
	Modules int        // number of modules
	Bucket  []pair     // the key's bucket
	Path    [][32]byte // siblings from the bucket upwards, empty ones as zero: Bits of them
	Above   [][32]byte // siblings from the module's leaf upwards
}

// Prove returns the proof for a key, present or absent. It panics on a key of no
// module.
func (s *Store) Prove(key []byte) Proof {
	m := s.module(key)
	if m < 0 {
		panic(fmt.Sprintf("state: key %x belongs to no module", key))
	}
	t := &s.trees[m]
	i := bucketOf(sha256.Sum256(key), s.bits)
	p := Proof{Bits: s.bits, Module: m, Modules: len(s.modules), Bucket: t.buckets[i]}
	for l := range s.bits {
		p.Path = append(p.Path, t.nodes[l][i^1])
		i /= 2
	}
	roots := make([][32]byte, len(s.trees))
	for j := range s.trees {
		roots[j] = s.trees[j].root
	}
	for level := s.moduleLeaves(roots); len(level) > 1; level = parents(level) {
		p.Above = append(p.Above, level[m^1])
		m /= 2
	}
	return p
}

// Verify returns nil when the state whose hash is root holds value under key, or
// for a nil value, holds nothing under key.
func (p Proof) Verify(root [32]byte, key, value []byte) error {
	module, _, found := bytes.Cut(key, []byte("/"))
	if !found || p.Bits < MinBits || p.Bits > MaxBits || len(p.Path) != p.Bits || p.Modules < 1 || p.Modules > MaxModules ||
		p.Module < 0 || p.Module >= p.Modules || len(p.Above) != depth(p.Modules) {
		return fmt.Errorf("%w: wrong shape", ErrProof)
	}
	hashed, holds := sha256.Sum256(key), false
	for i, entry := range p.Bucket {
		if i > 0 && bytes.Compare(p.Bucket[i-1].key[:], entry.key[:]) >= 0 || bucketOf(entry.key, p.Bits) != bucketOf(hashed, p.Bits) {
			return fmt.Errorf("%w: bucket out of order", ErrProof)
		}
		if entry.key == hashed {
			if holds = true; value == nil || entry.value != sha256.Sum256(value) {
				return fmt.Errorf("%w: the key holds another value", ErrProof)
			}
		}
	}
	if value != nil && !holds {
		return fmt.Errorf("%w: the key is absent", ErrProof)
	}
	climb := func(h [32]byte, i uint32, siblings [][32]byte) [32]byte {
		for _, sibling := range siblings {
			if i&1 == 0 {
				h = nodeHash(h, sibling)
			} else {
				h = nodeHash(sibling, h)
			}
			i /= 2
		}
		return h
	}
	moduleRoot := climb(bucketHash(p.Bucket), bucketOf(hashed, p.Bits), p.Path)
	top := climb(Hash("module", module, moduleRoot[:]), uint32(p.Module), p.Above)
	if total(p.Bits, p.Modules, top) != root {
		return ErrProof
	}
	return nil
}

// proofVersion is the first byte of the binary form.
const proofVersion = 1

// MarshalBinary returns the form for the wire: version, bits, module, modules,
// a u32 that tells which siblings of Path are not empty, the number of pairs,
// then pairs, those siblings, and Above. A bucket of over 255 pairs, which no
// honest state has, is an error.
func (p Proof) MarshalBinary() ([]byte, error) {
	if len(p.Bucket) > 255 {
		return nil, fmt.Errorf("%w: bucket of %d entries", ErrProof, len(p.Bucket))
	}
	present := uint32(0)
	for i, h := range p.Path {
		if h != ([32]byte{}) {
			present |= 1 << i
		}
	}
	b := []byte{proofVersion, byte(p.Bits), byte(p.Module), byte(p.Modules)}
	b = binary.BigEndian.AppendUint32(b, present)
	b = append(b, byte(len(p.Bucket)))
	for _, entry := range p.Bucket {
		b = append(append(b, entry.key[:]...), entry.value[:]...)
	}
	for _, h := range p.Path {
		if h != ([32]byte{}) {
			b = append(b, h[:]...)
		}
	}
	for _, h := range p.Above {
		b = append(b, h[:]...)
	}
	return b, nil
}

// ParseProof reads what MarshalBinary wrote. Its errors wrap ErrProof.
func ParseProof(data []byte) (Proof, error) {
	const header = 9
	if len(data) < header || data[0] != proofVersion {
		return Proof{}, fmt.Errorf("%w: not a proof of version %d", ErrProof, proofVersion)
	}
	p := Proof{Bits: int(data[1]), Module: int(data[2]), Modules: int(data[3])}
	present, pairs := binary.BigEndian.Uint32(data[4:]), int(data[8])
	if p.Bits < MinBits || p.Bits > MaxBits || present>>p.Bits != 0 || p.Modules < 1 || p.Modules > MaxModules || p.Module >= p.Modules {
		return Proof{}, fmt.Errorf("%w: numbers out of range", ErrProof)
	}
	above := depth(p.Modules)
	if want := header + 64*pairs + 32*(bits.OnesCount32(present)+above); len(data) != want {
		return Proof{}, fmt.Errorf("%w: %d bytes, want %d", ErrProof, len(data), want)
	}
	rest := data[header:]
	take := func() (h [32]byte) {
		h, rest = [32]byte(rest[:32]), rest[32:]
		return h
	}
	for range pairs {
		p.Bucket = append(p.Bucket, pair{key: take(), value: take()})
	}
	for i := range p.Bits {
		var h [32]byte
		if present>>i&1 == 1 {
			if h = take(); h == ([32]byte{}) {
				return Proof{}, fmt.Errorf("%w: empty sibling written out", ErrProof)
			}
		}
		p.Path = append(p.Path, h)
	}
	for range above {
		p.Above = append(p.Above, take())
	}
	return p, nil
}
