package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/tastes"
)

// recipeShown is a recipe for programs.
type recipeShown struct {
	Recipe    string         `json:"recipe"`
	ID        string         `json:"id"`
	Artist    curation.Hash  `json:"artist"`
	Subjects  []subjectShown `json:"subjects"`
	ColoursOf *subjectShown  `json:"colours_of,omitempty"`
	HueTurn   uint16         `json:"hue_turn"` // degrees
	Hues      []uint16       `json:"hues"`     // degrees
	MirrorX   bool           `json:"mirror_x"`
	MirrorY   bool           `json:"mirror_y"`
	Turn      float64        `json:"turn"` // degrees
	Zoom      float64        `json:"zoom"`
	Centre    [2]float64     `json:"centre"`
	Sharpness uint16         `json:"sharpness"` // percent
	Shadow    uint16         `json:"shadow"`    // percent
	Parents   []string       `json:"parents"`   // ids of recipes
}

type subjectShown struct {
	Prompt string        `json:"prompt"`
	Latent string        `json:"latent,omitempty"` // in hex, of a picture without a prompt
	Seed   curation.Hash `json:"seed"`
	Part   float64       `json:"part,omitempty"` // of the whole
}

func shownRecipe(r model.Recipe) recipeShown {
	id := r.ID()
	s := recipeShown{Recipe: r.String(), ID: hex.EncodeToString(id[:]), Artist: r.Artist, HueTurn: r.Colours.Turned, Hues: append([]uint16{}, r.Colours.Hues...),
		MirrorX: r.Frame.MirrorX, MirrorY: r.Frame.MirrorY, Turn: float64(r.Frame.Turn) * 360 / 65536, Zoom: float64(r.Frame.Zoom) / model.ZoomOne,
		Centre: [2]float64{float64(r.Frame.X) / model.CentreOne, float64(r.Frame.Y) / model.CentreOne}, Sharpness: r.Sharpness, Shadow: r.Shadow, Parents: []string{}}
	for _, sub := range r.Subjects {
		s.Subjects = append(s.Subjects, subjectShown{sub.Prompt, hex.EncodeToString([]byte(sub.Latent)), sub.Seed, float64(sub.Weight) / model.WholeWeight})
	}
	if of := r.Colours.Of; of != nil {
		s.ColoursOf = &subjectShown{Prompt: of.Prompt, Latent: hex.EncodeToString([]byte(of.Latent)), Seed: of.Seed}
	}
	for _, p := range r.Parents() {
		id := p.ID()
		s.Parents = append(s.Parents, hex.EncodeToString(id[:]))
	}
	return s
}

func modelRecipe(e *env) *cobra.Command {
	var wanted, seed, weights string
	var v variation
	c := &cobra.Command{
		Use: "recipe [RECIPE|PICTURE]", Short: "Show what a picture is drawn from, or write a recipe down",
		Long: `A recipe is all that a picture follows from but its size: the artist's id, prompt,
seed, and what was changed. It is short enough to paste, and whoever has the artist
draws from it the same pixels at any size: ` + "`atelier model render --recipe RECIPE`" + `.

recipe explains one: RECIPE itself, that of a PNG of ` + "`atelier model render`" + `, of an
artwork's folder, CAR file or CID, or of --prompt and --seed. The other flags
change it. What lies between several pictures names them as its parents, and cannot
be drawn without them: so a recipe's lineage is checked by drawing it.`,
		Example: "  atelier model recipe heart.png\n  atelier model recipe heart.png --hue blue --zoom 2\n  atelier model recipe --prompt owl --seed today --mirror x",
		Args:    mayTake("RECIPE|PICTURE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			typed := cmd.Flags().Changed("prompt") || cmd.Flags().Changed("seed")
			if len(args) == 1 && typed {
				return usage("%q says prompt and seed: leave --prompt and --seed away", clip(args[0], 60))
			}
			if len(args) == 0 && !typed {
				return usage("RECIPE|PICTURE is missing, or --prompt and --seed: `atelier model recipe heart.png`")
			}
			r, err := e.recipeNamed(cmd, args, weights, wanted, seed)
			if err != nil {
				return err
			}
			if r, err = v.apply(r); err != nil {
				return err
			}
			if e.json {
				return e.print(shownRecipe(r))
			}
			fmt.Fprintln(e.out, r.String())
			return e.columns(recipeSheet(r).rows)
		},
	}
	option(c, &wanted, "prompt", "", prompt, "of the picture of the prompt `TEXT`")
	c.Flags().StringVar(&seed, "seed", "atelier", "and of `SEED`: 64 hex digits, or any text")
	c.Flags().StringVar(&weights, "weights", "", "`DIR` of the artist (default: the embedded genesis artist)")
	v.options(c, ofRecipes, plainRecipe)
	return c
}

// recipeNamed is the recipe that somebody named: by its text, by a picture, or by
// prompt and seed.
func (e *env) recipeNamed(cmd *cobra.Command, args []string, weights, wanted, seed string) (model.Recipe, error) {
	if len(args) == 1 && strings.HasPrefix(strings.TrimSpace(args[0]), "recipe1") {
		r, err := read("RECIPE", args[0], recipeText)
		if err != nil {
			return model.Recipe{}, err
		}
		return *r, nil
	}
	artist, err := loadArtist(weights)
	if err != nil {
		return model.Recipe{}, err
	}
	if len(args) == 0 {
		return model.NewRecipe(artist.ID(), wanted, parseSeed(seed)), nil
	}
	s, err := e.look(cmd.Context(), args[0])
	if err != nil {
		return model.Recipe{}, err
	}
	r, _, err := s.said(artist)
	return r, unchecked("the recipe cannot be told", err)
}

// subjectText is a subject's prompt, or its latent in words where it is the genesis
// artist's, whose vocabulary is known.
func subjectText(s model.Subject) string {
	if s.Latent == "" {
		return strconv.Quote(s.Prompt)
	}
	if l, err := model.Embedded().Words().Decode(s.Latent); err == nil {
		return strconv.Quote(tastes.Words(l)) + ", drawn by a taste"
	}
	return "what a taste drew, in words of another artist"
}

func recipeSheet(r model.Recipe) *sheet {
	s := &sheet{}
	id := r.ID()
	s.add("id", "%x", id)
	s.add("artist", "%x", r.Artist)
	for i, sub := range r.Subjects {
		name := "shows"
		if i > 0 {
			name = ""
		}
		part := ""
		if len(r.Subjects) > 1 {
			part = fmt.Sprintf("%.1f %% of ", float64(sub.Weight)*100/model.WholeWeight)
		}
		s.add(name, "%s%s, seed %x", part, subjectText(sub), sub.Seed)
	}
	if of := r.Colours.Of; of != nil {
		s.add("colours", "of %s, seed %x", subjectText(*of), of.Seed)
	}
	if r.Colours.Turned != 0 {
		s.add("hues", "turned by %d degrees", r.Colours.Turned)
	}
	if len(r.Colours.Hues) > 0 {
		s.add("hues", "%s degrees", strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Colours.Hues), " ", ", "), "[]"))
	}
	switch f := r.Frame; {
	case f.MirrorX && f.MirrorY:
		s.add("mirrored", "a quarter of it, to both sides, up and down")
	case f.MirrorX:
		s.add("mirrored", "its right half, to the left")
	case f.MirrorY:
		s.add("mirrored", "its lower half, upwards")
	}
	if f := r.Frame; f.Zoom != model.ZoomOne || f.X != 0 || f.Y != 0 || f.Turn != 0 {
		s.add("frame", "%.3g times as large, around (%.3g, %.3g), turned by %.3g degrees", float64(f.Zoom)/model.ZoomOne,
			float64(f.X)/model.CentreOne, float64(f.Y)/model.CentreOne, float64(f.Turn)*360/65536)
	}
	if r.Sharpness != model.Unchanged || r.Shadow != model.Unchanged {
		s.add("edges", "%d %% of the artist's sharpness, %d %% of its shadow", r.Sharpness, r.Shadow)
	}
	var parents []string
	for _, p := range r.Parents() {
		parents = append(parents, p.String())
	}
	s.addAll("parents", parents)
	return s
}
