package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/home"
)

func TestReleasesAreForTheOwner(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	stranger := ask(t, s)
	r := stranger("approval", "releases")
	require.NotZero(t, r.code)
	require.Contains(t, r.err, "only the node's owner may do this")

	h := home.Home(t.TempDir())
	t.Setenv("ATELIER_HOME", string(h))
	handler, err := api.New(s, api.Options{Token: "owner"})
	require.NoError(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	require.NoError(t, h.WriteRuntime(server.Listener.Addr().String(), "owner"))
	owner := func(args ...string) asked {
		var out, errOut bytes.Buffer
		code := run(args, strings.NewReader(""), &out, &errOut)
		return asked{code, out.String(), errOut.String()}
	}
	r = owner("approval", "releases")
	require.Equal(t, 0, r.code, r.err)
	require.Equal(t, "no shares released\n", r.out)
	one := s.Request("Vera", "red heart")
	s.Reach(one, curation.StatusCandidate)
	two := s.Request("Vera", "blue bird")
	s.Reach(two, curation.StatusCandidate)

	r = owner("approval", "releases", "--json")
	require.Equal(t, 0, r.code, r.err)
	var all []api.Release
	require.NoError(t, json.Unmarshal([]byte(r.out), &all))
	require.NotEmpty(t, all)
	for _, release := range all {
		a := s.Artwork(release.RID)
		key, ok := a.Readers().Lookup(release.Reader)
		require.True(t, ok)
		require.EqualValues(t, key, release.Key)
	}
	r = owner("approval", "releases", "--rid", one.String()[:8])
	require.Regexp(t, `(?m)^HEIGHT +ID +ROLE +RELEASED-TO +KEY +CERTIFICATE$`, r.out)
	require.Contains(t, r.out, one.String()[:12])
	require.NotContains(t, r.out, two.String()[:12])
	r = owner("approval", "releases", "--limit", "1", "--json")
	var last []api.Release
	require.NoError(t, json.Unmarshal([]byte(r.out), &last))
	require.Equal(t, all[:1], last)
	require.Equal(t, two, last[0].RID)
	require.Equal(t, codeUsage, owner("approval", "releases", "--limit", "0").code)
	require.Equal(t, codeUsage, owner("approval", "releases", "--rid", "heart").code)
}

func TestConvictionsAreListed(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	atelier := ask(t, s)
	r := atelier("evidence", "list")
	require.Equal(t, "nobody was convicted\n", r.out)
	rid := s.Request("Vera", "red heart")
	s.Reach(rid, curation.StatusCandidate)
	s.Submit("Member 1", s.WrongShare("Member 3", rid))
	r = atelier("evidence", "list")
	require.Equal(t, 0, r.code, r.err)
	require.Regexp(t, `(?m)^3 +Member 3 +leaving +\d+ +Member 1 +200 +signed a wrong share of the key$`, r.out)
	r = atelier("evidence", "list", "--json")
	var convictions []api.Conviction
	require.NoError(t, json.Unmarshal([]byte(r.out), &convictions))
	require.Len(t, convictions, 1)
	require.Equal(t, curation.OffenceShare, convictions[0].Offence)
}

func TestAnApprovalThatContradictsTheLedgerIsBroughtByHand(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	atelier := ask(t, s)
	one := keyOf(t, "Member 1")
	rid := s.Request("Vera", "red heart")
	s.Reach(rid, curation.StatusCandidate)
	other := s.Conflicting("Member 2", rid).Approval
	args := func(statement, partial []byte) []string {
		return []string{"evidence", "submit", "--member", "2", "--statement", hex.EncodeToString(statement), "--signature", hex.EncodeToString(partial), "--key", one}
	}
	r := atelier(args(other.Statement[1:], other.Partial)...)
	require.Equal(t, codeUsage, r.code)
	require.Contains(t, r.err, "has 254 bytes, want 255")
	require.Equal(t, codeUsage, atelier("evidence", "submit", "--member", "2").code)
	honest := curation.StatementFor(s.Chain(), s.Artwork(rid).Opening)
	r = atelier(args(honest.Bytes(), other.Partial)...)
	require.Equal(t, codeLedger, r.code)
	require.Contains(t, r.err, "the statement is the one that the ledger holds")
	r = atelier(args(other.Statement, other.Partial)...)
	require.Equal(t, 0, r.code, r.err)
	require.Contains(t, r.out, "member 2 is convicted, at height")
	r = atelier("evidence", "list")
	require.Contains(t, r.out, "approved another statement about a request")
}
