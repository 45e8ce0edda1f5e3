package member

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/atelier-dao/atelier/curation"
)

var errOwnKey = errors.New("stop the other node, or leave the network if it is not yours")

// charge is evidence that this member brings until the ledger has judged it. It is kept
// on disk as long: nobody else may have it.
type charge struct {
	evidence curation.Evidence
	from     uint64 // height from which on it is brought
}

// what tells in words what a member is charged with.
var what = map[curation.Offence]string{
	curation.OffenceShare:     "signed a wrong share",
	curation.OffenceCeremony:  "signed two messages of one kind in a ceremony",
	curation.OffenceStatement: "approved another statement about a request",
}

// accuse keeps evidence to bring, at most one of each member: the ledger convicts once.
// It asks our own ledger first. Where all have the same, rank says after how many
// others it is our turn, as with certificates.
func (m *Machine) accuse(l curation.View, e curation.Evidence, rank int) {
	if _, known := m.charges[e.Member]; known {
		return
	}
	if e.Member == m.me.Index {
		if m.seldom("accused", l.Height()) {
			m.do(Note{Text: "somebody else uses the key of this member: " + what[e.Offence()], Err: errOwnKey})
		}
		return
	}
	if _, convicted := l.Conviction(e.Member); convicted {
		return
	}
	m.do(Misbehaved{Member: e.Member, What: what[e.Offence()]})
	if err := l.Judge(e); err != nil {
		m.do(Note{Text: "the ledger does not take evidence", Err: fmt.Errorf("against member %d: %w", e.Member, err)})
		return
	}
	m.charges[e.Member] = charge{e, l.Height() + uint64(rank*certifyLag)}
	m.do(KeepEvidence{e})
	m.bring(l, e.Member)
}

// Charge gives the machine evidence that an earlier run kept and may not have brought.
func (m *Machine) Charge(e curation.Evidence) {
	if _, known := m.charges[e.Member]; !known {
		m.charges[e.Member] = charge{evidence: e}
	}
}

// rank is after how many other members it is our turn to bring what all may have: the
// turns begin with the member after the accused.
func (m *Machine) rank(l curation.View, accused uint32) int {
	n := len(l.Members())
	return (int(m.me.Index) + n - int(accused)%n - 1) % n
}

// press brings what there is until the ledger has judged, beginning with what came to
// this node's pool.
func (m *Machine) press(l curation.View) {
	if m.me.Index == 0 || m.me.Standing == curation.StandingLeft {
		return
	}
	for _, e := range l.Contradictions() {
		m.accuse(l, e, m.rank(l, e.Member))
	}
	for _, number := range slices.Sorted(maps.Keys(m.charges)) {
		m.bring(l, number)
	}
}

func (m *Machine) bring(l curation.View, number uint32) {
	c := m.charges[number]
	if _, convicted := l.Conviction(number); convicted {
		m.drop(number)
		return
	}
	key := fmt.Sprintf("evidence/%d", number)
	if l.Height() < c.from || !m.again(key, l.Height()) {
		return
	}
	if err := l.Judge(c.evidence); err != nil { // it has come too late
		m.drop(number)
		m.do(Note{Text: "the ledger does not take evidence", Err: fmt.Errorf("against member %d: %w", number, err)})
		return
	}
	m.do(Submit{Key: key, Payload: c.evidence})
}

func (m *Machine) drop(number uint32) {
	delete(m.charges, number)
	m.do(DropEvidence{number})
}
