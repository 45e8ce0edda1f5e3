//go:build unix

package oracle

import (
	"fmt"

	"go.dedis.ch/kyber/v3"
	"go.dedis.ch/kyber/v3/share"
	dkg3 "go.dedis.ch/kyber/v3/share/dkg/pedersen"
	vss3 "go.dedis.ch/kyber/v3/share/vss/pedersen"
	"go.dedis.ch/kyber/v3/sign/schnorr"
)

// stock3 is a world for the Pedersen ceremony of kyber v3.1.0 in which only member 0
// does what the protocol asks of it. The others' messages are what member 0 would
// receive, made with as little work as possible and off the clock.
type stock3 struct {
	suite vss3.Suite
	t     int
	sec   []kyber.Scalar
	pub   []kyber.Point
	old   *share.PriPoly // what a handover hands over
}

func newStock3(suite vss3.Suite, n, t int) *stock3 {
	s := &stock3{suite: suite, t: t, old: share.NewPriPoly(suite, t, nil, suite.RandomStream())}
	for range n {
		x := suite.Scalar().Pick(suite.RandomStream())
		s.sec, s.pub = append(s.sec, x), append(s.pub, suite.Point().Mul(x, nil))
	}
	return s
}

func (s *stock3) member(handover bool) (*dkg3.DistKeyGenerator, error) {
	if !handover {
		return dkg3.NewDistKeyGenerator(s.suite, s.sec[0], s.pub, s.t)
	}
	_, commits := s.old.Commit(nil).Info()
	return dkg3.NewDistKeyHandler(&dkg3.Config{
		Suite: s.suite, Longterm: s.sec[0], OldNodes: s.pub, NewNodes: s.pub, Threshold: s.t, OldThreshold: s.t,
		Share: &dkg3.DistKeyShare{Commits: commits, Share: s.old.Eval(0)},
	})
}

// deal is what dealer i sends to member 0.
func (s *stock3) deal(i int, handover bool) (*dkg3.Deal, error) {
	secret := s.suite.Scalar().Pick(s.suite.RandomStream())
	if handover {
		secret = s.old.Eval(i).V
	}
	dealer, err := vss3.NewDealer(s.suite, s.sec[i], secret, s.pub, s.t)
	if err != nil {
		return nil, err
	}
	d := &dkg3.Deal{Index: uint32(i)}
	if d.Deal, err = dealer.EncryptedDeal(0); err != nil {
		return nil, err
	}
	buff, err := d.MarshalBinary()
	if err != nil {
		return nil, err
	}
	d.Signature, err = schnorr.Sign(s.suite, s.sec[i], buff)
	return d, err
}

// ceremony is all that member 0 computes.
func (s *stock3) ceremony(c *clock, handover bool) error {
	var member *dkg3.DistKeyGenerator
	var own map[int]*dkg3.Deal
	var deals []*dkg3.Deal
	err := c.timed(func() (err error) {
		if member, err = s.member(handover); err == nil {
			own, err = member.Deals()
		}
		return err
	})
	if err != nil {
		return err
	}
	if handover {
		deals = append(deals, own[0]) // one who stays deals to itself
	}
	for i := 1; i < len(s.sec); i++ {
		d, err := s.deal(i, handover)
		if err != nil {
			return err
		}
		deals = append(deals, d)
	}
	err = c.timed(func() error {
		for _, d := range deals {
			if r, err := member.ProcessDeal(d); err != nil || !r.Response.Status {
				return fmt.Errorf("deal of %d: %w", d.Index, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	responses, err := s.responses(member, handover)
	if err != nil {
		return err
	}
	return c.timed(func() error {
		for _, r := range responses {
			if _, err := member.ProcessResponse(r); err != nil {
				return err
			}
		}
		_, err := member.DistKeyShare()
		return err
	})
}

// responses are everybody's approvals of everybody's deals.
func (s *stock3) responses(member *dkg3.DistKeyGenerator, handover bool) (out []*dkg3.Response, err error) {
	for i := range s.sec {
		session := member.Verifiers()[uint32(i)].SessionID()
		for j := 1; j < len(s.sec); j++ {
			if i == j && !handover {
				continue
			}
			r := &vss3.Response{SessionID: session, Index: uint32(j), Status: true}
			if r.Signature, err = schnorr.Sign(s.suite, s.sec[j], r.Hash(s.suite)); err != nil {
				return nil, err
			}
			out = append(out, &dkg3.Response{Index: uint32(i), Response: r})
		}
	}
	return out, nil
}
