package curation

import (
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// firstEpoch is the committee that the founders' ceremony makes.
const firstEpoch = 1

// ceremonyState is what the ledger keeps about ceremonies beside the transcript.
type ceremonyState struct {
	_       struct{} `cbor:",toarray"`
	Attempt uint64
	RetryAt uint64 // height at whose end the next attempt opens; 0 while one runs or after success
}

// CeremonyParams are the parameters of the attempt-th ceremony of a network.
func CeremonyParams(chain Hash, g Genesis, attempt uint64) dkg.Params {
	p := dkg.Params{
		Epoch: firstEpoch, Session: dkg.Session(chain, firstEpoch, [32]byte{}, attempt),
		Threshold: shamir.Threshold(len(g.Members)),
		Deadlines: dkg.Deadlines{
			Commit: uint32(g.Params.DKGPhaseBlocks), Bundle: uint32(g.Params.DKGPhaseBlocks),
			Dispute: uint32(g.Params.DKGDisputeBlocks), Acknowledge: uint32(g.Params.DKGPhaseBlocks),
		},
	}
	for _, m := range g.Members {
		p.DealKeys = append(p.DealKeys, m.DealKey)
	}
	return p
}

// openCeremony writes a fresh transcript that takes messages from start on.
func openCeremony(o *state.Overlay, chain Hash, g Genesis, attempt, start uint64) (*dkg.Log, error) {
	log, err := dkg.NewLog(CeremonyParams(chain, g, attempt), start)
	if err != nil {
		return nil, err
	}
	save(o, keyCeremony, ceremonyState{Attempt: attempt})
	o.Set(keyLog, must(log.MarshalBinary()))
	return log, nil
}

// writableLog returns the transcript as this block's own copy.
func (x *execution) writableLog() *dkg.Log {
	if !x.ownLog {
		x.log, x.ownLog = x.log.Clone(), true
	}
	return x.log
}

func (x *execution) ceremonyMessage(signer Address, p CeremonyMessage) error {
	member, err := x.member(signer)
	if err != nil {
		return err
	}
	ceremony := must2(load[ceremonyState](x.st, keyCeremony))
	if p.Epoch != firstEpoch || p.Attempt != ceremony.Attempt {
		return refuse(CodeWrongPhase, "message for epoch %d, attempt %d; the ledger is at epoch %d, attempt %d",
			p.Epoch, p.Attempt, firstEpoch, ceremony.Attempt)
	}
	err = x.writableLog().Apply(x.height, member.Index, dkg.Message{Kind: dkg.Kind(p.Message), Body: p.Data})
	if err != nil {
		return refuse(ceremonyCode(err), "ceremony: %v", err)
	}
	x.st.Set(keyLog, must(x.log.MarshalBinary()))
	x.emit(EventCeremonyMessage, p.Epoch, p.Attempt, member.Index, messageName(p.Message))
	return nil
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
			log, err := openCeremony(x.block, x.machine.chain, x.machine.genesis, ceremony.Attempt+1, x.height+1)
			if err != nil { // the same parameters have opened a ceremony before
				panic(err)
			}
			x.log, x.ownLog = log, true
			x.emit(EventCeremonyPhase, uint64(firstEpoch), ceremony.Attempt+1, CeremonyCommit, log.Deadline())
		}
		return
	}
	before := x.log.Phase()
	if x.height == 1 && ceremony.Attempt == 0 {
		x.emit(EventCeremonyPhase, uint64(firstEpoch), ceremony.Attempt, CeremonyPhase(before.String()), x.log.Deadline())
	}
	if before == dkg.PhaseActive {
		return
	}
	if !x.writableLog().EndBlock(x.height) {
		return
	}
	x.block.Set(keyLog, must(x.log.MarshalBinary()))
	after := x.log.Phase()
	if after == before {
		return
	}
	x.emit(EventCeremonyPhase, uint64(firstEpoch), ceremony.Attempt, CeremonyPhase(after.String()), x.log.Deadline())
	switch after {
	case dkg.PhaseActive:
		x.activate(ceremony)
	case dkg.PhaseAborted:
		x.abortCeremony(ceremony)
	}
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
		Epoch: committee.Epoch(), Attempt: ceremony.Attempt, Members: committee.N(), Threshold: committee.T(),
		X: cx[:], Y: cy[:], Encoded: must(committee.MarshalBinary()), Qualified: x.log.Qualified(), Height: x.height,
	}
	x.committee = committee
	save(x.block, keyCommittee, record)
	x.emit(EventCeremonyActive, record.Epoch, record.X, record.Y, record.Threshold, record.Qualified)
}

// abortCeremony records who failed and when the next attempt opens.
func (x *execution) abortCeremony(ceremony ceremonyState) {
	ceremony.RetryAt = x.height + x.params().DKGRetryBlocks
	save(x.block, keyCeremony, ceremony)
	var culprits []uint32
	for _, c := range x.log.Culprits() {
		culprits = append(culprits, c.Index)
	}
	x.emit(EventCeremonyAborted, uint64(firstEpoch), ceremony.Attempt, culprits, ceremony.RetryAt)
}
