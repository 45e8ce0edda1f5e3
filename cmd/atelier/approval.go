package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/node/api"
)

func approvalList(e *env) *cobra.Command {
	var states []string
	c := &cobra.Command{
		Use: "list", Short: "List requests and whether the members' quorum has approved them",
		Long: `list tells of each request whether the quorum's certificate is on the ledger: a
request waits for it until its height of expiry, and then its deposit comes back.
Members approve by themselves what keeps the ledger's rules.`,
		Example: "  atelier approval list\n  atelier approval list --state waiting,expired --json",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			approvals, err := c.Approvals(ctx, states...)
			if err != nil {
				return err
			}
			who := namesOf(n)
			var rows [][]string
			for _, a := range approvals {
				took := "-"
				switch {
				case a.Approved != 0:
					took = fmt.Sprintf("after %s", count(int(a.Approved-a.Requested), "block"))
				case a.State == "waiting" && a.Expiry > n.Height:
					took = fmt.Sprintf("%s left", count(int(a.Expiry-n.Height), "block"))
				}
				rows = append(rows, []string{short(a.RID), a.State, took, clip(a.Title, 40), who.of(a.Requester), string(a.Status)})
			}
			return e.table(approvals, "ID APPROVAL WHEN PROMPT ASKED-BY STATUS", rows, "no requests")
		}),
	}
	options(c, &states, "state", ",", oneOf("waiting", "approved", "expired"), "only these `STATES`: waiting, approved, expired")
	return c
}
