package member

import (
	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/edition"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// certifyLag is how many blocks the members wait for each other, in an order that
// rotates with the request, before the next one submits a certificate. So one
// submits, and its crash costs two blocks.
const certifyLag = 2

// approve signs every request that the ledger holds and that this member agrees
// with, and the training if there is one, gossips its approval until the certificate is
// on the ledger, and closes the counts of the others.
func (m *Machine) approve(l curation.View) {
	waiting := map[curation.Hash]bool{}
	for _, o := range l.Approving() {
		if m.seats[o.Epoch] != nil {
			waiting[o.RID] = true
			m.approveOne(l, o)
		}
	}
	for rid, seat := range m.counted {
		if !waiting[rid] {
			seat.tally.Step(l.Height(), quorum.Close{RID: rid})
			delete(m.counted, rid)
			delete(m.approved, rid)
			delete(m.certified, rid)
		}
	}
}

// openingOf is what members approve or have approved under a name, and whether it waits
// for its certificate: a request or a training.
func openingOf(l curation.View, rid curation.Hash) (o curation.Opening, waits, ok bool) {
	if a, ok := l.Artwork(rid); ok {
		return a.Opening, a.Status == curation.StatusRequested, true
	}
	t, ok := l.TrainingOf(rid)
	return t.Opening, t.Status == curation.TrainingApproving, ok
}

func (m *Machine) approveOne(l curation.View, a curation.Opening) {
	if m.counted[a.RID] == nil {
		if !m.open(l, a) {
			return
		}
	}
	if own, ok := m.approved[a.RID]; ok && m.again("gossip/"+a.RID.String(), l.Height()) {
		m.do(Gossip{Approval: own})
	}
	c, ok := m.certified[a.RID]
	if !ok {
		return
	}
	n := m.seats[a.Epoch].committee.N()
	rank := (int(m.seats[a.Epoch].key.Index()) - 1 + n - int(a.RID[0])%n) % n
	if l.Height() >= a.Requested+uint64(rank*certifyLag) {
		m.submit(l.Height(), "certify/"+a.RID.String(), curation.Certify{
			RID: a.RID, Certificate: c.Certificate.Signature(), SeedSignature: c.Seed,
		})
	}
}

// open starts the count of a request and adds this member's own approval, when its
// own reading of the ledger says that the request may be approved.
func (m *Machine) open(l curation.View, a curation.Opening) bool {
	seat, s := m.seats[a.Epoch], curation.StatementFor(m.chain, a)
	if l.Height() >= s.Expiry {
		return false
	}
	if art, ok := l.Artwork(a.RID); ok && art.Edition != nil { // the ledger leaves this to the members
		if err := edition.Readable(art.Edition.Changes); err != nil {
			if m.seldom("unreadable/"+a.RID.String(), l.Height()) {
				m.do(Note{Text: "edition not approved: nobody could draw it", RID: a.RID, Err: err})
			}
			return false
		}
	}
	opened := seat.tally.Step(l.Height(), quorum.Open{Statement: s})
	for _, e := range opened {
		if r, ok := e.(quorum.Refused); ok && r.RID == s.RID && r.Member == 0 {
			m.do(Note{Text: "request cannot be counted", RID: a.RID, Err: r.Err})
			return false
		}
	}
	m.counted[a.RID] = seat
	m.tallied(l, seat, opened)
	own, err := quorum.Approve(seat.key, s)
	if err != nil {
		m.do(Note{Text: "cannot approve", RID: a.RID, Err: err})
		return true
	}
	m.approved[a.RID] = own
	m.tallied(l, seat, seat.tally.Step(l.Height(), quorum.Received{Approval: own}))
	return true
}

// count takes an approval of another member. The tally keeps one that comes before
// our ledger has the request.
func (m *Machine) count(l curation.View, a quorum.Approval) {
	rid, seat := curation.Hash(a.Statement.RID), m.seats[a.Statement.Epoch]
	if o, waits, ok := openingOf(l, rid); ok {
		if a.Statement != curation.StatementFor(m.chain, o) {
			m.conflict(l, a)
			return
		}
		if !waits {
			return // late: the tally keeps only what comes before its request
		}
		if seat != nil && m.counted[rid] == nil {
			m.open(l, o)
		}
	}
	if seat != nil && a.Statement.Chain == m.chain {
		m.tallied(l, seat, seat.tally.Step(l.Height(), quorum.Received{Approval: a}))
	}
}

// MaxConflicts is how many approvals of other statements are looked into, of each member
// in RetryBlocks blocks: each costs a pairing, and an honest member makes none.
const MaxConflicts = 4

// conflict takes an approval of another statement about a request than our ledger's. The
// ledger never changes a request's statement, and no request of one committee is ever
// approved by another: so an honest member, however far behind, or restored, approves
// the one statement or nothing. If the partial holds, the approval is evidence.
func (m *Machine) conflict(l curation.View, a quorum.Approval) {
	who := l.SeatsAt(a.Statement.Epoch).At(a.Member)
	committee, ok := l.CommitteeAt(a.Statement.Epoch)
	_, charged := m.charges[who]
	_, convicted := l.Conviction(who)
	if who == 0 || !ok || charged || convicted {
		return
	}
	if l.Height() >= m.conflictsFrom+RetryBlocks {
		clear(m.conflicts)
		m.conflictsFrom = l.Height()
	}
	if m.conflicts[who]++; m.conflicts[who] > MaxConflicts {
		return
	}
	if err := quorum.VerifyApproval(committee, a.Statement, a.Partial()); err != nil { // whoever sent that is to blame, but cannot be shown to be
		m.do(Misbehaved{Member: who, What: "approval of a request does not verify"})
		return
	}
	m.accuse(l, curation.Evidence{Member: who, Approval: &curation.SignedStatement{Statement: a.Statement.Bytes(), Partial: a.Partial().Bytes()}}, m.rank(l, who))
}

// tallied does what the tally of a committee asks for. Its members are seats.
func (m *Machine) tallied(l curation.View, s *seat, effects []quorum.Effect) {
	who := func(index uint32) uint32 { return l.SeatsAt(s.committee.Epoch()).At(index) }
	for _, e := range effects {
		switch e := e.(type) {
		case quorum.Certified:
			rid := curation.Hash(e.Certificate.Statement().RID)
			m.certified[rid] = e
			if o, waits, _ := openingOf(l, rid); waits {
				m.approveOne(l, o)
			}
		case quorum.Culprit:
			m.do(Misbehaved{Member: who(e.Member), What: "approval of a request does not verify"})
		case quorum.Conflict:
			m.conflict(l, e.Approval)
		case quorum.Refused: // it is late or repeated
		case quorum.Expired: // the ledger tells
		}
	}
}
