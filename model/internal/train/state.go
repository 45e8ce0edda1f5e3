package train

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"github.com/atelier-dao/atelier/model/safetensors"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Progress is where a run stands.
type Progress struct {
	Step int     `json:"step"` // steps taken
	Loss float64 `json:"loss"` // running mean over some thirty steps, in nats for a place
	// Last and Best measurement on held-out places; their Step is 0 before the first.
	Last Measurement `json:"last"`
	Best Measurement `json:"best"`
}

// Measurement is the loss on held-out places after so many steps.
type Measurement struct {
	Step int     `json:"step"`
	Loss float64 `json:"loss"`
}

// State is a run between two steps: all that the next steps depend on besides
// shape, pictures and options. It is a value: nothing changes it.
type State struct {
	Progress
	Weights      Weights
	Mean, Square Weights // Adam's running means of the gradients and of their squares
	BestWeights  Weights // those of the best measurement; nil before the first
	Random       []byte  // where the random stream stands, as ChaCha8 marshals it
}

// Chosen are the weights of the best measurement, or where none was made, the last.
func (s State) Chosen() Weights {
	if s.BestWeights != nil {
		return s.BestWeights
	}
	return s.Weights
}

// ErrState reports bytes that are no state, or a state of another shape.
var ErrState = errors.New("not a training's state")

func wrongState(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrState, fmt.Sprintf(format, args...))
}

// parts are the groups of tensors in a state's file, by the prefix of their names.
func (s *State) parts() []struct {
	prefix  string
	weights *Weights
} {
	return []struct {
		prefix  string
		weights *Weights
	}{{"weights/", &s.Weights}, {"mean/", &s.Mean}, {"square/", &s.Square}, {"best/", &s.BestWeights}}
}

// fits checks the tensors against a shape.
func (s *State) fits(shape Shape) error {
	slots := shape.Slots()
	for _, p := range s.parts() {
		if p.prefix == "best/" && *p.weights == nil {
			continue
		}
		if len(*p.weights) != len(slots) {
			return wrongState("it has %d tensors %s…, want %d", len(*p.weights), p.prefix, len(slots))
		}
		for _, slot := range slots {
			if t := (*p.weights)[slot.Name]; t.Rows != slot.Rows || t.Cols != slot.Cols || len(t.Data) != t.Rows*t.Cols {
				return wrongState("tensor %s%s is %d×%d, want %d×%d", p.prefix, slot.Name, t.Rows, t.Cols, slot.Rows, slot.Cols)
			}
		}
	}
	return nil
}

// standing is what a state's file says beside its tensors.
type standing struct {
	Progress
	Random []byte `json:"random"`
}

const (
	stateFormat = "atelier-training/1"
	maxState    = 128 << 20 // bytes of a file
)

// Marshal returns the state as one strict safetensors file. What is a run's own,
// and nothing to an Engine, goes along in note.
func (s State) Marshal(note string) ([]byte, error) {
	text, err := json.Marshal(standing{s.Progress, s.Random})
	if err != nil {
		return nil, wrongState("%v", err)
	}
	file := &safetensors.File{Metadata: map[string]string{"format": stateFormat, "state": string(text), "note": note}}
	for _, p := range s.parts() {
		for name, t := range *p.weights {
			file.Tensors = append(file.Tensors, safetensors.FromFloat32s(p.prefix+name, []int{t.Rows, t.Cols}, t.Data))
		}
	}
	return safetensors.Write(file)
}

// UnmarshalState reads what [State.Marshal] wrote, and nothing else. Errors wrap
// [ErrState].
func UnmarshalState(raw []byte) (s State, note string, err error) {
	if len(raw) > maxState {
		return s, "", wrongState("%d bytes, limit %d", len(raw), maxState)
	}
	file, err := safetensors.Read(raw)
	if err != nil {
		return s, "", wrongState("%v", err)
	}
	if f := file.Metadata["format"]; f != stateFormat {
		return s, "", wrongState("format %q, want %q", f, stateFormat)
	}
	var at standing
	if err := strictjson.Unmarshal([]byte(file.Metadata["state"]), &at); err != nil {
		return s, "", wrongState("its standing: %v", err)
	}
	s.Progress, s.Random = at.Progress, at.Random
	if err := s.fill(file.Tensors); err != nil {
		return State{}, "", err
	}
	if err := s.check(); err != nil {
		return State{}, "", err
	}
	note = file.Metadata["note"]
	again, err := s.Marshal(note)
	if err != nil {
		return State{}, "", err
	}
	if !bytes.Equal(again, raw) {
		return State{}, "", wrongState("file is not in canonical form")
	}
	return s, note, nil
}

// fill takes the tensors of a file.
func (s *State) fill(tensors []safetensors.Tensor) error {
next:
	for _, t := range tensors {
		if len(t.Shape) != 2 {
			return wrongState("tensor %q has %d dimensions, want 2", t.Name, len(t.Shape))
		}
		data, err := t.Float32s()
		if err != nil {
			return wrongState("%v", err)
		}
		for _, v := range data {
			if v != v || v-v != 0 {
				return wrongState("tensor %q holds %v", t.Name, v)
			}
		}
		for _, p := range s.parts() {
			if name, ok := strings.CutPrefix(t.Name, p.prefix); ok {
				if *p.weights == nil {
					*p.weights = Weights{}
				}
				(*p.weights)[name] = Tensor{t.Shape[0], t.Shape[1], data}
				continue next
			}
		}
		return wrongState("tensor %q has no place in it", t.Name)
	}
	return nil
}

// check looks for what no run leaves behind, whatever its shape.
func (s *State) check() error {
	if err := new(rand.ChaCha8).UnmarshalBinary(s.Random); err != nil {
		return wrongState("its random stream: %v", err)
	}
	for _, t := range s.Square {
		for _, v := range t.Data {
			if v < 0 {
				return wrongState("a mean of squares is %v", v)
			}
		}
	}
	switch {
	case s.Step < 0 || s.Best.Step < 0 || s.Best.Step > s.Last.Step || s.Last.Step > s.Step:
		return wrongState("its measurements of steps %d and %d do not go with step %d", s.Best.Step, s.Last.Step, s.Step)
	case (s.Best.Step > 0) != (s.BestWeights != nil):
		return wrongState("its best measurement and the weights of it do not go together")
	}
	return nil
}

// clone copies the numbers.
func (w Weights) clone() Weights {
	out := Weights{}
	for name, t := range w {
		out[name] = Tensor{t.Rows, t.Cols, append([]float32(nil), t.Data...)}
	}
	return out
}

// zeros are weights that are all 0.
func (s Shape) zeros() Weights {
	w := Weights{}
	for _, slot := range s.Slots() {
		w[slot.Name] = Tensor{slot.Rows, slot.Cols, make([]float32, slot.Rows*slot.Cols)}
	}
	return w
}

// Digest is the SHA-256 of what training takes from pictures.
func Digest(pictures []Picture) [32]byte {
	h := sha256.New()
	word := func(v uint64) { h.Write(binary.BigEndian.AppendUint64(nil, v)) }
	number := func(n int) { word(uint64(n)) }
	text := func(b []byte) { number(len(b)); h.Write(b) }
	number(len(pictures))
	for _, p := range pictures {
		number(len(p.Names))
		for _, name := range p.Names {
			text([]byte(name))
		}
		number(p.side)
		text(p.labels)
		number(len(p.colours))
		for _, c := range p.colours {
			for _, v := range c {
				word(math.Float64bits(v))
			}
		}
	}
	return [32]byte(h.Sum(nil))
}
