package curation

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/multiformats/go-multibase"
)

// ErrAddress reports a text that is not the canonical form of an account.
var ErrAddress = errors.New("not an account address")

// addressPrefix is the multicodec of an ed25519 public key, 0xed, as a varint.
var addressPrefix = [2]byte{0xed, 0x01}

// addressText is the length of the text form: 34 bytes in base58 never take
// more or fewer digits because the first byte is fixed, plus the 'z'.
const addressText = 48

// AddressOf returns the account that key signs for. It panics on a key of the
// wrong length, which crypto/ed25519 never makes.
func AddressOf(key ed25519.PublicKey) Address {
	return Address(key)
}

// String returns the text form: multibase base58btc over the multicodec and the
// key, as in did:key ("z6Mk…", 48 characters).
func (a Address) String() string {
	text, err := multibase.Encode(multibase.Base58BTC, append(addressPrefix[:], a[:]...))
	if err != nil { // the encoding is a constant that the library knows
		panic(err)
	}
	return text
}

// ParseAddress is the inverse of String. It accepts that one form only: other
// bases, other key types and other spellings give ErrAddress.
func ParseAddress(text string) (Address, error) {
	if len(text) != addressText || text[0] != 'z' {
		return Address{}, fmt.Errorf("%w: want %d characters starting z6Mk, have %d", ErrAddress, addressText, len(text))
	}
	_, raw, err := multibase.Decode(text)
	if err != nil || len(raw) != 34 || [2]byte(raw[:2]) != addressPrefix {
		return Address{}, fmt.Errorf("%w: %q is not an ed25519 key in base58", ErrAddress, text)
	}
	a := Address(raw[2:])
	if a.String() != text {
		return Address{}, fmt.Errorf("%w: %q is not written canonically", ErrAddress, text)
	}
	return a, nil
}

// MarshalText implements encoding.TextMarshaler with the text form.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseAddress.
func (a *Address) UnmarshalText(text []byte) error {
	parsed, err := ParseAddress(string(text))
	if err != nil {
		return err
	}
	*a = parsed
	return nil
}

// Hash is a SHA-256 digest or another 32-byte name: a request id, a pixel root,
// a validator's key. Its text form is lower-case hex.
type Hash [32]byte

// ParseHash reads 64 lower-case hex digits.
func ParseHash(text string) (Hash, error) {
	var h Hash
	return h, h.UnmarshalText([]byte(text))
}

// String returns 64 lower-case hex digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText implements encoding.TextMarshaler with String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler; it refuses capitals, so
// that a document has one spelling.
func (h *Hash) UnmarshalText(text []byte) error {
	var raw Hash
	if len(text) != 64 {
		return fmt.Errorf("want 64 hex digits, have %d characters", len(text))
	}
	if _, err := hex.Decode(raw[:], text); err != nil {
		return fmt.Errorf("read hex: %w", err)
	}
	if hex.EncodeToString(raw[:]) != string(text) {
		return errors.New("hex digits must be lower case")
	}
	*h = raw
	return nil
}
