package attack

import (
	"bytes"

	"github.com/atelier-dao/atelier/shamir/dkg"
)

// A relay carries what honest members post. It signs with no name but its own, and
// what it keeps back is said again; it cannot shut the ledger for good.

// delivery keeps messages back, repeats and reorders them.
type delivery struct {
	drop, again int // percent, of each message in each block
	delay       int // most blocks
	waiting     map[uint64][]post
}

func (d *delivery) carry(p *ceremony, honest []post) []post {
	for _, q := range honest {
		copies := 1
		if p.Percent(d.again) {
			copies = 2 + p.IntN(3)
		}
		if p.Percent(d.drop) {
			copies = 0
		}
		delay := d.delay
		if p.log.Phase() == dkg.PhaseDispute { // it has three blocks only
			delay = min(delay, 1)
		}
		for range copies {
			at := p.height + uint64(p.IntN(delay+1))
			d.waiting[at] = append(d.waiting[at], q)
		}
	}
	out := d.waiting[p.height]
	delete(d.waiting, p.height)
	shuffle(p.Chance, out)
	return out
}

// relaying runs honest members over a hostile delivery; nobody is bad.
func relaying(name string, stage func(w *World) *stage, drop, again, delay int, meddle script) Attack {
	return Attack{name, Relay, func(w *World, c *Chance) Outcome {
		d := &delivery{drop, again, delay, map[uint64][]post{}}
		p := w.stageOf(stage(w), c)
		if meddle != nil {
			p = w.stageOf(stage(w), c, 0)
		}
		p.excused = drop > 0 || delay > 0
		p.run(func(p *ceremony, honest []post) []post {
			if p.log.Phase() == dkg.PhaseDispute && drop > 0 {
				return honest
			}
			block := d.carry(p, honest)
			if meddle != nil {
				block = append(block, meddle(p, honest)...)
			}
			return block
		})
		return p.settle()
	}}
}

func relays() []Attack {
	fresh := (*World).fresh
	return []Attack{
		relaying("a relay reorders all messages", fresh, 0, 0, 0, nil),
		relaying("a relay repeats all messages", fresh, 0, 100, 0, nil),
		relaying("a relay delays messages by up to three blocks", fresh, 0, 0, 3, nil),
		relaying("a relay drops two messages of five, and they are said again", fresh, 40, 0, 0, nil),
		relaying("a relay drops, repeats, delays and reorders", fresh, 25, 50, 2, nil),
		relaying("a relay drops, repeats, delays and reorders in a handover", (*World).handover, 25, 50, 2, nil),
		relaying("a relay says in its own name what others say", fresh, 0, 0, 0, func(p *ceremony, honest []post) []post {
			var own []post
			for _, q := range honest {
				for _, name := range p.names(q.m.Kind) {
					own = append(own, post{name, q.m, true})
				}
			}
			shuffle(p.Chance, own)
			return own
		}),
		relaying("a relay changes, cuts and lengthens what others say", fresh, 0, 0, 0, func(p *ceremony, honest []post) []post {
			own := p.follow()
			for _, q := range honest {
				for _, name := range p.names(q.m.Kind) {
					own = append(own, post{name, dkg.Message{Kind: q.m.Kind, Body: mangled(p.Chance, q.m.Body)}, true})
				}
			}
			return own
		}),
		relaying("a relay says everything again in every block", fresh, 0, 0, 0, func(p *ceremony, honest []post) []post {
			own := p.follow()
			if len(honest) > 0 {
				own = append(own, p.said[:min(len(p.said), 4*p.log.N())]...)
			}
			return own
		}),
	}
}

// mangled changes some bits, cuts or lengthens.
func mangled(c *Chance, b []byte) []byte {
	b = bytes.Clone(b)
	switch c.IntN(4) {
	case 0:
		return b[:c.IntN(len(b))]
	case 1:
		return append(b, c.Bytes(1+c.IntN(64))...)
	case 2:
		return append(b[len(b)/2:], b[:len(b)/2]...)
	}
	for range 1 + c.IntN(8) {
		b[c.IntN(len(b))] ^= byte(1 + c.IntN(255))
	}
	return b
}
