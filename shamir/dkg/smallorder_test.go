package dkg_test

import (
	"fmt"
	"testing"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/shamirtest"
	"github.com/stretchr/testify/require"
)

// plus adds a point that is not in the group to coefficients of y.
func plus(order, seed uint64, places ...int) func(*dkg.Tampering) {
	low := shamirtest.SmallOrder(order, seed)
	return func(b *dkg.Tampering) {
		b.Y(func(at []byte) []byte { return shamirtest.AddOnCurve(at, low) }, places...)
	}
}

// minus takes away what plus adds.
func minus(order, seed uint64, places ...int) func(*dkg.Tampering) {
	add := plus(order, seed, places...)
	return func(b *dkg.Tampering) {
		for range order - 1 {
			add(b)
		}
	}
}

// What dealers add to their commitments of small order changes nothing for anybody: not
// the keys, not a share, and nobody is accused for it; alone, together, cancelling each
// other or not.
func TestDealersWhoAddPointsOfSmallOrderChangeNothing(t *testing.T) {
	type cheat struct {
		name string
		two  []func(*dkg.Tampering) // of dealers 2 and 4
	}
	var cheats []cheat
	for i, order := range append(shamirtest.SmallOrders, 0) {
		c := cheat{fmt.Sprintf("order %d, by one dealer in one place", order), []func(*dkg.Tampering){plus(order, 1, 1+i%4/2)}}
		if i%2 == 1 {
			c = cheat{fmt.Sprintf("order %d, by two dealers in all places", order), []func(*dkg.Tampering){plus(order, 1, 1, 2), plus(order, 2, 1, 2)}}
		}
		cheats = append(cheats, c)
	}
	cheats = append(cheats, cheat{"cancelling each other", []func(*dkg.Tampering){plus(13, 1, 1, 2), minus(13, 1, 1, 2)}})
	for kind, begin := range map[string]func() (*dkg.Log, []*dkg.Party){
		"ceremony": func() (*dkg.Log, []*dkg.Party) { return open(t, 4) },
		"handover": func() (*dkg.Log, []*dkg.Party) {
			l, parties, _, _ := handover(t, 4, 5, 4)
			return l, parties
		},
	} {
		l, parties := begin()
		require.Empty(t, run(t, l, speakers(parties)))
		want, err := l.Committee()
		require.NoError(t, err)
		wanted := keyShares(t, l, parties)
		for _, c := range cheats {
			name := kind + ", " + c.name
			l, parties := begin()
			members := speakers(parties)
			for k, tamper := range c.two {
				members[1+2*k] = dkg.Liar{Party: parties[1+2*k], Tamper: tamper}
			}
			require.Empty(t, run(t, l, members), name)
			require.Empty(t, l.Culprits(), name)
			require.NoError(t, reread(t, l).Audit(), name)
			got, err := l.Committee()
			require.NoError(t, err, name)
			require.Equal(t, want.Digest(), got.Digest(), name)
			shares := keyShares(t, l, parties)
			requireWorks(t, got, shares)
			for i := range wanted {
				a, err := wanted[i].MarshalBinary()
				require.NoError(t, err)
				b, err := shares[i].MarshalBinary()
				require.NoError(t, err)
				require.Equal(t, a, b, "%s, member %d", name, i+1)
			}
		}
	}
}

// A dealer that hides a wrong share behind points of small order is found, and one that
// puts them where the key comes from is not heard at all.
func TestSmallOrderHidesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		tamper func(*dkg.Tampering)
		reason dkg.Reason
	}{
		"a wrong share of Y as well": {func(b *dkg.Tampering) { plus(13, 1, 1, 2)(b); b.WrongShare(3, 0, 1) }, dkg.ReasonBadDeal},
		"a wrong share of X as well": {func(b *dkg.Tampering) { plus(0, 1, 1)(b); b.WrongShare(4, 1, 0) }, dkg.ReasonBadDeal},
		"in the constant term":       {plus(2713, 1, 0), dkg.ReasonNoBundle},
		"instead of a coefficient": {func(b *dkg.Tampering) {
			b.Y(func([]byte) []byte { return shamirtest.SmallOrder(23, 1) }, 1)
		}, dkg.ReasonBadDeal},
		"instead of the constant term": {func(b *dkg.Tampering) {
			b.Y(func([]byte) []byte { return shamirtest.SmallOrder(0, 1) }, 0)
		}, dkg.ReasonNoBundle},
	} {
		t.Run(name, func(t *testing.T) {
			l, parties := open(t, 4)
			members := speakers(parties)
			members[1] = dkg.Liar{Party: parties[1], Tamper: c.tamper}
			for _, err := range run(t, l, members) {
				if c.reason == dkg.ReasonNoBundle {
					require.ErrorIs(t, err, dkg.ErrMessage)
				} else {
					require.ErrorIs(t, err, dkg.ErrDuplicate, "only a second accuser comes too late")
				}
			}
			require.Equal(t, dkg.PhaseActive, l.Phase())
			require.Equal(t, []dkg.Culprit{{Index: 2, Reason: c.reason}}, l.Culprits())
			require.Equal(t, []uint32{1, 3, 4}, l.Qualified())
			require.NoError(t, reread(t, l).Audit())
			var shares []*shamir.KeyShare
			for _, p := range parties {
				s, err := p.KeyShare(l)
				require.NoError(t, err)
				shares = append(shares, s)
			}
			committee, err := l.Committee()
			require.NoError(t, err)
			requireWorks(t, committee, shares)
		})
	}
}
