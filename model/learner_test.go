package model

import (
	"context"
	"image/color"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// founded is an artist that knows the words of pictureFolder and one picture without a
// name, and a learner whose pictures have words of their own.
func founded(t *testing.T) (*Artist, fstest.MapFS) {
	pictures := pictureFolder(t)
	pictures["42.png"] = pictures["sea, water.png"]
	base, err := Train(context.Background(), pictures, TrainOptions{Name: "base", Steps: 2, Batch: 4, Size: Size{Hidden: 16, Layers: 2, Latent: 8}})
	require.NoError(t, err)
	require.Contains(t, base.vocabulary.Features(), "picture:0000")
	return base, fstest.MapFS{
		"red kite.png":     pictures["sub/red ball.png"],
		"big red ball.png": pictures["sub/red ball.png"],
		"7.png": pngFile(t, func(x, _ int) color.NRGBA {
			if x < 7 {
				return color.NRGBA{10, 90, 30, 255}
			}
			return color.NRGBA{240, 230, 60, 255}
		}),
	}
}

func learner(t *testing.T, base *Artist, pictures fstest.MapFS, o LearnerOptions) *Learner {
	l, err := NewLearner(context.Background(), base, pictures, o)
	require.NoError(t, err)
	return l
}

func learn(t *testing.T, l *Learner, base *Artist, seed byte) []float64 {
	got, err := l.Learn(context.Background(), base, LearnOptions{Steps: 4, Seed: [32]byte{seed}})
	require.NoError(t, err)
	require.Len(t, got.Change, base.Parameters())
	return got.Change
}

func TestALearnerChangesWhatAllKnowAndKeepsItsOwnWords(t *testing.T) {
	base, pictures := founded(t)
	l := learner(t, base, pictures, LearnerOptions{Batch: 4, Workers: 1})
	require.Equal(t, 3, l.Pictures())
	require.Empty(t, l.Home())
	id := base.ID()
	change := learn(t, l, base, 1)
	require.Equal(t, id, base.ID())
	home := l.Home()
	require.Contains(t, home, "red kite")
	require.Contains(t, home, "picture:0000", "its first picture has no name")
	require.Len(t, home, 2)
	require.Len(t, home["red kite"], 8)

	row := func(feature string) []float64 { i, _ := base.vocabulary.Row(feature); return change[i*8 : (i+1)*8] }
	require.NotEqual(t, make([]float64, 8), row("red ball"), "a name that all know is learned for all")
	require.Equal(t, make([]float64, 8), row("sea"), "it has no picture of the sea")
	require.Equal(t, make([]float64, 8), row("picture:0000"), "that is another's picture")

	same := learn(t, learner(t, base, pictures, LearnerOptions{Batch: 4, Workers: 2}), base, 1)
	require.Equal(t, change, same, "workers do not change the result")
	require.NotEqual(t, change, learn(t, learner(t, base, pictures, LearnerOptions{Batch: 4}), base, 2))

	on, kept := learn(t, l, base, 3), learn(t, learner(t, base, pictures, LearnerOptions{Batch: 4, Home: home}), base, 3)
	require.Equal(t, on, kept, "what stays at home is all that a learner remembers")
	require.NotEqual(t, on, learn(t, learner(t, base, pictures, LearnerOptions{Batch: 4}), base, 3))
}

func TestChangesMakeTheNextVersion(t *testing.T) {
	base, pictures := founded(t)
	none, err := base.Changed(make([]float64, base.Parameters()))
	require.NoError(t, err)
	require.Equal(t, base.ID(), none.ID())

	l := learner(t, base, pictures, LearnerOptions{Batch: 8})
	before, err := l.Loss(context.Background(), base)
	require.NoError(t, err)
	next := base
	for round := range byte(6) {
		next, err = next.Changed(learn(t, l, next, round))
		require.NoError(t, err)
	}
	after, err := l.Loss(context.Background(), next)
	require.NoError(t, err)
	require.Less(t, after, before-.1)
	again, err := l.Loss(context.Background(), next)
	require.NoError(t, err)
	require.Equal(t, after, again)

	since, err := next.Since(base)
	require.NoError(t, err)
	there, err := base.Changed(since)
	require.NoError(t, err)
	require.Equal(t, next.ID(), there.ID())
	since, err = next.Since(next)
	require.NoError(t, err)
	require.Equal(t, make([]float64, next.Parameters()), since)
	turned := make([]float64, base.Parameters())
	at := 0
	for _, slot := range base.config.shape(base.vocabulary.Size()).Slots() {
		for i := range slot.Rows * slot.Cols {
			if isPhase(slot.Name) {
				turned[at+i] = 6 // nearly a turn forward is a little back
			}
		}
		at += slot.Rows * slot.Cols
	}
	next, err = base.Changed(turned)
	require.NoError(t, err)
	since, err = next.Since(base)
	require.NoError(t, err)
	for i, x := range since {
		if turned[i] != 0 {
			require.InDelta(t, 6-2*math.Pi, x, 1e-3)
		} else {
			require.Zero(t, x)
		}
	}
	_, err = base.Since(Embedded())
	require.ErrorIs(t, err, ErrArtist)

	_, err = base.Changed(make([]float64, 3))
	require.ErrorIs(t, err, ErrArtist)
	bad := make([]float64, base.Parameters())
	bad[7] = math.NaN()
	_, err = base.Changed(bad)
	require.ErrorIs(t, err, ErrArtist)
}

// A learner finds the latents of its own words before it changes the artist, and once only.
func TestWordsOfOnesOwnAreFoundFirst(t *testing.T) {
	base, folder := Embedded(), pictureFolder(t)
	l := learner(t, base, fstest.MapFS{"zyzzyva.png": folder["sub/red ball.png"], "7.png": folder["sea, water.png"]}, LearnerOptions{Batch: 8, Workers: 1})
	steps := func() (heard []int) {
		got, err := l.Learn(context.Background(), base, LearnOptions{Steps: 3, Rate: 1e-9, Progress: func(step, steps int) {
			heard = append(heard, step)
			require.GreaterOrEqual(t, steps, step)
		}})
		require.NoError(t, err)
		require.InDelta(t, 0, slices.Max(got.Change), 1e-7)
		return heard
	}
	before, err := l.Loss(context.Background(), base)
	require.NoError(t, err)
	require.Len(t, steps(), wordSteps+3)
	after, err := l.Loss(context.Background(), base)
	require.NoError(t, err)
	require.Less(t, after, before-1, "of the same artist, with the words")
	require.Equal(t, []int{1, 2, 3}, steps(), "they are known now")
}

// What is rehearsed moves no latent of a thing: the sum tells of no more words than without.
func TestRehearsalMovesNoThing(t *testing.T) {
	base, _ := founded(t)
	ball := fstest.MapFS{"red ball.png": pictureFolder(t)["sub/red ball.png"], "ball.png": pictureFolder(t)["sub/red ball.png"]}
	row := func(change []float64, feature string) []float64 {
		i, ok := base.vocabulary.Row(feature)
		require.True(t, ok)
		return change[i*8 : (i+1)*8]
	}
	change := func(share float64) []float64 {
		got, err := learner(t, base, ball, LearnerOptions{Batch: 8, Workers: 1}).Learn(context.Background(), base, LearnOptions{Steps: 4, Rehearse: share})
		require.NoError(t, err)
		return got.Change
	}
	without, with := change(0), change(.9)
	require.NotEqual(t, without, with)
	require.NotEqual(t, make([]float64, 8), row(with, "red ball"), "it is learned")
	require.Equal(t, make([]float64, 8), row(with, "sea"), "it is rehearsed")
	require.Equal(t, make([]float64, 8), row(with, "picture:0000"), "it is rehearsed")
	require.Equal(t, with, change(.9))
}

func TestWhatALearnerRefuses(t *testing.T) {
	base, pictures := founded(t)
	ctx := context.Background()
	_, err := NewLearner(ctx, base, fstest.MapFS{}, LearnerOptions{})
	require.ErrorIs(t, err, ErrPictures)
	_, err = NewLearner(ctx, base, os.DirFS(filepath.Join(t.TempDir(), "nowhere")), LearnerOptions{})
	require.ErrorIs(t, err, ErrPictures)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NotContains(t, err.Error(), "stat .", "the folder has a name")
	_, err = NewLearner(ctx, base, pictures, LearnerOptions{Batch: -1})
	require.ErrorContains(t, err, "a batch of -1 pictures")
	_, err = NewLearner(ctx, base, pictures, LearnerOptions{Home: map[string][]float32{"kite": {float32(math.NaN())}}})
	require.ErrorContains(t, err, `"kite"`)
	l := learner(t, base, pictures, LearnerOptions{Home: map[string][]float32{"kite": {1}, "other": {2}}})
	learn(t, l, base, 1) // a latent of another size is learned anew
	_, err = l.Learn(ctx, base, LearnOptions{})
	require.ErrorContains(t, err, "0 training steps")
	for _, share := range []float64{-.1, .96, math.NaN()} {
		_, err = l.Learn(ctx, base, LearnOptions{Steps: 1, Rehearse: share})
		require.ErrorContains(t, err, "to rehearse, want 0 to 0.95")
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = l.Learn(ended, base, LearnOptions{Steps: 1})
	require.ErrorIs(t, err, context.Canceled)
}

func TestReaderKeysAreOfOneArtistAndRound(t *testing.T) {
	base, _ := founded(t)
	require.Equal(t, base.ReaderKey([32]byte{1}), base.ReaderKey([32]byte{1}))
	require.NotEqual(t, base.ReaderKey([32]byte{1}), base.ReaderKey([32]byte{2}))
	require.NotEqual(t, base.ReaderKey([32]byte{1}), Embedded().ReaderKey([32]byte{1}))
}
