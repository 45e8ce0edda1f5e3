package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

// DefaultQuota is the limit of a store opened without one: 16 GiB.
const DefaultQuota int64 = 16 << 30

// Options says how a store is opened.
type Options struct {
	// Quota limits the bytes of all segments together, those being written
	// included. 0 means DefaultQuota; a negative value means no limit.
	Quota int64
}

// Usage is what a store holds.
type Usage struct {
	Bytes    int64 // on the disk: all segments, and those being written
	Quota    int64 // negative when there is none
	Segments int   // one for each DAG
	Blocks   int   // each counted once, however many DAGs hold it
	Pins     int
	Damaged  int // see Store.Damaged
}

// Size counts the blocks and bytes (of block data) of a DAG.
type Size struct {
	Blocks int
	Bytes  int64
}

// Store is a directory of DAGs. It is safe for concurrent use.
type Store struct {
	disk  *disk
	lock  *os.File
	quota int64
	dag   format.DAGService // offline, over the store's own blocks

	// write makes renames and unlinks one at a time, so that a segment is in the
	// index exactly when it is on the disk. It is taken before mu.
	write sync.Mutex

	mu       sync.RWMutex // guards what follows
	segments map[cid.Cid]*segment
	blocks   map[digest]place
	also     map[digest][]place // further places of blocks that several segments hold
	pins     map[cid.Cid]string
	used     int64 // bytes of segments
	staged   int64 // bytes reserved by stages
	damaged  []cid.Cid
	closed   bool
}

// place is where a block lies: the i-th span of a segment.
type place struct {
	seg *segment
	i   int
}

// Open opens the store in dir, creating it when it is absent, and removes what
// an interrupted write left behind. It returns ErrLocked when another store,
// in this process or another, has the directory open. Its cost is a few reads
// of 40 bytes for each segment and block.
func Open(dir string, o Options) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open storage: %w", err)
	}
	s, err := open(&disk{dir: dir}, o)
	if err != nil {
		return nil, fmt.Errorf("open storage %s: %w", dir, err)
	}
	return s, nil
}

func open(d *disk, o Options) (*Store, error) {
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return nil, err
	}
	lock, err := d.lock()
	if err != nil {
		return nil, err
	}
	s := &Store{
		disk: d, lock: lock, quota: o.Quota,
		segments: map[cid.Cid]*segment{}, blocks: map[digest]place{}, also: map[digest][]place{}, pins: map[cid.Cid]string{},
	}
	if s.quota == 0 {
		s.quota = DefaultQuota
	}
	s.dag = newDAGService(s)
	if err = d.prepare(); err == nil {
		err = errors.Join(s.loadSegments(), s.loadPins())
	}
	if err != nil {
		d.unlock(lock)
		return nil, err
	}
	return s, nil
}

func (s *Store) loadSegments() error {
	files, err := os.ReadDir(s.disk.path(segmentsDir))
	if err != nil {
		return err
	}
	for _, f := range files {
		root, ok := segmentRoot(f.Name())
		if !ok {
			continue // not ours
		}
		seg, err := s.disk.openSegment(root)
		if err != nil {
			s.damaged = append(s.damaged, root)
			continue
		}
		s.index(seg)
	}
	return nil
}

// Close releases the directory. What is under way fails with ErrClosed; what
// was written stays.
func (s *Store) Close() error {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.disk.unlock(s.lock)
}

// reserve takes n bytes of the quota.
func (s *Store) reserve(n int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if s.quota >= 0 && s.used+s.staged+n > s.quota {
		return fmt.Errorf("%d bytes held, %d being written, %d more asked for, quota %d: %w", s.used, s.staged, n, s.quota, ErrQuota)
	}
	s.staged += n
	return nil
}

// release gives n reserved bytes back; a negative n takes what rounding of CIDs
// added to a stage that was let in.
func (s *Store) release(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.staged -= n
}

func (s *Store) holds(root cid.Cid) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.segments[root] != nil
}

// publish ends a stage whose file is synced and is seg's.
func (s *Store) publish(st *stage, seg *segment) error {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.RLock()
	closed, held := s.closed, s.segments[seg.root] != nil
	s.mu.RUnlock()
	if closed || held {
		st.drop()
		if closed {
			return ErrClosed
		}
		return nil
	}
	name := segmentName(seg.root)
	if err := st.t.publish(segmentsDir, name); err != nil {
		s.disk.discard(s.disk.path(segmentsDir, name))
		s.release(st.reserved)
		return fmt.Errorf("publish segment: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.staged -= st.reserved
	s.index(seg)
	s.damaged = slices.DeleteFunc(s.damaged, seg.root.Equals)
	return nil
}

// index makes a segment's blocks known. The caller holds mu, or is Open.
func (s *Store) index(seg *segment) {
	s.segments[seg.root] = seg
	s.used += seg.bytes
	for i, sp := range seg.spans {
		p := place{seg, i}
		if _, there := s.blocks[sp.digest]; there {
			s.also[sp.digest] = append(s.also[sp.digest], p)
		} else {
			s.blocks[sp.digest] = p
		}
	}
}

// forget is the inverse of index. The caller holds mu.
func (s *Store) forget(seg *segment) {
	delete(s.segments, seg.root)
	s.used -= seg.bytes
	for _, sp := range seg.spans {
		rest := slices.DeleteFunc(s.also[sp.digest], func(p place) bool { return p.seg == seg })
		if s.blocks[sp.digest].seg == seg {
			if len(rest) == 0 {
				delete(s.blocks, sp.digest)
			} else {
				s.blocks[sp.digest], rest = rest[0], rest[1:]
			}
		}
		if len(rest) == 0 {
			delete(s.also, sp.digest)
		} else {
			s.also[sp.digest] = rest
		}
	}
}

// find returns where a block lies.
func (s *Store) find(d digest) (place, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return place{}, ErrClosed
	}
	p, ok := s.blocks[d]
	if !ok {
		return place{}, ErrNotFound
	}
	return p, nil
}

// get reads and hashes a block.
func (s *Store) get(c cid.Cid) ([]byte, error) {
	d, err := parse(c)
	if err != nil {
		return nil, err
	}
	for {
		p, err := s.find(d)
		if err != nil {
			return nil, fmt.Errorf("block %s: %w", c, err)
		}
		data, err := s.disk.readBlock(p.seg.root, p.seg.spans[p.i])
		if errors.Is(err, fs.ErrNotExist) {
			// Collected since, and perhaps held by another segment; when nothing
			// changed, somebody else removed the file.
			if q, _ := s.find(d); q == p {
				s.condemn(p.seg)
				return nil, fmt.Errorf("segment of %s is gone: %w", p.seg.root, ErrDamaged)
			}
			continue
		}
		if errors.Is(err, ErrDamaged) {
			s.condemn(p.seg)
		}
		return data, err
	}
}

// condemn takes a segment with a damaged block out of the index, so that it can
// be fetched again.
func (s *Store) condemn(seg *segment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.segments[seg.root] == seg {
		s.forget(seg)
		s.damaged = append(s.damaged, seg.root)
	}
}

func (s *Store) has(d digest) bool {
	_, err := s.find(d)
	return err == nil
}

// roots returns the roots of the segments that hold a block.
func (s *Store) rootsOf(c cid.Cid) []cid.Cid {
	d, err := parse(c)
	if err != nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.blocks[d]
	if !ok {
		return nil
	}
	out := []cid.Cid{p.seg.root}
	for _, p := range s.also[d] {
		out = append(out, p.seg.root)
	}
	return out
}

// Has reports whether the store holds c, and with it all that is below it.
func (s *Store) Has(c cid.Cid) bool {
	d, err := parse(c)
	return err == nil && s.has(d)
}

// Roots returns the roots of all DAGs held, sorted by their text form.
func (s *Store) Roots() []cid.Cid {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]cid.Cid, 0, len(s.segments))
	for root := range s.segments {
		out = append(out, root)
	}
	return sorted(out)
}

// Damaged returns the roots whose segment files Open could not read, or in which
// a block did not have its hash when it was read. They count as not held, so
// fetching one again repairs it; Collect removes those that are not pinned.
func (s *Store) Damaged() []cid.Cid {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return sorted(slices.Clone(s.damaged))
}

func sorted(roots []cid.Cid) []cid.Cid {
	slices.SortFunc(roots, func(a, b cid.Cid) int { return strings.Compare(a.String(), b.String()) })
	return roots
}

// Usage returns the present figures.
func (s *Store) Usage() Usage {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return Usage{
		Bytes: s.used + s.staged, Quota: s.quota, Segments: len(s.segments),
		Blocks: len(s.blocks), Pins: len(s.pins), Damaged: len(s.damaged),
	}
}

// Verify reads and hashes every block below c from the disk. It returns
// ErrDamaged for the first one that does not have its hash.
func (s *Store) Verify(ctx context.Context, c cid.Cid) (Size, error) {
	order, err := s.plan(c)
	if err != nil {
		return Size{}, fmt.Errorf("verify %s: %w", c, err)
	}
	var size Size
	for _, b := range order {
		if err := ctx.Err(); err != nil {
			return size, err
		}
		data, err := s.get(b)
		if err != nil {
			return size, fmt.Errorf("verify %s: %w", c, err)
		}
		size.Blocks++
		size.Bytes += int64(len(data))
	}
	return size, nil
}

func (s *Store) plan(c cid.Cid) ([]cid.Cid, error) { return plan(c, s.get, s.has) }
