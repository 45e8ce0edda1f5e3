package dkg_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

// post is a message on its way to the log.
type post struct {
	from   uint32
	m      dkg.Message
	height uint64 // at which it arrives
}

// world runs a ceremony in virtual time: one block per tick. Messages are
// dropped, doubled, delayed and reordered; members crash, forget everything but
// their seed, and come back. Two ledgers take the same blocks: one keeps its log
// in memory, one writes and reads it after every block.
type world struct {
	t        *testing.T
	name     string
	rng      *rand.Rand
	parties  []*dkg.Party // nil while crashed
	back     []uint64     // height at which a crashed member returns
	memory   *dkg.Log
	disk     *dkg.Log
	underway []post
}

func newWorld(t *testing.T, n int, seed uint64) *world {
	name := fmt.Sprintf("world %d %d", n, seed)
	l, parties, err := shamirtest.Open(name, 1, n, shamir.Threshold(n))
	require.NoError(t, err)
	p := l.Params()
	p.Deadlines = dkg.Deadlines{Commit: 12, Bundle: 12, Dispute: 3, Acknowledge: 12}
	l, err = dkg.NewLog(p, 5)
	require.NoError(t, err)
	return &world{
		t: t, name: name, rng: rand.New(rand.NewPCG(seed, uint64(n))), parties: parties,
		back: make([]uint64, n), memory: l, disk: reread(t, l),
	}
}

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

// crashOrReturn lets at most n-t members be down at a time.
func (w *world) crashOrReturn(height uint64) {
	down := 0
	for i, p := range w.parties {
		if p == nil && height >= w.back[i] {
			again, err := dkg.NewParty(uint32(i+1), shamirtest.Seed(w.name, 1, uint32(i+1)))
			require.NoError(w.t, err)
			w.parties[i] = again
		}
		if w.parties[i] == nil {
			down++
		}
	}
	for i := range w.parties {
		if w.parties[i] != nil && down < len(w.parties)-shamir.Threshold(len(w.parties)) && w.chance(10) {
			w.parties[i], w.back[i] = nil, height+1+w.rng.Uint64N(9)
			down++
		}
	}
}

func (w *world) tick(height uint64) {
	w.crashOrReturn(height)
	for _, p := range w.parties {
		if p == nil || w.chance(20) { // slow: does not look at this block
			continue
		}
		messages, err := p.Step(height, w.memory.Clone())
		require.NoError(w.t, err)
		for _, m := range messages {
			for copies := 1 + w.rng.IntN(2); copies > 0; copies-- {
				if !w.chance(30) {
					w.underway = append(w.underway, post{p.Index(), m, height + w.rng.Uint64N(3)})
				}
			}
		}
	}
	w.rng.Shuffle(len(w.underway), func(i, j int) { w.underway[i], w.underway[j] = w.underway[j], w.underway[i] })
	var later []post
	for _, q := range w.underway {
		if q.height > height {
			later = append(later, q)
			continue
		}
		one, two := w.memory.Apply(height, q.from, q.m), w.disk.Apply(height, q.from, q.m)
		require.Equal(w.t, one == nil, two == nil, "two ledgers disagree: %v, %v", one, two)
	}
	w.underway = later
	require.Equal(w.t, w.memory.EndBlock(height), w.disk.EndBlock(height))
	w.disk = reread(w.t, w.disk)
	a, err := w.memory.MarshalBinary()
	require.NoError(w.t, err)
	b, err := w.disk.MarshalBinary()
	require.NoError(w.t, err)
	require.Equal(w.t, a, b, "two ledgers disagree at height %d", height)
}

func TestCeremonyInVirtualTime(t *testing.T) {
	for _, n := range []int{1, 4, 7} {
		active := 0
		const seeds = 4
		for seed := range uint64(seeds) {
			t.Run(fmt.Sprintf("n=%d seed=%d", n, seed), func(t *testing.T) {
				w := newWorld(t, n, seed)
				for height := uint64(5); w.memory.Phase() < dkg.PhaseActive; height++ {
					require.Less(t, height, uint64(5+12+12+3+12), "past every deadline")
					w.tick(height)
				}
				require.NoError(t, w.disk.Audit())
				if w.memory.Phase() == dkg.PhaseAborted {
					require.NotEmpty(t, w.memory.Culprits(), "an abort names those who failed")
					return
				}
				active++
				c, err := w.disk.Committee()
				require.NoError(t, err)
				for _, culprit := range w.memory.Culprits() {
					require.NotEqual(t, dkg.ReasonBadDeal, culprit.Reason, "an honest dealer was convicted")
				}
				// Whoever is back, from the seed and the log alone, has its share.
				var shares []*shamir.KeyShare
				for i := range n {
					p, err := dkg.NewParty(uint32(i+1), shamirtest.Seed(w.name, 1, uint32(i+1)))
					require.NoError(t, err)
					s, err := p.KeyShare(w.disk)
					require.NoError(t, err)
					shares = append(shares, s)
				}
				requireWorks(t, c, shares)
			})
		}
		require.GreaterOrEqual(t, active, seeds/2, "n=%d: the network is not that bad", n)
	}
}
