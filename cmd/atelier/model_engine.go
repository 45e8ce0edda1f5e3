package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/engine"
	"github.com/atelier-dao/atelier/model/onnx"
)

func modelEngines(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "engines", Short: "List what can draw, and how far two runs agree",
		Long: `engines lists what draws pictures here, with the class of what it draws:

  exact     two runs agree to the bit on every machine: anybody can check a picture
  tolerant  two runs look the same; the last bits depend on library and machine
  opaque    nobody but its maker can draw it again

A network draws with the exact engine alone, so that every member can check every
picture. The others are for pictures of your own.`,
		Example: "  atelier model engines\n  atelier model engines --json | jq -r '.[] | select(.built) | .name'",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			all := engine.Engines()
			var rows [][]string
			for _, g := range all {
				needs := g.Needs
				if needs == "" {
					needs = "nothing"
				}
				rows = append(rows, []string{g.Name, string(g.Class), g.Draws, needs})
			}
			return e.table(all, "ENGINE CLASS DRAWS NEEDS", rows, "")
		},
	}
}

func modelExport(e *env) *cobra.Command {
	var out, weights, wanted, seed string
	c := &cobra.Command{
		Use: "export", Short: "Write a picture, or a whole artist, as an ONNX file",
		Long: `export writes ONNX, which other programs that run networks can read. With --prompt
or --seed it is the network of that one picture: from places, x and y in -1..+1, to
colours. Without, it is the whole artist: from words, noise and places to colours,
with its vocabulary inside.

The file computes in floats what the artist computes in whole numbers: what is drawn
with it looks the same, but is of the class tolerant; see ` + "`atelier model engines`" + `.`,
		Example: "  atelier model export --prompt \"red heart\" --seed today --onnx heart.onnx\n  atelier model export --weights ./artist --onnx artist.onnx",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usage("--onnx FILE is missing: where should the network go?")
			}
			artist, err := loadArtist(weights)
			if err != nil {
				return err
			}
			picture := cmd.Flags().Changed("prompt") || cmd.Flags().Changed("seed")
			draws, raw := "artist", []byte(nil)
			if picture {
				draws = "picture"
				program, err := artist.Fold(wanted, parseSeed(seed))
				if err != nil {
					return err
				}
				raw, err = onnx.FromProgram(program)
				if err != nil {
					return err
				}
			} else if raw, err = artist.ONNX(); err != nil {
				return err
			}
			if err := os.WriteFile(out, raw, 0o644); err != nil {
				return err
			}
			return e.say(struct {
				File   string      `json:"file"`
				Draws  string      `json:"draws"`
				Class  model.Class `json:"class"`
				Artist string      `json:"artist"`
				Bytes  int         `json:"bytes"`
			}{out, draws, model.Tolerant, curation.Hash(artist.ID()).String(), len(raw)},
				"%s  %s of the artist %q, class %s, %s\n", out, draws, artist.Describe().Name, model.Tolerant, bytesText(int64(len(raw))))
		},
	}
	f := c.Flags()
	f.StringVar(&out, "onnx", "", "write the network to `FILE`")
	f.StringVar(&weights, "weights", "", "`DIR` of an artist (default: the embedded genesis artist)")
	option(c, &wanted, "prompt", "", prompt, "the picture of this `TEXT`; empty lets the seed decide")
	f.StringVar(&seed, "seed", "atelier", "`SEED`: 64 hex digits, or any text")
	return c
}

// chooseEngine is the engine that a line means by --engine, --weights and --library.
func chooseEngine(name, weights, library string) (string, error) {
	file := strings.EqualFold(filepath.Ext(weights), ".onnx")
	switch {
	case name == "" && library != "":
		name = engine.ONNXRuntime
	case name != engine.ONNXRuntime && library != "":
		return "", usage("--library names the library of the engine %s, not of %s: leave one of them away", engine.ONNXRuntime, name)
	}
	switch {
	case name == "" && file:
		return engine.ONNX, nil
	case name == "":
		return engine.Phase16, nil
	case name == engine.Phase16 && file:
		return "", usage("--engine %s draws with an artist's folder, and %s is an ONNX file: choose %s or %s", name, weights, engine.ONNX, engine.ONNXRuntime)
	case name != engine.Phase16 && !file:
		return "", usage("--engine %s draws with an ONNX file: name one with --weights FILE.onnx (`atelier model export` writes them)", name)
	}
	return name, nil
}

// engineNames are those that a flag may choose.
func engineNames() (names []string) {
	for _, g := range engine.Engines() {
		names = append(names, g.Name)
	}
	return names
}

// drawONNX is `model render` with an ONNX file.
type drawONNX struct {
	engine, file, library, out string
	typed                      func(flag string) bool
	size, workers              int
}

func (d drawONNX) run(ctx context.Context, e *env) error {
	if d.typed("kernel") {
		return usage("--kernel chooses among the kernels of the engine %s: leave it away", engine.Phase16)
	}
	for _, v := range variations {
		if d.typed(v.name) || d.typed("recipe") {
			return usage("an ONNX file draws as it is: leave --recipe and the flags that change a picture away, or draw with an artist's folder")
		}
	}
	if d.library == "" {
		d.library = os.Getenv(engine.LibraryVariable)
	}
	artist, err := engine.Open(d.file, engine.Options{Engine: d.engine, Library: d.library})
	if err != nil {
		return err
	}
	defer artist.Close()
	is := artist.Describe()
	if !is.Prompts && (d.typed("prompt") || d.typed("seed")) {
		return usage("%s is one picture: leave --prompt and --seed away", d.file)
	}
	start := time.Now()
	program, err := artist.Fold("", [32]byte{})
	if err != nil {
		return err
	}
	scr := newScreen(e.err)
	p, err := engine.Render(ctx, program, d.size, d.size, engine.RenderOptions{Workers: d.workers, Progress: func(done, total int) {
		scr.Progress("drawing with "+is.Runtime, done, total)
	}})
	scr.clear()
	if err != nil {
		return err
	}
	took := time.Since(start)
	if _, err := writeWhole(d.out, p.EncodePNG); err != nil {
		return err
	}
	return e.say(struct {
		Size      int         `json:"size"`
		PixelRoot string      `json:"pixel_root"`
		Engine    string      `json:"engine"`
		Runtime   string      `json:"runtime"`
		Class     model.Class `json:"class"`
		File      string      `json:"file"`
		Seconds   float64     `json:"seconds"`
	}{d.size, curation.Hash(p.PixelRoot).String(), is.Engine, is.Runtime, is.Class, d.out, took.Seconds()},
		"%s  %dx%d  class %s, drawn by %s  pixel root %x  %.2f s\n", d.out, d.size, d.size, is.Class, is.Runtime, p.PixelRoot, took.Seconds())
}
