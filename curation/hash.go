package curation

import (
	"encoding/binary"

	"github.com/atelier-dao/atelier/curation/state"
)

// hash is the ledger's hash with its domain separation; see state.Hash.
func hash(tag string, fields ...[]byte) Hash { return state.Hash(tag, fields...) }

// number is how integers enter a hash or a key: eight bytes, big endian.
func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// be is the inverse of number.
func be(b []byte) uint64 { return binary.BigEndian.Uint64(b) }
