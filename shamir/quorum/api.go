package quorum

import (
	"errors"

	"github.com/atelier-dao/atelier/shamir"
)

// Domain separation tags of the two signatures.
const (
	CertificateDST = "ATELIER-V1-QC-BLS12381G1_XMD:SHA-256_SSWU_RO_"
	SeedDST        = "ATELIER-V1-SEED-BLS12381G1_XMD:SHA-256_SSWU_RO_"
)

var (
	// ErrCertificate reports a certificate that does not hold for its statement.
	ErrCertificate = errors.New("certificate refused")
	// ErrEpoch reports a statement or share of another committee epoch.
	ErrEpoch = errors.New("another committee epoch")
	// ErrPrekeys reports a table of reader keys that is not canonical.
	ErrPrekeys = errors.New("prekey table refused")
)

// SignatureSize is the length of a signature in bytes.
const SignatureSize = 48

// Signature is a compressed G1 point: a partial, a certificate or a seed
// signature, depending on where it stands.
type Signature [SignatureSize]byte

// Statement is what a certificate certifies. All fields are fixed by the ledger
// when it takes the request in.
type Statement struct {
	Chain    [32]byte // genesis hash
	Epoch    uint64   // of the committee
	RID      [32]byte // request id
	Body     [32]byte // hash of the request body
	Model    [32]byte // model id
	KeyEpoch uint64   // of the model's key
	Label    [32]byte // of the model's ciphertext
	U        [32]byte // of the model's ciphertext: seal.Ciphertext.U
	Prekeys  [32]byte // Prekeys.Digest: who may read, under which key
	Expiry   uint64   // height from which nothing is released
}

// Bytes is the signed form: "release", then the fields in order, 255 bytes.
func (s Statement) Bytes() []byte { panic("next commit") }

// Digest names the statement: Hash("statement", Bytes).
func (s Statement) Digest() [32]byte { panic("next commit") }

// Prekey is one member's reader key for one request.
type Prekey struct {
	Member uint32
	Key    [32]byte // R, a ristretto255 point
}

// Prekeys is the frozen table of a request: who may read, under which key.
// Members ascend and are distinct, keys are canonical.
type Prekeys []Prekey

// Validate checks the form; its error wraps ErrPrekeys.
func (p Prekeys) Validate() error { panic("next commit") }

// Digest is what a Statement carries.
func (p Prekeys) Digest() [32]byte { panic("next commit") }

// Lookup returns the member's key.
func (p Prekeys) Lookup(member uint32) (key [32]byte, ok bool) { panic("next commit") }

// Partial is one member's signature share.
type Partial struct {
	Index uint32
	Sig   Signature
}

// PartialSize is the length of an encoded partial in bytes.
const PartialSize = 2 + SignatureSize

// Bytes is the wire form; ParsePartial reads it.
func (p Partial) Bytes() []byte { panic("next commit") }

// ParsePartial refuses any other length and an index of 0. The signature is
// checked where it is verified.
func ParsePartial(b []byte) (Partial, error) { panic("next commit") }

// SignApproval signs the statement with the member's share of Y.
func SignApproval(key *shamir.KeyShare, s Statement) (Partial, error) { panic("next commit") }

// SignSeed signs (chain, rid) with the member's share of Y.
func SignSeed(key *shamir.KeyShare, chain, rid [32]byte) Partial { panic("next commit") }

// VerifyApproval checks one approval against the member's public share.
func VerifyApproval(c *shamir.Committee, s Statement, p Partial) error { panic("next commit") }

// VerifySeedPartial checks one seed partial.
func VerifySeedPartial(c *shamir.Committee, chain, rid [32]byte, p Partial) error {
	panic("next commit")
}

// RecoverCertificate combines t partials into a certificate. culprits are the members
// whose partials do not verify, looked for only when the combination fails.
func RecoverCertificate(c *shamir.Committee, s Statement, partials []Partial) (cert VerifiedCertificate, culprits []uint32, err error) {
	panic("next commit")
}

// RecoverSeed combines t partials into the seed signature.
func RecoverSeed(c *shamir.Committee, chain, rid [32]byte, partials []Partial) (sig Signature, culprits []uint32, err error) {
	panic("next commit")
}

// VerifiedCertificate is a certificate that was verified; it cannot be made in
// any other way. The zero value is not valid.
type VerifiedCertificate struct{}

// Verify checks the certificate of a statement under the committee's Y and
// that the statement is of the committee's epoch.
func Verify(c *shamir.Committee, s Statement, sig Signature) (VerifiedCertificate, error) {
	panic("next commit")
}

// Valid is false for the zero value.
func (v VerifiedCertificate) Valid() bool { panic("next commit") }

// Statement is what was certified.
func (v VerifiedCertificate) Statement() Statement { panic("next commit") }

// Signature is the certificate's 48 bytes.
func (v VerifiedCertificate) Signature() Signature { panic("next commit") }

// Context is Hash("cert", signature, statement): every share proof is bound to it.
func (v VerifiedCertificate) Context() [32]byte { panic("next commit") }

// VerifySeed checks a seed signature under the committee's Y.
func VerifySeed(c *shamir.Committee, chain, rid [32]byte, sig Signature) error { panic("next commit") }

// Seed is the 32-byte seed of a request: Hash("seed", signature re-encoded, rid).
// The caller has verified the signature.
func Seed(sig Signature, rid [32]byte) ([32]byte, error) { panic("next commit") }

// Approval is what a member gossips: both partials and what they are about.
type Approval struct {
	Member    uint32
	RID       [32]byte
	Statement [32]byte // Statement.Digest
	Approve   Signature
	Seed      Signature
}

// ApprovalSize is the length of an encoded approval in bytes.
const ApprovalSize = 2 + 32 + 32 + 2*SignatureSize

// Bytes is the wire form; ParseApproval reads it.
func (a Approval) Bytes() []byte { panic("next commit") }

// ParseApproval refuses any other length and an index of 0.
func ParseApproval(b []byte) (Approval, error) { panic("next commit") }

// Approve makes the approval of a statement.
func Approve(key *shamir.KeyShare, s Statement) (Approval, error) { panic("next commit") }

// Tally collects approvals of many requests. It is a pure state machine, not
// safe for concurrent use.
type Tally struct{}

// NewTally counts for one committee; it holds at most maxOpen requests.
func NewTally(c *shamir.Committee, maxOpen int) *Tally { panic("next commit") }

// Event is what a Tally reacts to: Open, Approval or Close.
type Event interface{ tallyEvent() }

// Open starts the count of a request that the ledger holds.
type Open struct{ Statement Statement }

// Close ends the count: the certificate is on the ledger, or the request lapsed.
type Close struct{ RID [32]byte }

// Effect is what a Tally asks for: Certified, Refused, Culprit or Expired.
type Effect interface{ tallyEffect() }

// Certified asks to submit the certificate and the seed signature.
type Certified struct {
	RID         [32]byte
	Certificate VerifiedCertificate
	Seed        Signature
}

// Refused says why an event changed nothing.
type Refused struct {
	RID    [32]byte
	Member uint32
	Err    error
}

// Culprit names a member whose partial does not verify.
type Culprit struct {
	RID    [32]byte
	Member uint32
}

// Expired says that a request lapsed at its expiry height uncertified.
type Expired struct{ RID [32]byte }

// Step reacts to an event at a ledger height; a nil event only lets time pass.
func (t *Tally) Step(height uint64, e Event) []Effect { panic("next commit") }
