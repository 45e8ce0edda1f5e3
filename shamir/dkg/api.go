package dkg

import (
	"errors"

	"github.com/atelier-dao/atelier/shamir"
)

// Committee and KeyShare are what a ceremony leaves behind.
type (
	Committee = shamir.Committee
	KeyShare  = shamir.KeyShare
)

var (
	// ErrPhase reports a message that the current phase does not take.
	ErrPhase = errors.New("message does not belong to this phase")
	// ErrDuplicate reports a second message of a kind that is said once.
	ErrDuplicate = errors.New("already said")
	// ErrMessage reports a malformed message or one whose proof does not hold.
	ErrMessage = errors.New("message refused")
	// ErrNoDispute reports a dispute about a deal that is in order.
	ErrNoDispute = errors.New("the disputed deal is in order")
	// ErrNotMember reports an index outside 1..n.
	ErrNotMember = errors.New("not a member of this ceremony")
	// ErrNotReady reports a question that a later phase answers.
	ErrNotReady = errors.New("ceremony is not that far")
	// ErrShareLost reports a member whose own share is wrong or missing for good.
	ErrShareLost = errors.New("own share cannot be derived")
)

// Deadlines are the lengths of the phases in blocks, each at least 1. Commit,
// bundle and acknowledge end early once everybody has spoken; the dispute phase
// never does, since silence is its normal answer.
type Deadlines struct{ Commit, Bundle, Dispute, Acknowledge uint32 }

// Params fix a ceremony. Member i's deal key is DealKeys[i-1].
type Params struct {
	Epoch     uint64     // of the committee to be, from 1
	Session   [32]byte   // names the ceremony; never reused
	Threshold int        // shamir.Threshold(len(DealKeys)), or another t in 1..n
	DealKeys  [][32]byte // canonical ristretto255 points, all different
	Deadlines Deadlines
}

// Session is the hash that names the ceremony of an epoch on a chain: for the
// first committee previous is zero, later the digest of the one in force.
// attempt counts from 0 and makes a repeated ceremony a new one.
func Session(chain [32]byte, epoch uint64, previous [32]byte, attempt uint64) [32]byte {
	return shamir.Hash("session", chain[:], shamir.Uint64(epoch), previous[:], shamir.Uint64(attempt))
}

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

// Kind tells what a message says.
type Kind uint8

// Kinds of messages.
const (
	KindCommit Kind = iota + 1
	KindBundle
	KindDispute
	KindAck
)

// Message is what a member posts to the log. Body has one canonical form per
// kind, at most MaxMessage(n, t) bytes.
type Message struct {
	Kind Kind
	Body []byte
}

// Culprit is a member that failed its duty, with what it did.
type Culprit struct {
	Index  uint32
	Reason Reason
}

// Reason is what a culprit did.
type Reason uint8

// Reasons.
const (
	ReasonNoCommit Reason = iota + 1 // posted no hash in time
	ReasonNoBundle                   // posted a hash and no bundle
	ReasonBadDeal                    // dealt somebody a wrong share: the log holds the evidence
	ReasonNoAck                      // did not acknowledge in time
)

// Log is the public transcript of one ceremony. Apply and EndBlock are
// deterministic; a Log is not safe for concurrent use.
type Log struct{}

// NewLog opens a ceremony whose commit phase takes messages from startHeight on.
func NewLog(params Params, startHeight uint64) (*Log, error) { panic("next commit") }

// Apply adds a message of member from, whom the ledger has authenticated, in the
// block of that height. An error changes nothing.
func (l *Log) Apply(height uint64, from uint32, m Message) error { panic("next commit") }

// EndBlock advances the phases after the last message of the block; it reports
// whether the log changed and must be stored.
func (l *Log) EndBlock(height uint64) (changed bool) { panic("next commit") }

// Phase is where the ceremony stands.
func (l *Log) Phase() Phase { panic("next commit") }

// Params are those of NewLog.
func (l *Log) Params() Params { panic("next commit") }

// Deadline is the last height of the current phase; 0 once it has ended.
func (l *Log) Deadline() uint64 { panic("next commit") }

// Culprits are the members that failed so far, by index.
func (l *Log) Culprits() []Culprit { panic("next commit") }

// Qualified are the dealers whose polynomials make the keys, known after the
// dispute phase.
func (l *Log) Qualified() []uint32 { panic("next commit") }

// Spoke says whether the member has posted its message of that kind.
func (l *Log) Spoke(index uint32, kind Kind) bool { panic("next commit") }

// Acknowledged is how many members have proved their share; minus the threshold
// it is the margin the network can lose.
func (l *Log) Acknowledged() int { panic("next commit") }

// Committee is the outcome; before the phase is Active, and for good once it is
// Aborted, the error wraps ErrNotReady.
func (l *Log) Committee() (*Committee, error) { panic("next commit") }

// MarshalBinary is the one encoding of the log.
func (l *Log) MarshalBinary() ([]byte, error) { panic("next commit") }

// UnmarshalLog reads MarshalBinary's form. It checks the form, not the proofs:
// the bytes are the ledger's own.
func UnmarshalLog(b []byte) (*Log, error) { panic("next commit") }

// Clone returns an independent copy that shares the decoded points.
func (l *Log) Clone() *Log { panic("next commit") }

// Party is a member's secret side. It redacts itself.
type Party struct{}

// NewParty derives the member's side from a seed of 32 secret bytes, fresh for
// each epoch and kept in the key store until the next handover is final.
func NewParty(index uint32, seed [32]byte) (*Party, error) { panic("next commit") }

// DealKey is the public deal key that belongs to a seed.
func DealKey(seed [32]byte) [32]byte { panic("next commit") }

// Step returns the messages the member should post now. It is idempotent: the
// caller posts them again until the log shows them.
func (p *Party) Step(height uint64, l *Log) ([]Message, error) { panic("next commit") }

// KeyShare derives the member's share once the dispute phase is over. It works
// at any later time, for a member that was away too.
func (p *Party) KeyShare(l *Log) (*KeyShare, error) { panic("next commit") }
