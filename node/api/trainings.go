package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/health"
)

// Plan is what all who take part in a training do alike.
type Plan struct {
	Number      uint64        `json:"number" doc:"Of the training, from 1."`
	ModelID     curation.Hash `json:"model_id" doc:"Of the artist that is trained."`
	Length      uint64        `json:"length" doc:"Numbers that the artist has."`
	Steps       uint64        `json:"steps" doc:"That each takes on its own pictures."`
	Batch       uint64        `json:"batch" doc:"Pictures that a step learns from."`
	RatePPM     uint64        `json:"rate_ppm" doc:"Learning rate in parts per million."`
	Clip        uint64        `json:"clip" doc:"The longest change of one member, in units of 2^-16."`
	JoinBlocks  uint64        `json:"join_blocks" doc:"How long members have to approve the training and to join it."`
	TrainBlocks uint64        `json:"train_blocks" doc:"How long trainers have to train and to give what they learned."`
	Text        []string      `json:"text" doc:"The same in words."`
}

func planOf(p curation.Plan) Plan {
	return Plan{Number: p.Number, ModelID: p.ModelID, Length: p.Length, Steps: p.Steps, Batch: p.Batch, RatePPM: p.RatePPM, Clip: p.Clip,
		JoinBlocks: p.JoinBlocks, TrainBlocks: p.TrainBlocks, Text: health.PlanText(p)}
}

// Plan is the ledger's, for a vote.
func (p Plan) Plan() curation.Plan {
	return curation.Plan{Number: p.Number, ModelID: p.ModelID, Length: p.Length, Steps: p.Steps, Batch: p.Batch, RatePPM: p.RatePPM, Clip: p.Clip,
		JoinBlocks: p.JoinBlocks, TrainBlocks: p.TrainBlocks}
}

// Training is one of the artist, by members on pictures that they show to nobody.
type Training struct {
	Number    uint64                  `json:"number" doc:"From 1."`
	RID       curation.Hash           `json:"rid" doc:"Names its opening, as that of a request does."`
	Status    curation.TrainingStatus `json:"status" enum:"approving,joining,summing,sealing,voting,adopted,failed"`
	Says      string                  `json:"says" doc:"What that means, in words."`
	Artist    string                  `json:"artist" doc:"Name of the one that is trained."`
	Plan      Plan                    `json:"plan"`
	Votes     []uint32                `json:"votes" doc:"Members that voted for the plan, in the order of their votes."`
	Requested uint64                  `json:"requested" doc:"Height at which the members' votes opened it."`
	Until     uint64                  `json:"until,omitempty" doc:"Last height of what is under way; absent once it ended."`
	May       []uint32                `json:"may_join" doc:"Members that may open the artist for it."`
	Joined    []uint32                `json:"joined" doc:"Members that opened the artist and want to take part."`
	Taking    []uint32                `json:"taking_part" doc:"Members that take part: the trainers, or who joined so far while those are not known."`
	Trainers  []uint32                `json:"trainers" doc:"Members that take part, in the order of their places in the sum; empty before."`
	Phase     string                  `json:"phase,omitempty" doc:"Of the sum, in words."`
	Step      int                     `json:"step,omitempty" doc:"Of the sum: its phases are counted from 1."`
	Steps     int                     `json:"steps,omitempty" doc:"Of the sum."`
	Counted   []uint32                `json:"counted" doc:"Members whose changes are in the sum; empty before that is known."`
	Culprits  []Culprit               `json:"culprits" doc:"Who failed in the sum, and how; most of it may be a lost connection."`
	Sum       curation.Hash           `json:"sum,omitzero" doc:"Hash of the sum, which says nothing to who cannot open the artist."`
	Results   []uint64                `json:"results" doc:"Key epochs for which trainers sealed what came of it."`
	Adopted   uint64                  `json:"adopted,omitempty" doc:"That of the version that members adopted."`
	Ended     uint64                  `json:"ended,omitempty" doc:"Height."`
	Reason    string                  `json:"reason,omitempty" doc:"Why it failed."`
}

func trainingOf(v curation.View, record curation.Training) Training {
	t := health.TrainingOf(v, record)
	out := Training{Number: t.Plan.Number, RID: t.RID, Status: t.Status, Says: t.Says, Artist: t.Artist, Plan: planOf(t.Plan), Votes: list(t.Votes),
		Requested: t.Requested, Until: t.Until, Taking: list(t.Taking), Trainers: list(t.Trainers), Phase: t.Phase, Step: t.Step, Steps: t.Steps,
		Counted: list(t.Counted), Culprits: each(t.Culprits, culpritOf), Sum: t.Sum, Results: list(t.Results), Adopted: t.Adopted, Ended: t.Ended, Reason: t.Reason,
		May: each(t.Prekeys, func(k curation.ReaderKey) uint32 { return k.Member }), Joined: each(t.Joined, func(j curation.Joined) uint32 { return j.Member })}
	return out
}

// LeftOut is a file that is not trained on.
type LeftOut struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// Joined says on what this member trains from now on.
type Joined struct {
	Pictures string    `json:"pictures" doc:"Folder on the node's machine."`
	Count    int       `json:"count" doc:"Pictures in it."`
	LeftOut  []LeftOut `json:"left_out" doc:"Files that are no use, and why."`
}

// TrainingWork is what this node does for a training now.
type TrainingWork struct {
	Number uint64 `json:"number"`
	Doing  string `json:"doing" doc:"In words."`
	Step   int    `json:"step,omitempty"`
	Steps  int    `json:"steps,omitempty" doc:"Absent when it is not counted in steps."`
}

// Judgement is what this node found of the version that a training made.
type Judgement struct {
	Number   uint64  `json:"number" doc:"Of the training."`
	Before   float64 `json:"before" doc:"Loss of the version before on the own pictures, in nats for a place."`
	After    float64 `json:"after" doc:"Loss of the new version."`
	Pictures int     `json:"pictures" doc:"Pictures of what the version before knew that both drew."`
	Unlike   int     `json:"unlike" doc:"Of them, those that the new version draws unlike before."`
	Good     bool    `json:"good" doc:"Whether this member seals it and votes for it by itself."`
	Says     string  `json:"says" doc:"That in words."`
}

// OwnTraining is this member's part in trainings, for its owner alone.
type OwnTraining struct {
	Pictures string        `json:"pictures,omitempty" doc:"Folder that it trains on; absent when it takes part in none."`
	Work     *TrainingWork `json:"work,omitempty" doc:"What it does now; absent when nothing."`
	Judged   *Judgement    `json:"judged,omitempty" doc:"What it found of the last version that was made, by which it votes; absent before, and once the training is over and the node has stopped."`
}

// maxTrainings is how many trainings one answer tells of.
const maxTrainings = 100

// pathOwnTraining is the read of a training that is the owner's alone.
const pathOwnTraining = "/v1/training"

func (s *server) registerTrainings(api huma.API) {
	get(s, api, "trainings", "/v1/trainings", "The last trainings of the artist, newest first",
		func(v curation.View, _ *none) ([]Training, error) {
			return each(v.Trainings(maxTrainings), func(t curation.Training) Training { return trainingOf(v, t) }), nil
		})
	huma.Register(api, s.owned(huma.Operation{OperationID: "own-training", Method: http.MethodGet, Path: pathOwnTraining,
		Summary: "On which pictures this node's member trains, and what it does now"}),
		func(_ context.Context, _ *none) (*body[OwnTraining], error) {
			return &body[OwnTraining]{s.backend.OwnTraining()}, nil
		})
	type joinInput struct {
		Body struct {
			// A path of the node's machine: whose token this is can read its files anyway.
			Pictures string `json:"pictures" minLength:"1" maxLength:"4096" doc:"Whole path of a folder of pictures on the node's machine."`
		}
	}
	huma.Register(api, s.owned(huma.Operation{OperationID: "join-trainings", Method: http.MethodPost, Path: "/v1/training/join",
		Summary: "Have this node's member take part in trainings, on the pictures of a folder"}),
		func(ctx context.Context, in *joinInput) (*body[Joined], error) {
			j, err := s.backend.JoinTrainings(ctx, in.Body.Pictures)
			if err != nil {
				return nil, problem(http.StatusBadRequest, CodeInput, "this member does not train on %s: %v", clip(in.Body.Pictures), err)
			}
			return &body[Joined]{j}, nil
		})
	huma.Register(api, s.owned(huma.Operation{OperationID: "leave-trainings", Method: http.MethodPost, Path: "/v1/training/leave",
		Summary: "Have this node's member take part in no training any more"}),
		func(_ context.Context, _ *none) (*body[OwnTraining], error) {
			if err := s.backend.LeaveTrainings(); err != nil {
				return nil, explain(err)
			}
			return &body[OwnTraining]{s.backend.OwnTraining()}, nil
		})
}

// Trainings are the last ones of the artist, newest first.
func (c *Client) Trainings(ctx context.Context) ([]Training, error) {
	return ask[[]Training](ctx, c, "/v1/trainings", nil)
}

// OwnTraining is the part of the node's member. It needs the owner's token.
func (c *Client) OwnTraining(ctx context.Context) (OwnTraining, error) {
	return ask[OwnTraining](ctx, c, pathOwnTraining, nil)
}

// JoinTrainings has the node's member train on the pictures of a folder on its machine.
// It needs the owner's token.
func (c *Client) JoinTrainings(ctx context.Context, pictures string) (out Joined, err error) {
	err = c.post(ctx, "/v1/training/join", map[string]string{"pictures": pictures}, &out)
	return out, err
}

// LeaveTrainings has the node's member take part in no training any more. It needs the
// owner's token.
func (c *Client) LeaveTrainings(ctx context.Context) error {
	var out OwnTraining
	return c.post(ctx, "/v1/training/leave", struct{}{}, &out)
}

// ownReads says whether a read is the owner's alone.
func ownReads(target string) bool {
	return strings.HasPrefix(target, pathReleases) || target == pathOwnTraining
}
