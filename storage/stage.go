package storage

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"

	"github.com/ipfs/go-cid"
)

// stage is a DAG on its way in: blocks in the order they came, in a temporary
// file that counts against the quota. Exactly one of commit and drop ends it.
// One goroutine uses it.
type stage struct {
	s        *Store
	root     cid.Cid // or Undef, when it is not known before the blocks
	t        *tempFile
	w        *bufio.Writer
	off      int64
	flushed  int64
	reserved int64
	at       map[digest]int // into spans
	spans    []span
	cids     []cid.Cid
}

// newStage starts a stage. With a root the file begins as its segment would, so
// that blocks which come in depth-first order need not be written twice.
func (s *Store) newStage(root cid.Cid) (*stage, error) {
	t, err := s.disk.temp()
	if err != nil {
		return nil, err
	}
	st := &stage{s: s, root: root, t: t, w: bufio.NewWriterSize(t, 64<<10), at: map[digest]int{}}
	if root.Defined() {
		if err := st.write(carHeader(root)); err != nil {
			st.drop()
			return nil, err
		}
	}
	return st, nil
}

func (st *stage) write(b []byte) error {
	if err := st.s.reserve(int64(len(b))); err != nil {
		return err
	}
	st.reserved += int64(len(b))
	if _, err := st.w.Write(b); err != nil {
		return err
	}
	st.off += int64(len(b))
	return nil
}

// add hashes a block and writes it; added is false when it was there already.
func (st *stage) add(c cid.Cid, data []byte) (added bool, err error) {
	d, err := parse(c)
	if err != nil {
		return false, err
	}
	if len(data) > MaxBlock {
		return false, fmt.Errorf("block %s has %d bytes, limit %d: %w", c, len(data), MaxBlock, ErrTooLarge)
	}
	if sha256.Sum256(data) != d {
		return false, fmt.Errorf("block %s: hash differs: %w", c, ErrInvalid)
	}
	if _, there := st.at[d]; there {
		return false, nil
	}
	if len(st.spans) == MaxBlocks {
		return false, fmt.Errorf("more than %d blocks: %w", MaxBlocks, ErrTooLarge)
	}
	if err := st.write(sectionHeader(c, len(data))); err != nil {
		return false, err
	}
	st.at[d] = len(st.spans)
	st.spans = append(st.spans, span{digest: d, off: st.off, size: int32(len(data))})
	st.cids = append(st.cids, c)
	return true, st.write(data)
}

func (st *stage) has(d digest) bool {
	_, ok := st.at[d]
	return ok
}

// get reads back a block that add verified.
func (st *stage) get(c cid.Cid) ([]byte, error) {
	d, err := parse(c)
	if err != nil {
		return nil, err
	}
	i, ok := st.at[d]
	if !ok {
		return nil, fmt.Errorf("block %s: %w", c, ErrNotFound)
	}
	s := st.spans[i]
	if s.off+int64(s.size) > st.flushed {
		if err := st.w.Flush(); err != nil {
			return nil, err
		}
		st.flushed = st.off
	}
	data := make([]byte, s.size)
	if _, err := st.t.ReadAt(data, s.off); err != nil {
		return nil, fmt.Errorf("read back: %w", err)
	}
	return data, nil
}

// drop forgets the stage and removes its file.
func (st *stage) drop() {
	st.t.drop()
	st.s.release(st.reserved)
	st.reserved = 0
}

// complete plans the DAG of root from the staged blocks. exact refuses staged
// blocks that are not below root.
func (st *stage) complete(root cid.Cid, exact bool) (order []cid.Cid, size Size, err error) {
	order, err = plan(root, st.get, st.has)
	if err != nil {
		return nil, Size{}, err
	}
	if exact && len(order) != len(st.spans) {
		return nil, Size{}, fmt.Errorf("%d blocks that are not below %s: %w", len(st.spans)-len(order), root, ErrInvalid)
	}
	for _, c := range order {
		d, _ := parse(c)
		size.Bytes += int64(st.spans[st.at[d]].size)
	}
	size.Blocks = len(order)
	return order, size, nil
}

// commit makes a segment of the planned blocks and ends the stage. When the
// store holds root already, nothing is written.
func (st *stage) commit(ctx context.Context, root cid.Cid, order []cid.Cid) error {
	if st.s.holds(root) {
		st.drop()
		return nil
	}
	seg := &segment{root: root, spans: make([]span, 0, len(order))}
	if st.canonical(root, order) {
		if err := st.w.Flush(); err != nil {
			st.drop()
			return err
		}
		seg.bytes, seg.spans = st.off, st.spans
	} else if err := st.reorder(ctx, seg, order); err != nil {
		st.drop()
		return err
	}
	if err := st.t.sync(); err != nil {
		st.drop()
		return err
	}
	return st.s.publish(st, seg)
}

// canonical reports whether the file already is root's segment.
func (st *stage) canonical(root cid.Cid, order []cid.Cid) bool {
	return st.root.Equals(root) && slices.EqualFunc(order, st.cids, cid.Cid.Equals)
}

// reorder writes the planned blocks to a second file in their order, and makes
// it the stage's. While both exist only one counts against the quota.
func (st *stage) reorder(ctx context.Context, seg *segment, order []cid.Cid) error {
	t, err := st.s.disk.temp()
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(t, 256<<10)
	off, err := writeCAR(ctx, w, seg.root, order, st.get, func(s span) { seg.spans = append(seg.spans, s) })
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		t.drop()
		return err
	}
	st.t.drop()
	st.t, seg.bytes = t, off
	st.s.release(st.reserved - off)
	st.reserved = off
	return nil
}

// writeCAR writes the blocks of a plan as CARv1 and tells where each one lies.
func writeCAR(ctx context.Context, w io.Writer, root cid.Cid, order []cid.Cid, get func(cid.Cid) ([]byte, error), placed func(span)) (int64, error) {
	n, err := w.Write(carHeader(root))
	off := int64(n)
	if err != nil {
		return off, err
	}
	for _, c := range order {
		if err := ctx.Err(); err != nil {
			return off, err
		}
		data, err := get(c)
		if err != nil {
			return off, err
		}
		n, err := w.Write(sectionHeader(c, len(data)))
		off += int64(n)
		if err != nil {
			return off, err
		}
		if placed != nil {
			d, _ := parse(c)
			placed(span{digest: d, off: off, size: int32(len(data))})
		}
		n, err = w.Write(data)
		off += int64(n)
		if err != nil {
			return off, err
		}
	}
	return off, nil
}
