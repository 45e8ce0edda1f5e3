package member_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// trainee is a member's part in a training, in a world in which an artist is a text and a
// change of it a few small numbers: what is masked, shared and added up is real.
type trainee struct {
	joined  bool // its owner wants it to
	number  uint64
	state   []byte                   // durable
	masked  map[curation.Hash][]byte // durable
	base    []byte                   // the opened artist
	next    []byte                   // that was trained
	worse   bool                     // on its pictures the new version is
	unlike  int                      // of the pictures of before that the new version draws unlike
	learned map[uint64]int           // how often, by training
	slow    bool                     // it learns until it is told to stop
	waiting *member.AddUp            // for it to stop learning: it does one thing after the other
	busy    bool                     // it learns
	lies    []byte                   // what it seals in the place of what was trained; nil when it is honest
}

// lie is what a member sends in the place of a payload.
func (q *trainee) lie(p curation.Payload) curation.Payload {
	if s, ok := p.(curation.Seal); ok && q.lies != nil {
		s.PlainHash = sha256.Sum256(q.lies)
		return s
	}
	return p
}

// numbers are how many an artist of this world has.
const numbers = 6

func (w *world) resume(q *peer) {
	q.base, q.next = nil, nil
	q.machine.Trains(q.joined)
	if q.state == nil { // of no training are any needed
		q.masked = nil
		return
	}
	require.NoError(w.t, q.machine.Resume(q.number, q.state))
}

// joins has the owners of some members say `atelier training join`.
func (w *world) joins(members ...*peer) {
	for _, q := range members {
		q.joined = true
		if q.machine != nil {
			q.machine.Trains(true)
		}
	}
}

// keyOfReaders is a key that follows from the artist.
func keyOfReaders(plain []byte, session [32]byte) secagg.ReaderKey {
	return sha256.Sum256(slices.Concat(session[:], plain))
}

// changeOf is what a member learns: everybody something else, of either sign.
func changeOf(index uint32) []uint32 {
	change := make([]uint32, numbers)
	for i := range change {
		change[i] = uint32(int32(index)*int32(i+1) - 9)
	}
	return change
}

// version is the artist with a sum added.
func version(base []byte, sum []uint32) []byte {
	return fmt.Appendf(slices.Clone(base), " + %v", sum)
}

// later has an effect come to its end after a while, unless its member crashes.
func (w *world) later(q *peer, most int, do func()) {
	life := q.life
	w.after(1+w.rng.IntN(most), func() {
		if q.life == life && q.machine != nil {
			do()
		}
	})
}

func (w *world) performTraining(q *peer, f member.Effect) bool {
	switch f := f.(type) {
	case member.KeepTraining:
		return w.durable(q, func() {
			if f.File != nil {
				if q.masked == nil {
					q.masked = map[curation.Hash][]byte{}
				}
				q.masked[sha256.Sum256(f.File)] = bytes.Clone(f.File)
			}
			if f.State != nil {
				q.number, q.state = f.Number, bytes.Clone(f.State)
			}
		})
	case member.ForgetTraining:
		return w.durable(q, func() { q.state, q.masked, q.base, q.next = nil, nil, nil, nil })
	case member.OpenArtist:
		done := member.ArtistOpened{Number: f.Number}
		if content, ok := w.fetch(f.Model().ContainerCID); ok {
			q.base, done.Err = f.Open(bytes.NewReader(content))
			done.Key, done.Length = keyOfReaders(q.base, f.Session), numbers
		} else {
			done.Err = errors.New("the container is not to be had")
		}
		w.later(q, blockTicks, func() { w.step(q, done) })
	case member.Learn:
		if q.learned == nil {
			q.learned = map[uint64]int{}
		}
		q.learned[f.Number]++
		if q.slow {
			q.busy = true
			break
		}
		w.later(q, 3*blockTicks, func() { w.step(q, member.Learned{Number: f.Number, Input: changeOf(q.index)}) })
	case member.FetchMasked:
		w.later(q, w.delay, func() { w.fetchMasked(q, f) })
	case member.StopLearning:
		w.later(q, blockTicks, func() {
			sum := q.waiting
			q.busy, q.waiting = false, nil
			w.step(q, member.Learned{Number: f.Number, Err: errors.New("it took too long")})
			if sum != nil {
				w.addUp(q, *sum)
			}
		})
	case member.AddUp:
		if q.busy {
			q.waiting = &f
			break
		}
		w.later(q, blockTicks, func() { w.addUp(q, f) })
	case member.SealTrained:
		w.later(q, blockTicks, func() {
			next, s := q.next, f.Sealing
			if q.lies != nil {
				next = q.lies
				policy := curation.PolicyHash(curation.Charter{Name: "Test", Text: "test"})
				s.Label = curation.ModelLabel(w.chain, curation.ModelID(sha256.Sum256(next)), s.KeyEpoch, policy, s.X)
			}
			if r, kept := w.seal(q, s, next); kept {
				w.step(q, member.TrainedSealed{Number: f.Number, Container: r})
			}
		})
	}
	return true
}

func (w *world) fetchMasked(q *peer, f member.FetchMasked) {
	file := q.masked[f.Hash]
	for _, from := range f.From {
		for _, p := range w.members {
			if file == nil && p.machine != nil && addressOf(fmt.Sprintf("member %d", p.index)) == from {
				file = p.masked[f.Hash]
			}
		}
	}
	if file == nil || f.Check(file) != nil {
		return
	}
	if w.durable(q, func() {
		if q.masked == nil {
			q.masked = map[curation.Hash][]byte{}
		}
		q.masked[f.Hash] = file
	}) {
		w.step(q, member.MaskedHeld{Number: f.Number, Member: f.Member})
	}
}

func (w *world) addUp(q *peer, f member.AddUp) {
	done := member.Summed{Number: f.Number, Before: 1, After: 1 + member.LossMargin/2, Forgotten: model.Forgotten{Pictures: 64, Unlike: q.unlike}}
	switch {
	case f.Judged: // it is made again, no more
		done = member.Summed{Number: f.Number}
	case q.worse:
		done.After = 2
	}
	sum, err := f.Round.Sum(f.Key, func(i uint32) ([]byte, error) {
		hash, _ := f.Round.Input(i)
		return q.masked[hash], nil
	})
	if done.Err = err; err == nil {
		done.Result = f.Round.Judge(f.Key, sum)
		q.next = version(q.base, sum)
		done.PlainHash = sha256.Sum256(q.next)
	}
	w.step(q, done)
}

func (w *world) training(number uint64) (t curation.Training) {
	w.view(w.leader, func(v curation.View) { t, _ = v.Training(number) })
	return t
}

// trainings says where the trainings stand.
func (w *world) trainings() (s []string) {
	w.view(w.leader, func(v curation.View) {
		for _, t := range v.Trainings(9) {
			phase := ""
			if r, ok := v.TrainingRound(t.Plan.Number); ok {
				phase = fmt.Sprintf("%v until %d, culprits %v", r.Phase(), r.Deadline(), r.Culprits())
			}
			s = append(s, fmt.Sprintf("training %d: %s, joined %v, trainers %v, made %v, %s; %s", t.Plan.Number, t.Status, t.Joined, t.Trainers, t.Results, t.Reason, phase))
		}
	})
	for _, q := range w.members {
		last := max(0, len(q.notes)-3)
		s = append(s, fmt.Sprintf("member %d (up %v): %q %v", q.index, q.machine != nil, q.notes[last:], q.failures[last:]))
	}
	return append(s, fmt.Sprintf("height %d", w.height))
}

// propose has a threshold of members vote for a training.
func (w *world) propose() {
	w.t.Helper()
	plan := w.plan()
	var next uint64
	w.view(w.leader, func(v curation.View) {
		next = v.NextTraining()
		c, _ := v.Committee()
		plan = w.plan()
		for _, q := range w.members[:c.T()] {
			w.submit(q.key, curation.Train{Plan: plan})
		}
	})
	require.True(w.t, w.run(30, func() bool { return w.training(next).Plan.Number == next }), "it is not opened: %v", w.trainings())
}

func (w *world) plan() curation.Plan {
	p := curation.Plan{Steps: 1, Batch: 1, RatePPM: 3000, Clip: 1 << 16, Length: numbers, JoinBlocks: 120, TrainBlocks: 120}
	w.view(w.leader, func(v curation.View) {
		m, _ := v.Model()
		p.Number, p.ModelID = v.NextTraining(), m.ID
	})
	return p
}

// ends lets time pass until a training has ended.
func (w *world) ends(number uint64, blocks uint64) curation.Training {
	w.t.Helper()
	require.True(w.t, w.run(blocks, func() bool { return w.training(number).Status.Ended() }), "%v", w.trainings())
	return w.training(number)
}

// replaced checks that the artist is the one before with the changes of the counted
// members added, and that it draws.
func (w *world) replaced(t curation.Training, counted []uint32) {
	w.t.Helper()
	require.Equal(w.t, curation.TrainingAdopted, t.Status, "%v", w.trainings())
	sum := make([]uint32, numbers)
	for _, i := range counted {
		for k, x := range changeOf(i) {
			sum[k] += x
		}
	}
	w.plain = version(w.plain, sum)
	made, ok := w.modelAt(t.Adopted)
	require.True(w.t, ok)
	require.Equal(w.t, curation.Hash(sha256.Sum256(w.plain)), made.PlainHash)
	require.Equal(w.t, curation.TrainedName("Test", t.Plan.Number), made.Name)
	w.untilModel(200, "the version that was trained", func(m curation.Model) bool { return m.KeyEpoch == t.Adopted })
	w.ask("with the new version")
	require.True(w.t, w.run(300, func() bool {
		return slices.ContainsFunc(w.artworks(curation.StatusCandidate), func(a curation.Artwork) bool { return a.KeyEpoch == t.Adopted })
	}), "it does not draw: %v %v", w.models(), summary(w))
}

// counted are the members whose changes the sum of the training that runs has.
func (w *world) counted(number uint64) (members []uint32) {
	w.view(w.leader, func(v curation.View) {
		t, _ := v.Training(number)
		if r, ok := v.TrainingRound(number); ok {
			for _, i := range r.Survivors() {
				members = append(members, t.Trainers[i-1])
			}
		}
	})
	return members
}

// untilSummed lets time pass until all know whose changes count.
func (w *world) untilSummed(number, blocks uint64) (counted []uint32) {
	w.t.Helper()
	require.True(w.t, w.run(blocks, func() bool {
		counted = w.counted(number)
		return len(counted) > 0 || w.training(number).Status.Ended()
	}), "%v", w.trainings())
	require.NotEmpty(w.t, counted, "%v", w.trainings())
	return counted
}

// nothingKept says whether no member has anything left of trainings.
func (w *world) nothingKept() bool {
	return !slices.ContainsFunc(w.members, func(q *peer) bool {
		return q.machine != nil && (q.state != nil || q.masked != nil || q.base != nil || q.next != nil)
	})
}

func TestATrainingReplacesTheArtist(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       int
		faults  faults
		crashes int
		seeds   int
	}{
		{"four members, calm", 4, calm, 0, 2},
		{"four members, drops, repeats and reordering", 4, storm, 0, 2},
		{"seven members, two of them crashing again and again", 7, storm, 2, 1},
	} {
		for s := range c.seeds {
			seed := seedOf(fmt.Sprint("training", c.name, s))
			t.Run(fmt.Sprintf("%s/seed=%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorldWith(t, c.n, seed, c.faults, func(g *curation.Genesis) {
					if c.crashes > 0 { // who is down when a phase ends drops out
						g.Params.DKGPhaseBlocks = 150
					}
				})
				w.found()
				w.joins(w.members...)
				w.propose()
				w.stumble(c.crashes)
				counted := w.untilSummed(1, 1500)
				w.replaced(w.ends(1, 900), counted)
				require.True(t, w.run(200, w.nothingKept), "%v", w.trainings())
				require.Empty(t, w.failed)
			})
		}
	}
}

// TestTrainersWhoDropOutAreMissed: three of ten go, each in another phase, and the sum is
// that of those who gave theirs.
func TestTrainersWhoDropOutAreMissed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 10, 91, calm)
	w.found()
	w.joins(w.members...)
	w.propose()
	for i, phase := range []secagg.Phase{secagg.PhaseShare, secagg.PhaseInput, secagg.PhaseUnmask} {
		w.untilPhase(phase)
		w.crash(w.members[3*i+1])
	}
	counted := w.untilSummed(1, 600)
	for _, q := range w.members {
		if q.machine == nil {
			w.start(q) // later
		}
	}
	require.Len(t, counted, 8, "one of them had given its change: %v", w.trainings())
	require.Contains(t, counted, uint32(8))
	w.replaced(w.ends(1, 600), counted)
	require.Empty(t, w.failed)
}

func (w *world) untilPhase(phase secagg.Phase) {
	w.t.Helper()
	require.True(w.t, w.run(400, func() (there bool) {
		w.view(w.leader, func(v curation.View) {
			r, ok := v.TrainingRound(1)
			there = ok && r.Phase() >= phase
		})
		return there || w.training(1).Status.Ended()
	}), "%v", w.trainings())
	require.False(w.t, w.training(1).Status.Ended(), "%v", w.trainings())
}

// TestATrainerThatIsKilledGoesOn: it comes back in the same phase, or in the next, with
// what it has kept, and says nothing in two ways.
func TestATrainerThatIsKilledGoesOn(t *testing.T) {
	for _, phase := range []secagg.Phase{secagg.PhaseAdvertise, secagg.PhaseInput, secagg.PhaseConfirm, secagg.PhaseUnmask, secagg.PhaseResult, secagg.PhaseDone} {
		t.Run(phase.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, 4, 92, calm)
			w.found()
			w.joins(w.members...)
			w.propose()
			w.untilPhase(phase)
			w.crash(w.members[2])
			w.run(3, func() bool { return false })
			w.start(w.members[2])
			counted := w.untilSummed(1, 600)
			require.Len(t, counted, 4, "nobody is missed: %v", w.trainings())
			w.replaced(w.ends(1, 600), counted)
			require.NotContains(t, w.members[2].notes, "this member drops out of the training")
			require.True(t, w.run(100, w.nothingKept), "%v", w.trainings())
		})
	}
}

// Every durable write of a training fails once.
func TestEveryDurableWriteOfATrainingFailsOnce(t *testing.T) {
	founded := func(t *testing.T) *world {
		w := newWorld(t, 3, 93, calm)
		w.found()
		w.joins(w.members...)
		w.writes = 0 // those before are tried elsewhere
		return w
	}
	everyWriteFails(t, 20, founded, func(w *world) {
		w.propose()
		counted := w.untilSummed(1, 600)
		w.replaced(w.ends(1, 600), counted)
		require.True(w.t, w.run(100, w.nothingKept), "%v", w.trainings())
		require.Empty(w.t, w.failed)
	})
}

// TestNobodyTrainsWithoutBeingToldTo: members whose owners said nothing approve the
// training and release for it, and never open the artist themselves.
func TestNobodyTrainsWithoutBeingToldTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5, 94, calm)
	w.found()
	w.joins(w.members[:3]...)
	w.propose()
	counted := w.untilSummed(1, 600)
	require.Equal(t, []uint32{1, 2, 3}, counted)
	for _, q := range w.members[3:] {
		require.Nil(t, q.base)
		require.Empty(t, q.learned)
	}
	// Three votes of five are too few: one that did not train looks at it and votes by hand.
	require.True(t, w.run(200, func() bool { return w.training(1).Status == curation.TrainingVoting }), "%v", w.trainings())
	require.True(t, w.run(60, func() (all bool) {
		w.view(w.leader, func(v curation.View) { all = len(v.Motions()) == 1 && len(v.Motions()[0].Votes) == 3 })
		return all
	}), "%v", w.trainings())
	w.submit(w.members[4].key, curation.Adopt{KeyEpoch: w.training(1).Results[0]})
	w.replaced(w.ends(1, 600), counted)
	require.Empty(t, w.failed)
}

func TestATrainingThatTooFewJoinEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, 95, calm)
	w.found()
	w.joins(w.members[:2]...)
	w.propose()
	ended := w.ends(1, 400)
	require.Equal(t, curation.TrainingFailed, ended.Status)
	require.True(t, w.run(100, w.nothingKept), "%v", w.trainings())
	// The next one does better.
	w.joins(w.members...)
	w.propose()
	counted := w.untilSummed(2, 600)
	w.replaced(w.ends(2, 600), counted)
	require.Empty(t, w.failed)
}

// TestAVersionThatIsWorseIsNotVotedFor: neither sealed nor voted for by those whose
// pictures it draws worse.
func TestAVersionThatIsWorseIsNotVotedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, 96, calm)
	w.found()
	w.joins(w.members...)
	w.members[0].worse, w.members[1].worse = true, true
	before := w.model()
	w.propose()
	w.untilSummed(1, 600)
	require.True(t, w.run(300, func() bool { return w.training(1).Status == curation.TrainingVoting }), "%v", w.trainings())
	made, _ := w.modelAt(w.training(1).Results[0])
	require.Contains(t, []uint32{3, 4}, made.Sealer)
	w.run(100, func() bool { return false })
	w.view(w.leader, func(v curation.View) {
		for _, motion := range v.Motions() {
			require.Subset(t, []uint32{3, 4}, motion.Votes)
		}
	})
	require.Equal(t, before.KeyEpoch, w.model().KeyEpoch)
	require.Contains(t, w.members[0].notes, "this member does not vote for the version that was trained")
}

// TestAnotherArtistThanTheTrainedOneIsNotVotedFor: who seals one has spent its turn, and
// the next seals what all have found.
func TestAnotherArtistThanTheTrainedOneIsNotVotedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, 98, calm)
	w.found()
	w.joins(w.members...)
	w.propose()
	counted := w.untilSummed(1, 600)
	require.True(t, w.run(100, func() bool { return w.training(1).Status == curation.TrainingSealing }), "%v", w.trainings())
	liar := w.members[w.training(1).Sealers()[0]-1]
	liar.lies = []byte("an artist of its own")
	ended := w.ends(1, 600)
	require.Len(t, ended.Results, 2, "%v", w.trainings())
	other, _ := w.modelAt(ended.Results[0])
	require.Equal(t, []any{liar.index, curation.Hash(sha256.Sum256(liar.lies)), curation.ModelDiscarded}, []any{other.Sealer, other.PlainHash, other.Standing})
	require.Equal(t, ended.Results[1], ended.Adopted)
	w.replaced(ended, counted)
}

// TestWhoLeavesATrainingDropsOut: its owner changes its mind in the middle.
func TestWhoLeavesATrainingDropsOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, 97, calm)
	w.found()
	w.joins(w.members...)
	w.propose()
	w.untilPhase(secagg.PhaseAdvertise)
	q := w.members[1]
	q.joined = false
	q.machine.Trains(false)
	counted := w.untilSummed(1, 600)
	require.Equal(t, []uint32{1, 3, 4}, counted)
	require.Nil(t, q.state)
	require.Nil(t, q.base)
	w.replaced(w.ends(1, 600), counted)
}

// TestWhoLearnsTooLongVotesAllTheSame: its change is not in the sum, and it stops learning
// what nobody waits for, so that it can say what it finds of the others'. Without its vote
// there are too few: one does not like the new version.
func TestWhoLearnsTooLongVotesAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, 99, calm)
	w.found()
	w.joins(w.members...)
	w.members[0].worse, w.members[1].slow = true, true
	w.propose()
	counted := w.untilSummed(1, 600)
	require.Equal(t, []uint32{1, 3, 4}, counted)
	w.replaced(w.ends(1, 600), counted)
	require.Contains(t, w.members[1].notes, "nothing was learned from the own pictures")
}

// TestAHandoverDoesNotTakeATrainersVote: when the new version is sealed the committee that
// opened the artist serves nothing any more, and its shares are let go of; who has the
// artist open sees the training through.
func TestAHandoverDoesNotTakeATrainersVote(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, 101, calm)
	w.found()
	w.joins(w.members...)
	w.members[1].slow = true // so that the others wait for it meanwhile
	w.propose()
	w.untilPhase(secagg.PhaseInput)
	w.handOver(0)
	require.Equal(t, curation.TrainingSumming, w.training(1).Status, "%v", w.trainings())
	counted := w.untilSummed(1, 600)
	w.replaced(w.ends(1, 600), counted)
}
