package attack

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/stretchr/testify/require"
)

// requireSound fails with the command that replays the run.
func requireSound(t *testing.T, r Result) {
	t.Helper()
	require.Empty(t, r.Broken, "%s, n=%d, seed %d: replay with\n  %s", r.Attack, r.N, r.Seed, r.Replay())
	require.NotEmpty(t, r.Outcome)
}

// TestAttacks plays every attack against four members, and a part of them, another
// for each size, against more. examples/custody-attacks plays all as often as asked.
func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ n, seeds, every int }{{4, 1, 1}, {7, 1, 5}, {16, 1, 23}} {
		for seed := range uint64(c.seeds) {
			w := NewWorld(c.n, seed)
			for i, a := range All() {
				if i%c.every == c.every/2 {
					requireSound(t, a.Against(w))
				}
			}
		}
	}
}

// A member may crash at every point of a ceremony and a handover; nobody notices.
func TestAMemberCrashesAtEveryStepAndMessage(t *testing.T) {
	t.Parallel()
	const n = 4
	for name, stage := range map[string]func(*World) *stage{"ceremony": (*World).fresh, "handover": (*World).handover} {
		w := NewWorld(n, 1)
		s := stage(w)
		points := 0
		for place := range s.parties {
			without, all := calm(w, s, place)
			for point := 1; point <= all; point++ {
				crashAt(w, s, place, point, without)
				points++
				require.Empty(t, w.broken, "%s: member at place %d, point %d", name, place, point)
			}
		}
		require.Greater(t, points, 8*n, name)
	}
}

func TestNamesAreSentencesAndDiffer(t *testing.T) {
	seen := map[string]bool{}
	roles := map[Role]int{}
	for _, a := range All() {
		require.False(t, seen[a.Name], a.Name)
		seen[a.Name] = true
		roles[a.Role]++
		require.GreaterOrEqual(t, len(strings.Fields(a.Name)), 4, a.Name)
	}
	require.Greater(t, len(seen), 280)
	for _, r := range []Role{Dealer, Holder, Reader, Voter, Relay, Aggregator, Rotator, Fate} {
		require.Positive(t, roles[r], r)
	}
	_, err := Find("the king of France attacks")
	require.ErrorContains(t, err, "no attack is called")
}

// The same attack, size and seed are the same run, alone or among others.
func TestARunIsReplayed(t *testing.T) {
	t.Parallel()
	w := NewWorld(4, 7)
	for i, a := range All() {
		together := a.Against(w)
		if i%12 == 5 {
			require.Equal(t, Play(a, 4, 7), together)
		}
	}
}

// What breaks an invariant is found: without this a suite that checks nothing
// would pass.
func TestTheSuiteNoticesWhatBreaks(t *testing.T) {
	dkgOf := func(w *World, bad ...int) *ceremony { return w.stageOf(w.fresh(), NewChance("test"), bad...) }
	for name, c := range map[string]struct {
		run  func(w *World, c *Chance) Outcome
		says string
	}{
		"a panic": {func(*World, *Chance) Outcome { panic("ouch") }, "panic: ouch"},
		"an honest dealer who is named": {func(w *World, c *Chance) Outcome {
			p := dkgOf(w, 1)
			p.run(silentFrom(dkg.KindCommit))
			p.bad = map[int]bool{2: true} // as if another had been silent
			return p.settle()
		}, "honest member 2 is named: posted no commitment"},
		"an abort without need": {func(w *World, c *Chance) Outcome {
			p := dkgOf(w, 1, 2)
			p.run(func(_ *ceremony, honest []post) []post { return honest })
			delete(p.bad, 1)
			return p.settle()
		}, "aborted although enough honest members took part"},
		"a script that forges a name": {func(w *World, c *Chance) Outcome {
			p := dkgOf(w, 1)
			p.run(func(p *ceremony, honest []post) []post {
				for i := range honest {
					honest[i].bad = true
				}
				return append(honest, p.follow()...)
			})
			return p.settle()
		}, "under an honest name"},
		"a share for what the ledger does not hold": {func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			delete(v.ledger, v.statement.RID)
			_, err := v.ask(c, v.shares[0], v.ct, v.cert, v.reader)
			w.must(err)
			return NoEffect
		}, "for a request that the ledger does not hold"},
		"an honest share that is named": {func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			answer := slices.Clone(v.answer)
			for i := range answer {
				if !slices.Contains(v.bad, i) {
					answer[i] = nil
					break
				}
			}
			v.answer = answer
			v.survives(c)
			return NoEffect
		}, "cannot release"},
		"t shares that open": {func(w *World, c *Chance) Outcome {
			v := w.vault(c)
			for i := range v.T() - 1 { // the colluders have one more than they should
				v.bad = append(v.bad, i)
			}
			slices.Sort(v.bad)
			v.bad = slices.Compact(v.bad)
			for i := 0; len(v.bad) < v.T(); i++ {
				if !slices.Contains(v.bad, i) {
					v.bad = append(v.bad, i)
				}
			}
			v.guess(c, v.readerKey(), nil)
			return NoEffect
		}, "open a model"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Play(Attack{"an attack that succeeds", Holder, c.run}, 4, 1)
			require.Empty(t, r.Outcome)
			require.Contains(t, strings.Join(r.Broken, "\n"), c.says)
			require.Equal(t, `go run ./examples/custody-attacks -n 4 -attack "an attack that succeeds" -seed 1`, r.Replay())
		})
	}
}

// The adversary writes bundles by the bytes. If the format moved and it did not,
// every forgery would be refused for the wrong reason.
func TestTheAdversarysOwnBundlesAreInOrderUntilItChangesThem(t *testing.T) {
	for name, stage := range map[string]func(*World) *stage{"ceremony": (*World).fresh, "handover": (*World).handover} {
		w := NewWorld(4, 3)
		p := w.stageOf(stage(w), NewChance("in order"))
		for place, party := range p.parties {
			if party.Speaks(dkg.KindBundle) != 0 {
				p.bad[place] = true
				break
			}
		}
		p.run(lie(func(*forgery) {}))
		require.Equal(t, NoEffect, p.settle(), name)
		require.Empty(t, w.broken, name)
		require.Empty(t, p.log.Culprits(), name)
	}
}

// The points that look like signatures are where they should be.
func TestHostilePointsAreOnTheCurve(t *testing.T) {
	c := NewChance("points")
	read := func(b []byte) g1 {
		negative := b[0]&0x20 != 0
		b = append([]byte{b[0] & 0x1f}, b[1:]...)
		var p g1
		require.NoError(t, p.x.UnmarshalBinary(b))
		y, ok := root(p.x)
		require.True(t, ok, "on the curve")
		if p.y = y; (y.IsNegative() == 1) != negative {
			p.y.Neg()
		}
		return p
	}
	for range 20 {
		sig := shamir.Encode(c.Point(shamir.G1))
		require.Equal(t, sig, read(sig).compressed())
		outside := outsideG1(c)
		require.Equal(t, outside, read(outside).compressed())
		_, err := shamir.DecodePoint(shamir.G1, outside)
		require.Error(t, err)
		// The point has order 3: added three times it is gone, once or twice it is not.
		seen := map[string]bool{string(sig): true}
		for range 12 {
			moved := plusTorsion(c, sig)
			require.Equal(t, moved, read(moved).compressed())
			_, err := shamir.DecodePoint(shamir.G1, moved)
			require.Error(t, err)
			for range 4 {
				moved = plusTorsion(c, moved)
				seen[string(moved)] = true
			}
		}
		require.Len(t, seen, 3)
	}
}

func TestChanceIsUniformEnoughAndRepeats(t *testing.T) {
	a, b := NewChance("x", 1), NewChance("x", 1)
	require.Equal(t, a.Bytes(100), b.Bytes(100))
	require.NotEqual(t, a.Bytes(32), NewChance("x", 2).Bytes(32))
	counts := map[int]int{}
	for range 600 {
		some := a.Some(2, 6)
		require.Len(t, some, 2)
		for _, i := range some {
			counts[i]++
		}
	}
	for i := range 6 {
		require.InDelta(t, 200, counts[i], 60, fmt.Sprint(i))
	}
}

// Attacks a run plays in benchmarks: what a seed costs.
func BenchmarkSeed(b *testing.B) {
	for _, n := range []int{4, 7, 16} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			for b.Loop() {
				w := NewWorld(n, 0)
				for _, a := range All() {
					if r := a.Against(w); len(r.Broken) > 0 {
						b.Fatal(r)
					}
				}
			}
		})
	}
}
