package main

import (
	"context"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/animation"
	"github.com/atelier-dao/atelier/model/poster"
	"github.com/atelier-dao/atelier/storage"
)

// coloursOf is the artwork whose colours an edition takes; nil for its own.
func (e *env) coloursOf(ctx context.Context, v *variation) (*curation.Hash, error) {
	if v.colours == "" {
		return nil, nil
	}
	if strings.HasPrefix(strings.TrimSpace(v.colours), "recipe1") {
		return nil, usage("--colours-of: a sealed artist takes the colours of an artwork of its network: name one by its ID, or hues with --hue")
	}
	_, err := e.named(ctx, v.colours, model.Embedded())
	var sealed *sealedError
	if errors.As(err, &sealed) {
		return &sealed.rid, nil
	}
	if err == nil {
		err = usage("--colours-of %q: that is no artwork of the sealed artist", clip(v.colours, 60))
	}
	return nil, err
}

// changesOf are what flags change about a recipe but its colours' origin, and more after
// them, as an edition has them.
func (v *variation) changesOf(more ...alter) ([]byte, error) {
	own := variation{changes: v.changes}
	r, err := own.apply(model.NewRecipe([32]byte{}, "", [32]byte{}))
	if err != nil {
		return nil, err
	}
	for _, change := range more {
		if err := change(&r); err != nil {
			return nil, err
		}
	}
	return append([]byte{}, r.Changes()...), nil
}

// renderedEdition writes an edition of one artwork to a file.
func (e *env) renderedEdition(ctx context.Context, rid curation.Hash, out string, size int, v *variation, o commission) error {
	start := time.Now()
	changes, err := v.changesOf()
	if err != nil {
		return err
	}
	colours, err := e.coloursOf(ctx, v)
	if err != nil {
		return err
	}
	d, err := e.commission(ctx, curation.Edition{Of: []curation.Hash{rid}, Size: uint64(size), Changes: changes, Colours: colours}, o)
	if err != nil {
		return err
	}
	length, err := writeWhole(out, func(w io.Writer) error { _, err := w.Write(d.png); return err })
	if err != nil {
		return err
	}
	return e.say(editionMade{
		File: out, RID: d.RID, CID: d.CID, Recipe: d.recipe(0), Width: size, Height: size, PixelRoot: d.PixelRoot, Price: d.Edition.Price, Kept: d.Edition.Kept,
		Bytes: length, Seconds: time.Since(start).Seconds(),
	}, "%s  %dx%d  pixel root %s  %s  %.2f s\nedition %s, which the members keep until height %d; next: %s\n",
		out, size, size, d.PixelRoot, bytesText(length), time.Since(start).Seconds(), short(d.RID), d.Edition.Kept, e.again("verify %s", d.CID))
}

// posteredEdition sets editions of one artwork on a sheet: the network draws the pictures,
// with as many pixels as they have there, and letters are set at home.
func (e *env) posteredEdition(ctx context.Context, of *sealedError, out string, s poster.Sheet, panels int, v *variation, o commission) error {
	start := time.Now()
	s.Pictures = make([]poster.Picture, panels)
	side, err := s.Side()
	if err != nil {
		return err
	}
	colours, err := e.coloursOf(ctx, v)
	if err != nil {
		return err
	}
	e.warnMissing(s)
	made := editionMade{File: out, Width: s.Width, Height: s.Height}
	var recipe *model.Recipe
	for i := range s.Pictures {
		turn, err := hueTurn(strconv.Itoa(i * model.FullTurn / panels))
		if err != nil {
			return err
		}
		changes, err := v.changesOf(turn)
		if err != nil {
			return err
		}
		d, err := e.commission(ctx, curation.Edition{Of: []curation.Hash{of.rid}, Size: uint64(side), Changes: changes, Colours: colours}, o)
		if err != nil {
			return err
		}
		if s.Pictures[i], err = pictureOf(d.png, side); err != nil {
			return err
		}
		if i == 0 {
			if recipe, err = recipeText(d.recipe(0)); err != nil {
				return err
			}
			made.RID, made.CID, made.Recipe, made.Kept = d.RID, d.CID, d.recipe(0), d.Edition.Kept
		}
		made.Price = made.Price.Add(d.Edition.Price)
		made.Editions = append(made.Editions, d.RID)
	}
	made.Bytes, err = writeWhole(out, func(w io.Writer) error { return drawSheet(ctx, w, s, *recipe, model.RenderOptions{}) })
	if err != nil {
		return err
	}
	made.Seconds = time.Since(start).Seconds()
	return e.say(made, "%s  %dx%d  a poster of %s  %s  %.2f s\n", out, s.Width, s.Height, count(panels, "edition"), bytesText(made.Bytes), made.Seconds)
}

// pictureOf is a PNG as a picture on a sheet.
func pictureOf(png []byte, side int) (p poster.Picture, err error) {
	p.Rows = func(sink func([]byte) error) error { return storage.ReadPNG(png, side, sink) }
	least := math.MaxInt
	return p, p.Rows(func(rows []byte) error {
		for ; len(rows) >= 3; rows = rows[3:] {
			if bright := 299*int(rows[0]) + 587*int(rows[1]) + 114*int(rows[2]); bright < least {
				least, p.Darkest = bright, [3]byte(rows)
			}
		}
		return nil
	})
}

// editionMade is what `artwork render` and `artwork morph` print of an edition.
type editionMade struct {
	File      string          `json:"file"`
	RID       curation.Hash   `json:"rid"`
	CID       string          `json:"cid"`
	Recipe    string          `json:"recipe"`
	To        string          `json:"to,omitempty"`
	Width     int             `json:"width"`
	Height    int             `json:"height"`
	Frames    int             `json:"frames,omitempty"`
	PixelRoot curation.Hash   `json:"pixel_root,omitzero"`
	Editions  []curation.Hash `json:"editions,omitempty"` // on a poster
	Price     curve.Amount    `json:"price"`
	Kept      uint64          `json:"kept"`
	Bytes     int64           `json:"bytes"`
	Seconds   float64         `json:"seconds"`
}

func artworkMorph(e *env) *cobra.Command {
	var w way
	var ask commission
	c := &cobra.Command{
		Use: "morph A B", Short: "Turn one artwork into another, as an animation",
		Long: `morph draws the way from artwork A to artwork B of the same network and back, as an
animated PNG or a GIF: --out says which by its ending. A and B are artworks by ID.

Whoever has the artist draws it at home, as ` + "`atelier model morph`" + ` does. A network's
sealed artist opens for one approved picture at a time, so its members are asked for
the film as an edition: what it costs is said, the members approve and draw it, and
it is checked and written to --out. They make it as PNG, with all colours; a GIF, of
256 for each frame, is made of that at home.`,
		Example: "  atelier artwork morph 3fa94c1d8a20 77ab01c2d3e4 --out film.png --key vera.age\n" +
			"  atelier artwork morph 3fa94c1d8a20 77ab01c2d3e4 --frames 96 --length 6s --out film.gif",
		Args: takes("A", "B"),
		RunE: func(cmd *cobra.Command, args []string) error {
			err := e.morph(cmd.Context(), args, &w)
			var sealed *sealedError
			if !errors.As(err, &sealed) || w.weights != "" {
				return err
			}
			return e.filmedEdition(cmd.Context(), args, &w, ask)
		},
	}
	w.options(c)
	ask.options(c)
	return c
}

// filmedEdition writes a film between two artworks of a sealed artist to a file.
func (e *env) filmedEdition(ctx context.Context, names []string, m *way, o commission) error {
	start, artist := time.Now(), model.Embedded()
	want := curation.Edition{Size: uint64(m.size), Frames: uint64(m.frames), Length: uint64(m.length.Milliseconds()), Once: m.once, Changes: []byte{}}
	for _, name := range names {
		_, err := e.named(ctx, name, artist)
		var sealed *sealedError
		if !errors.As(err, &sealed) {
			if err == nil {
				err = usage("%q is no artwork of the sealed artist: a film is between two of the same", clip(name, 60))
			}
			return err
		}
		want.Of = append(want.Of, sealed.rid)
	}
	d, err := e.commission(ctx, want, o)
	if err != nil {
		return err
	}
	length, err := writeWhole(m.out, func(w io.Writer) error {
		if m.gif() {
			return gifOf(w, d, m)
		}
		_, err := w.Write(d.png)
		return err
	})
	if err != nil {
		return err
	}
	return e.say(editionMade{
		File: m.out, RID: d.RID, CID: d.CID, Recipe: d.recipe(0), To: d.recipe(1), Width: m.size, Height: m.size, Frames: m.frames, PixelRoot: d.PixelRoot,
		Price: d.Edition.Price, Kept: d.Edition.Kept, Bytes: length, Seconds: time.Since(start).Seconds(),
	}, "%s  %s of %dx%d  pixel root %s  %s  %.2f s\nedition %s, which the members keep until height %d; next: %s\n",
		m.out, count(m.frames, "frame"), m.size, m.size, d.PixelRoot, bytesText(length), time.Since(start).Seconds(), short(d.RID), d.Edition.Kept, e.again("verify %s", d.CID))
}

// gifOf makes a GIF of a film.
func gifOf(w io.Writer, d delivered, m *way) error {
	film, err := animation.NewGIF(w, m.size, m.size, m.frames, m.pause())
	if err != nil {
		return err
	}
	rgb, whole := []byte{}, 3*m.size*m.size
	if _, err := storage.ReadFilm(d.png, m.size, m.frames, func(_ int, rows []byte) error {
		if rgb = append(rgb, rows...); len(rgb) < whole {
			return nil
		}
		defer func() { rgb = rgb[:0] }()
		return film.Frame(rgb)
	}); err != nil {
		return err
	}
	return film.Close()
}
