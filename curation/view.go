package curation

import (
	"bytes"
	"errors"
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// View is the state as of one committed height. It is good for the duration of
// the call that handed it out; the records it returns are copies and may be kept,
// but their byte slices must not be changed.
type View struct{ m *Machine }

// View calls read with the committed state. Commit waits for it, so read should
// be quick, and it must not call the machine's methods.
func (m *Machine) View(read func(View) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.store == nil {
		return errors.New("the machine has no state")
	}
	return read(View{m})
}

// Network describes the network and where it stands.
type Network struct {
	Chain     Hash // genesis hash
	Height    uint64
	AppHash   Hash
	Charter   Charter
	Params    Params
	Members   []Member // by index
	Threshold int
	Supply    Amount     // credits that exist
	Committee *Committee // nil before the ceremony has ended
	Ceremony  Ceremony
	Treasury  Treasury
	Artworks  map[Status]int
	Round     uint64 // number of the last round; 0 before the first
}

// Network returns everything about the network as a whole.
func (v View) Network() Network {
	n := Network{Chain: v.m.chain, Height: v.m.height, AppHash: v.m.store.Hash(), Charter: v.m.genesis.Charter, Params: v.m.genesis.Params,
		Members: v.Members(), Threshold: shamir.Threshold(len(v.CeremonySeats())), Supply: v.m.supply,
		Ceremony: v.Ceremony(), Treasury: v.Treasury(), Artworks: v.Counts(), Round: count(v.m.store, keyRound)}
	if c, ok := committeeInForce(v.m.store); ok {
		n.Committee, n.Threshold = &c, c.Threshold
	}
	return n
}

// Counts says how many artworks there are in each status that has any.
func (v View) Counts() map[Status]int {
	counts := map[Status]int{}
	for _, s := range Statuses {
		if n := count(v.m.store, indexCount(s)); n != 0 {
			counts[s] = int(n)
		}
	}
	return counts
}

// Chain is the genesis hash.
func (v View) Chain() Hash { return v.m.chain }

// Height is the height of the last committed block.
func (v View) Height() uint64 { return v.m.height }

// AppHash is the hash of the state.
func (v View) AppHash() Hash { return v.m.store.Hash() }

// Params are the network's parameters.
func (v View) Params() Params { return v.m.genesis.Params }

// Genesis is the founding document.
func (v View) Genesis() Genesis { return v.m.genesis }

// Members are all who are, were or are about to be co-owners, by their numbers.
func (v View) Members() []Member { return records[Member](v.m.store, []byte("member/")) }

// Member returns the member of that index.
func (v View) Member(index uint32) (Member, bool) { return load[Member](v.m.store, keyMember(index)) }

// MemberOf returns the member whose account it is, whatever its standing.
func (v View) MemberOf(a Address) (Member, bool) { return v.Member(memberNumber(v.m.store, a)) }

// Motions are the votes under way, by their ids.
func (v View) Motions() []Motion { return records[Motion](v.m.store, []byte("motion/")) }

// SeatsAt are the members who hold the shares of an epoch's committee: of any that is
// or was in force, and of the one that a ceremony is making.
func (v View) SeatsAt(epoch uint64) Seats {
	if epoch == v.m.log.Params().Epoch {
		return v.CeremonySeats()
	}
	return seatsOf(v.m.store, epoch)
}

// CeremonySeats are those of the committee that the current or last ceremony makes.
func (v View) CeremonySeats() Seats {
	return must2(load[ceremonyState](v.m.store, keyCeremony)).Seats
}

// Prekeys are the member's unused one-time keys, the next one first.
func (v View) Prekeys(index uint32) (points []Hash) {
	for _, p := range v.m.store.Ascend(key("prekey/", index32(index))) {
		points = append(points, Hash(p))
	}
	return points
}

// Committee is the committee in force, decoded; false before the first ceremony
// has ended. It is immutable and may be kept.
func (v View) Committee() (*shamir.Committee, bool) { return v.m.committee, v.m.committee != nil }

// CommitteeAt is the committee of an epoch, decoded, as Committee; false unless it is
// the one in force or the one before.
func (v View) CommitteeAt(epoch uint64) (*shamir.Committee, bool) {
	return v.m.committeeAt(v.m.store, epoch)
}

// Committees are the records of all committees, by epoch; the last is in force.
func (v View) Committees() []Committee {
	return records[Committee](v.m.store, []byte("ceremony/committee/"))
}

// OldestWork is the oldest epoch whose committee serves something yet: a request, a
// training, a round, or whatever comes next.
func (v View) OldestWork() uint64 {
	if v.m.committee == nil {
		return firstEpoch
	}
	return oldestWork(v.m.store, v.m.committee.Epoch())
}

// Handover is the handover that is proposed, if one is.
func (v View) Handover() (Handover, bool) { return load[Handover](v.m.store, keyHandover) }

// LastAborted is the last handover that came to nothing, if one did.
func (v View) LastAborted() (AbortedHandover, bool) {
	return load[AbortedHandover](v.m.store, keyAborted)
}

// CeremonyLogAt is the transcript of the ceremony that makes or made the committee
// of an epoch. It is kept for the committee in force, the one before and the one to
// be.
func (v View) CeremonyLogAt(epoch uint64) (*dkg.Log, bool) {
	if epoch == v.m.log.Params().Epoch {
		return v.m.log.Clone(), true
	}
	return v.m.transcripts.read(v.m.store, keyLog(epoch))
}

// CeremonyEpoch is the epoch of the committee that the current or last ceremony
// makes or made.
func (v View) CeremonyEpoch() uint64 { return v.m.log.Params().Epoch }

// MayHandOver says why a member could not propose a handover in the next block, nor
// consent to one that is proposed already; nil when it could. For member 0 it says
// what keeps everybody from it.
func (v View) MayHandOver(member uint32) error {
	_, proposed := v.Handover()
	m, _ := v.Member(member)
	return v.m.mayHandOver(v.m.store, v.m.height+1, v.m.committee, v.m.log, proposed, m)
}

// CeremonyLog is a copy of the transcript of the current or last ceremony.
func (v View) CeremonyLog() *dkg.Log { return v.m.log.Clone() }

// Ceremony says where the current or last ceremony stands.
func (v View) Ceremony() Ceremony {
	s := must2(load[ceremonyState](v.m.store, keyCeremony))
	c := Ceremony{Epoch: s.Epoch, Attempt: s.Attempt, Phase: CeremonyPhase(v.m.log.Phase().String()), Deadline: v.m.log.Deadline(),
		RetryAt: s.RetryAt, Seats: s.Seats, Acknowledged: v.m.log.Acknowledged()}
	c.Guardians, c.Qualified = s.Guardians, dealersOf(v.m.store, v.m.log).members(v.m.log.Qualified())
	c.Culprits, c.Failed = failed(v.m.store, v.m.log, s)
	return c
}

// ShareProven says whether the member has proved its share of the committee in
// force, or, before there is one, of the committee to be.
func (v View) ShareProven(member uint32) bool {
	epoch := v.m.log.Params().Epoch
	if v.m.committee != nil {
		epoch = v.m.committee.Epoch()
	}
	seat := v.SeatsAt(epoch).Of(member)
	if seat == 0 {
		return false
	}
	if c, ok := committeeInForce(v.m.store); ok && slices.Contains(c.Lost, member) {
		return false
	}
	log, ok := v.CeremonyLogAt(epoch)
	return ok && log.Spoke(seat, dkg.KindAck)
}

// Artwork returns a request or artwork by its id.
func (v View) Artwork(rid Hash) (Artwork, bool) { return load[Artwork](v.m.store, keyArtwork(rid)) }

// Working lists the requests that wait for their certificate, generator or auditor,
// by deadline. It reads these alone, however many artworks there are.
func (v View) Working() []Artwork { return v.indexed("index/due/") }

// Waiting lists the candidates that wait for a round, by the height of their audit.
func (v View) Waiting() []Artwork { return v.indexed("index/wait/") }

func (v View) indexed(table string) (found []Artwork) {
	for _, rid := range names(v.m.store, []byte(table)) {
		found = append(found, must2(load[Artwork](v.m.store, keyArtwork(rid))))
	}
	return found
}

// Round returns a round by its number.
func (v View) Round(number uint64) (Round, bool) {
	return load[Round](v.m.store, keyRoundRecord(number))
}

// RunningRound is the round in its backing or opening phase.
func (v View) RunningRound() (Round, bool) { return runningRound(v.m.store) }

// Rounds are the last rounds, newest first, at most limit of them.
func (v View) Rounds(limit int) (rounds []Round) {
	for n := count(v.m.store, keyRound); n > 0 && len(rounds) < limit; n-- {
		rounds = append(rounds, must2(v.Round(n)))
	}
	return rounds
}

// Orders are the orders of a round, by index.
func (v View) Orders(round uint64) []Order {
	return records[Order](v.m.store, key("order/", number(round)))
}

// SealedOrders are the ciphertexts of a round in the order in which members open
// them with seal.OpenShare under OrderLabel(chain, round).
func (v View) SealedOrders(round uint64) ([]*seal.Ciphertext, error) {
	r, ok := v.Round(round)
	if !ok {
		return nil, refuse(CodeUnknown, "there is no round %d", round)
	}
	return sealedOrders(v.m.store, r)
}

// Backings are the orders that named an artwork, in the order of rounds; they are
// known once its round is settled.
func (v View) Backings(rid Hash) []Order {
	a, ok := v.Artwork(rid)
	if !ok || a.Round == 0 {
		return nil
	}
	return slices.DeleteFunc(v.Orders(a.Round), func(o Order) bool { return o.RID != rid })
}

// Account returns an account; one that the ledger has not seen is empty.
func (v View) Account(a Address) Account { return account(v.m.store, a) }

// Accounts are all accounts, by address.
func (v View) Accounts() []Account { return records[Account](v.m.store, []byte("account/")) }

// Holdings are the tokens of an account, by artwork.
func (v View) Holdings(a Address) (held []Holding) {
	for _, rid := range names(v.m.store, key("index/holder/", a[:])) {
		held = append(held, must2(load[Holding](v.m.store, keyHolding(rid, a))))
	}
	return held
}

// AccountOrders are the orders of an account, oldest first.
func (v View) AccountOrders(a Address) (orders []Order) {
	for k := range v.m.store.Ascend(key("index/order/", a[:])) {
		rest := k[len(k)-12:]
		orders = append(orders, must2(load[Order](v.m.store, key("order/", rest))))
	}
	return orders
}

// Market is the curve of a published artwork.
func (v View) Market(rid Hash) (Market, bool) { return load[Market](v.m.store, keyMarket(rid)) }

// Markets are all markets, by rid.
func (v View) Markets() []Market { return records[Market](v.m.store, []byte("market/")) }

// Holders are the holdings of an artwork, largest first.
func (v View) Holders(rid Hash) []Holding {
	held := records[Holding](v.m.store, key("holding/", rid[:]))
	slices.SortStableFunc(held, func(a, b Holding) int { return b.Tokens.Cmp(a.Tokens) })
	return held
}

// Treasury is what the network owns in common.
func (v View) Treasury() Treasury { return must2(load[Treasury](v.m.store, keyTreasury)) }

// Proven is a record with the proof that the state of AppHash holds it, or holds
// nothing under its key when Value is nil.
type Proven struct {
	Height  uint64
	AppHash Hash
	Key     []byte
	Value   []byte // deterministic CBOR of the record
	Proof   state.Proof
}

// ProveArtwork proves what the ledger holds, or does not hold, of a request.
func (v View) ProveArtwork(rid Hash) Proven { return v.prove(keyArtwork(rid)) }

// ProveAccount proves what the ledger holds, or does not hold, of an account.
func (v View) ProveAccount(a Address) Proven { return v.prove(keyAccount(a)) }

// ProveMarket proves the market of an artwork, or that it has none.
func (v View) ProveMarket(rid Hash) Proven { return v.prove(keyMarket(rid)) }

// ProveModel proves the model of a key epoch, or that there was none.
func (v View) ProveModel(keyEpoch uint64) Proven { return v.prove(keyModel(keyEpoch)) }

// ProveCommittee proves the record of the committee in force, or that there is none yet.
func (v View) ProveCommittee() Proven {
	return v.prove(keyCommitteeRecord(count(v.m.store, keyCommittee)))
}

func (v View) prove(k []byte) Proven {
	value, _ := v.m.store.Get(k)
	return Proven{Height: v.m.height, AppHash: v.m.store.Hash(), Key: k, Value: bytes.Clone(value), Proof: v.m.store.Prove(k)}
}

// Verify checks that AppHash is the hash of a state with the value under the key, or with
// nothing there. Whether AppHash is the network's is for the caller to know. The error
// wraps state.ErrProof.
func (p Proven) Verify() error { return p.Proof.Verify(p.AppHash, p.Key, p.Value) }

// DecodeArtwork reads an artwork's record from the bytes that a proof shows.
func DecodeArtwork(value []byte) (Artwork, error) { return decodeRecord[Artwork](value) }

// DecodeModel reads a model's record from the bytes that a proof shows.
func DecodeModel(value []byte) (Model, error) { return decodeRecord[Model](value) }

// DecodeCommittee reads the committee's record from the bytes that a proof shows.
func DecodeCommittee(value []byte) (Committee, error) { return decodeRecord[Committee](value) }

// DecodeAccount reads an account's record from the bytes that a proof shows.
func DecodeAccount(value []byte) (Account, error) { return decodeRecord[Account](value) }

// DecodeMarket reads a market's record from the bytes that a proof shows.
func DecodeMarket(value []byte) (Market, error) { return decodeRecord[Market](value) }

func decodeRecord[T any](value []byte) (record T, err error) {
	err = decode(value, &record)
	return record, err
}

// Entries yields the whole state in ascending order of keys: what Load reads.
func (v View) Entries(yield func(key, value []byte) bool) { v.m.store.Ascend(nil)(yield) }
