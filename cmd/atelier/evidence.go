package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// offences say what a member was convicted of.
var offences = map[curation.Offence]string{
	curation.OffenceShare:     "signed a wrong share of the key",
	curation.OffenceCeremony:  "signed two messages of one kind in a ceremony",
	curation.OffenceStatement: "approved another statement about a request",
}

func evidenceList(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List the members that were convicted, and of what",
		Long: `list shows which members broke the protocol in a way that anybody can check, and
were convicted by the ledger: they lose a part of their credits and their place.
Members find and bring evidence by themselves.`,
		Example: "  atelier evidence list\n  atelier evidence list --json",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			n, err := c.Network(ctx)
			if err != nil {
				return err
			}
			convictions, err := c.Convictions(ctx)
			if err != nil {
				return err
			}
			var rows [][]string
			for _, c := range convictions {
				by := "the block"
				if c.Reporter != 0 {
					by = memberName(n, c.Reporter)
				}
				rows = append(rows, []string{strconv.Itoa(int(c.Member)), c.Name, string(c.Standing), strconv.FormatUint(c.Height, 10), by, credits(c.Slashed), offences[c.Offence]})
			}
			return e.table(convictions, "MEMBER NAME STANDING HEIGHT SHOWN-BY SLASHED OFFENCE", rows, "nobody was convicted")
		}),
	}
}

func evidenceSubmit(e *env) *cobra.Command {
	var member int
	var statement, partial []byte
	c := &cobra.Command{
		Use: "submit", Short: "Bring an approval that contradicts the ledger",
		Long: `submit brings a member's signature over another statement about a request than the
one that the ledger holds, as this home's member. Members do so by themselves with
what passes through their nodes; this is for what somebody has from elsewhere, such
as a signature that was asked for in private. STATEMENT has 255 bytes, SIGNATURE 50:
the number of the share, and the signature. What shows nothing is refused and harms
nobody.`,
		Example: "  atelier evidence submit --member 3 --statement 72656c… --signature 0003a1…",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if member == 0 || statement == nil || partial == nil {
				return usage("evidence needs --member, --statement and --signature (see `%s --help`)", cmd.CommandPath())
			}
			p := curation.Evidence{Member: uint32(member), Approval: &curation.SignedStatement{Statement: statement, Partial: partial}}
			if err := p.Validate(); err != nil {
				return usage("evidence: %v", err)
			}
			c, key, err := e.signing()
			if err != nil {
				return err
			}
			r, err := e.submit(cmd.Context(), c, key, p)
			if err != nil {
				return err
			}
			return e.say(r, "member %d is convicted, at height %d\nlook: %s\n", member, r.Height, e.again("evidence list"))
		},
	}
	option(c, &member, "member", "", between(1, curation.MaxMembers), "who signed: the `NUMBER` of a member")
	option(c, &statement, "statement", "", bytesOf(quorum.StatementSize), "what it signed: `STATEMENT` in hex")
	option(c, &partial, "signature", "", bytesOf(quorum.PartialSize), "its `SIGNATURE` in hex")
	return c
}

// bytesOf reads so many bytes in hex.
func bytesOf(n int) func(string) ([]byte, error) {
	return func(text string) ([]byte, error) {
		b, err := hex.DecodeString(text)
		switch {
		case err != nil:
			return nil, errors.New("want hex digits")
		case len(b) != n:
			return nil, fmt.Errorf("has %d bytes, want %d", len(b), n)
		}
		return b, nil
	}
}
