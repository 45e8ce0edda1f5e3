package model

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"time"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/kernel"
)

// A Run is a training that is prepared: its pictures are read, its options
// checked. What has been learned so far is a [TrainingState], which Advance takes
// and returns, so that a run can stop, be kept in a file, and go on elsewhere:
//
//	run, err := model.NewRun(ctx, os.DirFS(pictures), options)
//	state, err := run.Begin() // or run.Resume(checkpoint)
//	for !run.Ended(state) {
//		state, err = run.Advance(ctx, state, state.Step+100, nil)
//		raw, err := run.Checkpoint(state)
//	}
//	artist, err := run.Artist(state)
//
// In however many parts, the artist is the same to the byte. A Run is for one
// goroutine.
type Run struct {
	setup    Setup
	config   Config // but for its shape
	shape    train.Shape
	features []string
	pictures []train.Picture
	options  train.Options
	start    func() train.Weights
	engine   *train.Engine // nil until it is needed
}

// TrainingState is what a run has learned so far, and where it stands.
type TrainingState = train.State

// TrainingProgress is where a run stands.
type TrainingProgress = train.Progress

// Measurement is the loss on held-out places after so many steps.
type Measurement = train.Measurement

// NewRun reads pictures and prepares a training. Without pictures a fine-tune
// learns those that are embedded. It spends no memory on the training yet.
func NewRun(ctx context.Context, pictures fs.FS, o TrainOptions) (*Run, error) {
	r := &Run{}
	var err error
	if o.Base != nil {
		err = r.tune(ctx, pictures, o)
	} else {
		err = r.anew(ctx, pictures, o)
	}
	if err != nil {
		return nil, err
	}
	r.options.Workers, r.options.Noise, r.options.Points = workers(o.Workers), .08, points
	r.options.Steps, r.options.Groups, r.options.Every, r.options.Patience = r.setup.Steps, r.setup.Batch, o.Measure, o.Patience
	return r, nil
}

// anew prepares the training of an artist from nothing.
func (r *Run) anew(ctx context.Context, pictures fs.FS, o TrainOptions) error {
	r.shape = genesisShape
	for _, v := range []struct {
		to   *int
		want int
	}{{&r.shape.Hidden, o.Size.Hidden}, {&r.shape.Layers, o.Size.Layers}, {&r.shape.Latent, o.Size.Latent}, {&r.shape.Colours, o.Size.Colours}} {
		if v.want != 0 {
			*v.to = v.want
		}
	}
	r.config = Config{
		Name: o.Name, Licence: o.Licence, Architecture: architecture, Contract: kernel.Contract,
		Sharpness: 48 * kernel.SharpnessOne, ShadowDepth: kernel.LabOne * 7 / 100, ShadowWidth: kernel.LogitOne, Noise: zOne * 11 / 100,
	}
	r.config.setShape(r.shape)
	r.setup = newSetup(o, r.config)
	if err := r.check(o); err != nil {
		return err
	}
	if err := r.config.validate(1); err != nil {
		return err
	}
	set, err := (&folder{fs: pictures, colours: r.shape.Colours, skipped: o.Skipped}).read(ctx)
	if err != nil {
		return err
	}
	r.setup.learns(set)
	r.pictures, r.features = set.pictures, train.Features(set.pictures)
	r.shape.Features = len(r.features)
	r.config.Data = truncate(set.describe(o.Data, o.Licence), maxText)
	key := sha256.Sum256(append([]byte("atelier/artist/v1/initial"), o.Seed[:]...))
	r.start = func() train.Weights { return r.shape.Initial(rand.New(rand.NewChaCha8(key))) }
	r.options.Seed, r.options.Rate = o.Seed, 3e-3
	return nil
}

// tune prepares a fine-tune.
func (r *Run) tune(ctx context.Context, pictures fs.FS, o TrainOptions) error {
	if o.Size != (Size{}) {
		return fmt.Errorf("the artist %q has its size, and fine-tuning keeps it: choose a size for an artist from nothing", o.Base.config.Name)
	}
	base := o.Base
	r.config, r.features, r.shape = base.config, base.vocabulary.Features(), base.config.shape(base.vocabulary.Size())
	if o.Name != "" {
		r.config.Name = o.Name
	}
	r.setup = newSetup(o, r.config)
	if err := r.check(o); err != nil {
		return err
	}
	learned := folder{fs: pictures, colours: r.config.Colours, knows: func(w string) bool { _, ok := base.vocabulary.Row(w); return ok }, skipped: o.Skipped}
	if pictures == nil {
		learned.fs = embeddedPictures()
	}
	set, err := learned.read(ctx)
	if err != nil {
		return err
	}
	r.setup.learns(set)
	r.pictures = set.pictures
	if pictures != nil {
		id := base.ID()
		r.config.Licence = o.Licence
		rehearsed := ""
		if o.Rehearse > 0 {
			rehearsed = fmt.Sprintf(", which it rehearsed: up to %.0f %% of a step", 100*o.Rehearse)
		}
		r.config.Data = truncate(fmt.Sprintf("%s\n\nTuned from the artist %q (%x)%s. Its terms: %s. What it learned from: %s",
			set.describe(o.Data, o.Licence), base.config.Name, id[:8], rehearsed, orElse(base.config.Licence, "not stated"), orElse(base.config.Data, "not stated")), maxText)
	}
	r.start = base.floats
	r.options.Seed, r.options.Rate = chance.New("batches", o.Seed[:]).Key(), 1.5e-3
	r.options.Taste = drawTaste(chance.New("taste", o.Seed[:]))
	if o.Rehearse > 0 {
		r.options.Rehearsal = train.Rehearsal{Share: o.Rehearse, Before: base.floats(), Things: base.vocabulary.Things()}
	}
	return nil
}

// check refuses, before time is spent, what would be refused after training.
func (r *Run) check(o TrainOptions) error {
	switch {
	case r.setup.Steps < 1:
		return fmt.Errorf("%d training steps, want at least 1", r.setup.Steps)
	case r.config.Name == "" || len(r.config.Name) > maxName:
		return fmt.Errorf("the artist's name has %d bytes: give it one of 1 to %d", len(r.config.Name), maxName)
	case len(o.Data) > maxText:
		return fmt.Errorf("the text about the pictures has %d bytes, at most %d are kept", len(o.Data), maxText)
	case len(o.Licence) > maxText:
		return fmt.Errorf("the licence has %d bytes, at most %d are kept: name it instead", len(o.Licence), maxText)
	case r.setup.Batch < 1 || r.setup.Batch > MaxBatch:
		return fmt.Errorf("a batch of %d pictures, want 1 to %d", r.setup.Batch, MaxBatch)
	case o.Measure < 0 || o.Patience < 0:
		return fmt.Errorf("measurements every %d steps with a patience of %d, want none below 0", o.Measure, o.Patience)
	case !(o.Rehearse >= 0 && o.Rehearse <= MaxRehearse):
		return fmt.Errorf("a share of %g to rehearse, want 0 to %g", o.Rehearse, MaxRehearse)
	case o.Rehearse > 0 && o.Base == nil:
		return errors.New("an artist from nothing knows nothing to rehearse: name the artist to fine-tune, or rehearse nothing")
	case o.Patience > 0 && o.Measure == 0:
		return fmt.Errorf("a patience of %d needs measurements to wait for: hold places out", o.Patience)
	}
	return nil
}

// prepared makes the engine, whose memory is what [Run.Memory] says.
func (r *Run) prepared() (*train.Engine, error) {
	if r.engine == nil {
		e, err := train.New(r.shape, r.features, r.pictures, r.options)
		if err != nil {
			return nil, err
		}
		r.engine = e
	}
	return r.engine, nil
}

// Close frees the memory of the training, if it has begun. The run is of no use after it;
// what was learned stays in the states that it gave.
func (r *Run) Close() error {
	if r.engine == nil {
		return nil
	}
	return r.engine.Close()
}

// Steps is the number of steps of the whole run.
func (r *Run) Steps() int { return r.setup.Steps }

// StepPlaces is the number of places that one step learns from.
func (r *Run) StepPlaces() int { return r.options.Groups * r.options.Points }

// Pictures is the number of pictures that the run learns.
func (r *Run) Pictures() int { return len(r.pictures) }

// Parameters is the number of numbers that are trained.
func (r *Run) Parameters() int { return r.shape.Parameters() }

// Memory is what the training takes, in bytes, computed from its shapes.
func (r *Run) Memory() int64 { return train.Memory(r.shape, r.options) }

// Begin is the state before the first step.
func (r *Run) Begin() (TrainingState, error) {
	e, err := r.prepared()
	if err != nil {
		return TrainingState{}, err
	}
	return e.Begin(r.start())
}

// Advance takes steps until the run has so many, and returns what it reached;
// from is left alone. When ctx ends, it returns what it reached with the error of
// ctx. Heard, where not nil, is called after each step.
func (r *Run) Advance(ctx context.Context, from TrainingState, until int, heard func(TrainingProgress)) (TrainingState, error) {
	e, err := r.prepared()
	if err != nil {
		return from, err
	}
	return e.Advance(ctx, from, until, heard)
}

// Ended reports whether there is no further step to take.
func (r *Run) Ended(p TrainingProgress) bool { return train.Ended(r.options, p) }

// Artist is what the state is as an artist: the one of the best measurement, or
// the present one where nothing was measured.
func (r *Run) Artist(s TrainingState) (*Artist, error) {
	return quantise(r.config, r.shape, r.features, s.Chosen())
}

// Prompts are names of the pictures, at most n, evenly among them: what to look at
// to see how the run goes.
func (r *Run) Prompts(n int) []string {
	var all, some []string
	for _, p := range r.pictures {
		if len(p.Names) > 0 {
			all = append(all, p.Names[0])
		}
	}
	n = min(n, len(all))
	for i := range n {
		some = append(some, all[i*len(all)/n])
	}
	return some
}

// finish goes from the beginning to the end, or until the budget is spent.
func (r *Run) finish(ctx context.Context, budget time.Duration, heard func(step, steps int, loss float64)) (*Artist, error) {
	began := time.Now()
	state, err := r.Begin()
	if err != nil {
		return nil, err
	}
	limited, stop := context.WithCancel(ctx)
	defer stop()
	state, err = r.Advance(limited, state, r.Steps(), func(p TrainingProgress) {
		if heard != nil {
			heard(p.Step, r.Steps(), p.Loss)
		}
		if budget > 0 && time.Since(began) > budget {
			stop()
		}
	})
	if err != nil && (ctx.Err() != nil || limited.Err() == nil) {
		return nil, err
	}
	return r.Artist(state)
}
