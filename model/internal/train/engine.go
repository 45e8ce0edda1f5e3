package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gorgonia.org/gorgonia"
)

// Options of a training run.
type Options struct {
	Steps    int // of the whole run
	Seed     [32]byte
	Workers  int     // goroutines of the trunk, of which [Most] have work; they do not change the result
	Rate     float64 // Adam's first learning rate; it falls along a cosine to 2 %
	Constant bool    // keep the rate as it is: for a run that is a part of a longer one
	Noise    float64 // standard deviation added to each number of z
	Groups   int     // pictures in a batch
	Points   int     // places in each of them
	Taste    Taste
	// Only are rows of the embedding that are all that is learned; nil learns everything.
	Only []int
	// Rehearsal keeps an artist from forgetting what it draws already.
	Rehearsal Rehearsal
	// Every is the number of steps between measurements on held-out places. With
	// 0 nothing is held out.
	Every int
	// Patience ends the run after so many measurements without a new best one; 0 never does.
	Patience int
}

// Most is the number of workers that have something to do.
const Most = chunks

// Adam's decay of the means, and that of the loss that is shown.
const (
	meanDecay   = .9
	squareDecay = .99
	shownDecay  = .97
)

// ErrDiverged reports a run whose loss stopped being a number.
var ErrDiverged = errors.New("training went astray: try another seed")

// Engine takes the steps of one run: graph, tape machine, optimiser and batches.
// It holds nothing of the run itself: that is a [State], which goes in and comes
// out. It is for one goroutine.
type Engine struct {
	shape      Shape
	o          Options
	graph      *graph
	machine    gorgonia.VM
	solver     *adam
	still      map[string][][2]int // by tensor, the ranges of its numbers that stay 0; see [Shape.still]
	learned    *drawn              // the batch of the next step
	spare      *drawn
	heldOut    *batch      // nil where nothing is held out
	rehearsing *rehearsing // nil where nothing is rehearsed
}

// drawn is a batch with where its random stream stood before and after it.
type drawn struct {
	*batch
	before, after []byte
	err           error
}

// New prepares a run on pictures, whose features are those of the embedding.
func New(s Shape, features []string, pictures []Picture, o Options) (*Engine, error) {
	if len(pictures) == 0 {
		return nil, fmt.Errorf("%w: none given", ErrPicture)
	}
	if s.Features != len(features) {
		return nil, fmt.Errorf("train: %d features named, shape has %d", len(features), s.Features)
	}
	n, err := newGraph(s, s.zeros(), o.Groups, o.Points, o.Workers, true)
	if err != nil {
		return nil, err
	}
	if _, err := gorgonia.Grad(n.loss, n.parameters...); err != nil {
		return nil, fmt.Errorf("train: differentiate: %w", err)
	}
	e := &Engine{shape: s, o: o, graph: n, still: s.still(features), solver: &adam{beta1: meanDecay, beta2: squareDecay}}
	for _, slot := range s.Slots() {
		e.solver.mean = append(e.solver.mean, make([]float32, slot.Rows*slot.Cols))
		e.solver.square = append(e.solver.square, make([]float32, slot.Rows*slot.Cols))
	}
	which := allPlaces
	if o.Every > 0 {
		// The same places whatever the seed, so that runs can be compared.
		e.heldOut = newBatch(s, o.Groups, o.Points, features, pictures, o.Taste, heldOutPlaces)
		if err := e.heldOut.draw(rand.New(rand.NewPCG(1, 1)), 0); err != nil {
			return nil, err
		}
		which = learnedPlaces
	}
	e.learned = &drawn{batch: newBatch(s, o.Groups, o.Points, features, pictures, o.Taste, which)}
	e.spare = &drawn{batch: newBatch(s, o.Groups, o.Points, features, pictures, o.Taste, which)}
	if e.rehearsing, err = rehearsal(s, features, e.learned.batch, o); err != nil {
		return nil, err
	}
	e.learned.rehearsing, e.spare.rehearsing = e.rehearsing, e.rehearsing
	e.machine = gorgonia.NewTapeMachine(n.g, gorgonia.BindDualValues(n.parameters...))
	return e, nil
}

// Close frees the tape machines.
func (e *Engine) Close() error {
	if e.rehearsing != nil {
		if err := e.rehearsing.machine.Close(); err != nil {
			return err
		}
	}
	return e.machine.Close()
}

// Begin is the state before the first step.
func (e *Engine) Begin(start Weights) (State, error) {
	random, err := rand.NewChaCha8(e.o.Seed).MarshalBinary()
	if err != nil {
		return State{}, err
	}
	start = start.clone()
	for name, ranges := range e.still {
		for _, r := range ranges {
			clear(start[name].Data[r[0]:r[1]])
		}
	}
	s := State{Weights: start, Mean: e.shape.zeros(), Square: e.shape.zeros(), Random: random}
	return s, s.fits(e.shape)
}

// Ended reports whether the run is over: all steps are taken, or the patience is
// at its end.
func Ended(o Options, p Progress) bool {
	return p.Step >= o.Steps || o.Patience > 0 && o.Every > 0 && p.Best.Step > 0 && p.Step-p.Best.Step >= o.Patience*o.Every
}

// Fits checks that a state is one of the engine's shape. Errors wrap [ErrState].
func (e *Engine) Fits(s State) error { return s.fits(e.shape) }

// Advance takes steps from a state until the run has so many or has ended, and
// returns the state that it reached; from is left alone. It depends on the state,
// the shape, the pictures and the options, on nothing that an Engine did before
// and not on the number of workers. When ctx ends, it returns what it reached
// with the error of ctx. Heard, where not nil, is called after each step.
func (e *Engine) Advance(ctx context.Context, from State, until int, heard func(Progress)) (State, error) {
	if err := from.fits(e.shape); err != nil {
		return from, err
	}
	e.load(from)
	s := State{Progress: from.Progress, Random: from.Random, BestWeights: from.BestWeights}
	var failed error
	for s.Step < until && !Ended(e.o, s.Progress) && failed == nil {
		if failed = ctx.Err(); failed != nil {
			break
		}
		if failed = e.step(&s); failed == nil && heard != nil {
			heard(s.Progress)
		}
	}
	if failed != nil && ctx.Err() == nil {
		return from, failed
	}
	e.save(&s)
	return s, failed
}

// step learns from one batch, while the next one is drawn.
func (e *Engine) step(s *State) error {
	if !bytes.Equal(e.learned.before, s.Random) {
		e.learned.draw(s.Random, e.o.Noise)
	}
	now := e.learned
	if now.err != nil {
		return now.err
	}
	done := make(chan struct{})
	ahead := func() {
		e.spare.draw(now.after, e.o.Noise)
		close(done)
	}
	if e.o.Workers > 1 {
		go ahead()
	}
	loss, err := e.run(now.batch)
	if e.o.Workers > 1 {
		<-done
		e.learned, e.spare = e.spare, e.learned
	}
	if err != nil {
		return fmt.Errorf("train: step %d: %w", s.Step, err)
	}
	e.solver.rate = e.o.Rate
	if !e.o.Constant {
		e.solver.rate *= rate(s.Step, e.o.Steps)
	}
	for i, slot := range e.shape.Slots() {
		grad, err := e.graph.parameters[i].Grad()
		if err != nil {
			return fmt.Errorf("train: step %d: %w", s.Step, err)
		}
		for _, r := range e.still[slot.Name] {
			clear(floats(grad)[r[0]:r[1]])
		}
		if e.o.Only != nil {
			e.hold(slot, floats(grad))
		}
	}
	if err := e.solver.Step(gorgonia.NodesToValueGrads(e.graph.parameters)); err != nil {
		return fmt.Errorf("train: step %d: %w", s.Step, err)
	}
	e.machine.Reset()
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("%w (step %d)", ErrDiverged, s.Step)
	}
	if s.Step == 0 {
		s.Loss = loss
	}
	s.Loss += (loss - s.Loss) * (1 - shownDecay)
	s.Step++
	s.Random = now.after
	if e.heldOut != nil && (s.Step%e.o.Every == 0 || s.Step == e.o.Steps) {
		return e.measure(s)
	}
	return nil
}

// hold clears the gradient of what is not to learn.
func (e *Engine) hold(slot Slot, grad []float32) {
	for row := range slot.Rows {
		if slot.Name != "embed" || !slices.Contains(e.o.Only, row) {
			clear(grad[row*slot.Cols:][:slot.Cols])
		}
	}
}

// run computes loss and gradients of a batch.
func (e *Engine) run(b *batch) (loss float64, err error) {
	n := e.graph
	if err := n.feed(b.features, b.noise, b.places, b.labels, b.palette, b.mask); err != nil {
		return 0, err
	}
	if err := e.machine.RunAll(); err != nil {
		return 0, err
	}
	return float64(n.lossValue.Data().(float32)), nil
}

// measure computes the loss on places that training does not see, and keeps the
// weights where it is the least so far.
func (e *Engine) measure(s *State) error {
	loss, err := e.run(e.heldOut)
	if err != nil {
		return fmt.Errorf("train: measure after step %d: %w", s.Step, err)
	}
	for _, p := range e.graph.parameters {
		grad, err := p.Grad()
		if err != nil {
			return fmt.Errorf("train: measure after step %d: %w", s.Step, err)
		}
		clear(floats(grad)) // the machine adds to it
	}
	e.machine.Reset()
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("%w (after step %d)", ErrDiverged, s.Step)
	}
	s.Last = Measurement{s.Step, loss}
	if s.Best.Step == 0 || loss < s.Best.Loss {
		s.Best, s.BestWeights = s.Last, e.weights()
	}
	return nil
}

// load puts a state into graph and optimiser.
func (e *Engine) load(s State) {
	e.solver.steps = s.Step
	for i, slot := range e.shape.Slots() {
		copy(floats(e.graph.parameters[i].Value()), s.Weights[slot.Name].Data)
		copy(e.solver.mean[i], s.Mean[slot.Name].Data)
		copy(e.solver.square[i], s.Square[slot.Name].Data)
	}
}

// save takes copies of what graph and optimiser hold.
func (e *Engine) save(s *State) {
	s.Weights, s.Mean, s.Square = e.weights(), e.shape.zeros(), e.shape.zeros()
	for i, slot := range e.shape.Slots() {
		copy(s.Mean[slot.Name].Data, e.solver.mean[i])
		copy(s.Square[slot.Name].Data, e.solver.square[i])
	}
}

func (e *Engine) weights() Weights {
	w := e.shape.zeros()
	for i, slot := range e.shape.Slots() {
		copy(w[slot.Name].Data, floats(e.graph.parameters[i].Value()))
	}
	return w
}

// draw fills the batch with what comes at a place of the random stream.
func (d *drawn) draw(random []byte, noise float64) {
	stream := new(rand.ChaCha8)
	if d.err = stream.UnmarshalBinary(random); d.err != nil {
		return
	}
	if d.err = d.batch.draw(rand.New(stream), noise); d.err != nil {
		return
	}
	d.before = random
	d.after, d.err = stream.MarshalBinary()
}

// rate warms up over 2 % of the run and then falls along a cosine to 2 %.
func rate(step, steps int) float64 {
	at := float64(step) / float64(max(1, steps))
	return min(1, (at+.0005)/.02) * (.02 + .98*.5*(1+math.Cos(math.Pi*at)))
}

// Run trains from start to the end and returns the weights that it reached;
// start is left alone. See [Engine.Advance].
func Run(ctx context.Context, s Shape, start Weights, features []string, pictures []Picture, o Options) (Weights, error) {
	e, err := New(s, features, pictures, o)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	state, err := e.Begin(start)
	if err != nil {
		return nil, err
	}
	if state, err = e.Advance(ctx, state, o.Steps, nil); err != nil {
		return nil, err
	}
	return state.Weights, nil
}
