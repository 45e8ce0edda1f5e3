// Package state is the ledger's memory: a flat, ordered map from keys to values
// whose every version has one 32-byte hash, with overlays that make changes all
// or nothing, and short proofs that a key holds a value or is absent.
//
// A key is "module/rest"; the modules are fixed when the store is made. Each
// module has a Merkle tree over 2^bits buckets, and a key falls into the bucket
// that the first bits of its SHA-256 name. The hash of the whole is
//
//	Hash("state", bits, modules, root of a tree over Hash("module", name, root))
//
// It depends on the entries only, not on how they came about, so a store that is
// rebuilt from a sorted stream of entries has the hash of the original. A flat
// map with fixed buckets beats a search tree because nothing is rebalanced: a
// changed key costs one bucket and bits node hashes (research of the prototype:
// 10 µs per transaction against 394 µs for IAVL).
//
// bits trades the length of proofs against the size of buckets. DefaultBits is
// 14, not the 18 that ten million keys would want: the nodes of a demonstration
// run four to a process, proofs are 128 bytes shorter, and at one key per bucket
// (16,000 keys in a module) 999 of 1000 are below 1 KiB. Only nodes above used
// buckets are kept in memory. The number is part of the hash, so a chain keeps
// the one that it began with.
//
// A Store may be read by many goroutines while nobody stages or applies. Wrong
// uses (a key without module, an empty value) are bugs of the caller and panic;
// what comes from outside goes through Load and ParseProof, which return errors.
package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// DefaultBits is the default logarithm of the number of buckets per module.
const DefaultBits = 14

// MinBits and MaxBits bound it.
const (
	MinBits = 4
	MaxBits = 24
)

// MaxModules bounds the number of modules.
const MaxModules = 32

// ErrEntry reports an entry that no store could have written.
var ErrEntry = errors.New("not an entry of this state")

// hashPrefix separates the ledger's hashes from those of every other part.
const hashPrefix = "atelier/ledger/v1/"

// Hash is SHA-256(u64|tag| ‖ tag ‖ Σ u64|field| ‖ field) with the full tag
// "atelier/ledger/v1/"+tag. Lengths are big endian, so no two lists of fields
// give one string. It is the ledger's hash for everything outside the trees.
func Hash(tag string, fields ...[]byte) [32]byte {
	h := sha256.New()
	var size [8]byte
	write := func(field []byte) {
		binary.BigEndian.PutUint64(size[:], uint64(len(field)))
		h.Write(size[:])
		h.Write(field)
	}
	write([]byte(hashPrefix + tag))
	for _, field := range fields {
		write(field)
	}
	return [32]byte(h.Sum(nil))
}

// Reader is a state that can be read: a Store or an Overlay.
type Reader interface {
	// Get returns the value of key. The caller must not change it.
	Get(key []byte) (value []byte, ok bool)
	// Ascend yields the entries whose keys start with prefix in ascending order.
	// It shows the state as it was when the iteration began, also when the loop's
	// body writes to the overlay it reads.
	Ascend(prefix []byte) iter.Seq2[[]byte, []byte]
}

// Change is one write; a nil Value deletes the key.
type Change struct{ Key, Value []byte }

// Store is the committed state.
type Store struct {
	bits    int
	modules []string
	trees   []tree
	values  map[string][]byte
	keys    keyIndex
}

// New returns an empty store with the given modules and 2^bits buckets for each.
// It panics on names that are not distinct, empty or contain a slash, and on
// numbers out of range: they are constants of the program.
func New(bits int, modules ...string) *Store {
	if bits < MinBits || bits > MaxBits || len(modules) == 0 || len(modules) > MaxModules {
		panic(fmt.Sprintf("state: %d bits and %d modules", bits, len(modules)))
	}
	s := &Store{bits: bits, modules: modules, values: map[string][]byte{}}
	for i, name := range modules {
		if name == "" || strings.Contains(name, "/") || moduleIndex(modules[:i], name) >= 0 {
			panic(fmt.Sprintf("state: module name %q", name))
		}
		s.trees = append(s.trees, newTree(bits))
	}
	return s
}

// Load fills an empty store from entries in strictly ascending order of keys and
// copies what it keeps. The caller compares Hash with the one it expects.
func (s *Store) Load(entries iter.Seq2[[]byte, []byte]) error {
	if len(s.values) != 0 {
		return fmt.Errorf("%w: the store is not empty", ErrEntry)
	}
	var last []byte
	var changes []Change
	for key, value := range entries {
		if s.module(key) < 0 || len(value) == 0 {
			return fmt.Errorf("%w: key %x", ErrEntry, key)
		}
		if last != nil && bytes.Compare(last, key) >= 0 {
			return fmt.Errorf("%w: key %x after %x", ErrEntry, key, last)
		}
		last = bytes.Clone(key)
		changes = append(changes, Change{Key: last, Value: bytes.Clone(value)})
	}
	s.Apply(s.Stage(changes))
	return nil
}

// Get implements Reader.
func (s *Store) Get(key []byte) ([]byte, bool) {
	v, ok := s.values[string(key)]
	return v, ok
}

// Ascend implements Reader. The store must not change while it runs.
func (s *Store) Ascend(prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for key := range s.keys.ascend(string(prefix)) {
			if !strings.HasPrefix(key, string(prefix)) || !yield([]byte(key), s.values[key]) {
				return
			}
		}
	}
}

// After returns the first entry whose key starts with prefix and is above key, and
// Before the last one below it: how a long table is read by pages, in either
// direction, at a cost in which its length hardly shows. A nil key means from the
// beginning, or from the end.
func (s *Store) After(prefix, key []byte) (k, value []byte, ok bool) {
	if string(key) < string(prefix) {
		for k, v := range s.Ascend(prefix) {
			return k, v, true
		}
		return nil, nil, false
	}
	found, ok := s.keys.above(string(key))
	return s.entry(found, prefix, ok)
}

// Before is described with After.
func (s *Store) Before(prefix, key []byte) (k, value []byte, ok bool) {
	from := behind(prefix)
	if key != nil {
		from = min(from, string(key))
	}
	found, ok := s.keys.below(from)
	return s.entry(found, prefix, ok)
}

func (s *Store) entry(key string, prefix []byte, ok bool) ([]byte, []byte, bool) {
	if !ok || !strings.HasPrefix(key, string(prefix)) {
		return nil, nil, false
	}
	return []byte(key), s.values[key], true
}

// behind is a key above all that start with prefix. Prefixes begin with the name of a
// module, so some byte can be raised.
func behind(prefix []byte) string {
	end := bytes.Clone(bytes.TrimRight(prefix, "\xff"))
	end[len(end)-1]++
	return string(end)
}

// Len is the number of entries.
func (s *Store) Len() int { return len(s.values) }

// Hash is the hash of the whole state.
func (s *Store) Hash() [32]byte {
	roots := make([][32]byte, len(s.trees))
	for i := range s.trees {
		roots[i] = s.trees[i].root
	}
	return s.combine(roots)
}

// Staged is a set of changes with the hash that the state will have after them.
type Staged struct {
	changes []Change
	trees   []stagedTree
	hash    [32]byte
}

// Hash is the hash of the state with the changes.
func (s *Staged) Hash() [32]byte { return s.hash }

// Stage computes what changes make of the state without changing it. The last of
// several changes of one key counts.
func (s *Store) Stage(changes []Change) *Staged {
	perModule := make([][]leafChange, len(s.trees))
	for _, c := range changes {
		m := s.module(c.Key)
		if m < 0 {
			panic(fmt.Sprintf("state: key %x belongs to no module", c.Key))
		}
		leaf := leafChange{pair: pair{key: sha256.Sum256(c.Key)}, delete: c.Value == nil}
		if c.Value != nil {
			if len(c.Value) == 0 {
				panic(fmt.Sprintf("state: empty value for key %x", c.Key))
			}
			leaf.value = sha256.Sum256(c.Value)
		}
		perModule[m] = append(perModule[m], leaf)
	}
	staged := &Staged{changes: changes, trees: make([]stagedTree, len(s.trees))}
	roots := make([][32]byte, len(s.trees))
	for i := range s.trees {
		staged.trees[i] = s.trees[i].stage(perModule[i])
		roots[i] = staged.trees[i].root
	}
	staged.hash = s.combine(roots)
	return staged
}

// Apply makes staged changes part of the state. They must have been staged on
// the state as it is.
func (s *Store) Apply(staged *Staged) {
	for _, c := range staged.changes {
		_, had := s.values[string(c.Key)]
		switch {
		case c.Value != nil:
			s.values[string(c.Key)] = c.Value
			if !had {
				s.keys.insert(string(c.Key))
			}
		case had:
			delete(s.values, string(c.Key))
			s.keys.delete(string(c.Key))
		}
	}
	for i := range s.trees {
		s.trees[i].apply(staged.trees[i])
	}
}

func (s *Store) module(key []byte) int {
	name, _, found := bytes.Cut(key, []byte("/"))
	if !found {
		return -1
	}
	return moduleIndex(s.modules, string(name))
}

func moduleIndex(modules []string, name string) int {
	for i, m := range modules {
		if m == name {
			return i
		}
	}
	return -1
}

// combine puts the roots of the modules under the hash of the whole.
func (s *Store) combine(roots [][32]byte) [32]byte {
	level := s.moduleLeaves(roots)
	for len(level) > 1 {
		level = parents(level)
	}
	return total(s.bits, len(s.modules), level[0])
}

// moduleLeaves returns one leaf per module, padded with empty ones to a power of
// two.
func (s *Store) moduleLeaves(roots [][32]byte) [][32]byte {
	leaves := make([][32]byte, 1<<depth(len(roots)))
	for i, root := range roots {
		leaves[i] = Hash("module", []byte(s.modules[i]), root[:])
	}
	return leaves
}

func total(bits, modules int, root [32]byte) [32]byte {
	var b, m [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(bits))
	binary.BigEndian.PutUint64(m[:], uint64(modules))
	return Hash("state", b[:], m[:], root[:])
}

// depth is the number of levels above n leaves: ⌈log2 n⌉.
func depth(n int) int {
	d := 0
	for 1<<d < n {
		d++
	}
	return d
}
