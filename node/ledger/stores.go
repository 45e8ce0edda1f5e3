package ledger

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"time"

	db "github.com/cometbft/cometbft-db"
	"github.com/syndtr/goleveldb/leveldb/storage"
)

// openDB opens a goleveldb database in dir, and says ErrLocked when another
// process, or another engine of this one, has it.
func openDB(dir, name string) (db.DB, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	d, err := db.NewGoLevelDB(name, dir)
	switch {
	case err == nil:
		return d, nil
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, storage.ErrLocked):
		return nil, fmt.Errorf("open %s: %w", filepath.Join(dir, name), ErrLocked)
	}
	return nil, fmt.Errorf("open %s: %w", filepath.Join(dir, name), err)
}

// shelf is a database of CometBFT's that outlives CometBFT's idea of it.
//
// When a node stops, goroutines of the consensus reactor may still be asleep
// for some seconds, then read the block store, find it closed and panic, which
// ends the whole process (cometbft #1878). So Close does nothing, and retire,
// called when everything has been told to stop, ends any goroutine that comes
// late where it stands, running its deferred calls: nobody waits for it, and
// there is nothing left for it to do.
type shelf struct {
	db.DB

	mu      sync.Mutex // guards the fields below
	inUse   int        // calls and iterators under way
	retired bool
	idle    chan struct{} // closed when retired and inUse is 0
}

func newShelf(d db.DB) *shelf { return &shelf{DB: d, idle: make(chan struct{})} }

func (s *shelf) enter() {
	s.mu.Lock()
	if s.retired {
		s.mu.Unlock()
		runtime.Goexit()
	}
	s.inUse++
	s.mu.Unlock()
}

func (s *shelf) leave() {
	s.mu.Lock()
	s.inUse--
	if s.retired && s.inUse == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
}

// borrow calls read with the database and keeps it open meanwhile. It fails with
// ErrStopped when the database is retired.
func (s *shelf) borrow(read func(db.DB) error) error {
	s.mu.Lock()
	if s.retired {
		s.mu.Unlock()
		return ErrStopped
	}
	s.inUse++
	s.mu.Unlock()
	defer s.leave()
	return read(s.DB)
}

// retire turns away everyone to come, waits for those inside, and closes the
// database. An iterator that nobody closes is waited for 2 s.
func (s *shelf) retire() error {
	s.mu.Lock()
	if s.retired {
		s.mu.Unlock()
		return nil
	}
	s.retired = true
	if s.inUse == 0 {
		close(s.idle)
	}
	s.mu.Unlock()
	select {
	case <-s.idle:
	case <-time.After(2 * time.Second):
	}
	return s.DB.Close()
}

// Close does nothing: see retire.
func (s *shelf) Close() error { return nil }

func (s *shelf) Get(key []byte) ([]byte, error) {
	s.enter()
	defer s.leave()
	return s.DB.Get(key)
}

func (s *shelf) Has(key []byte) (bool, error) {
	s.enter()
	defer s.leave()
	return s.DB.Has(key)
}

func (s *shelf) Set(key, value []byte) error {
	s.enter()
	defer s.leave()
	return s.DB.Set(key, value)
}

func (s *shelf) SetSync(key, value []byte) error {
	s.enter()
	defer s.leave()
	return s.DB.SetSync(key, value)
}

func (s *shelf) Delete(key []byte) error {
	s.enter()
	defer s.leave()
	return s.DB.Delete(key)
}

func (s *shelf) DeleteSync(key []byte) error {
	s.enter()
	defer s.leave()
	return s.DB.DeleteSync(key)
}

func (s *shelf) Iterator(start, end []byte) (db.Iterator, error) {
	s.enter()
	return s.iterator(s.DB.Iterator(start, end))
}

func (s *shelf) ReverseIterator(start, end []byte) (db.Iterator, error) {
	s.enter()
	return s.iterator(s.DB.ReverseIterator(start, end))
}

func (s *shelf) iterator(it db.Iterator, err error) (db.Iterator, error) {
	if err != nil {
		s.leave()
		return nil, err
	}
	return &shelfIterator{Iterator: it, leave: sync.OnceFunc(s.leave)}, nil
}

func (s *shelf) NewBatch() db.Batch { return &shelfBatch{Batch: s.DB.NewBatch(), s: s} }

func (s *shelf) Compact(start, end []byte) error {
	s.enter()
	defer s.leave()
	return s.DB.Compact(start, end)
}

type shelfIterator struct {
	db.Iterator
	leave func()
}

func (i *shelfIterator) Close() error {
	defer i.leave()
	return i.Iterator.Close()
}

type shelfBatch struct {
	db.Batch
	s *shelf
}

func (b *shelfBatch) Write() error {
	b.s.enter()
	defer b.s.leave()
	return b.Batch.Write()
}

func (b *shelfBatch) WriteSync() error {
	b.s.enter()
	defer b.s.leave()
	return b.Batch.WriteSync()
}
