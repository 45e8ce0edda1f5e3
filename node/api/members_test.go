package api_test

import (
	"encoding/hex"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// A network of four takes Nora in, and lets member 2 go, as programs see it.
func TestTheStandingsOfMembersAreTold(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	_, c := serve(t, s)
	ctx := t.Context()
	motions, err := c.Motions(ctx)
	require.NoError(t, err)
	require.Empty(t, motions)

	// A nomination, found by its id and by the start of it.
	s.Submit("Member 2", curation.Admit{Application: s.Apply("Nora")})
	motions, err = c.Motions(ctx)
	require.NoError(t, err)
	require.Len(t, motions, 1)
	m := motions[0]
	require.Equal(t, []any{"admit", "Nora", []uint32{2}, 1, 3, uint32(0)}, []any{m.Kind, m.Name, m.Votes, m.Counted, m.Threshold, m.Member})
	for _, id := range []string{m.ID.String(), m.ID.String()[:8]} {
		again, err := c.Motion(ctx, id)
		require.NoError(t, err)
		require.Equal(t, m, again)
	}
	_, err = c.Motion(ctx, "abc")
	require.Equal(t, http.StatusBadRequest, problemOf(t, err, api.CodeInput).Status)
	_, err = c.Motion(ctx, curation.Hash{1}.String())
	require.Equal(t, http.StatusNotFound, problemOf(t, err, api.CodeNotFound).Status)

	// Whoever votes takes the application out of the motion.
	a, err := m.Applicant.Application()
	require.NoError(t, err)
	require.NoError(t, a.Verify(s.Chain()))
	for _, voter := range []string{"Member 1", "Member 4"} {
		_, err := c.SubmitPayload(ctx, apitest.Key(voter), curation.Admit{Application: a})
		require.NoError(t, err)
	}
	_, err = c.Motion(ctx, m.ID.String())
	problemOf(t, err, api.CodeNotFound)
	members, err := c.Members(ctx)
	require.NoError(t, err)
	require.Len(t, members, 5)
	nora := members[4]
	require.Equal(t, []any{curation.StandingJoining, uint32(0), int64(0), false}, []any{nora.Standing, nora.Seat, nora.Power, nora.ShareProven})
	require.NotZero(t, nora.Since)
	require.Equal(t, a.Addresses, nora.Addresses)
	k, err := c.Committees(ctx)
	require.NoError(t, err)
	require.Equal(t, []any{[]uint32{5}, []uint32{}, []uint32{1, 2, 3, 4}}, []any{k.Joins, k.Leaves, k.Committees[0].Seats})
	n, err := c.Network(ctx)
	require.NoError(t, err)
	require.Equal(t, api.Shares{Seats: 4, Threshold: 3, Proven: 4, Margin: 1, Reachable: 3, State: "degraded"}, n.Shares, "who has no share yet does not count")

	// She is in; member 2 is voted out.
	s.Stands("Nora", curation.StandingActive)
	for _, voter := range []string{"Member 1", "Member 3", "Nora"} {
		s.Submit(voter, curation.Remove{Member: 2})
		if motions, err = c.Motions(ctx); voter == "Member 1" {
			require.NoError(t, err)
			require.Equal(t, []any{"remove", "Member 2", uint32(2), 1, 4}, []any{motions[0].Kind, motions[0].Name, motions[0].Member, motions[0].Counted, motions[0].Threshold})
			require.Nil(t, motions[0].Applicant)
		}
	}
	rid := s.Request("Vera", "red heart") // the last committee of member 2 has something to serve
	s.Submit("Member 4", curation.Remove{Member: 2})
	require.Equal(t, curation.StandingLeaving, s.Member("Member 2").Standing)
	k, err = c.Committees(ctx)
	require.NoError(t, err)
	require.Equal(t, []any{[]uint32{}, []uint32{2}}, []any{k.Joins, k.Leaves})
	s.Reach(rid, curation.StatusRegistered)
	s.Stands("Member 2", curation.StandingLeft)

	n, err = c.Network(ctx)
	require.NoError(t, err)
	require.Len(t, n.Members, 5, "who has left is still known")
	require.Equal(t, []uint32{1, 3, 4, 5}, n.Committee.Seats)
	require.Equal(t, 4, n.Committee.Members)
	require.Equal(t, []any{4, 3}, []any{n.Shares.Seats, n.Shares.Threshold})
	require.Equal(t, []any{curation.StandingLeft, uint32(0), int64(0)}, []any{n.Members[1].Standing, n.Members[1].Seat, n.Members[1].Power})
	require.Equal(t, []any{curation.StandingActive, uint32(4), int64(1)}, []any{n.Members[4].Standing, n.Members[4].Seat, n.Members[4].Power})
	require.Equal(t, n.Committee.Seats, n.Ceremony.Seats)
	node, err := c.Node(ctx)
	require.NoError(t, err)
	require.Equal(t, []any{uint32(1), curation.StandingActive}, []any{node.Member, node.Standing})

	// Member 5 makes a picture for the committee in which it has seat 4.
	for i := 0; ; i++ {
		rid = s.Request("Vera", fmt.Sprintf("picture %d", i))
		if a := s.Reach(rid, curation.StatusRegistered); a.Generator == 5 {
			break
		}
		require.Less(t, i, 40, "the seed never drew member 5")
	}
	work, err := c.Artwork(ctx, rid.String())
	require.NoError(t, err)
	export, err := c.Export(ctx)
	require.NoError(t, err)
	require.Len(t, export.Members, 5, "whoever made a picture has a name in the file")
	require.Equal(t, uint32(5), export.Artworks[rid].Generator)
	committee, err := shamir.UnmarshalCommittee(export.Committee)
	require.NoError(t, err)
	require.Equal(t, []any{4, work.Epoch}, []any{committee.N(), committee.Epoch()})
	statement := curation.StatementFor(s.Chain(), s.Artwork(rid).Opening)
	require.Equal(t, hex.EncodeToString(statement.Bytes()), work.Statement.String())
	_, err = quorum.Verify(committee, statement, [48]byte(work.Certificate))
	require.NoError(t, err)
}

// A motion ends without its votes, and the votes of somebody who has lost its share
// meanwhile do not count.
func TestAMotionCountsTheVotesOfThoseWhoHoldAShare(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.MotionBlocks = 400 })
	_, c := serve(t, s)
	s.Submit("Member 4", curation.Admit{Application: s.Apply("Nora")})
	s.Submit("Member 3", curation.Admit{Application: s.Apply("Nora")})
	s.Submit("Member 4", curation.Leave{})
	s.Stands("Member 4", curation.StandingLeft)
	motions, err := c.Motions(t.Context())
	require.NoError(t, err)
	require.Equal(t, []any{[]uint32{4, 3}, 1, 3}, []any{motions[0].Votes, motions[0].Counted, motions[0].Threshold})
	s.Blocks(400)
	motions, err = c.Motions(t.Context())
	require.NoError(t, err)
	require.Empty(t, motions)
}
