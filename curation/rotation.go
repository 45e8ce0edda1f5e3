package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/seal"
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
// the place of until n−t+1 different members, of whom one is honest if no more than n−t
// are not, have made or audited an attested artwork with it. If meanwhile a request is
// approved in time for its readers and none of them makes the picture, the key epoch is
// discarded and the one before is current again. The member that made it is named and
// not drawn again in this rotation, and loses nothing: an outage looks the same.
//
// Each layer is one more key to release and to open, so there are MaxLayers at most. Then
// somebody who has opened the artist, and so learns nothing new, seals it from scratch;
// readers find out whether it is the same, whose hash the ledger has. A new artist, or
// one that was trained on, is a motion of the members; from then on it lives through the
// same steps.
//
// Sources: Boneh, Eskandarian, Kim, Shih, eprint 2020/222, section 4, for nested
// encryption. A layer here is an age file around an age file and not a stream cipher
// alone: authenticated, one format, and still readable in any place.

// firstKeyEpoch is the key epoch of the network's first artist.
const firstKeyEpoch = 1

// sealModel takes the network's first artist at once: nothing depends on another one. Its
// hash is for the others to check before they give it anything to do. Later ones are for
// the members to adopt: one member must not be able to put another artist in the place of
// the one that all agreed on.
func (x *execution) sealModel(signer Address, p Seal) error {
	member, err := x.voter(signer)
	if err != nil {
		return err
	}
	if want := PolicyHash(x.machine.genesis.Charter); p.PolicyHash != want {
		return refuse(CodeMalformed, "the seal names policy %v, the charter's is %v", p.PolicyHash, want)
	}
	m := Model{
		ID: ModelID(p.PlainHash), KeyEpoch: p.KeyEpoch, Name: p.Name, PlainHash: p.PlainHash, PolicyHash: p.PolicyHash,
		ContainerHash: p.ContainerHash, ContainerCID: p.ContainerCID, ContainerSize: p.ContainerSize, Ciphertext: p.Ciphertext,
		Sealer: member.Index, Layers: 1,
	}
	if m, err = x.checked(m, nil); err != nil {
		return err
	}
	if m.KeyEpoch != firstKeyEpoch {
		m.Standing = ModelNominated
		save(x.st, keyModel(m.KeyEpoch), m)
		return x.vote(member, x.members(), Motion{ID: adoption(m.KeyEpoch), Adopt: m.KeyEpoch})
	}
	x.emit(EventModelSealed, m.ID, m.Name, m.KeyEpoch, m.ContainerCID, m.PlainHash, m.Sealer)
	x.st.Set(indexContainer(m.ContainerCID), present)
	x.promote(m)
	return nil
}

// checked completes a model that is to be the next key epoch, around base if it is not
// nil, and refuses it if something in it cannot be.
func (x *execution) checked(m Model, base *Model) (Model, error) {
	if err := x.mayOrder(); err != nil {
		return m, err
	}
	if next := count(x.st, keyKeyEpochs) + 1; m.KeyEpoch != next {
		return m, refuse(CodeWrongPhase, "sealed for key epoch %d, the next is %d: seal it again for that", m.KeyEpoch, next)
	}
	if err := x.containerFree(m.ContainerCID); err != nil {
		return m, err
	}
	ct, err := seal.ParseCiphertext(m.Ciphertext)
	if err != nil {
		return m, refuse(CodeMalformed, "%v", err)
	}
	m.Label, m.U = ModelLabel(x.machine.chain, m.ID, m.KeyEpoch, m.PolicyHash, x.committee.X()), ct.U()
	if base != nil {
		m.Label = LayerLabel(x.machine.chain, m.ID, m.KeyEpoch, m.PolicyHash, x.committee.X(), base.Label, base.U)
	}
	if err := ct.Verify(x.committee.X(), m.Label); err != nil {
		return m, refuse(CodeProof, "model key: %v", err)
	}
	m.Epoch, m.Height, m.Stored = x.committee.Epoch(), x.height, []uint32{m.Sealer}
	save(x.st, keyKeyEpochs, m.KeyEpoch)
	return m, nil
}

// containerFree refuses a CID that something else on the ledger has. A model that is only
// nominated has no claim on its CID: anybody could name what another is about to bring.
func (x *execution) containerFree(cid string) error {
	for range x.st.Ascend(indexCID(cid)) {
		return refuse(CodeMalformed, "CID %s is an artwork: seal the model anew", cid)
	}
	if _, taken := x.st.Get(indexContainer(cid)); taken {
		return refuse(CodeDuplicate, "CID %s is a sealed model already: seal the model anew", cid)
	}
	return nil
}

// adoption names the motion to adopt the artist of a key epoch.
func adoption(keyEpoch uint64) Hash { return hash("motion", []byte("adopt"), number(keyEpoch)) }

func (x *execution) adopt(signer Address, p Adopt) error {
	voter, err := x.voter(signer)
	if err != nil {
		return err
	}
	m, ok := load[Model](x.st, keyModel(p.KeyEpoch))
	switch {
	case !ok:
		return refuse(CodeUnknown, "no artist was sealed for key epoch %d", p.KeyEpoch)
	case m.Standing == ModelDiscarded:
		return refuse(CodeWrongPhase, "key epoch %d was discarded, because %s: seal the artist again", m.KeyEpoch, m.Reason)
	case m.Standing != ModelNominated:
		return refuse(CodeDuplicate, "key epoch %d is %s already: there is nothing to vote on", m.KeyEpoch, m.Standing)
	}
	return x.vote(voter, x.members(), Motion{ID: adoption(m.KeyEpoch), Adopt: m.KeyEpoch})
}

// nominated tells about a motion that opens, and notes its end in the model.
func (x *execution) nominated(motion Motion) {
	m := must2(load[Model](x.st, keyModel(motion.Adopt)))
	m.Until = motion.Until
	save(x.st, keyModel(m.KeyEpoch), m)
	x.emit(EventModelNominated, motion.ID, m.ID, m.Name, m.KeyEpoch, m.ContainerCID, m.PlainHash, m.Sealer, m.Until)
}

// adopted proposes the artist that the members voted for, in the place of whatever is
// proposed.
func (x *execution) adopted(motion Motion) error {
	if p, ok := proposedModel(x.st); ok {
		x.discard(p, "the members adopted another one")
	}
	m := must2(load[Model](x.st, keyModel(motion.Adopt)))
	if err := x.containerFree(m.ContainerCID); err != nil {
		return err
	}
	m = x.propose(m)
	x.emit(EventModelAdopted, m.KeyEpoch, m.ID, motion.Votes, m.Until)
	x.store(m, m.Sealer)
	return nil
}

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
	case ModelTrial:
		x.st.Delete(indexContainer(m.ContainerCID))
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

// approvedUnder counts an approved request to its key epoch.
func (x *execution) approvedUnder(a Artwork) {
	m := must2(load[Model](x.st, keyModel(a.KeyEpoch)))
	m.Approved, m.Seed = m.Approved+1, a.Seed
	save(x.st, keyModel(m.KeyEpoch), m)
}

// openedBy notes who has opened the model of an attested artwork, and ends its trial when
// that is enough.
func (x *execution) openedBy(a Artwork) {
	m := must2(load[Model](x.st, keyModel(a.KeyEpoch)))
	for _, member := range []uint32{a.Auditor, a.Generator} {
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
	if m.Standing == ModelTrial && openers > x.committee.N()-x.committee.T() {
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

// unopened ends the trial of a model under which a request was approved and expired: none
// of its readers could open it, or all were away. A request that was approved when half
// of its life was over tells nothing, since whoever holds back a certificate decides when
// it is brought.
func (x *execution) unopened(a Artwork) {
	m := must2(load[Model](x.block, keyModel(a.KeyEpoch)))
	if m.Standing == ModelTrial && m.Before != 0 && 2*(a.Approved-a.Requested) <= a.Expiry-a.Requested {
		x.blame(m, "an approved request expired, because nobody made its picture")
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
	if !ok || x.mayOrder() != nil {
		return
	}
	r, due := load[Rotation](x.block, keyRotation)
	seats := seatsOf(x.block, x.committee.Epoch())
	switch {
	case due && (r.KeyEpoch != 0 || len(r.Turns(seats)) > 0):
		return
	case !due && (m.Standing != ModelProven || m.Approved == 0 || x.params().KeyEpochBlocks == 0 || x.height < m.Since+x.params().KeyEpochBlocks):
		return
	}
	if _, proposed := proposedModel(x.block); proposed {
		return
	}
	// Nobody is left of those who were drawn, or it has just come due.
	next := drawRotation(m, seats, x.height)
	if due && len(next.Order) == 0 {
		return
	}
	save(x.block, keyRotation, next)
	x.emit(EventRotationDue, m.KeyEpoch, m.Layers, next.Order)
}

// drawRotation is the rotation that ends the key epoch of a model.
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
