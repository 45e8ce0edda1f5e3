package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// keyOf writes the key of somebody in a studio to a file.
func keyOf(t *testing.T, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.age")
	require.NoError(t, keys.SaveAccount(path, "", apitest.Key(name)))
	return path
}

func TestMembersAreAdmittedByVotes(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	atelier := ask(t, s)
	one, three := keyOf(t, "Member 1"), keyOf(t, "Member 3")

	r := atelier("member", "votes")
	require.Contains(t, r.out, "no vote is under way")
	r = atelier("member", "admit", "Nora", "--key", one)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, `nobody named "Nora" stands for a vote`)
	require.Contains(t, r.err, "atelier member invite")
	r = atelier("member", "admit", "Member 2", "--key", one)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, "Member 2 is member 2 already, and active")

	s.Submit("Member 2", curation.Admit{Application: s.Apply("Nora")})
	r = atelier("member", "list")
	require.Equal(t, 0, r.code, r.err)
	require.Regexp(t, `(?m)^4 +Member 4 +active +4 +yes +proven +\d+ +z6Mk`, r.out)
	require.Contains(t, r.out, "margin: 1 may be lost; 4 of 4 have proved theirs, 3 are needed\n")
	require.Regexp(t, `(?m)^vote: admit Nora: 1 of 3 votes, until height \d+, in 86399 blocks$`, r.out)
	require.NotContains(t, r.out, "next handover")
	r = atelier("member", "votes")
	require.Regexp(t, `for it +Member 2 \(2\)`, r.out)
	require.Regexp(t, `account +`+apitest.Address("Nora").String(), r.out)
	require.Contains(t, r.out, "/ip4/192.0.2.7/udp/4001/quic-v1")
	r = atelier("member", "votes", "--json")
	var motions []api.Motion
	require.NoError(t, json.Unmarshal([]byte(r.out), &motions))
	require.Len(t, motions, 1)

	r = atelier("member", "admit", "Nora", "--key", keyOf(t, "Vera"))
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, "member list")
	r = atelier("member", "admit", "Nora", "--key", one)
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "Nora: 2 of 3 votes, until height")
	r = atelier("member", "admit", "Nora", "--key", one)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, "member 1 has voted for this already; see where members and votes stand with `atelier member list")
	r = atelier("member", "admit", motions[0].ID.String()[:8], "--key", three, "--json")
	require.Equal(t, 0, r.code, r.err)
	var came voted
	require.NoError(t, json.Unmarshal([]byte(r.out), &came))
	require.Equal(t, voted{Name: "Nora", Member: 5, Motion: motions[0].ID.String(), Votes: 3, Threshold: 3, Decided: true, Standing: "joining"}, came)

	// Until the handover she has a name and a number, and no share.
	r = atelier("member", "list")
	require.Regexp(t, `(?m)^5 +Nora +joining +- +no +none +0 +z6Mk`, r.out)
	require.Contains(t, r.out, "next handover: Nora (5) joins\n")
	require.Contains(t, r.out, "4 of 4 have proved theirs, 3 are needed")
	r = atelier("network", "show")
	require.Regexp(t, `members +4, of whom 4 proved`, r.out)
	require.Contains(t, r.out, "with the next handover: Nora (5) joins")
	require.Contains(t, r.out, "1 may be lost: 3 shares needed")
	r = atelier("committee", "show")
	require.Regexp(t, `seats +1 Member 1, 2 Member 2, 3 Member 3, 4 Member 4\n`, r.out)
	require.Regexp(t, `joins then +Nora \(5\)`, r.out)
	require.Regexp(t, `handover +(none yet: the members begin one by themselves|not now: )`, r.out)
	r = atelier("network", "wait", "--timeout", "1s")
	require.Equal(t, 0, r.code, "who has no share yet keeps nothing waiting: %s", r.err)

	s.Stands("Nora", curation.StandingActive)
	r = atelier("committee", "history")
	require.Regexp(t, `(?m)^2 +\d+ +5 +4 +5 +1 +5 +- +[1-4,]+\n1 +\d+ +4 +3 +4 +1 +- +- +[1-4,]+$`, r.out)
}

// One who joins and does not acknowledge its share is left behind, and everybody sees
// why and for how long.
func TestOneWhoMissesItsHandoverIsShown(t *testing.T) {
	s := apitest.Open(t, 2, nil)
	atelier := ask(t, s)
	s.Apply("Nora")
	s.Mute("Nora", func(p curation.Payload) bool {
		c, ok := p.(curation.CeremonyMessage)
		return ok && dkg.Kind(c.Message) == dkg.KindAck
	})
	nora := s.Admit("Nora")
	r := atelier("member", "list")
	require.NotContains(t, r.out, "missed:")
	var missed curation.Missed
	s.Run("a handover that fails", func(v curation.View) (yes bool) { missed, yes = v.Missed(nora); return yes })
	r = atelier("member", "list")
	line := fmt.Sprintf("missed: Nora consented to a handover and did not acknowledge its share, 1 time of 3: it may take part again from height %d on", missed.Again)
	require.Contains(t, r.out, line)
	r = atelier("committee", "show")
	require.Regexp(t, `last failed +.*Nora \(3\).*did not acknowledge`, r.out)
	s.Mute("Nora", nil)
	var height uint64
	s.Read(func(v curation.View) { height = v.Height() })
	s.Blocks(int(missed.Again - height))
	s.Stands("Nora", curation.StandingActive)
	r = atelier("member", "list")
	require.NotContains(t, r.out, "missed:")
}

// Of two or three members nobody can be removed without its own vote, and the command
// says so before it is given.
func TestWhoMustVoteForItsOwnRemoval(t *testing.T) {
	for n, needed := range map[int]bool{2: true, 3: true, 4: false} {
		s := apitest.Open(t, n, nil)
		atelier := ask(t, s)
		last := fmt.Sprintf("Member %d", n)
		r := atelier("member", "remove", last, "--yes", "--key", keyOf(t, "Member 1"))
		require.Equal(t, 0, r.code, r.err)
		note := fmt.Sprintf("note: %d votes are needed, %s's own among them: it cannot be removed against its will", n, last)
		require.Equal(t, needed, strings.Contains(r.err, note), r.err)
		r = atelier("member", "votes")
		require.Equal(t, needed, strings.Contains(r.out, note), r.out)
		if !needed {
			continue
		}
		for i := 2; i < n; i++ {
			s.Submit(fmt.Sprintf("Member %d", i), curation.Remove{Member: uint32(n)})
		}
		require.Equal(t, curation.StandingActive, s.Member(last).Standing)
		r = atelier("member", "remove", last, "--yes", "--key", keyOf(t, last))
		require.Equal(t, 0, r.code, r.err)
		require.Contains(t, r.out, last+" is removed", "its own vote is the last")
	}
}

func TestMembersAreRemovedByVotesAndByTheirOwnWord(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	atelier := ask(t, s)
	one := keyOf(t, "Member 1")
	r := atelier("member", "remove", "Member 3", "--key", one)
	require.Equal(t, codeUsage, r.code, "nobody is at the terminal")
	require.Contains(t, r.err, "vote to remove Member 3, member 3 (z6Mk")
	require.Contains(t, r.err, "--yes")
	r = atelier("member", "remove", "9", "--yes", "--key", one)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, `there is no member "9"`)
	r = atelier("member", "remove", "Member 3", "--yes", "--key", one)
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "Member 3: 1 of 3 votes, until height")
	r = atelier("member", "list")
	require.Regexp(t, `vote: remove Member 3 \(3\): 1 of 3 votes`, r.out)
	r = atelier("member", "votes")
	require.Contains(t, r.out, "atelier member remove 3")
	s.Submit("Member 2", curation.Remove{Member: 3})
	rid := s.Request("Vera", "red heart") // of the committee that member 3 is in
	r = atelier("member", "remove", "3", "--yes", "--key", keyOf(t, "Member 4"))
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "Member 3 is removed: its share and its vote end with the next handover")
	r = atelier("member", "list")
	require.Contains(t, r.out, "next handover: Member 3 (3) leaves\n")
	s.Reach(rid, curation.StatusCandidate)
	s.Stands("Member 3", curation.StandingLeft)

	r = atelier("member", "list")
	require.NotContains(t, r.out, "Member 3")
	r = atelier("member", "list", "--all")
	require.Regexp(t, `(?m)^3 +Member 3 +left +- +no +none `, r.out)
	require.Regexp(t, `(?m)^4 +Member 4 +active +3 `, r.out)
	r = atelier("committee", "show")
	require.Regexp(t, `seats +1 Member 1, 2 Member 2, 3 Member 4 \(member 4\)\n`, r.out)
	require.Regexp(t, `margin +none may be lost: 3 are needed`, r.out)
	r = atelier("member", "remove", "3", "--yes", "--key", one)
	require.Contains(t, r.err, "member 3 (Member 3) has left already")

	// Its own word is enough, and the command goes with it to the end.
	s.Run("the pause after the handover", func(v curation.View) bool { return v.MayHandOver(0) == nil })
	four := keyOf(t, "Member 4")
	r = atelier("member", "leave", "--key", four)
	require.Equal(t, codeUsage, r.code)
	require.Contains(t, r.err, "Member 4, member 4, leaves Test studio for good? Say so with --yes")
	r = atelier("member", "leave", "--yes", "--no-wait", "--key", four)
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "Member 4, member 4, is leaving: gives its share and vote back with the next handover")
	r = atelier("member", "leave", "--timeout", "50ms", "--key", four)
	require.Equal(t, codeQuorum, r.code)
	require.Contains(t, r.err, "Member 4 has not left within 50ms: 3 of 3 members online")
	require.Contains(t, r.err, "It is leaving, and its node has to run on")
	done := make(chan asked)
	go func() { done <- atelier("member", "leave", "--key", four) }()
	s.Stands("Member 4", curation.StandingLeft)
	r = <-done
	require.Equal(t, 0, r.code, r.err)
	require.Regexp(t, `(?m)^  left +\d+\.\d s  was a member`, r.out)
	require.Contains(t, r.out, "Member 4 has left; its node may be stopped\nnext: atelier node stop")

	// Who has no share yet goes at once, and the last one stays.
	s.Admit("Nora")
	r = atelier("member", "leave", "--yes", "--key", keyOf(t, "Nora"))
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "Nora has left")
	r = atelier("member", "leave", "--yes", "--key", keyOf(t, "Vera"))
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, "is not the account of a member of Test studio")
	r = atelier("member", "leave", "--yes", "--no-wait", "--key", keyOf(t, "Member 2"))
	require.Equal(t, 0, r.code, r.err)
	r = atelier("member", "leave", "--yes", "--key", one)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, "is the last one: somebody else must be a member first")
}

func TestApplicantsOfOneNameAreToldApart(t *testing.T) {
	v := &voter{env: &env{}, motions: []api.Motion{
		{ID: curation.Hash{0xaa}, Applicant: &api.Applicant{Name: "Nora", Account: apitest.Address("one")}},
		{ID: curation.Hash{0xbb}, Applicant: &api.Applicant{Name: "Nora", Account: apitest.Address("two")}},
		{ID: curation.Hash{0xcc}, Member: 2, Name: "Otto"},
	}, network: api.Network{Members: []api.Member{{Index: 2, Name: "Otto"}, {Index: 3, Name: "Otto", Standing: "left"}, {Index: 4, Name: "7"},
		{Index: 5, Name: "Ute"}, {Index: 6, Name: "Ute"}, {Index: 7, Name: "Max"}}}}
	for text, want := range map[string]byte{apitest.Address("two").String(): 0xbb, "aa000000": 0xaa, "BB000000": 0xbb} {
		m, err := v.nomination(text)
		require.NoError(t, err, text)
		require.Equal(t, want, m.ID[0], text)
	}
	for text, says := range map[string]string{"Nora": "2 applicants are named", "cc000000": "nobody named", "aa": "nobody named", "Otto": "is member 2 already"} {
		_, err := v.nomination(text)
		require.ErrorContains(t, err, says, text)
	}
	for text, want := range map[string]uint32{"Otto": 2, "2": 2, "7": 7, "Max": 7, "5": 5} {
		m, err := v.member(text)
		require.NoError(t, err, text)
		require.Equal(t, want, m.Index, text)
	}
	for text, says := range map[string]string{"Ute": "2 members are named", "3": "has left already", "Nora": "there is no member", "99999999999": "there is no member"} {
		_, err := v.member(text)
		require.ErrorContains(t, err, says, text)
	}
}

func TestOnlyYesIsYes(t *testing.T) {
	for answer, done := range map[string]bool{"yes\n": true, " yes \n": true, "yes": true, "y\n": false, "\n": false, "": false, "no\n": false, "yes please\n": false} {
		var out bytes.Buffer
		err := agreed(strings.NewReader(answer), &out, "leave?")
		require.Equal(t, done, err == nil, "%q", answer)
		require.Equal(t, "leave? Type yes: ", out.String())
	}
}
