package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ipfs/go-cid"
	"github.com/ipld/go-car/v2"
	"github.com/spf13/cobra"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model/taste"
	"github.com/atelier-dao/atelier/node/api"
	"github.com/atelier-dao/atelier/node/home"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/storage"
)

func verifyCommand(e *env) *cobra.Command {
	var network, ledger, weights string
	var versions []string // files: a film may be of two
	var chain *curation.Hash
	var o verify.Options
	c := &cobra.Command{
		Use: "verify [FILE|CID]", Short: "Check where an artwork comes from, or a whole ledger, offline",
		Long: `verify checks an artwork against the network that it claims to be of: that the files
are those of its CID, the pixels those of the receipt, that the quorum approved this
prompt, that its signature is the seed, and that the seed drew the generator. Each
line says what was checked and what that proves. It ends with 0 when the artwork is
valid, with 1 when a claim fails, and with 6 when none fails but one that has to be
checked could not be: the error says what is missing. --json has the same as outcome
(valid, invalid, unchecked), failed and missing.

What to check is a folder or a CAR file as ` + "`atelier artwork fetch`" + ` writes it, a
file in such a folder, or a CID that the node or the home holds. What to trust is:

  --ledger FILE   nothing but the network's genesis hash (--chain): the whole ledger
                  is replayed from its founding, with every signature under it;
                  without that hash or a --home that has it, no artwork is valid
  --network FILE  the word of the member who wrote the file; network.json of the
                  home without a flag, or else the word of the node that answers

With --ledger and no artwork it checks the ledger alone: that those in force signed
every block, what they signed follows from the network's rules, and every committee
got its keys from the one before. It tells who handed over to whom.`,
		Example: "  atelier verify heart --ledger harbour.ledger --chain 4be1…\n  atelier verify --ledger harbour.ledger\n" +
			"  atelier verify heart --network harbour.json\n  atelier verify bafybei… --home ./ada",
		Args: mayTake("FILE|CID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case ledger != "" && network != "":
				return usage("--ledger and --network are two answers to what to trust: choose one")
			case ledger == "" && chain != nil:
				return usage("--chain says which --ledger FILE to trust: give that too")
			case ledger == "" && len(args) == 0:
				return usage("FILE|CID is missing: `atelier verify FILE|CID`, or a ledger alone with --ledger FILE (see `atelier verify --help`)")
			case len(args) == 0 && (weights != "" || len(versions) > 0 || o.CID.Defined()):
				return usage("--weights, --taste and --cid are about an artwork: name it, or leave them out")
			case len(args) == 0:
				return e.verifyLedger(cmd, ledger, chain)
			}
			files, root, err := e.artworkFiles(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if !o.CID.Defined() {
				o.CID = root
			}
			var from string
			if ledger != "" {
				o.Ledger, from, _, err = e.checkLedger(cmd, ledger, chain)
			} else {
				o.Network, from, err = e.trusted(cmd.Context(), network)
			}
			if err != nil {
				return err
			}
			if weights != "" {
				if o.Artist, err = loadArtist(weights); err != nil {
					return err
				}
			}
			for _, name := range versions {
				file, err := readUpTo(name, taste.MaxPrior)
				if err != nil {
					return err
				}
				o.Priors = append(o.Priors, file)
			}
			r, err := verify.Artwork(cmd.Context(), files, o)
			if err != nil {
				return err
			}
			return e.showReport(r, from)
		},
	}
	c.Flags().StringVar(&network, "network", "", "trust the network `FILE`, as `atelier network export` writes it")
	c.Flags().StringVar(&ledger, "ledger", "", "replay the ledger in `FILE`, as `atelier network export --ledger` writes it")
	option(c, &chain, "chain", "", genesisHash, "the ledger's genesis must have this `HASH`; the --home's without it")
	c.Flags().StringVar(&weights, "weights", "", "render the picture again with the artist in `DIR`")
	c.Flags().StringArrayVar(&versions, "taste", nil, "draw again from the version of the taste in `FILE`, of a picture without a prompt")
	option(c, &o.CID, "cid", "", folderName, "the `CID` that the files must have")
	return c
}

// invalidError is an artwork that does not hold.
type invalidError struct{ text string }

func (e *invalidError) Error() string { return e.text }

// uncheckedError is an artwork of which something could not be checked.
type uncheckedError struct{ text string }

func (e *uncheckedError) Error() string { return e.text }

func (e *env) showReport(r verify.Report, from string) error {
	if e.json {
		if err := e.print(struct {
			verify.Report
			Trusted string `json:"trusted"`
		}{r, from}); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(e.out, "%q  %s\n", cmp.Or(r.Prompt, r.Words, tastes.Untitled), r.CID)
		e.showClaims(r.Claims)
		if from != "" {
			fmt.Fprintf(e.out, "trusted: %s\n", from)
		}
	}
	switch r.Outcome {
	case verify.Invalid:
		return &invalidError{fmt.Sprintf("the artwork is not what it says: %d of %s failed", len(r.Failed), count(len(r.Claims), "claim"))}
	case verify.Unchecked:
		return &uncheckedError{"the artwork could not be checked without " + strings.Join(r.Missing, ", and without ")}
	}
	if !e.json {
		fmt.Fprintln(e.out, "valid")
	}
	return nil
}

func (e *env) showClaims(claims []verify.Claim) {
	marks := map[verify.Status]string{verify.Holds: "✓", verify.Fails: "✗", verify.Skipped: "–"}
	for _, c := range claims {
		fmt.Fprintf(e.out, "  %s %-11s %s\n", marks[c.Status], c.Name, c.Proves)
		if c.Detail != "" {
			fmt.Fprintf(e.out, "    %-11s %s\n", "", c.Detail)
		}
	}
}

// trusted is the network to check against, and where it comes from; nil when there
// is none.
func (e *env) trusted(ctx context.Context, file string) (*verify.Network, string, error) {
	if file != "" {
		n, err := readNetwork(file)
		return n, file, err
	}
	own := home.Home(e.home).Network()
	if e.api == "" {
		n, err := readNetwork(own)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return n, own, err
		}
	}
	c, err := e.client()
	var gone *unreachableError
	if errors.As(err, &gone) {
		return nil, "", nil
	} else if err != nil {
		return nil, "", err
	}
	n, err := c.Export(ctx)
	if err != nil {
		return nil, "", err
	}
	return &n, "the word of the node at " + c.Address(), nil
}

// artworkFiles reads what a person named: a folder, a file in one, a CAR, or a CID.
// root is defined when the name says which CID the files must have.
func (e *env) artworkFiles(ctx context.Context, name string) (files []storage.File, root cid.Cid, err error) {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		files, err = folderFrom(name)
	case err == nil && strings.EqualFold(filepath.Ext(name), ".car"):
		files, root, err = carFrom(ctx, name)
	case err == nil:
		if files, err = folderFrom(filepath.Dir(name)); errors.Is(err, errNoFolder) {
			err = fmt.Errorf("%s is no CAR file, and %w", name, err)
		}
	default:
		if root, err = cid.Decode(name); err != nil {
			return nil, root, usage("%q is neither a file or folder here nor a CID", name)
		}
		files, err = e.filesOf(ctx, root)
	}
	return files, root, err
}

// maxFile bounds a file of an artwork's folder that is read from disk.
const maxFile = 64 << 20

var errNoFolder = errors.New("is not an artwork's folder")

func folderFrom(dir string) ([]storage.File, error) {
	var files []storage.File
	for _, name := range folderFiles {
		path := filepath.Join(dir, name)
		b, err := readUpTo(path, maxFile)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s %w: it has no %s (`atelier artwork fetch ID --out DIR` writes one)", dir, errNoFolder, name)
		} else if err != nil {
			return nil, err
		}
		files = append(files, storage.File{Name: name, Data: b})
	}
	// What else lies there is no part of the artwork, and the report says so.
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !slices.Contains(folderFiles, e.Name()) {
			files = append(files, storage.File{Name: e.Name()})
		}
	}
	return files, nil
}

func carFrom(ctx context.Context, path string) ([]storage.File, cid.Cid, error) {
	b, err := readUpTo(path, maxCAR)
	if err != nil {
		return nil, cid.Undef, err
	}
	head, err := car.NewBlockReader(bytes.NewReader(b), car.MaxAllowedHeaderSize(256))
	if err != nil || len(head.Roots) != 1 {
		return nil, cid.Undef, fmt.Errorf("%s is not a CAR file with one root (%v)", path, err)
	}
	files, err := readCAR(ctx, head.Roots[0], b)
	return files, head.Roots[0], err
}

// filesOf reads a folder from the node, or from the home's store when none runs.
func (e *env) filesOf(ctx context.Context, root cid.Cid) ([]storage.File, error) {
	c, err := e.client()
	if err == nil {
		defer c.Close()
		files, err := folderOf(ctx, c, root)
		if !errors.Is(err, api.ErrUnreachable) || e.api != "" {
			return files, err
		}
	}
	dir := home.Home(e.home).Store()
	if _, err := os.Stat(dir); err != nil {
		return nil, &unreachableError{fmt.Errorf("neither a node nor a store in %s: give the artwork's folder or CAR file, or --home DIR of a member", e.home)}
	}
	s, err := storage.Open(dir, storage.Options{})
	if err != nil {
		return nil, err
	}
	files, err := storedFolder(ctx, s, root)
	if errors.Is(err, storage.ErrNotFound) {
		err = fmt.Errorf("%s does not hold %v: start its node and fetch it with `atelier artwork fetch`: %w", e.home, root, err)
	}
	return files, errors.Join(err, s.Close())
}
