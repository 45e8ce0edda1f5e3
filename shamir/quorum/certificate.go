package quorum

import (
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
)

// VerifiedCertificate is a certificate that was verified, and remembers under
// whose key; it cannot be made in any other way than Verify and
// RecoverCertificate. The zero value is not valid.
type VerifiedCertificate struct {
	statement Statement
	signature Signature
	context   [32]byte
	committee [32]byte // digest
	valid     bool
}

func certified(c *shamir.Committee, s Statement, sig Signature) VerifiedCertificate {
	return VerifiedCertificate{s, sig, Context(s, sig), c.Digest(), true}
}

// Context is Hash("cert", signature, statement), which names a certificate and what it
// certifies; it says nothing of whether it holds.
func Context(s Statement, sig Signature) [32]byte { return shamir.Hash("cert", sig[:], s.Bytes()) }

// Verify checks the certificate of a statement under the committee's Y, and that
// the statement is of the committee's epoch. Its error wraps ErrCertificate or
// ErrEpoch. That the statement is what the ledger holds (chain, request, model,
// expiry) is the caller's to compare.
func Verify(c *shamir.Committee, s Statement, sig Signature) (VerifiedCertificate, error) {
	if err := sameEpoch(c, s); err != nil {
		return VerifiedCertificate{}, err
	}
	if err := hashStatement(s).verify(c.YPoint(), sig); err != nil {
		return VerifiedCertificate{}, err
	}
	return certified(c, s, sig), nil
}

// VerifyAnyEpoch checks a certificate under the committee's Y, whatever epoch its
// statement names: handovers keep Y, so this holds for what the committees before and
// after certified too. It shows that a quorum signed, and makes no
// VerifiedCertificate: for that a committee answers itself. Its error wraps
// ErrCertificate.
func VerifyAnyEpoch(c *shamir.Committee, s Statement, sig Signature) error {
	return hashStatement(s).verify(c.YPoint(), sig)
}

// Valid is false for the zero value.
func (v VerifiedCertificate) Valid() bool { return v.valid }

// By says whether the committee is the one under whose key the certificate was
// verified. Anybody can make a committee of its own and have it certify anything.
func (v VerifiedCertificate) By(c *shamir.Committee) bool {
	return v.valid && v.committee == c.Digest()
}

// Statement is what was certified.
func (v VerifiedCertificate) Statement() Statement { return v.statement }

// Signature is the certificate's 48 bytes.
func (v VerifiedCertificate) Signature() Signature { return v.signature }

// Context is that of statement and signature: every share proof is bound to it.
func (v VerifiedCertificate) Context() [32]byte { return v.context }

// VerifySeed checks a seed signature under the committee's Y. Its error wraps
// ErrCertificate.
func VerifySeed(c *shamir.Committee, chain, rid [32]byte, sig Signature) error {
	return hashSeed(chain, rid).verify(c.YPoint(), sig)
}

// Seed is the 32-byte seed of a request: Hash("seed", signature, rid). The
// signature is decoded and encoded again, so only one form of it counts; the
// caller has verified it.
func Seed(sig Signature, rid [32]byte) ([32]byte, error) {
	p, err := shamir.DecodePoint(shamir.G1, sig[:])
	if err != nil {
		return [32]byte{}, fmt.Errorf("seed: %w", err)
	}
	return shamir.Hash("seed", shamir.Encode(p), rid[:]), nil
}
