package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

// Every release hands out a file key that its reader may keep, so keys change: a key
// epoch ends when it is KeyEpochBlocks old and something was released under it. Then a
// member that is drawn wraps the container once more, under a fresh key that it seals to
// the committee and forgets. It learns nothing, needs nobody, and after it the keys of
// before open nothing that members still keep. Only who has an old key and what one of
// the later rotators knew can open the container of today, so the draw puts those last
// who have opened the artist in the key epoch that ends.
//
// A key epoch takes effect in two steps, as a handover does. It is proposed, and becomes
// current when as many members tell that they have its container as must acknowledge a
// committee; it is discarded when too few do. Then it is on trial, because nobody but a
// reader can tell whether it opens: requests are of it, and members keep what it took
// the place of until n−t+1 different members have made or audited an attested artwork
// with it, or trained on it, which is one more than may lie. If meanwhile a request is
// approved in time for its readers and none of them makes the picture, or the member that
// made the key epoch makes it and nobody else can audit it, the key epoch is discarded and
// the one before is current again. So it is when twice as many approved requests have
// ended as it takes openers and it is still not proven, however they ended: somebody may
// help the rotator, and register what is no picture. The member that made it is named and
// not drawn again in this rotation, and loses nothing: an outage looks the same. A picture
// of any other member that nobody audits tells nothing alone, or that member could end
// every trial with a folder that is not to be had.
//
// Each layer is one more key to release and to open, so there are MaxLayers at most. Then
// somebody who has opened the artist, and so learns nothing new, seals it from scratch;
// readers find out whether it is the same, whose hash the ledger has. A new artist, or
// one that was trained on, is a motion of the members; from then on it lives through the
// same steps.
//
// Sources: Boneh, Eskandarian, Kim, Shih, eprint 2020/222, for nested
// encryption. A layer here is an age file around an age file and not a stream cipher
// alone: authenticated, one format, and still readable in any place.

// rotate takes the next key epoch from the member whose turn it is.
func (x *execution) rotate(signer Address, p Rotate) error {
	member, err := x.voter(signer)
	if err != nil {
		return err
	}
	r, due := load[Rotation](x.st, keyRotation)
	proposed, ok := proposedModel(x.st)
	switch {
	case ok:
		return refuse(CodeDuplicate, "key epoch %d is proposed already: wait until members have stored it", proposed.KeyEpoch)
	case due && r.KeyEpoch != 0:
		return refuse(CodeDuplicate, "key epoch %d is on trial already: wait until it is proven", r.KeyEpoch)
	case !due:
		return x.notDue()
	}
	base := must2(load[Model](x.st, keyModel(r.Base)))
	seats := seatsOf(x.st, x.committee.Epoch())
	switch want := r.wants(); {
	case p.Base != want && r.Fresh:
		return refuse(CodeWrongPhase, "key epoch %d has %d layers, the most there may be: it is to be sealed from scratch", base.KeyEpoch, base.Layers)
	case p.Base != want:
		return refuse(CodeWrongPhase, "what is asked for is a layer around key epoch %d: wrap that", want)
	case !slices.Contains(r.Turns(seats), member.Index):
		return refuse(CodeNotMember, "member %d is not among those who may end key epoch %d", member.Index, base.KeyEpoch)
	case !r.MayRotate(*x.params(), seats, member.Index, x.height):
		return refuse(CodeWrongPhase, "it is not yet member %d's turn to end key epoch %d", member.Index, base.KeyEpoch)
	}
	m := Model{
		ID: base.ID, KeyEpoch: p.KeyEpoch, Name: base.Name, PlainHash: base.PlainHash, PolicyHash: base.PolicyHash,
		ContainerHash: p.ContainerHash, ContainerCID: p.ContainerCID, ContainerSize: p.ContainerSize, Ciphertext: p.Ciphertext,
		Sealer: member.Index, Base: p.Base, Layers: 1,
	}
	around := &base
	if r.Fresh {
		around = nil
	} else {
		m.Layers += base.Layers
	}
	if m, err = x.checked(m, around); err != nil {
		return err
	}
	r.KeyEpoch = m.KeyEpoch
	save(x.st, keyRotation, r)
	m = x.propose(m)
	x.emit(EventModelRotated, m.KeyEpoch, m.Base, m.Layers, m.ContainerCID, m.Sealer, m.Until)
	x.store(m, m.Sealer)
	return nil
}

// notDue says why nobody may rotate.
func (x *execution) notDue() error {
	m, ok := currentModel(x.st)
	switch blocks := x.params().KeyEpochBlocks; {
	case !ok:
		return refuse(CodeWrongPhase, "no model is sealed yet: a member has to seal one first")
	case blocks == 0:
		return refuse(CodeWrongPhase, "key epochs of this network last forever")
	case m.Standing == ModelTrial:
		return refuse(CodeWrongPhase, "key epoch %d is on trial: it may end once it is proven", m.KeyEpoch)
	case m.Approved == 0:
		return refuse(CodeWrongPhase, "no request has been approved under key epoch %d yet: there is nothing to end it for", m.KeyEpoch)
	default:
		return refuse(CodeWrongPhase, "key epoch %d lasts until height %d: wait for that", m.KeyEpoch, m.Since+blocks)
	}
}

// wants is the base that the rotation asks for.
func (r Rotation) wants() uint64 {
	if r.Fresh {
		return 0
	}
	return r.Base
}

// propose has members store a model's container.
func (x *execution) propose(m Model) Model {
	m.Standing, m.Until = ModelProposed, x.height+x.params().RequestBlocks-1
	x.st.Set(indexContainer(m.ContainerCID), present)
	save(x.st, keyProposed, m.KeyEpoch)
	save(x.st, keyModel(m.KeyEpoch), m)
	return m
}

// stored takes a member's word that it has the proposed container.
func (x *execution) stored(signer Address, p Stored) error {
	member, err := x.voter(signer)
	if err != nil {
		return err
	}
	m, ok := load[Model](x.st, keyModel(p.KeyEpoch))
	switch {
	case !ok:
		return refuse(CodeUnknown, "there is no key epoch %d", p.KeyEpoch)
	case m.Standing == ModelNominated:
		return refuse(CodeWrongPhase, "key epoch %d is not adopted yet", p.KeyEpoch)
	case m.Standing != ModelProposed:
		return refuse(CodeDuplicate, "key epoch %d is %s already", p.KeyEpoch, m.Standing)
	case slices.Contains(m.Stored, member.Index):
		return refuse(CodeDuplicate, "member %d has told already that it has the container of key epoch %d", member.Index, p.KeyEpoch)
	}
	m.Stored = append(m.Stored, member.Index)
	save(x.st, keyModel(m.KeyEpoch), m)
	x.store(m, member.Index)
	return nil
}

// store tells that one more member has a proposed container.
func (x *execution) store(m Model, member uint32) {
	have, need := copies(m, seatsOf(x.st, x.committee.Epoch())), copiesNeeded(x.committee)
	x.emit(EventModelStored, m.KeyEpoch, member, have, need)
	x.settleProposed(m)
}

// settleProposed makes a proposed model current when enough members have its container,
// of those who have a seat now: a handover can change how many these are.
func (x *execution) settleProposed(m Model) {
	if copies(m, seatsOf(x.st, x.committee.Epoch())) >= copiesNeeded(x.committee) {
		x.st.Delete(keyProposed)
		x.promote(m)
	}
}

// copies is how many members with a seat have a model's container.
func copies(m Model, seats Seats) (n int) {
	for _, s := range m.Stored {
		if seats.Of(s) != 0 {
			n++
		}
	}
	return n
}

// copiesNeeded is how many of the committee's members must have a container before it is
// current: as many as must prove their shares before a committee is.
func copiesNeeded(c *shamir.Committee) int { return dkg.MinAcknowledgements(c.N(), c.T()) }

// promote makes a model current, on trial. One that is on trial itself has not been shown
// to open and is nothing to fall back on: what it took the place of is.
func (x *execution) promote(m Model) {
	now, ok := currentModel(x.st)
	save(x.st, keyKeyEpoch, m.KeyEpoch)
	if ok && now.Standing == ModelTrial {
		m.Before = now.Before
		x.discard(now, "another one took its place before it was proven")
	} else if ok {
		m.Before = now.KeyEpoch
	}
	if r, due := load[Rotation](x.st, keyRotation); due && r.KeyEpoch != m.KeyEpoch { // of an artist that goes
		x.st.Delete(keyRotation)
	}
	m.Standing, m.Since, m.Until = ModelTrial, x.height, 0
	save(x.st, keyModel(m.KeyEpoch), m)
	x.emit(EventModelCurrent, m.KeyEpoch, m.ID, m.Layers, m.Before)
}

// discard ends a model that came to nothing. What requests were made under stays known.
func (x *execution) discard(m Model, reason string) {
	switch m.Standing {
	case ModelNominated:
		m.Ciphertext = nil
	case ModelProposed:
		m.Ciphertext = nil
		x.st.Delete(keyProposed)
		x.st.Delete(indexContainer(m.ContainerCID))
	case ModelTrial: // its CID stays taken: members may still have the container
		if count(x.st, keyKeyEpoch) == m.KeyEpoch {
			save(x.st, keyKeyEpoch, m.Before)
		}
	}
	m.Standing, m.Until, m.Ended, m.Reason = ModelDiscarded, 0, x.height, reason
	save(x.st, keyModel(m.KeyEpoch), m)
	x.emit(EventModelDiscarded, m.KeyEpoch, m.Sealer, reason, count(x.st, keyKeyEpoch))
	if r, due := load[Rotation](x.st, keyRotation); due && r.KeyEpoch == m.KeyEpoch { // the turns start over
		r.KeyEpoch, r.Since = 0, x.height
		save(x.st, keyRotation, r)
	}
}

// blame discards what a rotator made, and passes it over from now on.
func (x *execution) blame(m Model, reason string) {
	if r, due := load[Rotation](x.st, keyRotation); due && r.KeyEpoch == m.KeyEpoch {
		r.Skip = append(r.Skip, m.Sealer)
		save(x.st, keyRotation, r)
	}
	x.discard(m, reason)
}

// approvedUnder counts what was approved to its key epoch.
func (x *execution) approvedUnder(o Opening) {
	m := must2(load[Model](x.st, keyModel(o.KeyEpoch)))
	m.Approved, m.Seed = m.Approved+1, o.Seed
	save(x.st, keyModel(m.KeyEpoch), m)
}

// openedBy notes who has opened the model of a key epoch, and ends its trial when that is
// enough.
func (x *execution) openedBy(keyEpoch uint64, members ...uint32) {
	m := must2(load[Model](x.st, keyModel(keyEpoch)))
	for _, member := range members {
		if member != 0 {
			m.Openers = slices.Insert(slices.DeleteFunc(m.Openers, func(o uint32) bool { return o == member }), 0, member)
		}
	}
	seats, openers := seatsOf(x.st, x.committee.Epoch()), 0
	for _, o := range m.Openers {
		if seats.Of(o) != 0 {
			openers++
		}
	}
	if m.Standing == ModelTrial && openers >= openersNeeded(x.committee) {
		m.Standing = ModelProven
		if before, ok := load[Model](x.st, keyModel(m.Before)); ok {
			before.Standing, before.Ended = ModelRetired, x.height
			save(x.st, keyModel(before.KeyEpoch), before)
		}
		x.st.Delete(keyRotation)
		x.emit(EventModelProven, m.KeyEpoch, m.Openers)
	}
	save(x.st, keyModel(m.KeyEpoch), m)
}

// openersNeeded is how many of the committee's members must have opened a model before it
// is proven: one more than may lie.
func openersNeeded(c *shamir.Committee) int { return c.N() - c.T() + 1 }

// triesAllowed is how many approved requests may end under a model on trial. Each that
// honest members serve brings two openers of a fresh draw, so that half of these prove it
// even when they draw the same member twice.
func triesAllowed(c *shamir.Committee) int { return 2 * openersNeeded(c) }

// tried counts an approved request that ended to the trial of its model, and ends the
// trial if it shows, or so many have shown, that the model does not open. expired is the
// status in which the request expired, empty if it was audited. Approved: none of its
// readers could open the model, or all were away. Registered, by who made the model: none
// of the others could. A request that was approved when half of its life was over tells
// nothing alone, since whoever holds back a certificate decides when it is brought.
func (x *execution) tried(a Artwork, expired Status) {
	m := must2(load[Model](x.st, keyModel(a.KeyEpoch)))
	if m.Standing != ModelTrial {
		return
	}
	m.Tried++
	save(x.st, keyModel(m.KeyEpoch), m)
	inTime := 2*(a.Approved-a.Requested) <= a.Expiry-a.Requested
	switch {
	case m.Before == 0: // there is nothing to give its place back to
	case inTime && expired == StatusApproved:
		x.blame(m, "an approved request expired, because nobody made its picture")
	case inTime && expired == StatusRegistered && a.Generator == m.Sealer:
		x.blame(m, "an approved request expired, because nobody but the member that made the key epoch told that its picture is right")
	case m.Tried >= uint64(triesAllowed(x.committee)):
		x.blame(m, "too many requests ended before it was proven")
	}
}

// rotationBlock settles a proposal, lets one lapse that too few members have stored, and
// begins a rotation that is due.
func (x *execution) rotationBlock() {
	if m, ok := proposedModel(x.block); ok {
		x.settleProposed(m)
	}
	if m, ok := proposedModel(x.block); ok && x.height >= m.Until {
		x.blame(m, "too few members have stored it")
	}
	m, ok := currentModel(x.block)
	r, due := load[Rotation](x.block, keyRotation)
	if _, proposed := proposedModel(x.block); !ok || proposed || r.KeyEpoch != 0 || !due && !x.aged(m) || x.mayOrder() != nil {
		return
	}
	seats := seatsOf(x.block, x.committee.Epoch())
	if due && len(r.Turns(seats)) > 0 {
		return
	}
	// It has just come due, or nobody is left of those who were drawn.
	next := drawRotation(m, seats, x.height)
	if due && len(next.Order) == 0 {
		return
	}
	save(x.block, keyRotation, next)
	x.emit(EventRotationDue, m.KeyEpoch, m.Layers, next.Order)
}

// aged says whether the key epoch of the current model ends.
func (x *execution) aged(m Model) bool {
	blocks := x.params().KeyEpochBlocks
	return m.Standing == ModelProven && m.Approved > 0 && blocks != 0 && x.height >= m.Since+blocks
}

// drawRotation is the rotation that ends the key epoch of a model. For a layer it has the
// Draw of hash("rotation", seed of the last request that was approved under it) over the
// seats, those first who have not opened the model.
func drawRotation(m Model, seats Seats, height uint64) Rotation {
	r := Rotation{Base: m.KeyEpoch, Fresh: m.Layers >= MaxLayers, Since: height}
	opened := slices.DeleteFunc(slices.Clone(m.Openers), func(o uint32) bool { return seats.Of(o) == 0 })
	if r.Fresh {
		r.Order = opened
		return r
	}
	drawn := Draw(hash("rotation", m.Seed[:]), seats)
	unread := slices.DeleteFunc(slices.Clone(drawn), func(d uint32) bool { return slices.Contains(opened, d) })
	r.Order = append(unread, slices.DeleteFunc(drawn, func(d uint32) bool { return !slices.Contains(opened, d) })...)
	return r
}
