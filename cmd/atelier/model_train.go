package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
)

// maxSteps bounds a training: more would take weeks.
const maxSteps = 1_000_000

// defaultRehearse is the share of a fine-tune that its base draws. With two pictures the loss
// on all names is 0.56 with it and 1.67 without, on the two 0.160 either way; with eight of
// one kind it is 0.61 and 1.85, and on the eight 0.229 and 0.212.
const defaultRehearse = .5

func modelTrain(e *env) *cobra.Command {
	t := &training{env: e}
	c := &cobra.Command{
		Use:   "train DIR",
		Short: "Train an artist on a folder of pictures",
		Long: `train learns from the PNG, JPEG and GIF files below DIR; file names are the
vocabulary ("red heart, love.png" teaches two names of one thing). It writes an
artist's folder to --out: weights, config, vocabulary, model card and a sample.
With --base it fine-tunes an artist instead of starting anew ("genesis" names the
embedded one), which teaches no new words. The same pictures, seed and options give
the same weights. Each file that cannot be used is named, with the reason.

It says first how much memory and time it takes. Ctrl-C keeps what it has learned
beside the artist, as does a machine that stops but for the last minute: the same
line with --resume goes on, and ends with the very artist that it would have made
in one go. What decides the artist is remembered; pictures, base and such choices
must be those that it began with. --out lies outside DIR, and has one training at a
time.

Some places of each picture are held out, and measured fifty times on the way. The
loss there, which loss.png and training.jsonl in --out show, tells shapes that are
learned from places that are remembered; the artist is the one of the best
measurement.

How large an artist should be: the genesis artist, with 313 icons, has 4 layers of
64 in 8 colours. A wider one draws finer edges, a larger latent keeps more pictures
apart, and both cost time in training and drawing.

Few pictures, or pictures of one kind, pull a fine-tuned artist away from what its
base drew: a heart loses its shape while it learns two dogs. So it rehearses. Of the
pictures that it learns from, the base draws a share itself, of names that DIR does
not teach, on grounds and in colours by chance, in the artist's own taste; a half
unless --rehearse says otherwise. 0 learns DIR alone, and lets it forget the rest.
A larger share keeps more, and learns DIR more slowly. Where DIR teaches a part of
the names, the share is less by that part. It takes a sixth more time.

The model card says what DIR says about the pictures: its files LICENSE, COPYING or
NOTICE, and its table sources.csv with the columns file,licence,author,source.`,
		Example: `  atelier model train ./pictures --out ./artist --steps 4000
  atelier model train ./pictures --out ./artist --resume
  atelier model train ./pictures --base genesis --out ./artist --steps 200`,
		Args: takes("DIR"),
		RunE: t.run,
	}
	f := c.Flags()
	f.StringVar(&t.out, "out", "", "write the artist to `DIR`")
	f.BoolVar(&t.resume, "resume", false, "go on with the training that stopped in --out")
	f.BoolVar(&t.force, "force", false, "begin anew, in place of what is in --out")
	f.StringVar(&t.o.Name, "name", "", "`NAME` of the artist (default: that of DIR)")
	f.StringVar(&t.seed, "seed", "atelier", "`SEED`: 64 hex digits, or any text")
	f.StringVar(&t.o.Data, "data", "", "`TEXT` for the model card: what the pictures are")
	f.StringVar(&t.o.Licence, "licence", "", "`TEXT` for the model card: terms of the result")
	f.StringVar(&t.base, "base", "", "fine-tune the artist in `DIR`, or genesis")
	option(c, &t.o.Steps, "steps", "0", between(0, maxSteps), "`N` training steps (0: 7000, or 220 with --base)")
	option(c, &t.o.Batch, "batch", "128", between(1, model.MaxBatch), "`N` pictures in a step; with fewer it is quicker, and learns less")
	option(c, &t.o.Rehearse, "rehearse", "", fraction(0, model.MaxRehearse), fmt.Sprintf("`SHARE` of a step that the base draws, up to %g (with --base: 0.5)", model.MaxRehearse))
	option(c, &t.o.Size.Hidden, "hidden", "64", width, fmt.Sprintf("`N` waves in a layer: a multiple of 16, up to %d", kernel.MaxHidden))
	option(c, &t.o.Size.Layers, "layers", "4", between(1, kernel.MaxLayers), fmt.Sprintf("`N` layers, up to %d", kernel.MaxLayers))
	option(c, &t.o.Size.Latent, "latent", "64", between(1, model.MaxLatent), fmt.Sprintf("`N` numbers that say which picture, up to %d", model.MaxLatent))
	option(c, &t.o.Size.Colours, "colours", "6", between(4, kernel.MaxColours), fmt.Sprintf("`N` colours of a picture, two for its ground: 4 to %d", kernel.MaxColours))
	option(c, &t.o.Measure, "measure", "", between(0, maxSteps), "`N` steps between measurements; 0 holds nothing out")
	option(c, &t.o.Patience, "patience", "0", between(0, maxSteps), "end after `N` measurements without a better one (0: at the last step)")
	option(c, &t.samples, "samples", "0", between(0, maxSteps), "draw a sheet of samples into --out every `N` steps (0: none)")
	option(c, &t.interval, "checkpoint", "1m", span, "keep what was learned so often: `TIME`")
	f.BoolVar(&t.keep, "keep-checkpoint", false, "leave the last checkpoint in --out when the artist is done")
	option(c, &t.o.Workers, "workers", "0", between(0, 1024), "`N` goroutines; 0 means one per core")
	return c
}

// width reads the width of a layer.
func width(text string) (int, error) {
	n, err := between(16, kernel.MaxHidden)(text)
	if err != nil || n%16 != 0 {
		return 0, fmt.Errorf("want a multiple of 16 from 16 to %d", kernel.MaxHidden)
	}
	return n, nil
}

// training is one call of the command.
type training struct {
	*env
	o             model.TrainOptions
	dir, out      string
	base, seed    string
	resume, force bool
	keep          bool
	samples       int
	interval      time.Duration
	unkept        string // flags of the line that a checkpoint does not remember, to give them again in advice
	began         time.Time
	skipped       []leftOut
	memory        int64         // estimated, in bytes
	takes         time.Duration // all steps of this call, estimated after the first ones
}

// leftOut is a file that could not be used.
type leftOut struct {
	File string `json:"file"`
	Why  string `json:"why"`
}

func (t *training) run(cmd *cobra.Command, args []string) error {
	t.dir, t.began, t.skipped = args[0], time.Now(), []leftOut{}
	switch {
	case t.out == "":
		return usage("--out DIR is missing: where should the artist go?")
	case t.resume && t.force:
		return usage("--resume goes on and --force begins anew: choose one of them")
	}
	if _, err := os.Stat(t.dir); err != nil {
		return err
	}
	if within, err := inside(t.out, t.dir); err != nil {
		return err
	} else if within {
		return usage("--out %s lies in %s, where what is drawn into it would be learned: choose a folder outside of it", t.out, t.dir)
	}
	from, resumes, err := t.prepare(cmd)
	if err != nil {
		return err
	}
	run, err := model.NewRun(cmd.Context(), os.DirFS(t.dir), t.o)
	if err != nil {
		return err
	}
	defer run.Close()
	t.memory = run.Memory()
	if err := spare(t.memory, os.DirFS("/")); err != nil {
		return err
	}
	var state model.TrainingState
	if resumes {
		state, err = run.Resume(from)
	} else {
		state, err = run.Begin()
	}
	switch {
	case errors.Is(err, model.ErrOtherRun):
		return fmt.Errorf("the training in %s cannot go on, what is given is %w: give what it began with, or begin anew with --force", t.out, err)
	case err != nil:
		return err
	}
	return t.carryOut(cmd.Context(), run, state)
}

// inside reports whether a path is a folder or lies below it.
func inside(path, folder string) (bool, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return false, err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return false, err
	}
	way, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(way), nil // without a way it is another drive
}

// prepare completes the options, from the checkpoint where one is resumed.
func (t *training) prepare(cmd *cobra.Command) (from model.Checkpoint, resumes bool, err error) {
	from, err = model.ReadCheckpointFile(t.out)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case t.resume && missing:
		return from, false, fmt.Errorf("no training stopped in %s: begin one without --resume", t.out)
	case err != nil && !missing && !errors.Is(err, model.ErrCheckpoint):
		return from, false, fmt.Errorf("look for a training that stopped in %s: %w", t.out, err)
	case t.resume && err != nil:
		return from, false, fmt.Errorf("%s: %w: begin anew with --force", filepath.Join(t.out, model.CheckpointFile), err)
	case !t.resume && !t.force && err == nil:
		return from, false, fmt.Errorf("a training in %s stopped after step %d of %d: go on with --resume, or begin anew with --force", t.out, from.State.Step, from.Setup.Steps)
	case !t.resume && !t.force && !missing:
		return from, false, fmt.Errorf("%s: %w: begin anew with --force", filepath.Join(t.out, model.CheckpointFile), err)
	}
	if !t.resume && !t.force {
		if _, err := os.Stat(filepath.Join(t.out, "model.safetensors")); err == nil {
			return from, false, fmt.Errorf("%s holds an artist already: choose another --out, or replace it with --force", t.out)
		}
	}
	typed := cmd.Flags().Changed
	for _, name := range []string{"samples", "checkpoint", "keep-checkpoint", "workers"} {
		if typed(name) {
			t.unkept += " --" + name + "=" + quoted(cmd.Flags().Lookup(name).Value.String())
		}
	}
	if t.resume {
		t.recall(from.Setup, typed)
	} else {
		if t.o.Name == "" {
			dir, err := filepath.Abs(t.dir)
			if err != nil {
				return from, false, err
			}
			t.o.Name = filepath.Base(dir)
		}
		t.o.Seed = parseSeed(t.seed)
		if t.base != "" {
			for _, size := range []string{"hidden", "layers", "latent", "colours"} {
				if typed(size) {
					return from, false, usage("--%s is for an artist from nothing: with --base it has the size of its base", size)
				}
			}
			t.o.Size = model.Size{}
			if !typed("rehearse") {
				t.o.Rehearse = defaultRehearse
			}
		} else if typed("rehearse") && t.o.Rehearse > 0 {
			return from, false, usage("--rehearse keeps what a base knows, and an artist from nothing has none: name one with --base, or leave --rehearse out")
		}
	}
	if err := t.loadBase(); err != nil {
		return from, false, err
	}
	if !t.resume && !typed("measure") {
		t.o.Measure = max(10, model.DefaultSteps(t.o)/50)
	}
	t.o.Skipped = func(name string, why error) {
		t.skipped = append(t.skipped, leftOut{name, why.Error()})
		fmt.Fprintf(t.err, "left out %q: %v\n", name, why)
	}
	return from, t.resume, nil
}

// recall takes what was not typed from the training that goes on.
func (t *training) recall(was model.Setup, typed func(string) bool) {
	now, then := t.o, was.Options()
	t.o, t.o.Workers = then, now.Workers
	if typed("seed") {
		t.o.Seed = parseSeed(t.seed)
	}
	if !typed("base") {
		t.base = was.BaseAt
	} else {
		t.o.Size = model.Size{} // its base's
	}
	for _, c := range []struct {
		flag string
		take func()
	}{
		{"name", func() { t.o.Name = now.Name }}, {"data", func() { t.o.Data = now.Data }}, {"licence", func() { t.o.Licence = now.Licence }},
		{"rehearse", func() { t.o.Rehearse = now.Rehearse }}, {"steps", func() { t.o.Steps = now.Steps }}, {"batch", func() { t.o.Batch = now.Batch }}, {"measure", func() { t.o.Measure = now.Measure }},
		{"patience", func() { t.o.Patience = now.Patience }}, {"hidden", func() { t.o.Size.Hidden = now.Size.Hidden }},
		{"layers", func() { t.o.Size.Layers = now.Size.Layers }}, {"latent", func() { t.o.Size.Latent = now.Size.Latent }},
		{"colours", func() { t.o.Size.Colours = now.Size.Colours }},
	} {
		if typed(c.flag) {
			c.take()
		}
	}
}

// loadBase reads the artist to fine-tune, where there is one.
func (t *training) loadBase() (err error) {
	switch t.base {
	case "":
		return nil
	case "genesis":
		t.o.BaseAt, t.o.Base = t.base, model.Embedded()
		return nil
	}
	if t.o.BaseAt, err = filepath.Abs(t.base); err != nil {
		return err
	}
	t.o.Base, err = loadArtist(t.base)
	return err
}

// carryOut trains, and says what came of it.
func (t *training) carryOut(ctx context.Context, run *model.Run, from model.TrainingState) error {
	scr := newScreen(t.err)
	scr.Fact("%s, %d numbers to learn, about %s of memory", count(run.Pictures(), "picture"), run.Parameters(), bytesText(t.memory))
	if from.Step > 0 {
		scr.Fact("going on after step %d of %d", from.Step, run.Steps())
	}
	took := &model.Training{
		Run: run, Dir: t.out, Interval: t.interval, Samples: t.samples,
		Estimated: func(all time.Duration) {
			t.takes = all
			scr.Fact("%s take about %s", count(run.Steps()-from.Step, "step"), roundly(all))
		},
	}
	start := time.Now()
	took.Progress = func(p model.TrainingProgress) {
		left := time.Duration(float64(time.Since(start)) / float64(p.Step-from.Step) * float64(run.Steps()-p.Step))
		text := fmt.Sprintf("training, loss %.3f", p.Loss)
		if p.Last.Step > 0 {
			text += fmt.Sprintf(", held out %.3f", p.Last.Loss)
		}
		scr.Progress(fmt.Sprintf("%s, %s left", text, roundly(left)), p.Step, run.Steps())
	}
	end, err := took.Do(ctx, from)
	seconds := time.Since(start).Seconds()
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) && end.Step > 0 {
			scr.clear()
			fmt.Fprintf(t.err, "stopped after step %d of %d, which is kept in %s; go on with\n  %s\n", end.Step, run.Steps(),
				filepath.Join(t.out, model.CheckpointFile), t.again("model train %s --out %s --resume%s", quoted(t.dir), quoted(t.out), t.unkept))
		}
		return err
	}
	artist, err := run.Artist(end)
	if err != nil {
		return err
	}
	if err := artist.SaveDir(t.out); err != nil {
		return err
	}
	if !t.keep {
		if err := took.Discard(); err != nil {
			return err
		}
	}
	return t.report(run, artist, from, end, seconds)
}

func (t *training) report(run *model.Run, artist *model.Artist, from, end model.TrainingState, seconds float64) error {
	id := artist.ID()
	type estimate struct {
		Memory  int64   `json:"memory_bytes"`
		Seconds float64 `json:"seconds"`
	}
	text := fmt.Sprintf("%s  artist %x  loss %.3f", t.out, id[:8], end.Loss)
	if end.Best.Step > 0 {
		text += fmt.Sprintf("  held out %.3f after step %d", end.Best.Loss, end.Best.Step)
	}
	if end.Step < run.Steps() {
		text += fmt.Sprintf("  ended early after step %d", end.Step)
	}
	return t.say(struct {
		Artist   string             `json:"artist"`
		Name     string             `json:"name"`
		Dir      string             `json:"dir"`
		Step     int                `json:"step"`
		Steps    int                `json:"steps"`
		Loss     float64            `json:"loss"`
		HeldOut  *model.Measurement `json:"held_out"`
		Skipped  []leftOut          `json:"skipped"`
		Estimate estimate           `json:"estimate"`
		Places   float64            `json:"places_per_second"`
		Seconds  float64            `json:"seconds"`
	}{curation.Hash(id).String(), artist.Describe().Name, t.out, end.Step, run.Steps(), end.Loss, measured(end.Best), t.skipped,
		estimate{t.memory, t.takes.Seconds()}, float64((end.Step-from.Step)*run.StepPlaces()) / max(seconds, 1e-9), time.Since(t.began).Seconds()},
		"%s  %.0f s\n", text, time.Since(t.began).Seconds())
}

// measured is a measurement, or nothing where none was made.
func measured(m model.Measurement) *model.Measurement {
	if m.Step == 0 {
		return nil
	}
	return &m
}

// roundly is a time for people.
func roundly(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}
