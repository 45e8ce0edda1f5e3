package node

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/founding"
	"github.com/atelier-dao/atelier/node/ledger"
)

func TestAnApprovalIsForwardedFromTheSeatOfItsAuthor(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	epoch := uint64(1)
	speaks := func(name string, seat uint32) (yes bool) {
		s.Read(func(v curation.View) { yes = speaksFor(v, apitest.Address(name), epoch, seat) })
		return yes
	}
	require.True(t, speaks("Member 4", 4))
	require.False(t, speaks("Member 4", 3), "the seat of another")
	require.False(t, speaks("Member 4", 0))
	require.False(t, speaks("Vera", 1), "no member")
	require.False(t, speaks("Nora", 0), "nobody")

	s.Admit("Nora")
	require.False(t, speaks("Nora", 5), "it has no share yet")
	s.Stands("Nora", curation.StandingActive)
	epoch = 2
	require.True(t, speaks("Nora", 5))
	epoch = 3
	require.False(t, speaks("Nora", 5), "of a committee that is yet to come")

	// Seats are numbered anew with each committee; members keep their numbers.
	s.Submit("Member 2", curation.Leave{})
	s.Stands("Member 2", curation.StandingLeft)
	require.EqualValues(t, 5, s.Member("Nora").Index)
	require.True(t, speaks("Nora", 4))
	require.False(t, speaks("Member 3", 4), "the seat of another by its number")
	epoch = 2
	require.False(t, speaks("Nora", 5), "of a committee that serves nothing any more")
	require.False(t, speaks("Member 2", 2))
}

func TestWhoIsKnownFollowsTheLedger(t *testing.T) {
	s := apitest.Open(t, 2, nil)
	n := &Node{plan: founding.Plan{Document: &founding.Document{Members: []founding.Seat{
		{Record: founding.Record{Addrs: []string{"/dns4/one.example/tcp/1"}}}, {Record: founding.Record{Addrs: []string{"/dns4/two.example/tcp/1"}}}}}}}
	known := func(left map[uint32]uint64) (names []string, k founding.Known) {
		s.Read(func(v curation.View) {
			k = n.known(v, left)
			require.Equal(t, v.Height(), k.Height)
			for _, r := range k.Members {
				m, ok := v.MemberOf(r.Account)
				require.True(t, ok)
				names = append(names, m.Name)
			}
		})
		return names, k
	}
	names, k := known(nil)
	require.Equal(t, []string{"Member 1", "Member 2"}, names)
	require.Equal(t, []string{"/dns4/two.example/tcp/1"}, k.Members[1].Addresses, "a founder's are in the founding document")
	number := s.Admit("Nora")
	names, k = known(nil)
	require.Equal(t, []string{"Member 1", "Member 2", "Nora"}, names, "from its admission on")
	require.Equal(t, s.Member("Nora").Addresses, k.Members[2].Addresses, "those of its application")
	s.Stands("Nora", curation.StandingActive)
	s.Submit("Nora", curation.Leave{})
	require.Equal(t, curation.StandingLeaving, s.Member("Nora").Standing)
	names, _ = known(nil)
	require.Contains(t, names, "Nora", "it serves yet")
	s.Stands("Nora", curation.StandingLeft)
	names, _ = known(nil)
	require.Equal(t, []string{"Member 1", "Member 2"}, names)
	names, _ = known(map[uint32]uint64{number: 1})
	require.Contains(t, names, "Nora", "for a moment, so that it learns of it")
}

func TestEventsOfABlockAreReadToTheEndOrLess(t *testing.T) {
	kinds := func(upTo int) (seen []string) {
		b := ledger.Committed{Results: []curation.TxResult{{Events: []curation.Event{{Kind: "one"}, {Kind: "two"}}}, {}}, Events: []curation.Event{{Kind: "three"}}}
		for e := range eventsOf(b) {
			if seen = append(seen, e.Kind); len(seen) == upTo {
				break
			}
		}
		return seen
	}
	require.Equal(t, []string{"one", "two", "three"}, kinds(9))
	require.Equal(t, []string{"one"}, kinds(1))
}
