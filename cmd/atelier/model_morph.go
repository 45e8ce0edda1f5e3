package main

import (
	"context"
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

// way is a film as the flags of `model morph` and `artwork morph` describe it.
type way struct {
	out, weights, kernel  string
	frames, size, workers int
	length                time.Duration
	once                  bool
}

func (w *way) options(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&w.out, "out", "", "write to `FILE`, a .png or .gif")
	option(c, &w.frames, "frames", "48", between(2, 2000), "`N` frames, 2 to 2000")
	option(c, &w.size, "size", "512", between(1, animation.MaxSide), fmt.Sprintf("edge of the square frames in `PIXELS`, 1 to %d", animation.MaxSide))
	option(c, &w.length, "length", "4s", span, "`TIME` until it begins anew")
	f.BoolVar(&w.once, "once", false, "only there, not back again")
	f.StringVar(&w.weights, "weights", "", "`DIR` of the artist (default: the embedded genesis artist)")
	option(c, &w.kernel, "kernel", "", oneOf(kernel.Kernels()...), "`KERNEL` to use (default: ATELIER_KERNEL, or the fastest)")
	option(c, &w.workers, "workers", "0", between(0, 1024), "`N` goroutines, at most 1024; 0 means one per core")
}

// pause is how long a frame is shown.
func (w *way) pause() time.Duration { return w.length / time.Duration(w.frames) }

func (w *way) gif() bool { return strings.ToLower(filepath.Ext(w.out)) == ".gif" }

// writer says how to write the film, which the ending of its name says.
func (w *way) writer() (begin func(io.Writer, int, int, int, time.Duration) (animation.Writer, error), err error) {
	switch strings.ToLower(filepath.Ext(w.out)) {
	case ".png", ".apng":
		begin = animation.NewPNG
	case ".gif":
		begin = animation.NewGIF
	case "":
		return nil, usage("--out FILE is missing, or has no ending: name a .png or .gif")
	default:
		return nil, usage("--out %q: want a .png or .gif", clip(w.out, 60))
	}
	if p := w.pause(); p < animation.MinPause || p > animation.MaxPause {
		return nil, usage("--length %v for %d frames is %v each: want %v to %v", w.length, w.frames, p, animation.MinPause, animation.MaxPause)
	}
	return begin, nil
}

func modelMorph(e *env) *cobra.Command {
	var w way
	c := &cobra.Command{
		Use: "morph A B", Short: "Turn one picture into another, as an animation",
		Long: `morph draws the way from picture A to picture B and back, as an animated PNG or, in
256 colours a frame, as a GIF: --out says which by its ending. Both have to be of
the same artist. A and B are PNGs that carry their recipe, recipes, or artworks by
ID, folder, CAR file or CID; --weights names the artist when it is not the genesis
artist. What a network's sealed artist drew ` + "`atelier artwork morph`" + ` asks it for.

Each frame is a picture that the artist could draw, at both ends A and B to the bit;
but around the middle, A dissolves into B where one looks left and the other right.
Frames are written as they are drawn; interrupted, morph leaves nothing behind.`,
		Example: "  atelier model morph owl.png heart.png --out owl-heart.png\n  atelier model morph owl.png heart.png --frames 96 --length 6s --size 256 --out owl-heart.gif",
		Args:    takes("A", "B"),
		RunE:    func(cmd *cobra.Command, args []string) error { return e.morph(cmd.Context(), args, &w) },
	}
	w.options(c)
	return c
}

// morph draws a film with an artist that is at hand.
func (e *env) morph(ctx context.Context, names []string, m *way) error {
	begin, err := m.writer()
	if err != nil {
		return err
	}
	artist, err := loadArtist(m.weights)
	if err != nil {
		return err
	}
	var ends [2]known
	for i, name := range names {
		if ends[i], err = e.named(ctx, name, artist); err != nil {
			return err
		}
	}
	morph, err := model.NewMorph(artist, ends[0].recipe, ends[1].recipe)
	if err != nil {
		return err
	}
	start, bar := time.Now(), newProgress(e, "frames drawn")
	bytes, err := writeWhole(m.out, func(w io.Writer) error {
		if !m.gif() { // only a PNG has room for texts
			w, err = storage.WithText(w, []storage.Text{{Keyword: storage.TextDescription, Text: fmt.Sprintf("From %v to %v", ends[0].recipe, ends[1].recipe)}})
			if err != nil {
				return err
			}
		}
		film, err := begin(w, m.size, m.size, m.frames, m.pause())
		if err != nil {
			return err
		}
		for i := range m.frames {
			p, err := morph.Frame(ctx, model.Eased(i, m.frames, !m.once), m.size, model.RenderOptions{Workers: m.workers, Kernel: m.kernel})
			if err != nil {
				return err
			}
			if err := film.Frame(p.RGB); err != nil {
				return err
			}
			bar.move(i+1, m.frames)
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
	}{m.out, ends[0].recipe.String(), ends[1].recipe.String(), m.frames, m.size, float64(m.pause()) / float64(time.Millisecond), bytes, time.Since(start).Seconds()},
		"%s  %s of %dx%d  %s  %.2f s\n", m.out, count(m.frames, "frame"), m.size, m.size, bytesText(bytes), time.Since(start).Seconds())
}
