package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/tastes"
)

func artworkList(e *env) *cobra.Command {
	var f api.ArtworkFilter
	var mine bool
	c := &cobra.Command{
		Use: "list", Short: "List artworks and open requests, newest first",
		Long: `list shows requests and artworks, newest first. The states in the order of a life:

  requested   waits for the members' approval
  approved    certified and seeded; the drawn member generates
  registered  the picture is there; another member audits
  candidate   audited; waits for a round
  backing     collectors are backing it
  published   chosen by a round; has a curve
  declined, disputed, expired    other ends
  delivered   an edition: what is there already, drawn once more`,
		Example: "  atelier artwork list\n  atelier artwork list --status published,candidate\n  atelier artwork list --mine --key vera.age",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if mine {
				if f.Requester != (curation.Address{}) {
					return usage("choose one of --mine and --by")
				}
				key, err := e.signer()
				if err != nil {
					return err
				}
				f.Requester = accountOf(key)
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			n, err := c.Network(cmd.Context())
			if err != nil {
				return err
			}
			f.Newest = true
			works, err := c.Artworks(cmd.Context(), f)
			if err != nil {
				return err
			}
			who := namesOf(n)
			var rows [][]string
			for _, a := range works {
				made, backing := "-", "-"
				if a.Generator != 0 {
					made = memberName(n, a.Generator)
				}
				if a.Settled != 0 {
					backing = credits(a.Backing)
				}
				rows = append(rows, []string{short(a.RID), string(a.Status), clip(promptOf(a), 40), who.of(a.Requester), made, backing})
			}
			return e.table(works, "ID STATUS PROMPT ASKED-BY MADE-BY BACKING", rows, "no artworks")
		},
	}
	options(c, &f.Status, "status", ",", oneOf(curation.Statuses...), "only these `STATES`, joined by commas")
	c.Flags().BoolVar(&mine, "mine", false, "only what the signer (--key, or the home's member) asked for")
	option(c, &f.Requester, "by", "", curation.ParseAddress, "only what the account `ADDRESS` asked for")
	option(c, &f.Round, "round", "", ordinal, "only those of round `NUMBER`")
	option(c, &f.Limit, "limit", "100", between(1, 1000), "at most `N`, 1 to 1000")
	return c
}

func artworkShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one artwork: its life, its makers, its market",
		Long:    "show tells what the ledger knows of one artwork. ID is a request id (8 digits or\nmore of it suffice) or the CID of its folder.",
		Example: "  atelier artwork show 3fa94c1d8a20\n  atelier artwork show 3fa94c1d8a20 --json | jq -r .cid",
		Args:    takes("ID"),
		RunE: e.asks(func(ctx context.Context, c *api.Client, args []string) error {
			a, err := c.Artwork(ctx, args[0])
			if err != nil {
				return err
			}
			if e.json {
				return e.print(a)
			}
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			fmt.Fprintf(e.out, "%q  %s\n", a.Title, a.Status)
			if a.Edition != nil {
				fmt.Fprintln(e.out, editionText(*a.Edition))
			}
			return e.columns(artworkSheet(n, a).rows)
		}),
	}
}

func artworkSheet(n api.Network, a api.ArtworkDetail) *sheet {
	s, who := &sheet{}, namesOf(n)
	s.add("id", "%s", a.RID)
	switch d := a.Drawn; {
	case d != nil && d.Explored:
		s.add("taste", "version %d, explored: drawn from everything there is", d.Version)
	case d != nil:
		s.add("taste", "version %d, from %s", d.Version, count(len(d.Parents), "parent"))
		var parents []string
		for _, p := range d.Parents {
			parents = append(parents, short(p))
		}
		s.addAll("parents", parents)
	case a.Prompt == "" && a.Prior == (curation.Hash{}) && a.Edition == nil:
		s.add("prompt", "none: the seed alone decides what it shows")
	}
	s.add("asked by", "%s at height %d, with a deposit of %s credits", who.of(a.Requester), a.Requested, credits(a.Deposit))
	if a.Approved != 0 {
		s.add("approved", "height %d, certificate %s… of the committee of epoch %d", a.Approved, a.Certificate.String()[:16], a.Epoch)
		s.add("seed", "%s", a.Seed)
		s.add("drawn", "%s", drawn(n, a.Order))
		if m := n.Model; m != nil && m.ID == a.ModelID && a.Edition == nil {
			if drawn, err := tasteOf(a.Artwork); err == nil {
				if r, err := tastes.Recipe(m.PlainHash, model.Embedded().Words(), a.Prompt, drawn, a.Seed); err == nil {
					s.add("recipe", "%s", r)
				}
			}
		}
	}
	switch {
	case a.TooLarge():
		s.add("drawn by", "%s at height %d, until its file was larger than members keep", memberName(n, a.Generator), a.Registered)
	case a.Registered != 0:
		s.add("made by", "%s, registered at height %d", memberName(n, a.Generator), a.Registered)
		s.add("pixels", "%s", a.PixelRoot)
		s.add("class", "%s: %s", a.Class, a.Class.Meaning())
		s.add("cid", "%s%s", a.CID, elsewhere(a.Artwork))
	}
	switch {
	case a.TooLarge() && a.Auditor != 0 && a.AuditedRoot == a.PixelRoot:
		s.add("audited by", "%s at height %d, with the same end", memberName(n, a.Auditor), a.Attested)
	case a.Attested != 0 && a.Auditor != 0 && a.AuditedRoot != a.PixelRoot:
		s.add("disputed", "%s rendered other pixels: %s", memberName(n, a.Auditor), a.AuditedRoot)
	case a.Attested != 0 && a.Auditor != 0:
		s.add("audited by", "%s at height %d: the same pixels; %s", memberName(n, a.Auditor), a.Attested, auditText(n.Params))
	}
	if t := a.Turn; t != nil {
		s.add("waits for", "%s as %s until height %d; now %d", memberName(n, t.Member), t.Role, t.Until, n.Height)
	} else if a.Status == curation.StatusRequested {
		s.add("waits for", "the approval of %s until height %d; now %d", count(n.Shares.Threshold, "member"), a.Expiry, n.Height)
	}
	if a.Round != 0 {
		s.add("round", "%d", a.Round)
	}
	if a.Settled != 0 {
		s.add("backing", "%s credits by %s, score %s", credits(a.Backing), count(a.Backers, "account"), credits(a.Score))
	}
	if m := a.Market; m != nil {
		s.add("price", "%s credits a token (supply %s, reserve %s, ratio %.2f)", credits(m.Price), credits(m.Supply), credits(m.Reserve), float64(m.RatioPPM)/1e6)
	}
	var holders []string
	for i, h := range a.Holders {
		if i == 8 {
			holders = append(holders, fmt.Sprintf("and %d more", len(a.Holders)-i))
			break
		}
		holders = append(holders, fmt.Sprintf("%s  %s tokens", who.of(h.Account), credits(h.Tokens)))
	}
	s.addAll("held by", holders)
	if e := a.Edition; e != nil {
		s.addAll("recipe", e.Recipes)
		s.add("price", "%s credits, the generator's once it is audited", credits(e.Price))
		if e.Kept != 0 {
			s.add("kept", "by the members until height %d; now %d", e.Kept, n.Height)
		}
	}
	var editions []string
	for i, d := range a.Editions {
		if i == 8 {
			editions = append(editions, fmt.Sprintf("and %d more", len(a.Editions)-i))
			break
		}
		editions = append(editions, fmt.Sprintf("%s  %s  %s", short(d.RID), d.Status, editionText(*d.Edition)))
	}
	s.addAll("editions", editions)
	if a.Reason != "" {
		s.add("why", "%s", a.Reason)
	}
	return s
}

// promptOf is an artwork's prompt, and of an edition that it is one.
func promptOf(a api.Artwork) string {
	if a.Edition == nil {
		return a.Title
	}
	return fmt.Sprintf("%s (%s)", clip(a.Title, 24), editionText(*a.Edition))
}

// editionText says what an edition is.
func editionText(e api.Edition) string {
	text := fmt.Sprintf("%dx%d of %s", e.Size, e.Size, short(e.Of[0]))
	if len(e.Of) > 1 {
		text = fmt.Sprintf("film of %d frames of %dx%d, from %s to %s", e.Frames, e.Size, e.Size, short(e.Of[0]), short(e.Of[1]))
	}
	if len(e.Changes) > 0 {
		text += ", changed"
	}
	if e.Colours != nil {
		text += ", in the colours of " + short(*e.Colours)
	}
	return text
}

// auditText says how much of a picture an auditor draws again, and what that finds.
func auditText(p curation.Params) string {
	total, checked := model.Tiles(int(p.PictureSize), int(p.PictureSize)), int(p.AuditTiles)
	if checked == 0 || checked >= total {
		return fmt.Sprintf("all %s drawn again", count(total, "tile"))
	}
	return fmt.Sprintf("%d of %s drawn again, by chance: %s", checked, count(total, "tile"), caughtText(total, checked))
}

// elsewhere says why a folder is not on the node.
func elsewhere(a api.Artwork) string {
	switch {
	case a.Held:
		return ""
	case a.Status == "declined" || a.Status == "disputed":
		return "  (let go)"
	case a.Status == "delivered":
		return "  (not on this node)"
	}
	return "  (not on this node: `atelier artwork fetch` brings it)"
}

// drawn is the order that a seed gave, in names.
func drawn(n api.Network, order []uint32) string {
	var all []string
	for _, m := range order {
		all = append(all, memberName(n, m))
	}
	return strings.Join(all, ", ")
}
