// Command bench measures the artists' renderer and trainer beside other people's
// runtimes on the same network, and prints the tables of BENCHMARKS.md:
//
//	npm install --ignore-scripts                          # ONNX Runtime; its library is in the package
//	apt-get install python3-torch libopenblas0-pthread    # PyTorch; OpenBLAS, else it is slow
//	go run . [-rounds 3] [-large] [-one] [-only NAMES]
//
// It is a module of its own, so that the main one needs none of this. Who is not
// installed is left out, with a line that says how to install it.
//
// The network is that of a picture of the genesis artist: 4 layers of 64 sines, 8
// logits, 25,856 operations a place (a multiplication and an addition are two; sines
// are left out). Every peer computes its logits at the centres of all pixels, in
// batches of 4096 places; ours also whole pictures with colours and antialiasing.
// Each measurement is a process of its own, which warms up and then tells its time;
// all of them take turns, and the best of the rounds counts; interrupted, it tells what
// it has. One thread is measured
// in processor time, which holds on a busy machine; two threads in seconds on the
// clock, which hold only on an idle one. Slow peers compute a sixteenth of a
// picture, and "~" marks what follows from that.
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/onnx"
)

// took is what a measurement says of itself.
type took struct {
	CPU  float64 `json:"cpu"`  // seconds of processor time, of all threads
	Wall float64 `json:"wall"` // seconds on the clock
}

// job is one measurement.
type job struct {
	peer    string
	size    int // edge of the picture; 0 for a training step or a peak
	threads int
}

// A peer is somebody who is measured.
type peer struct {
	name    string
	kind    string // network, picture, training, peak
	peak    string // against which its network counts
	slow    bool   // measured over a sixteenth of a picture, without 4096²
	missing string // how to install it; "" where it is there
	command func(j job) *exec.Cmd
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 && os.Args[1] == "measure" {
		if err := measure(os.Args[2:]); err != nil {
			log.Fatal(err)
		}
		return
	}
	rounds := flag.Int("rounds", 3, "turns that everybody takes")
	large := flag.Bool("large", false, "also 4096², once: some minutes more")
	one := flag.Bool("one", false, "one thread only: two tell nothing on a busy machine")
	only := flag.String("only", "", "peers to measure, joined by commas; all where empty")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *rounds, *large, *one, *only); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, rounds int, large, one bool, only string) error {
	dir, err := os.MkdirTemp("", "atelier-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := prepare(dir); err != nil {
		return err
	}
	all, err := peers(ctx, dir)
	if err != nil {
		return err
	}
	var jobs, once []job
	for _, p := range all {
		if only != "" && !slices.Contains(strings.Split(only, ","), p.name) {
			continue
		}
		if p.missing != "" {
			fmt.Printf("left out: %s is not installed: %s\n", p.name, p.missing)
			continue
		}
		switch p.kind {
		case "peak":
			jobs = append(jobs, job{p.name, 0, 1})
		case "training":
			jobs = append(jobs, job{p.name, 0, 1}, job{p.name, 0, 2})
		default:
			jobs = append(jobs, job{p.name, p.edge(), 1}, job{p.name, p.edge(), 2})
			if large && !p.slow {
				once = append(once, job{p.name, 4096, 1}, job{p.name, 4096, 2})
			}
		}
	}
	if one {
		two := func(j job) bool { return j.threads > 1 }
		jobs, once = slices.DeleteFunc(jobs, two), slices.DeleteFunc(once, two)
	}
	best, before := map[job]took{}, load()
	for round := range rounds {
		turn := jobs
		if round == rounds-1 {
			turn = append(slices.Clone(jobs), once...)
		}
		for i, j := range turn {
			fmt.Fprintf(os.Stderr, "\r\x1b[Kround %d of %d: %d of %d, %s", round+1, rounds, i+1, len(turn), j.peer)
			t, err := ask(find(all, j.peer).command(j))
			if ctx.Err() != nil { // what was measured until now is told
				fmt.Fprint(os.Stderr, "\r\x1b[K")
				report(all, best, before)
				return nil
			}
			if err != nil {
				return fmt.Errorf("%s: %w", j.peer, err)
			}
			if b, ok := best[j]; ok {
				t = took{min(b.CPU, t.CPU), min(b.Wall, t.Wall)}
			}
			best[j] = t
		}
	}
	fmt.Fprint(os.Stderr, "\r\x1b[K")
	report(all, best, before)
	return nil
}

// edge is that of the picture that a peer is measured with.
func (p peer) edge() int {
	if p.slow {
		return 256
	}
	return 1024
}

func find(all []peer, name string) peer {
	return all[slices.IndexFunc(all, func(p peer) bool { return p.name == name })]
}

// ask runs a measurement, whose last line is its answer.
func ask(c *exec.Cmd) (t took, err error) {
	var out, complaint bytes.Buffer
	c.Stdout, c.Stderr = &out, &complaint
	if err := c.Run(); err != nil {
		return t, fmt.Errorf("%w: %s", err, complaint.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	err = json.Unmarshal([]byte(lines[len(lines)-1]), &t)
	return t, err
}

// load is how many processes wait for the cores, where the system tells.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}

// subject is the picture whose network is measured.
func subject() (*kernel.Program, error) {
	return model.Embedded().Fold("red heart", sha256.Sum256([]byte("bench")))
}

// prepare writes the network in the forms that the peers read: ONNX, and plain
// float32 matrices in the order of the layers, each as inputs × outputs before its
// biases, in radians.
func prepare(dir string) error {
	p, err := subject()
	if err != nil {
		return err
	}
	logits, err := onnx.LogitsOf(p)
	if err != nil {
		return err
	}
	whole, err := onnx.FromProgram(p)
	if err != nil {
		return err
	}
	var plain []byte
	for _, l := range layers(p) {
		for _, v := range append(slices.Clone(l.w), l.b...) {
			plain = binary.LittleEndian.AppendUint32(plain, math.Float32bits(v))
		}
	}
	for name, raw := range map[string][]byte{"logits.onnx": logits, "picture.onnx": whole, "network.bin": plain} {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// operations of one place of the subject's network.
func operations(p *kernel.Program) float64 {
	h := p.Hidden
	return float64(2 * (2*h + (p.Layers-1)*h*h + p.Colours*h))
}

func report(all []peer, best map[job]took, before string) {
	p, err := subject()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("\n%s/%s, %s, %d cores, load %s before and %s after\n\n", runtime.GOOS, runtime.GOARCH, runtime.Version(), runtime.NumCPU(), before, load())
	w := tabwriter.NewWriter(os.Stdout, 0, 4, 1, ' ', 0)
	rate := map[string]float64{}
	fmt.Fprintln(w, "| peak of one core, registers alone\t| GOP/s\t|\n|---\t|---\t|")
	for _, peer := range all {
		if t, ok := best[job{peer.name, 0, 1}]; ok && peer.kind == "peak" {
			rate[peer.name] = peakOperations / t.CPU / 1e9
			fmt.Fprintf(w, "| %s\t| %.0f\t|\n", peer.peak, rate[peer.name])
		}
	}
	fmt.Fprintln(w, "\t\n| network alone, to logits\t| GOP/s per core\t| of peak\t| 1024², one core\t| two\t| 4096², one core\t| two\t|\n|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
	for _, kind := range []string{"network", "picture"} {
		if kind == "picture" {
			fmt.Fprintln(w, "\t\n| whole pictures, with colours\t| GOP/s per core\t|\t| 1024², one core\t| two\t| 4096², one core\t| two\t|\n|---\t|---\t|---\t|---\t|---\t|---\t|---\t|")
		}
		for _, peer := range all {
			one, ok := best[job{peer.name, peer.edge(), 1}]
			if peer.kind != kind || !ok {
				continue
			}
			gops := operations(p) * float64(peer.edge()*peer.edge()) / one.CPU / 1e9
			share := ""
			if r := rate[peer.peak]; r > 0 && kind == "network" {
				share = fmt.Sprintf("%.0f %%", 100*gops/r)
			}
			cell := func(size, threads int) string {
				about := ""
				t, ok := best[job{peer.name, size, threads}]
				if !ok && peer.slow {
					about = "~"
					t, ok = best[job{peer.name, peer.edge(), threads}]
					scale := float64(size*size) / float64(peer.edge()*peer.edge())
					t = took{t.CPU * scale, t.Wall * scale}
				}
				switch {
				case !ok:
					return "–"
				case threads == 1:
					return fmt.Sprintf("%s%.3g s", about, t.CPU)
				}
				return fmt.Sprintf("%s%.3g s", about, t.Wall)
			}
			fmt.Fprintf(w, "| %s\t| %.3g\t| %s\t| %s\t| %s\t| %s\t| %s\t|\n", peer.name, gops, share, cell(1024, 1), cell(1024, 2), cell(4096, 1), cell(4096, 2))
		}
	}
	fmt.Fprintln(w, "\t\n| training, places/s\t| one core\t| two threads, on the clock\t|\n|---\t|---\t|---\t|")
	for _, peer := range all {
		if one, ok := best[job{peer.name, 0, 1}]; ok && peer.kind == "training" {
			two := "–"
			if t, ok := best[job{peer.name, 0, 2}]; ok {
				two = fmt.Sprintf("%.0f", trainPlaces/t.Wall)
			}
			fmt.Fprintf(w, "| %s\t| %.0f\t| %s\t|\n", peer.name, trainPlaces/one.CPU, two)
		}
	}
	w.Flush()
}
