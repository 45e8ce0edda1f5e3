package attack

import (
	"bytes"
	"errors"
	"slices"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/internal/access"
	"go.dedis.ch/kyber/v3"
)

// post is a message under the name that its sender can sign with.
type post struct {
	from uint32
	m    dkg.Message
	bad  bool // the adversary's
}

// ceremony runs a stage with an adversary that holds some of its members.
type ceremony struct {
	*World
	*Chance
	stage   *stage
	log     *dkg.Log
	parties []*dkg.Party
	bad     map[int]bool // places in parties
	height  uint64
	lies    map[uint32][]byte // bundles of dealers that deal their own way
	refused int               // of the adversary's messages
	bundles map[uint32][]byte // what the log took, by dealer
	commits map[uint32][]byte
	said    []post // all that was ever posted
	// excused are the honest whom a relay may have kept from speaking in time.
	excused bool
}

// script is the adversary in one block: it sees the log and what the honest say,
// and returns all that the block holds, in its order.
type script func(p *ceremony, honest []post) []post

// stageOf begins a ceremony of which the adversary holds the members at the places.
func (w *World) stageOf(s *stage, c *Chance, bad ...int) *ceremony {
	p := &ceremony{World: w, Chance: c, stage: s, log: s.log.Clone(), parties: slices.Clone(s.parties), bad: map[int]bool{},
		height: 3, lies: map[uint32][]byte{}, bundles: map[uint32][]byte{}, commits: map[uint32][]byte{}}
	for _, b := range bad {
		p.bad[b] = true
	}
	return p
}

// run plays the ceremony to its end.
func (p *ceremony) run(play script) {
	const last = 3 + 3*phaseBlocks + disputeBlocks + 1
	for ; p.log.Phase() < dkg.PhaseActive; p.height++ {
		if p.height > last {
			p.report("the ceremony hangs in phase %s", p.log.Phase())
			panic(halt{})
		}
		p.block(play(p, p.honest()))
	}
}

func (p *ceremony) block(posts []post) {
	for _, q := range posts {
		if q.bad && !p.mayBe(q) {
			p.report("the script posts under an honest name") // an error of the script
		}
		err := p.log.Apply(p.height, q.from, q.m)
		switch {
		case !q.bad:
			// A copy, or a second accuser, comes too late; so does what a relay kept.
			late := errors.Is(err, dkg.ErrDuplicate) || errors.Is(err, dkg.ErrPhase)
			p.hold(err == nil || late, "the log refuses an honest %s: %v", q.m.Kind, err)
		case err != nil:
			p.refused++
		}
		if err == nil && q.m.Kind == dkg.KindBundle {
			promised := commitTo(p.log.ID(), q.from, q.m.Body).Body
			p.hold(bytes.Equal(promised, p.commits[q.from]), "dealer %d posts another bundle than it committed to", q.from)
			p.bundles[q.from] = q.m.Body
		} else if err == nil && q.m.Kind == dkg.KindCommit {
			p.commits[q.from] = q.m.Body
		}
	}
	p.said = append(p.said, posts...)
	p.log.EndBlock(p.height)
}

// mayBe says whether the adversary can post under the name: a member's of its own,
// or nobody's.
func (p *ceremony) mayBe(q post) bool {
	seats := p.log.N()
	if q.m.Kind == dkg.KindCommit || q.m.Kind == dkg.KindBundle {
		seats = p.log.Dealers()
	}
	return q.from < 1 || int(q.from) > seats || slices.Contains(p.names(q.m.Kind), q.from) || q.m.Kind < dkg.KindCommit || q.m.Kind > dkg.KindAck
}

// honest is what the honest members say in this block.
func (p *ceremony) honest() (out []post) {
	for place, party := range p.parties {
		if p.bad[place] || party == nil {
			continue
		}
		messages, err := p.step(party)
		p.hold(err == nil, "honest member at place %d: %v", place, err)
		for _, m := range messages {
			out = append(out, post{party.Speaks(m.Kind), m, false})
		}
	}
	return out
}

// step is the party's, but proofs for the same committee are made once.
func (p *ceremony) step(party *dkg.Party) ([]dkg.Message, error) {
	candidate, err := p.log.Candidate()
	if err != nil || p.log.Spoke(party.Index(), dkg.KindAck) {
		return party.Step(p.height, p.log)
	}
	key := said{party, candidate.Digest()}
	if m := p.acks[key]; m != nil {
		return slices.Clone(m), nil
	}
	m, err := party.Step(p.height, p.log)
	if err == nil {
		p.acks[key] = slices.Clone(m)
	}
	return m, err
}

// follow is what the adversary's members say when they keep to the protocol, in
// the given kinds or all. One that has lied before says no more of that kind.
func (p *ceremony) follow(kinds ...dkg.Kind) (out []post) {
	for _, place := range p.places() {
		party := p.parties[place]
		if dealing := p.log.Phase() <= dkg.PhaseBundle; dealing && p.lies[party.Speaks(dkg.KindBundle)] != nil {
			continue
		}
		messages, err := p.step(party)
		if err != nil {
			continue // it cheated itself out of its share
		}
		for _, m := range messages {
			if len(kinds) == 0 || slices.Contains(kinds, m.Kind) {
				out = append(out, post{party.Speaks(m.Kind), m, true})
			}
		}
	}
	return out
}

// places are those of the adversary, ascending.
func (p *ceremony) places() (out []int) {
	for place := range p.parties {
		if p.bad[place] {
			out = append(out, place)
		}
	}
	return out
}

// names are those under which the adversary posts messages of a kind.
func (p *ceremony) names(k dkg.Kind) (out []uint32) {
	for _, place := range p.places() {
		if name := p.parties[place].Speaks(k); name != 0 {
			out = append(out, name)
		}
	}
	return out
}

// among puts the adversary's messages first or last: it sees the others' and the
// order in a block is for it to choose.
func (p *ceremony) among(honest, own []post) []post {
	if p.Percent(50) {
		return append(own, honest...)
	}
	return append(honest, own...)
}

// settle holds the outcome of a ceremony against the invariants and tells what it
// was.
func (p *ceremony) settle() Outcome {
	p.eavesdrop()
	culprits := p.log.Culprits()
	// An audit judges convictions again, by messages that the world knows to be in
	// order; now and then it does so from bytes, and now and then an outsider checks all.
	err := p.log.Audit()
	p.hold(err == nil, "an audit refuses the log: %v", err)
	if p.IntN(48) == 0 {
		p.reread(p.IntN(4) == 0)
	}
	for _, k := range culprits {
		kind := dkg.KindBundle
		if k.Reason == dkg.ReasonNoAck {
			kind = dkg.KindAck
		}
		guilty := slices.Contains(p.names(kind), k.Index)
		p.hold(guilty || p.excused && k.Reason != dkg.ReasonBadDeal, "honest member %d is named: %s", k.Index, k.Reason)
	}
	if p.log.Phase() == dkg.PhaseAborted {
		p.hold(len(culprits) > 0, "the ceremony is aborted and nobody is named")
		p.hold(!p.enough(), "the ceremony is aborted although enough honest members took part")
		if before := p.stage.before; before != nil && !p.works[before.Digest()] {
			p.works[before.Digest()] = true
			p.serves(p.stage.before.Committee, p.stage.before.shares[:p.stage.before.T()])
		}
		return Aborted
	}
	p.active()
	switch {
	case len(culprits) > 0:
		return LeftOut
	case p.refused > 0:
		return RefusedBy("the ledger")
	}
	return NoEffect
}

// eavesdrop tries the key that each dispute reveals on the deals of every honest
// dealer to the accuser: a dispute may open the deal that it is about, and no other.
func (p *ceremony) eavesdrop() {
	from, to := ephAt(p.log.Params().Threshold)
	keys := p.log.Params().DealKeys
	for _, q := range p.said {
		if q.m.Kind != dkg.KindDispute || q.bad || len(q.m.Body) < 34 {
			continue // the adversary knows what it reveals itself
		}
		for _, place := range p.honestDealers() {
			dealer := p.parties[place].Speaks(dkg.KindBundle)
			b := p.bundles[dealer]
			if b == nil {
				continue
			}
			box := b[len(b)-(len(keys)-int(q.from)+1)*boxLen:][:boxLen]
			plain, err := boxCipher(p.log.ID(), dealer, q.from, q.m.Body[2:34], b[from:to], keys[q.from-1]).Open(nil, make([]byte, 12), box, nil)
			p.hold(err != nil && plain == nil, "the dispute of member %d opens the deal of honest dealer %d", q.from, dealer)
		}
	}
}

// enough says whether the honest alone suffice.
func (p *ceremony) enough() bool {
	dealers, need, receivers := 0, p.log.Params().Threshold, 0
	if p.stage.before != nil {
		need = p.stage.before.T()
	}
	for place, party := range p.parties {
		if p.bad[place] || party == nil {
			continue
		}
		if party.Speaks(dkg.KindBundle) != 0 {
			dealers++
		}
		if party.Index() != 0 {
			receivers++
		}
	}
	return dealers >= need && receivers >= dkg.MinAcknowledgements(p.log.N(), p.log.Params().Threshold)
}

// active checks the committee that came of it: every honest member has its share,
// and they certify and release without the others.
func (p *ceremony) active() {
	c := must[*shamir.Committee](p.World)(p.log.Committee())
	if before := p.stage.before; before != nil {
		p.hold(c.X() == before.X() && c.Y() == before.Y(), "the handover changed a key")
	}
	p.hold(c.N() == p.log.N() && c.T() == p.log.Params().Threshold, "the committee has %d members, threshold %d", c.N(), c.T())
	var shares, stolen []*shamir.KeyShare
	for place, party := range p.parties {
		if party.Index() == 0 {
			continue
		}
		share, err := p.share(party, c)
		if p.bad[place] {
			if err == nil {
				stolen = append(stolen, share)
			}
			continue
		}
		p.must(err)
		p.hold(p.World.works[c.Digest()] || share.VerifyAgainst(c) == nil, "member %d has another share than the committee lists", share.Index())
		shares = append(shares, share)
	}
	if len(shares) >= c.T() && !p.World.works[c.Digest()] {
		// What has the shares that it lists works as another does that has.
		if p.works[c.Digest()] = true; !p.stage.serves || p.IntN(4) == 0 {
			p.stage.serves = true
			shuffle(p.Chance, shares)
			p.serves(c, shares[:c.T()])
		}
	}
	p.mixtures(c, stolen, shares)
}

// share is the party's share of the committee, which it derives once.
func (p *ceremony) share(party *dkg.Party, c *shamir.Committee) (*shamir.KeyShare, error) {
	key := said{party, c.Digest()}
	if s := p.derived[key]; s != nil {
		return s, nil
	}
	s, err := party.KeyShare(p.log)
	if err == nil {
		p.derived[key] = s
	}
	return s, err
}

// serves checks that t members certify and release with nobody's help.
func (p *ceremony) serves(c *shamir.Committee, quorum []*shamir.KeyShare) {
	v := p.World.vaultOf(&committee{Committee: c, shares: quorum}, p.Chance)
	cert := v.certify(v.statement, quorum)
	v.opens(cert, v.released(cert, quorum))
}

// mixtures tries to make the secret of shares of two generations: t-1 of before
// and t-1 of now, of which some are the same members'. Stolen ones come first.
func (p *ceremony) mixtures(c *shamir.Committee, stolen, others []*shamir.KeyShare) {
	if p.stage.before == nil || c.T() < 2 {
		return
	}
	now := append(slices.Clone(stolen), others...)[:c.T()-1]
	var old []*shamir.KeyShare
	for _, i := range p.Some(p.stage.before.T()-1, p.stage.before.N()) {
		old = append(old, p.stage.before.shares[i])
	}
	for range 4 {
		at := map[uint32]*shamir.KeyShare{}
		for _, s := range append(slices.Clone(old), now...) {
			if at[s.Index()] == nil || p.Percent(50) {
				at[s.Index()] = s
			}
		}
		var indices []uint32
		for i := range at {
			indices = append(indices, i)
		}
		slices.Sort(indices)
		weights := must[[]kyber.Scalar](p.World)(shamir.Lagrange(shamir.Ristretto255, indices))
		x := shamir.Ristretto255.Scalar().Zero()
		for k, i := range indices {
			part, _ := at[i].Secrets(access.Token{})
			x.Add(x, weights[k].Mul(weights[k], part))
		}
		p.hold(!shamir.Ristretto255.Point().Mul(x, nil).Equal(c.XPoint()), "t-1 old and t-1 new shares are the key: indices %v", indices)
	}
}

// reread checks that a ledger that keeps the log on disk has the same one, in order; and
// so does an outsider, who remembers nothing.
func (p *ceremony) reread(outsider bool) {
	b := must[[]byte](p.World)(p.log.MarshalBinary())
	again := must[*dkg.Log](p.World)(dkg.UnmarshalLog(b))
	b2 := must[[]byte](p.World)(again.MarshalBinary())
	p.hold(bytes.Equal(b, b2), "the log read back differs")
	if !outsider {
		again.Remember(p.memory)
	}
	err := again.Audit()
	p.hold(err == nil, "an audit refuses the log read back: %v", err)
}
