package latent

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/atelier-dao/atelier/model/internal/chance"
)

// MaxPrompt is the longest prompt in bytes of UTF-8.
const MaxPrompt = 200

// ErrPrompt reports a prompt that is too long or not UTF-8.
var ErrPrompt = errors.New("unusable prompt")

// Whole is the weight of a word that speaks alone.
const Whole = 256

// A Reading is what a prompt says, row by row in the order in which an artist adds
// them, and the rows of the grounds it names, -1 where it leaves them to the seed.
type Reading struct {
	Rows         []Row
	Motif, Paper int
}

// A Row is a row of the vocabulary and its weight, [Whole] for all of it.
type Row struct {
	Row    int
	Weight int64
}

// Chance is the stream of everything that the seed decides for a prompt.
func Chance(prompt string, seed [32]byte) *chance.Stream {
	return chance.New("seed", seed[:], []byte(prompt))
}

// Read takes a prompt apart. Words of the vocabulary count as they are; an unknown
// word means two words that its hash picks, so it has a look of its own that stays
// the same; words for grounds choose these. Where nothing to show is named, nothing
// finds something. Errors wrap [ErrPrompt].
func (v *Vocabulary) Read(prompt string, nothing *chance.Stream) (Reading, error) {
	if len(prompt) > MaxPrompt {
		return Reading{}, fmt.Errorf("%w: it has %d bytes, allowed are up to %d: shorten it", ErrPrompt, len(prompt), MaxPrompt)
	}
	if !utf8.ValidString(prompt) {
		return Reading{}, fmt.Errorf("%w: it is not UTF-8 text", ErrPrompt)
	}
	r := Reading{Motif: -1, Paper: -1}
	var things, colours, unknown []int // rows; unknown comes in pairs
	for _, w := range Words(prompt) {
		if i, ok := v.LookUp(w); ok {
			if IsDye(w) {
				colours = append(colours, i)
			} else {
				things = append(things, i)
			}
		} else if i, ok := v.index[MotifPrefix+w]; ok {
			r.Motif = i
		} else if i, ok := v.index[PaperPrefix+w]; ok {
			r.Paper = i
		} else {
			c := chance.New("word", []byte(w))
			unknown = append(unknown, v.things[c.Below(len(v.things))], v.things[c.Below(len(v.things))])
		}
	}
	if len(things)+len(unknown)/2 == 0 { // nothing to show was named: the seed finds something
		things = append(things, v.things[nothing.Below(len(v.things))])
	}
	// Two things make a picture of both; the more there are, the less each
	// says, and unknown words speak for half.
	weight := 2 * len(things)
	weight += len(unknown) / 2
	unit := int64(Whole)
	if weight > 4 {
		unit = Whole * 4 / int64(weight)
	}
	for _, i := range things {
		r.Rows = append(r.Rows, Row{i, unit})
	}
	for _, i := range unknown {
		if len(things) > 0 {
			r.Rows = append(r.Rows, Row{i, unit / 4})
		} else {
			r.Rows = append(r.Rows, Row{i, Whole / int64(len(unknown))})
		}
	}
	for _, i := range colours {
		r.Rows = append(r.Rows, Row{i, Whole / int64(len(colours))})
	}
	return r, nil
}
