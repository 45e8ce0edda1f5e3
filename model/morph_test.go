package model

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/kernel"
)

// apart is the mean difference of two pictures' channels, in levels.
func apart(a, b *Picture) float64 {
	sum := 0
	for i, v := range a.RGB {
		sum += max(int(v)-int(b.RGB[i]), int(b.RGB[i])-int(v))
	}
	return float64(sum) / float64(len(a.RGB))
}

func TestAMorphBeginsAndEndsWithItsPictures(t *testing.T) {
	const size = 48
	all := recipes()
	for name, ends := range map[string][2]Recipe{
		"two plain ones":       {own("red heart", 1), own("owl", 2)},
		"mirrored, and a part": {all["mirrored"], all["a part of it"]},
		"between, and colours": {all["between three"], all["hues given"]},
		"all that there is":    {all["everything"], all["soft, in deep shade"]},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := NewMorph(Embedded(), ends[0], ends[1])
			require.NoError(t, err)
			draw := func(at uint32) *Picture {
				p, err := m.Frame(t.Context(), at, size, RenderOptions{})
				require.NoError(t, err)
				root, err := kernel.PixelRoot(size, size, p.RGB)
				require.NoError(t, err)
				require.Equal(t, root, p.PixelRoot)
				return p
			}
			for i, at := range []uint32{0, WholeWeight} {
				program, err := ends[i].Program(Embedded())
				require.NoError(t, err)
				want, err := Draw(t.Context(), program, size, size, RenderOptions{})
				require.NoError(t, err)
				require.True(t, bytes.Equal(want.RGB, draw(at).RGB))
			}
			// No step of the way is a jump: none is as far as the two pictures are.
			whole, before := apart(draw(0), draw(WholeWeight)), draw(0)
			for i := 1; i <= 64; i++ {
				now := draw(uint32(i * WholeWeight / 64))
				require.Less(t, apart(before, now), whole/3+2, "step %d", i)
				before = now
			}
		})
	}
}

// Where no picture is the other's mirror image, a frame is the picture of a recipe.
func TestAFrameIsWhatLiesBetween(t *testing.T) {
	id, found := Embedded().ID(), 0
	for s := range byte(6) {
		a, b := Subject{"red heart", seed(s), WholeWeight * 3 / 4, ""}, Subject{"owl", seed(s + 100), WholeWeight / 4, ""}
		r := Between(id, a, b)
		_, va, err := Embedded().latent(a.Prompt, a.Seed)
		require.NoError(t, err)
		_, vb, err := Embedded().latent(b.Prompt, b.Seed)
		require.NoError(t, err)
		if mirrored(va) != mirrored(vb) {
			continue
		}
		found++
		want, err := r.Program(Embedded())
		require.NoError(t, err)
		m, err := NewMorph(Embedded(), NewRecipe(id, a.Prompt, a.Seed), NewRecipe(id, b.Prompt, b.Seed))
		require.NoError(t, err)
		got, _, err := m.at(WholeWeight / 4)
		require.NoError(t, err)
		require.Equal(t, []*kernel.Program{want}, got)
	}
	require.NotZero(t, found)
}

func TestTheWayIsEased(t *testing.T) {
	for _, frames := range []int{2, 3, 24, 48, 10_000} {
		require.Zero(t, Eased(0, frames, false))
		require.EqualValues(t, WholeWeight, Eased(frames-1, frames, false))
		require.Zero(t, Eased(0, frames, true))
		for i := 1; i < frames; i++ {
			require.LessOrEqual(t, Eased(i-1, frames, false), Eased(i, frames, false))
			require.Equal(t, Eased(i, frames, true), Eased(frames-i, frames, true), "the way back is the way there")
		}
	}
	require.EqualValues(t, WholeWeight, Eased(24, 48, true))
	require.Zero(t, Eased(0, 1, false))
	require.Less(t, Eased(1, 48, true), uint32(WholeWeight/24), "slowly at first")
}

func TestMorphsThatAreRefused(t *testing.T) {
	other := own("owl", 1)
	other.Artist[0]++
	_, err := NewMorph(Embedded(), own("owl", 1), other)
	require.ErrorIs(t, err, ErrOtherArtist)
	_, err = NewMorph(Embedded(), Recipe{}, own("owl", 1))
	require.ErrorIs(t, err, ErrRecipe)
	m, err := NewMorph(Embedded(), own("owl", 1), own("fox", 1))
	require.NoError(t, err)
	_, err = m.Frame(t.Context(), 9, 0, RenderOptions{})
	require.ErrorIs(t, err, kernel.ErrSize)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = m.Frame(ctx, 9, 64, RenderOptions{})
	require.ErrorIs(t, err, context.Canceled)
}
