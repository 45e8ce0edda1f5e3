package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/node/drill"
)

func drillCommand(e *env) *cobra.Command {
	var members int
	c := &cobra.Command{
		Use:   "drill POLICY",
		Short: "Rehearse the loss of a network's key: mortal, guardian or will",
		Long: `drill founds a network under a death policy, publishes a picture, has an edition of
it drawn, once wrongly and once rightly, and destroys the seeds of so many members
that too few shares are left. It shows what people see in each state, and what the
policy promises: nothing (mortal), shares of the same key from the guardians
(guardian), or a key that is everybody's (will).

Keys, shares, certificates, the sealed artist, its pictures, the guardians'
commands and the offline check are the real ones, in one process. Only consensus
is left out: blocks are made one after the other, so that a long silence takes a
second. In a real network that lost a third of its nodes, blocks stop until some
are back.`,
		Example: "  atelier drill guardian\n  atelier drill will --members 7 --json | jq .states",
		Args:    takes("POLICY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			policy, err := read("POLICY", args[0], deathPolicy)
			if err != nil {
				return err
			}
			out := e.out
			if e.json {
				out = e.err
			}
			scr := newScreen(out)
			start := time.Now()
			report, err := drill.Run(cmd.Context(), drill.Options{Policy: policy, Members: members}, scr)
			scr.end()
			if err != nil {
				return err
			}
			if e.json {
				return e.print(report)
			}
			var states []string
			for _, s := range report.States {
				states = append(states, string(s.State))
			}
			fmt.Fprintf(e.out, "\n%s: %s. Done in %.1f s.\n", policy, strings.Join(states, ", "), time.Since(start).Seconds())
			return nil
		},
	}
	option(c, &members, "members", "4", between(4, 16), "`N` members of the network, 4 to 16")
	return c
}
