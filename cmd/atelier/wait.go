package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/node/api"
)

// until looks at the network after every block until done says so.
func until(ctx context.Context, c *api.Client, patience time.Duration, what string, done func(api.Network) (bool, error)) (api.Network, error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look := func() (n api.Network, ok bool, err error) {
		if n, err = c.Network(within); err == nil {
			ok, err = done(n)
		}
		return n, ok, err
	}
	n, ok, err := look()
	if ok || err != nil {
		return n, late(ctx, c, err, what, patience)
	}
	for h, err := range c.Events(within, 0) {
		if err == nil && h.Block == nil {
			continue
		}
		if err == nil {
			n, ok, err = look()
		}
		if ok || err != nil {
			return n, late(ctx, c, err, what, patience)
		}
	}
	return n, late(ctx, c, within.Err(), what, patience)
}

// late explains a wait that ended because of its patience; ctx is the caller's.
func late(ctx context.Context, c *api.Client, err error, what string, patience time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return &quorumError{fmt.Errorf("%s did not happen within %v: %s", what, patience, online(c))}
	}
	return err
}

func networkWait(e *env) *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use: "wait", Short: "Wait until the network can work: its keys are made, its members ready",
		Long: `wait returns when the key ceremony has ended well and every member has put one-time
reader keys on the ledger. It is for scripts that found a network.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client()
			if err != nil {
				return err
			}
			scr := newScreen(e.err)
			n, err := until(cmd.Context(), c, patience, "the ceremony", func(n api.Network) (bool, error) {
				ready := 0
				for _, m := range n.Members {
					if m.Prekeys > 0 {
						ready++
					}
				}
				scr.Progress("ceremony: "+n.Ceremony.Phase, ready, len(n.Members))
				return n.Committee != nil && ready == len(n.Members), nil
			})
			scr.clear()
			if err != nil {
				return err
			}
			if e.json {
				return e.print(n)
			}
			fmt.Fprintf(e.out, "%s, height %d\n", n.Name, n.Height)
			return e.columns(networkSheet(n).rows)
		},
	}
	c.Flags().DurationVar(&patience, "timeout", 5*time.Minute, "how long to wait")
	return c
}

// roundPhases are the phases of a round in their order; failed is an end too.
var roundPhases = map[string]int{"backing": 1, "opening": 2, "settled": 3, "failed": 3}

func roundWait(e *env) *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use: "wait PHASE [NUMBER]", Short: "Wait until a round takes orders (backing) or has decided (settled)",
		Long: `wait returns when the round has reached the phase: backing, opening or settled. The
round is NUMBER, or the newest one; before the first, it waits for that.`,
		Example: "  atelier round wait backing\n  atelier round wait settled 3 --timeout 1h",
		Args:    takesBetween(1, "PHASE", "NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			want, known := roundPhases[args[0]]
			if !known || args[0] == "failed" {
				return &usageError{fmt.Errorf("%q is not a phase to wait for: choose backing, opening or settled", args[0])}
			}
			number := uint64(1)
			if len(args) == 2 {
				var err error
				if number, err = strconv.ParseUint(args[1], 10, 64); err != nil || number == 0 {
					return &usageError{fmt.Errorf("%q is not the number of a round", args[1])}
				}
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			var r api.Round
			n, err := until(cmd.Context(), c, patience, fmt.Sprintf("phase %s of the round", args[0]), func(n api.Network) (bool, error) {
				if n.Round == nil || n.Round.Number < number {
					return false, nil
				}
				r = *n.Round
				if len(args) == 2 && r.Number > number {
					d, err := c.Round(cmd.Context(), number)
					if err != nil {
						return false, err
					}
					r = d.Round
				}
				if r.Phase == "failed" {
					return false, &quorumError{fmt.Errorf("round %s", roundLine(n, r))}
				}
				return roundPhases[r.Phase] >= want, nil
			})
			if err != nil {
				return err
			}
			return e.say(r, "round %s\n", roundLine(n, r))
		},
	}
	c.Flags().DurationVar(&patience, "timeout", time.Hour, "how long to wait")
	return c
}
