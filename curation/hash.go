package curation

import (
	"crypto/sha256"
	"encoding/binary"
)

// hashPrefix separates the ledger's hashes from those of every other part.
const hashPrefix = "atelier/ledger/v1/"

// hash is SHA-256(u64|tag| ‖ tag ‖ Σ u64|field| ‖ field) with the full tag
// hashPrefix+tag: the construction of package shamir under a prefix of its own.
// Lengths are big endian, so no two lists of fields meet in one string.
func hash(tag string, fields ...[]byte) Hash {
	h := sha256.New()
	var size [8]byte
	write := func(field []byte) {
		binary.BigEndian.PutUint64(size[:], uint64(len(field)))
		h.Write(size[:])
		h.Write(field)
	}
	write([]byte(hashPrefix + tag))
	for _, field := range fields {
		write(field)
	}
	return Hash(h.Sum(nil))
}

// number is how integers enter a hash or a key: eight bytes, big endian.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
