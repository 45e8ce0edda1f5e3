package node

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/edition"
	"github.com/atelier-dao/atelier/storage"
)

// editionFolder is what a generator builds of an edition, with what its auditor expects.
func editionFolder(t *testing.T, e storage.Edition) ([]storage.File, storage.Artwork) {
	t.Helper()
	_, label, _ := registered(t)
	r := label.Receipt
	r.Edition, r.Prompt = &e, e.Of[0].Prompt
	label = storage.Label("Harbour", "gull", r)
	var png bytes.Buffer
	root, err := edition.Draw(t.Context(), &png, model.Embedded(), e, edge, model.RenderOptions{})
	require.NoError(t, err)
	label.Receipt.PixelRoot, label.PNG = root, png.Bytes()
	files, err := storage.BuildArtworkFolder(label)
	require.NoError(t, err)
	return files, label
}

func vouchesFor(t *testing.T, files []storage.File, e storage.Edition, label storage.Artwork) curation.Hash {
	t.Helper()
	pixels, err := vouchedEdition(t.Context(), model.Embedded(), rootOf(t, files), files, e, edge, func(p *model.Picture) (storage.Artwork, error) {
		expected := label
		expected.Receipt.PixelRoot = p.PixelRoot
		return expected, nil
	}, curation.DefaultParams(), rand.NewChaCha8([32]byte{}), model.RenderOptions{})
	require.NoError(t, err)
	return pixels
}

func TestAnAuditorTellsAnotherEditionFromTheSame(t *testing.T) {
	heart, owl := storage.Work{RequestID: [32]byte{1}, Prompt: "red heart", Seed: [32]byte{1}}, storage.Work{RequestID: [32]byte{2}, Prompt: "owl", Seed: [32]byte{2}}
	teal := storage.Edition{Of: []storage.Work{heart}, Changes: []byte{2, 0, 120}}
	film := storage.Edition{Of: []storage.Work{heart, owl}, Frames: 3, Length: 300, Changes: []byte{}}
	for _, e := range []storage.Edition{teal, film} {
		files, label := editionFolder(t, e)
		require.Equal(t, curation.Hash(label.Receipt.PixelRoot), vouchesFor(t, files, e, label), "an honest one")

		other := e
		other.Changes = []byte{8}
		theirs, theirLabel := editionFolder(t, other)
		theirLabel.Receipt.Edition, theirLabel.PNG = &e, theirs[0].Data // another recipe's picture under this one's receipt
		texts, err := storage.BuildArtworkFolder(theirLabel)
		require.NoError(t, err)
		require.Zero(t, vouchesFor(t, texts, e, label), "another recipe's picture")
		require.Zero(t, vouchesFor(t, theirs, e, label), "with its own receipt")

		// The picture with a text more, and metadata that name it.
		with := func(image []byte) []storage.File {
			c, err := storage.FileCID(image)
			require.NoError(t, err)
			metadata, err := label.Metadata(c).Encode()
			require.NoError(t, err)
			return []storage.File{{Name: storage.ImageName, Data: image}, {Name: storage.MetadataName, Data: metadata}, files[2]}
		}
		require.NotZero(t, vouchesFor(t, with(files[0].Data), e, label))
		signed, err := storage.AddText(files[0].Data, []storage.Text{{Keyword: "Author", Text: "Somebody famous"}})
		require.NoError(t, err)
		require.Zero(t, vouchesFor(t, with(signed), e, label), "a text more")

		for name, bad := range map[string][]storage.File{
			"no picture":          files[1:],
			"no files":            nil,
			"a file more":         append(slices.Clone(files), storage.File{Name: "notes.txt"}),
			"other metadata":      {files[0], {Name: storage.MetadataName, Data: append(bytes.Clone(files[1].Data), '\n')}, files[2]},
			"a picture that ends": with(files[0].Data[:len(files[0].Data)-20]),
		} {
			require.Zero(t, vouchesFor(t, bad, e, label), name)
		}
	}
}

func TestAnEditionThatNoFolderHoldsEndsAtItsLimit(t *testing.T) {
	owl, heart := storage.Work{RequestID: [32]byte{1}, Prompt: "owl"}, storage.Work{RequestID: [32]byte{2}, Prompt: "red heart"}
	for name, e := range map[string]storage.Edition{
		"a picture": {Of: []storage.Work{owl}, Changes: []byte{}},
		"a film":    {Of: []storage.Work{owl, heart}, Frames: 40, Length: 4000, Changes: []byte{}},
	} {
		whole, want, err := drawUpTo(t.Context(), maxEditionPNG, model.Embedded(), e, edge, model.RenderOptions{})
		require.NoError(t, err, name)
		last, all := 0, 0
		o := model.RenderOptions{Progress: func(done, of int) { last, all = done, of }}
		png, _, err := drawUpTo(t.Context(), len(whole)/2, model.Embedded(), e, edge, o)
		require.ErrorIs(t, err, errTooLarge, name)
		require.LessOrEqual(t, len(png), len(whole)/2, name)
		if e.Film() {
			require.Less(t, last, all, "not all frames are drawn")
		}
		png, pixels, err := drawUpTo(t.Context(), len(whole), model.Embedded(), e, edge, model.RenderOptions{})
		require.NoError(t, err, "%s: one that just fits", name)
		require.Equal(t, whole, png, name)
		require.Equal(t, want, pixels, name)
	}
}
