package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
)

func committeeShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show the committee in force, its margin, and how a handover stands",
		Long: `show tells who holds the keys: how many members have proved their share, how many of
these may be lost (the margin), since when the committee is in force, and what a
handover waits for.`,
		Example: "  atelier committee show\n  atelier committee show --json | jq '.committees[-1].margin'",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client()
			if err != nil {
				return err
			}
			k, err := c.Committees(cmd.Context())
			if err != nil {
				return err
			}
			return e.showCustody(k)
		},
	}
}

func (e *env) showCustody(k api.Custody) error {
	if e.json {
		return e.print(k)
	}
	s := &sheet{}
	if now := inForce(k); now != nil {
		fmt.Fprintf(e.out, "committee of epoch %d, in force since height %d\n", now.Epoch, now.Height)
		s.add("members", "%d, of whom %d have proved their share", now.Members, now.Proven)
		s.add("margin", "%s: %d are needed", marginText(*now), now.Threshold)
		s.add("key X", "%s…  opens", now.X.String()[:16])
		s.add("key Y", "%s…  certifies and seeds", now.Y.String()[:16])
		if k.OldestWork < now.Epoch {
			s.add("before it", "the committee of epoch %d still serves what was begun in its time", k.OldestWork)
		}
	} else {
		fmt.Fprintf(e.out, "no committee yet: the ceremony is in phase %s\n", k.Ceremony.Phase)
	}
	if line := handoverLine(k); line != "" {
		s.add("handover", "%s", line)
	}
	if a := k.Aborted; a != nil {
		s.add("last failed", "%s", abortedText(*a))
	}
	return e.columns(s.rows)
}

func inForce(k api.Custody) *api.Committee {
	if len(k.Committees) == 0 {
		return nil
	}
	return &k.Committees[len(k.Committees)-1]
}

func marginText(c api.Committee) string {
	switch {
	case c.Margin == 0:
		return "none may be lost"
	case c.Margin < 0:
		return count(-c.Margin, "proof") + " missing"
	}
	return fmt.Sprintf("%d may be lost", c.Margin)
}

// handoverLine is where a handover stands, in one line.
func handoverLine(k api.Custody) string {
	now := inForce(k)
	switch {
	case now == nil:
		return ""
	case k.Handover != nil:
		return fmt.Sprintf("to epoch %d is proposed: %d of %d have consented (%s), until height %d",
			k.Handover.Epoch, len(k.Handover.Consented), now.Members, members(k.Handover.Consented), k.Handover.Until)
	case k.Ceremony.Epoch > now.Epoch:
		return fmt.Sprintf("to epoch %d is under way: phase %s, until height %d", k.Ceremony.Epoch, k.Ceremony.Phase, k.Ceremony.Deadline)
	case k.NotNow != "":
		return "not now: " + k.NotNow
	}
	return "none: a member proposes one with `atelier committee handover`"
}

func members(indices []uint32) string {
	texts := make([]string, len(indices))
	for i, index := range slices.Sorted(slices.Values(indices)) {
		texts[i] = strconv.FormatUint(uint64(index), 10)
	}
	if len(texts) == 1 {
		return "member " + texts[0]
	}
	return "members " + strings.Join(texts, ", ")
}

func abortedText(a api.Aborted) string {
	if len(a.Culprits) == 0 {
		return fmt.Sprintf("to epoch %d, height %d: too few members consented", a.Epoch, a.Height)
	}
	var who []string
	for _, c := range a.Culprits {
		who = append(who, fmt.Sprintf("member %d %s", c.Member, c.Reason))
	}
	return fmt.Sprintf("to epoch %d, height %d: %s", a.Epoch, a.Height, strings.Join(who, "; "))
}

func committeeHistory(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "history", Short: "List the committees, newest first",
		Long: `history shows every committee that has held the keys: since when, how many members
it had and needed, how many proved their share, and whose contributions made it. The
keys are the same in all of them.`,
		Example: "  atelier committee history\n  atelier committee history --json | jq length",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client()
			if err != nil {
				return err
			}
			k, err := c.Committees(cmd.Context())
			if err != nil {
				return err
			}
			slices.Reverse(k.Committees)
			var rows [][]string
			for _, c := range k.Committees {
				rows = append(rows, []string{strconv.FormatUint(c.Epoch, 10), strconv.FormatUint(c.Height, 10), strconv.Itoa(c.Members), strconv.Itoa(c.Threshold),
					strconv.Itoa(c.Proven), strconv.Itoa(c.Margin), strings.TrimPrefix(strings.TrimPrefix(members(c.Qualified), "members "), "member ")})
			}
			return e.table(k.Committees, "EPOCH SINCE MEMBERS NEEDED PROVEN MARGIN DEALERS", rows, "no committee yet: the ceremony is in phase "+k.Ceremony.Phase)
		},
	}
}

func committeeHandover(e *env) *cobra.Command {
	var patience time.Duration
	var leave bool
	c := &cobra.Command{
		Use: "handover", Short: "Hand the keys over to a new committee of the same members",
		Long: `handover has this home's member propose that all shares be made anew. The others
consent by themselves; as soon as all have, or after a while if a threshold has, the
ceremony runs. The keys stay, so nothing has to be sealed or certified again; but a
share that was stolen before no longer fits those made after. Whatever was begun
before is served by the old committee to its end. If the handover fails, the old
committee stays in force, and it can be proposed again.

Do it from time to time, and whenever a share or a machine may have been seen by
somebody else: it helps as long as fewer than the threshold were. Every member makes
a new backup afterwards (atelier member backup). One that is away keeps its place
under its old secret, and is healed only by a handover to which it consents.`,
		Example: "  atelier committee handover --home ./ada\n  atelier committee handover --no-wait",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client()
			if err != nil {
				return err
			}
			before, err := c.Committees(cmd.Context()) // it may be over before we look again
			if err != nil {
				return err
			}
			k, err := c.HandOver(cmd.Context())
			if err != nil {
				return err
			}
			if leave || inForce(before) == nil {
				return e.showCustody(k)
			}
			if k, err = e.awaitHandover(cmd.Context(), c, patience, before); err != nil {
				return err
			}
			return e.showCustody(k)
		},
	}
	option(c, &patience, "timeout", "30m", span, "how long to wait: `TIME` such as 90s or 10m")
	c.Flags().BoolVar(&leave, "no-wait", false, "return as soon as the proposal stands on the ledger")
	return c
}

// awaitHandover follows a handover to its end.
func (e *env) awaitHandover(ctx context.Context, c *api.Client, patience time.Duration, before api.Custody) (k api.Custody, err error) {
	k = before
	epoch, failed := inForce(before).Epoch, uint64(0)
	if before.Aborted != nil {
		failed = before.Aborted.Height
	}
	scr := newScreen(e.err)
	defer scr.clear()
	_, err = until(ctx, c, patience, "the handover did not end", func(api.Network) (bool, error) {
		if k, err = c.Committees(ctx); err != nil {
			return false, err
		}
		switch now := inForce(k); {
		case now.Epoch > epoch:
			return true, nil
		case k.Aborted != nil && k.Aborted.Height > failed:
			return false, refused(curation.CodeWrongPhase, "the handover failed, and the committee of before stays in force: %s", abortedText(*k.Aborted))
		case k.Handover != nil:
			scr.Progress("consents", len(k.Handover.Consented), now.Members)
		case k.Ceremony.Epoch > now.Epoch:
			scr.Progress("ceremony: "+k.Ceremony.Phase, k.Ceremony.Acknowledged, now.Members)
		}
		return false, nil
	})
	return k, err
}
