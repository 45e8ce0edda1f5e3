package storage

import (
	"context"
	"errors"
	"io"

	"github.com/ipfs/boxo/blockstore"
	"github.com/ipfs/go-cid"
)

// DefaultQuota is the limit of a store opened without one: 16 GiB.
const DefaultQuota int64 = 16 << 30

// Options says how a store is opened.
type Options struct {
	// Quota limits the bytes of all segments together, those being written
	// included. 0 means DefaultQuota; a negative value means no limit.
	Quota int64
}

// File is one file of a folder.
type File struct {
	Name string // no slash, not empty, not "." or ".."; at most 255 bytes
	Data []byte
}

// Entry is one name in a folder.
type Entry struct {
	Name string
	CID  cid.Cid
	Size int64 // bytes of a file; 0 for a folder
	Dir  bool
}

// Pin keeps a root through Collect.
type Pin struct {
	Root cid.Cid
	Name string
}

// Usage is what a store holds.
type Usage struct {
	Bytes    int64 // all segments, and those being written
	Quota    int64 // negative when there is none
	Segments int
	Blocks   int
	Pins     int
}

// Collected is what Collect removed.
type Collected struct {
	Roots []cid.Cid
	Bytes int64 // bytes of the disk that are free again
}

// Size counts the blocks and bytes (of block data) of a DAG.
type Size struct {
	Blocks int
	Bytes  int64
}

// Store is a directory of DAGs. It is safe for concurrent use.
type Store struct{}

var errPending = errors.New("storage: not implemented yet")

// Open opens the store in dir, creating it when it is absent, and removes what
// an interrupted write left behind. It returns ErrLocked when another store,
// in this process or another, has the directory open.
func Open(dir string, o Options) (*Store, error) { return nil, errPending }

// Close releases the directory. Reads that are under way may fail.
func (s *Store) Close() error { return errPending }

// PutFolder adds a flat UnixFS directory and returns its CID, which depends on
// names and data only, not on their order. When it returns, the folder is on
// the disk. It is not pinned. Adding it again changes nothing.
func (s *Store) PutFolder(ctx context.Context, files []File) (cid.Cid, error) {
	return cid.Undef, errPending
}

// PutFile adds one UnixFS file, read to its end, and returns its CID.
func (s *Store) PutFile(ctx context.Context, r io.Reader) (cid.Cid, error) {
	return cid.Undef, errPending
}

// Has reports whether the store holds c, and with it all that is below it.
func (s *Store) Has(c cid.Cid) bool { return false }

// ReadFile returns the file at path below c ("" for c itself, "image.png" in a
// folder), at most maxRead bytes of it. Every block is hashed.
func (s *Store) ReadFile(ctx context.Context, c cid.Cid, path string) ([]byte, error) {
	return nil, errPending
}

// OpenFile is ReadFile for large files: a reader whose blocks are hashed as
// they are read.
func (s *Store) OpenFile(ctx context.Context, c cid.Cid, path string) (io.ReadSeekCloser, error) {
	return nil, errPending
}

// List returns the entries of the folder c, by name.
func (s *Store) List(ctx context.Context, c cid.Cid) ([]Entry, error) { return nil, errPending }

// ExportCAR writes the DAG below c as CARv1: one root, depth-first, each block
// once, hashed as it is read. The bytes are a function of c alone.
func (s *Store) ExportCAR(ctx context.Context, c cid.Cid, w io.Writer) (int64, error) {
	return 0, errPending
}

// ImportCAR reads a CARv1 to its end and stores it when it is the DAG of root:
// that one root, every block hashed, all blocks below root there and no other.
// Anything else, and more than maxBytes, is refused and changes nothing.
func (s *Store) ImportCAR(ctx context.Context, root cid.Cid, r io.Reader, maxBytes int64) (Size, error) {
	return Size{}, errPending
}

// Pin keeps root through Collect under a name (at most 255 bytes of UTF-8),
// replacing the name it had. A root may be pinned before it is fetched, so that
// a concurrent Collect cannot take it away.
func (s *Store) Pin(root cid.Cid, name string) error { return errPending }

// Unpin lets the next Collect remove root. It returns ErrNotFound when root was
// not pinned.
func (s *Store) Unpin(root cid.Cid) error { return errPending }

// Pins returns all pins, by name and then by root. A pinned root need not be
// held yet: see Has.
func (s *Store) Pins() []Pin { return nil }

// Roots returns the roots of all DAGs held, sorted by their text form.
func (s *Store) Roots() []cid.Cid { return nil }

// Collect unlinks every DAG that is neither pinned nor contains a pinned CID.
func (s *Store) Collect(ctx context.Context) (Collected, error) { return Collected{}, errPending }

// Verify reads and hashes every block below c from the disk.
func (s *Store) Verify(ctx context.Context, c cid.Cid) (Size, error) { return Size{}, errPending }

// Usage returns the present figures.
func (s *Store) Usage() Usage { return Usage{} }

// Blockstore is a read-only view of all blocks, for boxo's tools.
func (s *Store) Blockstore() blockstore.Blockstore { return nil }

// FileCID returns the CID that PutFile gives, without a store.
func FileCID(data []byte) (cid.Cid, error) { return cid.Undef, errPending }

// FolderCID returns the CID that PutFolder gives, without a store.
func FolderCID(files []File) (cid.Cid, error) { return cid.Undef, errPending }
