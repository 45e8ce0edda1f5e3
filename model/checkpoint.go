package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// Setup is what decides the result of a run besides its pictures and its base,
// of which it holds hashes. A checkpoint carries it, so that a run can be prepared
// again as it was.
type Setup struct {
	Steps    int     `json:"steps"`
	Seed     string  `json:"seed"` // 64 hex digits
	Name     string  `json:"name"`
	Data     string  `json:"data"`
	Licence  string  `json:"licence"`
	Hidden   int     `json:"hidden"`
	Layers   int     `json:"layers"`
	Latent   int     `json:"latent"`
	Colours  int     `json:"colours"`
	Batch    int     `json:"batch"`
	Measure  int     `json:"measure"`
	Patience int     `json:"patience"`
	Rehearse float64 `json:"rehearse,omitempty"`
	Base     string  `json:"base"`     // hex of the base's ID, empty for a run from nothing
	BaseAt   string  `json:"base_at"`  // where the base lay, as the caller calls it
	Pictures string  `json:"pictures"` // hex of the SHA-256 of what is learned of them
	Terms    string  `json:"terms"`    // hex of the SHA-256 of what is said about their terms
}

func newSetup(o TrainOptions, c Config) Setup {
	s := Setup{Steps: DefaultSteps(o), Seed: hex.EncodeToString(o.Seed[:]), Name: c.Name, Data: o.Data, Licence: o.Licence,
		Hidden: c.Hidden, Layers: c.Layers, Latent: c.Latent, Colours: c.Colours, Batch: o.Batch, Measure: o.Measure, Patience: o.Patience, Rehearse: o.Rehearse, BaseAt: o.BaseAt}
	if s.Batch == 0 {
		s.Batch = groups
	}
	if o.Base != nil {
		id := o.Base.ID()
		s.Base = hex.EncodeToString(id[:])
	}
	return s
}

// learns notes what is learned.
func (s *Setup) learns(a album) {
	pictures, terms := train.Digest(a.pictures), sha256.Sum256([]byte(a.terms))
	s.Pictures, s.Terms = hex.EncodeToString(pictures[:]), hex.EncodeToString(terms[:])
}

// Options are the options of the run, but for its base, which is to be loaded,
// and for what does not change its result.
func (s Setup) Options() TrainOptions {
	o := TrainOptions{Steps: s.Steps, Name: s.Name, Data: s.Data, Licence: s.Licence, Batch: s.Batch, Measure: s.Measure, Patience: s.Patience, Rehearse: s.Rehearse, BaseAt: s.BaseAt}
	if s.Base == "" {
		o.Size = Size{s.Hidden, s.Layers, s.Latent, s.Colours}
	}
	seed, _ := hex.DecodeString(s.Seed) // ReadCheckpoint has looked at it
	copy(o.Seed[:], seed)
	return o
}

var (
	// ErrCheckpoint reports bytes that are no checkpoint of a training.
	ErrCheckpoint = errors.New("not a training's checkpoint")
	// ErrOtherRun reports a checkpoint of a training with other pictures, another
	// base or other options. The error says what differs.
	ErrOtherRun = errors.New("not as it began")
)

// A Checkpoint is a run that stopped: its setup and what it has learned.
type Checkpoint struct {
	Setup Setup
	State TrainingState
}

// Checkpoint is the run in a file: at most some 20 bytes for each number of the
// artist. It holds the seed, the weights and nothing of the pictures but a hash.
func (r *Run) Checkpoint(s TrainingState) ([]byte, error) {
	note, err := json.Marshal(r.setup)
	if err != nil {
		return nil, err
	}
	return s.Marshal(string(note))
}

// ReadCheckpoint reads what [Run.Checkpoint] wrote, and nothing else. Errors wrap
// ErrCheckpoint.
func ReadCheckpoint(raw []byte) (Checkpoint, error) {
	state, note, err := train.UnmarshalState(raw)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	c := Checkpoint{State: state}
	if err := strictjson.Unmarshal([]byte(note), &c.Setup); err != nil {
		return Checkpoint{}, fmt.Errorf("%w: its setup: %w", ErrCheckpoint, err)
	}
	for name, v := range map[string]string{"seed": c.Setup.Seed, "pictures": c.Setup.Pictures, "terms": c.Setup.Terms, "base": c.Setup.Base} {
		if b, err := hex.DecodeString(v); (err != nil || len(b) != 32) && !(name == "base" && v == "") {
			return Checkpoint{}, fmt.Errorf("%w: its %s %q is no hash of 64 hex digits", ErrCheckpoint, name, v)
		}
	}
	again, err := json.Marshal(c.Setup)
	if err != nil || string(again) != note {
		return Checkpoint{}, fmt.Errorf("%w: its setup is not in canonical form", ErrCheckpoint)
	}
	return c, nil
}

// Resume is the state from which the run goes on. Where the checkpoint is of
// another run, the error wraps ErrOtherRun.
func (r *Run) Resume(c Checkpoint) (TrainingState, error) {
	was, is := c.Setup, r.setup
	switch {
	case was.Base != is.Base && was.Base == "":
		return TrainingState{}, fmt.Errorf("%w: it began from nothing, not from a base artist", ErrOtherRun)
	case was.Base != is.Base:
		return TrainingState{}, fmt.Errorf("%w: it began with another base artist", ErrOtherRun)
	case was.Pictures != is.Pictures:
		return TrainingState{}, fmt.Errorf("%w: the pictures have changed, a file was added, taken away, altered or renamed", ErrOtherRun)
	case was.Terms != is.Terms:
		return TrainingState{}, fmt.Errorf("%w: the files that say the pictures' terms have changed, such as LICENSE or %s", ErrOtherRun, sourcesFile)
	}
	is.BaseAt = was.BaseAt
	a, b := reflect.ValueOf(was), reflect.ValueOf(is)
	for i := range a.NumField() {
		if !a.Field(i).Equal(b.Field(i)) {
			name, _, _ := strings.Cut(a.Type().Field(i).Tag.Get("json"), ",")
			return TrainingState{}, fmt.Errorf("%w: it began with %s %v, not %v", ErrOtherRun, name, inWords(a.Field(i)), inWords(b.Field(i)))
		}
	}
	e, err := r.prepared()
	if err != nil {
		return TrainingState{}, err
	}
	if err := e.Fits(c.State); err != nil {
		return TrainingState{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	return c.State, nil
}

func inWords(v reflect.Value) string {
	if v.Kind() == reflect.String {
		return fmt.Sprintf("%q", v.String())
	}
	return fmt.Sprint(v)
}
