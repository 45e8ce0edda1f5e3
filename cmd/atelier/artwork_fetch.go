package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/ipfs/go-cid"
	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/keys"
	"github.com/atelier-dao/atelier/storage"
)

// fetchFrom reads a member to fetch from.
func fetchFrom(text string) (string, error) {
	if _, err := strconv.ParseUint(text, 10, 32); err == nil && text != "0" {
		return text, nil
	}
	if _, err := curation.ParseAddress(text); err != nil {
		return "", errors.New("want the index or the account of a member, as `atelier member list` shows them")
	}
	return text, nil
}

// maxCAR bounds a CAR file of one artwork.
const maxCAR = 64 << 20

// folderFiles are the files of an artwork's folder.
var folderFiles = []string{storage.ImageName, storage.MetadataName, storage.ReceiptName}

func artworkFetch(e *env) *cobra.Command {
	var o struct{ out, car, from, method string }
	c := &cobra.Command{
		Use: "fetch ID", Short: "Bring an artwork here: its folder, or the folder as one CAR file",
		Long: `fetch asks the node for an artwork's folder (picture, metadata, receipt), checks
every byte against its CID, and writes it to --out DIR or, as one CARv1 file, to
--car FILE. It overwrites nothing but the same artwork.

What the node does not hold it first fetches from another member, but only for the
owner of the node's home; --from and --method choose from whom and how.`,
		Example: "  atelier artwork fetch 3fa94c1d8a20 --out heart\n  atelier artwork fetch 3fa94c1d8a20 --car heart.car --from 2 --method bitswap",
		Args:    takes("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (o.out == "") == (o.car == "") {
				return usage("say where it should go: --out DIR for the folder or --car FILE for one file")
			}
			c, err := e.client()
			if err != nil {
				return err
			}
			a, err := c.Artwork(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if a.CID == "" {
				return refused(curation.CodeWrongPhase, "artwork %s is %s: it has no picture", short(a.RID), a.Status)
			}
			via := "local"
			if !a.Held || o.from != "" || cmd.Flags().Changed("method") {
				f, err := c.Fetch(cmd.Context(), a.CID, o.method, o.from)
				if err != nil {
					return err
				}
				via = f.Via
			}
			result := fetched{RID: a.RID, CID: a.CID, Via: via, Out: o.out + o.car}
			if o.car != "" {
				result.Bytes, err = writeCAR(cmd.Context(), c, a.CID, o.car)
			} else {
				result.Bytes, err = writeFolder(cmd.Context(), c, a.CID, o.out)
			}
			if err != nil {
				return err
			}
			return e.say(result, "%s  %q, %s, every byte checked against %s\nnext: %s\n", result.Out, a.Title, bytesText(result.Bytes), a.CID, e.again("verify %s", quoted(result.Out)))
		},
	}
	f := c.Flags()
	f.StringVar(&o.out, "out", "", "write the folder to `DIR`")
	f.StringVar(&o.car, "car", "", "write one `FILE`, as CARv1")
	option(c, &o.from, "from", "", fetchFrom, "let the node fetch from `MEMBER`: index or account")
	option(c, &o.method, "method", "auto", oneOf("auto", "car", "bitswap"), "`HOW` the node fetches from members: auto, car or bitswap")
	return c
}

type fetched struct {
	RID   curation.Hash `json:"rid"`
	CID   string        `json:"cid"`
	Via   string        `json:"via"` // local, car or bitswap
	Out   string        `json:"out"`
	Bytes int64         `json:"bytes"`
}

// folderOf reads a folder from a node and checks it.
func folderOf(ctx context.Context, c *api.Client, root cid.Cid) ([]storage.File, error) {
	var files []storage.File
	for _, name := range folderFiles {
		b, err := c.File(ctx, root.String(), name)
		if err != nil {
			return nil, err
		}
		files = append(files, storage.File{Name: name, Data: b})
	}
	have, err := storage.FolderCID(files)
	if err == nil && !have.Equals(root) {
		err = fmt.Errorf("the node gave files that are not %v but %v: ask another node", root, have)
	}
	return files, err
}

func writeFolder(ctx context.Context, c *api.Client, text, dir string) (total int64, err error) {
	root, err := cid.Decode(text)
	if err != nil {
		return 0, err
	}
	files, err := folderOf(ctx, c, root)
	if err != nil {
		return 0, err
	}
	if err := foreign(dir, files); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return 0, err
	}
	for _, f := range files {
		if err := keys.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
			return 0, err
		}
		total += int64(len(f.Data))
	}
	return total, nil
}

// foreign refuses a folder that holds anything but what would be written there.
func foreign(dir string, files []storage.File) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("--out %s: %w", dir, err)
	}
	for _, entry := range entries {
		if !slices.ContainsFunc(files, func(f storage.File) bool { return f.Name == entry.Name() && same(filepath.Join(dir, f.Name), f.Data) }) {
			return fmt.Errorf("%s holds something else, %s: nothing is overwritten, choose an empty or a new folder with --out", dir, entry.Name())
		}
	}
	return nil
}

// same says whether a file holds exactly these bytes.
func same(path string, b []byte) bool {
	info, err := os.Stat(path)
	if err != nil || info.Size() != int64(len(b)) {
		return false
	}
	have, err := os.ReadFile(path)
	return err == nil && bytes.Equal(have, b)
}

func writeCAR(ctx context.Context, c *api.Client, text, path string) (int64, error) {
	root, err := cid.Decode(text)
	if err != nil {
		return 0, err
	}
	b, err := c.CAR(ctx, text)
	if err != nil {
		return 0, err
	}
	if _, err := readCAR(ctx, root, b); err != nil {
		return 0, fmt.Errorf("the node gave a CAR that does not hold: %w", err)
	}
	if _, err := os.Stat(path); err == nil && !same(path, b) {
		return 0, fmt.Errorf("%s is something else: nothing is overwritten, choose another file with --car", path)
	}
	return int64(len(b)), keys.WriteFile(path, b, 0o644)
}

// readCAR checks every block of a CAR and returns its folder. It uses a store of its
// own that is gone afterwards.
func readCAR(ctx context.Context, root cid.Cid, car []byte) (files []storage.File, err error) {
	dir, err := os.MkdirTemp("", "atelier-car-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	s, err := storage.Open(dir, storage.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.ImportCAR(ctx, root, bytes.NewReader(car), maxCAR); err != nil {
		return nil, err
	}
	return storedFolder(ctx, s, root)
}

// storedFolder reads a folder from a store.
func storedFolder(ctx context.Context, s *storage.Store, root cid.Cid) ([]storage.File, error) {
	return s.ReadFolder(ctx, root, maxCAR)
}
