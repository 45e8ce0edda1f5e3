package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
)

func artworkRequest(e *env) *cobra.Command {
	var text string
	var noWait bool
	var patience time.Duration
	c := &cobra.Command{
		Use: "request", Short: "Ask the network for a picture, and follow it until it is a candidate",
		Long: `request signs a wish for one picture with the key of --key (a collector's) or of
the home (a member's), and sends it to the ledger. It locks a deposit, which becomes
the first reserve of the picture's curve, or comes back. Then it follows what
happens: the members approve, their signature is the seed, the seed draws who
generates, another member renders again. --no-wait returns as soon as the request
stands on the ledger.

Without --prompt the picture is drawn from the network's taste, which its rounds
teach: see ` + "`atelier taste show`" + `. One such picture in five explores.`,
		Example: "  atelier artwork request --prompt \"red heart\"\n  atelier artwork request\n  atelier artwork request --prompt \"blue bird\" --key vera.age --api 127.0.0.1:8080 --no-wait",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, key, err := e.signing()
			if err != nil {
				return err
			}
			n, err := c.Network(cmd.Context())
			if err != nil {
				return err
			}
			if n.Model == nil {
				return refused(curation.CodeWrongPhase, "the network has no artist yet: a member makes one with `atelier model seal`")
			}
			within, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			start := time.Now()
			r, err := e.submit(within, c, key, curation.Request{Prompt: text, ModelID: n.Model.ID})
			if err != nil {
				return err
			}
			w := &wait{env: e, client: c, network: n, start: start}
			if noWait {
				return w.requested(within, r.RID)
			}
			return w.patiently(cmd.Context(), within, r.RID, patience)
		},
	}
	option(c, &text, "prompt", "", wish, "what to draw: `TEXT` of 1 to 200 bytes; without it the taste decides")
	c.Flags().BoolVar(&noWait, "no-wait", false, "return when the request stands on the ledger")
	option(c, &patience, "timeout", "10m", span, "how long to wait: `TIME` such as 90s or 10m")
	return c
}

// wait follows one request.
type wait struct {
	env     *env
	client  *api.Client
	network api.Network
	start   time.Time
	to      io.Writer // for steps; nil means where results go
	silent  bool      // about the end, of which the caller tells
	told    map[string]bool
	last    api.ArtworkDetail
}

// tell prints a step once, when it has happened.
func (w *wait) tell(happened bool, step, format string, args ...any) {
	if !happened || w.told[step] || w.env.json {
		return
	}
	w.told[step] = true
	to := w.to
	if to == nil {
		to = w.env.out
	}
	fmt.Fprintf(to, "  %-11s %5.1f s  %s\n", step, time.Since(w.start).Seconds(), fmt.Sprintf(format, args...))
}

func (w *wait) requested(ctx context.Context, rid curation.Hash) error {
	a, err := w.client.Artwork(ctx, rid.String())
	if err != nil {
		return err
	}
	return w.env.say(a, "%s  %q is requested\nlook: %s\n", rid, a.Title, w.env.again("artwork show %s", short(rid)))
}

// candidate waits until the artwork is one, or never will be. It looks once, and on as
// long as within lasts.
func (w *wait) candidate(ctx, within context.Context, rid curation.Hash) error {
	w.told = map[string]bool{}
	n, err := w.client.Network(ctx) // whatever comes after this height, the stream tells
	if err != nil {
		return err
	}
	if done, err := w.show(ctx, rid); done || err != nil {
		return err
	}
	for h, err := range w.client.Events(within, n.Height+1) {
		if err != nil {
			return err
		}
		if h.Event == nil || h.Event.Attributes["rid"] != rid.String() {
			continue
		}
		if done, err := w.show(within, rid); done || err != nil {
			return err
		}
	}
	return within.Err()
}

// show tells what is new, and whether it is over.
func (w *wait) show(ctx context.Context, rid curation.Hash) (done bool, err error) {
	if w.last, err = w.client.Artwork(ctx, rid.String()); err != nil {
		return false, err
	}
	a, n := w.last, w.network
	w.tell(true, "requested", "%s, deposit %s credits", a.RID, credits(a.Deposit))
	if a.Approved != 0 {
		w.tell(true, "approved", "certificate of %d of %s, %s…", n.Shares.Threshold, count(n.Shares.Seats, "member"), a.Certificate.String()[:16])
		w.tell(true, "seed", "%s…, the members' own signature: nobody chose it", a.Seed.String()[:16])
		w.tell(len(a.Order) > 0, "drawn", "%s", drawn(n, a.Order))
		if d := a.Drawn; d != nil {
			how := "explored"
			if !d.Explored {
				how = count(len(d.Parents), "parent")
			}
			w.tell(true, "shows", "%q, by version %d of the taste (%s)", a.Title, d.Version, how)
		}
	}
	w.tell(a.TooLarge(), "generated", "by %s, until its file was larger than members keep", memberName(n, a.Generator))
	w.tell(a.CID != "", "generated", "by %s, pixels %s…, %s", memberName(n, a.Generator), a.PixelRoot.String()[:16], a.CID)
	w.tell(a.CID != "" && a.Auditor != 0 && a.AuditedRoot == a.PixelRoot, "audited", "by %s, who rendered the same pixels", memberName(n, a.Auditor))
	what := "the deposit"
	if a.Edition != nil {
		what = "deposit and price"
	}
	switch a.Status {
	case curation.StatusCandidate, curation.StatusBacking, curation.StatusPublished, curation.StatusDeclined:
		return true, w.env.say(a, "%s  %q is a candidate\nnext: %s\n", short(a.RID), a.Title, w.env.again("artwork fetch %s --out %s", short(a.RID), short(a.RID)))
	case curation.StatusDelivered:
		if w.silent {
			return true, nil
		}
		return true, w.env.say(a, "%s  an edition of %q is delivered\nnext: %s\n", short(a.RID), a.Title, w.env.again("artwork fetch %s --out %s", short(a.RID), short(a.RID)))
	case curation.StatusExpired:
		if a.Approved == 0 {
			return true, &quorumError{err: fmt.Errorf("the members did not approve request %s before height %d: %s; %s came back", short(a.RID), a.Expiry, online(w.client), what)}
		}
		if a.TooLarge() && a.Attested != 0 {
			return true, &quorumError{err: fmt.Errorf("edition %s ended: %s; %s came back", short(a.RID), a.Reason, what),
				next: "The members do not draw the same again: `atelier artwork render` takes a smaller --size, `atelier artwork morph` fewer --frames too."}
		}
		return true, &quorumError{err: fmt.Errorf("request %s expired: %s; %s came back", short(a.RID), a.Reason, what)}
	case curation.StatusDisputed:
		return true, &quorumError{err: fmt.Errorf("request %s is disputed: %s; %s came back", short(a.RID), a.Reason, what)}
	}
	return false, nil
}

// patiently is candidate with words for an end that is not the request's;
// within is ctx with that patience.
func (w *wait) patiently(ctx, within context.Context, rid curation.Hash, patience time.Duration) error {
	err := w.candidate(ctx, within, rid)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintf(w.env.err, "the request stands: %s\n", w.env.again("artwork wait %s", short(rid)))
	case errors.Is(err, context.DeadlineExceeded):
		step := "approved"
		if w.last.Approved != 0 {
			step = "a candidate"
			if w.last.Edition != nil {
				step = "delivered"
			}
		}
		return &quorumError{err: fmt.Errorf("request %s was not %s within %v: %s; it goes on by itself, see `%s`",
			short(rid), step, patience, online(w.client), w.env.again("artwork wait %s", short(rid)))}
	}
	return err
}

func artworkWait(e *env) *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use: "wait ID", Short: "Follow a request until it is a candidate, or has ended otherwise",
		Long: `wait tells each step of a request as the ledger records it: approved, seeded, drawn,
generated, audited. It ends with 0 when the picture is a candidate or the edition
delivered, with 3 when neither will be, or not in time: then the request goes on.`,
		Example: "  atelier artwork wait 3fa94c1d8a20\n  atelier artwork wait 3fa94c1d8a20 --timeout 1h --json",
		Args:    takes("ID"),
		RunE: e.asks(func(ctx context.Context, c *api.Client, args []string) error {
			a, err := c.Artwork(ctx, args[0])
			if err != nil {
				return err
			}
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			within, cancel := context.WithTimeout(ctx, patience)
			defer cancel()
			w := &wait{env: e, client: c, network: n, start: time.Now()}
			return w.patiently(ctx, within, a.RID, patience)
		}),
	}
	option(c, &patience, "timeout", "10m", span, "how long to wait: `TIME` such as 90s or 10m")
	return c
}
