package member_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/seal"
)

var calm = faults{delay: 3, lag: 4}
var storm = faults{drop: 0.25, repeat: 0.25, delay: 25, lag: 30}

// TestARoundGoesThrough takes three prompts from request to a settled round, in
// calm and in storm, with members that crash at chance moments, and holds every
// released share against the rules.
func TestARoundGoesThrough(t *testing.T) {
	for _, c := range []struct {
		name    string
		n       int
		faults  faults
		crashes int // members that may be down at once
		seeds   int
	}{
		{"one member alone", 1, calm, 0, 2},
		{"four members, calm", 4, calm, 0, 2},
		{"four members, drops, repeats and reordering", 4, storm, 0, 4},
		{"four members, one of them crashing again and again", 4, storm, 1, 6},
		{"seven members, two of them crashing again and again", 7, storm, 2, 2},
	} {
		for s := range c.seeds {
			seed := seedOf(fmt.Sprint(c.name, s))
			t.Run(fmt.Sprintf("%s/seed=%d", c.name, seed), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, c.n, seed, c.faults)
				w.found()
				w.stumble(c.crashes)
				for i := range 3 {
					w.ask(fmt.Sprintf("picture %d", i))
				}
				require.True(t, w.run(600, func() bool {
					return len(w.artworks(curation.StatusBacking)) == 3
				}), "artworks %v", summary(w))
				w.order(3)
				require.True(t, w.run(400, func() bool {
					return len(w.artworks(curation.StatusPublished)) == 1
				}), "artworks %v", summary(w))
				require.Len(t, w.artworks(curation.StatusDeclined), 2)
				require.True(t, w.run(60, w.settled), "everybody who is up keeps the published work and nothing else")
				require.Empty(t, w.failed)
			})
		}
	}
}

// settled says whether every member that is up keeps what was published, and nothing
// that was not.
func (w *world) settled() bool {
	var published []curation.Hash
	for _, a := range w.artworks(curation.StatusPublished) {
		published = append(published, a.RID)
	}
	for _, q := range w.members {
		if q.machine == nil {
			continue
		}
		for _, rid := range published {
			if q.kept[rid] != member.Published {
				return false
			}
		}
		if len(q.kept) != len(published) {
			return false
		}
	}
	return true
}

func summary(w *world) (s []string) {
	for _, a := range w.artworks() {
		s = append(s, fmt.Sprintf("%s: %s (order %v, generator %d) %s", a.Prompt, a.Status, a.Order, a.Generator, a.Reason))
	}
	return s
}

// stumble crashes members now and then, at most so many at a time, also right at a
// journal entry, and brings them back.
func (w *world) stumble(most int) {
	if most == 0 {
		return
	}
	down := 0
	for _, q := range w.members {
		if q.machine == nil {
			down++
		}
	}
	q := w.members[w.rng.IntN(len(w.members))]
	switch {
	case q.machine == nil:
		w.start(q)
	case down < most && w.rng.IntN(2) == 0:
		w.crash(q)
	case down < most:
		q.torn = true
	}
	w.after(1+w.rng.IntN(8*blockTicks), func() { w.stumble(most) })
}

// order backs the first candidate of the round, as the collector, in one sealed order.
func (w *world) order(deposit uint64) {
	w.view(w.leader, func(v curation.View) {
		r, ok := v.RunningRound()
		require.True(w.t, ok)
		c, _ := v.Committee()
		o := curation.OpenOrder{Account: addressOf("vera"), RID: r.Candidates[0], Deposit: curve.Credits(deposit), MinOut: curve.NewAmount(1)}
		ct, err := seal.Encrypt(chance{w.rng}, c.X(), curation.OrderLabel(w.chain, r.Number).Hash(), o.Bytes())
		require.NoError(w.t, err)
		w.submit(keyOf("vera"), curation.SealedOrder{Round: r.Number, Escrow: curve.Credits(deposit + 1), Box: ct.Bytes()})
	})
}

// TestBelowTheThresholdNothingOpens stops two of four: the request waits, nothing is
// released, and when they return it goes on where it was.
func TestBelowTheThresholdNothingOpens(t *testing.T) {
	w := newWorld(t, 4, 11, calm)
	w.found()
	w.crash(w.members[2])
	w.crash(w.members[3])
	w.ask("red heart")
	require.False(t, w.run(40, func() bool { return len(w.artworks(curation.StatusApproved)) > 0 }))
	require.Empty(t, w.shares, "nothing was released")
	w.start(w.members[2])
	require.True(t, w.run(200, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }), "%v", summary(w))
	require.Empty(t, w.failed)
}

// TestReleaseIsRefused puts questions to a member that it must not answer.
func TestReleaseIsRefused(t *testing.T) {
	w := newWorld(t, 4, 5, calm)
	w.found()
	w.ask("red heart")
	ask := func(from string, rid curation.Hash, role seal.Role) (err error) {
		answered := false
		w.asked(w.members[0], addressOf(from), rid, role, func(_ []byte, e error) { err, answered = e, true })
		require.True(t, answered)
		return err
	}
	require.True(t, w.run(20, func() (ok bool) {
		w.view(w.members[0].ledger, func(v curation.View) {
			ok = len(v.Artworks(curation.Filter{Status: []curation.Status{curation.StatusRequested}})) == 1
		})
		return ok
	}))
	rid := w.artworks()[0].RID
	require.ErrorIs(t, ask("member 2", rid, seal.Generator), member.ErrNotApproved, "a request without a certificate")
	require.ErrorIs(t, ask("vera", rid, seal.Generator), member.ErrNotDrawn, "somebody who is no member")
	require.ErrorIs(t, ask("member 2", curation.Hash{9}, seal.Generator), member.ErrNotYet, "a request that nobody made")

	require.True(t, w.run(50, func() (ok bool) {
		w.view(w.members[0].ledger, func(v curation.View) {
			a, _ := v.Artwork(rid)
			ok = a.Status == curation.StatusApproved
		})
		return ok
	}))
	a := w.artworks()[0]
	for _, i := range a.Order[1:] {
		require.ErrorIs(t, ask(fmt.Sprintf("member %d", i), rid, seal.Generator), member.ErrNotDrawn, "a member that is not approved for this turn")
		require.Error(t, ask(fmt.Sprintf("member %d", i), rid, seal.Auditor), "an auditor before there is anything to audit")
	}
	require.NoError(t, ask(fmt.Sprintf("member %d", a.Order[0]), rid, seal.Generator), "the drawn generator")
	require.NoError(t, ask(fmt.Sprintf("member %d", a.Order[0]), rid, seal.Generator), "the drawn generator asking again")
	require.Error(t, ask(fmt.Sprintf("member %d", a.Order[0]), rid, seal.Role(9)), "a role that does not exist")

	require.True(t, w.run(200, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }))
	require.True(t, w.run(5, func() bool { return w.members[0].height >= w.height }))
	require.ErrorIs(t, ask(fmt.Sprintf("member %d", a.Order[0]), rid, seal.Generator), member.ErrNotDrawn, "a request that is done")
	require.Empty(t, w.failed)
}

// TestAMemberThatWasAwayAcknowledgesLate lets a member miss the whole ceremony: it
// takes its share from the ledger afterwards, and proves it, which counts.
func TestAMemberThatWasAwayAcknowledgesLate(t *testing.T) {
	w := newWorld(t, 4, 8, calm)
	w.crash(w.members[3])
	proven := func() (n int) {
		w.view(w.leader, func(v curation.View) {
			if _, ok := v.Committee(); ok {
				n = v.Ceremony().Acknowledged
			}
		})
		return n
	}
	require.True(t, w.run(400, func() bool { return proven() == 3 }), "the others go on without it")
	w.start(w.members[3])
	require.True(t, w.run(50, func() bool { return proven() == 4 }))
	require.True(t, w.members[3].machine.Ready())
}

// TestFinishedWorkIsNotThrownAway renders for longer than a turn: the ledger still
// takes the first generator's work, so it must still be offered.
func TestFinishedWorkIsNotThrownAway(t *testing.T) {
	slow := calm
	slow.render = 20 * blockTicks // a turn is 12 blocks
	w := newWorld(t, 4, 9, slow)
	w.found()
	w.ask("red heart")
	require.True(t, w.run(200, func() bool { return len(w.artworks(curation.StatusCandidate)) == 1 }), "%v", summary(w))
	a := w.artworks()[0]
	require.Equal(t, a.Order[0], a.Generator)
	require.Greater(t, a.Registered, a.Approved+12)
}

// TestASecondReaderKeyIsRefused restarts a member on a journal that names another
// reader key for the same reader: it must not answer.
func TestASecondReaderKeyIsRefused(t *testing.T) {
	w := newWorld(t, 4, 6, calm)
	w.found()
	w.ask("red heart")
	require.True(t, w.run(60, func() bool { return len(w.artworks(curation.StatusApproved)) == 1 }))
	a := w.artworks()[0]
	q := w.members[0]
	require.True(t, w.run(10, func() bool { return q.height >= a.Approved }))
	q.journal = []member.Entry{{RID: a.RID, Role: seal.Generator, Member: a.Order[0], R: curation.Hash{1}}}
	w.start(q)
	var err error
	w.asked(q, addressOf(fmt.Sprintf("member %d", a.Order[0])), a.RID, seal.Generator, func(_ []byte, e error) { err = e })
	require.ErrorIs(t, err, member.ErrReleased)
}

// TestALostJournalReleasesToTheSameKeyOnly restores a member, whose journal is lost
// with its home: the ledger fixes one key for each reader of a request, so that what
// it releases now is blinded for the key of then, however often it is asked.
func TestALostJournalReleasesToTheSameKeyOnly(t *testing.T) {
	w := newWorld(t, 4, 7, calm)
	w.found()
	w.ask("red heart")
	require.True(t, w.run(60, func() bool { return len(w.artworks(curation.StatusApproved)) == 1 }))
	a := w.artworks()[0]
	q := w.members[0]
	require.True(t, w.run(10, func() bool { return q.height >= a.Approved }))
	ask := func() (err error) {
		w.asked(q, addressOf(fmt.Sprintf("member %d", a.Order[0])), a.RID, seal.Generator, func(_ []byte, e error) { err = e })
		return err
	}
	require.NoError(t, ask())
	require.Len(t, q.journal, 1)
	before := q.journal[0]
	fixed, ok := a.Readers().Lookup(a.Order[0])
	require.True(t, ok)
	require.EqualValues(t, fixed, before.R)

	q.journal = nil
	w.start(q)
	require.True(t, q.machine.Ready(), "seed and ledger make the share again")
	require.NoError(t, ask())
	require.Len(t, q.journal, 1)
	require.Equal(t, before.R, q.journal[0].R, "the reader's key of then")
	require.Equal(t, before.Context, q.journal[0].Context)
	for _, i := range a.Order[1:] {
		var err error
		w.asked(q, addressOf(fmt.Sprintf("member %d", i)), a.RID, seal.Generator, func(_ []byte, e error) { err = e })
		require.ErrorIs(t, err, member.ErrNotDrawn, "another reader")
	}
	require.Empty(t, w.failed)
}
