package keys

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// maxEntrusted is the most bytes of what is entrusted to an account.
const maxEntrusted = 64 << 10

// ErrNotEntrusted reports a file that is not for the key at hand.
var ErrNotEntrusted = errors.New("the file is not encrypted to this account")

// Entrust encrypts something to an account: an age file for its key, taken as an SSH
// one (age-encryption.org/v1, recipient type ssh-ed25519).
func Entrust(to ed25519.PublicKey, plain []byte) ([]byte, error) {
	key, err := ssh.NewPublicKey(to)
	if err != nil {
		return nil, fmt.Errorf("entrust: %w", err)
	}
	reader, err := agessh.NewEd25519Recipient(key)
	if err != nil {
		return nil, fmt.Errorf("entrust: %w", err)
	}
	var out bytes.Buffer
	w, err := age.Encrypt(&out, reader)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("entrust: %w", err)
	}
	return out.Bytes(), nil
}

// Entrusted opens what Entrust made for the account of a key. Its error wraps
// ErrNotEntrusted for a file of somebody else.
func Entrusted(key ed25519.PrivateKey, file []byte) ([]byte, error) {
	id, err := agessh.NewEd25519Identity(key)
	if err != nil {
		return nil, fmt.Errorf("entrusted: %w", err)
	}
	r, err := age.Decrypt(bytes.NewReader(file), id)
	var other *age.NoIdentityMatchError
	switch {
	case errors.As(err, &other):
		return nil, ErrNotEntrusted
	case err != nil:
		return nil, fmt.Errorf("damaged: %w", err)
	}
	plain, err := io.ReadAll(io.LimitReader(r, maxEntrusted+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("damaged: %w", err)
	case len(plain) > maxEntrusted:
		return nil, fmt.Errorf("damaged: it holds more than %d bytes", maxEntrusted)
	}
	return plain, nil
}
