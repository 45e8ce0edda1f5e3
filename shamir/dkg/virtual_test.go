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
	rng      *rand.Rand
	parties  []*dkg.Party // nil while crashed
	again    func(i int) *dkg.Party
	spare    int      // how many may be down at a time
	back     []uint64 // height at which a crashed member returns
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
	again := func(i int) *dkg.Party {
		p, err := dkg.NewParty(uint32(i+1), shamirtest.Seed(name, 1, uint32(i+1)))
		require.NoError(t, err)
		return p
	}
	return &world{
		t: t, rng: rand.New(rand.NewPCG(seed, uint64(n))), parties: parties, again: again, spare: n - shamir.Threshold(n),
		back: make([]uint64, n), memory: l, disk: reread(t, l),
	}
}

func newHandoverWorld(t *testing.T, old, n, stay int, seed uint64) *world {
	name := fmt.Sprintf("handover world %d %d %d %d", old, n, stay, seed)
	committee, shares, err := shamirtest.Run(name, 1, old)
	require.NoError(t, err)
	l, parties, err := shamirtest.OpenHandover(name, committee, shares, n, stay)
	require.NoError(t, err)
	p := l.Params()
	p.Deadlines = dkg.Deadlines{Commit: 12, Bundle: 12, Dispute: 3, Acknowledge: 12}
	l, err = dkg.NewLog(p, 5)
	require.NoError(t, err)
	again := func(i int) *dkg.Party {
		p, err := shamirtest.HandoverParty(name, committee, shares, n, stay, i)
		require.NoError(t, err)
		return p
	}
	return &world{
		t: t, rng: rand.New(rand.NewPCG(seed, uint64(n))), parties: parties, again: again,
		spare: min(n-shamir.Threshold(n), old-committee.T()), back: make([]uint64, len(parties)), memory: l, disk: reread(t, l),
	}
}

func (w *world) chance(percent int) bool { return w.rng.IntN(100) < percent }

// crashOrReturn lets at most so many members be down at a time as can be spared.
func (w *world) crashOrReturn(height uint64) {
	down := 0
	for i, p := range w.parties {
		if p == nil && height >= w.back[i] {
			w.parties[i] = w.again(i)
		}
		if w.parties[i] == nil {
			down++
		}
	}
	for i := range w.parties {
		if w.parties[i] != nil && down < w.spare && w.chance(10) {
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
					w.underway = append(w.underway, post{p.Speaks(m.Kind), m, height + w.rng.Uint64N(3)})
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
				c := w.run(t)
				if c == nil {
					return
				}
				active++
				// Whoever is back, from the seed and the log alone, has its share.
				var shares []*shamir.KeyShare
				for i := range n {
					s, err := w.again(i).KeyShare(w.disk)
					require.NoError(t, err)
					shares = append(shares, s)
				}
				requireWorks(t, c, shares)
			})
		}
		require.GreaterOrEqual(t, active, seeds/2, "n=%d: the network is not that bad", n)
	}
}

// run is the ceremony to its end, and its committee: nil when it aborts, by name.
func (w *world) run(t *testing.T) *shamir.Committee {
	for height := uint64(5); w.memory.Phase() < dkg.PhaseActive; height++ {
		require.Less(t, height, uint64(5+12+12+3+12), "past every deadline")
		w.tick(height)
	}
	require.NoError(t, w.disk.Audit())
	if w.memory.Phase() == dkg.PhaseAborted {
		require.NotEmpty(t, w.memory.Culprits(), "an abort names those who failed")
		return nil
	}
	for _, culprit := range w.memory.Culprits() {
		require.NotEqual(t, dkg.ReasonBadDeal, culprit.Reason, "an honest dealer was convicted")
	}
	c, err := w.disk.Committee()
	require.NoError(t, err)
	return c
}
