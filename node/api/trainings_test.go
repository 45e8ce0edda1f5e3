package api_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

// A plan takes votes as a motion; the training that it opens is told of until its end.
func TestTheInterfaceTellsOfATraining(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	_, c := serve(t, s)
	ctx := t.Context()
	all, err := c.Trainings(ctx)
	require.NoError(t, err)
	require.Empty(t, all)
	plan := s.Plan()
	s.Submit("Member 1", curation.Train{Plan: plan})
	motions, err := c.Motions(ctx)
	require.NoError(t, err)
	require.Len(t, motions, 1)
	m := motions[0]
	require.Equal(t, []any{"train", 1, 3}, []any{m.Kind, m.Counted, m.Threshold})
	require.Equal(t, plan, m.Plan.Plan())
	require.Contains(t, m.Plan.Text, "10 steps of 16 pictures each, at a rate of 0.003")
	for _, name := range []string{"Member 2", "Member 3"} {
		s.Submit(name, curation.Train{Plan: m.Plan.Plan()})
	}
	training := func() api.Training {
		t.Helper()
		all, err := c.Trainings(ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)
		return all[0]
	}
	now := training()
	require.Equal(t, []any{curation.TrainingApproving, uint64(1), []uint32{1, 2, 3, 4}, []uint32{}}, []any{now.Status, now.Number, now.May, now.Joined})
	s.Run("the certificate", func(v curation.View) bool { t, _ := v.RunningTraining(); return t.Status == curation.TrainingJoining })
	require.Contains(t, training().Says, "0 of 4 have joined, and 3 must")
	s.Submit("Member 2", curation.Join{Number: 1, Reader: curation.Hash{7}})
	now = training()
	require.Equal(t, [][]uint32{{2}, {2}, {}}, [][]uint32{now.Joined, now.Taking, now.Trainers}, "who joined so far takes part")
	for _, name := range []string{"Member 1", "Member 3", "Member 4"} {
		s.Submit(name, curation.Join{Number: 1, Reader: curation.Hash{7}})
	}
	now = training()
	require.Equal(t, []any{curation.TrainingSumming, "trainers exchange keys", 1, 7, []uint32{1, 2, 3, 4}}, []any{now.Status, now.Phase, now.Step, now.Steps, now.Trainers})
	require.Equal(t, now.Trainers, now.Taking)
	s.Run("its end", func(v curation.View) bool { _, running := v.RunningTraining(); return !running })
	now = training()
	require.Equal(t, curation.TrainingFailed, now.Status)
	require.Contains(t, now.Says, "nothing came of it: ")
	require.NotEmpty(t, now.Reason)
}

// What this member trains on is its owner's to say and to see.
func TestTheOwnerSaysOnWhichPicturesItsMemberTrains(t *testing.T) {
	s := apitest.New(t, 1, nil)
	server, owner := serve(t, s)
	ctx := t.Context()
	anybody := api.NewClient(server.Listener.Addr().String(), "")
	t.Cleanup(anybody.Close)
	dir := t.TempDir()
	for _, prompt := range []string{"red heart", "blue bird"} {
		picture, err := model.Embedded().Render(ctx, prompt, [32]byte{}, 64, model.RenderOptions{})
		require.NoError(t, err)
		f, err := os.Create(filepath.Join(dir, prompt+".png"))
		require.NoError(t, err)
		require.NoError(t, picture.EncodePNG(f))
		require.NoError(t, f.Close())
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "broken.png"), []byte("no picture"), 0o600))

	_, err := anybody.JoinTrainings(ctx, dir)
	problemOf(t, err, api.CodeOwner)
	_, err = anybody.OwnTraining(ctx)
	problemOf(t, err, api.CodeOwner)
	problemOf(t, anybody.LeaveTrainings(ctx), api.CodeOwner)

	own, err := owner.OwnTraining(ctx)
	require.NoError(t, err)
	require.Empty(t, own)
	_, err = owner.JoinTrainings(ctx, filepath.Join(dir, "nowhere"))
	require.ErrorContains(t, problemOf(t, err, api.CodeInput), "name a folder of pictures")
	j, err := owner.JoinTrainings(ctx, dir)
	require.NoError(t, err)
	require.Equal(t, []any{dir, 2, 1, "broken.png"}, []any{j.Pictures, j.Count, len(j.LeftOut), j.LeftOut[0].File})
	own, err = owner.OwnTraining(ctx)
	require.NoError(t, err)
	require.Equal(t, dir, own.Pictures)
	require.NoError(t, owner.LeaveTrainings(ctx))
	own, err = owner.OwnTraining(ctx)
	require.NoError(t, err)
	require.Empty(t, own)
}
