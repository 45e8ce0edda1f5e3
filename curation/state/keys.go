package state

import (
	"iter"
	"slices"
	"sort"
)

// chunkSize bounds the keys that an insertion moves: 512 strings are 8 KiB.
const chunkSize = 512

// keyIndex is a sorted set of keys in chunks of at most chunkSize, none of them
// empty. Insertion moves one chunk, so a million keys cost about what a
// thousand do; a search tree would save nothing that shows.
type keyIndex struct{ chunks [][]string }

// chunk returns the index of the chunk where key is or belongs.
func (x *keyIndex) chunk(key string) int {
	i := sort.Search(len(x.chunks), func(i int) bool { return x.chunks[i][0] > key })
	return max(i-1, 0)
}

func (x *keyIndex) insert(key string) {
	if len(x.chunks) == 0 {
		x.chunks = [][]string{{key}}
		return
	}
	c := x.chunk(key)
	i, found := slices.BinarySearch(x.chunks[c], key)
	if found {
		return
	}
	chunk := slices.Insert(x.chunks[c], i, key)
	x.chunks[c] = chunk
	if len(chunk) > chunkSize {
		upper := slices.Clone(chunk[chunkSize/2:])
		x.chunks[c] = chunk[: chunkSize/2 : chunkSize/2]
		x.chunks = slices.Insert(x.chunks, c+1, upper)
	}
}

func (x *keyIndex) delete(key string) {
	if len(x.chunks) == 0 {
		return
	}
	c := x.chunk(key)
	i, found := slices.BinarySearch(x.chunks[c], key)
	if !found {
		return
	}
	x.chunks[c] = slices.Delete(x.chunks[c], i, i+1)
	if len(x.chunks[c]) == 0 {
		x.chunks = slices.Delete(x.chunks, c, c+1)
	}
}

// above returns the first key above key, if there is one.
func (x *keyIndex) above(key string) (string, bool) {
	if len(x.chunks) == 0 {
		return "", false
	}
	c := x.chunk(key)
	i, found := slices.BinarySearch(x.chunks[c], key)
	if found {
		i++
	}
	switch {
	case i < len(x.chunks[c]):
		return x.chunks[c][i], true
	case c+1 < len(x.chunks):
		return x.chunks[c+1][0], true
	}
	return "", false
}

// below returns the last key below key, if there is one.
func (x *keyIndex) below(key string) (string, bool) {
	if len(x.chunks) == 0 {
		return "", false
	}
	c := x.chunk(key)
	i, _ := slices.BinarySearch(x.chunks[c], key)
	switch {
	case i > 0:
		return x.chunks[c][i-1], true
	case c > 0:
		return x.chunks[c-1][len(x.chunks[c-1])-1], true
	}
	return "", false
}

// ascend yields the keys from the first that is not below from.
func (x *keyIndex) ascend(from string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if len(x.chunks) == 0 {
			return
		}
		for c := x.chunk(from); c < len(x.chunks); c++ {
			i, _ := slices.BinarySearch(x.chunks[c], from)
			for _, key := range x.chunks[c][i:] {
				if !yield(key) {
					return
				}
			}
		}
	}
}
