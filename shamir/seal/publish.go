package seal

import (
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/internal/access"
)

// A network whose will is executed gives its opening key to everybody: t holders
// publish their shares of x, and whoever adds them up has x. Nothing is blinded and
// nothing is bound to a request, which is the point. The certifying key y has no part
// in it: nobody signs in the network's name afterwards.

// PublishShare is the holder's share of x in clear, a scalar of 32 bytes. It is the
// only way in which a share leaves a KeyShare unblinded; callers publish it as the
// rules of their network have it, or entrust it to one reader when its ledger is dead,
// and never otherwise.
func PublishShare(key *shamir.KeyShare, c *shamir.Committee) ([32]byte, error) {
	if err := key.VerifyAgainst(c); err != nil {
		return [32]byte{}, err
	}
	x, _ := key.Secrets(access.Token{})
	return [32]byte(shamir.Encode(x)), nil
}

// VerifyPublished checks that a published value is the holder's share of x. Its error
// is a *shamir.ShareError, or wraps shamir.ErrSize for an index outside 1..n.
func VerifyPublished(c *shamir.Committee, index uint32, share [32]byte) error {
	public, err := c.XShare(index)
	if err != nil {
		return err
	}
	x, err := shamir.DecodeScalar(group, share[:])
	if err != nil {
		return &shamir.ShareError{Index: index, Err: err}
	}
	if !group.Point().Mul(x, nil).Equal(public) {
		return &shamir.ShareError{Index: index, Err: shamir.ErrProof}
	}
	return nil
}

// CombinePublished adds t or more published shares up to x and checks it against X.
// Shares at the indices are verified; the error names one that does not hold, or
// wraps shamir.ErrThreshold.
func CombinePublished(c *shamir.Committee, indices []uint32, shares [][32]byte) (secret [32]byte, err error) {
	if len(indices) != len(shares) || len(indices) < c.T() {
		return secret, fmt.Errorf("%d shares of the %d that make the key: %w", len(shares), c.T(), shamir.ErrThreshold)
	}
	weights, err := shamir.Lagrange(group, indices)
	if err != nil {
		return secret, err
	}
	x := group.Scalar().Zero()
	for i, share := range shares {
		if err := VerifyPublished(c, indices[i], share); err != nil {
			return secret, err
		}
		s, err := shamir.DecodeScalar(group, share[:])
		if err != nil {
			return secret, err
		}
		x.Add(x, s.Mul(s, weights[i]))
	}
	secret = [32]byte(shamir.Encode(x))
	return secret, checkSecret(c.X(), secret)
}

// checkSecret says whether the secret is that of the key.
func checkSecret(x, secret [32]byte) error {
	s, err := shamir.DecodeScalar(group, secret[:])
	if err != nil {
		return fmt.Errorf("published key: %w", err)
	}
	if have := [32]byte(shamir.Encode(group.Point().Mul(s, nil))); have != x {
		return fmt.Errorf("published key is not that of X: %w", shamir.ErrProof)
	}
	return nil
}

// OpenPublished opens every layer with a published secret of X; the plaintexts come in
// the order of the layers. Its error wraps ErrLayers, ErrCiphertext, shamir.ErrEncoding
// or shamir.ErrProof, or is a *LayerError.
func OpenPublished(secret, x [32]byte, of Layers) ([][]byte, error) {
	if err := checkSecret(x, secret); err != nil {
		return nil, err
	}
	if err := of.Verify(x); err != nil {
		return nil, err
	}
	s, err := shamir.DecodeScalar(group, secret[:])
	if err != nil {
		return nil, err
	}
	plaintexts := make([][]byte, of.Len())
	for i := of.Len() - 1; i >= 0; i-- {
		at := of.all[i]
		if plaintexts[i], err = at.ct.open(group.Point().Mul(s, at.ct.u), at.label); err != nil {
			return nil, &LayerError{i}
		}
	}
	return plaintexts, nil
}
