package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
)

// body wraps an answer for the library.
type body[T any] struct{ Body T }

type none struct{}

type byID struct {
	ID string `path:"id" maxLength:"128" doc:"Request id in hex, the first 8 or more digits of it, or the CID of the folder."`
}

// get registers a read of the committed state.
func get[I, O any](s *server, api huma.API, id, path, summary string, read func(curation.View, *I) (O, error)) {
	getWith(s, api, id, path, summary, func(_ context.Context, v curation.View, in *I) (O, error) { return read(v, in) })
}

func getWith[I, O any](s *server, api huma.API, id, path, summary string, read func(context.Context, curation.View, *I) (O, error)) {
	huma.Register(api, huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{"read"}},
		func(ctx context.Context, in *I) (*body[O], error) {
			var out body[O]
			err := s.view(func(v curation.View) (err error) {
				out.Body, err = read(ctx, v, in)
				return err
			})
			if err != nil {
				return nil, err
			}
			return &out, nil
		})
}

// view reads the state; its errors are problems.
func (s *server) view(read func(curation.View) error) error {
	ran := false
	err := s.backend.View(func(v curation.View) error {
		ran = true
		return read(v)
	})
	switch {
	case err == nil:
		return nil
	case !ran:
		return problem(http.StatusServiceUnavailable, CodeNotReady, "the ledger of this node has no state yet: ask again in a moment")
	}
	return explain(err)
}

func (s *server) register(api huma.API) {
	s.registerNetwork(api)
	s.registerCustody(api)
	s.registerModels(api)
	s.registerTastes(api)
	s.registerMotions(api)
	s.registerTrainings(api)
	s.registerReleases(api)
	s.registerGuardians(api)
	s.registerExport(api)
	s.registerLedgerExport(api)
	s.registerArtworks(api)
	s.registerMarket(api)
	s.registerEvents(api)
	s.registerActions(api)
}

func (s *server) registerNetwork(api huma.API) {
	get(s, api, "network", "/v1/network", "The network and where it stands",
		func(v curation.View, _ *none) (Network, error) { return networkOf(v, s.reached()), nil })
	get(s, api, "node", "/v1/node", "The node that answers",
		func(v curation.View, _ *none) (Node, error) { return s.node(v), nil })
	get(s, api, "members", "/v1/members", "All who are, were or are about to be co-owners, by index",
		func(v curation.View, _ *none) ([]Member, error) { return membersOf(v), nil })
	get(s, api, "ceremony", "/v1/ceremony", "What the members said in the ceremony of the committee in force, or in the one under way before there is one: with its seed, a member derives its share",
		func(v curation.View, _ *none) (Transcript, error) { return transcriptOf(v) })
	huma.Register(api, huma.Operation{OperationID: "pins", Method: http.MethodGet, Path: "/v1/pins", Summary: "What this node keeps", Tags: []string{"read"}},
		func(context.Context, *none) (*body[[]Pin], error) { return &body[[]Pin]{s.pins()}, nil })
	huma.Register(api, huma.Operation{OperationID: "genesis", Method: http.MethodGet, Path: "/v1/genesis", Summary: "The founding document, byte for byte", Tags: []string{"read"},
		Responses: map[string]*huma.Response{"200": {Description: "Its SHA-256 is the chain.", Content: anyObject}}},
		func(context.Context, *none) (*raw, error) {
			var doc []byte
			err := s.view(func(v curation.View) (err error) {
				doc, err = v.Genesis().Bytes() // a genesis has one form
				return err
			})
			return &raw{"application/json", doc}, err
		})
}

// anyObject documents an answer whose form is told elsewhere.
var anyObject = map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}}}

// raw is an answer of given bytes.
type raw struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

// reached says which members prove to this node that they hold their share, itself
// included.
func (s *server) reached() func(member uint32) bool {
	info := s.backend.Info()
	here := map[uint32]bool{info.Member: info.HasShare}
	for _, p := range info.Peers {
		here[p.Member] = p.Proves
	}
	return func(member uint32) bool { return here[member] }
}

func (s *server) node(v curation.View) Node {
	info, status, use := s.backend.Info(), s.backend.Ledger().Status(), s.backend.Store().Usage()
	n := Node{Name: info.Name, Member: info.Member, Account: info.Account, Peer: info.Peer, Version: info.Version, Started: info.Started.UTC(),
		HasShare: info.HasShare, Network: v.Genesis().Charter.Name, Chain: v.Chain(), Height: status.Height, AppHash: Hex(status.AppHash[:]),
		CatchingUp: status.CatchingUp, Observing: status.Observing, Until: status.ObserveUntil, BlockAge: status.LatestBlockAge.Seconds(), Validators: len(status.Validators), Consensus: []string{}, Peers: []NodePeer{},
		Storage: Storage{Bytes: use.Bytes, Quota: use.Quota, Segments: use.Segments, Blocks: use.Blocks, Pins: use.Pins, Damaged: use.Damaged}}
	n.Shares = sharesOf(v, s.reached())
	n.Advice = n.Shares.State.Advice(v.Estate())
	if m, ok := v.MemberOf(info.Account); ok {
		n.Member, n.Standing = m.Index, m.Standing
	}
	if info.Departed {
		n.Standing = curation.StandingLeft
	}
	for _, p := range status.Peers {
		n.Consensus = append(n.Consensus, p.String())
	}
	for _, p := range info.Peers {
		m, _ := v.Member(p.Member)
		n.Peers = append(n.Peers, NodePeer{Member: p.Member, Name: m.Name, Peer: p.Peer, Connected: p.Connected, Proves: p.Proves, Addresses: list(p.Addresses)})
	}
	return n
}

func (s *server) pins() []Pin {
	pins := []Pin{}
	for _, p := range s.backend.Store().Pins() {
		pins = append(pins, Pin{CID: p.Root.String(), Name: p.Name, Held: s.backend.Store().Has(p.Root)})
	}
	return pins
}

func (s *server) registerArtworks(api huma.API) {
	s.registerLists(api)
	getWith(s, api, "artwork", "/v1/artworks/{id}", "One artwork with its market",
		func(ctx context.Context, v curation.View, in *byID) (ArtworkDetail, error) {
			a, err := find(v, in.ID)
			if err != nil {
				return ArtworkDetail{}, err
			}
			d := ArtworkDetail{Artwork: s.artwork(ctx, v, a), Statement: Hex(curation.StatementFor(v.Chain(), a.Opening).Bytes()),
				Backings: each(v.Backings(a.RID), orderOf), Holders: each(v.Holders(a.RID), holdingOf),
				Editions: each(v.Editions(a.RID, mostEditions), func(a curation.Artwork) Artwork { return s.artwork(ctx, v, a) })}
			if m, ok := v.Market(a.RID); ok {
				market := marketOf(m)
				d.Market = &market
			}
			return d, nil
		})
	get(s, api, "artwork-proof", "/v1/proofs/artworks/{id}", "A proof of what the ledger holds of a request",
		func(v curation.View, in *byID) (Proof, error) {
			rid, err := s.ridOf(v, in.ID)
			if err != nil {
				return Proof{}, err
			}
			p := v.ProveArtwork(rid)
			data, err := p.Proof.MarshalBinary()
			if err != nil {
				return Proof{}, err
			}
			return Proof{Height: p.Height, AppHash: p.AppHash, Key: Hex(p.Key), Value: Hex(p.Value), Proof: Hex(data)}, nil
		})
}

// ridOf is the rid that text names; a whole rid need not be known, so that its
// absence can be proved.
func (s *server) ridOf(v curation.View, text string) (curation.Hash, error) {
	if rid, err := curation.ParseHash(strings.ToLower(text)); err == nil {
		return rid, nil
	}
	a, err := find(v, text)
	return a.RID, err
}

func (s *server) registerMarket(api huma.API) {
	get(s, api, "rounds", "/v1/rounds", "The rounds, newest first",
		func(v curation.View, _ *none) ([]Round, error) {
			return each(v.Rounds(maxList), roundOf), nil
		})
	type roundInput struct {
		Number uint64 `path:"number" minimum:"1"`
	}
	get(s, api, "round", "/v1/rounds/{number}", "One round with its orders",
		func(v curation.View, in *roundInput) (RoundDetail, error) {
			r, ok := v.Round(in.Number)
			if !ok {
				return RoundDetail{}, problem(http.StatusNotFound, CodeNotFound, "there is no round %d: `atelier round list` and /v1/rounds list what there is", in.Number)
			}
			return RoundDetail{roundOf(r), each(v.Orders(in.Number), orderOf)}, nil
		})
	type accountInput struct {
		Address string `path:"address" maxLength:"64" doc:"z6Mk…"`
	}
	get(s, api, "account", "/v1/accounts/{address}", "An account with its holdings and orders",
		func(v curation.View, in *accountInput) (Account, error) {
			a, err := curation.ParseAddress(in.Address)
			if err != nil {
				return Account{}, problem(http.StatusBadRequest, CodeInput, "address: %v", err)
			}
			return accountOf(v, a), nil
		})
	get(s, api, "market", "/v1/markets/{id}", "The curve of a published artwork",
		func(v curation.View, in *byID) (Market, error) {
			_, m, err := marketFor(v, in.ID)
			return marketOf(m), err
		})
	type quoteInput struct {
		ID     string `path:"id" maxLength:"128" doc:"Request id in hex, the first 8 or more digits of it, or the CID of the folder."`
		Op     string `query:"op" required:"true" enum:"buy,sell" doc:"buy: back a candidate; sell: give tokens back."`
		Amount string `query:"amount" required:"true" maxLength:"40" doc:"Base units: credits of a purchase, tokens of a sale."`
	}
	get(s, api, "quote", "/v1/markets/{id}/quote", "What a trade would do now",
		func(v curation.View, in *quoteInput) (Quote, error) {
			amount, err := curve.ParseAmount(in.Amount)
			if err != nil {
				return Quote{}, problem(http.StatusBadRequest, CodeInput, "amount: %v: give base units, of which a credit or token has 1000000000", err)
			}
			return quoteFor(v, in.ID, in.Op, amount)
		})
}

func marketFor(v curation.View, id string) (curation.Artwork, curation.Market, error) {
	a, err := find(v, id)
	if err != nil {
		return a, curation.Market{}, err
	}
	m, ok := v.Market(a.RID)
	if !ok {
		return a, m, problem(http.StatusNotFound, CodeNotFound, "artwork %s is %s: it has no market unless it is published", a.RID.String()[:12], a.Status)
	}
	return a, m, nil
}

func quoteFor(v curation.View, id, op string, amount curve.Amount) (Quote, error) {
	var q curation.Quote
	a, err := find(v, id)
	if err != nil {
		return Quote{}, err
	}
	if op == "buy" {
		if a.Status.Ended() {
			return Quote{}, problem(http.StatusConflict, CodeName(curation.CodeWrongPhase), "artwork %s is %s: only what has not ended can be backed", a.RID.String()[:12], a.Status)
		}
		q, err = curation.QuoteBack(v.Params(), a.Deposit, amount)
	} else {
		var m curation.Market
		if _, m, err = marketFor(v, id); err != nil {
			return Quote{}, err
		}
		q, err = curation.QuoteSell(v.Params(), m, amount)
	}
	if err != nil {
		return Quote{}, problem(http.StatusUnprocessableEntity, CodeName(curation.CodeLimit), "%v", err)
	}
	return Quote{RID: a.RID, Op: op, Amount: amount, Tokens: q.Tokens, Cost: q.Cost, Payout: q.Payout, Tribute: q.Tribute,
		Supply: q.After.Supply, Reserve: q.After.Reserve, Price: q.Price}, nil
}
