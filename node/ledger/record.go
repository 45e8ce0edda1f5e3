package ledger

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/atelier-dao/atelier/curation"
)

// A record is a ledger as a stream: a magic line, the genesis document, and one
// entry per block, each as a length (u32, big endian) and so many bytes of
// deterministic CBOR. It holds what a stranger needs to run the state machine
// again and compare every hash.
const recordMagic = "atelier ledger record 1\n"

// ErrRecord reports a stream that is not a record, or is cut off.
var ErrRecord = errors.New("malformed ledger record")

// maxGenesisBytes bounds the genesis document of a record.
const maxGenesisBytes = 16 << 20

// Recorder writes a record.
type Recorder struct{ w io.Writer }

// NewRecorder begins a record on w.
func NewRecorder(w io.Writer, genesis []byte) (*Recorder, error) {
	if len(genesis) > maxGenesisBytes {
		return nil, fmt.Errorf("record: genesis of %d bytes, limit %d", len(genesis), maxGenesisBytes)
	}
	if _, err := io.WriteString(w, recordMagic); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	r := &Recorder{w}
	return r, r.entry(genesis)
}

// Append writes a block. Heights have to follow each other from 1.
func (r *Recorder) Append(c Committed) error {
	raw, err := encodeBlock(c)
	if err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return r.entry(raw)
}

func (r *Recorder) entry(b []byte) error {
	out := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(b)), uint32(len(b)))
	if _, err := r.w.Write(append(out, b...)); err != nil {
		return fmt.Errorf("record: %w", err)
	}
	return nil
}

// Replay runs app, which is fresh, through the record that r holds, and requires
// every hash and every result to come out as recorded. It returns the last
// height and its hash. Memory grows with what r really delivers.
func Replay(r io.Reader, app Application) (height uint64, appHash [32]byte, err error) {
	in := bufio.NewReader(r)
	magic := make([]byte, len(recordMagic))
	if _, err := io.ReadFull(in, magic); err != nil || string(magic) != recordMagic {
		return 0, appHash, fmt.Errorf("replay: no record: %w", ErrRecord)
	}
	genesis, err := readEntry(in, maxGenesisBytes)
	if err != nil {
		return 0, appHash, fmt.Errorf("replay: genesis: %w", err)
	}
	out, err := app.Genesis(genesis)
	if err != nil {
		return 0, appHash, fmt.Errorf("replay: genesis %x: %w", sha256.Sum256(genesis), err)
	}
	appHash = out.AppHash
	for {
		raw, err := readEntry(in, maxRecordBytes)
		if errors.Is(err, io.EOF) {
			return height, appHash, nil
		}
		if err != nil {
			return height, appHash, fmt.Errorf("replay: after block %d: %w", height, err)
		}
		c, err := decodeBlock(raw)
		if err != nil {
			return height, appHash, fmt.Errorf("replay: after block %d: %w: %w", height, ErrRecord, err)
		}
		if c.Height != height+1 {
			return height, appHash, fmt.Errorf("replay: block %d after block %d: %w", c.Height, height, ErrRecord)
		}
		if err := replayBlock(app, c); err != nil {
			return height, appHash, fmt.Errorf("replay: block %d: %w", c.Height, err)
		}
		height, appHash = c.Height, c.AppHash
	}
}

func replayBlock(app Application, c Committed) error {
	out, err := app.Execute(curation.Block{Height: c.Height, Txs: c.Txs})
	switch {
	case err != nil:
		return err
	case out.AppHash != c.AppHash:
		return fmt.Errorf("hash %x, recorded %x: %w", out.AppHash[:8], c.AppHash[:8], ErrDiverged)
	case !sameResults(out.Results, c.Results):
		return fmt.Errorf("other results than recorded: %w", ErrDiverged)
	case !equal(eventRecords(out.Events), eventRecords(c.Events)):
		return fmt.Errorf("other events than recorded: %w", ErrDiverged)
	}
	app.Commit()
	return nil
}

func sameResults(a, b []curation.TxResult) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Code != b[i].Code || a[i].Log != b[i].Log || !equal(eventRecords(a[i].Events), eventRecords(b[i].Events)) {
			return false
		}
	}
	return true
}

// readEntry gives io.EOF at the end of a record and ErrRecord in the middle of
// an entry.
func readEntry(r io.Reader, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, io.EOF
		}
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	size := int64(binary.BigEndian.Uint32(head[:]))
	if size > int64(limit) {
		return nil, fmt.Errorf("entry of %d bytes, limit %d: %w", size, limit, ErrRecord)
	}
	b, err := io.ReadAll(io.LimitReader(r, size)) // grows as it comes
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if int64(len(b)) < size {
		return nil, fmt.Errorf("entry of %d bytes breaks off after %d: %w", size, len(b), ErrRecord)
	}
	return b, nil
}
