package shamir

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"io"

	"go.dedis.ch/kyber/v3"
)

// Domain is prefixed to the tag of every hash of this tree.
const Domain = "atelier/custody/v1/"

// Hash is SHA-256 over the tag in Domain and the fields, each preceded by its
// length as eight big-endian bytes, so no two field lists collide.
func Hash(tag string, fields ...[]byte) (sum [32]byte) {
	h := sha256.New()
	transcript(h, tag, fields)
	h.Sum(sum[:0])
	return sum
}

// HashScalar is the scalar of g that SHA-512 over the same transcript as Hash
// reduces to. It is uniform up to 2^-128.
func HashScalar(g Group, tag string, fields ...[]byte) kyber.Scalar {
	h := sha512.New()
	transcript(h, tag, fields)
	return g.ReduceScalar([64]byte(h.Sum(nil)))
}

// HashPoint is a point of Ristretto255 whose logarithm nobody knows.
func HashPoint(tag string, fields ...[]byte) kyber.Point {
	h := sha512.New()
	transcript(h, tag, fields)
	p := &ristrettoPoint{}
	if _, err := p.v.SetUniformBytes(h.Sum(nil)); err != nil {
		panic(fmt.Sprintf("shamir: 64 bytes refused: %v", err)) // the length is ours
	}
	return p
}

// Uint64 is v as eight big-endian bytes: the form of the numbers inside a hash;
// SPEC.md, section 1, names the exceptions.
func Uint64(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }

func transcript(h hash.Hash, tag string, fields [][]byte) {
	writeField(h, []byte(Domain+tag))
	for _, f := range fields {
		writeField(h, f)
	}
}

func writeField(h hash.Hash, f []byte) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(f)))
	h.Write(n[:])
	h.Write(f)
}

// RandomScalar reads 64 bytes from rand and reduces them. It fails only when
// rand does, or when the scalar is zero.
func RandomScalar(g Group, rand io.Reader) (kyber.Scalar, error) {
	var b [64]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return nil, fmt.Errorf("read randomness: %w", err)
	}
	s := g.ReduceScalar(b)
	if s.Equal(g.Scalar().Zero()) {
		return nil, fmt.Errorf("random scalar: %w", ErrIdentity)
	}
	return s, nil
}
