package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/animation"
	"github.com/atelier-dao/atelier/model/poster"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/storage"
)

// sealedError is an artwork whose artist is not at hand: its network can be asked for an
// edition of it.
type sealedError struct {
	quorumError
	rid       curation.Hash
	title, by string // what a poster says of it
}

func (e *sealedError) Unwrap() error { return &e.quorumError }

// commission is what the network is asked for, and for how long it is waited for.
type commission struct {
	patience time.Duration
}

func (o *commission) options(c *cobra.Command) {
	option(c, &o.patience, "timeout", "10m", span, "how long to wait for the members: `TIME` such as 90s")
}

// delivered is an edition that the network made, and what is in its folder.
type delivered struct {
	api.ArtworkDetail
	png     []byte
	edition storage.Edition
}

// commission has the network draw artworks once more, waits for it, and checks what came
// of it. What was asked for before, by whomever, is waited for, or fetched, instead.
func (e *env) commission(ctx context.Context, want curation.Edition, o commission) (d delivered, err error) {
	c, err := e.client()
	if err != nil {
		return d, err
	}
	defer c.Close()
	n, err := c.Network(ctx)
	if err != nil {
		return d, err
	}
	if n.Model == nil {
		return d, refused(curation.CodeWrongPhase, "the network has no artist yet: a member makes one with `atelier model seal`")
	}
	want.ModelID = n.Model.ID
	if err := want.Validate(); err != nil {
		return d, &usageError{err}
	}
	if err := mayAsk(ctx, c, n, want); err != nil {
		return d, err
	}
	rid, found, err := sameEdition(ctx, c, n, want)
	if err != nil {
		return d, err
	}
	within, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	w := &wait{env: e, client: c, network: n, start: time.Now(), to: e.err, silent: true}
	if !found {
		key, err := e.signer()
		if err != nil {
			return d, err
		}
		fmt.Fprintf(e.err, "the artist is sealed: asking the members of %s for an edition, at %s credits and a deposit of %s that comes back\n",
			n.Name, credits(n.Params.Price(want)), credits(n.Params.RequestDeposit))
		r, err := e.submit(within, c, key, want)
		if err != nil {
			return d, err
		}
		rid = r.RID
	} else {
		fmt.Fprintf(e.err, "the artist is sealed, and this edition is there or on its way already: %s\n", short(rid))
	}
	if err := w.patiently(ctx, within, rid, o.patience); err != nil {
		return d, err
	}
	d.ArtworkDetail = w.last
	if err := d.held(within, c); err != nil {
		return d, late(ctx, c, err, fmt.Sprintf("edition %s is delivered, and this node had not got it", short(rid)), o.patience)
	}
	return d, d.fetch(ctx, e, c, want)
}

// lookAgain is how often somebody looks whether a node has what it will tell of by no event.
const lookAgain = 300 * time.Millisecond

// held waits until the node holds the folder: members fetch what was delivered. Its owner
// need not wait.
func (d *delivered) held(ctx context.Context, c *api.Client) error {
	for !d.Held {
		if _, err := c.Fetch(ctx, d.CID, "auto", ""); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
		a, err := c.Artwork(ctx, d.RID.String())
		if err != nil {
			return err
		}
		d.ArtworkDetail = a
	}
	return nil
}

// mayAsk says before it costs a fee what the ledger would refuse to anybody.
func mayAsk(ctx context.Context, c *api.Client, n api.Network, want curation.Edition) error {
	switch most := n.Params.MaxEditionPixels; {
	case most == 0:
		return refused(curation.CodeOK, "%s makes no editions: whoever has the opened artist draws at home, with --weights", n.Name)
	case want.Pixels() > most:
		return refused(curation.CodeOK, "that is %d pixels in all, and the members of %s draw at most %d: ask for a smaller --size or fewer --frames", want.Pixels(), n.Name, most)
	}
	for _, rid := range want.Of {
		a, err := c.Artwork(ctx, rid.String())
		if err != nil {
			return err
		}
		switch a.Status {
		case curation.StatusPublished, curation.StatusCandidate, curation.StatusBacking:
		default:
			return refused(curation.CodeOK, "artwork %s is %s: an edition is of what is published, or of what you asked for yourself while it is a candidate", short(rid), a.Status)
		}
		if a.ModelID != want.ModelID {
			return refused(curation.CodeOK, "artwork %s was drawn by an artist that %s has replaced, and its members keep nothing of it: only who has that artist draws it once more, with --weights", short(rid), n.Name)
		}
	}
	return nil
}

// sameEdition finds an edition that looks the same and is kept, or being made.
func sameEdition(ctx context.Context, c *api.Client, n api.Network, want curation.Edition) (rid curation.Hash, found bool, err error) {
	a, err := c.Artwork(ctx, want.Of[0].String())
	if err != nil {
		return rid, false, err
	}
	for _, d := range a.Editions {
		e := d.Edition
		same := d.ModelID == want.ModelID && slices.Equal(e.Of, want.Of) && e.Size == want.Size && e.Frames == want.Frames && e.Length == want.Length &&
			e.Once == want.Once && bytes.Equal(e.Changes, want.Changes)
		if same && (d.Status.Open() || d.Status == curation.StatusDelivered && (d.Held || n.Height < e.Kept)) {
			return d.RID, true, nil
		}
	}
	return rid, false, nil
}

// fetch brings the folder here and checks that it is what was asked for: with all that the
// node knows, whose word is what this trusts.
func (d *delivered) fetch(ctx context.Context, e *env, c *api.Client, want curation.Edition) error {
	root, err := cid.Decode(d.CID)
	if err != nil {
		return err
	}
	files, err := folderOf(ctx, c, root)
	if err != nil {
		return err
	}
	network, err := c.Export(ctx)
	if err != nil {
		return err
	}
	report, err := verify.Artwork(ctx, files, verify.Options{Network: &network, CID: root})
	if err != nil {
		return err
	}
	if report.Outcome == verify.Invalid {
		return &invalidError{fmt.Sprintf("the node gave an edition that is not what it says: look with `%s`", e.again("verify %s", d.CID))}
	}
	for _, f := range files {
		switch f.Name {
		case storage.ImageName:
			d.png = f.Data
		case storage.ReceiptName:
			r, err := storage.DecodeReceipt(f.Data)
			if err != nil {
				return err
			}
			if r.Edition == nil || r.RequestID != d.RID || r.Width != want.Size || len(r.Edition.Of) != len(want.Of) {
				return &invalidError{fmt.Sprintf("artwork %s is not the edition that was asked for", short(d.RID))}
			}
			d.edition = *r.Edition
		}
	}
	return nil
}

// recipe is that of a picture, or of a film's first or last frame.
func (d delivered) recipe(i int) string {
	if d.Edition == nil || i >= len(d.Edition.Recipes) {
		return ""
	}
	return d.Edition.Recipes[i]
}

// changesOf are what flags change about a recipe, and more after them, as an edition has
// them.
func (v *variation) changesOf(more ...alter) ([]byte, error) {
	for i, f := range variations {
		if f.name == "colours-of" && len(v.changes[i]) > 0 {
			return nil, usage("--colours-of: a sealed artist takes no other picture's colours; name hues with --hue")
		}
	}
	r, err := v.apply(model.NewRecipe([32]byte{}, "", [32]byte{}))
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
	d, err := e.commission(ctx, curation.Edition{Of: []curation.Hash{rid}, Size: uint64(size), Changes: changes}, o)
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
		d, err := e.commission(ctx, curation.Edition{Of: []curation.Hash{of.rid}, Size: uint64(side), Changes: changes}, o)
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
