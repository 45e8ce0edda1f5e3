package verify

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/node/edition"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// editionOf makes two artworks of the network, and a film between them or a picture of the
// first, with the folder that its generator builds.
func editionOf(t *testing.T, film bool) (work, []storage.File) {
	t.Helper()
	w := genuine(t)
	first, second := storage.Work{RequestID: w.receipt.RequestID, Prompt: "red heart", Seed: w.receipt.Seed}, storage.Work{RequestID: [32]byte{9}, Prompt: "owl", Seed: [32]byte{8}}
	k := w.network.Artworks[first.RequestID]
	k.Prompt, k.Seed = first.Prompt, first.Seed
	w.network.Artworks[first.RequestID] = k
	k.Prompt, k.Seed = second.Prompt, second.Seed
	w.network.Artworks[second.RequestID] = k

	e := storage.Edition{Of: []storage.Work{first}, Changes: []byte{2, 0, 120}}
	q := curation.Edition{ModelID: w.receipt.Model, Of: []curation.Hash{first.RequestID}, Size: side, Changes: e.Changes}
	if film {
		e = storage.Edition{Of: []storage.Work{first, second}, Frames: 3, Length: 300, Once: true, Changes: []byte{}}
		q = curation.Edition{ModelID: w.receipt.Model, Of: []curation.Hash{first.RequestID, second.RequestID}, Size: side, Frames: 3, Length: 300, Once: true}
	}
	w.asks(t, q)
	w.receipt.Edition = &e
	return w, w.edition(t, e)
}

// asks has the members approve another request.
func (w *work) asks(t *testing.T, q curation.Payload) {
	t.Helper()
	w.receipt.Body = curation.Body{Nonce: 1, ValidUntil: 99, Payload: q}.Bytes()
	w.receipt.RequestID = curation.RequestID(sha256.Sum256(w.receipt.Body), w.receipt.RequestHeight, position)
	w.certify(t)
}

// edition draws an edition, and registers and returns its folder.
func (w *work) edition(t *testing.T, e storage.Edition) []storage.File {
	t.Helper()
	var png bytes.Buffer
	root, err := edition.Draw(t.Context(), &png, model.Embedded(), e, side, model.RenderOptions{})
	require.NoError(t, err)
	w.receipt.PixelRoot = root
	label := storage.Label(title, artist, w.receipt)
	label.PNG = png.Bytes()
	files, err := storage.BuildArtworkFolder(label)
	require.NoError(t, err)
	w.register(t, files, curation.StatusDelivered, w.order()[1])
	return files
}

func TestAGenuineEditionIsValid(t *testing.T) {
	for _, film := range []bool{false, true} {
		w, files := editionOf(t, film)
		r, err := Artwork(t.Context(), files, Options{Network: &w.network, Artist: model.Embedded()})
		require.NoError(t, err)
		require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
		for _, name := range []string{"pixels", "rendering", "request", "edition", "label", "registered", "audit"} {
			require.Equal(t, Holds, statusOf(r, name), name)
		}
	}
}

// Who makes an edition up is found out by the claim that it breaks, or by drawing again.
func TestAnEditionThatIsMadeUpIsInvalid(t *testing.T) {
	for name, c := range map[string]struct {
		claim string
		spoil func(*work, *storage.Edition)
	}{
		"of another size":              {"request", func(w *work, e *storage.Edition) { w.receipt.Body = bodyOf(w, side+1, e.Changes) }},
		"with other changes":           {"request", func(_ *work, e *storage.Edition) { e.Changes = []byte{2, 0, 90} }},
		"of another artwork":           {"request", func(_ *work, e *storage.Edition) { e.Of[0].RequestID = [32]byte{9} }},
		"with another seed":            {"edition", func(_ *work, e *storage.Edition) { e.Of[0].Seed = [32]byte{1} }},
		"with another prompt":          {"edition", func(_ *work, e *storage.Edition) { e.Of[0].Prompt = "blue heart" }},
		"under another prompt":         {"edition", func(w *work, _ *storage.Edition) { w.receipt.Prompt = "blue heart" }},
		"a film that nobody asked for": {"request", func(_ *work, e *storage.Edition) { e.Of = append(e.Of, e.Of[0]); e.Frames, e.Length = 2, 100 }},
		"of a request for a new picture": {"request", func(w *work, _ *storage.Edition) {
			w.receipt.Body = curation.Body{ValidUntil: 99, Payload: curation.Request{Prompt: "red heart", ModelID: w.receipt.Model}}.Bytes()
		}},
	} {
		w, _ := editionOf(t, false)
		e := *w.receipt.Edition
		e.Of = append([]storage.Work{}, e.Of...)
		c.spoil(&w, &e)
		w.receipt.Edition = &e
		w.certify(t)
		r, err := Artwork(t.Context(), w.edition(t, e), Options{Network: &w.network, Artist: model.Embedded()})
		require.NoError(t, err)
		require.Equal(t, Invalid, r.Outcome, "%s: %+v", name, r.Claims)
		require.Contains(t, r.Failed, c.claim, name)
		require.Equal(t, Holds, statusOf(r, "rendering"), "%s: it was drawn as it says", name)
	}
	// A receipt that hides that it is one.
	w, _ := editionOf(t, false)
	e := *w.receipt.Edition
	w.receipt.Edition = nil
	r, err := Artwork(t.Context(), w.edition(t, e), Options{Network: &w.network, Artist: model.Embedded()})
	require.NoError(t, err)
	require.Contains(t, r.Failed, "request")
	require.Contains(t, r.Failed, "rendering")

	// A picture that the artist does not draw, and an artwork that the network lacks.
	w, files := editionOf(t, true)
	other := *w.receipt.Edition
	other.Of = []storage.Work{other.Of[1], other.Of[0]}
	mine, said := w.receipt.Edition, files
	w.receipt.Edition = mine
	files = w.edition(t, other)
	r, err = Artwork(t.Context(), files, Options{Network: &w.network, Artist: model.Embedded()})
	require.NoError(t, err)
	require.Equal(t, Holds, statusOf(r, "pixels"))
	require.Equal(t, Fails, statusOf(r, "rendering"))
	delete(w.network.Artworks, curation.Hash{9})
	_, err = storage.FolderCID(said)
	require.NoError(t, err)
	r, err = Artwork(t.Context(), said, Options{Network: &w.network})
	require.NoError(t, err)
	require.Equal(t, Skipped, statusOf(r, "edition"))
}

func bodyOf(w *work, size uint64, changes []byte) []byte {
	return curation.Body{ValidUntil: 99, Payload: curation.Edition{ModelID: w.receipt.Model, Of: []curation.Hash{w.receipt.Edition.Of[0].RequestID}, Size: size, Changes: changes}}.Bytes()
}

// tasteful makes an edition of a picture that nobody gave a prompt for, or a film from it
// to another one, with the file of the version that they were drawn from.
func tasteful(t *testing.T, film bool) (w work, files []storage.File, version []byte) {
	t.Helper()
	w, _ = editionOf(t, film)
	x, err := model.Lexicon()
	require.NoError(t, err)
	first := x.First()
	version, err = first.MarshalBinary()
	require.NoError(t, err)
	prior := curation.Prior{ID: curation.Hash(first.ID()), Lexicon: curation.Hash(x.ID())}
	w.network.Priors = []Prior{{Version: prior.Version, ID: prior.ID, Lexicon: prior.Lexicon}}
	e := *w.receipt.Edition
	for i := range e.Of {
		l, _ := x.Draw(first, e.Of[i].Seed)
		e.Of[i].Prompt = ""
		e.Of[i].Taste, err = tastes.Receipt(prior, l)
		require.NoError(t, err)
		k := w.network.Artworks[e.Of[i].RequestID]
		k.Prompt, k.Prior = "", prior.ID
		w.network.Artworks[e.Of[i].RequestID] = k
	}
	w.receipt.Prompt, w.receipt.Edition = "", &e
	return w, w.edition(t, e), version
}

func TestAnEditionOfAPictureWithoutAPromptIsValid(t *testing.T) {
	for _, film := range []bool{false, true} {
		w, files, version := tasteful(t, film)
		r, err := Artwork(t.Context(), files, Options{Network: &w.network, Artist: model.Embedded(), Priors: [][]byte{version}})
		require.NoError(t, err)
		require.Equal(t, Valid, r.Outcome, "%+v", r.Claims)
		for _, name := range []string{"pixels", "rendering", "taste", "request", "edition", "label", "registered", "audit"} {
			require.Equal(t, Holds, statusOf(r, name), name)
		}
		require.Equal(t, w.receipt.Edition.Of[0].Taste.Words, r.Words)

		r, err = Artwork(t.Context(), files, Options{Network: &w.network})
		require.NoError(t, err)
		require.Equal(t, Valid, r.Outcome)
		require.Equal(t, Skipped, statusOf(r, "taste"))
		r, err = Artwork(t.Context(), files, Options{Network: &w.network, Priors: [][]byte{[]byte("another file")}})
		require.NoError(t, err)
		require.Equal(t, Unchecked, r.Outcome)
	}
}

// What an edition says of the taste is as easy to make up as anything else.
func TestAnEditionOfWhatTheTasteDidNotGiveIsInvalid(t *testing.T) {
	x, err := model.Lexicon()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		claim string
		spoil func(w *work, drawn *storage.Taste)
	}{
		"of what the taste gave for another seed": {"taste", func(_ *work, drawn *storage.Taste) {
			l, _ := x.Draw(x.First(), [32]byte{77})
			other, err := tastes.Receipt(curation.Prior{ID: drawn.Prior}, l)
			require.NoError(t, err)
			*drawn = *other
		}},
		"of another version":                   {"edition", func(_ *work, drawn *storage.Taste) { drawn.Prior = [32]byte{3} }},
		"of a version with another number":     {"edition", func(_ *work, drawn *storage.Taste) { drawn.Version = 3 }},
		"of words that the artist has not got": {"taste", func(_ *work, drawn *storage.Taste) { unknownWords(t, drawn) }},
		"under another title":                  {"rendering", func(_ *work, drawn *storage.Taste) { drawn.Words = "buy now" }},
		"of what is no latent":                 {"rendering", func(_ *work, drawn *storage.Taste) { drawn.Latent = "{}" }},
	} {
		for _, film := range []bool{false, true} {
			w, files, version := tasteful(t, film)
			drawn := *w.receipt.Edition.Of[0].Taste
			c.spoil(&w, &drawn)
			w.receipt.Edition.Of[0].Taste = &drawn
			// The pixels are of the edition where it can be drawn.
			if c.claim != "rendering" {
				files = w.edition(t, *w.receipt.Edition)
			} else {
				label := storage.Label(title, artist, w.receipt)
				for _, f := range files {
					if f.Name == storage.ImageName {
						label.PNG = untitled(t, f.Data)
					}
				}
				files, err = storage.BuildArtworkFolder(label)
				require.NoError(t, err)
				w.register(t, files, curation.StatusDelivered, w.order()[1])
			}
			r, err := Artwork(t.Context(), files, Options{Network: &w.network, Artist: model.Embedded(), Priors: [][]byte{version}})
			require.NoError(t, err, name)
			require.Equal(t, Invalid, r.Outcome, "%s: %+v", name, r.Claims)
			require.Contains(t, r.Failed, c.claim, name)
		}
	}
}

// unknownWords makes a receipt of the right form of words that no artist has.
func unknownWords(t *testing.T, drawn *storage.Taste) {
	t.Helper()
	l, err := tastes.Latent(drawn)
	require.NoError(t, err)
	l.Things = []latent.Part{{Word: "buy now", Weight: latent.Whole}}
	other, err := tastes.Receipt(curation.Prior{ID: drawn.Prior}, l)
	require.NoError(t, err)
	*drawn = *other
}

// untitled is a PNG without its texts.
func untitled(t *testing.T, png []byte) []byte {
	t.Helper()
	out := bytes.Clone(png[:8])
	for rest := png[8:]; len(rest) > 0; {
		n := 12 + int(binary.BigEndian.Uint32(rest))
		if kind := string(rest[4:8]); kind != "tEXt" && kind != "iTXt" && kind != "zTXt" {
			out = append(out, rest[:n]...)
		}
		rest = rest[n:]
	}
	return out
}
