package curation

import (
	"slices"

	"github.com/atelier-dao/atelier/curation/state"
)

// Who is a member is for the members to say: t of them admit a candidate or have a
// member leave, and everybody may leave. What they decide takes effect with the next
// handover, in one block: the committee that it puts into force has the shares, and
// the same members have the votes in consensus, which CometBFT counts from the block
// after the next one on. The ledger begins that handover as soon as a member asks for
// it, which the machines of the members do by themselves. Votes on the artist are
// counted here too; see model_seal.go for what comes of them.

// MaxMotions is the most motions of one member that may take votes at a time.
const MaxMotions = 4

// Seated says whether the member has a share in the committee in force, and so a vote.
func (m Member) Seated() bool { return m.Power != 0 }

// counts says whether the member has a place in the network or is about to.
func (m Member) counts() bool { return m.Seated() || m.Standing == StandingJoining }

// number of the member with that account, whatever its standing; 0 for anybody else.
func memberNumber(r state.Reader, a Address) uint32 { return uint32(count(r, indexMember(a))) }

// seatsOf are the members of a committee by their seats.
func seatsOf(r state.Reader, epoch uint64) Seats {
	c, _ := load[Committee](r, keyCommitteeRecord(epoch))
	return c.Seats
}

func (x *execution) members() []Member { return records[Member](x.st, []byte("member/")) }

// saveMember writes a member's record; byAccount follows it from the next block on.
func (x *execution) saveMember(m Member) {
	save(x.st, keyMember(m.Index), m)
	x.forgive(m)
	x.regrouped = true
}

// voter returns the signer's record if it has a vote.
func (x *execution) voter(signer Address) (Member, error) {
	m, err := x.member(signer)
	switch {
	case err != nil:
		return m, err
	case x.committee == nil:
		return m, refuse(CodeWrongPhase, "no committee is in force yet: wait for the end of the ceremony")
	case !m.Seated():
		return m, refuse(CodeNotMember, "member %d is %s: only members with a share may do this", m.Index, m.Standing)
	}
	return m, nil
}

func (x *execution) admit(signer Address, p Admit) error {
	voter, err := x.voter(signer)
	if err != nil {
		return err
	}
	a := p.Application
	if err := a.Verify(x.machine.chain); err != nil {
		return refuse(CodeProof, "%v", err)
	}
	if x.guardian(a.Account) != 0 || x.guardian(Address(a.Validator)) != 0 {
		return refuse(CodeMalformed, "a guardian has the key: a guardian stays outside, apply with fresh keys")
	}
	members, known := x.members(), memberNumber(x.st, a.Account)
	if c, convicted := load[Conviction](x.st, keyConviction(known)); convicted {
		return refuse(CodeLimit, "the account was convicted as member %d at height %d, and is not admitted again: apply with fresh keys", known, c.Height)
	}
	places := 0
	for _, m := range members {
		switch {
		case m.Index == known && m.Standing != StandingLeft:
			return refuse(CodeDuplicate, "%s is member %d already", m.Name, m.Index)
		case m.Index != known && (m.Validator == a.Validator || Address(m.Validator) == a.Account || m.Account == Address(a.Validator)):
			return refuse(CodeMalformed, "member %d has the key: apply with fresh keys", m.Index)
		case m.Standing != StandingLeft:
			places++
		}
	}
	if places >= MaxMembers {
		return refuse(CodeLimit, "the network has %d members, the most that it may have", places)
	}
	digest := a.Digest(x.machine.chain)
	if _, used := x.st.Get(indexApplication(digest)); used {
		return refuse(CodeDuplicate, "the application has admitted %s before: who wants to come back applies again", a.Name)
	}
	return x.vote(voter, members, Motion{ID: hash("motion", []byte("admit"), digest[:]), Application: &a})
}

func (x *execution) remove(signer Address, p Remove) error {
	voter, err := x.voter(signer)
	if err != nil {
		return err
	}
	target, ok := load[Member](x.st, keyMember(p.Member))
	if !ok {
		return refuse(CodeUnknown, "there is no member %d", p.Member)
	}
	if err := x.mayGo(target); err != nil {
		return err
	}
	return x.vote(voter, x.members(), Motion{ID: hash("motion", []byte("remove"), number(uint64(p.Member)), number(target.Since)), Remove: p.Member})
}

func (x *execution) leave(signer Address) error {
	m, err := x.member(signer)
	if err != nil {
		return err
	}
	if err := x.mayGo(m); err != nil {
		return err
	}
	x.goes(m, nil)
	return nil
}

// mayGo refuses to let somebody go who does so already, and the last to stay.
func (x *execution) mayGo(m Member) error {
	switch {
	case m.Standing == StandingJoining:
		return nil
	case m.Standing != StandingActive:
		return refuse(CodeDuplicate, "member %d (%s) is %s already", m.Index, m.Name, m.Standing)
	case x.committee == nil:
		return refuse(CodeWrongPhase, "no committee is in force yet: wait for the end of the ceremony")
	}
	for _, other := range x.members() {
		if other.Index != m.Index && other.Standing == StandingActive {
			return nil
		}
	}
	return refuse(CodeLimit, "member %d (%s) is the last one: somebody else must be a member first", m.Index, m.Name)
}

// goes sends a member on its way out, by its own word or by votes.
func (x *execution) goes(m Member, votes []uint32) {
	x.settleMotions(m)
	if !m.Seated() && x.ceremonySeats().Of(m.Index) == 0 { // it has nothing to give back
		m.Standing = StandingLeft
		x.saveMember(m)
		x.emit(EventMemberLeft, m.Index)
		return
	}
	m.Standing = StandingLeaving
	x.saveMember(m)
	x.emit(EventMemberLeaving, m.Index, votes)
}

// ceremonySeats are those of the committee that the current or last ceremony makes.
func (x *execution) ceremonySeats() Seats {
	return must2(load[ceremonyState](x.st, keyCeremony)).Seats
}

// vote adds a vote to a motion, which the first one opens, and carries it out when
// enough of those who have a vote now are for it.
func (x *execution) vote(voter Member, members []Member, m Motion) error {
	known, open := load[Motion](x.st, keyMotion(m.ID))
	if open {
		m = known
	} else {
		if mine := len(slices.DeleteFunc(records[Motion](x.st, []byte("motion/")), func(o Motion) bool { return o.Votes[0] != voter.Index })); mine >= MaxMotions {
			return refuse(CodeLimit, "%s of member %d take votes, the most that may: wait until one is decided", plural(mine, "motion"), voter.Index)
		}
		m.Opened, m.Until = x.height, x.height+x.params().MotionBlocks-1
		x.st.Set(indexMotion(m), present)
		x.opened(m)
	}
	again := slices.Contains(m.Votes, voter.Index)
	if !again {
		m.Votes = append(m.Votes, voter.Index)
	}
	votes, threshold := 0, x.committee.T()
	for _, v := range members {
		if v.Seated() && slices.Contains(m.Votes, v.Index) {
			votes++
		}
	}
	if again && votes < threshold {
		return refuse(CodeDuplicate, "member %d has voted for this already", voter.Index)
	}
	x.emit(EventMotionVote, m.ID, voter.Index, votes, threshold)
	if votes < threshold {
		save(x.st, keyMotion(m.ID), m)
		return nil
	}
	x.settleMotion(m)
	switch {
	case m.Application != nil:
		x.admitted(*m.Application)
	case m.Adopt != 0:
		return x.adopted(m)
	case m.Train != nil:
		return x.openTraining(m)
	default:
		x.goes(must2(load[Member](x.st, keyMember(m.Remove))), m.Votes)
	}
	return nil
}

// opened tells what a new motion is about that its votes do not tell.
func (x *execution) opened(m Motion) {
	switch {
	case m.Application != nil:
		x.emit(EventMemberNominated, m.ID, m.Application.Name, m.Application.Account, m.Until)
	case m.Adopt != 0:
		x.nominated(m)
	case m.Train != nil:
		x.emit(EventTrainingProposed, m.ID, m.Train.Number, m.Train.ModelID, m.Until)
	}
}

// admitted gives a candidate its number, or the one that it had.
func (x *execution) admitted(a Application) {
	m, again := load[Member](x.st, keyMember(memberNumber(x.st, a.Account)))
	if !again {
		m.Index = uint32(count(x.st, keyMembers) + 1)
		save(x.st, keyMembers, uint64(m.Index))
		save(x.st, indexMember(a.Account), uint64(m.Index))
	}
	x.st.Set(indexApplication(a.Digest(x.machine.chain)), present)
	m.Name, m.Account, m.Validator, m.Addresses = a.Name, a.Account, a.Validator, a.Addresses
	m.Standing, m.Since = StandingJoining, x.height
	x.saveMember(m)
	x.settleMotions(m)
	x.emit(EventMemberAdmitted, m.Index, m.Name, m.Account)
}

// settleMotions ends the motions that have nothing left to decide: on who is admitted,
// or on its way out.
func (x *execution) settleMotions(m Member) {
	for _, o := range records[Motion](x.st, []byte("motion/")) {
		if o.Remove == m.Index || o.Application != nil && o.Application.Account == m.Account {
			x.settleMotion(o)
			x.emit(EventMotionSettled, o.ID, len(o.Votes), m.Index)
		}
	}
}

func (x *execution) settleMotion(m Motion) {
	x.st.Delete(keyMotion(m.ID))
	x.st.Delete(indexMotion(m))
}

// lapseMotions ends the motions whose last height this block is.
func (x *execution) lapseMotions() {
	for k := range x.block.Ascend([]byte("index/motion/")) {
		due := k[len("index/motion/"):]
		if be(due[:8]) > x.height {
			return
		}
		m := must2(load[Motion](x.block, keyMotion(Hash(due[8:]))))
		x.block.Delete(k)
		x.block.Delete(keyMotion(m.ID))
		threshold := 0
		if x.committee != nil {
			threshold = x.committee.T()
		}
		x.emit(EventMotionLapsed, m.ID, len(m.Votes), threshold)
		if m.Adopt != 0 {
			x.discard(must2(load[Model](x.block, keyModel(m.Adopt))), "too few members voted for it")
		}
	}
}

// seat puts the members of a new committee into their seats and takes the others
// out, in consensus too. It returns those who have yet to finish what they serve.
func (x *execution) seat(seats Seats, dealKeys [][32]byte, epoch uint64) (draining []uint32) {
	for _, m := range x.members() {
		before := m
		m.Seat = seats.Of(m.Index)
		switch {
		case m.Seat != 0:
			m.Power, m.DealKey = 1, dealKeys[m.Seat-1]
			if m.Standing == StandingJoining { // one that has since asked to leave goes with the next handover
				m.Standing = StandingActive
			}
			if before.Seat != m.Seat {
				x.emit(EventMemberSeated, m.Index, m.Seat, epoch)
			}
		case before.Seat != 0:
			m.Power, m.Standing = 0, StandingDraining
			draining = append(draining, m.Index)
			x.emit(EventMemberUnseated, m.Index, epoch)
		}
		if m.Power != before.Power {
			x.validators = append(x.validators, Validator{PublicKey: m.Validator, Power: m.Power})
		}
		if m.Seat != before.Seat || m.Standing != before.Standing || m.DealKey != before.DealKey {
			x.saveMember(m)
		}
	}
	return draining
}

// voteLag is how many blocks after a change of powers the first block comes that is
// decided by the new ones: CometBFT counts what a block changes from the next but one
// on. Until then consensus needs the votes of those who go.
const voteLag = 2

// release lets those members go whose last committee has nothing left to serve, and
// whom consensus needs no more: who has left may stop its node at once.
func (x *execution) release() {
	ceremony := must2(load[ceremonyState](x.block, keyCeremony))
	if len(ceremony.Draining) == 0 || oldestWork(x.block, x.committee.Epoch()) < x.committee.Epoch() {
		return
	}
	if x.height < must2(committeeInForce(x.block)).Height+voteLag {
		return
	}
	for _, number := range ceremony.Draining {
		m := must2(load[Member](x.block, keyMember(number)))
		m.Standing = StandingLeft
		x.saveMember(m)
		x.emit(EventMemberLeft, m.Index)
	}
	ceremony.Draining = nil
	save(x.block, keyCeremony, ceremony)
}
