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
	j, entries, err := openJournal(path, 100)
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
		j, entries, err := openJournal(path, 100)
		require.NoError(t, err, "cut at byte %d", cut)
		require.Len(t, entries, bytes.Count(whole[:cut], []byte("\n")), "cut at byte %d", cut)
		require.NoError(t, j.append(second), "it can be written on after the cut")
		require.NoError(t, j.Close())
		j, again, err := openJournal(path, 100)
		require.NoError(t, err)
		require.Len(t, again, len(entries)+1)
		require.NoError(t, j.Close())
	}
	require.NoError(t, os.WriteFile(path, whole, 0o600))
	j, entries, err = openJournal(path, 100)
	require.NoError(t, err)
	require.Equal(t, []member.Entry{first, second}, entries)
	require.NoError(t, j.Close())
}

func TestADamagedJournalIsNotIgnored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	require.NoError(t, os.WriteFile(path, []byte("{\"height\":1}\nnot an entry\n"), 0o600))
	_, _, err := openJournal(path, 100)
	require.ErrorContains(t, err, "line 2")
}

// A journal grows for as long as its member lives; what a start keeps of it does not.
func TestOfAJournalOnlyWhatMayBeOpenIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal")
	j, _, err := openJournal(path, 100)
	require.NoError(t, err)
	entry := func(h uint64) member.Entry {
		return member.Entry{Height: h, RID: curation.Hash{byte(h), byte(h >> 8)}, Role: seal.Generator, Member: uint32(h%3) + 1}
	}
	for h := uint64(1); h <= 1000; h++ {
		require.NoError(t, j.append(entry(h)))
	}
	require.NoError(t, j.Close())
	j, recent, err := openJournal(path, 100)
	require.NoError(t, err)
	require.NoError(t, j.Close())
	require.Len(t, recent, 101)
	require.Equal(t, entry(900), recent[0])
	require.Equal(t, entry(1000), recent[100])

	// All of it can be asked for, also while a line is being written.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = f.WriteString("{\"height\":10")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	all := func(member.Entry) bool { return true }
	found, err := releases(path, 3, all)
	require.NoError(t, err)
	require.Equal(t, []member.Entry{entry(1000), entry(999), entry(998)}, found, "the newest first")
	found, err = releases(path, 10, func(e member.Entry) bool { return e.Height == 7 || e.Height == 500 })
	require.NoError(t, err)
	require.Equal(t, []member.Entry{entry(500), entry(7)}, found)
	found, err = releases(filepath.Join(t.TempDir(), "none"), 3, all)
	require.NoError(t, err)
	require.Empty(t, found, "a member that has released nothing yet")
}

// FuzzJournal feeds damaged journals: entries or an error, never a panic.
func FuzzJournal(f *testing.F) {
	f.Add([]byte("{\"height\":1}\n"))
	f.Add([]byte("{\"height\":1}"))
	f.Add([]byte("{\"height\":18446744073709551615}\n{\"height\":1}\n"))
	f.Add(bytes.Repeat([]byte("x"), 5000))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries := 0
		whole, err := readJournal(bytes.NewReader(b), func(member.Entry) { entries++ })
		if err == nil {
			require.LessOrEqual(t, whole, int64(len(b)))
			require.LessOrEqual(t, entries, len(b))
		}
		path := filepath.Join(t.TempDir(), "journal")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		j, recent, err := openJournal(path, 100)
		if err == nil {
			require.LessOrEqual(t, len(recent), entries)
			require.NoError(t, j.Close())
		}
	})
}
