package main

import (
	"crypto/sha256"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/onnx"
)

// TestONNXRuntimeDrawsTheSamePicture compares whole pictures, edges included: ours
// as they are, and ONNX Runtime's with sixteen samples a pixel, whose light is
// averaged.
func TestONNXRuntimeDrawsTheSamePicture(t *testing.T) {
	if why := npmMissing(); why != "" {
		t.Skipf("ONNX Runtime is not installed: %s", why)
	}
	for _, prompt := range []string{"red heart", "blue whale", "mountain at night", "owl", ""} {
		for _, size := range []int{128, 256} {
			t.Run(prompt+" "+strconv.Itoa(size), func(t *testing.T) {
				program, err := model.Embedded().Fold(prompt, sha256.Sum256([]byte("agreement")))
				require.NoError(t, err)
				raw, err := onnx.FromProgram(program)
				require.NoError(t, err)
				dir := t.TempDir()
				file, colours := filepath.Join(dir, "picture.onnx"), filepath.Join(dir, "colours.raw")
				require.NoError(t, os.WriteFile(file, raw, 0o600))
				const fine = 4 // samples along a side of a pixel
				_, err = ask(exec.CommandContext(t.Context(), "node", "ort.mjs", file, strconv.Itoa(fine*size), "1", colours))
				require.NoError(t, err)
				samples, err := os.ReadFile(colours)
				require.NoError(t, err)
				require.Len(t, samples, 4*3*fine*size*fine*size)
				want, err := kernel.Render(t.Context(), program, size, size, kernel.Options{})
				require.NoError(t, err)
				sum := 0.
				for i, v := range want.RGB {
					x, y, channel := i/3%size, i/3/size, i%3
					mean := 0.
					for s := range fine * fine {
						at := 3*((fine*y+s/fine)*fine*size+fine*x+s%fine) + channel
						mean += light(math.Float32frombits(binary.LittleEndian.Uint32(samples[4*at:]))) / (fine * fine)
					}
					d := math.Round(255*curve(mean)) - float64(v)
					sum += d * d
				}
				r := 10 * math.Log10(255*255*float64(len(want.RGB))/sum)
				t.Logf("%.1f dB", r)
				require.Greater(t, r, 38.)
			})
		}
	}
}

// light is sRGB to linear light, curve its inverse (IEC 61966-2-1).
func light(v float32) float64 {
	c := float64(v)
	if c <= .04045 {
		return c / 12.92
	}
	return math.Pow((c+.055)/1.055, 2.4)
}

func curve(v float64) float64 {
	if v <= .0031308 {
		return 12.92 * v
	}
	return 1.055*math.Pow(v, 1/2.4) - .055
}
