package curation

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atelier-dao/atelier/curation/curve"
	"github.com/atelier-dao/atelier/shamir"
	"github.com/atelier-dao/atelier/shamir/quorum"
)

func TestAReplayOnAnotherChainIsRefused(t *testing.T) {
	home := ready(t)
	g := testGenesis(4, testParams()) // the same people, keys and balances
	g.Charter.Text = "We make other pictures together."
	doc, err := g.Bytes()
	require.NoError(t, err)
	away := NewMachine()
	_, err = away.Genesis(doc)
	require.NoError(t, err)
	raw := home.sign("alice", 0, Send{To: addressOf("bob"), Amount: curve.Credits(1)})
	require.Equal(t, CodeOK, home.replicas[0].Check(raw).Code)
	require.Equal(t, CodeSignature, away.Check(raw).Code)
	require.Empty(t, away.Prepare(1, [][]byte{raw}, 1<<20))
	require.False(t, away.Process(Block{Height: 1, Txs: [][]byte{raw}}))
	outcome, err := away.Execute(Block{Height: 1, Txs: [][]byte{raw}})
	require.NoError(t, err)
	require.Equal(t, CodeSignature, outcome.Results[0].Code)
	require.Empty(t, outcome.Changes, "not even the nonce")
	require.Equal(t, CodeOK, home.block(raw).Results[0].Code)
	require.Equal(t, CodeNonce, home.block(raw).Results[0].Code, "nor is it good twice at home")
}

func TestACertificateForAnotherRequestIsRefused(t *testing.T) {
	w := ready(t)
	one, other := w.requested("alice", "one"), w.requested("alice", "another")
	mine, theirs := w.certificateFor(one, 1, 2, 3), w.certificateFor(other, 1, 2, 3)
	for name, p := range map[string]Certify{
		"both signatures of another request": {RID: one, Certificate: theirs.Certificate, SeedSignature: theirs.SeedSignature},
		"the certificate of another":         {RID: one, Certificate: theirs.Certificate, SeedSignature: mine.SeedSignature},
		"the seed of another":                {RID: one, Certificate: mine.Certificate, SeedSignature: theirs.SeedSignature},
		"the two exchanged":                  {RID: one, Certificate: mine.SeedSignature, SeedSignature: mine.Certificate},
		"the point at infinity":              {RID: one, Certificate: [48]byte{0xc0}, SeedSignature: [48]byte{0xc0}},
		"infinity for a seed":                {RID: one, Certificate: mine.Certificate, SeedSignature: [48]byte{0xc0}},
		"nothing":                            {RID: one},
	} {
		r := w.act("m1", p)
		require.Equal(t, CodeProof, r.Code, "%s: %s", name, r.Log)
		require.Equal(t, StatusRequested, w.artwork(one).Status)
	}
	w.must("m1", mine)
	require.Equal(t, CodeDuplicate, w.act("m2", mine).Code)
}

func TestTwoOfFourMembersApproveNothing(t *testing.T) {
	w := ready(t)
	rid := w.requested("alice", "one")
	s := StatementFor(w.chain, w.artwork(rid).Opening)
	var partials []quorum.Partial
	for _, share := range w.shares[:2] {
		p, err := quorum.SignApproval(share, s)
		require.NoError(t, err)
		partials = append(partials, p)
	}
	_, _, err := quorum.RecoverCertificate(w.committee(), s, partials)
	require.ErrorIs(t, err, shamir.ErrThreshold)
	for _, p := range partials { // nor does one member's signature pass for the quorum's
		seed := quorum.SignSeed(w.shares[0], w.chain, rid)
		require.Equal(t, CodeProof, w.act("m1", Certify{RID: rid, Certificate: p.Sig, SeedSignature: seed.Sig}).Code)
	}
}

func TestAMemberThatWasNotDrawnIsRefused(t *testing.T) {
	w := ready(t)
	rid := w.requested("alice", "one")
	early := Register{RID: rid, CID: folder(rid), PixelRoot: pixels(rid)}
	for i := uint32(1); i <= 4; i++ {
		require.Equal(t, CodeWrongPhase, w.act(memberName(i), early).Code, "before anything is approved")
	}
	w.must("m1", w.certificateFor(rid, 1, 2, 3))
	order := w.artwork(rid).Order
	for _, i := range order[1:] {
		require.Equal(t, CodeWrongPhase, w.act(memberName(i), early).Code, "member %d is not first", i)
	}
	require.Equal(t, CodeNotMember, w.act("alice", early).Code)
	w.must(memberName(order[0]), early)
	require.Equal(t, CodeNotMember, w.act(memberName(order[0]), Attest{RID: rid, PixelRoot: pixels(rid)}).Code, "nobody audits itself")
}

func TestASealedModelCannotBeOpenedAsAnOrder(t *testing.T) {
	w := ready(t)
	w.candidate("alice", "1")
	w.candidate("bob", "2")
	w.candidate("carol", "3")
	model := view(w, func(v View) Model { m, _ := v.Model(); return m })
	r := w.act("m1", Send{To: addressOf("m1"), Amount: curve.NewAmount(1)})
	require.Equal(t, CodeFunds, r.Code)
	r = w.act("dave", SealedOrder{Round: 1, Escrow: curve.Credits(1), Box: model.Ciphertext})
	require.Equal(t, CodeProof, r.Code, "the members would publish the model's key: %s", r.Log)
}
