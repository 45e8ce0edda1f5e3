package model

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/atelier-dao/atelier/model/internal/train"
)

// Files that a training keeps beside its artist.
const (
	CheckpointFile = "training.safetensors" // while it is not done
	logFile        = "training.jsonl"       // a LossEntry on each line
	curveFile      = "loss.png"
	samplesFile    = "samples-%07d.png" // after so many steps
	lockFile       = ".training.lock"   // while a process carries it out
)

// ErrBusy reports a folder in which another process carries out a training.
var ErrBusy = errors.New("a training is under way in this folder")

// maxCheckpoint bounds what is read of a checkpoint, in bytes.
const maxCheckpoint = 128 << 20

// A Training carries out a run in a folder: it writes the log and the loss curve,
// sheets of samples, and every so often a checkpoint, from which the run can go on
// when the process ends for whatever reason.
type Training struct {
	Run *Run
	Dir string
	// Interval is the time between checkpoints; 0 means one minute.
	Interval time.Duration
	// Samples is the number of steps between sheets of samples; 0 draws none.
	Samples int
	// Estimated, where not nil, hears once how long all steps from the state that it
	// began with to the last take, judged by some of them.
	Estimated func(all time.Duration)
	// Progress, where not nil, is called after each step.
	Progress func(TrainingProgress)

	log    []LossEntry
	pace   time.Duration // of a step
	saved  time.Time
	logged time.Time // when what follows was true
	since  int       // steps taken then
}

// ReadCheckpointFile reads the checkpoint of the training in a folder. Errors wrap
// ErrCheckpoint or come from the file system.
func ReadCheckpointFile(dir string) (Checkpoint, error) {
	raw, err := readUpTo(os.DirFS(dir), CheckpointFile, maxCheckpoint)
	if errors.Is(err, errLarge) {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	} else if err != nil {
		return Checkpoint{}, err
	}
	return ReadCheckpoint(raw)
}

// Do goes on from a state until the run has ended, and returns the last one; with
// step 0 the folder's log begins anew, and a checkpoint and sheets of samples there
// are removed. When ctx
// ends, or anything fails after a step, the checkpoint holds what was reached, which
// is returned with the error; where it could not be written, that is the error. While
// another process does the same in the folder, the error wraps [ErrBusy], and the
// folder is left alone.
func (t *Training) Do(ctx context.Context, from TrainingState) (TrainingState, error) {
	if err := os.MkdirAll(t.Dir, 0o755); err != nil {
		return from, err
	}
	unlock, err := t.lock()
	if err != nil {
		return from, err
	}
	defer unlock()
	if from.Step == 0 {
		if err := errors.Join(t.Discard(), t.discardSamples()); err != nil {
			return from, err
		}
	}
	if err := t.openLog(from.Step); err != nil {
		return from, err
	}
	state, err := t.advance(ctx, from)
	if err != nil {
		if state.Step > from.Step && !errors.Is(err, train.ErrDiverged) {
			if lost := t.save(state); lost != nil {
				err = lost // worse than what stopped it
			}
		}
		return state, err
	}
	return state, t.drawCurve()
}

// lock keeps other processes from training in the folder; the system gives it back
// when this one ends, however it ends. Where the file system has no locks, all may.
func (t *Training) lock() (unlock func(), err error) {
	l := flock.New(filepath.Join(t.Dir, lockFile))
	switch locked, err := l.TryLock(); {
	case err != nil:
		return func() {}, nil
	case !locked:
		return nil, fmt.Errorf("%s: %w: wait for its end, or choose another", t.Dir, ErrBusy)
	}
	return func() {
		_ = os.Remove(l.Path()) // first, so that nobody waits for a file that goes away
		_ = l.Unlock()
	}, nil
}

// timedSteps are taken before the pace is known, the first of which does not tell it.
const timedSteps = 5

func (t *Training) advance(ctx context.Context, state TrainingState) (TrainingState, error) {
	first := state.Step
	t.saved, t.logged, t.since = time.Now(), time.Now(), first
	for !t.Run.Ended(state.Progress) {
		until := t.Run.Steps()
		stop := func(at int) {
			if at > state.Step {
				until = min(until, at)
			}
		}
		stop(first + 1)
		stop(first + timedSteps)
		if t.pace > 0 {
			stop(state.Step + max(1, int(time.Second/t.pace))) // to look at the clock
		}
		for _, every := range []int{t.logEvery(), t.Samples} {
			if every > 0 {
				stop((state.Step/every + 1) * every)
			}
		}
		began, before := time.Now(), state.Step
		var err error
		if state, err = t.Run.Advance(ctx, state, until, t.Progress); err != nil {
			return state, err
		}
		if before > first && t.pace == 0 {
			t.pace = max(1, time.Since(began)/time.Duration(state.Step-before))
			if t.Estimated != nil {
				t.Estimated(t.pace * time.Duration(t.Run.Steps()-first))
			}
		}
		if err := t.note(ctx, state); err != nil {
			return state, err
		}
	}
	return state, nil
}

// note writes what is due after a step.
func (t *Training) note(ctx context.Context, state TrainingState) error {
	ended := t.Run.Ended(state.Progress)
	if state.Step%t.logEvery() == 0 || ended {
		if err := t.enter(state.Progress); err != nil {
			return err
		}
	}
	if t.Samples > 0 && (state.Step%t.Samples == 0 || ended) {
		if err := t.drawSamples(ctx, state); err != nil {
			return err
		}
	}
	interval := t.Interval
	if interval == 0 {
		interval = time.Minute
	}
	if !ended && time.Since(t.saved) < interval {
		return nil
	}
	return t.save(state) // also at the end: nothing is lost if the artist cannot be written
}

// logEvery is the number of steps between entries of the log.
func (t *Training) logEvery() int {
	if e := t.Run.options.Every; e > 0 {
		return e
	}
	return max(1, t.Run.Steps()/100)
}

// save replaces the checkpoint in one move.
func (t *Training) save(state TrainingState) error {
	raw, err := t.Run.Checkpoint(state)
	if err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(t.Dir, CheckpointFile), raw, 0o600); err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	t.saved = time.Now()
	return t.drawCurve()
}

// Discard removes the checkpoint, where there is one.
func (t *Training) Discard() error {
	err := os.Remove(filepath.Join(t.Dir, CheckpointFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// discardSamples removes the sheets of a training before, which would be taken for
// those of this one.
func (t *Training) discardSamples() error {
	entries, err := os.ReadDir(t.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		step, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(e.Name(), "samples-"), ".png"))
		if err == nil && e.Name() == fmt.Sprintf(samplesFile, step) {
			if err := os.Remove(filepath.Join(t.Dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// openLog reads the entries up to a step, and drops what a process that ended
// wrote after its last checkpoint.
func (t *Training) openLog(step int) error {
	path := filepath.Join(t.Dir, logFile)
	raw, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var kept []byte
	for line := range bytes.Lines(raw) {
		var e LossEntry
		if json.Unmarshal(line, &e) != nil || e.Step < 1 || e.Step > step {
			break
		}
		t.log, kept = append(t.log, e), append(kept, line...)
	}
	return os.WriteFile(path, kept, 0o644)
}

// enter adds an entry to the log.
func (t *Training) enter(p TrainingProgress) error {
	e := LossEntry{Step: p.Step, Loss: p.Loss}
	if p.Last.Step == p.Step {
		e.HeldOut = &p.Last.Loss
	}
	if took := time.Since(t.logged).Seconds(); took > 0 {
		e.PlacesPerSecond = float64(int64(float64((p.Step-t.since)*t.Run.StepPlaces()) / took))
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(t.Dir, logFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	t.log, t.logged, t.since = append(t.log, e), time.Now(), p.Step
	return errors.Join(err, f.Close())
}

func (t *Training) drawCurve() error {
	return writeImage(filepath.Join(t.Dir, curveFile), LossCurve(t.log))
}

// drawSamples draws what the artist would be if the run ended here.
func (t *Training) drawSamples(ctx context.Context, state TrainingState) error {
	artist, err := t.Run.Artist(state)
	if err != nil {
		return err
	}
	sheet, err := artist.Sheet(ctx, t.Run.Prompts(18), func(int) [32]byte { return [32]byte{} }, 128, 6)
	if err != nil {
		return err
	}
	return writeImage(filepath.Join(t.Dir, fmt.Sprintf(samplesFile, state.Step)), sheet)
}

func writeImage(path string, img image.Image) error {
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// replaceFile writes a file so that at each moment, a fall of the machine included,
// there is the old or the new one.
func replaceFile(path string, data []byte, mode fs.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
