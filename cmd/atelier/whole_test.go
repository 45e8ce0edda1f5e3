package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFileIsWholeOrAsItWas(t *testing.T) {
	says := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	broken := errors.New("interrupted")
	breaks := func(w io.Writer) error { return errors.Join(says("hal")(w), broken) }
	names := func(dir string) (names []string) {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}

	t.Run("a new file", func(t *testing.T) {
		dir := t.TempDir()
		_, err := writeWhole(filepath.Join(dir, "new"), breaks)
		require.ErrorIs(t, err, broken)
		require.Empty(t, names(dir))
		n, err := writeWhole(filepath.Join(dir, "new"), says("whole"))
		require.NoError(t, err)
		require.EqualValues(t, 5, n)
		require.Equal(t, []string{"new"}, names(dir))
	})
	t.Run("one that is there, behind a link", func(t *testing.T) {
		dir := t.TempDir()
		file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
		require.NoError(t, os.WriteFile(file, []byte("before"), 0o640))
		require.NoError(t, os.Symlink("file", link))
		_, err := writeWhole(link, breaks)
		require.ErrorIs(t, err, broken)
		have, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "before", string(have))
		_, err = writeWhole(link, says("after"))
		require.NoError(t, err)
		have, err = os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "after", string(have))
		info, err := os.Lstat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o640), info.Mode(), "who may read it does not change")
		require.Equal(t, []string{"file", "link"}, names(dir))
	})
	t.Run("a device stays one", func(t *testing.T) {
		n, err := writeWhole(os.DevNull, says("gone"))
		require.NoError(t, err)
		require.EqualValues(t, 4, n)
		info, err := os.Stat(os.DevNull)
		require.NoError(t, err)
		require.False(t, info.Mode().IsRegular())
	})
	t.Run("a folder is refused", func(t *testing.T) {
		_, err := writeWhole(t.TempDir(), says("x"))
		require.Error(t, err)
	})
}
