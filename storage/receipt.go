package storage

import "github.com/ipfs/go-cid"

// Receipt says where one picture comes from: who asked for what, who allowed
// it, what made it, and what it looks like. It is receipt.cbor in an artwork's
// folder: canonical dag-cbor, a map with the field names below in snake case.
//
// Together with the charter's key Y it lets anyone check the certificate and the
// seed offline, and with the model's key the pixels.
type Receipt struct {
	Version         uint64   `cbor:"version"`          // 1
	Chain           [32]byte `cbor:"chain"`            // SHA-256 of the genesis file
	RequestID       [32]byte `cbor:"request_id"`       // rid
	RequestHeight   uint64   `cbor:"request_height"`   // height of the request's block
	ExpiryHeight    uint64   `cbor:"expiry_height"`    // last height at which the approval counts
	Collector       [32]byte `cbor:"collector"`        // ed25519 public key of who asked
	Prompt          string   `cbor:"prompt"`           // UTF-8, 1..200 bytes
	BodyHash        [32]byte `cbor:"body_hash"`        // of the request's transaction body
	ModelID         string   `cbor:"model_id"`         // 1..64 bytes of UTF-8
	ModelCID        cid.Cid  `cbor:"model_cid"`        // the sealed container, a CID link
	KeyEpoch        uint64   `cbor:"key_epoch"`        // which model key
	CommitteeEpoch  uint64   `cbor:"committee_epoch"`  // whose key shares
	Label           []byte   `cbor:"label"`            // of the model's threshold ciphertext, 1..256 bytes
	U               [32]byte `cbor:"u"`                // the ciphertext's point, ristretto255
	PrekeysDigest   [32]byte `cbor:"prekeys_digest"`   // of the table of possible readers
	Certificate     [48]byte `cbor:"certificate"`      // BLS12-381 G1, compressed
	SeedSignature   [48]byte `cbor:"seed_signature"`   // BLS12-381 G1, compressed
	Seed            [32]byte `cbor:"seed"`             // H("seed", seed signature, rid)
	GeneratorIndex  uint64   `cbor:"generator_index"`  // member 1..n
	Generator       [32]byte `cbor:"generator"`        // ed25519 public key
	GeneratorPrekey [32]byte `cbor:"generator_prekey"` // R, ristretto255
	Kernel          string   `cbor:"kernel"`           // contract of the arithmetic: "phase-16"
	Width           uint64   `cbor:"width"`            // pixels, 1..MaxSide
	Height          uint64   `cbor:"height"`           // pixels, 1..MaxSide
	PixelRoot       [32]byte `cbor:"pixel_root"`       // Merkle root over tiles of RGB
}

// ReceiptVersion is the version that this package writes and reads.
const ReceiptVersion = 1

// Encode returns the receipt's one encoding.
func (r Receipt) Encode() ([]byte, error) { return nil, ErrClosed }

// DecodeReceipt reads exactly one receipt. It returns ErrReceipt for anything
// that Encode would not have written, byte for byte.
func DecodeReceipt(b []byte) (Receipt, error) { return Receipt{}, ErrClosed }
