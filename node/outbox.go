package node

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/keys"
)

// outbox keeps the evidence that this member has against others until the ledger has
// judged it: a file for each of them, named by its number, with curation.Evidence.Bytes
// in it. A reader may be the only one that has it.
type outbox string

func (o outbox) path(member uint32) string {
	return filepath.Join(string(o), strconv.FormatUint(uint64(member), 10))
}

// keep makes evidence durable.
func (o outbox) keep(e curation.Evidence) error {
	if err := os.MkdirAll(string(o), 0o700); err != nil {
		return fmt.Errorf("keep evidence: %w", err)
	}
	if err := keys.WriteFile(o.path(e.Member), e.Bytes(), 0o600); err != nil {
		return fmt.Errorf("keep evidence: %w", err)
	}
	return nil
}

// drop takes away what is kept against a member.
func (o outbox) drop(member uint32) error {
	if err := os.Remove(o.path(member)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("drop evidence: %w", err)
	}
	return nil
}

// load reads everything. The error names the files that hold no evidence, which are left
// where they are and keep nobody from the others.
func (o outbox) load() (all []curation.Evidence, err error) {
	entries, err := os.ReadDir(string(o))
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	var bad []error
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") { // a write that a crash has cut short
			continue
		}
		e, err := o.read(entry.Name())
		if err != nil {
			bad = append(bad, fmt.Errorf("%s holds no evidence, delete it: %w", filepath.Join(string(o), entry.Name()), err))
			continue
		}
		all = append(all, e)
	}
	return all, errors.Join(bad...)
}

func (o outbox) read(name string) (e curation.Evidence, err error) {
	f, err := os.Open(filepath.Join(string(o), name))
	if err != nil {
		return e, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, curation.MaxTxBytes+1))
	if err != nil {
		return e, err
	}
	if e, err = curation.ParseEvidence(b); err == nil && o.path(e.Member) != filepath.Join(string(o), name) {
		err = fmt.Errorf("it is about member %d", e.Member)
	}
	return e, err
}
