package curation

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/atelier-dao/atelier/curation/curve"
)

// Kind names what a transaction does, as "noun.verb".
type Kind string

// The kinds of transactions. Those that a member sends in the course of the
// protocols cost no fee; see Params.MemberQuota.
const (
	KindSend     Kind = "account.send"
	KindPrekeys  Kind = "member.prekeys"     // members
	KindCeremony Kind = "ceremony.message"   // members
	KindHandover Kind = "committee.handover" // members
	KindAdmit    Kind = "member.admit"       // members
	KindRemove   Kind = "member.remove"      // members
	KindLeave    Kind = "member.leave"       // the member
	KindSeal     Kind = "model.seal"         // members
	KindAdopt    Kind = "model.adopt"        // members
	KindRotate   Kind = "model.rotate"       // the rotator
	KindStored   Kind = "model.stored"       // members with a share
	KindTaste    Kind = "taste.record"       // members with a share
	KindTrain    Kind = "training.vote"      // members with a share
	KindJoin     Kind = "training.join"      // members with a reader key in it
	KindTraining Kind = "training.message"   // trainers
	KindEvidence Kind = "evidence.submit"    // members
	KindRequest  Kind = "artwork.request"    // anyone
	KindEdition  Kind = "artwork.edition"    // anyone
	KindCertify  Kind = "approval.certify"   // anyone; free for members
	KindRegister Kind = "artwork.register"   // the generator
	KindAttest   Kind = "artwork.attest"     // the auditor
	KindOrder    Kind = "market.order"       // anyone
	KindOpen     Kind = "market.open"        // members of the committee
	KindSell     Kind = "market.sell"        // holders
	KindShare    Kind = "member.share"       // members with a share
	KindAccept   Kind = "guardian.accept"    // guardians
	KindDeal     Kind = "guardian.message"   // members deal, guardians dispute and acknowledge
	KindRecover  Kind = "guardian.recover"   // guardians
	KindObject   Kind = "guardian.object"    // members with a share
	KindPublish  Kind = "guardian.publish"   // guardians
)

// Limits on what a payload may carry. They are part of the format, not
// parameters of a network.
const (
	MaxPrompt       = 200      // bytes of a prompt
	MaxName         = 64       // bytes of a name
	MaxCID          = 96       // characters of a CID
	MaxSealedKey    = 256      // bytes of a model's ciphertext: a file key of 16 takes 160
	MaxSealedOrder  = 512      // bytes of an order's ciphertext
	MaxPrekeyBatch  = 64       // points in one member.prekeys
	MaxCeremonyData = 60 << 10 // bytes of one ceremony message
	MaxOpening      = 40 << 10 // bytes of one member's opening of a round
	MaxAddresses    = 8        // of a member
	MaxAddress      = 160      // bytes of one address
)

// Payload is the part of a transaction that differs by kind. Validate checks
// everything that needs no state; Decode calls it, and so does Sign.
type Payload interface {
	Kind() Kind
	Validate() error
}

// Send moves Amount from the signer to another account.
type Send struct {
	_      struct{} `cbor:",toarray"`
	To     Address
	Amount curve.Amount // base units, at least 1
}

// Prekeys appends one-time reader keys to the signing member's queue: ristretto255
// points R = ρG whose ρ only the member knows. Each request takes one.
type Prekeys struct {
	_      struct{}   `cbor:",toarray"`
	From   uint64     // sequence number of the first: the member's Member.PrekeyEnd
	Points [][32]byte // 1 to MaxPrekeyBatch, canonical, not the identity, no repeats
}

// CeremonyMessage is one message of the key ceremony: a dkg.Message of the signing
// member.
type CeremonyMessage struct {
	_       struct{} `cbor:",toarray"`
	Epoch   uint64   // of the committee to be
	Attempt uint64   // at that committee, from 0
	Message uint8    // dkg.Kind
	Data    []byte   // dkg.Message.Body, at most MaxCeremonyData
}

// HandOver is a member's consent to hand the keys over to a new committee of the
// same members, with its deal key for it. The first one proposes the handover;
// Params.DKGPhaseBlocks later, or as soon as every member has consented, the
// ceremony opens if at least the threshold of members has. A member that did not
// answer in time receives under its deal key of before.
type HandOver struct {
	_       struct{} `cbor:",toarray"`
	Epoch   uint64   // of the committee to be: that in force and one
	DealKey Hash     // ristretto255 point, never used before
	Proof   [64]byte // dkg.ProveDealKey: the key is the member's own
}

// Admit is the signing member's vote to admit a candidate; the first one proposes it.
type Admit struct {
	_           struct{} `cbor:",toarray"`
	Application Application
}

// Remove is the signing member's vote to have a member leave; the first one
// proposes it.
type Remove struct {
	_      struct{} `cbor:",toarray"`
	Member uint32   // its number
}

// Leave takes the signing member out of the network with the next handover. Of one
// that was admitted and has no share yet it takes the admission back.
type Leave struct {
	_ struct{} `cbor:",toarray"`
}

// Request asks the network for one picture. It costs the fee of its kind and
// locks Params.RequestDeposit, which becomes the first reserve of the artwork's
// curve when it is published and comes back in every other case.
type Request struct {
	_       struct{} `cbor:",toarray"`
	Prompt  string   // up to MaxPrompt bytes of UTF-8 without control characters; empty draws from the taste in force
	ModelID Hash     // the current model
}

// RecordPrior is the signing member's word on what a version of the network's taste is:
// the hash of the file that it computed. Version 0 begins with the lexicon; each later
// one learns from one more settled round.
type RecordPrior struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Round   uint64 // View.PriorRound of the version
	Prior   Hash   // SHA-256 of its file
	Lexicon Hash   // SHA-256 of the lexicon's file
}

// Certify brings what the members' gossip has recovered for a request: their
// certificate over StatementFor and their unique signature over the seed's message.
type Certify struct {
	_             struct{} `cbor:",toarray"`
	RID           Hash
	Certificate   [48]byte
	SeedSignature [48]byte
}

// Register announces a rendered artwork: the CID of its folder and the root hash
// of its pixels.
type Register struct {
	_         struct{} `cbor:",toarray"`
	RID       Hash
	CID       string // CIDv1 of the folder with image, metadata and receipt
	PixelRoot Hash
}

// Attest is an auditor's finding: the pixel root that it rendered itself.
type Attest struct {
	_         struct{} `cbor:",toarray"`
	RID       Hash
	PixelRoot Hash
}

// SealedOrder backs an artwork in a round without showing which: Box is a
// seal.Ciphertext of OpenOrder.Bytes under the label OrderLabel(chain, round).Hash().
// Escrow is locked until the round is settled, and bounds the deposit inside.
type SealedOrder struct {
	_      struct{} `cbor:",toarray"`
	Round  uint64
	Escrow curve.Amount
	Box    []byte // at most MaxSealedOrder
}

// OrderShares is a member's opening of all sealed orders of a round: seal.OpenShare
// over their ciphertexts in the order in which the ledger holds them.
type OrderShares struct {
	_     struct{} `cbor:",toarray"`
	Round uint64
	Share []byte // at most MaxOpening
}

// Sell gives tokens of a published artwork back to its curve.
type Sell struct {
	_      struct{} `cbor:",toarray"`
	RID    Hash
	Tokens curve.Amount // base units, at least 1
	MinOut curve.Amount // the least credits, after tribute, for which to sell
}

func (Send) Kind() Kind            { return KindSend }
func (Prekeys) Kind() Kind         { return KindPrekeys }
func (CeremonyMessage) Kind() Kind { return KindCeremony }
func (HandOver) Kind() Kind        { return KindHandover }
func (Admit) Kind() Kind           { return KindAdmit }
func (Remove) Kind() Kind          { return KindRemove }
func (Leave) Kind() Kind           { return KindLeave }
func (RecordPrior) Kind() Kind     { return KindTaste }
func (Request) Kind() Kind         { return KindRequest }
func (Certify) Kind() Kind         { return KindCertify }
func (Register) Kind() Kind        { return KindRegister }
func (Attest) Kind() Kind          { return KindAttest }
func (SealedOrder) Kind() Kind     { return KindOrder }
func (OrderShares) Kind() Kind     { return KindOpen }
func (Sell) Kind() Kind            { return KindSell }

// payloads decodes by kind.
var payloads = map[Kind]func([]byte) (Payload, error){
	KindSend:     read[Send],
	KindPrekeys:  read[Prekeys],
	KindCeremony: read[CeremonyMessage],
	KindHandover: read[HandOver],
	KindAdmit:    read[Admit],
	KindRemove:   read[Remove],
	KindLeave:    read[Leave],
	KindEvidence: read[Evidence],
	KindSeal:     read[Seal],
	KindAdopt:    read[Adopt],
	KindRotate:   read[Rotate],
	KindStored:   read[Stored],
	KindTaste:    read[RecordPrior],
	KindTrain:    read[Train],
	KindJoin:     read[Join],
	KindTraining: read[TrainingMessage],
	KindRequest:  read[Request],
	KindEdition:  read[Edition],
	KindCertify:  read[Certify],
	KindRegister: read[Register],
	KindAttest:   read[Attest],
	KindOrder:    read[SealedOrder],
	KindOpen:     read[OrderShares],
	KindSell:     read[Sell],
	KindShare:    read[ShareReport],
	KindAccept:   read[Accept],
	KindDeal:     read[GuardianMessage],
	KindRecover:  read[Recover],
	KindObject:   read[Object],
	KindPublish:  read[Publish],
}

func read[T Payload](data []byte) (Payload, error) {
	var p T
	if err := decode(data, &p); err != nil {
		return nil, err
	}
	return p, p.Validate()
}

// Validate refuses a transfer of nothing.
func (s Send) Validate() error {
	if s.Amount.IsZero() {
		return fmt.Errorf("sends nothing")
	}
	return nil
}

// Validate bounds the batch. Whether the points are points is checked where they
// are stored.
func (p Prekeys) Validate() error {
	if len(p.Points) == 0 || len(p.Points) > MaxPrekeyBatch {
		return fmt.Errorf("%d prekeys, want 1 to %d", len(p.Points), MaxPrekeyBatch)
	}
	return nil
}

// Validate refuses an empty message and one of more than MaxCeremonyData bytes. What it
// says is judged by the ceremony.
func (c CeremonyMessage) Validate() error { return sized("ceremony message", c.Data, MaxCeremonyData) }

// Validate accepts every key: whether it is a point is checked where it is stored.
func (HandOver) Validate() error { return nil }

// Validate checks the application, all but its signatures.
func (a Admit) Validate() error { return a.Application.Validate() }

// Validate refuses a number that no member has.
func (r Remove) Validate() error {
	if r.Member == 0 {
		return fmt.Errorf("members are numbered from 1")
	}
	return nil
}

// Validate accepts it: there is nothing in it but who signed it.
func (Leave) Validate() error { return nil }

// Validate refuses the hash of nothing, which names no file.
func (r RecordPrior) Validate() error {
	if r.Prior == (Hash{}) || r.Lexicon == (Hash{}) {
		return fmt.Errorf("version %d of the taste or its lexicon has no hash", r.Version)
	}
	return nil
}

// Validate checks the prompt, if there is one.
func (r Request) Validate() error {
	if r.Prompt == "" {
		return nil
	}
	return ValidatePrompt(r.Prompt)
}

// Validate accepts every certificate: only the committee's key can judge it.
func (Certify) Validate() error { return nil }

// Validate checks the CID.
func (r Register) Validate() error { return ValidateCID(r.CID) }

// Validate accepts every pixel root.
func (Attest) Validate() error { return nil }

// Validate refuses an order that locks nothing, and a box that is empty or has more than
// MaxSealedOrder bytes.
func (o SealedOrder) Validate() error {
	if o.Escrow.IsZero() {
		return fmt.Errorf("order locks nothing")
	}
	return sized("sealed order", o.Box, MaxSealedOrder)
}

// Validate refuses an empty share and one of more than MaxOpening bytes.
func (o OrderShares) Validate() error { return sized("opening", o.Share, MaxOpening) }

// Validate refuses the sale of nothing.
func (s Sell) Validate() error {
	if s.Tokens.IsZero() {
		return fmt.Errorf("sells nothing")
	}
	return nil
}

// ValidatePrompt accepts 1 to MaxPrompt bytes of valid UTF-8 without control
// characters, and not only spaces.
func ValidatePrompt(prompt string) error {
	return text("prompt", prompt, MaxPrompt)
}

// ValidateName accepts 1 to MaxName bytes under the rules of a prompt.
func ValidateName(name string) error { return text("name", name, MaxName) }

func text(what, s string, limit int) error {
	if len(s) == 0 || len(s) > limit {
		return fmt.Errorf("%s has %d bytes, want 1 to %d", what, len(s), limit)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is not UTF-8", what)
	}
	blank := true
	for i, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return fmt.Errorf("%s has a control character U+%04X at byte %d", what, r, i)
		}
		blank = blank && unicode.IsSpace(r)
	}
	if blank {
		return fmt.Errorf("%s is blank", what)
	}
	return nil
}

// ValidateCID accepts the canonical text of a CIDv1 over SHA-256 whose codec is
// raw or dag-pb: what any IPFS client exchanges.
func ValidateCID(s string) error {
	if len(s) > MaxCID {
		return fmt.Errorf("CID has %d characters, limit %d", len(s), MaxCID)
	}
	c, err := cid.Decode(s)
	if err != nil {
		return fmt.Errorf("CID %q: %w", s, err)
	}
	if p := c.Prefix(); p.MhType != multihash.SHA2_256 || p.MhLength != 32 || p.Codec != cid.Raw && p.Codec != cid.DagProtobuf {
		return fmt.Errorf("CID %q: want raw or dag-pb under SHA-256", s)
	}
	if c.Version() != 1 || c.String() != s {
		return fmt.Errorf("CID %q is not a version 1 CID in base32", s)
	}
	return nil
}

func sized(what string, data []byte, limit int) error {
	if len(data) == 0 || len(data) > limit {
		return fmt.Errorf("%s has %d bytes, want 1 to %d", what, len(data), limit)
	}
	return nil
}
