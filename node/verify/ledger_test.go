package verify_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api/apitest"
	"github.com/atelier-dao/atelier/node/ledger"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// history is the ledger of a network of four that takes in a fifth, lets one go, and
// makes pictures all the while.
func history(t testing.TB) *apitest.Studio {
	t.Helper()
	s := apitest.Open(t, 4, nil)
	s.Reach(s.Request("Vera", "red heart"), curation.StatusCandidate)
	s.Admit("Member 5")
	s.Stands("Member 5", curation.StandingActive)
	s.Submit("Member 2", curation.Leave{})
	s.Stands("Member 2", curation.StandingLeft)
	s.Reach(s.Request("Walid", "blue bird"), curation.StatusCandidate)
	s.Blocks(2)
	return s
}

func checked(t testing.TB, export []byte, o verify.LedgerOptions) *verify.Ledger {
	t.Helper()
	l, err := verify.CheckLedger(t.Context(), bytes.NewReader(export), o)
	require.NoError(t, err)
	require.Equal(t, l.Outcome == verify.Valid, l.Valid)
	return l
}

func claimOf(t testing.TB, l *verify.Ledger, name string) verify.Claim {
	t.Helper()
	for _, c := range l.Claims {
		if c.Name == name {
			return c
		}
	}
	require.FailNow(t, "there is no claim "+name)
	return verify.Claim{}
}

func TestALedgerProvesItsHistory(t *testing.T) {
	s := history(t)
	chain := s.Chain()
	var heights []uint64
	l := checked(t, s.Export(), verify.LedgerOptions{Chain: &chain, Progress: func(h uint64) { heights = append(heights, h) }})
	require.Equal(t, verify.Valid, l.Outcome, "%+v", l.Claims)
	for _, c := range l.Claims {
		require.Equal(t, verify.Holds, c.Status, c.Name)
	}
	s.Read(func(v curation.View) {
		require.Equal(t, v.Height(), l.Height)
		require.Equal(t, v.AppHash(), l.AppHash)
		require.Equal(t, v.Counts(), l.Artworks)
	})
	require.Len(t, heights, int(l.Height))
	require.Equal(t, "Test studio", l.Name)
	require.Equal(t, "atelier-"+chain.String()[:16], l.ID)
	require.Empty(t, l.Convictions)
	require.Zero(t, l.Alone)

	require.Len(t, l.Handovers, 3)
	first, second, third := l.Handovers[0], l.Handovers[1], l.Handovers[2]
	require.Equal(t, []string{"Member 1", "Member 2", "Member 3", "Member 4"}, first.Members)
	require.Equal(t, first.Members, first.Joined)
	require.Equal(t, []string{"Member 5"}, second.Joined)
	require.Empty(t, second.Left)
	require.Subset(t, first.Members, second.Dealt)
	require.GreaterOrEqual(t, len(second.Dealt), first.Threshold)
	require.Equal(t, []string{"Member 2"}, third.Left)
	require.Empty(t, third.Joined)
	require.Greater(t, third.Height, second.Height)
	require.Contains(t, claimOf(t, l, "keys").Detail, "3 committees; X ")
	require.Contains(t, claimOf(t, l, "signatures").Detail, "votes, at height 1")

	// Without anything to compare the genesis with, the rest holds as well.
	l = checked(t, s.Export(), verify.LedgerOptions{})
	require.Equal(t, verify.Valid, l.Outcome)
	require.Equal(t, verify.Skipped, l.Claims[0].Status)
	require.Contains(t, l.Claims[0].Detail, "nothing was given to compare it with")
}

func TestANetworkOfOneProvesOnlyWhatItsMemberWrote(t *testing.T) {
	s := apitest.Open(t, 1, nil)
	l := checked(t, s.Export(), verify.LedgerOptions{})
	require.Equal(t, verify.Valid, l.Outcome)
	require.Equal(t, l.Height, l.Alone)
	require.Contains(t, claimOf(t, l, "signatures").Detail, "nobody but it says that there was no other history")
}

func TestALedgerTellsWhoWasConvicted(t *testing.T) {
	s := apitest.New(t, 4, nil)
	s.Run("the commits", func(v curation.View) bool { return v.CeremonyLog().Spoke(1, dkg.KindCommit) })
	second := curation.CeremonyMessage{Epoch: 1, Message: uint8(dkg.KindCommit), Data: make([]byte, 32)}
	_, err := s.Ledger().Submit(t.Context(), s.Sign(apitest.Key("Member 1"), second))
	require.NoError(t, err)
	height := s.Ledger().Status().Height
	l := checked(t, s.Export(), verify.LedgerOptions{})
	require.Equal(t, verify.Valid, l.Outcome)
	require.Equal(t, []verify.Conviction{{Member: "Member 1", Offence: curation.OffenceCeremony, Height: height}}, l.Convictions)
}

func TestALedgerFromBeforeItsKeys(t *testing.T) {
	s := apitest.New(t, 4, nil)
	s.Blocks(2)
	l := checked(t, s.Export(), verify.LedgerOptions{})
	require.Equal(t, verify.Valid, l.Outcome)
	require.Equal(t, verify.Skipped, claimOf(t, l, "keys").Status)
	require.Empty(t, l.Handovers)
}

func TestALedgerThatDoesNotHold(t *testing.T) {
	s := apitest.Open(t, 4, nil)
	s.Request("Vera", "red heart")
	s.Blocks(3)
	export, chain := s.Export(), s.Chain()
	other := curation.Hash{1}
	prompt := bytes.Index(export, []byte("red heart"))
	require.Positive(t, prompt)
	for _, c := range []struct {
		name   string
		export []byte
		chain  *curation.Hash
		claim  string
		says   string
	}{
		{"another network's", export, &other, "founding", "you trust 0100"},
		{"cut off in a block", export[:len(export)*2/3], &chain, "file", "it breaks off"},
		{"with another prompt", bytes.Replace(export, []byte("red heart"), []byte("red haert"), 1), &chain, "file", "its transactions are not those that its header names"},
		{"with more behind its end", append(bytes.Clone(export), 0), &chain, "file", "something follows the signatures under the last block"},
		{"with its last signature changed", flip(export, len(export)-3), &chain, "signatures", "is wrong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := checked(t, c.export, verify.LedgerOptions{Chain: c.chain})
			require.Equal(t, verify.Invalid, l.Outcome)
			require.Equal(t, []string{c.claim}, l.Failed, "%+v", l.Claims)
			require.Contains(t, claimOf(t, l, c.claim).Detail, c.says)
			for _, other := range l.Claims {
				if other.Name != c.claim && other.Name != "founding" {
					require.Equal(t, verify.Skipped, other.Status, other.Name)
				}
			}
			if c.claim != "founding" {
				require.Contains(t, claimOf(t, l, c.claim).Detail, "block ")
				require.Contains(t, claimOf(t, l, "keys").Detail, "does not hold")
			}
		})
	}
	for name, c := range map[string]struct {
		export []byte
		says   string
	}{
		"nothing":                          {nil, "does not begin with the line"},
		"some other file":                  {[]byte(strings.Repeat("x", 1000)), "does not begin with the line"},
		"cut off in the founding document": {export[:200], "it breaks off"},
		"another founding document":        {bytes.Replace(export, []byte("Test studio"), []byte("Test studi\x01"), 1), "founding document"},
	} {
		t.Run("no export: "+name, func(t *testing.T) {
			_, err := verify.CheckLedger(t.Context(), bytes.NewReader(c.export), verify.LedgerOptions{})
			require.ErrorIs(t, err, ledger.ErrExport)
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "network export --ledger")
		})
	}
	t.Run("a file that cannot be read is no finding", func(t *testing.T) {
		broken := errors.New("disk")
		_, err := verify.CheckLedger(t.Context(), iotest.ErrReader(broken), verify.LedgerOptions{})
		require.ErrorIs(t, err, broken)
	})
	t.Run("nor is an end of patience", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := verify.CheckLedger(ctx, bytes.NewReader(export), verify.LedgerOptions{})
		require.ErrorIs(t, err, context.Canceled)
	})
}

func flip(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}
