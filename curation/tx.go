package curation

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
	voi "github.com/oasisprotocol/curve25519-voi/primitives/ed25519"
)

// MaxTxBytes is the largest transaction the ledger takes, in bytes of its
// envelope. A bundle of the ceremony at 128 members takes a third of it.
const MaxTxBytes = 64 << 10

// TxContext separates signatures over transactions from every other signature
// that a member's or collector's key makes.
const TxContext = "atelier/tx/v1"

const (
	envelopeVersion = 1
	keyTypeEd25519  = 1
)

// ErrTx reports bytes that are not a transaction of this ledger.
var ErrTx = errors.New("not a transaction")

// Body is what an account signs: what to do, its place in the account's own
// sequence, and until when it may happen.
type Body struct {
	// Nonce counts the account's transactions that the ledger has taken, from 0.
	Nonce uint64
	// ValidUntil is the last height at which the transaction may be in a block.
	ValidUntil uint64
	// Payload is one of this package's payload types; it fixes the kind.
	Payload Payload
}

// Tx is a decoded transaction. Its signature has not been checked unless Verify
// has said so.
type Tx struct {
	Body
	Signer    Address
	BodyBytes []byte // exactly the bytes that were signed
	Signature [64]byte
}

type envelope struct {
	_         struct{} `cbor:",toarray"`
	Version   uint64
	Body      []byte
	KeyType   uint64
	PublicKey [32]byte
	Signature [64]byte
}

type wireBody struct {
	_          struct{} `cbor:",toarray"`
	Kind       string
	Nonce      uint64
	ValidUntil uint64
	Payload    cbor.RawMessage
}

// Bytes returns the deterministic CBOR of the body: [kind, nonce, valid until,
// payload]. Its SHA-256 is the "body hash" of requests and statements.
func (b Body) Bytes() []byte {
	return encode(wireBody{Kind: string(b.Payload.Kind()), Nonce: b.Nonce, ValidUntil: b.ValidUntil, Payload: encode(b.Payload)})
}

// Sign encodes and signs body with the account's key for the ledger whose
// genesis hash is chain, and returns the transaction's bytes. A payload that
// Validate refuses, or a transaction above MaxTxBytes, is an error.
func Sign(key ed25519.PrivateKey, chain [32]byte, body Body) ([]byte, error) {
	if body.Payload == nil {
		return nil, fmt.Errorf("%w: it has no payload", ErrTx)
	}
	if err := body.Payload.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", body.Payload.Kind(), err)
	}
	raw := body.Bytes()
	env := envelope{Version: envelopeVersion, Body: raw, KeyType: keyTypeEd25519,
		PublicKey: AddressOf(key.Public().(ed25519.PublicKey)),
		Signature: [64]byte(ed25519.Sign(key, signedBytes(chain, raw)))}
	tx := encode(env)
	if len(tx) > MaxTxBytes {
		return nil, fmt.Errorf("%w: %d bytes, limit %d", ErrTx, len(tx), MaxTxBytes)
	}
	return tx, nil
}

// bytes is what Decode read.
func (t Tx) bytes() []byte {
	return encode(envelope{Version: envelopeVersion, Body: t.BodyBytes, KeyType: keyTypeEd25519, PublicKey: t.Signer, Signature: t.Signature})
}

// Decode reads a transaction strictly: one envelope, the known version and key
// type, a known kind, a payload that passes Validate, and nothing that
// re-encoding would write differently. It does not check the signature.
func Decode(raw []byte) (Tx, error) {
	if len(raw) > MaxTxBytes {
		return Tx{}, fmt.Errorf("%w: %d bytes, limit %d", ErrTx, len(raw), MaxTxBytes)
	}
	var env envelope
	if err := decode(raw, &env); err != nil {
		return Tx{}, fmt.Errorf("%w: envelope: %w", ErrTx, err)
	}
	if env.Version != envelopeVersion || env.KeyType != keyTypeEd25519 {
		return Tx{}, fmt.Errorf("%w: version %d with key type %d, this ledger knows 1 and 1", ErrTx, env.Version, env.KeyType)
	}
	body, err := DecodeBody(env.Body)
	if err != nil {
		return Tx{}, err
	}
	return Tx{Body: body, Signer: env.PublicKey, BodyBytes: env.Body, Signature: env.Signature}, nil
}

// DecodeBody reads what Bytes wrote, as strictly as Decode: the signed part of a
// transaction, such as the request that an artwork's receipt carries.
func DecodeBody(raw []byte) (Body, error) {
	if len(raw) > MaxTxBytes {
		return Body{}, fmt.Errorf("%w: body of %d bytes, limit %d", ErrTx, len(raw), MaxTxBytes)
	}
	var body wireBody
	if err := decode(raw, &body); err != nil {
		return Body{}, fmt.Errorf("%w: body: %w", ErrTx, err)
	}
	read, known := payloads[Kind(body.Kind)]
	if !known {
		return Body{}, fmt.Errorf("%w: unknown kind %q", ErrTx, body.Kind)
	}
	payload, err := read(body.Payload)
	if err != nil {
		return Body{}, fmt.Errorf("%w: %s: %w", ErrTx, body.Kind, err)
	}
	return Body{Nonce: body.Nonce, ValidUntil: body.ValidUntil, Payload: payload}, nil
}

// Verify says whether the signature is the signer's for the ledger whose genesis
// hash is chain. It follows the ZIP-215 rules, under which single and batch
// verification agree on every input.
func (t Tx) Verify(chain [32]byte) bool {
	return voi.VerifyWithOptions(t.Signer[:], signedBytes(chain, t.BodyBytes), t.Signature[:],
		&voi.Options{Verify: voi.VerifyOptionsZIP_215})
}

// BodyHash is SHA-256 of the signed body.
func (t Tx) BodyHash() Hash { return sha256.Sum256(t.BodyBytes) }

// ID names the transaction by signer and body, not by signature: another
// signature of the same signer over the same body is the same transaction.
func (t Tx) ID() Hash { return hash("tx", t.Signer[:], t.BodyBytes) }

// TxID decodes raw and returns its ID.
func TxID(raw []byte) (Hash, error) {
	tx, err := Decode(raw)
	if err != nil {
		return Hash{}, err
	}
	return tx.ID(), nil
}

// signedBytes is context ‖ u64 length of the body ‖ genesis hash ‖ SHA-256(body).
func signedBytes(chain [32]byte, body []byte) []byte {
	digest := sha256.Sum256(body)
	m := append(make([]byte, 0, len(TxContext)+72), TxContext...)
	m = binary.BigEndian.AppendUint64(m, uint64(len(body)))
	m = append(m, chain[:]...)
	return append(m, digest[:]...)
}
