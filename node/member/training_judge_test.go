package member_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

func TestWhatAMemberDislikesOfANewVersion(t *testing.T) {
	for name, test := range map[string]struct {
		found member.Summed
		says  string // nothing where it is liked
	}{
		"better and nothing forgotten":       {member.Summed{Before: 2, After: 1, Forgotten: model.Forgotten{Pictures: 64}}, ""},
		"a little worse":                     {member.Summed{Before: 1, After: 1 + member.LossMargin, Forgotten: model.Forgotten{Pictures: 64}}, ""},
		"worse on the own pictures":          {member.Summed{Before: 1, After: 1.2, Forgotten: model.Forgotten{Pictures: 64}}, "has a loss of 1.200 nats, and the version before it 1.000"},
		"no number on the own pictures":      {member.Summed{Before: 1, After: math.NaN(), Forgotten: model.Forgotten{Pictures: 64}}, "has a loss of NaN"},
		"a quarter forgotten":                {member.Summed{Before: 2, After: 1, Forgotten: model.Forgotten{Pictures: 64, Unlike: 16}}, ""},
		"one picture more than a quarter":    {member.Summed{Before: 2, After: 1, Forgotten: model.Forgotten{Pictures: 64, Unlike: 17}}, "draws 17 unlike before, at most 16 may be: train again"},
		"never compared with the one before": {member.Summed{Before: 2, After: 1}, "it was not compared with the version before"},
		"of a sum that somebody spoilt":      {member.Summed{Result: secagg.Result{Spoilt: true}}, "somebody gave a change that is no training"},
	} {
		t.Run(name, func(t *testing.T) {
			err := test.found.Dislikes()
			if test.says == "" {
				require.NoError(t, err)
				require.Contains(t, test.found.Says(), "finds the new version good: its loss on the own pictures is ")
				return
			}
			require.ErrorContains(t, err, test.says)
			require.Contains(t, test.found.Says(), "does not vote for the new version by itself: ")
			require.Contains(t, test.found.Says(), test.says)
		})
	}
}

// TestAVersionThatForgotTooMuchIsNotVotedFor: all find the same, so nobody seals it, however
// well it draws their own pictures; the training ends, and the next one does better.
func TestAVersionThatForgotTooMuchIsNotVotedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4, 105, calm)
	w.found()
	w.joins(w.members...)
	for _, q := range w.members {
		q.unlike = 17
	}
	before := w.model()
	w.propose()
	w.untilSummed(1, 600)
	ended := w.ends(1, 2000)
	require.Equal(t, curation.TrainingFailed, ended.Status, "%v", w.trainings())
	require.Empty(t, ended.Results)
	require.Equal(t, before.KeyEpoch, w.model().KeyEpoch)
	for _, q := range w.members {
		require.Contains(t, q.notes, "this member does not vote for the version that was trained")
		q.unlike = 16
	}
	w.propose()
	counted := w.untilSummed(2, 600)
	w.replaced(w.ends(2, 600), counted)
	require.Empty(t, w.failed)
}
