package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/federated"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

func trainingPropose(e *env) *cobra.Command {
	var steps, batch, numbers, join, train int
	var rate, clip float64
	c := &cobra.Command{
		Use: "propose", Short: "Propose that members train the artist together",
		Long: `propose asks the members to train the network's artist on their own pictures, and is
this member's vote for it; the others vote with ` + "`atelier training vote`" + `. With as
many votes as open the artist it begins. Their nodes then do everything by
themselves: those whose owners said ` + "`atelier training join`" + ` open the artist, each
learns from its pictures, what changed is added up under masks, a trainer seals the
new version, and members vote on it. Three must take part at least; a member away
costs only itself.

The new version takes the place of the artist, which the members then keep no more:
of its artworks there are no editions any longer. A few pictures alone pull it far
from what it knew: --rate and --steps say how far. Against that three of four
pictures that a trainer learns from are the artist's own, of names that its pictures
do not teach, and a version that forgot too much gets no vote from the nodes.

The plan is the same for all. Many short trainings teach more than a long one: what
each learns alone for long does not add up. --clip is the longest change that a
member may make. A longer one is scaled down, so nobody's weighs more, and a liar's
does no more harm than that. --numbers is how many the artist has, which who joins
checks; every artist that was tuned from the genesis artist has as many as that.`,
		Example: "  atelier training propose\n  atelier training propose --steps 5 --batch 8 --join-blocks 600 --train-blocks 1200",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			v, err := e.voter(cmd.Context())
			if err != nil {
				return err
			}
			if v.network.Model == nil {
				return refused(curation.CodeWrongPhase, "no artist is sealed yet: a member does it with `%s`", e.again("model seal"))
			}
			last, err := v.client.Trainings(cmd.Context())
			if err != nil {
				return err
			}
			p := curation.Plan{Number: 1, ModelID: v.network.Model.ID, Length: uint64(numbers), Steps: uint64(steps), Batch: uint64(batch),
				RatePPM: uint64(math.Round(rate * 1e6)), Clip: uint64(math.Round(clip * federated.Unit)), JoinBlocks: uint64(join), TrainBlocks: uint64(train)}
			if len(last) > 0 {
				p.Number = last[0].Number + 1
			}
			if err := p.Validate(); err != nil {
				return usage("%w", err)
			}
			return v.voteTraining(cmd.Context(), p)
		},
	}
	option(c, &steps, "steps", "10", between(1, curation.MaxTrainingSteps), "`N` steps of each trainer on its own pictures")
	option(c, &batch, "batch", "16", between(1, curation.MaxTrainingBatch), "`N` pictures that a step learns from")
	option(c, &rate, "rate", "0.001", fraction(1e-6, 1), "learning `RATE`, 0.000001 to 1")
	option(c, &clip, "clip", "5", fraction(0.001, federated.MaxClip), "longest change of a member: `LENGTH`")
	option(c, &numbers, "numbers", strconv.Itoa(model.Embedded().Parameters()), between(1, secagg.MaxLength), "`N` numbers of the artist")
	option(c, &join, "join-blocks", "600", between(3, curation.MaxTrainingBlocks), "`N` blocks to approve it and to join")
	option(c, &train, "train-blocks", "1200", between(1, curation.MaxTrainingBlocks), "`N` blocks to train in")
	return c
}

func trainingVote(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "vote [MOTION]", Short: "Vote to train the artist by a plan that is proposed",
		Long: `vote adds the vote of this home's member to those for a plan (atelier member votes),
named by the start of its id where there are several. To vote for it is not to take
part: that is ` + "`atelier training join`" + `.`,
		Example: "  atelier training vote\n  atelier training vote 3fa94c1d8a20 --home ./ada",
		Args:    mayTake("MOTION"),
		RunE: func(cmd *cobra.Command, args []string) error {
			v, err := e.voter(cmd.Context())
			if err != nil {
				return err
			}
			var fits []api.Motion
			for _, m := range v.motions {
				if m.Plan != nil && (len(args) == 0 || len(args[0]) >= 8 && strings.HasPrefix(m.ID.String(), strings.ToLower(args[0]))) {
					fits = append(fits, m)
				}
			}
			switch len(fits) {
			case 1:
				return v.voteTraining(cmd.Context(), fits[0].Plan.Plan())
			case 0:
				return refused(curation.CodeOK, "no such training stands for a vote: see which do with `%s`; a member proposes one with `%s`", e.again("member votes"), e.again("training propose"))
			}
			return refused(curation.CodeOK, "%d plans stand for a vote: give the motion of one, as `%s` shows it", len(fits), e.again("member votes"))
		},
	}
}

// votedTraining is what became of a vote for a plan.
type votedTraining struct {
	Number    uint64 `json:"number"`
	Motion    string `json:"motion"`
	Votes     int    `json:"votes"`
	Threshold int    `json:"threshold"`
	Opened    bool   `json:"opened"`
}

// voteTraining puts a vote for a plan on the ledger and tells what it came to.
func (v *voter) voteTraining(ctx context.Context, p curation.Plan) error {
	key, err := v.env.signer()
	if err != nil {
		return err
	}
	r, err := v.env.submit(ctx, v.client, key, curation.Train{Plan: p})
	var problem *api.Problem
	if errors.As(err, &problem) {
		if _, ledger := problem.Ledger(); ledger {
			return refused(curation.CodeOK, "%v; see where trainings and votes stand with `%s` and `%s`", err, v.env.again("training list"), v.env.again("member votes"))
		}
	}
	if err != nil {
		return err
	}
	out := votedTraining{Number: p.Number}
	for _, event := range r.Events {
		switch at := event.Attributes; event.Kind {
		case curation.EventMotionVote:
			out.Motion = at["motion"]
			out.Votes, _ = strconv.Atoi(at["votes"])
			out.Threshold, _ = strconv.Atoi(at["threshold"])
		case curation.EventTrainingOpened:
			out.Opened = true
		}
	}
	if out.Opened {
		return v.env.say(out, "training %d begins: the members' nodes do the rest by themselves\nlook: %s\n", out.Number, v.env.again("training show"))
	}
	return v.env.say(out, "training %d: %d of %s\nnext: the others vote with `%s`\n", out.Number, out.Votes, count(out.Threshold, "vote"), v.env.again("training vote %s", start(out.Motion)))
}

// start is the start of an id, long enough to name it.
func start(id string) string { return id[:min(len(id), 12)] }

// fraction reads a number with a fraction.
func fraction(least, most float64) func(string) (float64, error) {
	return func(text string) (float64, error) {
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || !(x >= least && x <= most) {
			return 0, fmt.Errorf("want a number from %g to %g", least, most)
		}
		return x, nil
	}
}
