package chunk_test

import (
	"bytes"
	"compress/zlib"
	"image/color"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/storage/chunk"
)

func TestTheEndOfAPNGIsAsTheStandardPrintsIt(t *testing.T) {
	want := []byte{0, 0, 0, 0, 'I', 'E', 'N', 'D', 0xae, 0x42, 0x60, 0x82}
	require.Equal(t, want, chunk.Append(nil, "IEND", nil))
	require.Equal(t, append([]byte("before"), want...), chunk.Append([]byte("before"), "IEND", nil), "what was there stays")
}

func TestADecoderReadsAPictureOfChunks(t *testing.T) {
	var pixels bytes.Buffer
	z := zlib.NewWriter(&pixels)
	_, err := z.Write([]byte{0, 255, 0, 0, 0, 0, 255}) // one row: no filter, red, blue
	require.NoError(t, err)
	require.NoError(t, z.Close())
	file := chunk.AppendHead(nil, 2, 1)
	require.Len(t, file, len(chunk.Signature)+12+13)
	file = chunk.Append(chunk.Append(file, "IDAT", pixels.Bytes()), "IEND", nil)
	img, err := png.Decode(bytes.NewReader(file))
	require.NoError(t, err)
	require.Equal(t, 2, img.Bounds().Dx())
	require.Equal(t, 1, img.Bounds().Dy())
	require.Equal(t, color.RGBA{255, 0, 0, 255}, img.At(0, 0))
	require.Equal(t, color.RGBA{0, 0, 255, 255}, img.At(1, 0))

	file[len(file)-1] ^= 1
	_, err = png.Decode(bytes.NewReader(file))
	require.ErrorContains(t, err, "checksum")
}
