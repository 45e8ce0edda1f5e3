package model

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"time"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/kernel"
)

// TrainOptions steer a training run. The zero value trains an artist of the
// genesis artist's size; the result depends on pictures, Steps and Seed alone,
// on machines with the same vector instructions.
type TrainOptions struct {
	Steps   int // 0 means 7,000: about five minutes of processor time
	Seed    [32]byte
	Workers int    // goroutines, 0 means GOMAXPROCS; they do not change the result
	Name    string // of the artist, needed
	Data    string // what the pictures are, for the model card; what they were counted to be if empty
	Licence string // terms of the result; empty where nobody has said
	// Skipped, where not nil, hears of each file that is left out, before training.
	Skipped func(name string, why error)
	// Progress, where not nil, is called after each step with the mean loss of
	// the last steps, in nats of cross-entropy for a place's colour.
	Progress func(step, steps int, loss float64)
}

// Batches of 128 pictures and 128 places in each.
const (
	groups = 128
	points = 128
)

// genesisShape is the size of new artists but for their vocabulary.
var genesisShape = train.Shape{Hidden: 64, Layers: 4, Colours: 6, Latent: 64, Mapping: 224, Palette: 96}

// Train makes a new artist from a folder of pictures (PNG, JPEG, GIF; sub-folders
// too). File names are the vocabulary: "red heart.png" teaches "red" and
// "heart", and "wave, sea.png" two names for one thing. A picture with
// transparent parts is a subject that may lie on any ground; one without fills
// its frame. Files that cannot be used are told to Skipped; where fewer than two
// pictures are left, the error wraps [ErrPictures] and says why for the first few.
// Files of licences and a table sources.csv in the folder (columns file, licence,
// author, source) say what the model card tells about the pictures' terms.
func Train(ctx context.Context, pictures fs.FS, o TrainOptions) (*Artist, error) {
	if o.Steps == 0 {
		o.Steps = 7000
	}
	if err := checkRun(o.Steps, o.Name, o.Data, o.Licence); err != nil {
		return nil, err
	}
	set, err := (&folder{fs: pictures, colours: genesisShape.Colours, skipped: o.Skipped}).read(ctx)
	if err != nil {
		return nil, err
	}
	features := train.Features(set.pictures)
	if len(features) > maxFeatures {
		return nil, fmt.Errorf("the names of the pictures have %d words, an artist learns at most %d: use fewer words", len(features), maxFeatures)
	}
	shape := genesisShape
	shape.Features = len(features)
	key := sha256.Sum256(append([]byte("atelier/artist/v1/initial"), o.Seed[:]...))
	w, err := train.Run(ctx, shape, shape.Initial(rand.New(rand.NewChaCha8(key))), features, set.pictures, train.Options{
		Steps: o.Steps, Seed: o.Seed, Workers: workers(o.Workers), Rate: 3e-3, Noise: .08, Groups: groups, Points: points, Progress: o.Progress,
	})
	if err != nil {
		return nil, err
	}
	return quantise(Config{
		Name: o.Name, Data: truncate(set.describe(o.Data, o.Licence), maxText), Licence: o.Licence,
		Sharpness: 48 * kernel.SharpnessOne, ShadowDepth: kernel.LabOne * 7 / 100, ShadowWidth: kernel.LogitOne, Noise: zOne * 11 / 100,
	}, shape, features, w)
}

// checkRun refuses, before time is spent, what would be refused after training.
func checkRun(steps int, name, data, licence string) error {
	switch {
	case steps < 1:
		return fmt.Errorf("%d training steps, want at least 1", steps)
	case name == "" || len(name) > maxName:
		return fmt.Errorf("the artist's name has %d bytes: give it one of 1 to %d", len(name), maxName)
	case len(data) > maxText:
		return fmt.Errorf("the text about the pictures has %d bytes, at most %d are kept", len(data), maxText)
	case len(licence) > maxText:
		return fmt.Errorf("the licence has %d bytes, at most %d are kept: name it instead", len(licence), maxText)
	}
	return nil
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

// FineTuneOptions steer a fine-tune.
type FineTuneOptions struct {
	// Seed is the secret from which the own taste is drawn: hues of grounds and
	// subjects, the waver of the scissors, the order of the pictures. Equal
	// seeds make equal artists on machines with the same vector instructions.
	Seed     [32]byte
	Steps    int           // 0 means 220: about eight seconds of processor time
	Budget   time.Duration // 0, or the time after which it ends early, whatever Steps says; then the result depends on the machine
	Workers  int           // as in TrainOptions
	Pictures fs.FS         // nil means the embedded set
	Name     string        // of the new artist; empty keeps the name of base
	Data     string        // as in TrainOptions, where Pictures are given
	Licence  string        // likewise
	Skipped  func(name string, why error)
	Progress func(step, steps int, loss float64)
}

// FineTune makes an artist of one's own from base: it learns pictures again
// with a taste that the secret seed draws. It needs about 250 MB of memory. It
// teaches no new words: a picture whose name has none that base knows is skipped.
func FineTune(ctx context.Context, base *Artist, o FineTuneOptions) (*Artist, error) {
	if o.Steps == 0 {
		o.Steps = 220
	}
	config := base.config
	if o.Name != "" {
		config.Name = o.Name
	}
	if err := checkRun(o.Steps, config.Name, o.Data, o.Licence); err != nil {
		return nil, err
	}
	learned := folder{fs: o.Pictures, colours: config.Colours, knows: func(w string) bool { _, ok := base.vocabulary.Row(w); return ok }, skipped: o.Skipped}
	if o.Pictures == nil {
		learned.fs = embeddedPictures()
	}
	set, err := learned.read(ctx)
	if err != nil {
		return nil, err
	}
	if o.Pictures != nil {
		id := base.ID()
		config.Licence = o.Licence
		config.Data = truncate(fmt.Sprintf("%s\n\nTuned from the artist %q (%x). Its terms: %s. What it learned from: %s",
			set.describe(o.Data, o.Licence), base.config.Name, id[:8], orElse(base.config.Licence, "not stated"), orElse(base.config.Data, "not stated")), maxText)
	}
	shape := base.config.shape(base.vocabulary.Size())
	c := chance.New("taste", o.Seed[:])
	key := chance.New("batches", o.Seed[:]).Key()
	w, err := train.Run(ctx, shape, base.floats(), base.vocabulary.Features(), set.pictures, train.Options{
		Steps: o.Steps, Seed: key, Workers: workers(o.Workers), Rate: 1.5e-3, Noise: .08, Groups: groups, Points: points,
		Taste: drawTaste(c), Budget: o.Budget, Progress: o.Progress,
	})
	if err != nil {
		return nil, err
	}
	return quantise(config, shape, base.vocabulary.Features(), w)
}

// drawTaste draws how an artist of one's own differs from its base.
func drawTaste(c *chance.Stream) train.Taste {
	in := func(low, high float64) float64 { return low + (high-low)*float64(c.Uint16())/65535 }
	either := func(low, high float64) float64 {
		if c.Uint16()&1 == 0 {
			return -in(low, high)
		}
		return in(low, high)
	}
	t := train.Taste{
		Turn: either(.1, .3), Papers: in(.6, 5.7), Chroma: in(-.3, .12),
		Waver: in(.03, .06), Lighter: in(-.08, .06),
	}
	for i := range t.Waves {
		t.Waves[i] = [3]float64{either(2, 5), either(.5, 2), in(0, 6.28)}
	}
	return t
}
