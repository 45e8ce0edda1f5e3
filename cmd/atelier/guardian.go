package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/guardian"
)

func guardianShow(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "Show what becomes of the key when it is lost, and who keeps it",
		Long: `show tells the network's death policy, its state and what to do next, the guardians
and which of them have proved their share, and how a recovery or a will stands. With
--key it adds what this guardian waits for.

The guardians' shares are of the same key as the members'. They outlive every
handover: only a new sharing, which any guardian may ask for, replaces them.`,
		Example: "  atelier guardian show --api 127.0.0.1:8080\n  atelier guardian show --key gerda.age --json | jq .guardians",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			return e.showSuccession(ctx, c)
		}),
	}
}

func (e *env) showSuccession(ctx context.Context, c *api.Client) error {
	s, err := c.Succession(ctx)
	if err != nil {
		return err
	}
	if e.json {
		return e.print(s)
	}
	t := &sheet{}
	fmt.Fprintln(e.out, s.Means)
	t.add("state", "%s: %s", s.State, s.Advice)
	var rows []string
	for _, g := range s.Guardians {
		has := "no share yet"
		switch {
		case g.Proven:
			has = "has proved its share"
		case g.Seat != 0:
			has = "has not proved its share"
		}
		if g.Accepted {
			has += ", has accepted the next one"
		}
		rows = append(rows, fmt.Sprintf("%d %s  %s", g.Number, g.Name, has))
	}
	t.addAll("guardians", rows)
	if r := s.Running; r != nil {
		t.add("sharing", "number %d is under way: phase %s, until height %d", r.Number, r.Phase, r.Deadline)
	} else if s.Sharing != nil {
		t.add("sharing", "number %d, since height %d: %d of %d proved; it outlives the members' handovers", s.Sharing.Number, s.Sharing.Height, s.Sharing.Proven, len(s.Sharing.Seats))
	}
	if a := s.Aborted; a != nil {
		var who []string
		for _, c := range a.Members {
			who = append(who, fmt.Sprintf("member %d %s", c.Member, c.Reason))
		}
		for _, c := range a.Guardians {
			who = append(who, fmt.Sprintf("guardian %d %s", c.Member, c.Reason))
		}
		t.add("last failed", "number %d, height %d: %s; it is tried again when guardians accept again", a.Number, a.Height, strings.Join(who, "; "))
	}
	switch r := s.Recovery; {
	case s.Dealing != nil:
		t.add("recovery", "under way: phase %s, until height %d", s.Dealing.Phase, s.Dealing.Deadline)
	case r != nil && r.Due != 0:
		t.add("recovery", "pending until height %d; %s so far", r.Due, count(len(r.Objections), "objection"))
	case r != nil:
		t.add("recovery", "%d of %d votes, until height %d", len(r.Votes), s.Threshold, r.Until)
	}
	if w := s.Will; w != nil && w.Height != 0 {
		t.add("will", "the key is public since height %d", w.Height)
	} else if s.Silent != 0 {
		published := 0
		if w != nil {
			published = len(w.Guardians)
		}
		t.add("will", "may be executed after height %d, unless there is a sign of life; now %d; %s public", s.Silent, s.Height, count(published, "share"))
	}
	if e.key != "" {
		if key, err := e.signer(); err == nil {
			l, err := s.Ledger()
			if err != nil {
				return err
			}
			t.add("next", "%s", l.Next(accountOf(key)))
		}
	}
	return e.columns(t.rows)
}

func guardianRecover(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "recover", Short: "Vote to deal the key to the members anew",
		Long: `recover is this guardian's vote that the members have lost the key and get it back.
With enough votes the recovery is pending for the network's delay, in which the
members can object; after it they take fresh shares of the same key from the
guardians, who deal them with ` + "`atelier guardian tend`" + `. Nothing has to be
sealed again.`,
		Example: "  atelier guardian recover --key gerda.age --api 127.0.0.1:8080",
		Args:    takes(),
		RunE: e.guardianSays(func(context.Context, *guardian.Guardian, guardian.Ledger) (curation.Payload, error) {
			return curation.Recover{}, nil
		}),
	}
}

func guardianPublish(e *env) *cobra.Command {
	var w witnesses
	c := &cobra.Command{
		Use: "publish", Short: "Publish this guardian's share, to execute the network's will",
		Long: `publish gives this guardian's share of the opening key to everybody, for good. The
ledger takes it after the network's silence only. With enough shares the key is
public: anybody opens the artist with ` + "`atelier model open`" + `. The share of the key
that signs stays secret. Before the share leaves, the nodes of --also have to tell
of the same silence.`,
		Example: "  atelier guardian publish --key gerda.age --api 127.0.0.1:8080 --also 127.0.0.1:8081",
		Args:    takes(),
		RunE: e.guardianSays(func(ctx context.Context, g *guardian.Guardian, l guardian.Ledger) (curation.Payload, error) {
			p, err := g.Publication(l)
			if errors.Is(err, guardian.ErrAlive) {
				return nil, refused(curation.CodeWrongPhase, "%v", err)
			}
			if err != nil {
				return nil, err
			}
			others, err := w.ask(ctx)
			if err != nil {
				return nil, err
			}
			return p, w.agree(l, others, guardian.Submit{Payload: p, Gives: true})
		}),
	}
	w.options(e, c)
	return c
}

// guardianSays submits what a guardian decides.
func (e *env) guardianSays(decide func(context.Context, *guardian.Guardian, guardian.Ledger) (curation.Payload, error)) func(*cobra.Command, []string) error {
	return e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
		g, key, err := e.guardianOf()
		if err != nil {
			return err
		}
		l, err := ledgerOf(ctx, c, g)
		if err != nil {
			return err
		}
		p, err := decide(ctx, g, l)
		if err != nil {
			return err
		}
		if _, err = e.submit(ctx, c, key, p); err != nil {
			return err
		}
		return e.showSuccession(ctx, c)
	})
}
