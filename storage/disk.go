package storage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// The subdirectories of a store.
const (
	segmentsDir = "segments"
	pinsDir     = "pins"
	tempDir     = "tmp" // emptied by Open
)

// disk does every write of a store. A file becomes visible by rename, after its
// bytes are on the disk; the rename is on the disk once the directory is synced.
type disk struct {
	dir string

	// fail, when set, is asked before each step and may return an error instead
	// of letting it happen, which is how the tests stop the machine between any
	// two steps. A failing write still writes half of its bytes.
	fail func(op, path string) error
}

func (d *disk) step(op, path string) error {
	if d.fail == nil {
		return nil
	}
	return d.fail(op, path)
}

func (d *disk) path(elem ...string) string {
	return filepath.Join(append([]string{d.dir}, elem...)...)
}

// prepare creates the directories and removes what an interrupted write left.
func (d *disk) prepare() error {
	for _, sub := range []string{segmentsDir, pinsDir, tempDir} {
		if err := os.MkdirAll(d.path(sub), 0o755); err != nil {
			return err
		}
	}
	left, err := os.ReadDir(d.path(tempDir))
	if err != nil {
		return err
	}
	for _, e := range left {
		if err := os.RemoveAll(d.path(tempDir, e.Name())); err != nil {
			return err
		}
	}
	return d.syncDir("")
}

// tempFile is a file that is being written. Exactly one of publish and drop
// ends it.
type tempFile struct {
	*os.File
	d *disk
}

func (d *disk) temp() (*tempFile, error) {
	if err := d.step("create", tempDir); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(d.path(tempDir), "w-*")
	if err != nil {
		return nil, err
	}
	return &tempFile{f, d}, nil
}

func (t *tempFile) Write(b []byte) (int, error) {
	if err := t.d.step("write", t.Name()); err != nil {
		n, _ := t.File.Write(b[:len(b)/2])
		return n, err
	}
	return t.File.Write(b)
}

// drop closes and removes the file.
func (t *tempFile) drop() {
	t.Close()
	t.d.discard(t.Name())
}

// discard removes a file that nobody knows of, if it can; Open removes what is
// left.
func (d *disk) discard(path string) {
	if d.step("discard", path) == nil {
		os.Remove(path)
	}
}

// sync puts the file's bytes on the disk.
func (t *tempFile) sync() error {
	if err := t.d.step("sync", t.Name()); err != nil {
		return err
	}
	return t.File.Sync()
}

// publish gives a synced file its name in a subdirectory, replacing what had
// it. After an error the file may have its name, but perhaps not for good.
func (t *tempFile) publish(sub, name string) error {
	to := t.d.path(sub, name)
	err := t.Close()
	if err == nil {
		err = t.d.step("rename", to)
	}
	if err == nil {
		err = os.Rename(t.Name(), to)
	}
	if err != nil {
		t.d.discard(t.Name())
		return err
	}
	return t.d.syncDir(sub)
}

// remove unlinks a file; the caller syncs the directory.
func (d *disk) remove(sub, name string) error {
	p := d.path(sub, name)
	if err := d.step("remove", p); err != nil {
		return err
	}
	return os.Remove(p)
}

func (d *disk) syncDir(sub string) error {
	p := d.path(sub)
	if err := d.step("syncdir", p); err != nil {
		return err
	}
	f, err := os.Open(p)
	if err != nil {
		return err
	}
	err = f.Sync()
	if isUnsyncable(err) {
		err = nil
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// writeFile replaces a small file durably.
func (d *disk) writeFile(sub, name string, data []byte) error {
	t, err := d.temp()
	if err != nil {
		return err
	}
	if _, err = t.Write(data); err == nil {
		err = t.sync()
	}
	if err != nil {
		t.drop()
		return err
	}
	return t.publish(sub, name)
}
