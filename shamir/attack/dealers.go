package attack

import (
	"bytes"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"go.dedis.ch/kyber/v3"
)

// dealing is an attack of dealers in the ceremony that makes new keys.
func dealing(name string, script func() script, want ...Outcome) Attack {
	return Attack{name, Dealer, func(w *World, c *Chance) Outcome {
		p := w.stageOf(w.fresh(), c, w.held(w.few())...)
		p.run(script())
		return w.expects(p.settle(), want...)
	}}
}

var refusedByLedger = RefusedBy("the ledger")

// forging lets dealers deal as forge has it.
func forging(name string, forge func(f *forgery)) Attack {
	return dealing(name, func() script { return lie(forge) }, LeftOut)
}

func dealers() []Attack {
	var out []Attack
	for _, f := range forgeries {
		out = append(out, forging("a dealer "+f.name, f.forge))
	}
	return append(out,
		dealing("a dealer posts nothing", func() script { return silentFrom(dkg.KindCommit) }, LeftOut),
		dealing("a dealer commits and withholds its bundle", func() script { return silentFrom(dkg.KindBundle) }, LeftOut),
		dealing("a dealer commits to two bundles", func() script {
			return twice(dkg.KindCommit, func(p *ceremony, name uint32, m dkg.Message) []byte { return p.Bytes(32) })
		}, refusedByLedger),
		dealing("a dealer posts a second bundle after the first", func() script {
			return twice(dkg.KindBundle, func(p *ceremony, name uint32, _ dkg.Message) []byte { return p.begin(name).bytes() })
		}, refusedByLedger),
		dealing("a dealer posts another bundle than it committed to", func() script { return swapped }, LeftOut),
		dealing("a dealer copies another's commitment and then its bundle", func() script { return copied }, LeftOut),
		dealing("a dealer commits with nothing, a byte too many, or a mebibyte", func() script { return shapeless(dkg.KindCommit) }, LeftOut),
		dealing("a dealer uses another's ephemeral key, to have its deals opened in a dispute", func() script { return sameEphemeral }, LeftOut),
		dealing("a dealer foresees another's bundle, and commits to it and posts it as its own", func() script { return stolen }, LeftOut),
		dealing("a dealer deals the key that cancels all others', so that its own alone remains", func() script { return rogue }, LeftOut),
		dealing("a dealer waits for the others' bundles and grinds its own, to choose the key", func() script { return grinding }, LeftOut),
		dealing("a dealer adds points of small order to its commitments to Y, in any positions but the first", func() script { return lie(smallOrder) }, NoEffect),
		Attack{"dealers deal one member wrong shares whose errors cancel in their sum", Dealer, func(w *World, c *Chance) Outcome {
			p := w.stageOf(w.fresh(), c, w.held(w.pair())...)
			p.run(lie(cancelling))
			return w.expects(p.settle(), LeftOut)
		}},
		Attack{"a member registers a deal key that is the identity, not canonical, or another's", Dealer, badDealKey},
		Attack{"dealers who wait for the others' bundles choose among no more keys than they could leave out", Dealer, lastMover},
	)
}

// silentFrom says nothing of a kind; all else in order.
func silentFrom(k dkg.Kind) script {
	return func(p *ceremony, honest []post) []post {
		var own []post
		for _, q := range p.follow() {
			if q.m.Kind < k || k < dkg.KindDispute && q.m.Kind > dkg.KindBundle {
				own = append(own, q)
			}
		}
		return p.among(honest, own)
	}
}

// twice says a kind twice, the second time something else.
func twice(k dkg.Kind, other func(p *ceremony, name uint32, m dkg.Message) []byte) script {
	return func(p *ceremony, honest []post) []post {
		var own []post
		for _, q := range p.follow() {
			own = append(own, q)
			if q.m.Kind == k {
				own = append(own, post{q.from, dkg.Message{Kind: k, Body: other(p, q.from, q.m)}, true})
			}
		}
		return p.among(honest, own)
	}
}

// shapeless says a kind in wrong shapes only.
func shapeless(k dkg.Kind) script {
	return func(p *ceremony, honest []post) []post {
		var own []post
		for _, q := range p.follow() {
			if q.m.Kind != k {
				own = append(own, q)
				continue
			}
			b := q.m.Body
			for _, body := range [][]byte{nil, {}, b[:len(b)-1], append(bytes.Clone(b), 0), make([]byte, 1<<20), p.Bytes(len(b) + 1)} {
				own = append(own, post{q.from, dkg.Message{Kind: k, Body: body}, true})
			}
		}
		return p.among(honest, own)
	}
}

// swapped commits to one bundle and posts another that is in order.
func swapped(p *ceremony, honest []post) []post {
	own := p.follow(dkg.KindCommit, dkg.KindDispute, dkg.KindAck)
	if p.log.Phase() == dkg.PhaseBundle && len(honest) > 0 {
		for _, name := range p.names(dkg.KindBundle) {
			own = append(own, post{name, dkg.Message{Kind: dkg.KindBundle, Body: p.begin(name).bytes()}, true})
		}
	}
	return p.among(honest, own)
}

// copied speaks second and says what an honest dealer says.
func copied(p *ceremony, honest []post) []post {
	own := p.follow(dkg.KindDispute, dkg.KindAck)
	for _, name := range p.names(dkg.KindCommit) {
		for _, q := range honest {
			if q.m.Kind == dkg.KindCommit || q.m.Kind == dkg.KindBundle {
				own = append(own, post{name, q.m, true})
				break
			}
		}
	}
	return append(honest, own...)
}

// foreseen is the bundle that an honest dealer will post. No adversary sees it
// before it has committed; this one does.
func (p *ceremony) foreseen(place int) []byte {
	l, party := p.stage.log.Clone(), p.parties[place]
	own := must[[]dkg.Message](p.World)(party.Step(3, l))
	for dealer := uint32(1); dealer <= uint32(l.Dealers()); dealer++ { // the others commit to anything
		m := dkg.Message{Kind: dkg.KindCommit, Body: make([]byte, 32)}
		if dealer == party.Speaks(dkg.KindCommit) {
			m = own[0]
		}
		p.must(l.Apply(3, dealer, m))
	}
	l.EndBlock(3)
	return must[[]dkg.Message](p.World)(party.Step(4, l))[0].Body
}

// honestDealers are the places of those who deal and are honest.
func (p *ceremony) honestDealers() (out []int) {
	for place, party := range p.parties {
		if !p.bad[place] && party.Speaks(dkg.KindBundle) != 0 {
			out = append(out, place)
		}
	}
	return out
}

func sameEphemeral(p *ceremony, honest []post) []post {
	return lie(func(f *forgery) {
		from, to := ephAt(len(f.fx))
		victim := p.foreseen(pick(p.Chance, p.honestDealers()))
		f.statement = func(b []byte) []byte { return replace(b, victim[from:to], from) }
		if p.Percent(50) { // and its proof of possession
			at := len(f.said())
			f.prove = func(b []byte) []byte { return replace(b, victim[at+128:at+192], 128) }
		}
	})(p, honest)
}

// stolen deals what an honest dealer deals, to have it count twice.
func stolen(p *ceremony, honest []post) []post {
	return lie(func(f *forgery) {
		bundle := p.foreseen(pick(p.Chance, p.honestDealers()))
		f.body = func([]byte) []byte { return bundle }
	})(p, honest)
}

func rogue(p *ceremony, honest []post) []post {
	return lie(func(f *forgery) {
		x := ristretto.Point().Mul(f.fx[0], nil)
		for _, place := range p.honestDealers() {
			c0 := must[kyber.Point](p.World)(shamir.DecodePoint(ristretto, p.foreseen(place)[:32]))
			x.Sub(x, c0)
		}
		f.statement = func(b []byte) []byte { return replace(b, shamir.Encode(x), 0) }
	})(p, honest)
}

// grinding makes bundles until the key that would come of one begins with a zero
// bit pattern, and posts that one.
func grinding(p *ceremony, honest []post) []post {
	own := p.follow(dkg.KindCommit, dkg.KindDispute, dkg.KindAck)
	if p.log.Phase() != dkg.PhaseBundle || len(honest) == 0 {
		return append(honest, own...)
	}
	sum := ristretto.Point().Null()
	for _, q := range honest {
		sum.Add(sum, must[kyber.Point](p.World)(shamir.DecodePoint(ristretto, q.m.Body[:32])))
	}
	for _, name := range p.names(dkg.KindBundle) {
		f := p.begin(name)
		for tries := 0; tries < 64; tries++ {
			if shamir.Encode(ristretto.Point().Add(sum, ristretto.Point().Mul(f.fx[0], nil)))[1]&7 == 0 {
				break
			}
			f.fx[0] = p.Scalar(ristretto)
		}
		own = append(own, post{f.dealer, dkg.Message{Kind: dkg.KindBundle, Body: f.bytes()}, true})
	}
	return append(honest, own...)
}

// cancelling shifts what a victim is dealt: by an amount, by its negative, and so on
// in turn; of an odd number the last deals as it should. A dealer that is alone is
// merely wrong.
func cancelling(f *forgery) {
	once := f.p.World.chance("errors that cancel")
	var honest []uint32
	for place, party := range f.p.parties {
		if !f.p.bad[place] && party.Index() != 0 {
			honest = append(honest, party.Index())
		}
	}
	victim, x, y := pick(once, honest), once.Scalar(ristretto), once.Scalar(shamir.G2)
	names := f.p.names(dkg.KindBundle)
	switch at := slices.Index(names, f.dealer); {
	case at%2 == 1:
		x.Neg(x)
		y.Neg(y)
	case at > 0 && at == len(names)-1:
		return
	}
	f.plain = func(to uint32, b []byte) []byte {
		if to == victim {
			addTo(ristretto, b[:32], x)
			addTo(shamir.G2, b[32:], y)
		}
		return b
	}
}

// addTo shifts an encoded scalar.
func addTo(g shamir.Group, b []byte, by kyber.Scalar) {
	s, err := shamir.DecodeScalar(g, b)
	if err != nil {
		panic(err) // it is the adversary's own
	}
	copy(b, shamir.Encode(s.Add(s, by)))
}

// badDealKey opens a ceremony with a deal key that would leak deals or stop them.
func badDealKey(w *World, c *Chance) Outcome {
	p := w.fresh().log.Params()
	i := c.IntN(w.n)
	if c.Percent(25) {
		p.DealKeys[i] = p.DealKeys[(i+1)%w.n]
	} else {
		p.DealKeys[i] = [32]byte(badRistretto(c, p.DealKeys[i][:]))
	}
	_, err := dkg.NewLog(p, 3)
	w.hold(err != nil, "a ceremony is opened with the deal key %x", p.DealKeys[i])
	return RefusedBy("the ledger")
}

// lastMover has its dealers see all honest bundles first, and withhold theirs as
// the bits of the sum tell them. What comes out is one of the keys that were fixed
// when the last commitment stood: one for each set of dealers that are left out.
func lastMover(w *World, c *Chance) Outcome {
	p := w.stageOf(w.fresh(), c, w.held(w.few())...)
	group := ristretto
	var theirs []kyber.Point
	sum := group.Point().Null()
	p.run(func(p *ceremony, honest []post) []post {
		own := p.follow()
		if p.log.Phase() != dkg.PhaseBundle || len(honest) == 0 {
			return append(honest, own...)
		}
		for _, q := range honest {
			sum.Add(sum, must[kyber.Point](w)(shamir.DecodePoint(group, q.m.Body[:32])))
		}
		bits := shamir.Encode(sum)
		for _, q := range own {
			theirs = append(theirs, must[kyber.Point](w)(shamir.DecodePoint(group, q.m.Body[:32])))
		}
		own = slices.DeleteFunc(own, func(q post) bool { return bits[q.from%32]&1 == 1 })
		p.lies[0] = bits // they have decided: nothing more in this phase
		for _, place := range p.places() {
			p.lies[p.parties[place].Speaks(dkg.KindBundle)] = bits
		}
		return append(honest, own...)
	})
	outcome := p.settle()
	if c, err := p.log.Committee(); err == nil {
		found := false
		for set := range 1 << len(theirs) {
			x := sum.Clone()
			for i, q := range theirs {
				if set>>i&1 == 1 {
					x.Add(x, q)
				}
			}
			found = found || x.Equal(c.XPoint())
		}
		w.hold(found, "the key is none of those that the commitments left")
	}
	return outcome
}

// smallOrder adds what is not in the group of Y where that need not be tested: it stands
// for the same commitment.
func smallOrder(f *forgery) {
	low, t := f.p.low(), len(f.fy)
	surely := 1 + f.p.IntN(t-1)
	f.statement = func(b []byte) []byte {
		for k := 1; k < t; k++ {
			if k == surely || f.p.Percent(50) {
				from, to := yAt(t, k)
				copy(b[from:to], shamirtest.AddOnCurve(b[from:to], low))
			}
		}
		return b
	}
}

// low is a point on the curve of Y outside the group, mostly of small order. It takes
// long to find, so a world has one.
func (w *World) low() []byte {
	if w.outside == nil {
		c := w.chance("small order")
		w.outside = shamirtest.SmallOrder(pick(c, append(shamirtest.SmallOrders, 0)), uint64(c.IntN(1000)))
	}
	return w.outside
}
