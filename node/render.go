package node

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage"
)

// maxFolderBytes bounds the files of an artwork's folder together.
const maxFolderBytes = 64 << 20

// render performs a member.Render: in this node one new picture, and one edition, at a
// time, so that no picture waits for large editions.
func (a *actor) render(ctx context.Context, f member.Render) {
	defer f.Wipe()
	done := member.Rendered{RID: f.Artwork.RID, Role: f.Role}
	token, within := a.renders, ctx
	if f.Artwork.Edition != nil {
		token = a.editions
	}
	select {
	case token <- struct{}{}:
		defer func() { <-token }()
		if f.Artwork.Edition != nil {
			var cancel context.CancelFunc
			within, cancel = context.WithTimeout(ctx, editionTimeout)
			defer cancel()
		}
		done.CID, done.PixelRoot, done.Rotate, done.Err = a.n.draw(within, f)
	case <-ctx.Done():
		return
	}
	a.send(ctx, done)
}

// draw opens the model for one artwork and renders it. The generator stores the
// artwork's folder and pins it as a candidate; the auditor holds the registered
// folder against what it renders itself. The plain model lives in this call only; if it is to
// be sealed from scratch, this is where.
func (n *Node) draw(ctx context.Context, f member.Render) (root string, pixels curation.Hash, sealed *curation.Rotate, err error) {
	plain, err := n.openModel(ctx, f.Unsealing)
	if err != nil {
		return "", pixels, nil, fmt.Errorf("open model: %w", err)
	}
	defer clear(plain)
	artist, err := model.UnmarshalArtist(plain)
	if err != nil {
		return "", pixels, nil, fmt.Errorf("open model: %w", err)
	}
	root, pixels, err = n.drawWith(ctx, artist, f)
	if err == nil && f.Reseal != nil {
		r, err := n.seal(ctx, *f.Reseal, bytes.NewReader(plain))
		if err != nil {
			n.log.WarnContext(ctx, "artist not sealed from scratch", "key_epoch", f.Reseal.KeyEpoch, "err", err)
			return root, pixels, nil, nil
		}
		sealed = &r
	}
	return root, pixels, sealed, err
}

func (n *Node) drawWith(ctx context.Context, artist *model.Artist, f member.Render) (string, curation.Hash, error) {
	if f.Artwork.Edition != nil {
		return n.drawEdition(ctx, artist, f)
	}
	if f.Role == seal.Auditor {
		pixels, err := n.audit(ctx, artist, f)
		return "", pixels, err
	}
	program, taste, err := n.drawing(ctx, artist, f.Artwork)
	if err != nil {
		return "", curation.Hash{}, fmt.Errorf("render: %w", err)
	}
	size := int(n.params().PictureSize)
	picture, err := model.Draw(ctx, program, size, size, model.RenderOptions{Workers: n.cfg.Artist.Workers})
	if err != nil {
		return "", curation.Hash{}, fmt.Errorf("render: %w", err)
	}
	var png bytes.Buffer
	if err := picture.EncodePNG(&png); err != nil {
		return "", curation.Hash{}, err
	}
	root, err := n.storeArtwork(ctx, f, picture, png.Bytes(), taste, nil)
	return root, picture.PixelRoot, err
}

// storeArtwork builds, pins and stores the folder, and returns its CID.
func (n *Node) storeArtwork(ctx context.Context, f member.Render, picture *model.Picture, png []byte, taste *storage.Taste, of *storage.Edition) (string, error) {
	label, err := n.label(f, picture, n.self().Index, taste, of)
	if err != nil {
		return "", err
	}
	label.PNG = png
	files, err := storage.BuildArtworkFolder(label)
	if err != nil {
		return "", fmt.Errorf("build artwork folder: %w", err)
	}
	// Pinned first: another artwork's end may collect what is not.
	root, err := storage.FolderCID(files)
	if err != nil {
		return "", err
	}
	if err := n.pin(root, pinName(member.Candidate, f.Artwork.RID)); err != nil {
		return "", fmt.Errorf("pin artwork: %w", err)
	}
	if _, err := n.store.PutFolder(ctx, files); err != nil {
		return "", fmt.Errorf("store artwork: %w", err)
	}
	return root.String(), nil
}

// audit fetches what was registered and returns the root of its pixels, or none when
// it is not this artwork. An error means that it could not be fetched, read or
// rendered here.
func (n *Node) audit(ctx context.Context, artist *model.Artist, f member.Render) (curation.Hash, error) {
	root, files, err := n.registered(ctx, f)
	if err != nil {
		return curation.Hash{}, fmt.Errorf("fetch the registered folder: %w", err)
	}
	program, taste, err := n.drawing(ctx, artist, f.Artwork)
	if err != nil {
		return curation.Hash{}, fmt.Errorf("render: %w", err)
	}
	label := func(p *model.Picture) (storage.Artwork, error) { return n.label(f, p, f.Artwork.Generator, taste, nil) }
	return vouched(ctx, program, root, files, label, n.params(), rand.Reader, n.cfg.Artist.Workers)
}

// vouched is the root of the pixels of a folder that is an artwork by the given rules,
// and none when it is not: its picture has the size that it must have, label gives the
// receipt and words for these pixels, and tiles that nobody could foresee are as the
// program draws them.
func vouched(ctx context.Context, program *kernel.Program, root cid.Cid, files []storage.File, label func(*model.Picture) (storage.Artwork, error),
	rules curation.Params, random io.Reader, workers int) (curation.Hash, error) {
	picture, ok := pictureIn(files, int(rules.PictureSize))
	if !ok {
		return curation.Hash{}, nil
	}
	expected, err := label(picture)
	if err != nil {
		return curation.Hash{}, err
	}
	if !sameArtwork(root, files, expected) {
		return curation.Hash{}, nil
	}
	tiles, err := model.DrawTiles(random, model.Tiles(picture.W, picture.H), int(rules.AuditTiles))
	if err != nil {
		return curation.Hash{}, err
	}
	differ, err := model.Check(ctx, program, picture.W, picture.H, picture.RGB, tiles, model.RenderOptions{Workers: workers})
	if err != nil {
		return curation.Hash{}, fmt.Errorf("render: %w", err)
	}
	if len(differ) > 0 {
		return curation.Hash{}, nil
	}
	return picture.PixelRoot, nil
}

// registered fetches an artwork's folder. There are no files when what was registered
// is no folder that can be read.
func (n *Node) registered(ctx context.Context, f member.Render) (cid.Cid, []storage.File, error) {
	a := f.Artwork
	root, err := cid.Decode(a.CID)
	if err != nil {
		return root, nil, nil
	}
	from := n.others(f.Maker)
	// What is pinned as something else is here already, and is compared all the same.
	if err := n.pin(root, pinName(member.Candidate, a.RID)); err != nil && !errors.Is(err, errPinned) {
		return root, nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	if _, err := n.exchange.Fetch(ctx, root, from); err != nil {
		return root, nil, err
	}
	files, err := n.store.ReadFolder(ctx, root, maxFolderBytes)
	if err != nil && ours(ctx, err) {
		return root, nil, err
	}
	return root, files, nil
}

// pictureIn is the picture in an artwork's folder, with the root of its pixels; false
// when it has none of that size, or one that a viewer may show otherwise.
func pictureIn(files []storage.File, size int) (*model.Picture, bool) {
	i := slices.IndexFunc(files, func(f storage.File) bool { return f.Name == storage.ImageName })
	if i < 0 {
		return nil, false
	}
	png, err := storage.DecodePNG(files[i].Data, size)
	if err != nil || png.Width != size || png.Height != size {
		return nil, false
	}
	root, err := kernel.PixelRoot(png.Width, png.Height, png.RGB)
	return &model.Picture{W: png.Width, H: png.Height, RGB: png.RGB, PixelRoot: root}, err == nil
}

// ours says whether a folder that was fetched whole cannot be read because of this
// node: its generator is not to be blamed for that.
func ours(ctx context.Context, err error) bool {
	var disk *fs.PathError
	return ctx.Err() != nil || errors.Is(err, storage.ErrDamaged) || errors.Is(err, storage.ErrClosed) || errors.As(err, &disk)
}

// sameArtwork holds a folder's files against the receipt and words that they should
// have, and its CID against the one that those files have: another layout of the same
// files would pass for a forgery with whoever checks them later. PNG bytes are not
// compared, because compression may differ between versions of Go; so the metadata may
// name another picture file, but that one. The receipt names the root of its pixels.
func sameArtwork(root cid.Cid, files []storage.File, label storage.Artwork) bool {
	if have, err := storage.FolderCID(files); err != nil || !have.Equals(root) || len(files) != 3 {
		return false
	}
	data := map[string][]byte{}
	for _, f := range files {
		data[f.Name] = f.Data
	}
	receipt, err := label.Receipt.Encode()
	if err != nil || !bytes.Equal(data[storage.ReceiptName], receipt) {
		return false
	}
	if texts, err := storage.ReadText(data[storage.ImageName]); err != nil || !slices.Equal(texts, label.Texts()) {
		return false
	}
	image, err := storage.FileCID(data[storage.ImageName])
	if err != nil {
		return false
	}
	metadata, err := label.Metadata(image).Encode()
	return err == nil && bytes.Equal(data[storage.MetadataName], metadata)
}

// openModel fetches the sealed container if it is not here, opens it and checks
// that it holds what was sealed. Whoever calls it wipes the plain model file.
func (n *Node) openModel(ctx context.Context, u member.Unsealing) ([]byte, error) {
	container, err := n.container(ctx, u.Model(), u.Sealer)
	if err != nil {
		return nil, err
	}
	defer container.Close()
	return u.Open(container)
}

// others are the other members' peers, the given account's first.
func (n *Node) others(first curation.Address) []peer.ID {
	var ids []peer.ID
	if id, err := peerOf(first); err == nil && id != n.host.ID() {
		ids = append(ids, id)
	}
	for _, id := range n.roster.List() {
		if id != n.host.ID() && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// label is what an artwork's folder says, but for its picture.
func (n *Node) label(f member.Render, p *model.Picture, generator uint32, taste *storage.Taste, of *storage.Edition) (storage.Artwork, error) {
	receipt, err := n.receipt(f.Artwork, f.Model(), p, generator)
	receipt.Taste, receipt.Edition = taste, of
	return storage.Label(n.genesis.Charter.Name, f.Model().Name, receipt), err
}

// receipt is the one that follows from the ledger for a picture by a generator.
func (n *Node) receipt(a curation.Artwork, m curation.Model, p *model.Picture, generator uint32) (storage.Receipt, error) {
	modelCID, err := cid.Decode(m.ContainerCID)
	if err != nil {
		return storage.Receipt{}, err
	}
	body, err := n.requestBody(a)
	if err != nil {
		return storage.Receipt{}, err
	}
	var maker curation.Member
	if err := n.machine.View(func(v curation.View) error {
		var ok bool
		if maker, ok = v.Member(generator); !ok {
			return fmt.Errorf("no member %d", generator)
		}
		return nil
	}); err != nil {
		return storage.Receipt{}, err
	}
	statement := curation.StatementFor(n.chain, a.Opening)
	var prekey [32]byte
	var readers []storage.Reader
	for _, k := range a.Prekeys {
		if k.Member == generator {
			prekey = k.R
		}
		readers = append(readers, storage.Reader{Member: k.Member, Key: k.R})
	}
	return storage.Receipt{
		Version: storage.ReceiptVersion, Chain: n.chain, RequestID: a.RID,
		RequestHeight: a.Requested, ExpiryHeight: statement.Expiry, Collector: a.Requester, Prompt: a.Prompt,
		Body: body, Model: m.ID, ModelCID: storage.Link{Cid: modelCID}, KeyEpoch: m.KeyEpoch,
		CommitteeEpoch: a.Epoch, Label: statement.Label, U: statement.U, Readers: readers,
		Certificate: [48]byte(a.Certificate), SeedSignature: [48]byte(a.SeedSignature), Seed: a.Seed,
		GeneratorIndex: uint64(generator), Generator: maker.Account, GeneratorPrekey: prekey,
		Kernel: kernel.Contract, Width: uint64(p.W), Height: uint64(p.H), PixelRoot: p.PixelRoot,
	}, nil
}

// requestBody finds the signed request in its block.
func (n *Node) requestBody(a curation.Artwork) ([]byte, error) {
	for block, err := range n.engine.Blocks(a.Requested, a.Requested) {
		if err != nil {
			return nil, err
		}
		for _, raw := range block.Txs {
			if tx, err := curation.Decode(raw); err == nil && tx.BodyHash() == a.BodyHash {
				return tx.BodyBytes, nil
			}
		}
	}
	return nil, fmt.Errorf("block %d does not hold the request %v", a.Requested, a.RID)
}
