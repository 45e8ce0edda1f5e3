package model

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/atelier-dao/atelier/model/latent"
)

// ErrRecipe reports bytes, text or numbers that are no recipe.
var ErrRecipe = errors.New("not a recipe")

// Bounds of a recipe.
const (
	MaxSubjects = 4       // that one picture lies between
	MaxHues     = 8       // as many as a picture may have colours
	WholeWeight = 1 << 16 // sum of the subjects' weights
	ZoomOne     = 1 << 8  // as large as the artist draws it
	MinZoom     = ZoomOne / 8
	MaxZoom     = ZoomOne * 16
	CentreOne   = 1 << 10 // from the centre of the artist's picture to its edge
	MaxCentre   = 8 * CentreOne
	FullTurn    = 360 // degrees of hue
	Unchanged   = 100 // percent of the artist's own sharpness or shadow
	MaxPercent  = 10_000
)

// A Recipe is all that a picture follows from but its size: an artist, a prompt and
// a seed, and what was changed afterwards. Whoever has the artist draws it at any
// size, and gets the same pixels as everybody else.
//
// # Lineage
//
// A picture that was bred lies between several subjects, and its recipe holds these
// themselves, because it cannot be drawn without them. So a recipe cannot name a
// parent that it does not have: [Recipe.Parents] are checked by drawing. What no
// pixel depends on, such as who was inspired by what, has no place here.
//
// The zero value is invalid; start from [NewRecipe].
type Recipe struct {
	Artist   [32]byte  // Artist.ID
	Subjects []Subject // 1..MaxSubjects, all different; the heaviest first, then by seed and prompt
	Colours  Colours
	Frame    Frame

	// Sharpness is that of the edges, and Shadow the depth of the shadows that papers
	// throw on each other, in percent of the artist's own: 1..MaxPercent and
	// 0..MaxPercent. Unchanged is 100.
	Sharpness, Shadow uint16
}

// A Subject is a picture of the artist as prompt and seed alone make it, or a latent
// and a seed.
type Subject struct {
	Prompt string // at most MaxPrompt bytes of UTF-8
	Seed   [32]byte
	// Weight is the subject's part in a picture between several, of WholeWeight in
	// all. A single one has all of it.
	Weight uint32
	// Latent takes the place of the prompt, which is empty then: in the rows of the
	// artist's vocabulary, as [latent.Vocabulary.Encode] gives it. Empty with a prompt.
	Latent latent.Code
}

// Colours say how a picture is re-coloured. The zero value leaves it as it is.
type Colours struct {
	// Of, when not nil, is the subject whose colours it takes; its weight is 0.
	Of *Subject
	// Turned is how far all hues are turned in OKLab, in degrees, 0..359.
	Turned uint16
	// Hues, when there are any, replace those of the colours in their order, papers
	// before what lies on them, and again from the first: up to MaxHues, in degrees,
	// 0..359. Lightness stays. Turned is 0 then.
	Hues []uint16
}

// Frame is the part of the artist's picture that is shown: mirrored about the centre
// of what is shown, turned, magnified, and around another centre. The artist goes on
// drawing outside its picture.
type Frame struct {
	MirrorX, MirrorY bool   // the right half is shown on the left too; the lower one above
	Turn             uint16 // of 65536 for a full turn, clockwise
	Zoom             uint16 // × ZoomOne, MinZoom..MaxZoom
	X, Y             int16  // centre × CentreOne, ±MaxCentre
}

// NewRecipe is the recipe of the picture that an artist draws of prompt and seed.
func NewRecipe(artist [32]byte, prompt string, seed [32]byte) Recipe {
	return Recipe{Artist: artist, Subjects: []Subject{{Prompt: prompt, Seed: seed, Weight: WholeWeight}}, Frame: Frame{Zoom: ZoomOne}, Sharpness: Unchanged, Shadow: Unchanged}
}

// LatentRecipe is the recipe of the picture that an artist of some words draws of a
// latent and a seed, as those are that a network's taste draws. Errors wrap [latent.ErrLatent].
func LatentRecipe(artist [32]byte, words *latent.Vocabulary, l latent.Latent, seed [32]byte) (Recipe, error) {
	code, err := words.Encode(l)
	r := NewRecipe(artist, "", seed)
	r.Subjects[0].Latent = code
	return r, err
}

// Between is the recipe of what lies between some subjects: it puts them into their
// order. Those that are there twice, or weigh nothing, are left to Validate.
func Between(artist [32]byte, subjects ...Subject) Recipe {
	r := NewRecipe(artist, "", [32]byte{})
	r.Subjects = slices.SortedFunc(slices.Values(subjects), order)
	return r
}

// order puts the heavier subject first; of equally heavy ones that with the smaller
// seed, then prompt, then latent.
func order(a, b Subject) int {
	if a.Weight != b.Weight {
		return int(b.Weight) - int(a.Weight)
	}
	if c := slices.Compare(a.Seed[:], b.Seed[:]); c != 0 {
		return c
	}
	return cmp.Or(strings.Compare(a.Prompt, b.Prompt), cmp.Compare(a.Latent, b.Latent))
}

// Parents are the recipes of the pictures that this one is made of: the subjects that
// it lies between, and the one whose colours it took. One of a single subject in its
// own colours has none.
func (r Recipe) Parents() []Recipe {
	var parents []Recipe
	if len(r.Subjects) > 1 {
		for _, s := range r.Subjects {
			parents = append(parents, s.alone(r.Artist))
		}
	}
	if of := r.Colours.Of; of != nil {
		parents = append(parents, of.alone(r.Artist))
	}
	return parents
}

// alone is the recipe of the subject's own picture.
func (s Subject) alone(artist [32]byte) Recipe {
	r := NewRecipe(artist, s.Prompt, s.Seed)
	r.Subjects[0].Latent = s.Latent
	return r
}

// Plain says whether the recipe is that of a picture as prompt and seed alone make it,
// as those of a network's artworks are.
func (r Recipe) Plain() bool { return len(r.Subjects) == 1 && r.flags() == 0 }

// ID names the recipe: the SHA-256 of a tag and its encoding.
func (r Recipe) ID() [32]byte {
	return sha256.Sum256(append([]byte("atelier/recipe/v1"), r.encoding()...))
}

// Validate refuses a recipe outside the bounds of its fields. Errors wrap [ErrRecipe],
// or [ErrPrompt] for a prompt.
func (r Recipe) Validate() error {
	if len(r.Subjects) < 1 || len(r.Subjects) > MaxSubjects {
		return noRecipe("it has %d subjects, want 1 to %d", len(r.Subjects), MaxSubjects)
	}
	sum := uint64(0)
	for i, s := range r.Subjects {
		if err := s.validate(); err != nil {
			return err
		}
		if s.Weight == 0 {
			return noRecipe("subject %d weighs nothing", i+1)
		}
		if i > 0 && order(r.Subjects[i-1], s) >= 0 {
			return noRecipe("its subjects are not in their order: the heaviest comes first, then the smaller seed")
		}
		for _, before := range r.Subjects[:i] {
			if before.Seed == s.Seed && before.Prompt == s.Prompt && before.Latent == s.Latent {
				return noRecipe("subject %d is there twice", i+1)
			}
		}
		sum += uint64(s.Weight)
	}
	if sum != WholeWeight {
		return noRecipe("its subjects weigh %d together, want %d", sum, WholeWeight)
	}
	if err := r.Colours.validate(); err != nil {
		return err
	}
	switch f := r.Frame; {
	case f.Zoom < MinZoom || f.Zoom > MaxZoom:
		return noRecipe("zoom %d, want %d to %d", f.Zoom, MinZoom, MaxZoom)
	case f.X < -MaxCentre || f.X > MaxCentre || f.Y < -MaxCentre || f.Y > MaxCentre:
		return noRecipe("centre (%d, %d), each at most %d", f.X, f.Y, MaxCentre)
	case r.Sharpness < 1 || r.Sharpness > MaxPercent:
		return noRecipe("sharpness %d percent, want 1 to %d", r.Sharpness, MaxPercent)
	case r.Shadow > MaxPercent:
		return noRecipe("shadow %d percent, want 0 to %d", r.Shadow, MaxPercent)
	}
	return nil
}

func (s Subject) validate() error {
	if s.Latent != "" && (s.Prompt != "" || !s.Latent.Valid()) {
		return noRecipe("a subject's latent of %s is none, or stands beside a prompt", plural(len(s.Latent), "byte"))
	}
	if len(s.Prompt) > MaxPrompt {
		return fmt.Errorf("%w: it has %d bytes, allowed are up to %d: shorten it", ErrPrompt, len(s.Prompt), MaxPrompt)
	}
	if !utf8.ValidString(s.Prompt) {
		return fmt.Errorf("%w: it is not UTF-8 text", ErrPrompt)
	}
	return nil
}

func (c Colours) validate() error {
	if c.Of != nil {
		if err := c.Of.validate(); err != nil {
			return err
		}
		if c.Of.Weight != 0 {
			return noRecipe("the subject of its colours weighs %d, want 0", c.Of.Weight)
		}
	}
	if c.Turned != 0 && len(c.Hues) > 0 {
		return noRecipe("its hues are both turned and given: choose one")
	}
	if len(c.Hues) > MaxHues {
		return noRecipe("it gives %d hues, want at most %d", len(c.Hues), MaxHues)
	}
	for _, h := range append([]uint16{c.Turned}, c.Hues...) {
		if h >= FullTurn {
			return noRecipe("a hue of %d degrees, want 0 to %d", h, FullTurn-1)
		}
	}
	return nil
}

func noRecipe(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRecipe, fmt.Sprintf(format, args...))
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
