package curation

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// Recovery is the guardians' vote to deal the key to the members anew. With as many
// votes as guardians act for all it is pending, and members may object, until as many
// guardians have committed to what they deal; from Due on the members' next handover has
// the guardians as its dealers. It ends when that has gone well, when as many members
// object as open the artist, when the members hand over by themselves, which shows that
// they hold the key, or when the votes lapse. It also ends when fewer guardians deal than
// it takes: who votes and stays away does not keep the members from handing over.
type Recovery struct {
	_          struct{} `cbor:",toarray"`
	Votes      []uint32 // guardians, in the order of their votes
	Opened     uint64   // height
	Until      uint64   // last height for votes
	Due        uint64   // height from which on the members take the key from the guardians; 0 before enough votes
	Objections []uint32 // members
}

// Will is the guardians' publication of the opening key.
type Will struct {
	_         struct{} `cbor:",toarray"`
	Guardians []uint32 // that have published their share, in order
	Shares    []Hash   // theirs: scalars of ristretto255
	Secret    Hash     // x with X = xG, once there were enough
	Height    uint64   // of that; 0 before
}

// shareReport takes a member's word that it has lost its share of the committee in
// force, or its proof that it has found it.
func (x *execution) shareReport(signer Address, p ShareReport) error {
	m, err := x.voter(signer)
	if err != nil {
		return err
	}
	c := must2(committeeInForce(x.st))
	at := slices.Index(c.Lost, m.Index)
	switch {
	case p.Epoch != c.Epoch:
		return refuse(CodeWrongPhase, "tells of a share of epoch %d, the committee in force is of epoch %d", p.Epoch, c.Epoch)
	case len(p.Proof) == 0 && at >= 0:
		return refuse(CodeDuplicate, "member %d has said already that its share is lost", m.Index)
	case len(p.Proof) != 0 && at < 0:
		return refuse(CodeDuplicate, "the share of member %d is not reported as lost", m.Index)
	}
	kind := EventShareLost
	if len(p.Proof) == 0 {
		log, kept := x.machine.transcripts.read(x.st, keyLog(c.Epoch))
		if !kept || !log.Spoke(c.Seats.Of(m.Index), dkg.KindAck) {
			return refuse(CodeWrongPhase, "member %d has not proved its share: there is none to report", m.Index)
		}
		c.Lost = append(c.Lost, m.Index)
		slices.Sort(c.Lost)
	} else {
		q := ShareQuestion(x.machine.chain, m.Account, c.Epoch)
		if err := quorum.VerifyHeartbeat(x.committee, c.Seats.Of(m.Index), q, shamir.Proof(p.Proof)); err != nil {
			return refuse(CodeProof, "share of member %d: %v", m.Index, err)
		}
		kind, c.Lost = EventShareFound, slices.Delete(c.Lost, at, at+1)
	}
	save(x.st, keyCommitteeRecord(c.Epoch), c)
	x.emit(kind, m.Index, c.Epoch, c.Held(), c.Threshold)
	return nil
}

// ShareQuestion is what a member proves its share to when it has found it again: a
// heartbeat that it asks of itself.
func ShareQuestion(chain Hash, account Address, epoch uint64) quorum.Question {
	return quorum.Question{Chain: chain, Asker: account, Nonce: hash("share found", number(epoch))}
}

// mayDraw refuses requests for pictures that nobody could draw.
func (x *execution) mayDraw() error {
	if err := x.mayOrder(); err != nil {
		return err
	}
	if c := must2(committeeInForce(x.st)); c.Held() < c.Threshold {
		return refuse(CodeWrongPhase, "%s of the %d that draw a picture are left: the members say that the others are lost", plural(c.Held(), "share"), c.Threshold)
	}
	return nil
}

// mayOrder refuses what relies on a key that is public.
func (x *execution) mayOrder() error {
	if w, ok := load[Will](x.st, keyWill); ok && w.Height != 0 {
		return refuse(CodeWrongPhase, "the guardians have published the key at height %d: the artist is public, and nothing can be sealed any more", w.Height)
	}
	return nil
}

// recover takes a guardian's vote to deal the key to the members anew.
func (x *execution) recover(signer Address) error {
	g, _, s, err := x.holder(signer, GuardianPolicy)
	if err != nil {
		return err
	}
	r, open := load[Recovery](x.st, keyRecovery)
	again := count(x.st, keyRecoveryAgain)
	switch {
	case !open && x.height < again:
		return refuse(CodeWrongPhase, "the last recovery came to nothing, by the members' objections or for want of guardians: the next vote may begin at height %d", again)
	case r.Due != 0:
		return refuse(CodeDuplicate, "the guardians have voted for it already: it is due at height %d", r.Due)
	case slices.Contains(r.Votes, g):
		return refuse(CodeDuplicate, "guardian %d has voted for this already", g)
	case !open:
		r.Opened, r.Until = x.height, x.height+x.succession().AnswerBlocks-1
	}
	r.Votes = append(r.Votes, g)
	x.emit(EventRecoveryVote, g, len(r.Votes), s.Threshold, r.Until)
	if len(r.Votes) >= s.Threshold {
		r.Due = x.height + x.succession().DelayBlocks
		x.emit(EventRecoveryPending, r.Votes, r.Due)
	}
	save(x.st, keyRecovery, r)
	return nil
}

// object takes a member's word against a recovery.
func (x *execution) object(signer Address) error {
	m, err := x.voter(signer)
	if err != nil {
		return err
	}
	r, open := load[Recovery](x.st, keyRecovery)
	switch {
	case !open:
		return refuse(CodeWrongPhase, "no recovery is voted on or pending: there is nothing to object to")
	case x.guardiansDeal():
		return refuse(CodeWrongPhase, "the guardians deal already: the time for objections is over")
	case slices.Contains(r.Objections, m.Index):
		return refuse(CodeDuplicate, "member %d has objected already", m.Index)
	}
	r.Objections = append(r.Objections, m.Index)
	objections := 0
	for _, v := range x.members() {
		if v.Seated() && slices.Contains(r.Objections, v.Index) {
			objections++
		}
	}
	x.emit(EventRecoveryObjection, m.Index, objections, x.committee.T())
	if objections < x.committee.T() {
		save(x.st, keyRecovery, r)
		return nil
	}
	x.st.Delete(keyRecovery) // and with it the ceremony, at the end of the block: see ceremonyBlock
	save(x.st, keyRecoveryAgain, x.height+x.succession().DelayBlocks)
	x.emit(EventRecoveryEnded, "the members objected", x.committee.Epoch())
	return nil
}

// guardiansDeal says whether a recovery is under way and as many guardians have committed
// to what they deal as it takes.
func (x *execution) guardiansDeal() bool {
	if len(must2(load[ceremonyState](x.st, keyCeremony)).Guardians) == 0 || x.log.Phase() == dkg.PhaseActive {
		return false
	}
	committed := 0
	for dealer := range x.log.Dealers() {
		if x.log.Spoke(uint32(dealer+1), dkg.KindCommit) {
			committed++
		}
	}
	return committed >= x.log.Params().Previous.T()
}

// withdrawn says whether the members have objected to the recovery that is under way.
func (x *execution) withdrawn(ceremony ceremonyState) bool {
	_, open := x.block.Get(keyRecovery)
	return len(ceremony.Guardians) > 0 && !open
}

// giveUpRecovery ends a recovery in which too few guardians dealt. It has held up the
// members' handovers for as long as guardians have for an answer; before the next vote
// they have as long for themselves.
func (x *execution) giveUpRecovery() {
	x.block.Delete(keyRecovery)
	save(x.block, keyRecoveryAgain, x.height+x.succession().AnswerBlocks)
	x.emit(EventRecoveryEnded, "too few guardians dealt", x.committee.Epoch())
}

// lapseRecovery ends a vote that has not come together in time.
func (x *execution) lapseRecovery() {
	if r, ok := load[Recovery](x.block, keyRecovery); ok && r.Due == 0 && x.height >= r.Until {
		x.block.Delete(keyRecovery)
		x.emit(EventRecoveryEnded, "too few guardians voted", x.committee.Epoch())
	}
}

// recoverers makes a handover that opens a recovery, if one is due, and returns the
// guardians who deal in it.
func (x *execution) recoverers(p *dkg.Params) Seats {
	if !recoveryDue(x.block, x.height) {
		return nil
	}
	s := guardians(x.block)
	log, kept := x.machine.transcripts.read(x.block, keyGuardianLog(s.InForce))
	if !kept {
		return nil
	}
	committee, err := log.Committee()
	if err != nil {
		return nil
	}
	p.Previous = committee
	p.Deadlines.Commit, p.Deadlines.Bundle = uint32(x.succession().AnswerBlocks), uint32(x.succession().AnswerBlocks)
	return must2(load[Sharing](x.block, keySharing(s.InForce))).Seats
}

// recoveryDue says whether a handover that opens at a height is a recovery.
func recoveryDue(r state.Reader, height uint64) bool {
	v, ok := load[Recovery](r, keyRecovery)
	return ok && v.Due != 0 && height >= v.Due
}

// endRecovery closes the vote once a handover has put a committee into force.
func (x *execution) endRecovery(ceremony ceremonyState) {
	if _, open := x.block.Get(keyRecovery); !open {
		return
	}
	reason := "the members handed over by themselves"
	if len(ceremony.Guardians) > 0 {
		reason = "recovered"
	}
	x.block.Delete(keyRecovery)
	x.emit(EventRecoveryEnded, reason, ceremony.Epoch)
}

// live records a sign of life: a certificate, or a committee that came into force.
// Only a will asks for it.
func (x *execution) live() {
	if x.succession().Policy == WillPolicy {
		save(x.st, keyLife, x.height)
	}
}

// publishShare takes a guardian's share of the opening key.
func (x *execution) publishShare(signer Address, p Publish) error {
	g, seat, sharing, err := x.holder(signer, WillPolicy)
	if err != nil {
		return err
	}
	w, _ := load[Will](x.st, keyWill)
	silent := count(x.st, keyLife) + x.succession().SilentBlocks
	switch {
	case w.Height != 0:
		return refuse(CodeDuplicate, "the key is public since height %d", w.Height)
	case x.height <= silent:
		return refuse(CodeWrongPhase, "the network last gave a sign of life at height %d: shares may be published after height %d", count(x.st, keyLife), silent)
	case slices.Contains(w.Guardians, g):
		return refuse(CodeDuplicate, "guardian %d has published its share already", g)
	}
	log, kept := x.machine.transcripts.read(x.st, keyGuardianLog(sharing.Number))
	if !kept {
		return refuse(CodeUnknown, "the ledger does not hold the transcript of sharing %d", sharing.Number)
	}
	c, err := log.Committee()
	if err != nil {
		return refuse(CodeWrongPhase, "sharing %d: %v", sharing.Number, err)
	}
	if err := seal.VerifyPublished(c, seat, p.Share); err != nil {
		return refuse(CodeProof, "this is not the share of guardian %d: %v", g, err)
	}
	w.Guardians, w.Shares = append(w.Guardians, g), append(w.Shares, p.Share)
	x.emit(EventWillShare, g, len(w.Guardians), sharing.Threshold)
	if len(w.Guardians) >= sharing.Threshold {
		var indices []uint32
		var shares [][32]byte
		for i, number := range w.Guardians {
			indices, shares = append(indices, sharing.Seats.Of(number)), append(shares, w.Shares[i])
		}
		if w.Secret, err = seal.CombinePublished(c, indices, shares); err != nil {
			return refuse(CodeProof, "%v", err)
		}
		w.Height = x.height
		x.emit(EventWillPublished, w.Secret, w.Guardians)
	}
	save(x.st, keyWill, w)
	return nil
}

// guardiansAgree: what is kept for the guardians is what the policy asks for, and their
// sharing is one of the network's keys.
func (m *Machine) guardiansAgree(r state.Reader) error {
	rules, s := m.genesis.Succession, guardians(r)
	kept := 0
	for _, k := range [][]byte{keyGuardians, keyRecovery, keyLife, keyWill} {
		if _, ok := r.Get(k); ok {
			kept++
		}
	}
	sharings := records[Sharing](r, []byte(sharingTable))
	_, life := r.Get(keyLife)
	_, will := r.Get(keyWill)
	recovery, voted := load[Recovery](r, keyRecovery)
	ceremony := must2(load[ceremonyState](r, keyCeremony))
	switch {
	case rules.Policy == "" && kept+len(sharings) > 0:
		return fmt.Errorf("a mortal network keeps %d records for guardians", kept+len(sharings))
	case rules.Policy != WillPolicy && (life || will), rules.Policy != GuardianPolicy && voted:
		return fmt.Errorf("policy %s: life %v, will %v, recovery %v", rules.Policy, life, will, voted)
	case !voted && len(ceremony.Guardians) > 0 && ceremony.Epoch > m.committee.Epoch():
		return fmt.Errorf("guardians %v deal without a recovery", ceremony.Guardians)
	case voted && (recovery.Due != 0) != (len(recovery.Votes) >= rules.Threshold):
		return fmt.Errorf("recovery with votes %v is due at %d", recovery.Votes, recovery.Due)
	}
	for _, sharing := range sharings {
		log, ok := m.transcripts.read(r, keyGuardianLog(sharing.Number))
		underway := s.Running && sharing.Number == s.Sharings
		if !ok || !underway && sharing.Number != s.InForce || log.N() != len(sharing.Seats) || (sharing.Height != 0) != (log.Phase() == dkg.PhaseActive) {
			return fmt.Errorf("sharing %d of %+v: transcript %v", sharing.Number, s, ok)
		}
		if sharing.Height == 0 {
			continue
		}
		c, err := log.Committee()
		if err != nil {
			return err
		}
		if c.X() != m.committee.X() || c.Y() != m.committee.Y() || c.T() != rules.Threshold || sharing.Proven != log.Acknowledged() {
			return fmt.Errorf("sharing %d is not of the network's keys, or its record says %d proven of %d", sharing.Number, sharing.Proven, log.Acknowledged())
		}
	}
	if w, ok := load[Will](r, keyWill); ok && w.Height != 0 {
		x, err := shamir.DecodeScalar(shamir.Ristretto255, w.Secret[:])
		have := m.committee.X()
		if err != nil || !bytes.Equal(shamir.Encode(shamir.Ristretto255.Point().Mul(x, nil)), have[:]) {
			return fmt.Errorf("the published key is not the network's: %v", err)
		}
	}
	for _, c := range records[Committee](r, []byte("ceremony/committee/")) {
		if !slices.IsSorted(c.Lost) || c.Held() < 0 {
			return fmt.Errorf("committee %d: lost %v of %d proven", c.Epoch, c.Lost, c.Proven)
		}
	}
	return nil
}
