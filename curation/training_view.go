package curation

import (
	"encoding/binary"
	"iter"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// runningTraining returns the training that has not ended.
func runningTraining(r state.Reader) (Training, bool) {
	t, ok := load[Training](r, keyTraining(count(r, keyTrainings)))
	return t, ok && !t.Status.Ended()
}

// trainingRound decodes the adding up that the state holds; nil without one.
func trainingRound(r state.Reader) (*secagg.Round, error) {
	for _, head := range r.Ascend([]byte(trainingRoundTable)) {
		return secagg.ReadRound(head, trainingParts(r))
	}
	return nil, nil
}

// trainingParts are what the state holds of the messages of that round.
func trainingParts(r state.Reader) iter.Seq[secagg.Part] {
	return func(yield func(secagg.Part) bool) {
		for k, body := range r.Ascend([]byte(trainingPartTable)) {
			place := k[len(trainingPartTable):]
			if !yield(secagg.Part{Member: binary.BigEndian.Uint32(place), Kind: secagg.Kind(place[4]), Body: body}) {
				return
			}
		}
	}
}

// openingOf is the opening with that id: a request's or a training's.
func openingOf(r state.Reader, rid Hash) (Opening, bool) {
	if a, ok := load[Artwork](r, keyArtwork(rid)); ok {
		return a.Opening, true
	}
	t, ok := load[Training](r, keyTraining(count(r, indexTraining(rid))))
	return t.Opening, ok
}

// Opening is the opening with that id, of a request or of a training, ended or not.
func (v View) Opening(rid Hash) (Opening, bool) { return openingOf(v.m.store, rid) }

// Approving are the openings that wait for their certificate: those of requests, by
// deadline, then that of a training.
func (v View) Approving() (all []Opening) {
	for _, a := range v.Working() {
		if a.Status == StatusRequested {
			all = append(all, a.Opening)
		}
	}
	if t, ok := v.RunningTraining(); ok && t.Status == TrainingApproving {
		all = append(all, t.Opening)
	}
	return all
}

// Training is the training of that number.
func (v View) Training(number uint64) (Training, bool) {
	return load[Training](v.m.store, keyTraining(number))
}

// TrainingOf is the training that was opened under that id.
func (v View) TrainingOf(rid Hash) (Training, bool) {
	return v.Training(count(v.m.store, indexTraining(rid)))
}

// RunningTraining is the training that has not ended; there is one at most.
func (v View) RunningTraining() (Training, bool) { return runningTraining(v.m.store) }

// NextTraining is the number that the plan of the next training has to have.
func (v View) NextTraining() uint64 { return count(v.m.store, keyTrainings) + 1 }

// Trainings are the last trainings, newest first, at most limit of them.
func (v View) Trainings(limit int) (all []Training) {
	for n := count(v.m.store, keyTrainings); n > 0 && len(all) < limit; n-- {
		all = append(all, must2(v.Training(n)))
	}
	return all
}

// TrainingRound is a copy of the adding up in a training, from its beginning until
// another training's begins. Its index i is Training.Trainers[i-1]. It stands still once
// the training has ended.
func (v View) TrainingRound(number uint64) (*secagg.Round, bool) {
	if _, kept := v.m.store.Get(keyTrainingRound(number)); !kept {
		return nil, false
	}
	return v.m.sum.Clone(), true
}
