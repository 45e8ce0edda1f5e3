package model

import (
	"bytes"
	"context"
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// carried is a training in a folder, which stops after so many steps.
func carried(t *testing.T, dir string, stopAfter int) (*Training, TrainingState, error) {
	r := newRun(t, smallRun(nil))
	from, err := r.Begin()
	require.NoError(t, err)
	if c, err := ReadCheckpointFile(dir); err == nil {
		from, err = r.Resume(c)
		require.NoError(t, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	work := &Training{Run: r, Dir: dir, Samples: 6, Interval: time.Nanosecond, Progress: func(p TrainingProgress) {
		if p.Step == stopAfter {
			cancel()
		}
	}}
	state, err := work.Do(ctx, from)
	return work, state, err
}

func entries(t *testing.T, dir string) (steps []int, heldOut int) {
	raw, err := os.ReadFile(filepath.Join(dir, logFile))
	require.NoError(t, err)
	for line := range bytes.Lines(raw) {
		var e LossEntry
		require.NoError(t, json.Unmarshal(line, &e))
		require.Positive(t, e.Loss)
		if e.HeldOut != nil {
			heldOut++
		}
		steps = append(steps, e.Step)
	}
	return steps, heldOut
}

func TestATrainingGoesOnWhereItStopped(t *testing.T) {
	whole := t.TempDir()
	_, want, err := carried(t, whole, 0)
	require.NoError(t, err)

	dir := filepath.Join(t.TempDir(), "artist")
	_, part, err := carried(t, dir, 7)
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 7, part.Step)
	c, err := ReadCheckpointFile(dir)
	require.NoError(t, err)
	require.Equal(t, part, c.State)
	steps, _ := entries(t, dir)
	require.Equal(t, []int{4}, steps)

	// A process that was killed may have written more to the log than is in its checkpoint.
	f, err := os.OpenFile(filepath.Join(dir, logFile), os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("{\"step\":8,\"loss\":1,\"places_per_second\":1}\n{\"step\":12,\"lo")
	require.NoError(t, err)
	require.NoError(t, f.Close())

	work, end, err := carried(t, dir, 0)
	require.NoError(t, err)
	require.Equal(t, want, end)
	steps, heldOut := entries(t, dir)
	require.Equal(t, []int{4, 8, 12}, steps)
	require.Equal(t, 3, heldOut)
	for _, name := range []string{curveFile, "samples-0000006.png", "samples-0000012.png"} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		_, err = png.Decode(bytes.NewReader(raw))
		require.NoError(t, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, ".*"))
	require.NoError(t, err)
	require.Empty(t, files, "nothing half written is left")

	require.NoError(t, work.Discard())
	require.NoError(t, work.Discard(), "discarding nothing is no error")
	_, err = ReadCheckpointFile(dir)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestATrainingThatBeginsAnewLeavesNoSheetsOfAnother(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"samples-0000003.png", "samples-12345678.png", "samples-3.png", "samples-0000003.png.txt", "sample.png"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600))
	}
	_, _, err := carried(t, dir, 7)
	require.ErrorIs(t, err, context.Canceled)
	sheets := func() (names []string) {
		all, err := filepath.Glob(filepath.Join(dir, "sample*"))
		require.NoError(t, err)
		for _, path := range all {
			names = append(names, filepath.Base(path))
		}
		return names
	}
	require.Equal(t, []string{"sample.png", "samples-0000003.png.txt", "samples-0000006.png", "samples-3.png"}, sheets(), "its own, and what no training wrote")
	_, _, err = carried(t, dir, 0)
	require.NoError(t, err)
	require.Equal(t, []string{"sample.png", "samples-0000003.png.txt", "samples-0000006.png", "samples-0000012.png", "samples-3.png"}, sheets(), "one that goes on keeps its own")
}

func TestACheckpointThatCannotBeWrittenIsNotKeptQuiet(t *testing.T) {
	dir := t.TempDir()
	r := newRun(t, smallRun(nil))
	from, err := r.Begin()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	state, err := (&Training{Run: r, Dir: dir, Progress: func(TrainingProgress) {
		require.NoError(t, os.MkdirAll(filepath.Join(dir, CheckpointFile, "in the way"), 0o755))
		cancel()
	}}).Do(ctx, from)
	require.NotErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "write the checkpoint")
	require.Equal(t, 1, state.Step)
}

func TestAFolderHasOneTrainingAtATime(t *testing.T) {
	dir := t.TempDir()
	r := newRun(t, smallRun(nil))
	from, err := r.Begin()
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	_, err = (&Training{Run: r, Dir: dir, Progress: func(TrainingProgress) { cancel() }}).Do(ctx, from)
	require.ErrorIs(t, err, context.Canceled)

	kept, err := ReadCheckpointFile(dir)
	require.NoError(t, err)
	second := newRun(t, smallRun(func(o *TrainOptions) { o.Seed = seed(9) }))
	begun, err := second.Begin()
	require.NoError(t, err)
	refused := 0
	_, err = (&Training{Run: r, Dir: dir, Progress: func(TrainingProgress) {
		_, err := (&Training{Run: second, Dir: dir}).Do(context.Background(), begun)
		require.ErrorIs(t, err, ErrBusy)
		again, err := ReadCheckpointFile(dir)
		require.NoError(t, err, "the one who came late removed nothing")
		require.Equal(t, kept.Setup, again.Setup)
		refused++
	}}).Do(context.Background(), kept.State)
	require.NoError(t, err)
	require.Equal(t, r.Steps()-1, refused)
	_, err = (&Training{Run: second, Dir: dir}).Do(context.Background(), begun)
	require.NoError(t, err, "it is over")
	require.NoFileExists(t, filepath.Join(dir, lockFile))
}

func TestATrainingSaysHowLongItTakes(t *testing.T) {
	r := newRun(t, smallRun(nil))
	from, err := r.Begin()
	require.NoError(t, err)
	heard := 0
	work := &Training{Run: r, Dir: t.TempDir(), Estimated: func(all time.Duration) {
		heard++
		require.Positive(t, all)
		require.Zero(t, int64(all)%int64(r.Steps()), "each step that is to be taken counts")
	}}
	_, err = work.Do(context.Background(), from)
	require.NoError(t, err)
	require.Equal(t, 1, heard)
}

func TestALossCurveShowsBothLosses(t *testing.T) {
	var log []LossEntry
	colours := func() (loss, heldOut int) {
		img := LossCurve(log)
		for y := curveTop; y < curveHeight-curveBottom; y++ {
			for x := curveLeft; x < curveWidth; x++ {
				switch img.At(x, y) {
				case lossColour:
					loss++
				case heldOutColour:
					heldOut++
				}
			}
		}
		return loss, heldOut
	}
	loss, heldOut := colours()
	require.Zero(t, loss+heldOut, "nothing yet")
	for i := range 50 {
		log = append(log, LossEntry{Step: 1 + i*10, Loss: 2 / float64(i+1)})
	}
	loss, heldOut = colours()
	require.Greater(t, loss, 500)
	require.Zero(t, heldOut)
	other := .7
	log[10].HeldOut, log[40].HeldOut = &other, &other
	_, heldOut = colours()
	require.Greater(t, heldOut, 200)
	for _, extreme := range []float64{math.MaxFloat64, math.SmallestNonzeroFloat64, math.NaN(), math.Inf(1), -1} {
		log[3].Loss = extreme // a file may say so
		again, _ := colours()
		require.Greater(t, again, 500)
	}
	require.Equal(t, []float64{.5, 1, 2, 5}, lossTicks(.4, 6))
	require.GreaterOrEqual(t, len(lossTicks(1.1, 1.7)), 3)
}
