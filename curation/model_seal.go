package curation

import "github.com/atelier-dao/atelier/shamir/seal"

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
		Sealer: member.Index, Layers: 1, Training: p.Training,
	}
	var t Training
	if p.Training != 0 {
		if t, err = x.maySealTrained(member.Index, p); err != nil {
			return err
		}
	}
	if m, err = x.checked(m, nil); err != nil {
		return err
	}
	if m.KeyEpoch != firstKeyEpoch {
		m.Standing = ModelNominated
		save(x.st, keyModel(m.KeyEpoch), m)
		if p.Training != 0 {
			x.sealedTrained(t, m)
		}
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

// adopt takes a vote for an artist that is nominated.
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
	x.adoptedTrained(m)
	return nil
}
