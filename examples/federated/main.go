// Command federated trains one artist by several peers who show their pictures to nobody,
// and prints how well it learns against training in one place.
//
//	go run ./examples/federated
//	go run ./examples/federated -peers 5 -rounds 10 -pictures 60 -json
//
// The embedded pictures are dealt out to the peers. In each round some peers drop out, in
// phases drawn by the seed; the others train for a few steps, clip and round what they
// learned, mask it, and add it up (packages model, model/federated and shamir/secagg: what
// a node runs). Every round's sum is compared, bit for bit, with the sum without masks.
//
// Figures are the mean cross-entropy of a place's colour in nats, on places of all pictures
// that nobody trains on. All runs begin with the same artist and, but for the peer alone,
// see the same number of places.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"
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
	Peers    int     `json:"peers"`
	Rounds   int     `json:"rounds"`
	Steps    int     `json:"steps"`    // of a peer in a round
	Batch    int     `json:"batch"`    // pictures of a step
	Pictures int     `json:"pictures"` // of all peers together
	Drop     int     `json:"drop"`     // percent of the peers that drop out of each round
	Clip     float64 `json:"clip"`
	Momentum float64 `json:"momentum"` // of the network's artist
	Rate     float64 `json:"rate"`
	Hidden   int     `json:"hidden"`
	Seed     uint64  `json:"seed"`
	workers  int
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	var p plan
	var asJSON bool
	flags := flag.NewFlagSet("federated", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.IntVar(&p.Peers, "peers", 10, "peers, 4 to 64")
	flags.IntVar(&p.Rounds, "rounds", 60, "rounds of federated training")
	flags.IntVar(&p.Steps, "steps", 10, "training steps of a peer in a round")
	flags.IntVar(&p.Batch, "batch", 8, "pictures of a step, 128 places of each")
	flags.IntVar(&p.Pictures, "pictures", 100, "pictures of all peers together")
	flags.IntVar(&p.Drop, "drop", 30, "percent of the peers that drop out of each round")
	flags.Float64Var(&p.Clip, "clip", 5, "Euclidean norm to which a peer's change is clipped")
	flags.Float64Var(&p.Momentum, "momentum", .5, "how much of the last round's change is made again, 0 to 0.95")
	flags.Float64Var(&p.Rate, "rate", .006, "learning rate of the first round; it falls to a tenth")
	flags.IntVar(&p.Hidden, "hidden", 32, "width of the artist's layers, a multiple of 16")
	flags.Uint64Var(&p.Seed, "seed", 1, "of pictures' owners, drop-outs and training")
	flags.IntVar(&p.workers, "workers", 0, "goroutines of training, 0 means one for each core")
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
		{"peers", p.Peers, 4, 64}, {"rounds", p.Rounds, 1, 1000}, {"steps", p.Steps, 1, 1000}, {"batch", p.Batch, 1, 128},
		{"pictures", p.Pictures, 2 * p.Peers, 4096}, {"drop", p.Drop, 0, 33},
	} {
		if v.got < v.low || v.got > v.up {
			return fmt.Errorf("-%s is %d, want %d to %d", v.flag, v.got, v.low, v.up)
		}
	}
	if !(p.Momentum >= 0 && p.Momentum <= .95) {
		return fmt.Errorf("-momentum is %g, want 0 to 0.95", p.Momentum)
	}
	if !(p.Rate > 0 && p.Rate <= 1) {
		return fmt.Errorf("-rate is %g, want more than 0 and at most 1", p.Rate)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%q is not understood: there are only flags", rest[0])
	}
	return nil
}

// report is what came of it.
type report struct {
	Plan       plan           `json:"plan"`
	Parameters int            `json:"parameters"`
	Threshold  int            `json:"threshold"`
	Start      float64        `json:"start"` // loss of the untrained artist
	Runs       []curve        `json:"runs"`
	Rounds     int            `json:"rounds"`
	BitEqual   int            `json:"bit_equal"`  // rounds whose sum was that without masks
	Gone       map[string]int `json:"gone"`       // peers that dropped out, by the phase in which they did
	Survivors  int            `json:"survivors"`  // changes that were counted, in all rounds
	Clipped    int            `json:"clipped"`    // of them, those that were longer than the clip
	Ledger     int            `json:"ledger"`     // bytes of messages in a round, on average
	File       int            `json:"file"`       // bytes of a peer's masked change
	Masking    time.Duration  `json:"masking_ns"` // of everything but training, in a round, for all peers
	Training   time.Duration  `json:"training_ns"`
}

// curve is the loss of one run after so many rounds.
type curve struct {
	Name  string          `json:"name"`
	Loss  map[int]float64 `json:"loss"`
	Final float64         `json:"final"`
}

func (r *report) print(w io.Writer) error {
	p := r.Plan
	fmt.Fprintf(w, "%d peers with %d pictures, %d rounds of %d steps on %d pictures; %d numbers; %d %% drop out of each round, %d have to stay\n\n",
		p.Peers, p.Pictures, p.Rounds, p.Steps, p.Batch, r.Parameters, p.Drop, r.Threshold)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	at := checkpoints(p.Rounds)
	fmt.Fprint(t, "after rounds\t")
	for _, n := range at {
		fmt.Fprintf(t, "%d\t", n)
	}
	fmt.Fprintln(t)
	for _, c := range r.Runs {
		fmt.Fprintf(t, "%s\t", c.Name)
		for _, n := range at {
			if loss, ok := c.Loss[n]; ok {
				fmt.Fprintf(t, "%.3f\t", loss)
			} else {
				fmt.Fprint(t, "\t")
			}
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nThe untrained artist has %.3f. In %d of %d rounds the masked sum was the plain sum, bit for bit.\n"+
		"%d changes were counted, %d of them clipped. A round took %d bytes on the ledger and a file of %d bytes from each peer,\n"+
		"and for all peers together %.2f s of masking and adding up beside %.2f s of training.\nDropped out, by phase: %v\n",
		r.Start, r.BitEqual, r.Rounds, r.Survivors, r.Clipped, r.Ledger, r.File, r.Masking.Seconds()/float64(r.Rounds), r.Training.Seconds()/float64(r.Rounds), r.Gone)
	return err
}

// checkpoints are the rounds after which losses are measured: up to four.
func checkpoints(rounds int) (out []int) {
	for i := 1; i <= 4; i++ {
		if n := rounds * i / 4; n > 0 && (len(out) == 0 || out[len(out)-1] != n) {
			out = append(out, n)
		}
	}
	return out
}
