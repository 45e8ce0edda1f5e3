package node

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/atelier-dao/atelier/node/member"
)

// journal is the durable record of which blinded share was made for whom. Each
// entry is one line of JSON, synced before the share may leave.
type journal struct {
	f *os.File
}

// maxEntry bounds one line; a longer one is damage.
const maxEntry = 4096

// openJournal reads the entries and opens the file to append. A last line that a
// crash cut short is removed: its share never left.
func openJournal(path string) (*journal, []member.Entry, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	entries, whole, err := readJournal(f)
	if err == nil {
		err = f.Truncate(whole)
	}
	if err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), f.Close())
	}
	return &journal{f: f}, entries, nil
}

// readJournal returns the entries and the length of the part made of whole lines.
func readJournal(r io.Reader) (entries []member.Entry, whole int64, err error) {
	br := bufio.NewReaderSize(r, maxEntry)
	for {
		line, err := br.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return entries, whole, nil
		}
		if err != nil {
			return nil, 0, fmt.Errorf("line %d: %w", len(entries)+1, err)
		}
		var e member.Entry
		dec := json.NewDecoder(bytes.NewReader(line))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&e); err != nil {
			return nil, 0, fmt.Errorf("line %d is damaged: %w", len(entries)+1, err)
		}
		entries = append(entries, e)
		whole += int64(len(line))
	}
}

// append makes an entry durable.
func (j *journal) append(e member.Entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if _, err := j.f.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write journal: %w", err)
	}
	if err := j.f.Sync(); err != nil {
		return fmt.Errorf("sync journal: %w", err)
	}
	return nil
}

func (j *journal) Close() error { return j.f.Close() }
