package seal

import (
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"go.dedis.ch/kyber/v3"
)

// ErrRelease reports a release that the certificate does not cover.
var ErrRelease = errors.New("certificate does not cover this release")

// ReaderSecret is ρ, the secret half of a one-time reader key R = ρG. It redacts
// itself. The zero value opens nothing.
type ReaderSecret struct{ rho kyber.Scalar }

// NewReader makes a one-time reader key; the second result is R.
func NewReader(rand io.Reader) (ReaderSecret, [32]byte, error) {
	rho, err := shamir.RandomScalar(group, rand)
	if err != nil {
		return ReaderSecret{}, [32]byte{}, fmt.Errorf("reader key: %w", err)
	}
	s := ReaderSecret{rho}
	return s, s.Key(), nil
}

// DeriveReader makes the counter-th reader key of a secret seed, so that a member
// finds the secret of a prekey again after a crash.
func DeriveReader(seed [32]byte, counter uint64) (ReaderSecret, [32]byte) {
	s := ReaderSecret{shamir.HashScalar(group, "reader", seed[:], shamir.Uint64(counter))}
	return s, s.Key()
}

// Key is R. It is all zeros for the zero value.
func (s ReaderSecret) Key() [32]byte {
	if s.rho == nil {
		return [32]byte{}
	}
	return [32]byte(shamir.Encode(group.Point().Mul(s.rho, nil)))
}

func (s ReaderSecret) Format(f fmt.State, _ rune)   { io.WriteString(f, "reader secret(redacted)") }
func (s ReaderSecret) LogValue() slog.Value         { return slog.StringValue("reader secret(redacted)") }
func (s ReaderSecret) MarshalJSON() ([]byte, error) { return []byte(`"reader secret(redacted)"`), nil }

// Role says what a reader opens a model for.
type Role uint8

// Roles.
const (
	Generator Role = iota + 1 // makes the picture that was asked for
	Auditor                   // makes it again
	Trainer                   // trains the artist together with others
)

func (r Role) String() string {
	switch r {
	case Generator:
		return "generator"
	case Auditor:
		return "auditor"
	case Trainer:
		return "trainer"
	}
	return fmt.Sprintf("role %d", uint8(r))
}

// Reader is who reads: a member listed in the request's table of prekeys, in a
// role. The table is the one whose digest the certificate binds.
type Reader struct {
	Member  uint32
	Role    Role
	Prekeys quorum.Prekeys
}

// covered checks that the certificate binds the layers with their labels, and the
// reader, and returns the reader's key R. That it binds the outermost label and U binds
// the others, because Layers computes the labels.
func covered(c *shamir.Committee, of Layers, cert quorum.VerifiedCertificate, reader Reader) (kyber.Point, error) {
	if !cert.Valid() {
		return nil, fmt.Errorf("no verified certificate: %w", ErrRelease)
	}
	s := cert.Statement()
	switch {
	case s.Epoch != c.Epoch():
		return nil, fmt.Errorf("certificate of epoch %d, committee of epoch %d: %w", s.Epoch, c.Epoch(), ErrRelease)
	case !cert.By(c):
		return nil, fmt.Errorf("certificate of another committee: %w", ErrRelease)
	case s.U != of.U():
		return nil, fmt.Errorf("certificate is for another ciphertext: %w", ErrRelease)
	case s.Label != of.Label():
		return nil, fmt.Errorf("certificate is for another label: %w", ErrRelease)
	case reader.Role < Generator || reader.Role > Trainer:
		return nil, fmt.Errorf("%s: %w", reader.Role, ErrRelease)
	case s.Prekeys != reader.Prekeys.Digest():
		return nil, fmt.Errorf("certificate is for another table of readers: %w", ErrRelease)
	case !reader.Prekeys.Ascending():
		return nil, fmt.Errorf("table of readers names a member twice or out of order: %w", ErrRelease)
	}
	key, ok := reader.Prekeys.Lookup(reader.Member)
	if !ok {
		return nil, fmt.Errorf("member %d is not among the readers: %w", reader.Member, ErrRelease)
	}
	r, err := shamir.DecodePoint(group, key[:])
	if err != nil {
		return nil, fmt.Errorf("reader key of member %d: %w: %w", reader.Member, err, ErrRelease)
	}
	if err := of.Verify(c.X()); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrRelease)
	}
	return r, nil
}

// releaseContext is what every challenge of one release starts from.
func releaseContext(cert quorum.VerifiedCertificate, reader Reader) []byte {
	ctx := cert.Context()
	h := shamir.Hash("release context", ctx[:], shamir.Uint64(uint64(reader.Member)), []byte{byte(reader.Role)})
	return h[:]
}
