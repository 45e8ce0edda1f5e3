package seal

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"go.dedis.ch/kyber/v3"
)

// steps finds small logarithms to the base G: v = i·n + j with the baby steps j·G,
// j < n, in a sorted table, and the giant steps i, each n·G (Shanks 1971). With
// n = ⌊√max⌋ + 1 any v ≤ max is found within n giant steps; since the counts of a
// poll add up to at most max, so are all of them together, and one each.
type steps struct {
	baby  []babyStep // by key
	giant kyber.Point
}

// babyStep keeps 8 bytes of the encoding of j·G. Two may share them, or a giant
// step may meet them by chance, so what is found is checked.
type babyStep struct {
	key uint64
	j   uint32
}

// newSteps is the table for logarithms to max, at most MaxWeight: 16 bytes for
// each of its at most 2^20 + 1 steps.
func newSteps(max uint64) *steps {
	n := uint64(math.Sqrt(float64(max))) + 1 // exact: max has at most 41 bits
	s := &steps{baby: make([]babyStep, n)}
	p, base := group.Point().Null(), group.Point().Base()
	for j := range s.baby {
		s.baby[j] = babyStep{stepKey(p), uint32(j)}
		p.Add(p, base)
	}
	s.giant = p
	slices.SortFunc(s.baby, func(a, b babyStep) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.j, b.j))
	})
	return s
}

func stepKey(p kyber.Point) uint64 { return binary.LittleEndian.Uint64(shamir.Encode(p)[8:]) }

// logarithm is the v ≤ max with v·G = p, if there is one.
func (s *steps) logarithm(p kyber.Point, max uint64) (v uint64, ok bool) {
	rest, n := p.Clone(), uint64(len(s.baby))
	for low := uint64(0); low <= max; low += n {
		key := stepKey(rest)
		at, _ := slices.BinarySearchFunc(s.baby, key, func(b babyStep, key uint64) int { return cmp.Compare(b.key, key) })
		for ; at < len(s.baby) && s.baby[at].key == key; at++ {
			if v := low + uint64(s.baby[at].j); v <= max && times(v, group.Point().Base()).Equal(p) {
				return v, true
			}
		}
		rest.Sub(rest, s.giant)
	}
	return 0, false
}
