// Package shamirtest runs ceremonies of honest members at one height after the
// other, for the tests of the packages that need a committee with its shares.
package shamirtest

import (
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"go.dedis.ch/kyber/v3"
)

// Seed is the secret seed of the member of a named test ceremony.
func Seed(name string, epoch uint64, index uint32) [32]byte {
	return shamir.Hash("test seed", []byte(name), shamir.Uint64(epoch), shamir.Uint64(uint64(index)))
}

// Open is the log of a fresh ceremony of n members, and their parties.
func Open(name string, epoch uint64, n, threshold int) (*dkg.Log, []*dkg.Party, error) {
	p := dkg.Params{
		Epoch: epoch, Threshold: threshold,
		Session:   dkg.Session(shamir.Hash("test chain", []byte(name)), epoch, [32]byte{}, 0),
		Deadlines: dkg.Deadlines{Commit: 4, Bundle: 4, Dispute: 2, Acknowledge: 4},
	}
	parties := make([]*dkg.Party, n)
	for i := range parties {
		party, err := dkg.NewParty(uint32(i+1), Seed(name, epoch, uint32(i+1)))
		if err != nil {
			return nil, nil, err
		}
		parties[i] = party
		p.DealKeys = append(p.DealKeys, party.DealKey())
	}
	l, err := dkg.NewLog(p, 1)
	return l, parties, err
}

// OpenHandover is the log of a ceremony in which the committee hands over to n
// members, of whom the first are members 1..stay of before; and the parties: of
// the n members in order, then of those who leave. Seeds are those of the next
// epoch, by index; one who leaves has its old one.
func OpenHandover(name string, from *shamir.Committee, shares []*shamir.KeyShare, n, stay int) (*dkg.Log, []*dkg.Party, error) {
	epoch := from.Epoch() + 1
	p := dkg.Params{
		Epoch: epoch, Threshold: shamir.Threshold(n), Previous: from,
		Session:   dkg.Session(shamir.Hash("test chain", []byte(name)), epoch, from.Digest(), 0),
		Deadlines: dkg.Deadlines{Commit: 4, Bundle: 4, Dispute: 2, Acknowledge: 4},
	}
	parties := make([]*dkg.Party, n, n+len(shares))
	for i := range parties {
		party, err := HandoverParty(name, from, shares, n, stay, i)
		if err != nil {
			return nil, nil, err
		}
		parties[i] = party
		p.DealKeys = append(p.DealKeys, party.DealKey())
	}
	for i := n; i < n+len(shares)-stay; i++ {
		party, err := HandoverParty(name, from, shares, n, stay, i)
		if err != nil {
			return nil, nil, err
		}
		parties = append(parties, party)
	}
	l, err := dkg.NewLog(p, 1)
	return l, parties, err
}

// HandoverParty is the i-th party of OpenHandover, from 0, made anew.
func HandoverParty(name string, from *shamir.Committee, shares []*shamir.KeyShare, n, stay, i int) (*dkg.Party, error) {
	switch index := uint32(i + 1); {
	case i < stay:
		return dkg.NewHandoverParty(shares[i], index, Seed(name, from.Epoch()+1, index))
	case i < n:
		return dkg.NewHandoverParty(nil, index, Seed(name, from.Epoch()+1, index))
	default:
		leaver := shares[stay+i-n]
		return dkg.NewHandoverParty(leaver, 0, Seed(name, from.Epoch(), leaver.Index()))
	}
}

// Run makes a committee of n members with the usual threshold, and its shares.
func Run(name string, epoch uint64, n int) (*shamir.Committee, []*shamir.KeyShare, error) {
	l, parties, err := Open(name, epoch, n, shamir.Threshold(n))
	if err != nil {
		return nil, nil, err
	}
	if err := Finish(l, parties); err != nil {
		return nil, nil, err
	}
	c, err := l.Committee()
	if err != nil {
		return nil, nil, err
	}
	shares := make([]*shamir.KeyShare, n)
	for i, p := range parties {
		if shares[i], err = p.KeyShare(l); err != nil {
			return nil, nil, err
		}
	}
	return c, shares, nil
}

// Finish takes a ceremony of honest members to its end.
func Finish(l *dkg.Log, parties []*dkg.Party) error {
	for height := uint64(1); l.Phase() != dkg.PhaseActive; height++ {
		if height > 100 || l.Phase() == dkg.PhaseAborted {
			return fmt.Errorf("ceremony is %s at height %d", l.Phase(), height)
		}
		for _, p := range parties {
			messages, err := p.Step(height, l)
			if err != nil {
				return err
			}
			for _, m := range messages {
				if err := l.Apply(height, p.Speaks(m.Kind), m); err != nil {
					return err
				}
			}
		}
		l.EndBlock(height)
	}
	return nil
}

// Dealt makes a committee of n members by a dealer who knows everything, without a
// ceremony: what large committees are made with in a moment.
func Dealt(name string, epoch uint64, n int) (*shamir.Committee, []*shamir.KeyShare, error) {
	var polynomials [2]*shamir.Polynomial
	for key, g := range []shamir.Group{shamir.Ristretto255, shamir.G2} {
		coefficients := make([]kyber.Scalar, shamir.Threshold(n))
		for k := range coefficients {
			coefficients[k] = shamir.HashScalar(g, "test dealer", []byte(name), shamir.Uint64(epoch), shamir.Uint64(uint64(k)))
		}
		p, err := shamir.NewPolynomial(g, coefficients)
		if err != nil {
			return nil, nil, err
		}
		polynomials[key] = p
	}
	x, y := polynomials[0], polynomials[1]
	c, err := shamir.NewCommittee(epoch, shamir.Hash("test session", []byte(name)), n, x.Commit(), y.Commit())
	if err != nil {
		return nil, nil, err
	}
	shares := make([]*shamir.KeyShare, n)
	for i := range shares {
		index := uint32(i + 1)
		if shares[i], err = shamir.NewKeyShare(index, epoch, x.Share(index).Value(), y.Share(index).Value()); err != nil {
			return nil, nil, err
		}
	}
	return c, shares, nil
}

// Dealer is a dealer's secret side: its seed, and in a handover what it hands over.
type Dealer struct {
	Seed  [32]byte
	Share *shamir.KeyShare
}

// Acknowledgements are what members 1..n post in the acknowledge phase, in their
// order, made by somebody who knows every dealer's secrets, dealer i's at i-1. It
// evaluates the qualified dealers' polynomials as SPEC.md derives them instead of
// opening n bundles for each of n members, so that a benchmark of one member need not
// wait for the work of all.
func Acknowledgements(l *dkg.Log, dealers []Dealer) ([]dkg.Message, error) {
	c, err := l.Candidate()
	if err != nil {
		return nil, err
	}
	out := make([]dkg.Message, c.N())
	id, digest := l.ID(), c.Digest()
	for key, g := range []shamir.Group{shamir.Ristretto255, shamir.G2} {
		f, err := together(l, dealers, key, c.T())
		if err != nil {
			return nil, err
		}
		for j := range out {
			index := uint32(j + 1)
			ctx := shamir.Hash("ack", id[:], digest[:], shamir.Uint64(uint64(index)))
			proof, err := shamir.ProvePossession(nil, g, ctx[:], f.Share(index).Value())
			if err != nil {
				return nil, err
			}
			out[j].Kind, out[j].Body = dkg.KindAck, append(out[j].Body, proof[:]...)
		}
	}
	return out, nil
}

// together is the polynomial of key X (0) or Y (1) that the qualified dealers make.
func together(l *dkg.Log, dealers []Dealer, key, threshold int) (*shamir.Polynomial, error) {
	g, what := shamir.Ristretto255, "dealer/x"
	if key == 1 {
		g, what = shamir.G2, "dealer/y"
	}
	var weights []kyber.Scalar
	qualified, id := l.Qualified(), l.ID()
	if l.Params().Previous != nil {
		var err error
		if weights, err = shamir.Lagrange(g, qualified); err != nil {
			return nil, err
		}
	}
	sum := make([]kyber.Scalar, threshold)
	for k := range sum {
		sum[k] = g.Scalar().Zero()
		for i, dealer := range qualified {
			d := dealers[dealer-1]
			a := shamir.HashScalar(g, what, d.Seed[:], id[:], shamir.Uint64(uint64(dealer)), shamir.Uint64(uint64(k)))
			if k == 0 && d.Share != nil {
				x, y := d.Share.Secrets(access.Token{})
				if a = x; key == 1 {
					a = y
				}
			}
			if weights != nil {
				a = g.Scalar().Mul(a, weights[i])
			}
			sum[k].Add(sum[k], a)
		}
	}
	return shamir.NewPolynomial(g, sum)
}
