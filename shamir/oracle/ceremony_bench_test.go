//go:build unix

package oracle

import (
	"fmt"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	edwards3 "go.dedis.ch/kyber/v3/group/edwards25519"
	pairing3 "go.dedis.ch/kyber/v3/pairing"
	edwards4 "go.dedis.ch/kyber/v4/group/edwards25519"
	"go.dedis.ch/kyber/v4/pairing/bls12381/circl"
)

// ceremony is what the last member of n computes in one of our ceremonies, with the
// ledger's checks of everybody's messages, which every member makes. Stock kyber's
// member makes one key; ours makes both. There is no ledger in kyber's figures.
func ceremony(c *clock, n int, handover bool) error {
	committee, shares, err := shamirtest.Dealt("oracle", 1, n)
	if err != nil {
		return err
	}
	l, parties, err := shamirtest.Open("oracle", 1, n, shamir.Threshold(n))
	if handover {
		l, parties, err = shamirtest.OpenHandover("oracle", committee, shares, n, n)
	}
	if err != nil {
		return err
	}
	dealers := make([]shamirtest.Dealer, n)
	for i := range dealers {
		dealers[i].Seed = shamirtest.Seed("oracle", l.Params().Epoch, uint32(i+1))
		if handover {
			dealers[i].Share = shares[i]
		}
	}
	last := parties[n-1]
	for height := uint64(1); l.Phase() < dkg.PhaseActive; height++ {
		if err := block(c, height, l, parties, dealers); err != nil {
			return err
		}
	}
	return c.timed(func() error { _, err := last.KeyShare(l); return err })
}

// block has everybody speak and the log take it.
func block(c *clock, height uint64, l *dkg.Log, parties []*dkg.Party, dealers []shamirtest.Dealer) error {
	n := len(parties)
	said := make([][]dkg.Message, n)
	err := c.timed(func() (err error) { said[n-1], err = parties[n-1].Step(height, l); return err })
	if err != nil {
		return err
	}
	switch l.Phase() {
	case dkg.PhaseCommit, dkg.PhaseBundle:
		for i, p := range parties[:n-1] {
			if said[i], err = p.Step(height, l); err != nil {
				return err
			}
		}
	case dkg.PhaseAcknowledge:
		acks, err := shamirtest.Acknowledgements(l, dealers)
		if err != nil {
			return err
		}
		for i := range acks[:n-1] {
			said[i] = acks[i : i+1]
		}
	}
	return c.timed(func() error {
		for i, messages := range said {
			for _, m := range messages {
				if err := l.Apply(height, uint32(i+1), m); err != nil {
					return err
				}
			}
		}
		l.EndBlock(height)
		return nil
	})
}

func BenchmarkCeremony(b *testing.B) { ceremonies(b, "ceremony, both keys", false) }
func BenchmarkHandover(b *testing.B) { ceremonies(b, "handover, both keys", true) }

func ceremonies(b *testing.B, job string, handover bool) {
	suite := circl.NewSuiteBLS12381()
	for _, n := range sizes {
		t := shamir.Threshold(n)
		contenders := []contender{
			{ours, func(c *clock) error { return ceremony(c, n, handover) }},
			{"v3 ed25519", func(c *clock) error {
				return newStock3(edwards3.NewBlakeSHA256Ed25519(), n, t).ceremony(c, handover)
			}},
			{"v4 ed25519", func(c *clock) error {
				return newStock4(edwards4.NewBlakeSHA256Ed25519(), n, t).ceremony(c, handover)
			}},
		}
		// Beyond these sizes a pairing group takes minutes, some of it to prepare.
		if n <= 64 {
			contenders = append(contenders, contender{"v3 bn256 G2", func(c *clock) error {
				return newStock3(pairing3.NewSuiteBn256(), n, t).ceremony(c, handover)
			}})
		}
		if n <= 64 || n <= 128 && !handover {
			contenders = append(contenders, contender{"v4 circl G2", func(c *clock) error {
				return newStock4(keyGroup4{suite.G2(), suite}, n, t).ceremony(c, handover)
			}})
		}
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) { compare(b, job, n, contenders...) })
	}
}
