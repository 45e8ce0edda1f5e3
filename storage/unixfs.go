package storage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	chunk "github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
)

// profile fixes the CID of everything that is put. It is passed to each call:
// the library's ApplyGlobals would change the whole process.
var profile = uio.UnixFS_v1_2025

// MaxRead is the largest file that ReadFile returns, in bytes.
const MaxRead = 256 << 20

// File is one file of a folder.
type File struct {
	Name string // UTF-8 without slash or NUL, 1..255 bytes, not "." or ".."
	Data []byte
}

// Entry is one name in a folder.
type Entry struct {
	Name string
	CID  cid.Cid
	Size int64 // bytes of a file; 0 for a folder
	Dir  bool
}

// PutFolder adds a flat UnixFS directory and returns its CID, which depends on
// names and data only, not on their order. When it returns, the folder is on
// the disk. It is not pinned. Adding it again changes nothing.
func (s *Store) PutFolder(ctx context.Context, files []File) (cid.Cid, error) {
	return s.put(ctx, func(dag format.DAGService) (cid.Cid, error) { return buildFolder(ctx, dag, files) })
}

// PutFile adds one UnixFS file, read to its end, and returns its CID.
func (s *Store) PutFile(ctx context.Context, r io.Reader) (cid.Cid, error) {
	return s.put(ctx, func(dag format.DAGService) (cid.Cid, error) { return buildFile(ctx, dag, r) })
}

// PutFilePinned is PutFile of a file that is pinned under a name before it is there, so
// that no Collect in between can take it. It is for files that are too large to ask
// FileCID first.
func (s *Store) PutFilePinned(ctx context.Context, r io.Reader, name string) (cid.Cid, error) {
	return s.put(ctx, func(dag format.DAGService) (cid.Cid, error) {
		root, err := buildFile(ctx, dag, r)
		if err == nil {
			err = s.Pin(root, name)
		}
		return root, err
	})
}

func (s *Store) put(ctx context.Context, build func(format.DAGService) (cid.Cid, error)) (cid.Cid, error) {
	st, err := s.newStage(cid.Undef)
	if err != nil {
		return cid.Undef, fmt.Errorf("put: %w", err)
	}
	root, err := build(builder{put: st.add, get: st.get})
	var order []cid.Cid
	if err == nil {
		order, _, err = st.complete(root, false)
	}
	if err != nil {
		st.drop()
		return cid.Undef, fmt.Errorf("put: %w", err)
	}
	if err := st.commit(ctx, root, order); err != nil {
		return cid.Undef, fmt.Errorf("put %s: %w", root, err)
	}
	return root, nil
}

// FileCID returns the CID that PutFile gives, without a store.
func FileCID(data []byte) (cid.Cid, error) {
	return buildFile(context.Background(), newMemory(), bytes.NewReader(data))
}

// FolderCID returns the CID that PutFolder gives, without a store.
func FolderCID(files []File) (cid.Cid, error) {
	return buildFolder(context.Background(), newMemory(), files)
}

// newMemory builds into a map that keeps dag-pb blocks only, which is what large
// folders are read back from while they are built.
func newMemory() builder {
	kept := map[cid.Cid][]byte{}
	return builder{
		put: func(c cid.Cid, data []byte) (bool, error) {
			if c.Prefix().Codec != cid.Raw {
				kept[c] = data
			}
			return true, nil
		},
		get: func(c cid.Cid) ([]byte, error) {
			if data, ok := kept[c]; ok {
				return data, nil
			}
			return nil, ErrNotFound
		},
	}
}

func buildFile(ctx context.Context, dag format.DAGService, r io.Reader) (cid.Cid, error) {
	nd, err := fileNode(ctx, dag, r)
	if err != nil {
		return cid.Undef, err
	}
	return nd.Cid(), nil
}

func fileNode(ctx context.Context, dag format.DAGService, r io.Reader) (format.Node, error) {
	p := helpers.DagBuilderParams{
		Maxlinks: profile.FileDAGWidth, RawLeaves: profile.RawLeaves,
		CidBuilder: profile.CidBuilder(), Dagserv: dag,
	}
	b, err := p.New(chunk.NewSizeSplitter(contextReader{ctx, r}, profile.ChunkSize))
	if err != nil {
		return nil, err
	}
	return balanced.Layout(b)
}

func buildFolder(ctx context.Context, dag format.DAGService, files []File) (cid.Cid, error) {
	dir, err := uio.NewDirectory(dag, uio.WithCidBuilder(profile.CidBuilder()),
		uio.WithMaxHAMTFanout(profile.HAMTShardWidth), uio.WithSizeEstimationMode(profile.HAMTSizeEstimation))
	if err != nil {
		return cid.Undef, err
	}
	dir.SetHAMTShardingSize(profile.HAMTShardingSize)
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	for i, f := range files {
		if err := checkName(f.Name); err != nil {
			return cid.Undef, err
		}
		if i > 0 && files[i-1].Name == f.Name {
			return cid.Undef, fmt.Errorf("%q comes twice: %w", f.Name, ErrName)
		}
		nd, err := fileNode(ctx, dag, bytes.NewReader(f.Data))
		if err != nil {
			return cid.Undef, err
		}
		if err := dir.AddChild(ctx, f.Name, nd); err != nil {
			return cid.Undef, err
		}
	}
	nd, err := dir.GetNode()
	if err != nil {
		return cid.Undef, err
	}
	return nd.Cid(), dag.Add(ctx, nd)
}

func checkName(name string) error {
	if name == "" || name == "." || name == ".." || len(name) > 255 || !utf8.ValidString(name) || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%q: %w", name, ErrName)
	}
	return nil
}

// contextReader stops reading when the context ends.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

// ReadFile returns the file at path below c ("" for c itself, "image.png" in a
// folder), every block hashed. It returns ErrTooLarge past MaxRead.
func (s *Store) ReadFile(ctx context.Context, c cid.Cid, path string) ([]byte, error) {
	r, err := s.OpenFile(ctx, c, path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, MaxRead+1))
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", c, path, local(err))
	}
	if len(data) > MaxRead {
		return nil, fmt.Errorf("read %s/%s: %w", c, path, ErrTooLarge)
	}
	return data, nil
}

// OpenFile is ReadFile for large files: blocks are read and hashed as they are
// asked for. ctx is that of all reads; one goroutine uses the reader.
func (s *Store) OpenFile(ctx context.Context, c cid.Cid, path string) (io.ReadSeekCloser, error) {
	nd, err := s.resolve(ctx, c, path)
	if err != nil {
		return nil, fmt.Errorf("read %s/%s: %w", c, path, err)
	}
	r, err := uio.NewDagReader(ctx, nd, s.dag)
	if err != nil {
		if errors.Is(err, uio.ErrIsDir) || errors.Is(err, uio.ErrCantReadSymlinks) {
			err = fmt.Errorf("%w: %w", err, ErrNotFound)
		}
		return nil, fmt.Errorf("read %s/%s: %w", c, path, local(err))
	}
	return r, nil
}

func (s *Store) resolve(ctx context.Context, c cid.Cid, path string) (format.Node, error) {
	c, err := normal(c)
	if err != nil {
		return nil, err
	}
	nd, err := s.dag.Get(ctx, c)
	if err != nil {
		return nil, local(err)
	}
	for name := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if name == "" {
			continue
		}
		dir, err := uio.NewDirectoryFromNode(s.dag, nd)
		if err != nil {
			return nil, fmt.Errorf("%q: %v: %w", name, err, ErrNotFound)
		}
		if nd, err = dir.Find(ctx, name); err != nil {
			return nil, fmt.Errorf("%q: %w", name, local(err))
		}
	}
	return nd, nil
}

// maxFolder is the most files that ReadFolder returns.
const maxFolder = 16

// ReadFolder returns the files of a flat folder, by name, every block hashed. It
// returns ErrTooLarge when they have more than maxBytes together or are more than
// 16, whatever they say about their size, and ErrInvalid for a folder in it.
func (s *Store) ReadFolder(ctx context.Context, c cid.Cid, maxBytes int64) ([]File, error) {
	entries, err := s.List(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(entries) > maxFolder {
		return nil, fmt.Errorf("read %s: %d files: %w", c, len(entries), ErrTooLarge)
	}
	var files []File
	for _, e := range entries {
		if e.Dir {
			return nil, fmt.Errorf("read %s: %q is a folder: %w", c, e.Name, ErrInvalid)
		}
		r, err := s.OpenFile(ctx, e.CID, "")
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("read %s/%s: %w", c, e.Name, local(err))
		}
		if maxBytes -= int64(len(data)); maxBytes < 0 {
			return nil, fmt.Errorf("read %s/%s: %w", c, e.Name, ErrTooLarge)
		}
		files = append(files, File{e.Name, data})
	}
	return files, nil
}

// local turns the library's words for "not here" into ours.
func local(err error) error {
	if format.IsNotFound(err) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%v: %w", err, ErrNotFound)
	}
	return err
}

// List returns the entries of the folder c, by name.
func (s *Store) List(ctx context.Context, c cid.Cid) ([]Entry, error) {
	nd, err := s.resolve(ctx, c, "")
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", c, err)
	}
	dir, err := uio.NewDirectoryFromNode(s.dag, nd)
	if err != nil {
		return nil, fmt.Errorf("list %s: %v: %w", c, err, ErrNotFound)
	}
	var out []Entry
	err = dir.ForEachLink(ctx, func(l *format.Link) error {
		e := Entry{Name: l.Name, CID: l.Cid}
		child, err := s.dag.Get(ctx, l.Cid)
		if err != nil {
			return err
		}
		switch n := child.(type) {
		case *merkledag.RawNode:
			e.Size = int64(len(n.RawData()))
		case *merkledag.ProtoNode:
			fn, err := unixfs.FSNodeFromBytes(n.Data())
			if err != nil {
				return fmt.Errorf("%q: %v: %w", l.Name, err, ErrInvalid)
			}
			if e.Dir = fn.IsDir(); !e.Dir {
				e.Size = int64(fn.FileSize())
			}
		}
		out = append(out, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", c, local(err))
	}
	slices.SortFunc(out, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
