package model

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/atelier-dao/atelier/model/internal/train"
)

// MaxPrompt is the longest prompt in bytes of UTF-8.
const MaxPrompt = 200

// ErrPrompt reports a prompt that is too long or not UTF-8.
var ErrPrompt = errors.New("unusable prompt")

// zOne is 1.0 in a latent.
const zOne = 1 << 12

// reading is what a prompt says: a latent without ground and noise, and the
// embedding rows of the grounds it names, -1 where it leaves them to the seed.
type reading struct {
	z            []int64
	motif, paper int
}

// read turns a prompt into a latent. Words of the vocabulary add their rows;
// an unknown word adds the mean of two words that its hash picks, so it has a
// look of its own that stays the same; words for grounds choose these.
func (a *Artist) read(prompt string, nothing *chance) (reading, error) {
	if len(prompt) > MaxPrompt {
		return reading{}, fmt.Errorf("%w: it has %d bytes, allowed are up to %d: shorten it", ErrPrompt, len(prompt), MaxPrompt)
	}
	if !utf8.ValidString(prompt) {
		return reading{}, fmt.Errorf("%w: it is not UTF-8 text", ErrPrompt)
	}
	r := reading{z: make([]int64, a.config.Latent), motif: -1, paper: -1}
	var things, colours, unknown []int // rows; unknown comes in pairs
	for _, w := range train.Words(prompt) {
		if i, ok := a.lookUp(w); ok {
			if train.IsDye(w) {
				colours = append(colours, i)
			} else {
				things = append(things, i)
			}
		} else if i, ok := a.index[train.MotifPrefix+w]; ok {
			r.motif = i
		} else if i, ok := a.index[train.PaperPrefix+w]; ok {
			r.paper = i
		} else {
			c := newChance("word", []byte(w))
			unknown = append(unknown, a.things[c.below(len(a.things))], a.things[c.below(len(a.things))])
		}
	}
	if len(things)+len(unknown)/2 == 0 { // nothing to show was named: the seed finds something
		things = append(things, a.things[nothing.below(len(a.things))])
	}
	// Two things make a picture of both; the more there are, the less each
	// says, and unknown words speak for half.
	weight := 2 * len(things)
	weight += len(unknown) / 2
	unit := int64(256)
	if weight > 4 {
		unit = 256 * 4 / int64(weight)
	}
	for _, i := range things {
		a.add(r.z, i, unit)
	}
	for _, i := range unknown {
		if len(things) > 0 {
			a.add(r.z, i, unit/4)
		} else {
			a.add(r.z, i, 256/int64(len(unknown)))
		}
	}
	for _, i := range colours {
		a.add(r.z, i, 256/int64(len(colours)))
	}
	return r, nil
}

// lookUp finds a word or the singular that it seems to be the plural of.
func (a *Artist) lookUp(word string) (int, bool) {
	for _, w := range []string{word, strings.TrimSuffix(word, "s"), strings.TrimSuffix(word, "es"), strings.TrimSuffix(word, "ies") + "y", word + "s"} {
		if i, ok := a.index[w]; ok && kindOf(w) == "" {
			return i, true
		}
	}
	return 0, false
}

// add adds row i of the embedding, weighed by weight/256, to z.
func (a *Artist) add(z []int64, i int, weight int64) {
	n := a.config.Latent
	for j, v := range a.tensors["embed"][i*n : (i+1)*n] {
		z[j] += shift(int64(v)*weight, a.config.Exponents["embed"]+8, 12)
	}
}

// Vocabulary returns the words that have a latent of their own, then the words
// for grounds and papers.
func (a *Artist) Vocabulary() (words, grounds []string) {
	for _, i := range a.words {
		words = append(words, a.features[i])
	}
	for _, rows := range [][]int{a.motifs, a.papers} {
		for _, i := range rows {
			grounds = append(grounds, strings.TrimPrefix(a.features[i], kindOf(a.features[i])))
		}
	}
	return words, grounds
}
