// Package apitest founds a small network in memory for the tests of the interface
// and the gallery. Ledger, ceremony, certificates, seeds, sealed orders and store
// are the real ones, driven block by block on the test's goroutine; only the
// pictures come from a formula instead of a model.
package apitest

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage"
)

// Studio is a network whose members all live here, seen from its first member's
// node. It is an api.Backend; those methods may be called from any goroutine, the
// others from the test's.
type Studio struct {
	t       testing.TB
	machine *curation.Machine
	ledger  *ledger.Direct
	store   *storage.Store
	chain   curation.Hash
	genesis []byte
	people  []*person
	writing sync.Mutex // guards the journals of people
	likes   bool       // members compute the taste
	skew    bool       // auditors find other pixels
	most    uint64     // edge of the largest edition whose file members keep; 0 for any
	trains  api.OwnTraining

	signing    sync.Mutex // guards the keys of validators
	validators map[[32]byte]ed25519.PrivateKey
}

type person struct {
	index   uint32 // its number; 0 as long as it is not admitted
	key     ed25519.PrivateKey
	machine *member.Machine
	journal []member.Entry
	mute    func(curation.Payload) bool // what it does not send; nil when it sends all
}

var _ api.Backend = (*Studio)(nil)

// Key is the key of an account with that name. Vera and Walid have 10,000 credits
// each, the members 1,000.
func Key(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("apitest " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// Address is the account of that name.
func Address(name string) curation.Address {
	return curation.AddressOf(Key(name).Public().(ed25519.PublicKey))
}

// New opens a network of n members whose ceremony has not begun. tune, unless nil,
// changes its rules.
func New(t testing.TB, n int, tune func(*curation.Params)) *Studio {
	t.Helper()
	return Found(t, n, func(g *curation.Genesis) {
		if tune != nil {
			tune(&g.Params)
		}
	})
}

// Found is New of a genesis that tune changes.
func Found(t testing.TB, n int, tune func(*curation.Genesis)) *Studio {
	t.Helper()
	p := curation.DefaultParams()
	p.DKGPhaseBlocks, p.DKGDisputeBlocks = 40, 2
	p.GenerateBlocks, p.AuditBlocks, p.RequestBlocks = 20, 20, 400
	p.RoundCandidates, p.RoundMax, p.BackBlocks, p.OpenBlocks, p.MaxPublished = 3, 8, 12, 40, 1
	p.PictureSize = 64
	s := &Studio{t: t, machine: curation.NewMachine(), validators: map[[32]byte]ed25519.PrivateKey{}}
	g := curation.Genesis{Charter: curation.Charter{Name: "Test studio", Text: "We own one artist together."}, Params: p}
	var secrets []member.Secrets
	for i := uint32(1); i <= uint32(n); i++ {
		name := fmt.Sprintf("Member %d", i)
		secret := member.Secrets{Seeds: map[uint64][32]byte{1: sha256.Sum256([]byte(name + " ceremony"))}, Prekeys: sha256.Sum256([]byte(name + " prekeys")), Identity: Key(name)}
		secrets = append(secrets, secret)
		g.Members = append(g.Members, curation.GenesisMember{Index: i, Name: name, Account: Address(name),
			Validator: curation.Hash(Address(name + " validator")), DealKey: dkg.DealKey(secret.Seeds[1]), Power: 1})
		g.Balances = append(g.Balances, curation.GenesisBalance{Account: Address(name), Amount: curve.Credits(1000)})
		s.votes(name)
	}
	for _, name := range []string{"Vera", "Walid"} {
		g.Balances = append(g.Balances, curation.GenesisBalance{Account: Address(name), Amount: curve.Credits(10_000)})
	}
	tune(&g)
	g.SortBalances()
	var err error
	s.genesis, err = g.Bytes()
	require.NoError(t, err)
	s.chain = curation.GenesisHash(s.genesis)
	s.ledger, err = ledger.NewDirect(ledger.DirectConfig{Genesis: s.genesis, Apps: []ledger.Application{s.machine}, Sign: s.sign})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.ledger.Close()) })
	s.store, err = storage.Open(t.TempDir(), storage.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.store.Close()) })
	for i, m := range g.Members {
		s.people = append(s.people, &person{index: m.Index, key: Key(m.Name), machine: member.New(s.chain, secrets[i], nil, rand.Reader)})
	}
	return s
}

// votes makes the validator of the member of that name sign blocks.
func (s *Studio) votes(name string) {
	s.signing.Lock()
	defer s.signing.Unlock()
	s.validators[Address(name+" validator")] = Key(name + " validator")
}

func (s *Studio) sign(validator [32]byte, message []byte) []byte {
	s.signing.Lock()
	defer s.signing.Unlock()
	if key, known := s.validators[validator]; known {
		return ed25519.Sign(key, message)
	}
	return nil
}

// Export is the ledger as its validators signed it.
func (s *Studio) Export() []byte {
	s.t.Helper()
	x, err := s.ledger.Export(1)
	require.NoError(s.t, err)
	var b bytes.Buffer
	require.NoError(s.t, x.Write(s.t.Context(), &b))
	return b.Bytes()
}

// Open is New after the ceremony, with an artist sealed and prekeys on the ledger.
func Open(t testing.TB, n int, tune func(*curation.Params)) *Studio {
	t.Helper()
	s := New(t, n, tune)
	s.Run("the ceremony", func(v curation.View) bool {
		_, ok := v.Committee()
		return ok
	})
	_, err := s.SealModel(t.Context(), api.SealOptions{}, func(api.SealProgress) {})
	require.NoError(t, err)
	s.Run("prekeys", func(v curation.View) bool {
		for _, m := range v.Members() {
			if m.Prekeys() == 0 {
				return false
			}
		}
		return true
	})
	return s
}

// Read shows the committed state.
func (s *Studio) Read(read func(curation.View)) {
	s.t.Helper()
	require.NoError(s.t, s.machine.View(func(v curation.View) error { read(v); return nil }))
}

// Artwork is the present record of a request.
func (s *Studio) Artwork(rid curation.Hash) (a curation.Artwork) {
	s.t.Helper()
	s.Read(func(v curation.View) {
		var ok bool
		a, ok = v.Artwork(rid)
		require.True(s.t, ok)
	})
	return a
}

// Chain is the genesis hash.
func (s *Studio) Chain() curation.Hash { return s.chain }

// Genesis is the founding document.
func (s *Studio) Genesis() []byte { return s.genesis }

// Blocks lets time pass without the members doing anything.
func (s *Studio) Blocks(n int) {
	s.t.Helper()
	require.NoError(s.t, s.ledger.Step(n))
}

// Run lets the members work, block by block, until done.
func (s *Studio) Run(what string, done func(curation.View) bool) {
	s.t.Helper()
	met := func() (ok bool) {
		s.Read(func(v curation.View) { ok = done(v) })
		return ok
	}
	for range 200 {
		for _, p := range s.people {
			if met() { // one member's step goes no further than one status
				return
			}
			s.learn(p)
			s.step(p, member.Committed{})
		}
		s.Blocks(1)
	}
	require.FailNow(s.t, "the network never came to "+what)
}

// Reach lets the members work until the artwork has that status.
func (s *Studio) Reach(rid curation.Hash, status curation.Status) curation.Artwork {
	s.t.Helper()
	s.Run(string(status), func(v curation.View) bool {
		a, _ := v.Artwork(rid)
		return a.Status == status
	})
	return s.Artwork(rid)
}

// Sign makes a transaction of an account at its next nonce.
func (s *Studio) Sign(key ed25519.PrivateKey, p curation.Payload) []byte {
	s.t.Helper()
	var tx []byte
	s.Read(func(v curation.View) {
		var err error
		nonce := v.Account(curation.AddressOf(key.Public().(ed25519.PublicKey))).Nonce
		tx, err = curation.Sign(key, s.chain, curation.Body{Nonce: nonce, ValidUntil: v.Height() + 50, Payload: p})
		require.NoError(s.t, err)
	})
	return tx
}

// Submit puts a payload of the named account on the ledger, which must take it.
func (s *Studio) Submit(name string, p curation.Payload) {
	s.t.Helper()
	s.take(s.Sign(Key(name), p))
}

func (s *Studio) take(tx []byte) ledger.Receipt {
	s.t.Helper()
	r, err := s.ledger.Submit(s.t.Context(), tx)
	require.NoError(s.t, err)
	require.Equal(s.t, curation.CodeOK, r.Result.Code, r.Result.Log)
	return r
}

// Request asks for a picture as the named account and returns the request's id.
func (s *Studio) Request(name, prompt string) curation.Hash {
	s.t.Helper()
	var model curation.Hash
	s.Read(func(v curation.View) {
		m, ok := v.Model()
		require.True(s.t, ok)
		model = m.ID
	})
	tx := s.Sign(Key(name), curation.Request{Prompt: prompt, ModelID: model})
	r := s.take(tx)
	decoded, err := curation.Decode(tx)
	require.NoError(s.t, err)
	return curation.RequestID(decoded.BodyHash(), r.Height, int(r.Index))
}

// Back seals an order of the named account in the running round.
func (s *Studio) Back(name string, rid curation.Hash, credits uint64) {
	s.t.Helper()
	var order curation.SealedOrder
	s.Read(func(v curation.View) {
		round, ok := v.RunningRound()
		require.True(s.t, ok)
		c, _ := v.Committee()
		open := curation.OpenOrder{Account: Address(name), RID: rid, Deposit: curve.Credits(credits), MinOut: curve.NewAmount(1)}
		box, err := seal.Encrypt(rand.Reader, c.X(), curation.OrderLabel(s.chain, round.Number).Hash(), open.Bytes())
		require.NoError(s.t, err)
		order = curation.SealedOrder{Round: round.Number, Escrow: curve.Credits(credits + 10), Box: box.Bytes()}
	})
	s.Submit(name, order)
}

// Skew makes auditors find other pixels from now on.
func (s *Studio) Skew(on bool) { s.skew = on }

// Most is the edge of the largest edition whose file members keep, in pixels.
func (s *Studio) Most(edge uint64) { s.most = edge }

func (s *Studio) step(p *person, e member.Event) {
	var effects []member.Effect
	s.Read(func(v curation.View) { effects = p.machine.Step(v, e) })
	for _, f := range effects {
		s.perform(p, f)
	}
}

// perform does at once what nodes do over libp2p and consensus.
func (s *Studio) perform(p *person, f member.Effect) {
	switch f := f.(type) {
	case member.Submit:
		if p.mute != nil && p.mute(f.Payload) {
			return
		}
		// Members bring the same certificate: all but one are refused.
		_, err := s.ledger.Submit(s.t.Context(), s.Sign(p.key, f.Payload))
		var refused *ledger.RefusedError
		require.True(s.t, err == nil || errors.As(err, &refused), "%s: %v", f.Key, err)
	case member.KeepModel:
		if f.Model.Standing != curation.ModelProposed { // whether members store those is for each test to say
			s.step(p, member.ModelKept{KeyEpoch: f.Model.KeyEpoch, CID: f.Model.ContainerCID})
		}
	case member.LearnTaste:
		if s.likes {
			s.step(p, s.compute(f))
		}
	case member.KeepPrior:
		s.step(p, member.PriorKept{File: f.File})
	case member.Gossip:
		for _, other := range s.people {
			if other != p {
				s.step(other, member.Approval(f.Approval))
			}
		}
	case member.Journal:
		s.journal(p, f.Entry)
	case member.AskShare:
		s.step(p, s.ask(s.person(f.Member), p, f))
	case member.Render:
		s.render(p, f)
	case member.Keep:
		root, err := cid.Decode(f.CID)
		require.NoError(s.t, err)
		require.NoError(s.t, s.store.Pin(root, f.Name+"/"+f.RID.String()))
		p.machine.Kept(f.RID, f.CID, f.Name)
	case member.LetGo:
		root, err := cid.Decode(f.CID)
		require.NoError(s.t, err)
		// One store stands for all: the first to let go frees it.
		if err := s.store.Unpin(root); !errors.Is(err, storage.ErrNotFound) {
			require.NoError(s.t, err)
		}
		_, err = s.store.Collect(s.t.Context())
		require.NoError(s.t, err)
	}
}

func (s *Studio) ask(giver, reader *person, f member.AskShare) member.ShareArrived {
	arrived := member.ShareArrived{RID: f.RID, Role: f.Role, Member: f.Member, Err: errors.New("no answer")}
	s.Read(func(v curation.View) {
		from := curation.AddressOf(reader.key.Public().(ed25519.PublicKey))
		for _, e := range giver.machine.Step(v, member.ReleaseAsked{Ticket: 1, From: from, RID: f.RID, Role: f.Role}) {
			if a, ok := e.(member.Answer); ok {
				arrived.Share, arrived.Err = a.Share, a.Err
			} else if j, ok := e.(member.Journal); ok {
				s.journal(giver, j.Entry)
			}
		}
	})
	return arrived
}

func (s *Studio) render(p *person, f member.Render) {
	done := member.Rendered{RID: f.Artwork.RID, Role: f.Role, PixelRoot: sha256.Sum256(f.Artwork.Seed[:])}
	if f.Role == seal.Auditor && s.skew {
		done.PixelRoot[0]++
	}
	if e := f.Artwork.Edition; e != nil && s.most != 0 && e.Size > s.most {
		s.step(p, member.Rendered{RID: f.Artwork.RID, Role: f.Role})
		return
	}
	if f.Role == seal.Generator {
		var size uint64
		s.Read(func(v curation.View) { size = v.Params().PictureSize })
		png, err := storage.EncodePNG(Picture(f.Artwork.Seed, int(size)))
		require.NoError(s.t, err)
		root, err := s.store.PutFolder(s.t.Context(), []storage.File{{Name: storage.ImageName, Data: png}})
		require.NoError(s.t, err)
		done.CID = root.String()
		require.NoError(s.t, s.store.Pin(root, member.Candidate+"/"+f.Artwork.RID.String()))
		p.machine.Kept(f.Artwork.RID, done.CID, member.Candidate)
	}
	s.step(p, done)
}

// Picture is a soft pattern that the seed decides.
func Picture(seed curation.Hash, size int) storage.Picture {
	p := storage.Picture{Width: size, Height: size, RGB: make([]byte, 0, 3*size*size)}
	for y := range size {
		for x := range size {
			dx, dy := x-int(seed[0])*size/256, y-int(seed[1])*size/256
			near := max(0, 255-(dx*dx+dy*dy)*1000/(size*size))
			for c := range 3 {
				p.RGB = append(p.RGB, byte((int(seed[2+c])*near+int(seed[5+c])*(255-near))/255))
			}
		}
	}
	return p
}

// View implements api.Backend.
func (s *Studio) View(read func(curation.View) error) error { return s.machine.View(read) }

// Ledger implements api.Backend.
func (s *Studio) Ledger() ledger.Ledger { return s.ledger }

// Store implements api.Backend.
func (s *Studio) Store() *storage.Store { return s.store }

// Info implements api.Backend: the node of member 1, which sees the others.
func (s *Studio) Info() api.Info {
	i := api.Info{Name: "Member 1", Member: 1, Account: Address("Member 1"), Peer: "12D3KooWTest1", Version: "test",
		Started: time.Unix(1_700_000_000, 0), HasShare: s.people[0].machine.Ready()}
	for _, p := range s.people[1:] {
		if p.index == 0 {
			continue
		}
		i.Peers = append(i.Peers, api.Peer{Member: p.index, Peer: fmt.Sprintf("12D3KooWTest%d", p.index), Connected: p.index%2 == 0, Proves: p.index%2 == 0 && p.machine.Ready(),
			Addresses: []string{"/ip4/127.0.0.1/tcp/4001"}})
	}
	return i
}

// SealModel implements api.Backend: a file key is sealed as member 1, in three
// steps of no training.
func (s *Studio) SealModel(ctx context.Context, o api.SealOptions, progress func(api.SealProgress)) (m curation.Model, err error) {
	progress(api.SealProgress{Phase: "fine-tuning"})
	for i := range 3 {
		progress(api.SealProgress{Step: i + 1, Steps: 3, Loss: 1 / float64(i+1)})
	}
	p := curation.Seal{Name: o.Name, PlainHash: sha256.Sum256([]byte("plain " + o.Name)), ContainerSize: 1}
	if p.Name == "" {
		p.Name = "Test artist"
	}
	err = s.machine.View(func(v curation.View) error {
		c, ok := v.Committee()
		if !ok {
			return errors.New("no committee is in force")
		}
		p.KeyEpoch = v.NextKeyEpoch()
		container := fmt.Appendf(nil, "container %d", p.KeyEpoch)
		folder, err := storage.FileCID(container)
		if err != nil {
			return err
		}
		p.ContainerCID, p.ContainerHash, p.ContainerSize = folder.String(), sha256.Sum256(container), uint64(len(container))
		p.PolicyHash = curation.PolicyHash(v.Genesis().Charter)
		label := curation.ModelLabel(s.chain, curation.ModelID(p.PlainHash), p.KeyEpoch, p.PolicyHash, c.X())
		ct, err := seal.Encrypt(rand.Reader, c.X(), label, []byte("sixteen byte key"))
		if err == nil {
			p.Ciphertext = ct.Bytes()
		}
		return err
	})
	if err != nil {
		return m, err
	}
	r, err := s.ledger.Submit(ctx, s.Sign(s.people[0].key, p))
	if err != nil {
		return m, err
	}
	if r.Result.Code != curation.CodeOK {
		return m, errors.New(r.Result.Log)
	}
	return m, s.machine.View(func(v curation.View) error {
		m, _ = v.ModelAt(p.KeyEpoch)
		return nil
	})
}

// HandOver implements api.Backend: member 1 proposes, and a block passes.
func (s *Studio) HandOver(context.Context) error {
	if err := s.machine.View(func(v curation.View) error { return v.MayHandOver(1) }); err != nil {
		return &ledger.RefusedError{Result: curation.TxResult{Code: curation.CodeWrongPhase, Log: err.Error()}}
	}
	s.step(s.people[0], member.HandoverWanted{})
	return nil
}

// Fetch implements api.Backend: everything that exists is in the one store.
func (s *Studio) Fetch(_ context.Context, root cid.Cid, _ curation.Address, _ storage.Method) (storage.FetchReport, error) {
	if !s.store.Has(root) {
		return storage.FetchReport{}, fmt.Errorf("fetch %v: %w", root, storage.ErrNotFound)
	}
	return storage.FetchReport{Via: storage.ViaLocal}, nil
}
