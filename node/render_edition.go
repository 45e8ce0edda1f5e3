package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/edition"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage"
)

// editionTimeout is how long a member works on one edition before the next may have its
// turn.
const editionTimeout = 10 * time.Minute

// maxEditionPNG bounds the PNG of an edition, so that its folder and CAR file stay within
// maxFolderBytes.
const maxEditionPNG = maxFolderBytes - 1<<20

// editionOf is what the receipt of an edition by an artist says of it.
func (n *Node) editionOf(ctx context.Context, artist *model.Artist, e curation.Edition) (storage.Edition, error) {
	var works []curation.Artwork
	if err := n.machine.View(func(v curation.View) (err error) {
		works, err = edition.Works(v, e)
		return err
	}); err != nil {
		return storage.Edition{}, err
	}
	return edition.Of(e, works, func(a curation.Artwork) (*storage.Taste, error) {
		_, taste, err := n.drawing(ctx, artist, a)
		return taste, err
	})
}

// drawEdition is drawWith for an edition.
func (n *Node) drawEdition(ctx context.Context, artist *model.Artist, f member.Render) (string, curation.Hash, error) {
	e, err := n.editionOf(ctx, artist, *f.Artwork.Edition)
	if err != nil {
		return "", curation.Hash{}, err
	}
	o, size := model.RenderOptions{Workers: n.cfg.Artist.Workers}, int(f.Artwork.Edition.Size)
	if f.Role == seal.Auditor && !f.Artwork.TooLarge() {
		root, files, err := n.registered(ctx, f)
		if err != nil {
			return "", curation.Hash{}, fmt.Errorf("fetch the registered folder: %w", err)
		}
		label := func(p *model.Picture) (storage.Artwork, error) { return n.label(f, p, f.Artwork.Generator, nil, &e) }
		pixels, err := vouchedEdition(ctx, artist, root, files, e, size, label, n.params(), rand.Reader, o)
		return "", pixels, err
	}
	png, pixels, err := drawUpTo(ctx, maxEditionPNG, artist, e, size, o)
	switch {
	case errors.Is(err, errTooLarge):
		n.log.WarnContext(ctx, "edition too large to keep", "artwork", f.Artwork.RID, "bytes", maxEditionPNG)
		return "", curation.Hash{}, nil
	case err != nil:
		return "", curation.Hash{}, fmt.Errorf("render: %w", err)
	case f.Role == seal.Auditor: // it is not too large, as its generator says
		return "", pixels, nil
	}
	root, err := n.storeArtwork(ctx, f, &model.Picture{W: size, H: size, PixelRoot: pixels}, png, nil, &e)
	return root, pixels, err
}

// vouchedEdition is vouched for an edition.
func vouchedEdition(ctx context.Context, artist *model.Artist, root cid.Cid, files []storage.File, e storage.Edition, size int, label func(*model.Picture) (storage.Artwork, error),
	rules curation.Params, random io.Reader, o model.RenderOptions) (curation.Hash, error) {
	i := slices.IndexFunc(files, func(f storage.File) bool { return f.Name == storage.ImageName })
	if i < 0 {
		return curation.Hash{}, nil
	}
	pixels, err := edition.Check(ctx, artist, e, size, files[i].Data, int(rules.AuditTiles), random, o)
	switch {
	case edition.Other(err):
		return curation.Hash{}, nil
	case err != nil:
		return curation.Hash{}, fmt.Errorf("render: %w", err)
	}
	expected, err := label(&model.Picture{W: size, H: size, PixelRoot: pixels})
	if err != nil || !sameArtwork(root, files, expected) {
		return curation.Hash{}, err
	}
	return pixels, nil
}

// errTooLarge reports an edition whose PNG is larger than members keep. Where that is
// close, two versions of Go may disagree, as they do about PNG bytes: then it is disputed.
var errTooLarge = errors.New("more bytes as PNG than members keep")

// drawUpTo draws an edition, and ends with errTooLarge as soon as its PNG has more than
// most bytes.
func drawUpTo(ctx context.Context, most int, artist *model.Artist, e storage.Edition, size int, o model.RenderOptions) (png []byte, pixels curation.Hash, err error) {
	out := limited{most: most}
	pixels, err = edition.Draw(ctx, &out, artist, e, size, o)
	if out.over {
		err = errTooLarge
	}
	return out.Bytes(), pixels, err
}

// limited is a buffer that takes no more than some bytes.
type limited struct {
	bytes.Buffer
	most int
	over bool // it was given more
}

func (l *limited) Write(b []byte) (int, error) {
	if l.over = l.over || l.Len()+len(b) > l.most; l.over {
		return 0, errTooLarge
	}
	return l.Buffer.Write(b)
}
