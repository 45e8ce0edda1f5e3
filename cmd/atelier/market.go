package main

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/api"
)

func marketBack(e *env) *cobra.Command {
	var escrow curve.Amount
	o := curation.OpenOrder{MinOut: curve.NewAmount(1)}
	c := &cobra.Command{
		Use: "back ID", Short: "Back a candidate in the running round, with a sealed order",
		Long: `back seals an order to the network's key, so that nobody, no member either, reads it
before the round's backing phase is over. The ledger shows the escrow only, from
which the deposit is taken; what is not spent comes back. All orders for an artwork
are cleared together, at one price. When the artwork is not published, or the
deposit would buy less than --min-out, everything comes back.`,
		Example: "  atelier market back 3fa94c1d8a20 --deposit 400\n  atelier market back 3fa94c1d8a20 --deposit 400 --min-out 150 --escrow 1000 --key vera.age",
		Args:    takes("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Deposit.IsZero() {
				return usage("--deposit CREDITS is missing: how much should go into the artwork?")
			}
			if !escrow.IsZero() && escrow.Less(o.Deposit) {
				return usage("--escrow %s is less than the deposit of %s: it has to hold it", credits(escrow), credits(o.Deposit))
			}
			c, key, err := e.signing()
			if err != nil {
				return err
			}
			o.Account = accountOf(key)
			n, err := c.Network(cmd.Context())
			if err != nil {
				return err
			}
			a, err := backable(cmd.Context(), c, n, args[0])
			if err != nil {
				return err
			}
			o.RID = a.RID
			q, err := c.QuoteBuy(cmd.Context(), a.RID.String(), o.Deposit)
			if err != nil {
				return err
			}
			if q.Tokens.Less(o.MinOut) {
				return refused(curation.CodeLimit, "even alone in its batch the order would get %s tokens, less than --min-out %s: it would only be refunded", credits(q.Tokens), credits(o.MinOut))
			}
			lock := escrow
			if lock.IsZero() {
				if lock, err = affordable(cmd.Context(), c, o, hide(o.Deposit)); err != nil {
					return err
				}
			}
			sealed, err := n.SealOrder(rand.Reader, n.Round.Number, o, lock)
			if err != nil {
				return err
			}
			r, err := e.submit(cmd.Context(), c, key, sealed)
			if err != nil {
				return err
			}
			return e.say(backed{r, n.Round.Number, a.RID, o.Deposit, o.MinOut, lock},
				"order for %s, %q, sealed in round %d until height %d\n  escrow  %s credits, which everybody sees; the deposit of %s nobody does\n  alone   it would get %s tokens; others' orders raise the price\n",
				short(a.RID), a.Title, n.Round.Number, n.Round.BackUntil, credits(lock), credits(o.Deposit), credits(q.Tokens))
		},
	}
	option(c, &o.Deposit, "deposit", "", positive, "spend at most `CREDITS`, tribute included")
	option(c, &o.MinOut, "min-out", "", amount, "get at least `TOKENS`, else the deposit comes back (default: any)")
	option(c, &escrow, "escrow", "", positive, "lock and show `CREDITS` (default: the deposit, rounded up to 1, 2 or 5 times a power of ten)")
	return c
}

type backed struct {
	api.Receipt
	Round   uint64        `json:"round"`
	Artwork curation.Hash `json:"artwork"`
	Deposit curve.Amount  `json:"deposit"`
	MinOut  curve.Amount  `json:"min_out"`
	Escrow  curve.Amount  `json:"escrow"`
}

// backable is the candidate of the running round that id names.
func backable(ctx context.Context, c *api.Client, n api.Network, id string) (api.ArtworkDetail, error) {
	a, err := c.Artwork(ctx, id)
	switch r := n.Round; {
	case err != nil:
		return a, err
	case r == nil || r.Phase != curation.RoundBacking:
		return a, refused(curation.CodeOK, "no round takes orders now: the next opens by itself when %s wait, and there are %d", count(int(n.Params.RoundCandidates), "candidate"), n.Artworks[curation.StatusCandidate])
	case !slices.Contains(r.Candidates, a.RID):
		return a, refused(curation.CodeWrongPhase, "artwork %s is %s and not among the candidates of round %d", short(a.RID), a.Status, r.Number)
	}
	return a, nil
}

// hide rounds a deposit up, so that the escrow tells its size and no more: to 1, 2
// or 5 times a power of ten credits, at least 1.
func hide(deposit curve.Amount) curve.Amount {
	for step := curve.Credits(1); ; step = step.Mul(10) {
		for _, k := range []uint64{1, 2, 5} {
			if e, over := step.MulOverflow(k); over {
				return deposit
			} else if !e.Less(deposit) {
				return e
			}
		}
	}
}

// affordable lowers an escrow to what the account has beside the fee.
func affordable(ctx context.Context, c *api.Client, o curation.OpenOrder, escrow curve.Amount) (curve.Amount, error) {
	a, err := c.Account(ctx, o.Account)
	if err != nil {
		return escrow, err
	}
	if left, short := a.Balance.SubOverflow(curve.Credits(1)); short || left.Less(escrow) {
		return o.Deposit, nil
	}
	return escrow, nil
}

func marketQuote(e *env) *cobra.Command {
	var deposit, sell curve.Amount
	c := &cobra.Command{
		Use: "quote ID", Short: "Tell what backing a candidate would buy, or selling tokens would pay, now",
		Long: `quote computes a trade on the artwork's curve and changes nothing. For a published
artwork it tells the present price when neither --deposit nor --sell is given; a
candidate has no price yet and needs --deposit. A backing is quoted as the only
order of its batch; others raise the price.`,
		Example: "  atelier market quote 3fa94c1d8a20 --deposit 400\n  atelier market quote 3fa94c1d8a20 --sell 10\n  atelier market quote 3fa94c1d8a20",
		Args:    takes("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !deposit.IsZero() && !sell.IsZero() {
				return usage("choose one of --deposit and --sell")
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			switch {
			case !deposit.IsZero():
				q, err := c.QuoteBuy(cmd.Context(), args[0], deposit)
				if err != nil {
					return err
				}
				return e.say(q, "%s credits would get %s tokens: %s to the curve, %s tribute; price afterwards %s credits a token\n",
					credits(q.Amount), credits(q.Tokens), credits(q.Cost), credits(q.Tribute), credits(q.Price))
			case !sell.IsZero():
				q, err := c.QuoteSell(cmd.Context(), args[0], sell)
				if err != nil {
					return err
				}
				return e.say(q, "%s tokens would pay %s credits, after %s tribute; price afterwards %s credits a token\n",
					credits(q.Amount), credits(q.Payout), credits(q.Tribute), credits(q.Price))
			}
			a, err := c.Artwork(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			m := a.Market
			switch {
			case m != nil:
			case a.Status == curation.StatusCandidate || a.Status == curation.StatusBacking:
				return refused(curation.CodeOK, "%q is %s and has no price before it is published: ask what a deposit would buy with `%s`",
					a.Title, a.Status, e.again("market quote %s --deposit 100", short(a.RID)))
			default:
				return refused(curation.CodeWrongPhase, "%q is %s: it has no market unless it is published", a.Title, a.Status)
			}
			return e.say(m, "%s credits a token; supply %s tokens, reserve %s credits, ratio %.2f\n",
				credits(m.Price), credits(m.Supply), credits(m.Reserve), float64(m.RatioPPM)/1e6)
		},
	}
	option(c, &deposit, "deposit", "", positive, "back a candidate with `CREDITS`")
	option(c, &sell, "sell", "", positive, "sell `TOKENS` of a published artwork")
	return c
}

// slippage is how far below the quote a sale may pay unless --min-out says
// otherwise: 1 in 100.
const slippage = 100

func marketSell(e *env) *cobra.Command {
	var all bool
	var tokens, minOut curve.Amount
	c := &cobra.Command{
		Use: "sell ID", Short: "Sell tokens of a published artwork back to its curve",
		Long: `sell gives tokens back to the artwork's curve for credits. It happens whole or not
at all: when it would pay less than --min-out (default: the present quote less 1 %),
the ledger refuses it.`,
		Example: "  atelier market sell 3fa94c1d8a20 --tokens 10\n  atelier market sell 3fa94c1d8a20 --tokens all --min-out 95 --key vera.age",
		Args:    takes("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if tokens.IsZero() && !all {
				return usage("--tokens T is missing: how many, or all?")
			}
			c, key, err := e.signing()
			if err != nil {
				return err
			}
			a, err := c.Artwork(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			sale := curation.Sell{RID: a.RID, Tokens: tokens, MinOut: minOut}
			if all {
				sale.Tokens = held(a, accountOf(key))
				if sale.Tokens.IsZero() {
					return refused(curation.CodeFunds, "%v holds no tokens of %s", accountOf(key), short(a.RID))
				}
			}
			if !cmd.Flags().Changed("min-out") {
				q, err := c.QuoteSell(cmd.Context(), a.RID.String(), sale.Tokens)
				if err != nil {
					return err
				}
				if sale.MinOut, err = q.Payout.MulDiv(curve.NewAmount(slippage-1), curve.NewAmount(slippage)); err != nil {
					return err
				}
			}
			r, err := e.submit(cmd.Context(), c, key, sale)
			if err != nil {
				return err
			}
			var paid, tribute curve.Amount
			for _, event := range r.Events {
				if event.Kind == curation.EventMarketSold {
					if err := errors.Join(paid.UnmarshalText([]byte(event.Attributes["payout"])), tribute.UnmarshalText([]byte(event.Attributes["tribute"]))); err != nil {
						return err
					}
				}
			}
			return e.say(sold{r, a.RID, sale.Tokens, paid, tribute}, "sold %s tokens of %q for %s credits, after %s tribute\n",
				credits(sale.Tokens), a.Title, credits(paid), credits(tribute))
		},
	}
	option(c, &tokens, "tokens", "", func(text string) (curve.Amount, error) {
		if all = text == "all"; all {
			return curve.Amount{}, nil
		}
		return positive(text)
	}, "sell `TOKENS`, or all")
	option(c, &minOut, "min-out", "", amount, "get at least `CREDITS` (default: the quote less 1 %)")
	return c
}

type sold struct {
	api.Receipt
	Artwork curation.Hash `json:"artwork"`
	Tokens  curve.Amount  `json:"tokens"`
	Payout  curve.Amount  `json:"payout"`
	Tribute curve.Amount  `json:"tribute"`
}

func held(a api.ArtworkDetail, account curation.Address) curve.Amount {
	for _, h := range a.Holders {
		if h.Account == account {
			return h.Tokens
		}
	}
	return curve.Amount{}
}
