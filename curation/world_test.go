package curation

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// world is a network in virtual time: real members with real keys, and two
// replicas of the machine that must agree about every block.
type world struct {
	t        testing.TB
	doc      []byte
	chain    Hash
	replicas [2]*Machine
	height   uint64
	parties  []*dkg.Party
	shares   []*shamir.KeyShare            // member i at i-1, of the committee in force
	older    map[uint64][]*shamir.KeyShare // by epoch, of committees before it
	chance   io.Reader
	prekeys  map[uint32]uint64 // made so far, by member
	events   []Event           // of all blocks
	blocks   []Block
	watch    func(Outcome)             // sees every block; nil does not
	said     map[Hash]quorum.Statement // what a request was to be approved as when it was seen first
	restless bool                      // the second replica starts again from its state after every block
}

// chanceFrom is a stream of bytes that a seed decides.
type chanceFrom struct {
	seed string
	n    uint64
	buf  []byte
}

func (c *chanceFrom) Read(p []byte) (int, error) {
	for len(c.buf) < len(p) {
		sum := sha256.Sum256(append([]byte(c.seed), number(c.n)...))
		c.n++
		c.buf = append(c.buf, sum[:]...)
	}
	n := copy(p, c.buf)
	c.buf = c.buf[n:]
	return n, nil
}

// testParams are short enough to walk through every deadline.
func testParams() Params {
	p := DefaultParams()
	p.DKGPhaseBlocks, p.DKGDisputeBlocks, p.DKGRetryBlocks = 6, 2, 3
	p.RequestBlocks, p.GenerateBlocks, p.AuditBlocks, p.OpenRequests = 40, 4, 4, 3
	p.MaxPrekeys, p.KeyEpochBlocks = 32, 30
	p.RoundCandidates, p.RoundWaitBlocks, p.BackBlocks, p.OpenBlocks = 3, 10, 5, 5
	p.MaxPublished, p.MaxOrders, p.AccountOrders, p.IdentityCapPPM = 2, 12, 4, 400_000
	p.MemberQuota, p.MaxEditionPixels, p.EditionBlocks = 8, 4_000_000, 6
	p.Fees.PerByte = curve.Amount{} // fees that a story can be read with
	return p
}

func memberName(i uint32) string { return fmt.Sprintf("m%d", i) }

func memberSeed(i uint32) [32]byte { return sha256.Sum256(fmt.Appendf(nil, "ceremony %d", i)) }

var collectors = []string{"alice", "bob", "carol", "dave"}

func testGenesis(n int, p Params) Genesis {
	g := Genesis{Charter: Charter{Name: "Test atelier", Text: "We make pictures together."}, Params: p}
	for i := uint32(1); i <= uint32(n); i++ {
		g.Members = append(g.Members, GenesisMember{Index: i, Name: memberName(i), Account: addressOf(memberName(i)),
			Validator: sha256.Sum256([]byte("validator " + memberName(i))), DealKey: dkg.DealKey(memberSeed(i)), Power: 1})
	}
	for _, name := range collectors {
		g.Balances = append(g.Balances, GenesisBalance{Account: addressOf(name), Amount: curve.Credits(1000)})
	}
	g.SortBalances()
	return g
}

func newWorld(t testing.TB, n int, p Params) *world {
	t.Helper()
	doc, err := testGenesis(n, p).Bytes()
	require.NoError(t, err)
	w := &world{t: t, doc: doc, chain: GenesisHash(doc), chance: &chanceFrom{seed: "world"}, prekeys: map[uint32]uint64{}}
	for i := range w.replicas {
		w.replicas[i] = NewMachine()
		outcome, err := w.replicas[i].Genesis(doc)
		require.NoError(t, err)
		require.Len(t, outcome.Validators, n)
		require.NoError(t, w.replicas[i].Invariants())
	}
	for i := uint32(1); i <= uint32(n); i++ {
		party, err := dkg.NewParty(i, memberSeed(i))
		require.NoError(t, err)
		w.parties = append(w.parties, party)
	}
	return w
}

// block executes the transactions in the next block on all replicas, checks that
// they agree and that nothing is broken, and commits.
func (w *world) block(txs ...[]byte) Outcome {
	w.t.Helper()
	w.height++
	block := Block{Height: w.height, Txs: txs}
	w.blocks = append(w.blocks, block)
	var outcomes [2]Outcome
	for i, m := range w.replicas {
		if i == 1 { // the second one is interrupted before Commit, starts over, and remembers no transcript
			_, err := m.Execute(Block{Height: w.height, Txs: slices.Clone(txs[:len(txs)/2])})
			require.NoError(w.t, err)
			m.transcripts.last = nil
		}
		var err error
		outcomes[i], err = m.Execute(block)
		require.NoError(w.t, err)
		m.Commit()
		require.NoError(w.t, m.Invariants())
	}
	require.Equal(w.t, outcomes[0], outcomes[1], "replicas disagree about block %d", w.height)
	require.Len(w.t, outcomes[0].Results, len(txs))
	for _, r := range outcomes[0].Results {
		if r.Code != CodeOK {
			require.NotEmpty(w.t, r.Log)
			require.Empty(w.t, r.Events)
		}
		w.record(r.Events)
	}
	w.record(outcomes[0].Events)
	w.unchanged()
	if w.watch != nil {
		w.watch(outcomes[0])
	}
	if w.restless {
		w.reload()
	}
	return outcomes[0]
}

// unchanged holds every request and training to its first statement. A member that approved that
// would be convicted by any other.
func (w *world) unchanged() {
	if w.said == nil {
		w.said = map[Hash]quorum.Statement{}
	}
	var all []Opening
	for _, a := range view(w, func(v View) []Artwork { return v.Artworks(Filter{}) }) {
		all = append(all, a.Opening)
	}
	for _, t := range view(w, func(v View) []Training { return v.Trainings(100) }) {
		all = append(all, t.Opening)
	}
	for _, o := range all {
		first, known := w.said[o.RID]
		if !known {
			first = StatementFor(w.chain, o)
			w.said[o.RID] = first
		}
		require.Equal(w.t, first, StatementFor(w.chain, o))
	}
}

// record holds events against the table.
func (w *world) record(events []Event) {
	for _, e := range events {
		var keys []string
		for _, a := range e.Attributes {
			keys = append(keys, a.Key)
		}
		require.Equal(w.t, EventAttributes[e.Kind], keys, e.Kind)
	}
	w.events = append(w.events, events...)
}

func (w *world) wait(blocks int) {
	for range blocks {
		w.block()
	}
}

// view reads the first replica.
func view[T any](w *world, read func(View) T) (out T) {
	require.NoError(w.t, w.replicas[0].View(func(v View) error { out = read(v); return nil }))
	return out
}

func (w *world) nonce(name string) uint64 {
	return view(w, func(v View) uint64 { return v.Account(addressOf(name)).Nonce })
}

func (w *world) sign(name string, nonce uint64, p Payload) []byte {
	raw, err := Sign(testKey(name), w.chain, Body{Nonce: nonce, ValidUntil: w.height + 100, Payload: p})
	require.NoError(w.t, err)
	return raw
}

// act sends one transaction in a block of its own.
func (w *world) act(name string, p Payload) TxResult {
	w.t.Helper()
	return w.block(w.sign(name, w.nonce(name), p)).Results[0]
}

// must is act, and the ledger must agree.
func (w *world) must(name string, p Payload) TxResult {
	w.t.Helper()
	r := w.act(name, p)
	require.Equal(w.t, CodeOK, r.Code, r.Log)
	return r
}

// ceremony runs the key ceremony with the given members present, all of them by
// default, until it ends.
func (w *world) ceremony(present ...uint32) {
	w.t.Helper()
	for range 60 {
		log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
		attempt := view(w, func(v View) uint64 { return v.Ceremony().Attempt })
		if log.Phase() == dkg.PhaseActive {
			break
		}
		var txs [][]byte
		for _, party := range w.parties {
			if len(present) > 0 && !slices.Contains(present, party.Index()) {
				continue
			}
			messages, err := party.Step(w.height+1, log)
			require.NoError(w.t, err)
			name := memberName(party.Index())
			for i, m := range messages {
				txs = append(txs, w.sign(name, w.nonce(name)+uint64(i), CeremonyMessage{Epoch: 1, Attempt: attempt, Message: uint8(m.Kind), Data: m.Body}))
			}
		}
		for _, r := range w.block(txs...).Results {
			require.Equal(w.t, CodeOK, r.Code, r.Log)
		}
	}
	w.deriveShares()
}

func (w *world) deriveShares() {
	log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
	committee, ok := w.replicas[0].committee, w.replicas[0].committee != nil
	require.True(w.t, ok, "the ceremony made no committee")
	for _, party := range w.parties {
		share, err := party.KeyShare(log)
		require.NoError(w.t, err)
		require.NoError(w.t, share.VerifyAgainst(committee))
		w.shares = append(w.shares, share)
	}
}

func (w *world) committee() *shamir.Committee { return w.replicas[0].committee }

// serving is the committee of an epoch, with its members' shares.
func (w *world) serving(epoch uint64) (*shamir.Committee, []*shamir.KeyShare) {
	committee := view(w, func(v View) *shamir.Committee {
		c, ok := v.CommitteeAt(epoch)
		require.True(w.t, ok)
		return c
	})
	if epoch == w.committee().Epoch() {
		return committee, w.shares
	}
	return committee, w.older[epoch]
}

// sealFor builds a model.seal for the given key epoch.
func (w *world) sealFor(keyEpoch uint64, name string) Seal {
	s := Seal{Name: name, KeyEpoch: keyEpoch, PlainHash: sha256.Sum256([]byte("plain " + name)), PolicyHash: PolicyHash(testGenesis(1, testParams()).Charter),
		ContainerHash: sha256.Sum256([]byte("container " + name)), ContainerCID: cidOf(fmt.Appendf(nil, "container %s %d", name, keyEpoch)), ContainerSize: 12_345}
	x := w.committee().X()
	label := ModelLabel(w.chain, ModelID(s.PlainHash), keyEpoch, s.PolicyHash, x)
	ct, err := seal.Encrypt(w.chance, x, label, []byte("a file key of 16"))
	require.NoError(w.t, err)
	s.Ciphertext = ct.Bytes()
	return s
}

func (w *world) refill(member uint32, n int) Prekeys {
	p := Prekeys{From: w.prekeys[member]}
	for range n {
		w.prekeys[member]++
		_, r := seal.DeriveReader(memberSeed(member), w.prekeys[member])
		p.Points = append(p.Points, r)
	}
	return p
}

func (w *world) artwork(rid Hash) Artwork {
	return view(w, func(v View) Artwork {
		a, ok := v.Artwork(rid)
		require.True(w.t, ok)
		return a
	})
}

// openingOf is the opening of a request or of a training.
func (w *world) openingOf(rid Hash) Opening {
	o, ok := view2(w, func(v View) (Opening, bool) { return v.Opening(rid) })
	require.True(w.t, ok)
	return o
}

func (w *world) modelID() Hash {
	return view(w, func(v View) Hash { m, _ := v.Model(); return m.ID })
}

// certificateFor is what the given members' gossip recovers for a request.
func (w *world) certificateFor(rid Hash, members ...uint32) Certify {
	s := StatementFor(w.chain, w.openingOf(rid))
	var approvals, seeds []quorum.Partial
	committee, shares := w.serving(s.Epoch)
	for _, i := range members {
		p, err := quorum.SignApproval(shares[i-1], s)
		require.NoError(w.t, err)
		approvals, seeds = append(approvals, p), append(seeds, quorum.SignSeed(shares[i-1], w.chain, rid))
	}
	cert, _, err := quorum.RecoverCertificate(committee, s, approvals)
	require.NoError(w.t, err)
	seed, _, err := quorum.RecoverSeed(committee, w.chain, rid, seeds)
	require.NoError(w.t, err)
	return Certify{RID: rid, Certificate: cert.Signature(), SeedSignature: seed}
}

func pixels(rid Hash) Hash { return sha256.Sum256(rid[:]) }

// folder is a CID of the artwork's own.
func folder(rid Hash) string {
	return cidOf(append([]byte("folder "), rid[:]...))
}

// backing seals an order of an account.
func (w *world) backing(account string, round uint64, rid Hash, escrow, deposit, minOut Amount) SealedOrder {
	plain := OpenOrder{Account: addressOf(account), RID: rid, Deposit: deposit, MinOut: minOut}
	return w.sealed(round, escrow, plain.Bytes())
}

func (w *world) sealed(round uint64, escrow Amount, plain []byte) SealedOrder {
	ct, err := seal.Encrypt(w.chance, w.committee().X(), OrderLabel(w.chain, round).Hash(), plain)
	require.NoError(w.t, err)
	return SealedOrder{Round: round, Escrow: escrow, Box: ct.Bytes()}
}

func (w *world) opening(member uint32, round uint64) OrderShares {
	boxes := view(w, func(v View) []*seal.Ciphertext {
		boxes, err := v.SealedOrders(round)
		require.NoError(w.t, err)
		return boxes
	})
	committee, shares := w.serving(view(w, func(v View) uint64 { r, _ := v.Round(round); return r.Epoch }))
	share, err := seal.OpenShare(w.chance, shares[member-1], committee, OrderLabel(w.chain, round), boxes...)
	require.NoError(w.t, err)
	return OrderShares{Round: round, Share: share}
}

// ready is a world of four whose ceremony is over, whose model is sealed and
// whose members have eight prekeys each. The first one is made, the others are
// loaded from its state.
func ready(t testing.TB) *world {
	t.Helper()
	readyOnce.Do(func() { readyState = makeReady(t) })
	w := newWorld(t, 4, testParams())
	w.height, w.prekeys = readyState.height, map[uint32]uint64{1: 8, 2: 8, 3: 8, 4: 8}
	for i := range w.replicas {
		w.replicas[i] = NewMachine()
		require.NoError(t, w.replicas[i].Load(w.height, readyState.appHash, func(yield func(k, v []byte) bool) {
			for _, e := range readyState.entries {
				if !yield(e.Key, e.Value) {
					return
				}
			}
		}))
	}
	w.shares = readyState.shares
	return w
}

// snapshot is a world's state after the ceremony.
type snapshot struct {
	height  uint64
	appHash Hash
	entries []Change
	shares  []*shamir.KeyShare
}

var (
	readyOnce  sync.Once
	readyState snapshot
)

func makeReady(t testing.TB) (s snapshot) {
	w := newWorld(t, 4, testParams())
	w.ceremony()
	w.must("m1", w.sealFor(1, "dusk"))
	var txs [][]byte
	for i := uint32(1); i <= 4; i++ {
		txs = append(txs, w.sign(memberName(i), w.nonce(memberName(i)), w.refill(i, 8)))
	}
	for _, r := range w.block(txs...).Results {
		require.Equal(t, CodeOK, r.Code, r.Log)
	}
	s.height, s.shares = w.height, w.shares
	require.NoError(t, w.replicas[0].View(func(v View) error {
		s.appHash = v.AppHash()
		for k, value := range v.Entries {
			s.entries = append(s.entries, Change{Key: bytes.Clone(k), Value: bytes.Clone(value)})
		}
		return nil
	}))
	return s
}

// requested sends a request and returns its id.
func (w *world) requested(account, prompt string) Hash {
	r := w.must(account, Request{Prompt: prompt, ModelID: w.modelID()})
	rid, err := ParseHash(r.Events[0].Get("rid"))
	require.NoError(w.t, err)
	return rid
}

// candidate brings a request all the way to its audit.
func (w *world) candidate(account, prompt string) Hash {
	rid := w.requested(account, prompt)
	w.must("m1", w.certificateFor(rid, 1, 2, 3))
	a := w.artwork(rid)
	w.must(memberName(a.Order[0]), Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)})
	w.must(memberName(a.Order[1]), Attest{RID: rid, PixelRoot: pixels(rid)})
	return rid
}
