package attack

import (
	"bytes"
	"errors"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"go.dedis.ch/kyber/v3"
)

// handing is an attack of members who hand over.
func handing(name string, play func() script, want ...Outcome) Attack {
	return Attack{name, Dealer, func(w *World, c *Chance) Outcome {
		p := w.handing(c, w.few())
		p.run(play())
		return w.expects(p.settle(), append(want, Aborted)...)
	}}
}

// handing begins a handover of which the adversary holds some members that deal;
// those of them that stay are receivers too.
func (w *World) handing(c *Chance, bad int) *ceremony {
	s := w.handover()
	return w.stageOf(s, c, w.dealers(s)[:bad]...)
}

// dealsInstead deals, consistently and with proofs, other secrets than the share.
func dealsInstead(secrets func(f *forgery) (x, y kyber.Scalar)) func() script {
	return func() script {
		return lie(func(f *forgery) { f.fx[0], f.fy[0] = secrets(f) })
	}
}

func handovers() []Attack {
	var out []Attack
	for _, f := range forgeries {
		out = append(out, handing("in a handover, a dealer "+f.name, func() script { return lie(f.forge) }, LeftOut))
	}
	return append(out,
		handing("in a handover, a dealer deals a secret of its own choice", dealsInstead(func(f *forgery) (x, y kyber.Scalar) {
			return f.p.Scalar(ristretto), f.p.Scalar(shamir.G2)
		}), LeftOut),
		handing("in a handover, a dealer shifts one of the two keys by a known amount", dealsInstead(func(f *forgery) (x, y kyber.Scalar) {
			x, y = f.fx[0].Clone(), f.fy[0].Clone()
			if f.p.Percent(50) {
				return x.Add(x, ristretto.Scalar().One()), y
			}
			return x, y.Add(y, shamir.G2.Scalar().One())
		}), LeftOut),
		handing("in a handover, a dealer adds points of small order to its commitments to Y, in any positions but the first", func() script { return lie(smallOrder) }, NoEffect),
		handing("in a handover, a dealer deals the negative of its share", dealsInstead(func(f *forgery) (x, y kyber.Scalar) {
			x, y = f.fx[0].Clone(), f.fy[0].Clone()
			return x.Neg(x), y.Neg(y)
		}), LeftOut),
		handing("in a handover, a dealer deals its share of another epoch", func() script {
			return func(p *ceremony, honest []post) []post {
				return lie(func(f *forgery) {
					f.fx[0], f.fy[0] = p.refreshed().shares[f.dealer-1].Secrets(access.Token{})
				})(p, honest)
			}
		}, LeftOut),
		handing("in a handover, a dealer posts its bundle of an earlier attempt", func() script {
			return lie(func(f *forgery) { f.id = [32]byte(f.p.Bytes(32)); f.proofID = f.id })
		}, LeftOut),
		handing("in a handover, a dealer posts nothing", func() script { return silentFrom(dkg.KindCommit) }, LeftOut),
		handing("in a handover, a dealer commits and withholds its bundle", func() script { return silentFrom(dkg.KindBundle) }, LeftOut),
		handing("in a handover, a dealer commits to two bundles", func() script {
			return twice(dkg.KindCommit, func(p *ceremony, _ uint32, _ dkg.Message) []byte { return p.Bytes(32) })
		}, refusedByLedger),
		handing("in a handover, a dealer posts another bundle than it committed to", func() script { return swapped }, LeftOut),
		handing("in a handover, a dealer copies another's commitment and then its bundle", func() script { return copied }, LeftOut),
		handing("in a handover, a dealer uses another's ephemeral key", func() script { return sameEphemeral }, LeftOut),
		handing("in a handover, a dealer foresees another's bundle, and commits to it and posts it as its own", func() script { return stolen }, LeftOut),
		handing("in a handover, a dealer waits for the others' bundles and grinds its own", func() script { return grinding }, LeftOut),
		Attack{"more dealers fall silent in a handover than can be spared", Dealer, func(w *World, c *Chance) Outcome {
			p := w.handing(c, 1+w.spare())
			p.run(func(p *ceremony, honest []post) []post { return append(honest, p.follow(dkg.KindAck)...) })
			outcome := p.settle()
			w.hold(outcome == Aborted, "too few handed over: %s", outcome)
			return outcome
		}},
		Attack{"receivers do not acknowledge, and the committee of before stays in force", Holder, func(w *World, c *Chance) Outcome {
			s := w.handover()
			n := s.log.N()
			p := w.stageOf(s, c, c.Some(1+n-dkg.MinAcknowledgements(n, shamir.Threshold(n)), n)...)
			p.run(func(p *ceremony, honest []post) []post {
				return append(honest, p.follow(dkg.KindCommit, dkg.KindBundle)...)
			})
			outcome := p.settle()
			w.hold(outcome == Aborted, "too few proved their shares: %s", outcome)
			return outcome
		}},
		Attack{"t-1 members of before and t-1 of now pool all their shares", Holder, colluders},
		Attack{"a ceremony is broken off and begun again, to see two polynomials through one share", Aggregator, repeated},
		Attack{"a handover is opened from a committee that is not in force", Aggregator, mixedEpochs},
	)
}

// colluders keep to the protocol and put together what they have.
func colluders(w *World, c *Chance) Outcome {
	s := w.handover()
	p := w.stageOf(s, c, c.Some(shamir.Threshold(s.log.N())-1, s.log.N())...)
	p.run(func(p *ceremony, honest []post) []post { return append(honest, p.follow()...) })
	return p.settle()
}

// repeated compares what an honest dealer deals in two attempts: nothing may be the
// same but the commitment to the secret of a handover.
func repeated(w *World, c *Chance) Outcome {
	s := pick(c, []*stage{w.fresh(), w.handover()})
	one := w.stageOf(s, c)
	place := pick(c, one.honestDealers())
	two := w.stageOf(s, c)
	two.log = must[*dkg.Log](w)(dkg.NewLog(s.log.Params(), 2))
	two.stage = &stage{log: two.log, before: s.before}
	two.parties[place] = s.again(place)
	a, b := one.foreseen(place), two.foreseen(place)
	t := s.log.Params().Threshold
	w.hold(bytes.Equal(a[:32], b[:32]) == (s.before != nil), "a dealer of two attempts has one secret only where it hands over")
	for k := 1; k < t; k++ {
		from, to := xAt(k)
		w.hold(!bytes.Equal(a[from:to], b[from:to]), "coefficient %d of X is dealt twice", k)
		from, to = yAt(t, k)
		w.hold(!bytes.Equal(a[from:to], b[from:to]), "coefficient %d of Y is dealt twice", k)
	}
	from, to := ephAt(t)
	w.hold(!bytes.Equal(a[from:to], b[from:to]), "an ephemeral key is used twice")
	return NoEffect
}

// mixedEpochs opens ceremonies that hand over from committees whose shares nobody
// holds: of another network, and of the same keys an epoch later. Nobody who holds
// a share deals it there.
func mixedEpochs(w *World, _ *Chance) Outcome {
	from := w.inForce()
	for _, of := range []*committee{w.elsewhere(), w.refreshed()} {
		l, parties, err := shamirtest.OpenHandover(w.name, of.Committee, of.shares, w.n, w.n)
		w.must(err)
		for i := range parties {
			p := must[*dkg.Party](w)(dkg.NewHandoverParty(from.shares[i], uint32(i+1), shamirtest.Seed(w.name, of.Epoch()+1, uint32(i+1))))
			messages, err := p.Step(l.Deadline(), l)
			w.hold(len(messages) == 0, "a member deals its share in a handover from another committee")
			w.hold(errors.Is(err, dkg.ErrShareLost) || errors.Is(err, dkg.ErrNotMember), "no refusal: %v", err)
		}
	}
	return RefusedBy("the members")
}
