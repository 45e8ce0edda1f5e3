package node

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/seal"
)

func TestJournalComesBackAfterACrash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, entries, err := openJournal(path)
	require.NoError(t, err)
	require.Empty(t, entries)
	first := member.Entry{Height: 3, RID: curation.Hash{1}, Role: seal.Generator, Member: 2, R: curation.Hash{4}, Context: curation.Hash{5}}
	second := member.Entry{Height: 4, RID: curation.Hash{2}, Role: seal.Auditor, Member: 1, R: curation.Hash{6}}
	require.NoError(t, j.append(first))
	require.NoError(t, j.append(second))
	require.NoError(t, j.Close())

	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := range len(whole) {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
		j, entries, err := openJournal(path)
		require.NoError(t, err, "cut at byte %d", cut)
		require.Len(t, entries, bytes.Count(whole[:cut], []byte("\n")), "cut at byte %d", cut)
		require.NoError(t, j.append(second), "it can be written on after the cut")
		require.NoError(t, j.Close())
		j, again, err := openJournal(path)
		require.NoError(t, err)
		require.Len(t, again, len(entries)+1)
		require.NoError(t, j.Close())
	}
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	j, entries, err = openJournal(path)
	require.NoError(t, err)
	require.Equal(t, []member.Entry{first, second}, entries)
	require.NoError(t, j.Close())
}

func TestADamagedJournalIsNotIgnored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	require.NoError(t, os.WriteFile(path, []byte("{\"height\":1}\nnot an entry\n"), 0o600))
	_, _, err := openJournal(path)
	require.ErrorContains(t, err, "line 2")
}

// FuzzJournal feeds damaged journals: entries or an error, never a panic.
func FuzzJournal(f *testing.F) {
	f.Add([]byte("{\"height\":1}\n"))
	f.Add([]byte("{\"height\":1}"))
	f.Add(bytes.Repeat([]byte("x"), 5000))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, whole, err := readJournal(bytes.NewReader(b))
		if err == nil {
			require.LessOrEqual(t, whole, int64(len(b)))
			require.LessOrEqual(t, len(entries), len(b))
		}
	})
}
