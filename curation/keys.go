package curation

import (
	"encoding/binary"
	"fmt"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/secagg"
)

// modules are the parts of the state, each under a root of its own.
var modules = []string{
	"account", "artwork", "ceremony", "chain", "evidence", "holding", "index", "market",
	"member", "model", "motion", "opening", "order", "prekey", "round", "taste", "training",
}

// key joins a module (or "module/table/") and parts of fixed length.
func key(table string, parts ...[]byte) []byte {
	k := []byte(table)
	for _, p := range parts {
		k = append(k, p...)
	}
	return k
}

func index32(i uint32) []byte { return binary.BigEndian.AppendUint32(nil, i) }

var (
	keyGenesis   = []byte("chain/genesis")      // the document
	keyTreasury  = []byte("chain/treasury")     // Treasury
	keyKeyEpoch  = []byte("chain/key_epoch")    // number of the current model
	keyKeyEpochs = []byte("chain/key_epochs")   // number of the last model, whatever became of it
	keyProposed  = []byte("chain/proposed")     // number of the proposed model; absent without one
	keyRotation  = []byte("chain/rotation")     // Rotation that is due or under way
	keyRound     = []byte("chain/round")        // number of the last round
	keyCeremony  = []byte("ceremony/state")     // ceremonyState
	keyCommittee = []byte("ceremony/committee") // epoch of the committee in force
	keyHandover  = []byte("ceremony/handover")  // Handover that is proposed
	keyAborted   = []byte("ceremony/aborted")   // AbortedHandover: the last one
	keyMembers   = []byte("chain/members")      // number of the last member
	keySettled   = []byte("chain/settled")      // how many rounds were settled
	keyPriors    = []byte("chain/priors")       // how many versions of the taste were adopted
	keyTrainings = []byte("chain/trainings")    // number of the last training
)

func keyLog(epoch uint64) []byte             { return key("ceremony/log/", number(epoch)) } // dkg.Log
func keyCommitteeRecord(epoch uint64) []byte { return key("ceremony/committee/", number(epoch)) }

func keyMissed(member uint32) []byte  { return key("ceremony/missed/", index32(member)) }  // Missed
func keyRefresh(member uint32) []byte { return key("ceremony/refresh/", index32(member)) } // height of its last proposal that nobody waited for

// abortedTable holds an abortedCeremony for each that is remembered.
const abortedTable = "ceremony/attempt/"

func keyAbortedCeremony(epoch, attempt uint64) []byte {
	return key(abortedTable, number(epoch), number(attempt))
}

func keyAccount(a Address) []byte        { return key("account/", a[:]) }
func keyMember(i uint32) []byte          { return key("member/", index32(i)) }
func keyMotion(id Hash) []byte           { return key("motion/", id[:]) }
func keyConviction(member uint32) []byte { return key("evidence/", index32(member)) }
func keyPrekey(i uint32, seq uint64) []byte {
	return key("prekey/", index32(i), number(seq))
}
func keyModel(epoch uint64) []byte   { return key("model/", number(epoch)) }
func keyPrior(version uint64) []byte { return key("taste/", number(version)) } // Prior, also while it has records only
func keyArtwork(rid Hash) []byte     { return key("artwork/", rid[:]) }
func keyMarket(rid Hash) []byte      { return key("market/", rid[:]) }
func keyTraining(n uint64) []byte    { return key("training/record/", number(n)) }
func keyRoundRecord(n uint64) []byte {
	return key("round/", number(n))
}
func keyOrder(round uint64, i int) []byte {
	return key("order/", number(round), index32(uint32(i)))
}
func keyOpening(round uint64, member uint32) []byte {
	return key("opening/", number(round), index32(member))
}

// trainingRoundTable holds the secagg.Round of the last training that came so far: its
// head, and in trainingPartTable its parts, so that a message writes no more than its own.
const (
	trainingRoundTable = "training/round/"
	trainingPartTable  = "training/part/"
)

func keyTrainingRound(n uint64) []byte { return key(trainingRoundTable, number(n)) }
func keyTrainingPart(p secagg.Part) []byte {
	return key(trainingPartTable, index32(p.Member), []byte{byte(p.Kind)})
}

func keyHolding(rid Hash, a Address) []byte { return key("holding/", rid[:], a[:]) }

// Indexes hold a single byte, or the name of what they point at.
func indexShelf(s Status, place ...byte) []byte {
	return key("index/shelf/", []byte(s+"/"), place) // → rid; without place, the whole shelf
}
func indexAsked(a Address, s Status, place ...byte) []byte {
	return key("index/asked/", a[:], []byte(s+"/"), place) // → rid
}
func indexDue(a Artwork) []byte {
	return key("index/due/", number(a.Expiry), index32(uint32(a.Position)), a.RID[:])
}
func indexCount(s Status) []byte              { return key("index/count/", []byte(s)) } // → uint64
func indexOpen(a Address, rid Hash) []byte    { return key("index/open/", a[:], rid[:]) }
func indexWait(since uint64, rid Hash) []byte { return key("index/wait/", number(since), rid[:]) }
func indexContainer(cid string) []byte        { return key("index/container/", []byte(cid)) }
func indexCID(cid string, rid ...byte) []byte {
	return key("index/cid/", []byte(cid+"/"), rid) // without rid, of all artworks with that CID
}
func indexMember(a Address) []byte           { return key("index/member/", a[:]) }           // → member's number
func indexApplication(digest Hash) []byte    { return key("index/application/", digest[:]) } // that admitted somebody
func indexSettled(n uint64) []byte           { return key("index/settled/", number(n)) }     // → number of the n-th round that was settled
func indexPrior(id Hash) []byte              { return key("index/prior/", id[:]) }           // → version
func indexTraining(rid Hash) []byte          { return key("index/training/", rid[:]) }       // → its number
func indexMotion(m Motion) []byte            { return key("index/motion/", number(m.Until), m.ID[:]) }
func indexHolder(a Address, rid Hash) []byte { return key("index/holder/", a[:], rid[:]) }
func indexOrder(a Address, round uint64, i int) []byte {
	return key("index/order/", a[:], number(round), index32(uint32(i)))
}

// indexEscrow sorts a round's sealed orders by escrow, of equal ones the latest
// first: the first is the one that gives way in a full round.
func indexEscrow(o Order) []byte {
	escrow := wide(o.Escrow)
	return key("index/escrow/", number(o.Round), escrow[:], index32(^uint32(o.Index)))
}

var present = []byte{1}

// load reads a record. The bytes are the ledger's own, under the hash that
// consensus agreed on: that they do not decode is a bug, not an input.
func load[T any](r state.Reader, key []byte) (record T, ok bool) {
	data, ok := r.Get(key)
	if !ok {
		return record, false
	}
	return parse[T](key, data), true
}

func parse[T any](key, data []byte) (record T) {
	if err := decoding.Unmarshal(data, &record); err != nil {
		panic(fmt.Sprintf("curation: record %q: %v", key, err))
	}
	return record
}

// list reads all records under a prefix.
func records[T any](r state.Reader, prefix []byte) (all []T) {
	for k, data := range r.Ascend(prefix) {
		all = append(all, parse[T](k, data))
	}
	return all
}

// names reads the last 32 bytes of all keys under a prefix.
func names(r state.Reader, prefix []byte) (all []Hash) {
	for k := range r.Ascend(prefix) {
		all = append(all, Hash(k[len(k)-32:]))
	}
	return all
}

func save(o *state.Overlay, key []byte, record any) { o.Set(key, encode(record)) }

// lookups shared by transactions and views

func account(r state.Reader, a Address) Account {
	if acc, ok := load[Account](r, keyAccount(a)); ok {
		return acc
	}
	return Account{Address: a}
}

func count(r state.Reader, k []byte) uint64 {
	n, _ := load[uint64](r, k)
	return n
}

// committeeInForce is the record of the committee in force.
func committeeInForce(r state.Reader) (Committee, bool) {
	return load[Committee](r, keyCommitteeRecord(count(r, keyCommittee)))
}

func currentModel(r state.Reader) (Model, bool) {
	return load[Model](r, keyModel(count(r, keyKeyEpoch)))
}

func proposedModel(r state.Reader) (Model, bool) {
	return load[Model](r, keyModel(count(r, keyProposed)))
}

// runningRound returns the round that is not yet settled or failed.
func runningRound(r state.Reader) (Round, bool) {
	round, ok := load[Round](r, keyRoundRecord(count(r, keyRound)))
	return round, ok && (round.Phase == RoundBacking || round.Phase == RoundOpening)
}

// State is the market as package curve trades on it.
func (m Market) State() curve.State {
	return curve.State{Supply: m.Supply, Reserve: m.Reserve, Ratio: m.RatioPPM}
}
