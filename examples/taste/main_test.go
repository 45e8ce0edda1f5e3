package main

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model"
)

// A tiny run with the public artist: what is learned is liked more than what is not,
// and all that the program writes can be read.
func TestRun(t *testing.T) {
	out := t.TempDir()
	var text bytes.Buffer
	require.NoError(t, run(context.Background(), &text, options{Rounds: 6, Pictures: 14, Publics: 2, out: out, side: 32, json: true}))
	var got struct {
		Rounds  int
		Figures []figure
	}
	require.NoError(t, json.Unmarshal(text.Bytes(), &got))
	require.Equal(t, 6, got.Rounds)
	require.Len(t, got.Figures, len(strategies))
	by := map[string]figure{}
	for _, f := range got.Figures {
		require.Len(t, f.Likes, 6)
		by[f.Strategy] = f
	}
	later := func(strategy string) (sum float64) {
		for _, v := range by[strategy].Likes[3:] {
			sum += v / 3
		}
		return sum
	}
	require.Greater(t, later("full rule"), later("random")+.3)
	require.Greater(t, by["full rule"].Things, 4.)

	for _, name := range []string{"before.png", "after-0.png"} {
		f, err := os.Open(filepath.Join(out, name))
		require.NoError(t, err)
		defer f.Close()
		img, err := png.Decode(f)
		require.NoError(t, err)
		require.Equal(t, 5*(32+8)+8, img.Bounds().Dx())
	}
	raw, err := os.ReadFile(filepath.Join(out, "prior-0.json"))
	require.NoError(t, err)
	lexicon, err := model.Lexicon()
	require.NoError(t, err)
	p, err := lexicon.UnmarshalPrior(raw)
	require.NoError(t, err)
	require.Equal(t, int64(6), p.Version)
}

func TestRunRefusesWhatMakesNoRounds(t *testing.T) {
	for name, o := range map[string]options{
		"no rounds":       {Pictures: 20, Publics: 1, side: 32},
		"too few to pick": {Rounds: 1, Pictures: 6, Publics: 1, side: 32},
		"nobody":          {Rounds: 1, Pictures: 20, side: 32},
		"huge sheets":     {Rounds: 1, Pictures: 20, Publics: 1, side: 5000},
	} {
		t.Run(name, func(t *testing.T) { require.Error(t, run(context.Background(), &bytes.Buffer{}, o)) })
	}
}
