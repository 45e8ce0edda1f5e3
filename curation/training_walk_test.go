package curation

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir/secagg"
)

// school is a studio whose members also train their artist, with moods: some vanish from
// a training in the middle, some join with what they did not open, some seal lies, and
// messages of all kinds come out of place.
type school struct {
	*studio
	class *classroom
	heard []TrainingMessage // of trainings before, to be said again
}

func newSchool(t *testing.T, seed string) *school {
	s := &school{studio: newStudio(t, seed)}
	s.class = classroomOf(s.world)
	s.class.joining = 10
	s.asking, s.artists, s.diligent = 9, 250, 100
	pictures := s.duties
	s.duties = func(m Member) []Payload { return append(pictures(m), s.lessons(m)...) }
	return s
}

// lessons is what a member would send of a training now, or what it should not.
func (s *school) lessons(m Member) (all []Payload) {
	t, running := view2(s.world, View.RunningTraining)
	switch {
	case !running:
		for _, o := range view(s.world, View.Motions) {
			if o.Train != nil && s.pick(2) == 0 {
				all = append(all, Train{Plan: *o.Train})
			}
		}
		if s.pick(4) == 0 {
			if _, sealed := view2(s.world, View.Model); sealed {
				all = append(all, Train{Plan: s.class.plan()})
			}
		}
	case t.Status == TrainingApproving:
		if p, ok := s.certified(t.Opening); ok && s.pick(3) == 0 {
			all = append(all, p)
		}
	case t.Status == TrainingJoining && s.pick(2) == 0:
		p := s.class.joins(t)
		if s.pick(12) == 0 {
			p.Reader[0] ^= 1
		}
		all = append(all, p)
	case t.Status == TrainingSumming:
		if s.pick(150) == 0 && s.class.gone[m.Index] == 0 {
			s.class.gone[m.Index] = s.class.sum().Phase()
		}
		for _, p := range s.class.says(m.Index) {
			all = append(all, p)
			s.heard = append(s.heard, p.(TrainingMessage))
		}
	case (t.Status == TrainingSealing || t.Status == TrainingVoting) && t.Index(m.Index) != 0 && s.pick(4) == 0:
		clear(s.class.gone)
		all = append(all, s.class.result(t, fmt.Sprintf("of training %d by %d", t.Plan.Number, s.pick(2))))
	}
	for _, o := range view(s.world, View.Motions) { // what came of one is wanted, if it is no lie
		if o.Adopt != 0 && s.modelAt(o.Adopt).Training != 0 && s.modelAt(o.Adopt).PlainHash[0]%2 == 0 && s.pick(2) == 0 {
			all = append(all, Adopt{KeyEpoch: o.Adopt})
		}
	}
	if len(s.heard) > 0 && s.pick(6) == 0 { // a replay
		p := s.heard[s.pick(min(len(s.heard), 200))]
		if running && s.pick(2) == 0 {
			p.Number = t.Plan.Number
		}
		all = append(all, p)
	}
	return all
}

// Whoever trains, lies, vanishes, comes and goes: the invariants hold after every block, a
// replica that starts again after every block agrees, and no training lasts longer than
// its plan.
func TestTrainingsAtRandomWhileMembersComeAndGo(t *testing.T) {
	seen := map[string]int{}
	for i := range 2 {
		s := newSchool(t, fmt.Sprint("a schoolhouse ", i))
		s.restless = i == 0
		for range 300 {
			s.step()
			s.shares[s.committee().Epoch()] = s.held
			if tr, running := view2(s.world, View.RunningTraining); running {
				p := s.replicas[0].genesis.Params
				require.LessOrEqual(t, s.height, tr.Expiry+p.RequestBlocks+p.MotionBlocks)
				if tr.Status.Opens() {
					require.NotEmpty(t, view(s.world, func(v View) []Model { return v.Layers(tr.KeyEpoch) }))
				}
			}
		}
		for _, e := range s.events {
			seen[e.Kind]++
			if e.Kind == EventTrainingEnded {
				reason := e.Get("reason")
				if _, after, cut := strings.Cut(reason, ": "); cut { // who were too few
					reason = after
				}
				seen[e.Get("status")+" "+reason]++
			}
		}
	}
	for _, kind := range []string{EventTrainingOpened, EventTrainingJoined, EventTrainingMissed, EventTrainingSummed, EventTrainingSealed, EventTrainingEnded,
		"adopted ", "failed " + secagg.ErrTooFew.Error()} {
		require.NotZero(t, seen[kind], "never seen: %s", kind)
	}
}
