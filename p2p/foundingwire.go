package p2p

import (
	"bytes"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// The two requests by which newcomers register with a founder and fetch the
// genesis document. Messages are CBOR arrays in the core deterministic
// encoding; others are refused.
var (
	JoinProtocol    = Protocol{ID: "/atelier/found/join/1", MaxRequest: 2 * MaxRecord, MaxResponse: 1 << 10, Timeout: 20 * time.Second, PerPeer: 2}
	GenesisProtocol = Protocol{ID: "/atelier/found/genesis/1", MaxRequest: 64, MaxResponse: MaxGenesis, Timeout: 60 * time.Second, PerPeer: 2}
)

const (
	MaxRecord  = 8 << 10 // bytes of a member record
	MaxGenesis = 4 << 20 // bytes of a genesis document
)

// JoinRequest asks a founder for a seat. The newcomer's identity is that of the
// connection.
type JoinRequest struct {
	_       struct{} `cbor:",toarray"`
	Token   Token
	Charter [32]byte
	Record  []byte
}

// JoinResponse grants it.
type JoinResponse struct {
	_    struct{} `cbor:",toarray"`
	Seat uint64   // from 1
	Have uint64   // seats taken
	Want uint64   // seats in all
}

// GenesisRequest asks for the genesis document of the network with a charter;
// the response is the document itself.
type GenesisRequest struct {
	_       struct{} `cbor:",toarray"`
	Charter [32]byte
}

// encodeWire writes a message of this package.
func encodeWire(v any) []byte {
	raw, err := wireEncoding.Marshal(v)
	if err != nil { // only types of this file come here, none can fail
		panic(err)
	}
	return raw
}

// decodeWire reads a message in its one encoding.
func decodeWire(raw []byte, v any) error {
	if err := wireDecoding.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if again := encodeWire(v); !bytes.Equal(again, raw) {
		return fmt.Errorf("%w: not the canonical encoding", ErrMalformed)
	}
	return nil
}

var wireEncoding = func() cbor.EncMode {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return mode
}()

var wireDecoding = func() cbor.DecMode {
	mode, err := cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  4,
		MaxArrayElements: 16,
		MaxMapPairs:      16,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return mode
}()
