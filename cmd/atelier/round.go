package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
)

// roundLine is where a round stands, in one line.
func roundLine(n api.Network, r api.Round) string {
	switch r.Phase {
	case curation.RoundBacking:
		left := r.BackUntil - min(r.BackUntil, n.Height)
		return fmt.Sprintf("%d is open: %s, %s; sealed orders until height %d (%s left)",
			r.Number, count(len(r.Candidates), "candidate"), count(r.OrderCount, "order"), r.BackUntil, count(int(left), "block"))
	case curation.RoundOpening:
		return fmt.Sprintf("%d is being opened: %d of %s posted", r.Number, len(r.Openers), count(n.Shares.Threshold, "opening share"))
	case curation.RoundFailed:
		return fmt.Sprintf("%d failed: %s; its candidates wait for the next one", r.Number, r.Reason)
	}
	return fmt.Sprintf("%d is settled: %d of %s published, %s credits of backing", r.Number, len(r.Published), count(len(r.Candidates), "candidate"), credits(r.Backing))
}

func roundList(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the rounds, newest first",
		Long:    "list shows the rounds: how many candidates and orders each had, what it published.",
		Example: "  atelier round list\n  atelier round list --json | jq '.[0].phase'",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			rounds, err := c.Rounds(ctx)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, r := range rounds {
				rows = append(rows, []string{strconv.FormatUint(r.Number, 10), string(r.Phase), strconv.Itoa(len(r.Candidates)), strconv.Itoa(r.OrderCount),
					strconv.Itoa(len(r.Published)), credits(r.Backing), strconv.FormatUint(r.Opened, 10)})
			}
			return e.table(rounds, "ROUND PHASE CANDIDATES ORDERS PUBLISHED BACKING OPENED", rows, "no rounds yet")
		}),
	}
}

func roundShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show [NUMBER]", Short: "Show a round: its candidates, and who backed what once it is settled",
		Long: `show tells where a round stands: NUMBER, or the newest. While orders are sealed it
shows their escrows only; once the round is settled, what each said and got.`,
		Example: "  atelier round show\n  atelier round show 3 --json",
		Args:    mayTake("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var number uint64
			var err error
			if len(args) == 1 {
				if number, err = read("NUMBER", args[0], ordinal); err != nil {
					return err
				}
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			n, err := c.Network(cmd.Context())
			switch {
			case err != nil:
				return err
			case number != 0:
			case n.Round == nil:
				return refused(curation.CodeWrongPhase, "there has been no round yet: the first opens by itself when %s wait", count(int(n.Params.RoundCandidates), "candidate"))
			default:
				number = n.Round.Number
			}
			r, err := c.Round(cmd.Context(), number)
			if err != nil {
				return err
			}
			if e.json {
				return e.print(r)
			}
			works, err := c.Artworks(cmd.Context(), api.ArtworkFilter{Round: number, Limit: 1000})
			if err != nil {
				return err
			}
			fmt.Fprintf(e.out, "round %s\n", roundLine(n, r.Round))
			return e.showRound(n, r, works)
		},
	}
}

func (e *env) showRound(n api.Network, r api.RoundDetail, works []api.Artwork) error {
	slices.SortStableFunc(works, func(a, b api.Artwork) int { return b.Score.Cmp(a.Score) })
	prompts := map[curation.Hash]string{}
	rows := [][]string{{"  ID", "STATUS", "PROMPT", "BACKING", "BACKERS", "SCORE"}}
	for _, a := range works {
		prompts[a.RID] = a.Title
		row := []string{"  " + short(a.RID), string(a.Status), clip(a.Title, 40)}
		if a.Settled != 0 && r.Phase == curation.RoundSettled {
			row = append(row, credits(a.Backing), strconv.Itoa(a.Backers), credits(a.Score))
		}
		rows = append(rows, row)
	}
	if r.Phase != curation.RoundSettled {
		rows[0] = rows[0][:3]
	}
	if err := e.columns(rows); err != nil || len(r.Orders) == 0 {
		return err
	}
	fmt.Fprintf(e.out, "%s\n", count(len(r.Orders), "order"))
	who := namesOf(n)
	rows = [][]string{{"  #", "ACCOUNT", "STATUS", "ESCROW"}}
	if r.Settled != 0 {
		rows[0] = append(rows[0], "FOR", "PAID", "TOKENS", "REFUND")
	}
	orders := slices.SortedFunc(slices.Values(r.Orders), func(a, b api.Order) int { return cmp.Compare(a.Index, b.Index) })
	for _, o := range orders {
		row := []string{fmt.Sprintf("  %d", o.Index), who.of(o.Account), string(o.Status), credits(o.Escrow)}
		if o.Status != curation.OrderSealed {
			row = append(row, clip(prompts[o.RID], 30), credits(o.Cost.Add(o.Tribute)), credits(o.Tokens), credits(o.Refund)+because(o.Reason))
		}
		rows = append(rows, row)
	}
	return e.columns(rows)
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}
