package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/latent"
	"github.com/atelier-dao/atelier/model/safetensors"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// ErrArtist reports bytes, files or numbers that are no artist of this package.
var ErrArtist = errors.New("not an artist")

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrArtist, fmt.Sprintf(format, args...))
}

// Bounds of an artist. They keep memory and time of opening and folding a file
// from a peer small: the largest has 1.4 million numbers.
const (
	MaxLatent   = latent.MaxNoise // numbers in a latent
	maxMapping  = 512
	maxFeatures = latent.MaxFeatures
	maxName     = 100     // bytes
	maxText     = 4096    // bytes of a licence or data text
	maxFile     = 8 << 20 // bytes of an artist's file
)

const (
	format       = "atelier-artist/1"
	architecture = "paper-cut"
)

// Config says what an artist is; its numbers are elsewhere.
type Config struct {
	Name         string `json:"name"`
	Architecture string `json:"architecture"` // always "paper-cut"
	Contract     string `json:"contract"`     // always kernel.Contract
	Hidden       int    `json:"hidden"`       // width of a sine layer
	Layers       int    `json:"layers"`       // sine layers
	Colours      int    `json:"colours"`      // logits and palette entries
	Latent       int    `json:"latent"`       // numbers in z
	Mapping      int    `json:"mapping"`      // hidden units from z to scales and shifts
	Palette      int    `json:"palette"`      // hidden units from z to colours

	// Exponents are the negative powers of two that the tensors' int16 numbers
	// are multiplied with, by tensor name, 0..24. Phases are in turns.
	Exponents map[string]int `json:"exponents"`

	Sharpness   int32 `json:"sharpness"`    // inverse temperature × 256
	ShadowDepth int32 `json:"shadow_depth"` // lightness × 2¹⁶
	ShadowWidth int32 `json:"shadow_width"` // logits × 2²⁵
	Noise       int32 `json:"noise"`        // standard deviation of the seed's part of z, × 2¹²

	Data    string `json:"data"`    // what it was trained on
	Licence string `json:"licence"` // under which terms it may be used
}

func (c Config) shape(features int) train.Shape {
	return train.Shape{Hidden: c.Hidden, Layers: c.Layers, Colours: c.Colours, Latent: c.Latent, Mapping: c.Mapping, Palette: c.Palette, Features: features}
}

func (c *Config) setShape(s train.Shape) {
	c.Hidden, c.Layers, c.Colours, c.Latent, c.Mapping, c.Palette = s.Hidden, s.Layers, s.Colours, s.Latent, s.Mapping, s.Palette
}

func (c Config) validate(features int) error {
	for _, v := range []struct {
		name         string
		got, low, up int
	}{
		{"hidden", c.Hidden, 16, kernel.MaxHidden}, {"layers", c.Layers, 1, kernel.MaxLayers}, {"colours", c.Colours, 4, kernel.MaxColours},
		{"latent", c.Latent, 1, MaxLatent}, {"mapping", c.Mapping, 1, maxMapping}, {"palette", c.Palette, 1, maxMapping},
		{"features", features, 1, maxFeatures}, {"sharpness", int(c.Sharpness), 1, 64 * kernel.SharpnessOne},
		{"shadow_depth", int(c.ShadowDepth), 0, kernel.LabOne / 2}, {"shadow_width", int(c.ShadowWidth), 1, 16 * kernel.LogitOne},
		{"noise", int(c.Noise), 0, 1 << 14}, {"name's length", len(c.Name), 1, maxName}, {"data's length", len(c.Data), 0, maxText}, {"licence's length", len(c.Licence), 0, maxText},
	} {
		if v.got < v.low || v.got > v.up {
			return refuse("its %s is %d, allowed is %d to %d", v.name, v.got, v.low, v.up)
		}
	}
	switch {
	case c.Hidden%16 != 0:
		return refuse("its hidden is %d, allowed are multiples of 16", c.Hidden)
	case c.Architecture != architecture:
		return refuse("architecture %q, want %q", c.Architecture, architecture)
	case c.Contract != kernel.Contract:
		return refuse("contract %q, want %q", c.Contract, kernel.Contract)
	}
	return nil
}

// An Artist is a paper-cut network with its vocabulary: integers only. It is
// immutable and safe for concurrent use.
type Artist struct {
	config     Config
	vocabulary *latent.Vocabulary // names of the embedding's rows
	tensors    map[string][]int16
	raw        []byte // the file form
	id         [32]byte
}

// newArtist checks everything and computes the file form and the ID.
func newArtist(c Config, features []string, tensors map[string][]int16) (*Artist, error) {
	if err := c.validate(len(features)); err != nil {
		return nil, err
	}
	v, err := latent.NewVocabulary(features, c.Latent)
	if err != nil {
		return nil, refuse("%v", err)
	}
	a := &Artist{config: c, vocabulary: v, tensors: tensors}
	shape := c.shape(len(features))
	file := &safetensors.File{Metadata: map[string]string{"format": format}}
	slots := shape.Slots()
	if len(tensors) != len(slots) || len(c.Exponents) != len(slots) {
		return nil, refuse("%d tensors and %d exponents, want %d", len(tensors), len(c.Exponents), len(slots))
	}
	for _, s := range slots {
		t, ok := tensors[s.Name]
		if !ok || len(t) != s.Rows*s.Cols {
			return nil, refuse("tensor %s has %d numbers, want %d×%d", s.Name, len(t), s.Rows, s.Cols)
		}
		if e, ok := c.Exponents[s.Name]; !ok || e < 0 || e > 24 {
			return nil, refuse("exponent of %s is %d, want 0..24", s.Name, e)
		}
		file.Tensors = append(file.Tensors, safetensors.FromInt16s(s.Name, []int{s.Rows, s.Cols}, t))
	}
	for key, value := range map[string]any{"config": c, "vocabulary": features} {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, refuse("%s: %v", key, err)
		}
		file.Metadata[key] = string(text)
	}
	raw, err := safetensors.Write(file)
	if err != nil {
		return nil, refuse("%v", err)
	}
	a.raw, a.id = raw, sha256.Sum256(raw)
	return a, nil
}

// ID is the SHA-256 of the artist's file form: equal numbers, vocabulary and
// configuration have equal IDs.
func (a *Artist) ID() [32]byte { return a.id }

// MarshalBinary returns the artist as one strict safetensors file, whose
// metadata carries configuration and vocabulary. The result is a copy.
func (a *Artist) MarshalBinary() ([]byte, error) { return bytes.Clone(a.raw), nil }

// UnmarshalArtist reads what [Artist.MarshalBinary] wrote, and nothing else:
// an accepted file is the only one with its content. Errors wrap [ErrArtist].
func UnmarshalArtist(raw []byte) (*Artist, error) {
	if len(raw) > maxFile {
		return nil, refuse("%d bytes, limit %d", len(raw), maxFile)
	}
	file, err := safetensors.Read(raw)
	if err != nil {
		return nil, refuse("%v", err)
	}
	if f := file.Metadata["format"]; f != format {
		return nil, refuse("format %q, want %q", f, format)
	}
	var c Config
	if err := strictjson.Unmarshal([]byte(file.Metadata["config"]), &c); err != nil {
		return nil, refuse("config: %v", err)
	}
	var features []string
	if err := strictjson.Unmarshal([]byte(file.Metadata["vocabulary"]), &features); err != nil {
		return nil, refuse("vocabulary: %v", err)
	}
	tensors := map[string][]int16{}
	for _, t := range file.Tensors {
		if tensors[t.Name], err = t.Int16s(); err != nil {
			return nil, refuse("%v", err)
		}
	}
	a, err := newArtist(c, features, tensors)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(a.raw, raw) {
		return nil, refuse("file is not in canonical form")
	}
	return a, nil
}

// Description is what a reader wants to know of an artist.
type Description struct {
	Name         string // "paper-cut"
	Architecture string // for people: layers, widths, colours
	Class        Class  // Exact: two runs must agree to the bit
	Contract     string // "phase-16"
	Parameters   int    // numbers that were trained
	Words        int    // names that prompts may use for what it shows
	Data         string // what it was trained on, for people
	Licence      string // terms of its pictures and weights, for people
}

// Describe says what the artist is: from its configuration and vocabulary, at no cost.
func (a *Artist) Describe() Description {
	c := a.config
	names, _ := a.Vocabulary()
	return Description{
		Name:         c.Name,
		Architecture: fmt.Sprintf("implicit sine network, %d layers × %d, %d-colour OKLab palette, latent %d", c.Layers, c.Hidden, c.Colours, c.Latent),
		Class:        ClassOf(c.Contract),
		Contract:     c.Contract,
		Parameters:   c.shape(a.vocabulary.Size()).Parameters(),
		Words:        len(names),
		Data:         c.Data,
		Licence:      c.Licence,
	}
}

// quantise rounds trained weights to int16 and makes an artist of them. It
// fills the configuration's shape and exponents.
func quantise(c Config, s train.Shape, features []string, w train.Weights) (*Artist, error) {
	c.Architecture, c.Contract = architecture, kernel.Contract
	c.setShape(s)
	c.Exponents = map[string]int{}
	tensors := map[string][]int16{}
	for _, slot := range s.Slots() {
		unit := unitOf(slot.Name)
		values := make([]float64, len(w[slot.Name].Data))
		top := 0.
		for i, v := range w[slot.Name].Data {
			x := float64(v) / unit
			if isPhase(slot.Name) {
				x -= math.Round(x)
			}
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return nil, refuse("tensor %s holds %v", slot.Name, v)
			}
			values[i] = x
			top = max(top, math.Abs(x))
		}
		e := 12 // the embedding's unit is z's
		if slot.Name != "embed" {
			for e = 24; e > 0 && math.Ldexp(top, e) > math.MaxInt16; e-- {
			}
		}
		q := make([]int16, len(values))
		for i, x := range values {
			q[i] = int16(max(math.MinInt16, min(math.MaxInt16, math.Round(math.Ldexp(x, e)))))
		}
		c.Exponents[slot.Name], tensors[slot.Name] = e, q
	}
	return newArtist(c, features, tensors)
}

// floats is the inverse of quantise, up to its rounding.
func (a *Artist) floats() train.Weights {
	w := train.Weights{}
	for _, slot := range a.config.shape(a.vocabulary.Size()).Slots() {
		t := train.Tensor{Rows: slot.Rows, Cols: slot.Cols, Data: make([]float32, slot.Rows*slot.Cols)}
		unit := math.Ldexp(unitOf(slot.Name), -a.config.Exponents[slot.Name])
		for i, v := range a.tensors[slot.Name] {
			t.Data[i] = float32(float64(v) * unit)
		}
		w[slot.Name] = t
	}
	return w
}
