package curation

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

// handoverSeed is a member's seed for the ceremony of a later epoch.
func handoverSeed(epoch uint64, member uint32) [32]byte {
	return shamir.Hash("test handover seed", number(epoch), number(uint64(member)))
}

func (w *world) consent(epoch uint64, member uint32) HandOver {
	return w.consentWith(handoverSeed(epoch, member), epoch, member)
}

func (w *world) consentWith(seed [32]byte, epoch uint64, member uint32) HandOver {
	w.t.Helper()
	proof, err := dkg.ProveDealKey(seed, w.chain, epoch, member)
	require.NoError(w.t, err)
	return HandOver{Epoch: epoch, DealKey: dkg.DealKey(seed), Proof: proof}
}

// shareOf is what a member holds of the committee in force, nil when it has no seat.
func (w *world) shareOf(member uint32) *shamir.KeyShare {
	if int(member) > len(w.shares) {
		return nil
	}
	return w.shares[member-1]
}

// handoverParty is a member's side of a handover; one that has not consented has
// the deal key of before, and one that leaves has none.
func (w *world) handoverParty(log *dkg.Log, member uint32) *dkg.Party {
	epoch := log.Params().Epoch
	own := view(w, func(v View) uint32 { return v.SeatsAt(epoch).Of(member) })
	for _, seed := range [][32]byte{handoverSeed(epoch, member), handoverSeed(epoch-1, member), memberSeed(member)} {
		if own == 0 || dkg.DealKey(seed) == log.Params().DealKeys[own-1] {
			party, err := dkg.NewHandoverParty(w.shareOf(member), own, seed)
			require.NoError(w.t, err)
			return party
		}
	}
	w.t.Fatalf("member %d has no seed for its deal key", member)
	return nil
}

// handover runs a proposed handover whose ceremony the present members attend, and
// says whether it made a committee.
func (w *world) handover(present ...uint32) bool {
	w.t.Helper()
	return w.perform(func(uint32, dkg.Kind) bool { return true }, present...)
}

// perform is handover in which a member sends those of its messages that says lets
// through.
func (w *world) perform(says func(member uint32, kind dkg.Kind) bool, present ...uint32) bool {
	w.t.Helper()
	epoch := w.committee().Epoch() + 1
	parties := map[uint32]*dkg.Party{}
	for range 60 {
		log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
		if w.committee().Epoch() == epoch {
			break
		}
		if log.Params().Epoch != epoch {
			if _, proposed := proposal(w); !proposed {
				return false
			}
			w.block()
			continue
		}
		var txs [][]byte
		for _, i := range present {
			if parties[i] == nil {
				parties[i] = w.handoverParty(log, i)
			}
			messages, err := parties[i].Step(w.height+1, log)
			require.NoError(w.t, err)
			nonce := w.nonce(memberName(i))
			for _, m := range messages {
				if says(i, m.Kind) {
					txs = append(txs, w.sign(memberName(i), nonce, CeremonyMessage{
						Epoch: epoch, Attempt: view(w, func(v View) uint64 { return v.Ceremony().Attempt }), Message: uint8(m.Kind), Data: m.Body}))
					nonce++
				}
			}
		}
		for _, r := range w.block(txs...).Results {
			require.Equal(w.t, CodeOK, r.Code, r.Log)
		}
	}
	log := view(w, func(v View) *dkg.Log { l, _ := v.CeremonyLogAt(epoch); return l })
	seats := view(w, func(v View) Seats { return v.SeatsAt(epoch) })
	next := make([]*shamir.KeyShare, slices.Max(seats))
	for _, i := range seats {
		party := parties[i]
		if party == nil { // was away, and reads its share from the ledger
			party = w.handoverParty(log, i)
		}
		share, err := party.KeyShare(log)
		require.NoError(w.t, err)
		require.NoError(w.t, share.VerifyAgainst(w.committee()))
		next[i-1] = share
	}
	if w.older == nil {
		w.older = map[uint64][]*shamir.KeyShare{}
	}
	w.older[epoch-1], w.shares = w.shares, next
	return true
}

// consents has members consent to the next handover, first one that may propose it.
func (w *world) consents(members ...uint32) {
	w.t.Helper()
	epoch := w.committee().Epoch() + 1
	may := slices.IndexFunc(members, func(i uint32) bool { return view(w, func(v View) error { return v.MayHandOver(i) }) == nil })
	require.GreaterOrEqual(w.t, may, 0, "nobody may propose a handover")
	for k := range members {
		i := members[(may+k)%len(members)]
		w.must(memberName(i), w.consent(epoch, i))
	}
}

func proposal(w *world) (h Handover, ok bool) {
	require.NoError(w.t, w.replicas[0].View(func(v View) error { h, ok = v.Handover(); return nil }))
	return h, ok
}

// refreshed proposes a handover, has all members consent, and runs it.
func (w *world) refreshed() {
	w.t.Helper()
	var all []uint32
	for i := uint32(1); i <= uint32(len(w.shares)); i++ {
		all = append(all, i)
	}
	w.consents(all...)
	require.True(w.t, w.handover(1, 2, 3, 4))
}

func TestTheKeysAreHandedOverAndStayTheSame(t *testing.T) {
	w := ready(t)
	before := w.committee()
	for i := uint32(1); i <= 3; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	h, proposed := proposal(w)
	require.True(t, proposed)
	require.Len(t, h.Keys, 3)
	require.Equal(t, before, w.committee(), "the committee of before is in force")
	w.must("m4", w.consent(2, 4))
	_, proposed = proposal(w)
	require.False(t, proposed, "everybody has consented: the ceremony is open")
	require.True(t, w.handover(1, 2, 3, 4))

	after := w.committee()
	require.EqualValues(t, 2, after.Epoch())
	require.Equal(t, before.X(), after.X())
	require.Equal(t, before.Y(), after.Y())
	require.NotEqual(t, before.Digest(), after.Digest())
	records := view(w, func(v View) []Committee { return v.Committees() })
	require.Len(t, records, 2)
	require.Equal(t, 4, records[1].Proven)
	require.Equal(t, 1, records[1].Margin())
	require.Equal(t, Hash(dkg.DealKey(handoverSeed(2, 3))), view(w, func(v View) Hash { m, _ := v.Member(3); return m.DealKey }))

	w.must("m1", w.refillFrom(1))
	rid := w.candidate("alice", "after the handover")
	require.EqualValues(t, 2, w.artwork(rid).Epoch)
	w.reload()
	w.refreshed()
	require.EqualValues(t, 3, w.committee().Epoch())
	_, kept := logAt(w, 1)
	require.False(t, kept, "two handovers ago")
	_, kept = logAt(w, 2)
	require.True(t, kept, "the committee before may have something to finish")
	for _, m := range w.replicas { // one was reloaded, the other has known them all along
		require.NoError(t, m.View(func(v View) error {
			for epoch, want := range []bool{false, false, true, true, false} {
				c, kept := v.CommitteeAt(uint64(epoch))
				require.Equal(t, want, kept, "epoch %d", epoch)
				require.True(t, !kept || c.Epoch() == uint64(epoch))
			}
			records := v.Committees()
			require.Len(t, records, 3)
			require.Empty(t, records[0].Encoded, "what grows with the members does not stay for ever")
			require.Equal(t, records[2].X, records[0].X)
			require.Equal(t, 4, records[0].Proven)
			return nil
		}))
	}
}

// TestReplicasThatStartAgainAgree at every height of handovers: one that fails, one
// that lapses, one that goes through while something of before is left to do.
func TestReplicasThatStartAgainAgree(t *testing.T) {
	p := testParams()
	p.RequestBlocks = 200
	w := readyWith(t, p)
	w.restless = true
	early := w.requested("alice", "asked before")
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	require.False(t, w.handover(1, 2))
	w.wait(3)
	w.must("m2", w.consent(2, 2))
	require.False(t, w.handover())
	w.wait(3)
	w.refreshed()
	w.must("m1", w.refillFrom(1))
	late := w.requested("bob", "asked after")
	require.EqualValues(t, 1, w.artwork(early).Epoch)
	require.EqualValues(t, 2, w.artwork(late).Epoch)
	require.EqualValues(t, 1, view(w, func(v View) uint64 { return v.OldestWork() }))
	w.must("m1", w.certificateFor(early, 2, 3, 4))
	for w.artwork(early).Status != StatusExpired {
		w.block()
	}
	require.Equal(t, StatusRequested, w.artwork(late).Status)
	require.EqualValues(t, 2, view(w, func(v View) uint64 { return v.OldestWork() }))
	w.refreshed()
	require.EqualValues(t, 3, w.committee().Epoch())
	require.EqualValues(t, 2, view(w, func(v View) uint64 { return v.OldestWork() }))
}

func logAt(w *world, epoch uint64) (log *dkg.Log, ok bool) {
	require.NoError(w.t, w.replicas[0].View(func(v View) error { log, ok = v.CeremonyLogAt(epoch); return nil }))
	return log, ok
}

// refillFrom gives a member more reader keys.
func (w *world) refillFrom(member uint32) Prekeys { return w.refill(member, 1) }

// reload has the second replica start again from the state of the first.
func (w *world) reload() {
	w.t.Helper()
	again := NewMachine()
	require.NoError(w.t, w.replicas[0].View(func(v View) error {
		return again.Load(w.height, v.AppHash(), func(yield func(k, v []byte) bool) {
			for k, value := range v.Entries {
				if !yield(bytes.Clone(k), bytes.Clone(value)) {
					return
				}
			}
		})
	}))
	w.replicas[1] = again
}

// No request, artwork or round is lost by a handover: the committee under which it
// was begun serves it to its end.
func TestWhatWasBegunBeforeAHandoverIsFinishedByItsCommittee(t *testing.T) {
	p := testParams()
	p.RequestBlocks, p.BackBlocks, p.OpenBlocks, p.RoundCandidates = 200, 60, 60, 1
	w := readyWith(t, p)
	requested := w.requested("alice", "asked before")
	approved := w.requested("bob", "approved before")
	w.must("m1", w.certificateFor(approved, 1, 2, 3))
	registered := w.requested("carol", "registered before")
	w.must("m1", w.certificateFor(registered, 1, 2, 3))
	a := w.artwork(registered)
	w.must(memberName(a.Order[0]), Register{RID: registered, CID: folder(registered), PixelRoot: pixels(registered)})
	backed := w.candidate("dave", "in a round before")
	round := view(w, func(v View) Round { r, ok := v.RunningRound(); require.True(t, ok); return r })
	require.Equal(t, []Hash{backed}, round.Candidates)
	w.must("alice", w.backing("alice", round.Number, backed, curve.Credits(20), curve.Credits(20), curve.Amount{}))

	w.refreshed()
	require.EqualValues(t, 2, w.committee().Epoch())
	w.reload()

	w.wait(3)
	again := w.act("m1", w.consent(3, 1))
	require.Equal(t, CodeWrongPhase, again.Code)
	require.Contains(t, again.Log, "still serves requests, a training or a round")

	w.must("m1", w.certificateFor(requested, 2, 3, 4))
	for rid, generated := range map[Hash]bool{requested: false, approved: false, registered: true} {
		a := w.artwork(rid)
		require.EqualValues(t, 1, a.Epoch)
		if !generated {
			w.must(memberName(a.Order[0]), Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)})
		}
		w.must(memberName(w.artwork(rid).Auditors()[0]), Attest{RID: rid, PixelRoot: pixels(rid)})
	}
	for range 60 {
		if r := view(w, func(v View) Round { r, _ := v.Round(round.Number); return r }); r.Phase == RoundOpening {
			break
		}
		w.block()
	}
	for i := uint32(1); i <= 3; i++ {
		w.must(memberName(i), w.opening(i, round.Number))
	}
	require.Equal(t, StatusPublished, w.artwork(backed).Status)

	// What comes after is the new committee's alone.
	late := w.requested("alice", "after")
	require.EqualValues(t, 2, w.artwork(late).Epoch)
	committee, shares := w.serving(1)
	s := StatementFor(w.chain, w.artwork(late).Opening)
	_, err := quorum.SignApproval(shares[0], s)
	require.ErrorIs(t, err, quorum.ErrEpoch, "a share of before does not approve it")
	_, err = quorum.Verify(committee, s, quorum.Signature(w.artwork(approved).Certificate))
	require.ErrorIs(t, err, quorum.ErrEpoch)
}

func TestAHandoverThatTooFewConsentToLapses(t *testing.T) {
	w := ready(t)
	before := w.committee()
	w.must("m1", w.consent(2, 1))
	w.must("m2", w.consent(2, 2))
	h, _ := proposal(w)
	for w.height < h.Until {
		w.block()
	}
	_, proposed := proposal(w)
	require.False(t, proposed)
	require.Equal(t, before, w.committee())
	last := view(w, func(v View) AbortedHandover { a, _ := v.LastAborted(); return a })
	require.Equal(t, AbortedHandover{Epoch: 2, Height: h.Until, Culprits: []Culprit{}, Guardians: []Culprit{}}, last)
	require.Equal(t, CodeWrongPhase, w.act("m1", w.consent(2, 1)).Code, "not at once")
	w.wait(3)
	w.refreshed()
	require.EqualValues(t, 1, view(w, func(v View) []Committee { return v.Committees() })[1].Attempt)
}

func TestAMemberThatIsAwayDuringAHandoverKeepsItsSeat(t *testing.T) {
	w := ready(t)
	for i := uint32(1); i <= 3; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	require.True(t, w.handover(1, 2, 3))
	record := view(w, func(v View) []Committee { return v.Committees() })[1]
	require.Equal(t, 3, record.Proven)
	require.Zero(t, record.Margin())
	require.False(t, view(w, func(v View) bool { return v.ShareProven(4) }))
	require.Equal(t, Hash(dkg.DealKey(memberSeed(4))), view(w, func(v View) Hash { m, _ := v.Member(4); return m.DealKey }), "its key of before")

	log, _ := logAt(w, 2)
	back, err := dkg.NewHandoverParty(nil, 4, memberSeed(4))
	require.NoError(t, err)
	messages, err := back.Step(w.height+1, log)
	require.NoError(t, err)
	require.Len(t, messages, 1)
	w.must("m4", CeremonyMessage{Epoch: 2, Attempt: 0, Message: uint8(messages[0].Kind), Data: messages[0].Body})
	require.Equal(t, 4, view(w, func(v View) []Committee { return v.Committees() })[1].Proven)
	require.True(t, view(w, func(v View) bool { return v.ShareProven(4) }))
}

func TestAHandoverThatFailsLeavesTheOldCommitteeInForce(t *testing.T) {
	w := ready(t)
	before := w.committee()
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	require.False(t, w.handover(1, 2), "two of four do not deal")
	require.Equal(t, before, w.committee())
	last := view(w, func(v View) AbortedHandover { a, _ := v.LastAborted(); return a })
	require.EqualValues(t, 2, last.Epoch)
	require.Equal(t, []Culprit{{Member: 3, Reason: "posted no commitment"}, {Member: 4, Reason: "posted no commitment"}}, last.Culprits)
	_, kept := logAt(w, 2)
	require.False(t, kept)
	w.reload()
	w.candidate("alice", "nothing was lost")
	w.refreshed()
	require.Equal(t, before.X(), w.committee().X())
}

func TestHandoversAreRefusedByReason(t *testing.T) {
	early := newWorld(t, 4, testParams())
	r := early.act("m1", early.consent(2, 1))
	require.Equal(t, CodeWrongPhase, r.Code, r.Log)

	w := ready(t)
	for _, c := range []struct {
		name   string
		sender string
		change func(*HandOver)
		code   Code
		says   string
	}{
		{"of somebody else", "alice", func(*HandOver) {}, CodeNotMember, "is not a member"},
		{"to the epoch in force", "m1", func(p *HandOver) { p.Epoch = 1 }, CodeWrongPhase, "the next one is 2"},
		{"to an epoch beyond the next", "m1", func(p *HandOver) { p.Epoch = 3 }, CodeWrongPhase, "the next one is 2"},
		{"with a key that is none", "m1", func(p *HandOver) { p.DealKey = Hash{1} }, CodeMalformed, "deal key"},
		{"with the identity", "m1", func(p *HandOver) { p.DealKey = Hash{} }, CodeMalformed, "deal key"},
		{"with the own key of before", "m1", func(p *HandOver) { p.DealKey = dkg.DealKey(memberSeed(1)) }, CodeMalformed, "make a fresh one"},
		{"with another member's key", "m1", func(p *HandOver) { p.DealKey = dkg.DealKey(memberSeed(2)) }, CodeMalformed, "make a fresh one"},
		{"with a key that another member is about to give", "m1", func(p *HandOver) { *p = w.consent(2, 2) }, CodeProof, "deal key of member 1"},
		{"with a key of its own for another epoch", "m1", func(p *HandOver) { p.Proof = w.consentWith(handoverSeed(2, 1), 3, 1).Proof }, CodeProof, "deal key of member 1"},
		{"with a proof that is none", "m1", func(p *HandOver) { p.Proof = [64]byte{} }, CodeProof, "deal key of member 1"},
	} {
		p := w.consent(2, 1)
		c.change(&p)
		r := w.act(c.sender, p)
		require.Equal(t, c.code, r.Code, "%s: %s", c.name, r.Log)
		require.Contains(t, r.Log, c.says, c.name)
		_, proposed := proposal(w)
		require.False(t, proposed, c.name)
	}
	w.must("m1", w.consent(2, 1))
	require.Equal(t, CodeDuplicate, w.act("m1", w.consent(2, 1)).Code)
	require.Equal(t, CodeMalformed, w.act("m2", w.consentWith(handoverSeed(2, 1), 2, 2)).Code, "a key that two members share")
	for i := uint32(2); i <= 4; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	r = w.act("m1", w.consentWith([32]byte{7}, 2, 1))
	require.Equal(t, CodeWrongPhase, r.Code)
	require.Contains(t, r.Log, "under way")
	message := w.act("m1", CeremonyMessage{Epoch: 1, Message: 1, Data: make([]byte, 32)})
	require.Equal(t, CodeWrongPhase, message.Code, "a message of the ceremony of before")
	require.Contains(t, message.Log, "the ledger is at epoch 2, attempt 0")
}

// readyWith is ready under other parameters.
func readyWith(t *testing.T, p Params) *world {
	t.Helper()
	w := newWorld(t, 4, p)
	w.ceremony()
	seal := w.sealFor(1, "dusk")
	seal.PolicyHash = PolicyHash(testGenesis(4, p).Charter)
	w.must("m1", seal)
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.refill(i, 8))
	}
	return w
}

func TestManyHandoversWithRandomAbsences(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			w := ready(t)
			x, y := w.committee().X(), w.committee().Y()
			chance := &chanceFrom{seed: fmt.Sprint("absences ", seed)}
			pick := func(n int) int { b := make([]byte, 1); _, _ = chance.Read(b); return int(b[0]) % n }
			for range 4 {
				epoch, away := w.committee().Epoch()+1, uint32(pick(5)) // 0: nobody
				var present []uint32
				for i := uint32(1); i <= 4; i++ {
					if i != away {
						present = append(present, i)
					}
				}
				for view(w, func(v View) error { return v.MayHandOver(0) }) != nil {
					w.block()
				}
				w.consents(present...)
				require.True(t, w.handover(present...))
				require.Equal(t, x, w.committee().X())
				require.Equal(t, y, w.committee().Y())
				require.True(t, slices.Contains([]int{3, 4}, view(w, func(v View) []Committee { return v.Committees() })[epoch-1].Proven))
			}
			if w.prekeys[1] == 8 {
				w.candidate("alice", "after four handovers")
			}
		})
	}
}
