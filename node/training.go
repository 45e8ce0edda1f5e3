package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/federated"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/member"
)

// learnWorkers is how many goroutines learn: blocks, votes and pictures go before it.
const learnWorkers = 1

// rehearsed is the share of what this member learns from in a training that the artist draws
// itself, of things that the own pictures do not teach, so that it does not forget them.
// Measured with two pictures for each of three members: with a half it forgets more, with
// nine tenths it learns less, and forgets no less.
const rehearsed = .75

// trainer is what of this member's part in a training takes long. One goroutine does it,
// a task after the other, and holds the opened artist from the first task to the last.
type trainer struct {
	n     *Node
	tasks chan trainerTask

	mu     sync.Mutex // guards what follows
	number uint64     // of the training that is worked for; 0 for none
	ctx    context.Context
	cancel context.CancelFunc
	doing  api.TrainingWork

	late context.CancelCauseFunc // ends learning; the actor's goroutine alone uses it

	// The goroutine of run alone uses these.
	base *model.Artist // as it was opened
	next *model.Artist // as all trained it
	own  *model.Learner
}

// trainerTask works for a training until ctx ends, which it may have already.
type trainerTask struct {
	number uint64
	do     func(ctx context.Context)
}

func newTrainer(n *Node) *trainer { return &trainer{n: n, tasks: make(chan trainerTask, 16)} }

// run does the tasks until ctx ends.
func (t *trainer) run(ctx context.Context) error {
	defer t.forget()
	for {
		select {
		case <-ctx.Done():
			return nil
		case task := <-t.tasks:
			task.do(t.of(ctx, task.number))
			t.say(task.number, "waiting for the others", 0, 0)
		}
	}
}

// of is the context of a training: it ends when the training is forgotten.
func (t *trainer) of(ctx context.Context, number uint64) context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.number != number {
		if t.cancel != nil {
			t.cancel()
		}
		t.number, t.doing = number, api.TrainingWork{Number: number}
		t.ctx, t.cancel = context.WithCancel(ctx)
		t.base, t.next, t.own = nil, nil, nil
	}
	return t.ctx
}

// begin has a task done.
func (t *trainer) begin(ctx context.Context, number uint64, do func(ctx context.Context)) {
	select {
	case t.tasks <- trainerTask{number, do}:
	case <-ctx.Done():
	}
}

// end cancels what is done for a training, and lets go of the artist.
func (t *trainer) end(ctx context.Context, number uint64) {
	t.mu.Lock()
	if t.number == number && t.cancel != nil {
		t.cancel()
	}
	t.mu.Unlock()
	t.begin(ctx, 0, func(context.Context) { t.forget() })
}

func (t *trainer) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cancel != nil {
		t.cancel()
	}
	t.number, t.doing, t.cancel = 0, api.TrainingWork{}, nil
	t.base, t.next, t.own = nil, nil, nil
}

// say tells what is done now.
func (t *trainer) say(number uint64, what string, step, steps int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.number == number && number != 0 {
		t.doing.Doing, t.doing.Step, t.doing.Steps = what, step, steps
	}
}

// work is what is done now.
func (t *trainer) work() api.TrainingWork {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.doing
}

// errNotOpen reports that the artist is not open here any more.
var errNotOpen = errors.New("the artist is not open here")

// openArtist performs a member.OpenArtist. The plain file is wiped at once; the artist
// that was made of it is let go of when the training ends.
func (a *actor) openArtist(ctx context.Context, f member.OpenArtist) {
	defer f.Wipe()
	t := a.trainer
	t.say(f.Number, "opening the artist", 0, 0)
	done := member.ArtistOpened{Number: f.Number}
	var plain []byte
	err := ctx.Err()
	if err == nil {
		plain, err = a.n.openModel(ctx, f.Unsealing)
	}
	if err == nil {
		defer clear(plain)
		t.base, err = model.UnmarshalArtist(plain)
	}
	if err == nil {
		done.Key, done.Length = t.base.ReaderKey(f.Session), t.base.Parameters()
		a.log.InfoContext(ctx, "the artist is open for a training", "training", f.Number)
	}
	done.Err = err
	a.send(ctx, done)
}

// learner reads this member's pictures, once for each training.
func (t *trainer) learner(ctx context.Context, batch int) (*model.Learner, error) {
	if t.base == nil || ctx.Err() != nil {
		return nil, errNotOpen
	}
	if t.own != nil {
		return t.own, nil
	}
	j := t.n.pictures.Load()
	if j == nil {
		return nil, errors.New("this member does not train any more")
	}
	home, err := t.n.latents().load()
	if err != nil {
		return nil, err
	}
	t.own, err = model.NewLearner(ctx, t.base, os.DirFS(j.Pictures), model.LearnerOptions{Workers: learnWorkers, Batch: batch, Home: home})
	return t.own, err
}

// errLate reports learning that took longer than the others waited for it.
var errLate = errors.New("it took longer than the plan gives it, and the others went on without it")

// stopLearning performs a member.StopLearning.
func (t *trainer) stopLearning() {
	if t.late != nil {
		t.late(errLate)
	}
}

// learn performs a member.Learn: it trains on the own pictures until inTime ends, and
// gives what changed, clipped and in fixed point.
func (a *actor) learn(ctx, inTime context.Context, f member.Learn) {
	learning, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(inTime, cancel)()
	done := member.Learned{Number: f.Number}
	done.Input, done.Err = a.trainer.learn(learning, f)
	if late := context.Cause(inTime); done.Err != nil && late == errLate {
		done.Err = late
	}
	a.send(ctx, done)
}

func (t *trainer) learn(ctx context.Context, f member.Learn) ([]uint32, error) {
	t.say(f.Number, "reading the pictures", 0, f.Steps)
	l, err := t.learner(ctx, f.Batch)
	if err != nil {
		return nil, err
	}
	var seed [32]byte
	if _, err := rand.Read(seed[:]); err != nil {
		return nil, err
	}
	defer clear(seed[:])
	t.say(f.Number, "learning", 0, f.Steps)
	got, err := l.Learn(ctx, t.base, model.LearnOptions{Steps: f.Steps, Rate: f.Rate, Seed: seed, Rehearse: rehearsed,
		Progress: func(step, steps int) { t.say(f.Number, "learning", step, steps) }})
	if err != nil {
		return nil, fmt.Errorf("learn from %d pictures: %w", l.Pictures(), err)
	}
	defer clear(got.Change)
	if err := t.n.latents().save(l.Home()); err != nil {
		return nil, err
	}
	t.n.log.InfoContext(ctx, "learned from the own pictures", "training", f.Number, "pictures", l.Pictures(), "steps", f.Steps,
		"loss", got.Loss, "length", federated.Length(got.Change), "clip", f.Clip)
	return federated.Encode(got.Change, f.Clip)
}

// addUp performs a member.AddUp.
func (a *actor) addUp(ctx context.Context, f member.AddUp) {
	done := member.Summed{Number: f.Number}
	done.Err = a.trainer.addUp(ctx, f, &done)
	a.send(ctx, done)
}

// addUp takes the masks away, makes the artist that follows, and judges it, once.
func (t *trainer) addUp(ctx context.Context, f member.AddUp, out *member.Summed) error {
	if t.base == nil || ctx.Err() != nil {
		return errNotOpen
	}
	t.say(f.Number, "adding up", 0, 0)
	sum, err := f.Round.Sum(f.Key, func(i uint32) ([]byte, error) {
		hash, _ := f.Round.Input(i)
		return t.n.masked().read(hash)
	})
	if err != nil {
		return err
	}
	defer clear(sum)
	if out.Result = f.Round.Judge(f.Key, sum); out.Result.Spoilt {
		return nil
	}
	if t.next, err = t.base.Changed(federated.Average(sum, len(f.Round.Survivors()))); err != nil {
		return err
	}
	plain, err := t.next.MarshalBinary()
	if err != nil {
		return err
	}
	defer clear(plain)
	out.PlainHash = sha256.Sum256(plain)
	if f.Judged {
		return nil
	}
	return t.judge(ctx, f, out)
}

// judge measures the new version on the own pictures, and by what it forgot: on pictures that
// nobody knew before the sum did.
func (t *trainer) judge(ctx context.Context, f member.AddUp, out *member.Summed) error {
	t.say(f.Number, "measuring the new version on the own pictures", 0, 0)
	l, err := t.learner(ctx, f.Batch)
	if err == nil {
		out.Before, err = l.Loss(ctx, t.base)
	}
	if err == nil {
		out.After, err = l.Loss(ctx, t.next)
	}
	if err == nil {
		t.say(f.Number, "comparing what the new version draws with what the artist drew", 0, 0)
		out.Forgotten, err = t.next.Forgotten(ctx, t.base, out.Result.Hash, model.RenderOptions{Workers: learnWorkers})
	}
	if err != nil {
		return err
	}
	t.n.log.InfoContext(ctx, "judged the new version", "training", f.Number, "loss", out.After, "before", out.Before,
		"pictures", out.Forgotten.Pictures, "unlike", out.Forgotten.Unlike)
	return nil
}

// sealTrained performs a member.SealTrained.
func (a *actor) sealTrained(ctx context.Context, f member.SealTrained) {
	done := member.TrainedSealed{Number: f.Number}
	a.trainer.say(f.Number, "sealing the new version", 0, 0)
	done.Container, done.Err = a.trainer.seal(ctx, f)
	a.send(ctx, done)
}

func (t *trainer) seal(ctx context.Context, f member.SealTrained) (curation.Rotate, error) {
	if t.next == nil || ctx.Err() != nil {
		return curation.Rotate{}, errNotOpen
	}
	plain, err := t.next.MarshalBinary()
	if err != nil {
		return curation.Rotate{}, err
	}
	defer clear(plain)
	return t.n.seal(ctx, f.Sealing, bytes.NewReader(plain))
}

// keepTraining makes what a member.KeepTraining tells durable: the state last, which says
// that the file is there.
func (n *Node) keepTraining(f member.KeepTraining) error {
	if f.File != nil {
		if err := n.masked().keep(f.File); err != nil {
			return err
		}
	}
	if f.State == nil {
		return nil
	}
	defer clear(f.State)
	if err := os.MkdirAll(n.home.Training(), 0o700); err != nil {
		return fmt.Errorf("keep the state of a training: %w", err)
	}
	return keys.SaveTraining(n.trainingState(), n.secrets.Identity, f.Number, f.State)
}

func (n *Node) trainingState() string { return filepath.Join(n.home.Training(), "state") }

// adoptTraining tells the machine what is kept of a training, and whether this member is
// to take part in any. What cannot be read keeps the member out of one training and from
// nothing else.
func (n *Node) adoptTraining(m *member.Machine) {
	j, err := n.readJoining()
	if err != nil {
		n.log.Warn("this member takes part in no training", "err", err)
	}
	n.pictures.Store(j)
	number, state, err := keys.LoadTraining(n.trainingState(), n.secrets.Identity)
	switch {
	case err != nil:
	case number == 0: // of no training are any needed
		err = n.masked().forget()
	default:
		err = m.Resume(number, state)
		clear(state)
	}
	if err != nil {
		n.log.Warn("this member drops out of the training that it was in", "err", err)
	}
}

// forgetTraining performs a member.ForgetTraining.
func (a *actor) forgetTraining(ctx context.Context, f member.ForgetTraining) {
	a.trainer.end(ctx, f.Number)
	if err := errors.Join(keys.EraseTraining(a.n.trainingState()), a.n.masked().forget()); err != nil {
		a.log.WarnContext(ctx, "what a training left behind is not erased", "training", f.Number, "err", err)
	}
}
