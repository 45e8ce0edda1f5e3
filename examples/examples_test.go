// Package examples holds small programs and scripts, one idea each. The tests run
// all of them.
package examples

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFourMembersFoundANetworkAndPublish runs the script as a person would, with
// smaller pictures and a shorter round.
func TestFourMembersFoundANetworkAndPublish(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "atelier")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../cmd/atelier")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	work := filepath.Join(dir, "work")
	require.NoError(t, os.MkdirAll(filepath.Join(work, "home"), 0o700))
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	script, err := filepath.Abs("four-members/run.sh")
	require.NoError(t, err)
	run := exec.CommandContext(ctx, "sh", script)
	run.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(work, "home"), "TMPDIR=" + dir,
		"ATELIER=" + program, "DIR=" + work, "PICTURE_SIZE=256", "STEPS=3", "BACK_BLOCKS=160", "ATELIER_EMPTY_BLOCK_INTERVAL=250ms"}
	var said bytes.Buffer
	run.Stdout, run.Stderr = &said, &said
	// The script ends its nodes itself, also when it is asked to stop.
	run.Cancel = func() error { return run.Process.Signal(syscall.SIGTERM) }
	run.WaitDelay = 20 * time.Second
	require.NoError(t, run.Run(), "%s", &said)

	for _, want := range []string{
		`certificate of 3 of 4 members`,
		`is a candidate`,
		`round 1 is settled: 2 of 3 candidates published`,
		`every byte checked`,
		`✓ certificate`,
		"\nvalid\n",
		`"valid": true`,
	} {
		require.Contains(t, said.String(), want, "%s", &said)
	}
}
