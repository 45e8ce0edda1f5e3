package curation

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// crowd is a network whose members come and go by chance, with what each holds and
// what consensus makes of the ledger's changes of its validators.
type crowd struct {
	*world
	pick     func(n int) int             // below n
	diligent int                         // a member is away after about so many blocks, for some
	away     map[uint32]uint64           // height until which it is
	sides    map[string]*dkg.Party       // by ceremony and member
	held     map[uint32]*shamir.KeyShare // of the committee in force
	powers   map[Hash]int64              // in consensus
	reached  map[Standing]bool
	duties   func(Member) []Payload // that a present member has besides; nil for none
	asking   int                    // a request comes about every so many blocks
}

// mostMembers are all there ever are: four founders, and those who come.
const mostMembers = 7

func newCrowd(t *testing.T, seed string, diligent int) *crowd {
	return crowdOf(ready(t), seed, diligent)
}

func crowdOf(w *world, seed string, diligent int) *crowd {
	c := &crowd{world: w, diligent: diligent, away: map[uint32]uint64{}, sides: map[string]*dkg.Party{}, held: map[uint32]*shamir.KeyShare{}, powers: map[Hash]int64{}, reached: map[Standing]bool{}, asking: 20}
	chance := &chanceFrom{seed: seed}
	c.pick = func(n int) int { b := make([]byte, 1); _, _ = chance.Read(b); return int(b[0]) % n }
	for i := uint32(1); i <= 4; i++ {
		c.held[i], c.powers[c.memberAt(i).Validator] = c.shares[i-1], 1
	}
	c.watch = c.consensus
	return c
}

// consensus takes the changes of the validators as CometBFT does, which halts at a
// validator named twice, at one removed that it does not have, and at none left.
func (c *crowd) consensus(o Outcome) {
	named := map[Hash]bool{}
	for _, v := range o.Validators {
		require.False(c.t, named[v.PublicKey], "named twice")
		named[v.PublicKey] = true
		if v.Power == 0 {
			require.NotZero(c.t, c.powers[v.PublicKey], "removed and not there")
			delete(c.powers, v.PublicKey)
		} else {
			c.powers[v.PublicKey] = v.Power
		}
	}
	require.NotEmpty(c.t, c.powers)
	seated := 0
	for _, m := range view(c.world, func(v View) []Member { return v.Members() }) {
		c.reached[m.Standing] = true
		if m.Seated() {
			seated++
			require.Equal(c.t, m.Power, c.powers[m.Validator], "member %d", m.Index)
		}
	}
	require.Len(c.t, c.powers, seated)
}

// party is a member's side of a handover, with the seed of the deal key that it has.
func (c *crowd) party(log *dkg.Log, member, own uint32, share *shamir.KeyShare) *dkg.Party {
	key := fmt.Sprintf("%x/%d", log.ID(), member)
	if c.sides[key] == nil {
		seeds := [][32]byte{memberSeed(member)}
		for epoch := log.Params().Epoch; epoch > firstEpoch; epoch-- {
			seeds = append(seeds, handoverSeed(epoch, member))
		}
		for _, seed := range seeds {
			if own == 0 || dkg.DealKey(seed) == log.Params().DealKeys[own-1] {
				party, err := dkg.NewHandoverParty(share, own, seed)
				require.NoError(c.t, err)
				c.sides[key] = party
				break
			}
		}
	}
	return c.sides[key]
}

// due are what the machine of a member would send now.
func (c *crowd) due(m Member) (all []Payload) {
	log := view(c.world, func(v View) *dkg.Log { return v.CeremonyLog() })
	ceremony := view(c.world, func(v View) Ceremony { return v.Ceremony() })
	own := ceremony.Seats.Of(m.Index)
	if log.Phase() != dkg.PhaseActive {
		if own != 0 || m.Seated() {
			messages, err := c.party(log, m.Index, own, c.held[m.Index]).Step(c.height+1, log)
			require.NoError(c.t, err)
			for _, msg := range messages {
				all = append(all, CeremonyMessage{Epoch: ceremony.Epoch, Attempt: ceremony.Attempt, Message: uint8(msg.Kind), Data: msg.Body})
			}
		}
		return all
	}
	if m.counts() && m.Prekeys() < 2 {
		_, r := seal.DeriveReader(memberSeed(m.Index), m.PrekeyEnd)
		return []Payload{Prekeys{From: m.PrekeyEnd, Points: [][32]byte{r}}}
	}
	if m.counts() && view(c.world, func(v View) bool { return v.MayHandOver(m.Index) == nil }) {
		all = append(all, c.consent(c.committee().Epoch()+1, m.Index))
	}
	return all
}

// whim is something that a member does of its own will, sensible or not.
func (c *crowd) whim(m Member) Payload {
	someone := uint32(c.pick(mostMembers)) + 1
	switch c.pick(7) {
	case 0, 1, 2:
		return Admit{Application: c.application(memberName(mostMembers - uint32(c.pick(3))))}
	case 3:
		return Remove{Member: someone}
	case 4:
		return Leave{}
	case 5:
		return Evidence{Member: someone, Message: c.message(memberName(someone), c.committee().Epoch(), 0, dkg.KindCommit, make([]byte, 32))}
	}
	return c.consent(c.committee().Epoch()+1, m.Index)
}

func (c *crowd) step() {
	epoch := c.committee().Epoch()
	nonces, txs := map[string]uint64{}, [][]byte(nil)
	send := func(name string, p Payload) {
		if _, known := nonces[name]; !known {
			nonces[name] = c.nonce(name)
		}
		txs = append(txs, c.sign(name, nonces[name], p))
		nonces[name]++
	}
	for _, m := range view(c.world, func(v View) []Member { return v.Members() }) {
		name := ""
		for i := uint32(1); i <= mostMembers; i++ {
			if addressOf(memberName(i)) == m.Account {
				name = memberName(i)
			}
		}
		if c.pick(12) == 0 {
			send(name, c.whim(m))
		}
		if c.pick(c.diligent) == 0 {
			c.away[m.Index] = c.height + 12
		}
		if c.height >= c.away[m.Index] {
			for _, p := range c.due(m) {
				send(name, p)
			}
			if c.duties != nil {
				for _, p := range c.duties(m) {
					send(name, p)
				}
			}
		}
	}
	if c.pick(c.asking) == 0 {
		send("alice", Request{Prompt: fmt.Sprint("picture ", c.height), ModelID: c.modelID()})
	}
	c.block(txs...)
	if now := c.committee().Epoch(); now != epoch {
		log := view(c.world, func(v View) *dkg.Log { l, _ := v.CeremonyLogAt(now); return l })
		held := map[uint32]*shamir.KeyShare{}
		for at, member := range view(c.world, func(v View) Seats { return v.SeatsAt(now) }) {
			share, err := c.party(log, member, uint32(at)+1, c.held[member]).KeyShare(log)
			require.NoError(c.t, err)
			require.NoError(c.t, share.VerifyAgainst(c.committee()))
			held[member] = share
		}
		c.held = held
	}
}

// Whatever members do, consensus can follow, the invariants hold, replicas that start
// again agree, and the keys stay what they are.
func TestMembersComeAndGoAtRandom(t *testing.T) {
	reached, seen, epochs := map[Standing]bool{}, map[string]bool{}, uint64(0)
	for i, diligent := range []int{100, 40, 20} {
		c := newCrowd(t, fmt.Sprint("a crowd ", i), diligent)
		c.restless = i == 0
		x := c.committee().X()
		for range 200 {
			c.step()
		}
		require.Equal(t, x, c.committee().X())
		epochs += c.committee().Epoch() - firstEpoch
		for s := range c.reached {
			reached[s] = true
		}
		for _, e := range c.events {
			seen[e.Kind] = true
		}
	}
	require.Len(t, reached, 5, "all standings: %v", reached)
	require.Greater(t, epochs, uint64(5))
	for _, kind := range []string{EventMemberSeated, EventMemberUnseated, EventMemberLeft, EventMemberConvicted, EventCeremonyAborted, EventHandoverLapsed} {
		require.True(t, seen[kind], "never seen: %s", kind)
	}
}
