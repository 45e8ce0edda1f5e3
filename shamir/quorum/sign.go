package quorum

import (
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/internal/wire"
	"go.dedis.ch/kyber/v3"
)

// Domain separation tags of the two signatures.
const (
	CertificateDST = "ATELIER-V1-QC-BLS12381G1_XMD:SHA-256_SSWU_RO_"
	SeedDST        = "ATELIER-V1-SEED-BLS12381G1_XMD:SHA-256_SSWU_RO_"
)

var (
	// ErrCertificate reports a signature, partial or whole, that does not hold
	// for what it is said to sign.
	ErrCertificate = errors.New("certificate refused")
	// ErrEpoch reports a statement or share of another committee epoch.
	ErrEpoch = errors.New("another committee epoch")
)

// SignatureSize is the length of a signature in bytes.
const SignatureSize = 48

// Signature is a compressed G1 point: a partial, a certificate or a seed
// signature, depending on where it stands.
type Signature [SignatureSize]byte

// Partial is one member's signature share.
type Partial struct {
	Index uint32
	Sig   Signature
}

// PartialSize is the length of an encoded partial in bytes.
const PartialSize = 2 + SignatureSize

// Bytes is the wire form; ParsePartial reads it.
func (p Partial) Bytes() []byte {
	w := wire.NewWriter(PartialSize)
	w.U16(uint16(p.Index))
	w.Raw(p.Sig[:])
	return w.Bytes()
}

// ParsePartial refuses any other length and an index outside 1..MaxMembers. The
// signature itself is checked where it is verified.
func ParsePartial(b []byte) (p Partial, err error) {
	r := wire.NewReader(b)
	p.Index = uint32(r.U16())
	r.Copy(p.Sig[:])
	if err := r.Done(); err != nil {
		return Partial{}, fmt.Errorf("partial: %w: %w", err, shamir.ErrEncoding)
	}
	if p.Index < 1 || p.Index > shamir.MaxMembers {
		return Partial{}, fmt.Errorf("partial of member %d: %w", p.Index, shamir.ErrSize)
	}
	return p, nil
}

// hashed is a message hashed to G1 under the tag of its kind.
type hashed struct{ point kyber.Point }

func hashStatement(s Statement) hashed {
	return hashed{shamir.HashToG1(CertificateDST, s.Bytes())}
}

func hashSeed(chain, rid [32]byte) hashed {
	return hashed{shamir.HashToG1(SeedDST, append(chain[:], rid[:]...))}
}

func (h hashed) sign(key *shamir.KeyShare) Partial {
	_, y := key.Secrets(access.Token{})
	return Partial{key.Index(), Signature(shamir.Encode(shamir.G1.Point().Mul(y, h.point)))}
}

func (h hashed) verify(public kyber.Point, sig Signature) error {
	s, err := shamir.DecodeOnCurve(sig[:])
	if err != nil {
		return fmt.Errorf("%w: %w", err, ErrCertificate)
	}
	if err := shamir.VerifyPairing(public, h.point, s); err != nil {
		return fmt.Errorf("%w: %w", err, ErrCertificate)
	}
	return nil
}

func (h hashed) verifyPartial(c *shamir.Committee, p Partial) error {
	public, err := c.YShare(p.Index)
	if err != nil {
		return fmt.Errorf("%w: %w", err, ErrCertificate)
	}
	if err := h.verify(public, p.Sig); err != nil {
		return &shamir.ShareError{Index: p.Index, Err: err}
	}
	return nil
}

// SignApproval signs the statement with the member's share of Y. It refuses a
// statement of another epoch than the share's; that the statement is what the
// ledger holds is the caller's to know.
func SignApproval(key *shamir.KeyShare, s Statement) (Partial, error) {
	if s.Epoch != key.Epoch() {
		return Partial{}, fmt.Errorf("approve in epoch %d with a share of epoch %d: %w", s.Epoch, key.Epoch(), ErrEpoch)
	}
	return hashStatement(s).sign(key), nil
}

// SignSeed signs (chain, rid) with the member's share of Y.
func SignSeed(key *shamir.KeyShare, chain, rid [32]byte) Partial {
	return hashSeed(chain, rid).sign(key)
}

// VerifyApproval checks one partial against the member's public share. Its error
// wraps ErrCertificate or ErrEpoch.
func VerifyApproval(c *shamir.Committee, s Statement, p Partial) error {
	if err := sameEpoch(c, s); err != nil {
		return err
	}
	return hashStatement(s).verifyPartial(c, p)
}

// VerifySeedPartial checks one seed partial.
func VerifySeedPartial(c *shamir.Committee, chain, rid [32]byte, p Partial) error {
	return hashSeed(chain, rid).verifyPartial(c, p)
}

func sameEpoch(c *shamir.Committee, s Statement) error {
	if s.Epoch != c.Epoch() {
		return fmt.Errorf("statement of epoch %d, committee of epoch %d: %w", s.Epoch, c.Epoch(), ErrEpoch)
	}
	return nil
}

// RecoverCertificate combines any t valid partials into the certificate.
// culprits, ascending, are the members with a partial that does not verify; they
// are looked for only when the first combination fails, and named even when the
// rest suffices. A partial's index is its own word: who acts on culprits has
// authenticated the senders. With too few valid partials the error wraps
// shamir.ErrThreshold.
func RecoverCertificate(c *shamir.Committee, s Statement, partials []Partial) (cert VerifiedCertificate, culprits []uint32, err error) {
	if err := sameEpoch(c, s); err != nil {
		return VerifiedCertificate{}, nil, err
	}
	sig, culprits, err := hashStatement(s).recover(c, partials)
	if err != nil {
		return VerifiedCertificate{}, culprits, err
	}
	return certified(c, s, sig), culprits, nil
}

// RecoverSeed combines any t valid partials into the seed signature; see
// RecoverCertificate.
func RecoverSeed(c *shamir.Committee, chain, rid [32]byte, partials []Partial) (sig Signature, culprits []uint32, err error) {
	return hashSeed(chain, rid).recover(c, partials)
}

// recover interpolates the first t decodable partials and verifies the result;
// only if that fails, or too few decode, it verifies each one.
func (h hashed) recover(c *shamir.Committee, partials []Partial) (Signature, []uint32, error) {
	indices, points := make([]uint32, 0, c.T()), make([]kyber.Point, 0, c.T())
	take := func(p Partial) {
		if slices.Contains(indices, p.Index) || len(indices) == c.T() {
			return
		}
		if s, err := shamir.DecodeOnCurve(p.Sig[:]); err == nil && p.Index >= 1 && int64(p.Index) <= int64(c.N()) {
			indices, points = append(indices, p.Index), append(points, s)
		}
	}
	for _, p := range partials {
		take(p)
	}
	if len(indices) == c.T() {
		if sig, err := h.combine(c, indices, points); err == nil {
			return sig, nil, nil
		}
	}
	var culprits []uint32
	indices, points = indices[:0], points[:0]
	for i, p := range partials {
		if slices.Contains(partials[:i], p) {
			continue // judged before
		}
		if h.verifyPartial(c, p) == nil {
			take(p)
		} else if !slices.Contains(culprits, p.Index) {
			culprits = append(culprits, p.Index)
		}
	}
	slices.Sort(culprits)
	if len(indices) < c.T() {
		return Signature{}, culprits, fmt.Errorf("%d valid partials of %d: %w", len(indices), c.T(), shamir.ErrThreshold)
	}
	sig, err := h.combine(c, indices, points)
	return sig, culprits, err
}

func (h hashed) combine(c *shamir.Committee, indices []uint32, points []kyber.Point) (Signature, error) {
	p, err := shamir.Interpolate(shamir.G1, indices, points)
	if err != nil {
		return Signature{}, err
	}
	sig := Signature(shamir.Encode(p))
	return sig, h.verify(c.YPoint(), sig)
}
