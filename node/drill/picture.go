package drill

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/node/verify"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage"
)

// draw opens the sealed artist with the key that the members released, and renders.
func (n *network) draw(f member.Render, by *peer) (root string, pixels curation.Hash, sealed *curation.Rotate, err error) {
	ctx := context.Background()
	plain, err := n.plain(ctx, f)
	if err != nil {
		return "", pixels, nil, err
	}
	defer clear(plain)
	if f.Reseal != nil {
		r, err := n.seal(*f.Reseal, bytes.NewReader(plain))
		if err != nil {
			return "", pixels, nil, err
		}
		sealed = &r
	}
	artist, err := model.UnmarshalArtist(plain)
	if err != nil {
		return "", pixels, nil, err
	}
	root, pixels, err = n.drawWith(ctx, artist, f, by)
	return root, pixels, sealed, err
}

func (n *network) drawWith(ctx context.Context, artist *model.Artist, f member.Render, by *peer) (string, curation.Hash, error) {
	if f.Artwork.Edition != nil {
		return n.drawEdition(ctx, artist, f, by)
	}
	var size uint64
	if err := n.View(func(v curation.View) error { size = v.Params().PictureSize; return nil }); err != nil {
		return "", curation.Hash{}, err
	}
	picture, err := artist.Render(ctx, f.Artwork.Prompt, f.Artwork.Seed, int(size), model.RenderOptions{})
	if err != nil || f.Role == seal.Auditor {
		return "", curation.Hash(pixels(picture)), err
	}
	receipt, err := n.receipt(f, picture, by)
	if err != nil {
		return "", curation.Hash{}, err
	}
	var png bytes.Buffer
	if err := picture.EncodePNG(&png); err != nil {
		return "", curation.Hash{}, err
	}
	folder, err := n.keep(ctx, f, receipt, png.Bytes())
	return folder, picture.PixelRoot, err
}

// keep builds an artwork's folder, stores and pins it, and returns its CID.
func (n *network) keep(ctx context.Context, f member.Render, r storage.Receipt, png []byte) (string, error) {
	label := storage.Label(n.charter.Name, f.Model().Name, r)
	label.PNG = png
	files, err := storage.BuildArtworkFolder(label)
	if err != nil {
		return "", err
	}
	root, err := n.store.PutFolder(ctx, files)
	if err != nil {
		return "", err
	}
	return root.String(), n.store.Pin(root, member.Candidate+"/"+f.Artwork.RID.String())
}

// plain opens the artist's container with the keys that the members released.
func (n *network) plain(ctx context.Context, f member.Render) ([]byte, error) {
	container, err := n.container(ctx, f.Model())
	if err != nil {
		return nil, err
	}
	defer container.Close()
	return f.Open(container)
}

// container is that of a sealed model; one store stands for all members'.
func (n *network) container(ctx context.Context, m curation.Model) (io.ReadCloser, error) {
	root, err := cid.Decode(m.ContainerCID)
	if err != nil {
		return nil, err
	}
	return n.store.OpenFile(ctx, root, "")
}

// keepModel tells a member that a container is what the ledger tells of, or that it is
// not.
func (n *network) keepModel(f member.KeepModel) (member.ModelKept, error) {
	kept := member.ModelKept{KeyEpoch: f.Model.KeyEpoch, CID: f.Model.ContainerCID}
	c, err := n.container(context.Background(), f.Model)
	if err != nil {
		return kept, err
	}
	defer c.Close()
	kept.Err = member.CheckContainer(c, f.Model)
	return kept, nil
}

// wrap puts a layer around the artist.
func (n *network) wrap(f member.Wrap) (w member.Wrapped) {
	inside, err := n.container(context.Background(), f.Container)
	if err != nil {
		return member.Wrapped{Err: err}
	}
	defer inside.Close()
	w.Rotate, w.Err = n.seal(f.Sealing, inside)
	return w
}

// seal makes a container, stores and pins it.
func (n *network) seal(s member.Sealing, plain io.Reader) (curation.Rotate, error) {
	var out bytes.Buffer
	r, err := s.Seal(rand.Reader, &out, plain)
	if err != nil {
		return r, err
	}
	root, err := n.store.PutFilePinned(context.Background(), &out, fmt.Sprintf("model/%d", s.KeyEpoch))
	r.ContainerCID = root.String()
	return r, err
}

func pixels(p *model.Picture) (root [32]byte) {
	if p != nil {
		root = p.PixelRoot
	}
	return root
}

// receipt is the one that follows from the ledger for a picture.
func (n *network) receipt(f member.Render, p *model.Picture, by *peer) (storage.Receipt, error) {
	a, m := f.Artwork, f.Model()
	container, err := cid.Decode(m.ContainerCID)
	if err != nil {
		return storage.Receipt{}, err
	}
	body, err := n.requestBody(a)
	if err != nil {
		return storage.Receipt{}, err
	}
	s := curation.StatementFor(n.chain, a.Opening)
	r := storage.Receipt{
		Version: storage.ReceiptVersion, Chain: n.chain, RequestID: a.RID, RequestHeight: a.Requested, ExpiryHeight: s.Expiry,
		Collector: a.Requester, Prompt: a.Prompt, Body: body, Model: m.ID, ModelCID: storage.Link{Cid: container}, KeyEpoch: m.KeyEpoch,
		CommitteeEpoch: a.Epoch, Label: s.Label, U: s.U, Certificate: [48]byte(a.Certificate), SeedSignature: [48]byte(a.SeedSignature), Seed: a.Seed,
		GeneratorIndex: uint64(by.index), Generator: accountOf(by.key), Kernel: kernel.Contract, Width: uint64(p.W), Height: uint64(p.H), PixelRoot: p.PixelRoot,
	}
	for _, k := range a.Prekeys {
		if k.Member == by.index {
			r.GeneratorPrekey = k.R
		}
		r.Readers = append(r.Readers, storage.Reader{Member: k.Member, Key: k.R})
	}
	return r, nil
}

func (n *network) requestBody(a curation.Artwork) ([]byte, error) {
	for block, err := range n.ledger.Blocks(a.Requested, a.Requested) {
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

// request asks for a picture as the collector.
func (n *network) request(ctx context.Context, prompt string) (curation.Hash, error) {
	m, err := n.client.Model(ctx)
	if err != nil {
		return curation.Hash{}, err
	}
	r, err := n.client.SubmitPayload(ctx, n.collector, curation.Request{Prompt: prompt, ModelID: m.ID})
	return r.RID, err
}

// create asks for a picture and follows it until it is audited.
func (n *network) create(ctx context.Context, prompt string) (a curation.Artwork, err error) {
	rid, err := n.request(ctx, prompt)
	if err != nil {
		return a, err
	}
	err = n.until(ctx, "the picture", func(v curation.View) bool {
		a, _ = v.Artwork(rid)
		return a.Attested != 0 || a.Status.Ended()
	})
	if err == nil && a.Attested == 0 {
		err = fmt.Errorf("%q ended as %s: %s", prompt, a.Status, a.Reason)
	}
	return a, err
}

// publish backs a candidate until its round has published it.
func (n *network) publish(ctx context.Context, rid curation.Hash) (a curation.Artwork, err error) {
	var round curation.Round
	if err = n.until(ctx, "the round", func(v curation.View) (open bool) {
		round, open = v.RunningRound()
		return open && round.Phase == curation.RoundBacking
	}); err != nil {
		return a, err
	}
	net, err := n.client.Network(ctx)
	if err != nil {
		return a, err
	}
	order, err := net.SealOrder(rand.Reader, round.Number, curation.OpenOrder{Account: accountOf(n.collector), RID: rid,
		Deposit: curve.Credits(300), MinOut: curve.NewAmount(1)}, curve.Credits(350))
	if err != nil {
		return a, err
	}
	if _, err = n.client.SubmitPayload(ctx, n.collector, order); err != nil {
		return a, err
	}
	err = n.until(ctx, "publication", func(v curation.View) bool {
		a, _ = v.Artwork(rid)
		return a.Status.Ended()
	})
	if err == nil && a.Status != curation.StatusPublished {
		err = fmt.Errorf("the round ended with the picture %s: %s", a.Status, a.Reason)
	}
	return a, err
}

// verifies checks an artwork offline, with nothing but its files and the ledger, which
// is replayed from the genesis on.
func (n *network) verifies(ctx context.Context, a curation.Artwork) (string, error) {
	export, _, err := n.client.ExportLedger(ctx, 1)
	if err != nil {
		return "", err
	}
	defer export.Close()
	history, err := verify.CheckLedger(ctx, export, verify.LedgerOptions{Chain: &n.chain})
	if err != nil {
		return "", err
	}
	root, err := cid.Decode(a.CID)
	if err != nil {
		return "", err
	}
	var files []storage.File
	for _, name := range []string{storage.ImageName, storage.MetadataName, storage.ReceiptName} {
		data, err := n.client.File(ctx, a.CID, name)
		if err != nil {
			return "", err
		}
		files = append(files, storage.File{Name: name, Data: data})
	}
	r, err := verify.Artwork(ctx, files, verify.Options{Ledger: history, CID: root})
	if err != nil {
		return "", err
	}
	if !r.Valid {
		return "", fmt.Errorf("%q does not verify: %v", a.Prompt, r.Failed)
	}
	return fmt.Sprintf("%d of %d claims hold, by %d replayed blocks", len(r.Claims)-len(r.Missing), len(r.Claims), history.Height), nil
}

// sell gives half of the collector's tokens back to the curve, and says for how much.
func (n *network) sell(ctx context.Context, rid curation.Hash) (string, error) {
	before, err := n.client.Account(ctx, accountOf(n.collector))
	if err != nil {
		return "", err
	}
	for _, h := range before.Holdings {
		if h.RID != rid {
			continue
		}
		half, err := h.Tokens.MulDiv(curve.NewAmount(1), curve.NewAmount(2))
		if err != nil {
			return "", err
		}
		if _, err := n.client.SubmitPayload(ctx, n.collector, curation.Sell{RID: rid, Tokens: half, MinOut: curve.NewAmount(1)}); err != nil {
			return "", err
		}
		after, err := n.client.Account(ctx, accountOf(n.collector))
		return fmt.Sprintf("%s tokens for %s credits", half.CreditsTo(2), after.Balance.Sub(before.Balance).CreditsTo(2)), err
	}
	return "", errors.New("the collector holds no tokens to sell")
}

// open opens the artist with the key that a will has published, as anybody may, and
// draws a picture with it.
func (n *network) open(ctx context.Context, prompt string) (*model.Artist, *model.Picture, error) {
	s, err := n.client.Succession(ctx)
	if err != nil {
		return nil, nil, err
	}
	if s.Will == nil || s.Will.Height == 0 {
		return nil, nil, errors.New("the key is not public")
	}
	artist, _, err := n.client.OpenPublished(ctx, s.Will.Secret)
	if err != nil {
		return nil, nil, err
	}
	net, err := n.client.Network(ctx)
	if err != nil {
		return nil, nil, err
	}
	p, err := artist.Render(ctx, prompt, [32]byte{1}, int(net.Params.PictureSize), model.RenderOptions{})
	return artist, p, err
}
