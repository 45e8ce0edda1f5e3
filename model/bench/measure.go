package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
	"gorgonia.org/tensor"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/engine"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/model/onnx"
)

const (
	batch          = 4096      // places a run
	peakOperations = 1e11      // that a peak is timed over
	trainPlaces    = 128 * 128 // of a training step
)

// peak is a loop that touches registers only, and its operations a turn.
type peak struct {
	name, what string
	loop       func(n int)
	operations int
}

// measure runs one measurement in this process and prints its time.
func measure(args []string) error {
	if len(args) != 4 {
		return errors.New("want measure WHAT SIZE THREADS KERNEL-TESTS")
	}
	what, of, _ := strings.Cut(args[0], ":")
	size, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	threads, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	p, err := subject()
	if err != nil {
		return err
	}
	var t took
	switch what {
	case "peak":
		for _, k := range peaks() {
			if k.name == of {
				n := int(peakOperations) / k.operations
				k.loop(n / 10)
				t = timed(func() { k.loop(n) })
			}
		}
	case "network":
		t, err = networkAlone(args[3], of, size, threads, operations(p))
	case "picture":
		o := kernel.Options{Workers: threads, Kernel: of}
		if _, err = kernel.Render(context.Background(), p, 128, 128, o); err == nil {
			t = timed(func() { _, err = kernel.Render(context.Background(), p, size, size, o) })
		}
	case "gonnx":
		t, err = gonnxPicture(p, size, threads)
	case "training":
		t, err = trainingStep(threads)
	case "gorgonia":
		t, err = plain(p, size, threads, gorgonia)
	case "gonum":
		t, err = plain(p, size, threads, gonum)
	default:
		err = fmt.Errorf("nothing is called %q", what)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(t)
}

func timed(f func()) took {
	cpu, wall := cpuTime(), time.Now()
	f()
	return took{(cpuTime() - cpu).Seconds(), time.Since(wall).Seconds()}
}

// cpuTime is what this process has computed so far, on all cores.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// networkAlone runs the kernel's own benchmark, once for each thread at a time,
// and turns its rate into the time of a picture.
func networkAlone(tests, name string, size, threads int, operations float64) (took, error) {
	batches := size * size / threads / 32
	var wg sync.WaitGroup
	rates, failed := make([]float64, threads), make([]error, threads)
	start := time.Now()
	for i := range threads {
		wg.Go(func() {
			c := exec.Command(tests, "-test.run", "^$", "-test.bench", "Network/H64-L4/"+name+"$", "-test.benchtime", strconv.Itoa(batches)+"x", "-test.cpu", "1")
			out, err := c.CombinedOutput()
			if failed[i] = err; err != nil {
				return
			}
			fields := strings.Fields(string(out))
			for k, f := range fields {
				if f == "GOP/s" {
					rates[i], failed[i] = strconv.ParseFloat(fields[k-1], 64)
				}
			}
			if rates[i] == 0 {
				failed[i] = fmt.Errorf("no rate in %q", out)
			}
		})
	}
	wg.Wait()
	wall := time.Since(start).Seconds()
	if err := errors.Join(failed...); err != nil {
		return took{}, err
	}
	sum := 0.
	for _, r := range rates {
		sum += r
	}
	cpu := operations * float64(size) * float64(size) / (sum / float64(threads)) / 1e9
	return took{cpu, wall}, nil
}

func gonnxPicture(p *kernel.Program, size, threads int) (t took, err error) {
	raw, err := onnx.FromProgram(p)
	if err != nil {
		return t, err
	}
	a, err := engine.OpenBytes(raw, engine.Options{})
	if err != nil {
		return t, err
	}
	program, err := a.Fold("", [32]byte{})
	if err != nil {
		return t, err
	}
	t = timed(func() {
		_, err = engine.Render(context.Background(), program, size, size, engine.RenderOptions{Workers: threads})
	})
	return t, errors.Join(err, a.Close())
}

// trainingStep is the least time of a step of the genesis artist's training, on
// the pictures that every artist carries, the drawing of the batch included.
func trainingStep(threads int) (best took, err error) {
	best = took{math.Inf(1), math.Inf(1)}
	cpu, wall := time.Duration(0), time.Time{}
	_, err = model.Train(context.Background(), pictures(), model.TrainOptions{
		Steps: 12, Workers: threads, Name: "bench", Seed: sha256.Sum256([]byte("bench")),
		Progress: func(step, _ int, _ float64) {
			if step > 4 {
				best = took{min(best.CPU, (cpuTime() - cpu).Seconds()), min(best.Wall, time.Since(wall).Seconds())}
			}
			cpu, wall = cpuTime(), time.Now()
		},
	})
	return best, err
}

func pictures() fs.FS { return os.DirFS("../genesis/pictures") }

// layer is a matrix, inputs × outputs, and its biases.
type layer struct {
	in, out int
	w, b    []float32
	sine    bool
}

// layers is the network of a picture in floats, the view folded in, phases in
// radians.
func layers(p *kernel.Program) []layer {
	h, v := p.Hidden, p.View
	first := layer{2, h, make([]float32, 2*h), make([]float32, h), true}
	for j := range h {
		x, y := float64(p.PhaseX[j])/kernel.SlopeOne, float64(p.PhaseY[j])/kernel.SlopeOne
		first.w[j] = float32(2 * math.Pi * (x*float64(v.XX) + y*float64(v.YX)) / kernel.ViewOne)
		first.w[h+j] = float32(2 * math.Pi * (x*float64(v.XY) + y*float64(v.YY)) / kernel.ViewOne)
		first.b[j] = float32(2 * math.Pi * (float64(p.PhaseC[j])/float64(kernel.FirstBiasOne) + (x*float64(v.X0)+y*float64(v.Y0))/kernel.CoordinateOne))
	}
	all := []layer{first}
	for l, weights := range p.Weights {
		next := layer{h, h, make([]float32, h*h), make([]float32, h), true}
		for j := range h {
			for i := range h {
				next.w[i*h+j] = float32(2 * math.Pi * float64(weights[j*h+i]) / kernel.WeightOne)
			}
			next.b[j] = float32(2 * math.Pi * float64(p.Biases[l][j]) / kernel.BiasOne)
		}
		all = append(all, next)
	}
	k := p.Colours
	head := layer{h, k, make([]float32, h*k), make([]float32, k), false}
	for c := range k {
		for i := range h {
			head.w[i*k+c] = float32(p.Head[c*h+i]) / kernel.HeadOne
		}
		head.b[c] = float32(p.HeadBias[c]) / kernel.LogitOne
	}
	return append(all, head)
}

// plain computes a picture's logits batch by batch with somebody's product of
// matrices and a loop of sines, as one would write it in Go.
func plain(p *kernel.Program, size, threads int, product func(a, w, out []float32, m, k, n int) error) (t took, err error) {
	net := layers(p)
	part := func(from, to int) error {
		buffers := [2][]float32{make([]float32, batch*p.Hidden), make([]float32, batch*p.Hidden)}
		places := make([]float32, 2*batch)
		for at := from; at < to; at += batch {
			for i := range batch {
				x, y := (at+i)%size, (at+i)/size
				places[2*i], places[2*i+1] = (float32(x)+.5)*2/float32(size)-1, (float32(y)+.5)*2/float32(size)-1
			}
			in := places
			for l, layer := range net {
				out := buffers[l%2][:batch*layer.out]
				if err := product(in, layer.w, out, batch, layer.in, layer.out); err != nil {
					return err
				}
				for i, v := range out {
					if v += layer.b[i%layer.out]; layer.sine {
						v = float32(math.Sin(float64(v)))
					}
					out[i] = v
				}
				in = out
			}
		}
		return nil
	}
	if err := part(0, batch); err != nil {
		return t, err
	}
	t = timed(func() {
		var wg sync.WaitGroup
		for i := range threads {
			wg.Go(func() {
				share := size * size / threads
				if failed := part(i*share, (i+1)*share); failed != nil {
					err = failed
				}
			})
		}
		wg.Wait()
	})
	return t, err
}

func gonum(a, w, out []float32, m, k, n int) error {
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, blas32.General{Rows: m, Cols: k, Stride: k, Data: a},
		blas32.General{Rows: k, Cols: n, Stride: n, Data: w}, 0, blas32.General{Rows: m, Cols: n, Stride: n, Data: out})
	return nil
}

func gorgonia(a, w, out []float32, m, k, n int) error {
	matrix := func(data []float32, rows, cols int) *tensor.Dense {
		return tensor.New(tensor.WithShape(rows, cols), tensor.WithBacking(data))
	}
	_, err := tensor.MatMul(matrix(a, m, k), matrix(w, k, n), tensor.WithReuse(matrix(out, m, n)))
	return err
}
