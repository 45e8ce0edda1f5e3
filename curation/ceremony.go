package curation

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// firstEpoch is the committee that the founders' ceremony makes.
const firstEpoch = 1

// ceremonyState is what the ledger keeps about the current or last ceremony beside
// its transcript. After a handover that came to nothing the ceremony of the
// committee in force is the last one again.
type ceremonyState struct {
	_       struct{} `cbor:",toarray"`
	Epoch   uint64   // of the committee to be, or of the one in force
	Attempt uint64
	Seats   Seats // of that committee
	// Draining are members of the committee before the one in force that have no seat
	// in this one, and something left to serve.
	Draining []uint32
	RetryAt  uint64 // height at whose end the founders' next attempt opens; 0 otherwise
	// Handovers is how many attempts the committee in force has made to hand over,
	// and Again the first height at which the next may be proposed.
	Handovers uint64
	Again     uint64
	// Guardians are the dealers of a recovery, by the indices of its log; empty when
	// the committee before deals.
	Guardians Seats
}

// CeremonyParams are the parameters of the attempt-th ceremony of the founders.
func CeremonyParams(chain Hash, g Genesis, attempt uint64) dkg.Params {
	p := ceremonyParams(g.Params, len(g.Members))
	p.Epoch, p.Session = firstEpoch, dkg.Session(chain, firstEpoch, [32]byte{}, attempt)
	for _, m := range g.Members {
		p.DealKeys = append(p.DealKeys, m.DealKey)
	}
	return p
}

// ceremonyParams are what all ceremonies of n members have in common.
func ceremonyParams(p Params, n int) dkg.Params {
	return dkg.Params{
		Threshold: shamir.Threshold(n),
		Deadlines: dkg.Deadlines{
			Commit: uint32(p.DKGPhaseBlocks), Bundle: uint32(p.DKGPhaseBlocks),
			Dispute: uint32(p.DKGDisputeBlocks), Acknowledge: uint32(p.DKGPhaseBlocks),
		},
	}
}

// openCeremony writes a fresh transcript that takes messages from start on.
func openCeremony(o *state.Overlay, params dkg.Params, ceremony ceremonyState, start uint64) (*dkg.Log, error) {
	log, err := dkg.NewLog(params, start)
	if err != nil {
		return nil, err
	}
	save(o, keyCeremony, ceremony)
	o.Set(keyLog(params.Epoch), must(log.MarshalBinary()))
	return log, nil
}

// ceremonyLog reads the transcript of the ceremony of an epoch.
func ceremonyLog(r state.Reader, epoch uint64) (*dkg.Log, error) {
	raw, ok := r.Get(keyLog(epoch))
	if !ok {
		return nil, fmt.Errorf("no transcript of the ceremony of epoch %d", epoch)
	}
	return dkg.UnmarshalLog(raw)
}

// committeeAt decodes the record of a committee once.
func (m *Machine) committeeAt(r state.Reader, epoch uint64) (*shamir.Committee, bool) {
	if known, ok := m.committees.Load(epoch); ok {
		return known.(*shamir.Committee), true
	}
	record, ok := load[Committee](r, keyCommitteeRecord(epoch))
	if !ok || len(record.Encoded) == 0 {
		return nil, false
	}
	c, err := shamir.UnmarshalCommittee(record.Encoded)
	if err != nil { // the state was agreed on
		panic(fmt.Sprintf("curation: committee of epoch %d: %v", epoch, err))
	}
	m.committees.Store(epoch, c)
	return c, true
}

// committeeOf is the committee that serves what was begun in its epoch.
func (x *execution) committeeOf(epoch uint64) *shamir.Committee {
	if epoch == x.committee.Epoch() {
		return x.committee
	}
	return must2(x.machine.committeeAt(x.block, epoch))
}

// writableLog returns the transcript as this block's own copy.
func (x *execution) writableLog() *dkg.Log {
	if !x.ownLog {
		x.log, x.ownLog = x.log.Clone(), true
	}
	return x.log
}

func (x *execution) ceremonyMessage(tx Tx, p CeremonyMessage) error {
	if member, err := x.member(tx.Signer); err == nil && x.contradicts(member, tx, p) {
		return nil // taken for what it is: evidence
	}
	ceremony := must2(load[ceremonyState](x.st, keyCeremony))
	if p.Epoch != ceremony.Epoch || p.Attempt != ceremony.Attempt {
		return refuse(CodeWrongPhase, "message for epoch %d, attempt %d; the ledger is at epoch %d, attempt %d",
			p.Epoch, p.Attempt, ceremony.Epoch, ceremony.Attempt)
	}
	member, seat, err := x.speaker(tx.Signer, ceremony, p.Message)
	if err != nil {
		return err
	}
	err = x.writableLog().Apply(x.height, seat, dkg.Message{Kind: dkg.Kind(p.Message), Body: p.Data})
	if err != nil {
		return refuse(ceremonyCode(err), "ceremony: %v", err)
	}
	x.machine.transcripts.write(x.st, keyLog(p.Epoch), x.log)
	if record, ok := committeeInForce(x.st); ok && record.Epoch == p.Epoch { // a late acknowledgement
		record.Proven = x.log.Acknowledged()
		save(x.st, keyCommitteeRecord(record.Epoch), record)
	}
	kind := EventCeremonyMessage
	if x.guardian(tx.Signer) != 0 {
		kind = EventRecoveryMessage
	}
	x.emit(kind, p.Epoch, p.Attempt, member, messageName(p.Message))
	return nil
}

// speaker is who sends a message of the ceremony, and the index under which the log
// takes it. Guardians deal in a recovery; their number stands for a member's then.
func (x *execution) speaker(signer Address, ceremony ceremonyState, message uint8) (number, seat uint32, err error) {
	seats, deals := ceremony.Seats, dkg.Kind(message) == dkg.KindCommit || dkg.Kind(message) == dkg.KindBundle
	if g := x.guardian(signer); g != 0 && deals && ceremony.Guardians.Of(g) != 0 {
		return g, ceremony.Guardians.Of(g), nil
	}
	member, err := x.member(signer)
	if err != nil {
		return 0, 0, err
	}
	switch {
	case deals && len(ceremony.Guardians) > 0:
		seats = nil
	case deals && x.log.Params().Previous != nil:
		seats = seatsOf(x.st, x.committee.Epoch()) // who hands over deals
	}
	if seat = seats.Of(member.Index); seat == 0 {
		return 0, 0, refuse(CodeNotMember, "member %d has no %s to send in this ceremony", member.Index, messageName(message))
	}
	return member.Index, seat, nil
}

func ceremonyCode(err error) Code {
	switch {
	case errors.Is(err, dkg.ErrPhase):
		return CodeWrongPhase
	case errors.Is(err, dkg.ErrDuplicate):
		return CodeDuplicate
	case errors.Is(err, dkg.ErrNotMember):
		return CodeNotMember
	}
	return CodeProof
}

func messageName(kind uint8) string {
	switch dkg.Kind(kind) {
	case dkg.KindCommit:
		return "commit"
	case dkg.KindBundle:
		return "bundle"
	case dkg.KindDispute:
		return "dispute"
	case dkg.KindAck:
		return "ack"
	}
	return fmt.Sprintf("kind %d", kind)
}

// ceremonyBlock advances the ceremony at the end of a block.
func (x *execution) ceremonyBlock() {
	ceremony := must2(load[ceremonyState](x.block, keyCeremony))
	if ceremony.RetryAt != 0 {
		if x.height >= ceremony.RetryAt {
			attempt := ceremony.Attempt + 1
			x.open(CeremonyParams(x.machine.chain, x.machine.genesis, attempt), ceremonyState{Epoch: firstEpoch, Attempt: attempt, Seats: ceremony.Seats})
		}
		return
	}
	before := x.log.Phase()
	if x.height == 1 && ceremony.Attempt == 0 {
		x.emit(EventCeremonyPhase, ceremony.Epoch, ceremony.Attempt, CeremonyPhase(before.String()), x.log.Deadline())
	}
	if before == dkg.PhaseActive {
		x.handoverBlock(ceremony)
		return
	}
	if x.withdrawn(ceremony) {
		x.abortCeremony(ceremony)
		return
	}
	if !x.writableLog().EndBlock(x.height) {
		return
	}
	x.machine.transcripts.write(x.block, keyLog(ceremony.Epoch), x.log)
	after := x.log.Phase()
	if after == before {
		return
	}
	x.emit(EventCeremonyPhase, ceremony.Epoch, ceremony.Attempt, CeremonyPhase(after.String()), x.log.Deadline())
	switch after {
	case dkg.PhaseActive:
		x.activate(ceremony)
	case dkg.PhaseAborted:
		x.abortCeremony(ceremony)
	}
}

// open begins a ceremony whose parameters are known to be good: they hold members'
// keys that were checked.
func (x *execution) open(params dkg.Params, ceremony ceremonyState) {
	log, err := openCeremony(x.block, params, ceremony, x.height+1)
	if err != nil {
		panic(err)
	}
	x.log, x.ownLog = log, true
	x.emit(EventCeremonyPhase, ceremony.Epoch, ceremony.Attempt, CeremonyCommit, log.Deadline())
}

// activate puts the committee of a finished ceremony into force.
func (x *execution) activate(ceremony ceremonyState) {
	committee, err := x.log.Committee()
	if err != nil {
		x.abortCeremony(ceremony)
		return
	}
	cx, cy := committee.X(), committee.Y()
	record := Committee{
		Epoch: committee.Epoch(), Attempt: ceremony.Attempt, Seats: ceremony.Seats, Threshold: committee.T(),
		X: cx[:], Y: cy[:], Encoded: must(committee.MarshalBinary()), Qualified: x.dealers().members(x.log.Qualified()), Height: x.height,
		Proven: x.log.Acknowledged(), Guardians: ceremony.Guardians,
	}
	x.committee = committee
	save(x.block, keyCommittee, record.Epoch)
	save(x.block, keyCommitteeRecord(record.Epoch), record)
	x.forgetBefore(record.Epoch)
	ceremony.Draining = x.seat(ceremony.Seats, x.log.Params().DealKeys, record.Epoch)
	ceremony.Handovers, ceremony.Again = 0, x.height+x.params().DKGRetryBlocks
	save(x.block, keyCeremony, ceremony)
	x.emit(EventCeremonyActive, record.Epoch, record.X, record.Y, record.Threshold, record.Qualified)
	x.expelConvicted()
	x.live()
	x.endRecovery(ceremony)
}

// dealers are the members who deal in the ceremony, by the indices of its log: those
// of the committee in force, which hands over, or the founders; in a recovery the
// guardians, by their numbers.
func (x *execution) dealers() Seats { return dealersOf(x.block, x.log) }

func dealersOf(r state.Reader, log *dkg.Log) Seats {
	ceremony := must2(load[ceremonyState](r, keyCeremony))
	switch before := log.Params().Previous; {
	case len(ceremony.Guardians) > 0:
		return ceremony.Guardians
	case before != nil:
		return seatsOf(r, before.Epoch())
	}
	return ceremony.Seats
}

// culpritsOf are those who failed in a ceremony: dealers, and receivers.
func culpritsOf(log *dkg.Log, dealers, receivers Seats) (dealt, received []Culprit) {
	for _, c := range log.Culprits() {
		if c.Reason == dkg.ReasonNoAck {
			received = append(received, Culprit{Member: receivers.At(c.Index), Reason: c.Reason.String()})
		} else {
			dealt = append(dealt, Culprit{Member: dealers.At(c.Index), Reason: c.Reason.String()})
		}
	}
	return dealt, received
}

// failed are the members that failed in the current ceremony, and the guardians that
// did in a recovery.
func failed(r state.Reader, log *dkg.Log, ceremony ceremonyState) (members, guardians []Culprit) {
	dealt, received := culpritsOf(log, dealersOf(r, log), ceremony.Seats)
	if len(ceremony.Guardians) > 0 {
		return received, dealt
	}
	members = append(dealt, received...)
	if log.Params().Previous == nil { // one list of the same people
		slices.SortFunc(members, func(a, b Culprit) int { return cmp.Compare(a.Member, b.Member) })
	}
	return members, nil
}

// numbers are those of the culprits.
func numbers(culprits []Culprit) (all []uint32) {
	for _, c := range culprits {
		all = append(all, c.Member)
	}
	return all
}

// abortCeremony records who failed and when the next attempt opens. When the keys
// were to be handed over, the committee in force stays.
func (x *execution) abortCeremony(ceremony ceremonyState) {
	members, guardians := failed(x.block, x.log, ceremony)
	retry := x.height + x.params().DKGRetryBlocks
	x.emit(EventCeremonyAborted, ceremony.Epoch, ceremony.Attempt, numbers(members), retry)
	x.remember(ceremony)
	if x.committee == nil {
		ceremony.RetryAt = retry
		save(x.block, keyCeremony, ceremony)
		return
	}
	save(x.block, keyAborted, AbortedHandover{Epoch: ceremony.Epoch, Attempt: ceremony.Attempt, Height: x.height, Culprits: members, Guardians: guardians, Objected: x.withdrawn(ceremony)})
	if _, err := x.log.Candidate(); err != nil && len(ceremony.Guardians) > 0 && !x.withdrawn(ceremony) {
		x.giveUpRecovery()
	}
	_, silent := culpritsOf(x.log, x.dealers(), ceremony.Seats)
	x.stay(ceremony.Attempt+1, retry)
	x.miss(ceremony.Epoch, silent)
}
