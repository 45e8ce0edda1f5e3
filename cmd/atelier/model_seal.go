package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/api"
)

func modelSeal(e *env) *cobra.Command {
	var o api.SealOptions
	var yes bool
	c := &cobra.Command{
		Use: "seal", Short: "Make the network's own artist and lock it under the network's key",
		Long: `seal lets the node of this home fine-tune the public genesis artist from a fresh
secret seed, encrypt the result to the network's key, record it on the ledger and
erase the plain weights. From then on the artist opens for one approved picture at
a time. Whoever seals has had the weights in memory: choose that member together.
Only the owner of the home can do it.

The first artist that is sealed is the network's. Any later one is proposed in its
place, with this member's vote: the others vote with ` + "`atelier model adopt`" + `. Until
enough have, and enough have stored it, pictures are made by the one before.

--weights seals an artist that there is, as it is, and leaves its folder alone: that
of a network which came to its end, or one that ` + "`atelier model train`" + ` made.`,
		Example: "  atelier model seal\n  atelier model seal --name \"Harbour's own\" --steps 100\n  atelier model seal --name \"Harbour's second\" --yes",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Weights != "" {
				if o.Steps > 0 {
					return usage("--weights seals an artist as it is: leave --steps away")
				}
				dir, err := filepath.Abs(o.Weights)
				if err != nil {
					return err
				}
				if _, err := model.LoadDir(os.DirFS(dir)); err != nil { // before the node looks
					return fmt.Errorf("no artist in %s: %w", o.Weights, err)
				}
				o.Weights = dir
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			n, err := c.Network(cmd.Context())
			if err != nil {
				return err
			}
			if n.Model != nil {
				if err := e.confirm(yes, "%s has its artist, %q: make another one and propose it in its place?", n.Name, n.Model.Name); err != nil {
					return err
				}
			}
			scr := newScreen(e.err)
			m, err := c.SealModel(cmd.Context(), o, func(p api.Progress) {
				switch {
				case p.Phase != "":
					scr.Fact("%s", p.Phase)
				case p.Steps > 0:
					scr.Progress(fmt.Sprintf("fine-tuning, loss %.3f", p.Loss), p.Step, p.Steps)
				}
			})
			scr.clear()
			if err != nil {
				return err
			}
			if e.json {
				return e.print(m)
			}
			fmt.Fprintf(e.out, "%s is sealed\n", m.Name)
			if err := e.columns(modelSheet(m).rows); err != nil {
				return err
			}
			if m.Standing == curation.ModelNominated {
				fmt.Fprintf(e.out, "next: the others vote with `%s`, as `%s` tells them\n", e.again("model adopt %d", m.KeyEpoch), e.again("member votes"))
			}
			return nil
		},
	}
	option(c, &o.Name, "name", "", person, "what people call the artist: `NAME` (default: the network's)")
	c.Flags().StringVar(&o.Weights, "weights", "", "seal the artist in `DIR` on the node's machine, without a fine-tune")
	option(c, &o.Steps, "steps", "0", between(0, maxSteps), "`N` steps of the fine-tune (0: the default, about 10 s)")
	c.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return c
}

// modelShown is the current artist with when and by whom its key is changed.
type modelShown struct {
	api.Model
	Rotation *api.Rotation `json:"rotation"`
}

func modelShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show the network's sealed artist, and when its key changes",
		Long: `show tells who sealed the network's artist and when, to which key, and where its
encrypted container lies in IPFS. The container opens to nobody without a quorum.

Who makes a picture is given the key of the artist's key epoch, and may keep it. So
key epochs end: a member wraps the container in one more layer, whose key again
takes a quorum, and the keys of before open nothing that is kept. Enough members
store it first; then it is on trial until pictures show that it opens, and given up
if it does not. All that happens by itself.`,
		Example: "  atelier model show\n  atelier model show --json | jq -r .container_cid\n  atelier model show --json | jq .rotation.due",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			if n.Model == nil || n.Rotation == nil {
				return refused(curation.CodeWrongPhase, "no artist is sealed yet: a member does it with `%s`", e.again("model seal"))
			}
			if e.json {
				return e.print(modelShown{*n.Model, n.Rotation})
			}
			fmt.Fprintln(e.out, n.Model.Name)
			s := modelSheet(*n.Model)
			s.add("next", "%s", n.Rotation.Advice)
			if len(n.Rotation.Turns) > 0 {
				var turns []string
				for _, i := range n.Rotation.Turns {
					turns = append(turns, fmt.Sprintf("%s (%d)", memberName(n, i), i))
				}
				s.add("turns", "%s", strings.Join(turns, ", "))
			}
			if len(n.Rotation.Skipped) > 0 {
				s.add("passed over", "%s", memberNames(n, n.Rotation.Skipped))
			}
			return e.columns(s.rows)
		}),
	}
}

func modelSheet(m api.Model) *sheet {
	s := &sheet{}
	s.add("id", "%s", m.ID)
	s.add("class", "%s, contract %s: %s", m.Class, m.Contract, m.Class.Meaning())
	s.add("container", "%s, %s in age", m.ContainerCID, bytesText(int64(m.ContainerSize)))
	s.add("hash", "%s", m.ContainerHash)
	s.add("sealed", "by member %d at height %d, key epoch %d, to the key of epoch %d", m.Sealer, m.Height, m.KeyEpoch, m.Epoch)
	s.add("made of", "%s; %s to open", m.Origin, count(m.Layers, "layer"))
	s.add("standing", "%s: %s", m.Standing, m.Became)
	return s
}
