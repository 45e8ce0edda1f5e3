package model

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // pictures of a folder may be GIF, JPEG or PNG
	_ "image/jpeg"
	_ "image/png"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"runtime"
	"sort"
	"strings"
	"time"

	"github.com/atelier-dao/atelier/model/internal/train"
	"github.com/atelier-dao/atelier/model/kernel"
)

// ErrPictures reports a folder that holds nothing to train on.
var ErrPictures = errors.New("model: no usable pictures")

// Bounds of training pictures.
const (
	maxPictures    = 4096
	maxPictureFile = 16 << 20
	maxPictureArea = 16 << 20 // pixels
)

// TrainOptions steer a training run. The zero value trains an artist of the
// genesis artist's size; the result depends on pictures, Steps and Seed alone,
// on machines with the same vector instructions.
type TrainOptions struct {
	Steps   int // 0 means 7,000: about five minutes of processor time
	Seed    [32]byte
	Workers int    // goroutines, 0 means GOMAXPROCS; they do not change the result
	Name    string // of the artist, "paper-cut" if empty
	Data    string // what the pictures are, for the model card
	Licence string // terms of the result
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
// its frame. Files that cannot be used are skipped, unless none is left: then
// the error wraps [ErrPictures] and says why for each of the first few.
func Train(ctx context.Context, pictures fs.FS, o TrainOptions) (*Artist, error) {
	if o.Steps == 0 {
		o.Steps = 7000
	}
	if o.Steps < 1 {
		return nil, fmt.Errorf("train: %d steps, want at least 1", o.Steps)
	}
	set, err := readPictures(ctx, pictures, genesisShape.Colours)
	if err != nil {
		return nil, err
	}
	features := train.Features(set)
	shape := genesisShape
	shape.Features = len(features)
	key := sha256.Sum256(append([]byte("atelier/artist/v1/initial"), o.Seed[:]...))
	w, err := train.Run(ctx, shape, shape.Initial(rand.New(rand.NewChaCha8(key))), features, set, train.Options{
		Steps: o.Steps, Seed: o.Seed, Workers: workers(o.Workers), Rate: 3e-3, Noise: .08, Groups: groups, Points: points, Progress: o.Progress,
	})
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = "paper-cut"
	}
	return quantise(Config{
		Name: o.Name, Data: o.Data, Licence: o.Licence,
		Sharpness: 48 * kernel.SharpnessOne, ShadowDepth: kernel.LabOne * 7 / 100, ShadowWidth: kernel.LogitOne, Noise: zOne * 11 / 100,
	}, shape, features, w)
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
	Progress func(step, steps int, loss float64)
}

// FineTune makes an artist of one's own from base: it learns pictures again
// with a taste that the secret seed draws. It needs about 250 MB of memory.
func FineTune(ctx context.Context, base *Artist, o FineTuneOptions) (*Artist, error) {
	if o.Steps == 0 {
		o.Steps = 220
	}
	if o.Steps < 1 {
		return nil, fmt.Errorf("fine-tune: %d steps, want at least 1", o.Steps)
	}
	if o.Pictures == nil {
		o.Pictures = embeddedPictures()
	}
	set, err := readPictures(ctx, o.Pictures, base.config.Colours)
	if err != nil {
		return nil, err
	}
	shape := base.config.shape(len(base.features))
	c := newChance("taste", o.Seed[:])
	key := newChance("batches", o.Seed[:]).key
	w, err := train.Run(ctx, shape, base.floats(), base.features, set, train.Options{
		Steps: o.Steps, Seed: key, Workers: workers(o.Workers), Rate: 1.5e-3, Noise: .08, Groups: groups, Points: points,
		Taste: drawTaste(c), Budget: o.Budget, Progress: o.Progress,
	})
	if err != nil {
		return nil, err
	}
	config := base.config
	if o.Name != "" {
		config.Name = o.Name
	}
	return quantise(config, shape, base.features, w)
}

// drawTaste draws how an artist of one's own differs from its base.
func drawTaste(c *chance) train.Taste {
	in := func(low, high float64) float64 { return low + (high-low)*float64(c.uint16())/65535 }
	either := func(low, high float64) float64 {
		if c.uint16()&1 == 0 {
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

// readPictures decodes and cuts all pictures of a folder, in the order of
// their paths.
func readPictures(ctx context.Context, folder fs.FS, colours int) ([]train.Picture, error) {
	var names []string
	err := fs.WalkDir(folder, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		switch strings.ToLower(path.Ext(name)) {
		case ".png", ".jpg", ".jpeg", ".gif":
			if d.Type().IsRegular() {
				names = append(names, name)
			}
		}
		if len(names) > maxPictures {
			return fmt.Errorf("%w: more than %d files", ErrPictures, maxPictures)
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("read pictures: %w", err)
	}
	sort.Strings(names)
	var set []train.Picture
	var refused []error
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p, err := readPicture(folder, name, colours)
		if err != nil {
			refused = append(refused, fmt.Errorf("%s: %w", name, err))
			continue
		}
		set = append(set, p)
	}
	if len(set) == 0 && len(refused) == 0 {
		return nil, fmt.Errorf("%w: no PNG, JPEG or GIF among %d files", ErrPictures, len(names))
	}
	if len(set) == 0 {
		return nil, fmt.Errorf("%w: %d files looked at: %w", ErrPictures, len(names), errors.Join(refused[:min(5, len(refused))]...))
	}
	return set, nil
}

func readPicture(folder fs.FS, name string, colours int) (train.Picture, error) {
	f, err := folder.Open(name)
	if err != nil {
		return train.Picture{}, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxPictureFile+1))
	if err != nil {
		return train.Picture{}, err
	}
	if len(raw) > maxPictureFile {
		return train.Picture{}, fmt.Errorf("larger than %d bytes", maxPictureFile)
	}
	// The size is looked at before memory is spent on the pixels.
	config, _, err := image.DecodeConfig(strings.NewReader(string(raw)))
	if err != nil {
		return train.Picture{}, err
	}
	if config.Width > maxPictureArea || config.Height > maxPictureArea || int64(config.Width)*int64(config.Height) > maxPictureArea {
		return train.Picture{}, fmt.Errorf("%d×%d pixels, limit %d in all", config.Width, config.Height, maxPictureArea)
	}
	img, _, err := image.Decode(strings.NewReader(string(raw)))
	if err != nil {
		return train.Picture{}, err
	}
	return train.Cut(strings.TrimSuffix(path.Base(name), path.Ext(name)), img, colours)
}
