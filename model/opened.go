package model

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// MaxOpened bounds an opened model file, in bytes.
const MaxOpened = 64 << 20

// OpenSealed reads the artist out of a whole container with its file key, which is
// wiped. box is what the container must hold as its sealed key, and plainHash the
// SHA-256 of what it must open to.
func OpenSealed(container, box, fileKey []byte, plainHash [32]byte) (*Artist, error) {
	plain, err := Open(bytes.NewReader(container), func(held []byte) ([]byte, error) {
		if !bytes.Equal(held, box) {
			return nil, errors.New("the container's box is not the one that was sealed")
		}
		return fileKey, nil
	})
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(plain, MaxOpened+1))
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	if len(raw) > MaxOpened {
		return nil, fmt.Errorf("model file is larger than %d bytes", MaxOpened)
	}
	if sha256.Sum256(raw) != plainHash {
		return nil, errors.New("the opened model is not the one that was sealed")
	}
	return UnmarshalArtist(raw)
}
