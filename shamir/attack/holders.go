package attack

import (
	"bytes"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"go.dedis.ch/kyber/v3"
)

// acknowledging is an attack of members on the last phase: forge changes a correct
// acknowledgement, 128 bytes.
func acknowledging(name string, forge func(p *ceremony, from uint32, b []byte) []byte) Attack {
	return acknowledgingIn(name, func(w *World, c *Chance) *ceremony { return w.stageOf(w.fresh(), c, w.held(w.few())...) }, forge)
}

func acknowledgingIn(name string, begin func(w *World, c *Chance) *ceremony, forge func(p *ceremony, from uint32, b []byte) []byte) Attack {
	return Attack{name, Holder, func(w *World, c *Chance) Outcome {
		p := begin(w, c)
		p.run(func(p *ceremony, honest []post) []post {
			own := p.follow()
			for i, q := range own {
				if q.m.Kind == dkg.KindAck {
					own[i].m.Body = forge(p, q.from, bytes.Clone(q.m.Body))
				}
			}
			return append(honest, own...) // so that it can copy
		})
		return w.expects(p.settle(), LeftOut, Aborted)
	}}
}

// Acknowledgements that are tried in new ceremonies and in handovers.

func randomProofs(p *ceremony, _ uint32, b []byte) []byte {
	for i, g := range []shamir.Group{ristretto, ristretto, shamir.G2, shamir.G2} {
		copy(b[32*i:], shamir.Encode(p.Scalar(g)))
	}
	return b
}

func anothersProofs(p *ceremony, _ uint32, _ []byte) []byte {
	for place, party := range p.parties {
		if p.bad[place] || party.Index() == 0 {
			continue
		}
		if m := must[[]dkg.Message](p.World)(p.step(party)); len(m) > 0 {
			return m[0].Body
		}
	}
	return make([]byte, 128)
}

// proofsOf proves other secrets than the share, in the right context.
func proofsOf(secrets func(p *ceremony, from uint32) (x, y kyber.Scalar)) func(p *ceremony, from uint32, _ []byte) []byte {
	return func(p *ceremony, from uint32, _ []byte) []byte {
		id, digest := p.log.ID(), must[*shamir.Committee](p.World)(p.log.Candidate()).Digest()
		ctx := shamir.Hash("ack", id[:], digest[:], shamir.Uint64(uint64(from)))
		x, y := secrets(p, from)
		return append(p.possession(ristretto, ctx[:], x), p.possession(shamir.G2, ctx[:], y)...)
	}
}

func holders() []Attack {
	return []Attack{
		acknowledging("a member acknowledges with random proofs", randomProofs),
		acknowledging("a member proves one of its two shares only", func(p *ceremony, _ uint32, b []byte) []byte {
			half := 64 * p.IntN(2)
			clear(b[half : half+64])
			return b
		}),
		acknowledging("a member acknowledges with another's proofs", anothersProofs),
		acknowledging("a member swaps the proofs of its two shares", func(_ *ceremony, _ uint32, b []byte) []byte { return append(b[64:], b[:64]...) }),
		acknowledging("a member acknowledges with scalars that are not reduced", func(p *ceremony, _ uint32, b []byte) []byte {
			i := p.IntN(4)
			g := ristretto
			if i > 1 {
				g = shamir.G2
			}
			return replace(b, badScalar(g, b[32*i:32*i+32]), 32*i)
		}),
		acknowledging("a member acknowledges in wrong shapes", func(p *ceremony, _ uint32, b []byte) []byte {
			return pick(p.Chance, [][]byte{nil, b[:127], append(b, 0), make([]byte, 1<<20)})
		}),
		acknowledging("a member proves another share than its own", proofsOf(func(p *ceremony, _ uint32) (x, y kyber.Scalar) {
			return p.Scalar(ristretto), p.chance("another share").Scalar(shamir.G2)
		})),
		{"members do not acknowledge", Holder, func(w *World, c *Chance) Outcome {
			p := w.stageOf(w.fresh(), c, w.held(w.few())...)
			p.run(func(p *ceremony, honest []post) []post {
				return p.among(honest, p.follow(dkg.KindCommit, dkg.KindBundle))
			})
			return p.settle()
		}},
		{"one member more than can be spared says nothing at all", Holder, func(w *World, c *Chance) Outcome {
			p := w.stageOf(w.fresh(), c, w.held(1+w.spare())...)
			p.run(func(_ *ceremony, honest []post) []post { return honest })
			outcome := p.settle()
			w.hold(outcome == Aborted, "too few made a committee: %s", outcome)
			return outcome
		}},
		{"members post kinds of messages that do not exist, in names that nobody has", Holder, func(w *World, c *Chance) Outcome {
			p := w.stageOf(w.fresh(), c, w.held(w.few())...)
			p.run(func(p *ceremony, honest []post) []post {
				own := p.follow()
				for range 8 {
					k := dkg.Kind(c.IntN(256))
					from := pick(c, []uint32{0, uint32(w.n + 1), 1 << 16, 1 << 31, 1<<32 - 1})
					if k == 0 || k > dkg.KindAck {
						from = pick(c, p.names(dkg.KindAck))
					}
					own = append(own, post{from, dkg.Message{Kind: k, Body: c.Bytes(c.IntN(200))}, true})
				}
				return p.among(honest, own)
			})
			return p.settle()
		}},
	}
}
