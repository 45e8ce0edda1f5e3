package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	db "github.com/cometbft/cometbft-db"
	"github.com/cometbft/cometbft/store"
	"github.com/cosmos/gogoproto/proto"
)

// Exporter is a ledger whose blocks carry their validators' signatures.
type Exporter interface {
	// Export is the ledger for a stranger to check, from the block of the given
	// height on; 1 begins with the founding document. It fails with ErrHeight when
	// the block before it is not there.
	Export(from uint64) (*Export, error)
}

var (
	_ Exporter = (*Engine)(nil)
	_ Exporter = (*Direct)(nil)
)

// Export is a ledger on its way to somebody who checks it: its blocks as of the time
// when it was made, from From to To, and the signatures under the last.
type Export struct {
	From, To uint64
	genesis  []byte
	read     func(func(db.DB) error) error // keeps the database open meanwhile
	close    func() error
	blocks   *store.BlockStore
}

// newExport looks up where the blocks end.
func newExport(genesis []byte, from uint64, read func(func(db.DB) error) error, close func() error) (*Export, error) {
	x := &Export{From: from, genesis: genesis, read: read, close: close}
	err := x.with(func(s *store.BlockStore) error {
		if s.Height() > 0 && s.Base() > 1 {
			return fmt.Errorf("its blocks begin at height %d", s.Base())
		}
		x.To = uint64(s.Height())
		return nil
	})
	switch {
	case err != nil:
	case x.To == 0:
		err = fmt.Errorf("there is no block yet: %w", ErrHeight)
	case from < 1 || from > x.To+1:
		err = fmt.Errorf("from block %d on, the last one here is %d: %w", from, x.To, ErrHeight)
	}
	if err != nil {
		return nil, fmt.Errorf("export: %w", errors.Join(err, close()))
	}
	return x, nil
}

// with reads the store of blocks, which panics over what it cannot read.
func (x *Export) with(read func(*store.BlockStore) error) error {
	return x.read(func(d db.DB) (err error) {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("read blocks: %v", r)
			}
		}()
		if x.blocks == nil {
			x.blocks = store.NewBlockStore(d)
		}
		return read(x.blocks)
	})
}

// Write writes the export, as far as ctx lasts. It may be called once.
func (x *Export) Write(ctx context.Context, w io.Writer) error {
	if x.From == 1 {
		if _, err := io.WriteString(w, exportMagic); err != nil {
			return fmt.Errorf("export: %w", err)
		}
		if err := writeEntry(w, entryGenesis, x.genesis); err != nil {
			return fmt.Errorf("export: %w", err)
		}
	}
	for height := x.From; height <= x.To; height++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := x.block(int64(height))
		if err == nil {
			err = writeEntry(w, entryBlock, raw)
		}
		if err != nil {
			return fmt.Errorf("export: block %d: %w", height, err)
		}
	}
	raw, err := x.commit(int64(x.To))
	if err == nil {
		err = writeEntry(w, entryCommit, raw)
	}
	if err != nil {
		return fmt.Errorf("export: signatures under block %d: %w", x.To, err)
	}
	return nil
}

// block puts the parts together in which a block went round.
func (x *Export) block(height int64) (raw []byte, err error) {
	return raw, x.with(func(s *store.BlockStore) error {
		meta := s.LoadBlockMeta(height)
		if meta == nil {
			return ErrHeight
		}
		for i := range int(meta.BlockID.PartSetHeader.Total) {
			part := s.LoadBlockPart(height, i)
			if part == nil {
				return ErrHeight
			}
			raw = append(raw, part.Bytes...)
		}
		return nil
	})
}

// commit is what this node saw signed under a block, or, for one that others have
// followed since, what the next block holds.
func (x *Export) commit(height int64) (raw []byte, err error) {
	return raw, x.with(func(s *store.BlockStore) error {
		c := s.LoadSeenCommit(height)
		if c == nil {
			c = s.LoadBlockCommit(height)
		}
		if c == nil {
			return ErrHeight
		}
		raw, err = proto.Marshal(c.ToProto())
		return err
	})
}

// Close gives back what the export holds.
func (x *Export) Close() error { return x.close() }

// Export implements Exporter.
func (e *Engine) Export(from uint64) (*Export, error) {
	e.mu.Lock()
	n := e.node
	e.mu.Unlock()
	if n == nil {
		return nil, fmt.Errorf("export: %w", ErrStopped)
	}
	return newExport(e.cfg.Genesis, from, n.blocks.borrow, func() error { return nil })
}

// ExportHome is the Export of a home that no engine runs. The error wraps
// fs.ErrNotExist when there is no ledger, and ErrLocked when one runs.
func ExportHome(home string, genesis []byte, from uint64) (*Export, error) {
	const name = "blockstore"
	dir := filepath.Join(home, "data")
	if _, err := os.Stat(filepath.Join(dir, name+".db")); err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	d, err := openDB(dir, name)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	return newExport(genesis, from, func(read func(db.DB) error) error { return read(d) }, d.Close)
}
