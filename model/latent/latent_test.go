package latent

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func small(t testing.TB) *Vocabulary {
	v, err := NewVocabulary([]string{"fox, reynard", "owl", "red", "teal", "wave", MotifPrefix + "halo", MotifPrefix + "wave", PaperPrefix + "navy", PicturePrefix + "0001"}, 4)
	require.NoError(t, err)
	return v
}

func TestOfSaysWhatPromptAndSeedMean(t *testing.T) {
	v := small(t)
	for prompt, want := range map[string][]string{
		"a red fox on navy, halo": {"red", "fox", "halo", "navy"},
		"wave":                    {"wave"},
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

func TestReadingAPrompt(t *testing.T) {
	v, err := NewVocabulary([]string{
		"bear", "bird, robin", "bell pepper", "hot pepper", "crescent moon, moon", "fish", "mountain, mountains", "night owl", "owl", "polar bear", "red rose", "rose", "tree, forest", "wave, sea",
		"blue", "golden", "red",
		MotifPrefix + "forest, woods", MotifPrefix + "halo", MotifPrefix + "moon", MotifPrefix + "night, midnight", MotifPrefix + "sea",
		PaperPrefix + "forest, woods", PaperPrefix + "navy", PaperPrefix + "night, midnight, moon", PaperPrefix + "sea",
	}, 3)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		prompt       string
		things, dyes []string
		motif, paper string
	}{
		"a thing":                  {"bird", []string{"bird"}, nil, "", ""},
		"another name of it":       {"The Robin!", []string{"bird"}, nil, "", ""},
		"a colour":                 {"a blue bird", []string{"bird"}, []string{"blue"}, "", ""},
		"a longer name goes first": {"polar bear", []string{"polar bear"}, nil, "", ""},
		"also where it has a colour or a ground in it": {"red rose by a night owl", []string{"red rose", "night owl"}, nil, "", ""},
		"but not across what stands between":           {"polar, bear", []string{"polar bear", "bear"}, nil, "", ""},
		"what can be a ground is one beside a thing":   {"mountain at night", []string{"mountain"}, nil, "night", "night"},
		"before it too": {"midnight mountain", []string{"mountain"}, nil, "night", "night"},
		"alone it is the thing, on its own ground":             {"the sea", []string{"wave"}, nil, "sea", "sea"},
		"of two, the last side by side is the thing":           {"sea forest", []string{"tree"}, nil, "sea", "sea"},
		"of two apart, the first":                              {"sea in a forest", []string{"wave"}, nil, "forest", "forest"},
		"of two grounds the first gives form, the last colour": {"owl by the sea at night", []string{"owl"}, nil, "sea", "night"},
		"a paper by its name goes before":                      {"navy owl at night", []string{"owl"}, nil, "night", "navy"},
		"a form alone leaves the colours open":                 {"owl in a halo", []string{"owl"}, nil, "halo", ""},
		"the moon is a ground":                                 {"owl under the moon", []string{"owl"}, nil, "moon", "night"},
		"two things: the last side by side comes first":        {"fish bird", []string{"bird", "fish"}, nil, "", ""},
		"two things apart: the first":                          {"fish with a bird", []string{"fish", "bird"}, nil, "", ""},
		"a plural":                                             {"two golden fishes", []string{"fish"}, []string{"golden"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := v.Read(c.prompt, Chance(c.prompt, [32]byte{1}))
			require.NoError(t, err)
			var things, dyes []string
			for i, row := range r.Rows {
				if IsDye(v.Feature(row.Row)) {
					dyes = append(dyes, v.Feature(row.Row))
					continue
				}
				things = append(things, v.Feature(row.Row))
				require.Equal(t, i == 0, row.Weight == Whole)
			}
			require.Equal(t, c.things, things)
			require.Equal(t, c.dyes, dyes)
			ground := func(prefix, name string) int {
				if row, ok := v.Row(prefix + name); ok {
					return row
				}
				return -1
			}
			require.Equal(t, ground(MotifPrefix, c.motif), r.Motif)
			require.Equal(t, ground(PaperPrefix, c.paper), r.Paper)
		})
	}
	peppers := map[string]bool{}
	for seed := range byte(20) {
		l, err := v.Of("pepper", [32]byte{seed})
		require.NoError(t, err)
		peppers[l.Things[0].Word] = true
	}
	require.Equal(t, map[string]bool{"bell pepper": true, "hot pepper": true}, peppers, "a part of names means one of them")
	one, err := v.Of("yeti", [32]byte{1})
	require.NoError(t, err)
	two, err := v.Of("yeti", [32]byte{2})
	require.NoError(t, err)
	require.Equal(t, one.Things, two.Things, "an unknown word always has the same look")
	require.Equal(t, one.Paper, two.Paper)
	require.NotEmpty(t, one.Paper)
}

func TestWhatAPictureIsKnownAs(t *testing.T) {
	known := func(name string) bool { return name == "ball" || name == "red ball" || name == "red" || name == "sea" }
	for want, names := range map[string][]string{"red ball": {"big red ball"}, "ball": {"blue ball", "sea"}, "sea": {"water", "sea"}} {
		name, ok := Known(names, known)
		require.True(t, ok)
		require.Equal(t, want, name)
	}
	_, ok := Known([]string{"red", "water", ""}, known)
	require.False(t, ok, "a colour is no name")
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
		"a further name":               func(l *Latent) { l.Things[0].Word = "reynard" },
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
		"nothing to show":     {"red", MotifPrefix + "halo"},
		"a word twice":        {"fox", "fox"},
		"a name twice":        {"fox, reynard", "renard, fox"},
		"an empty name":       {"fox, "},
		"a ground of no name": {"fox", MotifPrefix},
		"too many names":      {"fox" + strings.Repeat(", foxes", MaxFeature/7)},
		"an empty word":       {"fox", ""},
		"a word too long":     {"fox", strings.Repeat("a", MaxWord+1)},
		"too many of them":    make([]string, MaxFeatures+1),
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
