package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/animation"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/storage"
)

func modelMorph(e *env) *cobra.Command {
	var out, weights, kernelName string
	var frames, size, workers int
	var length time.Duration
	var once bool
	c := &cobra.Command{
		Use: "morph A B", Short: "Turn one picture into another, as an animation",
		Long: `morph draws the way from picture A to picture B and back, as an animated PNG or, in
256 colours a frame, as a GIF: --out says which by its ending. Both have to be of
the same artist. A and B are PNGs that carry their recipe, recipes, or artworks by
ID, folder, CAR file or CID; --weights names the artist when it is not the genesis
artist. What a network's sealed artist drew takes another request.

Each frame is a picture that the artist could draw, at both ends A and B to the bit;
but around the middle, A dissolves into B where one looks left and the other right.
Frames are written as they are drawn; interrupted, morph leaves nothing behind.`,
		Example: "  atelier model morph owl.png heart.png --out owl-heart.png\n  atelier model morph owl.png heart.png --frames 96 --length 6s --size 256 --out owl-heart.gif",
		Args:    takes("A", "B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			begin := animation.NewPNG
			switch strings.ToLower(filepath.Ext(out)) {
			case ".png", ".apng":
			case ".gif":
				begin = animation.NewGIF
			case "":
				return usage("--out FILE is missing, or has no ending: name a .png or .gif")
			default:
				return usage("--out %q: want a .png or .gif", clip(out, 60))
			}
			pause := length / time.Duration(frames)
			if pause < animation.MinPause || pause > animation.MaxPause {
				return usage("--length %v for %d frames is %v each: want %v to %v", length, frames, pause, animation.MinPause, animation.MaxPause)
			}
			artist, err := loadArtist(weights)
			if err != nil {
				return err
			}
			var ends [2]known
			for i, name := range args {
				if ends[i], err = e.named(cmd.Context(), name, artist); err != nil {
					return err
				}
			}
			m, err := model.NewMorph(artist, ends[0].recipe, ends[1].recipe)
			if err != nil {
				return err
			}
			start, bar := time.Now(), newProgress(e, "frames drawn")
			bytes, err := writeWhole(out, func(w io.Writer) error {
				// Only a PNG has room for texts.
				if strings.ToLower(filepath.Ext(out)) != ".gif" {
					w, err = storage.WithText(w, []storage.Text{{Keyword: storage.TextDescription, Text: fmt.Sprintf("From %v to %v", ends[0].recipe, ends[1].recipe)}})
					if err != nil {
						return err
					}
				}
				film, err := begin(w, size, size, frames, pause)
				if err != nil {
					return err
				}
				for i := range frames {
					p, err := m.Frame(cmd.Context(), model.Eased(i, frames, !once), size, model.RenderOptions{Workers: workers, Kernel: kernelName})
					if err != nil {
						return err
					}
					if err := film.Frame(p.RGB); err != nil {
						return err
					}
					bar.move(i+1, frames)
				}
				return film.Close()
			})
			bar.end()
			if err != nil {
				return err
			}
			return e.say(struct {
				File    string  `json:"file"`
				From    string  `json:"from"`
				To      string  `json:"to"`
				Frames  int     `json:"frames"`
				Size    int     `json:"size"`
				Pause   float64 `json:"pause_ms"`
				Bytes   int64   `json:"bytes"`
				Seconds float64 `json:"seconds"`
			}{out, ends[0].recipe.String(), ends[1].recipe.String(), frames, size, float64(pause) / float64(time.Millisecond), bytes, time.Since(start).Seconds()},
				"%s  %s of %dx%d  %s  %.2f s\n", out, count(frames, "frame"), size, size, bytesText(bytes), time.Since(start).Seconds())
		},
	}
	f := c.Flags()
	f.StringVar(&out, "out", "", "write to `FILE`, a .png or .gif")
	option(c, &frames, "frames", "48", between(2, 2000), "`N` frames, 2 to 2000")
	option(c, &size, "size", "512", between(1, animation.MaxSide), fmt.Sprintf("edge of the square frames in `PIXELS`, 1 to %d", animation.MaxSide))
	option(c, &length, "length", "4s", span, "`TIME` until it begins anew")
	f.BoolVar(&once, "once", false, "only there, not back again")
	f.StringVar(&weights, "weights", "", "`DIR` of the artist (default: the embedded genesis artist)")
	option(c, &kernelName, "kernel", "", oneOf(kernel.Kernels()...), "`KERNEL` to use (default: ATELIER_KERNEL, or the fastest)")
	option(c, &workers, "workers", "0", between(0, 1024), "`N` goroutines, at most 1024; 0 means one per core")
	return c
}
