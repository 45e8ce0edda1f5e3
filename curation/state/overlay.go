package state

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// Overlay holds changes above another state until they are written down or
// thrown away: a block's above the store, a transaction's above the block's.
// It is for one goroutine. The state below must not change while it is in use.
type Overlay struct {
	below  Reader
	writes map[string][]byte // nil deletes
	keys   keyIndex          // of writes
}

// NewOverlay returns an overlay without changes.
func NewOverlay(below Reader) *Overlay {
	return &Overlay{below: below, writes: map[string][]byte{}}
}

// Get implements Reader.
func (o *Overlay) Get(key []byte) ([]byte, bool) {
	if v, written := o.writes[string(key)]; written {
		return v, v != nil
	}
	return o.below.Get(key)
}

// Set writes a value, which the overlay keeps: the caller must not change it.
// It panics on an empty one, which could not be told from a deletion everywhere.
func (o *Overlay) Set(key, value []byte) {
	if len(value) == 0 {
		panic(fmt.Sprintf("state: empty value for key %x", key))
	}
	o.write(string(key), value)
}

// Delete removes a key, present or not.
func (o *Overlay) Delete(key []byte) { o.write(string(key), nil) }

func (o *Overlay) write(key string, value []byte) {
	if _, written := o.writes[key]; !written {
		o.keys.insert(key)
	}
	o.writes[key] = value
}

// Ascend implements Reader.
func (o *Overlay) Ascend(prefix []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		var mine []Change
		for key := range o.keys.ascend(string(prefix)) {
			if !strings.HasPrefix(key, string(prefix)) {
				break
			}
			mine = append(mine, Change{Key: []byte(key), Value: o.writes[key]})
		}
		emit := func(c Change) bool { return c.Value == nil || yield(c.Key, c.Value) }
		for key, value := range o.below.Ascend(prefix) {
			for len(mine) > 0 && bytes.Compare(mine[0].Key, key) < 0 {
				if !emit(mine[0]) {
					return
				}
				mine = mine[1:]
			}
			next := Change{Key: key, Value: value}
			if len(mine) > 0 && bytes.Equal(mine[0].Key, key) {
				next, mine = mine[0], mine[1:]
			}
			if !emit(next) {
				return
			}
		}
		for _, c := range mine {
			if !emit(c) {
				return
			}
		}
	}
}

// Changes returns the writes in ascending order of keys, one for each key that
// differs from the state below.
func (o *Overlay) Changes() []Change {
	var changes []Change
	for key := range o.keys.ascend("") {
		value := o.writes[key]
		old, had := o.below.Get([]byte(key))
		if had == (value != nil) && bytes.Equal(old, value) {
			continue
		}
		changes = append(changes, Change{Key: []byte(key), Value: value})
	}
	return slices.Clip(changes)
}

// Flush writes the changes into the overlay below and empties this one. It
// panics when what lies below is not an overlay: a store takes staged changes.
func (o *Overlay) Flush() {
	below, ok := o.below.(*Overlay)
	if !ok {
		panic("state: flush into a store")
	}
	for key := range o.keys.ascend("") {
		below.write(key, o.writes[key])
	}
	o.Reset()
}

// Reset throws the changes away.
func (o *Overlay) Reset() {
	clear(o.writes)
	o.keys = keyIndex{}
}
