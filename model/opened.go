package model

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// MaxOpened bounds an opened model file, in bytes.
const MaxOpened = 64 << 20

// MaxContainer bounds a container: the largest model file in as many layers as there may
// be, each of which adds 16 bytes in 64 KiB and a header.
const MaxContainer = MaxOpened + MaxOpened>>8

// ErrOtherModel reports a container that opens to another file than was sealed.
var ErrOtherModel = errors.New("the opened model is not the one that was sealed")

// OpenPlain reads the plain model file out of a whole container with the file keys of its
// layers, the outermost first, which are wiped. plainHash is the SHA-256 of what it must
// open to. The caller wipes the result. Its errors are those of OpenLayers, or wrap
// ErrOtherModel.
func OpenPlain(container io.Reader, plainHash [32]byte, layers ...Layer) ([]byte, error) {
	plain, err := OpenLayers(container, layers...)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(plain, MaxOpened+1))
	switch {
	case err == nil && len(raw) > MaxOpened:
		err = fmt.Errorf("model file is larger than %d bytes", MaxOpened)
	case err == nil && sha256.Sum256(raw) != plainHash:
		err = ErrOtherModel
	}
	if err != nil {
		clear(raw)
		return nil, err
	}
	return raw, nil
}
