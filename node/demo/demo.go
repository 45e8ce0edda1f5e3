// Package demo runs the whole of atelier in one process: four members with their
// own homes, keys, libp2p hosts, stores and validators found a network, make its
// key, seal its artist, and publish what collectors choose. Nothing in it is
// pretended: the nodes are those of `atelier node start`, and every step goes
// through ledger, gossip and streams on loopback.
package demo

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/tastes"
)

// Screen is where the demo shows what happens. Calls come one at a time.
type Screen interface {
	// Step begins a part of the show: its number, name and what it means.
	Step(number int, name, meaning string)
	// Fact prints a line of the current step.
	Fact(format string, args ...any)
	// Progress moves the bar of something that takes long; done = total ends it.
	Progress(what string, done, total int)
}

// Options of a run.
type Options struct {
	Home    string // a directory that exists; each member's home lies below it
	Members int    // 1..16
	Prompts []string
	Logger  *slog.Logger
	Size    uint64 // edge of the pictures in pixels; 0 means 1024
	Steps   int    // of the fine-tune; 0 means those of package model
	// Stay runs after the round with the report and the members' nodes; the network
	// lives until it returns. Nil ends at once.
	Stay func(context.Context, Report, []*node.Node) error
}

// Prompts are what the collectors ask for unless told otherwise. Without one the network's
// taste says what to draw, which knows nothing yet and explores.
var Prompts = []string{"red heart", "", "volcano at night", "swan", "tulip", "blue whale"}

// show is one run.
type show struct {
	Options
	screen     Screen
	nodes      []*node.Node
	collectors []collector
	shelf      *tastes.Shelf // of the first member's store
	report     Report
}

type collector struct {
	name string
	key  ed25519.PrivateKey
}

func (c collector) account() curation.Address {
	return curation.AddressOf(c.key.Public().(ed25519.PublicKey))
}

// Run runs the demo and returns what it did, also when it failed half way.
func Run(ctx context.Context, o Options, screen Screen) (Report, error) {
	if len(o.Prompts) == 0 {
		o.Prompts = Prompts
	}
	s := &show{Options: o, screen: screen, report: Report{Timings: map[string]float64{}}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, running := errgroup.WithContext(ctx)
	err := s.run(running, g)
	cancel()
	return s.report, errors.Join(err, ignoreCanceled(g.Wait()))
}

func ignoreCanceled(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (s *show) run(ctx context.Context, g *errgroup.Group) error {
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"founding", func(ctx context.Context) error { return s.found(ctx, g) }},
		{"ceremony", s.ceremony},
		{"sealing", s.seal},
		{"creation", s.create},
		{"curation", s.curate},
		{"publication", s.publish},
	} {
		start := time.Now()
		err := step.do(ctx)
		s.report.Timings[step.name] = seconds(time.Since(start))
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	if err := s.finish(); err != nil {
		return err
	}
	if s.Stay != nil {
		return s.Stay(ctx, s.report, s.nodes)
	}
	return nil
}

// memberNames are given to the members in order.
var memberNames = []string{"Ada", "Bruno", "Chiara", "Dmitri", "Esi", "Farid", "Gita", "Hugo", "Ines", "Jun", "Kofi", "Lena", "Mio", "Nils", "Oya", "Pia"}

// terms are the rules of the demo's network: those of DefaultParams with spans that
// fit a network which is finished within a minute.
func (s *show) terms() (founding.Terms, error) {
	p := curation.DefaultParams()
	p.DKGPhaseBlocks, p.DKGDisputeBlocks = 400, 3
	p.GenerateBlocks, p.AuditBlocks, p.RequestBlocks = 120, 120, 4000
	p.RoundCandidates, p.RoundWaitBlocks = uint64(len(s.Prompts)), 2000
	p.BackBlocks, p.OpenBlocks = 24, 200
	p.MaxPublished = uint64(max(1, len(s.Prompts)/2))
	p.IdentityCapPPM = 500_000 // with four collectors the usual 5 % would make all backing alike
	if s.Size != 0 {
		p.PictureSize = s.Size
	}
	t := founding.Terms{Network: "demo", Seats: s.Members, Params: p, Grant: curve.Credits(1000),
		Charter: curation.Charter{Name: "Atelier demo", Text: "We own one artist together. Nobody uses it alone; the quorum's signature is its seed; collectors choose what is shown."}}
	for _, name := range []string{"Vera", "Walid", "Xenia", "Yuki"} {
		_, key, err := ed25519.GenerateKey(nil)
		if err != nil {
			return t, err
		}
		c := collector{name, key}
		s.collectors = append(s.collectors, c)
		t.Balances = append(t.Balances, curation.GenesisBalance{Account: c.account(), Amount: curve.Credits(5000)})
	}
	return t, nil
}

// found makes the homes, gathers the members by invitation and starts their nodes.
func (s *show) found(ctx context.Context, g *errgroup.Group) error {
	s.screen.Step(1, "Founding", "a charter and its rules become genesis; each member is a validator with its own keys")
	terms, err := s.terms()
	if err != nil {
		return err
	}
	cfg := config.Default()
	cfg.Ledger.BlockInterval = 0 // the terms' spans are short: let the show go on
	cfg.Ledger.EmptyBlockInterval = config.Duration(250 * time.Millisecond)
	cfg.Storage.QuotaMiB = 256
	cfg.Artist.Workers = 2
	homes := make([]home.Home, s.Members)
	for i := range homes {
		homes[i] = home.Home(filepath.Join(s.Home, fmt.Sprintf("member-%d", i+1)))
	}
	if err := founding.Create(homes[0], cfg, "", memberNames[0], terms); err != nil {
		return err
	}
	for i := 1; i < s.Members; i++ {
		invitation, _, err := node.Invite(homes[0], "")
		if err != nil {
			return err
		}
		if _, err := founding.Join(homes[i], cfg, "", memberNames[i], invitation); err != nil {
			return err
		}
	}
	for i, h := range homes {
		c, err := config.Load(string(h), func(string) (string, bool) { return "", false })
		if err != nil {
			return err
		}
		n, err := node.Open(h, c, node.Options{Logger: s.Logger.With("member", i+1)})
		if err != nil {
			return err
		}
		s.nodes = append(s.nodes, n)
		g.Go(func() error { return n.Run(ctx) })
	}
	s.shelf = tastes.NewShelf(s.nodes[0].Store())
	for i, n := range s.nodes {
		select {
		case <-n.Ready():
			s.screen.Progress("members at the table", i+1, s.Members)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := s.waitHeight(ctx, 2); err != nil {
		return err
	}
	return s.nodes[0].View(func(v curation.View) error {
		s.report.Network = v.Chain().String()
		for _, m := range v.Members() {
			s.report.Members = append(s.report.Members, Member{Index: m.Index, Name: m.Name, Account: m.Account.String()})
		}
		s.screen.Fact("network %s, genesis %s…", v.Genesis().Charter.Name, v.Chain().String()[:16])
		s.screen.Fact("%d validators make blocks over libp2p, height %d", s.Members, v.Height())
		return nil
	})
}

func (s *show) waitHeight(ctx context.Context, h uint64) error {
	for _, n := range s.nodes {
		if err := n.Ledger().WaitHeight(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// until looks at the first member's state after every block until done says so.
func (s *show) until(ctx context.Context, patience time.Duration, what string, done func(curation.View) (bool, error)) error {
	return s.untilAt(ctx, s.nodes[0], patience, what, done)
}

func (s *show) untilAt(ctx context.Context, n *node.Node, patience time.Duration, what string, done func(curation.View) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s did not happen within %v", what, patience))
	defer cancel()
	blocks := n.Ledger().Subscribe(ctx)
	for {
		var ok bool
		if err := n.View(func(v curation.View) (err error) { ok, err = done(v); return err }); err != nil || ok {
			return err
		}
		select {
		case _, open := <-blocks:
			if !open {
				return context.Cause(ctx)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ceremony waits for the keys.
func (s *show) ceremony(ctx context.Context) error {
	s.screen.Step(2, "Ceremony", "the members make the network's two keys together; there is no dealer, and nobody ever holds them")
	phases := []curation.CeremonyPhase{curation.CeremonyCommit, curation.CeremonyBundle, curation.CeremonyDispute, curation.CeremonyAcknowledge, curation.CeremonyActive}
	err := s.until(ctx, 2*time.Minute, "the ceremony", func(v curation.View) (bool, error) {
		c := v.Ceremony()
		for i, p := range phases {
			if p == c.Phase {
				s.screen.Progress("ceremony: "+string(p), i+1, len(phases))
			}
		}
		if c.Phase == curation.CeremonyAborted {
			return false, fmt.Errorf("aborted: %v", c.Culprits)
		}
		return c.Phase == curation.CeremonyActive, nil
	})
	if err != nil {
		return err
	}
	return s.nodes[0].View(func(v curation.View) error {
		c, ok := v.Committee()
		if !ok {
			return errors.New("no committee")
		}
		x, y := c.X(), c.Y()
		s.report.Keys = Keys{X: fmt.Sprintf("%x", x), Y: fmt.Sprintf("%x", y), Threshold: c.T()}
		s.screen.Fact("X = %x…  opens the model (ristretto255)", x[:12])
		s.screen.Fact("Y = %x…  certifies and seeds (BLS12-381)", y[:12])
		s.screen.Fact("any %d of %d shares suffice; %d members proved theirs on the ledger", c.T(), c.N(), v.Ceremony().Acknowledged)
		return nil
	})
}

// seal makes the network's own artist.
func (s *show) seal(ctx context.Context) error {
	s.screen.Step(3, "Sealing", "the genesis artist is public; the network makes its own from it, and locks that one up")
	m, err := s.nodes[0].MakeModel(ctx, node.Sealing{
		Name:  "Demo's own",
		Phase: func(p string) { s.report.phase(p) },
		Progress: func(step, steps int, loss float64) {
			s.screen.Progress(fmt.Sprintf("fine-tuning the genesis artist, loss %.3f", loss), step, steps)
		},
	})
	if err != nil {
		return err
	}
	s.report.Model = m.ContainerCID
	s.screen.Fact("sealed as %s (%d KiB, age container)", m.ContainerCID, m.ContainerSize>>10)
	s.screen.Fact("its key is a labelled threshold ciphertext on the ledger; the plain weights are erased")
	return s.waitHeight(ctx, m.Height)
}
