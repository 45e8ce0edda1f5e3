package latent

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/atelier-dao/atelier/model/internal/chance"
)

// Bounds of a latent. A prompt may name more; the latent keeps what weighs most.
const (
	MaxThings = 4
	MaxDyes   = 2
	MaxWeight = 2 * Whole
)

// NoiseOne is one standard deviation of noise.
const NoiseOne = 16

// ErrLatent reports a latent that is not in canonical form or has words that the
// vocabulary lacks.
var ErrLatent = errors.New("not a latent of this vocabulary")

// A Latent is what can be told of a picture in public. Things and dyes are sorted
// by weight, the largest first, then by word; none comes twice.
type Latent struct {
	Things []Part `json:"things"`          // what it shows, 1 to MaxThings
	Dyes   []Part `json:"dyes,omitempty"`  // colours of the subject, up to MaxDyes
	Motif  string `json:"motif,omitempty"` // how the ground is divided; empty only where the vocabulary has no motifs
	Paper  string `json:"paper,omitempty"` // colours of the ground; empty leaves them to the artist
	Noise  Noise  `json:"noise"`           // as many as the vocabulary says
}

// A Part is a word and how much it says.
type Part struct {
	Word   string `json:"word"`
	Weight int    `json:"weight"` // 1 to MaxWeight, Whole for a word that speaks alone
}

// Noise are numbers of which NoiseOne is a standard deviation. As text it is base64.
type Noise []int8

// MarshalText writes the numbers as base64 without padding.
func (n Noise) MarshalText() ([]byte, error) {
	raw := make([]byte, len(n))
	for i, v := range n {
		raw[i] = byte(v)
	}
	return base64.RawStdEncoding.AppendEncode(nil, raw), nil
}

// UnmarshalText reads what MarshalText wrote.
func (n *Noise) UnmarshalText(text []byte) error {
	if len(text) > base64.RawStdEncoding.EncodedLen(MaxNoise) {
		return fmt.Errorf("%w: its noise has more than %d numbers", ErrLatent, MaxNoise)
	}
	raw, err := base64.RawStdEncoding.Strict().DecodeString(string(text))
	if err != nil {
		return fmt.Errorf("%w: its noise is not base64", ErrLatent)
	}
	*n = make(Noise, len(raw))
	for i, v := range raw {
		(*n)[i] = int8(v)
	}
	return nil
}

// Drawn rounds a normal number of a stream to noise.
func Drawn(c *chance.Stream) int8 {
	v := (c.Normal()*NoiseOne + 1<<15) >> 16
	return int8(max(-127, min(127, v)))
}

// Of is the latent of the artwork that an artist of this vocabulary makes of prompt
// and seed. Errors wrap [ErrPrompt].
func (v *Vocabulary) Of(prompt string, seed [32]byte) (Latent, error) {
	c := Chance(prompt, seed)
	r, err := v.Read(prompt, c)
	if err != nil {
		return Latent{}, err
	}
	l := Latent{Noise: make(Noise, v.noise)}
	for i := range l.Noise {
		l.Noise[i] = Drawn(c)
	}
	if r.Motif < 0 && len(v.motifs) > 0 {
		r.Motif = v.motifs[c.Below(len(v.motifs))]
	}
	if r.Motif >= 0 {
		l.Motif = v.name(r.Motif)
	}
	if r.Paper >= 0 {
		l.Paper = v.name(r.Paper)
	}
	var things, dyes []Part
	for _, row := range r.Rows {
		into := &things
		if IsDye(v.features[row.Row]) {
			into = &dyes
		}
		p := Part{v.Feature(row.Row), int(row.Weight)}
		if i := slices.IndexFunc(*into, func(q Part) bool { return q.Word == p.Word }); i >= 0 {
			(*into)[i].Weight = min(MaxWeight, (*into)[i].Weight+p.Weight)
		} else if p.Weight > 0 {
			*into = append(*into, p)
		}
	}
	l.Things, l.Dyes = strongest(things, MaxThings), strongest(dyes, MaxDyes)
	return l, nil
}

// strongest sorts parts and keeps the first n.
func strongest(parts []Part, n int) []Part {
	slices.SortFunc(parts, inOrder)
	return parts[:min(n, len(parts))]
}

func inOrder(a, b Part) int {
	return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Word, b.Word))
}

// The kinds of features, in the words that a person would use.
const (
	Thing  = "thing"
	Colour = "colour"
	Motif  = "motif"
	Paper  = "paper"
)

// Name is a row's feature without prefix, and its kind.
func (v *Vocabulary) Name(row int) (name, kind string) {
	f := v.Feature(row)
	switch prefix := kindOf(f); {
	case prefix == MotifPrefix:
		return f[len(prefix):], Motif
	case prefix == PaperPrefix:
		return f[len(prefix):], Paper
	case prefix == "" && IsDye(f):
		return f, Colour
	default:
		return f[len(prefix):], Thing
	}
}

func (v *Vocabulary) name(row int) string {
	name, _ := v.Name(row)
	return name
}

// Names are rows by the names that latents use for motifs and papers.
func (v *Vocabulary) Names(rows []int) []string {
	names := make([]string, len(rows))
	for i, r := range rows {
		names[i] = v.name(r)
	}
	return names
}

// Check returns nil for a latent of this vocabulary in canonical form. Errors wrap
// [ErrLatent].
func (v *Vocabulary) Check(l Latent) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrLatent, fmt.Sprintf(format, args...))
	}
	canonical := func(name string) bool {
		row, ok := v.index[name]
		return ok && v.Feature(row) == name
	}
	if n := len(l.Things); n < 1 || n > MaxThings {
		return wrong("it shows %d things, allowed are 1 to %d", n, MaxThings)
	}
	if n := len(l.Dyes); n > MaxDyes {
		return wrong("it has %d colours, allowed are up to %d", n, MaxDyes)
	}
	for k, parts := range [][]Part{l.Things, l.Dyes} {
		for i, p := range parts {
			row := v.index[p.Word]
			if !canonical(p.Word) {
				return wrong("it has the unknown word %q", p.Word)
			}
			if kind := kindOf(v.features[row]); kind == MotifPrefix || kind == PaperPrefix || IsDye(p.Word) != (k == 1) {
				return wrong("the word %q stands in the wrong place", p.Word)
			}
			if p.Weight < 1 || p.Weight > MaxWeight {
				return wrong("the word %q weighs %d, allowed are 1 to %d", p.Word, p.Weight, MaxWeight)
			}
			if i > 0 && (inOrder(parts[i-1], p) >= 0 || slices.ContainsFunc(parts[:i], func(q Part) bool { return q.Word == p.Word })) {
				return wrong("the word %q is out of order or comes twice", p.Word)
			}
		}
	}
	if !canonical(MotifPrefix+l.Motif) && (l.Motif != "" || len(v.motifs) > 0) {
		return wrong("it has the unknown motif %q", l.Motif)
	}
	if l.Paper != "" && !canonical(PaperPrefix+l.Paper) {
		return wrong("it has the unknown paper %q", l.Paper)
	}
	if len(l.Noise) != v.noise {
		return wrong("it has %d numbers of noise, not %d", len(l.Noise), v.noise)
	}
	return nil
}

// Rows are the latent's words and grounds as rows with weights; the latent has to be
// of this vocabulary.
func (v *Vocabulary) Rows(l Latent) []Row {
	var rows []Row
	for _, parts := range [][]Part{l.Things, l.Dyes} {
		for _, p := range parts {
			rows = append(rows, Row{v.index[p.Word], int64(p.Weight)})
		}
	}
	if l.Motif != "" {
		rows = append(rows, Row{v.index[MotifPrefix+l.Motif], Whole})
	}
	if l.Paper != "" {
		rows = append(rows, Row{v.index[PaperPrefix+l.Paper], Whole})
	}
	return rows
}

// Explain says the latent in the words that a person would use: colours, things,
// motif, paper.
func Explain(l Latent) []string {
	var words []string
	for _, parts := range [][]Part{l.Dyes, l.Things} {
		for _, p := range parts {
			words = append(words, strings.TrimPrefix(p.Word, kindOf(p.Word)))
		}
	}
	for _, ground := range []string{l.Motif, l.Paper} {
		if ground != "" {
			words = append(words, ground)
		}
	}
	return words
}
