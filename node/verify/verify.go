// Package verify checks an artwork offline: that the picture is the one of its
// receipt, that the network's quorum approved the request behind it, that the seed
// is the quorum's own, and that the ledger holds this very folder, for whose pixels
// another member vouches. It needs the artwork's folder, and either an export of the
// ledger, which CheckLedger replays and which needs nobody's word, or a Network file,
// which any member's home holds. It needs no network.
//
// Each claim says in one line what its check proves, so that a reader knows what
// was shown and what was not. A report comes to one of three outcomes: valid,
// invalid with the claims that fail, or unchecked with what is missing. What
// cannot be checked, as with weights of another artist, is never a fault of the
// artwork, and never a proof of it.
//
// The files may come from anybody: a claim takes nothing from them on trust that
// it does not name. The network file is trusted as it is.
package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/node/edition"
	"github.com/atelier-dao/atelier/node/tastes"
	"github.com/atelier-dao/atelier/storage"
)

// Options say what to check against.
type Options struct {
	Network *Network      // nil: the quorum's claims cannot be checked
	Ledger  *Ledger       // takes the place of Network: what an export proves, once compared with a Chain
	CID     cid.Cid       // cid.Undef: the folder's own
	Artist  *model.Artist // nil: the picture is not rendered again
	Priors  [][]byte      // files of the versions of the taste that the picture was drawn from; without them only Ledger tells what they gave
}

// checker makes the claims about one artwork.
type checker struct {
	Report
	o       Options
	files   map[string][]byte
	root    cid.Cid // of the files
	receipt storage.Receipt
	stopped error // why the checks did not come to an end
}

// parts are the files of an artwork's folder.
var parts = []string{storage.ImageName, storage.MetadataName, storage.ReceiptName}

// Artwork checks the files of one artwork's folder. An error means that checking
// itself failed, as when ctx ends; whatever is wrong with the files is in the report.
func Artwork(ctx context.Context, files []storage.File, o Options) (Report, error) {
	c := &checker{o: o, files: map[string][]byte{}}
	if o.Ledger != nil {
		c.o.Network = o.Ledger.network
	}
	if err := c.check(ctx, files); err != nil {
		return Report{}, err
	}
	c.conclude("registered") // without a record on the ledger no artwork is valid
	return c.Report, nil
}

func (c *checker) check(ctx context.Context, files []storage.File) error {
	whole := true
	c.claim("files", "the folder holds picture, metadata and receipt, and nothing else", func() (_ string, err error) {
		for _, f := range files {
			if _, twice := c.files[f.Name]; twice {
				whole = false
				return "", fmt.Errorf("%q is there twice", f.Name)
			}
			c.files[f.Name] = f.Data
			if !slices.Contains(parts, f.Name) {
				err = fmt.Errorf("%q is not part of an artwork", f.Name)
			}
		}
		for _, name := range parts {
			if _, there := c.files[name]; !there {
				whole = false
				return "", fmt.Errorf("%s is not there", name)
			}
		}
		return "3 files", err
	})
	if !whole || !c.claim("receipt", "the folder carries one canonical record of how it came to be", func() (_ string, err error) {
		c.receipt, err = storage.DecodeReceipt(c.files[storage.ReceiptName])
		return "version 1, canonical dag-cbor", err
	}) {
		return nil
	}
	c.Prompt, c.Seed = c.receipt.Prompt, curation.Hash(c.receipt.Seed).String()
	switch r := c.receipt; {
	case r.Taste != nil:
		c.Words = r.Taste.Words
	case r.Edition != nil && r.Edition.Of[0].Taste != nil:
		c.Words = r.Edition.Of[0].Taste.Words
	}
	own := make([]storage.File, len(parts))
	for i, name := range parts {
		own[i] = storage.File{Name: name, Data: c.files[name]}
	}
	var err error
	if c.root, err = storage.FolderCID(own); err != nil {
		return err
	}
	c.CID = c.root.String()
	c.folder()
	c.picture(ctx)
	c.rendering(ctx)
	if len(gifts(c.receipt)) > 0 {
		c.taste(ctx)
	}
	c.network()
	return c.stopped
}

func (c *checker) folder() {
	c.claim("content", "the files are exactly those that the CID names", func() (string, error) {
		if !c.o.CID.Defined() {
			return "", passes("no CID given; the files hash to " + c.CID)
		}
		// An older form of the same name is the same name.
		if !cid.NewCidV1(c.o.CID.Type(), c.o.CID.Hash()).Equals(c.root) {
			return "", fmt.Errorf("the files hash to %v", c.root)
		}
		return c.CID, nil
	})
	c.claim("metadata", "what galleries show names this picture and repeats its receipt", func() (string, error) {
		m, err := c.metadata()
		if err != nil {
			return "", err
		}
		image, err := storage.FileCID(c.files[storage.ImageName])
		if err != nil {
			return "", err
		}
		if m.Image != "ipfs://"+image.String() {
			return "", fmt.Errorf("it names the picture %q, the picture is %v", m.Image, image)
		}
		return fmt.Sprintf("%q", m.Name), repeats(m, c.receipt)
	})
}

// metadata reads the metadata in its one form: a field twice, or one more, such as
// an animation to play instead, would show people what nothing here looks at.
func (c *checker) metadata() (storage.Metadata, error) {
	m, err := storage.DecodeMetadata(c.files[storage.MetadataName])
	if err != nil {
		return m, err
	}
	encoded, err := m.Encode()
	if err == nil && !bytes.Equal(encoded, c.files[storage.MetadataName]) {
		err = errors.New("it is not in the form that this program writes: it holds more than it should, or something twice")
	}
	return m, err
}

// repeats says whether the metadata carries every attribute that follows from the
// receipt, once, as it follows.
func repeats(m storage.Metadata, r storage.Receipt) error {
	seen := map[string]string{}
	for _, a := range m.Attributes {
		if _, twice := seen[a.Trait]; twice {
			return fmt.Errorf("it says %q twice", a.Trait)
		}
		seen[a.Trait] = a.Value
	}
	for _, want := range r.Attributes() {
		if said, ok := seen[want.Trait]; !ok {
			return fmt.Errorf("it does not say %q", want.Trait)
		} else if said != want.Value {
			return fmt.Errorf("it says that %q is %q, the receipt says %q", want.Trait, said, want.Value)
		}
	}
	return nil
}

func (c *checker) picture(ctx context.Context) {
	r := c.receipt
	c.claim("pixels", "the picture's pixels are those of its receipt, and a viewer shows these", func() (string, error) {
		if r.Kernel != kernel.Contract {
			return "", needs("a version of this program that knows the arithmetic of the picture",
				fmt.Sprintf("it was drawn with the arithmetic %q, this program knows %q", r.Kernel, kernel.Contract))
		}
		if e := r.Edition; e != nil {
			root, err := edition.Root(ctx, *e, int(r.Width), c.files[storage.ImageName])
			if ctx.Err() != nil {
				c.stopped = ctx.Err()
			}
			if err == nil && root != r.PixelRoot {
				err = fmt.Errorf("pixel root %x, the receipt says %x", root, r.PixelRoot)
			}
			frames := ""
			if e.Film() {
				frames = fmt.Sprintf("%d frames of ", e.Frames)
			}
			return fmt.Sprintf("%s%dx%d, %s, class %s, pixel root %x", frames, r.Width, r.Height, r.Kernel, model.ClassOf(r.Kernel), root), err
		}
		p, err := storage.DecodePNG(c.files[storage.ImageName], 0)
		if err != nil {
			return "", err
		}
		if uint64(p.Width) != r.Width || uint64(p.Height) != r.Height {
			return "", fmt.Errorf("%dx%d pixels, the receipt says %dx%d", p.Width, p.Height, r.Width, r.Height)
		}
		root, err := kernel.PixelRoot(p.Width, p.Height, p.RGB)
		if err != nil {
			return "", err
		}
		if root != r.PixelRoot {
			return "", fmt.Errorf("pixel root %x, the receipt says %x", root, r.PixelRoot)
		}
		return fmt.Sprintf("%dx%d, %s, class %s, pixel root %x", p.Width, p.Height, r.Kernel, model.ClassOf(r.Kernel), root), nil
	})
}

func (c *checker) rendering(ctx context.Context) {
	r := c.receipt
	c.claim("rendering", "artist, prompt and seed give these pixels, to the bit", func() (string, error) {
		if c.o.Artist == nil {
			return "", passes("the artist is sealed: give --weights if you may open it")
		}
		if id := curation.ModelID(c.o.Artist.ID()); id != r.Model {
			return "", needs("the weights of the artist that made the picture",
				fmt.Sprintf("these are other weights: their model id is %v, that of the picture is %v", id, curation.Hash(r.Model)))
		}
		if r.Kernel != kernel.Contract {
			return "", passes("this program draws with another arithmetic")
		}
		if r.Width != r.Height {
			return "", fmt.Errorf("%dx%d pixels, but the artist draws squares", r.Width, r.Height)
		}
		if e := r.Edition; e != nil {
			_, err := edition.Check(ctx, c.o.Artist, *e, int(r.Width), c.files[storage.ImageName], 0, nil, model.RenderOptions{})
			if err != nil && !edition.Other(err) && !unfit(err) {
				c.stopped = fmt.Errorf("draw the edition again: %w", err)
			}
			return "drawn again here", err
		}
		p, err := c.render(ctx)
		if err != nil {
			if !unfit(err) {
				c.stopped = fmt.Errorf("render the picture again: %w", err)
			}
			return "", err
		}
		if p.PixelRoot != r.PixelRoot {
			return "", fmt.Errorf("the artist draws pixel root %x", p.PixelRoot)
		}
		return "rendered again here", nil
	})
}

// unfit says whether an error tells that a receipt names what no artist draws.
func unfit(err error) bool {
	return errors.Is(err, model.ErrRecipe) || errors.Is(err, model.ErrPrompt) || errors.Is(err, tastes.ErrReceipt)
}

// label holds the words of metadata and picture against those that the network
// writes for this receipt.
func (c *checker) label(network, artist string) (string, error) {
	label := storage.Label(network, artist, c.receipt)
	image, err := storage.FileCID(c.files[storage.ImageName])
	if err != nil {
		return "", err
	}
	want, err := label.Metadata(image).Encode()
	if err != nil {
		return "", err
	}
	if !bytes.Equal(c.files[storage.MetadataName], want) {
		return "", fmt.Errorf("the metadata say something else than %q, %q", label.Title, label.Description)
	}
	texts, err := storage.ReadText(c.files[storage.ImageName])
	if err != nil {
		return "", err
	}
	if !slices.Equal(texts, label.Texts()) {
		return "", fmt.Errorf("the picture carries the texts %q, this artwork's are %q", texts, label.Texts())
	}
	return fmt.Sprintf("artist %q of %q", artist, network), nil
}
