package node

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/tastes"
)

func TestTheTasteIsDrawnByAnArtistThatHasItsWordsAndPlainlyByAnyOther(t *testing.T) {
	artist, seed := model.Embedded(), curation.Hash{1, 2, 3}
	x, err := model.Lexicon()
	require.NoError(t, err)
	p := x.First()
	version := curation.Prior{Version: 4, ID: curation.Hash(p.ID())}
	program, drawn, err := drawnBy(artist, x, p, version, seed)
	require.NoError(t, err)
	l, _ := x.Draw(p, seed)
	want, err := artist.FoldLatent(l, seed)
	require.NoError(t, err)
	require.Equal(t, want, program)
	require.EqualValues(t, 4, drawn.Version)
	require.Equal(t, tastes.Words(l), drawn.Words)
	again, err := tastes.Latent(drawn)
	require.NoError(t, err)
	require.Equal(t, l, again)

	v, err := latent.NewVocabulary([]string{"zyzzyva", latent.MotifPrefix + "spiral", latent.PaperPrefix + "vellum"}, 3)
	require.NoError(t, err)
	foreign, err := taste.NewLexicon(v, make([]taste.Look, v.Size()))
	require.NoError(t, err)
	program, drawn, err = drawnBy(artist, foreign, foreign.First(), version, seed)
	require.NoError(t, err)
	given, _ := foreign.Draw(foreign.First(), seed)
	require.Equal(t, tastes.Words(given), drawn.Words, "the receipt names what was given, whatever the artist makes of it")
	require.EqualValues(t, 4, drawn.Version)
	want, err = artist.Fold("", seed)
	require.NoError(t, err)
	require.Equal(t, want, program)
}

func TestThePinOfAFileOfTheTasteTellsWhichItIs(t *testing.T) {
	file := curation.Hash{7}
	again, ok := parseTastePin(tastePin(file))
	require.True(t, ok)
	require.Equal(t, file, again)
	for _, other := range []string{"", "taste", "taste/", "taste/07", pinName("candidate", file), epochPin(containerPin, 3)} {
		_, ok := parseTastePin(other)
		require.False(t, ok, other)
	}
}
