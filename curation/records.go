package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/curation/curve"
)

// Account is what the ledger holds for one public key.
type Account struct {
	_       struct{} `cbor:",toarray"`
	Address Address
	// Balance is what the account can spend.
	Balance curve.Amount
	// Locked is what it has put into open requests and unsettled orders.
	Locked curve.Amount
	// Nonce is the nonce that its next transaction must have.
	Nonce uint64
}

// Standing is how far somebody has come on the way into the network or out of it.
type Standing string

// The standings, in their order. A member of the committee in force is active or
// leaving; a change takes effect with the next handover.
const (
	StandingJoining  Standing = "joining"  // admitted; gets a share and a vote at the next handover
	StandingActive   Standing = "active"   // holds a share and a vote
	StandingLeaving  Standing = "leaving"  // gives both back at the next handover
	StandingDraining Standing = "draining" // has no vote any more; serves what its last committee began
	StandingLeft     Standing = "left"     // was a member
)

// Member is a co-owner who runs a node.
type Member struct {
	_         struct{} `cbor:",toarray"`
	Index     uint32   // the member's number: from 1, in the order of admission, never given twice
	Name      string
	Account   Address
	Validator Hash // ed25519 key in consensus
	DealKey   Hash // ristretto255 point of its last ceremony; zero before its first
	Power     int64
	Standing  Standing
	Seat      uint32   // index of its share in the committee in force, or in the founders' to be; 0 without one
	Addresses []string // multiaddrs under which it was reached when it was admitted; a founder's are not on the ledger
	Since     uint64   // height of its last admission; 0 for a founder
	// PrekeyNext and PrekeyEnd bound the queue of unused one-time keys: those with
	// sequence numbers PrekeyNext ≤ s < PrekeyEnd wait for a request.
	PrekeyNext uint64
	PrekeyEnd  uint64
}

// Prekeys is the number of unused one-time keys.
func (m Member) Prekeys() uint64 { return m.PrekeyEnd - m.PrekeyNext }

// ReaderKey binds a member to the one-time key R with which it may read the
// shares of one request.
type ReaderKey struct {
	_      struct{} `cbor:",toarray"`
	Member uint32
	R      Hash // ristretto255 point
}

// CeremonyPhase is where a key ceremony stands.
type CeremonyPhase string

// The phases of a ceremony as package dkg names them, in order; the last two are
// ends.
const (
	CeremonyCommit      CeremonyPhase = "commit"
	CeremonyBundle      CeremonyPhase = "bundle"
	CeremonyDispute     CeremonyPhase = "dispute"
	CeremonyAcknowledge CeremonyPhase = "acknowledge"
	CeremonyActive      CeremonyPhase = "active"
	CeremonyAborted     CeremonyPhase = "aborted"
)

// Ceremony is where the making of the network's keys stands. Its transcript is
// View.CeremonyLog.
type Ceremony struct {
	Epoch        uint64 // of the committee to be, or of the one in force
	Attempt      uint64 // from 0; an aborted ceremony is repeated
	Phase        CeremonyPhase
	Deadline     uint64    // last height of the phase; 0 after the end
	RetryAt      uint64    // height at which an aborted ceremony is repeated; else 0
	Seats        Seats     // of the committee to be, or of the one in force
	Qualified    []uint32  // members whose bundles make the keys
	Acknowledged int       // members that proved their share
	Culprits     []Culprit // members that failed, by index
	Guardians    Seats     // who deal, in a recovery: Qualified are numbers of theirs then
	Failed       []Culprit // guardians that failed
}

// Handover is a proposal to hand the keys over to a new committee.
type Handover struct {
	_      struct{} `cbor:",toarray"`
	Epoch  uint64   // of the committee to be
	Opened uint64   // height
	Until  uint64   // last height for consents
	Keys   []DealKey
}

// Seats are the members who hold the shares of a committee: Seats[i-1] has the share
// with index i. Members keep their numbers for life, while shares are numbered anew
// by each handover.
type Seats []uint32

// Of is the seat of a member, 0 when it has none.
func (s Seats) Of(member uint32) uint32 { return uint32(slices.Index(s, member) + 1) }

// At is the member in a seat, 0 when there is no such seat.
func (s Seats) At(seat uint32) uint32 {
	if seat < 1 || int(seat) > len(s) {
		return 0
	}
	return s[seat-1]
}

// members are those in the given seats, in the same order.
func (s Seats) members(seats []uint32) (numbers []uint32) {
	for _, i := range seats {
		numbers = append(numbers, s.At(i))
	}
	return numbers
}

// Motion is a vote on who is a member, on who is the artist, or on how to train it. It
// passes with as many votes as the committee in force has as its threshold. It is about
// one thing: Application, Remove, Adopt or Train.
type Motion struct {
	_           struct{} `cbor:",toarray"`
	ID          Hash
	Application *Application // whom to admit, or nil
	Remove      uint32       // the member to remove, or 0
	Adopt       uint64       // the key epoch for which the artist to adopt is sealed, or 0
	Train       *Plan        // how to train the artist, or nil
	Votes       []uint32     // members, in the order of their votes; the first proposed it
	Opened      uint64       // height
	Until       uint64       // last height for votes
}

// DealKey is a member's deal key for a ceremony.
type DealKey struct {
	_      struct{} `cbor:",toarray"`
	Member uint32
	Key    Hash // ristretto255 point
}

// AbortedHandover is the last handover that came to nothing; the committee of
// before stayed in force.
type AbortedHandover struct {
	_        struct{} `cbor:",toarray"`
	Epoch    uint64   // that it would have made
	Attempt  uint64
	Height   uint64
	Culprits []Culprit // members that failed in the ceremony; none when too few consented
	// Guardians are those that failed to deal in a recovery, Objected that the members
	// ended it.
	Guardians []Culprit
	Objected  bool
}

// Culprit is a member that failed in a ceremony, and how.
type Culprit struct {
	_      struct{} `cbor:",toarray"`
	Member uint32
	Reason string
}

// Committee holds the network's keys since a ceremony ended well.
type Committee struct {
	_         struct{} `cbor:",toarray"`
	Epoch     uint64
	Attempt   uint64   // of the ceremony that made it, from 0
	Seats     Seats    // the members by the indices of their shares; n of them
	Threshold int      // t
	X         []byte   // ristretto255 key that opens, 32 bytes
	Y         []byte   // BLS12-381 G2 key that certifies and seeds, 96 bytes
	Encoded   []byte   // shamir.Committee, with every member's public shares; empty two handovers later
	Qualified []uint32 // members whose bundles count
	Height    uint64   // of activation
	Proven    int      // members that have proved their share
	Guardians Seats    // who dealt, when guardians recovered the key: Qualified are their numbers then
	Lost      []uint32 // members that have proved their share and say that they lost it since
}

// Held is how many members have proved their share and do not say that it is lost.
func (c Committee) Held() int { return c.Proven - len(c.Lost) }

// Margin is how many of these shares the network can lose and still have enough.
func (c Committee) Margin() int { return c.Held() - c.Threshold }

// Status is where a request, and the artwork that comes of it, stands.
type Status string

// The states of an artwork. Requested, approved and registered have the deadline
// Artwork.Expiry; candidate waits for a round, backing is in one; the others are
// ends.
const (
	StatusRequested  Status = "requested"  // waits for its certificate
	StatusApproved   Status = "approved"   // certified and seeded; waits for its generator
	StatusRegistered Status = "registered" // rendered; waits for its auditor
	StatusCandidate  Status = "candidate"  // audited; waits for a round
	StatusBacking    Status = "backing"    // in the current round
	StatusPublished  Status = "published"
	StatusDeclined   Status = "declined"  // the round did not choose it, or too many of its rounds failed
	StatusDisputed   Status = "disputed"  // the auditor rendered other pixels
	StatusExpired    Status = "expired"   // its deadline passed, or it is an edition that is too large
	StatusDelivered  Status = "delivered" // an edition that was audited
)

// Open says whether the artwork still occupies its requester's limit of open
// requests.
func (s Status) Open() bool {
	return s == StatusRequested || s == StatusApproved || s == StatusRegistered
}

// Ended says that nothing more will happen to the artwork but sales.
func (s Status) Ended() bool {
	switch s {
	case StatusPublished, StatusDeclined, StatusDisputed, StatusExpired, StatusDelivered:
		return true
	}
	return false
}

// MaxFailedRounds is how many rounds of a candidate may fail before it is declined
// and its deposit goes back: a committee that opens nothing must not hold it forever.
const MaxFailedRounds = 5

// Opening is what members approve so that others of them may open the artist: of which
// model, who may read, until when; and, once it is approved, the certificate and the seed.
type Opening struct {
	RID       Hash // RequestID of the fields that say so
	BodyHash  Hash // SHA-256 of the signed body that asked for it
	ModelID   Hash
	KeyEpoch  uint64
	Label     Hash        // of the model's ciphertext
	U         Hash        // of the model's ciphertext
	Epoch     uint64      // committee that approves it and releases for it, to its end
	Prekeys   []ReaderKey // possible readers, in ascending order of member
	Requested uint64      // height
	Position  int         // in its block: RequestID(BodyHash, Requested, Position) is the RID
	Expiry    uint64      // first height that is too late for the certificate and all that is released under it

	Approved      uint64 // height of the certificate
	Certificate   []byte // 48 bytes
	SeedSignature []byte // 48 bytes
	Seed          Hash
	Order         []uint32 // Draw of the seed over the members of Prekeys
}

// Artwork is one request and everything that the ledger has learnt about it
// since. Fields of a step are zero until the step's height is set. Certificate,
// registration and audit come before its Expiry.
type Artwork struct {
	_ struct{} `cbor:",toarray"` // the fields of Opening stand first
	Opening
	Status    Status
	Requester Address
	Prompt    string       // empty when it is drawn from Prior
	Prior     Hash         // the version of the taste it is drawn from; zero with a prompt, or when there was none yet
	Deposit   curve.Amount // locked by the requester

	Registered uint64 // height
	Generator  uint32 // member
	CID        string
	PixelRoot  Hash

	Attested    uint64 // height
	Auditor     uint32 // member; 0 in a network whose only reader is the generator
	AuditedRoot Hash   // equal to PixelRoot unless disputed

	Round   uint64       // the round it was in last
	Failed  uint64       // rounds it was in that failed; MaxFailedRounds end it
	Settled uint64       // height
	Backing curve.Amount // sum of what filled orders paid, net of tribute
	Backers int          // accounts whose orders were filled
	Score   Score

	Ended  uint64 // height of the final state
	Reason string // why it ended other than published, in words

	Edition *Edition     // what it is an edition of, whose first artwork has its prompt; nil for a new picture
	Price   curve.Amount // of an edition: locked with the deposit, and the generator's once it is audited
	Kept    uint64       // first height at which members may let a delivered edition go
}

// Score is (Σ √cost)² over the backing accounts, in base units.
type Score = curve.Amount

// RoundPhase is where a round stands.
type RoundPhase string

// The phases of a round.
const (
	RoundBacking RoundPhase = "backing" // sealed orders are taken, up to and including BackUntil
	RoundOpening RoundPhase = "opening" // members open them, up to and including OpenUntil
	RoundSettled RoundPhase = "settled"
	RoundFailed  RoundPhase = "failed" // not opened in time, or not one order could be read; candidates wait on
)

// Round is one decision about what is published.
type Round struct {
	_          struct{} `cbor:",toarray"`
	Number     uint64   // from 1
	Phase      RoundPhase
	Epoch      uint64   // committee that opens it
	Opened     uint64   // height
	BackUntil  uint64   // last height for orders
	OpenUntil  uint64   // last height for openings
	Candidates []Hash   // rids, in the order of their audits
	Orders     int      // sealed orders
	Openers    []uint32 // members whose shares the ledger holds, ascending
	Settled    uint64   // height
	Published  []Hash   // best first
	// Escrow is the sum that sealed orders lock while the round lasts.
	Escrow curve.Amount
	// Backing is the sum of what orders offered to all candidates, those declined
	// and refunded afterwards included, net of tribute: what scores were capped by.
	Backing curve.Amount
	// TreasuryTribute and MakerTribute are what the settlement paid out.
	TreasuryTribute curve.Amount
	MakerTribute    curve.Amount
	Reason          string // why it failed, in words; else empty
}

// OrderStatus is what became of a sealed order.
type OrderStatus string

// The states of an order; the last two are ends.
const (
	OrderSealed   OrderStatus = "sealed"
	OrderFilled   OrderStatus = "filled"
	OrderRefunded OrderStatus = "refunded"
)

// Order is a sealed order and, after its round, what it said and got.
type Order struct {
	_       struct{} `cbor:",toarray"`
	Round   uint64
	Index   int // position in the round, from 0
	Account Address
	Status  OrderStatus
	Escrow  curve.Amount
	Box     []byte
	Height  uint64

	RID     Hash // zero when it could not be opened or read
	Deposit curve.Amount
	MinOut  curve.Amount
	Cost    curve.Amount // what the curve took, net of tribute; 0 unless filled
	Tribute curve.Amount // what treasury and maker took, or the price of an order that nobody could read; else 0
	Tokens  curve.Amount // what the account got; 0 unless filled
	Refund  curve.Amount // what came back of the escrow
	Reason  string       // why it was refunded, in words
}

// Market is the bonding curve of a published artwork.
type Market struct {
	_         struct{} `cbor:",toarray"`
	RID       Hash
	Maker     Address      // account of the generator
	RatioPPM  curve.Ratio  // reserve ratio
	Supply    curve.Amount // tokens, the locked ones included
	Locked    curve.Amount // tokens that nobody holds
	Reserve   curve.Amount // credits
	Published uint64       // height
	Sales     uint64
}

// Holding is an account's tokens of one artwork.
type Holding struct {
	_       struct{} `cbor:",toarray"`
	RID     Hash
	Account Address
	Tokens  curve.Amount
	Paid    curve.Amount // what its orders cost, tribute included
}

// Treasury is what the network owns in common.
type Treasury struct {
	_        struct{} `cbor:",toarray"`
	Balance  curve.Amount
	Fees     curve.Amount // taken in since genesis
	Tributes curve.Amount // taken in since genesis, exits included
	Slashes  curve.Amount // taken from convicted members since genesis
}
