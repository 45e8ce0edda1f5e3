package shamir

import (
	"fmt"
	"io"

	"go.dedis.ch/kyber/v3"
)

// ProofSize is the length of a Proof in bytes.
const ProofSize = 64

// Proof is a challenge and a response: a Fiat-Shamir proof of a logarithm. The
// verifier recomputes the challenge from the whole statement, so a proof holds
// for exactly one group, context and statement.
type Proof [ProofSize]byte

// ProvePossession proves knowledge of secret, the logarithm of secret·G, in the
// context ctx (Schnorr). The nonce is hashed from the secret, the statement and
// 32 bytes of rand; with a nil rand it depends on secret and statement alone, so
// the same call gives the same proof, and bad randomness leaks nothing.
func ProvePossession(rand io.Reader, g Group, ctx []byte, secret kyber.Scalar) (Proof, error) {
	public := g.Point().Mul(secret, nil)
	k, err := DeriveNonce(rand, g, "pop", secret, ctx, Encode(public))
	if err != nil {
		return Proof{}, err
	}
	c := possessionChallenge(g, ctx, public, g.Point().Mul(k, nil))
	return respond(g, c, k, secret), nil
}

// VerifyPossession checks a proof of ProvePossession for public. Its error wraps
// ErrProof, ErrIdentity or ErrEncoding.
func VerifyPossession(g Group, ctx []byte, public kyber.Point, proof Proof) error {
	if public.Equal(g.Point().Null()) {
		return fmt.Errorf("proof of possession: %w", ErrIdentity)
	}
	c, z, err := proof.scalars(g)
	if err != nil {
		return err
	}
	a := twoMul(g, z, g.Point().Base(), c, public)
	if !possessionChallenge(g, ctx, public, a).Equal(c) {
		return fmt.Errorf("proof of possession: %w", ErrProof)
	}
	return nil
}

// ProveEqual proves that secretA = secret·a and secretB = secret·b have the same
// logarithm (Chaum-Pedersen). For rand see ProvePossession.
func ProveEqual(rand io.Reader, g Group, ctx []byte, a, b, secretA, secretB kyber.Point, secret kyber.Scalar) (Proof, error) {
	k, err := DeriveNonce(rand, g, "dleq", secret, ctx, Encode(a), Encode(b), Encode(secretA), Encode(secretB))
	if err != nil {
		return Proof{}, err
	}
	c := equalChallenge(g, ctx, a, b, secretA, secretB, g.Point().Mul(k, a), g.Point().Mul(k, b))
	return respond(g, c, k, secret), nil
}

// VerifyEqual checks a proof of ProveEqual. It refuses the identity in every
// place. Its error wraps ErrProof, ErrIdentity or ErrEncoding.
func VerifyEqual(g Group, ctx []byte, a, b, secretA, secretB kyber.Point, proof Proof) error {
	null := g.Point().Null()
	for _, p := range []kyber.Point{a, b, secretA, secretB} {
		if p.Equal(null) {
			return fmt.Errorf("proof of equal logarithms: %w", ErrIdentity)
		}
	}
	c, z, err := proof.scalars(g)
	if err != nil {
		return err
	}
	if !equalChallenge(g, ctx, a, b, secretA, secretB, twoMul(g, z, a, c, secretA), twoMul(g, z, b, c, secretB)).Equal(c) {
		return fmt.Errorf("proof of equal logarithms: %w", ErrProof)
	}
	return nil
}

// DeriveNonce hashes a proof nonce from the secret, the statement and, unless
// rand is nil, 32 bytes of rand. Protocols with proofs of their own use it, so
// that no proof of this tree rests on the quality of rand alone.
func DeriveNonce(rand io.Reader, g Group, tag string, secret kyber.Scalar, statement ...[]byte) (kyber.Scalar, error) {
	var hedge [32]byte
	if rand != nil {
		if _, err := io.ReadFull(rand, hedge[:]); err != nil {
			return nil, fmt.Errorf("read randomness: %w", err)
		}
	}
	fields := append([][]byte{[]byte(g.String()), hedge[:], Encode(secret)}, statement...)
	return HashScalar(g, "nonce/"+tag, fields...), nil
}

func possessionChallenge(g Group, ctx []byte, public, a kyber.Point) kyber.Scalar {
	return HashScalar(g, "pop", []byte(g.String()), ctx, Encode(public), Encode(a))
}

func equalChallenge(g Group, ctx []byte, points ...kyber.Point) kyber.Scalar {
	fields := [][]byte{[]byte(g.String()), ctx}
	for _, p := range points {
		fields = append(fields, Encode(p))
	}
	return HashScalar(g, "dleq", fields...)
}

func respond(g Group, c, k, secret kyber.Scalar) (p Proof) {
	z := g.Scalar().Mul(c, secret)
	z.Add(z, k)
	copy(p[:32], Encode(c))
	copy(p[32:], Encode(z))
	return p
}

func (p Proof) scalars(g Group) (c, z kyber.Scalar, err error) {
	if c, err = DecodeScalar(g, p[:32]); err != nil {
		return nil, nil, fmt.Errorf("challenge: %w", err)
	}
	if z, err = DecodeScalar(g, p[32:]); err != nil {
		return nil, nil, fmt.Errorf("response: %w", err)
	}
	return c, z, nil
}

// twoMul is z·p - c·q, for public values.
func twoMul(g Group, z kyber.Scalar, p kyber.Point, c kyber.Scalar, q kyber.Point) kyber.Point {
	return g.MultiMul([]kyber.Scalar{z, g.Scalar().Neg(c)}, []kyber.Point{p, q})
}
