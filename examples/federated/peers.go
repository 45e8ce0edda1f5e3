package main

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing/fstest"
	"time"

	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/federated"
	"github.com/atelier-dao/atelier/shamir"
)

// deal gives the pictures out: file i of a shuffled list to peer i modulo peers.
func deal(p plan) (owned []fstest.MapFS, all fstest.MapFS, err error) {
	pictures := model.EmbeddedPictures()
	files, err := fs.ReadDir(pictures, ".")
	if err != nil {
		return nil, nil, err
	}
	if p.Pictures > len(files) {
		return nil, nil, fmt.Errorf("-pictures is %d, there are %d", p.Pictures, len(files))
	}
	rng := rand.New(rand.NewPCG(p.Seed, 1))
	rng.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	owned, all = make([]fstest.MapFS, p.Peers), fstest.MapFS{}
	for i := range owned {
		owned[i] = fstest.MapFS{}
	}
	for i, f := range files[:p.Pictures] {
		raw, err := fs.ReadFile(pictures, f.Name())
		if err != nil {
			return nil, nil, err
		}
		all[f.Name()] = &fstest.MapFile{Data: raw}
		owned[i%p.Peers][f.Name()] = all[f.Name()]
	}
	return owned, all, nil
}

// compare runs everything.
func compare(ctx context.Context, p plan, say func(string, ...any)) (*report, error) {
	owned, all, err := deal(p)
	if err != nil {
		return nil, err
	}
	// Who begins a network agrees on a vocabulary and on numbers to start from.
	start, err := model.Train(ctx, all, model.TrainOptions{Name: "start", Steps: 1, Batch: 1, Size: model.Size{Hidden: p.Hidden}, Workers: p.workers, Seed: p.seed("start", 0, 0)})
	if err != nil {
		return nil, err
	}
	everybody, err := model.NewLearner(ctx, start, all, model.LearnerOptions{Workers: p.workers, Batch: p.Batch})
	if err != nil {
		return nil, err
	}
	r := &report{Plan: p, Parameters: start.Parameters(), Gone: map[string]int{}}
	if r.Start, err = everybody.Loss(ctx, start); err != nil {
		return nil, err
	}
	say("untrained: %.3f", r.Start)

	secure, err := newNetwork(ctx, p, start, owned, r)
	if err != nil {
		return nil, err
	}
	masked, survivors, err := trainTogether(ctx, p, "federated, clipped, rounded and masked", start, everybody, say, secure.round)
	if err != nil {
		return nil, err
	}
	for _, s := range survivors {
		r.Survivors += len(s)
	}
	r.Ledger /= p.Rounds
	open, err := newNetwork(ctx, p, start, owned, nil)
	if err != nil {
		return nil, err
	}
	plain, _, err := trainTogether(ctx, p, "federated, in the open", start, everybody, say, func(ctx context.Context, number int, base *model.Artist) ([]float64, []uint32, error) {
		change, err := open.plain(ctx, number, base, survivors[number])
		return change, survivors[number], err
	})
	if err != nil {
		return nil, err
	}

	central := func(name string, learner *model.Learner, steps int) (curve, error) {
		c := curve{Name: name, Loss: map[int]float64{}}
		got, err := learner.Learn(ctx, start, model.LearnOptions{Steps: steps, Rate: p.Rate, Falling: true, Seed: p.seed("central", 0, 0)})
		if err != nil {
			return c, err
		}
		a, err := start.Changed(got.Change)
		if err != nil {
			return c, err
		}
		c.Final, err = everybody.Loss(ctx, a)
		c.Loss[p.Rounds] = c.Final
		say("%s, %d steps: %.3f", name, steps, c.Final)
		return c, err
	}
	small, err := central("in one place, the same batches", everybody, r.Survivors*p.Steps)
	if err != nil {
		return nil, err
	}
	wide, err := model.NewLearner(ctx, start, all, model.LearnerOptions{Workers: p.workers, Batch: min(128, max(1, p.Batch*r.Survivors/p.Rounds))})
	if err != nil {
		return nil, err
	}
	large, err := central("in one place, as many steps in a row as a peer", wide, p.Rounds*p.Steps)
	if err != nil {
		return nil, err
	}
	lone, err := model.NewLearner(ctx, start, owned[0], model.LearnerOptions{Workers: p.workers, Batch: p.Batch})
	if err != nil {
		return nil, err
	}
	alone, err := central("one peer alone", lone, p.Rounds*p.Steps)
	if err != nil {
		return nil, err
	}
	r.Runs = []curve{small, large, plain, masked, alone}
	return r, nil
}

// trainTogether carries out the rounds: each gives a change that everybody makes.
func trainTogether(ctx context.Context, p plan, name string, start *model.Artist, everybody *model.Learner, say func(string, ...any),
	round func(ctx context.Context, number int, base *model.Artist) ([]float64, []uint32, error)) (c curve, survivors [][]uint32, err error) {
	c = curve{Name: name, Loss: map[int]float64{}}
	base := start
	var last []float64
	for number := range p.Rounds {
		change, counted, err := round(ctx, number, base)
		if err != nil {
			return c, nil, fmt.Errorf("round %d: %w", number+1, err)
		}
		before := base
		if base, err = before.Changed(federated.Carry(change, last, p.Momentum)); err != nil {
			return c, nil, err
		}
		if last, err = base.Since(before); err != nil {
			return c, nil, err
		}
		survivors = append(survivors, counted)
		if slices.Contains(checkpoints(p.Rounds), number+1) {
			if c.Final, err = everybody.Loss(ctx, base); err != nil {
				return c, nil, err
			}
			c.Loss[number+1] = c.Final
			say("%s, round %d of %d: %.3f", name, number+1, p.Rounds, c.Final)
		}
	}
	return c, survivors, nil
}

// seed is a secret of this run, for what and whom.
func (p plan) seed(what string, round int, peer uint32) [32]byte {
	return shamir.Hash("example/federated", []byte(what), shamir.Uint64(p.Seed), shamir.Uint64(uint64(round)), shamir.Uint64(uint64(peer)))
}

// rate falls to a tenth over the rounds.
func (p plan) rate(round int) float64 { return p.Rate * (1 - .9*float64(round)/float64(p.Rounds)) }

// learn is one peer's training in a round.
func (n *network) learn(ctx context.Context, round int, base *model.Artist, peer uint32) ([]float64, error) {
	began := time.Now()
	got, err := n.learners[peer-1].Learn(ctx, base, model.LearnOptions{Steps: n.plan.Steps, Rate: n.plan.rate(round), Seed: n.plan.seed("learn", round, peer)})
	if n.report != nil {
		n.report.Training += time.Since(began)
	}
	return got.Change, err
}

// plain is what the survivors learned on average, neither clipped nor rounded nor masked.
func (n *network) plain(ctx context.Context, round int, base *model.Artist, survivors []uint32) ([]float64, error) {
	mean := make([]float64, base.Parameters())
	for _, peer := range survivors {
		change, err := n.learn(ctx, round, base, peer)
		if err != nil {
			return nil, err
		}
		for i, x := range change {
			mean[i] += x / float64(len(survivors))
		}
	}
	return mean, nil
}

// input is what a peer gives to a round.
func (n *network) input(ctx context.Context, round int, base *model.Artist, peer uint32) ([]uint32, error) {
	change, err := n.learn(ctx, round, base, peer)
	if err != nil {
		return nil, err
	}
	if n.report != nil && federated.Length(change) > n.plan.Clip {
		n.report.Clipped++
	}
	return federated.Encode(change, n.plan.Clip)
}
