package ledger

import (
	"bytes"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"

	"github.com/atelier-dao/atelier/curation"
)

// What is stored is deterministic CBOR (RFC 8949, 4.2.1), tuples without names.
// Decoding is strict and bounded: a record comes from a disk.

// maxRecordBytes bounds one stored block with its results.
const maxRecordBytes = 64 << 20

var encoding = func() cbor.EncMode {
	m, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err) // constant options
	}
	return m
}()

var decoding = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  8,
		MaxArrayElements: 1 << 20,
		MaxMapPairs:      16,
		UTF8:             cbor.UTF8DecodeInvalid,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

type attributeRecord struct {
	_     struct{} `cbor:",toarray"`
	Key   string
	Value string
}

type eventRecord struct {
	_          struct{} `cbor:",toarray"`
	Kind       string
	Attributes []attributeRecord
}

type resultRecord struct {
	_      struct{} `cbor:",toarray"`
	Code   uint32
	Log    string
	Events []eventRecord
}

// blockRecord is a Committed on disk.
type blockRecord struct {
	_       struct{} `cbor:",toarray"`
	Height  uint64
	Nanos   int64 // header time since the Unix epoch
	AppHash [32]byte
	Txs     [][]byte
	Results []resultRecord
	Events  []eventRecord
}

func encodeBlock(c Committed) ([]byte, error) {
	r := blockRecord{
		Height:  c.Height,
		Nanos:   c.Time.UnixNano(),
		AppHash: c.AppHash,
		Txs:     c.Txs,
		Results: make([]resultRecord, len(c.Results)),
		Events:  eventRecords(c.Events),
	}
	if r.Txs == nil {
		r.Txs = [][]byte{}
	}
	for i, res := range c.Results {
		r.Results[i] = resultRecord{Code: uint32(res.Code), Log: res.Log, Events: eventRecords(res.Events)}
	}
	b, err := encoding.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode block %d: %w", c.Height, err)
	}
	if len(b) > maxRecordBytes {
		return nil, fmt.Errorf("encode block %d: %d bytes, limit %d", c.Height, len(b), maxRecordBytes)
	}
	return b, nil
}

// decodeBlock takes exactly what encodeBlock writes.
func decodeBlock(b []byte) (Committed, error) {
	if len(b) > maxRecordBytes {
		return Committed{}, fmt.Errorf("decode block: %d bytes, limit %d", len(b), maxRecordBytes)
	}
	var r blockRecord
	if err := decodeStrictly(b, &r); err != nil {
		return Committed{}, fmt.Errorf("decode block: %w", err)
	}
	if len(r.Results) != len(r.Txs) {
		return Committed{}, fmt.Errorf("decode block %d: %d results for %d transactions", r.Height, len(r.Results), len(r.Txs))
	}
	c := Committed{
		Height:  r.Height,
		Time:    time.Unix(0, r.Nanos).UTC(),
		AppHash: r.AppHash,
		Txs:     r.Txs,
		Results: make([]curation.TxResult, len(r.Results)),
		Events:  events(r.Events),
	}
	for i, res := range r.Results {
		c.Results[i] = curation.TxResult{Code: curation.Code(res.Code), Log: res.Log, Events: events(res.Events)}
	}
	return c, nil
}

// decodeStrictly accepts the one encoding of a value and nothing else.
func decodeStrictly(b []byte, to any) error {
	if err := decoding.Unmarshal(b, to); err != nil {
		return err
	}
	again, err := encoding.Marshal(to)
	if err != nil {
		return err
	}
	if !bytes.Equal(again, b) {
		return fmt.Errorf("%d bytes are not in their canonical form", len(b))
	}
	return nil
}

func eventRecords(es []curation.Event) []eventRecord {
	out := make([]eventRecord, len(es))
	for i, e := range es {
		out[i] = eventRecord{Kind: e.Kind, Attributes: make([]attributeRecord, len(e.Attributes))}
		for j, a := range e.Attributes {
			out[i].Attributes[j] = attributeRecord{Key: a.Key, Value: a.Value}
		}
	}
	return out
}

func events(rs []eventRecord) []curation.Event {
	if len(rs) == 0 {
		return nil
	}
	out := make([]curation.Event, len(rs))
	for i, r := range rs {
		out[i] = curation.Event{Kind: r.Kind, Attributes: make([]curation.Attribute, len(r.Attributes))}
		for j, a := range r.Attributes {
			out[i].Attributes[j] = curation.Attribute{Key: a.Key, Value: a.Value}
		}
	}
	return out
}
