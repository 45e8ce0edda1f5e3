package secagg

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

// Phase is where a round stands.
type Phase uint8

// Phases in their order; a round ends in Done or Aborted. The phase that takes messages of
// a Kind has its number.
const (
	PhaseAdvertise Phase = iota + 1
	PhaseShare
	PhaseDispute
	PhaseInput
	PhaseConfirm
	PhaseUnmask
	PhaseResult
	PhaseDone
	PhaseAborted
)

func (p Phase) String() string {
	switch p {
	case PhaseAdvertise:
		return "advertise"
	case PhaseShare:
		return "share"
	case PhaseDispute:
		return "dispute"
	case PhaseInput:
		return "input"
	case PhaseConfirm:
		return "confirm"
	case PhaseUnmask:
		return "unmask"
	case PhaseResult:
		return "result"
	case PhaseDone:
		return "done"
	case PhaseAborted:
		return "aborted"
	}
	return fmt.Sprintf("phase %d", uint8(p))
}

var (
	// ErrTooFew reports a round in which a phase ended with fewer members than it takes.
	ErrTooFew = errors.New("too few members were left")
	// ErrSpoilt reports a round whose sum no honest inputs can have: some input was none
	// within the norm, or masked with other keys than were shared. Nobody learns whose.
	ErrSpoilt = errors.New("the sum is spoilt: a member gave another input than it may")
	// ErrDisagreement reports a round in which no threshold of members found one sum.
	ErrDisagreement = errors.New("the members found different sums")
)

// Culprit is a member that failed its duty, with what it did.
type Culprit struct {
	Index  uint32
	Reason Reason
}

// Reason is what a culprit did. Only bad boxes and other results are lies; the rest may
// be a lost connection.
type Reason uint8

// Reasons.
const (
	ReasonNoShares    Reason = iota + 1 // gave a key and shared no secrets
	ReasonBadBox                        // gave somebody a box with wrong shares: the round holds the evidence
	ReasonNoInput                       // shared its secrets and gave no input
	ReasonUnconfirmed                   // named an input that too few could fetch, or that is malformed
	ReasonNoUnmask                      // gave no shares, and the round failed for want of them
	ReasonOtherResult                   // found another sum than the threshold of members
	ReasonNoKey                         // never spoke
	ReasonNoConfirm                     // said of no input that it has it, and the round failed for want of that
	ReasonNoResult                      // did not say what it found, likewise
)

func (r Reason) String() string {
	switch r {
	case ReasonNoShares:
		return "shared no secrets"
	case ReasonBadBox:
		return "shared wrongly"
	case ReasonNoInput:
		return "gave no input"
	case ReasonUnconfirmed:
		return "gave an input that too few could read"
	case ReasonNoUnmask:
		return "gave no shares"
	case ReasonOtherResult:
		return "found another sum"
	case ReasonNoKey:
		return "gave no key"
	case ReasonNoConfirm:
		return "did not say whose input it has"
	case ReasonNoResult:
		return "did not say what the sum is"
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// evidence convicts a member of a bad box.
type evidence struct {
	accuser uint32
	dispute dispute
}

// entry is what the round holds of one member.
type entry struct {
	advert    *advert
	key       kyber.Point // of the advert, decoded; nil until somebody needs it
	body      []byte      // of the bundle
	bundle    *bundle     // decoded; nil until somebody needs it
	evidence  *evidence
	content   bool      // it has no more to dispute
	input     *[32]byte // SHA-256 of the input file
	confirmed members   // nil until it confirms
	unmasking unmasking // nil until it unmasks
	result    *Result
}

// Round is what everybody who reads the messages knows. Apply and EndBlock are
// deterministic. A Round is not safe for concurrent use; Clone it to hand it to another
// goroutine.
type Round struct {
	params  Params
	id      [32]byte
	start   uint64
	phase   Phase
	last    Phase  // the phase in which the round ended; 0 while it runs
	since   uint64 // first height of the phase
	entries []entry
}

// NewRound opens a round that takes keys from height start on.
func NewRound(params Params, start uint64) (*Round, error) {
	if err := params.validate(); err != nil {
		return nil, fmt.Errorf("open round: %w", err)
	}
	if start > maxHeight {
		return nil, fmt.Errorf("open round at height %d: %w", start, shamir.ErrSize)
	}
	return &Round{
		params: params, id: params.roundID(start), start: start,
		phase: PhaseAdvertise, since: start, entries: make([]entry, params.Members),
	}, nil
}

// Clone returns an independent copy that shares what neither of them changes.
func (r *Round) Clone() *Round {
	c := *r
	c.entries = append([]entry(nil), r.entries...) // what they point to is never written again
	return &c
}

// Params are those of NewRound.
func (r *Round) Params() Params { return r.params }

// ID names the round: it hashes parameters and start.
func (r *Round) ID() [32]byte { return r.id }

// Phase is where the round stands.
func (r *Round) Phase() Phase { return r.phase }

// Deadline is the last height of the current phase; 0 once the round ended.
func (r *Round) Deadline() uint64 {
	if r.phase < PhaseAdvertise || r.phase > PhaseResult {
		return 0
	}
	return r.since + r.params.Deadlines.of(r.phase) - 1
}

// passed says whether the phase is over.
func (r *Round) passed(p Phase) bool {
	if r.last != 0 {
		return r.last >= p
	}
	return r.phase > p
}

func (r *Round) which(has func(*entry) bool) members {
	m := make(members, len(r.entries))
	for i := range r.entries {
		m[i] = has(&r.entries[i])
	}
	return m
}

func (r *Round) advertised() members { return r.which(func(e *entry) bool { return e.advert != nil }) }

// sharers are those whose secrets are shared: who has a bundle and no conviction.
func (r *Round) sharers() members {
	return r.which(func(e *entry) bool { return e.body != nil && e.evidence == nil })
}

// sharersDigest names the sharers of this round.
func (r *Round) sharersDigest() [32]byte {
	return shamir.Hash("secagg/sharers", r.id[:], r.sharers().bytes())
}

func (r *Round) givers() members { return r.which(func(e *entry) bool { return e.input != nil }) }

// confirmations counts who holds the member's input.
func (r *Round) confirmations(member int) (n int) {
	for i := range r.entries {
		if c := r.entries[i].confirmed; c != nil && c[member] {
			n++
		}
	}
	return n
}

// confirmed are those whose input at least a threshold of members hold, so that one of
// them is honest and hands it on.
func (r *Round) confirmed() members {
	m := r.givers()
	for i := range m {
		m[i] = m[i] && r.confirmations(i) >= r.params.Threshold
	}
	return m
}

// Participants are the members with whom each input is masked, by index; nil before the
// dispute phase is over.
func (r *Round) Participants() []uint32 {
	if !r.passed(PhaseDispute) {
		return nil
	}
	return r.sharers().indices()
}

// Survivors are the members whose inputs are summed, by index; nil before the confirm
// phase is over.
func (r *Round) Survivors() []uint32 {
	if !r.passed(PhaseConfirm) {
		return nil
	}
	return r.confirmed().indices()
}

// Input is the SHA-256 of the member's input file; it is false while there is none.
func (r *Round) Input(member uint32) ([32]byte, bool) {
	if member < 1 || int64(member) > int64(len(r.entries)) || r.entries[member-1].input == nil {
		return [32]byte{}, false
	}
	return *r.entries[member-1].input, true
}

// Spoke says whether the member has posted a message of that kind; for a dispute, whether
// it convicted somebody or said that it has no more to dispute.
func (r *Round) Spoke(member uint32, kind Kind) bool {
	if member < 1 || int64(member) > int64(len(r.entries)) {
		return false
	}
	e := &r.entries[member-1]
	switch kind {
	case KindKey:
		return e.advert != nil
	case KindShares:
		return e.body != nil
	case KindDispute:
		if e.content {
			return true
		}
		for i := range r.entries {
			if ev := r.entries[i].evidence; ev != nil && ev.accuser == member {
				return true
			}
		}
	case KindInput:
		return e.input != nil
	case KindConfirm:
		return e.confirmed != nil
	case KindUnmask:
		return e.unmasking != nil
	case KindResult:
		return e.result != nil
	}
	return false
}

// Culprits are the members that failed so far, by index; each is named once.
func (r *Round) Culprits() []Culprit {
	var out []Culprit
	found, agreed := r.agreed()
	confirmed := r.confirmed()
	for i := range r.entries {
		e := &r.entries[i]
		var why Reason
		switch {
		case e.evidence != nil:
			why = ReasonBadBox
		case e.advert != nil && e.body == nil && r.passed(PhaseShare):
			why = ReasonNoShares
		case e.advert == nil && r.passed(PhaseAdvertise):
			why = ReasonNoKey
		case e.body == nil:
		case e.result != nil && agreed && *e.result != found:
			why = ReasonOtherResult
		case e.input == nil && r.passed(PhaseInput):
			why = ReasonNoInput
		case e.confirmed == nil && r.phase == PhaseAborted && r.last == PhaseConfirm:
			why = ReasonNoConfirm
		case e.input != nil && !confirmed[i] && r.passed(PhaseConfirm):
			why = ReasonUnconfirmed
		case e.unmasking == nil && r.phase == PhaseAborted && r.last == PhaseUnmask:
			why = ReasonNoUnmask
		case e.result == nil && r.phase == PhaseAborted && r.last == PhaseResult && !agreed:
			why = ReasonNoResult
		}
		if why != 0 {
			out = append(out, Culprit{uint32(i + 1), why})
		}
	}
	return out
}

// agreed is the result that a threshold of members found, if there is one.
func (r *Round) agreed() (Result, bool) {
	votes := make(map[Result]int, 1)
	for i := range r.entries {
		if found := r.entries[i].result; found != nil {
			if votes[*found]++; votes[*found] == r.params.Threshold {
				return *found, true // two thresholds do not fit into the members
			}
		}
	}
	return Result{}, false
}

// Outcome is the hash of the sum that a threshold of members found: whoever holds a sum
// compares its hash. While the round runs the error wraps ErrNotReady, once it is aborted
// ErrTooFew, ErrSpoilt or ErrDisagreement, with what was missing.
func (r *Round) Outcome() ([32]byte, error) {
	few := func(have int, what string) ([32]byte, error) {
		return [32]byte{}, fmt.Errorf("%d members %s, it takes %d: %w", have, what, r.params.Threshold, ErrTooFew)
	}
	found, agreed := r.agreed()
	switch {
	case r.phase == PhaseDone:
		return found.Hash, nil
	case r.phase != PhaseAborted:
		return [32]byte{}, fmt.Errorf("round in phase %s: %w", r.phase, ErrNotReady)
	case r.last == PhaseAdvertise:
		return few(r.advertised().count(), "gave a key")
	case r.last == PhaseShare || r.last == PhaseDispute:
		return few(r.sharers().count(), "shared their secrets rightly")
	case r.last == PhaseInput:
		return few(r.givers().count(), "gave an input")
	case r.last == PhaseConfirm:
		return few(r.confirmed().count(), "gave an input that enough could read")
	case r.last == PhaseUnmask:
		return few(r.unmasked(), "gave shares of one secret")
	case agreed:
		return [32]byte{}, ErrSpoilt
	}
	if said := r.which(func(e *entry) bool { return e.result != nil }).count(); said < r.params.Threshold {
		return few(said, "said what the sum is")
	}
	return [32]byte{}, ErrDisagreement
}

// unmasked is the number of shares of the secret that has the fewest.
func (r *Round) unmasked() int {
	least := len(r.entries)
	for _, of := range r.sharers().indices() {
		n := 0
		for i := range r.entries {
			if u := r.entries[i].unmasking; u != nil && u[of-1] != nil {
				n++
			}
		}
		least = min(least, n)
	}
	return least
}

// boxKey decodes a member's key for boxes once.
func (r *Round) boxKey(member uint32) (kyber.Point, error) {
	e := &r.entries[member-1]
	if e.key == nil {
		key, err := shamir.DecodePoint(group, e.advert.key[:])
		if err != nil {
			return nil, fmt.Errorf("key of member %d: %w", member, err)
		}
		e.key = key
	}
	return e.key, nil
}

// shared decodes a member's bundle once; nil when it has none.
func (r *Round) shared(dealer uint32) (*bundle, error) {
	e := &r.entries[dealer-1]
	if e.bundle == nil && e.body != nil {
		b, err := parseBundle(bytes.Clone(e.body), r.advertised().count(), r.params.Threshold)
		if err != nil {
			return nil, fmt.Errorf("shares of member %d: %w", dealer, err)
		}
		e.bundle = b
	}
	return e.bundle, nil
}

// keys hashes which members advertised which keys. Shares are proved for them, so they are
// refused where the ledger shows others: whom a box there is not for would dispute it, and
// so reveal the shares that it was made for.
func (r *Round) keys() [32]byte {
	advertised := r.advertised()
	w := wire.NewWriter(32 * len(r.entries))
	for _, i := range advertised.indices() {
		w.Raw(r.entries[i-1].advert.key[:])
	}
	return shamir.Hash("secagg/keys", r.id[:], advertised.bytes(), w.Bytes())
}

// place is where the member's box stands in every bundle, from 0.
func (r *Round) place(member uint32) int { return r.advertised()[:member-1].count() }

// committed is what a share that is given in the unmask phase must fit: of a survivor the
// commitment to its self-mask, of another the one to its pairwise secret. Never both.
func (r *Round) committed(member uint32, survives bool) (*shamir.Commitment, error) {
	b, err := r.shared(member)
	if err != nil {
		return nil, err
	}
	if survives {
		return b.self, nil
	}
	return b.pair, nil
}
