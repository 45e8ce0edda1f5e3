package curation

import (
	"bytes"
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/shamir/dkg"
	"github.com/atelier-dao/atelier/shamir/quorum"
	"github.com/atelier-dao/atelier/shamir/seal"
)

// approved brings a request to its certificate.
func (w *world) approved(prompt string) Hash {
	w.t.Helper()
	rid := w.requested("alice", prompt)
	w.must("m1", w.certificateFor(rid, 1, 2, 3))
	return rid
}

// release is the share that a member releases to a reader of a request.
func (w *world) release(member uint32, rid Hash, role seal.Role, reader uint32) []byte {
	w.t.Helper()
	a := w.openingOf(rid)
	committee, shares := w.serving(a.Epoch)
	cert, err := quorum.Verify(committee, StatementFor(w.chain, a), quorum.Signature(a.Certificate))
	require.NoError(w.t, err)
	of, err := Ciphertexts(w.chain, committee.X(), view(w, func(v View) []Model { return v.Layers(a.KeyEpoch) }))
	require.NoError(w.t, err)
	share, err := seal.ReleaseShare(w.chance, shares[member-1], committee, of, cert, seal.Reader{Member: reader, Role: role, Prekeys: a.Readers()})
	require.NoError(w.t, err)
	return share
}

// signed is what a member of that name sends to a reader.
func (w *world) signed(name string, rid Hash, role seal.Role, reader uint32, share []byte) *SignedShare {
	a := w.openingOf(rid)
	context := quorum.Context(StatementFor(w.chain, a), quorum.Signature(a.Certificate))
	return &SignedShare{RID: rid, Role: uint8(role), Reader: reader, Share: share,
		Signature: SignRelease(testKey(name), context, role, reader, share)}
}

// bent is a share that is wrong in one bit.
func bent(share []byte) []byte {
	share = bytes.Clone(share)
	share[len(share)-33] ^= 1
	return share
}

func (w *world) wrongShare(member uint32, rid Hash) Evidence {
	reader := w.artwork(rid).Order[0]
	return Evidence{Member: member, Share: w.signed(memberName(member), rid, seal.Generator, reader, bent(w.release(member, rid, seal.Generator, reader)))}
}

// message is a ceremony message of a member, signed and not sent.
func (w *world) message(name string, epoch, attempt uint64, kind dkg.Kind, data []byte) []byte {
	return w.sign(name, w.nonce(name), CeremonyMessage{Epoch: epoch, Attempt: attempt, Message: uint8(kind), Data: data})
}

func (w *world) secondCommit(member uint32) Evidence {
	return Evidence{Member: member, Message: w.message(memberName(member), w.committee().Epoch(), 0, dkg.KindCommit, make([]byte, 32))}
}

// approval is a member's signature over a statement.
func (w *world) approval(member uint32, s quorum.Statement) *SignedStatement {
	_, shares := w.serving(s.Epoch)
	p, err := quorum.SignApproval(shares[member-1], s)
	require.NoError(w.t, err)
	return &SignedStatement{Statement: s.Bytes(), Partial: p.Bytes()}
}

func (w *world) conflictingApproval(member uint32, rid Hash) Evidence {
	s := StatementFor(w.chain, w.openingOf(rid))
	s.Expiry++
	return Evidence{Member: member, Approval: w.approval(member, s)}
}

func (w *world) convictions() []Conviction {
	return view(w, func(v View) []Conviction { return v.Convictions() })
}

func (w *world) balance(name string) Amount {
	return view(w, func(v View) Amount { return v.Account(addressOf(name)).Balance })
}

func TestEachOffenceConvicts(t *testing.T) {
	for name, c := range map[string]struct {
		offence  Offence
		evidence func(*world) Evidence
	}{
		"a released share with a proof that does not hold": {OffenceShare, func(w *world) Evidence { return w.wrongShare(4, w.approved("one")) }},
		"a share that is no share at all": {OffenceShare, func(w *world) Evidence {
			rid := w.approved("one")
			return Evidence{Member: 4, Share: w.signed("m4", rid, seal.Auditor, w.artwork(rid).Order[1], nil)}
		}},
		"a share of more bytes than it has": {OffenceShare, func(w *world) Evidence {
			rid := w.approved("one")
			return Evidence{Member: 4, Share: w.signed("m4", rid, seal.Auditor, w.artwork(rid).Order[1], make([]byte, MaxReleasedShare))}
		}},
		"another member's share in the place of its own": {OffenceShare, func(w *world) Evidence {
			rid := w.approved("one")
			reader := w.artwork(rid).Order[0]
			return Evidence{Member: 4, Share: w.signed("m4", rid, seal.Generator, reader, w.release(3, rid, seal.Generator, reader))}
		}},
		"the share for another reader": {OffenceShare, func(w *world) Evidence {
			rid := w.approved("one")
			o := w.artwork(rid).Order
			return Evidence{Member: 4, Share: w.signed("m4", rid, seal.Generator, o[0], w.release(4, rid, seal.Generator, o[1]))}
		}},
		"the share for another request": {OffenceShare, func(w *world) Evidence {
			one, two := w.approved("one"), w.approved("two")
			reader := w.artwork(one).Order[0]
			return Evidence{Member: 4, Share: w.signed("m4", one, seal.Generator, reader, w.release(4, two, seal.Generator, reader))}
		}},
		"a second commit": {OffenceCeremony, func(w *world) Evidence { return w.secondCommit(4) }},
		"a second bundle": {OffenceCeremony, func(w *world) Evidence {
			log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
			return Evidence{Member: 4, Message: w.message("m4", 1, 0, dkg.KindBundle, log.Said(3, dkg.KindBundle))}
		}},
		"a message that came too late for its ceremony": {OffenceCeremony, func(w *world) Evidence {
			e := w.secondCommit(4)
			w.refreshed()
			return e
		}},
		"an approval of a later expiry": {OffenceStatement, func(w *world) Evidence { return w.conflictingApproval(4, w.requested("alice", "one")) }},
		"an approval of other readers, found once the request has ended": {OffenceStatement, func(w *world) Evidence {
			rid := w.candidate("alice", "one")
			s := StatementFor(w.chain, w.artwork(rid).Opening)
			s.Prekeys = quorum.Prekeys{{Member: 4, Key: w.artwork(rid).Prekeys[3].R}}.Digest()
			return Evidence{Member: 4, Approval: w.approval(4, s)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := ready(t)
			w.must("alice", Send{To: addressOf("m4"), Amount: curve.Credits(100)})
			e := c.evidence(w)
			epoch := w.committee().Epoch()
			require.Equal(t, c.offence, e.Offence())
			require.NoError(t, view(w, func(v View) error { return v.Judge(e) }))
			had := view(w, func(v View) Treasury { return v.Treasury() })
			r := w.must("m2", e)
			want := Conviction{Member: 4, Offence: c.offence, Evidence: e.Hash(), Reporter: 2, Height: w.height, Slashed: curve.Credits(20)}
			require.Equal(t, []Conviction{want}, w.convictions())
			require.Equal(t, EventMemberConvicted, r.Events[0].Kind)
			require.Equal(t, EventMemberLeaving, r.Events[1].Kind)
			require.Equal(t, curve.Credits(80), w.balance("m4"))
			has := view(w, func(v View) Treasury { return v.Treasury() })
			require.Equal(t, had.Balance.Add(curve.Credits(20)), has.Balance)
			require.Equal(t, curve.Credits(20), has.Slashes)
			require.Equal(t, StandingLeaving, w.memberAt(4).Standing)
			w.reload()

			require.Equal(t, CodeDuplicate, w.act("m1", e).Code, "the same again")
			require.Equal(t, CodeDuplicate, w.act("m1", w.secondCommit(4)).Code, "something else of the same member")
			require.Equal(t, CodeDuplicate, w.replicas[0].Check(w.sign("m3", w.nonce("m3"), e)).Code, "it need not wait for a block")
			require.Equal(t, curve.Credits(80), w.balance("m4"))

			for w.height <= testParams().DKGRetryBlocks+w.artworksEnd() {
				w.block()
			}
			for i := uint32(1); i <= 4; i++ {
				w.must(memberName(i), w.consent(epoch+1, i))
			}
			require.True(t, w.handover(1, 2, 3, 4), "it hands over what it has")
			require.Equal(t, Seats{1, 2, 3}, view(w, func(v View) Seats { return v.SeatsAt(epoch + 1) }))
			for range 40 { // a round may be under way
				if w.memberAt(4).Standing == StandingDraining {
					w.block()
				}
			}
			require.Equal(t, StandingLeft, w.memberAt(4).Standing)
			require.Equal(t, CodeLimit, w.act("m1", Admit{Application: w.application("m4")}).Code, "it does not come back")
		})
	}
}

// artworksEnd is the height at which every request of now has ended.
func (w *world) artworksEnd() (last uint64) {
	for _, a := range view(w, func(v View) []Artwork { return v.Working() }) {
		last = max(last, a.Expiry)
	}
	return last
}

// TestFalseAccusationsChangeNothing: nothing that an honest member says on any
// occasion, nor anything that others can make of it, is evidence.
func TestFalseAccusationsChangeNothing(t *testing.T) {
	w := ready(t)
	// An earlier network of the same people, with the same keys.
	g := testGenesis(4, testParams())
	g.Charter.Text = "We made other pictures together."
	doc, err := g.Bytes()
	require.NoError(t, err)
	away := GenesisHash(doc)

	w.must("alice", Send{To: addressOf("m4"), Amount: curve.Credits(100)})
	first := w.approved("first, of epoch 1")
	old := w.release(4, first, seal.Generator, w.artwork(first).Order[0])
	oldStatement := StatementFor(w.chain, w.artwork(first).Opening)
	w.refreshed()
	one, two, bare := w.approved("one"), w.approved("two"), w.requested("bob", "not approved")
	order := w.artwork(one).Order
	reader := order[0]
	share := w.release(4, one, seal.Generator, reader)
	statement := StatementFor(w.chain, w.artwork(one).Opening)
	other := statement
	other.Expiry++
	log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
	commit, bundle := log.Said(4, dkg.KindCommit), log.Said(4, dkg.KindBundle)
	seedPartial := quorum.SignSeed(w.shares[3], w.chain, one)
	context := quorum.Context(statement, quorum.Signature(w.artwork(one).Certificate))

	shares := func(s *SignedShare) Evidence { return Evidence{Member: 4, Share: s} }
	with := func(change func(*SignedShare)) Evidence {
		s := w.signed("m4", one, seal.Generator, reader, share)
		change(s)
		return shares(s)
	}
	messages := func(raw []byte) Evidence { return Evidence{Member: 4, Message: raw} }
	approvals := func(s quorum.Statement, p quorum.Partial) Evidence {
		return Evidence{Member: 4, Approval: &SignedStatement{Statement: s.Bytes(), Partial: p.Bytes()}}
	}
	partial := func(i uint32, s quorum.Statement) quorum.Partial {
		_, held := w.serving(s.Epoch)
		p, err := quorum.SignApproval(held[i-1], s)
		require.NoError(t, err)
		return p
	}
	tampered := func(raw []byte) []byte {
		tx, err := Decode(raw)
		require.NoError(t, err)
		tx.Payload = CeremonyMessage{Epoch: 2, Message: uint8(dkg.KindCommit), Data: make([]byte, 32)}
		tx.BodyBytes = tx.Body.Bytes()
		return tx.bytes()
	}
	elsewhere := func(p Payload) []byte {
		raw, err := Sign(testKey("m4"), away, Body{Nonce: 3, ValidUntil: 900, Payload: p})
		require.NoError(t, err)
		return raw
	}

	for name, c := range map[string]struct {
		evidence Evidence
		code     Code
	}{
		"a share that is right":                          {with(func(*SignedShare) {}), CodeProof},
		"a right share that the accuser has bent":        {with(func(s *SignedShare) { s.Share = bent(s.Share) }), CodeProof},
		"a right share, said to be for another role":     {with(func(s *SignedShare) { s.Role = uint8(seal.Auditor) }), CodeProof},
		"a right share, said to be for another reader":   {with(func(s *SignedShare) { s.Reader = order[1] }), CodeProof},
		"a right share, said to be for another request":  {with(func(s *SignedShare) { s.RID = two }), CodeProof},
		"a right share of epoch 1, shown for epoch 2":    {shares(&SignedShare{RID: one, Role: uint8(seal.Generator), Reader: reader, Share: old, Signature: w.signed("m4", first, seal.Generator, reader, old).Signature}), CodeProof},
		"a right share of epoch 1":                       {shares(w.signed("m4", first, seal.Generator, w.artwork(first).Order[0], old)), CodeProof},
		"a wrong share that the accuser has signed":      {shares(w.signed("m2", one, seal.Generator, reader, bent(share))), CodeProof},
		"a wrong share that somebody else has signed":    {shares(w.signed("alice", one, seal.Generator, reader, bent(share))), CodeProof},
		"a wrong share of another member":                {shares(w.wrongShare(3, one).Share), CodeProof},
		"a wrong share that nobody has signed":           {shares(&SignedShare{RID: one, Role: 1, Reader: reader, Share: bent(share)}), CodeProof},
		"a share signed for a role that does not exist":  {shares(w.signed("m4", one, 9, reader, share)), CodeProof},
		"a share signed for a reader without a key":      {shares(w.signed("m4", one, seal.Generator, 77, share)), CodeProof},
		"a share for a request without certificate":      {shares(&SignedShare{RID: bare, Role: 1, Reader: reader, Share: share, Signature: SignRelease(testKey("m4"), context, 1, reader, bent(share))}), CodeWrongPhase},
		"a share for a request that nobody made":         {shares(&SignedShare{RID: Hash{7}, Role: 1, Reader: reader, Share: share}), CodeUnknown},
		"a share with the signature of a transaction":    {shares(&SignedShare{RID: one, Role: 1, Reader: reader, Share: bent(share), Signature: txSignature(t, w.sign("m4", 0, Leave{}))}), CodeProof},
		"a share with the signature of an application":   {shares(&SignedShare{RID: one, Role: 1, Reader: reader, Share: bent(share), Signature: w.application("m4").AccountSignature}), CodeProof},
		"the commit that the ledger has":                 {messages(w.message("m4", 2, 0, dkg.KindCommit, commit)), CodeProof},
		"the bundle that the ledger has":                 {messages(w.message("m4", 2, 0, dkg.KindBundle, bundle)), CodeProof},
		"the commit of another attempt":                  {messages(w.message("m4", 2, 1, dkg.KindCommit, make([]byte, 32))), CodeWrongPhase},
		"the commit of a ceremony to come":               {messages(w.message("m4", 3, 0, dkg.KindCommit, make([]byte, 32))), CodeWrongPhase},
		"a commit that the accuser has changed":          {messages(tampered(w.message("m4", 2, 0, dkg.KindCommit, commit))), CodeProof},
		"a commit of another member":                     {messages(w.message("m3", 2, 0, dkg.KindCommit, make([]byte, 32))), CodeProof},
		"a commit on another network":                    {messages(elsewhere(CeremonyMessage{Epoch: 2, Message: 1, Data: make([]byte, 32)})), CodeProof},
		"the statement of the ledger":                    {approvals(statement, partial(4, statement)), CodeProof},
		"another statement, with the honest signature":   {approvals(other, partial(4, statement)), CodeProof},
		"another statement, with the seed's signature":   {approvals(other, seedPartial), CodeProof},
		"another statement, signed by the accuser":       {approvals(other, quorum.Partial{Index: 4, Sig: partial(2, other).Sig}), CodeProof},
		"another statement, with the accuser's share":    {approvals(other, partial(2, other)), CodeNotMember},
		"another statement, with the certificate":        {approvals(other, quorum.Partial{Index: 4, Sig: quorum.Signature(w.artwork(one).Certificate)}), CodeProof},
		"the point at infinity":                          {approvals(other, quorum.Partial{Index: 4, Sig: quorum.Signature{0xc0}}), CodeProof},
		"the statement of epoch 1 about its own request": {approvals(oldStatement, partial(4, oldStatement)), CodeProof},
		"a statement about another request":              {approvals(StatementFor(w.chain, w.artwork(two).Opening), partial(4, StatementFor(w.chain, w.artwork(two).Opening))), CodeProof},
		"a statement on another network":                 {approvals(change(statement, func(s *quorum.Statement) { s.Chain = away }), partial(4, change(statement, func(s *quorum.Statement) { s.Chain = away }))), CodeProof},
		"a statement of another epoch": {approvals(change(statement, func(s *quorum.Statement) { s.Epoch = 1 }),
			partial(4, change(statement, func(s *quorum.Statement) { s.Epoch = 1 }))), CodeProof},
		"a statement about a request that nobody made": {approvals(change(statement, func(s *quorum.Statement) { s.RID = Hash{9} }),
			partial(4, change(statement, func(s *quorum.Statement) { s.RID = Hash{9} }))), CodeUnknown},
		"somebody who is no member": {Evidence{Member: 9, Share: w.signed("m4", one, 1, reader, share)}, CodeUnknown},
	} {
		before := view(w, func(v View) Hash { return v.AppHash() })
		require.Error(t, view(w, func(v View) error { return v.Judge(c.evidence) }), name)
		r := w.act("m2", c.evidence)
		require.Equal(t, c.code, r.Code, "%s: %s", name, r.Log)
		require.Empty(t, w.convictions(), name)
		require.Equal(t, curve.Credits(100), w.balance("m4"), name)
		require.Equal(t, StandingActive, w.memberAt(4).Standing, name)
		require.NotEqual(t, before, view(w, func(v View) Hash { return v.AppHash() }), "the reporter's nonce is used")
	}
	for name, e := range map[string]Evidence{
		"nothing":              {Member: 4},
		"nobody":               {Share: w.signed("m4", one, 1, reader, share)},
		"two things":           {Member: 4, Share: w.signed("m4", one, 1, reader, share), Approval: w.approval(4, other)},
		"too large a share":    shares(&SignedShare{Share: make([]byte, MaxReleasedShare+1)}),
		"an acknowledgement":   messages(w.message("m4", 2, 0, dkg.KindAck, make([]byte, 128))),
		"a dispute":            messages(w.message("m4", 2, 0, dkg.KindDispute, make([]byte, 98))),
		"another transaction":  messages(w.sign("m4", 0, Leave{})),
		"no transaction":       messages([]byte("commit")),
		"evidence":             messages(w.sign("m4", 0, with(func(*SignedShare) {}))),
		"half a statement":     {Member: 4, Approval: &SignedStatement{Statement: statement.Bytes()[:100], Partial: seedPartial.Bytes()}},
		"half a signature":     {Member: 4, Approval: &SignedStatement{Statement: other.Bytes(), Partial: seedPartial.Bytes()[:20]}},
		"a seat out of bounds": {Member: 4, Approval: &SignedStatement{Statement: other.Bytes(), Partial: make([]byte, quorum.PartialSize)}},
	} {
		require.Error(t, e.Validate(), name)
		require.Error(t, view(w, func(v View) error { return v.Judge(e) }), name)
		_, err := Sign(testKey("m2"), w.chain, Body{Payload: e})
		require.Error(t, err, name)
	}
	require.Equal(t, CodeNotMember, w.act("alice", w.wrongShare(4, one)).Code, "evidence is for members to bring")
	require.Empty(t, w.convictions())
}

func change(s quorum.Statement, f func(*quorum.Statement)) quorum.Statement {
	f(&s)
	return s
}

func txSignature(t *testing.T, raw []byte) [64]byte {
	tx, err := Decode(raw)
	require.NoError(t, err)
	return tx.Signature
}

func TestASecondMessageInABlockIsItsOwnEvidence(t *testing.T) {
	w := newWorld(t, 4, testParams())
	log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
	messages, err := w.parties[3].Step(1, log)
	require.NoError(t, err)
	honest := w.message("m4", 1, 0, dkg.KindCommit, messages[0].Body)
	require.Equal(t, CodeOK, w.block(honest).Results[0].Code)
	require.Equal(t, CodeDuplicate, w.act("m4", CeremonyMessage{Epoch: 1, Message: 1, Data: messages[0].Body}).Code, "the same again is no offence")
	require.Empty(t, w.convictions())

	second := w.message("m4", 1, 0, dkg.KindCommit, make([]byte, 32))
	r := w.block(second).Results[0]
	require.Equal(t, CodeOK, r.Code, r.Log)
	require.Equal(t, []Conviction{{Member: 4, Offence: OffenceCeremony, Evidence: Evidence{Member: 4, Message: second}.Hash(), Height: w.height}}, w.convictions())
	require.Equal(t, StandingActive, w.memberAt(4).Standing, "nobody can leave before there is a committee")
	require.Equal(t, CodeDuplicate, w.act("m4", CeremonyMessage{Epoch: 1, Message: 1, Data: make([]byte, 32)}).Code, "once is enough")
	w.ceremony()
	require.Equal(t, StandingLeaving, w.memberAt(4).Standing, "the committee in force lets it go")
	require.Len(t, w.passed(EventMemberConvicted), 1)
}

func TestASecondMessageThatNeverStandsInABlockIsOverheard(t *testing.T) {
	overheard := func(m *Machine) (e []Evidence) {
		require.NoError(t, m.View(func(v View) error { e = v.Contradictions(); return nil }))
		return e
	}
	w := newWorld(t, 4, testParams())
	log := view(w, func(v View) *dkg.Log { return v.CeremonyLog() })
	messages, err := w.parties[3].Step(1, log)
	require.NoError(t, err)
	honest, second := w.message("m4", 1, 0, dkg.KindCommit, messages[0].Body), w.message("m4", 1, 0, dkg.KindCommit, make([]byte, 32))
	require.Equal(t, CodeOK, w.replicas[0].Check(honest).Code)
	require.Equal(t, CodeOK, w.replicas[1].Check(second).Code, "one pool has the one, the other has the other")
	require.Empty(t, overheard(w.replicas[1]))
	require.Equal(t, CodeOK, w.block(honest).Results[0].Code)
	want := []Evidence{{Member: 4, Message: second}}
	require.Empty(t, overheard(w.replicas[0]))
	require.Equal(t, want, overheard(w.replicas[1]), "what waited under the nonce contradicts what is on the ledger")
	require.Equal(t, CodeNonce, w.replicas[0].Check(second).Code)
	require.Equal(t, want, overheard(w.replicas[0]), "what comes afterwards does, too")
	for range 3 {
		third := w.message("m4", 1, 0, dkg.KindCommit, bytes.Repeat([]byte{1}, 32))
		w.replicas[0].Check(third)
	}
	require.Equal(t, want, overheard(w.replicas[0]), "one of each member is kept")
	w.must("m1", want[0])
	require.Empty(t, overheard(w.replicas[0]))
	require.Empty(t, overheard(w.replicas[1]))
	require.Equal(t, CodeNonce, w.replicas[0].Check(second).Code)
	require.Empty(t, overheard(w.replicas[0]), "it is settled")

	raw, err := Sign(testKey("m3"), GenesisHash([]byte("another network")), Body{ValidUntil: 99, Payload: CeremonyMessage{Epoch: 1, Message: 1, Data: make([]byte, 32)}})
	require.NoError(t, err)
	require.Equal(t, CodeSignature, w.replicas[0].Check(raw).Code)
	require.Empty(t, overheard(w.replicas[0]), "what is not signed for this network is nothing")
}

func TestWhoBringsEvidenceOfNothingIsHeardOnceABlock(t *testing.T) {
	w := ready(t)
	rid := w.approved("one")
	reader := w.artwork(rid).Order[0]
	right := Evidence{Member: 4, Share: w.signed("m4", rid, seal.Generator, reader, w.release(4, rid, seal.Generator, reader))}
	good := w.wrongShare(4, rid)
	n := w.nonce("m2")
	results := w.block(w.sign("m2", n, right), w.sign("m2", n+1, good), w.sign("m3", w.nonce("m3"), right)).Results
	require.Equal(t, []Code{CodeProof, CodeLimit, CodeProof}, []Code{results[0].Code, results[1].Code, results[2].Code})
	require.Empty(t, w.convictions())
	// All bring the same: whoever is late has done nothing wrong.
	n, m := w.nonce("m2"), w.nonce("m3")
	results = w.block(w.sign("m2", n, good), w.sign("m3", m, good), w.sign("m3", m+1, w.wrongShare(1, rid))).Results
	require.Equal(t, []Code{CodeOK, CodeDuplicate, CodeOK}, []Code{results[0].Code, results[1].Code, results[2].Code})
	require.Len(t, w.convictions(), 2)
}

func TestEvidenceLastsForTwoCommittees(t *testing.T) {
	w := ready(t)
	rid := w.candidate("alice", "one")
	e, second, approval := w.wrongShare(4, rid), w.secondCommit(3), w.conflictingApproval(2, rid)
	w.refreshed()
	for _, e := range []Evidence{e, second, approval} {
		require.NoError(t, view(w, func(v View) error { return v.Judge(e) }), "the committee of before")
	}
	w.wait(int(testParams().DKGRetryBlocks))
	w.refreshed()
	for _, e := range []Evidence{e, second, approval} {
		r := w.act("m1", e)
		require.Equal(t, CodeWrongPhase, r.Code, r.Log)
		require.Contains(t, r.Log, "no longer holds")
	}
	require.Empty(t, w.convictions())
}

func TestTheLastMemberStaysUntilThereIsAnother(t *testing.T) {
	w := ready(t)
	rid := w.candidate("alice", "one")
	for i := uint32(1); i <= 3; i++ {
		w.must("m4", w.wrongShare(i, rid))
		require.Equal(t, StandingLeaving, w.memberAt(i).Standing)
	}
	w.must("m1", w.wrongShare(4, rid))
	require.Equal(t, StandingActive, w.memberAt(4).Standing, "somebody has to stay")
	require.Len(t, w.convictions(), 4)
	five := w.admitted("m5", 1, 2, 3)
	w.must("m5", w.refill(five, 4))
	for i := uint32(1); i <= 5; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	require.True(t, w.handover(1, 2, 3, 4, five))
	require.Equal(t, Seats{4, five}, view(w, func(v View) Seats { return v.SeatsAt(2) }))
	require.Equal(t, StandingLeaving, w.memberAt(4).Standing)
	require.Equal(t, StandingActive, w.memberAt(five).Standing)
}

func TestWhoHasLeftOrHasNoSeatYetIsConvictedToo(t *testing.T) {
	w := ready(t)
	rid := w.candidate("alice", "one")
	e := w.wrongShare(4, rid)
	w.must("m4", Leave{})
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	require.True(t, w.handover(1, 2, 3, 4))
	w.wait(voteLag)
	require.Equal(t, StandingLeft, w.memberAt(4).Standing)
	for i := uint32(1); i <= 2; i++ {
		w.must(memberName(i), Admit{Application: w.application("m4")})
	}
	w.must("m3", e)
	require.Equal(t, StandingLeft, w.memberAt(4).Standing)
	require.Equal(t, CodeLimit, w.act("m3", Admit{Application: w.application("m4")}).Code, "the motion cannot be carried any more")

	// The same when it has been admitted again before the evidence comes.
	w = ready(t)
	rid = w.candidate("alice", "one")
	e = w.wrongShare(4, rid)
	w.must("m4", Leave{})
	for i := uint32(1); i <= 4; i++ {
		w.must(memberName(i), w.consent(2, i))
	}
	require.True(t, w.handover(1, 2, 3, 4))
	w.wait(voteLag)
	w.admitted("m4", 1, 2, 3)
	w.must("m3", e)
	require.Equal(t, StandingLeft, w.memberAt(4).Standing)
}

func TestTheLargestBundleFitsIntoEvidence(t *testing.T) {
	w := newWorld(t, 4, testParams())
	raw, err := Sign(testKey("m4"), w.chain, Body{Nonce: 1 << 62, ValidUntil: 1 << 62,
		Payload: CeremonyMessage{Epoch: 1 << 62, Attempt: 1 << 62, Message: uint8(dkg.KindBundle), Data: make([]byte, MaxCeremonyData)}})
	require.NoError(t, err)
	_, err = Sign(testKey("m1"), w.chain, Body{Nonce: 1 << 62, ValidUntil: 1 << 62, Payload: Evidence{Member: 256, Message: raw}})
	require.NoError(t, err)
	require.LessOrEqual(t, dkg.MaxMessage(MaxMembers, MaxMembers*2/3+1), MaxCeremonyData)
}

func TestAReleaseSignatureIsOfOneOccasion(t *testing.T) {
	key := testKey("m1")
	account := AddressOf(key.Public().(ed25519.PublicKey))
	share := []byte("share")
	signature := SignRelease(key, Hash{1}, seal.Generator, 2, share)
	require.True(t, VerifyRelease(account, Hash{1}, seal.Generator, 2, share, signature))
	require.False(t, VerifyRelease(account, Hash{2}, seal.Generator, 2, share, signature))
	require.False(t, VerifyRelease(account, Hash{1}, seal.Auditor, 2, share, signature))
	require.False(t, VerifyRelease(account, Hash{1}, seal.Generator, 3, share, signature))
	require.False(t, VerifyRelease(account, Hash{1}, seal.Generator, 2, nil, signature))
	require.False(t, VerifyRelease(addressOf("m2"), Hash{1}, seal.Generator, 2, share, signature))
}

// FuzzEvidence: no bytes of a member make the judge do anything but refuse.
func FuzzEvidence(f *testing.F) {
	w := ready(f)
	rid := w.approved("one")
	for _, e := range []Evidence{w.wrongShare(4, rid), w.secondCommit(3), w.conflictingApproval(2, rid)} {
		f.Add(encode(e))
		f.Add(encode(e)[:40])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseEvidence(data)
		if err != nil {
			return
		}
		require.Equal(t, data, p.Bytes())
		require.NoError(t, w.replicas[0].View(func(v View) error {
			if v.Judge(p) == nil {
				require.Contains(t, []uint32{2, 3, 4}, p.Member, fmt.Sprint("a conviction of somebody else: ", p))
			}
			return nil
		}))
	})
}
