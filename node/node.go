// Package node is one member of the network as a running program: the only place
// where the parts meet, where goroutines start, and where effects touch disk and
// network.
//
// One libp2p host serves consensus, gossip, bitswap and our own streams. The
// ledger (node/ledger) drives the state machine (curation); a single goroutine, the
// actor, drives the member's protocols (node/member) and performs what they ask
// for; the HTTP interface (node/api) reads the state machine's view and submits
// signed transactions. Open opens everything that lies on disk, Run runs it until
// its context ends, and returns when all of it has ended.
package node

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"golang.org/x/sync/errgroup"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/config"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/p2p"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/storage"
)

// ErrNotMember reports a home whose identity is not among the network's members.
var ErrNotMember = errors.New("this home's identity is not a member of the network")

// Options are what a caller adds to the configuration in the home.
type Options struct {
	Passphrase string // of the key file; empty uses the kept one
	Logger     *slog.Logger
	// Founding hears how the founding goes, before there is a ledger.
	Founding func(founding.Progress)
	// SignUnrecorded has a restored member vote without observing first; see
	// ledger.Config.
	SignUnrecorded bool
}

// Node is a member that runs. Its methods may be used by several goroutines once
// Ready is closed.
type Node struct {
	home    home.Home
	cfg     config.Config
	log     *slog.Logger
	secrets keys.Secrets
	opts    Options
	unlock  func() error

	host   *p2p.Host
	roster *p2p.Roster
	store  *storage.Store
	shelf  *tastes.Shelf // of the store

	// Set once the network is founded, before ready is closed.
	plan      founding.Plan
	genesis   curation.Genesis
	chain     curation.Hash
	group     group                              // see membership.go
	planning  sync.Mutex                         // one write of the plan at a time
	departed  atomic.Pointer[founding.Departure] // see departure.go; nil as far as this node knows
	members   atomic.Pointer[[]curation.Member]  // all there ever were, as of the last block that changed them
	machine   *curation.Machine
	engine    *ledger.Engine
	exchange  *storage.Exchange
	keeper    *p2p.Keeper
	pulse     *pulse
	actor     *actor // set before ready is closed
	gossip    *p2p.Gossip
	approvals *p2p.Topic[quorum.Approval]

	ready      chan struct{}
	started    time.Time
	apiAddress string
	token      string                        // opens what only the owner of the home may do over HTTP
	holder     atomic.Pointer[member.Holder] // what the member holds of the committee in force
	pictures   atomic.Pointer[joining]       // see pictures.go; nil when this member does not train
	judged     atomic.Pointer[member.Summed] // what the member found of the last version that a training made; nil before

	submitting sync.Mutex // one submission at a time in this node, so that nonces follow each other
	sealing    sync.Mutex // one sealing at a time
}

// Open takes the home: its lock, configuration, keys, libp2p ports and store. The
// caller Runs or Closes the node.
func Open(h home.Home, cfg config.Config, opts Options) (n *Node, err error) {
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Founding == nil {
		opts.Founding = func(founding.Progress) {}
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	plan, err := founding.Read(h)
	if err != nil {
		return nil, err
	}
	var token [16]byte
	if _, err := rand.Read(token[:]); err != nil {
		return nil, err
	}
	n = &Node{home: h, cfg: cfg, token: hex.EncodeToString(token[:]), log: opts.Logger, opts: opts, ready: make(chan struct{}), started: time.Now()}
	if n.unlock, err = h.Lock(); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if n.secrets, err = keys.Load(string(h), opts.Passphrase); err != nil {
		return n, err
	}
	if n.store, err = storage.Open(h.Store(), storage.Options{Quota: cfg.Storage.QuotaMiB << 20}); err != nil {
		return n, err
	}
	n.shelf = tastes.NewShelf(n.store)
	if err = n.listen(plan); err != nil {
		return n, err
	}
	return n, nil
}

// listen starts the libp2p host. It lets in the members; a founder who still waits
// for members lets in everybody, who then prove themselves by their tokens. So does a
// member that has invited somebody, later; see door.
func (n *Node) listen(plan founding.Plan) error {
	key, err := libp2pKey(n.secrets.Identity)
	if err != nil {
		return err
	}
	n.roster = p2p.NewRoster()
	c := p2p.Default()
	c.Key, c.Listen, c.Announce, c.Allow, c.Speaks = key, n.cfg.Network.Listen, n.cfg.Network.Announce, n.roster.Admits, n.roster.Speaks
	c.MDNS, c.DHT = n.cfg.Network.MDNS, true
	c.Memory = 128 << 20
	switch {
	case plan.Document != nil:
		c.Network = plan.Document.Terms.Network
	case plan.Terms != nil:
		c.Network = plan.Terms.Network
		n.roster.SetOpen(plan.Terms.Seats > 1)
	default:
		inv, err := p2p.ParseInvitation(plan.Invitation)
		if err != nil {
			return err
		}
		c.Network = inv.Network
		n.roster.Add(inv.Inviter.ID)
	}
	if n.host, err = p2p.New(c); err != nil {
		return err
	}
	return nil
}

// Close gives back what Open took. After Run it does nothing more.
func (n *Node) Close() error {
	var errs []error
	if n.host != nil {
		errs = append(errs, n.host.Close())
	}
	if n.store != nil {
		errs = append(errs, n.store.Close())
	}
	if n.unlock != nil {
		errs = append(errs, n.unlock())
	}
	n.host, n.store, n.unlock = nil, nil, nil
	return errors.Join(errs...)
}

// Ready is closed when the network is founded and the node serves its ledger.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// Run founds or joins the network if need be, then takes part in it until ctx ends. It
// returns nil when ctx ended it. The node is closed when it returns.
func (n *Node) Run(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, n.Close()) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if n.plan, err = founding.Run(ctx, n.home, n.cfg, n.secrets, n.host, n.roster, n.opts.Founding); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	if err := n.assemble(); err != nil {
		return err
	}
	return n.serve(ctx)
}

// assemble makes the parts that need the genesis.
func (n *Node) assemble() error {
	doc, err := n.home.ReadGenesis()
	if err != nil {
		return err
	}
	if n.genesis, err = curation.ParseGenesis(doc); err != nil {
		return err
	}
	n.chain = curation.GenesisHash(doc)
	founder := slices.ContainsFunc(n.genesis.Members, func(m curation.GenesisMember) bool { return m.Account == n.secrets.Account() })
	if !founder && n.plan.Admission == nil {
		return fmt.Errorf("%w %q: %s holds another identity", ErrNotMember, n.genesis.Charter.Name, n.home)
	}
	n.machine = curation.NewMachine()
	if n.engine, err = ledger.New(ledger.Config{
		Home: n.home.Ledger(), Genesis: doc,
		Host: n.host.Shared(), App: n.machine, Profile: n.profile(), Allow: n.roster.Has,
		BlockInterval: time.Duration(n.cfg.Ledger.BlockInterval), EmptyBlockInterval: time.Duration(n.cfg.Ledger.EmptyBlockInterval),
		SignUnrecorded: n.opts.SignUnrecorded,
		Logger:         n.log.With("component", "ledger"),
	}); err != nil {
		return err
	}
	n.keeper = p2p.NewKeeper(n.host, p2p.DialerConfig{Self: n.host.ID()}, 0)
	n.pulse = newPulse(n.host, n.verifyHeartbeat)
	// From here on the roster lists the members alone. A joiner that missed the
	// founding document still reaches its founder, being one of them.
	n.group.left = map[uint32]uint64{}
	n.departed.Store(n.plan.Departed)
	n.roster.SetSpoken(spokenAtTheDoor...)
	n.roster.SetOpen(false)
	if err := n.regroup(); err != nil {
		return err
	}
	n.exchange = storage.NewExchange(n.host, n.store, storage.ExchangeOptions{MaxBytes: model.MaxContainer})
	topic := "/atelier/" + hex.EncodeToString(n.chain[:8]) + "/approval/2"
	if n.gossip, err = p2p.NewGossip(n.host, p2p.GossipConfig{Topics: []string{topic}, Author: n.roster.Has, MaxMessage: quorum.ApprovalSize}); err != nil {
		return err
	}
	// An approval is sent again until its request is certified, so each height
	// makes it a new message.
	heights := p2p.WithRounds(func() uint64 { return n.engine.Status().Height }, 64, 64)
	n.approvals, err = p2p.Join(n.gossip, topic, approvalCodec, n.judge, heights)
	return err
}

// judge is the cheap check of a gossiped approval before it is passed on: that its
// author has the seat that it names, in the committee of the statement, which serves
// requests. It is no fault of the author's when not: its ledger may be ahead of ours, or
// behind. What the approval says is checked by the member's machine. An approval of
// another statement than the ledger's is passed on: it shows to all who made it.
func (n *Node) judge(_ context.Context, from peer.ID, a quorum.Approval) p2p.Verdict {
	account, err := accountOf(from)
	if err != nil || a.Statement.Chain != n.chain {
		return p2p.Reject
	}
	verdict := p2p.Ignore
	_ = n.machine.View(func(v curation.View) error { // fails before there is a state: ignored
		if speaksFor(v, account, a.Statement.Epoch, a.Member) {
			verdict = p2p.Accept
		}
		return nil
	})
	return verdict
}

// speaksFor says whether somebody has a seat in the committee of an epoch, and that
// serves requests.
func speaksFor(v curation.View, author curation.Address, epoch uint64, seat uint32) bool {
	m, ok := v.MemberOf(author)
	c, active := v.Committee()
	return ok && active && seat != 0 && epoch >= v.OldestWork() && epoch <= c.Epoch() && v.SeatsAt(epoch).Of(m.Index) == seat
}

// Chain is the genesis hash, once Ready is closed.
func (n *Node) Chain() curation.Hash { return n.chain }

// Invite returns the next unused invitation of the network that a home founds, and
// the seat it is for.
func Invite(h home.Home, passphrase string) (text string, seat int, err error) {
	cfg, err := config.Load(string(h), func(string) (string, bool) { return "", false })
	if err != nil {
		return "", 0, err
	}
	secrets, err := keys.Load(string(h), passphrase)
	if err != nil {
		return "", 0, err
	}
	return founding.Invite(h, cfg, secrets)
}

func (n *Node) profile() ledger.Profile {
	switch {
	case n.cfg.Ledger.Profile != "auto":
		return ledger.Profile(n.cfg.Ledger.Profile)
	case len(n.genesis.Members) == 1 && n.plan.Known == nil: // nobody has joined since
		return ledger.ProfileSolo
	}
	return ledger.ProfileLAN
}

// serve runs the parts until ctx ends or one fails.
func (n *Node) serve(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, n.exchange.Close(), n.approvals.Close(), n.gossip.Close()) }()
	j, entries, err := openJournal(n.home.Journal(), n.params().RequestBlocks)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	m := member.New(n.chain, member.Secrets{Seeds: n.secrets.Seeds(), Prekeys: n.secrets.Prekeys, Identity: n.secrets.Identity}, entries, rand.Reader)
	a := newActor(n, m, j)
	n.actor = a
	release := p2p.Handle(n.host, releaseProtocol, a.answerRelease, nil)
	defer release.Close()
	heartbeat := p2p.Handle(n.host, heartbeatProtocol, func(_ context.Context, from peer.ID, nonce []byte) ([]byte, error) {
		return answerHeartbeat(n.holder.Load, from, nonce)
	}, nil)
	defer heartbeat.Close()
	masked := p2p.Handle(n.host, maskedProtocol, n.answerMasked, nil)
	defer masked.Close()
	server, err := n.listenHTTP()
	if err != nil {
		return err
	}
	close(n.ready)

	g, ctx := errgroup.WithContext(ctx)
	var failed error // why the ledger ended, which others notice before it says so
	g.Go(func() error {
		failed = n.engine.Run(ctx)
		return failed
	})
	for name, run := range map[string]func(context.Context) error{
		"member": a.run, "approvals": a.listen, "api": server, "provider": n.provideAll, "pulse": n.pulse.run,
		"trainer": a.trainer.run, "members": n.follow, "door": newDoor(n).run, "standing": n.wonder,
		"peers": func(ctx context.Context) error { _ = n.keeper.Run(ctx); return nil },
	} {
		g.Go(func() error {
			if err := run(ctx); err != nil && ctx.Err() == nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	if err := g.Wait(); failed == nil {
		return err
	}
	return failed
}

// params are the rules of this network.
func (n *Node) params() curation.Params { return n.genesis.Params }

// RefusedError is a transaction that the ledger refused.
type RefusedError struct {
	Code   curation.Code
	Reason string
}

func (e *RefusedError) Error() string { return "refused by the ledger: " + e.Reason }

// SubmitAs signs a payload with an account's key and waits until the ledger has
// taken it.
func (n *Node) SubmitAs(ctx context.Context, key ed25519.PrivateKey, p curation.Payload) error {
	_, err := n.submitAs(ctx, key, p)
	return err
}

// validFor is how many blocks a transaction of this node may wait.
const validFor = 100

func (n *Node) submitAs(ctx context.Context, key ed25519.PrivateKey, p curation.Payload) (ledger.Receipt, error) {
	n.submitting.Lock()
	defer n.submitting.Unlock()
	account := curation.AddressOf(key.Public().(ed25519.PublicKey))
	for try := 0; ; try++ {
		var nonce, height uint64
		if err := n.machine.View(func(v curation.View) error {
			nonce, height = v.Account(account).Nonce, v.Height()
			return nil
		}); err != nil {
			return ledger.Receipt{}, err
		}
		tx, err := curation.Sign(key, n.chain, curation.Body{Nonce: nonce, ValidUntil: height + validFor, Payload: p})
		if err != nil {
			return ledger.Receipt{}, err
		}
		r, err := n.engine.Submit(ctx, tx)
		result := r.Result
		var refused *ledger.RefusedError
		if errors.As(err, &refused) {
			result, err = refused.Result, nil
		}
		switch {
		case err != nil:
			return r, err
		case result.Code == curation.CodeOK:
			return r, nil
		case result.Code == curation.CodeNonce && try < 20:
			// Another transaction of the account came first: wait for its block.
			if err := n.engine.WaitHeight(ctx, height+1); err != nil {
				return r, err
			}
		default:
			return r, &RefusedError{result.Code, result.Log}
		}
	}
}
