package latent

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func small(t testing.TB) *Vocabulary {
	v, err := NewVocabulary([]string{"fox", "owl", "red", "teal", "wave", MotifPrefix + "halo", MotifPrefix + "wave", PaperPrefix + "navy", PicturePrefix + "0001"}, 4)
	require.NoError(t, err)
	return v
}

func TestOfSaysWhatPromptAndSeedMean(t *testing.T) {
	v := small(t)
	for prompt, want := range map[string][]string{
		"a red fox on navy, halo": {"red", "fox", "halo", "navy"},
		"wave":                    {"wave"}, // the word, not the motif
		"owls":                    {"owl"},
		"owl fox owl":             {"owl", "fox"},
	} {
		l, err := v.Of(prompt, [32]byte{1})
		require.NoError(t, err)
		require.NoError(t, v.Check(l), prompt)
		said := Explain(l)
		require.Subset(t, said, want, prompt)
		require.Equal(t, want[0], said[0], prompt)
		require.Len(t, l.Noise, 4)
	}
	a, err := v.Of("", [32]byte{1})
	require.NoError(t, err)
	require.Len(t, a.Things, 1, "the seed finds something")
	require.Empty(t, a.Paper, "the artist chooses the paper")
	b, err := v.Of("", [32]byte{2})
	require.NoError(t, err)
	require.NotEqual(t, a, b)
	_, err = v.Of(strings.Repeat("a", MaxPrompt+1), [32]byte{})
	require.ErrorIs(t, err, ErrPrompt)
}

func TestLatentsThatAreRefused(t *testing.T) {
	v := small(t)
	good := func() Latent {
		return Latent{Things: []Part{{"fox", 256}, {"owl", 128}}, Dyes: []Part{{"red", 256}}, Motif: "halo", Paper: "navy", Noise: make(Noise, 4)}
	}
	require.NoError(t, v.Check(good()))
	for name, spoil := range map[string]func(l *Latent){
		"nothing to show":              func(l *Latent) { l.Things = nil },
		"too many things":              func(l *Latent) { l.Things = make([]Part, MaxThings+1) },
		"too many colours":             func(l *Latent) { l.Dyes = make([]Part, MaxDyes+1) },
		"an unknown word":              func(l *Latent) { l.Things[0].Word = "yeti" },
		"a colour among things":        func(l *Latent) { l.Things[0].Word = "red" },
		"a thing among colours":        func(l *Latent) { l.Dyes[0].Word = "fox" },
		"a motif among things":         func(l *Latent) { l.Things[0].Word = MotifPrefix + "halo" },
		"the lighter word first":       func(l *Latent) { l.Things[0].Weight = 1 },
		"a word twice":                 func(l *Latent) { l.Things[1] = Part{"fox", 12} },
		"a weight of nothing":          func(l *Latent) { l.Things[1].Weight = 0 },
		"a weight past the bound":      func(l *Latent) { l.Things[0].Weight = MaxWeight + 1 },
		"no motif where there are any": func(l *Latent) { l.Motif = "" },
		"an unknown motif":             func(l *Latent) { l.Motif = "spiral" },
		"an unknown paper":             func(l *Latent) { l.Paper = "gold" },
		"too little noise":             func(l *Latent) { l.Noise = l.Noise[1:] },
	} {
		t.Run(name, func(t *testing.T) {
			l := good()
			spoil(&l)
			require.ErrorIs(t, v.Check(l), ErrLatent)
		})
	}
}

func TestVocabulariesThatAreRefused(t *testing.T) {
	for name, features := range map[string][]string{
		"nothing to show":  {"red", MotifPrefix + "halo"},
		"a word twice":     {"fox", "fox"},
		"an empty word":    {"fox", ""},
		"a word too long":  {"fox", strings.Repeat("a", MaxWord+1)},
		"too many of them": make([]string, MaxFeatures+1),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewVocabulary(features, 4)
			require.ErrorIs(t, err, ErrVocabulary)
		})
	}
	_, err := NewVocabulary([]string{"fox"}, MaxNoise+1)
	require.ErrorIs(t, err, ErrVocabulary)
}

func FuzzOf(f *testing.F) {
	v := small(f)
	f.Add("two red owls over a teal wave")
	f.Add("x y z 夜 \xff")
	f.Fuzz(func(t *testing.T, prompt string) {
		l, err := v.Of(prompt, [32]byte{3})
		if err != nil {
			require.ErrorIs(t, err, ErrPrompt)
			return
		}
		require.NoError(t, v.Check(l))
		raw, err := json.Marshal(l)
		require.NoError(t, err)
		var again Latent
		require.NoError(t, json.Unmarshal(raw, &again))
		require.Equal(t, Explain(l), Explain(again))
		require.NoError(t, v.Check(again))
	})
}
