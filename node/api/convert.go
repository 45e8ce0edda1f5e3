package api

import (
	"context"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/node/edition"
	"github.com/atelier-dao/atelier/node/health"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// list makes JSON arrays out of what may be nil.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

// each converts a list.
func each[A, B any](items []A, convert func(A) B) []B {
	out := make([]B, len(items))
	for i, item := range items {
		out[i] = convert(item)
	}
	return out
}

func networkOf(v curation.View, reached func(uint32) bool) Network {
	n := v.Network()
	out := Network{
		Name: n.Charter.Name, Charter: n.Charter.Text, Chain: n.Chain, Height: n.Height, AppHash: n.AppHash, Supply: n.Supply, Succession: v.Genesis().Succession.Tells(), Advice: health.Of(v, reached).State.Advice(v.Estate()),
		Members: membersOf(v), Ceremony: ceremonyOf(n.Ceremony), Params: n.Params,
		Shares: sharesOf(v, reached), Rotation: rotationOf(v),
		Treasury: treasuryOf(n.Treasury), Artworks: map[curation.Status]int{},
	}
	for _, s := range curation.Statuses {
		out.Artworks[s] = n.Artworks[s]
	}
	if c := n.Committee; c != nil {
		committee := committeeOf(*c)
		out.Committee = &committee
	}
	if m, ok := v.Model(); ok {
		model := modelOf(v, m)
		out.Model = &model
	}
	if r, ok := v.Round(n.Round); ok {
		round := roundOf(r)
		out.Round = &round
	}
	return out
}

func sharesOf(v curation.View, reached func(uint32) bool) Shares {
	s := health.Of(v, reached)
	return Shares{Seats: s.Seats, Threshold: s.Threshold, Proven: s.Proven, Margin: s.Margin, Reachable: s.Reachable, State: s.State}
}

func treasuryOf(t curation.Treasury) Treasury {
	return Treasury{Balance: t.Balance, Fees: t.Fees, Tributes: t.Tributes, Slashes: t.Slashes}
}

func membersOf(v curation.View) []Member {
	return each(v.Members(), func(m curation.Member) Member {
		missed, _ := v.Missed(m.Index)
		return Member{Index: m.Index, Name: m.Name, Account: m.Account, Standing: m.Standing, Seat: m.Seat, Since: m.Since,
			Addresses: list(m.Addresses), Validator: m.Validator, DealKey: m.DealKey, Power: m.Power,
			ShareProven: v.ShareProven(m.Index), Prekeys: m.Prekeys(), Missed: missed.Times, MayFrom: missed.Again}
	})
}

func ceremonyOf(c curation.Ceremony) Ceremony {
	return Ceremony{Epoch: c.Epoch, Attempt: c.Attempt, Phase: c.Phase, Deadline: c.Deadline, RetryAt: c.RetryAt,
		Seats: list(c.Seats), Qualified: list(c.Qualified), Acknowledged: c.Acknowledged,
		Culprits: each(c.Culprits, culpritOf)}
}

func transcriptOf(v curation.View) (t Transcript, err error) {
	t = Transcript{Chain: v.Chain(), Height: v.Height(), Seats: list(v.CeremonySeats()), Members: membersOf(v)}
	log := v.CeremonyLog()
	if c, ok := v.Committee(); ok {
		t.Seats = v.SeatsAt(c.Epoch())
		log, _ = v.CeremonyLogAt(c.Epoch()) // it is kept as long as the committee is in force
		if t.Committee, err = c.MarshalBinary(); err != nil {
			return t, err
		}
	}
	t.Log, err = log.MarshalBinary()
	return t, err
}

// artwork converts a record.
func (s *server) artwork(ctx context.Context, v curation.View, a curation.Artwork) Artwork {
	return Artwork{
		Title: s.shelf.Title(ctx, v, a), Prior: a.Prior, Drawn: s.drawn(ctx, v, a),
		RID: a.RID, Status: a.Status, Requester: a.Requester, Prompt: a.Prompt, BodyHash: a.BodyHash, ModelID: a.ModelID,
		KeyEpoch: a.KeyEpoch, Label: a.Label, U: a.U, Epoch: a.Epoch, Deposit: a.Deposit,
		Readers:   each(a.Prekeys, func(k curation.ReaderKey) Reader { return Reader{k.Member, k.R} }),
		Requested: a.Requested, Expiry: a.Expiry, Turn: turnOf(v, a),
		Approved: a.Approved, Certificate: Hex(a.Certificate), SeedSignature: Hex(a.SeedSignature), Seed: a.Seed, Order: a.Order,
		Registered: a.Registered, Generator: a.Generator, CID: a.CID, PixelRoot: a.PixelRoot, Class: model.ClassOf(kernel.Contract),
		Attested: a.Attested, Auditor: a.Auditor, AuditedRoot: a.AuditedRoot,
		Round: a.Round, Settled: a.Settled, Backing: a.Backing, Backers: a.Backers, Score: a.Score,
		Ended: a.Ended, Reason: a.Reason, Edition: s.editionOf(ctx, v, a), Held: a.CID != "" && s.held(a.CID),
	}
}

func (s *server) editionOf(ctx context.Context, v curation.View, a curation.Artwork) *Edition {
	if a.Edition == nil {
		return nil
	}
	e := *a.Edition
	out := &Edition{Of: list(e.Of), Recipes: []string{}, Size: e.Size, Frames: e.Frames, Length: e.Length, Once: e.Once, Changes: Hex(e.Changes), Colours: e.Colours, Price: a.Price, Kept: a.Kept}
	m, known := v.ModelAt(a.KeyEpoch)
	works, err := edition.Works(v, e)
	if !known || err != nil {
		return out
	}
	of, err := edition.Of(e, works, func(a curation.Artwork) (*storage.Taste, error) {
		d, _, err := s.shelf.Drawn(ctx, v, a)
		if err != nil {
			return nil, err
		}
		return tastes.Receipt(d.Prior, d.Latent)
	})
	if err != nil { // this node has yet to fetch what it was drawn from
		return out
	}
	recipes, err := edition.Recipes(m.PlainHash, model.Embedded().Words(), of)
	if err != nil { // nobody draws it, and no member approves it
		return out
	}
	for _, r := range recipes {
		out.Recipes = append(out.Recipes, r.String())
	}
	return out
}

// turnOf is whose turn comes in the next block.
func turnOf(v curation.View, a curation.Artwork) *Turn {
	p, next := v.Params(), v.Height()+1
	until := func(since, length uint64, order []uint32, member uint32) uint64 {
		k := slices.Index(order, member)
		if k == len(order)-1 {
			return a.Expiry - 1
		}
		return since + uint64(k+1)*length
	}
	switch a.Status {
	case curation.StatusApproved:
		if m, ok := a.GeneratorAt(p, next); ok {
			return &Turn{"generator", m, until(a.Approved, p.GenerateBlocks, a.Order, m)}
		}
	case curation.StatusRegistered:
		if m, ok := a.AuditorAt(p, next); ok {
			return &Turn{"auditor", m, until(a.Registered, p.AuditBlocks, a.Auditors(), m)}
		}
	}
	return nil
}

func (s *server) approval(ctx context.Context, v curation.View, a curation.Artwork) Approval {
	state := "approved"
	switch {
	case a.Approved == 0 && a.Status == curation.StatusRequested:
		state = "waiting"
	case a.Approved == 0:
		state = "expired"
	}
	return Approval{RID: a.RID, Prompt: a.Prompt, Title: s.shelf.Title(ctx, v, a), Requester: a.Requester, State: state, Epoch: a.Epoch,
		Requested: a.Requested, Approved: a.Approved, Expiry: a.Expiry, Status: a.Status}
}

func roundOf(r curation.Round) Round {
	return Round{Number: r.Number, Phase: r.Phase, Reason: r.Reason, Epoch: r.Epoch, Opened: r.Opened, BackUntil: r.BackUntil,
		OpenUntil: r.OpenUntil, Settled: r.Settled, Candidates: list(r.Candidates), Published: list(r.Published),
		OrderCount: r.Orders, Openers: list(r.Openers), Escrow: r.Escrow, Backing: r.Backing,
		TreasuryTribute: r.TreasuryTribute, MakerTribute: r.MakerTribute}
}

func orderOf(o curation.Order) Order {
	return Order{Round: o.Round, Index: o.Index, Account: o.Account, Status: o.Status, Height: o.Height, Escrow: o.Escrow,
		RID: o.RID, Deposit: o.Deposit, MinOut: o.MinOut, Cost: o.Cost, Tribute: o.Tribute, Tokens: o.Tokens,
		Refund: o.Refund, Reason: o.Reason}
}

func holdingOf(h curation.Holding) Holding {
	return Holding{RID: h.RID, Account: h.Account, Tokens: h.Tokens, Paid: h.Paid}
}

func accountOf(v curation.View, address curation.Address) Account {
	a := v.Account(address)
	out := Account{Address: address, Balance: a.Balance, Locked: a.Locked, Nonce: a.Nonce,
		Holdings: each(v.Holdings(address), holdingOf), Orders: each(v.AccountOrders(address), orderOf)}
	if m, ok := v.MemberOf(address); ok {
		out.Member = m.Index
	}
	return out
}

func marketOf(m curation.Market) Market {
	out := Market{RID: m.RID, Maker: m.Maker, RatioPPM: uint32(m.RatioPPM), Supply: m.Supply, Locked: m.Locked,
		Reserve: m.Reserve, Published: m.Published, Sales: m.Sales}
	// The ledger keeps no market without a price.
	out.Price, _ = curve.State{Supply: m.Supply, Reserve: m.Reserve, Ratio: m.RatioPPM}.SpotPrice()
	return out
}

// eventsOf lists what a block's transactions did, then what its height did.
func eventsOf(c ledger.Committed) (events []Event) {
	for i, r := range c.Results {
		for _, e := range r.Events {
			tx := i
			events = append(events, eventOf(c.Height, &tx, e))
		}
	}
	for _, e := range c.Events {
		events = append(events, eventOf(c.Height, nil, e))
	}
	return events
}

func eventOf(height uint64, tx *int, e curation.Event) Event {
	out := Event{Height: height, Tx: tx, Kind: e.Kind, Attributes: map[string]string{}}
	for _, a := range e.Attributes {
		out.Attributes[a.Key] = a.Value
	}
	return out
}

func blockOf(c ledger.Committed, events int) Block {
	b := Block{Height: c.Height, Time: c.Time, AppHash: c.AppHash, Txs: len(c.Txs), Events: events}
	for _, r := range c.Results {
		if r.Code != curation.CodeOK {
			b.Refused++
		}
	}
	return b
}

// held tells whether the store has a folder.
func (s *server) held(text string) bool {
	c, err := cid.Decode(text)
	return err == nil && s.backend.Store().Has(c)
}
