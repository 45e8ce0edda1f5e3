package verify

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/edition"
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
