package state

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

var testModules = []string{"account", "artwork", "round"}

// model is what a state means: a plain map.
type model map[string]string

func (m model) sorted(prefix string) []string {
	var keys []string
	for k := range m {
		if len(k) >= len(prefix) && k[:len(prefix)] == prefix {
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	return keys
}

func (m model) clone() model {
	c := model{}
	for k, v := range m {
		c[k] = v
	}
	return c
}

func requireSame(t require.TestingT, want model, have Reader, prefix string) {
	var keys []string
	for k, v := range have.Ascend([]byte(prefix)) {
		keys = append(keys, string(k))
		require.Equal(t, want[string(k)], string(v))
	}
	require.Equal(t, want.sorted(prefix), keys)
}

func genKey(t *rapid.T) string {
	return rapid.SampledFrom(testModules).Draw(t, "module") + "/" + fmt.Sprint(rapid.IntRange(0, 40).Draw(t, "key"))
}

func TestOverlaysAndStoreBehaveLikeAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, committed := New(MinBits, testModules...), model{}
		for range rapid.IntRange(1, 5).Draw(t, "blocks") {
			block, blockModel := NewOverlay(store), committed.clone()
			for range rapid.IntRange(0, 4).Draw(t, "transactions") {
				tx, txModel := NewOverlay(block), blockModel.clone()
				for range rapid.IntRange(0, 12).Draw(t, "writes") {
					key := genKey(t)
					if rapid.Bool().Draw(t, "delete") {
						tx.Delete([]byte(key))
						delete(txModel, key)
					} else {
						value := rapid.StringMatching(`[a-c]{1,3}`).Draw(t, "value")
						tx.Set([]byte(key), []byte(value))
						txModel[key] = value
					}
					got, ok := tx.Get([]byte(key))
					want, has := txModel[key]
					require.Equal(t, has, ok)
					require.Equal(t, want, string(got))
				}
				requireSame(t, txModel, tx, "")
				requireSame(t, txModel, tx, "artwork/")
				requireSame(t, txModel, tx, "round/1")
				if rapid.Bool().Draw(t, "refused") {
					tx.Reset()
				} else {
					tx.Flush()
					blockModel = txModel
				}
				requireSame(t, blockModel, block, "")
			}
			changes := block.Changes()
			require.True(t, sort.SliceIsSorted(changes, func(i, j int) bool { return bytes.Compare(changes[i].Key, changes[j].Key) < 0 }))
			before := store.Hash()
			staged := store.Stage(changes)
			require.Equal(t, before, store.Hash(), "staging changes nothing")
			requireSame(t, committed, store, "")
			if rapid.Bool().Draw(t, "abandoned") {
				continue
			}
			store.Apply(staged)
			committed = blockModel
			require.Equal(t, staged.Hash(), store.Hash())
			require.Equal(t, len(committed), store.Len())
			requireSame(t, committed, store, "")

			again := New(MinBits, testModules...)
			require.NoError(t, again.Load(store.Ascend(nil)))
			require.Equal(t, store.Hash(), again.Hash(), "the hash depends on the entries only")
			for range 5 {
				key := []byte(genKey(t))
				value, _ := store.Get(key)
				requireProves(t, store, key, value)
			}
		}
	})
}

// requireProves checks that the proof of key shows value (nil: absence) and
// nothing else, also over the wire.
func requireProves(t require.TestingT, store *Store, key, value []byte) {
	data, err := store.Prove(key).MarshalBinary()
	require.NoError(t, err)
	proof, err := ParseProof(data)
	require.NoError(t, err)
	root := store.Hash()
	require.NoError(t, proof.Verify(root, key, value))
	require.ErrorIs(t, proof.Verify(root, key, append(bytes.Clone(value), 'x')), ErrProof, "another value")
	if value != nil {
		require.ErrorIs(t, proof.Verify(root, key, nil), ErrProof, "absence of what is there")
	}
	root[0] ^= 1
	require.ErrorIs(t, proof.Verify(root, key, value), ErrProof, "another state")
}

func TestAProofShowsOneKeyOnly(t *testing.T) {
	store := filled(200)
	root := store.Hash()
	proof := store.Prove([]byte("account/7"))
	require.NoError(t, proof.Verify(root, []byte("account/7"), []byte("value 7")))
	require.ErrorIs(t, proof.Verify(root, []byte("account/8"), []byte("value 8")), ErrProof)
	require.ErrorIs(t, proof.Verify(root, []byte("account/absent"), nil), ErrProof)
	require.ErrorIs(t, proof.Verify(root, []byte("artwork/7"), []byte("value 7")), ErrProof, "another module")
	require.ErrorIs(t, proof.Verify(root, []byte("nowhere"), nil), ErrProof, "no module at all")
	for name, change := range map[string]func(*Proof){
		"another module's place": func(p *Proof) { p.Module = 1 },
		"more modules":           func(p *Proof) { p.Modules++ },
		"a bit less":             func(p *Proof) { p.Bits--; p.Path = p.Path[1:] },
		"a shorter path":         func(p *Proof) { p.Path = p.Path[1:] },
		"an emptied bucket":      func(p *Proof) { p.Bucket = nil },
		"a negative place":       func(p *Proof) { p.Module = -1 },
		"a doubled entry":        func(p *Proof) { p.Bucket = append(p.Bucket[:1:1], p.Bucket...) },
	} {
		bad := store.Prove([]byte("account/7"))
		change(&bad)
		require.ErrorIs(t, bad.Verify(root, []byte("account/7"), []byte("value 7")), ErrProof, name)
		require.ErrorIs(t, bad.Verify(root, []byte("account/7"), nil), ErrProof, name)
	}
}

// filled returns a store with n accounts, loaded in order.
func filled(n int) *Store { return filledBits(DefaultBits, n) }

func filledBits(bits, n int) *Store {
	s := New(bits, testModules...)
	var changes []Change
	for i := range n {
		changes = append(changes, Change{Key: fmt.Appendf(nil, "account/%d", i), Value: fmt.Appendf(nil, "value %d", i)})
	}
	s.Apply(s.Stage(changes))
	return s
}

func TestNeighboursAreWhatASortedListSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		store, m := New(MinBits, testModules...), model{}
		var changes []Change
		for range rapid.IntRange(0, 200).Draw(t, "entries") {
			key := genKey(t)
			m[key] = "v"
			changes = append(changes, Change{Key: []byte(key), Value: []byte("v")})
		}
		store.Apply(store.Stage(changes))
		prefix := rapid.SampledFrom([]string{"account/", "artwork/", "artwork/1", "round/4", "round/\xff", "absent/"}).Draw(t, "prefix")
		keys := m.sorted(prefix)
		var up, down []string
		for k, v, ok := store.After([]byte(prefix), nil); ok; k, v, ok = store.After([]byte(prefix), k) {
			require.Equal(t, "v", string(v))
			up = append(up, string(k))
		}
		for k, _, ok := store.Before([]byte(prefix), nil); ok; k, _, ok = store.Before([]byte(prefix), k) {
			down = append(down, string(k))
		}
		require.Equal(t, keys, up)
		slices.Reverse(down)
		require.Equal(t, keys, down)

		from := genKey(t) // present or not, of this table or not
		var above, below string
		for _, k := range keys {
			if k > from && above == "" {
				above = k
			}
			if k < from {
				below = k
			}
		}
		k, _, _ := store.After([]byte(prefix), []byte(from))
		require.Equal(t, above, string(k))
		k, _, _ = store.Before([]byte(prefix), []byte(from))
		require.Equal(t, below, string(k))
	})
}

func TestProofsStayBelowOneKibibyteUpToAKeyPerBucket(t *testing.T) {
	store := filled(1 << DefaultBits)
	over := 0
	for i := range 2000 {
		for _, key := range [][]byte{fmt.Appendf(nil, "account/%d", i), fmt.Appendf(nil, "account/absent %d", i)} {
			data, err := store.Prove(key).MarshalBinary()
			require.NoError(t, err)
			if len(data) >= 1024 {
				over++
			}
		}
	}
	require.LessOrEqual(t, over, 4, "of 4000 proofs")
}

func TestEntriesThatNoStoreWritesAreRefused(t *testing.T) {
	for name, entries := range map[string][]Change{
		"a key without module": {{Key: []byte("account"), Value: []byte{1}}},
		"a key of no module":   {{Key: []byte("palace/1"), Value: []byte{1}}},
		"an empty value":       {{Key: []byte("account/1")}},
		"a key twice":          {{Key: []byte("account/1"), Value: []byte{1}}, {Key: []byte("account/1"), Value: []byte{1}}},
		"keys out of order":    {{Key: []byte("account/2"), Value: []byte{1}}, {Key: []byte("account/1"), Value: []byte{1}}},
	} {
		require.ErrorIs(t, New(MinBits, testModules...).Load(stream(entries)), ErrEntry, name)
	}
	require.ErrorIs(t, filled(1).Load(stream(nil)), ErrEntry, "a store that is not empty")
}

func stream(entries []Change) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for _, e := range entries {
			if !yield(e.Key, e.Value) {
				return
			}
		}
	}
}

// knownHash comes from a second implementation of this package's comment, thirty
// lines of Python over hashlib. Another value is a fork of every chain.
const knownHash = "d80abd2865106f9d5cb9ee436a8740629d82b288048c0bbde0dfc8f11f0c4315"

func TestTheHashOfAKnownStateNeverChanges(t *testing.T) {
	require.Equal(t, knownHash, fmt.Sprintf("%x", filledBits(DefaultBits, 100).Hash()))
}

func TestKeysStaySortedOverManyChunks(t *testing.T) {
	var x keyIndex
	want := map[string]bool{}
	for i := range 5000 {
		key := fmt.Sprintf("%05d", i*7919%5000)
		x.insert(key)
		x.insert(key)
		want[key] = true
	}
	for i := 0; i < 5000; i += 3 {
		key := fmt.Sprintf("%05d", i)
		x.delete(key)
		x.delete(key)
		delete(want, key)
	}
	var last string
	n := 0
	for key := range x.ascend("") {
		require.Less(t, last, key)
		require.True(t, want[key])
		last = key
		n++
	}
	require.Equal(t, len(want), n)
	for _, chunk := range x.chunks {
		require.NotEmpty(t, chunk)
		require.LessOrEqual(t, len(chunk), chunkSize)
	}
	for key := range x.ascend("04000") {
		require.Equal(t, "04000", key)
		break
	}
}

func FuzzProof(f *testing.F) {
	store := filled(500)
	root := store.Hash()
	for _, key := range []string{"account/7", "account/absent", "round/1"} {
		data, err := store.Prove([]byte(key)).MarshalBinary()
		require.NoError(f, err)
		f.Add(data)
		f.Add(data[:len(data)-1])
	}
	f.Add([]byte{1, 14, 0, 3, 0xff, 0xff, 0xff, 0xff, 255})
	f.Fuzz(func(t *testing.T, data []byte) {
		proof, err := ParseProof(data)
		if err != nil {
			require.ErrorIs(t, err, ErrProof)
			return
		}
		again, err := proof.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, data, again)
		require.Error(t, proof.Verify(root, []byte("account/7"), []byte("forged")))
		require.Error(t, proof.Verify(root, []byte("account/7"), nil))
		require.Error(t, proof.Verify(root, []byte("account/absent"), []byte("forged")))
	})
}

// BenchmarkStage is a block of 500 transfers, 1000 changed accounts, on 100,000.
func BenchmarkStage(b *testing.B) {
	s := filled(100_000)
	n := 0
	for b.Loop() {
		var changes []Change
		for i := range 1000 {
			changes = append(changes, Change{Key: fmt.Appendf(nil, "account/%d", (i*7919+n)%100_000), Value: fmt.Appendf(nil, "%d %d", i, n)})
		}
		s.Apply(s.Stage(changes))
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/500, "µs/tx")
}
