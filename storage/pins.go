package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ipfs/go-cid"
)

// Pin keeps a root, and all blocks below it, through Collect.
type Pin struct {
	Root cid.Cid // CIDv1
	Name string  // for people, at most 255 bytes; need not be unique
}

// Collected is what Collect removed.
type Collected struct {
	Roots []cid.Cid
	Bytes int64 // bytes of the disk that are free again
}

func (s *Store) loadPins() error {
	files, err := os.ReadDir(s.disk.path(pinsDir))
	if err != nil {
		return err
	}
	for _, f := range files {
		root, ok := rootFromText(f.Name())
		if !ok {
			continue // not ours
		}
		name, err := os.ReadFile(s.disk.path(pinsDir, f.Name()))
		if err != nil {
			return fmt.Errorf("read pin: %w", err)
		}
		s.pins[root] = strings.ToValidUTF8(string(name), "\uFFFD")
	}
	return nil
}

// maxPinName is the longest pin name, in bytes.
const maxPinName = 255

// Pin keeps root through Collect under a name (at most 255 bytes of UTF-8),
// replacing the name it had. A root may be pinned before it is fetched, so that
// a concurrent Collect cannot take it away.
func (s *Store) Pin(root cid.Cid, name string) error {
	root, err := normal(root)
	if err != nil {
		return fmt.Errorf("pin: %w", err)
	}
	if len(name) > maxPinName || !utf8.ValidString(name) {
		return fmt.Errorf("pin %s: name of %d bytes must be UTF-8 of at most %d: %w", root, len(name), maxPinName, ErrName)
	}
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.RLock()
	closed := s.closed
	old, there := s.pins[root]
	s.mu.RUnlock()
	switch {
	case closed:
		return ErrClosed
	case there && old == name:
		return nil
	}
	if err := s.disk.writeFile(pinsDir, root.String(), []byte(name)); err != nil {
		return fmt.Errorf("pin %s: %w", root, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pins[root] = name
	return nil
}

// Unpin lets the next Collect remove root. It returns ErrNotFound when root was
// not pinned. After another error root may be pinned again once the store is
// reopened.
func (s *Store) Unpin(root cid.Cid) error {
	root, err := normal(root)
	if err != nil {
		return fmt.Errorf("unpin: %w", err)
	}
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.RLock()
	closed := s.closed
	_, there := s.pins[root]
	s.mu.RUnlock()
	switch {
	case closed:
		return ErrClosed
	case !there:
		return fmt.Errorf("unpin %s: %w", root, ErrNotFound)
	}
	if err := s.disk.remove(pinsDir, root.String()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("unpin %s: %w", root, err)
	}
	s.mu.Lock()
	delete(s.pins, root)
	s.mu.Unlock()
	return s.disk.syncDir(pinsDir)
}

// Pins returns all pins, by name and then by root. A pinned root need not be
// held yet: see Has.
func (s *Store) Pins() []Pin {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Pin, 0, len(s.pins))
	for root, name := range s.pins {
		out = append(out, Pin{root, name})
	}
	slices.SortFunc(out, func(a, b Pin) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Root.String(), b.Root.String())
	})
	return out
}

// Collect unlinks every DAG that is neither pinned nor contains a pinned CID,
// and says what became free. When it fails half-way, what it reports is gone.
func (s *Store) Collect(ctx context.Context) (Collected, error) {
	var out Collected
	for _, root := range s.Roots() {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		n, err := s.collect(root)
		if err != nil {
			return out, fmt.Errorf("collect %s: %w", root, err)
		}
		if n > 0 {
			out.Roots = append(out.Roots, root)
			out.Bytes += n
		}
	}
	for _, root := range s.Damaged() {
		if err := s.collectDamaged(root); err != nil {
			return out, fmt.Errorf("collect %s: %w", root, err)
		}
	}
	return out, s.disk.syncDir(segmentsDir)
}

// collect unlinks one segment unless it is kept, and returns its bytes.
func (s *Store) collect(root cid.Cid) (int64, error) {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.RLock()
	seg, closed := s.segments[root], s.closed
	kept := seg != nil && s.kept(seg)
	s.mu.RUnlock()
	if closed {
		return 0, ErrClosed
	}
	if seg == nil || kept {
		return 0, nil
	}
	if err := s.disk.remove(segmentsDir, segmentName(root)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(seg)
	return seg.bytes, nil
}

// kept reports whether a pin holds the segment. A pinned block that is the root
// of a segment keeps that one; any other keeps the first segment it is in. The
// caller holds mu.
func (s *Store) kept(seg *segment) bool {
	if _, ok := s.pins[seg.root]; ok {
		return true
	}
	for root := range s.pins {
		if s.segments[root] != nil {
			continue
		}
		if d, err := parse(root); err == nil && s.blocks[d].seg == seg {
			return true
		}
	}
	return false
}

// collectDamaged removes an unreadable segment that nobody pinned.
func (s *Store) collectDamaged(root cid.Cid) error {
	s.write.Lock()
	defer s.write.Unlock()
	s.mu.RLock()
	_, pinned := s.pins[root]
	still := slices.ContainsFunc(s.damaged, root.Equals)
	s.mu.RUnlock()
	if pinned || !still {
		return nil
	}
	if err := s.disk.remove(segmentsDir, segmentName(root)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.damaged = slices.DeleteFunc(s.damaged, root.Equals)
	return nil
}
