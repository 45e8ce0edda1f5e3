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
// Compared are the centres of pixels of a soft program, where one sample is what
// the kernel takes too.
func TestTheWholeArtistAsONNXTurnsWordsIntoTheSamePicture(t *testing.T) {
	soft := *Embedded()
	soft.config.Sharpness = kernel.SharpnessOne / 2
	raw, err := soft.ONNX()
	require.NoError(t, err)
	file, err := onnx.Read(raw)
	require.NoError(t, err)
	const side = 64
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
				soft.add(z, row, 256)
			}
			for i := range z {
				in.Noise[i] = float32(i%7-3) / 30
				z[i] += int64(math.Round(float64(in.Noise[i]) * zOne))
			}
			for i := range side * side {
				in.Places = append(in.Places, (float32(i%side)+.5)*2/side-1, (float32(i/side)+.5)*2/side-1)
			}
			got, err := s.Run(t.Context(), in, onnx.Colour)
			require.NoError(t, err)
			want, err := kernel.Render(t.Context(), soft.program(z), side, side, kernel.Options{})
			require.NoError(t, err)
			sum := 0.
			for i, v := range got {
				d := float64(v)*255 - float64(want.RGB[i])
				sum += d * d
			}
			r := 10 * math.Log10(255*255*float64(len(got))/sum)
			t.Logf("%.1f dB", r)
			require.Greater(t, r, 38.)
		})
	}
}
