package seal

import (
	"io"

	"github.com/atelier-dao/atelier/shamir"
)

// SealGarbage makes a ciphertext with a valid proof whose box fits no key: what a
// sealer can do that wants its order to fail at the opening.
func SealGarbage(rand io.Reader, x, label [32]byte, box []byte) (*Ciphertext, error) {
	r, err := shamir.RandomScalar(group, rand)
	if err != nil {
		return nil, err
	}
	s, err := shamir.RandomScalar(group, rand)
	if err != nil {
		return nil, err
	}
	c := &Ciphertext{u: group.Point().Mul(r, nil), uBar: group.Point().Mul(r, gBar), box: box}
	c.e = c.challenge(x, label, group.Point().Mul(s, nil), group.Point().Mul(s, gBar))
	c.f = group.Scalar().Add(s, group.Scalar().Mul(c.e, r))
	c.encoded = append(c.head(), c.box...)
	return c, nil
}
