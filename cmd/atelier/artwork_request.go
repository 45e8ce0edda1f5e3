package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
)

func artworkRequest(e *env) *cobra.Command {
	var prompt string
	var noWait bool
	var patience time.Duration
	c := &cobra.Command{
		Use: "request", Short: "Ask the network for a picture, and follow it until it is a candidate",
		Long: `request signs a wish for one picture with the key of --key (a collector's) or of
the home (a member's), and sends it to the ledger. It locks a deposit, which becomes
the first reserve of the picture's curve, or comes back. Then it follows what
happens: the members approve, their signature is the seed, the seed draws who
generates, another member renders again. --no-wait returns as soon as the request
stands on the ledger.`,
		Example: "  atelier artwork request --prompt \"red heart\"\n  atelier artwork request --prompt \"blue bird\" --key vera.age --api 127.0.0.1:8080 --no-wait",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := curation.ValidatePrompt(prompt); err != nil {
				return &usageError{fmt.Errorf("--prompt: %w", err)}
			}
			key, err := e.signer()
			if err != nil {
				return err
			}
			c, err := e.client()
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
			ctx, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			start := time.Now()
			r, err := e.submit(ctx, c, key, curation.Request{Prompt: prompt, ModelID: n.Model.ID})
			if err != nil {
				return err
			}
			w := &wait{env: e, client: c, network: n, start: start}
			if noWait {
				return w.requested(ctx, r.RID)
			}
			return w.patiently(cmd.Context(), ctx, r.RID, patience)
		},
	}
	f := c.Flags()
	f.StringVar(&prompt, "prompt", "", "what to draw: `TEXT` of 1 to 200 bytes")
	f.BoolVar(&noWait, "no-wait", false, "return when the request stands on the ledger")
	f.DurationVar(&patience, "timeout", 10*time.Minute, "how long to wait")
	return c
}

// wait follows one request.
type wait struct {
	env     *env
	client  *api.Client
	network api.Network
	start   time.Time
	told    map[string]bool
	last    api.ArtworkDetail
}

// tell prints a step once, when it has happened.
func (w *wait) tell(happened bool, step, format string, args ...any) {
	if !happened || w.told[step] || w.env.json {
		return
	}
	w.told[step] = true
	fmt.Fprintf(w.env.out, "  %-11s %5.1f s  %s\n", step, time.Since(w.start).Seconds(), fmt.Sprintf(format, args...))
}

func (w *wait) requested(ctx context.Context, rid curation.Hash) error {
	a, err := w.client.Artwork(ctx, rid.String())
	if err != nil {
		return err
	}
	return w.env.say(a, "%s  %q is requested\nlook: atelier artwork show %s\n", rid, a.Prompt, short(rid))
}

// candidate waits until the artwork is one, or never will be.
func (w *wait) candidate(ctx context.Context, rid curation.Hash) error {
	w.told = map[string]bool{}
	n, err := w.client.Network(ctx) // whatever comes after this height, the stream tells
	if err != nil {
		return err
	}
	if done, err := w.show(ctx, rid); done || err != nil {
		return err
	}
	for h, err := range w.client.Events(ctx, n.Height+1) {
		if err != nil {
			return err
		}
		if h.Event == nil || h.Event.Attributes["rid"] != rid.String() {
			continue
		}
		if done, err := w.show(ctx, rid); done || err != nil {
			return err
		}
	}
	return ctx.Err()
}

// show tells what is new, and whether it is over.
func (w *wait) show(ctx context.Context, rid curation.Hash) (done bool, err error) {
	if w.last, err = w.client.Artwork(ctx, rid.String()); err != nil {
		return false, err
	}
	a, n := w.last, w.network
	w.tell(true, "requested", "%s, deposit %s credits", a.RID, credits(a.Deposit))
	if a.Approved != 0 {
		w.tell(true, "approved", "certificate of %d of %d members, %s…", n.Shares.Threshold, len(n.Members), a.Certificate.String()[:16])
		w.tell(true, "seed", "%s…, the members' own signature: nobody chose it", a.Seed.String()[:16])
		w.tell(len(a.Order) > 0, "drawn", "%s", drawn(n, a.Order))
	}
	w.tell(a.Registered != 0, "generated", "by %s, pixels %s…, %s", memberName(n, a.Generator), a.PixelRoot.String()[:16], a.CID)
	w.tell(a.Auditor != 0 && a.AuditedRoot == a.PixelRoot, "audited", "by %s, who rendered the same pixels", memberName(n, a.Auditor))
	switch a.Status {
	case "candidate", "backing", "published", "declined":
		return true, w.env.say(a, "%s  %q is a candidate\nnext: atelier artwork fetch %s --out DIR\n", short(a.RID), a.Prompt, short(a.RID))
	case "expired":
		if a.Approved == 0 {
			return true, &quorumError{fmt.Errorf("the members did not approve request %s before height %d: %s; the deposit came back", short(a.RID), a.Expiry, online(w.client))}
		}
		return true, &quorumError{fmt.Errorf("request %s expired: %s; the deposit came back", short(a.RID), a.Reason)}
	case "disputed":
		return true, &quorumError{fmt.Errorf("request %s is disputed: %s; the deposit came back", short(a.RID), a.Reason)}
	}
	return false, nil
}

// patiently is candidate with words for an end that is not the request's; ctx is
// within with its patience.
func (w *wait) patiently(ctx, within context.Context, rid curation.Hash, patience time.Duration) error {
	err := w.candidate(within, rid)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintf(w.env.err, "the request stands: atelier artwork wait %s\n", short(rid))
	case errors.Is(err, context.DeadlineExceeded):
		step := "approved"
		if w.last.Approved != 0 {
			step = "a candidate"
		}
		return &quorumError{fmt.Errorf("request %s was not %s within %v: %s; it goes on by itself, see `atelier artwork wait %s`",
			short(rid), step, patience, online(w.client), short(rid))}
	}
	return err
}

func artworkWait(e *env) *cobra.Command {
	var patience time.Duration
	c := &cobra.Command{
		Use: "wait ID", Short: "Follow a request until it is a candidate, or has ended otherwise",
		Args: takes("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := e.client()
			if err != nil {
				return err
			}
			a, err := c.Artwork(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			n, err := c.Network(cmd.Context())
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			w := &wait{env: e, client: c, network: n, start: time.Now()}
			return w.patiently(cmd.Context(), ctx, a.RID, patience)
		},
	}
	c.Flags().DurationVar(&patience, "timeout", 10*time.Minute, "how long to wait")
	return c
}
