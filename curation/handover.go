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
	if !member.counts() {
		return refuse(CodeNotMember, "member %d is %s: a handover is for those with a share and those who get one", member.Index, member.Standing)
	}
	h, proposed := load[Handover](x.st, keyHandover)
	if err := x.machine.mayHandOver(x.st, x.height, x.committee, x.log, proposed, member); err != nil {
		return err
	}
	switch {
	case p.Epoch != x.committee.Epoch()+1:
		return refuse(CodeWrongPhase, "handover to epoch %d, the next one is %d", p.Epoch, x.committee.Epoch()+1)
	case !member.Seated() && member.Prekeys() == 0: // a request takes one of most members, from the first block on
		return refuse(CodeWrongPhase, "member %d has no prekeys on the ledger: send those first", member.Index)
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
		if !x.machine.awaited(x.st, x.height, member) {
			save(x.st, keyRefresh(member.Index), x.height)
		}
		h = Handover{Epoch: p.Epoch, Opened: x.height, Until: x.height + x.params().DKGPhaseBlocks - 1}
		x.emit(EventHandoverProposed, h.Epoch, member.Index, h.Until)
	}
	h.Keys = append(h.Keys, DealKey{Member: member.Index, Key: p.DealKey})
	save(x.st, keyHandover, h)
	x.emit(EventHandoverConsent, h.Epoch, member.Index, len(h.Keys))
	return nil
}

// mayHandOver refuses consents of a member at a height at which it can give none. The
// zero member stands for whoever may.
func (m *Machine) mayHandOver(r state.Reader, height uint64, committee *shamir.Committee, log *dkg.Log, proposed bool, by Member) error {
	if committee == nil {
		return refuse(CodeWrongPhase, "no committee is in force yet: wait for the end of the ceremony")
	}
	if err := mayConsent(r, height, by.Index); err != nil {
		return err
	}
	again := must2(load[ceremonyState](r, keyCeremony)).Again
	switch {
	case log.Phase() != dkg.PhaseActive:
		return refuse(CodeWrongPhase, "the handover to epoch %d is under way: its members are those who consented in time", log.Params().Epoch)
	case proposed:
		return nil
	case height < again:
		return refuse(CodeWrongPhase, "the next handover may be proposed from height %d on", again)
	case guardians(r).Dealing:
		return refuse(CodeWrongPhase, "the members deal shares to the guardians: propose the handover when that is done")
	case oldestWork(r, committee.Epoch()) < committee.Epoch():
		return refuse(CodeWrongPhase, "the committee of epoch %d still serves requests, a training or a round: propose the handover when they have ended", committee.Epoch()-1)
	}
	if from := m.refreshFrom(r, by.Index, committee); height < from && !m.awaited(r, height, by) {
		return refuse(CodeWrongPhase, "member %d has proposed a handover that nobody waited for not long ago: it may propose the next from height %d on, another member may now", by.Index, from)
	}
	return nil
}

// oldestWork is the oldest epoch whose committee serves something yet, or now. All
// requests live equally long, so the first to expire is of the oldest epoch.
func oldestWork(r state.Reader, now uint64) uint64 {
	if round, running := runningRound(r); running {
		now = min(now, round.Epoch)
	}
	if t, running := runningTraining(r); running && t.Status.Opens() {
		now = min(now, t.Epoch)
	}
	for k := range r.Ascend([]byte("index/due/")) {
		return min(now, must2(load[Artwork](r, keyArtwork(Hash(k[len(k)-32:])))).Epoch)
	}
	return now
}

// dealKeyUsed says whether somebody has the deal key already: who is absent keeps
// its own, and one key must not stand twice in a ceremony.
func (x *execution) dealKeyUsed(h Handover, key Hash) bool {
	for _, m := range x.members() {
		if m.DealKey == key {
			return true
		}
	}
	return slices.ContainsFunc(h.Keys, func(k DealKey) bool { return k.Key == key })
}

// handoverBlock opens the ceremony of a proposed handover, or lets it lapse. Who is
// joining gets a seat if it has consented, who is leaving gets none; of the others
// those who are absent keep the deal key that they have. Nobody waits for one who may
// not consent.
func (x *execution) handoverBlock(ceremony ceremonyState) {
	h, proposed := load[Handover](x.block, keyHandover)
	if !proposed {
		return
	}
	consented := func(m Member) (Hash, bool) {
		i := slices.IndexFunc(h.Keys, func(k DealKey) bool { return k.Member == m.Index })
		if i < 0 {
			return m.DealKey, false
		}
		return h.Keys[i].Key, true
	}
	var seats Seats
	var keys [][32]byte
	consents, absent := 0, 0 // of those who have shares to hand over; of anybody who could consent
	for _, m := range x.members() {
		key, present := consented(m)
		switch {
		case m.counts() && !present && mayConsent(x.block, x.height, m.Index) == nil:
			absent++
		case m.Seated():
			consents++
		}
		if m.Standing == StandingActive || m.Standing == StandingJoining && present {
			seats, keys = append(seats, m.Index), append(keys, key)
		}
	}
	if x.height < h.Until && absent > 0 {
		return
	}
	x.block.Delete(keyHandover)
	if consents < x.committee.T() {
		x.emit(EventHandoverLapsed, h.Epoch, consents, x.committee.T())
		save(x.block, keyAborted, AbortedHandover{Epoch: h.Epoch, Attempt: ceremony.Handovers, Height: x.height})
		x.stay(ceremony.Handovers+1, x.height+x.params().DKGRetryBlocks)
		return
	}
	params := ceremonyParams(*x.params(), len(seats))
	params.Epoch, params.Previous, params.DealKeys = h.Epoch, x.committee, keys
	dealers := x.recoverers(&params)
	params.Session = dkg.Session(x.machine.chain, h.Epoch, params.Previous.Digest(), ceremony.Handovers)
	x.open(params, ceremonyState{Epoch: h.Epoch, Attempt: ceremony.Handovers, Seats: seats, Draining: ceremony.Draining, Guardians: dealers})
}

// stay makes the ceremony of the committee in force the last one again, after
// attempts to hand over; the next may be proposed from a height on.
func (x *execution) stay(attempts, again uint64) {
	record := must2(committeeInForce(x.block))
	log := must2(x.machine.transcripts.read(x.block, keyLog(record.Epoch))) // kept for as long as the committee is in force
	if x.log.Params().Epoch != record.Epoch {
		x.block.Delete(keyLog(x.log.Params().Epoch))
	}
	x.log, x.ownLog = log, true
	draining := must2(load[ceremonyState](x.block, keyCeremony)).Draining
	save(x.block, keyCeremony, ceremonyState{Epoch: record.Epoch, Attempt: record.Attempt, Seats: record.Seats, Draining: draining, Handovers: attempts, Again: again, Guardians: record.Guardians})
	for _, m := range x.members() { // who would have got a seat, and has left since
		if m.Standing == StandingLeaving && !m.Seated() {
			x.goes(m, nil)
		}
	}
}

// forgetBefore drops what only older committees needed. The one before the one that
// is in force now may have something to finish; of those before that, which could
// grow without end, the summary stays.
func (x *execution) forgetBefore(epoch uint64) {
	if epoch > firstEpoch+1 {
		x.forgetAborted(epoch - 2)
		x.block.Delete(keyLog(epoch - 2))
		old := must2(load[Committee](x.block, keyCommitteeRecord(epoch-2)))
		old.Encoded = nil
		save(x.block, keyCommitteeRecord(old.Epoch), old)
	}
}
