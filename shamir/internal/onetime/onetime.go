// Package onetime makes ciphers for one message each: AES-256-GCM under a key that HKDF
// with SHA-256 derives from a Diffie-Hellman key. What the message is for goes into salt
// and info, so no two messages have one key.
package onetime

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// Nonce is zero: a key serves once.
var Nonce = make([]byte, 12)

// AEAD is the cipher of one message.
func AEAD(shared, salt []byte, info [32]byte) cipher.AEAD {
	key, err := hkdf.Key(sha256.New, shared, salt, string(info[:]), 32)
	if err != nil {
		panic(fmt.Sprintf("onetime: derive 32 bytes: %v", err)) // only too long a key fails
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(fmt.Sprintf("onetime: AES with 32 bytes: %v", err))
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(fmt.Sprintf("onetime: GCM: %v", err))
	}
	return aead
}
