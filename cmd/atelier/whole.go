package main

import (
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// writeWhole writes a file under another name beside path and renames it when it is
// whole: path never holds half a file, and when write fails, what was there is
// untouched and nothing else is left. A link is followed; a pipe or device is written
// as it is. It returns the number of bytes.
func writeWhole(path string, write func(io.Writer) error) (int64, error) {
	if to, err := filepath.EvalSymlinks(path); err == nil {
		path = to
	}
	before, err := os.Stat(path)
	there := err == nil
	if there && !before.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return 0, err
		}
		c := &counter{w: f}
		err = errors.Join(write(c), f.Close())
		return c.n, err
	}
	name := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+"."+rand.Text()[:8])
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return 0, err
	}
	c := &counter{w: f}
	err = write(c)
	if err == nil && there {
		err = f.Chmod(before.Mode().Perm())
	}
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(name, path)
	}
	if err != nil {
		return 0, errors.Join(err, os.Remove(name))
	}
	return c.n, nil
}

// counter counts the bytes that pass.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}
