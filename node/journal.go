package node

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/storage/strictjson"
)

// journal is the durable record of which blinded share was made for whom. Each
// entry is one line of JSON, synced before the share may leave.
type journal struct {
	f *os.File
}

// maxEntry bounds one line; a longer one is damage.
const maxEntry = 4096

// openJournal reads the entries of requests that may be open, and opens the file to
// append. life is for how many blocks a request can be open; heights never fall, so of
// a journal of any length no more is kept than the newest entry leaves. A last line
// that a crash cut short is removed: its share never left.
func openJournal(path string, life uint64) (*journal, []member.Entry, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open journal: %w", err)
	}
	var recent []member.Entry
	whole, err := readJournal(f, func(e member.Entry) {
		recent = append(recent, e)
		for e.Height > life && recent[0].Height < e.Height-life {
			recent = recent[1:]
		}
	})
	if err == nil {
		err = f.Truncate(whole)
	}
	if err == nil {
		_, err = f.Seek(whole, io.SeekStart)
	}
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), f.Close())
	}
	return &journal{f: f}, recent, nil
}

// readJournal goes through the entries and returns the length of the part made of
// whole lines.
func readJournal(r io.Reader, each func(member.Entry)) (whole int64, err error) {
	br := bufio.NewReaderSize(r, maxEntry)
	for n := 1; ; n++ {
		line, err := br.ReadSlice('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil
		}
		if err != nil {
			return 0, fmt.Errorf("line %d: %w", n, err)
		}
		var e member.Entry
		if err := strictjson.Unmarshal(line, &e); err != nil {
			return 0, fmt.Errorf("line %d is damaged: %w", n, err)
		}
		each(e)
		whole += int64(len(line))
	}
}

// releases are the last entries of a journal that the filter lets through, newest
// first, at most limit of them. It may be read while a node writes it.
func releases(path string, limit int, filter func(member.Entry) bool) ([]member.Entry, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	defer f.Close()
	var last []member.Entry
	if _, err := readJournal(f, func(e member.Entry) {
		if filter(e) {
			if len(last) == limit {
				last = last[1:]
			}
			last = append(last, e)
		}
	}); err != nil {
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	slices.Reverse(last)
	return last, nil
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
