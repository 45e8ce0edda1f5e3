package model

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
)

var rewrite = flag.Bool("rewrite", false, "write golden files anew")

// The roots of the embedded artist hold for every kernel and platform. The line that
// is logged for each kernel is what .ci/onehash compares between architectures.
func TestPixelRootsAreTheSameEverywhere(t *testing.T) {
	const path = "testdata/roots.json"
	written := func(name string) []byte {
		roots := map[string]string{}
		for i, prompt := range []string{"red heart", "blue bird", "", "solitude", "two owls over the navy horizon", "Ünïcode süß 夜"} {
			size := 96 - i // odd sizes crop tiles
			p, err := Embedded().Render(context.Background(), prompt, seed(byte(i)), size, RenderOptions{Kernel: name})
			require.NoError(t, err)
			roots[prompt] = hex.EncodeToString(p.PixelRoot[:])
		}
		text, err := json.MarshalIndent(roots, "", "  ")
		require.NoError(t, err)
		return append(text, '\n')
	}
	if *rewrite {
		require.NoError(t, os.WriteFile(path, written("reference"), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, name := range kernel.Kernels() {
		t.Run(name, func(t *testing.T) {
			got := written(name)
			t.Logf("onehash %s roots %x", name, sha256.Sum256(got))
			require.Equal(t, string(want), string(got))
		})
	}
}

func TestPromptAndSeedBothMatter(t *testing.T) {
	a := Embedded()
	roots := map[[32]byte]string{}
	for _, prompt := range []string{"red heart", "blue heart", "heart", "owl", "", "zyzzyva", "qwertyuiop", "owl on navy", "owl on sage horizon"} {
		for s := range byte(3) {
			p, err := a.Render(context.Background(), prompt, seed(s), 48, RenderOptions{})
			require.NoError(t, err)
			require.Empty(t, roots[p.PixelRoot], "%q, seed %d", prompt, s)
			roots[p.PixelRoot] = prompt
		}
	}
}

// meanColour is the palette of the subject's main part, over some seeds.
func meanColour(t *testing.T, prompt string) (l, a, b float64) {
	const n = 12
	for s := range byte(n) {
		p, err := Embedded().Fold(prompt, seed(s))
		require.NoError(t, err)
		c := p.Palette[latent.Papers]
		l, a, b = l+float64(c.L)/kernel.LabOne/n, a+float64(c.A)/kernel.LabOne/n, b+float64(c.B)/kernel.LabOne/n
	}
	return l, a, b
}

func TestColourWordsDyeTheSubject(t *testing.T) {
	for _, thing := range []string{"bird", "heart", "elephant", "flower"} {
		_, red, _ := meanColour(t, "red "+thing)
		_, green, _ := meanColour(t, "green "+thing)
		require.Greater(t, red, green+.05, thing)
		_, _, blue := meanColour(t, "blue "+thing)
		_, _, yellow := meanColour(t, "yellow "+thing)
		require.Greater(t, yellow, blue+.1, thing)
		black, _, _ := meanColour(t, "black "+thing)
		white, _, _ := meanColour(t, "white "+thing)
		require.Greater(t, white, black+.2, thing)
	}
}

func TestUnknownWordsHaveALookOfTheirOwn(t *testing.T) {
	a := Embedded()
	read := func(prompt string) reading {
		r, err := a.read(prompt, chance.New("seed"))
		require.NoError(t, err)
		return r
	}
	require.Equal(t, read("zyzzyva"), read("Zyzzyva!"), "case and marks do not count")
	require.NotEqual(t, read("zyzzyva"), read("qwertyuiop"))
	require.Equal(t, read("owl"), read("owls"), "a plural means its singular")
	require.NotEqual(t, read("zyzzyva").z, read("qwertyuiop").z)
	require.Equal(t, read("heart").z, read("heart zyzzyva").z, "beside a thing they give no figure")
	require.NotEqual(t, read("heart zyzzyva"), read("heart"), "but a ground")
	require.NotEqual(t, read("heart zyzzyva"), read("heart qwertyuiop"))
	words, grounds := a.Vocabulary()
	require.Contains(t, words, "heart")
	require.Contains(t, grounds, "horizon")
	require.Contains(t, grounds, "navy")
}

func TestPromptsThatAreRefused(t *testing.T) {
	for name, prompt := range map[string]string{"one byte too long": strings.Repeat("a", MaxPrompt+1), "not UTF-8": "a\xff"} {
		t.Run(name, func(t *testing.T) {
			_, err := Embedded().Render(context.Background(), prompt, seed(0), 32, RenderOptions{})
			require.ErrorIs(t, err, ErrPrompt)
		})
	}
}

func TestKernelOfTheEnvironment(t *testing.T) {
	render := func() ([32]byte, error) {
		p, err := Embedded().Render(context.Background(), "owl", seed(0), 40, RenderOptions{Workers: 1})
		if err != nil {
			return [32]byte{}, err
		}
		return p.PixelRoot, nil
	}
	t.Setenv(KernelVariable, "")
	want, err := render()
	require.NoError(t, err)
	t.Setenv(KernelVariable, "reference")
	got, err := render()
	require.NoError(t, err)
	require.Equal(t, want, got)
	t.Setenv(KernelVariable, "abacus")
	_, err = render()
	require.ErrorIs(t, err, kernel.ErrKernel)
	require.ErrorContains(t, err, "abacus")
	require.ErrorContains(t, err, "reference")
	require.ErrorContains(t, err, KernelVariable)
}

func TestRenderStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := Embedded().Render(ctx, "owl", seed(0), 64, RenderOptions{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = Embedded().Render(context.Background(), "owl", seed(0), kernel.MaxSide+1, RenderOptions{})
	require.ErrorIs(t, err, kernel.ErrSize)
}

// The integer picture is the float one on gorgonia's tensors, up to rounding
// and the kernel's antialiasing, which is kept small here by a soft sharpness.
func TestIntegersAgreeWithGorgonia(t *testing.T) {
	const size = 64
	a := Embedded()
	for _, prompt := range []string{"red heart", "owl on navy", "whale horizon"} {
		c := chance.New("test", []byte(prompt))
		r, err := a.read(prompt, c)
		require.NoError(t, err)
		a.add(r.z, a.vocabulary.Motifs()[1], 256)
		a.add(r.z, a.vocabulary.Papers()[1], 256)
		program := a.program(r.z)
		program.Shadow = kernel.Shadow{}
		program.Sharpness /= a.config.Sharpness / kernel.SharpnessOne
		require.NoError(t, program.Validate())
		got, err := kernel.Render(context.Background(), program, size, size, kernel.Options{})
		require.NoError(t, err)

		z, places := make([]float32, a.config.Latent), make([]float32, 2*size*size)
		for j, v := range r.z {
			z[j] = float32(v) / zOne
		}
		for i := range size * size {
			places[2*i], places[2*i+1] = (float32(i%size)+.5)/size*2-1, (float32(i/size)+.5)/size*2-1
		}
		logits, palette, err := train.Evaluate(a.config.shape(a.vocabulary.Size()), a.floats(), z, places)
		require.NoError(t, err)
		sum, k := 0., a.config.Colours
		for i := range size * size {
			red, green, blue := train.Mix(logits[i*k:(i+1)*k], palette, 1).RGB()
			for q, v := range []uint8{red, green, blue} {
				d := float64(v) - float64(got.RGB[3*i+q])
				sum += d * d
			}
		}
		psnr := 10 * math.Log10(255*255/(sum/(3*size*size)))
		t.Logf("%q: %.1f dB", prompt, psnr)
		require.Greater(t, psnr, 35., prompt)
	}
}

func BenchmarkRender(b *testing.B) {
	a := Embedded()
	for _, size := range []int{256, 1024} { // a thumbnail, an artwork
		b.Run(map[int]string{256: "256", 1024: "1024"}[size], func(b *testing.B) {
			for b.Loop() {
				if _, err := a.Render(context.Background(), "red heart", seed(1), size, RenderOptions{}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(size*size)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpixel/s")
		})
	}
	b.Run("fold", func(b *testing.B) {
		for b.Loop() {
			if _, err := a.Fold("red heart", seed(1)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
