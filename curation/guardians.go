package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// The guardians' sharing: the committee in force deals its shares to the guardians, as
// in a handover, and keeps its own. The keys never change, so the guardians' shares
// outlive every handover of the members. It opens once all guardians have accepted, or
// after AnswerBlocks if enough have, and never while the members hand over; members
// deal, guardians dispute and acknowledge. A guardian may accept again at any time:
// that makes the shares of all anew, and until it has gone well the old ones stay.

// guardianState is where the guardians' sharings stand.
type guardianState struct {
	_        struct{} `cbor:",toarray"`
	Sharings uint64   // number of the last sharing that was opened
	Running  bool     // it is under way
	Dealing  bool     // and members have yet to deal
	InForce  uint64   // number of the sharing that counts; 0 without one
	Keys     []DealKey
	Accepted []uint32 // guardians that accepted the next sharing, in order
	Since    uint64   // height of the first of these
	Again    uint64   // first height at which the next sharing may open
}

// Sharing is a second sharing of the network's keys, among guardians.
type Sharing struct {
	_         struct{} `cbor:",toarray"`
	Number    uint64   // from 1
	Epoch     uint64   // of the committee that deals it
	Seats     Seats    // guardians by the indices of their shares
	Threshold int
	Opened    uint64 // height
	Height    uint64 // from which on it counts; 0 before
	Proven    int    // guardians that have proved their share
}

// AbortedSharing is the last sharing that came to nothing.
type AbortedSharing struct {
	_         struct{} `cbor:",toarray"`
	Number    uint64
	Height    uint64
	Members   []Culprit // that failed to deal
	Guardians []Culprit // that failed to acknowledge, by their numbers
}

var (
	keyGuardians       = []byte("ceremony/guardians") // guardianState
	keyAbortedSharing  = []byte("ceremony/unshared")  // AbortedSharing: the last one
	keyRecovery        = []byte("ceremony/recovery")  // Recovery
	keyRecoveryAgain   = []byte("ceremony/again")     // first height for a new vote on recovery
	keyLife            = []byte("ceremony/life")      // height of the last sign of life
	keyWill            = []byte("ceremony/will")      // Will
	sharingTable       = "ceremony/sharing/"
	guardianTranscript = "ceremony/guardian_log/"
)

func keySharing(n uint64) []byte     { return key(sharingTable, number(n)) }
func keyGuardianLog(n uint64) []byte { return key(guardianTranscript, number(n)) }

// guardians is where the guardians' sharings stand.
func guardians(r state.Reader) guardianState {
	s, _ := load[guardianState](r, keyGuardians)
	return s
}

// accept takes a guardian's deal key for the next sharing.
func (x *execution) accept(signer Address, p Accept) error {
	g, err := x.named(signer, GuardianPolicy, WillPolicy)
	if err != nil {
		return err
	}
	s := guardians(x.st)
	switch {
	case s.Running:
		return refuse(CodeWrongPhase, "sharing %d is under way: wait for its end", s.Sharings)
	case p.Sharing != s.Sharings+1:
		return refuse(CodeWrongPhase, "accepts sharing %d, the next one is %d", p.Sharing, s.Sharings+1)
	case slices.Contains(s.Accepted, g):
		return refuse(CodeDuplicate, "guardian %d has accepted already", g)
	}
	if err := validatePoint(p.DealKey); err != nil {
		return refuse(CodeMalformed, "deal key: %v", err)
	}
	used := slices.ContainsFunc(s.Keys, func(k DealKey) bool { return k.Key == p.DealKey }) ||
		slices.ContainsFunc(x.members(), func(m Member) bool { return m.DealKey == p.DealKey })
	if used {
		return refuse(CodeMalformed, "the deal key is in use: make a fresh one")
	}
	if err := dkg.VerifyDealKey(p.DealKey, GuardianChain(x.machine.chain), p.Sharing, g, p.Proof); err != nil {
		return refuse(CodeProof, "%v", err)
	}
	if len(s.Accepted) == 0 {
		s.Since = x.height
	}
	s.Accepted = append(s.Accepted, g)
	s.Keys = slices.DeleteFunc(s.Keys, func(k DealKey) bool { return k.Member == g })
	at, _ := slices.BinarySearchFunc(s.Keys, g, func(k DealKey, g uint32) int { return int(k.Member) - int(g) })
	s.Keys = slices.Insert(s.Keys, at, DealKey{Member: g, Key: p.DealKey})
	save(x.st, keyGuardians, s)
	x.emit(EventGuardianAccepted, g, p.Sharing, len(s.Accepted))
	return nil
}

// guardianMessage takes a message of a sharing: members deal, guardians dispute and
// acknowledge, also late.
func (x *execution) guardianMessage(signer Address, p GuardianMessage) error {
	s := guardians(x.st)
	sharing, ok := load[Sharing](x.st, keySharing(p.Sharing))
	log, kept := x.machine.transcripts.read(x.st, keyGuardianLog(p.Sharing))
	if !ok || !kept || p.Sharing != s.InForce && p.Sharing != s.Sharings {
		return refuse(CodeWrongPhase, "message for sharing %d, which is neither under way nor in force", p.Sharing)
	}
	member, seat, g := uint32(0), uint32(0), x.guardian(signer)
	switch kind := dkg.Kind(p.Message); {
	case kind == dkg.KindCommit || kind == dkg.KindBundle:
		m, err := x.member(signer)
		if err != nil {
			return err
		}
		member, g = m.Index, 0
		seat = seatsOf(x.st, sharing.Epoch).Of(member)
	case g != 0:
		seat = sharing.Seats.Of(g)
	}
	if seat == 0 {
		return refuse(CodeNotMember, "account %v has no %s to send in this sharing", signer, messageName(p.Message))
	}
	if err := log.Apply(x.height, seat, dkg.Message{Kind: dkg.Kind(p.Message), Body: p.Data}); err != nil {
		return refuse(ceremonyCode(err), "sharing: %v", err)
	}
	x.machine.transcripts.write(x.st, keyGuardianLog(p.Sharing), log)
	if sharing.Height != 0 { // a late acknowledgement
		sharing.Proven = log.Acknowledged()
		save(x.st, keySharing(p.Sharing), sharing)
	}
	x.emit(EventGuardianMessage, p.Sharing, member, g, messageName(p.Message))
	return nil
}

// guardianBlock advances the sharing and the recovery at the end of a block.
func (x *execution) guardianBlock() {
	if x.succession().Policy == "" || x.committee == nil {
		return
	}
	if s := guardians(x.block); s.Running {
		x.advanceSharing(s)
	} else if x.sharingDue(s) {
		x.openSharing(s)
	}
	x.lapseRecovery()
}

// sharingDue says whether the next sharing opens with this block.
func (x *execution) sharingDue(s guardianState) bool {
	all, r := len(x.succession().Guardians), x.succession().Threshold
	_, proposed := x.block.Get(keyHandover)
	switch {
	case len(s.Accepted) == 0, proposed, x.log.Phase() != dkg.PhaseActive, x.height < s.Again, len(s.Keys) < r:
		return false
	case len(s.Accepted) == all:
		return true
	}
	return x.height >= s.Since+x.succession().AnswerBlocks-1 && len(s.Accepted) >= dkg.MinAcknowledgements(len(s.Keys), r)
}

func (x *execution) openSharing(s guardianState) {
	rules := x.succession()
	params := ceremonyParams(*x.params(), len(s.Keys))
	params.Threshold = rules.Threshold
	params.Deadlines.Dispute, params.Deadlines.Acknowledge = uint32(rules.AnswerBlocks), uint32(rules.AnswerBlocks)
	sharing := Sharing{Number: s.Sharings + 1, Epoch: x.committee.Epoch(), Threshold: rules.Threshold, Opened: x.height}
	for _, k := range s.Keys {
		sharing.Seats, params.DealKeys = append(sharing.Seats, k.Member), append(params.DealKeys, k.Key)
	}
	params.Epoch, params.Previous = sharing.Epoch, x.committee
	params.Session = dkg.Session(GuardianChain(x.machine.chain), sharing.Epoch, x.committee.Digest(), sharing.Number)
	log, err := dkg.NewLog(params, x.height+1)
	if err != nil { // the keys were checked
		panic(err)
	}
	s.Sharings, s.Running, s.Dealing, s.Accepted, s.Since = sharing.Number, true, true, nil, 0
	save(x.block, keyGuardians, s)
	save(x.block, keySharing(sharing.Number), sharing)
	x.machine.transcripts.write(x.block, keyGuardianLog(sharing.Number), log)
	x.emit(EventGuardianPhase, sharing.Number, log.Phase().String(), log.Deadline())
}

func (x *execution) advanceSharing(s guardianState) {
	log, ok := x.machine.transcripts.read(x.block, keyGuardianLog(s.Sharings))
	if !ok || !log.EndBlock(x.height) {
		return
	}
	x.machine.transcripts.write(x.block, keyGuardianLog(s.Sharings), log)
	s.Dealing = log.Phase() <= dkg.PhaseBundle
	sharing := must2(load[Sharing](x.block, keySharing(s.Sharings)))
	x.emit(EventGuardianPhase, s.Sharings, log.Phase().String(), log.Deadline())
	drop := uint64(0)
	switch log.Phase() {
	case dkg.PhaseActive:
		sharing.Height, sharing.Proven = x.height, log.Acknowledged()
		save(x.block, keySharing(s.Sharings), sharing)
		drop, s.InForce, s.Running = s.InForce, s.Sharings, false
		x.block.Delete(keyAbortedSharing)
		if w, ok := load[Will](x.block, keyWill); ok && w.Height == 0 { // they are of shares of before
			x.block.Delete(keyWill)
		}
		x.emit(EventGuardianActive, sharing.Number, sharing.Epoch, []uint32(sharing.Seats), sharing.Threshold)
	case dkg.PhaseAborted:
		members, missing := culpritsOf(log, seatsOf(x.block, sharing.Epoch), sharing.Seats)
		save(x.block, keyAbortedSharing, AbortedSharing{Number: s.Sharings, Height: x.height, Members: members, Guardians: missing})
		drop, s.Running, s.Again = s.Sharings, false, x.height+x.params().DKGRetryBlocks
		x.emit(EventGuardianAborted, s.Sharings, numbers(members), numbers(missing), s.Again)
	}
	if drop != 0 {
		x.block.Delete(keySharing(drop))
		x.block.Delete(keyGuardianLog(drop))
	}
	save(x.block, keyGuardians, s)
}
