package member_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/guardian"
)

// guards are the guardians of a world. They come by every few blocks, as people do.
type guards struct {
	w    *world
	all  []*guardian.Guardian
	away map[int]bool
}

func guardianName(i int) string { return fmt.Sprintf("guardian %d", i) }

func guardedWorld(t testing.TB, seed uint64, f faults, policy curation.DeathPolicy) (*world, *guards) {
	g := &guards{away: map[int]bool{}}
	w := newWorldWith(t, 4, seed, f, func(doc *curation.Genesis) {
		doc.Succession = curation.Succession{Policy: policy, Threshold: 2, AnswerBlocks: 30}
		if policy == curation.GuardianPolicy {
			doc.Succession.DelayBlocks = 20
		} else {
			doc.Succession.SilentBlocks = 400
		}
		for i := range 3 {
			a := addressOf(guardianName(i))
			doc.Succession.Guardians = append(doc.Succession.Guardians, curation.Guardian{Name: guardianName(i), Account: a})
			doc.Balances = append(doc.Balances, curation.GenesisBalance{Account: a, Amount: curve.Credits(10)})
			g.all = append(g.all, &guardian.Guardian{Account: a, Seeds: map[uint64][32]byte{}})
		}
		doc.SortBalances()
	})
	g.w = w
	w.after(5, g.visit)
	return w, g
}

// visit has every guardian who is not away do what is due, every four blocks.
func (g *guards) visit() {
	for i, q := range g.all {
		if g.away[i] {
			continue
		}
		g.w.view(g.w.leader, func(v curation.View) {
			if _, made := v.Committee(); !made {
				return
			}
			effects, err := q.Step(guardian.Read(v), false, chance{g.w.rng})
			require.NoError(g.w.t, err)
			for _, e := range effects {
				q.Done(e)
				if s, ok := e.(guardian.Submit); ok {
					g.w.pool = append(g.w.pool, g.sign(i, s.Payload))
				}
			}
		})
	}
	g.w.after(4*blockTicks, g.visit)
}

func (g *guards) sign(i int, p curation.Payload) (tx []byte) {
	key := keyOf(guardianName(i))
	g.w.view(g.w.leader, func(v curation.View) {
		nonce := v.Account(g.all[i].Account).Nonce
		for _, raw := range g.w.pool {
			if tx, err := curation.Decode(raw); err == nil && tx.Signer == g.all[i].Account {
				nonce++
			}
		}
		var err error
		tx, err = curation.Sign(key, g.w.chain, curation.Body{Nonce: nonce, ValidUntil: g.w.height + 50, Payload: p})
		require.NoError(g.w.t, err)
	})
	return tx
}

func (w *world) estate() (e curation.Estate) {
	w.view(w.leader, func(v curation.View) { e = v.Estate() })
	return e
}

// forget has members lose all seeds and start again.
func (w *world) forget(members ...int) {
	for _, i := range members {
		q := w.members[i]
		w.crash(q)
		clear(q.secrets.Seeds)
		w.start(q)
	}
}

func (w *world) held() (n int) {
	w.view(w.leader, func(v curation.View) { n = v.Network().Committee.Held() })
	return n
}

// TestGuardiansGiveTheMembersTheirKeyBack: all members lose their shares, and the
// network draws again with the same key.
func TestGuardiansGiveTheMembersTheirKeyBack(t *testing.T) {
	for name, f := range map[string]faults{"calm": calm, "storm": storm} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, g := guardedWorld(t, 31, f, curation.GuardianPolicy)
			w.found()
			require.True(t, w.run(400, func() bool { s := w.estate().Sharing; return s != nil && s.Proven == 3 }), "%+v", w.estate())
			w.handOver(0)
			epoch := w.epoch()
			w.forget(0, 1, 2, 3)
			require.True(t, w.run(200, func() bool { return w.held() == 0 }), "the members tell by themselves: %d held", w.held())
			g.away[2] = true
			w.pool = append(w.pool, g.sign(0, curation.Recover{}), g.sign(1, curation.Recover{}))
			require.True(t, w.run(900, func() bool { return w.epoch() == epoch+1 && w.held() == 4 }), "%+v %s", w.estate().Recovery, w.custody())
			require.True(t, w.run(100, func() bool {
				for _, q := range w.members {
					if !q.machine.Ready() {
						return false
					}
				}
				return true
			}))
			w.ask("after the disaster")
			require.True(t, w.run(400, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }), "%v", summary(w))
			require.Empty(t, w.failed)
			w.handOver(1)
		})
	}
}

// TestMembersShowTheyLive: under a will an idle network hands over by itself, so that
// no guardian may publish; when the members have lost their shares, they may.
func TestMembersShowTheyLive(t *testing.T) {
	w, g := guardedWorld(t, 32, calm, curation.WillPolicy)
	w.found()
	require.True(t, w.run(400, func() bool { s := w.estate().Sharing; return s != nil && s.Proven == 3 }))
	epoch := w.epoch()
	require.True(t, w.run(800, func() bool { return w.epoch() == epoch+2 }), "two refreshes without anybody asking")
	require.Greater(t, w.estate().Silent(), w.height)
	w.forget(0, 1)
	require.True(t, w.run(900, func() bool { return w.height > w.estate().Silent() }))
	require.Equal(t, 2, w.held())
	for i := range 2 {
		w.view(w.leader, func(v curation.View) {
			p, err := g.all[i].Publication(guardian.Read(v))
			require.NoError(t, err)
			w.pool = append(w.pool, g.sign(i, p))
		})
	}
	require.True(t, w.run(20, func() bool { return w.estate().Published() }))
}

// TestAMemberThatFindsItsSeedAgainSaysSo.
func TestAMemberThatFindsItsSeedAgainSaysSo(t *testing.T) {
	w := newWorld(t, 4, 33, calm)
	w.found()
	q := w.members[2]
	seed := q.secrets.Seeds[1]
	w.forget(2)
	require.True(t, w.run(60, func() bool { return w.held() == 3 }))
	w.crash(q)
	q.secrets.Seeds[1] = seed
	w.start(q)
	require.True(t, w.run(60, func() bool { return w.held() == 4 }))
}

// TestASharingAmongGuardiansSurvivesCrashesOfItsDealers.
func TestASharingAmongGuardiansSurvivesCrashesOfItsDealers(t *testing.T) {
	w, _ := guardedWorld(t, 34, storm, curation.GuardianPolicy)
	w.found()
	w.stumble(1)
	require.True(t, w.run(900, func() bool { s := w.estate().Sharing; return s != nil && s.Proven == 3 }), "%+v", w.estate())
}
