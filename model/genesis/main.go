// Command genesis makes the genesis artist again, byte for byte on amd64 with
// AVX2: it draws icons of the Fluent Emoji Flat set as training pictures,
// trains, and writes the folder that package model embeds.
//
//	npm pack @iconify-json/fluent-emoji-flat@1.2.6 && tar xzf iconify-json-*.tgz
//	go run ./model/genesis -icons package
//
// It fetches nothing by itself. A run that was interrupted goes on when the command
// is given again; the folder -work has its checkpoint, loss curve, log and sheets
// of samples. With -pictures DIR the training pictures are
// kept there, for `atelier model train DIR`; with -steps 0 only the pictures and
// the sheet are made.
package main

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/internal/train"
)

const (
	data = "Fluent Emoji Flat by Microsoft (npm package @iconify-json/fluent-emoji-flat 1.2.6): 313 icons of animals, plants, food, " +
		"sky, places, hearts and instruments, drawn at 96×96 pixels with softened colours, cut to five flat colours each, on twenty-four " +
		"grounds of three papers, among them night, sunset, winter, sea and forest, in twenty-nine sets of colours, dyed in fourteen colours " +
		"by chance. Names and a list of synonyms are the vocabulary."
	licence = "Apache-2.0 for the weights; trained on icons under the MIT License, © Microsoft Corporation (LICENSE-fluent-emoji.txt)"
)

func main() {
	icons := flag.String("icons", "package", "folder of the unpacked npm package")
	out := flag.String("out", filepath.Join("model", "genesis"), "folder for weights, card and sheet")
	pictures := flag.String("pictures", "", "folder to keep the training pictures in (default: a temporary one)")
	work := flag.String("work", filepath.Join(os.TempDir(), "atelier-genesis"), "folder for checkpoint, loss curve, log and samples")
	steps := flag.Int("steps", 24000, "training steps; 0 trains nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *icons, *out, *pictures, *work, *steps); err != nil {
		fmt.Fprintln(os.Stderr, "genesis:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, icons, out, pictures, work string, steps int) error {
	if pictures == "" {
		dir, err := os.MkdirTemp("", "genesis")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		pictures = dir
	}
	if err := drawPictures(icons, pictures, filepath.Join(out, "pictures")); err != nil {
		return err
	}
	artist := model.Embedded
	if steps > 0 {
		trained, loss, err := teach(ctx, pictures, work, steps)
		if err != nil {
			return err
		}
		if err := trained.SaveDir(out); err != nil {
			return err
		}
		if err := extendCard(filepath.Join(out, "README.md"), steps, loss); err != nil {
			return err
		}
		artist = func() *model.Artist { return trained }
	}
	id := artist().ID()
	fmt.Printf("artist %x\n", id)
	return drawSheets(ctx, artist(), out)
}

// teach trains the artist, or goes on with it.
func teach(ctx context.Context, pictures, work string, steps int) (artist *model.Artist, loss float64, err error) {
	r, err := model.NewRun(ctx, os.DirFS(pictures), model.TrainOptions{
		Steps: steps, Seed: sha256.Sum256([]byte("atelier genesis")), Name: "paper-cut", Data: data, Licence: licence,
	})
	if err != nil {
		return nil, 0, err
	}
	defer r.Close()
	var state model.TrainingState
	c, err := model.ReadCheckpointFile(work)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		state, err = r.Begin()
	case err == nil:
		state, err = r.Resume(c)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%s: %w: name another folder with -work", work, err)
	}
	began := time.Now()
	t := model.Training{Run: r, Dir: work, Samples: 1000, Progress: func(p model.TrainingProgress) {
		if p.Step%200 == 0 || p.Step == steps {
			fmt.Printf("step %d of %d, loss %.4f, %s\n", p.Step, steps, p.Loss, time.Since(began).Round(time.Second))
		}
	}}
	if state, err = t.Do(ctx, state); err != nil {
		return nil, 0, err
	}
	if artist, err = r.Artist(state); err != nil {
		return nil, 0, err
	}
	return artist, state.Loss, t.Discard()
}

// extendCard adds to the model card what card.md says, how the artist was made
// included.
func extendCard(path string, steps int, loss float64) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	said := strings.NewReplacer("{steps}", fmt.Sprint(steps), "{loss}", fmt.Sprintf("%.3f", loss), "{prompts}", strings.Join(prompts, ", "))
	if _, err := said.WriteString(f, card); err != nil {
		return err
	}
	return f.Close()
}

//go:embed card.md
var card string

// drawPictures writes one training picture for each icon, and the same, small and
// flat, to the folder that fine-tuning learns from.
func drawPictures(icons, pictures, kept string) error {
	chosen, err := readIcons(icons)
	if err != nil {
		return err
	}
	for _, dir := range []string{pictures, kept} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	for _, i := range chosen {
		drawn, err := rasterise(i, 96, 16, 16, 18.5)
		if err != nil {
			return err
		}
		img := soften(drawn)
		if err := writePNG(filepath.Join(pictures, i.name+".png"), img); err != nil {
			return err
		}
		cut, err := train.Cut(i.name, img, 8)
		if err != nil {
			return err
		}
		if err := writePNG(filepath.Join(kept, i.name+".png"), cut.Image(64)); err != nil {
			return err
		}
	}
	fmt.Printf("%d pictures\n", len(chosen))
	return nil
}

// soften gives the screen colours of the icons the chroma of painted paper.
func soften(p *image.RGBA) image.Image {
	out := image.NewNRGBA(p.Bounds())
	for i := 0; i < len(p.Pix); i += 4 {
		a := uint32(p.Pix[i+3])
		if a < 0x80 {
			continue
		}
		at := func(c int) uint8 { return uint8(min(255, uint32(p.Pix[i+c])*255/a)) }
		c := train.FromRGB(at(0), at(1), at(2))
		f := 1 / (1 + 1.1*math.Hypot(c[1], c[2]))
		out.Pix[i], out.Pix[i+1], out.Pix[i+2] = train.Lab{.075 + .885*c[0], c[1]*f + .003, c[2]*f + .008}.RGB()
		out.Pix[i+3] = 255
	}
	return out
}

func writePNG(path string, img image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(f, img); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Close()
}

func readJSON(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
