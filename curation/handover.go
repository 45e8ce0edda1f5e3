package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// handOver takes a member's consent to a handover, the first of which proposes it.
// What was begun under a committee is served by it to its end, so an older one must
// have nothing left to do.
func (x *execution) handOver(signer Address, p HandOver) error {
	member, err := x.member(signer)
	if err != nil {
		return err
	}
	h, proposed := load[Handover](x.st, keyHandover)
	if err := x.machine.mayHandOver(x.st, x.height, x.committee, x.log, proposed); err != nil {
		return err
	}
	switch {
	case p.Epoch != x.committee.Epoch()+1:
		return refuse(CodeWrongPhase, "handover to epoch %d, the next one is %d", p.Epoch, x.committee.Epoch()+1)
	case slices.ContainsFunc(h.Keys, func(k DealKey) bool { return k.Member == member.Index }):
		return refuse(CodeDuplicate, "member %d has consented already", member.Index)
	}
	if err := validatePoint(p.DealKey); err != nil {
		return refuse(CodeMalformed, "deal key: %v", err)
	}
	if x.dealKeyUsed(h, p.DealKey) {
		return refuse(CodeMalformed, "the deal key is in use: make a fresh one")
	}
	if err := dkg.VerifyDealKey(p.DealKey, x.machine.chain, p.Epoch, member.Index, p.Proof); err != nil {
		return refuse(CodeProof, "%v", err)
	}
	if !proposed {
		h = Handover{Epoch: p.Epoch, Opened: x.height, Until: x.height + x.params().DKGPhaseBlocks - 1}
		x.emit(EventHandoverProposed, h.Epoch, member.Index, h.Until)
	}
	h.Keys = append(h.Keys, DealKey{Member: member.Index, Key: p.DealKey})
	save(x.st, keyHandover, h)
	x.emit(EventHandoverConsent, h.Epoch, member.Index, len(h.Keys))
	return nil
}

// mayHandOver refuses consents at a height at which none can be given.
func (m *Machine) mayHandOver(r state.Reader, height uint64, committee *shamir.Committee, log *dkg.Log, proposed bool) error {
	if committee == nil {
		return refuse(CodeWrongPhase, "no committee is in force yet: wait for the end of the ceremony")
	}
	again := must2(load[ceremonyState](r, keyCeremony)).Again
	switch {
	case log.Phase() != dkg.PhaseActive:
		return refuse(CodeWrongPhase, "the handover to epoch %d is under way: its members are those who consented in time", log.Params().Epoch)
	case proposed:
		return nil
	case height < again:
		return refuse(CodeWrongPhase, "the next handover may be proposed from height %d on", again)
	case oldestWork(r, committee.Epoch()) < committee.Epoch():
		return refuse(CodeWrongPhase, "the committee of epoch %d still serves requests or a round: propose the handover when they have ended", committee.Epoch()-1)
	}
	return nil
}

// oldestWork is the oldest epoch whose committee serves something yet, or now. All
// requests live equally long, so the first to expire is of the oldest epoch.
func oldestWork(r state.Reader, now uint64) uint64 {
	if round, running := runningRound(r); running {
		now = min(now, round.Epoch)
	}
	for k := range r.Ascend([]byte("index/due/")) {
		return min(now, must2(load[Artwork](r, keyArtwork(Hash(k[len(k)-32:])))).Epoch)
	}
	return now
}

// dealKeyUsed says whether somebody has the deal key already: who is absent keeps
// its own, and one key must not stand twice in a ceremony.
func (x *execution) dealKeyUsed(h Handover, key Hash) bool {
	for _, m := range records[Member](x.st, []byte("member/")) {
		if m.DealKey == key {
			return true
		}
	}
	return slices.ContainsFunc(h.Keys, func(k DealKey) bool { return k.Key == key })
}

// handoverBlock opens the ceremony of a proposed handover, or lets it lapse.
func (x *execution) handoverBlock(ceremony ceremonyState) {
	h, proposed := load[Handover](x.block, keyHandover)
	if !proposed || x.height < h.Until && len(h.Keys) < len(x.machine.genesis.Members) {
		return
	}
	members := records[Member](x.block, []byte("member/"))
	x.block.Delete(keyHandover)
	if len(h.Keys) < x.committee.T() {
		x.emit(EventHandoverLapsed, h.Epoch, len(h.Keys), x.committee.T())
		save(x.block, keyAborted, AbortedHandover{Epoch: h.Epoch, Attempt: ceremony.Handovers, Height: x.height})
		x.stay(ceremony.Handovers+1, x.height+x.params().DKGRetryBlocks)
		return
	}
	params := ceremonyParams(*x.params(), len(members))
	params.Epoch, params.Previous = h.Epoch, x.committee
	params.Session = dkg.Session(x.machine.chain, h.Epoch, x.committee.Digest(), ceremony.Handovers)
	for _, m := range members {
		key := m.DealKey
		if i := slices.IndexFunc(h.Keys, func(k DealKey) bool { return k.Member == m.Index }); i >= 0 {
			key = h.Keys[i].Key
		}
		params.DealKeys = append(params.DealKeys, key)
	}
	x.open(params, ceremonyState{Epoch: h.Epoch, Attempt: ceremony.Handovers})
}

// stay makes the ceremony of the committee in force the last one again, after
// attempts to hand over; the next may be proposed from a height on.
func (x *execution) stay(attempts, again uint64) {
	record := must2(committeeInForce(x.block))
	log, err := ceremonyLog(x.block, record.Epoch)
	if err != nil { // it is kept for as long as the committee is in force
		panic(err)
	}
	if x.log.Params().Epoch != record.Epoch {
		x.block.Delete(keyLog(x.log.Params().Epoch))
	}
	x.log, x.ownLog = log, true
	save(x.block, keyCeremony, ceremonyState{Epoch: record.Epoch, Attempt: record.Attempt, Handovers: attempts, Again: again})
}

// forgetBefore drops what only older committees needed, and takes down the deal
// keys of the one that is in force now. The one before it may have something to
// finish; of those before that, which could grow without end, the summary stays.
func (x *execution) forgetBefore(epoch uint64, dealKeys [][32]byte) {
	if epoch > firstEpoch+1 {
		x.block.Delete(keyLog(epoch - 2))
		old := must2(load[Committee](x.block, keyCommitteeRecord(epoch-2)))
		old.Encoded = nil
		save(x.block, keyCommitteeRecord(old.Epoch), old)
	}
	for i, key := range dealKeys {
		member := must2(load[Member](x.block, keyMember(uint32(i+1))))
		if member.DealKey != key {
			member.DealKey = key
			save(x.block, keyMember(member.Index), member)
		}
	}
}
