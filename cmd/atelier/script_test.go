package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
)

// patience bounds every wait of the scripts. It tells what never comes from what comes
// late, on however slow a machine; nothing is timed by it.
const patience = 3 * time.Minute

// The scripts are stories with the real program, its processes and real sockets on
// loopback. What each costs in time is waiting for blocks.
func TestStories(t *testing.T) { runScripts(t, "testdata/script") }

// TestCrashes kills processes, so it runs after the others, alone on the machine.
func TestCrashes(t *testing.T) {
	if testing.Short() {
		t.Skip("kills processes for minutes")
	}
	files, err := filepath.Glob("testdata/crash/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files { // as many at a time as there are cores: their processes mostly wait for blocks
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			runScripts(t, "", file)
		})
	}
}

func runScripts(t *testing.T, dir string, files ...string) {
	testscript.Run(t, testscript.Params{
		Dir: dir, Files: files, UpdateScripts: *update, RequireExplicitExec: true, RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			home := filepath.Join(e.WorkDir, "home") // nobody's real one
			e.Setenv("HOME", home)
			e.Values[burdenKey] = &burden{}
			e.Setenv("ATELIER_EMPTY_BLOCK_INTERVAL", "300ms")
			e.Setenv("ATELIER_BLOCK_INTERVAL", "0s")
			return os.Mkdir(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "waitfile": waitFile, "capture": capture, "json": checkJSON, "sigkill": sigkill,
			"killgenerator": killGenerator, "eventually": eventually, "outlast": outlast, "load": load,
		},
	})
}

// exits runs a command that must end with a status: exits 3 atelier …
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit status %d, want %s", code, args[0])
	}
}

// poll tries again until done. Between two tries it waits for 50 ms, and for four times
// as long as a try takes, so that whoever looks leaves the machine to those it looks at.
func poll(ts *testscript.TestScript, what string, done func() bool) {
	end := time.After(patience)
	for {
		began := time.Now()
		if done() {
			return
		}
		select {
		case <-time.After(min(max(50*time.Millisecond, 4*time.Since(began)), time.Second)):
		case <-end:
			ts.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// waitfile waits until files are there and not empty: waitfile ada/api.addr …
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	for _, name := range args {
		path := ts.MkAbs(name)
		poll(ts, name, func() bool {
			info, err := os.Stat(path)
			return err == nil && info.Size() > 0
		})
	}
}

// eventually runs a command until it succeeds and its output matches: eventually
// PATTERN COMMAND…; it says how long it took.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: eventually PATTERN COMMAND…")
	}
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	start := time.Now()
	poll(ts, strings.Join(args[1:], " ")+": "+args[0], func() bool {
		return ts.Exec(args[1], args[2:]...) == nil && pattern.MatchString(ts.ReadFile("stdout"))
	})
	ts.Logf("after %v", time.Since(start).Round(10*time.Millisecond))
}

// lookup is a value of the last command's JSON output: "a.b.0.c".
func lookup(ts *testscript.TestScript, path string) string {
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	dec.UseNumber()
	var v any
	ts.Check(dec.Decode(&v))
	for _, key := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' }) {
		switch have := v.(type) {
		case map[string]any:
			v = have[key]
		case []any:
			if key == "len" {
				v = len(have)
				continue
			}
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(have) {
				ts.Fatalf("%s: no element %q among %d", path, key, len(have))
			}
			v = have[i]
		default:
			v = nil
		}
	}
	return fmt.Sprint(v)
}

// capture keeps the last output, or a value of its JSON: capture VAR [PATH]
func capture(ts *testscript.TestScript, neg bool, args []string) {
	switch len(args) {
	case 1:
		ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
	case 2:
		ts.Setenv(args[0], lookup(ts, args[1]))
	default:
		ts.Fatalf("usage: capture VAR [PATH]")
	}
}

// checkJSON compares a value of the last output: json PATH WANT, where len counts a
// list and WANT is a regular expression for the whole value.
func checkJSON(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: json PATH WANT")
	}
	have := lookup(ts, args[0])
	want, err := regexp.Compile("^(?:" + args[1] + ")$")
	ts.Check(err)
	if want.MatchString(have) == neg {
		ts.Fatalf("%s is %q, want %v%q", args[0], have, map[bool]string{true: "not "}[neg], args[1])
	}
}

// sigkill ends the processes of homes without a word to them, and waits until they have
// gone: until then they hold their ports and their files.
func sigkill(ts *testscript.TestScript, neg bool, args []string) {
	var pids []int
	for _, home := range args {
		pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(home + "/node.pid")))
		ts.Check(err)
		ts.Check(syscall.Kill(pid, syscall.SIGKILL))
		pids = append(pids, pid)
	}
	for i, pid := range pids {
		poll(ts, args[i]+" has not gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	}
}

// killgenerator watches a request through a node and kills the member that the seed
// draws in the moment of its drawing: killgenerator RID HOME…, where members are
// named like their homes. It sets VICTIM and its INDEX, and WITNESS to the home of a survivor.
func killGenerator(ts *testscript.TestScript, neg bool, args []string) {
	rid, homes := args[0], args[1:]
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := api.NewClient(strings.TrimSpace(ts.ReadFile(homes[0]+"/api.addr")), "")
	defer c.Close()
	members, err := c.Members(ctx)
	ts.Check(err)
	a, err := c.Artwork(ctx, rid)
	ts.Check(err)
	order := a.Order
	for h, err := range c.Events(ctx, a.Requested) {
		ts.Check(err)
		if h.Event != nil && h.Event.Kind == curation.EventApprovalCertified && h.Event.Attributes["rid"] == rid {
			first, _, _ := strings.Cut(h.Event.Attributes["order"], ",")
			index, err := strconv.ParseUint(first, 10, 32)
			ts.Check(err)
			order = []uint32{uint32(index)}
			break
		}
	}
	victim := members[order[0]-1].Name
	sigkill(ts, false, []string{victim})
	ts.Logf("killed %s", victim)
	ts.Setenv("VICTIM", victim)
	ts.Setenv("INDEX", strconv.Itoa(int(order[0])))
	ts.Setenv("WITNESS", homes[slices.IndexFunc(homes, func(h string) bool { return h != victim })])
}

// outlast checks that no block comes for a time: outlast 2s HOME
func outlast(ts *testscript.TestScript, neg bool, args []string) {
	span, err := time.ParseDuration(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), span)
	defer cancel()
	c := api.NewClient(strings.TrimSpace(ts.ReadFile(args[1]+"/api.addr")), "")
	defer c.Close()
	for h, err := range c.Events(ctx, 0) {
		if err == nil {
			ts.Fatalf("something was finalised: %+v", h)
		}
	}
}
