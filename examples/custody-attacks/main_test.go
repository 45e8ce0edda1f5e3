package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir/attack"
)

func TestOneAttackOnTwoSizes(t *testing.T) {
	var out, progress bytes.Buffer
	require.NoError(t, run([]string{"-n", "4,7", "-seeds", "2", "-attack", "a member reads that is not in the table, or a role that there is not"}, &out, &progress))
	require.Contains(t, out.String(), "| reader | a member reads that is not in the table, or a role that there is not | refused by the members | refused by the members |")
	require.Contains(t, out.String(), "n=4: seeds 0 to 1\nn=7: seeds 0 to 1\n1 attacks, 4 runs, 0 broken")
	require.Contains(t, progress.String(), "4 of 4 worlds, 4 runs, 0 broken")
}

func TestJSON(t *testing.T) {
	var out, progress bytes.Buffer
	require.NoError(t, run([]string{"-n", "4", "-seed", "17", "-json", "-attack", "a dealer posts nothing"}, &out, &progress))
	var r report
	require.NoError(t, json.Unmarshal(out.Bytes(), &r))
	require.Equal(t, []size{{4, 17, 1}}, r.Sizes)
	require.Equal(t, map[attack.Outcome]int{attack.LeftOut: 1}, r.Attacks[0].Outcomes[4])
	require.Empty(t, r.Broken)
}

func TestABrokenRunIsPrintedWithItsReplay(t *testing.T) {
	a := attack.Attack{Name: "an attack that succeeds", Role: attack.Dealer, Run: func(*attack.World, *attack.Chance) attack.Outcome { panic("ouch") }}
	r := (&order{sizes: []int{4}, seeds: 1, attacks: []attack.Attack{a}, workers: 1}).play(&bytes.Buffer{})
	require.Len(t, r.Broken, 1)
	require.True(t, r.Broken[0].Alone)
	var out bytes.Buffer
	require.NoError(t, r.print(&out))
	require.Contains(t, out.String(), "BROKEN")
	require.Contains(t, out.String(), "ouch")
	require.Contains(t, out.String(), `go run ./examples/custody-attacks -n 4 -attack "an attack that succeeds" -seed 0`)
}

func TestPiecesArePutTogether(t *testing.T) {
	const name = "two members in one table of readers have one key"
	piece := func(args ...string) string {
		file := filepath.Join(t.TempDir(), "piece.json")
		var out bytes.Buffer
		require.NoError(t, run(append(args, "-attack", name, "-json"), &out, &bytes.Buffer{}))
		require.NoError(t, os.WriteFile(file, out.Bytes(), 0o600))
		return file
	}
	one, two, three := piece("-n", "4", "-first", "3", "-seeds", "2"), piece("-n", "4", "-first", "1", "-seeds", "2"), piece("-n", "7", "-seed", "9")
	var out bytes.Buffer
	require.NoError(t, run([]string{"-merge", one, two, three}, &out, &bytes.Buffer{}))
	require.Contains(t, out.String(), "| reader | "+name+" | refused by the ledger | refused by the ledger |")
	require.Contains(t, out.String(), "n=4: seeds 1 to 4\nn=7: seeds 9 to 9\n1 attacks, 5 runs, 0 broken")

	require.ErrorContains(t, run([]string{"-merge", one, one}, &out, &bytes.Buffer{}), "seeds 3 to 4 of n=4 are in another file too")
	wrong := filepath.Join(t.TempDir(), "wrong.json")
	require.NoError(t, os.WriteFile(wrong, []byte("{]"), 0o600))
	require.ErrorContains(t, run([]string{"-merge", wrong}, &out, &bytes.Buffer{}), "is not what -json prints")
	require.Error(t, run([]string{"-merge", "no such file"}, &out, &bytes.Buffer{}))
	require.ErrorContains(t, run([]string{"-merge"}, &out, &bytes.Buffer{}), "needs the files")
	require.NoError(t, os.WriteFile(wrong, []byte("{}"), 0o600))
	require.ErrorContains(t, run([]string{"-merge", wrong}, &out, &bytes.Buffer{}), "hold no runs")
}

func TestWhatIsTypedWrongly(t *testing.T) {
	for _, args := range [][]string{{"-n", "3"}, {"-n", "4,x"}, {"-n", "65"}, {"-attack", "nothing"}, {"-workers", "0"}, {"-seeds", "0"}, {"7"}, {"-nonsense"}} {
		require.Error(t, run(args, &bytes.Buffer{}, &bytes.Buffer{}), "%v", args)
	}
	var out bytes.Buffer
	require.NoError(t, run([]string{"-list"}, &out, &bytes.Buffer{}))
	require.Contains(t, out.String(), "dealer        a dealer posts nothing\n")
}
