package founding

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// Progress tells a person how the founding goes, or the joining: there Have and Want
// count votes.
type Progress struct {
	Joining    bool // a network that runs
	Have, Want int
	Waiting    string // why it does not go on, when it does not
}

// Run brings a home to its genesis and its place in the network: at once when both are
// there, else by gathering the members (founder), by registering and waiting (joiner),
// or by applying and waiting for votes (joiner of a network that runs). Whom it
// reaches on the way it adds to the roster.
func Run(ctx context.Context, h home.Home, cfg config.Config, secrets keys.Secrets, host host.Host, roster *p2p.Roster, tell func(Progress)) (Plan, error) {
	plan, err := Read(h)
	if err != nil {
		return plan, err
	}
	a := arrival{plan: &plan, home: h, cfg: cfg, secrets: secrets, host: host, roster: roster, tell: tell}
	switch {
	case plan.Admission != nil:
		if !plan.Admission.Admitted {
			err = a.apply(ctx)
		}
	case plan.Document == nil && plan.Terms != nil:
		err = a.gather(ctx)
	case plan.Document == nil:
		err = a.register(ctx)
	case plan.Terms != nil && plan.Terms.Seats > 1:
		// A joiner that was away when the document was handed out asks again.
		err = a.serve(ctx)
	}
	if err != nil {
		return plan, err
	}
	genesis, err := plan.Document.Genesis()
	if err != nil {
		return plan, err
	}
	if have, err := h.ReadGenesis(); errors.Is(err, home.ErrNoGenesis) {
		return plan, keys.WriteFile(h.Genesis(), genesis, 0o600)
	} else if err != nil {
		return plan, err
	} else if !slices.Equal(have, genesis) {
		return plan, fmt.Errorf("%s is not the genesis that the members agreed on: restore it or remove it", h.Genesis())
	}
	return plan, nil
}

// arrival is a home on its way into its network. Each step is kept in the plan before
// the next one.
type arrival struct {
	plan    *Plan
	home    home.Home
	cfg     config.Config
	secrets keys.Secrets
	host    host.Host
	roster  *p2p.Roster
	tell    func(Progress)
}

// founding is the founder's table, with the seats that are taken already.
func (a *arrival) founding() (p2p.FoundingConfig, error) {
	p := a.plan
	charter, err := p.Terms.Hash()
	if err != nil {
		return p2p.FoundingConfig{}, err
	}
	id, err := identity(a.secrets)
	if err != nil {
		return p2p.FoundingConfig{}, err
	}
	record, err := a.record()
	if err != nil {
		return p2p.FoundingConfig{}, err
	}
	c := p2p.FoundingConfig{Charter: charter, Seats: p.Terms.Seats, Founder: id, Record: record,
		Check: func(from peer.ID, b []byte) error {
			if from == id {
				_, err := DecodeRecord(b)
				return err
			}
			return p.check(id, record, from, b)
		}}
	for _, s := range p.Tokens {
		raw, err := hex.DecodeString(s)
		if err != nil || len(raw) != len(p2p.Token{}) {
			return c, errors.New("founding.json holds a damaged token")
		}
		c.Tokens = append(c.Tokens, p2p.Token(raw))
	}
	for _, r := range p.Registered {
		raw, err := hex.DecodeString(r.Token)
		if err != nil || len(raw) != len(p2p.Token{}) {
			return c, errors.New("founding.json holds a damaged token")
		}
		c.Registered = append(c.Registered, p2p.Registration{Seat: r.Seat, Peer: r.Peer, Record: r.Record, Token: p2p.Token(raw)})
	}
	return c, nil
}

// check refuses a record with which no genesis could be made: the seats taken so far
// and this one are tried together.
func (p *Plan) check(founder peer.ID, own []byte, from peer.ID, b []byte) error {
	var seats []Seat
	add := func(id peer.ID, b []byte) error {
		record, err := DecodeRecord(b)
		if err != nil {
			return err
		}
		account, err := accountOf(id)
		seats = append(seats, Seat{Account: account, Record: record})
		return err
	}
	if err := add(founder, own); err != nil {
		return err
	}
	for _, r := range p.Registered {
		if err := add(r.Peer, r.Record); err != nil {
			return err
		}
	}
	if err := add(from, b); err != nil {
		return err
	}
	return p.Terms.try(seats)
}

// gather serves newcomers until all seats are taken, and goes on handing out the
// document until ctx ends.
func (a *arrival) gather(ctx context.Context) error {
	p := a.plan
	c, err := a.founding()
	if err != nil {
		return err
	}
	a.tell(Progress{Have: 1 + len(p.Registered), Want: p.Terms.Seats})
	f, err := p2p.NewFounding(c)
	if err != nil {
		return err
	}
	s := p2p.ServeFounding(a.host, f, func(r p2p.Registration) error {
		next := *p
		next.Registered = append(slices.Clone(p.Registered), registered{Seat: r.Seat, Peer: r.Peer, Record: r.Record, Token: hex.EncodeToString(r.Token[:])})
		if err := next.save(a.home); err != nil {
			return err
		}
		*p = next
		a.tell(Progress{Have: 1 + len(p.Registered), Want: p.Terms.Seats})
		return nil
	}, nil)
	context.AfterFunc(ctx, func() { _ = s.Close() })
	seats, err := s.Taken(ctx)
	if err != nil {
		return err
	}
	d := Document{Terms: *p.Terms}
	for _, r := range seats {
		record, err := DecodeRecord(r.Record)
		if err != nil {
			return err
		}
		account, err := accountOf(r.Peer)
		if err != nil {
			return err
		}
		d.Members = append(d.Members, Seat{Account: account, Record: record})
	}
	if _, err := d.Genesis(); err != nil {
		return err
	}
	p.Document = &d
	if err := p.save(a.home); err != nil {
		return err
	}
	doc, err := d.Encode()
	if err != nil {
		return err
	}
	s.Publish(doc)
	return nil
}

// serve hands out a document that is complete already.
func (a *arrival) serve(ctx context.Context) error {
	c, err := a.founding()
	if err != nil {
		return err
	}
	f, err := p2p.NewFounding(c)
	if err != nil {
		return err
	}
	s := p2p.ServeFounding(a.host, f, func(p2p.Registration) error { return nil }, nil)
	context.AfterFunc(ctx, func() { _ = s.Close() })
	doc, err := a.plan.Document.Encode()
	if err != nil {
		return err
	}
	s.Publish(doc)
	return nil
}

// register is the joiner's side.
func (a *arrival) register(ctx context.Context) error {
	inv, err := p2p.ParseInvitation(a.plan.Invitation)
	if err != nil {
		return err
	}
	record, err := a.record()
	if err != nil {
		return err
	}
	check := func(b []byte) error {
		d, err := DecodeDocument(b)
		if err != nil {
			return err
		}
		if hash, err := d.Terms.Hash(); err != nil || hash != inv.Hash {
			return errors.New("the founder's terms are not those of the invitation")
		}
		for _, m := range d.Members {
			own, err := m.Record.Encode()
			if err == nil && m.Account == a.secrets.Account() && slices.Equal(own, record) {
				return nil
			}
		}
		return errors.New("the founder's document does not list this member as it registered")
	}
	var addrs []string
	for _, addr := range inv.Inviter.Addrs {
		addrs = append(addrs, addr.String())
	}
	joined, err := p2p.JoinNetwork(ctx, a.host, p2p.JoiningConfig{Invitation: inv, Record: record, Check: check}, func(w p2p.Waiting) {
		if ctx.Err() == nil {
			a.tell(progressOf(w, addrs))
		}
	})
	if err != nil {
		return fmt.Errorf("join %s: %w", inv.Network, err)
	}
	d, err := DecodeDocument(joined.Document)
	if err != nil {
		return err
	}
	a.plan.Document = &d
	return a.plan.save(a.home)
}

// progressOf puts what a joiner meets into words; founder is where it asks. While seats
// are empty the founder answers with how many are not, which is newer than what it said
// at registration.
func progressOf(w p2p.Waiting, founder []string) Progress {
	g := Progress{Have: w.Have, Want: w.Want}
	if errors.Is(w.Err, p2p.ErrUnreachable) {
		g.Waiting = fmt.Sprintf("the founder does not answer at %s: is its node running, and can this machine reach it?", strings.Join(founder, " or "))
		return g
	}
	var remote *p2p.RemoteError
	if !errors.As(w.Err, &remote) || remote.Code != p2p.CodeNotYet {
		if w.Err != nil {
			g.Waiting = w.Err.Error()
		}
		return g
	}
	var have, want int
	if _, err := fmt.Sscanf(remote.Message, "%d of %d members", &have, &want); err == nil && want == g.Want && have >= g.Have && have <= want {
		g.Have = have
	}
	if g.Have == g.Want {
		g.Waiting = "all members are here; the founder makes the founding document"
	}
	return g
}

// record is what a founding member says of itself.
func (a *arrival) record() ([]byte, error) {
	validator, err := ledger.ValidatorKey(a.home.Ledger())
	if err != nil {
		return nil, err
	}
	addrs, err := reachable(a.cfg)
	if err != nil {
		return nil, err
	}
	return Record{Name: a.plan.Name, Validator: curation.Hash(validator), DealKey: dkg.DealKey(a.secrets.Ceremony), Addrs: addrs}.Encode()
}

func identity(s keys.Secrets) (peer.ID, error) {
	key, err := crypto.UnmarshalEd25519PrivateKey(s.Identity)
	if err != nil {
		return "", err
	}
	return peer.IDFromPrivateKey(key)
}

func accountOf(id peer.ID) (curation.Address, error) {
	pub, err := id.ExtractPublicKey()
	if err != nil {
		return curation.Address{}, err
	}
	raw, err := pub.Raw()
	if err != nil || len(raw) != 32 {
		return curation.Address{}, fmt.Errorf("peer %v has no ed25519 identity", id)
	}
	return curation.Address(raw), nil
}
