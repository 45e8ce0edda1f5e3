//go:build unix

package oracle

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/smartcontractkit/tdh2/go/tdh2/lib/group/nist"
	"github.com/smartcontractkit/tdh2/go/tdh2/tdh2"
	"github.com/stretchr/testify/require"
	kyber3 "go.dedis.ch/kyber/v3"
	edwards3 "go.dedis.ch/kyber/v3/group/edwards25519"
	pvss3 "go.dedis.ch/kyber/v3/share/pvss"
	random3 "go.dedis.ch/kyber/v3/util/random"
)

// BenchmarkRelease is a decryption share: made, checked, and t of them combined with
// every one checked. Ours is blinded for one reader and bound to a certificate, which
// costs two multiplications and a proof of three equations; tdh2's share goes to
// whoever collects. Kyber has no threshold decryption; a share of its publicly
// verifiable secret sharing, decrypted with a proof, is the nearest. Each member checks
// what it is asked to decrypt first, as theirs ask of the caller.
func BenchmarkRelease(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			w, err := newWorld(n)
			require.NoError(b, err)
			shares, err := w.releases()
			require.NoError(b, err)
			one := []contender{quick(ours, func() error { _, err := w.release(w.shares[0]); return err })}
			check := []contender{quick(ours, func() error {
				_, err := seal.VerifyRelease(w.committee, seal.NewLayers(h("label"), w.ct), w.cert, w.reader, shares[0])
				return err
			})}
			combine := []contender{quick(ours, func() error {
				plain, _, err := seal.CombineRelease(w.secret, w.committee, seal.NewLayers(h("label"), w.ct), w.cert, w.reader, shares)
				if err == nil && !bytes.Equal(plain[0], fileKey) {
					err = errors.New("another plaintext")
				}
				return err
			})}

			c, err := newChainlink(n, w.committee.T())
			require.NoError(b, err)
			one = append(one, quick("tdh2", func() error { _, err := c.share(0); return err }))
			check = append(check, quick("tdh2", func() error {
				return errors.Join(c.ct.Verify(c.public), tdh2.VerifyShare(c.public, c.ct, c.shares[0]))
			}))
			combine = append(combine, quick("tdh2", func() error {
				_, err := c.combine(c.shares)
				return err
			}))

			p, err := newSharing(n, w.committee.T())
			require.NoError(b, err)
			one = append(one, quick("v3 pvss", func() error { _, err := p.share(0); return err }))
			check = append(check, quick("v3 pvss", func() error {
				return pvss3.VerifyDecShare(p.suite, p.suite.Point().Base(), p.keys[0], p.sealed[0], p.opened[0])
			}))
			combine = append(combine, quick("v3 pvss", func() error {
				_, err := pvss3.RecoverSecret(p.suite, p.suite.Point().Base(), p.keys[:p.t], p.sealed[:p.t], p.opened, p.t, n)
				return err
			}))
			compare(b, "share, make", n, one...)
			compare(b, "share, check", n, check...)
			compare(b, "shares, check and combine", n, combine...)
		})
	}
}

// chainlink is a committee of tdh2 with a ciphertext.
type chainlink struct {
	k, n    int
	public  *tdh2.PublicKey
	private []*tdh2.PrivateShare
	ct      *tdh2.Ciphertext
	shares  []*tdh2.DecryptionShare
}

func newChainlink(n, t int) (*chainlink, error) {
	c := &chainlink{k: t, n: n}
	stream := random3.New(seeded("tdh2"))
	var err error
	if _, c.public, c.private, err = tdh2.GenerateKeys(nist.NewP256(), nil, t, n, stream); err != nil {
		return nil, err
	}
	label := h("label")
	if c.ct, err = tdh2.Encrypt(c.public, fileKey, label[:], stream); err != nil {
		return nil, err
	}
	for i := range t {
		s, err := c.share(i)
		if err != nil {
			return nil, err
		}
		c.shares = append(c.shares, s)
	}
	return c, nil
}

func (c *chainlink) share(i int) (*tdh2.DecryptionShare, error) {
	if err := c.ct.Verify(c.public); err != nil {
		return nil, err
	}
	return c.ct.Decrypt(nist.NewP256(), c.private[i], random3.New(seeded("tdh2 share", i)))
}

func (c *chainlink) combine(shares []*tdh2.DecryptionShare) ([]byte, error) {
	if err := c.ct.Verify(c.public); err != nil {
		return nil, err
	}
	for _, s := range shares {
		if err := tdh2.VerifyShare(c.public, c.ct, s); err != nil {
			return nil, err
		}
	}
	return c.ct.CombineShares(nist.NewP256(), shares, c.k, c.n)
}

// sharing is a secret that kyber v3's pvss shares.
type sharing struct {
	suite  *edwards3.SuiteEd25519
	t      int
	h      kyber3.Point
	x      []kyber3.Scalar
	keys   []kyber3.Point
	public []kyber3.Point
	sealed []*pvss3.PubVerShare
	opened []*pvss3.PubVerShare
}

func newSharing(n, t int) (*sharing, error) {
	s := &sharing{suite: edwards3.NewBlakeSHA256Ed25519WithRand(random3.New(seeded("pvss"))), t: t}
	s.h = s.suite.Point().Pick(s.suite.XOF([]byte("H")))
	for range n {
		x := s.suite.Scalar().Pick(s.suite.RandomStream())
		s.x, s.keys = append(s.x, x), append(s.keys, s.suite.Point().Mul(x, nil))
	}
	secret := s.suite.Scalar().Pick(s.suite.RandomStream())
	sealed, commit, err := pvss3.EncShares(s.suite, s.h, s.keys, secret, t)
	if err != nil {
		return nil, err
	}
	s.sealed = sealed
	for i := range n {
		s.public = append(s.public, commit.Eval(i).V)
	}
	for i := range t {
		o, err := s.share(i)
		if err != nil {
			return nil, err
		}
		s.opened = append(s.opened, o)
	}
	return s, nil
}

func (s *sharing) share(i int) (*pvss3.PubVerShare, error) {
	return pvss3.DecShare(s.suite, s.h, s.keys[i], s.public[i], s.x[i], s.sealed[i])
}
