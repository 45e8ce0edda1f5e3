package attack

import (
	"bytes"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"go.dedis.ch/kyber/v3"
)

// dealing is an attack of dealers in the ceremony that makes new keys.
func dealing(name string, script func() script, want ...Outcome) Attack {
	return Attack{name, Dealer, func(w *World, c *Chance) Outcome {
		p := w.stageOf(w.fresh(), c, c.Some(1+c.IntN(w.spare()), w.n)...)
		p.run(script())
		return w.expects(p.settle(), want...)
	}}
}

var refusedByLedger = RefusedBy("the ledger")

// forging lets dealers deal as forge has it.
func forging(name string, forge func(f *forgery)) Attack {
	return dealing(name, func() script { return lie(forge) }, LeftOut)
}

// forgeries are what a dealer can do to its bundle, in a fresh ceremony and in a
// handover alike.
var forgeries = []struct {
	name  string
	forge func(f *forgery)
}{
	{"deals with one coefficient too many, to raise the threshold", func(f *forgery) {
		f.fx, f.fy = append(f.fx, f.p.Scalar(ristretto)), append(f.fy, f.p.Scalar(shamir.G2))
	}},
	{"deals with one coefficient too few, to lower the threshold", func(f *forgery) {
		f.fx, f.fy = f.fx[:len(f.fx)-1], f.fy[:len(f.fy)-1]
	}},
	{"lowers the threshold and pads the bundle to the right length", func(f *forgery) {
		f.fx, f.fy = f.fx[:len(f.fx)-1], f.fy[:len(f.fy)-1]
		f.body = func(b []byte) []byte { return append(b, f.p.Bytes(224)...) }
	}},
	{"raises the threshold and cuts the bundle to the right length", func(f *forgery) {
		f.fx, f.fy = append(f.fx, f.p.Scalar(ristretto)), append(f.fy, f.p.Scalar(shamir.G2))
		f.body = func(b []byte) []byte { return b[:len(b)-224] }
	}},
	{"deals a leading coefficient of zero, whose commitment is the identity", func(f *forgery) {
		if f.p.Percent(50) {
			f.fx[len(f.fx)-1] = ristretto.Scalar().Zero()
		} else {
			f.fy[len(f.fy)-1] = shamir.G2.Scalar().Zero()
		}
	}},
	{"commits to one polynomial and deals another to some members", func(f *forgery) {
		other := polynomial(ristretto, append([]kyber.Scalar{f.fx[0]}, f.p.scalars(ristretto, len(f.fx)-1)...))
		some := f.p.victims(f.dealer)
		f.plain = func(to uint32, b []byte) []byte {
			if some[to] {
				copy(b, shamir.Encode(other.Share(to).Value()))
			}
			return b
		}
	}},
	{"deals a polynomial of a higher degree than it commits to", func(f *forgery) {
		secret := polynomial(shamir.G2, append(slices.Clone(f.fy), f.p.Scalar(shamir.G2)))
		f.plain = func(to uint32, b []byte) []byte { return replace(b, shamir.Encode(secret.Share(to).Value()), 32) }
	}},
	{"deals one member a wrong share of X", wrongShare(0)},
	{"deals one member a wrong share of Y", wrongShare(32)},
	{"withholds the deals to some members: random bytes", func(f *forgery) {
		some := f.p.victims(f.dealer)
		f.box = func(to uint32, b []byte) []byte {
			if some[to] {
				return f.p.Bytes(boxLen)
			}
			return b
		}
	}},
	{"deals two members one box", func(f *forgery) {
		to := f.p.victim(f.dealer)
		f.body = func(b []byte) []byte {
			boxes := b[len(b)-len(f.keys)*boxLen:]
			from := int(to) % len(f.keys)
			copy(boxes[int(to-1)*boxLen:int(to)*boxLen], boxes[from*boxLen:])
			return b
		}
	}},
	{"encrypts a deal under another nonce", func(f *forgery) {
		to := f.p.victim(f.dealer)
		f.nonce = func(j uint32) []byte {
			nonce := make([]byte, 12)
			if j == to {
				nonce[f.p.IntN(12)] = 1
			}
			return nonce
		}
	}},
	{"encrypts its deals for another ceremony", func(f *forgery) {
		f.proofID = [32]byte(f.p.Bytes(32))
		f.prove = func([]byte) []byte { g := *f; g.proofID = f.id; return g.proofs(f.said()) }
	}},
	{"deals a share that is not reduced", func(f *forgery) {
		to, x := f.p.victim(f.dealer), f.p.Percent(50)
		f.plain = func(j uint32, b []byte) []byte {
			switch {
			case j == to && x:
				copy(b, badScalar(ristretto, b[:32]))
			case j == to:
				copy(b[32:], badScalar(shamir.G2, b[32:]))
			}
			return b
		}
	}},
	{"commits to a point of X that is not canonical or the identity, in any position", func(f *forgery) {
		k := f.p.IntN(len(f.fx))
		f.statement = func(b []byte) []byte {
			from, to := xAt(k)
			return replace(b, badRistretto(f.p.Chance, b[from:to]), from)
		}
	}},
	{"commits to a point of Y that is not canonical, off curve or subgroup, or the identity, in any position", func(f *forgery) {
		k := f.p.IntN(len(f.fx))
		f.statement = func(b []byte) []byte {
			from, to := yAt(len(f.fx), k)
			return replace(b, badG2(f.p.Chance, b[from:to]), from)
		}
	}},
	{"uses an ephemeral key that is not canonical or the identity", func(f *forgery) {
		f.statement = func(b []byte) []byte {
			from, to := ephAt(len(f.fx))
			return replace(b, badRistretto(f.p.Chance, b[from:to]), from)
		}
	}},
	{"proves nothing: random proofs, zeros, scalars that are not reduced", func(f *forgery) {
		f.prove = func(b []byte) []byte {
			at := 64 * f.p.IntN(3)
			g := ristretto
			if at == 64 {
				g = shamir.G2
			}
			half := at + 32*f.p.IntN(2)
			switch f.p.IntN(3) {
			case 0:
				return replace(b, append(shamir.Encode(f.p.Scalar(g)), shamir.Encode(f.p.Scalar(g))...), at)
			case 1:
				return replace(b, make([]byte, 64), at)
			default:
				return replace(b, badScalar(g, b[half:half+32]), half)
			}
		}
	}},
	{"swaps its proofs of possession", func(f *forgery) {
		f.prove = func(b []byte) []byte { return append(append(slices.Clone(b[128:192]), b[64:128]...), b[:64]...) }
	}},
	{"proves for another dealer or another ceremony", func(f *forgery) {
		if f.p.Percent(50) {
			f.proofDealer = f.dealer%uint32(f.p.log.Dealers()) + 1
		} else {
			f.proofID = [32]byte(f.p.Bytes(32))
		}
	}},
	{"cuts its bundle short, by one byte or to nothing", func(f *forgery) {
		f.body = func(b []byte) []byte { return b[:pick(f.p.Chance, []int{0, 1, 32, f.p.IntN(len(b)), len(b) - 1})] }
	}},
	{"adds bytes to its bundle, one or a mebibyte", func(f *forgery) {
		f.body = func(b []byte) []byte {
			return append(b, make([]byte, pick(f.p.Chance, []int{1, boxLen, 224, 1 << 20}))...)
		}
	}},
	{"flips a bit of its bundle after proving", func(f *forgery) {
		f.body = func(b []byte) []byte { b[f.p.IntN(len(b)-len(f.keys)*boxLen)] ^= 1 << f.p.IntN(8); return b }
	}},
}

// said is the statement without changes.
func (f *forgery) said() []byte {
	said := append(polynomial(ristretto, f.fx).Commit().Bytes(), polynomial(shamir.G2, f.fy).Commit().Bytes()...)
	return append(said, shamir.Encode(ristretto.Point().Mul(f.e, nil))...)
}

func wrongShare(at int) func(f *forgery) {
	return func(f *forgery) {
		victim := f.p.victim(f.dealer)
		f.plain = func(to uint32, b []byte) []byte {
			if to == victim && at == 0 {
				return replace(b, shamir.Encode(f.p.Scalar(ristretto)), 0)
			} else if to == victim {
				return replace(b, shamir.Encode(f.p.Scalar(shamir.G2)), 32)
			}
			return b
		}
	}
}

func (p *ceremony) scalars(g shamir.Group, n int) (out []kyber.Scalar) {
	for range n {
		out = append(out, p.Scalar(g))
	}
	return out
}

// victim is an honest receiver.
func (p *ceremony) victim(uint32) uint32 {
	var honest []uint32
	for place, party := range p.parties {
		if !p.bad[place] && party.Index() != 0 {
			honest = append(honest, party.Index())
		}
	}
	return pick(p.Chance, honest)
}

// victims are some receivers, at least one honest.
func (p *ceremony) victims(dealer uint32) map[uint32]bool {
	some := map[uint32]bool{p.victim(dealer): true}
	for to := range p.log.N() {
		if p.Percent(30) {
			some[uint32(to+1)] = true
		}
	}
	return some
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
		dealing("a dealer deals the key that cancels all others', so that its own alone remains", func() script { return rogue }, LeftOut),
		dealing("a dealer waits for the others' bundles and grinds its own, to choose the key", func() script { return grinding }, LeftOut),
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
	p := w.stageOf(w.fresh(), c, c.Some(1+c.IntN(w.spare()), w.n)...)
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
