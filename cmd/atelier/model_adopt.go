package main

import (
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
)

func modelHistory(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "history", Short: "List the key epochs of the artist, newest first",
		Long: `history shows all key epochs: which artist, around which earlier one it is a layer,
how many layers have to be opened, who made it and when, how many pictures were
approved under it, where it stands, and what became of it. Those that came to
nothing are there too, with the reason.`,
		Example: "  atelier model history\n  atelier model history --json | jq '.[] | select(.base) | .layers'",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			models, err := c.Models(ctx)
			if err != nil {
				return err
			}
			slices.Reverse(models)
			var rows [][]string
			for _, m := range models {
				base := "-"
				if m.Base != 0 {
					base = strconv.FormatUint(m.Base, 10)
				}
				rows = append(rows, []string{strconv.FormatUint(m.KeyEpoch, 10), clip(m.Name, 24), base, strconv.Itoa(m.Layers), memberName(n, m.Sealer),
					strconv.FormatUint(m.Height, 10), strconv.FormatUint(m.Approved, 10), string(m.Standing), m.Became})
			}
			return e.table(models, "EPOCH ARTIST AROUND LAYERS BY HEIGHT APPROVED STANDING BECAME", rows, "no artist is sealed yet: a member does it with `"+e.again("model seal")+"`")
		}),
	}
}

func modelAdopt(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "adopt NAME|EPOCH", Short: "Vote to adopt another artist",
		Long: `adopt adds the vote of this home's member to those for an artist that another member
has sealed, named by its name or its key epoch (atelier member votes). The network
takes it in the place of the one that it has, or the same one sealed anew.

With as many votes as open the artist it is adopted. The members' nodes then store
its container by themselves; when enough have, pictures are made by it, on trial
until some show that it opens. Nobody can look into it before: who sealed it has had
it in memory, and its name is all that it says about itself.`,
		Example: "  atelier model adopt 7\n  atelier model adopt \"Harbour's second\" --home ./ada",
		Args:    takes("NAME|EPOCH"),
		RunE: func(cmd *cobra.Command, args []string) error {
			name, err := read("NAME|EPOCH", args[0], person)
			if err != nil {
				return err
			}
			v, err := e.voter(cmd.Context())
			if err != nil {
				return err
			}
			m, err := v.candidate(name)
			if err != nil {
				return err
			}
			return v.vote(cmd.Context(), m.Name, curation.Adopt{KeyEpoch: m.KeyEpoch})
		},
	}
}

// candidate finds the artist whose name or key epoch is given.
func (v *voter) candidate(text string) (found api.Model, err error) {
	var fits []api.Model
	for _, m := range v.motions {
		if a := m.Artist; a != nil && (a.Name == text || strconv.FormatUint(a.KeyEpoch, 10) == text) {
			fits = append(fits, *a)
		}
	}
	switch len(fits) {
	case 1:
		return fits[0], nil
	case 0:
		return found, refused(curation.CodeOK, "no artist %q stands for a vote: see which do with `%s`, and what became of others with `%s`; a member proposes one with `%s`",
			text, v.env.again("member votes"), v.env.again("model history"), v.env.again("model seal"))
	}
	return found, refused(curation.CodeOK, "%d artists are named %q: give the key epoch of one, as `%s` shows it", len(fits), text, v.env.again("member votes"))
}
