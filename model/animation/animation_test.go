package animation

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image/gif"
	"image/png"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const wide, high = 40, 30

// film is frames of a disk that moves: flat areas, some with a gradient of more than
// 256 colours.
func film(frames int, gradient bool) (all [][]byte) {
	for f := range frames {
		rgb := make([]byte, 0, 3*wide*high)
		for y := range high {
			for x := range wide {
				c := [3]byte{200, 30, byte(5 * f)}
				if (x-10-f)*(x-10-f)+(y-15)*(y-15) > 60 {
					c = [3]byte{20, 90, 160}
				}
				if gradient && x > 20 {
					c = [3]byte{byte(6 * x), byte(8 * y), byte(f)}
				}
				rgb = append(rgb, c[:]...)
			}
		}
		all = append(all, rgb)
	}
	return all
}

func written(t *testing.T, begin func(io.Writer, int, int, int, time.Duration) (Writer, error), frames [][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := begin(&out, wide, high, len(frames), 80*time.Millisecond)
	require.NoError(t, err)
	for _, f := range frames {
		require.NoError(t, w.Frame(f))
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// frameOf makes a PNG of its own of frame i of an APNG, as a viewer takes it.
func frameOf(t *testing.T, apng []byte, i int) []byte {
	t.Helper()
	var out bytes.Buffer
	chunk := func(kind string, data []byte) {
		b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
		b = append(append(b, kind...), data...)
		out.Write(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:])))
	}
	out.Write(apng[:8])
	frame, sequence := -1, uint32(0)
	for rest := apng[8:]; len(rest) > 0; {
		n := binary.BigEndian.Uint32(rest)
		kind, data := string(rest[4:8]), rest[8:8+n]
		require.Equal(t, crc32.ChecksumIEEE(rest[4:8+n]), binary.BigEndian.Uint32(rest[8+n:]), kind)
		rest = rest[12+n:]
		if kind == "fcTL" || kind == "fdAT" {
			require.Equal(t, sequence, binary.BigEndian.Uint32(data), "chunks are numbered")
			sequence++
		}
		switch kind {
		case "IHDR", "IEND":
			chunk(kind, data)
		case "fcTL":
			frame++
			require.EqualValues(t, 80, binary.BigEndian.Uint16(data[20:]))
		case "IDAT", "fdAT":
			require.Equal(t, frame == 0, kind == "IDAT")
			if kind == "fdAT" {
				data = data[4:]
			}
			if frame == i {
				chunk("IDAT", data)
			}
		}
	}
	return out.Bytes()
}

func TestAnAPNGKeepsEveryPixelOfEveryFrame(t *testing.T) {
	frames := film(5, true)
	b := written(t, NewPNG, frames)
	_, err := png.Decode(bytes.NewReader(b))
	require.NoError(t, err, "a viewer without animations")
	for i, want := range frames {
		img, err := png.Decode(bytes.NewReader(frameOf(t, b, i)))
		require.NoError(t, err)
		for at := range wide * high {
			r, g, bl, _ := img.At(at%wide, at/wide).RGBA()
			require.Equal(t, want[3*at:3*at+3], []byte{byte(r >> 8), byte(g >> 8), byte(bl >> 8)})
		}
	}
}

func TestAGIFKeepsFlatColoursAndComesNearToOthers(t *testing.T) {
	for _, gradient := range []bool{false, true} {
		frames := film(5, gradient)
		all, err := gif.DecodeAll(bytes.NewReader(written(t, NewGIF, frames)))
		require.NoError(t, err)
		require.Len(t, all.Image, len(frames))
		require.Zero(t, all.LoopCount, "for ever")
		for i, want := range frames {
			require.Equal(t, 8, all.Delay[i])
			for at := range wide * high {
				r, g, b, _ := all.Image[i].At(at%wide, at/wide).RGBA()
				for c, v := range []uint32{r >> 8, g >> 8, b >> 8} {
					if !gradient || at%wide <= 20 {
						require.EqualValues(t, want[3*at+c], v, "a flat colour")
					} else {
						require.InDelta(t, want[3*at+c], v, 24)
					}
				}
			}
		}
	}
}

// What is rounded of one frame is made good by the others.
func TestAnAnimationLastsAsLongAsItShould(t *testing.T) {
	const frames = 48
	for unit, begin := range map[time.Duration]func(io.Writer, int, int, int, time.Duration) (Writer, error){10 * time.Millisecond: NewGIF, time.Millisecond: NewPNG} {
		var out bytes.Buffer
		w, err := begin(&out, 1, 1, frames, 4*time.Second/frames)
		require.NoError(t, err)
		var lasts time.Duration
		for range frames {
			require.NoError(t, w.Frame(make([]byte, 3)))
			pause, at := out.Bytes(), 0
			if unit == time.Millisecond {
				at = bytes.LastIndex(pause, []byte("fcTL")) + 4 + 20
				lasts += time.Duration(binary.BigEndian.Uint16(pause[at:])) * unit
			} else {
				at = bytes.LastIndex(pause, []byte{0x21, 0xf9, 4}) + 4
				lasts += time.Duration(binary.LittleEndian.Uint16(pause[at:])) * unit
			}
		}
		require.NoError(t, w.Close())
		require.Equal(t, 4*time.Second, lasts)
	}
}

func TestPicturesOfManyColoursAreReducedTo256(t *testing.T) {
	random, rgb := rand.NewChaCha8([32]byte{1}), make([]byte, 3*5000)
	_, _ = random.Read(rgb)
	for i := range 2500 { // half of it is one colour
		copy(rgb[3*i:], []byte{1, 2, 3})
	}
	table, pixels := reduce(rgb)
	require.Equal(t, []byte{1, 2, 3}, table[:3])
	for i := range 2500 {
		require.Zero(t, pixels[i])
	}
	used := map[byte]bool{}
	for _, p := range pixels {
		used[p] = true
	}
	require.Len(t, used, 256)
	again, _ := reduce(rgb)
	require.Equal(t, table, again, "the same every time")
}

func TestAnimationsThatAreRefused(t *testing.T) {
	for name, begin := range map[string]func(io.Writer, int, int, int, time.Duration) (Writer, error){"PNG": NewPNG, "GIF": NewGIF} {
		for _, c := range []struct {
			w, h, frames int
			pause        time.Duration
		}{{0, 1, 1, MinPause}, {1, MaxSide + 1, 1, MinPause}, {1, 1, 0, MinPause}, {1, 1, MaxFrames + 1, MinPause}, {1, 1, 1, 0}, {1, 1, 1, 11 * time.Second}} {
			_, err := begin(io.Discard, c.w, c.h, c.frames, c.pause)
			require.ErrorIs(t, err, ErrAnimation, name)
		}
		w, err := begin(io.Discard, 2, 1, 1, MinPause)
		require.NoError(t, err)
		require.ErrorIs(t, w.Close(), ErrAnimation, "a frame is missing")
		require.ErrorIs(t, w.Frame(make([]byte, 5)), ErrAnimation, "half a pixel")
		require.NoError(t, w.Frame(make([]byte, 6)))
		require.NoError(t, w.Close())
		require.ErrorIs(t, w.Frame(make([]byte, 6)), ErrAnimation, "one too many")
		_, err = begin(full{}, 2, 1, 1, MinPause)
		require.ErrorIs(t, err, errFull)
	}
}

var errFull = errors.New("the disk is full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
