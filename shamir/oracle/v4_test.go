//go:build unix

package oracle

import (
	"crypto/sha256"
	"fmt"

	kyber4 "go.dedis.ch/kyber/v4"
	"go.dedis.ch/kyber/v4/encrypt/ecies"
	"go.dedis.ch/kyber/v4/pairing"
	share4 "go.dedis.ch/kyber/v4/share"
	dkg4 "go.dedis.ch/kyber/v4/share/dkg/pedersen"
	schnorr4 "go.dedis.ch/kyber/v4/sign/schnorr"
)

// suite4 is what the ceremony of kyber v4 asks of a group.
type suite4 interface {
	kyber4.Group
	kyber4.HashFactory
	kyber4.XOFFactory
	kyber4.Random
}

// keyGroup4 is G2 of a pairing suite as such a group.
type keyGroup4 struct {
	kyber4.Group
	pairing.Suite
}

func (g keyGroup4) String() string        { return g.Group.String() }
func (g keyGroup4) Scalar() kyber4.Scalar { return g.Group.Scalar() }
func (g keyGroup4) Point() kyber4.Point   { return g.Group.Point() }

// stock4 is a world for the ceremony of kyber v4.0.2, of which member 0 is measured.
// All dealers deal one polynomial, but for its constant term in a handover: the
// receiver's work is the same, and the benchmark's is not n times as much.
type stock4 struct {
	suite suite4
	t     int
	sec   []kyber4.Scalar
	nodes []dkg4.Node
	nonce []byte
	old   *share4.PriPoly
	poly  *share4.PriPoly
}

func newStock4(suite suite4, n, t int) *stock4 {
	s := &stock4{suite: suite, t: t, nonce: dkg4.GetNonce()}
	s.old = share4.NewPriPoly(suite, uint32(t), nil, suite.RandomStream())
	s.poly = share4.NewPriPoly(suite, uint32(t), nil, suite.RandomStream())
	for i := range n {
		x := suite.Scalar().Pick(suite.RandomStream())
		s.sec = append(s.sec, x)
		s.nodes = append(s.nodes, dkg4.Node{Index: uint32(i), Public: suite.Point().Mul(x, nil)})
	}
	return s
}

func (s *stock4) config(handover bool) *dkg4.Config {
	c := &dkg4.Config{
		Suite: s.suite, Longterm: s.sec[0], NewNodes: s.nodes, Threshold: uint32(s.t), Nonce: s.nonce,
		Auth: schnorr4.NewScheme(s.suite),
	}
	if handover {
		_, commits := s.old.Commit(nil).Info()
		c.OldNodes, c.OldThreshold = s.nodes, uint32(s.t)
		c.Share = &dkg4.DistKeyShare{Commits: commits, Share: s.old.Eval(0)}
	}
	return c
}

// received is a dealer's bundle as it arrives, with the points still encoded.
type received struct {
	bundle *dkg4.DealBundle
	points [][]byte
}

// bundles are those of dealers 1 and more, with the deal to member 0 alone: it skips
// the others.
func (s *stock4) bundles(handover bool) (out []received, err error) {
	_, common := s.poly.Commit(nil).Info()
	value := s.poly.Eval(0).V
	for i := 1; i < len(s.sec); i++ {
		public, deal := append([]kyber4.Point(nil), common...), value.Clone()
		if handover { // the constant term is the share handed over
			secret := s.old.Eval(uint32(i)).V
			public[0] = s.suite.Point().Mul(secret, nil)
			deal.Add(deal.Sub(deal, s.poly.Secret()), secret)
		}
		plain, err := deal.MarshalBinary()
		if err != nil {
			return nil, err
		}
		sealed, err := ecies.Encrypt(s.suite, s.nodes[0].Public, plain, sha256.New)
		if err != nil {
			return nil, err
		}
		r := received{bundle: &dkg4.DealBundle{
			DealerIndex: uint32(i), Public: public, SessionID: s.nonce,
			Deals: []dkg4.Deal{{ShareIndex: 0, EncryptedShare: sealed}},
		}}
		hash, err := r.bundle.Hash()
		if err != nil {
			return nil, err
		}
		if r.bundle.Signature, err = schnorr4.NewScheme(s.suite).Sign(s.sec[i], hash); err != nil {
			return nil, err
		}
		for _, p := range public {
			b, err := p.MarshalBinary()
			if err != nil {
				return nil, err
			}
			r.points = append(r.points, b)
		}
		out = append(out, r)
	}
	return out, nil
}

// ceremony is all that member 0 computes, decoding what arrives included.
func (s *stock4) ceremony(c *clock, handover bool) error {
	config := s.config(handover)
	arriving, err := s.bundles(handover)
	if err != nil {
		return err
	}
	return c.timed(func() error {
		member, err := dkg4.NewDistKeyHandler(config)
		if err != nil {
			return err
		}
		own, err := member.Deals()
		if err != nil {
			return err
		}
		bundles := []*dkg4.DealBundle{own}
		for _, r := range arriving {
			for k, b := range r.points {
				p := s.suite.Point()
				if err := p.UnmarshalBinary(b); err != nil {
					return err
				}
				r.bundle.Public[k] = p
			}
			if err := dkg4.VerifyPacketSignature(config, r.bundle); err != nil {
				return err
			}
			bundles = append(bundles, r.bundle)
		}
		if complaints, err := member.ProcessDeals(bundles); err != nil || complaints != nil {
			return fmt.Errorf("complaints %v: %w", complaints, err)
		}
		result, _, err := member.ProcessResponses(nil)
		if err == nil && result == nil {
			err = fmt.Errorf("no result")
		}
		return err
	})
}
