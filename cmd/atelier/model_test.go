package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api/apitest"
)

func TestMembersAdoptAnotherArtist(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	atelier := ask(t, s)
	one, two, three := keyOf(t, "Member 1"), keyOf(t, "Member 2"), keyOf(t, "Member 3")
	r := atelier("model", "adopt", "Dawn", "--key", two)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, `no artist "Dawn" stands for a vote`)
	r = atelier("model", "seal", "--name", "Dawn")
	require.Equal(t, codeUsage, r.code)
	require.Contains(t, r.err, `Test studio has its artist, "Test artist": make another one and propose it in its place? Say so with --yes`)

	s.Propose("Dawn")
	s.Propose("Noon")
	s.Propose("Noon")
	r = atelier("member", "votes")
	require.Contains(t, r.out, "adopt the artist Dawn, sealed by Member 1 (1) for key epoch 2: 1 of 3 votes, until height")
	require.Contains(t, r.out, "atelier model adopt 2")
	require.Regexp(t, `(?m)^ +hash +[0-9a-f]{64}$`, r.out)
	r = atelier("member", "list")
	require.Contains(t, r.out, "vote: adopt the artist Dawn")
	r = atelier("model", "adopt", "Noon", "--key", two)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, `2 artists are named "Noon": give the key epoch of one`)
	r = atelier("model", "adopt", "2", "--key", one)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, "member 1 has voted for this already")
	r = atelier("model", "adopt", "Dawn", "--key", two)
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "Dawn: 2 of 3 votes, until height")
	r = atelier("model", "adopt", "2", "--key", keyOf(t, "Vera"))
	require.Equal(t, codeLedger, r.code)
	r = atelier("model", "adopt", "2", "--key", three, "--json")
	require.Equal(t, 0, r.code, r.err)
	require.Regexp(t, `"key_epoch": 2`, r.out)
	require.Regexp(t, `"decided": true`, r.out)
	s.StoreNext()
	r = atelier("model", "show")
	require.Contains(t, r.out, "Dawn\n")
	require.Regexp(t, `standing +on trial: current since height \d+; not yet shown to open`, r.out)
	r = atelier("model", "history")
	require.Regexp(t, `(?m)^4 +Noon +- +1 +Member 1 +\d+ +0 +nominated +members vote until height \d+\n3 +Noon .*\n2 +Dawn +- +1 +Member 1 +\d+ +0 +on trial .*\n1 +Test artist +- +1 +Member 1 +\d+ +0 +discarded +discarded at height \d+: another one took its place`, r.out)
}

func TestTheEndOfAKeyEpochReadsWell(t *testing.T) {
	s := apitest.Open(t, 4, func(p *curation.Params) { p.KeyEpochBlocks = 30 })
	atelier := ask(t, s)
	r := atelier("network", "show")
	require.Contains(t, r.out, "key epoch 1, on trial")
	s.Reach(s.Request("Vera", "red heart"), curation.StatusCandidate)
	r = atelier("model", "show")
	require.Regexp(t, `next +key epoch 1 ends at height \d+, in \d+ blocks: a member's node then wraps the artist`, r.out)
	s.Run("the end of the key epoch", func(v curation.View) bool { _, due := v.Rotation(); return due })
	r = atelier("model", "show")
	require.Regexp(t, `next +key epoch 1 ends: it is the turn of Member \d to wrap the artist in one more layer`, r.out)
	require.Regexp(t, `turns +Member \d \(\d\), Member \d \(\d\), Member`, r.out)
	s.Blocks(80) // nobody does it
	r = atelier("model", "show")
	require.Contains(t, r.out, "everybody's turn to wrap the artist in one more layer has come, and nobody did; see that the nodes of Member 1, Member 2, Member 3, Member 4 run")
	_, ok := s.Rotate()
	require.True(t, ok)
	r = atelier("model", "show", "--json")
	require.Regexp(t, `"proposed": \{`, r.out)
	require.Regexp(t, `"container_cid": "b`, r.out)
	s.StoreNext()
	r = atelier("model", "show")
	require.Regexp(t, `made of +a layer around key epoch 1; 2 layers to open`, r.out)
	r = atelier("model", "history")
	require.Regexp(t, `(?m)^2 +Test artist +1 +2 `, r.out)
}
