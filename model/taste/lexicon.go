package taste

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Looks is how many numbers tell what a word looks like.
const Looks = 16

// lookOne is 1.0 in a look.
const lookOne = 32

// MaxLexicon bounds the file of a lexicon, in bytes.
const MaxLexicon = 5 << 20

const lexiconFormat = "atelier-lexicon/1"

// ErrLexicon reports bytes or numbers that are no lexicon.
var ErrLexicon = errors.New("not a lexicon")

// A Look says how a word looks: first the colour that it gives, in OKLab with a
// lightness of 0 for middle grey, then directions without a name, in which words of
// like shapes lie close together. It comes from the public artist; what a network's
// own artist makes of the word is only similar.
type Look [Looks]int8

// A Lexicon is a vocabulary with the looks of its words. All that this package
// computes begins with it. It is immutable and safe for concurrent use.
type Lexicon struct {
	vocabulary *latent.Vocabulary
	looks      []Look // by row
	raw        []byte
	id         ID
}

type lexiconFile struct {
	Format   string    `json:"format"`
	Noise    int       `json:"noise"`
	Features []feature `json:"features"`
}

type feature struct {
	Name string `json:"name"`
	Look Look   `json:"look"`
}

// NewLexicon makes a lexicon of a vocabulary and a look for each of its rows.
func NewLexicon(v *latent.Vocabulary, looks []Look) (*Lexicon, error) {
	if len(looks) != v.Size() {
		return nil, fmt.Errorf("%w: %d looks for %d features", ErrLexicon, len(looks), v.Size())
	}
	f := lexiconFile{Format: lexiconFormat, Noise: v.Noise()}
	for i, name := range v.Features() {
		if text, err := json.Marshal(name); err != nil || string(text) != `"`+name+`"` {
			return nil, fmt.Errorf("%w: the word %q has characters that are no letters", ErrLexicon, name)
		}
		f.Features = append(f.Features, feature{name, looks[i]})
	}
	raw, err := encode(f)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrLexicon, err)
	}
	return &Lexicon{vocabulary: v, looks: slices.Clone(looks), raw: raw, id: sha256.Sum256(raw)}, nil
}

// UnmarshalLexicon reads what [Lexicon.MarshalBinary] wrote, and nothing else.
// Errors wrap [ErrLexicon].
func UnmarshalLexicon(raw []byte) (*Lexicon, error) {
	if len(raw) > MaxLexicon {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrLexicon, len(raw), MaxLexicon)
	}
	var f lexiconFile
	if err := strictjson.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrLexicon, err)
	}
	var names []string
	var looks []Look
	for _, g := range f.Features {
		names, looks = append(names, g.Name), append(looks, g.Look)
	}
	v, err := latent.NewVocabulary(names, f.Noise)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrLexicon, err)
	}
	x, err := NewLexicon(v, looks)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(x.raw, raw) {
		return nil, fmt.Errorf("%w: the file is not in canonical form", ErrLexicon)
	}
	return x, nil
}

// MarshalBinary returns the lexicon's file, a copy.
func (x *Lexicon) MarshalBinary() ([]byte, error) { return bytes.Clone(x.raw), nil }

// ID is the SHA-256 of the lexicon's file.
func (x *Lexicon) ID() ID { return x.id }

// Vocabulary is the vocabulary.
func (x *Lexicon) Vocabulary() *latent.Vocabulary { return x.vocabulary }

// Look is how the word of a row looks.
func (x *Lexicon) Look(row int) Look { return x.looks[row] }

// encode writes JSON in the one form that decode and a comparison of bytes accept.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return b.Bytes(), err
}
