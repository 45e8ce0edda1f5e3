package secagg_test

import (
	"testing"

	"github.com/atelier-dao/atelier/shamir/secagg"
	"github.com/stretchr/testify/require"
)

// otherwise is the same round as a ledger of liars would show it to others: of the messages
// of that phase, some are left out.
func otherwise(t *testing.T, name string, phase secagg.Phase, absent ...uint32) *world {
	w := newWorld(t, name, params(7, 4))
	for _, i := range absent {
		w.nodes[i-1].awake = func(p secagg.Phase) bool { return p != phase }
	}
	return w
}

// A box stands where its receiver is among those with keys. Were shares taken where others
// have keys, each honest receiver would find another's box in its place, dispute it, and
// with the key that it reveals open its own to everybody: both secrets of an honest member.
func TestSharesCountOnlyAmongTheKeysThatTheyWereMadeFor(t *testing.T) {
	shown, told := otherwise(t, t.Name(), secagg.PhaseAdvertise, 7), otherwise(t, t.Name(), secagg.PhaseAdvertise, 1)
	shown.until(secagg.PhaseDispute)
	told.until(secagg.PhaseShare)
	require.Equal(t, shown.round.ID(), told.round.ID())
	shares := secagg.BodyOf(shown.round, 4)
	require.ErrorIs(t, told.round.Apply(told.height+1, 4, message{Kind: secagg.KindShares, Body: shares}), secagg.ErrMessage)
	told.tick() // the member's own, for these keys
	require.NotEqual(t, shares, secagg.BodyOf(told.round, 4))
}

// What is masked with few members is bare where all but the liars among them count as
// drop-outs: their pairwise secrets are given away there.
func TestAnInputCountsOnlyAmongTheMembersWithWhomItIsMasked(t *testing.T) {
	few, all := otherwise(t, t.Name(), secagg.PhaseShare, 4, 5), otherwise(t, t.Name(), secagg.PhaseShare)
	all.nodes[0].awake = func(p secagg.Phase) bool { return p != secagg.PhaseInput }
	var posted message
	few.nodes[0].message = func(_ *participant, m message) []message {
		if m.Kind == secagg.KindInput {
			posted = m
		}
		return []message{m}
	}
	few.until(secagg.PhaseConfirm)
	require.Equal(t, []uint32{1, 2, 3, 6, 7}, few.round.Participants())
	all.until(secagg.PhaseInput)
	require.Equal(t, few.round.ID(), all.round.ID())
	require.ErrorIs(t, all.round.Apply(all.height+1, 1, posted), secagg.ErrMessage)

	// The member itself does not go on there either.
	_, err := few.nodes[0].participant().Step(all.height+1, all.round, secagg.Event{})
	require.ErrorIs(t, err, secagg.ErrSharersFixed)
	all.run()
	all.requireSum(2, 3, 4, 5, 6, 7)
}

// What the package comment admits: one colluder less than the threshold choose with whose
// input alone theirs are summed; as many as a network bears, less than a third, do not.
func TestThoseWhoKeepConfirmationsBackChooseTheCrowd(t *testing.T) {
	for _, c := range []struct {
		name      string
		liars     []uint32
		survivors []uint32
	}{
		{"four of seven, where five suffice", []uint32{4, 5, 6, 7}, []uint32{1, 4, 5, 6, 7}},
		{"two of seven", []uint32{6, 7}, indices(7)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, t.Name(), params(7, 4))
			for _, i := range c.liars {
				w.nodes[i-1].on(secagg.KindConfirm, func(_ *participant, _ *secagg.Round, m message) []message {
					return bodies(m.Kind, secagg.Bits(7, append([]uint32{1}, c.liars...)...))
				})
			}
			w.run()
			w.requireSum(c.survivors...)
		})
	}
}
