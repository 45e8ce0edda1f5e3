package founding

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
	"github.com/atelier-dao/atelier/strictjson"
)

// Plan is founding.json: how this home came to its network. It is complete before
// the first start, so a crash at any time loses nothing.
type Plan struct {
	Name string `json:"name"` // of this member
	// Invitation is a joiner's; a founder has Terms instead.
	Invitation string `json:"invitation,omitempty"`
	Terms      *Terms `json:"terms,omitempty"`
	// Tokens are one for each further seat, in hex. How many of them were printed
	// stands in a file of its own, because the node may be running meanwhile.
	Tokens []string `json:"tokens,omitempty"`
	// Registered are the seats taken so far, without the founder's.
	Registered []registered `json:"registered,omitempty"`
	// Document is set once all seats are taken, or when a network that runs welcomes
	// this home.
	Document *Document `json:"document,omitempty"`
	// Admission is of a home that joins a network which runs.
	Admission *Admission `json:"admission,omitempty"`
	// Known is who the members are when they are not the founders of Document any more.
	Known *Known `json:"known,omitempty"`
	// Departed is set when the member has left and its ledger does not show it.
	Departed *Departure `json:"departed,omitempty"`
}

type registered struct {
	Seat   int             `json:"seat"`
	Peer   peer.ID         `json:"peer"`
	Record json.RawMessage `json:"record"`
	Token  string          `json:"token"`
}

// ErrNoPlan reports a home that neither founded nor joined a network.
var ErrNoPlan = errors.New("this home belongs to no network: make one with `atelier network create` or join one with `atelier member join`")

// Read loads the plan of a home.
func Read(h home.Home) (Plan, error) {
	var p Plan
	b, err := os.ReadFile(h.Founding())
	if errors.Is(err, os.ErrNotExist) {
		return p, ErrNoPlan
	} else if err != nil {
		return p, err
	}
	if err := strictjson.Unmarshal(b, &p); err != nil {
		return p, fmt.Errorf("%s is damaged: %w", h.Founding(), err)
	}
	return p, nil
}

func (p Plan) save(h home.Home) error { return home.Save(h.Founding(), p) }

// Create makes the founder's home: keys, configuration and plan. With one seat the
// genesis is there at once.
func Create(h home.Home, cfg config.Config, passphrase, name string, t Terms) error {
	if err := t.Validate(); err != nil {
		return err
	}
	plan := Plan{Name: name, Terms: &t}
	for range t.Seats - 1 {
		token, err := p2p.NewToken(rand.Reader)
		if err != nil {
			return err
		}
		plan.Tokens = append(plan.Tokens, hex.EncodeToString(token[:]))
	}
	return settle(h, cfg, passphrase, plan)
}

// Join makes a joiner's home from an invitation. The node registers with the
// founder, or applies to the members, when it starts. A home whose application came to
// nothing, or whose member has left, may apply again with a new invitation.
func Join(h home.Home, cfg config.Config, passphrase, name, invitation string) (p2p.Invitation, error) {
	inv, err := p2p.ParseInvitation(invitation)
	if err != nil {
		return inv, err
	}
	if inv.Kind == p2p.ToFound {
		return inv, settle(h, cfg, passphrase, Plan{Name: name, Invitation: invitation})
	}
	if before, err := Read(h); err == nil && before.appliesAgain(inv) {
		return inv, again(h, passphrase, before, name, invitation)
	}
	return inv, settle(h, cfg, passphrase, Plan{Name: name, Invitation: invitation, Admission: &Admission{}})
}

// appliesAgain says whether a home with this plan may use an invitation: one to its own
// network.
func (p Plan) appliesAgain(inv p2p.Invitation) bool {
	if chain, err := p.Chain(); err == nil {
		return chain == curation.Hash(inv.Hash)
	}
	before, err := p2p.ParseInvitation(p.Invitation)
	return err == nil && before.Kind == p2p.ToJoin && before.Hash == inv.Hash
}

func again(h home.Home, passphrase string, p Plan, name, invitation string) (err error) {
	if err := curation.ValidateName(name); err != nil {
		return fmt.Errorf("member's %w", err)
	}
	unlock, err := h.Lock()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := p.mayApply(h, passphrase); err != nil {
		return err
	}
	p.Name, p.Invitation, p.Admission, p.Departed = name, invitation, &Admission{}, nil
	return p.save(h)
}

// ErrMember reports a home whose member needs no invitation.
var ErrMember = errors.New("has a member that has not left, and needs no invitation")

// mayApply refuses a home whose member has not left, as far as its ledger goes and
// others have told it: it would use an invitation up for nothing.
func (p Plan) mayApply(h home.Home, passphrase string) error {
	if p.Departed != nil || p.Admission != nil && !p.Admission.Admitted {
		return nil
	}
	secrets, err := keys.Load(string(h), passphrase)
	if err != nil {
		return err
	}
	refuse := func(height uint64) error {
		return fmt.Errorf("%s %w: its ledger ends at height %d. Start its node instead; if the members have let it go since, that says so after a while, and then this home may join again. For another member, choose another --home; the invitation is not used", h, ErrMember, height)
	}
	document, err := p.Document.Genesis()
	if err != nil {
		return err
	}
	m := curation.NewMachine()
	if err := ledger.Inspect(h.Ledger(), document, m); errors.Is(err, fs.ErrNotExist) {
		return refuse(0)
	} else if err != nil {
		return err
	}
	return m.View(func(v curation.View) error {
		if m, ok := v.MemberOf(secrets.Account()); ok && m.Standing == curation.StandingLeft {
			return nil
		}
		return refuse(v.Height())
	})
}

// Restore makes a home of a plan whose network is founded already, with the secrets
// that its member had.
func Restore(h home.Home, cfg config.Config, passphrase string, plan Plan, secrets keys.Secrets) error {
	if plan.Document == nil {
		return ErrNoPlan
	}
	genesis, err := plan.Document.Genesis()
	if err != nil {
		return err
	}
	if err := furnish(h, cfg, passphrase, secrets); err != nil {
		return err
	}
	if err := keys.WriteFile(h.Genesis(), genesis, 0o600); err != nil {
		return err
	}
	if len(plan.Tokens) > 0 { // all seats are taken
		if err := home.Save(h.Invited(), len(plan.Tokens)); err != nil {
			return err
		}
	}
	return plan.save(h)
}

func settle(h home.Home, cfg config.Config, passphrase string, plan Plan) error {
	if err := curation.ValidateName(plan.Name); err != nil {
		return fmt.Errorf("member's %w", err)
	}
	if _, err := os.Stat(h.Founding()); err == nil {
		return fmt.Errorf("%s belongs to a network already: choose another with --home", h)
	}
	secrets, err := keys.New(rand.Reader)
	if err != nil {
		return err
	}
	if err := furnish(h, cfg, passphrase, secrets); err != nil {
		return err
	}
	return plan.save(h)
}

// furnish puts configuration and keys into a home.
func furnish(h home.Home, cfg config.Config, passphrase string, secrets keys.Secrets) error {
	if err := cfg.Validate(); err != nil {
		return err
	}
	if err := h.Make(); err != nil {
		return err
	}
	listen, err := fixPorts(cfg.Network.Listen)
	if err != nil {
		return err
	}
	cfg.Network.Listen = listen
	if err := keys.Save(string(h), passphrase, secrets); err != nil {
		return err
	}
	return cfg.Write(string(h))
}

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
	switch {
	case plan.Admission != nil:
		if !plan.Admission.Admitted {
			err = plan.apply(ctx, h, cfg, secrets, host, roster, tell)
		}
	case plan.Document == nil && plan.Terms != nil:
		err = plan.gather(ctx, h, cfg, secrets, host, tell)
	case plan.Document == nil:
		err = plan.register(ctx, h, cfg, secrets, host, tell)
	case plan.Terms != nil && plan.Terms.Seats > 1:
		// A joiner that was away when the document was handed out asks again.
		err = plan.serve(ctx, host, h, secrets, cfg)
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

func (p *Plan) config(secrets keys.Secrets, h home.Home, cfg config.Config) (p2p.FoundingConfig, error) {
	charter, err := p.Terms.Hash()
	if err != nil {
		return p2p.FoundingConfig{}, err
	}
	id, err := identity(secrets)
	if err != nil {
		return p2p.FoundingConfig{}, err
	}
	record, err := ownRecord(h, cfg, secrets, p.Name)
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
func (p *Plan) gather(ctx context.Context, h home.Home, cfg config.Config, secrets keys.Secrets, host host.Host, tell func(Progress)) error {
	c, err := p.config(secrets, h, cfg)
	if err != nil {
		return err
	}
	tell(Progress{Have: 1 + len(p.Registered), Want: p.Terms.Seats})
	f, err := p2p.NewFounding(c)
	if err != nil {
		return err
	}
	s := p2p.ServeFounding(host, f, func(r p2p.Registration) error {
		next := *p
		next.Registered = append(slices.Clone(p.Registered), registered{Seat: r.Seat, Peer: r.Peer, Record: r.Record, Token: hex.EncodeToString(r.Token[:])})
		if err := next.save(h); err != nil {
			return err
		}
		*p = next
		tell(Progress{Have: 1 + len(p.Registered), Want: p.Terms.Seats})
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
	if err := p.save(h); err != nil {
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
func (p *Plan) serve(ctx context.Context, host host.Host, h home.Home, secrets keys.Secrets, cfg config.Config) error {
	c, err := p.config(secrets, h, cfg)
	if err != nil {
		return err
	}
	f, err := p2p.NewFounding(c)
	if err != nil {
		return err
	}
	s := p2p.ServeFounding(host, f, func(p2p.Registration) error { return nil }, nil)
	context.AfterFunc(ctx, func() { _ = s.Close() })
	doc, err := p.Document.Encode()
	if err != nil {
		return err
	}
	s.Publish(doc)
	return nil
}

// register is the joiner's side.
func (p *Plan) register(ctx context.Context, h home.Home, cfg config.Config, secrets keys.Secrets, host host.Host, tell func(Progress)) error {
	inv, err := p2p.ParseInvitation(p.Invitation)
	if err != nil {
		return err
	}
	record, err := ownRecord(h, cfg, secrets, p.Name)
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
			if err == nil && m.Account == secrets.Account() && slices.Equal(own, record) {
				return nil
			}
		}
		return errors.New("the founder's document does not list this member as it registered")
	}
	var addrs []string
	for _, a := range inv.Inviter.Addrs {
		addrs = append(addrs, a.String())
	}
	joined, err := p2p.JoinNetwork(ctx, host, p2p.JoiningConfig{Invitation: inv, Record: record, Check: check}, func(w p2p.Waiting) {
		if ctx.Err() == nil {
			tell(progressOf(w, addrs))
		}
	})
	if err != nil {
		return fmt.Errorf("join %s: %w", inv.Network, err)
	}
	d, err := DecodeDocument(joined.Document)
	if err != nil {
		return err
	}
	p.Document = &d
	return p.save(h)
}

// progressOf puts what a joiner meets into words; founder is where it asks. While seats are empty the founder
// answers with how many are not, which is newer than what it said at registration.
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

func ownRecord(h home.Home, cfg config.Config, secrets keys.Secrets, name string) ([]byte, error) {
	validator, err := ledger.ValidatorKey(h.Ledger())
	if err != nil {
		return nil, err
	}
	addrs, err := reachable(cfg)
	if err != nil {
		return nil, err
	}
	return Record{Name: name, Validator: curation.Hash(validator), DealKey: dkg.DealKey(secrets.Ceremony), Addrs: addrs}.Encode()
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
