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

// Bounds of a vocabulary.
const (
	MaxFeatures = 8192
	MaxWord     = 100 // bytes
	MaxNoise    = 128 // numbers
)

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
// rows, each a word, a motif or a paper, and how many numbers of noise the seed
// adds. It holds nothing of what the artist makes of them. It is immutable and
// safe for concurrent use.
type Vocabulary struct {
	features []string
	index    map[string]int
	noise    int
	words    []int // words of prompts
	things   []int // words but dyes, and pictures without a name: what a picture can show
	dyes     []int
	motifs   []int
	papers   []int
}

// NewVocabulary sorts the features by kind. Errors wrap [ErrVocabulary].
func NewVocabulary(features []string, noise int) (*Vocabulary, error) {
	if len(features) > MaxFeatures || noise < 1 || noise > MaxNoise {
		return nil, fmt.Errorf("%w: %d features and %d numbers of noise, allowed are up to %d and 1 to %d", ErrVocabulary, len(features), noise, MaxFeatures, MaxNoise)
	}
	v := &Vocabulary{features: slices.Clone(features), index: make(map[string]int, len(features)), noise: noise}
	for i, f := range v.features {
		if _, twice := v.index[f]; twice || f == "" || len(f) > MaxWord {
			return nil, fmt.Errorf("%w: feature %d %q is empty, too long or comes twice", ErrVocabulary, i, f)
		}
		v.index[f] = i
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

// Features are the names of all rows, in order.
func (v *Vocabulary) Features() []string { return slices.Clone(v.features) }

// Size is the number of features.
func (v *Vocabulary) Size() int { return len(v.features) }

// Feature is the name of a row.
func (v *Vocabulary) Feature(row int) string { return v.features[row] }

// Row finds a feature by its name.
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

// LookUp finds a word of a prompt or the singular that it seems to be the plural of.
func (v *Vocabulary) LookUp(word string) (int, bool) {
	for _, w := range []string{word, strings.TrimSuffix(word, "s"), strings.TrimSuffix(word, "es"), strings.TrimSuffix(word, "ies") + "y", word + "s"} {
		if i, ok := v.index[w]; ok && kindOf(w) == "" {
			return i, true
		}
	}
	return 0, false
}
