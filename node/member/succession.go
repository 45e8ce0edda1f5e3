package member

import (
	"fmt"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// dealToGuardians posts our part of a sharing among the guardians: the members deal
// the shares that they hold, each by itself.
func (m *Machine) dealToGuardians(l curation.View) {
	e := l.Estate()
	if e.Running == nil {
		m.toGuardians = nil
		return
	}
	s := m.seats[e.Running.Epoch]
	log, ok := l.SharingLog(e.Running.Number)
	if s == nil || !ok || log.Phase() > dkg.PhaseBundle {
		return
	}
	if m.toGuardians == nil || m.ofGuardians != log.ID() {
		seed, kept := m.seedOfShare(l, e.Running.Epoch)
		if !kept {
			return
		}
		party, err := dkg.NewHandoverParty(s.key, 0, seed)
		if err != nil {
			m.do(Note{Text: "cannot deal to the guardians", Err: err})
			return
		}
		m.toGuardians, m.ofGuardians = party, log.ID()
	}
	messages, err := m.toGuardians.Step(l.Height()+1, log)
	if err != nil {
		if m.seldom(fmt.Sprintf("guardians/failed/%d/%v", e.Running.Number, log.Phase()), l.Height()) {
			m.do(Note{Text: "cannot deal to the guardians", Err: err})
		}
		return
	}
	for _, msg := range messages {
		m.submit(l.Height(), fmt.Sprintf("guardians/%d/%d", e.Running.Number, msg.Kind),
			curation.GuardianMessage{Sharing: e.Running.Number, Message: uint8(msg.Kind), Data: msg.Body})
	}
}

// seedOfShare is the seed of which we have our share of an epoch. What we deal to the
// guardians follows from it too: the same again after a crash.
func (m *Machine) seedOfShare(l curation.View, epoch uint64) ([32]byte, bool) {
	log, ok := l.CeremonyLogAt(epoch)
	if !ok {
		return [32]byte{}, false
	}
	return m.seedOf(log, l.SeatsAt(epoch).Of(m.me.Index))
}

// tell keeps the ledger's word about our share true: that it is lost when seed and
// transcript give none, and that it has been found when they do again.
func (m *Machine) tell(l curation.View) {
	c, active := l.Committee()
	if !active || l.SeatsAt(c.Epoch()).Of(m.me.Index) == 0 || !m.me.Seated() {
		return
	}
	said := l.SaysLost(m.me.Index)
	switch {
	case m.now == nil && !said && m.lost == c.Epoch() && l.ShareProven(m.me.Index):
		m.submit(l.Height(), fmt.Sprintf("lost/%d", c.Epoch()), curation.ShareReport{Epoch: c.Epoch()})
	case m.now != nil && said:
		q := curation.ShareQuestion(m.chain, m.account, c.Epoch())
		proof, err := quorum.Heartbeat(m.now.key, m.now.committee, q)
		if err != nil {
			m.do(Note{Text: "no proof of our share", Err: err})
			return
		}
		m.submit(l.Height(), fmt.Sprintf("found/%d", c.Epoch()), curation.ShareReport{Epoch: c.Epoch(), Proof: proof[:]})
	}
}
