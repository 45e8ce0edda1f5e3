package model

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
)

// A prompt's latent is public: words and noise are all that the artist is told but
// for the view, and only the noise is rounded.
func TestThePublicLatentDrawsWhatThePromptDraws(t *testing.T) {
	a := Embedded()
	for _, prompt := range []string{"red heart on navy halo", "two owls over the teal horizon", "zyzzyva sage plain"} {
		want, err := a.Fold(prompt, seed(3))
		require.NoError(t, err)
		l, err := a.Words().Of(prompt, seed(3))
		require.NoError(t, err)
		got, err := a.FoldLatent(l, seed(3))
		require.NoError(t, err)
		for i, c := range want.Palette {
			require.InDelta(t, c.L, got.Palette[i].L, kernel.LabOne/100, prompt)
			require.InDelta(t, c.A, got.Palette[i].A, kernel.LabOne/100, prompt)
			require.InDelta(t, c.B, got.Palette[i].B, kernel.LabOne/100, prompt)
		}
		for i, v := range want.Weights[0] {
			require.InDelta(t, v, got.Weights[0][i], 60, prompt) // of 2¹³ a turn
		}
	}
}

func TestArtistsOfOneVocabularyShareTheirLatents(t *testing.T) {
	features := []string{"owl", "red", train.MotifPrefix + "halo", train.PaperPrefix + "navy"}
	shape := train.Shape{Hidden: 16, Layers: 2, Colours: 4, Latent: 2, Mapping: 3, Palette: 3, Features: len(features)}
	other, err := quantise(Config{Name: "other", Sharpness: 256, ShadowWidth: 1, Noise: 300}, shape, features, shape.Initial(rand.New(rand.NewPCG(8, 9))))
	require.NoError(t, err)
	for _, prompt := range []string{"", "red owl", "yeti navy"} {
		one, err := smallArtist(t).Words().Of(prompt, seed(1))
		require.NoError(t, err)
		two, err := other.Words().Of(prompt, seed(1))
		require.NoError(t, err)
		require.Equal(t, one, two)
	}
}

func TestFoldLatentRefusesOtherVocabularies(t *testing.T) {
	l, err := smallArtist(t).Words().Of("owl", seed(1))
	require.NoError(t, err)
	_, err = Embedded().FoldLatent(l, seed(1))
	require.ErrorIs(t, err, latent.ErrLatent, "it has too little noise")
	_, err = Embedded().RenderLatent(context.Background(), latent.Latent{}, seed(1), 32, RenderOptions{})
	require.ErrorIs(t, err, latent.ErrLatent)
}

func TestTheEmbeddedLexicon(t *testing.T) {
	x, err := Lexicon()
	require.NoError(t, err)
	raw, err := x.MarshalBinary()
	require.NoError(t, err)
	again, err := taste.UnmarshalLexicon(raw)
	require.NoError(t, err)
	require.Equal(t, x.ID(), again.ID())
	// Dyes and papers look as they are called.
	light := func(feature string) int8 {
		row, ok := Embedded().Words().Row(feature)
		require.True(t, ok, feature)
		return x.Look(row)[0]
	}
	require.Greater(t, light("white"), light("grey"))
	require.Greater(t, light("grey"), light("black"))
	require.Greater(t, light(train.PaperPrefix+"cream"), light(train.PaperPrefix+"navy"))
	// What is drawn is a picture of the artist, and the seed decides its view.
	l, _ := x.Draw(x.First(), seed(1))
	one, err := Embedded().RenderLatent(context.Background(), l, seed(1), 48, RenderOptions{})
	require.NoError(t, err)
	two, err := Embedded().RenderLatent(context.Background(), l, seed(2), 48, RenderOptions{})
	require.NoError(t, err)
	require.NotEqual(t, one.PixelRoot, two.PixelRoot)
}
