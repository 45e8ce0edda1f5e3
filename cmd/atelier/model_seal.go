package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/api"
)

func modelSeal(e *env) *cobra.Command {
	var o api.SealOptions
	c := &cobra.Command{
		Use: "seal", Short: "Make the network's own artist and lock it under the network's key",
		Long: `seal lets the node of this home fine-tune the public genesis artist from a fresh
secret seed, encrypt the result to the network's key, record it on the ledger and
erase the plain weights. From then on the artist opens for one approved picture at
a time. Whoever seals has had the weights in memory: choose that member together.
Only the owner of the home can do it, and a network does it once.

--weights seals an artist that there is, as it is, and leaves its folder alone: that
of a network which came to its end, or one that ` + "`atelier model train`" + ` made.`,
		Example: "  atelier model seal\n  atelier model seal --name \"Harbour's own\" --steps 100",
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
				return refused(curation.CodeDuplicate, "this network's artist, %q, is sealed already, by %s at height %d: a network has one, for good",
					n.Model.Name, memberName(n, n.Model.Sealer), n.Model.Height)
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
			return e.columns(modelSheet(m).rows)
		},
	}
	option(c, &o.Name, "name", "", person, "what people call the artist: `NAME` (default: the network's)")
	c.Flags().StringVar(&o.Weights, "weights", "", "seal the artist in `DIR` on the node's machine, without a fine-tune")
	option(c, &o.Steps, "steps", "0", between(0, maxSteps), "`N` steps of the fine-tune (0: the default, about 10 s)")
	return c
}

func modelShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show the network's sealed artist",
		Long: `show tells who sealed the network's artist and when, to which key, and where its
encrypted container lies in IPFS. The container opens to nobody without a quorum.`,
		Example: "  atelier model show\n  atelier model show --json | jq -r .container_cid",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client()
			if err != nil {
				return err
			}
			m, err := c.Model(cmd.Context())
			if err != nil {
				var p *api.Problem
				if errors.As(err, &p) && p.Code == api.CodeNotFound {
					return refused(curation.CodeWrongPhase, "%s", p.Detail)
				}
				return err
			}
			if e.json {
				return e.print(m)
			}
			fmt.Fprintln(e.out, m.Name)
			return e.columns(modelSheet(m).rows)
		},
	}
}

func modelSheet(m api.Model) *sheet {
	s := &sheet{}
	s.add("id", "%s", m.ID)
	s.add("container", "%s, %s in age", m.ContainerCID, bytesText(int64(m.ContainerSize)))
	s.add("sealed", "by member %d at height %d, key epoch %d, to the key of epoch %d", m.Sealer, m.Height, m.KeyEpoch, m.Epoch)
	return s
}
