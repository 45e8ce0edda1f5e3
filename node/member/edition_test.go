package member_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/member"
)

// askEdition asks for an edition of artworks of the collector's.
func (w *world) askEdition(size uint64, changes []byte, of ...curation.Hash) {
	w.view(w.leader, func(v curation.View) {
		m, ok := v.Model()
		require.True(w.t, ok)
		e := curation.Edition{ModelID: m.ID, Of: of, Size: size, Changes: changes}
		if len(of) == 2 {
			e.Frames, e.Length = 10, 1000
		}
		w.submit(keyOf("vera"), e)
	})
}

// Editions take the way of every request, also through a storm and crashes. All members
// keep them for as long as the rules say, and nobody longer; who made them has their price.
func TestEditionsAreMadeAndKeptForAWhile(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       int
		faults  faults
		crashes int
	}{
		{"one member alone", 1, calm, 0},
		{"four members, drops, repeats and reordering, one of them crashing again and again", 4, storm, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorldWith(t, c.n, seedOf(c.name), c.faults, func(g *curation.Genesis) { g.Params.EditionBlocks = 150 })
			w.found()
			w.stumble(c.crashes)
			w.ask("red heart")
			w.ask("owl")
			require.True(t, w.run(400, func() bool { return len(w.artworks(curation.StatusCandidate)) == 2 }), "artworks %v", summary(w))
			works := w.artworks(curation.StatusCandidate)
			w.askEdition(2000, []byte{2, 0, 120}, works[0].RID)
			require.True(t, w.run(20, func() bool {
				return len(w.artworks(curation.StatusRequested, curation.StatusApproved, curation.StatusRegistered)) == 1
			}))
			w.askEdition(100, nil, works[0].RID, works[1].RID)
			require.True(t, w.run(400, func() bool { return len(w.artworks(curation.StatusDelivered)) == 2 }), "artworks %v", summary(w))
			editions, earned := w.artworks(curation.StatusDelivered), map[string]curve.Amount{}
			for _, a := range editions {
				earned[w.members[a.Generator-1].account()] = earned[w.members[a.Generator-1].account()].Add(a.Price)
			}
			w.view(w.leader, func(v curation.View) {
				for _, q := range w.members {
					require.Equal(t, earned[q.account()], v.Account(addressOf(q.account())).Balance, "%s", q.account())
				}
			})
			holds := func(q *peer, rid curation.Hash) bool { return q.kept[rid] == member.Candidate }
			require.True(t, w.run(100, func() bool {
				for _, q := range w.members {
					for _, a := range editions {
						if q.machine != nil && !holds(q, a.RID) {
							return false
						}
					}
				}
				return true
			}), "everybody who is up has them")
			require.True(t, w.run(400, func() bool {
				for _, q := range w.members {
					for _, a := range editions {
						if w.height < a.Kept || q.machine != nil && holds(q, a.RID) {
							return false
						}
					}
				}
				return true
			}), "and then nobody has")
			require.Empty(t, w.failed)
		})
	}
}

// What no recipe says nobody could draw: no member approves it, and all comes back.
func TestAnEditionThatNobodyCanReadIsNotApproved(t *testing.T) {
	w := newWorldWith(t, 4, 3, calm, func(g *curation.Genesis) { g.Params.RequestBlocks = 100 })
	w.found()
	w.ask("red heart")
	require.True(t, w.run(200, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }), "artworks %v", summary(w))
	var before, after curation.Account
	w.askEdition(100, []byte("paint it black"), w.artworks(curation.StatusCandidate)[0].RID)
	w.view(w.leader, func(v curation.View) { before = v.Account(addressOf("vera")) })
	require.True(t, w.run(150, func() bool { return len(w.artworks(curation.StatusExpired)) == 1 }), "artworks %v", summary(w))
	w.view(w.leader, func(v curation.View) { after = v.Account(addressOf("vera")) })
	require.Equal(t, before.Locked, after.Locked, "but for the fee")
	for _, q := range w.members {
		require.Contains(t, q.notes, "edition not approved: nobody could draw it")
	}
	require.Zero(t, w.artworks(curation.StatusExpired)[0].Approved)
	require.Empty(t, w.failed)
}

// One that members would not keep is drawn by its generator and its auditor, and by nobody
// after them: what the requester paid comes back, and the ledger says what to do.
func TestAnEditionThatIsTooLargeIsDrawnTwiceAndNoMore(t *testing.T) {
	for _, n := range []int{1, 4} {
		t.Run(fmt.Sprintf("members: %d", n), func(t *testing.T) {
			w := newWorldWith(t, n, 5, calm, func(*curation.Genesis) {})
			w.most = 500
			w.found()
			w.ask("red heart")
			require.True(t, w.run(200, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }), "artworks %v", summary(w))
			of := w.artworks(curation.StatusCandidate)[0].RID
			free := func() (a curation.Account) {
				w.view(w.leader, func(v curation.View) { a = v.Account(addressOf("vera")) })
				return a
			}
			before := free()
			w.askEdition(501, nil, of)
			require.True(t, w.run(300, func() bool { return len(w.artworks(curation.StatusExpired)) == 1 }), "artworks %v", summary(w))
			a := w.artworks(curation.StatusExpired)[0]
			require.Less(t, w.height, a.Expiry, "it ends long before its deadline")
			require.Contains(t, a.Reason, "ask for a smaller size")
			require.Empty(t, a.CID)
			require.Equal(t, min(n, 2), w.drawn[a.RID])
			require.Equal(t, before.Locked, free().Locked)
			w.askEdition(500, nil, of)
			require.True(t, w.run(300, func() bool { return len(w.artworks(curation.StatusDelivered)) == 1 }), "artworks %v", summary(w))
			require.Equal(t, min(n, 2), w.drawn[a.RID])
			for _, q := range w.members {
				require.NotContains(t, q.kept, a.RID)
			}
			require.Empty(t, w.failed)
		})
	}
}

// account is the name whose key a member signs with.
func (q *peer) account() string { return fmt.Sprintf("member %d", q.index) }
