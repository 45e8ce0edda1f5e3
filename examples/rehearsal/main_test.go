package main

import (
	"bytes"
	"encoding/json"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRehearsalKeepsWhatTheArtistKnew(t *testing.T) {
	sheet := filepath.Join(t.TempDir(), "sheet.png")
	small := []string{"-members", "2", "-trainings", "2", "-rate", "0.003", "-workers", "1", "-sheet", sheet}
	var out, progress bytes.Buffer
	require.NoError(t, run(t.Context(), append(small, "-json"), &out, &progress))
	var r report
	require.NoError(t, json.Unmarshal(out.Bytes(), &r))
	require.Len(t, r.Without, 2)
	require.Len(t, r.With, 2)
	without, with := r.Without[0], r.With[0]
	require.Equal(t, without.Unlike, without.UnlikeBefore, "the one before is that of the beginning")
	require.Less(t, with.Unlike, without.Unlike)
	require.Less(t, r.With[1].Unlike, r.Without[1].Unlike)
	require.Less(t, without.Own, r.Start)
	require.Less(t, with.Own, r.Start, "and it learns all the same")
	require.Contains(t, progress.String(), "training 2 of 2, 0.75 rehearsed: own ")

	f, err := os.Open(sheet)
	require.NoError(t, err)
	defer f.Close()
	img, err := png.Decode(f)
	require.NoError(t, err)
	require.Greater(t, img.Bounds().Dx(), img.Bounds().Dy(), "three rows of six")

	var table bytes.Buffer
	require.NoError(t, r.print(&table))
	require.Contains(t, table.String(), "2 members with 2 pictures each, 2 trainings of 10 steps on 16 pictures at a rate of 0.003")
}

func TestWhatIsTypedWrongly(t *testing.T) {
	for _, args := range [][]string{{"-members", "0"}, {"-members", "64", "-pictures", "64"}, {"-pictures", "1"}, {"-trainings", "0"}, {"-steps", "0"}, {"-batch", "129"},
		{"-rate", "0"}, {"-rate", "NaN"}, {"-rehearse", "0"}, {"-rehearse", "1"}, {"-rehearse", "NaN"}, {"-clip", "0"}, {"more"}, {"-nonsense"}} {
		var out, progress bytes.Buffer
		require.Error(t, run(t.Context(), args, &out, &progress), "%v", args)
		require.Empty(t, out.String())
	}
}
