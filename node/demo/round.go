package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ipfs/go-cid"
	"golang.org/x/sync/errgroup"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage"
)

// create asks for one picture after the other and follows each until it is a
// candidate.
func (s *show) create(ctx context.Context) error {
	s.screen.Step(4, "Creation", "for each request: approvals by gossip, a certificate, a seed, the member that the seed draws opens the model and renders; another checks")
	var times []time.Duration
	for i, prompt := range s.Prompts {
		c := s.collectors[i%len(s.collectors)]
		p, took, err := s.createOne(ctx, c, prompt)
		if err != nil {
			return fmt.Errorf("%q: %w", prompt, err)
		}
		s.report.Artworks = append(s.report.Artworks, p)
		times = append(times, took)
		s.screen.Fact("%-28q for %-6s seed %s…  by member %d, audited by %d, pixels %s…  %.1f s",
			p.Title, c.name, p.Seed[:8], p.Generator, p.Auditor, p.PixelRoot[:8], took.Seconds())
		s.screen.Progress("candidates", i+1, len(s.Prompts))
	}
	slices.Sort(times)
	s.report.Timings["creation_median"] = seconds(times[len(times)/2])
	return nil
}

func (s *show) createOne(ctx context.Context, c collector, prompt string) (Piece, time.Duration, error) {
	// Prekeys arrive on the ledger right after the ceremony; a request freezes one
	// of each member, so the first waits for them, and for version 0 of the taste.
	err := s.until(ctx, "prekeys of all members and the first version of the taste", func(v curation.View) (bool, error) {
		for _, m := range v.Members() {
			if m.Prekeys() == 0 {
				return false, nil
			}
		}
		return v.NextPrior() > 0, nil
	})
	if err != nil {
		return Piece{}, 0, err
	}
	var model curation.Hash
	known := map[curation.Hash]bool{}
	if err := s.nodes[0].View(func(v curation.View) error {
		m, _ := v.Model()
		model = m.ID
		for _, a := range v.Artworks(curation.Filter{}) {
			known[a.RID] = true
		}
		return nil
	}); err != nil {
		return Piece{}, 0, err
	}
	start := time.Now()
	if err := s.nodes[0].SubmitAs(ctx, c.key, curation.Request{Prompt: prompt, ModelID: model}); err != nil {
		return Piece{}, 0, err
	}
	p := Piece{Prompt: prompt, Seconds: map[string]float64{}}
	var art curation.Artwork
	mark := func(step string, height uint64) {
		if _, seen := p.Seconds[step]; height != 0 && !seen {
			p.Seconds[step] = seconds(time.Since(start))
		}
	}
	err = s.until(ctx, "the artwork", func(v curation.View) (bool, error) {
		newest := v.Artworks(curation.Filter{Newest: true, Limit: 1})
		if len(newest) == 0 || known[newest[0].RID] {
			return false, nil
		}
		art = newest[0]
		mark("approved", art.Approved)
		mark("registered", art.Registered)
		mark("audited", art.Attested)
		if art.Status == curation.StatusExpired || art.Status == curation.StatusDisputed {
			return false, fmt.Errorf("ended as %s: %s", art.Status, art.Reason)
		}
		return art.Status == curation.StatusCandidate || art.Status == curation.StatusBacking, nil
	})
	p.RID, p.CID, p.Seed, p.PixelRoot = art.RID.String(), art.CID, art.Seed.String(), art.PixelRoot.String()
	p.Generator, p.Auditor = art.Generator, art.Auditor
	took := time.Since(start)
	if err == nil {
		err = s.nodes[0].View(func(v curation.View) error { p.Title = s.shelf.Title(ctx, v, art); return nil })
	}
	return p, took, err
}

// backing is what the collectors spend, in credits, by artwork: columns are prompts.
var backing = [][]uint64{
	{400, 150, 300, 0, 0, 60},
	{0, 500, 250, 80, 0, 0},
	{300, 0, 350, 0, 120, 0},
	{90, 200, 0, 0, 0, 150},
}

// curate backs the candidates in one sealed batch and waits for its settlement.
func (s *show) curate(ctx context.Context) error {
	s.screen.Step(5, "Curation", "collectors back artworks in one sealed batch: nobody sees an order before all are in; the committee opens them together")
	var round curation.Round
	var x [32]byte
	var rids []curation.Hash
	var height uint64
	err := s.until(ctx, "the round", func(v curation.View) (ok bool, err error) {
		height = v.Height()
		if round, ok = v.RunningRound(); !ok {
			return false, nil
		}
		c, _ := v.Committee()
		x = c.X()
		rids = rids[:0]
		for _, a := range v.Artworks(curation.Filter{Round: round.Number}) {
			rids = append(rids, a.RID)
		}
		return round.Phase == curation.RoundBacking, nil
	})
	if err == nil {
		err = s.waitHeight(ctx, height) // orders go to all members
	}
	if err != nil {
		return err
	}
	s.screen.Fact("round %d opened by itself with %d candidates; orders until height %d", round.Number, len(rids), round.BackUntil)
	label := curation.OrderLabel(s.nodes[0].Chain(), round.Number).Hash()
	var orders atomic.Int64
	g, ordering := errgroup.WithContext(ctx)
	for ci, c := range s.collectors { // at the same time: the phase does not wait for them
		g.Go(func() error {
			for ai, rid := range rids {
				credits := backing[ci%len(backing)][ai%len(backing[0])]
				if credits == 0 {
					continue
				}
				order := curation.OpenOrder{Account: c.account(), RID: rid, Deposit: curve.Credits(credits), MinOut: curve.NewAmount(1)}
				ct, err := seal.Encrypt(rand.Reader, x, label, order.Bytes())
				if err != nil {
					return err
				}
				// The escrow hides the deposit: a round number above it.
				if err := s.nodes[ci%len(s.nodes)].SubmitAs(ordering, c.key, curation.SealedOrder{Round: round.Number, Escrow: curve.Credits(credits + 50), Box: ct.Bytes()}); err != nil {
					return err
				}
				orders.Add(1)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.screen.Fact("%d sealed orders of %d collectors are on the ledger", orders.Load(), len(s.collectors))
	err = s.until(ctx, "the settlement", func(v curation.View) (bool, error) {
		r, _ := v.Round(round.Number)
		switch r.Phase {
		case curation.RoundBacking:
			s.screen.Progress("sealed phase", int(min(v.Height(), r.BackUntil)-r.Opened), int(r.BackUntil-r.Opened))
		case curation.RoundFailed:
			return false, fmt.Errorf("round %d failed: %s", r.Number, r.Reason)
		}
		round = r
		return r.Phase == curation.RoundSettled, nil
	})
	if err != nil {
		return err
	}
	if err := s.settled(ctx, round); err != nil {
		return err
	}
	return s.learn(ctx)
}

func (s *show) settled(ctx context.Context, round curation.Round) error {
	var first curation.Hash
	var seller collector
	var tokens curve.Amount
	err := s.nodes[0].View(func(v curation.View) error {
		s.screen.Fact("opened together by members %v and settled at height %d:", round.Openers, round.Settled)
		for i := range s.report.Artworks {
			p := &s.report.Artworks[i]
			rid, err := curation.ParseHash(p.RID)
			if err != nil {
				return err
			}
			a, _ := v.Artwork(rid)
			p.Backing, p.Published = a.Backing.String(), a.Status == curation.StatusPublished
			verdict := "declined, everybody refunded"
			if p.Published {
				m, _ := v.Market(rid)
				verdict = fmt.Sprintf("PUBLISHED  curve %s tokens / %s credits", round2(m.Supply), round2(m.Reserve))
			}
			s.screen.Fact("  %-28q backing %8s credits of %d  %s", p.Title, round2(a.Backing), a.Backers, verdict)
		}
		s.screen.Fact("tribute: %s credits to the treasury, %s to the makers", round2(round.TreasuryTribute), round2(round.MakerTribute))
		if len(round.Published) == 0 {
			return fmt.Errorf("nothing was published")
		}
		first = round.Published[0]
		for _, h := range v.Holders(first) {
			for _, c := range s.collectors {
				if c.account() == h.Account {
					seller, tokens = c, h.Tokens
					return nil
				}
			}
		}
		return fmt.Errorf("nobody holds the first published artwork")
	})
	if err != nil {
		return err
	}
	half, err := tokens.MulDiv(curve.NewAmount(1), curve.NewAmount(2))
	if err != nil {
		return err
	}
	var before, after curve.Amount
	balance := func(into *curve.Amount) error {
		return s.nodes[0].View(func(v curation.View) error { *into = v.Account(seller.account()).Balance; return nil })
	}
	if err := balance(&before); err != nil {
		return err
	}
	if err := s.nodes[0].SubmitAs(ctx, seller.key, curation.Sell{RID: first, Tokens: half, MinOut: curve.NewAmount(1)}); err != nil {
		return fmt.Errorf("exit by selling: %w", err)
	}
	if err := balance(&after); err != nil {
		return err
	}
	s.screen.Fact("exit works: %s sells %s tokens back to the curve for %s credits", seller.name, round2(half), round2(after.Sub(before)))
	return nil
}

// learn waits for the version of the taste that learns from the round, and tells what
// changed.
func (s *show) learn(ctx context.Context) error {
	var told tastes.Told
	err := s.until(ctx, "the taste of the round", func(v curation.View) (ok bool, err error) {
		if v.NextPrior() < 2 {
			return false, nil
		}
		told, err = s.shelf.Tell(ctx, v, v.NextPrior()-1)
		if errors.Is(err, tastes.ErrMissing) { // the others were faster
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	s.report.Taste = told.Prior.ID.String()
	var more, less []string
	for _, w := range told.Change.Words {
		by := float64(w.After-w.Before) / taste.AppealOne
		into := &more
		if by < 0 {
			into = &less
		}
		if by != 0 && len(w.Published)+len(w.Declined) > 0 && len(*into) < 3 {
			*into = append(*into, fmt.Sprintf("%s %+.2f", w.Word, by))
		}
	}
	s.screen.Fact("taste: each member computed version %d from the round, and %d recorded the same %s…", told.Prior.Version, len(told.Prior.Records), s.report.Taste[:16])
	s.screen.Fact("  more of %s; less of %s", strings.Join(more, ", "), strings.Join(less, ", "))
	return nil
}

// round2 is an amount in credits with at most two places, for people.
func round2(a curve.Amount) string { return a.CreditsTo(2) }

// publish shows that all members keep what was published, that it can be fetched
// from any of them, and that the rest is gone.
func (s *show) publish(ctx context.Context) error {
	s.screen.Step(6, "Publication", "published works are pinned by all members and fetched back by content; the others are let go")
	var published, declined []cid.Cid
	for _, p := range s.report.Artworks {
		c, err := cid.Decode(p.CID)
		if err != nil {
			return err
		}
		if p.Published {
			published = append(published, c)
		} else {
			declined = append(declined, c)
		}
	}
	for i, n := range s.nodes {
		if err := s.untilAt(ctx, n, "the pins of member "+memberNames[i], func(curation.View) (bool, error) {
			pins := map[cid.Cid]bool{}
			for _, p := range n.Store().Pins() {
				if strings.HasPrefix(p.Name, "published/") {
					pins[p.Root] = true
				}
			}
			for _, c := range published {
				if !pins[c] {
					return false, nil
				}
			}
			for _, c := range declined {
				if n.Store().Has(c) {
					return false, nil
				}
			}
			return true, nil
		}); err != nil {
			return err
		}
	}
	s.screen.Fact("%d published works are pinned by all %d members; %d declined ones are unpinned and collected", len(published), len(s.nodes), len(declined))
	if len(s.nodes) < 2 {
		return nil
	}
	if err := s.provided(ctx, published[0]); err != nil {
		return err
	}
	for _, m := range []storage.Method{storage.ViaCAR, storage.ViaBitswap} {
		start := time.Now()
		var bytes int64
		for i, c := range published {
			to := s.nodes[(i+1)%len(s.nodes)]
			from := s.nodes[i%len(s.nodes)].Account()
			r, err := to.Fetch(ctx, c, from, m)
			if err != nil { // once more: a machine that stood still has used up the fetcher's patience
				r, err = to.Fetch(ctx, c, from, m)
			}
			if err != nil {
				return fmt.Errorf("fetch %v by %s: %w", c, m, err)
			}
			bytes += r.Bytes
		}
		took := time.Since(start)
		if m == storage.ViaCAR {
			s.report.FetchedCAR = seconds(took)
		} else {
			s.report.FetchedBitswap = seconds(took)
		}
		s.screen.Fact("fetched back from another member by %-7s  %d KiB in %.2f s, every block verified", m, bytes>>10, took.Seconds())
	}
	return nil
}

// provided waits until the network's hash table names every member for a published
// work, as the last member finds it.
func (s *show) provided(ctx context.Context, c cid.Cid) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%v was not provided by all members", c))
	defer cancel()
	blocks := s.nodes[0].Ledger().Subscribe(ctx)
	for {
		found, err := s.nodes[len(s.nodes)-1].Providers(ctx, c)
		if err == nil && len(found) == len(s.nodes) {
			s.screen.Fact("provided by %d members in the network's own hash table", len(found))
			return nil
		}
		select {
		case _, open := <-blocks: // look again at the ledger's pace
			if !open {
				return context.Cause(ctx)
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// finish fills in what the report says at the end.
func (s *show) finish() error {
	var hash curation.Hash
	for i, n := range s.nodes {
		s.report.Gallery = append(s.report.Gallery, "http://"+n.APIAddress()+"/")
		if err := n.View(func(v curation.View) error {
			s.report.Heights = append(s.report.Heights, v.Height())
			if i == 0 {
				hash = v.AppHash()
			}
			return nil
		}); err != nil {
			return err
		}
	}
	s.report.AppHash, s.report.Home, s.report.PeakMemory = hash.String(), s.Home, peakMemory()
	return nil
}
