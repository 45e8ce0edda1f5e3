package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
)

func trainingJoin(e *env) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use: "join --pictures DIR", Short: "Have this home's member train on a folder of pictures",
		Long: `join has the node of this home take part in trainings, with the PNG, JPEG and GIF
files below DIR; file names are words, as for ` + "`atelier model train`" + `. It looks at all
of them, says which are no use, and remembers the folder until ` + "`atelier training\nleave`" + `. What is in it is read anew for each training. Without join a member takes
part in none.

What it keeps to itself: your pictures, and what words mean that only they have.
What changed leaves the machine under masks: the others learn the sum of all changes
and not yours, as long as fewer than a third of them work together against you.

What it does not: who takes part is on the ledger. The sum says something of each
change in it, the more the fewer there are: of seven, six who work together know the
seventh. The others can tell that somebody has pictures of a word. And an artist
that has learned a picture well can draw it: leave out what must not be drawn. There
is no noise that would hide whether you took part.

Whoever takes part has the artist open in memory while the training lasts, and so
knows the version that comes of it; no program can make a machine forget.`,
		Example: "  atelier training join --pictures ~/pictures/birds",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dir == "" {
				return usage("which pictures? Give their folder with --pictures DIR")
			}
			path, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			j, err := c.JoinTrainings(cmd.Context(), path)
			var problem *api.Problem
			if errors.As(err, &problem) && problem.Code == api.CodeInput { // what the machine holds is no matter of typing
				return errors.New(problem.Detail)
			}
			if err != nil {
				return err
			}
			for _, l := range j.LeftOut {
				fmt.Fprintf(e.err, "left out %q: %s\n", l.File, l.Reason)
			}
			return e.say(j, "this member takes part in trainings with %s in %s\nnext: `%s` shows what it does, and `%s` ends it\n",
				count(j.Count, "picture"), j.Pictures, e.again("training show"), e.again("training leave"))
		},
	}
	c.Flags().StringVar(&dir, "pictures", "", "train on the pictures in `DIR` on the node's machine")
	return c
}

func trainingLeave(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "leave", Short: "Have this home's member take part in no training any more",
		Long: `leave has the node of this home take part in no training, and drop out of the one
that is under way: the others go on without it, and lose nothing. What words mean
that only its own pictures taught stays in the home, for when it joins again.`,
		Example: "  atelier training leave",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			if err := c.LeaveTrainings(ctx); err != nil {
				return err
			}
			return e.say(struct {
				Joined bool `json:"joined"`
			}{}, "this member takes part in no training\n")
		}),
	}
}

func trainingList(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the trainings of the artist, newest first",
		Long: `list shows the last 100 trainings that members opened: how many take part, or while
members join how many did so far, where each stands, and what came of it. Those that
members still vote on are not among them: see ` + "`atelier member votes`" + `.`,
		Example: "  atelier training list\n  atelier training list --json | jq '.[0].status'",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			all, err := c.Trainings(ctx)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, t := range all {
				rows = append(rows, []string{strconv.FormatUint(t.Number, 10), clip(t.Artist, 24), strconv.FormatUint(t.Requested, 10), strconv.Itoa(len(t.Taking)), string(t.Status), t.Says})
			}
			return e.table(all, "TRAINING ARTIST HEIGHT TRAINERS STATUS NOW", rows,
				"no training yet: members open one with `"+e.again("training propose")+"`, and take part with `"+e.again("training join --pictures DIR")+"`")
		}),
	}
}

func trainingShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show [NUMBER]", Short: "Show a training: who takes part, where it stands, what came of it",
		Long: `show tells of the training that is under way, or the last one, or the one with that
number: the plan, who may take part and who does, in which phase the sum is and
until when, who failed in it and how, and what came of it. To the owner of the home
it also says what this member does now, and what it found of the new version.

A node measures the version on its own pictures, and has both versions draw 64 of
the things that the artist knew before. Which those are nobody knew while anybody
learned, and all members draw the same. With more than one in four drawn unlike
before the artist has forgotten too much, and no node seals it or votes for it by
itself.`,
		Example: "  atelier training show\n  atelier training show 2 --json | jq .culprits",
		Args:    mayTake("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			number := uint64(0)
			if len(args) == 1 {
				var err error
				if number, err = read("NUMBER", args[0], ordinal); err != nil {
					return err
				}
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			all, err := c.Trainings(cmd.Context())
			if err != nil {
				return err
			}
			shown := trainingShown{}
			if own, err := c.OwnTraining(cmd.Context()); err == nil {
				shown.Own = &own
			}
			i := min(0, len(all)-1)
			if number != 0 {
				i = slices.IndexFunc(all, func(t api.Training) bool { return t.Number == number })
			}
			switch {
			case i >= 0:
				shown.Training = &all[i]
			case number != 0:
				return refused(curation.CodeOK, "there is no training %d among the last 100: see which there are with `%s`", number, e.again("training list"))
			case shown.Own == nil || shown.Own.Pictures == "":
				return refused(curation.CodeOK, "no training yet: members open one with `%s`, and take part with `%s`", e.again("training propose"), e.again("training join --pictures DIR"))
			}
			if e.json {
				return e.print(shown)
			}
			n, err := c.Network(cmd.Context())
			if err != nil {
				return err
			}
			return e.showTraining(n, shown)
		},
	}
}

// trainingShown is a training with this member's part in it.
type trainingShown struct {
	*api.Training
	Own *api.OwnTraining `json:"own,omitempty"`
}

func (e *env) showTraining(n api.Network, shown trainingShown) error {
	s := &sheet{}
	if t := shown.Training; t != nil {
		fmt.Fprintf(e.out, "training %d of %s\n", t.Number, t.Artist)
		s.add("status", "%s: %s", t.Status, t.Says)
		if t.Until > n.Height {
			s.add("until", "height %d, in %s", t.Until, count(int(t.Until-n.Height), "block"))
		}
		s.addAll("plan", t.Plan.Text)
		s.add("may join", "%s", memberNames(n, t.May))
		if len(t.Trainers) == 0 {
			s.add("joined", "%s", orNobody(memberNames(n, t.Joined)))
		} else {
			s.add("trainers", "%s", memberNames(n, t.Trainers))
		}
		if t.Phase != "" {
			s.add("sum", "step %d of %d", t.Step, t.Steps)
		}
		if len(t.Counted) > 0 {
			s.add("counted", "%s", memberNames(n, t.Counted))
		}
		for i, c := range t.Culprits {
			s.add([]string{"failed", ""}[min(i, 1)], "%s %s", memberNames(n, []uint32{c.Member}), c.Reason)
		}
		if t.Adopted != 0 {
			s.add("look", "%s", e.again("model history"))
		}
	}
	if own := shown.Own; own != nil && own.Pictures == "" {
		s.add("this member", "takes part in no training: `%s`", e.again("training join --pictures DIR"))
	} else if own != nil {
		s.add("this member", "trains on the pictures in %s", own.Pictures)
		if w := own.Work; w != nil && w.Steps > 0 {
			s.add("", "%s: step %d of %d", w.Doing, w.Step, w.Steps)
		} else if w != nil {
			s.add("", "%s", w.Doing)
		}
	}
	if own := shown.Own; own != nil && own.Judged != nil && shown.Training != nil && own.Judged.Number == shown.Number {
		s.add("", "%s", own.Judged.Says)
	}
	return e.columns(s.rows)
}

func orNobody(names string) string {
	if names == "" {
		return "nobody yet"
	}
	return names
}
