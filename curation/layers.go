package curation

import (
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/shamir/seal"
)

// Ciphertexts are what a release of a model opens: those of the layers that View.Layers
// gives for its key epoch, in the order of package seal. The labels are computed here
// from what each layer is, so that no record can bring a label of its own.
func Ciphertexts(chain Hash, x [32]byte, layers []Model) (of seal.Layers, err error) {
	if len(layers) == 0 {
		return of, errors.New("the ledger has no such key epoch, or no longer holds what its members would release")
	}
	for _, m := range slices.Backward(layers) {
		ct, err := seal.ParseCiphertext(m.Ciphertext)
		if err != nil {
			return of, fmt.Errorf("key epoch %d: %w", m.KeyEpoch, err)
		}
		own := ModelLabel(chain, m.ID, m.KeyEpoch, m.PolicyHash, x)
		if of.Len() == 0 {
			of = seal.NewLayers(own, ct)
		} else {
			of = of.Around(own, ct)
		}
	}
	return of, nil
}
