package member_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/node/tastes"
)

// tasteFile is a file of the taste that a member has, or that another one that is up gives it.
func (w *world) tasteFile(q *peer, file curation.Hash) ([]byte, bool) {
	if raw, ok := q.tastes[file]; ok {
		return raw, true
	}
	for _, p := range w.members {
		if raw, ok := p.tastes[file]; ok && p.machine != nil {
			return raw, true
		}
	}
	return nil, false
}

// keeps stores files of the taste. That is not counted among the durable writes: what
// is lost is computed or fetched again.
func (q *peer) keeps(files ...[]byte) {
	if q.tastes == nil {
		q.tastes = map[curation.Hash][]byte{}
	}
	for _, raw := range files {
		q.tastes[sha256.Sum256(raw)] = raw
	}
}

// learn computes a version as package node does, with the real rule.
func (w *world) learnTaste(q *peer, f member.LearnTaste) {
	life := q.life
	w.after(1+w.rng.IntN(blockTicks), func() {
		if q.life != life {
			return
		}
		done := member.TasteLearned{Version: f.Version}
		var files [][]byte
		files, done.Err = w.computed(q, f)
		if done.Err == nil {
			done.Lexicon, done.Prior = sha256.Sum256(files[0]), sha256.Sum256(files[1])
			q.keeps(files...)
		}
		w.step(q, done)
	})
}

// computed are the files of the lexicon and of the version.
func (w *world) computed(q *peer, f member.LearnTaste) ([][]byte, error) {
	x, err := model.Lexicon()
	require.NoError(w.t, err)
	p := x.First()
	if f.Version > 0 {
		var facts taste.RoundFacts
		w.view(q.ledger, func(v curation.View) {
			var ok bool
			facts, ok = tastes.Facts(v, f.Round)
			require.True(w.t, ok)
		})
		version := func(file curation.Hash) (*taste.Prior, bool) {
			raw, ok := w.tasteFile(q, file)
			if !ok {
				return nil, false
			}
			p, err := x.UnmarshalPrior(raw)
			require.NoError(w.t, err)
			return p, true
		}
		before, ok := version(f.Before)
		if !ok {
			return nil, errors.New("the version before is not to be had")
		}
		if p, err = tastes.Learn(x, before, facts, func(id taste.ID) (*taste.Prior, bool) { return version(curation.Hash(id)) }); err != nil {
			return nil, err
		}
		require.Equal(w.t, f.Round, p.Round)
	}
	if q.likes != nil {
		q.likes(p)
	}
	require.Equal(w.t, int64(f.Version), p.Version)
	lexicon, err := x.MarshalBinary()
	require.NoError(w.t, err)
	raw, err := p.MarshalBinary()
	return [][]byte{lexicon, raw}, err
}

func (w *world) keepPrior(q *peer, f member.KeepPrior) {
	life := q.life
	w.after(1+w.rng.IntN(w.delay), func() {
		raw, ok := w.tasteFile(q, f.File)
		if q.life == life && ok {
			q.keeps(raw)
			w.step(q, member.PriorKept{File: f.File})
		}
	})
}

// priors are the versions that the ledger has adopted, newest first.
func (w *world) priors() (priors []curation.Prior) {
	w.view(w.leader, func(v curation.View) { priors = v.Priors(0) })
	return priors
}

// everywhere says whether all members that are up have the files of all versions.
func (w *world) everywhere() bool {
	for _, q := range w.members {
		for _, p := range w.priors() {
			if q.machine != nil && (q.tastes[p.ID] == nil || q.tastes[p.Lexicon] == nil) {
				return false
			}
		}
	}
	return true
}

// tasted takes three pictures without a prompt to a settled round, and waits for the
// version that learns from it.
func (w *world) tasted() {
	before := w.priors()
	for range 3 {
		w.ask("")
	}
	last := before[0].Version + 1
	require.True(w.t, w.run(1200, func() bool { return w.priors()[0].Version >= last }), "version %d, artworks %v", w.priors()[0].Version, summary(w))
}

// TestEveryMemberLearnsTheSameTaste goes through two rounds of pictures without a prompt,
// whose versions are computed by the real rule.
func TestEveryMemberLearnsTheSameTaste(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       int
		faults  faults
		crashes int
	}{
		{"one member alone", 1, calm, 0},
		{"four members, drops, repeats and reordering", 4, storm, 0},
		{"four members, one of them crashing again and again", 4, storm, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, c.n, seedOf(c.name), c.faults, func(g *curation.Genesis) { g.Params.RoundWaitBlocks, g.Params.OpenRequests = 60, 10 })
			w.tasting = true
			w.found()
			require.True(t, w.run(100, func() bool { return len(w.priors()) == 1 }), "version 0")
			w.stumble(c.crashes)
			w.tasted()
			w.tasted()
			require.True(t, w.run(200, w.everywhere), "every member that is up has every version")
			require.Empty(t, w.failed)
			w.view(w.leader, func(v curation.View) {
				drawn := map[curation.Hash]int{}
				for _, a := range v.Artworks(curation.Filter{}) {
					drawn[a.Prior]++
				}
				require.Zero(t, drawn[curation.Hash{}])
				require.Len(t, drawn, 2, "of two versions")
				for _, p := range v.Priors(0) {
					require.Empty(t, p.Differs())
				}
			})
		})
	}
}

func TestAMemberWhoseTasteDiffersIsSeenAndHoldsNobodyUp(t *testing.T) {
	w := newWorldWith(t, 4, 3, calm, func(g *curation.Genesis) { g.Params.RoundWaitBlocks, g.Params.OpenRequests = 60, 10 })
	w.tasting = true
	odd := w.members[3]
	odd.likes = func(p *taste.Prior) {
		if p.Version > 0 {
			p.Candidates++
		}
	}
	w.found()
	require.True(t, w.run(100, func() bool { return len(w.priors()) == 1 }))
	w.tasted()
	w.tasted()
	require.True(t, w.run(60, func() bool {
		p := w.priors()[0]
		_, said := p.Of(odd.index)
		return said && len(p.Records) == 4
	}))
	p := w.priors()[0]
	require.Equal(t, []uint32{odd.index}, p.Differs())
	mine, _ := p.Of(odd.index)
	require.True(t, w.run(60, w.everywhere))
	require.NotNil(t, odd.tastes[mine.ID], "it keeps its own file too")
	require.Contains(t, odd.notes, "our version of the taste is not the network's")
	for _, q := range w.members[:3] {
		require.NotContains(t, q.notes, "our version of the taste is not the network's")
	}
}

// Without agreement there is no version, and nothing waits for one: pictures without a
// prompt are drawn plainly. Whoever comes to its senses corrects itself.
func TestMembersThatDisagreeMakeNoVersionUntilTheyAgree(t *testing.T) {
	w := newWorldWith(t, 4, 5, calm, func(g *curation.Genesis) { g.Params.RoundWaitBlocks = 60 })
	w.tasting = true
	for i, q := range w.members {
		q.likes = func(p *taste.Prior) { p.Format = fmt.Sprint(i) }
	}
	w.found()
	require.False(t, w.run(60, func() bool { return len(w.priors()) == 1 }))
	w.ask("")
	require.True(t, w.run(300, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }))
	require.Zero(t, w.artworks(curation.StatusCandidate)[0].Prior)
	for _, q := range w.members[:3] { // as with a new release of the program
		q.likes = nil
		w.crash(q)
		w.start(q)
	}
	require.True(t, w.run(100, func() bool { return len(w.priors()) == 1 }))
	require.Equal(t, []uint32{4}, w.priors()[0].Differs())
}
