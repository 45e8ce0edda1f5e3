// Command custody-attacks plays the adversary suite against committees of several
// sizes, as often as asked, and prints what became of each attack.
//
//	go run ./examples/custody-attacks -n 4,7,16 -seeds 1000
//	go run ./examples/custody-attacks -n 4 -attack "a dealer posts nothing" -seed 17
//
// A long run can be cut into pieces, which -merge puts together:
//
//	go run ./examples/custody-attacks -n 16 -first 0 -seeds 500 -json >one.json
//	go run ./examples/custody-attacks -n 16 -first 500 -seeds 500 -json >two.json
//	go run ./examples/custody-attacks -merge one.json two.json
//
// Every run is decided by attack, size and seed. A run that breaks an invariant is
// printed with the command that plays it again; then the exit code is 1.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/atelier-dao/atelier/shamir/attack"
)

// errBroken ends the program with 1: it has been printed already.
var errBroken = errors.New("an invariant is broken")

func main() {
	switch err := run(os.Args[1:], os.Stdout, os.Stderr); {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errBroken):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

// order is what is asked for.
type order struct {
	sizes        []int
	seeds, first uint64
	limit        time.Duration
	attacks      []attack.Attack
	workers      int
	json         bool
	merge        []string // files to put together, and nothing to play
}

func run(args []string, out, progress io.Writer) error {
	o, err := parse(args, out)
	if err != nil || o == nil {
		return err
	}
	var r *report
	if len(o.merge) > 0 {
		if r, err = merge(o.merge); err != nil {
			return err
		}
	} else {
		r = o.play(progress)
	}
	if o.json {
		err = json.NewEncoder(out).Encode(r)
	} else {
		err = r.print(out)
	}
	if err == nil && len(r.Broken) > 0 {
		err = errBroken
	}
	return err
}

func parse(args []string, out io.Writer) (*order, error) {
	o := &order{attacks: attack.All()}
	f := flag.NewFlagSet("custody-attacks", flag.ContinueOnError)
	f.SetOutput(out)
	sizes := f.String("n", "4,7", "sizes of the committee, from 4 to 64, with commas")
	name := f.String("attack", "", "play this attack only")
	seed := f.Int64("seed", -1, "play this seed only")
	list := f.Bool("list", false, "list the attacks and play none")
	f.Uint64Var(&o.seeds, "seeds", 10, "how many seeds to play")
	f.Uint64Var(&o.first, "first", 0, "the first seed, so that a long run can be cut in pieces")
	f.DurationVar(&o.limit, "limit", 0, "begin no seed after this time; 0 is no limit")
	f.IntVar(&o.workers, "workers", runtime.GOMAXPROCS(0), "how many worlds to play at a time")
	f.BoolVar(&o.json, "json", false, "print JSON")
	together := f.Bool("merge", false, "play none; put together the files that -json has printed")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if *together {
		if o.merge = f.Args(); len(o.merge) == 0 {
			return nil, errors.New("-merge needs the files to put together")
		}
		return o, nil
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected %q: options begin with a dash, and names of attacks go in quotes", f.Arg(0))
	}
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 4 || n > 64 {
			return nil, fmt.Errorf("size %q: give numbers from 4 to 64, as in -n 4,7,16", s)
		}
		o.sizes = append(o.sizes, n)
	}
	if o.workers < 1 || o.seeds < 1 {
		return nil, errors.New("-workers and -seeds begin at 1")
	}
	if *seed >= 0 {
		o.first, o.seeds = uint64(*seed), 1
	}
	if *name != "" {
		a, err := attack.Find(*name)
		if err != nil {
			return nil, err
		}
		o.attacks = []attack.Attack{a}
	}
	if *list {
		for _, a := range o.attacks {
			fmt.Fprintf(out, "%-12s  %s\n", a.Role, a.Name)
		}
		return nil, nil
	}
	return o, nil
}

// report is what came of it all.
type report struct {
	Runs    int          `json:"runs"`
	Seconds float64      `json:"seconds"`
	Sizes   []size       `json:"sizes"`
	Attacks []row        `json:"attacks"`
	Broken  []brokenPlay `json:"broken"`
}

// size is how many seeds were played with a committee.
type size struct {
	N     int    `json:"n"`
	First uint64 `json:"first_seed"`
	Seeds uint64 `json:"seeds"`
}

// row is one attack with its outcomes, by size of the committee.
type row struct {
	Attack   string                         `json:"attack"`
	Role     attack.Role                    `json:"role"`
	Outcomes map[int]map[attack.Outcome]int `json:"outcomes"`
}

type brokenPlay struct {
	attack.Result
	Replay string `json:"replay"`
	Alone  bool   `json:"alone"` // it breaks too when nothing is played before it
}

// play runs the seeds in turn, each with all attacks on all sizes, so that a run
// that is cut short has played whole seeds.
func (o *order) play(progress io.Writer) *report {
	r := &report{Broken: []brokenPlay{}}
	for _, a := range o.attacks {
		r.Attacks = append(r.Attacks, row{a.Name, a.Role, map[int]map[attack.Outcome]int{}})
	}
	type world struct {
		n    int
		seed uint64
	}
	var mu sync.Mutex // guards r, played and next
	played, next := map[int]uint64{}, 0
	start := time.Now()
	total := int(o.seeds) * len(o.sizes)
	var wg sync.WaitGroup
	for range o.workers {
		wg.Go(func() {
			for {
				mu.Lock()
				// A seed is begun with all sizes or with none.
				over := o.limit > 0 && time.Since(start) > o.limit && next%len(o.sizes) == 0
				if next == total || over {
					mu.Unlock()
					return
				}
				w := world{o.sizes[next%len(o.sizes)], o.first + uint64(next/len(o.sizes))}
				next++
				mu.Unlock()

				results := o.world(w.n, w.seed)

				mu.Lock()
				played[w.n]++
				for i, result := range results {
					r.add(i, o.attacks[i], result)
				}
				done := 0
				for _, k := range played {
					done += int(k)
				}
				if step := max(1, total/100); done%step == 0 || done == total {
					fmt.Fprintf(progress, "%d of %d worlds, %d runs, %d broken, %s\n", done, total, r.Runs, len(r.Broken), time.Since(start).Round(time.Second))
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	for _, n := range o.sizes {
		r.Sizes = append(r.Sizes, size{n, o.first, played[n]})
	}
	r.Seconds = time.Since(start).Seconds()
	return r
}

// world plays all attacks in one world; a broken one gets a new world after it.
func (o *order) world(n int, seed uint64) (results []attack.Result) {
	w := attack.NewWorld(n, seed)
	for _, a := range o.attacks {
		r := a.Against(w)
		if len(r.Broken) > 0 {
			w = attack.NewWorld(n, seed)
		}
		results = append(results, r)
	}
	return results
}

func (r *report) add(i int, a attack.Attack, result attack.Result) {
	r.Runs++
	outcomes := r.Attacks[i].Outcomes
	if outcomes[result.N] == nil {
		outcomes[result.N] = map[attack.Outcome]int{}
	}
	if len(result.Broken) == 0 {
		outcomes[result.N][result.Outcome]++
		return
	}
	outcomes[result.N]["BROKEN"]++
	alone := attack.Play(a, result.N, result.Seed)
	r.Broken = append(r.Broken, brokenPlay{result, result.Replay(), len(alone.Broken) > 0})
}

func (r *report) print(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| role | attack |")
	var sizes []int
	for _, s := range r.Sizes {
		if !slices.Contains(sizes, s.N) {
			sizes = append(sizes, s.N)
			fmt.Fprintf(&b, " n=%d |", s.N)
		}
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(sizes)) + "\n")
	for _, a := range r.Attacks {
		fmt.Fprintf(&b, "| %s | %s |", a.Role, a.Attack)
		for _, n := range sizes {
			fmt.Fprintf(&b, " %s |", cell(a.Outcomes[n]))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
	for _, s := range r.Sizes {
		fmt.Fprintf(&b, "n=%d: seeds %d to %d\n", s.N, s.First, s.First+max(s.Seeds, 1)-1)
	}
	fmt.Fprintf(&b, "%d attacks, %d runs, %d broken, %.0f s\n", len(r.Attacks), r.Runs, len(r.Broken), r.Seconds)
	for _, p := range r.Broken {
		fmt.Fprintf(&b, "\nBROKEN: %s, n=%d, seed %d\n", p.Attack, p.N, p.Seed)
		for _, what := range p.Broken {
			fmt.Fprintf(&b, "  %s\n", what)
		}
		if !p.Alone {
			b.WriteString("  (only after other attacks in the same world)\n")
		}
		fmt.Fprintf(&b, "  %s\n", p.Replay)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// cell names the outcomes with how often each came, the most frequent first; one
// alone needs no number.
func cell(outcomes map[attack.Outcome]int) string {
	names := slices.Sorted(maps.Keys(outcomes))
	slices.SortStableFunc(names, func(a, b attack.Outcome) int { return outcomes[b] - outcomes[a] })
	if len(names) == 1 {
		return string(names[0])
	}
	var parts []string
	for _, o := range names {
		parts = append(parts, fmt.Sprintf("%s %d×", o, outcomes[o]))
	}
	return strings.Join(parts, ", ")
}
