package storage

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"
	"github.com/ipld/go-car/v2"
)

// maxCARHeader bounds a CAR's header: one root needs 59 bytes.
const maxCARHeader = 256

// ExportCAR writes the DAG below c as CARv1: one root, depth-first, each block
// once, hashed as it is read. The bytes are a function of c alone. It returns
// how many it wrote.
func (s *Store) ExportCAR(ctx context.Context, c cid.Cid, w io.Writer) (int64, error) {
	root, err := normal(c)
	if err != nil {
		return 0, fmt.Errorf("export: %w", err)
	}
	order, err := s.plan(root)
	if err != nil {
		return 0, fmt.Errorf("export %s: %w", root, err)
	}
	n, err := writeCAR(ctx, w, root, order, s.get, nil)
	if err != nil {
		return n, fmt.Errorf("export %s: %w", root, err)
	}
	return n, nil
}

// ImportCAR reads a CARv1 to its end and stores it when it is the DAG of root:
// that one root, every block hashed, all blocks below root there, each once, and
// no other. The order is free. Anything else is ErrInvalid, more than maxBytes
// is ErrTooLarge; after any error the store is as it was.
func (s *Store) ImportCAR(ctx context.Context, root cid.Cid, r io.Reader, maxBytes int64) (Size, error) {
	size, err := s.importCAR(ctx, root, r, maxBytes)
	if err != nil {
		return Size{}, fmt.Errorf("import %s: %w", root, err)
	}
	return size, nil
}

func (s *Store) importCAR(ctx context.Context, root cid.Cid, r io.Reader, maxBytes int64) (Size, error) {
	root, err := normal(root)
	if err != nil {
		return Size{}, err
	}
	st, err := s.newStage(root)
	if err != nil {
		return Size{}, err
	}
	if err := st.readCAR(ctx, root, &limited{r: r, left: maxBytes}); err != nil {
		st.drop()
		return Size{}, err
	}
	order, size, err := st.complete(root, true)
	if err != nil {
		st.drop()
		return Size{}, invalid(err)
	}
	return size, st.commit(ctx, root, order)
}

// invalid turns "not there" into "not what was asked for".
func invalid(err error) error {
	if errors.Is(err, ErrNotFound) {
		return fmt.Errorf("incomplete: %v: %w", err, ErrInvalid)
	}
	return err
}

// readCAR stages all blocks of a CARv1 with the one given root.
func (st *stage) readCAR(ctx context.Context, root cid.Cid, r *limited) error {
	buf := bufio.NewReaderSize(r, 64<<10)
	fail := func(err error) error {
		if r.err != nil {
			return r.err // what the source said, rather than how the parser met it
		}
		return fmt.Errorf("CAR: %v: %w", err, ErrInvalid)
	}
	br, err := car.NewBlockReader(onlyReader{buf}, car.MaxAllowedHeaderSize(maxCARHeader), car.MaxAllowedSectionSize(MaxBlock+maxSectionHeader))
	if err != nil {
		return fail(err)
	}
	if br.Version != 1 || len(br.Roots) != 1 {
		return fmt.Errorf("CAR version %d with %d roots, want version 1 with one: %w", br.Version, len(br.Roots), ErrInvalid)
	}
	if got, err := normal(br.Roots[0]); err != nil || !got.Equals(root) {
		return fmt.Errorf("CAR of %s: %w", br.Roots[0], ErrInvalid)
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := br.Next()
		if err == io.EOF && r.err == nil {
			return nil
		}
		if err != nil {
			return fail(err)
		}
		added, err := st.add(b.Cid(), b.RawData())
		if err != nil {
			return err
		}
		if !added {
			return fmt.Errorf("block %s comes twice: %w", b.Cid(), ErrInvalid)
		}
	}
}

// onlyReader hides all but Read, so that nothing seeks.
type onlyReader struct{ io.Reader }

// limited reads at most left bytes and then fails with ErrTooLarge. err is the
// first error of the source, other than its end.
type limited struct {
	r    io.Reader
	left int64
	err  error
}

func (l *limited) Read(b []byte) (int, error) {
	if l.err != nil {
		return 0, l.err
	}
	if len(b) == 0 {
		return 0, nil
	}
	// One byte more than allowed may be read, to tell the end from too much.
	if int64(len(b)) > l.left+1 {
		b = b[:l.left+1]
	}
	n, err := l.r.Read(b)
	if l.left -= int64(n); l.left < 0 {
		l.err = fmt.Errorf("the CAR goes on past the limit: %w", ErrTooLarge)
		return 0, l.err
	}
	if err != nil && err != io.EOF {
		l.err = err
	}
	return n, err
}
