// Package shamir splits a secret among n members so that any t of them recover
// it and any t-1 learn nothing.
//
// The threshold t counts the shares that suffice. Indices run from 1 to n; the
// secret sits at 0, which no member receives. Recovery verifies every share
// against the dealer's commitment and names the share that fails.
//
// The package works over any Group, which is kyber's Group with multi-scalar
// multiplication; Ristretto255, G1 and G2 (BLS12-381) are provided. Arithmetic
// on secrets is constant time as far as github.com/gtank/ristretto255 and
// github.com/cloudflare/circl are, on whose fields multiples of the generator of G2 are
// computed here; functions that say "public" are not, nor is the addition of points of G1
// and G2, of which no protocol here has secret ones.
// Encodings are canonical and of fixed length; decoders refuse the identity,
// values out of range and trailing bytes.
//
// Committee and KeyShare describe what a finished ceremony (package dkg) leaves
// behind: the public and one member's secret side of the keys X and Y. Package
// seal encrypts to X and releases shares of it, package quorum certifies under Y.
// Package secagg adds up members' vectors so that only the sum is learned.
//
// SPEC.md says to the byte how everything that is stored, hashed or signed is made,
// and testdata holds the vectors of it.
//
// Module oracle, in a folder of its own, measures and checks all this against other
// people's implementations.
//
// Nothing here starts a goroutine, reads a clock or touches a file. Chance comes
// in as an io.Reader.
//
// Sources: Shamir, CACM 22(11), 1979; Feldman, FOCS 1987; Chaum and Pedersen,
// CRYPTO 1992; RFC 9380 (hashing to curves), RFC 9496 (ristretto255).
package shamir
