package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

// What a member may not forget of a training, and show to nobody: with it, and with what
// stands on the ledger, its change could be read. It is written several times in a round,
// so it lies under a key that follows from the identity, which is under the passphrase,
// and not under the passphrase itself, which costs a second each time.

const (
	trainingVersion = 1
	maxTraining     = 4096 // bounds the file that holds it
)

// SaveTraining makes the secret state of a member's part in a training durable, whole or
// not at all, in the place of what the file held.
func SaveTraining(path string, identity ed25519.PrivateKey, training uint64, state []byte) error {
	aead, err := trainingCipher(identity)
	if err != nil {
		return err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	head := binary.BigEndian.AppendUint64([]byte{trainingVersion}, training)
	return WriteFile(path, aead.Seal(append(head, nonce...), nonce, state, head), 0o600)
}

// LoadTraining reads what SaveTraining wrote; number 0 when there is none. A file that is
// damaged, or another identity's, gives an error that says what to do.
func LoadTraining(path string, identity ed25519.PrivateKey) (training uint64, state []byte, err error) {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, nil, nil
	case err != nil:
		return 0, nil, fmt.Errorf("read the state of a training: %w", err)
	case erased(b): // by a node that stopped over it
		return 0, nil, nil
	}
	return openTraining(path, identity, b)
}

func openTraining(path string, identity ed25519.PrivateKey, b []byte) (uint64, []byte, error) {
	aead, err := trainingCipher(identity)
	if err != nil {
		return 0, nil, err
	}
	const number = 1 + 8
	head := number + aead.NonceSize()
	if len(b) < head || len(b) > maxTraining || b[0] != trainingVersion {
		return 0, nil, fmt.Errorf("%s is no state of a training: delete it, and this member drops out of that training", path)
	}
	state, err := aead.Open(nil, b[number:head], b[head:], b[:number])
	if err != nil {
		return 0, nil, fmt.Errorf("%s is damaged, or another member's: delete it, and this member drops out of that training: %w", path, err)
	}
	return binary.BigEndian.Uint64(b[1:]), state, nil
}

// EraseTraining destroys it, if it is there.
func EraseTraining(path string) error { return erase(path) }

func trainingCipher(identity ed25519.PrivateKey) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, identity.Seed(), nil, "atelier state of a training", 32)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
