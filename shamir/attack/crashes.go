package attack

import "slices"

// crashing plays a stage in which some dealers deal garbage, so that all kinds of
// messages are said, and in which one honest member crashes at the given point and
// comes back in the next block with its seed and the ledger.
// It counts the points that the member passed: after every Step, before what it
// says has left, and after every single message.
type crashing struct {
	place, point int // 0 is no crash
	passed       int
}

func (k *crashing) play(w *World, s *stage) (*ceremony, Outcome) {
	c := w.chance("crash")
	dealers := slices.DeleteFunc(w.dealers(s), func(place int) bool { return place == k.place })
	p := w.stageOf(s, c, dealers[:w.few()]...)
	liar := lie(func(f *forgery) {
		f.plain = func(_ uint32, b []byte) []byte { return make([]byte, len(b)) }
		f.box = func(_ uint32, b []byte) []byte { b[0] ^= 1; return b }
	})
	p.run(func(p *ceremony, honest []post) []post {
		var block, left []post
		for _, q := range honest {
			if q.from == p.parties[k.place].Speaks(q.m.Kind) {
				left = append(left, q)
			} else {
				block = append(block, q)
			}
		}
		for i := 0; i <= len(left); i++ {
			if k.passed++; k.passed == k.point {
				p.parties[k.place], left = s.again(k.place), left[:i]
			}
		}
		return liar(p, append(left, block...))
	})
	return p, p.settle()
}

// calm is the ceremony without a crash: what every crash must come to.
func calm(w *World, s *stage, place int) (*ceremony, int) {
	k := &crashing{place: place}
	p, _ := k.play(w, s)
	return p, k.passed
}

// crashAt runs the ceremony with a crash, points counted from 1, and wants what
// comes of it without.
func crashAt(w *World, s *stage, place, point int, without *ceremony) {
	with, _ := (&crashing{place: place, point: point}).play(w, s)
	one, err := without.log.Committee()
	w.must(err)
	two, err := with.log.Committee()
	w.must(err)
	w.hold(one.Digest() == two.Digest(), "a crash of the member at place %d, point %d, made another committee", place, point)
	w.hold(slices.Equal(without.log.Culprits(), with.log.Culprits()), "a crash of the member at place %d, point %d, made other culprits", place, point)
}

// crash takes one point of one member per seed: seeds in a row cover all of them.
func crash(name string, stage func(w *World) *stage) Attack {
	return Attack{name, Fate, func(w *World, _ *Chance) Outcome {
		s := stage(w)
		place := int(w.seed) % len(s.parties)
		without, points := calm(w, s, place)
		crashAt(w, s, place, 1+int(w.seed)/len(s.parties)%points, without)
		return NoEffect
	}}
}

func crashes() []Attack {
	return []Attack{
		crash("a member crashes at a step or message of the ceremony, each in its turn", (*World).fresh),
		crash("a member crashes at a step or message of the handover, each in its turn", (*World).handover),
	}
}
