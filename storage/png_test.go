package storage

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/storage/chunk"
)

func picture(w, h int) Picture {
	return Picture{Width: w, Height: h, RGB: noise(uint64(w*h), 3*w*h)}
}

func encoded(t testing.TB, m image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, png.Encode(&out, m))
	return out.Bytes()
}

func TestPictureComesBack(t *testing.T) {
	for _, p := range []Picture{picture(1, 1), picture(37, 5), picture(300, 200)} {
		b, err := EncodePNG(p)
		require.NoError(t, err)
		got, err := DecodePNG(b, 0)
		require.NoError(t, err)
		require.Equal(t, p, got)
		m, err := png.Decode(bytes.NewReader(b))
		require.NoError(t, err)
		require.Equal(t, color.RGBAModel, m.ColorModel(), "stored as RGB")
	}
}

func TestPictureThatCannotBeEncoded(t *testing.T) {
	for _, p := range []Picture{{}, {Width: -1, Height: -1, RGB: make([]byte, 3)}, {Width: 2, Height: 2, RGB: make([]byte, 11)}, {Width: MaxSide + 1, Height: 1, RGB: make([]byte, 3*(MaxSide+1))}} {
		_, err := EncodePNG(p)
		require.ErrorIs(t, err, ErrPNG)
	}
}

func TestOtherKindsOfPNG(t *testing.T) {
	bounds := image.Rect(0, 0, 3, 2)
	grey := image.NewGray(bounds)
	copy(grey.Pix, noise(1, 6))
	var many color.Palette // more than 16, so that they are stored in 8 bits
	for i := range 20 {
		many = append(many, color.RGBA{byte(i), 2, 3, 255})
	}
	palette := image.NewPaletted(bounds, many)
	palette.Pix[4] = 1
	glass := image.NewPaletted(bounds, append(many[:19:19], color.NRGBA{200, 100, 50, 254}))
	glass.Pix[4] = 19
	clear := image.NewNRGBA(bounds)
	opaque := image.NewNRGBA(bounds)
	for i := range opaque.Pix {
		opaque.Pix[i] = 255
	}
	deep := image.NewRGBA64(bounds)

	for name, m := range map[string]image.Image{"grey": grey, "palette": palette, "opaque": opaque} {
		got, err := DecodePNG(encoded(t, m), 0)
		require.NoError(t, err, name)
		for i := range 6 {
			r, g, b, _ := m.At(i%3, i/3).RGBA()
			require.Equal(t, []byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)}, got.RGB[3*i:3*i+3], name)
		}
	}
	for name, m := range map[string]image.Image{"transparent": clear, "transparent palette": glass, "16 bit": deep} {
		_, err := DecodePNG(encoded(t, m), 0)
		require.ErrorIs(t, err, ErrPNG, name)
	}
}

// header makes a PNG whose header promises a size and whose data is a few bytes.
func header(w, h uint32, rest ...byte) []byte {
	out := bytes.NewBufferString(chunk.Signature)
	d := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	out.Write(chunk.Append(nil, "IHDR", append(d, rest...)))
	out.Write(chunk.Append(nil, "IDAT", []byte{0x78, 0x9c, 1, 0, 0, 0xff, 0xff, 0, 0, 0, 1}))
	out.Write(chunk.Append(nil, "IEND", nil))
	return out.Bytes()
}

func TestRefusedPNG(t *testing.T) {
	good, err := EncodePNG(picture(8, 4))
	require.NoError(t, err)
	for name, b := range map[string][]byte{
		"nothing":                 nil,
		"a GIF":                   []byte("GIF89a"),
		"a signature alone":       []byte(chunk.Signature),
		"cut off":                 good[:len(good)-20],
		"no end":                  good[:len(good)-12],
		"bytes after the end":     append(bytes.Clone(good), 0),
		"a wrong checksum":        flip(good, len(good)-20),
		"a chunk past the end":    append([]byte(chunk.Signature), 0x7f, 0xff, 0xff, 0xff, 'I', 'H', 'D', 'R', 0, 0, 0, 0),
		"no header":               append([]byte(chunk.Signature), good[33:]...),
		"no picture":              append(bytes.Clone(good[:33]), good[len(good)-12:]...),
		"no pixels":               header(0, 4, 8, 2, 0, 0, 0),
		"4 billion pixels wide":   header(1<<32-1, 1, 8, 2, 0, 0, 0),
		"a side past the limit":   header(MaxSide+1, 1, 8, 2, 0, 0, 0),
		"1 bit":                   header(8, 4, 1, 0, 0, 0, 0),
		"16 bit":                  header(8, 4, 16, 2, 0, 0, 0),
		"grey with transparency":  header(8, 4, 8, 4, 0, 0, 0),
		"an unknown filter":       header(8, 4, 8, 2, 0, 1, 0),
		"interlaced":              header(8, 4, 8, 2, 0, 0, 1),
		"less data than promised": header(8, 4, 8, 2, 0, 0, 0),
	} {
		_, err := DecodePNG(b, 0)
		require.ErrorIs(t, err, ErrPNG, name)
	}
	_, err = DecodePNG(good, 7)
	require.ErrorIs(t, err, ErrPNG, "the caller's limit")
	_, err = DecodePNG(good, 8)
	require.NoError(t, err)
}

func TestHugePNGIsRefusedBeforeMemory(t *testing.T) {
	b := header(1<<31-1, 1<<31-1, 8, 2, 0, 0, 0)
	require.Less(t, testing.AllocsPerRun(10, func() {
		_, err := DecodePNG(b, 0)
		require.ErrorIs(t, err, ErrPNG)
	}), 100.0)
}

func TestTextLeavesEverythingElseAlone(t *testing.T) {
	p := picture(40, 30)
	plain, err := EncodePNG(p)
	require.NoError(t, err)
	texts := []Text{{"Title", "Dämmerung 黄昏"}, {"Author", ""}, {"Description", strings.Repeat("x", MaxText)}, {"atelier:rid", "00ff"}}
	b, err := AddText(plain, texts)
	require.NoError(t, err)
	got, err := ReadText(b)
	require.NoError(t, err)
	require.Equal(t, texts, got)
	back, err := DecodePNG(b, 0)
	require.NoError(t, err)
	require.Equal(t, p, back)
	// What was there is there, before and behind.
	require.True(t, bytes.HasPrefix(b, plain[:33]))
	require.True(t, bytes.HasSuffix(b, plain[33:]))
	more, err := AddText(b, []Text{{"Comment", "later"}})
	require.NoError(t, err)
	got, err = ReadText(more)
	require.NoError(t, err)
	require.Equal(t, append([]Text{{"Comment", "later"}}, texts...), got)
}

func TestUnusableText(t *testing.T) {
	plain, err := EncodePNG(picture(2, 2))
	require.NoError(t, err)
	for _, x := range []Text{{"", "x"}, {strings.Repeat("k", 80), "x"}, {" k", "x"}, {"k  k", "x"}, {"k\x00", "x"}, {"ü", "x"}, {"k", "\xff"}, {"k", "a\x00b"}, {"k", strings.Repeat("x", MaxText+1)}} {
		_, err := AddText(plain, []Text{x})
		require.ErrorIs(t, err, ErrPNG, "%q", x.Keyword)
	}
	_, err = AddText([]byte("no PNG"), nil)
	require.ErrorIs(t, err, ErrPNG)
}

func TestTextChunksOfOthers(t *testing.T) {
	plain, err := EncodePNG(picture(2, 2))
	require.NoError(t, err)
	out := bytes.NewBuffer(bytes.Clone(plain[:33]))
	for _, data := range []string{"Title\x00\x00\x00\x00\x00Abend", "Title\x00\x00\x00de\x00Titel\x00Abend", "Comment\x00\x01\x00\x00\x00compressed", "broken", "broken\x00\x00", "x\x00\x00\x00y", "\x00\x00\x00\x00\x00no keyword"} {
		out.Write(chunk.Append(nil, "iTXt", []byte(data)))
	}
	out.Write(chunk.Append(nil, "tEXt", []byte("Title\x00Latin")))
	out.Write(plain[33:])
	got, err := ReadText(out.Bytes())
	require.NoError(t, err)
	require.Equal(t, []Text{{"Title", "Abend"}}, got)
}

// What a viewer shows must be what was hashed: a picture of the right pixels may
// not bring an animation, a colour profile or a text that nobody can read.
func TestPNGThatAViewerWouldShowDifferently(t *testing.T) {
	plain, err := EncodePNG(picture(8, 4))
	require.NoError(t, err)
	with := func(kind, data string) []byte {
		out := bytes.NewBuffer(bytes.Clone(plain[:33]))
		out.Write(chunk.Append(nil, kind, []byte(data)))
		out.Write(plain[33:])
		return out.Bytes()
	}
	_, err = DecodePNG(with("iTXt", "Title\x00\x00\x00\x00\x00Abend"), 0)
	require.NoError(t, err)
	for name, b := range map[string][]byte{
		"frames of an animation":       with("acTL", "\x00\x00\x00\x02\x00\x00\x00\x00"),
		"a gamma":                      with("gAMA", "\x00\x00\x00\x01"),
		"a colour profile":             with("iCCP", "x\x00\x00"),
		"primaries":                    with("cHRM", strings.Repeat("\x00", 32)),
		"a rotation":                   with("eXIf", "MM\x00*"),
		"a second word for a title":    with("iTXt", "Title\x00\x00\x00\x00Stolen from Ada\x00Abend"),
		"a language":                   with("iTXt", "Title\x00\x00\x00"+strings.Repeat("de-", 100_000)+"\x00\x00Abend"),
		"a compressed text":            with("iTXt", "Title\x00\x01\x00\x00\x00compressed"),
		"a text in another way":        with("tEXt", "Title\x00Latin"),
		"a chunk that nobody knows":    with("abCd", "x"),
		"a size that is not in pixels": with("pHYs", strings.Repeat("\x00", 9)),
	} {
		_, err := DecodePNG(b, 0)
		require.ErrorIs(t, err, ErrPNG, name)
		require.ErrorContains(t, err, "another picture", name)
	}
}

// image/png passes over chunks of pixels behind the last one.
func TestPNGThatHidesBytesBehindItsPixels(t *testing.T) {
	plain, err := EncodePNG(picture(8, 4))
	require.NoError(t, err)
	end := len(plain) - 12 // of IEND
	out := bytes.NewBuffer(bytes.Clone(plain[:end]))
	out.Write(chunk.Append(nil, "IDAT", make([]byte, 1<<20)))
	out.Write(plain[end:])
	_, err = DecodePNG(out.Bytes(), 0)
	require.ErrorIs(t, err, ErrPNG)
	require.ErrorContains(t, err, "something follows its pixels")
}

func FuzzPNG(f *testing.F) {
	plain, err := EncodePNG(picture(9, 7))
	require.NoError(f, err)
	f.Add(plain)
	text, err := AddText(plain, []Text{{"Title", "x"}})
	require.NoError(f, err)
	f.Add(text)
	f.Add(header(1<<30, 1<<30, 8, 2, 0, 0, 0))
	f.Add(header(8, 4, 8, 3, 0, 0, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		texts, textErr := ReadText(b)
		p, err := DecodePNG(b, 64)
		if err != nil {
			require.ErrorIs(t, err, ErrPNG)
			return
		}
		require.NoError(t, textErr)
		require.Len(t, p.RGB, 3*p.Width*p.Height)
		again, err := AddText(b, texts)
		require.NoError(t, err)
		got, err := DecodePNG(again, 64)
		require.NoError(t, err)
		require.Equal(t, p, got)
	})
}

func BenchmarkPNG(b *testing.B) {
	p := picture(1024, 1024) // the size of an artwork; noise is the worst case
	raw, err := EncodePNG(p)
	require.NoError(b, err)
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			_, _ = EncodePNG(p)
		}
	})
	b.Run("decode", func(b *testing.B) {
		for b.Loop() {
			_, _ = DecodePNG(raw, 0)
		}
	})
}

// A PNG that is written piece by piece gets the texts that AddText puts into a whole one.
func TestTextsAreAddedWhileAPNGIsWritten(t *testing.T) {
	png, err := EncodePNG(Picture{Width: 3, Height: 2, RGB: make([]byte, 18)})
	require.NoError(t, err)
	texts := []Text{{"Title", "Ünïcode"}, {TextRecipe, "recipe1"}}
	want, err := AddText(png, texts)
	require.NoError(t, err)
	for _, piece := range []int{1, 7, 32, 33, 34, len(png)} {
		var out bytes.Buffer
		w, err := WithText(&out, texts)
		require.NoError(t, err)
		for rest := png; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
			n, err := w.Write(rest[:min(piece, len(rest))])
			require.NoError(t, err)
			require.Equal(t, min(piece, len(rest)), n)
		}
		require.Equal(t, want, out.Bytes(), "pieces of %d bytes", piece)
	}
	_, err = WithText(nil, []Text{{"no\nkeyword", ""}})
	require.ErrorIs(t, err, ErrPNG)
}
