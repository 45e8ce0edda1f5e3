package curation

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// trainingsAgree: all trainings but the last have ended; each is found by its id; what
// was sealed for one says so; and the adding up of the last is kept, and decoded.
func (m *Machine) trainingsAgree(r state.Reader) error {
	all := records[Training](r, []byte("training/record/"))
	if last := count(r, keyTrainings); last != uint64(len(all)) {
		return fmt.Errorf("%d trainings, the last has number %d", len(all), last)
	}
	sealed := map[uint64]uint64{}
	kept := uint64(0) // whose adding up is
	for i, t := range all {
		if err := m.trainingAgrees(r, t, i, i+1 == len(all)); err != nil {
			return fmt.Errorf("training %d, %s: %w", i+1, t.Status, err)
		}
		for _, e := range t.Results {
			sealed[e] = t.Plan.Number
		}
		if t.Begun != 0 {
			kept = t.Plan.Number
		}
	}
	for _, o := range records[Model](r, []byte("model/")) {
		if o.Training != sealed[o.KeyEpoch] {
			return fmt.Errorf("key epoch %d is of training %d, sealed for %d", o.KeyEpoch, sealed[o.KeyEpoch], o.Training)
		}
	}
	if n := len(names(r, []byte("index/training/"))); n != len(all) {
		return fmt.Errorf("%d trainings, %d in the index", len(all), n)
	}
	for _, o := range records[Motion](r, []byte("motion/")) {
		if _, running := runningTraining(r); o.Train != nil && (running || o.Train.Number != uint64(len(all))+1) {
			return fmt.Errorf("motion %v is on training %d, %d have been, one runs: %v", o.ID, o.Train.Number, len(all), running)
		}
	}
	return m.sumAgrees(r, kept)
}

// sumAgrees: the adding up of one training is kept, and the decoded one is that.
func (m *Machine) sumAgrees(r state.Reader, of uint64) error {
	if (of != 0) != (m.sum != nil) {
		return fmt.Errorf("the adding up of training %d, one is decoded: %v", of, m.sum != nil)
	}
	want := map[string][]byte{}
	if m.sum != nil {
		want[string(keyTrainingRound(of))] = m.sum.Head()
		for p := range m.sum.Parts() {
			want[string(keyTrainingPart(p))] = p.Body
		}
	}
	for _, table := range []string{trainingRoundTable, trainingPartTable} {
		for k, raw := range r.Ascend([]byte(table)) {
			if !bytes.Equal(want[string(k)], raw) {
				return fmt.Errorf("%q is kept, of training %d, and another one decoded", k, of)
			}
			delete(want, string(k))
		}
	}
	if len(want) != 0 {
		return fmt.Errorf("%d parts of training %d are decoded and not kept", len(want), of)
	}
	return nil
}

// trainingAgrees checks one of the trainings, the one that stands at i.
func (m *Machine) trainingAgrees(r state.Reader, t Training, i int, last bool) error {
	ended, approved := t.Status.Ended(), t.Approved != 0
	switch {
	case t.Plan.Number != uint64(i)+1 || count(r, indexTraining(t.RID)) != t.Plan.Number:
		return fmt.Errorf("stands at %d, and at %d in the index", i+1, count(r, indexTraining(t.RID)))
	case !ended && !last:
		return fmt.Errorf("runs beside the last")
	case ended != (t.Ended != 0) || ended != (t.Until == 0) || !ended && t.Until <= m.height:
		return fmt.Errorf("lasts until %d, ended at %d", t.Until, t.Ended)
	case (t.Status == TrainingFailed) != (t.Reason != "") || (t.Status == TrainingAdopted) != (t.Adopted != 0):
		return fmt.Errorf("key epoch %d was adopted; %q", t.Adopted, t.Reason)
	case approved != (len(t.Certificate) != 0) || approved != (len(t.Order) == len(t.Prekeys)) || !approved && t.Status != TrainingApproving && !ended:
		return fmt.Errorf("was approved at %d, with a certificate of %s and %d readers in order", t.Approved, plural(len(t.Certificate), "byte"), len(t.Order))
	case t.Opening.RID != RequestID(t.BodyHash, t.Requested, t.Position):
		return fmt.Errorf("has another id")
	case (t.Begun != 0) != (len(t.Trainers) != 0) || t.Begun != 0 && (len(t.Trainers) < secagg.MinMembers || !slices.IsSorted(t.Trainers)):
		return fmt.Errorf("began at %d with %v", t.Begun, t.Trainers)
	case (t.Status == TrainingApproving || t.Status == TrainingJoining) && t.Begun != 0 || t.Status == TrainingSumming && (t.Begun == 0 || t.Summed != 0) || (t.Status == TrainingSealing || t.Status == TrainingVoting || t.Status == TrainingAdopted) && t.Summed == 0:
		return fmt.Errorf("began at %d, the sum was known at %d", t.Begun, t.Summed)
	case (t.Summed != 0) != (t.Sum != Hash{}) || (t.Summed != 0) != (len(t.Counted) != 0) || t.Summed == 0 && len(t.Results) != 0:
		return fmt.Errorf("the sum of %v was known at %d; sealed for key epochs %v", t.Counted, t.Summed, t.Results)
	}
	for _, member := range t.Trainers {
		if !t.HasJoined(member) {
			return fmt.Errorf("member %d trains and has not joined", member)
		}
	}
	for _, j := range t.Joined {
		if _, listed := t.Readers().Lookup(j.Member); !listed {
			return fmt.Errorf("member %d has joined and may not open the artist", j.Member)
		}
	}
	voted := 0
	for _, e := range t.Results {
		o, ok := load[Model](r, keyModel(e))
		if !ok || t.Index(o.Sealer) == 0 {
			return fmt.Errorf("member %d sealed for it", o.Sealer)
		}
		if o.Standing == ModelNominated {
			voted++
		}
	}
	if voted > 0 && t.Status != TrainingVoting || t.Status == TrainingVoting && voted == 0 && m.height >= t.SealUntil(m.genesis.Params) {
		return fmt.Errorf("members vote on %d of what came of it", voted)
	}
	if current, ok := currentModel(r); !ended && (!ok || current.ID != t.ModelID) {
		return fmt.Errorf("trains another artist than the current one")
	}
	if t.Status.Opens() && (t.Epoch+1 < m.committee.Epoch() || t.Expiry <= m.height) {
		return fmt.Errorf("is of epoch %d, in force is %d", t.Epoch, m.committee.Epoch())
	}
	return nil
}
