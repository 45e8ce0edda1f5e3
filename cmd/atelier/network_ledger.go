package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/ledger"
)

// exportLedger writes the ledger to a file, or continues the one that is there. It
// grows beside the file, which takes its place when it is whole; one that broke off is
// continued too.
func (e *env) exportLedger(ctx context.Context, path string) error {
	part, end, err := beginExport(path)
	if err != nil {
		return err
	}
	from := end.Height
	in, to, err := e.ledgerFrom(ctx, from+1)
	if err != nil {
		return errors.Join(err, part.discard(end))
	}
	defer in.Close()
	bar := newProgress(e, "blocks")
	out := bufio.NewWriterSize(part, 1<<20)
	end, err = ledger.CopyExport(ctx, out, in, end, func(height uint64) { bar.move(int(height-from), int(to-from)) })
	bar.end()
	if err = errors.Join(err, out.Flush()); err == nil {
		err = part.finish(path)
	}
	switch {
	case errors.Is(err, ledger.ErrExport):
		return errors.Join(fmt.Errorf("%w: if %s is of another ledger, choose another file", err, path), part.discard(ledger.ExportEnd{}))
	case err != nil:
		return fmt.Errorf("%w; what has come so far is kept, the same command goes on from there", errors.Join(err, part.discard(end)))
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return e.say(struct {
		File   string `json:"file"`
		Height uint64 `json:"height"`
		New    uint64 `json:"new"`
		Bytes  int64  `json:"bytes"`
	}{path, end.Height, end.Height - from, info.Size()}, "%s: %s, %s of them new, %s\nnext: atelier verify --ledger %s\n",
		path, count(int(end.Height), "block"), fmt.Sprint(end.Height-from), bytesText(info.Size()), quoted(path))
}

// partial is the file that an export grows in.
type partial struct {
	*os.File
	had uint64 // height of the file whose place it takes
}

// beginExport opens it, with what is there already.
func beginExport(path string) (*partial, ledger.ExportEnd, error) {
	have, err := endOf(path)
	if errors.Is(err, ledger.ErrExport) {
		return nil, have, fmt.Errorf("%s is something else than an export of a ledger: nothing is overwritten, choose another file", path)
	} else if err != nil {
		return nil, have, err
	}
	name := path + ".part"
	end, err := endOf(name)
	if err != nil && !errors.Is(err, ledger.ErrExport) {
		return nil, end, err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, end, err
	}
	if end.Height < have.Height || end.Height == 0 {
		end = have
		err = copyStart(f, path, have)
	}
	if err == nil {
		err = f.Truncate(end.Offset)
	}
	if err == nil {
		_, err = f.Seek(end.Offset, io.SeekStart)
	}
	if err != nil {
		return nil, end, errors.Join(err, f.Close())
	}
	return &partial{f, have.Height}, end, nil
}

// endOf says where an export ends; one that is not there has no end.
func endOf(path string) (ledger.ExportEnd, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return ledger.ExportEnd{}, nil
	} else if err != nil {
		return ledger.ExportEnd{}, err
	}
	defer f.Close()
	return ledger.EndOfExport(f)
}

func copyStart(to *os.File, path string, end ledger.ExportEnd) error {
	if end.Offset == 0 {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyN(to, f, end.Offset)
	return err
}

// finish makes it the file.
func (p *partial) finish(path string) error {
	if err := p.Sync(); err != nil {
		return err
	}
	if err := os.Rename(p.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close(), p.Close())
}

// discard closes it, and removes it when it is no further than the file.
func (p *partial) discard(end ledger.ExportEnd) error {
	err := p.Close()
	if end.Height <= p.had {
		err = errors.Join(err, os.Remove(p.Name()))
	}
	return err
}

// ledgerFrom is the ledger from a height on, and where it ends: the node's while it
// runs, and else the home's.
func (e *env) ledgerFrom(ctx context.Context, from uint64) (io.ReadCloser, uint64, error) {
	c, err := e.client()
	if err == nil {
		body, to, err := c.ExportLedger(ctx, from)
		var p *api.Problem
		if errors.As(err, &p) && p.Code == api.CodeNotFound {
			return nil, 0, fmt.Errorf("nothing to add to the file: %s", p.Detail)
		}
		if !errors.Is(err, api.ErrUnreachable) || e.api != "" {
			return body, to, err
		}
	}
	var gone *unreachableError
	if err != nil && !errors.As(err, &gone) {
		return nil, 0, err
	}
	h := home.Home(e.home)
	doc, err := h.ReadGenesis()
	if err != nil {
		return nil, 0, &unreachableError{fmt.Errorf("neither a node nor a ledger in %s: name a member's with --home DIR, or any node with --api HOST:PORT", e.home)}
	}
	x, err := ledger.ExportHome(h.Ledger(), doc, from)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, 0, &unreachableError{fmt.Errorf("neither a node nor a ledger in %s: its node has never run", e.home)}
	case errors.Is(err, ledger.ErrLocked):
		return nil, 0, &unreachableError{fmt.Errorf("the node in %s is starting or stopping: try again in a few seconds: %w", e.home, err)}
	case errors.Is(err, ledger.ErrHeight):
		return nil, 0, fmt.Errorf("nothing to add to the file: the ledger in %s ends before block %d", e.home, from)
	case err != nil:
		return nil, 0, err
	}
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(errors.Join(x.Write(ctx, w), x.Close())) }()
	return r, x.To, nil
}

// progress draws long work, and nothing of work that is done in a moment.
type progress struct {
	scr   *screen
	what  string
	since time.Time // the last drawing
	shown bool
}

func newProgress(e *env, what string) *progress {
	p := &progress{what: what, since: time.Now()}
	if !e.json {
		p.scr = newScreen(e.err)
	}
	return p
}

func (p *progress) move(done, total int) {
	pause := time.Second
	if p.shown {
		pause = 100 * time.Millisecond
	}
	if p.scr == nil || time.Since(p.since) < pause {
		return
	}
	p.shown, p.since = true, time.Now()
	p.scr.Progress(p.what, done, total)
}

func (p *progress) end() {
	if p.shown {
		p.scr.end()
	}
}
