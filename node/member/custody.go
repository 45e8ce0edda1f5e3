package member

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/atelier-dao/atelier/curation"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// seat is this member's place in one committee.
type seat struct {
	committee *shamir.Committee
	key       *shamir.KeyShare
	tally     *quorum.Tally
}

// takeSeats derives this member's shares of the committees that have something to
// serve, and forgets those of the others: what was begun under a committee is served
// by it to its end.
func (m *Machine) takeSeats(l curation.View) {
	c, active := l.Committee()
	if !active {
		return
	}
	oldest := l.OldestWork()
	for epoch := oldest; epoch <= c.Epoch(); epoch++ {
		if m.seats[epoch] == nil && l.SeatsAt(epoch).Of(m.me.Index) != 0 {
			m.join(l, epoch)
		}
	}
	for epoch := range m.seats {
		if epoch < oldest {
			delete(m.seats, epoch)
		}
	}
	m.now = m.seats[c.Epoch()]
}

// join takes the member's share from a finished ceremony. Where seed and transcript
// give none, they will give none later.
func (m *Machine) join(l curation.View, epoch uint64) {
	if !m.seldom(fmt.Sprintf("join/%d", epoch), l.Height()) {
		return
	}
	c, ok := l.CommitteeAt(epoch)
	if !ok {
		return
	}
	key, err := m.share(l, epoch)
	if err == nil {
		err = key.VerifyAgainst(c)
	}
	if err != nil {
		m.lost = epoch
		m.do(Note{Text: fmt.Sprintf("no share of the committee of epoch %d", epoch), Err: err})
		return
	}
	m.seats[epoch] = &seat{committee: c, key: key, tally: quorum.NewTally(c, maxOpen)}
	m.do(Note{Text: fmt.Sprintf("holds its share of epoch %d", epoch)})
}

// share derives the share of an epoch from its transcript and our seed.
func (m *Machine) share(l curation.View, epoch uint64) (*shamir.KeyShare, error) {
	log, ok := l.CeremonyLogAt(epoch)
	if !ok {
		return nil, errors.New("the ledger no longer holds the transcript of its ceremony")
	}
	party, err := m.receiver(l, log)
	if err != nil {
		return nil, err
	}
	return party.KeyShare(log)
}

// receiver is our side of a ceremony as far as receiving goes.
func (m *Machine) receiver(l curation.View, log *dkg.Log) (*dkg.Party, error) {
	own := l.SeatsAt(log.Params().Epoch).Of(m.me.Index)
	seed, ok := m.seedOf(log, own)
	switch {
	case !ok:
		return nil, errors.New("the key store holds no seed for our deal key in this ceremony")
	case log.Params().Previous == nil:
		return dkg.NewParty(own, seed)
	}
	return dkg.NewHandoverParty(nil, own, seed)
}

// seedOf is the seed of the deal key in our seat of a ceremony: that of its epoch, or
// of an earlier one if we did not consent in time.
func (m *Machine) seedOf(log *dkg.Log, own uint32) ([32]byte, bool) {
	keys := log.Params().DealKeys
	if own < 1 || int(own) > len(keys) {
		return [32]byte{}, false
	}
	for _, seed := range m.secrets.Seeds {
		if dkg.DealKey(seed) == keys[own-1] {
			return seed, true
		}
	}
	return [32]byte{}, false
}

// speak posts our messages of the current ceremony. A member that was away
// acknowledges late: that counts for the margin.
func (m *Machine) speak(l curation.View) {
	epoch := l.CeremonyEpoch()
	if m.spoken == epoch {
		return
	}
	log, ceremony := l.CeremonyLog(), l.Ceremony()
	own := ceremony.Seats.Of(m.me.Index)
	if log.Phase() == dkg.PhaseActive && (own == 0 || log.Spoke(own, dkg.KindAck)) {
		m.spoken = epoch
		return
	}
	messages, err := m.messages(l, log, own)
	if err != nil {
		if m.seldom(fmt.Sprintf("failed/%d/%d/%v", epoch, ceremony.Attempt, log.Phase()), l.Height()) {
			m.do(Note{Text: "ceremony step failed", Err: err})
		}
		return
	}
	for i, msg := range messages {
		m.submit(l.Height(), fmt.Sprintf("ceremony/%d/%d/%d/%d", epoch, ceremony.Attempt, msg.Kind, i),
			curation.CeremonyMessage{Epoch: epoch, Attempt: ceremony.Attempt, Message: uint8(msg.Kind), Data: msg.Body})
	}
}

// messages are ours at this height: what we deal, if we hand over, and what we say
// about what we receive, if own is our seat in the committee to be.
func (m *Machine) messages(l curation.View, log *dkg.Log, own uint32) ([]dkg.Message, error) {
	if m.party == nil || m.ofParty != log.ID() {
		var share *shamir.KeyShare
		if before := log.Params().Previous; before != nil && m.seats[before.Epoch()] != nil && len(l.Ceremony().Guardians) == 0 {
			share = m.seats[before.Epoch()].key
		}
		var party *dkg.Party
		var err error
		switch seed, ok := m.seedOf(log, own); {
		case own == 0 && share == nil:
			return nil, nil // we have no part in it
		case own == 0: // we leave, and deal with the seed under which we received
			before, kept := l.CeremonyLogAt(log.Params().Previous.Epoch())
			if kept {
				seed, ok = m.seedOf(before, share.Index())
			}
			if !ok {
				return nil, errors.New("the key store holds no seed to hand our share over with")
			}
			party, err = dkg.NewHandoverParty(share, 0, seed)
		case ok && share != nil:
			party, err = dkg.NewHandoverParty(share, own, seed)
		default:
			party, err = m.receiver(l, log)
		}
		if err != nil {
			return nil, err
		}
		m.party, m.ofParty = party, log.ID()
	}
	return m.party.Step(l.Height()+1, log)
}

// handOver consents to a handover that is proposed, or proposes the one that was
// asked for, or that somebody waits for who joins or leaves, with a deal key of a
// fresh seed that is kept first. Who joins waits for the artist: if all others of the
// next committee were new as well, nobody would have it.
func (m *Machine) handOver(l curation.View) {
	h, proposed := l.Handover()
	c, active := l.Committee()
	if !active || !m.me.Seated() && (m.me.Standing != curation.StandingJoining || m.me.Prekeys() == 0) {
		return
	}
	if !proposed && !m.wanted && !l.HandoverAwaited(m.me.Index) {
		return
	}
	if slices.ContainsFunc(h.Keys, func(k curation.DealKey) bool { return k.Member == m.me.Index }) || l.CeremonyEpoch() > c.Epoch() {
		m.wanted = false
		return
	}
	if err := l.MayHandOver(m.me.Index); err != nil {
		if missed, late := l.Missed(m.me.Index); late && m.seldom(fmt.Sprintf("missed/%d", missed.Again), l.Height()) {
			m.do(Note{Text: "handovers go on without this member for a while", Err: err})
		}
		return
	}
	if !m.me.Seated() && !m.hasArtist(l) {
		if m.seldom("artist", l.Height()) {
			m.do(Note{Text: "no share of the key before the sealed artist is here"})
		}
		return
	}
	epoch := c.Epoch() + 1
	if !m.again(fmt.Sprintf("handover/%d", epoch), l.Height()) {
		return
	}
	seed, kept := m.secrets.Seeds[epoch]
	if !kept {
		if _, err := io.ReadFull(m.rand, seed[:]); err != nil {
			m.do(Note{Text: "no seed for the handover", Err: err})
			return
		}
		m.secrets.Seeds[epoch] = seed
		m.do(KeepSeed{Epoch: epoch, Seed: seed})
	}
	proof, err := dkg.ProveDealKey(seed, m.chain, epoch, m.me.Index)
	if err != nil {
		m.do(Note{Text: "no proof of our deal key for the handover", Err: err})
		return
	}
	m.do(Submit{Key: fmt.Sprintf("handover/%d", epoch), Payload: curation.HandOver{Epoch: epoch, DealKey: dkg.DealKey(seed), Proof: proof}})
}

// eraseSeeds destroys the seeds of older committees once we hold a proved share of
// the one in force and the others have nothing left to serve, and that one's as well
// once we have left: with them and the bundles on the ledger, whoever finds them later
// has the old shares. Seeds of later committees stay: we may have come back at a height
// that our copy of the ledger has yet to reach.
func (m *Machine) eraseSeeds(l curation.View) {
	c, active := l.Committee()
	if !active {
		return
	}
	left := m.me.Standing == curation.StandingLeft && len(m.secrets.Seeds) > 0
	proven := m.now != nil && m.spoken == m.now.key.Epoch() && len(m.secrets.Seeds) > 1
	if !left && !proven || !m.again("erase", l.Height()) {
		return
	}
	needed := map[[32]byte]bool{}
	if proven {
		for epoch := l.OldestWork(); epoch <= m.now.key.Epoch(); epoch++ {
			log, ok := l.CeremonyLogAt(epoch)
			if own := l.SeatsAt(epoch).Of(m.me.Index); ok && own != 0 {
				needed[log.Params().DealKeys[own-1]] = true
			}
		}
	}
	for _, epoch := range slices.Sorted(maps.Keys(m.secrets.Seeds)) {
		if (epoch < c.Epoch() || left && epoch == c.Epoch()) && !needed[dkg.DealKey(m.secrets.Seeds[epoch])] {
			delete(m.secrets.Seeds, epoch)
			m.do(EraseSeed{Epoch: epoch})
		}
	}
}

// depart destroys all seeds, and with them our shares and our part in a training.
func (m *Machine) depart() {
	if m.training != nil {
		m.forgetTraining()
	}
	m.gone, m.now, m.party, m.toGuardians = true, nil, nil, nil
	clear(m.seats)
	for _, epoch := range slices.Sorted(maps.Keys(m.secrets.Seeds)) {
		delete(m.secrets.Seeds, epoch)
		m.do(EraseSeed{Epoch: epoch})
	}
}
