package model

import (
	"context"
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/latent"
)

// A Learner is a member's own side of training an artist together: its pictures, and the
// latents of what only it knows, which stay with it. It is for one goroutine.
type Learner struct {
	pictures []train.Picture
	own      []string // features of the pictures, in order
	home     map[string][]float32
	workers  int
	batch    int
}

// LearnerOptions say how a learner works.
type LearnerOptions struct {
	Workers int // goroutines, 0 means GOMAXPROCS; they do not change the result
	Batch   int // pictures that a step learns from, 128 places of each; 0 means 16
	// Home are latents that a learner of these pictures kept before; see [Learner.Home].
	Home map[string][]float32
	// Skipped, where not nil, hears of each file that is left out.
	Skipped func(name string, why error)
}

// NewLearner reads a member's pictures, as [Train] does, to train an artist of base's
// size together with others. Names may have words that base does not know. Errors wrap
// [ErrPictures].
func NewLearner(ctx context.Context, base *Artist, pictures fs.FS, o LearnerOptions) (*Learner, error) {
	if o.Batch == 0 {
		o.Batch = 16
	}
	if o.Batch < 1 || o.Batch > groups {
		return nil, fmt.Errorf("a batch of %d pictures, want 1 to %d", o.Batch, groups)
	}
	set, err := (&folder{fs: pictures, colours: base.config.Colours, skipped: o.Skipped}).read(ctx)
	if err != nil {
		return nil, err
	}
	l := &Learner{pictures: set.pictures, own: train.Features(set.pictures), home: map[string][]float32{}, workers: workers(o.Workers), batch: o.Batch}
	for word, row := range o.Home {
		for _, x := range row {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return nil, fmt.Errorf("the kept latent of %q is no numbers: leave it out", word)
			}
		}
		l.home[word] = slices.Clone(row)
	}
	return l, nil
}

// Pictures is how many the learner has.
func (l *Learner) Pictures() int { return len(l.pictures) }

// Home are the latents that stay with the member, by word: of words that the artist does
// not know, and of pictures without a name. They are kept for the next round.
func (l *Learner) Home() map[string][]float32 {
	out := map[string][]float32{}
	for word, row := range l.home {
		out[word] = slices.Clone(row)
	}
	return out
}

// LearnOptions are those of one member's part in one round.
type LearnOptions struct {
	Steps int      // a few: many short rounds are better than few long ones
	Rate  float64  // Adam's learning rate; 0 means 0.006
	Seed  [32]byte // secret, of the batches
	// Rehearse is the share of a step's pictures that base draws itself, of things that
	// the own pictures do not teach, so that it does not forget them; see TrainOptions.
	Rehearse float64
	// Falling has the rate fall along a cosine to 2 % over the steps, for a training that
	// is no part of a longer one.
	Falling bool
	// Progress, where not nil, hears of each step that is done, those for new words included.
	Progress func(step, steps int)
}

// Learned is what training changed.
type Learned struct {
	// Change of each number of the artist, in the order of its tensors: what it became
	// less what it was. Package federated makes a round's input of it.
	Change []float64
	// Loss on places that no member learns from, of the own pictures, afterwards: mean
	// cross-entropy of a place's colour in nats.
	Loss float64
}

// What a learner does before the steps that it is asked for, where it has words that base
// does not know and that it has no latents of at home: it finds those, while all else holds
// still. From latents by chance a picture has a loss so large that the first steps would
// tear the artist.
//
// Source: Gal et al., "An Image is Worth One Word: Personalizing Text-to-Image Generation
// using Textual Inversion", ICLR 2023.
const (
	wordSteps = 20
	wordRate  = .05
)

// Learn trains from base for a few steps on the own pictures. It depends on base,
// pictures, latents at home and options, on machines with the same vector instructions.
func (l *Learner) Learn(ctx context.Context, base *Artist, o LearnOptions) (Learned, error) {
	if o.Rate == 0 {
		o.Rate = 6e-3
	}
	if o.Steps < 1 {
		return Learned{}, fmt.Errorf("%d training steps, want at least 1", o.Steps)
	}
	if !(o.Rehearse >= 0 && o.Rehearse <= MaxRehearse) {
		return Learned{}, fmt.Errorf("a share of %g to rehearse, want 0 to %g", o.Rehearse, MaxRehearse)
	}
	shape, features, start := l.extend(base)
	steps, done := o.Steps, 0
	heard := func(p train.Progress) {
		if o.Progress != nil {
			o.Progress(done+p.Step, steps)
		}
	}
	var fresh []int
	for i, f := range features[base.vocabulary.Size():] {
		if len(l.home[f]) != shape.Latent {
			fresh = append(fresh, base.vocabulary.Size()+i)
		}
	}
	words := start
	if fresh != nil {
		steps += wordSteps
		state, err := l.run(ctx, shape, features, start, train.Options{Steps: wordSteps, Rate: wordRate, Groups: l.batch, Only: fresh,
			Seed: chance.New("words", o.Seed[:]).Key()}, heard)
		if err != nil {
			return Learned{}, err
		}
		words, done = state.Weights, wordSteps
	}
	var rehearsal train.Rehearsal
	if o.Rehearse > 0 {
		rehearsal = train.Rehearsal{Share: o.Rehearse, Before: words, Things: base.vocabulary.Things()}
	}
	state, err := l.run(ctx, shape, features, words, train.Options{Steps: o.Steps, Rate: o.Rate, Constant: !o.Falling, Groups: l.batch, Rehearsal: rehearsal,
		Seed: chance.New("learn", o.Seed[:]).Key()}, heard)
	if err != nil {
		return Learned{}, err
	}
	out := Learned{Change: make([]float64, 0, base.config.shape(base.vocabulary.Size()).Parameters()), Loss: state.Last.Loss}
	for _, slot := range base.config.shape(base.vocabulary.Size()).Slots() {
		before, after := start[slot.Name].Data, state.Weights[slot.Name].Data
		for i := range slot.Rows * slot.Cols {
			out.Change = append(out.Change, float64(after[i])-float64(before[i]))
		}
	}
	rows := state.Weights["embed"]
	for i, f := range features[base.vocabulary.Size():] {
		l.home[f] = slices.Clone(rows.Data[(base.vocabulary.Size()+i)*rows.Cols:][:rows.Cols])
	}
	return out, nil
}

// Loss is the mean cross-entropy of a place's colour in nats, for an artist on places of
// the own pictures that no member learns from. The places are the same in every call.
func (l *Learner) Loss(ctx context.Context, a *Artist) (float64, error) {
	shape, features, start := l.extend(a)
	// A step at rate 0 changes nothing, and measures afterwards.
	state, err := l.run(ctx, shape, features, start, train.Options{Steps: 1, Groups: groups}, nil)
	return state.Last.Loss, err
}

// run takes all steps, and measures after the last.
func (l *Learner) run(ctx context.Context, shape train.Shape, features []string, start train.Weights, o train.Options, heard func(train.Progress)) (train.State, error) {
	o.Workers, o.Noise, o.Points, o.Every = l.workers, .08, points, o.Steps
	e, err := train.New(shape, features, l.pictures, o)
	if err != nil {
		return train.State{}, err
	}
	defer e.Close()
	state, err := e.Begin(start)
	if err != nil {
		return train.State{}, err
	}
	return e.Advance(ctx, state, o.Steps, heard)
}

// extend is an artist with rows for what only this learner knows. An artist's rows for
// pictures without a name are of other pictures, so they go by no name here.
func (l *Learner) extend(a *Artist) (train.Shape, []string, train.Weights) {
	features := a.vocabulary.Features()
	known := map[string]bool{}
	for i, f := range features {
		if strings.HasPrefix(f, latent.PicturePrefix) {
			features[i] = ""
		}
		for _, name := range latent.NamesOf(features[i]) {
			known[name] = true
		}
	}
	w := maps.Clone(a.floats())
	embed := w["embed"]
	for _, f := range l.own {
		if _, ok := latent.Known(latent.NamesOf(f), func(name string) bool { return known[name] }); ok || known[f] {
			continue
		}
		row, kept := l.home[f]
		if !kept || len(row) != embed.Cols {
			row = unlearned(f, embed.Cols)
		}
		features = append(features, f)
		embed.Data = append(embed.Data, row...)
		embed.Rows++
	}
	w["embed"] = embed
	return a.config.shape(len(features)), features, w
}

// unlearned is the latent from which a word's is trained: the same for every member.
func unlearned(word string, latent int) []float32 {
	key := chance.New("unlearned", []byte(word)).Key()
	rng := rand.New(rand.NewPCG(binary.BigEndian.Uint64(key[:]), binary.BigEndian.Uint64(key[8:])))
	row := make([]float32, latent)
	for i := range row {
		row[i] = float32((rng.Float64()*2 - 1) * .4)
	}
	return row
}

// Parameters is how many numbers the artist has: the length of a change.
func (a *Artist) Parameters() int { return a.config.shape(a.vocabulary.Size()).Parameters() }

// Changed is the artist with a change added, rounded to its integers again. It is the
// same to the byte on every machine. Errors wrap [ErrArtist].
func (a *Artist) Changed(change []float64) (*Artist, error) {
	shape := a.config.shape(a.vocabulary.Size())
	if len(change) != shape.Parameters() {
		return nil, refuse("a change of %d numbers, it has %d", len(change), shape.Parameters())
	}
	w := a.floats()
	for _, slot := range shape.Slots() {
		data := w[slot.Name].Data
		for i := range data {
			data[i] = float32(float64(data[i]) + change[i])
		}
		change = change[len(data):]
	}
	return quantise(a.config, shape, a.vocabulary.Features(), w)
}

// Since is what changed from another version of the artist to this one, number by number:
// the way that training went on the whole. Phases differ by less than half a turn, whatever
// turns were dropped. Errors wrap [ErrArtist] where the two are no versions of one artist.
func (a *Artist) Since(before *Artist) ([]float64, error) {
	shape := a.config.shape(a.vocabulary.Size())
	if shape != before.config.shape(before.vocabulary.Size()) || !slices.Equal(a.vocabulary.Features(), before.vocabulary.Features()) {
		return nil, refuse("%q is no version of it: its size or its words are others", before.config.Name)
	}
	now, then := a.floats(), before.floats()
	out := make([]float64, 0, shape.Parameters())
	for _, slot := range shape.Slots() {
		for i, x := range now[slot.Name].Data {
			d := float64(x) - float64(then[slot.Name].Data[i])
			if isPhase(slot.Name) {
				d -= float64(2 * math.Pi * math.Round(d/(2*math.Pi)))
			}
			out = append(out, d)
		}
	}
	return out, nil
}

// ReaderKey is a key that those have who can open the artist, for one round: what is
// learned of the artist's next version is for them alone. Of an artist that is public, such
// as the embedded one, everybody has it.
func (a *Artist) ReaderKey(session [32]byte) [32]byte {
	return chance.New("reader key", session[:], a.raw).Key()
}
