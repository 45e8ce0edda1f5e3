package dkg

import (
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
)

// ProveDealKey proves that a member knows the seed of its deal key for the committee
// of an epoch. Who brings a key brings the proof: else a member could give another's
// key as its own and so keep its owner out, because no key stands twice in a ceremony.
func ProveDealKey(seed, chain [32]byte, epoch uint64, index uint32) (shamir.Proof, error) {
	return shamir.ProvePossession(nil, shamir.Ristretto255, dealKeyContext(chain, epoch, index), dealSecret(seed))
}

// VerifyDealKey checks a proof of ProveDealKey. Its error wraps shamir.ErrEncoding,
// shamir.ErrIdentity or shamir.ErrProof.
func VerifyDealKey(key, chain [32]byte, epoch uint64, index uint32, proof shamir.Proof) error {
	point, err := shamir.DecodePoint(shamir.Ristretto255, key[:])
	if err != nil {
		return fmt.Errorf("deal key of member %d: %w", index, err)
	}
	if err := shamir.VerifyPossession(shamir.Ristretto255, dealKeyContext(chain, epoch, index), point, proof); err != nil {
		return fmt.Errorf("deal key of member %d: %w", index, err)
	}
	return nil
}

func dealKeyContext(chain [32]byte, epoch uint64, index uint32) []byte {
	h := shamir.Hash("deal key proof", chain[:], shamir.Uint64(epoch), shamir.Uint64(uint64(index)))
	return h[:]
}
