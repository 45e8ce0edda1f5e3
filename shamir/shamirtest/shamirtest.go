// Package shamirtest runs ceremonies of honest members at one height after the
// other, for the tests of the packages that need a committee with its shares.
package shamirtest

import (
	"fmt"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
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
