package curation

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// ErrEncoding reports bytes that are not the one deterministic CBOR form of the
// value they stand for.
var ErrEncoding = errors.New("not deterministic CBOR of the expected shape")

// The ledger's only encoding: RFC 8949 core-deterministic CBOR, structures as
// arrays, no floats, tags, maps or indefinite lengths, which makes every record
// and transaction valid dag-cbor too. Bounds keep a hostile length from
// becoming memory.
var (
	encoding = must(cbor.EncOptions{
		Sort:          cbor.SortCoreDeterministic,
		ShortestFloat: cbor.ShortestFloatNone,
		IndefLength:   cbor.IndefLengthForbidden,
		TagsMd:        cbor.TagsForbidden,
		NilContainers: cbor.NilContainerAsEmpty,
	}.EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  8,
		MaxArrayElements: 65536,
		MaxMapPairs:      16,
		UTF8:             cbor.UTF8RejectInvalid,
		NaN:              cbor.NaNDecodeForbidden,
		Inf:              cbor.InfDecodeForbidden,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil { // options are constants of this file
		panic(err)
	}
	return v
}

// encode returns the deterministic form of one of this package's own structures.
// It panics on a value that has none: those are our types, never a peer's bytes.
func encode(v any) []byte { return must(encoding.Marshal(v)) }

// decode reads exactly one value into v and refuses every spelling but the one
// that encode would write.
func decode(data []byte, v any) error {
	if err := decoding.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	again, err := encoding.Marshal(v)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEncoding, err)
	}
	if !bytes.Equal(again, data) {
		return fmt.Errorf("%w: re-encoding gives other bytes", ErrEncoding)
	}
	return nil
}
