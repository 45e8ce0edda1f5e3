package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/home"
)

// until looks at the network after every block until done says so; once at least, however
// short the patience. It returns what it saw last.
func until(ctx context.Context, c *api.Client, patience time.Duration, what string, done func(api.Network) (bool, error)) (n api.Network, err error) {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	look := func(ctx context.Context) (ok bool, err error) {
		now, err := c.Network(ctx)
		if err == nil {
			n = now
			ok, err = done(n)
		}
		return ok, err
	}
	ok, err := look(ctx)
	if ok || err != nil {
		return n, late(ctx, c, err, what, patience)
	}
	for h, err := range c.Events(within, 0) {
		if err == nil && h.Block == nil {
			continue
		}
		if err == nil {
			ok, err = look(within)
		}
		if ok || err != nil {
			return n, late(ctx, c, err, what, patience)
		}
	}
	return n, late(ctx, c, within.Err(), what, patience)
}

// late explains a wait that ended because of its patience; ctx is the caller's.
func late(ctx context.Context, c *api.Client, err error, what string, patience time.Duration) error {
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(ctx.Err(), context.Canceled) {
		return &quorumError{err: fmt.Errorf("%s within %v: %s", what, patience, online(c))}
	}
	return err
}

// founded is client, once the node of the home is in a network.
func (e *env) founded(ctx context.Context) (*api.Client, error) {
	for {
		c, err := e.client()
		if !errors.Is(err, home.ErrOutside) {
			return c, err
		}
		select {
		case <-ctx.Done():
			if errors.Is(ctx.Err(), context.Canceled) {
				return nil, ctx.Err()
			}
			return nil, err
		case <-time.After(lookAgain):
		}
	}
}

func networkWait(e *env) *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use: "wait", Short: "Wait until the network can work: its keys are made, its members ready",
		Long: `wait returns when the members have founded the network, the key ceremony has ended
well, every member of the committee has put one-time reader keys on the ledger, and
as many members as a picture takes answer with a proof of their share.`,
		Example: "  atelier network wait && atelier model seal\n  atelier network wait --home ./ada --timeout 20m",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			c, err := e.founded(ctx)
			if err != nil {
				return err
			}
			scr := newScreen(e.err)
			n, err := until(ctx, c, patience, "the network was not ready", func(n api.Network) (bool, error) {
				ready := 0
				for _, m := range n.Members {
					if m.Seat != 0 && m.Prekeys > 0 {
						ready++
					}
				}
				if n.Committee == nil || ready < n.Shares.Seats {
					scr.Progress("ceremony: "+string(n.Ceremony.Phase), ready, n.Shares.Seats)
					return false, nil
				}
				scr.Progress("members that answer with their share", n.Shares.Reachable, n.Shares.Threshold)
				return n.Shares.Reachable >= n.Shares.Threshold, nil
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
	option(c, &patience, "timeout", "5m", span, "how long to wait: `TIME` such as 90s or 10m")
	return c
}

// roundPhases are the phases of a round in their order; failed is an end too.
var roundPhases = map[curation.RoundPhase]int{curation.RoundBacking: 1, curation.RoundOpening: 2, curation.RoundSettled: 3, curation.RoundFailed: 3}

// notReached says of each phase that it has not come.
var notReached = map[curation.RoundPhase]string{
	curation.RoundBacking: "no round was open for orders",
	curation.RoundOpening: "the round was not closed for orders",
	curation.RoundSettled: "the round was not settled",
}

func roundWait(e *env) *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use: "wait PHASE [NUMBER]", Short: "Wait until a round takes orders (backing) or has decided (settled)",
		Long: `wait returns when the round has reached the phase: backing, opening or settled. The
round is NUMBER, or the newest one; before the first, it waits for that.`,
		Example: "  atelier round wait backing\n  atelier round wait settled 3 --timeout 1h",
		Args:    takesBetween(1, "PHASE", "NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			phase, err := read("PHASE", args[0], oneOf(curation.RoundBacking, curation.RoundOpening, curation.RoundSettled))
			if err != nil {
				return err
			}
			want, number := roundPhases[phase], uint64(1)
			if len(args) == 2 {
				if number, err = read("NUMBER", args[1], ordinal); err != nil {
					return err
				}
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			var r api.Round
			n, err := until(cmd.Context(), c, patience, notReached[phase], func(n api.Network) (bool, error) {
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
				if r.Phase == curation.RoundFailed {
					return false, &quorumError{err: fmt.Errorf("round %s", roundLine(n, r))}
				}
				return roundPhases[r.Phase] >= want, nil
			})
			var tooLate *quorumError
			if errors.As(err, &tooLate) && r.Phase != curation.RoundFailed {
				tooLate.next = e.roundAwaits(n, number)
				return err
			} else if err != nil {
				return err
			}
			return e.say(r, "round %s\n", roundLine(n, r))
		},
	}
	option(c, &patience, "timeout", "1h", span, "how long to wait: `TIME` such as 90s or 10m")
	return c
}

// roundAwaits says what a round that is not over waits for, and what to do.
func (e *env) roundAwaits(n api.Network, number uint64) string {
	r := n.Round
	if r == nil || r.Number < number || r.Phase == curation.RoundSettled || r.Phase == curation.RoundFailed {
		return fmt.Sprintf("The next round opens by itself when %s wait, and there are %d. Ask for more pictures with `%s`.",
			count(int(n.Params.RoundCandidates), "candidate"), n.Artworks[curation.StatusCandidate], e.again("artwork request --prompt TEXT"))
	}
	look := e.again("round wait settled %d --timeout 1h", r.Number)
	if r.Phase == curation.RoundBacking {
		return fmt.Sprintf("Round %s. Back a candidate with `%s`, or wait on with `%s`.", roundLine(n, *r), e.again("market back ID --deposit 100"), look)
	}
	return fmt.Sprintf("Round %s. It goes on as soon as enough members are online; wait on with `%s`.", roundLine(n, *r), look)
}
