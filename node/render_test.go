package node

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"slices"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/storage"
)

// registered is an artwork as an honest generator builds it, with what its auditor
// expects.
func registered(t *testing.T) ([]storage.File, storage.Artwork, *model.Picture) {
	t.Helper()
	p, err := model.Embedded().Render(t.Context(), "red heart", [32]byte{1}, 40, model.RenderOptions{})
	require.NoError(t, err)
	container, err := storage.FileCID([]byte("a sealed model"))
	require.NoError(t, err)
	key, err := shamir.HashPoint("test reader", nil).MarshalBinary()
	require.NoError(t, err)
	label := storage.Label("Harbour", "gull", storage.Receipt{
		Version: storage.ReceiptVersion, RequestHeight: 1, ExpiryHeight: 2, Prompt: "red heart", Body: []byte("a request"),
		ModelCID: storage.Link{Cid: container}, Readers: []storage.Reader{{Member: 1, Key: [32]byte(key)}}, GeneratorIndex: 1,
		Kernel: kernel.Contract, Width: 40, Height: 40, PixelRoot: p.PixelRoot,
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

func TestAnAuditorTellsAnotherArtworkFromTheSame(t *testing.T) {
	files, label, picture := registered(t)
	require.True(t, sameArtwork(rootOf(t, files), files, label, picture))

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
	pixels := storage.Picture{Width: 40, Height: 40, RGB: picture.RGB}
	again, err := storage.AddText(encoded(pixels), label.Texts())
	require.NoError(t, err)
	require.True(t, sameArtwork(rootOf(t, drawn(again)), drawn(again), label, picture), "another encoder's bytes")

	other := bytes.Clone(picture.RGB)
	other[0] ^= 1
	forged, err := storage.AddText(encoded(storage.Picture{Width: 40, Height: 40, RGB: other}), label.Texts())
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
		require.False(t, sameArtwork(rootOf(t, files), files, label, picture), name)
	}
	// The right files under the CID of another layout would never verify again.
	require.False(t, sameArtwork(rootOf(t, files[:2]), files, label, picture))
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
