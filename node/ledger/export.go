package ledger

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/cometbft/cometbft/crypto/tmhash"
	cmtproto "github.com/cometbft/cometbft/proto/tendermint/types"
	"github.com/cometbft/cometbft/types"
	"github.com/cosmos/gogoproto/proto"
)

// An export is a ledger as a stream that a stranger can check: a line that says what
// it is, the genesis document, every block as its validators signed it, and the
// signatures under the last one; those under each other block stand in the block
// after it. EXPORT.md describes it byte by byte, and how to check it.
const exportMagic = "atelier ledger export 1\n"

// The kinds of entries, in their order.
const (
	entryGenesis = 'G' // once
	entryBlock   = 'B' // one for each height, from 1
	entryCommit  = 'C' // once, at the end
)

// Bounds of what an entry may hold, in bytes.
const (
	maxGenesisBytes = 4 << 20
	maxCommitBytes  = 64 << 10
)

// ErrExport reports bytes that are not an export, or are cut off.
var ErrExport = errors.New("malformed ledger export")

// malformed is what is wrong with the form of an export. It wraps ErrExport.
type malformed string

func (m malformed) Error() string { return string(m) }
func (m malformed) Unwrap() error { return ErrExport }

func malformedf(format string, values ...any) error {
	return malformed(fmt.Sprintf(format, values...))
}

func writeEntry(w io.Writer, kind byte, content []byte) error {
	head := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(content)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(content)
	return err
}

// entries reads an export one entry at a time and holds no more than one.
type entries struct {
	in   *bufio.Reader
	read int64 // bytes of whole entries so far, the first line included
}

// openEntries reads up to the genesis document.
func openEntries(r io.Reader) (*entries, []byte, error) {
	e := &entries{in: bufio.NewReaderSize(r, 64<<10)}
	magic := make([]byte, len(exportMagic))
	if _, err := io.ReadFull(e.in, magic); err != nil || string(magic) != exportMagic {
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, nil, err
		}
		return nil, nil, malformedf("it does not begin with the line %q", exportMagic[:len(exportMagic)-1])
	}
	e.read = int64(len(magic))
	kind, genesis, err := e.next()
	switch {
	case errors.Is(err, io.EOF) || err == nil && kind != entryGenesis:
		return nil, nil, malformedf("the founding document does not come first")
	case err != nil:
		return nil, nil, err
	}
	return e, genesis, nil
}

// next gives io.EOF where an entry might begin and nothing is left. Memory grows with
// what has really come.
func (e *entries) next() (kind byte, content []byte, err error) {
	var head [5]byte
	if n, err := io.ReadFull(e.in, head[:]); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return 0, nil, io.EOF
		}
		return 0, nil, cutOff(err)
	}
	var limit int64
	switch head[0] {
	case entryGenesis:
		limit = maxGenesisBytes
	case entryBlock:
		limit = MaxBlockBytes
	case entryCommit:
		limit = maxCommitBytes
	default:
		return 0, nil, malformedf("an entry of the unknown kind %#x", head[0])
	}
	size := int64(binary.BigEndian.Uint32(head[1:]))
	if size > limit {
		return 0, nil, malformedf("an entry of %d bytes, the most is %d", size, limit)
	}
	if content, err = io.ReadAll(io.LimitReader(e.in, size)); err != nil {
		return 0, nil, err
	}
	if int64(len(content)) < size {
		return 0, nil, cutOff(io.ErrUnexpectedEOF)
	}
	e.read += 5 + size
	return head[0], content, nil
}

func cutOff(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return malformedf("it breaks off")
	}
	return err
}

// decodeSigned reads the block of an entry: CometBFT's own form of it, whose parts
// agree with the hashes in its header. The id names these very bytes.
func decodeSigned(raw []byte) (block *types.Block, id types.BlockID, err error) {
	var pb cmtproto.Block
	if err = proto.Unmarshal(raw, &pb); err == nil {
		block, err = types.BlockFromProto(&pb)
	}
	if err == nil && len(block.Hash()) != tmhash.Size {
		err = errors.New("its header names no validators, so that it has no hash")
	}
	if err != nil {
		switch {
		case block == nil:
		case !bytes.Equal(block.DataHash, block.Data.Hash()):
			err = errors.New("its transactions are not those that its header names")
		case block.LastCommit != nil && !bytes.Equal(block.LastCommitHash, block.LastCommit.Hash()):
			err = errors.New("the signatures in it are not those that its header names")
		case !bytes.Equal(block.EvidenceHash, block.Evidence.Hash()):
			err = errors.New("the evidence in it is not what its header names")
		}
		return nil, id, malformedf("it is damaged: %v", err)
	}
	id = types.BlockID{Hash: block.Hash(), PartSetHeader: types.NewPartSetFromData(raw, types.BlockPartSizeBytes).Header()}
	return block, id, nil
}

func decodeCommit(raw []byte) (*types.Commit, error) {
	var pb cmtproto.Commit
	if err := proto.Unmarshal(raw, &pb); err != nil {
		return nil, err
	}
	return types.CommitFromProto(&pb)
}

// ExportEnd is where an export ends, whole or not.
type ExportEnd struct {
	Height uint64 // of its last block; 0 when it has none
	Offset int64  // where the next block would go, after the last one; 0 when it has none
	Whole  bool   // the signatures under the last block follow, and then nothing

	hash [tmhash.Size]byte // of the last block
}

// EndOfExport finds where an export ends that was written earlier, perhaps not to its
// end, so that it can be continued. It looks at the form alone.
func EndOfExport(r io.Reader) (ExportEnd, error) {
	var end ExportEnd
	e, _, err := openEntries(r)
	if err != nil {
		return end, fmt.Errorf("read export: %w", err)
	}
	last := []byte(nil)
	for {
		kind, content, err := e.next()
		if errors.Is(err, io.EOF) || errors.Is(err, ErrExport) || kind == entryGenesis || end.Whole && err == nil {
			end.Whole = end.Whole && errors.Is(err, io.EOF)
			break // whatever follows is not of an export, and is left out of the next one
		}
		if err != nil {
			return end, fmt.Errorf("read export: %w", err)
		}
		if kind == entryCommit {
			end.Whole = true
			continue
		}
		end.Height, end.Offset, last = end.Height+1, e.read, content
	}
	if last != nil {
		block, id, err := decodeSigned(last)
		if err != nil || block.Height != int64(end.Height) {
			return end, malformedf("read export: block %d is damaged", end.Height)
		}
		end.hash = [tmhash.Size]byte(id.Hash)
	}
	return end, nil
}

// CopyExport writes to w what r holds of an export, the rest of it after end, and
// returns the end with it. Blocks have to follow each other by their hashes, and
// the signatures under the last one have to come; whether they are good, CheckExport
// tells. progress hears each height, unless it is nil.
func CopyExport(ctx context.Context, w io.Writer, r io.Reader, end ExportEnd, progress func(height uint64)) (ExportEnd, error) {
	e := &entries{in: bufio.NewReaderSize(r, 64<<10)}
	if end.Height == 0 {
		opened, genesis, err := openEntries(r)
		if err != nil {
			return end, fmt.Errorf("export: %w", err)
		}
		if _, err := io.WriteString(w, exportMagic); err != nil {
			return end, err
		}
		if err := writeEntry(w, entryGenesis, genesis); err != nil {
			return end, err
		}
		e, end.Offset = opened, opened.read
	}
	for {
		if err := ctx.Err(); err != nil {
			return end, err
		}
		kind, content, err := e.next()
		if errors.Is(err, io.EOF) {
			err = cutOff(io.ErrUnexpectedEOF)
		}
		if err != nil {
			return end, fmt.Errorf("export: after block %d: %w", end.Height, err)
		}
		var id types.BlockID
		switch kind {
		case entryBlock:
			block, own, err := decodeSigned(content)
			switch {
			case err != nil:
				return end, fmt.Errorf("export: block %d: %w", end.Height+1, err)
			case block.Height != int64(end.Height)+1:
				return end, malformedf("export: block %d after block %d", block.Height, end.Height)
			case end.Height > 0 && !bytes.Equal(block.LastBlockID.Hash, end.hash[:]):
				return end, malformedf("export: block %d follows another block %d than the one that is there", block.Height, end.Height)
			}
			id = own
		case entryCommit:
			commit, err := decodeCommit(content)
			if err != nil || commit.Height != int64(end.Height) || !bytes.Equal(commit.BlockID.Hash, end.hash[:]) {
				return end, malformedf("export: the last signatures are for another block than block %d", end.Height)
			}
		default:
			return end, malformedf("export: a second founding document")
		}
		if err := writeEntry(w, kind, content); err != nil {
			return end, err
		}
		if kind == entryCommit {
			end.Whole = true
			return end, nil
		}
		end.Height, end.Offset, end.hash = end.Height+1, end.Offset+5+int64(len(content)), [tmhash.Size]byte(id.Hash)
		if progress != nil {
			progress(end.Height)
		}
	}
}
