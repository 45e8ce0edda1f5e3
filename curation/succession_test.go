package curation

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

func guardianName(g uint32) string { return fmt.Sprintf("g%d", g) }

// withGuardians is a genesis of four members and three guardians, two of whom act.
func withGuardians(policy DeathPolicy) Genesis {
	g := testGenesis(4, testParams())
	g.Succession = Succession{Policy: policy, Threshold: 2, AnswerBlocks: 5}
	if policy == GuardianPolicy {
		g.Succession.DelayBlocks = 6
	} else {
		g.Succession.SilentBlocks = 60
	}
	for i := uint32(1); i <= 3; i++ {
		a := addressOf(guardianName(i))
		g.Succession.Guardians = append(g.Succession.Guardians, Guardian{Name: fmt.Sprintf("Guardian %d", i), Account: a})
		g.Balances = append(g.Balances, GenesisBalance{Account: a, Amount: curve.Credits(10)})
	}
	g.SortBalances()
	return g
}

// guarded is a world under a policy, with an artist and prekeys.
func guarded(t testing.TB, policy DeathPolicy) *world {
	t.Helper()
	doc, err := withGuardians(policy).Bytes()
	require.NoError(t, err)
	w := newWorld(t, 4, testParams())
	w.doc, w.chain = doc, GenesisHash(doc)
	for i := range w.replicas {
		w.replicas[i] = NewMachine()
		_, err := w.replicas[i].Genesis(doc)
		require.NoError(t, err)
	}
	w.ceremony()
	w.must("m1", w.sealFor(1, "dusk"))
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.refill(i, 8))
	}
	return w
}

func guardianSeed(sharing uint64, g uint32) [32]byte {
	return shamir.Hash("test guardian seed", number(sharing), number(uint64(g)))
}

func (w *world) acceptance(sharing uint64, g uint32) Accept {
	seed := guardianSeed(sharing, g)
	proof, err := dkg.ProveDealKey(seed, GuardianChain(w.chain), sharing, g)
	require.NoError(w.t, err)
	return Accept{Sharing: sharing, DealKey: dkg.DealKey(seed), Proof: proof}
}

func (w *world) estate() Estate { return view(w, View.Estate) }

// guardianParty is a guardian's side of a sharing: of the seed that it accepted with.
func (w *world) guardianParty(log *dkg.Log, s Sharing, g uint32) *dkg.Party {
	for n := s.Number; n > 0; n-- {
		if seed := guardianSeed(n, g); dkg.DealKey(seed) == log.Params().DealKeys[s.Seats.Of(g)-1] {
			p, err := dkg.NewHandoverParty(nil, s.Seats.Of(g), seed)
			require.NoError(w.t, err)
			return p
		}
	}
	w.t.Fatalf("guardian %d has no seed", g)
	return nil
}

// shareOut runs a sharing that is under way, with those present, until it ends.
func (w *world) shareOut(members, present []uint32) {
	w.t.Helper()
	for range 60 {
		e := w.estate()
		if e.Running == nil {
			return
		}
		log, _ := sharingLog(w, e.Running.Number)
		var txs [][]byte
		say := func(name string, p *dkg.Party) {
			messages, err := p.Step(w.height+1, log)
			require.NoError(w.t, err)
			for i, m := range messages {
				txs = append(txs, w.sign(name, w.nonce(name)+uint64(i), GuardianMessage{Sharing: e.Running.Number, Message: uint8(m.Kind), Data: m.Body}))
			}
		}
		for _, i := range members {
			p, err := dkg.NewHandoverParty(w.shares[i-1], 0, handoverSeed(99, i))
			require.NoError(w.t, err)
			say(memberName(i), p)
		}
		for _, g := range present {
			say(guardianName(g), w.guardianParty(log, *e.Running, g))
		}
		for _, r := range w.block(txs...).Results {
			require.Equal(w.t, CodeOK, r.Code, r.Log)
		}
	}
	w.t.Fatal("the sharing did not end")
}

func sharingLog(w *world, n uint64) (log *dkg.Log, ok bool) {
	require.NoError(w.t, w.replicas[0].View(func(v View) error { log, ok = v.SharingLog(n); return nil }))
	return log, ok
}

// shared has the guardians accept and runs the sharing.
func (w *world) shared(guardians ...uint32) {
	w.t.Helper()
	n := w.estate().Next
	for _, g := range guardians {
		w.must(guardianName(g), w.acceptance(n, g))
	}
	for range 20 {
		if w.estate().Running != nil {
			break
		}
		w.block()
	}
	w.shareOut([]uint32{1, 2, 3, 4}, guardians)
	require.NotNil(w.t, w.estate().Sharing)
	require.Equal(w.t, n, w.estate().Sharing.Number)
}

func (w *world) guardianShare(g uint32) *shamir.KeyShare {
	s := w.estate().Sharing
	log, ok := sharingLog(w, s.Number)
	require.True(w.t, ok)
	share, err := w.guardianParty(log, *s, g).KeyShare(log)
	require.NoError(w.t, err)
	return share
}

// lose has members say that they lost their shares.
func (w *world) lose(members ...uint32) {
	w.t.Helper()
	for _, i := range members {
		w.must(memberName(i), ShareReport{Epoch: w.committee().Epoch()})
	}
}

// recovered runs a recovery that is due: members receive with fresh keys, guardians
// deal, and members have shares again.
func (w *world) recovered(guardians ...uint32) {
	w.t.Helper()
	epoch, sharing := w.committee().Epoch()+1, *w.estate().Sharing
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.consent(epoch, i))
	}
	w.shares = make([]*shamir.KeyShare, 4)
	parties := map[string]*dkg.Party{}
	for range 60 {
		if w.committee().Epoch() == epoch {
			break
		}
		log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
		attempt := view(w, func(v View) uint64 { return v.Ceremony().Attempt })
		var txs [][]byte
		say := func(name string, p *dkg.Party) {
			messages, err := p.Step(w.height+1, log)
			require.NoError(w.t, err)
			for i, m := range messages {
				txs = append(txs, w.sign(name, w.nonce(name)+uint64(i), CeremonyMessage{Epoch: epoch, Attempt: attempt, Message: uint8(m.Kind), Data: m.Body}))
			}
		}
		for _, g := range guardians {
			name := guardianName(g)
			if parties[name] == nil {
				p, err := dkg.NewHandoverParty(w.guardianShare(g), 0, guardianSeed(sharing.Number, g))
				require.NoError(w.t, err)
				parties[name] = p
			}
			say(name, parties[name])
		}
		for i := uint32(1); i <= 4; i++ {
			name := memberName(i)
			if parties[name] == nil {
				p, err := dkg.NewHandoverParty(nil, i, handoverSeed(epoch, i))
				require.NoError(w.t, err)
				parties[name] = p
			}
			say(name, parties[name])
		}
		for _, r := range w.block(txs...).Results {
			require.Equal(w.t, CodeOK, r.Code, r.Log)
		}
	}
	require.Equal(w.t, epoch, w.committee().Epoch(), "the recovery came to nothing: %+v", view(w, View.Ceremony))
	log, _ := logAt(w, epoch)
	for i := uint32(1); i <= 4; i++ {
		share, err := parties[memberName(i)].KeyShare(log)
		require.NoError(w.t, err)
		require.NoError(w.t, share.VerifyAgainst(w.committee()))
		w.shares[i-1] = share
	}
}

func TestGuardiansHoldASecondSharingOfTheSameKeys(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	w.restless = true
	before := w.committee()
	w.shared(1, 2, 3)
	require.Equal(t, before, w.committee(), "the members keep theirs")
	s := w.estate().Sharing
	require.Equal(t, Seats{1, 2, 3}, s.Seats)
	require.Equal(t, 3, s.Proven)
	log, _ := sharingLog(w, s.Number)
	require.NoError(t, log.Audit())
	c, err := log.Committee()
	require.NoError(t, err)
	require.Equal(t, before.X(), c.X())
	require.Equal(t, before.Y(), c.Y())
	require.Equal(t, before.Epoch(), c.Epoch())
	require.NotEqual(t, before.Session(), c.Session())
	w.candidate("alice", "the members go on")
	w.refreshed()
	require.NoError(t, w.guardianShare(2).VerifyAgainst(c), "what guardians hold outlives the members' handovers")

	w.shared(1, 3) // a renewal: the second one is away and receives under its key of before
	require.EqualValues(t, 2, w.estate().Sharing.Number)
	require.Equal(t, Seats{1, 2, 3}, w.estate().Sharing.Seats)
	require.Equal(t, 2, w.estate().Sharing.Proven)
	_, kept := sharingLog(w, 1)
	require.False(t, kept)
	log, _ = sharingLog(w, 2)
	late, err := w.guardianParty(log, *w.estate().Sharing, 2).Step(w.height+1, log)
	require.NoError(t, err)
	require.Len(t, late, 1)
	w.must("g2", GuardianMessage{Sharing: 2, Message: uint8(late[0].Kind), Data: late[0].Body})
	require.Equal(t, 3, w.estate().Sharing.Proven, "a late acknowledgement counts")
}

func TestASharingThatFailsIsAttributedAndTriedAgain(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	for g := uint32(1); g <= 3; g++ {
		w.must(guardianName(g), w.acceptance(1, g))
	}
	require.NotNil(t, w.estate().Running)
	r := w.act("m1", w.consent(2, 1))
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Contains(t, r.Log, "deal shares to the guardians")
	w.shareOut([]uint32{1, 2}, []uint32{1, 2, 3})
	a := w.estate().Aborted
	require.Equal(t, []Culprit{{Member: 3, Reason: "posted no commitment"}, {Member: 4, Reason: "posted no commitment"}}, a.Members)
	require.Empty(t, a.Guardians)
	for g := uint32(1); g <= 3; g++ {
		w.must(guardianName(g), w.acceptance(2, g))
	}
	for w.estate().Running == nil {
		w.block()
	}
	w.shareOut([]uint32{1, 2, 3, 4}, []uint32{1})
	require.Equal(t, []Culprit{{Member: 2, Reason: "did not acknowledge"}, {Member: 3, Reason: "did not acknowledge"}}, w.estate().Aborted.Guardians)
	require.Nil(t, w.estate().Sharing)
	w.shared(1, 2, 3)
	require.Nil(t, w.estate().Aborted)
	w.refreshed()
}

func TestGuardiansWhoDoNotAcceptGetNoShare(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	w.must("g1", w.acceptance(1, 1))
	w.wait(10)
	require.Nil(t, w.estate().Running, "one is not enough")
	w.must("g3", w.acceptance(1, 3))
	w.block()
	require.NotNil(t, w.estate().Running)
	w.shareOut([]uint32{1, 3, 4}, []uint32{1, 3})
	require.Equal(t, Seats{1, 3}, w.estate().Sharing.Seats)
	r := w.act("g2", Recover{})
	require.Equal(t, CodeNotMember, r.Code)
	require.Contains(t, r.Log, "has no share")
}

func TestARecoveryGivesTheMembersTheSameKeyAgain(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	w.restless = true
	w.shared(1, 2, 3)
	w.refreshed()
	early := w.candidate("alice", "before")
	before := w.committee()
	w.lose(1, 2, 3)
	require.Equal(t, -2, view(w, func(v View) int { return v.Network().Committee.Margin() }))
	require.False(t, view(w, func(v View) bool { return v.ShareProven(2) }))
	r := w.act("alice", Request{Prompt: "nobody can draw it", ModelID: w.modelID()})
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Contains(t, r.Log, "the others are lost")

	w.must("g1", Recover{})
	require.Equal(t, CodeDuplicate, w.act("g1", Recover{}).Code)
	w.must("g3", Recover{})
	require.NotZero(t, w.estate().Recovery.Due)
	require.False(t, view(w, View.RecoveryDue))
	for !view(w, View.RecoveryDue) {
		w.block()
	}
	w.recovered(1, 2, 3)
	require.Nil(t, w.estate().Recovery)
	require.Equal(t, before.X(), w.committee().X())
	require.Equal(t, before.Y(), w.committee().Y())
	require.Equal(t, before.Epoch()+1, w.committee().Epoch())
	record := view(w, func(v View) Committee { return *v.Network().Committee })
	require.Equal(t, Seats{1, 2, 3}, record.Guardians)
	require.Equal(t, 4, record.Held())
	w.must("m1", w.refillFrom(1))
	late := w.candidate("alice", "after")
	require.NoError(t, quorum.VerifyAnyEpoch(w.committee(), StatementFor(w.chain, w.artwork(early).Opening), quorum.Signature(w.artwork(early).Certificate)))
	require.NoError(t, quorum.VerifyAnyEpoch(before, StatementFor(w.chain, w.artwork(late).Opening), quorum.Signature(w.artwork(late).Certificate)), "one key, before and after")
	w.refreshed()
	require.Empty(t, w.estate().Recovery)
}

func TestMembersWhoHoldTheKeyEndARecovery(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	w.shared(1, 2, 3)
	w.must("g1", Recover{})
	w.wait(4)
	require.Nil(t, w.estate().Recovery, "one vote lapses")
	vote := func() { w.must("g1", Recover{}); w.must("g2", Recover{}) }
	vote()
	w.must("m1", Object{})
	require.Equal(t, CodeDuplicate, w.act("m1", Object{}).Code)
	w.must("m2", Object{})
	w.must("m4", Object{})
	require.Nil(t, w.estate().Recovery, "as many as open the artist have objected")
	r := w.act("g1", Recover{})
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Contains(t, r.Log, "by the members' objections")
	w.wait(6)
	vote()
	w.refreshed()
	require.Nil(t, w.estate().Recovery, "who hands over holds the key")
	ended := 0
	for _, e := range w.events {
		if e.Kind == EventRecoveryEnded {
			ended++
		}
	}
	require.Equal(t, 3, ended)
}

// recoveryOpens has two guardians vote for a recovery, and the members consent to the handover that
// it asks of them.
func (w *world) recoveryOpens() {
	w.t.Helper()
	w.must("g1", Recover{})
	w.must("g2", Recover{})
	for !view(w, View.RecoveryDue) {
		w.block()
	}
	w.handoverMay()
	w.consents(1, 2, 3, 4)
	require.Equal(w.t, Seats{1, 2, 3}, view(w, View.Ceremony).Guardians)
}

// handoverMay waits until the next handover may be proposed.
func (w *world) handoverMay() {
	for view(w, func(v View) error { return v.MayHandOver(1) }) != nil {
		w.block()
	}
}

// toEnd waits until no handover is under way.
func (w *world) toEnd() {
	for view(w, View.Ceremony).Epoch != w.committee().Epoch() {
		w.block()
	}
}

func lastAborted(w *world) AbortedHandover {
	return view(w, func(v View) AbortedHandover { a, _ := v.LastAborted(); return a })
}

func (w *world) ended() (reasons []string) {
	for _, e := range w.events {
		if e.Kind == EventRecoveryEnded {
			reasons = append(reasons, e.Attributes[0].Value)
		}
	}
	return reasons
}

// Guardians who vote and never deal hold the members' handovers up once, and not again
// before they have voted anew.
func TestARecoveryWhoseGuardiansStayAwayEnds(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	w.shared(1, 2, 3)
	w.recoveryOpens()
	foreign := w.act("m1", CeremonyMessage{Epoch: 2, Message: uint8(dkg.KindCommit), Data: make([]byte, 32)})
	require.Equal(t, CodeNotMember, foreign.Code, "a member deals nothing in a recovery: %s", foreign.Log)
	w.toEnd()
	require.EqualValues(t, 1, w.committee().Epoch())
	require.Empty(t, lastAborted(w).Culprits)
	require.Len(t, lastAborted(w).Guardians, 3)
	require.False(t, lastAborted(w).Objected)
	require.Nil(t, w.estate().Recovery)
	require.Equal(t, []string{"too few guardians dealt"}, w.ended())
	end := w.height
	r := w.act("g1", Recover{})
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Contains(t, r.Log, "for want of guardians")
	w.handoverMay()
	w.refreshed()
	require.EqualValues(t, 2, w.committee().Epoch(), "the members hand over by themselves")

	for w.height < end+w.estate().Rules.AnswerBlocks {
		w.block()
	}
	w.lose(1, 2, 3, 4)
	w.must("g1", Recover{})
	w.must("g2", Recover{})
	for !view(w, View.RecoveryDue) {
		w.block()
	}
	w.handoverMay()
	w.recovered(2, 3)
	require.EqualValues(t, 3, w.committee().Epoch(), "and guardians who do come recover the key")
}

// One guardian commits, the other that it takes does not: the members' word counts until
// then, and ends the ceremony with the block.
func TestMembersObjectUntilEnoughGuardiansHaveBegunToDeal(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	w.shared(1, 2, 3)
	w.recoveryOpens()
	commit := func(g uint32) CeremonyMessage {
		log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
		p, err := dkg.NewHandoverParty(w.guardianShare(g), 0, guardianSeed(1, g))
		require.NoError(t, err)
		messages, err := p.Step(w.height+1, log)
		require.NoError(t, err)
		return CeremonyMessage{Epoch: 2, Attempt: view(w, View.Ceremony).Attempt, Message: uint8(messages[0].Kind), Data: messages[0].Body}
	}
	w.must("g1", commit(1))
	w.must("m1", Object{})
	w.must("m2", Object{})
	require.EqualValues(t, 2, view(w, View.Ceremony).Epoch, "two do not open the artist")
	w.must("m4", Object{})
	require.Nil(t, w.estate().Recovery)
	require.EqualValues(t, 1, view(w, View.Ceremony).Epoch, "what is under way ends")
	require.True(t, lastAborted(w).Objected)
	require.Empty(t, lastAborted(w).Culprits)
	require.Empty(t, lastAborted(w).Guardians)
	require.Equal(t, []string{"the members objected"}, w.ended())
	w.wait(int(w.estate().Rules.DelayBlocks))

	w.recoveryOpens()
	w.must("g1", commit(1))
	w.must("m1", Object{})
	w.must("g3", commit(3))
	late := w.act("m2", Object{})
	require.Equal(t, CodeWrongPhase, late.Code)
	require.Contains(t, late.Log, "deal already")
	w.toEnd()
	require.EqualValues(t, 1, w.committee().Epoch(), "they committed and dealt nothing")
	require.Nil(t, w.estate().Recovery)
	w.handoverMay()
	w.refreshed()
}

func TestAWillMakesTheKeyPublicAfterSilence(t *testing.T) {
	w := guarded(t, WillPolicy)
	w.restless = true
	w.shared(1, 2, 3)
	log, _ := sharingLog(w, 1)
	c, err := log.Committee()
	require.NoError(t, err)
	testament := func(g uint32) Publish {
		share, err := seal.PublishShare(w.guardianShare(g), c)
		require.NoError(t, err)
		return Publish{Share: share}
	}
	early := w.act("g1", testament(1))
	require.Equal(t, CodeWrongPhase, early.Code)
	require.Contains(t, early.Log, "sign of life")
	w.candidate("alice", "a sign of life")
	life := w.estate().Life
	for w.height < life+w.estate().Rules.SilentBlocks {
		w.block()
	}
	require.Equal(t, w.estate().Silent(), w.height)
	require.Equal(t, CodeProof, w.act("g1", testament(2)).Code, "another guardian's share")
	require.Equal(t, CodeProof, w.act("g1", Publish{Share: Hash{1}}).Code)
	require.Equal(t, CodeProof, w.act("g1", Publish{Share: [32]byte{31: 0xff}}).Code, "not even a scalar")
	w.must("g1", testament(1))
	require.Equal(t, CodeDuplicate, w.act("g1", testament(1)).Code)
	require.False(t, w.estate().Published())
	w.must("g3", testament(3))
	e := w.estate()
	require.True(t, e.Published())
	require.Equal(t, CodeDuplicate, w.act("g2", testament(2)).Code)

	m := view(w, func(v View) Model { m, _ := v.Model(); return m })
	of, err := Ciphertexts(w.chain, w.committee().X(), view(w, func(v View) []Model { return v.Layers(m.KeyEpoch) }))
	require.NoError(t, err)
	plain, err := seal.OpenPublished(e.Will.Secret, w.committee().X(), of)
	require.NoError(t, err)
	require.Equal(t, [][]byte{[]byte("a file key of 16")}, plain)
	_, err = seal.OpenPublished([32]byte{1}, w.committee().X(), of)
	require.ErrorIs(t, err, shamir.ErrProof)
	r := w.act("bob", Request{Prompt: "too late", ModelID: w.modelID()})
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Contains(t, r.Log, "the artist is public")
	w.must("alice", Send{To: addressOf("bob"), Amount: curve.Credits(1)})
}

func TestLifeStopsAWill(t *testing.T) {
	w := guarded(t, WillPolicy)
	w.shared(1, 2, 3)
	log, _ := sharingLog(w, 1)
	c, err := log.Committee()
	require.NoError(t, err)
	share, err := seal.PublishShare(w.guardianShare(1), c)
	require.NoError(t, err)
	for w.height < w.estate().Silent() {
		w.block()
	}
	w.must("g1", Publish{Share: share})
	w.refreshed()
	share, err = seal.PublishShare(w.guardianShare(2), c)
	require.NoError(t, err)
	require.Equal(t, CodeWrongPhase, w.act("g2", Publish{Share: share}).Code)
	w.shared(1, 2, 3)
	require.Nil(t, w.estate().Will, "what was published is worth nothing after a fresh sharing")
}

func TestAMemberTellsThatItLostItsShareAndThatItFoundIt(t *testing.T) {
	w := ready(t)
	w.lose(2)
	require.Equal(t, CodeDuplicate, w.act("m2", ShareReport{Epoch: 1}).Code)
	require.Equal(t, CodeNotMember, w.act("alice", ShareReport{Epoch: 1}).Code)
	require.Equal(t, CodeWrongPhase, w.act("m1", ShareReport{Epoch: 2}).Code)
	require.Equal(t, 3, view(w, func(v View) int { return v.Network().Committee.Held() }))
	w.requested("alice", "three are enough")
	proof := func(by uint32, of string) []byte {
		p, err := quorum.Heartbeat(w.shares[by-1], w.committee(), ShareQuestion(w.chain, addressOf(of), 1))
		require.NoError(t, err)
		return p[:]
	}
	require.Equal(t, CodeProof, w.act("m2", ShareReport{Epoch: 1, Proof: proof(1, "m2")}).Code, "another member's share")
	require.Equal(t, CodeProof, w.act("m2", ShareReport{Epoch: 1, Proof: proof(2, "m1")}).Code, "for another account")
	require.Equal(t, CodeDuplicate, w.act("m1", ShareReport{Epoch: 1, Proof: proof(1, "m1")}).Code)
	w.must("m2", ShareReport{Epoch: 1, Proof: proof(2, "m2")})
	require.Equal(t, 4, view(w, func(v View) int { return v.Network().Committee.Held() }))
}

func TestGuardiansAreRefusedByReason(t *testing.T) {
	w := guarded(t, GuardianPolicy)
	for _, c := range []struct {
		name   string
		sender string
		change func(*Accept)
		code   Code
		says   string
	}{
		{"a stranger accepts", "alice", func(*Accept) {}, CodeNotMember, "is not a guardian"},
		{"a member accepts", "m1", func(*Accept) {}, CodeNotMember, "is not a guardian"},
		{"a sharing that comes later", "g1", func(p *Accept) { p.Sharing = 2 }, CodeWrongPhase, "the next one is 1"},
		{"a key that is none", "g1", func(p *Accept) { p.DealKey = Hash{1} }, CodeMalformed, "deal key"},
		{"a member's key", "g1", func(p *Accept) { p.DealKey = dkg.DealKey(memberSeed(2)) }, CodeMalformed, "make a fresh one"},
		{"a proof of another guardian", "g1", func(p *Accept) { *p = w.acceptance(1, 2) }, CodeProof, "deal key"},
		{"a proof as members give it", "g1", func(p *Accept) {
			p.Proof = w.consentWith(guardianSeed(1, 1), 1, 1).Proof
		}, CodeProof, "deal key"},
	} {
		p := w.acceptance(1, 1)
		c.change(&p)
		r := w.act(c.sender, p)
		require.Equal(t, c.code, r.Code, "%s: %s", c.name, r.Log)
		require.Contains(t, r.Log, c.says, c.name)
	}
	w.must("g1", w.acceptance(1, 1))
	require.Equal(t, CodeDuplicate, w.act("g1", w.acceptance(1, 1)).Code)
	require.Equal(t, CodeMalformed, w.act("g2", Accept{Sharing: 1, DealKey: dkg.DealKey(guardianSeed(1, 1))}).Code, "one key, two guardians")
	for what, r := range map[string]TxResult{
		"a recovery before there are shares": w.act("g1", Recover{}),
		"a message without a sharing":        w.act("g1", GuardianMessage{Sharing: 1, Message: 4, Data: []byte{1}}),
		"a will under another policy":        w.act("g1", Publish{}),
		"an objection to nothing":            w.act("m1", Object{}),
	} {
		require.Equal(t, CodeWrongPhase, r.Code, "%s: %s", what, r.Log)
	}
	require.Equal(t, CodeNotMember, w.act("alice", Recover{}).Code)
	require.Equal(t, CodeNotMember, w.act("g1", Object{}).Code)
	for _, p := range []Payload{w.acceptance(1, 1), Recover{}, Publish{}, GuardianMessage{Sharing: 1, Message: 1, Data: []byte{1}}, CeremonyMessage{Message: 1, Data: []byte{1}}} {
		require.Equal(t, CodeNotMember, w.replicas[0].Check(w.sign("alice", w.nonce("alice"), p)).Code, "%s waits in no pool", p.Kind())
	}
	w.must("g2", w.acceptance(1, 2)) // the last one's time is over
	stranger := w.act("m1", GuardianMessage{Sharing: 1, Message: uint8(dkg.KindAck), Data: make([]byte, 128)})
	require.Equal(t, CodeNotMember, stranger.Code, "members get no share of it: %s", stranger.Log)
	dealer := w.act("g1", GuardianMessage{Sharing: 1, Message: uint8(dkg.KindCommit), Data: make([]byte, 32)})
	require.Equal(t, CodeNotMember, dealer.Code, "guardians deal nothing in it: %s", dealer.Log)

	mortal := ready(t)
	require.Equal(t, Mortal, view(mortal, View.Estate).Rules.Death())
	r := mortal.act("alice", Accept{Sharing: 1})
	require.Equal(t, CodeNotMember, r.Code)
	a, err := Apply(w.chain, Hash{}, "Eve", []string{"/ip4/203.0.113.7/udp/4001/quic-v1"}, testKey("g1"), testKey("validator of eve"))
	require.NoError(t, err)
	r = w.act("m1", Admit{Application: a})
	require.Equal(t, CodeMalformed, r.Code)
	require.Contains(t, r.Log, "a guardian stays outside")
}

func TestASuccessionThatCouldNotWorkIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Succession)
		says   string
	}{
		"without a policy":               {func(s *Succession) { s.Policy = "" }, "policy is missing"},
		"mortal, with guardians":         {func(s *Succession) { s.Policy = Mortal }, "leave it out"},
		"of another kind":                {func(s *Succession) { s.Policy = "phoenix" }, "want guardian or will"},
		"nobody":                         {func(s *Succession) { s.Guardians = nil }, "want 1 to 32"},
		"33 guardians":                   {func(s *Succession) { s.Guardians = slices.Repeat(s.Guardians, 11) }, "want 1 to 32"},
		"half of them":                   {func(s *Succession) { s.Guardians = append(s.Guardians, Guardian{"D", Address{4}}) }, "more than half"},
		"more than there are":            {func(s *Succession) { s.Threshold = 4 }, "at most all"},
		"no time to answer":              {func(s *Succession) { s.AnswerBlocks = 0 }, "answer_blocks is 0"},
		"no delay":                       {func(s *Succession) { s.DelayBlocks = 0 }, "delay_blocks is 0"},
		"a silence that nobody asks for": {func(s *Succession) { s.SilentBlocks = 9 }, "silent_blocks is 9"},
		"a guardian without a name":      {func(s *Succession) { s.Guardians[1].Name = "" }, "guardian 2"},
		"a member":                       {func(s *Succession) { s.Guardians[1].Account = addressOf("m2") }, "is a member's"},
		"twice the same":                 {func(s *Succession) { s.Guardians[1] = s.Guardians[0] }, "another guardian's"},
	} {
		g := withGuardians(GuardianPolicy)
		c.change(&g.Succession)
		_, err := g.Bytes()
		require.ErrorIs(t, err, ErrGenesis, name)
		require.ErrorContains(t, err, c.says, name)
	}
	for _, policy := range []DeathPolicy{GuardianPolicy, WillPolicy} {
		g := withGuardians(policy)
		doc, err := g.Bytes()
		require.NoError(t, err)
		again, err := ParseGenesis(doc)
		require.NoError(t, err)
		require.Equal(t, g, again)
		require.Contains(t, g.Succession.Tells(), string(policy))
	}
	doc, err := testGenesis(4, testParams()).Bytes()
	require.NoError(t, err)
	require.NotContains(t, string(doc), "succession", "a mortal network says nothing of it")
}
