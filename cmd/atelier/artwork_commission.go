package main

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/storage"
)

// sealedError is an artwork whose artist is not at hand: its network can be asked for an
// edition of it.
type sealedError struct {
	quorumError
	rid       curation.Hash
	title, by string // what a poster says of it
}

func (e *sealedError) Unwrap() error { return &e.quorumError }

// commission is what the network is asked for, and for how long it is waited for.
type commission struct {
	patience time.Duration
}

func (o *commission) options(c *cobra.Command) {
	option(c, &o.patience, "timeout", "10m", span, "how long to wait for the members: `TIME` such as 90s")
}

// delivered is an edition that the network made, and what is in its folder.
type delivered struct {
	api.ArtworkDetail
	png     []byte
	edition storage.Edition
}

// commission has the network draw artworks once more, waits for it, and checks what came
// of it. What was asked for before, by whomever, is waited for, or fetched, instead.
func (e *env) commission(ctx context.Context, want curation.Edition, o commission) (d delivered, err error) {
	c, err := e.client()
	if err != nil {
		return d, err
	}
	defer c.Close()
	n, err := c.Network(ctx)
	if err != nil {
		return d, err
	}
	if n.Model == nil {
		return d, refused(curation.CodeWrongPhase, "the network has no artist yet: a member makes one with `atelier model seal`")
	}
	want.ModelID = n.Model.ID
	if err := want.Validate(); err != nil {
		return d, &usageError{err}
	}
	rid, found, err := sameEdition(ctx, c, n, want)
	if err == nil && !found {
		err = mayAsk(ctx, c, n, want)
	}
	if err != nil {
		return d, err
	}
	within, cancel := context.WithTimeout(ctx, o.patience)
	defer cancel()
	w := &wait{env: e, client: c, network: n, start: time.Now(), to: e.err, silent: true}
	if !found {
		key, err := e.signer()
		if err != nil {
			return d, err
		}
		fmt.Fprintf(e.err, "the artist is sealed: asking the members of %s for an edition, at %s credits and a deposit of %s that comes back\n",
			n.Name, credits(n.Params.Price(want)), credits(n.Params.RequestDeposit))
		r, err := e.submit(within, c, key, want)
		if err != nil {
			return d, err
		}
		rid = r.RID
	} else {
		fmt.Fprintf(e.err, "the artist is sealed, and this edition is there or on its way already: %s\n", short(rid))
	}
	if err := w.patiently(ctx, within, rid, o.patience); err != nil {
		return d, err
	}
	d.ArtworkDetail = w.last
	if err := d.held(within, c); err != nil {
		return d, late(ctx, c, err, fmt.Sprintf("edition %s is delivered, and this node had not got it", short(rid)), o.patience)
	}
	return d, d.fetch(ctx, e, c, want)
}

// lookAgain is how often somebody looks whether a node has what it will tell of by no event.
const lookAgain = 300 * time.Millisecond

// held waits until the node holds the folder: members fetch what was delivered. Its owner
// need not wait.
func (d *delivered) held(ctx context.Context, c *api.Client) error {
	for !d.Held {
		if _, err := c.Fetch(ctx, d.CID, "auto", ""); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookAgain):
		}
		a, err := c.Artwork(ctx, d.RID.String())
		if err != nil {
			return err
		}
		d.ArtworkDetail = a
	}
	return nil
}

// mayAsk says before it costs a fee what the ledger would refuse to anybody.
func mayAsk(ctx context.Context, c *api.Client, n api.Network, want curation.Edition) error {
	switch most := n.Params.MaxEditionPixels; {
	case most == 0:
		return refused(curation.CodeOK, "%s makes no editions: whoever has the opened artist draws at home, with --weights", n.Name)
	case want.Pixels() > most:
		return refused(curation.CodeOK, "that is %d pixels in all, and the members of %s draw at most %d: ask for a smaller --size or fewer --frames", want.Pixels(), n.Name, most)
	}
	for _, rid := range want.Works() {
		a, err := c.Artwork(ctx, rid.String())
		if err != nil {
			return err
		}
		switch a.Status {
		case curation.StatusPublished, curation.StatusCandidate, curation.StatusBacking:
		default:
			return refused(curation.CodeOK, "artwork %s is %s: an edition is of what is published, or of what you asked for yourself while it is a candidate", short(rid), a.Status)
		}
		if a.ModelID != want.ModelID {
			return refused(curation.CodeOK, "artwork %s was drawn by an artist that %s has replaced, and its members keep nothing of it: only who has that artist draws it once more, with --weights", short(rid), n.Name)
		}
	}
	return nil
}

// sameEdition finds an edition that looks the same and is kept, or being made. One that was
// too large to keep is refused, as the ledger would.
func sameEdition(ctx context.Context, c *api.Client, n api.Network, want curation.Edition) (rid curation.Hash, found bool, err error) {
	a, err := c.Artwork(ctx, want.Of[0].String())
	if err != nil {
		return rid, false, err
	}
	for _, d := range a.Editions {
		e := d.Edition
		same := d.ModelID == want.ModelID && slices.Equal(e.Of, want.Of) && e.Size == want.Size && e.Frames == want.Frames && e.Length == want.Length &&
			e.Once == want.Once && bytes.Equal(e.Changes, want.Changes) && equal(e.Colours, want.Colours)
		switch {
		case same && (d.Status.Open() || d.Status == curation.StatusDelivered && (d.Held || n.Height < e.Kept)):
			return d.RID, true, nil
		case same && d.TooLarge() && d.Status == curation.StatusExpired && d.Attested != 0:
			return rid, false, refused(curation.CodeOK, "this edition was drawn as %s, and %s", short(d.RID), d.Reason)
		}
	}
	return rid, false, nil
}

// equal says whether both name the same artwork, or none.
func equal(a, b *curation.Hash) bool { return a == b || a != nil && b != nil && *a == *b }

// fetch brings the folder here and checks that it is what was asked for: with all that the
// node knows, whose word is what this trusts.
func (d *delivered) fetch(ctx context.Context, e *env, c *api.Client, want curation.Edition) error {
	root, err := cid.Decode(d.CID)
	if err != nil {
		return err
	}
	files, err := folderOf(ctx, c, root)
	if err != nil {
		return err
	}
	network, err := c.Export(ctx)
	if err != nil {
		return err
	}
	report, err := verify.Artwork(ctx, files, verify.Options{Network: &network, CID: root})
	if err != nil {
		return err
	}
	if report.Outcome == verify.Invalid {
		return &invalidError{fmt.Sprintf("the node gave an edition that is not what it says: look with `%s`", e.again("verify %s", d.CID))}
	}
	for _, f := range files {
		switch f.Name {
		case storage.ImageName:
			d.png = f.Data
		case storage.ReceiptName:
			r, err := storage.DecodeReceipt(f.Data)
			if err != nil {
				return err
			}
			if r.Edition == nil || r.RequestID != d.RID || r.Width != want.Size || len(r.Edition.Of) != len(want.Of) {
				return &invalidError{fmt.Sprintf("artwork %s is not the edition that was asked for", short(d.RID))}
			}
			d.edition = *r.Edition
		}
	}
	return nil
}

// recipe is that of a picture, or of a film's first or last frame.
func (d delivered) recipe(i int) string {
	if d.Edition == nil || i >= len(d.Edition.Recipes) {
		return ""
	}
	return d.Edition.Recipes[i]
}
