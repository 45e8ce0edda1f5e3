package drill

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/guardian"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/storage"
)

// network is a whole network in one process: the members' machines, each with its own
// replica of the ledger, and the interface of the first member's node on loopback,
// through which collectors and guardians act.
type network struct {
	chain     curation.Hash
	charter   curation.Charter
	members   []*peer
	ledger    *ledger.Direct
	store     *storage.Store
	client    *api.Client
	collector ed25519.PrivateKey
	guardians []*keeper
	liar      bool  // whoever is drawn for an edition draws another one
	err       error // the first that an effect met
	close     []func()
}

// peer is a member with what survives its crash.
type peer struct {
	index   uint32
	key     ed25519.PrivateKey
	secrets member.Secrets
	// validator signs blocks, also while the member's machine is away: its node runs on.
	validator ed25519.PrivateKey
	journal   []member.Entry
	replica   *curation.Machine
	machine   *member.Machine // nil while it is away
}

// keeper is a guardian with its key.
type keeper struct {
	name string
	key  ed25519.PrivateKey
	self guardian.Guardian
}

func accountOf(key ed25519.PrivateKey) curation.Address {
	return curation.AddressOf(key.Public().(ed25519.PublicKey))
}

func secret() (b [32]byte, err error) {
	_, err = rand.Read(b[:])
	return b, err
}

func newKey() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	return key, err
}

var (
	memberNames   = []string{"Ada", "Bruno", "Chiara", "Dmitri", "Esi", "Farid", "Gita", "Hugo", "Ines", "Jun", "Kofi", "Lena", "Mio", "Nils", "Oya", "Pia"}
	guardianNames = []string{"Quentin", "Rosa", "Sune"}
)

// rules are short enough to walk through every deadline.
func rules(size uint64) curation.Params {
	p := curation.DefaultParams()
	p.DKGPhaseBlocks, p.DKGDisputeBlocks, p.DKGRetryBlocks = 60, 2, 5
	p.KeyEpochBlocks = 60
	p.RequestBlocks, p.GenerateBlocks, p.AuditBlocks = 400, 60, 60
	p.RoundCandidates, p.BackBlocks, p.OpenBlocks, p.MaxPublished = 1, 6, 60, 1
	p.IdentityCapPPM = 1_000_000 // one collector is the whole market here
	p.PictureSize = size
	return p
}

// found makes the genesis and everybody in it.
func found(o Options, dir string) (n *network, err error) {
	n = &network{charter: curation.Charter{Name: "Atelier drill", Text: "We own one artist together, and know what becomes of it when we lose its key."}}
	g := curation.Genesis{Charter: n.charter, Params: rules(o.Size)}
	for i := range o.Members {
		p := &peer{index: uint32(i + 1), replica: curation.NewMachine()}
		if p.key, err = newKey(); err != nil {
			return n, err
		}
		seed, err := secret()
		if err != nil {
			return n, err
		}
		prekeys, err := secret()
		if err != nil {
			return n, err
		}
		if p.validator, err = newKey(); err != nil {
			return n, err
		}
		p.secrets = member.Secrets{Seeds: map[uint64][32]byte{1: seed}, Prekeys: prekeys}
		g.Members = append(g.Members, curation.GenesisMember{Index: p.index, Name: memberNames[i], Account: accountOf(p.key),
			Validator: curation.Hash(p.validator.Public().(ed25519.PublicKey)), DealKey: dkg.DealKey(seed), Power: 1})
		n.members = append(n.members, p)
	}
	if n.collector, err = newKey(); err != nil {
		return n, err
	}
	g.Balances = append(g.Balances, curation.GenesisBalance{Account: accountOf(n.collector), Amount: curve.Credits(10_000)})
	if o.Policy != curation.Mortal {
		g.Succession = curation.Succession{Policy: o.Policy, Threshold: len(guardianNames)/2 + 1, AnswerBlocks: 40}
		if o.Policy == curation.GuardianPolicy {
			g.Succession.DelayBlocks = 12
		} else {
			g.Succession.SilentBlocks = 300
		}
		for _, name := range guardianNames {
			key, err := newKey()
			if err != nil {
				return n, err
			}
			n.guardians = append(n.guardians, &keeper{name, key, guardian.Guardian{Account: accountOf(key), Seeds: map[uint64][32]byte{}}})
			g.Succession.Guardians = append(g.Succession.Guardians, curation.Guardian{Name: name, Account: accountOf(key)})
			g.Balances = append(g.Balances, curation.GenesisBalance{Account: accountOf(key), Amount: curve.Credits(10)})
		}
	}
	g.SortBalances()
	doc, err := g.Bytes()
	if err != nil {
		return n, err
	}
	n.chain = curation.GenesisHash(doc)
	var replicas []ledger.Application
	validators := map[[32]byte]ed25519.PrivateKey{}
	for i, p := range n.members {
		replicas = append(replicas, p.replica)
		validators[g.Members[i].Validator] = p.validator
	}
	sign := func(validator [32]byte, message []byte) []byte { return ed25519.Sign(validators[validator], message) }
	if n.ledger, err = ledger.NewDirect(ledger.DirectConfig{Genesis: doc, Apps: replicas, Sign: sign}); err != nil {
		return n, err
	}
	n.close = append(n.close, func() { _ = n.ledger.Close() })
	if n.store, err = storage.Open(dir, storage.Options{}); err != nil {
		return n, err
	}
	n.close = append(n.close, func() { _ = n.store.Close() })
	for _, p := range n.members {
		n.start(p)
	}
	return n, n.serve()
}

// serve opens the first member's interface on loopback.
func (n *network) serve() error {
	handler, err := api.New(n, api.Options{})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	n.client = api.NewClient(l.Addr().String(), "")
	n.close = append(n.close, func() { n.client.Close(); _ = server.Close(); <-done })
	return nil
}

func (n *network) end() {
	for i := len(n.close) - 1; i >= 0; i-- {
		n.close[i]()
	}
}

// start brings a member up on what it has kept.
func (n *network) start(p *peer) {
	secrets := p.secrets
	secrets.Seeds, secrets.Identity = maps.Clone(p.secrets.Seeds), p.key
	p.machine = member.New(n.chain, secrets, p.journal, rand.Reader)
}

// until lets the members who are there work, block by block, until done.
func (n *network) until(ctx context.Context, what string, done func(curation.View) bool) error {
	for range 3000 {
		if err := errors.Join(ctx.Err(), n.err); err != nil {
			return err
		}
		for _, p := range n.members {
			ok := false
			if err := n.View(func(v curation.View) error { ok = done(v); return nil }); err != nil || ok {
				return err
			}
			n.step(p, member.Committed{})
		}
		if err := n.ledger.Step(1); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s did not happen within 3000 blocks", what)
}

// blocks lets time pass.
func (n *network) blocks(ctx context.Context, count uint64) error {
	last := n.height() + count
	return n.until(ctx, "time", func(v curation.View) bool { return v.Height() >= last })
}

func (n *network) height() (h uint64) {
	_ = n.View(func(v curation.View) error { h = v.Height(); return nil })
	return h
}

func (n *network) step(p *peer, e member.Event) {
	if p.machine == nil {
		return
	}
	var effects []member.Effect
	n.fail(p.replica.View(func(v curation.View) error { effects = p.machine.Step(v, e); return nil }))
	for _, f := range effects {
		n.perform(p, f)
	}
}

func (n *network) fail(err error) {
	if n.err == nil {
		n.err = err
	}
}

// perform does at once what nodes do over libp2p and consensus.
func (n *network) perform(p *peer, f member.Effect) {
	switch f := f.(type) {
	case member.Submit:
		tx, err := n.sign(p.key, f.Payload)
		if err == nil {
			_, err = n.ledger.Submit(context.Background(), tx)
		}
		var refused *ledger.RefusedError
		if !errors.As(err, &refused) { // members bring the same certificate: all but one are refused
			n.fail(err)
		}
	case member.Gossip:
		for _, other := range n.members {
			if other != p {
				n.step(other, member.Approval(f.Approval))
			}
		}
	case member.AskShare:
		n.step(p, n.ask(n.members[f.Member-1], p, f))
	case member.Journal:
		p.journal = append(p.journal, f.Entry)
	case member.KeepSeed:
		p.secrets.Seeds[f.Epoch] = f.Seed
	case member.EraseSeed:
		delete(p.secrets.Seeds, f.Epoch)
	case member.Render:
		done := member.Rendered{RID: f.Artwork.RID, Role: f.Role}
		done.CID, done.PixelRoot, done.Rotate, done.Err = n.draw(f, p)
		n.step(p, done)
	case member.KeepModel:
		kept, err := n.keepModel(f)
		n.fail(err)
		n.step(p, kept)
	case member.Wrap:
		n.step(p, n.wrap(f))
	case member.Keep:
		root, err := cid.Decode(f.CID)
		if err == nil {
			err = n.store.Pin(root, f.Name+"/"+f.RID.String())
		}
		n.fail(err)
		p.machine.Kept(f.RID, f.CID, f.Name)
	}
}

func (n *network) sign(key ed25519.PrivateKey, p curation.Payload) (tx []byte, err error) {
	return tx, n.View(func(v curation.View) error {
		tx, err = curation.Sign(key, n.chain, curation.Body{Nonce: v.Account(accountOf(key)).Nonce, ValidUntil: v.Height() + 50, Payload: p})
		return err
	})
}

func (n *network) ask(giver, reader *peer, f member.AskShare) member.ShareArrived {
	arrived := member.ShareArrived{RID: f.RID, Role: f.Role, Member: f.Member, Err: errors.New("does not answer")}
	if giver.machine == nil {
		return arrived
	}
	n.fail(giver.replica.View(func(v curation.View) error {
		for _, e := range giver.machine.Step(v, member.ReleaseAsked{Ticket: 1, From: accountOf(reader.key), RID: f.RID, Role: f.Role}) {
			switch e := e.(type) {
			case member.Answer:
				arrived.Share, arrived.Err = e.Share, e.Err
			case member.Journal:
				giver.journal = append(giver.journal, e.Entry)
			}
		}
		return nil
	}))
	return arrived
}

// sealArtist seals the genesis artist under the network's key, as its first member.
func (n *network) sealArtist(ctx context.Context) error {
	plain, err := model.Embedded().MarshalBinary()
	if err != nil {
		return err
	}
	p := curation.Seal{Name: "Paper cut", KeyEpoch: 1, PlainHash: sha256.Sum256(plain), PolicyHash: curation.PolicyHash(n.charter)}
	s := member.Sealing{KeyEpoch: p.KeyEpoch}
	if err := n.View(func(v curation.View) error { c, _ := v.Committee(); s.X = c.X(); return nil }); err != nil {
		return err
	}
	s.Label = curation.ModelLabel(n.chain, curation.ModelID(p.PlainHash), p.KeyEpoch, p.PolicyHash, s.X)
	sealed, err := n.seal(s, bytes.NewReader(plain))
	if err != nil {
		return err
	}
	p.ContainerCID, p.ContainerHash, p.ContainerSize, p.Ciphertext = sealed.ContainerCID, sealed.ContainerHash, sealed.ContainerSize, sealed.Ciphertext
	tx, err := n.sign(n.members[0].key, p)
	if err != nil {
		return err
	}
	r, err := n.ledger.Submit(ctx, tx)
	if err == nil && r.Result.Code != curation.CodeOK {
		err = errors.New(r.Result.Log)
	}
	return err
}

// tempDir is where the drill keeps its store.
func tempDir() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "atelier-drill-*")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}
