package health

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// Training says where a training of the artist stands.
type Training struct {
	curation.Training
	Artist string // name of the one that is trained
	// Taking are the members that take part: its trainers, or who joined so far while those
	// are not known, and when they never were.
	Taking []uint32
	Phase  string // of the sum, in words; empty when there is none
	Step   int    // of the sum, from 1: its phases are counted; 0 before it begins
	Steps  int    // of the sum
	Says   string // what the status means, in words
}

// steps of a sum are its phases, in words.
var steps = map[secagg.Phase]string{
	secagg.PhaseAdvertise: "trainers exchange keys",
	secagg.PhaseShare:     "trainers share the secrets of their masks",
	secagg.PhaseDispute:   "trainers may complain about shares",
	secagg.PhaseInput:     "trainers learn from their pictures and give what changed, masked",
	secagg.PhaseConfirm:   "trainers fetch what the others gave",
	secagg.PhaseUnmask:    "trainers take the masks off the sum",
	secagg.PhaseResult:    "trainers add up",
}

// TrainingOf reads it from a ledger.
func TrainingOf(v curation.View, t curation.Training) Training {
	model, _ := v.ModelAt(t.KeyEpoch) // a training is of a model that there is
	out := Training{Training: t, Artist: model.Name, Steps: len(steps)}
	switch t.Status {
	case curation.TrainingSumming:
		if r, ok := v.TrainingRound(t.Plan.Number); ok {
			out.Phase, out.Step = steps[r.Phase()], int(r.Phase())
		}
	case curation.TrainingSealing, curation.TrainingVoting, curation.TrainingAdopted:
		out.Step = out.Steps
	}
	if out.Taking = t.Trainers; len(t.Trainers) == 0 {
		for _, j := range t.Joined {
			out.Taking = append(out.Taking, j.Member)
		}
	}
	out.Says = out.says(v)
	return out
}

func (t Training) says(v curation.View) string {
	switch t.Status {
	case curation.TrainingApproving:
		return "the members' nodes approve that trainers open the artist, by themselves"
	case curation.TrainingJoining:
		return fmt.Sprintf("%d of %d have joined, and %d must: the nodes do it whose owners said `atelier training join`", len(t.Joined), len(t.Prekeys), secagg.MinMembers)
	case curation.TrainingSumming:
		return t.Phase
	case curation.TrainingSealing:
		if member, ok := t.SealerAt(v.Params(), v.Height()+1); ok {
			m, _ := v.Member(member)
			return fmt.Sprintf("the changes of %s are added up: it is the turn of %s to seal the new version, which its node does by itself", plural(len(t.Counted), "member", "members"), m.Name)
		}
		return "the new version is known, and nobody sealed it in time"
	case curation.TrainingVoting:
		return voting(t.voted(v))
	case curation.TrainingAdopted:
		return fmt.Sprintf("the members adopted the new version, key epoch %d", t.Adopted)
	}
	return "nothing came of it: " + t.Reason
}

// voted are the key epochs on which members vote.
func (t Training) voted(v curation.View) []uint64 {
	return slices.DeleteFunc(slices.Clone(t.Results), func(e uint64) bool {
		m, _ := v.ModelAt(e)
		return m.Standing != curation.ModelNominated
	})
}

// voting says what there is to vote on. Of several versions all but one were not made by
// the training, and nobody who did not train can tell which.
func voting(epochs []uint64) string {
	switch len(epochs) {
	case 0:
		return "too few voted for what was sealed; another trainer may yet seal another version"
	case 1:
		return fmt.Sprintf("members vote on the new version; trainers' nodes do by themselves if it is what they found and is hardly worse on their pictures, the others with `atelier model adopt %d`", epochs[0])
	}
	all := make([]string, len(epochs))
	for i, e := range epochs {
		all[i] = strconv.FormatUint(e, 10)
	}
	return fmt.Sprintf("trainers sealed versions that differ, for key epochs %s, and one at most is what all found: see for which the trainers' nodes vote with `atelier member votes` before you vote for one with `atelier model adopt`", strings.Join(all, ", "))
}

// PlanText says in words, one a line, what trainers do by a plan.
func PlanText(p curation.Plan) []string {
	return []string{
		fmt.Sprintf("%s of %s each, at a rate of %g", plural(int(p.Steps), "step", "steps"), plural(int(p.Batch), "picture", "pictures"), float64(p.RatePPM)/1e6),
		fmt.Sprintf("changes of %d numbers, clipped to a length of %g", p.Length, float64(p.Clip)/65536),
		fmt.Sprintf("%s to approve and join, %s to train", plural(int(p.JoinBlocks), "block", "blocks"), plural(int(p.TrainBlocks), "block", "blocks")),
	}
}
