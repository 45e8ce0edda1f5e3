package main

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

var tiny = []string{"-peers", "4", "-rounds", "3", "-steps", "2", "-batch", "2", "-pictures", "10", "-hidden", "16", "-drop", "25", "-workers", "1"}

func TestPeersLearnTogether(t *testing.T) {
	var out, progress bytes.Buffer
	require.NoError(t, run(t.Context(), append(tiny, "-json"), &out, &progress))
	var r report
	require.NoError(t, json.Unmarshal(out.Bytes(), &r))
	require.Equal(t, 3, r.Rounds)
	require.Equal(t, 3, r.BitEqual)
	require.Equal(t, 3, r.Threshold)
	require.GreaterOrEqual(t, r.Survivors, 9)
	dropped := 0
	for _, n := range r.Gone {
		dropped += n
	}
	require.Equal(t, 3, dropped, "one of four in each round")
	require.Len(t, r.Runs, 5)
	for _, c := range r.Runs {
		require.Less(t, c.Final, r.Start, c.Name)
	}
	require.Contains(t, progress.String(), "round 3 of 3")
	masked, open := r.Runs[3], r.Runs[2]
	require.InDelta(t, open.Final, masked.Final, .02, "rounding to 2⁻¹⁶ loses nothing that counts")

	var again bytes.Buffer
	require.NoError(t, run(t.Context(), tiny, &again, &progress))
	require.Contains(t, again.String(), "4 peers with 10 pictures, 3 rounds of 2 steps on 2 pictures")
	require.Contains(t, again.String(), "In 3 of 3 rounds the masked sum was the plain sum, bit for bit.")
}

func TestWhatIsTypedWrongly(t *testing.T) {
	for _, args := range [][]string{{"-peers", "3"}, {"-drop", "34"}, {"-pictures", "5000"}, {"-pictures", "19"}, {"-hidden", "7"}, {"-clip", "0"}, {"-momentum", "1"}, {"-rate", "0"}, {"-rate", "NaN"}, {"-rounds", "0"}, {"more"}, {"-nonsense"}} {
		var out, progress bytes.Buffer
		require.Error(t, run(t.Context(), args, &out, &progress), "%v", args)
		require.Empty(t, out.String())
	}
}
