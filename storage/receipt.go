package storage

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/shamir/quorum"
)

// Receipt says where one picture comes from: who asked for what, who allowed
// it, what made it, and what it looks like. It is receipt.cbor in an artwork's
// folder: canonical dag-cbor, a map with the field names below.
//
// Together with the charter's key Y it lets anyone check the certificate and the
// seed offline, and with the model's key the pixels. What becomes of the picture
// in curation is not known when it is written, and stands on the ledger.
type Receipt struct {
	Version         uint64   `cbor:"version"`           // ReceiptVersion
	Chain           [32]byte `cbor:"chain"`             // SHA-256 of the genesis file
	RequestID       [32]byte `cbor:"request_id"`        // rid
	RequestHeight   uint64   `cbor:"request_height"`    // height of the request's block
	ExpiryHeight    uint64   `cbor:"expiry_height"`     // from which nothing is released; past RequestHeight
	Collector       [32]byte `cbor:"collector"`         // ed25519 public key of who asked
	Prompt          string   `cbor:"prompt"`            // UTF-8, 0..200 bytes; of an edition that of its first artwork; empty when nobody gave one
	Body            []byte   `cbor:"body"`              // the request as signed, whose hash is certified; 1..512 bytes
	Model           [32]byte `cbor:"model"`             // model id on the ledger
	ModelCID        Link     `cbor:"model_cid"`         // the sealed container
	KeyEpoch        uint64   `cbor:"key_epoch"`         // of the model's key
	CommitteeEpoch  uint64   `cbor:"committee_epoch"`   // of the key shares
	Label           [32]byte `cbor:"label"`             // of the model's ciphertext
	U               [32]byte `cbor:"u"`                 // of the model's ciphertext, a ristretto255 point
	Readers         []Reader `cbor:"readers"`           // who may read, under which key, whose digest is certified; 1..128
	Certificate     [48]byte `cbor:"certificate"`       // BLS12-381 G1, compressed
	SeedSignature   [48]byte `cbor:"seed_signature"`    // BLS12-381 G1, compressed
	Seed            [32]byte `cbor:"seed"`              // follows from seed signature and rid
	GeneratorIndex  uint64   `cbor:"generator_index"`   // member 1..65535
	Generator       [32]byte `cbor:"generator"`         // ed25519 public key
	GeneratorPrekey [32]byte `cbor:"generator_prekey"`  // R, a ristretto255 point
	Kernel          string   `cbor:"kernel"`            // contract of the arithmetic, "phase-16"; 1..32 bytes
	Width           uint64   `cbor:"width"`             // pixels, 1..MaxSide; of an edition that is no film 1..MaxEditionSide
	Height          uint64   `cbor:"height"`            // pixels, as width
	PixelRoot       [32]byte `cbor:"pixel_root"`        // Merkle root over tiles of RGB; of a film that of its frames
	Edition         *Edition `cbor:"edition,omitempty"` // what it is an edition of; nil for a picture of its own
	Taste           *Taste   `cbor:"taste,omitempty"`   // what a picture without a prompt was drawn from; nil for any other
}

// Taste says what a picture without a prompt was drawn from: what the network's taste
// gave for its seed.
type Taste struct {
	Version uint64   `cbor:"version"`
	Prior   [32]byte `cbor:"prior"`  // SHA-256 of the version's file
	Latent  string   `cbor:"latent"` // what it gave, as JSON of package model/latent; 1..MaxLatent bytes
	Words   string   `cbor:"words"`  // the same in words: the picture's title; 1..MaxLatent bytes
}

const (
	// ReceiptVersion is the version that this package writes and reads.
	ReceiptVersion = 1
	// MaxReceipt is the longest encoding, in bytes; one of four members has about
	// 1500.
	MaxReceipt = 24 << 10
	// MaxBody is the longest signed request, in bytes.
	MaxBody = 512
	// MaxReaders is the largest table of readers.
	MaxReaders = 128
	// MaxLatent is the longest latent as text, in bytes.
	MaxLatent = 2 << 10
	// MaxPrompt is the longest prompt, in bytes.
	MaxPrompt = 200
)

// Reader is a member that the draw may choose, with the one-time key that shares
// for it are blinded under.
type Reader struct {
	Member uint32   `cbor:"member"` // index, from 1
	Key    [32]byte `cbor:"key"`    // R, a ristretto255 point
}

// Prekeys is the table of readers as the quorum certifies it.
func (r Receipt) Prekeys() quorum.Prekeys {
	table := make(quorum.Prekeys, len(r.Readers))
	for i, p := range r.Readers {
		table[i] = quorum.Prekey(p)
	}
	return table
}

// Link is a CID in dag-cbor: tag 42 around a zero byte and the CID.
type Link struct{ cid.Cid }

var linkHead = []byte{0xd8, 0x2a, 0x58} // tag 42, byte string with a one-byte length

// MarshalCBOR writes the link.
func (l Link) MarshalCBOR() ([]byte, error) {
	raw := l.Bytes()
	if len(raw) < 24 || len(raw) > 254 {
		return nil, fmt.Errorf("link to a CID of %d bytes: %w", len(raw), ErrReceipt)
	}
	return append(append(bytes.Clone(linkHead), byte(len(raw)+1), 0), raw...), nil
}

// UnmarshalCBOR reads what MarshalCBOR writes and nothing else.
func (l *Link) UnmarshalCBOR(b []byte) error {
	if len(b) < 5 || !bytes.HasPrefix(b, linkHead) || int(b[3]) != len(b)-4 || b[4] != 0 {
		return fmt.Errorf("not a link: %w", ErrReceipt)
	}
	c, err := cid.Cast(b[5:])
	if err != nil {
		return fmt.Errorf("link: %v: %w", err, ErrReceipt)
	}
	l.Cid = c
	return nil
}

// The map's keys have fewer than 24 bytes, so core deterministic order (RFC 8949)
// and dag-cbor's (by length, then bytes) are the same.
var (
	receiptEncoding = must(cbor.CoreDetEncOptions().EncMode())
	receiptDecoding = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8RejectInvalid,
		MaxNestedLevels:   6, // the taste of a work of an edition
		MaxArrayElements:  MaxReaders,
		MaxMapPairs:       32,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Encode returns the receipt's one encoding, or ErrReceipt when a field is out
// of its range.
func (r Receipt) Encode() ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return receiptEncoding.Marshal(r)
}

// DecodeReceipt reads exactly one receipt. It returns ErrReceipt for anything
// that Encode would not have written, byte for byte. It proves nothing about
// signatures.
func DecodeReceipt(b []byte) (Receipt, error) {
	if len(b) > MaxReceipt {
		return Receipt{}, fmt.Errorf("%d bytes, limit %d: %w", len(b), MaxReceipt, ErrReceipt)
	}
	var r Receipt
	if err := receiptDecoding.Unmarshal(b, &r); err != nil {
		return Receipt{}, fmt.Errorf("%v: %w", err, ErrReceipt)
	}
	again, err := r.Encode()
	if err != nil {
		return Receipt{}, err
	}
	if !bytes.Equal(again, b) {
		return Receipt{}, fmt.Errorf("not canonical, or a field is missing: %w", ErrReceipt)
	}
	return r, nil
}

// fits says whether a picture of a prompt may have been drawn from it.
func (t *Taste) fits(prompt string) bool {
	text := func(s string) bool { return len(s) > 0 && len(s) <= MaxLatent && utf8.ValidString(s) }
	return prompt == "" && t.Prior != [32]byte{} && text(t.Latent) && text(t.Words)
}

func (r Receipt) check() error {
	bad := func(field string, value any) error {
		return fmt.Errorf("%s %v is out of range: %w", field, value, ErrReceipt)
	}
	switch {
	case r.Version != ReceiptVersion:
		return bad("version", r.Version)
	case r.RequestHeight == 0 || r.ExpiryHeight <= r.RequestHeight:
		return bad("expiry height", r.ExpiryHeight)
	case len(r.Prompt) > MaxPrompt || !utf8.ValidString(r.Prompt):
		return bad("prompt", fmt.Sprintf("of %d bytes", len(r.Prompt)))
	case r.Taste != nil && (r.Edition != nil || !r.Taste.fits(r.Prompt)):
		return bad("taste", fmt.Sprintf("of version %d", r.Taste.Version))
	case len(r.Body) == 0 || len(r.Body) > MaxBody:
		return bad("body", fmt.Sprintf("of %d bytes", len(r.Body)))
	case len(r.Readers) == 0 || len(r.Readers) > MaxReaders || r.Prekeys().Validate() != nil:
		return bad("table", fmt.Sprintf("of %d readers", len(r.Readers)))
	case len(r.Kernel) == 0 || len(r.Kernel) > 32 || !utf8.ValidString(r.Kernel):
		return bad("kernel", fmt.Sprintf("of %d bytes", len(r.Kernel)))
	case r.GeneratorIndex == 0 || r.GeneratorIndex > 65535:
		return bad("generator index", r.GeneratorIndex)
	case r.Width == 0 || r.Width > r.maxSide():
		return bad("width", r.Width)
	case r.Height == 0 || r.Height > r.maxSide():
		return bad("height", r.Height)
	}
	if r.Edition != nil {
		if err := r.Edition.check(); err != nil {
			return err
		}
	}
	if c, err := normal(r.ModelCID.Cid); err != nil || !c.Equals(r.ModelCID.Cid) {
		return bad("model CID", r.ModelCID)
	}
	return nil
}
