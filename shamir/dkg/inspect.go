package dkg

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"

	"github.com/atelier-dao/atelier/shamir"
)

// inspect opens the own deals in the dealers' bundles, each once, and gives the verdict
// on each.
func (p *Party) inspect(l *Log, dealers []uint32) ([]verdict, error) {
	verdicts, unknown := make([]verdict, len(dealers)), make([]int, 0, len(dealers))
	for i, dealer := range dealers {
		v, ok := p.verdicts[*l.dealings[dealer-1].commit]
		if !ok {
			b, err := l.dealt(dealer)
			if err != nil {
				return nil, err
			}
			v.deal, v.err = b.decrypt(l.id, dealer, p.index, l.N(), p.dealPub, p.shared(b))
		}
		if verdicts[i] = v; !ok && v.err == nil {
			unknown = append(unknown, i)
		}
	}
	if err := p.check(l, dealers, verdicts, unknown); err != nil {
		return nil, err
	}
	for i, dealer := range dealers {
		p.verdicts[*l.dealings[dealer-1].commit] = verdicts[i]
	}
	return verdicts, nil
}

// check compares the deals at the places with their commitments: all together, and only
// if that fails one by one. The weights follow from the party's seed, so no dealer
// can have two deals whose errors cancel. One in 2³² may slip through all the same:
// KeyShare finds it, when it is too late for a dispute, and this member's share is lost.
func (p *Party) check(l *Log, dealers []uint32, verdicts []verdict, places []int) error {
	var weights []uint32
	var xs, ys []*shamir.Commitment
	var ofX, ofY []shamir.Share
	bundles := make([]*bundle, len(places))
	for k, i := range places {
		b, err := l.dealt(dealers[i])
		if err != nil {
			return err
		}
		bundles[k], weights = b, append(weights, p.weight(*l.dealings[dealers[i]-1].commit))
		xs, ofX = append(xs, b.x), append(ofX, shamir.NewShare(p.index, verdicts[i].deal.x))
		ys, ofY = append(ys, b.y), append(ofY, shamir.NewShare(p.index, verdicts[i].deal.y))
	}
	if len(places) > 1 && shamir.VerifyTogether(weights, xs, ofX) == nil && shamir.VerifyTogether(weights, ys, ofY) == nil {
		return nil
	}
	for k, i := range places {
		verdicts[i].err = bundles[k].check(dealers[i], p.index, verdicts[i].deal)
	}
	return nil
}

// weight is nobody's business but the party's, so SPEC.md does not know it.
func (p *Party) weight(commit [32]byte) uint32 {
	mac := hmac.New(sha256.New, p.seed[:])
	mac.Write(p.id[:])
	mac.Write(commit[:])
	return binary.BigEndian.Uint32(mac.Sum(nil))
}
