package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/node/keys"
)

func guardianEntrust(e *env) *cobra.Command {
	var w witnesses
	var to curation.Address
	var out string
	var still time.Duration
	c := &cobra.Command{
		Use: "entrust", Short: "Entrust this guardian's share to a member, when the ledger has died",
		Long: `entrust is for a network whose ledger stands still for good: a third of its members
or more are gone and have no backup, so no block is made, and neither a recovery nor
a will goes through. It writes this guardian's share of the opening key to the file
--out, which opens with the key of the member --to alone. The ledger takes no part.

As many guardians as act for all send that member their files. It opens the artist
with ` + "`atelier model open --share FILE`" + `, founds a network with those who are left,
and seals the artist there with ` + "`atelier model seal --weights DIR`" + `. From then on
it can open all that was ever sealed in the old network: agree on whom you trust, by
other ways than this network. The share of the key that signs stays secret.

The node and those of --also have to know that member, and to tell of the same last
block, the same state after it and the same shares of the guardians. Nothing is
written unless that block is older than --still.`,
		Example: "  atelier guardian entrust --key gerda.age --api 127.0.0.1:8080 --also 127.0.0.1:8081 --to z6Mk… --out gerda.share",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			switch {
			case out == "":
				return usage("--out FILE is missing: where should the share go?")
			case to == curation.Address{}:
				return usage("--to ACCOUNT is missing: which member opens the artist? `atelier member list` shows the accounts")
			}
			if _, err := os.Stat(out); err == nil {
				return fmt.Errorf("%s exists already: a share is never written over another file", out)
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			g, _, err := e.guardianOf()
			if err != nil {
				return err
			}
			l, err := ledgerOf(ctx, c, g)
			if err != nil {
				return err
			}
			given, err := g.Entrust(l)
			if err != nil {
				return err
			}
			if err := w.named(); err != nil {
				return err
			}
			member, last, err := dead(ctx, c, to, l, still)
			if err != nil {
				return err
			}
			told, err := w.ask(ctx)
			if err != nil {
				return err
			}
			for i, address := range w.also {
				// What is given away is a share of the sharing that counts, as what is erased is
				// of one that does not.
				err := l.Agrees(told[i], guardian.EraseSeed{})
				if err == nil {
					err = diedAlike(ctx, address, to, l, still, last)
				}
				if err != nil {
					return fmt.Errorf("the node at %s %w: %w", address, errDisagree, err)
				}
			}
			plain, err := given.Encode()
			if err != nil {
				return err
			}
			defer clear(plain)
			file, err := keys.Entrust(to[:], plain)
			if err != nil {
				return err
			}
			if err := keys.WriteFile(out, file, 0o600); err != nil {
				return err
			}
			return e.say(struct {
				Guardian uint32           `json:"guardian"`
				To       curation.Address `json:"to"`
				Out      string           `json:"out"`
				Needed   int              `json:"needed"`
			}{given.Guardian, to, out, l.Estate.Rules.Threshold}, "%s is the share of guardian %d, for %s alone\nnext: send it to %s, who opens the artist with %s\n",
				out, given.Guardian, member.Name, member.Name, count(l.Estate.Rules.Threshold, "share"))
		},
	}
	option(c, &to, "to", "", curation.ParseAddress, "`ACCOUNT` of the member who opens the artist")
	c.Flags().StringVar(&out, "out", "", "write the share to `FILE`")
	option(c, &still, "still", "24h", span, "`TIME` for which the ledger must have stood still")
	w.options(e, c)
	return c
}

// dead says that a node knows a member, and that its last block is of the height that
// the ledger told, and has been the last for some time.
func dead(ctx context.Context, c *api.Client, to curation.Address, l guardian.Ledger, still time.Duration) (m api.Member, last api.Block, err error) {
	n, err := c.Network(ctx)
	switch {
	case err != nil:
		return m, last, err
	case n.Chain != l.Chain:
		return m, last, errors.New("it is a node of another network")
	}
	i := slices.IndexFunc(n.Members, func(m api.Member) bool {
		return m.Account == to && m.Standing != curation.StandingLeft
	})
	if i < 0 {
		return m, last, refused(curation.CodeUnknown, "%s is no member of %s: the share is for one of those whom `atelier member list` shows", to, n.Name)
	}
	if n.Height != l.Height {
		return m, last, refused(curation.CodeWrongPhase, "block %d is the last there, not %d: the ledger makes blocks, or one of the nodes was away before it died", n.Height, l.Height)
	}
	if last, err = blockAt(ctx, c, n.Height); err != nil {
		return m, last, err
	}
	if age := time.Since(last.Time); age < still {
		return m, last, refused(curation.CodeWrongPhase, "its last block is %v old: wait until %v have passed without one, or bring members back from their backups", age.Round(time.Second), still)
	}
	return n.Members[i], last, nil
}

// diedAlike says that the ledger of another node is dead too, and in the same state.
func diedAlike(ctx context.Context, address string, to curation.Address, l guardian.Ledger, still time.Duration, last api.Block) error {
	other := api.NewClient(address, "")
	defer other.Close()
	_, b, err := dead(ctx, other, to, l, still)
	if err == nil && b.AppHash != last.AppHash {
		err = fmt.Errorf("its state after block %d is %v, and that of the first node %v: one of them tells of another ledger, so ask more members which", b.Height, b.AppHash, last.AppHash)
	}
	return err
}

// blockAt is a block that the node has.
func blockAt(ctx context.Context, c *api.Client, height uint64) (api.Block, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for h, err := range c.Events(ctx, height) {
		switch {
		case err != nil:
			return api.Block{}, err
		case h.Block != nil && h.Block.Height != height:
			return api.Block{}, fmt.Errorf("the node tells of block %d where block %d was asked for: ask another one", h.Block.Height, height)
		case h.Block != nil:
			return *h.Block, nil
		}
	}
	return api.Block{}, errors.New("the node does not tell of its last block: ask another one")
}

// entrustedKey is the opening key that the shares of guardians make, which were
// entrusted to the account at hand.
func (e *env) entrustedKey(s api.Succession, files []string) (secret curation.Hash, err error) {
	key, err := e.signer()
	if err != nil {
		return secret, err
	}
	l, err := s.Ledger()
	if err != nil {
		return secret, err
	}
	var given []guardian.Entrusted
	for _, path := range files {
		b, err := readUpTo(path, maxShareFile)
		if err != nil {
			return secret, err
		}
		plain, err := keys.Entrusted(key, b)
		if errors.Is(err, keys.ErrNotEntrusted) {
			return secret, fmt.Errorf("%s: %w, %s: name the home or the key of its reader with --home or --key", path, err, accountOf(key))
		} else if err != nil {
			return secret, fmt.Errorf("%s: %w", path, err)
		}
		one, err := guardian.DecodeEntrusted(plain)
		clear(plain)
		if err != nil {
			return secret, fmt.Errorf("%s: %w", path, err)
		}
		given = append(given, one)
	}
	return l.Combine(given)
}

// maxShareFile is the most bytes of a file that a guardian entrusted.
const maxShareFile = 64 << 10
