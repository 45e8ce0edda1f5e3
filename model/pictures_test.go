package model

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// claim is a PNG whose header promises a size that its few bytes do not have.
func claim(w, h uint32) *fstest.MapFile {
	out := []byte("\x89PNG\r\n\x1a\n")
	chunk := func(kind string, data []byte) {
		body := append([]byte(kind), data...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(data)))
		out = binary.BigEndian.AppendUint32(append(out, body...), crc32.ChecksumIEEE(body))
	}
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	chunk("IHDR", append(header, 8, 2, 0, 0, 0))
	chunk("IDAT", []byte{0x78, 0x9c, 1, 0, 0, 0xff, 0xff, 0, 0, 0, 1})
	chunk("IEND", nil)
	return &fstest.MapFile{Data: out}
}

func photo(t testing.TB, encode func(*bytes.Buffer, image.Image) error) *fstest.MapFile {
	img := image.NewNRGBA(image.Rect(0, 0, 24, 24))
	for i := range img.Pix {
		img.Pix[i] = byte(i)
	}
	var b bytes.Buffer
	require.NoError(t, encode(&b, img))
	return &fstest.MapFile{Data: b.Bytes()}
}

func flat(t testing.TB) *fstest.MapFile {
	return pngFile(t, func(int, int) color.NRGBA { return color.NRGBA{10, 20, 30, 255} })
}

func TestTrainingNamesEachFileThatItSkips(t *testing.T) {
	picture := flat(t)
	passes := photo(t, func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) })
	scan := slices.Index(passes.Data, 0xda)
	passes.Data = slices.Concat(passes.Data[:scan-1], bytes.Repeat([]byte{0xff, 0xda, 0, 2}, maxScans), passes.Data[scan-1:])
	dir := fstest.MapFS{
		"one.png":             picture,
		"two.jpg":             photo(t, func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) }),
		"sub/three.GIF":       photo(t, func(b *bytes.Buffer, m image.Image) error { return gif.Encode(b, m, nil) }),
		"a png in truth.jpeg": picture,
		"notes.txt":           {Data: []byte("left alone, without a word")},
		"broken.png":          {Data: []byte("not a picture")},
		"cut off.png":         {Data: picture.Data[:len(picture.Data)-30]},
		"empty.gif":           {},
		"bomb.png":            claim(60_000, 60_000),
		"long bomb.png":       claim(1<<31-1, 1),
		"passes.jpg":          passes,
		"heavy.png":           {Data: make([]byte, maxPictureFile+1)},
		"tiny.png": photo(t, func(b *bytes.Buffer, m image.Image) error {
			return gif.Encode(b, m.(*image.NRGBA).SubImage(image.Rect(0, 0, 7, 7)), nil)
		}),
		"glass.png":                           pngFile(t, func(int, int) color.NRGBA { return color.NRGBA{} }),
		"new.webp":                            {Data: []byte("RIFF")},
		"link.png":                            {Data: []byte("one.png"), Mode: fs.ModeSymlink},
		strings.Repeat("w", 101) + "\n.png":   picture,
		strings.Repeat("word, ", 70) + ".png": picture,
	}
	said := map[string]string{}
	f := folder{fs: dir, colours: 6, skipped: func(name string, why error) { said[name] = why.Error() }}
	a, err := f.read(t.Context())
	require.NoError(t, err)
	require.Len(t, a.pictures, 4)
	for name, why := range map[string]string{
		"broken.png":                          "neither PNG nor JPEG nor GIF",
		"cut off.png":                         "damaged",
		"empty.gif":                           "neither PNG nor JPEG nor GIF",
		"bomb.png":                            "60000×60000 pixels, at most 16777216 in all are read: make it smaller",
		"long bomb.png":                       "2147483647×1 pixels",
		"passes.jpg":                          "more than 100 passes",
		"heavy.png":                           "more than 16777216 bytes",
		"tiny.png":                            "7×7 pixels, at least 8×8 are needed",
		"glass.png":                           "almost wholly transparent",
		"new.webp":                            ".webp is not read, only PNG, JPEG and GIF",
		"link.png":                            "a link",
		strings.Repeat("w", 101) + "\n.png":   "a name of 101 bytes",
		strings.Repeat("word, ", 70) + ".png": "its names have 420 bytes",
	} {
		require.Contains(t, said[name], why, name)
		delete(said, name)
	}
	require.Empty(t, said)
}

// A header is enough to refuse a picture: nothing is spent on its pixels.
func TestAPictureBombCostsNoMemory(t *testing.T) {
	f := folder{fs: fstest.MapFS{"bomb.png": claim(60_000, 60_000)}, colours: 6}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := f.picture("bomb.png")
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "60000×60000")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestTrainRefusesFoldersWithoutPictures(t *testing.T) {
	missing := os.DirFS(filepath.Join(t.TempDir(), "nowhere"))
	many := fstest.MapFS{}
	for i := range maxPictures + 1 {
		many[fmt.Sprint(i, ".png")] = &fstest.MapFile{}
	}
	for name, c := range map[string]struct {
		folder fs.FS
		says   []string
	}{
		"empty":         {fstest.MapFS{}, []string{"PNG, JPEG and GIF files are read", "among the 0 files"}},
		"other files":   {fstest.MapFS{"a.txt": {}, "b/c.md": {}}, []string{"PNG, JPEG and GIF files are read", "among the 2 files"}},
		"only broken":   {fstest.MapFS{"broken.png": {Data: []byte("x")}}, []string{"PNG, JPEG and GIF files are read", `"broken.png": what it holds is neither`}},
		"only one":      {fstest.MapFS{"one.png": flat(t), "broken.png": {Data: []byte("x")}}, []string{"1, an artist needs at least 2", "left out were 1", `"broken.png"`}},
		"another kind":  {fstest.MapFS{"a.webp": {}}, []string{".webp is not read", "PNG, JPEG and GIF"}},
		"no folder":     {missing, []string{"name a folder of pictures"}},
		"far too many":  {many, []string{"more than 4096 pictures"}},
		"a broken list": {fstest.MapFS{"one.png": flat(t), "two.png": flat(t), "sources.csv": {Data: []byte("x")}}, []string{"sources.csv: it has no column file"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Train(t.Context(), c.folder, TrainOptions{Name: "gull", Steps: 1})
			require.Error(t, err)
			for _, says := range c.says {
				require.ErrorContains(t, err, says)
			}
		})
	}
}

// What would be refused after training is refused before.
func TestTrainRefusesBeforeItSpendsTime(t *testing.T) {
	trained := func(int, int, float64) { t.Error("trained") }
	for name, c := range map[string]struct {
		folder  fs.FS
		options TrainOptions
		says    string
	}{
		"no step":            {pictureFolder(t), TrainOptions{Name: "gull", Steps: -1}, "at least 1"},
		"no name":            {pictureFolder(t), TrainOptions{}, "the artist's name has 0 bytes"},
		"a name too long":    {pictureFolder(t), TrainOptions{Name: strings.Repeat("x", 101)}, "give it one of 1 to 100"},
		"data too long":      {pictureFolder(t), TrainOptions{Name: "gull", Data: strings.Repeat("x", maxText+1)}, "at most 4096"},
		"a licence too long": {pictureFolder(t), TrainOptions{Name: "gull", Licence: strings.Repeat("x", maxText+1)}, "name it instead"},
	} {
		t.Run(name, func(t *testing.T) {
			c.options.Progress = trained
			_, err := Train(t.Context(), c.folder, c.options)
			require.ErrorContains(t, err, c.says)
		})
	}
}

func TestFineTuneSkipsWhatTheArtistCannotBeAskedFor(t *testing.T) {
	var skipped []string
	dir := pictureFolder(t)
	dir["zyzzyva.png"], dir["001.png"] = flat(t), flat(t)
	o := FineTuneOptions{Steps: 1, Pictures: dir, Skipped: func(name string, _ error) { skipped = append(skipped, name) }}
	_, err := FineTune(t.Context(), Embedded(), o)
	require.NoError(t, err)
	require.Equal(t, []string{"001.png", "broken.png", "empty.png", "zyzzyva.png"}, skipped)

	skipped, o.Pictures = nil, nil
	_, err = FineTune(t.Context(), Embedded(), o)
	require.NoError(t, err)
	require.Empty(t, skipped, "the embedded set is whole")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.Pictures = pictureFolder(t)
	_, err = FineTune(ctx, Embedded(), o)
	require.ErrorIs(t, err, context.Canceled)
}

// FuzzPicture reads arbitrary files as training pictures: a picture or a reason,
// never a panic.
func FuzzPicture(f *testing.F) {
	f.Add(flat(f).Data)
	f.Add(photo(f, func(b *bytes.Buffer, m image.Image) error { return jpeg.Encode(b, m, nil) }).Data)
	f.Add(photo(f, func(b *bytes.Buffer, m image.Image) error { return gif.Encode(b, m, nil) }).Data)
	f.Add(claim(60_000, 60_000).Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if config, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && config.Width*config.Height > 1<<20 && config.Width*config.Height <= maxPictureArea {
			return // allowed, and slow to fuzz
		}
		reads := folder{fs: fstest.MapFS{"red.png": {Data: data}}, colours: 6}
		p, err := reads.picture("red.png")
		if err == nil {
			require.NotZero(t, p.Image(8).Bounds())
		}
	})
}
