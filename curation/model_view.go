package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
)

// Model is the current model, under whose key epoch requests are approved; false before
// one is sealed.
func (v View) Model() (Model, bool) { return currentModel(v.m.store) }

// ModelAt is the model of a key epoch, whatever became of it; false for a number that was
// never given.
func (v View) ModelAt(keyEpoch uint64) (Model, bool) {
	return load[Model](v.m.store, keyModel(keyEpoch))
}

// Models are all models, by key epoch, those included that came to nothing.
func (v View) Models() []Model { return records[Model](v.m.store, []byte("model/")) }

// NextKeyEpoch is the number that the next seal or rotation has to have.
func (v View) NextKeyEpoch() uint64 { return count(v.m.store, keyKeyEpochs) + 1 }

// Layers are the models that have to be opened one after the other for that of a key
// epoch, the outermost first: down to the one that was sealed from scratch. There are
// none when the ledger has no such key epoch, or keeps no ciphertext of it.
func (v View) Layers(keyEpoch uint64) []Model { return layersAt(v.m.store, keyEpoch) }

func layersAt(r state.Reader, keyEpoch uint64) (layers []Model) {
	for keyEpoch != 0 {
		m, ok := load[Model](r, keyModel(keyEpoch))
		if !ok || len(m.Ciphertext) == 0 {
			return nil
		}
		layers = append(layers, m)
		keyEpoch = m.Base
	}
	return layers
}

// Rotation is the making of the next key epoch, once it is due.
func (v View) Rotation() (Rotation, bool) { return load[Rotation](v.m.store, keyRotation) }

// RotationDue is the first height after which the current model's rotation is due if a
// request has been approved under it by then; 0 when key epochs last forever, while the
// model is on trial, and without one.
func (v View) RotationDue() uint64 {
	m, ok := v.Model()
	if p := v.Params(); ok && m.Standing == ModelProven && p.KeyEpochBlocks != 0 {
		return m.Since + p.KeyEpochBlocks
	}
	return 0
}

// Proposed is the model that members fetch the container of, to tell with Stored that
// they have it.
func (v View) Proposed() (Model, bool) { return proposedModel(v.m.store) }

// Copies is how many members with a share have the container of a proposed model, and
// how many it takes to make it current.
func (v View) Copies(m Model) (stored, needed int) {
	if v.m.committee == nil {
		return 0, 0
	}
	return copies(m, seatsOf(v.m.store, v.m.committee.Epoch())), copiesNeeded(v.m.committee)
}

// Keep are the models whose containers members must hold, by key epoch: the current one,
// the one that is current again if that fails, the proposed one, and those of requests
// and of a training that are not ended. The container of a layer holds those beneath it.
func (v View) Keep() (models []Model) {
	var epochs []uint64
	if m, ok := v.Model(); ok {
		epochs = append(epochs, m.KeyEpoch)
		if m.Standing == ModelTrial && m.Before != 0 {
			epochs = append(epochs, m.Before)
		}
	}
	if m, ok := v.Proposed(); ok {
		epochs = append(epochs, m.KeyEpoch)
	}
	for _, a := range v.Working() {
		epochs = append(epochs, a.KeyEpoch)
	}
	if t, ok := v.RunningTraining(); ok {
		epochs = append(epochs, t.KeyEpoch)
	}
	slices.Sort(epochs)
	for _, e := range slices.Compact(epochs) {
		models = append(models, must2(v.ModelAt(e)))
	}
	return models
}
