// Package member is what a co-owner does, as a pure state machine: it takes part
// in the ceremony, keeps prekeys on the ledger, approves requests by gossip,
// releases blinded shares to the drawn readers and to nobody else, generates and
// audits when the seed draws it, opens sealed orders, keeps artworks and the artist's
// containers, puts a layer around the artist when it is drawn to, computes and records
// the versions of the network's taste, and trains the artist with the others if its owner
// wants it to.
//
// Step reads the ledger and an event and asks for effects: transactions to
// submit, messages to gossip, shares to ask for, pictures to render. Package node
// performs them over libp2p and consensus; the tests of this package perform them
// in virtual time, with crashes, drops, duplicates and reordering.
//
// The machine is driven by the state of the ledger rather than by single events:
// after every block it looks at what is missing and asks for it, again after
// RetryBlocks if nothing came of it. So a member that was killed needs nothing but
// its secrets, the ledger and the journal to go on, and a lost message costs time,
// never an artwork.
//
// Its clock is the ledger's height. It starts no goroutine and is not safe for
// concurrent use.
package member

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// RetryBlocks is after how many blocks without a visible result an effect is asked
// for again.
const RetryBlocks = 4

// Prekeys are posted in batches when fewer than prekeyLow wait on the ledger: so
// many requests can come at once before this member is left out of a draw.
const (
	prekeyLow   = 64
	prekeyBatch = curation.MaxPrekeyBatch
)

// maxOpen bounds the requests whose approvals are counted at the same time.
const maxOpen = 4096

// Secrets are what the machine needs of the key store.
type Secrets struct {
	// Seeds of the member's part in ceremonies, by the epoch of the committee that
	// they make. 1 is the founders'; KeepSeed and EraseSeed tell of the others.
	Seeds   map[uint64][32]byte
	Prekeys [32]byte // seed of its one-time reader keys
	// Identity is the key of its account. It signs the shares that the member releases.
	Identity ed25519.PrivateKey
}

// Machine is one member. See the package comment.
type Machine struct {
	chain   curation.Hash
	account curation.Address
	me      curation.Member // as of the event at hand; zero for somebody who is no member yet
	secrets Secrets
	rand    io.Reader

	seats map[uint64]*seat // by epoch, as long as the committee serves something
	now   *seat            // in the committee in force; nil without a share of it

	party   *dkg.Party // in the current ceremony
	ofParty [32]byte   // id of that ceremony
	spoken  uint64     // epoch whose ceremony needs nothing more of us
	wanted  bool       // somebody asked us to propose a handover
	gone    bool       // it has left, as others say
	lost    uint64     // epoch in force of which seed and transcript give us no share

	toGuardians *dkg.Party // in the sharing among the guardians that is under way
	ofGuardians [32]byte   // id of that ceremony

	counted       map[curation.Hash]*seat            // requests that are counted, and where
	approved      map[curation.Hash]quorum.Approval  // own approvals, to gossip again
	certified     map[curation.Hash]quorum.Certified // recovered, not yet seen on the ledger
	jobs          map[jobKey]*job                    // generations and audits of our own
	released      map[releaseKey]*release            // what was released for requests that are open
	asks          map[uint32]int                     // questions of each member in the span of blocks since asksFrom
	asksFrom      uint64                             // height
	charges       map[uint32]charge                  // evidence against members that the ledger has yet to judge
	conflicts     map[uint32]int                     // approvals of other statements looked into, by member, since conflictsFrom
	conflictsFrom uint64                             // height
	prekeys       map[[32]byte]uint64                // R → sequence number
	derived       uint64                             // prekeys below this number are in the map
	asked         map[string]uint64                  // effect → height at which it was asked for last

	candidates map[curation.Hash]string    // rid → CID pinned as a candidate
	published  map[curation.Hash]bool      // rids pinned as published
	containers map[containerKey]*container // of sealed models
	proposal   *curation.Rotate            // a container of our own for the next key epoch, not on the ledger yet
	wrapping   *curation.Model             // what one is being made of; nil while none is
	learned    map[uint64]*version         // versions of the taste that this member has computed, by number: the last ones
	files      map[curation.Hash]bool      // files of the taste that are here, from those of m.versions on
	versions   uint64                      // all versions of the taste below this one are here
	round      uint64                      // all rounds up to this one are dealt with
	trains     bool                        // the owner wants this member to take part in trainings
	training   *training                   // that is under way, or that is to be forgotten; nil without one
	effects    []Effect
}

// New makes the machine of the member whose secrets are given, who may have yet to be
// admitted: until then it does nothing. journal is what earlier runs of it have
// journalled, at least of the requests that are open. rand blinds shares.
func New(chain curation.Hash, secrets Secrets, journal []Entry, rand io.Reader) *Machine {
	secrets.Seeds = maps.Clone(secrets.Seeds)
	if secrets.Seeds == nil {
		secrets.Seeds = map[uint64][32]byte{}
	}
	m := &Machine{
		chain: chain, account: curation.AddressOf(secrets.Identity.Public().(ed25519.PublicKey)), secrets: secrets, rand: rand, seats: map[uint64]*seat{},
		counted: map[curation.Hash]*seat{}, approved: map[curation.Hash]quorum.Approval{},
		certified: map[curation.Hash]quorum.Certified{}, jobs: map[jobKey]*job{},
		released: map[releaseKey]*release{}, asks: map[uint32]int{}, charges: map[uint32]charge{}, conflicts: map[uint32]int{}, prekeys: map[[32]byte]uint64{},
		asked: map[string]uint64{}, candidates: map[curation.Hash]string{}, published: map[curation.Hash]bool{},
		containers: map[containerKey]*container{}, learned: map[uint64]*version{}, files: map[curation.Hash]bool{},
	}
	for _, e := range journal {
		m.released[releaseKey{e.RID, e.Role, e.Member}] = &release{r: e.R}
	}
	return m
}

// Ready says whether the member holds a share of the committee in force.
func (m *Machine) Ready() bool { return m.now != nil }

// Step takes an event at the ledger's height and returns what should happen, in
// that order: an effect that fails must keep those after it of the same call from
// happening, because a share leaves only after its journal entry is durable.
func (m *Machine) Step(l curation.View, e Event) []Effect {
	m.effects = nil
	m.me, _ = l.MemberOf(m.account)
	if m.gone {
		if q, ok := e.(ReleaseAsked); ok {
			m.do(Answer{Ticket: q.Ticket, Err: ErrEpoch})
		}
		return m.effects
	}
	switch e := e.(type) {
	case Committed:
		m.block(l)
	case Approval:
		m.count(l, quorum.Approval(e))
	case ReleaseAsked:
		m.answer(l, e)
	case ShareArrived:
		m.collect(l, e)
	case Rendered:
		m.rendered(l, e)
	case ModelKept:
		m.modelKept(l, e)
	case Wrapped:
		m.wrapped(l, e)
	case TasteLearned:
		m.learnt(l, e)
	case PriorKept:
		m.files[e.File] = true
		m.keepTaste(l)
	case ArtistOpened, Learned, MaskedHeld, Summed, TrainedSealed:
		m.trained(l, e)
	case HandoverWanted:
		m.wanted = true
		m.handOver(l)
	case Departed:
		m.depart()
	}
	return m.effects
}

func (m *Machine) do(e Effect) { m.effects = append(m.effects, e) }

// again says whether an effect is due: never asked for, or RetryBlocks ago.
func (m *Machine) again(key string, height uint64) bool {
	if last, ok := m.asked[key]; ok && height < last+RetryBlocks {
		return false
	}
	m.asked[key] = height
	return true
}

// seldom is again for what hardly ever changes: due when it was asked for so long ago
// that it is forgotten.
func (m *Machine) seldom(key string, height uint64) bool {
	if _, ok := m.asked[key]; ok {
		return false
	}
	m.asked[key] = height
	return true
}

// submit asks for a transaction under a key that makes repetition harmless.
func (m *Machine) submit(height uint64, key string, p curation.Payload) {
	if m.again(key, height) {
		m.do(Submit{Key: key, Payload: p})
	}
}

// block is the heart: what the ledger's state asks of this member now.
func (m *Machine) block(l curation.View) {
	m.forget(l)
	m.takeSeats(l)
	m.press(l)
	m.handOver(l)
	m.speak(l)
	m.dealToGuardians(l)
	m.tell(l)
	m.eraseSeeds(l)
	if m.now != nil || m.me.Standing == curation.StandingJoining {
		m.refill(l)
	}
	if m.me.Index != 0 && m.me.Standing != curation.StandingLeft {
		m.keepModels(l)
		m.taste(l)
	}
	if len(m.seats) == 0 {
		m.keep(l)
		m.train(l)
		return
	}
	m.approve(l)
	m.work(l, l.Working())
	m.train(l)
	m.rotate(l)
	m.openOrders(l)
	m.keep(l)
}

// forget drops what was asked long ago, and what was released for requests that have
// come to their end, so that the maps stay small.
func (m *Machine) forget(l curation.View) {
	for key, at := range m.asked {
		if at+64*RetryBlocks < l.Height() {
			delete(m.asked, key)
		}
	}
	for key := range m.released {
		a, ok := l.Artwork(key.rid)
		t, of := l.TrainingOf(key.rid)
		if ok && !a.Status.Open() || of && t.Status.Ended() {
			delete(m.released, key)
		}
	}
}

// refill posts prekeys before the queue on the ledger runs dry.
func (m *Machine) refill(l curation.View) {
	me := m.me
	if me.Prekeys() >= min(prekeyLow, l.Params().MaxPrekeys) {
		return
	}
	var points [][32]byte
	for s := me.PrekeyEnd; s < me.PrekeyEnd+min(prekeyBatch, l.Params().MaxPrekeys-me.Prekeys()); s++ {
		_, r := seal.DeriveReader(m.secrets.Prekeys, s)
		points = append(points, r)
	}
	m.submit(l.Height(), fmt.Sprintf("prekeys/%d", me.PrekeyEnd), curation.Prekeys{From: me.PrekeyEnd, Points: points})
}

// reader finds the secret of one of our own prekeys.
func (m *Machine) reader(l curation.View, r [32]byte) (seal.ReaderSecret, error) {
	for ; m.derived < m.me.PrekeyEnd; m.derived++ {
		_, point := seal.DeriveReader(m.secrets.Prekeys, m.derived)
		m.prekeys[point] = m.derived
	}
	s, ok := m.prekeys[r]
	if !ok {
		return seal.ReaderSecret{}, errors.New("the table holds a prekey for us that we never made")
	}
	secret, _ := seal.DeriveReader(m.secrets.Prekeys, s)
	return secret, nil
}

// openOrders posts this member's shares of the sealed orders once their phase is over.
func (m *Machine) openOrders(l curation.View) {
	round, ok := l.RunningRound()
	if !ok || round.Phase != curation.RoundOpening || round.Orders == 0 {
		return
	}
	s := m.seats[round.Epoch]
	if s == nil {
		return
	}
	for _, i := range round.Openers {
		if i == m.me.Index {
			return
		}
	}
	key := fmt.Sprintf("open/%d", round.Number)
	if !m.again(key, l.Height()) {
		return
	}
	cts, err := l.SealedOrders(round.Number)
	if err != nil {
		m.do(Note{Text: "cannot read sealed orders", Err: err})
		return
	}
	share, err := seal.OpenShare(m.rand, s.key, s.committee, curation.OrderLabel(m.chain, round.Number), cts...)
	if err != nil {
		m.do(Note{Text: "cannot open orders", Err: err})
		return
	}
	m.do(Submit{Key: key, Payload: curation.OrderShares{Round: round.Number, Share: share}})
}

// keep asks for the pictures that members hold together: those that may still be
// chosen, those that were, and for a while editions, so that whoever asked for one gets
// it from any member. It lets go of the others.
func (m *Machine) keep(l curation.View) {
	for _, a := range l.Working() {
		if a.Status == curation.StatusRegistered && !a.TooLarge() {
			m.want(l, a, Candidate)
		}
	}
	for _, a := range slices.Concat(l.Waiting(), l.Kept()) {
		m.want(l, a, Candidate)
	}
	if r, ok := l.RunningRound(); ok {
		for _, rid := range r.Candidates {
			if a, ok := l.Artwork(rid); ok {
				m.want(l, a, Candidate)
			}
		}
	}
	m.keepPublished(l)
	m.letGo(l)
}

// keepPublished goes through the rounds that ended, oldest first, and stays with the
// first of which not everything is here yet.
func (m *Machine) keepPublished(l curation.View) {
	for whole := true; whole; m.round++ {
		r, ok := l.Round(m.round + 1)
		if !ok || r.Phase != curation.RoundSettled && r.Phase != curation.RoundFailed {
			return
		}
		for _, rid := range r.Published {
			if a, ok := l.Artwork(rid); ok && !m.published[rid] {
				m.want(l, a, Published)
				whole = false
			}
		}
		if !whole {
			return
		}
	}
}

// want asks for an artwork's folder unless it is here under that name.
func (m *Machine) want(l curation.View, a curation.Artwork, name string) {
	if name == Candidate && m.candidates[a.RID] == a.CID || name == Published && m.published[a.RID] {
		return
	}
	if m.again("keep/"+name+"/"+a.RID.String(), l.Height()) {
		m.do(Keep{RID: a.RID, CID: a.CID, Name: name, From: m.holders(l, a)})
	}
}

// letGo drops candidates that will not be published, and folders of our own making
// that the ledger did not take.
func (m *Machine) letGo(l curation.View) {
	for _, rid := range slices.SortedFunc(maps.Keys(m.candidates), func(a, b curation.Hash) int { return bytes.Compare(a[:], b[:]) }) {
		cid := m.candidates[rid]
		a, ok := l.Artwork(rid)
		ours := ok && a.Status == curation.StatusApproved && a.MayGenerate(l.Params(), m.me.Index, l.Height()+1)
		open := ok && a.CID == cid && (a.Status == curation.StatusRegistered || a.Status == curation.StatusCandidate || a.Status == curation.StatusBacking ||
			a.Status == curation.StatusDelivered && l.Height() < a.Kept)
		if ours || open || ok && a.Status == curation.StatusPublished && a.CID == cid && !m.published[rid] {
			continue
		}
		delete(m.candidates, rid)
		if !ok || a.Status != curation.StatusPublished || a.CID != cid {
			m.do(LetGo{RID: rid, CID: cid})
		}
	}
}

// The names under which artworks are pinned.
const (
	Candidate = "candidate"
	Published = "published"
)

// Kept tells the machine that a folder is here and pinned under a name, now or from
// an earlier run.
func (m *Machine) Kept(rid curation.Hash, cid, name string) {
	if name == Published {
		m.published[rid] = true
		delete(m.candidates, rid)
		return
	}
	m.candidates[rid] = cid
}

// holders lists the accounts that have an artwork's picture first-hand: its
// generator, then the other members in order.
func (m *Machine) holders(l curation.View, a curation.Artwork) []curation.Address {
	var first, rest []curation.Address
	for _, p := range l.Members() {
		switch p.Index {
		case m.me.Index:
		case a.Generator:
			first = append(first, p.Account)
		default:
			rest = append(rest, p.Account)
		}
	}
	return append(first, rest...)
}
