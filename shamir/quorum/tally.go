package quorum

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
)

var (
	// ErrConflict reports a member that approves one request in two ways.
	ErrConflict = errors.New("conflicting approvals")
	// ErrStatement reports a second statement about a request that is open.
	ErrStatement = errors.New("another statement is open")
	// ErrCulprit reports a member whose partial did not verify before.
	ErrCulprit = errors.New("sent a wrong partial before")
	// ErrFull reports more open requests than the tally takes.
	ErrFull = errors.New("too many open requests")
	// ErrLapsed reports a request at or after its expiry height.
	ErrLapsed = errors.New("request has lapsed")
)

// Approval is what a member gossips: both partials and what they are about. It
// carries the statement itself, so that whatever could count anywhere towards a
// certificate shows to everybody else what was approved.
type Approval struct {
	Member    uint32
	Statement Statement
	Approve   Signature
	Seed      Signature
}

// ApprovalSize is the length of an encoded approval in bytes.
const ApprovalSize = 2 + StatementSize + 2*SignatureSize

// Partial is the one of the certificate.
func (a Approval) Partial() Partial { return Partial{a.Member, a.Approve} }

// Bytes is the wire form; ParseApproval reads it.
func (a Approval) Bytes() []byte {
	w := wire.NewWriter(ApprovalSize)
	w.U16(uint16(a.Member))
	w.Raw(a.Statement.Bytes())
	w.Raw(a.Approve[:])
	w.Raw(a.Seed[:])
	return w.Bytes()
}

// ParseApproval refuses any other length, an index outside 1..MaxMembers, and what is
// no statement.
func ParseApproval(b []byte) (a Approval, err error) {
	r := wire.NewReader(b)
	a.Member = uint32(r.U16())
	statement := r.Raw(StatementSize)
	r.Copy(a.Approve[:])
	r.Copy(a.Seed[:])
	if err := r.Done(); err != nil {
		return Approval{}, fmt.Errorf("approval: %w: %w", err, shamir.ErrEncoding)
	}
	if a.Member < 1 || a.Member > shamir.MaxMembers {
		return Approval{}, fmt.Errorf("approval of member %d: %w", a.Member, shamir.ErrSize)
	}
	if a.Statement, err = ParseStatement(statement); err != nil {
		return Approval{}, fmt.Errorf("approval of member %d: %w", a.Member, err)
	}
	return a, nil
}

// Approve makes the member's approval of a statement. The same statement gives
// the same bytes.
func Approve(key *shamir.KeyShare, s Statement) (Approval, error) {
	p, err := SignApproval(key, s)
	if err != nil {
		return Approval{}, err
	}
	return Approval{key.Index(), s, p.Sig, SignSeed(key, s.Chain, s.RID).Sig}, nil
}

// Event is what a Tally reacts to: Open, Received or Close.
type Event interface{ tallyEvent() }

// Open starts the count of a request that the ledger holds.
type Open struct{ Statement Statement }

// Received is an approval whose sender the transport has authenticated as its
// member.
type Received struct{ Approval Approval }

// Close ends the count: the certificate is on the ledger.
type Close struct{ RID [32]byte }

func (Open) tallyEvent()     {}
func (Received) tallyEvent() {}
func (Close) tallyEvent()    {}

// Effect is what a Tally asks for or reports: Certified, Refused, Culprit, Conflict
// or Expired.
type Effect interface{ tallyEffect() }

// Certified asks to submit the certificate and the seed signature. It comes once
// per request.
type Certified struct {
	Certificate VerifiedCertificate
	Seed        Signature
	Approvals   int // counted so far, at least t
}

// Refused says why an event changed nothing. Member is 0 unless the event was an
// approval.
type Refused struct {
	RID    [32]byte
	Member uint32
	Err    error
}

// Culprit names a member whose partial does not verify. It is not counted again
// for this request.
type Culprit struct {
	RID    [32]byte
	Member uint32
}

// Conflict is an approval of another statement than the one that is open about its
// request. It is not verified: if its partial holds for its own statement
// (VerifyApproval), it convicts whose partial it is. It comes as often as the approval.
type Conflict struct{ Approval Approval }

// Expired says that a request lapsed before it was certified or closed.
type Expired struct{ RID [32]byte }

func (Certified) tallyEffect() {}
func (Refused) tallyEffect()   {}
func (Culprit) tallyEffect()   {}
func (Conflict) tallyEffect()  {}
func (Expired) tallyEffect()   {}

// Tally collects approvals of many requests for one committee. It is a pure state
// machine, not safe for concurrent use. An approval that comes before its request
// is kept until the request opens; of each member it keeps as many as requests may be
// open and at most maxEarly, the newest, and at most two of one request.
type Tally struct {
	committee *shamir.Committee
	maxOpen   int
	counts    map[[32]byte]*count
	early     map[uint32][]Approval
}

// maxEarly bounds what waits for its request, of each member: some 400 bytes each.
// Members send approvals again until they have a certificate.
const maxEarly = 64

// count is one open request.
type count struct {
	statement Statement
	approvals []Approval // ascending by member
	culprits  map[uint32]bool
	careful   bool // a combination failed: verify each approval as it comes
	certified bool
}

// NewTally counts for one committee; it takes at most maxOpen requests at a time.
func NewTally(c *shamir.Committee, maxOpen int) *Tally {
	return &Tally{c, maxOpen, make(map[[32]byte]*count), make(map[uint32][]Approval)}
}

// Step reacts to an event at a ledger height. A nil event lets time pass. Most
// approvals cost nothing; the t-th of a request costs the recovery of two
// signatures.
func (t *Tally) Step(height uint64, e Event) []Effect {
	effects := t.expire(height)
	switch e := e.(type) {
	case Open:
		effects = append(effects, t.open(height, e.Statement)...)
	case Received:
		effects = append(effects, t.receive(e.Approval)...)
	case Close:
		delete(t.counts, e.RID)
	}
	return effects
}

// Approvals lists the members counted for a request, ascending.
func (t *Tally) Approvals(rid [32]byte) []uint32 {
	c := t.counts[rid]
	if c == nil {
		return nil
	}
	var members []uint32
	for _, a := range c.approvals {
		members = append(members, a.Member)
	}
	return members
}

func (t *Tally) expire(height uint64) []Effect {
	var lapsed [][32]byte
	for rid, c := range t.counts {
		if height >= c.statement.Expiry {
			lapsed = append(lapsed, rid)
		}
	}
	slices.SortFunc(lapsed, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
	var effects []Effect
	for _, rid := range lapsed {
		if !t.counts[rid].certified {
			effects = append(effects, Expired{rid})
		}
		delete(t.counts, rid)
	}
	return effects
}

func (t *Tally) open(height uint64, s Statement) []Effect {
	refuse := func(err error) []Effect { return []Effect{Refused{RID: s.RID, Err: err}} }
	if err := sameEpoch(t.committee, s); err != nil {
		return refuse(err)
	}
	if height >= s.Expiry {
		return refuse(ErrLapsed)
	}
	if c := t.counts[s.RID]; c != nil {
		if c.statement != s {
			return refuse(ErrStatement)
		}
		return nil
	}
	if len(t.counts) >= t.maxOpen {
		return refuse(ErrFull)
	}
	t.counts[s.RID] = &count{statement: s, culprits: make(map[uint32]bool)}

	var effects []Effect
	for member := uint32(1); member <= uint32(t.committee.N()); member++ {
		waiting := slices.Clone(t.early[member])
		t.early[member] = slices.DeleteFunc(t.early[member], func(a Approval) bool { return a.Statement.RID == s.RID })
		for _, a := range waiting {
			if a.Statement.RID == s.RID {
				effects = append(effects, t.receive(a)...)
			}
		}
	}
	return effects
}

func (t *Tally) receive(a Approval) []Effect {
	refuse := func(err error) []Effect { return []Effect{Refused{a.Statement.RID, a.Member, err}} }
	if a.Member < 1 || int64(a.Member) > int64(t.committee.N()) {
		return refuse(shamir.ErrSize)
	}
	if err := sameEpoch(t.committee, a.Statement); err != nil {
		return refuse(err)
	}
	c := t.counts[a.Statement.RID]
	if c == nil {
		return t.keep(a)
	}
	if a.Statement != c.statement {
		return []Effect{Conflict{a}}
	}
	i, known := slices.BinarySearchFunc(c.approvals, a.Member, func(b Approval, m uint32) int { return int(b.Member) - int(m) })
	switch {
	case known && c.approvals[i] == a, c.certified:
		return nil
	case known:
		return refuse(ErrConflict)
	case c.culprits[a.Member]:
		return refuse(ErrCulprit)
	}
	if c.careful {
		if err := t.check(c, a); err != nil {
			c.culprits[a.Member] = true
			return []Effect{Culprit{a.Statement.RID, a.Member}}
		}
	}
	c.approvals = slices.Insert(c.approvals, i, a)
	if len(c.approvals) < t.committee.T() {
		return nil
	}
	return t.recover(c)
}

// keep holds an approval whose request is not open yet.
func (t *Tally) keep(a Approval) []Effect {
	waiting, same := t.early[a.Member], 0
	for _, b := range waiting {
		if b == a {
			return nil
		}
		if b.Statement.RID == a.Statement.RID {
			same++
		}
	}
	if same == 2 { // one of two shows already what there is to show
		return []Effect{Refused{a.Statement.RID, a.Member, ErrConflict}}
	}
	if len(waiting) >= min(t.maxOpen, maxEarly) {
		waiting = slices.Delete(waiting, 0, 1)
	}
	t.early[a.Member] = append(waiting, a)
	return nil
}

func (t *Tally) check(c *count, a Approval) error {
	if err := VerifyApproval(t.committee, c.statement, Partial{a.Member, a.Approve}); err != nil {
		return err
	}
	return VerifySeedPartial(t.committee, c.statement.Chain, c.statement.RID, Partial{a.Member, a.Seed})
}

func (t *Tally) recover(c *count) []Effect {
	approve, seed := make([]Partial, len(c.approvals)), make([]Partial, len(c.approvals))
	for i, a := range c.approvals {
		approve[i], seed[i] = Partial{a.Member, a.Approve}, Partial{a.Member, a.Seed}
	}
	cert, bad, err := RecoverCertificate(t.committee, c.statement, approve)
	sig, badSeed, errSeed := RecoverSeed(t.committee, c.statement.Chain, c.statement.RID, seed)

	var effects []Effect
	bad = append(bad, badSeed...)
	slices.Sort(bad)
	for _, member := range slices.Compact(bad) {
		c.careful, c.culprits[member] = true, true
		effects = append(effects, Culprit{c.statement.RID, member})
	}
	c.approvals = slices.DeleteFunc(c.approvals, func(a Approval) bool { return c.culprits[a.Member] })
	if err != nil || errSeed != nil {
		return effects // too few are left: wait for more
	}
	c.certified = true
	return append(effects, Certified{cert, sig, len(c.approvals)})
}
