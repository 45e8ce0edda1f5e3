// Command rehearsal has a few members teach an artist the few pictures that each of them has,
// with and without rehearsal, and prints what the artist learned and what it forgot.
//
//	go run ./examples/rehearsal
//	go run ./examples/rehearsal -members 5 -pictures 4 -trainings 3 -sheet forgotten.png
//
// The members train the embedded artist one training after another, as a network does: each
// learns for some steps on its own pictures, clips and rounds the change, and the changes are
// averaged (package model/federated; masks change no bit of the sum, as examples/federated
// shows). Without rehearsal an artist forgets what those pictures are not of; with it a share
// of each step is what the artist before the training draws by itself. The pictures are of
// things that the artist knows, as patterns and in colours in which it has not seen them.
//
// "own" is the mean cross-entropy of a place's colour in nats, over the members, on places
// of their pictures that they do not learn from. "unlike" counts, of 64 pictures of things
// that chance draws, those that are another picture to the eye: than by the artist at the
// beginning, and than by the version before, by which a node judges.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image/png"
	"io"
	"os"
	"os/signal"
	"text/tabwriter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// plan is what is asked for.
type plan struct {
	Members   int     `json:"members"`
	Pictures  int     `json:"pictures"` // of each member
	Trainings int     `json:"trainings"`
	Steps     int     `json:"steps"` // of a member in a training
	Batch     int     `json:"batch"` // pictures of a step
	Rate      float64 `json:"rate"`
	Rehearse  float64 `json:"rehearse"`
	Clip      float64 `json:"clip"`
	Seed      uint64  `json:"seed"`
	workers   int
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	var p plan
	var asJSON bool
	var sheet string
	flags := flag.NewFlagSet("rehearsal", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.IntVar(&p.Members, "members", 3, "members, 1 to 64")
	flags.IntVar(&p.Pictures, "pictures", 2, "pictures of each member, at least 2")
	flags.IntVar(&p.Trainings, "trainings", 8, "trainings, one after another")
	flags.IntVar(&p.Steps, "steps", 10, "steps of a member in a training")
	flags.IntVar(&p.Batch, "batch", 16, "pictures of a step, 128 places of each")
	flags.Float64Var(&p.Rate, "rate", .001, "learning rate")
	flags.Float64Var(&p.Rehearse, "rehearse", .75, "share of a step that is rehearsed, 0.05 to 0.95")
	flags.Float64Var(&p.Clip, "clip", 5, "Euclidean norm to which a member's change is clipped")
	flags.Uint64Var(&p.Seed, "seed", 1, "of pictures' owners and training")
	flags.IntVar(&p.workers, "workers", 0, "goroutines of training, 0 means one for each core")
	flags.StringVar(&sheet, "sheet", "", "write pictures before, without and with rehearsal, row by row, to this PNG `file`")
	flags.BoolVar(&asJSON, "json", false, "print the results as JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := p.validate(flags.Args()); err != nil {
		return err
	}
	r, err := compare(ctx, p, func(format string, args ...any) { fmt.Fprintf(progress, format+"\n", args...) })
	if err != nil {
		return err
	}
	if sheet != "" {
		if err := r.draw(ctx, sheet); err != nil {
			return fmt.Errorf("-sheet: %w", err)
		}
	}
	if asJSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	return r.print(out)
}

func (p plan) validate(rest []string) error {
	for _, v := range []struct {
		flag         string
		got, low, up int
	}{
		{"members", p.Members, 1, 64}, {"pictures", p.Pictures, 2, 64}, {"trainings", p.Trainings, 1, 100},
		{"steps", p.Steps, 1, 1000}, {"batch", p.Batch, 1, 128},
	} {
		if v.got < v.low || v.got > v.up {
			return fmt.Errorf("-%s is %d, want %d to %d", v.flag, v.got, v.low, v.up)
		}
	}
	if !(p.Rate > 0 && p.Rate <= 1) {
		return fmt.Errorf("-rate is %g, want more than 0 and at most 1", p.Rate)
	}
	if !(p.Rehearse >= .05 && p.Rehearse <= .95) {
		return fmt.Errorf("-rehearse is %g, want 0.05 to 0.95: without rehearsal is compared with it anyway", p.Rehearse)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%q is not understood: there are only flags", rest[0])
	}
	return nil
}

func (r *report) print(out io.Writer) error {
	p := r.Plan
	fmt.Fprintf(out, "%d members with %d pictures each, %d trainings of %d steps on %d pictures at a rate of %g\n\n", p.Members, p.Pictures, p.Trainings, p.Steps, p.Batch, p.Rate)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\twithout\t\t\t%g rehearsed\t\t\t\n", p.Rehearse)
	fmt.Fprintln(w, "training\town\tunlike\tthe one before\town\tunlike\tthe one before\t")
	fmt.Fprintf(w, "none\t%.3f\t0\t\t%.3f\t0\t\t\n", r.Start, r.Start)
	for i, without := range r.Without {
		with := r.With[i]
		fmt.Fprintf(w, "%d\t%.3f\t%d\t%d\t%.3f\t%d\t%d\t\n", i+1, without.Own, without.Unlike, without.UnlikeBefore, with.Own, with.Unlike, with.UnlikeBefore)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "\nunlike: of %d pictures, those that are others than at the beginning, or than the one before drew\n", r.Pictures)
	return err
}

// draw writes a row of pictures by the artist at the beginning, one without and one with
// rehearsal.
func (r *report) draw(ctx context.Context, name string) error {
	img, err := r.sheet(ctx)
	if err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, img), f.Close())
}
