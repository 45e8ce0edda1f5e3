package seal

import (
	"errors"
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"go.dedis.ch/kyber/v3"
)

// secretOf is the member's x_i and X_i = x_i·G, as the committee of the same epoch lists
// it. Unlike KeyShare.VerifyAgainst it leaves y alone, which nothing here uses and which
// costs more. The error wraps shamir.ErrForeignShare.
func secretOf(key *shamir.KeyShare, c *shamir.Committee) (x kyber.Scalar, public kyber.Point, err error) {
	if key.Epoch() != c.Epoch() {
		return nil, nil, fmt.Errorf("share of epoch %d, committee of epoch %d: %w", key.Epoch(), c.Epoch(), shamir.ErrForeignShare)
	}
	if public, err = c.XShare(key.Index()); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", err, shamir.ErrForeignShare)
	}
	x, _ = key.Secrets(access.Token{})
	if !group.Point().Mul(x, nil).Equal(public) {
		return nil, nil, fmt.Errorf("share of member %d: %w", key.Index(), shamir.ErrForeignShare)
	}
	return x, public, nil
}

// collect reads shares until t of distinct members are valid, and gives these with the
// weights that interpolate them at 0. check reads one and verifies it; it says whose it
// is. culprits are the positions of those that are not valid among the ones looked at.
// With too few left the error wraps shamir.ErrThreshold.
func collect[S any](c *shamir.Committee, shares [][]byte, check func([]byte) (S, uint32, error)) (valid []S, weights []kyber.Scalar, culprits []int, err error) {
	indices := make([]uint32, 0, c.T())
	seen := make(map[uint32]bool, c.T())
	var faults error
	for i, b := range shares {
		if len(valid) == c.T() {
			break
		}
		s, index, err := check(b)
		if err != nil {
			culprits, faults = append(culprits, i), errors.Join(faults, fmt.Errorf("share %d: %w", i, err))
			continue
		}
		if !seen[index] {
			seen[index] = true
			indices, valid = append(indices, index), append(valid, s)
		}
	}
	if len(valid) < c.T() {
		err := fmt.Errorf("%d valid shares of %d: %w", len(valid), c.T(), shamir.ErrThreshold)
		return nil, nil, culprits, errors.Join(err, faults)
	}
	weights, err = shamir.Lagrange(group, indices)
	return valid, weights, culprits, err
}
