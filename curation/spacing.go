package curation

import (
	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir"
)

// A handover is work for all members, and makes their backups stale. Those that somebody
// waits for come as they are needed: somebody joins, leaves or was convicted, or the
// guardians are owed one. Two things would let a single member have the others hand over
// without end, and are bounded here: to propose one that nobody waits for, and to join,
// consent, and not acknowledge.

// manyPauses is what the spans below are counted in: so many times Params.DKGRetryBlocks.
const manyPauses = 8

// MaxMissed is how many handovers may fail over one who joins; then its admission ends.
const MaxMissed = 3

// Missed is what the ledger keeps of one who joins when handovers failed to which it
// consented and of which it did not acknowledge its share. It is no offence: nobody can
// tell silence from a line that is down.
type Missed struct {
	_     struct{} `cbor:",toarray"`
	Times uint64   // below MaxMissed
	Again uint64   // first height at which it may consent again; handovers before go on without it
}

// manyBlocks is manyPauses in blocks.
func (m *Machine) manyBlocks() uint64 { return manyPauses * m.genesis.Params.DKGRetryBlocks }

// refreshFrom is the first height at which a member may propose a handover that nobody
// waits for. One of n may do so once in n-1 spans, so that all together leave one span
// between two, and those who are dishonest, fewer than a third, leave three.
func (m *Machine) refreshFrom(r state.Reader, member uint32, committee *shamir.Committee) uint64 {
	last, ok := load[uint64](r, keyRefresh(member))
	if !ok {
		return 0
	}
	return last + uint64(committee.N()-1)*m.manyBlocks()
}

// awaited says whether somebody waits for a handover that a member would propose for
// the block of a height. Who joins waits for itself: without its consent it gets no seat.
func (m *Machine) awaited(r state.Reader, height uint64, proposer Member) bool {
	if proposer.Standing == StandingJoining || recoveryDue(r, height) || m.hushed(r, height) {
		return true
	}
	for _, p := range records[Member](r, []byte("member/")) {
		if p.Standing == StandingLeaving {
			return true
		}
	}
	return false
}

// hushed says whether half of the silence has passed after which guardians may publish
// the key: a handover is a sign of life.
func (m *Machine) hushed(r state.Reader, height uint64) bool {
	rules, life := m.genesis.Succession, count(r, keyLife)
	if w, _ := load[Will](r, keyWill); rules.Policy != WillPolicy || life == 0 || w.Height != 0 {
		return false
	}
	return height > life+rules.SilentBlocks/2
}

// mayConsent refuses the consent of one who joins for a while after it missed a handover.
func mayConsent(r state.Reader, height uint64, member uint32) error {
	if missed, ok := load[Missed](r, keyMissed(member)); ok && height < missed.Again {
		return refuse(CodeWrongPhase, "member %d consented to a handover and did not acknowledge its share (%s of %d): it may consent again from height %d on, see that its node stays up",
			member, plural(missed.Times, "time"), MaxMissed, missed.Again)
	}
	return nil
}

// miss counts a handover that failed against those who join and did not acknowledge
// their share of it. Who has a seat keeps it: that is taken by votes, or for an offence.
func (x *execution) miss(epoch uint64, silent []Culprit) {
	for _, c := range silent {
		m := must2(load[Member](x.block, keyMember(c.Member)))
		if m.Standing != StandingJoining {
			continue
		}
		missed, _ := load[Missed](x.block, keyMissed(m.Index))
		missed.Times++
		if missed.Times == MaxMissed {
			x.emit(EventMemberMissed, m.Index, epoch, missed.Times, MaxMissed, 0)
			x.goes(m, nil)
			continue
		}
		missed.Again = x.height + missed.Times*x.machine.manyBlocks()
		save(x.block, keyMissed(m.Index), missed)
		x.emit(EventMemberMissed, m.Index, epoch, missed.Times, MaxMissed, missed.Again)
	}
}

// forgive drops what is kept of somebody's handovers once that has no meaning any more.
func (x *execution) forgive(m Member) {
	if _, kept := x.st.Get(keyMissed(m.Index)); kept && m.Standing != StandingJoining {
		x.st.Delete(keyMissed(m.Index))
	}
	if _, kept := x.st.Get(keyRefresh(m.Index)); kept && m.Standing == StandingLeft {
		x.st.Delete(keyRefresh(m.Index))
	}
}

// Missed is what the ledger keeps of one who joins and missed a handover, if it did.
func (v View) Missed(member uint32) (Missed, bool) {
	return load[Missed](v.m.store, keyMissed(member))
}

// HandoverAwaited says whether somebody waits for a handover that a member would propose
// now: the members do so by themselves.
func (v View) HandoverAwaited(member uint32) bool {
	m, _ := v.Member(member)
	return v.m.committee != nil && v.m.awaited(v.m.store, v.m.height+1, m)
}
