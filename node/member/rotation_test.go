package member_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// shortKeyEpochs is a network in which key epochs, and requests, last so many blocks.
func shortKeyEpochs(t testing.TB, n int, seed uint64, f faults, keyEpoch, request uint64) *world {
	return newWorldWith(t, n, seed, f, func(g *curation.Genesis) {
		g.Params.KeyEpochBlocks, g.Params.RequestBlocks = keyEpoch, request
		g.Params.RoundCandidates = 60 // hardly ever a round
		g.Balances[0].Amount = g.Balances[0].Amount.Add(g.Balances[0].Amount).Add(g.Balances[0].Amount)
	})
}

func (w *world) model() (m curation.Model) {
	w.view(w.leader, func(v curation.View) { m, _ = v.Model() })
	return m
}

func (w *world) modelAt(keyEpoch uint64) (m curation.Model, ok bool) {
	w.view(w.leader, func(v curation.View) { m, ok = v.ModelAt(keyEpoch) })
	return m, ok
}

func (w *world) rotation() (r curation.Rotation, due bool) {
	w.view(w.leader, func(v curation.View) { r, due = v.Rotation() })
	return r, due
}

// models says where the key epochs stand.
func (w *world) models() (s []string) {
	r, due := w.rotation()
	w.view(w.leader, func(v curation.View) {
		for _, m := range v.Models() {
			s = append(s, fmt.Sprintf("%d: %s (%d layers, by %d, stored %v, openers %v) %s", m.KeyEpoch, m.Standing, m.Layers, m.Sealer, m.Stored, m.Openers, m.Reason))
		}
	})
	return append(s, fmt.Sprintf("height %d, due %v %+v", w.height, due, r))
}

// open are the artworks on which somebody still works.
func (w *world) open() []curation.Artwork {
	return w.artworks(curation.StatusRequested, curation.StatusApproved, curation.StatusRegistered)
}

// load asks for a picture as soon as none is open, looking every so many blocks.
func (w *world) load(blocks int) {
	if w.model().KeyEpoch != 0 && len(w.open()) == 0 {
		w.ask(fmt.Sprintf("picture at %d", w.height))
	}
	w.after(blocks*blockTicks, func() { w.load(blocks) })
}

// untilModel lets time pass until the current model is as wanted.
func (w *world) untilModel(blocks uint64, what string, want func(m curation.Model) bool) {
	w.t.Helper()
	require.True(w.t, w.run(blocks, func() bool { return want(w.model()) }), "%s: %v\n%v", what, w.models(), summary(w))
}

func proven(keyEpoch uint64) func(curation.Model) bool {
	return func(m curation.Model) bool { return m.KeyEpoch >= keyEpoch && m.Standing == curation.ModelProven }
}

// keepsWhatIsNeeded says whether every member that is up has the containers that are
// needed, and no others.
func (w *world) keepsWhatIsNeeded() bool {
	needed := map[string]bool{}
	w.view(w.leader, func(v curation.View) {
		for _, m := range v.Keep() {
			needed[m.ContainerCID] = true
		}
	})
	for _, q := range w.members {
		if q.machine != nil && !maps.Equal(needed, onDisk(q)) {
			return false
		}
	}
	return true
}

func onDisk(q *peer) map[string]bool {
	here := map[string]bool{}
	for cid := range q.disk {
		here[cid] = true
	}
	return here
}

// TestKeyEpochsEndByThemselves has the artist wrapped again and again, up to the most
// layers that there may be and once more from scratch, while pictures are asked for and
// members crash. No request is lost, no share leaves against the rules, and what was
// replaced is on nobody's disk.
func TestKeyEpochsEndByThemselves(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       int
		faults  faults
		crashes int
		epochs  uint64
	}{
		{"one member alone", 1, calm, 0, 3},
		{"four members, calm, over the most layers and on", 4, calm, 0, 10},
		{"four members, drops, repeats and reordering", 4, storm, 0, 3},
		{"four members, one of them crashing again and again", 4, storm, 1, 3},
		{"seven members, two of them crashing again and again", 7, storm, 2, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := shortKeyEpochs(t, c.n, seedOf("rotation"+c.name), c.faults, 30, 200)
			w.found()
			w.stumble(c.crashes)
			w.load(4)
			most := 0
			for e := uint64(2); e <= c.epochs; e++ {
				w.untilModel(900, fmt.Sprintf("key epoch %d", e), proven(e))
				most = max(most, w.model().Layers)
			}
			if c.epochs > curation.MaxLayers {
				require.Equal(t, curation.MaxLayers, most)
				require.Less(t, w.model().Layers, curation.MaxLayers, "sealed from scratch: %v", w.models())
			}
			require.Zero(t, len(w.artworks(curation.StatusExpired, curation.StatusDisputed)), "%v", summary(w))
			require.True(t, w.run(200, w.keepsWhatIsNeeded), "%v", w.models())
			for _, e := range []uint64{1, 2} {
				m, _ := w.modelAt(e)
				if m.Standing == curation.ModelRetired && len(w.open()) == 0 {
					_, there := w.fetch(m.ContainerCID)
					require.False(t, there, "the container of key epoch %d is still to be had", e)
				}
			}
			require.Empty(t, w.failed)
		})
	}
}

// TestAnEpochThatNothingWasReleasedUnderDoesNotEnd: there is no key to leave behind.
func TestAnEpochThatNothingWasReleasedUnderDoesNotEnd(t *testing.T) {
	w := shortKeyEpochs(t, 4, 3, calm, 10, 200)
	w.found()
	require.False(t, w.run(120, func() bool { _, due := w.rotation(); return due }), "%v", w.models())
	require.Equal(t, uint64(1), w.model().KeyEpoch)
}

// TestRequestsOfTheOldKeyEpochFinish: what was approved before a rotation is opened with
// the container of then.
func TestRequestsOfTheOldKeyEpochFinish(t *testing.T) {
	w := shortKeyEpochs(t, 4, 5, calm, 20, 200)
	w.found()
	w.ask("first")
	w.untilModel(100, "an artist that is known to open", proven(1))
	w.faults.render = 60 * blockTicks
	w.ask("second")
	w.untilModel(100, "key epoch 2", func(m curation.Model) bool { return m.KeyEpoch == 2 })
	require.NotEmpty(t, w.open(), "it is still under way: %v", summary(w))
	w.ask("third")
	require.True(t, w.run(190, func() bool { return len(w.artworks(curation.StatusCandidate, curation.StatusBacking)) == 3 }), "%v %v", summary(w), w.models())
	epochs := map[uint64]bool{}
	for _, a := range w.artworks() {
		epochs[a.KeyEpoch] = true
	}
	require.Equal(t, map[uint64]bool{1: true, 2: true}, epochs)
	require.Empty(t, w.failed)
}

// TestWhatPinsAContainerAgainAfterItWasLetGoLeavesNothingBehind: a fetch, a render or a wrap
// may end after the key epoch did.
func TestWhatPinsAContainerAgainAfterItWasLetGoLeavesNothingBehind(t *testing.T) {
	w := shortKeyEpochs(t, 4, 6, calm, 20, 200)
	w.found()
	w.ask("first")
	w.untilModel(100, "an artist that is known to open", proven(1))
	old, _ := w.modelAt(1)
	rid := w.artworks()[0].RID
	content, _ := w.fetch(old.ContainerCID)
	w.untilModel(200, "key epoch 2", func(m curation.Model) bool { return m.KeyEpoch == 2 })
	w.ask("second")
	w.untilModel(100, "a layer that is known to open", proven(2))
	require.True(t, w.run(100, func() bool { return len(w.open()) == 0 && w.keepsWhatIsNeeded() }), "%v", w.models())
	now := w.model()
	q := w.members[0]
	for name, late := range map[string]member.Event{
		"a fetch that came to its end":     member.ModelKept{KeyEpoch: 1, CID: old.ContainerCID},
		"a fetch of what is not the right": member.ModelKept{KeyEpoch: 1, CID: old.ContainerCID, Err: member.ErrContainer},
		"a render":                         member.Rendered{RID: rid, Role: seal.Generator, CID: cidOf(rid)},
		"a render that failed":             member.Rendered{RID: rid, Role: seal.Auditor, Err: errors.New("no picture")},
	} {
		q.disk[old.ContainerCID] = sealed{1, content}
		w.step(q, late)
		require.NotContains(t, q.disk, old.ContainerCID, name)
		require.Contains(t, q.disk, now.ContainerCID, name)
	}
	w.step(q, member.ModelKept{KeyEpoch: 2, CID: now.ContainerCID})
	require.Contains(t, q.disk, now.ContainerCID, "what is needed stays")
}

// opensTo tries a container with all keys that somebody has, in every order and with
// every box in place, as deep as they go, and returns what it comes to at each depth.
func opensTo(content []byte, keys [][]byte) (found [][]byte) {
	for _, key := range keys {
		box, err := model.Box(bytes.NewReader(content))
		if err != nil {
			return found
		}
		r, err := model.OpenLayers(bytes.NewReader(content), model.Layer{Box: box, FileKey: bytes.Clone(key)})
		if err != nil {
			continue
		}
		if inside, err := io.ReadAll(r); err == nil {
			found = append(append(found, inside), opensTo(inside, keys)...)
		}
	}
	return found
}

// TestALeakedKeyOpensOneKeyEpoch is what rotations are for. Readers hand out every key
// that they were ever released. With those of one key epoch its container opens, and none
// of a later one does; the later epoch's own key gives no more than the container of
// before; and what a rotator has had in its hands opens nothing.
func TestALeakedKeyOpensOneKeyEpoch(t *testing.T) {
	w := shortKeyEpochs(t, 4, 8, calm, 30, 200)
	containers := map[uint64][]byte{} // what members have kept against the rules
	w.found()
	w.load(4)
	for e := uint64(1); e <= 3; e++ {
		w.untilModel(900, fmt.Sprintf("key epoch %d", e), func(m curation.Model) bool {
			if content, ok := w.fetch(m.ContainerCID); ok {
				containers[m.KeyEpoch] = content
			}
			return m.KeyEpoch >= e && len(w.leaked[e]) > 0 && m.Standing == curation.ModelProven
		})
	}
	require.Equal(t, 3, w.model().Layers)
	keys := map[uint64]map[uint64][]byte{} // of the layers of a key epoch's container, by their key epochs
	for e, layers := range w.leaked {
		keys[e] = map[uint64][]byte{}
		for _, l := range layers {
			keys[e][l.Model.KeyEpoch] = l.FileKey
		}
	}
	all := func(of map[uint64][]byte) (keys [][]byte) {
		for _, e := range slices.Sorted(maps.Keys(of)) {
			keys = append(keys, of[e])
		}
		return keys
	}
	for e := uint64(1); e <= 3; e++ {
		require.Len(t, keys[e], int(e), "a release under key epoch %d hands out one key for each layer", e)
		require.Contains(t, opensTo(containers[e], all(keys[e])), w.plain, "the keys of key epoch %d open its container", e)
		for later := e + 1; later <= 3; later++ {
			require.Empty(t, opensTo(containers[later], all(keys[e])), "the keys of key epoch %d open that of %d", e, later)
		}
	}
	for e := uint64(2); e <= 3; e++ {
		alone := [][]byte{keys[e][e]}
		require.Equal(t, [][]byte{containers[e-1]}, opensTo(containers[e], alone), "the key of the outermost layer alone gives the container of before")
		require.NotContains(t, opensTo(containers[e], alone), w.plain)
		// The rotator made that key, and has seen both containers, and no other key.
		require.Empty(t, opensTo(containers[e-1], alone))
	}
	require.NotContains(t, opensTo(containers[3], [][]byte{keys[3][2], keys[3][3]}), w.plain, "all rotators together")
	require.Contains(t, opensTo(containers[3], all(keys[3])), w.plain, "all rotators and somebody who was released the first key: see SPEC.md")

	// What members hold in the end is the last one alone.
	require.True(t, w.run(200, func() bool { return len(w.open()) == 0 && w.keepsWhatIsNeeded() || w.model().KeyEpoch > 3 }))
	require.Empty(t, w.failed)
}

// cheats are what a rotator can bring in the place of a layer around the artist.
func (w *world) cheats() map[string]func(s member.Sealing, inside []byte) (curation.Rotate, []byte) {
	named := func(r curation.Rotate, content []byte) (curation.Rotate, []byte) {
		r.ContainerHash, r.ContainerSize, r.ContainerCID = sha256.Sum256(content), uint64(len(content)), cidOf(sha256.Sum256(content))
		return r, content
	}
	return map[string]func(member.Sealing, []byte) (curation.Rotate, []byte){
		"what is no container": func(s member.Sealing, inside []byte) (curation.Rotate, []byte) {
			r, _ := w.make(s, inside)
			return named(r, []byte("garbage"))
		},
		"a container with another key's box": func(s member.Sealing, inside []byte) (curation.Rotate, []byte) {
			r, _ := w.make(s, inside)
			_, other := w.make(s, inside)
			return named(r, other)
		},
		"a container that is nowhere": func(s member.Sealing, inside []byte) (curation.Rotate, []byte) {
			r, _ := w.make(s, inside)
			return r, nil
		},
		"another file than the ledger says": func(s member.Sealing, inside []byte) (curation.Rotate, []byte) {
			r, content := w.make(s, inside)
			r.ContainerHash[0]++
			return r, content
		},
		"a layer around something else": func(s member.Sealing, inside []byte) (curation.Rotate, []byte) {
			return w.make(s, []byte("not the container of before"))
		},
		"a layer around another artist": func(s member.Sealing, inside []byte) (curation.Rotate, []byte) {
			_, other := w.make(member.Sealing{KeyEpoch: 1, X: s.X}, []byte("another artist"))
			return w.make(s, other)
		},
		"the container of before, but for a byte": func(s member.Sealing, inside []byte) (curation.Rotate, []byte) {
			r, _ := w.make(s, inside)
			return named(r, append(bytes.Clone(inside), 0))
		},
		"a layer whose container is damaged": func(s member.Sealing, inside []byte) (curation.Rotate, []byte) {
			r, content := w.make(s, inside)
			content = bytes.Clone(content)
			content[len(content)-1] ^= 1
			return named(r, content)
		},
	}
}

// TestARotatorThatCheats: what it brings is not stored, or does not open and gives way to
// what was current before. It is not drawn again, the next member does it, and no picture
// is lost but those that were asked for while the layer was on trial.
func TestARotatorThatCheats(t *testing.T) {
	for name := range (&world{}).cheats() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := shortKeyEpochs(t, 4, seedOf(name), calm, 30, 80)
			w.found()
			w.ask("first")
			var cheat *peer
			require.True(t, w.run(200, func() bool {
				r, due := w.rotation()
				if due {
					cheat = w.members[r.Order[0]-1]
				}
				return due
			}), "%v", w.models())
			cheat.wraps = w.cheats()[name]
			w.load(10)
			w.untilModel(1500, "a key epoch that somebody else made", func(m curation.Model) bool {
				return m.Standing == curation.ModelProven && m.KeyEpoch > 2 && m.Sealer != cheat.index
			})
			bad, _ := w.modelAt(2)
			require.Equal(t, curation.ModelDiscarded, bad.Standing, "%v", w.models())
			require.Equal(t, cheat.index, bad.Sealer)
			require.True(t, w.run(200, w.keepsWhatIsNeeded), "%v", w.models())
			for _, a := range w.artworks(curation.StatusExpired, curation.StatusDisputed) {
				require.Equal(t, bad.KeyEpoch, a.KeyEpoch, "%v", summary(w))
			}
			require.Empty(t, w.failed)
		})
	}
}

// TestALayerThatOpensToNothingIsNamed: readers say which key epoch it is, and who made it.
func TestALayerThatOpensToNothingIsNamed(t *testing.T) {
	w := shortKeyEpochs(t, 4, 12, calm, 20, 200)
	w.found()
	w.ask("first")
	for _, q := range w.members {
		q.wraps = w.cheats()["a layer around something else"]
	}
	w.untilModel(200, "a layer on trial", func(m curation.Model) bool { return m.KeyEpoch == 2 })
	w.ask("second")
	said := func() bool {
		return slices.ContainsFunc(w.members, func(q *peer) bool {
			return slices.ContainsFunc(q.failures, func(err error) bool {
				var layer *model.LayerError
				return errors.As(err, &layer)
			})
		})
	}
	require.True(t, w.run(100, said))
	sealer := w.model().Sealer
	for _, q := range w.members {
		for _, err := range q.failures {
			var layer *model.LayerError
			if errors.As(err, &layer) {
				require.Equal(t, "key epoch 1, sealed by member 1", layer.Name, "what should lie in the layer of member %d is what does not open", sealer)
			}
		}
	}
}

// TestALiarAboutALayerIsConvicted: an answer is one signature over the shares of all
// layers, and the ledger judges all of them.
func TestALiarAboutALayerIsConvicted(t *testing.T) {
	for name, wrong := range map[string]func([]byte) []byte{
		"the shares of two layers change places": func(b []byte) []byte { return slices.Concat(b[:2], b[66:130], b[2:66], b[130:]) },
		"a layer is left out":                    func(b []byte) []byte { return slices.Concat(b[:2], b[66:]) },
		"a share for a layer that there is not":  func(b []byte) []byte { return slices.Concat(b[:130], b[66:130], b[130:]) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := shortKeyEpochs(t, 4, seedOf(name), calm, 20, 200)
			w.found()
			w.ask("first")
			w.untilModel(100, "an artist that is known to open", proven(1))
			w.untilModel(200, "a layer", func(m curation.Model) bool { return m.Layers == 2 })
			liar := w.members[3]
			liar.wrong = wrong
			for asked := 0; asked < 12 && len(w.convictions()) == 0; asked++ {
				w.ask(fmt.Sprintf("picture %d", asked))
				w.run(25, func() bool { return len(w.convictions()) > 0 })
			}
			convictions := w.convictions()
			require.Len(t, convictions, 1)
			require.Equal(t, liar.index, convictions[0].Member)
			require.Equal(t, curation.OffenceShare, convictions[0].Offence)
			require.Empty(t, w.failed)
		})
	}
}

// TestKeyEpochsEndWhileMembersComeAndGo hands the keys over, lets a fifth member in and one
// of the first go, while the artist is wrapped again and again.
func TestKeyEpochsEndWhileMembersComeAndGo(t *testing.T) {
	w := shortKeyEpochs(t, 4, 31, calm, 15, 300)
	w.found()
	w.load(4)
	w.handOver(0)
	q, application := w.newcomer()
	w.admit(application, 0, 1, 2)
	w.becomes(q, curation.StandingActive)
	w.submit(w.members[1].key, curation.Leave{})
	w.becomes(w.members[1], curation.StandingLeft)
	before := w.model().KeyEpoch
	w.untilModel(400, "two more rotations", proven(before+2))
	require.Zero(t, len(w.artworks(curation.StatusExpired, curation.StatusDisputed)), "%v", summary(w))
	w.members[1].machine = nil // it is not asked to keep anything any more
	require.True(t, w.run(200, w.keepsWhatIsNeeded), "%v", w.models())
	require.Empty(t, w.failed)
}

// TestWhoSealsAnArtistKeepsItUntilTheVoteIsOver: over a restart too, since nobody else has it.
func TestWhoSealsAnArtistKeepsItUntilTheVoteIsOver(t *testing.T) {
	w := newWorldWith(t, 4, 41, calm, func(g *curation.Genesis) { g.Params.MotionBlocks = 40 })
	w.found()
	q := w.members[1]
	p, content := w.sealingFor(2)
	q.disk[p.ContainerCID] = sealed{2, content}
	w.submit(q.key, p)
	nominated := func() bool {
		m, ok := w.modelAt(2)
		return ok && m.Standing == curation.ModelNominated
	}
	require.True(t, w.run(10, nominated))
	w.crash(q)
	w.start(q)
	require.False(t, w.run(30, func() bool { return len(onDisk(q)) != 2 || !nominated() }), "%v %v", w.models(), onDisk(q))
	require.True(t, w.run(30, func() bool { return !nominated() && w.keepsWhatIsNeeded() }), "%v", w.models())
}

// TestAContainerThatIsHereIsCheckedForEveryKeyEpoch: that it was held against what the
// ledger tells of one says nothing about another.
func TestAContainerThatIsHereIsCheckedForEveryKeyEpoch(t *testing.T) {
	w := shortKeyEpochs(t, 4, 43, calm, 20, 200)
	w.found()
	w.ask("first")
	q := w.members[3]
	proposed := func() (p curation.Model, ok bool) {
		w.view(w.leader, func(v curation.View) { p, ok = v.Proposed() })
		return p, ok
	}
	require.True(t, w.run(200, func() bool {
		if _, ok := w.rotation(); ok && q.machine != nil {
			w.crash(q)
		}
		_, ok := proposed()
		return ok
	}), "%v", w.models())
	p, _ := proposed()
	require.NotEqual(t, q.index, p.Sealer)
	q.disk[p.ContainerCID] = sealed{1, []byte("pinned for key epoch 1")}
	w.start(q)
	require.True(t, w.run(60, func() bool { return q.disk[p.ContainerCID].keyEpoch == p.KeyEpoch }), "%v", w.models())
	content := q.disk[p.ContainerCID].content
	require.NoError(t, member.CheckContainer(bytes.NewReader(content), p))
}
