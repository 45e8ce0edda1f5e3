package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/storage"
)

// alter is what a flag changes about a recipe.
type alter func(*model.Recipe) error

// variation are the flags that change how a picture looks.
type variation struct {
	changes [][]alter // what was given of each of variations
	colours string    // whose colours it takes: a recipe or, where a command says so, the id of an artwork
}

// variations are the flags of a variation, in the order in which they apply, in
// whatever order they are typed: hues are given before they are turned.
var variations = []struct {
	name  string
	parse func(string) (alter, error)
	usage string
}{
	{"hue", hues, "colour it anew: `HUES` such as blue, or 27,264,80"},
	{"hue-turn", hueTurn, "turn all hues by `DEGREES`"},
	{"mirror", mirror, "show one half on both `SIDES`: x, y or both"},
	{"zoom", zoom, "`FACTOR` to magnify by, 0.125 to 16"},
	{"at", centre, "put `X,Y` in the middle: -1,-1 is the upper left corner"},
	{"turn", turn, "turn the picture clockwise by `DEGREES`"},
	{"sharpness", sharpness, "`PERCENT` of the artist's own, from 1"},
	{"shadow", shadow, "`PERCENT` of the artist's own, from 0"},
}

// options adds the flags to c. colours says what --colours-of names, and whose reads it.
func (v *variation) options(c *cobra.Command, colours string, whose func(string) (string, error)) {
	option(c, &v.colours, "colours-of", "", whose, colours)
	v.changes = make([][]alter, len(variations))
	for i, f := range variations {
		options(c, &v.changes[i], f.name, "", f.parse, f.usage)
	}
}

// ofRecipes is what --colours-of names where only recipes do.
const ofRecipes = "take the colours of the picture of a `RECIPE`"

// apply changes a recipe by the flags.
func (v *variation) apply(r model.Recipe) (model.Recipe, error) {
	if v.colours != "" {
		of, err := model.ParseRecipe(v.colours)
		if err != nil {
			return r, err
		}
		if of.Artist != r.Artist {
			return r, usage("--colours-of: that recipe is another artist's")
		}
		r.Colours.Of = &of.Subjects[0]
		r.Colours.Of.Weight = 0
	}
	for _, c := range slices.Concat(v.changes...) {
		if err := c(&r); err != nil {
			return r, err
		}
	}
	if err := r.Validate(); err != nil {
		return r, &usageError{err}
	}
	return r, nil
}

// drawRecipe writes a recipe's picture as PNG, which carries the recipe, and returns
// its pixel root.
func drawRecipe(ctx context.Context, w io.Writer, artist *model.Artist, r model.Recipe, size int, o model.RenderOptions) ([32]byte, error) {
	program, err := r.Program(artist)
	if err != nil {
		return [32]byte{}, err
	}
	if w, err = storage.WithText(w, []storage.Text{{Keyword: storage.TextRecipe, Text: r.String()}}); err != nil {
		return [32]byte{}, err
	}
	return model.DrawPNG(ctx, w, program, size, size, o)
}

// recipeText reads a recipe as text.
func recipeText(text string) (*model.Recipe, error) {
	r, err := model.ParseRecipe(text)
	if err != nil {
		return nil, fmt.Errorf("%w; copy all of it, as `atelier model recipe PICTURE` prints it", err)
	}
	return &r, nil
}

// hueNames are where people look for a colour in OKLab, in degrees.
var hueNames = map[string]uint16{
	"red": 27, "orange": 58, "amber": 80, "yellow": 105, "lime": 125, "green": 145, "teal": 185, "sky": 235, "blue": 262, "violet": 295, "purple": 315, "pink": 355,
}

func hues(text string) (alter, error) {
	var list []uint16
	for _, word := range strings.Split(text, ",") {
		word = strings.TrimSpace(word)
		h, named := hueNames[strings.ToLower(word)]
		if !named {
			d, err := degrees(word)
			if err != nil {
				return nil, errors.New("want hues in degrees such as 27, or red, orange, amber, yellow, lime, green, teal, sky, blue, violet, purple, pink")
			}
			h = d
		}
		list = append(list, h)
	}
	if len(list) > model.MaxHues {
		return nil, fmt.Errorf("want at most %d hues", model.MaxHues)
	}
	return func(r *model.Recipe) error {
		r.Colours.Turned, r.Colours.Hues = 0, list
		return nil
	}, nil
}

func hueTurn(text string) (alter, error) {
	d, err := degrees(text)
	if err != nil {
		return nil, err
	}
	return func(r *model.Recipe) error {
		if len(r.Colours.Hues) == 0 {
			r.Colours.Turned = (r.Colours.Turned + d) % model.FullTurn
			return nil
		}
		turned := make([]uint16, len(r.Colours.Hues))
		for i, h := range r.Colours.Hues {
			turned[i] = (h + d) % model.FullTurn
		}
		r.Colours.Hues = turned
		return nil
	}, nil
}

// degrees reads whole degrees, also more than a full turn, or the other way round.
func degrees(text string) (uint16, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < -3600 || n > 3600 {
		return 0, errors.New("want whole degrees such as 120")
	}
	return uint16((n%model.FullTurn + model.FullTurn) % model.FullTurn), nil
}

// plainRecipe reads the recipe of a picture whose colours another one may take.
func plainRecipe(text string) (string, error) {
	of, err := recipeText(text)
	if err == nil && !of.Plain() {
		err = errors.New("want the recipe of a picture as prompt and seed alone make it")
	}
	return text, err
}

// plainRecipeOrID reads that, or the id of an artwork.
func plainRecipeOrID(text string) (string, error) {
	if strings.HasPrefix(strings.TrimSpace(text), "recipe1") {
		return plainRecipe(text)
	}
	if _, err := artworkID(text); err != nil {
		return "", fmt.Errorf("neither a recipe nor an artwork: %w", err)
	}
	return text, nil
}

func mirror(text string) (alter, error) {
	if _, err := oneOf("x", "y", "both")(text); err != nil {
		return nil, err
	}
	return func(r *model.Recipe) error {
		r.Frame.MirrorX, r.Frame.MirrorY = text != "y", text != "x"
		return nil
	}, nil
}

// number reads a number in a range, in the given units.
func number(text string, least, most, unit float64) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(v >= least && v <= most) {
		return 0, fmt.Errorf("want a number from %v to %v", least, most)
	}
	return math.Round(v * unit), nil
}

func zoom(text string) (alter, error) {
	v, err := number(text, float64(model.MinZoom)/model.ZoomOne, float64(model.MaxZoom)/model.ZoomOne, model.ZoomOne)
	return func(r *model.Recipe) error { r.Frame.Zoom = uint16(v); return nil }, err
}

func centre(text string) (alter, error) {
	const most = model.MaxCentre / model.CentreOne
	x, y, ok := strings.Cut(text, ",")
	px, err := number(x, -most, most, model.CentreOne)
	py, errY := number(y, -most, most, model.CentreOne)
	if !ok || err != nil || errY != nil {
		return nil, fmt.Errorf("want two numbers from -%d to %d such as 0.5,-0.25", most, most)
	}
	return func(r *model.Recipe) error { r.Frame.X, r.Frame.Y = int16(px), int16(py); return nil }, nil
}

func turn(text string) (alter, error) {
	v, err := number(text, -360, 360, 65536./360)
	return func(r *model.Recipe) error { r.Frame.Turn = uint16(int64(v)); return nil }, err
}

func sharpness(text string) (alter, error) {
	v, err := between(1, model.MaxPercent)(text)
	return func(r *model.Recipe) error { r.Sharpness = uint16(v); return nil }, err
}

func shadow(text string) (alter, error) {
	v, err := between(0, model.MaxPercent)(text)
	return func(r *model.Recipe) error { r.Shadow = uint16(v); return nil }, err
}
