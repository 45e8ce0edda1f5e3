package curation

import (
	"bytes"
	"slices"

	"github.com/atelier-dao/atelier/shamir/quorum"
)

func (x *execution) prekeys(signer Address, p Prekeys) error {
	member, err := x.member(signer)
	if err != nil {
		return err
	}
	if !member.counts() {
		return refuse(CodeWrongPhase, "member %d is %s: prekeys are for those with a share and those who get one", member.Index, member.Standing)
	}
	if p.From != member.PrekeyEnd {
		return refuse(CodeDuplicate, "prekeys from number %d on, the next is %d", p.From, member.PrekeyEnd)
	}
	if member.Prekeys()+uint64(len(p.Points)) > x.params().MaxPrekeys {
		return refuse(CodeLimit, "%s would wait, the most is %d: send fewer", plural(member.Prekeys()+uint64(len(p.Points)), "prekey"), x.params().MaxPrekeys)
	}
	for _, r := range p.Points {
		if err := validatePoint(r); err != nil {
			return refuse(CodeMalformed, "prekey %x: %v", r, err)
		}
		x.st.Set(keyPrekey(member.Index, member.PrekeyEnd), bytes.Clone(r[:]))
		member.PrekeyEnd++
	}
	save(x.st, keyMember(member.Index), member)
	x.emit(EventMemberPrekeys, member.Index, len(p.Points), member.Prekeys())
	return nil
}

// takePrekeys moves one prekey of each member of the committee in force that has one
// into a request.
func (x *execution) takePrekeys() (table []ReaderKey) {
	for _, number := range seatsOf(x.st, x.committee.Epoch()) {
		member := must2(load[Member](x.st, keyMember(number)))
		if member.Prekeys() == 0 {
			continue
		}
		k := keyPrekey(member.Index, member.PrekeyNext)
		r := Hash(must2(x.st.Get(k)))
		x.st.Delete(k)
		member.PrekeyNext++
		save(x.st, keyMember(member.Index), member)
		table = append(table, ReaderKey{Member: member.Index, R: r})
	}
	return table
}

func (x *execution) request(signer Address, p Request) error {
	model, err := x.askable(signer, p.ModelID)
	if err != nil {
		return err
	}
	a := Artwork{Requester: signer, Prompt: p.Prompt}
	if p.Prompt == "" {
		prior, _ := priorInForce(x.st)
		a.Prior = prior.ID
	}
	_, err = x.ask(a, model)
	return err
}

// askable returns the current model, and refuses an account that may not ask for anything
// of it now.
func (x *execution) askable(signer Address, id Hash) (Model, error) {
	model, ok := currentModel(x.st)
	if !ok {
		return model, refuse(CodeWrongPhase, "no model is sealed yet: a member has to seal one first")
	}
	if id != model.ID {
		return model, refuse(CodeUnknown, "model %v is not the current one, %v: ask again for that", id, model.ID)
	}
	if err := x.mayDraw(); err != nil {
		return model, err
	}
	if open := uint64(len(names(x.st, key("index/open/", signer[:])))); open >= x.params().OpenRequests {
		return model, refuse(CodeLimit, "the account has %s, the most that one may have: wait until one is made or has expired", plural(open, "open request"))
	}
	return model, nil
}

// ask begins the life of an artwork, of which who asked for what is given.
func (x *execution) ask(a Artwork, model Model) (Artwork, error) {
	a.Deposit = x.params().RequestDeposit
	what := "deposit"
	if a.Edition != nil {
		what = "deposit, price"
	}
	if err := x.lock(a.Requester, a.locked(), what); err != nil {
		return a, err
	}
	// Fewer readers would let those whose keys are left draw each other as generator and
	// auditor.
	opening, err := x.opens("a request", model, x.params().RequestBlocks, x.committee.T())
	if err != nil {
		return a, err
	}
	a.Opening, a.Status = opening, StatusRequested
	x.saveArtwork(a)
	x.st.Set(indexDue(a), present)
	x.st.Set(indexOpen(a.Requester, a.RID), present)
	x.emit(EventArtworkRequested, a.RID, a.Requester, a.Prompt, a.ModelID, a.Expiry, a.Prekeys)
	return a, nil
}

// opens is the opening of a model that the transaction asks for, for so many blocks, with
// a reader key of each member that has one left; what names it in the refusal.
func (x *execution) opens(what string, model Model, blocks uint64, readers int) (Opening, error) {
	table := x.takePrekeys()
	if len(table) < readers {
		return Opening{}, refuse(CodeWrongPhase, "%s takes a reader key of %s, %d have one left: ask again in a few blocks", what, plural(readers, "member"), len(table))
	}
	body := x.tx.BodyHash()
	return Opening{
		RID: RequestID(body, x.height, x.position), BodyHash: body,
		ModelID: model.ID, KeyEpoch: model.KeyEpoch, Label: model.Label, U: model.U, Epoch: x.committee.Epoch(),
		Prekeys: table, Requested: x.height, Position: x.position, Expiry: x.height + blocks,
	}, nil
}

// saveArtwork writes an artwork, and keeps the count and the shelves of each status.
func (x *execution) saveArtwork(a Artwork) {
	k, at := keyArtwork(a.RID), place(a)
	before, known := load[Artwork](x.st, k)
	if known && before.Status != a.Status {
		save(x.st, indexCount(before.Status), count(x.st, indexCount(before.Status))-1)
		x.st.Delete(indexShelf(before.Status, at...))
		x.st.Delete(indexAsked(a.Requester, before.Status, at...))
	}
	if !known || before.Status != a.Status {
		save(x.st, indexCount(a.Status), count(x.st, indexCount(a.Status))+1)
		x.st.Set(indexShelf(a.Status, at...), bytes.Clone(a.RID[:]))
		x.st.Set(indexAsked(a.Requester, a.Status, at...), bytes.Clone(a.RID[:]))
	}
	save(x.st, k, a)
}

// artwork returns a request that waits for the next step with the given status.
// One that is past it has had the step: CodeDuplicate.
func (x *execution) artwork(rid Hash, waits Status) (Artwork, error) {
	a, ok := load[Artwork](x.st, keyArtwork(rid))
	switch {
	case !ok:
		return a, refuse(CodeUnknown, "there is no request %v", rid)
	case a.Status == waits && x.height >= a.Expiry:
		return a, refuse(CodeWrongPhase, "request %v expired at height %d: ask again", rid, a.Expiry)
	case a.Status == waits:
		return a, nil
	case a.Status == StatusExpired && a.Attested == 0:
		return a, refuse(CodeWrongPhase, "request %v has expired: ask again", rid)
	case waits == StatusRequested && a.Approved != 0 || waits == StatusApproved && a.Registered != 0 || waits == StatusRegistered && a.Attested != 0:
		return a, refuse(CodeDuplicate, "artwork %v is %s already", rid, a.Status)
	}
	return a, refuse(CodeWrongPhase, "artwork %v is %s, not yet %s", rid, a.Status, waits)
}

// certify takes the certificate of a request or of a training.
func (x *execution) certify(p Certify) error {
	if n := count(x.st, indexTraining(p.RID)); n != 0 {
		return x.certifyTraining(n, p)
	}
	a, err := x.artwork(p.RID, StatusRequested)
	if err != nil {
		return err
	}
	if err := x.approve(&a.Opening, p); err != nil {
		return err
	}
	a.Status = StatusApproved
	x.saveArtwork(a)
	return nil
}

// approve verifies certificate and seed, and draws the order of the readers.
func (x *execution) approve(o *Opening, p Certify) error {
	committee := x.committeeOf(o.Epoch)
	if _, err := quorum.Verify(committee, StatementFor(x.machine.chain, *o), quorum.Signature(p.Certificate)); err != nil {
		return refuse(CodeProof, "%v", err)
	}
	if err := quorum.VerifySeed(committee, x.machine.chain, o.RID, quorum.Signature(p.SeedSignature)); err != nil {
		return refuse(CodeProof, "seed: %v", err)
	}
	seed, err := quorum.Seed(quorum.Signature(p.SeedSignature), o.RID)
	if err != nil {
		return refuse(CodeProof, "seed: %v", err)
	}
	var readers []uint32
	for _, k := range o.Prekeys {
		readers = append(readers, k.Member)
	}
	o.Approved, o.Seed, o.Order = x.height, seed, Draw(seed, readers)
	o.Certificate, o.SeedSignature = bytes.Clone(p.Certificate[:]), bytes.Clone(p.SeedSignature[:])
	x.approvedUnder(*o)
	x.live()
	x.emit(EventApprovalCertified, o.RID, o.Certificate, o.Seed, o.Order)
	return nil
}

// register takes a rendered artwork from its generator. A CID that another artwork
// has is no reason to refuse: the folder holds the rid, so two honest ones differ,
// and who copies a CID must not shut out the one that it belongs to.
func (x *execution) register(signer Address, p Register) error {
	member, err := x.member(signer)
	if err != nil {
		return err
	}
	a, err := x.artwork(p.RID, StatusApproved)
	if err != nil {
		return err
	}
	if !slices.Contains(a.Order, member.Index) {
		return refuse(CodeNotMember, "member %d is not among the readers of %v", member.Index, a.RID)
	}
	if !a.MayGenerate(*x.params(), member.Index, x.height) {
		return refuse(CodeWrongPhase, "it is not yet member %d's turn to generate %v", member.Index, a.RID)
	}
	if _, model := x.st.Get(indexContainer(p.CID)); model {
		return refuse(CodeMalformed, "CID %s is a sealed model", p.CID)
	}
	if p.CID == "" && a.Edition == nil {
		return refuse(CodeMalformed, "%v is no edition: a new picture is never too large", a.RID)
	}
	a.Status, a.Registered, a.Generator, a.CID, a.PixelRoot = StatusRegistered, x.height, member.Index, p.CID, p.PixelRoot
	if a.CID != "" {
		x.st.Set(indexCID(a.CID, a.RID[:]...), present)
	}
	x.emit(EventArtworkRegistered, a.RID, a.CID, a.PixelRoot, a.Generator)
	if len(a.Auditors()) == 0 { // a network of one member, or one reader
		x.attested(&a, 0, p.PixelRoot)
	}
	x.saveArtwork(a)
	return nil
}

func (x *execution) attest(signer Address, p Attest) error {
	member, err := x.member(signer)
	if err != nil {
		return err
	}
	a, err := x.artwork(p.RID, StatusRegistered)
	if err != nil {
		return err
	}
	if !slices.Contains(a.Auditors(), member.Index) {
		return refuse(CodeNotMember, "member %d may not audit %v", member.Index, a.RID)
	}
	if !a.MayAudit(*x.params(), member.Index, x.height) {
		return refuse(CodeWrongPhase, "it is not yet member %d's turn to audit %v", member.Index, a.RID)
	}
	x.attested(&a, member.Index, p.PixelRoot)
	x.saveArtwork(a)
	return nil
}

// attested ends the life of a request: it becomes a candidate, or an edition that is
// delivered or too large, or is disputed when the auditor rendered other pixels.
func (x *execution) attested(a *Artwork, auditor uint32, root Hash) {
	a.Attested, a.Auditor, a.AuditedRoot = x.height, auditor, root
	x.st.Delete(indexDue(*a))
	x.st.Delete(indexOpen(a.Requester, a.RID))
	if root == a.PixelRoot {
		x.emit(EventArtworkAttested, a.RID, a.CID, a.PixelRoot, a.Auditor)
		switch {
		case a.TooLarge():
			x.tooLarge(a)
		case a.Edition != nil:
			x.delivered(a)
		default:
			a.Status = StatusCandidate
			x.st.Set(indexWait(a.Attested, a.RID), present)
		}
		x.openedBy(a.KeyEpoch, a.Auditor, a.Generator)
		x.tried(*a, "")
		return
	}
	a.Status, a.Ended, a.Reason = StatusDisputed, x.height, "the auditor rendered other pixels"
	x.unlock(a.Requester, a.locked(), a.locked())
	x.failed(*a)
	x.tried(*a, "")
	x.emit(EventArtworkDisputed, a.RID, a.CID, a.PixelRoot, a.AuditedRoot, a.Generator, a.Auditor, a.locked())
}

// expireArtworks ends requests whose deadline this block is.
func (x *execution) expireArtworks() {
	for k := range x.block.Ascend([]byte("index/due/")) {
		due := k[len("index/due/"):]
		if bytes.Compare(due[:8], number(x.height)) > 0 {
			return
		}
		a := must2(load[Artwork](x.block, keyArtwork(Hash(due[12:]))))
		x.st.Delete(k)
		x.st.Delete(indexOpen(a.Requester, a.RID))
		was := a.Status
		a.Status, a.Ended = StatusExpired, x.height
		switch was {
		case StatusRequested:
			a.Reason = "no certificate in time"
		case StatusApproved:
			a.Reason = "nobody generated it in time"
		default:
			a.Reason = "nobody audited it in time"
		}
		x.unlock(a.Requester, a.locked(), a.locked())
		x.failed(a)
		x.saveArtwork(a)
		x.emit(EventArtworkExpired, a.RID, was, a.Reason, a.locked())
		if was != StatusRequested {
			x.tried(a, was)
		}
	}
}
