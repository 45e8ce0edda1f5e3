package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/model"
	"github.com/atelier-dao/atelier/model/kernel"
	"github.com/atelier-dao/atelier/node/health"
)

// Model is an artist as it is sealed for one key epoch.
type Model struct {
	ID            curation.Hash          `json:"id" doc:"Of the artist; the same in all its key epochs."`
	KeyEpoch      uint64                 `json:"key_epoch" doc:"From 1, never given twice."`
	Name          string                 `json:"name"`
	Contract      string                 `json:"contract" doc:"Arithmetic that it draws with."`
	Class         model.Class            `json:"class" enum:"exact,tolerant,opaque" doc:"What two renderings of one of its pictures owe each other; of exact ones every member can check each other's."`
	PlainHash     curation.Hash          `json:"plain_hash" doc:"SHA-256 of the plain file."`
	PolicyHash    curation.Hash          `json:"policy_hash"`
	ContainerHash curation.Hash          `json:"container_hash" doc:"SHA-256 of the container."`
	ContainerCID  string                 `json:"container_cid"`
	ContainerSize uint64                 `json:"container_size"`
	Label         curation.Hash          `json:"label" doc:"Under which the key of the container is sealed."`
	U             curation.Hash          `json:"u"`
	Ciphertext    Hex                    `json:"ciphertext" doc:"Of the container's key, to the key X of the committee; empty when the key epoch was discarded before it was current."`
	Epoch         uint64                 `json:"epoch" doc:"Committee under whose X it is sealed."`
	Sealer        uint32                 `json:"sealer" doc:"Member that sealed it or put the layer around it."`
	Height        uint64                 `json:"height" doc:"At which it did."`
	Base          uint64                 `json:"base,omitempty" doc:"Key epoch whose container lies inside this one; absent when it is sealed from scratch."`
	Training      uint64                 `json:"training,omitempty" doc:"Number of the training that it came of; absent when it came of none."`
	Layers        int                    `json:"layers" doc:"Ciphertexts to open before the artist is, this one included."`
	Standing      curation.ModelStanding `json:"standing" enum:"nominated,proposed,on trial,proven,retired,discarded" doc:"nominated: members vote; proposed: members store it; on trial: current, not shown to open yet; proven: in use; retired: another one took its place."`
	Until         uint64                 `json:"until,omitempty" doc:"Last height for votes, or for members to store it."`
	Stored        []uint32               `json:"stored" doc:"Members that told that they had its container while it was proposed."`
	Before        uint64                 `json:"before,omitempty" doc:"Key epoch that it took the place of, which is current again if this one fails."`
	Since         uint64                 `json:"since,omitempty" doc:"Height from which on it was current; absent if it never was."`
	Approved      uint64                 `json:"approved" doc:"Requests that were approved under it."`
	Openers       []uint32               `json:"openers" doc:"Members that made or audited an attested artwork with it, the last one first."`
	Ended         uint64                 `json:"ended,omitempty" doc:"Height at which it was retired or discarded."`
	Reason        string                 `json:"reason,omitempty" doc:"Why it was discarded."`
	Became        string                 `json:"became" doc:"Where it stands, in words."`
	Origin        string                 `json:"origin" doc:"What it is made of, in words."`
}

// Rotation says when and by whom the current key epoch ends.
type Rotation struct {
	KeyEpoch uint64   `json:"key_epoch" doc:"The current one."`
	Due      uint64   `json:"due,omitempty" doc:"Height from which on it may end; absent while it is on trial, and when key epochs last forever."`
	Ends     bool     `json:"ends" doc:"The next one is asked for, proposed or on trial."`
	Fresh    bool     `json:"fresh" doc:"The next one is to be sealed from scratch, since there are as many layers as there may be."`
	Turns    []uint32 `json:"turns" doc:"Members that may make it, in order; empty while it is proposed or on trial."`
	Rotator  uint32   `json:"rotator,omitempty" doc:"Whose turn the next block is."`
	Skipped  []uint32 `json:"skipped" doc:"Members whose proposal was discarded."`
	Proposed *Model   `json:"proposed,omitempty" doc:"The next one, while members store it."`
	Copies   int      `json:"copies,omitempty" doc:"Members with a share that have stored it."`
	Needed   int      `json:"needed,omitempty" doc:"Members that must have."`
	Advice   string   `json:"advice" doc:"What that means, and what to do next."`
}

func modelOf(v curation.View, m curation.Model) Model {
	return Model{ID: m.ID, KeyEpoch: m.KeyEpoch, Name: m.Name, Contract: kernel.Contract, Class: model.ClassOf(kernel.Contract), PlainHash: m.PlainHash, PolicyHash: m.PolicyHash,
		ContainerHash: m.ContainerHash, ContainerCID: m.ContainerCID, ContainerSize: m.ContainerSize, Label: m.Label, U: m.U,
		Ciphertext: Hex(m.Ciphertext), Epoch: m.Epoch, Sealer: m.Sealer, Height: m.Height,
		Base: m.Base, Training: m.Training, Layers: m.Layers, Standing: m.Standing, Until: m.Until, Stored: list(m.Stored), Before: m.Before, Since: m.Since,
		Approved: m.Approved, Openers: list(m.Openers), Ended: m.Ended, Reason: m.Reason, Became: health.Became(v, m), Origin: health.Origin(m)}
}

func modelsOf(v curation.View, models []curation.Model) []Model {
	return each(models, func(m curation.Model) Model { return modelOf(v, m) })
}

// rotationOf is nil before an artist is sealed.
func rotationOf(v curation.View) *Rotation {
	a, ok := health.ArtistOf(v)
	if !ok {
		return nil
	}
	out := &Rotation{KeyEpoch: a.Model.KeyEpoch, Due: a.Due, Turns: list(a.Turns), Rotator: a.Rotator, Skipped: []uint32{},
		Copies: a.Stored, Needed: a.Needed, Advice: a.Advice()}
	if r := a.Rotation; r != nil {
		out.Ends, out.Fresh, out.Skipped = true, r.Fresh, list(r.Skip)
	}
	if a.Proposed != nil {
		m := modelOf(v, *a.Proposed)
		out.Proposed = &m
	}
	return out
}

func (s *server) registerModels(api huma.API) {
	absent := func() error {
		return problem(http.StatusNotFound, CodeNotFound, "no artist is sealed yet: a member does it with `atelier model seal`")
	}
	get(s, api, "model", "/v1/model", "The current artist",
		func(v curation.View, _ *none) (Model, error) {
			m, ok := v.Model()
			if !ok {
				return Model{}, absent()
			}
			return modelOf(v, m), nil
		})
	get(s, api, "model-layers", "/v1/model/layers", "What has to be opened for the current artist, one after the other: the container first, and inside it the containers of the key epochs before, down to the artist itself",
		func(v curation.View, _ *none) ([]Model, error) {
			m, ok := v.Model()
			if !ok {
				return nil, absent()
			}
			return modelsOf(v, v.Layers(m.KeyEpoch)), nil
		})
	get(s, api, "models", "/v1/models", "The artist in all its key epochs, those included that came to nothing, by key epoch",
		func(v curation.View, _ *none) ([]Model, error) { return modelsOf(v, v.Models()), nil })
}

// Model is the current artist; a *Problem with CodeNotFound before there is one.
func (c *Client) Model(ctx context.Context) (Model, error) {
	return ask[Model](ctx, c, "/v1/model", nil)
}

// Layers are what has to be opened for the current artist, the outermost first.
func (c *Client) Layers(ctx context.Context) ([]Model, error) {
	return ask[[]Model](ctx, c, "/v1/model/layers", nil)
}

// Models are the artist in all its key epochs, by these.
func (c *Client) Models(ctx context.Context) ([]Model, error) {
	return ask[[]Model](ctx, c, "/v1/models", nil)
}
