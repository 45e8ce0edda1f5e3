package founding

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/storage/strictjson"
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
