package apitest

import (
	"context"
	"os"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/api"
)

// JoinTrainings implements api.Backend: it reads the pictures as a node does.
func (s *Studio) JoinTrainings(ctx context.Context, dir string) (api.Joined, error) {
	out := api.Joined{Pictures: dir, LeftOut: []api.LeftOut{}}
	l, err := model.NewLearner(ctx, model.Embedded(), os.DirFS(dir), model.LearnerOptions{
		Skipped: func(name string, why error) {
			out.LeftOut = append(out.LeftOut, api.LeftOut{File: name, Reason: why.Error()})
		},
	})
	if err != nil {
		return api.Joined{}, err
	}
	out.Count, s.trains = l.Pictures(), api.OwnTraining{Pictures: dir}
	return out, nil
}

// LeaveTrainings implements api.Backend.
func (s *Studio) LeaveTrainings() error {
	s.trains = api.OwnTraining{}
	return nil
}

// OwnTraining implements api.Backend.
func (s *Studio) OwnTraining() api.OwnTraining { return s.trains }

// Plan is a plan for the next training of the current artist.
func (s *Studio) Plan() (p curation.Plan) {
	s.t.Helper()
	s.Read(func(v curation.View) {
		m, _ := v.Model()
		p = curation.Plan{Number: v.NextTraining(), ModelID: m.ID, Length: 8, Steps: 10, Batch: 16, RatePPM: 3000, Clip: 5 << 16, JoinBlocks: 30, TrainBlocks: 60}
	})
	return p
}
