package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/engine"
	"github.com/atelier-dao/atelier/model/kernel"
)

// parseSeed reads 64 hex digits as the seed itself; any other text is hashed, so
// that a person can type a word.
func parseSeed(s string) [32]byte {
	if b, err := hex.DecodeString(s); err == nil && len(b) == 32 {
		return [32]byte(b)
	}
	return sha256.Sum256([]byte("atelier/seed/" + s))
}

func loadArtist(dir string) (*model.Artist, error) {
	if dir == "" {
		return model.Embedded(), nil
	}
	a, err := model.LoadDir(os.DirFS(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no artist in %s: want a folder with model.safetensors, as `atelier model train` writes it", dir)
	}
	return a, err
}

func modelRender(e *env) *cobra.Command {
	var wanted, seed, out, weights, kernelName, engineName, library string
	var size, workers int
	var recipe *model.Recipe
	var v variation
	c := &cobra.Command{
		Use:   "render",
		Short: "Draw a picture with the public genesis artist, or one of your own",
		Long: `render needs no network. The same artist, prompt, seed and size give the same
pixels on every machine; pixel_root is the Merkle root over 32x32 tiles of them.
The seed is 64 hex digits, or any text, which is hashed. The environment variable
ATELIER_KERNEL chooses among the kernels (reference, neon, avx2, avx512vnni).

The PNG is written while the picture is drawn, so posters need little memory, and
takes the place of FILE when it is whole: interrupted, it leaves nothing behind. It
carries its recipe (see ` + "`atelier model recipe`" + `): --recipe draws from one, and the
flags from --at to --zoom change it.

--weights may also name an ONNX file, as ` + "`atelier model export`" + ` writes it: another
engine draws then, whose pixels differ in their last bits from machine to machine.`,
		Example: "  atelier model render --prompt \"red heart\" --seed today --size 1024 --out heart.png\n" +
			"  atelier model render --prompt \"red heart\" --seed today --hue blue --mirror x --out card.png\n" +
			"  atelier model render --weights heart.onnx --out twin.png",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usage("--out FILE is missing: where should the PNG go?")
			}
			draws, err := chooseEngine(engineName, weights, library)
			if err != nil {
				return err
			}
			if draws != engine.Phase16 {
				return drawONNX{draws, weights, library, out, cmd.Flags().Changed, size, workers}.run(cmd.Context(), e)
			}
			if recipe != nil && (cmd.Flags().Changed("prompt") || cmd.Flags().Changed("seed")) {
				return usage("--recipe says prompt and seed: leave --prompt and --seed away")
			}
			artist, err := loadArtist(weights)
			if err != nil {
				return err
			}
			r := model.NewRecipe(artist.ID(), wanted, parseSeed(seed))
			if recipe != nil {
				r = *recipe
			}
			if r, err = v.apply(r); err != nil {
				return err
			}
			start, first := time.Now(), r.Subjects[0]
			bar := newProgress(e, "tiles drawn")
			o := model.RenderOptions{Workers: workers, Kernel: kernelName, Progress: bar.move}
			var root [32]byte
			length, err := writeWhole(out, func(w io.Writer) (err error) {
				root, err = drawRecipe(cmd.Context(), w, artist, r, size, o)
				return err
			})
			bar.end()
			if err != nil {
				return err
			}
			took := time.Since(start)
			return e.say(struct {
				Prompt    string      `json:"prompt"`
				Seed      string      `json:"seed"`
				Recipe    string      `json:"recipe"`
				Size      int         `json:"size"`
				PixelRoot string      `json:"pixel_root"`
				Artist    string      `json:"artist"`
				Contract  string      `json:"contract"`
				Engine    string      `json:"engine"`
				Class     model.Class `json:"class"`
				Kernel    string      `json:"kernel"`
				File      string      `json:"file"`
				Bytes     int64       `json:"bytes"`
				Seconds   float64     `json:"seconds"`
			}{first.Prompt, hex.EncodeToString(first.Seed[:]), r.String(), size, curation.Hash(root).String(), curation.Hash(artist.ID()).String(),
				kernel.Contract, draws, artist.Describe().Class, o.UsedKernel(), out, length, took.Seconds()},
				"%s  %dx%d  pixel root %x  %s  %.2f s\n", out, size, size, root, bytesText(length), took.Seconds())
		},
	}
	f := c.Flags()
	option(c, &wanted, "prompt", "", prompt, "what to draw: `TEXT`; empty lets the seed decide")
	f.StringVar(&seed, "seed", "atelier", "`SEED`: 64 hex digits, or any text")
	option(c, &recipe, "recipe", "", recipeText, "draw from this `RECIPE`, instead of prompt and seed")
	option(c, &size, "size", "1024", between(1, kernel.MaxSide), fmt.Sprintf("edge of the square picture in `PIXELS`, 1 to %d", kernel.MaxSide))
	option(c, &out, "out", "", pngFile, "write PNG to `FILE`")
	f.StringVar(&weights, "weights", "", "`DIR` of an artist, or an ONNX file (default: the embedded artist)")
	option(c, &engineName, "engine", "", oneOf(engineNames()...), "`ENGINE` to use (default: by --weights; see model engines)")
	f.StringVar(&library, "library", "", "`FILE` of ONNX Runtime's library (default: ATELIER_ONNXRUNTIME)")
	option(c, &kernelName, "kernel", "", oneOf(kernel.Kernels()...), "`KERNEL` to use (default: ATELIER_KERNEL, or the fastest)")
	option(c, &workers, "workers", "0", between(0, 1024), "`N` goroutines, at most 1024; 0 means one per core")
	v.options(c, ofRecipes, plainRecipe)
	return c
}
