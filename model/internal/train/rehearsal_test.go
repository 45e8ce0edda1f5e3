package train

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/latent"
)

// schooled is an artist that has learned two discs, with its words.
func schooled(t testing.TB) (Shape, []string, []Picture, Weights) {
	pictures := []Picture{disc("red disc", t), disc("blue ball", t)}
	features := Features(pictures)
	s := tiny
	s.Features = len(features)
	w, err := Run(context.Background(), s, s.Initial(rand.New(rand.NewPCG(1, 1))), features, pictures,
		Options{Steps: 150, Workers: 2, Rate: 1e-2, Groups: 16, Points: 32, Noise: .05})
	require.NoError(t, err)
	return s, features, pictures, w
}

// things are the rows of pictures.
func things(t testing.TB, features []string, names ...string) (rows []int) {
	v, err := latent.NewVocabulary(features, 1)
	require.NoError(t, err)
	for _, name := range names {
		row, ok := v.Row(name)
		require.True(t, ok, name)
		rows = append(rows, row)
	}
	return rows
}

func TestARehearsedPictureIsWhatTheArtistDrewBefore(t *testing.T) {
	s, features, pictures, before := schooled(t)
	all := things(t, features, "red disc", "blue ball")
	e, err := New(s, features, pictures[:1], Options{Steps: 1, Groups: 16, Points: 8, Noise: .05, Rehearsal: Rehearsal{Share: .5, Before: before, Things: all}})
	require.NoError(t, err)
	defer e.Close()
	b := e.learned.batch
	require.Equal(t, 4, b.rehearsing.groups, "a half of the batch, for the half of the things that is not taught")
	require.Equal(t, all[1:], b.rehearsing.things, "what the pictures teach is not rehearsed")
	require.NoError(t, b.draw(rand.New(rand.NewPCG(4, 4)), 0))
	own, k := 16-4, s.Colours
	for g := own; g < 16; g++ {
		said := b.features[g*s.Features:][:s.Features]
		require.Zero(t, said[all[0]]+said[all[1]], "the latent of a thing that is rehearsed holds still")
		z := append([]float32(nil), b.noise[g*s.Latent:][:s.Latent]...)
		require.Equal(t, before["embed"].Data[all[1]*s.Latent:][:s.Latent], z, "and is that of before")
		named := 0
		for f, x := range said {
			for j := range z {
				z[j] += x * before["embed"].Data[f*s.Latent+j]
			}
			named += int(x)
		}
		require.GreaterOrEqual(t, named, 2, "a motif and a paper")
		logits, palette, err := Evaluate(s, before, z, b.places[g*8*2:][:8*2])
		require.NoError(t, err)
		for i := range 8 {
			softmax(logits[i*k:][:k])
		}
		require.InDeltaSlice(t, logits, b.labels[g*8*k:][:8*k], 1e-4)
		for c, lab := range palette {
			require.InDelta(t, lab[0]-.5, float64(b.palette[(g*k+c)*3]), 1e-4)
			require.Equal(t, float32(1), b.mask[(g*k+c)*3])
		}
	}
}

// An artist that has forgotten nothing has nothing to learn of what it rehearses.
func TestWhatIsRememberedTeachesNothing(t *testing.T) {
	s, features, pictures, before := schooled(t)
	steepest := func(change func(*batch)) (top float32) {
		e, err := New(s, features, pictures[:1], Options{Steps: 1, Groups: 16, Points: 8, Rehearsal: Rehearsal{Share: .9, Before: before, Things: things(t, features, "blue ball")}})
		require.NoError(t, err)
		defer e.Close()
		at, err := e.Begin(before)
		require.NoError(t, err)
		e.load(at)
		require.NoError(t, e.learned.batch.draw(rand.New(rand.NewPCG(5, 5)), 0))
		change(e.learned.batch)
		_, err = e.run(e.learned.batch)
		require.NoError(t, err)
		dbias := e.graph.trunk.dbias[2*s.Colours:] // the first two groups are its own pictures
		for _, d := range dbias {
			top = max(top, d, -d)
		}
		return top
	}
	require.Less(t, steepest(func(*batch) {}), float32(1e-6))
	require.Greater(t, steepest(func(b *batch) {
		for r := range 16 * 8 { // as if the likeliest colour were the only one
			x := b.labels[r*s.Colours:][:s.Colours]
			best := 0
			for i, v := range x {
				if v > x[best] {
					best = i
				}
			}
			clear(x)
			x[best] = 1
		}
	}), float32(1e-4))
}

func TestRehearsalKeepsWhatTheArtistKnew(t *testing.T) {
	s, features, pictures, before := schooled(t)
	other := halved(pictures[0])
	known := things(t, features, "red disc", "blue ball")
	loss := func(w Weights, of Picture) float64 {
		e, err := New(s, features, []Picture{of}, Options{Steps: 1, Groups: 32, Points: 32, Every: 1})
		require.NoError(t, err)
		defer e.Close()
		at, err := e.Begin(w)
		require.NoError(t, err)
		return advance(t, e, at, 1).Last.Loss
	}
	learn := func(share float64) Weights {
		w, err := Run(context.Background(), s, before, features, []Picture{other}, Options{Steps: 60, Workers: 1, Rate: 1e-2, Groups: 16, Points: 32, Noise: .05,
			Rehearsal: Rehearsal{Share: share, Before: before, Things: known}})
		require.NoError(t, err)
		return w
	}
	then := loss(before, pictures[1])
	alone, rehearsed := learn(0), learn(.95)
	t.Logf("the ball: %.3f before, %.3f after learning a disc alone, %.3f with rehearsal", then, loss(alone, pictures[1]), loss(rehearsed, pictures[1]))
	require.Less(t, loss(rehearsed, pictures[1])-then, .5*(loss(alone, pictures[1])-then))
	require.Less(t, loss(rehearsed, other), loss(before, other), "and the disc is learned")
}

// halved is the picture with a left and a right half in place of what it shows.
func halved(p Picture) Picture {
	p.labels = append([]uint8(nil), p.labels...)
	p.parts = make([][]int32, len(p.colours))
	for i := range p.labels {
		if x := i % p.side; x < p.side/2 {
			p.labels[i] = 0
		} else {
			p.labels[i] = uint8(len(p.colours) - 1)
		}
	}
	for i, l := range p.labels {
		p.parts[l] = append(p.parts[l], int32(i))
	}
	return p
}

func TestARunThatRehearsesStopsAndGoesOnToTheSame(t *testing.T) {
	s, features, pictures, before := schooled(t)
	engine := func(workers int) *Engine {
		e, err := New(s, features, pictures[:1], Options{Steps: 12, Workers: workers, Rate: 5e-3, Groups: 16, Points: 16, Noise: .05, Every: 4,
			Rehearsal: Rehearsal{Share: .9, Before: before, Things: things(t, features, "blue ball")}})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, e.Close()) })
		return e
	}
	first := engine(2)
	at, err := first.Begin(before)
	require.NoError(t, err)
	whole := advance(t, first, at, 12)
	require.Equal(t, whole, advance(t, first, at, 12), "again")
	require.Equal(t, whole, advance(t, engine(1), at, 12), "by one worker")
	require.Equal(t, whole, advance(t, engine(3), advance(t, engine(1), at, 5), 12), "in parts")
}

func TestWithNothingToRehearseARunIsAsWithout(t *testing.T) {
	s, features, pictures, before := schooled(t)
	learned := func(groups int, of []Picture, r Rehearsal) Weights {
		w, err := Run(context.Background(), s, before, features, of, Options{Steps: 5, Workers: 1, Rate: 5e-3, Groups: groups, Points: 8, Rehearsal: r})
		require.NoError(t, err)
		return w
	}
	learn := func(r Rehearsal) Weights { return learned(8, pictures, r) }
	require.Equal(t, learned(1, pictures[:1], Rehearsal{}), learned(1, pictures[:1], Rehearsal{Share: .95, Before: before, Things: things(t, features, "blue ball")}), "a batch of one is to be learned")
	without := learn(Rehearsal{})
	require.Equal(t, without, learn(Rehearsal{Share: .9, Before: before, Things: things(t, features, "red disc", "blue ball")}), "all is taught")
	require.Equal(t, without, learn(Rehearsal{Share: .9, Before: before}), "nothing is known")
	_, err := New(s, features, pictures, Options{Steps: 1, Groups: 8, Points: 8, Rehearsal: Rehearsal{Share: 1}})
	require.ErrorContains(t, err, "a share of 1")
}
