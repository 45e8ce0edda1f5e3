package model

import (
	"context"
	"io/fs"
	"time"

	"github.com/atelier-dao/atelier/model/internal/chance"
	"github.com/atelier-dao/atelier/model/internal/train"
)

// FineTuneOptions steer a fine-tune on the embedded pictures.
type FineTuneOptions struct {
	// Seed is the secret from which the own taste is drawn: hues of grounds and
	// subjects, the waver of the scissors, the order of the pictures. Equal
	// seeds make equal artists on machines with the same vector instructions.
	Seed     [32]byte
	Steps    int           // 0 means 220: about five seconds of processor time
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
// with a taste that the secret seed draws. It teaches no new words: a picture whose
// name has none that base knows is skipped.
func FineTune(ctx context.Context, base *Artist, o FineTuneOptions) (*Artist, error) {
	r, err := NewRun(ctx, o.Pictures, TrainOptions{Base: base, Steps: o.Steps, Seed: o.Seed, Workers: o.Workers,
		Name: o.Name, Data: o.Data, Licence: o.Licence, Skipped: o.Skipped})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.finish(ctx, o.Budget, o.Progress)
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
