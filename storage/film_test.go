package storage

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/storage/chunk"
)

// part is a chunk of a film that a test puts together.
type part struct {
	kind string
	data []byte
}

const filmWide, filmHigh = 5, 3

// head is the head of a frame: of its number among heads and pieces, and the
// milliseconds for which it is shown.
func head(sequence uint32, pause uint16) part {
	be := binary.BigEndian
	d := be.AppendUint32(be.AppendUint32(be.AppendUint32(nil, sequence), filmWide), filmHigh)
	d = append(d, make([]byte, 8)...)
	return part{"fcTL", append(be.AppendUint16(be.AppendUint16(d, pause), 1000), 0, 0)}
}

// packed are the pixels of a frame in one colour.
func packed(colour byte) []byte {
	var raw, out bytes.Buffer
	for range filmHigh {
		raw.WriteByte(0)
		raw.Write(bytes.Repeat([]byte{colour}, 3*filmWide))
	}
	z := zlib.NewWriter(&out)
	_, _ = z.Write(raw.Bytes()) // a buffer takes all
	_ = z.Close()
	return out.Bytes()
}

func piece(sequence uint32, data []byte) part {
	return part{"fdAT", append(binary.BigEndian.AppendUint32(nil, sequence), data...)}
}

// filmParts are those of three frames, the second in two pieces.
func filmParts() []part {
	be := binary.BigEndian
	second := packed(20)
	return []part{
		{"IHDR", append(be.AppendUint32(be.AppendUint32(nil, filmWide), filmHigh), 8, 2, 0, 0, 0)},
		{"iTXt", []byte("Title" + noLanguage + "A film")},
		{"acTL", be.AppendUint32(be.AppendUint32(nil, 3), 0)},
		head(0, 40), {"IDAT", packed(10)},
		head(1, 50), piece(2, second[:4]), piece(3, second[4:]),
		head(4, 60), piece(5, packed(30)),
		{"IEND", nil},
	}
}

func filmOf(parts []part) []byte {
	out := bytes.NewBufferString(chunk.Signature)
	for _, p := range parts {
		body := append([]byte(p.kind), p.data...)
		out.Write(binary.BigEndian.AppendUint32(nil, uint32(len(p.data))))
		out.Write(body)
		out.Write(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(body)))
	}
	return out.Bytes()
}

// framesOf reads all frames of a film.
func framesOf(b []byte, maxSide, maxFrames int) (frames [][]byte, f Film, err error) {
	f, err = ReadFilm(b, maxSide, maxFrames, func(i int, rows []byte) error {
		if i == len(frames) {
			frames = append(frames, nil)
		}
		frames[i] = append(frames[i], rows...)
		return nil
	})
	return frames, f, err
}

func TestAFilmIsReadFrameByFrame(t *testing.T) {
	b := filmOf(filmParts())
	frames, f, err := framesOf(b, 5, 3)
	require.NoError(t, err)
	require.Equal(t, Film{filmWide, filmHigh, []uint16{40, 50, 60}}, f)
	require.Len(t, frames, 3)
	for i, rgb := range frames {
		require.Equal(t, bytes.Repeat([]byte{byte(10 * (i + 1))}, 3*filmWide*filmHigh), rgb)
	}
	texts, err := ReadText(b)
	require.NoError(t, err)
	require.Equal(t, []Text{{"Title", "A film"}}, texts)
	again, err := AddText(b, []Text{{"Author", "Harbour"}})
	require.NoError(t, err)
	_, _, err = framesOf(again, 5, 3)
	require.NoError(t, err, "texts may be added")
	stop := errors.New("stop")
	_, err = ReadFilm(b, 5, 3, func(int, []byte) error { return stop })
	require.ErrorIs(t, err, stop)
	_, err = DecodePNG(b, 0)
	require.ErrorIs(t, err, ErrPNG, "it is no picture")
}

// Whatever a viewer could show beside the frames, or in their place, is refused.
func TestWhatAFilmMightHideIsRefused(t *testing.T) {
	with := func(change func([]part) []part) []byte { return filmOf(change(filmParts())) }
	set := func(i, at int, v ...byte) []byte {
		return with(func(p []part) []part {
			p[i].data = bytes.Clone(p[i].data)
			copy(p[i].data[at:], v)
			return p
		})
	}
	insert := func(i int, more ...part) []byte {
		return with(func(p []part) []part { return slices.Insert(p, i, more...) })
	}
	for name, b := range map[string][]byte{
		"a picture beside its frames": insert(3, part{"IDAT", packed(9)}),
		"a frame more than announced": insert(10, head(6, 50), piece(7, packed(40))),
		"a frame less than announced": with(func(p []part) []part { return append(p[:8], p[10]) }),
		"a frame without pixels":      with(func(p []part) []part { return append(p[:9], p[10]) }),
		"no frames":                   with(func(p []part) []part { return append(p[:3], p[10]) }),
		"no announcement":             with(func(p []part) []part { return append(p[:2], p[3:]...) }),
		"two announcements":           insert(3, filmParts()[2]),
		"an end":                      set(2, 7, 1),
		"no frames announced":         set(2, 0, 0, 0, 0, 0),
		"too many announced":          set(2, 0, 255, 255, 255, 255),
		"a smaller frame":             set(5, 7, 4),
		"a frame aside":               set(5, 15, 1),
		"seconds instead":             set(5, 22, 0, 1),
		"a frame that is taken away":  set(5, 24, 1),
		"a frame that shines through": set(5, 25, 1),
		"a number skipped":            set(5, 3, 2),
		"a piece's number skipped":    set(6, 3, 9),
		"a text after the head":       insert(3, filmParts()[1]),
		"a compressed text":           insert(1, part{"zTXt", []byte("Comment\x00\x00x")}),
		"a time":                      insert(1, part{"tIME", make([]byte, 7)}),
		"a colour profile":            insert(1, part{"iCCP", []byte("x")}),
		"a palette":                   insert(1, part{"PLTE", make([]byte, 3)}),
		"bytes behind a frame":        with(func(p []part) []part { p[9] = piece(5, append(packed(30), 1)); return p }),
		"another frame behind it":     with(func(p []part) []part { p[9] = piece(5, append(packed(30), packed(40)...)); return p }),
		"a frame that breaks off":     with(func(p []part) []part { p[9] = piece(5, packed(30)[:10]); return p }),
		"a piece of three bytes":      with(func(p []part) []part { p[9] = part{"fdAT", []byte{0, 0, 0}}; return p }),
		"bytes behind the film":       append(filmOf(filmParts()), 0),
		"grey":                        set(0, 9, 0),
		"sixteen bits":                set(0, 8, 16),
		"interlaced":                  set(0, 12, 1),
		"a picture":                   filmOf([]part{filmParts()[0], filmParts()[4], filmParts()[10]}),
		"nothing":                     nil,
	} {
		_, _, err := framesOf(b, 5, 3)
		require.ErrorIs(t, err, ErrPNG, name)
	}
	_, _, err := framesOf(filmOf(filmParts()), 4, 3)
	require.ErrorIs(t, err, ErrPNG, "too large")
	_, _, err = framesOf(filmOf(filmParts()), 5, 2)
	require.ErrorIs(t, err, ErrPNG, "too long")
}

func FuzzFilm(f *testing.F) {
	f.Add(filmOf(filmParts()))
	f.Add(filmOf(filmParts()[:6]))
	f.Fuzz(func(t *testing.T, b []byte) {
		frames, film, err := framesOf(b, 64, 16)
		if err != nil {
			require.ErrorIs(t, err, ErrPNG)
			return
		}
		require.Len(t, frames, len(film.Pauses))
		for _, rgb := range frames {
			require.Len(t, rgb, 3*film.Width*film.Height)
		}
	})
}
