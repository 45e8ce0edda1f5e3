package attack

import (
	"bytes"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// accusing is an attack of members that deal in order and then accuse: what forge
// makes of a correct dispute about an honest dealer, by each of them, in each block
// of the dispute phase.
func accusing(name string, forge func(a *accusation) []byte) Attack {
	return accusingIn(name, func(w *World, c *Chance) *ceremony { return w.stageOf(w.fresh(), c, w.held(w.few())...) }, forge)
}

func accusingIn(name string, begin func(w *World, c *Chance) *ceremony, forge func(a *accusation) []byte) Attack {
	return Attack{name, Holder, func(w *World, c *Chance) Outcome {
		p := begin(w, c)
		p.run(func(p *ceremony, honest []post) []post {
			own := p.follow()
			if p.log.Phase() != dkg.PhaseDispute {
				return p.among(honest, own)
			}
			for _, place := range p.places() {
				if p.parties[place].Index() == 0 {
					continue // one who leaves has no name here
				}
				dealer := p.parties[pick(c, p.honestDealers())].Speaks(dkg.KindBundle)
				body := forge(p.accuse(place, dealer))
				own = append(own, post{p.parties[place].Index(), dkg.Message{Kind: dkg.KindDispute, Body: body}, true})
			}
			return p.among(honest, own)
		})
		return w.expects(p.settle(), refusedByLedger)
	}}
}

func disputers() []Attack {
	return []Attack{
		accusing("a member disputes an honest deal and reveals its true key", func(a *accusation) []byte { return a.bytes() }),
		accusing("a member disputes an honest deal with another key, and a proof for that key", func(a *accusation) []byte {
			a.key = a.p.Point(ristretto)
			return a.bytes()
		}),
		accusing("a member disputes with a proof of equality whose challenge is not hashed", func(a *accusation) []byte {
			// kyber's dleq took any two random scalars with commitments to match.
			var proof shamir.Proof
			copy(proof[:32], shamir.Encode(a.p.Scalar(ristretto)))
			copy(proof[32:], shamir.Encode(a.p.Scalar(ristretto)))
			return disputeBytes(a.dealer, shamir.Encode(a.p.Point(ristretto)), proof)
		}),
		accusing("a member disputes and reveals the identity or what is not canonical", func(a *accusation) []byte {
			b := a.bytes()
			return replace(b, badRistretto(a.p.Chance, b[2:34]), 2)
		}),
		accusing("a member disputes with the key of another dealer's deal", func(a *accusation) []byte {
			dealers := a.p.honestDealers()
			other := a.p.accuse(a.p.places()[0], a.p.parties[pick(a.p.Chance, dealers)].Index())
			other.dealer, other.commit, other.accuser, other.secret = a.dealer, a.commit, a.accuser, a.secret
			other.key = ristretto.Point().Mul(a.secret, other.base)
			if other.base.Equal(a.base) {
				other.key.Add(other.key, other.base)
			}
			return other.bytes()
		}),
		accusing("a member disputes with a proof of another ceremony", func(a *accusation) []byte {
			a.id = [32]byte(a.p.Bytes(32))
			return a.bytes()
		}),
		accusing("a member disputes in another member's name", func(a *accusation) []byte {
			a.accuser = a.accuser%uint32(a.p.log.N()) + 1
			return a.bytes()
		}),
		accusing("a member disputes with itself, with nobody, or with a dealer of no such index", func(a *accusation) []byte {
			b := a.bytes()
			i := pick(a.p.Chance, []uint32{0, a.accuser, uint32(a.p.log.N() + 1), 65535})
			return replace(b, []byte{byte(i >> 8), byte(i)}, 0)
		}),
		accusing("a member disputes in wrong shapes: nothing, a byte short, a byte more, a mebibyte", func(a *accusation) []byte {
			b := a.bytes()
			return pick(a.p.Chance, [][]byte{nil, {}, b[:len(b)-1], append(bytes.Clone(b), 0), make([]byte, 1<<20)})
		}),
		{"a dealer wrongs a member, and turns its dispute against an honest dealer", Dealer, turned},
		{"a dealer wrongs its accomplice, which disputes or does not", Dealer, accomplices},
		{"a dealer wrongs a member, and a bystander disputes for it", Dealer, bystander},
		{"a member disputes before and after the time for it", Holder, untimely},
	}
}

// turned copies the honest victim's dispute, which is public, and names others.
func turned(w *World, c *Chance) Outcome {
	p := w.stageOf(w.fresh(), c, w.held(w.few())...)
	liar := lie(wrongShare(0))
	p.run(func(p *ceremony, honest []post) []post {
		var own []post
		for _, q := range honest {
			if q.m.Kind != dkg.KindDispute {
				continue
			}
			dealer := p.parties[pick(c, p.honestDealers())].Index()
			for _, name := range p.names(dkg.KindDispute) {
				own = append(own, post{name, q.m, true},
					post{name, dkg.Message{Kind: dkg.KindDispute, Body: replace(bytes.Clone(q.m.Body), []byte{byte(dealer >> 8), byte(dealer)}, 0)}, true})
			}
		}
		return append(own, liar(p, honest)...)
	})
	return p.settle()
}

// accomplices wrong one of their own: if it disputes that, all convict those who did,
// and if it does not it has given up its share.
func accomplices(w *World, c *Chance) Outcome {
	p := w.stageOf(w.fresh(), c, w.held(w.pair())...)
	place := pick(c, p.places())
	accomplice := p.parties[place].Index()
	speaks := c.Percent(50)
	liar := lie(func(f *forgery) {
		f.plain = func(to uint32, b []byte) []byte {
			if to == accomplice {
				return c.Bytes(len(b))
			}
			return b
		}
	})
	p.run(func(p *ceremony, honest []post) []post {
		if p.log.Phase() != dkg.PhaseDispute {
			return liar(p, honest)
		}
		for _, dealer := range p.names(dkg.KindBundle) {
			if speaks && dealer != accomplice && !p.log.Spoke(accomplice, dkg.KindDispute) {
				body := p.accuse(place, dealer).bytes() // in its own writing
				honest = append(honest, post{accomplice, dkg.Message{Kind: dkg.KindDispute, Body: body}, true})
			}
		}
		return honest
	})
	outcome := p.settle()
	for _, dealer := range p.names(dkg.KindBundle) {
		convicted := slices.Contains(p.log.Culprits(), dkg.Culprit{Index: dealer, Reason: dkg.ReasonBadDeal})
		w.hold(convicted == (speaks && dealer != accomplice), "dealer %d is convicted: %t, its accomplice disputed: %t", dealer, convicted, speaks)
	}
	return outcome
}

// bystander disputes with its own deal, which is in order, before the victim does.
func bystander(w *World, c *Chance) Outcome {
	p := w.stageOf(w.fresh(), c, w.held(w.pair())...)
	places := p.places()
	liar, other := p.parties[places[0]].Index(), places[len(places)-1]
	script := lie(func(f *forgery) {
		if f.dealer == liar {
			wrongShare(32)(f)
		}
	})
	p.run(func(p *ceremony, honest []post) []post {
		block := script(p, honest)
		if p.log.Phase() == dkg.PhaseDispute && len(honest) > 0 {
			body := p.accuse(other, liar).bytes()
			block = append([]post{{p.parties[other].Index(), dkg.Message{Kind: dkg.KindDispute, Body: body}, true}}, block...)
		}
		return block
	})
	return p.settle()
}

// untimely disputes in every phase but the one for disputes.
func untimely(w *World, c *Chance) Outcome {
	p := w.stageOf(w.fresh(), c, w.held(w.few())...)
	p.run(func(p *ceremony, honest []post) []post {
		own := p.follow()
		for _, place := range p.places() {
			body := c.Bytes(98)
			if dealer := p.honestDealers()[0]; p.log.Phase() == dkg.PhaseAcknowledge {
				body = p.accuse(place, p.parties[dealer].Index()).bytes()
			}
			if p.log.Phase() != dkg.PhaseDispute {
				own = append(own, post{p.parties[place].Index(), dkg.Message{Kind: dkg.KindDispute, Body: body}, true})
			}
		}
		return append(own, honest...)
	})
	return p.settle()
}
