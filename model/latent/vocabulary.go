package latent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Prefixes of the features that are not words of a prompt.
const (
	MotifPrefix   = "motif:"
	PaperPrefix   = "paper:"
	PicturePrefix = "picture:" // a thing that has no name
)

// NameSeparator stands between the names of a feature, which all mean the same row.
const NameSeparator = ", "

// Papers is how many colours of a picture belong to its ground, the first ones.
const Papers = 3

// Bounds of a vocabulary.
const (
	MaxFeatures = 8192
	MaxFeature  = 400 // bytes of a feature with all its names
	MaxWord     = 100 // bytes of a name
	MaxNoise    = 128 // numbers
)

// NamesOf are the names of a feature, each with the prefix of its kind.
func NamesOf(feature string) []string {
	prefix := kindOf(feature)
	names := strings.Split(feature[len(prefix):], NameSeparator)
	for i := range names {
		names[i] = prefix + names[i]
	}
	return names
}

// Canonical is the first name of a feature, with the prefix of its kind: what
// latents and people call it.
func Canonical(feature string) string {
	first, _, _ := strings.Cut(feature, NameSeparator)
	return first
}

// ErrVocabulary reports features that are no vocabulary.
var ErrVocabulary = errors.New("not a vocabulary")

// Dyes are the words that name a colour which any subject can take.
func Dyes() []string {
	return []string{"red", "orange", "yellow", "golden", "green", "blue", "purple", "pink", "brown", "black", "white", "grey", "turquoise", "silver"}
}

// IsDye reports whether a word names a colour that any subject can take.
func IsDye(word string) bool { return slices.Contains(dyes, word) }

var dyes = Dyes()

// A Vocabulary is what an artist understands: its features in the order of its
// rows, each the names of a thing, a dye, a motif or a paper, and how many numbers of
// noise the seed adds. It holds nothing of what the artist makes of them. It is immutable and
// safe for concurrent use.
type Vocabulary struct {
	features []string
	index    map[string]int   // every name, with the prefix of its kind
	parts    map[string][]int // rows that have a word in one of their names, ascending
	noise    int
	words    []int // what prompts can name but grounds
	things   []int // names but dyes, and pictures without a name: what a picture can show
	dyes     []int
	motifs   []int
	papers   []int
}

// NewVocabulary sorts the features by kind. Errors wrap [ErrVocabulary].
func NewVocabulary(features []string, noise int) (*Vocabulary, error) {
	if len(features) > MaxFeatures || noise < 1 || noise > MaxNoise {
		return nil, fmt.Errorf("%w: %d features and %d numbers of noise, allowed are up to %d and 1 to %d", ErrVocabulary, len(features), noise, MaxFeatures, MaxNoise)
	}
	v := &Vocabulary{features: slices.Clone(features), index: make(map[string]int, len(features)), parts: map[string][]int{}, noise: noise}
	for i, f := range v.features {
		if len(f) > MaxFeature {
			return nil, fmt.Errorf("%w: feature %d has %d bytes, allowed are up to %d", ErrVocabulary, i, len(f), MaxFeature)
		}
		for _, name := range NamesOf(f) {
			if _, twice := v.index[name]; twice || len(name) == len(kindOf(name)) || len(name) > MaxWord {
				return nil, fmt.Errorf("%w: the name %q of feature %d is empty, too long or comes twice", ErrVocabulary, name, i)
			}
			v.index[name] = i
			if kindOf(f) != "" {
				continue
			}
			for _, w := range strings.Fields(name) {
				if n := len(v.parts[w]); n == 0 || v.parts[w][n-1] != i {
					v.parts[w] = append(v.parts[w], i)
				}
			}
		}
		switch kindOf(f) {
		case MotifPrefix:
			v.motifs = append(v.motifs, i)
		case PaperPrefix:
			v.papers = append(v.papers, i)
		case PicturePrefix:
			v.things = append(v.things, i)
		default:
			v.words = append(v.words, i)
			if IsDye(f) {
				v.dyes = append(v.dyes, i)
			} else {
				v.things = append(v.things, i)
			}
		}
	}
	if len(v.things) == 0 {
		return nil, fmt.Errorf("%w: it names nothing to show", ErrVocabulary)
	}
	return v, nil
}

// kindOf is the prefix of a feature that is no word of a prompt.
func kindOf(feature string) string {
	for _, p := range []string{MotifPrefix, PaperPrefix, PicturePrefix} {
		if strings.HasPrefix(feature, p) {
			return p
		}
	}
	return ""
}

// Features are the features of all rows, in order, each with all its names.
func (v *Vocabulary) Features() []string { return slices.Clone(v.features) }

// Size is the number of features.
func (v *Vocabulary) Size() int { return len(v.features) }

// Feature is the canonical name of a row, with the prefix of its kind.
func (v *Vocabulary) Feature(row int) string { return Canonical(v.features[row]) }

// Row finds a row by one of its names, with the prefix of its kind.
func (v *Vocabulary) Row(feature string) (int, bool) {
	i, ok := v.index[feature]
	return i, ok
}

// Noise is how many numbers of noise the seed adds to a latent.
func (v *Vocabulary) Noise() int { return v.noise }

// Words are the rows of the words of prompts, Things of what a picture can show,
// Dyes of the words for its colour, Motifs and Papers of its grounds: each in
// ascending order. The slices must not be changed.
func (v *Vocabulary) Words() []int { return v.words }

// Things are the rows of what a picture can show; see [Vocabulary.Words].
func (v *Vocabulary) Things() []int { return v.things }

// Dyes are the rows of the words for a colour; see [Vocabulary.Words].
func (v *Vocabulary) Dyes() []int { return v.dyes }

// Motifs are the rows of the ways to divide the ground; see [Vocabulary.Words].
func (v *Vocabulary) Motifs() []int { return v.motifs }

// Papers are the rows of the colours of the ground; see [Vocabulary.Words].
func (v *Vocabulary) Papers() []int { return v.papers }

// Known is the longest ending of some words of one of a picture's names, each some
// words with spaces between, that is known as the name of a thing: "ball" of "red ball"
// where only that is. The earlier name goes first.
func Known(names []string, known func(name string) bool) (name string, ok bool) {
	for _, n := range names {
		for more := true; more; _, n, more = strings.Cut(n, " ") {
			if known(n) && !IsDye(n) {
				return n, true
			}
		}
	}
	return "", false
}
