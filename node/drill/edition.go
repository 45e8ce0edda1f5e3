package drill

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/edition"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/seal"
	"github.com/atelier-dao/atelier/storage"
)

// Redrawn is an edition, and what became of it.
type Redrawn struct {
	Of        string `json:"of"`
	Size      uint64 `json:"size"`
	Status    string `json:"status"`
	By        string `json:"by"`
	Auditor   string `json:"auditor"`
	PixelRoot string `json:"pixel_root"`
}

// editions has what was published drawn once more, larger and in other colours: first by a
// member that draws something else, whom its auditor finds out, and then rightly.
func (r *run) editions(ctx context.Context) error {
	r.liar = true
	forged, err := r.redraws(ctx)
	if err != nil {
		return err
	}
	if forged.Status != curation.StatusDisputed {
		return fmt.Errorf("an edition in wrong colours ended as %s", forged.Status)
	}
	r.screen.Fact("asked for an edition in other colours, %s draws it as it was: %s draws it again and disputes it, and what it cost comes back",
		memberNames[forged.Generator-1], memberNames[forged.Auditor-1])
	r.liar = false
	good, err := r.redraws(ctx)
	if err != nil {
		return err
	}
	if good.Status != curation.StatusDelivered {
		return fmt.Errorf("an edition ended as %s: %s", good.Status, good.Reason)
	}
	claims, err := r.verifies(ctx, good)
	if err != nil {
		return err
	}
	r.screen.Fact("asked for again, %s draws it rightly for %s credits; it verifies offline: %s", memberNames[good.Generator-1], good.Price.CreditsTo(1), claims)
	return nil
}

// redraws asks for the edition and follows it to its end.
func (r *run) redraws(ctx context.Context) (a curation.Artwork, err error) {
	recipe := model.NewRecipe([32]byte{}, "", [32]byte{})
	recipe.Colours.Turned = 120
	want := curation.Edition{ModelID: r.first.ModelID, Of: []curation.Hash{r.first.RID}, Size: 2 * r.Size, Changes: recipe.Changes()}
	sent, err := r.client.SubmitPayload(ctx, r.collector, want)
	if err != nil {
		return a, err
	}
	if err = r.until(ctx, "the edition", func(v curation.View) bool {
		a, _ = v.Artwork(sent.RID)
		return a.Status.Ended()
	}); err != nil {
		return a, err
	}
	if a.Generator == 0 || a.Auditor == 0 {
		return a, fmt.Errorf("the edition ended as %s: %s", a.Status, a.Reason)
	}
	r.report.Editions = append(r.report.Editions, Redrawn{Of: r.first.Prompt, Size: want.Size, Status: string(a.Status),
		By: memberNames[a.Generator-1], Auditor: memberNames[a.Auditor-1], PixelRoot: a.PixelRoot.String()})
	return a, nil
}

// drawEdition is drawWith for an edition.
func (n *network) drawEdition(ctx context.Context, artist *model.Artist, f member.Render, by *peer) (string, curation.Hash, error) {
	var of storage.Edition
	var rules curation.Params
	if err := n.View(func(v curation.View) error {
		rules = v.Params()
		works, err := edition.Works(v, *f.Artwork.Edition)
		if err == nil {
			of, err = edition.Of(*f.Artwork.Edition, works, func(curation.Artwork) (*storage.Taste, error) {
				return nil, errors.New("the drill has no taste")
			})
		}
		return err
	}); err != nil {
		return "", curation.Hash{}, err
	}
	size := int(f.Artwork.Edition.Size)
	if f.Role == seal.Auditor {
		root, err := n.checkEdition(ctx, artist, f.Artwork, of, size, int(rules.AuditTiles))
		return "", root, err
	}
	drawn := of
	if n.liar { // a picture that is right, but not the one that was asked for
		drawn.Changes = []byte{}
	}
	var png bytes.Buffer
	root, err := edition.Draw(ctx, &png, artist, drawn, size, model.RenderOptions{})
	if err != nil {
		return "", curation.Hash{}, err
	}
	receipt, err := n.receipt(f, &model.Picture{W: size, H: size, PixelRoot: root}, by)
	if err != nil {
		return "", curation.Hash{}, err
	}
	receipt.Edition = &of
	folder, err := n.keep(ctx, f, receipt, png.Bytes())
	return folder, root, err
}

// checkEdition is the root of the registered picture if as many of its tiles are as the
// artist draws them, and none otherwise.
func (n *network) checkEdition(ctx context.Context, artist *model.Artist, a curation.Artwork, of storage.Edition, size, tiles int) (curation.Hash, error) {
	root, err := cid.Decode(a.CID)
	if err != nil {
		return curation.Hash{}, err
	}
	png, err := n.store.ReadFile(ctx, root, storage.ImageName)
	if err != nil {
		return curation.Hash{}, err
	}
	pixels, err := edition.Check(ctx, artist, of, size, png, tiles, rand.Reader, model.RenderOptions{})
	if edition.Other(err) {
		return curation.Hash{}, nil
	}
	return pixels, err
}
