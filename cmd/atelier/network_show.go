package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/health"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/verify"
)

func networkShow(e *env) *cobra.Command {
	var charter bool
	c := &cobra.Command{
		Use: "show", Short: "Show the network and where it stands: members, keys, artist, artworks, round",
		Long: `show tells how many members proved their share of the key and how many could be
lost, who sealed the artist, how many artworks are in which state, where the round
stands, and what the treasury holds.`,
		Example: "  atelier network show\n  atelier network show --charter\n  atelier network show --api 127.0.0.1:8080 --json | jq .shares",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			if charter && !e.json {
				fmt.Fprintf(e.out, "%s\n\n%s\n\nOn death: %s.\n", n.Name, strings.TrimSpace(n.Charter), n.Succession)
				return nil
			}
			if e.json {
				return e.print(n)
			}
			fmt.Fprintf(e.out, "%s, height %d\n", n.Name, n.Height)
			return e.columns(networkSheet(n).rows)
		}),
	}
	c.Flags().BoolVar(&charter, "charter", false, "print the charter instead")
	return c
}

// stateText says how the network does as the node that answers sees it.
func stateText(s api.Shares) string {
	if s.State == health.MakingKeys {
		return string(s.State)
	}
	return fmt.Sprintf("%s: %s within reach, %d needed", s.State, count(s.Reachable, "proven share"), s.Threshold)
}

// artworksText is how many artworks there are of each status.
func artworksText(of map[curation.Status]int) string {
	var parts []string
	for _, status := range curation.Statuses {
		if n := of[status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status))
		}
	}
	if len(parts) == 0 {
		return "none yet"
	}
	return strings.Join(parts, ", ")
}

func networkSheet(n api.Network) *sheet {
	s := &sheet{}
	s.add("genesis", "%s", n.Chain)
	s.add("state", "%s", stateText(n.Shares))
	if n.Shares.State != health.Healthy {
		s.add("", "%s", n.Advice)
	}
	s.add("on death", "%s", n.Succession)
	s.add("members", "%d, of whom %d proved their share of the key", n.Shares.Seats, n.Shares.Proven)
	if line := changesText(n); line != "" {
		s.add("", "with the next handover: %s", line)
	}
	if k := n.Committee; k != nil {
		s.add("margin", "%s: %s needed", marginText(n.Shares.Margin), count(n.Shares.Threshold, "share"))
		s.add("key X", "%s…  opens (epoch %d, made at height %d)", k.X.String()[:16], k.Epoch, k.Height)
		s.add("key Y", "%s…  certifies and seeds", k.Y.String()[:16])
	} else {
		s.add("keys", "not yet: the ceremony is in phase %s", n.Ceremony.Phase)
		for _, c := range n.Ceremony.Culprits {
			s.add("", "%s failed: %s", memberName(n, c.Member), c.Reason)
		}
		if n.Ceremony.RetryAt != 0 {
			s.add("", "it is repeated at height %d", n.Ceremony.RetryAt)
		}
	}
	if m := n.Model; m != nil {
		s.add("artist", "%s, sealed by %s at height %d; key epoch %d, %s", m.Name, memberName(n, m.Sealer), m.Height, m.KeyEpoch, m.Standing)
		if n.Rotation != nil {
			s.add("", "%s", n.Rotation.Advice)
		}
	} else {
		s.add("artist", "none is sealed yet: a member does it with `atelier model seal`")
	}
	s.add("artworks", "%s", artworksText(n.Artworks))
	if r := n.Round; r != nil {
		s.add("round", "%s", roundLine(n, *r))
	} else {
		s.add("round", "none yet: the first opens by itself when %s wait", count(int(n.Params.RoundCandidates), "candidate"))
	}
	s.add("treasury", "%s credits (%s fees, %s tribute)", credits(n.Treasury.Balance), credits(n.Treasury.Fees), credits(n.Treasury.Tributes))
	return s
}

func networkExport(e *env) *cobra.Command {
	var out, ledger string
	c := &cobra.Command{
		Use: "export", Short: "Write the file by which anybody can verify this network's artworks",
		Long: `export writes the network's public keys, members, sealed models and decisions as
JSON: all that ` + "`atelier verify --network FILE`" + ` needs besides an artwork. It is the
word of the member who wrote it. A home keeps the same as network.json.

--ledger FILE writes the whole ledger instead, with the signatures of those who
decided each block, for people who trust nobody: ` + "`atelier verify --ledger FILE`" + `
replays it from the founding on. The node gives it while it runs, the home's files
while it does not. A FILE that is there is continued, one that broke off too.`,
		Example: "  atelier network export --out harbour.json\n  atelier network export --ledger harbour.ledger\n" +
			"  atelier verify picture-folder --ledger harbour.ledger",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if ledger != "" {
				if out != "" {
					return usage("--ledger FILE and --out FILE are two files: choose one")
				}
				return e.exportLedger(cmd.Context(), ledger)
			}
			n, _, err := e.trusted(cmd.Context(), "")
			if err != nil {
				return err
			}
			if n == nil {
				return &unreachableError{fmt.Errorf("neither a node nor %s tells about a network", home.Home(e.home).Network())}
			}
			if out == "" {
				return e.print(n)
			}
			b, err := json.MarshalIndent(n, "", "  ")
			if err != nil {
				return err
			}
			if err := keys.WriteFile(out, append(b, '\n'), 0o644); err != nil {
				return err
			}
			return e.say(struct {
				File string `json:"file"`
			}{out}, "%s: network %s, %s, %s\n", out, n.Name, count(len(n.Members), "member"), count(len(n.Models), "model"))
		},
	}
	c.Flags().StringVar(&out, "out", "", "write to `FILE` (default: standard output)")
	c.Flags().StringVar(&ledger, "ledger", "", "write the whole ledger to `FILE`, or continue it")
	return c
}

// readNetwork reads a network file.
func readNetwork(path string) (*verify.Network, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("there is no network file %s: a member makes one with `atelier network export --out FILE`: %w", path, os.ErrNotExist)
	} else if err != nil {
		return nil, err
	}
	n, err := verify.ParseNetwork(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &n, nil
}
