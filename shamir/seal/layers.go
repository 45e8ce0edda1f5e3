package seal

import (
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
)

// MaxLayers bounds the ciphertexts of one sealed model: its own and those of the layers
// around it.
const MaxLayers = 8

// ErrLayers reports more layers than MaxLayers, or none.
var ErrLayers = errors.New("wrong number of layers")

// Layers are the ciphertexts that open a model: of its own file key first, then of the
// keys of the layers that rotations put around it, the outermost last. The label of a
// layer binds label and U of what it is around, and is computed here alone. So the
// outermost label and U, which a certificate binds, bind the whole chain: whoever
// presents another ciphertext anywhere in it presents another label.
//
// Layers are immutable. The zero value holds none and opens nothing.
type Layers struct{ all []layer }

type layer struct {
	label [32]byte
	ct    *Ciphertext
}

// NewLayers is a model without layers: one ciphertext, under the model's label.
func NewLayers(label [32]byte, ct *Ciphertext) Layers {
	return Layers{[]layer{{label, ct}}}
}

// Around is l with one more layer, whose ciphertext was sealed under LayerLabel of own
// and of what l has outermost.
func (l Layers) Around(own [32]byte, ct *Ciphertext) Layers {
	n := len(l.all)
	return Layers{append(l.all[:n:n], layer{LayerLabel(own, l.Label(), l.U()), ct})}
}

// LayerLabel is the label of a layer around what has the given label and U:
// Hash("layer", own, label, u). own says what the layer is for, as the label of a model
// without layers does.
func LayerLabel(own, label, u [32]byte) [32]byte {
	return shamir.Hash("layer", own[:], label[:], u[:])
}

// Len is the number of ciphertexts.
func (l Layers) Len() int { return len(l.all) }

// Label is that of the outermost ciphertext; a quorum.Statement binds it.
func (l Layers) Label() (label [32]byte) {
	if n := len(l.all); n > 0 {
		label = l.all[n-1].label
	}
	return label
}

// U is that of the outermost ciphertext; a quorum.Statement binds it.
func (l Layers) U() (u [32]byte) {
	if n := len(l.all); n > 0 {
		u = l.all[n-1].ct.U()
	}
	return u
}

// Verify checks number and proofs of the ciphertexts for the key x. Its error wraps
// ErrLayers or ErrCiphertext.
func (l Layers) Verify(x [32]byte) error {
	if len(l.all) < 1 || len(l.all) > MaxLayers {
		return fmt.Errorf("%d ciphertexts, want 1 to %d: %w", len(l.all), MaxLayers, ErrLayers)
	}
	for i, at := range l.all {
		if err := at.ct.Verify(x, at.label); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
	}
	return nil
}

// LayerError names the layer whose box does not open with the key that was sealed for
// it: whoever made it cheated. It wraps ErrUnreadable.
type LayerError struct {
	Layer int // its place in Layers, from 0
}

func (e *LayerError) Error() string { return fmt.Sprintf("layer %d: %v", e.Layer, ErrUnreadable) }
func (e *LayerError) Unwrap() error { return ErrUnreadable }
