package train

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/latent"
)

func TestCutSubjectsAndFrames(t *testing.T) {
	red, cream := color.NRGBA{200, 30, 40, 255}, color.NRGBA{250, 240, 230, 255}
	paint := func(side int, at func(x, y int) color.NRGBA) image.Image {
		img := image.NewNRGBA(image.Rect(5, 5, 5+side, 5+side)) // not at the origin
		for y := range side {
			for x := range side {
				img.SetNRGBA(5+x, 5+y, at(x, y))
			}
		}
		return img
	}
	t.Run("a transparent ground makes a subject, largest colour first", func(t *testing.T) {
		p, err := Cut("red disc, ball", paint(40, func(x, y int) color.NRGBA {
			switch {
			case x < 10:
				return color.NRGBA{}
			case x < 18:
				return cream
			}
			return red
		}), 6)
		require.NoError(t, err)
		require.True(t, p.Subject)
		require.Equal(t, []string{"red disc", "ball"}, p.Names)
		require.Len(t, p.colours, 2)
		r, g, b := p.colours[0].RGB()
		require.Equal(t, []uint8{red.R, red.G, red.B}, []uint8{r, g, b})
		require.Equal(t, uint8(ground), p.labels[0])
		require.Equal(t, uint8(1), p.labels[12])
		require.Equal(t, uint8(0), p.labels[39])
		require.Equal(t, red, p.Image(20).At(19, 3))
		require.Equal(t, color.NRGBA{}, p.Image(20).At(0, 3))
	})
	t.Run("many colours become few", func(t *testing.T) {
		p, err := Cut("", paint(200, func(x, y int) color.NRGBA { return color.NRGBA{uint8(x), uint8(y), uint8(x ^ y), 255} }), 6)
		require.NoError(t, err)
		require.False(t, p.Subject)
		require.Empty(t, p.Names)
		require.Equal(t, maxSide, p.side)
		require.Greater(t, len(p.colours), 2)
		require.LessOrEqual(t, len(p.colours), 6)
	})
	t.Run("one colour is one colour", func(t *testing.T) {
		p, err := Cut("", paint(16, func(int, int) color.NRGBA { return red }), 6)
		require.NoError(t, err)
		require.Len(t, p.colours, 1)
		require.Empty(t, p.edges)
	})
	t.Run("too small and empty ones are refused", func(t *testing.T) {
		_, err := Cut("", paint(7, func(int, int) color.NRGBA { return red }), 6)
		require.ErrorIs(t, err, ErrPicture)
		_, err = Cut("", paint(16, func(int, int) color.NRGBA { return color.NRGBA{} }), 6)
		require.ErrorIs(t, err, ErrPicture)
	})
}

func TestOKLabIsInvertible(t *testing.T) {
	for range 200 {
		r, g, b := uint8(rand.Uint32()), uint8(rand.Uint32()), uint8(rand.Uint32())
		x, y, z := FromRGB(r, g, b).RGB()
		require.Equal(t, []uint8{r, g, b}, []uint8{x, y, z})
	}
	white := FromRGB(255, 255, 255)
	require.InDelta(t, 1, white[0], 1e-3)
	require.InDelta(t, 0, white.chroma(), 1e-3)
}

func TestDyesTakeTheMainColour(t *testing.T) {
	subject := []Lab{FromRGB(200, 30, 40), FromRGB(120, 10, 20), FromRGB(250, 250, 250)}
	for _, w := range dyeWords {
		out := dyed(subject, dyes[w])
		require.Equal(t, dyes[w], out[0], w)
		require.Len(t, out, 3)
		for _, c := range out {
			require.False(t, math.IsNaN(c[0]+c[1]+c[2]))
		}
		require.Less(t, out[1][0], out[0][0]+.01, "%s: the darker part stays the darker", w)
	}
	require.Len(t, dyes, len(dyeWords))
	beak := FromRGB(250, 170, 40)
	for _, w := range []string{"blue", "black", "white"} {
		require.Equal(t, beak, dyed([]Lab{FromRGB(200, 30, 90), beak}, dyes[w])[1], "%s: a part of another hue stays", w)
	}
}

func TestFeaturesNameEachPictureOnce(t *testing.T) {
	named := func(names ...string) Picture { return Picture{Names: names, Subject: true} }
	features := Features([]Picture{
		named("full moon", "moon"), named("moon", "night", "crescent"), named("cat face"), named("cat", "kitten"), named("cat"), {Subject: true}, named("red"),
	})
	var things []string
	for _, f := range features {
		if !strings.HasPrefix(f, MotifPrefix) && !strings.HasPrefix(f, PaperPrefix) && !latent.IsDye(f) {
			things = append(things, f)
		}
	}
	require.Equal(t, []string{"cat, kitten", "cat face", "full moon", "moon, night, crescent", "picture:0005", "picture:0006"}, things,
		"what a picture is called first goes before what another is also called; pictures of one name share a row; a dye is no name")
	v, err := latent.NewVocabulary(features, 3)
	require.NoError(t, err)
	require.Len(t, v.Dyes(), len(dyeWords))
	require.Len(t, v.Motifs(), len(motifs))
	require.Len(t, v.Papers(), len(grounds))
}

func TestBatchesShowWhatTheirFeaturesSay(t *testing.T) {
	p := disc("red disc", t)
	features := Features([]Picture{p})
	s := tiny
	s.Features = len(features)
	b := newBatch(s, 64, 50, features, []Picture{p}, Taste{}, allPlaces)
	require.NoError(t, b.draw(rand.New(rand.NewPCG(9, 9)), 0))
	for g := range b.groups {
		row := b.features[g*s.Features : (g+1)*s.Features]
		named := map[string]float32{}
		for i, v := range row {
			if v != 0 {
				named[features[i]] = v
			}
		}
		require.Equal(t, float32(1), named["red disc"])
		var m *motif
		for i := range motifs {
			if named[MotifPrefix+motifs[i].names] == 1 {
				require.Nil(t, m, "one motif each")
				m = &motifs[i]
			}
		}
		require.NotNil(t, m)
		for i := range b.points {
			r := g*b.points + i
			x, y := float64(b.places[2*r]), float64(b.places[2*r+1])
			if math.Hypot(x, y) < .45 || math.Hypot(x, y) > .95 { // clear of the disc's two rims
				want := int(m.tone(x, y))
				switch {
				case math.Hypot(x, y) < .2:
					want = papers + 1
				case math.Hypot(x, y) < .45:
					continue
				}
				labels := make([]float32, s.Colours)
				labels[want] = 1
				require.Equal(t, labels, b.labels[r*s.Colours:][:s.Colours], "%s at (%.2f, %.2f)", m.names, x, y)
			}
		}
	}
}
