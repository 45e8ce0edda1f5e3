package curation

import (
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
)

// modelsAgree: from the first seal on one model is current, with something beneath it
// that is proven if it is on trial and not the first; at most one is proposed; what
// members vote on has its motion; layers lie on what was proven once and add up; and
// requests are of the models that they name.
func (m *Machine) modelsAgree(r state.Reader) error {
	models := records[Model](r, []byte("model/"))
	if last := count(r, keyKeyEpochs); last != uint64(len(models)) {
		return fmt.Errorf("%d models, the last has number %d", len(models), last)
	}
	current, sealed := currentModel(r)
	if sealed != (len(models) > 0) {
		return fmt.Errorf("%d models, one is current: %v", len(models), sealed)
	}
	standing := map[ModelStanding][]uint64{}
	for i, o := range models {
		standing[o.Standing] = append(standing[o.Standing], o.KeyEpoch)
		if err := m.modelAgrees(r, models, o, i); err != nil {
			return fmt.Errorf("key epoch %d, %s: %w", o.KeyEpoch, o.Standing, err)
		}
	}
	proposed, trial, proven := standing[ModelProposed], standing[ModelTrial], standing[ModelProven]
	if p, ok := proposedModel(r); ok != (len(proposed) == 1) || ok && proposed[0] != p.KeyEpoch || len(proposed) > 1 {
		return fmt.Errorf("key epochs %v are proposed, %d is by the index", proposed, p.KeyEpoch)
	}
	var want []uint64 // that are proven
	switch {
	case sealed && current.Standing == ModelProven:
		want = []uint64{current.KeyEpoch}
	case sealed && current.Before != 0:
		want = []uint64{current.Before}
	}
	if len(trial) > 1 || len(trial) == 1 && trial[0] != current.KeyEpoch || !slices.Equal(proven, want) {
		return fmt.Errorf("key epoch %d is current; %v are on trial and %v proven, which should be %v", current.KeyEpoch, trial, proven, want)
	}
	for _, a := range records[Artwork](r, []byte("artwork/")) {
		if o, ok := load[Model](r, keyModel(a.KeyEpoch)); !ok || o.ID != a.ModelID || o.Label != a.Label || o.U != a.U || o.Since == 0 || len(o.Ciphertext) == 0 {
			return fmt.Errorf("artwork %v is of key epoch %d, which is another model", a.RID, a.KeyEpoch)
		}
	}
	return m.rotationAgrees(r, current)
}

// modelAgrees checks one of the models, the one that stands at i.
func (m *Machine) modelAgrees(r state.Reader, models []Model, o Model, i int) error {
	_, taken := r.Get(indexContainer(o.ContainerCID))
	_, motion := r.Get(keyMotion(adoption(o.KeyEpoch)))
	voted, ended := o.Standing == ModelNominated, o.Standing == ModelRetired || o.Standing == ModelDiscarded
	switch {
	case o.KeyEpoch != uint64(i)+1:
		return fmt.Errorf("stands at %d", i+1)
	case motion != voted:
		return fmt.Errorf("members vote on it: %v", motion)
	case (o.Until != 0) != (voted || o.Standing == ModelProposed) || o.Until != 0 && o.Until <= m.height:
		return fmt.Errorf("waits until %d", o.Until)
	case ended != (o.Ended != 0) || (o.Standing == ModelDiscarded) != (o.Reason != ""):
		return fmt.Errorf("ended at %d because %q", o.Ended, o.Reason)
	case (!voted && o.Standing != ModelDiscarded || o.Since != 0) && !taken:
		return fmt.Errorf("container %s is not indexed", o.ContainerCID)
	case o.Since == 0 && (o.Standing == ModelTrial || o.Standing == ModelProven || o.Standing == ModelRetired || o.Approved != 0):
		return fmt.Errorf("was never current, and %s were approved", plural(o.Approved, "request"))
	case (len(o.Ciphertext) == 0) != (o.Standing == ModelDiscarded && o.Since == 0):
		return fmt.Errorf("has a ciphertext of %s", plural(len(o.Ciphertext), "byte"))
	case o.Tried > o.Approved:
		return fmt.Errorf("%s ended of %d that were approved", plural(o.Tried, "request"), o.Approved)
	// An artist that was sealed early may be adopted late, in the place of a later one.
	case o.Base >= o.KeyEpoch || o.Before == o.KeyEpoch || o.Before > uint64(len(models)):
		return fmt.Errorf("lies on %d and took the place of %d", o.Base, o.Before)
	case len(o.Stored) == 0 || o.Stored[0] != o.Sealer:
		return fmt.Errorf("is stored by %v, sealed by %d", o.Stored, o.Sealer)
	}
	layers := 1
	if o.Base != 0 {
		base := models[o.Base-1]
		layers += base.Layers
		if base.ID != o.ID || base.Since == 0 || len(base.Ciphertext) == 0 || base.Standing == ModelDiscarded ||
			o.Label != LayerLabel(m.chain, o.ID, o.KeyEpoch, o.PolicyHash, m.committee.X(), base.Label, base.U) {
			return fmt.Errorf("is no layer around key epoch %d", o.Base)
		}
	}
	if o.Layers != layers || layers > MaxLayers {
		return fmt.Errorf("has %d layers, they add up to %d", o.Layers, layers)
	}
	return nil
}

// rotationAgrees: what is rotated is the current model, or what it was made of.
func (m *Machine) rotationAgrees(r state.Reader, current Model) error {
	rotation, due := load[Rotation](r, keyRotation)
	if !due {
		return nil
	}
	base, ok := load[Model](r, keyModel(rotation.Base))
	if !ok || base.Standing != ModelProven || rotation.Fresh != (base.Layers == MaxLayers) {
		return fmt.Errorf("rotation of key epoch %d, which is %s with %d layers", rotation.Base, base.Standing, base.Layers)
	}
	made, ok := load[Model](r, keyModel(rotation.KeyEpoch))
	if ok != (rotation.KeyEpoch != 0) || ok && (made.Base != rotation.wants() || made.Standing != ModelProposed && made.KeyEpoch != current.KeyEpoch) {
		return fmt.Errorf("rotation of key epoch %d made %d, which is %s around %d", rotation.Base, rotation.KeyEpoch, made.Standing, made.Base)
	}
	if !ok && current.KeyEpoch != rotation.Base {
		return fmt.Errorf("rotation of key epoch %d, the current one is %d", rotation.Base, current.KeyEpoch)
	}
	return nil
}
