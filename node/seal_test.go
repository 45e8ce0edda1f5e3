package node

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model"
)

func TestAnArtistThatThereIsIsSealedAsItIs(t *testing.T) {
	dir := t.TempDir()
	made, err := model.FineTune(t.Context(), model.Embedded(), model.FineTuneOptions{Seed: [32]byte{1}, Steps: 1, Name: "Old"})
	require.NoError(t, err)
	require.NoError(t, made.SaveDir(dir))
	var phases []string
	s := Sealing{Weights: dir, Phase: func(s string) { phases = append(phases, s) }}
	a, err := s.artist(t.Context())
	require.NoError(t, err)
	require.Equal(t, made.ID(), a.ID())
	require.Equal(t, []string{"reading the artist"}, phases)
	s.Weights = t.TempDir()
	_, err = s.artist(t.Context())
	require.ErrorContains(t, err, "no artist in "+s.Weights)
}
