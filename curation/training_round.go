package curation

import (
	"errors"
	"slices"

	"github.com/atelier-dao/atelier/shamir/secagg"
)

// writableSum returns the adding up as this block's own copy.
func (x *execution) writableSum() *secagg.Round {
	if !x.ownSum {
		x.sum, x.ownSum = x.sum.Clone(), true
	}
	return x.sum
}

// trainingMessage takes a message of a trainer.
func (x *execution) trainingMessage(signer Address, p TrainingMessage) error {
	member, err := x.member(signer)
	if err != nil {
		return err
	}
	t, err := x.training(p.Number, TrainingSumming)
	if err != nil {
		return err
	}
	index := t.Index(member.Index)
	if index == 0 {
		return refuse(CodeNotMember, "member %d is no trainer in training %d", member.Index, p.Number)
	}
	round, message := x.writableSum(), secagg.Message{Kind: secagg.Kind(p.Message), Body: p.Body}
	if err := round.Apply(x.height, index, message); err != nil {
		return refuse(trainingCode(err), "training: %v", err)
	}
	part := round.Changed(index, message)
	x.st.Set(keyTrainingPart(part), part.Body)
	x.emit(EventTrainingMessage, p.Number, member.Index, secagg.Kind(p.Message).String())
	return nil
}

func trainingCode(err error) Code {
	switch {
	case errors.Is(err, secagg.ErrPhase):
		return CodeWrongPhase
	case errors.Is(err, secagg.ErrDuplicate), errors.Is(err, secagg.ErrEquivocation):
		return CodeDuplicate
	case errors.Is(err, secagg.ErrNotMember):
		return CodeNotMember
	}
	return CodeProof
}

// trainingBlock advances the training at the end of a block.
func (x *execution) trainingBlock() {
	t, ok := runningTraining(x.block)
	if !ok {
		return
	}
	due := x.height >= t.Until
	switch model := must2(currentModel(x.block)); {
	case model.ID != t.ModelID:
		x.failTraining(t, "another artist took the place of the one that was trained")
	case t.Status == TrainingApproving && due:
		x.failTraining(t, "no certificate in time")
	case t.Status == TrainingJoining && (due || len(t.Joined) == len(t.Prekeys)):
		x.closeJoining(t)
	case t.Status == TrainingSumming:
		x.advanceSum(t)
	case t.Status == TrainingSealing || t.Status == TrainingVoting:
		x.settleSealing(t)
	}
}

// advanceSum ends a phase of the adding up that is over, and the adding up with the
// last one.
func (x *execution) advanceSum(t Training) {
	round := x.writableSum()
	if !round.EndBlock(x.height) {
		return
	}
	x.block.Set(keyTrainingRound(t.Plan.Number), round.Head())
	t.Until = round.Deadline()
	sum, err := round.Outcome()
	if errors.Is(err, secagg.ErrNotReady) {
		x.saveTraining(t)
		x.emit(EventTrainingPhase, t.Plan.Number, round.Phase().String(), t.Trainers, t.Until)
		return
	}
	for _, c := range round.Culprits() {
		x.missedTraining(&t, Culprit{Member: Seats(t.Trainers).At(c.Index), Reason: c.Reason.String()})
	}
	if err != nil {
		x.failTraining(t, err.Error())
		return
	}
	t.Status, t.Summed, t.Sum, t.Counted = TrainingSealing, x.height, sum, Seats(t.Trainers).members(round.Survivors())
	t.Until = t.SealUntil(*x.params())
	x.saveTraining(t)
	x.emit(EventTrainingSummed, t.Plan.Number, t.Sum, t.Counted, t.Sealers(), t.Until)
}

// missedTraining names a member that failed its duty.
func (x *execution) missedTraining(t *Training, c Culprit) {
	t.Culprits = append(t.Culprits, c)
	x.emit(EventTrainingMissed, t.Plan.Number, c.Member, c.Reason)
}

// maySealTrained refuses a seal for a training that does not take it, and returns the training.
func (x *execution) maySealTrained(member uint32, p Seal) (Training, error) {
	t, err := x.training(p.Training, TrainingSealing, TrainingVoting)
	switch {
	case err != nil:
		return t, err
	case t.Index(member) == 0:
		return t, refuse(CodeNotMember, "member %d is no trainer in training %d", member, p.Training)
	case x.height > t.SealUntil(*x.params()):
		return t, refuse(CodeWrongPhase, "what came of training %d could be sealed until height %d", p.Training, t.SealUntil(*x.params()))
	case !t.MaySeal(*x.params(), member, x.height):
		return t, refuse(CodeWrongPhase, "it is not yet member %d's turn to seal what came of training %d", member, p.Training)
	}
	if want := TrainedName(must2(load[Model](x.st, keyModel(t.KeyEpoch))).Name, p.Training); p.Name != want {
		return t, refuse(CodeMalformed, "what came of training %d is called %q, and is sealed as %q: seal it under that name", p.Training, want, p.Name)
	}
	for _, e := range t.Results {
		switch m := must2(load[Model](x.st, keyModel(e))); {
		case m.Sealer == member:
			return t, refuse(CodeDuplicate, "member %d has sealed for training %d already, key epoch %d", member, p.Training, e)
		case m.PlainHash == p.PlainHash:
			return t, refuse(CodeDuplicate, "the artist that came of training %d is sealed already, for key epoch %d", p.Training, e)
		}
	}
	return t, nil
}

// sealedTrained notes what a trainer sealed, for which a vote begins.
func (x *execution) sealedTrained(t Training, m Model) {
	t.Status, t.Results = TrainingVoting, append(t.Results, m.KeyEpoch)
	t.Until = max(t.Until, x.height+x.params().MotionBlocks-1)
	x.saveTraining(t)
	x.emit(EventTrainingSealed, t.Plan.Number, m.KeyEpoch, m.PlainHash, m.Sealer)
}

// settleSealing ends a training of which nothing can come any more: no trainer may seal
// it, and members vote on nothing that was sealed.
func (x *execution) settleSealing(t Training) {
	voted := slices.ContainsFunc(t.Results, func(e uint64) bool {
		return must2(load[Model](x.block, keyModel(e))).Standing == ModelNominated
	})
	switch {
	case voted || x.height < t.SealUntil(*x.params()) && len(t.Results) < len(t.Trainers): // another trainer may yet seal something else
	case len(t.Results) > 0:
		x.failTraining(t, "too few members voted for what came of it")
	default:
		x.failTraining(t, "nobody sealed what came of it in time")
	}
}

// adoptedTrained ends a training whose result the members adopted.
func (x *execution) adoptedTrained(m Model) {
	t, ok := load[Training](x.st, keyTraining(m.Training))
	if !ok || t.Status.Ended() {
		return
	}
	t.Adopted = m.KeyEpoch
	x.endTraining(t, TrainingAdopted, "")
}

func (x *execution) failTraining(t Training, reason string) {
	x.endTraining(t, TrainingFailed, reason)
}

// endTraining ends a training, and the votes on what else was sealed for it.
func (x *execution) endTraining(t Training, status TrainingStatus, reason string) {
	t.Status, t.Until, t.Ended, t.Reason = status, 0, x.height, reason
	x.saveTraining(t)
	x.emit(EventTrainingEnded, t.Plan.Number, string(status), t.Adopted, reason)
	for _, e := range t.Results {
		m := must2(load[Model](x.st, keyModel(e)))
		if m.Standing != ModelNominated || e == t.Adopted {
			continue
		}
		motion := must2(load[Motion](x.st, keyMotion(adoption(e))))
		x.settleMotion(motion)
		x.emit(EventMotionSettled, motion.ID, len(motion.Votes), 0)
		x.discard(m, "the training that it came of has ended")
	}
}
