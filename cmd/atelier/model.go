package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
)

// maxSteps bounds a training: more would take weeks.
const maxSteps = 1_000_000

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
	var wanted, seed, out, weights, kernelName string
	var size, workers int
	c := &cobra.Command{
		Use:   "render",
		Short: "Draw a picture with the public genesis artist, or one of your own",
		Long: `render needs no network. The same artist, prompt, seed and size give the same
pixels on every machine; pixel_root is the Merkle root over 32x32 tiles of them.
The seed is 64 hex digits, or any text, which is hashed. The environment variable
ATELIER_KERNEL chooses among the kernels (reference, neon, avx2, avx512vnni).

The PNG is written while the picture is drawn, so posters need little memory, and
takes the place of FILE when it is whole: interrupted, it leaves nothing behind.`,
		Example: "  atelier model render --prompt \"red heart\" --seed today --size 1024 --out heart.png",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usage("--out FILE is missing: where should the PNG go?")
			}
			artist, err := loadArtist(weights)
			if err != nil {
				return err
			}
			start, s := time.Now(), parseSeed(seed)
			bar := newProgress(e, "tiles drawn")
			o := model.RenderOptions{Workers: workers, Kernel: kernelName, Progress: bar.move}
			var root [32]byte
			length, err := writeWhole(out, func(w io.Writer) (err error) {
				root, err = artist.RenderPNG(cmd.Context(), w, wanted, s, size, o)
				return err
			})
			bar.end()
			if err != nil {
				return err
			}
			took := time.Since(start)
			return e.say(struct {
				Prompt    string  `json:"prompt"`
				Seed      string  `json:"seed"`
				Size      int     `json:"size"`
				PixelRoot string  `json:"pixel_root"`
				Artist    string  `json:"artist"`
				Contract  string  `json:"contract"`
				Kernel    string  `json:"kernel"`
				File      string  `json:"file"`
				Bytes     int64   `json:"bytes"`
				Seconds   float64 `json:"seconds"`
			}{wanted, hex.EncodeToString(s[:]), size, curation.Hash(root).String(), curation.Hash(artist.ID()).String(),
				kernel.Contract, o.UsedKernel(), out, length, took.Seconds()},
				"%s  %dx%d  pixel root %x  %s  %.2f s\n", out, size, size, root, bytesText(length), took.Seconds())
		},
	}
	f := c.Flags()
	option(c, &wanted, "prompt", "", prompt, "what to draw: `TEXT`; empty lets the seed decide")
	f.StringVar(&seed, "seed", "atelier", "`SEED`: 64 hex digits, or any text")
	option(c, &size, "size", "1024", between(1, kernel.MaxSide), fmt.Sprintf("edge of the square picture in `PIXELS`, 1 to %d", kernel.MaxSide))
	f.StringVar(&out, "out", "", "write PNG to `FILE`")
	f.StringVar(&weights, "weights", "", "`DIR` of an artist (default: the embedded genesis artist)")
	option(c, &kernelName, "kernel", "", oneOf(kernel.Kernels()...), "`KERNEL` to use (default: ATELIER_KERNEL, or the fastest)")
	option(c, &workers, "workers", "0", between(0, 1024), "`N` goroutines, at most 1024; 0 means one per core")
	return c
}

func modelTrain(e *env) *cobra.Command {
	var out, name, seed, data, licence, base string
	var steps int
	var force bool
	c := &cobra.Command{
		Use:   "train DIR",
		Short: "Train an artist on a folder of pictures",
		Long: `train learns from the PNG, JPEG and GIF files below DIR; file names are the
vocabulary ("red heart.png" teaches "red" and "heart"). It writes an artist's
folder to --out: weights, config, vocabulary, model card and a sample. With --base
it fine-tunes an artist instead of starting anew ("genesis" names the embedded
one), which teaches no new words. The same pictures, seed and steps give the same
weights. Each file that cannot be used is named, with the reason.

The model card says what DIR says about the pictures: its files LICENSE, COPYING or
NOTICE, and its table sources.csv with the columns file,licence,author,source.`,
		Example: "  atelier model train ./pictures --out ./artist --steps 4000\n  atelier model train ./pictures --base genesis --out ./artist --steps 200",
		Args:    takes("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usage("--out DIR is missing: where should the artist go?")
			}
			if _, err := os.Stat(args[0]); err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(out, "model.safetensors")); err == nil && !force {
				return fmt.Errorf("%s holds an artist already: choose another --out, or replace it with --force", out)
			}
			if name == "" {
				dir, err := filepath.Abs(args[0])
				if err != nil {
					return err
				}
				name = filepath.Base(dir)
			}
			type left struct {
				File string `json:"file"`
				Why  string `json:"why"`
			}
			skipped := []left{}
			scr := newScreen(e.err)
			var loss float64
			start := time.Now()
			artist, err := train(cmd.Context(), args[0], base, model.TrainOptions{
				Steps: steps, Seed: parseSeed(seed), Name: name, Data: data, Licence: licence,
				Skipped: func(name string, why error) {
					skipped = append(skipped, left{name, why.Error()})
					fmt.Fprintf(e.err, "left out %q: %v\n", name, why)
				},
				Progress: func(step, steps int, l float64) {
					loss = l
					left := time.Duration(float64(time.Since(start)) / float64(step) * float64(steps-step)).Round(time.Second)
					scr.Progress(fmt.Sprintf("training, loss %.3f, %v left", l, left), step, steps)
				},
			})
			if err != nil {
				return err
			}
			if err := artist.SaveDir(out); err != nil {
				return err
			}
			id := artist.ID()
			return e.say(struct {
				Artist  string  `json:"artist"`
				Name    string  `json:"name"`
				Dir     string  `json:"dir"`
				Loss    float64 `json:"loss"`
				Skipped []left  `json:"skipped"`
				Seconds float64 `json:"seconds"`
			}{curation.Hash(id).String(), name, out, loss, skipped, time.Since(start).Seconds()},
				"%s  artist %x  loss %.3f  %.0f s\n", out, id[:8], loss, time.Since(start).Seconds())
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "write the artist to `DIR`")
	f.StringVar(&name, "name", "", "`NAME` of the artist (default: that of DIR)")
	f.StringVar(&seed, "seed", "atelier", "`SEED`: 64 hex digits, or any text")
	f.StringVar(&data, "data", "", "`TEXT` for the model card: what the pictures are")
	f.StringVar(&licence, "licence", "", "`TEXT` for the model card: terms of the result")
	f.StringVar(&base, "base", "", "fine-tune the artist in `DIR`, or genesis")
	f.BoolVar(&force, "force", false, "replace an artist that is in --out")
	option(c, &steps, "steps", "0", between(0, maxSteps), "`N` training steps (0: the default of the artist's size)")
	return c
}

func train(ctx context.Context, dir, base string, o model.TrainOptions) (*model.Artist, error) {
	if base == "" {
		return model.Train(ctx, os.DirFS(dir), o)
	}
	if base == "genesis" {
		base = ""
	}
	from, err := loadArtist(base)
	if err != nil {
		return nil, err
	}
	return model.FineTune(ctx, from, model.FineTuneOptions{Seed: o.Seed, Steps: o.Steps, Pictures: os.DirFS(dir), Name: o.Name,
		Data: o.Data, Licence: o.Licence, Skipped: o.Skipped, Progress: o.Progress})
}
