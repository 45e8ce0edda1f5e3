package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
)

func memberList(e *env) *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use: "list", Short: "List the members: who they are, what they hold, who is connected",
		Long: `list shows each member with its number, which it keeps for ever, and its standing:

  joining   admitted; gets a share and a vote with the next handover
  active    holds a share and a vote
  leaving   gives both back with the next handover
  draining  has no vote any more; serves what its last committee began
  left      was a member (shown with --all)

and further its seat, which is the index of its share in the committee in force;
whether this node is connected to it; whether it has proved its share; and how many
one-time keys it has left to read shares with. Below stand the margin, who comes and
goes with the next handover, and the votes under way.`,
		Example: "  atelier member list\n  atelier member list --home ./ada --all\n  atelier member list --json | jq '.[] | select(.standing == \"joining\")'",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			net, err := c.Network(ctx)
			if err != nil {
				return err
			}
			if e.json {
				return e.print(net.Members)
			}
			motions, err := c.Motions(ctx)
			if err != nil {
				return err
			}
			n, err := c.Node(ctx)
			if err != nil {
				return err
			}
			if err := e.table(nil, "MEMBER NAME STANDING SEAT CONNECTED SHARE PREKEYS ACCOUNT", memberRows(net, n, all), ""); err != nil {
				return err
			}
			if net.Committee != nil {
				fmt.Fprintf(e.out, "margin: %s; %d of %d have proved theirs, %d are needed\n", marginText(net.Shares.Margin), net.Shares.Proven, net.Shares.Seats, net.Shares.Threshold)
			}
			if line := changesText(net); line != "" {
				fmt.Fprintf(e.out, "next handover: %s\n", line)
			}
			for _, m := range net.Members {
				if m.Missed > 0 {
					fmt.Fprintf(e.out, "missed: %s\n", missedText(m))
				}
			}
			for _, m := range motions {
				fmt.Fprintf(e.out, "vote: %s\n", motionLine(net, m))
			}
			if len(motions) > 0 {
				fmt.Fprintf(e.out, "next: %s\n", e.again("member votes"))
			}
			return nil
		}),
	}
	c.Flags().BoolVar(&all, "all", false, "show those who have left, too")
	return c
}

// missedText is about one who joins and did not acknowledge its share in time.
func missedText(m api.Member) string {
	return fmt.Sprintf("%s consented to a handover and did not acknowledge its share, %s of %d: it may take part again from height %d on, if its node stays up",
		m.Name, count(int(m.Missed), "time"), curation.MaxMissed, m.MayFrom)
}

// memberRows are the members as a node sees them.
func memberRows(net api.Network, n api.Node, all bool) (rows [][]string) {
	connected := map[uint32]string{n.Member: "this node"}
	if n.Observing {
		connected[n.Member] = "this node, observing"
		if n.Until > 0 {
			connected[n.Member] += fmt.Sprintf(" until height %d", n.Until)
		}
	}
	for _, p := range n.Peers {
		connected[p.Member] = "no"
		if p.Connected {
			connected[p.Member] = "yes"
		}
	}
	for _, m := range net.Members {
		if m.Standing == curation.StandingLeft && !all {
			continue
		}
		seat, proven := "-", "none"
		if m.Seat != 0 {
			seat, proven = strconv.Itoa(int(m.Seat)), "no"
		}
		if m.ShareProven {
			proven = "proven"
		}
		seen := connected[m.Index]
		if seen == "" {
			seen = "no"
		}
		rows = append(rows, []string{strconv.Itoa(int(m.Index)), m.Name, string(m.Standing), seat, seen, proven, strconv.FormatUint(m.Prekeys, 10), m.Account.String()})
	}
	return rows
}

// changesText says who comes and goes; it is empty when nobody does.
func changesText(n api.Network) string {
	var parts []string
	for _, change := range []struct {
		standing  curation.Standing
		one, many string
	}{{curation.StandingJoining, "joins", "join"}, {curation.StandingLeaving, "leaves", "leave"}} {
		var who []uint32
		for _, m := range n.Members {
			if m.Standing == change.standing {
				who = append(who, m.Index)
			}
		}
		if text := doing(n, who, change.one, change.many); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "; ")
}

// doing is who does something; it is empty when nobody does.
func doing(n api.Network, who []uint32, one, many string) string {
	switch len(who) {
	case 0:
		return ""
	case 1:
		return memberNames(n, who) + " " + one
	}
	return memberNames(n, who) + " " + many
}

// memberNames are members by their numbers, with their names.
func memberNames(n api.Network, numbers []uint32) string {
	var all []string
	for _, i := range slices.Sorted(slices.Values(numbers)) {
		all = append(all, fmt.Sprintf("%s (%d)", memberName(n, i), i))
	}
	return strings.Join(all, ", ")
}

func memberVotes(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "votes", Short: "List the votes under way: on members, on the artist, on its training",
		Long: `votes shows whom members want to admit or remove, which artist they want to adopt,
and by which plan to train it: how many votes are there, how many are needed, who
voted, until which height, and the line to vote with. Each who holds a share has one
vote. Who is a member changes with the next handover, which begins by itself; an
artist is stored by the members first; a training begins at once. What has not
enough votes in time lapses, and can be proposed again.`,
		Example: "  atelier member votes\n  atelier member votes --json | jq '.[].applicant'\n  atelier member votes --json | jq '.[].artist.container_cid'",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			net, err := c.Network(ctx)
			if err != nil {
				return err
			}
			motions, err := c.Motions(ctx)
			if err != nil {
				return err
			}
			if e.json {
				return e.print(motions)
			}
			if len(motions) == 0 {
				fmt.Fprintln(e.out, "no vote is under way: one begins when somebody joins with an invitation, with `atelier member remove`, with `atelier model seal`, or with `atelier training propose`")
			}
			for _, m := range motions {
				fmt.Fprintf(e.out, "%s\n", motionLine(net, m))
				s := &sheet{}
				s.add("motion", "%s", m.ID)
				s.add("for it", "%s", memberNames(net, m.Votes))
				switch a := m.Applicant; {
				case a != nil:
					s.add("account", "%s", a.Account)
					s.addAll("reached at", a.Addresses)
					s.add("vote", "%s", e.again("member admit %s", short(m.ID)))
				case m.Plan != nil:
					s.addAll("plan", m.Plan.Text)
					s.add("vote", "%s", e.again("training vote %s", short(m.ID)))
				case m.Artist != nil:
					s.add("artist", "%s", m.Artist.ID)
					s.add("container", "%s, %s in age", m.Artist.ContainerCID, bytesText(int64(m.Artist.ContainerSize)))
					s.add("hash", "%s", m.Artist.ContainerHash)
					s.add("vote", "%s", e.again("model adopt %d", m.Artist.KeyEpoch))
				default:
					s.add("vote", "%s", e.again("member remove %d", m.Member))
					if needed := neededForItself(net, m.Member); needed != "" {
						s.add("", "%s", needed)
					}
				}
				if err := e.columns(s.rows); err != nil {
					return err
				}
			}
			return nil
		}),
	}
}

// motionLine is a vote in one line.
func motionLine(n api.Network, m api.Motion) string {
	what := "remove " + memberNames(n, []uint32{m.Member})
	switch {
	case m.Applicant != nil:
		what = "admit " + m.Name
	case m.Plan != nil:
		what = fmt.Sprintf("train the artist %s together, training %d", m.Name, m.Plan.Number)
	case m.Artist != nil:
		what = fmt.Sprintf("adopt the artist %s, sealed by %s for key epoch %d", m.Name, memberNames(n, []uint32{m.Artist.Sealer}), m.Artist.KeyEpoch)
	}
	return fmt.Sprintf("%s: %d of %s, until height %d, in %s", what, m.Counted, count(m.Threshold, "vote"), m.Until, count(int(m.Until-min(n.Height, m.Until)), "block"))
}
