package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client()
			if err != nil {
				return err
			}
			s, err := c.Succession(cmd.Context())
			if err != nil {
				return err
			}
			if e.json {
				return e.print(s)
			}
			return e.showSuccession(s)
		},
	}
}

func (e *env) showSuccession(s api.Succession) error {
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
		RunE:    e.guardianSays(func(*guardian.Guardian, guardian.Ledger) (curation.Payload, error) { return curation.Recover{}, nil }),
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
		RunE: e.guardianSays(func(g *guardian.Guardian, l guardian.Ledger) (curation.Payload, error) {
			p, err := g.Publication(l)
			if errors.Is(err, guardian.ErrAlive) {
				return nil, refused(curation.CodeWrongPhase, "%v", err)
			}
			if err != nil {
				return nil, err
			}
			others, err := w.ask(context.Background())
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
func (e *env) guardianSays(decide func(*guardian.Guardian, guardian.Ledger) (curation.Payload, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		g, key, err := e.guardianOf()
		if err != nil {
			return err
		}
		l, err := ledgerOf(cmd.Context(), c, g)
		if err != nil {
			return err
		}
		p, err := decide(g, l)
		if err != nil {
			return err
		}
		if _, err = e.submit(cmd.Context(), c, key, p); err != nil {
			return err
		}
		s, err := c.Succession(cmd.Context())
		if err != nil {
			return err
		}
		if e.json {
			return e.print(s)
		}
		return e.showSuccession(s)
	}
}

func committeeObject(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "object", Short: "Object to the guardians' recovery: the members hold the key",
		Long: `object is this home's member's word against a recovery that the guardians have voted
for. As many objections as shares open the artist end it, until enough guardians
have begun to deal. A handover that goes well ends it too, because it shows that the
members hold the key.`,
		Example: "  atelier committee object --home ./ada",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := e.client()
			if err != nil {
				return err
			}
			key, err := e.signer()
			if err != nil {
				return err
			}
			if _, err = e.submit(cmd.Context(), c, key, curation.Object{}); err != nil {
				return err
			}
			s, err := c.Succession(cmd.Context())
			if err != nil {
				return err
			}
			if e.json {
				return e.print(s)
			}
			return e.showSuccession(s)
		},
	}
}

func modelOpen(e *env) *cobra.Command {
	var out string
	var shares []string
	c := &cobra.Command{
		Use: "open", Short: "Open the sealed artist with the key that guardians have given away",
		Long: `open takes the sealed container from a node, opens it with the key that the
guardians have published, checks that it is the artist whose hash the ledger holds,
and writes its folder to --out. Anybody may do this, and draw with it from then on:
` + "`atelier model render --weights DIR`" + `. As long as the key is secret, it is refused.

When the ledger has died, guardians entrust their shares to one member instead
(` + "`atelier guardian entrust`" + `): that one names their files with --share and its own
home with --home, or its key with --key.`,
		Example: "  atelier model open --api 127.0.0.1:8080 --out ./artist\n  atelier model render --weights ./artist --prompt \"red heart\" --out heart.png",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usage("--out DIR is missing: where should the artist go?")
			}
			if _, err := os.Stat(filepath.Join(out, "model.safetensors")); err == nil {
				return fmt.Errorf("%s holds an artist already: choose another --out", out)
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			s, err := c.Succession(cmd.Context())
			if err != nil {
				return err
			}
			var secret curation.Hash
			switch {
			case len(shares) > 0:
				if secret, err = e.entrustedKey(s, shares); err != nil {
					return err
				}
			case s.Will == nil || s.Will.Height == 0:
				return refused(curation.CodeWrongPhase, "the key is not public: the artist opens for one approved picture at a time, ask for one with `atelier artwork request`")
			default:
				secret = s.Will.Secret
			}
			artist, m, err := c.OpenPublished(cmd.Context(), secret)
			if err != nil {
				return err
			}
			if err := artist.SaveDir(out); err != nil {
				return err
			}
			id, whose := artist.ID(), "everybody's now"
			if len(shares) > 0 {
				whose = "in the clear; seal it in the new network with `atelier model seal --weights " + quoted(out) + "`, and remove the folder"
			}
			return e.say(struct {
				Artist string `json:"artist"`
				Name   string `json:"name"`
				Dir    string `json:"dir"`
			}{curation.Hash(id).String(), m.Name, out}, "%s  %s, artist %x: %s\n", out, m.Name, id[:8], whose)
		},
	}
	c.Flags().StringVar(&out, "out", "", "write the artist to `DIR`")
	options(c, &shares, "share", "", func(text string) (string, error) { return text, nil }, "`FILE` that a guardian entrusted to this account (repeatable)")
	return c
}

// guardianNamed reads NAME=ACCOUNT.
func guardianNamed(text string) (curation.Guardian, error) {
	name, account, ok := strings.Cut(text, "=")
	if !ok {
		return curation.Guardian{}, fmt.Errorf("want NAME=ACCOUNT, as `atelier account address --key FILE` prints the account")
	}
	name, err := person(name)
	if err != nil {
		return curation.Guardian{}, err
	}
	a, err := curation.ParseAddress(account)
	return curation.Guardian{Name: name, Account: a}, err
}

// deathPolicy reads one of the policies.
func deathPolicy(text string) (curation.DeathPolicy, error) {
	all := []curation.DeathPolicy{curation.Mortal, curation.GuardianPolicy, curation.WillPolicy}
	if p := curation.DeathPolicy(text); slices.Contains(all, p) {
		return p, nil
	}
	return "", fmt.Errorf("want mortal, guardian or will")
}

// estate are the flags of a new network's succession.
type estate struct {
	policy    curation.DeathPolicy
	guardians []curation.Guardian
	threshold int
	answer    uint64
	wait      uint64
}

func (s *estate) options(c *cobra.Command) {
	option(c, &s.policy, "on-death", string(curation.Mortal), deathPolicy, "`POLICY` for the day on which too few shares of the key are left: mortal, guardian or will")
	options(c, &s.guardians, "guardian", "", guardianNamed, "`NAME=ACCOUNT` of a guardian, who keeps a share of the key and runs no node (repeatable)")
	option(c, &s.threshold, "guardians-needed", "", between(1, curation.MaxGuardians), "`N` guardians act for all (default: more than half)")
	option(c, &s.answer, "guardian-answer", strconv.Itoa(86_400), ordinal, "`BLOCKS` that guardians have for an answer")
	option(c, &s.wait, "death-wait", strconv.Itoa(604_800), ordinal, "`BLOCKS` in which members may object (guardian), or of silence (will)")
}

// succession is what the flags say.
func (s *estate) succession() (curation.Succession, error) {
	if s.policy == curation.Mortal {
		if len(s.guardians) > 0 {
			return curation.Succession{}, usage("--guardian is for --on-death guardian or will: a mortal network has none")
		}
		return curation.Succession{}, nil
	}
	out := curation.Succession{Policy: s.policy, Guardians: s.guardians, Threshold: s.threshold, AnswerBlocks: s.answer}
	if out.Threshold == 0 {
		out.Threshold = len(s.guardians)/2 + 1
	}
	if s.policy == curation.GuardianPolicy {
		out.DelayBlocks = s.wait
	} else {
		out.SilentBlocks = s.wait
	}
	return out, nil
}
