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
		Long: `show tells who holds the keys: who has which share, how many members have proved
theirs, how many of these may be lost (the margin), since when the committee is in
force, what a handover waits for, and who joins and leaves with it.`,
		Example: "  atelier committee show\n  atelier committee show --json | jq '.committees[-1].margin'",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			k, err := c.Committees(ctx)
			if err != nil {
				return err
			}
			return e.showCustody(n, k)
		}),
	}
}

func (e *env) showCustody(n api.Network, k api.Custody) error {
	if e.json {
		return e.print(k)
	}
	s := &sheet{}
	if now := inForce(k); now != nil {
		fmt.Fprintf(e.out, "committee of epoch %d, in force since height %d\n", now.Epoch, now.Height)
		s.add("members", "%d, of whom %d have proved their share", now.Members, now.Proven)
		s.add("margin", "%s: %d are needed", marginText(now.Margin), now.Threshold)
		s.addAll("seats", seatsText(n, now.Seats))
		if len(now.Lost) > 0 {
			s.add("lost", "%s: their nodes found no share with the seeds that they keep", numbers(now.Lost))
		}
		s.add("key X", "%s…  opens", now.X.String()[:16])
		s.add("key Y", "%s…  certifies and seeds", now.Y.String()[:16])
		if k.OldestWork < now.Epoch {
			s.add("before it", "the committee of epoch %d still serves what was begun in its time", k.OldestWork)
		}
	} else {
		fmt.Fprintf(e.out, "no committee yet: the ceremony is in phase %s\n", k.Ceremony.Phase)
	}
	if line := handoverLine(n, k); line != "" {
		s.add("handover", "%s", line)
	}
	if len(k.Joins) > 0 {
		s.add("joins then", "%s", memberNames(n, k.Joins))
	}
	if len(k.Leaves) > 0 {
		s.add("leaves then", "%s", memberNames(n, k.Leaves))
	}
	if a := k.Aborted; a != nil {
		s.add("last failed", "%s", abortedText(n, *a))
	}
	return e.columns(s.rows)
}

// seatsText are the members of a committee in the order of their shares, four a line.
func seatsText(n api.Network, seats []uint32) (lines []string) {
	for i, member := range seats {
		text := fmt.Sprintf("%d %s", i+1, memberName(n, member))
		if member != uint32(i+1) {
			text += fmt.Sprintf(" (member %d)", member)
		}
		if i%4 == 0 {
			lines = append(lines, text)
		} else {
			lines[len(lines)-1] += ", " + text
		}
	}
	return lines
}

func inForce(k api.Custody) *api.Committee {
	if len(k.Committees) == 0 {
		return nil
	}
	return &k.Committees[len(k.Committees)-1]
}

// marginText says how many shares may be lost; the margin is how many are proven beyond
// those that are needed.
func marginText(margin int) string {
	switch {
	case margin == 0:
		return "none may be lost"
	case margin < 0:
		return count(-margin, "proof") + " missing"
	}
	return fmt.Sprintf("%d may be lost", margin)
}

// handoverLine is where a handover stands, in one line.
func handoverLine(n api.Network, k api.Custody) string {
	now := inForce(k)
	switch {
	case now == nil:
		return ""
	case k.Handover != nil:
		return fmt.Sprintf("to epoch %d is proposed: %d of %d have consented (%s), until height %d",
			k.Handover.Epoch, len(k.Handover.Consented), mayConsent(k), memberNames(n, k.Handover.Consented), k.Handover.Until)
	case k.Ceremony.Epoch > now.Epoch:
		return fmt.Sprintf("to epoch %d is under way: phase %s, until height %d", k.Ceremony.Epoch, k.Ceremony.Phase, k.Ceremony.Deadline)
	case k.NotNow != "":
		return "not now: " + k.NotNow
	case len(k.Joins)+len(k.Leaves) > 0:
		return "none yet: the members begin one by themselves, for those who join or leave"
	}
	return "none: a member proposes one with `atelier committee handover`"
}

// mayConsent is how many members a proposed handover asks: those with a share, and
// those who get one.
func mayConsent(k api.Custody) int { return inForce(k).Members + len(k.Joins) }

func abortedText(n api.Network, a api.Aborted) string {
	var who []string
	for _, c := range a.Culprits {
		who = append(who, memberNames(n, []uint32{c.Member})+" "+c.Reason)
	}
	for _, c := range a.Guardians {
		who = append(who, fmt.Sprintf("guardian %d %s", c.Member, c.Reason))
	}
	switch {
	case a.Objected:
		who = []string{"the members objected to the recovery"}
	case len(who) == 0:
		who = []string{"too few members consented"}
	}
	return fmt.Sprintf("to epoch %d, height %d: %s", a.Epoch, a.Height, strings.Join(who, "; "))
}

func committeeHistory(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "history", Short: "List the committees, newest first",
		Long: `history shows every committee that has held the keys: since when, how many members
it had and needed, how many proved their share, how many of these may be lost, who
joined and left with it, and whose contributions made it, by the numbers of members
(atelier member list --all). The keys are the same in all of them.`,
		Example: "  atelier committee history\n  atelier committee history --json | jq length",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			k, err := c.Committees(ctx)
			if err != nil {
				return err
			}
			var rows [][]string
			var before []uint32
			for i, c := range k.Committees {
				joined, left := "-", "-"
				if i > 0 {
					joined, left = numbers(without(c.Seats, before)), numbers(without(before, c.Seats))
				}
				before = c.Seats
				rows = append(rows, []string{strconv.FormatUint(c.Epoch, 10), strconv.FormatUint(c.Height, 10), strconv.Itoa(c.Members), strconv.Itoa(c.Threshold),
					strconv.Itoa(c.Proven), strconv.Itoa(c.Margin), joined, left, numbers(c.Qualified)})
			}
			slices.Reverse(rows)
			slices.Reverse(k.Committees)
			return e.table(k.Committees, "EPOCH SINCE MEMBERS NEEDED PROVEN MARGIN JOINED LEFT DEALERS", rows, "no committee yet: the ceremony is in phase "+string(k.Ceremony.Phase))
		}),
	}
}

// without are the members of a list that are not in another.
func without(all, some []uint32) (rest []uint32) {
	for _, member := range all {
		if !slices.Contains(some, member) {
			rest = append(rest, member)
		}
	}
	return rest
}

// numbers are members in a column: by their numbers, in ascending order.
func numbers(members []uint32) string {
	if len(members) == 0 {
		return "-"
	}
	var texts []string
	for _, i := range slices.Sorted(slices.Values(members)) {
		texts = append(texts, strconv.FormatUint(uint64(i), 10))
	}
	return strings.Join(texts, ",")
}

func committeeHandover(e *env) *cobra.Command {
	var patience time.Duration
	var leave bool
	c := &cobra.Command{
		Use: "handover", Short: "Hand the keys over to a new committee",
		Long: `handover has this home's member propose that all shares be made anew. The others
consent by themselves; as soon as all have, or after a while if a threshold has, the
ceremony runs. The keys stay, so nothing has to be sealed or certified again; but a
share that was stolen before no longer fits those made after. Whatever was begun
before is served by the old committee to its end. If the handover fails, the old
committee stays in force, and it can be proposed again.

With it, who was admitted gets a share and a vote, and who leaves or was removed
gives them back (atelier committee show). For these the members begin one by
themselves.

Do it from time to time, and whenever a share or a machine may have been seen by
somebody else: it helps as long as fewer than the threshold were. Every member makes
a new backup afterwards (atelier member backup). One that is away keeps its place
under its old secret, and is healed only by a handover to which it consents.

A handover is work for all: one that nobody joins or leaves by is a member's to
propose once in a while, and meanwhile any other member's.`,
		Example: "  atelier committee handover --home ./ada\n  atelier committee handover --no-wait",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			before, err := c.Committees(ctx) // it may be over before we look again
			if err != nil {
				return err
			}
			k, err := c.HandOver(ctx)
			if err != nil {
				return err
			}
			if !leave && inForce(before) != nil {
				if k, err = e.awaitHandover(ctx, c, patience, before); err != nil {
					return err
				}
			}
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			return e.showCustody(n, k)
		}),
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
	_, err = until(ctx, c, patience, "the handover did not end", func(n api.Network) (bool, error) {
		if k, err = c.Committees(ctx); err != nil {
			return false, err
		}
		switch now := inForce(k); {
		case now.Epoch > epoch:
			return true, nil
		case k.Aborted != nil && k.Aborted.Height > failed:
			return false, refused(curation.CodeWrongPhase, "the handover failed, and the committee of before stays in force: %s", abortedText(n, *k.Aborted))
		case k.Handover != nil:
			scr.Progress("consents", len(k.Handover.Consented), mayConsent(k))
		case k.Ceremony.Epoch > now.Epoch:
			scr.Progress("ceremony: "+string(k.Ceremony.Phase), k.Ceremony.Acknowledged, len(k.Ceremony.Seats))
		}
		return false, nil
	})
	return k, err
}

func committeeObject(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "object", Short: "Object to the guardians' recovery: the members hold the key",
		Long: `object is this home's member's word against a recovery that the guardians have voted
for. As many objections as shares open the artist end it, until enough guardians
have begun to deal. A handover that goes well ends it too, because it shows that the
members hold the key.`,
		Example: "  atelier committee object --home ./ada",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, key, err := e.signing()
			if err != nil {
				return err
			}
			if _, err = e.submit(cmd.Context(), c, key, curation.Object{}); err != nil {
				return err
			}
			return e.showSuccession(cmd.Context(), c)
		},
	}
}
