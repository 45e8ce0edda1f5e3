package model

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/internal/small"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/onnx"
)

// The whole artist as ONNX turns words into the same picture as its integers do.
// Compared are whole pictures, edges included, of the embedded artist as it is:
// the float network takes sixteen samples a pixel, whose light is averaged.
func TestTheWholeArtistAsONNXTurnsWordsIntoTheSamePicture(t *testing.T) {
	artist := Embedded()
	raw, err := artist.ONNX()
	require.NoError(t, err)
	file, err := onnx.Read(raw)
	require.NoError(t, err)
	const side, fine = 128, 4 // pixels of the picture's side, samples of a pixel's
	s, err := small.Open(file, side*side)
	require.NoError(t, err)
	for _, words := range [][]string{{"red heart"}, {"whale", "pink"}, {"owl", "golden"}} {
		t.Run(words[0], func(t *testing.T) {
			in := small.Inputs{Words: make([]float32, file.Words()), Noise: make([]float32, file.Noise()), View: []float32{1, 0, 0, 1, 0, 0}}
			z := make([]int64, file.Noise())
			for _, w := range append(words, "motif:hills", "paper:navy") {
				row := slices.IndexFunc(file.Vocabulary(), func(f string) bool { return latent.Canonical(f) == w })
				require.GreaterOrEqual(t, row, 0, w)
				in.Words[row]++
				artist.add(z, row, 256)
			}
			for i := range z {
				in.Noise[i] = float32(i%7-3) / 30
				z[i] += int64(math.Round(float64(in.Noise[i]) * zOne))
			}
			mean := make([]float64, 3*side*side)
			at := func(pixel, sample int) float32 { return (float32(pixel)+(float32(sample)+.5)/fine)*2/side - 1 }
			for k := range fine * fine {
				in.Places = in.Places[:0]
				for i := range side * side {
					in.Places = append(in.Places, at(i%side, k%fine), at(i/side, k/fine))
				}
				got, err := s.Run(t.Context(), in, onnx.Colour)
				require.NoError(t, err)
				require.Len(t, got, len(mean))
				for i, v := range got {
					mean[i] += light(float64(v)) / (fine * fine)
				}
			}
			want, err := kernel.Render(t.Context(), artist.program(z), side, side, kernel.Options{})
			require.NoError(t, err)
			sum := 0.
			for i, v := range want.RGB {
				d := math.Round(255*curve(mean[i])) - float64(v)
				sum += d * d
			}
			r := 10 * math.Log10(255*255*float64(len(mean))/sum)
			t.Logf("%.1f dB", r)
			require.Greater(t, r, 38.)
		})
	}
}

// light is sRGB to linear light, curve its inverse (IEC 61966-2-1).
func light(v float64) float64 {
	if v <= .04045 {
		return v / 12.92
	}
	return math.Pow((v+.055)/1.055, 2.4)
}

func curve(v float64) float64 {
	if v <= .0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - .055
}
