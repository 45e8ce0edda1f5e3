package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io/fs"
	"math/rand/v2"
	"testing/fstest"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/federated"
	"github.com/atelier-dao/atelier/shamir"
)

// report is what came of it.
type report struct {
	Plan     plan       `json:"plan"`
	Pictures int        `json:"pictures"` // by which artists are compared
	Start    float64    `json:"start"`    // loss on the members' pictures before
	Without  []training `json:"without"`  // in the order of the trainings
	With     []training `json:"with"`

	artists []*model.Artist // at the beginning, without, with
}

// training is what came of one.
type training struct {
	Own          float64 `json:"own"`           // loss on the members' pictures
	Unlike       int     `json:"unlike"`        // pictures that are others than at the beginning
	UnlikeBefore int     `json:"unlike_before"` // and than those by the version before
}

// deal draws the pictures of each member: patterns of things that the artist knows, and has
// not seen like this.
func deal(p plan) ([]fstest.MapFS, error) {
	pictures := model.EmbeddedPictures()
	files, err := fs.ReadDir(pictures, ".")
	if err != nil {
		return nil, err
	}
	if p.Members*p.Pictures > len(files) {
		return nil, fmt.Errorf("-members times -pictures is %d, there are %d pictures", p.Members*p.Pictures, len(files))
	}
	rng := rand.New(rand.NewPCG(p.Seed, 1))
	rng.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	owned := make([]fstest.MapFS, p.Members)
	for i := range owned {
		owned[i] = fstest.MapFS{}
		for _, f := range files[i*p.Pictures : (i+1)*p.Pictures] {
			raw, err := pattern(pictures, f.Name())
			if err != nil {
				return nil, err
			}
			owned[i][f.Name()] = &fstest.MapFile{Data: raw}
		}
	}
	return owned, nil
}

// pattern is a picture four times, each mirrored in its neighbours, with red for green, green
// for blue and blue for red.
func pattern(pictures fs.FS, name string) ([]byte, error) {
	f, err := pictures.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	b := img.Bounds()
	four := image.NewNRGBA(image.Rect(0, 0, 2*b.Dx(), 2*b.Dy()))
	for y := range four.Rect.Dy() {
		for x := range four.Rect.Dx() {
			c := color.NRGBAModel.Convert(img.At(b.Min.X+min(x, 2*b.Dx()-1-x), b.Min.Y+min(y, 2*b.Dy()-1-y))).(color.NRGBA)
			four.SetNRGBA(x, y, color.NRGBA{c.G, c.B, c.R, c.A})
		}
	}
	var raw bytes.Buffer
	err = png.Encode(&raw, four)
	return raw.Bytes(), err
}

func (p plan) seed(what string, number, member int) [32]byte {
	return shamir.Hash("example/rehearsal", []byte(what), shamir.Uint64(p.Seed), shamir.Uint64(uint64(number)), shamir.Uint64(uint64(member)))
}

// compare runs the trainings without and with rehearsal.
func compare(ctx context.Context, p plan, say func(string, ...any)) (*report, error) {
	owned, err := deal(p)
	if err != nil {
		return nil, err
	}
	start := model.Embedded()
	r := &report{Plan: p, artists: []*model.Artist{start}}
	for _, share := range []float64{0, p.Rehearse} {
		m, err := newMembers(ctx, p, start, owned)
		if err != nil {
			return nil, err
		}
		if r.Start, err = m.loss(ctx, start); err != nil {
			return nil, err
		}
		all, last, err := m.train(ctx, start, share, r, say)
		if err != nil {
			return nil, err
		}
		if r.artists = append(r.artists, last); share == 0 {
			r.Without = all
		} else {
			r.With = all
		}
	}
	return r, nil
}

// members are those of one network, with what each keeps at home.
type members struct {
	plan     plan
	learners []*model.Learner
}

func newMembers(ctx context.Context, p plan, base *model.Artist, owned []fstest.MapFS) (*members, error) {
	m := &members{plan: p}
	for i, pictures := range owned {
		l, err := model.NewLearner(ctx, base, pictures, model.LearnerOptions{Workers: p.workers, Batch: p.Batch})
		if err != nil {
			return nil, fmt.Errorf("member %d: %w", i+1, err)
		}
		m.learners = append(m.learners, l)
	}
	return m, nil
}

// train is all trainings, each of the version that the one before made.
func (m *members) train(ctx context.Context, start *model.Artist, share float64, r *report, say func(string, ...any)) (all []training, last *model.Artist, err error) {
	last = start
	for number := 1; number <= m.plan.Trainings; number++ {
		next, err := m.together(ctx, number, last, share)
		if err != nil {
			return nil, nil, err
		}
		var t training
		if t.Own, err = m.loss(ctx, next); err != nil {
			return nil, nil, err
		}
		seed, o := m.plan.seed("judge", number, 0), model.RenderOptions{Workers: m.plan.workers}
		of, err := next.Forgotten(ctx, start, seed, o)
		if err != nil {
			return nil, nil, err
		}
		before, err := next.Forgotten(ctx, last, seed, o)
		if err != nil {
			return nil, nil, err
		}
		t.Unlike, t.UnlikeBefore, r.Pictures = of.Unlike, before.Unlike, of.Pictures
		say("training %d of %d, %g rehearsed: own %.3f, unlike %d of %d", number, m.plan.Trainings, share, t.Own, t.Unlike, of.Pictures)
		all, last = append(all, t), next
	}
	return all, last, nil
}

// together is one training: the average of what the members learn from base.
func (m *members) together(ctx context.Context, number int, base *model.Artist, share float64) (*model.Artist, error) {
	sum := make([]uint32, base.Parameters())
	for i, l := range m.learners {
		got, err := l.Learn(ctx, base, model.LearnOptions{Steps: m.plan.Steps, Rate: m.plan.Rate, Rehearse: share, Seed: m.plan.seed("learn", number, i+1)})
		if err != nil {
			return nil, fmt.Errorf("member %d: %w", i+1, err)
		}
		input, err := federated.Encode(got.Change, m.plan.Clip)
		if err != nil {
			return nil, fmt.Errorf("-clip: %w", err)
		}
		for j, v := range input {
			sum[j] += v
		}
	}
	return base.Changed(federated.Average(sum, len(m.learners)))
}

func (m *members) loss(ctx context.Context, a *model.Artist) (mean float64, err error) {
	for _, l := range m.learners {
		loss, err := l.Loss(ctx, a)
		if err != nil {
			return 0, err
		}
		mean += loss / float64(len(m.learners))
	}
	return mean, nil
}

// drawn are things that few members have pictures of.
var drawn = []string{"red heart", "blue bird", "mountain at night", "wolf in the snow", "winter forest", "owl under the moon"}

// sheet is a row of pictures for each artist.
func (r *report) sheet(ctx context.Context) (image.Image, error) {
	var rows []image.Image
	for _, a := range r.artists {
		row, err := a.Sheet(ctx, drawn, func(i int) [32]byte { return r.Plan.seed("sheet", i, 0) }, 160, len(drawn))
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	side := rows[0].Bounds()
	all := image.NewRGBA(image.Rect(0, 0, side.Dx(), side.Dy()*len(rows)))
	for i, row := range rows {
		draw.Draw(all, image.Rect(0, i*side.Dy(), side.Dx(), (i+1)*side.Dy()), row, side.Min, draw.Src)
	}
	return all, nil
}
