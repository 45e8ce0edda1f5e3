package storage

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/stretchr/testify/require"
)

var errPower = errors.New("the machine stopped")

// stopper lets the first n steps of a disk happen and none after them. The
// write that is cut loses its second half.
type stopper struct {
	left    int
	stopped bool
	last    string
}

func (s *stopper) step(op, _ string) error {
	if s.left == 0 {
		if !s.stopped {
			s.last = op
		}
		s.stopped = true
	}
	if s.stopped {
		return errPower
	}
	s.left--
	return nil
}

// A store whose machine stops between any two steps reopens with what it held
// before and nothing half-written, whether or not the last change is there.
func TestCrashAtEveryStep(t *testing.T) {
	ctx := context.Background()
	first, second, third := folder(1, 3000), folder(2, 200_000), folder(3, 4000)
	firstRoot, err := FolderCID(first)
	require.NoError(t, err)
	secondRoot, err := FolderCID(second)
	require.NoError(t, err)
	thirdRoot, thirdCAR := func() (cid.Cid, []byte) {
		s := openTest(t, Options{})
		root, err := s.PutFolder(ctx, third)
		require.NoError(t, err)
		var out bytes.Buffer
		_, err = s.ExportCAR(ctx, root, &out)
		require.NoError(t, err)
		return root, out.Bytes()
	}()

	steps := map[string]bool{}
	for n := 0; ; n++ {
		dir := t.TempDir()
		s, err := Open(dir, Options{})
		require.NoError(t, err)
		_, err = s.PutFolder(ctx, first)
		require.NoError(t, err)
		require.NoError(t, s.Pin(firstRoot, "first"))

		stop := &stopper{left: n}
		s.disk.fail = stop.step
		var done []string
		for _, do := range []struct {
			name string
			do   func() error
		}{
			{"put", func() error { _, err := s.PutFolder(ctx, second); return err }},
			{"pin", func() error { return s.Pin(secondRoot, "second") }},
			{"rename", func() error { return s.Pin(secondRoot, "renamed") }},
			{"import", func() error {
				_, err := s.ImportCAR(ctx, thirdRoot, bytes.NewReader(thirdCAR), 1<<20)
				return err
			}},
			{"collect", func() error { _, err := s.Collect(ctx); return err }},
			{"unpin", func() error { return s.Unpin(firstRoot) }},
		} {
			if err := do.do(); err != nil {
				require.ErrorIs(t, err, errPower)
				break
			}
			done = append(done, do.name)
		}
		require.NoError(t, s.Close())
		steps[stop.last] = true
		did := func(name string) bool { return strings.Contains(strings.Join(done, " "), name) }

		s, err = Open(dir, Options{})
		require.NoError(t, err, "after %d steps, %v", n, done)
		left, err := os.ReadDir(s.disk.path(tempDir))
		require.NoError(t, err)
		require.Empty(t, left)
		require.Empty(t, s.Damaged())
		for _, root := range s.Roots() {
			_, err := s.Verify(ctx, root)
			require.NoError(t, err, "after %d steps, %v", n, done)
		}
		require.True(t, s.Has(firstRoot))
		if did("put") {
			require.True(t, s.Has(secondRoot))
		}
		names := map[string]bool{}
		for _, p := range s.Pins() {
			names[p.Name] = true
		}
		if !did("collect") {
			require.True(t, names["first"])
		}
		if did("unpin") {
			require.False(t, names["first"])
		}
		if did("rename") {
			require.True(t, names["renamed"])
			require.False(t, names["second"])
		} else if did("pin") {
			require.True(t, names["second"] != names["renamed"])
		}
		if did("import") && !did("collect") && stop.last != "remove" && stop.last != "syncdir" {
			require.True(t, s.Has(thirdRoot))
		}
		if did("collect") {
			require.False(t, s.Has(thirdRoot))
		}
		require.Equal(t, recount(t, s), s.Usage().Bytes)
		// And it goes on working.
		_, err = s.PutFolder(ctx, third)
		require.NoError(t, err)
		require.NoError(t, s.Close())
		if !stop.stopped {
			require.Greater(t, n, 20)
			break
		}
	}
	for _, op := range []string{"create", "write", "sync", "rename", "syncdir", "remove", "discard"} {
		if op != "discard" { // a stopped machine discards nothing, so it is never the first
			require.True(t, steps[op], "no crash happened at %q", op)
		}
	}
}

// recount adds up the segment files.
func recount(t *testing.T, s *Store) int64 {
	t.Helper()
	files, err := os.ReadDir(s.disk.path(segmentsDir))
	require.NoError(t, err)
	var n int64
	for _, f := range files {
		st, err := f.Info()
		require.NoError(t, err)
		n += st.Size()
	}
	return n
}

// An error that is not a crash (a full disk, say) leaves no trace, and the same
// store goes on.
func TestFailedStepLeavesNothingBehind(t *testing.T) {
	ctx := context.Background()
	for _, op := range []string{"create", "write", "sync", "rename", "syncdir"} {
		for nth := 1; nth <= 2; nth++ {
			s := openTest(t, Options{})
			full := errors.New("disk full")
			count := 0
			s.disk.fail = func(step, _ string) error {
				if step == op {
					if count++; count == nth {
						return full
					}
				}
				return nil
			}
			_, err := s.PutFolder(ctx, folder(1, 300_000))
			if err != nil {
				require.ErrorIs(t, err, full, op)
				requireEmpty(t, s)
			}
			count = nth
			root, err := s.PutFolder(ctx, folder(1, 300_000))
			require.NoError(t, err, op)
			_, err = s.Verify(ctx, root)
			require.NoError(t, err)
		}
	}
}

// TestKilledProcess kills a real process at moments nobody chose, and looks at
// what it left: everything it had reported is there, and nothing is broken.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv("ATELIER_STORAGE_VICTIM"); dir != "" {
		victim(dir)
	}
	ctx := context.Background()
	dir := t.TempDir()
	var reported []string
	for round := range 4 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
		cmd.Env = append(os.Environ(), "ATELIER_STORAGE_VICTIM="+dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		for n := 0; n < 5+7*round && lines.Scan(); n++ {
			reported = append(reported, lines.Text())
		}
		require.NoError(t, cmd.Process.Kill())
		for lines.Scan() {
			reported = append(reported, lines.Text())
		}
		require.Error(t, cmd.Wait(), "the victim ends only by the signal")
	}
	s, err := Open(dir, Options{})
	require.NoError(t, err)
	defer s.Close()
	require.Empty(t, s.Damaged())
	require.GreaterOrEqual(t, len(reported), 5+12+19+26)
	pinned := map[string]bool{}
	for _, p := range s.Pins() {
		pinned[p.Root.String()] = true
	}
	for _, line := range reported {
		root, err := cid.Decode(line)
		require.NoError(t, err, "line %q", line)
		_, err = s.Verify(ctx, root)
		require.NoError(t, err)
		require.True(t, pinned[line])
	}
	for _, root := range s.Roots() {
		_, err := s.Verify(ctx, root)
		require.NoError(t, err)
	}
}

// victim puts and pins until it is killed, and reports each root when it is safe.
func victim(dir string) {
	ctx := context.Background()
	s, err := Open(dir, Options{})
	if err != nil {
		panic(err)
	}
	for i := len(s.Roots()); ; i++ {
		root, err := s.PutFolder(ctx, folder(uint64(1000+i), 50_000))
		if err == nil {
			err = s.Pin(root, fmt.Sprint(i))
		}
		if err != nil {
			panic(err)
		}
		fmt.Println(root)
	}
}
