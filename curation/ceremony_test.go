package curation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/dkg"
)

func kinds(events []Event) (all []string) {
	for _, e := range events {
		all = append(all, e.Kind)
	}
	return all
}

func TestTheCeremonyOpensItselfAndPhasesEndOnceEverybodyHasSpoken(t *testing.T) {
	w := newWorld(t, 4, testParams())
	w.ceremony()
	var phases []string
	for _, e := range w.events {
		if e.Kind == EventCeremonyPhase {
			phases = append(phases, e.Get("phase"))
		}
	}
	require.Equal(t, []string{"commit", "bundle", "dispute", "acknowledge", "active"}, phases)
	require.Equal(t, uint64(5), w.height, "one block a phase and two for disputes")
	network := view(w, View.Network)
	require.NotNil(t, network.Committee)
	require.Equal(t, []uint32{1, 2, 3, 4}, network.Committee.Qualified)
	require.Equal(t, 3, network.Committee.Threshold)
	require.Equal(t, CeremonyActive, network.Ceremony.Phase)
	require.Equal(t, 4, network.Ceremony.Acknowledged)
	require.Contains(t, kinds(w.events), EventCeremonyActive)
	require.True(t, view(w, View.Treasury).Balance.IsZero(), "members' protocol messages are free")
}

func TestAMemberThatIsAwayIsLeftOutAndReadsItsShareLater(t *testing.T) {
	w := newWorld(t, 4, testParams())
	w.ceremony(1, 2, 4)
	c := view(w, View.Ceremony)
	require.Equal(t, CeremonyActive, c.Phase)
	require.Equal(t, []uint32{1, 2, 4}, c.Qualified)
	require.Equal(t, uint32(3), c.Culprits[0].Member)
	require.NotEmpty(t, c.Culprits[0].Reason)
	require.Equal(t, 3, c.Acknowledged)

	log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
	messages, err := w.parties[2].Step(w.height+1, log)
	require.NoError(t, err)
	require.Len(t, messages, 1, "a late acknowledgement")
	w.must("m3", CeremonyMessage{Epoch: 1, Message: uint8(messages[0].Kind), Data: messages[0].Body})
	require.Equal(t, 4, view(w, View.Ceremony).Acknowledged)
}

func TestAnAbortedCeremonyIsRepeatedUnderAnotherSession(t *testing.T) {
	w := newWorld(t, 4, testParams())
	for w.height < 6 {
		w.block() // nobody speaks
	}
	require.Equal(t, CeremonyAborted, view(w, View.Ceremony).Phase)
	require.Equal(t, uint64(9), view(w, View.Ceremony).RetryAt)
	aborted := w.events[len(w.events)-1]
	require.Equal(t, EventCeremonyAborted, aborted.Kind)
	require.Equal(t, "1,2,3,4", aborted.Get("culprits"))

	old := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
	w.wait(3)
	log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
	require.Equal(t, dkg.PhaseCommit, log.Phase())
	require.NotEqual(t, old.Params().Session, log.Params().Session)
	message, err := w.parties[0].Step(w.height+1, log)
	require.NoError(t, err)
	stale := CeremonyMessage{Epoch: 1, Attempt: 0, Message: uint8(message[0].Kind), Data: message[0].Body}
	require.Equal(t, CodeWrongPhase, w.act("m1", stale).Code, "a message for the first attempt")
	w.ceremony()
	require.Equal(t, CeremonyActive, view(w, View.Ceremony).Phase)
	require.Equal(t, uint64(1), view(w, View.Network).Committee.Attempt)
}

func TestCeremonyMessagesAreRefusedByReason(t *testing.T) {
	p := testParams()
	p.DKGPhaseBlocks = 20
	w := newWorld(t, 4, p)
	w.block()
	log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
	message, err := w.parties[0].Step(w.height+1, log)
	require.NoError(t, err)
	commit := CeremonyMessage{Epoch: 1, Message: uint8(dkg.KindCommit), Data: message[0].Body}
	w.must("m1", commit)
	for name, c := range map[string]struct {
		from string
		p    CeremonyMessage
		code Code
	}{
		"said twice":         {"m1", commit, CodeDuplicate},
		"by a collector":     {"alice", commit, CodeNotMember},
		"of another epoch":   {"m2", CeremonyMessage{Epoch: 2, Message: 1, Data: commit.Data}, CodeWrongPhase},
		"of a later phase":   {"m2", CeremonyMessage{Epoch: 1, Message: uint8(dkg.KindAck), Data: commit.Data}, CodeWrongPhase},
		"of an unknown kind": {"m2", CeremonyMessage{Epoch: 1, Message: 77, Data: commit.Data}, CodeWrongPhase},
		"of the wrong size":  {"m2", CeremonyMessage{Epoch: 1, Message: uint8(dkg.KindCommit), Data: []byte{1}}, CodeProof},
	} {
		t.Run(name, func(t *testing.T) {
			r := w.act(c.from, c.p)
			require.Equal(t, c.code, r.Code, r.Log)
		})
	}
}

func TestBeforeTheCeremonyNothingCanBeSealedOrAsked(t *testing.T) {
	w := newWorld(t, 4, testParams())
	w.block()
	require.Equal(t, CodeWrongPhase, w.act("alice", Request{Prompt: "too early"}).Code)
	require.Equal(t, CodeWrongPhase, w.act("m1", Seal{Name: "a", KeyEpoch: 1, ContainerCID: testCID, Ciphertext: make([]byte, 160)}).Code)
	require.Equal(t, CodeUnknown, w.act("alice", Certify{RID: Hash{1}}).Code)
	require.Equal(t, CodeUnknown, w.act("alice", SealedOrder{Round: 1, Escrow: testParams().RequestDeposit, Box: []byte{1}}).Code)
	require.Nil(t, view(w, func(v View) *shamir.Committee { c, _ := v.Committee(); return c }))
}

func TestAModelIsSealedByAMemberUnderItsLabel(t *testing.T) {
	w := newWorld(t, 4, testParams())
	w.ceremony()
	good := w.sealFor(1, "dusk")
	require.Equal(t, CodeNotMember, w.act("alice", good).Code)
	for name, change := range map[string]func(*Seal){
		"another policy":  func(s *Seal) { s.PolicyHash[0] ^= 1 },
		"another model":   func(s *Seal) { s.PlainHash[0] ^= 1 },
		"a damaged proof": func(s *Seal) { s.Ciphertext[100] ^= 1 },
	} {
		bad := w.sealFor(1, "dusk")
		change(&bad)
		r := w.act("m2", bad)
		require.Contains(t, []Code{CodeProof, CodeMalformed}, r.Code, "%s: %s", name, r.Log)
	}
	for _, epoch := range []uint64{0, 2} {
		r := w.act("m2", w.sealFor(epoch, "dusk"))
		require.Equal(t, CodeWrongPhase, r.Code)
		require.Contains(t, r.Log, "the next is 1")
	}
	w.must("m2", good)
	model := view(w, func(v View) Model { m, _ := v.Model(); return m })
	require.Equal(t, uint64(1), model.KeyEpoch)
	require.Equal(t, "dusk", model.Name)
	require.Equal(t, uint32(2), model.Sealer)
	require.Equal(t, ModelLabel(w.chain, model.ID, 1, model.PolicyHash, w.committee().X()), model.Label)
}

func TestNoMemberAloneReplacesTheArtist(t *testing.T) {
	w := ready(t)
	first := view(w, func(v View) Model { m, _ := v.Model(); return m })
	rid := w.requested("alice", "asked of the first artist")
	for _, epoch := range []uint64{0, 1, 3} {
		r := w.act("m2", w.sealFor(epoch, "dawn"))
		require.Equal(t, CodeWrongPhase, r.Code)
		require.Contains(t, r.Log, "the next is 2")
	}
	w.must("m2", w.sealFor(2, "dawn"))
	require.Equal(t, first, view(w, func(v View) Model { m, _ := v.Model(); return m }))
	require.Equal(t, CodeUnknown, w.act("bob", Request{Prompt: "asked of another artist", ModelID: ModelID(Hash{1})}).Code)
	w.must("m1", w.certificateFor(rid, 2, 3, 4))
	require.Equal(t, uint64(1), w.artwork(rid).KeyEpoch)
}

func TestANetworkOfOneGoesAllTheWayAlone(t *testing.T) {
	p := testParams()
	p.RoundCandidates = 1
	w := newWorld(t, 1, p)
	w.ceremony()
	w.must("m1", w.sealFor(1, "solo"))
	w.must("m1", w.refill(1, 4))
	rid := w.requested("alice", "a self-portrait")
	w.must("m1", w.certificateFor(rid, 1))
	w.must("m1", Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)})
	a := w.artwork(rid)
	require.Equal(t, StatusBacking, a.Status)
	require.Equal(t, uint32(1), a.Generator)
	require.Zero(t, a.Auditor, "there is nobody else to audit")
	w.must("bob", w.backing("bob", 1, rid, p.RequestDeposit, p.RequestDeposit, Amount{}))
	w.wait(4)
	w.must("m1", w.opening(1, 1))
	require.Equal(t, StatusPublished, w.artwork(rid).Status)
}
