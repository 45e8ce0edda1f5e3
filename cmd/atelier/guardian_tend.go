package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/node/keys"
)

// networkBeside is where a guardian writes down which network and key it believes in.
func networkBeside(key string) string { return key + ".network.json" }

// guardianOf is the guardian of --key, with what lies beside it.
func (e *env) guardianOf() (*guardian.Guardian, ed25519.PrivateKey, error) {
	if e.key == "" {
		return nil, nil, usage("--key FILE is missing: a guardian acts with the key of its account (`atelier account create --key FILE` makes one)")
	}
	key, err := e.signer()
	if err != nil {
		return nil, nil, err
	}
	g := &guardian.Guardian{Account: accountOf(key)}
	if g.Seeds, err = keys.LoadSharings(e.key, passphrase()); err != nil {
		return nil, nil, err
	}
	written, err := os.ReadFile(networkBeside(e.key))
	if errors.Is(err, os.ErrNotExist) {
		return g, key, nil
	} else if err != nil {
		return nil, nil, err
	}
	known, err := guardian.ParseNetwork(written)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w: take it from a copy of your own, or move it away if you trust the node to tell of your network", networkBeside(e.key), err)
	}
	g.Known = &known
	return g, key, nil
}

// ledgerOf is the ledger as the node tells it, of the network that the guardian knows;
// the client signs for no other one.
func ledgerOf(ctx context.Context, c *api.Client, g *guardian.Guardian) (guardian.Ledger, error) {
	s, err := c.Succession(ctx)
	if err != nil {
		return guardian.Ledger{}, err
	}
	l, err := s.Ledger()
	if err == nil {
		err = g.Check(l)
	}
	c.Only(l.Chain)
	return l, err
}

// tended is what a call of tend did.
type tended struct {
	Guardian curation.Address `json:"guardian"`
	Did      []string         `json:"did"`
	Kept     []uint64         `json:"kept,omitempty"` // sharings whose seeds could go if other nodes agreed
	Next     string           `json:"next"`
	Height   uint64           `json:"height"`
}

// witnesses are further nodes that have to tell the same before something is given away
// or destroyed.
type witnesses struct {
	also  []string
	trust bool
}

func (w *witnesses) options(e *env, c *cobra.Command) {
	options(c, &w.also, "also", "", nodeAddress, "`HOST:PORT` of another member's node that has to tell the same (repeatable)")
	c.Flags().BoolVar(&w.trust, "trust-node", false, "take the one node's word where other nodes would be asked")
	c.PreRunE = func(*cobra.Command, []string) error {
		c, err := e.client()
		if err != nil {
			return err
		}
		defer c.Close()
		return w.distinct(c)
	}
}

// errDisagree reports nodes that tell of different ledgers. One that is a block behind
// does, too.
var errDisagree = errors.New("does not agree, and nothing is given away or destroyed")

// named says whether there are any, or none are wanted.
func (w *witnesses) named() error {
	if len(w.also) == 0 && !w.trust {
		return fmt.Errorf("this gives away what cannot be had back, and a node that lies could have the guardian's share by it: name nodes of other members with --also HOST:PORT, as many as you can, or give --trust-node if the one node is yours")
	}
	return nil
}

// distinct says whether each is another node than the one of --api, and than the others.
func (w *witnesses) distinct(c *api.Client) error {
	seen := []string{endpoint(c.Address())}
	for _, address := range w.also {
		at := endpoint(address)
		if slices.Contains(seen, at) {
			return usage("--also %s: that node is asked already, and it would agree with itself: name nodes of different members, each once, and none that is the node of --api", address)
		}
		seen = append(seen, at)
	}
	return nil
}

// endpoint is HOST:PORT of a node's address in one spelling.
func endpoint(address string) string {
	if !strings.Contains(address, "://") {
		address = "http://" + address
	}
	u, err := url.Parse(address)
	if err != nil { // a flag's address has been parsed
		return address
	}
	host, port := strings.TrimSuffix(strings.ToLower(u.Hostname()), "."), u.Port()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		port = strconv.FormatUint(n, 10)
	} else if port = "80"; u.Scheme == "https" {
		port = "443"
	}
	return net.JoinHostPort(host, port)
}

// ask has them tell.
func (w *witnesses) ask(ctx context.Context) ([]guardian.Ledger, error) {
	var all []guardian.Ledger
	for _, address := range w.also {
		other := api.NewClient(address, "")
		s, err := other.Succession(ctx)
		other.Close()
		if err != nil {
			return nil, err
		}
		l, err := s.Ledger()
		if err != nil {
			return nil, fmt.Errorf("the node at %s: %w", address, err)
		}
		all = append(all, l)
	}
	return all, nil
}

// agree holds what an effect rests on against what they told. A node that lies about the
// ledger could else have the share, or have it destroyed.
func (w *witnesses) agree(l guardian.Ledger, told []guardian.Ledger, f guardian.Effect) error {
	if f, ok := f.(guardian.Submit); ok && f.Gives {
		if err := w.named(); err != nil {
			return err
		}
	}
	for i, other := range told {
		if err := l.Agrees(other, f); err != nil {
			return fmt.Errorf("the node at %s %w: %w", w.also[i], errDisagree, err)
		}
	}
	return nil
}

func guardianTend(e *env) *cobra.Command {
	var again bool
	var w witnesses
	var patience time.Duration
	c := &cobra.Command{
		Use: "tend", Short: "Do what is due for this guardian: accept a share, prove it, deal it back",
		Long: `tend asks any member's node where the ledger stands and does what is due for the
guardian of --key: it accepts a share of the network's key, disputes a wrong one,
proves a right one, and deals the key to the members when a recovery is under way.
It may be called at any time, and says when to come again. --watch stays and does
what comes up for so long.

A node may lie. With the first share tend writes down network and key, in
KEY.network.json, and believes no node that tells of others: compare them with what
a founder tells you. Nodes of other members, given with --also, have to tell the
same of what is done; without any, tend does not deal, does not dispute, and keeps
seeds of older sharings.

The share follows from the key file and the files KEY.sharing-N.age beside it: keep
all of them, and their passphrase. --again accepts a fresh share although there is
one, which makes the shares of all guardians anew; do that when a file may have been
seen by somebody else.`,
		Example: "  atelier guardian tend --key gerda.age --api 127.0.0.1:8080\n  atelier guardian tend --key gerda.age --also 192.0.2.7:8080 --watch 1h",
		Args:    takes(),
		RunE: e.asks(func(ctx context.Context, c *api.Client, _ []string) error {
			g, key, err := e.guardianOf()
			if err != nil {
				return err
			}
			t := tended{Guardian: g.Account, Did: []string{}}
			err = e.tend(ctx, c, g, key, &w, again, &t)
			if patience > 0 && (err == nil || errors.Is(err, errDisagree)) {
				err = e.tendOn(ctx, c, g, key, &w, patience, &t, err)
			}
			if err != nil {
				return err
			}
			if e.json {
				return e.print(t)
			}
			for _, did := range t.Did {
				fmt.Fprintln(e.out, did)
			}
			for _, n := range t.Kept {
				fmt.Fprintf(e.out, "keeps the seed of sharing %d until other nodes tell that a newer one counts: name them with --also\n", n)
			}
			fmt.Fprintf(e.out, "next: %s\n", t.Next)
			return nil
		}),
	}
	c.Flags().BoolVar(&again, "again", false, "accept a fresh share although there is one")
	w.options(e, c)
	option(c, &patience, "watch", "", span, "stay for `TIME`, such as 90s or 10m, and do what comes up")
	return c
}

// tendOn does what comes up in the blocks of a span. Nodes that disagree may do so for a
// block: what they said last counts.
func (e *env) tendOn(ctx context.Context, c *api.Client, g *guardian.Guardian, key ed25519.PrivateKey, w *witnesses, patience time.Duration, t *tended, last error) error {
	watch, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for h, err := range c.Events(watch, t.Height+1) {
		if err != nil && watch.Err() != nil {
			break
		}
		if err != nil {
			return err
		}
		if h.Block == nil {
			continue
		}
		if last = e.tend(ctx, c, g, key, w, false, t); last != nil && !errors.Is(last, errDisagree) {
			return last
		}
	}
	return last
}

// tend does what is due once.
func (e *env) tend(ctx context.Context, c *api.Client, g *guardian.Guardian, key ed25519.PrivateKey, w *witnesses, again bool, t *tended) error {
	l, err := ledgerOf(ctx, c, g)
	if err != nil {
		return err
	}
	t.Height, t.Next, t.Kept = l.Height, l.Next(g.Account), nil
	effects, err := g.Step(l, again, rand.Reader)
	if err != nil || len(effects) == 0 {
		return err
	}
	others, err := w.ask(ctx)
	if err != nil {
		return err
	}
	for _, f := range effects {
		if err := w.agree(l, others, f); err != nil {
			return err
		}
		switch f := f.(type) {
		case guardian.KeepNetwork:
			err = keys.WriteFile(networkBeside(e.key), f.Network.Bytes(), 0o644)
		case guardian.KeepSeed:
			err = keys.SaveSharing(e.key, passphrase(), f.Sharing, f.Seed)
		case guardian.EraseSeed:
			if w.named() != nil {
				t.Kept = append(t.Kept, f.Sharing)
				continue
			}
			err = keys.EraseSharing(e.key, f.Sharing)
		case guardian.Submit:
			if _, err = e.submit(ctx, c, key, f.Payload); err == nil {
				t.Did = append(t.Did, f.What)
			}
		}
		if err != nil {
			return err
		}
		g.Done(f)
	}
	if l, err = ledgerOf(ctx, c, g); err == nil {
		t.Height, t.Next = l.Height, l.Next(g.Account)
	}
	return err
}
