package member_test

import (
	"bytes"
	"container/heap"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// world is a network of members in virtual time. Blocks come at fixed ticks and
// reach each member's copy of the ledger after a delay of its own; gossip and
// questions are delayed, dropped, repeated and reordered by a seeded chance;
// members crash and return with nothing but their secrets, ledger and journal.
// The machines are those of the nodes.
type world struct {
	t   testing.TB
	rng *rand.Rand
	faults
	chain   curation.Hash
	doc     []byte // of the genesis
	blocks  []curation.Block
	power   map[curation.Hash]int64 // of the validators, as the ledger changed it
	leader  *curation.Machine       // the sequencer's copy: what is committed
	height  uint64
	pool    [][]byte
	members []*peer
	tick    int
	queue   deliveries
	seq     int
	plain   []byte                    // of the artist
	leaked  map[uint64][]member.Layer // what readers were handed, by key epoch
	nonces  map[curation.Address]uint64
	failed  []string // rules that were broken
	shares  map[string]bool
	writes  int                   // durable ones so far, of all members
	crashAt int                   // the write at which its member crashes, from 1; 0 for none
	written bool                  // it crashes once that write is done; else before
	drawn   map[curation.Hash]int // how often members drew an artwork, as generators and auditors
	most    uint64                // edge of the largest edition whose file members keep; 0 for any
	tasting bool                  // members compute the taste; else nobody ever answers them
	spoil   func([]byte) []byte   // what the network makes of an answer to a reader; nil leaves it
}

type faults struct {
	drop, repeat float64 // of each gossip message and question
	delay        int     // most ticks that anything takes
	lag          int     // most ticks by which a member's ledger trails
	render       int     // ticks that every render takes; 0 means up to two blocks
}

// peer is one member with what survives its crash.
type peer struct {
	index    uint32
	key      ed25519.PrivateKey
	secrets  member.Secrets
	ledger   *curation.Machine
	height   uint64
	journal  []member.Entry
	charges  map[uint32]curation.Evidence // against others, that it has yet to see judged
	machine  *member.Machine              // nil while it is down
	life     int                          // counts restarts: what is under way for an earlier life is lost
	kept     map[curation.Hash]string     // what is pinned, by request
	torn     bool                         // the next durable write does not come to its end: the member crashes at it
	notes    []string
	says     func(quorum.Approval) []quorum.Approval                         // what it gossips in the place of its approval; nil when it is honest
	mute     func(curation.Payload) bool                                     // what it does not send; nil when it sends all
	wrong    func([]byte) []byte                                             // what it releases in the place of its share; nil when it is honest
	disk     map[string]sealed                                               // containers, by CID
	wraps    func(s member.Sealing, inside []byte) (curation.Rotate, []byte) // what it does when it rotates; nil when it is honest
	tastes   map[curation.Hash][]byte                                        // files of the taste, by their hashes
	likes    func(*taste.Prior)                                              // what it does to a version that it computed; nil when it is honest
	failures []error                                                         // that notes told
	trainee                                                                  // its part in a training; see training_test.go
}

// sealed is a container on a member's disk.
type sealed struct {
	keyEpoch uint64
	content  []byte
}

type delivery struct {
	at, seq int
	do      func()
}

type deliveries []delivery

func (d deliveries) Len() int { return len(d) }
func (d deliveries) Less(i, j int) bool {
	return d[i].at < d[j].at || d[i].at == d[j].at && d[i].seq < d[j].seq
}
func (d deliveries) Swap(i, j int) { d[i], d[j] = d[j], d[i] }
func (d *deliveries) Push(x any)   { *d = append(*d, x.(delivery)) }
func (d *deliveries) Pop() any {
	old := *d
	x := old[len(old)-1]
	*d = old[:len(old)-1]
	return x
}

// chance is a reader of bytes that a seed decides.
type chance struct{ rng *rand.Rand }

func (c chance) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(c.rng.Uint64())
	}
	return len(b), nil
}

var _ io.Reader = chance{}

const blockTicks = 10

func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func addressOf(name string) curation.Address {
	return curation.AddressOf(keyOf(name).Public().(ed25519.PublicKey))
}

func newWorld(t testing.TB, n int, seed uint64, f faults) *world {
	return newWorldWith(t, n, seed, f, func(*curation.Genesis) {})
}

// newWorldWith is newWorld of a genesis that tune has changed.
func newWorldWith(t testing.TB, n int, seed uint64, f faults, tune func(*curation.Genesis)) *world {
	w := &world{t: t, rng: rand.New(rand.NewPCG(seed, 7)), faults: f, nonces: map[curation.Address]uint64{}, shares: map[string]bool{}, leaked: map[uint64][]member.Layer{}}
	p := curation.DefaultParams()
	p.DKGPhaseBlocks, p.DKGDisputeBlocks, p.DKGRetryBlocks = 40, 3, 10
	p.GenerateBlocks, p.AuditBlocks, p.RequestBlocks = 12, 12, 400
	p.RoundCandidates, p.BackBlocks, p.OpenBlocks, p.MaxPublished = 3, 8, 40, 1
	g := curation.Genesis{Charter: curation.Charter{Name: "Test", Text: "test"}, Params: p}
	var secrets []member.Secrets
	for i := uint32(1); i <= uint32(n); i++ {
		name := fmt.Sprintf("member %d", i)
		s := member.Secrets{Seeds: map[uint64][32]byte{1: sha256.Sum256([]byte(name + " ceremony"))}, Prekeys: sha256.Sum256([]byte(name + " prekeys")), Identity: keyOf(name)}
		secrets = append(secrets, s)
		g.Members = append(g.Members, curation.GenesisMember{Index: i, Name: name, Account: addressOf(name),
			Validator: sha256.Sum256([]byte(name + " validator")), DealKey: dkg.DealKey(s.Seeds[1]), Power: 1})
	}
	g.Balances = []curation.GenesisBalance{{Account: addressOf("vera"), Amount: curve.Credits(10_000)}}
	tune(&g)
	doc, err := g.Bytes()
	require.NoError(t, err)
	w.chain, w.doc, w.power = curation.GenesisHash(doc), doc, map[curation.Hash]int64{}
	w.leader = w.replica()
	for _, m := range g.Members {
		w.power[m.Validator] = 1
	}
	for i, s := range secrets {
		q := &peer{index: uint32(i + 1), key: keyOf(g.Members[i].Name), secrets: s, ledger: w.replica(), kept: map[curation.Hash]string{}, disk: map[string]sealed{}}
		w.members = append(w.members, q)
		w.start(q)
	}
	w.after(blockTicks, w.block)
	return w
}

// replica is a copy of the ledger with all blocks so far.
func (w *world) replica() *curation.Machine {
	m := curation.NewMachine()
	_, err := m.Genesis(w.doc)
	require.NoError(w.t, err)
	for _, b := range w.blocks {
		_, err := m.Execute(b)
		require.NoError(w.t, err)
		m.Commit()
	}
	return m
}

// start brings a member up on what it has kept.
func (w *world) start(q *peer) {
	q.life++
	q.machine = member.New(w.chain, q.secrets, slices.Clone(q.journal), chance{w.rng})
	for rid, name := range q.kept {
		q.machine.Kept(rid, cidOf(rid), name)
	}
	for _, e := range q.charges {
		q.machine.Charge(e)
	}
	for file := range q.tastes {
		q.machine.HoldsPrior(file)
	}
	for cid, c := range q.disk {
		q.machine.Holds(c.keyEpoch, cid, true)
	}
	w.resume(q)
	w.step(q, member.Committed{})
}

func (w *world) crash(q *peer) { q.machine = nil }

func (w *world) after(ticks int, do func()) {
	w.seq++
	heap.Push(&w.queue, delivery{w.tick + ticks, w.seq, do})
}

// send carries something to a member over the unreliable network.
func (w *world) send(do func()) {
	copies := 1
	if w.rng.Float64() < w.drop {
		copies = 0
	} else if w.rng.Float64() < w.repeat {
		copies = 2
	}
	for range copies {
		w.after(1+w.rng.IntN(w.delay), do)
	}
}

// run lets time pass until done, at most the given number of blocks.
func (w *world) run(blocks uint64, done func() bool) bool {
	for last := w.height + blocks; w.height < last; {
		if done() {
			return true
		}
		d := heap.Pop(&w.queue).(delivery)
		w.tick = d.at
		d.do()
	}
	return done()
}

// block is the sequencer: it executes what was submitted and tells the members.
func (w *world) block() {
	w.height++
	b := curation.Block{Height: w.height}
	for _, tx := range w.pool {
		if w.leader.Check(tx).Code == curation.CodeOK {
			b.Txs = append(b.Txs, tx)
		}
	}
	w.pool = nil
	b.Txs = w.leader.Prepare(w.height, b.Txs, 1<<20)
	outcome, err := w.leader.Execute(b)
	require.NoError(w.t, err)
	for _, v := range outcome.Validators {
		if w.power[v.PublicKey] = v.Power; v.Power == 0 {
			delete(w.power, v.PublicKey)
		}
	}
	w.leader.Commit()
	w.blocks = append(w.blocks, b)
	require.NoError(w.t, w.leader.Invariants())
	for _, q := range w.members {
		w.after(1+w.rng.IntN(w.lag), func() { w.apply(q, b) })
	}
	w.after(blockTicks, w.block)
}

// apply gives a member's ledger the next block; blocks that overtake wait.
func (w *world) apply(q *peer, b curation.Block) {
	if b.Height != q.height+1 {
		w.after(1, func() { w.apply(q, b) })
		return
	}
	_, err := q.ledger.Execute(b)
	require.NoError(w.t, err)
	q.ledger.Commit()
	q.height = b.Height
	w.step(q, member.Committed{})
}

func (w *world) view(m *curation.Machine, read func(curation.View)) {
	require.NoError(w.t, m.View(func(v curation.View) error { read(v); return nil }))
}

func (w *world) step(q *peer, e member.Event) {
	if q.machine == nil {
		return
	}
	var effects []member.Effect
	w.view(q.ledger, func(v curation.View) { effects = q.machine.Step(v, e) })
	for _, f := range effects {
		if !w.perform(q, f) {
			return
		}
	}
}

// perform does what node does, over virtual time; false means the member crashed.
func (w *world) perform(q *peer, f member.Effect) bool {
	switch f := f.(type) {
	case member.Submit:
		if q.mute != nil && q.mute(f.Payload) {
			return true
		}
		payload := q.lie(f.Payload)
		w.send(func() { w.submit(q.key, payload) })
	case member.Gossip:
		said := []quorum.Approval{f.Approval}
		if q.says != nil {
			said = q.says(f.Approval)
		}
		for _, a := range said {
			w.gossip(q, a)
		}
	case member.AskShare:
		other, life := w.members[f.Member-1], q.life
		w.send(func() {
			if other.machine == nil {
				w.after(1, func() { w.answer(q, life, f, nil, errors.New("unreachable")) })
				return
			}
			w.asked(other, addressOf(fmt.Sprintf("member %d", q.index)), f.RID, f.Role, func(share []byte, err error) {
				if err == nil && other.wrong != nil {
					share = w.resigned(other, f.RID, f.Role, q.index, other.wrong(share[64:]))
				}
				if err == nil && w.spoil != nil {
					share = w.spoil(share)
				}
				w.send(func() { w.answer(q, life, f, share, err) })
			})
		})
	case member.Journal:
		return w.durable(q, func() { q.journal = append(q.journal, f.Entry) })
	case member.KeepSeed:
		return w.durable(q, func() { q.secrets.Seeds[f.Epoch] = f.Seed })
	case member.KeepEvidence:
		return w.durable(q, func() {
			if q.charges == nil {
				q.charges = map[uint32]curation.Evidence{}
			}
			q.charges[f.Evidence.Member] = f.Evidence
		})
	case member.DropEvidence:
		return w.durable(q, func() { delete(q.charges, f.Member) })
	case member.Note:
		q.notes, q.failures = append(q.notes, f.Text), append(q.failures, f.Err)
	case member.EraseSeed:
		return w.durable(q, func() { delete(q.secrets.Seeds, f.Epoch) })
	case member.Render:
		w.render(q, f)
	case member.KeepModel:
		w.keepModel(q, f)
	case member.LetGoModel:
		return w.durable(q, func() {
			if q.disk[f.CID].keyEpoch == f.KeyEpoch {
				delete(q.disk, f.CID)
			}
		})
	case member.Wrap:
		w.wrap(q, f)
	case member.LearnTaste:
		if w.tasting {
			w.learnTaste(q, f)
		}
	case member.KeepPrior:
		w.keepPrior(q, f)
	case member.OpenArtist, member.Learn, member.StopLearning, member.KeepTraining, member.FetchMasked, member.AddUp, member.SealTrained, member.ForgetTraining:
		return w.performTraining(q, f)
	case member.LetGo:
		delete(q.kept, f.RID)
	case member.Keep:
		w.after(1+w.rng.IntN(w.delay), func() {
			if q.machine != nil {
				q.machine.Kept(f.RID, f.CID, f.Name)
				q.kept[f.RID] = f.Name
			}
		})
	}
	return true
}

// gossip carries an approval of a member to the others.
func (w *world) gossip(q *peer, a quorum.Approval) {
	for _, other := range w.members {
		if other != q {
			w.send(func() { w.step(other, member.Approval(a)) })
		}
	}
}

// durable makes a write and says whether it comes to its end; the member crashes if
// not.
func (w *world) durable(q *peer, write func()) bool {
	w.writes++
	now := w.writes == w.crashAt
	if q.torn || now && !w.written {
		q.torn = false
		w.crash(q)
	} else {
		write()
		if now {
			w.crash(q)
		}
	}
	if now {
		life := q.life
		w.after(3*blockTicks, func() {
			if q.life == life {
				w.start(q)
			}
		})
	}
	return q.machine != nil
}

func (w *world) answer(q *peer, life int, f member.AskShare, share []byte, err error) {
	if q.life == life {
		w.step(q, member.ShareArrived{RID: f.RID, Role: f.Role, Member: f.Member, Share: share, Err: err})
	}
}

// asked puts a question to a member and holds its answer against the rules: a
// share leaves only for the drawn reader of a certified request, after its journal
// entry is durable.
func (w *world) asked(q *peer, from curation.Address, rid curation.Hash, role seal.Role, reply func([]byte, error)) {
	if q.machine == nil {
		return
	}
	var effects []member.Effect
	w.view(q.ledger, func(v curation.View) {
		effects = q.machine.Step(v, member.ReleaseAsked{Ticket: 1, From: from, RID: rid, Role: role})
		for _, f := range effects {
			if a, ok := f.(member.Answer); ok && a.Err == nil {
				w.hold(v, from, rid, role)
			}
		}
	})
	for _, f := range effects {
		if a, ok := f.(member.Answer); ok {
			if a.Err == nil {
				w.journalled(q, rid, role, from)
			}
			reply(a.Share, a.Err)
		} else if !w.perform(q, f) {
			return
		}
	}
}

func (w *world) hold(v curation.View, from curation.Address, rid curation.Hash, role seal.Role) {
	if t, ok := v.TrainingOf(rid); ok {
		if reader, _ := v.MemberOf(from); role != seal.Trainer || len(t.Certificate) == 0 || !t.MayOpen(reader.Index, v.Height()+1) {
			w.failed = append(w.failed, fmt.Sprintf("share for training %d (%s) to member %d as %v", t.Plan.Number, t.Status, reader.Index, role))
		}
		return
	}
	a, ok := v.Artwork(rid)
	reader, member := v.MemberOf(from)
	switch drawn, turn := a.GeneratorAt(v.Params(), v.Height()+1); {
	case !ok || !member || a.Approved == 0 || len(a.Certificate) == 0:
		w.failed = append(w.failed, fmt.Sprintf("share for %v without a certificate", rid))
	case role == seal.Generator && (!turn || drawn != reader.Index):
		w.failed = append(w.failed, fmt.Sprintf("share for %v to member %d, drawn is %d", rid, reader.Index, drawn))
	}
	w.shares[fmt.Sprint(rid, role)] = true
}

func (w *world) journalled(q *peer, rid curation.Hash, role seal.Role, from curation.Address) {
	for _, e := range q.journal {
		if e.RID == rid && e.Role == role && addressOf(fmt.Sprintf("member %d", e.Member)) == from {
			return
		}
	}
	w.failed = append(w.failed, fmt.Sprintf("share for %v left before its journal entry", rid))
}

// render opens the container and, in the place of drawing, makes a root that only the
// plain model and the seed decide.
func (w *world) render(q *peer, f member.Render) {
	life := q.life
	for _, l := range f.Layers {
		w.leaked[f.Artwork.KeyEpoch] = append(w.leaked[f.Artwork.KeyEpoch], member.Layer{Model: l.Model, FileKey: bytes.Clone(l.FileKey)})
	}
	done := member.Rendered{RID: f.Artwork.RID, Role: f.Role, CID: cidOf(f.Artwork.RID)}
	var plain []byte
	if content, ok := w.fetch(f.Model().ContainerCID); ok {
		plain, done.Err = f.Open(bytes.NewReader(content))
	} else {
		done.Err = errors.New("the container is not to be had")
	}
	done.PixelRoot = sha256.Sum256(append(slices.Clone(plain), f.Artwork.Seed[:]...))
	if e := f.Artwork.Edition; e != nil && w.most != 0 && e.Size > w.most {
		done.CID, done.PixelRoot = "", curation.Hash{}
	}
	if w.drawn == nil {
		w.drawn = map[curation.Hash]int{}
	}
	w.drawn[f.Artwork.RID]++
	ticks := 1 + w.rng.IntN(2*blockTicks)
	if w.faults.render > 0 {
		ticks = w.faults.render
	}
	w.after(ticks, func() {
		if q.life != life {
			return
		}
		if done.Err == nil {
			if done.CID != "" {
				q.kept[f.Artwork.RID] = member.Candidate
			}
			if f.Reseal != nil {
				r, kept := w.seal(q, *f.Reseal, plain)
				if !kept {
					return
				}
				done.Rotate = &r
			}
		}
		w.step(q, done)
	})
}

// make makes a container.
func (w *world) make(s member.Sealing, plain []byte) (curation.Rotate, []byte) {
	var out bytes.Buffer
	r, err := s.Seal(chance{w.rng}, &out, bytes.NewReader(plain))
	require.NoError(w.t, err)
	r.ContainerCID = cidOf(sha256.Sum256(out.Bytes()))
	return r, out.Bytes()
}

// seal makes a container and keeps it, which is false when the member crashed at it.
func (w *world) seal(q *peer, s member.Sealing, plain []byte) (curation.Rotate, bool) {
	r, content := w.make(s, plain)
	if q.wraps != nil {
		r, content = q.wraps(s, plain)
	}
	return r, w.durable(q, func() { q.disk[r.ContainerCID] = sealed{s.KeyEpoch, content} })
}

// fetch is a container from whichever member is up and has it.
func (w *world) fetch(cid string) ([]byte, bool) {
	for _, p := range w.members {
		if c := p.disk[cid]; c.content != nil && p.machine != nil {
			return c.content, true
		}
	}
	return nil, false
}

func (w *world) keepModel(q *peer, f member.KeepModel) {
	life := q.life
	w.after(1+w.rng.IntN(w.delay), func() {
		content, ok := w.fetch(f.Model.ContainerCID)
		if q.life != life || !ok {
			return
		}
		err := member.CheckContainer(bytes.NewReader(content), f.Model)
		if w.durable(q, func() { q.disk[f.Model.ContainerCID] = sealed{f.Model.KeyEpoch, content} }) {
			w.step(q, member.ModelKept{KeyEpoch: f.Model.KeyEpoch, CID: f.Model.ContainerCID, Err: err})
		}
	})
}

func (w *world) wrap(q *peer, f member.Wrap) {
	life := q.life
	w.after(1+w.rng.IntN(2*blockTicks), func() {
		if q.life != life {
			return
		}
		inside, ok := w.fetch(f.Container.ContainerCID)
		if !ok {
			w.step(q, member.Wrapped{Err: errors.New("the container is not to be had")})
		} else if r, kept := w.seal(q, f.Sealing, inside); kept {
			w.step(q, member.Wrapped{Rotate: r})
		}
	})
}

// cidOf is a CIDv1 (raw, SHA-256) in base32.
func cidOf(h curation.Hash) string {
	const digits = "abcdefghijklmnopqrstuvwxyz234567"
	raw := append([]byte{1, 0x55, 0x12, 32}, h[:]...)
	var out []byte
	var acc, bits uint
	for _, b := range raw {
		acc, bits = acc<<8|uint(b), bits+8
		for bits >= 5 {
			bits -= 5
			out = append(out, digits[acc>>bits&31])
		}
	}
	if bits > 0 {
		out = append(out, digits[acc<<(5-bits)&31])
	}
	return "b" + string(out)
}

// submit signs a transaction with the account's next nonce.
func (w *world) submit(key ed25519.PrivateKey, p curation.Payload) {
	account := curation.AddressOf(key.Public().(ed25519.PublicKey))
	w.view(w.leader, func(v curation.View) {
		w.nonces[account] = max(w.nonces[account], v.Account(account).Nonce)
	})
	pending := 0
	for _, raw := range w.pool {
		if tx, err := curation.Decode(raw); err == nil && tx.Signer == account {
			pending++
		}
	}
	var nonce uint64
	w.view(w.leader, func(v curation.View) { nonce = v.Account(account).Nonce + uint64(pending) })
	tx, err := curation.Sign(key, w.chain, curation.Body{Nonce: nonce, ValidUntil: w.height + 50, Payload: p})
	require.NoError(w.t, err)
	w.pool = append(w.pool, tx)
}

// sealModel seals an artist to the committee, as member 1.
func (w *world) sealModel() {
	w.plain = []byte("the plain model file of this artist")
	p, content := w.sealingFor(1)
	w.members[0].disk[p.ContainerCID] = sealed{1, content}
	w.submit(w.members[0].key, p)
}

// sealingFor is the artist sealed to the committee for a key epoch, and its container.
func (w *world) sealingFor(keyEpoch uint64) (curation.Seal, []byte) {
	s := member.Sealing{KeyEpoch: keyEpoch}
	p := curation.Seal{Name: "Test", KeyEpoch: keyEpoch, PlainHash: sha256.Sum256(w.plain), PolicyHash: curation.PolicyHash(curation.Charter{Name: "Test", Text: "test"})}
	w.view(w.leader, func(v curation.View) {
		c, ok := v.Committee()
		require.True(w.t, ok)
		s.X = c.X()
	})
	s.Label = curation.ModelLabel(w.chain, curation.ModelID(p.PlainHash), keyEpoch, p.PolicyHash, s.X)
	r, content := w.make(s, w.plain)
	p.ContainerCID, p.ContainerHash, p.ContainerSize, p.Ciphertext = r.ContainerCID, r.ContainerHash, r.ContainerSize, r.Ciphertext
	return p, content
}

// ask requests a picture as the collector.
func (w *world) ask(prompt string) {
	w.view(w.leader, func(v curation.View) {
		m, ok := v.Model()
		require.True(w.t, ok)
		w.submit(keyOf("vera"), curation.Request{Prompt: prompt, ModelID: m.ID})
	})
}

func (w *world) artworks(statuses ...curation.Status) (found []curation.Artwork) {
	w.view(w.leader, func(v curation.View) { found = v.Artworks(curation.Filter{Status: statuses}) })
	return found
}

// found brings a world to a sealed model with prekeys of all members who are up.
func (w *world) found() {
	ready := func() bool {
		up := true
		for _, q := range w.members {
			up = up && (q.machine == nil || q.machine.Ready())
		}
		return up
	}
	require.True(w.t, w.run(300, ready), "the ceremony did not end")
	w.sealModel()
	require.True(w.t, w.run(100, func() (ok bool) {
		w.view(w.leader, func(v curation.View) {
			_, ok = v.Model()
			for _, m := range v.Members() {
				ok = ok && (m.Prekeys() > 0 || w.members[m.Index-1].machine == nil)
			}
		})
		return ok
	}), "no model or no prekeys")
}

func seedOf(name string) uint64 {
	h := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(h[:])
}
