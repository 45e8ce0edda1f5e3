package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/node/member"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// OpenPublished opens the artist with the key that guardians have given away, as anybody
// may who has it, through all its layers. While the last of them is on trial, nobody knows that it opens:
// if it does not, that of the key epoch before is tried.
func (c *Client) OpenPublished(ctx context.Context, secret curation.Hash) (*model.Artist, Model, error) {
	now, err := c.Model(ctx)
	if err != nil {
		return nil, Model{}, err
	}
	models, err := c.Models(ctx)
	if err != nil {
		return nil, Model{}, err
	}
	artist, err := c.openLayers(ctx, secret, layersOf(models, now.KeyEpoch))
	if before := layersOf(models, now.Before); err != nil && now.Standing == curation.ModelTrial && len(before) > 0 {
		var again error
		if artist, again = c.openLayers(ctx, secret, before); again == nil {
			return artist, before[0], nil
		}
		err = errors.Join(err, again)
	}
	return artist, now, err
}

// layersOf are what has to be opened for a key epoch, the outermost first.
func layersOf(models []Model, keyEpoch uint64) (layers []Model) {
	for keyEpoch != 0 && len(layers) < curation.MaxLayers {
		i := slices.IndexFunc(models, func(m Model) bool { return m.KeyEpoch == keyEpoch })
		if i < 0 {
			return nil
		}
		layers, keyEpoch = append(layers, models[i]), models[i].Base
	}
	return layers
}

func (c *Client) openLayers(ctx context.Context, secret [32]byte, layers []Model) (*model.Artist, error) {
	if len(layers) == 0 {
		return nil, errors.New("the node tells of no layers to open")
	}
	n, err := c.Network(ctx)
	if err != nil {
		return nil, err
	}
	x, err := n.Committee.Key()
	if err != nil {
		return nil, err
	}
	var records []curation.Model
	for _, m := range layers {
		records = append(records, curation.Model{ID: m.ID, KeyEpoch: m.KeyEpoch, PolicyHash: m.PolicyHash, PlainHash: m.PlainHash,
			Ciphertext: m.Ciphertext, Sealer: m.Sealer})
	}
	of, err := curation.Ciphertexts(n.Chain, x, records)
	if err != nil {
		return nil, err
	}
	keys, err := seal.OpenPublished(secret, x, of)
	if err != nil {
		return nil, err
	}
	container, err := c.File(ctx, layers[0].ContainerCID, "")
	if err != nil {
		return nil, err
	}
	var open member.Render
	for i, m := range records {
		open.Layers = append(open.Layers, member.Layer{Model: m, FileKey: keys[len(keys)-1-i]})
	}
	plain, err := open.Open(bytes.NewReader(container))
	if err != nil {
		return nil, fmt.Errorf("open the container of key epoch %d: %w", layers[0].KeyEpoch, err)
	}
	defer clear(plain)
	return model.UnmarshalArtist(plain)
}
