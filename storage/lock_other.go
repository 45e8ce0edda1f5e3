//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd)

package storage

import (
	"os"
	"sync"
)

var lockedDirs sync.Map

// lock keeps this process from opening the directory twice; here the system
// offers no lock that ends with the process, so other processes are not seen.
func (d *disk) lock() (*os.File, error) {
	if _, taken := lockedDirs.LoadOrStore(d.dir, true); taken {
		return nil, ErrLocked
	}
	f, err := os.OpenFile(d.path("lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		lockedDirs.Delete(d.dir)
	}
	return f, err
}

// isUnsyncable: directories cannot be opened for syncing on every such system.
func isUnsyncable(err error) bool { return err != nil }

func (d *disk) unlock(f *os.File) error {
	lockedDirs.Delete(d.dir)
	return f.Close()
}
