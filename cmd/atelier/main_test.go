package main

import (
	"bytes"
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
)

var update = flag.Bool("update", false, "write the golden files and scripts anew")

// TestMain lets this binary be the program itself when a script runs "atelier". Stories
// mostly wait for blocks, so four of them run at a time even on fewer cores.
func TestMain(m *testing.M) {
	if runtime.GOMAXPROCS(0) < 4 {
		if err := flag.Set("test.parallel", "4"); err != nil {
			panic(err)
		}
	}
	testscript.Main(m, map[string]func(){"atelier": program})
}

// program is atelier, whose new homes have addresses of their own on loopback: of many
// that choose a free port before one of them listens, two may choose the same.
func program() {
	if runtime.GOOS == "linux" && len(os.Args) > 2 && !slices.Contains(os.Args, "--listen") {
		switch strings.Join(os.Args[1:3], " ") {
		case "network create", "member join":
			dir, _ := os.Getwd()
			at := sha256.Sum256([]byte(dir + strings.Join(os.Args, " ")))
			host := fmt.Sprintf("/ip4/127.%d.%d.%d", at[0], at[1], 1+at[2]%254)
			os.Args = append(os.Args, "--listen", host+"/tcp/0", "--listen", host+"/udp/0/quic-v1")
		}
	}
	main()
}

// A program that does not come to its end after one Ctrl-C, here because it waits for
// a pipe that nobody writes to, ends at the next.
func TestASecondInterruptEndsTheProgramAtOnce(t *testing.T) {
	program, err := os.Executable()
	require.NoError(t, err)
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	cmd := exec.Command(program)
	cmd.Args = []string{"atelier", "model", "check", pipe} // see TestMain
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	defer cmd.Process.Kill()
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0) // once it reads
	require.NoError(t, err)
	defer w.Close()
	tick, end := time.NewTicker(50*time.Millisecond), time.After(patience)
	defer tick.Stop()
	for {
		select {
		case <-tick.C: // signals that come too soon after each other are one
			_ = cmd.Process.Signal(os.Interrupt)
			continue
		case <-ended:
			require.False(t, cmd.ProcessState.Success())
		case <-end:
			require.Fail(t, "it goes on")
		}
		return
	}
}

// TestTheHelpIsTheAgreedOne keeps the help of the whole command tree, because people
// and scripts rely on names and flags.
func TestTheHelpIsTheAgreedOne(t *testing.T) {
	for _, v := range []string{"ATELIER_HOME", "ATELIER_API", "ATELIER_KEY"} {
		t.Setenv(v, "")
	}
	t.Setenv("HOME", "/home/you")
	var out bytes.Buffer
	root := newRoot(strings.NewReader(""), &out, &out)
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		fmt.Fprintf(&out, "# %s\n\n", c.CommandPath())
		require.NoError(t, c.Help())
		fmt.Fprintln(&out)
		for _, sub := range c.Commands() {
			if sub.Name() != "help" && sub.Name() != "completion" {
				walk(sub)
			}
		}
	}
	root.InitDefaultHelpFlag()
	walk(root)
	golden := filepath.Join("testdata", "help.txt")
	if *update {
		require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.True(t, string(want) == out.String(), "the help has changed: look at the difference, then `go test ./cmd/atelier -run Help -update`")
}

func TestEveryCommandSaysWhatItIsForAndHowItEnds(t *testing.T) {
	root := newRoot(nil, &bytes.Buffer{}, &bytes.Buffer{})
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		require.NotEmpty(t, c.Short, c.CommandPath())
		require.NotContains(t, c.Short, "\n", c.CommandPath())
		require.False(t, strings.HasSuffix(c.Short, "."), c.CommandPath())
		if c.HasSubCommands() && c.Name() != "completion" {
			require.Greater(t, len(c.Long), len(c.Short), c.CommandPath())
		}
		if c.Name() != "help" && !strings.HasPrefix(c.CommandPath(), "atelier completion") && c.RunE != nil && !c.HasSubCommands() {
			require.Greater(t, len(c.Long), len(c.Short), c.CommandPath())
			require.Contains(t, c.Example, c.CommandPath())
		}
		for _, line := range strings.Split(c.Long, "\n") {
			require.LessOrEqual(t, len([]rune(line)), 84, "%s: %s", c.CommandPath(), line)
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(root)
}

func TestAmountsForPeople(t *testing.T) {
	for _, c := range []struct{ name, amount, want string }{
		{"nothing", "0", "0"},
		{"one base unit is not nothing", "1", "<0.0001"},
		{"whole credits", "12000000000", "12"},
		{"four places, cut", "1234567899", "1.2345"},
		{"zeros at the end are left out", "2500000000", "2.5"},
		{"less than four places after cutting", "3000040000", "3"},
	} {
		a, err := curve.ParseAmount(c.amount)
		require.NoError(t, err)
		require.Equal(t, c.want, credits(a), c.name)
	}
}

func TestAnEscrowTellsTheSizeOfADepositAndNoMore(t *testing.T) {
	for _, c := range []struct{ deposit, want string }{
		{"0.000000001", "1"}, {"1", "1"}, {"1.000000001", "2"}, {"3", "5"}, {"5.5", "10"}, {"400", "500"}, {"501", "1000"}, {"12345", "20000"},
	} {
		deposit, err := curve.ParseCredits(c.deposit)
		require.NoError(t, err)
		require.Equal(t, c.want, hide(deposit).Credits(), c.deposit)
	}
	most, err := curve.ParseAmount("1329227995784915872903807060280344575")
	require.NoError(t, err)
	require.Equal(t, most, hide(most), "beyond the largest step the deposit itself")
}
