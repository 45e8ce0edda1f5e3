package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/node/edition"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// seen is a picture that somebody shows, and what it says about itself.
type seen struct {
	png     []byte
	receipt *storage.Receipt // of an artwork; nil for any other picture
	recipe  *model.Recipe    // in the PNG; nil without one
}

// look reads a PNG, or the folder, CAR file or CID of an artwork.
func (e *env) look(ctx context.Context, name string) (s seen, err error) {
	info, err := os.Stat(name)
	alone := err == nil && !info.IsDir() && !strings.EqualFold(filepath.Ext(name), ".car")
	var files []storage.File
	if alone {
		if s.png, err = readUpTo(name, maxFile); err != nil {
			return s, err
		}
		if filepath.Base(name) == storage.ImageName {
			files, _ = folderFrom(filepath.Dir(name)) // a picture may have that name without being an artwork's
		}
	} else if files, _, err = e.artworkFiles(ctx, name); err != nil {
		return s, err
	}
	for _, f := range files {
		switch f.Name {
		case storage.ImageName:
			s.png = f.Data
		case storage.ReceiptName:
			r, err := storage.DecodeReceipt(f.Data)
			if err != nil {
				return s, &invalidError{fmt.Sprintf("the receipt of %s cannot be read: %v", name, err)}
			}
			s.receipt = &r
		}
	}
	if s.receipt != nil {
		return s, nil
	}
	texts, err := storage.ReadText(s.png)
	if err != nil {
		return s, fmt.Errorf("%s cannot be read: %w", name, err)
	}
	if i := slices.IndexFunc(texts, func(t storage.Text) bool { return t.Keyword == storage.TextRecipe }); i >= 0 {
		r, err := model.ParseRecipe(texts[i].Text)
		if err != nil {
			return s, &invalidError{fmt.Sprintf("the recipe in %s cannot be read: %v", name, err)}
		}
		s.recipe = &r
	}
	return s, nil
}

// said is the recipe that the picture says it has, with what says so.
func (s seen) said(artist *model.Artist) (model.Recipe, string, error) {
	switch r := s.receipt; {
	case r != nil && curation.ModelID(artist.ID()) != r.Model:
		return model.Recipe{}, "", &uncheckedError{fmt.Sprintf("the artist that made the picture, whose model id is %v; these weights have %v: give --weights DIR if you may open it",
			curation.Hash(r.Model), curation.ModelID(artist.ID()))}
	case r != nil && r.Edition != nil:
		recipes, err := edition.Recipes(artist.ID(), artist.Words(), *r.Edition)
		if err != nil {
			return model.Recipe{}, "", &invalidError{fmt.Sprintf("the receipt's edition cannot be drawn: %v", err)}
		}
		if len(recipes) > 1 {
			return model.Recipe{}, "", usage("it is a film: `atelier verify` with --weights draws all of its frames again")
		}
		return recipes[0], "its receipt", nil
	case r != nil:
		drawn, err := tastes.Recipe(artist.ID(), artist.Words(), r.Prompt, r.Taste, r.Seed)
		if err != nil {
			return drawn, "", &invalidError{fmt.Sprintf("what the receipt names cannot be drawn: %v", err)}
		}
		return drawn, "its receipt", nil
	case s.recipe != nil:
		return *s.recipe, "the recipe in the picture", nil
	}
	return model.Recipe{}, "", &uncheckedError{"what it was drawn from, which it does not say: give --recipe TEXT, or --prompt and --seed"}
}

func modelCheck(e *env) *cobra.Command {
	var wanted, seed, weights, kernelName string
	var recipe *model.Recipe
	var tiles int
	var all bool
	c := &cobra.Command{
		Use: "check PICTURE", Short: "Draw some tiles of a picture again and compare them",
		Long: `check tells whether a picture is what the artist draws: it takes tiles of 32x32
pixels by chance, draws them again and compares them to the bit, for a fraction of
the work of the whole picture. PICTURE is a PNG, or the folder, CAR file or CID of
an artwork. What it was drawn from says its receipt, the recipe in the PNG, or you.

Nobody can know the tiles before. Whoever altered m of n tiles is met by k of them
with the probability 1 - C(n-m, k) / C(n, k), which check tells for one tile, 1 %
and 10 %. The pixel root is computed from all pixels, and compared with a receipt's.

It ends with 0 when all is as it should be, with 1 when anything is not, and with 6
when the artist is another one or the picture does not say what it was drawn from.
Who approved an artwork, ` + "`atelier verify`" + ` checks.`,
		Example: "  atelier model check heart.png\n  atelier model check ./heart --weights ./artist --all\n" +
			"  atelier model check heart.png --prompt \"red heart\" --seed today --tiles 64",
		Args: takes("PICTURE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			typed := cmd.Flags().Changed("prompt") || cmd.Flags().Changed("seed")
			switch {
			case all && cmd.Flags().Changed("tiles"):
				return usage("--all and --tiles are two answers to how many: choose one")
			case recipe != nil && typed:
				return usage("--recipe says prompt and seed: leave --prompt and --seed away")
			}
			s, err := e.look(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			artist, err := loadArtist(weights)
			if err != nil {
				return err
			}
			drawn, from := model.NewRecipe(artist.ID(), wanted, parseSeed(seed)), "prompt and seed that you gave"
			switch {
			case typed && !cmd.Flags().Changed("prompt"):
				from = "the seed that you gave, without a prompt"
			case typed && !cmd.Flags().Changed("seed"):
				from = fmt.Sprintf("the prompt that you gave, with the seed %q", seed)
			case recipe != nil:
				drawn, from = *recipe, "the recipe that you gave"
			case !typed:
				if drawn, from, err = s.said(artist); err != nil {
					return unchecked("the picture could not be checked", err)
				}
			}
			if all {
				tiles = 0
			}
			bar := newProgress(e, "tiles drawn again")
			r, err := check(cmd.Context(), artist, s, drawn, tiles, model.RenderOptions{Kernel: kernelName, Progress: bar.move})
			bar.end()
			if err != nil {
				return unchecked("the picture could not be checked", err)
			}
			r.File, r.From = args[0], from
			if says, by, err := s.said(artist); err == nil && says.ID() != drawn.ID() {
				r.Says, r.says = says.String(), shows(says.Subjects[0].Prompt, says)+", by "+by
			}
			return e.showCheck(r)
		},
	}
	f := c.Flags()
	option(c, &tiles, "tiles", "16", between(1, 1<<18), "`K` tiles, drawn by chance")
	f.BoolVar(&all, "all", false, "all tiles")
	option(c, &recipe, "recipe", "", recipeText, "it was drawn from this `RECIPE`")
	option(c, &wanted, "prompt", "", prompt, "it was drawn from the prompt `TEXT`")
	f.StringVar(&seed, "seed", "atelier", "and from `SEED`: 64 hex digits, or any text")
	f.StringVar(&weights, "weights", "", "`DIR` of the artist (default: the embedded genesis artist)")
	option(c, &kernelName, "kernel", "", oneOf(kernel.Kernels()...), "`KERNEL` to use (default: ATELIER_KERNEL, or the fastest)")
	return c
}

// unchecked says what could not be done with the artist at hand, or without what.
func unchecked(what string, err error) error {
	if errors.Is(err, model.ErrOtherArtist) {
		return &uncheckedError{fmt.Sprintf("%s: %v", what, err)}
	}
	var without *uncheckedError
	if errors.As(err, &without) {
		return &uncheckedError{what + " without " + without.text}
	}
	return err
}

// checked is what a check of a picture came to.
type checked struct {
	File   string `json:"file"`
	Valid  bool   `json:"valid"`
	From   string `json:"from"` // what says how it was drawn
	Recipe string `json:"recipe"`
	// Says is the recipe that the picture has, where it was checked against another.
	Says      string `json:"says,omitempty"`
	Prompt    string `json:"prompt"`
	Seed      string `json:"seed"`
	Width     int    `json:"width"`
	Height    int    `json:"height"`
	PixelRoot string `json:"pixel_root"`
	// RootHolds is whether that is the receipt's; absent without a receipt.
	RootHolds *bool    `json:"root_holds,omitempty"`
	Tiles     int      `json:"tiles"`
	Checked   int      `json:"checked"`
	Differ    []tileAt `json:"differ"`
	Caught    caught   `json:"caught"`

	drawn, says string // for people
}

// tileAt is a tile that is not as the artist draws it.
type tileAt struct {
	Tile   int `json:"tile"`
	Column int `json:"column"`
	Row    int `json:"row"`
	X      int `json:"x"`
	Y      int `json:"y"`
	Width  int `json:"width"`
	Height int `json:"height"`
}

// caught are the probabilities to have met a forger, by the share of tiles altered.
type caught struct {
	OneTile    float64 `json:"one_tile"`
	OnePercent float64 `json:"one_percent"`
	TenPercent float64 `json:"ten_percent"`
}

// share is the number of tiles that are a share of all, at least one.
func share(total int, of float64) int { return max(1, int(math.Ceil(float64(total)*of))) }

func caughtBy(total, tiles int) caught {
	return caught{model.Caught(total, 1, tiles), model.Caught(total, share(total, .01), tiles), model.Caught(total, share(total, .1), tiles)}
}

// caughtText says what looking at some tiles finds.
func caughtText(total, tiles int) string {
	c := caughtBy(total, tiles)
	if c.OneTile == 1 {
		return "whoever altered anything is caught"
	}
	return fmt.Sprintf("whoever altered one tile is caught with %s, 1 %% of them with %s, 10 %% with %s", percent(c.OneTile), percent(c.OnePercent), percent(c.TenPercent))
}

// percent is a probability for people, never rounded to certainty.
func percent(p float64) string {
	switch p *= 100; {
	case p == 100:
		return "certainty"
	case p >= 99.95:
		return "more than 99.9 %"
	case p < 10:
		return fmt.Sprintf("%.2g %%", p)
	}
	return fmt.Sprintf("%.0f %%", math.Floor(p))
}

// check draws tiles of a picture by chance, and again with the artist.
func check(ctx context.Context, artist *model.Artist, s seen, drawn model.Recipe, tiles int, o model.RenderOptions) (checked, error) {
	program, err := drawn.Program(artist)
	if err != nil {
		return checked{}, err
	}
	w, h, err := storage.PNGSize(s.png)
	if err != nil {
		return checked{}, &invalidError{fmt.Sprintf("the picture cannot be read: %v", err)}
	}
	if w < 1 || h < 1 || w > kernel.MaxSide || h > kernel.MaxSide {
		return checked{}, &invalidError{fmt.Sprintf("the picture cannot be what an artist draws: %d by %d pixels, each side may have 1 to %d", w, h, kernel.MaxSide)}
	}
	total := model.Tiles(w, h)
	chosen, err := model.DrawTiles(rand.Reader, total, tiles)
	if err != nil {
		return checked{}, err
	}
	root, differ, err := model.CheckRows(ctx, program, w, h, chosen, o, func(sink func([]byte) error) error {
		return storage.ReadPNG(s.png, kernel.MaxSide, sink)
	})
	if errors.Is(err, storage.ErrPNG) {
		err = &invalidError{fmt.Sprintf("the picture cannot be what an artist draws: %v", err)}
	}
	if err != nil {
		return checked{}, err
	}
	first := drawn.Subjects[0]
	shown := first.Prompt
	if r := s.receipt; r != nil && r.Taste != nil {
		shown = r.Taste.Words
	}
	c := checked{Valid: len(differ) == 0, Recipe: drawn.String(), Prompt: shown, Seed: hex.EncodeToString(first.Seed[:]), drawn: shows(shown, drawn),
		Width: w, Height: h, PixelRoot: hex.EncodeToString(root[:]), Tiles: total, Checked: len(chosen), Differ: []tileAt{}, Caught: caughtBy(total, len(chosen))}
	if r := s.receipt; r != nil {
		holds := r.PixelRoot == root && r.Width == uint64(w) && r.Height == uint64(h)
		c.RootHolds, c.Valid = &holds, c.Valid && holds
	}
	for _, i := range differ {
		at := model.TileAt(w, h, i)
		c.Differ = append(c.Differ, tileAt{i, at.Min.X / kernel.TileSide, at.Min.Y / kernel.TileSide, at.Min.X, at.Min.Y, at.Dx(), at.Dy()})
	}
	return c, nil
}

// shows is what a recipe is a picture of, for people, whose first subject those words name.
func shows(words string, r model.Recipe) string {
	first := fmt.Sprintf("%q, seed %x…", words, r.Subjects[0].Seed[:8])
	if n := len(r.Subjects); n > 1 {
		return fmt.Sprintf("a picture between %d, first of all %s", n, first)
	}
	return first
}

// maxListed bounds how many tiles that differ are listed for people.
const maxListed = 8

func (e *env) showCheck(c checked) error {
	if e.json {
		if err := e.print(c); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.out, "%s  %dx%d  pixel root %s\n", c.File, c.Width, c.Height, c.PixelRoot)
		fmt.Fprintf(e.out, "  drawn from  %s, by %s\n", c.drawn, c.From)
		if c.says != "" {
			fmt.Fprintf(e.out, "  it says     %s: to check that, leave --recipe, --prompt and --seed away\n", c.says)
		}
		if c.RootHolds != nil && *c.RootHolds {
			fmt.Fprintln(e.out, "  ✓ the pixel root is that of the receipt")
		} else if c.RootHolds != nil {
			fmt.Fprintln(e.out, "  ✗ the pixel root is not that of the receipt")
		}
		if len(c.Differ) == 0 {
			fmt.Fprintf(e.out, "  ✓ %d of %s drawn again: the same pixels\n", c.Checked, count(c.Tiles, "tile"))
		} else {
			fmt.Fprintf(e.out, "  ✗ %d of %s drawn again: %d differ\n", c.Checked, count(c.Tiles, "tile"), len(c.Differ))
		}
		for i, d := range c.Differ {
			if i == maxListed {
				fmt.Fprintf(e.out, "      and %d more\n", len(c.Differ)-i)
				break
			}
			r := image.Rect(d.X, d.Y, d.X+d.Width, d.Y+d.Height)
			fmt.Fprintf(e.out, "      tile %d, in column %d and row %d: pixels %d to %d from the left, %d to %d from above\n", d.Tile, d.Column, d.Row, r.Min.X, r.Max.X-1, r.Min.Y, r.Max.Y-1)
		}
		fmt.Fprintf(e.out, "  %s\n", caughtText(c.Tiles, c.Checked))
	}
	switch {
	case len(c.Differ) > 0:
		return &invalidError{fmt.Sprintf("the picture is not what the artist draws: %d of %s differ", len(c.Differ), count(c.Checked, "tile"))}
	case !c.Valid:
		return &invalidError{"the picture is not that of its receipt"}
	}
	if !e.json {
		fmt.Fprintln(e.out, "valid")
	}
	return nil
}
