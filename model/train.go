package model

import (
	"context"
	"fmt"
	"io/fs"
	"runtime"

	"github.com/atelier-dao/atelier/model/internal/train"
)

// TrainOptions steer a training run. The zero value trains an artist of the
// genesis artist's size; the result depends on pictures, base and options alone,
// on machines with the same vector instructions.
type TrainOptions struct {
	Steps   int // 0 means 7,000, or 220 with Base
	Seed    [32]byte
	Workers int    // goroutines, 0 means GOMAXPROCS; they do not change the result
	Name    string // of the artist, needed; with Base, empty keeps its name
	Data    string // what the pictures are, for the model card; what they were counted to be if empty
	Licence string // terms of the result; empty where nobody has said

	// Base is the artist to fine-tune; nil trains one from nothing. Fine-tuning
	// teaches no new words, so a picture whose name has none that Base knows is
	// skipped. Seed is then a secret from which the own taste is drawn: hues of
	// grounds and subjects, the waver of the scissors.
	Base *Artist
	// BaseAt says for people where Base lies; a checkpoint remembers it.
	BaseAt string
	// Rehearse is the share of a step's pictures that Base draws itself, of things that
	// the pictures do not teach, so that it does not forget them: 0, which rehearses
	// none, to [MaxRehearse]. Where the pictures teach a part of what Base knows, it is
	// less by that part. One picture of a step is always of those to learn, so a step of
	// one rehearses nothing.
	Rehearse float64
	// Size is that of an artist from nothing; numbers that are 0 mean the genesis
	// artist's. With Base it is Base's, and must be left alone.
	Size Size
	// Batch is the number of pictures that a step learns from, 128 places of each;
	// 0 means 128. A smaller one makes faster steps that teach less.
	Batch int
	// Measure is the number of steps between measurements of the loss on places
	// that are held out, one in sixteen squares of each picture; then the artist is
	// the one of the best measurement. With 0 nothing is held out.
	Measure int
	// Patience ends the run after so many measurements without a better one; 0
	// waits for the last step.
	Patience int

	// Skipped, where not nil, hears of each file that is left out, before training.
	Skipped func(name string, why error)
	// Progress, where not nil, is called after each step with the mean loss of
	// the last steps, in nats of cross-entropy for a place's colour.
	Progress func(step, steps int, loss float64)
}

// Size is how large an artist is. See [Config].
type Size struct {
	Hidden  int // width of a sine layer: a multiple of 16, 16 to 128
	Layers  int // sine layers: 1 to 8
	Latent  int // numbers in z: 1 to 128
	Colours int // of one picture, its ground's two included: 4 to 8
}

// Batches of 128 pictures and 128 places in each.
const (
	groups = 128
	points = 128

	// MaxBatch is the largest number of pictures in a step.
	MaxBatch = 4096

	// MaxRehearse is the largest share of a step that can be rehearsed.
	MaxRehearse = .95
)

// Steps where none are given.
const (
	trainSteps = 7000
	tuneSteps  = 220
)

// DefaultSteps is the number of steps that a run with these options takes.
func DefaultSteps(o TrainOptions) int {
	switch {
	case o.Steps != 0:
		return o.Steps
	case o.Base != nil:
		return tuneSteps
	}
	return trainSteps
}

// genesisShape is the size of new artists but for their vocabulary.
var genesisShape = train.Shape{Hidden: 64, Layers: 4, Colours: 8, Latent: 96, Mapping: 320, Palette: 128}

// Train makes a new artist from a folder of pictures (PNG, JPEG, GIF; sub-folders
// too). File names are the vocabulary: "wave, sea.png" teaches two names for one
// thing. Pictures of one name share it. A picture with
// transparent parts is a subject that may lie on any ground; one without fills
// its frame. Files that cannot be used are told to Skipped; where fewer than two
// pictures are left, the error wraps [ErrPictures] and says why for the first few.
// Files of licences and a table sources.csv in the folder (columns file, licence,
// author, source) say what the model card tells about the pictures' terms.
// A [Run] does the same and can stop and go on.
func Train(ctx context.Context, pictures fs.FS, o TrainOptions) (*Artist, error) {
	r, err := NewRun(ctx, pictures, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.finish(ctx, 0, o.Progress)
}

// describe is the model card's text about the pictures. Terms that nobody has
// stated are said to be unknown.
func (a album) describe(data, licence string) string {
	if data == "" {
		subjects := 0
		for _, p := range a.pictures {
			if p.Subject {
				subjects++
			}
		}
		data = fmt.Sprintf("%s: %d without ground, %d that fill their frame.", pictures(len(a.pictures)), subjects, len(a.pictures)-subjects)
	}
	switch {
	case a.terms != "":
		return data + "\n\n" + a.terms
	case licence == "":
		return data + "\n\nTerms of the pictures: not known. No licence file and no " + sourcesFile + " lay beside them."
	}
	return data
}

func workers(n int) int {
	if n > 0 {
		return n
	}
	return runtime.GOMAXPROCS(0)
}
