package node

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/storage"
)

// edge is the size of the test's picture: nine tiles.
const edge = 96

// registered is an artwork as an honest generator builds it, with what its auditor
// expects.
func registered(t *testing.T) ([]storage.File, storage.Artwork, *model.Picture) {
	t.Helper()
	p, err := model.Embedded().Render(t.Context(), "red heart", [32]byte{1}, edge, model.RenderOptions{})
	require.NoError(t, err)
	container, err := storage.FileCID([]byte("a sealed model"))
	require.NoError(t, err)
	key, err := shamir.HashPoint("test reader", nil).MarshalBinary()
	require.NoError(t, err)
	label := storage.Label("Harbour", "gull", storage.Receipt{
		Version: storage.ReceiptVersion, RequestHeight: 1, ExpiryHeight: 2, Prompt: "red heart", Seed: [32]byte{1}, Body: []byte("a request"),
		ModelCID: storage.Link{Cid: container}, Readers: []storage.Reader{{Member: 1, Key: [32]byte(key)}}, GeneratorIndex: 1,
		Kernel: kernel.Contract, Width: edge, Height: edge, PixelRoot: p.PixelRoot,
	})
	var png bytes.Buffer
	require.NoError(t, p.EncodePNG(&png))
	built := label
	built.PNG = png.Bytes()
	files, err := storage.BuildArtworkFolder(built)
	require.NoError(t, err)
	return files, label, p
}

func rootOf(t *testing.T, files []storage.File) cid.Cid {
	t.Helper()
	root, err := storage.FolderCID(files)
	require.NoError(t, err)
	return root
}

// vouches audits a folder by tiles of its picture, drawn by a seed.
func vouches(t *testing.T, files []storage.File, label storage.Artwork, tiles uint64, seed byte) curation.Hash {
	t.Helper()
	rules := curation.DefaultParams()
	rules.PictureSize, rules.AuditTiles = edge, tiles
	program, err := model.Embedded().Fold(label.Receipt.Prompt, label.Receipt.Seed)
	require.NoError(t, err)
	pixels, err := vouched(t.Context(), program, rootOf(t, files), files, func(p *model.Picture) (storage.Artwork, error) {
		expected := label
		expected.Receipt.PixelRoot = p.PixelRoot
		return expected, nil
	}, rules, rand.NewChaCha8([32]byte{seed}), 0)
	require.NoError(t, err)
	return pixels
}

func TestAnAuditorTellsAnotherArtworkFromTheSame(t *testing.T) {
	files, label, picture := registered(t)
	held := func(files []storage.File) bool {
		return vouches(t, files, label, 0, 0) == curation.Hash(picture.PixelRoot)
	}
	require.True(t, held(files))

	with := func(i int, data []byte) []storage.File {
		out := slices.Clone(files)
		out[i].Data = data
		return out
	}
	// A picture with other bytes, and metadata that name it.
	drawn := func(image []byte) []storage.File {
		c, err := storage.FileCID(image)
		require.NoError(t, err)
		metadata, err := label.Metadata(c).Encode()
		require.NoError(t, err)
		return []storage.File{{Name: storage.ImageName, Data: image}, {Name: storage.MetadataName, Data: metadata}, files[2]}
	}
	encoded := func(p storage.Picture) []byte {
		b, err := storage.EncodePNG(p)
		require.NoError(t, err)
		return b
	}
	pixels := storage.Picture{Width: edge, Height: edge, RGB: picture.RGB}
	again, err := storage.AddText(encoded(pixels), label.Texts())
	require.NoError(t, err)
	require.True(t, held(drawn(again)), "another encoder's bytes")

	other := bytes.Clone(picture.RGB)
	other[0] ^= 1
	forged, err := storage.AddText(encoded(storage.Picture{Width: edge, Height: edge, RGB: other}), label.Texts())
	require.NoError(t, err)
	signed, err := storage.AddText(files[0].Data, []storage.Text{{Keyword: "Author", Text: "Somebody famous"}})
	require.NoError(t, err)
	for name, files := range map[string][]storage.File{
		"one pixel differs":          drawn(forged),
		"no text in the picture":     drawn(encoded(pixels)),
		"a text more in the picture": drawn(signed),
		"metadata of another":        with(1, append(bytes.Clone(files[1].Data), '\n')),
		"a receipt of another":       with(2, append(bytes.Clone(files[2].Data), 0)),
		"a file more":                append(slices.Clone(files), storage.File{Name: "notes.txt"}),
		"a file less":                files[:2],
		"no file":                    nil,
	} {
		require.False(t, held(files), name)
	}
	// The right files under the CID of another layout would never verify again.
	label.Receipt.PixelRoot = picture.PixelRoot
	require.True(t, sameArtwork(rootOf(t, files), files, label))
	require.False(t, sameArtwork(rootOf(t, files[:2]), files, label))
}

// A generator that alters one tile of nine, and tells so in receipt and metadata, is
// found out by the whole picture always, and by three tiles once in three.
func TestAForgedTileIsFoundAsOftenAsTheRulesSay(t *testing.T) {
	files, label, picture := registered(t)
	require.Equal(t, curation.Hash(picture.PixelRoot), vouches(t, files, label, 3, 0), "an honest picture")

	rgb := bytes.Clone(picture.RGB)
	rgb[3*(40*edge+70)] ^= 1 // in tile 5
	pixels, err := kernel.PixelRoot(edge, edge, rgb)
	require.NoError(t, err)
	label.Receipt.PixelRoot = pixels
	theirs := curation.Hash(pixels)
	built := label
	built.PNG, err = storage.EncodePNG(storage.Picture{Width: edge, Height: edge, RGB: rgb})
	require.NoError(t, err)
	forged, err := storage.BuildArtworkFolder(built)
	require.NoError(t, err)
	for _, all := range []uint64{0, 9, 16_384} {
		require.Zero(t, vouches(t, forged, label, all, 0), "%d tiles", all)
	}
	found := 0
	for seed := range byte(240) {
		switch vouches(t, forged, label, 3, seed) {
		case curation.Hash{}:
			found++
		case theirs:
		default:
			t.Fatal("a root of other pixels")
		}
	}
	require.InDelta(t, model.Caught(9, 1, 3), float64(found)/240, .11) // 1/3; three and a half standard deviations
}

// A disk that fails and a node that stops are no reason to call a picture a forgery.
func TestAnAuditorsOwnTroubleIsNoDispute(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	for _, err := range []error{storage.ErrDamaged, storage.ErrClosed, &fs.PathError{Op: "open", Err: fs.ErrPermission}} {
		require.True(t, ours(ctx, fmt.Errorf("read: %w", err)), "%v", err)
	}
	for _, err := range []error{storage.ErrNotFound, storage.ErrInvalid, storage.ErrTooLarge, storage.ErrName} {
		require.False(t, ours(ctx, fmt.Errorf("read: %w", err)), "%v", err)
	}
	cancel()
	require.True(t, ours(ctx, storage.ErrInvalid), "nothing was seen to its end")
}
