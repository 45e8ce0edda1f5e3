package verify

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/storage"
)

// FuzzParseNetwork feeds what is no network file: an error, never a panic.
func FuzzParseNetwork(f *testing.F) {
	f.Add([]byte(`{"name":"x","chain":"00","committee":"","members":[],"models":[]}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, err := ParseNetwork(b); err == nil {
			_, err := json.Marshal(n)
			require.NoError(t, err)
		}
	})
}

// FuzzArtwork feeds arbitrary files: claims that fail, never a panic.
func FuzzArtwork(f *testing.F) {
	f.Add([]byte{0xa0}, []byte("\x89PNG\r\n\x1a\n"), []byte("{}"))
	f.Fuzz(func(t *testing.T, receipt, image, metadata []byte) {
		r, err := Artwork(t.Context(), []storage.File{
			{Name: storage.ReceiptName, Data: receipt}, {Name: storage.ImageName, Data: image}, {Name: storage.MetadataName, Data: metadata},
		}, Options{})
		require.NoError(t, err)
		require.False(t, r.Valid)
		require.NotEmpty(t, r.Claims)
	})
}
