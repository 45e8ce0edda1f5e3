package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

func approvalList(e *env) *cobra.Command {
	var states []string
	known := []string{"waiting", "approved", "expired"}
	c := &cobra.Command{
		Use: "list", Short: "List requests and whether the members' quorum has approved them",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, s := range states {
				if !slices.Contains(known, s) {
					return &usageError{fmt.Errorf("--state %q: choose among %s", s, strings.Join(known, ", "))}
				}
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			n, err := c.Network(cmd.Context())
			if err != nil {
				return err
			}
			approvals, err := c.Approvals(cmd.Context(), states...)
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
				rows = append(rows, []string{short(a.RID), a.State, took, clip(a.Prompt, 40), who.of(a.Requester), a.Status})
			}
			return e.table(approvals, "ID APPROVAL WHEN PROMPT ASKED-BY STATUS", rows, "no requests")
		},
	}
	c.Flags().StringSliceVar(&states, "state", nil, "only these `STATES`: waiting, approved, expired")
	return c
}
