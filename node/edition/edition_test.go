package edition

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/animation"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

const edge = 80 // nine tiles

func work(prompt string, seed byte) storage.Work {
	return storage.Work{RequestID: [32]byte{seed}, Prompt: prompt, Seed: [32]byte{seed}}
}

// picture is an edition of one artwork, film one between two.
func picture(changes ...byte) storage.Edition {
	return storage.Edition{Of: []storage.Work{work("red heart", 1)}, Changes: append([]byte{}, changes...)}
}

func film(frames, length uint64) storage.Edition {
	return storage.Edition{Of: []storage.Work{work("red heart", 1), work("owl", 2)}, Frames: frames, Length: length, Changes: []byte{}}
}

func drawn(t *testing.T, e storage.Edition, size int) ([]byte, [32]byte) {
	t.Helper()
	var png bytes.Buffer
	root, err := Draw(t.Context(), &png, model.Embedded(), e, size, model.RenderOptions{})
	require.NoError(t, err)
	return png.Bytes(), root
}

// tasteful is a work that nobody gave a prompt for, with what it was drawn from.
func tasteful(t *testing.T, seed byte) (storage.Work, latent.Latent) {
	t.Helper()
	x, err := model.Lexicon()
	require.NoError(t, err)
	w := work("", seed)
	l, _ := x.Draw(x.First(), w.Seed)
	w.Taste, err = tastes.Receipt(curation.Prior{ID: curation.Hash(x.First().ID())}, l)
	require.NoError(t, err)
	return w, l
}

// checked is what an auditor says of a PNG after some tiles that a seed draws.
func checked(t *testing.T, e storage.Edition, size int, png []byte, tiles int, seed byte) ([32]byte, error) {
	t.Helper()
	return Check(t.Context(), model.Embedded(), e, size, png, tiles, rand.NewChaCha8([32]byte{seed}), model.RenderOptions{})
}

func TestWhatOneMemberDrawsAnotherFindsTheSame(t *testing.T) {
	once := film(5, 777)
	once.Once = true
	turned := film(4, 400)
	turned.Changes = []byte{2, 0, 120}
	moon, given := work("moon", 3), film(3, 300)
	coloured, both := picture(), picture(2, 0, 120)
	coloured.Colours, both.Colours, given.Colours = &moon, &moon, &moon
	for name, e := range map[string]storage.Edition{
		"a picture as it is": picture(), "in other colours": picture(2, 0, 120), "mirrored": picture(8), "a film there and back": film(6, 500),
		"a film there": once, "a film in other colours": turned, "two frames": film(2, 40),
		"in the colours of another": coloured, "which are turned": both, "a film in the colours of another": given,
	} {
		png, root := drawn(t, e, edge)
		for _, tiles := range []int{0, 1, 5, 1000} {
			have, err := checked(t, e, edge, png, tiles, byte(tiles))
			require.NoError(t, err, "%s: %d tiles", name, tiles)
			require.Equal(t, root, have, name)
		}
		have, err := Root(t.Context(), e, edge, png)
		require.NoError(t, err, name)
		require.Equal(t, root, have, name)
	}
	// In other colours it is what a recipe gives, and not what it is in its own.
	r := model.NewRecipe(model.Embedded().ID(), "red heart", [32]byte{1})
	r.Colours.Of = &model.Subject{Prompt: "moon", Seed: [32]byte{3}}
	recipes, err := Recipes(model.Embedded().ID(), model.Embedded().Words(), coloured)
	require.NoError(t, err)
	require.Equal(t, []model.Recipe{r}, recipes)
	encoded, err := r.MarshalBinary()
	require.NoError(t, err)
	require.Less(t, len(encoded), 200)
	own, _ := drawn(t, picture(), edge)
	_, err = checked(t, coloured, edge, own, 0, 0)
	require.ErrorIs(t, err, ErrOther)
	// As it is and at its own size it is the artwork itself.
	p, err := model.Embedded().Render(t.Context(), "red heart", [32]byte{1}, edge, model.RenderOptions{})
	require.NoError(t, err)
	_, root := drawn(t, picture(), edge)
	require.Equal(t, p.PixelRoot, root)
}

func TestAnEditionOfAPictureWithoutAPromptIsOfWhatItWasDrawnFrom(t *testing.T) {
	first, l := tasteful(t, 1)
	second, _ := tasteful(t, 2)
	seedAlone, named := work("", 1), work("owl", 2)
	for name, e := range map[string]storage.Edition{
		"as it is": {Of: []storage.Work{first}, Changes: []byte{}}, "in other colours": {Of: []storage.Work{first}, Changes: []byte{2, 0, 120}},
		"a film between two":        {Of: []storage.Work{first, second}, Frames: 3, Length: 300, Changes: []byte{}},
		"a film to one of a prompt": {Of: []storage.Work{first, named}, Frames: 3, Length: 300, Changes: []byte{8}},
		"a film to the seed alone":  {Of: []storage.Work{first, seedAlone}, Frames: 2, Length: 300, Once: true, Changes: []byte{}},
	} {
		png, root := drawn(t, e, edge)
		have, err := checked(t, e, edge, png, 0, 0)
		require.NoError(t, err, name)
		require.Equal(t, root, have, name)
		plain := e
		plain.Of = append([]storage.Work{seedAlone}, e.Of[1:]...)
		if name == "a film to the seed alone" {
			plain.Of[1] = named
		}
		_, err = checked(t, plain, edge, png, 0, 0)
		require.ErrorIs(t, err, ErrOther, name)
	}
	p, err := model.Embedded().RenderLatent(t.Context(), l, first.Seed, edge, model.RenderOptions{})
	require.NoError(t, err)
	_, root := drawn(t, storage.Edition{Of: []storage.Work{first}, Changes: []byte{}}, edge)
	require.Equal(t, p.PixelRoot, root, "as it is and at its own size it is the artwork itself")
}

// An artist that lacks the words that the taste gave draws of the seed alone.
func TestWordsThatTheArtistHasNotGotAreNotDrawn(t *testing.T) {
	w, l := tasteful(t, 1)
	l.Things = []latent.Part{{Word: "buy now", Weight: latent.Whole}}
	var err error
	w.Taste, err = tastes.Receipt(curation.Prior{ID: w.Taste.Prior}, l)
	require.NoError(t, err)
	_, root := drawn(t, storage.Edition{Of: []storage.Work{w}, Changes: []byte{}}, edge)
	_, plain := drawn(t, storage.Edition{Of: []storage.Work{work("", 1)}, Changes: []byte{}}, edge)
	require.Equal(t, plain, root)
	w.Taste.Words = "buy now"
	_, err = Draw(t.Context(), &bytes.Buffer{}, model.Embedded(), storage.Edition{Of: []storage.Work{w}, Changes: []byte{}}, edge, model.RenderOptions{})
	require.ErrorIs(t, err, tastes.ErrReceipt)
}

func TestEveryFrameOfAFilmIsThatOfTheMorph(t *testing.T) {
	e := film(4, 400)
	png, root := drawn(t, e, edge)
	recipes, err := Recipes(model.Embedded().ID(), model.Embedded().Words(), e)
	require.NoError(t, err)
	m, err := model.NewMorph(model.Embedded(), recipes[0], recipes[1])
	require.NoError(t, err)
	var roots [][32]byte
	_, err = readFilm(e, edge, png, func(i int, rgb []byte) error {
		f, err := m.Frame(t.Context(), model.Eased(i, 4, true), edge, model.RenderOptions{})
		require.NoError(t, err)
		require.Equal(t, f.RGB, rgb)
		roots = append(roots, f.PixelRoot)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, animation.Root(roots), root)
	require.NotEqual(t, animation.Root(roots[:3]), root)
}

// A generator may hand in whatever it likes.
func TestAnotherPictureIsFoundOut(t *testing.T) {
	e, f := picture(2, 0, 120), film(4, 400)
	of := func(e storage.Edition, size int) []byte { png, _ := drawn(t, e, size); return png }
	longer, swapped, once := f, f, f
	longer.Length = 404
	swapped.Of = []storage.Work{f.Of[1], f.Of[0]}
	once.Once = true
	text := func(png []byte) []byte {
		b, err := storage.AddText(png, []storage.Text{{Keyword: "Comment", Text: "buy now"}})
		require.NoError(t, err)
		return b
	}
	for name, c := range map[string]struct {
		e   storage.Edition
		png []byte
	}{
		"another recipe's picture":            {e, of(picture(), edge)},
		"another artwork's":                   {e, of(storage.Edition{Of: f.Of[1:], Changes: e.Changes}, edge)},
		"another size":                        {e, of(e, edge-1)},
		"a film for a picture":                {e, of(f, edge)},
		"a picture for a film":                {f, of(e, edge)},
		"a film the other way round":          {f, of(swapped, edge)},
		"a film without way back":             {f, of(once, edge)},
		"a slower film":                       {f, of(longer, edge)},
		"a longer film":                       {f, of(film(5, 500), edge)},
		"a shorter film":                      {f, of(film(3, 300), edge)},
		"a smaller film":                      {f, of(f, edge-1)},
		"half a film":                         {f, of(f, edge)[:5000]},
		"nothing":                             {f, nil},
		"a picture that somebody altered":     {e, altered(t, of(e, edge))},
		"a film of which one frame is others": {f, replaced(t, f)},
	} {
		_, err := checked(t, c.e, edge, c.png, 0, 0)
		require.Error(t, err, name)
		require.True(t, Other(err), "%s: %v", name, err)
	}
	// Texts show nothing of the pixels: who builds the folder's label compares them.
	_, err := checked(t, f, edge, text(of(f, edge)), 0, 0)
	require.NoError(t, err)
}

// altered is a PNG with one pixel of tile 4 changed.
func altered(t *testing.T, png []byte) []byte {
	t.Helper()
	p, err := storage.DecodePNG(png, 0)
	require.NoError(t, err)
	p.RGB[3*(40*edge+40)] ^= 1
	b, err := storage.EncodePNG(p)
	require.NoError(t, err)
	return b
}

// replaced is a film whose third frame shows the first once more.
func replaced(t *testing.T, e storage.Edition) []byte {
	t.Helper()
	png, _ := drawn(t, e, edge)
	var frames [][]byte
	_, err := readFilm(e, edge, png, func(_ int, rgb []byte) error {
		frames = append(frames, bytes.Clone(rgb))
		return nil
	})
	require.NoError(t, err)
	frames[2] = frames[0]
	var out bytes.Buffer
	w, err := animation.NewPNG(&out, edge, edge, len(frames), time.Duration(e.Length)*time.Millisecond/time.Duration(e.Frames))
	require.NoError(t, err)
	for _, f := range frames {
		require.NoError(t, w.Frame(f))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// One tile of the 36 of a film that is altered is met by twelve tiles once in three.
func TestAForgedFrameIsFoundAsOftenAsTheRulesSay(t *testing.T) {
	e := film(4, 400)
	forged := replaced(t, e)
	all := 0
	recipes, err := Recipes(model.Embedded().ID(), model.Embedded().Words(), e)
	require.NoError(t, err)
	m, err := model.NewMorph(model.Embedded(), recipes[0], recipes[1])
	require.NoError(t, err)
	_, err = readFilm(e, edge, forged, func(i int, rgb []byte) error {
		differ, err := m.Check(t.Context(), model.Eased(i, 4, true), edge, rgb, []int{0, 1, 2, 3, 4, 5, 6, 7, 8}, model.RenderOptions{})
		all += len(differ)
		return err
	})
	require.NoError(t, err)
	require.Positive(t, all)
	found := 0
	for seed := range byte(60) {
		if _, err := checked(t, e, edge, forged, 4, seed); err != nil {
			require.ErrorIs(t, err, ErrOther)
			found++
		}
	}
	require.InDelta(t, model.Caught(36, all, 4), float64(found)/60, .25)
}

func TestChangesThatNoRecipeHasAreNotReadable(t *testing.T) {
	require.NoError(t, Readable(nil))
	require.NoError(t, Readable([]byte{2, 0, 120}))
	for _, b := range [][]byte{{0}, {2}, {2, 0, 0}, {1}, []byte("paint it black")} {
		require.ErrorIs(t, Readable(b), model.ErrRecipe, "%x", b)
		_, err := Recipes([32]byte{}, model.Embedded().Words(), storage.Edition{Of: []storage.Work{work("", 1)}, Changes: b})
		require.ErrorIs(t, err, model.ErrRecipe)
	}
}

func TestDrawingAndCheckingEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := film(4, 400)
	png, _ := drawn(t, f, edge)
	cancel()
	for _, e := range []storage.Edition{picture(), f} {
		_, err := Draw(ctx, &bytes.Buffer{}, model.Embedded(), e, edge, model.RenderOptions{})
		require.ErrorIs(t, err, context.Canceled)
	}
	_, err := Check(ctx, model.Embedded(), f, edge, png, 0, nil, model.RenderOptions{})
	require.ErrorIs(t, err, context.Canceled, "and nobody is blamed for it")
	still, _ := drawn(t, picture(), edge)
	for png, e := range map[*[]byte]storage.Edition{&png: f, &still: picture()} {
		_, err = Root(ctx, e, edge, *png)
		require.ErrorIs(t, err, context.Canceled, "a film may hold more than anybody waits for")
		require.False(t, Other(err))
	}
}
