package curation

import (
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// trainingMotion names the motion to train by a plan.
func trainingMotion(p Plan) Hash { return hash("motion", []byte("train"), encode(p)) }

// train takes a vote for a plan.
func (x *execution) train(signer Address, p Train) error {
	voter, err := x.voter(signer)
	if err != nil {
		return err
	}
	model, ok := currentModel(x.st)
	if !ok {
		return refuse(CodeWrongPhase, "no model is sealed yet: a member has to seal one first")
	}
	if t, running := runningTraining(x.st); running {
		return refuse(CodeWrongPhase, "training %d is %s: propose the next one when it has ended", t.Plan.Number, t.Status)
	}
	switch next := count(x.st, keyTrainings) + 1; {
	case p.Plan.ModelID != model.ID:
		return refuse(CodeUnknown, "model %v is not the current one, %v: plan a training of that", p.Plan.ModelID, model.ID)
	case p.Plan.Number != next:
		return refuse(CodeWrongPhase, "the plan is of training %d, the next is %d: plan that", p.Plan.Number, next)
	case x.committee.N() < secagg.MinMembers:
		return refuse(CodeWrongPhase, "a training takes %s, the network has %d: what fewer learn cannot be added up in secret", plural(secagg.MinMembers, "member"), x.committee.N())
	}
	if err := x.mayDraw(); err != nil {
		return err
	}
	return x.vote(voter, x.members(), Motion{ID: trainingMotion(p.Plan), Train: &p.Plan})
}

// openTraining begins the training that the members voted for.
func (x *execution) openTraining(m Motion) error {
	opening, err := x.opens("a training", must2(currentModel(x.st)), m.Train.life(*x.params()), max(x.committee.T(), secagg.MinMembers))
	if err != nil {
		return err
	}
	t := Training{Opening: opening, Status: TrainingApproving, Plan: *m.Train, Votes: m.Votes, Until: x.height + m.Train.JoinBlocks - 1}
	save(x.st, keyTrainings, t.Plan.Number)
	save(x.st, indexTraining(t.RID), t.Plan.Number)
	x.saveTraining(t)
	x.emit(EventTrainingOpened, t.Plan.Number, t.RID, t.ModelID, t.Votes, t.Until, t.Prekeys)
	for _, o := range records[Motion](x.st, []byte("motion/")) { // of the same number
		if o.Train != nil {
			x.settleMotion(o)
			x.emit(EventMotionSettled, o.ID, len(o.Votes), 0)
		}
	}
	return nil
}

func (x *execution) saveTraining(t Training) { save(x.st, keyTraining(t.Plan.Number), t) }

// training returns the training of that number if it is in one of the statuses.
func (x *execution) training(number uint64, in ...TrainingStatus) (Training, error) {
	t, ok := load[Training](x.st, keyTraining(number))
	switch {
	case !ok:
		return t, refuse(CodeUnknown, "there is no training %d", number)
	case t.Status.Ended():
		return t, refuse(CodeWrongPhase, "training %d has ended", number)
	case !slices.Contains(in, t.Status):
		return t, refuse(CodeWrongPhase, "training %d is %s: it does not take this now", number, t.Status)
	}
	return t, nil
}

// join has a member of the table take part.
func (x *execution) join(signer Address, p Join) error {
	member, err := x.member(signer)
	if err != nil {
		return err
	}
	t, err := x.training(p.Number, TrainingJoining)
	if err != nil {
		return err
	}
	if t.HasJoined(member.Index) {
		return refuse(CodeDuplicate, "member %d has joined training %d already", member.Index, p.Number)
	}
	if _, listed := t.Readers().Lookup(member.Index); !listed {
		return refuse(CodeNotMember, "member %d is not among the readers of training %d: it had no seat, or no reader key left, when that was opened", member.Index, p.Number)
	}
	t.Joined = append(t.Joined, Joined{Member: member.Index, Reader: p.Reader})
	x.saveTraining(t)
	x.emit(EventTrainingJoined, p.Number, member.Index, p.Reader, len(t.Joined), len(t.Prekeys))
	return nil
}

// certifyTraining takes the certificate of a training, from which on members may join.
func (x *execution) certifyTraining(number uint64, p Certify) error {
	t, err := x.training(number, TrainingApproving)
	switch {
	case t.Approved != 0:
		return refuse(CodeDuplicate, "training %d is %s already", number, t.Status)
	case err != nil:
		return err
	}
	if err := x.approve(&t.Opening, p); err != nil {
		return err
	}
	t.Status = TrainingJoining
	x.saveTraining(t)
	return nil
}

// closeJoining makes trainers of those who opened the same artist: whose commitment most
// joined with, of equally many the one that came first.
func (x *execution) closeJoining(t Training) {
	joined := map[Hash]int{}
	for _, j := range t.Joined {
		joined[j.Reader]++
	}
	var common Hash
	for i, j := range t.Joined {
		if i == 0 || joined[j.Reader] > joined[common] {
			common = j.Reader
		}
	}
	for _, j := range t.Joined {
		if j.Reader == common {
			t.Trainers = append(t.Trainers, j.Member)
		} else {
			x.missedTraining(&t, Culprit{Member: j.Member, Reason: "joined with another commitment to the artist than most"})
		}
	}
	slices.Sort(t.Trainers)
	if n := len(t.Trainers); n < secagg.MinMembers {
		t.Trainers = nil
		x.failTraining(t, fmt.Sprintf("%s joined in time with the same artist, it takes %d", plural(n, "member"), secagg.MinMembers))
		return
	}
	t.Status, t.Begun = TrainingSumming, x.height
	x.openSum(t, common)
	x.openedBy(t.KeyEpoch, t.Trainers...)
}

// openSum begins the adding up. Its phases are as long as those of a ceremony, but for
// the one in which trainers train.
func (x *execution) openSum(t Training, reader Hash) {
	p, n := x.params(), len(t.Trainers)
	phase := uint32(p.DKGPhaseBlocks)
	round, err := secagg.NewRound(secagg.Params{
		Session: t.roundSession(x.machine.chain), Members: n, Threshold: max(shamir.Threshold(n), secagg.MinThreshold(n)),
		Length: int(t.Plan.Length), Norm: uint32(t.Plan.Clip), Reader: reader,
		Deadlines: secagg.Deadlines{Advertise: phase, Share: phase, Dispute: uint32(p.DKGDisputeBlocks), Input: uint32(t.Plan.TrainBlocks), Confirm: phase, Unmask: phase, Result: phase},
	}, x.height+1)
	if err != nil { // plan and parameters are in range
		panic(err)
	}
	for _, table := range []string{trainingRoundTable, trainingPartTable} { // of the one before
		for k := range x.block.Ascend([]byte(table)) {
			x.block.Delete(k)
		}
	}
	x.sum, x.ownSum = round, true
	x.block.Set(keyTrainingRound(t.Plan.Number), round.Head())
	t.Until = round.Deadline()
	x.saveTraining(t)
	x.emit(EventTrainingPhase, t.Plan.Number, round.Phase().String(), t.Trainers, t.Until)
}
