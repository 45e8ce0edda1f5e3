package curation

import "github.com/atelier-dao/atelier/shamir"

// validatePoint accepts canonical ristretto255 points other than the identity.
func validatePoint(point Hash) error {
	_, err := shamir.DecodePoint(shamir.Ristretto255, point[:])
	return err
}
