package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/node/api"
)

func approvalReleases(e *env) *cobra.Command {
	var rid string
	limit := 100
	c := &cobra.Command{
		Use: "releases", Short: "List the shares of the key that this home's member released",
		Long: `releases shows, newest first, what the member wrote into its journal before a share
left it: at which height of the ledger, for which request, to which member in which
role, blinded under which one-time key, and for which certificate: a hash of it and
of what it certifies (context in JSON), which are on the ledger for good.
Each member tells of its own; only the owner of a home may ask its node.`,
		Example: "  atelier approval releases\n  atelier approval releases --rid 0c1f4d7a --limit 10 --json",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			releases, err := c.Releases(ctx, rid, limit)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, r := range releases {
				rows = append(rows, []string{strconv.FormatUint(r.Height, 10), short(r.RID), r.Role, memberName(n, r.Reader), short(r.Key), short(r.Context)})
			}
			return e.table(releases, "HEIGHT ID ROLE RELEASED-TO KEY CERTIFICATE", rows, "no shares released")
		}),
	}
	option(c, &rid, "rid", "", artworkID, "only of request `ID`")
	option(c, &limit, "limit", "100", between(1, 1000), "at most `N` of them")
	return c
}
