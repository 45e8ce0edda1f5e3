package dkg

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"go.dedis.ch/kyber/v3"
)

// Phase is where a ceremony stands.
type Phase uint8

// Phases in their order; a ceremony ends in Active or Aborted.
const (
	PhaseCommit Phase = iota + 1
	PhaseBundle
	PhaseDispute
	PhaseAcknowledge
	PhaseActive
	PhaseAborted
)

func (p Phase) String() string {
	switch p {
	case PhaseCommit:
		return "commit"
	case PhaseBundle:
		return "bundle"
	case PhaseDispute:
		return "dispute"
	case PhaseAcknowledge:
		return "acknowledge"
	case PhaseActive:
		return "active"
	case PhaseAborted:
		return "aborted"
	}
	return fmt.Sprintf("phase %d", uint8(p))
}

// Culprit is a member that failed its duty, with what it did. A dealer's index
// is that of the committee that hands over, if there is one.
type Culprit struct {
	Index  uint32
	Reason Reason
}

// Reason is what a culprit did.
type Reason uint8

// Reasons. The first three are dealers', the last is a receiver's.
const (
	ReasonNoCommit Reason = iota + 1 // posted no hash in time
	ReasonNoBundle                   // posted a hash and no bundle
	ReasonBadDeal                    // dealt somebody a wrong share: the log holds the evidence
	ReasonNoAck                      // has not acknowledged its share
)

func (r Reason) String() string {
	switch r {
	case ReasonNoCommit:
		return "posted no commitment"
	case ReasonNoBundle:
		return "withheld its bundle"
	case ReasonBadDeal:
		return "dealt a wrong share"
	case ReasonNoAck:
		return "did not acknowledge"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// evidence convicts a dealer.
type evidence struct {
	accuser uint32
	dispute dispute
}

// dealing is what the log holds of one dealer.
type dealing struct {
	commit   *[32]byte
	body     []byte  // of the bundle
	bundle   *bundle // body decoded; nil until somebody needs it
	evidence *evidence
}

// Log is the public transcript of one ceremony. Apply and EndBlock are
// deterministic. A Log is not safe for concurrent use; Clone it to hand it to
// another goroutine, and keep it in memory between blocks, because what was
// decoded once is reused.
type Log struct {
	params    Params
	id        [32]byte
	dealKeys  []kyber.Point
	start     uint64
	phase     Phase
	last      Phase      // the phase in which the ceremony ended; 0 while it runs
	since     uint64     // first height of the phase
	dealings  []dealing  // dealer i at i-1
	acks      []*ack     // receiver j at j-1; nil until it has proved its share
	committee *Committee // from the end of the dispute phase on
	memory    *Memory    // nil for none
}

// NewLog opens a ceremony whose commit phase takes messages from startHeight on.
func NewLog(params Params, startHeight uint64) (*Log, error) {
	keys, err := params.validate()
	if err != nil {
		return nil, fmt.Errorf("open ceremony: %w", err)
	}
	if startHeight > maxHeight {
		return nil, fmt.Errorf("open ceremony at height %d: %w", startHeight, shamir.ErrSize)
	}
	params.DealKeys = append([][32]byte(nil), params.DealKeys...)
	dealers, _ := params.dealers()
	return &Log{
		params: params, id: params.ceremonyID(startHeight), dealKeys: keys, start: startHeight,
		phase: PhaseCommit, since: startHeight, dealings: make([]dealing, dealers), acks: make([]*ack, len(keys)),
	}, nil
}

// Clone returns an independent copy that shares what neither of them changes.
func (l *Log) Clone() *Log {
	c := *l
	c.dealings = append([]dealing(nil), l.dealings...) // what they point to is never written again
	c.acks = append([]*ack(nil), l.acks...)
	return &c
}

// Params are those of NewLog.
func (l *Log) Params() Params {
	p := l.params
	p.DealKeys = append([][32]byte(nil), p.DealKeys...)
	return p
}

// N is the number of members of the committee to be, who receive shares.
func (l *Log) N() int { return len(l.acks) }

// Dealers is the number of members who may deal: N, or in a handover that of the
// committee in force.
func (l *Log) Dealers() int { return len(l.dealings) }

// speakers is how many members may post messages of the kind.
func (l *Log) speakers(k Kind) int {
	if k == KindCommit || k == KindBundle {
		return l.Dealers()
	}
	return l.N()
}

// ID names the ceremony: it hashes parameters and start.
func (l *Log) ID() [32]byte { return l.id }

// Phase is where the ceremony stands.
func (l *Log) Phase() Phase { return l.phase }

// Deadline is the last height of the current phase; 0 once the ceremony ended.
func (l *Log) Deadline() uint64 {
	d := l.params.Deadlines
	switch l.phase {
	case PhaseCommit:
		return l.since + uint64(d.Commit) - 1
	case PhaseBundle:
		return l.since + uint64(d.Bundle) - 1
	case PhaseDispute:
		return l.since + uint64(d.Dispute) - 1
	case PhaseAcknowledge:
		return l.since + uint64(d.Acknowledge) - 1
	}
	return 0
}

// Spoke says whether the member has posted its message of that kind; for a
// dispute, whether it is the one that convicted a dealer. The index is a
// dealer's or a receiver's, as the kind has it.
func (l *Log) Spoke(index uint32, kind Kind) bool {
	if index < 1 || int64(index) > int64(l.speakers(kind)) {
		return false
	}
	switch kind {
	case KindCommit:
		return l.dealings[index-1].commit != nil
	case KindBundle:
		return l.dealings[index-1].body != nil
	case KindAck:
		return l.acks[index-1] != nil
	case KindDispute:
		for i := range l.dealings {
			if ev := l.dealings[i].evidence; ev != nil && ev.accuser == index {
				return true
			}
		}
	}
	return false
}

// Said is the body of the dealer's commit or bundle, nil when it posted none. All
// that a dealer says follows from its seed, so who signs another is at fault.
func (l *Log) Said(dealer uint32, kind Kind) []byte {
	if dealer < 1 || int64(dealer) > int64(l.Dealers()) {
		return nil
	}
	switch d := l.dealings[dealer-1]; {
	case kind == KindCommit && d.commit != nil:
		return bytes.Clone(d.commit[:])
	case kind == KindBundle:
		return bytes.Clone(d.body)
	}
	return nil
}

// passed says whether the phase is over.
func (l *Log) passed(p Phase) bool {
	if l.last != 0 {
		return l.last >= p
	}
	return l.phase > p
}

// Culprits are the members that failed so far: by index, or in a handover the
// dealers and then the receivers. A member that acknowledges late is forgiven.
func (l *Log) Culprits() []Culprit {
	var out []Culprit
	failed := make(map[uint32]bool)
	for i := range l.dealings {
		if r := l.dealerFailed(&l.dealings[i]); r != 0 {
			out = append(out, Culprit{uint32(i + 1), r})
			failed[uint32(i+1)] = l.params.Previous == nil // one member, one reason
		}
	}
	for i, a := range l.acks {
		if a == nil && l.passed(PhaseAcknowledge) && !failed[uint32(i+1)] {
			out = append(out, Culprit{uint32(i + 1), ReasonNoAck})
		}
	}
	if l.params.Previous == nil {
		slices.SortFunc(out, func(a, b Culprit) int { return cmp.Compare(a.Index, b.Index) })
	}
	return out
}

// dealerFailed is what a dealer failed in so far, or 0.
func (l *Log) dealerFailed(d *dealing) Reason {
	switch {
	case d.evidence != nil:
		return ReasonBadDeal
	case d.commit == nil && l.passed(PhaseCommit):
		return ReasonNoCommit
	case d.commit != nil && d.body == nil && l.passed(PhaseBundle):
		return ReasonNoBundle
	}
	return 0
}

// Qualified are the dealers whose polynomials make the keys, by index; nil
// before the dispute phase is over. Of those who hand over, the first t suffice,
// and everybody takes the same.
func (l *Log) Qualified() []uint32 {
	if !l.passed(PhaseDispute) {
		return nil
	}
	return l.qualify()
}

func (l *Log) qualify() []uint32 {
	out := l.undisputed()
	if _, need := l.params.dealers(); l.params.Previous != nil && len(out) > need {
		out = out[:need]
	}
	return out
}

func (l *Log) undisputed() []uint32 {
	var out []uint32
	for i := range l.dealings {
		if l.dealings[i].body != nil && l.dealings[i].evidence == nil {
			out = append(out, uint32(i+1))
		}
	}
	return out
}

// Acknowledged is how many members have proved their share; less the threshold
// it is the margin that the network can lose.
func (l *Log) Acknowledged() int {
	n := 0
	for _, a := range l.acks {
		if a != nil {
			n++
		}
	}
	return n
}

// Committee is the outcome. Unless the phase is Active the error wraps
// ErrNotReady.
func (l *Log) Committee() (*Committee, error) {
	if l.phase != PhaseActive {
		return nil, fmt.Errorf("committee in phase %s: %w", l.phase, ErrNotReady)
	}
	return l.committee, nil
}

// Candidate is the committee that members are asked to acknowledge: as Committee,
// but from the acknowledge phase on.
func (l *Log) Candidate() (*Committee, error) {
	if l.committee == nil {
		return nil, fmt.Errorf("committee in phase %s: %w", l.phase, ErrNotReady)
	}
	return l.committee, nil
}

func (l *Log) count(has func(*dealing) bool) int {
	n := 0
	for i := range l.dealings {
		if has(&l.dealings[i]) {
			n++
		}
	}
	return n
}

// dealt decodes a dealer's bundle once; nil when it posted none.
func (l *Log) dealt(dealer uint32) (*bundle, error) {
	e := &l.dealings[dealer-1]
	if e.bundle == nil && e.body != nil {
		b, err := parseBundle(l.memory, e.body, l.N(), l.params.Threshold)
		if err != nil {
			return nil, fmt.Errorf("bundle of member %d: %w", dealer, err)
		}
		e.bundle = b
	}
	return e.bundle, nil
}
