package model

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
)

// own is a plain recipe of the embedded artist.
func own(prompt string, s byte) Recipe { return NewRecipe(Embedded().ID(), prompt, seed(s)) }

// changed is own with a change.
func changed(prompt string, s byte, change func(*Recipe)) Recipe {
	r := own(prompt, s)
	change(&r)
	return r
}

// recipes are one of each kind, for tests and vectors.
func recipes() map[string]Recipe {
	id := Embedded().ID()
	heart, owl, moon := Subject{"red heart", seed(1), 0, ""}, Subject{"owl", seed(2), 0, ""}, Subject{"moon", seed(3), 0, ""}
	part := func(s Subject, w uint32) Subject { s.Weight = w; return s }
	return map[string]Recipe{
		"plain":               own("red heart", 1),
		"no prompt":           own("", 7),
		"longest prompt":      own(strings.Repeat("夜", 66)+"ab", 1),
		"colours of another":  changed("red heart", 1, func(r *Recipe) { r.Colours.Of = &owl }),
		"hues turned":         changed("red heart", 1, func(r *Recipe) { r.Colours.Turned = 120 }),
		"hues given":          changed("red heart", 1, func(r *Recipe) { r.Colours.Hues = []uint16{40, 0, 264} }),
		"mirrored":            changed("owl", 2, func(r *Recipe) { r.Frame.MirrorX, r.Frame.MirrorY = true, true }),
		"a part of it":        changed("owl", 2, func(r *Recipe) { r.Frame = Frame{Turn: 8192, Zoom: 3 * ZoomOne, X: 300, Y: -200} }),
		"soft, in deep shade": changed("owl", 2, func(r *Recipe) { r.Sharpness, r.Shadow = 5, 400 }),
		"without shade":       changed("owl", 2, func(r *Recipe) { r.Shadow = 0 }),
		"between two":         Between(id, part(heart, WholeWeight/4), part(owl, WholeWeight*3/4)),
		"between three":       Between(id, part(heart, WholeWeight/4), part(owl, WholeWeight/4), part(moon, WholeWeight/2)),
		"everything": func() Recipe {
			r := Between(id, part(heart, 1), part(owl, WholeWeight-1))
			r.Colours = Colours{Of: &moon, Hues: []uint16{0, 45, 90, 135, 180, 225, 270, 359}}
			r.Frame = Frame{MirrorX: true, Turn: 65535, Zoom: MinZoom, X: -MaxCentre, Y: MaxCentre}
			r.Sharpness, r.Shadow = MaxPercent, MaxPercent
			return r
		}(),
	}
}

// The vectors were written by the AVX-512 VNNI kernel on amd64 and hold for every
// kernel and platform.
func TestRecipesGiveTheSamePixelsEverywhere(t *testing.T) {
	const path, size = "testdata/recipes.json", 64
	type vector struct {
		Text      string `json:"text"`
		ID        string `json:"id"`
		PixelRoot string `json:"pixel_root"` // of 64×64 pixels
	}
	got := map[string]vector{}
	for name, r := range recipes() {
		program, err := r.Program(Embedded())
		require.NoError(t, err, name)
		for _, k := range kernel.Kernels() {
			p, err := Draw(t.Context(), program, size, size, RenderOptions{Kernel: k})
			require.NoError(t, err)
			id := r.ID()
			v := vector{r.String(), hex.EncodeToString(id[:]), hex.EncodeToString(p.PixelRoot[:])}
			if before, ok := got[name]; ok {
				require.Equal(t, before, v, "%s by kernel %s", name, k)
			}
			got[name] = v
		}
	}
	if *rewrite {
		text, err := json.MarshalIndent(got, "", "  ")
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, append(text, '\n'), 0o644))
	}
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var want map[string]vector
	require.NoError(t, json.Unmarshal(text, &want))
	require.Equal(t, want, got)
	roots := map[string]string{}
	for name, v := range got {
		require.Empty(t, roots[v.PixelRoot], "%s draws the same as another", name)
		roots[v.PixelRoot] = name
		r, err := ParseRecipe(v.Text)
		require.NoError(t, err)
		require.Equal(t, recipes()[name], r)
	}
}

func TestAPlainRecipeIsThePictureOfPromptAndSeed(t *testing.T) {
	a := Embedded()
	want, err := a.Fold("red heart", seed(1))
	require.NoError(t, err)
	got, err := own("red heart", 1).Program(a)
	require.NoError(t, err)
	require.Equal(t, want, got)
	require.True(t, own("red heart", 1).Plain())
	require.False(t, changed("red heart", 1, func(r *Recipe) { r.Frame.MirrorY = true }).Plain())
}

func TestRecipesAreShort(t *testing.T) {
	size := func(r Recipe) int {
		b, err := r.MarshalBinary()
		require.NoError(t, err)
		return len(b)
	}
	require.Equal(t, 68+9, size(own("red heart", 1)))
	require.Len(t, own("red heart", 1).String(), 110)
	require.Equal(t, 200, size(own(strings.Repeat("x", 132), 1)), "the longest prompt of a plain recipe of 200 bytes")
	require.Equal(t, 268, size(own(strings.Repeat("x", MaxPrompt), 1)))
	all := recipes()["everything"]
	require.Less(t, size(all), 200, "two subjects and every change, with short prompts")
	long := Subject{Prompt: strings.Repeat("x", MaxPrompt), Seed: seed(9)}
	all.Colours.Of = &long
	var subjects []Subject
	for i := range byte(MaxSubjects) {
		subjects = append(subjects, Subject{strings.Repeat("y", MaxPrompt), seed(i), WholeWeight / MaxSubjects, ""})
	}
	all.Subjects = Between(all.Artist, subjects...).Subjects
	require.Equal(t, MaxRecipe, size(all))
}

func TestLineageIsWhatAPictureIsMadeOf(t *testing.T) {
	all := recipes()
	require.Empty(t, all["plain"].Parents())
	require.Empty(t, all["hues given"].Parents())
	require.Equal(t, []Recipe{own("owl", 2)}, all["colours of another"].Parents())
	require.Equal(t, []Recipe{own("owl", 2), own("red heart", 1)}, all["between two"].Parents())
	require.Equal(t, []Recipe{own("owl", 2), own("red heart", 1), own("moon", 3)}, all["everything"].Parents())
	for _, p := range all["everything"].Parents() {
		require.True(t, p.Plain())
		require.NoError(t, p.Validate())
	}
	require.NotEqual(t, all["plain"].ID(), all["hues turned"].ID())
}

func TestRecipesThatAreRefused(t *testing.T) {
	half := uint32(WholeWeight / 2)
	for name, change := range map[string]func(*Recipe){
		"nothing to show":            func(r *Recipe) { r.Subjects = nil },
		"too much to show":           func(r *Recipe) { r.Subjects = make([]Subject, MaxSubjects+1) },
		"a weight missing":           func(r *Recipe) { r.Subjects[0].Weight-- },
		"no weight":                  func(r *Recipe) { r.Subjects = append(r.Subjects, Subject{Seed: seed(9)}) },
		"the same twice":             func(r *Recipe) { r.Subjects = []Subject{{"a", seed(1), half, ""}, {"a", seed(1), half, ""}} },
		"the same with other weight": func(r *Recipe) { r.Subjects = []Subject{{"a", seed(1), half + 1, ""}, {"a", seed(1), half - 1, ""}} },
		"the lighter first":          func(r *Recipe) { r.Subjects = []Subject{{"a", seed(1), half - 1, ""}, {"b", seed(1), half + 1, ""}} },
		"not in order":               func(r *Recipe) { r.Subjects = []Subject{{"b", seed(1), half, ""}, {"a", seed(1), half, ""}} },
		"colours that weigh":         func(r *Recipe) { r.Colours.Of = &Subject{"a", seed(1), 1, ""} },
		"both turned and given":      func(r *Recipe) { r.Colours = Colours{Turned: 1, Hues: []uint16{2}} },
		"too many hues":              func(r *Recipe) { r.Colours.Hues = make([]uint16, MaxHues+1) },
		"a hue of a full turn":       func(r *Recipe) { r.Colours.Hues = []uint16{360} },
		"turned too far":             func(r *Recipe) { r.Colours.Turned = 360 },
		"too near":                   func(r *Recipe) { r.Frame.Zoom = MaxZoom + 1 },
		"too far":                    func(r *Recipe) { r.Frame.Zoom = MinZoom - 1 },
		"beside it":                  func(r *Recipe) { r.Frame.X = MaxCentre + 1 },
		"above it":                   func(r *Recipe) { r.Frame.Y = -MaxCentre - 1 },
		"no sharpness":               func(r *Recipe) { r.Sharpness = 0 },
		"too sharp":                  func(r *Recipe) { r.Sharpness = MaxPercent + 1 },
		"too dark":                   func(r *Recipe) { r.Shadow = MaxPercent + 1 },
	} {
		t.Run(name, func(t *testing.T) {
			r := changed("owl", 1, change)
			require.ErrorIs(t, r.Validate(), ErrRecipe)
			_, err := r.MarshalBinary()
			require.ErrorIs(t, err, ErrRecipe)
			_, err = r.Program(Embedded())
			require.ErrorIs(t, err, ErrRecipe)
		})
	}
	require.ErrorIs(t, Recipe{}.Validate(), ErrRecipe)
	require.ErrorIs(t, own(strings.Repeat("x", MaxPrompt+1), 1).Validate(), ErrPrompt)
	require.ErrorIs(t, own("\xff", 1).Validate(), ErrPrompt)
	r := own("owl", 1)
	r.Artist[0]++
	_, err := r.Program(Embedded())
	require.ErrorIs(t, err, ErrOtherArtist)
}

func TestTextsThatAreNoRecipe(t *testing.T) {
	good := own("owl", 1).String()
	for name, c := range map[string]struct{ text, want string }{
		"nothing":            {"", "begin with recipe1"},
		"an invitation":      {"atelier1abc", "begin with recipe1"},
		"no code":            {"recipe1", "form"},
		"one letter less":    {good[:len(good)-1], "damaged"},
		"three bytes less":   {recipePrefix + base64.RawURLEncoding.EncodeToString(own("owl", 1).encoding()[:68]), "breaks off"},
		"four letters more":  {good + "AAAA", "follow its end"},
		"a letter of base64": {strings.Replace(good, "A", "+", 1), "damaged"},
		"far too long":       {recipePrefix + strings.Repeat("A", 5000), "more than any has"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseRecipe(c.text)
			require.ErrorIs(t, err, ErrRecipe)
			require.ErrorContains(t, err, c.want)
		})
	}
	r, err := ParseRecipe(" " + good[:20] + "\n\t" + good[20:] + "\n")
	require.NoError(t, err, "as a mail breaks it")
	require.Equal(t, own("owl", 1), r)

	plain, err := own("owl", 1).MarshalBinary()
	require.NoError(t, err)
	for flag := range 8 {
		b := append([]byte(nil), plain...)
		b[33] |= 1 << flag
		_, err := UnmarshalRecipe(append(b, make([]byte, 8)...))
		require.Error(t, err, "a change that changes nothing: flag %d", flag)
	}
}

// drawn is any recipe.
func drawn(t *rapid.T) Recipe {
	subject := rapid.Custom(func(t *rapid.T) Subject {
		s := Subject{Prompt: rapid.StringN(0, 50, MaxPrompt).Draw(t, "prompt"), Seed: [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed"))}
		if rapid.IntRange(0, 3).Draw(t, "kind") == 0 {
			s.Prompt, s.Latent = "", latents(t)
		}
		return s
	})
	subjects := rapid.SliceOfNDistinct(subject, 1, MaxSubjects, func(s Subject) string { return string(s.Seed[:]) + s.Prompt + string(s.Latent) }).Draw(t, "subjects")
	left := uint32(WholeWeight)
	for i := range subjects {
		subjects[i].Weight = left
		if i < len(subjects)-1 {
			subjects[i].Weight = rapid.Uint32Range(1, left-uint32(len(subjects)-1-i)).Draw(t, "weight")
		}
		left -= subjects[i].Weight
	}
	r := Between([32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "artist")), subjects...)
	if rapid.Bool().Draw(t, "colours") {
		of := subject.Draw(t, "of")
		r.Colours.Of = &of
	}
	if rapid.Bool().Draw(t, "given") {
		r.Colours.Hues = rapid.SliceOfN(rapid.Uint16Range(0, FullTurn-1), 1, MaxHues).Draw(t, "hues")
	} else {
		r.Colours.Turned = rapid.Uint16Range(0, FullTurn-1).Draw(t, "turned")
	}
	r.Frame = Frame{rapid.Bool().Draw(t, "x"), rapid.Bool().Draw(t, "y"), rapid.Uint16().Draw(t, "turn"), rapid.Uint16Range(MinZoom, MaxZoom).Draw(t, "zoom"),
		rapid.Int16Range(-MaxCentre, MaxCentre).Draw(t, "X"), rapid.Int16Range(-MaxCentre, MaxCentre).Draw(t, "Y")}
	r.Sharpness, r.Shadow = rapid.Uint16Range(1, MaxPercent).Draw(t, "sharpness"), rapid.Uint16Range(0, MaxPercent).Draw(t, "shadow")
	return r
}

func TestEveryRecipeIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawn(t)
		require.NoError(t, r.Validate())
		got, err := ParseRecipe(r.String())
		require.NoError(t, err)
		require.Equal(t, r, got)
	})
}

// latents are those that the taste draws for a few seeds.
func latents(t *rapid.T) latent.Code {
	x, err := Lexicon()
	require.NoError(t, err)
	l, _ := x.Draw(x.First(), seed(rapid.Byte().Draw(t, "draw")))
	c, err := Embedded().Words().Encode(l)
	require.NoError(t, err)
	return c
}

func TestARecipeOfALatentDrawsItsPictureAndIsShort(t *testing.T) {
	x, err := Lexicon()
	require.NoError(t, err)
	for i := range 20 {
		l, _ := x.Draw(x.First(), seed(byte(i)))
		r, err := LatentRecipe(Embedded().ID(), Embedded().Words(), l, seed(byte(i)))
		require.NoError(t, err)
		b, err := r.MarshalBinary()
		require.NoError(t, err)
		require.Less(t, len(b), 200)
		again, err := ParseRecipe(r.String())
		require.NoError(t, err)
		require.Equal(t, r, again)
		require.True(t, r.Plain())
		have, err := again.Program(Embedded())
		require.NoError(t, err)
		want, err := Embedded().FoldLatent(l, seed(byte(i)))
		require.NoError(t, err)
		require.Equal(t, want, have)
	}
	l, err := Embedded().Words().Of("heart whale owl cat pink green", seed(1)) // as long as they get
	require.NoError(t, err)
	require.Len(t, append(l.Things, l.Dyes...), latent.MaxThings+latent.MaxDyes)
	r, err := LatentRecipe(Embedded().ID(), Embedded().Words(), l, seed(1))
	require.NoError(t, err)
	require.Len(t, r.encoding(), 194)

	beside := r
	beside.Subjects = []Subject{{"owl", seed(1), WholeWeight, r.Subjects[0].Latent}}
	require.ErrorIs(t, beside.Validate(), ErrRecipe, "a prompt and a latent")
	_, err = UnmarshalRecipe(append(append(NewRecipe([32]byte{}, "", seed(1)).encoding()[:67], byLatent), 0))
	require.ErrorIs(t, err, ErrRecipe, "a latent of no bytes would be an empty prompt")
	foreign, err := smallArtist(t).Words().Of("owl", seed(1))
	require.NoError(t, err)
	_, err = LatentRecipe(Embedded().ID(), Embedded().Words(), foreign, seed(1))
	require.ErrorIs(t, err, latent.ErrLatent)
	code, err := smallArtist(t).Words().Encode(foreign)
	require.NoError(t, err)
	r.Subjects[0].Latent = code
	_, err = r.Program(Embedded())
	require.ErrorIs(t, err, ErrRecipe, "of another vocabulary")
}

func TestEveryRecipeCanBeDrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawn(t)
		r.Artist = Embedded().ID()
		_, err := r.Program(Embedded())
		require.NoError(t, err)
	})
}

func FuzzRecipe(f *testing.F) {
	for _, r := range recipes() {
		f.Add(r.encoding())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := UnmarshalRecipe(b)
		if err != nil {
			return
		}
		again, err := r.MarshalBinary()
		require.NoError(t, err)
		require.Equal(t, b, again)
		require.LessOrEqual(t, len(b), MaxRecipe)
		r.Artist = Embedded().ID()
		p, err := r.Program(Embedded())
		if bytes.Contains(b, []byte{byLatent}) && err != nil { // a latent of another vocabulary
			require.ErrorIs(t, err, ErrRecipe)
			return
		}
		require.NoError(t, err)
		require.NoError(t, p.Validate())
		for _, parent := range r.Parents() {
			require.True(t, parent.Plain())
		}
	})
}

// A hostile artist's latents may be as long as its numbers allow.
func TestMixturesOfTheLongestLatentsDoNotOverflow(t *testing.T) {
	var m mixture
	z := make([]int64, MaxLatent)
	for j := range z {
		z[j] = 1 << 40
	}
	m.add(z, kernel.Identity(), WholeWeight/2)
	m.add(z, kernel.Identity(), WholeWeight/2)
	for _, v := range m.latent() {
		require.InDelta(t, latentLimit, v, 2)
	}
	require.Equal(t, kernel.Identity(), m.view())

	// Of what cancels itself there is no more than twice what is left.
	m = mixture{}
	m.add([]int64{4096, 100}, kernel.Identity(), WholeWeight/2)
	m.add([]int64{-4096, 100}, kernel.Identity(), WholeWeight/2)
	require.Equal(t, []int64{0, 200}, m.latent())
}

// What a recipe changes goes from one picture to another, and says nothing about colours
// that are another picture's.
func TestChangesGoFromOneRecipeToAnother(t *testing.T) {
	for name, r := range recipes() {
		changes := r.Changes()
		require.LessOrEqual(t, len(changes), 30, name)
		other, err := own("moon", 9).Changed(changes)
		require.NoError(t, err, name)
		require.Equal(t, "moon", other.Subjects[0].Prompt)
		r.Colours.Of = nil
		require.Equal(t, r.Colours, other.Colours, name)
		require.Equal(t, r.Frame, other.Frame, name)
		require.Equal(t, changes, other.Changes(), name)
		require.NoError(t, other.Validate(), name)
		plain, err := other.Changed(nil)
		require.NoError(t, err)
		require.True(t, plain.Plain(), name)
	}
	for name, b := range map[string][]byte{
		"no flags":                    {0},
		"colours of another":          append([]byte{1}, make([]byte, 33)...),
		"turned by nothing":           {2, 0, 0},
		"turned too far":              {2, 1, 104},
		"turned and given":            {6, 0, 1, 1, 0, 1},
		"a frame that shows all":      {32, 0, 0, 1, 0, 0, 0, 0, 0},
		"as sharp as before":          {64, 0, 100},
		"nine hues":                   append([]byte{4, 9}, make([]byte, 18)...),
		"what breaks off":             {128, 1},
		"what goes on":                {8, 0},
		"what goes on with a percent": {64, 0, 50, 0},
	} {
		_, err := own("moon", 9).Changed(b)
		require.ErrorIs(t, err, ErrRecipe, name)
	}
}

func FuzzChanges(f *testing.F) {
	for _, r := range recipes() {
		f.Add(r.Changes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := own("moon", 9).Changed(b)
		if err != nil {
			require.ErrorIs(t, err, ErrRecipe)
			return
		}
		require.NoError(t, r.Validate())
		require.Equal(t, string(b), string(r.Changes()))
	})
}
