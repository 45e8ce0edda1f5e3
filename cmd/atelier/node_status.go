package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/health"
)

func nodeStatus(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Say how the node does: height, peers, share, storage",
		Long: `status tells what one node sees: its last block and how old that is, whether it
holds its share of the key, what it stores, and which members it is connected to.
The last block of a working network is seconds old.`,
		Example: "  atelier node status\n  atelier node status --home ./ada --json | jq .peers",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			n, err := c.Node(ctx)
			if err != nil {
				return err
			}
			if e.json {
				return e.print(n)
			}
			who := fmt.Sprintf("member %d, %s, of %s", n.Member, n.Name, n.Network)
			if n.Standing == "" {
				who = fmt.Sprintf("%s, who is no member of %s yet", n.Name, n.Network)
			}
			fmt.Fprintf(e.out, "%s; up %v, version %s\n", who, time.Since(n.Started).Round(time.Second), n.Version)
			return e.columns(nodeSheet(c, n).rows)
		}),
	}
}

func nodeSheet(c *api.Client, n api.Node) *sheet {
	s := &sheet{}
	age := time.Duration(n.BlockAge * float64(time.Second)).Round(100 * time.Millisecond)
	s.add("height", "%d, last block %v ago%s", n.Height, age, map[bool]string{true: ", catching up"}[n.CatchingUp])
	s.add("network", "%s", stateText(n.Shares))
	if n.Shares.State != health.Healthy {
		s.add("next", "%s", n.Advice)
	}
	if n.Shares.State != health.MakingKeys {
		s.add("margin", "%s", marginText(n.Shares.Margin))
	}
	if vote := votesText(n); vote != "" {
		s.add("votes", "%s", vote)
	}
	if n.Standing != curation.StandingActive {
		s.add("standing", "%s", standingText(n))
	}
	s.add("share", "%s", shareText(n))
	s.add("account", "%s", n.Account)
	s.add("gallery", "%s/", c.Address())
	s.add("storage", "%s of %s, %s", bytesText(n.Storage.Bytes), bytesText(n.Storage.Quota), count(n.Storage.Pins, "pin"))
	if n.Storage.Damaged > 0 {
		s.add("", "%d damaged: they will be fetched again", n.Storage.Damaged)
	}
	var peers []string
	for _, p := range n.Peers {
		where := "not connected"
		if p.Connected {
			where = strings.Join(p.Addresses, " ")
		}
		peers = append(peers, fmt.Sprintf("%d %s  %s", p.Member, p.Name, where))
	}
	s.addAll("peers", peers)
	return s
}

// shareText says whether the member can help to open and approve, and what gives it a
// share if not.
func shareText(n api.Node) string {
	switch {
	case n.HasShare:
		return "held"
	case n.Shares.State == health.MakingKeys:
		return "not yet: the members are making the keys"
	case n.Standing == "" || n.Standing == curation.StandingJoining:
		return "not yet"
	case n.Standing == curation.StandingDraining || n.Standing == curation.StandingLeft:
		return "none any more"
	case n.CatchingUp:
		return "not yet: it follows from the ledger, which is catching up"
	case n.Shares.State == health.Lost:
		return "lost: too few are left for a handover, so it comes back from a backup of this member, or from the guardians if there are any"
	}
	return "not held: it can neither open nor approve until the next handover (atelier committee handover)"
}

// standingText says what a member that is not simply one may do, and must.
func standingText(n api.Node) string {
	if n.Standing == "" {
		return health.Means("")
	}
	return string(n.Standing) + ": " + health.Means(n.Standing)
}

// votesText says how far a restored member is; nothing for any other.
func votesText(n api.Node) string {
	switch {
	case !n.Observing:
		return ""
	case n.Until == 0:
		return "not yet: restored, and waiting for the first new block"
	}
	return fmt.Sprintf("not yet: restored, observing until height %d", n.Until)
}

// bytesText is a size for people.
func bytesText(n int64) string {
	switch {
	case n < 0:
		return "no limit"
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d KiB", (n+1023)>>10)
}
