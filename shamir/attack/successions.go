package attack

import (
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"go.dedis.ch/kyber/v3"
)

// leaving begins a handover of which the adversary holds members that leave; where
// nobody leaves, members that stay.
func (w *World) leaving(c *Chance) *ceremony {
	s := w.handover()
	var leavers []int
	for place, party := range s.parties {
		if party.Index() == 0 {
			leavers = append(leavers, place)
		}
	}
	if len(leavers) == 0 {
		return w.handing(c, w.few())
	}
	return w.stageOf(s, c, w.inTurn(leavers)[:min(len(leavers), w.few())]...)
}

// receiving begins a handover of which the adversary holds members that receive: those
// who join, if somebody does.
func (w *World) receiving(c *Chance) *ceremony {
	s := w.handover()
	var all, joiners []int
	for place, party := range s.parties {
		if party.Index() != 0 {
			all = append(all, place)
			if party.Speaks(dkg.KindBundle) == 0 {
				joiners = append(joiners, place)
			}
		}
	}
	if len(joiners) > 0 {
		all = joiners
	}
	return w.stageOf(s, c, w.inTurn(all)[:min(len(all), w.few())]...)
}

func leaving(name string, play func() script, want ...Outcome) Attack {
	return Attack{name, Dealer, func(w *World, c *Chance) Outcome {
		p := w.leaving(c)
		p.run(play())
		return w.expects(p.settle(), append(want, Aborted)...)
	}}
}

func successions() []Attack {
	receiving := (*World).receiving
	return []Attack{
		leaving("a member that leaves does not hand over", func() script { return silentFrom(dkg.KindCommit) }, LeftOut),
		leaving("a member that leaves commits and withholds its bundle", func() script { return silentFrom(dkg.KindBundle) }, LeftOut),
		leaving("a member that leaves deals everybody nonsense", func() script {
			return lie(func(f *forgery) { f.plain = func(_ uint32, b []byte) []byte { return f.p.Bytes(len(b)) } })
		}, LeftOut),
		leaving("a member that leaves deals those who join wrong shares, or somebody if none does", func() script {
			return lie(func(f *forgery) {
				victim := f.p.victim(f.dealer)
				f.plain = func(to uint32, b []byte) []byte {
					if to == victim || f.p.joins(to) {
						return replace(b, shamir.Encode(f.p.Scalar(ristretto)), 0)
					}
					return b
				}
			})
		}, LeftOut),
		leaving("a member that leaves speaks where only those who receive may", func() script {
			return func(p *ceremony, honest []post) []post {
				own := p.follow()
				for _, q := range honest {
					if q.m.Kind == dkg.KindAck || q.m.Kind == dkg.KindDispute {
						for _, from := range []uint32{0, uint32(p.log.N() + 1), 1<<32 - 1} {
							own = append(own, post{from, q.m, true})
						}
					}
				}
				return append(own, honest...)
			}
		}, refusedByLedger, NoEffect),
		{"in a handover, dealers deal one member wrong shares whose errors cancel in their sum", Dealer, func(w *World, c *Chance) Outcome {
			p := w.handing(c, w.pair())
			p.run(lie(cancelling))
			return w.expects(p.settle(), LeftOut, Aborted)
		}},
		handing("in a handover, a dealer posts a second bundle after the first", func() script {
			return twice(dkg.KindBundle, func(p *ceremony, name uint32, _ dkg.Message) []byte { return p.begin(name).bytes() })
		}, refusedByLedger),
		acknowledgingIn("in a handover, a receiver acknowledges without a share, with random proofs", receiving, randomProofs),
		acknowledgingIn("in a handover, a receiver acknowledges with another's proofs", receiving, anothersProofs),
		acknowledgingIn("in a handover, a receiver proves an old member's share instead of its new one", receiving, proofsOf(func(p *ceremony, from uint32) (x, y kyber.Scalar) {
			before := p.stage.before.shares
			return before[int(from-1)%len(before)].Secrets(access.Token{})
		})),
		acknowledgingIn("in a handover, a receiver proves the one deal of an accomplice", receiving, proofsOf(func(p *ceremony, from uint32) (x, y kyber.Scalar) {
			f := p.begin(1)
			return polynomial(ristretto, f.fx).Share(from).Value(), polynomial(shamir.G2, f.fy).Share(from).Value()
		})),
		accusingIn("in a handover, a receiver disputes an honest deal and reveals its true key", receiving, func(a *accusation) []byte { return a.bytes() }),
		accusingIn("in a handover, a receiver disputes with another key, or as if it were a dealer's name", receiving, func(a *accusation) []byte {
			if a.p.Percent(50) {
				a.key = a.p.Point(ristretto)
			} else {
				own := a.accuser
				if a.accuser = a.dealer%uint32(a.p.log.N()) + 1; a.accuser == own {
					a.accuser = own%uint32(a.p.log.N()) + 1
				}
			}
			return a.bytes()
		}),
		{"a member that joins brings a deal key that it does not possess", Holder, joining},
	}
}

// joins says whether a receiver was no member before.
func (p *ceremony) joins(index uint32) bool { return int(index) > p.stage.stay }

// joining brings keys with proofs that are another's, of another time or place, or made
// up, to a ledger that has an honest member's key and proof in its sight.
func joining(w *World, c *Chance) Outcome {
	chain, epoch := [32]byte(c.Bytes(32)), uint64(2+c.IntN(100))
	victim, own := uint32(1+c.IntN(w.n)), uint32(w.n+1)
	prove := func(chain [32]byte, epoch uint64, index uint32) ([32]byte, shamir.Proof) {
		seed := shamirtest.Seed(w.name, epoch, index)
		return dkg.DealKey(seed), must[shamir.Proof](w)(dkg.ProveDealKey(seed, chain, epoch, index))
	}
	key, proof := prove(chain, epoch, victim)
	w.must(dkg.VerifyDealKey(key, chain, epoch, victim, proof))
	mine, possession := prove(chain, epoch, own)
	w.must(dkg.VerifyDealKey(mine, chain, epoch, own, possession))

	point := func(k [32]byte) kyber.Point { return must[kyber.Point](w)(shamir.DecodePoint(ristretto, k[:])) }
	brings := func(k [32]byte, p shamir.Proof) {
		w.hold(dkg.VerifyDealKey(k, chain, epoch, own, p) != nil, "a member brings the key %x, which it does not possess", k)
	}
	brings(key, proof)
	brings(key, possession)
	brings(mine, proof)
	brings([32]byte(shamir.Encode(ristretto.Point().Add(point(key), point(mine)))), possession)
	brings([32]byte(shamir.Encode(ristretto.Point().Neg(point(key)))), proof)
	brings([32]byte(badRistretto(c, mine[:])), possession)
	var random shamir.Proof
	copy(random[:], append(shamir.Encode(c.Scalar(ristretto)), shamir.Encode(c.Scalar(ristretto))...))
	brings(key, random)
	brings(key, shamir.Proof{})
	half := 32 * c.IntN(2)
	unreduced := possession
	copy(unreduced[half:], badScalar(ristretto, possession[half:half+32]))
	brings(mine, unreduced)
	seed := shamirtest.Seed(w.name, epoch, own)
	for _, other := range []func() (shamir.Proof, error){
		func() (shamir.Proof, error) { return dkg.ProveDealKey(seed, [32]byte(c.Bytes(32)), epoch, own) },
		func() (shamir.Proof, error) { return dkg.ProveDealKey(seed, chain, epoch-1, own) },
		func() (shamir.Proof, error) { return dkg.ProveDealKey(seed, chain, epoch, victim) },
	} {
		brings(mine, must[shamir.Proof](w)(other()))
	}
	return refusedByLedger
}
