package member

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/atelier-dao/atelier/curation"
)

// containerKey names a container and what the ledger has of it: two key epochs may name
// one CID, and tell different things of it.
type containerKey struct {
	keyEpoch uint64
	cid      string
}

func containerOf(model curation.Model) containerKey {
	return containerKey{model.KeyEpoch, model.ContainerCID}
}

func (k containerKey) compare(o containerKey) int {
	return cmp.Or(cmp.Compare(k.keyEpoch, o.keyEpoch), cmp.Compare(k.cid, o.cid))
}

// container is a sealed model's that this member keeps or is to keep.
type container struct {
	here  bool // and held against what the ledger has of it
	wrong bool // it is here, and is another than the ledger tells of
}

// Holds tells the machine which containers are pinned from an earlier run. here says that
// the whole container is there and was checked.
func (m *Machine) Holds(keyEpoch uint64, cid string, here bool) {
	m.containers[containerKey{keyEpoch, cid}] = &container{here: here}
}

// keepModels asks for the containers that members hold together, tells the ledger that a
// proposed one is here, and lets go of those that nobody needs any more: whoever has kept
// a key of theirs will not find them. A container that we have made and the ledger has
// not taken yet is of a key epoch that is still to come; one that members vote on is with
// whoever sealed it alone.
func (m *Machine) keepModels(l curation.View) {
	needed := map[containerKey]bool{}
	for _, model := range l.Keep() {
		key := containerOf(model)
		needed[key] = true
		c := m.containers[key]
		if c == nil {
			c = &container{}
			m.containers[key] = c
		}
		if !c.here && !c.wrong && m.again(fmt.Sprintf("container/%d/%s", key.keyEpoch, key.cid), l.Height()) {
			sealer, _ := l.Member(model.Sealer)
			m.do(KeepModel{Model: model, Sealer: sealer.Account})
		}
	}
	m.stored(l)
	next := l.NextKeyEpoch()
	for _, key := range slices.SortedFunc(maps.Keys(m.containers), containerKey.compare) {
		model, _ := l.ModelAt(key.keyEpoch)
		voted := model.Standing == curation.ModelNominated && containerOf(model) == key
		if key.keyEpoch < next && !needed[key] && !voted {
			delete(m.containers, key)
			m.do(LetGoModel{KeyEpoch: key.keyEpoch, CID: key.cid})
		}
	}
}

// hasArtist says whether the containers are here that members hold together, but for one
// that is only proposed: whoever made that may keep it from us.
func (m *Machine) hasArtist(l curation.View) bool {
	return !slices.ContainsFunc(l.Keep(), func(model curation.Model) bool {
		c := m.containers[containerOf(model)]
		return model.Standing != curation.ModelProposed && (c == nil || !c.here)
	})
}

// spare lets go of a container that was let go of already while something fetched or read
// it, which has pinned it again.
func (m *Machine) spare(l curation.View, key containerKey) {
	needed := slices.ContainsFunc(l.Keep(), func(model curation.Model) bool { return containerOf(model) == key })
	if m.containers[key] == nil && !needed {
		m.do(LetGoModel{KeyEpoch: key.keyEpoch, CID: key.cid})
	}
}

// stored tells the ledger that we have the proposed container.
func (m *Machine) stored(l curation.View) {
	p, ok := l.Proposed()
	if !ok || m.now == nil || slices.Contains(p.Stored, m.me.Index) {
		return
	}
	if c := m.containers[containerOf(p)]; c != nil && c.here {
		m.submit(l.Height(), fmt.Sprintf("stored/%d", p.KeyEpoch), curation.Stored{KeyEpoch: p.KeyEpoch})
	}
}

// modelKept takes the outcome of a KeepModel.
func (m *Machine) modelKept(l curation.View, e ModelKept) {
	c := m.containers[containerKey{e.KeyEpoch, e.CID}]
	if c == nil {
		m.spare(l, containerKey{e.KeyEpoch, e.CID})
		return
	}
	if c.here, c.wrong = e.Err == nil, e.Err != nil; c.here {
		m.stored(l)
		return
	}
	m.do(Note{Text: "a container is not what the ledger tells of", Err: e.Err})
	if model, ok := l.ModelAt(e.KeyEpoch); ok {
		m.do(Misbehaved{Member: model.Sealer, What: "brought a container that is not what it recorded"})
	}
}

// rotate makes the next key epoch when it is our turn: a layer around the current
// container, which takes no knowledge at all. Sealing from scratch takes the plain model,
// which is there only while a picture is drawn: see combine.
func (m *Machine) rotate(l curation.View) {
	s, fresh, ok := m.sealing(l)
	if m.proposal != nil && (!ok || m.proposal.KeyEpoch != s.KeyEpoch || m.proposal.Base != s.Base) {
		m.proposal = nil // the ledger has gone on, with it or without
	}
	switch {
	case !ok:
	case m.proposal != nil:
		m.submit(l.Height(), fmt.Sprintf("rotate/%d", s.KeyEpoch), *m.proposal)
	case !fresh && m.wrapping == nil && m.again(fmt.Sprintf("wrap/%d", s.KeyEpoch), l.Height()):
		base, _ := l.ModelAt(s.Base)
		sealer, _ := l.Member(base.Sealer)
		m.wrapping = &base
		m.do(Wrap{Sealing: s, Container: base, Sealer: sealer.Account})
	}
}

// sealing is the key epoch that we may make now; fresh says that it is to be sealed from
// scratch.
func (m *Machine) sealing(l curation.View) (s Sealing, fresh, ok bool) {
	r, due := l.Rotation()
	c, active := l.Committee()
	if !due || !active || m.now == nil || !r.MayRotate(l.Params(), l.SeatsAt(c.Epoch()), m.me.Index, l.Height()+1) {
		return s, false, false
	}
	base, ok := l.ModelAt(r.Base)
	if !ok {
		return s, false, false
	}
	s = Sealing{KeyEpoch: l.NextKeyEpoch(), X: c.X()}
	if r.Fresh {
		s.Label = curation.ModelLabel(m.chain, base.ID, s.KeyEpoch, base.PolicyHash, s.X)
		return s, true, true
	}
	s.Base = base.KeyEpoch
	s.Label = curation.LayerLabel(m.chain, base.ID, s.KeyEpoch, base.PolicyHash, s.X, base.Label, base.U)
	return s, false, true
}

// wrapped takes the outcome of a Wrap.
func (m *Machine) wrapped(l curation.View, e Wrapped) {
	if base := m.wrapping; base != nil {
		m.wrapping = nil
		m.spare(l, containerOf(*base))
	}
	if e.Err != nil {
		m.do(Note{Text: "cannot put a layer around the artist", Err: e.Err})
		return
	}
	m.proposes(l, e.Rotate)
}

// proposes takes a container of our own making, which is pinned.
func (m *Machine) proposes(l curation.View, r curation.Rotate) {
	m.Holds(r.KeyEpoch, r.ContainerCID, true)
	m.proposal = &r
	m.rotate(l)
}

// rotated is the id of the artist whose key epoch ends.
func (m *Machine) rotated(l curation.View) curation.Hash {
	r, _ := l.Rotation()
	base, _ := l.ModelAt(r.Base)
	return base.ID
}
