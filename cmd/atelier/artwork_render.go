package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/poster"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// known is a picture that is to be drawn once more.
type known struct {
	recipe model.Recipe
	by     string // what the small print of a poster says
	title  string // what a poster says in large letters
}

func artworkRender(e *env) *cobra.Command {
	var out, weights, title, line, kernelName, paper string
	var size, workers, panels int
	var format sheetSize
	var v variation
	var ask commission
	c := &cobra.Command{
		Use: "render ID|FOLDER", Short: "Draw an artwork once more: at any size, in other colours, as a poster",
		Long: `render draws what is known already: an artwork of the network by its ID, or by its
folder, CAR file or CID, a PNG that carries its recipe, or a RECIPE itself. At its
own size it gets the same pixels; at any other it gets the same picture, sharp.

Whoever has the artist does this at home: the genesis artist is in this program, and
--weights names a folder with another. A network's sealed artist opens for one
approved picture at a time, so its members are asked for an edition: what it costs
is said, they approve and draw it, and it is checked and written to --out. It is of
a published artwork, or of your own while it is a candidate, and of the artist that
the network has now: of one that it replaced, its members keep nothing.

--poster sets it on paper with a margin, a title and a line of small print, in a
size such as a3, a3-wide or 3000x2000: a2, a3 and a4 have 300 dots per inch. With
--panels the sheet shows it several times, its hues turned further each time.`,
		Example: "  atelier artwork render 3fa94c1d8a20 --size 8192 --out big.png --key vera.age\n" +
			"  atelier artwork render ./heart --hue teal --out teal.png\n" +
			"  atelier artwork render heart.png --poster a3 --title \"Our heart\" --out poster.png\n" +
			"  atelier artwork render heart.png --poster 5000x2200 --panels 3 --paper dark --out row.png",
		Args: takes("ID|FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			sheet := format.width != 0
			switch {
			case out == "":
				return usage("--out FILE is missing: where should the PNG go?")
			case sheet && cmd.Flags().Changed("size"):
				return usage("--poster says how large the sheet is: leave --size away")
			case !sheet && (cmd.Flags().Changed("title") || cmd.Flags().Changed("line") || cmd.Flags().Changed("paper") || cmd.Flags().Changed("panels")):
				return usage("--title, --line, --paper and --panels are about a sheet: give it a size with --poster")
			}
			artist, err := loadArtist(weights)
			if err != nil {
				return err
			}
			k, err := e.named(cmd.Context(), args[0], artist)
			var sealed *sealedError
			asked := errors.As(err, &sealed) && weights == ""
			if err != nil && !asked {
				return err
			}
			if asked {
				k.title, k.by = sealed.title, sealed.by
			}
			if !cmd.Flags().Changed("title") {
				title = heading(k.title)
			}
			if !cmd.Flags().Changed("line") {
				line = k.by
			}
			switch {
			case asked && sheet:
				s := poster.Sheet{Width: format.width, Height: format.height, Title: title, Line: line, Dark: paper == "dark"}
				return e.posteredEdition(cmd.Context(), sealed, out, s, panels, &v, ask)
			case asked:
				return e.renderedEdition(cmd.Context(), sealed.rid, out, size, &v, ask)
			}
			if err := e.takeColours(cmd.Context(), &v, artist); err != nil {
				return err
			}
			if k.recipe, err = v.apply(k.recipe); err != nil {
				return err
			}
			start, bar := time.Now(), newProgress(e, "tiles drawn")
			o := model.RenderOptions{Workers: workers, Kernel: kernelName, Progress: bar.move}
			width, height, root := size, size, [32]byte{}
			draw := func(w io.Writer) (err error) {
				root, err = drawRecipe(cmd.Context(), w, artist, k.recipe, size, o)
				return err
			}
			if sheet {
				s, err := k.sheet(artist, format, title, line, panels, paper == "dark")
				if err != nil {
					return err
				}
				e.warnMissing(s)
				width, height = s.Width, s.Height
				draw = func(w io.Writer) error { return drawSheet(cmd.Context(), w, s, k.recipe, o) }
			}
			length, err := writeWhole(out, draw)
			bar.end()
			if err != nil {
				return err
			}
			pixels, about := "", "a poster"
			if !sheet {
				pixels = hex.EncodeToString(root[:])
				about = "pixel root " + pixels
			}
			return e.say(struct {
				File      string  `json:"file"`
				Recipe    string  `json:"recipe"`
				Width     int     `json:"width"`
				Height    int     `json:"height"`
				PixelRoot string  `json:"pixel_root,omitempty"`
				Bytes     int64   `json:"bytes"`
				Seconds   float64 `json:"seconds"`
			}{out, k.recipe.String(), width, height, pixels, length, time.Since(start).Seconds()},
				"%s  %dx%d  %s  %s  %.2f s\n", out, width, height, about, bytesText(length), time.Since(start).Seconds())
		},
	}
	f := c.Flags()
	option(c, &out, "out", "", pngFile, "write PNG to `FILE`")
	option(c, &size, "size", "4096", between(1, kernel.MaxSide), fmt.Sprintf("edge of the square picture in `PIXELS`, 1 to %d", kernel.MaxSide))
	option(c, &format, "poster", "", sheetFormat, "a sheet of this `SIZE`: a2, a3, a4, a3-wide or 3000x2000")
	option(c, &title, "title", "", printed, "`TEXT` in large letters, or '' (default: the prompt)")
	option(c, &line, "line", "", printed, "`TEXT` in small ones, or '' (default: network and artist)")
	option(c, &paper, "paper", "light", oneOf("light", "dark"), "`COLOUR` of the sheet, light or dark")
	option(c, &panels, "panels", "1", between(1, poster.MaxPanels), fmt.Sprintf("`N` times the picture on it, 1 to %d", poster.MaxPanels))
	f.StringVar(&weights, "weights", "", "`DIR` of the artist (default: the embedded genesis artist)")
	option(c, &kernelName, "kernel", "", oneOf(kernel.Kernels()...), "`KERNEL` to use (default: ATELIER_KERNEL, or the fastest)")
	option(c, &workers, "workers", "0", between(0, 1024), "`N` goroutines, at most 1024; 0 means one per core")
	ask.options(c)
	v.options(c, "take the colours of an artwork, by `ID` or recipe", plainRecipeOrID)
	return c
}

// named finds out what a name means, and how that was drawn by the artist.
func (e *env) named(ctx context.Context, name string, artist *model.Artist) (known, error) {
	if strings.HasPrefix(strings.TrimSpace(name), "recipe1") {
		r, err := read("RECIPE", name, recipeText)
		if err != nil {
			return known{}, err
		}
		return ofRecipe(*r, artist), nil
	}
	_, err := os.Stat(name)
	if err == nil || strings.EqualFold(filepath.Ext(name), ".car") || curation.ValidateCID(name) == nil {
		s, err := e.look(ctx, name)
		if err != nil {
			return known{}, err
		}
		if r := s.receipt; r != nil && (r.Edition == nil || curation.ModelID(artist.ID()) != r.Model) {
			rid, words := r.RequestID, r.Prompt
			if r.Edition != nil {
				rid, words = r.Edition.Of[0].RequestID, r.Edition.Of[0].Name()
			}
			if r.Taste != nil {
				words = r.Taste.Words
			}
			return ofArtwork(artist, r.Model, words, r.Prompt, r.Taste, r.Seed, s.author(), rid)
		}
		r, _, err := s.said(artist)
		return ofRecipe(r, artist), unchecked("the picture cannot be drawn once more", err)
	}
	if _, err := artworkID(name); err != nil {
		return known{}, usage("%q is no file or folder here, no recipe, and no artwork: %w", clip(name, 60), err)
	}
	c, err := e.client()
	if err != nil {
		return known{}, err
	}
	a, err := c.Artwork(ctx, name)
	if err != nil {
		return known{}, err
	}
	if a.Approved == 0 {
		return known{}, refused(curation.CodeWrongPhase, "artwork %s is %s: it has no seed yet", short(a.RID), a.Status)
	}
	if a.Edition != nil {
		return known{}, refused(curation.CodeWrongPhase, "%s is an edition itself: name the artwork that it is of, %s", short(a.RID), short(a.Edition.Of[0]))
	}
	n, err := c.Network(ctx)
	if err != nil {
		return known{}, err
	}
	drawn, err := tasteOf(a.Artwork)
	if err != nil && curation.ModelID(artist.ID()) == a.ModelID { // members have what they draw from
		return known{}, err
	}
	return ofArtwork(artist, a.ModelID, a.Title, a.Prompt, drawn, a.Seed, n.Name, a.RID)
}

// takeColours makes of the artwork whose colours v takes its recipe, for whoever has the
// artist.
func (e *env) takeColours(ctx context.Context, v *variation, artist *model.Artist) error {
	if v.colours == "" || strings.HasPrefix(strings.TrimSpace(v.colours), "recipe1") {
		return nil
	}
	of, err := e.named(ctx, v.colours, artist)
	if err != nil {
		return err
	}
	v.colours = of.recipe.String()
	return nil
}

func ofRecipe(r model.Recipe, artist *model.Artist) known {
	k := known{recipe: r}
	if len(r.Subjects) > 0 {
		k.title = r.Subjects[0].Prompt
		k.by = fmt.Sprintf("%s  ·  seed %x", artist.Describe().Name, r.Subjects[0].Seed[:4])
	}
	return k
}

// ofArtwork is the recipe of a network's artwork, for whoever has its artist.
func ofArtwork(artist *model.Artist, wanted curation.Hash, title, prompt string, drawn *storage.Taste, seed [32]byte, network string, rid curation.Hash) (known, error) {
	if curation.ModelID(artist.ID()) != wanted {
		return known{}, &sealedError{quorumError{
			err:  fmt.Errorf("the artist that made it (model id %s…) is sealed, and these are other weights: drawing with it once more takes a request that the members approve", wanted.String()[:16]),
			next: "Ask them with `atelier artwork render` or `atelier artwork morph`; whoever has the opened artist names its folder with --weights DIR, and where guardians gave the key away `atelier model open` writes one.",
		}, rid, title, fmt.Sprintf("%s  ·  artwork %s", clip(network, poster.MaxText/8), short(rid))}
	}
	r, err := tastes.Recipe(artist.ID(), artist.Words(), prompt, drawn, seed)
	return known{recipe: r, title: title, by: fmt.Sprintf("%s  ·  %s  ·  artwork %s", clip(network, poster.MaxText/8), artist.Describe().Name, short(rid))}, err
}

// tasteOf is what the taste gave for an artwork; nil when it has a prompt. The error says
// that the node does not know it yet.
func tasteOf(a api.Artwork) (*storage.Taste, error) {
	switch {
	case a.Prior == (curation.Hash{}):
		return nil, nil
	case a.Drawn == nil:
		return nil, refused(curation.CodeOK, "this node does not have the version of the taste yet that artwork %s was drawn from: ask again later, or another node with --api", short(a.RID))
	}
	return &storage.Taste{Version: a.Drawn.Version, Prior: a.Prior, Latent: a.Drawn.Latent, Words: a.Title}, nil
}

// author is whom the picture names: the network.
func (s seen) author() string {
	texts, err := storage.ReadText(s.png)
	if i := slices.IndexFunc(texts, func(t storage.Text) bool { return t.Keyword == storage.TextAuthor }); err == nil && i >= 0 {
		return texts[i].Text
	}
	return "atelier"
}

// sheetSize is the size of a poster in pixels.
type sheetSize struct{ width, height int }

// papers are ISO 216 at 300 dots per inch.
var papers = map[string]sheetSize{"a2": {4961, 7016}, "a3": {3508, 4961}, "a4": {2480, 3508}}

func sheetFormat(text string) (sheetSize, error) {
	name, wide := strings.CutSuffix(strings.ToLower(text), "-wide")
	if s, ok := papers[name]; ok {
		if wide {
			s.width, s.height = s.height, s.width
		}
		return s, nil
	}
	w, h, ok := strings.Cut(text, "x")
	width, err := strconv.Atoi(w)
	height, errH := strconv.Atoi(h)
	if !ok || err != nil || errH != nil || min(width, height) < poster.MinSide || max(width, height) > poster.MaxSide {
		return sheetSize{}, fmt.Errorf("want a2, a3, a4, one of them with -wide, or WIDTHxHEIGHT in pixels, each %d to %d", poster.MinSide, poster.MaxSide)
	}
	return sheetSize{width, height}, nil
}

// printed reads what a poster shows in letters.
func printed(text string) (string, error) {
	if len(text) > poster.MaxText || !utf8.ValidString(text) {
		return "", fmt.Errorf("want at most %d bytes of UTF-8", poster.MaxText)
	}
	return text, nil
}

// sheet is the picture as a poster: several times, with the hues turned further, when
// there are several panels.
func (k known) sheet(artist *model.Artist, size sheetSize, title, line string, panels int, dark bool) (poster.Sheet, error) {
	s := poster.Sheet{Width: size.width, Height: size.height, Title: title, Line: line, Dark: dark}
	for i := range panels {
		r := k.recipe
		turn, err := hueTurn(strconv.Itoa(i * model.FullTurn / panels))
		if err != nil {
			return s, err
		}
		if err := turn(&r); err != nil {
			return s, err
		}
		p, err := r.Program(artist)
		if err != nil {
			return s, err
		}
		s.Panels = append(s.Panels, p)
	}
	return s, nil
}

// warnMissing tells which letters a poster cannot show.
func (e *env) warnMissing(s poster.Sheet) {
	if missing := s.Missing(); len(missing) > 0 {
		fmt.Fprintf(e.err, "the font has no %q: left out of the print, give another text with --title or --line\n", string(missing))
	}
}

// heading is a prompt as a title.
func heading(prompt string) string {
	prompt = strings.TrimSpace(prompt)
	first, n := utf8.DecodeRuneInString(prompt)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + prompt[n:]
}

func drawSheet(ctx context.Context, w io.Writer, s poster.Sheet, r model.Recipe, o model.RenderOptions) error {
	texts := []storage.Text{{Keyword: storage.TextDescription, Text: "Poster of " + r.String()}}
	if title := strings.ReplaceAll(s.Title, "\x00", ""); title != "" {
		texts = append(texts, storage.Text{Keyword: storage.TextTitle, Text: title})
	}
	w, err := storage.WithText(w, texts)
	if err != nil {
		return err
	}
	return model.WritePNG(w, s.Width, s.Height, func(sink func([]byte) error) error {
		err := s.Draw(ctx, kernel.Options{Workers: o.Workers, Kernel: o.UsedKernel(), Progress: o.Progress}, sink)
		if errors.Is(err, kernel.ErrKernel) && o.Kernel == "" {
			err = fmt.Errorf("%s names it: %w", model.KernelVariable, err)
		}
		return err
	})
}
