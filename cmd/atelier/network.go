package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
)

func networkCreate(e *env) *cobra.Command {
	var f struct {
		name, title, charter, member, grant string
		members                             int
		balances, params, listen            []string
	}
	c := &cobra.Command{
		Use:   "create",
		Short: "Propose a network: its charter and rules, and this home as its first member",
		Long: `create makes a home with fresh keys and the terms of a new network. A network of
one member is complete at once. One of more members is founded when all of them
have joined with an invitation each: print those with ` + "`atelier member invite`" + `.

The terms cannot change afterwards; their hash is in every invitation. Rules are
set by --param NAME=VALUE with the names of ` + "`atelier network params`" + `.`,
		Example: "  atelier network create --network harbour --members 4 --member-name Ada\n" +
			"  atelier network create --network solo            # a network of one, to try things",
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := founding.Terms{Network: f.name, Seats: f.members, Charter: curation.Charter{Name: f.title, Text: defaultCharter}}
			if t.Charter.Name == "" {
				t.Charter.Name = f.name
			}
			if f.charter != "" {
				b, err := os.ReadFile(f.charter)
				if err != nil {
					return err
				}
				t.Charter.Text = string(b)
			}
			var err error
			if t.Grant, err = curve.ParseCredits(f.grant); err != nil {
				return &usageError{fmt.Errorf("--grant: %w", err)}
			}
			if t.Params, err = paramsWith(f.params); err != nil {
				return err
			}
			for _, b := range f.balances {
				balance, err := parseBalance(b)
				if err != nil {
					return err
				}
				t.Balances = append(t.Balances, balance)
			}
			cfg, err := newConfig(f.listen)
			if err != nil {
				return err
			}
			if err := founding.Create(home.Home(e.home), cfg, passphrase(), f.member, t); err != nil {
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
			fmt.Fprintf(e.out, "network %q is proposed in %s\n", t.Network, e.home)
			if t.Seats > 1 {
				fmt.Fprintf(e.out, "next: atelier member invite --home %s   (once for each of the %d other members)\n", e.home, t.Seats-1)
			}
			fmt.Fprintf(e.out, "then: atelier node start --home %s\n", e.home)
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVar(&f.name, "network", "atelier", "short `NAME`: lower case letters, digits, hyphens")
	fl.StringVar(&f.title, "title", "", "`NAME` in full (default: the short one)")
	fl.StringVar(&f.charter, "charter", "", "`FILE` with the charter's text")
	fl.IntVar(&f.members, "members", 1, "`N` founding members, this one included")
	fl.StringVar(&f.member, "member-name", "founder", "`NAME` of this member")
	fl.StringVar(&f.grant, "grant", "1000", "`CREDITS` that each founding member starts with")
	fl.StringArrayVar(&f.balances, "balance", nil, "`ADDRESS=CREDITS` for a further account (repeatable)")
	fl.StringArrayVar(&f.params, "param", nil, "`NAME=VALUE` for a rule of the ledger (repeatable)")
	fl.StringArrayVar(&f.listen, "listen", nil, "`MULTIADDR` to listen on (repeatable; default: loopback, TCP and QUIC)")
	return c
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
			return p, &usageError{fmt.Errorf("--param %q: want NAME=VALUE", s)}
		}
		all, err := paramsMap(p)
		if err != nil {
			return p, err
		}
		old, known := all[name]
		if !known {
			return p, &usageError{fmt.Errorf("--param %q: no rule of that name; see `atelier network params`", name)}
		}
		raw := json.RawMessage(value)
		if len(old) > 0 && old[0] == '"' {
			raw = json.RawMessage(fmt.Sprintf("%q", value))
		}
		if !json.Valid(raw) {
			return p, &usageError{fmt.Errorf("--param %s: %q is not a value", name, value)}
		}
		all[name] = raw
		b, err := json.Marshal(all)
		if err != nil {
			return p, err
		}
		if err := json.Unmarshal(b, &p); err != nil {
			return p, &usageError{fmt.Errorf("--param %s: %w", name, err)}
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
		Long: "params prints the rules that `atelier network create` takes unless --param says\notherwise. Spans are blocks, amounts are base units (1 credit = 10^9).",
		Args: takes(),
		RunE: func(*cobra.Command, []string) error { return e.print(curation.DefaultParams()) },
	}
}

func parseBalance(s string) (curation.GenesisBalance, error) {
	address, credits, ok := strings.Cut(s, "=")
	if !ok {
		return curation.GenesisBalance{}, &usageError{fmt.Errorf("--balance %q: want ADDRESS=CREDITS", s)}
	}
	a, err := curation.ParseAddress(address)
	if err != nil {
		return curation.GenesisBalance{}, &usageError{fmt.Errorf("--balance: %w", err)}
	}
	amount, err := curve.ParseCredits(credits)
	if err != nil {
		return curation.GenesisBalance{}, &usageError{fmt.Errorf("--balance: %w", err)}
	}
	return curation.GenesisBalance{Account: a, Amount: amount}, nil
}

// newConfig is the configuration that a new home starts with.
func newConfig(listen []string) (config.Config, error) {
	cfg := config.Default()
	if len(listen) > 0 {
		cfg.Network.Listen = listen
	}
	return cfg, cfg.Validate()
}
