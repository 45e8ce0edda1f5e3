package model

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHowMuchAVersionHasForgotten(t *testing.T) {
	ctx, base := context.Background(), Embedded()
	forgotten := func(a *Artist, seed byte) int {
		f, err := a.Forgotten(ctx, base, [32]byte{seed}, RenderOptions{})
		require.NoError(t, err)
		require.Equal(t, forgottenPictures, f.Pictures)
		return f.Unlike
	}
	require.Zero(t, forgotten(base, 1), "the same artist")
	change := make([]float64, base.Parameters())
	for i := range change {
		change[i] = 1e-4 * float64(i%3-1)
	}
	near, err := base.Changed(change)
	require.NoError(t, err)
	require.Zero(t, forgotten(near, 1), "another one that draws the same to the eye")
	for i := range change {
		change[i] = .01 * float64(i%3-1)
	}
	far, err := base.Changed(change)
	require.NoError(t, err)
	require.Equal(t, []int{25, 17}, []int{forgotten(far, 1), forgotten(far, 2)}, "on every machine")

	other, _ := founded(t)
	_, err = other.Forgotten(ctx, base, [32]byte{}, RenderOptions{})
	require.ErrorIs(t, err, ErrArtist)
	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, err = near.Forgotten(ended, base, [32]byte{}, RenderOptions{})
	require.ErrorIs(t, err, context.Canceled)
	small, err := other.Forgotten(ctx, other, [32]byte{}, RenderOptions{})
	require.NoError(t, err, "of three things it draws some more than once")
	require.Zero(t, small.Unlike)
}

// A member learns two pictures as it does in a network.
func TestRehearsalKeepsAnArtistFromForgetting(t *testing.T) {
	ctx, base := context.Background(), Embedded()
	l := learner(t, base, pictureFolder(t), LearnerOptions{Batch: 16})
	after := func(share float64) (forgotten int, own float64) {
		got, err := l.Learn(ctx, base, LearnOptions{Steps: 10, Rate: .001, Rehearse: share, Seed: [32]byte{9}})
		require.NoError(t, err)
		a, err := base.Changed(got.Change)
		require.NoError(t, err)
		f, err := a.Forgotten(ctx, base, [32]byte{1}, RenderOptions{})
		require.NoError(t, err)
		own, err = l.Loss(ctx, a)
		require.NoError(t, err)
		return f.Unlike, own
	}
	before, err := l.Loss(ctx, base)
	require.NoError(t, err)
	alone, lone := after(0)
	kept, rehearsed := after(.75)
	t.Logf("of %d pictures are forgotten %d, with rehearsal %d; loss on the own pictures %.3f, from %.3f to %.3f, with rehearsal %.3f", forgottenPictures, alone, kept, before, before, lone, rehearsed)
	require.Less(t, 2*kept, alone)
	require.Less(t, rehearsed, before-.5, "and learns its pictures all the same")
}
