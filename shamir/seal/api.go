package seal

import (
	"errors"
	"io"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// MaxPlaintext bounds what one ciphertext holds, in bytes: keys and orders.
const MaxPlaintext = 4096

var (
	// ErrCiphertext reports a ciphertext that is malformed or whose proof does
	// not hold for key and label.
	ErrCiphertext = errors.New("ciphertext refused")
	// ErrUnreadable reports a ciphertext that opened to a key that does not fit
	// its box: whoever sealed it cheated.
	ErrUnreadable = errors.New("sealed box does not open")
	// ErrRelease reports a release that the certificate does not cover.
	ErrRelease = errors.New("certificate does not cover this release")
)

// Ciphertext is a labelled TDH2 ciphertext. It is immutable.
type Ciphertext struct{}

// Encrypt seals plaintext, at most MaxPlaintext bytes, to the key x under label.
func Encrypt(rand io.Reader, x [32]byte, label [32]byte, plaintext []byte) (*Ciphertext, error) {
	panic("next commit")
}

// ParseCiphertext reads Bytes' form: U ‖ Ū ‖ e ‖ f (32 bytes each) ‖ box.
func ParseCiphertext(b []byte) (*Ciphertext, error) { panic("next commit") }

// Bytes is the wire form, 128 + 16 + len(plaintext) bytes.
func (c *Ciphertext) Bytes() []byte { panic("next commit") }

// U is the encoded first component: what a Statement binds.
func (c *Ciphertext) U() [32]byte { panic("next commit") }

// Digest names the ciphertext: Hash("ciphertext", Bytes).
func (c *Ciphertext) Digest() [32]byte { panic("next commit") }

// Verify checks the proof that the sealer knew what it sealed, for this key and
// label. Its error wraps ErrCiphertext.
func (c *Ciphertext) Verify(x [32]byte, label [32]byte) error { panic("next commit") }

// ReaderSecret is ρ, the secret half of a one-time reader key. It redacts itself.
type ReaderSecret struct{}

// NewReader makes a one-time reader key: R = ρG.
func NewReader(rand io.Reader) (ReaderSecret, [32]byte, error) { panic("next commit") }

// DeriveReader makes the counter-th reader key of a seed, so that a member can
// find the secret of a prekey again.
func DeriveReader(seed [32]byte, counter uint64) (ReaderSecret, [32]byte) { panic("next commit") }

// Role says what a reader opens a model for.
type Role uint8

// Roles.
const (
	Generator Role = iota + 1
	Auditor
)

// Reader is who reads: a member listed in the request's table of prekeys, in a
// role. The table must be the one whose digest the certificate binds.
type Reader struct {
	Member  uint32
	Role    Role
	Prekeys quorum.Prekeys
}

// ReleaseSize is the length of a released share in bytes.
const ReleaseSize = 2 + 5*32

// ReleaseShare answers the reader: the member's decryption share of ct, blinded
// under the reader's prekey. It refuses unless the certificate is verified, of
// the share's epoch, and binds ct's label and U and the reader's table, and ct's
// proof holds. That the request stands on the ledger, has not expired, was drawn
// for this reader, and is journalled is the caller's duty before the call.
func ReleaseShare(rand io.Reader, key *shamir.KeyShare, c *shamir.Committee, ct *Ciphertext, cert quorum.VerifiedCertificate, reader Reader) ([]byte, error) {
	panic("next commit")
}

// VerifyRelease checks a released share; the member's index is its result.
func VerifyRelease(c *shamir.Committee, ct *Ciphertext, cert quorum.VerifiedCertificate, reader Reader, share []byte) (uint32, error) {
	panic("next commit")
}

// CombineRelease opens ct with the reader's secret and any t valid shares.
// culprits are the positions in shares of those that are not valid.
func CombineRelease(secret ReaderSecret, c *shamir.Committee, ct *Ciphertext, cert quorum.VerifiedCertificate, reader Reader, shares [][]byte) (plaintext []byte, culprits []int, err error) {
	panic("next commit")
}

// PublicLabel labels what the whole committee opens for everybody after a phase.
type PublicLabel struct {
	Chain   [32]byte
	Purpose string // for example "order"
	ID      uint64 // for example the round
}

// Hash is the label to encrypt under.
func (l PublicLabel) Hash() [32]byte { panic("next commit") }

// OpenShare is the member's public share of each ciphertext, in their order, with
// one proof for all: 2 + 32·len(cts) + 64 bytes. All must verify under the label.
func OpenShare(rand io.Reader, key *shamir.KeyShare, c *shamir.Committee, label PublicLabel, cts ...*Ciphertext) ([]byte, error) {
	panic("next commit")
}

// VerifyOpen checks an opening share of exactly these ciphertexts; the member's
// index is its result.
func VerifyOpen(c *shamir.Committee, label PublicLabel, cts []*Ciphertext, share []byte) (uint32, error) {
	panic("next commit")
}

// Opened is one opened ciphertext, or an Err that wraps ErrUnreadable.
type Opened struct {
	Plaintext []byte
	Err       error
}

// CombineOpen opens the ciphertexts with any t valid shares; the result is the
// same for every such set. culprits are positions in shares.
func CombineOpen(c *shamir.Committee, label PublicLabel, cts []*Ciphertext, shares [][]byte) (opened []Opened, culprits []int, err error) {
	panic("next commit")
}
