package main

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/keys"
)

type addressed struct {
	Address curation.Address `json:"address"`
	Key     string           `json:"key,omitempty"`
}

func accountCreate(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "create", Short: "Make a collector's key and print its account",
		Long: `create makes a fresh key for a collector, writes it to --key FILE and prints the
account that it signs for. The file is an age file (age-encryption.org); its
passphrase is that of ATELIER_PASSPHRASE, or a random one that is kept beside it in
FILE.passphrase. Whoever has both can spend what the account holds: there is no
other copy. Commands that sign with it under a wrong passphrase change nothing, end
with 1 and say that the passphrase does not open the key file.`,
		Example: "  atelier account create --key vera.age",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			if e.key == "" {
				return usage("--key FILE is missing: where should the key go?")
			}
			_, key, err := ed25519.GenerateKey(nil)
			if err != nil {
				return err
			}
			if err := keys.SaveAccount(e.key, passphrase(), key); err != nil {
				return err
			}
			return e.say(addressed{accountOf(key), e.key}, "%v\n", accountOf(key))
		},
	}
}

func accountAddress(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "address", Short: "Print the account that --key, or the home's member, signs for",
		Long:    "address prints the account as others name it, to send credits to. It needs no node.",
		Example: "  atelier account address --key vera.age\n  atelier account address --home ./ada",
		Args:    takes(),
		RunE: func(*cobra.Command, []string) error {
			key, err := e.signer()
			if err != nil {
				return err
			}
			return e.say(addressed{accountOf(key), e.key}, "%v\n", accountOf(key))
		},
	}
}

func accountShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show [ADDRESS]", Short: "Show an account: credits, tokens, orders",
		Long:    "show tells what the ledger holds for an account: that of ADDRESS, of --key, or of\nthe home's member.",
		Example: "  atelier account show\n  atelier account show --key vera.age\n  atelier account show z6Mk… --api 127.0.0.1:8080",
		Args:    mayTake("ADDRESS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			var address curation.Address
			if len(args) == 1 {
				var err error
				if address, err = read("ADDRESS", args[0], curation.ParseAddress); err != nil {
					return err
				}
			} else {
				key, err := e.signer()
				if err != nil {
					return err
				}
				address = accountOf(key)
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			a, err := c.Account(cmd.Context(), address)
			if err != nil {
				return err
			}
			if e.json {
				return e.print(a)
			}
			titles := titles{cmd.Context(), c, map[curation.Hash]string{}}
			s := &sheet{}
			s.add("balance", "%s credits", credits(a.Balance))
			s.add("locked", "%s credits in open requests and orders", credits(a.Locked))
			var holdings, orders []string
			for _, h := range a.Holdings {
				holdings = append(holdings, fmt.Sprintf("%s tokens of %s, paid %s credits", credits(h.Tokens), titles.of(h.RID), credits(h.Paid)))
			}
			for _, o := range a.Orders {
				line := fmt.Sprintf("round %d, %s: escrow %s credits", o.Round, o.Status, credits(o.Escrow))
				if o.Status == curation.OrderSealed {
					line += ", for an artwork that nobody reads before the round is over"
				} else {
					line = fmt.Sprintf("round %d, %s: %s tokens of %s for %s credits, %s back%s", o.Round, o.Status,
						credits(o.Tokens), titles.of(o.RID), credits(o.Cost.Add(o.Tribute)), credits(o.Refund), because(o.Reason))
				}
				orders = append(orders, line)
			}
			s.addAll("holds", holdings)
			s.addAll("orders", orders)
			fmt.Fprint(e.out, a.Address)
			if a.Member != 0 {
				fmt.Fprintf(e.out, ", member %d", a.Member)
			}
			fmt.Fprintln(e.out)
			return e.columns(s.rows)
		},
	}
}

func accountSend(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "send ADDRESS CREDITS", Short: "Send credits to another account",
		Long: `send moves credits from the account of --key, or of the home's member, and returns
when a block has taken the transaction. What is sent is gone: check the address.`,
		Example: "  atelier account send z6Mk… 25.5\n  atelier account send z6Mk… 10 --key vera.age",
		Args:    takes("ADDRESS", "CREDITS"),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, err := read("ADDRESS", args[0], curation.ParseAddress)
			if err != nil {
				return err
			}
			amount, err := read("CREDITS", args[1], positive)
			if err != nil {
				return err
			}
			c, key, err := e.signing()
			if err != nil {
				return err
			}
			r, err := e.submit(cmd.Context(), c, key, curation.Send{To: to, Amount: amount})
			if err != nil {
				return err
			}
			return e.say(r, "%s credits sent to %v in block %d\n", credits(amount), to, r.Height)
		},
	}
}

// titles are artworks as a person knows them, asked of the node once each.
type titles struct {
	ctx   context.Context
	node  *api.Client
	known map[curation.Hash]string
}

func (t titles) of(rid curation.Hash) string {
	if rid == (curation.Hash{}) {
		return "no artwork"
	}
	if _, ok := t.known[rid]; !ok {
		t.known[rid] = short(rid)
		if a, err := t.node.Artwork(t.ctx, rid.String()); err == nil {
			t.known[rid] = fmt.Sprintf("%q (%s)", clip(a.Title, 40), short(rid))
		}
	}
	return t.known[rid]
}
