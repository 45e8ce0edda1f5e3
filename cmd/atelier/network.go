package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
)

func networkCreate(e *env) *cobra.Command {
	var t founding.Terms
	var member, charter string
	var params []string
	var places addresses
	var death successionFlags
	c := &cobra.Command{
		Use:   "create",
		Short: "Propose a network: its charter and rules, and this home as its first member",
		Long: `create makes a home with fresh keys and the terms of a new network. A network of
one member is complete at once. One of more members is founded when all of them
have joined with an invitation each: print those with ` + "`atelier member invite`" + `.

The terms cannot change afterwards; their hash is in every invitation. Rules are
set by --param NAME=VALUE with the names of ` + "`atelier network params`" + `.

--on-death says what becomes of the artist when too few shares of its key are left.
mortal: it is lost. guardian: the guardians, outsiders whom you name, vote to deal
the key to the members anew, unless these object. will: after a long silence the
guardians publish it. As many guardians as act for all hold the key too.`,
		Example: "  atelier network create --network harbour --members 4 --member-name Ada\n" +
			"  atelier network create --network solo            # a network of one, to try things",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t.Charter.Text = defaultCharter
			if t.Charter.Name == "" {
				t.Charter.Name = t.Network
			}
			if charter != "" {
				b, err := os.ReadFile(charter)
				if err != nil {
					return err
				}
				t.Charter.Text = string(b)
			}
			var err error
			if t.Params, err = paramsWith(params); err != nil {
				return err
			}
			if t.Succession, err = death.succession(); err != nil {
				return err
			}
			if err := t.Validate(); err != nil { // all of it was typed
				return &usageError{err}
			}
			if err := founding.Create(home.Home(e.home), places.config(), passphrase(), member, t); err != nil {
				return err
			}
			hash, err := t.Hash()
			if err != nil {
				return err
			}
			if e.json {
				return e.print(struct {
					Network string        `json:"network"`
					Home    string        `json:"home"`
					Members int           `json:"members"`
					Terms   curation.Hash `json:"terms"`
				}{t.Network, e.home, t.Seats, hash})
			}
			fmt.Fprintf(e.out, "network %q is proposed in %s\non death: %s\n", t.Network, e.home, t.Succession.Tells())
			word := "next"
			if t.Seats > 1 {
				fmt.Fprintf(e.out, "next: atelier member invite --home %s   (for %s, one call each)\n", quoted(e.home), count(t.Seats-1, "other member"))
				word = "then"
			}
			fmt.Fprintf(e.out, "%s: atelier node start --home %s\n", word, quoted(e.home))
			return nil
		},
	}
	option(c, &t.Network, "network", "atelier", networkName, "short `NAME`: lower case letters, digits, hyphens")
	option(c, &t.Charter.Name, "title", "", person, "`NAME` in full (default: the short one)")
	c.Flags().StringVar(&charter, "charter", "", "`FILE` with the charter's text")
	option(c, &t.Seats, "members", "1", between(1, curation.MaxMembers), fmt.Sprintf("`N` founding members, this one included, 1 to %d", curation.MaxMembers))
	option(c, &member, "member-name", "founder", person, "`NAME` of this member")
	option(c, &t.Grant, "grant", "1000", amount, "`CREDITS` that each founding member starts with")
	options(c, &t.Balances, "balance", "", balance, "`ADDRESS=CREDITS` for a further account (repeatable)")
	options(c, &params, "param", "", anyText, "`NAME=VALUE` for a rule of the ledger (repeatable)")
	death.options(c)
	places.options(c)
	return c
}

// addresses are where a new home listens and is reached.
type addresses struct{ listen, announce []string }

func (a *addresses) options(c *cobra.Command) {
	options(c, &a.listen, "listen", "", multiaddr, "`MULTIADDR` to listen on (repeatable; default: loopback, TCP and QUIC)")
	options(c, &a.announce, "announce", "", multiaddr, "`MULTIADDR` where others reach this home, when it is not one to listen on (repeatable)")
}

// config is the configuration that a new home starts with.
func (a addresses) config() config.Config {
	cfg := config.Default()
	if len(a.listen) > 0 {
		cfg.Network.Listen = a.listen
	}
	cfg.Network.Announce = a.announce
	return cfg
}

const defaultCharter = `We own one artist together. Its model opens for one approved picture at a time.
The quorum's own signature is the seed, so none of us chooses what it paints.
Collectors decide what is published, by backing it. What we promise and what we do
not is in SECURITY.md of the software that we run.
`

// paramsWith sets rules by their JSON names over the defaults.
func paramsWith(settings []string) (curation.Params, error) {
	p := curation.DefaultParams()
	for _, s := range settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return p, usage("--param %q: want NAME=VALUE", s)
		}
		all, err := paramsMap(p)
		if err != nil {
			return p, err
		}
		old, known := all[name]
		if !known {
			return p, usage("--param %q: no rule of that name; see `atelier network params`", name)
		}
		raw := json.RawMessage(value)
		if len(old) > 0 && old[0] == '"' {
			raw = json.RawMessage(fmt.Sprintf("%q", value))
		}
		if !json.Valid(raw) {
			return p, usage("--param %s: %q is not a value; `atelier network params` shows one of each rule", name, value)
		}
		all[name] = raw
		b, err := json.Marshal(all)
		if err != nil {
			return p, err
		}
		if err := json.Unmarshal(b, &p); err != nil {
			return p, usage("--param %s: %q is not a value; `atelier network params` shows one of each rule", name, value)
		}
	}
	if err := p.Validate(); err != nil {
		return p, &usageError{err}
	}
	return p, nil
}

func paramsMap(p curation.Params) (map[string]json.RawMessage, error) {
	b, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	var all map[string]json.RawMessage
	return all, json.Unmarshal(b, &all)
}

func networkParams(e *env) *cobra.Command {
	return &cobra.Command{
		Use: "params", Short: "Print the default rules of a ledger: what --param can set",
		Long:    "params prints the rules that `atelier network create` takes unless --param says\notherwise. Spans are blocks, amounts are base units (1 credit = 10^9).",
		Example: "  atelier network params\n  atelier network create --param round_candidates=2 --param back_blocks=60",
		Args:    takes(),
		RunE:    func(*cobra.Command, []string) error { return e.print(curation.DefaultParams()) },
	}
}
